"""What stock is worth: setting the cost of a product anew."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.database.locks import lock
from inventory_app.errors import Conflict, Invalid, NotFound
from inventory_app.models.catalog import Product
from inventory_app.models.stock import InventoryItem, MovementKind
from inventory_app.operations._averages import CENTS, fits_cost, in_stock
from inventory_app.operations._item_at import ITEM_GONE
from inventory_app.operations._ledger import Posting, post, say
from inventory_app.operations._operation import operation, operation_id, query, require
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings


@dataclass(frozen=True, slots=True)
class Revalued:
    """What a product was worth before and is now, in the base currency."""

    product: str
    before: str
    after: str
    operation_id: str


@operation(Permission.PRICES_UPDATE, log=("product_id",), reason="note")
def revalue_product(session: Session, *, product_id: int, unit_cost: Decimal, note: str) -> Revalued:
    """Set the cost of a product; what its stock is worth more or less is booked, in proportion, where it is."""
    require(session, Permission.PRICES_VIEW)
    fits_cost(unit_cost)
    if not note.strip():
        raise Invalid(fields={"note": "Say why it is worth something else."})
    product = lock(session, Product, [product_id]).get(product_id)
    if product is None:
        raise NotFound
    ids = session.scalars(
        sa.select(col(InventoryItem.id)).where(
            col(InventoryItem.product_id) == product_id, col(InventoryItem.quantity) > 0
        )
    ).all()
    items = [item for item in lock(session, InventoryItem, [id_ for id_ in ids if id_]).values() if item.quantity > 0]
    quantity, value = in_stock(session, product_id)
    worth = (quantity * unit_cost).quantize(CENTS, ROUND_HALF_UP)
    if product.unit_cost == unit_cost and worth == value:
        message = f"{product.name} costs that already."
        raise Conflict(message)
    post(session, _shares(items, worth - value, quantity, note))
    product.unit_cost = unit_cost
    currency = get_settings().currency
    return Revalued(product.name, f"{value:,.2f} {currency}", f"{worth:,.2f} {currency}", str(operation_id(session)))


@dataclass(frozen=True, slots=True)
class Worth:
    """What the company has of a product, and what it is worth, for a form."""

    product_id: int
    product: str
    in_stock: str
    unit_cost: str
    value: str


@query(Permission.PRICES_UPDATE)
def worth_of(session: Session, *, item_id: int) -> Worth:
    """Return what the product of an item is worth, all locations together."""
    require(session, Permission.PRICES_VIEW)
    item = session.get(InventoryItem, item_id)
    if item is None:
        raise NotFound(ITEM_GONE)
    product = session.get_one(Product, item.product_id)
    quantity, value = in_stock(session, item.product_id)
    currency = get_settings().currency
    return Worth(
        item.product_id,
        product.name,
        say(quantity, product.unit_code),
        f"{product.unit_cost.normalize():f}",
        f"{value:,.2f} {currency}",
    )


def _shares(items: list[InventoryItem], difference: Decimal, quantity: Decimal, note: str) -> list[Posting]:
    """Return each item's share of a difference; the last takes what rounding leaves."""
    postings, left = list[Posting](), difference
    for number, item in enumerate(items, start=1):
        share = (difference * item.quantity / quantity).quantize(CENTS, ROUND_HALF_UP)
        share = left if number == len(items) else share
        left -= share
        if share:
            postings.append(Posting(item, Decimal(0), MovementKind.REVALUATION, note=note, value=share))
    return postings
