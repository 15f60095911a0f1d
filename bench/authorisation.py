"""What deciding costs: `python -m bench.authorisation [--seconds 3]`, under a minute.

Microseconds that one operation spends on who may: the check alone inside the database, and one-row transactions with
and without it, taken in turn one by one; its share of a transfer through the application's own code. Then how much is
decided: operations and handlers, by whom they are tried. A throw-away durable cluster, as in `bench.run`.
"""

import argparse
import importlib
import pkgutil
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal

import psycopg
from reflex_base.registry import RegistrationContext

import inventory_app.operations
from bench import capture, stage, stock_data
from bench.stage import address
from inventory_app import logs
from inventory_app.context import Actor, acting_as
from inventory_app.database.embedded import Server
from inventory_app.operations import stock
from inventory_app.operations._operation import OPERATIONS, QUERIES
from inventory_app.operations.sessions import hash_token
from inventory_app.paths import DATABASE, SUPERUSER_ROLE
from inventory_app.permissions import DEFAULT_ROLES
from inventory_app.unit_of_work import open_session, transact

PRODUCTS = 400
_CHECKS = 2_000
#: The token depends on the row, so that the planner cannot decide once for all of them.
_ALONE = (
    "SELECT count(p.user_id) FROM generate_series(1, %s) n, LATERAL audit_person(%s || left(n::text, 0), %s, false,"
    " false, NULL) p"
)
_EVERYTHING, _WITHOUT = "everything", "without the permission check"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.authorisation", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    seconds = parser.parse_args().seconds
    with stage.folder() as data_dir:
        stage.enter_environment(data_dir, stage.free_port())
        logs.configure("warning", "json")
        with stage.cluster(data_dir) as server:
            data = stock_data.load(PRODUCTS)
            with _copies(server, data) as works:
                full, bare = _in_turn(works, seconds)
            alone, nothing = _alone(server, data, "inventory:adjust"), _alone(server, data, None)
            transfer = _median(_transfer(data), seconds)
            _dispose()
    added = statistics.median(one - other for one, other in zip(full, bare, strict=True))
    _say("one decision", "µs", "share of a transfer")
    _say("---", "---", "---")
    _say(
        "the check inside the database: session, account, second factor, permission",
        f"{alone:.0f}",
        _of(alone, transfer),
    )
    _say("of that, the permission", f"{alone - nothing:.0f}", _of(alone - nothing, transfer))
    _say("a one-row transaction with it, less one without", f"{added:.0f}", _of(added, transfer))
    _say("a one-row transaction with it", f"{statistics.median(full):.0f}", _of(statistics.median(full), transfer))
    _say("a transfer, through the application's code", f"{transfer:.0f}", "100 %")
    _coverage()


def _say(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def _of(part: float, whole: float) -> str:
    return f"{part / whole:.1%}"


@contextmanager
def _copies(server: Server, data: stock_data.Data) -> Iterator[list[Callable[[], None]]]:
    """A transaction on a copy that decides and one on a copy that does not: the application has no such switch."""
    variants = {variant.name: variant for variant in capture.VARIANTS}
    with ExitStack() as stack:
        works: list[Callable[[], None]] = []
        for number, name in enumerate((_EVERYTHING, _WITHOUT)):
            copy = f"{capture.COPY}{number}"
            server.create_database(copy, template=DATABASE)
            stack.callback(server.drop_database, copy)
            with psycopg.connect(address(server, copy, SUPERUSER_ROLE)) as connection:
                for change in variants[name].changes:
                    connection.execute(change.encode())
            opened = stack.enter_context(psycopg.connect(address(server, copy)))
            works.append(capture.one_row(opened, data, opened=True))
        yield works


def _in_turn(works: list[Callable[[], None]], seconds: float) -> tuple[list[float], list[float]]:
    """Run both in turn, first one and then the other first; returns the microseconds of each, pair by pair."""
    for work in works:
        for _ in range(50):
            work()
    took: tuple[list[float], list[float]] = ([], [])
    order, until = [0, 1], time.perf_counter() + 2 * seconds
    while time.perf_counter() < until:
        for which in order:
            took[which].append(_timed(works[which]))
        order.reverse()
    return took


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e6


def _median(work: Callable[[], object], seconds: float) -> float:
    for _ in range(50):
        work()
    took, until = list[float](), time.perf_counter() + seconds
    while time.perf_counter() < until:
        took.append(_timed(work))
    return statistics.median(took)


def _alone(server: Server, data: stock_data.Data, permission: str | None) -> float:
    """Return the microseconds of one check, without any way to the database and back; the best of several rounds."""
    with psycopg.connect(address(server, DATABASE, SUPERUSER_ROLE)) as connection:
        asked = (_CHECKS, hash_token(data.tokens[0]), permission)
        rounds = [_timed(lambda: connection.execute(_ALONE, asked).fetchone()) for _ in range(6)]
    return min(rounds) / _CHECKS


def _transfer(data: stock_data.Data) -> Callable[[], object]:
    actor = Actor(kind="user", name="bench", token_hash=hash_token(data.tokens[0]), client_ip="127.0.0.1")

    def work() -> object:
        one, other = random.choice(data.pairs)  # noqa: S311  # no secret
        if random.random() < 0.5:  # noqa: S311  # there and back, so that nothing runs out
            one, other = other, one
        with acting_as(actor):
            return transact(stock.transfer_inventory, from_item_id=one, to_item_id=other, quantity=Decimal(1))

    return work


def _dispose() -> None:
    with open_session() as session:
        engine = session.connection().engine
    engine.dispose()


def _coverage() -> None:
    """Print what the generated tests try, counted from the registries they enumerate."""
    for module in pkgutil.iter_modules(inventory_app.operations.__path__):
        importlib.import_module(f"{inventory_app.operations.__name__}.{module.name}")
    importlib.import_module("inventory_app.pages")
    found = RegistrationContext.get().event_handlers.values()
    declared = [one for one in (getattr(entry.handler.fn, "declared_action", None) for entry in found) if one]
    doors = len(OPERATIONS) + len(QUERIES)
    # Besides the roles: somebody without any, a stranger, a machine; and who must choose a password first.
    of_doors, of_handlers = len(DEFAULT_ROLES) + 3, len(DEFAULT_ROLES) + 3
    print(
        f"\n{len(OPERATIONS)} operations and {len(QUERIES)} queries, each tried as {of_doors} kinds of people: "
        f"{doors * of_doors} decisions (tests/operations/test_doors.py).\n"
        f"{len(declared)} handlers that a browser can call, each as {of_handlers} kinds: "
        f"{len(declared) * of_handlers} (tests/states/test_doors.py); {sum(one.public for one in declared)} of them "
        f"public, {sum(one.permission is None and not one.public for one in declared)} for everybody who is signed in."
    )


if __name__ == "__main__":
    main()
