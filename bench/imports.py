"""How long a large file takes to come in: `python -m bench.imports [--rows 100000]`.

In a durable cluster of its own: a tenth of the rows and then all of them, products with price and opening stock, read
and checked, then applied, as the page and the command line do it. Memory is that of this process, which does the
reading. Prints the table and writes it into docs/benchmarks.md between its two marks.
"""

import argparse
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench import stage
from bench.report import lines, write_between
from inventory_app import first_run, importing, logs, migrations
from inventory_app.context import Actor, acting_as
from inventory_app.operations import import_views
from inventory_app.paths import PROJECT
from inventory_app.settings import get_settings
from inventory_app.unit_of_work import read

MARKS = ("<!-- imports: begin (written by python -m bench.imports) -->", "<!-- imports: end -->")
_LOOK_SECONDS = 0.05
_MEGABYTE = 2**20


@dataclass
class Came:
    """What one file took: seconds to check and to apply, and the most memory beyond what there was before, in MiB."""

    rows: int
    checked: float
    applied: float
    more: float


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(prog="python -m bench.imports", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--no-write", action="store_true", help="print only")
    asked = parser.parse_args()
    table = _table(_measure(asked.rows))
    sys.stdout.write(table + "\n")
    if not asked.no_write:
        write_between(PROJECT / "docs" / "benchmarks.md", table, *MARKS)


def _measure(rows: int) -> list[Came]:
    with stage.folder() as data_dir:
        stage.enter_environment(data_dir, stage.free_port())
        logs.configure("warning", "json")
        with stage.cluster(data_dir):
            migrations.upgrade(get_settings())
            first_run.check_and_prepare()
            with acting_as(Actor(kind="cli", name="cli:bench")):
                return [_bring_in(data_dir, f"{number}-", count) for number, count in enumerate((rows // 10, rows))]


def _bring_in(data_dir: Path, prefix: str, rows: int) -> Came:
    path = data_dir / f"{prefix}{rows}.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("sku,name,price,cost,quantity\n")
        file.writelines(
            f"{prefix}{row:06d},Bolt M{row % 64} zinc {row},{row % 900}.50,{row % 700}.25,{row % 50}\n"
            for row in range(rows)
        )
    with _memory() as memory:
        began = time.perf_counter()
        with path.open("rb") as file:
            run_id = importing.send("products", file, path.name)
        importing.check(run_id, importing.columns_of(run_id), "update").result()
        checked = time.perf_counter() - began
        began = time.perf_counter()
        importing.apply(run_id).result()
        applied = time.perf_counter() - began
    done = read(import_views.run_of, run_id=run_id)
    if done.status != "applied" or done.new_rows != rows:
        message = f"{done.status}: {done.new_rows} of {rows} rows, {done.problem}"
        raise RuntimeError(message)
    sys.stderr.write(f"{rows:,} rows: checked {checked:.1f} s, applied {applied:.1f} s\n")
    return Came(rows, checked, applied, max(memory) - memory[0])


@contextmanager
def _memory() -> Iterator[list[float]]:
    """Look at the memory of this process all the time, in MiB; the first is that before."""
    process = psutil.Process()
    seen, over = [process.memory_info().rss / _MEGABYTE], threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_SECONDS):
            seen.append(process.memory_info().rss / _MEGABYTE)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _table(found: list[Came]) -> str:
    head = "| rows: products with price and opening stock | checked, s | applied, s | together, s | rows/s | memory more, MiB |"
    rows = [
        [
            f"{one.rows:,}",
            f"{one.checked:.1f}",
            f"{one.applied:.1f}",
            f"{one.checked + one.applied:.1f}",
            f"{one.rows / (one.checked + one.applied):,.0f}",
            f"{one.more:.0f}",
        ]
        for one in found
    ]
    return f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC.\n\n" + lines(head, rows)


if __name__ == "__main__":
    main()
