"""What the tests of orders share: a supplier, products on its terms, and short names for what people do."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlmodel import select

from inventory_app.context import Actor, acting_as
from inventory_app.models.catalog import SupplierProduct
from inventory_app.models.purchasing import PurchaseOrder, PurchaseOrderLine
from inventory_app.operations import orders
from inventory_app.operations._order_lines import LineInput
from inventory_app.operations.orders import Head, Moved, Written
from inventory_app.unit_of_work import read, transact
from tests.factories import add, arrange, location, product, supplier


@dataclass(frozen=True)
class Market:
    """An approved supplier with its terms for tea (boxes of 12, at least 24) and none for nuts, and where goods go."""

    supplier: int
    place: int
    tea: int
    nuts: int


def market(name: str = "Acme", *, codes: str = "", **columns: object) -> Market:
    """Make one; `codes` keeps its products and its place apart from those of others."""
    seller = supplier(name, **({"status": "approved", "payment_days": 30} | columns)).id or 0
    place = location(f"HALL{codes}", name="Dry hall").id or 0
    tea = product(f"TEA{codes}", name="Tea", supplier_id=seller, unit_cost=Decimal(2)).id or 0
    barcode = None if codes else "4006381333931"
    nuts = product(f"NUTS{codes}", name="Nuts", unit_cost=Decimal(3), barcode=barcode).id or 0
    terms(seller, tea)
    return Market(seller, place, tea, nuts)


def terms(supplier_id: int, product_id: int, **columns: object) -> SupplierProduct:
    """Agree on terms."""
    usual: dict[str, Any] = {
        "supplier_sku": "T-1",
        "cost": Decimal("2.50"),
        "currency": "USD",
        "purchase_unit": "box",
        "pack_size": Decimal(12),
        "minimum_quantity": Decimal(24),
        "lead_time_days": 5,
    }
    return add(SupplierProduct(supplier_id=supplier_id, product_id=product_id, **(usual | columns)))


def tea(shop: Market, quantity: int = 24, **more: object) -> LineInput:
    """Return a line of tea."""
    return LineInput(Decimal(quantity), shop.tea, **more)  # pyright: ignore[reportArgumentType]


def words(text: str = "Repair", quantity: int = 1, cost: str = "80") -> LineInput:
    """Return a line that is not kept in stock."""
    return LineInput(Decimal(quantity), description=text, unit_cost=Decimal(cost))


def head(shop: Market, **more: object) -> Head:
    """Return what stands above the lines."""
    return Head(shop.supplier, shop.place, **more)  # pyright: ignore[reportArgumentType]


def write(shop: Market, *lines: LineInput, key: str | None = None, **more: object) -> Written:
    """Write a draft."""
    return transact(orders.create_order, head=head(shop, **more), lines=list(lines) or [tea(shop)], idempotency_key=key)


def edit(shop: Market, order_id: int, *lines: LineInput, **more: object) -> Written:
    """Write a draft anew."""
    arguments = {"head": head(shop, **more), "lines": list(lines)}
    return transact(orders.update_order, order_id=order_id, version=known(order_id).version, **arguments)


def step(operation: object, order_id: int, **more: object) -> Moved:
    """Take a step with an order as it is now."""
    arguments = {"version": known(order_id).version} | more
    return transact(operation, order_id=order_id, **arguments)  # pyright: ignore[reportArgumentType]


def known(order_id: int) -> PurchaseOrder:
    """Return an order as it stands in the database."""

    def build(session):
        found = session.get_one(PurchaseOrder, order_id)
        session.expunge(found)
        return found

    return arrange(build)


def lines(order_id: int) -> list[PurchaseOrderLine]:
    """Return its lines."""

    def build(session):
        statement = select(PurchaseOrderLine).where(PurchaseOrderLine.order_id == order_id)
        found = session.exec(statement.order_by(PurchaseOrderLine.position)).all()
        session.expunge_all()
        return found

    return arrange(build)


def change(order_id: int, **values: object) -> None:
    """Set columns of an order as other operations would."""

    def build(session):
        found = session.get_one(PurchaseOrder, order_id)
        for name, value in values.items():
            setattr(found, name, value)

    arrange(build)


def receive(order_id: int, *quantities: int, status: str = "partially_received") -> None:
    """Let goods come, line by line."""

    def build(session):
        statement = select(PurchaseOrderLine).where(PurchaseOrderLine.order_id == order_id)
        found = session.exec(statement.order_by(PurchaseOrderLine.position)).all()
        for line, quantity in zip(found, quantities, strict=False):
            line.received = Decimal(quantity)

    arrange(build)
    change(order_id, status=status)


def ordered(shop: Market, approver: Actor | None, *given: LineInput) -> int:
    """Bring an order to its supplier, past whoever has to agree."""
    order_id = write(shop, *given).order_id
    step(orders.submit_order, order_id)
    if approver and known(order_id).status == "submitted":
        with acting_as(approver):
            step(orders.approve_order, order_id)
    step(orders.place_order, order_id)
    return order_id


def shown(order_id: int) -> orders._order_views.OrderDetail:
    """Return an order as its page shows it to whoever acts."""
    found = read(orders.order_detail, order_id=order_id)
    assert found is not None
    return found


def day(text: str) -> date:
    """Read a day."""
    return date.fromisoformat(text)
