"""Purchase orders: written as drafts, submitted, agreed to, sent to the supplier, given up, closed or cancelled.

What can be done with one in which status is in `_order_rules.py`, what stands on it in `_order_lines.py`. Everything
takes the version that was read: whoever is second is told so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from inventory_app.models._base import now
from inventory_app.models.approvals import Verdict
from inventory_app.models.catalog import Location, Product
from inventory_app.models.purchasing import OrderStatus, PurchaseOrder, PurchaseOrderLine
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import (
    _approvals,
    _matching,
    _order_approval,
    _order_forms,
    _order_paper,
    _order_rows,
    _order_views,
    _series,
)
from inventory_app.operations import _order_rules as rules
from inventory_app.operations._fields import Fields, checked_reason
from inventory_app.operations._item_at import location_in_use
from inventory_app.operations._lists import View
from inventory_app.operations._money import checked_currency, checked_rate
from inventory_app.operations._operation import acting_user_id, current_viewer, operation, query, require
from inventory_app.operations._order_lines import LineInput, checked_lines, day_fault, sheet, write_lines
from inventory_app.operations._order_rules import GONE, called, held
from inventory_app.operations.reorder import suggestions
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

_LONGEST_TERM = 365


@dataclass(frozen=True, slots=True)
class Head:
    """What an order says above its lines; without a currency and terms they are the supplier's own."""

    supplier_id: int
    location_id: int
    currency: str = ""
    rate: Decimal | None = None
    expected_on: date | None = None
    payment_days: int | None = None
    note: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """An order as it was written; `left_out` says what could not come along, and why."""

    order_id: int
    version: int
    called: str
    supplier: str
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """An order that took a step: where it stands now, and what that means, in a sentence."""

    order_id: int
    version: int
    called: str
    status: str
    said: str


# Writing


@operation(Permission.ORDERS_CREATE)
def create_order(session: Session, *, head: Head, lines: Sequence[LineInput]) -> Written:
    """Write a draft; costs that are not those agreed need `prices:view`."""
    _may_name_costs(session, lines)
    order = PurchaseOrder(supplier_id=head.supplier_id, location_id=head.location_id, currency="")
    supplier = _apply(session, order, head)
    _write(session, order, supplier, lines)
    return _written(order, supplier)


@operation(Permission.ORDERS_CREATE, log=("order_id",))
def update_order(session: Session, *, order_id: int, version: int, head: Head, lines: Sequence[LineInput]) -> Written:
    """Write a draft anew, in the version that was read; lines that are not given are taken out."""
    _may_name_costs(session, lines)
    order = held(session, order_id, version)
    _refuse(rules.why_not_edit(order))
    supplier = _apply(session, order, head)
    _write(session, order, supplier, lines)
    order.last_edited_by = acting_user_id()
    order.version += 1
    return _written(order, supplier)


@operation(Permission.ORDERS_CREATE, log=("order_id",))
def copy_order(session: Session, *, order_id: int) -> Written:
    """Write a draft with what stands on another order, at the costs that are agreed now or else those of then."""
    before = session.get(PurchaseOrder, order_id)
    if before is None:
        raise NotFound(GONE)
    old = rules.lines_of(session, order_id)
    archived = _archived(session, [line.product_id for line in old if line.product_id])
    order = PurchaseOrder(supplier_id=before.supplier_id, location_id=before.location_id, currency="")
    order.copied_from = order_id
    head = Head(
        supplier_id=before.supplier_id,
        location_id=before.location_id,
        currency=before.currency,
        rate=_known_rate(session, before.currency, before.rate),
        payment_days=before.payment_days,
        note=before.note or "",
        message=before.message or "",
    )
    supplier = _apply(session, order, head)
    kept = [line for line in old if line.product_id not in archived]
    given = [
        LineInput(
            quantity=line.quantity,
            product_id=line.product_id,
            description=line.description,
            tax_percent=line.tax_percent,
        )
        for line in kept
    ]
    known = sheet(session, order, supplier.name, given)
    given = [
        replace(
            line,
            quantity=known.sold(line.product_id, line.quantity),
            unit_cost=was.unit_cost if known.cost(line.product_id) is None else None,
        )
        for line, was in zip(given, kept, strict=True)
    ]
    _write(session, order, supplier, given)
    return replace(_written(order, supplier), left_out=tuple(f"{name} is archived." for name in archived.values()))


@operation(Permission.ORDERS_CREATE, log=("product_ids", "location_id"))
def order_low_stock(session: Session, *, product_ids: Sequence[int], location_id: int) -> list[Written]:
    """Write a draft for each preferred supplier of these products, with as much of each as is suggested."""
    suggested = suggestions(session, product_ids)
    found = session.exec(select(Product).where(col(Product.id).in_(suggested)).order_by(col(Product.sort_key)))
    by_supplier: dict[int, list[LineInput]] = {}
    left_out: list[str] = []
    for product in found:
        quantity = suggested[product.id or 0].quantity
        if product.supplier_id is None:
            left_out.append(f"{product.name} has no preferred supplier.")
        elif not product.active:
            left_out.append(f"{product.name} is archived.")
        elif not quantity:
            left_out.append(f"Of {product.name} there is enough.")
        else:
            by_supplier.setdefault(product.supplier_id, []).append(LineInput(quantity, product.id))
    if not by_supplier:
        raise Conflict(" ".join(["There is nothing to order.", *left_out[:5]]))
    written = [
        _from_low(session, supplier_id, location_id, by_supplier[supplier_id]) for supplier_id in sorted(by_supplier)
    ]
    return [replace(written[0], left_out=tuple(left_out)), *written[1:]]


def _from_low(session: Session, supplier_id: int, location_id: int, lines: list[LineInput]) -> Written:
    supplier = session.get_one(Supplier, supplier_id)
    currency = checked_currency(supplier.currency or "")
    order = PurchaseOrder(supplier_id=supplier_id, location_id=location_id, currency="")
    rate = _known_rate(session, currency, None)
    if rate is None:
        raise Conflict(
            f"{supplier.name} is paid in {currency}, and no order says yet what that is worth in "
            f"{get_settings().currency}. Write that order by hand."
        )
    _apply(session, order, Head(supplier_id, location_id, currency, rate))
    _write(session, order, supplier, lines, from_average=True)
    return _written(order, supplier)


def _known_rate(session: Session, currency: str, otherwise: Decimal | None) -> Decimal | None:
    """Return at which rate a currency was last ordered in; 1 for that of the books."""
    if currency == get_settings().currency:
        return Decimal(1)
    newest = sa.select(col(PurchaseOrder.rate)).where(col(PurchaseOrder.currency) == currency)
    return session.scalar(newest.order_by(col(PurchaseOrder.id).desc()).limit(1)) or otherwise


def _archived(session: Session, product_ids: Sequence[int]) -> dict[int, str]:
    found = session.execute(
        sa.select(col(Product.id), col(Product.name)).where(col(Product.id).in_(product_ids), ~col(Product.active))
    )
    return {id_: name for id_, name in found if id_}


def _may_name_costs(session: Session, lines: Sequence[LineInput]) -> None:
    if any(line.unit_cost is not None for line in lines):
        require(session, Permission.PRICES_VIEW)


def _apply(session: Session, order: PurchaseOrder, head: Head) -> Supplier:
    """Check the head of an order and write it; returns the supplier."""
    fields = Fields()
    supplier = session.get(Supplier, head.supplier_id)
    if supplier is None:
        raise Invalid(fields={"supplier": "Choose a supplier."})
    note, message = fields.text("note", head.note), fields.text("message", head.message)
    if head.payment_days is not None and not 0 <= head.payment_days <= _LONGEST_TERM:
        fields.faults["payment_days"] = f"Enter 0 to {_LONGEST_TERM} days."
    if head.expected_on and (fault := day_fault(head.expected_on, order)):
        fields.faults["expected_on"] = fault
    for check in (_currency, _place):
        try:
            check(session, order, head, supplier)
        except Invalid as error:
            fields.faults |= error.fields
    fields.check()
    if order.supplier_id != supplier.id:
        # What was let was another supplier.
        order.override_reason = order.overridden_by = None
    order.supplier_id = head.supplier_id
    order.expected_on, order.note, order.message = head.expected_on, note, message
    order.payment_days = supplier.payment_days if head.payment_days is None else head.payment_days
    return supplier


def _currency(session: Session, order: PurchaseOrder, head: Head, supplier: Supplier) -> None:
    del session
    currency = checked_currency(head.currency or supplier.currency or "")
    order.rate = checked_rate(currency, head.rate)
    order.currency = currency


def _place(session: Session, order: PurchaseOrder, head: Head, supplier: Supplier) -> None:
    del supplier
    place: Location = location_in_use(session, head.location_id, "location_id")
    order.location_id = place.id or 0


def _write(
    session: Session,
    order: PurchaseOrder,
    supplier: Supplier,
    given: Sequence[LineInput],
    *,
    from_average: bool = False,
) -> None:
    known = sheet(session, order, supplier.name, given, from_average=from_average)
    before: dict[int, PurchaseOrderLine] = {}
    if order.id is not None:
        before = {line.id or 0: line for line in rules.lines_of(session, order.id)}
    rows = checked_lines(known, given, before)
    if order.id is None:
        order.created_by = acting_user_id()
        session.add(order)
        session.flush()
    seen: set[int] = set()
    ids: list[int | None] = []
    for line in given:
        ids.append(line.line_id if line.line_id in before and line.line_id not in seen else None)
        seen |= {line.line_id} if line.line_id else set()
    write_lines(session, order, rows, ids)


def _written(order: PurchaseOrder, supplier: Supplier) -> Written:
    return Written(order.id or 0, order.version, called(order), supplier.name)


def _refuse(why: str) -> None:
    if why:
        raise Conflict(why)


def _moved(order: PurchaseOrder, said: str) -> Moved:
    order.version += 1
    return Moved(order.id or 0, order.version, called(order), order.status, said)


# From the draft to the supplier


@operation(Permission.ORDERS_CREATE, log=("order_id",))
def submit_order(session: Session, *, order_id: int, version: int) -> Moved:
    """Submit a draft: it gets its number and waits for those who must agree, or is approved where nobody must."""
    order = held(session, order_id, version, with_supplier=True)
    _refuse(rules.why_not_submit(order, rules.facts(session, order)))
    people, _ = rules.needed(session, order)
    if people:
        _order_approval.ask(session, order, people)
    # The last lock: whoever submits another order waits no longer than this takes.
    order.number = order.number or _series.draw(session, _series.ORDER, now().date())
    order.submitted_by, order.submitted_at, order.approved_at = acting_user_id(), now(), None
    if people:
        order.status = OrderStatus.SUBMITTED
        agree = "one person approves" if people == 1 else f"{people} people approve"
        return _moved(order, f"It waits until {agree} it.")
    order.status, order.approved_at = OrderStatus.APPROVED, order.submitted_at
    return _moved(order, "Orders of this amount need nobody's approval: it can be sent.")


@operation(Permission.SUPPLIERS_OVERRIDE, log=("order_id",), reason="reason")
def override_supplier(session: Session, *, order_id: int, version: int, reason: str) -> Moved:
    """Let an order go to its supplier although that is not approved, or no longer; always with a reason."""
    order = held(session, order_id, version, with_supplier=True)
    _refuse(rules.why_not_override(session, order))
    order.override_reason = checked_reason(reason, missing="Say why it goes to this supplier all the same.")
    order.overridden_by = acting_user_id()
    return _moved(order, "The order may go to its supplier; the reason stays on it.")


@operation(Permission.ORDERS_CREATE, log=("order_id",), reason="reason")
def revise_order(session: Session, *, order_id: int, version: int, reason: str = "") -> Moved:
    """Take a submitted or approved order back to a draft: what was agreed to does not count any more."""
    checked_reason(reason)
    order = held(session, order_id, version)
    _refuse(rules.why_not_revise(order))
    order.status, order.approved_at = OrderStatus.DRAFT, None
    session.flush()
    _approvals.dismiss(session, kind=rules.KIND, subject_id=order_id)
    return _moved(order, "It is a draft again and keeps its number.")


@operation(Permission.ORDERS_APPROVE, log=("order_id",), reason="reason")
def approve_order(session: Session, *, order_id: int, version: int, reason: str = "") -> Moved:
    """Agree to a submitted order one has no part in; with the last agreement needed it is approved."""
    return _decide(session, order_id, version, Verdict.APPROVE, reason)


@operation(Permission.ORDERS_APPROVE, log=("order_id",), reason="reason")
def reject_order(session: Session, *, order_id: int, version: int, reason: str) -> Moved:
    """Reject a submitted order one has no part in, always with a reason; it is a draft again."""
    return _decide(session, order_id, version, Verdict.REJECT, reason)


def _decide(session: Session, order_id: int, version: int, verdict: Verdict, reason: str) -> Moved:
    approval = _order_approval.latest(session, order_id)
    if approval is None:
        raise (
            NotFound(GONE)
            if session.get(PurchaseOrder, order_id) is None
            else Conflict("Nobody has to agree to this order.")
        )
    done = _approvals.decide(session, approval, verdict, reason, subject_version=version)
    order = session.get_one(PurchaseOrder, order_id)
    said = {"open": f"{done.given} of {done.required} have agreed.", "rejected": "It is a draft again."}
    return Moved(order_id, order.version, called(order), order.status, said.get(done.status, "It can be sent."))


@operation(Permission.ORDERS_CREATE, log=("order_id",))
def place_order(session: Session, *, order_id: int, version: int) -> Moved:
    """Order from the supplier what was approved: from now on it can be received, up to what the tolerance allows."""
    order = held(session, order_id, version, with_supplier=True)
    known = rules.facts(session, order)
    _refuse(rules.why_not_place(order, known))
    order.status, order.ordered_by, order.ordered_at = OrderStatus.ORDERED, acting_user_id(), now()
    for line in known.lines:
        line.receivable = rules.receivable(line.quantity)
    _matching.rematch(session, [order_id])
    return _moved(order, "It can be sent to the supplier and received.")


# Its end


@operation(Permission.ORDERS_CREATE, log=("order_id",), reason="reason")
def give_up_rest(
    session: Session, *, order_id: int, version: int, line_ids: Sequence[int] = (), reason: str = ""
) -> Moved:
    """Wait no longer for what has not come, of some lines or of all; with nothing left the order is received."""
    checked_reason(reason, missing="Say why the rest is not waited for any more.")
    order = held(session, order_id, version)
    known = rules.facts(session, order)
    _refuse(rules.why_not_give_up(order, known))
    chosen = [line for line in known.lines if rules.open_of(line) and (not line_ids or line.id in line_ids)]
    if not chosen:
        raise Conflict("Nothing is waited for on these lines. Reload the page.")
    for line in chosen:
        line.given_up += rules.open_of(line)
        # Nothing comes any more: what does is refused.
        line.receivable = line.received
    _matching.rematch(session, [order_id])
    if not any(rules.open_of(line) for line in known.lines):
        order.status, order.received_at = OrderStatus.RECEIVED, now()
        return _moved(order, "Nothing is waited for any more. What has come stays in stock.")
    return _moved(order, f"{len(chosen)} of {len(known.lines)} lines are not waited for any more.")


@operation(Permission.ORDERS_CREATE, log=("order_id",), reason="reason")
def cancel_order(session: Session, *, order_id: int, version: int, reason: str = "") -> Moved:
    """Cancel an order of which nothing has come; it keeps its number, and stock stays as it is."""
    order = held(session, order_id, version)
    known = rules.facts(session, order)
    _refuse(rules.why_not_cancel(order, known))
    was_sent = order.status in rules.UNDER_WAY
    missing = "" if order.status == OrderStatus.DRAFT else "Say why it is cancelled: the reason stays on it."
    order.cancel_reason = checked_reason(reason, missing=missing)
    order.status, order.cancelled_by, order.cancelled_at = OrderStatus.CANCELLED, acting_user_id(), now()
    for line in known.lines:
        line.receivable = Decimal(0)
    session.flush()
    _approvals.dismiss(session, kind=rules.KIND, subject_id=order_id)
    told = " Tell the supplier: it was sent to them." if was_sent else ""
    return _moved(order, f"Nothing of it has come, so stock stays as it is.{told}")


@operation(Permission.ORDERS_CREATE, log=("order_id",))
def close_order(session: Session, *, order_id: int, version: int) -> Moved:
    """Close an order of which everything has come that will."""
    order = held(session, order_id, version)
    _refuse(rules.why_not_close(order))
    order.status, order.closed_by, order.closed_at = OrderStatus.CLOSED, acting_user_id(), now()
    return _moved(order, "Nothing is to be done for it any more.")


# Reading


@query(Permission.ORDERS_VIEW)
def list_orders(session: Session, *, view: View) -> _order_rows.OrderListing:
    """Return a page of the orders with what they can be narrowed down by; amounts need `prices:view`."""
    return _order_rows.listing(session, current_viewer(session), view)


@query(Permission.ORDERS_VIEW)
def order_detail(session: Session, *, order_id: int) -> _order_views.OrderDetail | None:
    """Return an order with its lines, its steps, who agreed, and what can be done with it now or why not."""
    return _order_views.detail(session, current_viewer(session), order_id)


@query(Permission.ORDERS_CREATE)
def order_form(
    session: Session, *, order_id: int | None = None, supplier_id: int | None = None
) -> _order_forms.OrderForm | None:
    """Return what the form of an order begins with and offers; None when there is no such order."""
    return _order_forms.form(session, current_viewer(session), order_id, supplier_id)


@query(Permission.ORDERS_CREATE)
def look_up_product(session: Session, *, supplier_id: int | None, text: str) -> str:
    """Say what a typed SKU or barcode is and on what terms the supplier has it; empty when it is none of ours."""
    return _order_forms.look_up(session, current_viewer(session), supplier_id, text)


@query(Permission.ORDERS_VIEW)
def order_paper(session: Session, *, order_id: int) -> _order_paper.OrderPaper:
    """Return an approved order as it is printed; costs stand on it, so `prices:view` is needed as well."""
    if Permission.PRICES_VIEW not in current_viewer(session).permissions:
        raise NotAllowed("Costs stand on it, and you may not see them. Ask an administrator.")
    order = session.get(PurchaseOrder, order_id)
    if order is None:
        raise NotFound(GONE)
    return _order_paper.paper(session, order)


@operation(Permission.ORDERS_VIEW, log=("order_id",), reason="what")
def take_paper(session: Session, *, order_id: int, version: int, what: str) -> None:
    """Put on record that somebody takes an order away as a file; `what` says which, with the hash of its bytes."""
    del what  # in the trail as the reason
    require(session, Permission.PRICES_VIEW)
    order = session.get(PurchaseOrder, order_id)
    if order is None or order.version != version:
        raise Stale("The order was changed just now. Take the file again.")
