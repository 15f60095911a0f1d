"""Reading the trail: what a search finds, what a viewer may not see, and that looking is on record."""

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
from inventory_app.operations import _trail_facets, _trail_rows, _trail_values, sessions, stock, trail, users
from inventory_app.operations._paging import PAGE_SIZE, _encode
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
    assert row.summary == "P0 P · 3 product"
    assert (row.initials, row.machine) == ("ST", True)


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
    assert (row.changes, row.summary) == ("2+", "P0 P · 2+ product")


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
    search = "table:supplier"
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


def test_a_cursor_with_a_forged_id_begins_at_its_time(auditor):
    supplier()
    at = looked_up(auditor).rows[0].at
    found = looked_up(auditor, cursor=_encode([at, "no id"], backwards=False))
    assert at not in [row.at for row in found.rows]


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
    assert names(auditor, "table:location") == ["tests.arrange", "tests.arrange", "setup.prepare"]
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
    assert fields(change)["quantity"] == ("20", "17")
    assert change.search == f"record:inventory_item/{source.id}"
    out = next(c for c in found.changes if c.table == "stock_movement" and fields(c)["quantity"] == ("", "−3"))
    assert (out.label, out.what) == ("Côte de Blaye at Bond store", "new")
    assert "reverses" not in fields(out)


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
    assert fields(detail_of(auditor, search).changes[0]) == {"unit_cost": ("62.5", "60.25")}
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
                assert change.label or change.table == "unit", change
                assert change.fields, change


# ---- What a field says --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        ("", "“”"),
        (True, "true"),
        (7, "7"),
        (-7, "−7"),
        ("-7", "-7"),
        ("20", "20"),
        ({"a": "é"}, '{"a": "é"}'),
        ("2026-11-23T08:59:48.123456+00:00", "2026-11-23 08:59:48 UTC"),
        ("on 2026-11-23T08:59:48+00:00", "on 2026-11-23T08:59:48+00:00"),
        ("x" * 1_001, "x" * 1_000 + "…"),
    ],
)
def test_a_value_reads(value, shown):
    assert _trail_values._shown(value, None) == shown


@pytest.mark.parametrize(
    ("written", "shown"), [("20.000", "20"), ("0.500", "0.5"), ("1.5e-7", "1.5e-7"), ("-3.0", "−3")]
)
def test_a_number_keeps_its_digits_and_loses_empty_ones(written, shown):
    assert _trail_values._payload(f'{{"n": {written}}}') == {"n": shown}


def test_a_table_that_is_gone_is_shown_as_it_was_recorded(auditor):
    change = SimpleNamespace(
        id=1,
        table_name="gone",
        kind="insert",
        before=None,
        after='{"b": 1, "token": "sha256:%s", "n": null}' % ("0" * 64),
    )
    assert _trail_values._fields(change, {}, prices=True) == [
        trail.FieldRow("b", "", "1"),
        trail.FieldRow("token", "", "set"),
    ]


def test_a_derived_field_shows_only_when_it_is_all_there_is():
    both = SimpleNamespace(
        id=1,
        table_name="supplier",
        kind="update",
        before='{"name": "A", "sort_key": "a"}',
        after='{"name": "B", "sort_key": "b"}',
    )
    alone = SimpleNamespace(
        id=1, table_name="supplier", kind="update", before='{"sort_key": "a"}', after='{"name": "B", "sort_key": "b"}'
    )
    assert [f.name for f in _trail_values._fields(both, {}, prices=True)] == ["name"]
    assert [f.name for f in _trail_values._fields(alone, {}, prices=True)] == ["sort_key"]


# ---- The history of one record ------------------------------------------------------------------------------------


def test_the_history_of_a_record_is_newest_first_with_who(moved, ann, auditor):
    source, _ = moved
    with acting_as(auditor):
        transfer, creation = read(trail.record_history, table="inventory_item", pk=str(source.id)).rows
    assert (transfer.operation.actor, transfer.operation.summary) == ("ann", SUMMARY)
    assert fields(transfer.change)["quantity"] == ("20", "17")
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
