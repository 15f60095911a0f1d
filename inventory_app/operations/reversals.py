"""Taking postings back: a counter-entry with the original's exact value, once, under the guards of every posting."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.audit.tables import audit_operation
from inventory_app.database.locks import lock
from inventory_app.errors import AlreadyDecided, Conflict, NotFound
from inventory_app.models.catalog import Product
from inventory_app.models.stock import InventoryItem, MovementKind, Reason, ReasonUse, StockMovement
from inventory_app.operations._averages import average, in_stock
from inventory_app.operations._ledger import NOTHING_LEFT, Place, Posting, enough, in_use, places, post, say
from inventory_app.operations._operation import operation, operation_id, query
from inventory_app.operations._reasons import reason_for
from inventory_app.permissions import Permission

SHIPMENT = "shipment"
GONE = "This movement does not exist (any more). Reload the page."


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What was taken back: how many movements, and the first of them in words."""

    movements: int
    product: str
    quantity: str
    operation_id: str


@operation(Permission.INVENTORY_REVERSE, log=("movement_id", "reason_code"), reason=("reason_code", "note"))
def reverse_movement(
    session: Session, *, movement_id: int, reason_code: str = Reason.CORRECTION, note: str = ""
) -> TakenBack:
    """Take one movement back, a transfer with both its halves."""
    found = session.get(StockMovement, movement_id)
    if found is None:
        raise NotFound(GONE)
    taken = [found]
    if found.kind == MovementKind.TRANSFER:
        taken = _movements(session, found.operation_id, MovementKind.TRANSFER)
    return _take_back(session, taken, reason_code, note or None)


@operation(Permission.INVENTORY_REVERSE, log=("taken_id", "reason_code"), reason=("reason_code", "note"))
def reverse_operation(
    session: Session, *, taken_id: str, reason_code: str = Reason.CORRECTION, note: str = ""
) -> TakenBack:
    """Take back everything that one operation booked, all of it or nothing."""
    try:
        key = UUID(taken_id)
    except ValueError:
        raise NotFound from None
    # What settled a rounding difference goes with what it settled: the counter-entry brings its exact value again.
    taken = _movements(session, key)
    if not taken:
        message = "Nothing was booked by this. Reload the page."
        raise NotFound(message)
    return _take_back(session, taken, reason_code, note or None)


def _movements(session: Session, key: UUID, kind: MovementKind | None = None) -> list[StockMovement]:
    statement = sa.select(StockMovement).where(col(StockMovement.operation_id) == key).order_by(col(StockMovement.id))
    if kind:
        statement = statement.where(col(StockMovement.kind) == kind.value)
    return list(session.scalars(statement))


def _take_back(session: Session, taken: Sequence[StockMovement], reason_code: str, note: str | None) -> TakenBack:
    _can_be(taken)
    items_of = sorted({movement.item_id for movement in taken})
    product_ids = session.scalars(
        sa.select(col(InventoryItem.product_id)).where(col(InventoryItem.id).in_(items_of)).distinct()
    )
    products = lock(session, Product, product_ids)
    items = lock(session, InventoryItem, items_of)
    _not_yet(session, taken)
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
        for product in products.values():
            quantity, value = in_stock(session, product.id or 0)
            if quantity > 0 and value < 0:
                message = f"What is left of {product.name} would be worth less than nothing. Set its cost first."
                raise Conflict(message)
            average(session, product)
    first = taken[0]
    place = where[first.item_id]
    return TakenBack(len(taken), place.thing, say(abs(first.quantity), place.unit), str(operation_id(session)))


def _can_be(taken: Sequence[StockMovement]) -> None:
    for movement in taken:
        if movement.reverses is not None:
            message = "This took something back itself. Book what is right instead."
            raise Conflict(message)
        if movement.reference_type == SHIPMENT:
            message = (
                f"This belongs to shipment {movement.reference}. Accept the shipment, then send back "
                "what should not have gone."
            )
            raise Conflict(message)
    if all(movement.reference_type == NOTHING_LEFT for movement in taken):
        message = "This took away what rounding had left. It comes back with what it settled."
        raise Conflict(message)


def _not_yet(session: Session, taken: Sequence[StockMovement]) -> None:
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


@dataclass(frozen=True, slots=True)
class Takeable:
    """A movement that somebody thinks of taking back, in words; `why_not` when it cannot be."""

    movement_id: int
    about: str
    why_not: str


@query(Permission.INVENTORY_REVERSE)
def takeable(session: Session, *, movement_id: int) -> Takeable:
    """Return what would be taken back with a movement, and why it cannot be, as far as is known before it is tried."""
    found = session.get(StockMovement, movement_id)
    if found is None:
        raise NotFound(GONE)
    place = places(session, [found.item_id])[found.item_id]
    sign = "−" if found.quantity < 0 else "+"
    what = f"{found.kind.capitalize()}: {sign}{say(abs(found.quantity), place.unit)} {place.thing} at {place.location}"
    both = " Both halves of it are taken back together." if found.kind == MovementKind.TRANSFER else ""
    why_not = ""
    try:
        _can_be([found])
        _not_yet(session, [found])
    except Conflict as error:
        why_not = str(error)
    return Takeable(movement_id, f"{what}, {found.occurred_at:%-d %b %Y at %H:%M} UTC.{both}", why_not)
