"""Whoever was lent a permission is not at the mercy of somebody who lacks it: every path that touches an account."""

from contextlib import nullcontext
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from inventory_app.context import Actor, acting_as
from inventory_app.errors import Conflict, InvalidRows, NotAllowed, NotFound
from inventory_app.models._base import now
from inventory_app.models.approvals import Delegation
from inventory_app.models.users import LocalUser, Permission, Role, UserInfo
from inventory_app.operations import (
    accounts,
    approvals,
    bulk_roles,
    delegations,
    devices,
    factors,
    single_sign_on,
    users,
)
from inventory_app.operations.sessions import hash_token
from inventory_app.permissions import DEFAULT_ROLES
from inventory_app.unit_of_work import read, transact
from tests.factories import anonymous, arrange, password_hash, person, role

LENT = "suppliers:approve"
WHY = "asked by phone"
REFUSED = r"This account may do what you may not \(suppliers:approve\)"


def lend(absent: Actor, to: Actor) -> None:
    def build(session) -> None:
        id_ = session.exec(select(Permission.id).where(Permission.name == LENT)).one()
        session.add(
            Delegation(from_user_id=absent.id, to_user_id=to.id, permission_id=id_, ends_at=now() + timedelta(days=1))
        )

    arrange(build)


@pytest.fixture
def eve(database) -> Actor:
    """Return an employee, who may be lent something."""
    return person("eve", "employee")


@pytest.fixture
def clare(ada) -> Actor:
    """Return somebody who looks after employees and cannot approve suppliers."""
    role("clerk", *DEFAULT_ROLES["employee"][1], "users:view", "users:manage", "users:assign_roles")
    return person("clare", "clerk")


def version(user_id: int | None) -> int:
    return arrange(lambda s: s.exec(select(UserInfo).where(UserInfo.user_id == user_id)).one().version)


PATHS = {
    "deactivate_user": lambda e: transact(users.deactivate_user, user_id=e),
    "change_user_role": lambda e: transact(users.change_user_role, user_id=e, role_name="clerk"),
    "set_user_roles": lambda e: transact(users.set_user_roles, user_id=e, roles=[], version=1),
    "change_roles": lambda e: transact(bulk_roles.change_roles, people=[(e, 1)], mode="remove", roles=["employee"]),
    "edit_user": lambda e: transact(
        accounts.edit_user, user_id=e, full_name="E", email="e@example.com", version=version(e)
    ),
    "update_user_email": lambda e: transact(accounts.update_user_email, user_id=e, new_email="mine@example.com"),
    "make_reset_link": lambda e: transact(accounts.make_reset_link, user_id=e, token_hash=hash_token("x"), reason=WHY),
    "end_sessions_of": lambda e: transact(devices.end_sessions_of, user_id=e),
    "reset_factors": lambda e: transact(factors.reset_factors, user_id=e, reason=WHY),
    "disconnect_person": lambda e: transact(single_sign_on.disconnect_person, user_id=e, reason=WHY),
}
each_path = pytest.mark.parametrize("path", PATHS)


@each_path
def test_who_lacks_what_somebody_was_lent_does_not_touch_them(ann, eve, clare, trail, path):
    lend(ann, eve)
    with acting_as(clare), pytest.raises((NotAllowed, InvalidRows)) as refused:
        PATHS[path](eve.id)
    said = refused.value.rows[0][2] if isinstance(refused.value, InvalidRows) else str(refused.value)
    assert "may do what you may not (suppliers:approve)" in said
    assert trail.last(actor_name="clare").outcome in ("denied", "failed")


@each_path
def test_without_what_was_lent_the_same_is_not_refused_for_that(eve, clare, path):
    # Past the rule these two find nothing to take away.
    finds_nothing = path in ("reset_factors", "disconnect_person")
    with acting_as(clare), pytest.raises((Conflict, NotFound)) if finds_nothing else nullcontext():
        PATHS[path](eve.id)


def test_a_disabled_deputy_is_neither_let_in_nor_erased(ann, eve, clare):
    lend(ann, eve)
    arrange(lambda s: s.execute(sa.update(LocalUser).where(col(LocalUser.id) == eve.id).values(enabled=False)))
    with acting_as(clare):
        with pytest.raises(NotAllowed, match=REFUSED):
            transact(users.enable_user, user_id=eve.id)
        with pytest.raises(NotAllowed, match=REFUSED):
            transact(users.erase_personal_data, user_id=eve.id, reason=WHY)
        assert read(users.one_user, user_id=eve.id).why_not_erase


def test_the_lists_say_what_the_operations_would(ann, eve, clare):
    other = person("oskar", "employee")
    lend(ann, eve)
    with acting_as(clare):
        rows = {row.id: row for row in read(users.list_users).page.rows}
        (bulk, _) = read(bulk_roles.preview_roles, user_ids=[eve.id, other.id], mode="replace", roles=["clerk"])
        seen = read(devices.sessions_of, user_id=eve.id)
    assert "suppliers:approve" in rows[eve.id].why_not
    assert "suppliers:approve" in rows[eve.id].why_not_roles
    # The same role, and nothing lent.
    assert (rows[other.id].why_not, rows[other.id].why_not_roles) == ("", "")
    assert "suppliers:approve" in bulk.why_not
    assert seen.sessions == []
    assert "suppliers:approve" in seen.why_not


def test_what_one_was_lent_oneself_is_no_ground_to_touch_who_holds_it(ann, eve, clare):
    """Clare stands in for Ann as well: still only what a role gives her counts, in the lists as in the operations."""
    lend(ann, eve)
    lend(ann, clare)
    with acting_as(clare):
        with pytest.raises(NotAllowed, match=REFUSED):
            transact(users.deactivate_user, user_id=eve.id)
        assert "suppliers:approve" in read(users.one_user, user_id=eve.id).why_not
        assert read(devices.sessions_of, user_id=ann.id).sessions == []
        assert next(one for one in read(users.roles_to_give) if one.name == "manager").why_not


def test_a_link_that_was_kept_opens_no_account_that_was_lent_more_since(ann, eve, clare):
    with acting_as(clare):
        PATHS["make_reset_link"](eve.id)
    lend(ann, eve)
    with acting_as(anonymous()), pytest.raises(NotFound, match="does not work"):
        transact(accounts.redeem_link, token_hash=hash_token("x"), new_hash=password_hash())


def test_who_agrees_to_a_role_must_be_allowed_to_touch_the_deputy(ann, ada, eve, clare):
    arrange(lambda s: s.execute(sa.update(Role).where(col(Role.name) == "employee").values(grant_needs_approval=True)))
    arrange(lambda s: s.exec(select(UserInfo).where(UserInfo.user_id == eve.id)).one().set_roles([], s))
    lend(ann, eve)
    with acting_as(ada):
        transact(users.change_user_role, user_id=eve.id, role_name="employee")
    with acting_as(clare):
        (waiting,) = read(approvals.waiting_for_me, kind="role_grant").rows
        with pytest.raises(NotAllowed, match=REFUSED):
            transact(approvals.approve, approval_id=waiting.id)


def test_who_ends_what_a_deputy_lent_holds_what_they_hold(ann, eve, clare):
    """Ann stands in for nobody and lends: to end it for her one must hold what she may use."""
    lend(ann, eve)
    id_ = arrange(lambda s: s.exec(select(Delegation.id)).one())
    with acting_as(clare), pytest.raises(NotAllowed, match="Only the two people concerned"):
        transact(delegations.revoke_delegation, delegation_id=id_)


def test_it_counts_no_longer_than_it_is_lent(ann, eve, clare):
    lend(ann, eve)
    arrange(lambda s: s.execute(sa.update(Delegation).values(revoked_at=now())))
    with acting_as(clare):
        transact(users.deactivate_user, user_id=eve.id)
