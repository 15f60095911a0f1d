"""A product on shelves, for the tests of stock: what is there, what the ledger says, and what is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.rows import namedtuple_row

from inventory_app.errors import AppError
from inventory_app.operations import stock
from inventory_app.unit_of_work import open_session, transact
from tests.factories import item, location, product

REASON = "found"


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
    return transact(stock.bulk_update_inventory, updates=rows, **more)


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

    def balances(self) -> None:
        """Assert that every quantity is the sum of its movements, without a gap in their numbers."""
        with open_session() as session:
            assert stock.books_balance(session) == []

    def rows(self, statement: str, values: dict[str, Any] | Sequence[Any] = ()) -> list[Any]:
        """Return what a statement finds, by the names of its columns."""
        return self._connection.cursor(row_factory=namedtuple_row).execute(statement, values).fetchall()
