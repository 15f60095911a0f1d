"""Posting to the ledger: the shared steps of everything that changes a quantity.

`items` must be locked (`database.locks.lock`) by the caller, in the one order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.context import current_actor
from inventory_app.errors import Invalid
from inventory_app.models._base import now
from inventory_app.models.catalog import Location, Product, Unit
from inventory_app.models.stock import InventoryItem, MovementKind, StockMovement
from inventory_app.operations._operation import operation_id

_CENTS = Decimal("0.0001")
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


def post(session: Session, postings: Sequence[Posting]) -> None:
    """Append one movement per posting and bring the items' quantities along.

    Two statements, whatever the number of postings. The rules were checked before.
    """
    costs = unit_costs(session, {posting.item.product_id for posting in postings})
    who, when = current_actor().name, now()
    movements = []
    for posting in postings:
        item, cost = posting.item, costs[posting.item.product_id]
        item.quantity += posting.quantity
        item.sequence += 1
        item.changed_at, item.changed_by = when, who
        movements.append(
            {
                "item_id": item.id,
                "sequence": item.sequence,
                "kind": posting.kind.value,
                "quantity": posting.quantity,
                "unit_cost": cost,
                "value": (posting.quantity * cost).quantize(_CENTS, ROUND_HALF_UP),
                "reason_code": posting.reason_code,
                "note": posting.note,
                "reference_type": posting.reference_type,
                "reference": posting.reference,
                "operation_id": operation_id(session),
                "occurred_at": when,
                "recorded_at": when,
            }
        )
    session.flush()
    if movements:
        session.execute(sa.insert(StockMovement), movements)


def unit_costs(session: Session, product_ids: set[int]) -> Mapping[int, Decimal]:
    """Return the moving average cost of products, in the base currency."""
    found = session.execute(sa.select(col(Product.id), col(Product.unit_cost)).where(col(Product.id).in_(product_ids)))
    return {id_: cost for id_, cost in found if id_ is not None}


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


def places(session: Session, item_ids: Sequence[int]) -> dict[int, Place]:
    """Return product, location and unit of items, by item id."""
    statement = (
        select(InventoryItem, Product, Location, Unit)
        .join(Product, col(Product.id) == col(InventoryItem.product_id))
        .join(Location, col(Location.id) == col(InventoryItem.location_id))
        .join(Unit, col(Unit.code) == col(Product.unit_code))
        .where(col(InventoryItem.id).in_(item_ids))
    )
    return {
        item.id or 0: Place(
            item_id=item.id or 0,
            product=product.name,
            sku=product.sku,
            location=location.name,
            unit=unit.code,
            decimals=unit.decimals,
            location_active=location.active,
            product_active=product.active,
        )
        for item, product, location, unit in session.exec(statement)
    }


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
