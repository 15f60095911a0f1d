"""One invoice: side by side with what was ordered and what came, released or voided from here."""

from typing import Annotated, Any

import reflex as rx
from pydantic import Field

from inventory_app.operations import invoices
from inventory_app.operations._invoice_views import InvoiceDetail
from inventory_app.operations._match_views import MatchRow
from inventory_app.permissions import Permission
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Note, Payload, action
from inventory_app.states.auth import AuthState
from inventory_app.states.invoices import PATH
from inventory_app.unit_of_work import fetch, in_transaction


class ReleaseForm(Payload):
    """A release of what somebody has read."""

    invoice_id: Id
    version: int
    differences: Annotated[str, Field(max_length=64)]
    reason: Note = ""


class VoidForm(Payload):
    """Why a paper does not count."""

    invoice_id: Id
    version: int
    reason: Note = ""


class InvoicePageState(FormState, rx.State):
    """The invoice the address names."""

    loading: bool = True
    detail: InvoiceDetail | None = None
    #: What is shown of it: all lines, or those that do not agree.
    rows: list[MatchRow] = []
    only_differences: bool = False
    all_href: str = ""
    differences_href: str = ""
    credit_href: str = ""
    dialog: str = ""
    #: What the dialog was opened on: what others change meanwhile must not get into it.
    version: int = 0
    read: str = ""

    @rx.event
    @action(Permission.INVOICES_VIEW)
    async def load(self) -> None:
        """Show the invoice the address names."""
        asked = _view.number({"id": self.router.url.path.rstrip("/").rpartition("/")[2]}, "id")
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(invoices.invoice_detail, invoice_id=asked) if asked else None
        if found is None or self.detail is None or found.id != self.detail.id:
            self.dialog = ""
            self._new_form()
        self.detail, self.loading = found, False
        if found is None:
            return
        self.all_href = f"{PATH}/{found.id}"
        self.differences_href = _view.href(self.all_href, {}, show="differences")
        self.credit_href = _view.href(f"{PATH}/new", {}, credits=str(found.id))
        self.only_differences = self.router.url.query_parameters.get("show") == "differences"
        self.rows = [row for row in found.sides.rows if row.differs or not self.only_differences]

    @rx.event
    @action(Permission.INVOICES_RELEASE)
    async def open_release(self) -> None:
        """Ask why it may be paid although it does not agree."""
        self._open("release")

    @rx.event
    @action(Permission.INVOICES_RECORD)
    async def open_void(self) -> None:
        """Ask why it does not count."""
        self._open("void")

    def _open(self, dialog: str) -> None:
        if self.detail is None:
            return
        self._new_form()
        self.version, self.read, self.dialog = self.detail.version, self.detail.read, dialog

    @rx.event
    @action(Permission.INVOICES_VIEW)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(invoices.release_invoice)
    async def release_invoice(self, form: ReleaseForm) -> Any:
        """Let it be paid."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(invoices.release_invoice, **form.arguments())
        return self._done(f"Released {done.number}")

    @rx.event
    @action(invoices.void_invoice)
    async def void_invoice(self, form: VoidForm) -> Any:
        """Make it count no more."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(invoices.void_invoice, **form.arguments())
        return self._done(f"Voided {done.number}")

    def _done(self, sentence: str) -> list[Any]:
        self.dialog = ""
        self._new_form()
        return [InvoicePageState.load, _toast.success(sentence)]
