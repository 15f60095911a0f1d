"""At the size of a company: `python -m bench.company [--items 10000 100000 1000000] [--folder FOLDER]`.

Makes up a company of each size in a durable cluster of its own, starts the application on it, reads its lists and
pages over the websocket, one person and eight at once, moves and counts stock and asks what there was. Prints the
table and writes it into docs/benchmarks.md between its two marks. `--folder` keeps what was loaded, each size in a data
folder of its own in there, and measures on what is there already.
"""

import argparse
import asyncio
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from bench import company_load, company_pages, company_work, stage
from bench.load import Samples
from bench.report import lines, write_between
from inventory_app import logs
from inventory_app.database.embedded import Server
from inventory_app.paths import DATABASE, PROJECT, SUPERUSER_ROLE

SIZES = (10_000, 100_000, 1_000_000)
CLIENTS = (1, 8)
COUNTED = 1_000
#: Beside the cluster: how many seconds it took to load it.
LOADED_IN = "loaded-in"
MARKS = ("<!-- company: begin (written by python -m bench.company) -->", "<!-- company: end -->")


@dataclass
class Found:
    """What was measured on a company of one size: samples by what was done and how many did."""

    items: int
    load_seconds: float | None = None
    megabytes: int = 0
    loads: list[float] = field(default_factory=list)
    samples: dict[tuple[str, int], Samples] = field(default_factory=dict)

    def add(self, name: str, clients: int, one: Samples) -> None:
        """Keep what was measured, and how busy the machine was."""
        self.samples[name, clients] = one
        self.loads.append(os.getloadavg()[0])
        faults = f", {len(one.faults)} FAULTS: {one.faults[0]}" if one.faults else ""
        _say(f"{self.items:,} items, {clients} at once, {name}: p95 {one.percentile(95):.1f} ms{faults}")


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(prog="python -m bench.company", description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--folder", type=Path, help="where to keep what was loaded, a data folder for each size")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each kind of page and number of people")
    parser.add_argument("--load-only", action="store_true", help="load what is missing, measure nothing")
    parser.add_argument("--machine", default="", help='what else the machine did, for the table: "nothing else on it"')
    parser.add_argument("--no-write", action="store_true", help="print only")
    asked = parser.parse_args()
    found = [_apart(items, asked.folder, asked.seconds, load_only=asked.load_only) for items in asked.items]
    if asked.load_only:
        return
    table = _table(found, asked.seconds, asked.machine)
    sys.stdout.write(table + "\n")
    if not asked.no_write:
        write_between(PROJECT / "docs" / "benchmarks.md", table, *MARKS)


def _apart(items: int, kept: Path | None, seconds: float, *, load_only: bool) -> Found:
    """Measure in a process of its own: the engine of a process stays with the database it first saw."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measure, items, kept, seconds, load_only=load_only).result()


@contextmanager
def place(kept: Path | None, items: int) -> Iterator[Path]:
    """The data folder of a size that is kept, or one that goes with the block."""
    if kept is None:
        with stage.folder() as data_dir:
            yield data_dir
    else:
        yield kept.absolute() / str(items)


def _measure(items: int, kept: Path | None, seconds: float, *, load_only: bool) -> Found:
    found = Found(items)
    with tempfile.TemporaryDirectory() as around, place(kept, items) as data_dir:
        data_dir.mkdir(parents=True, exist_ok=True)
        port = stage.free_port()
        stage.enter_environment(data_dir, port)
        logs.configure("warning", "json")
        with stage.cluster(data_dir) as server:
            if not is_filled(server):
                _say(f"loading {items:,} items")
                (data_dir / LOADED_IN).write_text(str(company_load.load(server, items)), encoding="utf-8")
            found.load_seconds = _loaded_in(data_dir)
            _say(f"{items:,} items: {_loaded(found)}")
            if load_only:
                return found
            with stage.Application(port, Path(around) / "application.log").running() as application:
                # After its start, which brings a kept database to the newest revision.
                tokens = company_load.sign_in(max(CLIENTS))
                (found.megabytes,) = company_pages.asked("SELECT pg_database_size(current_database()) / 1048576")
                _read(found, application.base, tokens, seconds)
                _work(found, application.base, tokens, seconds)
    return found


def is_filled(server: Server) -> bool:
    """Tell whether a company was loaded, to its last row."""
    with psycopg.connect(stage.address(server, DATABASE, SUPERUSER_ROLE)) as connection:
        if connection.execute("SELECT to_regclass('product') IS NULL").fetchone() == (True,):
            return False
        return connection.execute("SELECT EXISTS (SELECT FROM product WHERE sku = 'BUSIEST')").fetchone() == (True,)


def _loaded_in(data_dir: Path) -> float | None:
    """Return the seconds that loading a company took; None where nobody kept them."""
    kept = data_dir / LOADED_IN
    return float(kept.read_text(encoding="utf-8")) if kept.exists() else None


def _read(found: Found, base: str, tokens: list[str], seconds: float) -> None:
    addresses = company_pages.addresses()
    for clients in CLIENTS:
        for name, some in addresses.items():
            found.add(name, clients, asyncio.run(company_pages.visits(base, tokens[:clients], some, seconds)))
        found.add("the palette", clients, asyncio.run(company_pages.finds(base, tokens[:clients], seconds)))


def _work(found: Found, base: str, tokens: list[str], seconds: float) -> None:
    for name, one in company_work.moments(tokens[0], found.items, datetime.now(UTC), seconds / 2).items():
        found.add(name, 1, one)
    pairs = company_work.pairs(found.items)
    for clients in CLIENTS:
        found.add("a transfer", clients, asyncio.run(company_work.transfers(base, tokens[:clients], pairs, seconds)))
    work = company_work.counts(base, tokens[0], found.items, COUNTED, rounds=max(4, int(seconds)))
    found.add(f"counting {COUNTED:,} items in one update", 1, asyncio.run(work))


def _table(found: list[Found], seconds: float, machine: str) -> str:
    heads = "".join(f" {one.items:,} items: p50 / p95 |" for one in found)
    names: Mapping[tuple[str, int], None] = dict.fromkeys(key for one in found for key in one.samples)
    rows = [
        [f"{name}, {clients} at once" if clients > 1 else name, *(_both(one.samples[name, clients]) for one in found)]
        for name, clients in sorted(names, key=lambda key: key[1])
    ]
    rows += [
        [f"transfers a second, {clients} at once", *(f"{one.samples['a transfer', clients].rate:.0f}" for one in found)]
        for clients in CLIENTS
    ]
    rows.append(["loading it through the triggers", *(_loaded(one) for one in found)])
    rows.append(["size of the database", *(f"{one.megabytes:,} MiB" for one in found)])
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    loads = [load for one in found for load in one.loads]
    about = (
        f"{when}, {os.cpu_count()} cores, {machine + ', ' if machine else ''}load average {min(loads):.1f} to"
        f" {max(loads):.1f}. {seconds:.3g} s a line and size, after a round that is not counted. Ten movements an item,"
        f" 200 locations."
    )
    return f"{about}\n\n" + lines(f"| ms |{heads}", rows)


def _both(samples: Samples) -> str:
    faults = f", **{len(samples.faults)} failed**" if samples.faults else ""
    return f"{statistics.median(samples.seconds) * 1e3:.1f} / {samples.percentile(95):.1f}{faults}"


def _loaded(found: Found) -> str:
    if found.load_seconds is None:
        return "was there"
    return f"{found.load_seconds:.0f} s, {found.items * 10 / found.load_seconds:,.0f} movements/s"


def _say(text: str) -> None:
    sys.stderr.write(f"[{os.getloadavg()[0]:.1f}] {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
