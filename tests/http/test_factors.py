"""Signing in with a second factor over HTTP, and everything somebody could try instead of having it."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from inventory_app.models._base import now
from inventory_app.models.users import SignInAttempt
from inventory_app.operations.sessions import hash_token
from tests.factories import arrange
from tests.fixtures.authenticator import App, SoftPasskey, change_sessions, encoded, give_app, give_codes, give_passkey
from tests.fixtures.seeing import Trail
from tests.fixtures.server import PASSWORD, Person, Site, Visitor, fresh_address
from tests.http.answers import cookies, count, flash_of, is_signed_in, live_sessions, message

CODES = ("aaaa-bbbb-cccc-dddd", "eeee-ffff-gggg-hhhh")
USED = "That code is not right, or was used already. Type the one your app shows now."
START_AGAIN = "That took too long. Sign in again."


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("ann", "manager")


@pytest.fixture
def app(ann: Person) -> App:
    give_codes(ann.id, *CODES)
    return give_app(ann.id)


def half_way(site: Site, person: Person, address: str = "") -> Visitor:
    """Return a visitor whose password was right."""
    visitor = site.visitor(address)
    answer = visitor.sign_in(person.username, next="/inventory?q=x")
    assert answer.headers["location"] == "/login/factor"
    return visitor


def wrong_fields(answer: httpx.Response) -> dict[str, str]:
    return flash_of(answer)["errors"]


async def test_a_right_password_alone_begins_no_session_when_there_is_a_factor(site: Site, ann: Person, app: App):
    visitor = half_way(site, ann)
    assert visitor.kept("session") == ""
    assert not await is_signed_in(visitor)


async def test_a_code_finishes_the_sign_in_strongly_and_leads_to_where_one_wanted(
    site: Site, site_observer: psycopg.Connection, ann: Person, app: App
):
    visitor = half_way(site, ann)
    answer = visitor.post_form("/auth/factor", {"code": app.code()})
    assert (answer.status_code, answer.headers["location"]) == (303, "/inventory?q=x")
    assert await is_signed_in(visitor)
    found = site_observer.execute(
        "SELECT method, strong FROM auth_session WHERE token_hash = %s", [hash_token(visitor.kept("session"))]
    ).fetchone()
    assert found == ("password+totp", True)
    assert not visitor.kept("pending")


async def test_a_session_planted_before_the_second_factor_is_not_the_session_after_it(
    site: Site, site_observer: psycopg.Connection, ann: Person, app: App
):
    visitor, planted = half_way(site, ann), "chosen-by-the-attacker-chosen-by-the-attacker"
    visitor.cookies.set("session", planted, domain="127.0.0.1")
    answer = visitor.post_form("/auth/factor", {"code": app.code()})
    assert cookies(answer)["session"].value not in ("", planted)
    assert count(site_observer, "SELECT count(*) FROM auth_session WHERE token_hash = %s", hash_token(planted)) == 0


def test_the_waiting_cookie_is_closed_to_scripts_says_nothing_and_lasts_minutes(site: Site, ann: Person, app: App):
    visitor = site.visitor()
    cookie = cookies(visitor.sign_in(ann.username))["pending"]
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["max-age"]) == (True, "lax", "300")
    assert ann.username not in cookie.value
    assert len(cookie.value) < 2_000


def test_a_recovery_code_works_once_however_it_is_typed(site: Site, ann: Person, app: App):
    answer = half_way(site, ann).post_form("/auth/factor", {"code": " AAAA bbbb-CCCC dddd "})
    assert "session" in cookies(answer)
    assert message(answer) == "You have 1 recovery codes left."
    again = half_way(site, ann).post_form("/auth/factor", {"code": CODES[0]})
    assert "session" not in cookies(again)
    assert wrong_fields(again) == {"code": USED}


def test_a_code_works_once(site: Site, ann: Person, app: App):
    code = app.code()
    assert "session" in cookies(half_way(site, ann).post_form("/auth/factor", {"code": code}))
    again = half_way(site, ann).post_form("/auth/factor", {"code": code})
    assert "session" not in cookies(again)
    assert wrong_fields(again) == {"code": USED}


def test_a_code_before_the_last_one_used_is_worth_nothing_either(site: Site, ann: Person, app: App):
    assert "session" in cookies(half_way(site, ann).post_form("/auth/factor", {"code": app.code(1)}))
    assert "session" not in cookies(half_way(site, ann).post_form("/auth/factor", {"code": app.code()}))


@pytest.mark.parametrize("steps", [-4, 4])
def test_codes_of_other_minutes_are_worth_nothing(site: Site, ann: Person, app: App, steps: int):
    assert "session" not in cookies(half_way(site, ann).post_form("/auth/factor", {"code": app.code(steps)}))


def at_once(sends: list[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    with ThreadPoolExecutor(len(sends)) as threads:
        return list(threads.map(lambda send: send(), sends))


@pytest.mark.parametrize("kind", ["app", "recovery code"])
def test_of_several_sign_ins_with_one_code_at_the_same_moment_exactly_one_succeeds(
    site: Site, ann: Person, app: App, kind: str
):
    code = app.code() if kind == "app" else CODES[0]
    visitors = [half_way(site, ann) for _ in range(4)]
    answers = at_once([lambda v=v: v.post_form("/auth/factor", {"code": code}) for v in visitors])
    assert sum("session" in cookies(answer) for answer in answers) == 1


def test_a_waiting_sign_in_can_be_finished_once(site: Site, ann: Person, app: App):
    visitor = half_way(site, ann)
    copied = visitor.kept("pending")
    assert "session" in cookies(visitor.post_form("/auth/factor", {"code": app.code()}))
    thief = site.visitor()
    thief.cookies.set("pending", copied, domain="127.0.0.1")
    answer = thief.post_form("/auth/factor", {"code": CODES[0]})
    assert "session" not in cookies(answer)
    # The recovery code was not lost by the attempt.
    assert "session" in cookies(half_way(site, ann).post_form("/auth/factor", {"code": CODES[0]}))


@pytest.mark.parametrize("pending", ["", "x", "gAAAAABo" + "A" * 60, "{}"], ids=repr)
def test_a_waiting_sign_in_that_we_did_not_seal_is_none(site: Site, ann: Person, app: App, pending: str):
    visitor = site.visitor()
    visitor.get("/login/")
    visitor.cookies.set("pending", pending, domain="127.0.0.1")
    answer = visitor.post_form("/auth/factor", {"code": app.code()})
    assert message(answer) == START_AGAIN
    assert "session" not in cookies(answer)


def test_a_waiting_sign_in_ends_when_the_password_is_changed(site: Site, ann: Person, app: App):
    visitor = half_way(site, ann)
    change_sessions(ann.id, strong=True)
    site.signed_in(ann).post_form("/auth/password", {"current": PASSWORD, "password": "nine purple harbours sing"})
    answer = visitor.post_form("/auth/factor", {"code": app.code()})
    assert "session" not in cookies(answer)
    assert message(answer) == "The password was changed a moment ago. Sign in with the new one."


def test_five_wrong_codes_end_the_sign_in_and_a_right_one_comes_too_late(
    site: Site, site_trail: Trail, ann: Person, app: App
):
    visitor = half_way(site, ann)
    for _ in range(5):
        assert wrong_fields(visitor.post_form("/auth/factor", {"code": app.wrong()})) == {"code": USED}
    answer = visitor.post_form("/auth/factor", {"code": app.code()})
    assert "session" not in cookies(answer)
    assert message(answer).startswith("Too many")
    denied = site_trail.operations(name="proving.refuse_proof", client_ip=visitor.address)
    assert len(denied) == 5
    assert {(entry.outcome, entry.reason) for entry in denied} == {("denied", f"wrong code for {ann.username}")}


def wrong_codes_elsewhere(person: Person) -> None:
    """Let thirty wrong codes of this account have come just now, each from an address of its own."""
    guesses = [
        SignInAttempt(account=f"factor:{person.id}", address=f"203.0.113.{number}", succeeded=False)
        for number in range(30)
    ]
    arrange(lambda session: session.add_all(guesses))


def test_guesses_from_many_addresses_are_slowed_down_together(site: Site, ann: Person, app: App):
    wrong_codes_elsewhere(ann)
    answer = half_way(site, ann).post_form("/auth/factor", {"code": app.code()})
    assert "session" not in cookies(answer)
    assert message(answer).startswith("Too many attempts")


def test_the_owner_at_an_address_they_have_used_is_not_slowed_down_by_others(site: Site, ann: Person, app: App):
    home = fresh_address()
    assert "session" in cookies(half_way(site, ann, home).post_form("/auth/factor", {"code": app.code()}))
    wrong_codes_elsewhere(ann)
    assert "session" in cookies(half_way(site, ann, home).post_form("/auth/factor", {"code": CODES[0]}))


def test_wrong_codes_sent_all_at_once_are_all_counted(
    site: Site, site_observer: psycopg.Connection, ann: Person, app: App
):
    visitors = [half_way(site, ann) for _ in range(8)]
    at_once([lambda v=v: v.post_form("/auth/factor", {"code": app.wrong()}) for v in visitors for _ in range(3)])
    counted = count(
        site_observer,
        "SELECT count(*) FROM sign_in_attempt WHERE account = %s AND NOT succeeded",
        f"factor:{ann.id}",
    )
    # More than ten only as their waits end meanwhile: two, four, eight seconds.
    assert 10 <= counted <= 14


def test_whoever_types_a_name_that_looks_like_a_counter_slows_nobody_down(
    site: Site, site_observer: psycopg.Connection, ann: Person, app: App
):
    site.visitor().sign_in(f"factor:{ann.id}", "wrong")
    assert count(site_observer, "SELECT count(*) FROM sign_in_attempt WHERE account = %s", f"factor:{ann.id}") == 0


@pytest.mark.parametrize("name", ["admin-reset", "x\r\nSet-Cookie: evil=1", "\0", "\ud83d\ude00" * 400])
def test_nothing_typed_as_code_becomes_a_header_or_an_error(site: Site, ann: Person, app: App, name: str):
    answer = half_way(site, ann).post_form(
        "/auth/factor", {"code": name.encode("utf-16", "surrogatepass").decode("utf-16")}
    )
    assert answer.status_code == 303
    assert set(cookies(answer)) == {"flash"}


# Passkeys


@pytest.fixture
def passkey(site: Site, ann: Person) -> SoftPasskey:
    return give_passkey(ann.id, f"http://localhost:{site.port}")


def options(visitor: Visitor, purpose: str) -> dict[str, Any]:
    return visitor.post_form("/auth/passkey/options", {"purpose": purpose}).json()


async def test_a_passkey_is_all_that_is_asked_for(
    site: Site, site_observer: psycopg.Connection, ann: Person, passkey: SoftPasskey
):
    visitor = site.visitor()
    asked = options(visitor, "sign-in")
    assert (asked["rpId"], asked["userVerification"], asked["allowCredentials"]) == ("localhost", "required", [])
    answer = visitor.post_form("/auth/passkey", {"credential": passkey.sign(asked), "next": "/inventory"})
    assert answer.headers["location"] == "/inventory"
    assert await is_signed_in(visitor)
    assert live_sessions(site_observer, ann, visitor.kept("session")) == 1


def test_a_passkey_is_a_second_factor(site: Site, ann: Person, passkey: SoftPasskey):
    visitor = half_way(site, ann)
    answer = visitor.post_form("/auth/factor", {"credential": passkey.sign(options(visitor, "factor"))})
    assert "session" in cookies(answer)


@pytest.mark.parametrize("purpose", ["sign-in", "factor"])
def test_a_signature_is_worth_something_once(site: Site, ann: Person, passkey: SoftPasskey, purpose: str):
    def come() -> Visitor:
        return site.visitor() if purpose == "sign-in" else half_way(site, ann)

    path = "/auth/passkey" if purpose == "sign-in" else "/auth/factor"
    visitor = come()
    visitor.get("/login/")
    signed = passkey.sign(options(visitor, purpose))
    kept = visitor.cookie_header
    assert "session" in cookies(visitor.post_form(path, {"credential": signed}))
    thief = site.visitor()
    for part in kept.split("; "):
        name, _, value = part.partition("=")
        thief.cookies.set(name, value.strip('"'), domain="127.0.0.1")
    assert "session" not in cookies(thief.post_form(path, {"credential": signed}))


#: How a passkey that is not the right one differs before it signs, and what becomes of its answer afterwards.
ANOTHER_PASSKEY: dict[str, Callable[[SoftPasskey], object]] = {
    "another origin": lambda key: setattr(key, "origin", "http://evil.example"),
    "our number as origin": lambda key: setattr(key, "origin", key.origin.replace("localhost", "127.0.0.1")),
    "another host": lambda key: setattr(key, "host", "evil.example"),
    "another key": lambda key: setattr(key, "key", SoftPasskey("").key),
    "another person's handle": lambda key: setattr(key, "user_id", 1),
    "without verifying the person": lambda key: setattr(key, "verifies", False),
}
ANOTHER_ANSWER: dict[str, Callable[[dict[str, Any]], Any]] = {
    "an unknown passkey": lambda signed: signed | {"id": "B" * 43, "rawId": "B" * 43},
    "a broken signature": lambda signed: changed(signed, signature=signed["response"]["signature"][:-8] + "AAAAAAAA"),
    "no response": lambda signed: {name: signed[name] for name in signed if name != "response"},
    "a list": lambda signed: [signed],
    "numbers": lambda signed: signed | {"response": dict.fromkeys(signed["response"], 1)},
    "short data": lambda signed: changed(signed, authenticatorData="AAAA"),
    "too much": lambda signed: signed | {"more": "x" * 20_000},
    "another challenge": lambda signed: changed(signed, clientDataJSON=encoded(b'{"type":"webauthn.get"}')),
}
FORGERIES = [*ANOTHER_PASSKEY, *ANOTHER_ANSWER]


def changed(signed: dict[str, Any], **response: str) -> dict[str, Any]:
    return signed | {"response": signed["response"] | response}


def forged_by(change: str, passkey: SoftPasskey, asked: dict[str, Any]) -> str:
    """Return an answer that differs in one thing from the right one."""
    ANOTHER_PASSKEY.get(change, lambda _: None)(passkey)
    signed = json.loads(passkey.sign(asked))
    return json.dumps(ANOTHER_ANSWER.get(change, lambda same: same)(signed))


@pytest.mark.parametrize("change", FORGERIES)
@pytest.mark.parametrize("purpose", ["sign-in", "factor"])
def test_an_answer_that_is_not_exactly_right_opens_nothing(
    site: Site, ann: Person, passkey: SoftPasskey, purpose: str, change: str
):
    visitor = site.visitor() if purpose == "sign-in" else half_way(site, ann)
    path = "/auth/passkey" if purpose == "sign-in" else "/auth/factor"
    before = len(site.log_lines(event="unexpected_error"))
    answer = visitor.post_form(path, {"credential": forged_by(change, passkey, options(visitor, purpose))})
    assert answer.status_code == 303
    assert "session" not in cookies(answer)
    assert message(answer) == "That passkey was not accepted. Try again, or use another way."
    assert len(site.log_lines(event="unexpected_error")) == before


def test_a_passkey_whose_counter_goes_backwards_is_a_copy(site: Site, ann: Person, passkey: SoftPasskey):
    visitor = site.visitor()
    passkey.counter = 10
    assert "session" in cookies(
        visitor.post_form("/auth/passkey", {"credential": passkey.sign(options(visitor, "sign-in"))})
    )
    copied, passkey.counter = site.visitor(), 5
    answer = copied.post_form("/auth/passkey", {"credential": passkey.sign(options(copied, "sign-in"))})
    assert "session" not in cookies(answer)


def test_a_challenge_of_another_visit_or_for_something_else_is_none(site: Site, ann: Person, passkey: SoftPasskey):
    one, other = site.visitor(), site.visitor()
    asked = options(one, "sign-in")
    other.get("/login/")
    other.cookies.set("challenge", one.kept("challenge"), domain="127.0.0.1")
    answer = other.post_form("/auth/passkey", {"credential": passkey.sign(asked)})
    assert message(answer) == "That took too long. Start again."
    waiting = half_way(site, ann)
    asked = options(waiting, "factor")
    assert message(waiting.post_form("/auth/passkey", {"credential": passkey.sign(asked)})).startswith("That took")


@pytest.mark.parametrize("path", ["/auth/factor", "/auth/passkey", "/auth/confirm", "/auth/factors/app"])
def test_a_form_of_another_page_does_nothing(site: Site, ann: Person, app: App, path: str):
    visitor = half_way(site, ann)
    for data, headers in (({}, {}), ({"csrf": "x"}, {})):
        answer = visitor.post(path, data={"code": app.code(), **data}, headers=headers)
        assert "session" not in cookies(answer)


@pytest.mark.parametrize("path", ["/auth/passkey/options", "/auth/password/strength"])
def test_questions_of_other_pages_are_not_answered(site: Site, path: str):
    visitor = site.visitor()
    visitor.get("/login/")
    answer = visitor.post(path, data={"csrf": "x", "purpose": "sign-in", "password": "x"})
    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "go"}


# Setting up, and proving it again


def fresh(site: Site, person: Person) -> Visitor:
    return site.signed_in(person)


def test_registering_a_passkey_makes_the_session_strong_under_a_new_token(
    site: Site, site_observer: psycopg.Connection, ann: Person
):
    visitor = fresh(site, ann)
    old = visitor.kept("session")
    asked = options(visitor, "register")
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    key = SoftPasskey(f"http://localhost:{site.port}", user_id=ann.id)
    made = key.make(asked)
    kept = visitor.kept("challenge")
    answer = visitor.post_form("/auth/factors/passkey", {"credential": made, "name": "Key ring"})
    assert answer.headers["location"] == "/profile/security"
    assert message(answer) == "The passkey is set up."
    assert visitor.kept("session") not in ("", old)
    row = site_observer.execute(
        "SELECT strong, method FROM auth_session WHERE token_hash = %s", [hash_token(visitor.kept("session"))]
    ).fetchone()
    assert row == (True, "password+passkey")
    assert live_sessions(site_observer, ann) == 1, "what was begun without the factor has ended"
    # The challenge was for the old token, and is used up.
    visitor.cookies.set("challenge", kept, domain="127.0.0.1")
    again = visitor.post_form("/auth/factors/passkey", {"credential": made})
    assert message(again) == "That took too long. Start again."


@pytest.mark.parametrize("answer", ["", "{}", "[]", "null", '{"id":1}', "x" * 20_000])
def test_what_is_no_passkey_is_not_registered(site: Site, ann: Person, answer: str):
    visitor = fresh(site, ann)
    options(visitor, "register")
    found = visitor.post_form("/auth/factors/passkey", {"credential": answer})
    assert message(found) == "That passkey was not accepted. Try again, or use another way."


def long_ago(person: Person) -> None:
    change_sessions(person.id, reauthenticated_at=now() - timedelta(hours=1))


def test_without_a_fresh_proof_the_browser_is_not_even_asked_for_a_passkey(site: Site, ann: Person):
    visitor = fresh(site, ann)
    long_ago(ann)
    answer = visitor.post_form("/auth/passkey/options", {"purpose": "register"})
    assert (answer.status_code, answer.json()["go"]) == (400, "/confirm?next=%2Fprofile%2Fsecurity")


def test_a_session_from_before_the_factor_adds_none_of_its_own(site: Site, ann: Person, app: App):
    """A tab left open somewhere, and a thief who knows the password."""
    visitor = fresh(site, ann)
    answer = visitor.post_form("/auth/passkey/options", {"purpose": "register"})
    assert answer.json()["go"].startswith("/confirm")
    assert visitor.post_form("/auth/confirm", {"password": PASSWORD, "next": "/profile/security"}).status_code == 303
    again = visitor.post_form("/auth/passkey/options", {"purpose": "register"})
    assert again.json()["go"].startswith("/confirm")
    visitor.post_form("/auth/confirm", {"code": app.code(), "next": "/profile/security"})
    assert "challenge" in visitor.post_form("/auth/passkey/options", {"purpose": "register"}).json()


@pytest.mark.parametrize("how", ["password", "code", "recovery code", "passkey"])
async def test_a_fresh_proof_rotates_the_token_and_leads_back(
    site: Site, site_observer: psycopg.Connection, ann: Person, app: App, passkey: SoftPasskey, how: str
):
    visitor = fresh(site, ann)
    long_ago(ann)
    old = visitor.kept("session")
    given = {
        "password": lambda: {"password": PASSWORD},
        "code": lambda: {"code": app.code()},
        "recovery code": lambda: {"code": CODES[0]},
        "passkey": lambda: {"credential": passkey.sign(options(visitor, "confirm"))},
    }[how]()
    answer = visitor.post_form("/auth/confirm", {**given, "next": "/inventory?q=1"})
    assert (answer.headers["location"], message(answer)) == ("/inventory?q=1", "Confirmed. Now do it again.")
    assert visitor.kept("session") not in ("", old)
    assert await is_signed_in(visitor)
    assert not await is_signed_in(visitor, f"session={old}")
    strong, proved = site_observer.execute(
        "SELECT strong, reauthenticated_at > now() - interval '1 minute' FROM auth_session WHERE token_hash = %s",
        [hash_token(visitor.kept("session"))],
    ).fetchone() or (None, None)
    assert (strong, proved) == (how != "password", True)


@pytest.mark.parametrize("given", [{"password": "wrong words"}, {"code": "123"}, {"credential": "{}"}, {}])
def test_a_wrong_proof_changes_nothing(site: Site, ann: Person, app: App, given: dict[str, str]):
    visitor = fresh(site, ann)
    old = visitor.kept("session")
    answer = visitor.post_form("/auth/confirm", {**given, "next": "/inventory"})
    assert answer.headers["location"] == "/confirm?next=%2Finventory"
    assert visitor.kept("session") == old


@pytest.mark.parametrize("next_page", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"])
def test_confirming_leads_nowhere_else(site: Site, ann: Person, next_page: str):
    answer = fresh(site, ann).post_form("/auth/confirm", {"password": PASSWORD, "next": next_page})
    assert answer.headers["location"] == "/"


def test_somebody_elses_code_proves_nothing(site: Site, ann: Person, app: App):
    bob = site.person("bob")
    others = give_app(bob.id)
    assert "session" not in cookies(half_way(site, ann).post_form("/auth/factor", {"code": others.code()}))
    visitor = fresh(site, ann)
    answer = visitor.post_form("/auth/factors/app", {"factor_id": str(others.factor_id), "code": others.code()})
    assert answer.headers["location"] in ("/profile/security", "/confirm?next=%2Fprofile%2Fsecurity")
    assert "session" not in cookies(answer)


def test_a_seed_that_another_installation_has_sealed_crashes_nothing(
    site: Site, site_observer: psycopg.Connection, ann: Person, app: App
):
    """A restore without the secret: the app cannot be checked, recovery codes still work."""
    import sqlalchemy as sa

    from inventory_app.models.access import SecondFactor
    from tests.factories import arrange

    foreign = "gAAAAABo" + "A" * 100
    arrange(
        lambda session: session.execute(
            sa.update(SecondFactor).where(SecondFactor.user_id == ann.id).values(sealed_seed=foreign)
        )
    )
    visitor = half_way(site, ann)
    answer = visitor.post_form("/auth/factor", {"code": app.code()})
    assert wrong_fields(answer)["code"].startswith("This server cannot read your authenticator app any more.")
    assert "session" in cookies(visitor.post_form("/auth/factor", {"code": CODES[0]}))


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "Use at least 10 characters"),
        ("password123", "common"),
        ("qwertyuiop", "Use a few words that do not belong together"),
        ("{name}{name}1", "made of your own name"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused_and_says_why(site: Site, ann: Person, password: str, why: str):
    new = password.format(name=ann.username)
    answer = fresh(site, ann).post_form("/auth/password", {"current": PASSWORD, "password": new})
    assert why in wrong_fields(answer)["password"] or "tried first" in wrong_fields(answer)["password"]
    assert "session" not in cookies(answer)


def test_how_good_a_password_is_can_be_asked_and_not_too_often(site: Site):
    visitor = site.visitor()
    found = visitor.post_form("/auth/password/strength", {"password": "seven violet tractors at noon"}).json()
    assert found == {"score": 4, "why_not": ""}
    own = visitor.post_form("/auth/password/strength", {"password": "dora.miller.99", "username": "dora.miller"}).json()
    assert "your own name" in own["why_not"]
    ask = lambda: visitor.post_form("/auth/password/strength", {"password": "x" * 20})  # noqa: E731  # sent at once
    refused = [answer for answer in at_once([ask] * 40) if answer.status_code == 400]
    assert refused
    assert refused[0].json()["error"].startswith("Too many attempts")
    assert "violet" not in site.log_text()
