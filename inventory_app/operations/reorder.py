"""What is low: the products at or below their reorder point, how long they last, and how much to order."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models.catalog import Category, Product, SupplierProduct, Unit
from inventory_app.models.stock import InventoryItem, MovementKind, ProductStock, Reservation, StockMovement
from inventory_app.models.suppliers import Supplier
from inventory_app.operations._figures import SHARE_LEFT, bar, is_due
from inventory_app.operations._item_list import SEARCH
from inventory_app.operations._ledger import say
from inventory_app.operations._list_filters import AnyOf
from inventory_app.operations._lists import Column, Group, Join, Listing, View
from inventory_app.operations._operation import current_viewer, query
from inventory_app.operations._paging import Page
from inventory_app.operations.catalog import Choices, known_choices
from inventory_app.permissions import Permission

#: Usage is what was issued in so many days.
USAGE_DAYS = 90

_PRODUCT, _CATEGORY, _SUPPLIER = ("product",), ("category",), ("supplier",)

#: The list of products to reorder, the most urgent first.
LIST = Listing(
    permission=Permission.INVENTORY_VIEW,
    table=ProductStock,
    ident=col(ProductStock.product_id),
    sort="left",
    only=is_due(),
    columns=(
        Column(key="product", label="Product", by=col(Product.sort_key), needs=_PRODUCT, fixed=True),
        Column(key="sku", label="SKU", by=col(Product.sku), needs=_PRODUCT, extra=True),
        Column(key="left", label="On hand", by=SHARE_LEFT, numeric=True, fixed=True),
        Column(key="available", label="Available", numeric=True),
        Column(key="days", label="Lasts", numeric=True),
        Column(key="point", label="Reorder point", by=col(ProductStock.reorder_at), numeric=True, extra=True),
        Column(
            key="category",
            label="Category",
            by=col(Category.sort_key),
            needs=_CATEGORY,
            nullable=True,
            group=Group(key=col(Category.id), reference=col(Product.category_id), needs=_PRODUCT),
            extra=True,
        ),
        Column(
            key="supplier",
            label="Supplier",
            by=col(Supplier.sort_key),
            needs=_SUPPLIER,
            nullable=True,
            group=Group(key=col(Supplier.id), reference=col(Product.supplier_id), needs=_PRODUCT),
        ),
        Column(key="suggested", label="Order", fixed=True),
    ),
    search=SEARCH,
    filters=(
        AnyOf(
            key="category",
            label="Category",
            needs=_PRODUCT,
            matches=lambda ids: col(Product.category_id) == sa.any_(ids),
        ),
        AnyOf(
            key="supplier",
            label="Supplier",
            needs=_PRODUCT,
            matches=lambda ids: col(Product.supplier_id) == sa.any_(ids),
            quiet=True,
        ),
    ),
    joins={
        "product": Join(Product, col(Product.id) == col(ProductStock.product_id)),
        "category": Join(Category, col(Category.id) == col(Product.category_id), outer=True, needs=_PRODUCT),
        "supplier": Join(Supplier, col(Supplier.id) == col(Product.supplier_id), outer=True, needs=_PRODUCT),
    },
)


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms the preferred supplier delivers."""

    supplier: str
    lead_time_days: int
    pack_size: Decimal
    minimum_quantity: Decimal


@dataclass(frozen=True, slots=True)
class Need:
    """What there is of a product and what it needs, as the database knows it."""

    on_hand: Decimal
    reserved: Decimal
    reorder_point: Decimal
    reorder_quantity: Decimal
    issued: Decimal
    unit: str
    decimals: int
    terms: Terms | None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """How much to order and why, in words; `days` is how long what is available lasts (None: nothing is used)."""

    quantity: Decimal
    days: int | None
    why: str


def suggest(need: Need) -> Suggestion:
    """Suggest enough to be at the reorder point again when it arrives, in whole packs and no less than the minimum.

    At least the product's reorder quantity, where it has one.
    """
    available = need.on_hand - need.reserved
    per_day = need.issued / USAGE_DAYS
    lead = need.terms.lead_time_days if need.terms else 0
    used = per_day * lead
    missing = max(used + need.reorder_point - available, Decimal(0))
    wanted, reasons = missing, [_missing(need, used, available)]
    if need.reorder_quantity > wanted:
        wanted = need.reorder_quantity
        reasons.append(f"at least the usual {say(wanted, need.unit)}")
    if need.terms and need.terms.minimum_quantity > wanted:
        wanted = need.terms.minimum_quantity
        reasons.append(f"{need.terms.supplier} delivers no less than {say(wanted, need.unit)}")
    pack = need.terms.pack_size if need.terms and need.terms.pack_size > 0 else Decimal(1).scaleb(-need.decimals)
    quantity = (wanted / pack).to_integral_value(ROUND_CEILING) * pack
    # Packs may be finer than the unit is counted.
    quantity = quantity.quantize(Decimal(1).scaleb(-need.decimals), ROUND_CEILING)
    if need.terms and need.terms.pack_size != 1 and quantity != wanted:
        reasons.append(f"in packs of {say(need.terms.pack_size)}")
    days = int(max(available, Decimal(0)) / per_day) if per_day > 0 else None
    return Suggestion(quantity, days, "; ".join(reasons) + ".")


def _missing(need: Need, used: Decimal, available: Decimal) -> str:
    """Say what there should be and what there is."""
    point = f"reorder point {say(need.reorder_point, need.unit)}"
    has = f"{say(available, need.unit)} available"
    if not need.issued:
        return f"Nothing issued in {USAGE_DAYS} days; {point}, {has}"
    rate = f"{say(need.issued, need.unit)} issued in {USAGE_DAYS} days"
    if need.terms is None:
        return f"{rate}; no terms of a supplier, so no lead time; {point}, {has}"
    days = f"{need.terms.lead_time_days} day{'' if need.terms.lead_time_days == 1 else 's'}"
    return f"{rate}, so {say(round(used, 1), need.unit)} in the {days} {need.terms.supplier} takes; {point}, {has}"


@dataclass(frozen=True, slots=True)
class LowRow:
    """A product to reorder as the list shows it; `level` is low or out, `fill` and `tick` are of its level bar."""

    id: int
    sku: str
    product: str
    category: str
    supplier: str
    on_hand: str
    available: str
    reserved: str
    reorder_point: str
    unit: str
    days: str
    suggested: str
    why: str
    level: str
    fill: int
    tick: int


@dataclass(frozen=True, slots=True)
class Low:
    """A page of products to reorder: `count` the view leaves, `everything` without filters."""

    view: View
    page: Page[LowRow]
    count: int
    everything: int
    choices: Choices


_IDS = sa.bindparam("ids", type_=sa.ARRAY(sa.BigInteger))
#: How much of a product is reserved, over all its items.
RESERVED = (
    sa.select(sa.func.coalesce(sa.func.sum(col(Reservation.quantity)), 0).label("reserved"))
    .join(InventoryItem, col(InventoryItem.id) == col(Reservation.item_id))
    .where(
        col(InventoryItem.product_id) == col(Product.id),
        col(Reservation.released_at).is_(None),
        col(Reservation.expires_at) > sa.func.now(),
    )
    .correlate(Product)
)
#: How much of a product was issued in the days that count as its usage.
ISSUED = (
    sa.select(sa.func.coalesce(-sa.func.sum(col(StockMovement.quantity)), 0).label("issued"))
    .join(InventoryItem, col(InventoryItem.id) == col(StockMovement.item_id))
    .where(
        col(InventoryItem.product_id) == col(Product.id),
        # Written out, as the index is declared.
        sa.literal_column(f"stock_movement.kind = '{MovementKind.ISSUE.value}'"),
        col(StockMovement.occurred_at) > sa.func.now() - sa.literal_column(f"interval '{USAGE_DAYS} days'"),
    )
    .correlate(Product)
)
_DETAILS = (
    sa.select(
        col(Product.id),
        col(Product.sku),
        col(Product.name),
        col(Category.name).label("category"),
        col(Supplier.name).label("supplier"),
        col(ProductStock.quantity),
        col(ProductStock.reorder_at),
        col(Product.reorder_quantity),
        col(Product.unit_code),
        col(Unit.decimals),
        RESERVED.scalar_subquery().label("reserved"),
        ISSUED.scalar_subquery().label("issued"),
        col(SupplierProduct.lead_time_days),
        col(SupplierProduct.pack_size),
        col(SupplierProduct.minimum_quantity),
    )
    .select_from(Product)
    .join(ProductStock, col(ProductStock.product_id) == col(Product.id))
    .join(Unit, col(Unit.code) == col(Product.unit_code))
    .outerjoin(Category, col(Category.id) == col(Product.category_id))
    .outerjoin(Supplier, col(Supplier.id) == col(Product.supplier_id))
    .outerjoin(
        SupplierProduct,
        sa.and_(
            col(SupplierProduct.product_id) == col(Product.id),
            col(SupplierProduct.supplier_id) == col(Product.supplier_id),
            col(SupplierProduct.active),
        ),
    )
    .where(sa.any_(_IDS) == col(Product.id))
)


def low_rows(session: Session, product_ids: Sequence[int]) -> list[LowRow]:
    """Return these products with what they need, in this order."""
    found = session.connection().execute(_DETAILS, {"ids": list(product_ids)})
    rows = {row.id: _row(row) for row in found}
    return [rows[id_] for id_ in product_ids if id_ in rows]


def suggestions(session: Session, product_ids: Sequence[int]) -> dict[int, Suggestion]:
    """Return how much to order of each of these products, and why."""
    found = session.connection().execute(_DETAILS, {"ids": list(product_ids)})
    return {row.id: suggest(_need(row)) for row in found}


def _need(row: Any) -> Need:
    terms = None
    if row.lead_time_days is not None:
        terms = Terms(row.supplier, row.lead_time_days, row.pack_size, row.minimum_quantity)
    return Need(
        on_hand=row.quantity,
        reserved=row.reserved,
        reorder_point=row.reorder_at,
        reorder_quantity=row.reorder_quantity,
        issued=row.issued,
        unit=row.unit_code,
        decimals=row.decimals,
        terms=terms,
    )


def _row(row: Any) -> LowRow:
    need = _need(row)
    suggestion = suggest(need)
    fill, _, tick = bar(need.on_hand, need.on_hand, need.reorder_point)
    return LowRow(
        id=row.id,
        sku=row.sku,
        product=row.name,
        category=row.category or "",
        supplier=row.supplier or "",
        on_hand=say(need.on_hand),
        available=say(need.on_hand - need.reserved),
        reserved=say(need.reserved) if need.reserved else "",
        reorder_point=say(need.reorder_point),
        unit=need.unit,
        days=_days(suggestion.days),
        suggested=say(suggestion.quantity),
        why=suggestion.why,
        level="out" if need.on_hand == 0 else "low",
        fill=fill,
        tick=tick,
    )


def _days(days: int | None) -> str:
    if days is None:
        return "not used"
    return "1 day" if days == 1 else f"{days:,} days"


@query(Permission.INVENTORY_VIEW)
def list_low(session: Session, *, view: View) -> Low:
    """Return a page of the products to reorder, with what there is, how long it lasts and how much to order."""
    allowed = LIST.allowed(view, current_viewer(session).permissions)
    everything = LIST.count(session, View())
    page, count = LIST.listed(session, allowed, everything)
    rows = page.of(low_rows(session, page.rows))
    return Low(allowed, rows, count, everything, known_choices(session))
