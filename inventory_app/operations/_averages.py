"""The moving average: what one of a product is worth, company-wide, in the base currency."""

from collections.abc import Sequence
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.errors import Conflict, Invalid
from inventory_app.models.stock import ProductStock
from inventory_app.operations._ledger import LARGEST

CENTS = Decimal("0.0001")


def in_stock(session: Session, product_id: int) -> tuple[Decimal, Decimal]:
    """Return how much the company has of a product and what that is worth."""
    found = session.execute(
        sa.select(col(ProductStock.quantity), col(ProductStock.value)).where(col(ProductStock.product_id) == product_id)
    ).one_or_none()
    return (found[0], found[1]) if found else (Decimal(0), Decimal(0))


def fits_cost(cost: Decimal, field: str = "unit_cost") -> None:
    """Refuse what no cost can be."""
    if not cost.is_finite() or cost < 0 or cost > LARGEST / 10:
        raise Invalid(fields={field: "Enter 0 or more."})
    if cost != cost.quantize(CENTS):
        raise Invalid(fields={field: "Use at most 4 decimals."})


# The database rounds half away from zero, and no cost is below it. Rounding can leave less than nothing of the smallest
# costs: the last one that goes takes it along.
_AVERAGES = """
UPDATE product SET unit_cost = round(stock.value / stock.quantity, 4)
  FROM product_stock stock
 WHERE stock.product_id = product.id AND product.id = ANY(%(ids)s) AND stock.quantity > 0 AND stock.value >= 0
   AND product.unit_cost <> round(stock.value / stock.quantity, 4)
"""


def averages(session: Session, product_ids: Sequence[int]) -> None:
    """Bring the costs of locked products to what their stock is worth, where there is any."""
    session.flush()
    session.connection().exec_driver_sql(_AVERAGES, {"ids": list(product_ids)})


_WORTHLESS = """
SELECT product.name FROM product JOIN product_stock stock ON stock.product_id = product.id
 WHERE product.id = ANY(%(ids)s) AND stock.quantity > 0 AND stock.value < 0 ORDER BY product.id LIMIT 1
"""


def refuse_worthless(session: Session, product_ids: Sequence[int]) -> None:
    """Refuse to leave some of a locked product that would be worth less than nothing."""
    name = session.connection().exec_driver_sql(_WORTHLESS, {"ids": list(product_ids)}).scalar()
    if name is not None:
        raise Conflict(f"What is left of {name} would be worth less than nothing. Set its cost first.")
