"""Counting many items at once: what each row of a batch means, and everything that is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from inventory_app.errors import Invalid, InvalidRows, NotFound
from inventory_app.models.stock import InventoryItem
from inventory_app.operations._ledger import LARGEST, Place, fits_unit, say
from inventory_app.operations._numbers import typed


@dataclass(frozen=True, slots=True)
class Update:
    """One item as it was counted, and what it had when the person looked."""

    item_id: int
    quantity: Decimal
    read_quantity: Decimal | None


def read_update(update: Mapping[str, object]) -> Update | tuple[str, str]:
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
    return Update(item_id, found, seen)


def _read(given: object) -> Decimal | None:
    """Return what the person had read; it is not typed, and written out in a sentence when it is out of date."""
    seen = None if given is None else _number(given)
    if seen is not None and (not seen.is_finite() or abs(seen) > LARGEST):
        raise ValueError
    return seen


def _number(given: object) -> Decimal:
    return given if isinstance(given, Decimal) else typed(str(given))


def _fault_of(  # noqa: PLR0911  # a return a rule
    row: Update,
    items: Mapping[int, InventoryItem],
    where: Mapping[int, Place],
    seen: Mapping[int, int],
) -> tuple[str, str] | None:
    if row.item_id not in items:
        return "item_id", f"there is no item {row.item_id}"
    place, item = where[row.item_id], items[row.item_id]
    if row.item_id in seen:
        return "item_id", f"{place.thing} is already in row {seen[row.item_id]}"
    if not row.quantity.is_finite() or row.quantity < 0:
        return "quantity", f"{place.thing} cannot have {row.quantity}"
    try:
        fits_unit(row.quantity, place.decimals, place.unit)
    except Invalid as error:
        return "quantity", error.fields["quantity"]
    if not place.location_active:
        return "item_id", f"{place.location} is closed"
    if place.location_kind == "transit":
        return "item_id", f"what is at {place.location} is on its way: accept its shipment instead"
    if row.read_quantity is not None and row.read_quantity != item.quantity:
        return "quantity", (
            f"{place.thing} changed from {say(row.read_quantity)} to {say(item.quantity)} "
            f"({item.changed_by}) since you looked"
        )
    if row.quantity < min(place.reserved, item.quantity):
        return "quantity", f"{say(place.reserved, place.unit)} of {place.thing} are reserved: release them first"
    return None


def refuse_faults(
    rows: Sequence[Update | tuple[str, str]], items: Mapping[int, InventoryItem], where: Mapping[int, Place]
) -> None:
    """Refuse the whole batch when anything is wrong with it, with every fault listed."""
    faults: list[tuple[int, str, str]] = []
    seen: dict[int, int] = {}
    for number, row in enumerate(rows, start=1):
        fault = _fault_of(row, items, where, seen) if isinstance(row, Update) else row
        if fault:
            faults.append((number, *fault))
        if isinstance(row, Update):
            seen.setdefault(row.item_id, number)
    if faults:
        count = f"{len(faults)} of {len(rows)} rows cannot be saved, so none was:"
        raise InvalidRows(count, faults)
