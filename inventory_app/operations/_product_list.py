"""The list of products: what it can be sorted and narrowed down by, and its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models.catalog import Category, Product, SearchWord
from inventory_app.models.stock import ProductStock
from inventory_app.models.suppliers import Supplier
from inventory_app.operations._figures import bar, is_due, reorder_due
from inventory_app.operations._item_list import product_words, word_of_product
from inventory_app.operations._last_changes import last_changes
from inventory_app.operations._ledger import say
from inventory_app.operations._list_filters import AnyOf, Contains, OneOf, Range, Words
from inventory_app.operations._lists import Column, Group, Join, Listing
from inventory_app.operations._operation import Viewer
from inventory_app.operations._remembered import Remembered
from inventory_app.operations.documents import pictures_of
from inventory_app.operations.pictures import initials_of
from inventory_app.permissions import Permission

_HELD = col(ProductStock.quantity)
#: Where there are more products than these, counting them is nothing people should wait for after every commit.
MANY = 50_000

#: The list of products.
LIST = Listing(
    permission=Permission.PRODUCTS_VIEW,
    table=Product,
    ident=col(Product.id),
    sort="sku",
    columns=(
        Column(key="sku", label="SKU", by=col(Product.sku)),
        Column(key="name", label="Product", by=col(Product.sort_key), fixed=True),
        Column(
            key="category",
            label="Category",
            by=col(Category.sort_key),
            needs=("category",),
            nullable=True,
            group=Group(key=col(Category.id), reference=col(Product.category_id)),
        ),
        Column(key="unit", label="Unit", by=col(Product.unit_code), extra=True),
        Column(
            key="on_hand",
            label="On hand",
            by=_HELD,
            needs=("stock",),
            numeric=True,
            permission=Permission.INVENTORY_VIEW,
        ),
        Column(key="reorder_point", label="Reorder at", by=col(Product.reorder_point), numeric=True, extra=True),
        Column(
            key="unit_cost",
            label="Unit cost",
            by=col(Product.unit_cost),
            numeric=True,
            permission=Permission.PRICES_VIEW,
        ),
        Column(
            key="unit_price",
            label="Unit price",
            by=col(Product.unit_price),
            numeric=True,
            permission=Permission.PRICES_VIEW,
        ),
        Column(
            key="supplier",
            label="Supplier",
            by=col(Supplier.sort_key),
            needs=("supplier",),
            nullable=True,
            group=Group(key=col(Supplier.id), reference=col(Product.supplier_id)),
        ),
        # Carries what can be done with the row. When it changed is in the trail, which no list is sorted by.
        Column(key="changed", label="Changed", fixed=True),
    ),
    search=Words(
        key="q",
        label="Search",
        word=word_of_product,
        finds=product_words,
        near=col(Product.search),
        lexicon=col(SearchWord.word),
    ),
    filters=(
        OneOf(
            key="view",
            label="View",
            quiet=True,
            options={
                "active": col(Product.active).is_(True),
                "reorder": col(Product.id).in_(reorder_due()),
                "archived": col(Product.active).is_(False),
            },
            words={"active": "In use", "reorder": "To reorder", "archived": "Archived"},
        ),
        AnyOf(key="category", label="Category", matches=lambda ids: col(Product.category_id) == sa.any_(ids)),
        Contains(key="supplier", label="Supplier", column=col(Supplier.sort_key), needs=("supplier",)),
        Range(
            key="on_hand",
            label="On hand",
            column=_HELD,
            needs=("stock",),
            permission=Permission.INVENTORY_VIEW,
        ),
        OneOf(
            key="lots",
            label="Lots",
            options={"yes": col(Product.lots_kept).is_(True), "no": col(Product.lots_kept).is_(False)},
            words={"yes": "kept", "no": "not kept"},
            operator="are",
        ),
        OneOf(
            key="barcode",
            label="Barcode",
            options={"yes": col(Product.barcode).is_not(None), "no": col(Product.barcode).is_(None)},
            words={"yes": "there", "no": "missing"},
        ),
    ),
    joins={
        "stock": Join(ProductStock, col(ProductStock.product_id) == col(Product.id)),
        "category": Join(Category, col(Category.id) == col(Product.category_id), outer=True),
        "supplier": Join(Supplier, col(Supplier.id) == col(Product.supplier_id), outer=True),
    },
)


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product as the list shows it; cost and price are empty without `prices:view`, stock without `inventory:view`.

    The level bar is as in `items.ItemRow`, of all locations together.
    """

    id: int
    href: str
    picture: str
    sku: str
    name: str
    category: str
    unit: str
    on_hand: str
    level: str
    fill: int
    tick: int
    reorder_point: str
    unit_cost: str
    unit_price: str
    supplier: str
    active: bool
    changed_by: str
    initials: str
    changed_at: str


@dataclass(frozen=True, slots=True)
class ProductCounts:
    """How many products there are: in use, archived, and of those in use to reorder."""

    active: int
    archived: int
    to_reorder: int

    @property
    def everything(self) -> int:
        """All of them."""
        return self.active + self.archived


_DETAILS = (
    sa.select(Product, col(Category.name), col(Supplier.name), _HELD)
    .outerjoin(Category, col(Category.id) == col(Product.category_id))
    .outerjoin(Supplier, col(Supplier.id) == col(Product.supplier_id))
    .join(ProductStock, col(ProductStock.product_id) == col(Product.id))
    .where(sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.BigInteger))) == col(Product.id))
)


def product_href(product_id: int | None) -> str:
    """Return where a product is shown."""
    return f"/products/{product_id}"


def rows(session: Session, viewer: Viewer, ids: Sequence[int]) -> list[ProductRow]:
    """Return these products in their order, as this viewer may see them."""
    found = {row[0].id: row for row in session.execute(_DETAILS, {"ids": list(ids)})} if ids else {}
    pictures = pictures_of(session, "product", ids)
    changes = last_changes(session, "product", ids)
    prices, stock = (p in viewer.permissions for p in (Permission.PRICES_VIEW, Permission.INVENTORY_VIEW))
    made = list[ProductRow]()
    for id_ in ids:
        product, category, supplier, held = found[id_]
        who, at = changes.get(id_, ("", product.created_at))
        fill, _, tick = bar(held, held, product.reorder_point) if stock else (0, 0, 0)
        made.append(
            ProductRow(
                id=id_,
                href=product_href(id_),
                picture=pictures.get(id_, ""),
                sku=product.sku,
                name=product.name,
                category=category or "",
                unit=product.unit_code,
                on_hand=say(held) if stock else "",
                level=_level(product, held) if stock else "",
                fill=fill,
                tick=tick if product.active else 0,
                reorder_point=say(product.reorder_point) if product.reorder_point else "",
                unit_cost=f"{product.unit_cost:,.2f}" if prices else "",
                unit_price=f"{product.unit_price:,.2f}" if prices else "",
                supplier=supplier or "",
                active=product.active,
                changed_by=who,
                initials=initials_of(who),
                changed_at=at.isoformat(),
            )
        )
    return made


def _level(product: Product, held: Any) -> str:
    if not product.active:
        return ""
    if held == 0:
        return "out" if product.reorder_point else ""
    return "low" if 0 < product.reorder_point >= held else ""


@partial(Remembered, dear=lambda known: known.everything > MANY)
def counts(session: Session) -> ProductCounts:
    """Count the products."""
    number = sa.func.count()
    active, archived = session.execute(
        sa.select(number.filter(col(Product.active)), number.filter(~col(Product.active))).select_from(Product)
    ).one()
    to_reorder = session.execute(sa.select(number).select_from(ProductStock).where(is_due())).scalar_one()
    return ProductCounts(active, archived, to_reorder)
