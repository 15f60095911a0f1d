"""Payments and batches of them as kinds of request: agreeing lets them count, rejecting lets them come to nothing."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval, Verdict
from inventory_app.models.payments import Payment, PaymentBatch, PaymentStatus
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import _chain
from inventory_app.operations import _payment_holds as holds
from inventory_app.operations import _payment_rules as rules
from inventory_app.operations._approvals import Kind, Parties, Subject, rejecting_needs_a_reason, request
from inventory_app.operations._fields import checked_reason
from inventory_app.operations._money import said
from inventory_app.permissions import Permission

_KIND, _BATCH_KIND = "payment", "payment_batch"
_WITHDRAWN = "Withdrawn by whoever asked for it"


def _sees_amounts(session: Session) -> bool:
    """Tell whether whoever reads may see amounts; what decides reads no more than the version."""
    viewer = session.info.get("viewer")
    return viewer is not None and Permission.PRICES_VIEW in viewer.permissions


def _describe(session: Session, approvals: Sequence[Approval]) -> dict[int, Subject]:
    ids = [approval.subject_id for approval in approvals]
    statement = sa.select(Payment, col(Supplier.name)).join(Supplier, col(Supplier.id) == col(Payment.supplier_id))
    known = {row[0].id: row for row in session.execute(statement.where(col(Payment.id).in_(ids)))}
    held = {row[0].supplier_id for row in known.values() if row[0].held_reason}
    of = {one.id: one for one in session.exec(select(Supplier).where(col(Supplier.id).in_(held)))}
    found: dict[int, Subject] = {}
    for approval in approvals:
        payment, supplier = known[approval.subject_id]
        details = [("To", supplier), ("Day", f"{payment.paid_on:%-d %b %Y}"), ("How", payment.method.capitalize())]
        if _sees_amounts(session):
            details.append(("Amount", said(payment.amount, payment.currency)))
        if payment.held_reason:
            details += [
                ("Supplier", holds.why_held(session, of[payment.supplier_id])),
                ("Paid because", payment.held_reason),
            ]
        found[approval.id or 0] = Subject(
            f"{payment.number} to {supplier}",
            f"/payments/{payment.id}",
            Permission.PAYMENTS_VIEW,
            details,
            payment.version,
        )
    return found


def _describe_batch(session: Session, approvals: Sequence[Approval]) -> dict[int, Subject]:
    ids = [approval.subject_id for approval in approvals]
    known = {one.id: one for one in session.exec(select(PaymentBatch).where(col(PaymentBatch.id).in_(ids)))}
    found: dict[int, Subject] = {}
    for approval in approvals:
        batch = known[approval.subject_id]
        details = [("Payments", f"{batch.payment_count:,}"), ("Day", f"{batch.execute_on:%-d %b %Y}")]
        if _sees_amounts(session):
            details.append(("Amount", said(batch.total, batch.currency)))
        found[approval.id or 0] = Subject(
            f"Batch {batch.number}", f"/payments/batches/{batch.id}", Permission.PAYMENTS_VIEW, details, batch.version
        )
    return found


def _lock(session: Session, payment_id: int) -> None:
    rules.hold(session, [payment_id])


def _lock_batch(session: Session, batch_id: int) -> None:
    hold_batch(session, batch_id)


def hold_batch(session: Session, batch_id: int) -> tuple[PaymentBatch, rules.Held]:
    """Lock a batch with its payments and everything they touch."""
    statement = sa.select(col(Payment.id)).where(col(Payment.batch_id) == batch_id).order_by(col(Payment.id))
    held = rules.hold(session, [id_ for id_ in session.scalars(statement) if id_ is not None])
    return lock(session, PaymentBatch, [batch_id])[batch_id], held  # no batch is ever deleted


def _approved(session: Session, approval: Approval, reason: str | None) -> None:
    del reason
    rules.post(session, rules.hold(session, [approval.subject_id]))


def _rejected(session: Session, approval: Approval, reason: str | None) -> None:
    rules.drop(rules.hold(session, [approval.subject_id]), reason)


def _withdrawn(session: Session, approval: Approval, reason: str | None) -> None:
    _rejected(session, approval, reason or _WITHDRAWN)


def _batch_approved(session: Session, approval: Approval, reason: str | None) -> None:
    del reason
    batch, held = hold_batch(session, approval.subject_id)
    rules.post(session, held)
    batch.status, batch.posted_at = PaymentStatus.POSTED, now()
    batch.version += 1


def _batch_rejected(session: Session, approval: Approval, reason: str | None) -> None:
    batch, held = hold_batch(session, approval.subject_id)
    rules.drop(held, reason)
    batch.status = PaymentStatus.REJECTED
    batch.version += 1


def _batch_withdrawn(session: Session, approval: Approval, reason: str | None) -> None:
    _batch_rejected(session, approval, reason or _WITHDRAWN)


def _reason(session: Session, approval: Approval, verdict: Verdict, reason: str) -> str | None:
    """Ask for a reason to agree as well where the supplier's payments are held."""
    if verdict == Verdict.APPROVE and holds.held_now(session, approval.subject_id):
        return checked_reason(reason, missing="Its supplier is suspended. Say why it is paid all the same.")
    return rejecting_needs_a_reason(session, approval, verdict, reason)


PAYMENT = Kind(
    name=_KIND,
    label="Payment",
    permission=Permission.PAYMENTS_APPROVE,
    describe=_describe,
    approved=_approved,
    rejected=_rejected,
    withdrawn=_withdrawn,
    lock=_lock,
    fresh=True,
    reason=_reason,
    parts=_chain.SENTENCES,
)
PAYMENT_BATCH = Kind(
    name=_BATCH_KIND,
    label="Batch of payments",
    permission=Permission.PAYMENTS_APPROVE,
    describe=_describe_batch,
    approved=_batch_approved,
    rejected=_batch_rejected,
    withdrawn=_batch_withdrawn,
    lock=_lock_batch,
    fresh=True,
    parts=_chain.SENTENCES,
)


def ask(session: Session, subject: Payment | PaymentBatch, had: Sequence[_chain.Part]) -> None:
    """Ask somebody who had no part in the chain to agree."""
    parties: Parties = [(subject.created_by, "entered"), *((one.user_id, one.part) for one in had)]
    request(
        session,
        kind=_KIND if isinstance(subject, Payment) else _BATCH_KIND,
        subject_id=subject.id or 0,
        permission=Permission.PAYMENTS_APPROVE,
        parties=parties,
    )
