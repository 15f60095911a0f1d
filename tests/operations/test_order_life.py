"""Whatever people do with orders, each stands where a plain dictionary says, or the step is refused."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from inventory_app.context import Actor, acting_as
from inventory_app.errors import AppError
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import orders
from tests.factories import arrange, person
from tests.operations.buying import Market, edit, known, lines, market, receive, shown, step, words, write

ALL = ("draft", "submitted", "approved", "ordered", "partially_received", "received", "closed", "cancelled")


@dataclass
class Life:
    """An order as the dictionary knows it."""

    cost: int
    quantity: int
    writers: set[str]
    status: str = "draft"
    number: str | None = None
    agreed: set[str] = field(default_factory=set)
    involved: set[str] = field(default_factory=set)
    received: int = 0
    given_up: int = 0
    let: bool = False

    @property
    def needed(self) -> int:
        """How many have to agree."""
        return 0 if self.total < 1000 else 1 if self.total < 10000 else 2

    @property
    def total(self) -> int:
        """What it comes to."""
        return self.cost * self.quantity


class Orders(RuleBasedStateMachine):
    """Three managers and an administrator at the orders of one supplier."""

    shop: ClassVar[Market]
    people: ClassVar[dict[str, Actor]]

    known_orders = Bundle("known_orders")
    who = st.sampled_from(["ann", "nancy", "mona", "ada"])

    def __init__(self) -> None:
        super().__init__()
        self.lives: dict[int, Life] = {}
        self.approved = True
        self.numbers = 0
        suspended(self.shop, now=False)

    def attempt(self, by: str, may: bool, act: Callable[[], Any]) -> Any:  # noqa: FBT001  # what the model says
        """Do it as somebody; the model says whether it is refused."""
        with acting_as(self.people[by]):
            if may:
                return act()
            with pytest.raises(AppError):
                act()
        return None

    @rule(target=known_orders, by=who, cost=st.sampled_from([10, 400, 1000, 6000]), quantity=st.integers(1, 3))
    def write(self, by: str, cost: int, quantity: int) -> int:
        with acting_as(self.people[by]):
            made = write(self.shop, words(quantity=quantity, cost=str(cost)))
        self.lives[made.order_id] = Life(cost, quantity, {by})
        return made.order_id

    @rule(order=known_orders, by=who, cost=st.sampled_from([10, 2000]))
    def edit(self, order: int, by: str, cost: int) -> None:
        life = self.lives[order]
        may = life.status == "draft"
        self.attempt(by, may, lambda: edit(self.shop, order, words(quantity=life.quantity, cost=str(cost))))
        if may:
            life.cost = cost
            life.writers.add(by)

    @rule(order=known_orders, by=who)
    def submit(self, order: int, by: str) -> None:
        life = self.lives[order]
        may = life.status == "draft" and (self.approved or life.let)
        self.attempt(by, may, lambda: step(orders.submit_order, order))
        if may:
            life.status = "submitted" if life.needed else "approved"
            life.agreed, life.involved = set(), life.writers | {by}
            if life.number is None:
                self.numbers += 1
                life.number = known(order).number

    @rule(order=known_orders, by=who, agrees=st.booleans())
    def decide(self, order: int, by: str, agrees: bool) -> None:  # noqa: FBT001  # drawn by name
        life = self.lives[order]
        may = life.status == "submitted" and by not in life.involved | life.agreed
        operation = orders.approve_order if agrees else orders.reject_order
        self.attempt(by, may, lambda: step(operation, order, reason="looked at it"))
        if may and agrees:
            life.agreed.add(by)
            life.status = "approved" if len(life.agreed) == life.needed else "submitted"
        elif may:
            life.status = "draft"

    @rule(order=known_orders, by=who)
    def revise(self, order: int, by: str) -> None:
        life = self.lives[order]
        may = life.status in ("submitted", "approved")
        self.attempt(by, may, lambda: step(orders.revise_order, order))
        if may:
            life.status = "draft"

    @rule(order=known_orders, by=who)
    def place(self, order: int, by: str) -> None:
        life = self.lives[order]
        may = life.status == "approved" and (self.approved or life.let)
        self.attempt(by, may, lambda: step(orders.place_order, order))
        if may:
            life.status = "ordered"

    @rule(order=known_orders, by=who)
    def let(self, order: int, by: str) -> None:
        life = self.lives[order]
        may = by == "ada" and not self.approved and not life.let
        may = may and life.status in ("draft", "submitted", "approved")
        self.attempt(by, may, lambda: step(orders.override_supplier, order, reason="the last parts"))
        if may:
            life.let = True

    @rule(order=known_orders, quantity=st.integers(1, 3))
    def goods_come(self, order: int, quantity: int) -> None:
        life = self.lives[order]
        if life.status not in ("ordered", "partially_received"):
            return
        life.received = min(life.quantity, life.received + quantity)
        life.status = "received" if life.received == life.quantity else "partially_received"
        receive(order, life.received, status=life.status)

    @rule(order=known_orders, by=who)
    def give_up(self, order: int, by: str) -> None:
        life = self.lives[order]
        may = life.status == "partially_received"
        self.attempt(by, may, lambda: step(orders.give_up_rest, order, reason="out of stock"))
        if may:
            life.status, life.given_up = "received", life.quantity - life.received

    @rule(order=known_orders, by=who)
    def cancel(self, order: int, by: str) -> None:
        life = self.lives[order]
        may = life.status in ("draft", "submitted", "approved", "ordered")
        self.attempt(by, may, lambda: step(orders.cancel_order, order, reason="not needed"))
        if may:
            life.status = "cancelled"

    @rule(order=known_orders, by=who)
    def close(self, order: int, by: str) -> None:
        life = self.lives[order]
        may = life.status == "received"
        self.attempt(by, may, lambda: step(orders.close_order, order))
        if may:
            life.status = "closed"

    @rule()
    def suspend_or_reinstate(self) -> None:
        self.approved = not self.approved
        suspended(self.shop, now=not self.approved)

    @rule(order=known_orders, by=who)
    def look(self, order: int, by: str) -> None:
        """Say on the page what the operations would do."""
        life = self.lives[order]
        with acting_as(self.people[by]):
            doing = shown(order).doing
        assert (doing.submit == "") == (life.status == "draft" and (self.approved or life.let))
        assert (doing.place == "") == (life.status == "approved" and (self.approved or life.let))
        assert (doing.approve == "") == (life.status == "submitted" and by not in life.involved | life.agreed)
        assert (doing.cancel == "") == (life.status in ("draft", "submitted", "approved", "ordered"))

    @invariant()
    def it_stands_where_the_dictionary_says(self) -> None:
        """Compare every order, its number, its amount and its lines."""
        for order_id, life in self.lives.items():
            found = known(order_id)
            assert (found.status, found.number, found.total) == (life.status, life.number, Decimal(life.total))
            assert found.status in ALL
            (line,) = lines(order_id)
            assert (line.received, line.given_up) == (life.received, life.given_up)
            assert line.receivable == (0 if life.status not in ALL[3:7] else life.quantity - life.given_up)
        given = sorted(life.number for life in self.lives.values() if life.number)
        assert len(set(given)) == self.numbers


def suspended(shop: Market, *, now: bool) -> None:
    status = "suspended" if now else "approved"
    arrange(lambda session: setattr(session.get_one(Supplier, shop.supplier), "status", status))


def test_an_order_stands_where_a_dictionary_says(database):
    Orders.shop = market()
    Orders.people = {
        "ada": person("ada", "admin"),
        **{name: person(name, "manager") for name in ("ann", "nancy", "mona")},
    }
    run_state_machine_as_test(
        Orders,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
