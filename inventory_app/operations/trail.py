"""Reading the audit trail: the newest operations of a search, one operation, one record's history.

Looking is itself on record: a page of the trail says whether `view_trail` has to be written first.
Rows are made for the person who reads: see `_trail_values.py` for what they may not see.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Session, col, select

from inventory_app.audit.tables import audit_change, audit_operation
from inventory_app.errors import Invalid, NotFound
from inventory_app.models._base import now
from inventory_app.models.users import UserInfo
from inventory_app.operations._operation import current_viewer, operation, query
from inventory_app.operations._paging import Page, keyset
from inventory_app.operations._trail_facets import Facet, Facets, FacetValue, count_facets
from inventory_app.operations._trail_filter import conditions
from inventory_app.operations._trail_search import Search, Term, read_search, stored_key, tables
from inventory_app.operations._trail_values import ChangeRow, FieldRow, change_rows, record_search
from inventory_app.permissions import Permission

__all__ = [
    "ChangeRow", "Facet", "FacetValue", "Facets", "FieldRow", "HistoryRow", "OperationDetail", "OperationPage",
    "OperationRow", "Search", "Term", "facets", "list_operations", "operation_detail", "read_search",
    "record_history", "record_search", "view_trail",
]  # fmt: skip

#: Looking again at the same search in the same session within this time is one look.
ONE_LOOK = timedelta(minutes=10)
EVERYTHING = "everything"
#: Of each operation so many changes are counted on the list.
MOST_COUNTED = 1_000

_OP = audit_operation.c
_CHANGE = audit_change.c


@dataclass(frozen=True, slots=True)
class OperationRow:
    """A line of the trail; `actor` is the recorded name, `person` today's full name behind it."""

    id: str
    at: str
    at_text: str
    name: str
    outcome: str
    summary: str
    actor: str
    person: str
    initials: str
    machine: bool
    changes: str


@dataclass(frozen=True, slots=True)
class OperationPage:
    """Operations, newest first; `recorded` says whether this look is on record already."""

    rows: list[OperationRow]
    newer: str
    older: str
    recorded: bool


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


class _IdText(sa.types.TypeDecorator[str]):
    """The id as text, so that it fits into a cursor; a forged one counts as the lowest id."""

    impl = postgresql.UUID(as_uuid=True)
    cache_ok = True

    @property
    def python_type(self) -> type[str]:
        """Say what the cursor holds."""
        return str

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> UUID | None:
        """Read the id of a cursor."""
        del dialect
        return _uuid(value or "") or UUID(int=0)

    def process_result_value(self, value: UUID | None, dialect: sa.Dialect) -> str:
        """Spell the id for a cursor."""
        del dialect
        return str(value)


_NEWEST = (_OP.recorded_at, sa.type_coerce(_OP.id, _IdText()))

_COUNTED = sa.text("""
    SELECT o.id, c.table_name, count(*) AS n
      FROM unnest(CAST(:ids AS uuid[]), CAST(:times AS timestamptz[])) AS o (id, at)
     CROSS JOIN LATERAL (SELECT table_name FROM audit_change
                          WHERE operation_id = o.id AND recorded_at = o.at LIMIT :most) AS c
     GROUP BY o.id, c.table_name
     ORDER BY n DESC, c.table_name
""")


@query(Permission.AUDIT_VIEW)
def list_operations(session: Session, *, search: str = "", cursor: str = "") -> OperationPage:
    """List the operations that `search` finds, newest first."""
    wanted = _readable(search)
    statement = sa.select(audit_operation).where(*conditions(session, wanted))
    page = keyset(session, statement, _NEWEST, descending=True, cursor=cursor)
    return OperationPage(_operation_rows(session, page.rows), page.before, page.after, _is_recorded(session, wanted))


@query(Permission.AUDIT_VIEW)
def facets(session: Session, *, search: str = "") -> Facets:
    """Count what `search` finds by outcome, operation, person and table."""
    return count_facets(session, _readable(search))


@query(Permission.AUDIT_VIEW)
def operation_detail(session: Session, *, operation_id: str, cursor: str = "", size: int = 100) -> OperationDetail:
    """Return one operation and what it changed, in the order it was done."""
    key = _uuid(operation_id)
    found = session.execute(sa.select(audit_operation).where(_OP.id == key)).one_or_none() if key else None
    if found is None:
        message = "There is no operation with this id in the trail. Look for it in the list."
        raise NotFound(message)
    statement = sa.select(audit_change).where(
        _CHANGE.operation_id == found.id, _CHANGE.recorded_at == found.recorded_at
    )
    page = keyset(session, statement, [_CHANGE.id], cursor=cursor, size=min(size, 100))
    return OperationDetail(
        row=_operation_rows(session, [found])[0],
        error_class=found.error_class or "",
        detail=found.detail or "",
        reason=found.reason or "",
        client_ip=found.client_ip or "",
        user_agent=found.user_agent or "",
        request_id=found.request_id or "",
        session_id=str(found.auth_session_id or ""),
        attempts=found.attempts,
        changes=change_rows(session, page.rows),
        before=page.before,
        after=page.after,
        recorded=_is_recorded(session, Search((Term("", str(found.id)),))),
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
    operations = {row.id: row for row in _operation_rows(session, found)}
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


def _is_recorded(session: Session, search: Search) -> bool:
    """Tell whether this session's look at `search` is on record already."""
    looked = sa.exists().where(
        _OP.name == view_trail.spec.name,
        _OP.recorded_at > now() - ONE_LOOK,
        _OP.auth_session_id == current_viewer(session).session_id,
        _OP.reason == looked_for(search),
    )
    return bool(session.scalar(sa.select(looked)))


def looked_for(search: Search) -> str:
    """Return what `view_trail` records as the reason."""
    return str(search) or EVERYTHING


def _operation_rows(session: Session, found: Sequence[sa.Row[Any]]) -> list[OperationRow]:
    """Make rows of operations: one statement for what they changed, one for the people."""
    counts = _counted(session, found)
    people = _full_names(session, {row.actor_id for row in found if row.actor_id is not None})
    return [_operation_row(row, counts.get(row.id, {}), people.get(row.actor_id, "")) for row in found]


def _counted(session: Session, found: Sequence[sa.Row[Any]]) -> dict[UUID, dict[str, int]]:
    """Count the changes of each operation by table, the most first."""
    counts: dict[UUID, dict[str, int]] = {}
    # The time leads to the one partition that holds the operation's changes.
    times = {row.id: row.recorded_at for row in found}
    arguments = {"ids": list(times), "times": list(times.values()), "most": MOST_COUNTED + 1}
    for row in session.execute(_COUNTED, arguments) if times else ():
        counts.setdefault(row.id, {})[row.table_name] = row.n
    return counts


def _full_names(session: Session, user_ids: Iterable[int]) -> dict[int, str]:
    rows = session.exec(select(UserInfo.user_id, UserInfo.full_name).where(col(UserInfo.user_id).in_(user_ids)))
    return dict(rows.all())


def _operation_row(row: sa.Row[Any], counts: dict[str, int], full_name: str) -> OperationRow:
    number = sum(counts.values())
    person = full_name or row.actor_name
    at: datetime = row.recorded_at
    return OperationRow(
        id=str(row.id),
        at=at.isoformat(),
        at_text=f"{at:%Y-%m-%d %H:%M} UTC",
        name=row.name,
        outcome=row.outcome,
        summary=_summary(row, counts),
        actor=row.actor_name,
        person=person,
        initials=_initials(person),
        machine=row.actor_kind in ("system", "cli"),
        changes=f"{MOST_COUNTED:,}+" if number > MOST_COUNTED else f"{number:,}" if number else "",
    )


def _summary(row: sa.Row[Any], counts: dict[str, int]) -> str:
    """Say in a line why it was refused, why it was done, or what it changed."""
    if row.outcome != "succeeded":
        why = ": ".join(part for part in (row.error_class, row.detail or row.reason) if part)
        return f"{why} ({row.attempts} times)" if row.attempts > 1 else why
    more = sum(counts.values()) > MOST_COUNTED
    changed = ", ".join(f"{n:,}{'+' if more else ''} {table}" for table, n in counts.items())
    return row.reason or changed or "Nothing changed"


def _initials(name: str) -> str:
    words = re.findall(r"\w+", name)
    return "".join(word[0] for word in (words[0], words[-1])[: len(words)]).upper() if words else ""


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
