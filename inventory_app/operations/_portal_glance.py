"""What a supplier wants to know first: what we still wait for, what is open of its invoices, and what was paid last."""

from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models.payments import Payment, PaymentStatus
from inventory_app.models.purchasing import InvoiceKind, InvoiceStatus, OrderStatus, PurchaseOrder, SupplierInvoice
from inventory_app.models.suppliers import Supplier
from inventory_app.operations._money import said
from inventory_app.operations._portal_scope import paid_out, placed
from inventory_app.operations._portal_words import day

_OPEN = (OrderStatus.ORDERED, OrderStatus.PARTIALLY_RECEIVED)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, and what it means."""

    figure: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Glance:
    """Where things stand between a supplier and us."""

    orders: Figure
    #: By currency, credit notes taken off.
    owed: Figure
    paid: Figure


def at_a_glance(session: Session, supplier: Supplier) -> Glance:
    """Return where things stand between a supplier and us, in three statements."""
    return Glance(_orders(session, supplier), _owed(session, supplier), _paid(session, supplier))


def _orders(session: Session, supplier: Supplier) -> Figure:
    unconfirmed = sa.and_(
        col(PurchaseOrder.status) == OrderStatus.ORDERED,
        col(PurchaseOrder.confirmed_on).is_(None),
    )
    count, to_confirm, first = session.execute(
        sa.select(
            sa.func.count(),
            sa.func.count().filter(unconfirmed),
            sa.func.min(col(PurchaseOrder.expected_on)),
        ).where(placed(supplier), col(PurchaseOrder.status).in_(_OPEN))
    ).one()
    if to_confirm:
        return Figure(f"{count:,}", f"{to_confirm:,} to be confirmed by you")
    if not count:
        return Figure("0", "we wait for nothing")
    return Figure(f"{count:,}", f"the next by {day(first)}" if first else "without a day")


def _owed(session: Session, supplier: Supplier) -> Figure:
    left = col(SupplierInvoice.gross) - col(SupplierInvoice.paid)
    invoice = col(SupplierInvoice.kind) == InvoiceKind.INVOICE
    rows = session.execute(
        sa.select(
            col(SupplierInvoice.currency),
            sa.func.sum(left),
            sa.func.count().filter(invoice),
            sa.func.count().filter(invoice, col(SupplierInvoice.status) == InvoiceStatus.BLOCKED),
        )
        .where(
            col(SupplierInvoice.supplier_id) == supplier.id,
            col(SupplierInvoice.status) != InvoiceStatus.VOID,
            left != 0,
        )
        .group_by(col(SupplierInvoice.currency))
        .order_by(col(SupplierInvoice.currency))
    ).all()
    amounts = [said(amount, currency) for currency, amount, *_ in rows]
    invoices, checked = (sum(row[place] for row in rows) for place in (2, 3))
    meaning = "1 invoice is open" if invoices == 1 else f"{invoices:,} invoices are open"
    if checked:
        meaning += f", {checked:,} being checked"
    return Figure(" · ".join(amounts) or said(Decimal(0), supplier.currency or ""), meaning)


def _paid(session: Session, supplier: Supplier) -> Figure:
    last = session.scalar(
        sa.select(Payment)
        .where(paid_out(supplier), col(Payment.status) == PaymentStatus.POSTED)
        .order_by(col(Payment.id).desc())
        .limit(1)
    )
    if last is None:
        return Figure("–", "nothing was paid yet")
    return Figure(said(last.amount, last.currency), f"{day(last.paid_on)}, {last.number}")
