"""What one statement inserts is captured by the statement, no longer row by row.

The SQL beside this file is frozen: it is what was installed, whatever the models say today.
"""

from pathlib import Path

from alembic import op

revision = "0030"
down_revision = "0026"
branch_labels = None
depends_on = None

#: Both begin with `SET LOCAL lock_timeout`.
UP = Path(__file__).with_suffix(".sql")
DOWN = Path(__file__).with_suffix(".down.sql")


def upgrade() -> None:
    """Capture insertions by the statement where nothing is hidden."""
    _execute(UP)


def downgrade() -> None:
    """Capture every row by itself again."""
    _execute(DOWN)


def _execute(file: Path) -> None:
    op.get_bind().connection.driver_connection.execute(file.read_text(encoding="utf-8"))
