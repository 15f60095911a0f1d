"""The jobs: one process of many runs them, a failure is on record and tried again, and a stop is orderly."""

import asyncio
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select
from typer.testing import CliRunner

from inventory_app import jobs, staging
from inventory_app.commands.doctor import _jobs
from inventory_app.context import current_actor
from inventory_app.database.locks import RUNNING_JOBS
from inventory_app.database.process_lock import ProcessLock
from inventory_app.jobs import Runner, Work, run_now
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval, Delegation
from inventory_app.models.jobs import Job
from inventory_app.models.users import Permission
from inventory_app.operator_error import OperatorError
from inventory_app.paths import PROJECT
from inventory_app.settings import get_settings
from tests.factories import arrange, person, supplier

_POLLS = 1_000


def on_record(name: str) -> Job:
    def build(session):
        row = session.get_one(Job, name)
        session.expunge(row)
        return row

    return arrange(build)


def work(function) -> Work:
    return Work(function, timedelta(minutes=1))


def lock() -> ProcessLock:
    return ProcessLock(get_settings().app_database_url, RUNNING_JOBS, "inventory jobs")


def test_a_run_is_on_record_and_acts_as_the_system(database):
    seen = []

    def look() -> None:
        seen.append(current_actor().name)

    assert run_now(work(look))
    found = on_record("look")
    assert seen == ["system:jobs"]
    assert found.error_class is None
    assert found.started_at <= found.finished_at


def test_a_failure_is_logged_on_record_shown_by_the_doctor_and_mended_by_the_next_run(database, log_lines):
    failing = [True]

    def tidy() -> None:
        if failing:
            raise ZeroDivisionError

    assert not run_now(work(tidy))
    assert on_record("tidy").error_class == "ZeroDivisionError"
    assert [line["job"] for line in log_lines if line["event"] == "job_failed"] == ["tidy"]
    with pytest.raises(OperatorError, match=r"tidy failed with ZeroDivisionError at .* tried again by itself"):
        _jobs(get_settings())
    failing.clear()
    assert run_now(work(tidy))
    assert on_record("tidy").error_class is None
    assert _jobs(get_settings()).startswith("tidy at ")


def test_the_doctor_says_when_none_has_run(database, empty_database):
    assert _jobs(get_settings()) == "none has run yet"


def test_the_doctor_names_the_jobs(database):
    from inventory_app.cli import app

    run_now(jobs.WORK[0])
    assert "jobs: expire_approvals at " in CliRunner().invoke(app, ["doctor"]).output


# What they do


def test_expired_requests_are_marked_and_nothing_is_written_when_there_are_none(database, trail):
    one, other = supplier("One"), supplier("Other")
    arrange(
        lambda s: s.execute(
            sa.update(Approval).where(col(Approval.subject_id) == one.id).values(expires_at=now() - timedelta(1))
        )
    )
    assert run_now(work(jobs.expire_approvals))
    found = arrange(lambda s: dict(s.execute(sa.select(Approval.subject_id, Approval.status)).all()))
    assert found == {one.id: "expired", other.id: "open"}
    entries = len(trail.operations())
    assert run_now(work(jobs.expire_approvals))
    assert len(trail.operations()) == entries


def test_delegations_that_are_over_are_marked(ann, database, trail):
    eve = person("eve", "employee")

    def build(session):
        permission = session.exec(select(Permission).where(Permission.name == "suppliers:approve")).one()
        times = {"starts_at": now() - timedelta(days=2), "ends_at": now() - timedelta(days=1)}
        session.add(Delegation(from_user_id=ann.id, to_user_id=eve.id, permission_id=permission.id, **times))

    arrange(build)
    assert run_now(work(jobs.end_delegations))
    assert trail.last().name == "delegations.end_delegations"
    entries = len(trail.operations())
    assert run_now(work(jobs.end_delegations))
    assert len(trail.operations()) == entries


def test_files_that_nobody_imported_are_removed(database, monkeypatch, tmp_path, configure):
    import os

    configure(INVENTORY_DATA_DIR=str(tmp_path))
    _, path = staging.new_file()
    assert run_now(work(jobs.forget_files))
    assert path.exists()
    os.utime(path, (0, 0))
    assert run_now(work(jobs.forget_files))
    assert not path.exists()


def test_the_next_months_have_their_partitions(database, observer):
    observer.execute(
        "DO $$ DECLARE t text; BEGIN FOR t IN SELECT c.relname FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid"
        " WHERE c.relkind = 'r' AND c.relname ~ '^audit_change_\\d'"
        " AND c.relname > 'audit_change_' || to_char(now(), 'YYYY_MM')"
        " LOOP EXECUTE format('DROP TABLE audit_part.%I', t); END LOOP; END $$"
    )

    def number() -> int:
        return observer.execute(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_change'::regclass"
        ).fetchone()[0]

    before = number()
    assert run_now(work(jobs.make_partitions))
    assert number() == before + 3


def test_every_job_runs_on_a_new_installation(database):
    for each in jobs.WORK:
        assert run_now(each), each.name
    assert len({each.name for each in jobs.WORK}) == len(jobs.WORK)


# One process of many

_OTHER_PROCESS = """
import asyncio, sys
from datetime import timedelta
from inventory_app.jobs import Runner, Work
ran = []
async def main():
    runner = Runner()
    for line in sys.stdin:
        if line.strip() == "run":
            print(await runner.run(Work(lambda: ran.append(1), timedelta(minutes=1))), len(ran), flush=True)
        else:
            await runner.stop()
            print("stopped", flush=True)
asyncio.run(main())
"""


class OtherProcess:
    """Another process of the application, which runs a job when told to."""

    def __enter__(self):
        import os

        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", _OTHER_PROCESS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            env=environment,
        )
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def tell(self, what: str) -> str:
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        # The log goes to stdout as well.
        return next(line.strip() for line in self.process.stdout if line.startswith(("True", "False", "stopped")))


async def test_of_two_processes_one_runs_the_jobs_until_it_ends(database, observer):
    ran = []
    here = Runner([])
    mine = work(lambda: ran.append(1))
    with OtherProcess() as other:
        assert other.tell("run") == "True 1"
        assert not await here.run(mine)
        assert other.tell("run") == "True 2"
        assert not await here.run(mine)
        assert ran == []
        assert other.tell("stop") == "stopped"
        wait_until_nobody_holds_it(observer)
        assert await here.run(mine)
        assert other.tell("run") == "False 2"
    await here.stop()
    assert ran == [1]


async def test_the_lock_of_a_process_that_was_killed_is_free(database, observer):
    here = Runner([])
    with OtherProcess() as other:
        assert other.tell("run") == "True 1"
        assert not await here.run(work(lambda: None))
    wait_until_nobody_holds_it(observer)
    assert await here.run(work(lambda: None))
    await here.stop()


def wait_until_nobody_holds_it(observer) -> None:
    for _ in range(_POLLS):
        if not holders(observer):
            return
        observer.execute("SELECT pg_sleep(0.01)")
    raise AssertionError("the lock is still held")


def holders(observer) -> list[int]:
    found = observer.execute(
        "SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
        " WHERE l.locktype = 'advisory' AND l.granted AND l.objid = %s AND d.datname = current_database()",
        [RUNNING_JOBS],
    )
    return [pid for (pid,) in found]


def test_a_lost_connection_is_noticed_and_the_lock_taken_again(database, observer, log_lines):
    one = lock()
    assert one.held()
    (holder,) = holders(observer)
    observer.execute("SELECT pg_terminate_backend(%s, 5000)", [holder])
    assert one.held()
    assert [line["event"] for line in log_lines if line["event"].startswith("process_lock")] == [
        "process_lock_taken",
        "process_lock_lost",
        "process_lock_taken",
    ]
    assert holders(observer) != [holder]
    one.release()


def test_whoever_lost_the_lock_to_another_runs_nothing(database, observer):
    one, other = lock(), lock()
    assert one.held()
    assert not other.held()
    observer.execute("SELECT pg_terminate_backend(%s, 5000)", holders(observer))
    assert other.held()
    assert not one.held()
    other.release()
    assert one.held()
    one.release()
    wait_until_nobody_holds_it(observer)


def test_a_lock_that_was_given_back_behind_our_back_is_not_held(database, observer):
    """As a connection pooler between us and the server may do."""
    one = lock()
    assert one.held()
    one._connection.execute("SELECT pg_advisory_unlock_all()")
    with database.as_app() as somebody:
        assert somebody.execute("SELECT pg_try_advisory_lock(%s)", [RUNNING_JOBS]).fetchone() == (True,)
        assert not one.held()
    one.release()


async def test_without_a_database_nothing_runs_and_nothing_breaks(configure, log_lines):
    configure(DATABASE_URL="postgresql://inventory_app@/none?host=/nonexistent")
    runner = Runner([])
    ran = []
    await runner._tick(work(lambda: ran.append(1)))
    await runner.stop()
    assert ran == []
    assert "process_lock_unreachable" in [line["event"] for line in log_lines]


async def test_a_run_that_cannot_even_be_noted_is_said_and_does_not_stop_the_others(database, observer, log_lines):
    with database.as_owner() as owner:
        owner.execute("DROP TABLE job")
    runner = Runner([])
    await runner._tick(work(lambda: None))
    await runner.stop()
    assert [line["job"] for line in log_lines if line["event"] == "job_not_run"] == ["<lambda>"]


# Starting and stopping


async def test_every_job_is_scheduled_once_and_what_concerns_one_process_too(database):
    async def here() -> None:
        pass

    async with jobs.running(("here", timedelta(minutes=1), here)) as runner:
        assert {job.id for job in runner._scheduler.get_jobs()} == {each.name for each in jobs.WORK} | {"here"}
        assert {(job.coalesce, job.max_instances) for job in runner._scheduler.get_jobs()} == {(True, 1)}
    assert not runner._scheduler.running


async def test_a_stop_lets_the_running_job_end_and_gives_the_lock_back(database, observer):
    begun, may_end, ended = threading.Event(), threading.Event(), []

    def long_job() -> None:
        begun.set()
        may_end.wait(20)
        ended.append(1)

    runner = Runner([])
    running = asyncio.create_task(runner.run(work(long_job)))
    await asyncio.to_thread(begun.wait, 20)
    stopping = asyncio.create_task(runner.stop())
    may_end.set()
    await stopping
    assert ended == [1]
    assert await running
    wait_until_nobody_holds_it(observer)


async def test_a_stop_does_not_wait_for_a_job_without_end(database, observer, monkeypatch, log_lines):
    monkeypatch.setattr(jobs, "_STOP_SECONDS", 0.05)
    begun, may_end = threading.Event(), threading.Event()

    def endless() -> None:
        begun.set()
        may_end.wait(20)

    runner = Runner([])
    running = asyncio.create_task(runner.run(work(endless)))
    await asyncio.to_thread(begun.wait, 20)
    await runner.stop()
    assert "job_cut_short" in [line["event"] for line in log_lines]
    may_end.set()
    await running
