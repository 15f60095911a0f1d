"""A connection with a sign-in provider keeps what it was and when it was removed; a session knows which it came from.

Erasing a person's data takes in who they are to the provider, and their picture. The SQL beside this file is frozen:
it is what was installed, whatever the models say today.
"""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

#: Both begin with `SET LOCAL lock_timeout`.
UP = Path(__file__).with_suffix(".sql")
DOWN = Path(__file__).with_suffix(".down.sql")


def upgrade() -> None:
    """Add the columns, let the unique rule hold for live connections only, and extend what is erased."""
    op.get_bind().connection.driver_connection.execute(UP.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Blank what was removed, as before."""
    op.get_bind().connection.driver_connection.execute(DOWN.read_text(encoding="utf-8"))
