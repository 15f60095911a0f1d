"""Run migrations as the owner of the schema; `reflex db` does not read this file.

Everything a migration needs (role to grant to, lock time-out) is therefore in the migration itself.
"""

import sys

import sqlalchemy as sa
from alembic import context
from sqlmodel import SQLModel

import inventory_app.models
from inventory_app.database import reachable
from inventory_app.operator_error import OperatorError
from inventory_app.settings import get_settings

__all__ = ["inventory_app"]

# A caller (the command line, a test) may hand over its own open connection.
given = context.config.attributes.get("connection")


def migrate(connection: sa.Connection) -> None:
    """Run the migrations on `connection`."""
    context.configure(connection=connection, target_metadata=SQLModel.metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


if given is not None:
    migrate(given)
else:
    try:
        reachable.check(get_settings())
    except OperatorError as error:
        # Whoever typed `alembic ...` reads a sentence and no traceback.
        sys.stderr.write(f"{error.sentence}\n")
        sys.exit(error.exit_code)
    engine = sa.create_engine(get_settings().owner_database_url, poolclass=sa.NullPool)
    with engine.connect() as opened:
        migrate(opened)
        opened.commit()
