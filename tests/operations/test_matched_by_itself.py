"""Orders and receipts, by their own operations, match the invoices about them again."""

from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.operations import orders, receiving
from inventory_app.operations._receipt_lines import Came
from inventory_app.unit_of_work import transact
from tests.factories import person, supplier
from tests.operations.papers import Want, line, order, record, status


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
