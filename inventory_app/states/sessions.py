"""Somebody else's sessions and second factors, for those who may end and reset them: part of a person's page."""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from inventory_app import people
from inventory_app.operations import devices, factors, single_sign_on
from inventory_app.operations.devices import SessionRow
from inventory_app.permissions import Permission
from inventory_app.states import _toast
from inventory_app.states._action import FormState, Id, Line, Note, Payload, action
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction

_METHODS = {
    "password": "password",
    "totp": "authenticator app",
    "recovery_code": "recovery code",
    "passkey": "passkey",
    "single_sign_on": "single sign-on",
}


@dataclass(frozen=True, slots=True)
class Device:
    """A live session in words."""

    id: int
    device: str
    address: str
    begun: str
    seen: str
    method: str
    strong: bool
    current: bool


def shown(row: SessionRow) -> Device:
    """Put a session into words."""
    method = ", ".join(_METHODS.get(part, part) for part in row.method.split("+"))
    return Device(row.id, row.device, row.address, row.begun, row.seen, method, row.strong, row.current)


class ResetForm(Payload):
    """Whose second factors or single sign-on shall be taken away, and why."""

    user_id: Id
    reason: Note


class PersonSessionsState(FormState, rx.State):
    """The sessions of the person a page is about: the page calls `load_person` with `LocalUser.id`."""

    user_id: int = 0
    username: str = ""
    live: list[Device] = []
    factor_count: int = 0
    connection_count: int = 0
    why_not: str = ""
    dialog: str = ""

    @rx.event
    @action(Permission.USERS_MANAGE)
    async def load_person(self, user_id: Id) -> None:
        """Show where this person is signed in."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(devices.sessions_of, user_id=user_id)
        self.user_id, self.username = user_id, found.username
        self.live = [shown(row) for row in found.sessions]
        self.factor_count, self.why_not = found.factors, found.why_not
        self.connection_count = found.connections
        if not self.idempotency_key:
            self._new_form()

    @rx.event
    @action(factors.reset_factors)
    async def open_reset(self) -> None:
        """Ask why somebody's second factors shall be taken away."""
        self._new_form()
        self.dialog = "reset"

    @rx.event
    @action(single_sign_on.disconnect_person)
    async def open_disconnect(self) -> None:
        """Ask why single sign-on shall let somebody in no more."""
        self._new_form()
        self.dialog = "disconnect"

    @rx.event
    @action(factors.reset_factors)
    async def open_ask_end(self) -> None:
        """Ask once before somebody is signed out everywhere."""
        self._new_form()
        self.dialog = "end"

    @rx.event
    @action(Permission.USERS_MANAGE)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(devices.end_sessions_of)
    async def end_session(self, user_id: Id, session_id: Id, idempotency_key: Line = "") -> Any:
        """Sign one device of somebody out."""
        return await self._end(user_id, session_id, idempotency_key)

    @rx.event
    @action(devices.end_sessions_of)
    async def end_all_sessions(self, user_id: Id, idempotency_key: Line = "") -> Any:
        """Sign somebody out everywhere."""
        return await self._end(user_id, None, idempotency_key)

    async def _end(self, user_id: int, session_id: int | None, key: str) -> Any:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(
                devices.end_sessions_of, user_id=user_id, session_id=session_id, idempotency_key=key or None
            )
        return self._done(user_id, f"Signed {name} out{' everywhere' if session_id is None else ' there'}")

    @rx.event
    @action(factors.reset_factors)
    async def reset_factors(self, form: ResetForm) -> Any:
        """Take all second factors from somebody who has lost them; their sessions end."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(factors.reset_factors, **form.arguments())
        return self._done(form.user_id, f"{name} has no second factor any more, and is signed out everywhere")

    @rx.event
    @action(single_sign_on.disconnect_person)
    async def disconnect(self, form: ResetForm) -> Any:
        """Take somebody's single sign-on away; their sessions end."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(single_sign_on.disconnect_person, **form.arguments())
        return self._done(form.user_id, f"{name} is not connected any more, and is signed out everywhere")

    def _done(self, user_id: int, message: str) -> Any:
        people.forget_everybody()
        self._new_form()
        self.dialog = ""
        return [PersonSessionsState.load_person(user_id), _toast.success(message)]
