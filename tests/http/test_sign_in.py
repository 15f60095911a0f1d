"""Signing in, as a browser does it and as an attacker tries to."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import psycopg
import pytest

from inventory_app.http._requests import FORM_LIMIT, form_token
from inventory_app.http.sign_in import WRONG
from inventory_app.operations.sessions import hash_token
from tests.fixtures.seeing import Trail
from tests.fixtures.server import PASSWORD, Person, Site, Visitor
from tests.fixtures.tab import Tab
from tests.http.answers import (
    CROSS_SITE,
    OUT_OF_DATE,
    cookies,
    count,
    enters,
    is_signed_in,
    live_sessions,
    message,
)


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("ann", "manager")


async def test_the_right_password_opens_a_session_and_leads_to_where_one_wanted_to_go(site: Site, ann: Person):
    visitor = site.visitor()
    answer = visitor.sign_in(ann.username, next="/inventory?view=low&q=a%20b")
    assert (answer.status_code, answer.headers["location"]) == (303, "/inventory?view=low&q=a%20b")
    assert await is_signed_in(visitor)


@pytest.mark.parametrize("typed", ["{0}", " {0} ", "{1}"])
def test_the_username_is_taken_whatever_its_case_and_the_blanks_around_it(site: Site, ann: Person, typed: str):
    assert enters(site, ann, typed=typed.format(ann.username, ann.username.upper()))


#: How a request that did not come from our page differs from one that did.
FORGERIES: dict[str, Callable[[Visitor, dict[str, str], dict[str, str]], object]] = {
    "no Origin": lambda v, data, headers: headers.update(Origin=""),
    "a foreign Origin": lambda v, data, headers: headers.update(Origin="https://evil.example"),
    "the Origin null": lambda v, data, headers: headers.update(Origin="null"),
    "our host on another port": lambda v, data, headers: headers.update(Origin="http://127.0.0.1:1"),
    "our other name": lambda v, data, headers: headers.update(Origin=f"http://localhost:{v.site.port}"),
    "our name as a beginning": lambda v, data, headers: headers.update(Origin=f"{v.site.origin}.evil.example"),
    "no form token": lambda v, data, headers: data.pop("csrf"),
    "an empty form token": lambda v, data, headers: data.update(csrf=""),
    "a form token of somebody else's visit": lambda v, data, headers: data.update(csrf=form_token("another-visit")),
    "the visit itself as form token": lambda v, data, headers: data.update(csrf=v.kept("visit")),
    "no visit": lambda v, data, headers: v.cookies.clear(),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
@pytest.mark.parametrize("path", ["/auth/sign-in", "/auth/sign-out", "/auth/password"])
async def test_a_form_that_is_not_from_our_own_page_does_nothing(
    site: Site, site_observer: psycopg.Connection, ann: Person, path: str, forge: Callable[..., object]
):
    visitor = site.visitor() if path == "/auth/sign-in" else site.signed_in(ann)
    visitor.get("/login/")
    session, cookie_header = visitor.kept("session"), visitor.cookie_header
    new_password = {"current": PASSWORD, "password": "another fine password"}
    data = {"csrf": form_token(visitor.kept("visit")), "username": ann.username, "password": PASSWORD}
    data |= new_password if path == "/auth/password" else {}
    headers: dict[str, str] = {}
    forge(visitor, data, headers)
    request = visitor.build_request("POST", path, data=data, headers=headers)
    if not request.headers["Origin"]:
        del request.headers["Origin"]
    answer = visitor.send(request)
    if request.headers.get("Origin") == visitor.site.origin:
        assert answer.status_code == 303
        assert message(answer) == OUT_OF_DATE
    else:
        assert (answer.status_code, answer.text) == (403, CROSS_SITE)
        assert answer.headers["content-type"].startswith("text/plain")
        assert set(cookies(answer)) == set(), "nobody else's page changes so much as a cookie"
    assert "session" not in cookies(answer)
    assert (
        count(site_observer, "SELECT count(*) FROM sign_in_attempt WHERE account = %s AND NOT succeeded", ann.username)
        == 0
    )
    if session:
        assert await is_signed_in(visitor, cookie_header)
    if path == "/auth/password":
        assert enters(site, ann), "the password is the old one"


@pytest.mark.parametrize("path", ["/auth/sign-in", "/auth/sign-out", "/auth/password"])
async def test_a_link_signs_nobody_in_or_out(site: Site, ann: Person, path: str):
    visitor = site.signed_in(ann)
    assert visitor.get(path).status_code in (404, 405)
    assert await is_signed_in(visitor)


async def test_an_attacker_cannot_sign_somebody_in_to_the_attackers_account(site: Site, ann: Person):
    """Login CSRF: the attacker has a visit and a form token of their own, but not the victim's."""
    attacker, victim = site.visitor(), site.visitor()
    for visitor in (attacker, victim):
        visitor.get("/login/")
    data = {"csrf": form_token(attacker.kept("visit")), "username": ann.username, "password": PASSWORD}
    answer = victim.post("/auth/sign-in", data=data)
    assert "session" not in cookies(answer)
    assert not await is_signed_in(victim)


def test_the_session_cookie_is_closed_to_scripts_and_other_sites_and_ends_with_the_browser(site: Site, ann: Person):
    cookie = cookies(site.visitor().sign_in(ann.username))["session"]
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (True, "lax", "/")
    assert (cookie["domain"], cookie["max-age"], cookie["expires"]) == ("", "", "")
    assert len(cookie.value) >= 43, "256 bits"


def test_staying_signed_in_keeps_the_cookie_for_fourteen_days(site: Site, ann: Person):
    assert cookies(site.visitor().sign_in(ann.username, remember="1"))["session"]["max-age"] == str(14 * 86_400)


@pytest.mark.parametrize("path", ["/", "/login/", "/inventory/"])
def test_the_visit_cookie_is_closed_to_scripts_too(site: Site, path: str):
    cookie = cookies(site.visitor().get(path))["visit"]
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (True, "lax", "/")


async def test_a_session_planted_before_signing_in_is_not_the_session_after_it(
    site: Site, site_observer: psycopg.Connection, ann: Person
):
    visitor, planted = site.visitor(), "chosen-by-the-attacker-chosen-by-the-attacker"
    visitor.cookies.set("session", planted, domain="127.0.0.1")
    answer = visitor.sign_in(ann.username)
    assert cookies(answer)["session"].value not in ("", planted)
    assert count(site_observer, "SELECT count(*) FROM auth_session WHERE token_hash = %s", hash_token(planted)) == 0
    assert not await is_signed_in(site.visitor(), f"session={planted}")


def test_every_sign_in_has_a_token_of_its_own_and_only_its_hash_is_stored(
    site: Site, site_observer: psycopg.Connection, ann: Person
):
    visitor, tokens = site.visitor(), set()
    for _ in range(3):
        visitor.sign_in(ann.username)
        tokens.add(visitor.kept("session"))
    assert len(tokens) == 3
    stored = {
        row[0] for row in site_observer.execute("SELECT token_hash FROM auth_session WHERE user_id = %s", [ann.id])
    }
    assert {hash_token(token) for token in tokens} < stored
    assert not tokens & stored


def test_the_visit_changes_whenever_somebody_signs_in_or_out_and_an_older_form_is_worth_nothing(
    site: Site, ann: Person
):
    visitor = site.visitor()
    visitor.get("/login/")
    visits = [visitor.kept("visit")]
    for send in (lambda: visitor.sign_in(ann.username), visitor.sign_out, lambda: visitor.sign_in(ann.username)):
        send()
        visits.append(visitor.kept("visit"))
    assert len(set(visits)) == len(visits)
    for visit in visits[:-1]:
        assert message(visitor.post("/auth/sign-out", data={"csrf": form_token(visit)})) == OUT_OF_DATE


def test_the_forms_of_several_tabs_stay_good_whatever_one_of_them_sends(site: Site, ann: Person):
    visitor = site.visitor()
    visitor.get("/login/")
    visit = visitor.kept("visit")
    for _ in range(2):  # two tabs that show the sign-in page
        assert message(visitor.sign_in(ann.username, "not the password")) == WRONG
        assert visitor.kept("visit") == visit
    visitor.sign_in(ann.username)
    visit = visitor.kept("visit")
    for _ in range(2):
        answer = visitor.post_form("/auth/password", {"current": "not mine", "password": "another fine password"})
        assert message(answer) != OUT_OF_DATE
        assert visitor.kept("visit") == visit


async def test_signing_in_over_a_live_session_ends_that_one_in_the_same_operation(
    site: Site, site_observer: psycopg.Connection, site_trail: Trail, ann: Person
):
    visitor, bob = site.signed_in(ann), site.person("bob", "employee")
    before, header = visitor.kept("session"), visitor.cookie_header
    phone = site.signed_in(ann)
    assert await is_signed_in(visitor, header)
    visitor.sign_in(bob.username)
    assert not await is_signed_in(visitor, header)
    assert live_sessions(site_observer, ann, before) == 0
    assert await is_signed_in(visitor)
    assert await is_signed_in(phone), "the same person elsewhere"
    done = site_trail.last(name="sessions.sign_in")
    assert done.actor_name == bob.username
    assert [(c.table, c.kind) for c in site_trail.changes(done.id)] == [
        ("auth_session", "update"),
        ("auth_session", "insert"),
    ]


async def test_who_fails_to_sign_in_over_a_live_session_keeps_it(site: Site, ann: Person):
    visitor = site.signed_in(ann)
    visitor.sign_in(ann.username, "not the password")
    assert await is_signed_in(visitor)


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\r\nSet-Cookie: session=x",
    "/a\r\n\r\n<script>",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "https:evil.example",
    "/\u2028/evil.example",
    "/x\0y",
    "http://127.0.0.1@evil.example/",
]


@pytest.mark.parametrize("next_page", ELSEWHERE)
async def test_signing_in_leads_nowhere_else(site: Site, ann: Person, next_page: str):
    visitor = site.visitor()
    answer = visitor.sign_in(ann.username, next=next_page)
    assert answer.headers["location"] == "/"
    assert len(answer.headers.get_list("set-cookie")) == 2, "session and visit"


@pytest.mark.parametrize("next_page", ELSEWHERE)
async def test_failing_to_sign_in_leads_nowhere_else_and_the_page_does_not_either(site: Site, next_page: str):
    visitor = site.visitor()
    answer = visitor.sign_in("nobody-of-this-name", next=next_page)
    location = answer.headers["location"]
    assert location.startswith("/login?next=") or location in ("/login", "/")
    async with Tab(visitor) as tab:
        tab.path = location.partition("#")[0] if "?" in location else "/login?next=%2F%2Fevil.example"
        shown = await tab.go(tab.path)
    assert shown.vars().get("auth_state.next_url", "/") == "/"


@pytest.mark.parametrize("value", ["x\r\nSet-Cookie: evil=1", "x\0", "\ud83d\ude00" * 500, "x" * 5_000, "<script>"])
def test_nothing_typed_becomes_a_header(site: Site, value: str):
    answer = site.visitor().sign_in(value.encode("utf-16", "surrogatepass").decode("utf-16"))
    assert answer.status_code == 303
    assert set(cookies(answer)) == {"flash"}
    assert max(len(header) for header in answer.headers.get_list("set-cookie")) < 4_096


def bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    large = "x" * (FORM_LIMIT + 1)
    kind = "application/x-www-form-urlencoded"
    yield "a password above the limit", {"data": {"username": "ann", "password": large}}
    yield "100,000 fields", {"content": b"a=1&" * 100_000, "headers": {"Content-Type": kind}}
    yield "1,000 fields within the limit", {"content": b"a=1&" * 1_000, "headers": {"Content-Type": kind}}
    yield "a body of unknown length", {"content": iter([b"username=ann&password=", large.encode()])}
    yield "no body", {"content": b"", "headers": {"Content-Type": kind}}
    yield "JSON", {"json": {"username": "ann", "password": "x"}}
    yield "a file as password", {"files": {"password": ("x.txt", b"x" * 1_000)}}
    yield "broken multipart", {"content": b"--x", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}
    yield "multipart without boundary", {"content": b"--x", "headers": {"Content-Type": "multipart/form-data"}}
    yield "broken percent signs", {"content": b"username=%ff%zz&password=%", "headers": {"Content-Type": kind}}


@pytest.mark.parametrize("body", [body for _, body in bodies()], ids=[name for name, _ in bodies()])
def test_a_body_that_no_form_of_ours_has_is_refused_in_words_and_the_next_one_is_served(
    site: Site, ann: Person, body: dict[str, Any]
):
    visitor = site.visitor()
    visitor.get("/login/")
    before = len(site.log_lines(event="unexpected_error"))
    # Whoever announces no length may be hung up on before the end.
    with suppress(httpx.RemoteProtocolError, httpx.WriteError):
        answer = visitor.post("/auth/sign-in", **body)
        assert answer.status_code in (303, 400, 413)
        assert "session" not in cookies(answer)
        assert "Traceback" not in answer.text
    assert "Traceback" not in site.log_text()
    assert len(site.log_lines(event="unexpected_error")) == before
    assert enters(site, ann)


async def test_cookies_of_other_programs_on_the_same_host_do_not_hide_ours(site: Site, ann: Person):
    """Cookies know no ports: another program on this machine may have set some that hold JSON or blanks."""
    visitor = site.signed_in(ann)
    for odd in ('prefs={"a":1}', "a b=1", 'x="unfinished', "=nothing", "\xe9=\xe9", "bad[name]=1"):
        assert await is_signed_in(visitor, f"{odd}; {visitor.cookie_header}"), odd


# Behind https


async def test_on_https_every_cookie_is_secure_and_bound_to_the_host_and_no_proxy_is_believed_unasked(
    another_site: Callable[..., Site],
):
    secure = another_site(INVENTORY_PUBLIC_URL="https://inventory.example.com", INVENTORY_TRUSTED_PROXY_HOPS="0")
    visitor = secure.visitor("203.0.113.9")
    first = visitor.get("/login/")
    assert first.headers["strict-transport-security"] == "max-age=31536000"
    visit = cookies(first)["__Host-visit"]
    headers = {"Cookie": f"__Host-visit={visit.value}"}
    data = {"csrf": form_token(visit.value), "username": "admin", "password": secure.admin_password}
    answer = visitor.post("/auth/sign-in", data=data, headers=headers)
    session = cookies(answer)["__Host-session"]
    for cookie in (visit, session):
        assert (cookie["secure"], cookie["httponly"], cookie["path"], cookie["domain"]) == (True, True, "/", "")
    secure.secrets.add(session.value)
    # The name without its prefix, which a neighbouring host could have set, counts for nothing.
    for name, signed_in in (("__Host-session", True), ("session", False)):
        assert await is_signed_in(visitor, f"{name}={session.value}") is signed_in
    with secure.database.as_superuser() as connection:
        seen = Trail(connection).last(name="sessions.sign_in").client_ip
        attempts = connection.execute("SELECT DISTINCT address FROM sign_in_attempt").fetchall()
    assert (seen, attempts) == ("127.0.0.1", [("127.0.0.1",)])
    plain = visitor.post("/auth/sign-in", data=data, headers=headers | {"Origin": "http://inventory.example.com"})
    assert (plain.status_code, plain.text) == (403, CROSS_SITE)
