"""One transaction per operation: the only place that opens `rx.session()` and commits.

`in_transaction` is what handlers await; `transact` is the same for code that is already on a
thread (command line, HTTP routes, tests). Both need an actor in force (`audit_context()`).
"""

import asyncio
import contextvars
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from threading import Lock
from typing import Any, Generic, TypeVar, cast

import reflex as rx
import structlog
from reflex.model import get_engine
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlmodel import Session

from inventory_app.context import (
    Actor,
    current_actor,
    failed_in_operation,
    generate_operation_id,
    operation_in_progress,
)
from inventory_app.database import engine
from inventory_app.database.errors import LOCK_TIMEOUT, RETRIABLE, app_error, refused_name, sqlstate
from inventory_app.errors import AppError, DatabaseUnavailable, Denied
from inventory_app.operations import _attempts
from inventory_app.operations._operation import Operation, Run, Spec, record_refusal
from inventory_app.operations._remembered import forget
from inventory_app.settings import get_settings

log = structlog.get_logger(__name__)
Result = TypeVar("Result")

_ATTEMPTS = 5
_FIRST_PAUSE = 0.01


@lru_cache(maxsize=1)
def database_threads() -> ThreadPoolExecutor:
    """Return the threads transactions run on: as many as the pool has connections."""
    return ThreadPoolExecutor(get_settings().db_threads, thread_name_prefix="database")


def open_session() -> Session:
    """Open a Reflex session on an engine whose connections carry our time-outs."""
    engine.size_pool(get_settings())
    engine.prepare(get_engine())
    return rx.session()


async def in_thread(function: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Result:
    """Run blocking database work on its own thread, with the caller's context variables."""
    call = partial(contextvars.copy_context().run, partial(function, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(database_threads(), call)


async def in_transaction(
    operation: Operation[..., Result], /, *, idempotency_key: str | None = None, **arguments: Any
) -> Result:
    """Run `operation` in one transaction on a database thread and return its result after commit."""
    # The type of the result is lost on the way through the thread.
    return cast("Result", await in_thread(transact, operation, idempotency_key=idempotency_key, **arguments))


async def fetch(query: Operation[..., Result], /, **arguments: Any) -> Result:
    """Run a `@query` in a read-only transaction on a database thread."""
    return cast("Result", await in_thread(read, query, **arguments))


async def write_unaudited(function: Callable[..., None], /, **arguments: Any) -> None:
    """Run `function(session, ...)` on unaudited tables only: activity and counters."""
    await in_thread(_write, partial(function, **arguments))


def _write(function: Callable[[Session], None]) -> None:
    """Run and commit what may be done twice; a dead pooled connection is replaced."""
    for attempt in range(_ATTEMPTS):
        try:
            with open_session() as session:
                function(session)
                session.commit()
        except IntegrityError:
            raise
        except DBAPIError as error:
            if not (error.connection_invalidated and attempt < _ATTEMPTS - 1):
                raise app_error(error) or error from error
            _pause(attempt)
        else:
            return


def read(query: Operation[..., Result], /, **arguments: Any) -> Result:
    """Run a `@query` in a read-only transaction on this thread."""
    current_actor()
    for attempt in range(_ATTEMPTS):
        try:
            with open_session() as session:
                return query(session, **arguments)
        except DBAPIError as error:
            if not (error.connection_invalidated and attempt < _ATTEMPTS - 1):
                raise app_error(error) or error from error
            _pause(attempt)
    raise DatabaseUnavailable


def transact(operation: Operation[..., Result], /, *, idempotency_key: str | None = None, **arguments: Any) -> Result:
    """Run `operation` in one transaction on this thread and return its result after commit.

    A deadlock, a serialisation failure or a dead pooled connection is tried again with the same
    operation id; a refusal is recorded in a second transaction and raised on.
    """
    current_actor()
    spec = operation.spec
    run = Run(generate_operation_id(), idempotency_key)
    with operation_in_progress(spec.name, run.operation_id):
        log.info("operation_started", **spec.loggable(arguments))
        try:
            outcome = _attempt(operation, run, arguments)
        except Exception as error:
            failed_in_operation(error)
            _fail(spec, run, error, arguments)
            raise
        if not outcome.replayed:
            forget()
        # One success line per commit; an answer given a second time committed nothing.
        # A refused sign-in commits too, and must not read as one that succeeded.
        log.info("operation_replayed" if outcome.replayed else f"operation_{spec.outcome}", **spec.loggable(arguments))
        for callback in outcome.callbacks:
            callback()
    return outcome.result


@dataclass(frozen=True, slots=True)
class _Outcome(Generic[Result]):
    result: Result
    replayed: bool
    callbacks: list[Callable[[], None]]


def _attempt(operation: Operation[..., Result], run: Run, arguments: dict[str, Any]) -> _Outcome[Result]:
    """Run and commit, again when the database says that another try may succeed."""
    for attempt in range(_ATTEMPTS):
        done: _Outcome[Result] | None = None
        try:
            with open_session() as session:
                session.info["run"] = run
                result = operation(session, **arguments)
                info = session.info
                done = _Outcome(result, info.get("replayed", False), info.get("on_commit", []))
                session.commit()
        except DBAPIError as error:
            if done and error.connection_invalidated:
                if _committed_after_all(operation.spec, run, error, operation.spec.reason_in(arguments)):
                    return done
                raise DatabaseUnavailable from error
            again = error.connection_invalidated or sqlstate(error) in RETRIABLE
            if not again or attempt == _ATTEMPTS - 1:
                raise app_error(error) or error from error
            log.warning("operation_retried", error_type=refused_name(error), attempt=attempt + 1)
            _pause(attempt)
        else:
            return done
    raise DatabaseUnavailable


def _pause(attempt: int) -> None:
    # Jitter, so that the two sides of a deadlock do not meet again.
    time.sleep(random.uniform(0.5, 1.5) * _FIRST_PAUSE * 2**attempt)  # noqa: S311  # no secret


def _committed_after_all(spec: Spec, run: Run, error: DBAPIError, reason: str | None) -> bool:
    """Find out whether the operation whose answer was lost did commit.

    Writing its failure under the same id waits for the first transaction, should it still be
    running, and then is refused exactly if that one committed.
    """
    # Long enough for a database that is started again.
    for attempt in range(_ATTEMPTS + 5):
        try:
            with open_session() as session:
                session.info["run"] = run
                record_refusal(session, spec.name, DatabaseUnavailable(), reason=reason)
                session.commit()
        except IntegrityError:
            log.warning("operation_found_committed")
            return True
        except DBAPIError as again:
            # Still waiting for the first transaction is no answer either.
            if not again.connection_invalidated and sqlstate(again) not in (None, LOCK_TIMEOUT):
                raise
            _pause(attempt)
        else:
            return False
    log.critical("operation_outcome_unknown", error_type=refused_name(error))
    message = "The database went away while saving. Look in the audit trail before you repeat this."
    raise DatabaseUnavailable(message) from error


def _fail(spec: Spec, run: Run, error: Exception, arguments: dict[str, Any]) -> None:
    """Log the refusal at its level and record it in the trail, in a transaction of its own."""
    if isinstance(error, AppError):
        level, details = error.log_level, {"sentence": str(error)}
    elif isinstance(error, SQLAlchemyError):
        level, details = "error", {"database": refused_name(error)}
    else:
        level, details = "error", {}
    getattr(log, level)("operation_failed", error_type=type(error).__name__, **details, **spec.loggable(arguments))
    attempts = _refused.due(current_actor(), spec.name) if isinstance(error, Denied) else 1
    if not attempts:
        return
    reason, asked = spec.reason_in(arguments), spec.loggable(arguments)
    _record(run, spec.name, error, reason=reason, asked=asked, attempts=attempts)


def _record(run: Run, name: str, error: Exception, **about: Any) -> None:
    """Put a refusal on record in a transaction of its own."""

    def record(session: Session) -> None:
        session.info["run"] = run
        record_refusal(session, name, error, **about)

    try:
        _write(record)
    except IntegrityError:
        # On record under this id already: finding out whether the commit arrived has written it.
        return
    except (SQLAlchemyError, AppError) as unrecorded:
        # The person still gets the refusal; that the trail misses it must be seen by somebody.
        kind = refused_name(unrecorded) if isinstance(unrecorded, SQLAlchemyError) else type(unrecorded).__name__
        log.critical("refusal_not_recorded", refused=name, error_type=kind)


class _Refused:
    """How often somebody was denied something lately; a person is one, whatever their address and device.

    The first denials of a minute are on record one by one, more of them only as a count with the next one:
    nobody must be able to fill a table that nobody may empty.
    """

    def __init__(self, each: int, seconds: float) -> None:
        self._each, self._seconds = each, seconds
        self._lock = Lock()
        self._seen: dict[tuple[str, str], tuple[float, int, int]] = {}

    def due(self, actor: Actor, name: str) -> int:
        """Return how many attempts the record of this one stands for; 0: none is written now."""
        key, now = (_attempts.counted_as(actor), name), time.monotonic()
        with self._lock:
            since, written, left_out = self._seen.get(key, (now, 0, 0))
            if now - since > self._seconds:
                since, written = now, 0
            if written >= self._each:
                self._seen[key] = (since, written, left_out + 1)
                return 0
            if len(self._seen) > _MOST_REFUSED:
                self._seen.clear()
            self._seen[key] = (since, written + 1, 0)
            return left_out + 1


_MOST_REFUSED = 10_000
_refused = _Refused(each=20, seconds=60.0)


def deny(name: str, error: AppError) -> None:
    """Put a refusal outside every operation on record, as a count when there are many."""
    if attempts := _refused.due(current_actor(), name):
        record_denial(name, error, attempts)


def record_denial(name: str, error: AppError, attempts: int) -> None:
    """Put attempts that were refused before any operation began on record."""
    _record(Run(generate_operation_id()), name, error, attempts=attempts)


def answers() -> bool:
    """Tell whether the database answers the application now."""
    try:
        _write(lambda session: session.connection().exec_driver_sql("SELECT 1").close())
    except (SQLAlchemyError, AppError):
        return False
    return True
