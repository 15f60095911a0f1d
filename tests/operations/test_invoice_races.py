"""Two people and an invoice: who comes second waits for a lock seen in `pg_locks`, then decides on what is there."""

from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import AlreadyDecided, Conflict
from inventory_app.models.purchasing import PurchaseOrder, PurchaseOrderLine
from inventory_app.operations import _matching, invoices
from inventory_app.unit_of_work import read, transact
from tests.factories import arrange, person, supplier
from tests.fixtures.seeing import Side, before_commit, locks_waited_for, wait_until_blocked
from tests.operations.papers import Want, came, line, order, paper, record, status


@pytest.fixture
def cleo(database):
    with acting_as(person("cleo", "accountant")) as actor:
        yield actor


@pytest.fixture
def mia(database):
    return person("mia", "accountant")


@pytest.fixture
def acme(database) -> int:
    return supplier("Acme", status="approved").id or 0


@pytest.fixture
def race(cleo, mia, observer):
    """Let `first` (Cleo) wait before its COMMIT until `second` (Mia) waits for the lock, and then both go on."""

    def run(first, second, waits=(("transactionid", "ShareLock"),)):
        with Side(first, until=before_commit()) as one:
            holder = one.reaches_its_point()
            with acting_as(mia), Side(second) as other:
                waiter = wait_until_blocked(observer, by=holder)
                assert locks_waited_for(observer, waiter) == list(waits)
                one.go_on()
                one.result()
                return other.error() or other.result()

    return run


def release(number, version=1):
    seen = read(invoices.invoice_detail, invoice_id=paper(number).id)
    return lambda: transact(
        invoices.release_invoice, invoice_id=seen.id, version=version, differences=seen.read, reason="agreed"
    )


def void(number, version=1):
    id_ = paper(number).id
    return lambda: transact(invoices.void_invoice, invoice_id=id_, version=version, reason="typed wrongly")


def test_two_record_the_same_number_and_one_of_them_is_told(race, acme):
    error = race(lambda: record("SB-1", line(), supplier_id=acme), lambda: record("sb-1", line(), supplier_id=acme))
    assert isinstance(error, Conflict)
    assert str(error) == "An invoice of this supplier with this number has been recorded already."


def test_two_invoice_the_same_goods_and_the_second_one_is_blocked(race, acme):
    placed = order(acme, Want(40, 10, received=40))
    done = race(lambda: record("A", line(placed.lines[0], 30)), lambda: record("B", line(placed.lines[0], 30)))
    assert done.status == "blocked"
    assert (status("A"), status("B")) == ("matched", "blocked")


def test_who_releases_what_is_being_voided_is_told(race, acme):
    placed = order(acme, Want(40, 10))
    record("A", line(placed.lines[0], 30))
    error = race(void("A"), release("A"))
    assert isinstance(error, AlreadyDecided)
    assert (str(error), status("A")) == ("A is void already.", "void")


def test_who_voids_what_is_being_released_reads_again(cleo, mia, acme, observer):
    placed = order(acme, Want(40, 10))
    record("A", line(placed.lines[0], 30))
    with acting_as(mia):
        first = Side(release("A"), until=before_commit())
    with first as one:
        holder = one.reaches_its_point()
        with Side(void("A")) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            assert str(other.error()).startswith("A was changed after you opened it.")
    assert status("A") == "released"


def test_an_invoice_that_is_recorded_while_goods_come_sees_them(race, acme):
    placed = order(acme, Want(40, 10))
    done = race(lambda: came(placed, received=40), lambda: record("A", line(placed.lines[0], 40)))
    assert done.status == "matched"


def test_goods_that_come_while_an_invoice_is_recorded_match_it(race, acme):
    placed = order(acme, Want(40, 10))
    race(lambda: record("A", line(placed.lines[0], 40)), lambda: came(placed, received=40))
    assert status("A") == "matched"


def test_goods_of_two_orders_that_come_at_once_match_the_invoice_about_both(race, acme):
    one, two = order(acme, Want(10, 10)), order(acme, Want(10, 10))
    record("A", line(one.lines[0], 10), line(two.lines[0], 10))
    # Each has its own order; they meet at the invoice.
    race(lambda: touched(one), lambda: touched(two))
    assert status("A") == "matched"


def touched(placed):
    """Receive everything, and lock the invoice as whoever receives does although nothing comes of it yet."""

    def build(session) -> None:
        session.get(PurchaseOrder, placed.id, with_for_update=True)
        session.get_one(PurchaseOrderLine, placed.lines[0]).received = Decimal(10)
        _matching.rematch(session, [placed.id])

    arrange(build)
