"""A transfer in one statement: lock in id order, decide, update both items, book both movements.

It does what `stock.transfer_inventory` would do step by step, and does it only when every rule allows it. What it
does not do it does not explain either: it answers None with both rows locked, or none where the item to be is not
there yet, and the steps decide again, rule by rule, and say why not. The rules stand there; the condition here may only
be narrower. Tests run both ways.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlmodel import Session

from inventory_app.context import current_actor
from inventory_app.models._base import now
from inventory_app.operations._operation import operation_id


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two items of a transfer: where it is, what it held and holds now."""

    item_id: int
    product: str
    unit: str
    location: str
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class Move:
    """A transfer that was made, and when."""

    source: Side
    target: Side
    at: datetime


# `MATERIALIZED` makes each step finish before the next begins, the locks first: what is decided on and written is
# what stood there under the lock, not what the statement's snapshot had seen. The places are held as well: one that
# was closed while we waited for its item would still look open. Where it comes from is
# written first, so that the trail begins with it.
_MOVE = """
WITH target AS MATERIALIZED (
  SELECT CASE WHEN %(to_item)s::bigint IS NOT NULL THEN %(to_item)s::bigint ELSE (
    SELECT there.id FROM inventory_item here JOIN inventory_item there ON there.product_id = here.product_id
     WHERE here.id = %(from_item)s::bigint AND there.location_id = %(to_location)s::bigint
       AND there.lot_id IS NOT DISTINCT FROM here.lot_id) END AS id
), locked AS MATERIALIZED (
  SELECT id, product_id, location_id, lot_id, quantity, sequence FROM inventory_item
   WHERE id = ANY (ARRAY[%(from_item)s::bigint, (SELECT id FROM target)]) AND (SELECT id FROM target) IS NOT NULL
   ORDER BY id FOR UPDATE
), seen AS MATERIALIZED (
  SELECT locked.id, locked.product_id, locked.lot_id, locked.quantity, locked.sequence, product.name AS product,
         product.unit_cost, unit.code AS unit, unit.decimals, location.name AS location,
         location.active AND location.kind <> 'transit' AS usable,
         CASE WHEN locked.id = %(from_item)s::bigint THEN locked.quantity - audit_reserved(locked.id) END AS available,
         CASE WHEN locked.id = %(from_item)s::bigint THEN -1 ELSE 1 END AS sign
    FROM locked JOIN product ON product.id = locked.product_id JOIN unit ON unit.code = product.unit_code
    JOIN location ON location.id = locked.location_id ORDER BY sign FOR KEY SHARE OF location
), allowed AS MATERIALIZED (
  SELECT count(*) = 2 AND min(product_id) = max(product_id) AND bool_and(usable)
         AND min(coalesce(lot_id, 0)) = max(coalesce(lot_id, 0))
         AND bool_and(round(%(quantity)s::numeric, decimals) = %(quantity)s::numeric)
         AND bool_and(sign = 1 OR available >= %(quantity)s::numeric)
         AND (%(reason)s::text IS NULL OR EXISTS (
               SELECT 1 FROM reason_code WHERE code = %(reason)s::text AND active AND 'transfer' = ANY (uses))) AS yes
    FROM seen
), moved AS (
  UPDATE inventory_item SET quantity = seen.quantity + seen.sign * %(quantity)s::numeric,
         sequence = seen.sequence + 1, changed_at = %(now)s, changed_by = %(who)s
    FROM seen, allowed WHERE allowed.yes AND inventory_item.id = seen.id
  RETURNING inventory_item.id, inventory_item.quantity, inventory_item.sequence
), booked AS (
  INSERT INTO stock_movement (item_id, sequence, kind, quantity, unit_cost, value, reason_code, note,
                              operation_id, occurred_at, recorded_at)
  SELECT moved.id, moved.sequence, 'transfer', seen.sign * %(quantity)s::numeric, seen.unit_cost,
         seen.sign * round(%(quantity)s::numeric * seen.unit_cost, 4), %(reason)s, %(note)s,
         %(operation)s, %(now)s, %(now)s
    FROM moved JOIN seen ON seen.id = moved.id ORDER BY seen.sign
)
SELECT moved.id, seen.product, seen.unit, seen.location, seen.quantity, moved.quantity
  FROM moved JOIN seen ON seen.id = moved.id ORDER BY seen.sign
"""


def move(
    session: Session,
    *,
    from_item_id: int,
    to_item_id: int | None,
    to_location_id: int | None,
    quantity: Decimal,
    reason_code: str | None,
    note: str | None,
) -> Move | None:
    """Move a positive, finite `quantity` to the item, or to the product's item at the location; None: not done."""
    when = now()
    found = (
        session.connection()
        .exec_driver_sql(
            _MOVE,
            {
                "from_item": from_item_id,
                "to_item": to_item_id,
                "to_location": to_location_id,
                "quantity": quantity,
                "reason": reason_code,
                "note": note,
                "operation": operation_id(session),
                "now": when,
                "who": current_actor().name,
            },
        )
        .all()
    )
    if not found:
        return None
    source, target = (Side(*row) for row in found)
    return Move(source, target, when)
