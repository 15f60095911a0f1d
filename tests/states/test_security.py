"""The security page over the websocket: one's own things only, shown once, and only with a fresh proof."""

import secrets
from datetime import timedelta

import pytest

from inventory_app.context import acting_as
from inventory_app.models._base import now
from inventory_app.operations import devices, factors
from inventory_app.pages._sessions import sessions_of
from inventory_app.states.auth import AuthState
from inventory_app.states.security import SecurityState
from inventory_app.states.sessions import PersonSessionsState
from inventory_app.states.users import UserMgmtState
from inventory_app.unit_of_work import read
from tests.fixtures.authenticator import change_sessions, give_app
from tests.fixtures.server import Person, Site
from tests.fixtures.tab import Answer, Tab

PAGE = "/profile/security"


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("ann", "manager")


def strong(site: Site, person: Person) -> Tab:
    visitor = site.signed_in(person)
    change_sessions(person.id, strong=True)
    return Tab(visitor, PAGE)


def factors_left(person: Person) -> int:
    with acting_as(person.actor):
        return len(read(factors.my_factors).factors)


async def test_somebody_elses_factor_and_session_cannot_be_touched(site: Site, ann: Person):
    app, bob = give_app(ann.id), site.person("bob")
    async with strong(site, bob) as tab:
        for handler, payload in (
            (SecurityState.remove, {"factor_id": app.factor_id}),
            (SecurityState.rename, {"form": {"factor_id": app.factor_id, "name": "mine"}}),
        ):
            answer = await tab.call(handler, **payload)
            assert answer.said == ["There is no such second factor (any more). Reload the page."]
        answer = await tab.call(SecurityState.end_session, session_id=ann.actor.session_id)
        assert answer.said == ["That session has ended already. Reload the page."]
    assert factors_left(ann) == 1
    with acting_as(ann.actor):
        assert read(devices.my_sessions)


async def test_what_is_shown_once_is_gone_when_the_dialog_closes(site: Site, ann: Person):
    give_app(ann.id)
    async with strong(site, ann) as tab:
        shown = (await tab.call(SecurityState.add_app)).vars()
        assert len(shown["security_state.secret"].replace(" ", "")) == 32
        codes = (await tab.call(SecurityState.make_codes)).vars()["security_state.codes"]
        assert len(set(codes)) == 10
        closed = (await tab.call(SecurityState.close, is_open=False)).vars()
        assert (closed["security_state.secret"], closed["security_state.qr"], closed["security_state.codes"]) == (
            "",
            "",
            [],
        )
        seen = len(tab.messages)
        await tab.call(SecurityState.load)
        assert not [code for code in codes if code in str(tab.messages[seen:])]
    assert not [code for code in codes if code in site.log_text()]


async def test_without_a_fresh_proof_nothing_is_shown_and_the_way_leads_to_confirm(site: Site, ann: Person):
    async with strong(site, ann) as tab:
        change_sessions(ann.id, reauthenticated_at=now() - timedelta(hours=1))
        for handler in (SecurityState.add_app, SecurityState.add_passkey, SecurityState.make_codes):
            answer = await tab.call(handler)
            assert answer.redirects == ["/confirm?next=%2Fprofile%2Fsecurity"]
            assert answer.said == ["Confirm that it is you, then do it again."]
            assert "security_state.secret" not in answer.vars()


async def test_strangers_get_nothing_of_the_page(site: Site):
    async with Tab(site.visitor(), PAGE) as tab:
        for handler in (SecurityState.load, SecurityState.add_app, SecurityState.make_codes):
            answer = await tab.call(handler)
            assert answer.is_refused
        assert "security_state" not in "".join(str(message.get("delta", {}).get("codes")) for message in tab.messages)


async def test_an_ended_session_empties_its_tab_at_the_next_event(site: Site, ann: Person):
    give_app(ann.id)
    async with strong(site, ann) as tab, strong(site, ann) as other:
        await tab.call(SecurityState.make_codes)
        await other.call(SecurityState.end_other_sessions)
        answer = await tab.call(SecurityState.load)
        assert answer.is_refused
        # The tab may have been told, and emptied, before it asked.
        assert Answer(tab.messages).vars()["security_state.codes"] == []


def test_the_part_for_a_persons_page_can_be_put_on_one():
    assert "Sign out everywhere" in str(sessions_of(UserMgmtState.person))
    assert PersonSessionsState.load_person


async def test_a_guessable_password_makes_no_account(site: Site):
    name = f"dora-{secrets.token_hex(4)}"
    form = {"username": name, "full_name": "Dora", "email": f"{name}@example.com", "password": "password123"}
    async with Tab(site.visitor(), "/register") as tab:
        refused = (await tab.call(AuthState.register, form=form)).vars()
        assert "tried first" in refused["auth_state.errors"]["password"]
        own = (await tab.call(AuthState.register, form=form | {"password": f"{name}-1"})).vars()
        assert "your own name" in own["auth_state.errors"]["password"]
        done = (await tab.call(AuthState.register, form=form | {"password": "seven violet tractors"})).vars()
        assert done["auth_state.registered"] == "waiting"
