"""What a run stands on: a throw-away durable cluster, the data in it, and the application as its own process.

Everything listens on loopback or a private socket, lives in a folder of its own and is gone afterwards.
"""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from inventory_app.database import embedded
from inventory_app.database.embedded import Server
from inventory_app.paths import APP_ROLE, PROJECT, SYSTEM_HOME, cluster_of
from inventory_app.settings import get_settings

HOST = "127.0.0.1"
START_SECONDS = 300
STOP_SECONDS = 60


def free_port() -> int:
    """Return a loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def enter_environment(data_dir: Path, port: int) -> None:
    """Make this process and what it starts use that folder and port, whatever the shell had set."""
    for name in list(os.environ):
        if name.startswith(("INVENTORY_", "REFLEX_", "SQLALCHEMY_")) or name in (
            "DATABASE_URL",
            "MIGRATION_DATABASE_URL",
        ):
            del os.environ[name]
    os.environ |= {
        "INVENTORY_DATA_DIR": str(data_dir),
        "INVENTORY_HOST": HOST,
        "PORT": str(port),
        # All load comes from one address, which the application would slow down.
        "INVENTORY_EVENTS_PER_SECOND": "1000000",
        "INVENTORY_LOG_FORMAT": "json",
    }
    get_settings.cache_clear()


@contextmanager
def folder() -> Iterator[Path]:
    """A new data folder on the project's own disk (/tmp may be memory), gone afterwards with its cluster."""
    place = PROJECT / ".build" / "bench"
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place) as around:
        data_dir = Path(around) / "data"
        try:
            yield data_dir
        finally:
            _remove_cluster(data_dir)


def _remove_cluster(data_dir: Path) -> None:
    """Remove what lies outside the folder (root's clusters do), if it is this folder's own and does not run."""
    home = cluster_of(data_dir).home
    if home == data_dir or not home.exists():
        return
    mine = home.parent == SYSTEM_HOME and (home / "data-folder").read_text(encoding="utf-8") == str(data_dir)
    if not mine or embedded.is_running(data_dir):
        message = f"{home} is left behind: it is not this run's, or still in use"
        raise RuntimeError(message)
    shutil.rmtree(home)


@contextmanager
def cluster(data_dir: Path) -> Iterator[Server]:
    """The durable server of the folder for the block: fsync, full_page_writes and synchronous_commit on."""
    server = embedded.start(data_dir)
    try:
        yield server
    finally:
        server.stop()


def wait_for(true: Callable[[], bool], what: str, seconds: float = START_SECONDS, pause: float = 0.02) -> float:
    """Wait until `true()`, and return how long that took."""
    began = time.perf_counter()
    while not true():
        if time.perf_counter() - began > seconds:
            message = f"{what}: nothing within {seconds:.0f} s"
            raise TimeoutError(message)
        time.sleep(pause)
    return time.perf_counter() - began


def answers(port: int, path: str) -> bool:
    """Whether a page is served there."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@dataclass
class Application:
    """The application as a person starts it, in a process of its own."""

    port: int
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        """The address its pages are at."""
        return f"http://{HOST}:{self.port}"

    def start(self, path: str = "/login/") -> float:
        """Run `inventory run`; returns the seconds until the page answers."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "inventory_app.cli", "run"],
                cwd=PROJECT,
                env=os.environ | {"PORT": str(self.port), "PYTHONPATH": str(PROJECT)} | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return wait_for(lambda: self._alive() and answers(self.port, path), "the first page")

    def _alive(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            message = f"the application ended: {self.log.read_text(encoding='utf-8')[-800:]}"
            raise RuntimeError(message)
        return True

    def processes(self) -> list[psutil.Process]:
        """The supervisor and its worker; not the database."""
        if self.process is None:
            return []
        parent = psutil.Process(self.process.pid)
        return [p for p in [parent, *parent.children(recursive=True)] if not p.name().startswith("postgres")]

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(STOP_SECONDS)
        self.process = None

    @contextmanager
    def running(self) -> Iterator["Application"]:
        """Run for the length of the block."""
        self.start()
        try:
            yield self
        finally:
            self.stop()


def address(server: Server, database: str, role: str = APP_ROLE) -> str:
    """The libpq address of a database of the cluster."""
    return server.url(role, database).replace("postgresql+psycopg://", "postgresql://", 1)
