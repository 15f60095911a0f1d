"""Toasts: the only way a sentence reaches a toast, because Reflex reads more than text in what it is given.

Reflex decodes `<reflex.Var>...` in every string handed to a toast or a redirect; a name that holds it stops the
server. Here Reflex renders a toast once with a placeholder, and the sentence takes its place as JSON: it is never
read as anything but text, and a handler does not pay for rendering either.
"""

import json
from collections.abc import Collection
from functools import lru_cache
from typing import Literal

import reflex as rx
from reflex_base.event import Event

from inventory_app.permissions import Permission

Tone = Literal["success", "warning", "error"]

_ANY = "any message"


@lru_cache(maxsize=32)
def _template(tone: Tone, duration: int | None) -> tuple[Event, str, str]:
    """Return what Reflex makes of a toast, and the text of its call before and after the message."""
    (event,) = Event.from_event_type(
        getattr(rx.toast, tone)(_ANY, **({} if duration is None else {"duration": duration}))
    )
    before, after = event.payload["function"].split(json.dumps(_ANY))
    return event, before, after


def toast(tone: Tone, message: str, *, duration: int | None = None) -> Event:
    """Return the event that shows `message`, as text and nothing else; `duration` is in milliseconds."""
    event, before, after = _template(tone, duration)
    return Event(name=event.name, payload={**event.payload, "function": f"{before}{json.dumps(message)}{after}"})


#: The button that `pages/_take_back.py` puts on the page; a toast presses it with its own operation.
UNDO_BUTTON = "undo-posting"
_UNDO = """, ({{["action"]: ({{["label"]: "Undo", ["onClick"]: () => {{
  const button = document.getElementById({button}); button.dataset.operation = {operation}; button.click() }} }}) }})"""


def success(message: str, *, duration: int | None = None) -> Event:
    """Say what was done."""
    return toast("success", message, duration=duration)


def booked(message: str, operation_id: str, permissions: Collection[str]) -> Event:
    """Say what was booked, and offer to take it back to who may."""
    if Permission.INVENTORY_REVERSE not in permissions:
        return success(message)
    event, before, after = _template("success", None)
    action = _UNDO.format(button=json.dumps(UNDO_BUTTON), operation=json.dumps(operation_id))
    return Event(
        name=event.name, payload={**event.payload, "function": f"{before}{json.dumps(message)}{action}{after}"}
    )


def warning(message: str, *, duration: int | None = None) -> Event:
    """Say what to look at."""
    return toast("warning", message, duration=duration)


def error(message: str, *, duration: int | None = None) -> Event:
    """Say what was refused, and why."""
    return toast("error", message, duration=duration)
