"""Posting to the ledger: the shared steps of everything that changes a quantity.

`items` must be locked (`database.locks.lock`) by the caller, in the one order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col

from inventory_app.context import current_actor
from inventory_app.errors import InsufficientStock, Invalid, InvalidRows
from inventory_app.models._base import now
from inventory_app.models.catalog import Location, Lot, Product, Unit
from inventory_app.models.stock import InventoryItem, MovementKind, Reservation
from inventory_app.operations._operation import operation_id

LARGEST = Decimal(99999999999)
#: `reference_type` of the revaluation that takes away what rounding left.
NOTHING_LEFT = "nothing left"


@dataclass(frozen=True, slots=True)
class Posting:
    """A signed change of one locked item.

    Its value is quantity times the product's cost, unless one of the two is given: a receipt knows its cost, a
    reversal takes its original's value. A change of value only has the quantity 0.
    """

    item: InventoryItem
    quantity: Decimal
    kind: MovementKind
    reason_code: str | None = None
    note: str | None = None
    reference_type: str | None = None
    reference: str | None = None
    unit_cost: Decimal | None = None
    value: Decimal | None = None
    reverses: int | None = None


# One statement for any number of items, which are locked: what they hold is what they held under the lock. What is
# posted to the same item more than once is numbered in the order it was given.
_POST = """
WITH given AS (
  SELECT given.*, row_number() OVER (PARTITION BY item_id ORDER BY position) AS step
    FROM unnest(%(items)s::bigint[], %(quantities)s::numeric[], %(kinds)s::text[], %(costs)s::numeric[],
                %(amounts)s::numeric[], %(reasons)s::text[], %(notes)s::text[], %(reference_types)s::text[],
                %(references)s::text[], %(reversed)s::bigint[])
    WITH ORDINALITY AS given(item_id, quantity, kind, unit_cost, value, reason_code, note, reference_type, reference,
                             reverses, position)
), summed AS (
  SELECT item_id, sum(quantity) AS quantity, count(*) AS steps FROM given GROUP BY item_id
), moved AS (
  UPDATE inventory_item SET quantity = inventory_item.quantity + summed.quantity,
         sequence = inventory_item.sequence + summed.steps, changed_at = %(now)s, changed_by = %(who)s
    FROM summed WHERE inventory_item.id = summed.item_id
  RETURNING inventory_item.id, inventory_item.product_id, inventory_item.quantity, inventory_item.sequence,
            inventory_item.sequence - summed.steps AS before
), booked AS (
  INSERT INTO stock_movement (item_id, sequence, kind, quantity, unit_cost, value, reason_code, note, reference_type,
                              reference, operation_id, occurred_at, recorded_at, reverses)
  SELECT moved.id, moved.before + given.step, given.kind, given.quantity,
         coalesce(given.unit_cost, product.unit_cost),
         coalesce(given.value, round(given.quantity * coalesce(given.unit_cost, product.unit_cost), 4)),
         given.reason_code, given.note, given.reference_type, given.reference, %(operation)s, %(happened)s, %(now)s,
         given.reverses
    FROM given JOIN moved ON moved.id = given.item_id JOIN product ON product.id = moved.product_id
   ORDER BY given.position
)
SELECT id, quantity, sequence FROM moved
"""


def post(session: Session, postings: Sequence[Posting], *, occurred_at: datetime | None = None) -> None:
    """Append one movement per posting and bring the items' quantities along, all in one statement.

    However often an item is posted to, its running quantity is never below zero: `InvalidRows` names every posting
    that would bring it there. The other rules were checked before.
    """
    if postings:
        _never_below_zero(session, postings)
        _append(session, postings, occurred_at)
        _settle(session, postings, occurred_at)


def _append(session: Session, postings: Sequence[Posting], occurred_at: datetime | None) -> None:
    session.flush()
    who, when = current_actor().name, now()
    found = session.connection().exec_driver_sql(
        _POST,
        {
            "items": [posting.item.id for posting in postings],
            "quantities": [posting.quantity for posting in postings],
            "kinds": [posting.kind.value for posting in postings],
            "costs": [posting.unit_cost for posting in postings],
            "amounts": [posting.value for posting in postings],
            "reasons": [posting.reason_code and str(posting.reason_code) for posting in postings],
            "notes": [posting.note for posting in postings],
            "reference_types": [posting.reference_type for posting in postings],
            "references": [posting.reference for posting in postings],
            "reversed": [posting.reverses for posting in postings],
            "operation": operation_id(session),
            "happened": occurred_at or when,
            "now": when,
            "who": who,
        },
    )
    now_held = {id_: (quantity, sequence) for id_, quantity, sequence in found}
    for posting in postings:
        quantity, sequence = now_held[posting.item.id]
        changed = {"quantity": quantity, "sequence": sequence, "changed_at": when, "changed_by": who}
        for name, value in changed.items():
            # The row has it already: it must not be written a second time.
            set_committed_value(posting.item, name, value)


def _never_below_zero(session: Session, postings: Sequence[Posting]) -> None:
    running: dict[int, Decimal] = {}
    short: list[tuple[int, Posting, Decimal]] = []
    for number, posting in enumerate(postings, start=1):
        item_id = posting.item.id or 0
        held = running.get(item_id, posting.item.quantity)
        running[item_id] = held + posting.quantity
        if running[item_id] < 0 and posting.quantity < 0:
            short.append((number, posting, held))
    if not short:
        return
    where = places(session, [posting.item.id or 0 for _, posting, _ in short])
    faults: list[tuple[int, str, str]] = []
    for number, posting, held in short:
        place = where[posting.item.id or 0]
        there = say(max(held, Decimal(0)), place.unit)
        faults.append(
            (
                number,
                "quantity",
                f"{place.thing} at {place.location} would have {there} left, and {say(-posting.quantity)} are taken",
            )
        )
    message = f"{len(faults)} of {len(postings)} postings take more than there is, so none was booked:"
    raise InvalidRows(message, faults)


# Only where the last one has gone somewhere can the company have none left.
_LEFT_OVER = """
SELECT product_id, value FROM product_stock
 WHERE product_id = ANY(%(products)s) AND quantity = 0 AND value <> 0 ORDER BY product_id
"""


def _settle(session: Session, postings: Sequence[Posting], occurred_at: datetime | None) -> None:
    """Take the value away that rounding left of a product of which the company has nothing any more."""
    emptied = {
        posting.item.product_id: posting.item
        for posting in postings
        if posting.item.quantity == 0 and posting.quantity <= 0
    }
    if not emptied:
        return
    # Our own posting holds the sum's row until the end: nobody else changes it meanwhile.
    left = session.connection().exec_driver_sql(_LEFT_OVER, {"products": list(emptied)}).all()
    settling = [
        Posting(emptied[product_id], Decimal(0), MovementKind.REVALUATION, reference_type=NOTHING_LEFT, value=-value)
        for product_id, value in left
    ]
    if settling:
        _append(session, settling, occurred_at)


@dataclass(frozen=True, slots=True)
class Place:
    """What a rule or sentence about an item needs: names, unit, lot, what is reserved, and whether it may be used."""

    item_id: int
    product: str
    sku: str
    location: str
    unit: str
    decimals: int
    location_active: bool
    product_active: bool
    location_kind: str = "storage"
    lot: str | None = None
    expires_on: date | None = None
    #: What unexpired reservations keep back of it; the rest of what is on hand is available.
    reserved: Decimal = Decimal(0)

    @property
    def thing(self) -> str:
        """The product, with its lot where lots are kept."""
        return f"{self.product} (lot {self.lot})" if self.lot else self.product


def reserved_of_item() -> sa.ScalarSelect[Decimal]:
    """Return, in a statement about items, what unexpired reservations keep back of each."""
    return (
        sa.select(sa.func.coalesce(sa.func.sum(col(Reservation.quantity)), 0))
        .where(
            col(Reservation.item_id) == col(InventoryItem.id),
            col(Reservation.released_at).is_(None),
            col(Reservation.expires_at) > sa.func.clock_timestamp(),
        )
        .correlate(InventoryItem)
        .scalar_subquery()
    )


_PLACES = (
    sa.select(
        col(InventoryItem.id),
        col(Product.name),
        col(Product.sku),
        col(Location.name),
        col(Unit.code),
        col(Unit.decimals),
        col(Location.active),
        col(Product.active),
        col(Location.kind),
        col(Lot.code),
        col(Lot.expires_on),
        reserved_of_item(),
    )
    .select_from(InventoryItem)
    .join(Product, col(Product.id) == col(InventoryItem.product_id))
    .join(Location, col(Location.id) == col(InventoryItem.location_id))
    .join(Unit, col(Unit.code) == col(Product.unit_code))
    .outerjoin(Lot, col(Lot.id) == col(InventoryItem.lot_id))
    .where(sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.BigInteger))) == col(InventoryItem.id))
)


def places(session: Session, item_ids: Sequence[int]) -> dict[int, Place]:
    """Return product, location, unit, lot and reservations of items, by item id."""
    found = session.connection().execute(_PLACES, {"ids": list(item_ids)})
    return {place.item_id: place for place in (Place(*row) for row in found)}


def say(quantity: Decimal, unit: str = "") -> str:
    """Write a quantity as people do: no trailing zeros, thousands separated, then its unit."""
    text = f"{quantity.normalize():,f}"
    return f"{text} {unit}".strip()


def fits_unit(quantity: Decimal, decimals: int, unit: str, *, field: str = "quantity") -> None:
    """Refuse a quantity finer than its unit allows, or beyond what a quantity can be."""
    if not quantity.is_finite() or quantity.copy_abs() > LARGEST:
        raise Invalid(fields={field: "This number is too large."})
    if quantity != quantity.quantize(Decimal(1).scaleb(-decimals)):
        finest = "whole numbers only" if decimals == 0 else f"at most {decimals} decimals"
        raise Invalid(fields={field: f"{unit} are counted with {finest}."})


def more_than_nothing(quantity: Decimal) -> None:
    """Refuse to take or move nothing, or less."""
    if quantity.is_nan():
        raise Invalid(fields={"quantity": "This number is too large."})
    if quantity <= 0:
        raise Invalid(fields={"quantity": "Enter more than 0."})


def something(quantity: Decimal) -> None:
    """Refuse a difference of nothing."""
    if quantity.is_zero():
        raise Invalid(fields={"quantity": "Enter how much to add (5) or take away (-5)."})


def enough(held: Decimal, asked: Decimal, place: Place) -> None:
    """Refuse to take more than is available: what is there, without what is reserved."""
    available = held - place.reserved
    if available < asked:
        kept_back = f" ({say(place.reserved, place.unit)} more are reserved)" if place.reserved else ""
        sentence = (
            f"Only {say(max(available, Decimal(0)), place.unit)} of {place.thing} are available at "
            f"{place.location}{kept_back}; you asked for {say(asked)}."
        )
        raise InsufficientStock(sentence, fields={"quantity": sentence})


def in_use(place: Place, field: str) -> None:
    """Refuse a location that is closed, or whose stock moves only with its shipment."""
    if not place.location_active:
        sentence = f"{place.location} is closed. Choose a location that is in use."
    elif place.location_kind == "transit":
        sentence = f"What is at {place.location} is on its way: accept its shipment instead."
    else:
        return
    raise Invalid(sentence, fields={field: sentence})


def when_it_happened(given: datetime | None) -> datetime | None:
    """Return when something happened that is booked only now; refuse what has not happened yet."""
    if given is None:
        return None
    moment = given if given.tzinfo else given.replace(tzinfo=UTC)
    if moment > now():
        raise Invalid(fields={"occurred_at": "This has not happened yet. Leave it empty for now."})
    return moment
