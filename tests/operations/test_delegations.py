"""While somebody is away: who may lend what to whom, for how long, and who ends it."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from inventory_app.context import acting_as, system_actor
from inventory_app.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from inventory_app.models._base import now
from inventory_app.models.approvals import Delegation
from inventory_app.operations import approvals, dashboard, delegations, sessions, suppliers, users
from inventory_app.unit_of_work import read, transact
from tests.factories import arrange, person, supplier
from tests.fixtures.seeing import Side, before_commit, wait_until_blocked

APPROVE = "suppliers:approve"


@pytest.fixture
def eve(database):
    return person("eve", "employee")


@pytest.fixture
def nancy(database):
    return person("nancy", "manager")


def lend(absent, deputy="eve", **changed):
    times = {"starts_at": now() - timedelta(minutes=1), "ends_at": now() + timedelta(days=7)}
    with acting_as(absent):
        return transact(delegations.delegate, **({"deputy": deputy, "permissions": [APPROVE]} | times | changed))


def mine(actor):
    with acting_as(actor):
        return read(delegations.my_delegations)


def may(actor, permission=APPROVE) -> bool:
    with acting_as(actor):
        return permission in read(sessions.who_is_this).permissions


def end(actor, row) -> str:
    with acting_as(actor):
        return transact(delegations.revoke_delegation, delegation_id=row.id)


def test_the_deputy_decides_and_both_see_it(ann, eve, trail):
    found = supplier("Lyngbysild").id
    assert lend(ann, reason="Holidays").permissions == ["Approve suppliers"]
    assert trail.last().reason == "Holidays"
    assert may(eve)
    for actor in (ann, eve):
        (row,) = mine(actor)
        assert (row.absent, row.deputy, row.state, row.reason, row.revocable) == (
            "Ann", "Eve", "in force", "Holidays", True,
        )  # fmt: skip
    with acting_as(eve):
        assert read(dashboard.waiting).suppliers == 1
        (waiting,) = read(approvals.waiting_for_me).rows
        assert read(approvals.approval_detail, approval_id=waiting.id).for_whom == "Ann"
        assert transact(suppliers.approve_supplier, supplier_id=found).status == "approved"
        (made,) = read(approvals.decided_lately).rows
    assert (made.by, made.for_whom) == ("Eve", "Ann")
    assert [row.state for row in mine(person("fay"))] == []


def test_only_what_a_role_gives_and_needs_a_person_can_be_lent(ann, eve, ada):
    fay = person("fay")
    for actor, permissions in (
        (eve, [APPROVE]),
        (ann, ["inventory:view"]),
        (ada, ["users:assign_roles", APPROVE]),
        (ann, ["nonsense"]),
    ):
        with pytest.raises(NotAllowed, match="You cannot let others decide with"):
            lend(actor, "fay", permissions=permissions)
    assert mine(fay) == []
    with acting_as(ann):
        assert [one.name for one in read(delegations.lendable)] == [APPROVE, "orders:approve", "invoices:release"]
    with acting_as(eve):
        assert read(delegations.lendable) == []


def test_what_was_lent_cannot_be_lent_on(ann, eve):
    fay = person("fay", "employee")
    lend(ann, "eve")
    with pytest.raises(NotAllowed, match="not with what was lent to you"):
        lend(eve, "fay")
    # Should such a row ever come to be, it gives nothing.
    (row,) = mine(ann)
    arrange(lambda s: s.add(_copy(s.get_one(Delegation, row.id), eve.id, fay.id)))
    assert not may(fay)


def _copy(row, absent, deputy) -> Delegation:
    return Delegation(
        from_user_id=absent,
        to_user_id=deputy,
        permission_id=row.permission_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )


def test_a_deputy_cannot_give_the_permission_away_by_role(ann, ada):
    """Lent permissions are no ground to grant roles."""

    def build(session):
        from inventory_app.models.users import Role

        role = Role(name="clerk")
        session.add(role)
        session.flush()
        held = users.permissions_of_roles(session, ["manager"]) - {APPROVE}
        role.set_permissions(held | {"users:view", "users:assign_roles"}, session)

    arrange(build)
    clare, bert = person("clare", "clerk"), person("bert", "employee")
    lend(ann, "clare")
    assert may(clare)
    with acting_as(clare), pytest.raises(NotAllowed, match=f"do not hold yourself: {APPROVE}"):
        transact(users.change_user_role, user_id=bert.id, role_name="manager")


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"deputy": "nobody"}, "deputy", "There is nobody of this user name"),
        ({"deputy": ""}, "deputy", "There is nobody"),
        ({"deputy": "ann"}, "deputy", "you cannot stand in for yourself"),
        ({"permissions": []}, "permissions", "Choose what they may decide"),
        ({"ends_at": datetime(2020, 1, 1, tzinfo=UTC)}, "ends_at", "That day is over"),
        ({"starts_at": now() + timedelta(days=9)}, "ends_at", "It ends before it begins"),
        ({"ends_at": now() + timedelta(days=91)}, "ends_at", "At most 90 days"),
        (
            {"starts_at": now() + timedelta(days=400), "ends_at": now() + timedelta(days=401)},
            "starts_at",
            "At most a year ahead",
        ),
        ({"reason": "x" * 1_001}, "reason", "at most 1,000"),
        ({"reason": "NUL \0"}, "reason", "cannot be stored"),
        ({"starts_at": datetime(2026, 1, 1)}, "starts_at", "Enter a day"),  # noqa: DTZ001  # the point
    ],
)
def test_it_is_refused_beside_the_field(ann, eve, changed, field, sentence):
    with pytest.raises(Invalid) as refused:
        lend(ann, **changed)
    assert sentence in refused.value.fields[field]
    assert mine(ann) == []


def test_somebody_disabled_is_no_deputy(ann):
    person("gone", "manager", enabled=False)
    with pytest.raises(Invalid):
        lend(ann, "gone")


def test_the_same_is_not_lent_twice_for_the_same_days(ann, eve, nancy):
    lend(ann)
    with pytest.raises(Conflict, match="Eve stands in for you in these days already"):
        lend(ann, starts_at=now() + timedelta(days=6), ends_at=now() + timedelta(days=9))
    lend(ann, starts_at=now() + timedelta(days=8), ends_at=now() + timedelta(days=9))
    lend(ann, "nancy")
    assert sorted(row.state for row in mine(ann)) == ["coming", "in force", "in force"]


def test_two_forms_at_once_lend_it_once(ann, eve, observer):
    with Side(lambda: lend(ann), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(lambda: lend(ann)) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            assert one.error() is None
            assert isinstance(other.error(), Conflict)
    assert len(mine(ann)) == 1


@pytest.mark.parametrize("who", ["ann", "eve", "ada"])
def test_both_and_an_administrator_end_it_at_once(ann, eve, ada, who):
    lend(ann)
    (row,) = mine(ann)
    assert end({"ann": ann, "eve": eve, "ada": ada}[who], row) == "Eve"
    assert not may(eve)
    (row,) = mine(eve)
    assert (row.state, row.revocable) == ("revoked", False)
    with pytest.raises(Stale, match="ended already"):
        end(ann, row)


def test_nobody_else_ends_it(ann, eve, nancy, bob, ada):
    lend(ann)
    (row,) = mine(ann)
    for other in (nancy, bob):
        with pytest.raises(NotAllowed, match="Only the two people concerned and an administrator"):
            end(other, row)
    with acting_as(ann), pytest.raises(NotFound):
        transact(delegations.revoke_delegation, delegation_id=4_711)


def test_who_looks_after_people_does_not_touch_those_who_may_more(ann, eve):
    def build(session):
        from inventory_app.models.users import Role

        role = Role(name="clerk")
        session.add(role)
        session.flush()
        role.set_permissions({"users:view", "users:manage"}, session)

    arrange(build)
    clare = person("clare", "clerk")
    lend(ann)
    (row,) = mine(ann)
    with pytest.raises(NotAllowed, match="Only the two people concerned"):
        end(clare, row)


def test_it_counts_for_as_long_as_the_owner_may_and_can_act(ann, eve, ada):
    lend(ann)
    with acting_as(ada):
        transact(users.change_user_role, user_id=ann.id, role_name="employee")
        assert not may(eve)
        transact(users.change_user_role, user_id=ann.id, role_name="manager")
        assert may(eve)
        transact(users.deactivate_user, user_id=ann.id)
        assert not may(eve)


def test_what_is_over_is_put_on_record_by_the_job(ann, eve, trail):
    lend(ann)
    begin = {"starts_at": now() - timedelta(days=9), "ends_at": now() - timedelta(days=1)}
    arrange(lambda s: s.execute(sa.update(Delegation).values(**begin)))
    assert not may(eve)
    assert [row.state for row in mine(ann)] == ["ended"]
    with acting_as(system_actor("jobs")):
        assert read(delegations.any_ended)
        assert transact(delegations.end_delegations) == 1
        assert not read(delegations.any_ended)
    (change,) = trail.changes()
    assert (change.table, set(change.before)) == ("delegation", {"revoked_at"})
    assert [(row.state, row.revocable) for row in mine(ann)] == [("ended", False)]


def test_colleagues_are_suggested_only_to_who_has_something_to_lend(ann, eve, nancy):
    person("gone", "manager", enabled=False)
    with acting_as(ann):
        assert read(delegations.deputies) == [("eve", "Eve"), ("nancy", "Nancy")]
        assert read(delegations.deputies, search="NAN") == [("nancy", "Nancy")]
        assert read(delegations.deputies, search="%") == []
        assert read(delegations.deputies, search="\0") == []
    with acting_as(eve):
        assert read(delegations.deputies) == []


def test_who_looks_after_people_sees_all_that_is_lent(ann, eve, ada):
    lend(ann)
    with acting_as(ada):
        assert [(row.absent, row.deputy) for row in read(delegations.everybodys_delegations)] == [("Ann", "Eve")]
    with acting_as(ann), pytest.raises(NotAllowed):
        read(delegations.everybodys_delegations)


def test_machines_lend_nothing(database):
    person("eve", "employee")
    with pytest.raises(NotAllowed, match="This needs a person"):
        lend(system_actor("night"))
