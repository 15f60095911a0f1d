"""Large changes of prices as a kind of request: agreeing applies the set of changes, rejecting discards it."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.models.approvals import Approval
from inventory_app.models.lists import ChangeSet, ChangeSetStatus
from inventory_app.operations import _change_sets, _prices
from inventory_app.operations._approvals import Kind, Subject
from inventory_app.operations._change_fields import ROW
from inventory_app.permissions import Permission


def _describe(session: Session, approvals: Sequence[Approval]) -> dict[int, Subject]:
    ids = [approval.subject_id for approval in approvals]
    sets = {row.id: row for row in session.exec(select(ChangeSet).where(col(ChangeSet.id).in_(ids)))}
    found: dict[int, Subject] = {}
    for approval in approvals:
        one = sets[approval.subject_id]
        large = session.scalar(sa.select(sa.func.count()).select_from(ROW).where(_change_sets.large_rows(one.id or 0)))
        day = f"{one.effective_on:%-d %b %Y}" if one.effective_on else "As soon as it is approved"
        details = [("Prices", f"{one.row_count:,}"), ("Change a lot", f"{large or 0:,}"), ("Count from", day)]
        if one.reason:
            details.append(("Why", one.reason))
        href = f"/changes/{one.id}"
        found[approval.id or 0] = Subject(one.title, href, Permission.PRICES_VIEW, details, one.version)
    return found


def _approved(session: Session, approval: Approval, reason: str | None) -> None:
    del reason
    _change_sets.apply(session, _change_sets.locked(session, approval.subject_id))


def _rejected(session: Session, approval: Approval, reason: str | None) -> None:
    del reason
    found = _change_sets.locked(session, approval.subject_id)
    _change_sets.must_be(found, ChangeSetStatus.DRAFT)
    _change_sets.close(session, found)


def _lock(session: Session, change_set_id: int) -> None:
    """Take every lock that applying it takes: the set, then its products."""
    _change_sets.locked(session, change_set_id)
    ids = session.scalars(sa.select(ROW.c.subject_id).where(ROW.c.change_set_id == change_set_id))
    _prices.lock_products(session, _prices.any_of(ids))


PRICE_CHANGE = Kind(
    name=_change_sets.APPROVAL,
    label="Price",
    permission=Permission.PRICES_UPDATE,
    describe=_describe,
    approved=_approved,
    rejected=_rejected,
    lock=_lock,
    parts={
        "entered": "You proposed these prices, so somebody else must agree.",
        "requested": "You asked for these prices, so somebody else must agree.",
    },
)
