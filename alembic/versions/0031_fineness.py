"""What is booked fits its unit at the moment it is booked, whoever makes the unit coarser meanwhile.

The SQL beside this file is frozen: it is what was installed, whatever the functions say today.
"""

from pathlib import Path

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

#: Both begin with `SET LOCAL lock_timeout`.
UP = Path(__file__).with_suffix(".sql")
DOWN = Path(__file__).with_suffix(".down.sql")


def upgrade() -> None:
    """Look at the unit when a part of one is booked."""
    _execute(UP)


def downgrade() -> None:
    """Leave that to the application again."""
    _execute(DOWN)


def _execute(file: Path) -> None:
    op.get_bind().connection.driver_connection.execute(file.read_text(encoding="utf-8"))
