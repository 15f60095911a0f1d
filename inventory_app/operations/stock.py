"""Stock: creating items, receiving, issuing, adjusting, transferring and counting many at once.

Every change is a movement in the ledger; an item's quantity is their sum. Products are locked before items and each
in id order, rules are decided on what is there under the lock, and a refusal says what is there, what was asked and
what to do. The steps are in `_ledger`, `_item_at`, `_transfers` and `_counts`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.context import current_actor
from inventory_app.database.locks import lock
from inventory_app.errors import Invalid, NotFound
from inventory_app.models._base import now
from inventory_app.models.catalog import Product, Unit
from inventory_app.models.stock import InventoryItem, MovementKind, Reason, ReasonCode, ReasonUse
from inventory_app.operations._averages import averages, fits_cost
from inventory_app.operations._counts import Update, read_update, refuse_faults
from inventory_app.operations._item_at import (
    ITEM_GONE,
    find_item,
    hold_costs,
    item_at,
    location_in_use,
    lock_item,
    lot_of,
)
from inventory_app.operations._ledger import (
    LARGEST,
    Place,
    Posting,
    enough,
    fits_unit,
    in_use,
    more_than_nothing,
    places,
    post,
    say,
    something,
    when_it_happened,
)
from inventory_app.operations._moves import Move, move
from inventory_app.operations._openings import open_with_stock
from inventory_app.operations._operation import operation, operation_id, require
from inventory_app.operations._reasons import FOR_WHAT_IS_PAST, reason_for
from inventory_app.operations._transfers import transfer_in_steps
from inventory_app.operations.catalog import NewProduct, add_product, faults
from inventory_app.permissions import Permission


@dataclass(frozen=True, slots=True)
class Left:
    """What an item holds after a change, and whose change it was."""

    item_id: int
    quantity: Decimal
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class Transferred:
    """What was moved, in words and figures, for the toast; and what both items hold now, for the list.

    `kept_in_use` tells that neither item was or became empty or new: the figures above the list stay as they are.
    """

    quantity: str
    product: str
    from_location: str
    to_location: str
    items: tuple[Left, Left]
    kept_in_use: bool
    operation_id: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """What an adjustment or issue did: before and after, with the unit."""

    product: str
    location: str
    before: str
    after: str
    operation_id: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many items a count of many changed."""

    changed: int
    operation_id: str = ""


@dataclass(frozen=True, slots=True)
class Created:
    """The new item and its product."""

    item_id: int
    product_id: int
    sku: str
    product: str
    location: str


@operation(Permission.INVENTORY_CREATE, log=("location_id", "product_id", "sku"))
def create_inventory_item(  # noqa: PLR0913  # as many as the form has fields
    session: Session,
    *,
    location_id: int,
    quantity: Decimal,
    product_id: int | None = None,
    sku: str = "",
    name: str = "",
    unit_code: str = "pcs",
    category_id: int | None = None,
    unit_cost: Decimal = Decimal(0),
    unit_price: Decimal = Decimal(0),
    reorder_point: Decimal = Decimal(0),
    reorder_quantity: Decimal = Decimal(0),
    lot_code: str = "",
    expires_on: date | None = None,
) -> Created:
    """Put a product (existing by `product_id`, else new) at a location with an opening quantity.

    Its lot is named where lots are kept. Who may not see costs and prices does not set them either.
    """
    if unit_cost or unit_price:
        require(session, Permission.PRICES_VIEW)
    if product_id is None:
        new = NewProduct(
            sku=sku,
            name=name,
            unit_code=unit_code,
            category_id=category_id,
            unit_cost=unit_cost,
            unit_price=unit_price,
            reorder_point=reorder_point,
            reorder_quantity=reorder_quantity,
        ).tidied()
        if quantity.is_finite() and 0 <= quantity <= LARGEST and not faults(new) and not (lot_code or expires_on):
            made = open_with_stock(session, new, location_id=location_id, quantity=quantity)
            if made:
                return Created(made.item_id, made.product_id, new.sku, new.name, made.location)
        product = add_product(session, new)
    else:
        product = _product(session, product_id, share=True)
    location = location_in_use(session, location_id)
    lot_id = lot_of(session, product, lot_code, expires_on)
    # A product that was just added is nowhere yet.
    if product_id is not None and find_item(session, product_id, location_id, lot_id):
        sentence = f"{product.name} is already kept at {location.name}. Adjust that item instead."
        raise Invalid(sentence, fields={"location_id": sentence})
    item = InventoryItem(
        product_id=product.id or 0, location_id=location_id, lot_id=lot_id, changed_by=current_actor().name
    )
    session.add(item)
    session.flush()
    # Nobody closes the place from here on: what is in it is seen. Who was closing it was waited for.
    location_in_use(session, location_id)
    unit = session.get_one(Unit, product.unit_code)
    if quantity < 0:
        raise Invalid(fields={"quantity": "Enter 0 or more."})
    fits_unit(quantity, unit.decimals, unit.code)
    if quantity:
        post(session, [Posting(item, quantity, MovementKind.RECEIPT, Reason.OPENING)])
    return Created(item.id or 0, product.id or 0, product.sku, product.name, location.name)


def _product(session: Session, product_id: int, *, share: bool = False, field: str = "product_id") -> Product:
    """Lock a product that is in use: alone for a new average, shared with others who book at its cost."""
    product = lock(session, Product, [product_id], share=share).get(product_id)
    if product is None or not product.active:
        raise Invalid(fields={field: "Choose a product that is in use."})
    return product


@operation(
    Permission.INVENTORY_TRANSFER, log=("from_item_id", "to_item_id", "quantity"), reason=("reason_code", "note")
)
def transfer_inventory(
    session: Session,
    *,
    from_item_id: int,
    quantity: Decimal,
    to_item_id: int | None = None,
    to_location_id: int | None = None,
    reason_code: str = "",
    note: str = "",
) -> Transferred:
    """Move `quantity` of one product and lot to another of its items, or to a location where it may be new.

    The two movements sum to zero in quantity and value.
    """
    what: dict[str, Any] = {
        "from_item_id": from_item_id,
        "to_item_id": to_item_id,
        "to_location_id": to_location_id,
        "quantity": quantity,
        "reason_code": reason_code or None,
        "note": note or None,
    }
    done = None
    if quantity.is_finite() and 0 < quantity <= LARGEST and from_item_id != to_item_id:
        done = move(session, **what)
    return _transferred(session, quantity, done or transfer_in_steps(session, **what))


def _transferred(session: Session, quantity: Decimal, done: Move) -> Transferred:
    source, target = done.source, done.target
    who = current_actor().name
    return Transferred(
        say(quantity, source.unit),
        source.product,
        source.location,
        target.location,
        (Left(source.item_id, source.after, done.at, who), Left(target.item_id, target.after, done.at, who)),
        kept_in_use=source.after > 0 and target.before > 0,
        operation_id=str(operation_id(session)),
    )


@operation(Permission.INVENTORY_ADJUST, log=("item_id", "quantity", "reason_code"), reason=("reason_code", "note"))
def adjust_inventory(
    session: Session,
    *,
    item_id: int,
    quantity: Decimal,
    reason_code: str,
    note: str = "",
    occurred_at: datetime | None = None,
) -> Changed:
    """Change an item's quantity by a signed difference, with a reason; `occurred_at` when it happened earlier."""
    item, place = lock_item(session, item_id)
    reason = reason_for(session, reason_code, ReasonUse.ADJUST)
    something(quantity)
    fits_unit(quantity, place.decimals, place.unit)
    if quantity < 0:
        enough(item.quantity, -quantity, place)
        _not_past(place, reason)
    posting = Posting(item, quantity, MovementKind.ADJUSTMENT, reason.code, note or None)
    return _change(session, place, posting, occurred_at)


@operation(Permission.INVENTORY_ADJUST, log=("item_id", "quantity", "reference"), reason=("reason_code", "note"))
def issue_inventory(  # as many as the form has fields
    session: Session,
    *,
    item_id: int,
    quantity: Decimal,
    reason_code: str = Reason.SOLD,
    note: str = "",
    reference_type: str | None = None,
    reference: str | None = None,
    occurred_at: datetime | None = None,
) -> Changed:
    """Take `quantity` out of an item, for somebody (`reference`: an order, say).

    A lot past its day goes only because it is expired or damaged.
    """
    item, place = lock_item(session, item_id)
    reason = reason_for(session, reason_code, ReasonUse.ISSUE)
    more_than_nothing(quantity)
    fits_unit(quantity, place.decimals, place.unit)
    enough(item.quantity, quantity, place)
    _not_past(place, reason)
    posting = Posting(item, -quantity, MovementKind.ISSUE, reason.code, note or None, reference_type, reference)
    return _change(session, place, posting, occurred_at)


def _not_past(place: Place, reason: ReasonCode) -> None:
    """Refuse to give away what is past its day; what it is taken out for otherwise is somebody's count."""
    if place.expires_on is None or place.expires_on >= now().date():
        return
    if ReasonUse.ISSUE in reason.uses and reason.code not in FOR_WHAT_IS_PAST:
        sentence = (
            f"Lot {place.lot} of {place.product} was good until {place.expires_on:%-d %b %Y}. "
            "It can only be taken out as expired or damaged."
        )
        raise Invalid(sentence, fields={"reason_code": sentence})


@operation(
    Permission.INVENTORY_ADJUST,
    log=("item_id", "product_id", "sku", "location_id", "quantity", "reference"),
    reason=("reason_code", "note"),
)
def receive_inventory(  # noqa: PLR0913  # as many as the form has fields
    session: Session,
    *,
    quantity: Decimal,
    item_id: int | None = None,
    product_id: int | None = None,
    sku: str = "",
    location_id: int | None = None,
    lot_code: str = "",
    expires_on: date | None = None,
    unit_cost: Decimal | None = None,
    reason_code: str = Reason.DELIVERED,
    note: str = "",
    reference_type: str | None = None,
    reference: str | None = None,
    occurred_at: datetime | None = None,
) -> Changed:
    """Take `quantity` in, into an item, or a product (by its id or SKU) at a location, of a lot where lots are kept.

    At a cost, it makes the product's new average; without one it comes at the average there is.
    """
    if unit_cost is not None:
        require(session, Permission.PRICES_VIEW)
        fits_cost(unit_cost)
    if item_id is not None:
        known = session.get(InventoryItem, item_id)
        if known is None:
            raise NotFound(ITEM_GONE)
        product_id, location_id = known.product_id, known.location_id
    elif sku:
        product_id = session.scalar(sa.select(col(Product.id)).where(col(Product.sku) == sku.strip().upper()))
        if product_id is None:
            raise Invalid(fields={"sku": "No product has this SKU. Add it as a new item."})
    product = _product(session, product_id or 0, field="sku" if sku else "product_id")
    more_than_nothing(quantity)
    if item_id is None or lot_code or expires_on:
        location = location_in_use(session, location_id)
        lot_id = lot_of(session, product, lot_code, expires_on)
        item_id = item_at(session, product.id or 0, location.id or 0, lot_id)
    item = lock(session, InventoryItem, [item_id])[item_id]
    place = places(session, [item_id])[item_id]
    in_use(place, "location_id")
    reason = reason_for(session, reason_code, ReasonUse.RECEIVE)
    fits_unit(quantity, place.decimals, place.unit)
    details = (MovementKind.RECEIPT, reason.code, note or None, reference_type, reference)
    done = _change(session, place, Posting(item, quantity, *details, unit_cost=unit_cost), occurred_at)
    if unit_cost is not None:
        averages(session, [product.id or 0])
    return done


def _change(session: Session, place: Place, posting: Posting, occurred_at: datetime | None) -> Changed:
    before = posting.item.quantity
    if before + posting.quantity > LARGEST:
        raise Invalid(fields={"quantity": "This number is too large."})
    post(session, [posting], occurred_at=when_it_happened(occurred_at))
    held = say(before, place.unit), say(posting.item.quantity, place.unit)
    return Changed(place.thing, place.location, *held, str(operation_id(session)))


@operation(Permission.INVENTORY_BULK_UPDATE, log=("reason_code",), reason=("reason_code", "note"))
def bulk_update_inventory(
    session: Session,
    *,
    updates: Sequence[Mapping[str, object]],
    reason_code: str = Reason.COUNTED,
    note: str = "",
) -> Counted:
    """Set many quantities at once, all or nothing.

    Each update has `item_id`, the new `quantity`, and `read_quantity`, what the item had when the
    person looked. Every fault of the batch is listed: unknown item, negative or too fine
    quantity, an item twice, an item that somebody changed in the meantime, less than is reserved.
    """
    reason = reason_for(session, reason_code, ReasonUse.COUNT)
    rows = [read_update(update) for update in updates]
    given = [row for row in rows if isinstance(row, Update)]
    ids = [row.item_id for row in given]
    hold_costs(session, ids)
    items = lock(session, InventoryItem, ids)
    refuse_faults(rows, items, places(session, list(items)))
    postings = [
        Posting(items[row.item_id], difference, MovementKind.COUNT, reason.code, note or None)
        for row in given
        if (difference := row.quantity - items[row.item_id].quantity)
    ]
    post(session, postings)
    return Counted(len(postings), str(operation_id(session)))
