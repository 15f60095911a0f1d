"""Roles that nobody gets without somebody else's agreement, under every rule of granting as of the agreement."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from inventory_app.context import acting_as, system_actor
from inventory_app.errors import AlreadyDecided, Conflict, FreshProofRequired, NotAllowed, Stale
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval
from inventory_app.models.users import LocalUser, Role, UserInfo
from inventory_app.operations import accounts, approvals, users
from inventory_app.unit_of_work import read, transact
from tests.factories import arrange, person
from tests.fixtures.authenticator import change_sessions
from tests.fixtures.seeing import Side, before_commit, locks_waited_for, wait_until_blocked


@pytest.fixture(autouse=True)
def sensitive(database):
    """The auditor's role, and the administrator's, need somebody else's agreement."""
    arrange(lambda s: s.execute(sa.update(Role).where(col(Role.name).in_(["auditor", "admin"])).values(**FLAG)))


FLAG = {"grant_needs_approval": True}


@pytest.fixture
def axel(database):
    return person("axel", "admin")


@pytest.fixture
def bert(database):
    return person("bert", "employee")


def roles_of(actor) -> list[str]:
    return arrange(lambda s: s.exec(select(UserInfo).where(UserInfo.user_id == actor.id)).one().get_roles())


def version_of(actor) -> int:
    return arrange(lambda s: s.exec(select(UserInfo).where(UserInfo.user_id == actor.id)).one().version)


def give(actor, to, *roles) -> list[str]:
    with acting_as(actor):
        return transact(users.set_user_roles, user_id=to.id, roles=list(roles), version=version_of(to))


def the_request() -> int:
    return arrange(lambda s: s.exec(select(Approval.id).order_by(col(Approval.id).desc())).first())


def agree(actor, **more):
    with acting_as(actor):
        return transact(approvals.approve, approval_id=the_request(), **more)


def test_agreeing_needs_a_fresh_proof_and_rejecting_does_not(ada, axel, bert):
    give(ada, bert, "auditor")
    change_sessions(axel.id, reauthenticated_at=now() - timedelta(hours=1))
    with pytest.raises(FreshProofRequired):
        agree(axel)
    with acting_as(axel):
        assert transact(approvals.reject, approval_id=the_request(), reason="Not needed").status == "rejected"


def test_a_sensitive_role_waits_and_the_others_are_given_at_once(ada, axel, bert, trail):
    assert give(ada, bert, "accountant", "auditor") == ["employee"]
    assert roles_of(bert) == ["accountant"]
    with acting_as(ada):
        assert read(approvals.roles_waiting, user_id=bert.id) == ["auditor"]
        (mine,) = read(approvals.asked_by_me).rows
        assert (mine.title, mine.label) == ("Auditor for Bert", "Role")
    assert agree(axel).status == "approved"
    assert ("user_role", "insert") in [(c.table, c.kind) for c in trail.changes()]
    assert roles_of(bert) == ["accountant", "auditor"]
    with acting_as(ada):
        assert read(approvals.roles_waiting, user_id=bert.id) == []


def test_change_user_role_waits_too(ada, axel, bert):
    with acting_as(ada):
        transact(users.change_user_role, user_id=bert.id, role_name="auditor")
    assert roles_of(bert) == []
    agree(axel)
    assert roles_of(bert) == ["auditor"]


def test_an_invitation_is_no_way_around_it(ada, axel):
    with acting_as(ada):
        made = transact(
            accounts.invite_user,
            username="ivy",
            full_name="Ivy",
            email="ivy@example.com",
            roles=["employee", "auditor"],
            token_hash="x",
        )
        ivy = replace(ada, id=made.user_id)
        assert read(approvals.roles_waiting, user_id=made.user_id) == ["auditor"]
    assert roles_of(ivy) == ["employee"]
    with pytest.raises(NotAllowed, match="You asked for this role"):
        agree(ada)
    agree(axel)
    assert roles_of(ivy) == ["auditor", "employee"]


def test_the_system_asks_as_well(axel, bert):
    with acting_as(system_actor("night")):
        transact(users.change_user_role, user_id=bert.id, role_name="auditor")
    assert roles_of(bert) == []
    agree(axel)
    assert roles_of(bert) == ["auditor"]


def test_who_has_the_role_keeps_it_and_taking_it_away_is_at_once(ada, axel, bert):
    give(ada, bert, "auditor")
    agree(axel)
    give(ada, bert, "auditor", "employee")
    assert roles_of(bert) == ["auditor", "employee"]
    give(ada, bert, "employee")
    assert roles_of(bert) == ["employee"]


def test_neither_who_asked_nor_who_gets_it_agrees(ada, axel):
    dora = person("dora", "admin")
    give(ada, dora, "admin", "auditor")
    with pytest.raises(NotAllowed, match="You asked for this role"):
        agree(ada)
    with pytest.raises(NotAllowed, match="This is about your own roles"):
        agree(dora)
    agree(axel)
    assert roles_of(dora) == ["admin", "auditor"]


def test_a_rejection_gives_nothing(ada, axel, bert):
    give(ada, bert, "employee", "auditor")
    with acting_as(axel):
        transact(approvals.reject, approval_id=the_request(), reason="Not yet")
    assert roles_of(bert) == ["employee"]
    with pytest.raises(AlreadyDecided, match="Axel rejected this"):
        agree(axel)


def test_it_waits_for_fourteen_days(ada, axel, bert):
    give(ada, bert, "employee", "auditor")
    found = arrange(lambda s: s.get_one(Approval, the_request()).expires_at)
    assert timedelta(days=13) < found - now() < timedelta(days=14, seconds=1)
    arrange(lambda s: s.execute(sa.update(Approval).values(expires_at=now() - timedelta(seconds=1))))
    with pytest.raises(Conflict, match="expired"):
        agree(axel)
    give(ada, bert, "employee", "auditor")
    agree(axel)
    assert roles_of(bert) == ["auditor", "employee"]


def test_a_second_request_for_the_same_person_is_refused(ada, axel, bert):
    give(ada, bert, "employee", "auditor")
    with pytest.raises(Conflict, match="waits for a decision already"):
        give(axel, bert, "employee", "admin")
    give(axel, bert, "accountant")
    assert roles_of(bert) == ["accountant"]


def clerk(*names: str):
    """Return somebody who gives roles, and holds what these roles contain."""

    def build(session):
        role = Role(name="clerk")
        session.add(role)
        session.flush()
        held = users.permissions_of_roles(session, names)
        role.set_permissions(held | {"users:view", "users:assign_roles"}, session)

    arrange(build)
    return person("clare", "clerk")


def test_who_agrees_must_hold_what_is_given(ada, bert):
    clare = clerk("employee")
    give(ada, bert, "employee", "auditor")
    with pytest.raises(NotAllowed, match="You cannot give what you do not hold yourself: audit:export, audit:view"):
        agree(clare)
    assert roles_of(bert) == ["employee"]


def test_who_agrees_must_be_allowed_to_touch_the_account(ada, ann):
    clare = clerk("auditor")
    give(ada, ann, "manager", "auditor")
    with pytest.raises(NotAllowed, match="This account may do what you may not"):
        agree(clare)


@pytest.mark.parametrize("how", ["demoted", "disabled"])
def test_who_asked_must_still_hold_it(ada, axel, bert, how):
    clare = clerk("employee", "auditor")
    give(clare, bert, "employee", "auditor")
    with acting_as(ada):
        if how == "demoted":
            transact(users.change_user_role, user_id=clare.id, role_name="employee")
        else:
            transact(users.deactivate_user, user_id=clare.id)
    with pytest.raises(NotAllowed, match="Clare, who asked for this, may no longer give it"):
        agree(axel)
    assert roles_of(bert) == ["employee"]


def test_what_the_role_contains_counts_as_of_the_agreement(ada, axel, bert):
    """The role became more than whoever asked for it ever held."""
    clare = clerk("employee", "auditor")
    give(clare, bert, "employee", "auditor")

    def grow(session):
        role = session.exec(select(Role).where(Role.name == "auditor")).one()
        role.set_permissions(users.permissions_of_roles(session, ["auditor"]) | {"users:manage"}, session)

    arrange(grow)
    with pytest.raises(NotAllowed, match=r"may no longer give it \(users:manage\)"):
        agree(axel)


def test_a_role_that_is_no_longer_in_use_is_not_given(ada, axel, bert):
    give(ada, bert, "employee", "auditor")
    arrange(lambda s: s.execute(sa.update(Role).where(col(Role.name) == "auditor").values(active=False)))
    with pytest.raises(Conflict, match="no longer in use"):
        agree(axel)


def test_a_person_who_changed_meanwhile_is_read_again(ada, axel, bert):
    give(ada, bert, "employee", "auditor")
    with acting_as(axel):
        seen = read(approvals.approval_detail, approval_id=the_request())
    give(ada, bert, "accountant")
    with pytest.raises(Stale):
        agree(axel, version=seen.version, subject_version=seen.subject_version)


def test_what_they_are_given_adds_to_what_they_have_then(ada, axel, bert):
    give(ada, bert, "employee", "auditor")
    give(ada, bert, "accountant")
    agree(axel)
    assert roles_of(bert) == ["accountant", "auditor"]


def test_agreeing_waits_for_whoever_is_demoting_the_one_who_asked(ada, axel, bert, observer):
    clare = clerk("employee", "auditor")
    give(clare, bert, "employee", "auditor")

    def demote() -> None:
        with acting_as(ada):
            transact(users.change_user_role, user_id=clare.id, role_name="employee")

    with Side(demote, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(lambda: agree(axel)) as other:
            waiting = wait_until_blocked(observer, by=holder)
            assert locks_waited_for(observer, waiting) == [("advisory", "ExclusiveLock")]
            one.go_on()
            assert one.error() is None
            assert isinstance(other.error(), NotAllowed)
    assert roles_of(bert) == ["employee"]


def test_agreeing_to_a_role_of_somebody_disabled_gives_it_for_when_they_come_back(ada, axel, bert):
    give(ada, bert, "employee", "auditor")
    arrange(lambda s: s.execute(sa.update(LocalUser).where(col(LocalUser.id) == bert.id).values(enabled=False)))
    agree(axel)
    assert roles_of(bert) == ["auditor", "employee"]
