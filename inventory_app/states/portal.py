"""The supplier portal as people of a supplier see it: their own company, orders, invoices and payments.

Nothing here watches what others change: a notification would say that something happened to papers of others.
"""

from datetime import date
from typing import Annotated, Any, ClassVar

import reflex as rx
from pydantic import BeforeValidator

from inventory_app.errors import NotAllowed
from inventory_app.operations import portal
from inventory_app.operations._list_filters import LONGEST_TEXT
from inventory_app.operations.portal import Company, InvoiceRow, OrderDetail, OrderRow, PaymentRow
from inventory_app.permissions import Permission
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Line, Note, Payload, action
from inventory_app.states.auth import PORTAL, AuthState
from inventory_app.unit_of_work import fetch, in_transaction

ORDERS, INVOICES, PAYMENTS = f"{PORTAL}/orders", f"{PORTAL}/invoices", f"{PORTAL}/payments"


def _day(value: object) -> object:
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError as error:
        message = "Enter a day."
        raise ValueError(message) from error


class CorrectionForm(Payload):
    """How one's own company is reached."""

    contact_name: Line = ""
    contact_title: Line = ""
    email: Line = ""
    phone: Line = ""
    website: Line = ""
    address: Note = ""
    city: Line = ""
    postal_code: Line = ""
    country: Line = ""


class PromiseForm(Payload):
    """The day on which an order is delivered, and the version of the order that was read."""

    order_id: Id
    on: Annotated[date, BeforeValidator(_day)]
    version: int


class _PortalState(FormState, rx.State, mixin=True):
    """What the pages of the portal share: while it loads, and why there is nothing here for somebody."""

    loading: bool = True
    refused: str = ""

    async def _ask(self, query: Any, **arguments: Any) -> Any:
        """Return what the viewer may see; None, and nothing left of before, for who has no access (any more)."""
        auth_state = await self.get_state(AuthState)
        try:
            with auth_state.audit_context():
                found = await fetch(query, **arguments)
        except NotAllowed as error:
            self.reset()
            self.refused, self.loading = str(error), False
            return None
        self.refused, self.loading = "", False
        return found


class _PortalListState(_PortalState, rx.State, mixin=True):
    """What the lists of the portal share: what is searched for stands in the address, and in that of the file."""

    q: str = ""
    earlier_href: str = ""
    later_href: str = ""
    file_href: str = ""

    _path: ClassVar[str] = ""

    async def _page_of(self, query: Any) -> Any:
        """Return the page that the address asks for."""
        asked = self.router.url.query_parameters
        self.q = asked.get("q", "")[:LONGEST_TEXT]
        found = await self._ask(query, search=self.q, cursor=asked.get("at", ""))
        if found is None:
            return None
        view = {"q": self.q}
        self.later_href = _view.href(self._path, view, at=found.before) if found.before else ""
        self.earlier_href = _view.href(self._path, view, at=found.after) if found.after else ""
        self.file_href = _view.href(f"{self._path}.csv", view)
        return found

    @rx.event
    @action(Permission.PORTAL_USE)
    async def search(self, text: Line) -> Any:
        """Look for papers with this in their number."""
        return rx.redirect(_view.href(self._path, {}, q=text), replace=True)


class PortalCompanyState(_PortalState, rx.State):
    """One's own company, and proposing how it is reached."""

    company: Company | None = None
    correcting: bool = False

    @rx.event
    @action(Permission.PORTAL_USE)
    async def load(self) -> None:
        """Show one's own company."""
        self.company = await self._ask(portal.my_company)
        self.correcting = False
        self._new_form()

    @rx.event
    @action(portal.propose_correction)
    async def open_correction(self) -> None:
        """Ask how the company is reached."""
        self._new_form()
        self.correcting = self.company is not None and not self.company.why_not

    @rx.event
    @action(Permission.PORTAL_USE)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        self.correcting = is_open and self.correcting

    @rx.event
    @action(portal.propose_correction)
    async def propose(self, form: CorrectionForm) -> Any:
        """Propose how the company is reached."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            await in_transaction(portal.propose_correction, **form.arguments())
        return [PortalCompanyState.load, _toast.success("Sent. It counts once somebody has looked at it")]

    @rx.event
    @action(portal.withdraw_correction)
    async def withdraw(self, idempotency_key: Line = "") -> Any:
        """Take the proposed correction back."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            await in_transaction(portal.withdraw_correction, idempotency_key=idempotency_key or None)
        return [PortalCompanyState.load, _toast.success("Taken back")]


class PortalOrdersState(_PortalListState, rx.State):
    """The orders that one's own company was sent."""

    rows: list[OrderRow] = []

    _path: ClassVar[str] = ORDERS

    @rx.event
    @action(Permission.PORTAL_USE)
    async def load(self) -> None:
        """Show a page of the orders."""
        if found := await self._page_of(portal.my_orders):
            self.rows = found.rows


class PortalOrderState(_PortalState, rx.State):
    """The order the address names, and promising when it comes."""

    order: OrderDetail | None = None

    @rx.event
    @action(Permission.PORTAL_USE)
    async def load(self) -> None:
        """Show the order the address names, if one's own company was sent it."""
        asked = _view.number({"id": self.router.url.path.rstrip("/").rpartition("/")[2]}, "id")
        self.order = await self._ask(portal.my_order, order_id=asked or 0)
        self._new_form()

    @rx.event
    @action(portal.confirm_delivery)
    async def confirm(self, form: PromiseForm) -> Any:
        """Promise the day of delivery."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            number = await in_transaction(portal.confirm_delivery, **form.arguments())
        return [PortalOrderState.load, _toast.success(f"{number} is promised for {form.on:%-d %b %Y}")]


class PortalInvoicesState(_PortalListState, rx.State):
    """The invoices of one's own company, and where they stand."""

    rows: list[InvoiceRow] = []

    _path: ClassVar[str] = INVOICES

    @rx.event
    @action(Permission.PORTAL_USE)
    async def load(self) -> None:
        """Show a page of the invoices."""
        if found := await self._page_of(portal.my_invoices):
            self.rows = found.rows


class PortalPaymentsState(_PortalListState, rx.State):
    """What was paid to one's own company."""

    rows: list[PaymentRow] = []

    _path: ClassVar[str] = PAYMENTS

    @rx.event
    @action(Permission.PORTAL_USE)
    async def load(self) -> None:
        """Show a page of the payments."""
        if found := await self._page_of(portal.my_payments):
            self.rows = found.rows
