"""What people do with orders that were placed, as rules of a state machine, and what plain dictionaries say of it."""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from inventory_app.errors import AlreadyDecided, AppError, Conflict, InsufficientStock, InvalidRows
from inventory_app.operations._receipt_lines import Back, Came
from tests.factories import product
from tests.operations.ordered import Ordered, back, came, correct, ordered
from tests.operations.shelf import Ledger, issue, receive

#: Mostly what can be, or a little more.
QUANTITIES = st.one_of(
    st.integers(1, 4).map(Decimal), st.integers(1, 4).map(Decimal), st.sampled_from([Decimal(-1), Decimal("2.125")])
)
COSTS = st.sampled_from([Decimal(text) for text in ("0", "0.3333", "2.5", "7.0001")])
RATES = st.sampled_from([Decimal(text) for text in ("1.2", "0.91235", "1")])
#: pieces, kilograms, and what is not kept in stock
KINDS = ("pcs", "kg", "")
DECIMALS = {"pcs": 0, "kg": 3, "": 3}
KINDS_ASKED = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(3, 12), COSTS), min_size=1, max_size=3)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.0001"), ROUND_HALF_UP)


@dataclass
class Known:
    """What the company has of a product, and what it is worth."""

    quantity: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    def book(self, quantity: Decimal, value: Decimal) -> Decimal:
        """Book, and return what was settled because nothing is left."""
        self.quantity += quantity
        self.value += value
        settled = -self.value if self.quantity == 0 and quantity <= 0 else Decimal(0)
        self.value += settled
        return settled

    def average(self) -> None:
        if self.quantity > 0 and self.value >= 0:
            self.cost = cents(self.value / self.quantity)


@dataclass
class OrderLine:
    """A line as the dictionary knows it."""

    kind: str
    quantity: Decimal
    receivable: Decimal
    cost: Decimal
    received: Decimal = Decimal(0)


@dataclass
class Paper:
    """A receipt or a return: what it changed of each line, and the worth of it."""

    order: Ordered
    rows: dict[int, Decimal]
    value: dict[int, Decimal] = field(default_factory=dict)
    correction: bool = False
    taken_back: bool = False


class Receiving(RuleBasedStateMachine):
    """Orders are received, sent back and corrected in any order, while the stock goes on living."""

    orders = Bundle("orders")
    papers = Bundle("papers")
    ledger: Ledger
    place: int
    #: Products by kind, made once for each run.
    made: int = 0

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[int, OrderLine] = {}
        self.stock: dict[str, Known] = {kind: Known() for kind in KINDS if kind}
        self.product: dict[str, int] = {}
        for kind in self.stock:
            type(self).made += 1
            self.product[kind] = product(f"T{self.made}", unit_code=kind).id or 0
        #: Each product's one item, once something has come.
        self.item: dict[str, int] = {}
        self.placed: list[Ordered] = []

    def attempt(self, expected: type[AppError] | None, function: Any, *args: Any, **more: Any) -> Any:
        """Run it, and be sure that it is refused exactly when the dictionary says so."""
        try:
            result = function(*args, **more)
        except AppError as error:
            assert type(error) is expected, error  # noqa: PT017  # which one is the point
            return None
        assert expected is None, result
        return result

    @initialize(target=orders, rate=RATES)
    def begin(self, rate: Decimal) -> Ordered:
        """Begin with something in stock, so that what goes back mostly leaves some."""
        for kind in self.stock:
            self._by_hand(kind, 5, Decimal("1.5"))
        return self.order([("pcs", 12, Decimal("2.5")), ("kg", 8, Decimal("0.3333")), ("", 3, Decimal(1))], 0, rate)

    @rule(target=orders, order=st.builds(dict, kinds=KINDS_ASKED, tolerance=st.sampled_from([0, 25]), rate=RATES))
    def place_another(self, order: dict[str, Any]) -> Ordered:
        return self.order(**order)

    def order(self, kinds: list[tuple[str, int, Decimal]], tolerance: int, rate: Decimal) -> Ordered:
        made = ordered(
            *(
                {"product_id": self.product.get(kind), "quantity": Decimal(quantity), "unit_cost": cost}
                for kind, quantity, cost in kinds
            ),
            tolerance=tolerance,
            place=self.place,
            currency="EUR",
            rate=rate,
        )
        for line_id, (kind, quantity, cost) in zip(made.lines, kinds, strict=True):
            most = Decimal(quantity) * (100 + tolerance) / 100
            self.lines[line_id] = OrderLine(kind, Decimal(quantity), most, cents(cost * rate))
        self.placed.append(made)
        return made

    def _fits(self, line: OrderLine, quantity: Decimal) -> bool:
        return quantity > 0 and quantity == round(quantity, DECIMALS[line.kind])

    @rule(target=papers, order=orders, asked=st.lists(st.tuples(st.integers(0, 2), QUANTITIES), min_size=1, max_size=3))
    def receive(self, order: Ordered, asked: list[tuple[int, Decimal]]) -> Any:
        given = [(order.lines[at % len(order.lines)], quantity) for at, quantity in asked]
        rows: dict[int, Decimal] = {}
        for line_id, quantity in given:
            rows[line_id] = rows.get(line_id, Decimal(0)) + quantity
        wrong = any(not self._fits(self.lines[line_id], quantity) for line_id, quantity in given) or any(
            self.lines[line_id].received + quantity > self.lines[line_id].receivable
            for line_id, quantity in rows.items()
        )
        done = self.attempt(
            InvalidRows if wrong else None, came, order, *(Came(line_id, quantity) for line_id, quantity in given)
        )
        if done is None:
            return multiple()
        value: dict[int, Decimal] = {}
        for line_id, quantity in given:
            line = self.lines[line_id]
            line.received += quantity
            worth = cents(quantity * line.cost)
            value[line_id] = value.get(line_id, Decimal(0)) + worth
            if line.kind:
                self.stock[line.kind].book(quantity, worth)
        self._average(rows)
        self._find_items(done)
        return done.receipt_id, Paper(order, rows, value)

    def _average(self, rows: dict[int, Decimal]) -> None:
        for kind in {self.lines[line_id].kind for line_id in rows} - {""}:
            self.stock[kind].average()

    def _find_items(self, done: Any) -> None:
        found = self.ledger.rows(
            "SELECT r.order_line_id, r.item_id FROM goods_receipt_line r WHERE r.receipt_id = %s AND r.item_id > 0",
            [done.receipt_id],
        )
        for row in found:
            self.item[self.lines[row.order_line_id].kind] = row.item_id

    @rule(
        target=papers,
        order=orders,
        at=st.integers(0, 2),
        asked=st.sampled_from([None, Decimal(1), Decimal(2), Decimal("2.125"), Decimal(-1), Decimal(9)]),
    )
    def send_back(self, order: Ordered, at: int, asked: Decimal | None) -> Any:
        """Send some of a line back, or all that came of it."""
        some = [line_id for line_id in order.lines if self.lines[line_id].received] or order.lines
        line_id = some[at % len(some)]
        line = self.lines[line_id]
        quantity = (line.received or Decimal(1)) if asked is None else asked
        item = self.item.get(line.kind)
        known = self.stock.get(line.kind)
        right = self._fits(line, quantity) and quantity <= line.received
        if known is not None:
            right = right and item is not None and quantity <= known.quantity
        worth = cents(-quantity * line.cost)
        expected: type[AppError] | None = None if right else InvalidRows
        if right and known is not None and known.quantity > quantity and known.value + worth < 0:
            expected = Conflict
        done = self.attempt(expected, back, order, Back(line_id, quantity, item))
        if done is None:
            return multiple()
        line.received -= quantity
        if known is not None:
            worth += known.book(-quantity, worth)
            known.average()
        return done.receipt_id, Paper(order, {line_id: -quantity}, {line_id: worth})

    @rule(target=papers, one=papers)
    def correct(self, one: tuple[int, Paper]) -> Any:
        receipt_id, paper = one
        counter = {line_id: -quantity for line_id, quantity in paper.rows.items()}
        done = self.attempt(self._why_not_corrected(paper, counter), correct, receipt_id)
        if done is None:
            return multiple()
        paper.taken_back = True
        for line_id, quantity in counter.items():
            self.lines[line_id].received += quantity
        moved = self._summed(counter, {line_id: -value for line_id, value in paper.value.items()})
        for kind, (quantity, value) in moved.items():
            self.stock[kind].book(quantity, value)
        self._average(counter)
        return done.receipt_id, Paper(paper.order, counter, correction=True)

    def _summed(self, rows: dict[int, Decimal], value: dict[int, Decimal]) -> dict[str, tuple[Decimal, Decimal]]:
        found: dict[str, tuple[Decimal, Decimal]] = {}
        for line_id, quantity in rows.items():
            if kind := self.lines[line_id].kind:
                before = found.get(kind, (Decimal(0), Decimal(0)))
                found[kind] = (before[0] + quantity, before[1] + value[line_id])
        return found

    def _why_not_corrected(self, paper: Paper, counter: dict[int, Decimal]) -> type[AppError] | None:
        if paper.correction or paper.taken_back:
            return AlreadyDecided
        for line_id, quantity in counter.items():
            if not 0 <= self.lines[line_id].received + quantity <= self.lines[line_id].receivable:
                return InvalidRows
        moved = self._summed(counter, {line_id: -value for line_id, value in paper.value.items()})
        if any(self.stock[kind].quantity + quantity < 0 for kind, (quantity, _) in moved.items()):
            return InsufficientStock
        for kind, (quantity, value) in moved.items():
            if self.stock[kind].quantity + quantity > 0 and self.stock[kind].value + value < 0:
                return Conflict
        return None

    @rule(kind=st.sampled_from(["pcs", "kg"]), quantity=st.integers(1, 5), cost=COSTS)
    def receive_by_hand(self, kind: str, quantity: int, cost: Decimal) -> None:
        self._by_hand(kind, quantity, cost)

    def _by_hand(self, kind: str, quantity: int, cost: Decimal) -> None:
        receive(quantity, product_id=self.product[kind], location_id=self.place, unit_cost=cost)
        self.stock[kind].book(Decimal(quantity), cents(quantity * cost))
        self.stock[kind].average()
        (row,) = self.ledger.rows("SELECT id FROM inventory_item WHERE product_id = %s", [self.product[kind]])
        self.item[kind] = row.id

    @rule(kind=st.sampled_from(["pcs", "kg"]), quantity=st.integers(1, 5))
    def issue(self, kind: str, quantity: int) -> None:
        known = self.stock[kind]
        if kind in self.item and known.quantity >= quantity:
            issue(self.item[kind], quantity)
            known.book(Decimal(-quantity), cents(-quantity * known.cost))

    @invariant()
    def the_order_and_the_ledger_say_the_same(self) -> None:
        found = self.ledger.rows(
            "SELECT l.id, l.received, l.receivable, o.status, coalesce(sum(r.quantity), 0) AS papers,"
            "       sum(m.quantity) AS booked"
            "  FROM purchase_order_line l JOIN purchase_order o ON o.id = l.order_id"
            "  LEFT JOIN goods_receipt_line r ON r.order_line_id = l.id"
            "  LEFT JOIN stock_movement m ON m.id = r.movement_id WHERE l.id = ANY (%s) GROUP BY l.id, o.id",
            [list(self.lines)],
        )
        for row in found:
            line = self.lines[row.id]
            assert row.received == row.papers == line.received
            assert 0 <= row.received <= row.receivable
            if line.kind:
                assert (row.booked or 0) == line.received
        by_line = {row.id: row for row in found}
        for order in self.placed:
            lines = [self.lines[line_id] for line_id in order.lines]
            complete = all(line.received >= line.quantity for line in lines)
            some = any(line.received for line in lines)
            status = "received" if complete else "partially_received" if some else "ordered"
            assert by_line[order.lines[0]].status == status

    @invariant()
    def the_stock_is_what_the_dictionary_says(self) -> None:
        for kind, known in self.stock.items():
            assert self.ledger.worth(self.product[kind]) == (known.quantity, known.value)
            assert self.ledger.cost(self.product[kind]) == known.cost

    def teardown(self) -> None:
        self.ledger.balances()
