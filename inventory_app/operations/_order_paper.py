"""What is printed on an order: every word of it ready, so that whoever draws it decides nothing."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlmodel import Session, col, select

from inventory_app.errors import Conflict
from inventory_app.models.catalog import Location, Product
from inventory_app.models.purchasing import OrderStatus, PurchaseOrder
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import _order_rules as rules
from inventory_app.operations._ledger import say
from inventory_app.operations._money import Sum, of_line, said, total
from inventory_app.settings import get_settings

_NOT_YET = (OrderStatus.DRAFT, OrderStatus.SUBMITTED)


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """A line as it is printed."""

    number: str
    what: str
    theirs: str
    quantity: str
    packs: str
    unit_cost: str
    amount: str
    expected: str


@dataclass(frozen=True, slots=True)
class OrderPaper:
    """An order as it is printed; `version` is that of the order, `made` what dates the file."""

    order_id: int
    version: int
    number: str
    company: str
    supplier: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    message: str
    lines: tuple[PrintedLine, ...]
    sums: tuple[tuple[str, str], ...]
    made: datetime
    cancelled: bool


def paper(session: Session, order: PurchaseOrder) -> OrderPaper:
    """Return an order as it is printed; `Conflict` before it is approved."""
    if order.number is None or order.approved_at is None or order.status in _NOT_YET:
        raise Conflict(f"{rules.called(order)} is not approved, so there is nothing to send yet.")
    supplier = session.get_one(Supplier, order.supplier_id)
    place = session.get_one(Location, order.location_id)
    lines = rules.lines_of(session, order.id or 0)
    ids = {line.product_id for line in lines if line.product_id}
    units = {one.id: one.unit_code for one in session.exec(select(Product).where(col(Product.id).in_(ids)))}
    sums = [of_line(line.quantity, line.unit_cost, line.tax_percent) for line in lines]
    made = order.ordered_at or order.approved_at
    facts = [("Order", order.number), ("Date", f"{made:%-d %B %Y}"), ("Deliver to", place.name)]
    if order.expected_on:
        facts.append(("Expected", f"{order.expected_on:%-d %B %Y}"))
    if order.payment_days is not None:
        facts.append(("Payment", f"{order.payment_days} days after the invoice"))
    if supplier.delivery_terms:
        facts.append(("Delivery terms", supplier.delivery_terms))
    city = " ".join(filter(None, (supplier.postal_code, supplier.city)))
    who = (supplier.name, supplier.contact_name, supplier.address, city, supplier.country)
    return OrderPaper(
        order_id=order.id or 0,
        version=order.version,
        number=order.number,
        company=get_settings().company,
        supplier=tuple(filter(None, who)),
        facts=tuple(facts),
        message=order.message or "",
        lines=tuple(
            PrintedLine(
                number=str(number),
                what=line.description,
                theirs=line.supplier_sku or "",
                quantity=say(line.quantity, units.get(line.product_id, "")),
                packs="" if line.pack_size == 1 else _packs(line.quantity / line.pack_size, line.purchase_unit),
                unit_cost=said(line.unit_cost),
                amount=said(of_line(line.quantity, line.unit_cost).net),
                expected=f"{line.expected_on:%-d %b %Y}" if line.expected_on else "",
            )
            for number, line in enumerate(lines, 1)
        ),
        sums=_sums(total(sums), order.currency),
        made=made,
        cancelled=order.status == OrderStatus.CANCELLED,
    )


def _packs(number: Decimal, unit: str) -> str:
    return f"{say(number.quantize(Decimal('0.001')))} {unit or 'packs'}"


def _sums(found: Sum, currency: str) -> tuple[tuple[str, str], ...]:
    if not found.tax:
        return (("Total", said(found.net, currency)),)
    return (
        ("Net", said(found.net, currency)),
        ("Tax", said(found.tax, currency)),
        ("Total", said(found.gross, currency)),
    )
