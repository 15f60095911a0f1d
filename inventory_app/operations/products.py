"""Products: adding, correcting, archiving and finding them. Prices and costs change elsewhere, with their history.

Locks: the product first, then its items, which is the order of whoever receives stock. What is decided about stock
(archiving, another unit, lots kept or not) is decided while nobody can book any.
"""

from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.errors import Conflict, Invalid, NotFound, Stale
from inventory_app.models._base import now
from inventory_app.models.catalog import Category, Product, Unit
from inventory_app.models.stock import InventoryItem, Reservation, Shipment, StockMovement
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import _product_list as lists
from inventory_app.operations import _product_views as views
from inventory_app.operations._barcodes import as_scanned, fault_of
from inventory_app.operations._fields import Fields, checked_reason
from inventory_app.operations._ledger import LARGEST, fits_unit, places, say
from inventory_app.operations._lists import View
from inventory_app.operations._operation import current_viewer, operation, query, require
from inventory_app.operations._trees import categories
from inventory_app.operations.catalog import NewProduct, add_product, search_text
from inventory_app.permissions import Permission

_MOST_PLACES_NAMED = 3


@dataclass(frozen=True, slots=True)
class Changed:
    """A product that was added or changed."""

    product_id: int
    name: str
    sku: str


@operation(Permission.PRODUCTS_MANAGE, log=("sku",))
def create_product(  # noqa: PLR0913  # as many as the form has fields
    session: Session,
    *,
    sku: str,
    name: str,
    unit_code: str = "pcs",
    category_id: int | None = None,
    supplier: str = "",
    description: str = "",
    barcode: str = "",
    lots_kept: bool = False,
    unit_cost: Decimal = Decimal(0),
    unit_price: Decimal = Decimal(0),
    reorder_point: Decimal = Decimal(0),
    reorder_quantity: Decimal = Decimal(0),
) -> Changed:
    """Add a product of which there is no stock yet; who may not see costs and prices does not set them either."""
    if unit_cost or unit_price:
        require(session, Permission.PRICES_VIEW)
    supplier_id, fields = _supplier(session, supplier)
    new = NewProduct(
        sku=sku,
        name=name,
        unit_code=unit_code,
        category_id=category_id,
        supplier_id=supplier_id,
        description=_description(description),
        barcode=barcode,
        lots_kept=lots_kept,
        unit_cost=unit_cost,
        unit_price=unit_price,
        reorder_point=reorder_point,
        reorder_quantity=reorder_quantity,
    ).tidied()
    fields |= _unknown(session, new.category_id) | _taken(session, new.barcode, 0)
    if fields:
        raise Invalid(fields=fields)
    product = add_product(session, new)
    return Changed(product.id or 0, product.name, product.sku)


@operation(Permission.PRODUCTS_MANAGE, log=("product_id",), reason="reason")
def update_product(  # noqa: PLR0913  # as many as the form has fields
    session: Session,
    *,
    product_id: int,
    version: int,
    name: str,
    unit_code: str,
    category_id: int | None = None,
    supplier: str = "",
    description: str = "",
    barcode: str = "",
    lots_kept: bool = False,
    reorder_point: Decimal = Decimal(0),
    reorder_quantity: Decimal = Decimal(0),
    reason: str = "",
) -> Changed:
    """Correct a product in the version that was read; its unit while nothing was booked, lots while none is there."""
    checked_reason(reason)
    product = _read_as(session, product_id, version)
    unit = session.get(Unit, unit_code)
    code = as_scanned(barcode)
    supplier_id, fields = _supplier(session, supplier)
    fields |= _unknown(session, category_id, product) | _taken(session, code, product_id)
    typed = Fields()
    named = typed.line("name", name, required=True)
    fields |= typed.faults
    if code and (wrong := fault_of(code)):
        fields["barcode"] = wrong
    if unit is None:
        fields["unit_code"] = "Choose a unit of the list."
    for field, value in (("reorder_point", reorder_point), ("reorder_quantity", reorder_quantity)):
        if not value.is_finite() or value < 0 or value > LARGEST / 10:
            fields[field] = "Enter 0 or more."
    if fields or unit is None:
        raise Invalid(fields=fields)
    fits_unit(reorder_point, unit.decimals, unit.code, field="reorder_point")
    fits_unit(reorder_quantity, unit.decimals, unit.code, field="reorder_quantity")
    wanted: dict[str, object] = {
        "name": named,
        "description": _description(description),
        "category_id": category_id,
        "supplier_id": supplier_id,
        "barcode": code or None,
        "unit_code": unit_code,
        "lots_kept": lots_kept,
        "reorder_point": reorder_point,
        "reorder_quantity": reorder_quantity,
    }
    changed = {field: value for field, value in wanted.items() if value != getattr(product, field)}
    if not changed:
        message = "Nothing was changed: everything is already as entered."
        raise Invalid(message)
    if changed.keys() & {"unit_code", "lots_kept"}:
        _may_be_kept_otherwise(session, product, set(changed))
    for field, value in changed.items():
        setattr(product, field, value)
    product.search = search_text(product.sku, product.name, product.barcode)
    product.version += 1
    return Changed(product_id, product.name, product.sku)


@operation(Permission.PRODUCTS_MANAGE, log=("product_id",), reason="reason")
def archive_product(session: Session, *, product_id: int, version: int, reason: str = "") -> Changed:
    """Take a product out of use; refused while there is stock of it, or any is kept back or on its way."""
    checked_reason(reason)
    product = _read_as(session, product_id, version)
    if not product.active:
        raise Conflict(f"{product.name} is archived already.")
    items = _locked_items(session, product_id)
    if on_its_way := _on_its_way(session, list(items)):
        raise Conflict(f"{product.name} cannot be archived: {on_its_way} Accept it first.")
    if held := {id_: item for id_, item in items.items() if item.quantity}:
        raise Conflict(f"{product.name} cannot be archived: {_where(session, held)} Move it out or write it off first.")
    kept_back = select(Reservation.id).where(
        col(Reservation.item_id).in_(items), col(Reservation.released_at).is_(None), Reservation.expires_at > now()
    )
    if session.exec(kept_back).first():
        raise Conflict(f"{product.name} cannot be archived: some of it is reserved. Release the reservation first.")
    product.active = False
    product.version += 1
    return Changed(product_id, product.name, product.sku)


@operation(Permission.PRODUCTS_MANAGE, log=("product_id",))
def restore_product(session: Session, *, product_id: int, version: int) -> Changed:
    """Take an archived product into use again."""
    product = _read_as(session, product_id, version)
    if product.active:
        raise Conflict(f"{product.name} is in use already.")
    product.active = True
    product.version += 1
    return Changed(product_id, product.name, product.sku)


def _read_as(session: Session, product_id: int, version: int) -> Product:
    """Lock the product, if it still is what the person has read."""
    product = lock(session, Product, [product_id]).get(product_id)
    if product is None:
        message = "There is no such product. Reload the page."
        raise NotFound(message)
    if product.version != version:
        message = f"{product.name} was changed after you opened it. Reload the page and read it again."
        raise Stale(message)
    return product


def _locked_items(session: Session, product_id: int) -> dict[int, InventoryItem]:
    """Lock every item of a locked product: a new one needs the product's row and waits for us."""
    ids = session.scalars(sa.select(col(InventoryItem.id)).where(col(InventoryItem.product_id) == product_id))
    return lock(session, InventoryItem, [id_ or 0 for id_ in ids])


def _may_be_kept_otherwise(session: Session, product: Product, changed: set[str]) -> None:
    """Refuse another unit once something was booked in this one, and lots where there is stock without or with any."""
    items = _locked_items(session, product.id or 0)
    fields: dict[str, str] = {}
    booked = sa.select(sa.exists().where(col(StockMovement.item_id).in_(items)))
    if "unit_code" in changed and items and session.scalar(booked):
        fields["unit_code"] = (
            f"Its stock was booked in {product.unit_code}, so the unit stays. Add a new product for another unit."
        )
    if "lots_kept" in changed and (held := {id_: item for id_, item in items.items() if item.quantity}):
        fields["lots_kept"] = f"This is decided while there is no stock. {_where(session, held)}"
    if fields:
        raise Conflict(" ".join(fields.values()), fields=fields)


def _where(session: Session, items: dict[int, InventoryItem]) -> str:
    """Say what is where: "12 pcs are at Main warehouse, 3 pcs at Shed and more elsewhere."."""
    known = places(session, list(items))
    most = sorted(items.values(), key=lambda item: -item.quantity)[:_MOST_PLACES_NAMED]
    said = [f"{say(item.quantity, known[item.id or 0].unit)} at {known[item.id or 0].location}" for item in most]
    more = ", and more elsewhere" if len(items) > len(most) else ""
    return f"There are {', '.join(said)}{more}."


def _on_its_way(session: Session, item_ids: list[int]) -> str:
    sent = select(Shipment).where(col(Shipment.transit_item_id).in_(item_ids), Shipment.status == "sent")
    found = session.exec(sent.order_by(col(Shipment.id)).limit(1)).first()
    if found is None:
        return ""
    place = places(session, [found.transit_item_id])[found.transit_item_id]
    return f"{say(found.quantity, place.unit)} are on their way."


def _description(text: str) -> str:
    fields = Fields()
    taken = fields.text("description", text)
    fields.check()
    return taken or ""


def _unknown(session: Session, category_id: int | None, product: Product | None = None) -> dict[str, str]:
    """Say that a category is not there, or no more in use and not chosen before."""
    if category_id is None or (product is not None and category_id == product.category_id):
        return {}
    category = session.get(Category, category_id)
    return {} if category and category.active else {"category_id": "Choose a category of the list."}


def _supplier(session: Session, name: str) -> tuple[int | None, dict[str, str]]:
    """Return the supplier of this name, or what is wrong with it; none when there is no name."""
    if not (tidy := " ".join(name.split())):
        return None, {}
    found = session.scalar(sa.select(col(Supplier.id)).where(sa.func.lower(col(Supplier.name)) == sa.func.lower(tidy)))
    return found, {} if found else {"supplier": "There is no supplier of this name. Choose one of those offered."}


def _taken(session: Session, barcode: str, product_id: int) -> dict[str, str]:
    """Name the product that has this barcode already; of two at once the database decides."""
    if not barcode:
        return {}
    other = session.exec(select(Product).where(Product.barcode == barcode, col(Product.id) != product_id)).first()
    if other is None:
        return {}
    return {"barcode": f"{other.name} ({other.sku}) has this barcode."}


@query(Permission.PRODUCTS_VIEW)
def list_products(session: Session, *, view: View) -> views.ProductListing:
    """Return a page of products as the list describes them, with the counts of its tabs."""
    viewer = current_viewer(session)
    allowed = lists.LIST.allowed(view, viewer.permissions)
    counts = lists.counts(session)
    page, number = lists.LIST.listed(session, allowed, counts.everything)
    rows = lists.rows(session, viewer, page.rows)
    return views.ProductListing(allowed, page.of(rows), number, counts, categories(session))


@query(Permission.PRODUCTS_VIEW)
def product_detail(session: Session, *, product_id: int) -> views.ProductDetail | None:
    """Return everything the product's page shows to this viewer; None when there is no such product."""
    return views.detail(session, current_viewer(session), product_id)


@query(Permission.PRODUCTS_MANAGE)
def product_to_edit(session: Session, *, product_id: int) -> views.ProductValues | None:
    """Return what can be corrected, as it stands, and its version; None when there is no such product."""
    return views.values(session, product_id)


@query(Permission.PRODUCTS_MANAGE)
def product_choices(session: Session) -> views.ProductChoices:
    """Return what the form of a product chooses from."""
    return views.choices(session, current_viewer(session))


@query(Permission.PRODUCTS_VIEW)
def find_by_barcode(session: Session, *, text: str) -> Changed | None:
    """Return the product whose barcode was scanned or typed, however grouped; None when there is none."""
    code = as_scanned(text)
    found = session.exec(select(Product).where(Product.barcode == code)).first() if code else None
    return Changed(found.id or 0, found.name, found.sku) if found else None
