"""What belongs to somebody else, asked for by its number: refused in words, and nothing is changed.

Whoever asks may do everything a manager may; the things are another manager's, so that no role of theirs helps.
"""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from inventory_app.context import acting_as
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval, Delegation
from inventory_app.operations import delegations, suppliers
from inventory_app.states.apply import ApplyState
from inventory_app.states.approvals import ApprovalState
from inventory_app.states.away import AwayState
from inventory_app.states.security import SecurityState
from inventory_app.states.sessions import PersonSessionsState
from inventory_app.states.users import UserMgmtState
from inventory_app.unit_of_work import transact
from tests import factories
from tests.fixtures.authenticator import change_sessions, give_app
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Person, Site
from tests.fixtures.tab import Tab


def newest(model: type[Approval] | type[Delegation]) -> int:
    return factories.arrange(lambda s: s.scalars(select(model.id).order_by(col(model.id).desc())).first()) or 0


def lent(site: Site, owner: Person) -> int:
    """Let somebody's deputy be a third person."""
    deputy = site.person("deputy", "employee").username
    until = now() + timedelta(days=2)
    with acting_as(owner.actor):
        transact(delegations.delegate, deputy=deputy, permissions=["suppliers:approve"], starts_at=now(), ends_at=until)
    return newest(Delegation)


def asked(site: Site, owner: Person) -> int:
    """Let somebody ask for a decision."""
    with acting_as(owner.actor):
        transact(suppliers.create_supplier, name=f"{secrets.token_hex(5)} Ltd")
    return newest(Approval)


def factor(site: Site, owner: Person) -> int:
    return give_app(owner.id).factor_id


#: The handler, what it is sent about the thing, how the thing is made, and what is said.
CASES: dict[str, tuple[Any, Callable[[int, Person], dict[str, Any]], Callable[[Site, Person], int], str]] = {
    "a session": (
        SecurityState.end_session,
        lambda id_, owner: {"session_id": id_},
        lambda site, owner: owner.actor.session_id or 0,
        "That session has ended already",
    ),
    "a session as an administrator would end it": (
        PersonSessionsState.end_session,
        lambda id_, owner: {"user_id": owner.id, "session_id": id_},
        lambda site, owner: owner.actor.session_id or 0,
        "This needs the permission",
    ),
    "a second factor": (
        SecurityState.remove,
        lambda id_, owner: {"factor_id": id_},
        factor,
        "There is no such second factor",
    ),
    "a second factor's name": (
        SecurityState.rename,
        lambda id_, owner: {"form": {"factor_id": id_, "name": "mine"}},
        factor,
        "There is no such second factor",
    ),
    "a request to withdraw": (
        ApprovalState.withdraw,
        lambda id_, owner: {"form": {"approval_id": id_}},
        asked,
        "Only whoever asked for this can withdraw it",
    ),
    "a delegation": (
        AwayState.revoke,
        lambda id_, owner: {"delegation_id": id_},
        lent,
        "Only the two people concerned and an administrator can end this",
    ),
    "roles": (
        UserMgmtState.change_user_role,
        lambda id_, owner: {"user_id": owner.id, "role_name": "employee"},
        lambda site, owner: 0,
        "This needs the permission",
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_what_is_somebody_elses_is_left_alone(site: Site, site_trail: Trail, case: str):
    handler, payload, make, words = CASES[case]
    owner, mallory = site.person("owner", "manager"), site.person("mallory", "manager")
    thing = make(site, owner)
    visitor = site.signed_in(mallory)
    change_sessions(mallory.id, strong=True)
    async with Tab(visitor, "/profile/security") as tab:
        for _ in range(2):
            (said,) = (await tab.call(handler, **payload(thing, owner))).said
            assert said.startswith(words)
    assert {entry.outcome for entry in site_trail.operations(actor_name=mallory.username)} <= {"denied", "failed"}


async def test_whoever_may_not_see_a_request_learns_nothing_of_it_by_deciding(site: Site):
    """Neither who decided it nor what it was about: the number of a request is no secret."""
    owner, bob = site.person("owner", "manager"), site.person("bob")
    open_request, closed_request = asked(site, owner), asked(site, owner)
    decider = site.person("decider", "manager")
    form = {"version": 1, "subject_version": 1, "decision": "reject", "reason": "Too dear"}
    async with Tab(site.signed_in(decider), "/approvals") as tab:
        assert (await tab.call(ApprovalState.decide, form=form | {"approval_id": closed_request})).said
    async with Tab(site.signed_in(bob), "/approvals") as tab:
        answers = [
            await tab.call(ApprovalState.decide, form=form | {"approval_id": id_})
            for id_ in (open_request, closed_request)
        ]
        answers += [
            await tab.call(ApprovalState.withdraw, form={"approval_id": id_}) for id_ in (open_request, closed_request)
        ]
    for answer in answers:
        assert answer.said
        assert decider.name not in answer.text
        assert owner.name not in answer.text
        assert " Ltd" not in answer.text


async def test_whoever_is_signed_in_does_not_approve_what_they_have_sent_by_the_public_form(site: Site):
    mallory, name = site.person("mallory", "manager"), f"{secrets.token_hex(5)} Ltd"
    form = {"name": name, "tax_id": f"DK{secrets.token_hex(4)}", "contact_name": "C", "email": "c@s.example"}
    async with Tab(site.signed_in(mallory), "/apply") as tab:
        assert not (await tab.call(ApplyState.apply_supplier, form=form | {"address": "1 Quay"})).errors()
        asked_for = newest(Approval)
        verdict = {"approval_id": asked_for, "version": 1, "subject_version": 1, "decision": "approve"}
        (said,) = (await tab.call(ApprovalState.decide, form=verdict)).said
    assert said == "You entered this supplier, so somebody else must approve it."
