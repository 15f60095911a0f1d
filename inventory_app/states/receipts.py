"""Receipts: the list, and one with what it booked, taking it back and sending goods back."""

from collections.abc import Mapping
from typing import Any, ClassVar

import reflex as rx

from inventory_app.errors import Invalid, InvalidRows
from inventory_app.operations import receipts, receiving
from inventory_app.operations._lists import Listing, say_count
from inventory_app.operations._numbers import typed
from inventory_app.operations._receipt_lines import Back
from inventory_app.operations._receipt_list import LIST
from inventory_app.operations.receipts import ReceiptDetail, ReceiptRow, Returnable
from inventory_app.permissions import Permission
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Note, Payload, action
from inventory_app.states._list import Listed, ListState
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction

PATH = "/receipts"


class ReceiptsState(ListState, rx.State):
    """The receipts the address asks for."""

    columns: list[str] = LIST.everybodys()
    rows: list[ReceiptRow] = []
    everything: str = ""
    kinds: dict[str, str] = {}

    _listing: ClassVar[Listing] = LIST
    _path: ClassVar[str] = PATH

    @rx.event
    @action(Permission.ORDERS_VIEW)
    async def load(self) -> None:
        """Show the receipts the address asks for."""
        view = await self._asked()
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(receipts.list_receipts, view=view)
        self.rows = found.page.rows
        self.everything = say_count(found.everything)
        self.kinds = {kind: say_count(count) for kind, count in found.kinds.items()}
        listed = Listed(found.view, found.page, found.count, found.everything)
        choices = {"supplier": found.suppliers, "location": found.locations}
        await self._show_list(listed, (row.id for row in found.page.rows), choices)


class CorrectionForm(Payload):
    """Why a receipt is taken back."""

    receipt_id: Id
    note: Note = ""


class ReceiptState(FormState, rx.State):
    """The receipt the address names, and the dialogs over it."""

    loading: bool = True
    detail: ReceiptDetail | None = None
    dialog: str = ""
    order_id: int = 0
    returnable: list[Returnable] = []

    @rx.event
    @action(Permission.ORDERS_VIEW)
    async def load(self) -> None:
        """Show the receipt the address names."""
        asked = _view.number({"id": self.router.url.path.rstrip("/").rpartition("/")[2]}, "id")
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(receipts.receipt_page, receipt_id=asked) if asked else None
        if found is None or self.detail is None or found.row.id != self.detail.row.id:
            self.dialog = ""
        self.detail = found
        self.loading = False

    @rx.event
    @action(Permission.ORDERS_RECEIVE)
    async def open_correct(self) -> None:
        """Ask why the receipt is taken back."""
        self._new_form()
        self.dialog = "correct"

    @rx.event
    @action(Permission.ORDERS_RECEIVE)
    async def open_return(self) -> None:
        """Ask what goes back, and from where."""
        if self.detail is None:
            return
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.returnable = await fetch(receipts.to_send_back, receipt_id=self.detail.row.id)
        self.order_id = self.detail.order_id
        self._new_form()
        self.dialog = "return"

    @rx.event
    @action(Permission.ORDERS_VIEW)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(receiving.correct_receipt)
    async def correct_receipt(self, form: CorrectionForm) -> Any:
        """Take the receipt back."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(receiving.correct_receipt, **form.arguments())
        return self._done(f"Taken back by {done.number}")

    @rx.event
    @action(receiving.return_goods)
    async def return_goods(self, form: dict[str, Note]) -> Any:
        """Send back what the form says of each line; a line left empty stays."""
        order_id = _view.number(form, "order_id")
        asked: list[Back] = []
        wrong: dict[str, str] = {}
        for name, value in form.items():
            what, _, line = name.partition(":")
            if what != "quantity" or not value or not (line_id := _view.number({"id": line}, "id")):
                continue
            try:
                asked.append(Back(line_id, typed(value), _view.number(form, f"item:{line}")))
            except ValueError as error:
                wrong[name] = str(error)
        if wrong:
            raise Invalid(fields=wrong)
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            try:
                done = await in_transaction(
                    receiving.return_goods,
                    order_id=order_id or 0,
                    lines=asked,
                    note=form.get("note", ""),
                    idempotency_key=form.get("idempotency_key") or None,
                )
            except InvalidRows as error:
                raise Invalid(
                    fields=beside(error, {n: str(one.line_id) for n, one in enumerate(asked, start=1)})
                ) from error
        return self._done(f"Sent back with {done.number}")

    def _done(self, message: str) -> Any:
        self.dialog = ""
        self._new_form()
        return [ReceiptState.load, _toast.success(message)]


#: Beside which input a sentence stands that is about another part of a row.
_INPUT = {"item_id": "item", "location_id": "place", "lot_code": "lot", "expires_on": "expires"}


def beside(error: InvalidRows, keys: Mapping[int, str]) -> dict[str, str]:
    """Return the sentences of a refused batch by the inputs of its rows: `quantity:<key>`, `lot:<key>`."""
    return {
        f"{_INPUT.get(field, 'quantity')}:{keys[row]}": f"{sentence[:1].upper()}{sentence[1:]}."
        for row, field, sentence in error.rows
    }
