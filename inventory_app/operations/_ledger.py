"""Posting to the ledger: the shared steps of everything that changes a quantity.

`items` must be locked (`database.locks.lock`) by the caller, in the one order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col

from inventory_app.context import current_actor
from inventory_app.errors import InsufficientStock, Invalid
from inventory_app.models._base import now
from inventory_app.models.catalog import Location, Product, Unit
from inventory_app.models.stock import InventoryItem, MovementKind
from inventory_app.operations._operation import operation_id

LARGEST = Decimal(99999999999)


@dataclass(frozen=True, slots=True)
class Posting:
    """A signed change of one locked item."""

    item: InventoryItem
    quantity: Decimal
    kind: MovementKind
    reason_code: str | None = None
    note: str | None = None
    reference_type: str | None = None
    reference: str | None = None


# One statement for any number of items, which are locked: what they hold is what they held under the lock.
_POST = """
WITH given AS (
  SELECT * FROM unnest(%(items)s::bigint[], %(quantities)s::numeric[], %(kinds)s::text[], %(reasons)s::text[],
                       %(notes)s::text[], %(reference_types)s::text[], %(references)s::text[])
    WITH ORDINALITY AS given(item_id, quantity, kind, reason_code, note, reference_type, reference, position)
), moved AS (
  UPDATE inventory_item SET quantity = inventory_item.quantity + given.quantity,
         sequence = inventory_item.sequence + 1, changed_at = %(now)s, changed_by = %(who)s
    FROM given WHERE inventory_item.id = given.item_id
  RETURNING inventory_item.id, inventory_item.product_id, inventory_item.quantity, inventory_item.sequence
), booked AS (
  INSERT INTO stock_movement (item_id, sequence, kind, quantity, unit_cost, value, reason_code, note, reference_type,
                              reference, operation_id, occurred_at, recorded_at)
  SELECT moved.id, moved.sequence, given.kind, given.quantity, product.unit_cost,
         round(given.quantity * product.unit_cost, 4), given.reason_code, given.note, given.reference_type,
         given.reference, %(operation)s, %(now)s, %(now)s
    FROM given JOIN moved ON moved.id = given.item_id JOIN product ON product.id = moved.product_id
   ORDER BY given.position
)
SELECT id, quantity, sequence FROM moved
"""


def post(session: Session, postings: Sequence[Posting]) -> None:
    """Append one movement per posting at the product's cost and bring the items' quantities along.

    One statement, whatever the number of postings; no item may be posted to twice. The rules were checked before.
    """
    if not postings:
        return
    session.flush()
    who, when = current_actor().name, now()
    found = session.connection().exec_driver_sql(
        _POST,
        {
            "items": [posting.item.id for posting in postings],
            "quantities": [posting.quantity for posting in postings],
            "kinds": [posting.kind.value for posting in postings],
            "reasons": [posting.reason_code and str(posting.reason_code) for posting in postings],
            "notes": [posting.note for posting in postings],
            "reference_types": [posting.reference_type for posting in postings],
            "references": [posting.reference for posting in postings],
            "operation": operation_id(session),
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


@dataclass(frozen=True, slots=True)
class Place:
    """What a sentence about an item needs: names, unit, and whether it may still be used."""

    item_id: int
    product: str
    sku: str
    location: str
    unit: str
    decimals: int
    location_active: bool
    product_active: bool


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
    )
    .select_from(InventoryItem)
    .join(Product, col(Product.id) == col(InventoryItem.product_id))
    .join(Location, col(Location.id) == col(InventoryItem.location_id))
    .join(Unit, col(Unit.code) == col(Product.unit_code))
    .where(sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.BigInteger))) == col(InventoryItem.id))
)


def places(session: Session, item_ids: Sequence[int]) -> dict[int, Place]:
    """Return product, location and unit of items, by item id."""
    found = session.connection().execute(_PLACES, {"ids": list(item_ids)})
    return {place.item_id: place for place in (Place(*row) for row in found)}


def say(quantity: Decimal, unit: str = "") -> str:
    """Write a quantity as people do: no trailing zeros, thousands separated, then its unit."""
    text = f"{quantity.normalize():,f}"
    return f"{text} {unit}".strip()


def fits_unit(quantity: Decimal, decimals: int, unit: str, *, field: str = "quantity") -> None:
    """Refuse a quantity finer than its unit allows, or beyond what a quantity can be."""
    if not quantity.is_finite() or abs(quantity) > LARGEST:
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
    if quantity == 0:
        raise Invalid(fields={"quantity": "Enter how much to add (5) or take away (-5)."})


def enough(held: Decimal, asked: Decimal, place: Place) -> None:
    """Refuse to take more than there is."""
    if held < asked:
        sentence = (
            f"Only {say(held, place.unit)} of {place.product} are available at {place.location}; "
            f"you asked for {say(asked)}."
        )
        raise InsufficientStock(sentence, fields={"quantity": sentence})
