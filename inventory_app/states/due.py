"""What is due: the list, paying one invoice of it, and paying many of it as a batch."""

from decimal import Decimal
from typing import Annotated, Any, ClassVar

import reflex as rx
from pydantic import BeforeValidator, Field

from inventory_app.errors import Invalid
from inventory_app.models._base import now
from inventory_app.models.payments import PaymentMethod
from inventory_app.operations import due_views, payments
from inventory_app.operations._lists import Listing, View, say_count
from inventory_app.operations._numbers import typed
from inventory_app.operations._payment_list import DUE
from inventory_app.operations._payment_rules import Allocation
from inventory_app.operations.due_views import DueRow, Preview, ToPay
from inventory_app.permissions import Permission
from inventory_app.states import _toast
from inventory_app.states._action import FormState, Id, Line, Note, Payload, action
from inventory_app.states._list import Listed, ListState
from inventory_app.states._reload import loaded_by, reload_of
from inventory_app.states.auth import AuthState
from inventory_app.states.bulk_changes import Day
from inventory_app.unit_of_work import fetch, in_transaction

PATH = "/payments/due"


def _number(value: object) -> object:
    return (typed(value.strip()) if value.strip() else None) if isinstance(value, str) else value


_Number = BeforeValidator(_number)
Amount = Annotated[Decimal | None, Field(gt=0, max_digits=14, decimal_places=2, allow_inf_nan=False), _Number]
Rate = Annotated[Decimal | None, Field(gt=0, max_digits=17, decimal_places=8, allow_inf_nan=False), _Number]


#: An account of the list, or nothing where there is none to choose.
Account = Annotated[Id | None, BeforeValidator(lambda value: value or None)]


class PayForm(Payload):
    """One payment: of which invoice, how much of it, how and when; `credit_ids` where no dialog has kept them."""

    invoice_id: Id
    amount: Amount = None
    method: Line = PaymentMethod.TRANSFER.value
    reference: Line = ""
    note: Note = ""
    paid_on: Day = None
    rate: Rate = None
    #: Where a transfer goes; without one to the account that was released last.
    bank_account_id: Account = None
    held_reason: Note = ""
    credit_ids: list[Id] = []


class BatchForm(Payload):
    """When a batch is carried out and what its currency is worth; `invoice_ids` where no dialog has kept them."""

    execute_on: Day = None
    rate: Rate = None
    invoice_ids: list[Id] = []


class DueState(ListState, rx.State):
    """What is due as the address asks, and the batch that is about to be made of it."""

    columns: list[str] = DUE.everybodys()
    rows: list[DueRow] = []
    everything: str = ""
    overdue: str = ""
    week: str = ""
    month: str = ""
    batching: bool = False
    preview: Preview = Preview()
    ready: bool = False
    today: str = ""

    _ids: tuple[int, ...] = ()
    _listing: ClassVar[Listing] = DUE
    _path: ClassVar[str] = PATH

    @rx.event
    @action(Permission.PAYMENTS_VIEW)
    async def load(self) -> None:
        """Show what the address asks for."""
        view = await self._asked()
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(due_views.list_due, view=view)
        self.rows, self.everything = found.page.rows, say_count(found.everything)
        self.overdue, self.week, self.month = (say_count(found.counts[one]) for one in ("overdue", "week", "month"))
        listed = Listed(found.view, found.page, found.count, found.everything)
        choices = {"supplier": found.suppliers, "currency": found.currencies}
        await self._show_list(listed, (row.id for row in found.page.rows), choices)

    async def _matching(self, view: View, most: int) -> list[int]:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            return await fetch(due_views.matching_due, view=view, most=most)

    @rx.event
    @action(payments.process_batch)
    async def open_batch(self) -> None:
        """Show what paying all that is selected would be."""
        self._ids = tuple(await self._selected_ids(payments.MOST_AT_ONCE))
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.preview = await fetch(due_views.preview_batch, invoice_ids=list(self._ids))
        self._new_form()
        self.ready = not self.preview.fault and not any(row.fault for row in self.preview.rows)
        self.today = now().date().isoformat()
        self.batching = True

    @rx.event
    @action(Permission.PAYMENTS_VIEW)
    async def close_batch(self, is_open: bool) -> None:  # noqa: FBT001  # what a dialog sends
        """Close the dialog."""
        self.batching = is_open and self.batching

    @rx.event
    @action(payments.process_batch)
    async def process_batch(self, form: BatchForm) -> Any:
        """Pay all that was shown."""
        arguments = form.arguments()
        ids = arguments.pop("invoice_ids") or self._ids
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            wanted = [Allocation(id_) for id_ in ids]
            done = await in_transaction(payments.process_batch, allocations=wanted, **arguments)
        self.batching, self.selected, self.all_selected = False, [], False
        self._new_form()
        waits = ", and waits for somebody else to agree" if done.waits else ""
        said = f"{done.number}: {done.payments:,} payments, {done.amount} {done.currency}{waits}"
        return [rx.redirect(f"/payments/batches/{done.batch_id}"), _toast.success(said)]


class PayState(FormState, rx.State):
    """The dialog that pays one invoice, on whichever page names it."""

    open: bool = False
    paying: ToPay | None = None
    today: str = ""
    #: The credit notes that are set off.
    chosen: list[int] = []

    @rx.event
    @action(payments.process_payment)
    async def open_pay(self, invoice_id: Id) -> None:
        """Ask how an invoice is paid."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.paying = await fetch(due_views.invoice_to_pay, invoice_id=invoice_id)
        if self.paying is None:
            message = "This invoice cannot be shown to you with its amounts. Ask an administrator."
            raise Invalid(message)
        self._new_form()
        self.chosen, self.today, self.open = [], now().date().isoformat(), True

    @rx.event
    @action(Permission.PAYMENTS_VIEW)
    async def close(self, is_open: bool) -> None:  # noqa: FBT001  # what a dialog sends
        """Close the dialog."""
        self.open = is_open and self.open

    @rx.event
    @action(Permission.PAYMENTS_PROCESS)
    async def toggle_credit(self, credit_id: Id) -> None:
        """Set a credit note off, or not."""
        kept = [one for one in self.chosen if one != credit_id]
        self.chosen = kept if len(kept) < len(self.chosen) else [*kept, credit_id]

    @rx.event
    @action(payments.process_payment)
    async def process_payment(self, form: PayForm) -> Any:
        """Pay it."""
        arguments = form.arguments()
        invoice_id, amount = arguments.pop("invoice_id"), arguments.pop("amount")
        if arguments["method"] != PaymentMethod.TRANSFER:
            # The field stays on the page; what is paid otherwise goes to no account.
            arguments["bank_account_id"] = None
        wanted = [Allocation(invoice_id, amount)]
        wanted += [Allocation(one) for one in arguments.pop("credit_ids") or self.chosen]
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(payments.process_payment, allocations=wanted, **arguments)
        self.open = False
        self._new_form()
        if done.waits:
            said = f"{done.number} over {done.amount} {done.currency} waits for somebody else to agree"
        else:
            said = f"{done.number}: {done.amount} {done.currency} to {done.supplier}"
        path = self.router.url.path
        # From elsewhere it goes on with the payment: what was paid is shown there.
        then = reload_of(path) if path == PATH else [rx.redirect(f"/payments/{done.payment_id}")]
        return [*then, _toast.success(said)]


loaded_by(PATH, DueState.load)
