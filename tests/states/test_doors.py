"""Every handler over the real websocket, as everybody: it does what the registry says, and nothing else can be called.

The people: a stranger, one of each role, one without any, one who was disabled, one whose roles were taken away
while the tab was open, and one who must choose a password first.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence

import pytest

from inventory_app.context import acting_as
from inventory_app.operations import users
from inventory_app.paths import PROJECT
from inventory_app.permissions import DEFAULT_ROLES
from inventory_app.states._guard import FRAMEWORK_EVENTS
from inventory_app.states.inventory import InventoryState
from inventory_app.states.users import UserMgmtState
from inventory_app.unit_of_work import transact
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Person, Site, Visitor
from tests.fixtures.tab import ROOT, Answer, Tab
from tests.states.handlers import (
    DECIDED_INSIDE,
    EXAMPLES,
    ONLY_ASKING,
    Handler,
    Things,
    make_things,
    may,
    parts,
    registered,
)

HANDLERS = registered()
DECLARED = [handler for handler in HANDLERS.values() if handler.declared]
ROLES = [*DEFAULT_ROLES, ""]
each_role = pytest.mark.parametrize("role", ROLES, ids=lambda role: role or "no role")


def held_by(role: str) -> tuple[str, ...]:
    return (role,) if role else ()


def shut_by_the_guard(answer: Answer, handler: Handler) -> bool:
    """Tell whether the first door stayed shut; where `guard_page` leads strangers is its own answer."""
    if handler.declared and handler.declared.public and not answer.is_refused:
        # What strangers may send has nothing for them, perhaps: the start page leads to signing in by itself.
        return False
    if handler.name.endswith(".load") and not answer.said and not answer.redirects:
        # Of a page it says itself which permission it needs; whoever may see it is sent what is on it.
        page = handler.short.removesuffix("load")
        sent = {name: value for name, value in answer.vars().items() if name.startswith(page)}
        return not sent or sent.get(f"{page}loading") is True
    return answer.is_refused and not handler.name.endswith("auth_state.guard_page")


PARTS = parts(DECLARED)


@contextlib.asynccontextmanager
async def tabs_of(visitor: Visitor) -> AsyncIterator[list[Tab]]:
    """Open a tab for each part of the handlers."""
    async with contextlib.AsyncExitStack() as opened:
        yield [await opened.enter_async_context(Tab(visitor)) for _ in PARTS]


async def call_all(tabs: Sequence[Tab]) -> dict[str, bool]:
    """Call every declared handler without a payload; tells of each whether the guard let it through."""
    return {
        handler.name: not shut_by_the_guard(await tab.call(handler.name), handler)
        for tab, part in zip(tabs, PARTS, strict=True)
        for handler in part
    }


def disagreements(passed: dict[str, bool], expected: dict[str, bool]) -> list[str]:
    return [f"{name}: expected {expected[name]}" for name in passed if passed[name] != expected[name]]


def test_every_handler_is_declared_or_the_frameworks_own():
    unknown = [
        name
        for name, handler in HANDLERS.items()
        if not handler.declared and name not in FRAMEWORK_EVENTS and not name.endswith(".setvar")
    ]
    assert not unknown, "a client can call these, and nothing says who may"


def test_the_frameworks_list_names_only_what_exists_and_nothing_of_ours():
    assert set(HANDLERS) >= set(FRAMEWORK_EVENTS)
    assert not [name for name in FRAMEWORK_EVENTS if "inventory_app" in name]


def test_the_real_application_registers_exactly_the_handlers_tested_here():
    script = (
        "from inventory_app.inventory_app import app; from reflex_base.registry import RegistrationContext;"
        "print(*RegistrationContext.get().event_handlers, sep='\\n')"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, env=environment, capture_output=True, text=True, check=True
    )
    assert set(found.stdout.split()) == set(HANDLERS)


def test_every_operation_that_a_handler_stands_for_has_an_example():
    of_operations = {handler.name for handler in DECLARED if handler.declared and handler.declared.operation}
    assert not of_operations - set(EXAMPLES) - ONLY_ASKING


@each_role
async def test_a_role_opens_the_handlers_its_permissions_name_and_no_other(site: Site, role: str):
    ann = site.signed_in(site.person("ann", *held_by(role)))
    async with tabs_of(ann) as tabs:
        passed = await call_all(tabs)
    assert not disagreements(passed, {handler.name: may(handler, held_by(role)) for handler in DECLARED})


async def test_a_stranger_opens_only_what_is_public(site: Site):
    async with tabs_of(site.visitor()) as tabs:
        passed = await call_all(tabs)
    assert not disagreements(passed, {h.name: bool(h.declared and h.declared.public) for h in DECLARED})


async def test_whoever_must_choose_a_password_first_opens_only_what_is_public(site: Site):
    newcomer = site.signed_in(site.person("newcomer", "admin", must_change_password=True))
    async with tabs_of(newcomer) as tabs:
        passed = await call_all(tabs)
    assert not disagreements(passed, {h.name: bool(h.declared and h.declared.public) for h in DECLARED})


@pytest.mark.parametrize("who", ["stranger", "admin"])
async def test_nobody_opens_what_is_neither_declared_nor_the_frameworks(site: Site, who: str):
    visitor = site.visitor() if who == "stranger" else site.signed_in("admin")
    undeclared = [name for name, h in HANDLERS.items() if not h.declared and name not in FRAMEWORK_EVENTS]
    async with Tab(visitor) as tab:
        answers = {name: await tab.call(name, var_name="rows", value=[1]) for name in undeclared}
    assert undeclared
    assert all(answer.said == ["This page is out of date. Reload it."] for answer in answers.values()), answers


async def try_examples(site: Site, visitor: Visitor, things: Things) -> dict[str, Answer]:
    """Call the handler of every operation with an honest payload."""
    async with Tab(visitor) as tab:
        return {name: await tab.call(name, **payload(things)) for name, payload in EXAMPLES.items()}


def outcomes(trail: Trail, username: str) -> dict[str, set[str]]:
    """Return what the trail says about each operation of a person."""
    found: dict[str, set[str]] = {}
    for entry in trail.operations(actor_name=username):
        found.setdefault(entry.name, set()).add(entry.outcome)
    return found


def operation_of(name: str) -> str:
    declared = HANDLERS[name].declared
    assert declared
    return declared.operation or {"supplier_state.decide": "suppliers.reject_supplier"}[HANDLERS[name].short]


def may_inside(operation: str, role: str) -> bool:
    """Tell whether a role holds what an operation asks for only when it has seen the record."""
    return operation not in DECIDED_INSIDE or (role != "" and DECIDED_INSIDE[operation] in DEFAULT_ROLES[role][1])


@each_role
async def test_an_operation_runs_for_who_may_and_is_on_record_as_denied_for_who_may_not(
    site: Site, site_trail: Trail, role: str
):
    ann = site.person("ann", *held_by(role))
    things = make_things(site)
    answers = await try_examples(site, site.signed_in(ann), things)
    on_record = outcomes(site_trail, ann.username)
    wrong = []
    for name in EXAMPLES:
        handler, operation = HANDLERS[name], operation_of(name)
        if handler.declared and handler.declared.public:
            assert answers[name].said == [], name
        elif may(handler, held_by(role)) and may_inside(operation, role):
            wrong += [] if on_record.get(operation) == {"succeeded"} else [f"{name}: {answers[name].said}"]
        else:
            # Shut by the first door: under the operation's name, or the event's where it may be one of several.
            denied = on_record.get(operation, set()) | on_record.get(f"event.{handler.short}", set())
            wrong += [] if denied == {"denied"} else [f"{name}: {denied}"]
    assert not wrong


async def test_a_stranger_applies_and_registers_and_does_nothing_else(site: Site, site_trail: Trail):
    stranger = site.visitor()
    await try_examples(site, stranger, make_things(site))
    mine = site_trail.operations(client_ip=stranger.address)
    done = {entry.name for entry in mine if entry.outcome == "succeeded"}
    assert done == {"suppliers.apply_supplier", "users.register"}
    assert {entry.actor_kind for entry in mine} == {"anonymous"}


async def test_somebody_disabled_with_an_open_tab_opens_nothing_more(site: Site, site_trail: Trail):
    ann, ada = site.person("ann", "manager"), site.signed_in(site.person("ada", "admin"))
    async with tabs_of(site.signed_in(ann)) as hers, Tab(ada, "/admin/users") as tab:
        assert not (await hers[0].call(InventoryState.load)).is_refused
        await tab.call(UserMgmtState.deactivate_user, user_id=ann.id)
        since = len(site_trail.operations(actor_name=ann.username))
        passed = await call_all(hers)
    assert not disagreements(passed, {h.name: bool(h.declared and h.declared.public) for h in DECLARED})
    assert {entry.outcome for entry in site_trail.operations(actor_name=ann.username)[since:]} <= {"denied", "failed"}


async def test_somebody_whose_roles_were_taken_away_keeps_the_tab_and_loses_the_handlers(site: Site):
    ann, ada = site.person("ann", "manager"), site.signed_in(site.person("ada", "admin"))
    async with tabs_of(site.signed_in(ann)) as hers, Tab(ada, "/admin/users") as tab:
        assert not (await hers[0].call(InventoryState.load)).is_refused
        await tab.call(UserMgmtState.set_roles, form={"user_id": ann.id, "version": 1})
        passed = await call_all(hers)
    assert not disagreements(passed, {handler.name: may(handler, ()) for handler in DECLARED})


@pytest.mark.parametrize("how", ["disabled", "without roles"])
async def test_what_another_process_changed_counts_at_once_for_every_operation(site: Site, site_trail: Trail, how: str):
    """The guard remembers a person for a moment; the operation's own check must not."""
    ann, things = site.person("ann", "admin"), make_things(site)
    visitor = site.signed_in(ann)
    async with Tab(visitor, "/inventory") as hers:
        assert not (await hers.call(InventoryState.load)).is_refused
        change_elsewhere(site.person("ada", "admin"), ann, how)
        for name, payload in EXAMPLES.items():
            await hers.call(name, **payload(things))
        loaded = await hers.call(InventoryState.load)
    done = {entry.name for entry in site_trail.operations(actor_name=ann.username, outcome="succeeded")}
    # Who can still sign in may correct their own account, and send the form that anybody may send.
    left = {"accounts.update_own_email", "suppliers.apply_supplier"} if how == "without roles" else set()
    assert done <= left
    assert "inventory_state.rows" not in loaded.vars()


def change_elsewhere(ada: Person, ann: Person, how: str) -> None:
    """Change an account as a process other than the server does."""
    with acting_as(ada.actor):
        if how == "disabled":
            transact(users.deactivate_user, user_id=ann.id)
        else:
            transact(users.set_user_roles, user_id=ann.id, roles=[], version=1)


async def test_an_event_nobody_knows_is_answered_with_nothing_and_logged_without_the_cookie(site: Site):
    ann = site.signed_in(site.person("ann", "manager"))
    async with Tab(ann) as tab:
        for name in (f"{ROOT}.nothing", "nothing", f"{ROOT}.inventory_app___states___auth____auth_state._fill", ""):
            assert (await tab.call(name, person=None)).messages == []
    assert ann.kept("session") not in site.log_text()
