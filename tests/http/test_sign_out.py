"""Signing out and changing the password: what ends, and what goes on."""

import httpx
import psycopg
import pytest

from inventory_app.http.sign_in import WRONG
from inventory_app.operations._attempts import FREE_FAILURES
from inventory_app.states.inventory import InventoryState
from tests.fixtures.seeing import Trail
from tests.fixtures.server import PASSWORD, Person, Site, Visitor
from tests.fixtures.tab import Tab
from tests.http.answers import cookies, enters, flash_of, is_signed_in, live_sessions, message


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("ann", "manager")


# Signing out


async def test_signing_out_ends_the_session_in_the_database_and_in_the_browser(
    site: Site, site_observer: psycopg.Connection, site_trail: Trail, ann: Person
):
    visitor = site.signed_in(ann)
    token, header = visitor.kept("session"), visitor.cookie_header
    assert live_sessions(site_observer, ann, token) == 1
    answer = visitor.sign_out()
    assert (answer.headers["location"], message(answer)) == ("/login", "You are signed out.")
    assert (cookies(answer)["session"].value, cookies(answer)["session"]["max-age"]) == ("", "0")
    assert live_sessions(site_observer, ann, token) == 0
    assert site_trail.last(actor_name=ann.username).name == "sessions.sign_out"
    assert not await is_signed_in(visitor, header)


async def test_signing_out_leaves_other_devices_alone(site: Site, ann: Person):
    phone, desk = site.signed_in(ann), site.signed_in(ann)
    phone.sign_out()
    assert await is_signed_in(desk)


def test_signing_out_twice_is_no_error(site: Site, ann: Person):
    visitor = site.signed_in(ann)
    visitor.sign_out()
    assert message(visitor.sign_out()) == "You are signed out."


async def test_a_tab_that_stayed_open_does_nothing_more_after_signing_out(site: Site, ann: Person):
    visitor = site.signed_in(ann)
    async with Tab(visitor, "/inventory") as tab:
        visitor.sign_out()
        answer = await tab.call(InventoryState.load)
    assert answer.is_refused
    assert answer.vars().get("inventory_state.rows", []) == []


# Changing the password


def change(visitor: Visitor, current: str, new: str) -> httpx.Response:
    return visitor.post_form("/auth/password", {"current": current, "password": new})


async def test_a_new_password_keeps_this_session_under_a_new_token_and_ends_all_others(
    site: Site, site_observer: psycopg.Connection
):
    ann = site.person("ann", "manager")
    here, elsewhere = site.signed_in(ann), site.signed_in(ann)
    before, old_header = here.kept("session"), here.cookie_header
    async with Tab(elsewhere, "/inventory") as open_elsewhere:
        answer = change(here, PASSWORD, "another fine password")
        assert answer.headers["location"] == "/"
        assert (await open_elsewhere.call(InventoryState.load)).is_refused
    assert here.kept("session") != before
    assert await is_signed_in(here)
    assert not await is_signed_in(here, old_header)
    assert live_sessions(site_observer, ann) == 1
    assert message(site.visitor().sign_in(ann.username, PASSWORD)) == WRONG
    assert enters(site, ann, "another fine password")


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("not mine at all", "another fine password", "current"),
        ("", "another fine password", "current"),
        (PASSWORD, "short", "password"),
        (PASSWORD, "", "password"),
        (PASSWORD, "x" * 201, "password"),
        (PASSWORD, PASSWORD, "password"),
    ],
)
def test_a_password_that_cannot_be_taken_is_said_beside_its_field_and_changes_nothing(
    site: Site, ann: Person, current: str, new: str, field: str
):
    answer = change(site.signed_in(ann), current, new)
    assert answer.headers["location"] == "/password"
    assert list(flash_of(answer)["errors"]) == [field]
    assert enters(site, ann)


def test_guessing_the_current_password_is_slowed_down_too(site: Site, ann: Person):
    visitor = site.signed_in(ann)
    said = [message(change(visitor, f"wrong {n}", "another fine password")) for n in range(FREE_FAILURES + 1)]
    assert said[-1].startswith("Too many attempts")


def test_a_stranger_changes_no_password(site: Site):
    answer = change(site.visitor(), PASSWORD, "another fine password")
    assert message(answer) == "Your session has ended. Sign in again."
    assert "session" not in cookies(answer)


async def test_whoever_must_choose_a_password_is_free_after_choosing_one(site: Site):
    ann = site.person("ann", "manager", must_change_password=True)
    visitor = site.signed_in(ann)
    async with Tab(visitor, "/inventory") as tab:
        answer = await tab.call(InventoryState.load)
        assert answer.redirects == ["/password"]
        assert "inventory_state.rows" not in answer.vars()
    change(visitor, PASSWORD, "another fine password")
    async with Tab(visitor, "/inventory") as tab:
        assert not (await tab.call(InventoryState.load)).is_refused
