"""How files on their way in are shown: where one stands, what is wrong with it, what it would do, and all of them."""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.errors import NotAllowed
from inventory_app.models.imports import ImportFault, ImportRun, RunStatus
from inventory_app.operations import _import_plan
from inventory_app.operations._import_fields import FIELDS, KINDS, REQUIRED, Kind
from inventory_app.operations._import_runs import (
    KIND_OF,
    check_may,
    clock,
    hidden,
    imported_before,
    may_import,
    own,
    said,
)
from inventory_app.operations._import_staging import MOST_FAULTS
from inventory_app.operations._import_summary import Total, read_back
from inventory_app.operations._operation import current_viewer, query
from inventory_app.permissions import Permission

_PAGE = 50


@dataclass(frozen=True, slots=True)
class Choice:
    """A field of ours, and the position of the column it is read from: -1 for none."""

    field: str
    label: str
    meaning: str
    needed: bool
    column: int


@dataclass(frozen=True, slots=True)
class Run:
    """Where a file stands, for the page."""

    id: int
    kind: Kind
    file_name: str
    status: str
    rule: str
    header: list[str]
    choices: list[Choice]
    notices: list[str]
    first: list[list[str]]
    done_rows: int
    all_rows: int
    new_rows: int
    changed_rows: int
    same_rows: int
    faulty_rows: int
    problem: str
    cancel_asked: bool
    faults: int = 0
    #: What came of it, once it is in.
    said: str = ""
    totals: list[Total] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with one value of the file."""

    row: int
    column: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What a row would change: what it is about, and each field before and after."""

    row: int
    key: str
    state: str
    fields: list[str] = field(default_factory=list)


@query()
def run_of(session: Session, *, run_id: int) -> Run:
    """Return where one of the viewer's own files stands."""
    run = own(session, run_id)
    check_may(session, run.kind)
    kind = KIND_OF[run.kind]
    away = hidden(kind, current_viewer(session).permissions)
    needed = {name for group in REQUIRED[kind] if len(group) == 1 for name in group}
    faults = session.scalar(sa.select(sa.func.count()).where(col(ImportFault.run_id) == run_id))
    summary = read_back(
        run.layout.get("summary") if run.status == RunStatus.CHECKED else None,
        money=Permission.PRICES_VIEW in current_viewer(session).permissions,
    )
    return Run(
        id=run.id or 0,
        kind=kind,
        file_name=run.file_name,
        status=run.status,
        rule=run.rule,
        header=list(run.header),
        choices=[
            Choice(name, about.label, about.meaning, name in needed, run.mapping.get(name, -1))
            for name, about in FIELDS[kind].items()
            if name not in away
        ],
        notices=[*run.notices, *_left_out(run), *summary.notices],
        first=run.layout.get("first", []),
        done_rows=run.done_rows,
        all_rows=run.all_rows,
        new_rows=run.new_rows,
        changed_rows=run.changed_rows,
        same_rows=run.same_rows,
        faulty_rows=run.faulty_rows,
        problem=run.problem
        or (imported_before(session, run.kind, run.file_hash) if run.status == RunStatus.CHECKED else ""),
        cancel_asked=run.cancel_asked,
        faults=faults or 0,
        said=said(run) if run.status == RunStatus.APPLIED else "",
        totals=list(summary.totals),
    )


def _left_out(run: ImportRun) -> list[str]:
    used = set(run.mapping.values())
    names = [name for position, name in enumerate(run.header) if position not in used]
    if not names or run.status == RunStatus.MAPPING:
        return []
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""  # noqa: PLR2004  # as shown
    return [f"Not imported: {', '.join(names[:8])}{more}."]


@query()
def faults_of(session: Session, *, run_id: int, after: int = 0, most: int = _PAGE) -> list[RowFault]:
    """Return what is wrong with one of the viewer's own files, by row, `after` so many."""
    run = own(session, run_id)
    check_may(session, run.kind)
    statement = (
        sa.select(ImportFault)
        .where(col(ImportFault.run_id) == run_id)
        .order_by(col(ImportFault.row), col(ImportFault.id))
        .offset(max(after, 0))
        .limit(min(max(most, 1), MOST_FAULTS))
    )
    return [RowFault(one.row, one.field, one.sentence) for one in session.scalars(statement)]


_SHOWN = """
SELECT c.row, c.state, coalesce(r.data ->> 'sku', r.data ->> 'code', r.data ->> 'name') AS key, c.target, c.wanted,
       c.before
  FROM import_change c JOIN import_row r ON r.run_id = c.run_id AND r.row = c.row
 WHERE c.run_id = :run AND c.state <> 'same' AND c.target = :target ORDER BY c.state, c.row LIMIT :most
"""
_UNSHOWN = frozenset(
    {"sort_key", "search", "version", "product_id", "location_id", "lot_id", "category_id", "supplier_id"}
)


@query()
def differences_of(session: Session, *, run_id: int, most: int = 20) -> list[Difference]:
    """Return the first records that one of the viewer's own files would change, and how; then those it would add."""
    run = own(session, run_id)
    check_may(session, run.kind)
    kind = KIND_OF[run.kind]
    target, away = _import_plan.MAIN_TARGET[kind], hidden(kind, current_viewer(session).permissions)
    found = session.execute(sa.text(_SHOWN), {"run": run_id, "target": target, "most": min(max(most, 1), 200)})
    return [Difference(one.row, one.key or "", one.state, _said(one, away)) for one in found]


def _said(one: Any, away: set[str]) -> list[str]:
    if one.state == "new":
        return []
    shown = {name: value for name, value in one.wanted.items() if name not in _UNSHOWN | away}
    if one.target == "inventory_item":
        shown = {"quantity": one.wanted["quantity"]}
    other = [name.removesuffix("_id") for name in one.wanted.keys() & {"category_id", "supplier_id"}]
    told = [f"{name.replace('_', ' ')}: {one.before.get(name)} → {value}" for name, value in shown.items()]
    return [*told, *(f"another {name}" for name in sorted(other))]


@dataclass(frozen=True, slots=True)
class Batch:
    """A file somebody has sent: what became of it, and what can be done with it."""

    run_id: int
    kind: Kind
    what: str
    file_name: str
    rows: int
    by: str
    at_iso: str
    at_text: str
    status: str
    own: bool
    undoable: bool


@query()
def files(session: Session, *, most: int = 50) -> list[Batch]:
    """List the files of the kinds this person may import, newest first: those that came in, and their own others."""
    viewer = current_viewer(session)
    kinds = [kind for kind in KINDS if may_import(kind, viewer.permissions)]
    if not kinds:
        raise NotAllowed
    came_in = (RunStatus.APPLIED, RunStatus.UNDONE)
    statement = (
        sa.select(ImportRun)
        .where(
            col(ImportRun.kind).in_(kinds),
            sa.or_(col(ImportRun.status).in_(came_in), col(ImportRun.owner_id) == viewer.user_id),
            col(ImportRun.status) != RunStatus.CANCELLED,
        )
        .order_by(col(ImportRun.created_at).desc(), col(ImportRun.id).desc())
        .limit(min(max(most, 1), 200))
    )
    return [_file(run, viewer.user_id) for run in session.scalars(statement)]


def _file(run: ImportRun, user_id: int | None) -> Batch:
    return Batch(
        run_id=run.id or 0,
        kind=KIND_OF[run.kind],
        what=run.kind.capitalize(),
        file_name=run.file_name,
        rows=run.all_rows,
        by=run.owner_name,
        at_iso=run.created_at.isoformat(),
        at_text=clock(run.created_at),
        status=run.status,
        own=run.owner_id == user_id,
        undoable=run.status == RunStatus.APPLIED,
    )
