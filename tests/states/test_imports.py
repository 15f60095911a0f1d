"""The import page's handlers: whose file they show, what they bring in, and where they lead."""

import pytest
import reflex as rx
from reflex.istate.data import RouterData
from reflex_base.event import Event

from inventory_app import staging
from inventory_app.context import acting_as
from inventory_app.operations import imports
from inventory_app.staging import Staged
from inventory_app.states import _guard
from inventory_app.states.auth import AuthState
from inventory_app.states.imports import ImportState
from inventory_app.unit_of_work import read
from tests.factories import person

FILES = {
    "suppliers": "name\nAcme\n",
    "categories": "code,name\n1,Drinks\n",
    "products": "sku,name,quantity\nA,Salt,3\n",
}


@pytest.fixture(autouse=True)
def _data_dir(configure, tmp_path):
    configure(INVENTORY_DATA_DIR=str(tmp_path))


async def tab(actor, key=""):
    """Open the page in a fresh tab of `actor`, at the address of a file."""
    _guard._event_actor.set(actor)
    root = rx.State()
    with acting_as(actor):
        from inventory_app.operations import sessions

        me = read(sessions.who_is_this)
    (await root.get_state(AuthState))._fill(me, actor.token_hash)
    state = await root.get_state(ImportState)
    address = f"/imports?file={key}" if key else "/imports"
    state.router = RouterData.from_router_data(
        {"pathname": "/imports", "asPath": address, "headers": {"origin": "http://x"}}
    )
    await state.load()
    return state


def keep(actor, kind="products", text=None):
    return staging.keep(actor.token_hash, Staged(kind, f"{kind}.csv", (text or FILES[kind]).encode()))


def said(events):
    return " ".join(str(event.payload if isinstance(event, Event) else event.args) for event in events)


@pytest.mark.parametrize("kind", FILES)
async def test_the_file_of_the_address_is_shown_then_imported_and_forgotten(ann, kind):
    key = keep(ann, kind)
    state = await tab(ann, key)
    assert (state.loading, state.file, state.trouble) == (False, key, "")
    assert (state.preview.kind, state.preview.ready, state.more_faults) == (kind, True, 0)
    assert "/imports" in said(await getattr(state, f"import_{kind}")({"file": key}))
    assert staging.find(ann.token_hash, key) is None
    await state.load()
    assert "no longer kept" in state.trouble
    assert (state.file, state.preview) == ("", None)
    assert [row.file_name for row in state.batches] == [f"{kind}.csv"]


async def test_nobody_sees_or_imports_the_file_of_another_session(ann, ada):
    key = keep(ada)
    state = await tab(ann, key)
    assert "no longer kept" in state.trouble
    assert "no longer kept" in said(await state.import_products({"file": key}))
    await state.discard({"file": key})
    assert staging.find(ada.token_hash, key)


async def test_a_file_is_imported_only_as_what_it_was_sent_as(ann):
    key = keep(ann, "categories")
    state = await tab(ann, key)
    assert "no longer kept" in said(await state.import_products({"file": key}))
    assert staging.find(ann.token_hash, key)


async def test_a_second_press_says_that_it_was_imported(ann):
    first, second = keep(ann), keep(ann)
    state = await tab(ann, first)
    await state.import_products({"file": first})
    assert "This file was imported on" in said(await state.import_products({"file": second}))


async def test_many_faults_are_cut_and_counted(ann):
    text = "sku,name,quantity\n" + "".join(f"A{n},Salt,x\n" for n in range(150))
    state = await tab(ann, keep(ann, text=text))
    assert (len(state.preview.faults), state.more_faults) == (100, 50)
    assert not state.preview.ready


async def test_a_file_that_is_not_wanted_is_forgotten(ann):
    key = keep(ann)
    state = await tab(ann, key)
    assert "/imports" in said(await state.discard({"file": key}))
    assert staging.find(ann.token_hash, key) is None


async def test_somebody_without_the_permission_is_shown_nothing(database):
    emma = person("emma", "employee")
    state = await tab(emma, keep(emma))
    assert (state.loading, state.preview, state.batches) == (False, None, [])
    assert imports.PERMISSIONS


async def test_somebody_who_lost_the_permission_cannot_import(ann):
    emma = person("emma", "employee")
    state = await tab(emma)
    assert "permission" in said(await state.import_products({"file": keep(emma)}))


@pytest.mark.parametrize(
    "sent", [{}, {"file": ""}, {"file": "x" * 33}, {"file": 5}, {"file": None, "more": 1}, {"file": "../" * 10 + "ab"}]
)
async def test_a_file_that_is_none_is_refused(ann, sent):
    state = await tab(ann)
    await state.import_products(sent)
    assert state.preview is None
    with acting_as(ann):
        assert not read(imports.imported_files)
