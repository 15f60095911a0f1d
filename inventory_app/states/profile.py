"""One's own account: name, address, picture."""

from typing import Any

import reflex as rx

from inventory_app import people
from inventory_app.operations import accounts, pictures
from inventory_app.states import _toast
from inventory_app.states._action import FormState, Line, Payload, action
from inventory_app.states.auth import AuthState, initials
from inventory_app.unit_of_work import fetch, in_transaction


class NameForm(Payload):
    """One's own name, and the version it was read with."""

    full_name: Line
    version: int


class EmailForm(Payload):
    """One's own e-mail address, and the version it was read with."""

    email: Line
    version: int


class ProfileState(FormState, rx.State):
    """The signed-in person's own account."""

    loading: bool = True
    username: str = ""
    full_name: str = ""
    email: str = ""
    initials: str = ""
    picture: str = ""
    roles: list[str] = []
    since: str = ""
    version: int = 0

    @rx.event
    @action(everybody=True)
    async def load(self) -> None:
        """Show one's own account as it is now."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            mine = await fetch(accounts.my_account)
        self.username, self.full_name, self.email = mine.username, mine.full_name, mine.email
        self.initials, self.picture = initials(mine.full_name), mine.picture
        self.roles, self.since, self.version = mine.roles, mine.since, mine.version
        self._new_form()
        self.loading = False

    @rx.event
    @action(accounts.update_profile)
    async def update_profile(self, form: NameForm) -> Any:
        """Correct one's own name."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(accounts.update_profile, **form.arguments())
        return self._done(f"Your name is now {name}")

    @rx.event
    @action(accounts.update_own_email)
    async def update_email(self, form: EmailForm) -> Any:
        """Change one's own e-mail address."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            email = await in_transaction(accounts.update_own_email, **form.arguments())
        return self._done(f"Your address is now {email}")

    @rx.event
    @action(everybody=True)
    async def remove_picture(self, idempotency_key: Line = "") -> Any:
        """Remove one's own picture."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            await in_transaction(pictures.remove_picture, idempotency_key=idempotency_key or None)
        return self._done("Your picture is removed")

    def _done(self, message: str) -> Any:
        people.forget_everybody()
        return [AuthState.guard_page, ProfileState.load, _toast.success(message)]
