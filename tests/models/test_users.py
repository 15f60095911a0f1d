"""`UserInfo` and `Role`: replacing roles and permissions in one step, under somebody's name."""

from contextlib import contextmanager

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from inventory_app.context import Unattributed, acting_as, current_actor, system_actor
from inventory_app.database.errors import sqlstate
from inventory_app.models.users import LocalUser, Role, UserInfo, role_names
from inventory_app.unit_of_work import open_session
from tests.factories import arrange, person


@pytest.fixture
def info_id(database) -> int:
    actor = person("bert", "employee")
    return arrange(lambda session: session.exec(select(UserInfo.id).where(UserInfo.user_id == actor.id)).one())


def role(session: Session, name: str) -> Role:
    return session.exec(select(Role).where(Role.name == name)).one()


def test_setting_roles_replaces_them_in_one_step_whatever_their_order(info_id):
    def build(session: Session) -> list[list[str]]:
        info = session.get_one(UserInfo, info_id)
        seen = [info.get_roles()]
        for names in (["manager", "auditor"], ["auditor", "manager", "auditor"], []):
            info.set_roles(names, session)
            seen.append(info.get_roles())
        return seen

    assert arrange(build) == [["employee"], ["auditor", "manager"], ["auditor", "manager"], []]


def test_setting_the_same_roles_again_writes_nothing(info_id, trail):
    arrange(lambda session: session.get_one(UserInfo, info_id).set_roles(["employee"], session))
    assert trail.changes() == []


def test_unknown_roles_are_named_and_nothing_is_changed(info_id):
    def build(session: Session) -> list[str]:
        info = session.get_one(UserInfo, info_id)
        with pytest.raises(ValueError, match="Roles not found: emperor, king"):
            info.set_roles(["manager", "king", "emperor"], session)
        return info.get_roles()

    assert arrange(build) == ["employee"]


def test_unknown_permissions_are_named_and_nothing_is_changed(database, trail):
    def build(session: Session) -> None:
        with pytest.raises(ValueError, match="Permissions not found: fly"):
            role(session, "employee").set_permissions(["inventory:view", "fly"], session)

    arrange(build)
    assert trail.changes() == []


def test_a_person_who_is_not_persisted_has_no_roles_to_set_or_get():
    fresh = UserInfo(user_id=1, email="a@example.com")
    with acting_as(system_actor("test")), Session() as session:
        with pytest.raises(ValueError, match="must be persisted"):
            fresh.set_roles(["employee"], session)
        with pytest.raises(ValueError, match="must be persisted"):
            Role(name="x").set_permissions([], session)
    with pytest.raises(ValueError, match="must be persisted"):
        fresh.get_roles()


def test_roles_are_set_in_somebodys_name_or_not_at_all(info_id):
    with open_session() as session:
        info = session.get_one(UserInfo, info_id)
        with pytest.raises(Unattributed):
            info.set_roles(["manager"], session)
        with pytest.raises(Unattributed):
            role(session, "employee").set_permissions([], session)


def test_the_scope_that_is_given_is_in_force_while_they_are_set(info_id):
    seen = []

    class Scope:
        @contextmanager
        def audit_context(self):
            with acting_as(system_actor("scope")):
                seen.append(current_actor().name)
                yield

    def build(session: Session) -> None:
        session.get_one(UserInfo, info_id).set_roles(["manager"], session, Scope())
        role(session, "employee").set_permissions(["inventory:view"], session, auth_state=Scope())

    arrange(build)
    assert seen == ["system:scope", "system:scope"]


def test_a_scope_alone_is_not_enough_for_the_database(info_id):
    with acting_as(system_actor("test")), open_session() as session, pytest.raises(DBAPIError) as refused:
        session.get_one(UserInfo, info_id).set_roles(["manager"], session)
    assert sqlstate(refused.value) == "AU000"


def test_permissions_come_from_active_roles_only(info_id):
    def build(session: Session) -> tuple:
        info = session.get_one(UserInfo, info_id)
        info.set_roles(["employee", "auditor"], session)
        both = info.get_permissions(session)
        role(session, "auditor").active = False
        session.flush()
        return (
            both,
            info.get_permissions(session),
            info.has_permission("audit:view", session),
            info.has_permission("inventory:view", session),
        )

    both, left, sees_trail, sees_stock = arrange(build)
    assert "audit:view" in both
    assert "audit:view" not in left
    assert (sees_trail, sees_stock) == (False, True)


def test_permissions_of_a_role_are_replaced_and_the_difference_is_recorded(database, trail):
    arrange(lambda session: role(session, "accountant").set_permissions(["prices:view", "audit:view"], session))
    kinds = sorted(c.kind for c in trail.changes())
    assert set(kinds) == {"insert", "delete"}
    assert kinds.count("insert") == 1
    assert {c.table for c in trail.changes()} == {"role_permission"}


def test_the_roles_of_many_people_are_read_at_once(info_id):
    person("carl")
    with open_session() as session:
        ids = list(session.exec(select(UserInfo.id).order_by(UserInfo.id)))
        assert role_names(session, ids) == {info_id: ["employee"], ids[1]: []}
        assert role_names(session, []) == {}


def test_get_roles_asks_the_database_and_no_stale_collection(info_id):
    with open_session() as session:
        info = session.get_one(UserInfo, info_id)
        assert info.get_roles() == ["employee"]
        arrange(lambda other: other.get_one(UserInfo, info_id).set_roles(["auditor"], other))
        assert info.get_roles() == ["auditor"]


def test_the_sort_key_follows_the_name(info_id):
    def build(session: Session) -> tuple[str | None, str | None]:
        info = session.get_one(UserInfo, info_id)
        info.full_name = "Élodie ÖZ"
        session.flush()
        renamed = info.sort_key
        info.version += 1
        session.flush()
        return renamed, info.sort_key

    assert arrange(build) == ("elodie oz", "elodie oz")


def test_hashes_are_not_shown_when_an_account_is_printed():
    assert "LocalUser" in repr(LocalUser(username="x", password_hash="h"))
