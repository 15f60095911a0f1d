"""The application's own PostgreSQL: started when nobody runs it, shared while several do, stopped by the last.

Who uses the server is a kernel lock (`database.users`, shared by every user): a process that was killed lets go of
it, so the next start finds the server it left behind, uses it, and stops it at the end. `inventory database start`
leaves a mark (`database.keep`) that it is to go on running.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from inventory_app import data_folder
from inventory_app.data_folder import FileLock, disk_errors, disk_full
from inventory_app.database import _cluster, _provision, _throw_away
from inventory_app.database._postgres import Programs, find_programs, prepare_system_home
from inventory_app.operator_error import OperatorError
from inventory_app.paths import APP_ROLE, DATABASE, SUPERUSER_ROLE, Cluster, cluster_of, read_folder_file
from inventory_app.settings import Settings

_MUTEX = "database.lock"
_USERS = "database.users"
_KEEP = "database.keep"


class Server:
    """A running server that we use; `stop` lets go of it and ends it if nobody else does."""

    def __init__(self, cluster: Cluster, programs: Programs, use: FileLock) -> None:
        """Not called directly: see `start` and `running`."""
        self.cluster = cluster
        self.programs = programs
        self._use = use

    @property
    def pid(self) -> int | None:
        """The process id of the server, None when it is down."""
        return _cluster.running_pid(self.cluster)

    def url(self, role: str = APP_ROLE, database: str = DATABASE) -> str:
        """The SQLAlchemy address of a database for a role."""
        return self.cluster.url(role, database)

    def superuser_url(self, database: str = "postgres") -> str:
        """The address for administration: creating, cloning and dropping databases."""
        return self.cluster.url(SUPERUSER_ROLE, database)

    def create_database(self, name: str, *, template: str | None = None) -> None:
        """An empty database set up like the application's own, or a copy of `template` (nobody is connected to it)."""
        if template is None:
            _provision.create_database(self.cluster, name)
        else:
            _provision.clone_database(self.cluster, name, template)

    def drop_database(self, name: str) -> None:
        """Drop a database and whoever is connected to it."""
        _provision.drop_database(self.cluster, name)

    def revive(self) -> None:
        """Start the server again if it has died; whoever else wants to waits."""
        with _mutex(self.cluster.data_dir, create=False) as there:
            if not there:
                raise OperatorError(f"The data folder {self.cluster.data_dir} is gone: the database cannot be started.")
            if self.pid is None:
                _cluster.start(self.cluster, self.programs)

    def stop(self, *, remove: bool = False) -> None:
        """Let go of the server; the last user stops it, unless it was started to stay (`inventory database start`).

        `remove` makes the last user of a throw-away cluster remove it as well.
        """
        with self._use.closing(), _mutex(self.cluster.data_dir, create=False) as there:
            if not there or not self._use.take(wait=False):
                return
            # Alone now, and whoever wants in waits at the mutex.
            if not (self.cluster.data_dir / _KEEP).exists() and self.pid is not None:
                _cluster.stop(self.cluster, self.programs)
                if remove:
                    _throw_away.remove(self.cluster)


def start(data_dir: Path, *, pg_bin: Path | None = None, durable: bool = True, keep: bool = False) -> Server:
    """Start the server of a data folder, or join it when it runs; creates everything that is missing.

    `durable=False` is for tests whose data nobody will miss. `keep` leaves it running after its last user.
    """
    programs = find_programs(pg_bin)
    with _mutex(data_dir):
        cluster = cluster_of(data_dir)
        use = FileLock(data_dir / _USERS)
        try:
            use.take(shared=True)
            _adopt_home(cluster, programs, durable=durable)
            _cluster.check_version(cluster, programs)
            if _cluster.running_pid(cluster) is None:
                _launch(cluster, programs, durable=durable)
            _provide(cluster)
            if keep:
                (data_dir / _KEEP).touch(mode=0o600)
        except BaseException:  # interrupted too: the lock file is open, and nobody else would give it back
            use.close()
            raise
    return Server(cluster, programs, use)


def _launch(cluster: Cluster, programs: Programs, *, durable: bool) -> None:
    _cluster.create(cluster, programs, durable=durable)
    _cluster.configure(cluster, programs, durable=durable)
    try:
        _cluster.start(cluster, programs)
    except BaseException:  # interrupted while it was starting: what we started does not stay behind
        if _cluster.running_pid(cluster) is not None:
            _cluster.stop(cluster, programs)
        raise


def _provide(cluster: Cluster) -> None:
    try:
        _provision.ensure_roles_and_database(cluster)
    except psycopg.errors.DiskFull as error:
        raise disk_full("the database was being set up", cluster.home) from error


@contextmanager
def running(settings: Settings) -> Iterator[Server]:
    """The embedded server of these settings for the length of the block."""
    server = start(settings.data_dir, pg_bin=settings.pg_bin)
    try:
        yield server
    finally:
        server.stop()


def is_running(data_dir: Path) -> bool:
    """Whether the server of a data folder runs; starts nothing."""
    return _cluster.running_pid(cluster_of(data_dir)) is not None


def stop(data_dir: Path, *, pg_bin: Path | None = None) -> bool:
    """Stop a server that was started to stay or left behind; False if none ran. Refused while something uses it."""
    cluster = cluster_of(data_dir)
    if not data_dir.exists():
        return False
    with _mutex(data_dir):
        use = FileLock(data_dir / _USERS)
        try:
            if not use.take(wait=False):
                sentence = (
                    f"The database of {data_dir} is in use by a running copy of Inventory: stop that first (Ctrl-C)."
                )
                raise OperatorError(sentence)
            (data_dir / _KEEP).unlink(missing_ok=True)
            if _cluster.running_pid(cluster) is None:
                return False
            _cluster.stop(cluster, find_programs(pg_bin))
        finally:
            use.close()
    return True


@contextmanager
def throw_away(folder: Path | None = None, *, pg_bin: Path | None = None) -> Iterator[Server]:
    """A cluster without fsync for a test run, gone afterwards; also clears what a killed run left behind.

    Several processes that name the same `folder` share one server, and the last one removes it.
    """
    _remove_abandoned(pg_bin)
    data_dir = folder or Path(tempfile.mkdtemp(prefix=_throw_away.PREFIX)) / "data"
    server = start(data_dir, pg_bin=pg_bin, durable=False)
    try:
        yield server
    finally:
        server.stop(remove=True)


def _remove_abandoned(pg_bin: Path | None) -> None:
    """Stop and remove the throw-away clusters that nobody uses any more."""
    for cluster in _throw_away.found():
        if not _throw_away.is_marked(cluster.data_dir):
            # Its data folder, and with it the locks of whoever used it, was removed from outside.
            if not cluster.data_dir.exists():
                _end(cluster, pg_bin)
            continue
        try:
            lock, use = FileLock(cluster.data_dir / _MUTEX), FileLock(cluster.data_dir / _USERS)
        except FileNotFoundError:
            continue  # its last user has just removed it
        with lock.closing(), use.closing():
            if lock.take(wait=False) and use.take(wait=False):
                _end(cluster, pg_bin)


def _end(cluster: Cluster, pg_bin: Path | None) -> None:
    if _cluster.running_pid(cluster) is not None:
        _cluster.stop(cluster, find_programs(pg_bin), immediately=True)
    _throw_away.remove(cluster)


@contextmanager
def _mutex(data_dir: Path, *, create: bool = True) -> Iterator[bool]:
    """One process at a time decides whether to start or stop the server; the others wait.

    Gives False, without the lock, if the folder is gone and is not to be created.
    """
    lock = _locked_mutex(data_dir, create=create)
    while lock and not lock.exists():  # a throw-away folder was removed by the one we waited for
        lock.close()
        lock = _locked_mutex(data_dir, create=create)
    try:
        yield lock is not None
    finally:
        if lock:
            lock.close()


def _locked_mutex(data_dir: Path, *, create: bool) -> FileLock | None:
    if create:
        data_folder.prepare(data_dir)
    elif not data_dir.is_dir():
        return None
    with disk_errors("locking the data folder", data_dir):
        lock = FileLock(data_dir / _MUTEX)
    lock.take()
    return lock


def _adopt_home(cluster: Cluster, programs: Programs, *, durable: bool) -> None:
    """Make the folder of the cluster, and make sure that it is this data folder's and nobody else's."""
    data_dir, account = cluster.data_dir, programs.account
    if cluster.home != data_dir:
        if not account.is_other:
            raise OperatorError(
                f"The database of {data_dir} was made by root: "
                "start as root, or set INVENTORY_DATA_DIR to another folder."
            )
        if (data_dir / "postgres").exists():
            owner = (data_dir / "postgres").owner()
            raise OperatorError(
                f"The database of {data_dir} belongs to {owner}: "
                f"start as {owner}, or set INVENTORY_DATA_DIR to another folder."
            )
        prepare_system_home(account)
        with disk_errors("preparing the database", cluster.home):
            if not cluster.home.exists():
                cluster.home.mkdir(mode=0o700)
                os.chown(cluster.home, account.uid, account.gid)
            _claim_home(cluster)
    if not durable:
        _throw_away.mark(cluster, {_MUTEX, _USERS})


def _claim_home(cluster: Cluster) -> None:
    """Tie the two folders together: moving the data folder keeps its database, a copy of it does not share one."""
    reference = cluster.home / "data-folder"
    former = Path(reference.read_text(encoding="utf-8")) if reference.exists() else cluster.data_dir
    if former != cluster.data_dir and read_folder_file(former).get("home") == str(cluster.home):
        sentence = (
            f"{cluster.data_dir} is a copy of the data folder {former} and its database is not in it: "
            f"remove {cluster.data_dir}, start with a new one and restore a backup into it."
        )
        raise OperatorError(sentence)
    reference.write_text(str(cluster.data_dir), encoding="utf-8")
    data_folder.remember(cluster.data_dir, home=str(cluster.home))
