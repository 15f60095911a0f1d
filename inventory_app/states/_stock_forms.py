"""What the dialogs of the stock list send, and what they show while somebody types."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from inventory_app.errors import AppError, Invalid
from inventory_app.models._base import now
from inventory_app.operations._ledger import Place, enough, fits_unit, more_than_nothing, say, something
from inventory_app.operations._numbers import typed
from inventory_app.states._action import Id, Line, Name, Note, Payload


def _typed(value: object) -> object:
    """Read what somebody typed; numbers of other programs stay what they are."""
    return typed(value.strip()) if isinstance(value, str) else value


def _reason(value: object) -> object:
    if not isinstance(value, str) or not value:
        raise ValueError(NO_REASON)
    return value


def _no_cost(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else _typed(value)


def _day(value: object) -> object:
    """Read a day as a browser sends it; an empty field is none."""
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        return date.fromisoformat(value.strip())
    except ValueError:
        raise ValueError(NO_DAY) from None


NO_DAY = "Enter a day."
NO_REASON = "Choose a reason."
_Typed = BeforeValidator(_typed)
Quantity = Annotated[Decimal, Field(max_digits=14, decimal_places=3, allow_inf_nan=False), _Typed]
Money = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4, allow_inf_nan=False), _Typed]
#: A code that was chosen; whether it is fit for the change is the operation's to say.
Why = Annotated[str, BeforeValidator(_reason), StringConstraints(max_length=60)]
Cost = Annotated[
    Decimal | None, Field(ge=0, max_digits=14, decimal_places=4, allow_inf_nan=False), BeforeValidator(_no_cost)
]
Day = Annotated[date | None, BeforeValidator(_day)]


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


class _Dated(Payload):
    """A change that may have happened on an earlier day."""

    occurred_on: Day = None

    def arguments(self) -> dict[str, Any]:
        """Return the fields, with the moment that stands for the day: noon, or now for today and no day."""
        values = super().arguments()
        day: date | None = values.pop("occurred_on")
        if day is not None and day != now().date():
            values["occurred_at"] = datetime.combine(day, time(12), UTC)
        return values


class _Received(_Dated):
    """What comes in, of which lot and at what cost."""

    quantity: Quantity
    lot_code: Line = ""
    expires_on: Day = None
    unit_cost: Cost = None
    reason_code: Why
    note: Note = ""

    def arguments(self) -> dict[str, Any]:
        """Return the fields that are given."""
        return {name: value for name, value in super().arguments().items() if value is not None}


class ReceiveForm(_Received):
    """What comes into an item."""

    item_id: Id


class ReceiveProductForm(_Received):
    """What comes in of a product to a location, where it may be new."""

    sku: Name
    location_id: Id


class IssueForm(_Dated):
    """What goes out, for what and for whom."""

    item_id: Id
    quantity: Quantity
    reason_code: Why
    reference: Line = ""
    note: Note = ""

    def arguments(self) -> dict[str, Any]:
        """Return the fields; for nobody in particular is no reference."""
        values = super().arguments()
        return values | {"reference": values["reference"] or None}


class SendForm(Payload):
    """What is sent where."""

    from_item_id: Id
    to_location_id: Id
    quantity: Quantity
    note: Note = ""


class ReserveForm(Payload):
    """What is kept back, and to the end of which day."""

    item_id: Id
    quantity: Quantity
    until: Day = None
    reference: Line = ""
    note: Note = ""

    def arguments(self) -> dict[str, Any]:
        """Return the fields, with the end of the day."""
        values = super().arguments()
        until: date | None = values.pop("until")
        if until is None:
            raise Invalid(fields={"until": NO_DAY})
        return values | {"expires_at": datetime.combine(until, time.max, UTC)}


class RevalueForm(Payload):
    """What one of a product costs from now on, and why."""

    product_id: Id
    unit_cost: Money
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
