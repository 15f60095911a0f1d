"""Importing a file in steps: it is read and checked against the database, looked at, applied as a whole, taken back.

A run holds where a file stands. Its rows are staged and planned outside the trail (`_import_plan`); applying a plan
and undoing it are operations, each one transaction with everything it changes. The work itself is done in the
background (`importing.py`), so that a page can be left and come back to.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from inventory_app.context import current_actor
from inventory_app.database.locks import IMPORTING, lock_rule
from inventory_app.errors import Conflict, Invalid, NotAllowed, NotFound
from inventory_app.models._base import now
from inventory_app.models.imports import ImportChange, ImportFault, ImportMapping, ImportRow, ImportRun, RunStatus
from inventory_app.models.suppliers import ImportBatch
from inventory_app.operations import _import_apply, _import_files, _import_guards, _import_plan
from inventory_app.operations._import_apply import Progress
from inventory_app.operations._import_fields import (
    FIELDS,
    KINDS,
    REQUIRED,
    Kind,
    known_names,
    missing,
    reader,
    signature,
)
from inventory_app.operations._import_files import LARGEST_FILE, Layout, Looked
from inventory_app.operations._numbers import style_of
from inventory_app.operations._operation import (
    acting_user_id,
    current_viewer,
    operation,
    operation_id,
    query,
    require,
)
from inventory_app.operations.catalog import DEFAULT_LOCATION
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

__all__ = ["FIELDS", "KINDS", "LARGEST_FILE", "REQUIRED", "Kind"]

#: What importing each kind needs.
PERMISSIONS: dict[Kind, Permission] = {
    "suppliers": Permission.SUPPLIERS_CREATE,
    "categories": Permission.INVENTORY_IMPORT,
    "locations": Permission.INVENTORY_IMPORT,
    "products": Permission.INVENTORY_IMPORT,
    "stock": Permission.INVENTORY_IMPORT,
}
#: Adding only what is new, or also changing what is there.
RULES = ("update", "add")
STOPPED = "The server stopped in the middle of it. Nothing of it was kept: start it again."
CANCELLED = "It was cancelled. Nothing of it was kept."
_SILENT_SECONDS = 30
#: For how long a file can be taken back.
_KEPT_DAYS = 30
_PAGE = 50
_KINDS: dict[str, Kind] = {kind: kind for kind in KINDS}
_WORKING = (RunStatus.READING, RunStatus.APPLYING)
_PATIENCE = "SET LOCAL statement_timeout = '10min'; SET LOCAL lock_timeout = '30s'"
# The application may not gather statistics, so the planner takes a staged file for a handful of rows: right for a small
# one, which finds its records by their indexes, and hours for a large one.
_MANY = "SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '64MB'"
_MANY_ROWS = 2_000
_ESCAPED = str.maketrans({"\\": "\\\\"})
_COPY_PIECE = 2_000


class Cancelled(Conflict):
    """Somebody has asked to stop."""

    sentence = CANCELLED


class AlreadyImported(Conflict):
    """The same file was imported before."""


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


@dataclass(frozen=True, slots=True)
class Done:
    """What was imported or taken back, in words."""

    run_id: int
    batch_id: int
    sentence: str


def may_import(kind: str, permissions: frozenset[str]) -> bool:
    """Tell whether somebody who holds these may import a kind."""
    return kind in _KINDS and PERMISSIONS[_KINDS[kind]] in permissions


def hidden(kind: Kind, permissions: frozenset[str]) -> set[str]:
    """Return the fields that somebody may not import: a check would tell what is there."""
    return {
        name
        for name, about in FIELDS[kind].items()
        if about.permission is not None and about.permission not in permissions
    }


# Beginning, and choosing columns


@query()
def remembered_columns(session: Session, *, kind: Kind, header: tuple[str, ...]) -> dict[str, int]:
    """Return how the columns of such a header were matched the last time; nothing when never."""
    _may(session, kind)
    found = session.scalars(
        sa.select(ImportMapping).where(
            col(ImportMapping.kind) == kind, col(ImportMapping.signature) == signature(header)
        )
    ).first()
    return dict(found.mapping) if found else {}


def begin(  # as many as a run begins with
    session: Session, *, kind: Kind, name: str, sha256: str, file_key: str, looked: Looked, mapping: Mapping[str, int]
) -> ImportRun:
    """Put a file that was looked at on the list; the caller has checked who sends it."""
    run = ImportRun(
        kind=kind,
        file_name=name,
        file_hash=sha256,
        file_key=file_key,
        owner_id=acting_user_id(),
        owner_name=current_actor().name,
        header=list(looked.header),
        layout=looked.layout.kept() | {"first": [list(row) for row in looked.first]},
        mapping=dict(mapping),
        notices=list(looked.notices),
    )
    session.add(run)
    session.flush()
    return run


def checked_mapping(kind: Kind, header: list[str], mapping: Mapping[str, int]) -> dict[str, int]:
    """Return the choice of columns as it can be used; raises `Invalid` with a sentence per field."""
    taken: dict[int, str] = {}
    wrong: dict[str, str] = {}
    for name, position in mapping.items():
        if name not in FIELDS[kind] or not 0 <= position < len(header):
            raise Invalid("Choose the columns again: the file has others.")
        if position in taken:
            other = FIELDS[kind][taken[position]].label
            wrong[name] = f"{header[position]} is read as {other} already."
        taken[position] = name
    for labels in missing(kind, mapping):
        wrong.setdefault("columns", f"A file of {kind} needs a column for {labels}.")
    if wrong:
        raise Invalid(fields=wrong)
    return dict(mapping)


@query()
def may_check(session: Session, *, run_id: int) -> tuple[str, bool, frozenset[str]]:
    """Return under what one's own file is kept, whether one may change prices, and which fields one may not import."""
    run = _own(session, run_id)
    _may(session, run.kind)
    permissions = current_viewer(session).permissions
    return run.file_key, Permission.PRICES_UPDATE in permissions, frozenset(hidden(_KINDS[run.kind], permissions))


def start_reading(session: Session, *, run_id: int, mapping: Mapping[str, int], rule: str) -> None:
    """Note how the file is to be read, and that reading begins; raises `Conflict` when it has begun."""
    run = session.scalars(sa.select(ImportRun).where(col(ImportRun.id) == run_id).with_for_update()).one()
    if run.status in (*_WORKING, RunStatus.APPLIED, RunStatus.UNDONE):
        raise Conflict("This file is being worked on, or was imported. Reload the page.")
    run.mapping, run.rule = checked_mapping(_KINDS[run.kind], run.header, mapping), rule if rule in RULES else RULES[0]
    run.status, run.problem, run.cancel_asked, run.alive_at = RunStatus.READING, "", False, now()
    run.done_rows = run.all_rows = run.new_rows = run.changed_rows = run.same_rows = run.faulty_rows = 0
    session.add(run)
    values = {"kind": run.kind, "signature": signature(run.header), "mapping": run.mapping, "used_at": now()}
    statement = insert(ImportMapping).values(values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "signature"], set_={"mapping": statement.excluded.mapping, "used_at": now()}
        )
    )


def forget_rows(session: Session, run_id: int) -> None:
    """Drop what is staged of a run."""
    for model in (ImportFault, ImportChange, ImportRow):
        session.execute(sa.delete(model).where(col(model.run_id) == run_id))


def forget_old(session: Session) -> None:
    """Drop what is staged of runs that are too old to be taken back, or of which nothing came."""
    old = sa.select(col(ImportRun.id)).where(
        sa.or_(
            col(ImportRun.created_at) < sa.func.now() - sa.text(f"interval '{_KEPT_DAYS} days'"),
            sa.and_(
                col(ImportRun.status).in_((RunStatus.CANCELLED, RunStatus.FAILED, RunStatus.CHECKED)),
                col(ImportRun.alive_at) < sa.func.now() - sa.text("interval '1 day'"),
            ),
        )
    )
    for model in (ImportFault, ImportChange, ImportRow):
        session.execute(sa.delete(model).where(col(model.run_id).in_(old)))


def read_and_check(
    session: Session, *, run_id: int, path: Path, progress: Progress, may_change_prices: bool, sees_prices: bool
) -> None:
    """Stage the rows of a file and find out what they would do; the caller commits, all of it or nothing."""
    session.connection().exec_driver_sql(_PATIENCE)
    forget_rows(session, run_id)
    run = session.get_one(ImportRun, run_id)
    kind, layout = _KINDS[run.kind], Layout(run.layout["encoding"], run.layout["delimiter"])
    style = style_of(_numbers(path, layout, run, kind))
    rows = _copy(session, run, path, reader(kind, run.mapping, style), progress)
    parameters = {
        "run": run_id,
        "currency": get_settings().currency,
        "update": run.rule == "update",
        "prices": may_change_prices,
        "sees": sees_prices,
        "limit": get_settings().price_approval_percent,
        "main": DEFAULT_LOCATION[0],
        "main_name": DEFAULT_LOCATION[1],
        "user": run.owner_id,
        "names": json.dumps({name: run.header[position] for name, position in run.mapping.items()}),
    }
    if rows > _MANY_ROWS:
        session.connection().exec_driver_sql(_MANY)
    new, changed, same, faulty = _import_plan.work_out(session, kind, parameters)
    _settle(
        session,
        run_id,
        RunStatus.READING,
        status=RunStatus.CHECKED,
        all_rows=new + changed + same + faulty,
        done_rows=new + changed + same + faulty,
        new_rows=new,
        changed_rows=changed,
        same_rows=same,
        faulty_rows=faulty,
    )


def _numbers(path: Path, layout: Layout, run: ImportRun, kind: Kind) -> Any:
    positions = [position for name, position in run.mapping.items() if FIELDS[kind][name].numeric]
    for row in _import_files.rows(path, layout, run.header):
        if not row.fault:
            for position in positions:
                text = row.values[position]
                if "," in text:
                    yield text


def _copy(session: Session, run: ImportRun, path: Path, read: Any, progress: Progress) -> int:
    """Stream the rows into the staging table, what is wrong with one beside it; returns how many there are."""
    layout, names = Layout(run.layout["encoding"], run.layout["delimiter"]), run.header
    faults: list[dict[str, Any]] = []
    piece: list[str] = []
    column_of = {name: names[position] for name, position in run.mapping.items()}
    driver: Any = session.connection().connection.driver_connection
    count = 0
    dumps = json.dumps
    with driver.cursor() as cursor, cursor.copy("COPY import_row (run_id, row, data, state) FROM STDIN") as copy:
        for row in _import_files.rows(path, layout, names):
            wrong: dict[str, str] = {}
            data: dict[str, object] = {}
            if row.fault:
                faults.append({"run_id": run.id, "row": row.number, "field": row.fault[0], "sentence": row.fault[1]})
            else:
                data = read(row.values, wrong)
                for name, sentence in wrong.items():
                    faults.append({"run_id": run.id, "row": row.number, "field": column_of[name], "sentence": sentence})
            piece.append(f"{run.id}\t{row.number}\t{dumps(data).translate(_ESCAPED)}\t\n")
            count += 1
            if len(piece) == _COPY_PIECE:
                copy.write("".join(piece))
                piece.clear()
                progress(count)
        copy.write("".join(piece))
    for start in range(0, len(faults), _COPY_PIECE):
        session.execute(sa.insert(ImportFault), faults[start : start + _COPY_PIECE])
    if not count:
        raise Invalid("The file has a header and no rows.")
    return count


# Doing it, and taking it back


def start_applying(session: Session, *, run_id: int) -> None:
    """Note that applying begins; raises `Conflict` unless the file was checked and nothing is wrong with it."""
    done = session.execute(
        sa.update(ImportRun)
        .where(col(ImportRun.id) == run_id, col(ImportRun.status) == RunStatus.CHECKED, col(ImportRun.faulty_rows) == 0)
        .values(status=RunStatus.APPLYING, done_rows=0, alive_at=now(), problem="", cancel_asked=False)
        .returning(col(ImportRun.id))
    )
    if done.first() is None:
        raise Conflict("This file cannot be imported as it stands. Reload the page and check it again.")


@operation(log=("run_id",))
def apply_import(session: Session, *, run_id: int, progress: Progress = lambda _: None) -> Done:
    """Do what the checked file says: all of it or nothing."""
    run = _own(session, run_id)
    kind = _KINDS[run.kind]
    require(session, PERMISSIONS[kind])
    _import_guards.may(session, run)
    session.connection().exec_driver_sql(_PATIENCE)
    if run.status != RunStatus.APPLYING:
        raise Conflict("This file is not ready to be imported. Reload the page and check it again.")
    if run.all_rows > _MANY_ROWS:
        session.connection().exec_driver_sql(_MANY)
    # One import at a time: numbers of suppliers are unique by no constraint.
    lock_rule(session, IMPORTING)
    batch_id = _batch(session, run)
    _import_apply.apply(session, run_id, progress, f"Import of {run.file_name}"[:200])
    _settle(
        session,
        run_id,
        RunStatus.APPLYING,
        status=RunStatus.APPLIED,
        done_rows=run.all_rows,
        operation_id=operation_id(session),
        batch_id=batch_id,
    )
    return Done(run_id, batch_id, said(run))


def said(run: ImportRun) -> str:
    """Say what came of a file."""
    parts = [
        f"{number:,} {word}"
        for number, word in ((run.new_rows, "new"), (run.changed_rows, "changed"), (run.same_rows, "as before"))
        if number
    ]
    return f"Imported {run.all_rows:,} {'row' if run.all_rows == 1 else 'rows'} of {run.kind}: {', '.join(parts)}."


@operation(log=("run_id",), reason="reason")
def undo_import(session: Session, *, run_id: int, reason: str = "") -> Done:
    """Take back everything a file did: what it added is archived or reversed, what it changed is as before."""
    run = session.scalars(sa.select(ImportRun).where(col(ImportRun.id) == run_id).with_for_update()).first()
    if run is None:
        raise NotFound
    require(session, PERMISSIONS[_KINDS[run.kind]])
    _import_guards.may(session, run)
    session.connection().exec_driver_sql(_PATIENCE)
    if run.status != RunStatus.APPLIED or run.operation_id is None or run.batch_id is None:
        raise Conflict("Only a file that came in can be taken back.")
    if not session.scalar(sa.select(sa.exists().where(col(ImportRow.run_id) == run_id))):
        raise Conflict("This file came in too long ago: what it changed is not kept any more.")
    if run.all_rows > _MANY_ROWS:
        session.connection().exec_driver_sql(_MANY)
    lock_rule(session, IMPORTING)
    _import_apply.undo(session, run_id, run.operation_id, reason or f"Import of {run.file_name} taken back")
    batch = session.get_one(ImportBatch, run.batch_id)
    batch.undone_at, batch.undone_by = now(), current_actor().name
    run.status = RunStatus.UNDONE
    return Done(run_id, run.batch_id, f"Took back {run.file_name}: everything it changed is as it was before.")


def _batch(session: Session, run: ImportRun) -> int:
    """Put the file on record; of two people with the same one, the second is told."""
    values = {
        "kind": run.kind,
        "file_name": run.file_name,
        "file_hash": run.file_hash,
        "row_count": run.all_rows,
        "imported_by": current_actor().name,
    }
    statement = (
        insert(ImportBatch)
        .values(values)
        .on_conflict_do_nothing(index_elements=["kind", "file_hash"], index_where=sa.text("undone_at IS NULL"))
        .returning(col(ImportBatch.id))
    )
    batch_id = session.scalar(statement)
    if batch_id is None:
        raise AlreadyImported(imported_before(session, run.kind, run.file_hash))
    return batch_id


def imported_before(session: Session, kind: str, file_hash: str) -> str:
    """Say when and by whom the file was imported; empty when it was not, or was taken back."""
    found = session.scalars(
        sa.select(ImportBatch).where(
            col(ImportBatch.kind) == kind, col(ImportBatch.file_hash) == file_hash, col(ImportBatch.undone_at).is_(None)
        )
    ).first()
    return f"This file was imported on {clock(found.imported_at)} by {found.imported_by}." if found else ""


def clock(at: datetime) -> str:
    """Write a moment."""
    return f"{at:%-d %b %Y, %H:%M} UTC"


def _settle(session: Session, run_id: int, expected: RunStatus, **values: Any) -> None:
    """Bring a run to its end; raises `Cancelled` when somebody has stopped it meanwhile."""
    done = session.execute(
        sa.update(ImportRun)
        .where(col(ImportRun.id) == run_id, col(ImportRun.status) == expected, sa.not_(col(ImportRun.cancel_asked)))
        .values(alive_at=now(), **values)
        .returning(col(ImportRun.id))
    )
    if done.first() is None:
        raise Cancelled


# While it is worked on


def note_progress(session: Session, *, run_id: int, done: int, all_rows: int | None = None) -> bool:
    """Note how far the work is; tells whether it shall go on."""
    values: dict[str, Any] = {"done_rows": done, "alive_at": now()}
    if all_rows is not None:
        values["all_rows"] = all_rows
    found = session.execute(
        sa.update(ImportRun)
        .where(col(ImportRun.id) == run_id)
        .values(values)
        .returning(col(ImportRun.cancel_asked), col(ImportRun.status))
    ).first()
    return found is not None and not found[0] and found[1] in _WORKING


def note_alive(session: Session, *, run_ids: list[int]) -> None:
    """Say that these are still worked on."""
    session.execute(sa.update(ImportRun).where(col(ImportRun.id).in_(run_ids)).values(alive_at=now()))


def note_end(session: Session, *, run_id: int, problem: str, cancelled: bool) -> None:
    """Note that the work ended without anything to keep."""
    session.execute(
        sa.update(ImportRun)
        .where(col(ImportRun.id) == run_id, col(ImportRun.status).in_(_WORKING))
        .values(status=RunStatus.CANCELLED if cancelled else RunStatus.FAILED, problem=problem)
    )


def give_up_on_the_silent(session: Session) -> None:
    """Say of runs whose process is gone that nothing came of them: their transactions ended with it."""
    session.execute(
        sa.update(ImportRun)
        .where(
            col(ImportRun.status).in_(_WORKING),
            col(ImportRun.alive_at) < sa.func.now() - sa.text(f"interval '{_SILENT_SECONDS} seconds'"),
        )
        .values(status=RunStatus.FAILED, problem=STOPPED)
    )


def ask_to_cancel(session: Session, *, run_id: int) -> None:
    """Ask whoever works on it to stop; a file that waits is put aside at once."""
    waiting = (RunStatus.MAPPING, RunStatus.CHECKED, RunStatus.FAILED)
    session.execute(
        sa.update(ImportRun)
        .where(col(ImportRun.id) == run_id, col(ImportRun.status).in_((*_WORKING, *waiting)))
        .values(
            cancel_asked=True,
            status=sa.case(
                (col(ImportRun.status).in_(waiting), RunStatus.CANCELLED.value), else_=col(ImportRun.status)
            ),
            problem=sa.case((col(ImportRun.status).in_(waiting), CANCELLED), else_=col(ImportRun.problem)),
        )
    )


# Looking


def _may(session: Session, kind: str) -> None:
    if not may_import(kind, current_viewer(session).permissions):
        raise NotAllowed


def _own(session: Session, run_id: int) -> ImportRun:
    """Return a run of the acting person's; another's is none of theirs."""
    run = session.get(ImportRun, run_id, populate_existing=True)
    if run is None or run.owner_id != acting_user_id_of(session):
        raise NotFound
    return run


def acting_user_id_of(session: Session) -> int | None:
    """Return who acts, as the database knows them."""
    viewer = session.info.get("viewer")
    return viewer.user_id if viewer is not None else acting_user_id()


@query()
def run_of(session: Session, *, run_id: int) -> Run:
    """Return where one of the viewer's own files stands."""
    run = _own(session, run_id)
    _may(session, run.kind)
    kind = _KINDS[run.kind]
    away = hidden(kind, current_viewer(session).permissions)
    needed = {name for group in REQUIRED[kind] if len(group) == 1 for name in group}
    faults = session.scalar(sa.select(sa.func.count()).where(col(ImportFault.run_id) == run_id))
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
        notices=[*run.notices, *_left_out(run)],
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
    )


def _in_the_way(session: Session, run: ImportRun) -> str:
    return imported_before(session, run.kind, run.file_hash) if run.status == RunStatus.CHECKED else ""


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
    run = _own(session, run_id)
    _may(session, run.kind)
    statement = (
        sa.select(ImportFault)
        .where(col(ImportFault.run_id) == run_id)
        .order_by(col(ImportFault.row), col(ImportFault.id))
        .offset(max(after, 0))
        .limit(min(max(most, 1), 10_000))
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
    run = _own(session, run_id)
    _may(session, run.kind)
    kind = _KINDS[run.kind]
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
        kind=_KINDS[run.kind],
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


def known_columns(kind: Kind) -> set[str]:
    """Return every name a column of this kind may have, to tell the delimiter by."""
    return known_names(kind)
