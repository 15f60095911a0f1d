"""One transaction per operation: tried again when that can help, found out when the answer was lost."""

import asyncio
import os
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from reflex.model import get_engine
from sqlalchemy.exc import DBAPIError

from inventory_app.context import Actor, acting_as, current_actor, generate_operation_id, log_context
from inventory_app.database import engine as our_engine
from inventory_app.errors import Busy, Conflict, DatabaseUnavailable, KeyReused, NotAllowed
from inventory_app.unit_of_work import fetch, in_thread, in_transaction, open_session, read, transact, write_unaudited
from tests.factories import anonymous, location, person
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
    observer.execute(f"ALTER ROLE inventory_app IN DATABASE {observer.info.dbname} SET search_path = public")
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


def test_there_is_a_success_line_for_every_commit_and_none_without(ann, bob, trail, log_lines):
    seen = len(trail.operations())
    with acting_as(ann):
        transact(trial.add_location, code="ONE", idempotency_key="k")
        transact(trial.add_location, code="ONE", idempotency_key="k")
        for expected, arguments in (
            (Conflict, {"code": "TWO", "fail": "rule"}),
            (Conflict, {"code": "ONE"}),
            (KeyReused, {"code": "THREE", "idempotency_key": "k"}),
        ):
            with pytest.raises(expected):
                transact(trial.add_location, **arguments)
        with pytest.raises(ZeroDivisionError):
            transact(trial.add_location, code="TWO", fail="fault")
        transact(trial.deactivate, ids=[])
    with acting_as(bob), pytest.raises(NotAllowed):
        transact(trial.add_location, code="FOUR")
    recorded = trail.operations()[seen:]
    for event, outcomes in (("operation_succeeded", {"succeeded"}), ("operation_failed", {"failed", "denied"})):
        logged = sorted(line["operation_id"] for line in events(log_lines, event))
        assert logged == sorted(str(o.id) for o in recorded if o.outcome in outcomes)
    assert len(recorded) == 7


def test_a_refusal_is_logged_at_the_level_of_what_went_wrong_with_the_declared_arguments_only(ann, bob, log_lines):
    with acting_as(ann):
        with pytest.raises(Conflict):
            transact(trial.add_location, code="NEW", why="private", fail="rule")
        with pytest.raises(ZeroDivisionError):
            transact(trial.add_location, code="NEW", fail="fault")
        with pytest.raises(DBAPIError):
            transact(trial.nested)
    with acting_as(bob), pytest.raises(NotAllowed):
        transact(trial.add_location, code="NEW")
    failed = events(log_lines, "operation_failed")
    assert [(line["log_level"], line["error_type"]) for line in failed] == [
        ("warning", "Conflict"),
        ("error", "ZeroDivisionError"),
        ("error", "DatabaseError"),
        ("warning", "NotAllowed"),
    ]
    assert failed[0]["sentence"] == "NEW is not wanted here."
    assert failed[0]["code"] == "NEW"
    assert "AU005" in failed[2]["database"]
    assert "private" not in str(log_lines)
    assert "secret of a library" not in str(log_lines)


def test_every_line_of_an_operation_says_who_and_which(ann, log_lines):
    with acting_as(ann):
        answer = transact(trial.add_location, code="NEW")
    mine = [line for line in log_lines if line.get("operation") == "trial.add_location"]
    assert [line["event"] for line in mine] == ["operation_started", "operation_succeeded"]
    for line in mine:
        assert (line["actor"], line["actor_kind"], line["operation_id"]) == ("ann", "user", answer.by)
        assert (line["client_ip"], line["request_id"]) == (ann.client_ip, ann.request_id)


async def test_work_on_a_thread_is_done_in_the_callers_name(ann, bob, trail):
    with acting_as(ann):
        answer = await in_transaction(trial.add_location, code="NEW", idempotency_key="k")
        assert answer == await in_transaction(trial.add_location, code="NEW", idempotency_key="k")
        assert "NEW" in await fetch(trial.list_codes)
    assert trail.last(name="trial.add_location").actor_name == "ann"
    with acting_as(bob), pytest.raises(NotAllowed):
        await fetch(trial.list_codes)


async def test_the_event_loop_is_free_while_a_transaction_runs(ann, observer, database):
    place = location().id
    with database.as_owner() as holder, acting_as(ann):
        holder.execute("SELECT 1 FROM location WHERE id = %s FOR UPDATE", [place])
        running = asyncio.create_task(in_transaction(trial.deactivate, ids=[place]))
        await asyncio.sleep(0)  # lets the task start; the loop is not blocked by what it waits for
        wait_until_blocked(observer, by=holder.info.backend_pid)
        assert not running.done()
        holder.rollback()
        await running


async def test_counters_are_written_without_an_operation(ann, observer):
    from inventory_app.operations.sessions import touch_session

    await write_unaudited(touch_session, session_id=ann.session_id)
    assert observer.execute("SELECT session_id FROM session_activity").fetchall() == [(ann.session_id,)]


async def test_ten_thousand_interleaved_events_never_act_in_a_wrong_name():
    wrong: list[tuple[str, str]] = []

    def work(expected: str) -> None:
        seen = current_actor().name, str(log_context()["actor"])
        if seen != (expected, expected):
            wrong.append(seen)

    async def event(number: int) -> None:
        name = f"person-{number % 97}"
        with acting_as(Actor(kind="user", name=name)):
            for _ in range(number % 3):
                await asyncio.sleep(0)
            await in_thread(work, name)
            work(name)

    await asyncio.gather(*(event(number) for number in range(10_000)))
    assert wrong == []


def test_people_at_work_at_once_are_each_recorded_under_their_own_name(database, trail):
    people = [person(f"person-{n}", "manager") for n in range(4)]

    def work(number: int) -> tuple[str, str]:
        with acting_as(people[number % 4]):
            return people[number % 4].name, transact(trial.add_location, code=f"L{number}").by

    with ThreadPoolExecutor(4) as pool:
        claimed = dict(reversed(pair) for pair in pool.map(work, range(200)))
    assert {str(o.id): o.actor_name for o in trail.operations(name="trial.add_location")} == claimed
    assert {c.after["code"] for c in trail.changes("*", "location")} >= {f"L{n}" for n in range(200)}


def test_a_scope_inside_a_scope_gives_the_outer_one_back():
    with acting_as(anonymous("192.0.2.1")):
        with acting_as(anonymous("192.0.2.2")):
            assert current_actor().client_ip == "192.0.2.2"
        assert current_actor().client_ip == "192.0.2.1"


def test_operation_ids_are_version_7_unique_and_increasing():
    ids = [generate_operation_id() for _ in range(20_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {(i.version, i.variant) for i in ids} == {(7, "specified in RFC 4122")}
