"""From which day a set of changes counts, and one planned price for a product and day.

The SQL beside this file is frozen: it is what was installed, whatever the models say today.
"""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

#: Both begin with `SET LOCAL lock_timeout`.
UP = Path(__file__).with_suffix(".sql")
DOWN = Path(__file__).with_suffix(".down.sql")


def upgrade() -> None:
    """Add the column and the index."""
    _execute(UP)


def downgrade() -> None:
    """Drop them: only ever sensible on a database nobody has used since."""
    _execute(DOWN)


def _execute(file: Path) -> None:
    op.get_bind().connection.driver_connection.execute(file.read_text(encoding="utf-8"))
