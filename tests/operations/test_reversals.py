"""Taking back: a counter-entry with the original's exact value, once, under the guards of every posting."""

from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import AlreadyDecided, Conflict, InsufficientStock, Invalid, NotAllowed, NotFound
from inventory_app.models.catalog import Location
from inventory_app.operations import reversals, valuation
from inventory_app.unit_of_work import read, transact
from tests.factories import arrange, location, person, product
from tests.operations.shelf import (
    Ledger,
    accept,
    adjust,
    bulk,
    issue,
    receive,
    refusal,
    reserve,
    send,
    shelf,
    take_back,
    transfer,
    undo,
)


@pytest.fixture
def ledger(observer):
    return Ledger(observer)


@pytest.fixture(autouse=True)
def as_ann(ann, ledger):
    """Let Ann do it, and look at the books afterwards."""
    with acting_as(ann):
        yield ann
    ledger.balances()


def last(ledger, item_id):
    return ledger.movements(item_id)[-1]


@pytest.mark.parametrize(
    ("act", "held"),
    [
        (lambda bolt: issue(bolt.here, 3), 10),
        (lambda bolt: adjust(bolt.here, 3), 10),
        (lambda bolt: receive(3, item_id=bolt.here), 10),
    ],
)
def test_a_counter_entry_links_to_what_it_takes_back(act, held, ledger, trail):
    bolt = shelf()
    act(bolt)
    original = last(ledger, bolt.here)
    done = take_back(original.id, note="typed wrongly")
    counter = last(ledger, bolt.here)
    assert (done.movements, done.product, done.quantity) == (1, "Bolt", "3 pcs")
    assert (counter.kind, counter.reverses, counter.quantity) == ("reversal", original.id, -original.quantity)
    assert (counter.value, counter.unit_cost) == (-original.value, original.unit_cost)
    assert (counter.reason_code, counter.note) == ("correction", "typed wrongly")
    assert str(counter.operation_id) == done.operation_id
    assert ledger.quantities(bolt.here) == [held]
    assert trail.last().reason == "typed wrongly"


def test_it_takes_the_exact_value_of_then_and_the_average_follows(ledger):
    nut, shed = product("NUT", name="Nut"), location("SHED")
    receive(10, product_id=nut.id, location_id=shed.id, unit_cost=Decimal(2))
    here = ledger.movements()[0].item_id
    issue(here, 5)
    gone = last(ledger, here)
    receive(5, item_id=here, unit_cost=Decimal(4))
    assert ledger.worth(nut.id) == (10, 30)
    take_back(gone.id)
    assert ledger.worth(nut.id) == (15, 40)
    assert ledger.cost(nut.id) == Decimal("2.6667")
    assert (last(ledger, here).value, last(ledger, here).unit_cost) == (10, 2)


@pytest.mark.parametrize("half", [0, 1])
def test_both_halves_of_a_transfer_are_taken_back_together(half, ledger):
    bolt = shelf()
    transfer(bolt.here, bolt.there, 4)
    halves = ledger.movements()[-2:]
    assert take_back(halves[half].id).movements == 2
    assert ledger.quantities(bolt.here, bolt.there) == [10, 5]
    counters = ledger.movements()[-2:]
    assert {m.reverses for m in counters} == {m.id for m in halves}
    assert len({m.operation_id for m in counters}) == 1
    assert sum(m.value for m in counters) == 0


def test_everything_an_operation_booked_is_taken_back_at_once(ledger):
    bolt, nut = shelf(), shelf("Nut", here="3", there="0")
    bulk((bolt.here, 1), (bolt.there, 9), (nut.here, 0))
    done = undo(str(ledger.movements()[-1].operation_id))
    # The last nut took along what rounding had left, were there any.
    assert done.movements == 3
    assert ledger.quantities(bolt.here, bolt.there, nut.here) == [10, 5, 3]


def test_what_settled_a_rounding_difference_comes_back_with_it(ledger):
    nut, shed = product("NUT"), location("SHED")
    at = {"product_id": nut.id, "location_id": shed.id}
    for cost in ("0.3333", "0.3334", "0.3334"):
        receive(1, **at, unit_cost=Decimal(cost))
    here, worth = ledger.movements()[0].item_id, ledger.worth(nut.id)
    done = issue(here, 3)
    settled = last(ledger, here)
    assert settled.kind == "revaluation"
    error = refusal(Conflict, take_back, settled.id)
    assert str(error) == "This took away what rounding had left. It comes back with what it settled."
    assert undo(done.operation_id).movements == 2
    assert ledger.worth(nut.id) == worth


def test_a_revaluation_is_taken_back(ledger):
    bolt = shelf()
    done = transact(valuation.revalue_product, product_id=bolt.product_id, unit_cost=Decimal(9), note="wrong")
    undo(done.operation_id)
    assert ledger.worth(bolt.product_id) == (15, Decimal("37.5"))
    assert ledger.cost(bolt.product_id) == Decimal("2.5")


def test_it_is_taken_back_once(ledger):
    bolt = shelf()
    done = issue(bolt.here, 3)
    movement = last(ledger, bolt.here)
    take_back(movement.id)
    for again in (refusal(AlreadyDecided, take_back, movement.id), refusal(AlreadyDecided, undo, done.operation_id)):
        assert str(again).startswith("This was taken back already, by ann on ")
    counter = last(ledger, bolt.here)
    error = refusal(Conflict, take_back, counter.id)
    assert str(error) == "This took something back itself. Book what is right instead."
    assert ledger.quantities(bolt.here) == [10]


def test_what_is_no_longer_there_cannot_be_taken_out_again(ledger):
    bolt = shelf()
    done = receive(5, item_id=bolt.here)
    issue(bolt.here, 12)
    sentence = "Only 3 pcs of Bolt are available at Bolt north; you asked for 5."
    assert str(refusal(InsufficientStock, undo, done.operation_id)) == sentence
    assert ledger.quantities(bolt.here) == [3]


def test_what_is_reserved_cannot_be_taken_out_again():
    bolt = shelf()
    done = receive(5, item_id=bolt.here)
    reserve(bolt.here, 12)
    sentence = "Only 3 pcs of Bolt are available at Bolt north (12 pcs more are reserved); you asked for 5."
    assert str(refusal(InsufficientStock, undo, done.operation_id)) == sentence


def test_what_belongs_to_a_shipment_is_not_taken_back_alone(ledger):
    bolt = shelf()
    sent = send(bolt.here, bolt.there_location, 4)
    sentence = (
        f"This belongs to shipment {sent.shipment_id}. Accept the shipment, then send back what should not have gone."
    )
    assert str(refusal(Conflict, take_back, last(ledger, bolt.here).id)) == sentence
    accept(sent.shipment_id)
    assert str(refusal(Conflict, take_back, last(ledger, bolt.there).id)) == sentence


def test_nothing_is_left_worth_less_than_nothing(ledger):
    nut, shed = product("NUT", name="Nut"), location("SHED")
    at = {"product_id": nut.id, "location_id": shed.id}
    receive(10, **at, unit_cost=Decimal(1))
    done = receive(10, **at, unit_cost=Decimal(9))
    issue(ledger.movements()[0].item_id, 9)
    sentence = "What is left of Nut would be worth less than nothing. Set its cost first."
    assert str(refusal(Conflict, undo, done.operation_id)) == sentence
    assert ledger.worth(nut.id) == (11, 55)


def test_a_closed_location_gets_nothing_back(ledger):
    bolt = shelf()
    done = issue(bolt.here, 3)
    arrange(lambda session: setattr(session.get_one(Location, bolt.here_location), "active", False))
    error = refusal(Invalid, undo, done.operation_id)
    assert str(error) == "Bolt north is closed. Choose a location that is in use."


def test_what_there_is_nothing_to_take_back_of():
    bolt = shelf()
    assert str(refusal(NotFound, take_back, 999_999)) == "This movement does not exist (any more). Reload the page."
    refusal(NotFound, undo, "no id")
    nothing = refusal(NotFound, undo, "00000000-0000-0000-0000-000000000000")
    assert str(nothing) == "Nothing was booked by this. Reload the page."
    done = issue(bolt.here, 1)
    error = refusal(Invalid, undo, done.operation_id, reason_code="sold")
    assert error.fields == {"reason_code": "“Sold” is no reason for taking something back. Choose another reason."}
    with acting_as(person("eve", "employee")):
        refusal(NotAllowed, undo, done.operation_id)


def test_a_double_click_takes_back_once(ledger):
    bolt = shelf()
    done = issue(bolt.here, 3)
    first, again = (undo(done.operation_id, idempotency_key="k") for _ in range(2))
    assert first == again
    assert ledger.quantities(bolt.here) == [10]


def test_where_nothing_is_left_the_last_cost_stays(ledger):
    nut, shed = product("NUT", unit_cost=Decimal(2)), location("SHED")
    came = receive(3, product_id=nut.id, location_id=shed.id, unit_cost=Decimal(5))
    undo(came.operation_id)
    assert ledger.worth(nut.id) == (0, 0)
    assert ledger.cost(nut.id) == 5


def test_it_says_beforehand_what_would_be_taken_back_and_why_it_cannot_be(ledger):
    def about(movement_id):
        return read(reversals.takeable, movement_id=movement_id)

    bolt = shelf()
    issue(bolt.here, 3)
    gone = last(ledger, bolt.here)
    found = about(gone.id)
    assert found.about.startswith("Issue: −3 pcs Bolt at Bolt north, ")
    assert found.why_not == ""
    take_back(gone.id)
    assert about(gone.id).why_not.startswith("This was taken back already, by ann on ")
    assert about(last(ledger, bolt.here).id).why_not.startswith("This took something back itself.")
    transfer(bolt.here, bolt.there, 4)
    moved = about(last(ledger, bolt.there).id)
    assert moved.about.startswith("Transfer: +4 pcs Bolt at Bolt south, ")
    assert moved.about.endswith(" Both halves of it are taken back together.")
    refusal(NotFound, about, 999_999)


def test_a_revaluation_is_taken_back_of_what_is_on_its_way_too(ledger):
    bolt = shelf()
    send(bolt.here, bolt.there_location, 4)
    done = transact(valuation.revalue_product, product_id=bolt.product_id, unit_cost=Decimal(9), note="wrong")
    assert undo(done.operation_id).movements == 3
    assert ledger.worth(bolt.product_id) == (15, Decimal("37.5"))
