"""The data folder: made private, marked with who wrote it, and locked so that one application uses it at a time.

The locks are kernel locks on files: they vanish with the process however it dies, so that nothing has to be
guessed from process ids after a `kill -9`. What is written into them is for people.
"""

import errno
import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

from inventory_app import __version__
from inventory_app.operator_error import OperatorError
from inventory_app.paths import FOLDER_FILE, read_folder_file

FOLDER_FORMAT = 1
FOLDER_LOCK = "inventory.lock"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def disk_errors(what: str, folder: Path) -> Iterator[None]:
    """Turn what a disk can refuse into the operator's sentence: `what` says what was being written."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise disk_full(what, folder) from error
        if isinstance(error, PermissionError | NotADirectoryError | FileExistsError) or error.errno == errno.EROFS:
            sentence = (
                f"{folder} cannot be written ({os.strerror(error.errno or 0)}): "
                "give this user the folder or set INVENTORY_DATA_DIR to another one."
            )
            raise OperatorError(sentence) from error
        raise


def disk_full(what: str, folder: Path) -> OperatorError:
    """The sentence for a full disk."""
    return OperatorError(
        f"The disk is full while {what}: free some space at {folder} and start again; nothing was damaged."
    )


def prepare(data_dir: Path) -> None:
    """Make the data folder if it is missing and refuse one that a newer version has written."""
    with disk_errors("preparing the data folder", data_dir):
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        recorded = read_folder_file(data_dir)
        _refuse_newer(data_dir, recorded)
        # Written even when unchanged would wear nothing out, but a read-only folder should fail here and not later.
        if recorded.get("app_version") != __version__ or not os.access(data_dir, os.W_OK):
            remember(data_dir, format=FOLDER_FORMAT, app_version=__version__)


def check(data_dir: Path) -> None:
    """Refuse a folder that a newer version has written, as `prepare` does, and change nothing."""
    with disk_errors("reading the data folder", data_dir):
        _refuse_newer(data_dir, read_folder_file(data_dir))


def remember(data_dir: Path, **facts: object) -> None:
    """Add facts to the folder's own file, in one piece."""
    file = data_dir / FOLDER_FILE
    lock = FileLock(data_dir / FOLDER_LOCK)
    try:
        lock.take()  # else two processes that add different facts at once would each lose the other's
        content = {**read_folder_file(data_dir), **facts}
        part = file.with_suffix(".part")
        with part.open("w", encoding="utf-8") as stream:
            json.dump(content, stream, indent=2)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(file)
    finally:
        lock.close()


def _refuse_newer(data_dir: Path, recorded: dict[str, object]) -> None:
    version, layout = recorded.get("app_version", "0"), recorded.get("format", 0)
    if _numbers(str(version)) > _numbers(__version__) or (isinstance(layout, int) and layout > FOLDER_FORMAT):
        sentence = (
            f"The data folder {data_dir} was written by Inventory {version} and this is {__version__}: "
            "start the newer version, or restore a backup into another INVENTORY_DATA_DIR."
        )
        raise OperatorError(sentence)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:3]]


class FileLock:
    """A kernel lock on a file, released when closed or when the process ends."""

    def __init__(self, path: Path) -> None:
        """Open the file, which stays for the next one: removing a lock file is how two processes get one lock each."""
        self.path = path
        # Python opens it close-on-exec: the database server we start does not inherit and keep the lock.
        self._file: TextIOWrapper = path.open("a+", encoding="utf-8")

    def take(self, *, shared: bool = False, wait: bool = True) -> bool:
        """Take or change the lock; False when somebody else has it and we do not wait."""
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self._file, mode | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def write(self, **facts: object) -> None:
        """Say who holds it, for people and for the sentence of the one who is refused."""
        self._file.seek(0)
        self._file.truncate()
        json.dump({"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds"), **facts}, self._file)
        self._file.flush()

    def read(self) -> dict[str, object]:
        """What the holder wrote, empty if nothing legible."""
        self._file.seek(0)
        try:
            content = json.loads(self._file.read() or "{}")
        except ValueError:
            return {}  # half written by a process that was killed: the lock itself is what counts
        return content if isinstance(content, dict) else {}

    def exists(self) -> bool:
        """Whether the locked file is still the one that others would open."""
        try:
            return os.path.samestat(os.fstat(self._file.fileno()), self.path.stat())
        except FileNotFoundError:
            return False

    def closing(self) -> closing["FileLock"]:
        """A context that lets go at its end."""
        return closing(self)

    def close(self) -> None:
        """Let go."""
        self._file.close()


@contextmanager
def exclusive_use(data_dir: Path, purpose: str) -> Iterator[None]:
    """Hold the data folder for as long as the application runs; a second one is refused in a sentence."""
    prepare(data_dir)
    with disk_errors("locking the data folder", data_dir):
        lock = FileLock(data_dir / "application.lock")
    try:
        if not lock.take(wait=False):
            holder = lock.read()
            sentence = (
                f"Another copy of Inventory uses the data folder {data_dir} "
                f"({holder.get('purpose', 'running')}, process {holder.get('pid', 'unknown')}, "
                f"since {holder.get('since', 'unknown')}): "
                "stop it first, or set INVENTORY_DATA_DIR and PORT for a second one."
            )
            raise OperatorError(sentence)
        with disk_errors("locking the data folder", data_dir):
            lock.write(purpose=purpose)
        yield
    finally:
        lock.close()
