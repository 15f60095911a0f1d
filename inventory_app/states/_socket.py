"""The websocket on both sides of the guard: what comes in before it, and to whom an answer goes.

An event runs for the person whose socket sent it, but Reflex answers to the tab, whatever socket
holds its token by then. So an answer goes out only while the socket that asked still holds it.
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import structlog
from reflex.state import StateUpdate
from reflex_base.registry import RegistrationContext

from inventory_app.buckets import Buckets
from inventory_app.states import _toast

log = structlog.get_logger(__name__)

_LONGEST_NAME = 200

_sender: ContextVar[str | None] = ContextVar("inventory_sender", default=None)


def sent_by(socket: str | None) -> None:
    """Remember for the rest of this event which socket sent it."""
    _sender.set(socket)


def holds_token(app: Any, router_data: dict[str, Any]) -> bool:
    """Tell whether the socket that sent an event still holds its tab's token."""
    namespace = getattr(app, "event_namespace", None)
    return namespace is None or _holds(namespace, router_data.get("token"), router_data.get("sid"))


def _holds(namespace: Any, token: Any, socket: str | None) -> bool:
    record = namespace._token_manager.token_to_socket.get(token)  # noqa: SLF001  # Reflex has no public way to it
    return record is None or socket is None or record.sid == socket


def _address(namespace: Any, socket: str) -> str | None:
    return namespace._static_router_data.get(socket, {}).get("ip")  # noqa: SLF001  # as above


def _readable(read: Callable[[str, Any], Awaitable[None]]) -> Callable[[str, Any], Awaitable[None]]:
    """Wrap what reads messages: nonsense would cost a line with a traceback each, and anybody can send it."""
    lines = Buckets(1, 20)

    async def on_message(connection: str, data: Any) -> None:
        try:
            await read(connection, data)
        except Exception as error:  # noqa: BLE001  # no JSON, too deep, no event: whatever the library finds it to be
            if lines.take("unreadable"):
                log.warning("unreadable_message", error_type=type(error).__name__)

    return on_message


def protect(namespace: Any, *, events_per_second: float) -> None:
    """Put the doors before `namespace`: known events only, no faster than the rate, answers to who asked.

    What is refused here costs neither a place in the tab's queue nor a line of Reflex's or Socket.IO's log.
    """
    receive, send = namespace.on_event, namespace.emit_update
    known = RegistrationContext.get().event_handlers
    sockets = Buckets(events_per_second, events_per_second * 2)
    lines, told = Buckets(1, 20), Buckets(1, 1)

    async def on_event(socket: str, data: Any) -> None:
        name = data.get("name") if isinstance(data, dict) else None
        if not isinstance(name, str) or name not in known:
            if lines.take("unknown"):
                log.warning("unknown_event", event_name=repr(name)[:_LONGEST_NAME])
            return
        if not sockets.take(socket):
            if told.take(socket):
                log.warning("events_slowed_down", client_ip=_address(namespace, socket))
                too_fast = _toast.error("Too many requests. Wait a moment.")
                await namespace.emit("event", StateUpdate(events=[too_fast]), to=socket)
            return
        await receive(socket, data)

    async def emit_update(update: StateUpdate, token: str) -> None:
        if _holds(namespace, token, _sender.get()):
            await send(update=update, token=token)

    handlers = namespace.server.eio.handlers
    handlers["message"] = _readable(handlers["message"])
    namespace.on_event, namespace.emit_update = on_event, emit_update
