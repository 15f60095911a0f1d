"""What the page of the trail shows for an address, and where its links lead."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import reflex as rx
from reflex.istate.data import RouterData

from inventory_app.context import acting_as
from inventory_app.errors import InsufficientStock
from inventory_app.models.catalog import Product
from inventory_app.operations import stock
from inventory_app.states import _guard
from inventory_app.states import trail as states
from inventory_app.states.trail import OperationState, TrailState
from inventory_app.unit_of_work import transact
from tests.factories import arrange, item, location, person, product, supplier

UNKNOWN = "019abc00-0000-7000-8000-000000000000"


@pytest.fixture
def auditor(database):
    """Return Olga: she may see everything."""
    return person("olga", "auditor")


@pytest.fixture
async def tab(auditor):
    """Return a fresh tab of Olga's that opens a State at an address."""
    token = _guard._event_actor.set(auditor)
    root = rx.State()

    async def open_at(address, kind=TrailState, zone=""):
        root.router_data = {"headers": {"cookie": f"zone={zone}"}}
        state = await root.get_state(kind)
        at(state, address)
        return state

    yield open_at
    _guard._event_actor.reset(token)


def at(state, address):
    path = address.partition("?")[0]
    headers = {"origin": "http://testserver"}
    state.router = RouterData.from_router_data({"pathname": path, "asPath": address, "headers": headers})


@pytest.fixture
def moved(ann):
    """Return the two items between which Ann moved 3 of 20, and failed to move 99."""
    brandy = product("BEV-0040", name="Côte de Blaye")
    source = item(brandy.id, location("BOND", name="Bond store").id, 20)
    target = item(brandy.id, location("HALL", name="Main hall").id, 5)
    with acting_as(ann):
        for quantity in (3, 99):
            try:
                transact(
                    stock.transfer_inventory,
                    from_item_id=source.id,
                    to_item_id=target.id,
                    quantity=Decimal(quantity),
                )
            except InsufficientStock:
                continue
    return source, target


def leads_to(event):
    return next(str(value) for name, value in event.args if str(name) == "path").strip('"')


async def test_it_shows_the_newest_operations_and_puts_the_look_on_record(tab, moved, trail):
    state = await tab("/audit")
    assert state.loading
    answer = await state.load()
    assert answer == TrailState.load_facets
    assert [row.name for row in state.rows[:2]] == ["stock.transfer_inventory"] * 2
    assert not state.loading
    assert (state.newer_href, state.older_href, state.parts) == ("", "", [])
    await state.load()
    assert [op.reason for op in trail.operations(name="trail.view_trail")] == ["everything"]


async def test_the_address_says_the_search_and_each_part_can_be_taken_off(tab, moved):
    state = await tab("/audit?q=outcome:failed%20-actor:bob%20after:2026-01-02%20before:2999-12-01")
    await state.load()
    assert len(state.rows) == 1
    assert [(part.name, part.value) for part in state.parts][:2] == [("outcome:", "failed"), ("not actor:", "bob")]
    assert state.parts[1].href == "/audit?q=outcome%3Afailed+after%3A2026-01-02+before%3A2999-12-01"
    assert (state.after, state.before) == ("2026-01-02", "2999-12-01")


async def test_an_address_that_cannot_be_read_says_why_and_shows_nothing(tab, moved, trail):
    state = await tab("/audit")
    await state.load()
    at(state, "/audit?q=aktor:ann")
    assert await state.load() is None
    assert "Did you mean actor:?" in state.problem
    assert (state.rows, state.typed) == ([], "aktor:ann")
    assert len(trail.operations(name="trail.view_trail")) == 1


async def test_pages_are_links(tab, auditor):
    for n in range(53):
        supplier(f"Supplier {n}")
    state = await tab("/audit?q=table:supplier operation:tests.arrange")
    await state.load()
    first = state.rows
    assert state.older_href.startswith("/audit?q=table%3Asupplier+operation%3Atests.arrange&at=")
    at(state, state.older_href)
    await state.load()
    assert len(state.rows) == 3
    assert state.older_href == ""
    at(state, state.newer_href)
    await state.load()
    assert state.rows == first


async def test_facets_are_links_with_their_counts(tab, moved):
    state = await tab("/audit?q=operation:stock.*")
    await state.load()
    await state.load_facets()
    assert (state.total, state.capped) == ("2", False)
    by = {facet.title: {c.label: c for c in facet.choices} for facet in state.facets}
    assert by["Outcome"]["Failed"] == states.Choice(
        "Failed", "1", chosen=False, href="/audit?q=operation%3Astock.%2A+outcome%3Afailed"
    )
    assert by["Operation"]["stock.*"] == states.Choice("stock.*", "2", chosen=True, href="/audit")
    assert [choice.label for choice in state.outcomes] == ["Failed", "Denied"]
    assert "outcome:failed" in state.suggestions
    assert "record:" in state.suggestions


async def test_a_period_replaces_the_dates_and_is_taken_off_where_it_was_put_on(tab, auditor):
    state = await tab("/audit?q=after:2026-01-02%20ann")
    await state.load()
    today = state.periods[0]
    assert (today.label, today.chosen) == ("Today", False)
    assert "2026-01-02" not in today.href
    at(state, today.href)
    await state.load()
    assert state.periods[0].chosen
    assert state.periods[0].href == "/audit?q=ann"


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("Europe/Berlin", "Europe/Berlin (UTC+"),
        ("Asia/Kolkata", "Asia/Kolkata (UTC+5:30)"),
        ("../etc", "UTC"),
        ("", "UTC"),
    ],
)
async def test_days_are_those_of_the_browser_and_the_page_says_so(tab, auditor, sent, words):
    state = await tab("/audit", zone=sent)
    await state.load()
    assert state.zone.startswith(words)


@pytest.mark.parametrize("hour", [0, 12, 23])
async def test_today_is_the_day_it_is_where_one_sits(tab, auditor, hour, monkeypatch):
    monkeypatch.setattr(states, "now", lambda: datetime(2026, 11, 17, hour, 30, tzinfo=UTC))
    days = {}
    for zone in ("Pacific/Auckland", "America/Los_Angeles"):
        state = await tab("/audit", zone=zone)
        await state.load()
        days[zone] = state.periods[0].href.rpartition("%3A")[2]
    assert days["Pacific/Auckland"] == ("2026-11-17" if hour == 0 else "2026-11-18")
    assert days["America/Los_Angeles"] == ("2026-11-16" if hour == 0 else "2026-11-17")


async def test_a_first_look_counts_what_it_lists(tab, moved):
    state = await tab("/audit")
    await state.load()
    await state.load_facets()
    assert state.total == str(len(state.rows))


async def test_the_history_of_a_record_says_whose_it_is(tab, moved):
    state = await tab(f"/audit?q=record:inventory_item/{moved[0].id}")
    await state.load()
    assert state.about == "Côte de Blaye at Bond store"
    at(state, "/audit")
    await state.load()
    assert state.about == ""


async def test_what_is_typed_is_added_to_the_search(tab, auditor):
    state = await tab("/audit?q=actor:ann")
    await state.load()
    cleared, redirect = await state.search({"add": 'outcome:denied "Ann Étoile"'})
    assert "trail_search" in str(cleared.args)
    assert leads_to(redirect) == "/audit?q=actor%3Aann+outcome%3Adenied+%22Ann+%C3%89toile%22"


async def test_what_cannot_be_read_is_not_added_and_says_why(tab, auditor):
    state = await tab("/audit")
    await state.load()
    assert await state.search({"add": "aktor:ann"}) is None
    assert "Did you mean actor:?" in state.problem
    assert state.rows


async def test_days_limit_the_search_and_an_emptied_day_takes_the_limit_off(tab, auditor):
    state = await tab("/audit?q=after:2026-01-02")
    await state.load()
    assert leads_to(await state.search_dates("after", "2026-03-04")) == "/audit?q=after%3A2026-03-04"
    assert (
        leads_to(await state.search_dates("before", "2026-03-04")) == "/audit?q=after%3A2026-01-02+before%3A2026-03-04"
    )
    assert leads_to(await state.search_dates("after", "")) == "/audit"
    assert await state.search_dates("after", "soon") is None
    assert "is no date" in state.problem


async def test_an_operation_opens_once_and_stays_open_while_it_is_listed(tab, moved):
    state = await tab("/audit?q=operation:stock.*")
    await state.load()
    failed, done = state.rows
    await state.open_operation(done.id)
    assert len(state.opened[done.id].changes) == 4
    state.dirty_vars.clear()
    await state.open_operation(done.id)
    assert not state.dirty_vars
    at(state, "/audit?q=outcome:failed")
    await state.load()
    assert state.opened == {}
    assert failed.id in {row.id for row in state.rows}


async def test_only_operations_of_the_list_open(tab, auditor):
    state = await tab("/audit?q=table:product")
    await state.load()
    for unknown in ("", "x", UNKNOWN):
        await state.open_operation(unknown)
    assert state.opened == {}


async def test_a_large_operation_shows_some_changes_on_the_list_and_the_rest_on_its_page(tab, auditor, monkeypatch):
    monkeypatch.setattr(states, "SHOWN_ON_THE_LIST", 2)
    arrange(lambda session: session.add_all([Product(sku=f"P{n}", name="P", currency="USD") for n in range(103)]))
    state = await tab("/audit?q=table:product")
    await state.load()
    # Before it, migrations have added columns.
    row = state.rows[0]
    await state.open_operation(row.id)
    assert len(state.opened[row.id].changes) == 2
    assert state.opened[row.id].after

    one = await tab(f"/audit/{row.id}", OperationState)
    await one.load()
    assert len(one.detail.changes) == 100
    assert one.before_href == ""
    at(one, one.after_href)
    await one.load()
    assert len(one.detail.changes) == 3
    assert one.before_href.startswith(f"/audit/{row.id}?at=")


async def test_the_page_of_an_operation_shows_it_and_is_a_look_of_its_own(tab, moved, trail):
    done = trail.last(name="stock.transfer_inventory", outcome="succeeded")
    state = await tab(f"/audit/{done.id}", OperationState)
    assert state.loading
    for _ in range(2):
        await state.load()
    assert (state.name, state.loading) == ("stock.transfer_inventory", False)
    assert state.detail.row.id == str(done.id)
    assert [op.reason for op in trail.operations(name="trail.view_trail")] == [str(done.id)]


@pytest.mark.parametrize("name", ["x", UNKNOWN, "%00"])
async def test_the_page_of_no_operation_says_so(name, tab, auditor, trail):
    state = await tab(f"/audit/{name}", OperationState)
    await state.load()
    assert (state.detail, state.loading) == (None, False)
    assert trail.operations(name="trail.view_trail") == []
