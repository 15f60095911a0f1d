"""How fast lists leave as files: `python -m bench.exports [--items 100000] [--folder FOLDER]`.

Makes up a company in a durable cluster of its own (or uses the one that is kept, as `bench.company` does), starts the
application on it, and fetches each file over HTTP as one browser would, while it looks at the memory of the
application's processes. Prints the table and writes it into docs/benchmarks.md between its two marks.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench import company_load, stage
from bench.company import is_filled, place
from bench.report import lines, write_between
from inventory_app import logs
from inventory_app.paths import PROJECT

MARKS = ("<!-- exports: begin (written by python -m bench.exports) -->", "<!-- exports: end -->")
#: What is fetched, and what it is called.
FILES: dict[str, str] = {
    "items": "/export/inventory.csv",
    "items, all columns, by value": (
        "/export/inventory.csv?sort=value&dir=desc"
        "&columns=sku,product,category,location,on_hand,unit_cost,value,supplier,changed"
    ),
    "items of one search": "/export/inventory.csv?q=steel",
    "products": "/export/products.csv",
    "prices": "/export/prices.csv",
    "movements, the last": "/export/movements.csv?change=500..",
    "movements": "/export/movements.csv",
    "items (XLSX)": "/export/inventory.xlsx",
}
_LOOK_SECONDS = 0.05
_MEGABYTE = 2**20


@dataclass
class Fetched:
    """One kind of file: how many rows and bytes it has, the seconds each fetch took, and memory more than before."""

    rows: int = 0
    size: int = 0
    first: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    more: float = 0.0


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(prog="python -m bench.exports", description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where to keep what was loaded, a data folder for each size")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-write", action="store_true", help="print only")
    asked = parser.parse_args()
    table = _table(asked.items, _measure(asked.items, asked.folder, asked.rounds))
    sys.stdout.write(table + "\n")
    if not asked.no_write:
        write_between(PROJECT / "docs" / "benchmarks.md", table, *MARKS)


def _measure(items: int, kept: Path | None, rounds: int) -> dict[str, Fetched]:
    found: dict[str, Fetched] = {}
    with tempfile.TemporaryDirectory() as logged, place(kept, items) as data_dir:
        port = stage.free_port()
        stage.enter_environment(data_dir, port)
        logs.configure("warning", "json")
        with stage.cluster(data_dir) as server:
            if not is_filled(server):
                company_load.load(server, items)
            (token,) = company_load.sign_in(1)
            with stage.Application(port, Path(logged) / "application.log").running() as application:
                for name, address in FILES.items():
                    found[name] = one = Fetched()
                    # The first is not counted: what it reads comes from the disk.
                    for turn in range(rounds + 1):
                        _fetch(application, token, address, one, counts=turn > 0)
                    sys.stderr.write(f"{name}: {one.rows:,} rows, {_rate(one):,.0f} rows/s\n")
    return found


def _fetch(application: stage.Application, token: str, address: str, into: Fetched, *, counts: bool) -> None:
    rows = size = 0
    began, first = time.perf_counter(), 0.0
    client = httpx.Client(base_url=application.base, cookies={"session": token}, timeout=600)
    with _memory(application) as memory, client, client.stream("GET", address) as answer:
        if answer.status_code != httpx.codes.OK:
            message = f"{address}: {answer.status_code}"
            raise RuntimeError(message)
        for piece in answer.iter_raw(64 * 1024):
            first = first or time.perf_counter() - began
            size += len(piece)
            rows += piece.count(b"\n")
    took = time.perf_counter() - began
    into.rows, into.size = into.rows if address.endswith("xlsx") else rows - 1, size
    into.more = max(into.more, max(memory) - memory[0])
    if counts:
        into.first.append(first)
        into.seconds.append(took)


@contextmanager
def _memory(application: stage.Application) -> Iterator[list[float]]:
    """Look at the memory of the application's processes all the time, in MiB; the first is that before."""
    seen, over = [_resident(application)], threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_SECONDS):
            seen.append(_resident(application))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _resident(application: stage.Application) -> float:
    return sum(process.memory_info().rss for process in application.processes()) / _MEGABYTE


def _rate(one: Fetched) -> float:
    return one.rows / statistics.median(one.seconds)


def _table(items: int, found: dict[str, Fetched]) -> str:
    # A workbook's rows are not counted in its bytes: they are those of the same list as CSV.
    found["items (XLSX)"].rows = found["items"].rows
    head = "| file, one browser | rows | MB | s | to the first bytes, s | rows/s | memory more, MiB |"
    rows = [
        [
            name,
            f"{one.rows:,}",
            f"{one.size / 1e6:.1f}",
            f"{statistics.median(one.seconds):.2f}",
            f"{statistics.median(one.first):.2f}",
            f"{_rate(one):,.0f}",
            f"{one.more:.0f}",
        ]
        for name, one in found.items()
    ]
    return f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC, {items:,} items, medians.\n\n" + lines(head, rows)


if __name__ == "__main__":
    main()
