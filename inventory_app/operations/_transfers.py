"""A transfer rule by rule: what the one statement of `_moves` has not done is refused here in words, or done."""

from decimal import Decimal

from sqlmodel import Session

from inventory_app.database.locks import lock
from inventory_app.errors import Invalid, NotFound
from inventory_app.models.catalog import Location
from inventory_app.models.stock import InventoryItem, MovementKind, ReasonUse
from inventory_app.operations._item_at import ITEM_GONE, item_at
from inventory_app.operations._ledger import Posting, enough, fits_unit, in_use, more_than_nothing, places, post
from inventory_app.operations._moves import Move, Side
from inventory_app.operations._reasons import reason_for


def transfer_in_steps(
    session: Session,
    *,
    from_item_id: int,
    to_item_id: int | None,
    to_location_id: int | None,
    quantity: Decimal,
    reason_code: str | None,
    note: str | None,
) -> Move:
    """Move `quantity` to the item, or to the location, where the product and its lot may be new."""
    if reason_code is not None:
        reason_for(session, reason_code, ReasonUse.TRANSFER)
    if to_item_id is None:
        to_item_id = _item_to(session, from_item_id, to_location_id)
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
    if (source.product_id, source.lot_id) != (target.product_id, target.lot_id):
        what = "product" if source.product_id != target.product_id else "lot"
        message = f"{here.thing} cannot become {there.thing}: a transfer moves one {what}."
        raise Invalid(message, fields={"to_location_id": message})
    in_use(here, "from_item_id")
    in_use(there, "to_location_id")
    fits_unit(quantity, here.decimals, here.unit)
    enough(source.quantity, quantity, here)
    before = source.quantity, target.quantity
    details = (MovementKind.TRANSFER, reason_code, note)
    post(session, [Posting(source, -quantity, *details), Posting(target, quantity, *details)])
    return Move(
        Side(from_item_id, here.product, here.unit, here.location, before[0], source.quantity),
        Side(to_item_id, there.product, there.unit, there.location, before[1], target.quantity),
        source.changed_at,
    )


def _item_to(session: Session, from_item_id: int, location_id: int | None) -> int:
    """Return the id of the same product's item of the same lot at the location, made empty when there is none."""
    source = session.get(InventoryItem, from_item_id)
    if source is None:
        raise NotFound(ITEM_GONE)
    if location_id is None or session.get(Location, location_id) is None:
        raise Invalid(fields={"to_location_id": "Choose where it goes."})
    return item_at(session, source.product_id, location_id, source.lot_id)
