"""Invoices and credit notes of suppliers: recorded whatever they say, and payable only when they agree or are released.

Whatever is copied from the paper stays as it is: what was recorded wrongly is voided and recorded anew. Whether it
agrees is found by `_matching.py` at once, and again whenever something changes that this depends on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.errors import AlreadyDecided, AppError, Conflict, Invalid, NotFound, Stale
from inventory_app.models._base import now
from inventory_app.models.payments import Payment, PaymentAllocation, PaymentStatus
from inventory_app.models.purchasing import (
    InvoiceKind,
    InvoiceStatus,
    PurchaseOrder,
    PurchaseOrderLine,
    SupplierInvoice,
    SupplierInvoiceLine,
)
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.operations import _invoice_drafts as drafts
from inventory_app.operations import _invoice_list as lists
from inventory_app.operations import _invoice_views as views
from inventory_app.operations import _match_views as matches
from inventory_app.operations import _matching, _money
from inventory_app.operations._fields import Fields, checked_reason
from inventory_app.operations._invoice_fields import LineIn, Reckoned, agreeing, checked_dates, checked_lines
from inventory_app.operations._invoice_release import why_not_release
from inventory_app.operations._lists import View
from inventory_app.operations._operation import acting_user_id, current_viewer, operation, query, require
from inventory_app.permissions import Permission

#: Where neither order nor supplier says when to pay.
_USUAL_DAYS = 30
_MOST_OFFERED = 1_000
_GONE = "There is no such invoice. Reload the page."


@dataclass(frozen=True, slots=True)
class Recorded:
    """A paper that was recorded, and whether it agrees."""

    invoice_id: int
    number: str
    status: str
    #: How many things do not agree.
    differences: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a paper."""

    invoice_id: int
    number: str
    status: str


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a paper goes by: its supplier, its orders, and what they agreed on."""

    supplier: Supplier
    orders: dict[int, PurchaseOrder]
    names: dict[int, str]
    currency: str
    rate: Decimal | None
    days: int


@operation(Permission.INVOICES_RECORD, log=("supplier_id", "number", "order_id"))
def record_invoice(  # noqa: PLR0913  # as many as stand on the paper
    session: Session,
    *,
    number: str,
    invoice_date: date,
    lines: list[LineIn],
    gross: Decimal,
    supplier_id: int | None = None,
    order_id: int | None = None,
    net: Decimal | None = None,
    tax: Decimal | None = None,
    due_on: date | None = None,
    currency: str = "",
    rate: Decimal | None = None,
    note: str = "",
) -> Recorded:
    """Record an invoice, whatever it says; it is blocked until it agrees with orders and receipts or is released."""
    require(session, Permission.PRICES_VIEW)
    reckoned = agreeing(checked_lines(lines), gross=gross, net=net, tax=tax)
    terms = _terms(session, supplier_id, order_id, lines, currency)
    paper = _paper(terms, number, invoice_date, due_on, rate, note)
    paper.order_id = order_id
    return _record(session, paper, terms, reckoned)


@operation(Permission.INVOICES_RECORD, log=("invoice_id", "number"))
def record_credit_note(  # noqa: PLR0913  # as many as stand on the paper
    session: Session,
    *,
    number: str,
    invoice_date: date,
    lines: list[LineIn],
    gross: Decimal,
    invoice_id: int | None = None,
    supplier_id: int | None = None,
    net: Decimal | None = None,
    tax: Decimal | None = None,
    currency: str = "",
    rate: Decimal | None = None,
    note: str = "",
) -> Recorded:
    """Record a credit note, about an invoice or about none; its amounts are typed as they stand on it, above 0."""
    require(session, Permission.PRICES_VIEW)
    reckoned = agreeing(checked_lines(lines), gross=gross, net=net, tax=tax)
    about = None if invoice_id is None else _found(session, invoice_id)
    if about is not None:
        if supplier_id not in (None, about.supplier_id):
            raise Invalid(fields={"supplier_id": f"{about.number} is another supplier's invoice."})
        supplier_id, currency = about.supplier_id, currency or about.currency
        rate = about.rate if rate is None and currency == about.currency else rate
    terms = _terms(session, supplier_id, about.order_id if about else None, lines, currency)
    paper = _paper(terms, number, invoice_date, invoice_date, rate, note)
    paper.kind, paper.credits = InvoiceKind.CREDIT_NOTE, invoice_id
    paper.order_id = about.order_id if about else None
    turned = [Reckoned(line.typed, _money.Sum(-line.sum.net, -line.sum.tax)) for line in reckoned]
    return _record(session, paper, terms, turned)


def _terms(
    session: Session, supplier_id: int | None, order_id: int | None, lines: Sequence[LineIn], currency: str
) -> _Terms:
    """Find whose paper it is; every line must be of an order of that one supplier."""
    wanted = {line.order_line_id for line in lines if line.order_line_id is not None}
    found = session.execute(
        sa.select(PurchaseOrderLine, PurchaseOrder)
        .join(PurchaseOrder, col(PurchaseOrder.id) == col(PurchaseOrderLine.order_id))
        .where(col(PurchaseOrderLine.id).in_(wanted))
    ).all()
    orders = {order.id or 0: order for _, order in found}
    if order_id is not None:
        order = orders.get(order_id) or session.get(PurchaseOrder, order_id)
        if order is None:
            raise Invalid(fields={"order_id": "There is no such order. Choose one of those offered."})
        orders[order_id] = order
    first = orders.get(order_id or 0) or next(iter(orders.values()), None)
    if supplier_id is None and first is not None:
        supplier_id = first.supplier_id
    supplier = session.get(Supplier, supplier_id) if supplier_id is not None else None
    if supplier is None:
        raise Invalid(fields={"supplier_id": "Choose the supplier who sent it."})
    names = {line.id or 0: line.description for line, order in found if order.supplier_id == supplier.id}
    faults = {
        f"order_line_id:{place}": f"That is no line of an order from {supplier.name}."
        for place, line in enumerate(lines)
        if line.order_line_id is not None and line.order_line_id not in names
    }
    if first is not None and first.supplier_id != supplier.id:
        faults["order_id"] = f"That order is not from {supplier.name}."
    if faults:
        raise Invalid(fields=faults)
    code = _money.checked_currency(currency or (first.currency if first else "") or supplier.currency or "")
    days = first.payment_days if first and first.payment_days is not None else supplier.payment_days
    rate = first.rate if first and first.currency == code else None
    return _Terms(supplier, orders, names, code, rate, _USUAL_DAYS if days is None else days)


def _paper(  # what stands in its head
    terms: _Terms, number: str, invoice_date: date, due_on: date | None, rate: Decimal | None, note: str
) -> SupplierInvoice:
    fields = Fields()
    called = fields.line("number", number, most=60, required=True)
    noted = fields.text("note", note)
    fields.check()
    return SupplierInvoice(
        supplier_id=terms.supplier.id or 0,
        number=called or "",
        invoice_date=invoice_date,
        due_on=checked_dates(invoice_date, due_on, terms.days),
        currency=terms.currency,
        rate=_money.checked_rate(terms.currency, terms.rate if rate is None else rate),
        net=Decimal(0),
        tax=Decimal(0),
        gross=Decimal(0),
        note=noted,
        recorded_by=acting_user_id(),
    )


def _record(session: Session, paper: SupplierInvoice, terms: _Terms, lines: Sequence[Reckoned]) -> Recorded:
    """Write the paper and find at once whether it agrees, and what else does now."""
    total = _money.total(line.sum for line in lines)
    paper.net, paper.tax, paper.gross = total.net, total.tax, total.gross
    credited = paper.credits
    papers = _matching.lock_papers(session, terms.orders, [credited] if credited else ())
    if credited and papers[credited].status == InvoiceStatus.VOID:
        message = f"{papers[credited].number} is void: a credit note cannot be about it."
        raise Conflict(message)
    session.add(paper)
    session.flush()
    sign = -1 if paper.kind == InvoiceKind.CREDIT_NOTE else 1
    rows = [
        {
            "invoice_id": paper.id,
            "position": position,
            "order_line_id": line.typed.order_line_id,
            "description": " ".join(line.typed.description.split()) or terms.names[line.typed.order_line_id or 0],
            "quantity": sign * line.typed.quantity,
            "unit_cost": line.typed.unit_cost,
            "net": line.sum.net,
            "tax_percent": line.typed.tax_percent,
            "tax": line.sum.tax,
        }
        for position, line in enumerate(lines, start=1)
    ]
    session.execute(sa.insert(_LINES), rows)
    found = _matching.match_again(session, {*papers, paper.id or 0})[paper.id or 0]
    session.refresh(paper)
    return Recorded(paper.id or 0, paper.number, paper.status, found.differences)


@operation(Permission.INVOICES_RELEASE, log=("invoice_id",), reason="reason")
def release_invoice(session: Session, *, invoice_id: int, version: int, differences: str, reason: str) -> Settled:
    """Let a blocked invoice be paid although it does not agree; never by who recorded it, and always with a reason.

    `differences` is what the person has read of it (`InvoiceDetail.read`): whoever agrees to other differences than
    there are now is told to read again.
    """
    paper, _ = _locked(session, invoice_id)
    refused = why_not_release(session, paper, acting_user_id())
    if isinstance(refused, AppError):
        raise refused
    reason = checked_reason(reason, missing="Say why it may be paid although it does not agree.") or ""
    _not_stale(paper, version)
    if views.read_mark(_matching.load(session, [invoice_id]).match(invoice_id)) != differences:
        message = f"What does not agree about {paper.number} has changed. Read it again before you release it."
        raise Stale(message)
    paper.status, paper.released_by, paper.released_at = InvoiceStatus.RELEASED, acting_user_id(), now()
    paper.release_reason = reason
    paper.version += 1
    session.flush()
    # What a released credit note takes back counts for the others from now on.
    _matching.match_again(session, _neighbours(session, paper))
    return Settled(invoice_id, paper.number, paper.status)


@operation(Permission.INVOICES_RECORD, log=("invoice_id",), reason="reason")
def void_invoice(session: Session, *, invoice_id: int, version: int, reason: str) -> Settled:
    """Make an invoice or credit note count no more; only while nothing of it is paid, and always with a reason."""
    paper, papers = _locked(session, invoice_id)
    if paper.status == InvoiceStatus.VOID:
        message = f"{paper.number} is void already."
        raise AlreadyDecided(message)
    reason = checked_reason(reason, missing="Say why it does not count.") or ""
    _not_stale(paper, version)
    if paper.paid:
        message = f"A part of {paper.number} is paid. Void the payment first, or ask for a credit note."
        raise Conflict(message)
    if waiting := _waiting(session, invoice_id):
        message = f"Payment {waiting} of {paper.number} waits for somebody's agreement. Have it rejected first."
        raise Conflict(message)
    about = sorted(one.number for one in papers.values() if one.credits == invoice_id and one.status != "void")
    if about:
        message = f"Credit note {about[0]} is about {paper.number}. Void that first."
        raise Conflict(message)
    neighbours = _neighbours(session, paper)
    paper.status, paper.voided_by, paper.voided_at = InvoiceStatus.VOID, acting_user_id(), now()
    paper.void_reason, paper.matched_at = reason, None
    paper.version += 1
    session.flush()
    _matching.match_again(session, neighbours)
    return Settled(invoice_id, paper.number, paper.status)


_LINES = SupplierInvoiceLine.metadata.tables["supplier_invoice_line"]


def _locked(session: Session, invoice_id: int) -> tuple[SupplierInvoice, dict[int, SupplierInvoice]]:
    """Lock a paper after its orders, and all papers whose match hangs together with it."""
    known = _found(session, invoice_id)
    named = [one for one in (invoice_id, known.credits) if one is not None]
    papers = _matching.lock_papers(session, _matching.orders_of(session, [invoice_id]), named)
    return papers[invoice_id], papers


def _neighbours(session: Session, paper: SupplierInvoice) -> set[int]:
    """Return the papers whose match depends on this one."""
    ids = _matching.papers_about(session, _matching.orders_of(session, [paper.id or 0]))
    return ids | (_matching.notes_about(session, [paper.credits]) if paper.credits else set())


def _found(session: Session, invoice_id: int) -> SupplierInvoice:
    found = session.get(SupplierInvoice, invoice_id)
    if found is None:
        raise NotFound(_GONE)
    return found


def _not_stale(paper: SupplierInvoice, version: int) -> None:
    if paper.version != version:
        message = f"{paper.number} was changed after you opened it. Reload the page and read it again."
        raise Stale(message)


def _waiting(session: Session, invoice_id: int) -> str:
    found = session.scalar(
        select(Payment.number)
        .join(PaymentAllocation, col(PaymentAllocation.payment_id) == col(Payment.id))
        .where(col(PaymentAllocation.invoice_id) == invoice_id, col(Payment.status) == PaymentStatus.WAITING)
        .order_by(col(Payment.id))
    )
    return found or ""


@query(Permission.INVOICES_VIEW)
def list_invoices(session: Session, *, view: View) -> lists.InvoiceListing:
    """Return a page of invoices, with how many are to pay and how many are blocked."""
    return lists.listing(session, current_viewer(session), view)


@query(Permission.INVOICES_VIEW)
def invoice_detail(session: Session, *, invoice_id: int) -> views.InvoiceDetail | None:
    """Show an invoice beside what was ordered and what came; None when there is none."""
    paper = session.get(SupplierInvoice, invoice_id)
    return views.detail(session, current_viewer(session), paper) if paper else None


@query(Permission.ORDERS_VIEW)
def match_of_order(session: Session, *, order_id: int) -> matches.OrderMatch | None:
    """Show what was ordered, what came and what was invoiced of an order side by side; None when there is none.

    What is invoiced is shown to who may see invoices, amounts to who may see prices.
    """
    order = session.get(PurchaseOrder, order_id)
    return matches.of_order(session, current_viewer(session), order) if order else None


@query(Permission.INVOICES_RECORD)
def paper_to_record(
    session: Session, *, order_id: int | None = None, invoice_id: int | None = None
) -> drafts.Draft | None:
    """Return what the form begins with: what is left to be invoiced of an order, or to be credited of an invoice."""
    if Permission.PRICES_VIEW not in current_viewer(session).permissions:
        return None
    if invoice_id is not None:
        paper = session.get(SupplierInvoice, invoice_id)
        return drafts.to_credit(session, paper) if paper else None
    order = session.get(PurchaseOrder, order_id) if order_id is not None else None
    return drafts.to_invoice(session, order) if order else None


@query(Permission.INVOICES_RECORD)
def suppliers_to_choose(session: Session) -> list[tuple[str, str]]:
    """Return the suppliers a paper can be from that names no order, as (id, name): those that ever were approved."""
    found = session.execute(
        sa.select(col(Supplier.id), col(Supplier.name))
        .where(col(Supplier.status).in_((SupplierStatus.APPROVED, SupplierStatus.SUSPENDED)))
        .order_by(col(Supplier.sort_key), col(Supplier.id))
        .limit(_MOST_OFFERED)
    )
    return [(str(id_), name) for id_, name in found]
