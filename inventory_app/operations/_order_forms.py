"""What the form of an order begins with, and what it says about a product while one types."""

from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.models.catalog import Location, Product, SupplierProduct
from inventory_app.models.purchasing import PurchaseOrder
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.operations import _order_rules as rules
from inventory_app.operations._barcodes import as_scanned
from inventory_app.operations._ledger import say
from inventory_app.operations._money import said
from inventory_app.operations._operation import Viewer
from inventory_app.operations._order_line_rows import LineRow, line_rows
from inventory_app.operations._paging import storable
from inventory_app.operations._supplier_rules import why_not_order
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

_MOST_OFFERED = 500


@dataclass(frozen=True, slots=True)
class OrderForm:
    """The form of an order: what is chosen from, and what stands in it already, as it is typed."""

    suppliers: list[tuple[str, str]]
    locations: list[tuple[str, str]]
    #: SKU and name of what the chosen supplier sells, for completing.
    products: list[tuple[str, str]]
    base: str
    currency: str
    payment_days: str
    supplier_fault: str
    order_id: int = 0
    version: int = 0
    called: str = ""
    why_not: str = ""
    head: dict[str, str] = field(default_factory=dict)
    lines: list[LineRow] = field(default_factory=list)


def form(session: Session, viewer: Viewer, order_id: int | None, supplier_id: int | None) -> OrderForm | None:
    """Return the form of an order, or of a new one; None when there is no such order."""
    order = session.get(PurchaseOrder, order_id) if order_id else None
    if order_id and order is None:
        return None
    chosen = supplier_id or (order.supplier_id if order else None)
    supplier = session.get(Supplier, chosen) if chosen else None
    refusal = why_not_order(session, supplier) if supplier else None
    days = supplier.payment_days if supplier else None
    prices = Permission.PRICES_VIEW in viewer.permissions
    return OrderForm(
        suppliers=_suppliers(session, chosen),
        locations=_locations(session),
        products=_products(session, chosen),
        base=get_settings().currency,
        currency=(supplier.currency if supplier else None) or get_settings().currency,
        payment_days="" if days is None else str(days),
        supplier_fault=str(refusal) if refusal else "",
        order_id=order_id or 0,
        version=order.version if order else 0,
        called=rules.called(order) if order else "",
        why_not=rules.why_not_edit(order) if order else "",
        head=_values(order) if order else {"supplier_id": str(chosen or "")},
        lines=line_rows(session, order, rules.lines_of(session, order.id or 0), prices=prices) if order else [],
    )


def _values(order: PurchaseOrder) -> dict[str, str]:
    return {
        "supplier_id": str(order.supplier_id),
        "location_id": str(order.location_id),
        "currency": order.currency,
        "rate": "" if order.currency == get_settings().currency else f"{order.rate.normalize():f}",
        "expected_on": order.expected_on.isoformat() if order.expected_on else "",
        "payment_days": "" if order.payment_days is None else str(order.payment_days),
        "note": order.note or "",
        "message": order.message or "",
    }


def _suppliers(session: Session, chosen: int | None) -> list[tuple[str, str]]:
    """Return whom one may order from, and who is chosen already, whatever became of them."""
    statement = (
        sa.select(col(Supplier.id), col(Supplier.name), col(Supplier.status))
        .where(
            sa.or_(
                col(Supplier.status).in_((SupplierStatus.APPROVED, SupplierStatus.PENDING)),
                col(Supplier.id) == (chosen or 0),
            )
        )
        .order_by(col(Supplier.sort_key), col(Supplier.id))
    )
    return [
        (str(id_), name if status == SupplierStatus.APPROVED else f"{name} ({status})")
        for id_, name, status in session.execute(statement)
    ]


def _locations(session: Session) -> list[tuple[str, str]]:
    statement = sa.select(col(Location.id), col(Location.name)).where(
        col(Location.active), col(Location.kind) != "transit"
    )
    return [(str(id_), name) for id_, name in session.execute(statement.order_by(col(Location.sort_key)))]


def _products(session: Session, supplier_id: int | None) -> list[tuple[str, str]]:
    if supplier_id is None:
        return []
    sells = sa.exists().where(
        col(SupplierProduct.product_id) == col(Product.id),
        col(SupplierProduct.supplier_id) == supplier_id,
        col(SupplierProduct.active),
    )
    statement = (
        sa.select(col(Product.sku), col(Product.name))
        .where(col(Product.active), sa.or_(sells, col(Product.supplier_id) == supplier_id))
        .order_by(col(Product.sort_key), col(Product.id))
        .limit(_MOST_OFFERED)
    )
    return [(sku, name) for sku, name in session.execute(statement)]


def look_up(session: Session, viewer: Viewer, supplier_id: int | None, text: str) -> str:
    """Say what a product is called and on what terms it can be had; empty when there is none."""
    typed = storable(text).strip()
    found = session.exec(
        select(Product).where(sa.or_(col(Product.sku) == typed.upper(), col(Product.barcode) == as_scanned(typed)))
    ).first()
    if found is None:
        return ""
    terms = session.exec(
        select(SupplierProduct).where(
            col(SupplierProduct.product_id) == found.id,
            col(SupplierProduct.supplier_id) == (supplier_id or 0),
            col(SupplierProduct.active),
        )
    ).first()
    if terms is None:
        return f"{found.name}, in {found.unit_code}; no terms are agreed"
    told = [found.name]
    if Permission.PRICES_VIEW in viewer.permissions:
        told.append(f"{said(terms.cost, terms.currency)} per {found.unit_code}")
    told.append(f"{terms.purchase_unit or 'packs'} of {say(terms.pack_size, found.unit_code)}")
    if terms.minimum_quantity:
        told.append(f"at least {say(terms.minimum_quantity)}")
    return " · ".join(told)
