"""Whom to speak to at the supplier the address names."""

from typing import Any

import reflex as rx

from inventory_app.operations import supplier_contacts
from inventory_app.operations.supplier_contacts import ContactRow
from inventory_app.permissions import Permission
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Line, Name, Note, Payload, action
from inventory_app.states._product_forms import Tick
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction


class _Contact(Payload):
    name: Name
    position: Line = ""
    email: Line = ""
    phone: Line = ""
    note: Note = ""


class NewContactForm(_Contact):
    """Somebody at a supplier, to be entered."""

    supplier_id: Id


class ContactForm(_Contact):
    """A contact as somebody corrects it, in the version that was read."""

    contact_id: Id
    version: int
    active: Tick = False


class SupplierContactsState(FormState, rx.State):
    """The contacts of the supplier the address names, and the dialog over them."""

    rows: list[ContactRow] = []
    supplier_id: str = ""
    dialog: str = ""
    contact: ContactRow | None = None

    @rx.event
    @action(Permission.SUPPLIERS_VIEW)
    async def load(self) -> None:
        """Show the contacts of the supplier the address names."""
        asked = _view.number({"id": self.router.url.path.rstrip("/").rpartition("/")[2]}, "id")
        self.rows, self.dialog, self.supplier_id = [], "", str(asked or "")
        if asked is None:
            return
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.rows = await fetch(supplier_contacts.contacts, supplier_id=asked)

    @rx.event
    @action(supplier_contacts.add_contact)
    async def open_add(self) -> None:
        """Ask for a contact."""
        self._new_form()
        self.contact, self.dialog = None, "add"

    @rx.event
    @action(supplier_contacts.update_contact)
    async def open_edit(self, contact_id: Id) -> None:
        """Ask what is to be corrected about a contact."""
        self.contact = next((row for row in self.rows if row.id == contact_id), None)
        self._new_form()
        self.dialog = "edit" if self.contact else ""

    @rx.event
    @action(Permission.SUPPLIERS_VIEW)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(supplier_contacts.add_contact)
    async def add_contact(self, form: NewContactForm) -> Any:
        """Enter a contact."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(supplier_contacts.add_contact, **form.arguments())
        return self._done(f"Entered {done.name} of {done.supplier}")

    @rx.event
    @action(supplier_contacts.update_contact)
    async def update_contact(self, form: ContactForm) -> Any:
        """Correct a contact."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(supplier_contacts.update_contact, **form.arguments())
        return self._done(f"Corrected {done.name} of {done.supplier}")

    def _done(self, message: str) -> Any:
        self.dialog = ""
        self._new_form()
        return [SupplierContactsState.load, _toast.success(message)]
