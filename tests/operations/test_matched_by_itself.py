"""Orders and receipts, by their own operations, match the invoices about them again."""

from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import Conflict
from inventory_app.operations import _matching, invoices, orders, receiving
from inventory_app.operations._receipt_lines import Came
from inventory_app.unit_of_work import open_session, transact
from tests.factories import person, supplier
from tests.operations.papers import Want, line, order, paper, record, status


@pytest.fixture(autouse=True)
def boss(database):
    with acting_as(person("ada", "admin")) as actor:
        yield actor


@pytest.fixture
def acme(database) -> int:
    return supplier("Acme", status="approved").id or 0


def receive(placed, quantity):
    return transact(receiving.receive_goods, order_id=placed.id, lines=[Came(placed.lines[0], Decimal(quantity))])


def test_goods_that_are_received_match_it_and_a_receipt_that_is_taken_back_blocks_it(acme):
    placed = order(acme, Want(40, 10))
    record("A", line(placed.lines[0], 30))
    assert status("A") == "blocked"
    done = receive(placed, 30)
    assert status("A") == "matched"
    transact(receiving.correct_receipt, receipt_id=done.receipt_id, note="Counted wrongly")
    assert status("A") == "blocked"


def test_what_is_not_kept_in_stock_is_owed_once_it_is_ordered_until_it_is_given_up(acme):
    placed = order(acme, Want(4, 10, stock=False), Want(4, 10, stock=False), status="approved")
    record("A", line(placed.lines[0], 4))
    transact(orders.place_order, order_id=placed.id, version=1)
    assert status("A") == "matched"
    transact(receiving.receive_goods, order_id=placed.id, lines=[Came(placed.lines[1], Decimal(1))])
    transact(orders.give_up_rest, order_id=placed.id, version=3, reason="Not needed")
    assert status("A") == "blocked"


def again(number):
    """Return whether a paper agrees by the rules as everything stands now, whatever was written down."""
    with open_session() as session:
        return _matching.load(session, [paper(number).id]).match(paper(number).id).agrees


def test_an_order_is_not_cancelled_under_an_invoice_and_one_of_a_void_invoice_is(acme):
    """What makes a match that cancelling could upset is refused first, so that there is nothing to match again."""
    placed = order(acme, Want(4, 10, stock=False))
    made = record("A", line(placed.lines[0], 4))
    freely = record("B", line(None, 1), order_id=placed.id, supplier_id=acme)
    for number, left in (("A", made), ("B", freely)):
        with pytest.raises(Conflict, match="has been recorded for"):
            transact(orders.cancel_order, order_id=placed.id, version=1, reason="Not needed")
        transact(invoices.void_invoice, invoice_id=left.invoice_id, version=paper(number).version, reason="Sent twice")
    transact(orders.cancel_order, order_id=placed.id, version=1, reason="Not needed")
    record("C", line(placed.lines[0], 4))
    assert (status("A"), status("C"), again("C")) == ("void", "blocked", False)


def test_closing_an_order_leaves_what_agreed_and_what_did_not_as_it_was(acme):
    placed = order(acme, Want(4, 10, received=4), Want(4, 10, stock=False, given_up=4), status="received")
    record("A", line(placed.lines[0], 4))
    record("B", line(placed.lines[1], 4))
    before = [(status(one), again(one)) for one in "AB"]
    transact(orders.close_order, order_id=placed.id, version=1)
    assert [(status(one), again(one)) for one in "AB"] == before == [("matched", True), ("blocked", False)]
