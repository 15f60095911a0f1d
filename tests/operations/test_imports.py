"""Importing: all of a file or nothing, in one operation, and every fault by row and column."""

from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from inventory_app.context import Actor, acting_as
from inventory_app.errors import Conflict, Invalid, InvalidRows, NotAllowed, NotSignedIn
from inventory_app.models.catalog import Category, Location, Product, ProductPrice
from inventory_app.models.stock import InventoryItem, StockMovement
from inventory_app.models.suppliers import ImportBatch, Supplier
from inventory_app.operations import dashboard, imports, suppliers
from inventory_app.operations._import_previews import will_be_due
from inventory_app.operations.books import books_balance
from inventory_app.operations.imports import IMPORTS, PERMISSIONS, PREVIEWS, AlreadyImported, read_file
from inventory_app.unit_of_work import open_session, read, transact
from tests.factories import add, arrange, person, supplier
from tests.fixtures.seeing import Side, before_commit, locks_waited_for, wait_until_blocked

CLI = Actor(kind="cli", name="cli:root")
SUPPLIERS = (
    "SupplierID,CompanyName,ContactName,Country\n"
    "8,Specialty Biscuits,Peter Wilson,UK\n"
    "9,PB Knäckebröd AB,Lars Peterson,Sweden\n"
)
PRODUCTS = (
    "ProductID,ProductName,SupplierID,CategoryID,QuantityPerUnit,UnitPrice,UnitsInStock,UnitsOnOrder,ReorderLevel,"
    "Discontinued\n"
    "1,Chai,8,1,10 boxes x 30 bags,18,39,0,10,1\n"  # discontinued
    "22,Gustaf's Knäckebröd,9,5,24 - 500 g pkgs.,21,104,0,25,0\n"
    "2,Chang,8,1,24 - 12 oz bottles,19.3333,17,40,25,0\n"  # low
    "5,Gumbo,8,2,36 boxes,21.35,0,0,0,1\n"  # discontinued, none there
    "8,Cranberry,8,2,12 - 12 oz jars,40,0,0,0,0\n"  # none there, not reordered
    "9,Scones,8,2,24 pkgs.,10,25,0,25,0\n"  # at its level
)
CATEGORIES = "CategoryID,CategoryName\n1,Beverages\n2,Condiments\n9,Spices\n"


def file_of(kind, text, name=""):
    return read_file(kind, text.encode(), name or f"{kind}.csv")


def bring_in(kind, text, name=""):
    return transact(IMPORTS[kind], file=file_of(kind, text, name))


def look(kind, text):
    return read(PREVIEWS[kind], file=file_of(kind, text))


def faults(kind, text):
    """Return what preview and import say is wrong; both must say the same."""
    shown = [f"{fault.row} {fault.column}: {fault.sentence}" for fault in look(kind, text).faults]
    with pytest.raises(InvalidRows) as caught:
        bring_in(kind, text)
    assert [f"{row} {column}: {sentence}" for row, column, sentence in caught.value.rows] == shown
    return shown


def rows(model, *order):
    with open_session() as session:
        return session.exec(select(model).order_by(*(order or [model.id]))).all()


def by_sku(model=Product):
    return {row.sku: row for row in rows(model)}


# Suppliers


def test_imported_suppliers_wait_and_whoever_imports_them_cannot_approve_them(ann):
    with acting_as(ann):
        done = bring_in("suppliers", SUPPLIERS)
        assert done.sentence == "Imported 2 suppliers. They wait for approval."
        found = rows(Supplier)
        assert [(row.external_id, row.name, row.status, row.source) for row in found] == [
            ("8", "Specialty Biscuits", "pending", "import"),
            ("9", "PB Knäckebröd AB", "pending", "import"),
        ]
        assert found[1].sort_key == "pb knackebrod ab"
        assert {row.entered_by for row in found} == {ann.id}
        assert all(row.submitted_at and row.version == 1 for row in found)
        with pytest.raises(NotAllowed, match="You entered this supplier"):
            transact(suppliers.approve_supplier, supplier_id=found[0].id, reason="We know them.")


def test_suppliers_imported_from_the_command_line_were_entered_by_nobody(database):
    with acting_as(CLI):
        bring_in("suppliers", SUPPLIERS)
    assert {row.entered_by for row in rows(Supplier)} == {None}
    assert rows(ImportBatch)[0].imported_by == "cli:root"


def test_it_refuses_suppliers_whose_name_or_number_is_there_already(ann):
    supplier("specialty BISCUITS")
    supplier("Old", external_id="9")
    with acting_as(ann):
        assert faults("suppliers", SUPPLIERS + "9,Acme,,\n10,ACME,,\n11,,,\n,Nameless number,,\n") == [
            "2 CompanyName: A supplier named Specialty Biscuits exists already.",
            "3 SupplierID: The number 9 belongs to Old, who was imported before.",
            "4 SupplierID: 9 is already in row 3.",
            "4 SupplierID: The number 9 belongs to Old, who was imported before.",
            "5 CompanyName: ACME is already in row 4.",
            "6 CompanyName: Please fill this in.",
        ]
    assert len(rows(Supplier)) == 2
    assert not rows(ImportBatch)


# Categories


def test_a_file_of_categories_names_those_that_came_as_numbers(ann):
    with acting_as(ann):
        bring_in("suppliers", SUPPLIERS)
        bring_in("products", PRODUCTS)
        assert [row.name for row in rows(Category, Category.code)] == ["Category 1", "Category 2", "Category 5"]
        assert [figure.figure for figure in look("categories", CATEGORIES).figures] == ["3", "1", "2"]
        done = bring_in("categories", CATEGORIES)
        assert done.sentence == "Imported 3 categories. 1 are new, 2 got their name."
        named = [(row.code, row.name, row.sort_key) for row in rows(Category, Category.code)]
        assert named == [
            ("1", "Beverages", "beverages"),
            ("2", "Condiments", "condiments"),
            ("5", "Category 5", "category 5"),
            ("9", "Spices", "spices"),
        ]
        again = bring_in("categories", CATEGORIES + "10,Fish\n", "more.csv")
        assert again.sentence.endswith("1 are new, 0 got their name.")
        assert faults("categories", "code,name\n1,Drinks\n1,Beverages\n,Nothing\n") == [
            "2 code: The category 1 exists already and is called Beverages.",
            "3 code: 1 is already in row 2.",
            "4 code: Please fill this in.",
        ]


# Products


def test_products_come_in_with_price_supplier_category_and_opening_stock(ann, trail):
    with acting_as(ann):
        bring_in("suppliers", SUPPLIERS)
        done = bring_in("products", PRODUCTS)
    assert done.sentence == "Imported 6 products. 185 pcs at Main warehouse, worth 3,464.67 USD."
    product = by_sku()["NW-22"]
    assert (product.name, product.sort_key) == ("Gustaf's Knäckebröd", "gustaf's knackebrod")
    assert product.search == "nw-22 gustaf's knackebrod"
    assert (product.unit_code, product.unit_price, product.unit_cost, product.currency) == ("pcs", 21, 21, "USD")
    assert (product.description, product.reorder_point, product.active) == ("24 - 500 g pkgs.", 25, True)
    assert product.supplier_id == {row.external_id: row.id for row in rows(Supplier)}["9"]
    assert product.category_id == {row.code: row.id for row in rows(Category)}["5"]
    assert not by_sku()["NW-1"].active
    assert [(row.old_price, row.new_price, row.reason) for row in rows(ProductPrice)][1] == (None, 21, "First price")
    items = {row.product_id: row for row in rows(InventoryItem)}
    assert len(items) == 6
    assert (items[product.id].quantity, items[product.id].sequence, items[product.id].changed_by) == (104, 1, "ann")
    movements = rows(StockMovement)
    assert len(movements) == 4
    assert {(row.kind, row.reason_code, row.operation_id) for row in movements} == {
        ("receipt", "opening", trail.last().id)
    }
    low = next(row for row in movements if row.item_id == items[by_sku()["NW-2"].id].id)
    assert (low.unit_cost, low.value) == (Decimal("19.3333"), Decimal("328.6661"))
    with open_session() as session:
        assert not books_balance(session)


def test_an_import_is_one_operation_with_all_its_changes(ann, trail):
    with acting_as(ann):
        bring_in("suppliers", SUPPLIERS)
        bring_in("products", PRODUCTS, "stock.csv")
    header = trail.last()
    assert (header.name, header.outcome, header.actor_name) == ("imports.import_products", "succeeded", "ann")
    changed = [change.table for change in trail.changes()]
    assert {table: changed.count(table) for table in changed} == {
        "import_batch": 1,
        "category": 3,
        "product": 6,
        "product_price": 6,
        "inventory_item": 6,
        "stock_movement": 4,
    }
    batch = rows(ImportBatch)[-1]
    assert (batch.kind, batch.file_name, batch.row_count, batch.imported_by) == ("products", "stock.csv", 6, "ann")


def test_the_reorder_list_after_the_import_is_what_the_preview_said(ann):
    with acting_as(ann):
        bring_in("suppliers", SUPPLIERS)
        shown = look("products", PRODUCTS)
        bring_in("products", PRODUCTS)
    figures = {figure.label: (figure.figure, figure.meaning) for figure in shown.figures}
    assert figures["To reorder"][0] == "2"
    assert figures["Worth"] == ("3,464.67", "USD at unit price")
    assert "5 of 6 rows are at or below their reorder level in the file, 2 will be" not in shown.warnings[0]
    assert shown.warnings[0].startswith("4 of 6 rows are at or below their reorder level in the file, 2 will be on")
    with open_session() as session:
        due = set(session.scalars(dashboard.reorder_due()))
    file = file_of("products", PRODUCTS)
    assert due == {by_sku()[row.new.sku].id for row in file.rows if will_be_due(row)}
    assert {sku for sku, row in by_sku().items() if row.id in due} == {"NW-2", "NW-9"}


def test_the_preview_says_what_is_assumed_and_shows_the_first_rows(ann):
    with acting_as(ann):
        bring_in("suppliers", SUPPLIERS)
        shown = look("products", PRODUCTS)
    assert (shown.ready, shown.refusal, shown.faults, shown.counted) == (True, "", [], "6 products")
    notices = " ".join(shown.notices)
    assert "Not imported, because there is no place for it here: UnitsOnOrder." in notices
    assert "valued at the unit price" in notices
    assert "3 categories are made: Category 1, Category 2, Category 5." in notices
    first = shown.first_rows[0]
    assert (first.row, first.key, first.where, first.quantity, first.unit, first.price, first.state) == (
        *(2, "NW-1", "Specialty Biscuits", "39", "pcs", "18.00"),
        "Discontinued",
    )


def test_a_file_with_costs_several_units_and_names_is_read_as_it_says(ann):
    acme = supplier("Acme")
    herbs = add(Category(code="H", name="Herbs"))
    text = (
        "sku,name,unit,category,supplier,unit_cost,unit_price,quantity,barcode,currency\n"
        "a-1,Salt,kg,h,ACME,1.5,2,0.125,4006381333931,usd\n"
        "b-1,Oregano,pcs,herbs,,,3,4,,\n"
        "c-1,Mystery,pcs,New things,acme,0,0,0,,\n"
        "d-1,Pepper,pcs,new THINGS,,1,1,1,,\n"
    )
    with acting_as(ann):
        shown = look("products", text)
        bring_in("products", text)
    products = by_sku()
    assert [figure.figure for figure in shown.figures if figure.label == "On hand"] == ["5", "0.125"]
    assert "1 of 4 rows have no cost" in " ".join(shown.notices)
    assert "1 category is made: New things." in " ".join(shown.notices)
    assert shown.warnings[-1] == "1 of 4 rows have no price or a price of 0."
    assert (products["A-1"].supplier_id, products["A-1"].category_id) == (acme.id, herbs.id)
    assert (products["A-1"].unit_code, products["A-1"].barcode) == ("kg", "4006381333931")
    assert products["A-1"].search == "a-1 salt 4006381333931"
    assert (products["A-1"].unit_cost, products["B-1"].unit_cost) == (Decimal("1.5"), 3)
    assert products["B-1"].category_id == herbs.id
    assert products["C-1"].category_id == products["D-1"].category_id not in (None, herbs.id)
    with open_session() as session:
        assert not books_balance(session)


def test_products_without_stock_or_categories_come_in_alone(ann):
    with acting_as(ann):
        shown = look("products", "sku,name,unit_cost\nA,Salt,1\n")
        done = bring_in("products", "sku,name,unit_cost\nA,Salt,1\n")
    assert done.sentence == "Imported 1 product. 0 pcs at Main warehouse, worth 0.00 USD."
    assert shown.figures[0].meaning == "all in use"
    assert shown.notices == []
    assert not rows(StockMovement)
    assert len(rows(InventoryItem)) == 1


def test_it_refuses_products_with_everything_that_is_wrong_by_row_and_column(ann):
    supplier("Twin", external_id="7")
    supplier("Other twin", external_id="7")
    add(Category(code="A", name="Herbs"))
    add(Category(code="B", name="herbs"))
    add(Product(sku="USED", name="Old", currency="USD", search="used"))
    text = (
        "sku,name,unit,category,SupplierID,supplier,currency,UnitPrice,quantity,reorder point\n"
        "used,Salt,,,,,,1,1,1\n"
        "B,Salt,lb,,,,,1,1,1\n"
        "b,Salt,,,,,,1,1.5,0.5\n"
        "C,Salt,kg,HERBS,,,,1,1.5,0.5\n"
        "D,Salt,,,7,Nobody,EUR,1,1,1\n"
        "E,Salt,,,99,,,nothing,-1,1\n"
        "F,Salt,,,,,,9999999999,9999999999,1\n"
        ",Salt,,,,,,1,1,1\n"
    )
    with acting_as(ann):
        assert faults("products", text) == [
            "2 sku: USED is in use already. SKUs are never used twice.",
            "3 unit: lb is no unit here. Use one of box, cs, kg, l, m, pcs, pkg.",
            "4 quantity: pcs are counted with whole numbers only.",
            "4 reorder point: pcs are counted with whole numbers only.",
            "4 sku: B is already in row 3.",
            "5 category: 2 categories are called HERBS. Use the code of one of them.",
            "6 SupplierID: 2 suppliers have the number 7.",
            "6 currency: Prices here are in USD, not in EUR.",
            "6 supplier: There is no supplier named Nobody. Import or enter it first.",
            "7 SupplierID: There is no supplier with the number 99. Import the suppliers first.",
            "7 UnitPrice: Enter a number such as 12 or 12.5.",
            "7 quantity: Enter 0 or more.",
            "8 quantity: This much stock at this price is too large a value.",
            "9 sku: Please fill this in.",
        ]
        assert look("products", text).refusal == "8 of 8 rows cannot be imported, so none will be."
    assert len(rows(Product)) == 1
    assert not rows(InventoryItem)


def test_it_refuses_while_the_default_location_is_closed(ann):
    def close(session: Session) -> None:
        session.exec(select(Location)).one().active = False

    arrange(close)
    with acting_as(ann), pytest.raises(Invalid, match="Main warehouse is closed"):
        bring_in("products", "sku,name\nA,Salt\n")


def test_the_default_location_is_made_when_there_is_none(ann):
    def rename(session: Session) -> None:
        session.exec(select(Location)).one().code = "OTHER"

    arrange(rename)
    with acting_as(ann):
        assert look("products", "sku,name,quantity\nA,Salt,1\n").figures[1].meaning == "at Main warehouse"
        bring_in("products", "sku,name,quantity\nA,Salt,1\n")
    assert {row.code for row in rows(Location)} == {"OTHER", "MAIN"}


# Once


def test_the_same_file_is_recognised_whatever_its_name(ann):
    with acting_as(ann):
        bring_in("suppliers", SUPPLIERS)
        shown = look("suppliers", SUPPLIERS)
        assert not shown.ready
        assert not shown.faults
        assert shown.refusal.startswith("This file was imported on ")
        assert shown.refusal.endswith(" UTC by ann.")
        with pytest.raises(AlreadyImported, match="by ann"):
            bring_in("suppliers", SUPPLIERS, "another name.csv")
        with pytest.raises(AlreadyImported):
            bring_in("suppliers", SUPPLIERS)
    assert len(rows(Supplier)) == 2
    assert len(rows(ImportBatch)) == 1


def test_two_people_with_one_file_at_once_import_it_once(ann, observer):
    nancy = person("nancy", "manager")
    with acting_as(ann), Side(lambda: bring_in("suppliers", SUPPLIERS), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(lambda: bring_in("suppliers", SUPPLIERS)) as other:
            waiting = wait_until_blocked(observer, holder)
            assert locks_waited_for(observer, waiting) == [("advisory", "ExclusiveLock")]
            one.go_on()
            assert isinstance(other.error(), AlreadyImported)
            assert "by ann" in str(other.error())
        assert one.error() is None
    assert len(rows(Supplier)) == 2


def test_the_database_itself_takes_a_file_once(database):
    def twice(session: Session) -> None:
        batch = {"kind": "suppliers", "file_name": "a", "file_hash": "x", "row_count": 1, "imported_by": "ann"}
        session.add_all([ImportBatch(**batch), ImportBatch(**batch)])

    with pytest.raises(Conflict, match="This file has been imported before"):
        arrange(twice)


def test_a_refusal_in_the_middle_leaves_nothing(ann, trail):
    supplier("Acme")
    with acting_as(ann), pytest.raises(InvalidRows) as caught:
        bring_in("suppliers", "name\nNew one\nAcme\n")
    assert str(caught.value) == "1 of 2 rows cannot be imported, so none was:"
    assert [row.name for row in rows(Supplier)] == ["Acme"]
    assert not rows(ImportBatch)
    assert (trail.last().name, trail.last().outcome) == ("imports.import_suppliers", "failed")
    with acting_as(ann):
        bring_in("suppliers", "name\nNew one\n")


# Who may


@pytest.mark.parametrize("kind", PERMISSIONS)
def test_only_who_holds_the_permission_looks_and_imports(kind, bob, stranger, trail):
    text = {"suppliers": SUPPLIERS, "categories": CATEGORIES, "products": "sku,name\nA,B\n"}[kind]
    for actor, refusal in ((bob, NotAllowed), (stranger, NotSignedIn), (person("emma", "employee"), NotAllowed)):
        with acting_as(actor):
            with pytest.raises(refusal):
                look(kind, text)
            with pytest.raises(refusal):
                bring_in(kind, text)
            assert trail.last().outcome == "denied"
    with acting_as(bob), pytest.raises(NotAllowed):
        read(imports.imported_files)
    assert not rows(ImportBatch)


def test_imported_files_are_listed_newest_first(ann, ada):
    with acting_as(ann):
        bring_in("suppliers", SUPPLIERS, "first.csv")
        bring_in("products", "sku,name\nA,B\n", "second.csv")
    with acting_as(ada):
        found = read(imports.imported_files)
        assert [(row.file_name, row.what, row.rows, row.by, row.username) for row in found] == [
            ("second.csv", "Products", 1, "Ann", "ann"),
            ("first.csv", "Suppliers", 2, "Ann", "ann"),
        ]
        assert found[0].at_text.endswith(" UTC")
        assert [row.file_name for row in read(imports.imported_files, most=1)] == ["second.csv"]


# Whatever is in the rows

SERIAL = count()


def mostly(good, bad):
    """Choose a good value eleven times out of twelve or so, whatever the number of bad ones."""
    return st.integers(0, 11).flatmap(lambda n: bad if n == 0 else good)


number = mostly(
    st.sampled_from(["", "0", "1", "2"]), st.sampled_from(["1.5", "0.0001", "9999999999", "-1", "x", "1,234"])
)
row = st.tuples(
    st.sampled_from(["A", "B", "a b", "ÄÖ", "ß"]),
    mostly(st.sampled_from(["Salt", "Gustaf's Knäckebröd", "=1+1", "'; DROP", "塩"]), st.sampled_from(["", "\u202e"])),
    mostly(st.sampled_from(["", "kg", "PCS"]), st.just("lb")),
    mostly(st.sampled_from(["", "1", "Herbs", "HERBS"]), st.text(max_size=4)),
    mostly(st.sampled_from(["", "8"]), st.just("99")),
    *[number] * 4,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(row, min_size=1, max_size=4))
def test_what_the_preview_lets_through_is_imported_and_the_rest_leaves_nothing(drawn, database):
    serial = next(SERIAL)
    if not rows(Supplier):
        supplier("Acme", external_id="8")
    names = "sku,name,unit,category,SupplierID,unit_cost,UnitPrice,quantity,reorder_point"
    lines = [
        ",".join('"' + cell.replace('"', '""') + '"' for cell in (f"{each[0]}{serial}", *each[1:])) for each in drawn
    ]
    text = "\n".join([names, *lines])
    before = len(rows(Product))
    with acting_as(CLI):
        shown = look("products", text)
        if shown.ready:
            bring_in("products", text)
        else:
            with pytest.raises((InvalidRows, AlreadyImported)):
                bring_in("products", text)
    assert len(rows(Product)) == before + (len(drawn) if shown.ready else 0)
    with open_session() as session:
        assert not books_balance(session)
