"""Reading the trail: what a search finds, what a viewer may not see, and that looking is on record."""

import base64
import json
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest
from reflex.model import get_engine
from sqlalchemy import event
from sqlmodel import SQLModel, col, select

from inventory_app.context import acting_as, system_actor
from inventory_app.errors import InsufficientStock, Invalid, NotAllowed, NotFound, NotSignedIn
from inventory_app.models.catalog import Category, Product, ProductPrice
from inventory_app.models.suppliers import ImportBatch
from inventory_app.models.users import LocalUser, Role, UserInfo
from inventory_app.operations import (
    _trail_facets,
    _trail_labels,
    _trail_names,
    _trail_rows,
    _trail_values,
    sessions,
    stock,
    trail,
    users,
)
from inventory_app.operations._paging import PAGE_SIZE
from inventory_app.operations._trail_search import tables
from inventory_app.operations.trail import looked_for, operation_detail, read_search, view_trail
from inventory_app.unit_of_work import read, transact
from tests.factories import add, anonymous, arrange, item, location, person, product, signed_in_again, supplier

SUMMARY = "Côte de Blaye at Bond store · Replenish picking face"
UNKNOWN = "019abc00-0000-7000-8000-000000000000"


@pytest.fixture
def auditor(database):
    """Return Olga: she may see everything, prices too."""
    return person("olga", "auditor")


@pytest.fixture
def clerk(database):
    """Return Carl, who may see the trail and no prices."""

    def build(session):
        role = Role(name="reader")
        session.add(role)
        session.flush()
        role.set_permissions(["audit:view"], session)

    arrange(build)
    return person("carl", "reader")


@pytest.fixture
def moved(ann, auditor):
    """Return the two items between which Ann moved 3 of 20, for a reason."""
    brandy = product("BEV-0040", name="Côte de Blaye")
    source = item(brandy.id, location("BOND", name="Bond store").id, 20)
    target = item(brandy.id, location("HALL", name="Main hall").id, 5)
    with acting_as(ann):
        transact(
            stock.transfer_inventory,
            from_item_id=source.id,
            to_item_id=target.id,
            quantity=Decimal(3),
            note="Replenish picking face",
        )
    return source, target


def looked_up(viewer, search="", cursor=""):
    with acting_as(viewer):
        return read(trail.list_operations, search=search, cursor=cursor)


def names(viewer, search):
    return [row.name for row in looked_up(viewer, search).rows]


def detail_of(viewer, search):
    with acting_as(viewer):
        found = looked_up(viewer, search).rows[0]
        return read(trail.operation_detail, operation_id=found.id)


def fields(change):
    return {field.name: (field.before, field.after) for field in change.fields}


# ---- The list ---------------------------------------------------------------------------------------------------


def test_the_newest_operation_comes_first_with_who_and_why(moved, ann, auditor):
    row = looked_up(auditor).rows[0]
    assert (row.name, row.outcome, row.summary) == ("stock.transfer_inventory", "succeeded", SUMMARY)
    assert (row.actor, row.person, row.initials, row.machine) == ("ann", "Ann", "A", False)
    assert row.changes == "4"


def test_without_a_reason_it_says_what_changed(auditor, database):
    with acting_as(system_actor("nightly build")):
        arrange(lambda session: session.add_all([Product(sku=f"P{n}", name="P", currency="USD") for n in range(3)]))
    row = looked_up(auditor, "operation:tests.arrange").rows[0]
    assert row.summary == "P0 P · 3 products"
    assert (row.initials, row.machine) == ("ST", True)


def test_a_record_that_changed_twice_is_one_record(auditor, database):
    def twice(session):
        made = Product(sku="P1", name="P", currency="USD")
        session.add(made)
        session.flush()
        made.name = "Q"

    arrange(twice)
    row = looked_up(auditor, "operation:tests.arrange").rows[0]
    assert (row.summary, row.changes) == ("P1 Q · 1 product", "2")


def test_an_operation_that_changed_nothing_says_so(auditor, ann):
    with acting_as(ann):
        transact(trail.view_trail, search="")
    row = looked_up(auditor).rows[0]
    assert (row.name, row.summary, row.changes) == ("trail.view_trail", "Nothing changed", "")


def test_what_failed_and_what_was_denied_is_there_with_the_sentence(moved, ann, bob, auditor):
    source, target = moved
    with acting_as(ann), pytest.raises(InsufficientStock):
        transact(stock.transfer_inventory, from_item_id=target.id, to_item_id=source.id, quantity=Decimal(12))
    with acting_as(bob), pytest.raises(NotAllowed):
        transact(users.enable_user, user_id=1)
    denied, failed = looked_up(auditor, "-outcome:succeeded").rows
    assert (failed.outcome, failed.changes) == ("failed", "")
    assert failed.summary.startswith("InsufficientStock: Only 8 pcs of Côte de Blaye are available at Main hall")
    assert (denied.outcome, denied.actor) == ("denied", "bob")
    assert denied.summary.startswith("NotAllowed: ")


def test_attempts_that_were_counted_together_say_how_many(auditor, database, observer):
    observer.execute(
        "SELECT audit_refuse(gen_random_uuid(), 'event.x', 'denied', NULL, 'anonymous', 'anonymous',"
        " NULL, NULL, NULL, NULL, 'NotSignedIn', NULL, 12)"
    )
    assert looked_up(auditor, "outcome:denied").rows[0].summary == "NotSignedIn (12 times)"


def test_the_reason_of_a_refusal_that_committed_is_its_summary(auditor, database):
    with acting_as(anonymous()):
        transact(sessions.refuse_sign_in, account="ann", why="wrong password")
    assert looked_up(auditor, "operation:sessions.sign_in outcome:denied").rows[0].summary == "wrong password"


def test_more_changes_than_are_counted_show_as_more(auditor, monkeypatch):
    monkeypatch.setattr(_trail_rows, "MOST_COUNTED", 2)
    arrange(lambda session: session.add_all([Product(sku=f"P{n}", name="P", currency="USD") for n in range(4)]))
    row = looked_up(auditor, "table:product").rows[0]
    assert (row.changes, row.summary) == ("2+", "P0 P · 2+ products")


# ---- Who may ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [trail.list_operations, trail.facets, trail.record_history, trail.operation_detail])
def test_only_who_may_see_the_trail_reads_it(query, bob, stranger):
    arguments = {
        trail.record_history: {"table": "product", "pk": "1"},
        trail.operation_detail: {"operation_id": UNKNOWN},
    }.get(query, {})
    with acting_as(bob), pytest.raises(NotAllowed):
        read(query, **arguments)
    with acting_as(stranger), pytest.raises(NotSignedIn):
        read(query, **arguments)


# ---- Pages ------------------------------------------------------------------------------------------------------


@pytest.fixture
def many(auditor):
    """Return how many operations there are after enough for three pages were made."""
    for n in range(2 * PAGE_SIZE + 7):
        supplier(f"Supplier {n}")
    return 2 * PAGE_SIZE + 7


def test_pages_go_to_the_oldest_and_back_without_a_gap(many, auditor):
    search = "table:supplier operation:tests.arrange"
    first = looked_up(auditor, search)
    second = looked_up(auditor, search, first.older)
    third = looked_up(auditor, search, second.older)
    assert [len(page.rows) for page in (first, second, third)] == [PAGE_SIZE, PAGE_SIZE, 7]
    ids = [row.id for page in (first, second, third) for row in page.rows]
    assert len(set(ids)) == many
    assert [row.at for page in (first, second, third) for row in page.rows] == sorted(
        (row.at for page in (first, second, third) for row in page.rows), reverse=True
    )
    assert (first.newer, third.older) == ("", "")
    assert looked_up(auditor, search, third.newer).rows == second.rows
    back = looked_up(auditor, search, second.newer)
    assert back.rows == first.rows
    assert back.newer == ""


def test_what_is_added_meanwhile_moves_no_page(many, auditor):
    first = looked_up(auditor, "table:supplier")
    expected = looked_up(auditor, "table:supplier", first.older).rows
    supplier("Too late")
    assert looked_up(auditor, "table:supplier", first.older).rows == expected


@pytest.mark.parametrize("cursor", ["x", "W10", "////"])
def test_a_damaged_link_to_a_page_is_a_sentence(cursor, auditor):
    with pytest.raises(Invalid, match="Start again from the first page"):
        looked_up(auditor, cursor=cursor)


@pytest.mark.parametrize("id_", ["no id", 7, None, [UNKNOWN]])
def test_a_cursor_with_a_forged_id_is_a_damaged_link(id_, auditor):
    at = looked_up(auditor).rows[0].at
    forged = base64.urlsafe_b64encode(json.dumps([0, at, id_]).encode()).decode()
    with pytest.raises(Invalid, match="Start again from the first page"):
        looked_up(auditor, cursor=forged)


def test_a_page_costs_the_same_statements_whatever_is_on_it(many, auditor, database):
    seen = []
    engine = get_engine()
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    assert len(looked_up(auditor).rows) == PAGE_SIZE
    # Who reads, the page, what it changed, what suppliers and users are called, whose names, and whether
    # the look is on record.
    assert len(seen) <= 8


# ---- Searching --------------------------------------------------------------------------------------------------


def test_it_finds_by_person_by_name_full_name_and_start(moved, ann, auditor):
    for search in ("actor:ann", "actor:ANN", 'actor:"Ann"', "actor:an*", "ann"):
        assert names(auditor, search) == ["stock.transfer_inventory"], search
    assert "stock.transfer_inventory" not in names(auditor, "-actor:ann")
    assert "stock.transfer_inventory" not in names(auditor, "-ann")
    assert names(auditor, "actor:nobody") == []
    assert names(auditor, "actor:nobo*") == []
    assert names(auditor, "actor:ann actor:nobody") == ["stock.transfer_inventory"]


def test_a_question_mark_and_a_bracket_mean_themselves(moved, auditor):
    assert names(auditor, "actor:a?n*") == []
    assert names(auditor, "actor:[a]nn*") == []


def test_it_finds_by_operation(moved, auditor):
    assert names(auditor, "operation:stock.transfer_inventory") == ["stock.transfer_inventory"]
    assert names(auditor, "operation:stock.*") == ["stock.transfer_inventory"]
    assert set(names(auditor, "-operation:stock.*")) == {"tests.arrange", "setup.prepare", "database.new_incarnation"}
    assert names(auditor, "transfer") == ["stock.transfer_inventory"]
    assert names(auditor, "transfer setup") == []


def test_it_finds_by_table_and_by_record(moved, auditor):
    source, _ = moved
    assert names(auditor, f"record:inventory_item/{source.id}") == ["stock.transfer_inventory", "tests.arrange"]
    assert names(auditor, "table:location")[:3] == ["tests.arrange", "tests.arrange", "setup.prepare"]
    assert "stock.transfer_inventory" not in names(auditor, "-table:inventory_item")
    assert names(auditor, "record:user_role/1,999") == []
    assert names(auditor, "record:unit/pcs") == ["setup.prepare"]
    assert "setup.prepare" not in names(auditor, "-record:unit/pcs")


def test_it_finds_by_outcome(moved, bob, auditor):
    with acting_as(bob), pytest.raises(NotAllowed):
        transact(users.enable_user, user_id=1)
    assert names(auditor, "outcome:denied") == ["users.enable_user"]
    assert names(auditor, "outcome:denied outcome:failed") == ["users.enable_user"]
    assert names(auditor, "outcome:failed") == []
    assert "users.enable_user" in names(auditor, "outcome:denied outcome:succeeded")
    assert "users.enable_user" not in names(auditor, "-outcome:denied")


def test_it_finds_by_address_and_keeps_unknown_ones_when_one_is_left_out(moved, auditor):
    assert names(auditor, "ip:192.0.2.7") == ["stock.transfer_inventory"]
    assert names(auditor, "ip:192.0.2.*") == ["stock.transfer_inventory"]
    assert names(auditor, "ip:192.0.2.8") == []
    assert "tests.arrange" in names(auditor, "-ip:192.0.2.7")
    assert "stock.transfer_inventory" not in names(auditor, "-ip:192.0.2.7")


def test_it_finds_by_time(moved, auditor):
    at = looked_up(auditor).rows[0].at
    day = at[:10]
    assert names(auditor, f"after:{day} before:{day}")[0] == "stock.transfer_inventory"
    assert names(auditor, f"after:{at}") == ["stock.transfer_inventory"]
    assert "stock.transfer_inventory" not in names(auditor, f"before:{at}")
    assert names(auditor, "after:2999-01-01") == []


def test_it_finds_an_operation_by_its_id(moved, auditor):
    row = looked_up(auditor).rows[0]
    assert looked_up(auditor, row.id).rows == [row]
    assert looked_up(auditor, f"-{row.id} table:inventory_item operation:stock.*").rows == []


def test_a_search_that_means_nothing_is_refused_with_its_sentence(auditor):
    for query in (trail.list_operations, trail.facets):
        with acting_as(auditor), pytest.raises(Invalid, match="Did you mean actor:") as refused:
            read(query, search="aktor:ann")
        assert refused.value.fields == {"search": str(refused.value)}


# ---- Facets -----------------------------------------------------------------------------------------------------


def facets_of(viewer, search=""):
    with acting_as(viewer):
        found = read(trail.facets, search=search)
    return found, {f.qualifier: {v.value: v for v in f.values} for f in found.facets}


def test_facets_count_what_the_search_found(moved, ann, bob, auditor):
    with acting_as(bob), pytest.raises(NotAllowed):
        transact(users.enable_user, user_id=1)
    found, by = facets_of(auditor, "-operation:tests.* -operation:setup.* -operation:database.*")
    assert (found.total, found.capped) == ("2", False)
    assert {value: v.count for value, v in by["outcome"].items()} == {"succeeded": 1, "failed": 0, "denied": 1}
    assert {value: v.count for value, v in by["operation"].items()} == {
        "stock.transfer_inventory": 1,
        "users.enable_user": 1,
    }
    assert {v.label: v.count for v in by["actor"].values()} == {"Ann": 1, "Bob": 1}
    assert {value: v.count for value, v in by["table"].items()} == {"inventory_item": 1, "stock_movement": 1}


def test_a_facet_leaves_out_its_own_choice_and_links_to_both_ways(moved, bob, auditor):
    with acting_as(bob), pytest.raises(NotAllowed):
        transact(users.enable_user, user_id=1)
    found, by = facets_of(auditor, "outcome:denied")
    assert found.total == "1"
    assert by["outcome"]["denied"].chosen
    assert by["outcome"]["denied"].search == ""
    assert by["outcome"]["succeeded"].count > 1
    assert by["outcome"]["succeeded"].search == "outcome:denied outcome:succeeded"
    assert list(by["operation"]) == ["users.enable_user"]


def test_a_chosen_pattern_counts_what_it_stands_for(moved, auditor):
    _, by = facets_of(auditor, "operation:stock.*")
    assert by["operation"]["stock.*"].chosen
    assert by["operation"]["stock.*"].count == 1


def test_what_is_chosen_stays_visible_though_nothing_is_found(auditor):
    _, by = facets_of(auditor, "table:product actor:nobody")
    assert by["table"]["product"].chosen
    assert by["table"]["product"].count == 0
    assert by["actor"]["nobody"].label == "nobody"


def test_counting_stops_at_the_sample(many, auditor, monkeypatch):
    monkeypatch.setattr(_trail_facets, "SAMPLE", 10)
    found, by = facets_of(auditor, "table:supplier")
    assert (found.total, found.capped) == ("10+", True)
    assert by["outcome"]["succeeded"].count == 10


# ---- One operation and what it changed ----------------------------------------------------------------------------


def test_an_operation_shows_everything_it_changed_field_by_field(moved, ann, auditor):
    source, _ = moved
    found = detail_of(auditor, "operation:stock.transfer_inventory")
    assert (found.reason, found.client_ip, found.request_id) == (
        "Replenish picking face",
        ann.client_ip,
        ann.request_id,
    )
    assert (found.session_id, found.user_agent, found.attempts) == (str(ann.session_id), "pytest", 1)
    changes = {(c.table, c.record): c for c in found.changes}
    assert len(changes) == 4
    change = changes["inventory_item", str(source.id)]
    assert (change.label, change.kind, change.what) == ("Côte de Blaye at Bond store", "update", "")
    assert fields(change) == {"quantity": ("20 pcs", "17 pcs")}
    assert (change.noun, change.fields[0].label) == ("Stock item", "On hand")
    assert [field.name for field in change.technical] == ["sequence", "changed_at", "changed_by"]
    assert change.search == f"record:inventory_item/{source.id}"
    out = next(c for c in found.changes if c.table == "stock_movement" and fields(c)["quantity"] == ("", "−3 pcs"))
    assert (out.label, out.what) == ("Côte de Blaye at Bond store", "new")
    assert "reverses" not in fields(out)
    assert fields(out)["item_id"] == ("", "Côte de Blaye at Bond store")
    assert fields(out)["kind"] == ("", "Transfer")
    assert {"id", "sequence", "operation_id"} <= {field.name for field in out.technical}


def test_a_failed_operation_shows_its_error_and_no_changes(moved, ann, auditor):
    source, target = moved
    with acting_as(ann), pytest.raises(InsufficientStock):
        transact(stock.transfer_inventory, from_item_id=target.id, to_item_id=source.id, quantity=Decimal(12))
    found = detail_of(auditor, "outcome:failed")
    assert found.error_class == "InsufficientStock"
    assert "you asked for 12" in found.detail
    assert found.changes == []


def test_the_changes_of_a_large_operation_come_in_pages(auditor):
    arrange(lambda session: session.add_all([Product(sku=f"P{n}", name="P", currency="USD") for n in range(5)]))
    first = detail_of(auditor, "table:product")
    with acting_as(auditor):
        first = read(trail.operation_detail, operation_id=first.row.id, size=2)
        second = read(trail.operation_detail, operation_id=first.row.id, size=2, cursor=first.after)
    assert [c.record for c in first.changes] == ["1", "2"]
    assert [c.record for c in second.changes] == ["3", "4"]
    assert first.before == ""
    assert second.before != ""


@pytest.mark.parametrize("operation_id", ["", "x", "\0", UNKNOWN])
def test_an_unknown_operation_is_none(operation_id, auditor):
    with acting_as(auditor):
        assert read(trail.operation_detail, operation_id=operation_id) is None


def test_prices_are_hidden_before_and_after_from_who_may_not_see_them(clerk, auditor):
    widget = product("W1", unit_cost=Decimal("62.50"), unit_price=Decimal(99))

    def cheaper(session):
        session.get_one(Product, widget.id).unit_cost = Decimal("60.25")

    arrange(cheaper)
    search = f"record:product/{widget.id}"
    assert fields(detail_of(auditor, search).changes[0]) == {"unit_cost": ("62.50 USD", "60.25 USD")}
    assert fields(detail_of(clerk, search).changes[0]) == {"unit_cost": ("hidden", "hidden")}
    with acting_as(clerk):
        created = read(trail.record_history, table="product", pk=str(widget.id)).rows[-1].change
    assert fields(created)["unit_cost"] == ("", "hidden")
    assert fields(created)["unit_price"] == ("", "hidden")
    assert fields(created)["sku"] == ("", "W1")


@pytest.mark.parametrize("name", sorted(_trail_values.PRICE_FIELDS))
def test_no_price_field_slips_through(name, clerk):
    assert any(name in table.columns for table in SQLModel.metadata.tables.values())


def test_what_a_movement_was_worth_is_hidden_too(moved, clerk):
    found = detail_of(clerk, "operation:stock.transfer_inventory")
    movement = next(c for c in found.changes if c.table == "stock_movement")
    assert fields(movement)["unit_cost"] == ("", "hidden")
    assert fields(movement)["value"] == ("", "hidden")
    assert "hidden" not in fields(movement)["quantity"]


def test_personal_values_are_shown_from_where_they_are_kept(auditor, ann):
    def rename(session):
        info = session.exec(select(UserInfo).where(col(UserInfo.user_id) == ann.id)).one()
        info.full_name, info.email = "Ann Étoile", "étoile@example.com"

    arrange(rename)
    change = detail_of(auditor, "table:user_info").changes[0]
    assert fields(change) == {"email": ("ann@example.com", "étoile@example.com"), "full_name": ("Ann", "Ann Étoile")}
    assert change.label == "Ann Étoile"


def test_personal_values_that_were_erased_say_so(auditor, ann, observer):
    observer.execute("ALTER TABLE audit_personal DISABLE TRIGGER ALL; DELETE FROM audit_personal")
    with acting_as(auditor):
        rows = read(trail.record_history, table="user_info", pk=str(_info_id(ann))).rows
    assert fields(rows[0].change)["email"] == ("", "erased")
    assert "salted:" not in repr(rows)


def _info_id(actor):
    return arrange(lambda session: session.exec(select(UserInfo.id).where(col(UserInfo.user_id) == actor.id)).one())


def test_secrets_are_said_to_have_changed_and_never_shown(auditor, ann):
    def change(session):
        session.get_one(LocalUser, ann.id).password_hash = "argon2 of another"

    arrange(change)
    with acting_as(auditor):
        changed, created = read(trail.record_history, table="local_user", pk=str(ann.id)).rows
    assert fields(changed.change) == {"password_hash": ("", "changed")}
    assert fields(created.change)["password_hash"] == ("", "set")
    assert "sha256:" not in repr((changed, created))


def test_the_trail_of_everybody_shows_no_hash_and_no_salted_value(moved, auditor, clerk, bob):
    for viewer in (auditor, clerk):
        with acting_as(viewer):
            everything = [read(trail.operation_detail, operation_id=row.id) for row in looked_up(viewer).rows]
        shown = repr([(found.changes, found.row, found.detail) for found in everything])
        assert "sha256:" not in shown
        assert "salted:" not in shown
        assert "argon2" not in shown


def test_a_link_that_was_taken_away_still_has_a_name(ada, ann, auditor):
    with acting_as(ada):
        transact(users.change_user_role, user_id=ann.id, role_name="employee")
    found = detail_of(auditor, "operation:users.change_user_role")
    said = {(c.what, c.label) for c in found.changes if c.table == "user_role"}
    assert said == {("deleted", "Ann: manager"), ("new", "Ann: employee")}
    gone = next(c for c in found.changes if c.what == "deleted")
    assert all(after == "" for _, after in fields(gone).values())
    assert all(before for before, _ in fields(gone).values())


def test_every_kind_of_record_can_be_shown(moved, ada, auditor):
    add(Category(code="BEV", name="Beverages"))
    add(ProductPrice(product_id=product("W2").id, new_price=Decimal(3), currency="USD"))
    add(ImportBatch(kind="products", file_name="p.csv", file_hash="x", row_count=1, imported_by="ada"))
    supplier("Acme")
    with acting_as(auditor):
        for row in looked_up(auditor).rows:
            found = read(trail.operation_detail, operation_id=row.id)
            for change in found.changes:
                assert change.label, change
                assert change.fields, change


# ---- What a field says --------------------------------------------------------------------------------------------


def recorded(table, before=None, after=None, kind="update"):
    """Return a change as the trail holds it."""
    held = [None if payload is None else json.dumps(payload) for payload in (before, after)]
    return SimpleNamespace(id=1, table_name=table, pk="1", kind=kind, before=held[0], after=held[1])


def said(change, **reader):
    shown, technical = _trail_values._fields(change, _trail_values._Reader(**{"prices": True} | reader))
    return {field.name: (field.before, field.after) for field in [*shown, *technical]}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (7, "7"),
        (-7, "−7"),
        ("-7", "-7"),
        ("20", "20"),
        ({"a": "é"}, '{"a": "é"}'),
        ("2026-11-23T08:59:48.123456+00:00", "23 Nov 2026, 08:59:48 UTC"),
        ("on 2026-11-23T08:59:48+00:00", "on 2026-11-23T08:59:48+00:00"),
        ("x" * 1_001, "x" * 1_000 + "…"),
    ],
)
def test_a_value_reads(value, shown):
    assert said(recorded("gone", {"n": value}, {"n": "other"}))["n"] == (shown, "other")


@pytest.mark.parametrize(
    ("table", "column", "written", "shown"),
    [
        ("product", "unit_price", "14.8000", "14.80 EUR"),
        ("product", "unit_price", "0.0125", "0.0125 EUR"),
        ("product", "unit_price", "-1234567.5", "−1,234,567.50 EUR"),
        ("product", "unit_cost", "14.8", "14.80 USD"),
        ("product", "reorder_point", "20.000", "20 kg"),
        ("product", "reorder_point", "0.500", "0.5 kg"),
        ("product", "reorder_point", "1500", "1,500 kg"),
        ("product_price", "old_price", "3", "3.00 EUR"),
        ("stock_movement", "value", "-14.8", "−14.80 USD"),
        ("import_batch", "row_count", "1500", "1500"),
    ],
)
def test_money_has_its_currency_and_a_quantity_its_unit(table, column, written, shown):
    after = json.loads(f'{{"{column}": 1, "currency": "EUR"}}')
    change = recorded(table, after=after)
    change.before = f'{{"{column}": {written}}}'
    assert said(change, units={("product", "1"): "kg"})[column][0] == shown


def test_a_time_is_told_by_the_clock_of_who_reads():
    change = recorded("local_user", {"enabled_at": "2026-07-23T22:30:00+00:00"}, {"enabled_at": None})
    assert said(change, zone="Europe/Berlin")["enabled_at"] == ("24 Jul 2026, 00:30:00", "")
    assert said(change, zone="America/New_York")["enabled_at"] == ("23 Jul 2026, 18:30:00", "")
    assert said(change)["enabled_at"] == ("23 Jul 2026, 22:30:00 UTC", "")


def test_a_day_is_no_time_of_any_zone():
    change = recorded("supplier", {"valid_until": "2026-07-03"}, {"valid_until": None})
    assert said(change, zone="Pacific/Auckland")["valid_until"] == ("3 Jul 2026", "")


def test_an_empty_text_is_nothing_except_where_it_became_nothing():
    change = recorded("product", {"description": "", "barcode": ""}, {"description": "New", "barcode": None})
    assert said(change) == {"description": ("", "New"), "barcode": ("“”", "")}
    assert said(recorded("product", after={"description": "", "sku": "W1"}, kind="insert")) == {"sku": ("", "W1")}


def test_other_records_are_called_by_name_and_unknown_ones_by_number(auditor, ann):
    drinks = add(Category(code="DRI", name="Drinks"))
    acme = supplier("Acme", entered_by=ann.id)
    widget = product("W1", category_id=drinks.id, supplier_id=acme.id)
    with acting_as(auditor):
        (made,) = read(trail.record_history, table="product", pk=str(widget.id)).rows
        (entered,) = read(trail.record_history, table="supplier", pk=str(acme.id)).rows
    shown = fields(made.change)
    assert (shown["category_id"], shown["supplier_id"]) == (("", "Drinks"), ("", "Acme"))
    assert shown["unit_code"] == ("", "Pieces")
    assert fields(entered.change)["entered_by"] == ("", "Ann")
    assert said(recorded("product", {"category_id": 999}, {"category_id": drinks.id}))["category_id"][0] == "#999"


def test_a_table_that_is_gone_is_shown_as_it_was_recorded():
    change = recorded("gone", after={"b": 1, "token": f"sha256:{'0' * 64}", "n": None}, kind="insert")
    shown, technical = _trail_values._fields(change, _trail_values._Reader())
    assert (shown, technical) == (
        [trail.FieldRow("b", "b", "", "1"), trail.FieldRow("token", "token", "", "set")],
        [],
    )


def test_a_table_that_is_gone_leads_nowhere_and_names_nothing(database):
    assert _trail_values._referred_to(recorded("gone", after={"product_id": 1}, kind="insert")) == []
    assert arrange(lambda session: _trail_names.record_names(session, [("gone", "1")])) == {}


def test_what_only_repeats_or_counts_is_among_the_technical_fields():
    change = recorded(
        "supplier", {"name": "A", "sort_key": "a", "version": 1}, {"name": "B", "sort_key": "b", "version": 2}
    )
    shown, technical = _trail_values._fields(change, _trail_values._Reader())
    assert [(field.label, field.before, field.after) for field in shown] == [("Name", "A", "B")]
    assert [(field.label, field.before, field.after) for field in technical] == [
        ("sort_key", "a", "b"),
        ("version", "1", "2"),
    ]


def test_every_audited_table_and_column_has_words_or_is_declared_internal():
    for name, table in tables().items():
        assert name in _trail_labels.TABLES, name
        for column in [each.name for each in table.columns]:
            named = _trail_labels.column_label(name, column) != column
            assert named != _trail_labels.is_internal(name, column), f"{name}.{column}: a label, or internal"


def test_no_words_are_left_for_what_does_not_exist():
    known = {name: set(table.columns.keys()) for name, table in tables().items()}
    assert _trail_labels.TABLES.keys() == known.keys()
    for words in (_trail_labels.COLUMNS, _trail_labels.INTERNAL):
        for name, columns in words.items():
            assert set(columns) <= known.get(name, set().union(*known.values())), name
    assert all(column in known[name] for name, column in _trail_labels.CODES)


# ---- One person, one name -----------------------------------------------------------------------------------------


def enter(actor, name, secret="another token"):  # noqa: S107  # opens nothing
    """Sign somebody in as the sign-in page does: under their name, without a session yet."""
    with acting_as(replace(anonymous(), name=name)):
        known = read(sessions.credentials, username=name)
        transact(
            sessions.sign_in,
            user_id=actor.id,
            verified_hash=known.password_hash,
            renewed_hash=None,
            token_hash=sessions.hash_token(secret),
            remember=False,
        )


def test_who_signs_in_has_one_name_before_and_after(ann, auditor):
    full_name(ann, "Ann Étoile")
    enter(ann, "ann")
    with acting_as(ann):
        transact(sessions.sign_out)
    for search in ("actor:ann", 'actor:"Ann Étoile"', "etoile", "Étoile"):
        rows = looked_up(auditor, f"{search} operation:sessions.*").rows
        assert [(row.name, row.person, row.initials) for row in rows] == [
            ("sessions.sign_out", "Ann Étoile", "AÉ"),
            ("sessions.sign_in", "Ann Étoile", "AÉ"),
        ], search
    _, by = facets_of(auditor, "operation:sessions.*")
    assert {value.label: value.count for value in by["actor"].values()} == {"Ann Étoile": 2}


def full_name(actor, name):
    def rename(session):
        session.exec(select(UserInfo).where(col(UserInfo.user_id) == actor.id)).one().full_name = name

    arrange(rename)


def test_a_stranger_is_nobody_whatever_accounts_there_are(auditor, database):
    person("anonymous")  # made before the name was reserved
    with acting_as(anonymous()):
        transact(sessions.refuse_sign_in, account="x", why="unknown username")
    assert looked_up(auditor, "operation:sessions.sign_in").rows[0].person == "anonymous"
    _, by = facets_of(auditor, "operation:sessions.sign_in")
    assert by["actor"]["anonymous"].label == "anonymous"


# ---- Days of the person who looks ---------------------------------------------------------------------------------


def test_a_day_is_that_of_who_looks_both_ends_included(auditor, observer):
    supplier("Acme")
    (row,) = looked_up(auditor, "table:supplier operation:tests.arrange").rows
    observer.execute("ALTER TABLE audit_operation DISABLE TRIGGER ALL")
    observer.execute("ALTER TABLE audit_change DISABLE TRIGGER ALL")

    def found(moment, day, zone):
        observer.execute("UPDATE audit_operation SET recorded_at = %s WHERE id = %s", [moment, row.id])
        with acting_as(auditor):
            page = read(trail.list_operations, search=f"after:{day} before:{day} system", zone=zone)
        return row.id in [shown.id for shown in page.rows]

    berlin, york = "Europe/Berlin", "America/New_York"
    # In Berlin the clocks went forward on 29 March 2026: the day has 23 hours.
    assert not found("2026-03-28T22:59:59.999999Z", "2026-03-29", berlin)
    assert found("2026-03-28T23:00:00Z", "2026-03-29", berlin)
    assert found("2026-03-29T21:59:59.999999Z", "2026-03-29", berlin)
    assert not found("2026-03-29T22:00:00Z", "2026-03-29", berlin)
    # And back on 25 October: 25 hours.
    assert found("2026-10-24T22:00:00Z", "2026-10-25", berlin)
    assert found("2026-10-25T22:59:59Z", "2026-10-25", berlin)
    assert not found("2026-10-25T23:00:00Z", "2026-10-25", berlin)
    assert found("2026-10-26T03:59:59Z", "2026-10-25", york)
    assert found("2026-10-25T23:59:59Z", "2026-10-25", "no/such/zone")
    assert not found("2026-10-26T00:00:00Z", "2026-10-25", "no/such/zone")


def test_a_look_at_somebodys_day_records_whose_day_it_was(auditor):
    assert looked_for(read_search("after:2026-11-17"), "Europe/Berlin") == "after:2026-11-17 [Europe/Berlin]"
    assert looked_for(read_search("after:2026-11-17"), "UTC") == "after:2026-11-17"
    assert looked_for(read_search("after:2026-11-17T09:30+01:00"), "Europe/Berlin") == "after:2026-11-17T09:30+01:00"
    assert looked_for(read_search(""), "Europe/Berlin") == "everything"


def test_what_is_counted_is_what_was_listed_though_the_look_itself_came_after(auditor, moved):
    with acting_as(auditor):
        page = read(trail.list_operations)
        transact(trail.view_trail, search=looked_for(read_search("")))
        found = read(trail.facets, as_of=page.as_of)
    assert found.total == str(len(page.rows))


def test_the_records_that_are_asked_for_are_named(auditor, moved):
    source, target = moved
    with acting_as(auditor):
        page = read(
            trail.list_operations, search=f"record:inventory_item/{source.id} record:inventory_item/{target.id}"
        )
    assert page.about == "Côte de Blaye at Bond store, Côte de Blaye at Main hall"
    assert looked_up(auditor, "record:product/999").about == ""


# ---- The history of one record ------------------------------------------------------------------------------------


def test_the_history_of_a_record_is_newest_first_with_who(moved, ann, auditor):
    source, _ = moved
    with acting_as(auditor):
        transfer, creation = read(trail.record_history, table="inventory_item", pk=str(source.id)).rows
    assert (transfer.operation.actor, transfer.operation.summary) == ("ann", SUMMARY)
    assert fields(transfer.change)["quantity"] == ("20 pcs", "17 pcs")
    assert (creation.operation.actor, creation.change.what) == ("system:test", "new")


@pytest.mark.parametrize(("table", "pk"), [("product", "x"), ("nothing", "1"), ("sign_in_attempt", "1")])
def test_the_history_of_no_record_is_not_found(table, pk, auditor):
    with acting_as(auditor), pytest.raises(NotFound):
        read(trail.record_history, table=table, pk=pk)


def test_the_history_of_a_link_is_found_by_its_two_ends(ann, auditor):
    with acting_as(auditor):
        rows = read(trail.record_history, table="user_role", pk=f"{_info_id(ann)},2").rows
    assert [row.change.what for row in rows] == ["new"]


# ---- Looking is on record -----------------------------------------------------------------------------------------


def look(viewer, search=""):
    """Do what the page does."""
    with acting_as(viewer):
        page = read(trail.list_operations, search=search)
        if not page.recorded:
            transact(trail.view_trail, search=trail.looked_for(trail.read_search(search)))
        return page


def test_looking_is_recorded_once_per_search_and_session(auditor, trail):
    for _ in range(3):
        look(auditor)
        look(auditor, "outcome:denied")
        look(auditor, "  OUTCOME:denied ")
    look(signed_in_again(auditor))
    looks = [(op.auth_session_id == auditor.session_id, op.reason) for op in trail.operations(name="trail.view_trail")]
    assert looks == [(True, "everything"), (True, "outcome:denied"), (False, "everything")]


def test_after_ten_minutes_looking_is_recorded_again(auditor, trail, observer):
    look(auditor)
    observer.execute("ALTER TABLE audit_operation DISABLE TRIGGER ALL")
    observer.execute(
        "UPDATE audit_operation SET recorded_at = recorded_at - interval '9 minutes' WHERE name = 'trail.view_trail'"
    )
    assert look(auditor).recorded
    observer.execute(
        "UPDATE audit_operation SET recorded_at = recorded_at - interval '2 minutes' WHERE name = 'trail.view_trail'"
    )
    assert not look(auditor).recorded
    assert len(trail.operations(name="trail.view_trail")) == 2


def test_looking_at_one_operation_is_a_look_of_its_own(moved, auditor, trail):
    row = looked_up(auditor).rows[0]
    with acting_as(auditor):
        assert not read(operation_detail, operation_id=row.id).recorded
        transact(view_trail, search=looked_for(read_search(row.id)))
        assert read(operation_detail, operation_id=row.id).recorded
    assert trail.last().reason == row.id


def test_who_may_not_see_the_trail_cannot_put_a_look_on_record(bob, trail):
    with acting_as(bob), pytest.raises(NotAllowed):
        transact(view_trail, search="")
    assert trail.last().outcome == "denied"
