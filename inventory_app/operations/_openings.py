"""A new product with its opening stock in one statement: the product, its first price, the item, the movement.

It does what `catalog.add_product` and `_ledger.post` would do one after the other in nine round trips, and does it
only when every rule allows it. What it does not do it does not explain either: it answers None, nothing is written,
and the steps decide again, rule by rule, and say why not. The rules stand there; the conditions here may only be
narrower. Tests run both ways.
"""

from dataclasses import asdict, dataclass
from decimal import Decimal

from sqlmodel import Session

from inventory_app.context import current_actor
from inventory_app.models._base import now, sort_key
from inventory_app.operations._operation import operation_id
from inventory_app.operations.catalog import FIRST_PRICE, NewProduct, search_text
from inventory_app.settings import get_settings


@dataclass(frozen=True, slots=True)
class Opening:
    """What was made, and the name of the place it is at."""

    item_id: int
    product_id: int
    location: str


# The item is made with what it holds: its only movement, the first, says the same. The place is held: one that is being
# closed would still look open.
_OPEN = """
WITH place AS (
  SELECT id, name FROM location WHERE id = %(location)s::bigint AND active AND kind <> 'transit' FOR KEY SHARE
), added AS (
  INSERT INTO product (sku, name, sort_key, search, description, category_id, supplier_id, unit_code, unit_cost,
                       unit_price, currency, reorder_point, reorder_quantity, active, version, created_at)
  SELECT %(sku)s, %(name)s, %(sort_key)s, %(search)s, %(description)s, %(category_id)s::bigint,
         %(supplier_id)s::bigint, unit.code, %(unit_cost)s::numeric, %(unit_price)s::numeric, %(currency)s,
         %(reorder_point)s::numeric, %(reorder_quantity)s::numeric, %(active)s::boolean, 1, %(now)s
    FROM unit, place WHERE unit.code = %(unit_code)s
     AND round(%(quantity)s::numeric, decimals) = %(quantity)s::numeric
     AND round(%(reorder_point)s::numeric, decimals) = %(reorder_point)s::numeric
     AND round(%(reorder_quantity)s::numeric, decimals) = %(reorder_quantity)s::numeric
  ON CONFLICT ON CONSTRAINT uq_product_sku DO NOTHING
  RETURNING id, unit_cost
), priced AS (
  INSERT INTO product_price (product_id, valid_from, new_price, currency, reason)
  SELECT id, %(now)s, %(unit_price)s::numeric, %(currency)s, %(why_priced)s FROM added
), kept AS (
  INSERT INTO inventory_item (product_id, location_id, quantity, sequence, changed_at, changed_by)
  SELECT added.id, place.id, %(quantity)s::numeric, sign(%(quantity)s::numeric), %(now)s, %(who)s FROM added, place
  RETURNING id, product_id
), booked AS (
  INSERT INTO stock_movement (item_id, sequence, kind, quantity, unit_cost, value, reason_code,
                              operation_id, occurred_at, recorded_at)
  SELECT kept.id, 1, 'receipt', %(quantity)s::numeric, added.unit_cost,
         round(%(quantity)s::numeric * added.unit_cost, 4), 'opening', %(operation)s, %(now)s, %(now)s
    FROM kept JOIN added ON added.id = kept.product_id WHERE %(quantity)s::numeric > 0
)
SELECT kept.id, kept.product_id, place.name FROM kept, place
"""


def open_with_stock(session: Session, new: NewProduct, *, location_id: int, quantity: Decimal) -> Opening | None:
    """Add a product without `faults` at a location with a finite `quantity`, not negative; None: not done."""
    texts = {"sort_key": sort_key(new.name), "search": search_text(new.sku, new.name), "why_priced": FIRST_PRICE}
    circumstances = {
        "location": location_id,
        "quantity": quantity,
        "currency": get_settings().currency,
        "operation": operation_id(session),
        "now": now(),
        "who": current_actor().name,
    }
    found = session.connection().exec_driver_sql(_OPEN, asdict(new) | texts | circumstances).first()
    return Opening(*found) if found else None
