"""Reading receipts: the list, one with what it booked, and what can be received or sent back."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.models.purchasing import PurchaseOrder
from inventory_app.operations import receipts
from inventory_app.operations._lists import View
from inventory_app.operations._receipt_lines import Back, Came
from inventory_app.operations._receipt_list import LIST
from inventory_app.unit_of_work import read
from tests.factories import arrange, item, location, person, product, role, supplier
from tests.operations.ordered import back, bolts, came, correct, ordered
from tests.operations.shelf import Ledger


@pytest.fixture
def ledger(observer):
    return Ledger(observer)


@pytest.fixture(autouse=True)
def as_ann(ann):
    with acting_as(ann):
        yield ann


def listed(**asked):
    return read(receipts.list_receipts, view=View(**asked))


def shown(receipt_id):
    return read(receipts.receipt_page, receipt_id=receipt_id)


def walked(**asked):
    """Return the receipts of a view in its order, walked through page by page."""
    view = View(size=2, **asked)
    found = read(receipts.list_receipts, view=view).page
    forth = [row.id for row in found.rows]
    while found.after:
        found = read(receipts.list_receipts, view=replace(view, cursor=found.after)).page
        forth += [row.id for row in found.rows]
    return forth


def test_the_list_is_walked_in_every_order_and_narrowed_down(ledger):
    north = location("NORTH", name="North").id
    acme = supplier("Acme", status="approved").id
    one = ordered({"quantity": Decimal(9), "description": "Pallet"}, supplier_id=acme)
    two = bolts(9)
    ids = [came(one, 1, delivery_note="DN-77").receipt_id]
    ids.append(came(one, 1, location_id=north).receipt_id)
    ids.append(came(two, 4).receipt_id)
    (row,) = ledger.rows("SELECT item_id FROM goods_receipt_line WHERE item_id IS NOT NULL")
    ids.append(back(two, Back(two.lines[0], Decimal(1), row.item_id)).receipt_id)
    ids.append(correct(ids[0]).receipt_id)
    for key, column in LIST.columns.items():
        if column.by is not None:
            forth = walked(sort=key)
            assert sorted(forth) == ids, key
            assert walked(sort=key, descending=True) == forth[::-1], key
    assert walked() == ids[::-1]
    for filters, left in (
        ({"kind": "receipt"}, [2, 1, 0]),
        ({"kind": "return"}, [3]),
        ({"kind": "correction"}, [4]),
        ({"supplier": str(acme)}, [4, 1, 0]),
        ({"location": str(north)}, [1]),
        ({"order": f"!{one.id}"}, [3, 2]),
    ):
        assert walked(filters=filters) == [ids[at] for at in left], filters
    assert walked(search="dn-77") == [ids[0]]
    assert walked(search="acme") == [ids[4], ids[1], ids[0]]
    assert walked(search=two.number) == [ids[3], ids[2]]
    assert walked(search="nothing like it") == []
    found = listed(filters={"kind": "receipt"})
    assert (found.count, found.everything, found.kinds) == (3, 5, {"receipt": 3, "return": 1, "correction": 1})
    assert (str(acme), "Acme") in found.suppliers
    assert (str(north), "North") in found.locations
    first = found.page.rows[-1]
    assert (first.word, first.order, first.order_href, first.supplier) == (
        "Came",
        one.number,
        f"/orders/{one.id}",
        "Acme",
    )
    assert (first.lines, first.who, first.delivery_note) == ("1 line", "Ann", "DN-77")
    assert first.taken_back == shown(ids[4]).row.number


def test_a_receipt_shows_what_it_booked_and_what_took_it_back():
    order = ordered(
        {"product_id": product("BOLT", name="Bolt").id, "quantity": Decimal(9), "description": "Bolt M4"},
        {"quantity": Decimal(2), "description": "Freight", "purchase_unit": "h"},
    )
    done = came(order, 4, 2, delivery_note="DN 1", note="wet")
    found = shown(done.receipt_id)
    bolt, freight = found.lines
    assert (bolt.description, bolt.sku, bolt.change, bolt.unit, bolt.cost) == ("Bolt M4", "BOLT", "+4", "pcs", "2.50")
    assert (bolt.location, bolt.lot) == (f"Dock {order.number}", "")
    assert bolt.item_href.startswith("/inventory/")
    assert (freight.sku, freight.change, freight.unit, freight.location, freight.item_href) == ("", "+2", "h", "", "")
    (movement,) = found.movements
    assert (movement.what, movement.change, movement.order) == ("Received", "+4", order.number)
    assert (found.note, found.row.lines, found.why_not, found.takes_back) == ("wet", "2 lines", "", "")
    wrong = correct(done.receipt_id)
    found, counter = shown(done.receipt_id), shown(wrong.receipt_id)
    assert (found.row.taken_back, found.taken_back_href) == (wrong.number, f"/receipts/{wrong.receipt_id}")
    assert found.why_not == f"This was taken back already, by {wrong.number}."
    assert (counter.takes_back, counter.takes_back_href) == (done.number, f"/receipts/{done.receipt_id}")
    assert counter.why_not.startswith("This took a receipt back itself.")
    assert shown(999_999) is None


def test_who_may_not_see_prices_or_stock_sees_the_paper_without_them():
    done = came(bolts(), 4)
    role("dock", "orders:view")
    with acting_as(person("dan", "dock")):
        found = shown(done.receipt_id)
    assert [line.cost for line in found.lines] == [""]
    assert found.movements == []
    with acting_as(person("eve", "employee")):
        found = shown(done.receipt_id)
    assert [line.cost for line in found.lines] == [""]
    assert [movement.value for movement in found.movements] == [""]


def to_receive(order_id):
    return read(receipts.order_to_receive, order_id=order_id)


def test_what_can_be_received_of_an_order():
    milk = product("MILK", name="Milk", lots_kept=True).id
    order = ordered(
        {"product_id": milk, "quantity": Decimal(9), "description": "Milk 1 l"},
        {"quantity": Decimal(2), "description": "Freight"},
        tolerance=100,
    )
    came(order, Came(order.lines[0], Decimal(9), lot_code="A1"), 1)
    found = to_receive(order.id)
    assert (found.number, found.supplier, found.location_id) == (
        order.number,
        f"Supplier of {order.number}",
        str(order.location),
    )
    line, freight = found.lines
    # What may come beyond what was ordered is not waited for.
    assert (line.sku, line.ordered, line.received, line.open, line.lots_kept, line.stocked) == (
        "MILK",
        "9",
        "9",
        "0",
        True,
        True,
    )
    assert (freight.sku, freight.open, freight.open_said, freight.lots_kept, freight.stocked) == (
        "",
        "1",
        "1",
        False,
        False,
    )
    assert (str(order.location), f"Dock {order.number}") in found.locations
    assert to_receive(999_999) is None


def test_what_cannot_be_received_says_why():
    order = bolts(5)
    came(order, 5)
    assert to_receive(order.id).why_not == f"Everything of {order.number} has come."
    arrange(lambda session: setattr(session.get_one(PurchaseOrder, order.id), "status", "closed"))
    found = to_receive(order.id)
    assert (found.lines, found.why_not) == (
        [],
        f"{order.number} is closed. What comes for it now needs an order of its own.",
    )


def scanned(text):
    return read(receipts.waiting_for, text=text)


def test_what_is_scanned_leads_to_the_orders_that_wait_for_it():
    bolt = product("BOLT", name="Bolt", barcode="4006381333931").id
    line = {"product_id": bolt, "quantity": Decimal(9)}
    late, soon = ordered(line, expected_on=date(2026, 12, 24)), ordered(line, expected_on=date(2026, 12, 1))
    done, drafted = ordered(line), ordered(line, status="draft")
    came(done, 9)
    for text in (" 4006381333931", "400638 1333931", "bolt"):
        found = scanned(text)
        assert (found.product_id, found.product) == (bolt, "Bolt")
        assert [one.order_id for one in found.orders] == [soon.id, late.id]
    assert found.orders[0].open == "9 pcs"
    assert found.orders[0].href == f"/orders/{soon.id}/receive?product={bolt}"
    assert drafted.id not in [one.order_id for one in found.orders]
    found = scanned(late.number.lower())
    assert (found.product, [one.href for one in found.orders]) == ("", [f"/orders/{late.id}/receive"])
    assert scanned("nothing like it").orders == []


def test_what_can_be_sent_back_and_from_where():
    bolt = product("BOLT", name="Bolt").id
    milk = product("MILK", name="Milk", lots_kept=True).id
    order = ordered(
        {"product_id": bolt, "quantity": Decimal(9), "description": "Bolt"},
        {"product_id": milk, "quantity": Decimal(9), "description": "Milk"},
        {"quantity": Decimal(2), "description": "Freight"},
    )
    west = item(bolt, location("WEST", name="West").id, 3)
    done = came(order, 4, Came(order.lines[1], Decimal(2), lot_code="A1"), 1)
    found = read(receipts.to_send_back, receipt_id=done.receipt_id)
    bolts_, milk_, freight = found
    assert (bolts_.most, bolts_.unit) == ("4", "pcs")
    assert bolts_.sources == [(bolts_.item_id, f"Dock {order.number}: 4 pcs"), (str(west.id), "West: 3 pcs")]
    assert [words for _, words in milk_.sources] == [f"Dock {order.number}, lot A1: 2 pcs"]
    assert (freight.stocked, freight.item_id, freight.sources) == (False, "", [])
    back(order, Back(order.lines[2], Decimal(1)))
    assert len(read(receipts.to_send_back, receipt_id=done.receipt_id)) == 2
    assert read(receipts.to_send_back, receipt_id=999_999) == []
