"""The list of invoices and credit notes: what it can be sorted and narrowed down by."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models._base import now, sort_key
from inventory_app.models.purchasing import InvoiceKind, InvoiceStatus, PurchaseOrder, SupplierInvoice
from inventory_app.models.suppliers import Supplier
from inventory_app.operations._list_filters import Asked, Asking, Condition, Contains, OneOf, Range, Words
from inventory_app.operations._lists import Column, Join, Listing, View
from inventory_app.operations._matching import PAYABLE
from inventory_app.operations._money import said
from inventory_app.operations._operation import Viewer
from inventory_app.operations._paging import Page, like_escaped
from inventory_app.operations._payment_holds import IS_HELD
from inventory_app.operations._prices import today
from inventory_app.permissions import Permission

_PRICES = Permission.PRICES_VIEW
_STATUS = col(SupplierInvoice.status)
_SUPPLIER, _ORDER = ("supplier",), ("order",)
_SOON = timedelta(days=7)

#: One that was paid in part and agrees no more is among the blocked ones: the rest of it cannot be paid.
_CONTESTED = sa.and_(_STATUS == InvoiceStatus.MATCHED, col(SupplierInvoice.matched_at).is_(None))
_OPEN = col(SupplierInvoice.paid) != col(SupplierInvoice.gross)
TO_PAY = sa.and_(PAYABLE, _OPEN)
BLOCKED = sa.or_(_STATUS == InvoiceStatus.BLOCKED, sa.and_(_CONTESTED, _OPEN))

STATUSES = {
    InvoiceStatus.MATCHED.value: "Matched",
    InvoiceStatus.BLOCKED.value: "Blocked",
    InvoiceStatus.RELEASED.value: "Released",
    InvoiceStatus.VOID.value: "Void",
}
KINDS = {InvoiceKind.INVOICE.value: "Invoice", InvoiceKind.CREDIT_NOTE.value: "Credit note"}
_DUE = {"overdue": "overdue", "soon": "in the next 7 days", "later": "later"}


def _word(_: Asking, text: str) -> Asked:
    return True, {"plain": f"%{like_escaped(sort_key(text))}%", "typed": f"%{like_escaped(text)}%"}


def _finds(_: Any, name: Callable[[str], str]) -> Condition:
    plain, typed = (sa.bindparam(name(part), type_=sa.Text()) for part in ("plain", "typed"))
    return sa.or_(
        col(Supplier.sort_key).like(plain),
        col(SupplierInvoice.number).ilike(typed),
        col(PurchaseOrder.number).ilike(typed),
    )


def _days(_: Asking, __: str) -> dict[str, date]:
    return {"due_today": today(), "due_soon": today() + _SOON}


def _due() -> dict[str, Condition]:
    day, soon = sa.bindparam("due_today", type_=sa.Date()), sa.bindparam("due_soon", type_=sa.Date())
    owed = col(SupplierInvoice.kind) == InvoiceKind.INVOICE
    due, wanted = col(SupplierInvoice.due_on), sa.and_(_OPEN, owed, _STATUS != InvoiceStatus.VOID)
    return {
        "overdue": sa.and_(wanted, due < day),
        "soon": sa.and_(wanted, due >= day, due <= soon),
        "later": sa.and_(wanted, due > soon),
    }


#: The list of invoices, the newest first.
LIST = Listing(
    permission=Permission.INVOICES_VIEW,
    table=SupplierInvoice,
    ident=col(SupplierInvoice.id),
    sort="recorded",
    columns=(
        Column(key="number", label="Number", by=col(SupplierInvoice.number), fixed=True),
        Column(key="supplier", label="Supplier", by=col(Supplier.sort_key), needs=_SUPPLIER),
        Column(key="order", label="Order", by=col(PurchaseOrder.number), needs=_ORDER, nullable=True),
        Column(key="date", label="Date", by=col(SupplierInvoice.invoice_date), extra=True),
        Column(key="due", label="Due", by=col(SupplierInvoice.due_on)),
        Column(key="gross", label="Gross", by=col(SupplierInvoice.gross), numeric=True, permission=_PRICES),
        Column(
            key="open",
            label="Open",
            by=col(SupplierInvoice.gross) - col(SupplierInvoice.paid),
            numeric=True,
            permission=_PRICES,
        ),
        Column(key="kind", label="Kind", by=col(SupplierInvoice.kind), extra=True),
        # Counted down, so that the newest stand first without being asked for.
        Column(key="recorded", label="Recorded", by=-col(SupplierInvoice.id), extra=True),
        Column(key="status", label="Status", by=_STATUS, fixed=True),
    ),
    search=Words(key="q", label="Search", needs=(*_SUPPLIER, *_ORDER), word=_word, finds=_finds),
    filters=(
        OneOf(
            key="tab",
            label="Status",
            quiet=True,
            options={"pay": TO_PAY, "blocked": BLOCKED},
            words={"pay": "To pay", "blocked": "Blocked"},
        ),
        OneOf(key="due", label="Due", options=_due(), words=_DUE, values=_days),
        OneOf(
            key="status",
            label="Status",
            options={one: col(SupplierInvoice.status) == one for one in STATUSES},
            words=STATUSES,
        ),
        OneOf(key="kind", label="Kind", options={one: col(SupplierInvoice.kind) == one for one in KINDS}, words=KINDS),
        OneOf(
            key="held",
            label="Payment held",
            needs=_SUPPLIER,
            options={"yes": sa.and_(IS_HELD, _OPEN, _STATUS != InvoiceStatus.VOID)},
            words={"yes": "supplier suspended or rejected"},
        ),
        Contains(key="supplier", label="Supplier", column=col(Supplier.sort_key), needs=_SUPPLIER),
        Range(key="gross", label="Gross", column=col(SupplierInvoice.gross), permission=_PRICES),
    ),
    joins={
        "supplier": Join(Supplier, col(Supplier.id) == col(SupplierInvoice.supplier_id)),
        "order": Join(PurchaseOrder, col(PurchaseOrder.id) == col(SupplierInvoice.order_id), outer=True),
    },
)


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """An invoice as the list shows it; amounts are empty for who may not see them."""

    id: int
    number: str
    kind: str
    supplier: str
    order: str
    order_href: str
    date: str
    due: str
    #: overdue, soon or empty.
    due_state: str
    gross: str
    open: str
    currency: str
    status: str
    tone: str
    recorded: str
    #: Something of it is open, and payments to its supplier are held.
    held: bool


@dataclass(frozen=True, slots=True)
class InvoiceListing:
    """A page of invoices; `count` the view leaves, the others are of the tabs."""

    view: View
    page: Page[InvoiceRow]
    count: int
    everything: int
    to_pay: int
    blocked: int


def listing(session: Session, viewer: Viewer, view: View) -> InvoiceListing:
    """Return a page of invoices with the counts beside it."""
    allowed = LIST.allowed(view, viewer.permissions)
    everything = LIST.count(session, View())
    page, count = LIST.listed(session, allowed, everything)
    found = session.execute(_DETAILS, {"ids": page.rows}).all() if page.rows else ()
    rows = {row[0].id: _row(*row, prices=_PRICES in viewer.permissions) for row in found}
    to_pay, blocked = (LIST.count(session, View(filters={"tab": tab})) for tab in ("pay", "blocked"))
    return InvoiceListing(allowed, page.of([rows[id_] for id_ in page.rows]), count, everything, to_pay, blocked)


_DETAILS = (
    sa.select(SupplierInvoice, col(Supplier.name), col(PurchaseOrder.number), IS_HELD)
    .join(Supplier, col(Supplier.id) == col(SupplierInvoice.supplier_id))
    .outerjoin(PurchaseOrder, col(PurchaseOrder.id) == col(SupplierInvoice.order_id))
    .where(col(SupplierInvoice.id) == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.BigInteger))))
)


def _row(paper: SupplierInvoice, supplier: str, order: str | None, held: bool, *, prices: bool) -> InvoiceRow:  # noqa: FBT001  # a row of `_DETAILS`
    status, tone = said_status(paper)
    still_open = paper.gross - paper.paid
    return InvoiceRow(
        id=paper.id or 0,
        number=paper.number,
        kind=paper.kind,
        supplier=supplier,
        order=order or ("" if paper.order_id is None else "Draft"),
        order_href="" if paper.order_id is None else f"/orders/{paper.order_id}",
        date=paper.invoice_date.isoformat(),
        due=paper.due_on.isoformat(),
        due_state=due_state(paper),
        gross=said(paper.gross) if prices else "",
        open=said(still_open) if prices else "",
        currency=paper.currency if prices else "",
        status=status,
        tone=tone,
        recorded=paper.recorded_at.isoformat(),
        held=held and paper.status != InvoiceStatus.VOID and paper.paid != paper.gross,
    )


def said_status(paper: SupplierInvoice) -> tuple[str, str]:
    """Return what people read for the status of a paper, and its tone."""
    if paper.status == InvoiceStatus.VOID:
        return "Void", "neutral"
    if paper.status == InvoiceStatus.BLOCKED:
        return "Blocked", "bad"
    if paper.paid == paper.gross and paper.gross:
        return ("Paid" if paper.kind == InvoiceKind.INVOICE else "Set off"), "ok"
    if paper.status == InvoiceStatus.MATCHED and paper.matched_at is None:
        return "Partly paid, agrees no more", "bad"
    if paper.paid:
        return "Partly paid", "accent"
    return STATUSES[paper.status], "ok"


def due_state(paper: SupplierInvoice) -> str:
    """Tell whether a paper of which something is open is overdue, or soon will be."""
    if paper.status == InvoiceStatus.VOID or paper.paid == paper.gross or paper.kind == InvoiceKind.CREDIT_NOTE:
        return ""
    left = paper.due_on - now().date()
    return "overdue" if left < timedelta(0) else "soon" if left <= _SOON else ""
