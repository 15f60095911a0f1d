"""A product as its page and its forms show it: plain rows of text, for one viewer."""

from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models.catalog import Category, Location, Lot, Product, Unit
from inventory_app.models.stock import InventoryItem, ProductStock, Reservation, StockMovement
from inventory_app.models.suppliers import Supplier
from inventory_app.operations._last_changes import last_changes
from inventory_app.operations._ledger import say
from inventory_app.operations._lists import View
from inventory_app.operations._operation import Viewer
from inventory_app.operations._paging import Page
from inventory_app.operations._people_names import called
from inventory_app.operations._product_list import ProductCounts, ProductRow
from inventory_app.operations._trees import categories
from inventory_app.permissions import Permission

#: More places are a list, not a page.
PLACES_SHOWN = 50
_SUPPLIERS_OFFERED = 1_000


@dataclass(frozen=True, slots=True)
class ProductListing:
    """A page of products; `count` are left by the filters of `view`, `categories` can be chosen."""

    view: View
    page: Page[ProductRow]
    count: int
    counts: ProductCounts
    categories: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ProductChoices:
    """What the form of a product chooses from: (key, label)."""

    categories: list[tuple[str, str]]
    units: list[tuple[str, str]]
    suppliers: list[str]


@dataclass(frozen=True, slots=True)
class ProductValues:
    """What can be corrected about a product, in which version; `unit_fixed`: something was booked in its unit."""

    id: int
    version: int
    lots_kept: bool
    unit_fixed: bool
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class KeptAt:
    """How much is at one place, of one lot where lots are kept."""

    id: int
    location: str
    lot: str
    expires_on: str
    quantity: str
    href: str


@dataclass(frozen=True, slots=True)
class KeptBack:
    """A part of what is at a place that nobody takes until then."""

    id: int
    quantity: str
    location: str
    reference: str
    until: str
    by: str
    href: str


@dataclass(frozen=True, slots=True)
class ProductDetail:
    """A product with where it is kept; money is empty without `prices:view`, stock without `inventory:view`."""

    id: int
    version: int
    sku: str
    name: str
    description: str
    category: str
    category_href: str
    unit: str
    barcode: str
    lots_kept: bool
    on_hand: str
    level: str
    reorder_point: str
    reorder_quantity: str
    supplier: str
    supplier_href: str
    unit_cost: str
    unit_price: str
    value: str
    currency: str
    active: bool
    kept_at: list[KeptAt]
    #: Places beyond those that are shown.
    more_places: int
    kept_back: list[KeptBack]
    stock_href: str
    changed_by: str
    changed_at: str


def detail(session: Session, viewer: Viewer, product_id: int) -> ProductDetail | None:
    """Return a product as this viewer may see it."""
    found = session.execute(
        sa.select(Product, col(Category.name), col(Supplier.name), ProductStock)
        .outerjoin(Category, col(Category.id) == col(Product.category_id))
        .outerjoin(Supplier, col(Supplier.id) == col(Product.supplier_id))
        .outerjoin(ProductStock, col(ProductStock.product_id) == col(Product.id))
        .where(col(Product.id) == product_id)
    ).one_or_none()
    if found is None:
        return None
    product, category, supplier, stock = found
    prices, sees_stock = (p in viewer.permissions for p in (Permission.PRICES_VIEW, Permission.INVENTORY_VIEW))
    held = stock.quantity if stock else Decimal(0)
    kept = _kept_at(session, product) if sees_stock else []
    who, at = last_changes(session, "product", [product_id]).get(product_id, ("", product.created_at))
    return ProductDetail(
        id=product_id,
        version=product.version,
        sku=product.sku,
        name=product.name,
        description=product.description,
        category=category or "",
        category_href=f"/products?category={product.category_id}" if product.category_id else "",
        unit=product.unit_code,
        barcode=product.barcode or "",
        lots_kept=product.lots_kept,
        on_hand=say(held, product.unit_code) if sees_stock else "",
        level=_level(product, held) if sees_stock else "",
        reorder_point=say(product.reorder_point, product.unit_code) if product.reorder_point else "",
        reorder_quantity=say(product.reorder_quantity, product.unit_code) if product.reorder_quantity else "",
        supplier=supplier or "",
        supplier_href=f"/suppliers/{product.supplier_id}" if product.supplier_id else "",
        unit_cost=f"{product.unit_cost:,.2f}" if prices else "",
        unit_price=f"{product.unit_price:,.2f}" if prices else "",
        value=f"{stock.value if stock else 0:,.2f}" if prices and sees_stock else "",
        currency=product.currency,
        active=product.active,
        kept_at=kept[:PLACES_SHOWN],
        more_places=max(len(kept) - PLACES_SHOWN, 0),
        kept_back=_kept_back(session, product) if sees_stock else [],
        stock_href=f"/inventory?q={product.sku}",
        changed_by=who,
        changed_at=at.isoformat(),
    )


def _level(product: Product, held: Decimal) -> str:
    if not product.active or not product.reorder_point or held > product.reorder_point:
        return ""
    return "low" if held else "out"


def _kept_at(session: Session, product: Product) -> list[KeptAt]:
    """Return what is where; a place that is empty is not where it is kept."""
    rows = session.execute(
        sa.select(
            col(InventoryItem.id), col(Location.name), col(Lot.code), col(Lot.expires_on), col(InventoryItem.quantity)
        )
        .select_from(InventoryItem)
        .join(Location, col(Location.id) == col(InventoryItem.location_id))
        .outerjoin(Lot, col(Lot.id) == col(InventoryItem.lot_id))
        .where(col(InventoryItem.product_id) == product.id, col(InventoryItem.quantity) != 0)
        .order_by(col(Location.sort_key), col(Lot.expires_on), col(Lot.code))
    )
    return [
        KeptAt(
            id=id_,
            location=location,
            lot=lot or "",
            expires_on=f"{expires:%-d %b %Y}" if expires else "",
            quantity=say(quantity, product.unit_code),
            href=f"/inventory/{id_}",
        )
        for id_, location, lot, expires, quantity in rows
    ]


def _kept_back(session: Session, product: Product) -> list[KeptBack]:
    """Return the reservations that count now, what ends first at the top."""
    rows = session.execute(
        sa.select(Reservation, col(Location.name), called(col(Reservation.created_by)))
        .join(InventoryItem, col(InventoryItem.id) == col(Reservation.item_id))
        .join(Location, col(Location.id) == col(InventoryItem.location_id))
        .where(
            col(InventoryItem.product_id) == product.id,
            col(Reservation.released_at).is_(None),
            col(Reservation.expires_at) > sa.func.clock_timestamp(),
        )
        .order_by(col(Reservation.expires_at), col(Reservation.id))
        .limit(PLACES_SHOWN)
    )
    return [
        KeptBack(
            row.id or 0,
            say(row.quantity, product.unit_code),
            location,
            row.reference or row.note or "",
            row.expires_at.isoformat(),
            by,
            f"/inventory/{row.item_id}",
        )
        for row, location, by in rows
    ]


def values(session: Session, product_id: int) -> ProductValues | None:
    """Return what the form of a product begins with."""
    product = session.get(Product, product_id)
    if product is None:
        return None
    supplier = session.get(Supplier, product.supplier_id) if product.supplier_id else None
    booked = sa.exists().where(
        col(StockMovement.item_id) == col(InventoryItem.id), col(InventoryItem.product_id) == product_id
    )
    return ProductValues(
        id=product_id,
        version=product.version,
        lots_kept=product.lots_kept,
        unit_fixed=bool(session.scalar(sa.select(booked))),
        values={
            "sku": product.sku,
            "name": product.name,
            "description": product.description,
            "barcode": product.barcode or "",
            "unit_code": product.unit_code,
            "category_id": str(product.category_id or ""),
            "supplier": supplier.name if supplier else "",
            "reorder_point": f"{product.reorder_point.normalize():f}",
            "reorder_quantity": f"{product.reorder_quantity.normalize():f}",
        },
    )


def choices(session: Session, viewer: Viewer) -> ProductChoices:
    """Return what the form of a product chooses from; suppliers for who may see them."""
    units = session.execute(sa.select(col(Unit.code), col(Unit.name)).order_by(col(Unit.name)))
    suppliers = list[str]()
    if Permission.SUPPLIERS_VIEW in viewer.permissions:
        named = sa.select(col(Supplier.name)).order_by(col(Supplier.sort_key), col(Supplier.id))
        suppliers = list(session.scalars(named.limit(_SUPPLIERS_OFFERED)))
    return ProductChoices(categories(session), [(code, f"{name} ({code})") for code, name in units], suppliers)
