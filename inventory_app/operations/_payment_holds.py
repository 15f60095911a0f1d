"""Payments to a supplier that was suspended or rejected are held: made with a reason and somebody's agreement only.

What is owed stays owed: goods that were ordered are still received and invoices still recorded and matched. Only the
money waits (docs/decisions/0012). Credit notes that come to as much as the invoices move none and are not held.
"""

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.errors import Conflict, Invalid
from inventory_app.models.payments import Payment
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.operations._fields import checked_reason
from inventory_app.operations._supplier_rules import full_name

_HOLDING = (SupplierStatus.SUSPENDED.value, SupplierStatus.REJECTED.value)
#: The same rule as `why_held` as a condition on suppliers, for queries.
IS_HELD = col(Supplier.status).in_(_HOLDING)


def why_held(session: Session, supplier: Supplier) -> str:
    """Say why payments to a supplier are held; empty when they are not. The supplier must be locked to act on it."""
    if supplier.status not in _HOLDING:
        return ""
    by = full_name(session, supplier.decided_by) or "The system"
    because = f": {supplier.decision_reason.rstrip('.')}" if supplier.decision_reason else ""
    return f"{by} {supplier.status} {supplier.name}{because}."


def reason_to_pay(session: Session, supplier: Supplier, reason: str, *, moves_money: bool) -> str | None:
    """Return why a held payment is made all the same; None where none is held. Without one it is refused."""
    why = why_held(session, supplier)
    if not why or not moves_money:
        return None
    try:
        return checked_reason(reason, missing=f"{why} Say why it is paid all the same; somebody else must agree.")
    except Invalid as error:
        raise Invalid(fields={"held_reason": error.fields["reason"]}) from error


def why_not_together(session: Session, supplier: Supplier) -> Conflict | None:
    """Return why a supplier cannot be among those that a batch pays."""
    why = why_held(session, supplier)
    return Conflict(f"{why} Its payments are held: pay it by itself, with a reason.") if why else None


def refuse_since(session: Session, supplier: Supplier, payment: Payment, instead: str) -> None:
    """Refuse to let money go that was on its way before the supplier was suspended; `instead` says what to do."""
    if payment.held_reason is None and payment.amount > 0 and (why := why_held(session, supplier)):
        message = f"{why} {payment.number} was made before that. {instead}"
        raise Conflict(message)


def held_now(session: Session, payment_id: int) -> bool:
    """Tell whether a payment is made in spite of a suspension, so that whoever agrees says why as well."""
    found = session.scalar(sa.select(col(Payment.held_reason)).where(col(Payment.id) == payment_id))
    return found is not None
