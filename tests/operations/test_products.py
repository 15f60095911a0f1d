"""Products: what can be entered, corrected and archived, and what a person reads who is refused."""

from datetime import timedelta
from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from inventory_app.models._base import now
from inventory_app.models.catalog import Category
from inventory_app.models.stock import Reservation, Shipment
from inventory_app.operations import products, stock
from inventory_app.operations._barcodes import as_scanned, check_digit, fault_of
from inventory_app.operations._lists import View
from inventory_app.operations._product_list import LIST
from inventory_app.unit_of_work import read, transact
from tests.factories import add, item, location, person, product, role, supplier
from tests.fixtures.seeing import Side, before_commit, locks_waited_for, wait_until_blocked
from tests.operations.shelf import adjust, refusal, shelf


@pytest.fixture(autouse=True)
def as_ann(ann):
    """Let the manager do it."""
    with acting_as(ann):
        yield ann


@pytest.fixture
def nancy(database):
    """Return a second manager."""
    return person("nancy", "manager")


def create(sku: str = "BOLT", **more):
    return transact(products.create_product, **({"sku": sku, "name": "Bolt"} | more))


def update(product_id: int, version: int = 1, **more):
    fields = {"name": "Bolt", "unit_code": "pcs"} | more
    return transact(products.update_product, product_id=product_id, version=version, **fields)


def archive(product_id: int, version: int = 1, **more):
    return transact(products.archive_product, product_id=product_id, version=version, **more)


def detail(product_id: int):
    return read(products.product_detail, product_id=product_id)


def skus(**view) -> list[str]:
    return [row.sku for row in read(products.list_products, view=LIST.read(view)).page.rows]


# Barcodes


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("4006381333931", "4006381333931"),
        (" 4 006381 333931 ", "4006381333931"),
        ("4-006381-333931", "4006381333931"),
        ("036000291452", "0036000291452"),
        ("0036000291452", "0036000291452"),
        ("04006381333931", "4006381333931"),
        ("14006381333938", "14006381333938"),
        ("96385074", "96385074"),
        ("SHELF-12", "SHELF-12"),
        ("12345", "12345"),
        ("bolt 12", "bolt 12"),
        ("", ""),
    ],
)
def test_a_barcode_is_kept_one_way_however_it_was_scanned(typed, kept):
    assert as_scanned(typed) == kept
    assert as_scanned(kept) == kept
    assert fault_of(kept) == ""


@pytest.mark.parametrize("digits", ["9638507", "03600029145", "400638133393", "1400638133393"])
def test_every_wrong_last_digit_is_found(digits):
    right = check_digit(digits)
    wrong = [last for last in range(10) if fault_of(as_scanned(f"{digits}{last}"))]
    assert wrong == [last for last in range(10) if last != right]


def test_a_wrong_digit_is_said_with_the_right_one():
    error = refusal(Invalid, create, barcode="4006381333932")
    assert error.fields["barcode"] == (
        "One digit is wrong: a barcode that begins so ends in 1, not in 2. Scan it, or compare it digit by digit."
    )


@pytest.mark.parametrize("barcode", ["x" * 61, "AB\u200bC", "AB\u2028C"])
def test_a_code_no_scanner_sends_is_refused(barcode):
    assert "barcode" in refusal(Invalid, create, barcode=barcode).fields


def test_a_product_is_found_by_its_barcode_however_it_is_scanned():
    made = create(barcode="036000291452")
    for scanned in ("036000291452", "0036000291452", "0 36000 29145 2"):
        assert read(products.find_by_barcode, text=scanned) == made
    assert read(products.find_by_barcode, text="96385074") is None
    assert read(products.find_by_barcode, text="") is None


def test_a_barcode_belongs_to_one_product():
    create(barcode="96385074")
    error = refusal(Invalid, create, "NUT", barcode="9638-5074")
    assert error.fields == {"barcode": "Bolt (BOLT) has this barcode."}


def test_of_two_who_give_one_barcode_at_once_the_second_is_refused(nancy, observer):
    with Side(lambda: create(barcode="96385074"), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(lambda: create("NUT", barcode="96385074")) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            error = other.error()
    assert isinstance(error, Conflict)
    assert str(error) == "Another product has this barcode."


# Adding and correcting


def test_a_product_can_be_added_without_stock_and_is_in_the_trail(trail):
    category = add(Category(code="TOOLS", name="Tools"))
    firm = supplier("Acme")
    made = create(
        " bolt ",
        name=" Bolt ",
        category_id=category.id,
        supplier="acme",
        barcode="96385074",
        lots_kept=True,
        unit_price=Decimal("2.5"),
        reorder_point=Decimal(5),
    )
    found = detail(made.product_id)
    assert (found.sku, found.name, found.category, found.supplier) == ("BOLT", "Bolt", "Tools", "Acme")
    assert (found.barcode, found.lots_kept, found.unit_price, found.on_hand) == ("96385074", True, "2.50", "0 pcs")
    assert (found.level, found.supplier_href) == ("out", f"/suppliers/{firm.id}")
    assert {change.table for change in trail.changes()} == {"product", "product_price"}
    assert found.changed_by == "Ann"
    assert read(products.find_by_barcode, text="96385074") == made
    assert skus(q="96385074") == ["BOLT"]


def test_who_may_not_see_prices_sets_none(database):
    role("keeper", "products:view", "products:manage")
    with acting_as(person("kim", "keeper")):
        refusal(NotAllowed, create, unit_cost=Decimal(1))
        made = create()
        found = detail(made.product_id)
    assert (found.unit_cost, found.unit_price, found.value, found.on_hand) == ("", "", "", "")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"category_id": 999}, "Choose a category of the list."),
        ({"supplier": "Nobody"}, "There is no supplier of this name. Choose one of those offered."),
        ({"unit_code": "furlong"}, "Choose a unit of the list."),
        ({"barcode": "4006381333932"}, None),
        ({"reorder_point": Decimal(-1)}, "Enter 0 or more."),
        ({"reorder_quantity": Decimal("NaN")}, "Enter 0 or more."),
        ({"reorder_point": Decimal("1.5")}, "pcs are counted with whole numbers only."),
        ({"name": " "}, None),
    ],
)
@pytest.mark.parametrize("how", [create, update])
def test_what_cannot_be_is_said_beside_its_field(how, wrong, sentence):
    field = next(iter(wrong))
    first = product("OLD").id or 0
    error = refusal(Invalid, *((create,) if how is create else (update, first)), **wrong)
    assert set(error.fields) == {field}
    assert sentence is None or error.fields[field] == sentence


def test_a_closed_category_is_not_chosen_anew_and_stays_where_it_was():
    category = add(Category(code="OLD", name="Old", active=False)).id
    mine = product("BOLT", category_id=category).id or 0
    update(mine, name="Nut", category_id=category)
    assert detail(mine).category == "Old"
    assert "category_id" in refusal(Invalid, create, "NUT", category_id=category).fields


def test_a_correction_is_found_and_leaves_prices_alone(trail):
    mine = product("BOLT", unit_price=Decimal(3), barcode="96385074").id or 0
    update(mine, name="Wing nut", barcode="", reorder_point=Decimal(4), reason="Wrong name")
    found = detail(mine)
    assert (found.name, found.barcode, found.reorder_point, found.version) == ("Wing nut", "", "4 pcs", 2)
    assert skus(q="wing") == ["BOLT"]
    assert skus(q="96385074") == []
    (change,) = trail.changes()
    assert not change.before.keys() & {"unit_price", "unit_cost"}
    assert trail.last().reason == "Wrong name"


def test_nothing_changed_is_no_correction():
    mine = product("BOLT", name="Bolt").id or 0
    assert str(refusal(Invalid, update, mine)) == "Nothing was changed: everything is already as entered."


def test_the_second_editor_reads_it_again():
    mine = product("BOLT").id or 0
    update(mine, name="Nut")
    for change in (lambda: update(mine, name="Screw"), lambda: archive(mine)):
        assert str(refusal(Stale, change)) == (
            "Nut was changed after you opened it. Reload the page and read it again."
        )
    refusal(NotFound, update, 999_999)


def test_of_two_editors_at_once_the_second_waits_and_is_refused(nancy, observer):
    mine = product("BOLT").id or 0
    with Side(lambda: update(mine, name="Nut"), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(lambda: update(mine, name="Screw")) as other:
            waiter = wait_until_blocked(observer, by=holder)
            assert locks_waited_for(observer, waiter) == [("transactionid", "ShareLock")]
            one.go_on()
            one.result()
            error = other.error()
    assert isinstance(error, Stale)
    assert detail(mine).name == "Nut"


def test_the_unit_changes_while_nothing_was_booked_in_it():
    mine = product("BOLT", name="Bolt").id or 0
    item(mine)
    update(mine, unit_code="kg")
    there = item(mine, quantity=3)
    error = refusal(Conflict, update, mine, 2, unit_code="pcs")
    assert error.fields["unit_code"] == (
        "Its stock was booked in kg, so the unit stays. Add a new product for another unit."
    )
    adjust(there.id or 0, -3)
    refusal(Conflict, update, mine, 2, unit_code="pcs")


def test_lots_are_kept_or_not_while_there_is_no_stock():
    bolt = shelf(here="3", there="0")
    error = refusal(Conflict, update, bolt.product_id, lots_kept=True)
    assert str(error) == "This is decided while there is no stock. There are 3 pcs at Bolt north."
    adjust(bolt.here, -3)
    update(bolt.product_id, lots_kept=True)
    assert detail(bolt.product_id).lots_kept


# Archiving and restoring


def test_a_product_is_archived_and_restored(trail):
    mine = product("BOLT", name="Bolt").id or 0
    archive(mine, reason="Not sold any more")
    assert not detail(mine).active
    assert (skus(view="active"), skus(view="archived")) == ([], ["BOLT"])
    assert str(refusal(Conflict, archive, mine, 2)) == "Bolt is archived already."
    transact(products.restore_product, product_id=mine, version=2)
    assert detail(mine).active
    assert str(refusal(Conflict, lambda: transact(products.restore_product, product_id=mine, version=3))) == (
        "Bolt is in use already."
    )
    assert [entry.name for entry in trail.operations(outcome="succeeded")][-2:] == [
        "products.archive_product",
        "products.restore_product",
    ]


def test_a_product_with_stock_is_not_archived():
    bolt = shelf(here="10", there="5")
    for number in range(3):
        item(bolt.product_id, location(f"X{number}").id, 1)
    assert str(refusal(Conflict, archive, bolt.product_id)) == (
        "Bolt cannot be archived: There are 10 pcs at Bolt north, 5 pcs at Bolt south, 1 pcs at X0, "
        "and more elsewhere. Move it out or write it off first."
    )


def test_a_product_on_its_way_is_not_archived():
    mine = product("BOLT", name="Bolt").id or 0
    here = item(mine)
    on_the_way = item(mine, location("ROAD", kind="transit").id, 4)
    target = location("SHED")
    add(
        Shipment(
            from_item_id=here.id or 0,
            transit_item_id=on_the_way.id or 0,
            to_location_id=target.id or 0,
            quantity=Decimal(4),
            sent_by="ann",
        )
    )
    assert str(refusal(Conflict, archive, mine)) == (
        "Bolt cannot be archived: 4 pcs are on their way. Accept it first."
    )


def test_its_page_says_what_is_kept_back_until_when_and_leads_to_the_item():
    bolt = product("BOLT", name="Bolt")
    kept = item(bolt.id, location("N", name="North").id, 10)
    until = now() + timedelta(days=2)
    for quantity, more in ((4, {"reference": "Order 7"}), (1, {"note": "For Eve"}), (2, {"released_at": now()})):
        add(
            Reservation(
                item_id=kept.id or 0,
                quantity=Decimal(quantity),
                expires_at=until + timedelta(hours=quantity),
                created_by="ann",
                **more,
            )
        )
    found = detail(bolt.id)
    assert [(row.quantity, row.location, row.reference, row.by) for row in found.kept_back] == [
        ("1 pcs", "North", "For Eve", "Ann"),
        ("4 pcs", "North", "Order 7", "Ann"),
    ]
    assert {row.href for row in (*found.kept_back, *found.kept_at)} == {f"/inventory/{kept.id}"}
    role("lister", "products:view")
    with acting_as(person("cat", "lister")):
        assert detail(bolt.id).kept_back == []


def test_a_product_of_which_some_is_reserved_is_not_archived():
    mine = product("BOLT", name="Bolt").id or 0
    kept = item(mine)
    later = now().replace(year=now().year + 1)
    add(Reservation(item_id=kept.id or 0, quantity=Decimal(1), expires_at=later, created_by="ann"))
    assert str(refusal(Conflict, archive, mine)) == (
        "Bolt cannot be archived: some of it is reserved. Release the reservation first."
    )


def test_archiving_waits_for_a_receipt_and_then_sees_it(nancy, observer):
    bolt = shelf(here="0", there="0")
    with Side(lambda: adjust(bolt.here, 7), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(lambda: archive(bolt.product_id)) as other:
            waiter = wait_until_blocked(observer, by=holder)
            assert locks_waited_for(observer, waiter) == [("transactionid", "ShareLock")]
            one.go_on()
            one.result()
            error = other.error()
    assert isinstance(error, Conflict)
    assert "There are 7 pcs at Bolt north." in str(error)
    assert detail(bolt.product_id).active


def test_what_comes_to_a_new_place_waits_for_archiving(nancy, observer):
    """A product's first item at a place refers to the product, whose row is held."""
    mine, shed = product("BOLT", name="Bolt").id or 0, location("SHED").id or 0

    def receive():
        return transact(stock.create_inventory_item, product_id=mine, location_id=shed, quantity=Decimal(5))

    with Side(receive, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(lambda: archive(mine)) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            error = other.error()
    assert isinstance(error, Conflict)
    assert "There are 5 pcs at Shed." in str(error)


# The list and the page


def test_the_list_says_what_there_is_and_what_it_costs():
    bolt = shelf(here="10", there="5", reorder_point=Decimal(20), unit_price=Decimal("3.2"))
    (row,) = read(products.list_products, view=View()).page.rows
    assert (row.sku, row.on_hand, row.level, row.unit_cost, row.unit_price) == ("BOLT", "15", "low", "2.50", "3.20")
    assert row.href == f"/products/{bolt.product_id}"
    assert skus(view="reorder") == ["BOLT"]
    found = detail(bolt.product_id)
    assert [(place.location, place.quantity) for place in found.kept_at] == [
        ("Bolt north", "10 pcs"),
        ("Bolt south", "5 pcs"),
    ]
    assert (found.on_hand, found.level) == ("15 pcs", "low")


def test_who_may_not_see_prices_or_stock_is_shown_none(database):
    shelf()
    role("reader", "products:view")
    with acting_as(person("rita", "reader")):
        listed = read(products.list_products, view=LIST.read({"sort": "unit_price", "on_hand": "1.."}))
        found = detail(listed.page.rows[0].id)
    assert (listed.view.sort, listed.view.filters) == ("sku", {})
    assert not set(listed.view.columns) & {"on_hand", "unit_cost", "unit_price"}
    (row,) = listed.page.rows
    assert (row.on_hand, row.level, row.unit_cost, row.unit_price, row.fill) == ("", "", "", "", 0)
    assert (found.on_hand, found.value, found.kept_at) == ("", "", [])


def test_every_filter_and_every_order_of_the_list():
    category = add(Category(code="TOOLS", name="Tools"))
    firm = supplier("Acme")
    product("A1", barcode="96385074", lots_kept=True, category_id=category.id)
    item(product("B1", supplier_id=firm.id).id, quantity=12)
    product("C1", active=False)
    assert skus() == ["A1", "B1", "C1"]
    assert skus(category=str(category.id)) == ["A1"]
    assert skus(supplier="acm") == ["B1"]
    assert skus(lots="yes") == ["A1"]
    assert skus(lots="no") == ["B1", "C1"]
    assert skus(barcode="yes") == ["A1"]
    assert skus(barcode="no") == ["B1", "C1"]
    assert skus(on_hand="1..") == ["B1"]
    assert skus(on_hand="..0") == ["A1", "C1"]
    assert skus(view="active") == ["A1", "B1"]
    assert skus(q="tools") == ["A1"]
    for key, column in LIST.columns.items():
        if column.by is not None:
            assert sorted(skus(sort=key)) == ["A1", "B1", "C1"]
            assert skus(sort=key, dir="desc") == skus(sort=key)[::-1]
    assert skus(sort="on_hand") == ["A1", "C1", "B1"]


def test_what_the_form_begins_with_is_what_stands():
    firm = supplier("Acme")
    mine = product("BOLT", supplier_id=firm.id, reorder_point=Decimal("4.000")).id or 0
    found = read(products.product_to_edit, product_id=mine)
    assert (found.values["supplier"], found.values["reorder_point"], found.unit_fixed) == ("Acme", "4", False)
    item(mine, quantity=1)
    assert read(products.product_to_edit, product_id=mine).unit_fixed
    assert read(products.product_to_edit, product_id=999_999) is None
    assert "Acme" in read(products.product_choices).suppliers


def test_what_there_is_to_choose_names_suppliers_for_who_may_see_them_and_nothing_of_no_product(as_ann):
    supplier("Acme", status="approved")
    assert read(products.product_choices).suppliers == ["Acme"]
    assert read(products.product_detail, product_id=999_999) is None
    role("keeper", "products:view", "products:manage")
    with acting_as(person("kim", "keeper")):
        assert read(products.product_choices).suppliers == []
