"""Ordered, received and invoiced side by side, of an invoice or of an order, as the viewer may see it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlmodel import Session, col, select

from inventory_app.models.purchasing import (
    GoodsReceipt,
    InvoiceKind,
    InvoiceStatus,
    PurchaseOrder,
    SupplierInvoice,
    SupplierInvoiceLine,
)
from inventory_app.operations import _matching, _money
from inventory_app.operations._invoice_list import said_status
from inventory_app.operations._ledger import say
from inventory_app.operations._match_rules import Book, LineMatch, Match, Ordered, PaperLine
from inventory_app.operations._money import said
from inventory_app.operations._operation import Viewer
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

_NONE = "–"
#: So many of what does not agree are said above the match, which shows all of it.
_REASONS_SAID = 3
#: What does not agree is marked at the unit cost.
_ABOUT_PRICE = {"price", "currency", "tax"}


@dataclass(frozen=True, slots=True)
class Link:
    """A paper that is named, and where it is; no address for who may not see it."""

    text: str
    href: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class MatchRow:
    """A line side by side: ordered, received, invoiced, and what was found; `tone` is ok, wait or bad."""

    id: int
    product: str
    sku: str
    unit: str
    order: str
    ordered: str
    ordered_cost: str
    ordered_amount: str
    received: str
    invoiced: str
    invoiced_cost: str
    invoiced_amount: str
    #: What other papers invoice of the same line.
    others: str
    tone: str
    word: str
    note: str
    differs: bool
    #: Which of them is wrong.
    bad_quantity: bool = False
    bad_price: bool = False


@dataclass(frozen=True, slots=True)
class Sides:
    """The match of a paper or an order: its rows, their sums, and the papers they are from."""

    rows: list[MatchRow]
    differences: int
    currency: str
    tolerance: str
    ordered: str
    received: str
    invoiced: str
    ordered_amount: str
    invoiced_amount: str
    #: What is invoiced and not covered by goods.
    above: str
    orders: list[Link] = field(default_factory=list)
    receipts: list[Link] = field(default_factory=list)
    invoices: list[Link] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OrderMatch:
    """The match of an order, with the invoices that are about it."""

    sides: Sides
    invoices: list[Link]
    #: The first invoice that cannot be paid yet, and why; empty for who may not see invoices.
    held: str = ""
    held_href: str = ""
    held_why: str = ""


def link_to(paper: SupplierInvoice, *, prices: bool) -> Link:
    """Name a paper and where it is."""
    amount = said(paper.gross, paper.currency) if prices else ""
    return Link(paper.number, f"/invoices/{paper.id}", ", ".join(filter(None, (said_status(paper)[0], amount))))


def reasons(book: Book, match: Match, *, prices: bool) -> list[str]:
    """Say everything that does not agree, as the rules put it."""
    lines = {line.id: line for line in book.lines}
    said_of = [
        f"{_called(book, lines[one.line_id])}: {_sentence(one.word(), one.details(prices=prices))}"
        for one in match.lines
        if not one.agrees
    ]
    whole = [
        _sentence(one.word, ", ".join(filter(None, (one.note, one.amounts if prices else ""))))
        for one in match.findings
    ]
    return whole + said_of


def _sentence(word: str, details: str) -> str:
    return f"{word} ({details})." if details else f"{word}."


def _called(book: Book, line: PaperLine) -> str:
    ordered = book.ordered.get(line.order_line_id or 0)
    return ordered.product if ordered else f"Line {line.position}"


def sides_of_paper(session: Session, viewer: Viewer, paper: SupplierInvoice, book: Book, match: Match) -> Sides:
    """Return what an invoice asks for beside what was ordered and came."""
    prices = Permission.PRICES_VIEW in viewer.permissions
    found = {one.line_id: one for one in match.lines}
    statement = select(SupplierInvoiceLine).where(SupplierInvoiceLine.invoice_id == paper.id)
    lines = session.exec(statement.order_by(col(SupplierInvoiceLine.position))).all()
    rows = [_row_of_paper(book, line, found.get(line.id or 0), paper, prices=prices) for line in lines]
    orders = {one.order_id: one for line in lines if (one := book.ordered.get(line.order_line_id or 0))}
    ordered = {one.id: one for line in lines if (one := book.ordered.get(line.order_line_id or 0))}
    above = sum((one.worth for line in lines if (one := found.get(line.id or 0))), Decimal(0))
    return _sides(
        rows,
        ordered.values(),
        match.differences,
        invoiced=sum((line.quantity for line in lines), Decimal(0)),
        net=paper.net,
        above=above if paper.kind == InvoiceKind.INVOICE else Decimal(0),
        currency=paper.currency,
        prices=prices,
        orders=[_order_link(viewer, one.order_id, one.order) for one in orders.values()],
        receipts=_receipts(session, viewer, orders),
        invoices=[Link(paper.number)],
    )


def _row_of_paper(
    book: Book, line: SupplierInvoiceLine, found: LineMatch | None, paper: SupplierInvoice, *, prices: bool
) -> MatchRow:
    ordered = book.ordered.get(line.order_line_id or 0)
    codes = found.codes if found else frozenset[str]()
    others = book.billed(ordered.id) - line.quantity if ordered and found and line.quantity > 0 else Decimal(0)
    tone = "wait" if found is None else "ok" if found.agrees else "bad"
    if tone == "bad" and paper.status == InvoiceStatus.RELEASED:
        tone = "wait"
    return MatchRow(
        **_side_of_order(ordered, line.description, prices=prices),
        id=line.id or 0,
        invoiced=say(line.quantity),
        invoiced_cost=said(line.unit_cost) if prices else "",
        invoiced_amount=said(line.net) if prices else "",
        others=f"{say(others)} on other papers" if others > 0 else "",
        tone=tone,
        word="Void" if found is None else found.word(),
        note="" if found is None else found.details(prices=prices),
        differs=found is not None and not found.agrees,
        bad_quantity="quantity" in codes,
        bad_price=bool(codes & _ABOUT_PRICE),
    )


def _side_of_order(ordered: Ordered | None, description: str, *, prices: bool) -> dict[str, str]:
    if ordered is None:
        empty = dict.fromkeys(("ordered", "ordered_cost", "ordered_amount", "received"), _NONE)
        return empty | {"product": description, "sku": "", "unit": "", "order": ""}
    amount = _money.of_line(ordered.quantity, ordered.unit_cost).net
    return {
        "product": ordered.product,
        "sku": ordered.sku,
        "unit": ordered.unit,
        "order": ordered.order,
        "ordered": say(ordered.quantity),
        "ordered_cost": said(ordered.unit_cost) if prices else "",
        "ordered_amount": said(amount) if prices else "",
        "received": say(ordered.received) if ordered.stock or ordered.received else _NONE,
    }


def of_order(session: Session, viewer: Viewer, order: PurchaseOrder) -> OrderMatch:
    """Return the match of everything about an order, as this viewer may see it."""
    prices = Permission.PRICES_VIEW in viewer.permissions
    papers_too = Permission.INVOICES_VIEW in viewer.permissions
    book = _matching.load_order(session, order.id or 0)
    rows = [_row_of_order(book, one, prices=prices, papers_too=papers_too) for one in book.ordered.values()]
    papers = _papers(session, book) if papers_too else []
    lines = [line for one in book.ordered for line in book.about(one)] if papers_too else []
    matches = {id_: book.match(id_) for id_ in sorted({line.invoice_id for line in lines})}
    worth = {one.line_id: one.worth for match in matches.values() for one in match.lines}
    sides = _sides(
        rows,
        book.ordered.values(),
        sum(row.differs for row in rows),
        invoiced=sum((line.quantity for line in lines), Decimal(0)),
        net=sum((line.net for line in lines), Decimal(0)),
        above=sum((worth[line.id] for line in lines), Decimal(0)),
        currency=order.currency,
        prices=prices,
        orders=[Link(order.number or _matching.DRAFT)],
        receipts=_receipts(session, viewer, [order.id or 0]),
        invoices=[link_to(one, prices=prices) for one in papers],
    )
    held = next((one for one in papers if _matching.why_not_payable(one) and one.paid != one.gross), None)
    if held is None:
        return OrderMatch(sides, sides.invoices)
    # A paper may have lines of other orders, so all of it is read.
    whole = _matching.load(session, [held.id or 0])
    found = reasons(whole, whole.match(held.id or 0), prices=prices)
    more = len(found) - _REASONS_SAID
    why = " ".join([*found[:_REASONS_SAID], *([f"And {more} more."] if more > 0 else [])])
    return OrderMatch(sides, sides.invoices, held.number, f"/invoices/{held.id}", why)


def _papers(session: Session, book: Book) -> Sequence[SupplierInvoice]:
    ids = {line.invoice_id for line in book.lines}
    return session.exec(
        select(SupplierInvoice).where(col(SupplierInvoice.id).in_(ids)).order_by(col(SupplierInvoice.id))
    ).all()


def _row_of_order(book: Book, ordered: Ordered, *, prices: bool, papers_too: bool) -> MatchRow:
    lines = book.about(ordered.id) if papers_too else []
    standing = book.standing(ordered) if papers_too else book.coming(ordered)
    note = standing.amounts if prices and standing.amounts else standing.note
    if standing.tone == "wait" and ordered.expected and standing.word.startswith("Waiting"):
        note = f"due {date.fromisoformat(ordered.expected):%-d %b %Y}"
    costs = sorted({line.unit_cost for line in lines if line.quantity > 0})
    return MatchRow(
        **_side_of_order(ordered, ordered.product, prices=prices),
        id=ordered.id,
        invoiced=say(sum((line.quantity for line in lines), Decimal(0))) if lines else _NONE,
        invoiced_cost=" – ".join(dict.fromkeys(said(cost) for cost in (costs[:1] + costs[-1:]))) if prices else "",
        invoiced_amount=said(sum((line.net for line in lines), Decimal(0))) if prices and lines else "",
        others="",
        tone=standing.tone,
        word=standing.word,
        note=note,
        differs=standing.tone == "bad",
        bad_quantity="quantity" in standing.codes,
        bad_price=bool(standing.codes & _ABOUT_PRICE),
    )


def _sides(  # noqa: PLR0913  # what papers and orders have in common
    rows: list[MatchRow],
    ordered: Iterable[Ordered],
    differences: int,
    *,
    invoiced: Decimal,
    net: Decimal,
    above: Decimal,
    currency: str,
    prices: bool,
    orders: list[Link],
    receipts: list[Link],
    invoices: list[Link],
) -> Sides:
    known = list(ordered)
    amount = _money.total(_money.of_line(one.quantity, one.unit_cost) for one in known).net
    return Sides(
        rows=rows,
        differences=differences,
        currency=currency if prices else "",
        tolerance=say(get_settings().price_tolerance_percent),
        ordered=say(sum((one.quantity for one in known), Decimal(0))),
        received=say(sum((one.received for one in known), Decimal(0))),
        invoiced=say(invoiced),
        ordered_amount=said(amount) if prices else "",
        invoiced_amount=said(net) if prices else "",
        above=f"{said(above, currency)} above goods received" if prices and above else "",
        orders=orders,
        receipts=receipts,
        invoices=invoices,
    )


def _order_link(viewer: Viewer, order_id: int, number: str) -> Link:
    return Link(number, f"/orders/{order_id}" if Permission.ORDERS_VIEW in viewer.permissions else "")


def _receipts(session: Session, viewer: Viewer, order_ids: Iterable[int]) -> list[Link]:
    if Permission.ORDERS_VIEW not in viewer.permissions:
        return []
    statement = select(GoodsReceipt).where(col(GoodsReceipt.order_id).in_(list(order_ids)))
    found = session.exec(statement.order_by(col(GoodsReceipt.id)))
    return [Link(one.number, f"/receipts/{one.id}") for one in found]
