"""Accounts of people of suppliers: invited, ended, let in again; never staff as well, on no way."""

import ast
import secrets
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from inventory_app import operations
from inventory_app.context import acting_as, system_actor
from inventory_app.errors import Conflict, Invalid, InvalidRows, NotAllowed, NotFound, NotSignedIn, Stale
from inventory_app.models._base import now
from inventory_app.models.users import LocalUser, Role, UserInfo
from inventory_app.operations import (
    accounts,
    approvals,
    bulk_roles,
    delegations,
    roles,
    sessions,
    single_sign_on,
    supplier_accounts,
    users,
)
from inventory_app.operations._supplier_people import BY_INVITATION
from inventory_app.operations.sessions import hash_token
from inventory_app.passwords import hash_password
from inventory_app.permissions import Permission
from inventory_app.unit_of_work import read, transact
from tests.factories import anonymous, arrange, invited, password_hash, person, role, supplier, supplier_person
from tests.operations.test_accounts import clerk_with
from tests.operations.test_single_sign_on import set_up

__all__ = ["set_up"]  # pytest finds the fixture by its name

BELONGS = "belongs to a supplier"


def invite(supplier_id, **changed):
    values = {"username": "sue", "full_name": "Sue", "email": "sue@example.com"} | changed
    return transact(supplier_accounts.invite_to_portal, supplier_id=supplier_id, token_hash=hash_token("abc"), **values)


def redeem(token):
    with acting_as(anonymous()):
        return transact(accounts.redeem_link, token_hash=hash_token(token), new_hash=hash_password("a long password"))


def roles_of(user_id):
    return arrange(lambda s: s.exec(select(UserInfo).where(UserInfo.user_id == user_id)).one().get_roles())


def version_of(user_id):
    return arrange(lambda s: s.exec(select(UserInfo).where(UserInfo.user_id == user_id)).one().version)


def listed(actor, supplier_id):
    with acting_as(actor):
        return read(supplier_accounts.accounts_of, supplier_id=supplier_id)


@pytest.fixture
def acme(database):
    return supplier("Acme", status="approved").id


@pytest.fixture
def sue(acme):
    return supplier_person("sue", acme)


def test_an_invited_person_of_a_supplier_comes_in_by_the_link_and_holds_the_portal_alone(ada, acme):
    with acting_as(ada):
        made = invite(acme)
    assert [one.state for one in listed(ada, acme)] == ["invited"]
    assert redeem("abc") == "sue"
    (row,) = listed(ada, acme)
    assert (row.state, row.name, row.username, row.why_not) == ("active", "Sue", "sue", "")
    assert roles_of(made.user_id) == ["supplier"]


def test_inviting_takes_both_permissions_and_not_that_of_the_portal(acme):
    with acting_as(clerk_with("users:manage")), pytest.raises(NotAllowed, match="Correct a supplier"):
        invite(acme)
    with acting_as(clerk_with("suppliers:edit")), pytest.raises(NotAllowed):
        invite(acme)
    with acting_as(clerk_with("users:manage", "suppliers:edit")):
        assert invite(acme).username == "sue"
    assert redeem("abc") == "sue"


def test_a_link_dies_when_its_maker_may_no_longer_edit_suppliers(acme):
    clerk = clerk_with("users:manage", "suppliers:edit")
    with acting_as(clerk):
        invite(acme)

    def take_away(session):
        info = session.exec(select(UserInfo).where(UserInfo.user_id == clerk.id)).one()
        info.set_roles([clerk_role], session)

    clerk_role = f"less{secrets.token_hex(2)}"
    role(clerk_role, "users:manage")
    arrange(take_away)
    with pytest.raises(NotFound):
        redeem("abc")


def test_whoever_may_not_edit_suppliers_does_not_touch_their_accounts(acme, sue):
    with acting_as(clerk_with("users:manage")):
        with pytest.raises(NotAllowed, match="suppliers:edit"):
            transact(accounts.make_reset_link, user_id=sue.id, token_hash=hash_token("x"), reason="Lost it")
        with pytest.raises(NotAllowed, match="suppliers:edit"):
            transact(users.deactivate_user, user_id=sue.id)
        with pytest.raises(NotAllowed):
            transact(supplier_accounts.end_portal_access, user_id=sue.id, reason="Left them")


@pytest.mark.parametrize("status", ["rejected", "suspended"])
def test_nobody_is_invited_of_a_supplier_we_have_closed(ada, status):
    closed = supplier("Closed", status=status)
    with acting_as(ada), pytest.raises(Conflict, match=f"Closed is {status}"):
        invite(closed.id)


def test_there_must_be_such_a_supplier_and_such_an_account(ada, acme, bob):
    with acting_as(ada):
        with pytest.raises(NotFound):
            invite(acme + 1)
        with pytest.raises(Conflict, match="bob is no account of a supplier"):
            transact(supplier_accounts.end_portal_access, user_id=bob.id, reason="x")
        with pytest.raises(Invalid):
            invite(acme, username="!")


def test_ended_access_ends_the_sessions_and_can_be_given_back(ada, acme, sue):
    with acting_as(ada):
        with pytest.raises(Invalid) as refused:
            transact(supplier_accounts.end_portal_access, user_id=sue.id, reason=" ")
        assert refused.value.fields["reason"].startswith("Say why")
        with pytest.raises(Stale, match="has access already"):
            transact(supplier_accounts.give_portal_access_back, user_id=sue.id)
        assert transact(supplier_accounts.end_portal_access, user_id=sue.id, reason="Left them") == "sue"
        with pytest.raises(Stale, match="no access any more"):
            transact(supplier_accounts.end_portal_access, user_id=sue.id, reason="Left them")
    assert [one.state for one in listed(ada, acme)] == ["ended"]
    with acting_as(sue), pytest.raises(NotSignedIn):
        read(sessions.who_is_this)
    with acting_as(ada):
        assert transact(supplier_accounts.give_portal_access_back, user_id=sue.id) == "sue"
        assert [one.state for one in listed(ada, acme)] == ["active"]
        transact(users.deactivate_user, user_id=sue.id)
    assert [one.state for one in listed(ada, acme)] == ["disabled"]


def test_who_may_only_look_is_told_why_not(ann, acme, sue):
    (row,) = listed(person("eve", "employee"), acme)
    assert "suppliers:edit" in row.why_not
    assert listed(ann, acme)[0].why_not == ""


# Nobody is both: every way to roles


def test_somebody_of_a_supplier_gets_no_other_role_and_none_of_us_gets_theirs(ada, acme, sue, bob):
    version = version_of(sue.id)
    with acting_as(ada):
        with pytest.raises(NotAllowed, match=BELONGS):
            transact(users.change_user_role, user_id=sue.id, role_name="employee")
        with pytest.raises(NotAllowed, match=BELONGS):
            transact(users.set_user_roles, user_id=sue.id, roles=["supplier", "admin"], version=version)
        with pytest.raises(NotAllowed) as refused:
            transact(users.change_user_role, user_id=bob.id, role_name="supplier")
        assert str(refused.value) == BY_INVITATION
        with pytest.raises(NotAllowed, match="invite their people"):
            transact(
                accounts.invite_user,
                username="sam",
                full_name="Sam",
                email="sam@example.com",
                roles=["supplier"],
                token_hash=hash_token("y"),
            )
        # Their own role can be taken from them and given back.
        transact(users.set_user_roles, user_id=sue.id, roles=[], version=version)
        transact(users.set_user_roles, user_id=sue.id, roles=["supplier"], version=version + 1)
    assert (roles_of(sue.id), roles_of(bob.id)) == (["supplier"], [])


def test_in_bulk_it_is_said_before_and_refused_for_all(ada, acme, sue, bob):
    with acting_as(ada):
        shown = read(bulk_roles.preview_roles, user_ids=[sue.id, bob.id], mode="add", roles=["employee"])
        assert {one.user_id: one.why_not for one in shown}[bob.id] == ""
        assert BELONGS in {one.user_id: one.why_not for one in shown}[sue.id]
        people = [(one.user_id, one.version) for one in shown]
        with pytest.raises(InvalidRows) as refused:
            transact(bulk_roles.change_roles, people=people, mode="add", roles=["employee"])
        assert BELONGS in refused.value.rows[0][2]
        (given,) = read(bulk_roles.preview_roles, user_ids=[bob.id], mode="add", roles=["supplier"])
        assert given.why_not == BY_INVITATION
    assert roles_of(bob.id) == []


def test_the_lists_of_roles_say_how_the_role_is_given(ada):
    with acting_as(ada):
        found = {one.name: one.why_not for one in read(users.roles_to_give)}
    assert found["supplier"] == BY_INVITATION
    assert found["employee"] == ""


def test_groups_at_the_provider_change_nothing_for_them_and_make_nobody_one_of_them(ada, sue, bob, set_up):
    set_up(ROLES='{"staff": ["employee"], "vendors": ["supplier"]}')
    with acting_as(system_actor("single-sign-on")):
        for groups in (["staff"], ["vendors"], []):
            assert transact(single_sign_on.match_roles, user_id=sue.id, groups=groups, reason="groups") == ["supplier"]
        held = transact(single_sign_on.match_roles, user_id=bob.id, groups=["staff", "vendors"], reason="groups")
    assert held == ["employee"]


def test_an_agreement_to_a_role_asked_for_before_does_not_go_around_it(ada, sue):
    """The rule stands at the place where roles are given, not only where they are asked for."""
    other = person("otto", "admin")
    ident = role("careful", "users:view")

    def needs_agreement(session):
        session.get_one(Role, ident).grant_needs_approval = True

    arrange(needs_agreement)
    with acting_as(ada), pytest.raises(NotAllowed, match=BELONGS):
        transact(users.set_user_roles, user_id=sue.id, roles=["supplier", "careful"], version=version_of(sue.id))
    with acting_as(other):
        assert read(approvals.waiting_for_me).rows == []


def test_only_one_place_gives_roles():
    found = [
        file.name
        for file in Path(operations.__path__[0]).glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "set_roles"
    ]
    assert found == ["_role_grants.py"]


def test_the_role_holds_the_portal_and_nothing_besides(ada):
    matrix_role = arrange(lambda s: s.exec(select(Role).where(Role.name == "supplier")).one().id)
    with acting_as(ada):
        before = read(roles.role_detail, role_id=matrix_role)
        version = next(one.version for one in read(roles.role_matrix).roles if one.id == matrix_role)
        assert before is not None
        wanted = ["portal:use", "orders:view"]
        preview = read(roles.preview_permissions, role_id=matrix_role, permissions=wanted)
        assert any("the papers of their company and no more" in one for one in preview.refused)
        with pytest.raises(NotAllowed, match="no more"):
            transact(roles.set_permissions, role_id=matrix_role, permissions=wanted, version=version)
        change = roles.Change(matrix_role, version, ["prices:view"], [])
        with pytest.raises(NotAllowed, match="no more"):
            transact(roles.change_permissions, changes=[change])
        transact(roles.set_permissions, role_id=matrix_role, permissions=[], version=version)


def test_nobody_lends_anything_to_them_or_finds_them(ada, sue):
    with acting_as(ada):
        assert read(delegations.deputies, search="sue") == []
        with pytest.raises(Invalid) as refused:
            transact(
                delegations.delegate,
                deputy="sue",
                permissions=[Permission.SUPPLIERS_APPROVE],
                starts_at=now(),
                ends_at=now() + timedelta(days=1),
            )
    assert "nobody of this user name" in refused.value.fields["deputy"]


def test_while_their_role_is_off_they_are_still_none_of_us(sue, bob):
    from inventory_app.operations import home, views

    arrange(lambda s: setattr(s.exec(select(Role).where(Role.name == "supplier")).one(), "active", False))
    with acting_as(bob):
        assert read(home.home) is not None
    with acting_as(sue):
        with pytest.raises(NotAllowed, match="supplier portal"):
            read(home.home)
        with pytest.raises(NotAllowed, match="supplier portal"):
            transact(views.save_view, page="inventory", name="Mine", view={})


def test_an_account_of_ours_stays_ours(database):
    """A waiting invitation of an employee is no account of a supplier, whatever is tried with it."""
    user_id = invited("ivy")
    with acting_as(person("ada", "admin")), pytest.raises(NotAllowed, match="invite their people"):
        transact(users.change_user_role, user_id=user_id, role_name="supplier")
    assert arrange(lambda s: s.get_one(LocalUser, user_id).password_hash) != password_hash()
