"""Two people and the ledger: who comes second waits for a lock seen in `pg_locks`, then decides on what is there."""

from datetime import timedelta
from decimal import Decimal

import pytest

from inventory_app import jobs
from inventory_app.context import acting_as
from inventory_app.errors import (
    AlreadyDecided,
    Conflict,
    InsufficientStock,
    Invalid,
    InvalidRows,
    PeriodClosed,
    TooFine,
)
from inventory_app.models._base import now
from inventory_app.operations import books, locations, periods, reservations, stock, units, valuation
from inventory_app.unit_of_work import read, transact
from tests.factories import location, person, product
from tests.fixtures.seeing import Side, before_commit, locks_waited_for, wait_until_blocked
from tests.operations.shelf import (
    Ledger,
    accept,
    adjust,
    bulk,
    issue,
    lot_shelf,
    receive,
    reserve,
    send,
    shelf,
    take_back,
    transfer,
    undo,
)

ROW = [("transactionid", "ShareLock")]
EXPIRES = now().date() + timedelta(days=30)


@pytest.fixture
def ledger(observer):
    return Ledger(observer)


@pytest.fixture
def as_ann(database, ledger):
    """Let Ann do it, who may close periods as well, and look at the books afterwards."""
    with acting_as(person("ann", "manager", "accountant")) as actor:
        yield actor
    ledger.balances()


@pytest.fixture
def nancy(database):
    """Return a second person of the same roles."""
    return person("nancy", "manager", "accountant")


@pytest.fixture
def race(as_ann, nancy, observer):
    """Return who lets `first` wait before its COMMIT until `second` waits for the lock, and then both go on."""

    def run(first, second, waits=ROW):
        with Side(first, until=before_commit()) as one:
            holder = one.reaches_its_point()
            with acting_as(nancy), Side(second) as other:
                waiter = wait_until_blocked(observer, by=holder)
                assert locks_waited_for(observer, waiter) == waits
                one.go_on()
                one.result()
                error = other.error()
                return error or other.result()

    return run


def test_two_take_the_same_movement_back(race, ledger):
    bolt = shelf()
    issue(bolt.here, 3)
    gone = ledger.movements(bolt.here)[-1].id
    error = race(lambda: take_back(gone), lambda: take_back(gone))
    assert isinstance(error, AlreadyDecided)
    assert str(error).startswith("This was taken back already, by ann on ")
    assert ledger.quantities(bolt.here) == [10]


def test_two_take_the_same_transfer_back_by_its_two_halves(race, ledger):
    bolt = shelf()
    transfer(bolt.here, bolt.there, 4)
    out, back = ledger.movements()[-2:]
    assert isinstance(race(lambda: take_back(out.id), lambda: take_back(back.id)), AlreadyDecided)
    assert ledger.quantities(bolt.here, bolt.there) == [10, 5]


def test_taking_back_after_an_issue_finds_too_little(race, ledger):
    bolt = shelf()
    came = receive(5, item_id=bolt.here).operation_id
    error = race(lambda: issue(bolt.here, 12), lambda: undo(came))
    assert isinstance(error, InsufficientStock)
    assert str(error) == "Only 3 pcs of Bolt are available at Bolt north; you asked for 5."
    assert ledger.quantities(bolt.here) == [3]


def test_an_issue_after_taking_back_finds_too_little(race, ledger):
    bolt = shelf()
    came = receive(5, item_id=bolt.here).operation_id
    error = race(lambda: undo(came), lambda: issue(bolt.here, 12))
    assert isinstance(error, InsufficientStock)
    assert ledger.quantities(bolt.here) == [10]


@pytest.mark.parametrize("way", ["in one statement", "in steps"])
def test_a_transfer_after_a_reservation_leaves_what_is_reserved(way, race, ledger, monkeypatch):
    if way == "in steps":
        monkeypatch.setattr(stock, "move", lambda *_, **__: None)
    bolt = shelf()
    error = race(lambda: reserve(bolt.here, 7), lambda: transfer(bolt.here, bolt.there, 4))
    assert isinstance(error, InsufficientStock)
    assert str(error) == "Only 3 pcs of Bolt are available at Bolt north (7 pcs more are reserved); you asked for 4."
    assert ledger.quantities(bolt.here) == [10]


def test_a_reservation_after_a_transfer_finds_what_is_left(race, ledger):
    bolt = shelf()
    error = race(lambda: transfer(bolt.here, bolt.there, 4), lambda: reserve(bolt.here, 7))
    assert isinstance(error, InsufficientStock)
    assert str(error) == "Only 6 pcs of Bolt are available at Bolt north; you asked for 7."


def close_through(days_ago):
    return transact(periods.close_period, closed_through=now().date() - timedelta(days=days_ago))


def test_closing_a_period_waits_for_who_books_in_it(race, ledger):
    bolt = shelf()
    earlier = now() - timedelta(days=40)
    done = race(
        lambda: issue(bolt.here, 3, occurred_at=earlier), lambda: close_through(30), [("advisory", "ExclusiveLock")]
    )
    assert done == periods.said(now().date() - timedelta(days=30))
    assert ledger.movements(bolt.here)[-1].occurred_at == earlier


def test_who_books_in_a_period_that_is_being_closed_waits_and_is_refused(race, ledger):
    bolt = shelf()
    earlier = now() - timedelta(days=40)
    error = race(
        lambda: close_through(30), lambda: issue(bolt.here, 3, occurred_at=earlier), [("advisory", "ShareLock")]
    )
    assert isinstance(error, PeriodClosed)
    assert ledger.quantities(bolt.here) == [10]


def coarser(ada):
    """Let the administrator count kilograms with no decimals any more."""
    with acting_as(ada):
        return transact(units.update_unit, code="kg", name="Kilograms", decimals=0, was="Kilograms/3")


@pytest.fixture
def flour(as_ann):
    return shelf("Flour", unit_code="kg")


def test_who_makes_a_unit_coarser_waits_for_what_is_booked_more_finely(race, ada, flour, ledger):
    error = race(lambda: issue(flour.here, "0.5"), lambda: coarser(ada))
    assert isinstance(error, Conflict)
    assert str(error) == "Quantities with 1 decimal are on record in kg, so it needs at least 1."
    assert ledger.quantities(flour.here) == [Decimal("9.5")]


def test_what_is_booked_more_finely_waits_for_who_makes_the_unit_coarser(race, ada, flour, ledger):
    error = race(lambda: coarser(ada), lambda: issue(flour.here, "0.5"))
    assert isinstance(error, TooFine)
    assert error.fields == {"quantity": str(error)}
    assert ledger.quantities(flour.here) == [10]
    issue(flour.here, 1)


def test_two_close_the_same_period(race):
    error = race(lambda: close_through(30), lambda: close_through(30), [("advisory", "ExclusiveLock")])
    assert isinstance(error, Invalid)


def test_two_receipts_at_a_cost_are_both_in_the_average(race, ledger):
    bolt = shelf(here="10", there="0", unit_cost=Decimal(2))
    race(
        lambda: receive(10, item_id=bolt.here, unit_cost=Decimal(5)),
        lambda: receive(20, item_id=bolt.there, unit_cost=Decimal(11)),
    )
    assert ledger.worth(bolt.product_id) == (40, 290)
    assert ledger.cost(bolt.product_id) == Decimal("7.25")


def test_an_issue_is_not_booked_at_a_cost_that_is_just_changing(race, ledger):
    bolt = shelf(here="10", there="10", unit_cost=Decimal(1))
    race(lambda: receive(20, item_id=bolt.here, unit_cost=Decimal(3)), lambda: issue(bolt.there, 5))
    assert ledger.movements(bolt.there)[-1].value == -10
    assert ledger.worth(bolt.product_id) == (35, 70)


def test_two_accept_the_same_shipment(race, ledger):
    bolt = shelf()
    sent = send(bolt.here, bolt.there_location, 4).shipment_id
    error = race(lambda: accept(sent, 3), lambda: accept(sent))
    assert isinstance(error, AlreadyDecided)
    assert str(error).startswith("This shipment was accepted already, by ann on ")
    assert ledger.quantities(bolt.there) == [8]


def test_two_are_the_first_to_bring_a_lot(race, ledger):
    milk, shed = product("MILK", lots_kept=True), location("SHED")
    at = {"product_id": milk.id, "location_id": shed.id}
    race(lambda: receive(2, **at, lot_code="A1", expires_on=EXPIRES), lambda: receive(3, **at, lot_code="a1"))
    assert [(m.quantity, m.sequence) for m in ledger.movements()] == [(2, 1), (3, 2)]
    assert [(row.code, row.expires_on) for row in ledger.rows("SELECT * FROM lot")] == [("A1", EXPIRES)]


def test_two_are_the_first_to_bring_a_lot_somewhere(race, ledger):
    milk = lot_shelf()
    race(
        lambda: transfer(milk.one, None, 2, to_location_id=milk.there_location),
        lambda: transfer(milk.one, None, 3, to_location_id=milk.there_location),
    )
    (there,) = ledger.rows("SELECT quantity FROM inventory_item WHERE location_id = %s", [milk.there_location])
    assert there.quantity == 5


def test_two_who_take_the_last_of_a_product_at_two_places_leave_no_value(race, ledger):
    nut, one, other = product("NUT"), location("ONE"), location("OTHER")
    for place, cost in ((one, "0.3333"), (other, "0.3334"), (other, "0.3334")):
        receive(1, product_id=nut.id, location_id=place.id, unit_cost=Decimal(cost))
    here, there, _ = (m.item_id for m in ledger.movements())
    # Both wait for nobody's item; the product's sum is what they share.
    race(lambda: issue(here, 1), lambda: adjust(there, -2))
    assert ledger.worth(nut.id) == (0, 0)
    assert ledger.movements()[-1].kind == "revaluation"


# What is kept back


def test_two_reserve_the_same(race):
    bolt = shelf()
    error = race(lambda: reserve(bolt.here, 7), lambda: reserve(bolt.here, 4))
    assert isinstance(error, InsufficientStock)
    assert str(error) == "Only 3 pcs of Bolt are available at Bolt north (7 pcs more are reserved); you asked for 4."


TAKING = {
    "issue": (lambda bolt: issue(bolt.here, 4), InsufficientStock),
    "adjust": (lambda bolt: adjust(bolt.here, -4), InsufficientStock),
    "send": (lambda bolt: send(bolt.here, bolt.there_location, 4), InsufficientStock),
    "count": (lambda bolt: bulk((bolt.here, 6)), InvalidRows),
}


@pytest.mark.parametrize("taking", TAKING)
def test_who_takes_after_a_reservation_leaves_what_is_reserved(taking, race, ledger):
    bolt = shelf()
    take, refused = TAKING[taking]
    assert type(race(lambda: reserve(bolt.here, 7), lambda: take(bolt))) is refused
    assert ledger.quantities(bolt.here) == [10]


def test_what_came_in_is_not_taken_back_once_it_is_reserved(race, ledger):
    bolt = shelf(here="0")
    came = receive(5, item_id=bolt.here).operation_id
    assert isinstance(race(lambda: reserve(bolt.here, 2), lambda: undo(came)), InsufficientStock)
    assert ledger.quantities(bolt.here) == [5]


def test_two_release_the_same_reservation(race):
    kept = reserve(shelf().here, 2).reservation_id

    def release():
        return transact(reservations.release_reservation, reservation_id=kept)

    assert isinstance(race(release, release), AlreadyDecided)


# Shipments


def test_a_shipment_after_a_transfer_finds_what_is_left(race, ledger):
    bolt = shelf()
    error = race(lambda: transfer(bolt.here, bolt.there, 7), lambda: send(bolt.here, bolt.there_location, 4))
    assert isinstance(error, InsufficientStock)
    assert ledger.quantities(bolt.here, bolt.there) == [3, 12]


def test_two_are_the_first_to_send_anything(race, ledger):
    bolt, nut = shelf(), shelf("Nut")
    race(lambda: send(bolt.here, bolt.there_location, 1), lambda: send(nut.here, nut.there_location, 2))
    moving = ledger.rows(
        "SELECT i.quantity FROM inventory_item i JOIN location l ON l.id = i.location_id AND l.kind = 'transit'"
        " ORDER BY i.id"
    )
    assert [row.quantity for row in moving] == [1, 2]
    assert len(ledger.rows("SELECT id FROM location WHERE kind = 'transit'")) == 1


# What one is worth


def revalue(product_id, cost):
    return transact(valuation.revalue_product, product_id=product_id, unit_cost=Decimal(cost), note="worth it")


def test_an_issue_is_booked_at_the_cost_that_was_just_set(race, ledger):
    bolt = shelf(here="10", there="10", unit_cost=Decimal(1))
    race(lambda: revalue(bolt.product_id, 3), lambda: issue(bolt.there, 5))
    assert ledger.movements(bolt.there)[-1].value == -15
    assert ledger.worth(bolt.product_id) == (15, 45)


def test_a_cost_is_set_for_what_is_left_after_an_issue(race, ledger):
    bolt = shelf(here="10", there="10", unit_cost=Decimal(1))
    race(lambda: issue(bolt.there, 5), lambda: revalue(bolt.product_id, 3))
    assert ledger.worth(bolt.product_id) == (15, 45)


def test_of_two_who_set_the_same_cost_the_second_has_nothing_to_set(race, ledger):
    bolt = shelf(here="10", there="0", unit_cost=Decimal(1))
    error = race(lambda: revalue(bolt.product_id, 3), lambda: revalue(bolt.product_id, 3))
    assert isinstance(error, Conflict)
    assert ledger.worth(bolt.product_id) == (10, 30)


# Places that are being closed


def close(location_id):
    return transact(locations.set_location_active, location_id=location_id, version=1, active=False)


def create(location_id, **more):
    known = {"sku": "NEW", "name": "New"} if "product_id" not in more else {}
    return transact(stock.create_inventory_item, location_id=location_id, quantity=Decimal(4), **known, **more)


ARRIVING = {
    "a new product": lambda bolt, place: create(place),
    "a product that is known": lambda bolt, place: create(place, product_id=bolt.product_id),
    "a receipt": lambda bolt, place: receive(4, product_id=bolt.product_id, location_id=place),
    "a shipment": lambda bolt, place: send(bolt.here, place, 4),
}


@pytest.mark.parametrize("arriving", ARRIVING)
def test_what_arrives_while_a_place_is_being_closed_finds_it_closed(arriving, race, ledger):
    bolt, shed = shelf(), location("SHED", name="Shed").id or 0
    error = race(lambda: close(shed), lambda: ARRIVING[arriving](bolt, shed))
    assert isinstance(error, Invalid)
    assert not ledger.rows("SELECT id FROM inventory_item WHERE location_id = %s", [shed])
    assert not ledger.rows("SELECT id FROM shipment")


@pytest.mark.parametrize("arriving", ARRIVING)
def test_a_place_is_not_closed_while_something_arrives(arriving, race, ledger):
    bolt, shed = shelf(), location("SHED", name="Shed").id or 0
    error = race(lambda: ARRIVING[arriving](bolt, shed), lambda: close(shed))
    assert isinstance(error, Conflict)
    assert "Shed cannot be closed: 4 pcs of " in str(error)
    assert ledger.rows("SELECT active FROM location WHERE id = %s", [shed])[0].active


def test_nothing_is_sent_through_a_place_that_is_being_closed(race, ledger):
    bolt, road = shelf(), location("ROAD", name="Road", kind="transit").id or 0
    accept(send(bolt.here, bolt.there_location, 1).shipment_id)
    error = race(lambda: close(road), lambda: send(bolt.here, bolt.there_location, 4))
    assert isinstance(error, Conflict)
    assert str(error) == "The location of what is on its way was closed just now. Try again."
    assert ledger.quantities(bolt.here) == [9]


# Periods and books


def test_two_open_the_same_period_again(race):
    close_through(30)
    (last,) = read(periods.list_periods).rows

    def reopen():
        return transact(periods.reopen_period, period_id=last.id, reason="an invoice came late")

    assert isinstance(race(reopen, reopen, [("advisory", "ExclusiveLock")]), AlreadyDecided)


def test_two_who_begin_to_check_the_books_check_them_once(race, ledger):
    first = []
    second = race(
        lambda: first.append(transact(books.begin_check)),
        lambda: transact(books.begin_check),
        [("advisory", "ExclusiveLock")],
    )
    assert [row.id for row in ledger.rows("SELECT id FROM books_check")] == [*first] == [second]


def test_putting_the_books_right_waits_for_who_books_and_keeps_it(race, ledger, observer):
    bolt = shelf()
    observer.execute("ALTER TABLE inventory_item DISABLE TRIGGER USER")
    observer.execute("UPDATE inventory_item SET quantity = 12 WHERE id = %s", [bolt.here])
    observer.execute("ALTER TABLE inventory_item ENABLE TRIGGER USER")
    check = transact(books.begin_check)
    while jobs.check_next(check):
        pass
    rebuilt = race(
        lambda: issue(bolt.here, 3), lambda: transact(books.rebuild_books, check_id=check, reason="it was wrong")
    )
    assert rebuilt.items == 1
    assert ledger.quantities(bolt.here) == [7]
