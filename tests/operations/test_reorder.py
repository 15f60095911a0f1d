"""What is low: which products, how long they last, and how much to order, with the reasons in words."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_app.context import acting_as
from inventory_app.models._base import now
from inventory_app.models.catalog import SupplierProduct
from inventory_app.models.stock import MovementKind, Reservation, StockMovement
from inventory_app.operations import reorder
from inventory_app.operations._lists import View
from inventory_app.operations._operation import operation_id
from inventory_app.operations.reorder import USAGE_DAYS, Need, Terms, list_low, suggest
from inventory_app.unit_of_work import read
from tests.factories import add, arrange, item, location, product, supplier

ACME = Terms("Acme", lead_time_days=10, pack_size=Decimal(12), minimum_quantity=Decimal(24))
NEED = Need(
    on_hand=Decimal(7),
    reserved=Decimal(2),
    reorder_point=Decimal(20),
    reorder_quantity=Decimal(0),
    issued=Decimal(180),
    unit="pcs",
    decimals=0,
    terms=ACME,
)


@pytest.fixture
def as_ann(ann):
    with acting_as(ann):
        yield ann


def changed(**values: object) -> Need:
    return Need(**{name: getattr(NEED, name) for name in Need.__slots__} | values)


def test_enough_is_suggested_to_be_at_the_reorder_point_when_it_arrives_in_whole_packs():
    found = suggest(NEED)
    assert (found.quantity, found.days) == (36, 2), "2 a day for 10 days, and 20, less the 5 there are: 35"
    assert found.why == (
        "180 pcs issued in 90 days, so 20 pcs in the 10 days Acme takes; reorder point 20 pcs, 5 pcs available;"
        " in packs of 12."
    )


@pytest.mark.parametrize(
    ("need", "quantity", "days", "reason"),
    [
        (changed(issued=Decimal(0)), 24, None, "Nothing issued in 90 days; reorder point 20 pcs, 5 pcs available"),
        (changed(issued=Decimal(0)), 24, None, "Acme delivers no less than 24 pcs."),
        (changed(reorder_quantity=Decimal(100)), 108, 2, "at least the usual 100 pcs; in packs of 12."),
        (changed(terms=None), 15, 2, "no terms of a supplier, so no lead time"),
        (changed(reserved=Decimal(9)), 48, 0, "-2 pcs available"),
        (
            changed(terms=None, unit="kg", decimals=3, issued=Decimal(1), on_hand=Decimal("2.5")),
            Decimal("19.5"),
            45,
            "",
        ),
        (changed(terms=Terms("Acme", 1, Decimal(1), Decimal(0))), 17, 2, "in the 1 day Acme takes"),
    ],
)
def test_what_is_suggested_comes_with_its_reason(need, quantity, days, reason):
    found = suggest(need)
    assert (found.quantity, found.days) == (quantity, days)
    assert reason in found.why


@given(
    st.decimals(0, 500, places=3),
    st.decimals(0, 500, places=3),
    st.decimals(0, 9_000, places=3),
    st.decimals("0.001", 40, places=3),
    st.integers(0, 3),
)
def test_what_is_suggested_is_always_enough_in_packs_and_no_more_than_a_pack_too_much(
    on_hand, point, issued, pack, decimals
):
    terms = Terms("Acme", 7, pack, Decimal(0))
    need = changed(
        on_hand=on_hand, reserved=Decimal(0), reorder_point=point, issued=issued, terms=terms, decimals=decimals
    )
    found, wanted = suggest(need).quantity, max(issued / USAGE_DAYS * 7 + point - on_hand, Decimal(0))
    assert wanted <= found < wanted + pack + Decimal(1).scaleb(-decimals)
    assert found == round(found, decimals)


def issue(item_id: int | None, quantity: int, *, days_ago: int) -> None:
    """Book an issue of so many days ago, and as much again at once, so that the quantity stays."""

    def build(session) -> None:
        for sequence, (kind, change) in enumerate(
            ((MovementKind.ISSUE, -quantity), (MovementKind.RECEIPT, quantity)), 2
        ):
            session.add(
                StockMovement(
                    item_id=item_id,
                    sequence=sequence + days_ago * 2,
                    kind=kind,
                    quantity=Decimal(change),
                    unit_cost=Decimal(1),
                    value=Decimal(change),
                    operation_id=operation_id(session),
                    occurred_at=now() - timedelta(days=days_ago),
                )
            )

    arrange(build)


@pytest.fixture
def low(database):
    """Return a bolt that is low at two places, is used and partly reserved, and a nut that is kept nowhere."""
    acme = supplier("Acme", status="approved")
    bolt = product("BOLT", name="Bolt", reorder_point=Decimal(20), supplier_id=acme.id)
    product("NUT", name="Nut", reorder_point=Decimal(5))
    enough = product("SCREW", name="Screw", reorder_point=Decimal(5))
    here, there = item(bolt.id, location("NORTH").id, 4), item(bolt.id, location("SOUTH").id, 3)
    item(enough.id, quantity=6)
    add(
        SupplierProduct(
            supplier_id=acme.id,
            product_id=bolt.id,
            cost=Decimal(1),
            currency="USD",
            pack_size=Decimal(12),
            minimum_quantity=Decimal(24),
            lead_time_days=10,
        )
    )
    tomorrow, yesterday = now() + timedelta(days=1), now() - timedelta(days=1)
    kept_back = ((here, tomorrow, None), (there, tomorrow, None), (here, yesterday, None), (here, tomorrow, now()))
    for at, until, released in kept_back:
        add(Reservation(item_id=at.id, quantity=Decimal(1), expires_at=until, created_by="ann", released_at=released))
    issue(here.id, 90, days_ago=10)
    issue(there.id, 90, days_ago=80)
    issue(there.id, 500, days_ago=91)
    return bolt


def test_low_products_come_the_most_urgent_first_with_everything_the_suggestion_is_made_of(low, as_ann):
    found = read(list_low, view=View())
    nut, bolt = found.page.rows
    assert (nut.product, nut.level, nut.on_hand, nut.days, nut.suggested) == ("Nut", "out", "0", "not used", "5")
    assert (bolt.on_hand, bolt.available, bolt.reserved, bolt.reorder_point) == ("7", "5", "2", "20")
    assert (bolt.days, bolt.suggested, bolt.supplier) == ("2 days", "36", "Acme")
    assert bolt.why.startswith("180 pcs issued in 90 days, so 20 pcs in the 10 days Acme takes")
    assert (found.count, found.everything) == (2, 2)


def test_low_products_are_searched_filtered_and_sorted_as_any_list(low, as_ann):
    found = read(list_low, view=View(search="bol"))
    assert ([row.sku for row in found.page.rows], found.count, found.everything) == (["BOLT"], 1, 2)
    for sort, expected in (("product", ["Bolt", "Nut"]), ("supplier", ["Bolt", "Nut"]), ("point", ["Nut", "Bolt"])):
        assert [row.product for row in read(list_low, view=View(sort=sort)).page.rows] == expected
    assert read(list_low, view=View(filters={"supplier": f"!{low.supplier_id}"})).page.rows[0].product == "Nut"


def test_one_day_is_one_day():
    assert [reorder._days(days) for days in (None, 0, 1, 1_200)] == ["not used", "0 days", "1 day", "1,200 days"]
