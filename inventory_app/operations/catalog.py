"""The catalogue: products, categories and locations."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.database.locks import LOCATION_TREE, lock_rule
from inventory_app.errors import Invalid
from inventory_app.models._base import sort_key
from inventory_app.models.catalog import Category, Location, Product, ProductPrice, Unit
from inventory_app.operations._barcodes import as_scanned, fault_of
from inventory_app.operations._ledger import LARGEST, fits_unit
from inventory_app.operations._operation import operation, query
from inventory_app.operations._remembered import Remembered
from inventory_app.operations._trees import checked_names, may_stand_in
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

DEFAULT_LOCATION = ("MAIN", "Main warehouse")
FIRST_PRICE = "First price"
LONGEST_SKU = 40
#: What a location can be, and what people call that.
LOCATION_KINDS = {
    "storage": "Storage",
    "transit": "On the way",
    "loss": "Losses",
    "supplier": "At a supplier",
    "customer": "At a customer",
}


@dataclass(frozen=True, slots=True)
class NewProduct:
    """A product to be: money in the base currency, reorder figures in its unit."""

    sku: str
    name: str
    unit_code: str = "pcs"
    category_id: int | None = None
    supplier_id: int | None = None
    description: str = ""
    unit_cost: Decimal = Decimal(0)
    unit_price: Decimal = Decimal(0)
    reorder_point: Decimal = Decimal(0)
    reorder_quantity: Decimal = Decimal(0)
    active: bool = True
    barcode: str = ""
    lots_kept: bool = False

    def tidied(self) -> "NewProduct":
        """Return it with its SKU, name and barcode as they are kept."""
        barcode = as_scanned(self.barcode)
        return replace(self, sku=self.sku.strip().upper(), name=self.name.strip(), barcode=barcode)


def search_text(sku: str, name: str, barcode: str | None = None) -> str:
    """Return what the search box finds a product by."""
    return sort_key(" ".join(filter(None, (sku, name, barcode))))


def add_product(session: Session, new: NewProduct) -> Product:
    """Add a product and its first price in the open operation; `Invalid` names every wrong field."""
    new = new.tidied()
    unit = session.get(Unit, new.unit_code)
    fields = faults(new)
    known = None if "sku" in fields else session.scalar(sa.select(Product).where(col(Product.sku) == new.sku))
    if known is not None:
        # Most often somebody means the same product at one more location.
        way = "Receive it where it is now" if known.active else "It is archived: restore it, then receive it"
        fields["sku"] = f"{new.sku} is {known.name} already. {way}, or give another SKU."
    if unit is None:
        fields["unit_code"] = "Choose a unit of the list."
    if fields or unit is None:
        raise Invalid(fields=fields)
    fits_unit(new.reorder_point, unit.decimals, unit.code, field="reorder_point")
    fits_unit(new.reorder_quantity, unit.decimals, unit.code, field="reorder_quantity")
    currency = get_settings().currency
    product = Product(
        sku=new.sku,
        name=new.name,
        search=search_text(new.sku, new.name, new.barcode),
        description=new.description,
        barcode=new.barcode or None,
        lots_kept=new.lots_kept,
        category_id=new.category_id,
        supplier_id=new.supplier_id,
        unit_code=new.unit_code,
        unit_cost=new.unit_cost,
        unit_price=new.unit_price,
        currency=currency,
        reorder_point=new.reorder_point,
        reorder_quantity=new.reorder_quantity,
        active=new.active,
    )
    session.add(product)
    session.flush()
    session.add(
        ProductPrice(product_id=product.id or 0, new_price=new.unit_price, currency=currency, reason=FIRST_PRICE)
    )
    return product


def faults(new: NewProduct) -> dict[str, str]:
    """Return what is wrong with a tidied product, whatever is in the database, as sentences by field."""
    fields: dict[str, str] = {}
    if not new.sku or len(new.sku) > LONGEST_SKU or not new.sku.isprintable():
        fields["sku"] = f"Enter an SKU of at most {LONGEST_SKU} characters."
    if not new.name:
        fields["name"] = "Enter the product's name."
    if new.barcode and (wrong := fault_of(new.barcode)):
        fields["barcode"] = wrong
    return fields | _wrong_figures(new)


def _wrong_figures(new: NewProduct) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name in ("unit_cost", "unit_price", "reorder_point", "reorder_quantity"):
        value: Decimal = getattr(new, name)
        if not value.is_finite() or value < 0 or value > LARGEST / 10:
            fields[name] = "Enter 0 or more."
    for name in ("unit_cost", "unit_price"):
        value = getattr(new, name)
        if name not in fields and value != round(value, 4):
            fields[name] = "Use at most 4 decimals."
    return fields


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry of a select: key and what people read."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What the selects of the stock pages offer."""

    locations: list[Choice]
    categories: list[Choice]
    units: list[Choice]


@query(Permission.INVENTORY_VIEW)
def choices(session: Session) -> Choices:
    """Return the active locations, categories and units, by name."""
    return known_choices(session)


def _written(model: type[Location | Category | Unit]) -> tuple[Any, Any]:
    """Count the rows of a small table and sum up which transactions wrote them: some write changes either."""
    wrote = sa.cast(sa.cast(sa.literal_column(f"{model.__tablename__}.xmin"), sa.Text), sa.BigInteger)
    return (
        sa.select(sa.func.count()).select_from(model).scalar_subquery(),
        sa.select(sa.func.sum(wrote)).select_from(model).scalar_subquery(),
    )


_MARK = sa.select(*_written(Location), *_written(Category), *_written(Unit))
_LOCATIONS = (
    sa.select(col(Location.id), col(Location.name))
    .where(col(Location.active), col(Location.kind) == "storage")
    .order_by(col(Location.sort_key))
)
_CATEGORIES = (
    sa.select(col(Category.id), col(Category.name)).where(col(Category.active)).order_by(col(Category.sort_key))
)
_UNITS = sa.select(col(Unit.code), col(Unit.name)).order_by(col(Unit.name))


def catalogue_mark(session: Session) -> Hashable:
    """Return what changes with every change of a location, a category or a unit, for what is remembered of these."""
    return tuple(session.execute(_MARK).one())


@partial(Remembered, mark=catalogue_mark)
def known_choices(session: Session) -> Choices:
    """Return the choices inside another query."""
    return Choices(
        [Choice(str(id_), name) for id_, name in session.execute(_LOCATIONS)],
        [Choice(str(id_), name) for id_, name in session.execute(_CATEGORIES)],
        [Choice(code, f"{name} ({code})") for code, name in session.execute(_UNITS)],
    )


def default_location(session: Session) -> Location:
    """Return the default location, made when it does not exist, in the open operation."""
    code, name = DEFAULT_LOCATION
    found = session.exec(select(Location).where(Location.code == code)).first()
    if found is None:
        found = Location(code=code, name=name)
        session.add(found)
        session.flush()
    return found


@operation(Permission.PRODUCTS_MANAGE, log=("code", "name"))
def create_location(
    session: Session, *, code: str, name: str, kind: str = "storage", parent_id: int | None = None
) -> Choice:
    """Open a location, by itself or in another; its code is unique whatever the case."""
    code, name = checked_names(code, name, "location")
    if kind not in LOCATION_KINDS:
        raise Invalid(fields={"kind": "Choose one of the list."})
    lock_rule(session, LOCATION_TREE)
    may_stand_in(session, Location, None, parent_id)
    location = Location(code=code, name=name, kind=kind, parent_id=parent_id)
    session.add(location)
    session.flush()
    return Choice(str(location.id), location.name)
