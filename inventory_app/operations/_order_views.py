"""Orders as the list and the page of one show them: ready sentences, amounts only for who may see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.models._base import now
from inventory_app.models.approvals import Approval, ApprovalStatus, Verdict
from inventory_app.models.catalog import Location, Product
from inventory_app.models.purchasing import (
    GoodsReceipt,
    GoodsReceiptLine,
    OrderStatus,
    PurchaseOrder,
    PurchaseOrderLine,
    ReceiptKind,
    SupplierInvoice,
)
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import _approval_rules as approval_rules
from inventory_app.operations import _order_rules as rules
from inventory_app.operations._ledger import say
from inventory_app.operations._lists import View
from inventory_app.operations._money import of_line, said
from inventory_app.operations._operation import Viewer
from inventory_app.operations._order_approval import latest
from inventory_app.operations._order_list import LIST, TABS
from inventory_app.operations._order_rules import STATUSES, UNDER_WAY, Facts
from inventory_app.operations._paging import Page
from inventory_app.operations._payment_holds import why_held
from inventory_app.operations._product_list import product_href
from inventory_app.operations._supplier_rules import listed
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

_NOT_YET = (OrderStatus.DRAFT, OrderStatus.SUBMITTED, OrderStatus.APPROVED)


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as the list shows it; `total` is empty without `prices:view`."""

    id: int
    href: str
    called: str
    supplier: str
    status: str
    tone: str
    override: bool
    expected: str
    late: bool
    #: "" where the supplier has promised nothing, "as wanted", or how much later than wanted.
    promised: str
    promised_later: bool
    location: str
    total: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class OrderListing:
    """A page of orders; `count` the view leaves, `counts` are of the tabs, all of them as well."""

    view: View
    page: Page[OrderRow]
    count: int
    everything: int
    counts: dict[str, int]
    suppliers: list[tuple[str, str]]
    locations: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of an order; costs are empty without `prices:view`. The rest begins the form."""

    id: int
    product: str
    sku: str
    href: str
    supplier_sku: str
    quantity: str
    unit: str
    packs: str
    unit_cost: str
    amount: str
    tax: str
    expected: str
    late: bool
    received: str
    waiting: str
    given_up: str
    typed_quantity: str
    typed_cost: str
    typed_tax: str
    typed_day: str
    described: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an order's life: `state` is done, now, next or off; who took it, and when."""

    label: str
    state: str
    by: str = ""
    at: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Agreed:
    """Somebody with a part in the order, or who decided about it."""

    name: str
    did: str
    at: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """A receipt or an invoice of the order."""

    number: str
    href: str
    what: str
    at: str
    end: str


@dataclass(frozen=True, slots=True)
class Doing:
    """What can be done with the order: why not is empty when it can, and then `may` says whether by the viewer."""

    edit: str
    submit: str
    revise: str
    approve: str
    place: str
    give_up: str
    cancel: str
    close: str
    override: str


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """An order with everything about it."""

    id: int
    version: int
    called: str
    status: str
    word: str
    tone: str
    supplier: str
    supplier_id: int
    supplier_href: str
    location: str
    location_id: int
    expected: str
    typed_expected: str
    late: bool
    #: As in `OrderRow`; `promise` says in a sentence who promised what and when.
    promised: str
    promised_later: bool
    promise: str
    payment_days: str
    currency: str
    rate: str
    base: str
    note: str
    message: str
    total: str
    tax: str
    gross: str
    supplier_fault: str
    #: Of an order under way: why payments to its supplier are held.
    supplier_held: str
    override: str
    override_by: str
    cancelled: str
    copied_from: str
    copied_href: str
    rule: str
    can_agree: str
    doing: Doing
    lines: list[LineRow] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    agreed: list[Agreed] = field(default_factory=list)
    receipts: list[Paper] = field(default_factory=list)
    invoices: list[Paper] = field(default_factory=list)
    still_to_come: str = ""
    sees_prices: bool = False


# The list

_DETAILS = (
    sa.select(PurchaseOrder, col(Supplier.name), col(Location.name))
    .join(Supplier, col(Supplier.id) == col(PurchaseOrder.supplier_id))
    .join(Location, col(Location.id) == col(PurchaseOrder.location_id))
    .where(col(PurchaseOrder.id) == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.BigInteger))))
)
_BY_STATUS = sa.select(col(PurchaseOrder.status), sa.func.count()).group_by(col(PurchaseOrder.status))


def listing(session: Session, viewer: Viewer, view: View) -> OrderListing:
    """Return a page of the orders with the counts beside it."""
    by_status = {status: number for status, number in session.execute(_BY_STATUS)}  # noqa: C416  # rows are no pairs
    under_way = sum(by_status.get(status, 0) for status in UNDER_WAY)
    counts = {tab: under_way if tab == "under_way" else by_status.get(tab, 0) for tab in TABS}
    everything = sum(by_status.values())
    allowed = LIST.allowed(view, viewer.permissions)
    page, count = LIST.listed(session, allowed, everything)
    rows = order_rows(session, viewer, page.rows)
    ordered_from = sa.select(col(PurchaseOrder.supplier_id))
    suppliers = session.execute(
        sa.select(col(Supplier.id), col(Supplier.name))
        .where(col(Supplier.id).in_(ordered_from))
        .order_by(col(Supplier.sort_key), col(Supplier.id))
    )
    places = session.execute(
        sa.select(col(Location.id), col(Location.name)).order_by(col(Location.sort_key), col(Location.id))
    )
    return OrderListing(
        allowed,
        page.of(rows),
        count,
        everything,
        counts,
        [(str(id_), name) for id_, name in suppliers],
        [(str(id_), name) for id_, name in places],
    )


def order_rows(session: Session, viewer: Viewer, ids: Sequence[int]) -> list[OrderRow]:
    """Return these orders as a list shows them, in this order."""
    found = session.execute(_DETAILS, {"ids": list(ids)}).all() if ids else []
    names = approval_rules.full_names(session, {order.created_by for order, *_ in found if order.created_by})
    rows = {order.id: _row(viewer, order, supplier, place, names) for order, supplier, place in found}
    return [rows[id_] for id_ in ids if id_ in rows]


#: So many days ahead is what is due shown.
DUE_DAYS, DUE_SHOWN = 7, 5
_IS_DUE = sa.and_(
    col(PurchaseOrder.status).in_([status.value for status in UNDER_WAY]),
    col(PurchaseOrder.expected_on) <= sa.func.current_date() + DUE_DAYS,
)


def due(session: Session, viewer: Viewer) -> tuple[list[OrderRow], int]:
    """Return what should come soon or should have come, the longest awaited first, and how many there are."""
    number = session.scalar(sa.select(sa.func.count()).select_from(PurchaseOrder).where(_IS_DUE)) or 0
    if not number:
        return [], 0
    first = sa.select(col(PurchaseOrder.id)).where(_IS_DUE)
    ids = session.scalars(first.order_by(col(PurchaseOrder.expected_on), col(PurchaseOrder.id)).limit(DUE_SHOWN))
    return order_rows(session, viewer, [id_ for id_ in ids if id_]), number


def _row(viewer: Viewer, order: PurchaseOrder, supplier: str, place: str, names: Mapping[int, str]) -> OrderRow:
    word, tone = STATUSES[order.status]
    return OrderRow(
        id=order.id or 0,
        href=f"/orders/{order.id}",
        called=order.number or "Draft",
        supplier=supplier,
        status=word,
        tone=tone,
        override=order.override_reason is not None,
        expected=_day(order.expected_on),
        late=_is_late(order, order.expected_on),
        promised=_promised(order),
        promised_later=_later(order) > 0,
        location=place,
        total=said(order.total, order.currency) if Permission.PRICES_VIEW in viewer.permissions else "",
        by=names.get(order.created_by or 0, ""),
        at=order.created_at.isoformat(),
    )


def _day(day: date | None) -> str:
    if day is None:
        return ""
    return f"{day:%a %-d %b}" if day.year == now().year else f"{day:%-d %b %Y}"


def _is_late(order: PurchaseOrder, day: date | None) -> bool:
    return order.status in UNDER_WAY and day is not None and day < now().date()


def _later(order: PurchaseOrder) -> int:
    """Return by how many days the supplier has promised a later day than was wanted; 0 or less: in time."""
    if order.confirmed_on is None or order.wanted_on is None:
        return 0
    return (order.confirmed_on - order.wanted_on).days


def _promised(order: PurchaseOrder) -> str:
    if order.confirmed_on is None:
        return ""
    days = _later(order)
    return "as wanted" if days <= 0 else f"{days:,} {'day' if days == 1 else 'days'} later than wanted"


def _promise(order: PurchaseOrder, names: Mapping[int, str]) -> str:
    """Say who promised which day, when, and what was wanted."""
    if order.confirmed_on is None or order.confirmed_at is None:
        return ""
    by = names.get(order.confirmed_by or 0, "The supplier")
    said_on = f"{by} promised {_day(order.confirmed_on)} on {order.confirmed_at:%-d %b %Y}."
    if _later(order) <= 0:
        return said_on
    return f"{said_on} {_day(order.wanted_on)} was wanted."


# One of them


def detail(session: Session, viewer: Viewer, order_id: int) -> OrderDetail | None:
    """Return an order with everything about it; None when there is none."""
    order = session.get(PurchaseOrder, order_id)
    if order is None:
        return None
    prices = Permission.PRICES_VIEW in viewer.permissions
    known = rules.facts(session, order)
    supplier = session.get_one(Supplier, order.supplier_id)
    place = session.get_one(Location, order.location_id)
    people = {
        user
        for name in (
            "created_by",
            "submitted_by",
            "confirmed_by",
            "ordered_by",
            "closed_by",
            "cancelled_by",
            "overridden_by",
        )
        if (user := getattr(order, name)) is not None
    }
    names = approval_rules.full_names(session, people)
    approval = latest(session, order_id)
    sums = [of_line(line.quantity, line.unit_cost, line.tax_percent) for line in known.lines]
    tax = sum((one.tax for one in sums), Decimal(0))
    before = session.get(PurchaseOrder, order.copied_from) if order.copied_from else None
    word, tone = STATUSES[order.status]
    rule, can_agree = _agreement(session, order, approval)
    lines = line_rows(session, order, known.lines, prices=prices)
    return OrderDetail(
        id=order_id,
        version=order.version,
        called=order.number or "Draft",
        status=order.status,
        word=word,
        tone=tone,
        supplier=supplier.name,
        supplier_id=supplier.id or 0,
        supplier_href=f"/suppliers/{supplier.id}" if Permission.SUPPLIERS_VIEW in viewer.permissions else "",
        location=place.name,
        location_id=place.id or 0,
        expected=_day(order.expected_on),
        typed_expected=order.expected_on.isoformat() if order.expected_on else "",
        late=_is_late(order, order.expected_on),
        promised=_promised(order),
        promised_later=_later(order) > 0,
        promise=_promise(order, names),
        payment_days="" if order.payment_days is None else str(order.payment_days),
        currency=order.currency,
        rate="" if order.currency == get_settings().currency else f"{order.rate.normalize():f}",
        base=get_settings().currency,
        note=order.note or "",
        message=order.message or "",
        total=said(order.total, order.currency) if prices else "",
        tax=said(tax, order.currency) if prices and tax else "",
        gross=said(order.total + tax, order.currency) if prices and tax else "",
        supplier_fault=rules.supplier_fault(session, order) if order.status in _NOT_YET else "",
        supplier_held=why_held(session, supplier) if order.status in UNDER_WAY else "",
        override=order.override_reason or "",
        override_by=names.get(order.overridden_by or 0, ""),
        cancelled=order.cancel_reason or "",
        copied_from=(before.number or "a draft") if before else "",
        copied_href=f"/orders/{before.id}" if before else "",
        rule=rule,
        can_agree=can_agree,
        doing=_doing(session, order, known, approval, viewer),
        lines=lines,
        steps=_steps(session, order, known, approval, names),
        agreed=_agreed(session, order, approval, names),
        receipts=_receipts(session, order_id),
        invoices=_invoices(session, order_id, viewer),
        still_to_come=_still(known) if order.status in UNDER_WAY else "",
        sees_prices=prices,
    )


def _doing(session: Session, order: PurchaseOrder, known: Facts, approval: Approval | None, viewer: Viewer) -> Doing:
    if order.status != OrderStatus.SUBMITTED or approval is None:
        approve = "It does not wait for approval."
    else:
        approve = str(approval_rules.why_not_decide(session, approval, viewer.user_id) or "")
    return Doing(
        edit=rules.why_not_edit(order),
        submit=rules.why_not_submit(order, known),
        revise=rules.why_not_revise(order),
        approve=approve,
        place=rules.why_not_place(order, known),
        give_up=rules.why_not_give_up(order, known),
        cancel=rules.why_not_cancel(order, known),
        close=rules.why_not_close(order),
        override=rules.why_not_override(session, order),
    )


def line_rows(
    session: Session, order: PurchaseOrder, lines: Sequence[PurchaseOrderLine], *, prices: bool
) -> list[LineRow]:
    """Return the lines of an order as its page shows them and its form begins with them."""
    ids = {line.product_id for line in lines if line.product_id}
    products = {one.id: one for one in session.exec(select(Product).where(col(Product.id).in_(ids)))}
    return [_line(order, line, products.get(line.product_id), prices=prices) for line in lines]


def _line(order: PurchaseOrder, line: PurchaseOrderLine, product: Product | None, *, prices: bool) -> LineRow:
    unit = product.unit_code if product else ""
    packs = ""
    if line.purchase_unit or line.pack_size != 1:
        number = say((line.quantity / line.pack_size).quantize(Decimal("0.001")))
        packs = f"{number} {line.purchase_unit or 'packs'} of {say(line.pack_size, unit)}"
    waiting = rules.open_of(line) if order.status in UNDER_WAY else Decimal(0)
    day = line.expected_on
    return LineRow(
        id=line.id or 0,
        product=line.description,
        sku=product.sku if product else "",
        href=product_href(product.id) if product else "",
        supplier_sku=line.supplier_sku or "",
        quantity=say(line.quantity),
        unit=unit,
        packs=packs,
        unit_cost=said(line.unit_cost) if prices else "",
        amount=said(of_line(line.quantity, line.unit_cost).net) if prices else "",
        tax=f"{line.tax_percent.normalize():f} %" if line.tax_percent else "",
        expected=_day(day),
        late=_is_late(order, day) and bool(waiting),
        received=say(line.received) if line.received else "",
        waiting=say(waiting) if waiting else "",
        given_up=say(line.given_up) if line.given_up else "",
        typed_quantity=f"{line.quantity.normalize():f}",
        typed_cost=f"{line.unit_cost.normalize():f}" if prices else "",
        typed_tax=f"{line.tax_percent.normalize():f}",
        typed_day=day.isoformat() if day else "",
        described="" if product and product.name == line.description else line.description,
    )


def _still(known: Facts) -> str:
    """Say what is waited for: a quantity where all is of one line, else in how many."""
    waiting = [line for line in known.lines if rules.open_of(line)]
    if len(waiting) == 1:
        return f"{say(rules.open_of(waiting[0]))} of {waiting[0].description}"
    return f"{len(waiting)} lines" if waiting else ""


# Its steps


def _steps(
    session: Session, order: PurchaseOrder, known: Facts, approval: Approval | None, names: Mapping[int, str]
) -> list[Step]:
    def when(at: datetime | None) -> str:
        return at.isoformat() if at else ""

    approvers = _approvers(session, approval) if order.approved_at else ""
    complete = sum(not rules.open_of(line) for line in known.lines)
    some = f"{complete} of {len(known.lines)} lines complete" if any(line.received for line in known.lines) else ""
    due = some or (f"due {_day(order.expected_on)}" if order.expected_on else "")
    goods = "Partly received" if order.status == OrderStatus.PARTIALLY_RECEIVED else "Received"
    taken = [
        ("Draft", order.created_by, order.created_at, ""),
        ("Submitted", order.submitted_by, order.submitted_at, ""),
        ("Approved", None, order.approved_at, approvers),
        ("Ordered", order.ordered_by, order.ordered_at, ""),
        (goods, None, order.received_at, due),
        ("Closed", order.closed_by, order.closed_at, ""),
    ]
    behind = _BEHIND[OrderStatus(order.status)] if order.status != OrderStatus.CANCELLED else _taken(order)
    steps = [
        Step(label, "done" if at < behind else "now", names.get(by or 0, ""), when(moment), note)
        for at, (label, by, moment, note) in enumerate(taken[: behind + 1])
    ]
    if order.status == OrderStatus.CANCELLED:
        by = names.get(order.cancelled_by or 0, "")
        return [*steps[:behind], Step("Cancelled", "now", by, when(order.cancelled_at))]
    coming = taken[behind + 1 :]
    return steps + [Step(label, "next", note=due if label == goods else "") for label, *_ in coming]


#: How many steps are behind an order.
_BEHIND = {
    OrderStatus.DRAFT: 0,
    OrderStatus.SUBMITTED: 1,
    OrderStatus.APPROVED: 2,
    OrderStatus.ORDERED: 3,
    OrderStatus.PARTIALLY_RECEIVED: 4,
    OrderStatus.RECEIVED: 4,
    OrderStatus.CLOSED: 6,
}


def _taken(order: PurchaseOrder) -> int:
    """Return how many steps an order took before it was cancelled."""
    return sum(at is not None for at in (order.created_at, order.submitted_at, order.approved_at, order.ordered_at))


def _approvers(session: Session, approval: Approval | None) -> str:
    if approval is None or approval.status != ApprovalStatus.APPROVED:
        return "nobody had to agree"
    found = approval_rules.facts(session, [approval])
    decisions = found.decisions.get(approval.id or 0, [])
    return listed([found.name(one.user_id) for one in decisions])


# Who agrees


def _agreement(session: Session, order: PurchaseOrder, approval: Approval | None) -> tuple[str, str]:
    """Say how many must agree to an order of its amount, and who can."""
    if order.status == OrderStatus.SUBMITTED and approval is not None:
        given = approval_rules.facts(session, [approval]).given(approval)
        able = [who.name for who in approval_rules.who_can_decide(session, approval)]
        return f"{given} of {approval.required} needed", listed(able) if able else ""
    if approval is not None and approval.status == ApprovalStatus.APPROVED and order.approved_at:
        return f"{approval.required} of {approval.required} needed", ""
    people, _ = rules.needed(session, order)
    if not people:
        return "nobody has to agree to this amount", ""
    return f"{people} {'person has' if people == 1 else 'people have'} to agree to this amount", ""


def _agreed(
    session: Session, order: PurchaseOrder, approval: Approval | None, names: Mapping[int, str]
) -> list[Agreed]:
    rows = [Agreed(names.get(order.created_by or 0, "An import"), "created it", order.created_at.isoformat())]
    if order.override_reason:
        rows.append(
            Agreed(
                names.get(order.overridden_by or 0, "Somebody"), "let it go to this supplier", "", order.override_reason
            )
        )
    if approval is not None:
        found = approval_rules.facts(session, [approval])
        rows += [
            Agreed(
                found.name(one.user_id),
                "approved" if one.verdict == Verdict.APPROVE else "rejected",
                one.at.isoformat(),
                one.reason or "",
            )
            for one in found.decisions.get(approval.id or 0, [])
        ]
    return rows


# Its papers

_WORDS = {ReceiptKind.RECEIPT: "came", ReceiptKind.RETURN: "went back", ReceiptKind.CORRECTION: "taken back"}


def _receipts(session: Session, order_id: int) -> list[Paper]:
    found = session.execute(
        sa.select(GoodsReceipt, sa.func.count(col(GoodsReceiptLine.id)))
        .outerjoin(GoodsReceiptLine, col(GoodsReceiptLine.receipt_id) == col(GoodsReceipt.id))
        .where(col(GoodsReceipt.order_id) == order_id)
        .group_by(col(GoodsReceipt.id))
        .order_by(col(GoodsReceipt.id))
    ).all()
    names = approval_rules.full_names(session, {one.recorded_by for one, _ in found if one.recorded_by})
    return [
        Paper(
            one.number,
            f"/receipts/{one.id}",
            names.get(one.recorded_by or 0, ""),
            one.occurred_at.isoformat(),
            f"{lines} line{'' if lines == 1 else 's'} {_WORDS[ReceiptKind(one.kind)]}",
        )
        for one, lines in found
    ]


def _invoices(session: Session, order_id: int, viewer: Viewer) -> list[Paper]:
    if Permission.INVOICES_VIEW not in viewer.permissions:
        return []
    statement = select(SupplierInvoice).where(col(SupplierInvoice.order_id) == order_id)
    prices = Permission.PRICES_VIEW in viewer.permissions
    return [
        Paper(
            one.number,
            f"/invoices/{one.id}",
            f"due {_day(one.due_on)}",
            one.recorded_at.isoformat(),
            f"{said(one.gross, one.currency)}, {one.status}" if prices else one.status,
        )
        for one in session.exec(statement.order_by(col(SupplierInvoice.id)))
    ]
