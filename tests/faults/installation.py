"""An installation with its own durable database, as `inventory run` makes it, that a test may hurt."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from inventory_app.database import embedded
from inventory_app.paths import DATABASE, PROJECT
from tests.fixtures.database import Database, reached_by_the_application
from tests.fixtures.server import ADMIN_PASSWORD, Site
from tests.setup.conftest import clean_environment, free_port, remove


@dataclass
class Installation(Site):
    """A running application that can be started again with the same settings."""

    environment: dict[str, str] = field(default_factory=dict)


@contextmanager
def installation(folder: Path) -> Iterator[Installation]:
    """A running application on an embedded database; stopped in order and removed afterwards."""
    data_dir, port = folder / "data", free_port()
    environment = clean_environment(
        INVENTORY_DATA_DIR=data_dir,
        PORT=port,
        INVENTORY_PUBLIC_URL=f"http://127.0.0.1:{port}",
        INVENTORY_ADMIN_PASSWORD=ADMIN_PASSWORD,
        INVENTORY_LOG_FORMAT="json",
        INVENTORY_TRUSTED_PROXY_HOPS=1,
    )
    # Held by the test as well, for its own look at the data.
    server = embedded.start(data_dir)
    database, log = Database(server, DATABASE), folder / "server.log"
    site = Installation(environment["INVENTORY_PUBLIC_URL"], port, database, log, _run(log, environment))
    site.environment = environment
    try:
        site.wait_until_ready()
        with reached_by_the_application(server, DATABASE):
            yield site
        site.stop()
    finally:
        if site.process.poll() is None:
            site.process.kill()
            site.process.wait()
        server.stop()
        remove(data_dir)


def _run(log: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "inventory_app.cli", "run"],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def start_again(site: Installation) -> None:
    """Start the application anew after it was killed, on what it left behind."""
    site.log.rename(site.log.with_name(f"before-{site.process.pid}.log"))
    site.process = _run(site.log, site.environment)
    site.wait_until_ready()


def kill_database(site: Site) -> int:
    """Kill the postmaster as a crash would, and return its number."""
    pid = site.database.server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def kill_application(site: Site) -> None:
    """Kill the application at once, its worker first; what it was doing is cut off wherever it was."""
    processes = [*psutil.Process(site.process.pid).children(), psutil.Process(site.process.pid)]
    for process in processes:
        process.kill()
    site.process.wait()
    psutil.wait_procs(processes, timeout=30)
