"""One's own security page: second factors, recovery codes, and where one is signed in."""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from inventory_app import passkeys, people
from inventory_app.operations import devices, factors, single_sign_on
from inventory_app.operations.factors import FactorRow, NewApp
from inventory_app.operations.single_sign_on import Connection
from inventory_app.states import _toast
from inventory_app.states._action import FormState, Id, Line, Payload, action
from inventory_app.states.auth import AuthState
from inventory_app.states.sessions import Device, shown
from inventory_app.unit_of_work import fetch, in_transaction


@dataclass(frozen=True, slots=True)
class Factor:
    """A second factor in words."""

    id: int
    kind: str
    name: str
    created: str
    last_used: str
    unreadable: bool
    why_not: str


class RenameForm(Payload):
    """What a factor shall be called."""

    factor_id: Id
    name: Line


class SecurityState(FormState, rx.State):
    """The security page; the secret of a new app and new recovery codes are here only while they are shown."""

    rows: list[Factor] = []
    live: list[Device] = []
    connections: list[Connection] = []
    codes_left: int = 0
    role_needs_one: bool = False
    #: Signed in without the second factor that the person has.
    weak: bool = False
    passkeys_possible: bool = False
    loading: bool = True

    dialog: str = ""
    chosen: Factor | None = None
    connection_id: int = 0
    app_id: int = 0
    secret: str = ""
    qr: str = ""
    qr_box: str = ""
    codes: list[str] = []

    @rx.event
    @action(without_factor=True)
    async def load(self) -> None:
        """Show what one proves oneself by, and where one is signed in."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            mine = await fetch(factors.my_factors)
            sessions = await fetch(devices.my_sessions)
            self.connections = await fetch(single_sign_on.my_connections)
            again = await fetch(factors.unfinished_app) if "code" in auth_state.form_errors else None
        self.rows = [_factor(row) for row in mine.factors]
        self.codes_left, self.role_needs_one = mine.codes_left, mine.role_needs_one
        self.weak = bool(mine.factors) and not mine.strong
        self.live = [shown(row) for row in sessions]
        self.passkeys_possible = bool(passkeys.host())
        self._forget_secrets()
        self.dialog = ""
        if again is not None:
            self._show_app(again)
        if not self.idempotency_key:
            self._new_form()
        self.loading = False

    def _forget_secrets(self) -> None:
        self.secret, self.qr, self.codes = "", "", []

    def _show_app(self, app: NewApp) -> None:
        self.app_id, self.secret, self.qr = app.factor_id, app.secret, app.qr
        self.qr_box = f"0 0 {app.width} {app.width}"
        self.dialog = "app"

    @rx.event
    @action(without_factor=True)
    async def add_app(self) -> None:
        """Make the secret of a new authenticator app and show it."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            # Without a key: its record would keep the secret.
            self._show_app(await in_transaction(factors.begin_totp))
        auth_state.form_errors = {}

    @rx.event
    @action(without_factor=True)
    async def add_passkey(self) -> None:
        """Ask what the new passkey shall be called."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            # Refused here rather than after the person has touched the key.
            await fetch(factors.registering)
        self.dialog = "passkey"

    @rx.event
    @action(without_factor=True)
    async def make_codes(self) -> None:
        """Make ten recovery codes and show them once."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            # Without a key, as above.
            codes = await in_transaction(factors.new_recovery_codes)
        self.codes, self.codes_left, self.dialog = codes, len(codes), "codes"

    @rx.event
    @action(without_factor=True)
    async def open_codes(self) -> None:
        """Ask once before the codes that were kept become worthless."""
        self.dialog = "new codes"

    @rx.event
    @action(without_factor=True)
    async def open_rename(self, factor_id: Id) -> None:
        """Ask for another name of a factor."""
        self._open("rename", factor_id)

    @rx.event
    @action(without_factor=True)
    async def open_remove(self, factor_id: Id) -> None:
        """Ask once before a factor is removed."""
        self._open("remove", factor_id)

    def _open(self, dialog: str, factor_id: int) -> None:
        self.chosen = next((row for row in self.rows if row.id == factor_id), None)
        self._new_form()
        self.dialog = dialog if self.chosen else ""

    @rx.event
    @action(without_factor=True)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog; what it showed once is gone."""
        if not is_open:
            self.dialog = ""
            self._forget_secrets()

    @rx.event
    @action(without_factor=True)
    async def rename(self, form: RenameForm) -> Any:
        """Call a factor by another name."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            await in_transaction(factors.rename_factor, **form.arguments())
        return self._done("Renamed")

    @rx.event
    @action(without_factor=True)
    async def remove(self, factor_id: Id, idempotency_key: Line = "") -> Any:
        """Remove one of one's own factors."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(
                factors.remove_factor, factor_id=factor_id, idempotency_key=idempotency_key or None
            )
        return self._done(f"Removed {name}")

    @rx.event
    @action(without_factor=True)
    async def open_disconnect(self, connection_id: Id) -> None:
        """Ask once before single sign-on is disconnected."""
        self.connection_id = connection_id
        self._new_form()
        self.dialog = "disconnect"

    @rx.event
    @action(without_factor=True)
    async def disconnect(self, connection_id: Id, idempotency_key: Line = "") -> Any:
        """Disconnect single sign-on from one's own account."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            await in_transaction(
                single_sign_on.disconnect, connection_id=connection_id, idempotency_key=idempotency_key or None
            )
        return self._done("Single sign-on is disconnected")

    @rx.event
    @action(without_factor=True)
    async def end_session(self, session_id: Id, idempotency_key: Line = "") -> Any:
        """Sign one of one's other devices out."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            await in_transaction(devices.end_my_session, session_id=session_id, idempotency_key=idempotency_key or None)
        return self._done("That device is signed out")

    @rx.event
    @action(without_factor=True)
    async def end_other_sessions(self, idempotency_key: Line = "") -> Any:
        """Sign all of one's other devices out."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            await in_transaction(devices.end_my_other_sessions, idempotency_key=idempotency_key or None)
        return self._done("All other devices are signed out")

    def _done(self, message: str) -> Any:
        people.forget_everybody()
        self._new_form()
        self.dialog = ""
        return [SecurityState.load, _toast.success(message)]


def _factor(row: FactorRow) -> Factor:
    return Factor(row.id, row.kind, row.name, row.created, row.last_used, row.unreadable, row.why_not)
