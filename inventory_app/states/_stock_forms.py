"""What the dialogs of the stock list send, and what they show while somebody types."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from inventory_app.errors import AppError
from inventory_app.models.stock import Reason
from inventory_app.operations._ledger import Place, enough, fits_unit, more_than_nothing, say, something
from inventory_app.operations._numbers import typed
from inventory_app.states._action import Id, Line, Name, Note, Payload


def _typed(value: object) -> object:
    """Read what somebody typed; numbers of other programs stay what they are."""
    return typed(value.strip()) if isinstance(value, str) else value


def _reason(value: object) -> object:
    if not isinstance(value, str) or value not in REASONS:
        raise ValueError(NO_REASON)
    return value


NO_REASON = "Choose a reason."
REASONS = frozenset(reason.value for reason in Reason)
_Typed = BeforeValidator(_typed)
Quantity = Annotated[Decimal, Field(max_digits=14, decimal_places=3, allow_inf_nan=False), _Typed]
Money = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4, allow_inf_nan=False), _Typed]
Why = Annotated[str, BeforeValidator(_reason)]


class TransferForm(Payload):
    """How much goes where; the target is an item, or a location where the product may be new."""

    from_item_id: Id
    quantity: Quantity
    to_item_id: Id | None = None
    to_location_id: Id | None = None
    reason_code: Why
    note: Note = ""


class AdjustForm(Payload):
    """A signed difference with its reason."""

    item_id: Id
    quantity: Quantity
    reason_code: Why
    note: Note = ""


class NewItemForm(Payload):
    """A new product at a location with its opening quantity."""

    sku: Name
    name: Name
    location_id: Id
    quantity: Quantity = Decimal(0)
    unit_code: Line = "pcs"
    unit_cost: Money = Decimal(0)
    unit_price: Money = Decimal(0)
    reorder_point: Quantity = Decimal(0)
    reorder_quantity: Quantity = Decimal(0)


class LocationForm(Payload):
    """A new place to keep things."""

    code: Name
    name: Name


@dataclass(frozen=True)
class Preview:
    """What is at a place before and after a change, with its unit; `then` is empty as long as nothing is asked."""

    place: str = ""
    now: str = ""
    change: str = ""
    then: str = ""


def asked(text: str, held: Decimal, place: Place, *, moves: bool) -> tuple[Decimal | None, str]:
    """Return the quantity that was typed, if it is one, and why it is not possible, as the operation will say it."""
    if not text:
        return None, ""
    try:
        quantity = typed(text)
    except ValueError as error:
        return None, str(error)
    try:
        fits_unit(quantity, place.decimals, place.unit)
        if moves:
            more_than_nothing(quantity)
        else:
            something(quantity)
        enough(held, quantity if moves else -quantity, place)
    except AppError as error:
        return quantity, error.fields["quantity"]
    return quantity, ""


def preview_of(place: str, held: Decimal, change: Decimal | None, unit: str, *, possible: bool) -> Preview:
    """Return what is at a place, and what would be."""
    now = say(held, unit)
    if change is None:
        return Preview(place, now)
    signed = f"{'−' if change < 0 else '+'}{say(abs(change))}"
    return Preview(place, now, signed, say(held + change, unit) if possible else "not possible")


def sentence_of(said: str) -> str:
    """Make a sentence of what the operation says of a row."""
    return said[:1].upper() + said[1:].rstrip(".") + "."
