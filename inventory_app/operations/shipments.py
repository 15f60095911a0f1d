"""Shipments: stock on its way between two locations, sent into a transit location and accepted out of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from inventory_app.context import current_actor
from inventory_app.database.locks import lock
from inventory_app.errors import AlreadyDecided, Conflict, Invalid, NotFound
from inventory_app.models._base import now, sort_key
from inventory_app.models.catalog import Location, Lot, Product
from inventory_app.models.stock import InventoryItem, MovementKind, Shipment
from inventory_app.operations._item_at import ITEM_GONE, item_at, location_in_use
from inventory_app.operations._ledger import (
    Posting,
    enough,
    fits_unit,
    in_use,
    more_than_nothing,
    places,
    post,
    say,
)
from inventory_app.operations._lists import View
from inventory_app.operations._operation import current_viewer, operation, query
from inventory_app.operations._paging import Page
from inventory_app.operations._people_names import names_of
from inventory_app.operations._shipment_list import GOAL, LIST, SOURCE
from inventory_app.operations.reversals import SHIPMENT
from inventory_app.permissions import Permission

#: Made when the first one is needed and none of their kind is in use: code and name by kind.
_MADE = {"transit": ("TRANSIT", "In transit"), "loss": ("LOST", "Lost on the way")}


@dataclass(frozen=True, slots=True)
class Sent:
    """What is on its way, from where and to where."""

    shipment_id: int
    product: str
    quantity: str
    from_location: str
    to_location: str


@operation(Permission.INVENTORY_TRANSFER, log=("from_item_id", "to_location_id", "quantity"), reason="note")
def send_shipment(
    session: Session, *, from_item_id: int, to_location_id: int, quantity: Decimal, note: str = ""
) -> Sent:
    """Send a part of an item on its way: it is in transit until somebody accepts it."""
    known = session.get(InventoryItem, from_item_id)
    if known is None:
        raise NotFound(ITEM_GONE)
    target = location_in_use(session, to_location_id, "to_location_id")
    if target.id == known.location_id:
        sentence = "Choose another place: this is where it already is."
        raise Invalid(sentence, fields={"to_location_id": sentence})
    more_than_nothing(quantity)
    transit_id = item_at(session, known.product_id, _place_of(session, "transit"), known.lot_id)
    items = lock(session, InventoryItem, [from_item_id, transit_id])
    place = places(session, [from_item_id])[from_item_id]
    in_use(place, "from_item_id")
    fits_unit(quantity, place.decimals, place.unit)
    enough(items[from_item_id].quantity, quantity, place)
    row = Shipment(
        from_item_id=from_item_id,
        transit_item_id=transit_id,
        to_location_id=to_location_id,
        quantity=quantity,
        note=note.strip() or None,
        sent_by=current_actor().name,
    )
    session.add(row)
    session.flush()
    # Nobody closes the place from here on: what is coming is seen. Who was closing it was waited for.
    location_in_use(session, to_location_id, "to_location_id")
    if not places(session, [transit_id])[transit_id].location_active:
        message = "The location of what is on its way was closed just now. Try again."
        raise Conflict(message)
    details = (MovementKind.TRANSFER, None, row.note, SHIPMENT, str(row.id))
    post(
        session,
        [Posting(items[from_item_id], -quantity, *details), Posting(items[transit_id], quantity, *details)],
    )
    return Sent(row.id or 0, place.thing, say(quantity, place.unit), place.location, target.name)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What arrived, what did not, and where it is now."""

    product: str
    accepted: str
    lost: str
    location: str


@operation(Permission.INVENTORY_TRANSFER, log=("shipment_id", "accepted"), reason="note")
def accept_shipment(session: Session, *, shipment_id: int, accepted: Decimal | None = None, note: str = "") -> Accepted:
    """Take in what arrived of a shipment, all of it unless said otherwise; the rest goes to a loss location."""
    row = lock(session, Shipment, [shipment_id]).get(shipment_id)
    if row is None:
        raise NotFound
    if row.status != "sent":
        message = (
            f"This shipment was accepted already, by {row.accepted_by} on {row.accepted_at:%-d %b %Y at %H:%M} UTC."
        )
        raise AlreadyDecided(message)
    arrived = row.quantity if accepted is None else accepted
    place = places(session, [row.transit_item_id])[row.transit_item_id]
    if not arrived.is_finite() or arrived < 0 or arrived > row.quantity:
        sentence = f"{say(row.quantity, place.unit)} were sent. Enter how many of them arrived."
        raise Invalid(fields={"accepted": sentence})
    fits_unit(arrived, place.decimals, place.unit, field="accepted")
    known = session.get_one(InventoryItem, row.transit_item_id)
    target = location_in_use(session, row.to_location_id, "shipment_id")
    parts = [(target.id or 0, arrived)]
    if lost := row.quantity - arrived:
        parts.append((_place_of(session, "loss"), lost))
    going = [(item_at(session, known.product_id, at, known.lot_id), part) for at, part in parts if part]
    items = lock(session, InventoryItem, [row.transit_item_id, *(id_ for id_, _ in going)])
    details = (MovementKind.TRANSFER, None, note.strip() or None, SHIPMENT, str(row.id))
    post(
        session,
        [
            posting
            for id_, part in going
            for posting in (
                Posting(items[row.transit_item_id], -part, *details),
                Posting(items[id_], part, *details),
            )
        ],
    )
    row.status, row.accepted, row.lost = "accepted", arrived, lost
    row.accepted_at, row.accepted_by = now(), current_actor().name
    said = say(lost, place.unit) if lost else ""
    return Accepted(place.thing, say(arrived, place.unit), said, target.name)


def _place_of(session: Session, kind: str) -> int:
    """Return a location of this kind that is in use, the first that was made; make one when there is none."""
    first = (
        sa.select(col(Location.id))
        .where(col(Location.kind) == kind, col(Location.active))
        .order_by(col(Location.id))
        .limit(1)
    )
    if found := session.scalar(first):
        return found
    code, name = _MADE[kind]
    session.execute(
        insert(Location)
        .values(code=code, name=name, sort_key=sort_key(name), kind=kind, active=True, version=1)
        # Two people may be the first to send something.
        .on_conflict_do_nothing()
    )
    if found := session.scalar(first):
        return found
    message = f"There is no {kind} location in use. Open {code} again, or another one of that kind."
    raise Conflict(message)


@dataclass(frozen=True, slots=True)
class ShipmentRow:
    """A shipment as the list shows it."""

    id: int
    sku: str
    product: str
    lot: str
    quantity: str
    unit: str
    from_location: str
    to_location: str
    status: str
    arrived: str
    lost: str
    note: str
    sent_at: str
    sent_by: str
    accepted_at: str
    accepted_by: str
    #: The plain number that was sent, for the form.
    asked: str


@dataclass(frozen=True, slots=True)
class ShipmentListing:
    """A page of shipments; `count` the view leaves, `under_way` and `everything` are of the tabs."""

    view: View
    page: Page[ShipmentRow]
    count: int
    under_way: int
    everything: int
    locations: list[tuple[str, str]]


@query(Permission.INVENTORY_VIEW)
def list_shipments(session: Session, *, view: View) -> ShipmentListing:
    """Return a page of shipments with what they can be narrowed down by."""
    allowed = LIST.allowed(view, current_viewer(session).permissions)
    page, count = LIST.listed(session, allowed)
    everything = LIST.count(session, View())
    under_way = LIST.count(session, View(filters={"status": "sent"}))
    found = session.execute(_DETAILS, {"ids": page.rows}).all() if page.rows else ()
    names = names_of(session, (name for row in found for name in (row.sent_by, row.accepted_by)))
    rows = {row.id: _row(row, names) for row in found}
    known = sa.select(col(Location.id), col(Location.name)).order_by(col(Location.sort_key), col(Location.id))
    locations = [(str(id_), name) for id_, name in session.execute(known)]
    return ShipmentListing(allowed, page.of([rows[id_] for id_ in page.rows]), count, under_way, everything, locations)


_DETAILS = (
    sa.select(
        Shipment.__table__,  # pyright: ignore[reportAttributeAccessIssue]  # SQLModel hides the table
        col(Product.sku),
        col(Product.name).label("product"),
        col(Lot.code).label("lot"),
        col(Product.unit_code),
        col(SOURCE.name).label("source"),
        col(GOAL.name).label("goal"),
    )
    .select_from(Shipment)
    .join(InventoryItem, col(InventoryItem.id) == col(Shipment.from_item_id))
    .join(Product, col(Product.id) == col(InventoryItem.product_id))
    .join(SOURCE, col(SOURCE.id) == col(InventoryItem.location_id))
    .join(GOAL, col(GOAL.id) == col(Shipment.to_location_id))
    .outerjoin(Lot, col(Lot.id) == col(InventoryItem.lot_id))
    .where(col(Shipment.id) == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.BigInteger))))
)


def _row(row: sa.Row[tuple[object, ...]], names: Mapping[str, str]) -> ShipmentRow:
    return ShipmentRow(
        id=row.id,
        sku=row.sku,
        product=row.product,
        lot=row.lot or "",
        quantity=say(row.quantity),
        unit=row.unit_code,
        from_location=row.source,
        to_location=row.goal,
        status=row.status,
        arrived="" if row.accepted is None else say(row.accepted),
        lost=say(row.lost) if row.lost else "",
        note=row.note or "",
        sent_at=row.sent_at.isoformat(),
        sent_by=names[row.sent_by],
        accepted_at=row.accepted_at.isoformat() if row.accepted_at else "",
        accepted_by=names.get(row.accepted_by, ""),
        asked=f"{row.quantity.normalize():f}",
    )
