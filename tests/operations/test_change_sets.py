"""Sets of changes: looked at first, applied as a whole under locks, taken back as a whole; hidden where prices are."""

import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlmodel import col

from inventory_app.context import acting_as
from inventory_app.errors import AlreadyDecided, Invalid, InvalidRows, NotAllowed, NotFound, Stale
from inventory_app.models.catalog import Category, Product, ProductPrice
from inventory_app.models.lists import ChangeSet
from inventory_app.models.stock import InventoryItem, Reservation
from inventory_app.operations import change_sets, home, locations, pricing, reservations, trail
from inventory_app.operations._ledger import LARGEST
from inventory_app.operations._lists import View
from inventory_app.unit_of_work import read, transact
from tests.factories import add, arrange, item, person, product, role, supplier
from tests.fixtures.seeing import Side, before_commit, wait_until_blocked
from tests.operations.shelf import Ledger, receive, refusal, reserve, send, shelf, transfer


def tomorrow():
    """Return the next day as it is now: a run may go on past midnight."""
    return datetime.now(UTC).date() + timedelta(days=1)


@pytest.fixture
def nancy(database):
    """Return a second manager."""
    return person("nancy", "manager")


@pytest.fixture
def as_ann(ann):
    """Let the manager do it."""
    with acting_as(ann):
        yield ann


def some(number: int = 3, **columns: object) -> list[int]:
    return [product(f"P{n}", name=f"Part {n}", **columns).id or 0 for n in range(number)]


def propose(ids, field="reorder_point", value="5", **more) -> int:
    arguments = {"product_ids": ids, "field": field, "value": value, **more}
    return transact(change_sets.propose_products, **arguments).change_set_id


def prices(ids, how="percent", value="10", **more) -> int:
    arguments = {"product_ids": ids, "how": how, "value": value, **more}
    return transact(change_sets.propose_prices, **arguments).change_set_id


def apply(id_: int, **more) -> str:
    return transact(change_sets.apply_changes, change_set_id=id_, **more).status


def revert(id_: int, **more) -> str:
    return transact(change_sets.revert_changes, change_set_id=id_, **more).status


def detail(id_: int, **more) -> change_sets.SetDetail:
    return read(change_sets.change_set_detail, change_set_id=id_, **more)


def held(ids, column: str) -> list[object]:
    table = Product.__table__
    found = arrange(lambda s: dict(s.execute(sa.select(table.c.id, table.c[column])).all()))
    return [found[id_] for id_ in ids]


def test_a_set_is_looked_at_applied_and_taken_back(as_ann, trail):
    ids = some()
    found = propose(ids, title="Winter", reason="More is used")
    shown = detail(found)
    assert (shown.title, shown.status, shown.rows, shown.faults) == ("Winter", "Draft", "3", 0)
    assert [(row.name, row.before, row.after) for row in shown.page.rows[:1]] == [("Part 0", "0 pcs", "5 pcs")]
    assert held(ids, "reorder_point") == [0, 0, 0]
    assert apply(found, version=shown.version) == "applied"
    assert held(ids, "reorder_point") == [5, 5, 5]
    assert held(ids, "version") == [2, 2, 2]
    assert revert(found, reason="Not yet") == "reverted"
    assert held(ids, "reorder_point") == [0, 0, 0]
    assert detail(found).status == "Taken back"
    names = [done.name for done in trail.operations() if done.name.startswith("change_sets.")]
    assert names == ["change_sets.propose_products", "change_sets.apply_changes", "change_sets.revert_changes"]
    assert {done.actor_name for done in trail.operations() if done.name in names} == {"ann"}


@pytest.mark.parametrize("field", ["category_id", "supplier_id", "active", "reorder_quantity"])
def test_every_field_is_written_and_read_by_its_words(as_ann, field):
    ids = some()
    value, said = {
        "category_id": lambda: (str(add(Category(code="T", name="Tools")).id), "Tools"),
        "supplier_id": lambda: (str(supplier("Acme", status="approved").id), "Acme"),
        "active": lambda: ("false", "archived"),
        "reorder_quantity": lambda: ("12", "12 pcs"),
    }[field]()
    found = propose(ids, field, value)
    assert {row.after for row in detail(found).page.rows} == {said}
    apply(found)
    before = held(ids, field)
    assert len(set(before)) == 1
    revert(found)
    assert held(ids, field) != before


def test_what_is_like_that_already_is_left_out(as_ann):
    (one,) = some(1)
    (other,) = [product("OTHER", reorder_point=Decimal(5)).id]
    assert detail(propose([one, other])).rows == "1"
    assert "Nothing would change" in str(refusal(Invalid, propose, [other]))


@pytest.mark.parametrize(
    ("field", "value"),
    [("reorder_point", "-1"), ("reorder_point", "many"), ("category_id", "999"), ("active", "perhaps"),
     ("supplier_id", "x"), ("reorder_point", "999999999999"), ("reorder_quantity", "0.0001")],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused_beside_its_field(as_ann, field, value):
    assert "value" in refusal(Invalid, propose, some(1), field, value).fields


def test_other_impossible_proposals_are_refused(as_ann):
    ids = some(1)
    refusal(Invalid, propose, [])
    refusal(Invalid, propose, list(range(1, 20_002)))
    refusal(Invalid, propose, ids, "unit_price", "5")
    refusal(NotFound, propose, ids, "sku", "5")
    refusal(Invalid, prices, ids, how="double")
    refusal(Invalid, prices, ids, round_to="0.03")
    for value in ("0", "-101", "1001", "much"):
        assert "value" in refusal(Invalid, prices, ids, value=value).fields
    refusal(NotFound, apply, 999)
    assert read(change_sets.change_set_detail, change_set_id=999) is None


def test_a_row_that_cannot_be_says_so_and_the_whole_set_is_refused(as_ann):
    ids = some()
    found = propose(ids, value="2.5")
    shown = detail(found, only_faults=True)
    assert shown.faults == 3
    assert shown.page.rows[0].fault == "its unit is not counted that finely"
    assert len(refusal(InvalidRows, apply, found).rows) == 3
    assert held(ids, "reorder_point") == [0, 0, 0]
    assert transact(change_sets.discard_changes, change_set_id=found).status == "discarded"


def test_what_changed_meanwhile_is_listed_and_nothing_is_written(as_ann):
    ids = some()
    first, second = propose(ids[:1], value="7"), propose(ids, value="9")
    apply(first)
    shown = detail(second)
    assert (shown.faults, shown.page.rows[0].fault) == (1, "was changed meanwhile: it is 7 pcs now")
    error = refusal(InvalidRows, apply, second)
    assert str(error) == "1 of 3 cannot be changed, so none was:"
    assert error.rows == ((1, "P0", "was changed meanwhile: it is 7.000 now"),)
    assert held(ids, "reorder_point") == [7, 0, 0]


def test_what_changed_since_is_not_taken_back(as_ann):
    ids = some()
    first = propose(ids)
    apply(first)
    apply(propose(ids[1:2], value="6"))
    assert refusal(InvalidRows, revert, first).rows[0][1] == "P1"
    assert held(ids, "reorder_point") == [5, 6, 5]


def test_each_step_is_done_once(as_ann):
    found = propose(some())
    refusal(AlreadyDecided, revert, found)
    refusal(Stale, apply, found, version=9)
    assert apply(found, idempotency_key="k") == apply(found, idempotency_key="k") == "applied"
    refusal(AlreadyDecided, apply, found)
    refusal(AlreadyDecided, transact, change_sets.discard_changes, change_set_id=found)
    revert(found)
    refusal(AlreadyDecided, revert, found)


# Prices


def test_prices_are_changed_with_their_history_and_back(as_ann):
    ids = some(unit_price=Decimal(10))
    found = prices(ids, reason="Steel")
    assert detail(found).page.rows[0].after == "11.00 USD"
    apply(found)
    assert held(ids, "unit_price") == [11, 11, 11]
    revert(found)
    assert held(ids, "unit_price") == [10, 10, 10]
    rows = read(pricing.price_history, product_id=ids[0]).rows
    assert [(row.price, row.old, row.change_set) for row in rows] == [
        ("10.00 USD", "11.00", f"/changes/{found}"),
        ("11.00 USD", "10.00", f"/changes/{found}"),
    ]


def test_planned_prices_of_a_set_wait_and_are_cancelled_together(as_ann):
    ids = some(unit_price=Decimal(10))
    found = prices(ids, effective_on=tomorrow())
    assert apply(found) == "planned"
    assert (held(ids, "unit_price"), len(read(pricing.planned_prices).rows)) == ([10, 10, 10], 3)
    assert detail(found).status == f"Planned for {tomorrow():%-d %b %Y}"
    assert detail(prices(ids, effective_on=tomorrow())).page.rows[0].fault == "another price is planned for that day"
    revert(found)
    assert read(pricing.planned_prices).rows == []


def test_a_planned_set_of_which_one_was_cancelled_is_not_taken_back(as_ann):
    found = prices(some(unit_price=Decimal(10)), effective_on=tomorrow())
    apply(found)
    transact(pricing.cancel_planned_price, price_id=read(pricing.planned_prices).rows[0].id)
    assert refusal(InvalidRows, revert, found).rows[0][1] == "P0"
    assert len(read(pricing.planned_prices).rows) == 2


def test_the_prices_of_a_file_are_one_set_or_every_fault_of_it(as_ann):
    ids = some(unit_price=Decimal(10))
    rows = [(2, "p0", "12.5"), (3, "P1", "1.234,5"), (4, "GHOST", "1"), (5, "P0", "3"), (6, "", "3"), (7, "P2", "-1")]
    error = refusal(InvalidRows, transact, change_sets.propose_prices_by_sku, rows=rows)
    assert [(row, field) for row, field, _ in error.rows] == [
        (3, "price"), (4, "sku"), (5, "sku"), (6, "sku"), (7, "price"),
    ]  # fmt: skip
    found = transact(change_sets.propose_prices_by_sku, rows=[(2, "p0", "12.5"), (3, "P1", "7")]).change_set_id
    apply(found)
    assert held(ids, "unit_price") == [Decimal("12.5"), 7, 10]


def test_who_may_not_see_prices_sees_none_in_a_set_and_none_in_the_trail(ann, trail):
    with acting_as(ann):
        ids = some(unit_price=Decimal("98765.43"))
        found = prices(ids)
        apply(found)
        apply(propose(ids[:1], value="7"))
    with acting_as(person("emil", "employee")):
        shown = detail(found)
        assert {(row.before, row.after) for row in shown.page.rows} == {("hidden", "hidden")}
        assert (shown.hidden, shown.may_change) == (True, False)
        refusal(NotAllowed, revert, found)
        refusal(NotAllowed, propose, ids)
    watcher = person("watcher", "blind")
    with acting_as(watcher):
        for done in trail.operations():
            rows = read(trail_of, operation_id=str(done.id))
            # With and without what separates the thousands; 108,641.97 is ten percent more.
            assert not [said for said in ("98765", "98,765", "108641", "108,641") if said in str(rows)]


@pytest.fixture(autouse=True)
def blind(database):
    """Let there be somebody who sees the trail, and no prices."""
    role("blind", "audit:view", "products:view")


trail_of = trail.operation_detail


# Quantities


@pytest.fixture
def ledger(observer):
    return Ledger(observer)


def count(quantities, **more) -> int:
    return transact(change_sets.propose_quantities, quantities=quantities, **more).change_set_id


def test_quantities_are_booked_as_counts_and_taken_back_by_counter_entries(as_ann, ledger):
    bolt, nut = shelf("Bolt"), shelf("Nut")
    found = count({bolt.here: "7", nut.here: "12", nut.there: "5"})
    assert detail(found).rows == "2"
    assert detail(found).page.rows[0].place == "Bolt north"
    apply(found)
    assert ledger.quantities(bolt.here, nut.here) == [7, 12]
    assert [m.kind for m in ledger.movements(bolt.here)] == ["adjustment", "count"]
    revert(found)
    assert ledger.quantities(bolt.here, nut.here) == [10, 10]
    ledger.balances()


def test_counts_are_taken_back_at_the_value_they_were_booked_with(as_ann, ledger):
    bolt = shelf("Bolt", here="10", there="10", unit_cost=Decimal(2))
    found = count({bolt.here: "4"})
    apply(found)
    receive(14, item_id=bolt.there, unit_cost=Decimal(6))
    assert ledger.cost(bolt.product_id) == 4
    revert(found)
    booked, back = [m for m in ledger.movements(bolt.here) if m.kind in ("count", "reversal")]
    assert (booked.quantity, booked.value, back.quantity, back.value) == (-6, -12, 6, 12)
    assert (back.reverses, back.unit_cost, back.note) == (booked.id, 2, "Taken back: Quantity of 1 item")
    assert ledger.worth(bolt.product_id) == (34, 124)
    assert ledger.cost(bolt.product_id) == Decimal("3.6471")
    ledger.balances()


def test_a_count_of_everything_takes_what_rounding_left_back_with_it(as_ann, ledger):
    nut = shelf("Nut", here="2", there="0", unit_cost=Decimal("0.3333"))
    receive(1, item_id=nut.here, unit_cost=Decimal("0.3334"))
    before = ledger.worth(nut.product_id)
    found = count({nut.here: "0"})
    apply(found)
    assert ledger.worth(nut.product_id) == (0, 0)
    revert(found)
    assert ledger.worth(nut.product_id) == before
    ledger.balances()


@pytest.mark.parametrize(
    ("how", "value", "left"),
    [("by", "-3", [7, 7]), ("by", "+2.0", [12, 12]), ("by", "−1", [9, 9]), ("set", "4", [4, 4])],
)
def test_many_items_get_one_quantity_or_difference(as_ann, ledger, how, value, left):
    items = [shelf("Bolt").here, shelf("Nut").here]
    found = count(None, item_ids=items, how=how, value=value)
    assert ledger.quantities(*items) == [10, 10]
    apply(found)
    assert ledger.quantities(*items) == left
    revert(found)
    assert ledger.quantities(*items) == [10, 10]
    ledger.balances()


def test_less_than_nothing_or_more_than_can_be_kept_is_listed(as_ann):
    bolt = shelf("Bolt").here
    assert [row.fault for row in detail(count(None, item_ids=[bolt], how="by", value="-11")).page.rows] == [
        "less than nothing would be left"
    ]
    assert [row.fault for row in detail(count(None, item_ids=[bolt], how="by", value=f"{LARGEST:f}")).page.rows] == [
        "that is more than can be kept"
    ]


@pytest.mark.parametrize(
    ("how", "value", "field", "said"),
    [
        ("by", "0", "value", "how much more"),
        ("by", "x", "value", "Enter a number"),
        ("by", "1" + "0" * 15, "value", "too large"),
        ("set", "-1", "value", "negative"),
        ("percent", "5", "how", "Choose one"),
    ],
)
def test_what_is_no_quantity_for_many_is_refused(as_ann, how, value, field, said):
    assert said in refusal(Invalid, count, None, item_ids=[shelf("Bolt").here], how=how, value=value).fields[field]


def test_a_quantity_that_moved_or_is_reserved_is_listed(as_ann, ledger):
    bolt, nut = shelf("Bolt"), shelf("Nut")
    until = datetime.now(UTC) + timedelta(days=1)
    add(Reservation(item_id=nut.here, quantity=Decimal(6), expires_at=until, created_by="ann"))
    found = count({bolt.here: "7", nut.here: "5"})
    transfer(bolt.here, bolt.there, 1)
    assert {row.fault for row in detail(found).page.rows} == {
        "was changed meanwhile: it is 9 pcs now",
        "more of it is reserved",
    }
    assert len(refusal(InvalidRows, apply, found).rows) == 2
    assert ledger.quantities(bolt.here, nut.here) == [9, 10]


def test_what_is_reserved_since_is_kept_when_a_count_is_taken_back(as_ann, ledger):
    bolt = shelf("Bolt")
    found = count({bolt.here: "20"})
    apply(found)
    until = datetime.now(UTC) + timedelta(days=1)
    add(Reservation(item_id=bolt.here, quantity=Decimal(15), expires_at=until, created_by="ann"))
    assert [row.fault for row in detail(found).page.rows] == ["more of it is reserved"]
    refusal(InvalidRows, revert, found)
    assert ledger.quantities(bolt.here) == [20]


def test_what_is_on_its_way_is_not_counted(as_ann, ledger):
    bolt = shelf("Bolt")
    send(bolt.here, bolt.there_location, 4)
    (moving,) = ledger.rows("SELECT transit_item_id FROM shipment")
    found = count({moving.transit_item_id: "3"})
    (row,) = detail(found).page.rows
    assert row.fault == "it is on its way: accept its shipment instead"
    refusal(InvalidRows, apply, found)


def test_only_who_may_change_many_can(database):
    bolt = shelf("Bolt")
    with acting_as(person("emil", "employee")):
        refusal(NotAllowed, count, {bolt.here: "7"})


# Races


def test_two_sets_with_common_products_wait_and_the_second_is_stale(ann, nancy, observer):
    ids = some()
    with acting_as(ann):
        one_set, two_set = propose(ids), propose(list(reversed(ids)), value="6")
    with acting_as(ann), Side(lambda: apply(one_set), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(lambda: apply(two_set)) as two:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            assert one.result() == "applied"
            assert len(two.error().rows) == 3
    assert held(ids, "reorder_point") == [5, 5, 5]


def test_of_two_who_apply_the_same_set_one_does(ann, nancy, observer):
    with acting_as(ann):
        found = propose(some())
    with acting_as(ann), Side(lambda: apply(found), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(lambda: apply(found)) as two:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            assert isinstance(two.error(), AlreadyDecided)


def test_taking_back_waits_for_an_edit_and_then_refuses(ann, nancy, observer):
    ids = some(unit_price=Decimal(10))
    with acting_as(ann):
        found = prices(ids)
        apply(found)
    change = [{"product_id": ids[2], "price": "99"}]
    with (
        acting_as(nancy),
        Side(lambda: transact(pricing.update_pricing, updates=change), until=before_commit()) as one,
    ):
        holder = one.reaches_its_point()
        with acting_as(ann), Side(lambda: revert(found)) as two:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            assert isinstance(two.error(), InvalidRows)
    assert held(ids, "unit_price") == [11, 11, 99]


# The list, and how long it takes


def test_sets_are_listed_newest_first_and_narrowed_down(as_ann):
    ids = some()
    propose(ids, title="First")
    second = propose(ids, title="Second", value="6")
    apply(second)
    found = read(change_sets.list_change_sets, view=View())
    assert [(row.title, row.status, row.by) for row in found.page.rows] == [
        ("Second", "Applied", "Ann"),
        ("First", "Draft", "Ann"),
    ]
    for view in (View(filters={"status": "draft"}), View(search="fir")):
        narrowed = read(change_sets.list_change_sets, view=view)
        assert ([row.title for row in narrowed.page.rows], narrowed.count, narrowed.everything) == (["First"], 1, 2)
    assert read(change_sets.list_change_sets, view=View(filters={"kind": "prices"})).page.rows == []


def test_the_form_offers_the_fields_and_what_is_chosen_from(as_ann):
    add(Category(code="T", name="Tools"))
    supplier("Acme", status="approved")
    found = read(change_sets.field_choices)
    assert [name for name, _ in found.fields] == [
        "category_id", "supplier_id", "reorder_point", "reorder_quantity", "active",
    ]  # fmt: skip
    assert ([label for _, label in found.categories], [label for _, label in found.suppliers]) == (["Tools"], ["Acme"])


def test_items_are_led_back_to_their_products(as_ann):
    bolt = shelf("Bolt")
    assert read(change_sets.products_of_items, item_ids=[bolt.here, bolt.there]) == [bolt.product_id]


def test_ten_thousand_products_are_changed_and_taken_back_within_the_time_outs(as_ann):
    def build(session):
        rows = [{"sku": f"M{n:05}", "name": f"Many {n}", "sort_key": f"many {n}", "search": f"m{n}", "unit_code": "pcs",
                 "currency": "USD", "unit_price": 10, "unit_cost": 5, "reorder_point": 0, "reorder_quantity": 0,
                 "description": "", "active": True, "version": 1, "created_at": datetime.now(UTC)}
                for n in range(10_000)]  # fmt: skip
        return list(session.scalars(sa.insert(Product.__table__).returning(Product.__table__.c.id), rows))

    ids = arrange(build)
    began = time.perf_counter()
    found = prices(ids)
    proposed = time.perf_counter()
    apply(found)
    applied = time.perf_counter()
    revert(found)
    reverted = time.perf_counter()
    took = (
        f"{proposed - began:.2f} s proposed, {applied - proposed:.2f} s applied, {reverted - applied:.2f} s taken back"
    )
    sys.stdout.write(f"\n10,000 prices: {took}")
    assert set(held(ids, "unit_price")) == {10}
    assert arrange(lambda s: s.scalar(sa.select(sa.func.count()).select_from(ProductPrice))) == 20_000
    assert reverted - applied < 15


def test_a_thousand_items_are_changed_at_once(as_ann, ledger):
    def build(session):
        made = product_ids(session)
        here = item().location_id
        rows = [{"product_id": id_, "location_id": here, "quantity": 0, "sequence": 0,
                 "changed_at": datetime.now(UTC), "changed_by": "ann"} for id_ in made]  # fmt: skip
        return list(session.scalars(sa.insert(InventoryItem.__table__).returning(InventoryItem.__table__.c.id), rows))

    def product_ids(session):
        rows = [{"sku": f"M{n:05}", "name": f"Many {n}", "sort_key": f"many {n}", "search": f"m{n}", "unit_code": "pcs",
                 "currency": "USD", "unit_price": 10, "unit_cost": 5, "reorder_point": 0, "reorder_quantity": 0,
                 "description": "", "active": True, "version": 1, "created_at": datetime.now(UTC)}
                for n in range(1_000)]  # fmt: skip
        return list(session.scalars(sa.insert(Product.__table__).returning(Product.__table__.c.id), rows))

    ids = arrange(build)
    found = count(dict.fromkeys(ids, "7"))
    began = time.perf_counter()
    apply(found)
    sys.stdout.write(f"\n1,000 quantities applied in {(time.perf_counter() - began) * 1000:.0f} ms")
    assert set(ledger.quantities(*ids)) == {7}
    ledger.balances()
    sets = arrange(lambda s: s.scalar(sa.select(col(ChangeSet.status)).where(col(ChangeSet.id) == found)))
    assert sets == "applied"


def test_no_set_counts_what_is_on_its_way(as_ann, ledger):
    bolt = shelf()
    sent = send(bolt.here, bolt.there_location, 4)
    (transit,) = arrange(
        lambda s: s.scalars(sa.text("SELECT transit_item_id FROM shipment WHERE id = :id"), {"id": sent.shipment_id})
    ).all()
    found = transact(change_sets.propose_quantities, quantities={transit: "1"}).change_set_id
    assert [row.fault for row in detail(found).page.rows] == ["it is on its way: accept its shipment instead"]
    refusal(InvalidRows, apply, found)
    assert ledger.quantities(transit) == [4]


def test_no_set_is_taken_back_from_under_a_reservation(as_ann, ledger):
    bolt = shelf(here="5")
    found = transact(change_sets.propose_quantities, quantities={bolt.here: "50"}).change_set_id
    apply(found)
    kept = reserve(bolt.here, 40)
    assert [row.fault for row in detail(found).page.rows] == ["more of it is reserved"]
    assert "more of it is reserved" in str(refusal(InvalidRows, revert, found).rows)
    assert ledger.quantities(bolt.here) == [50]
    transact(reservations.release_reservation, reservation_id=kept.reservation_id)
    revert(found)
    assert ledger.quantities(bolt.here) == [5]


def test_no_set_is_taken_back_into_a_closed_location(as_ann, ledger):
    bolt = shelf()
    found = transact(change_sets.propose_quantities, quantities={bolt.here: "0"}).change_set_id
    apply(found)
    transact(locations.set_location_active, location_id=bolt.here_location, version=1, active=False)
    assert "its location is closed" in str(refusal(InvalidRows, revert, found).rows)
    assert ledger.quantities(bolt.here) == [0]


def test_nothing_is_put_into_a_closed_category(as_ann):
    closed = add(Category(code="T", name="Tools", active=False))
    assert refusal(Invalid, propose, some(), "category_id", str(closed.id)).fields == {
        "value": "Choose a category of the list."
    }


def test_who_may_change_prices_and_not_see_them_is_told_none_by_what_would_change(ann):
    """Whether a set would change something, or its row is still as it was, says whether a price was guessed."""
    (id_,) = some(1, unit_price=Decimal(7))
    role("pricer", "prices:update", "products:view")
    with acting_as(ann):
        found = prices([id_])
    with acting_as(person("ben", "pricer")):
        for guess in ("7", "8"):
            refusal(NotAllowed, prices, [id_], "set", guess)
            rows = [(1, "P0", guess)]
            refusal(NotAllowed, transact, change_sets.propose_prices_by_sku, rows=rows)
        refusal(NotAllowed, apply, found)
        assert not detail(found).may_change


def test_a_set_that_waits_for_agreement_says_so_and_waits_on_the_start_page_of_others(ann, nancy, configure):
    configure(INVENTORY_PRICE_APPROVAL_PERCENT="20")
    with acting_as(ann):
        found = prices(some(1, unit_price=Decimal(10)), value="50")
        assert apply(found) == "waiting"
        (row,) = read(change_sets.list_change_sets, view=View()).page.rows
        assert row.status == "Waits for agreement"
        assert [one.kind for one in read(home.home).waiting] == []
    with acting_as(nancy):
        seen = read(home.home)
        assert [(one.kind, one.late) for one in seen.waiting] == [("request", False)]
        assert (seen.others, seen.late) == (1, 0)


def test_a_category_is_taken_away_and_a_price_is_no_finer_than_it_can_be(as_ann):
    ids = some(1, category_id=add(Category(code="A", name="A")).id)
    apply(propose(ids, "category_id", ""))
    assert held(ids, "category_id") == [None]
    assert refusal(Invalid, prices, ids, "set", "0.00001").fields == {"value": "Use at most 4 decimals."}
