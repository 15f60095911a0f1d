"""Counter-entries: what was booked is taken back with its exact value, once, under the guards of every posting."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.audit.tables import audit_operation
from inventory_app.database.locks import lock
from inventory_app.errors import AlreadyDecided
from inventory_app.models.catalog import Product
from inventory_app.models.stock import InventoryItem, MovementKind, Reason, ReasonUse, StockMovement
from inventory_app.operations._averages import averages, refuse_worthless
from inventory_app.operations._ledger import Place, Posting, enough, in_use, places, post
from inventory_app.operations._reasons import reason_for


def take_back(
    session: Session, taken: Sequence[StockMovement], reason_code: str = Reason.CORRECTION, note: str | None = None
) -> dict[int, Place]:
    """Book the counter-entry of each of these movements, all of them or none; returns the places of their items."""
    items_of = sorted({movement.item_id for movement in taken})
    product_ids = session.scalars(
        sa.select(col(InventoryItem.product_id)).where(col(InventoryItem.id).in_(items_of)).distinct()
    )
    products = lock(session, Product, product_ids)
    items = lock(session, InventoryItem, items_of)
    not_yet(session, taken)
    reason = reason_for(session, reason_code, ReasonUse.REVERSE)
    where = places(session, items_of)
    _enough_left(taken, items, where)
    # What came in last goes out first: an item is never emptied more than at the end.
    postings = [
        Posting(
            items[movement.item_id],
            -movement.quantity,
            MovementKind.REVERSAL if movement.quantity else MovementKind.REVALUATION,
            reason.code,
            note,
            movement.reference_type,
            movement.reference,
            unit_cost=movement.unit_cost,
            value=-movement.value,
            reverses=movement.id,
        )
        for movement in sorted(taken, key=lambda movement: movement.quantity)
    ]
    post(session, postings)
    if any(movement.kind != MovementKind.TRANSFER for movement in taken):
        refuse_worthless(session, list(products))
        averages(session, list(products))
    return where


def not_yet(session: Session, taken: Sequence[StockMovement]) -> None:
    """Refuse what was taken back before, and say by whom."""
    found = session.execute(
        sa.select(audit_operation.c.actor_name, col(StockMovement.recorded_at))
        .select_from(StockMovement)
        .outerjoin(audit_operation, audit_operation.c.id == col(StockMovement.operation_id))
        .where(col(StockMovement.reverses).in_([movement.id for movement in taken]))
        .order_by(col(StockMovement.id))
    ).first()
    if found:
        who, at = found
        message = f"This was taken back already, by {who} on {at:%-d %b %Y at %H:%M} UTC."
        raise AlreadyDecided(message)


def _enough_left(taken: Sequence[StockMovement], items: dict[int, InventoryItem], where: dict[int, Place]) -> None:
    """Refuse to take out again what is not there any more, or is kept back."""
    out: dict[int, Decimal] = defaultdict(Decimal)
    for movement in taken:
        # What only corrects a value moves nothing, wherever it is by now.
        if movement.quantity:
            out[movement.item_id] += movement.quantity
    for item_id, quantity in sorted(out.items()):
        in_use(where[item_id], "movement_id")
        if quantity > 0:
            enough(items[item_id].quantity, quantity, where[item_id])
