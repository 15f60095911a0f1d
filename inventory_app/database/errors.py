"""What PostgreSQL says, in our own classes: SQLSTATE and constraint name in, `AppError` out."""

from functools import lru_cache

import psycopg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlmodel import SQLModel

from inventory_app import errors
from inventory_app.errors import AppError

_BY_SQLSTATE: dict[str, type[AppError]] = {
    "AU001": errors.NotSignedIn,
    "AU002": errors.AccountDisabled,
    "AU003": errors.NotAllowed,
    "AU004": errors.PasswordChangeRequired,
    "AU006": errors.KeyReused,
    "AU008": errors.NotAllowed,
    "AU009": errors.SecondFactorRequired,
    "AU010": errors.FreshProofRequired,
    "AU011": errors.PeriodClosed,
    "AU012": errors.TooFine,
    "55P03": errors.Busy,  # LOCK_TIMEOUT
    "57014": errors.TooSlow,  # query_canceled: statement_timeout
    "25P03": errors.TooSlow,  # idle_in_transaction_session_timeout
    "23001": errors.Conflict,
    "23503": errors.Conflict,
    "23505": errors.Conflict,
    "23514": errors.Conflict,
    "22003": errors.Invalid,  # numeric value out of range
}

UNSTORABLE = "There is a character in it that cannot be stored. Type it anew instead of pasting it."

#: Somebody else held the row for longer than we wait.
LOCK_TIMEOUT = "55P03"

#: Worth another try in a fresh transaction: deadlock and serialisation failure.
RETRIABLE = frozenset({"40P01", "40001"})


def sqlstate(error: DBAPIError) -> str | None:
    """Return the SQLSTATE behind a SQLAlchemy error, if the server sent one."""
    return getattr(error.orig, "sqlstate", None)


@lru_cache(maxsize=1)
def _conflicts() -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for table in SQLModel.metadata.tables.values():
        for item in (*table.constraints, *table.indexes):
            if item.name and "conflict" in item.info:
                found[str(item.name)] = item.info["conflict"]
    return found


def app_error(error: DBAPIError) -> AppError | None:
    """Translate an expected database refusal; None when it is not one of those."""
    if error.connection_invalidated:
        return errors.DatabaseUnavailable()
    code = sqlstate(error)
    if code is None and isinstance(error.orig, psycopg.DataError):
        # The driver itself refused a value: NUL in a text.
        return errors.Invalid(UNSTORABLE)
    # No SQLSTATE: the server was never reached or went away.
    never_reached = code is None and isinstance(error.orig, psycopg.OperationalError)
    if never_reached or (code or "").startswith(("08", "57P", "53")):
        return errors.DatabaseUnavailable()
    constraint = isinstance(error.orig, psycopg.Error) and error.orig.diag.constraint_name
    if constraint and constraint in _conflicts():
        field, sentence = _conflicts()[constraint]
        return errors.Conflict(sentence, fields={field: sentence})
    found = _BY_SQLSTATE.get(code or "")
    if found is errors.Invalid:
        return errors.Invalid("A number is too large.")
    return found() if found else None


def refused_name(error: SQLAlchemyError) -> str:
    """Name an unexpected database error for the log without its parameters (they hold data)."""
    code = sqlstate(error) if isinstance(error, DBAPIError) else None
    return f"{type(error).__name__}({code or 'no SQLSTATE'})"
