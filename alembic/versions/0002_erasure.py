"""The one way to erase a person's personal values, which leaves the record's shape and says who did it and why.

The SQL beside this file is frozen: it is what was installed, whatever the models say today.
"""

from pathlib import Path

from alembic import op

from inventory_app.settings import get_settings

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FROZEN = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Add the table of erasures, its function, and the trigger that lets only them through."""
    role = op.get_bind().dialect.identifier_preparer.quote(get_settings().app_role)
    statements = FROZEN.read_text(encoding="utf-8").replace(":app_role", role)
    op.get_bind().connection.driver_connection.execute(statements)


def downgrade() -> None:
    """Let nothing be erased again; what was erased stays so, and who did it is still an operation of the trail."""
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("DROP TRIGGER audit_append_only ON audit_personal")
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_personal "
        "FOR EACH ROW EXECUTE FUNCTION audit_append_only()"
    )
    op.execute("ALTER TABLE audit_personal ENABLE ALWAYS TRIGGER audit_append_only")
    op.execute("DROP FUNCTION audit_erase_person")
    op.execute("DROP FUNCTION audit_personal_kept")
    op.execute("DROP TABLE audit_erasure")
