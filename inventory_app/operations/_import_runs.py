"""What everything about imported files shares: who may, whose a file is, when it was imported before."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.errors import Conflict, NotAllowed, NotFound
from inventory_app.models.imports import ImportRun, RunStatus
from inventory_app.models.suppliers import ImportBatch
from inventory_app.operations._import_fields import FIELDS, KINDS, Kind
from inventory_app.operations._operation import acting_user_id, current_viewer
from inventory_app.permissions import Permission

#: What importing each kind needs.
PERMISSIONS: dict[Kind, Permission] = {
    "suppliers": Permission.SUPPLIERS_CREATE,
    "categories": Permission.INVENTORY_IMPORT,
    "locations": Permission.INVENTORY_IMPORT,
    "products": Permission.INVENTORY_IMPORT,
    "stock": Permission.INVENTORY_IMPORT,
}
CANCELLED = "It was cancelled. Nothing of it was kept."
KIND_OF: dict[str, Kind] = {kind: kind for kind in KINDS}
WORKING = (RunStatus.READING, RunStatus.APPLYING)
PATIENCE = "SET LOCAL statement_timeout = '10min'; SET LOCAL lock_timeout = '30s'"
# The application may not gather statistics, so the planner takes a staged file for a handful of rows: right for a small
# one, which finds its records by their indexes, and hours for a large one.
FOR_MANY = "SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '64MB'"
MANY_ROWS = 2_000


class Cancelled(Conflict):
    """Somebody has asked to stop."""

    sentence = CANCELLED


class AlreadyImported(Conflict):
    """The same file was imported before."""


def may_import(kind: str, permissions: frozenset[str]) -> bool:
    """Tell whether somebody who holds these may import a kind."""
    return kind in KIND_OF and PERMISSIONS[KIND_OF[kind]] in permissions


def hidden(kind: Kind, permissions: frozenset[str]) -> set[str]:
    """Return the fields that somebody may not import: a check would tell what is there."""
    return {
        name
        for name, about in FIELDS[kind].items()
        if about.permission is not None and about.permission not in permissions
    }


def check_may(session: Session, kind: str) -> None:
    """Refuse who may not import a kind."""
    if not may_import(kind, current_viewer(session).permissions):
        raise NotAllowed


def own(session: Session, run_id: int) -> ImportRun:
    """Return a run of the acting person's; another's is none of theirs."""
    run = session.get(ImportRun, run_id, populate_existing=True)
    if run is None or run.owner_id != _viewer_id(session):
        raise NotFound
    return run


def _viewer_id(session: Session) -> int | None:
    """Return who acts, as the database knows them."""
    viewer = session.info.get("viewer")
    return viewer.user_id if viewer is not None else acting_user_id()


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


def said(run: ImportRun) -> str:
    """Say what came of a file."""
    parts = [
        f"{number:,} {word}"
        for number, word in ((run.new_rows, "new"), (run.changed_rows, "changed"), (run.same_rows, "as before"))
        if number
    ]
    return f"Imported {run.all_rows:,} {'row' if run.all_rows == 1 else 'rows'} of {run.kind}: {', '.join(parts)}."
