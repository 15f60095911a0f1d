"""Toasts of a message that differs each time, at the cost of writing it down.

Reflex builds a toast from expressions that know how to render themselves, which takes longer than the rest of a
handler. What it renders is the same each time but for the message: it is asked once, at import.
"""

import json

import reflex as rx
from reflex_base.event import Event

_ANY = "any message"
_PLACE = json.dumps(_ANY)
(_TEMPLATE,) = Event.from_event_type(rx.toast.success(_ANY))
_BEFORE, _AFTER = _TEMPLATE.payload["function"].split(_PLACE)


def success(message: str) -> Event:
    """Return the event that `rx.toast.success(message)` becomes."""
    # Reflex, too, writes the message as JSON.
    function = f"{_BEFORE}{json.dumps(message)}{_AFTER}"
    return Event(name=_TEMPLATE.name, payload={**_TEMPLATE.payload, "function": function})
