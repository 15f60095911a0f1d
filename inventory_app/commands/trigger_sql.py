"""For `make trigger-sql`: the SQL of the trail as the models need it today, to freeze in a migration."""

import sys

from sqlmodel import SQLModel

import inventory_app.models
from inventory_app.audit import triggers
from inventory_app.paths import APP_ROLE

__all__ = ["inventory_app"]


def main() -> None:
    """Print functions, triggers and grants."""
    sys.stdout.write(triggers.all_sql(SQLModel.metadata, APP_ROLE) + "\n")


if __name__ == "__main__":
    main()
