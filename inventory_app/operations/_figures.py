"""The whole stock in figures, found in one pass over the items and remembered until something changes."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models.catalog import Location, Product
from inventory_app.models.stock import InventoryItem
from inventory_app.operations._paging import AnySelect
from inventory_app.operations._remembered import Remembered


@dataclass(frozen=True, slots=True)
class Figures:
    """How much is kept and what it is worth at the moving average cost; who may see that decides the caller.

    `to_reorder` counts items of products that are to be reordered, `products_to_reorder` those products.
    """

    items: int
    locations: int
    worth: Decimal
    out: int
    to_reorder: int
    products_to_reorder: int


_HELD = (
    sa.select(
        col(InventoryItem.product_id),
        sa.func.sum(col(InventoryItem.quantity)).label("quantity"),
        sa.func.count().label("items"),
        sa.func.count().filter(col(InventoryItem.quantity) == 0).label("empty"),
    )
    .group_by(col(InventoryItem.product_id))
    .subquery("held")
)


def _due(on_hand: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return sa.and_(
        col(Product.active),
        col(Product.reorder_point) > 0,
        sa.func.coalesce(on_hand, 0) <= col(Product.reorder_point),
    )


def reorder_due() -> AnySelect:
    """Select the ids of products to reorder: active, with a reorder point, on hand not above it.

    A reorder point of 0 means "do not reorder"; discontinued products are inactive.
    """
    return _with_what_is_held(sa.select(col(Product.id))).where(_due(_HELD.c.quantity))


_FULL, _TWICE, _ONE = Decimal("0.88"), Decimal("2.2"), Decimal(1)


def bar(here: Decimal, total: Decimal, reorder_point: Decimal) -> tuple[int, int, int]:
    """Return how far a level bar is filled by what is here and what is elsewhere, and where its tick is, in percent."""
    # The longer of what there is in all and twice the reorder point fills most of the bar.
    scale = max(total / _FULL, reorder_point * _TWICE, _ONE)
    fill = int(here / scale * 100)
    return fill, int(total / scale * 100) - fill, int(reorder_point / scale * 100)


def held() -> sa.ColumnElement[Any]:
    """Return how much there is of the product that is selected, all places together."""
    quantity = sa.func.sum(col(InventoryItem.quantity))
    here = sa.select(quantity).where(col(InventoryItem.product_id) == col(Product.id)).correlate(Product)
    return sa.func.coalesce(here.scalar_subquery(), 0)


def _with_what_is_held(statement: AnySelect) -> AnySelect:
    return statement.select_from(Product).outerjoin(_HELD, _HELD.c.product_id == col(Product.id))


def _sum(column: sa.ColumnElement[Any], *where: Any) -> sa.ColumnElement[Any]:
    total = sa.func.sum(column)
    return sa.func.coalesce(total.filter(*where) if where else total, 0)


_FIGURES = _with_what_is_held(
    sa.select(
        _sum(_HELD.c["items"]),
        sa.select(sa.func.count())
        .select_from(Location)
        .where(sa.exists().where(col(InventoryItem.location_id) == col(Location.id)))
        .scalar_subquery(),
        _sum(_HELD.c.quantity * col(Product.unit_cost)),
        _sum(_HELD.c.empty, col(Product.active)),
        _sum(_HELD.c["items"], _due(_HELD.c.quantity)),
        sa.func.count().filter(_due(_HELD.c.quantity)),
    )
)


@Remembered
def figures(session: Session) -> Figures:
    """Return the stock in figures."""
    items, locations, worth, out, to_reorder, products = session.execute(_FIGURES).one()
    return Figures(int(items), locations, worth, int(out), int(to_reorder), products)
