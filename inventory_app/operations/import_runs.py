"""Importing a file in steps: it is read and checked against the database, looked at, applied as a whole, taken back.

A run holds where a file stands. Its rows are staged and planned outside the trail (`_import_staging`, `_import_plan`);
applying a plan (`_import_apply`) and undoing it (`_import_undo`) are operations, each one transaction with everything
it changes. The work itself is done in the background (`importing.py`), so that a page can be left and come back to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from inventory_app.context import current_actor
from inventory_app.database.locks import IMPORTING, lock_rule
from inventory_app.errors import Conflict, Invalid, NotFound
from inventory_app.models._base import now
from inventory_app.models.imports import ImportMapping, ImportRow, ImportRun, RunStatus
from inventory_app.models.suppliers import ImportBatch
from inventory_app.operations import _import_apply, _import_guards, _import_undo
from inventory_app.operations._import_columns import looks_like, missing, signature
from inventory_app.operations._import_fields import FIELDS, KINDS, REQUIRED, Kind
from inventory_app.operations._import_files import LARGEST_FILE, Looked
from inventory_app.operations._import_runs import (
    CANCELLED,
    FOR_MANY,
    KIND_OF,
    MANY_ROWS,
    PATIENCE,
    PERMISSIONS,
    WORKING,
    AlreadyImported,
    Cancelled,
    check_may,
    hidden,
    imported_before,
    own,
    said,
)
from inventory_app.operations._import_staging import Progress, stage
from inventory_app.operations._import_summary import summary_of
from inventory_app.operations._operation import acting_user_id, current_viewer, operation, operation_id, query, require
from inventory_app.permissions import Permission

__all__ = ["FIELDS", "KINDS", "LARGEST_FILE", "PERMISSIONS", "REQUIRED", "AlreadyImported", "Cancelled", "Kind"]

#: Adding only what is new, or also changing what is there.
RULES = ("update", "add")
STOPPED = "The server stopped in the middle of it. Nothing of it was kept: start it again."
_SILENT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Done:
    """What was imported or taken back, in words."""

    run_id: int
    batch_id: int
    sentence: str


# Beginning, and choosing columns


@query()
def remembered_columns(session: Session, *, kind: Kind, header: tuple[str, ...]) -> dict[str, int]:
    """Return how the columns of such a header were matched the last time; nothing when never."""
    check_may(session, kind)
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
        other = looks_like(kind, header)
        hint = f" It looks like a file of {other}." if other else ""
        wrong.setdefault("columns", f"A file of {kind} needs a column for {labels}.{hint}")
    if wrong:
        raise Invalid(fields=wrong)
    return dict(mapping)


@query()
def may_check(session: Session, *, run_id: int) -> tuple[str, bool, frozenset[str]]:
    """Return under what one's own file is kept, whether one may change prices, and which fields one may not import."""
    run = own(session, run_id)
    check_may(session, run.kind)
    permissions = current_viewer(session).permissions
    return run.file_key, Permission.PRICES_UPDATE in permissions, frozenset(hidden(KIND_OF[run.kind], permissions))


def start_reading(session: Session, *, run_id: int, mapping: Mapping[str, int], rule: str) -> None:
    """Note how the file is to be read, and that reading begins; raises `Conflict` when it has begun."""
    run = session.scalars(sa.select(ImportRun).where(col(ImportRun.id) == run_id).with_for_update()).one()
    if run.status in (*WORKING, RunStatus.APPLIED, RunStatus.UNDONE):
        raise Conflict("This file is being worked on, or was imported. Reload the page.")
    run.mapping, run.rule = checked_mapping(KIND_OF[run.kind], run.header, mapping), rule if rule in RULES else RULES[0]
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


def read_and_check(
    session: Session, *, run_id: int, path: Path, progress: Progress, may_change_prices: bool, sees_prices: bool
) -> None:
    """Stage the rows of a file and find out what they would do; the caller commits, all of it or nothing."""
    session.connection().exec_driver_sql(PATIENCE)
    run = session.get_one(ImportRun, run_id)
    new, changed, same, faulty = stage(
        session, run, path, progress=progress, may_change_prices=may_change_prices, sees_prices=sees_prices
    )
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
        layout=run.layout | {"summary": None if faulty else summary_of(session, KIND_OF[run.kind], run_id).kept()},
    )


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
    run = own(session, run_id)
    kind = KIND_OF[run.kind]
    require(session, PERMISSIONS[kind])
    _import_guards.may(session, run)
    session.connection().exec_driver_sql(PATIENCE)
    if run.status != RunStatus.APPLYING:
        raise Conflict("This file is not ready to be imported. Reload the page and check it again.")
    if run.all_rows > MANY_ROWS:
        session.connection().exec_driver_sql(FOR_MANY)
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


@operation(log=("run_id",), reason="reason")
def undo_import(session: Session, *, run_id: int, reason: str = "") -> Done:
    """Take back everything a file did: what it added is archived or reversed, what it changed is as before."""
    run = session.scalars(sa.select(ImportRun).where(col(ImportRun.id) == run_id).with_for_update()).first()
    if run is None:
        raise NotFound
    require(session, PERMISSIONS[KIND_OF[run.kind]])
    _import_guards.may(session, run)
    session.connection().exec_driver_sql(PATIENCE)
    if run.status != RunStatus.APPLIED or run.operation_id is None or run.batch_id is None:
        raise Conflict("Only a file that came in can be taken back.")
    if not session.scalar(sa.select(sa.exists().where(col(ImportRow.run_id) == run_id))):
        raise Conflict("This file came in too long ago: what it changed is not kept any more.")
    if run.all_rows > MANY_ROWS:
        session.connection().exec_driver_sql(FOR_MANY)
    lock_rule(session, IMPORTING)
    _import_undo.undo(session, run_id, run.operation_id, reason or f"Import of {run.file_name} taken back")
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


def note_progress(session: Session, *, run_id: int, done: int) -> bool:
    """Note how far the work is; tells whether it shall go on."""
    found = session.execute(
        sa.update(ImportRun)
        .where(col(ImportRun.id) == run_id)
        .values(done_rows=done, alive_at=now())
        .returning(col(ImportRun.cancel_asked), col(ImportRun.status))
    ).first()
    return found is not None and not found[0] and found[1] in WORKING


def note_alive(session: Session, *, run_ids: list[int]) -> None:
    """Say that these are still worked on."""
    session.execute(sa.update(ImportRun).where(col(ImportRun.id).in_(run_ids)).values(alive_at=now()))


def note_end(session: Session, *, run_id: int, problem: str, cancelled: bool) -> None:
    """Note that the work ended without anything to keep."""
    session.execute(
        sa.update(ImportRun)
        .where(col(ImportRun.id) == run_id, col(ImportRun.status).in_(WORKING))
        .values(status=RunStatus.CANCELLED if cancelled else RunStatus.FAILED, problem=problem)
    )


def give_up_on_the_silent(session: Session) -> None:
    """Say of runs whose process is gone that nothing came of them: their transactions ended with it."""
    session.execute(
        sa.update(ImportRun)
        .where(
            col(ImportRun.status).in_(WORKING),
            col(ImportRun.alive_at) < sa.func.now() - sa.text(f"interval '{_SILENT_SECONDS} seconds'"),
        )
        .values(status=RunStatus.FAILED, problem=STOPPED)
    )


def ask_to_cancel(session: Session, *, run_id: int) -> None:
    """Ask whoever works on it to stop; a file that waits is put aside at once."""
    waiting = (RunStatus.MAPPING, RunStatus.CHECKED, RunStatus.FAILED)
    session.execute(
        sa.update(ImportRun)
        .where(col(ImportRun.id) == run_id, col(ImportRun.status).in_((*WORKING, *waiting)))
        .values(
            cancel_asked=True,
            status=sa.case(
                (col(ImportRun.status).in_(waiting), RunStatus.CANCELLED.value), else_=col(ImportRun.status)
            ),
            problem=sa.case((col(ImportRun.status).in_(waiting), CANCELLED), else_=col(ImportRun.problem)),
        )
    )
