"""Categories, locations and planned prices as lists that can be exported: their pages show all of them at once."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import array
from sqlmodel import col

from inventory_app.models.catalog import Category, Location, PriceStatus, Product, ProductPrice
from inventory_app.models.stock import InventoryItem
from inventory_app.operations._list_filters import Contains
from inventory_app.operations._lists import Column, Join, Listing
from inventory_app.operations._trees import SEPARATOR
from inventory_app.permissions import Permission


def _branches(model: Any) -> sa.CTE:
    """Select every branch with the names it stands in, and its place: below them, beside others by name."""
    # As bytes, which sort the same on every server.
    beside = sa.func.concat(col(model.sort_key), "\x01", sa.func.lpad(sa.cast(col(model.id), sa.Text), 19, "0"))
    place = array([sa.func.convert_to(beside, "UTF8", type_=sa.LargeBinary)])
    top = (
        sa.select(col(model.id), place.label("place"), col(model.name).label("path"))
        .where(col(model.parent_id).is_(None))
        .cte("branches", recursive=True)
    )
    below = sa.select(
        col(model.id),
        top.c.place.op("||")(place),
        sa.func.concat(top.c.path, SEPARATOR, col(model.name)),
    ).join(top, top.c.id == col(model.parent_id))
    return top.union_all(below)


def _number(counted: Any, *which: Any, of: Any) -> Any:
    return sa.select(sa.func.count()).select_from(counted).where(*which).correlate(of).scalar_subquery()


_CATEGORIES, _LOCATIONS = _branches(Category), _branches(Location)

CATEGORIES = Listing(
    permission=Permission.PRODUCTS_VIEW,
    table=Category,
    ident=col(Category.id),
    sort="name",
    columns=(
        Column(key="code", label="Code", by=col(Category.code)),
        Column(key="name", label="Category", by=_CATEGORIES.c.place, fixed=True),
        Column(key="path", label="Path", by=_CATEGORIES.c.path),
        Column(key="active", label="In use", by=col(Category.active)),
        Column(
            key="products",
            label="Products",
            by=_number(Product, col(Product.category_id) == col(Category.id), col(Product.active), of=Category),
            numeric=True,
        ),
    ),
    search=Contains(key="q", label="Search", column=col(Category.sort_key)),
    joins={"tree": Join(_CATEGORIES, _CATEGORIES.c.id == col(Category.id))},
    always=("tree",),
)

LOCATIONS = Listing(
    permission=Permission.PRODUCTS_VIEW,
    table=Location,
    ident=col(Location.id),
    sort="name",
    columns=(
        Column(key="code", label="Code", by=col(Location.code)),
        Column(key="name", label="Location", by=_LOCATIONS.c.place, fixed=True),
        Column(key="path", label="Path", by=_LOCATIONS.c.path),
        Column(key="kind", label="Kind", by=col(Location.kind)),
        Column(key="active", label="In use", by=col(Location.active)),
        Column(
            key="kept",
            label="Items there",
            by=_number(
                InventoryItem,
                col(InventoryItem.location_id) == col(Location.id),
                col(InventoryItem.quantity) != 0,
                of=Location,
            ),
            numeric=True,
            permission=Permission.INVENTORY_VIEW,
        ),
    ),
    search=Contains(key="q", label="Search", column=col(Location.sort_key)),
    joins={"tree": Join(_LOCATIONS, _LOCATIONS.c.id == col(Location.id))},
    always=("tree",),
)

PLANNED = Listing(
    permission=Permission.PRICES_VIEW,
    table=ProductPrice,
    ident=col(ProductPrice.id),
    sort="day",
    only=col(ProductPrice.status) == PriceStatus.PLANNED,
    columns=(
        Column(key="day", label="From", by=col(ProductPrice.valid_from), fixed=True),
        Column(key="sku", label="SKU", by=col(Product.sku), needs=("product",)),
        Column(key="product", label="Product", by=col(Product.sort_key), needs=("product",)),
        Column(key="now", label="Now", by=col(Product.unit_price), needs=("product",), numeric=True),
        Column(key="price", label="New price", by=col(ProductPrice.new_price), numeric=True),
        Column(key="currency", label="Currency", by=col(ProductPrice.currency)),
        Column(key="reason", label="Why", by=col(ProductPrice.reason)),
    ),
    search=Contains(key="q", label="Search", column=col(Product.search), needs=("product",)),
    joins={"product": Join(Product, col(Product.id) == col(ProductPrice.product_id))},
)
