"""The first schema: people, catalogue, stock, suppliers and the audit trail that records them.

The SQL beside this file is frozen: it is what was installed, whatever the models say today.
"""

from pathlib import Path

from alembic import op

from inventory_app.settings import get_settings

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FROZEN = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Create everything; the application's role may then do only what is granted."""
    role = op.get_bind().dialect.identifier_preparer.quote(get_settings().app_role)
    statements = FROZEN.read_text(encoding="utf-8").replace(":app_role", role)
    op.get_bind().connection.driver_connection.execute(statements)


def downgrade() -> None:
    """Drop everything, the record included: only ever sensible on an empty database."""
    op.execute("SET LOCAL lock_timeout = '3s'")
    tables = (
        "audit_personal, audit_change, audit_operation, audit_incarnation, import_batch, stock_movement, "
        "inventory_item, product_price, product, supplier, location, category, unit, idempotency, "
        "session_activity, sign_in_attempt, auth_session, user_role, role_permission, permission, role, "
        "user_info, local_user"
    )
    op.execute(f"DROP TABLE {tables} CASCADE")
    op.execute("DROP SCHEMA audit_part CASCADE")
    for function in (
        "audit_ensure_partitions",
        "audit_person",
        "audit_viewer",
        "audit_open",
        "audit_claim_key",
        "audit_begin",
        "audit_begin_as",
        "audit_refuse",
        "audit_capture",
        "audit_append_only",
        "audit_new_incarnation",
        "stock_movement_is_now",
    ):
        op.execute(f"DROP FUNCTION {function}")
