"""Wiring only: the Reflex app, its guard, HTTP routes, pages and background work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import reflex as rx
import structlog
from reflex.utils import prerequisites
from starlette.applications import Starlette
from starlette.types import ASGIApp

from inventory_app import first_run, jobs, logs
from inventory_app.buckets import Buckets
from inventory_app.components import feedback, palette
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
    portal_files,
    prices,
    sign_in,
    single_sign_on,
)
from inventory_app.http.bodies import Bodies
from inventory_app.http.frames import Frames
from inventory_app.http.security import Security
from inventory_app.pages import app_options, register_pages
from inventory_app.settings import get_settings
from inventory_app.states import _live, _socket
from inventory_app.states._guard import Guard
from inventory_app.states._unexpected import unexpected
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import in_thread

log = structlog.get_logger(__name__)

_DRAIN_SECONDS = 8

#: Anybody can report errors; a line a second is enough to notice.
_browser_errors = Buckets(1, 20)

settings = get_settings()
logs.configure(settings.log_level, settings.log_format)


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
                *portal_files.ROUTES,
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
