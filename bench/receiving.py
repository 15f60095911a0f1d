"""How long it takes to receive an order of 200 lines: `python -m bench.receiving`, against a throw-away cluster.

Four ways, each of which a delivery can be: products that are at the place already, products that are new there, products
that are kept by lot, and a receipt that is taken back.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

from inventory_app import logs
from inventory_app.context import acting_as
from inventory_app.database import embedded
from inventory_app.first_run import mirror_permissions
from inventory_app.operations._receipt_books import Booked
from inventory_app.operations._receipt_lines import Came
from tests.factories import item, person, product
from tests.fixtures import database as fixture
from tests.operations.ordered import came, correct, ordered

LINES, ROUNDS = 200, 30
GOAL_MS = 250.0


def timed(function: Callable[[], Booked]) -> tuple[float, Booked]:
    """Return how many milliseconds it took, and what came of it."""
    begun = time.perf_counter()
    done = function()
    return (time.perf_counter() - begun) * 1000, done


def receive(products: Sequence[int | None], place: int | None, lot: str = "") -> tuple[float, Booked]:
    """Place an order of these products, and time how long it takes to receive most of it."""
    wanted = [{"product_id": made, "quantity": Decimal(10)} for made in products]
    order = ordered(*wanted, place=place, rate=Decimal("1.0871"), currency="GBP")
    rows = [Came(line, Decimal(7), lot_code=lot and f"{lot}-{order.id}") for line in order.lines]
    return timed(lambda: came(order, *rows))


def taken_back(products: Sequence[int | None], place: int) -> float:
    """Receive, and time how long it takes to take that back."""
    _, done = receive(products, place)
    return timed(lambda: correct(done.receipt_id))[0]


def measure() -> bool:
    """Measure each way, print the figures, and tell whether the goal is met."""
    ann = person("ann", "manager")
    kept = [product(f"KEPT-{n}", unit_cost=Decimal(1)).id for n in range(LINES)]
    lots = [product(f"LOT-{n}", lots_kept=True).id for n in range(LINES)]
    place = ordered({"quantity": Decimal(1)}).location
    for made in kept:
        item(made, place, 5)
    ways: dict[str, Callable[[], float]] = {
        "products that are there": lambda: receive(kept, place)[0],
        "products that are new at the place": lambda: receive(kept, None)[0],
        "a new lot of each": lambda: receive(lots, place, "L")[0],
        "taken back": lambda: taken_back(kept, place),
    }
    met = True
    with acting_as(ann):
        for way, run in ways.items():
            run()
            times = sorted(run() for _ in range(ROUNDS))
            p95 = times[round(0.95 * (ROUNDS - 1))]
            met &= p95 <= GOAL_MS
            print(
                f"{LINES} lines, {way}: least {times[0]:.0f} ms, median {statistics.median(times):.0f}, p95 {p95:.0f}"
            )
    return met


def main() -> int:
    """Measure on a cluster that is thrown away."""
    fixture.pytest_configure()
    logs.configure("warning", "json")
    folder = Path(tempfile.mkdtemp(prefix="bench-receiving-")) / "data"
    with embedded.throw_away(folder, pg_bin=fixture.PG_BIN) as server:
        name = f"bench_{uuid4().hex[:8]}"
        server.create_database(name)
        with fixture.reached_by_the_application(server, name) as database:
            fixture.migrate(database)
            mirror_permissions()
            return 0 if measure() else 1


if __name__ == "__main__":
    sys.exit(main())
