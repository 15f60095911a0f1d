"""What can be done with an order in which status, and why not: asked by the operations and shown on the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.errors import NotFound, Stale
from inventory_app.models.purchasing import (
    InvoiceStatus,
    OrderStatus,
    PurchaseOrder,
    PurchaseOrderLine,
    SupplierInvoice,
    SupplierInvoiceLine,
)
from inventory_app.models.suppliers import Supplier
from inventory_app.operations._ledger import say
from inventory_app.operations._money import in_base
from inventory_app.operations._supplier_rules import why_not_order
from inventory_app.settings import get_settings, thresholds

#: The kind of request about an order.
KIND = "purchase_order"
GONE = "There is no such order (any more). Reload the page."
#: What a status is called, and its tone.
STATUSES: dict[str, tuple[str, str]] = {
    OrderStatus.DRAFT: ("Draft", "neutral"),
    OrderStatus.SUBMITTED: ("Waits for approval", "warn"),
    OrderStatus.APPROVED: ("Approved", "accent"),
    OrderStatus.ORDERED: ("Ordered", "accent"),
    OrderStatus.PARTIALLY_RECEIVED: ("Partly received", "accent"),
    OrderStatus.RECEIVED: ("Received", "ok"),
    OrderStatus.CLOSED: ("Closed", "ok"),
    OrderStatus.CANCELLED: ("Cancelled", "neutral"),
}
#: What has been ordered and may still come.
UNDER_WAY = (OrderStatus.ORDERED, OrderStatus.PARTIALLY_RECEIVED)
_UNWRITTEN = (OrderStatus.SUBMITTED, OrderStatus.APPROVED)
_BEFORE_GOODS = (OrderStatus.DRAFT, *_UNWRITTEN, OrderStatus.ORDERED)
_HUNDRED = Decimal(100)
_FINEST = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules read about an order besides itself."""

    lines: Sequence[PurchaseOrderLine]
    #: Why the supplier cannot be ordered from; empty when it can, or somebody let it with a reason.
    supplier: str = ""
    #: The numbers of the invoices that want something for it.
    invoices: tuple[str, ...] = ()


def held(session: Session, order_id: int, version: int, *, with_supplier: bool = False) -> PurchaseOrder:
    """Lock an order in the version that was read, its supplier before it where that must not change meanwhile."""
    known = session.get(PurchaseOrder, order_id)
    if known is None:
        raise NotFound(GONE)
    supplier_id = known.supplier_id
    if with_supplier:
        lock(session, Supplier, [supplier_id], share=True)
    order = lock(session, PurchaseOrder, [order_id])[order_id]  # no order is ever deleted
    if order.version != version:
        raise Stale(f"{called(order)} was changed after you opened it. Reload the page and read it again.")
    return order


def lines_of(session: Session, order_id: int) -> list[PurchaseOrderLine]:
    """Return the lines of an order in their order."""
    statement = select(PurchaseOrderLine).where(col(PurchaseOrderLine.order_id) == order_id)
    return list(session.exec(statement.order_by(col(PurchaseOrderLine.position))))


def facts(session: Session, order: PurchaseOrder) -> Facts:
    """Read what the rules need about an order."""
    return Facts(lines_of(session, order.id or 0), supplier_refusal(session, order), _invoices(session, order))


def _invoices(session: Session, order: PurchaseOrder) -> tuple[str, ...]:
    by_line = (
        sa.select(col(SupplierInvoiceLine.invoice_id))
        .join(PurchaseOrderLine, col(PurchaseOrderLine.id) == col(SupplierInvoiceLine.order_line_id))
        .where(col(PurchaseOrderLine.order_id) == order.id)
    )
    statement = (
        sa.select(col(SupplierInvoice.number))
        .where(sa.or_(col(SupplierInvoice.order_id) == order.id, col(SupplierInvoice.id).in_(by_line)))
        .where(col(SupplierInvoice.status) != InvoiceStatus.VOID)
        .order_by(col(SupplierInvoice.id))
    )
    return tuple(session.scalars(statement))


def supplier_refusal(session: Session, order: PurchaseOrder) -> str:
    """Return why the supplier of an order cannot be ordered from now; empty also when somebody let it with a reason."""
    return "" if order.override_reason else supplier_fault(session, order)


def supplier_fault(session: Session, order: PurchaseOrder) -> str:
    """Return what is wrong with the supplier of an order, whether somebody let it or not."""
    refusal = why_not_order(session, session.get_one(Supplier, order.supplier_id))
    return str(refusal) if refusal else ""


def called(order: PurchaseOrder) -> str:
    """Return what people call an order: its number, once it has one."""
    return order.number or "The draft"


def needed(session: Session, order: PurchaseOrder) -> tuple[int, Decimal]:
    """Return how many people must agree to an order, and from which amount that many must (0: nobody)."""
    amount, found = in_base(order.total, max(order.rate, _others_rate(session, order))), (0, Decimal(0))
    for step, people in thresholds(get_settings().order_approvals):
        if amount >= step:
            found = (people, step)
    return found


def _others_rate(session: Session, order: PurchaseOrder) -> Decimal:
    """Return at which rate somebody else last ordered in the currency; 0 when nobody has.

    Whoever writes an order types its rate: an amount counts for no less only because they typed a low one.
    """
    if order.currency == get_settings().currency:
        return Decimal(0)
    newest = sa.select(col(PurchaseOrder.rate)).where(
        col(PurchaseOrder.currency) == order.currency,
        col(PurchaseOrder.ordered_at).is_not(None),
        col(PurchaseOrder.created_by).is_distinct_from(order.created_by),
    )
    return session.scalar(newest.order_by(col(PurchaseOrder.ordered_at).desc()).limit(1)) or Decimal(0)


def receivable(quantity: Decimal) -> Decimal:
    """Return how much of what is ordered may come at most: the tolerance included, never rounded up."""
    percent = _HUNDRED + get_settings().over_receipt_percent
    return (quantity * percent / _HUNDRED).quantize(_FINEST, ROUND_DOWN)


def open_of(line: PurchaseOrderLine) -> Decimal:
    """Return how much of a line is still waited for."""
    return max(line.quantity - line.received - line.given_up, Decimal(0))


def why_not_edit(order: PurchaseOrder) -> str:
    """Return why the order cannot be changed; empty when it can."""
    if order.status == OrderStatus.DRAFT:
        return ""
    if order.status in _UNWRITTEN:
        return f"{called(order)} has been submitted. Take it back to a draft first."
    return f"{called(order)} is {_word(order)}: what was ordered does not change any more. Copy it instead."


def why_not_submit(order: PurchaseOrder, known: Facts) -> str:
    """Return why the order cannot be submitted; empty when it can."""
    if order.status != OrderStatus.DRAFT:
        return f"{called(order)} has been submitted already: it is {_word(order)}."
    if not known.lines:
        return "Nothing stands on this order. Add a line first."
    return known.supplier


def why_not_revise(order: PurchaseOrder) -> str:
    """Return why the order cannot go back to a draft; empty when it can."""
    if order.status in _UNWRITTEN:
        return ""
    if order.status == OrderStatus.DRAFT:
        return "It is a draft already."
    return f"{called(order)} is {_word(order)}, so it cannot go back to a draft."


def why_not_place(order: PurchaseOrder, known: Facts) -> str:
    """Return why the order cannot be sent to the supplier; empty when it can."""
    if order.status == OrderStatus.DRAFT:
        return "Submit the draft first."
    if order.status == OrderStatus.SUBMITTED:
        return f"{called(order)} waits for approval."
    if order.status != OrderStatus.APPROVED:
        return f"{called(order)} cannot be ordered: it is {_word(order)}."
    return known.supplier


def why_not_cancel(order: PurchaseOrder, known: Facts) -> str:
    """Return why the order cannot be cancelled; empty when it can."""
    if order.status == OrderStatus.CANCELLED:
        return f"{called(order)} was cancelled already."
    if came := [line for line in known.lines if line.received]:
        more = f" and {len(came) - 1} more lines" if len(came) > 1 else ""
        what = f"{say(came[0].received)} of {came[0].description}{more}"
        return f"{what} came for {called(order)} and stay in stock. Give up the rest, or send the goods back first."
    if order.status not in (*_BEFORE_GOODS, OrderStatus.PARTIALLY_RECEIVED):
        return f"{called(order)} is {_word(order)}, so there is nothing to cancel."
    if known.invoices:
        return f"Invoice {known.invoices[0]} has been recorded for {called(order)}. Have it made void first."
    return ""


def why_not_give_up(order: PurchaseOrder, known: Facts) -> str:
    """Return why the rest of the order cannot be given up; empty when it can."""
    if order.status not in UNDER_WAY:
        return f"Nothing is waited for: {called(order)} is {_word(order)}."
    if not any(line.received for line in known.lines):
        return f"Nothing of {called(order)} has come. Cancel it instead."
    return ""


def why_not_close(order: PurchaseOrder) -> str:
    """Return why the order cannot be closed; empty when it can."""
    if order.status == OrderStatus.RECEIVED:
        return ""
    if order.status in UNDER_WAY:
        return f"{called(order)} is not complete. Give up the rest first, if nothing more will come."
    return f"{called(order)} cannot be closed: it is {_word(order)}."


def why_not_override(session: Session, order: PurchaseOrder) -> str:
    """Return why nobody has to let the order's supplier; empty when somebody has to."""
    if order.status not in (OrderStatus.DRAFT, *_UNWRITTEN):
        return f"{called(order)} is {_word(order)}: there is nothing to let any more."
    if order.override_reason:
        return "Somebody let it already."
    return "" if supplier_fault(session, order) else "The supplier is approved, so this is not needed."


def _word(order: PurchaseOrder) -> str:
    word = STATUSES[order.status][0]
    return word[0].lower() + word[1:]
