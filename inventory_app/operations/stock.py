"""Stock: creating items, adjusting, issuing, transferring and updating many at once.

Every change is a movement in the ledger; an item's quantity is their sum. Items are locked in
id order, rules are decided on what is there under the lock, and a refusal says what is there,
what was asked and what to do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, select

from inventory_app.context import current_actor
from inventory_app.database.locks import lock
from inventory_app.errors import Invalid, InvalidRows, NotFound
from inventory_app.models._base import now
from inventory_app.models.catalog import Location, Product, Unit
from inventory_app.models.stock import InventoryItem, MovementKind, Reason
from inventory_app.operations._ledger import (
    LARGEST,
    Place,
    Posting,
    enough,
    fits_unit,
    more_than_nothing,
    places,
    post,
    say,
    something,
)
from inventory_app.operations._moves import Move, Side, move
from inventory_app.operations._numbers import typed
from inventory_app.operations._openings import open_with_stock
from inventory_app.operations._operation import operation, require
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


@dataclass(frozen=True, slots=True)
class Changed:
    """What an adjustment or issue did: before and after, with the unit."""

    product: str
    location: str
    before: str
    after: str


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
) -> Created:
    """Put a product (existing by `product_id`, else new) at a location with an opening quantity.

    Who may not see costs and prices does not set them either.
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
        if quantity.is_finite() and 0 <= quantity <= LARGEST and not faults(new):
            made = open_with_stock(session, new, location_id=location_id, quantity=quantity)
            if made:
                return Created(made.item_id, made.product_id, new.sku, new.name, made.location)
        product = add_product(session, new)
    else:
        product = _product(session, product_id)
    location = session.get(Location, location_id)
    if location is None or not location.active:
        raise Invalid(fields={"location_id": "Choose a location that is in use."})
    # A product that was just added is nowhere yet.
    if product_id is not None and _items_at(session, product_id, location_id).first():
        sentence = f"{product.name} is already kept at {location.name}. Adjust that item instead."
        raise Invalid(sentence, fields={"location_id": sentence})
    item = InventoryItem(product_id=product.id or 0, location_id=location_id, changed_by=current_actor().name)
    session.add(item)
    session.flush()
    unit = session.get_one(Unit, product.unit_code)
    if quantity < 0:
        raise Invalid(fields={"quantity": "Enter 0 or more."})
    fits_unit(quantity, unit.decimals, unit.code)
    if quantity:
        post(session, [Posting(item, quantity, MovementKind.RECEIPT, Reason.OPENING)])
    return Created(item.id or 0, product.id or 0, product.sku, product.name, location.name)


def _product(session: Session, product_id: int) -> Product:
    product = session.get(Product, product_id)
    if product is None or not product.active:
        raise Invalid(fields={"product_id": "Choose a product that is in use."})
    return product


def _items_at(session: Session, product_id: int, location_id: int) -> sa.ScalarResult[InventoryItem]:
    """The one item, or none: a product has one at a location."""
    return session.exec(
        select(InventoryItem).where(InventoryItem.product_id == product_id, InventoryItem.location_id == location_id)
    )


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
    """Move `quantity` of one product to another of its items, or to a location where it may be new.

    The two movements sum to zero in quantity and value.
    """
    if quantity.is_finite() and 0 < quantity <= LARGEST and from_item_id != to_item_id:
        done = move(
            session,
            from_item_id=from_item_id,
            to_item_id=to_item_id,
            to_location_id=to_location_id,
            quantity=quantity,
            reason_code=reason_code or None,
            note=note or None,
        )
        if done:
            return _transferred(quantity, done)
    if to_item_id is None:
        to_item_id = _item_to(session, from_item_id, to_location_id)
    details = (MovementKind.TRANSFER, reason_code or None, note or None)
    return _transfer_in_steps(session, from_item_id, to_item_id, quantity, details)


def _transfer_in_steps(
    session: Session,
    from_item_id: int,
    to_item_id: int,
    quantity: Decimal,
    details: tuple[MovementKind, str | None, str | None],
) -> Transferred:
    """Transfer rule by rule: what `move` has not done is refused here in words, or done."""
    if from_item_id == to_item_id:
        sentence = "Choose another place: this is where it already is."
        raise Invalid(sentence, fields={"to_location_id": sentence})
    more_than_nothing(quantity)
    items = lock(session, InventoryItem, [from_item_id, to_item_id])
    where = places(session, [from_item_id, to_item_id])
    if len(items) != 2:  # noqa: PLR2004  # the two that were named
        message = "One of the two items does not exist (any more). Reload the page."
        raise NotFound(message)
    source, target = items[from_item_id], items[to_item_id]
    here, there = where[from_item_id], where[to_item_id]
    if source.product_id != target.product_id:
        message = f"{here.product} cannot become {there.product}: a transfer moves one product."
        raise Invalid(message, fields={"to_location_id": message})
    _in_use(here, "from_item_id")
    _in_use(there, "to_location_id")
    fits_unit(quantity, here.decimals, here.unit)
    enough(source.quantity, quantity, here)
    before = source.quantity, target.quantity
    post(session, [Posting(source, -quantity, *details), Posting(target, quantity, *details)])
    sides = (
        Side(from_item_id, here.product, here.unit, here.location, before[0], source.quantity),
        Side(to_item_id, there.product, there.unit, there.location, before[1], target.quantity),
    )
    return _transferred(quantity, Move(*sides, source.changed_at))


def _transferred(quantity: Decimal, done: Move) -> Transferred:
    source, target = done.source, done.target
    who = current_actor().name
    return Transferred(
        say(quantity, source.unit),
        source.product,
        source.location,
        target.location,
        (Left(source.item_id, source.after, done.at, who), Left(target.item_id, target.after, done.at, who)),
        kept_in_use=source.after > 0 and target.before > 0,
    )


def _item_to(session: Session, from_item_id: int, location_id: int | None) -> int:
    """Return the id of the same product's item at the location, made empty when there is none."""
    source = session.get(InventoryItem, from_item_id)
    if source is None:
        message = "This item does not exist (any more). Reload the page."
        raise NotFound(message)
    if location_id is None or session.get(Location, location_id) is None:
        raise Invalid(fields={"to_location_id": "Choose where it goes."})
    session.execute(
        insert(InventoryItem)
        .values(
            product_id=source.product_id,
            location_id=location_id,
            quantity=0,
            sequence=0,
            changed_at=now(),
            changed_by=current_actor().name,
        )
        # Two people may be the first to bring it there.
        .on_conflict_do_nothing(constraint="uq_inventory_item_place")
    )
    return _items_at(session, source.product_id, location_id).one().id or 0


def _in_use(place: Place, field: str) -> None:
    if not place.location_active:
        sentence = f"{place.location} is closed. Choose a location that is in use."
        raise Invalid(sentence, fields={field: sentence})


@operation(Permission.INVENTORY_ADJUST, log=("item_id", "quantity", "reason_code"), reason=("reason_code", "note"))
def adjust_inventory(session: Session, *, item_id: int, quantity: Decimal, reason_code: str, note: str = "") -> Changed:
    """Change an item's quantity by a signed difference, with a reason."""
    item, place = _locked(session, item_id)
    reason = _reason(reason_code)
    something(quantity)
    fits_unit(quantity, place.decimals, place.unit)
    if quantity < 0:
        enough(item.quantity, -quantity, place)
    return _change(session, place, Posting(item, quantity, MovementKind.ADJUSTMENT, reason, note or None))


@operation(Permission.INVENTORY_ADJUST, log=("item_id", "quantity", "reference"), reason=("reason_code", "note"))
def issue_inventory(
    session: Session,
    *,
    item_id: int,
    quantity: Decimal,
    reason_code: str = Reason.SOLD,
    note: str = "",
    reference_type: str | None = None,
    reference: str | None = None,
) -> Changed:
    """Take `quantity` out of an item, for somebody (`reference`: an order, say)."""
    item, place = _locked(session, item_id)
    reason = _reason(reason_code)
    more_than_nothing(quantity)
    fits_unit(quantity, place.decimals, place.unit)
    enough(item.quantity, quantity, place)
    posting = Posting(item, -quantity, MovementKind.ISSUE, reason, note or None, reference_type, reference)
    return _change(session, place, posting)


def _locked(session: Session, item_id: int) -> tuple[InventoryItem, Place]:
    items = lock(session, InventoryItem, [item_id])
    if item_id not in items:
        message = "This item does not exist (any more). Reload the page."
        raise NotFound(message)
    place = places(session, [item_id])[item_id]
    _in_use(place, "item_id")
    return items[item_id], place


def _reason(code: str) -> Reason:
    try:
        return Reason(code)
    except ValueError:
        raise Invalid(fields={"reason_code": "Choose a reason."}) from None


def _change(session: Session, place: Place, posting: Posting) -> Changed:
    before = posting.item.quantity
    if before + posting.quantity > LARGEST:
        raise Invalid(fields={"quantity": "This number is too large."})
    post(session, [posting])
    return Changed(place.product, place.location, say(before, place.unit), say(posting.item.quantity, place.unit))


@operation(Permission.INVENTORY_BULK_UPDATE, log=("reason_code",), reason=("reason_code", "note"))
def bulk_update_inventory(
    session: Session,
    *,
    updates: Sequence[Mapping[str, object]],
    reason_code: str = Reason.COUNTED,
    note: str = "",
) -> int:
    """Set many quantities at once, all or nothing; returns how many items changed.

    Each update has `item_id`, the new `quantity`, and `read_quantity`, what the item had when the
    person looked. Every fault of the batch is listed: unknown item, negative or too fine
    quantity, an item twice, an item that somebody changed in the meantime.
    """
    reason = _reason(reason_code)
    rows = [_update(update) for update in updates]
    given = [row for row in rows if isinstance(row, _Update)]
    items = lock(session, InventoryItem, [row.item_id for row in given])
    where = places(session, list(items))
    faults: list[tuple[int, str, str]] = []
    seen: dict[int, int] = {}
    for number, row in enumerate(rows, start=1):
        fault = _fault(row, items, where, seen) if isinstance(row, _Update) else row
        if fault:
            faults.append((number, *fault))
        if isinstance(row, _Update):
            seen.setdefault(row.item_id, number)
    if faults:
        count = f"{len(faults)} of {len(rows)} rows cannot be saved, so none was:"
        raise InvalidRows(count, faults)
    postings = [
        Posting(items[row.item_id], difference, MovementKind.COUNT, reason, note or None)
        for row in given
        if (difference := row.quantity - items[row.item_id].quantity)
    ]
    post(session, postings)
    return len(postings)


@dataclass(frozen=True, slots=True)
class _Update:
    item_id: int
    quantity: Decimal
    read_quantity: Decimal | None


def _update(update: Mapping[str, object]) -> _Update | tuple[str, str]:
    """Return the row as it is meant, or what is wrong with it: (field, sentence)."""
    try:
        item_id, quantity = int(str(update["item_id"])), update["quantity"]
    except (KeyError, ValueError):
        return "item_id", "needs an item and a quantity such as 12 or 12.5"
    if not 0 < item_id < 2**63:
        message = "One of the items does not exist (any more). Reload the page."
        raise NotFound(message)
    try:
        found = _number(quantity)
    except ValueError as error:
        return "quantity", str(error)
    try:
        seen = _read(update.get("read_quantity"))
    except ValueError:
        return "quantity", "was read as something that is no quantity"
    return _Update(item_id, found, seen)


def _read(given: object) -> Decimal | None:
    """Return what the person had read; it is not typed, and written out in a sentence when it is out of date."""
    seen = None if given is None else _number(given)
    if seen is not None and (not seen.is_finite() or abs(seen) > LARGEST):
        raise ValueError
    return seen


def _number(given: object) -> Decimal:
    return given if isinstance(given, Decimal) else typed(str(given))


def _fault(  # noqa: PLR0911  # a return a rule
    row: _Update,
    items: Mapping[int, InventoryItem],
    where: Mapping[int, Place],
    seen: Mapping[int, int],
) -> tuple[str, str] | None:
    if row.item_id not in items:
        return "item_id", f"there is no item {row.item_id}"
    place, item = where[row.item_id], items[row.item_id]
    if row.item_id in seen:
        return "item_id", f"{place.product} is already in row {seen[row.item_id]}"
    if not row.quantity.is_finite() or row.quantity < 0:
        return "quantity", f"{place.product} cannot have {row.quantity}"
    try:
        fits_unit(row.quantity, place.decimals, place.unit)
    except Invalid as error:
        return "quantity", error.fields["quantity"]
    if not place.location_active:
        return "item_id", f"{place.location} is closed"
    if row.read_quantity is not None and row.read_quantity != item.quantity:
        return "quantity", (
            f"{place.product} changed from {say(row.read_quantity)} to {say(item.quantity)} "
            f"({item.changed_by}) since you looked"
        )
    return None


def books_balance(session: Session) -> list[tuple[int, Decimal, Decimal]]:
    """Return every item whose quantity is not the sum of its movements, as (item, quantity, sum)."""
    result = session.execute(
        sa.text(
            "SELECT i.id, i.quantity, coalesce(sum(m.quantity), 0) FROM inventory_item i "
            "LEFT JOIN stock_movement m ON m.item_id = i.id GROUP BY i.id "
            "HAVING i.quantity <> coalesce(sum(m.quantity), 0) "
            "OR i.sequence <> count(m.id) ORDER BY i.id"
        )
    )
    return [(row[0], row[1], row[2]) for row in result]
