"""Categories and locations: trees without circles, and nothing closed that still holds something."""

from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import Conflict, Invalid, NotFound, Stale
from inventory_app.models.catalog import Category
from inventory_app.models.stock import Shipment
from inventory_app.operations import catalog, categories, locations
from inventory_app.operations._trees import DEEPEST
from inventory_app.unit_of_work import read, transact
from tests.factories import add, item, location, person, product, role
from tests.fixtures.seeing import Side, before_commit, locks_waited_for, wait_until_blocked
from tests.operations.shelf import adjust, refusal, shelf, transfer


@pytest.fixture(autouse=True)
def as_ann(ann):
    """Let the manager do it."""
    with acting_as(ann):
        yield ann


@pytest.fixture
def nancy(database):
    """Return a second manager."""
    return person("nancy", "manager")


def category(name: str, parent: int | None = None, **columns) -> int:
    return add(Category(code=name.upper(), name=name, parent_id=parent, **columns)).id or 0


def place(name: str, parent: int | None = None, **columns) -> int:
    return location(name.upper(), name=name, parent_id=parent, **columns).id or 0


def move(id_: int, parent: int | None, version: int = 1, tree: str = "category", **more):
    """Put a branch elsewhere and leave its names."""
    if tree == "category":
        row = next(one for one in read(categories.category_tree) if one.id == id_)
        fields = {"code": row.code, "name": row.name} | more
        return transact(categories.update_category, category_id=id_, version=version, parent_id=parent, **fields)
    row = next(one for one in read(locations.location_tree) if one.id == id_)
    fields = {"code": row.code, "name": row.name, "kind": row.kind} | more
    return transact(locations.update_location, location_id=id_, version=version, parent_id=parent, **fields)


def close(location_id: int, version: int = 1, *, active: bool = False):
    return transact(locations.set_location_active, location_id=location_id, version=version, active=active)


def close_category(category_id: int, version: int = 1, *, active: bool = False):
    return transact(categories.set_category_active, category_id=category_id, version=version, active=active)


def paths() -> list[str]:
    return [row.path for row in read(categories.category_tree)]


def active(location_id: int) -> bool:
    return next(row.active for row in read(locations.location_tree) if row.id == location_id)


# The tree


def test_a_tree_shows_every_branch_below_what_it_stands_in():
    food = category("Food")
    category("Tools")
    dairy = category("Dairy", food)
    category("Cheese", dairy)
    product("BRIE", category_id=dairy)
    product("OLD", category_id=dairy, active=False)
    found = read(categories.category_tree)
    assert [(row.path, row.depth, row.products) for row in found] == [
        ("Food", 0, 0),
        ("Food / Dairy", 1, 1),
        ("Food / Dairy / Cheese", 2, 0),
        ("Tools", 0, 0),
    ]


def test_a_category_is_added_renamed_and_moved_with_all_that_is_in_it(trail):
    food = transact(categories.create_category, code="food", name=" Food ").id
    dairy = transact(categories.create_category, code="dairy", name="Dairy", parent_id=food).id
    transact(categories.create_category, code="cheese", name="Cheese", parent_id=dairy)
    fresh = category("Fresh")
    move(dairy, fresh, name="Milk")
    assert paths() == ["Food", "Fresh", "Fresh / Milk", "Fresh / Milk / Cheese"]
    assert trail.last().name == "categories.update_category"


@pytest.mark.parametrize("tree", ["category", "location"])
def test_a_branch_never_stands_in_itself(tree):
    make = category if tree == "category" else place
    top = make("Top")
    middle = make("Middle", top)
    leaf = make("Leaf", middle)
    assert str(refusal(Invalid, move, top, top, tree=tree)) == "Top cannot stand in itself."
    said = "Top cannot stand in Leaf: that is a part of it."
    assert refusal(Invalid, move, top, leaf, tree=tree).fields == {"parent_id": said}
    move(leaf, None, tree=tree)
    move(top, leaf, tree=tree)


@pytest.mark.parametrize("tree", ["category", "location"])
def test_two_people_cannot_put_each_of_two_branches_into_the_other(tree, nancy, observer):
    make = category if tree == "category" else place
    one_branch, other_branch = make("One"), make("Other")
    with Side(lambda: move(one_branch, other_branch, tree=tree), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(lambda: move(other_branch, one_branch, tree=tree)) as other:
            waiter = wait_until_blocked(observer, by=holder)
            assert locks_waited_for(observer, waiter) == [("advisory", "ExclusiveLock")]
            one.go_on()
            one.result()
            error = other.error()
    assert isinstance(error, Invalid)
    assert str(error) == "Other cannot stand in One: that is a part of it."


def test_a_tree_is_only_so_deep():
    parent = None
    for level in range(DEEPEST):
        parent = transact(categories.create_category, code=f"C{level}", name=f"C{level}", parent_id=parent).id
    too_deep = f"At most {DEEPEST} levels can stand in each other."
    error = refusal(Invalid, lambda: transact(categories.create_category, code="X", name="X", parent_id=parent))
    assert error.fields == {"parent_id": too_deep}
    top = category("Top")
    first = next(row.id for row in read(categories.category_tree) if row.code == "C0")
    assert refusal(Invalid, move, first, top).fields == {"parent_id": too_deep}


def test_nothing_is_put_into_what_is_closed_or_not_there():
    mine = category("Mine")
    for parent in (category("Closed", active=False), 999_999):
        assert refusal(Invalid, move, mine, parent).fields == {"parent_id": "Choose one of the list."}
    for parent in (place("Closed", active=False), 999_999):
        error = refusal(Invalid, lambda p=parent: transact(catalog.create_location, code="A", name="A", parent_id=p))
        assert error.fields == {"parent_id": "Choose one of the list."}


def test_names_and_codes_are_asked_for_and_a_code_is_used_once():
    category("Tools")
    for code, name, fields in (("", "X", {"code"}), ("X" * 21, " ", {"code", "name"}), ("X", "", {"name"})):
        error = refusal(Invalid, lambda c=code, n=name: transact(categories.create_category, code=c, name=n))
        assert set(error.fields) == fields
    again = refusal(Conflict, lambda: transact(categories.create_category, code="tools", name="Tools"))
    assert str(again) == "A category of this code exists."


def test_whoever_comes_second_reads_it_again():
    mine = category("Mine")
    move(mine, None, name="Yours")
    assert str(refusal(Stale, move, mine, None, name="Ours")) == (
        "Yours was changed after you opened it. Reload the page and read it again."
    )
    said = "Nothing was changed: everything is already as entered."
    assert str(refusal(Invalid, move, mine, None, 2)) == said
    assert str(refusal(Invalid, move, place("P"), None, tree="location")) == said
    assert str(refusal(NotFound, close_category, 999_999)) == "There is no such category. Reload the page."
    assert str(refusal(NotFound, close, 999_999)) == "There is no such location. Reload the page."


def test_of_two_editors_at_once_the_second_waits_and_is_refused(nancy, observer):
    mine = category("Mine")
    with Side(lambda: move(mine, None, name="Yours"), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(lambda: move(mine, None, name="Ours")) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            assert isinstance(other.error(), Stale)


# Closing and opening


@pytest.mark.parametrize("tree", ["category", "location"])
def test_a_branch_is_closed_from_below_and_opened_from_above(tree):
    make, set_active = (category, close_category) if tree == "category" else (place, close)
    top = make("Top")
    leaf = make("Leaf", top)
    assert str(refusal(Conflict, set_active, top)) == (
        "Top cannot be closed: Leaf stands in it and is in use. Close or move that first."
    )
    set_active(leaf)
    set_active(top)
    assert str(refusal(Conflict, set_active, top, 2)) == "Top is closed already."
    assert str(refusal(Conflict, set_active, leaf, 2, active=True)) == (
        "Leaf stands in Top, which is closed. Open that first."
    )
    set_active(top, 2, active=True)
    set_active(leaf, 2, active=True)
    assert str(refusal(Conflict, set_active, leaf, 3, active=True)) == "Leaf is in use already."


def test_a_location_with_stock_is_not_closed():
    bolt = shelf(here="10", there="0")
    assert str(refusal(Conflict, close, bolt.here_location)) == (
        "Bolt north cannot be closed: 10 pcs of Bolt is there. Move it out first."
    )
    for number in range(4):
        item(product(f"P{number}").id, bolt.here_location, 2)
    assert str(refusal(Conflict, close, bolt.here_location)) == (
        "Bolt north cannot be closed: 10 pcs of Bolt, 2 pcs of P0, 2 pcs of P1 and 2 more are there. Move it out first."
    )
    close(bolt.there_location)
    assert not active(bolt.there_location)


def test_a_location_something_is_on_its_way_to_is_not_closed():
    mine, target = product("BOLT", name="Bolt").id or 0, place("Shed")
    here, on_the_way = item(mine), item(mine, place("Road", kind="transit"), 4)
    add(
        Shipment(
            from_item_id=here.id or 0,
            transit_item_id=on_the_way.id or 0,
            to_location_id=target,
            quantity=Decimal(4),
            sent_by="ann",
        )
    )
    assert str(refusal(Conflict, close, target)) == (
        "Shed cannot be closed: 4 pcs of Bolt is on the way to it. Accept it first."
    )


def correct(location_id: int, version: int = 1, **fields):
    """Correct a location."""
    given = {"code": "NEW", "name": "New"} | fields
    return transact(locations.update_location, location_id=location_id, version=version, **given)


def test_what_a_location_is_stays_while_stock_is_there():
    bolt = shelf(here="3", there="0")
    error = refusal(Conflict, lambda: correct(bolt.here_location, kind="loss"))
    assert error.fields == {"kind": "What it is stays while stock is there: 3 pcs of Bolt is there."}
    correct(bolt.there_location, kind="loss")
    error = refusal(Invalid, lambda: correct(bolt.there_location, 2, kind="moon"))
    assert error.fields == {"kind": "Choose one of the list."}
    shown = next(row for row in read(locations.location_tree) if row.id == bolt.there_location)
    assert (shown.code, shown.name, shown.kind_label) == ("NEW", "New", "Losses")


def test_who_may_not_see_stock_is_not_told_where_there_is_any(database):
    bolt = shelf(here="3", there="0")
    assert {row.id: row.kept for row in read(locations.location_tree)}[bolt.here_location] == 1
    role("reader", "products:view")
    with acting_as(person("rita", "reader")):
        assert not any(row.kept for row in read(locations.location_tree))


# Closing while somebody moves stock


@pytest.mark.parametrize("known", [True, False], ids=["an item is there", "the first of its kind there"])
def test_closing_waits_for_a_transfer_there_and_then_sees_it(known, nancy, observer):
    bolt = shelf(here="10", there="0")
    target = bolt.there_location if known else place("Shed")
    with Side(lambda: transfer(bolt.here, None, 4, to_location_id=target), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(lambda: close(target)) as other:
            waiter = wait_until_blocked(observer, by=holder)
            assert locks_waited_for(observer, waiter) == [("transactionid", "ShareLock")]
            one.go_on()
            one.result()
            error = other.error()
    assert isinstance(error, Conflict)
    assert "4 pcs of Bolt is there." in str(error)
    assert active(target)


@pytest.mark.parametrize("known", [True, False], ids=["an item is there", "the first of its kind there"])
def test_a_transfer_that_waited_for_closing_finds_it_closed(known, nancy, observer):
    bolt = shelf(here="10", there="0")
    target = bolt.there_location if known else place("Shed")
    with Side(lambda: close(target), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(lambda: transfer(bolt.here, None, 4, to_location_id=target)) as other:
            waiter = wait_until_blocked(observer, by=holder)
            assert locks_waited_for(observer, waiter) == [("transactionid", "ShareLock")]
            one.go_on()
            one.result()
            error = other.error()
    assert isinstance(error, Invalid)
    assert "is closed. Choose a location that is in use." in str(error)
    held = observer.execute("SELECT sum(quantity) FROM inventory_item WHERE location_id = %s", [target]).fetchone()
    assert not held[0]


def test_an_adjustment_that_waited_for_closing_finds_it_closed(nancy, observer):
    bolt = shelf(here="10", there="0")
    with Side(lambda: close(bolt.there_location), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(lambda: adjust(bolt.there, 5)) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            error = other.error()
    assert isinstance(error, Invalid)
