"""What a stranger learns about who has an account: nothing by the work of a sign-in, a name by registering, no more."""

import re
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from reflex.model import get_engine
from sqlalchemy import event

from inventory_app.context import acting_as
from inventory_app.errors import AppError, Invalid, NotAllowed, TooManyAttempts
from inventory_app.models.users import SignInAttempt
from inventory_app.operations import _strangers, accounts, sessions, single_sign_on
from inventory_app.operations._attempts import FREE_FAILURES, FREE_FAILURES_OF_AN_ADDRESS, account_key
from inventory_app.operations._operation import OPERATIONS, QUERIES
from inventory_app.passwords import NO_PASSWORD, verify_password
from inventory_app.unit_of_work import read, transact
from tests.factories import ADDRESS, anonymous, arrange, invited, password_hash, person, register
from tests.fixtures.authenticator import give_app

WHO: dict[str, Callable[[], object]] = {
    "nobody": lambda: None,
    "known": lambda: person("known", "manager"),
    "disabled": lambda: person("disabled", enabled=False),
    "invited": lambda: invited("invited"),
    "with a factor": lambda: give_app(person("with a factor", "admin").id or 0),
}


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the statements that are sent meanwhile."""
    seen: list[str] = []
    engine = get_engine()

    def note(*args: object) -> None:
        seen.append(str(args[2]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def asked(name: str) -> tuple[list[str], str]:
    """Return the statements of looking somebody up who signs in, and what they would be told."""
    said = ""
    with acting_as(anonymous()), statements() as seen:
        try:
            read(sessions.credentials, username=name)
        except AppError as error:
            said = f"{type(error).__name__}: {re.sub(r'[0-9]+', '#', str(error))}"
    return seen, said


def failed(name: str, times: int) -> None:
    rows = [SignInAttempt(account=account_key(name), address=ADDRESS, succeeded=False) for _ in range(times)]
    arrange(lambda session: session.add_all(rows))


@pytest.mark.parametrize("how", ["free", "slowed", "slowed by the whole address"])
def test_looking_somebody_up_is_the_same_work_whoever_it_is(database, how):
    """Statement by statement: where it were not, the time an answer takes would tell."""
    for make in WHO.values():
        make()
    asked("nobody")  # what only the first one does
    if how == "slowed by the whole address":
        failed("somebody else", FREE_FAILURES_OF_AN_ADDRESS + 1)
    found = {}
    for name in WHO:
        if how == "slowed":
            failed(name, FREE_FAILURES + 1)
        found[name] = asked(name)
    assert all(answer == found["nobody"] for answer in found.values()), found
    work, said = found["nobody"]
    assert len(work) > 2
    assert said.startswith("TooManyAttempts: Too many attempts") == (how != "free")


def test_being_refused_is_the_same_work_whoever_it_is(database):
    for make in WHO.values():
        make()
    found = {}
    for name in ("nobody", *WHO):
        with acting_as(anonymous()), statements() as seen:
            transact(sessions.refuse_sign_in, account=name, why="wrong")
        found[name] = seen
    assert all(work == found["nobody"] for work in found.values())


def test_a_hash_is_computed_where_there_is_none_to_compare_with():
    """By the processor's time, which others on the machine do not lengthen: without a hash it is a thousandth."""
    password_hash()
    taken = {}
    for name, stored in {"known": password_hash(), "nobody": None, "invited": NO_PASSWORD}.items():
        times = []
        for _ in range(5):
            began = time.process_time()
            assert verify_password("wrong " + secrets.token_hex(4), stored) == (False, None)
            times.append(time.process_time() - began)
        taken[name] = min(times)
    assert max(taken.values()) < 2 * min(taken.values()), taken


def test_whoever_is_slowed_down_is_told_before_anything_is_hashed_whoever_it_is(database):
    """The look-up that comes before the hash refuses, for a name that exists and for one that does not."""
    person("known")
    for name in ("known", "nobody"):
        failed(name, FREE_FAILURES + 3)
        with acting_as(anonymous()), pytest.raises(TooManyAttempts):
            read(sessions.credentials, username=name)


# Registering


def test_where_nobody_may_register_every_name_gets_the_same_answer(stranger, configure):
    person("known")
    configure(INVENTORY_REGISTRATION="closed")
    said = set()
    for username, email in (("known", "new@example.com"), ("free", "known@example.com"), ("free", "new@example.com")):
        with pytest.raises(NotAllowed) as refused:
            register(stranger, username=username, email=email)
        said.add(str(refused.value))
    assert len(said) == 1


def test_where_one_may_register_the_answer_names_the_field_and_nobody(stranger):
    """This much is told (docs/security.md): that a name or an address is in use. Not whose, nor what they may."""
    person("known", "admin")
    with pytest.raises(AppError) as by_name:
        register(stranger, username="KNOWN", email="new@example.com")
    with pytest.raises(AppError) as by_address:
        register(stranger, username="free", email="Known@Example.com")
    assert by_name.value.fields == {"username": "This username is taken."}
    assert by_address.value.fields == {"email": "This e-mail address is in use."}


def test_trying_names_by_registering_is_slowed_down(stranger):
    person("known")
    for _ in range(_strangers.FAILED_PER_ADDRESS):
        with pytest.raises(AppError, match="taken"):
            register(stranger, username="known")
    for username in ("known", "free"):
        with pytest.raises(TooManyAttempts):
            register(stranger, username=username)


def test_what_is_wrong_with_the_form_is_said_before_names_are_compared(stranger):
    """One request tells about one name: a form that cannot succeed asks for nothing."""
    person("known")
    with pytest.raises(Invalid) as refused:
        register(stranger, username="known", password="x")
    assert set(refused.value.fields) == {"password"}


def test_nobody_without_a_session_asks_for_a_link():
    assert {accounts.__name__, single_sign_on.__name__} <= sys.modules.keys()
    public = {name for name, one in {**OPERATIONS, **QUERIES}.items() if one.spec.public}
    assert {name for name in public if "link" in name} == {
        "accounts.show_link",
        "accounts.redeem_link",
        "single_sign_on.redeem_link",
    }, "these use a link that somebody has; none makes one"
