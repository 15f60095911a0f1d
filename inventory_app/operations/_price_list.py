"""The list of prices: what it can be sorted and narrowed down by."""

from dataclasses import replace

import sqlalchemy as sa
from sqlmodel import col

from inventory_app.models.catalog import Category, PriceStatus, Product, ProductPrice
from inventory_app.models.stock import ProductStock
from inventory_app.operations._item_list import SEARCH
from inventory_app.operations._list_filters import AnyOf, OneOf, Range
from inventory_app.operations._lists import Column, Join, Listing
from inventory_app.permissions import Permission

_PLANNED = (
    sa.exists()
    .where(col(ProductPrice.product_id) == col(Product.id), col(ProductPrice.status) == PriceStatus.PLANNED)
    .correlate(Product)
)

LIST = Listing(
    permission=Permission.PRICES_VIEW,
    table=Product,
    ident=col(Product.id),
    sort="sku",
    unique=col(Product.id),
    columns=(
        Column(key="sku", label="SKU", by=col(Product.sku)),
        Column(key="product", label="Product", by=col(Product.sort_key), fixed=True),
        Column(key="category", label="Category", by=col(Category.sort_key), needs=("category",), nullable=True),
        Column(key="unit_cost", label="Unit cost", by=col(Product.unit_cost), numeric=True),
        Column(key="unit_price", label="Price", by=col(Product.unit_price), numeric=True),
        Column(key="margin", label="Margin", numeric=True),
        Column(
            key="value",
            label="Stock value",
            by=col(ProductStock.value),
            needs=("stock",),
            nullable=True,
            numeric=True,
            extra=True,
        ),
        # Carries what can be done with the row.
        Column(key="changed", label="Price since", fixed=True),
    ),
    search=replace(SEARCH, needs=()),
    filters=(
        OneOf(
            key="view",
            label="View",
            quiet=True,
            options={
                "none": sa.and_(col(Product.unit_price) == 0, col(Product.active)),
                "below": sa.and_(col(Product.unit_price) < col(Product.unit_cost), col(Product.unit_price) > 0),
            },
            words={"none": "Without a price", "below": "Below cost"},
        ),
        AnyOf(key="category", label="Category", matches=lambda ids: col(Product.category_id) == sa.any_(ids)),
        Range(key="price", label="Price", column=col(Product.unit_price)),
        Range(key="cost", label="Unit cost", column=col(Product.unit_cost)),
        OneOf(
            key="planned",
            label="Planned price",
            options={"yes": _PLANNED, "no": ~_PLANNED},
            words={"yes": "there is one", "no": "there is none"},
        ),
        OneOf(
            key="active",
            label="Product",
            options={"yes": col(Product.active).is_(True), "no": col(Product.active).is_(False)},
            words={"yes": "in use", "no": "archived"},
        ),
    ),
    joins={
        "category": Join(Category, col(Category.id) == col(Product.category_id), outer=True),
        "stock": Join(ProductStock, col(ProductStock.product_id) == col(Product.id), outer=True),
    },
)
