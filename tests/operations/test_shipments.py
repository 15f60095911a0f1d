"""Shipments: what is on its way between two locations, what arrives and what is lost."""

from dataclasses import replace
from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import AlreadyDecided, Conflict, InsufficientStock, Invalid, InvalidRows, NotFound
from inventory_app.models.catalog import Location
from inventory_app.operations import shipments
from inventory_app.operations._lists import View
from inventory_app.operations._shipment_list import LIST
from inventory_app.unit_of_work import read
from tests.factories import arrange, location
from tests.operations.shelf import (
    GONE,
    Ledger,
    accept,
    adjust,
    bulk,
    issue,
    lot_shelf,
    receive,
    refusal,
    reserve,
    send,
    shelf,
    transfer,
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
    assert ledger.totals().value == 0


def listed(**filters):
    return read(shipments.list_shipments, view=View(filters=filters))


def transit(ledger, sent):
    return ledger.rows("SELECT transit_item_id FROM shipment WHERE id = %s", [sent.shipment_id])[0].transit_item_id


def test_it_is_in_transit_until_it_is_accepted(ledger, trail):
    bolt = shelf()
    sent = send(bolt.here, bolt.there_location, 4, note="by van")
    assert (sent.product, sent.quantity, sent.from_location, sent.to_location) == (
        "Bolt",
        "4 pcs",
        "Bolt north",
        "Bolt south",
    )
    moving = transit(ledger, sent)
    assert ledger.quantities(bolt.here, moving, bolt.there) == [6, 4, 5]
    out, on = ledger.movements()[-2:]
    assert {(m.kind, m.reference_type, m.reference, m.note) for m in (out, on)} == {
        ("transfer", "shipment", str(sent.shipment_id), "by van")
    }
    done = accept(sent.shipment_id)
    assert (done.product, done.accepted, done.lost, done.location) == ("Bolt", "4 pcs", "", "Bolt south")
    assert ledger.quantities(bolt.here, moving, bolt.there) == [6, 0, 9]
    assert {c.table for c in trail.changes()} == {"shipment", "inventory_item", "stock_movement"}
    (row,) = listed().page.rows
    assert (row.status, row.arrived, row.lost, row.sent_by, row.accepted_by) == ("accepted", "4", "", "Ann", "Ann")
    assert listed(status="sent").page.rows == []


@pytest.mark.parametrize(("arrived", "lost"), [("3", "1"), ("0", "4")])
def test_what_does_not_arrive_goes_to_a_loss_location(arrived, lost, ledger):
    bolt = shelf()
    sent = send(bolt.here, bolt.there_location, 4)
    done = accept(sent.shipment_id, arrived, note="a box was wet")
    assert (done.accepted, done.lost) == (f"{arrived} pcs", f"{lost} pcs")
    (row,) = ledger.rows(
        "SELECT i.quantity, l.kind FROM inventory_item i JOIN location l ON l.id = i.location_id WHERE l.kind = 'loss'"
    )
    assert row.quantity == Decimal(lost)
    assert ledger.quantities(transit(ledger, sent), bolt.there) == [0, 5 + Decimal(arrived)]
    booked = ledger.movements()[-2 * (1 + (arrived != "0")) :]
    assert len({m.operation_id for m in booked}) == 1
    assert sum(m.quantity for m in booked) == sum(m.value for m in booked) == 0
    assert ledger.worth(bolt.product_id) == (15, Decimal("37.5"))


def test_the_transit_location_that_is_there_is_used_and_keeps_lots_apart(ledger):
    road = location("ROAD", kind="transit")
    milk = lot_shelf()
    one, other = send(milk.one, milk.there_location, 2), send(milk.other, milk.there_location, 3)
    held = [ledger.item(transit(ledger, sent)) for sent in (one, other)]
    assert {item.location_id for item in held} == {road.id}
    assert [item.lot_id for item in held] == [ledger.item(milk.one).lot_id, ledger.item(milk.other).lot_id]
    accept(other.shipment_id)
    assert ledger.movements()[-1].quantity == 3
    rows = listed(status="sent").page.rows
    assert [(row.product, row.lot, row.quantity, row.to_location) for row in rows] == [("Milk", "A1", "2", "Milk shop")]


def test_what_is_on_its_way_moves_only_with_its_shipment(ledger):
    bolt = shelf()
    moving = transit(ledger, sent := send(bolt.here, bolt.there_location, 4))
    sentence = "What is at In transit is on its way: accept its shipment instead."
    for refused in (
        refusal(Invalid, issue, moving, 1),
        refusal(Invalid, adjust, moving, 1),
        refusal(Invalid, receive, 1, item_id=moving),
        refusal(Invalid, transfer, moving, bolt.there, 1),
        refusal(Invalid, transfer, bolt.here, moving, 1),
        refusal(Invalid, reserve, moving, 1),
        refusal(Invalid, send, moving, bolt.there_location, 1),
    ):
        assert str(refused) == sentence
    error = refusal(InvalidRows, bulk, (moving, 1))
    assert error.rows == ((1, "item_id", "what is at In transit is on its way: accept its shipment instead"),)
    accept(sent.shipment_id)


def test_what_cannot_be_sent(ledger):
    bolt = shelf()
    there = bolt.there_location
    assert str(refusal(NotFound, send, 999_999, there, 1)) == GONE
    assert refusal(Invalid, send, bolt.here, there, 0).fields == {"quantity": "Enter more than 0."}
    assert refusal(Invalid, send, bolt.here, 999_999, 1).fields == {
        "to_location_id": "Choose a location that is in use."
    }
    same = refusal(Invalid, send, bolt.here, bolt.here_location, 1)
    assert str(same) == "Choose another place: this is where it already is."
    reserve(bolt.here, 8)
    error = refusal(InsufficientStock, send, bolt.here, there, 3)
    assert str(error) == "Only 2 pcs of Bolt are available at Bolt north (8 pcs more are reserved); you asked for 3."
    assert ledger.quantities(bolt.here) == [10]


def test_what_cannot_be_accepted(ledger):
    bolt = shelf()
    sent = send(bolt.here, bolt.there_location, 4)
    refusal(NotFound, accept, 999_999)
    for arrived in ("5", "-1", "NaN"):
        error = refusal(Invalid, accept, sent.shipment_id, arrived)
        assert error.fields == {"accepted": "4 pcs were sent. Enter how many of them arrived."}
    error = refusal(Invalid, accept, sent.shipment_id, "0.5")
    assert error.fields == {"accepted": "pcs are counted with whole numbers only."}
    arrange(lambda session: setattr(session.get_one(Location, bolt.there_location), "active", False))
    error = refusal(Invalid, accept, sent.shipment_id)
    assert error.fields == {"shipment_id": "Choose a location that is in use."}
    arrange(lambda session: setattr(session.get_one(Location, bolt.there_location), "active", True))
    accept(sent.shipment_id, 4)
    again = refusal(AlreadyDecided, accept, sent.shipment_id)
    assert str(again).startswith("This shipment was accepted already, by ann on ")
    assert ledger.quantities(bolt.there) == [9]


def test_a_transit_location_that_was_closed_is_not_made_twice():
    bolt = shelf()
    location("TRANSIT", kind="transit", active=False)
    error = refusal(Conflict, send, bolt.here, bolt.there_location, 1)
    assert str(error) == "There is no transit location in use. Open TRANSIT again, or another one of that kind."


def test_a_double_click_sends_once(ledger):
    bolt = shelf()
    first, again = (send(bolt.here, bolt.there_location, 3, idempotency_key="k") for _ in range(2))
    assert first == again
    assert ledger.quantities(bolt.here) == [7]


def walked(**asked):
    """Return the shipments of a view in its order, walked through page by page, and back again."""
    view = View(size=2, **asked)
    found = read(shipments.list_shipments, view=view).page
    forth, pages = [row.id for row in found.rows], [[row.id for row in found.rows]]
    while found.after:
        found = read(shipments.list_shipments, view=replace(view, cursor=found.after)).page
        forth += [row.id for row in found.rows]
        pages.append([row.id for row in found.rows])
    back = pages[-1]
    while found.before:
        found = read(shipments.list_shipments, view=replace(view, cursor=found.before)).page
        back = [row.id for row in found.rows] + back
    assert back == forth
    return forth


def test_the_list_is_walked_in_every_order_and_narrowed_down(ledger):
    bolt, milk = shelf(), lot_shelf()
    ids = [send(bolt.here, bolt.there_location, n).shipment_id for n in (1, 2, 3)]
    ids += [send(milk.one, milk.there_location, n).shipment_id for n in (1, 2)]
    accept(ids[1], 1)
    accept(ids[3])
    for key, column in LIST.columns.items():
        if column.by is not None:
            forth = walked(sort=key)
            assert sorted(forth) == ids, key
            assert walked(sort=key, descending=True) == forth[::-1], key
    assert walked() == ids[::-1]
    assert walked(sort="quantity") == [ids[0], ids[3], ids[1], ids[4], ids[2]]
    assert walked(sort="arrived")[:2] == [ids[1], ids[3]]
    assert walked(search="milk") == ids[:2:-1]
    for filters, left in (
        ({"status": "sent"}, [4, 2, 0]),
        ({"status": "accepted"}, [3, 1]),
        ({"lost": "yes"}, [1]),
        ({"quantity": "2..", "status": "sent"}, [4, 2]),
        ({"from": str(bolt.here_location)}, [2, 1, 0]),
        ({"to": f"!{bolt.there_location}"}, [4, 3]),
    ):
        assert walked(filters=filters) == [ids[at] for at in left], filters
    found = listed(status="sent")
    assert (found.count, found.under_way, found.everything) == (3, 3, 5)
    assert (str(bolt.here_location), "Bolt north") in found.locations
    assert [row.lot for row in listed(lost="yes").page.rows] == [""]
