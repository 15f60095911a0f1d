"""Lists as files: the statement that selects what a view of a list shows, and the record that it was taken away.

Which lists there are is in `_export_lists.py`: the view is that of the page's address, and what the viewer may not see
is left out as it is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import ClientCursor
from sqlalchemy.dialects.postgresql import psycopg as dialect
from sqlmodel import Session

from inventory_app.errors import NotAllowed, NotFound
from inventory_app.operations._export_cells import Export, is_number, written
from inventory_app.operations._export_lists import EXPORTS
from inventory_app.operations._lists import View
from inventory_app.operations._operation import current_viewer, operation, query, require

_PATIENCE = "SET LOCAL statement_timeout = '10min'; SET LOCAL idle_in_transaction_session_timeout = '2min'"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a file will hold: its header, which columns are numbers, and the statement that copies the rows as CSV.

    `needs` are the permissions without which nobody gets it.
    """

    header: tuple[str, ...]
    numeric: tuple[bool, ...]
    copy: str
    needs: frozenset[str] = frozenset()


def found(name: str) -> Export:
    """Return the list of this name."""
    export = EXPORTS.get(name)
    if export is None:
        raise NotFound
    return export


@operation(reason="what")
def export_list(session: Session, *, name: str, what: str) -> None:
    """Put on record that somebody takes a list away as a file; `what` says which and how it was narrowed down."""
    del what  # in the trail as the reason
    export = found(name)
    require(session, export.listing.permission)
    require(session, export.permission)


@query()
def prepare_export(session: Session, *, name: str, view: View) -> Prepared:
    """Return what a file of a view holds for this viewer; the session it is asked in streams it."""
    export, listing = found(name), found(name).listing
    permissions = current_viewer(session).permissions
    if not {listing.permission, export.permission} <= permissions:
        raise NotAllowed
    allowed = listing.allowed(view, permissions)
    cells = [export.cell(listing.columns[key]) for key in allowed.columns]
    cells = [one for one in (*cells, *export.also) if one.permission is None or one.permission in permissions]
    statement, values = listing.everything(
        session,
        allowed,
        [written(one.shows) for one in cells],
        [name for one in cells for name in one.needs],
        export.joins,
    )
    asked = (listing.columns[allowed.sort], *(listing.filters[key] for key in allowed.filters), *cells)
    needs = {listing.permission, export.permission} | {one.permission for one in asked if one.permission}
    session.connection().exec_driver_sql(_PATIENCE)
    return Prepared(
        tuple(one.label for one in cells),
        tuple(is_number(one.shows) for one in cells),
        f"COPY ({_as_text(session, statement, values)}) TO STDOUT (FORMAT csv)",
        frozenset(needs),
    )


@query()
def may_still(session: Session, *, needs: frozenset[str]) -> None:
    """Refuse to go on with a file for somebody who meanwhile lost what it needs; nobody without a session gets here."""
    if not needs <= current_viewer(session).permissions:
        raise NotAllowed


def _as_text(session: Session, statement: Any, values: Mapping[str, Any]) -> str:
    """Write the values into the statement, as the driver quotes them: COPY takes no parameters."""
    compiled = statement.compile(dialect=dialect.dialect(paramstyle="pyformat"))
    driver: Any = session.connection().connection.driver_connection
    return ClientCursor(driver).mogrify(str(compiled).encode(), compiled.construct_params(dict(values)))
