"""Wiring only: the Reflex app, its guard, HTTP routes, pages and background work."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast

import reflex as rx
import structlog
from reflex.utils import prerequisites
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.types import ASGIApp

from inventory_app import first_run, jobs, logs
from inventory_app.buckets import Buckets
from inventory_app.components import feedback, palette
from inventory_app.database.errors import app_error
from inventory_app.errors import AppError
from inventory_app.http import (
    accounts,
    applications,
    back_channel,
    documents,
    exports,
    factors,
    health,
    imports,
    orders,
    payment_files,
    prices,
    sign_in,
    single_sign_on,
)
from inventory_app.http.bodies import Bodies
from inventory_app.http.frames import Frames
from inventory_app.http.security import Security
from inventory_app.pages import app_options, register_pages
from inventory_app.settings import get_settings
from inventory_app.states import _live, _socket, _toast
from inventory_app.states._guard import Guard
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import in_thread

log = structlog.get_logger(__name__)

_DRAIN_SECONDS = 8
_RELEASE = "window.inventoryRelease && window.inventoryRelease()"

#: Anybody can report errors; a line a second is enough to notice.
_browser_errors = Buckets(1, 20)

settings = get_settings()
logs.configure(settings.log_level, settings.log_format)


def unexpected(exception: Exception) -> list[rx.event.EventSpec]:
    """Log what nobody expected and give the person a reference to it; busy buttons come free.

    What is expected and was raised outside a handler (the guard asks the database who sends it) keeps its sentence.
    """
    known = app_error(exception) if isinstance(exception, DBAPIError) else exception
    if isinstance(known, AppError):
        getattr(log, known.log_level)("event_refused", error_type=type(known).__name__)
        # Reflex asks for this very return type, and takes events as handlers return them.
        return [cast("rx.event.EventSpec", _toast.error(str(known))), rx.call_script(_RELEASE)]
    reference = secrets.token_hex(4)
    log.error("unexpected_error", reference=reference, error_type=type(exception).__name__, exc_info=exception)
    return [
        rx.toast.error(
            f"Something went wrong (reference {reference}). See whether it was done before you try again, "
            "and tell an administrator.",
            duration=60_000,
        ),
        rx.call_script(_RELEASE),
    ]


def browser_error(exception: Exception) -> None:
    """Log an error a browser reports; its text comes from a client."""
    if _browser_errors.take("any"):
        log.warning("browser_error", report=str(exception)[:500])


def protected(app: ASGIApp) -> ASGIApp:
    """Wrap everything we serve, pages included, in `Security` and what bounds slow bodies and odd frames."""
    return Security(Frames(Bodies(app)), prerequisites.get_web_dir() / "build" / "client")


app = rx.App(
    **app_options(),
    backend_exception_handler=unexpected,
    frontend_exception_handler=browser_error,
    api_transformer=[
        Starlette(
            routes=[
                *health.ROUTES,
                *sign_in.ROUTES,
                *factors.ROUTES,
                *single_sign_on.ROUTES,
                *back_channel.ROUTES,
                *accounts.ROUTES,
                *documents.ROUTES,
                *applications.ROUTES,
                *imports.ROUTES,
                *prices.ROUTES,
                *exports.ROUTES,
                *orders.ROUTES,
                *payment_files.ROUTES,
            ]
        ),
        protected,
    ],
)
guard = Guard(events_per_second=settings.events_per_second)
app.add_middleware(guard, index=0)
_socket.protect(app.event_namespace, events_per_second=settings.events_per_second)
app.app_wraps[5, "Overlay"] = feedback.overlay
app.app_wraps[4, "Palette"] = palette.overlay
register_pages(app)


@app.register_lifespan_task
@asynccontextmanager
async def working_hours() -> AsyncIterator[None]:
    """Prepare before the first visitor, run the jobs while serving, drain at the end."""
    await in_thread(first_run.check_and_prepare)
    live = asyncio.create_task(_live.serve(app, AuthState.person_changed), name="live")
    # Reflex cancels running handlers at SIGTERM otherwise.
    app.event_processor.graceful_shutdown_timeout = _DRAIN_SECONDS
    async with jobs.running(("flush_refusals", timedelta(minutes=1), _flush_refusals)):
        yield
    live.cancel()
    await guard.refusals.flush()


async def _flush_refusals() -> None:
    await guard.refusals.flush(older_than=60.0)
