"""Guessing names and passwords: nobody learns who exists, and it is slow."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from inventory_app.http.sign_in import WRONG
from inventory_app.models.users import SignInAttempt
from inventory_app.operations._attempts import FREE_FAILURES, FREE_FAILURES_OF_AN_ADDRESS
from tests import factories
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Person, Site, Visitor, fresh_address
from tests.http.answers import cookies, enters, message


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("ann", "manager")


# Who exists is nobody's business


def test_an_unknown_name_a_wrong_password_and_a_disabled_account_get_the_same_answer(site: Site, ann: Person):
    out = site.person("out", enabled=False)
    answers = [
        site.visitor().sign_in(name, "not the password") for name in ("nobody-of-this-name", ann.username, out.username)
    ]
    assert {message(answer) for answer in answers} == {WRONG}
    assert len({(answer.status_code, answer.headers["location"], answer.text) for answer in answers}) == 1
    kept = [{name for name in answer.headers if name != "date"} for answer in answers]
    assert kept[0] == kept[1] == kept[2]


def test_an_unknown_name_takes_as_long_as_a_wrong_password(site: Site, ann: Person):
    """Without the work of a hash the answer comes in a tenth of the time, so half is far from either."""
    taken: dict[str, list[float]] = {ann.username: [], "nobody-of-this-name": []}
    for _ in range(4):
        for name, times in taken.items():
            visitor = site.visitor()
            visitor.get("/login/")
            start = time.perf_counter()
            visitor.sign_in(name, "not the password")
            times.append(time.perf_counter() - start)
    known, unknown = (min(times) for times in taken.values())  # the fastest were disturbed least
    assert known / 2 < unknown < known * 2


def test_who_waits_to_be_let_in_is_told_so_only_with_the_right_password(site: Site, site_trail: Trail):
    waiting = site.person("waiting", enabled=False)
    answer = site.visitor().sign_in(waiting.username)
    assert message(answer).startswith("Your account waits for an administrator")
    assert "session" not in cookies(answer)


def test_a_refused_sign_in_is_on_record_with_the_name_that_was_typed_and_never_the_password(
    site: Site, site_trail: Trail, ann: Person
):
    visitor = site.visitor()
    visitor.sign_in(ann.username, "hunter2-was-typed-here")
    (entry,) = site_trail.operations(client_ip=visitor.address)
    assert (entry.name, entry.outcome, entry.actor_kind) == ("sessions.sign_in", "denied", "anonymous")
    assert ann.username in entry.reason
    assert "hunter2" not in str(entry)
    assert "hunter2-was-typed-here" not in site.log_text()


# Guessing is slowed down


def fail(visitor: Visitor, username: str, times: int) -> list[str]:
    return [message(visitor.sign_in(username, f"wrong {n}")) for n in range(times)]


def test_after_some_failures_even_the_right_password_has_to_wait(site: Site, ann: Person):
    visitor = site.visitor()
    assert set(fail(visitor, ann.username, FREE_FAILURES)) == {WRONG}
    answer = visitor.sign_in(ann.username)
    assert message(answer).startswith("Too many attempts from your address. Wait")
    assert "session" not in cookies(answer)


def test_the_one_who_is_slowed_down_is_slow_for_one_account_from_one_address(site: Site, ann: Person):
    attacker = site.visitor()
    fail(attacker, ann.username, FREE_FAILURES + 1)
    assert enters(site, ann)
    assert enters(site, site.person("carol"), address=attacker.address)


def test_an_unknown_name_is_slowed_down_like_a_known_one(site: Site):
    visitor = site.visitor()
    said = fail(visitor, "nobody-of-this-name", FREE_FAILURES + 1)
    assert said[-1].startswith("Too many attempts")


def test_a_stranger_does_not_lock_somebody_out_of_an_address_where_they_signed_in_lately(site: Site, ann: Person):
    """Even one who sits at the very same address and has used up its failures on other names."""
    office, carol = fresh_address(), site.person("carol")
    assert enters(site, ann, address=office)
    for number in range(FREE_FAILURES_OF_AN_ADDRESS):
        factories.arrange(
            lambda session, n=number: session.add(SignInAttempt(account=f"nobody-{n}", address=office, succeeded=False))
        )
    assert not enters(site, carol, address=office), "who never was here has to wait"
    assert enters(site, ann, address=office)


def test_many_guesses_at_once_count_as_much_as_one_after_the_other(site: Site, site_trail: Trail, ann: Person):
    address = fresh_address()
    visitors = [site.visitor(address) for _ in range(15)]
    for visitor in visitors:
        visitor.get("/login/")
    with ThreadPoolExecutor(len(visitors)) as pool:
        answers = list(pool.map(lambda visitor: visitor.sign_in(ann.username, "wrong"), visitors))
    tried = [answer for answer in answers if message(answer) == WRONG]
    # The first waits last a second or two, and may pass while the others are answered.
    assert len(tried) <= FREE_FAILURES + 2
    assert len([entry for entry in site_trail.operations(client_ip=address) if entry.reason]) == len(tried)


def test_who_is_slowed_down_gets_the_same_answer_for_a_name_that_exists_and_one_that_does_not(site: Site, ann: Person):
    out, answers = site.person("out", enabled=False), []
    for name in (ann.username, "nobody-of-this-name", out.username):
        visitor = site.visitor()
        fail(visitor, name, FREE_FAILURES)
        answers.append(visitor.sign_in(name))
    said = {re.sub(r"\d+", "#", message(answer)) for answer in answers}
    assert said == {"Too many attempts from your address. Wait # seconds and try again."}
    assert len({(answer.status_code, answer.headers["location"], answer.text) for answer in answers}) == 1
    assert len({frozenset(name for name in answer.headers if name != "date") for answer in answers}) == 1
