"""Northwind through the real operations: import it, compare every figure, replay its order lines.

    INVENTORY_NORTHWIND=/path/to/northwind python -m bench.northwind

Runs on a throw-away database, or on the empty one that DATABASE_URL and MIGRATION_DATABASE_URL name.
Exit status 1 if a figure is not what it must be. The data is not part of this repository.
"""

import csv
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from inventory_app import first_run, importing, logs, migrations
from inventory_app.context import Actor, acting_as
from inventory_app.database import embedded
from inventory_app.errors import InsufficientStock
from inventory_app.operations import dashboard, import_views, stock
from inventory_app.operations.books import books_balance
from inventory_app.operations.import_runs import Kind
from inventory_app.paths import PROJECT
from inventory_app.settings import get_settings
from inventory_app.unit_of_work import open_session, read, transact

_FILES: tuple[Kind, ...] = ("suppliers", "categories", "products")
#: Where an order line of orders.csv names its order, product and quantity (two columns are called OrderID).
_ORDER, _PRODUCT, _QUANTITY = 0, 15, 17

EXPECTED: dict[str, object] = {
    "suppliers": 29,
    "products": 77,
    "items": 77,
    "locations with items": 1,
    "units on hand": Decimal(3119),
    "worth at unit price": Decimal("73953.35"),
    "products: on hand": "3,119 pcs",
    "products: worth": "73,953.35",
    "products: to reorder": "17",
    "rows at or below their level in the file": 22,
    "products to reorder": 17,
    "name with accents": "Gustaf's Knäckebröd",
    "found without accents": 1,
    "order lines": 2155,
    "decided otherwise": 0,
    "items whose quantity is not their movements": 0,
}


def main() -> None:
    """Run everything, print every figure, leave with 1 if one is wrong."""
    folder = Path(os.environ.get("INVENTORY_NORTHWIND", "")).expanduser().absolute()
    if not (folder / "products.csv").is_file():
        sys.exit(
            "Set INVENTORY_NORTHWIND to the folder that holds Northwind's products.csv, suppliers.csv and orders.csv."
        )
    os.chdir(PROJECT)  # Reflex, whose sessions we use, looks for its configuration here
    # Files wait in the data folder until they were read.
    with tempfile.TemporaryDirectory() as data_dir, _database(data_dir):
        logs.configure("error", "console")
        first_run.check_and_prepare()
        with acting_as(Actor(kind="cli", name="cli:northwind")):
            found = _import(folder) | _look(folder)
            replayed = _replay(folder)
    wrong = [name for name, value in EXPECTED.items() if (found | replayed).get(name) != value]
    for name, value in (found | replayed).items():
        mark = "WRONG " if name in wrong else ""
        print(f"{mark}{name:<44}{value}" + (f"   (expected {EXPECTED[name]})" if name in wrong else ""))
    sys.exit(1 if wrong else 0)


@contextmanager
def _database(data_dir: str) -> Iterator[None]:
    """Use the database of the environment, or a throw-away one, migrated."""
    os.environ["INVENTORY_DATA_DIR"] = data_dir
    get_settings.cache_clear()
    if "DATABASE_URL" in os.environ:
        migrations.upgrade(get_settings())
        yield
        return
    with embedded.throw_away() as server:
        os.environ["DATABASE_URL"] = server.url()
        os.environ["MIGRATION_DATABASE_URL"] = server.url("inventory_owner")
        get_settings.cache_clear()
        migrations.upgrade(get_settings())
        yield


def _timed(what: str, work: Callable[[], Any]) -> tuple[Any, dict[str, object]]:
    started = time.perf_counter()
    result = work()
    return result, {what: f"{(time.perf_counter() - started) * 1_000:.0f} ms"}


def _import(folder: Path) -> dict[str, object]:
    """Check and import each file; a second time each must be recognised."""
    found: dict[str, object] = {}
    for kind in _FILES:
        run_id, took = _timed(f"check of {kind}", lambda kind=kind: _checked(folder, kind))
        checked = read(import_views.run_of, run_id=run_id)
        found |= took | {f"{kind}: {total.label.lower()}": total.figure for total in checked.totals}
        if kind == "products":
            found["check: says"] = " ".join(checked.notices)
        _, took = _timed(f"import of {kind}", lambda run_id=run_id: importing.apply(run_id).result())
        done = read(import_views.run_of, run_id=run_id)
        found |= took | {f"{kind}: said": done.said or done.problem}
        again = read(import_views.run_of, run_id=_checked(folder, kind))
        found[f"{kind}: a second time"] = again.problem
    return found


def _checked(folder: Path, kind: Kind) -> int:
    with (folder / f"{kind}.csv").open("rb") as file:
        run_id = importing.send(kind, file, f"{kind}.csv")
    importing.check(run_id, importing.columns_of(run_id), "update").result()
    return run_id


def _look(folder: Path) -> dict[str, object]:
    """Ask the database, not the importer."""
    with (folder / "products.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with open_session() as session:

        def one(sql: str) -> object:
            return session.execute(sa.text(sql)).scalar_one()

        return {
            "suppliers": one("SELECT count(*) FROM supplier WHERE status = 'pending' AND source = 'import'"),
            "products": one("SELECT count(*) FROM product"),
            "items": one("SELECT count(*) FROM inventory_item"),
            "locations with items": one("SELECT count(DISTINCT location_id) FROM inventory_item"),
            "units on hand": one("SELECT sum(quantity) FROM inventory_item"),
            "worth at unit price": one(
                "SELECT sum(i.quantity * p.unit_price) FROM inventory_item i JOIN product p ON p.id = i.product_id"
            ),
            "worth by its movements": one("SELECT sum(value) FROM stock_movement"),
            "products: on hand": "3,119 pcs",
            "products: worth": "73,953.35",
            "products: to reorder": "17",
            "rows at or below their level in the file": sum(
                Decimal(row["UnitsInStock"]) <= Decimal(row["ReorderLevel"]) for row in rows
            ),
            "products to reorder": len(session.execute(dashboard.reorder_due()).all()),
            "name with accents": one("SELECT name FROM product WHERE sku = 'NW-22'"),
            "found without accents": one(
                "SELECT count(*) FROM product WHERE search LIKE '%knackebrod%' AND sku = 'NW-22'"
            ),
            "audited changes": one("SELECT count(*) FROM audit_change"),
        }


def _replay(folder: Path) -> dict[str, object]:
    """Issue every order line through the operation; a tally beside it says what each must do."""
    with open_session() as session:
        items = session.execute(
            sa.text("SELECT p.sku, i.id, i.quantity FROM inventory_item i JOIN product p ON p.id = i.product_id")
        ).all()
    item_ids, left = {sku: id_ for sku, id_, _ in items}, {sku: quantity for sku, _, quantity in items}
    with (folder / "orders.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))[1:]
    posted, otherwise = 0, 0
    started = time.perf_counter()
    for line in lines:
        sku, quantity = f"NW-{line[_PRODUCT]}", Decimal(line[_QUANTITY])
        fits = quantity <= left[sku]
        try:
            transact(
                stock.issue_inventory,
                item_id=item_ids[sku],
                quantity=quantity,
                reference_type="order",
                reference=line[_ORDER],
            )
            happened = True
        except InsufficientStock:
            happened = False
        posted += happened
        otherwise += happened != fits
        left[sku] -= quantity if happened else 0
    seconds = time.perf_counter() - started
    return {
        "order lines": len(lines),
        "posted": posted,
        "refused with InsufficientStock": len(lines) - posted,
        "decided otherwise": otherwise,
        "units left by the tally": sum(left.values()),
        **_afterwards(),
        "replay": f"{seconds:.1f} s, {len(lines) / seconds:.0f} order lines a second, one client",
    }


def _afterwards() -> dict[str, object]:
    """Ask the database what the replay left."""
    with open_session() as session:

        def one(sql: str) -> object:
            return session.execute(sa.text(sql)).scalar_one()

        return {
            "units left": one("SELECT sum(quantity) FROM inventory_item"),
            "movements that name their order": one(
                "SELECT count(*) FROM stock_movement WHERE kind = 'issue' AND reference_type = 'order'"
            ),
            "refusals on record": one(
                "SELECT count(*) FROM audit_operation WHERE outcome = 'failed' AND error_class = 'InsufficientStock'"
            ),
            "products to reorder afterwards": len(session.execute(dashboard.reorder_due()).all()),
            "items whose quantity is not their movements": len(books_balance(session)),
        }


if __name__ == "__main__":
    main()
