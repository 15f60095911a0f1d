"""A moment in an address: which one is asked about, by the reader's clock, and which of the two questions."""

from datetime import datetime
from typing import Annotated, Literal

import reflex as rx
from pydantic import BeforeValidator
from reflex.event import EventSpec

from inventory_app.errors import Invalid
from inventory_app.operations._zones import at as moment_at
from inventory_app.operations._zones import clock
from inventory_app.states import _view
from inventory_app.states._action import Line, Payload

#: As it was known then, and as it really was with what is known now; the first goes without saying.
WAYS = ("known", "effective")


def _in_a_list(value: object) -> object:
    return value if value in WAYS else WAYS[0]


class TravelForm(Payload):
    """The moment somebody wants to see, as their clock shows it, and which of the two questions."""

    at: Line = ""
    way: Annotated[Literal["known", "effective"], BeforeValidator(_in_a_list)] = "known"


def read_moment(text: str, zone: str) -> datetime | None:
    """Return the moment an address or a picker names, by the reader's clock; None when it names none."""
    try:
        local = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    if local is None or local.tzinfo is not None or not 1900 <= local.year <= 9000:  # noqa: PLR2004  # years of goods
        return None
    return moment_at(local, zone)


def destination(form: TravelForm, path: str, zone: str, **rest: str) -> EventSpec:
    """Return the way to the moment a form names; an emptied field is now. Raises `Invalid` for what is no moment."""
    moment = read_moment(form.at, zone)
    if form.at and moment is None:
        raise Invalid(fields={"at": "Choose a date and a time."})
    # A minute that was chosen is over at its end.
    when = f"{clock(moment, zone):%Y-%m-%dT%H:%M}:59" if moment else ""
    return rx.redirect(here(path, rest | {"as": form.way if form.way != WAYS[0] else ""}, when=when))


def here(path: str, view: dict[str, str], **changes: str) -> str:
    """Return the address of a view with `changes`; its moment is `when`."""
    wanted = view | changes
    when = wanted.pop("when", "")
    return _view.href(path, wanted, at=when)
