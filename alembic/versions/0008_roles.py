"""The application may delete a role: one that was never assigned, see `operations/roles.py`.

Frozen, like the SQL of the other revisions.
"""

from alembic import op

from inventory_app.settings import get_settings

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Allow it."""
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(f"GRANT DELETE ON role TO {_role()}")


def downgrade() -> None:
    """Forbid it again."""
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(f"REVOKE DELETE ON role FROM {_role()}")


def _role() -> str:
    return op.get_bind().dialect.identifier_preparer.quote(get_settings().app_role)
