"""The work on imported files, in the background of one process: reading and checking, applying, undoing.

One file at a time, on a thread of its own and under the name of whoever asked: a page can be left and come back to.
Each step is one transaction: a process that is killed leaves nothing half done, and once its runs have been silent for
half a minute, whoever looks next says so.
"""

import contextlib
import contextvars
import hashlib
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache, partial
from pathlib import Path
from threading import Event, Lock, Thread
from typing import IO

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from inventory_app import staging
from inventory_app.database.errors import app_error
from inventory_app.errors import AppError, Invalid
from inventory_app.operations import _import_files, _import_staging, import_runs, import_views
from inventory_app.operations._import_columns import guessed, known_names
from inventory_app.operations.import_runs import Cancelled, Done, Kind
from inventory_app.unit_of_work import _write, open_session, read, transact

log = structlog.get_logger(__name__)

GONE = f"The file is no longer kept: {staging.MINUTES} minutes have passed. Choose it again."
_BROKEN = "Something went wrong here. Nothing of it was kept; it is in the log for an administrator."
_BEAT_SECONDS = 5
_PIECE = 2**20


class _Work:
    """What this process is working on."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="imports")
        self._runs: set[int] = set()
        self._lock = Lock()
        self._beat = Event()

    def submit(self, run_id: int, work: Callable[[], object]) -> "Future[None]":
        """Do the work on the thread, and say that the run is alive until then."""
        with self._lock:
            self._runs.add(run_id)
            if len(self._runs) == 1:
                self._beat = Event()
                Thread(target=self._beating, args=(self._beat,), name="imports-alive", daemon=True).start()
        context = contextvars.copy_context()
        return self._thread.submit(context.run, self._do, run_id, work)

    def _do(self, run_id: int, work: Callable[[], object]) -> None:
        try:
            work()
        except AppError as error:
            problem = str(error)
            _write(
                partial(import_runs.note_end, run_id=run_id, problem=problem, cancelled=isinstance(error, Cancelled))
            )
        except Exception as error:  # whatever it is: on the run, in the log
            log.exception("import_failed", error_type=type(error).__name__, run_id=run_id)
            _write(partial(import_runs.note_end, run_id=run_id, problem=_BROKEN, cancelled=False))
        finally:
            with self._lock:
                self._runs.discard(run_id)
                if not self._runs:
                    self._beat.set()

    def _beating(self, stop: Event) -> None:
        while not stop.wait(_BEAT_SECONDS):
            with self._lock:
                runs = sorted(self._runs)
            # The next beat may reach the database again.
            with contextlib.suppress(AppError, DBAPIError):
                _write(partial(import_runs.note_alive, run_ids=runs))


@lru_cache(maxsize=1)
def _work() -> _Work:
    return _Work()


def send(kind: Kind, file: IO[bytes], name: str) -> int:
    """Keep a file, look at it and put it on the list; returns its run. What cannot be read is not kept."""
    key, path = staging.new_file()
    try:
        with path.open("wb") as target:
            shutil.copyfileobj(file, target, _PIECE)
        return take(kind, key, name)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def take(kind: Kind, key: str, name: str) -> int:
    """Look at a file that is kept and put it on the list; returns its run. Raises `Invalid`."""
    path = staging.path_of(key)
    if path is None:
        raise Invalid(GONE)
    digest = _sha256(path)
    path = _import_files.as_text(path)
    looked = _import_files.look_at(path, known_names(kind))
    mapping = guessed(kind, looked.header) | read(import_runs.remembered_columns, kind=kind, header=looked.header)
    # A remembered choice may give a guessed field's column to another.
    taken = {position: field for field, position in mapping.items()}
    usable = {field: position for position, field in taken.items() if position < len(looked.header)}
    made: list[int] = []

    def begin(session: Session) -> None:
        run = import_runs.begin(
            session, kind=kind, name=name, sha256=digest, file_key=key, looked=looked, mapping=usable
        )
        made.append(run.id or 0)

    _write(begin)
    return made[-1]


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def columns_of(run_id: int) -> dict[str, int]:
    """Return which of our fields is read from which column of one's own file, as it stands."""
    return {one.field: one.column for one in read(import_views.run_of, run_id=run_id).choices if one.column >= 0}


def check(run_id: int, mapping: Mapping[str, int], rule: str) -> "Future[None]":
    """Begin to read a file and to check it against the database."""
    file_key, prices, hidden = read(import_runs.may_check, run_id=run_id)
    if hidden & mapping.keys():
        raise Invalid("You may not import costs and prices: leave these columns out.")
    if staging.path_of(file_key) is None:
        raise Invalid(GONE)
    _write(partial(import_runs.start_reading, run_id=run_id, mapping=mapping, rule=rule))
    return _work().submit(run_id, partial(_check, run_id, file_key, prices, sees=not hidden))


def _check(run_id: int, file_key: str, prices: bool, *, sees: bool) -> None:  # noqa: FBT001  # passed on
    path = staging.path_of(file_key)
    if path is None:
        raise Invalid(GONE)
    try:
        with open_session() as session:
            import_runs.read_and_check(
                session,
                run_id=run_id,
                path=path,
                progress=_progress(run_id),
                may_change_prices=prices,
                sees_prices=sees,
            )
            session.commit()
    except DBAPIError as error:
        raise app_error(error) or error from error
    except psycopg.Error as error:
        raise Invalid("The rows of this file cannot be kept here.") from error


def apply(run_id: int) -> "Future[None]":
    """Begin to do what a checked file says."""
    read(import_runs.may_check, run_id=run_id)
    _write(partial(import_runs.start_applying, run_id=run_id))
    return _work().submit(
        run_id, partial(transact, import_runs.apply_import, run_id=run_id, progress=_progress(run_id))
    )


def undo(run_id: int, reason: str) -> Done:
    """Take a whole file back, on this thread."""
    return transact(import_runs.undo_import, run_id=run_id, reason=reason)


def _progress(run_id: int) -> Callable[[int], None]:
    def note(done: int) -> None:
        answer: list[bool] = []

        def write(session: Session) -> None:
            answer.append(import_runs.note_progress(session, run_id=run_id, done=done))

        _write(write)
        if not answer[-1]:
            raise Cancelled

    return note


def forget_old_rows() -> None:
    """Drop what was staged of files that nobody will take back any more, and of those nothing came of."""
    _write(_import_staging.forget_old)


def notice_the_silent() -> None:
    """Say of runs whose process is gone what became of them."""
    _write(import_runs.give_up_on_the_silent)


def cancel(run_id: int) -> None:
    """Ask to stop; a run that is not worked on is put aside."""
    read(import_runs.may_check, run_id=run_id)
    _write(partial(import_runs.ask_to_cancel, run_id=run_id))
