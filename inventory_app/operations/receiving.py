"""Receiving: what comes for an order, what goes back, and taking a wrong receipt back.

Each is many steps and one operation: the order is locked first, then the products and the items, each in id order;
the movements are posted at the order's cost, the averages follow, the order says how much came, and the paper's
number is the last lock. Every row carries the same operation id, every step is logged, and whatever fails in between
leaves nothing behind.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.database.locks import lock
from inventory_app.errors import AlreadyDecided, Conflict, NotFound
from inventory_app.models.catalog import Product
from inventory_app.models.purchasing import GoodsReceipt, GoodsReceiptLine, PurchaseOrder, ReceiptKind
from inventory_app.models.stock import InventoryItem, MovementKind, Reason, StockMovement
from inventory_app.operations._averages import averages, refuse_worthless
from inventory_app.operations._counter_entries import take_back
from inventory_app.operations._ledger import Posting, places, post, when_it_happened
from inventory_app.operations._money import in_base
from inventory_app.operations._operation import operation, operation_id
from inventory_app.operations._receipt_books import (
    ORDERED,
    RECEIVABLE,
    Booked,
    Row,
    change_order,
    checked_words,
    lock_order,
    movements_of,
    no_location,
    reference,
    step,
    with_movements,
    write_receipt,
)
from inventory_app.operations._receipt_items import Goes, items_for
from inventory_app.operations._receipt_lines import (
    Back,
    Came,
    Fault,
    Line,
    asked_for,
    back_faults,
    came_faults,
    in_use_of,
    lines_of,
    products_of,
    refuse,
    summed,
    too_little,
    too_much,
)
from inventory_app.permissions import Permission

_CLOSED_JUST_NOW = "A location was closed just now, so nothing was booked. Choose another one."


@operation(Permission.ORDERS_RECEIVE, log=("order_id", "location_id", "delivery_note"), reason="note")
def receive_goods(  # as many as the form has fields
    session: Session,
    *,
    order_id: int,
    lines: Sequence[Came],
    location_id: int | None = None,
    delivery_note: str = "",
    note: str = "",
    occurred_at: datetime | None = None,
) -> Booked:
    """Take in what came for an order, all of it or nothing; never more than the order and its tolerance.

    A line may come in parts, at several places and of several lots. What is not kept in stock is noted only.
    """
    words = checked_words(note, delivery_note, when_it_happened(occurred_at))
    asked_for(lines)
    order = lock_order(session, order_id, RECEIVABLE)
    at = location_id or order.location_id
    known = lines_of(session, order_id)
    products = lock(session, Product, products_of(known, lines))
    step("products_locked", products=len(products))
    wanted = {row: one.location_id or at for row, one in enumerate(lines, start=1)}
    usable = in_use_of(session, {at, *wanted.values()})
    if at not in usable:
        raise no_location()
    put = {row: place for row, place in wanted.items() if place in usable}
    refuse(came_faults(lines, known, products, put), len(lines), "received")
    step("lines_checked", lines=len(lines))
    rows = _book_what_came(session, order, lines, known, put, words.occurred_at)
    averages(session, list(products))
    step("costs_averaged", products=len(products))
    change_order(session, order, summed(lines))
    return write_receipt(session, order, ReceiptKind.RECEIPT, rows, words, location_id=at)


def _book_what_came(  # the steps before it have found them
    session: Session,
    order: PurchaseOrder,
    lines: Sequence[Came],
    known: dict[int, Line],
    put: dict[int, int],
    occurred_at: datetime | None,
) -> list[Row]:
    """Find or make the items, lock them, and post what came into them at the order's cost."""
    going = [
        Goes(row, line.named, line.product_id, put[row], one.lot_code.strip(), one.expires_on)
        for row, one in enumerate(lines, start=1)
        if (line := known[one.line_id]).product_id is not None
    ]
    into = dict(zip((one.row for one in going), items_for(session, going), strict=True)) if going else {}
    items = lock(session, InventoryItem, into.values())
    # Nobody closes these places from here on: what is in them is seen. Who was closing one was waited for.
    if not {one.location_id for one in going} <= in_use_of(session, put.values()):
        raise Conflict(_CLOSED_JUST_NOW)
    step("items_locked", items=len(items))
    rows = [
        Row(one.line_id, one.quantity, in_base(known[one.line_id].unit_cost, order.rate), into.get(row))
        for row, one in enumerate(lines, start=1)
    ]
    details = (MovementKind.RECEIPT, Reason.DELIVERED, None, *reference(order))
    post(
        session,
        [
            Posting(items[row.item_id], row.quantity, *details, unit_cost=row.unit_cost)
            for row in rows
            if row.item_id is not None
        ],
        occurred_at=occurred_at,
    )
    step("movements_posted", movements=len(going))
    return with_movements(rows, movements_of(session))


@operation(Permission.ORDERS_RECEIVE, log=("order_id",), reason="note")
def return_goods(session: Session, *, order_id: int, lines: Sequence[Back], note: str) -> Booked:
    """Send back what came for an order, with a reason: it leaves the stock at what was paid for it."""
    words = checked_words(note, required=True)
    asked_for(lines)
    order = lock_order(session, order_id, ORDERED)
    known = lines_of(session, order_id)
    products = lock(session, Product, products_of(known, lines))
    step("products_locked", products=len(products))
    items = lock(session, InventoryItem, (one.item_id for one in lines if one.item_id is not None))
    step("items_locked", items=len(items))
    refuse(back_faults(lines, known, items, places(session, list(items))), len(lines), "sent back")
    step("lines_checked", lines=len(lines))
    rows = [
        Row(one.line_id, -one.quantity, in_base(known[one.line_id].unit_cost, order.rate), one.item_id) for one in lines
    ]
    details = (MovementKind.ISSUE, None, words.note, *reference(order))
    post(
        session,
        [
            Posting(items[row.item_id], row.quantity, *details, unit_cost=row.unit_cost)
            for row in rows
            if row.item_id is not None
        ],
    )
    step("movements_posted", movements=len(items))
    rows = with_movements(rows, movements_of(session))
    refuse_worthless(session, list(products))
    averages(session, list(products))
    step("costs_averaged", products=len(products))
    change_order(session, order, {line_id: -quantity for line_id, quantity in summed(lines).items()})
    first = next((items[row.item_id].location_id for row in rows if row.item_id is not None), order.location_id)
    return write_receipt(session, order, ReceiptKind.RETURN, rows, words, location_id=first)


@operation(Permission.ORDERS_RECEIVE, log=("receipt_id",), reason="note")
def correct_receipt(session: Session, *, receipt_id: int, note: str) -> Booked:
    """Take a receipt or a return back by a counter-entry of exactly what it booked, with a reason, once."""
    words = checked_words(note, required=True)
    receipt = session.get(GoodsReceipt, receipt_id)
    if receipt is None:
        message = "This receipt does not exist (any more). Reload the page."
        raise NotFound(message)
    order = lock_order(session, receipt.order_id, ORDERED)
    if why_not := why_not_corrected(session, receipt_id, receipt.kind):
        raise AlreadyDecided(why_not)
    booked = session.execute(
        sa.select(
            col(GoodsReceiptLine.order_line_id),
            col(GoodsReceiptLine.quantity),
            col(GoodsReceiptLine.unit_cost),
            col(GoodsReceiptLine.item_id),
            col(GoodsReceiptLine.movement_id),
        )
        .where(col(GoodsReceiptLine.receipt_id) == receipt_id)
        .order_by(col(GoodsReceiptLine.position))
    ).all()
    changes: dict[int, Decimal] = {}
    for row in booked:
        changes[row.order_line_id] = changes.get(row.order_line_id, Decimal(0)) - row.quantity
    refuse(_bounds(changes, lines_of(session, receipt.order_id)), len(changes), "taken back")
    step("lines_checked", lines=len(booked))
    taken = _movements(session, [row.movement_id for row in booked if row.movement_id is not None])
    if taken:
        take_back(session, taken, note=words.note)
    step("movements_taken_back", movements=len(taken))
    counter = _counter_entries(session)
    rows = [
        Row(row.order_line_id, -row.quantity, row.unit_cost, row.item_id, counter.get(row.movement_id))
        for row in booked
    ]
    change_order(session, order, changes)
    return write_receipt(
        session, order, ReceiptKind.CORRECTION, rows, words, location_id=receipt.location_id, reverses=receipt_id
    )


def why_not_corrected(session: Session, receipt_id: int, kind: str) -> str:
    """Say why a receipt cannot be taken back; empty when, as far as the papers say, it can."""
    if kind == ReceiptKind.CORRECTION:
        return "This took a receipt back itself. Receive or send back what is right instead."
    by = session.scalar(sa.select(col(GoodsReceipt.number)).where(col(GoodsReceipt.reverses) == receipt_id))
    return "" if by is None else f"This was taken back already, by {by}."


def _bounds(changes: dict[int, Decimal], lines: dict[int, Line]) -> list[Fault]:
    """Return what would have gone below nothing, or above what may come."""
    faults: list[Fault] = []
    for row, (line_id, change) in enumerate(changes.items(), start=1):
        line = lines[line_id]
        if line.received + change < 0:
            faults.append((row, "quantity", too_little(line, -change)))
        elif change > line.left:
            faults.append((row, "quantity", too_much(line, line.left, change)))
    return faults


def _movements(session: Session, movement_ids: Sequence[int]) -> list[StockMovement]:
    """Return all that the operation behind these movements booked: what settled a rounding goes with it."""
    operations = sa.select(col(StockMovement.operation_id)).where(col(StockMovement.id).in_(movement_ids))
    return list(
        session.scalars(
            sa.select(StockMovement)
            .where(col(StockMovement.operation_id).in_(operations))
            .order_by(col(StockMovement.id))
        )
    )


def _counter_entries(session: Session) -> dict[int | None, int]:
    """Return the movements that this operation booked, by what each takes back."""
    found = session.execute(
        sa.select(col(StockMovement.reverses), col(StockMovement.id)).where(
            col(StockMovement.operation_id) == operation_id(session), col(StockMovement.reverses).is_not(None)
        )
    )
    return {reversed_id: movement_id for reversed_id, movement_id in found}  # noqa: C416  # rows are no pairs to the type checker
