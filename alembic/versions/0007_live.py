"""Open tabs hear of ended sessions and changed roles at once.

The SQL beside this file is frozen: it is what was installed, whatever the models say today.
"""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None

FROZEN = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Add the function that notifies, and its triggers."""
    op.get_bind().connection.driver_connection.execute(FROZEN.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Drop the function, and with it its triggers."""
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("DROP FUNCTION audit_tell_people() CASCADE")
