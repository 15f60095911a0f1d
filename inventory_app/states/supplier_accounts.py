"""Who of a supplier may use the portal: shown on the supplier's page, invited and ended there."""

from typing import Any

import reflex as rx

from inventory_app import one_time_links, people
from inventory_app.operations import proving, supplier_accounts
from inventory_app.operations.sessions import hash_token
from inventory_app.operations.supplier_accounts import AccountRow
from inventory_app.permissions import Permission
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Line, Note, Payload, action
from inventory_app.states.accounts import AccountsState
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction


class PortalInviteForm(Payload):
    """Who of which supplier is invited; the operation says what is wrong with it."""

    supplier_id: Id
    username: Line
    full_name: Line
    email: Line


class EndForm(Payload):
    """Whose access ends, and why."""

    user_id: Id
    reason: Note


class SupplierAccountsState(FormState, rx.State):
    """The accounts of the supplier the address names."""

    rows: list[AccountRow] = []
    supplier_id: int = 0
    dialog: str = ""
    chosen: int = 0
    chosen_name: str = ""

    @rx.event
    @action(Permission.SUPPLIERS_VIEW)
    async def load(self) -> None:
        """Show who of the supplier has an account."""
        asked = _view.number({"id": self.router.url.path.rstrip("/").rpartition("/")[2]}, "id") or 0
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.rows = await fetch(supplier_accounts.accounts_of, supplier_id=asked)
        if asked != self.supplier_id:
            self.dialog = ""
        self.supplier_id = asked

    @rx.event
    @action(supplier_accounts.invite_to_portal)
    async def open_invite(self) -> None:
        """Ask who of the supplier is to be invited."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            # Refused here rather than after everything has been filled in.
            await fetch(proving.proved_lately)
        self._new_form()
        self.dialog = "invite"

    @rx.event
    @action(supplier_accounts.end_portal_access)
    async def open_end(self, user_id: Id) -> None:
        """Ask why somebody's access ends."""
        found = next((row for row in self.rows if row.user_id == user_id), None)
        self._new_form()
        self.dialog = "end" if found else ""
        self.chosen, self.chosen_name = (found.user_id, found.name) if found else (0, "")

    @rx.event
    @action(Permission.SUPPLIERS_VIEW)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(supplier_accounts.invite_to_portal)
    async def invite(self, form: PortalInviteForm) -> Any:
        """Make an account for somebody of the supplier, and the link they come in by."""
        token = one_time_links.new_token()
        # Without the key: a second sending would be answered with a link that nobody has. Usernames are unique anyway.
        entered = form.arguments() | {"idempotency_key": None, "token_hash": hash_token(token)}
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            made = await in_transaction(supplier_accounts.invite_to_portal, **entered)
        self.dialog = ""
        accounts_state = await self.get_state(AccountsState)
        await accounts_state._keep_link(made, token)  # noqa: SLF001  # ours
        return SupplierAccountsState.load

    @rx.event
    @action(supplier_accounts.end_portal_access)
    async def end_access(self, form: EndForm) -> Any:
        """Close the portal to somebody."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(supplier_accounts.end_portal_access, **form.arguments())
        return self._done(f"{name} cannot use the portal any more")

    @rx.event
    @action(supplier_accounts.give_portal_access_back)
    async def give_back(self, user_id: Id, idempotency_key: Line = "") -> Any:
        """Open the portal to somebody again."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(
                supplier_accounts.give_portal_access_back, user_id=user_id, idempotency_key=idempotency_key or None
            )
        return self._done(f"{name} can use the portal again")

    def _done(self, message: str) -> Any:
        people.forget_everybody()
        self._new_form()
        self.dialog = ""
        return [SupplierAccountsState.load, _toast.success(message)]
