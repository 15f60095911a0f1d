"""Matching invoices with orders and receipts: reading what the rules need, and finding again whatever changed.

Whoever changes what a match depends on calls `rematch` with the orders, which they have locked, as the last step before
their number is drawn; a receipt, a return or a correction of one, an order that is placed or given up (one with a paper
is not cancelled, and closing leaves all that is asked as it was). Of two at once the second waits for the order, or
where a paper is about several orders for the paper, and finds what the first has committed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.models._base import now
from inventory_app.models.catalog import Product
from inventory_app.models.purchasing import (
    InvoiceKind,
    InvoiceStatus,
    OrderStatus,
    PurchaseOrder,
    PurchaseOrderLine,
    SupplierInvoice,
    SupplierInvoiceLine,
)
from inventory_app.operations._match_rules import Book, Match, Ordered, Paper, PaperLine
from inventory_app.settings import get_settings

#: The order is with the supplier, or was until it was closed.
_PLACED = frozenset({OrderStatus.ORDERED, OrderStatus.PARTIALLY_RECEIVED, OrderStatus.RECEIVED, OrderStatus.CLOSED})
_PAYABLE = frozenset({InvoiceStatus.MATCHED, InvoiceStatus.RELEASED})
#: What `why_not_payable` says nothing about, for queries; constants, so that one plan serves every call.
PAYABLE = sa.or_(
    col(SupplierInvoice.status) == sa.literal_column(f"'{InvoiceStatus.RELEASED.value}'"),
    sa.and_(
        col(SupplierInvoice.status) == sa.literal_column(f"'{InvoiceStatus.MATCHED.value}'"),
        col(SupplierInvoice.matched_at).is_not(None),
    ),
)
#: What people call an order that has no number yet.
DRAFT = "The draft"


def rematch(session: Session, order_ids: Iterable[int]) -> None:
    """Find anew whether the invoices and credit notes about these orders agree; the orders must be locked."""
    session.flush()
    match_again(session, papers_about(session, order_ids))


def why_not_payable(invoice: SupplierInvoice) -> str:
    """Say why an invoice cannot be paid, whoever pays; empty when it can. The invoice must be locked to act on it.

    One that was paid in part and agrees no more keeps its status, which the table asks of what is paid, and has no
    `matched_at`.
    """
    if invoice.status == InvoiceStatus.VOID:
        return f"{invoice.number} is void."
    if invoice.status == InvoiceStatus.BLOCKED:
        return f"{invoice.number} does not agree with what was ordered and came. It has to be released first."
    if contested(invoice):
        return f"{invoice.number} agrees no more, after a part of it was paid. The rest has to be released first."
    return ""


def contested(invoice: SupplierInvoice) -> bool:
    """Tell whether an invoice that something was paid of agrees no more."""
    return invoice.status == InvoiceStatus.MATCHED and invoice.matched_at is None


def orders_of(session: Session, invoice_ids: Iterable[int]) -> set[int]:
    """Return the orders that lines of these papers are about."""
    found = session.scalars(
        sa.select(col(PurchaseOrderLine.order_id))
        .join(SupplierInvoiceLine, col(SupplierInvoiceLine.order_line_id) == col(PurchaseOrderLine.id))
        .where(col(SupplierInvoiceLine.invoice_id).in_(set(invoice_ids)))
        .distinct()
    )
    return set(found)


def lock_papers(
    session: Session, order_ids: Iterable[int], invoice_ids: Iterable[int] = ()
) -> dict[int, SupplierInvoice]:
    """Lock these orders, then whatever papers are about them or are named, with all credit notes about those."""
    orders, named = set(order_ids), set(invoice_ids)
    lock(session, PurchaseOrder, orders)
    return lock(session, SupplierInvoice, named | papers_about(session, orders) | notes_about(session, named))


def papers_about(session: Session, order_ids: Iterable[int]) -> set[int]:
    """Return the invoices and credit notes that have lines of these orders and are not void."""
    found = session.scalars(
        sa.select(col(SupplierInvoiceLine.invoice_id))
        .join(PurchaseOrderLine, col(PurchaseOrderLine.id) == col(SupplierInvoiceLine.order_line_id))
        .join(SupplierInvoice, col(SupplierInvoice.id) == col(SupplierInvoiceLine.invoice_id))
        .where(col(PurchaseOrderLine.order_id).in_(set(order_ids)), col(SupplierInvoice.status) != InvoiceStatus.VOID)
        .distinct()
    )
    return set(found)


def notes_about(session: Session, invoice_ids: Iterable[int]) -> set[int]:
    """Return the credit notes about these invoices that are not void."""
    found = session.scalars(
        select(SupplierInvoice.id).where(
            col(SupplierInvoice.credits).in_(set(invoice_ids)), col(SupplierInvoice.status) != InvoiceStatus.VOID
        )
    )
    return {id_ for id_ in found if id_ is not None}


def match_again(session: Session, invoice_ids: Iterable[int]) -> dict[int, Match]:
    """Set the status of these papers to what the rules find, and return that; who was released stays so.

    Credit notes come first, because what they credit counts for the invoices only if they agree themselves; where that
    changes, whatever shares a line of an order with them is looked at as well.
    """
    todo, found = set(invoice_ids), dict[int, Match]()
    while todo:
        locked = lock(session, SupplierInvoice, todo)
        # Who was waited for may have voided some: what they took counts no more.
        papers = {id_: paper for id_, paper in locked.items() if paper.status != InvoiceStatus.VOID}
        book = load(session, papers)
        changed: set[int] = set()
        for paper in sorted(papers.values(), key=lambda one: (one.kind == InvoiceKind.INVOICE, one.id)):
            id_ = paper.id or 0
            found[id_] = book.match(id_)
            if _settle(paper, agrees=found[id_].agrees):
                book.papers[id_] = replace(book.papers[id_], counts=paper.status in _PAYABLE)
                if paper.kind == InvoiceKind.CREDIT_NOTE:
                    changed.add(id_)
        session.flush()
        about = {line.order_line_id for id_ in changed for line in book.lines_of(id_)}
        todo = {line.invoice_id for id_ in about if id_ is not None for line in book.about(id_)} - locked.keys()
    return found


def _settle(paper: SupplierInvoice, *, agrees: bool) -> bool:
    """Write down what was found, if it is news; returns whether it is."""
    if paper.status == InvoiceStatus.RELEASED:
        return False
    # The table keeps what something was paid of from being blocked.
    status = InvoiceStatus.MATCHED if agrees or paper.paid else InvoiceStatus.BLOCKED
    if paper.status == status and (paper.matched_at is not None) == agrees:
        return False
    paper.status, paper.matched_at = status, now() if agrees else None
    paper.version += 1
    return True


def load(session: Session, invoice_ids: Iterable[int]) -> Book:
    """Read what the match of these papers depends on, in four statements however many lines they have."""
    ids = set(invoice_ids)
    mine = sa.select(col(SupplierInvoiceLine.order_line_id)).where(col(SupplierInvoiceLine.invoice_id).in_(ids))
    return _book(session, col(PurchaseOrderLine.id).in_(mine), ids)


def load_order(session: Session, order_id: int) -> Book:
    """Read what the match of everything about an order depends on."""
    return _book(session, col(PurchaseOrderLine.order_id) == order_id, set())


def _book(session: Session, which: sa.ColumnElement[bool], invoice_ids: set[int]) -> Book:
    ordered = _ordered(session, which)
    lines = session.execute(
        sa.select(
            col(SupplierInvoiceLine.id),
            col(SupplierInvoiceLine.invoice_id),
            col(SupplierInvoiceLine.position),
            col(SupplierInvoiceLine.order_line_id),
            col(SupplierInvoiceLine.quantity),
            col(SupplierInvoiceLine.unit_cost),
            col(SupplierInvoiceLine.net),
            col(SupplierInvoiceLine.tax_percent),
        )
        .join(SupplierInvoice, col(SupplierInvoice.id) == col(SupplierInvoiceLine.invoice_id))
        .where(
            sa.or_(
                col(SupplierInvoiceLine.invoice_id).in_(invoice_ids),
                sa.and_(
                    col(SupplierInvoiceLine.order_line_id).in_(ordered.keys()),
                    col(SupplierInvoice.status) != InvoiceStatus.VOID,
                ),
            )
        )
    )
    known = [PaperLine(*row) for row in lines]
    papers = _papers(session, invoice_ids | {line.invoice_id for line in known})
    return Book(ordered, papers, known, get_settings().price_tolerance_percent)


def _papers(session: Session, ids: set[int]) -> dict[int, Paper]:
    """Return these papers, the invoices that some of them are about, and the other credit notes about those."""
    credited = sa.select(col(SupplierInvoice.credits)).where(col(SupplierInvoice.id).in_(ids))
    found = session.execute(
        sa.select(
            col(SupplierInvoice.id),
            col(SupplierInvoice.number),
            col(SupplierInvoice.currency),
            col(SupplierInvoice.gross),
            col(SupplierInvoice.credits),
            col(SupplierInvoice.status),
        ).where(
            sa.or_(
                col(SupplierInvoice.id).in_(ids),
                col(SupplierInvoice.id).in_(credited),
                sa.and_(col(SupplierInvoice.credits).in_(credited), col(SupplierInvoice.status) != InvoiceStatus.VOID),
            )
        )
    )
    return {
        row.id: Paper(
            row.id,
            row.number,
            row.currency,
            row.gross,
            row.credits,
            counts=row.status in _PAYABLE,
            released=row.status == InvoiceStatus.RELEASED,
        )
        for row in found
    }


def _ordered(session: Session, which: sa.ColumnElement[bool]) -> Mapping[int, Ordered]:
    """Return lines of orders; by columns, which are as they are now whatever this Session has read before."""
    expected = sa.func.coalesce(col(PurchaseOrderLine.expected_on), col(PurchaseOrder.expected_on))
    rows = session.execute(
        sa.select(
            col(PurchaseOrderLine.id),
            col(PurchaseOrderLine.order_id),
            sa.func.coalesce(col(PurchaseOrder.number), DRAFT).label("called"),
            sa.func.coalesce(col(Product.name), col(PurchaseOrderLine.description)).label("product"),
            sa.func.coalesce(col(Product.sku), "").label("sku"),
            sa.func.coalesce(col(Product.unit_code), "").label("unit"),
            col(PurchaseOrder.currency),
            col(PurchaseOrderLine.quantity),
            col(PurchaseOrderLine.given_up),
            col(PurchaseOrderLine.received),
            col(PurchaseOrderLine.unit_cost),
            col(PurchaseOrderLine.tax_percent),
            col(PurchaseOrderLine.product_id).is_not(None).label("stock"),
            col(PurchaseOrder.status).in_(_PLACED).label("placed"),
            sa.func.coalesce(sa.cast(expected, sa.Text), "").label("expected"),
        )
        .join(PurchaseOrder, col(PurchaseOrder.id) == col(PurchaseOrderLine.order_id))
        .outerjoin(Product, col(Product.id) == col(PurchaseOrderLine.product_id))
        .where(which)
        .order_by(col(PurchaseOrderLine.order_id), col(PurchaseOrderLine.position))
    )
    return {row.id: Ordered(*row) for row in rows}
