"""What was wanted before a supplier promised, who was reminded of documents, what is paid in spite of a suspension.

The SQL beside this file is frozen: it is what was installed, whatever the models say today.
"""

from pathlib import Path

from alembic import op

from inventory_app.settings import get_settings

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

#: Both begin with `SET LOCAL lock_timeout`.
UP = Path(__file__).with_suffix(".sql")
DOWN = Path(__file__).with_suffix(".down.sql")


def upgrade() -> None:
    """Add the columns."""
    _execute(UP)


def downgrade() -> None:
    """Drop them: only ever sensible on a database nobody has used since."""
    _execute(DOWN)


def _execute(file: Path) -> None:
    role = op.get_bind().dialect.identifier_preparer.quote(get_settings().app_role)
    statements = file.read_text(encoding="utf-8").replace(":app_role", role)
    op.get_bind().connection.driver_connection.execute(statements)
