"""Receiving what was ordered, sending it back, and taking a wrong receipt back."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import (
    AlreadyDecided,
    Conflict,
    InsufficientStock,
    Invalid,
    InvalidRows,
    KeyReused,
    NotAllowed,
    NotFound,
)
from inventory_app.models._base import now
from inventory_app.models.catalog import Product
from inventory_app.models.purchasing import OrderStatus, PurchaseOrder, PurchaseOrderLine
from inventory_app.operations import locations
from inventory_app.operations._receipt_lines import MOST_ROWS, Back, Came
from inventory_app.unit_of_work import transact
from tests.factories import arrange, item, location, person, product, supplier
from tests.fixtures.seeing import Side, before_commit, wait_until_blocked
from tests.operations import papers as papers_of
from tests.operations.ordered import back, bolts, came, correct, ordered
from tests.operations.shelf import Ledger, issue, receive, refusal, reserve, take_back, undo

DAY = date(2027, 3, 31)


@pytest.fixture
def ledger(observer):
    return Ledger(observer)


@pytest.fixture(autouse=True)
def as_ann(ann, ledger):
    """Let Ann do it, and look at the books afterwards."""
    with acting_as(ann):
        yield ann
    ledger.balances()
    agrees(ledger)


def agrees(ledger):
    """Assert that each line has received what its receipts sum to, and that the movements say the same."""
    assert not ledger.rows(
        "SELECT l.id FROM purchase_order_line l LEFT JOIN goods_receipt_line r ON r.order_line_id = l.id"
        " GROUP BY l.id HAVING l.received <> coalesce(sum(r.quantity), 0)"
    )
    assert not ledger.rows(
        "SELECT r.id FROM goods_receipt_line r JOIN stock_movement m ON m.id = r.movement_id"
        " WHERE (m.item_id, m.quantity, m.unit_cost) IS DISTINCT FROM (r.item_id, r.quantity, r.unit_cost)"
    )


def order_of(ledger, order):
    return ledger.rows("SELECT * FROM purchase_order WHERE id = %s", [order.id])[0]


def received(ledger, order):
    return [
        row.received
        for row in ledger.rows("SELECT received FROM purchase_order_line WHERE order_id = %s ORDER BY id", [order.id])
    ]


def papers(ledger, order):
    return ledger.rows("SELECT * FROM goods_receipt WHERE order_id = %s ORDER BY id", [order.id])


def written(ledger, booked):
    return ledger.rows("SELECT * FROM goods_receipt_line WHERE receipt_id = %s ORDER BY position", [booked.receipt_id])


def change(model, id_, **values):
    def build(session):
        for name, value in values.items():
            setattr(session.get_one(model, id_), name, value)

    arrange(build)


# Receiving


def test_what_came_is_in_stock_at_what_it_cost_and_the_order_knows(ledger, trail, as_ann):
    order = ordered(
        {"product_id": product("BOLT", unit_cost=Decimal(1)).id, "quantity": Decimal(10), "unit_cost": Decimal("2.5")},
        {"quantity": Decimal(2), "description": "Freight", "purchase_unit": "h"},
        currency="EUR",
        rate=Decimal("1.2"),
    )
    shelf = item(order.products[0], location("NORTH").id, 10)
    done = came(order, 4, "1.5", delivery_note=" DN 77 ", note="one box was wet")
    assert (done.order_id, done.order_number, done.status, done.lines) == (
        order.id,
        order.number,
        "partially_received",
        2,
    )
    (paper,) = papers(ledger, order)
    assert (paper.number, paper.kind, paper.delivery_note, paper.note, paper.reverses) == (
        done.number,
        "receipt",
        "DN 77",
        "one box was wet",
        None,
    )
    assert (paper.location_id, paper.recorded_by, paper.occurred_at) == (order.location, as_ann.id, paper.recorded_at)
    stocked, noted = written(ledger, done)
    (booked,) = ledger.movements(stocked.item_id)
    assert (booked.id, booked.kind, booked.reason_code) == (stocked.movement_id, "receipt", "delivered")
    assert (booked.quantity, booked.unit_cost, booked.value) == (4, 3, 12)
    assert (booked.reference_type, booked.reference) == ("purchase order", order.number)
    assert (noted.quantity, noted.unit_cost, noted.item_id, noted.movement_id) == (Decimal("1.5"), 3, None, None)
    assert ledger.cost(order.products[0]) == Decimal("1.5714")
    assert ledger.quantities(shelf.id, stocked.item_id) == [10, 4]
    assert received(ledger, order) == [4, Decimal("1.5")]
    assert order_of(ledger, order).version == 2
    # One operation for all of it.
    assert str(booked.operation_id) == done.operation_id == str(trail.last().id)
    assert {one.table for one in trail.changes()} == {
        "goods_receipt",
        "goods_receipt_line",
        "inventory_item",
        "number_series",
        "product",
        "purchase_order",
        "purchase_order_line",
        "stock_movement",
    }


def test_the_last_part_makes_it_received(ledger):
    order = ordered(*({"product_id": product(sku).id, "quantity": Decimal(5)} for sku in ("BOLT", "NUT")))
    assert came(order, 5).status == "partially_received"
    assert order_of(ledger, order).received_at is None
    last = came(order, 0, 5)
    assert last.status == "received"
    assert order_of(ledger, order).received_at is not None
    assert last.number == f"GR-{now().year}-0002"


def test_what_is_not_waited_for_any_more_need_not_come(ledger):
    order = bolts(10, given_up=Decimal(4), receivable=Decimal(6))
    error = refusal(InvalidRows, came, order, 7)
    assert error.rows == (
        (1, "quantity", "line 1 (Bolt M4): 6 pcs can still come (10 ordered, 0 came); you entered 7"),
    )
    assert came(order, 6).status == "received"


def test_a_tolerance_can_come_after_it_was_received_in_full(ledger):
    order = bolts(10, tolerance=10)
    assert came(order, 10).status == "received"
    at = order_of(ledger, order).received_at
    assert came(order, 1).status == "received"
    assert order_of(ledger, order).received_at == at
    error = refusal(InvalidRows, came, order, 1)
    assert str(error) == "1 of 1 lines cannot be received, so nothing was booked:"
    assert error.rows == (
        (1, "quantity", "line 1 (Bolt M4): 0 pcs can still come (10 ordered, 11 came); you entered 1"),
    )


def test_a_line_comes_in_parts_at_several_places_and_of_several_lots(ledger):
    milk = product("MILK", name="Milk", lots_kept=True).id
    order = ordered({"product_id": milk, "quantity": Decimal(9), "description": "Milk"})
    cellar = location("CELLAR").id or 0
    line = order.lines[0]
    done = came(
        order,
        Came(line, Decimal(2), lot_code="A1", expires_on=DAY),
        Came(line, Decimal(3), location_id=cellar, lot_code=" a1 "),
        Came(line, Decimal(1), lot_code="A1"),
        Came(line, Decimal(3), lot_code="B2"),
    )
    assert done.status == "received"
    lots = ledger.rows("SELECT id, code, expires_on FROM lot WHERE product_id = %s ORDER BY code", [milk])
    assert [(lot.code, lot.expires_on) for lot in lots] == [("A1", DAY), ("B2", None)]
    one, two, three, four = written(ledger, done)
    assert one.item_id == three.item_id != two.item_id
    assert [ledger.item(row.item_id).lot_id for row in (one, two, four)] == [lots[0].id, lots[0].id, lots[1].id]
    assert ledger.quantities(one.item_id, two.item_id, four.item_id) == [3, 3, 3]
    assert len({row.movement_id for row in (one, two, three, four)}) == 4
    # What is there already is used again.
    again = ordered({"product_id": milk, "quantity": Decimal(1)}, place=order.location)
    (row,) = written(ledger, came(again, Came(again.lines[0], Decimal(1), lot_code="A1", expires_on=DAY)))
    assert row.item_id == one.item_id


def test_the_place_of_a_receipt_is_the_orders_unless_it_says_another(ledger):
    order, west = bolts(), location("WEST").id
    first, second = came(order, 1), came(order, 1, location_id=west)
    assert [paper.location_id for paper in papers(ledger, order)] == [order.location, west]
    assert [ledger.item(written(ledger, done)[0].item_id).location_id for done in (first, second)] == [
        order.location,
        west,
    ]


def test_it_came_earlier_than_it_is_booked(ledger):
    order, then = bolts(), datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    came(order, 1, occurred_at=then)
    assert papers(ledger, order)[0].occurred_at == ledger.movements()[-1].occurred_at == then
    error = refusal(Invalid, came, order, 1, occurred_at=now() + timedelta(days=1))
    assert error.fields == {"occurred_at": "This has not happened yet. Leave it empty for now."}


def test_everything_that_is_wrong_is_said_at_once(ledger):
    milk = product("MILK", name="Milk", lots_kept=True).id
    gone = product("GONE", name="Gone", active=False).id
    order = ordered(
        {"product_id": product("BOLT").id, "quantity": Decimal(5), "description": "Bolt"},
        {"product_id": milk, "quantity": Decimal(5), "description": "Milk"},
        {"quantity": Decimal(1), "description": "Freight"},
        {"product_id": gone, "quantity": Decimal(1), "description": "Gone"},
    )
    bolt, line, freight, old = order.lines
    shut = location("SHUT", active=False).id
    road = location("ROAD", kind="transit").id
    asked = (
        Came(bolt, Decimal("0.5")),
        Came(bolt, Decimal(0)),
        Came(bolt, Decimal("NaN")),
        Came(bolt, Decimal("Infinity")),
        Came(bolt, Decimal(1), location_id=shut, lot_code="A1"),
        Came(bolt, Decimal(5), location_id=road),
        Came(line, Decimal(1)),
        Came(line, Decimal(1), lot_code="x" * 61),
        Came(freight, Decimal("0.0001"), lot_code="A1"),
        Came(old, Decimal(1)),
        Came(999_999, Decimal(1)),
    )
    error = refusal(InvalidRows, came, order, *asked)
    assert str(error) == "11 of 11 lines cannot be received, so nothing was booked:"
    lot = "line 2 (Milk) is kept by lot: enter its lot, at most 60 characters"
    assert error.rows == (
        (1, "quantity", "line 1 (Bolt): pcs are counted with whole numbers only"),
        (2, "quantity", "line 1 (Bolt): enter more than 0"),
        (3, "quantity", "line 1 (Bolt): this number is too large"),
        (4, "quantity", "line 1 (Bolt): this number is too large"),
        (5, "location_id", "line 1 (Bolt): choose a location that is in use"),
        (5, "lot_code", "line 1 (Bolt) is not kept by lot: leave the lot and its date empty"),
        (6, "location_id", "line 1 (Bolt): choose a location that is in use"),
        (6, "quantity", "line 1 (Bolt): 5 pcs can still come (5 ordered, 0 came); you entered 6.5"),
        (7, "lot_code", lot),
        (8, "lot_code", lot),
        (9, "lot_code", "line 3 (Freight) is not kept in stock: leave the lot empty"),
        (9, "quantity", "line 3 (Freight): they are counted with at most 3 decimals"),
        (10, "line_id", "line 4 (Gone): Gone is archived. Restore it first"),
        (11, "line_id", "is no line of this order (any more). Reload the page"),
    )
    assert ledger.movements() == []


def test_a_lot_has_one_date(ledger):
    milk = product("MILK", name="Milk", lots_kept=True).id
    order = ordered({"product_id": milk, "quantity": Decimal(9), "description": "Milk"})
    line = order.lines[0]
    came(order, Came(line, Decimal(1), lot_code="A1", expires_on=DAY), Came(line, Decimal(1), lot_code="B2"))
    other = DAY + timedelta(days=1)
    error = refusal(
        InvalidRows,
        came,
        order,
        Came(line, Decimal(1), lot_code="A1", expires_on=other),
        Came(line, Decimal(1), lot_code="B2", expires_on=other),
    )
    assert error.rows == (
        (
            1,
            "expires_on",
            "line 1 (Milk): lot A1 is good until 31 Mar 2027. Leave the date empty, or correct the lot",
        ),
        (2, "expires_on", "line 1 (Milk): lot B2 has no date. Leave the date empty, or correct the lot"),
    )


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("draft", "This order has not been ordered yet. Place it first."),
        ("submitted", "{} has not been ordered yet. Place it first."),
        ("approved", "{} has not been ordered yet. Place it first."),
        ("closed", "{} is closed. What comes for it now needs an order of its own."),
        ("cancelled", "{} was cancelled. What comes for it now needs an order of its own."),
    ],
)
def test_only_what_was_ordered_can_be_received(status, sentence):
    order = bolts()
    change(PurchaseOrder, order.id, status=status, **({"number": None} if status == "draft" else {}))
    assert str(refusal(Conflict, came, order, 1)) == sentence.format(order.number)


def test_what_there_is_nothing_of_to_receive():
    order = bolts()
    assert str(refusal(Invalid, came, order)) == "Enter how much of at least one line."
    many = [Came(order.lines[0], Decimal(1))] * (MOST_ROWS + 1)
    assert str(refusal(Invalid, came, order, *many)) == (
        "At most 2,000 rows can be booked at once. Book them in parts."
    )
    error = refusal(Invalid, came, order, 1, location_id=999_999)
    assert error.fields == {"location_id": "Choose a location that is in use."}
    assert set(refusal(Invalid, came, order, 1, delivery_note="x" * 61).fields) == {"delivery_note"}
    gone = type(order)(999_999, "", order.lines, order.products, order.location)
    assert str(refusal(NotFound, came, gone, 1)) == "This order does not exist (any more). Reload the page."


def test_the_same_key_is_one_receipt(ledger):
    order = bolts()
    first, again = (came(order, 3, idempotency_key="k") for _ in range(2))
    assert first == again
    assert received(ledger, order) == [3]
    assert len(papers(ledger, order)) == 1
    refusal(KeyReused, came, order, 4, idempotency_key="k")


def test_who_may_not_receive_is_refused(bob, ledger):
    order = bolts()
    with acting_as(bob):
        refusal(NotAllowed, came, order, 1)
    assert received(ledger, order) == [0]


def test_a_place_that_is_closed_meanwhile_is_waited_for_and_refused(observer, ledger):
    order = bolts()

    def close():
        transact(locations.set_location_active, location_id=order.location, active=False, version=1)

    with Side(close, until=before_commit()) as closing:
        holder = closing.reaches_its_point()
        with Side(lambda: came(order, 1)) as receiving:
            wait_until_blocked(observer, by=holder)
            closing.go_on()
            closing.result()
            error = receiving.error()
    assert isinstance(error, Conflict)
    assert str(error) == "A location was closed just now, so nothing was booked. Choose another one."


# Sending back


def test_what_goes_back_leaves_at_what_was_paid(ledger, trail):
    order = bolts(10)
    (row,) = written(ledger, came(order, 10))
    receive(10, item_id=row.item_id, unit_cost=Decimal("7.5"))
    done = back(order, Back(order.lines[0], Decimal(4), row.item_id), note="wrong thread")
    assert done.status == "partially_received"
    assert order_of(ledger, order).received_at is None
    out = ledger.movements()[-1]
    assert (out.kind, out.quantity, out.unit_cost, out.value, out.note) == (
        "issue",
        -4,
        Decimal("2.5"),
        -10,
        "wrong thread",
    )
    assert (out.reference_type, out.reference) == ("purchase order", order.number)
    assert ledger.worth(order.products[0]) == (16, 90)
    assert ledger.cost(order.products[0]) == Decimal("5.625")
    (paper,) = written(ledger, done)
    assert (paper.quantity, paper.movement_id) == (-4, out.id)
    assert papers(ledger, order)[-1].kind == "return"
    assert trail.last().reason == "wrong thread"
    assert came(order, 4).status == "received"


def test_what_is_not_kept_in_stock_goes_back_on_paper_only(ledger):
    order = ordered({"quantity": Decimal(2), "description": "Pallet"})
    came(order, 2)
    done = back(order, Back(order.lines[0], Decimal(2)))
    assert (done.status, ledger.movements()) == ("ordered", [])
    assert papers(ledger, order)[-1].location_id == order.location


def test_what_cannot_go_back(ledger):
    order = ordered(
        {"product_id": product("BOLT").id, "quantity": Decimal(9), "description": "Bolt"},
        {"quantity": Decimal(2), "description": "Pallet"},
    )
    bolt, pallet = order.lines
    (row, _) = written(ledger, came(order, 5, 1))
    other = item(product("NUT").id, order.location, 9)
    reserve(row.item_id, 2)
    asked = (
        Back(bolt, Decimal(2), row.item_id),
        Back(bolt, Decimal(2), row.item_id),
        Back(bolt, Decimal(1), other.id),
        Back(bolt, Decimal(1)),
        Back(bolt, Decimal("NaN"), row.item_id),
        Back(pallet, Decimal(2)),
        Back(pallet, Decimal(1), other.id),
        Back(999_999, Decimal(1), row.item_id),
    )
    error = refusal(InvalidRows, back, order, *asked)
    assert str(error) == "6 of 8 lines cannot be sent back, so nothing was booked:"
    dock = f"Dock {order.number}"
    assert error.rows == (
        (
            2,
            "quantity",
            f"line 1 (Bolt): only 3 pcs of Bolt are available at {dock} (2 pcs more are reserved); you asked for 4",
        ),
        (3, "item_id", "line 1 (Bolt): choose where it is taken from"),
        (4, "item_id", "line 1 (Bolt): choose where it is taken from"),
        (5, "quantity", "line 1 (Bolt): 5 pcs have come and not gone back; this takes 6"),
        (5, "quantity", "line 1 (Bolt): this number is too large"),
        (7, "item_id", "line 2 (Pallet): choose where it is taken from"),
        (7, "quantity", "line 2 (Pallet): 1 have come and not gone back; this takes 3"),
        (8, "line_id", "is no line of this order (any more). Reload the page"),
    )
    assert refusal(Invalid, back, order, Back(bolt, Decimal(1), row.item_id), note=" ").fields == {
        "note": "Please fill this in."
    }
    assert received(ledger, order) == [5, 1]


def test_what_is_left_must_be_worth_something(ledger):
    order = bolts(10, unit_cost=Decimal(5))
    (row,) = written(ledger, came(order, 10))
    receive(10, item_id=row.item_id, unit_cost=Decimal(0))
    issue(row.item_id, 10)
    error = refusal(Conflict, back, order, Back(order.lines[0], Decimal(9), row.item_id))
    assert str(error) == "What is left of Bolt would be worth less than nothing. Set its cost first."
    # The last one takes along what rounding, or this, leaves.
    back(order, Back(order.lines[0], Decimal(10), row.item_id))
    assert ledger.worth(order.products[0]) == (0, 0)


def test_what_came_goes_back_of_a_closed_order_and_it_stays_closed(ledger):
    order = bolts()
    done = came(order, 5)
    change(PurchaseOrder, order.id, status=OrderStatus.CLOSED)
    (row,) = written(ledger, done)
    gone = back(order, Back(order.lines[0], Decimal(1), row.item_id))
    assert gone.status == "closed"
    assert correct(gone.receipt_id).status == "closed"
    assert received(ledger, order) == [5]


# Corrections


def test_a_correction_takes_back_exactly_what_the_receipt_booked(ledger):
    order = ordered(
        {"product_id": product("BOLT", unit_cost=Decimal("0.3333")).id, "quantity": Decimal(9)},
        {"quantity": Decimal(1), "description": "Freight"},
    )
    item(order.products[0], location("NORTH").id, 7)
    worth = ledger.worth(order.products[0])
    done = came(order, 3, 1)
    wrong = correct(done.receipt_id, note="two, not three")
    assert (wrong.status, received(ledger, order)) == ("ordered", [0, 0])
    taken, counter = ledger.movements()[-2:]
    assert (counter.kind, counter.reverses, counter.quantity, counter.value) == (
        "reversal",
        taken.id,
        -3,
        -taken.value,
    )
    assert ledger.worth(order.products[0]) == worth
    assert ledger.cost(order.products[0]) == Decimal("0.3333")
    paper = papers(ledger, order)[-1]
    assert (paper.kind, paper.reverses, paper.note) == ("correction", done.receipt_id, "two, not three")
    assert [(row.quantity, row.movement_id) for row in written(ledger, wrong)] == [(-3, counter.id), (-1, None)]
    assert came(order, 2, 1).status == "partially_received"


def test_a_correction_is_made_once_and_not_of_itself():
    order = bolts()
    done = came(order, 3)
    wrong = correct(done.receipt_id)
    error = refusal(AlreadyDecided, correct, done.receipt_id)
    assert str(error) == f"This was taken back already, by {wrong.number}."
    error = refusal(AlreadyDecided, correct, wrong.receipt_id)
    assert str(error) == "This took a receipt back itself. Receive or send back what is right instead."
    refusal(NotFound, correct, 999_999)


def test_nothing_is_taken_back_that_has_gone(ledger):
    order = bolts()
    done = came(order, 5)
    (row,) = written(ledger, done)
    issue(row.item_id, 3)
    error = refusal(InsufficientStock, correct, done.receipt_id)
    assert str(error) == f"Only 2 pcs of Bolt are available at Dock {order.number}; you asked for 5."
    receive(3, item_id=row.item_id)
    back(order, Back(order.lines[0], Decimal(2), row.item_id))
    error = refusal(InvalidRows, correct, done.receipt_id)
    assert str(error) == "1 of 1 lines cannot be taken back, so nothing was booked:"
    assert error.rows == ((1, "quantity", "line 1 (Bolt M4): 3 pcs have come and not gone back; this takes 5"),)


def test_a_return_is_taken_back_unless_it_has_come_anew(ledger):
    order = bolts(5)
    (row,) = written(ledger, came(order, 5))
    gone = back(order, Back(order.lines[0], Decimal(5), row.item_id))
    assert ledger.worth(order.products[0]) == (0, 0)
    came(order, 1)
    error = refusal(InvalidRows, correct, gone.receipt_id)
    assert error.rows == ((1, "quantity", "line 1 (Bolt M4): 4 pcs can still come (5 ordered, 1 came); you entered 5"),)
    change(PurchaseOrderLine, order.lines[0], receivable=Decimal(6))
    assert correct(gone.receipt_id).status == "received"
    assert ledger.quantities(row.item_id) == [6]


def test_what_settled_a_rounding_comes_back_with_the_return(ledger):
    order = bolts(3)
    (row,) = written(ledger, came(order, 3))
    receive(1, item_id=row.item_id, unit_cost=Decimal("2.6"))
    issue(row.item_id, 1)
    left = ledger.worth(order.products[0])
    gone = back(order, Back(order.lines[0], Decimal(3), row.item_id))
    assert ledger.movements()[-1].kind == "revaluation"
    assert ledger.worth(order.products[0]) == (0, 0)
    correct(gone.receipt_id)
    assert ledger.worth(order.products[0]) == left


def test_the_ledger_alone_cannot_take_back_what_belongs_to_an_order(ledger):
    order = bolts()
    done = came(order, 5)
    sentence = f"This belongs to a receipt of {order.number}. Correct the receipt instead."
    assert str(refusal(Conflict, take_back, ledger.movements()[-1].id)) == sentence
    assert str(refusal(Conflict, undo, done.operation_id)) == sentence


def test_a_product_that_is_at_another_place_by_now_goes_back_from_there(ledger):
    order, west = bolts(), location("WEST").id
    (row,) = written(ledger, came(order, 5))
    there = item(order.products[0], west, 2)
    done = back(order, Back(order.lines[0], Decimal(2), there.id))
    assert papers(ledger, order)[-1].location_id == west
    assert written(ledger, done)[0].item_id == there.id
    change(Product, order.products[0], active=False)
    back(order, Back(order.lines[0], Decimal(1), row.item_id))


# Invoices


def test_an_invoice_agrees_when_the_goods_come_and_no_more_when_they_go_back_or_are_taken_back(ledger):
    vendor = supplier("Acme", status="approved").id
    order = ordered({"product_id": product("BOLT", name="Bolt").id, "quantity": Decimal(9)}, supplier_id=vendor)
    with acting_as(person("cleo", "accountant")):
        assert papers_of.record("SB-1", papers_of.line(order.lines[0], 4, "2.50")).status == "blocked"
    done = came(order, 4)
    assert papers_of.status("SB-1") == "matched"
    (row,) = written(ledger, done)
    gone = back(order, Back(order.lines[0], Decimal(1), row.item_id))
    assert papers_of.status("SB-1") == "blocked"
    correct(gone.receipt_id)
    assert papers_of.status("SB-1") == "matched"
    correct(done.receipt_id)
    assert papers_of.status("SB-1") == "blocked"
