"""What the form of an invoice or credit note begins with."""

from dataclasses import dataclass
from decimal import Decimal

from sqlmodel import Session

from inventory_app.models.purchasing import PurchaseOrder, SupplierInvoice
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import _matching
from inventory_app.operations._ledger import say
from inventory_app.operations._match_rules import Ordered
from inventory_app.settings import get_settings


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A line the form begins with, as it would be typed."""

    order_line_id: int
    description: str
    sku: str
    quantity: str
    unit_cost: str
    tax_percent: str
    hint: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What the form of a paper begins with."""

    title: str
    supplier_id: int
    supplier: str
    order_id: int
    invoice_id: int
    currency: str
    rate: str
    days: int
    lines: list[DraftLine]
    href: str


def to_invoice(session: Session, order: PurchaseOrder) -> Draft:
    """Return what is left to be invoiced of an order: what came, and what is not kept in stock."""
    book = _matching.load_order(session, order.id or 0)
    left = ((one, one.owed - book.billed(one.id)) for one in book.ordered.values())
    lines = [_draft_line(one, quantity, one.unit_cost, one.tax_percent) for one, quantity in left if quantity > 0]
    return _draft(session, order.supplier_id, lines, title=order.number or _matching.DRAFT, order=order)


def to_credit(session: Session, paper: SupplierInvoice) -> Draft:
    """Return what can be credited of an invoice: what is invoiced above what came, or else nothing yet."""
    book = _matching.load(session, [paper.id or 0])
    over = {one.line_id: one.over for one in book.match(paper.id or 0).lines}
    lines = [
        _draft_line(ordered, over[line.id], line.unit_cost, line.tax_percent)
        for line in book.lines_of(paper.id or 0)
        if (ordered := book.ordered.get(line.order_line_id or 0)) and over[line.id] > 0
    ]
    return _draft(session, paper.supplier_id, lines, title=paper.number, paper=paper)


def _draft(  # what the two kinds have in common
    session: Session,
    supplier_id: int,
    lines: list[DraftLine],
    *,
    title: str,
    order: PurchaseOrder | None = None,
    paper: SupplierInvoice | None = None,
) -> Draft:
    supplier = session.get_one(Supplier, supplier_id)
    source = order or paper
    days = order.payment_days if order and order.payment_days is not None else supplier.payment_days
    foreign = source is not None and source.currency != get_settings().currency
    return Draft(
        title=title,
        supplier_id=supplier_id,
        supplier=supplier.name,
        order_id=(order.id if order else paper.order_id if paper else 0) or 0,
        invoice_id=(paper.id if paper else 0) or 0,
        currency=source.currency if source else "",
        rate=f"{source.rate.normalize():f}" if source and foreign else "",
        days=30 if days is None else days,
        lines=lines,
        href=f"/invoices/{paper.id}" if paper else f"/orders/{order.id}" if order else "/invoices",
    )


def _draft_line(ordered: Ordered, quantity: Decimal, cost: Decimal, tax: Decimal) -> DraftLine:
    came = f"{say(ordered.received)} of {say(ordered.quantity)} came" if ordered.stock else "not kept in stock"
    return DraftLine(
        ordered.id,
        ordered.product,
        ordered.sku,
        f"{quantity.normalize():f}",
        f"{cost.normalize():f}",
        f"{tax.normalize():f}",
        came,
    )
