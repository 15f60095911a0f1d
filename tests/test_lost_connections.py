"""Deadlocks, dead connections and lost answers: tried again, found out, or said plainly."""

import os
import socket

import pytest
import sqlalchemy as sa
from reflex.model import get_engine
from sqlalchemy.exc import DBAPIError

from inventory_app import unit_of_work
from inventory_app.context import acting_as
from inventory_app.database import engine as our_engine
from inventory_app.database.errors import app_error
from inventory_app.errors import Busy, DatabaseUnavailable
from inventory_app.unit_of_work import open_session, read, transact
from tests.factories import location
from tests.fixtures.seeing import Side, after, before, before_commit, once, wait_until_blocked
from tests.operations import trial

OUTCOMES = ("operation_succeeded", "operation_failed", "operation_replayed")


@pytest.fixture(autouse=True)
def no_mails():
    trial.mails.clear()


def events(lines, *names):
    return [line for line in lines if line["event"] in (names or OUTCOMES)]


def backend(connection: sa.Connection):
    return connection.connection.driver_connection


def end(observer, pid: int) -> None:
    """End a backend and wait until it is gone."""
    observer.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    assert observer.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchall() == []


def test_a_deadlock_is_tried_again_under_the_same_operation_id(ann, observer, trail, log_lines):
    observer.execute(f"ALTER DATABASE {observer.info.dbname} SET deadlock_timeout = '20ms'")
    first, second = location("FIRST").id, location("SECOND").id

    def deactivate(*ids):
        return lambda: transact(trial.deactivate, ids=list(ids))

    point = "UPDATE location SET"
    with acting_as(ann), Side(deactivate(first, second), until=after(point)) as one:
        one.reaches_its_point()
        with Side(deactivate(second, first), until=after(point)) as other:
            holder = other.reaches_its_point()
            one.go_on()
            wait_until_blocked(observer, by=holder)
            other.go_on()
            assert (one.error(), other.error()) == (None, None)
    (retried,) = events(log_lines, "operation_retried")
    assert retried["error_type"] == "OperationalError(40P01)"
    recorded = [str(o.id) for o in trail.operations(name="trial.deactivate")]
    assert len(recorded) == 2
    assert {o.outcome for o in trail.operations(name="trial.deactivate")} == {"succeeded"}
    mine = [line for line in events(log_lines) if line["operation"] == "trial.deactivate"]
    assert sorted(line["operation_id"] for line in mine) == sorted(recorded)
    assert retried["operation_id"] in recorded


def test_what_should_happen_after_the_commit_happens_once_even_if_it_was_tried_again(ann, observer):
    def kill(connection):
        end(observer, backend(connection).info.backend_pid)

    with acting_as(ann), once(before("INSERT INTO location"), kill):
        transact(trial.add_location, code="NEW")
    assert trial.mails == ["NEW"]


def test_a_dead_pooled_connection_is_replaced_without_anybody_noticing(ann, observer, trail, log_lines):
    with acting_as(ann):
        transact(trial.add_location, code="ONE")
        with open_session() as session:
            pid = backend(session.connection()).info.backend_pid
        end(observer, pid)
        transact(trial.add_location, code="TWO")
        with open_session() as session:
            pid = backend(session.connection()).info.backend_pid
        end(observer, pid)
        assert "TWO" in read(trial.list_codes)
    assert {o.outcome for o in trail.operations(name="trial.add_location")} == {"succeeded"}
    assert len(events(log_lines, "operation_retried")) == 1


def test_a_commit_whose_answer_was_lost_is_found_committed(ann, observer, trail, log_lines):
    """The server has committed, and the connection is gone before the application hears of it."""

    def commit_and_die(connection: sa.Connection) -> None:
        driver = backend(connection)
        driver.execute("COMMIT")
        # In a transaction again, else the driver would not send the COMMIT that is to fail.
        driver.execute("SELECT 1")
        end(observer, driver.info.backend_pid)

    with acting_as(ann), once(before_commit(), commit_and_die):
        answer = transact(trial.add_location, code="NEW")
    assert answer.code == "NEW"
    assert trial.mails == ["NEW"]
    (found,) = trail.operations(name="trial.add_location")
    assert (found.outcome, str(found.id)) == ("succeeded", answer.by)
    assert len(events(log_lines, "operation_found_committed")) == 1
    assert [line["event"] for line in events(log_lines)] == ["operation_succeeded"]


def test_a_commit_that_never_arrived_is_found_not_committed_and_recorded_once(ann, observer, trail, log_lines):
    with acting_as(ann), once(before_commit(), lambda c: end(observer, backend(c).info.backend_pid)):
        with pytest.raises(DatabaseUnavailable):
            transact(trial.add_location, code="NEW")
        assert "NEW" not in read(trial.list_codes)
    (found,) = trail.operations(name="trial.add_location")
    assert (found.outcome, found.error_class) == ("failed", "DatabaseUnavailable")
    assert trial.mails == []
    assert [line["event"] for line in events(log_lines)] == ["operation_failed"]
    assert not [line for line in log_lines if line["log_level"] == "critical"]


def _slow_commit(owner) -> None:
    """Make every COMMIT of a location wait for the advisory lock 42."""
    owner.execute(
        "CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; END'"
    )
    owner.execute("GRANT EXECUTE ON FUNCTION wait_at_commit() TO PUBLIC")
    owner.execute(
        "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON location DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION wait_at_commit()"
    )


def _start_of_wait(observer, pid: int):
    return observer.execute(
        "SELECT query_start FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'", [pid]
    ).fetchone()


def test_a_commit_that_is_still_running_when_its_connection_is_lost_is_waited_for(
    ann, database, observer, trail, monkeypatch
):
    """The network breaks during COMMIT: whether it will be done is not known until the server has decided."""
    # Waiting for the first transaction takes longer than a lock may: that is no answer either.
    monkeypatch.setitem(our_engine.SESSION_SETTINGS, "lock_timeout", "100ms")
    get_engine().dispose()
    with database.as_owner() as owner:
        _slow_commit(owner)
    sockets: list[int] = []

    def send():
        def note(connection: sa.Connection) -> None:
            backend(connection).execute("SET lock_timeout = '20s'")
            sockets.append(backend(connection).fileno())

        with once(before_commit(), note):
            return transact(trial.add_location, code="NEW")

    observer.execute("SELECT pg_advisory_lock(42)")
    with acting_as(ann), Side(send) as one:
        committing = wait_until_blocked(observer, by=observer.info.backend_pid)
        with socket.socket(fileno=os.dup(sockets[0])) as cut:
            cut.shutdown(socket.SHUT_RDWR)
        # The failure is to be written under the same id, and waits: once in vain, and again.
        first = _start_of_wait(observer, wait_until_blocked(observer, by=committing))
        while _start_of_wait(observer, wait_until_blocked(observer, by=committing)) in (first, None):
            observer.execute("SELECT pg_sleep(0.01)")
        observer.execute("SELECT pg_advisory_unlock(42)")
        assert one.result().code == "NEW"
    (found,) = trail.operations(name="trial.add_location")
    assert found.outcome == "succeeded"


def test_waiting_for_a_lock_ends_with_a_sentence(ann, database, monkeypatch, trail):
    place = location().id
    monkeypatch.setitem(our_engine.SESSION_SETTINGS, "lock_timeout", "50ms")
    get_engine().dispose()
    with database.as_owner() as holder, acting_as(ann):
        holder.execute("SELECT 1 FROM location WHERE id = %s FOR UPDATE", [place])
        with pytest.raises(Busy):
            transact(trial.deactivate, ids=[place])
    assert (trail.last().outcome, trail.last().error_class) == ("failed", "Busy")


def test_our_connections_carry_their_time_outs(database):
    with open_session() as session:
        for name, value in our_engine.SESSION_SETTINGS.items():
            shown = session.scalar(sa.text(f"SHOW {name}"))
            assert shown.lower() == value.lower(), name


def test_when_the_database_is_gone_the_person_gets_a_sentence_and_the_log_says_the_trail_misses_it(
    ann, observer, log_lines
):
    name = observer.info.dbname
    observer.execute(f"ALTER DATABASE {name} WITH CONNECTION LIMIT 0")
    observer.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND usename = 'inventory_app'",
        [name],
    )
    with acting_as(ann):
        with pytest.raises(DatabaseUnavailable):
            transact(trial.add_location, code="NEW")
        with pytest.raises(DatabaseUnavailable):
            read(trial.list_codes)
    (missed,) = events(log_lines, "refusal_not_recorded")
    assert missed["log_level"] == "critical"
    assert missed["actor"] == "ann"
    assert not unit_of_work.answers()
    observer.execute(f"ALTER DATABASE {name} WITH CONNECTION LIMIT -1")
    with acting_as(ann):
        transact(trial.add_location, code="NEW")
    assert unit_of_work.answers()


def test_when_nobody_can_tell_whether_it_was_saved_the_person_is_told_so(ann, observer, trail, log_lines, monkeypatch):
    """Committed, the answer lost, and then the database out of reach: neither `done` nor `not done` may be said."""
    monkeypatch.setattr(unit_of_work, "_FIRST_PAUSE", 0.0001)
    name = observer.info.dbname

    def commit_and_be_gone(connection: sa.Connection) -> None:
        driver = backend(connection)
        driver.execute("COMMIT")
        driver.execute("SELECT 1")
        observer.execute(f"ALTER DATABASE {name} WITH CONNECTION LIMIT 0")
        end(observer, driver.info.backend_pid)

    with (
        acting_as(ann),
        once(before_commit(), commit_and_be_gone),
        pytest.raises(DatabaseUnavailable, match="Look in the audit trail before you repeat this"),
    ):
        transact(trial.add_location, code="NEW")
    assert events(log_lines, "operation_outcome_unknown")[0]["log_level"] == "critical"
    assert events(log_lines, "operation_succeeded") == []
    observer.execute(f"ALTER DATABASE {name} WITH CONNECTION LIMIT -1")
    assert [o.outcome for o in trail.operations(name="trial.add_location")] == ["succeeded"]


def test_a_lost_connection_is_no_refusal_of_the_person():
    lost = DBAPIError("SELECT 1", {}, OSError(), connection_invalidated=True)
    assert isinstance(app_error(lost), DatabaseUnavailable)
