"""Deciding about many suppliers together: for all of them or for none, with a reason for each that is in the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.errors import AppError, Conflict, Invalid, InvalidRows
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval, ApprovalStatus, Verdict
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.operations import _approval_rules as rules
from inventory_app.operations import _approvals
from inventory_app.operations._fields import checked_reason
from inventory_app.operations._operation import acting_user_id, current_viewer, operation, query
from inventory_app.operations._supplier_approvals import why_needed
from inventory_app.operations._supplier_rules import KIND, decided_already
from inventory_app.permissions import Permission

#: More at once would be read by nobody.
MOST = 100
#: Suppliers, and the version of each that was read.
Chosen = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A supplier that was chosen: `fault` says why it cannot be decided about, `needs` why there must be a reason."""

    id: int
    name: str
    fault: str
    needs: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What deciding about those that were chosen would come to."""

    rows: list[PreviewRow]
    faults: int
    needs_reason: bool


@dataclass(frozen=True, slots=True)
class DecidedTogether:
    """How many suppliers were decided about, and how many of them wait for somebody else too."""

    count: int
    waiting: int


@query(Permission.SUPPLIERS_APPROVE)
def preview_decisions(session: Session, *, chosen: Chosen, approving: bool) -> Preview:
    """Say what would be in the way of approving, or else rejecting, each of these suppliers now."""
    found = _found(session, chosen)
    approvals = _open(session, found)
    faults = _faults(session, chosen, found, approvals, current_viewer(session).user_id)
    rows = [
        PreviewRow(
            id=id_,
            name=found[id_].name if id_ in found else _GONE,
            fault=faults.get(id_, ""),
            needs=why_needed(session, found[id_]) if approving and id_ not in faults else "",
        )
        for id_, _ in chosen
    ]
    return Preview(rows, len(faults), not approving or any(row.needs for row in rows))


@operation(Permission.SUPPLIERS_APPROVE, log=("approving",), reason="reason")
def decide_suppliers(
    session: Session, *, chosen: Chosen, approving: bool, reason: str = "", valid_until: date | None = None
) -> DecidedTogether:
    """Approve or reject all these suppliers as they were read, or none; `InvalidRows` says what is in the way."""
    if not chosen or len(chosen) > MOST:
        message = f"Choose 1 to {MOST} suppliers."
        raise Invalid(message)
    missing = "" if approving else "Say why they are rejected: the reason is kept with each decision."
    kept = checked_reason(reason, missing=missing)
    if valid_until is not None and valid_until <= now().date():
        raise Invalid(fields={"valid_until": "Choose a day that is still to come, or none."})
    # Every supplier before any request, each in the order of their ids, as everybody takes them.
    found = lock(session, Supplier, [id_ for id_, _ in chosen])
    approvals = _open(session, found)
    lock(session, Approval, [approval.id or 0 for approval in approvals.values()])
    faults = _faults(session, chosen, found, approvals, acting_user_id())
    if approving and kept is None:
        unexplained = {id_: why_needed(session, found[id_]) for id_, _ in chosen if id_ not in faults}
        faults |= {id_: needed for id_, needed in unexplained.items() if needed}
    if faults:
        rows = [
            (number, found[id_].name if id_ in found else _GONE, faults[id_])
            for number, (id_, _) in enumerate(chosen, start=1)
            if id_ in faults
        ]
        message = f"Nothing was decided: {len(rows)} of {len(chosen)} cannot be. Take them out, or say why."
        raise InvalidRows(message, rows)
    verdict = Verdict.APPROVE if approving else Verdict.REJECT
    waiting = 0
    for id_ in sorted(found):
        if approving:
            found[id_].valid_until = valid_until
        done = _approvals.decide(session, approvals[id_], verdict, reason)
        waiting += done.status == ApprovalStatus.OPEN
    return DecidedTogether(len(found), waiting)


_GONE = "A supplier that is no longer there"


def _found(session: Session, chosen: Chosen) -> dict[int, Supplier]:
    rows = session.exec(select(Supplier).where(col(Supplier.id).in_([id_ for id_, _ in chosen])))
    return {row.id or 0: row for row in rows}


def _open(session: Session, found: dict[int, Supplier]) -> dict[int, Approval]:
    """Return the open request about each supplier."""
    rows = session.exec(
        select(Approval).where(
            Approval.kind == KIND, col(Approval.subject_id).in_(list(found)), Approval.status == ApprovalStatus.OPEN
        )
    )
    return {row.subject_id: row for row in rows}


def _faults(
    session: Session, chosen: Chosen, found: dict[int, Supplier], approvals: dict[int, Approval], user_id: int | None
) -> dict[int, str]:
    """Return why the person cannot decide about each of them as it was read; one statement for each rule."""
    who = rules.standing(session, user_id)
    named = who.named_in_refusals(Permission.SUPPLIERS_APPROVE) if who else frozenset[int]()
    known = rules.facts(session, list(approvals.values()), named)
    faults: dict[int, str] = {}
    for id_, version in chosen:
        answer = _fault(session, found.get(id_), version, approvals.get(id_), known, who)
        if answer is not None:
            faults[id_] = str(answer)
    return faults


def _fault(  # as many as the rules read
    session: Session,
    supplier: Supplier | None,
    version: int,
    approval: Approval | None,
    known: rules.Facts,
    who: rules.Standing | None,
) -> AppError | None:
    if supplier is None:
        return Conflict(f"{_GONE}.")
    if supplier.status != SupplierStatus.PENDING:
        return decided_already(session, supplier)
    if approval is None:
        return Conflict("Nobody has asked for a decision about it. Save it again, so that it is asked for.")
    if supplier.version != version:
        return Conflict("It was changed after you opened the page. Read it again.")
    answer = rules.judge(session, approval, known, who)
    return answer if isinstance(answer, AppError) else None
