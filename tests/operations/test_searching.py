"""Searching forgives: codes and beginnings first, then what holds the words, then what is spelt alike, and says so."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from inventory_app.context import Actor, acting_as
from inventory_app.errors import Invalid
from inventory_app.operations import items, pricing, products, shipments, suppliers, users
from inventory_app.operations import stock as stock_operations
from inventory_app.operations._item_list import LIST
from inventory_app.operations._people_list import LIST as PEOPLE
from inventory_app.operations._price_list import LIST as PRICES
from inventory_app.operations._product_list import LIST as PRODUCTS
from inventory_app.operations._shipment_list import LIST as SHIPMENTS
from inventory_app.operations._supplier_list import LIST as SUPPLIERS
from inventory_app.operations.catalog import search_text
from inventory_app.operations.items import Overview
from inventory_app.unit_of_work import read, transact
from tests import factories
from tests.operations.shelf import accept, issue, send
from tests.operations.shelf import shelf as on_shelf


@pytest.fixture
def ann(database: None) -> Iterator[Actor]:
    actor = factories.person("ann", "admin")
    with acting_as(actor):
        yield actor


def stock(sku: str, name: str, **more: object) -> int:
    return factories.item(factories.product(sku, name=name, **more).id, quantity=5).id or 0


def found(text: str, **query: str) -> Overview:
    return read(items.overview, view=LIST.read({"q": text} | query))


def skus(text: str, **query: str) -> list[str]:
    return [row.sku for row in found(text, **query).page.rows]


@pytest.fixture
def shelf(ann: Actor) -> None:
    """Put what is called bolt at the beginning, in the middle, and in a code on the shelf."""
    stock("A-1", "Eye bolt")
    barcode = "4006381333931"
    stock("B-1", "Bolt, long", barcode=barcode, search=search_text("B-1", "Bolt, long", barcode))
    stock("BOLT-1", "Zinc sheet")
    stock("C-1", "Crème brûlée")
    stock("Z-1", "Thunderbolt")
    stock("Z-2", "Shelf unit")


@pytest.mark.usefixtures("shelf")
def test_what_begins_with_the_text_stands_before_what_holds_it():
    assert skus("bolt") == ["B-1", "BOLT-1", "A-1", "Z-1"]
    assert skus("BOLT-1") == ["BOLT-1"]
    assert skus("4006381333931") == ["B-1"]


@pytest.mark.usefixtures("shelf")
def test_an_order_that_was_asked_for_is_kept():
    assert skus("bolt", dir="desc") == ["Z-1", "BOLT-1", "B-1", "A-1"]
    assert skus("bolt", sort="product") == ["B-1", "A-1", "Z-1", "BOLT-1"]


@pytest.mark.parametrize("text", ["creme brulee", "CRÈME", "  brûlée  crème ", "cre"])
@pytest.mark.usefixtures("shelf")
def test_case_accents_and_the_order_of_words_do_not_matter(text: str):
    assert skus(text) == ["C-1"]
    assert found(text).page.note == ""


@pytest.mark.parametrize("text", ["shelv", "shlef", "shelf unti", "shelff", "SHÉLV"])
@pytest.mark.usefixtures("shelf")
def test_only_when_nothing_is_found_what_is_spelt_alike_is_and_it_is_said(text: str):
    answer = found(text)
    assert [row.sku for row in answer.page.rows] == ["Z-2"]
    # A mistyped word is taken for one that products have.
    assert answer.page.note.startswith("Nothing is called “")
    assert answer.page.note.endswith((": this is “shelf”.", ": this is “unit”."))
    assert answer.count == 1
    assert read(items.matching_items, view=LIST.read({"q": text}), most=10) == [answer.page.rows[0].id]


@pytest.mark.parametrize("text", ["xyzzyq", "sh", "%%%", "\\", "_____", "shelv xyzzyq"])
@pytest.mark.usefixtures("shelf")
def test_what_is_like_nothing_finds_nothing(text: str):
    answer = found(text)
    assert skus(text) == ([] if text != "sh" else ["Z-2", "BOLT-1"])
    assert answer.page.note == ""


@pytest.mark.parametrize("text", ["she\0lv", "\0\0\0\0", "\ud800\ud800\ud800", "x" * 500])
@pytest.mark.usefixtures("shelf")
def test_what_no_row_can_hold_is_looked_for_and_not_in_the_way(text: str):
    assert found(text).count < 6


@pytest.mark.parametrize("text", ["4006381333913", "BOLT-2", "z1 2", "a1x"])
@pytest.mark.usefixtures("shelf")
def test_a_code_is_like_nothing_but_itself(text: str):
    assert skus(text) == []


@pytest.mark.parametrize(("text", "sku"), [("blot zinc", "BOLT-1"), ("eye blot", "A-1"), ("long blot 4006", "B-1")])
@pytest.mark.usefixtures("shelf")
def test_beside_a_mistyped_word_the_others_stay_what_they_are(text: str, sku: str):
    answer = found(text)
    assert [row.sku for row in answer.page.rows] == [sku]


@pytest.mark.usefixtures("shelf")
def test_what_is_alike_is_narrowed_down_like_everything_else():
    assert skus("shelv", on_hand="1..9") == ["Z-2"]
    assert skus("shelv", on_hand="100..") == []


def test_the_pages_of_what_stands_first_and_of_the_others_follow_each_other_both_ways(ann: Actor):
    for number in range(40):
        stock(f"A{number:03}", f"Steel bolt {number}")
        stock(f"Z{number:03}", f"Bolt {number}")
    everything = [f"Z{number:03}" for number in range(40)] + [f"A{number:03}" for number in range(40)]
    met, cursor, cursors = list[str](), "", list[str]()
    while True:
        page = found("bolt", size="25", at=cursor).page
        met += [row.sku for row in page.rows]
        cursors.append(page.before)
        if not page.after:
            break
        cursor = page.after
    assert met == everything
    back = page
    again = [row.sku for row in back.rows]
    while back.before:
        back = found("bolt", size="25", at=back.before).page
        again = [row.sku for row in back.rows] + again
    assert again == everything


def test_the_pages_of_what_is_alike_follow_each_other(ann: Actor):
    for number in range(30):
        stock(f"A{number:03}", f"Shelf {number}")
    first = found("shlef", size="25").page
    assert (len(first.rows), first.before) == (25, "")
    second = found("shlef", size="25", at=first.after).page
    assert [row.sku for row in second.rows] == [f"A{number:03}" for number in range(25, 30)]
    assert second.note == "Nothing is called “shlef”: this is “shelf”."
    assert found("shlef", size="25", at=second.before).page.rows[0].sku == "A000"


@pytest.mark.usefixtures("shelf")
def test_a_place_in_another_way_of_searching_is_none():
    for number in range(30):
        stock(f"B{number:03}", f"Bolt {number}")
    after = found("bolt", size="25").page.after
    with pytest.raises(Invalid, match="damaged"):
        found("bolt", dir="desc", at=after)
    with pytest.raises(Invalid, match="damaged"):
        found("bolt", at=f"elsewhere.{after}")


@pytest.mark.usefixtures("shelf")
def test_every_list_of_products_finds_and_says_the_same():
    listed = read(products.list_products, view=PRODUCTS.read({"q": "bolt"})).page
    assert ([row.sku for row in listed.rows], listed.note) == (["B-1", "BOLT-1", "A-1", "Z-1"], "")
    said = "Nothing is called “shlef”: this is “shelf”."
    for query, listing in ((products.list_products, PRODUCTS), (pricing.list_prices, PRICES)):
        alike = read(query, view=listing.read({"q": "shlef"})).page
        assert ([row.sku for row in alike.rows], alike.note) == (["Z-2"], said)


def test_suppliers_and_people_are_found_in_the_same_way(ann: Actor):
    for name in ("North Anvil", "Anvil & Sons"):
        factories.supplier(name)
    factories.person("quartermain")
    named = read(suppliers.list_suppliers, view=SUPPLIERS.read({"q": "anvil"})).page
    assert [row.name for row in named.rows] == ["Anvil & Sons", "North Anvil"]
    alike = read(suppliers.list_suppliers, view=SUPPLIERS.read({"q": "anvli"})).page
    assert (len(alike.rows), alike.note) == (2, "Nothing called “anvli” here; similar:")
    people = read(users.list_users, view=PEOPLE.read({"q": "quatermain"})).page
    said = "Nothing called “quatermain” here; similar:"
    assert ([row.username for row in people.rows], people.note) == (["quartermain"], said)


def test_the_pages_of_suppliers_that_are_spelt_alike_follow_each_other(ann: Actor):
    for number in range(27):
        factories.supplier(f"Anvil {number:02}")
    first = read(suppliers.list_suppliers, view=SUPPLIERS.read({"q": "anvli", "size": "25"})).page
    assert (len(first.rows), first.before) == (25, "")
    second = read(suppliers.list_suppliers, view=SUPPLIERS.read({"q": "anvli", "size": "25", "at": first.after})).page
    assert [row.name for row in second.rows] == ["Anvil 25", "Anvil 26"]
    assert second.note == first.note
    back = read(suppliers.list_suppliers, view=SUPPLIERS.read({"q": "anvli", "size": "25", "at": second.before})).page
    assert back.rows == first.rows


def test_an_item_is_found_by_the_beginning_of_its_lots_code(ann: Actor):
    milk = factories.product("MILK", name="Milk", lots_kept=True)
    stock("B2-7", "Bolt")
    here = factories.location("COLD", name="Cold store").id or 0
    for code in ("B2-7", "B2-8"):
        transact(
            stock_operations.create_inventory_item,
            product_id=milk.id,
            location_id=here,
            quantity=Decimal(1),
            lot_code=code,
        )
    assert [(row.sku, row.lot) for row in found("b2-7").page.rows] == [("B2-7", None), ("MILK", "B2-7")]
    assert [row.lot for row in found("B2-8").page.rows] == ["B2-8"]
    assert [row.lot for row in found("milk B2-").page.rows] == ["B2-7", "B2-8"]
    assert found("B2-8").page.note == ""
    assert read(items.matching_items, view=LIST.read({"q": "B2-8"}), most=10) == [found("B2-8").page.rows[0].id]
    assert skus("b2-9") == []
    assert skus("bolt B2-8") == []


def test_none_left_is_said_of_where_something_is_kept_and_not_of_where_it_passed_through(ann: Actor):
    bolt = on_shelf()
    send(bolt.here, bolt.there_location, 4)
    accept(next(row.id for row in read(shipments.list_shipments, view=SHIPMENTS.read({})).page.rows))
    issue(bolt.there, 9)
    out = read(items.overview, view=LIST.read({"view": "out"}))
    assert [row.location for row in out.page.rows] == ["Bolt south"]
    assert (out.count, out.summary.out) == (1, 1)
