"""Whatever people do in whatever order, the stock is what a plain dictionary says."""

from decimal import Decimal
from itertools import count
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from inventory_app.context import acting_as
from inventory_app.errors import AppError, InsufficientStock, Invalid, InvalidRows
from inventory_app.operations import stock
from inventory_app.unit_of_work import transact
from tests.factories import location
from tests.operations.shelf import Ledger, adjust, bulk, issue, transfer

#: Whole and broken numbers, around the few pieces that are there.
QUANTITIES = st.one_of(
    st.integers(-3, 12).map(Decimal), st.sampled_from([Decimal("0.5"), Decimal("2.125"), Decimal("0.0001")])
)
UNITS = {"pcs": 0, "kg": 3}


def fits(quantity: Decimal, unit: str) -> bool:
    return quantity == round(quantity, UNITS[unit])


class Stock(RuleBasedStateMachine):
    """Create, transfer, adjust, issue and count, against a dictionary from item to quantity."""

    items = Bundle("items")
    ledger: Ledger
    skus = count()
    places: list[int]

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[int, Decimal] = {}
        self.product: dict[int, int] = {}
        self.unit: dict[int, str] = {}
        self.at: dict[tuple[int, int], int] = {}
        self.movements = 0

    def attempt(self, expected: type[AppError] | None, function: Any, *args: Any, **more: Any) -> Any:
        """Run it, and be sure that it is refused exactly when the dictionary says so."""
        try:
            result = function(*args, **more)
        except AppError as error:
            assert type(error) is expected, error  # noqa: PT017  # which one is the point
            return None
        assert expected is None, result
        return result

    @rule(target=items, unit=st.sampled_from(sorted(UNITS)), opening=QUANTITIES, place=st.integers(0, 2))
    def create(self, unit: str, opening: Decimal, place: int) -> Any:
        made = self.attempt(
            None if opening >= 0 and fits(opening, unit) else Invalid,
            transact,
            stock.create_inventory_item,
            sku=f"M{next(self.skus)}",
            name="Thing",
            unit_code=unit,
            unit_cost=Decimal("0.3333"),
            location_id=self.places[place],
            quantity=opening,
        )
        if made is None:
            return multiple()
        self._know(made.item_id, made.product_id, unit, self.places[place])
        self.held[made.item_id] = opening
        self.movements += opening != 0
        return made.item_id

    def _know(self, item_id: int, product_id: int, unit: str, place: int) -> None:
        self.held.setdefault(item_id, Decimal(0))
        self.product[item_id], self.unit[item_id] = product_id, unit
        self.at[product_id, place] = item_id

    def _taking(self, item_id: int, quantity: Decimal) -> type[AppError] | None:
        if quantity <= 0 or not fits(quantity, self.unit[item_id]):
            return Invalid
        return InsufficientStock if self.held[item_id] < quantity else None

    @rule(target=items, one=items, place=st.integers(0, 2), quantity=QUANTITIES)
    def transfer_to_a_place(self, one: int, place: int, quantity: Decimal) -> Any:
        target = self.at.get((self.product[one], self.places[place]))
        expected = Invalid if target == one else self._taking(one, quantity)
        done = self.attempt(expected, transfer, one, None, quantity, to_location_id=self.places[place])
        if done is None:
            return multiple()
        if target is None:
            target = self.ledger.movements()[-1].item_id
            self._know(target, self.product[one], self.unit[one], self.places[place])
        self._moved(one, target, quantity)
        return target

    @rule(one=items, other=items, quantity=QUANTITIES)
    def transfer_between(self, one: int, other: int, quantity: Decimal) -> None:
        if one == other or quantity <= 0 or self.product[one] != self.product[other]:
            expected: type[AppError] | None = Invalid
        else:
            expected = self._taking(one, quantity)
        if self.attempt(expected, transfer, one, other, quantity):
            self._moved(one, other, quantity)

    def _moved(self, one: int, other: int, quantity: Decimal) -> None:
        self.held[one] -= quantity
        self.held[other] += quantity
        self.movements += 2

    @rule(one=items, quantity=QUANTITIES)
    def issue(self, one: int, quantity: Decimal) -> None:
        if self.attempt(self._taking(one, quantity), issue, one, quantity):
            self.held[one] -= quantity
            self.movements += 1

    @rule(one=items, quantity=QUANTITIES)
    def adjust(self, one: int, quantity: Decimal) -> None:
        expected = self._taking(one, abs(quantity)) if quantity <= 0 else self._giving(one, quantity)
        if self.attempt(expected, adjust, one, quantity):
            self.held[one] += quantity
            self.movements += 1

    def _giving(self, item_id: int, quantity: Decimal) -> type[AppError] | None:
        return None if fits(quantity, self.unit[item_id]) else Invalid

    @rule(counted=st.lists(st.tuples(items, QUANTITIES, st.booleans()), max_size=5))
    def count_many(self, counted: list[tuple[int, Decimal, bool]]) -> None:
        ids = [item_id for item_id, _, _ in counted]
        rows = [
            (item_id, quantity, self.held[item_id] if fresh else self.held[item_id] + 1)
            for item_id, quantity, fresh in counted
        ]
        wrong = any(
            quantity < 0 or not fits(quantity, self.unit[item_id]) or not fresh for item_id, quantity, fresh in counted
        )
        expected = InvalidRows if wrong or len(set(ids)) < len(ids) else None
        changed = self.attempt(expected, bulk, *rows)
        if expected is None:
            assert changed == sum(quantity != self.held[item_id] for item_id, quantity, _ in counted)
            self.movements += changed
            self.held.update((item_id, quantity) for item_id, quantity, _ in counted)

    @invariant()
    def the_stock_is_what_the_dictionary_says(self) -> None:
        if self.held:
            assert self.ledger.quantities(*self.held) == list(self.held.values())
            assert len(self.ledger.movements(*self.held)) == self.movements

    def teardown(self) -> None:
        self.ledger.balances()
        assert self.ledger.totals().value == 0


@pytest.mark.parametrize("way", ["in one statement", "in steps"])
def test_the_stock_is_what_a_dictionary_says(ann, observer, monkeypatch, way):
    if way == "in steps":
        monkeypatch.setattr(stock, "move", lambda *_, **__: None)
    Stock.ledger = Ledger(observer)
    Stock.places = [location(code, name=code).id or 0 for code in ("P1", "P2", "P3")]
    with acting_as(ann):
        run_state_machine_as_test(
            Stock,
            settings=settings(
                max_examples=12,
                stateful_step_count=30,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
