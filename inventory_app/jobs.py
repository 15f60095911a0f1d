"""The work nobody asks for: what has expired, what is forgotten, what is made ready ahead.

Every process schedules the jobs (APScheduler); the one that holds the advisory lock in the database runs them. A job
that fails is logged and on record in the table `job` (`inventory doctor` shows it), and runs again at its next time.
Should the lock get lost in the middle of a run, two processes may run one job at once: each is safe then, because it
changes only what still has to be changed, under row locks.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from inventory_app import importing, mail, people, staging
from inventory_app.context import acting_as, system_actor
from inventory_app.database.errors import LOCK_TIMEOUT, sqlstate
from inventory_app.database.locks import RUNNING_JOBS
from inventory_app.database.process_lock import ProcessLock
from inventory_app.models._base import now
from inventory_app.models.jobs import Job
from inventory_app.operations import approvals, as_of, books, delegations, pricing, sessions, supplier_standing
from inventory_app.settings import get_settings
from inventory_app.unit_of_work import in_thread, open_session, read, transact

log = structlog.get_logger(__name__)

#: How long a stop waits for the job that is running.
_STOP_SECONDS = 5
_FIRST_AFTER = timedelta(seconds=5)


def expire_approvals() -> None:
    """Mark requests whose time to decide is over; writes nothing when there are none."""
    if read(approvals.any_expired):
        transact(approvals.expire_approvals)


def end_delegations() -> None:
    """Put on record that delegations have ended; they stopped to count by themselves."""
    if read(delegations.any_ended):
        transact(delegations.end_delegations)
        people.forget_everybody()


def apply_planned_prices() -> None:
    """Bring prices into force whose day has come, as `system:pricing`; writes nothing when there are none."""
    with acting_as(system_actor("pricing")):
        while read(pricing.any_price_due):
            transact(pricing.apply_planned_prices)


def remind_of_suppliers() -> None:
    """Say once that approvals or documents of suppliers end: on the dashboard, and by mail where there is a server."""
    while read(supplier_standing.any_to_remind):
        reminder = transact(supplier_standing.remind)
        if not mail.is_configured():
            continue
        subject, text = _ends(reminder)
        failure: mail.NotSent | None = None
        for address in reminder.addresses:
            try:
                mail.send(address, subject, text)
            except mail.NotSent as error:
                # The others are still told; the run counts as failed, and the dashboard says it to everybody.
                failure = error
        if failure is not None:
            raise failure


def _ends(reminder: supplier_standing.Reminder) -> tuple[str, str]:
    """Return subject and text of the mail that says what ends, and what to do about it."""
    parts = [
        ("approvals", reminder.suppliers, "Ask for them to be approved again."),
        ("documents", reminder.documents, "Ask for new ones, and add them on the page of the supplier."),
    ]
    said = [(what, ends, then) for what, ends, then in parts if ends]
    subject = " and ".join(what for what, _, _ in said).capitalize() + " of suppliers end"
    texts = ["\n".join([*(f"{name}: {on}" for name, on in ends), "", then]) for _, ends, then in said]
    return subject, "\n\n".join(texts) + "\n"


def forget_old_attempts() -> None:
    """Drop counters and remembered answers that can no longer matter."""
    with open_session() as session:
        sessions.forget_old_attempts(session)
        session.commit()


def forget_files() -> None:
    """Remove files that were sent to be imported and waited too long."""
    staging.forget_old()


def forget_imported_rows() -> None:
    """Drop what was staged of files that can no more be taken back."""
    importing.forget_old_rows()


def make_partitions() -> None:
    """Create the trail's partitions of the next months."""
    with open_session() as session:
        session.connection().exec_driver_sql("SELECT audit_ensure_partitions(3)")
        session.commit()


def sum_days() -> None:
    """Close the parts of the ledger that are full or of a day that is over: what was, is read from their sums."""
    with open_session() as session:
        if not as_of.anything_to_close(session):
            return
    try:
        # In a transaction of its own: whoever wants to book waits for it.
        with open_session() as session:
            as_of.fix_horizon(session)
            session.commit()
    except DBAPIError as error:
        if sqlstate(error) != LOCK_TIMEOUT:
            raise
        # Somebody books for long, an import say. Nothing is wrong without the sums, only slower: next time.
        log.info("ledger_busy")
        return
    while _close_part():
        pass


def _close_part() -> int:
    with open_session() as session:
        closed = as_of.close_part(session)
        session.commit()
        return closed


def check_books() -> None:
    """Check the books once a day, and go on with a check that somebody has left in the middle."""
    with open_session() as session:
        if not books.is_due(session):
            return
    check_id = transact(books.begin_check)
    while check_next(check_id):
        pass


def check_next(check_id: int) -> bool:
    """Check the next part of the books and put down what was found; tells whether there is more to check."""
    number, found = read(books.check_part, check_id=check_id)
    with open_session() as session:
        books.note_part(session, check_id=check_id, number=number, found=found)
        session.commit()
    return not read(books.last_check).finished_at


@dataclass(frozen=True, slots=True)
class Work:
    """A job: its name in the table `job`, what it does on a database thread, and how often."""

    run: Callable[[], None]
    every: timedelta

    @property
    def name(self) -> str:
        """Name it after its function."""
        return self.run.__name__


WORK: tuple[Work, ...] = (
    Work(expire_approvals, timedelta(minutes=1)),
    Work(end_delegations, timedelta(minutes=1)),
    Work(apply_planned_prices, timedelta(minutes=1)),
    Work(remind_of_suppliers, timedelta(hours=1)),
    Work(forget_old_attempts, timedelta(minutes=10)),
    Work(forget_files, timedelta(minutes=10)),
    Work(forget_imported_rows, timedelta(hours=6)),
    Work(make_partitions, timedelta(hours=6)),
    Work(sum_days, timedelta(minutes=5)),
    Work(check_books, timedelta(minutes=10)),
)


def run_now(work: Work) -> bool:
    """Run one job on this thread as `system:jobs`; tells whether it went well, and puts that on record."""
    _note(work.name, started_at=now(), finished_at=None)
    error_class = None
    try:
        with acting_as(system_actor("jobs")):
            work.run()
    except Exception as error:  # whatever it is: on record, in the log, and tried again next time
        error_class = type(error).__name__
        log.exception("job_failed", job=work.name, error_type=error_class)
    _note(work.name, finished_at=now(), error_class=error_class)
    return error_class is None


def _note(name: str, **values: object) -> None:
    statement = (
        insert(Job).values(name=name, started_at=now()).on_conflict_do_update(index_elements=["name"], set_=values)
    )
    with open_session() as session:
        session.execute(statement)
        session.commit()


class Runner:
    """The jobs of one process: scheduled here, run where the lock is."""

    def __init__(self, works: Sequence[Work] = WORK) -> None:
        """Prepare; `start` begins."""
        self._works = works
        self._lock = ProcessLock(get_settings().app_database_url, RUNNING_JOBS, "inventory jobs")
        self._busy = asyncio.Lock()
        self._stopped = False
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        # What it says beyond warnings is about every single run.
        logging.getLogger("apscheduler").setLevel(logging.WARNING)

    def start(self) -> None:
        """Begin to run what is due, every job for the first time a moment from now."""
        for work in self._works:
            self._schedule(work.name, work.every, self._tick, work)
        self._scheduler.start()

    def also(self, name: str, every: timedelta, run: Callable[[], Awaitable[None]]) -> None:
        """Schedule what concerns this process alone and so needs no lock."""
        self._schedule(name, every, run)

    def _schedule(self, name: str, every: timedelta, run: Callable[..., Awaitable[object]], *arguments: object) -> None:
        self._scheduler.add_job(
            run,
            IntervalTrigger(seconds=int(every.total_seconds()), timezone=UTC),
            args=arguments,
            id=name,
            next_run_time=datetime.now(UTC) + _FIRST_AFTER,
            # A run that was missed is made up once, and never beside itself.
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )

    async def _tick(self, work: Work) -> None:
        try:
            await self.run(work)
        except Exception as error:  # the database is away: said here, tried again at the next time
            log.exception("job_not_run", job=work.name, error_type=type(error).__name__)

    async def run(self, work: Work) -> bool:
        """Run a job if the lock is ours; tells whether this process ran it."""
        async with self._busy:
            if self._stopped or not await in_thread(self._lock.held):
                return False
            await in_thread(run_now, work)
            return True

    async def stop(self) -> None:
        """Start nothing more, let the job that runs come to its end for a moment, give the lock back."""
        self._stopped = True
        if self._scheduler.running:
            self._scheduler.pause()
        try:
            async with asyncio.timeout(_STOP_SECONDS), self._busy:
                pass
        except TimeoutError:
            # What it has not committed is rolled back, and done again by the next process.
            log.warning("job_cut_short")
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        await in_thread(self._lock.release)


@asynccontextmanager
async def running(*also: tuple[str, timedelta, Callable[[], Awaitable[None]]]) -> AsyncIterator[Runner]:
    """Run the jobs for the block."""
    runner = Runner()
    for each in also:
        runner.also(*each)
    runner.start()
    try:
        yield runner
    finally:
        await runner.stop()
