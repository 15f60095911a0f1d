"""Where the database's schema stands against the code, and bringing it up to date."""

from typing import Literal

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from inventory_app.database.reachable import libpq
from inventory_app.operator_error import OperatorError
from inventory_app.paths import PROJECT
from inventory_app.settings import Settings

State = Literal["current", "behind", "empty"]


def configuration() -> Config:
    """Alembic's configuration of this project."""
    file = PROJECT / "alembic.ini"
    if not file.exists():
        raise OperatorError(f"{file} is missing: run Inventory from its project folder (a checkout, or a copy of it).")
    return Config(file)


def head() -> str:
    """The revision this code needs."""
    revision = ScriptDirectory.from_config(configuration()).get_current_head()
    if revision is None:
        raise OperatorError(
            f"{PROJECT / 'alembic' / 'versions'} holds no migration: the copy of Inventory is incomplete."
        )
    return revision


def revision_of(url: str) -> str | None:
    """The revision a database is at, None if it was never migrated."""
    with psycopg.connect(libpq(url)) as connection:
        if connection.execute("SELECT to_regclass('public.alembic_version')").fetchone() == (None,):
            return None
        row = connection.execute("SELECT version_num FROM public.alembic_version").fetchone()
    return row[0] if row else None


def state(settings: Settings) -> State:
    """Whether the schema is current; a schema newer than the code is refused in a sentence."""
    found = revision_of(settings.owner_database_url)
    if found is None:
        return "empty"
    if found == head():
        return "current"
    refuse_unknown(found)
    return "behind"


def refuse_unknown(revision: str) -> None:
    """Refuse a revision this code does not have: a newer version has migrated the database."""
    try:
        ScriptDirectory.from_config(configuration()).get_revision(revision)
    except CommandError as error:
        raise OperatorError(
            f"The database is at revision {revision}, which this version of Inventory does not know: "
            "start the newer version that migrated it."
        ) from error


def require_current(settings: Settings) -> None:
    """Refuse to start on a database that is not migrated (one that is not ours to change unasked)."""
    found = state(settings)
    if found != "current":
        what = "has no tables yet" if found == "empty" else "has an older schema"
        raise OperatorError(f"The database that DATABASE_URL names {what}: run `inventory migrate`, then start again.")


def upgrade(settings: Settings) -> bool:
    """Bring the schema up to date as its owner; False if it was already."""
    if state(settings) == "current":
        return False
    command.upgrade(configuration(), "head")
    return True
