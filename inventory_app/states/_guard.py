"""The first door: every event of every client passes here, and only declared handlers go through.

Deny by default. The guard asks who is behind the cookie of the websocket's handshake, empties a
tab whose session has changed before anything is sent, and leaves the `Actor` for
`AuthState.audit_context()`. The second door, the operation's own check, is the truth.
"""

import json
import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import reflex as rx
import structlog
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext

from inventory_app import people
from inventory_app.buckets import Buckets
from inventory_app.context import NOBODY, Actor, acting_as
from inventory_app.errors import (
    AppError,
    FreshProofRequired,
    NotAllowed,
    NotSignedIn,
    PasswordChangeRequired,
    SecondFactorRequired,
)
from inventory_app.http import _requests as http
from inventory_app.http._posts import SECURITY_PAGE
from inventory_app.operations._attempts import address_key, counted_as
from inventory_app.operations._operation import OF_THE_PORTAL
from inventory_app.operations.sessions import SignedIn, hash_token
from inventory_app.permissions import Permission, works_for_a_supplier
from inventory_app.states import _live, _socket, _toast
from inventory_app.unit_of_work import in_thread, record_denial

log = structlog.get_logger(__name__)

Check = Callable[[Any], bool]


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def _vars(value: object) -> bool:
    """Whether a browser may send this as the vars it has stored: of States that exist (ours store none)."""
    states = RegistrationContext.get().base_states
    return isinstance(value, dict) and all(name.rpartition(".")[0] in states for name in value)


def _is(*kinds: type) -> Check:
    return lambda value: isinstance(value, kinds)


_ROOT = "reflex___state____state"
#: What Reflex itself sends, with what its arguments may be; `setvar` and uploads are not among them.
FRAMEWORK_EVENTS: dict[str, dict[str, Check]] = {
    f"{_ROOT}.hydrate": {},
    f"{_ROOT}.hydrate_and_load": {
        "vars": lambda value: value is None or _vars(value),
        "hashes": lambda value: value is None or _texts(value),
    },
    f"{_ROOT}.set_is_hydrated": {"value": _is(bool)},
    f"{_ROOT}.reflex___state____on_load_internal_state.on_load_internal": {},
    f"{_ROOT}.reflex___state____on_load_internal_state.set_is_hydrated": {"value": _is(bool)},
    f"{_ROOT}.reflex___state____update_vars_internal_state.update_vars_internal": {"vars": _vars},
    f"{_ROOT}.reflex___state____frontend_event_exception_state.handle_frontend_exception": {
        "info": _is(str),
        "component_stack": _is(str),
    },
}

_OUT_OF_DATE = "This page is out of date. Reload it."

_event_actor: ContextVar[Actor | None] = ContextVar("inventory_event_actor", default=None)


def event_actor() -> Actor | None:
    """Return who sent the event that is being handled; None outside an event."""
    return _event_actor.get()


def event_visitor() -> Actor | None:
    """Return the sender of the event as a stranger, for what strangers do: apply, register."""
    actor = _event_actor.get()
    return (
        None
        if actor is None
        else replace(actor, kind="anonymous", name=NOBODY, id=None, session_id=None, token_hash=None)
    )


class Refusals:
    """Guard refusals on their way into the trail: one record per (person or address, event, minute) with a count.

    A stranger must not be able to fill a table that nobody may empty, and nobody who is signed in may hide
    behind the refusals of somebody else at the same address.
    """

    def __init__(self) -> None:
        """Start with nothing counted."""
        self._counts: dict[tuple[str, str], tuple[float, Actor, AppError, int]] = {}

    async def note(self, actor: Actor, name: str, error: AppError) -> None:
        """Record the first refusal of a minute at once, count the others."""
        await self.flush(older_than=60.0)
        key = (counted_as(actor), name)
        if key in self._counts:
            since, first, first_error, count = self._counts[key]
            self._counts[key] = (since, first, first_error, count + 1)
            return
        self._counts[key] = (time.monotonic(), actor, error, 0)
        await self._write(actor, name, error, 1)

    async def flush(self, *, older_than: float = 0.0) -> None:
        """Record what was counted in windows older than `older_than` seconds."""
        now = time.monotonic()
        for key, (since, actor, error, count) in list(self._counts.items()):
            if now - since >= older_than:
                del self._counts[key]
                if count:
                    await self._write(actor, key[1], error, count)

    async def _write(self, actor: Actor, name: str, error: AppError, count: int) -> None:
        with acting_as(actor):
            await in_thread(record_denial, name, error, count)


class Guard(Middleware):
    """Lets an event through only when its handler is declared and its sender may."""

    def __init__(self, *, events_per_second: float) -> None:
        """Slow an address down above four times `events_per_second`; `_socket` does one socket."""
        self.refusals = Refusals()
        self._addresses = Buckets(events_per_second * 4, events_per_second * 8)

    async def preprocess(self, app: Any, state: BaseState, event: Event) -> StateUpdate | None:
        """Decide about one event; None lets it through, anything else is the answer instead."""
        from inventory_app.states.auth import AuthState  # noqa: PLC0415  # it imports this module

        root = state._get_root_state()  # noqa: SLF001  # Reflex has no public way to the root
        _live.seen(str(root.router_data.get("token", "")))
        if not _socket.holds_token(app, root.router_data):
            # Somebody else holds the tab by now: nothing may be done in the name of who left, nor be answered.
            return StateUpdate()
        _socket.sent_by(root.router_data.get("sid"))
        actor = _actor_of(root.router_data)
        address = address_key(actor.client_ip)
        if not self._addresses.take(address):
            log.warning("events_slowed_down", client_ip=actor.client_ip)
            return _answer(_toast.error("Too many requests. Wait a moment."))
        person = await people.who(actor)
        if person is not None:
            actor = people.named(actor, person)
        auth = await root.get_state(AuthState)
        if auth._filled_with != (filled := (_session_key(person), person)):  # noqa: SLF001  # ours
            lost = auth.permissions.keys() - (person.permissions if person else frozenset())
            if lost or auth._filled_with[0] != filled[0]:  # noqa: SLF001  # ours
                await _empty(root)
                auth = await root.get_state(AuthState)
            auth._fill(person, filled[0])  # noqa: SLF001  # ours
        _live.noticed(str(root.router_data.get("token", "")), person)
        _event_actor.set(actor)
        try:
            if not _well_formed(event):
                raise NotAllowed(_OUT_OF_DATE)
            if event.name in FRAMEWORK_EVENTS:
                return None
            _decide(event.name, person)
        except AppError as error:
            await self.refusals.note(actor, _refused_name(event.name), error)
            # In place of a page somebody may not see stands which permission it needs: once is enough.
            said = isinstance(error, NotAllowed) and event.name.endswith(".load") and _declared(event.name)
            return await _refuse(root, None if said else error)
        return None


def _well_formed(event: Event) -> bool:
    """Whether a handler can be called with what the event holds; what ours take they check themselves."""
    payload: object = event.payload
    if not isinstance(payload, dict) or "self" in payload:
        return False
    checks = FRAMEWORK_EVENTS.get(event.name)
    return checks is None or all(name in checks and checks[name](value) for name, value in payload.items())


def _decide(event_name: str, person: SignedIn | None) -> None:
    """Raise the refusal, if this person may not send this event."""
    declared = _declared(event_name)
    if declared is None:
        raise NotAllowed(_OUT_OF_DATE)
    if declared.public:
        return
    if person is None:
        raise NotSignedIn
    if person.must_change_password:
        raise PasswordChangeRequired
    if person.needs_factor and not declared.without_factor:
        raise SecondFactorRequired
    if declared.permission is not None and declared.permission not in person.permissions:
        raise NotAllowed(needs(declared.permission))
    if declared.permission is None and not declared.everybody and works_for_a_supplier(person.permissions):
        raise NotAllowed(OF_THE_PORTAL)


def needs(permission: Permission) -> str:
    """Say which permission is missing and who can give it."""
    return f"This needs the permission “{permission.label}” ({permission}). Ask an administrator."


def _declared(event_name: str) -> Any:
    registered = RegistrationContext.get().event_handlers.get(event_name)
    return getattr(registered.handler.fn, "declared_action", None) if registered else None


def _refused_name(event_name: str) -> str:
    declared = _declared(event_name)
    if declared is not None and declared.operation:
        return declared.operation
    # Only names we know: a stranger chooses what stands in the trail otherwise.
    known = event_name in RegistrationContext.get().event_handlers
    return f"event.{event_name.rpartition('____')[2]}" if known else "event.unknown"


def _actor_of(router_data: dict[str, Any]) -> Actor:
    headers = router_data.get("headers") or {}
    token = http.cookie(headers.get("cookie", ""), "session")
    return Actor(
        kind="user" if token else "anonymous",
        name=NOBODY,
        token_hash=hash_token(token) if token else None,
        client_ip=router_data.get("ip"),
        user_agent=headers.get("user-agent"),
        request_id=secrets.token_hex(8),
    )


def _session_key(person: SignedIn | None) -> str:
    """Return what stays the same while a session goes on, under a new token as well; empty when there is none."""
    return str(person.session_id) if person else ""


async def _empty(root: BaseState) -> None:
    """Forget everything this tab was filled with: it belonged to another session, or to none."""
    for substate in root.substates.values():
        substate.reset()


async def _refuse(root: BaseState, error: AppError | None) -> StateUpdate:
    """Answer a refused event: what was emptied is sent along with the reason, unless the page says it."""
    delta = await root._get_resolved_delta()  # noqa: SLF001  # as Reflex's own middleware does
    root._clean()  # noqa: SLF001  # as above
    events = refusal_events(root.router_data.get("asPath", "/"), error) if error else []
    return StateUpdate(delta=delta, events=Event.from_event_type(events))


def refusal_events(path: str, error: AppError) -> list[Any]:
    """Return what a refused person sees: where to sign in, or the sentence."""
    if isinstance(error, NotSignedIn):
        go = sign_in_page(path)
        actor = event_actor()
        # Somebody who was never signed in has lost nothing.
        return [go, _toast.warning(str(error))] if actor and actor.token_hash else [go]
    if isinstance(error, PasswordChangeRequired):
        return [rx.redirect("/password"), _toast.warning(str(error))]
    if isinstance(error, SecondFactorRequired):
        return [rx.redirect(SECURITY_PAGE), _toast.warning(str(error))]
    if isinstance(error, FreshProofRequired):
        return [confirm_page(path), _toast.warning(str(error))]
    return [_toast.error(str(error), duration=12_000)]


def confirm_page(path: str) -> Any:
    """Lead to where people prove again that it is them, and back to `path` afterwards."""
    return rx.redirect("/confirm?next=" + quote(http.local_path(path), safe=""))


def sign_in_page(path: str) -> Any:
    """Lead to the sign-in page and back to `path` afterwards, by a full load.

    The websocket keeps the cookie of its handshake; a new one may be signed in already, from another tab.
    """
    return rx.call_script(f"location.assign({json.dumps(sign_in_address(path))})")


def sign_in_address(path: str) -> str:
    """Return the address of the sign-in page that leads back to `path`."""
    return "/login?next=" + quote(path, safe="")


def _answer(event: Any) -> StateUpdate:
    return StateUpdate(events=Event.from_event_type(event))
