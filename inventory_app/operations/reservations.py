"""Reservations: a part of an item that is kept back until a time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.context import current_actor
from inventory_app.database.locks import lock
from inventory_app.errors import AlreadyDecided, Invalid, NotFound
from inventory_app.models._base import now
from inventory_app.models.stock import InventoryItem, Reservation
from inventory_app.operations._item_at import ITEM_GONE
from inventory_app.operations._ledger import enough, fits_unit, in_use, more_than_nothing, places, say
from inventory_app.operations._operation import operation, query
from inventory_app.operations._people_names import names_of
from inventory_app.permissions import Permission

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Reserved:
    """What is kept back of what, and until when."""

    reservation_id: int
    product: str
    location: str
    quantity: str
    expires_at: datetime


@operation(Permission.INVENTORY_ADJUST, log=("item_id", "quantity", "reference"), reason="note")
def reserve(
    session: Session, *, item_id: int, quantity: Decimal, expires_at: datetime, reference: str = "", note: str = ""
) -> Reserved:
    """Keep a part of what is available back until `expires_at`: nobody takes it meanwhile."""
    until = expires_at if expires_at.tzinfo else expires_at.replace(tzinfo=UTC)
    if not now() < until <= now() + LONGEST:
        raise Invalid(fields={"expires_at": "Choose a time in the next twelve months."})
    item = lock(session, InventoryItem, [item_id]).get(item_id)
    if item is None:
        raise NotFound(ITEM_GONE)
    place = places(session, [item_id])[item_id]
    in_use(place, "item_id")
    more_than_nothing(quantity)
    fits_unit(quantity, place.decimals, place.unit)
    enough(item.quantity, quantity, place)
    row = Reservation(
        item_id=item_id,
        quantity=quantity,
        expires_at=until,
        reference=reference.strip() or None,
        note=note.strip() or None,
        created_by=current_actor().name,
    )
    session.add(row)
    session.flush()
    return Reserved(row.id or 0, place.thing, place.location, say(quantity, place.unit), until)


@operation(Permission.INVENTORY_ADJUST, log=("reservation_id",))
def release_reservation(session: Session, *, reservation_id: int) -> str:
    """Give back what was kept back; returns how much of what."""
    row = lock(session, Reservation, [reservation_id]).get(reservation_id)
    if row is None:
        raise NotFound
    if row.released_at is not None:
        message = "This reservation was released already."
        raise AlreadyDecided(message)
    row.released_at = now()
    place = places(session, [row.item_id])[row.item_id]
    return f"{say(row.quantity, place.unit)} of {place.thing}"


@dataclass(frozen=True, slots=True)
class ReservationRow:
    """A reservation that counts now."""

    id: int
    quantity: str
    reference: str
    note: str
    expires_at: str
    created_by: str


@query(Permission.INVENTORY_VIEW)
def reservations_of(session: Session, *, item_id: int) -> list[ReservationRow]:
    """Return what keeps a part of the item back, what ends first at the top."""
    place = places(session, [item_id]).get(item_id)
    if place is None:
        raise NotFound(ITEM_GONE)
    rows = session.scalars(
        sa.select(Reservation)
        .where(
            col(Reservation.item_id) == item_id,
            col(Reservation.released_at).is_(None),
            col(Reservation.expires_at) > sa.func.clock_timestamp(),
        )
        .order_by(col(Reservation.expires_at), col(Reservation.id))
    ).all()
    names = names_of(session, (row.created_by for row in rows))
    return [
        ReservationRow(
            row.id or 0,
            say(row.quantity, place.unit),
            row.reference or "",
            row.note or "",
            row.expires_at.isoformat(),
            names[row.created_by],
        )
        for row in rows
    ]
