"""The provider says that somebody has signed out there: whose sessions end, and what it takes to be believed."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from inventory_app.database.embedded import Server
from tests.fixtures.authenticator import give_app
from tests.fixtures.provider import CLIENT_SECRET, Provider, Trip, connected, start_provider, trip
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Person, Site, start_site
from tests.http.answers import is_signed_in, live_sessions

DOOR = "/auth/oidc/backchannel-logout"


@pytest.fixture(scope="module")
def running_provider() -> Iterator[Provider]:
    with start_provider() as running:
        yield running


@pytest.fixture(scope="module")
def running_site(
    server: Server, template: str, tmp_path_factory: pytest.TempPathFactory, running_provider: Provider
) -> Iterator[Site]:
    """A server of this module's own that knows the provider."""
    running = start_site(server, template, tmp_path_factory.mktemp("back-channel"), **running_provider.settings)
    running.secrets.add(CLIENT_SECRET)
    running_provider.clients.add(f"{running.origin}/auth/oidc/callback")
    try:
        yield running
    finally:
        running.stop()
        server.drop_database(running.database.name)


@pytest.fixture
def provider(running_provider: Provider) -> Provider:
    return running_provider


@pytest.fixture
def ann(site: Site, provider: Provider) -> Person:
    """Somebody whom the provider knows."""
    ann = site.person("ann")
    connected(ann, provider, subject_of(ann))
    provider.recognises(subject_of(ann))
    return ann


def subject_of(person: Person) -> str:
    return f"subject of {person.username}"


def enter(site: Site, provider: Provider, person: Person, sid: str | None = None) -> Trip:
    """Sign somebody in, in the session that the provider calls `sid`."""
    provider.recognises(subject_of(person), **({} if sid is None else {"sid": sid}))
    way = trip(site)
    assert way.back().headers["location"] == "/"
    return way


def tell(site: Site, token: str, **fields: str) -> httpx.Response:
    """Send what the provider sends: no cookie, no origin."""
    return httpx.post(f"{site.origin}{DOOR}", data={"logout_token": token, **fields})


async def test_whoever_signs_out_there_is_signed_out_here(
    site: Site, site_trail: Trail, provider: Provider, ann: Person
):
    ways = [enter(site, provider, ann, sid) for sid in ("one", "two")]
    by_password = site.signed_in(ann)
    answer = tell(site, provider.logout_token(sub=subject_of(ann)))
    assert (answer.status_code, answer.content, answer.headers["cache-control"]) == (200, b"", "no-store")
    assert not answer.headers.get_list("set-cookie")
    for way in ways:
        assert not await is_signed_in(way.visitor)
    # What did not come from there goes on.
    assert await is_signed_in(by_password)
    done = site_trail.last(name="back_channel.end_sessions")
    assert (done.actor_name, done.outcome) == ("system:single_sign_on", "succeeded")
    assert {(change.table, change.kind) for change in site_trail.changes(done.id)} == {("auth_session", "update")}


@pytest.mark.parametrize("named", [True, False], ids=["sub and sid", "sid alone"])
async def test_only_the_session_ends_that_is_named(site: Site, provider: Provider, ann: Person, named: bool):  # noqa: FBT001
    one, two = (enter(site, provider, ann, f"{sid} of {ann.username}") for sid in ("one", "two"))
    who = {"sub": subject_of(ann)} if named else {}
    assert tell(site, provider.logout_token(sid=f"one of {ann.username}", **who)).status_code == 200
    assert not await is_signed_in(one.visitor)
    assert await is_signed_in(two.visitor)


async def test_a_session_of_which_the_provider_did_not_say_its_name_ends_by_the_person(
    site: Site, provider: Provider, ann: Person
):
    way = enter(site, provider, ann)
    assert tell(site, provider.logout_token(sid="whichever")).status_code == 200
    assert await is_signed_in(way.visitor)
    assert tell(site, provider.logout_token(sub=subject_of(ann), sid="whichever")).status_code == 200
    assert not await is_signed_in(way.visitor)


async def test_a_session_that_a_second_factor_finished_came_from_there_too(site: Site, provider: Provider, ann: Person):
    app = give_app(ann.id)
    provider.recognises(subject_of(ann), sid=f"strong {ann.username}")
    way = trip(site)
    assert way.back().headers["location"] == "/login/factor"
    assert way.visitor.post_form("/auth/factor", {"code": app.code()}).headers["location"] == "/"
    assert await is_signed_in(way.visitor)
    assert tell(site, provider.logout_token(sid=f"strong {ann.username}")).status_code == 200
    assert not await is_signed_in(way.visitor)


async def test_a_message_counts_once(site: Site, provider: Provider, ann: Person):
    enter(site, provider, ann)
    token = provider.logout_token(sub=subject_of(ann), jti=f"once {ann.username}")
    assert tell(site, token).status_code == 200
    again = enter(site, provider, ann)
    # The provider may not have heard our answer: it hears the same, and nothing more ends.
    assert tell(site, token).status_code == 200
    assert await is_signed_in(again.visitor)
    other = provider.logout_token(sub="somebody else", jti=f"once {ann.username}")
    assert tell(site, other).status_code == 400


async def test_nobody_else_is_signed_out(
    site: Site, site_observer: psycopg.Connection, provider: Provider, ann: Person
):
    way = enter(site, provider, ann, "mine")
    assert tell(site, provider.logout_token(sub="nobody here")).status_code == 200
    assert tell(site, provider.logout_token(sub="nobody here", sid="mine")).status_code == 200
    assert await is_signed_in(way.visitor)
    assert live_sessions(site_observer, ann) == 2  # with the one of the fixture


LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "for another application": {"aud": "another application"},
    "no event": {"events": None},
    "another event": {"events": {"http://schemas.openid.net/event/other": {}}},
    "an event that is none": {"events": {"http://schemas.openid.net/event/backchannel-logout": "yes"}},
    "events that are none": {"events": ["http://schemas.openid.net/event/backchannel-logout"]},
    "a nonce": {"nonce": "of a sign-in"},
    "no id": {"jti": None},
    "a number as id": {"jti": 7},
    "no time": {"iat": None},
    "never expires": {"exp": None},
    "expired": {"exp": int(time.time()) - 600},
    "from long ago": {"iat": int(time.time()) - 3_600},
    "from the future": {"iat": int(time.time()) + 86_400, "exp": int(time.time()) + 90_000},
    "about nobody": {"sub": None},
    "about a number": {"sub": 7},
    "in a session that is a list": {"sid": ["x"]},
    "in an endless session": {"sid": "x" * 300},
    "another type": {"typ": "at+jwt"},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_message_that_proves_nothing_ends_nothing(
    site: Site, site_observer: psycopg.Connection, site_trail: Trail, provider: Provider, ann: Person, lie: str
):
    enter(site, provider, ann)
    token = provider.logout_token(**{"sub": subject_of(ann), **LIES[lie]})
    answer = visitor_tells(site, token)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert live_sessions(site_observer, ann) == 2
    found = site_trail.last(name="back_channel.refuse")
    assert found.outcome == "denied"
    assert found.reason.startswith("the logout token")


def visitor_tells(site: Site, token: str) -> httpx.Response:
    """Send it from an address of its own: wrong messages are counted by it."""
    visitor = site.visitor()
    return visitor.post(DOOR, data={"logout_token": token})


@pytest.mark.parametrize("signature", ["none", "another key", "forged", "our secret"])
def test_a_signature_that_is_not_the_providers_ends_nothing(
    site: Site, site_observer: psycopg.Connection, provider: Provider, ann: Person, signature: str
):
    enter(site, provider, ann)
    provider.signature = signature
    assert visitor_tells(site, provider.logout_token(sub=subject_of(ann))).status_code == 400
    assert live_sessions(site_observer, ann) == 2


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", "x" * 20_000])
def test_what_is_no_token_is_refused(site: Site, provider: Provider, token: str):
    assert visitor_tells(site, token).status_code == 400


def test_it_is_a_post_of_bounded_size(site: Site):
    assert httpx.get(f"{site.origin}{DOOR}").status_code in (404, 405)
    assert site.visitor().post(DOOR, data={"logout_token": "x" * 100_000}).status_code == 400


def test_wrong_messages_are_slowed_down(site: Site, provider: Provider, ann: Person):
    visitor = site.visitor()
    for _ in range(5):
        assert visitor.post(DOOR, data={"logout_token": "wrong"}).status_code == 400
    answer = visitor.post(DOOR, data={"logout_token": provider.logout_token(sub=subject_of(ann))})
    assert answer.json()["error_description"].startswith("Too many attempts")


def test_while_the_provider_is_away_it_is_asked_to_say_it_again(
    server: Server, template: str, tmp_path: Path, provider: Provider
):
    site = start_site(server, template, tmp_path, **provider.settings)
    provider.recognises("anybody")
    try:
        token = provider.logout_token(sub="anybody")
        provider.away = True
        answer = tell(site, token)
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
        provider.away = False
        assert tell(site, token).status_code == 200
    finally:
        provider.away = False
        site.stop()
        server.drop_database(site.database.name)


def test_without_a_provider_there_is_nothing_to_hear(server: Server, template: str, tmp_path: Path, provider: Provider):
    site = start_site(server, template, tmp_path)
    try:
        assert tell(site, provider.logout_token(sub="anybody")).status_code == 404
    finally:
        site.stop()
        server.drop_database(site.database.name)
