"""The list of items: every order, filter and page, the figures above it, and what a viewer may see."""

import base64
import json
from decimal import Decimal
from typing import Any

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import Invalid, NotFound
from inventory_app.models._base import sort_key
from inventory_app.models.catalog import Category, Location, Product
from inventory_app.operations import items
from inventory_app.operations._item_list import LIST
from inventory_app.operations._lists import View
from inventory_app.operations.home import home
from inventory_app.unit_of_work import read
from tests.factories import add, arrange, begin_as, item, location, person, product, supplier

#: name, cost, reorder point, active, what is kept at north and south (None: not kept there)
THINGS = [
    ("Ärmel", "2.5", 5, True, "7", "0"),
    ("Bolt", "0.25", 10, True, "6", "4"),
    ("Café", "12.0001", 0, True, "0", None),
    ("bolt long", "0.3", 10, True, "10", "1"),
    ("Drum", "80", 3, False, "2", None),
    ("Empty", "1", 4, True, None, "0"),
    ("Never kept", "1", 4, True, None, None),
    ("Zinc", "3", 0, True, "100000", "0.5"),
]


@pytest.fixture
def things(ann) -> list[Any]:
    """Put everything on the shelves; returns the items as they were made, by product and place."""
    north, south = location("N", name="North").id, location("S", name="South").id
    metal, maker = add(Category(code="M", name="Metal")).id, supplier("Maker").id
    made = []
    for number, (name, cost, point, active, *kept) in enumerate(THINGS):
        known = product(
            f"SKU{9 - number}",
            name=name,
            search=f"sku{9 - number} {name.casefold()}",
            unit_cost=Decimal(cost),
            reorder_point=Decimal(point),
            active=active,
            unit_code="kg",
            category_id=metal if "olt" in name.lower() else None,
            supplier_id=maker if name == "Bolt" else None,
        )
        for place, quantity in zip((north, south), kept, strict=True):
            if quantity is not None:
                made.append((item(known.id, place, Decimal(quantity)), known, "North" if place == north else "South"))
    return made


@pytest.fixture
def as_ann(ann):
    with acting_as(ann):
        yield ann


def ids(found: list[Any]) -> list[int]:
    return [one[0].id for one in found]


ORDERS = {
    "sku": lambda one: one[1].sku,
    "product": lambda one: one[1].sort_key,
    "location": lambda one: one[2].casefold(),
    # Rows without one come last.
    "category": lambda one: (one[1].category_id is None, ""),
    "supplier": lambda one: (one[1].supplier_id is None, ""),
    "unit_cost": lambda one: one[1].unit_cost,
    "on_hand": lambda one: one[0].quantity,
    "value": lambda one: one[0].quantity * one[1].unit_cost,
    "changed": lambda one: one[0].changed_at,
}


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", sorted(LIST.columns))
def test_the_pages_of_every_order_hold_every_item_once_forth_and_back(sort, descending, things, as_ann):
    expected = ids(sorted(things, key=lambda one: (ORDERS[sort](one), one[0].id), reverse=descending))
    forth, back, cursor, turns = [], [], "", 0
    while turns < 10:
        page = read(items.list_items, view=View(sort=sort, descending=descending, cursor=cursor, size=4))
        forth += [row.id for row in page.rows]
        turns, cursor = turns + 1, page.after
        if not cursor:
            break
    assert forth == expected
    assert turns == 3
    while page.before:
        page = read(items.list_items, view=View(sort=sort, descending=descending, cursor=page.before, size=4))
        back = [row.id for row in page.rows] + back
    assert back == expected[: len(back)]
    assert len(back) == 8


@pytest.mark.parametrize(
    ("sort", "cursor"),
    [
        ("sku", "x"),
        ("sku", [0, "sku", "A"]),
        ("sku", [0, "sku", 1, 1]),
        ("sku", [0, "product", "A", 1]),
        ("sku", [0, "sku", "A", 2**63]),
        ("on_hand", [0, "on_hand", "many", 1]),
        ("on_hand", [0, "on_hand", "NaN", 1]),
        ("on_hand", [0, "on_hand", "1e900", 1]),
        ("changed", [0, "changed", "today", 1]),
        ("changed", [0, "changed", "2026-11-23T00:00:00", 1]),
    ],
)
def test_a_cursor_that_is_none_of_ours_is_refused(sort, cursor, things, as_ann):
    text = cursor if isinstance(cursor, str) else base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode()
    with pytest.raises(Invalid, match="damaged"):
        read(items.list_items, view=View(sort=sort, cursor=text))


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"q": "bolt"}, ["Bolt", "Bolt", "bolt long", "bolt long"]),
        ({"q": "bolt LONG"}, ["bolt long", "bolt long"]),
        ({"q": "100%"}, []),
        ({"q": "sku9"}, ["Ärmel", "Ärmel"]),
        ({"view": "reorder"}, ["Bolt", "Bolt", "Empty"]),
        ({"view": "out"}, ["Café", "Empty", "Ärmel"]),
        ({"view": "out", "q": "caf"}, ["Café"]),
        ({"q": "METÁL"}, ["Bolt", "Bolt", "bolt long", "bolt long"]),
        ({"q": "metal long"}, ["bolt long", "bolt long"]),
        ({"q": "metal%"}, []),
        ({"on_hand": "6..7"}, ["Bolt", "Ärmel"]),
        ({"on_hand": "..0", "q": "sku9"}, ["Ärmel"]),
        ({"value": "160.."}, ["Drum", "Zinc"]),
        ({"supplier": "MAK"}, ["Bolt", "Bolt"]),
        ({"active": "no"}, ["Drum"]),
        ({"active": "perhaps", "on_hand": "many", "q": "drum"}, ["Drum"]),
    ],
)
def test_filters(filters, names, things, as_ann):
    found = read(items.overview, view=LIST.read(filters))
    assert sorted(kept.product for kept in found.page.rows) == names
    assert found.count == len(names)


def test_filters_by_category_and_location(things, as_ann):
    chosen = next(one[1].category_id for one in things if one[1].category_id)
    assert read(items.count_items, view=View(filters={"category": str(chosen)})) == 4
    of_category = View(filters={"category": str(chosen)})
    listed = [row.id for row in read(items.list_items, view=of_category).rows]
    assert read(items.matching_items, view=of_category, most=9) == listed
    assert read(items.matching_items, view=of_category, most=3) == listed[:3]
    south = next(one[0].location_id for one in things if one[2] == "South")
    found = read(items.overview, view=View(filters={"location": str(south)}, sort="on_hand"))
    assert [kept.quantity for kept in found.page.rows] == [0, 0, Decimal("0.5"), 1, 4]
    assert found.count == 5
    assert read(items.count_items, view=View(filters={"location": f"!{south}"})) == len(things) - 5
    # What has no category is in none of them.
    assert read(items.count_items, view=View(filters={"category": f"!{chosen}"})) == len(things) - 4


def test_the_figures_are_what_a_person_would_count(things, as_ann):
    summary = read(items.summarize)
    worth = sum(one[0].quantity * one[1].unit_cost for one in things)
    assert (summary.items, summary.locations, summary.worth) == (len(things), 2, f"{worth:,.2f} USD")
    assert summary.out == 3
    # Bolt is at its reorder point with 6 + 4; Empty has none; what was never kept is a product without an item.
    assert summary.to_reorder == 3
    assert read(home).products_to_reorder == 3
    assert read(items.overview, view=View()).summary == summary


def test_an_empty_stock_has_figures_too(as_ann):
    found = read(items.overview, view=View())
    assert (found.page.rows, found.count) == ([], 0)
    assert (found.summary.items, found.summary.worth, found.summary.locations) == (0, "0.00 USD", 0)


def test_a_row_shows_everything_about_its_item(things, as_ann):
    (bolt,) = (row for row in read(items.list_items, view=View(search="sku8")).rows if row.location == "North")
    assert (bolt.sku, bolt.product, bolt.category, bolt.supplier, bolt.unit) == ("SKU8", "Bolt", "Metal", "Maker", "kg")
    assert (bolt.on_hand, bolt.read_quantity, bolt.level, bolt.unit_cost, bolt.value) == (
        "6",
        "6",
        "low",
        "0.25",
        "1.50",
    )
    # The bar is the product's: 6 here and 4 elsewhere against a reorder point of 10.
    assert (bolt.fill, bolt.rest, bolt.tick, bolt.in_all, bolt.active) == (27, 18, 45, "10 kg", True)
    (drum,) = read(items.list_items, view=View(search="drum")).rows
    assert (drum.level, drum.active) == ("", False)
    (cafe,) = read(items.list_items, view=View(search="caf")).rows
    assert (cafe.level, cafe.on_hand, cafe.in_all, cafe.category) == ("out", "0", "", "")


def test_what_is_low_is_said_of_the_product_and_the_same_on_every_row_and_list(things, as_ann):
    rows = read(items.list_items, view=View()).rows
    levels = {(row.product, row.location): row.level for row in rows}
    assert levels == {
        ("Ärmel", "North"): "",
        ("Ärmel", "South"): "none",
        ("Bolt", "North"): "low",
        ("Bolt", "South"): "low",
        ("Café", "North"): "out",
        ("bolt long", "North"): "",
        ("bolt long", "South"): "",
        ("Drum", "North"): "",
        ("Empty", "South"): "out",
        ("Zinc", "North"): "",
        ("Zinc", "South"): "",
    }
    listed = read(items.overview, view=View(filters={"view": "reorder"}))
    assert {kept.product for kept in listed.page.rows} == {"Bolt", "Empty"}
    assert listed.note == (
        f"{read(home).products_to_reorder} products are at or below the reorder point, all locations together. "
        "Kept nowhere, so without a row here: Never kept (SKU3)."
    )
    assert read(items.overview, view=View(filters={"view": "out"})).note.startswith("Nothing left at their location.")
    assert read(items.overview, view=View()).note == ""


def test_the_place_of_an_item_says_how_it_is_counted(things, as_ann):
    bolt = next(one[0] for one in things if one[1].name == "Bolt")
    place = read(items.item_place, item_id=bolt.id)
    assert (place.product, place.location, place.unit, place.decimals) == ("Bolt", "North", "kg", 3)
    with pytest.raises(NotFound):
        read(items.item_place, item_id=999_999)


def test_costs_are_only_for_who_may_see_them(things):
    with acting_as(person("eve", "employee")):
        found = read(items.overview, view=View(sort="value"))
        assert {kept.unit_cost for kept in found.page.rows} == {None}
        assert {(kept.row().unit_cost, kept.row().value) for kept in found.page.rows} == {("", "")}
        assert found.summary.worth == ""
        # Sorting by value would tell what is dear.
        assert [kept.sku for kept in found.page.rows] == sorted(kept.sku for kept in found.page.rows)


def test_items_are_got_by_sku_and_those_that_do_not_exist_are_missing(things, as_ann):
    wanted = ids(things)[:3]
    found = read(items.get_items, item_ids=[*wanted, 999_999])
    assert sorted(row.id for row in found) == wanted
    assert [row.sku for row in found] == sorted(row.sku for row in found)


def test_a_row_after_a_transfer_is_the_row_that_would_be_read(things, as_ann):
    from tests.operations.shelf import transfer

    here, there = (one[0].id for one in things if one[1].name == "Bolt")
    before = {kept.id: kept for kept in read(items.overview, view=View()).page.rows}
    done = transfer(here, there, "1.5")
    told = {
        one.item_id: before[one.item_id].after(one.quantity, one.changed_at, one.changed_by, "Ann")
        for one in done.items
    }
    now = {kept.id: kept for kept in read(items.overview, view=View()).page.rows}
    assert told == {id_: now[id_] for id_ in (here, there)}
    shown = now[here].row()
    assert (shown.changed_by, shown.changed_username, shown.initials) == ("Ann", "ann", "A")
    assert [told[id_].row() for id_ in told] == [now[id_].row() for id_ in told]


def test_where_a_product_can_go_is_every_open_place_but_this(things, as_ann):
    closed = location("OLD", name="Old shed").id
    arrange(lambda session: setattr(session.get_one(Location, closed), "active", False))
    bolt = next(one[0] for one in things if one[1].name == "Bolt" and one[2] == "North")
    found = read(items.transfer_targets, item_id=bolt.id)
    assert [(target.location, target.on_hand) for target in found] == [("Main warehouse", "0"), ("South", "4")]


def test_where_a_thing_can_go_that_is_not_there_is_no_answer(as_ann):
    with pytest.raises(NotFound):
        read(items.transfer_targets, item_id=4711)


def test_the_choices_follow_what_is_opened_and_closed(as_ann):
    from inventory_app.operations import catalog

    before = [choice.label for choice in read(catalog.choices).locations]
    shed = location("SHED", name="Shed")
    assert [choice.label for choice in read(catalog.choices).locations] == sorted([*before, "Shed"])
    arrange(lambda session: setattr(session.get_one(Location, shed.id), "active", False))
    assert [choice.label for choice in read(catalog.choices).locations] == before


def test_a_product_that_is_discontinued_leaves_the_reorder_list(things, as_ann):
    assert read(items.summarize).to_reorder == 3
    bolt = next(one[1].id for one in things if one[1].name == "Bolt")
    arrange(lambda session: setattr(session.get_one(Product, bolt), "active", False))
    assert read(items.summarize).to_reorder == 1


@pytest.fixture
def tools(database):
    """Return a hammer, a hacksaw and a spanner, each somewhere."""
    for code, name in (
        ("T1", "Hammer, 300 g"),
        ("T2", "Hacksaw"),
        ("T3", "Schraubenschlüssel 13 mm"),
        ("T4", "M8 bolt"),
    ):
        item(product(code, name=name, search=f"{code.lower()} {sort_key(name)}").id)


@pytest.mark.parametrize(
    ("typed", "skus", "said"),
    [
        ("hammer", ["T1"], ""),
        ("hamer", ["T1"], "Nothing is called “hamer”: this is “hammer”."),
        ("hakcsaw", ["T2"], "Nothing is called “hakcsaw”: this is “hacksaw”."),
        ("hacsaw", ["T2"], "Nothing is called “hacsaw”: this is “hacksaw”."),
        ("Schraubenschlüsel 13", ["T3"], "Nothing is called “schraubenschlusel”: this is “schraubenschlussel”."),
        ("ack", ["T2"], ""),
        ("hamer bolt", [], ""),
        ("zzzz", [], ""),
        ("mm", ["T3"], ""),
        ("8", [], ""),
        ("m", ["T4", "T3"], ""),
        ("t1", ["T1"], ""),
    ],
)
def test_a_mistyped_word_finds_what_was_meant_and_that_is_said(tools, ann, typed, skus, said):
    with acting_as(ann):
        found = read(items.overview, view=View(search=typed))
    assert ([kept.sku for kept in found.page.rows], found.count, found.page.note) == (skus, len(skus), said)


def test_words_of_a_new_name_are_known_at_once(tools, ann, database):
    with database.as_app() as connection:
        begin_as(connection)
        connection.execute("UPDATE product SET search = 't2 crowbar' WHERE sku = 'T2'")
    with acting_as(ann):
        assert [kept.sku for kept in read(items.overview, view=View(search="crobar")).page.rows] == ["T2"]
