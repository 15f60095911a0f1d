"""Reading the audit trail: the newest operations of a search, one operation, one record's history.

Looking is itself on record: a page of the trail says whether `view_trail` has to be written first.
Rows are made for the person who reads: see `_trail_values.py` for what they may not see.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from inventory_app.audit.tables import audit_change, audit_operation
from inventory_app.errors import Invalid, NotFound
from inventory_app.models._base import now
from inventory_app.operations._operation import current_viewer, operation, query
from inventory_app.operations._paging import Page, keyset
from inventory_app.operations._reasons import reason_labels
from inventory_app.operations._trail_facets import Facet, Facets, FacetValue, count_facets
from inventory_app.operations._trail_filter import conditions
from inventory_app.operations._trail_labels import said_reason
from inventory_app.operations._trail_names import record_names
from inventory_app.operations._trail_rows import OperationRow, operation_rows
from inventory_app.operations._trail_search import (
    MOST_CHARACTERS,
    Search,
    Term,
    is_local,
    read_search,
    stored_key,
    tables,
)
from inventory_app.operations._trail_values import ChangeRow, FieldRow, change_rows, record_search
from inventory_app.operations._zones import UTC_NAME, known_zone
from inventory_app.permissions import Permission

__all__ = [
    "MOST_CHARACTERS", "ChangeRow", "Facet", "FacetValue", "Facets", "FieldRow", "HistoryRow", "OperationDetail",
    "OperationPage", "OperationRow", "Search", "Term", "facets", "list_operations", "looked_for", "operation_detail",
    "read_search", "record_history", "record_search", "view_trail",
]  # fmt: skip

#: Looking again at the same search in the same session within this time is one look.
ONE_LOOK = timedelta(minutes=10)
EVERYTHING = "everything"

_OP = audit_operation.c
_CHANGE = audit_change.c


@dataclass(frozen=True, slots=True)
class OperationPage:
    """Operations, newest first; `recorded` says whether this look is on record already.

    `as_of` is when the list was read: what is counted beside it is counted as of then. `about` is what the records
    that were asked for are called.
    """

    rows: list[OperationRow]
    newer: str
    older: str
    recorded: bool
    as_of: datetime
    about: str


@dataclass(frozen=True, slots=True)
class OperationDetail:
    """Everything about one operation, and a page of what it changed."""

    row: OperationRow
    error_class: str
    detail: str
    reason: str
    client_ip: str
    user_agent: str
    request_id: str
    session_id: str
    attempts: int
    changes: list[ChangeRow]
    before: str
    after: str
    recorded: bool


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One change of a record, and the operation that made it."""

    operation: OperationRow
    change: ChangeRow


_NEWEST = (_OP.recorded_at, _OP.id)


@query(Permission.AUDIT_VIEW)
def list_operations(session: Session, *, search: str = "", cursor: str = "", zone: str = UTC_NAME) -> OperationPage:
    """List the operations that `search` finds, newest first; its days are those of `zone`."""
    wanted, zone = _readable(search), known_zone(zone)
    statement = sa.select(audit_operation).where(*conditions(session, wanted, zone))
    page = keyset(session, statement, _NEWEST, descending=True, cursor=cursor)
    recorded, as_of = _is_recorded(session, wanted, zone)
    rows = operation_rows(session, page.rows)
    return OperationPage(rows, page.before, page.after, recorded, as_of, _about(session, wanted))


def _about(session: Session, search: Search) -> str:
    pairs = [value.split("/", 1) for value in search.values("record")]
    records = [(table, stored_key(table, key)) for table, key in pairs]
    names = record_names(session, records) if records else {}
    return ", ".join(dict.fromkeys(names[record] for record in records if record in names))


@query(Permission.AUDIT_VIEW)
def facets(session: Session, *, search: str = "", zone: str = UTC_NAME, as_of: datetime | None = None) -> Facets:
    """Count what `search` finds by outcome, operation, person and table; with `as_of` what it found then."""
    return count_facets(session, _readable(search), known_zone(zone), as_of)


@query(Permission.AUDIT_VIEW)
def operation_detail(
    session: Session, *, operation_id: str, cursor: str = "", size: int = 100, zone: str = UTC_NAME
) -> OperationDetail | None:
    """Return one operation and what it changed, in the order it was done; None when there is none of this id."""
    key = _uuid(operation_id)
    found = session.execute(sa.select(audit_operation).where(_OP.id == key)).one_or_none() if key else None
    if found is None:
        return None
    statement = sa.select(audit_change).where(
        _CHANGE.operation_id == found.id, _CHANGE.recorded_at == found.recorded_at
    )
    page = keyset(session, statement, [_CHANGE.id], cursor=cursor, size=min(size, 100))
    return OperationDetail(
        row=operation_rows(session, [found])[0],
        error_class=found.error_class or "",
        detail=found.detail or "",
        reason=said_reason(found.name, found.reason, reason_labels(session)),
        client_ip=found.client_ip or "",
        user_agent=found.user_agent or "",
        request_id=found.request_id or "",
        session_id=str(found.auth_session_id or ""),
        attempts=found.attempts,
        changes=change_rows(session, page.rows, known_zone(zone)),
        before=page.before,
        after=page.after,
        recorded=_is_recorded(session, Search((Term("", str(found.id)),)))[0],
    )


@query(Permission.AUDIT_VIEW)
def record_history(session: Session, *, table: str, pk: str, cursor: str = "") -> Page[HistoryRow]:
    """List everything that happened to one record, newest first; `pk` as in `record:user_role/3,2`."""
    key = stored_key(table, pk) if table in tables() else ""
    if not key:
        raise NotFound
    statement = sa.select(audit_change).where(_CHANGE.table_name == table, _CHANGE.pk == key)
    page = keyset(session, statement, [_CHANGE.id], descending=True, cursor=cursor)
    made_by = {change.operation_id for change in page.rows}
    found = session.execute(sa.select(audit_operation).where(_OP.id.in_(made_by))).all()
    operations = {row.id: row for row in operation_rows(session, found)}
    changes = zip(page.rows, change_rows(session, page.rows), strict=True)
    rows = [HistoryRow(operations[str(change.operation_id)], row) for change, row in changes]
    return Page(rows, page.before, page.after)


@operation(Permission.AUDIT_VIEW, reason="search")
def view_trail(session: Session, *, search: str) -> None:
    """Put on record that the trail was looked at, and for what: a read that is an operation."""
    del session, search  # the reason in the trail


def _readable(search: str) -> Search:
    read = read_search(search)
    if read.problem:
        raise Invalid(read.problem, fields={"search": read.problem})
    return read


def _is_recorded(session: Session, search: Search, zone: str = UTC_NAME) -> tuple[bool, datetime]:
    """Tell whether this session's look at `search` is on record already, and what time it is."""
    looked = sa.exists().where(
        _OP.name == view_trail.spec.name,
        _OP.recorded_at > now() - ONE_LOOK,
        _OP.auth_session_id == current_viewer(session).session_id,
        _OP.reason == looked_for(search, zone),
    )
    recorded, as_of = session.execute(sa.select(looked, sa.func.clock_timestamp())).one()
    return recorded, as_of


def looked_for(search: Search, zone: str = UTC_NAME) -> str:
    """Return what `view_trail` records as the reason: days with the zone they were meant in."""
    local = zone != UTC_NAME and any(map(is_local, search.terms))
    return f"{search} [{zone}]" if local else str(search) or EVERYTHING


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
