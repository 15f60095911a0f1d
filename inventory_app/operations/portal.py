"""The supplier portal: what people of a supplier see of their own papers, and the little they can say about them.

Everything here takes the supplier from the account of whoever asks (`_portal_scope.py`), never from an argument. What
is not theirs and what does not exist are the same: nothing is found. Nothing of ours goes out: no notes, reasons,
tolerances, nor who of us did what.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.errors import Conflict, Invalid, NotFound, Stale
from inventory_app.models._base import now
from inventory_app.models.catalog import Location
from inventory_app.models.payments import AccountStatus, Payment, PaymentAllocation, SupplierBankAccount
from inventory_app.models.purchasing import (
    GoodsReceipt,
    GoodsReceiptLine,
    InvoiceKind,
    InvoiceStatus,
    OrderStatus,
    PurchaseOrder,
    PurchaseOrderLine,
    ReceiptKind,
    SupplierInvoice,
)
from inventory_app.models.suppliers import Supplier, SupplierContact, SupplierCorrection
from inventory_app.operations import _approvals, _order_paper
from inventory_app.operations import _portal_words as words
from inventory_app.operations import _supplier_corrections as corrections
from inventory_app.operations._list_filters import LONGEST_TEXT
from inventory_app.operations._money import of_line, said
from inventory_app.operations._operation import acting_user_id, operation, query
from inventory_app.operations._paging import PAGE_SIZE, Page, keyset, like_escaped
from inventory_app.operations._portal_glance import Glance, at_a_glance
from inventory_app.operations._portal_scope import own_supplier, own_supplier_to_act, paid_out, placed, why_not_act
from inventory_app.operations._portal_words import Words, day, number
from inventory_app.operations._supplier_fields import checked, readable
from inventory_app.permissions import Permission

#: How far ahead a delivery can be promised.
_AHEAD = timedelta(days=730)
_OPEN = (OrderStatus.ORDERED, OrderStatus.PARTIALLY_RECEIVED)
ColumnText = Any  # a column of texts, as SQLModel or SQLAlchemy types it
_GONE = "There is no such order (any more). Reload the page."
#: What the portal does not repeat to the supplier of what it wrote when it applied.
_OWN_FIELDS = frozenset({"Message"})


@dataclass(frozen=True, slots=True)
class Pair:
    """A label and what stands beside it; `wanted` is what shall stand there, where that is proposed."""

    label: str
    value: str
    wanted: str = ""


@dataclass(frozen=True, slots=True)
class Company:
    """One's own company as we know it; `why_not` says why nothing can be said about it now."""

    name: str
    stands: Words
    glance: Glance
    fields: list[Pair]
    contacts: list[Pair]
    bank_accounts: list[Pair]
    #: What the form of a correction begins with.
    known: dict[str, str]
    waiting: list[Pair]
    #: The viewer proposed what waits, and can take it back.
    own_proposal: bool
    why_not: str


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as its supplier lists it."""

    id: int
    number: str
    stands: Words
    ordered: str
    expected: str
    total: str


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line of an order as its supplier reads it."""

    id: int
    description: str
    sku: str
    quantity: str
    cost: str
    sum: str
    expected: str
    delivered: str


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """What came of one line, or went back (less than 0)."""

    description: str
    quantity: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """Goods as we noted them when they came, or went back."""

    id: int
    number: str
    title: str
    on: str
    lines: list[ReceiptLine]


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """An invoice or credit note as its supplier lists it."""

    id: int
    number: str
    kind: str
    stands: Words
    dated: str
    due: str
    gross: str
    open: str
    #: Of which order, where that is one the supplier was sent.
    order_id: int
    order_number: str


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """An order as its supplier reads it; `why_not` says why no day can be promised now."""

    id: int
    number: str
    stands: Words
    ordered: str
    expected: str
    expected_on: str
    deliver_to: str
    payment: str
    message: str
    total: str
    version: int
    why_not: str
    lines: list[OrderLine]
    receipts: list[Receipt]
    invoices: list[InvoiceRow]


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A payment as whoever got it lists it, with the invoices it was for."""

    id: int
    number: str
    stands: Words
    paid: str
    amount: str
    method: str
    reference: str
    account: str
    parts: list[Pair]


@query(Permission.PORTAL_USE)
def my_company(session: Session) -> Company:
    """Return one's own company as we know it, and what of it waits to be corrected."""
    supplier = own_supplier(session)
    id_ = supplier.id or 0
    contacts = session.exec(
        select(SupplierContact)
        .where(SupplierContact.supplier_id == id_, col(SupplierContact.active))
        .order_by(col(SupplierContact.id))
    )
    accounts = session.exec(
        select(SupplierBankAccount)
        .where(
            SupplierBankAccount.supplier_id == id_,
            col(SupplierBankAccount.status).in_([AccountStatus.PENDING, AccountStatus.RELEASED]),
        )
        .order_by(col(SupplierBankAccount.id))
    )
    found = corrections.waiting(session, id_)
    proposed = [] if found is None else corrections.differences(supplier, found[1])
    return Company(
        name=supplier.name,
        stands=words.of_supplier(supplier),
        glance=at_a_glance(session, supplier),
        fields=[Pair(label, value) for label, value in readable(supplier) if value and label not in _OWN_FIELDS],
        contacts=[
            Pair(one.position or "Contact", ", ".join(part for part in (one.name, one.email, one.phone) if part))
            for one in contacts
        ],
        bank_accounts=[Pair(_account_word(one), f"{masked(one.iban)}, {one.currency}") for one in accounts],
        known={name: getattr(supplier, name) or "" for name in corrections.FIELDS},
        waiting=[Pair(*one) for one in proposed],
        own_proposal=found is not None and found[0].requested_by == acting_user_id(),
        why_not=why_not_act(supplier) or (_WAITS if found else ""),
    )


_WAITS = "A correction waits to be looked at. Another one can follow once it is decided or taken back."


def _account_word(account: SupplierBankAccount) -> str:
    return "We pay to" if account.status == AccountStatus.RELEASED else "Being checked"


def masked(iban: str) -> str:
    """Return the country and the last four signs of an account number."""
    return f"{iban[:2]} … {iban[-4:]}"


@operation(Permission.PORTAL_USE)
def propose_correction(  # noqa: PLR0913  # as many as the form has fields
    session: Session,
    *,
    contact_name: str = "",
    contact_title: str = "",
    email: str = "",
    phone: str = "",
    website: str = "",
    address: str = "",
    city: str = "",
    postal_code: str = "",
    country: str = "",
) -> None:
    """Propose how one's own company is reached; it counts once somebody of the company that buys has agreed."""
    given = {
        "contact_name": contact_name,
        "contact_title": contact_title,
        "email": email,
        "phone": phone,
        "website": website,
        "address": address,
        "city": city,
        "postal_code": postal_code,
        "country": country,
    }
    taken = checked(given, required=("email",))
    supplier = own_supplier_to_act(session, share=False)
    if corrections.waiting(session, supplier.id or 0):
        raise Conflict(_WAITS)
    correction = SupplierCorrection(supplier_id=supplier.id or 0, proposed_by=acting_user_id() or 0)
    for name in corrections.FIELDS:
        setattr(correction, name, taken[name])
    if not corrections.differences(supplier, correction):
        raise Invalid("Nothing was changed.")
    session.add(correction)
    session.flush()
    corrections.ask_for(session, correction)


@operation(Permission.PORTAL_USE)
def withdraw_correction(session: Session) -> None:
    """Take back a correction that one has proposed and nobody has decided."""
    supplier = own_supplier_to_act(session, share=False)
    found = corrections.waiting(session, supplier.id or 0)
    if found is None:
        raise Stale("No correction waits any more.")
    _approvals.withdraw(session, found[0])


def named(search: str, *texts: ColumnText) -> sa.ColumnElement[bool]:
    """Return the condition that one of these texts holds what is searched for; all of them where nothing is."""
    wanted = " ".join(search.split())[:LONGEST_TEXT].lower()
    if not wanted:
        return sa.true()
    return sa.or_(*(sa.func.lower(text).like(f"%{like_escaped(wanted)}%") for text in texts))


@query(Permission.PORTAL_USE)
def my_orders(session: Session, *, search: str = "", cursor: str = "") -> Page[OrderRow]:
    """List the orders that one's own company was sent, the newest first."""
    return orders_of(session, own_supplier(session), search, cursor)


def orders_of(
    session: Session, supplier: Supplier, search: str, cursor: str = "", size: int = PAGE_SIZE
) -> Page[OrderRow]:
    """Return a page of the orders that a supplier was sent."""
    page = keyset(
        session,
        sa.select(PurchaseOrder).where(placed(supplier), named(search, col(PurchaseOrder.number))),
        [col(PurchaseOrder.id)],
        descending=True,
        cursor=cursor,
        size=size,
    )
    return page.of([_order_row(order) for order, *_ in page.rows])


def _order_row(order: PurchaseOrder) -> OrderRow:
    return OrderRow(
        id=order.id or 0,
        number=order.number or "",
        stands=words.of_order(order),
        ordered=day(order.ordered_at.date() if order.ordered_at else None),
        expected=day(order.expected_on),
        total=said(order.total, order.currency),
    )


@query(Permission.PORTAL_USE)
def my_order(session: Session, *, order_id: int) -> OrderDetail | None:
    """Return an order that one's own company was sent; None for every other one, and where there is none."""
    supplier = own_supplier(session)
    found = session.execute(
        sa.select(PurchaseOrder, col(Location.name))
        .join(Location, col(Location.id) == col(PurchaseOrder.location_id))
        .where(col(PurchaseOrder.id) == order_id, placed(supplier))
    ).first()
    if found is None:
        return None
    order, place = found
    row = _order_row(order)
    lines = session.exec(
        select(PurchaseOrderLine)
        .where(PurchaseOrderLine.order_id == order_id)
        .order_by(col(PurchaseOrderLine.position))
    ).all()
    invoices = session.execute(
        _invoices()
        .where(col(SupplierInvoice.supplier_id) == supplier.id, col(SupplierInvoice.order_id) == order_id)
        .order_by(col(SupplierInvoice.id))
    )
    return OrderDetail(
        id=row.id,
        number=row.number,
        stands=row.stands,
        ordered=row.ordered,
        expected=row.expected,
        expected_on=order.expected_on.isoformat() if order.expected_on else "",
        deliver_to=place,
        payment=f"{order.payment_days} days after the invoice" if order.payment_days is not None else "",
        message=order.message or "",
        total=row.total,
        version=order.version,
        why_not=why_not_act(supplier) or _why_not_confirm(order),
        lines=[_line(line, order.currency) for line in lines],
        receipts=_receipts(session, order_id),
        invoices=[_invoice_row(*one) for one in invoices],
    )


@query(Permission.PORTAL_USE)
def my_order_paper(session: Session, *, order_id: int) -> _order_paper.OrderPaper:
    """Return an order that one's own company was sent, as it was printed for it; every other one is not found."""
    return _order_paper.paper(session, _my_placed(session, order_id))


@operation(Permission.PORTAL_USE, log=("order_id",), reason="what")
def take_my_paper(session: Session, *, order_id: int, version: int, what: str) -> None:
    """Put on record that somebody of a supplier takes its order away as a file; `what` says which, with its hash."""
    del what  # in the trail as the reason
    if _my_placed(session, order_id).version != version:
        raise Stale("The order was changed just now. Take the file again.")


def _my_placed(session: Session, order_id: int) -> PurchaseOrder:
    """Return an order that the acting person's company was sent; `NotFound` for every other one."""
    supplier = own_supplier(session)
    order = session.scalar(sa.select(PurchaseOrder).where(col(PurchaseOrder.id) == order_id, placed(supplier)))
    if order is None:
        raise NotFound(_GONE)
    return order


def _why_not_confirm(order: PurchaseOrder) -> str:
    return "" if order.status in _OPEN else "Nothing more is to be delivered."


def _line(line: PurchaseOrderLine, currency: str) -> OrderLine:
    given_up = f", {number(line.given_up)} not wanted any more" if line.given_up else ""
    return OrderLine(
        id=line.id or 0,
        description=line.description,
        sku=line.supplier_sku or "",
        quantity=f"{number(line.quantity)} {line.purchase_unit if line.pack_size == 1 else ''}".strip(),
        cost=said(line.unit_cost, currency),
        sum=said(of_line(line.quantity, line.unit_cost).net, currency),
        expected=day(line.expected_on),
        delivered=f"{number(line.received)}{given_up}",
    )


_TITLES = {ReceiptKind.RECEIPT: "Arrived", ReceiptKind.RETURN: "Sent back", ReceiptKind.CORRECTION: "Corrected"}


def _receipts(session: Session, order_id: int) -> list[Receipt]:
    rows = session.execute(
        sa.select(GoodsReceipt, col(GoodsReceiptLine.quantity), col(PurchaseOrderLine.description))
        .join(GoodsReceiptLine, col(GoodsReceiptLine.receipt_id) == col(GoodsReceipt.id))
        .join(PurchaseOrderLine, col(PurchaseOrderLine.id) == col(GoodsReceiptLine.order_line_id))
        .where(col(GoodsReceipt.order_id) == order_id)
        .order_by(col(GoodsReceipt.id), col(GoodsReceiptLine.position))
    ).all()
    lines: dict[int, list[ReceiptLine]] = {}
    papers: dict[int, GoodsReceipt] = {}
    for paper, quantity, description in rows:
        papers[paper.id or 0] = paper
        lines.setdefault(paper.id or 0, []).append(ReceiptLine(description, number(quantity)))
    return [
        Receipt(
            id=id_,
            number=paper.number,
            title=" · ".join(part for part in (_TITLES[ReceiptKind(paper.kind)], paper.delivery_note) if part),
            on=day(paper.occurred_at.date()),
            lines=lines[id_],
        )
        for id_, paper in papers.items()
    ]


@operation(Permission.PORTAL_USE, log=("order_id", "on"))
def confirm_delivery(session: Session, *, order_id: int, on: date, version: int) -> str:
    """Promise the day on which one's own company delivers an order; it is expected on that day then.

    Returns the order's number.
    """
    supplier = own_supplier_to_act(session)
    mine = session.scalar(sa.select(col(PurchaseOrder.id)).where(col(PurchaseOrder.id) == order_id, placed(supplier)))
    if mine is None:
        raise NotFound(_GONE)
    order = lock(session, PurchaseOrder, [order_id])[order_id]  # no order is ever deleted
    if order.version != version:
        raise Stale("The order was changed after you opened it. Look at it again.")
    if refusal := _why_not_confirm(order):
        raise Conflict(refusal)
    today = now().date()
    if not today <= on <= today + _AHEAD:
        raise Invalid(fields={"on": "Enter a day from today on, at most two years ahead."})
    if order.confirmed_on == on == order.expected_on:
        raise Invalid(fields={"on": "You have promised this day already."})
    if order.confirmed_on is None:
        # What was asked for stays to be compared with, however often they promise anew.
        order.wanted_on = order.expected_on
    order.confirmed_on = order.expected_on = on
    order.confirmed_by, order.confirmed_at = acting_user_id(), now()
    order.version += 1
    return order.number or ""


def _invoices() -> sa.Select[SupplierInvoice, int | None, str | None]:
    """Select invoices, each with the order it names where the supplier was sent that."""
    sent = sa.and_(
        col(PurchaseOrder.id) == col(SupplierInvoice.order_id),
        col(PurchaseOrder.supplier_id) == col(SupplierInvoice.supplier_id),
        col(PurchaseOrder.ordered_at).is_not(None),
    )
    return sa.select(SupplierInvoice, col(PurchaseOrder.id), col(PurchaseOrder.number)).outerjoin(PurchaseOrder, sent)


def _invoice_row(invoice: SupplierInvoice, order_id: int | None, order_number: str | None) -> InvoiceRow:
    stands = words.of_invoice(invoice)
    return InvoiceRow(
        id=invoice.id or 0,
        number=invoice.number,
        kind="Credit note" if invoice.kind == InvoiceKind.CREDIT_NOTE else "Invoice",
        stands=stands,
        dated=day(invoice.invoice_date),
        due=day(invoice.due_on),
        gross=said(invoice.gross, invoice.currency),
        open="" if invoice.status == InvoiceStatus.VOID else said(invoice.gross - invoice.paid, invoice.currency),
        order_id=order_id or 0,
        order_number=order_number or "",
    )


@query(Permission.PORTAL_USE)
def my_invoices(session: Session, *, search: str = "", cursor: str = "") -> Page[InvoiceRow]:
    """List the invoices and credit notes of one's own company that we have recorded, the newest first."""
    return invoices_of(session, own_supplier(session), search, cursor)


def invoices_of(
    session: Session, supplier: Supplier, search: str, cursor: str = "", size: int = PAGE_SIZE
) -> Page[InvoiceRow]:
    """Return a page of the invoices and credit notes of a supplier."""
    # The number of an order that the supplier was never sent is none that it can search for.
    found = named(search, col(SupplierInvoice.number), sa.func.coalesce(col(PurchaseOrder.number), ""))
    page = keyset(
        session,
        _invoices().where(col(SupplierInvoice.supplier_id) == supplier.id, found),
        [col(SupplierInvoice.id)],
        descending=True,
        cursor=cursor,
        size=size,
    )
    return page.of([_invoice_row(*row[:3]) for row in page.rows])


@query(Permission.PORTAL_USE)
def my_payments(session: Session, *, search: str = "", cursor: str = "") -> Page[PaymentRow]:
    """List what was paid to one's own company, the newest first, each with the invoices it was for."""
    return payments_of(session, own_supplier(session), search, cursor)


def payments_of(
    session: Session, supplier: Supplier, search: str, cursor: str = "", size: int = PAGE_SIZE
) -> Page[PaymentRow]:
    """Return a page of what was paid to a supplier."""
    page = keyset(
        session,
        sa.select(Payment, col(SupplierBankAccount.iban))
        .outerjoin(SupplierBankAccount, col(SupplierBankAccount.id) == col(Payment.bank_account_id))
        .where(paid_out(supplier), named(search, col(Payment.number), sa.func.coalesce(col(Payment.reference), ""))),
        [col(Payment.id)],
        descending=True,
        cursor=cursor,
        size=size,
    )
    parts = _parts(session, [payment.id or 0 for payment, *_ in page.rows])
    return page.of([_payment_row(payment, iban, parts) for payment, iban, *_ in page.rows])


def _parts(session: Session, payment_ids: Sequence[int]) -> dict[int, list[Pair]]:
    """Return for each payment the invoices it was for, with how much of it."""
    rows = session.execute(
        sa.select(PaymentAllocation, col(SupplierInvoice.number), col(SupplierInvoice.currency))
        .join(SupplierInvoice, col(SupplierInvoice.id) == col(PaymentAllocation.invoice_id))
        .where(col(PaymentAllocation.payment_id).in_(payment_ids))
        .order_by(col(PaymentAllocation.payment_id), col(PaymentAllocation.invoice_id))
    )
    found: dict[int, list[Pair]] = {}
    for part, invoice, currency in rows:
        found.setdefault(part.payment_id, []).append(Pair(invoice, said(part.amount, currency)))
    return found


def _payment_row(payment: Payment, iban: str | None, parts: dict[int, list[Pair]]) -> PaymentRow:
    return PaymentRow(
        id=payment.id or 0,
        number=payment.number,
        stands=words.of_payment(payment),
        paid=day(payment.paid_on),
        amount=said(payment.amount, payment.currency),
        method=payment.method.capitalize(),
        reference=payment.reference or "",
        account=masked(iban) if iban else "",
        parts=parts.get(payment.id or 0, []),
    )
