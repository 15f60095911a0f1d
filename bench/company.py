"""Lists at the size of a company: `python -m bench.company [--items 10000 100000 1000000] [--folder DATA_FOLDER]`.

Makes up a company of each size in a durable cluster of its own, starts the application on it and reads its lists over
the websocket, one person and eight at once. Prints the table and writes it into docs/benchmarks.md between its two
marks. `--folder` measures on a data folder that is kept: filled when it is new, used as it is when it is filled.
"""

import argparse
import asyncio
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from bench import company_load, stage
from bench.load import Samples
from bench.report import lines, write_between
from bench.tab import Tab
from inventory_app import logs
from inventory_app.database.embedded import Server
from inventory_app.operations._paging import cursor_of
from inventory_app.paths import DATABASE, PROJECT, SUPERUSER_ROLE
from inventory_app.unit_of_work import open_session

SIZES = (10_000, 100_000, 1_000_000)
CLIENTS = (1, 8)
MARKS = ("<!-- company: begin (written by python -m bench.company) -->", "<!-- company: end -->")
_LISTED = '"loading_rx_state_":false'


@dataclass
class Found:
    """What was measured on a company of one size: samples by what was done and how many did."""

    items: int
    load_seconds: float | None = None
    megabytes: int = 0
    samples: dict[tuple[str, int], Samples] = field(default_factory=dict)


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(prog="python -m bench.company", description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--folder", type=Path, help="a data folder to keep; then only one size")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each kind of page and number of people")
    parser.add_argument("--no-write", action="store_true", help="print only")
    asked = parser.parse_args()
    if asked.folder and len(asked.items) > 1:
        parser.error("--folder holds one company: say how large with --items")
    found = [_measure(items, asked.folder, asked.seconds) for items in asked.items]
    table = _table(found)
    sys.stdout.write(table + "\n")
    if not asked.no_write:
        write_between(PROJECT / "docs" / "benchmarks.md", table, *MARKS)


@contextmanager
def place(kept: Path | None) -> Iterator[Path]:
    """The data folder that is kept, or one that goes with the block."""
    if kept is None:
        with stage.folder() as data_dir:
            yield data_dir
    else:
        yield kept.absolute()


def _measure(items: int, kept: Path | None, seconds: float) -> Found:
    found = Found(items)
    with tempfile.TemporaryDirectory() as place, place(kept) as data_dir:
        port = stage.free_port()
        stage.enter_environment(data_dir, port)
        logs.configure("warning", "json")
        with stage.cluster(data_dir) as server:
            if not is_filled(server):
                _say(f"loading {items:,} items")
                found.load_seconds = company_load.load(server, items)
            tokens = company_load.sign_in(max(CLIENTS))
            addresses = _addresses()
            found.megabytes = _megabytes()
            with stage.Application(port, Path(place) / "application.log").running() as application:
                for clients in CLIENTS:
                    for name, some in addresses.items():
                        work = _visits(application.base, tokens[:clients], some, seconds)
                        found.samples[name, clients] = one = asyncio.run(work)
                        _say(f"{items:,} items, {clients} at once, {name}: p95 {one.percentile(95):.1f} ms")
    return found


def is_filled(server: Server) -> bool:
    """Whether a company is there already."""
    with psycopg.connect(stage.address(server, DATABASE, SUPERUSER_ROLE)) as connection:
        return connection.execute("SELECT to_regclass('inventory_item') IS NOT NULL").fetchone() == (True,)


def _asked(statement: str) -> Any:
    with open_session() as session:
        engine = session.connection().engine
        value = session.execute(sa.text(statement)).one()
    engine.dispose()
    return value


def _megabytes() -> int:
    return _asked("SELECT pg_database_size(current_database()) / 1048576")[0]


def _addresses() -> dict[str, list[str]]:
    """Return what people ask for: every kind of page, with several addresses each."""
    sku, item = _asked(
        "SELECT p.sku, i.id FROM product p JOIN inventory_item i ON i.product_id = p.id"
        " ORDER BY p.sku, i.id OFFSET (SELECT count(*) / 2 FROM inventory_item) LIMIT 1"
    )
    middle = cursor_of((sku, item), "sku", backwards=False)
    (category,) = _asked("SELECT category_id FROM product GROUP BY 1 ORDER BY count(*) DESC OFFSET 3 LIMIT 1")
    (place,) = _asked("SELECT location_id FROM inventory_item GROUP BY 1 ORDER BY count(*) DESC OFFSET 20 LIMIT 1")
    sorts = ("product", "location", "on_hand", "value", "changed", "supplier", "unit_cost", "category")
    words = ("bolt", "stainless m8 rossi", "cable", "0000471", "marquez valve", "m12", "he-000", "glove nylon xl")
    return {
        "first page": ["/inventory"],
        "deep page": [f"/inventory?at={middle}"],
        "search": [f"/inventory?q={word.replace(' ', '+')}" for word in words],
        "any order": [f"/inventory?sort={key}{way}" for key in sorts for way in ("", "&dir=desc")],
        "filter and sort": [
            "/inventory?view=reorder&sort=product",
            "/inventory?view=out&sort=changed&dir=desc",
            f"/inventory?location={place}&sort=value&dir=desc",
            f"/inventory?category={category}&sort=on_hand",
            f"/inventory?category={category}&location={place}",
            f"/inventory?q=steel&location={place}&sort=location",
            "/inventory?on_hand=..5&sort=supplier",
            "/inventory?active=no&sort=value&dir=desc",
        ],
    }


async def _visits(base: str, tokens: list[str], addresses: list[str], seconds: float) -> Samples:
    """Everybody goes from address to address, as links do, after a first round that is not counted."""
    samples = Samples()

    async def work(number: int, token: str) -> None:
        async with Tab(base, token) as tab:
            turn = itertools.islice(itertools.cycle(addresses), number, None)
            for _ in addresses:
                await _visit(tab, next(turn))
            until = time.perf_counter() + seconds
            while time.perf_counter() < until:
                samples.seconds.append(await _visit(tab, next(turn)))

    began = time.perf_counter()
    await asyncio.gather(*(work(number, token) for number, token in enumerate(tokens)))
    samples.elapsed = time.perf_counter() - began
    return samples


async def _visit(tab: Tab, address: str) -> float:
    began = time.perf_counter()
    await tab.visit(address, _LISTED)
    took = time.perf_counter() - began
    await tab.until(lambda text: "is_hydrated" in text)
    return took


def _table(found: list[Found]) -> str:
    heads = "".join(f" {one.items:,} items: p50 / p95 |" for one in found)
    names: Mapping[tuple[str, int], None] = dict.fromkeys(key for one in found for key in one.samples)
    rows = [
        [f"{name}, {clients} at once", *(_both(one.samples[name, clients]) for one in found)]
        for name, clients in sorted(names, key=lambda key: key[1])
    ]
    rows.append(["loading it through the triggers", *(_loaded(one) for one in found)])
    rows.append(["size of the database", *(f"{one.megabytes:,} MiB" for one in found)])
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    about = (
        f"{when}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}. Ten movements an item, 200 locations."
    )
    return f"{about}\n\n" + lines(f"| ms |{heads}", rows)


def _both(samples: Samples) -> str:
    return f"{statistics.median(samples.seconds) * 1e3:.1f} / {samples.percentile(95):.1f}"


def _loaded(found: Found) -> str:
    if found.load_seconds is None:
        return "was there"
    return f"{found.load_seconds:.0f} s, {found.items * 10 / found.load_seconds:,.0f} movements/s"


def _say(text: str) -> None:
    sys.stderr.write(f"[{os.getloadavg()[0]:.1f}] {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
