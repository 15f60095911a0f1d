"""Suppliers as a kind of request: what is asked, who has a part in it, and what a decision does to the supplier."""

from collections.abc import Iterable, Sequence

from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.errors import AppError
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval, Verdict
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.operations import _approval_rules as approval_rules
from inventory_app.operations import _approvals
from inventory_app.operations._approvals import Kind, Subject
from inventory_app.operations._fields import checked_reason
from inventory_app.operations._operation import acting_user_id
from inventory_app.operations._supplier_before import as_decided
from inventory_app.operations._supplier_fields import agreed, readable
from inventory_app.operations._supplier_rules import KIND, decided_already, has_ended, must_be_explained
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings


def ask(session: Session, suppliers: Iterable[Supplier], *, edited_by: Iterable[int] = ()) -> None:
    """Ask for a decision about suppliers that begin to wait, or wait with changed data: earlier ones do not count.

    `edited_by` are those who edited them before, since the last decision.

    To be called by whatever makes a supplier pending or edits one that is, with the supplier's row locked or new.
    """
    for supplier in suppliers:
        editors = dict.fromkeys([supplier.last_edited_by, *edited_by])
        parties = [(supplier.entered_by, "entered"), *((editor, "edited") for editor in editors)]
        _approvals.renew(
            session,
            kind=KIND,
            subject_id=supplier.id or 0,
            permission=Permission.SUPPLIERS_APPROVE,
            required=get_settings().supplier_approvals,
            parties=parties,
        )


def ask_about(session: Session, supplier_ids: Sequence[int], *, entered_by: int | None) -> None:
    """Ask for a decision about many new suppliers at once."""
    _approvals.request_each(
        session,
        kind=KIND,
        about=[(supplier_id, [(entered_by, "entered")]) for supplier_id in supplier_ids],
        permission=Permission.SUPPLIERS_APPROVE,
        required=get_settings().supplier_approvals,
    )


def agreement(session: Session, supplier_id: int) -> tuple[str, str]:
    """Return how many have agreed ("1 of 2") and who; empty where one is enough."""
    found = _approvals.open_about(session, KIND, supplier_id)
    if found is None or found.required == 1:
        return "", ""
    known = approval_rules.facts(session, [found])
    by = ", ".join(known.name(one.user_id) for one in known.decisions.get(found.id or 0, []))
    return f"{known.given(found)} of {found.required}", by


def to_withdraw(session: Session, supplier: Supplier, user_id: int | None) -> int:
    """Return the request about the supplier that this person may take back; 0 when there is none."""
    if user_id is None or supplier.status != SupplierStatus.PENDING:
        return 0
    found = _approvals.open_about(session, KIND, supplier.id or 0)
    if found is None or found.requested_by != user_id or not _may_be_withdrawn(session, found):
        return 0
    return found.id or 0


def _describe(session: Session, approvals: Sequence[Approval]) -> dict[int, Subject]:
    ids = [approval.subject_id for approval in approvals]
    suppliers = {row.id: row for row in session.exec(select(Supplier).where(col(Supplier.id).in_(ids)))}
    return {
        approval.id or 0: _subject(supplier)
        for approval in approvals
        if (supplier := suppliers.get(approval.subject_id)) is not None
    }


def _subject(supplier: Supplier) -> Subject:
    details = [(label, value) for label, value in [*readable(supplier), *agreed(supplier)] if value]
    href = f"/suppliers/approvals?id={supplier.id}"
    return Subject(supplier.name, href, Permission.SUPPLIERS_VIEW, details, supplier.version)


def _reason(session: Session, approval: Approval, verdict: Verdict, reason: str) -> str | None:
    """Check the reason: rejecting needs one, and so does approving in spite of a failed check."""
    if verdict == Verdict.REJECT:
        return _approvals.rejecting_needs_a_reason(session, approval, verdict, reason)
    return checked_reason(reason, missing=why_needed(session, _supplier(session, approval)))


def why_needed(session: Session, supplier: Supplier) -> str:
    """Return why approving the supplier needs a reason; empty when it needs none."""
    wrong = must_be_explained(session, supplier)
    return f"The check “{wrong}” failed. Say why you approve nevertheless." if wrong else ""


def _approved(session: Session, approval: Approval, reason: str | None) -> None:
    supplier = _supplier(session, approval)
    _decide(supplier, SupplierStatus.APPROVED, reason)
    supplier.approved_at = supplier.decided_at
    # Somebody is reminded anew; where nobody gave another end, one that is over is not the end of this approval.
    supplier.reminded_at = None
    if has_ended(supplier):
        supplier.valid_until = None


def _rejected(session: Session, approval: Approval, reason: str | None) -> None:
    _decide(_supplier(session, approval), SupplierStatus.REJECTED, reason)


def _withdrawn(session: Session, approval: Approval, reason: str | None) -> None:
    """Leave nothing that waits without being asked about: what is withdrawn counts as rejected, and says so."""
    _decide(_supplier(session, approval), SupplierStatus.REJECTED, f"Withdrawn: {reason}" if reason else "Withdrawn")


def _may_be_withdrawn(session: Session, approval: Approval) -> bool:
    """Only what somebody entered themselves and nobody has approved yet: else who edits a supplier could reject it."""
    supplier = _supplier(session, approval)
    if supplier.entered_by != approval.requested_by:
        return False
    before = as_decided(session, supplier)
    return before is None or before[0] != SupplierStatus.APPROVED


def _decide(supplier: Supplier, status: SupplierStatus, reason: str | None) -> None:
    supplier.status = status
    supplier.decided_by = acting_user_id()
    supplier.decided_at = now()
    supplier.decision_reason = reason
    supplier.version += 1


def _supplier(session: Session, approval: Approval) -> Supplier:
    return session.get_one(Supplier, approval.subject_id)


def _lock(session: Session, supplier_id: int) -> None:
    lock(session, Supplier, [supplier_id])


def _closed(session: Session, approval: Approval) -> AppError | None:
    return decided_already(session, _supplier(session, approval))


SUPPLIER = Kind(
    name=KIND,
    label="Supplier",
    permission=Permission.SUPPLIERS_APPROVE,
    describe=_describe,
    approved=_approved,
    rejected=_rejected,
    withdrawn=_withdrawn,
    may_be_withdrawn=_may_be_withdrawn,
    lock=_lock,
    reason=_reason,
    parts={
        "entered": "You entered this supplier, so somebody else must approve it.",
        "edited": "You last edited this supplier, so somebody else must approve it.",
    },
    closed=_closed,
)
