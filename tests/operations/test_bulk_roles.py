"""The roles of many people at once: shown first, then all of it or nothing."""

import pytest
import sqlalchemy as sa
from reflex.model import get_engine
from sqlmodel import select

from inventory_app.context import acting_as
from inventory_app.errors import Invalid, InvalidRows
from inventory_app.models.users import UserInfo
from inventory_app.operations import bulk_roles
from inventory_app.operations.bulk_roles import MOST_PEOPLE
from inventory_app.unit_of_work import read, transact
from tests.factories import arrange, person, role


def roles_of(actor) -> list[str]:
    return arrange(lambda s: s.exec(select(UserInfo).where(UserInfo.user_id == actor.id)).one().get_roles())


@pytest.fixture
def staff(database):
    return [person("bea", "employee"), person("cem", "employee", "accountant"), person("dan")]


def change(people, mode, *roles, version=1):
    chosen = [(one.id, version) for one in people]
    return transact(bulk_roles.change_roles, people=chosen, mode=mode, roles=list(roles))


@pytest.mark.parametrize(
    ("mode", "roles", "expected", "changed"),
    [
        ("add", ["auditor"], [["auditor", "employee"], ["accountant", "auditor", "employee"], ["auditor"]], 3),
        ("remove", ["employee"], [[], ["accountant"], []], 2),
        ("replace", ["employee"], [["employee"], ["employee"], ["employee"]], 2),
        ("replace", [], [[], [], []], 2),
    ],
)
def test_what_is_shown_is_what_happens(ada, staff, mode, roles, expected, changed):
    with acting_as(ada):
        shown = read(bulk_roles.preview_roles, user_ids=[one.id for one in staff], mode=mode, roles=roles)
        assert [one.after for one in shown] == expected
        assert sum(one.changes for one in shown) == changed
        assert change(staff, mode, *roles) == changed
    assert [roles_of(one) for one in staff] == expected


def test_all_or_nothing_and_every_fault_is_named(ada, staff):
    with acting_as(ada):
        with pytest.raises(InvalidRows) as refused:
            change([*staff, ada], "add", "manager", version=2)
        faults = {name: sentence for _, name, sentence in refused.value.rows}
        assert faults.keys() == {"Bea", "Cem", "Dan", "Ada"}
        assert "your own roles" in faults["Ada"]
        assert "changed this in the meantime" in faults["Bea"]
    assert [roles_of(one) for one in staff] == [["employee"], ["accountant", "employee"], []]


def test_the_preview_says_why_not_in_the_words_of_the_refusal(ada, staff):
    with acting_as(ada):
        shown = read(bulk_roles.preview_roles, user_ids=[ada.id, staff[0].id], mode="add", roles=["manager"])
        assert [bool(one.why_not) for one in shown] == [True, False]
        with pytest.raises(InvalidRows) as refused:
            change([ada], "add", "manager")
    assert refused.value.rows[0][2] == shown[0].why_not


def test_a_preview_costs_the_same_statements_however_many_people_it_is_about(ada, staff):
    everybody = [*staff, *(person(f"number{n}", role) for n, role in enumerate(("manager", "auditor", "admin")))]
    role("keeper", "users:view", "inventory:adjust")

    def cost(people):
        sent = []
        listener = (get_engine(), "before_cursor_execute", lambda *args: sent.append(args[2]))
        sa.event.listen(*listener)
        try:
            with acting_as(ada):
                ids = [one.id for one in people]
                shown = read(bulk_roles.preview_roles, user_ids=ids, mode="add", roles=["keeper", "auditor"])
        finally:
            sa.event.remove(*listener)
        assert len(shown) == len(people)
        return len(sent)

    assert cost(everybody) == cost(staff[:1]) <= 8


def test_the_preview_says_what_neither_person_nor_roles_allow(database):
    """Somebody who may give roles, and neither touch who holds more nor give more than they hold."""
    role("desk", "users:view", "users:assign_roles")
    role("viewer", "users:view")
    role("keeper", "users:view", "inventory:adjust")
    clerk, bea, boss = person("clerk", "desk"), person("bea"), person("boss", "manager")
    with acting_as(clerk):
        shown = read(bulk_roles.preview_roles, user_ids=[bea.id, boss.id], mode="add", roles=["viewer"])
        assert [bool(one.why_not) for one in shown] == [False, True]
        (beyond,) = read(bulk_roles.preview_roles, user_ids=[bea.id], mode="add", roles=["keeper", "viewer"])
        with pytest.raises(InvalidRows) as refused:
            change([bea], "add", "keeper", "viewer")
    assert refused.value.rows[0][2] == beyond.why_not


def test_a_person_who_is_gone_is_a_fault_like_any_other(ada, staff):
    with acting_as(ada), pytest.raises(InvalidRows, match="Nothing was changed"):
        transact(bulk_roles.change_roles, people=[(staff[0].id, 1), (4711, 1)], mode="add", roles=["auditor"])
    assert roles_of(staff[0]) == ["employee"]


@pytest.mark.parametrize(
    ("ids", "mode", "roles", "sentence"),
    [
        ([], "add", ["auditor"], "Select the people first"),
        ([1, 1], "add", ["auditor"], "selected twice"),
        (list(range(MOST_PEOPLE + 1)), "add", ["auditor"], "at most 500"),
        ([1], "remove", [], "check the marked fields"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything(ada, ids, mode, roles, sentence):
    with acting_as(ada):
        with pytest.raises(Invalid, match=sentence):
            read(bulk_roles.preview_roles, user_ids=ids, mode=mode, roles=roles)
        with pytest.raises(Invalid, match=sentence):
            transact(bulk_roles.change_roles, people=[(i, 1) for i in ids], mode=mode, roles=roles)


def test_changing_nothing_is_said(ada, staff):
    with acting_as(ada), pytest.raises(Invalid, match="nothing to change"):
        change([staff[0]], "add", "employee")
