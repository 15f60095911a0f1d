"""The `inventory` command as people run it: another process, its own data folder, its own environment."""

import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from inventory_app.database import embedded
from inventory_app.database.embedded import Server
from inventory_app.paths import PROJECT, SYSTEM_HOME, cluster_of
from tests.fixtures.environment import clean_environment

COMMAND = [sys.executable, "-m", "inventory_app.cli"]
ANSWER_SECONDS = 300


@dataclass
class Answer:
    """What a command said and how it ended."""

    status: int
    said: str
    complained: str

    @property
    def sentence(self) -> str:
        """The complaint, which must be one line and no traceback."""
        assert "Traceback" not in self.complained, self.complained
        lines = self.complained.strip().splitlines()
        assert len(lines) == 1, self.complained
        return lines[0]


@dataclass
class Running:
    """A started `inventory run` whose output is read line by line."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def wait_for(self, words: str) -> str:
        """The first line with these words; the output's end or a long silence fails the test."""
        assert self.process.stdout
        deadline = time.monotonic() + ANSWER_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while selector.select(deadline - time.monotonic()):
                line = self.process.stdout.readline()
                self.lines.append(line)
                if words in line:
                    return line
                assert line, f"it ended before saying {words!r}: {''.join(self.lines)}"
        pytest.fail(f"it never said {words!r}: {''.join(self.lines)}")

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and wait for the end; the exit status."""
        self.process.send_signal(number)
        self.process.communicate(timeout=ANSWER_SECONDS)
        return self.process.returncode


@dataclass
class Inventory:
    """One installation: a data folder, a port, and the commands on them."""

    data_dir: Path
    port: int

    def environment(self, **variables: object) -> dict[str, str]:
        """What the command finds in its environment."""
        return clean_environment(INVENTORY_DATA_DIR=self.data_dir, PORT=self.port) | {
            name: str(value) for name, value in variables.items()
        }

    def __call__(self, *arguments: object, **variables: object) -> Answer:
        """Run a command to its end."""
        result = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            cwd=PROJECT,
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=ANSWER_SECONDS,
            stdin=subprocess.DEVNULL,
        )
        return Answer(result.returncode, result.stdout, result.stderr)

    def start(self, **variables: object) -> Running:
        """Start `inventory run` and leave it running."""
        process = subprocess.Popen(
            [*COMMAND, "run"],
            cwd=PROJECT,
            env=self.environment(**variables),
            text=True,
            bufsize=1,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return Running(process)

    @property
    def database_runs(self) -> bool:
        """Whether the embedded server of this installation is up."""
        return embedded.is_running(self.data_dir)


@pytest.fixture
def inventory(tmp_path: Path) -> Iterator[Inventory]:
    """An installation with an empty data folder; its server is stopped and its files removed afterwards."""
    installation = Inventory(tmp_path / "data", free_port())
    yield installation
    remove(installation.data_dir)


def remove(data_dir: Path) -> None:
    """Stop a test's server however it was left, and remove root's cluster, which lies outside pytest's folder.

    Removes nothing but a folder right below /var/lib/inventory that says itself that it belongs to `data_dir`.
    """
    home = cluster_of(data_dir).home
    if not home.is_dir():
        return
    if embedded.is_running(data_dir):
        embedded.stop(data_dir)
    reference = home / "data-folder"
    # A test that moves its folder has it under two names; the one that is true now removes it.
    if home.parent == SYSTEM_HOME and reference.is_file() and reference.read_text(encoding="utf-8") == str(data_dir):
        shutil.rmtree(home)


@pytest.fixture
def new_database(server: Server, request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Makes empty databases; gives their names."""
    made: list[str] = []

    def make() -> str:
        name = f"{re.sub(r'[^a-z0-9]+', '_', request.node.name.lower())[:40]}_{len(made)}"
        server.create_database(name)
        made.append(name)
        return name

    yield make
    for name in made:
        server.drop_database(name)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits for its parent to notice its end does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
