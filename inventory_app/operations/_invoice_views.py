"""Invoices as a viewer sees them: side by side with what was ordered and what came, amounts for who may see prices."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.errors import AppError
from inventory_app.models.payments import Payment, PaymentAllocation
from inventory_app.models.purchasing import InvoiceStatus, SupplierInvoice
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import _matching
from inventory_app.operations._approval_rules import full_names
from inventory_app.operations._invoice_list import due_state, said_status
from inventory_app.operations._invoice_release import why_not_release
from inventory_app.operations._match_rules import Match
from inventory_app.operations._match_views import Link, Sides, link_to, reasons, sides_of_paper
from inventory_app.operations._money import said
from inventory_app.operations._operation import Viewer
from inventory_app.operations._payment_holds import why_held
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings


@dataclass(frozen=True, slots=True)
class InvoiceDetail:
    """An invoice or credit note with everything its page shows; amounts are empty for who may not see them."""

    id: int
    version: int
    kind: str
    number: str
    supplier: str
    supplier_href: str
    status: str
    said: str
    tone: str
    invoice_date: str
    due_on: str
    due_state: str
    currency: str
    rate: str
    net: str
    tax: str
    gross: str
    paid: str
    open: str
    note: str
    recorded_by: str
    recorded_at: str
    released_by: str
    released_at: str
    release_reason: str
    voided_by: str
    voided_at: str
    void_reason: str
    credits: Link | None
    credit_notes: list[Link]
    payments: list[Link]
    sides: Sides
    #: What stands in the way of paying it, line by line and about all of it.
    reasons: list[str]
    #: What the person has read of the differences: sent back with a release.
    read: str
    #: blocked, or paid in part and agreeing no more.
    held: bool
    why_not_release: str
    why_not_void: str
    #: Why payments to its supplier are held, where something of it is open.
    supplier_held: str


def read_mark(match: Match) -> str:
    """Return a mark of what was found: another one when anything of it has changed."""
    parts = [f"{finding}" for finding in match.findings]
    parts += [f"{line.line_id}:{finding}" for line in match.lines for finding in line.findings]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def detail(session: Session, viewer: Viewer, paper: SupplierInvoice) -> InvoiceDetail:
    """Return an invoice as this viewer may see it."""
    prices = Permission.PRICES_VIEW in viewer.permissions
    id_, void = paper.id or 0, paper.status == InvoiceStatus.VOID
    book = _matching.load(session, [id_])
    # What is void takes nothing from the others, so it is compared with nothing.
    match = Match(()) if void else book.match(id_)
    names = full_names(session, {one for one in (paper.recorded_by, paper.released_by, paper.voided_by) if one})
    status, tone = said_status(paper)
    held = paper.status == InvoiceStatus.BLOCKED or (_matching.contested(paper) and paper.paid != paper.gross)
    refused = why_not_release(session, paper, viewer.user_id)

    def amount(number: Decimal) -> str:
        return said(number) if prices else ""

    def name(user_id: int | None) -> str:
        return "" if user_id is None else names.get(user_id, "Somebody")

    supplier = session.get_one(Supplier, paper.supplier_id)
    is_open = paper.status != InvoiceStatus.VOID and paper.paid != paper.gross
    return InvoiceDetail(
        supplier_held=why_held(session, supplier) if is_open else "",
        id=id_,
        version=paper.version,
        kind=paper.kind,
        number=paper.number,
        supplier=supplier.name,
        supplier_href=f"/suppliers/{paper.supplier_id}" if Permission.SUPPLIERS_VIEW in viewer.permissions else "",
        status=paper.status,
        said=status,
        tone=tone,
        invoice_date=paper.invoice_date.isoformat(),
        due_on=paper.due_on.isoformat(),
        due_state=due_state(paper),
        currency=paper.currency if prices else "",
        rate=_rate(paper) if prices else "",
        net=amount(paper.net),
        tax=amount(paper.tax),
        gross=amount(paper.gross),
        paid=amount(paper.paid),
        open=amount(paper.gross - paper.paid),
        note=paper.note or "",
        recorded_by=name(paper.recorded_by),
        recorded_at=paper.recorded_at.isoformat(),
        released_by=name(paper.released_by),
        released_at=paper.released_at.isoformat() if paper.released_at else "",
        release_reason=paper.release_reason or "",
        voided_by=name(paper.voided_by),
        voided_at=paper.voided_at.isoformat() if paper.voided_at else "",
        void_reason=paper.void_reason or "",
        credits=_credited(session, paper),
        credit_notes=_notes(session, id_, prices=prices),
        payments=_payments(session, viewer, id_),
        sides=sides_of_paper(session, viewer, paper, book, match),
        reasons=reasons(book, match, prices=prices),
        read=read_mark(match),
        held=held,
        why_not_release=str(refused) if isinstance(refused, AppError) and held else "",
        why_not_void=_why_not_void(paper),
    )


def _rate(paper: SupplierInvoice) -> str:
    base = get_settings().currency
    return "" if paper.currency == base else f"1 {paper.currency} = {paper.rate.normalize():f} {base}"


def _why_not_void(paper: SupplierInvoice) -> str:
    if paper.status == InvoiceStatus.VOID:
        return "It is void already."
    return "A part of it is paid. Void the payment first, or ask for a credit note." if paper.paid else ""


def _credited(session: Session, paper: SupplierInvoice) -> Link | None:
    about = session.get(SupplierInvoice, paper.credits) if paper.credits else None
    return about and Link(about.number, f"/invoices/{about.id}")


def _notes(session: Session, invoice_id: int, *, prices: bool) -> list[Link]:
    statement = select(SupplierInvoice).where(SupplierInvoice.credits == invoice_id).order_by(col(SupplierInvoice.id))
    return [link_to(one, prices=prices) for one in session.exec(statement)]


def _payments(session: Session, viewer: Viewer, invoice_id: int) -> list[Link]:
    if Permission.PAYMENTS_VIEW not in viewer.permissions:
        return []
    prices = Permission.PRICES_VIEW in viewer.permissions
    found = session.execute(
        sa.select(Payment, col(PaymentAllocation.amount))
        .join(PaymentAllocation, col(PaymentAllocation.payment_id) == col(Payment.id))
        .where(col(PaymentAllocation.invoice_id) == invoice_id)
        .order_by(col(Payment.id))
    )
    return [
        Link(
            one.number,
            f"/payments/{one.id}",
            ", ".join(filter(None, (one.status.capitalize(), said(amount, one.currency) if prices else ""))),
        )
        for one, amount in found
    ]
