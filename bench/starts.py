"""How long a start takes and how much memory the application holds."""

import asyncio
import os
import shutil
import subprocess
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench import stage
from bench.stock_data import Data
from bench.tab import Tab
from inventory_app.database import embedded
from inventory_app.paths import PROJECT

_MIB = 1024 * 1024
_NOT_PART_OF_A_CHECKOUT = (".git", ".venv", ".build", ".web", ".data", "__pycache__", ".*_cache", ".hypothesis")


@dataclass(frozen=True)
class Memory:
    """MiB of the supervisor and its worker together, the database left out; PSS counts shared pages once."""

    rss: float
    pss: float


def memory(application: stage.Application) -> Memory:
    """Look at the memory the application holds now."""
    found = [process.memory_full_info() for process in application.processes()]
    return Memory(sum(one.rss for one in found) / _MIB, sum(getattr(one, "pss", one.rss) for one in found) / _MIB)


async def memory_with_tabs(application: stage.Application, data: Data, tabs: int) -> Memory:
    """Look at it while so many people have the stock list open."""
    async with AsyncExitStack() as stack:
        for number in range(tabs):
            tab = await stack.enter_async_context(Tab(application.base, data.tokens[number % len(data.tokens)]))
            await tab.visit("/inventory", '"loading_rx_state_":false')
        await asyncio.sleep(1)
        return memory(application)


def second_starts(times: int, log: Path) -> list[float]:
    """Start and stop on a folder that was used before: seconds to the first page, database included."""
    with stage.folder() as data_dir:
        application = stage.Application(stage.free_port(), log, {"INVENTORY_DATA_DIR": str(data_dir)})
        found = []
        for _ in range(times + 1):
            found.append(application.start())
            application.stop()
            if embedded.is_running(data_dir):
                message = "the application left its database running"
                raise RuntimeError(message)
        return found[1:]


def cold_run(log: Path) -> float:
    """Seconds that `make run` takes in a new copy of the checkout, without pip's and npm's caches."""
    with stage.folder() as data_dir:
        checkout = data_dir.parent / "checkout"
        shutil.copytree(PROJECT, checkout, ignore=shutil.ignore_patterns(*_NOT_PART_OF_A_CHECKOUT))
        port = stage.free_port()
        environment = os.environ | {
            "PORT": str(port),
            "INVENTORY_DATA_DIR": str(data_dir),
            "PIP_NO_CACHE_DIR": "1",
            "NPM_CONFIG_CACHE": str(data_dir.parent / "npm"),
        }
        environment.pop("PYTHONPATH", None)
        environment.pop("VIRTUAL_ENV", None)
        with log.open("ab") as output:
            began = time.perf_counter()
            process = subprocess.Popen(
                ["make", "run"],  # noqa: S607  # as a newcomer types it
                cwd=checkout,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                stage.wait_for(lambda: _alive(process, log) and stage.answers(port, "/login/"), "make run", 1_200)
                return time.perf_counter() - began
            finally:
                _end(process)


def _alive(process: subprocess.Popen[bytes], log: Path) -> bool:
    if process.poll() is not None:
        message = f"make run ended: {log.read_text(encoding='utf-8')[-800:]}"
        raise RuntimeError(message)
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what make has become, and whatever is left of what it started."""
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    process.wait(stage.STOP_SECONDS)
    for one in psutil.wait_procs(family, timeout=stage.STOP_SECONDS)[1]:
        one.kill()
