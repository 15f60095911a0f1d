"""Single sign-on against a provider that runs here, and everything somebody could do with what goes back and forth."""

import secrets
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
import sqlalchemy as sa
from sqlmodel import col

from inventory_app.database.embedded import Server
from inventory_app.models._base import now
from inventory_app.models.access import AccountLink, ExternalIdentity, LinkPurpose
from inventory_app.models.users import LocalUser, Role
from inventory_app.operations.sessions import hash_token
from inventory_app.passwords import NO_PASSWORD
from tests.factories import add, arrange
from tests.fixtures.authenticator import change_sessions, give_app
from tests.fixtures.provider import CLIENT_SECRET, Provider, Trip, connected, start_provider, trip
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Person, Site, start_site
from tests.http.answers import cookies, count, is_signed_in, live_sessions, message

START_AGAIN = "This sign-in was begun in another tab or took too long. Start again."
NOT_PROVEN = "Single sign-on did not prove who you are. Start again; if it happens again, tell an administrator."
AWAY = "Single sign-on does not answer right now. Use another way to sign in, or try again in a moment."
ROLES = "crew=employee;buyers=manager,accountant;chiefs=admin!;ghosts=no-such-role;vault=keeper"


@pytest.fixture(scope="module")
def running_provider() -> Iterator[Provider]:
    with start_provider() as running:
        yield running


@pytest.fixture(scope="module")
def running_site(
    server: Server, template: str, tmp_path_factory: pytest.TempPathFactory, running_provider: Provider
) -> Iterator[Site]:
    """A server of this module's own that knows the provider."""
    folder = tmp_path_factory.mktemp("single-sign-on")
    running = start_site(server, template, folder, **running_provider.settings, INVENTORY_OIDC_ROLES=ROLES)
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
    """Somebody whom the provider knows and who is signed in there."""
    ann = site.person("ann", "manager")
    connected(ann, provider, f"subject of {ann.username}")
    provider.recognises(f"subject of {ann.username}", groups=["buyers"])
    return ann


def is_in(answer: httpx.Response) -> bool:
    return bool(cookies(answer).get("session"))


def method_of(observer: psycopg.Connection, token: str) -> tuple[Any, ...] | None:
    return observer.execute(
        "SELECT method, strong FROM auth_session WHERE token_hash = %s", [hash_token(token)]
    ).fetchone()


async def test_whom_the_provider_recognises_is_signed_in_and_led_to_where_they_wanted(
    site: Site, site_observer: psycopg.Connection, provider: Provider, ann: Person
):
    way = trip(site, next="/inventory?q=x")
    asked = way.asked
    assert (asked["scope"], asked["code_challenge_method"]) == ("openid profile email", "S256")
    assert "prompt" not in asked
    answer = way.back()
    assert (answer.status_code, answer.headers["location"]) == (303, "/inventory?q=x")
    assert await is_signed_in(way.visitor)
    assert method_of(site_observer, way.visitor.kept("session")) == ("single_sign_on", False)
    assert not way.visitor.kept("sign-on")


def test_each_sign_in_asks_with_secrets_of_its_own(site: Site, ann: Person):
    first, second = trip(site).asked, trip(site).asked
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]


def test_the_cookie_in_between_is_closed_to_scripts_says_nothing_and_lasts_minutes(site: Site, ann: Person):
    visitor = site.visitor()
    visitor.get("/login/")
    answer = visitor.get("/auth/oidc")
    cookie = cookies(answer)["sign-on"]
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["max-age"]) == (True, "lax", "600")
    state = Trip(visitor, answer.headers["location"]).asked["state"]
    assert state not in cookie.value
    assert len(cookie.value) < 2_000


def test_a_provider_that_says_how_makes_the_session_strong(
    site: Site, site_observer: psycopg.Connection, provider: Provider, ann: Person
):
    provider.who["amr"] = ["pwd", "otp"]
    way = trip(site)
    assert is_in(way.back())
    assert method_of(site_observer, way.visitor.kept("session")) == ("single_sign_on", True)


def test_the_session_the_browser_had_before_ends(
    site: Site, site_observer: psycopg.Connection, provider: Provider, ann: Person
):
    other = site.person("bob")
    visitor = site.signed_in(other)
    before = visitor.kept("session")
    assert is_in(Trip(visitor).leave().back())
    assert live_sessions(site_observer, other, before) == 0


def test_the_form_token_changes_with_the_person(site: Site, ann: Person):
    way = trip(site)
    visit = way.visitor.kept("visit")
    assert is_in(way.back())
    assert way.visitor.kept("visit") not in ("", visit)


def test_with_a_second_factor_of_ours_the_provider_alone_opens_nothing(
    site: Site, site_observer: psycopg.Connection, provider: Provider, ann: Person
):
    app = give_app(ann.id)
    way = trip(site, next="/inventory")
    answer = way.back()
    assert answer.headers["location"] == "/login/factor"
    assert not is_in(answer)
    assert is_in(finished := way.visitor.post_form("/auth/factor", {"code": app.code()}))
    assert finished.headers["location"] == "/inventory"
    assert method_of(site_observer, way.visitor.kept("session")) == ("single_sign_on+totp", True)


def test_a_strong_proof_there_is_enough_where_one_of_ours_is_set_up(site: Site, provider: Provider, ann: Person):
    give_app(ann.id)
    provider.who["amr"] = ["hwk"]
    assert is_in(trip(site).back())


# What does not prove anything


def refused(site: Site, answer: httpx.Response, sentence: str) -> None:
    """Nothing was opened, and the person reads our sentence, never somebody else's."""
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")
    assert message(answer) == sentence
    assert not is_in(answer)


LIES: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "of-another-sign-in"},
    "no nonce": {"nonce": None},
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "for another application": {"aud": "another application"},
    "for ours among others, handed to another": {"aud": ["inventory", "other"], "azp": "other"},
    "for ours among others, handed to nobody": {"aud": ["inventory", "other"]},
    "expired": {"exp": int(time.time()) - 600},
    "never expires": {"exp": None},
    "from the future": {"iat": int(time.time()) + 86_400, "exp": int(time.time()) + 90_000},
    "about nobody": {"sub": None},
    "about a number": {"sub": 7},
    "about an empty name": {"sub": ""},
    "about an endless name": {"sub": "a" * 300},
    "of another access token": {"at_hash": "b2Ygc29tZWJvZHkgZWxzZQ"},
}


@pytest.mark.parametrize("lie", LIES)
def test_an_id_token_that_is_not_ours_now_opens_nothing(
    site: Site, site_trail: Trail, provider: Provider, ann: Person, lie: str
):
    provider.lies = LIES[lie]
    way = trip(site)
    refused(site, way.back(), NOT_PROVEN)
    found = site_trail.last(client_ip=way.visitor.address)
    assert (found.name, found.outcome) == ("single_sign_on.refuse", "denied")
    assert found.reason.startswith("the ID token")


@pytest.mark.parametrize("signature", ["none", "another key", "forged", "our secret"])
def test_a_signature_that_is_not_the_providers_opens_nothing(
    site: Site, provider: Provider, ann: Person, signature: str
):
    provider.signature = signature
    refused(site, trip(site).back(), NOT_PROVEN)


def test_an_answer_to_another_state_opens_nothing_and_the_right_one_still_does(
    site: Site, provider: Provider, ann: Person
):
    way = trip(site)
    given = way.at_provider()
    refused(site, way.back(given, state="x" * 43), START_AGAIN)
    refused(site, way.back(given, state=None), START_AGAIN)
    refused(site, way.back(given, state="é"), START_AGAIN)
    assert is_in(way.back(given))


def test_the_answer_to_another_tab_opens_nothing(site: Site, provider: Provider, ann: Person):
    way = trip(site)
    first = way.at_provider()
    second = way.leave()
    refused(site, way.back(first), START_AGAIN)
    assert is_in(second.back())


def test_an_answer_without_the_cookie_opens_nothing(site: Site, provider: Provider, ann: Person):
    """Signing somebody in as the attacker: the link works only in the browser it was begun in."""
    given = trip(site).at_provider()
    victim = site.visitor()
    victim.get("/login/")
    answer = Trip(victim).back(given)
    refused(site, answer, START_AGAIN)


def test_a_cookie_planted_into_another_visit_opens_nothing(site: Site, provider: Provider, ann: Person):
    way = trip(site)
    victim = site.visitor()
    victim.get("/login/")
    victim.cookies.set("sign-on", way.visitor.kept("sign-on"), domain="127.0.0.1")
    refused(site, Trip(victim).back(way.at_provider()), START_AGAIN)


@pytest.mark.parametrize("forgives", [False, True], ids=["provider refuses", "provider gives again"])
def test_an_answer_is_good_once(site: Site, provider: Provider, ann: Person, forgives: bool):  # noqa: FBT001
    way = trip(site)
    visitor, given = way.visitor, way.at_provider()
    kept = {name: visitor.kept(name) for name in ("sign-on", "visit")}
    assert is_in(way.back(given))
    refused(site, way.back(given), START_AGAIN)
    # With everything the browser had at that moment.
    provider.forgives_replay = forgives
    thief = site.visitor()
    for name, value in kept.items():
        thief.cookies.set(name, value, domain="127.0.0.1")
    refused(site, Trip(thief).back(given), START_AGAIN if forgives else NOT_PROVEN)


def test_a_code_of_another_browser_opens_nothing(site: Site, provider: Provider, ann: Person):
    """PKCE: the code belongs to the verifier in the other browser's cookie."""
    stolen = trip(site).at_provider()["code"]
    way = trip(site)
    refused(site, way.back(code=stolen), NOT_PROVEN)


@pytest.mark.parametrize("code", ["", "x", "é", "x" * 9_000])
def test_a_made_up_code_opens_nothing(site: Site, provider: Provider, ann: Person, code: str):
    refused(site, trip(site).back(code=code), NOT_PROVEN)


@pytest.mark.parametrize("issuer", ["https://evil.example", "", None])
def test_an_answer_that_names_another_issuer_or_none_is_not_taken(
    site: Site, provider: Provider, ann: Person, issuer: str | None
):
    asked = len(provider.asked)
    refused(site, trip(site).back(iss=issuer), NOT_PROVEN)
    assert "/token" not in [path for path, _ in provider.asked[asked:]]


def test_the_same_subject_of_another_issuer_is_somebody_else(
    site: Site, site_observer: psycopg.Connection, provider: Provider
):
    bob = site.person("bob")
    add(ExternalIdentity(user_id=bob.id, issuer="https://other.example", subject="shared-subject"))
    provider.recognises("shared-subject")
    answer = trip(site).back()
    assert message(answer).startswith("Nobody here is connected with that account.")
    assert live_sessions(site_observer, bob) == 1  # the one of the fixture


def test_an_address_that_somebody_here_has_connects_nothing(site: Site, provider: Provider):
    bob = site.person("bob")
    provider.recognises("new-subject", email=f"{bob.username}@example.com", email_verified=True, name="Bob")
    answer = trip(site).back()
    assert message(answer).startswith("Nobody here is connected with that account.")
    assert not is_in(answer)


def test_a_disabled_account_stays_closed(site: Site, provider: Provider):
    gone = site.person("gone", enabled=False)
    connected(gone, provider, gone.username)
    provider.recognises(gone.username)
    answer = trip(site).back()
    assert not is_in(answer)
    assert "administrator" in message(answer)


@pytest.mark.parametrize(
    "path",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/%0d%0aX: y", "/" * 600],
)
def test_it_leads_nowhere_but_into_the_application(site: Site, provider: Provider, ann: Person, path: str):
    location = trip(site, next=path).back().headers["location"]
    assert location.startswith("/")
    assert not location.startswith("//")
    assert "evil" not in location
    assert len(location) < 520


@pytest.mark.parametrize("where", ["cross-site", "same-site"])
def test_another_sites_page_cannot_begin_it(site: Site, provider: Provider, ann: Person, where: str):
    visitor = site.visitor()
    visitor.get("/login/")
    answer = visitor.get("/auth/oidc", params={"next": "/inventory"}, headers={"Sec-Fetch-Site": where})
    assert answer.headers["location"] == "/login?next=%2Finventory"
    assert "sign-on" not in cookies(answer)


def test_it_begins_on_our_own_page(site: Site, ann: Person):
    assert site.visitor().get("/auth/oidc").headers["location"] == "/login"


def test_whoever_cancels_there_reads_our_words(site: Site, provider: Provider, ann: Person):
    way = trip(site)
    answer = way.back(
        {"error": "access_denied", "error_description": "<script>alert(1)</script>", "iss": provider.issuer},
        state=way.asked["state"],
    )
    refused(site, answer, "Single sign-on was cancelled there. Start again, or use another way.")


def test_wrong_answers_are_slowed_down(site: Site, provider: Provider, ann: Person):
    visitor = site.visitor()
    for _ in range(5):
        Trip(visitor).leave().back(code="wrong")
    assert message(Trip(visitor).leave().back()).startswith("Too many attempts")


# A provider that is away


def test_while_the_provider_is_away_people_are_told_so_and_sign_in_with_their_password(
    site: Site, provider: Provider, ann: Person
):
    way = trip(site)
    given = way.at_provider()
    provider.away = True
    refused(site, way.back(given), AWAY)
    assert is_in(way.visitor.sign_in(ann.username))
    lines = site.log_lines(event="single_sign_on_refused")
    assert lines
    assert lines[-1]["status"] == 503


def test_nothing_secret_is_logged(site: Site, provider: Provider, ann: Person):
    way = trip(site)
    given = way.at_provider()
    assert is_in(way.back(given))
    text = site.log_text()
    for secret in (CLIENT_SECRET, given["code"], given["state"], way.asked["nonce"], way.visitor.kept("session")):
        assert secret not in text
    assert not [code for code in provider.codes if code in text]


# What the provider says only when asked


def times_asked(provider: Provider, path: str) -> int:
    return [asked for asked, _ in provider.asked].count(path)


def test_what_the_id_token_leaves_out_is_asked_of_the_user_info(
    site: Site, site_observer: psycopg.Connection, provider: Provider, ann: Person
):
    provider.lies = {"groups": None}
    provider.userinfo = {"groups": ["crew"]}
    asked = times_asked(provider, "/userinfo")
    assert is_in(trip(site).back())
    assert times_asked(provider, "/userinfo") == asked + 1
    assert roles_of(site_observer, ann) == ["employee"]


def test_what_is_signed_counts_more_than_the_user_info(
    site: Site, site_observer: psycopg.Connection, provider: Provider, ann: Person
):
    provider.userinfo = {"groups": ["chiefs"]}
    asked = times_asked(provider, "/userinfo")
    assert is_in(trip(site).back())
    assert times_asked(provider, "/userinfo") == asked
    assert roles_of(site_observer, ann) == ["accountant", "manager"]


def test_user_info_about_somebody_else_opens_nothing(site: Site, site_trail: Trail, provider: Provider, ann: Person):
    provider.lies = {"groups": None}
    provider.userinfo = {"sub": "somebody else", "groups": ["chiefs"]}
    way = trip(site)
    refused(site, way.back(), NOT_PROVEN)
    assert site_trail.last(client_ip=way.visitor.address).reason == "the user info is about somebody else"


# Roles from groups


def roles_of(observer: psycopg.Connection, person: Person) -> list[str]:
    rows = observer.execute(
        "SELECT r.name FROM user_role u JOIN role r ON r.id = u.role_id JOIN user_info i ON i.id = u.user_id"
        " WHERE i.user_id = %s ORDER BY r.name",
        [person.id],
    )
    return [row[0] for row in rows]


def come_with(site: Site, provider: Provider, person: Person, groups: object) -> httpx.Response:
    provider.recognises(f"subject of {person.username}", groups=groups)
    return trip(site).back()


def test_roles_follow_the_groups_and_those_not_mapped_stay(
    site: Site, site_observer: psycopg.Connection, site_trail: Trail, provider: Provider
):
    bob = site.person("bob", "auditor", "employee")
    connected(bob, provider, f"subject of {bob.username}")
    assert is_in(come_with(site, provider, bob, ["buyers", "unheard of"]))
    assert roles_of(site_observer, bob) == ["accountant", "auditor", "manager"]
    found = site_trail.last(name="single_sign_on.match_roles")
    assert (found.actor_kind, found.actor_name, found.outcome) == ("system", "system:single_sign_on", "succeeded")
    assert found.reason == "Groups at the provider: buyers"
    assert is_in(come_with(site, provider, bob, []))
    assert roles_of(site_observer, bob) == ["auditor"]
    assert is_in(come_with(site, provider, bob, "crew"))
    assert roles_of(site_observer, bob) == ["auditor", "employee"]


def test_a_sign_in_that_changes_no_role_leaves_no_such_operation(site: Site, site_trail: Trail, provider: Provider):
    bob = site.person("bob", "employee")
    connected(bob, provider, f"subject of {bob.username}")
    before = len(site_trail.operations(name="single_sign_on.match_roles"))
    assert is_in(come_with(site, provider, bob, ["crew"]))
    assert len(site_trail.operations(name="single_sign_on.match_roles")) == before


def test_a_mapped_role_that_does_not_exist_is_logged_and_left_out(
    site: Site, site_observer: psycopg.Connection, provider: Provider
):
    bob = site.person("bob")
    connected(bob, provider, f"subject of {bob.username}")
    assert is_in(come_with(site, provider, bob, ["ghosts", "crew"]))
    assert roles_of(site_observer, bob) == ["employee"]
    assert site.log_lines(event="single_sign_on_unknown_roles", roles=["no-such-role"])


def test_groups_that_the_provider_left_out_for_their_number_change_nothing(
    site: Site, site_observer: psycopg.Connection, provider: Provider
):
    bob = site.person("bob", "manager")
    connected(bob, provider, f"subject of {bob.username}")
    provider.recognises(f"subject of {bob.username}", _claim_names={"groups": "src1"})
    assert is_in(trip(site).back())
    assert roles_of(site_observer, bob) == ["manager"]


def test_admin_comes_by_a_group_that_was_written_so_and_goes_with_it(
    site: Site, site_observer: psycopg.Connection, provider: Provider
):
    bob = site.person("bob")
    connected(bob, provider, f"subject of {bob.username}")
    assert is_in(come_with(site, provider, bob, ["chiefs"]))
    assert roles_of(site_observer, bob) == ["admin"]
    assert is_in(come_with(site, provider, bob, []))
    assert roles_of(site_observer, bob) == []


def test_the_last_administrator_keeps_the_role_whatever_the_groups_say(
    site: Site, site_observer: psycopg.Connection, site_trail: Trail, provider: Provider
):
    bob = site.person("bob", "admin")
    connected(bob, provider, f"subject of {bob.username}")
    others = site_observer.execute("SELECT id FROM local_user WHERE enabled AND id <> %s", [bob.id]).fetchall()
    ids = [row[0] for row in others]

    def enable(enabled: bool) -> None:  # noqa: FBT001
        arrange(lambda s: s.execute(sa.update(LocalUser).where(col(LocalUser.id).in_(ids)).values(enabled=enabled)))

    enable(enabled=False)
    try:
        assert is_in(come_with(site, provider, bob, []))
        assert roles_of(site_observer, bob) == ["admin"]
        assert site_trail.last(name="single_sign_on.match_roles").outcome == "denied"
    finally:
        enable(enabled=True)


def test_a_role_that_needs_agreement_is_asked_for_once(
    site: Site, site_observer: psycopg.Connection, provider: Provider
):
    add(Role(name="keeper", grant_needs_approval=True))
    bob = site.person("bob")
    connected(bob, provider, f"subject of {bob.username}")
    for _ in range(2):
        assert is_in(come_with(site, provider, bob, ["vault", "crew"]))
        assert roles_of(site_observer, bob) == ["employee"]
    asked = "SELECT count(*) FROM approval WHERE kind = 'role_grant' AND subject_id = %s"
    assert count(site_observer, asked, bob.id) == 1


# Connecting, and proving oneself again


def connect(site: Site, person: Person, subject: str, provider: Provider) -> tuple[Trip, httpx.Response]:
    provider.recognises(subject)
    way = Trip(site.signed_in(person))
    answer = way.post("/auth/oidc/connect")
    assert answer.status_code == 200
    return way, way.back()


def identities(observer: psycopg.Connection, person: Person) -> int:
    return count(
        observer, "SELECT count(*) FROM external_identity WHERE user_id = %s AND removed_at IS NULL", person.id
    )


def test_somebody_signed_in_connects_their_account_and_signs_in_with_it(
    site: Site, site_observer: psycopg.Connection, provider: Provider
):
    bob = site.person("bob")
    _, answer = connect(site, bob, f"new {bob.username}", provider)
    assert (answer.headers["location"], message(answer)) == ("/profile/security", "Single sign-on is connected.")
    assert identities(site_observer, bob) == 1
    assert is_in(trip(site).back())


def test_what_somebody_else_is_connected_with_is_not_taken_from_them(
    site: Site, site_observer: psycopg.Connection, provider: Provider, ann: Person
):
    bob = site.person("bob")
    _, answer = connect(site, bob, f"subject of {ann.username}", provider)
    assert message(answer) == "Somebody else is connected with that account. Ask an administrator."
    assert (identities(site_observer, bob), identities(site_observer, ann)) == (0, 1)


def link_to(person: Person, purpose: LinkPurpose = LinkPurpose.RESET) -> str:
    token = secrets.token_urlsafe(32)
    expires = now() + timedelta(hours=1)
    add(AccountLink(user_id=person.id, purpose=purpose, token_hash=hash_token(token), expires_at=expires))
    return token


def test_an_invitation_is_redeemed_at_the_provider_and_works_once(
    site: Site, site_observer: psycopg.Connection, provider: Provider
):
    ivy = site.person("ivy", "employee", enabled=False)
    without_password(ivy)
    token = link_to(ivy, LinkPurpose.INVITE)
    provider.recognises(f"subject of {ivy.username}", groups=["crew"])
    ways = [Trip(site.visitor()) for _ in range(2)]
    for way in ways:
        assert way.post("/auth/oidc/link", token=token).status_code == 200
    answer = ways[0].back()
    assert message(answer) == "Single sign-on is connected. Sign in with it now."
    assert identities(site_observer, ivy) == 1
    assert is_in(ways[0].leave().back())
    provider.recognises("whoever else has the link")
    late = ways[1].back()
    assert message(late).startswith("This link does not work (any more)")
    assert late.headers["location"] == "/link"
    assert identities(site_observer, ivy) == 1


def test_a_made_up_link_leads_nowhere(site: Site, provider: Provider):
    answer = Trip(site.visitor()).post("/auth/oidc/link", token="made up")
    assert message(answer).startswith("This link does not work (any more)")
    assert "sign-on" not in cookies(answer)


def test_connecting_asks_for_a_fresh_proof(site: Site, provider: Provider):
    bob = site.person("bob")
    visitor = site.signed_in(bob)
    change_sessions(bob.id, reauthenticated_at=now() - timedelta(hours=1))
    answer = Trip(visitor).post("/auth/oidc/connect")
    assert answer.headers["location"] == "/confirm?next=%2Fprofile%2Fsecurity"


def test_connecting_is_not_begun_by_another_site_nor_by_a_link(site: Site, provider: Provider):
    visitor = site.signed_in(site.person("bob"))
    assert "sign-on" not in cookies(visitor.get("/auth/oidc/connect"))
    answer = visitor.post("/auth/oidc/connect", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "sign-on" not in cookies(answer)


def test_the_answer_to_connecting_counts_only_for_the_session_that_left(
    site: Site, site_observer: psycopg.Connection, provider: Provider
):
    bob, eve = site.person("bob"), site.person("eve")
    provider.recognises(f"eve's {eve.username}")
    way = Trip(site.signed_in(eve))
    way.post("/auth/oidc/connect")
    given = way.at_provider()
    # The attacker's cookies in the victim's browser, whose session it is.
    victim = site.signed_in(bob)
    for name in ("sign-on", "visit"):
        victim.cookies.set(name, way.visitor.kept(name), domain="127.0.0.1")
    Trip(victim).back(given)
    assert identities(site_observer, bob) == 0


def without_password(person: Person) -> None:
    def build(session: Any) -> None:
        session.get_one(LocalUser, person.id).password_hash = NO_PASSWORD

    arrange(build)


def test_who_has_no_password_here_comes_only_this_way_and_confirms_at_the_provider(
    site: Site, site_observer: psycopg.Connection, provider: Provider, ann: Person
):
    without_password(ann)
    assert not is_in(site.visitor().sign_in(ann.username, NO_PASSWORD))
    way = trip(site)
    assert is_in(way.back())
    change_sessions(ann.id, reauthenticated_at=now() - timedelta(hours=1))
    before = way.visitor.kept("session")
    way.post("/auth/oidc/confirm", next="/profile/security")
    assert (way.asked["prompt"], way.asked["max_age"]) == ("login", "0")
    answer = way.back()
    assert (answer.headers["location"], message(answer)) == ("/profile/security", "Confirmed. Now do it again.")
    assert way.visitor.kept("session") not in ("", before)
    fresh = (
        "SELECT count(*) FROM auth_session WHERE token_hash = %s AND reauthenticated_at > now() - interval '1 minute'"
    )
    assert count(site_observer, fresh, hash_token(way.visitor.kept("session"))) == 1


@pytest.mark.parametrize("how", ["was asked long ago", "does not say when"])
def test_a_proof_from_before_is_not_a_fresh_one(
    site: Site, site_observer: psycopg.Connection, provider: Provider, ann: Person, how: str
):
    visitor = site.signed_in(ann)
    change_sessions(ann.id, reauthenticated_at=now() - timedelta(hours=1))
    provider.asks_anew = False
    provider.proved_at = time.time() - 3_600
    if how == "does not say when":
        provider.lies = {"auth_time": None}
    way = Trip(visitor)
    way.post("/auth/oidc/confirm", next="/profile/security")
    answer = way.back()
    assert message(answer) == NOT_PROVEN
    assert answer.headers["location"] == "/confirm?next=%2Fprofile%2Fsecurity"
    fresh = "SELECT count(*) FROM auth_session WHERE user_id = %s AND reauthenticated_at > now() - interval '5 minutes'"
    assert count(site_observer, fresh, ann.id) == 0


def test_somebody_else_at_the_provider_confirms_nothing(site: Site, provider: Provider, ann: Person):
    visitor = site.signed_in(ann)
    provider.recognises("somebody else")
    way = Trip(visitor)
    way.post("/auth/oidc/confirm", next="/profile/security")
    assert message(way.back()) == "You signed in there as somebody else. Use the account you are connected with."
