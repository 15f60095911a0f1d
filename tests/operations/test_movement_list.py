"""The list of movements in every order: each movement once, whichever way one turns the pages."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from inventory_app.context import Actor, acting_as
from inventory_app.operations import item_page, movements
from inventory_app.operations._movement_lines import MovementLine
from inventory_app.operations._movement_list import LIST
from inventory_app.operations._receipt_lines import Back
from inventory_app.unit_of_work import read
from tests.factories import item, location, person, product, role
from tests.operations.ordered import back, bolts, came, correct
from tests.operations.shelf import bulk
from tests.operations.test_exports import file_of

ROUNDS = 9
ORDERS = [key for key, column in LIST.columns.items() if column.by is not None]


@pytest.fixture
def ledger(ann: Actor) -> Iterator[int]:
    """Count two products at three places, two of which are called the same, again and again; returns how many."""
    with acting_as(ann):
        places = [location(code, name=name) for code, name in (("A", "Shed"), ("B", "Hall"), ("C", "Shed"))]
        made = [product(sku, name=sku.title(), unit_cost=Decimal("2.5")) for sku in ("NUT", "BOLT")]
        kept = [item(one.id or 0, place.id or 0, Decimal(10)).id or 0 for one in made for place in places]
        for turn in range(ROUNDS):
            bulk(*((id_, str(20 + (turn * 7 + id_) % 5 + turn), None) for id_ in kept))
        yield listed().count


def listed(**query: str) -> movements.Movements:
    return read(movements.list_movements, view=LIST.read(query))


def walk(**query: str) -> list[list[MovementLine]]:
    pages, cursor = list[list[MovementLine]](), ""
    while True:
        page = listed(**query, size="25", at=cursor).page
        pages.append(page.rows)
        if not page.after:
            break
        cursor = page.after
    while page.before:
        page = listed(**query, size="25", at=page.before).page
        pages.insert(0, page.rows)
    return pages


@pytest.mark.parametrize("way", ["asc", "desc"])
@pytest.mark.parametrize("sort", ORDERS)
def test_the_pages_of_every_order_hold_every_movement_once_forth_and_back(sort: str, way: str, ledger: int):
    pages = walk(sort=sort, dir=way)
    ids = [line.id for page in pages for line in page]
    half = len(pages) // 2
    assert sorted(set(ids)) == sorted(ids[-ledger:])
    # Forth from the first page, and back to it again: the same pages.
    assert pages[:half] == pages[half : 2 * half]
    assert len(ids) >= 2 * ledger - 25


@pytest.mark.parametrize("filters", [{}, {"kind": "count"}, {"change": "1.."}, {"q": "bolt"}])
@pytest.mark.usefixtures("ledger")
def test_places_of_one_name_are_one_in_the_order_of_places(filters: dict[str, str]):
    lines = [line for page in walk(sort="location", **filters) for line in page]
    forth = lines[-listed(**filters).count :]
    assert [line.location for line in forth] == sorted(line.location for line in forth)
    shed = [(line.item_id, int(line.sequence)) for line in forth if line.location == "Shed"]
    assert shed == sorted(shed)
    assert len({item_id for item_id, _ in shed}) > 1


# What came for an order


@pytest.fixture
def delivered(ann):
    """Receive 4 of 10 bolts, send 1 back and take the first receipt's counter-part back again."""
    with acting_as(ann):
        order = bolts(10)
        received = came(order, 4)
        (line,) = listed().page.rows
        sent_back = back(order, Back(order.lines[0], Decimal(1), line.item_id))
        corrected = correct(sent_back.receipt_id)
    return order, received, sent_back, corrected


def test_movements_of_a_receipt_name_and_open_it_and_its_order(ann, delivered):
    order, *done = delivered
    with acting_as(ann):
        rows = listed(sort="recorded", dir="asc").page.rows
        why = read(item_page.item_page, item_id=rows[0].item_id).why
    assert [(row.receipt, row.receipt_href) for row in rows] == [
        (one.number, f"/receipts/{one.receipt_id}") for one in done
    ]
    assert {(row.order, row.order_href, row.reference) for row in rows} == {(order.number, f"/orders/{order.id}", "")}
    assert [(row.receipt, row.order_href) for row in why.lines] == [(row.receipt, row.order_href) for row in rows]


def test_who_may_not_see_orders_reads_the_numbers_and_is_led_nowhere(delivered):
    order, *done = delivered
    role("mover", "inventory:view")
    with acting_as(person("mo", "mover")):
        rows = listed(sort="recorded", dir="asc").page.rows
    assert [(row.receipt, row.receipt_href, row.order, row.order_href) for row in rows] == [
        (one.number, "", order.number, "") for one in done
    ]


def test_the_file_of_movements_names_the_receipt(ann, delivered):
    order, *done = delivered
    with acting_as(ann):
        _, rows = file_of("movements")
    assert {(row["Receipt"], row["Reference"]) for row in rows} == {(one.number, order.number) for one in done}
