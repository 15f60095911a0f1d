"""What a person is told when something went wrong that nobody expected, and what the log says of it."""

import secrets
from typing import cast

import reflex as rx
import structlog
from sqlalchemy.exc import DBAPIError

from inventory_app.context import failed_operation
from inventory_app.database.errors import app_error
from inventory_app.errors import AppError
from inventory_app.states import _toast

log = structlog.get_logger(__name__)

_RELEASE = "window.inventoryRelease && window.inventoryRelease()"


def unexpected(exception: Exception) -> list[rx.event.EventSpec]:
    """Log what nobody expected and give the person a reference to it; busy buttons come free.

    What is expected and was raised outside a handler (the guard asks the database who sends it) keeps its sentence.
    Where an operation failed, the reference stands in the log beside its id, which leads to its steps and to the trail.
    """
    known = app_error(exception) if isinstance(exception, DBAPIError) else exception
    if isinstance(known, AppError):
        getattr(log, known.log_level)("event_refused", error_type=type(known).__name__)
        # Reflex asks for this very return type, and takes events as handlers return them.
        return [cast("rx.event.EventSpec", _toast.error(str(known))), rx.call_script(_RELEASE)]
    reference = secrets.token_hex(4)
    log.error(
        "unexpected_error",
        reference=reference,
        error_type=type(exception).__name__,
        exc_info=exception,
        **failed_operation(exception),
    )
    sentence = f"Something went wrong (reference {reference}). See whether it was done before you try again, "
    told = _toast.error(sentence + "and tell an administrator.", duration=60_000)
    return [cast("rx.event.EventSpec", told), rx.call_script(_RELEASE)]
