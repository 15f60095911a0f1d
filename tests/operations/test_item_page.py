"""The page of an item: why it holds what it holds, in words and figures, now and at a moment."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import NotFound
from inventory_app.operations import movements, valuation
from inventory_app.operations._lists import View
from inventory_app.operations.as_of import Way
from inventory_app.operations.item_page import SHOWN, item_page
from inventory_app.unit_of_work import read, transact
from tests.factories import person
from tests.operations.shelf import adjust, bulk, issue, receive, reserve, send, shelf, transfer


@pytest.fixture
def found(ann):
    made = shelf(here="22", there="5", unit_cost=Decimal("2.5"))
    with acting_as(ann):
        issue(made.here, 12)
        adjust(made.here, 30, note="From the delivery")
        transfer(made.here, made.there, 4)
        bulk((made.here, "35"), reason_code="counted")
    return made


def page_of(actor, item_id, **asked):
    with acting_as(actor):
        return read(item_page, item_id=item_id, **asked)


def test_it_tells_what_happened_in_the_trades_words_with_the_balance_after_each(found, ann):
    why = page_of(ann, found.here).why
    assert [(line.what, line.change, line.balance) for line in why.lines] == [
        ("Opening balance", "+22", "22"),
        ("Issued: sold", "−12", "10"),
        ("Adjusted: found", "+30", "40"),
        ("Moved to Bolt south", "−4", "36"),
        ("Counted 35, expected 36", "−1", "35"),
    ]
    assert {line.who for line in why.lines[1:]} == {"Ann"}
    assert why.lines[2].note == "From the delivery"
    arrived = page_of(ann, found.there).why.lines[-1]
    assert (arrived.what, arrived.change) == ("Moved here from Bolt north", "+4")


def test_the_sum_is_the_quantity(found, ann):
    why = page_of(ann, found.here).why
    assert (why.quantity, why.sum, why.balanced) == ("35", "22 + 30 − 17 = 35", True)
    assert why.said == "22 at the start, 30 in, 17 out."
    assert [(part.label, part.change) for part in why.parts] == [
        ("Opening balance", "+22"),
        ("Issued", "−12"),
        ("Moved away", "−4"),
        ("Adjusted up", "+30"),
        ("Missing when counting", "−1"),
    ]


def test_an_item_that_does_not_hold_what_its_movements_come_to_says_so(database, found, ann):
    with database.as_superuser() as connection:
        connection.execute("ALTER TABLE inventory_item DISABLE TRIGGER USER")
        connection.execute("UPDATE inventory_item SET quantity = 99 WHERE id = %s", [found.here])
    assert not page_of(ann, found.here).why.balanced


def test_a_moment_that_is_past_is_told_from_the_movements_until_then(database, found, ann):
    with database.as_owner() as connection:
        row = connection.execute(
            "SELECT recorded_at FROM stock_movement WHERE item_id = %s AND sequence = 3", [found.here]
        ).fetchone()
    assert row
    page = page_of(ann, found.here, at=row[0])
    assert (page.then, page.then_value) == ("40 pcs", "100.00")
    assert [line.sequence for line in page.why.lines] == ["1", "2", "3"]
    before = page_of(ann, found.here, at=row[0] - timedelta(days=1))
    assert (before.then, before.why.lines, before.why.said) == ("0 pcs", [], "There was no movement.")
    assert before.at
    assert before.begins < before.at, "the moment is in the drawing"
    assert [before.steps[0].quantity, before.steps[-1].quantity] == [0, 35]


def test_a_back_dated_fact_is_marked_and_stands_where_it_happened_when_that_is_asked(database, found, ann):
    with database.as_superuser() as connection:
        connection.execute("ALTER TABLE stock_movement DISABLE TRIGGER USER")
        connection.execute(
            "UPDATE stock_movement SET occurred_at = occurred_at - interval '3 days'"
            " WHERE item_id = %s AND sequence = 3",
            [found.here],
        )
    lines = page_of(ann, found.here).why.lines
    assert [line.late for line in lines] == [False, False, True, False, False]
    moment = datetime.now(UTC) - timedelta(days=1)
    assert page_of(ann, found.here, at=moment, way=Way.KNOWN).why.lines == []
    assert [line.sequence for line in page_of(ann, found.here, at=moment, way=Way.EFFECTIVE).why.lines] == ["3"]


def test_more_movements_than_are_told_are_summed_up_before(found, ann):
    with acting_as(ann):
        for _ in range(SHOWN):
            adjust(found.here, 1)
    why = page_of(ann, found.here).why
    assert (len(why.lines), why.earlier, why.before) == (SHOWN, 5, "35")
    assert [line.balance for line in why.lines][-1] == why.quantity == str(35 + SHOWN)


def test_the_course_ends_with_what_there_is_and_begins_with_what_there_was(found, ann):
    page = page_of(ann, found.here)
    assert page.steps[0].quantity == 0
    assert page.steps[-1].quantity == 35
    assert page.begins < page.steps[-1].at < page.ends


def test_nobody_without_the_permission_sees_what_it_costs_or_whose_operation_it_was(found, database):
    eve = person("eve", "employee")
    page = page_of(eve, found.here)
    assert (page.item.unit_cost, page.item.value, page.item.value_meta, page.then_value) == ("", "", "", "")
    assert {(line.value, line.operation_id) for line in page.why.lines} == {("", "")}
    with acting_as(eve):
        listed = read(movements.list_movements, view=View(sort="value", columns=("recorded", "what", "value")))
    assert {line.value for line in listed.page.rows} == {""}
    assert (listed.view.sort, listed.view.columns) == ("recorded", ("recorded", "what"))


def test_an_item_there_is_not_is_not_found(ann):
    with pytest.raises(NotFound):
        page_of(ann, 4_000)


def test_the_list_of_movements_is_narrowed_down_and_counted(found, ann):
    with acting_as(ann):

        def listed(**filters: str):
            return read(movements.list_movements, view=View(filters=filters, descending=True))

        everything = listed()
        assert (everything.count, everything.everything) == (7, 7)
        assert everything.page.rows[0].what == "Counted 35, expected 36"
        assert listed(item=str(found.there)).count == 2
        assert listed(item=str(found.there)).choices["item"] == [(str(found.there), "BOLT at Bolt south")]
        assert {line.kind for line in listed(kind="transfer").page.rows} == {"transfer"}
        assert listed(reason="sold").count == 1
        assert listed(location=str(found.here_location)).count == 5
        assert listed(change="20..").count == 2
        assert listed(recorded="day").count == 7
        assert listed(late="yes").count == 0
        searched = read(movements.list_movements, view=View(search="bolt"))
        assert (searched.count, searched.page.rows[0].what) == (7, "Opening balance")
        assert read(movements.list_movements, view=View(search="nut")).count == 0


def test_what_is_kept_back_and_under_way_is_told_where_it_is_and_where_it_goes(found, ann):
    with acting_as(ann):
        reserve(found.here, 2, reference="Order 7")
        reserve(found.here, 1)
        sent = send(found.here, found.there_location, 3)
        revalued = receive(1, item_id=found.there)
    assert revalued
    here, there = page_of(ann, found.here), page_of(ann, found.there)
    assert {(one.label, one.meta, one.change) for one in here.promises} == {
        ("Reserved for Order 7", "Ann, until", "−2 pcs"),
        ("Reserved", "Ann, until", "−1 pcs"),
        ("Sent to Bolt south, already taken from here", "Ann, since", "3 pcs"),
    }
    assert [(one.label, one.change) for one in there.promises] == [("Coming from Bolt north", "+3 pcs")]
    (line,) = [one for one in here.why.lines if one.what == "Moved to In transit"]
    with acting_as(ann):
        (moving,) = [
            row.item_id for row in read(movements.list_movements, view=View()).page.rows if row.location == "In transit"
        ]
    assert line.change == "−3"
    assert [one.label for one in page_of(ann, moving).promises] == ["Under way to Bolt south"]
    assert sent.quantity == "3 pcs"


def test_a_value_that_was_corrected_moved_nothing(found, ann):
    with acting_as(ann):
        transact(valuation.revalue_product, product_id=found.product_id, unit_cost=Decimal(9), note="market")
    last = page_of(ann, found.here).why.lines[-1]
    assert (last.what, last.change, last.balance) == ("Value corrected", "0", "35")


@pytest.mark.parametrize(
    ("here", "there", "point", "level"),
    [("0", "0", "5", "out"), ("2", "1", "5", "low"), ("0", "9", "5", "none"), ("3", "9", "5", ""), ("1", "0", "0", "")],
)
def test_it_tells_whether_there_is_enough(database, ann, here, there, point, level):
    made = shelf(here=here, there=there, reorder_point=Decimal(point))
    assert page_of(ann, made.here).item.level == level
