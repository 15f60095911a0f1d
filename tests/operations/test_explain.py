"""Who may what and through what, and why somebody may not: the answers agree with what the operations do."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from inventory_app.context import acting_as
from inventory_app.errors import AppError, NotAllowed, NotFound
from inventory_app.models._base import now
from inventory_app.models.access import FactorKind, SecondFactor
from inventory_app.models.approvals import Delegation
from inventory_app.models.users import LocalUser, Permission, Role
from inventory_app.operations import explain, suppliers
from inventory_app.unit_of_work import read, transact
from tests.factories import add, arrange, invited, person, supplier

APPROVE = "suppliers:approve"


def delegate(giver, deputy, permission=APPROVE, **times):
    def build(session):
        id_ = session.exec(select(Permission.id).where(Permission.name == permission)).one()
        times.setdefault("ends_at", now() + timedelta(days=1))
        session.add(Delegation(from_user_id=giver.id, to_user_id=deputy.id, permission_id=id_, **times))

    arrange(build)


def update(model, condition, **values):
    arrange(lambda s: s.execute(sa.update(model).where(condition).values(**values)))


def why(viewer, who, permission=APPROVE, supplier_id=None):
    with acting_as(viewer):
        return read(explain.why_not, user_id=who.id, permission=permission, supplier_id=supplier_id)


def test_every_permission_says_through_which_role_or_in_whose_place(ada, ann, bob):
    both = person("both", "employee", "accountant")
    delegate(ann, bob)
    with acting_as(ada):
        held = {one.permission: one for one in read(explain.holdings, user_id=both.id)}
        deputy = {one.permission: one for one in read(explain.holdings, user_id=bob.id)}
        roles = read(explain.person, user_id=both.id).roles
    assert [source.text for source in held["inventory:view"].sources] == ["accountant", "employee"]
    assert held["audit:view"].sources == []
    assert [source.text[:22] for source in deputy[APPROVE].sources] == ["in the place of Ann un"]
    assert deputy[APPROVE].sources[0].authority_id == ann.id
    assert [one.name for one in roles] == ["accountant", "employee"]


def test_everybody_who_has_a_permission_is_listed_page_by_page(ada, ann, bob):
    delegate(ann, bob)
    people = [person(f"m{number:02}", "manager") for number in range(60)]
    update(LocalUser, col(LocalUser.id) == people[0].id, enabled=False)
    with acting_as(ada):
        first = read(explain.who_has, permission=APPROVE)
        rest = read(explain.who_has, permission=APPROVE, cursor=first.after)
        number = read(explain.count_who_has, permission=APPROVE)
    rows = {row.username: row for row in [*first.rows, *rest.rows]}
    assert (len(rows), number, rest.after) == (63, 62, "")
    assert (rows["ada"].through, rows["bob"].through) == ("admin", "in the place of Ann")
    assert not rows["m00"].enabled


def test_every_reason_is_said_and_goes_away_with_its_cause(ada):
    bob = person("bob", "employee", enabled=False, must_change_password=True)
    update(Role, col(Role.name) == "employee", needs_factor=True)
    said = " ".join(why(ada, bob).why)
    for words in (
        "The account of Bob waits for somebody to let them in.",
        "Bob must choose a password",
        "needs a second factor, and Bob has not set one up",
        "Bob does not hold the permission “Approve suppliers” (suppliers:approve).",
        "It comes with the role admin or manager.",
    ):
        assert words in said
    update(LocalUser, col(LocalUser.id) == bob.id, enabled=True, must_change_password=False)
    add(SecondFactor(user_id=bob.id, kind=FactorKind.TOTP, name="Phone", sealed_seed="x", confirmed_at=now()))
    assert [sentence[:12] for sentence in why(ada, bob).why] == ["Bob does not"]
    delegate(ada, bob)
    assert why(ada, bob).can


def test_a_deputy_without_the_factor_that_the_absent_one_needs_is_told_so(ada, ann):
    eve = person("eve", "employee")
    delegate(ann, eve)
    assert why(ada, eve).can
    update(Role, col(Role.name) == "manager", needs_factor=True)
    sentence = "A role of Ann, for whom you stand in, needs a second factor. Sign in with one."
    assert why(ada, eve).why == [f"Eve would read: “{sentence}”"]
    waiting = supplier("Nordkraft")
    assert why(ada, eve, supplier_id=waiting.id).why == [f"Eve would read: “{sentence}”"]
    add(SecondFactor(user_id=eve.id, kind=FactorKind.TOTP, name="Phone", sealed_seed="x", confirmed_at=now()))
    assert why(ada, eve).can
    assert why(ada, eve, supplier_id=waiting.id).can


def test_somebody_who_was_shut_out_is_told_from_somebody_who_waits(ada, ann):
    update(LocalUser, col(LocalUser.id) == ann.id, enabled=False)
    assert why(ada, ann).why == ["The account of Ann is disabled."]


def test_somebody_who_was_invited_is_told_from_both(ada):
    ivy = invited("ivy")
    with acting_as(ada):
        said = read(explain.why_not, user_id=ivy, permission=APPROVE).why
    assert said[0] == "The account of Ivy was made by an invitation, and they have not come yet."


def test_a_role_that_is_switched_off_is_named(ada, ann):
    update(Role, col(Role.name) == "manager", active=False)
    (said,) = why(ada, ann).why
    assert said.endswith("their role manager contains it, but is deactivated.")


@pytest.mark.parametrize("who", ["entered", "edited", "other", "none", "decided"])
def test_the_answer_about_a_supplier_is_what_the_operation_does(ada, ann, bob, who):
    """No second implementation: for each case the same sentence about the same person, or none."""
    status = "approved" if who == "decided" else "pending"
    touched = {"entered": {"entered_by": ann.id}, "edited": {"last_edited_by": ann.id}}.get(who, {})
    wanted = supplier("Pavlova, Ltd.", source="staff", status=status, **touched)
    actor = bob if who == "none" else ann
    answer = why(ada, actor, supplier_id=wanted.id)
    refusal = ""
    with acting_as(actor):
        try:
            transact(suppliers.approve_supplier, supplier_id=wanted.id)
        except AppError as error:
            refusal = str(error)
    assert answer.can is not bool(refusal)
    if who in ("entered", "edited", "decided"):
        assert answer.why == [f"Ann would read: “{refusal}”"]


def test_people_are_found_by_a_part_of_their_name(ada, ann):
    wanted = supplier("Pavlova, Ltd.", source="staff")
    with acting_as(ada):
        found = read(explain.why_nobody, permission=APPROVE, supplier_id=wanted.id, search="AN")
        everybody = read(explain.why_nobody, permission=APPROVE)
    assert [(one.name, one.can) for one in found] == [("Ann", True)]
    assert len(everybody) == 2


def test_what_is_not_there_is_said(ada, ann):
    with pytest.raises(NotFound, match="no such permission"):
        why(ada, ann, permission="king:be")
    with pytest.raises(NotFound, match="no such supplier"):
        why(ada, ann, supplier_id=4_711)
    with acting_as(ada):
        assert read(explain.person, user_id=4_711) is None
        with pytest.raises(NotFound, match="no such person"):
            read(explain.why_not, user_id=4_711, permission=APPROVE)


def test_one_asks_about_a_supplier_only_if_one_may_see_suppliers(ada):
    from tests.factories import role

    role("looker", "roles:view", "users:view")
    looker, wanted = person("lou", "looker"), supplier("Pavlova, Ltd.", source="staff")
    assert why(looker, ada).can
    with pytest.raises(NotAllowed):
        why(looker, ada, supplier_id=wanted.id)
