"""A tab outlives a session: whoever comes next in it, or finds its token, receives nothing of the one before."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from inventory_app.states.inventory import InventoryState
from inventory_app.states.suppliers import SupplierState
from inventory_app.states.users import UserMgmtState
from tests import factories
from tests.fixtures.server import Person, Site, Visitor
from tests.fixtures.tab import HYDRATE, ROOT, Tab
from tests.states.handlers import registered

PAGES = ("/", "/inventory", "/admin/users", "/suppliers/approvals", "/audit", "/imports")
LOADS = [name for name, handler in registered().items() if handler.declared and name.endswith((".load", ".guard_page"))]


@dataclass(frozen=True)
class Filled:
    """A tab that has shown everything Ann may see, and the words that only she may."""

    ann: Person
    visitor: Visitor
    token: str
    words: tuple[str, ...]


async def look_around(tab: Tab) -> None:
    """Load every page, select and open things."""
    for path in PAGES:
        await tab.go(path)
    for name in LOADS:
        await tab.call(name)
    await tab.call(HYDRATE, vars={}, hashes=None)
    await tab.call(f"{ROOT}.hydrate")


@pytest.fixture
async def filled(site: Site) -> Filled:
    """Ann has everything open; her websocket is closed, as it is when a page is left."""
    mark = secrets.token_hex(4)
    ann, colleague = site.person("ann", "admin"), site.person("carol", "employee")
    product = factories.product(f"SKU{mark}".upper(), name=f"Widget {mark}")
    item = factories.item(product.id, factories.location(f"SHELF{mark}".upper()).id, quantity=3)
    factories.supplier(f"Acme {mark}", email=f"sales@{mark}.example")
    visitor = site.signed_in(ann)
    async with Tab(visitor) as tab:
        await look_around(tab)
        tab.path = f"/inventory?q={mark}"
        await tab.call(InventoryState.load)
        await tab.call(InventoryState.select_all)
        await tab.call(InventoryState.open_bulk)
        await tab.call(InventoryState.open_adjust, item_id=item.id)
        tab.path = f"/admin/users?q={colleague.username}"
        await tab.call(UserMgmtState.load)
        await tab.call(UserMgmtState.open_roles, user_id=colleague.id)
        tab.path = f"/suppliers/approvals?q={mark}"
        await tab.call(SupplierState.load)
        words = (ann.username, ann.name, colleague.username, colleague.name, mark, mark.upper())
        assert all(word in tab.text for word in words), "the tab never held what it must not give away"
        return Filled(ann, visitor, tab.token, words)


def leaked(tab: Tab, words: Iterable[str]) -> list[str]:
    return [word for word in words if word in tab.text]


async def test_the_next_person_in_the_same_tab_receives_nothing_of_the_one_before(site: Site, filled: Filled):
    bob = site.person("bob")
    filled.visitor.sign_out()
    filled.visitor.sign_in(bob.username)
    async with Tab(filled.visitor, token=filled.token) as tab:
        await look_around(tab)
        assert tab.new_tokens == [], "it must be the very same tab"
        assert bob.name in tab.text
        assert leaked(tab, filled.words) == []


async def test_a_stranger_in_the_same_tab_receives_nothing_of_the_one_before(site: Site, filled: Filled):
    filled.visitor.sign_out()
    async with Tab(filled.visitor, token=filled.token) as tab:
        await look_around(tab)
        assert leaked(tab, filled.words) == []


async def test_signing_in_over_a_session_that_was_never_ended_changes_everything_too(site: Site, filled: Filled):
    bob = site.person("bob")
    filled.visitor.sign_in(bob.username)
    async with Tab(filled.visitor, token=filled.token) as tab:
        await look_around(tab)
        assert bob.name in tab.text
        assert leaked(tab, filled.words) == []


async def test_somebody_disabled_who_reconnects_receives_nothing_more(site: Site, filled: Filled):
    ada = site.signed_in(site.person("ada", "admin"))
    async with Tab(ada, "/admin/users") as hers:
        await hers.call(UserMgmtState.deactivate_user, user_id=filled.ann.id)
    async with Tab(filled.visitor, token=filled.token) as tab:
        await look_around(tab)
        assert leaked(tab, filled.words) == []


async def test_somebody_disabled_receives_nothing_more_in_the_tab_that_is_still_open(site: Site, filled: Filled):
    ada = site.signed_in(site.person("ada", "admin"))
    async with Tab(filled.visitor, token=filled.token) as tab, Tab(ada, "/admin/users") as hers:
        assert leaked(tab, filled.words), "she is still signed in"
        await hers.call(UserMgmtState.deactivate_user, user_id=filled.ann.id)
        tab.messages.clear()
        await look_around(tab)
        assert leaked(tab, filled.words) == []


async def test_somebody_without_roles_any_more_receives_no_rows_when_the_page_loads_again(site: Site, filled: Filled):
    ada = site.signed_in(site.person("ada", "admin"))
    async with Tab(ada, "/admin/users") as hers:
        await hers.call(UserMgmtState.set_roles, form={"user_id": filled.ann.id, "version": 1})
    async with Tab(filled.visitor, token=filled.token) as tab:
        await look_around(tab)
        # She is still signed in, so her own name stays.
        assert leaked(tab, filled.words[2:]) == []


async def test_the_token_of_a_tab_that_is_open_opens_a_new_one(site: Site, filled: Filled):
    bob = site.signed_in(site.person("bob"))
    async with Tab(filled.visitor, token=filled.token), Tab(bob, token=filled.token) as thief:
        await look_around(thief)
        assert thief.new_tokens != []
        assert leaked(thief, filled.words) == []


async def test_the_token_of_a_tab_that_was_left_is_worth_nothing_without_the_cookie(site: Site, filled: Filled):
    for visitor in (site.visitor(), site.signed_in(site.person("bob"))):
        async with Tab(visitor, token=filled.token) as thief:
            await look_around(thief)
            assert leaked(thief, filled.words) == []


async def test_the_one_before_finds_an_empty_tab_when_coming_back(site: Site, filled: Filled):
    """Whoever signs in again after somebody else used the tab starts anew: the order of sessions does not matter."""
    bob = site.person("bob")
    filled.visitor.sign_out()
    filled.visitor.sign_in(bob.username)
    async with Tab(filled.visitor, token=filled.token) as tab:
        await look_around(tab)
    filled.visitor.sign_out()
    filled.visitor.sign_in(filled.ann.username)
    async with Tab(filled.visitor, token=filled.token) as tab:
        assert leaked(tab, [bob.username, bob.name]) == []
        answer = await tab.call(f"{ROOT}.hydrate")
        assert answer.vars()["inventory_state.rows"] == []
