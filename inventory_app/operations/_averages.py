"""The moving average: what one of a product is worth, company-wide, in the base currency."""

from decimal import ROUND_HALF_UP, Decimal

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.errors import Invalid
from inventory_app.models.catalog import Product
from inventory_app.models.stock import ProductStock
from inventory_app.operations._ledger import LARGEST

CENTS = Decimal("0.0001")


def in_stock(session: Session, product_id: int) -> tuple[Decimal, Decimal]:
    """Return how much the company has of a product and what that is worth."""
    found = session.execute(
        sa.select(col(ProductStock.quantity), col(ProductStock.value)).where(col(ProductStock.product_id) == product_id)
    ).one_or_none()
    return (found[0], found[1]) if found else (Decimal(0), Decimal(0))


def average(session: Session, product: Product) -> None:
    """Bring the cost of a locked product to what its stock is worth, where there is any."""
    quantity, value = in_stock(session, product.id or 0)
    # Rounding can leave less than nothing of the smallest costs: the last one that goes takes it along.
    if quantity > 0 and value >= 0:
        product.unit_cost = (value / quantity).quantize(CENTS, ROUND_HALF_UP)


def fits_cost(cost: Decimal, field: str = "unit_cost") -> None:
    """Refuse what no cost can be."""
    if not cost.is_finite() or cost < 0 or cost > LARGEST / 10:
        raise Invalid(fields={field: "Enter 0 or more."})
    if cost != cost.quantize(CENTS):
        raise Invalid(fields={field: "Use at most 4 decimals."})
