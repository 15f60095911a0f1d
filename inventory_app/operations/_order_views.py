"""Orders as the list and the page of one show them: ready sentences, amounts only for who may see them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.models.approvals import Approval, ApprovalStatus, Verdict
from inventory_app.models.catalog import Location
from inventory_app.models.purchasing import (
    GoodsReceipt,
    GoodsReceiptLine,
    OrderStatus,
    PurchaseOrder,
    ReceiptKind,
    SupplierInvoice,
)
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import _approval_rules as approval_rules
from inventory_app.operations import _order_rules as rules
from inventory_app.operations._ledger import say
from inventory_app.operations._money import of_line, said
from inventory_app.operations._operation import Viewer
from inventory_app.operations._order_approval import latest
from inventory_app.operations._order_line_rows import LineRow, line_rows
from inventory_app.operations._order_rows import day_of, days_later, is_late, promised
from inventory_app.operations._order_rules import STATUSES, UNDER_WAY, Facts
from inventory_app.operations._payment_holds import why_held
from inventory_app.operations._supplier_rules import listed
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

_NOT_YET = (OrderStatus.DRAFT, OrderStatus.SUBMITTED, OrderStatus.APPROVED)


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
        expected=day_of(order.expected_on),
        typed_expected=order.expected_on.isoformat() if order.expected_on else "",
        late=is_late(order, order.expected_on),
        promised=promised(order),
        promised_later=days_later(order) > 0,
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


def _promise(order: PurchaseOrder, names: Mapping[int, str]) -> str:
    """Say who promised which day, when, and what was wanted."""
    if order.confirmed_on is None or order.confirmed_at is None:
        return ""
    by = names.get(order.confirmed_by or 0, "The supplier")
    said_on = f"{by} promised {day_of(order.confirmed_on)} on {order.confirmed_at:%-d %b %Y}."
    if days_later(order) <= 0:
        return said_on
    return f"{said_on} {day_of(order.wanted_on)} was wanted."


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
    due = some or (f"due {day_of(order.expected_on)}" if order.expected_on else "")
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
            f"due {day_of(one.due_on)}",
            one.recorded_at.isoformat(),
            f"{said(one.gross, one.currency)}, {one.status}" if prices else one.status,
        )
        for one in session.exec(statement.order_by(col(SupplierInvoice.id)))
    ]
