"""The ledger's rules: lots, what is reserved, costs, dates and reasons, each with its sentence."""

from datetime import timedelta
from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import (
    AlreadyDecided,
    Conflict,
    InsufficientStock,
    Invalid,
    InvalidRows,
    NotAllowed,
    NotFound,
    PeriodClosed,
)
from inventory_app.models._base import now
from inventory_app.models.catalog import Lot
from inventory_app.models.stock import InventoryItem, MovementKind, ReasonCode
from inventory_app.operations import items, periods, reasons, reservations, stock, valuation
from inventory_app.operations._ledger import Posting, post
from inventory_app.unit_of_work import read, transact
from tests.factories import add, arrange, location, person, product
from tests.operations.shelf import (
    GONE,
    Ledger,
    adjust,
    bulk,
    issue,
    lot_shelf,
    receive,
    refusal,
    reserve,
    shelf,
    transfer,
)


def today():
    """Return the day as it is now: a run may go on past midnight."""
    return now().date()


NOT_YET = "This has not happened yet. Leave it empty for now."


@pytest.fixture
def ledger(observer):
    return Ledger(observer)


@pytest.fixture(autouse=True)
def as_ann(ann, ledger):
    """Let Ann do it, and look at the books afterwards."""
    with acting_as(ann):
        yield ann
    ledger.balances()


@pytest.fixture(params=["in one statement", "in steps"])
def either_way(request, monkeypatch):
    if request.param == "in steps":
        monkeypatch.setattr(stock, "move", lambda *_, **__: None)


# ---- Receipts and the average -------------------------------------------------------------------------------------


def test_a_receipt_at_a_cost_makes_the_new_average(ledger, trail):
    nut = product("NUT", name="Nut")
    shed = location("SHED", name="Shed")
    done = receive(10, product_id=nut.id, location_id=shed.id, unit_cost=Decimal(2), note="first")
    assert (done.product, done.location, done.before, done.after) == ("Nut", "Shed", "0 pcs", "10 pcs")
    (came,) = ledger.movements()
    assert (came.kind, came.quantity, came.unit_cost, came.value, came.reason_code) == (
        "receipt",
        10,
        2,
        20,
        "delivered",
    )
    assert trail.last(name="stock.receive_inventory").reason == "first"
    receive(5, item_id=came.item_id, unit_cost=Decimal(5))
    assert ledger.cost(nut.id) == Decimal(3)
    assert ledger.worth(nut.id) == (15, 45)
    # Without a cost it comes at the average, which stays.
    receive(5, item_id=came.item_id)
    assert ledger.worth(nut.id) == (20, 60)
    assert ledger.cost(nut.id) == Decimal(3)


def test_an_average_is_rounded_and_a_posted_cost_stays(ledger):
    nut, shed = product("NUT"), location("SHED")
    receive(1, product_id=nut.id, location_id=shed.id, unit_cost=Decimal(1))
    receive(2, product_id=nut.id, location_id=shed.id, unit_cost=Decimal(2))
    assert ledger.cost(nut.id) == Decimal("1.6667")
    assert [m.unit_cost for m in ledger.movements()] == [1, 2]


def test_who_may_not_see_prices_receives_without_one(trail):
    bolt = shelf()
    with acting_as(person("eve", "employee")):
        assert receive(1, item_id=bolt.here).after == "11 pcs"
        refusal(NotAllowed, receive, 1, item_id=bolt.here, unit_cost=Decimal(1))
    assert trail.last().outcome == "denied"


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"quantity": 0}, {"quantity": "Enter more than 0."}),
        ({"quantity": "0.5"}, {"quantity": "pcs are counted with whole numbers only."}),
        ({"unit_cost": Decimal(-1)}, {"unit_cost": "Enter 0 or more."}),
        ({"unit_cost": Decimal("NaN")}, {"unit_cost": "Enter 0 or more."}),
        ({"unit_cost": Decimal("0.00001")}, {"unit_cost": "Use at most 4 decimals."}),
        ({"lot_code": "A"}, {"lot_code": "Bolt is not kept by lot. Leave the lot and its date empty."}),
        ({"reason_code": "lost"}, {"reason_code": "“Lost” is no reason for a receipt. Choose another reason."}),
        ({"reason_code": "x"}, {"reason_code": "Choose a reason."}),
        (
            {"occurred_at": now() + timedelta(days=1)},
            {"occurred_at": NOT_YET},
        ),
    ],
)
def test_what_cannot_be_received(changes, fields, ledger):
    bolt = shelf()
    before = ledger.movements()
    assert refusal(Invalid, receive, **({"quantity": 1, "item_id": bolt.here} | changes)).fields == fields
    assert ledger.movements() == before


def test_where_nothing_can_be_received():
    bolt = shelf()
    transit = location("T", kind="transit")
    assert str(refusal(NotFound, receive, 1, item_id=999_999)) == GONE
    error = refusal(Invalid, receive, 1, product_id=bolt.product_id, location_id=transit.id)
    assert error.fields == {"location_id": "Choose a location that is in use."}
    error = refusal(Invalid, receive, 1, product_id=999_999, location_id=bolt.here_location)
    assert error.fields == {"product_id": "Choose a product that is in use."}


def test_a_product_is_received_by_its_sku(ledger):
    product("NUT", name="Nut")
    product("OLD", active=False)
    shed = location("SHED", name="Shed")
    assert receive(2, sku=" nut ", location_id=shed.id).product == "Nut"
    assert ledger.movements()[-1].quantity == 2
    unknown = refusal(Invalid, receive, 2, sku="XUT", location_id=shed.id)
    assert unknown.fields == {"sku": "No product has this SKU. Add it as a new item."}
    old = refusal(Invalid, receive, 2, sku="OLD", location_id=shed.id)
    assert old.fields == {"sku": "Choose a product that is in use."}


def test_a_double_click_receives_once(ledger):
    bolt = shelf()
    first, again = (receive(3, item_id=bolt.here, idempotency_key="k") for _ in range(2))
    assert first == again
    assert ledger.quantities(bolt.here) == [13]


def test_the_value_that_rounding_left_goes_with_the_last_one(ledger):
    nut, shed = product("NUT"), location("SHED")
    receive(3, product_id=nut.id, location_id=shed.id, unit_cost=Decimal("0.3333"))
    receive(1, product_id=nut.id, location_id=shed.id, unit_cost=Decimal("0.0002"))
    here = ledger.movements()[0].item_id
    issue(here, 3)
    assert ledger.worth(nut.id) != (1, ledger.cost(nut.id))
    done = issue(here, 1)
    *_, last, settled = ledger.movements()
    assert (settled.kind, settled.quantity, settled.reference_type) == ("revaluation", 0, "nothing left")
    assert settled.operation_id == last.operation_id
    assert done.operation_id == str(last.operation_id)
    assert ledger.worth(nut.id) == (0, 0)


# ---- Lots ---------------------------------------------------------------------------------------------------------


def test_an_item_is_a_product_at_a_location_of_a_lot(ledger):
    milk, shed = product("MILK", lots_kept=True), location("SHED")
    at = {"product_id": milk.id, "location_id": shed.id}
    assert receive(5, **at, lot_code=" A1 ", expires_on=today() + timedelta(days=9)).product == "Milk (lot A1)"
    receive(2, **at, lot_code="a1")
    receive(1, **at, lot_code="B2")
    assert [(m.quantity, m.sequence) for m in ledger.movements()] == [(5, 1), (2, 2), (1, 1)]
    assert [(row.code, row.expires_on) for row in ledger.rows("SELECT * FROM lot ORDER BY id")] == [
        ("A1", today() + timedelta(days=9)),
        ("B2", None),
    ]


def test_a_lot_is_named_where_lots_are_kept_and_has_one_date():
    milk, shed = product("MILK", name="Milk", lots_kept=True), location("SHED")
    at = {"product_id": milk.id, "location_id": shed.id}
    needs = {"lot_code": "Milk is kept by lot. Enter its lot, at most 60 characters."}
    assert refusal(Invalid, receive, 1, **at).fields == needs
    receive(1, **at, lot_code="A1", expires_on=today())
    error = refusal(Invalid, receive, 1, **at, lot_code="A1", expires_on=today() + timedelta(days=1))
    assert error.fields == {
        "expires_on": f"Lot A1 of Milk is good until {today():%-d %b %Y}. Leave this empty, or correct the lot."
    }
    receive(1, **at, lot_code="B")
    error = refusal(Invalid, receive, 1, **at, lot_code="B", expires_on=today())
    assert error.fields == {"expires_on": "Lot B of Milk has no date. Leave this empty, or correct the lot."}
    west = location("WEST")
    new = {"product_id": milk.id, "location_id": west.id, "quantity": Decimal(1)}
    assert refusal(Invalid, transact, stock.create_inventory_item, **new).fields == needs
    assert transact(stock.create_inventory_item, **new, lot_code="A1").product_id == milk.id


@pytest.mark.usefixtures("either_way")
def test_a_transfer_takes_the_lot_along(ledger):
    milk = lot_shelf()
    new = transfer(milk.one, None, 4, to_location_id=milk.there_location).items[1].item_id
    assert ledger.item(new).lot_id == ledger.item(milk.one).lot_id
    assert transfer(milk.one, None, 1, to_location_id=milk.there_location).items[1].item_id == new
    assert ledger.quantities(milk.one, milk.other, new) == [5, 10, 5]
    error = refusal(Invalid, transfer, milk.other, new)
    assert str(error) == "Milk (lot B2) cannot become Milk (lot A1): a transfer moves one lot."
    error = refusal(InsufficientStock, transfer, milk.one, new, 6)
    assert str(error) == "Only 5 pcs of Milk (lot A1) are available at Milk cellar; you asked for 6."


def test_what_is_past_its_day_goes_only_as_expired_or_damaged(ledger):
    milk = lot_shelf()
    past = today() - timedelta(days=1)
    arrange(lambda session: setattr(session.get_one(Lot, ledger.item(milk.one).lot_id), "expires_on", past))
    sentence = f"Lot A1 of Milk was good until {past:%-d %b %Y}. It can only be taken out as expired or damaged."
    for refused in (
        refusal(Invalid, issue, milk.one, 1),
        refusal(Invalid, issue, milk.one, 1, reason_code="used"),
        refusal(Invalid, adjust, milk.one, -1, "sold"),
    ):
        assert refused.fields == {"reason_code": sentence}
    issue(milk.one, 1, reason_code="expired")
    issue(milk.one, 1, reason_code="damaged")
    adjust(milk.one, -1, "counted")
    issue(milk.other, 1)
    assert ledger.quantities(milk.one, milk.other) == [7, 9]


def test_the_last_day_of_a_lot_is_still_good(ledger):
    milk = lot_shelf()
    arrange(lambda session: setattr(session.get_one(Lot, ledger.item(milk.one).lot_id), "expires_on", today()))
    assert issue(milk.one, 1).after == "9 pcs"


# ---- Reservations -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("either_way")
def test_what_is_reserved_is_not_available(ledger):
    bolt = shelf()
    kept = reserve(bolt.here, 7, reference="Order 12")
    assert (kept.product, kept.location, kept.quantity) == ("Bolt", "Bolt north", "7 pcs")
    sentence = "Only 3 pcs of Bolt are available at Bolt north (7 pcs more are reserved); you asked for {}."
    for asked, take in (
        (4, lambda: transfer(bolt.here, bolt.there, 4)),
        (5, lambda: issue(bolt.here, 5)),
        (6, lambda: adjust(bolt.here, -6)),
        (4, lambda: reserve(bolt.here, 4)),
    ):
        assert str(refusal(InsufficientStock, take)) == sentence.format(asked)
    error = refusal(InvalidRows, bulk, (bolt.here, 6))
    assert error.rows == ((1, "quantity", "7 pcs of Bolt are reserved: release them first"),)
    assert bulk((bolt.here, 8)) == 1
    transfer(bolt.here, bolt.there, 1)
    assert ledger.quantities(bolt.here) == [7]
    assert transact(reservations.release_reservation, reservation_id=kept.reservation_id) == "7 pcs of Bolt"
    transfer(bolt.here, bolt.there, 7)
    assert ledger.quantities(bolt.here) == [0]


@pytest.mark.usefixtures("either_way")
def test_a_reservation_ends_by_itself(ledger, observer):
    bolt = shelf()
    kept = reserve(bolt.here, 10)
    assert [row.quantity for row in read(reservations.reservations_of, item_id=bolt.here)] == ["10 pcs"]
    observer.execute("SET session_replication_role = 'replica'")
    observer.execute("ALTER TABLE reservation DISABLE TRIGGER audit_capture")
    observer.execute(
        "UPDATE reservation SET expires_at = now() - interval '1 second' WHERE id = %s", [kept.reservation_id]
    )
    observer.execute("ALTER TABLE reservation ENABLE ALWAYS TRIGGER audit_capture")
    transfer(bolt.here, bolt.there, 10)
    assert read(reservations.reservations_of, item_id=bolt.here) == []
    assert ledger.quantities(bolt.here) == [0]


def test_what_cannot_be_reserved_or_released():
    bolt = shelf()
    when = {"expires_at": "Choose a time in the next twelve months."}
    assert refusal(Invalid, reserve, bolt.here, 1, expires_at=now()).fields == when
    assert refusal(Invalid, reserve, bolt.here, 1, expires_at=now() + timedelta(days=400)).fields == when
    assert refusal(Invalid, reserve, bolt.here, 0).fields == {"quantity": "Enter more than 0."}
    assert str(refusal(NotFound, reserve, 999_999, 1)) == GONE
    kept = reserve(bolt.here, 1)
    refusal(NotFound, transact, reservations.release_reservation, reservation_id=999_999)
    transact(reservations.release_reservation, reservation_id=kept.reservation_id)
    again = refusal(AlreadyDecided, transact, reservations.release_reservation, reservation_id=kept.reservation_id)
    assert str(again) == "This reservation was released already."


def test_the_list_shows_the_lot_and_what_is_reserved():
    milk = lot_shelf()
    reserve(milk.one, 3)
    transfer(milk.other, None, 2, to_location_id=milk.there_location)
    one, other = read(items.get_items, item_ids=[milk.one, milk.other])
    assert [(row.lot, row.reserved, row.on_hand) for row in (one, other)] == [("A1", "3 pcs", "10"), ("B2", "", "8")]
    there = [read(items.transfer_targets, item_id=id_) for id_ in (milk.one, milk.other)]
    shop = [[target.on_hand for target in found if target.location == "Milk shop"] for found in there]
    assert shop == [["0"], ["2"]]


# ---- A batch ------------------------------------------------------------------------------------------------------


def posting(item_id, *quantities):
    def build(session):
        item = session.get_one(InventoryItem, item_id, with_for_update=True)
        post(session, [Posting(item, Decimal(q), MovementKind.ADJUSTMENT, "found") for q in quantities])

    return lambda: arrange(build)


def test_an_item_can_be_posted_to_more_than_once(ledger):
    bolt = shelf()
    posting(bolt.here, -10, 4, -4, 1)()
    assert ledger.quantities(bolt.here) == [1]
    numbered = [(m.sequence, m.quantity) for m in ledger.movements(bolt.here)]
    assert numbered == [*enumerate((10, -10, 4, -4, 1), start=1)]


def test_the_running_quantity_is_never_below_zero(ledger):
    bolt = shelf()
    error = refusal(InvalidRows, posting(bolt.here, -8, -3, 20, -10, -1))
    assert str(error) == "1 of 5 postings take more than there is, so none was booked:"
    assert error.rows == ((2, "quantity", "Bolt at Bolt north would have 2 pcs left, and 3 are taken"),)
    error = refusal(InvalidRows, posting(bolt.here, -11, -1))
    assert [(row, sentence.rpartition(" would ")[2]) for row, _, sentence in error.rows] == [
        (1, "have 10 pcs left, and 11 are taken"),
        (2, "have 0 pcs left, and 1 are taken"),
    ]
    assert ledger.quantities(bolt.here) == [10]


# ---- Dates and periods --------------------------------------------------------------------------------------------


def test_what_happened_earlier_is_booked_at_todays_average(ledger):
    bolt = shelf()
    earlier = now() - timedelta(days=40)
    receive(1, item_id=bolt.here, unit_cost=Decimal(9), occurred_at=earlier)
    cost = ledger.cost(bolt.product_id)
    issue(bolt.here, 1, occurred_at=earlier.replace(tzinfo=None))
    adjust(bolt.here, 1, occurred_at=earlier)
    *_, came, went, found = ledger.movements(bolt.here)
    assert [m.occurred_at for m in (came, went, found)] == [earlier] * 3
    assert all(m.recorded_at > earlier + timedelta(days=39) for m in (came, went, found))
    assert (went.unit_cost, found.unit_cost) == (cost, cost)
    error = refusal(Invalid, issue, bolt.here, 1, occurred_at=now() + timedelta(hours=1))
    assert error.fields == {"occurred_at": NOT_YET}


def close_period(days_ago, **more):
    return transact(periods.close_period, closed_through=today() - timedelta(days=days_ago), **more)


def reopen(period_id, reason="late invoice"):
    return transact(periods.reopen_period, period_id=period_id, reason=reason)


@pytest.fixture
def as_carl(as_ann):
    """Let an accountant do it, who closes periods."""
    with acting_as(person("carl", "accountant", "manager")) as actor:
        yield actor


@pytest.mark.usefixtures("as_carl")
def test_nothing_is_booked_in_a_closed_period(ledger):
    bolt = shelf()
    assert close_period(10, note="October") == periods.said(today() - timedelta(days=10))
    inside = now() - timedelta(days=10)
    sentence = "The books are closed for that day. Give a later day, or ask for the period to be opened again."
    before = ledger.movements()
    for refused in (
        refusal(PeriodClosed, issue, bolt.here, 1, occurred_at=inside),
        refusal(PeriodClosed, receive, 1, item_id=bolt.here, occurred_at=inside),
        refusal(PeriodClosed, adjust, bolt.here, 1, occurred_at=inside),
    ):
        assert str(refused) == sentence
    assert ledger.movements() == before
    issue(bolt.here, 1, occurred_at=inside + timedelta(days=1))
    issue(bolt.here, 1)
    (row,) = read(periods.list_periods).rows
    assert (row.closed_by, row.note, row.last) == ("Carl", "October", True)
    assert reopen(row.id) == row.closed_through
    issue(bolt.here, 1, occurred_at=inside)
    (row,) = read(periods.list_periods).rows
    assert (row.reopened_by, row.reopened_reason, row.last) == ("Carl", "late invoice", False)


@pytest.mark.usefixtures("as_carl")
def test_what_cannot_be_closed_or_opened_again():
    over = {"closed_through": "Choose a day that is over (in UTC, for a quarter of an hour)."}
    assert refusal(Invalid, close_period, 0).fields == over
    close_period(20)
    close_period(10)
    said = periods.said(today() - timedelta(days=10))
    assert refusal(Invalid, close_period, 10).fields == {
        "closed_through": f"The books are closed up to {said} already."
    }
    newest, oldest = read(periods.list_periods).rows
    assert str(refusal(Conflict, reopen, oldest.id)) == f"The books are closed up to {said}: open that period first."
    assert refusal(Invalid, reopen, newest.id, " ").fields == {"reason": "Say why it is opened again."}
    refusal(NotFound, reopen, 999_999)
    reopen(newest.id)
    assert str(refusal(AlreadyDecided, reopen, newest.id)) == "This period was opened again already, by carl."
    assert reopen(oldest.id) == periods.said(today() - timedelta(days=20))


def test_a_day_can_be_closed_a_quarter_of_an_hour_after_it_is_over():
    midnight = now().replace(hour=0, minute=0, second=0, microsecond=0)
    assert periods.last_day(midnight + timedelta(minutes=14)) == midnight.date() - timedelta(days=2)
    assert periods.last_day(midnight + timedelta(minutes=15)) == midnight.date() - timedelta(days=1)


# ---- Reasons ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda bolt: adjust(bolt.here, 1, "delivered"), "“Delivered” is no reason for an adjustment."),
        (lambda bolt: issue(bolt.here, 1, reason_code="found"), "“Found” is no reason for an issue."),
        (lambda bolt: transfer(bolt.here, bolt.there, reason_code="sold"), "“Sold” is no reason for a transfer."),
        (lambda bolt: bulk((bolt.here, 1), reason_code="sold"), "“Sold” is no reason for a count."),
    ],
)
def test_a_reason_is_given_for_what_it_is_meant_for(act, sentence, ledger):
    bolt = shelf()
    error = refusal(Invalid, act, bolt)
    assert error.fields == {"reason_code": f"{sentence} Choose another reason."}
    assert ledger.quantities(bolt.here, bolt.there) == [10, 5]


@pytest.fixture
def as_root(as_ann):
    """Let an administrator do it, who may change the settings."""
    with acting_as(person("root", "admin")) as actor:
        yield actor


@pytest.mark.usefixtures("as_root", "either_way")
def test_a_reason_of_ones_own_is_offered_booked_with_and_shown_by_its_name(ledger, trail):
    assert transact(reasons.add_reason, label=" Für die Schau ", uses=["transfer", "issue"]) == "Für die Schau"
    assert read(reasons.offered)["issue"][-1] == ("fur_die_schau", "Für die Schau")
    bolt = shelf()
    transfer(bolt.here, bolt.there, reason_code="fur_die_schau")
    assert ledger.movements()[-1].reason_code == "fur_die_schau"
    shown = reasons.list_reasons
    (row,) = [row for row in read(shown) if row.code == "fur_die_schau"]
    transact(reasons.change_reason, code=row.code, label="Exhibition", uses=["transfer"], version=row.version)
    assert str(refusal(Invalid, issue, bolt.here, 1, reason_code=row.code).fields["reason_code"]) == (
        "“Exhibition” is no reason for an issue. Choose another reason."
    )
    assert transact(reasons.switch_reason, code=row.code, active=False) == "Exhibition"
    assert refusal(Invalid, transfer, bolt.here, bolt.there, reason_code=row.code).fields == {
        "reason_code": "“Exhibition” is no longer in use. Choose another reason."
    }
    assert all(row.code != code for offered in read(reasons.offered).values() for code, _ in offered)
    transact(reasons.switch_reason, code=row.code, active=True)
    assert [code for code, _ in read(reasons.offered)["transfer"]][-1] == row.code
    before = [one.code for one in read(shown)]
    transact(reasons.move_reason, code=row.code, up=True)
    after = [one.code for one in read(shown)]
    assert after == [*before[:-2], row.code, before[-2]]
    transact(reasons.move_reason, code=row.code, up=False)
    assert [one.code for one in read(shown)] == before
    assert {c.table for c in trail.changes(trail.last(name="reasons.add_reason").id)} == {"reason_code"}


@pytest.mark.usefixtures("as_root")
def test_what_cannot_be_done_with_a_reason():
    def add_one(label="New", uses=("issue",)):
        return transact(reasons.add_reason, label=label, uses=list(uses))

    def change(code="sold", label="Sold", uses=("adjust", "issue"), version=1):
        return transact(reasons.change_reason, code=code, label=label, uses=list(uses), version=version)

    def switch(code, *, active):
        return transact(reasons.switch_reason, code=code, active=active)

    assert refusal(Invalid, add_one, " ", ()).fields == {
        "label": "Enter what people read, at most 60 characters.",
        "uses": "Choose at least one thing it can be given for.",
    }
    assert "uses" in refusal(Invalid, add_one, uses=("eating",)).fields
    assert refusal(Invalid, add_one, "DAMAGED").fields == {"label": "There is a reason of this name already."}
    change(label="Sold to somebody")
    assert refusal(Invalid, add_one, "Sold").fields == {
        "label": "There is a reason with the code “sold” already. Call this one something else."
    }
    refusal(reasons.Stale, change, version=1)
    assert refusal(Invalid, change, uses=("issue",), version=2).fields == {
        "uses": "“Sold” comes with the application and is booked with: it stays for adjust."
    }
    assert str(refusal(Conflict, switch, "sold", active=False)) == (
        "“Sold to somebody” comes with the application and is booked with. It can be called something else."
    )
    assert str(refusal(Conflict, switch, "found", active=True)) == "“Found” is in use already."
    refusal(NotFound, switch, "nothing", active=False)
    refusal(NotFound, transact, reasons.move_reason, code="nothing", up=True)
    at_the_end = refusal(Conflict, transact, reasons.move_reason, code="opening", up=True)
    assert str(at_the_end) == "It stands at the end of the list already."


def test_a_reason_that_no_letter_of_ours_spells_gets_a_code(as_root):
    add(ReasonCode(code="other", label="Other", uses=["issue"]))
    assert transact(reasons.add_reason, label="其他", uses=["issue"]) == "其他"
    assert ("reason", "其他") in read(reasons.offered)["issue"]


# ---- Revaluation --------------------------------------------------------------------------------------------------


def revalue(product_id, cost, note="market price"):
    return transact(valuation.revalue_product, product_id=product_id, unit_cost=Decimal(cost), note=note)


def test_a_revaluation_books_the_difference_where_the_stock_is(ledger, trail):
    bolt = shelf(here="10", there="5")
    revalue(bolt.product_id, "1")
    done = revalue(bolt.product_id, "2.5")
    assert (done.product, done.before, done.after) == ("Bolt", "15.00 USD", "37.50 USD")
    shares = ledger.movements(bolt.here, bolt.there)[-2:]
    assert [(m.item_id, m.kind, m.quantity, m.value) for m in shares] == [
        (bolt.here, "revaluation", 0, 15),
        (bolt.there, "revaluation", 0, Decimal("7.5")),
    ]
    assert ledger.worth(bolt.product_id) == (15, Decimal("37.5"))
    assert ledger.cost(bolt.product_id) == Decimal("2.5")
    assert ledger.quantities(bolt.here, bolt.there) == [10, 5]
    assert trail.last(name="valuation.revalue_product").reason == "market price"


def test_what_is_not_in_stock_only_gets_another_cost(ledger):
    nut = product("NUT")
    revalue(nut.id, "3")
    assert ledger.cost(nut.id) == 3
    assert ledger.movements() == []


def test_what_cannot_be_revalued():
    bolt = shelf()
    assert refusal(Invalid, revalue, bolt.product_id, 1, " ").fields == {"note": "Say why it is worth something else."}
    assert refusal(Invalid, revalue, bolt.product_id, -1).fields == {"unit_cost": "Enter 0 or more."}
    refusal(NotFound, revalue, 999_999, 1)
    revalue(bolt.product_id, 1)
    assert str(refusal(Conflict, revalue, bolt.product_id, 1)) == "Bolt costs that already."
    with acting_as(person("eve", "employee")):
        refusal(NotAllowed, revalue, bolt.product_id, 2)


def test_what_a_product_is_worth_is_told_beside_its_form():
    bolt = shelf(here="10", there="5")
    found = read(valuation.worth_of, item_id=bolt.there)
    assert (found.product, found.in_stock, found.unit_cost, found.value) == ("Bolt", "15 pcs", "2.5", "37.50 USD")
    assert str(refusal(NotFound, read, valuation.worth_of, item_id=999_999)) == GONE
    assert str(refusal(NotFound, read, reservations.reservations_of, item_id=999_999)) == GONE


def test_a_share_of_nothing_is_not_booked(ledger):
    kilo = product("FLOUR", name="Flour", unit_code="kg", unit_cost=Decimal("0.0001"))
    one, other = location("ONE"), location("OTHER")
    for place, quantity in ((one, "0.001"), (other, "5")):
        receive(quantity, product_id=kilo.id, location_id=place.id)
    before = len(ledger.movements())
    revalue(kilo.id, "0.0002")
    (booked,) = ledger.movements()[before:]
    assert (booked.quantity, booked.value) == (0, Decimal("0.0005"))
    assert ledger.worth(kilo.id) == (Decimal("5.001"), Decimal("0.0010"))
