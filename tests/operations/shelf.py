"""A product on shelves, for the tests of stock: what is there, what the ledger says, and what is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.rows import namedtuple_row

from inventory_app.errors import AppError
from inventory_app.models._base import now
from inventory_app.operations import reservations, reversals, shipments, stock
from inventory_app.operations.books import books_balance
from inventory_app.unit_of_work import open_session, transact
from tests.factories import item, location, product

REASON = "found"
GONE = "This item does not exist (any more). Reload the page."


@dataclass(frozen=True)
class Shelf:
    """One product at two places of its own."""

    here: int
    there: int
    product_id: int
    here_location: int
    there_location: int


def shelf(name: str = "Bolt", *, here: str = "10", there: str = "5", **columns: Any) -> Shelf:
    """Put `name` at `<name> north` (here) and `<name> south` (there)."""
    made = product(name.upper(), name=name, **({"unit_cost": Decimal("2.5")} | columns)).id or 0
    north = location(f"{name.upper()}-N", name=f"{name} north").id or 0
    south = location(f"{name.upper()}-S", name=f"{name} south").id or 0
    one, other = item(made, north, Decimal(here)), item(made, south, Decimal(there))
    return Shelf(one.id or 0, other.id or 0, made, north, south)


@dataclass(frozen=True)
class LotShelf:
    """One product of two lots at a place, and another place where it can go."""

    one: int
    other: int
    product_id: int
    there_location: int


def lot_shelf(name: str = "Milk", *, each: str = "10") -> LotShelf:
    """Put lots A1 and B2 of `name` into `<name> cellar`, at 2.50 each."""
    made = product(name.upper(), name=name, lots_kept=True, unit_cost=Decimal("2.5")).id or 0
    cellar = location(f"{name.upper()}-C", name=f"{name} cellar").id or 0
    there = location(f"{name.upper()}-S", name=f"{name} shop").id or 0
    items = [
        transact(
            stock.create_inventory_item,
            product_id=made,
            location_id=cellar,
            quantity=Decimal(each),
            lot_code=code,
        ).item_id
        for code in ("A1", "B2")
    ]
    return LotShelf(*items, made, there)


def receive(quantity: str | int, **more: Any) -> stock.Changed:
    return transact(stock.receive_inventory, quantity=Decimal(quantity), **more)


def reserve(item_id: int, quantity: str | int, **more: Any) -> reservations.Reserved:
    until = {"expires_at": now() + timedelta(hours=1)}
    return transact(reservations.reserve, item_id=item_id, quantity=Decimal(quantity), **(until | more))


def send(from_item_id: int, to_location_id: int, quantity: str | int, **more: Any) -> shipments.Sent:
    return transact(
        shipments.send_shipment,
        from_item_id=from_item_id,
        to_location_id=to_location_id,
        quantity=Decimal(quantity),
        **more,
    )


def accept(shipment_id: int, accepted: str | int | None = None, **more: Any) -> shipments.Accepted:
    arrived = None if accepted is None else Decimal(accepted)
    return transact(shipments.accept_shipment, shipment_id=shipment_id, accepted=arrived, **more)


def take_back(movement_id: int, **more: Any) -> reversals.TakenBack:
    return transact(reversals.reverse_movement, movement_id=movement_id, **more)


def undo(taken_id: str, **more: Any) -> reversals.TakenBack:
    return transact(reversals.reverse_operation, taken_id=taken_id, **more)


def transfer(from_item_id: int, to_item_id: int | None, quantity: str | int = 1, **more: Any) -> stock.Transferred:
    return transact(
        stock.transfer_inventory,
        from_item_id=from_item_id,
        to_item_id=to_item_id,
        quantity=Decimal(quantity),
        **more,
    )


def adjust(item_id: int, quantity: str | int, reason_code: str = REASON, **more: Any) -> stock.Changed:
    return transact(
        stock.adjust_inventory, item_id=item_id, quantity=Decimal(quantity), reason_code=reason_code, **more
    )


def issue(item_id: int, quantity: str | int, **more: Any) -> stock.Changed:
    return transact(stock.issue_inventory, item_id=item_id, quantity=Decimal(quantity), **more)


def bulk(*updates: tuple[Any, ...], **more: Any) -> int:
    """Update `(item_id, quantity)` or `(item_id, quantity, read_quantity)` rows at once."""
    names = ("item_id", "quantity", "read_quantity")
    rows = [dict(zip(names, update, strict=False)) for update in updates]
    return transact(stock.bulk_update_inventory, updates=rows, **more).changed


def refusal(kind: type[AppError], function: Any, *args: Any, **more: Any) -> Any:
    """Return what is refused, which is exactly a `kind`."""
    with pytest.raises(AppError) as raised:
        function(*args, **more)
    assert type(raised.value) is kind
    return raised.value


class Ledger:
    """What is committed, seen on a connection of the test's own."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def quantities(self, *item_ids: int) -> list[Decimal]:
        """Return what the items hold, in the order they were named."""
        found = self.rows("SELECT id, quantity FROM inventory_item WHERE id = ANY (%s)", [list(item_ids)])
        held = {row.id: row.quantity for row in found}
        return [held[id_] for id_ in item_ids]

    def item(self, item_id: int) -> Any:
        """Return the whole item."""
        return self.rows("SELECT * FROM inventory_item WHERE id = %s", [item_id])[0]

    def movements(self, *item_ids: int) -> list[Any]:
        """Return the movements of the items, or of all, in the order they were written."""
        return self.rows(
            "SELECT * FROM stock_movement WHERE %(all)s OR item_id = ANY (%(ids)s) ORDER BY id",
            {"all": not item_ids, "ids": list(item_ids)},
        )

    def totals(self) -> tuple[Decimal, Decimal]:
        """Return the sums of all quantities and of the values of all transfers."""
        return self.rows(
            "SELECT (SELECT sum(quantity) FROM inventory_item) AS quantity,"
            " (SELECT coalesce(sum(value), 0) FROM stock_movement WHERE kind = 'transfer') AS value"
        )[0]

    def cost(self, product_id: int | None) -> Decimal:
        """Return the moving average of a product."""
        return self.rows("SELECT unit_cost FROM product WHERE id = %s", [product_id])[0].unit_cost

    def worth(self, product_id: int | None) -> tuple[Decimal, Decimal]:
        """Return how much of a product the company has, and its value."""
        found = self.rows("SELECT quantity, value FROM product_stock WHERE product_id = %s", [product_id])
        return tuple(found[0]) if found else (Decimal(0), Decimal(0))

    def balances(self) -> None:
        """Assert that what every item and every product has is the sum of its movements, numbered without a gap."""
        with open_session() as session:
            assert books_balance(session) == []
        assert not self.rows(
            "SELECT * FROM product_stock s FULL JOIN (SELECT i.product_id, sum(m.quantity) AS q, sum(m.value) AS v"
            "  FROM stock_movement m JOIN inventory_item i ON i.id = m.item_id GROUP BY 1) f USING (product_id)"
            " WHERE (coalesce(s.quantity, 0), coalesce(s.value, 0)) IS DISTINCT FROM (coalesce(q, 0), coalesce(v, 0))"
        )

    def rows(self, statement: str, values: dict[str, Any] | Sequence[Any] = ()) -> list[Any]:
        """Return what a statement finds, by the names of its columns."""
        return self._connection.cursor(row_factory=namedtuple_row).execute(statement, values).fetchall()
