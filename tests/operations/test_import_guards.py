"""What an import does not get around: permissions, agreement, the trees, what is reserved, and the books."""

from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlmodel import select

from inventory_app import importing, staging
from inventory_app.context import acting_as, system_actor
from inventory_app.errors import Conflict, InsufficientStock, NotAllowed
from inventory_app.models.catalog import Category, Location, Lot, Product, ProductPrice
from inventory_app.models.imports import ImportFault, ImportRun
from inventory_app.models.stock import InventoryItem, StockMovement
from inventory_app.models.suppliers import Supplier
from inventory_app.models.users import Role
from inventory_app.operations import import_runs, locations, pricing, reservations, suppliers
from inventory_app.permissions import DEFAULT_ROLES, Permission
from inventory_app.unit_of_work import open_session, transact
from tests.factories import add, arrange, item, location, person, product, role, supplier
from tests.fixtures.seeing import Side, before_commit, wait_until_blocked
from tests.operations.shelf import Ledger, issue, receive, refusal, reserve, send, shelf, take_back, transfer

MANAGER = DEFAULT_ROLES["manager"][1]


@pytest.fixture(autouse=True)
def _data_dir(configure, tmp_path):
    configure(INVENTORY_DATA_DIR=str(tmp_path))


@pytest.fixture
def ledger(observer):
    return Ledger(observer)


@pytest.fixture
def as_ann(ann, ledger):
    """Let the manager do it, and look at the books afterwards."""
    with acting_as(ann):
        yield ann
    ledger.balances()


def without(*permissions):
    """Return somebody who may do everything a manager may, but for these."""
    name = f"without {len(permissions)} {permissions[0]}"
    role(name, *(MANAGER - set(permissions)))
    return person(name.replace(" ", "-").replace(":", "-"), name)


def checked(kind, content):
    """Send a file, read it as guessed and check it; returns the number of its run."""
    key, path = staging.new_file()
    path.write_text(content)
    run = importing.take(kind, key, "file.csv")
    importing.check(run, found(ImportRun, run).mapping, "update").result()
    return run


def found(model, id_):
    with open_session() as session:
        return session.get_one(model, id_)


def faults(run):
    with open_session() as session:
        return [one.sentence for one in session.exec(select(ImportFault).where(ImportFault.run_id == run))]


def applied(run):
    """Apply a checked file; returns what stood in the way, if anything."""
    importing.apply(run).result()
    done = found(ImportRun, run)
    assert done.status == ("failed" if done.problem else "applied")
    return done.problem


def bring_in(kind, content):
    run = checked(kind, content)
    assert (faults(run), applied(run)) == ([], "")
    return run


def change(model, id_, **values):
    table = model.__table__
    arrange(lambda s: s.execute(sa.update(table).where(table.c.id == id_).values(values)))


# Who may


def test_who_lost_the_permission_to_change_prices_after_the_check_changes_none(database):
    nut = product("NUT", unit_price=Decimal(10))
    role("buyer", *MANAGER)
    bill = person("bill", "buyer")
    with acting_as(bill):
        run = checked("products", "sku,name,price\nNUT,Nut,11\n")
        arrange(lambda s: _takes_away(s, "buyer", Permission.PRICES_UPDATE))
        assert "Change prices" in applied(run)
    assert found(Product, nut.id).unit_price == 10


def _takes_away(session, name, permission):
    row = session.exec(select(Role).where(Role.name == name)).one()
    row.set_permissions(MANAGER - {permission}, session)


@pytest.mark.parametrize("missing", [Permission.PRICES_VIEW, Permission.PRICES_UPDATE])
def test_a_file_of_prices_is_taken_back_only_by_who_may_change_them(as_ann, missing):
    nut = product("NUT", unit_price=Decimal(10))
    run = bring_in("products", "sku,name,price\nNUT,Nut,11\n")
    with acting_as(without(missing)):
        refusal(NotAllowed, importing.undo, run, "Back")
    assert found(Product, nut.id).unit_price == 11
    importing.undo(run, "Back")
    assert found(Product, nut.id).unit_price == 10


def test_a_file_without_costs_needs_no_permission_to_see_them(database):
    with acting_as(without(Permission.PRICES_VIEW, Permission.PRICES_UPDATE)):
        importing.undo(bring_in("products", "sku,name\nNUT,Nut\n"), "Back")


def test_corrections_of_suppliers_are_taken_back_only_by_who_may_correct_them(as_ann):
    acme = supplier("Acme", status="approved")
    run = bring_in("suppliers", "name,country\nAcme,France\n")
    with acting_as(without(Permission.SUPPLIERS_EDIT)):
        refusal(NotAllowed, importing.undo, run, "Back")
    assert found(Supplier, acme.id).country == "France"


def test_a_number_that_was_agreed_to_is_not_taken_back_without_agreement(as_ann, ada):
    acme = supplier("Acme", status="approved", tax_id="1")
    run = bring_in("suppliers", "name,tax id\nAcme,2\n")
    assert found(Supplier, acme.id).status == "pending"
    with acting_as(ada):
        transact(suppliers.approve_supplier, supplier_id=acme.id, reason="Looked at.")
    importing.undo(run, "Back")
    again = found(Supplier, acme.id)
    assert (again.tax_id, again.status, again.decided_by) == ("1", "pending", None)
    with acting_as(ada):
        transact(suppliers.approve_supplier, supplier_id=acme.id, reason="Looked at again.")


def test_new_suppliers_that_are_taken_back_wait_for_nobody(as_ann, ada):
    run = bring_in("suppliers", "name,country\nAcme,France\n")
    with open_session() as session:
        (acme,) = session.exec(select(Supplier)).all()
    importing.undo(run, "Back")
    with acting_as(ada), pytest.raises(Conflict):
        transact(suppliers.approve_supplier, supplier_id=acme.id, reason="Looked at.")
    assert found(Supplier, acme.id).status == "rejected"


def test_a_file_changes_no_price_so_much_that_somebody_else_must_agree(as_ann, configure):
    configure(INVENTORY_PRICE_APPROVAL_PERCENT="20")
    nut, bolt = product("NUT", unit_price=Decimal(10)), product("BOLT", unit_price=Decimal(10))
    large = checked("products", "sku,name,price\nNUT,Nut,12.01\nBOLT,Bolt,12\n")
    assert faults(large) == [
        "This changes the price by more than 20 %, which needs somebody else's agreement: propose it under Prices."
    ]
    bring_in("products", "sku,name,price\nBOLT,Bolt,12\n")
    assert [found(Product, one.id).unit_price for one in (nut, bolt)] == [10, 12]


def test_a_price_whose_day_has_come_counts_before_that_of_a_file(as_ann):
    nut = product("NUT", unit_price=Decimal(10))
    run = checked("products", "sku,name,price\nNUT,Nut,11\n")
    arrange(lambda s: _plan(s, nut.id))
    assert "changed since the file was checked" in applied(run)
    with acting_as(system_actor("pricing")):
        transact(pricing.apply_planned_prices)
    bring_in("products", "sku,name,price\nNUT,Nut,11\n")
    with open_session() as session:
        history = session.exec(select(ProductPrice).order_by(ProductPrice.id)).all()
    assert [(one.old_price, one.new_price, one.status) for one in history] == [(10, 13, "applied"), (13, 11, "applied")]


def _plan(session, product_id):
    session.add(
        ProductPrice(product_id=product_id, new_price=Decimal(13), currency="USD", reason="Due", status="planned")
    )


def test_a_check_does_not_tell_costs_by_what_is_too_large(as_ann):
    nut = product("NUT", unit_cost=Decimal(500))
    location("B", name="Barn")
    file = "sku,location,quantity\nNUT,B,90000000\n"
    assert faults(checked("stock", file)) == ["This much stock at this cost is too large a value."]
    with acting_as(without(Permission.PRICES_VIEW)):
        assert faults(checked("stock", file)) == []
    assert found(Product, nut.id).unit_cost == 500


# Stock


def test_no_file_counts_less_than_is_reserved(as_ann, ledger):
    bolt = shelf()
    run = checked("stock", "sku,location,quantity\nBOLT,BOLT-N,2\n")
    kept = reserve(bolt.here, 4)
    assert applied(run) == "Of 1 item more is reserved than would be left. Release the reservations first."
    again = checked("stock", "sku,location,quantity\nBOLT,BOLT-N,3\n")
    assert faults(again) == ["4 pcs of Bolt are reserved: release them first."]
    bring_in("stock", "sku,location,quantity\nBOLT,BOLT-N,4\n")
    transact(reservations.release_reservation, reservation_id=kept.reservation_id)
    bring_in("stock", "sku,location,quantity\nBOLT,BOLT-N,0\n")
    assert ledger.quantities(bolt.here) == [0]


def test_who_reserves_while_a_file_is_applied_waits_and_finds_what_it_counted(as_ann, observer, ledger):
    bolt = shelf()
    run = checked("stock", "sku,location,quantity\nBOLT,BOLT-N,2\n")
    arrange(lambda s: import_runs.start_applying(s, run_id=run))
    with Side(lambda: transact(import_runs.apply_import, run_id=run), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(lambda: reserve(bolt.here, 4)) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            assert "Only 2 pcs of Bolt are available" in str(other.error())
    assert ledger.quantities(bolt.here) == [2]


def test_what_came_in_is_not_taken_back_from_who_has_reserved_it(as_ann, ledger):
    bolt = shelf()
    run = bring_in("stock", "sku,location,quantity\nBOLT,BOLT-N,50\n")
    reserve(bolt.here, 11)
    assert "11 pcs more are reserved" in str(refusal(InsufficientStock, importing.undo, run, "Back"))
    assert ledger.quantities(bolt.here) == [50]


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (Location, {"active": False}),
        (Location, {"kind": "transit"}),
        (Product, {"lots_kept": True}),
        (Product, {"active": False}),
        (Product, {"unit_code": "pcs"}),
    ],
)
def test_stock_is_brought_only_where_it_still_fits(as_ann, model, values):
    nut, barn = product("NUT", unit_code="kg"), location("B", name="Barn")
    run = checked("stock", "sku,location,quantity\nNUT,B,2.5\n")
    change(model, (barn if model is Location else nut).id, **values)
    assert applied(run).startswith("1 quantity does not fit any more")


def test_several_that_do_not_fit_are_counted(as_ann):
    barn = location("B", name="Barn")
    for sku in ("NUT", "BOLT"):
        product(sku)
    run = checked("stock", "sku,location,quantity\nNUT,B,2\nBOLT,B,2\n")
    change(Location, barn.id, active=False)
    assert applied(run).startswith("2 quantities do not fit any more")


def test_new_products_are_not_opened_on_the_way(as_ann):
    location("T", name="Lorry", kind="transit")
    assert faults(checked("products", "sku,name,location,quantity\nNUT,Nut,T,5\n")) == [
        "T is no place where stock is kept."
    ]


def test_taking_back_the_last_of_a_product_leaves_no_value(as_ann, ledger):
    nut, barn, shop = product("NUT", unit_cost=Decimal(5)), location("B", name="Barn"), location("S", name="Shop")
    run = bring_in("stock", "sku,location,quantity\nNUT,B,10\n")
    receive(10, product_id=nut.id, location_id=shop.id, unit_cost=Decimal(10))
    (sold,) = [one.id for one in items(nut.id) if one.location_id == shop.id]
    issue(sold, 10)
    assert ledger.worth(nut.id) == (10, 75)
    importing.undo(run, "Back")
    assert ledger.worth(nut.id) == (0, 0)
    assert barn.id != shop.id


def test_a_file_that_leaves_nothing_settles_what_rounding_left_like_everybody(as_ann, ledger):
    nut, barn = product("NUT"), location("B", name="Barn")
    receive(3, product_id=nut.id, location_id=barn.id, unit_cost=Decimal("0.3333"))
    change(Product, nut.id, unit_cost=Decimal("0.3334"))
    bring_in("stock", "sku,location,quantity\nNUT,B,0\n")
    assert ledger.worth(nut.id) == (0, 0)
    settled = ledger.movements()[-1]
    assert (settled.kind, settled.reference_type) == ("revaluation", "nothing left")
    assert "It comes back with what it settled" in str(refusal(Conflict, take_back, settled.id))


def test_nothing_is_taken_back_that_leaves_stock_worth_less_than_nothing(as_ann, ledger):
    nut, _barn, shop = product("NUT", unit_cost=Decimal(10)), location("B", name="Barn"), location("S", name="Shop")
    run = bring_in("stock", "sku,location,quantity\nNUT,B,10\n")
    receive(90, product_id=nut.id, location_id=shop.id, unit_cost=Decimal(0))
    (there,) = [one.id for one in items(nut.id) if one.location_id == shop.id]
    issue(there, 80)
    assert ledger.worth(nut.id) == (20, 20)
    assert "worth less than nothing" in str(refusal(Conflict, importing.undo, run, "Back"))


def items(product_id):
    with open_session() as session:
        return session.exec(select(InventoryItem).where(InventoryItem.product_id == product_id)).all()


# The trees


def test_no_file_closes_a_location_with_stock_or_changes_what_it_is(as_ann):
    bolt = shelf()
    for line in ("BOLT-N,Bolt north,,no", "BOLT-N,Bolt north,transit,"):
        said = applied(checked("locations", f"code,name,kind,active\n{line}\n"))
        assert said.startswith("1 of the locations cannot be closed or become something else")
    transfer(bolt.here, bolt.there, 10)
    bring_in("locations", "code,name,active\nBOLT-N,Bolt north,no\n")
    assert not found(Location, bolt.here_location).active


def test_no_file_closes_where_something_is_on_its_way_to(as_ann):
    bolt, barn = shelf(), location("B", name="Barn")
    send(bolt.here, barn.id, 1)
    assert "on its way there" in applied(checked("locations", "code,name,active\nB,Barn,no\n"))


def test_no_file_closes_what_has_parts_in_use(as_ann):
    tools = add(Category(code="T", name="Tools"))
    add(Category(code="S", name="Saws", parent_id=tools.id))
    assert "parts of them are in use" in applied(checked("categories", "code,name,active\nT,Tools,no\n"))
    bring_in("categories", "code,name,active\nT,Tools,no\nS,Saws,no\n")


def test_a_location_that_came_in_is_not_taken_back_with_what_was_brought_there(as_ann):
    bolt = shelf()
    run = bring_in("locations", "code,name\nB,Barn\n")
    with open_session() as session:
        barn = session.exec(select(Location).where(Location.code == "B")).one()
    transfer(bolt.here, None, 3, to_location_id=barn.id)
    assert "stock is there" in str(refusal(Conflict, importing.undo, run, "Back"))
    assert found(Location, barn.id).active


def test_no_file_puts_a_branch_into_itself_with_somebodys_help(as_ann):
    one, other = location("A", name="Aisle"), location("R", name="Rack")
    run = checked("locations", "code,name,part of\nA,Aisle,R\n")
    transact(
        locations.update_location,
        location_id=other.id,
        version=1,
        code="R",
        name="Rack",
        parent_id=one.id,
    )
    assert "parts of themselves" in applied(run)
    assert found(Location, one.id).parent_id is None


def test_no_file_builds_deeper_than_a_tree_may_be(as_ann):
    lines = "".join(f"L{n},Level {n},{f'L{n - 1}' if n else ''}\n" for n in range(9))
    assert "deeper than 8 levels" in applied(checked("categories", f"code,name,part of\n{lines}"))


def test_lots_of_a_file_are_still_one_by_one(as_ann, ledger):
    product("MILK", lots_kept=True)
    location("B", name="Barn")
    importing.undo(bring_in("stock", "sku,location,lot,quantity\nMILK,B,A1,5\n"), "Back")
    with open_session() as session:
        assert [lot.code for lot in session.exec(select(Lot))] == ["A1"]
        assert sum(one.quantity for one in session.exec(select(StockMovement))) == 0
    assert item().quantity == 0
