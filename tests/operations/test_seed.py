"""The two tests of the specification (section 7), as written there but for an acting person.

What they ask of the log, ours says in one pair of lines per operation, and the trail says the rest.
"""

import threading

import pytest
import reflex as rx
from sqlmodel import select

from inventory_app.context import acting_as
from inventory_app.models.users import LocalUser, UserInfo
from inventory_app.operations.users import register
from inventory_app.unit_of_work import open_session, transact
from tests.factories import arrange, person
from tests.fixtures.seeing import Side, after, locks_waited_for, wait_until_blocked
from tests.operations import trial


def test_user_registration_with_audit(database, stranger, trail):
    with acting_as(stranger), open_session() as session:
        # Execute
        registered = register(
            session,
            username="testuser",
            full_name="Test User",
            email="test@example.com",
            password="password123",
        )

        # Verify database state
        user = session.exec(select(LocalUser).where(LocalUser.username == "testuser")).one()
        user_info = session.exec(select(UserInfo).where(UserInfo.user_id == user.id)).one()

        assert "employee" in user_info.get_roles()
        assert registered.user_id == user.id
        session.commit()

    # Verify audit
    assert (trail.last().name, trail.last().actor_kind) == ("users.register", "anonymous")
    assert [(c.table, c.kind) for c in trail.changes()] == [
        ("local_user", "insert"),
        ("user_info", "insert"),
        ("user_role", "insert"),
    ]


def test_user_registration_is_logged(stranger, log_lines):
    with acting_as(stranger):
        transact(register, username="testuser", full_name="Test User", email="test@example.com", password="password123")
    lines = [(line["event"], line.get("username")) for line in log_lines if line["log_level"] == "info"]
    assert lines == [("operation_started", "testuser"), ("operation_succeeded", "testuser")]
    assert "password123" not in str(log_lines)
    assert "test@example.com" not in str(log_lines)


@pytest.fixture
def user_info_id(database) -> int:
    actor = person("testuser", "employee")
    return arrange(lambda session: session.exec(select(UserInfo.id).where(UserInfo.user_id == actor.id)).one())


def roles_of(user_info_id: int) -> list[str]:
    with rx.session() as session:
        return session.get_one(UserInfo, user_info_id).get_roles()


def test_concurrent_role_change(ada, user_info_id):
    """Test race condition handling in role changes."""
    failures: list[BaseException] = []

    def change_role_worker(role_name: str) -> None:
        try:
            with acting_as(ada), rx.session() as worker_session:
                trial.anybody_signed_in(worker_session)  # opens the record: the database refuses the change otherwise
                user = worker_session.exec(select(UserInfo).filter_by(id=user_info_id).with_for_update()).one()
                user.set_roles([role_name], worker_session)
                worker_session.commit()
        except BaseException as error:  # noqa: BLE001  # a thread's own would be lost
            failures.append(error)

    # Simulate concurrent access
    threads = [
        threading.Thread(target=change_role_worker, args=("admin",)),
        threading.Thread(target=change_role_worker, args=("manager",)),
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # Verify final state is consistent
    assert failures == []
    final_roles = roles_of(user_info_id)
    assert len(final_roles) == 1  # Should have exactly one role


def test_of_two_role_changes_the_second_waits_for_the_first(ada, user_info_id, observer, trail):
    """The same with the lock seen, so that the order is known and the result too."""

    def change(role_name: str):
        def run() -> None:
            with acting_as(ada), rx.session() as session:
                trial.anybody_signed_in(session)
                user = session.exec(select(UserInfo).filter_by(id=user_info_id).with_for_update()).one()
                user.set_roles([role_name], session, ada)
                session.commit()

        return run

    with Side(change("admin"), until=after("FOR UPDATE")) as one:
        holder = one.reaches_its_point()
        with Side(change("manager")) as other:
            waiting = wait_until_blocked(observer, by=holder)
            assert locks_waited_for(observer, waiting) == [("transactionid", "ShareLock")]
            one.go_on()
            assert (one.error(), other.error()) == (None, None)
    assert roles_of(user_info_id) == ["manager"]
    first, second = (trail.changes(o.id) for o in trail.operations(name="trial.anybody_signed_in"))
    assert {c.kind for c in first} == {c.kind for c in second} == {"insert", "delete"}
