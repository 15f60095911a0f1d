"""Whose papers somebody of a supplier sees: always their own company's, as their account says, never as they ask."""

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.errors import Conflict, NotAllowed
from inventory_app.models.payments import Payment, PaymentStatus
from inventory_app.models.purchasing import OrderStatus, PurchaseOrder
from inventory_app.models.suppliers import Supplier, SupplierStatus, SupplierUser
from inventory_app.operations._operation import acting_user_id

_CLOSED = (SupplierStatus.REJECTED, SupplierStatus.SUSPENDED)
_PLACED = (OrderStatus.ORDERED, OrderStatus.PARTIALLY_RECEIVED, OrderStatus.RECEIVED, OrderStatus.CLOSED)


def own_supplier(session: Session) -> Supplier:
    """Return the supplier that the acting person works for; `NotAllowed` for everybody else."""
    found = session.exec(
        select(Supplier, SupplierUser)
        .join(SupplierUser, col(SupplierUser.supplier_id) == col(Supplier.id))
        .where(SupplierUser.user_id == acting_user_id())
    ).first()
    if found is None:
        raise NotAllowed("Your account belongs to no supplier: the portal is for people who work for one.")
    supplier, link = found
    if not link.active:
        raise NotAllowed("Your access to the portal has been ended. Ask your company, or whoever buys from you.")
    return supplier


def own_supplier_to_act(session: Session, *, share: bool = True) -> Supplier:
    """Lock the supplier of the acting person, who wants to say something for it; `Conflict` while it is closed."""
    id_ = own_supplier(session).id or 0
    supplier = lock(session, Supplier, [id_], share=share)[id_]  # no supplier is ever deleted
    if refusal := why_not_act(supplier):
        raise Conflict(refusal)
    return supplier


def why_not_act(supplier: Supplier) -> str:
    """Say why people of the supplier can look and do nothing; empty when they can do something."""
    if supplier.status in _CLOSED:
        return f"{supplier.name} is {supplier.status}: you can look at everything and change nothing."
    return ""


def placed(supplier: Supplier) -> sa.ColumnElement[bool]:
    """Return the condition of the supplier's orders that it was ever sent: drafts and what waits are ours alone."""
    return sa.and_(
        col(PurchaseOrder.supplier_id) == supplier.id,
        sa.or_(
            col(PurchaseOrder.status).in_(_PLACED),
            sa.and_(col(PurchaseOrder.status) == OrderStatus.CANCELLED, col(PurchaseOrder.ordered_at).is_not(None)),
        ),
    )


def paid_out(supplier: Supplier) -> sa.ColumnElement[bool]:
    """Return the condition of payments that went to the supplier; what waits for us, and counter-entries, are ours."""
    return sa.and_(
        col(Payment.supplier_id) == supplier.id,
        col(Payment.status).in_([PaymentStatus.POSTED, PaymentStatus.VOID]),
        col(Payment.voids).is_(None),
    )
