"""The bank accounts of the supplier the address names."""

from typing import Any

import reflex as rx

from inventory_app.operations import bank_accounts, suppliers
from inventory_app.operations.bank_accounts import AccountRow
from inventory_app.permissions import Permission
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Line, Note, Payload, action
from inventory_app.states._product_forms import MaybeId
from inventory_app.states.auth import AuthState
from inventory_app.states.supplier_page import SupplierPageState
from inventory_app.unit_of_work import fetch, in_transaction


class AccountForm(Payload):
    """A bank account to be entered, for the supplier in the version that was read."""

    supplier_id: Id
    version: int
    holder: Line
    iban: Line
    bic: Line = ""
    bank: Line = ""
    currency: Line = ""
    replaces: MaybeId = None


class RetireForm(Payload):
    """An account no money is to go to any more, in the version that was read, and why."""

    account_id: Id
    version: int
    reason: Note = ""


class BankAccountsState(FormState, rx.State):
    """The accounts of the supplier the address names, and the dialog over them."""

    rows: list[AccountRow] = []
    dialog: str = ""
    account: AccountRow | None = None
    #: What the dialog that enters one began with.
    supplier_id: str = ""
    holder: str = ""
    currency: str = ""
    version: int = 0
    approved: bool = False

    @rx.event
    @action(Permission.SUPPLIERS_VIEW)
    async def load(self) -> None:
        """Show the accounts of the supplier the address names."""
        asked = _view.number({"id": self.router.url.path.rstrip("/").rpartition("/")[2]}, "id")
        self.rows, self.dialog, self.supplier_id = [], "", str(asked or "")
        if asked is None:
            return
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.rows = await fetch(bank_accounts.bank_accounts, supplier_id=asked)

    @rx.event
    @action(bank_accounts.add_bank_account)
    async def open_add(self) -> None:
        """Ask for an account."""
        await self._open_add(None)

    @rx.event
    @action(bank_accounts.add_bank_account)
    async def open_replace(self, account_id: Id) -> None:
        """Ask for the account that takes another's place."""
        await self._open_add(account_id)

    async def _open_add(self, replaces: int | None) -> None:
        asked = int(self.supplier_id or 0)
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(suppliers.supplier_to_edit, supplier_id=asked)
        if found is None:
            return
        self._new_form()
        self.account = next((row for row in self.rows if row.id == replaces), None)
        self.holder, self.currency = found.values["name"], found.values["currency"]
        self.version, self.approved, self.dialog = found.version, found.approved, "add"

    @rx.event
    @action(bank_accounts.retire_bank_account)
    async def open_retire(self, account_id: Id) -> None:
        """Ask why no money is to go to an account any more."""
        self.account = next((row for row in self.rows if row.id == account_id), None)
        self._new_form()
        self.dialog = "retire" if self.account else ""

    @rx.event
    @action(Permission.SUPPLIERS_VIEW)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(bank_accounts.add_bank_account)
    async def add_bank_account(self, form: AccountForm) -> Any:
        """Enter an account; somebody else releases it."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(bank_accounts.add_bank_account, **form.arguments())
        waits = f". {done.supplier} waits for approval again" if done.returned else ""
        return self._done(f"Entered the account; somebody else releases it{waits}")

    @rx.event
    @action(bank_accounts.retire_bank_account)
    async def retire_bank_account(self, form: RetireForm) -> Any:
        """Let no money go to an account any more."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            supplier = await in_transaction(bank_accounts.retire_bank_account, **form.arguments())
        return self._done(f"No money goes to that account of {supplier} any more")

    def _done(self, message: str) -> Any:
        self.dialog = ""
        self._new_form()
        # The supplier may wait for a decision now, and the counts beside the navigation with it.
        return [BankAccountsState.load, SupplierPageState.load, AuthState.guard_page, _toast.success(message)]
