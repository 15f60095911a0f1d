"""What an order of 200 lines takes: `python -m bench.orders [--lines 200] [--rounds 30]`.

In a durable throw-away cluster, in this process, audited, on the terms of a supplier that has them all: written as a
draft, written anew with every line changed, submitted to others, its page read. Prints the table and writes it
into docs/benchmarks.md between its two marks.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from bench import stage
from bench.report import lines, write_between
from inventory_app import first_run, logs, migrations
from inventory_app.context import Actor, acting_as
from inventory_app.models.catalog import Location, Product, SupplierProduct
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import orders
from inventory_app.operations._operation import OPERATIONS, operation
from inventory_app.operations._order_lines import LineInput
from inventory_app.operations.orders import Head
from inventory_app.paths import PROJECT
from inventory_app.settings import get_settings
from inventory_app.unit_of_work import read, transact

MARKS = ("<!-- orders: begin (written by python -m bench.orders) -->", "<!-- orders: end -->")
_P95 = 0.95


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(prog="python -m bench.orders", description=__doc__)
    parser.add_argument("--lines", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--no-write", action="store_true", help="print only")
    asked = parser.parse_args()
    table = _table(asked.lines, _measure(asked.lines, asked.rounds))
    sys.stdout.write(table + "\n")
    if not asked.no_write:
        write_between(PROJECT / "docs" / "benchmarks.md", table, *MARKS)


def _measure(number: int, rounds: int) -> dict[str, list[float]]:
    with stage.folder() as data_dir:
        stage.enter_environment(data_dir, stage.free_port())
        logs.configure("warning", "json")
        with stage.cluster(data_dir):
            migrations.upgrade(get_settings())
            first_run.check_and_prepare()
            with acting_as(Actor(kind="cli", name="cli:bench")):
                head, given = transact(_stock_up, number=number)
                _round(head, given, {})  # what is only built once
                found: dict[str, list[float]] = {}
                for _ in range(rounds):
                    _round(head, given, found)
                return found


@operation(machine=True, name="bench.stock_up")
def _stock_up(session: Session, *, number: int) -> tuple[Head, list[LineInput]]:
    place = session.scalars(sa.select(Location).limit(1)).one()
    seller = Supplier(name="Acme", status="approved")
    products = [Product(sku=f"P{one:04d}", name=f"Bolt M{one} zinc", currency="USD") for one in range(number)]
    session.add_all([seller, *products])
    session.flush()
    sold_by: dict[str, Any] = {"supplier_id": seller.id or 0, "cost": Decimal("12.34"), "currency": "USD"}
    session.add_all(SupplierProduct(product_id=one.id or 0, **sold_by) for one in products)
    return Head(seller.id or 0, place.id or 0), [LineInput(Decimal(3), one.id) for one in products]


OPERATIONS.pop("bench.stock_up")


def _round(head: Head, given: list[LineInput], found: dict[str, list[float]]) -> None:
    def timed(what: str, act: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        made = act()
        found.setdefault(what, []).append((time.perf_counter() - began) * 1_000)
        return made

    made = timed("written as a draft", lambda: transact(orders.create_order, head=head, lines=given))
    known = read(orders.order_form, order_id=made.order_id)
    if known is None:
        raise RuntimeError(made)
    ids = [line.id for line in known.lines]
    anew = [replace(line, line_id=id_, quantity=Decimal(4)) for line, id_ in zip(given, ids, strict=True)]
    made = timed(
        "every line changed",
        lambda: transact(orders.update_order, order_id=made.order_id, version=made.version, head=head, lines=anew),
    )
    step: dict[str, Any] = {"order_id": made.order_id, "version": made.version}
    timed("submitted", lambda: transact(orders.submit_order, **step))
    timed("its page read", lambda: read(orders.order_detail, order_id=made.order_id))


def _table(number: int, found: dict[str, list[float]]) -> str:
    head = f"| an order of {number} lines, ms | p50 | p95 |"
    rows = [
        [what, f"{statistics.median(times):.1f}", f"{sorted(times)[int(len(times) * _P95)]:.1f}"]
        for what, times in found.items()
    ]
    return f"{lines(head, rows)}\n\nLoad average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores."


if __name__ == "__main__":
    main()
