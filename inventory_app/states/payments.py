"""Payments: the list, one with what it paid, a batch with its file, and who is owed what since when."""

from typing import Any, ClassVar

import reflex as rx

from inventory_app.operations import payment_views, payments, statements
from inventory_app.operations._lists import Listing, say_count
from inventory_app.operations._payment_list import LIST
from inventory_app.operations.payment_views import BatchDetail, PaymentDetail, PaymentRow
from inventory_app.operations.statements import Ageing, Statement
from inventory_app.permissions import Permission
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Note, Payload, action
from inventory_app.states._list import Listed, ListState
from inventory_app.states._reload import loaded_by
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction

PATH = "/payments"
BATCHES = f"{PATH}/batches"
AGEING = f"{PATH}/ageing"


class VoidForm(Payload):
    """Which payment is taken back, in the version that was read, and why."""

    payment_id: Id
    version: int
    reason: Note = ""


class PaymentsState(ListState, rx.State):
    """The payments the address asks for."""

    columns: list[str] = LIST.everybodys()
    rows: list[PaymentRow] = []
    everything: str = ""
    waiting: str = ""
    posted: str = ""

    _listing: ClassVar[Listing] = LIST
    _path: ClassVar[str] = PATH

    @rx.event
    @action(Permission.PAYMENTS_VIEW)
    async def load(self) -> None:
        """Show the payments the address asks for."""
        view = await self._asked()
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(payment_views.list_payments, view=view)
        self.rows, self.everything = found.page.rows, say_count(found.everything)
        self.waiting, self.posted = say_count(found.counts["waiting"]), say_count(found.counts["posted"])
        listed = Listed(found.view, found.page, found.count, found.everything)
        choices = {"supplier": found.suppliers, "currency": found.currencies}
        await self._show_list(listed, (row.id for row in found.page.rows), choices)


class PaymentState(FormState, rx.State):
    """The payment the address names."""

    loading: bool = True
    detail: PaymentDetail | None = None
    dialog: str = ""

    @rx.event
    @action(Permission.PAYMENTS_VIEW)
    async def load(self) -> None:
        """Show the payment the address names."""
        asked = _view.number({"id": self.router.url.path.rstrip("/").rpartition("/")[2]}, "id")
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(payment_views.payment_detail, payment_id=asked) if asked else None
        if found is None or self.detail is None or found.row.id != self.detail.row.id:
            self.dialog = ""
            self._new_form()
        self.detail = found
        self.loading = False

    @rx.event
    @action(payments.void_payment)
    async def open_void(self) -> None:
        """Ask why the payment is taken back."""
        self._new_form()
        self.dialog = "void"

    @rx.event
    @action(Permission.PAYMENTS_VIEW)
    async def close(self, is_open: bool) -> None:  # noqa: FBT001  # what a dialog sends
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(payments.void_payment)
    async def void_payment(self, form: VoidForm) -> Any:
        """Take the payment back."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(payments.void_payment, **form.arguments())
        self.dialog = ""
        self._new_form()
        return [PaymentState.load, _toast.success(f"Took {done.number} back: {done.counter_number}")]


class BatchState(rx.State):
    """The batch of payments the address names."""

    loading: bool = True
    detail: BatchDetail | None = None
    csv_href: str = ""
    xml_href: str = ""

    @rx.event
    @action(Permission.PAYMENTS_VIEW)
    async def load(self) -> None:
        """Show the batch the address names."""
        asked = _view.number({"id": self.router.url.path.rstrip("/").rpartition("/")[2]}, "id")
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.detail = await fetch(payment_views.batch_detail, batch_id=asked) if asked else None
        self.csv_href, self.xml_href = (f"{BATCHES}/{asked}/file.{kind}" for kind in ("csv", "xml"))
        self.loading = False


class AgeingState(rx.State):
    """Who is owed what since when."""

    loading: bool = True
    ageing: Ageing | None = None
    more: str = ""

    @rx.event
    @action(Permission.INVOICES_VIEW)
    async def load(self) -> None:
        """Show it as of today."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.ageing = await fetch(statements.ageing)
        left = self.ageing.suppliers - len({row.supplier_id for row in self.ageing.rows})
        self.more = f"{left:,} more suppliers are in the sums" if left > 0 else ""
        self.loading = False


class StatementState(rx.State):
    """What came and went between us and the supplier that the address names."""

    statement: Statement | None = None

    @rx.event
    @action(Permission.SUPPLIERS_VIEW)
    async def load(self) -> None:
        """Show it to who may see invoices and amounts."""
        asked = _view.number({"id": self.router.url.path.rstrip("/").rpartition("/")[2]}, "id")
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.statement = await fetch(statements.statement, supplier_id=asked) if asked else None


loaded_by(PATH, PaymentsState.load)
