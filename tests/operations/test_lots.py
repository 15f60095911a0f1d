"""Lots and what of them expires, and suppliers' terms: entered, corrected, found; and who is shown what."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from inventory_app.models.catalog import Lot
from inventory_app.models.stock import InventoryItem, MovementKind, StockMovement
from inventory_app.operations import lots, products, supplier_products
from inventory_app.operations._operation import operation_id
from inventory_app.operations.lots import LIST
from inventory_app.unit_of_work import read, transact
from tests.factories import add, arrange, location, person, product, role, supplier
from tests.fixtures.seeing import Side, before_commit, wait_until_blocked
from tests.operations.shelf import refusal


@pytest.fixture(autouse=True)
def as_ann(ann):
    """Let the manager do it."""
    with acting_as(ann):
        yield ann


@pytest.fixture
def milk() -> int:
    return product("MILK", name="Milk", lots_kept=True).id or 0


def lot(product_id: int, code: str = "L1", **more):
    return transact(lots.create_lot, product_id=product_id, code=code, **more)


def correct(lot_id: int, version: int = 1, code: str = "L1", **more):
    return transact(lots.update_lot, lot_id=lot_id, version=version, code=code, **more)


def stocked(product_id: int, lot_id: int, quantity: int) -> None:
    """Put some of a lot somewhere."""
    place = location(f"P{lot_id}").id or 0

    def build(session) -> None:
        row = InventoryItem(
            product_id=product_id, location_id=place, lot_id=lot_id, quantity=Decimal(quantity), sequence=1
        )
        session.add(row)
        session.flush()
        booked = {"kind": MovementKind.ADJUSTMENT, "quantity": Decimal(quantity), "operation_id": operation_id(session)}
        session.add(StockMovement(item_id=row.id or 0, sequence=1, unit_cost=Decimal(0), value=Decimal(0), **booked))
        session.flush()

    arrange(build)


def codes(**view) -> list[str]:
    return [row.code for row in read(lots.list_lots, view=LIST.read(view)).page.rows]


def test_a_lot_is_added_and_corrected(milk, trail):
    made = lot(milk, " A-1 ", expires_on=date(2030, 1, 31), note="From the north")
    (row,) = read(lots.lots_of, product_id=milk, zone="UTC")
    assert (row.code, row.expires_on, row.note, row.state, row.on_hand) == (
        "A-1",
        "2030-01-31",
        "From the north",
        "",
        "0 pcs",
    )
    correct(made.lot_id, code="A-2")
    (row,) = read(lots.lots_of, product_id=milk, zone="UTC")
    assert (row.code, row.expires_on, row.version) == ("A-2", "", 2)
    assert read(lots.lot_to_edit, lot_id=made.lot_id).code == "A-2"
    assert read(lots.lot_to_edit, lot_id=999_999) is None
    assert trail.last(name="lots.update_lot").outcome == "succeeded"


def test_what_cannot_be_a_lot_is_said(milk):
    lot(milk)
    assert refusal(Invalid, lot, milk, "l1").fields == {"code": "This product has a lot of this code."}
    assert set(refusal(Invalid, lot, milk, " ", expires_on=date(1800, 1, 1)).fields) == {"code", "expires_on"}
    assert str(refusal(Conflict, lot, product("BOLT", name="Bolt").id)) == (
        "Bolt is not kept by lot. Correct the product first."
    )
    gone = product("OLD", name="Old", lots_kept=True, active=False).id
    assert str(refusal(Conflict, lot, gone)) == "Old is archived. Restore it first."
    refusal(NotFound, lot, 999_999)
    refusal(NotFound, correct, 999_999)
    # Of another product the same code is another lot.
    lot(product("CREAM", lots_kept=True).id or 0)


def test_the_second_editor_of_a_lot_reads_it_again(milk):
    made = lot(milk)
    correct(made.lot_id, code="L2")
    assert str(refusal(Stale, correct, made.lot_id, code="L3")) == (
        "Lot L2 was changed after you opened it. Reload the page and read it again."
    )
    refusal(Invalid, correct, made.lot_id, 2, "L2")
    other = lot(milk, "L9")
    assert set(refusal(Invalid, correct, other.lot_id, 1, "L2").fields) == {"code"}


def test_nobody_stops_keeping_lots_while_one_is_added(milk, observer):
    def stop():
        return transact(
            products.update_product, product_id=milk, version=1, name="Milk", unit_code="pcs", lots_kept=False
        )

    nancy = person("nancy", "manager")
    with Side(stop, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(lambda: lot(milk)) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            error = other.error()
    assert isinstance(error, Conflict)
    assert str(error) == "Milk is not kept by lot. Correct the product first."


def test_what_expires_first_stands_first_and_only_what_is_there_is_called_late(milk):
    today = lots.today("UTC")
    days = {"gone": -1, "now": 0, "soon": 30, "later": 31, "empty": -5}
    for code, away in days.items():
        made = lot(milk, code, expires_on=today + timedelta(days=away))
        if code != "empty":
            stocked(milk, made.lot_id, 3)
    lot(milk, "forever")
    assert codes() == ["empty", "gone", "now", "soon", "later", "forever"]
    assert codes(view="soon") == ["now", "soon"]
    assert codes(view="expired") == ["gone"]
    assert codes(stock="no") == ["empty", "forever"]
    assert codes(q="lat") == ["later"]
    assert len(codes(q="milk")) == 6
    for key, column in LIST.columns.items():
        if column.by is not None:
            assert codes(sort=key, dir="desc") == codes(sort=key)[::-1]
    found = read(lots.list_lots, view=LIST.read({}))
    assert (found.everything, found.soon, found.expired) == (6, 2, 1)
    assert {row.code: row.state for row in found.page.rows} == {
        "gone": "expired",
        "empty": "expired",
        "now": "soon",
        "soon": "soon",
        "later": "",
        "forever": "",
    }
    assert {row.code: row.on_hand for row in found.page.rows}["now"] == "3 pcs"


def test_who_may_not_see_stock_is_told_of_none(milk, database):
    add(Lot(product_id=milk, code="L1", expires_on=lots.today("UTC")))
    role("reader", "products:view")
    with acting_as(person("rita", "reader")):
        found = read(lots.list_lots, view=LIST.read({"view": "soon", "stock": "yes"}))
    assert (found.view.filters, found.soon, found.page.rows[0].on_hand) == ({}, 0, "")
    assert "on_hand" not in found.view.columns


# Suppliers' terms


@pytest.mark.parametrize("sort", ["expires_on", "code", "product"])
@pytest.mark.parametrize("way", ["asc", "desc"])
def test_the_pages_of_every_order_hold_every_lot_once_forth_and_back(milk, sort, way):
    today = date(2030, 1, 1)
    rows = [
        Lot(product_id=milk, code=f"L{n:03}", expires_on=today + timedelta(days=n // 2) if n % 5 else None)
        for n in range(60)
    ]
    arrange(lambda session: session.add_all(rows))
    met, cursor = list[list[str]](), ""
    while True:
        page = read(lots.list_lots, view=LIST.read({"sort": sort, "dir": way, "size": "25", "at": cursor})).page
        met.append([row.code for row in page.rows])
        if not page.after:
            break
        cursor = page.after
    assert sorted(code for codes in met for code in codes) == [f"L{n:03}" for n in range(60)]
    back = read(lots.list_lots, view=LIST.read({"sort": sort, "dir": way, "size": "25", "at": page.before})).page
    assert [row.code for row in back.rows] == met[-2]


@pytest.fixture
def acme() -> int:
    return supplier("Acme").id or 0


def terms(**more):
    return transact(supplier_products.create_supplier_product, **more)


def change(terms_id: int, version: int = 1, **more):
    return transact(supplier_products.update_supplier_product, terms_id=terms_id, version=version, **more)


def test_terms_are_entered_by_key_or_by_name_and_shown_on_both_sides(milk, acme):
    made = terms(
        product_id=milk,
        supplier="  ACME ",
        supplier_sku="M-1",
        cost=Decimal("0.8125"),
        purchase_unit="crate",
        pack_size=Decimal(12),
        minimum_quantity=Decimal(24),
        lead_time_days=2,
    )
    assert (made.supplier, made.product) == ("Acme", "Milk")
    (row,) = read(supplier_products.terms, product_id=milk)
    assert (row.ordered_in, row.minimum, row.lead_time, row.cost) == ("crate of 12 pcs", "24 pcs", "2 days", "0.81")
    assert row.typed_cost == "0.8125"
    assert read(supplier_products.terms, supplier_id=acme) == [row]
    product("NUT")
    terms(sku=" nut ", supplier_id=acme, lead_time_days=1)
    assert [row.lead_time for row in read(supplier_products.terms, supplier_id=acme)] == ["2 days", "1 day"]


def test_terms_are_corrected_and_switched_off(milk, acme):
    made = terms(product_id=milk, supplier_id=acme, cost=Decimal(2))
    change(made.id, pack_size=Decimal(6))
    (row,) = read(supplier_products.terms, product_id=milk)
    assert (row.cost, row.pack_size, row.active, row.version) == ("2.00", "6", True, 2)
    change(made.id, 2, pack_size=Decimal(6), active=False, cost=Decimal(3))
    (row,) = read(supplier_products.terms, product_id=milk)
    assert (row.active, row.cost) == (False, "3.00")
    assert "were changed after you opened them" in str(refusal(Stale, change, made.id))
    assert "Nothing was changed" in str(refusal(Invalid, change, made.id, 3, pack_size=Decimal(6), active=False))
    refusal(NotFound, change, 999_999)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"supplier": "Nobody"}, "supplier"),
        ({"product_id": None, "sku": "NONE"}, "sku"),
        ({"pack_size": Decimal(0)}, "pack_size"),
        ({"pack_size": Decimal("1.5")}, "pack_size"),
        ({"minimum_quantity": Decimal(-1)}, "minimum_quantity"),
        ({"lead_time_days": -1}, "lead_time_days"),
        ({"lead_time_days": 731}, "lead_time_days"),
        ({"cost": Decimal(-1)}, "cost"),
        ({"cost": Decimal("0.12345")}, "cost"),
        ({"supplier_sku": "x" * 61}, "supplier_sku"),
    ],
)
def test_what_cannot_be_agreed_is_said_beside_its_field(milk, acme, wrong, field):
    given = {"product_id": milk, "supplier": "Acme"} | wrong
    assert set(refusal(Invalid, lambda: terms(**given)).fields) == {field}


def test_a_supplier_has_one_set_of_terms_for_a_product_in_use(milk, acme):
    terms(product_id=milk, supplier_id=acme)
    assert str(refusal(Conflict, lambda: terms(product_id=milk, supplier_id=acme))) == (
        "Acme's terms for Milk are there already. Correct those."
    )
    gone = product("OLD", name="Old", active=False).id
    assert "is archived" in str(refusal(Conflict, lambda: terms(product_id=gone, supplier_id=acme)))


def test_who_may_not_see_costs_is_shown_none_and_sets_none(milk, acme, database):
    made = terms(product_id=milk, supplier_id=acme, cost=Decimal(2))
    role("keeper", "products:view", "products:manage")
    with acting_as(person("kim", "keeper")):
        (row,) = read(supplier_products.terms, product_id=milk)
        assert (row.cost, row.typed_cost) == ("", "")
        assert read(supplier_products.terms, supplier_id=acme) == []
        refusal(NotAllowed, lambda: change(made.id, cost=Decimal(1)))
        change(made.id, lead_time_days=4)
        refusal(NotAllowed, lambda: terms(sku="X", supplier_id=acme, cost=Decimal(1)))
    (row,) = read(supplier_products.terms, product_id=milk)
    assert (row.cost, row.lead_time) == ("2.00", "4 days")
