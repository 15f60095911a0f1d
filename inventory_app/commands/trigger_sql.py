"""For `make trigger-sql`: the SQL of the trail as the models need it today, to freeze in a migration."""

import sys

from sqlmodel import SQLModel

from inventory_app import models
from inventory_app.audit import triggers
from inventory_app.paths import APP_ROLE

#: Imported for what it does: it fills the metadata.
__all__ = ["models"]


def main() -> None:
    """Print functions, triggers and grants."""
    sys.stdout.write(triggers.all_sql(SQLModel.metadata, APP_ROLE) + "\n")


if __name__ == "__main__":
    main()
