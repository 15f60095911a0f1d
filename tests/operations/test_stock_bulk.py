"""Bulk updates: all or nothing, every fault of the batch named."""

from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import Invalid, InvalidRows, NotFound
from inventory_app.models.catalog import Location
from inventory_app.operations import stock
from inventory_app.unit_of_work import transact
from tests.factories import arrange
from tests.operations.shelf import Ledger, adjust, bulk, refusal, shelf

GROUPED = "Leave out what separates the thousands: write 1234 or 1234.5."


@pytest.fixture
def ledger(observer):
    return Ledger(observer)


@pytest.fixture(autouse=True)
def as_ann(ann, ledger):
    """Let Ann do it, and look at the books afterwards."""
    with acting_as(ann):
        yield ann
    ledger.balances()


def test_it_posts_the_differences_and_says_how_many_changed(ledger, trail):
    bolt, nut = shelf(), shelf("Nut", unit_cost=Decimal("0.1"))
    assert bulk((bolt.here, "12", "10"), (bolt.there, "5", "5"), (nut.here, "0"), note="autumn") == 2
    assert ledger.quantities(bolt.here, bolt.there, nut.here) == [12, 5, 0]
    up, down = ledger.movements()[-2:]
    assert (up.item_id, up.kind, up.quantity, up.value, up.reason_code, up.note) == (
        bolt.here,
        "count",
        2,
        Decimal("5.0000"),
        "counted",
        "autumn",
    )
    assert (down.item_id, down.quantity, down.value, down.sequence) == (nut.here, -10, Decimal("-1.0000"), 2)
    last = trail.last()
    assert (last.name, last.reason) == ("stock.bulk_update_inventory", "autumn")
    assert sorted(c.table for c in trail.changes(last.id)) == ["inventory_item"] * 2 + ["stock_movement"] * 2


def test_nothing_to_change_changes_nothing(ledger, trail):
    bolt = shelf()
    before = ledger.movements()
    assert bulk((bolt.here, "10.000")) == 0
    assert bulk() == 0
    assert ledger.movements() == before
    assert trail.changes() == []


def test_a_hundred_items_at_once(ledger):
    shelves = [shelf(f"Bolt{number:03}") for number in range(50)]
    ids = [id_ for one in shelves for id_ in (one.there, one.here)]
    assert bulk(*((id_, str(number)) for number, id_ in enumerate(ids, start=100))) == 100
    assert ledger.quantities(*ids) == list(range(100, 200))


def test_every_fault_is_listed_and_nothing_is_saved(ledger):
    bolt, nut, oil = shelf(), shelf("Nut"), shelf("Oil", unit_code="l")
    adjust(nut.here, -3)
    arrange(lambda session: setattr(session.get_one(Location, oil.there_location), "active", False))
    before = ledger.movements()
    error = refusal(
        InvalidRows,
        bulk,
        (bolt.here, "11", "10"),
        (999_999, "1"),
        (bolt.there, "-1"),
        (bolt.here, "12"),
        (nut.here, "20", "10"),
        (nut.there, "0.5"),
        (oil.there, "1"),
        (oil.here, "0.0625"),
        (nut.there, "NaN"),
        (oil.here, "100000000000"),
    )
    assert str(error) == "9 of 10 rows cannot be saved, so none was:"
    assert error.rows == (
        (2, "item_id", "there is no item 999999"),
        (3, "quantity", "Bolt cannot have -1"),
        (4, "item_id", "Bolt is already in row 1"),
        (5, "quantity", "Nut changed from 10 to 7 (ann) since you looked"),
        (6, "quantity", "pcs are counted with whole numbers only."),
        (7, "item_id", "Oil south is closed"),
        (8, "quantity", "l are counted with at most 3 decimals."),
        (9, "quantity", "Enter a number such as 12 or 12.5."),
        (10, "item_id", "Oil is already in row 8"),
    )
    assert ledger.movements() == before
    assert ledger.quantities(bolt.here) == [10]


@pytest.mark.parametrize("quantity", [Decimal(text) for text in ("-0.5", "NaN", "Infinity", "-Infinity")])
def test_a_quantity_that_no_item_can_have(quantity):
    error = refusal(InvalidRows, bulk, (shelf().here, quantity))
    assert error.rows == ((1, "quantity", f"Bolt cannot have {quantity}"),)


def test_a_quantity_that_is_too_large():
    error = refusal(InvalidRows, bulk, (shelf().here, "100000000000"))
    assert error.rows == ((1, "quantity", "This number is too large."),)


NEEDS = ("item_id", "needs an item and a quantity such as 12 or 12.5")
NEVER_READ = ("quantity", "was read as something that is no quantity")
NO_NUMBER = ("quantity", "Enter a number such as 12 or 12.5.")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({}, NEEDS),
        ({"item_id": 1}, NEEDS),
        ({"quantity": "1"}, NEEDS),
        ({"item_id": "x", "quantity": "1"}, NEEDS),
        ({"item_id": None, "quantity": "1"}, NEEDS),
        ({"item_id": 1, "quantity": "many"}, NO_NUMBER),
        ({"item_id": 1, "quantity": ""}, NO_NUMBER),
        ({"item_id": 1, "quantity": "1e2"}, NO_NUMBER),
        ({"item_id": 1, "quantity": "1", "read_quantity": "some"}, NEVER_READ),
        ({"item_id": 1, "quantity": "1 200"}, ("quantity", GROUPED)),
    ],
)
def test_a_row_that_cannot_be_read_is_named_beside_the_other_faults(row, fault):
    given = [{"item_id": shelf().here, "quantity": "0.5"}, row]
    error = refusal(InvalidRows, transact, stock.bulk_update_inventory, updates=given)
    assert str(error) == "2 of 2 rows cannot be saved, so none was:"
    assert error.rows == ((1, "quantity", "pcs are counted with whole numbers only."), (2, *fault))


@pytest.mark.parametrize("read", ["NaN", "Infinity", "1E+21", "1E-21", Decimal("NaN"), Decimal("1E+21")])
def test_what_nobody_can_have_read_is_refused_in_words(read):
    bolt = shelf()
    error = refusal(InvalidRows, bulk, (bolt.there, "1"), (bolt.here, "1", read))
    assert error.rows == ((2, "quantity", "was read as something that is no quantity"),)


@pytest.mark.parametrize("item_id", ["0", "-1", str(2**63)])
def test_a_key_that_no_item_can_have(item_id):
    assert str(refusal(NotFound, bulk, (item_id, "1"))) == (
        "One of the items does not exist (any more). Reload the page."
    )


def test_a_reason_of_the_list_is_needed():
    error = refusal(Invalid, bulk, (shelf().here, "1"), reason_code="because")
    assert error.fields == {"reason_code": "Choose a reason."}


def test_a_double_click_counts_once(ledger):
    bolt = shelf()
    done = [bulk((bolt.here, "12", "10"), idempotency_key="k1") for _ in range(2)]
    assert done == [1, 1]
    assert ledger.quantities(bolt.here) == [12]
    assert len(ledger.movements(bolt.here)) == 2
