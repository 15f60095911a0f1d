"""What is owed to whom and since when: ageing by supplier, and the statement of one supplier, by currency."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models._base import now
from inventory_app.models.payments import Payment, PaymentStatus
from inventory_app.models.purchasing import InvoiceKind, InvoiceStatus, SupplierInvoice
from inventory_app.models.suppliers import Supplier
from inventory_app.operations._money import cents, said
from inventory_app.operations._operation import current_viewer, query
from inventory_app.operations.payment_views import day_text
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

#: How long something is overdue: the last day of each step, and its name.
STEPS: tuple[tuple[int | None, str], ...] = (
    (0, "Not due"),
    (30, "1 to 30 days"),
    (60, "31 to 60 days"),
    (90, "61 to 90 days"),
    (None, "Over 90 days"),
)
#: So many suppliers are shown; the sums are of all.
MOST_SUPPLIERS = 200
_MOST_LINES = 200

_LEFT = col(SupplierInvoice.gross) - col(SupplierInvoice.paid)


@dataclass(frozen=True, slots=True)
class Owing:
    """What is owed in one currency, by how long it is overdue, and what all of it is in the base currency."""

    supplier_id: int
    supplier: str
    currency: str
    steps: list[str]
    total: str
    in_base: str


@dataclass(frozen=True, slots=True)
class Ageing:
    """What is owed to the suppliers, the most first; `totals` are of all of them, in the base currency."""

    day: str
    base: str
    heads: list[str]
    rows: list[Owing] = field(default_factory=list)
    totals: list[str] = field(default_factory=list)
    total: str = ""
    suppliers: int = 0
    hidden: bool = False


def _steps(what: Any, today: date) -> list[Any]:
    """Sum something of invoices by how long they are overdue on a day."""
    late = sa.literal(today, sa.Date()) - col(SupplierInvoice.due_on)
    sums: list[Any] = []
    for at, (last, _) in enumerate(STEPS):
        parts = [late > STEPS[at - 1][0]] if at else []
        if last is not None:
            parts.append(late <= last)
        sums.append(sa.func.coalesce(sa.func.sum(what).filter(sa.and_(*parts)), 0).label(f"step{at}"))
    return sums


#: What is owed: whatever is recorded, blocked or not, and neither paid nor taken back.
_OWED = sa.and_(
    col(SupplierInvoice.status) != InvoiceStatus.VOID.value, col(SupplierInvoice.paid) != col(SupplierInvoice.gross)
)
#: In the base currency at the rate of each invoice, so that currencies can be added.
_WORTH = sa.func.round(_LEFT * col(SupplierInvoice.rate), 4)


def _owing(session: Session, today: date, which: Any = None) -> list[Owing]:
    """Return by supplier and currency what is owed, the most first."""
    base, worth = get_settings().currency, sa.func.sum(_WORTH).label("worth")
    statement = (
        sa.select(
            col(Supplier.id).label("supplier_id"),
            col(Supplier.name),
            col(SupplierInvoice.currency),
            sa.func.sum(_LEFT).label("total"),
            worth,
            *_steps(_LEFT, today),
        )
        .join(Supplier, col(Supplier.id) == col(SupplierInvoice.supplier_id))
        .where(_OWED, sa.true() if which is None else which)
        .group_by(col(Supplier.id), col(SupplierInvoice.currency))
        .order_by(worth.desc(), col(Supplier.id), col(SupplierInvoice.currency))
        .limit(MOST_SUPPLIERS)
    )
    return [
        Owing(
            row.supplier_id,
            row.name,
            row.currency,
            [said(getattr(row, f"step{at}")) for at in range(len(STEPS))],
            said(row.total, row.currency),
            said(cents(row.worth), base),
        )
        for row in session.execute(statement)
    ]


@query(Permission.INVOICES_VIEW)
def ageing(session: Session) -> Ageing:
    """Show what is owed to the suppliers by how long it is overdue: in its currency, and all of it in the base one."""
    today, base = now().date(), get_settings().currency
    heads = [name for _, name in STEPS]
    if Permission.PRICES_VIEW not in current_viewer(session).permissions:
        return Ageing(day_text(today), base, heads, hidden=True)
    sums = sa.select(
        *_steps(_WORTH, today),
        sa.func.coalesce(sa.func.sum(_WORTH), 0),
        sa.func.count(sa.distinct(col(SupplierInvoice.supplier_id))),
    )
    *found, suppliers = session.execute(sums.where(_OWED)).one()
    *steps, total = [said(cents(one), base) for one in found]
    return Ageing(day_text(today), base, heads, _owing(session, today), steps, total, suppliers)


@dataclass(frozen=True, slots=True)
class StatementLine:
    """An invoice, a credit note or a payment, and what was owed in its currency after it."""

    key: str
    day: str
    kind: str
    number: str
    href: str
    #: What it adds to what is owed, or takes off it.
    amount: str
    balance: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What came and went between us and one supplier, the newest first; `owing` by currency and age."""

    heads: list[str]
    owing: list[Owing]
    lines: list[StatementLine]
    #: Whether there is more than is shown.
    more: bool = False


_KINDS = {InvoiceKind.INVOICE.value: "Invoice", InvoiceKind.CREDIT_NOTE.value: "Credit note", "payment": "Payment"}


@query(Permission.SUPPLIERS_VIEW)
def statement(session: Session, *, supplier_id: int) -> Statement | None:
    """Show what is owed to one supplier, and what it comes of; None to who may not see invoices or amounts."""
    heads = [name for _, name in STEPS]
    if not {Permission.INVOICES_VIEW, Permission.PRICES_VIEW} <= current_viewer(session).permissions:
        return None
    papers = sa.select(
        col(SupplierInvoice.kind).label("kind"),
        col(SupplierInvoice.id),
        col(SupplierInvoice.number),
        col(SupplierInvoice.invoice_date).label("day"),
        col(SupplierInvoice.currency),
        col(SupplierInvoice.gross).label("amount"),
    ).where(col(SupplierInvoice.supplier_id) == supplier_id, col(SupplierInvoice.status) != InvoiceStatus.VOID.value)
    payments = sa.select(
        sa.literal("payment"), col(Payment.id), col(Payment.number), col(Payment.paid_on), col(Payment.currency),
        -col(Payment.amount),
    ).where(col(Payment.supplier_id) == supplier_id, col(Payment.status) == PaymentStatus.POSTED.value)  # fmt: skip
    both = papers.union_all(payments).subquery()
    # An invoice stands before what pays it on the same day.
    order = (both.c.day, sa.case((both.c.kind == "payment", 1), else_=0), both.c.id)
    balance = sa.func.sum(both.c.amount).over(partition_by=both.c.currency, order_by=order)
    newest = sa.select(both, balance.label("balance")).order_by(*(one.desc() for one in order)).limit(_MOST_LINES + 1)
    found = session.execute(newest).all()
    lines = [
        StatementLine(
            f"{row.kind}-{row.id}",
            day_text(row.day),
            _KINDS[row.kind],
            row.number,
            f"/payments/{row.id}" if row.kind == "payment" else f"/invoices/{row.id}",
            said(row.amount, row.currency),
            said(row.balance, row.currency),
        )
        for row in found[:_MOST_LINES]
    ]
    owing = _owing(session, now().date(), col(Supplier.id) == supplier_id)
    return Statement(heads, owing, lines, len(found) > _MOST_LINES)
