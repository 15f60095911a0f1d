"""One transaction per operation: tried again when that can help, found out when the answer was lost."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import DBAPIError

from inventory_app.context import Actor, acting_as, current_actor, generate_operation_id, log_context
from inventory_app.errors import Conflict, KeyReused, NotAllowed
from inventory_app.unit_of_work import fetch, in_thread, in_transaction, transact, write_unaudited
from tests.factories import anonymous, location, person
from tests.fixtures.seeing import wait_until_blocked
from tests.operations import trial

OUTCOMES = ("operation_succeeded", "operation_failed", "operation_replayed")


@pytest.fixture(autouse=True)
def no_mails():
    trial.mails.clear()


def events(lines, *names):
    return [line for line in lines if line["event"] in (names or OUTCOMES)]


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
    from inventory_app.operations._session_life import touch_session

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
    assert {c.after.get("code") for c in trail.changes("*", "location")} >= {f"L{n}" for n in range(200)}


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
