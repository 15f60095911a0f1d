"""Orders as a kind of request: from an amount on, people who had no part in writing one must agree to it."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.audit.tables import audit_change, audit_operation
from inventory_app.database.locks import lock
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval
from inventory_app.models.purchasing import OrderStatus, PurchaseOrder, PurchaseOrderLine
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import _approvals
from inventory_app.operations._approvals import Kind, Subject
from inventory_app.operations._money import said
from inventory_app.operations._operation import acting_user_id
from inventory_app.operations._order_rules import KIND
from inventory_app.permissions import Permission

#: The operations that write what stands on an order.
_WRITTEN_BY = ("orders.create_order", "orders.update_order", "orders.copy_order", "orders.order_low_stock")


def ask(session: Session, order: PurchaseOrder, required: int) -> None:
    """Ask for agreement to a submitted order; whoever created, edited or submitted it has a part in it."""
    parties = [(order.created_by, "entered"), *((user, "edited") for user in sorted(_editors(session, order)))]
    _approvals.request(
        session,
        kind=KIND,
        subject_id=order.id or 0,
        permission=Permission.ORDERS_APPROVE,
        required=required,
        parties=[*parties, (acting_user_id(), "requested")],
        reason=order.override_reason,
    )


def _editors(session: Session, order: PurchaseOrder) -> set[int]:
    """Return everybody who ever wrote on an order, as the trail has it: who edited last may not be who edited most."""
    change, by = audit_change.c, audit_operation.c
    found = session.scalars(
        sa.select(by.actor_id)
        .distinct()
        .join(audit_change, sa.and_(by.id == change.operation_id, by.recorded_at == change.recorded_at))
        .where(change.table_name == "purchase_order", change.pk == str(order.id), by.name.in_(_WRITTEN_BY))
    )
    return {user for user in (*found, order.last_edited_by) if user is not None}


def _describe(session: Session, approvals: Sequence[Approval]) -> dict[int, Subject]:
    ids = [approval.subject_id for approval in approvals]
    found = session.execute(
        sa.select(PurchaseOrder, col(Supplier.name), sa.func.count(col(PurchaseOrderLine.id)))
        .join(Supplier, col(Supplier.id) == col(PurchaseOrder.supplier_id))
        .outerjoin(PurchaseOrderLine, col(PurchaseOrderLine.order_id) == col(PurchaseOrder.id))
        .where(col(PurchaseOrder.id).in_(ids))
        .group_by(col(PurchaseOrder.id), col(Supplier.name))
    )
    known = {order.id: (order, supplier, lines) for order, supplier, lines in found}
    return {approval.id or 0: _subject(*known[approval.subject_id]) for approval in approvals}


def _subject(order: PurchaseOrder, supplier: str, lines: int) -> Subject:
    details = [("Supplier", supplier), ("Lines", f"{lines:,}")]
    if order.expected_on:
        details.append(("Expected", f"{order.expected_on:%-d %b %Y}"))
    if order.override_reason:
        details.append(("Although the supplier is not approved", order.override_reason))
    title = f"{order.number or 'Order'} for {supplier}"
    amounts = [("Net", said(order.total, order.currency))]
    return Subject(title, f"/orders/{order.id}", Permission.ORDERS_VIEW, details, order.version, amounts)


def _approved(session: Session, approval: Approval, reason: str | None) -> None:
    del reason
    order = _order(session, approval)
    order.status, order.approved_at = OrderStatus.APPROVED, now()
    order.version += 1


def _back_to_draft(session: Session, approval: Approval, reason: str | None) -> None:
    """Let it be written anew, under the number it has."""
    del reason
    order = _order(session, approval)
    order.status = OrderStatus.DRAFT
    order.version += 1


def _order(session: Session, approval: Approval) -> PurchaseOrder:
    return session.get_one(PurchaseOrder, approval.subject_id)


def _lock(session: Session, order_id: int) -> None:
    lock(session, PurchaseOrder, [order_id])


def latest(session: Session, order_id: int) -> Approval | None:
    """Return the last request about an order, whatever became of it."""
    statement = select(Approval).where(Approval.kind == KIND, Approval.subject_id == order_id)
    return session.exec(statement.order_by(col(Approval.id).desc()).limit(1)).first()


PURCHASE_ORDER = Kind(
    name=KIND,
    label="Order",
    permission=Permission.ORDERS_APPROVE,
    describe=_describe,
    approved=_approved,
    rejected=_back_to_draft,
    withdrawn=_back_to_draft,
    lock=_lock,
    parts={
        "entered": "You created this order, so somebody else must approve it.",
        "edited": "You edited this order, so somebody else must approve it.",
        "requested": "You submitted this order, so somebody else must approve it.",
    },
)
