"""All figures in one command: `python -m bench.run [--quick]`.

Starts a durable cluster and the application of its own, loads the catalogue, measures in interleaved rounds, prints
the tables and writes them into docs/benchmarks.md, between its two marks: what people wrote around these stays.
`--quick` takes a minute or two and writes nothing unless `--write` asks for it.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench import browser, capture, floors, load, report, stage, starts, stock_data
from bench.report import Results
from inventory_app import logs
from inventory_app.database.embedded import Server
from inventory_app.operations.books import books_balance
from inventory_app.paths import DATABASE, PROJECT, SUPERUSER_ROLE
from inventory_app.unit_of_work import open_session

PRODUCTS = 10_000
FLOOR_THREADS = (1, 4, 8)
OPEN_TABS = 50
SCRIPTS = {"pgbench, 8 statements": "steps.sql", "pgbench, one statement": "statement.sql"}


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, nothing written")
    parser.add_argument("--write", action="store_true", help="write the page after a quick run too")
    parser.add_argument(
        "--no-cold", action="store_true", help="leave out the cold `make run`, which downloads packages"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each slice of load")
    asked = parser.parse_args()
    if asked.quick:
        asked.rounds, asked.seconds, asked.no_cold = 1, 2.0, True
    with tempfile.TemporaryDirectory() as place:
        log = Path(place) / "application.log"
        results = _measure(asked.rounds, asked.seconds, log)
        results.second_starts = starts.second_starts(1 if asked.quick else 3, log)
        if not asked.no_cold:
            results.cold_run = starts.cold_run(log)
    table = report.table(results)
    sys.stdout.write(table + "\n")
    if asked.write or not asked.quick:
        report.write(PROJECT / "docs" / "benchmarks.md", table)


def _measure(rounds: int, seconds: float, log: Path) -> Results:
    with stage.folder() as data_dir:
        port = stage.free_port()
        stage.enter_environment(data_dir, port)
        logs.configure("warning", "json")
        results = Results.begin(rounds, seconds, PRODUCTS)
        with stage.cluster(data_dir) as server:
            data = stock_data.load(PRODUCTS)
            floors.make_copy(server)
            _settle(server, DATABASE, floors.COPY)
            results.capture = capture.measure(server, data, rounds, min(seconds, 2.0))
            before = _pieces(server)
            with stage.Application(port, log).running() as application:
                _rounds(results, Running(server, application, data, seconds), rounds)
                _standing(results, application, data, quick=rounds == 1)
            results.books = report.books(_unbalanced(), conserved=_pieces(server) == before)
        results.end()
    return results


def _settle(server: Server, *databases: str) -> None:
    """Do now what autovacuum would begin in the middle of a slice."""
    for name in databases:
        with psycopg.connect(stage.address(server, name, SUPERUSER_ROLE), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")


@dataclass(frozen=True)
class Running:
    """What the slices of a round are measured on."""

    server: Server
    application: stage.Application
    data: stock_data.Data
    seconds: float


def _rounds(results: Results, on: Running, rounds: int) -> None:
    for turn in range(rounds):
        _say(f"round {turn + 1} of {rounds}")
        for threads in FLOOR_THREADS:
            pool = floors.Threads(on.server, threads, on.data.pairs)
            results.add(f"psycopg/{threads}", pool.driver(on.seconds))
            results.add(f"SQLAlchemy Core/{threads}", pool.core(on.seconds))
            results.add(f"ORM/{threads}", pool.orm(on.seconds))
            pool.close()
        for name, script in SCRIPTS.items():
            for clients in (1, 16):
                results.add(f"{name}/{clients}", floors.pgbench(on.server, on.data, script, clients, on.seconds))
        _application(results, on)


def _application(results: Results, on: Running) -> None:
    base, data, seconds = on.application.base, on.data, on.seconds
    for clients in (1, 8, 16):
        results.add(f"transfers/{clients}", asyncio.run(load.transfers(base, data, clients, seconds)))
    results.add("two items/16", asyncio.run(load.two_items(base, data, 16, seconds)))
    for name, work, times in (("bulk", load.bulk_updates, 20), ("create", load.creations, 30)):
        saved = asyncio.run(work(base, data, times))
        results.add(name, saved.toast)
        results.add(f"{name}, listed", saved.listed)
    for name, samples in asyncio.run(load.lists(base, data, 30)).items():
        results.add(f"list, {name}", samples)


def _standing(results: Results, application: stage.Application, data: stock_data.Data, *, quick: bool) -> None:
    """What is not measured in rounds: memory, scripts, the browser."""
    _say("memory and browser")
    application.stop()
    application.start()
    results.memory_idle = starts.memory(application)
    results.memory_open = asyncio.run(starts.memory_with_tabs(application, data, OPEN_TABS))
    chromium = browser.chromium()
    if chromium is None:
        _say("no Chromium found: the browser's figures are left out (set CHROMIUM)")
        return
    token, times = data.tokens[0], 5 if quick else 30
    results.weights = asyncio.run(browser.weights(chromium, application.base, token))
    results.paints = asyncio.run(browser.first_paints(chromium, application.base, token, times))
    results.click = asyncio.run(browser.click_to_toast(chromium, application.base, token, times))


def _pieces(server: Server) -> object:
    """Return how many pieces there are of what is only ever transferred."""
    with psycopg.connect(stage.address(server, DATABASE, SUPERUSER_ROLE)) as connection:
        return connection.execute(
            "SELECT sum(i.quantity) FROM inventory_item i JOIN product p ON p.id = i.product_id WHERE p.id <= 1000"
        ).fetchone()


def _unbalanced() -> int:
    with open_session() as session:
        found = len(books_balance(session))
        engine = session.connection().engine
    engine.dispose()
    return found


def _say(text: str) -> None:
    sys.stderr.write(f"[{os.getloadavg()[0]:.1f}] {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
