"""What people do with stock, as rules of a state machine, and what plain dictionaries say comes of it."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from typing import Any

import hypothesis.strategies as st
import sqlalchemy as sa
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
)
from sqlmodel import col

from inventory_app import importing, staging
from inventory_app.errors import (
    AlreadyDecided,
    AppError,
    Conflict,
    InsufficientStock,
    Invalid,
    InvalidRows,
    PeriodClosed,
)
from inventory_app.models._base import now
from inventory_app.models.stock import Reservation
from inventory_app.operations import (
    as_of,
    change_sets,
    import_views,
    periods,
    reservations,
    stock,
    valuation,
)
from inventory_app.unit_of_work import read, transact
from tests.factories import arrange, product
from tests.operations.shelf import (
    Ledger,
    accept,
    adjust,
    bulk,
    issue,
    receive,
    reserve,
    send,
    take_back,
    transfer,
    undo,
)

#: Whole and broken numbers, around the few pieces that are there.
QUANTITIES = st.one_of(
    st.integers(-3, 12).map(Decimal), st.sampled_from([Decimal("0.5"), Decimal("2.125"), Decimal("0.0001")])
)
COSTS = st.sampled_from([Decimal(text) for text in ("0", "0.0001", "0.3333", "1.25", "7")])
UNITS = {"pcs": 0, "kg": 3}
#: How many days ago something happened; None: just now.
DAYS = st.sampled_from([None, None, None, 5, 40])
PLACES_OF = ("P1", "P2", "P3")
PLACES = st.integers(0, len(PLACES_OF) - 1)


def fits(quantity: Decimal, unit: str) -> bool:
    return quantity == round(quantity, UNITS[unit])


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.0001"), ROUND_HALF_UP)


@dataclass
class Known:
    """A product as the dictionary knows it."""

    sku: str
    unit: str
    lots: bool
    cost: Decimal
    quantity: Decimal = Decimal(0)
    value: Decimal = Decimal(0)

    def average(self) -> None:
        if self.quantity > 0 and self.value >= 0:
            self.cost = cents(self.value / self.quantity)


@dataclass
class Booked:
    """What one operation booked: (item, quantity, value) each."""

    operation_id: str
    postings: list[tuple[int, Decimal, Decimal]] = field(default_factory=list)
    transfer: bool = False
    counter: bool = False
    #: The movements that were taken back, by their ids.
    taken: set[int] = field(default_factory=set)
    #: What settled a rounding difference goes with what it settled.
    settling: list[tuple[int, Decimal, Decimal]] = field(default_factory=list)


@dataclass
class Counted:
    """A set of changes: what each item held when it was proposed, and what it shall hold."""

    rows: dict[int, tuple[Decimal, Decimal]]
    status: str = "draft"


@dataclass
class Imported:
    """A file of stock that came in, and what it booked."""

    run_id: int
    booked: Booked
    #: How many movements there were then.
    until: int
    undone: bool = False


@dataclass
class Shipped:
    """What is on its way."""

    source: int
    transit: int
    place: int
    quantity: Decimal
    accepted: bool = False


class Stock(RuleBasedStateMachine):
    """Everything that people do with stock, against dictionaries of what items hold and products are worth."""

    items = Bundle("items")
    booked = Bundle("booked")
    kept = Bundle("kept")
    sent = Bundle("sent")
    counted = Bundle("counted")
    imported = Bundle("imported")
    ledger: Ledger
    skus, files = count(), count()
    places: list[int]

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[int, Decimal] = {}
        self.product: dict[int, int] = {}
        self.lot: dict[int, str] = {}
        self.place: dict[int, int] = {}
        self.at: dict[tuple[int, int, str], int] = {}
        self.products: dict[int, Known] = {}
        self.reserved: dict[int, tuple[int, Decimal]] = {}
        self.released: set[int] = set()
        self.shipments: dict[int, Shipped] = {}
        self.sets: dict[int, Counted] = {}
        self.closed: list[date] = []
        #: Every movement: item, quantity, value and the day it happened, None for when it was booked.
        self.booked_so_far: list[tuple[int, Decimal, Decimal, int | None]] = []
        #: What was there at a moment: how many movements had been booked.
        self.seen: list[tuple[datetime, int]] = []

    def attempt(self, expected: type[AppError] | None, function: Any, *args: Any, **more: Any) -> Any:
        """Run it, and be sure that it is refused exactly when the dictionary says so."""
        try:
            result = function(*args, **more)
        except AppError as error:
            assert type(error) is expected, error  # noqa: PT017  # which one is the point
            return None
        assert expected is None, result
        return result

    # ---- What the dictionaries do

    def _know(self, item_id: int, product_id: int, place: int, lot: str) -> int:
        self.held.setdefault(item_id, Decimal(0))
        self.product[item_id], self.lot[item_id], self.place[item_id] = product_id, lot, place
        self.at[product_id, place, lot] = item_id
        return item_id

    def _found(self, product_id: int, place: int, lot: str) -> int:
        """Return the item at a place, looked up in the database when it is new."""
        if (item := self.at.get((product_id, place, lot))) is not None:
            return item
        (row,) = self.ledger.rows(
            "SELECT i.id FROM inventory_item i LEFT JOIN lot l ON l.id = i.lot_id"
            " WHERE i.product_id = %s AND i.location_id = %s AND coalesce(l.code, '') = %s",
            [product_id, place, lot],
        )
        return self._know(row.id, product_id, place, lot)

    def _of(self, item_id: int) -> Known:
        return self.products[self.product[item_id]]

    def _book(
        self, into: Booked, item_id: int, quantity: Decimal, value: Decimal | None = None, days: int | None = None
    ) -> None:
        of = self._of(item_id)
        worth = cents(quantity * of.cost) if value is None else value
        self.held[item_id] += quantity
        of.quantity += quantity
        of.value += worth
        into.postings.append((item_id, quantity, worth))
        self.booked_so_far.append((item_id, quantity, worth, days))

    def _settle(self, into: Booked, days: int | None = None) -> None:
        for item_id in {self.product[item_id]: item_id for item_id, _, _ in into.postings}.values():
            of = self._of(item_id)
            if of.quantity == 0 and of.value != 0:
                self._book(into, item_id, Decimal(0), -of.value, days)
                into.settling.append(into.postings[-1])

    def _available(self, item_id: int) -> Decimal:
        return self.held[item_id] - sum(q for item, q in self.reserved.values() if item == item_id)

    def _taking(self, item_id: int, quantity: Decimal, days: int | None = None) -> type[AppError] | None:
        if quantity <= 0 or not fits(quantity, self._of(item_id).unit):
            return Invalid
        return InsufficientStock if self._available(item_id) < quantity else self._dated(days)

    def _dated(self, days: int | None) -> type[AppError] | None:
        day = None if days is None else now().date() - timedelta(days=days)
        return PeriodClosed if day and self.closed and day <= self.closed[-1] else None

    # ---- What people do

    @rule(target=items, unit=st.sampled_from(sorted(UNITS)), opening=QUANTITIES, place=PLACES, cost=COSTS)
    def create(self, unit: str, opening: Decimal, place: int, cost: Decimal) -> Any:
        made = self.attempt(
            None if opening >= 0 and fits(opening, unit) else Invalid,
            transact,
            stock.create_inventory_item,
            sku=(sku := f"M{next(self.skus)}"),
            name="Thing",
            unit_code=unit,
            unit_cost=cost,
            location_id=self.places[place],
            quantity=opening,
        )
        if made is None:
            return multiple()
        self.products[made.product_id] = Known(sku, unit, lots=False, cost=cost)
        item = self._know(made.item_id, made.product_id, self.places[place], "")
        if opening:
            self._book(Booked(""), item, opening)
        return item

    @rule(target=items, unit=st.sampled_from(sorted(UNITS)), place=PLACES, cost=COSTS)
    def create_with_lots(self, unit: str, place: int, cost: Decimal) -> int:
        sku = f"M{next(self.skus)}"
        made = product(sku, unit_code=unit, unit_cost=cost, lots_kept=True).id or 0
        self.products[made] = Known(sku, unit, lots=True, cost=cost)
        at = self.places[place]
        receive(3, product_id=made, location_id=at, lot_code="A")
        item = self._found(made, at, "A")
        self._book(Booked(""), item, Decimal(3))
        return item

    @rule(
        target=booked,
        one=items,
        place=PLACES,
        lot=st.sampled_from(["", "A", "B"]),
        quantity=QUANTITIES,
        cost=st.none() | COSTS,
        days=DAYS,
    )
    def receive(self, one: int, place: int, lot: str, quantity: Decimal, cost: Decimal | None, days: int | None) -> Any:
        of, product_id, at = self._of(one), self.product[one], self.places[place]
        right = quantity > 0 and fits(quantity, of.unit) and of.lots == bool(lot)
        more = {} if days is None else {"occurred_at": now() - timedelta(days=days)}
        done = self.attempt(
            self._dated(days) if right else Invalid,
            receive,
            quantity,
            product_id=product_id,
            location_id=at,
            lot_code=lot,
            unit_cost=cost,
            **more,
        )
        if done is None:
            return multiple()
        booked = Booked(done.operation_id)
        worth = None if cost is None else cents(quantity * cost)
        self._book(booked, self._found(product_id, at, lot), quantity, worth, days)
        if cost is not None:
            of.average()
        return booked

    @rule(target=items, one=items, place=PLACES)
    def look_elsewhere(self, one: int, place: int) -> Any:
        """Let what a receipt or a transfer made be used by the other rules."""
        found = self.at.get((self.product[one], self.places[place], self.lot[one]))
        return multiple() if found is None else found

    @rule(target=booked, one=items, place=PLACES, quantity=QUANTITIES)
    def transfer_to_a_place(self, one: int, place: int, quantity: Decimal) -> Any:
        at = self.places[place]
        same = self.place[one] == at
        done = self.attempt(
            Invalid if same else self._taking(one, quantity), transfer, one, None, quantity, to_location_id=at
        )
        if done is None:
            return multiple()
        return self._moved(one, self._found(self.product[one], at, self.lot[one]), quantity, done.operation_id)

    @rule(target=booked, one=items, other=items, quantity=QUANTITIES)
    def transfer_between(self, one: int, other: int, quantity: Decimal) -> Any:
        alike = (self.product[one], self.lot[one]) == (self.product[other], self.lot[other])
        expected = self._taking(one, quantity) if one != other and alike else Invalid
        done = self.attempt(expected, transfer, one, other, quantity)
        return multiple() if done is None else self._moved(one, other, quantity, done.operation_id)

    def _moved(self, one: int, other: int, quantity: Decimal, operation_id: str) -> Booked:
        booked = Booked(operation_id, transfer=True)
        self._book(booked, one, -quantity)
        self._book(booked, other, quantity)
        return booked

    @rule(target=booked, one=items, quantity=QUANTITIES, days=DAYS)
    def issue(self, one: int, quantity: Decimal, days: int | None) -> Any:
        more = {} if days is None else {"occurred_at": now() - timedelta(days=days)}
        return self._changed(
            self.attempt(self._taking(one, quantity, days), issue, one, quantity, **more), one, -quantity, days
        )

    @rule(target=booked, one=items, quantity=QUANTITIES)
    def adjust(self, one: int, quantity: Decimal) -> Any:
        giving = None if fits(quantity, self._of(one).unit) else Invalid
        expected = self._taking(one, abs(quantity)) if quantity <= 0 else giving
        return self._changed(self.attempt(expected, adjust, one, quantity), one, quantity)

    def _changed(self, done: Any, item_id: int, quantity: Decimal, days: int | None = None) -> Any:
        if done is None:
            return multiple()
        booked = Booked(done.operation_id)
        self._book(booked, item_id, quantity, None, days)
        self._settle(booked, days)
        return booked

    @rule(target=booked, counted=st.lists(st.tuples(items, QUANTITIES, st.booleans()), max_size=5))
    def count_many(self, counted: list[tuple[int, Decimal, bool]]) -> Any:
        ids = [item_id for item_id, _, _ in counted]
        rows = [
            (item_id, quantity, self.held[item_id] if fresh else self.held[item_id] + 1)
            for item_id, quantity, fresh in counted
        ]
        wrong = any(
            quantity < 0
            or not fits(quantity, self._of(item_id).unit)
            or not fresh
            or quantity < self.held[item_id] - self._available(item_id)
            for item_id, quantity, fresh in counted
        )
        expected = InvalidRows if wrong or len(set(ids)) < len(ids) else None
        changed = self.attempt(expected, bulk, *rows)
        if not changed:
            return multiple()
        booked = self._bring_to({item_id: quantity for item_id, quantity, _ in counted})
        assert changed == len(booked.postings) - len(booked.settling)
        return booked

    def _bring_to(self, quantities: dict[int, Decimal]) -> Booked:
        """Book what was counted just now."""
        booked = Booked(str(self.ledger.movements()[-1].operation_id))
        for item_id, quantity in quantities.items():
            if quantity != self.held[item_id]:
                self._book(booked, item_id, quantity - self.held[item_id])
        self._settle(booked)
        return booked

    @rule(target=booked, one=booked)
    def take_back(self, one: Booked) -> Any:
        if not one.postings:
            return multiple()
        return self._taken_back(one, self._movements_of(one), lambda: undo(one.operation_id))

    @rule(target=booked, one=booked, which=st.integers(0, 5))
    def take_one_back(self, one: Booked, which: int) -> Any:
        """Take a single movement back, a transfer with both its halves."""
        if not one.postings:
            return multiple()
        movements = self._movements_of(one)
        chosen = movements[which % len(movements)]
        return self._taken_back(one, movements if one.transfer else [chosen], lambda: take_back(chosen.id))

    def _movements_of(self, one: Booked) -> list[Any]:
        found = self.ledger.rows(
            "SELECT id, item_id, quantity, value FROM stock_movement WHERE operation_id = %s ORDER BY id",
            [one.operation_id],
        )
        assert sorted((row.item_id, row.quantity, row.value) for row in found) == sorted(one.postings)
        return found

    def _taken_back(self, one: Booked, taken: list[Any], undoing: Any) -> Any:
        postings = [(row.item_id, row.quantity, row.value) for row in taken]
        out: dict[int, Decimal] = {}
        after: dict[int, tuple[Decimal, Decimal]] = {}
        for item_id, quantity, value in postings:
            out[item_id] = out.get(item_id, Decimal(0)) + quantity
            of = self._of(item_id)
            had = after.get(self.product[item_id], (of.quantity, of.value))
            after[self.product[item_id]] = (had[0] - quantity, had[1] - value)
        expected: type[AppError] | None = None
        if one.counter or all(posting in one.settling for posting in postings):
            expected = Conflict
        elif any(row.id in one.taken for row in taken):
            expected = AlreadyDecided
        elif any(quantity > 0 and self._available(item_id) < quantity for item_id, quantity in out.items()):
            expected = InsufficientStock
        elif not one.transfer and any(quantity > 0 and value < 0 for quantity, value in after.values()):
            expected = Conflict
        done = self.attempt(expected, undoing)
        if done is None:
            return multiple()
        assert done.movements == len(taken)
        one.taken |= {row.id for row in taken}
        counter = Booked(done.operation_id, counter=True)
        self._counter(counter, postings, transfer=one.transfer)
        return counter

    def _counter(self, counter: Booked, postings: list[tuple[int, Decimal, Decimal]], *, transfer: bool) -> None:
        for item_id, quantity, value in postings:
            self._book(counter, item_id, -quantity, -value)
        self._settle(counter)
        if not transfer:
            for product_id in {self.product[item_id] for item_id, _, _ in postings}:
                self.products[product_id].average()

    @rule(target=booked, one=items, cost=COSTS)
    def revalue(self, one: int, cost: Decimal) -> Any:
        of, product_id = self._of(one), self.product[one]
        worth = cents(of.quantity * cost)
        same = of.cost == cost and worth == of.value
        done = self.attempt(
            Conflict if same else None,
            transact,
            valuation.revalue_product,
            product_id=product_id,
            unit_cost=cost,
            note="worth something else",
        )
        if done is None:
            return multiple()
        of.cost = cost
        booked = Booked(done.operation_id)
        held = sorted(item for item in self.held if self.product[item] == product_id and self.held[item] > 0)
        left, difference, quantity = worth - of.value, worth - of.value, of.quantity
        for item_id in held:
            share = left if item_id == held[-1] else cents(difference * self.held[item_id] / quantity)
            left -= share
            if share:
                self._book(booked, item_id, Decimal(0), share)
        return booked if booked.postings else multiple()

    @rule(target=kept, one=items, quantity=QUANTITIES)
    def reserve(self, one: int, quantity: Decimal) -> Any:
        done = self.attempt(self._taking(one, quantity), reserve, one, quantity)
        if done is None:
            return multiple()
        self.reserved[done.reservation_id] = (one, quantity)
        return done.reservation_id

    @rule(one=kept)
    def release(self, one: int) -> None:
        expected = AlreadyDecided if one in self.released else None
        self.attempt(expected, transact, reservations.release_reservation, reservation_id=one)
        self.released.add(one)
        self.reserved.pop(one, None)

    @rule(one=kept)
    def lapse(self, one: int) -> None:
        """Let its time be over."""
        over = sa.update(Reservation).where(col(Reservation.id) == one).values(expires_at=now())
        arrange(lambda session: session.execute(over))
        self.reserved.pop(one, None)

    @rule(target=sent, one=items, place=PLACES, quantity=QUANTITIES)
    def send(self, one: int, place: int, quantity: Decimal) -> Any:
        at = self.places[place]
        done = self.attempt(Invalid if self.place[one] == at else self._taking(one, quantity), send, one, at, quantity)
        if done is None:
            return multiple()
        (row,) = self.ledger.rows(
            "SELECT s.transit_item_id, i.location_id FROM shipment s JOIN inventory_item i ON i.id = s.transit_item_id"
            " WHERE s.id = %s",
            [done.shipment_id],
        )
        transit = self._know(row.transit_item_id, self.product[one], row.location_id, self.lot[one])
        self._moved(one, transit, quantity, "")
        self.shipments[done.shipment_id] = Shipped(one, transit, at, quantity)
        return done.shipment_id

    @rule(one=sent, arrived=st.none() | QUANTITIES)
    def accept(self, one: int, arrived: Decimal | None) -> None:
        shipped = self.shipments[one]
        came = shipped.quantity if arrived is None else arrived
        right = 0 <= came <= shipped.quantity and fits(came, self._of(shipped.source).unit)
        expected = AlreadyDecided if shipped.accepted else None if right else Invalid
        if self.attempt(expected, accept, one, arrived) is None:
            return
        shipped.accepted = True
        (loss,) = self.ledger.rows("SELECT min(id) AS id FROM location WHERE kind = 'loss'")
        for at, part in ((shipped.place, came), (loss.id, shipped.quantity - came)):
            if part:
                target = self._found(self.product[shipped.source], at, self.lot[shipped.source])
                self._moved(shipped.transit, target, part, "")

    @rule(days=st.sampled_from([20, 60]))
    def close(self, days: int) -> None:
        day = now().date() - timedelta(days=days)
        expected = Invalid if self.closed and self.closed[-1] >= day else None
        if self.attempt(expected, transact, periods.close_period, closed_through=day) is not None:
            self.closed.append(day)

    @precondition(lambda self: self.closed)
    @rule()
    def open_again(self) -> None:
        (last,) = [row for row in read(periods.list_periods).rows if row.last]
        said = transact(periods.reopen_period, period_id=last.id, reason="an invoice came late")
        assert said == periods.said(self.closed.pop())

    # ---- Sets of changes

    @rule(target=counted, quantities=st.lists(st.tuples(items, QUANTITIES), max_size=3))
    def propose(self, quantities: list[tuple[int, Decimal]]) -> Any:
        asked = dict(quantities)
        rows = {item: (self.held[item], quantity) for item, quantity in asked.items() if quantity != self.held[item]}
        wrong = any(quantity < 0 or quantity != round(quantity, 3) for quantity in asked.values())
        done = self.attempt(
            Invalid if wrong or not rows else None,
            transact,
            change_sets.propose_quantities,
            quantities={item_id: str(quantity) for item_id, quantity in asked.items()},
        )
        if done is None:
            return multiple()
        self.sets[done.change_set_id] = Counted(dict(sorted(rows.items())))
        return done.change_set_id

    @rule(target=booked, one=counted)
    def apply(self, one: int) -> Any:
        return self._write(one, change_sets.apply_changes, "draft", "applied")

    @rule(target=booked, one=counted)
    def revert(self, one: int) -> Any:
        return self._write(one, change_sets.revert_changes, "applied", "reverted")

    def _write(self, one: int, way: Any, before: str, after: str) -> Any:
        found = self.sets[one]
        rows = {item_id: pair if before == "draft" else (pair[1], pair[0]) for item_id, pair in found.rows.items()}
        wrong = any(
            self.held[item_id] != now_held
            or not fits(wanted, self._of(item_id).unit)
            or wanted < self.held[item_id] - self._available(item_id)
            for item_id, (now_held, wanted) in rows.items()
        )
        expected = AlreadyDecided if found.status != before else InvalidRows if wrong else None
        if self.attempt(expected, transact, way, change_set_id=one) is None:
            return multiple()
        found.status = after
        return self._bring_to({item_id: wanted for item_id, (_, wanted) in rows.items()})

    # ---- Files

    @rule(
        target=imported,
        rows=st.lists(st.tuples(items, PLACES, QUANTITIES), min_size=1, max_size=3),
        cost=st.none() | COSTS,
    )
    def bring_in(self, rows: list[tuple[int, int, Decimal]], cost: Decimal | None) -> Any:
        """Import what was counted; each item once, and a cost only where the company has none of it."""
        wanted: dict[tuple[int, int, str], Decimal] = {}
        for one, place, quantity in rows:
            key = self.product[one], self.places[place], self.lot[one]
            here = self.at.get(key)
            reserved = self.held[here] - self._available(here) if here is not None else Decimal(0)
            if quantity >= reserved and fits(quantity, self._of(one).unit):
                wanted[key] = quantity
        if not wanted:
            return multiple()
        first = {product_id for product_id, _, _ in wanted if not self.products[product_id].quantity}
        number = next(self.files)
        lines = [
            f"{self.products[product_id].sku},{PLACES_OF[self.places.index(at)]},{lot},{quantity},"
            f"{cost if cost is not None and product_id in first else ''},{number}"
            for (product_id, at, lot), quantity in wanted.items()
        ]
        key, path = staging.new_file()
        # No two files are the same: one that came in already is refused.
        path.write_text("\n".join(["sku,location,lot,quantity,unit_cost,file", *lines]))
        run_id = importing.take("stock", key, "stock.csv")
        columns = {one.field: one.column for one in read(import_views.run_of, run_id=run_id).choices if one.column >= 0}
        importing.check(run_id, columns, "update").result()
        importing.apply(run_id).result()
        done = read(import_views.run_of, run_id=run_id)
        assert (done.status, done.faulty_rows, done.problem) == ("applied", 0, "")
        if cost is not None:
            for product_id in first & {product_id for (product_id, _, _), quantity in wanted.items() if quantity}:
                self.products[product_id].cost = cost
        return Imported(run_id, self._brought(wanted), len(self.booked_so_far))

    def _brought(self, wanted: dict[tuple[int, int, str], Decimal]) -> Booked:
        """Book what a file brought: what is new somewhere as it is written, then what was counted."""
        before = len(self.booked_so_far)
        booked = Booked("")
        new = {key: quantity for key, quantity in wanted.items() if key not in self.at}
        for key, quantity in new.items():
            item_id = self._found(*key)
            if quantity:
                self._book(booked, item_id, quantity)
        for item_id, quantity in sorted((self.at[key], quantity) for key, quantity in wanted.items() if key not in new):
            if quantity != self.held[item_id]:
                self._book(booked, item_id, quantity - self.held[item_id])
        self._settle(booked)
        if len(self.booked_so_far) > before:
            booked.operation_id = str(self.ledger.movements()[-1].operation_id)
        return booked

    @rule(target=booked, one=imported)
    def keep(self, one: Imported) -> Any:
        """Let what a file booked be taken back like everything else."""
        return one.booked

    @rule(target=booked, one=imported)
    def take_out(self, one: Imported) -> Any:
        touched = {item_id for item_id, _, _ in one.booked.postings}
        later = {item_id for item_id, *_ in self.booked_so_far[one.until :]}
        left: dict[int, tuple[Decimal, Decimal]] = {}
        out: dict[int, Decimal] = {}
        for item_id, quantity, value in one.booked.postings:
            of = self._of(item_id)
            had = left.get(self.product[item_id], (of.quantity, of.value))
            left[self.product[item_id]] = (had[0] - quantity, had[1] - value)
            out[item_id] = out.get(item_id, Decimal(0)) + quantity
        expected: type[AppError] | None = None
        if one.undone or touched & later:
            expected = Conflict
        elif any(quantity > 0 and self._available(item_id) < quantity for item_id, quantity in out.items()):
            expected = InsufficientStock
        elif any(quantity > 0 and value < 0 for quantity, value in left.values()):
            expected = Conflict
        if self.attempt(expected, importing.undo, one.run_id, "the wrong file") is None:
            return multiple()
        one.undone = True
        if not one.booked.postings:
            return multiple()
        one.booked.taken |= {row.id for row in self._movements_of(one.booked)}
        counter = Booked(str(self.ledger.movements()[-1].operation_id), counter=True)
        self._counter(counter, one.booked.postings, transfer=False)
        return counter

    # ---- Looking back

    @rule()
    def look(self) -> None:
        self.seen.append((now(), len(self.booked_so_far)))

    def _what_was(self, at: datetime, way: as_of.Way, booked: list[tuple[int, Decimal, Decimal, int | None]]) -> None:
        """Compare what every item and product is said to have been with what was booked of it."""
        for item_id in self.held:
            mine = [one for one in booked if one[0] == item_id]
            found = read(as_of.item_as_of, item_id=item_id, at=at, way=way)
            assert (found.movements, found.quantity) == (len(mine), sum(one[1] for one in mine))
        for product_id in self.products:
            mine = [one for one in booked if self.product[one[0]] == product_id]
            found = read(as_of.product_as_of, product_id=product_id, at=at, way=way)
            assert (found.quantity, found.value) == (sum(one[1] for one in mine), sum(one[2] for one in mine))

    @invariant()
    def the_stock_is_what_the_dictionary_says(self) -> None:
        if self.held:
            assert self.ledger.quantities(*self.held) == list(self.held.values())
            assert len(self.ledger.movements(*self.held)) == len(self.booked_so_far)
        for product_id, of in self.products.items():
            assert self.ledger.worth(product_id) == (of.quantity, of.value)
            assert self.ledger.cost(product_id) == of.cost
            assert of.quantity == sum(self.held[item] for item, one in self.product.items() if one == product_id)

    def teardown(self) -> None:
        # The next example begins with open books, whatever became of this one.
        while last := [row for row in read(periods.list_periods).rows if row.last]:
            transact(periods.reopen_period, period_id=last[0].id, reason="the next example")
        self.ledger.balances()
        assert self.ledger.totals().value == 0
        for at, number in self.seen[-2:]:
            self._what_was(at, as_of.Way.KNOWN, self.booked_so_far[:number])
        for days in (2, 10):
            happened = [one for one in self.booked_so_far if (one[3] or 0) > days]
            self._what_was(now() - timedelta(days=days), as_of.Way.EFFECTIVE, happened)
