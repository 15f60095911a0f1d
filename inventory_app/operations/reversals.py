"""Taking postings back: a counter-entry with the original's exact value, once, under the guards of every posting."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.errors import Conflict, NotFound
from inventory_app.models.stock import MovementKind, Reason, StockMovement
from inventory_app.operations._counter_entries import not_yet, take_back
from inventory_app.operations._ledger import NOTHING_LEFT, places, say
from inventory_app.operations._operation import operation, operation_id, query
from inventory_app.permissions import Permission

SHIPMENT = "shipment"
#: What came for an order, or went back: the order's books and the ledger stay together.
ORDER = "purchase order"
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
    where = take_back(session, taken, reason_code, note)
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
        if movement.reference_type == ORDER:
            message = f"This belongs to a receipt of {movement.reference}. Correct the receipt instead."
            raise Conflict(message)
    if all(movement.reference_type == NOTHING_LEFT for movement in taken):
        message = "This took away what rounding had left. It comes back with what it settled."
        raise Conflict(message)


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
        not_yet(session, [found])
    except Conflict as error:
        why_not = str(error)
    return Takeable(movement_id, f"{what}, {found.occurred_at:%-d %b %Y at %H:%M} UTC.{both}", why_not)
