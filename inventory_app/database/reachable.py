"""Whether the database answers, is new enough and fit for the application; a sentence for the operator if not."""

import re
from dataclasses import dataclass

import psycopg

from inventory_app.database._postgres import OLDEST_SUPPORTED
from inventory_app.operator_error import OperatorError
from inventory_app.settings import Settings

CONNECT_TIMEOUT_SECONDS = 10


def check(settings: Settings) -> None:
    """Connect once as the application and once as the owner."""
    check_url(settings, settings.app_database_url)
    if settings.owner_database_url != settings.app_database_url:
        check_url(settings, settings.owner_database_url, variable="MIGRATION_DATABASE_URL")


def check_url(settings: Settings, url: str, *, variable: str = "DATABASE_URL") -> None:
    """Connect, and look at the server's version and the database's encoding."""
    try:
        with psycopg.connect(libpq(url), connect_timeout=CONNECT_TIMEOUT_SECONDS) as connection:
            version, encoding = (
                connection.info.server_version // 10000,
                connection.info.parameter_status("server_encoding"),
            )
    except psycopg.OperationalError as error:
        raise _unreachable(settings, variable, error) from error
    if version < OLDEST_SUPPORTED:
        raise OperatorError(
            f"{variable} names a PostgreSQL {version} server: upgrade it to {OLDEST_SUPPORTED} or newer, "
            "or remove DATABASE_URL to use the embedded one."
        )
    if encoding != "UTF8":
        raise OperatorError(f"{variable} names a database with encoding {encoding}: create it with ENCODING 'UTF8'.")


@dataclass(frozen=True, slots=True)
class DatabaseRole:
    """Whom the application connects as; `owns`: tables of the schema are its own, or those of a role it belongs to."""

    name: str
    superuser: bool
    owns: bool


def role_of(url: str) -> DatabaseRole:
    """Return the role an address connects as, and what it could do beyond the application's work."""
    with psycopg.connect(libpq(url), connect_timeout=CONNECT_TIMEOUT_SECONDS) as connection:
        found = connection.execute(
            "SELECT current_user, rolsuper, EXISTS ("
            " SELECT FROM pg_class WHERE relnamespace = to_regnamespace('public') AND relkind IN ('r', 'p')"
            " AND pg_has_role(current_user, relowner, 'USAGE'))"
            " FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert found is not None  # noqa: S101  # everybody is in pg_roles
    return DatabaseRole(*found)


def libpq(url: str) -> str:
    """The address as PostgreSQL's own library and programs read it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _unreachable(settings: Settings, variable: str, error: psycopg.OperationalError) -> OperatorError:
    if settings.is_embedded:
        return OperatorError(
            "The embedded database is not running: start everything with `make run`, "
            "or the database alone with `inventory database start`."
        )
    # libpq's text is "... connection to server at ... failed: <reason>"; the reason alone is what a person needs.
    lines = str(error).strip().splitlines() or ["no reason given"]
    reason = re.split(r"failed: |FATAL: +|error: ", next((line for line in lines if "failed: " in line), lines[0]))[-1]
    return OperatorError(
        f"The database that {variable} names cannot be reached ({reason.strip()}): "
        "check the address and that the server is running."
    )
