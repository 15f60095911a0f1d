"""Staging the rows of a file: read once, what is wrong kept beside them, and checked against the database at once.

Nothing here is in the trail: staged rows are no record (`_import_plan` says what they would do).
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models.imports import ImportChange, ImportFault, ImportRow, ImportRun, RunStatus
from inventory_app.operations import _import_files, _import_plan
from inventory_app.operations._import_columns import reader
from inventory_app.operations._import_fields import FIELDS, Kind
from inventory_app.operations._import_files import Layout
from inventory_app.operations._import_runs import FOR_MANY, KIND_OF, MANY_ROWS
from inventory_app.operations._numbers import style_of
from inventory_app.operations.catalog import DEFAULT_LOCATION
from inventory_app.settings import get_settings

#: For how long a file can be taken back.
_KEPT_DAYS = 30
_COPY_PIECE = 2_000
_DUMP = json.JSONEncoder(ensure_ascii=True, check_circular=False).encode
#: Faults that are kept in words; the rows are counted, however many have one.
MOST_FAULTS = 10_000

#: Tells how many rows are done, and raises when somebody has asked to stop.
Progress = Callable[[int], None]


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


def stage(
    session: Session, run: ImportRun, path: Path, *, progress: Progress, may_change_prices: bool, sees_prices: bool
) -> tuple[int, int, int, int]:
    """Stage the rows of a file and find out what they would do: how many are new, changed, the same and faulty."""
    run_id, kind = run.id or 0, KIND_OF[run.kind]
    forget_rows(session, run_id)
    layout = Layout(run.layout["encoding"], run.layout["delimiter"])
    style = style_of(_with_commas(path, layout, run, kind))
    rows = _copy(session, run, path, reader(kind, run.mapping, style), progress)
    settings = get_settings()
    parameters = {
        "run": run_id,
        "currency": settings.currency,
        "update": run.rule == "update",
        "prices": may_change_prices,
        "sees": sees_prices,
        "limit": settings.price_approval_percent,
        "main": DEFAULT_LOCATION[0],
        "main_name": DEFAULT_LOCATION[1],
        "user": run.owner_id,
        "names": json.dumps({name: run.header[position] for name, position in run.mapping.items()}),
    }
    if rows > MANY_ROWS:
        session.connection().exec_driver_sql(FOR_MANY)
    return _import_plan.work_out(session, kind, parameters)


def _with_commas(path: Path, layout: Layout, run: ImportRun, kind: Kind) -> Iterator[str]:
    """Yield the numbers that are written with a comma."""
    positions = [position for name, position in run.mapping.items() if FIELDS[kind][name].numeric]
    # Between commas, a value that has one stands in quotation marks.
    if not positions or (layout.delimiter == "," and not _import_files.has_quotes(path)):
        return
    for row in _import_files.rows(path, layout, run.header):
        if not row.fault:
            yield from (text for position in positions if "," in (text := row.values[position]))


def _copy(
    session: Session,
    run: ImportRun,
    path: Path,
    read: Callable[[Sequence[str], dict[str, str]], Mapping[str, object]],
    progress: Progress,
) -> int:
    """Stream the rows into the staging table, what is wrong with one beside it; returns how many there are."""
    layout, names = Layout(run.layout["encoding"], run.layout["delimiter"]), run.header
    faults: list[dict[str, Any]] = []
    piece: list[str] = []
    column_of = {name: names[position] for name, position in run.mapping.items()}
    driver: Any = session.connection().connection.driver_connection
    count = 0
    with driver.cursor() as cursor, cursor.copy("COPY import_row (run_id, row, data, state) FROM STDIN") as copy:
        for row in _import_files.rows(path, layout, names):
            wrong: dict[str, str] = {}
            data: Mapping[str, object] = {}
            if row.fault:
                wrong = dict([row.fault])
            else:
                data = read(row.values, wrong)
                if wrong:
                    wrong = {column_of[name]: sentence for name, sentence in wrong.items()}
            if wrong and len(faults) < MOST_FAULTS:
                faults += [
                    {"run_id": run.id, "row": row.number, "field": name, "sentence": sentence}
                    for name, sentence in wrong.items()
                ]
            # What turns out to be known here already is marked when that is found out.
            state = "faulty" if wrong else "new"
            read_as = _DUMP(data).replace("\\", "\\\\")
            piece.append(f"{run.id}\t{row.number}\t{read_as}\t{state}\n")
            count += 1
            if len(piece) == _COPY_PIECE:
                copy.write("".join(piece))
                piece.clear()
                progress(count)
        copy.write("".join(piece))
    for start in range(0, len(faults), _COPY_PIECE):
        session.execute(sa.insert(ImportFault), faults[start : start + _COPY_PIECE])
    return count
