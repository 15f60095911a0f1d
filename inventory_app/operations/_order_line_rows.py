"""The lines of an order as people read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlmodel import Session, col, select

from inventory_app.models.catalog import Product
from inventory_app.models.purchasing import PurchaseOrder, PurchaseOrderLine
from inventory_app.operations._ledger import say
from inventory_app.operations._money import of_line, said
from inventory_app.operations._order_rows import day_of, is_late
from inventory_app.operations._order_rules import UNDER_WAY, open_of
from inventory_app.operations._product_list import product_href


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of an order; costs are empty without `prices:view`. The rest begins the form."""

    id: int
    product: str
    sku: str
    href: str
    supplier_sku: str
    quantity: str
    unit: str
    packs: str
    unit_cost: str
    amount: str
    tax: str
    expected: str
    late: bool
    received: str
    waiting: str
    given_up: str
    typed_quantity: str
    typed_cost: str
    typed_tax: str
    typed_day: str
    described: str


def line_rows(
    session: Session, order: PurchaseOrder, lines: Sequence[PurchaseOrderLine], *, prices: bool
) -> list[LineRow]:
    """Return the lines of an order as its page shows them and its form begins with them."""
    ids = {line.product_id for line in lines if line.product_id}
    products = {one.id: one for one in session.exec(select(Product).where(col(Product.id).in_(ids)))}
    return [_line(order, line, products.get(line.product_id), prices=prices) for line in lines]


def _line(order: PurchaseOrder, line: PurchaseOrderLine, product: Product | None, *, prices: bool) -> LineRow:
    unit = product.unit_code if product else ""
    packs = ""
    if line.purchase_unit or line.pack_size != 1:
        number = say((line.quantity / line.pack_size).quantize(Decimal("0.001")))
        packs = f"{number} {line.purchase_unit or 'packs'} of {say(line.pack_size, unit)}"
    waiting = open_of(line) if order.status in UNDER_WAY else Decimal(0)
    day = line.expected_on
    return LineRow(
        id=line.id or 0,
        product=line.description,
        sku=product.sku if product else "",
        href=product_href(product.id) if product else "",
        supplier_sku=line.supplier_sku or "",
        quantity=say(line.quantity),
        unit=unit,
        packs=packs,
        unit_cost=said(line.unit_cost) if prices else "",
        amount=said(of_line(line.quantity, line.unit_cost).net) if prices else "",
        tax=f"{line.tax_percent.normalize():f} %" if line.tax_percent else "",
        expected=day_of(day),
        late=is_late(order, day) and bool(waiting),
        received=say(line.received) if line.received else "",
        waiting=say(waiting) if waiting else "",
        given_up=say(line.given_up) if line.given_up else "",
        typed_quantity=f"{line.quantity.normalize():f}",
        typed_cost=f"{line.unit_cost.normalize():f}" if prices else "",
        typed_tax=f"{line.tax_percent.normalize():f}",
        typed_day=day.isoformat() if day else "",
        described="" if product and product.name == line.description else line.description,
    )
