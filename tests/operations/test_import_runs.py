"""Importing in steps: what a file would do, all of it or nothing, and taking it back as a whole."""

import csv
import io
import itertools
import threading
import zipfile
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
import xlsxwriter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from inventory_app import importing, staging, workbooks
from inventory_app.context import acting_as
from inventory_app.errors import AppError, Conflict, Invalid, NotAllowed, NotFound, NotSignedIn
from inventory_app.http.exports import _pieces, _workbook
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval
from inventory_app.models.catalog import Category, Location, Lot, Product, ProductPrice, SupplierProduct
from inventory_app.models.imports import ImportRun
from inventory_app.models.stock import InventoryItem, ProductStock, StockMovement
from inventory_app.models.suppliers import ImportBatch, Supplier
from inventory_app.operations import (
    _import_staging,
    books,
    exports,
    import_runs,
    import_views,
    reservations,
    stock,
    suppliers,
)
from inventory_app.operations._lists import View
from inventory_app.unit_of_work import open_session, read, transact
from tests.factories import add, arrange, person, role, supplier
from tests.fixtures.seeing import Side, before_commit, locks_waited_for, wait_until_blocked

SUPPLIERS = "SupplierID;CompanyName;Land\n8;Specialty Biscuits;UK\n9;PB Knäckebröd AB;Sweden\n"
PRODUCTS = (
    "ProductID,ProductName,SupplierID,CategoryID,QuantityPerUnit,UnitPrice,UnitsInStock,ReorderLevel,Discontinued\n"
    "1,Chai,8,1,10 boxes x 30 bags,18,39,10,1\n"
    "22,Gustaf's Knäckebröd,9,5,24 - 500 g pkgs.,21,104,25,0\n"
    "2,Chang,8,1,24 - 12 oz bottles,19.3333,17,25,0\n"
    "5,Gumbo,8,2,36 boxes,21.35,0,0,1\n"
)


@pytest.fixture(autouse=True)
def _data_dir(configure, tmp_path):
    configure(INVENTORY_DATA_DIR=str(tmp_path))


def send(kind, content, name="file.csv"):
    key, path = staging.new_file()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return importing.take(kind, key, name)


def look(run):
    return read(import_views.run_of, run_id=run)


def checked(kind, content, rule="update", **columns):
    """Send a file, read it as guessed, and return its run once it was checked."""
    run = send(kind, content)
    mapping = {one.field: one.column for one in look(run).choices if one.column >= 0} | columns
    importing.check(run, mapping, rule).result()
    return look(run)


def counts(run):
    return run.new_rows, run.changed_rows, run.same_rows, run.faulty_rows


def faults(run):
    return [f"{one.row} {one.column}: {one.sentence}" for one in read(import_views.faults_of, run_id=run.id)]


def bring_in(kind, content, rule="update"):
    run = checked(kind, content, rule)
    assert (run.status, faults(run)) == ("checked", [])
    importing.apply(run.id).result()
    done = look(run.id)
    assert (done.status, done.problem) == ("applied", "")
    return done


def rows(model):
    with open_session() as session:
        return session.exec(select(model).order_by(model.id)).all()


def by_sku():
    return {row.sku: row for row in rows(Product)}


def on_hand():
    with open_session() as session:
        found = session.exec(select(Product.sku, InventoryItem.quantity).join(InventoryItem))
        return dict(found.all())


def balanced():
    with open_session() as session:
        return not books.books_balance(session)


# What comes in


def test_products_come_in_with_price_supplier_category_and_opening_stock(ann, trail):
    with acting_as(ann):
        bring_in("suppliers", SUPPLIERS)
        run = bring_in("products", PRODUCTS)
    assert counts(run) == (4, 0, 0, 0)
    product = by_sku()["NW-22"]
    assert (product.name, product.sort_key) == ("Gustaf's Knäckebröd", "gustaf's knackebrod")
    assert product.search == "nw-22 gustaf's knackebrod"
    assert (product.unit_code, product.unit_price, product.unit_cost, product.currency) == ("pcs", 21, 21, "USD")
    assert (product.description, product.reorder_point, product.active) == ("24 - 500 g pkgs.", 25, True)
    assert product.supplier_id == {row.external_id: row.id for row in rows(Supplier)}["9"]
    assert {row.code: row.name for row in rows(Category)} == {"1": "Category 1", "2": "Category 2", "5": "Category 5"}
    assert not by_sku()["NW-1"].active
    assert {(row.old_price, row.reason) for row in rows(ProductPrice)} == {(None, "First price")}
    assert on_hand() == {"NW-1": 39, "NW-22": 104, "NW-2": 17, "NW-5": 0}
    movements = rows(StockMovement)
    assert {(row.kind, row.reason_code, row.operation_id) for row in movements} == {
        ("receipt", "opening", trail.last().id)
    }
    assert sorted(row.value for row in movements) == [Decimal("328.6661"), Decimal("702.0000"), Decimal("2184.0000")]
    header = trail.last()
    assert (header.name, header.outcome, header.actor_name) == ("import_runs.apply_import", "succeeded", "ann")
    changed = [change.table for change in trail.changes()]
    assert {table: changed.count(table) for table in changed} == {
        "import_batch": 1,
        "category": 3,
        "product": 4,
        "product_price": 4,
        "inventory_item": 4,
        "stock_movement": 3,
    }
    assert balanced()


def test_imported_suppliers_wait_and_whoever_imports_them_cannot_approve_them(ann):
    with acting_as(ann):
        bring_in("suppliers", SUPPLIERS)
        found = rows(Supplier)
        assert [(row.external_id, row.country, row.status, row.source, row.entered_by) for row in found] == [
            ("8", "UK", "pending", "import", ann.id),
            ("9", "Sweden", "pending", "import", ann.id),
        ]
        with pytest.raises(NotAllowed, match="You entered this supplier"):
            transact(suppliers.approve_supplier, supplier_id=found[0].id, reason="We know them.")


def test_what_is_known_is_updated_only_where_it_differs_and_empty_cells_change_nothing(ann):
    supplier("Acme")
    with acting_as(ann):
        bring_in("products", "sku,name,price,barcode,description\nA,Salt,2,,Fine\nB,Oil,3,,\n")
        text = (
            "sku,name,price,ean,supplier,supplier cost,lead time\nA,Salt,2.5,4006381333931,Acme,1.25,14\nB,Oil,,,,,\n"
        )
        run = bring_in("products", text)
    assert counts(run) == (0, 1, 1, 0)
    salt = by_sku()["A"]
    assert (salt.unit_price, salt.barcode, salt.description, salt.version) == (
        Decimal("2.5"),
        "4006381333931",
        "Fine",
        2,
    )
    assert salt.search == "a salt 4006381333931"
    assert by_sku()["B"].version == 1
    (terms,) = rows(SupplierProduct)
    assert (terms.cost, terms.lead_time_days, terms.pack_size) == (Decimal("1.25"), 14, 1)
    prices = [(row.old_price, row.new_price) for row in rows(ProductPrice) if row.product_id == salt.id]
    assert prices == [(None, 2), (2, Decimal("2.5"))]


def test_counts_book_the_difference_and_opening_stock_its_cost(ann):
    add(Location(code="B", name="Barn"))
    with acting_as(ann):
        bring_in("products", "sku,name,cost,quantity\nA,Salt,2,10\nB,Oil,3,\n")
        run = bring_in("stock", "Artikelnummer;Lagerort;Bestand;Einstandspreis\nA;main;7;\nB;Barn;4;5,5\n")
    assert counts(run) == (1, 1, 0, 0)
    booked = [(row.kind, row.quantity, row.unit_cost, row.value) for row in rows(StockMovement)][1:]
    assert sorted(booked) == [("count", -3, 2, -6), ("receipt", 4, Decimal("5.5"), 22)]
    assert by_sku()["B"].unit_cost == Decimal("5.5")
    assert balanced()


def test_stock_of_lots_makes_the_lots(ann):
    product = add(Product(sku="L", name="Yeast", currency="USD", search="l", lots_kept=True))
    with acting_as(ann):
        bring_in("stock", "sku,lot,best before,quantity\nL,B1,2027-03-31,5\nL,B2,,6\n")
        again = faults(checked("stock", "sku,lot,quantity\nL,b1,5\nL,,5\n"))
    assert [(lot.code, str(lot.expires_on), lot.product_id) for lot in rows(Lot)] == [
        ("B1", "2027-03-31", product.id),
        ("B2", "None", product.id),
    ]
    assert again == ["3 lot: Yeast is kept by lot: say which."]


def test_locations_are_part_of_each_other_and_never_of_themselves(ann):
    with acting_as(ann):
        bring_in("locations", "code,name,part of\nA-1,Rack,A\nA,Aisle,\n")
        wrong = faults(checked("locations", "code,name,part of\nX,Ex,Y\nY,Why,X\nA,Aisle,A-1\nZ,Zed,Nowhere\n"))
    places = {row.code: row for row in rows(Location)}
    assert places["A-1"].parent_id == places["A"].id
    assert len([said for said in wrong if "part of itself" in said]) == 3
    assert "5 part of: There is no location with the code NOWHERE, and none in this file." in wrong


def test_columns_are_guessed_changed_and_remembered(ann):
    text = "Référence;Désignation;Farbe;Prix\nA;Salz;weiß;2,50\n"
    with acting_as(ann):
        first = look(send("products", text))
        guessed = {one.field: one.column for one in first.choices if one.column >= 0}
        assert guessed == {"sku": 0, "name": 1, "unit_price": 3}
        importing.check(first.id, guessed | {"description": 2}, "update").result()
        again = look(send("products", text))
    assert {one.field: one.column for one in again.choices if one.column >= 0} == guessed | {"description": 2}


# What is in the way


def test_everything_that_is_wrong_is_said_by_row_and_column(ann):
    add(Category(code="A", name="Herbs"))
    add(Category(code="B", name="herbs"))
    supplier("Twin", external_id="7")
    supplier("Other twin", external_id="7")
    text = (
        "sku,name,unit,category,SupplierID,supplier,currency,UnitPrice,quantity,reorder point,ean\n"
        "B,Salt,lb,,,,,1,1,1,\n"
        "b,Salt,,,,,,1,1.5,0.5,\n"
        "C,Salt,kg,HERBS,,,,1,1.5,0.5,4006381333932\n"
        "D,Salt,,,7,Nobody,EUR,1,1,1,\n"
        "E,Salt,,,99,,,nothing,-1,1,\n"
        "F,Salt,,,,,,9999999999,9999999999,1,\n"
        ",Salt,,,,,,1,1,1,\n"
        "G,Sa\x00lt,,,,,,1,1,1,\n"
        "H,Salt\n"
    )
    with acting_as(ann):
        run = checked("products", text)
        assert sorted(faults(run)) == sorted(
            [
                "2 unit: lb is no unit here. Use one of box, cs, kg, l, m, pcs, pkg.",
                "3 quantity: pcs are counted with whole numbers only.",
                "3 reorder point: pcs are counted with whole numbers only.",
                "3 sku: B is already in row 2.",
                (
                    "4 ean: One digit is wrong: a barcode that begins so ends in 1, not in 2. "
                    "Scan it, or compare it digit by digit."
                ),
                "4 category: 2 categories are called HERBS. Use the code of one of them.",
                "5 SupplierID: 2 suppliers have the number 7.",
                "5 supplier: There is no supplier named Nobody. Import or enter it first.",
                "5 currency: Prices here are in USD, not in EUR.",
                "6 UnitPrice: Enter a number such as 12 or 12.5.",
                "6 quantity: Enter 0 or more.",
                "6 SupplierID: There is no supplier with the number 99. Import the suppliers first.",
                "7 quantity: This much stock at this price is too large a value.",
                "8 sku: Please fill this in.",
                "9 name: There is a character in it that cannot be stored. Type it anew instead of pasting it.",
                "10 unit: is missing: the row has 2 values and the header 11 names.",
            ]
        )
        assert run.faulty_rows == 9
        with pytest.raises(Conflict, match="cannot be imported as it stands"):
            importing.apply(run.id)
    assert not rows(Product)


def test_only_adding_refuses_what_is_known(ann):
    with acting_as(ann):
        bring_in("products", "sku,name\nA,Salt\n")
        run = checked("products", "sku,name\nA,Salt\nB,Oil\n", "add")
        assert faults(run) == ["2 sku: A is in use already. SKUs are never used twice."]


def test_prices_are_for_those_who_may_see_and_change_them(ann, configure):
    clerk = person("clerk", "employee")

    def allow(session: Session) -> None:
        role = session.execute(sa.text("SELECT id FROM role WHERE name = 'employee'")).scalar_one()
        session.execute(
            sa.text(
                "INSERT INTO role_permission (role_id, permission_id) SELECT :role, id FROM permission WHERE name = "
                "'inventory:import'"
            ),
            {"role": role},
        )

    arrange(allow)
    with acting_as(clerk):
        run = look(send("products", "sku,name,price\nA,Salt,2\n"))
        assert "unit_price" not in {one.field for one in run.choices}
        with pytest.raises(Invalid, match="may not import costs and prices"):
            importing.check(run.id, {"sku": 0, "name": 1, "unit_price": 2}, "update")


def test_nobody_works_on_the_file_of_somebody_else(ann):
    with acting_as(ann):
        run = send("products", PRODUCTS)
    with acting_as(person("eve", "manager")):
        for work in (look, importing.apply, importing.cancel):
            with pytest.raises(NotFound):
                work(run)


@pytest.mark.parametrize("kind", import_runs.KINDS)
def test_only_who_holds_the_permission_sends_checks_and_imports(kind, bob, stranger, trail):
    for actor, refusal in ((bob, NotAllowed), (stranger, NotSignedIn), (person("emma", "employee"), NotAllowed)):
        with acting_as(actor):
            with pytest.raises(refusal):
                send(kind, "code,name\nA,B\n")
            with pytest.raises(refusal):
                read(import_views.files)
    assert not rows(ImportBatch)


def test_what_a_check_says_is_assumed_and_summed_up(ann):
    with acting_as(ann):
        suppliers_run = checked("suppliers", SUPPLIERS)
        assert [(one.label, one.figure) for one in suppliers_run.totals] == [("Countries", "2")]
        assert suppliers_run.notices == [
            "New ones wait: somebody else than the person who imports them approves each one.",
            "2 of 2 new suppliers have no tax id.",
        ]
        bring_in("suppliers", SUPPLIERS)
        run = checked(
            "products",
            PRODUCTS.replace("Discontinued\n", "Discontinued,Colour\n", 1)
            .replace("1\n", "1,\n")
            .replace("0\n", "0,red\n"),
        )
        assert [(one.label, one.figure) for one in run.totals] == [
            ("On hand", "160 pcs"),
            ("Worth", "3,214.67"),
            ("To reorder", "1"),
        ]
        assert run.notices == [
            "Not imported: Colour.",
            "New products have no cost in the file: their price becomes their unit cost.",
            "3 categories are made: Category 1, Category 2, Category 5. A file of categories gives them their names.",
            "Discontinued products stay visible with their stock and are not reordered.",
        ]
        bring_in("products", PRODUCTS)
        run = checked("categories", "CategoryID,CategoryName\n1,Beverages\n9,Spices\n")
        assert [(one.label, one.figure) for one in run.totals] == [("Get their name", "1")]
        run = checked("stock", "sku,quantity\nNW-2,18\nNW-22,100\nNW-5,0\n")
        assert [(one.label, one.figure) for one in run.totals] == [
            ("More", "1 pcs"),
            ("Less", "4 pcs"),
            ("Worth", "-64.67"),
        ]
        assert checked("stock", "sku,quantity\nNW-1,39\n").totals == []
        assert checked("locations", "code,name\nA,Aisle\n").totals == []


def test_products_that_differ_in_what_they_lack_are_counted(ann):
    def rename(session: Session) -> None:
        session.exec(select(Location)).one().code = "OTHER"

    arrange(rename)
    names = "\n".join(f"S{n},Thing {n},Kind {n},,," for n in range(10))
    with acting_as(ann):
        run = checked(
            "products", f"sku,name,category,price,cost,quantity\nA,Salt,Herbs,2,,1\nB,Oil,Herbs,2,1,\n{names}\n"
        )
        assert run.notices == [
            "1 of 12 new products have no cost in the file: their price becomes their unit cost.",
            "11 categories are made: Herbs, Kind 0, Kind 1, Kind 2, Kind 3, Kind 4, Kind 5, Kind 6 and 3 more.",
            "The location Main warehouse is made.",
            "10 of 12 new products have no price or a price of 0.",
        ]
        one = checked("products", "sku,name,category\nA,Salt,Herbs\n")
        assert one.notices[0] == "1 category is made: Herbs."
        bring_in("products", "sku,name,category,price,cost,quantity\nA,Salt,Herbs,2,,1\n")
    assert {row.code for row in rows(Location)} == {"OTHER", "MAIN"}


def test_nothing_comes_to_a_location_that_is_closed(ann):
    def close(session: Session) -> None:
        session.exec(select(Location)).one().active = False

    arrange(close)
    with acting_as(ann):
        assert "Main warehouse is closed" in faults(checked("products", "sku,name\nA,Salt\n"))[0]


def test_suppliers_whose_name_or_number_is_there_already_are_refused(ann):
    supplier("specialty BISCUITS")
    supplier("Old", external_id="9")
    with acting_as(ann):
        run = checked("suppliers", SUPPLIERS + "9;Acme;\n10;ACME;\n;;\n", "add")
        assert sorted(faults(run)) == [
            "2 CompanyName: A supplier named Specialty Biscuits exists already.",
            "3 SupplierID: The number 9 belongs to Old.",
            "4 SupplierID: 9 is already in row 3.",
            "4 SupplierID: The number 9 belongs to Old.",
            "5 CompanyName: ACME is already in row 4.",
        ]


def test_a_file_of_categories_names_those_that_came_as_numbers(ann):
    with acting_as(ann):
        bring_in("products", "sku,name,category\nA,Salt,1\n")
        run = bring_in("categories", "CategoryID,CategoryName\n1,Beverages\n9,Spices\n", "add")
        again = checked("categories", "CategoryID,CategoryName\n1,Drinks\n", "add")
        assert faults(again) == ["2 CategoryID: The category 1 exists already and is called Beverages."]
    assert counts(run) == (1, 1, 0, 0)
    assert [(row.name, row.sort_key) for row in rows(Category)] == [("Beverages", "beverages"), ("Spices", "spices")]


# Once, and against others


def test_two_people_with_one_file_at_once_import_it_once(ann, observer):
    nancy = person("nancy", "manager")
    runs = []
    for actor in (ann, nancy):
        with acting_as(actor):
            runs.append(checked("suppliers", SUPPLIERS).id)
            arrange(lambda session: import_runs.start_applying(session, run_id=runs[-1]))

    def apply(run):
        return lambda: transact(import_runs.apply_import, run_id=run)

    with acting_as(ann), Side(apply(runs[0]), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(apply(runs[1])) as other:
            waiting = wait_until_blocked(observer, holder)
            assert locks_waited_for(observer, waiting) == [("advisory", "ExclusiveLock")]
            one.go_on()
            assert isinstance(other.error(), import_runs.AlreadyImported)
            assert "by ann" in str(other.error())
        assert one.error() is None
    assert len(rows(Supplier)) == 2


def test_the_database_itself_takes_a_file_once(database):
    def twice(session: Session) -> None:
        batch = {"kind": "suppliers", "file_name": "a", "file_hash": "x", "row_count": 1, "imported_by": "ann"}
        session.add_all([ImportBatch(**batch), ImportBatch(**batch)])

    with pytest.raises(Conflict, match="This file has been imported before"):
        arrange(twice)


def test_the_same_file_comes_in_once_until_it_is_taken_back(ann):
    with acting_as(ann):
        run = bring_in("products", "sku,name\nA,Salt\n")
        again = checked("products", "sku,name\nA,Salt\n")
        assert again.problem.startswith("This file was imported on")
        importing.apply(again.id).result()
        assert look(again.id).status == "failed"
        importing.undo(run.id, "Too early")
        assert not by_sku()["A"].active
        third = bring_in("products", "sku,name\nA,Salt\n")
    # What a file made that was taken back is in use again when it comes again.
    assert (counts(third), by_sku()["A"].active) == ((0, 1, 0, 0), True)
    assert [batch.undone_by for batch in rows(ImportBatch)] == ["ann", None]


def test_of_two_people_with_the_same_file_the_second_is_told(ann):
    bob = person("bob", "manager")
    with acting_as(ann):
        first = checked("products", "sku,name\nA,Salt\n")
    with acting_as(bob):
        second = checked("products", "sku,name\nA,Salt\n")
    with acting_as(ann):
        importing.apply(first.id).result()
    with acting_as(bob):
        importing.apply(second.id).result()
        assert look(second.id).problem.startswith("This file was imported on")
    assert len(rows(Product)) == 1


def test_what_somebody_edits_between_check_and_import_is_not_overwritten(ann):
    with acting_as(ann):
        bring_in("products", "sku,name,quantity\nA,Salt,5\n")
        run = checked("products", "sku,name\nA,Sea salt\n")
        count = checked("stock", "sku,quantity\nA,4\n")

    def edit(session: Session) -> None:
        session.exec(select(Product)).one().name = "Rock salt"

    arrange(edit)
    with acting_as(ann):
        (item,) = rows(InventoryItem)
        transact(stock.adjust_inventory, item_id=item.id, quantity=Decimal(1), reason_code="found")
        for each in (run, count):
            importing.apply(each.id).result()
            assert "since the file was checked" in look(each.id).problem
    assert (by_sku()["A"].name, on_hand()) == ("Rock salt", {"A": 6})


def test_what_is_reserved_is_not_counted_away(ann):
    with acting_as(ann):
        bring_in("products", "sku,name,quantity\nA,Salt,5\n")
        (item,) = rows(InventoryItem)
        count = checked("stock", "sku,quantity\nA,2\n")
        transact(reservations.reserve, item_id=item.id, quantity=Decimal(3), expires_at=now() + timedelta(1))
        importing.apply(count.id).result()
        assert "more is reserved than would be left" in look(count.id).problem
        assert faults(checked("stock", "sku,quantity\nA,2\n")) == [
            "2 quantity: 3 pcs of Salt are reserved: release them first."
        ]
        bring_in("stock", "sku,quantity\nA,3\n")
    assert on_hand() == {"A": 3}


def test_a_large_change_of_a_price_needs_somebody_elses_agreement_here_too(ann, configure):
    configure(INVENTORY_PRICE_APPROVAL_PERCENT="10")
    with acting_as(ann):
        bring_in("products", "sku,name,price\nA,Salt,100\nB,Oil,0\n")
        wrong = faults(checked("products", "sku,name,price\nA,Salt,111\nB,Oil,5\n"))
        assert [said.partition(", which")[0] for said in wrong] == ["2 price: This changes the price by more than 10 %"]
        bring_in("products", "sku,name,price\nA,Salt,110\nB,Oil,5\n")
    assert {sku: row.unit_price for sku, row in by_sku().items()} == {"A": 110, "B": 5}


def booked(sku):
    """Return what the ledger says of a product: its movements, its cost, what there is of it."""
    with open_session() as session:
        found = session.exec(
            select(StockMovement).join(InventoryItem).join(Product).where(Product.sku == sku).order_by(StockMovement.id)
        ).all()
        product = session.exec(select(Product).where(Product.sku == sku)).one()
        there = session.exec(select(ProductStock).where(ProductStock.product_id == product.id)).first()
        moved = [
            (m.sequence, m.kind, m.quantity, m.unit_cost, m.value, m.reason_code, m.reference_type, m.reference)
            for m in found
        ]
        prices = session.exec(select(ProductPrice).where(ProductPrice.product_id == product.id)).all()
        priced = [(one.old_price, one.new_price, one.currency, one.reason, one.status) for one in prices]
        kept = (product.unit_cost, product.unit_price, product.search.partition(" ")[2], product.sort_key)
        return moved, priced, kept, (there.quantity, there.value) if there else None


AMOUNT = st.decimals(0, 1000, places=3)
COST = st.decimals(0, 1000, places=4)
SERIAL = itertools.count()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(opening=AMOUNT, counted=AMOUNT, cost=COST, price=COST)
@example(opening=Decimal("0.003"), counted=Decimal(0), cost=Decimal("0.3333"), price=Decimal(1))
@example(opening=Decimal(0), counted=Decimal(7), cost=Decimal("1.5"), price=Decimal(0))
def test_a_row_of_a_file_books_what_doing_it_by_hand_books(ann, opening, counted, cost, price):
    one, other = f"F{next(SERIAL)}", f"H{next(SERIAL)}"
    with acting_as(ann):
        bring_in("products", f"sku,name,unit,cost,price,quantity\n{one},Salt,kg,{cost},{price},{opening}\n")
        made = transact(
            stock.create_inventory_item,
            location_id=rows(Location)[0].id,
            quantity=opening,
            sku=other,
            name="Salt",
            unit_code="kg",
            unit_cost=cost,
            unit_price=price,
        )
        assert booked(one) == booked(other)
        bring_in("stock", f"sku,quantity\n{one},{counted}\n")
        transact(stock.bulk_update_inventory, updates=[{"item_id": made.item_id, "quantity": str(counted)}])
    by_file, by_hand = booked(one), booked(other)
    if not opening:
        # By hand it is a count; in a file, what was never there before is its opening stock.
        by_hand = ([(s, "receipt", q, c, v, "opening", t, r) for s, _, q, c, v, _, t, r in by_hand[0]], *by_hand[1:])
    assert by_file == by_hand
    assert balanced()


# Stopping, dying, taking back


def test_a_cancelled_import_leaves_nothing(ann):
    with acting_as(ann):
        run = checked("products", "sku,name,quantity\nA,Salt,5\n")
        arrange(lambda session: import_runs.start_applying(session, run_id=run.id))
        importing.cancel(run.id)
        with pytest.raises(import_runs.Cancelled):
            transact(import_runs.apply_import, run_id=run.id)
    assert not rows(Product)
    assert not rows(ImportBatch)


def test_reading_stops_when_somebody_asks(ann):
    text = "sku,name\n" + "".join(f"A{n},Salt\n" for n in range(5_000))
    gate = threading.Event()
    with acting_as(ann):
        run = send("products", text)
        blocked = importing._work()._thread.submit(gate.wait)
        future = importing.check(run, {"sku": 0, "name": 1}, "update")
        importing.cancel(run)
        gate.set()
        blocked.result()
        future.result()
        assert look(run).status == "cancelled"
    with open_session() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM import_row")) == 0


def test_a_process_that_dies_in_the_middle_leaves_nothing_and_the_file_says_so(ann, database):
    with acting_as(ann):
        run = checked("products", "sku,name,quantity\nA,Salt,5\n")
        arrange(lambda session: import_runs.start_applying(session, run_id=run.id))

        def die(_: int) -> None:
            """End the connection in the middle, as the end of the process would."""
            with database.as_superuser() as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND pid <> pg_backend_pid()"
                )

        with pytest.raises(AppError):
            transact(import_runs.apply_import, run_id=run.id, progress=die)
        assert look(run.id).status == "applying"

        def long_ago(session: Session) -> None:
            session.execute(sa.text("UPDATE import_run SET alive_at = now() - interval '1 minute'"))

        arrange(long_ago)
        importing.notice_the_silent()
        assert (look(run.id).status, look(run.id).problem) == ("failed", import_runs.STOPPED)
    assert not rows(Product)
    assert not rows(InventoryItem)


def test_taking_a_file_back_restores_what_it_changed_and_reverses_what_it_booked(ann):
    supplier("Acme")
    with acting_as(ann):
        bring_in("products", "sku,name,price,quantity\nA,Salt,2,10\n")
        text = "sku,name,price,quantity,supplier,supplier cost\nA,Sea salt,3,10,Acme,1\nB,Oil,4,6,Acme,2\n"
        run = bring_in("products", text)
        counted = bring_in("stock", "sku,quantity\nA,8\n")
        importing.undo(counted.id, "")
        importing.undo(run.id, "Wrong list")
        with pytest.raises(Conflict, match="Only a file that came in"):
            importing.undo(run.id, "")
    salt, oil = by_sku()["A"], by_sku()["B"]
    assert (salt.name, salt.sort_key, salt.unit_price, salt.supplier_id) == ("Salt", "salt", 2, None)
    assert (oil.active, on_hand()) == (False, {"A": 10, "B": 0})
    assert {terms.active for terms in rows(SupplierProduct)} == {False}
    assert [row.new_price for row in rows(ProductPrice) if row.product_id == salt.id] == [2, 3, 2]
    assert balanced()


def test_what_has_changed_since_cannot_be_taken_back(ann):
    with acting_as(ann):
        run = bring_in("products", "sku,name,quantity\nA,Salt,5\n")
        (item,) = rows(InventoryItem)
        transact(stock.adjust_inventory, item_id=item.id, quantity=Decimal(1), reason_code="found")
        with pytest.raises(Conflict, match="1 item was moved since this file came in"):
            importing.undo(run.id, "")
    assert (by_sku()["A"].active, on_hand()) == (True, {"A": 6})


# Workbooks


def workbook(*lines):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, line in enumerate(lines):
            sheet.write_row(at, 0, line)
    return content.getvalue()


def test_a_workbook_comes_in_like_a_file(ann):
    with acting_as(ann):
        run = bring_in(
            "products", workbook(["SKU", "Name", "Price", "Quantity", "Active"], ["A", "Salz", 2.5, 3, True])
        )
    assert (counts(run), by_sku()["A"].unit_price, on_hand()) == ((1, 0, 0, 0), Decimal("2.5"), {"A": 3})


def bomb():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(workbooks.MOST_UNPACKED // 2**20 + 1):
                part.write(b"\0" * 2**20)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bomb(), workbooks.TOO_LARGE),
        (b"PK\x03\x04", workbooks.NOT_READABLE),
        (workbook(), workbooks.EMPTY),
        (workbook(["SKU", "Name"])[:-40], workbooks.NOT_READABLE),
        (workbook(["SKU", "Name"]), "The file has a header and no rows."),
    ],
    ids=["bomb", "no archive", "empty", "cut off", "no rows"],
)
def test_a_workbook_that_cannot_be_read_is_refused_in_words(ann, content, words):
    with acting_as(ann), pytest.raises(Invalid) as caught:
        send("products", content)
    assert str(caught.value) == words


# Whatever is sent


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.binary(max_size=400), st.text(max_size=200).map(lambda text: f"sku,name\n{text}".encode())))
def test_whatever_bytes_are_sent_the_answer_is_a_sentence_or_faults_by_row(ann, content):
    with acting_as(ann):
        try:
            run = checked("products", content)
        except Invalid:
            # A sentence: what the file is instead, or which column is missing.
            return
    assert run.status in ("checked", "failed")
    assert run.problem != importing._BROKEN
    if run.status == "checked":
        assert sum(counts(run)) == run.all_rows
        with acting_as(ann):
            assert bool(faults(run)) == bool(run.faulty_rows)


CELLS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["=1+1", "-5", "1e9", "NaN", "Infinity", "'=x", '"', "\x00", "1,5", "x" * 5_000, "٣", "true"]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=6))
def test_whatever_cells_hold_no_row_is_lost(ann, cells):
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["sku", "name", "quantity", "price", "barcode"])
    writer.writerows([f"S{number}{one[0]}", *one[1:]] for number, one in enumerate(cells))
    with acting_as(ann):
        run = checked("products", text.getvalue().encode("utf-8", "replace"))
        assert (run.status, run.problem) in (("checked", ""), ("failed", ""))
        assert sum(counts(run)) == run.all_rows


# Out and in again


def exported(name, suffix="csv", **view):
    with open_session() as session:
        prepared = exports.prepare_export(session, name=name, view=View(**view))
        if suffix == "xlsx":
            return _workbook(session, prepared).read_bytes()
        return b"".join(_pieces(session, prepared, mark=True))


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_what_is_exported_comes_in_again_without_changing_anything(ann, suffix):
    with acting_as(ann):
        bring_in("products", "sku,name,price,quantity,category\nA,=1+1,2,10,@x\nB,-5,4,0,\n")
        content = exported("inventory", suffix)
        run = checked("stock", content)
    assert counts(run) == (0, 0, 2, 0)


def test_an_export_holds_what_the_view_shows_and_nothing_a_spreadsheet_would_run(ann):
    with acting_as(ann):
        bring_in("products", "sku,name,price,quantity\nA,=1+1,2,10\nB,Oil,4,0\n")
        text = exported("inventory", search="1+1", columns=("sku", "product", "on_hand", "value")).decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text)))
    assert lines == [["SKU", "Product", "On hand", "Value", "Unit"], ["A", "'=1+1", "10.000", "20.00", "pcs"]]


def test_costs_are_exported_only_for_those_who_may_see_them(ann):
    with acting_as(ann):
        bring_in("products", "sku,name,price,quantity\nA,Salt,2,10\n")
    role("taker", "inventory:view", "inventory:export")
    with acting_as(person("emma", "taker")):
        header = exported("inventory", sort="value", columns=("unit_cost", "value", "sku")).decode("utf-8-sig")
    assert header.splitlines() == ["SKU,Unit", "A,pcs"]


def test_an_export_is_on_record(ann, trail):
    with acting_as(ann):
        transact(exports.export_list, name="inventory", what="Inventory as CSV")
        with pytest.raises(NotFound):
            transact(exports.export_list, name="secrets", what="Everything")
    assert [(one.name, one.reason, one.outcome) for one in trail.operations()[-2:]] == [
        ("exports.export_list", "Inventory as CSV", "succeeded"),
        ("exports.export_list", "Everything", "failed"),
    ]


def test_old_files_are_not_kept_for_ever(ann):
    with acting_as(ann):
        run = bring_in("products", "sku,name\nA,Salt\n")
        arrange(lambda session: session.execute(sa.update(ImportRun).values(created_at=now().replace(year=2020))))
        importing.forget_old_rows()
        with pytest.raises(Conflict, match="too long ago"):
            importing.undo(run.id, "")


# What is asked out of turn


def test_work_that_has_begun_or_is_done_is_not_begun_again(ann):
    with acting_as(ann):
        run = checked("products", "sku,name\nA,Salt\n")
        with pytest.raises(Conflict, match="not ready to be imported"):
            transact(import_runs.apply_import, run_id=run.id)
        with pytest.raises(Conflict, match="Only a file that came in"):
            transact(import_runs.undo_import, run_id=run.id)
        importing.apply(run.id).result()
        with pytest.raises(Conflict, match="being worked on, or was imported"), open_session() as session:
            import_runs.start_reading(session, run_id=run.id, mapping={"sku": 0, "name": 1}, rule="update")
        with pytest.raises(NotFound):
            transact(import_runs.undo_import, run_id=999_999)


def test_who_works_on_a_file_says_so_now_and_then(ann):
    with acting_as(ann):
        run = checked("products", "sku,name\nA,Salt\n")
    arrange(lambda session: setattr(session.get_one(ImportRun, run.id), "alive_at", now() - timedelta(days=1)))
    arrange(lambda session: import_runs.note_alive(session, run_ids=[run.id]))
    (row,) = rows(ImportRun)
    assert now() - row.alive_at < timedelta(minutes=1)


def test_what_is_planned_for_many_rows_does_the_same(ann, monkeypatch):
    """Settings for large files change how the database works, and nothing of what it does."""
    for module in (import_runs, _import_staging):
        monkeypatch.setattr(module, "MANY_ROWS", 1)
    with acting_as(ann):
        run = bring_in("products", "sku,name,quantity\nA,Salt,5\nB,Pepper,7\n")
        assert on_hand() == {"A": 5, "B": 7}
        importing.undo(run.id, "Too early")
    assert set(on_hand().values()) <= {0}


def test_numbers_with_a_comma_are_read_from_the_rows_that_can_be_read(ann):
    with acting_as(ann):
        run = checked("products", "sku;name;price\nB;Pepper;2,50;too much\nA;Salt;1,50\n")
    assert (counts(run), run.faults) == ((1, 0, 0, 1), 1)


def test_a_supplier_whose_request_is_closed_already_is_taken_back_with_its_file(ann):
    with acting_as(ann):
        run = bring_in("suppliers", SUPPLIERS)
    arrange(lambda session: session.execute(sa.update(Approval).values(status="expired", closed_at=now())))
    with acting_as(ann):
        importing.undo(run.id, "Wrong file")
        assert look(run.id).status == "undone"
