"""The start page: what a person finds there, what they may not see, and that its numbers are those of the pages."""

import importlib
import pkgutil
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from inventory_app import operations
from inventory_app.context import acting_as
from inventory_app.models._base import now
from inventory_app.models.catalog import Category
from inventory_app.models.users import LocalUser, Role
from inventory_app.operations import (
    _figures,
    categories,
    import_runs,
    items,
    reorder,
    reversals,
    stock,
    suppliers,
    users,
)
from inventory_app.operations._lists import View
from inventory_app.operations._operation import OPERATIONS
from inventory_app.operations._trail_labels import FORMER_OPERATIONS, operation_words
from inventory_app.operations._trail_labels import OPERATIONS as WORDS
from inventory_app.operations.course import WEEKS
from inventory_app.operations.home import CATEGORIES_SHOWN, WAITING_SHOWN, home
from inventory_app.unit_of_work import read, transact
from tests.factories import add, arrange, item, location, person, product, supplier


def seen_by(actor):
    with acting_as(actor):
        return read(home)


@pytest.fixture
def stocked(database):
    """Return a bolt that is low in two places together, a nut that is out, and a screw there is enough of."""
    north, south = location("NORTH", name="North"), location("SOUTH", name="South")
    drinks = add(Category(code="DRI", name="Drinks"))
    bolt = product("BOLT", name="Bolt", reorder_point=Decimal(10), unit_cost=Decimal("2.50"), category_id=drinks.id)
    nut = product("NUT", name="Nut", reorder_point=Decimal(5))
    screw = product("SCREW", name="Screw", reorder_point=Decimal(5), unit_cost=Decimal(1))
    items_of_bolt = item(bolt.id, north.id, 3), item(bolt.id, south.id, 4)
    item(nut.id, north.id, 0)
    item(screw.id, north.id, 100)
    return items_of_bolt


def test_what_waits_for_the_viewer_is_listed_oldest_first(ada, ann):
    supplier("Old", submitted_at=now() - timedelta(days=8), city="Lyon", country="France", source="application")
    supplier("New", submitted_at=now() - timedelta(hours=1))
    supplier("Own", entered_by=ada.id)
    person("newcomer", enabled=False)
    found = seen_by(ada)
    assert [(row.kind, row.title, row.late) for row in found.waiting] == [
        ("supplier", "Old", True),
        ("supplier", "New", False),
        ("person", "Newcomer", False),
    ]
    assert found.waiting[0].meta == "Applied by itself · Lyon, France"
    assert (found.suppliers, found.people, found.late) == (2, 1, 1)
    assert (seen_by(ann).suppliers, seen_by(ann).people) == (3, 0), "Ann may let nobody in"


def test_an_empty_stock_is_told_from_one_that_suffices(ann):
    assert seen_by(ann).no_stock
    item(product("BOLT", name="Bolt").id, location("NORTH", name="North").id, 3)
    assert not seen_by(ann).no_stock


def test_more_than_is_shown_is_counted_as_the_pages_count_it(ada):
    for number in range(WAITING_SHOWN + 2):
        supplier(f"Supplier {number}")
    found = seen_by(ada)
    assert len(found.waiting) == WAITING_SHOWN
    with acting_as(ada):
        assert read(suppliers.count_waiting).yours == found.suppliers == WAITING_SHOWN + 2
        assert read(users.count_users).waiting == found.people == 0


def test_products_to_reorder_come_with_what_there_is_least_of_first(stocked, ann):
    found = seen_by(ann)
    assert [(row.product, row.on_hand, row.reorder_point, row.level) for row in found.low] == [
        ("Nut", "0", "5", "out"),
        ("Bolt", "7", "10", "low"),
    ]
    assert found.products_to_reorder == 2
    with acting_as(ann):
        listed = read(items.overview, view=View(filters={"view": "reorder"}))
        assert read(reorder.list_low, view=View()).page.rows == found.low, "with the same suggestions"
    assert listed.count == listed.summary.to_reorder == 3


def test_what_came_and_went_is_counted_by_week_without_what_only_moved(stocked, ann, observer):
    first, second = stocked
    with acting_as(ann):
        transact(stock.transfer_inventory, from_item_id=first.id, to_item_id=second.id, quantity=Decimal(1))
        transact(stock.issue_inventory, item_id=first.id, quantity=Decimal(1))
        transact(stock.receive_inventory, item_id=first.id, quantity=Decimal(2), occurred_at=now() - timedelta(weeks=2))
        transact(stock.receive_inventory, item_id=first.id, quantity=Decimal(2), occurred_at=now() - timedelta(weeks=9))
    weeks = seen_by(ann).weeks
    assert [(week.came, week.went) for week in weeks] == [(0, 0)] * 5 + [(1, 0), (0, 0), (3, 1)]
    assert [(later.begins - week.begins).days for week, later in pairwise(weeks)] == [7] * 7
    assert weeks[-1].begins.weekday() == 0
    assert weeks[-1].begins <= now().date()


def test_what_one_booked_can_be_undone_from_the_start_page_once(stocked, ann):
    first, second = stocked
    with acting_as(ann):
        counted = transact(
            stock.bulk_update_inventory,
            updates=[{"item_id": first.id, "quantity": "9"}, {"item_id": second.id, "quantity": "4"}],
        )
        transact(stock.adjust_inventory, item_id=first.id, quantity=Decimal(1), reason_code="found")
        transact(categories.create_category, code="X", name="Nothing that was booked")
    assert [row.undo for row in seen_by(ann).done] == [False, True, True]
    with acting_as(ann):
        undone = seen_by(ann).done[1].id
        transact(reversals.reverse_operation, taken_id=undone)
        transact(reversals.reverse_operation, taken_id=counted.operation_id)
    assert [(row.title, row.undo) for row in seen_by(ann).done[:2]] == [("Took something back", False)] * 2
    assert not any(row.undo for row in seen_by(ann).done)


def test_who_may_not_take_back_is_offered_no_undo(stocked):
    emma = person("emma", "employee")
    with acting_as(emma):
        transact(stock.adjust_inventory, item_id=stocked[0].id, quantity=Decimal(1), reason_code="found")
    assert [row.undo for row in seen_by(emma).done] == [False]


def test_what_stock_is_worth_adds_up_and_is_what_the_list_says(stocked, ann):
    found = seen_by(ann)
    assert [(share.category, share.worth, share.percent) for share in found.shares] == [
        ("No category", "100.00", 100),
        ("Drinks", "17.50", 18),
    ]
    with acting_as(ann):
        assert read(items.summarize).worth == f"{found.worth} {found.currency}" == "117.50 USD"


def test_many_categories_are_taken_together_at_the_end(ann):
    place = location("HALL").id
    for number in range(CATEGORIES_SHOWN + 3):
        of = add(Category(code=f"C{number}", name=f"Category {number:02}"))
        item(product(f"P{number}", category_id=of.id, unit_cost=Decimal(100 - number)).id, place, 1)
    shares = seen_by(ann).shares
    assert len(shares) == CATEGORIES_SHOWN
    assert (shares[-1].category, shares[-1].worth) == ("Others", f"{sum(100 - n for n in range(7, 11)):.2f}")


def test_nobody_sees_on_the_start_page_what_they_may_not_see_elsewhere(stocked, bob):
    supplier("Acme")
    person("newcomer", enabled=False)
    nothing = seen_by(bob)
    assert (nothing.waiting, nothing.low, nothing.shares, nothing.done) == ([], [], [], [])
    assert (nothing.suppliers, nothing.people, nothing.products_to_reorder, nothing.worth) == (0, 0, 0, "")
    employee = seen_by(person("emma", "employee"))
    assert employee.low
    assert (employee.worth, employee.shares, employee.waiting) == ("", [], [])
    assert (nothing.weeks, len(employee.weeks)) == ([], WEEKS)


def test_ones_own_last_changes_are_there_and_nobody_elses(stocked, ann, ada):
    first, second = stocked
    with acting_as(ann):
        transact(stock.transfer_inventory, from_item_id=first.id, to_item_id=second.id, quantity=Decimal(1))
        transact(stock.adjust_inventory, item_id=first.id, quantity=Decimal(1), reason_code="found")
    assert [(row.title, row.summary) for row in seen_by(ann).done] == [
        ("Adjusted stock", "Bolt at North · Found"),
        ("Moved stock", "Bolt at North · 2 stock items, 2 movements"),
    ]
    assert seen_by(ada).done == []


def test_words_are_for_operations_that_exist_and_others_get_plain_ones():
    for module in pkgutil.iter_modules(operations.__path__, f"{operations.__name__}."):
        importlib.import_module(module.name)
    assert import_runs.apply_import.spec.name in WORDS
    assert WORDS.keys() <= OPERATIONS.keys()
    assert not FORMER_OPERATIONS.keys() & OPERATIONS.keys()
    assert operation_words("imports.import_products") == "Imported products"
    assert operation_words("roles.change_permissions") == "Changed what roles may do"
    assert operation_words("catalog.rename_location") == "Rename location"


def test_who_only_lets_people_in_finds_people_and_how_long_they_have_waited(database):
    def build(session):
        role = Role(name="doorkeeper")
        session.add(role)
        session.flush()
        role.set_permissions({"users:manage", "users:view"}, session)

    arrange(build)
    doorkeeper = person("dora", "doorkeeper")
    supplier("Old", submitted_at=now() - timedelta(days=8))
    newcomer = person("newcomer", enabled=False)
    arrange(lambda s: setattr(s.get_one(LocalUser, newcomer.id), "created_at", now() - timedelta(days=8)))
    found = seen_by(doorkeeper)
    assert [(row.kind, row.late) for row in found.waiting] == [("person", True)]
    assert (found.suppliers, found.people, found.late) == (0, 1, 1)


def test_what_stock_is_worth_is_summed_up_by_the_top_of_the_categories(ann):
    drinks = add(Category(code="DRI", name="Drinks"))
    beer = add(Category(code="BEER", name="Beer", parent_id=drinks.id))
    ale = add(Category(code="ALE", name="Ale", parent_id=beer.id))
    for code, category, cost in (("A", ale.id, 3), ("B", drinks.id, 4), ("C", None, 5)):
        item(product(code, category_id=category, unit_cost=Decimal(cost)).id, quantity=10)
    assert [(share.category, share.worth) for share in seen_by(ann).shares] == [
        ("Drinks", "70.00"),
        ("No category", "50.00"),
    ]


def test_figures_say_how_old_they_are_only_when_that_is_not_now(ann, monkeypatch):
    item(quantity=1)
    assert seen_by(ann).as_of == ""
    monkeypatch.setattr(_figures, "_NOW", timedelta(seconds=-1))
    assert seen_by(ann).as_of
