"""What is paid: rows made for who looks; amounts need `prices:view`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.models.approvals import Approval, ApprovalStatus
from inventory_app.models.payments import Payment, PaymentAllocation, PaymentBatch, PaymentStatus, SupplierBankAccount
from inventory_app.models.purchasing import SupplierInvoice
from inventory_app.models.suppliers import Supplier
from inventory_app.operations._approval_rules import full_names
from inventory_app.operations._lists import View
from inventory_app.operations._money import cents, in_base, said
from inventory_app.operations._operation import current_viewer, query
from inventory_app.operations._paging import Page
from inventory_app.operations._payment_list import LIST, METHODS, STATUSES
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

HIDDEN = "hidden"


def shown(session: Session, amount: Decimal, currency: str = "") -> str:
    """Write an amount for who looks."""
    return said(amount, currency) if Permission.PRICES_VIEW in current_viewer(session).permissions else HIDDEN


def day_text(day: date) -> str:
    """Write a day."""
    return f"{day:%-d %b %Y}"


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A payment as a list shows it."""

    id: int
    number: str
    supplier_id: int
    supplier: str
    day: str
    method: str
    reference: str
    batch_id: int
    batch: str
    by: str
    amount: str
    status: str
    word: str


@dataclass(frozen=True, slots=True)
class PaymentListing:
    """A page of payments; `counts` by status are of the tabs."""

    view: View
    page: Page[PaymentRow]
    count: int
    everything: int
    counts: dict[str, int]
    suppliers: list[tuple[str, str]]
    currencies: list[tuple[str, str]]


@query(Permission.PAYMENTS_VIEW)
def list_payments(session: Session, *, view: View) -> PaymentListing:
    """Return a page of payments with what they can be narrowed down by."""
    allowed = LIST.allowed(view, current_viewer(session).permissions)
    page, count = LIST.listed(session, allowed)
    rows = {row.id: row for row in _rows(session, page.rows)}
    counts = {status: LIST.count(session, View(filters={"status": status})) for status in ("waiting", "posted")}
    everything = LIST.count(session, View())
    suppliers, currencies = choices(session, col(Payment.supplier_id), col(Payment.currency))
    listed_rows = page.of([rows[id_] for id_ in page.rows])
    return PaymentListing(allowed, listed_rows, count, everything, counts, suppliers, currencies)


def choices(session: Session, supplier: Any, currency: Any) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the suppliers and currencies that occur."""
    named = sa.select(col(Supplier.id), col(Supplier.name)).where(
        sa.exists().where(supplier == col(Supplier.id)).correlate(Supplier)
    )
    suppliers = [(str(row.id), row.name) for row in session.execute(named.order_by(col(Supplier.sort_key)))]
    return suppliers, [(one, one) for one in session.scalars(sa.select(currency).distinct().order_by(currency))]


def _rows(session: Session, ids: Sequence[int], batch_id: int | None = None) -> list[PaymentRow]:
    which = col(Payment.id).in_(ids) if batch_id is None else col(Payment.batch_id) == batch_id
    statement = (
        sa.select(Payment, col(Supplier.name), col(PaymentBatch.number))
        .join(Supplier, col(Supplier.id) == col(Payment.supplier_id))
        .outerjoin(PaymentBatch, col(PaymentBatch.id) == col(Payment.batch_id))
        .where(which)
        .order_by(col(Payment.id))
    )
    found = session.execute(statement).all()
    names = full_names(session, {row[0].created_by for row in found if row[0].created_by})
    return [_row(session, payment, supplier, batch, names) for payment, supplier, batch in found]


def _row(session: Session, payment: Payment, supplier: str, batch: str | None, names: Mapping[int, str]) -> PaymentRow:
    return PaymentRow(
        id=payment.id or 0,
        number=payment.number,
        supplier_id=payment.supplier_id,
        supplier=supplier,
        day=day_text(payment.paid_on),
        method=METHODS[payment.method],
        reference=payment.reference or "",
        batch_id=payment.batch_id or 0,
        batch=batch or "",
        by=names.get(payment.created_by or 0, ""),
        amount=shown(session, payment.amount, payment.currency),
        status=payment.status,
        word="Counter-entry" if payment.voids is not None else STATUSES[payment.status],
    )


@dataclass(frozen=True, slots=True)
class PaidPart:
    """How much of a payment is for which invoice, and what its rate has changed since that was recorded."""

    invoice_id: int
    number: str
    kind: str
    amount: str
    of: str
    difference: str


@dataclass(frozen=True, slots=True)
class PaymentDetail:
    """One payment with everything about it."""

    row: PaymentRow
    version: int
    recorded: str
    posted: str
    note: str
    #: Holder and IBAN.
    holder: str
    iban: str
    rate: str
    in_base: str
    difference: str
    parts: list[PaidPart]
    #: The payment that this takes back, or that takes this back.
    other_id: int
    other: str
    reason: str
    #: Why it was made although the supplier was suspended.
    in_spite: str
    #: The open request for somebody's agreement.
    approval_id: int
    can_void: bool


@query(Permission.PAYMENTS_VIEW)
def payment_detail(session: Session, *, payment_id: int) -> PaymentDetail | None:
    """Show one payment; None when there is none."""
    payment = session.get(Payment, payment_id)
    if payment is None:
        return None
    (row,) = _rows(session, [payment_id])
    base = get_settings().currency
    account = session.get(SupplierBankAccount, payment.bank_account_id) if payment.bank_account_id else None
    other = session.exec(
        select(Payment).where(sa.or_(col(Payment.voids) == payment_id, col(Payment.id) == (payment.voids or 0)))
    ).first()
    parts, gained = _parts(session, payment)
    return PaymentDetail(
        row=row,
        version=payment.version,
        recorded=payment.created_at.isoformat(),
        posted=payment.posted_at.isoformat() if payment.posted_at else "",
        note=payment.note or "",
        holder=account.holder if account else "",
        iban=grouped(account.iban) if account else "",
        rate="" if payment.currency == base else f"1 {payment.currency} = {payment.rate.normalize():f} {base}",
        in_base="" if payment.currency == base else shown(session, cents(in_base(payment.amount, payment.rate)), base),
        difference=_difference(session, gained),
        parts=parts,
        other_id=other.id or 0 if other else 0,
        other=other.number if other else "",
        reason=payment.void_reason or "",
        in_spite=payment.held_reason or "",
        approval_id=_open_request(session, "payment", payment_id),
        can_void=payment.status == PaymentStatus.POSTED,
    )


def grouped(iban: str) -> str:
    """Write an IBAN in groups of four, as people compare it."""
    return " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))


def _parts(session: Session, payment: Payment) -> tuple[list[PaidPart], Decimal]:
    statement = (
        sa.select(SupplierInvoice, col(PaymentAllocation.amount))
        .join(PaymentAllocation, col(PaymentAllocation.invoice_id) == col(SupplierInvoice.id))
        .where(col(PaymentAllocation.payment_id) == payment.id)
        .order_by(col(SupplierInvoice.due_on), col(SupplierInvoice.id))
    )
    found: list[PaidPart] = []
    gained = Decimal(0)
    for invoice, amount in session.execute(statement):
        # What was owed in the base currency when it was recorded, less what it takes to pay it.
        part = in_base(amount, invoice.rate) - in_base(amount, payment.rate)
        gained += part
        found.append(
            PaidPart(
                invoice.id or 0,
                invoice.number,
                invoice.kind,
                shown(session, amount, payment.currency),
                shown(session, invoice.gross, payment.currency),
                _difference(session, part),
            )
        )
    return found, gained


def _difference(session: Session, gained: Decimal) -> str:
    """Say what a rate that has changed brought or took."""
    if not gained:
        return ""
    text = shown(session, abs(gained), get_settings().currency)
    return f"{text} {'gained' if gained > 0 else 'lost'}"


def _open_request(session: Session, kind: str, subject_id: int) -> int:
    statement = sa.select(col(Approval.id)).where(
        col(Approval.kind) == kind,
        col(Approval.subject_id) == subject_id,
        col(Approval.status) == ApprovalStatus.OPEN.value,
    )
    return session.scalar(statement) or 0


@dataclass(frozen=True, slots=True)
class BatchDetail:
    """A batch of payments and its file."""

    id: int
    number: str
    status: str
    word: str
    day: str
    total: str
    by: str
    recorded: str
    rows: list[PaymentRow]
    sha256: str
    fetched: str
    approval_id: int
    #: Whether there is a file for the bank, and one in SEPA's form.
    has_file: bool
    has_sepa: bool


@query(Permission.PAYMENTS_VIEW)
def batch_detail(session: Session, *, batch_id: int) -> BatchDetail | None:
    """Show one batch; None when there is none."""
    batch = session.get(PaymentBatch, batch_id)
    if batch is None:
        return None
    rows = _rows(session, (), batch_id)
    has_file = batch.status == PaymentStatus.POSTED and any(row.status == PaymentStatus.POSTED for row in rows)
    return BatchDetail(
        id=batch_id,
        number=batch.number,
        status=batch.status,
        word=STATUSES[batch.status],
        day=day_text(batch.execute_on),
        total=shown(session, batch.total, batch.currency),
        by=full_names(session, [batch.created_by or 0]).get(batch.created_by or 0, ""),
        recorded=batch.created_at.isoformat(),
        rows=rows,
        sha256=batch.file_sha256 or "",
        fetched=batch.file_fetched_at.isoformat() if batch.file_fetched_at else "",
        approval_id=_open_request(session, "payment_batch", batch_id),
        has_file=has_file,
        has_sepa=has_file and batch.currency == "EUR" and bool(get_settings().bank_iban),
    )


# What is due
