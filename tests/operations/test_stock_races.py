"""Two people and one item: whoever comes second waits for the lock, then decides on what is there."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from decimal import Decimal

import pytest
import sqlalchemy as sa

from inventory_app.context import acting_as
from inventory_app.errors import InsufficientStock, InvalidRows
from inventory_app.unit_of_work import open_session
from tests.factories import location, person
from tests.fixtures.database import forget_cached
from tests.fixtures.seeing import Side, before_commit, locks_waited_for, wait_until_blocked
from tests.operations.shelf import Ledger, adjust, bulk, issue, refusal, shelf, transfer

THREADS = 16
TURNS = 12


@pytest.fixture
def ledger(observer):
    return Ledger(observer)


@pytest.fixture
def as_ann(ann, ledger):
    """Let Ann do it, and look at the books afterwards."""
    with acting_as(ann):
        yield ann
    ledger.balances()


@pytest.fixture
def nancy(database):
    """Return a second manager."""
    return person("nancy", "manager")


FIRST = {
    "transfer": lambda bolt: transfer(bolt.here, bolt.there, 7),
    "issue": lambda bolt: issue(bolt.here, 7),
    "adjust": lambda bolt: adjust(bolt.here, -7),
    "bulk": lambda bolt: bulk((bolt.here, "3", "10")),
}


@pytest.mark.parametrize("second", ["transfer", "issue", "adjust"])
@pytest.mark.parametrize("first", FIRST)
def test_the_second_waits_and_sees_what_the_first_left(first, second, as_ann, nancy, observer, ledger):
    bolt = shelf()
    with Side(lambda: FIRST[first](bolt), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(lambda: FIRST[second](bolt)) as other:
            waiter = wait_until_blocked(observer, by=holder)
            # A row lock is waited for as the transaction that holds it.
            assert locks_waited_for(observer, waiter) == [("transactionid", "ShareLock")]
            one.go_on()
            one.result()
            error = other.error()
    assert isinstance(error, InsufficientStock)
    assert str(error) == "Only 3 pcs of Bolt are available at Bolt north; you asked for 7."
    assert ledger.quantities(bolt.here) == [3]


def test_the_second_is_served_when_enough_is_left(as_ann, nancy, observer, ledger):
    bolt = shelf()
    with Side(lambda: transfer(bolt.here, bolt.there, 4), until=before_commit()) as one:
        holder = one.reaches_its_point()
        # Opposite direction: the same two locks, taken in the same order.
        with acting_as(nancy), Side(lambda: transfer(bolt.there, bolt.here, 9)) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            other.result()
    assert ledger.quantities(bolt.here, bolt.there) == [15, 0]
    assert [m.sequence for m in ledger.movements(bolt.here)] == [1, 2, 3]


def test_a_count_that_came_second_is_stale(as_ann, nancy, observer, ledger):
    bolt = shelf()
    with Side(lambda: transfer(bolt.here, bolt.there, 4), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(lambda: bulk((bolt.here, "11", "10"))) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            error = other.error()
    assert isinstance(error, InvalidRows)
    assert error.rows == ((1, "quantity", "Bolt changed from 10 to 6 (ann) since you looked"),)
    assert ledger.quantities(bolt.here) == [6]


def test_the_first_that_was_undone_has_changed_nothing(as_ann, nancy, observer, ledger):
    bolt = shelf()
    with Side(lambda: transfer(bolt.here, bolt.there, 10), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(lambda: issue(bolt.here, 10)) as other:
            wait_until_blocked(observer, by=holder)
            observer.execute("SELECT pg_terminate_backend(%s)", [holder])
            assert other.result().after == "0 pcs"
            one.go_on()
            one.error()
    assert ledger.quantities(bolt.here) == [0]


def test_two_people_can_be_the_first_to_bring_it_somewhere(as_ann, nancy, observer, ledger):
    bolt, west = shelf(), location("WEST", name="West")
    with Side(lambda: transfer(bolt.here, None, 4, to_location_id=west.id), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(lambda: transfer(bolt.there, None, 5, to_location_id=west.id)) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            other.result()
    assert [m.quantity for m in ledger.movements() if m.item_id not in (bolt.here, bolt.there)] == [4, 5]


def test_who_brings_it_somewhere_new_waits_for_its_product_with_no_item_in_hand(as_ann, observer, ledger):
    bolt, west = shelf(), location("WEST", name="West")
    with open_session() as receiving:
        # As a receipt begins: the product first, its items after that.
        receiving.execute(sa.text("SELECT FROM product WHERE id = :id FOR UPDATE"), {"id": bolt.product_id})
        holder = receiving.scalar(sa.text("SELECT pg_backend_pid()"))
        with Side(lambda: transfer(bolt.here, None, 4, to_location_id=west.id)) as moving:
            wait_until_blocked(observer, by=holder)
            receiving.execute(sa.text("SELECT FROM inventory_item WHERE id = :id FOR UPDATE NOWAIT"), {"id": bolt.here})
            receiving.rollback()
            moving.result()
    assert ledger.quantities(bolt.here) == [6]


def test_many_in_both_directions_lose_nothing(as_ann, monkeypatch, ledger):
    # As many connections as people, so that the database decides who waits and not the pool.
    monkeypatch.setenv("SQLALCHEMY_POOL_SIZE", str(THREADS))
    forget_cached()
    bolt = shelf(here="40", there="40")
    together = threading.Barrier(THREADS)
    refused: list[InsufficientStock] = []

    def work(number: int) -> None:
        together.wait()
        ways = (bolt.here, bolt.there) if number % 2 else (bolt.there, bolt.here)
        for turn in range(TURNS):
            try:
                transfer(*ways, 1 + (number + turn) % 9)
            except InsufficientStock as error:
                refused.append(error)

    with ThreadPoolExecutor(THREADS) as pool:
        running = [pool.submit(copy_context().run, work, number) for number in range(THREADS)]
        for one in running:
            one.result()
    assert ledger.totals() == (Decimal(80), Decimal(0))
    assert len(ledger.movements(bolt.here)) == 1 + THREADS * TURNS - len(refused)
    assert {m.kind for m in ledger.movements(bolt.here)[1:]} == {"transfer"}


def test_refusals_of_a_crowd_are_all_on_record(as_ann, trail):
    bolt = shelf(here="0")
    for _ in range(3):
        refusal(InsufficientStock, transfer, bolt.here, bolt.there)
    assert len(trail.operations(outcome="failed", error_class="InsufficientStock")) == 3
