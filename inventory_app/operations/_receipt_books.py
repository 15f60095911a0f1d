"""The steps that receiving, returning and correcting share: the order's side of the books, and the paper."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
import structlog
from sqlmodel import Session, col

from inventory_app.database.locks import lock
from inventory_app.errors import Conflict, Invalid, NotFound
from inventory_app.models._base import now
from inventory_app.models.purchasing import (
    GoodsReceipt,
    OrderStatus,
    PurchaseOrder,
    PurchaseOrderLine,
    ReceiptKind,
    SupplierInvoice,
)
from inventory_app.models.stock import StockMovement
from inventory_app.operations import _series
from inventory_app.operations._fields import REASON_LENGTH, Fields
from inventory_app.operations._matching import papers_about, rematch
from inventory_app.operations._operation import acting_user_id, operation_id
from inventory_app.operations.reversals import ORDER

log = structlog.get_logger(__name__)

#: What can be received: the tolerance may be left of what came in full.
RECEIVABLE = frozenset({OrderStatus.ORDERED, OrderStatus.PARTIALLY_RECEIVED, OrderStatus.RECEIVED})
#: What has been ordered, whatever came of it since: what came can go back.
ORDERED = RECEIVABLE | {OrderStatus.CLOSED, OrderStatus.CANCELLED}
_WHY_NOT = {
    OrderStatus.CLOSED: "is closed. What comes for it now needs an order of its own.",
    OrderStatus.CANCELLED: "was cancelled. What comes for it now needs an order of its own.",
}
_NOT_ORDERED = "has not been ordered yet. Place it first."
_GONE = "This order does not exist (any more). Reload the page."


@dataclass(frozen=True, slots=True)
class Booked:
    """The paper that was written, and where its order stands now."""

    receipt_id: int
    number: str
    order_id: int
    order_number: str
    status: str
    lines: int
    operation_id: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a paper: less than 0 where goods went; the item and movement where something was booked."""

    line_id: int
    quantity: Decimal
    unit_cost: Decimal
    item_id: int | None = None
    movement_id: int | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What people say about a paper, tidied."""

    note: str | None
    delivery_note: str | None = None
    occurred_at: datetime | None = None


def checked_words(
    note: str, delivery_note: str = "", occurred_at: datetime | None = None, *, required: bool = False
) -> Words:
    """Return what was said, or everything that is wrong with it; `required`: there must be a reason."""
    fields = Fields()
    words = Words(
        fields.text("note", note, most=REASON_LENGTH, required=required),
        fields.line("delivery_note", delivery_note, most=60),
        occurred_at,
    )
    fields.check()
    return words


def step(name: str, **about: object) -> None:
    """Log one step of an operation that has many; the line carries the operation's id."""
    log.debug("receiving_step", step=name, **about)


def lock_order(session: Session, order_id: int, statuses: Collection[OrderStatus]) -> PurchaseOrder:
    """Lock an order that stands where this can be done; say why not otherwise."""
    order = lock(session, PurchaseOrder, [order_id]).get(order_id)
    if order is None:
        raise NotFound(_GONE)
    if why_not := why_not_now(order.number, OrderStatus(order.status), statuses):
        raise Conflict(why_not)
    # What is matched again when goods have come is locked before the products and items.
    lock(session, SupplierInvoice, papers_about(session, [order_id]))
    step("order_locked", order_id=order_id)
    return order


def why_not_now(number: str | None, status: OrderStatus, statuses: Collection[OrderStatus]) -> str:
    """Say why nothing can be booked for an order that stands so; empty when it can."""
    if status in statuses and number is not None:
        return ""
    return f"{number or 'This order'} {_WHY_NOT.get(status, _NOT_ORDERED)}"


def movements_of(session: Session) -> dict[int, list[int]]:
    """Return the movements of goods that this operation has booked, by item, in the order they were given."""
    found = session.execute(
        sa.select(col(StockMovement.item_id), col(StockMovement.id))
        .where(col(StockMovement.operation_id) == operation_id(session), col(StockMovement.quantity) != 0)
        .order_by(col(StockMovement.item_id), col(StockMovement.sequence))
    )
    ids: dict[int, list[int]] = defaultdict(list)
    for item_id, movement_id in found:
        ids[item_id].append(movement_id)
    return ids


_CHANGE_LINES = """
UPDATE purchase_order_line SET received = received + given.quantity
  FROM unnest(%(ids)s::bigint[], %(quantities)s::numeric[]) AS given(id, quantity)
 WHERE purchase_order_line.id = given.id
"""


def change_order(session: Session, order: PurchaseOrder, changes: Mapping[int, Decimal]) -> None:
    """Write down what came of the lines, where the order stands by that, and which of its invoices agree now.

    What is over stays over.
    """
    session.connection().exec_driver_sql(
        _CHANGE_LINES, {"ids": list(changes), "quantities": [changes[line_id] for line_id in changes]}
    )
    order.version += 1
    if order.status in RECEIVABLE:
        before, order.status = order.status, standing(session, order.id or 0)
        if order.status != before:
            order.received_at = now() if order.status == OrderStatus.RECEIVED else None
    session.flush()
    step("order_updated", status=order.status)
    rematch(session, [order.id or 0])
    step("invoices_matched")


def standing(session: Session, order_id: int) -> OrderStatus:
    """Return how far an order that has been placed is received: not at all, in part, or all that is waited for."""
    came = col(PurchaseOrderLine.received)
    complete, some = session.execute(
        sa.select(
            sa.func.bool_and(came + col(PurchaseOrderLine.given_up) >= col(PurchaseOrderLine.quantity)),
            sa.func.bool_or(came > 0),
        ).where(col(PurchaseOrderLine.order_id) == order_id)
    ).one()
    if complete:
        return OrderStatus.RECEIVED
    return OrderStatus.PARTIALLY_RECEIVED if some else OrderStatus.ORDERED


_WRITE_LINES = """
INSERT INTO goods_receipt_line (receipt_id, position, order_line_id, quantity, unit_cost, item_id, movement_id)
SELECT %(receipt)s, given.position, given.line_id, given.quantity, given.unit_cost, given.item_id, given.movement_id
  FROM unnest(%(lines)s::bigint[], %(quantities)s::numeric[], %(costs)s::numeric[], %(items)s::bigint[],
              %(movements)s::bigint[])
  WITH ORDINALITY AS given(line_id, quantity, unit_cost, item_id, movement_id, position)
 ORDER BY given.position
"""


def write_receipt(  # what a paper has
    session: Session,
    order: PurchaseOrder,
    kind: ReceiptKind,
    rows: Sequence[Row],
    words: Words,
    *,
    location_id: int,
    reverses: int | None = None,
) -> Booked:
    """Draw the paper's number, which is the last lock, and write it down."""
    when = now()
    number = _series.draw(session, _series.RECEIPT, when.date())
    step("receipt_numbered", number=number)
    receipt = GoodsReceipt(
        number=number,
        order_id=order.id or 0,
        kind=kind,
        delivery_note=words.delivery_note,
        location_id=location_id,
        note=words.note,
        reverses=reverses,
        occurred_at=words.occurred_at or when,
        recorded_at=when,
        recorded_by=acting_user_id(),
    )
    session.add(receipt)
    session.flush()
    session.connection().exec_driver_sql(
        _WRITE_LINES,
        {
            "receipt": receipt.id,
            "lines": [row.line_id for row in rows],
            "quantities": [row.quantity for row in rows],
            "costs": [row.unit_cost for row in rows],
            "items": [row.item_id for row in rows],
            "movements": [row.movement_id for row in rows],
        },
    )
    step("receipt_written", lines=len(rows))
    return Booked(
        receipt.id or 0,
        number,
        order.id or 0,
        order.number or "",
        order.status,
        len(rows),
        str(operation_id(session)),
    )


def reference(order: PurchaseOrder) -> tuple[str, str]:
    """Return what the movements of an order refer to: its number, for the paper's own is drawn after them."""
    return ORDER, order.number or ""


def with_movements(rows: Iterable[Row], movements: Mapping[int, Sequence[int]]) -> list[Row]:
    """Give each row the movement that booked it: those of an item in the order they were posted."""
    waiting = {item_id: iter(ids) for item_id, ids in movements.items()}
    return [
        row
        if row.item_id is None
        else Row(row.line_id, row.quantity, row.unit_cost, row.item_id, next(waiting[row.item_id]))
        for row in rows
    ]


def no_location() -> Invalid:
    """Say that the place of a receipt is none that is in use."""
    return Invalid(fields={"location_id": "Choose a location that is in use."})
