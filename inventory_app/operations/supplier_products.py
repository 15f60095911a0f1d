"""What suppliers sell of our products, and on what terms: entered, corrected and switched off, never removed."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.database.locks import lock
from inventory_app.errors import Conflict, Invalid, NotFound, Stale
from inventory_app.models.catalog import Product, SupplierProduct, Unit
from inventory_app.models.suppliers import Supplier
from inventory_app.operations._fields import Fields
from inventory_app.operations._ledger import LARGEST, fits_unit, say
from inventory_app.operations._operation import current_viewer, operation, query, require
from inventory_app.operations._product_list import product_href
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

_LONGEST_LEAD = 730
_MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Changed:
    """Terms that were entered or corrected."""

    id: int
    supplier: str
    product: str


@operation(Permission.PRODUCTS_MANAGE, log=("product_id", "supplier_id"))
def create_supplier_product(  # noqa: PLR0913  # as many as the form has fields
    session: Session,
    *,
    product_id: int | None = None,
    sku: str = "",
    supplier_id: int | None = None,
    supplier: str = "",
    supplier_sku: str = "",
    cost: Decimal | None = None,
    purchase_unit: str = "",
    pack_size: Decimal = Decimal(1),
    minimum_quantity: Decimal = Decimal(0),
    lead_time_days: int = 0,
) -> Changed:
    """Enter a supplier's terms for a product, each by its key or by what it is called; costs need `prices:view`."""
    if cost:
        require(session, Permission.PRICES_VIEW)
    fields: dict[str, str] = {}
    product = _product(session, product_id, sku)
    seller = _supplier(session, supplier_id, supplier)
    if product is None:
        fields["sku"] = "There is no product of this SKU."
    if seller is None:
        fields["supplier"] = "There is no supplier of this name. Choose one of those offered."
    if fields or product is None or seller is None:
        raise Invalid(fields=fields)
    if not product.active:
        raise Conflict(f"{product.name} is archived. Restore it first.")
    values = _checked(session, product, supplier_sku, purchase_unit, pack_size, minimum_quantity, lead_time_days)
    there = sa.exists().where(
        col(SupplierProduct.supplier_id) == seller.id, col(SupplierProduct.product_id) == product.id
    )
    if session.scalar(sa.select(there)):
        said = f"{seller.name}'s terms for {product.name} are there already. Correct those."
        raise Conflict(said, fields={"supplier" if product_id else "sku": said})
    made = SupplierProduct(
        supplier_id=seller.id or 0,
        product_id=product.id or 0,
        cost=_cost(cost) or Decimal(0),
        currency=get_settings().currency,
        **values,
    )
    session.add(made)
    session.flush()
    return Changed(made.id or 0, seller.name, product.name)


@operation(Permission.PRODUCTS_MANAGE, log=("terms_id", "active"))
def update_supplier_product(  # noqa: PLR0913  # as many as the form has fields
    session: Session,
    *,
    terms_id: int,
    version: int,
    supplier_sku: str = "",
    cost: Decimal | None = None,
    purchase_unit: str = "",
    pack_size: Decimal = Decimal(1),
    minimum_quantity: Decimal = Decimal(0),
    lead_time_days: int = 0,
    active: bool = True,
) -> Changed:
    """Correct a supplier's terms in the version that was read, or switch them off; without a cost it stays."""
    terms = lock(session, SupplierProduct, [terms_id]).get(terms_id)
    if terms is None:
        message = "There are no such terms. Reload the page."
        raise NotFound(message)
    product, seller = session.get_one(Product, terms.product_id), session.get_one(Supplier, terms.supplier_id)
    if terms.version != version:
        said = f"{seller.name}'s terms for {product.name} were changed after you opened them."
        raise Stale(f"{said} Reload the page and read them again.")
    values = _checked(session, product, supplier_sku, purchase_unit, pack_size, minimum_quantity, lead_time_days)
    wanted: dict[str, Any] = values | {"active": active}
    if cost is not None and cost != terms.cost:
        require(session, Permission.PRICES_VIEW)
        wanted["cost"] = _cost(cost)
    changed = {name: value for name, value in wanted.items() if value != getattr(terms, name)}
    if not changed:
        message = "Nothing was changed: everything is already as entered."
        raise Invalid(message)
    for name, value in changed.items():
        setattr(terms, name, value)
    terms.version += 1
    return Changed(terms_id, seller.name, product.name)


def _product(session: Session, product_id: int | None, sku: str) -> Product | None:
    if product_id is not None:
        return session.get(Product, product_id)
    return session.scalar(sa.select(Product).where(col(Product.sku) == sku.strip().upper()))


def _supplier(session: Session, supplier_id: int | None, name: str) -> Supplier | None:
    if supplier_id is not None:
        return session.get(Supplier, supplier_id)
    tidy = " ".join(name.split())
    return session.scalar(sa.select(Supplier).where(sa.func.lower(col(Supplier.name)) == sa.func.lower(tidy)))


def _cost(cost: Decimal | None) -> Decimal | None:
    if cost is None:
        return None
    if not cost.is_finite() or cost < 0 or cost > LARGEST / 10:
        raise Invalid(fields={"cost": "Enter 0 or more."})
    if cost != round(cost, 4):
        raise Invalid(fields={"cost": "Use at most 4 decimals."})
    return cost


def _checked(  # as many as the form has fields
    session: Session,
    product: Product,
    supplier_sku: str,
    purchase_unit: str,
    pack_size: Decimal,
    minimum_quantity: Decimal,
    lead_time_days: int,
) -> dict[str, Any]:
    fields, unit = Fields(), session.get_one(Unit, product.unit_code)
    values: dict[str, Any] = {
        "supplier_sku": fields.line("supplier_sku", supplier_sku, most=60),
        "purchase_unit": fields.line("purchase_unit", purchase_unit, most=40) or "",
        "pack_size": pack_size,
        "minimum_quantity": minimum_quantity,
        "lead_time_days": lead_time_days,
    }
    if not pack_size.is_finite() or not 0 < pack_size <= LARGEST / 10:
        fields.faults["pack_size"] = "Enter more than 0."
    if not minimum_quantity.is_finite() or not 0 <= minimum_quantity <= LARGEST / 10:
        fields.faults["minimum_quantity"] = "Enter 0 or more."
    if not 0 <= lead_time_days <= _LONGEST_LEAD:
        fields.faults["lead_time_days"] = f"Enter 0 to {_LONGEST_LEAD} days."
    fields.check()
    fits_unit(pack_size, unit.decimals, unit.code, field="pack_size")
    fits_unit(minimum_quantity, unit.decimals, unit.code, field="minimum_quantity")
    return values


@dataclass(frozen=True, slots=True)
class TermsRow:
    """A supplier's terms for a product; `cost` is empty without `prices:view`. The rest begins the form."""

    id: int
    version: int
    supplier: str
    supplier_href: str
    product: str
    sku: str
    product_href: str
    supplier_sku: str
    cost: str
    currency: str
    ordered_in: str
    minimum: str
    lead_time: str
    active: bool
    purchase_unit: str
    pack_size: str
    minimum_quantity: str
    lead_time_days: str
    typed_cost: str


@query(Permission.PRODUCTS_VIEW)
def terms(session: Session, *, product_id: int | None = None, supplier_id: int | None = None) -> list[TermsRow]:
    """Return the terms of a product's suppliers, or of a supplier for its products; those in use first."""
    viewer = current_viewer(session)
    if supplier_id is not None and Permission.SUPPLIERS_VIEW not in viewer.permissions:
        return []
    prices = Permission.PRICES_VIEW in viewer.permissions
    statement = (
        sa.select(SupplierProduct, Product, col(Supplier.name))
        .join(Product, col(Product.id) == col(SupplierProduct.product_id))
        .join(Supplier, col(Supplier.id) == col(SupplierProduct.supplier_id))
        .order_by(col(SupplierProduct.active).desc(), col(Supplier.sort_key), col(Product.sku))
        .limit(_MOST_SHOWN)
    )
    if product_id is not None:
        statement = statement.where(col(SupplierProduct.product_id) == product_id)
    if supplier_id is not None:
        statement = statement.where(col(SupplierProduct.supplier_id) == supplier_id)
    return [_row(one, product, name, prices=prices) for one, product, name in session.execute(statement)]


def _row(one: SupplierProduct, product: Product, supplier: str, *, prices: bool) -> TermsRow:
    days = one.lead_time_days
    pack = say(one.pack_size, product.unit_code)
    return TermsRow(
        id=one.id or 0,
        version=one.version,
        supplier=supplier,
        supplier_href=f"/suppliers/{one.supplier_id}",
        product=product.name,
        sku=product.sku,
        product_href=product_href(product.id),
        supplier_sku=one.supplier_sku or "",
        cost=f"{one.cost:,.2f}" if prices else "",
        currency=one.currency,
        ordered_in=f"{one.purchase_unit} of {pack}" if one.purchase_unit else pack,
        minimum=say(one.minimum_quantity, product.unit_code) if one.minimum_quantity else "",
        lead_time=f"{days} day{'' if days == 1 else 's'}" if days else "",
        active=one.active,
        purchase_unit=one.purchase_unit,
        pack_size=f"{one.pack_size.normalize():f}",
        minimum_quantity=f"{one.minimum_quantity.normalize():f}",
        lead_time_days=str(days),
        typed_cost=f"{one.cost.normalize():f}" if prices else "",
    )
