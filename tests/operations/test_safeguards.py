"""What a role asks for cannot be gone around by changing roles: every path, taking it off, two people at once."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from inventory_app.context import Actor, acting_as, system_actor
from inventory_app.errors import AlreadyDecided, Conflict, NotAllowed, SecondFactorRequired
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval
from inventory_app.models.users import AuthSession, Role
from inventory_app.operations import _safeguards as safeguards
from inventory_app.operations import approvals, factors, home, roles, users
from inventory_app.operations.roles import Change
from inventory_app.permissions import DEFAULT_ROLES, Permission
from inventory_app.unit_of_work import read, transact
from tests.factories import arrange, person, signed_in_again
from tests.fixtures.authenticator import give_app
from tests.fixtures.seeing import Side, before_commit, locks_waited_for, wait_until_blocked
from tests.operations.test_roles import acting, contents, make_role, role

FACTOR, AGREEMENT = safeguards.FACTOR, safeguards.AGREEMENT
each_flag = pytest.mark.parametrize("flag", [FACTOR, AGREEMENT])
#: Of the default roles only `manager` and `admin` contain it.
KEPT = "suppliers:create"
ONLY_ROLES = {
    FACTOR: r"Only roles that need a second factor give “Enter a supplier” \(suppliers:create\)",
    AGREEMENT: r"Only roles that nobody gets without somebody else's agreement give “Enter a supplier”",
}
ALL = sorted(DEFAULT_ROLES["manager"][1])


@pytest.fixture
def axel(database):
    return person("axel", "admin")


def ask_for(flag: str, name: str = "manager") -> Role:
    """Make a role ask for something, as it stood before anybody tried to go around it."""
    arrange(lambda s: s.execute(sa.update(Role).where(col(Role.name) == name).values(**{flag: True})))
    return role(name)


def edit(actor, name: str, **changed):
    found = role(name)
    given = {
        "role_id": found.id, "version": found.version, "name": name, "description": found.description,
        FACTOR: found.needs_factor, AGREEMENT: found.grant_needs_approval,
    }  # fmt: skip
    with acting_as(actor):
        return transact(roles.edit_role, **given | changed)


def request() -> Approval:
    def find(session):
        found = session.exec(select(Approval).order_by(col(Approval.id).desc())).first()
        session.expunge(found)
        return found

    return arrange(find)


def agree(actor):
    with acting_as(actor):
        return transact(approvals.approve, approval_id=request().id)


# What is kept stays kept


def paths(plain: Role) -> dict:
    """Every way to put what a role keeps into one that does not ask for it."""
    return {
        "set_permissions": lambda: transact(
            roles.set_permissions, role_id=plain.id, version=plain.version, permissions=["inventory:view", KEPT]
        ),
        "change_permissions": lambda: transact(
            roles.change_permissions, changes=[Change(plain.id, plain.version, [KEPT], [])]
        ),
        "create_role": lambda: transact(roles.create_role, name="Way round", permissions=[KEPT]),
        "clone_role": lambda: transact(
            roles.clone_role,
            role_id=role("manager").id,
            name="Way round",
            needs_factor=False,
            grant_needs_approval=False,
        ),
        "clone_admin": lambda: transact(roles.clone_role, role_id=role("admin").id, name="Way round"),
    }


@each_flag
@pytest.mark.parametrize("path", ["set_permissions", "change_permissions", "create_role", "clone_role", "clone_admin"])
def test_what_only_roles_give_that_ask_for_it_reaches_no_role_that_does_not(ada, trail, flag, path):
    ask_for(flag)
    plain = make_role("plain", "inventory:view")
    way = paths(plain)[path]
    for actor in (ada, system_actor("night")):
        with acting_as(actor), pytest.raises(NotAllowed, match="Only roles that") as refused:
            way()
        assert ("plain" if "permissions" in path else "Way round") + " must ask for the same" in str(refused.value)
    assert contents("plain") == {"inventory:view"}
    assert trail.last(actor_name="ada").outcome == "denied"


@each_flag
def test_a_role_that_asks_for_the_same_may_have_it(ada, flag):
    ask_for(flag)
    plain = make_role("plain", "inventory:view")
    edit(ada, "plain", **{flag: True})
    with acting_as(ada):
        transact(roles.change_permissions, changes=[Change(plain.id, 2, [KEPT], [])])
        transact(roles.create_role, name="New", permissions=[KEPT], **{flag: True})
        transact(roles.clone_role, role_id=plain.id, name="Copy")
        transact(roles.clone_role, role_id=role("admin").id, name="Second admin", **{flag: True})
    assert getattr(role("Copy"), flag)


def test_one_safeguard_does_not_stand_for_the_other(ada):
    ask_for(FACTOR)
    with acting_as(ada), pytest.raises(NotAllowed, match=ONLY_ROLES[FACTOR]):
        transact(roles.create_role, name="New", permissions=[KEPT], grant_needs_approval=True)


@each_flag
def test_what_a_role_gives_without_asking_is_not_kept(ada, flag):
    ask_for(flag)
    with acting_as(ada):
        transact(roles.create_role, name="Viewer", permissions=["inventory:view", "prices:view"])


@each_flag
def test_it_cannot_be_laundered_by_taking_it_out_of_the_last_role_that_keeps_it(ada, flag):
    manager = ask_for(flag)
    less = sorted(set(ALL) - {KEPT})
    for take in (
        lambda: transact(roles.set_permissions, role_id=manager.id, version=1, permissions=less),
        lambda: transact(roles.change_permissions, changes=[Change(manager.id, 1, [], [KEPT])]),
    ):
        with acting_as(ada), pytest.raises(NotAllowed, match="the last of them would be gone"):
            take()
    keeper = make_role("keeper", KEPT, **{flag: True})
    with acting_as(ada):
        transact(roles.change_permissions, changes=[Change(manager.id, 1, [], [KEPT])])
        with pytest.raises(NotAllowed, match="the last of them would be gone"):
            transact(roles.delete_role, role_id=keeper.id, version=1)
        transact(roles.deactivate_role, role_id=keeper.id, version=1)
        with pytest.raises(NotAllowed, match="New must ask for the same"):
            transact(roles.create_role, name="New", permissions=[KEPT])


@each_flag
def test_moving_it_to_another_role_in_one_step_is_no_way_round(ada, flag):
    manager, plain = ask_for(flag), make_role("plain", "inventory:view")
    with acting_as(ada), pytest.raises(NotAllowed, match="plain must ask for the same"):
        transact(roles.change_permissions, changes=[Change(manager.id, 1, [], [KEPT]), Change(plain.id, 1, [KEPT], [])])


@each_flag
def test_a_role_from_before_is_not_activated_again_without_asking_for_the_same(ada, flag):
    old = make_role("old", KEPT, active=False)
    ask_for(flag)
    with acting_as(ada), pytest.raises(NotAllowed, match="old must ask for the same"):
        transact(roles.activate_role, role_id=old.id, version=1)
    edit(ada, "old", **{flag: True})
    with acting_as(ada):
        assert not transact(roles.activate_role, role_id=old.id, version=2).waits
    assert role("old").active


# Agreement is about people


@pytest.mark.parametrize("active", [True, False])
def test_nobody_gets_what_needs_agreement_because_a_role_of_theirs_grew(ada, active):
    """First the harmless role is given, then it asks for agreement, then it grows."""
    ask_for(AGREEMENT)
    plain = make_role("plain", "inventory:view", active=active)
    person("pat", "plain", enabled=False)
    edit(ada, "plain", grant_needs_approval=True)
    grow = [Change(plain.id, 2, [KEPT], [])]
    with acting_as(ada):
        if active:
            with pytest.raises(NotAllowed, match="somebody who holds the role does not have it yet") as really:
                transact(roles.change_permissions, changes=grow)
            assert read(roles.preview_changes, changes=grow).refused == [str(really.value)]
            return
        transact(roles.change_permissions, changes=grow)
        assert transact(roles.activate_role, role_id=plain.id, version=3).waits
    assert not role("plain").active


def test_who_has_it_anyway_is_no_reason_against_it(ada):
    ask_for(AGREEMENT)
    plain = make_role("plain", "inventory:view", grant_needs_approval=True)
    person("mia", "manager", "plain")
    with acting_as(ada):
        transact(roles.change_permissions, changes=[Change(plain.id, 1, [KEPT], [])])
    assert KEPT in contents("plain")


def test_a_role_that_gave_what_needs_agreement_is_activated_again_once_somebody_agrees(ada, axel, ann):
    manager = ask_for(AGREEMENT)
    with acting_as(ada):
        transact(roles.deactivate_role, role_id=manager.id, version=1)
        assert transact(roles.activate_role, role_id=manager.id, version=2, reason="They are back").waits
        assert "it shall count again" in read(roles.role_detail, role_id=manager.id).waits
    assert not role("manager").active
    with pytest.raises(NotAllowed, match="You asked for this"):
        agree(ada)
    agree(axel)
    assert role("manager").active


def test_an_agreement_to_activate_a_role_gives_nothing_that_another_safeguard_keeps_meanwhile(ada, axel, ann):
    manager = ask_for(AGREEMENT)
    with acting_as(ada):
        transact(roles.deactivate_role, role_id=manager.id, version=1)
        transact(roles.activate_role, role_id=manager.id, version=2)
        transact(roles.create_role, name="New", permissions=[KEPT], needs_factor=True, grant_needs_approval=True)
    with pytest.raises(NotAllowed, match="manager must ask for the same"):
        agree(axel)
    assert not role("manager").active


def test_what_a_role_became_after_it_was_asked_for_is_not_agreed_to(ada, axel, bob):
    """Somebody asks for a harmless role, and puts more into it before the other one reads the request."""
    ask_for(AGREEMENT)
    plain = make_role("plain", "inventory:view", grant_needs_approval=True)
    with acting_as(ada):
        transact(users.change_user_role, user_id=bob.id, role_name="plain")
        transact(roles.change_permissions, changes=[Change(plain.id, 1, [KEPT], [])])
    with pytest.raises(Conflict, match="A role was changed after it was asked for"):
        agree(axel)


# Taking it off


@each_flag
def test_taking_it_off_a_role_somebody_holds_waits_for_somebody_else(ada, axel, trail, flag):
    ask_for(flag, "employee")
    person("bert", "employee")
    saved = edit(ada, "employee", **{flag: False}, description="On the floor", reason="Too slow")
    assert (saved.waits, getattr(role("employee"), flag)) == (True, True)
    assert role("employee").description == "On the floor"
    with acting_as(ada):
        (mine,) = read(approvals.asked_by_me).rows
        assert mine.label == "Role settings"
        assert read(approvals.approval_detail, approval_id=mine.id).reason == "Too slow"
        assert "waits until somebody else agrees" in read(roles.role_detail, role_id=role("employee").id).waits
    with pytest.raises(NotAllowed, match="You asked for this, so somebody else must agree"):
        agree(ada)
    assert agree(axel).status == "approved"
    assert [(c.table, c.kind) for c in trail.changes(table="role")] == [("role", "update")]
    assert not getattr(role("employee"), flag)
    with acting_as(ada):
        assert read(roles.role_detail, role_id=role("employee").id).waits == ""


@each_flag
def test_taking_it_off_a_role_nobody_holds_waits_where_it_keeps_something(ada, axel, flag):
    ask_for(flag)
    assert edit(ada, "manager", **{flag: False}).waits
    assert getattr(role("manager"), flag)
    agree(axel)
    with acting_as(ada):
        transact(roles.create_role, name="Free", permissions=[KEPT])


@each_flag
def test_taking_it_off_where_it_keeps_nothing_is_at_once(ada, flag):
    make_role("plain", "inventory:view", **{flag: True})
    assert not edit(ada, "plain", **{flag: False}).waits
    assert not getattr(role("plain"), flag)


def test_a_rejection_leaves_it_on(ada, axel):
    ask_for(FACTOR)
    edit(ada, "manager", needs_factor=False)
    with acting_as(axel):
        transact(approvals.reject, approval_id=request().id, reason="No")
    assert role("manager").needs_factor
    with pytest.raises(AlreadyDecided):
        agree(axel)


def test_a_role_that_was_changed_since_is_not_agreed_to(ada, axel):
    ask_for(FACTOR)
    edit(ada, "manager", needs_factor=False)
    edit(ada, "manager", description="Something else")
    with pytest.raises(Conflict, match="changed after this was asked for"):
        agree(axel)
    assert role("manager").needs_factor


def test_who_agrees_must_be_allowed_to_change_the_role(ada, axel):
    ask_for(FACTOR)
    make_role("clerk", "roles:view", "roles:manage")
    clare = person("clare", "clerk")
    holder = person("hal", "admin", "manager")
    edit(ada, "manager", needs_factor=False)
    as_strong(holder)
    with pytest.raises(NotAllowed, match="This role may do what you may not"):
        agree(clare)
    with pytest.raises(NotAllowed, match="You hold the role manager yourself"):
        agree(holder)


@pytest.mark.parametrize("how", ["demoted", "disabled"])
def test_who_asked_must_still_be_allowed_to(ada, axel, how):
    ask_for(FACTOR)
    edit(ada, "manager", needs_factor=False)
    with acting_as(axel):
        if how == "demoted":
            transact(users.change_user_role, user_id=ada.id, role_name="employee")
        else:
            transact(users.deactivate_user, user_id=ada.id)
    with pytest.raises(NotAllowed, match="Ada, who asked for this, may no longer give it"):
        agree(axel)
    assert role("manager").needs_factor


def test_nobody_decides_about_a_role_that_is_gone(ada, axel):
    plain = make_role("plain", "inventory:view", active=False, needs_factor=True)
    arrange(lambda s: _ask(s, plain.id))
    with acting_as(axel):
        transact(roles.delete_role, role_id=plain.id, version=1)
        (row,) = read(approvals.waiting_for_me).rows
        assert row.title == "Something that is no longer there"
    with pytest.raises(Conflict, match="changed after this was asked for"):
        agree(axel)


def _ask(session, role_id):
    from inventory_app.operations import _role_safeguard_kind as kind

    kind.ask(session, session.get_one(Role, role_id), {FACTOR: False}, "")


# The second factor of administrators


def as_strong(actor) -> None:
    """Let the session of somebody count as proved by a second factor."""
    arrange(
        lambda s: s.execute(sa.update(AuthSession).where(col(AuthSession.id) == actor.session_id).values(strong=True))
    )


def test_admin_can_need_a_second_factor_and_nothing_else_of_it_changes(ada):
    for change in ({AGREEMENT: True}, {"description": "x"}):
        with pytest.raises(NotAllowed, match="cannot be changed, but for the second factor"):
            edit(ada, "admin", **change)
    assert not edit(ada, "admin", needs_factor=True).waits
    assert role("admin").needs_factor
    assert contents("admin") == set(Permission)


def test_administrators_without_a_factor_are_let_in_to_set_one_up_and_nowhere_else(ada):
    edit(ada, "admin", needs_factor=True)
    with acting_as(ada):
        with pytest.raises(SecondFactorRequired):
            read(roles.role_matrix)
        with pytest.raises(SecondFactorRequired):
            transact(users.deactivate_user, user_id=ada.id)
        assert transact(factors.begin_totp)
        assert read(factors.my_factors) is not None
    as_strong(ada)
    with acting_as(ada):
        assert read(roles.role_matrix).roles
        assert read(home.home) is not None


def test_an_administrator_who_lost_every_factor_is_let_in_again_on_the_machine(ada):
    """As `inventory reset-factors` does it: the password opens the security page again, which sets up a new one."""
    edit(ada, "admin", needs_factor=True)
    give_app(ada.id or 0)
    with acting_as(Actor("cli", "cli:root")):
        transact(factors.reset_factors, user_id=ada.id, reason="Lost the phone")
    with acting_as(signed_in_again(ada)):
        with pytest.raises(SecondFactorRequired):
            read(roles.role_matrix)
        assert read(factors.my_factors).factors == []
        assert transact(factors.begin_totp)


def test_who_lacks_something_does_not_set_it(ada):
    make_role("clerk", "roles:view", "roles:manage")
    with pytest.raises(NotAllowed, match="This role may do what you may not"):
        edit(person("clare", "clerk"), "admin", needs_factor=True)


def test_taking_it_off_admin_needs_another_administrator(ada, axel):
    edit(ada, "admin", needs_factor=True)
    as_strong(ada)
    as_strong(axel)
    assert edit(ada, "admin", needs_factor=False).waits
    with pytest.raises(NotAllowed, match="You asked for this"):
        agree(ada)
    agree(axel)
    assert not role("admin").needs_factor


def test_what_only_admin_gives_is_kept_by_the_second_factor_of_admin(ada):
    edit(ada, "admin", needs_factor=True)
    as_strong(ada)
    with acting_as(ada):
        with pytest.raises(NotAllowed, match="Helper must ask for the same"):
            transact(roles.create_role, name="Helper", permissions=["users:manage"])
        transact(roles.create_role, name="Helper", permissions=["users:manage"], needs_factor=True)


# Two at the same moment


def test_of_asking_for_agreement_and_going_around_it_at_once_the_second_is_refused(ada, axel, observer):
    plain = make_role("plain", "inventory:view")
    manager = role("manager")
    guard = acting(
        ada, roles.edit_role, role_id=manager.id, version=1, name="manager", description=manager.description,
        grant_needs_approval=True,
    )  # fmt: skip
    leak = acting(axel, roles.change_permissions, changes=[Change(plain.id, 1, [KEPT], [])])
    with Side(guard, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(leak) as other:
            waiting = wait_until_blocked(observer, by=holder)
            assert locks_waited_for(observer, waiting) == [("advisory", "ExclusiveLock")]
            one.go_on()
            assert one.error() is None
            assert "plain must ask for the same" in str(other.error())
    assert contents("plain") == {"inventory:view"}


def test_of_two_who_each_take_one_of_the_last_two_keepers_away_exactly_one_succeeds(ada, axel, observer):
    """Each change alone leaves the other role to keep it; both together would launder the permission."""
    manager, keeper = ask_for(FACTOR), make_role("keeper", KEPT, "inventory:view", needs_factor=True)
    first = acting(ada, roles.change_permissions, changes=[Change(manager.id, 1, [], [KEPT])])
    second = acting(axel, roles.change_permissions, changes=[Change(keeper.id, 1, [], [KEPT])])
    with Side(first, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(second) as other:
            waiting = wait_until_blocked(observer, by=holder)
            assert locks_waited_for(observer, waiting) == [("advisory", "ExclusiveLock")]
            one.go_on()
            assert one.error() is None
            assert "the last of them would be gone" in str(other.error())
    assert KEPT in contents("keeper")


def test_of_giving_a_role_and_putting_more_into_it_at_once_nobody_gets_it_unasked(ada, axel, bob, observer):
    """The role asks for agreement and nobody holds it: it may grow, while the grant of it is agreed to."""
    ask_for(AGREEMENT)
    plain = make_role("plain", "inventory:view", grant_needs_approval=True)
    with acting_as(ada):
        transact(users.change_user_role, user_id=bob.id, role_name="plain")
    grow = acting(ada, roles.change_permissions, changes=[Change(plain.id, 1, [KEPT], [])])
    agreed = acting(axel, approvals.approve, approval_id=request().id)
    with Side(agreed, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(grow) as other:
            waiting = wait_until_blocked(observer, by=holder)
            assert locks_waited_for(observer, waiting) == [("advisory", "ExclusiveLock")]
            one.go_on()
            assert one.error() is None
            assert "somebody who holds the role does not have it yet" in str(other.error())
    assert contents("plain") == {"inventory:view"}


def test_a_request_that_nobody_decides_ends_after_two_weeks(ada, axel):
    ask_for(FACTOR)
    edit(ada, "manager", needs_factor=False)
    assert timedelta(days=13) < request().expires_at - now() < timedelta(days=14, seconds=1)
