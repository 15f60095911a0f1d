"""The whole stock in figures, and which products are to be reordered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models._base import now
from inventory_app.models.catalog import Category, Location, Product
from inventory_app.models.stock import InventoryItem, ProductStock
from inventory_app.operations._paging import AnySelect
from inventory_app.operations._remembered import Remembered

#: Where there are more items than these, adding everything up is nothing people should wait for after every commit.
_MANY_ITEMS = 50_000
_NOW = timedelta(seconds=5)

# Written out, as the index is declared: with parameters the planner would not know that the index holds these rows.
_DUE = sa.and_(
    sa.literal_column("product_stock.reorder_at > 0"),
    sa.literal_column("product_stock.quantity <= product_stock.reorder_at"),
)
#: How much there is of a product, measured by its reorder point: what it is sorted by where the least comes first.
SHARE_LEFT = sa.literal_column("(product_stock.quantity / nullif(product_stock.reorder_at, 0))", sa.Numeric())


@dataclass(frozen=True, slots=True)
class Figures:
    """How much is kept and what it is worth at the moving average cost; who may see that decides the caller.

    `to_reorder` counts items of products that are to be reordered, `products_to_reorder` those products. `by_category`
    is what is worth something, the most first: top category (None: of none), and its worth. `nowhere` are name and
    SKU of the first few products to reorder that have no item. `at` is when all this was so.
    """

    items: int
    locations: int
    worth: Decimal
    out: int
    to_reorder: int
    products_to_reorder: int
    by_category: Sequence[tuple[str | None, Decimal]]
    nowhere: Sequence[tuple[str, str]]
    at: datetime

    def as_of(self) -> str:
        """Return when all this was so, if that is longer ago than people would take for now."""
        return self.at.isoformat() if now() - self.at > _NOW else ""


def is_due() -> sa.ColumnElement[bool]:
    """Tell of the `product_stock` that is selected whether its product is to be reordered.

    A reorder point of 0 means "do not reorder"; discontinued products are not reordered either.
    """
    return _DUE


def reorder_due() -> AnySelect:
    """Select the ids of products to reorder: active, with a reorder point, on hand not above it."""
    return sa.select(col(ProductStock.product_id)).where(_DUE)


#: Nothing is kept where things only pass through: that it is empty says nothing.
_PASSED_THROUGH = sa.select(col(Location.id)).where(col(Location.kind) == "transit")


def none_left() -> sa.ColumnElement[bool]:
    """Tell of the item and its product that are selected whether none is left where some is kept."""
    empty = sa.and_(col(InventoryItem.quantity) == 0, col(Product.active))
    return sa.and_(empty, col(InventoryItem.location_id).not_in(_PASSED_THROUGH))


_FULL, _TWICE, _ONE = Decimal("0.88"), Decimal("2.2"), Decimal(1)


def bar(here: Decimal, total: Decimal, reorder_point: Decimal) -> tuple[int, int, int]:
    """Return how far a level bar is filled by what is here and what is elsewhere, and where its tick is, in percent."""
    # The longer of what there is in all and twice the reorder point fills most of the bar.
    scale = max(total / _FULL, reorder_point * _TWICE, _ONE)
    fill = int(here / scale * 100)
    return fill, int(total / scale * 100) - fill, int(reorder_point / scale * 100)


def held() -> sa.ColumnElement[Any]:
    """Return how much there is of the product that is selected, all places together."""
    here = sa.select(col(ProductStock.quantity)).where(col(ProductStock.product_id) == col(Product.id))
    return here.correlate(Product).scalar_subquery()


_ITEMS = sa.select(
    sa.select(sa.func.count()).select_from(InventoryItem).scalar_subquery(),
    sa.select(sa.func.count())
    .select_from(InventoryItem)
    .join(Product, col(Product.id) == col(InventoryItem.product_id))
    .where(none_left())
    .scalar_subquery(),
    sa.select(sa.func.count())
    .select_from(Location)
    .where(sa.exists().where(col(InventoryItem.location_id) == col(Location.id)))
    .scalar_subquery(),
    sa.select(sa.func.count())
    .select_from(InventoryItem)
    .where(col(InventoryItem.product_id).in_(reorder_due()))
    .scalar_subquery(),
    sa.select(sa.func.count()).select_from(ProductStock).where(_DUE).scalar_subquery(),
)
_ROOT = (
    sa.select(col(Category.id).label("id"), col(Category.id).label("root"))
    .where(col(Category.parent_id).is_(None))
    .cte("root_of", recursive=True)
)
_ROOT = _ROOT.union_all(
    sa.select(col(Category.id), _ROOT.c.root).join(_ROOT, _ROOT.c.id == col(Category.parent_id)),
)
_WORTH = sa.func.sum(col(ProductStock.value)).label("worth")
_BY_CATEGORY = (
    sa.select(col(Product.category_id), _WORTH)
    .join(ProductStock, col(ProductStock.product_id) == col(Product.id))
    .group_by(col(Product.category_id))
    .subquery("by_category")
)
_BY_ROOT = (
    sa.select(_ROOT.c.root, sa.func.sum(_BY_CATEGORY.c.worth).label("worth"))
    .select_from(_BY_CATEGORY)
    .outerjoin(_ROOT, _ROOT.c.id == _BY_CATEGORY.c.category_id)
    .group_by(_ROOT.c.root)
    .subquery("by_root")
)
_NAMED = (
    sa.select(col(Category.name), _BY_ROOT.c.worth)
    .select_from(_BY_ROOT)
    .outerjoin(Category, col(Category.id) == _BY_ROOT.c.root)
    .order_by(_BY_ROOT.c.worth.desc(), col(Category.name))
)
#: So many products without an item are named, and one more tells that there are more.
NAMED = 5
_NOWHERE = (
    sa.select(col(Product.name), col(Product.sku))
    .join(ProductStock, col(ProductStock.product_id) == col(Product.id))
    .where(_DUE, ~sa.exists().where(col(InventoryItem.product_id) == col(ProductStock.product_id)))
    .order_by(col(Product.sku))
    .limit(NAMED + 1)
)


@partial(Remembered, dear=lambda found: found.items > _MANY_ITEMS)
def figures(session: Session) -> Figures:
    """Return the stock in figures."""
    at = now()
    items, out, locations, to_reorder, products = session.execute(_ITEMS).one()
    worths = [(name, Decimal(worth)) for name, worth in session.execute(_NAMED)]
    return Figures(
        items=items,
        locations=locations,
        worth=sum((worth for _, worth in worths), Decimal(0)),
        out=out,
        to_reorder=to_reorder,
        products_to_reorder=products,
        by_category=[(name, worth) for name, worth in worths if worth > 0],
        nowhere=[(name, sku) for name, sku in session.execute(_NOWHERE)],
        at=at,
    )
