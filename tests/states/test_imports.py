"""The import page's handlers: whose file they show, what they bring in, and what is taken back."""

import pytest
import reflex as rx
from reflex.istate.data import RouterData
from reflex_base.event import Event

from inventory_app import importing, staging
from inventory_app.context import acting_as
from inventory_app.operations import import_views
from inventory_app.states import _guard
from inventory_app.states.auth import AuthState
from inventory_app.states.imports import ImportState
from inventory_app.unit_of_work import read
from tests.factories import person

FILES = {
    "suppliers": "name\nAcme\n",
    "categories": "code,name\n1,Drinks\n",
    "locations": "code,name\nA,Aisle\n",
    "products": "sku,name,quantity\nA,Salt,3\n",
}


@pytest.fixture(autouse=True)
def _data_dir(configure, tmp_path):
    configure(INVENTORY_DATA_DIR=str(tmp_path))


async def tab(actor, run=0):
    """Open the page in a fresh tab of `actor`, at the address of a file."""
    _guard._event_actor.set(actor)
    root = rx.State()
    with acting_as(actor):
        from inventory_app.operations import sessions

        me = read(sessions.who_is_this)
    (await root.get_state(AuthState))._fill(me, actor.token_hash)
    state = await root.get_state(ImportState)
    address = f"/imports?run={run}" if run else "/imports"
    state.router = RouterData.from_router_data(
        {"pathname": "/imports", "asPath": address, "headers": {"origin": "http://x"}}
    )
    await state.load()
    return state


def send(actor, kind="products", text=None):
    """Send a file as the route does; returns its run."""
    key, path = staging.new_file()
    path.write_text(text or FILES[kind], encoding="utf-8")
    with acting_as(actor):
        return importing.take(kind, key, f"{kind}.csv")


def settled():
    """Wait until this process has nothing to do."""
    importing._work()._thread.submit(lambda: None).result()


def chosen(state, rule="update"):
    return {f"c_{one.field}": str(one.column) for one in state.run.choices if one.column >= 0} | {"rule": rule}


def said(events):
    return " ".join(str(event.payload if isinstance(event, Event) else event.args) for event in events or [])


@pytest.mark.parametrize("kind", FILES)
async def test_a_file_is_looked_at_checked_imported_and_taken_back(ann, kind):
    run = send(ann, kind)
    state = await tab(ann, run)
    assert (state.loading, state.run.kind, state.run.status) == (False, kind, "mapping")
    await state.check_file(chosen(state))
    settled()
    await state.look()
    assert (state.run.status, state.run.new_rows, state.run.faulty_rows) == ("checked", 1, 0)
    await state.import_file({"run": run})
    settled()
    await state.look()
    assert (state.run.status, state.run.problem) == ("applied", "")
    assert [(row.file_name, row.status, row.undoable) for row in state.batches] == [(f"{kind}.csv", "applied", True)]
    await state.open_undo(run)
    assert "as it was before" in said([await state.undo_file({"run": run, "reason": "Wrong file"})])
    assert (state.run.status, state.undoing) == ("undone", None)


async def test_nobody_sees_or_works_on_the_file_of_somebody_else(ann):
    ada = person("ada", "admin")
    run = send(ada)
    state = await tab(ann, run)
    assert state.run is None
    assert "does not exist" in said(await state.import_file({"run": run}))
    assert "does not exist" in said(await state.cancel_file({"run": run}))
    with acting_as(ada):
        assert read(import_views.run_of, run_id=run).status == "mapping"


async def test_columns_that_do_not_fit_are_said_beside_their_fields(ann):
    state = await tab(ann, send(ann))
    await state.check_file({"c_name": "0", "c_category": "0"})
    assert state.errors["category"] == "sku is read as Name already."
    assert state.errors["columns"] == "A file of products needs a column for SKU or Product number."


async def test_many_faults_come_page_by_page(ann):
    text = "sku,name,quantity\n" + "".join(f"A{n},Salt,x\n" for n in range(120))
    state = await tab(ann, send(ann, text=text))
    await state.check_file(chosen(state))
    settled()
    await state.look()
    assert (len(state.faults), state.run.faults, state.run.faulty_rows) == (50, 120, 120)
    await state.more_faults()
    assert [fault.row for fault in state.faults] == list(range(2, 102))
    # A file with faults is not imported, whatever is sent.
    assert "cannot be imported as it stands" in said(await state.import_file({"run": state.run.id}))


async def test_a_file_that_is_not_wanted_is_put_aside(ann):
    run = send(ann)
    state = await tab(ann, run)
    assert "/imports" in said(await state.cancel_file({"run": run}))
    await state.load()
    assert (state.run.status, state.batches) == ("cancelled", [])


async def test_somebody_without_the_permission_is_shown_nothing(database):
    emma = person("emma", "employee")
    state = await tab(emma)
    assert (state.loading, state.run, state.batches) == (False, None, [])


@pytest.mark.parametrize("sent", [{}, {"run": 0}, {"run": "x" * 33}, {"run": None, "more": 1}, {"run": 2**70}])
async def test_a_file_that_is_none_is_refused(ann, sent):
    state = await tab(ann)
    await state.import_file(sent)
    await state.cancel_file(sent)
    assert state.run is None
