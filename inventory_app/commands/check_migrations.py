"""For `make check`: a fresh database, migrated, must match the models (`alembic check`)."""

import os
import sys

from alembic import command
from alembic.util import CommandError

from inventory_app import migrations
from inventory_app.database import embedded
from inventory_app.settings import get_settings


def main() -> None:
    """Migrate a throw-away database and compare."""
    with embedded.throw_away() as server:
        os.environ["DATABASE_URL"] = server.url()
        os.environ["MIGRATION_DATABASE_URL"] = server.url("inventory_owner")
        get_settings.cache_clear()
        command.upgrade(migrations.configuration(), "head")
        try:
            command.check(migrations.configuration())
        except CommandError as error:
            sys.exit(f"Models and migrations disagree: {error}")


if __name__ == "__main__":
    main()
