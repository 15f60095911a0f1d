"""What matching costs: `python -m bench.invoices [--lines 200] [--rounds 30]`, under a minute.

An order of so many lines, each received and invoiced on three papers: reading and finding the match of one of them,
finding it for all three again when goods come, recording one more, and the query behind its page. A throw-away durable
cluster, as in `bench.run`; the match alone is what the goal of 150 ms is about.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col

from bench import stage
from inventory_app import first_run, logs, migrations
from inventory_app.context import acting_as, system_actor
from inventory_app.models.catalog import Location, Product
from inventory_app.models.purchasing import OrderStatus, PurchaseOrder, PurchaseOrderLine, SupplierInvoice
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.operations import _matching, invoices
from inventory_app.operations._invoice_fields import LineIn
from inventory_app.operations._operation import OPERATIONS, operation
from inventory_app.settings import get_settings
from inventory_app.unit_of_work import open_session, read, transact

_PAPERS = 3
_EACH = Decimal(10)
_DAY = date(2026, 11, 20)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.invoices", description=__doc__)
    parser.add_argument("--lines", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=30)
    asked = parser.parse_args()
    with stage.folder() as data_dir:
        stage.enter_environment(data_dir, stage.free_port())
        logs.configure("warning", "json")
        with stage.cluster(data_dir), acting_as(system_actor("bench")):
            migrations.upgrade(get_settings())
            first_run.mirror_permissions()
            lines = transact(_order, lines=asked.lines)
            made = [_record(f"SB-{number}", lines) for number in range(_PAPERS)]
            _say(f"{asked.lines} lines, each on {_PAPERS} papers", "p50, ms", "p95, ms")
            _say("---", "---", "---")
            _report("read and match one invoice", lambda: _match(made[-1]), asked.rounds)
            _report("match all of them again (goods come)", lambda: transact(_again, line_id=lines[0]), asked.rounds)
            _report("the query of its page", lambda: _page(made[-1]), asked.rounds)
            numbers = iter(range(1_000_000))
            rounds = max(3, asked.rounds // 3)
            _report("record one more, matched at once", lambda: _record(f"N-{next(numbers)}", lines), rounds)


def _say(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def _report(what: str, work: Callable[[], object], rounds: int) -> None:
    took: list[float] = []
    for turn in range(rounds + 2):
        began = time.perf_counter()
        work()
        if turn > 1:
            took.append((time.perf_counter() - began) * 1_000)
    _say(what, f"{statistics.median(took):.0f}", f"{sorted(took)[int(len(took) * 0.95)]:.0f}")


def _record(number: str, lines: list[int]) -> int:
    typed = [LineIn("", _EACH, Decimal(2), order_line_id=line) for line in lines]
    gross = _EACH * 2 * len(lines)
    return transact(invoices.record_invoice, number=number, invoice_date=_DAY, lines=typed, gross=gross).invoice_id


def _match(invoice_id: int) -> None:
    with open_session() as session:
        found = _matching.load(session, [invoice_id]).match(invoice_id)
    if not found.lines or found.agrees:
        message = "the last of the papers must be blocked"
        raise RuntimeError(message)


def _page(invoice_id: int) -> None:
    read(invoices.invoice_detail, invoice_id=invoice_id)


@operation(machine=True, name="bench.again")
def _again(session: Session, *, line_id: int) -> None:
    """Let one more arrive than there was, and match everything about the order."""
    line = session.get_one(PurchaseOrderLine, line_id)
    session.get_one(PurchaseOrder, line.order_id, with_for_update=True)
    line.received += 1 if line.received < line.receivable else -1
    _matching.rematch(session, [line.order_id])
    session.execute(sa.select(sa.func.count()).select_from(SupplierInvoice))


@operation(machine=True, name="bench.order")
def _order(session: Session, *, lines: int) -> list[int]:
    """Place an order of so many products, two thirds of which came."""
    supplier = Supplier(name="Bench", status=SupplierStatus.APPROVED)
    place = Location(code="BENCH", name="Bench")
    session.add_all([supplier, place])
    products = [Product(sku=f"B{number}", name=f"B{number}", currency="USD", search="b") for number in range(lines)]
    session.add_all(products)
    session.flush()
    order = PurchaseOrder(
        number="PO-BENCH",
        supplier_id=supplier.id or 0,
        status=OrderStatus.ORDERED,
        currency="USD",
        location_id=place.id or 0,
    )
    session.add(order)
    session.flush()
    wanted = _EACH * _PAPERS
    made = [
        PurchaseOrderLine(
            order_id=order.id or 0,
            position=position,
            product_id=product.id,
            description=product.name,
            quantity=wanted,
            unit_cost=Decimal(2),
            receivable=wanted,
            received=wanted - _EACH,
        )
        for position, product in enumerate(products, start=1)
    ]
    session.add_all(made)
    session.flush()
    found = sa.select(col(PurchaseOrderLine.id)).where(col(PurchaseOrderLine.order_id) == order.id)
    return [line or 0 for line in session.scalars(found.order_by(col(PurchaseOrderLine.position)))]


for _name in ("bench.again", "bench.order"):
    OPERATIONS.pop(_name)

if __name__ == "__main__":
    main()
