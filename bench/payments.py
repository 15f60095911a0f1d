"""Payments a second: `python -m bench.payments [--seconds 5]`, under a minute.

Sixteen people pay at once through the application's own code: each an invoice of their own, parts of one and the same
invoice, and all of one invoice, which exactly one of them may do while the others are told so. On a throw-away durable
cluster, as in `bench.run`, capture and fsync on.
"""

import argparse
import itertools
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session

from bench import stage, stock_data
from inventory_app import logs
from inventory_app.context import Actor, acting_as, system_actor
from inventory_app.errors import AlreadyDecided
from inventory_app.operations import payments
from inventory_app.operations._operation import OPERATIONS, operation
from inventory_app.operations.sessions import hash_token
from inventory_app.unit_of_work import open_session, transact

CLIENTS = 16
INVOICES = 20_000
ROUNDS = 30
_PART = Decimal("0.01")

_BILLS = (
    # Everybody pays; the last one has entered and released the account, and does nothing else.
    "UPDATE user_role SET role_id = (SELECT id FROM role WHERE name = 'accountant')",
    "INSERT INTO supplier (name, sort_key, status, source, submitted_at, version)"
    " SELECT 'Supplier ' || n, 'supplier ' || n, 'approved', 'staff', now(), 1 FROM generate_series(1, 100) n",
    "INSERT INTO supplier_bank_account (supplier_id, holder, iban, currency, status, entered_at, released_by,"
    "  released_at, version)"
    " SELECT id, name, 'NO9386011117947', 'USD', 'released', now(), (SELECT max(id) FROM local_user), now(), 1"
    " FROM supplier",
    "INSERT INTO supplier_invoice (supplier_id, kind, number, invoice_date, due_on, currency, rate, net, tax, gross,"
    "  paid, status, matched_at, recorded_at, version)"
    " SELECT 1 + n % 100, 'invoice', 'R-' || n, current_date, current_date, 'USD', 1, 100, 0, 100, 0, 'matched', now(),"
    "  now(), 1 FROM generate_series(1, :invoices) n",
)


@operation(machine=True, name="bench.bills")
def _bills(session: Session, *, invoices: int) -> None:
    """Fill the tables with one statement each; the triggers record every row."""
    session.execute(sa.text("SET LOCAL statement_timeout = '10min'"))
    for statement in _BILLS:
        session.execute(sa.text(statement), {"invoices": invoices} if ":invoices" in statement else {})


OPERATIONS.pop("bench.bills")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.payments", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    seconds = parser.parse_args().seconds
    with stage.folder() as data_dir:
        stage.enter_environment(data_dir, stage.free_port())
        os.environ["INVENTORY_DB_THREADS"] = str(CLIENTS)
        os.environ["SQLALCHEMY_POOL_SIZE"] = str(CLIENTS)
        stage.get_settings.cache_clear()
        logs.configure("error", "json")
        with stage.cluster(data_dir):
            data = stock_data.load(40)
            with acting_as(system_actor("bench")):
                transact(_bills, invoices=INVOICES)
            _measure(data, seconds)
            _dispose()


def _measure(data: stock_data.Data, seconds: float) -> None:
    with open_session() as session:
        ids = {row.username: row.id for row in session.execute(sa.text("SELECT id, username FROM local_user"))}
    people = [
        Actor(kind="user", name=f"bench{at}", id=ids[f"bench{at}"], token_hash=hash_token(token), client_ip="127.0.0.1")
        for at, token in enumerate(data.tokens[:CLIENTS], 1)
    ]
    fresh = itertools.count(1)
    one = next(fresh)
    _say("payments", "/s", "p50 / p95 ms")
    _say("---", "---", "---")
    alone = _rate(people[:1], seconds, lambda: next(fresh), None)
    _say("invoices of their own, 1 client", *alone)
    _say(f"invoices of their own, {CLIENTS} clients", *_rate(people, seconds, lambda: next(fresh), None))
    _say(f"parts of one invoice, {CLIENTS} clients", *_rate(people, seconds, lambda: one, _PART))
    won, told, slowest = _races(people, fresh)
    print(
        f"\n{ROUNDS} times {CLIENTS} clients paid one invoice at once: {won} paid, {told} were told that it is paid, "
        f"the last of a round after {slowest:.0f} ms (median)."
    )


def _rate(people: list[Actor], seconds: float, invoice: Callable[[], int], amount: Decimal | None) -> tuple[str, str]:
    """Pay as fast as these people can; returns payments a second, and how long one takes."""
    taken: list[float] = []
    until = time.perf_counter() + seconds

    def work(actor: Actor) -> None:
        with acting_as(actor):
            while time.perf_counter() < until:
                began = time.perf_counter()
                transact(payments.process_payment, invoice_id=invoice(), amount=amount)
                taken.append(time.perf_counter() - began)

    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(work, people))
    cuts = statistics.quantiles(taken, n=20)
    return f"{len(taken) / seconds:,.0f}", f"{statistics.median(taken) * 1000:.1f} / {cuts[-1] * 1000:.1f}"


def _races(people: list[Actor], fresh: Iterator[int]) -> tuple[int, int, float]:
    """Let everybody pay the same invoice at once, again and again."""
    won = told = 0
    rounds: list[float] = []
    for _ in range(ROUNDS):
        invoice, together = next(fresh), threading.Barrier(len(people))

        def work(actor: Actor, invoice: int = invoice, together: threading.Barrier = together) -> tuple[bool, float]:
            with acting_as(actor):
                together.wait()
                began = time.perf_counter()
                try:
                    transact(payments.process_payment, invoice_id=invoice)
                except AlreadyDecided:
                    return False, time.perf_counter() - began
                return True, time.perf_counter() - began

        with ThreadPoolExecutor(len(people)) as pool:
            ends = list(pool.map(work, people))
        won, told = won + sum(one for one, _ in ends), told + sum(not one for one, _ in ends)
        rounds.append(max(taken for _, taken in ends) * 1000)
    return won, told, statistics.median(rounds)


def _dispose() -> None:
    with open_session() as session:
        engine = session.connection().engine
    engine.dispose()


def _say(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
