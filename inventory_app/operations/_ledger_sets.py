"""What the ledger asks of statements that take back the movements of a whole operation, whatever their number.

It is what `reversals` asks of a few: products are held before items, nothing is taken that is kept back, what rounding
leaves of nothing goes, and the average follows what is left.
"""

from uuid import UUID

from sqlmodel import Session

from inventory_app.context import current_actor
from inventory_app.errors import Conflict
from inventory_app.models._base import now
from inventory_app.operations._ledger import NOTHING_LEFT, enough, places
from inventory_app.operations._operation import operation_id

_HOLD_PRODUCTS = """
SELECT id FROM product WHERE id IN (
  SELECT i.product_id FROM stock_movement m JOIN inventory_item i ON i.id = m.item_id
   WHERE m.operation_id = %(operation)s) ORDER BY id FOR UPDATE
"""
_HOLD_ITEMS = """
SELECT id FROM inventory_item WHERE id IN (SELECT item_id FROM stock_movement WHERE operation_id = %(operation)s)
 ORDER BY id FOR UPDATE
"""
_KEPT_BACK = """
SELECT i.id, i.quantity, o.quantity
  FROM (SELECT item_id, sum(quantity) AS quantity FROM stock_movement WHERE operation_id = %(operation)s
         GROUP BY item_id HAVING sum(quantity) > 0) o JOIN inventory_item i ON i.id = o.item_id
 WHERE i.quantity - o.quantity < audit_reserved(i.id) ORDER BY i.id LIMIT 1
"""
_SETTLE = """
WITH gone AS (
  SELECT t.value, (SELECT min(m.item_id) FROM stock_movement m JOIN inventory_item i ON i.id = m.item_id
                    WHERE m.operation_id = %(operation)s AND i.product_id = t.product_id) AS item_id
    FROM product_stock t WHERE t.product_id = ANY (%(products)s) AND t.quantity = 0 AND t.value <> 0
), moved AS (
  UPDATE inventory_item i SET sequence = i.sequence + 1, changed_at = %(now)s, changed_by = %(who)s
    FROM gone WHERE i.id = gone.item_id RETURNING i.id, i.product_id, i.sequence, gone.value
)
INSERT INTO stock_movement (item_id, sequence, kind, quantity, unit_cost, value, reference_type, operation_id,
                            occurred_at, recorded_at)
SELECT moved.id, moved.sequence, 'revaluation', 0, product.unit_cost, -moved.value, %(settling)s, %(operation)s,
       %(now)s, %(now)s
  FROM moved JOIN product ON product.id = moved.product_id ORDER BY moved.id
"""
_LESS_THAN_NOTHING = """
SELECT p.name FROM product_stock t JOIN product p ON p.id = t.product_id
 WHERE p.id = ANY (%(products)s) AND t.quantity > 0 AND t.value < 0 ORDER BY p.id LIMIT 1
"""
_AVERAGE = """
UPDATE product p SET unit_cost = round(t.value / t.quantity, 4) FROM product_stock t
 WHERE p.id = ANY (%(products)s) AND t.product_id = p.id AND t.quantity > 0
   AND p.unit_cost <> round(t.value / t.quantity, 4)
"""


def hold_booked(session: Session, original: UUID) -> list[int]:
    """Lock the products of what an operation booked, then its items; returns the products."""
    connection = session.connection()
    products = list(connection.exec_driver_sql(_HOLD_PRODUCTS, {"operation": original}).scalars())
    connection.exec_driver_sql(_HOLD_ITEMS, {"operation": original})
    return products


def nothing_kept_back(session: Session, original: UUID) -> None:
    """Refuse to take out again what an operation brought, where a part of it is reserved by now; its items are held."""
    if short := session.connection().exec_driver_sql(_KEPT_BACK, {"operation": original}).first():
        item_id, on_hand, taken = short
        enough(on_hand, taken, places(session, [item_id])[item_id])


def worth_follows(session: Session, products: list[int]) -> None:
    """Settle what the open operation leaves of nothing, and bring the costs of held products to what is left."""
    connection, given = session.connection(), {"operation": operation_id(session), "products": products}
    stamp = {"now": now(), "who": current_actor().name, "settling": NOTHING_LEFT}
    connection.exec_driver_sql(_SETTLE, given | stamp)
    if name := connection.exec_driver_sql(_LESS_THAN_NOTHING, given).scalar():
        message = f"What is left of {name} would be worth less than nothing. Set its cost first."
        raise Conflict(message)
    connection.exec_driver_sql(_AVERAGE, given)
