"""Orders that were placed, for the tests of receiving: what is waited for, and what the papers say of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

from sqlmodel import Session

from inventory_app.models.purchasing import OrderStatus, PurchaseOrder, PurchaseOrderLine
from inventory_app.models.suppliers import SupplierStatus
from inventory_app.operations import receiving
from inventory_app.operations._receipt_books import Booked
from inventory_app.operations._receipt_lines import Back, Came
from inventory_app.unit_of_work import transact
from tests.factories import arrange, location, product, supplier

_NUMBERS = count(1)


@dataclass(frozen=True)
class Ordered:
    """An order that was placed, its lines in their order, and where it is to come."""

    id: int
    number: str
    lines: tuple[int, ...]
    products: tuple[int | None, ...]
    location: int


def ordered(
    *lines: dict[str, Any], tolerance: int = 0, place: int | None = None, supplier_id: int | None = None, **columns: Any
) -> Ordered:
    """Place an order; each line has `quantity`, and `product_id` or nothing where it is not kept in stock."""
    # Of a year in which nothing else is numbered.
    number = f"PO-2024-{next(_NUMBERS):04d}"
    made_by = supplier_id or supplier(f"Supplier of {number}", status=SupplierStatus.APPROVED).id
    place = place or location(f"DOCK-{number}", name=f"Dock {number}").id or 0

    def build(session: Session) -> Ordered:
        usual = {"status": OrderStatus.ORDERED, "currency": "USD", "rate": Decimal(1)}
        order = PurchaseOrder(number=number, supplier_id=made_by, location_id=place, **(usual | columns))
        session.add(order)
        session.flush()
        rows = [
            PurchaseOrderLine(
                **{
                    "order_id": order.id,
                    "position": position,
                    "description": f"Thing {position}",
                    "unit_cost": Decimal("2.5"),
                    "receivable": Decimal(line["quantity"]) * (100 + tolerance) / 100,
                }
                | line
            )
            for position, line in enumerate(lines, start=1)
        ]
        session.add_all(rows)
        session.flush()
        return Ordered(order.id or 0, number, tuple(r.id or 0 for r in rows), tuple(r.product_id for r in rows), place)

    return arrange(build)


def bolts(quantity: str | int = 10, *, tolerance: int = 0, **columns: Any) -> Ordered:
    """Order so many bolts, of which there are none yet, at 2.50 each."""
    sku = f"BOLT-{next(_NUMBERS)}"
    made = product(sku, name="Bolt").id
    line = {"product_id": made, "quantity": Decimal(quantity), "description": "Bolt M4"}
    return ordered(line | columns, tolerance=tolerance)


def came(order: Ordered, *quantities: str | int | Came, **more: Any) -> Booked:
    """Receive so much of the lines, one after the other; 0: nothing of it."""
    return transact(receiving.receive_goods, order_id=order.id, lines=rows(order, quantities), **more)


def rows(order: Ordered, quantities: Sequence[str | int | Came]) -> list[Came]:
    return [
        one if isinstance(one, Came) else Came(line_id, Decimal(one))
        for line_id, one in zip((*order.lines, *([0] * len(quantities))), quantities, strict=False)
        if isinstance(one, Came) or one != 0
    ]


def back(order: Ordered, *lines: Back, note: str = "wrong colour", **more: Any) -> Booked:
    return transact(receiving.return_goods, order_id=order.id, lines=list(lines), note=note, **more)


def correct(receipt_id: int, note: str = "counted wrong", **more: Any) -> Booked:
    return transact(receiving.correct_receipt, receipt_id=receipt_id, note=note, **more)
