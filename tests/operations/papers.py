"""Orders, and what suppliers want for them, for tests: rows as the operations leave them behind."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import col, select

from inventory_app.models.purchasing import OrderStatus, PurchaseOrder, PurchaseOrderLine, SupplierInvoice
from inventory_app.operations import _matching, invoices
from inventory_app.operations._invoice_fields import LineIn
from inventory_app.operations._money import of_line, total
from inventory_app.unit_of_work import transact
from tests.factories import arrange, location, product

DAY = date(2026, 11, 20)


@dataclass(frozen=True)
class Want:
    """A line to be ordered: kept in stock unless it is said not to be."""

    quantity: Decimal | int = 40
    cost: Decimal | str | int = 10
    tax: Decimal | int = 0
    received: Decimal | int = 0
    given_up: Decimal | int = 0
    stock: bool = True


@dataclass(frozen=True)
class Placed:
    """An order and the ids of its lines."""

    id: int
    lines: list[int]
    supplier_id: int


#: Far beyond what a running server draws itself.
_made = iter(range(9_001, 10**9))


def order(supplier_id, *wants, status=OrderStatus.ORDERED, currency="USD", rate=1, created_by=None, **columns):
    """Add an order that is with its supplier, some of which may have come."""
    number = next(_made)
    place = location(f"DOCK{number}")
    products = [product(f"CNF-{number}-{at}") if want.stock else None for at, want in enumerate(wants)]

    def build(session) -> Placed:
        row = PurchaseOrder(
            number=None if status == OrderStatus.DRAFT else f"PO-2026-{number:04d}",
            supplier_id=supplier_id,
            status=status,
            currency=currency,
            rate=Decimal(rate),
            location_id=place.id or 0,
            total=sum((of_line(Decimal(w.quantity), Decimal(w.cost)).net for w in wants), Decimal(0)),
            created_by=created_by,
            **columns,
        )
        session.add(row)
        session.flush()
        lines = [
            PurchaseOrderLine(
                order_id=row.id or 0,
                position=position,
                product_id=made.id if made else None,
                description=made.name if made else f"Service {position}",
                quantity=Decimal(want.quantity),
                unit_cost=Decimal(want.cost),
                tax_percent=Decimal(want.tax),
                receivable=Decimal(want.quantity) * 2,
                received=Decimal(want.received),
                given_up=Decimal(want.given_up),
            )
            for position, (want, made) in enumerate(zip(wants, products, strict=True), start=1)
        ]
        session.add_all(lines)
        session.flush()
        return Placed(row.id or 0, [line.id or 0 for line in lines], supplier_id)

    return arrange(build)


def came(placed, line=0, received=0):
    """Let so much have come of a line, and match again as receiving does."""

    def build(session) -> None:
        session.get(PurchaseOrder, placed.id, with_for_update=True)
        row = session.get_one(PurchaseOrderLine, placed.lines[line])
        row.received = Decimal(received)
        _matching.rematch(session, [placed.id])

    arrange(build)


def becomes(placed, **columns):
    """Change an order, and match again as its operations do."""

    def build(session) -> None:
        row = session.get_one(PurchaseOrder, placed.id, with_for_update=True)
        for name, value in columns.items():
            setattr(row, name, value)
        _matching.rematch(session, [placed.id])

    arrange(build)


def line(order_line_id=None, quantity=1, cost=10, tax=0, description="") -> LineIn:
    """Type a line."""
    text = description or ("" if order_line_id else "Freight")
    return LineIn(text, Decimal(quantity), Decimal(cost), Decimal(tax), order_line_id)


def gross_of(lines) -> Decimal:
    """Reckon what the lines come to."""
    return total(of_line(one.quantity, one.unit_cost, one.tax_percent) for one in lines).gross


def record(number, *lines, key=None, **typed):
    """Record an invoice; its total is what its lines come to unless it is typed."""
    arguments = {"invoice_date": DAY} | ({} if "gross" in typed else {"gross": gross_of(lines)}) | typed
    return transact(invoices.record_invoice, number=number, lines=list(lines), idempotency_key=key, **arguments)


def credit(number, *lines, **typed):
    """Record a credit note; its total is what its lines come to unless it is typed."""
    arguments = {"invoice_date": DAY} | ({} if "gross" in typed else {"gross": gross_of(lines)}) | typed
    return transact(invoices.record_credit_note, number=number, lines=list(lines), **arguments)


def paper(number) -> SupplierInvoice:
    """Return the newest paper of this number as it is now."""

    def build(session) -> SupplierInvoice:
        found = session.exec(
            select(SupplierInvoice).where(SupplierInvoice.number == number).order_by(col(SupplierInvoice.id).desc())
        ).first()
        session.expunge(found)
        return found

    return arrange(build)


def status(number) -> str:
    """Return the status of a paper."""
    return paper(number).status


def pay(number, amount) -> None:
    """Let so much of an invoice be paid, as the payments leave it behind; what was taken back is matched again."""

    def build(session) -> None:
        row = session.get_one(SupplierInvoice, paper_id(session, number), with_for_update=True)
        row.paid = Decimal(amount)
        _matching.match_again(session, [row.id or 0])

    arrange(build)


def paper_id(session, number) -> int:
    """Return the newest paper of this number."""
    return session.scalar(sa.select(sa.func.max(SupplierInvoice.id)).where(col(SupplierInvoice.number) == number))


def found_of(number):
    """Return what the rules find about a paper."""

    def build(session):
        id_ = paper(number).id or 0
        return _matching.load(session, [id_]).match(id_)

    return arrange(build)
