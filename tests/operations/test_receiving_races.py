"""Two people and one order: whoever comes second waits for it, then decides on what is left."""

from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import AlreadyDecided, InsufficientStock, InvalidRows
from inventory_app.operations._receipt_lines import Back, Came
from tests.factories import person, product
from tests.fixtures.seeing import Side, before_commit, locks_waited_for, wait_until_blocked
from tests.operations.ordered import back, bolts, came, correct, ordered
from tests.operations.shelf import Ledger, issue, receive


@pytest.fixture
def ledger(observer):
    return Ledger(observer)


@pytest.fixture(autouse=True)
def as_ann(ann, ledger):
    """Let Ann do it, and look at the books afterwards."""
    with acting_as(ann):
        yield ann
    ledger.balances()
    assert not ledger.rows("SELECT id FROM purchase_order_line WHERE received > receivable")


@pytest.fixture
def nancy(database):
    """Return a second manager."""
    return person("nancy", "manager")


def one_after_the_other(first, second, observer, nancy):
    """Let the second wait for the first, which is done but for its commit; return what came of both."""
    with Side(first, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(second) as other:
            waiter = wait_until_blocked(observer, by=holder)
            # A row lock is waited for as the transaction that holds it.
            assert locks_waited_for(observer, waiter) == [("transactionid", "ShareLock")]
            one.go_on()
            return one.result(), other.error() or other.result()


def test_two_who_receive_one_order_never_take_in_more_than_was_ordered(observer, nancy, ledger):
    order = bolts(10)
    done, error = one_after_the_other(lambda: came(order, 7), lambda: came(order, 7), observer, nancy)
    assert done.status == "partially_received"
    assert isinstance(error, InvalidRows)
    assert error.rows == (
        (1, "quantity", "line 1 (Bolt M4): 3 pcs can still come (10 ordered, 7 came); you entered 7"),
    )
    assert ledger.worth(order.products[0]) == (7, Decimal("17.5"))


def test_two_who_receive_what_is_left_for_both_make_it_received(observer, nancy):
    order = bolts(10)
    first, second = one_after_the_other(lambda: came(order, 4), lambda: came(order, 6), observer, nancy)
    assert (first.status, second.status) == ("partially_received", "received")
    assert second.number > first.number


def test_a_receipt_is_taken_back_once(observer, nancy):
    order = bolts(10)
    receipt = came(order, 4).receipt_id
    done, error = one_after_the_other(lambda: correct(receipt), lambda: correct(receipt), observer, nancy)
    assert isinstance(error, AlreadyDecided)
    assert str(error) == f"This was taken back already, by {done.number}."


def test_what_goes_back_is_not_taken_back_as_well(observer, nancy, ledger):
    order = bolts(10)
    receipt = came(order, 4).receipt_id
    (row,) = ledger.rows("SELECT item_id FROM goods_receipt_line")
    first = lambda: back(order, Back(order.lines[0], Decimal(1), row.item_id))  # noqa: E731  # what a side does
    _, error = one_after_the_other(first, lambda: correct(receipt), observer, nancy)
    assert isinstance(error, InvalidRows)


def test_what_is_issued_does_not_go_back(observer, nancy, ledger):
    order = bolts(10)
    came(order, 4)
    (row,) = ledger.rows("SELECT item_id FROM goods_receipt_line")
    second = lambda: back(order, Back(order.lines[0], Decimal(4), row.item_id))  # noqa: E731  # what a side does
    _, error = one_after_the_other(lambda: issue(row.item_id, 3), second, observer, nancy)
    assert isinstance(error, InvalidRows)
    assert error.rows[0][2].startswith("line 1 (Bolt M4): only 1 pcs of Bolt are available")


def test_what_was_received_and_issued_is_not_taken_back(observer, nancy, ledger):
    order = bolts(10)
    receipt = came(order, 4).receipt_id
    (row,) = ledger.rows("SELECT item_id FROM goods_receipt_line")
    _, error = one_after_the_other(lambda: issue(row.item_id, 3), lambda: correct(receipt), observer, nancy)
    assert isinstance(error, InsufficientStock)


def test_two_orders_of_the_same_products_in_opposite_order_wait_for_each_other_once(observer, nancy, ledger):
    one, other = (product(sku, lots_kept=True).id for sku in ("ONE", "OTHER"))
    first = ordered({"product_id": one, "quantity": Decimal(5)}, {"product_id": other, "quantity": Decimal(5)})
    second = ordered(
        {"product_id": other, "quantity": Decimal(5)},
        {"product_id": one, "quantity": Decimal(5)},
        place=first.location,
    )

    def receiving(order):
        return lambda: came(order, *(Came(line, Decimal(5), lot_code="A1") for line in order.lines))

    results = one_after_the_other(receiving(first), receiving(second), observer, nancy)
    assert [done.status for done in results] == ["received", "received"]
    assert ledger.worth(one) == ledger.worth(other) == (10, 25)
    assert len(ledger.rows("SELECT id FROM lot")) == 2


def test_a_receipt_waits_for_who_receives_the_product_by_hand(observer, nancy, ledger):
    order = bolts(10)
    by_hand = lambda: receive(  # noqa: E731  # what a side does
        10, product_id=order.products[0], location_id=order.location, unit_cost=Decimal("5.5")
    )
    one_after_the_other(by_hand, lambda: came(order, 10), observer, nancy)
    assert ledger.cost(order.products[0]) == 4
    assert ledger.worth(order.products[0]) == (20, 80)
