"""What stops when a supplier is not approved any more, said before somebody saves what does that."""

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models.purchasing import InvoiceStatus, OrderStatus, PurchaseOrder, SupplierInvoice
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.operations._operation import Viewer
from inventory_app.operations._order_rules import UNDER_WAY
from inventory_app.permissions import Permission

_UNSENT = (OrderStatus.DRAFT, OrderStatus.SUBMITTED, OrderStatus.APPROVED)


def what_stops(session: Session, viewer: Viewer, supplier: Supplier) -> tuple[str, str]:
    """Return in sentences which orders wait once the supplier does, and what of it is held once it is suspended.

    Empty where it is not approved, and without what the viewer may not see.
    """
    if supplier.status != SupplierStatus.APPROVED:
        return "", ""
    return _orders(session, viewer, supplier), _invoices(session, viewer, supplier)


def _orders(session: Session, viewer: Viewer, supplier: Supplier) -> str:
    if Permission.ORDERS_VIEW not in viewer.permissions:
        return ""
    found = session.execute(
        sa.select(col(PurchaseOrder.status), sa.func.count())
        .where(col(PurchaseOrder.supplier_id) == supplier.id, col(PurchaseOrder.status).in_((*_UNSENT, *UNDER_WAY)))
        .group_by(col(PurchaseOrder.status))
    )
    counted = {status: number for status, number in found}  # noqa: C416  # rows are no pairs to the type checker
    unsent = sum(counted.get(status, 0) for status in _UNSENT)
    under_way = sum(counted.get(status, 0) for status in UNDER_WAY)
    waits = f"{_of(unsent, 'order')} not sent yet {'waits' if unsent == 1 else 'wait'} until then. " if unsent else ""
    goes_on = (
        f"{_of(under_way, 'order')} under way {'is' if under_way == 1 else 'are'} still received." if under_way else ""
    )
    return (waits + goes_on).strip() or "No order of it is open."


def _invoices(session: Session, viewer: Viewer, supplier: Supplier) -> str:
    if Permission.INVOICES_VIEW not in viewer.permissions:
        return ""
    number = session.scalar(
        sa.select(sa.func.count()).where(
            col(SupplierInvoice.supplier_id) == supplier.id,
            col(SupplierInvoice.status) != InvoiceStatus.VOID,
            col(SupplierInvoice.paid) != col(SupplierInvoice.gross),
        )
    )
    return f"{_of(number, 'open invoice')} of it {'is' if number == 1 else 'are'} held then." if number else ""


def _of(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
