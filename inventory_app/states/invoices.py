"""The list of invoices as its address says it."""

from typing import ClassVar

import reflex as rx

from inventory_app.operations import invoices
from inventory_app.operations._invoice_list import LIST, InvoiceRow
from inventory_app.operations._lists import Listing, say_count
from inventory_app.permissions import Permission
from inventory_app.states._action import action
from inventory_app.states._list import Listed, ListState
from inventory_app.states._reload import loaded_by
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch

PATH = "/invoices"


class InvoicesState(ListState, rx.State):
    """The invoices the address asks for."""

    columns: list[str] = LIST.everybodys()
    rows: list[InvoiceRow] = []
    to_pay: str = ""
    blocked: str = ""
    everything: str = ""

    _listing: ClassVar[Listing] = LIST
    _path: ClassVar[str] = PATH

    @rx.event
    @action(Permission.INVOICES_VIEW)
    async def load(self) -> None:
        """Show the invoices the address asks for."""
        view = await self._asked()
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(invoices.list_invoices, view=view)
        self.rows = found.page.rows
        self.to_pay, self.blocked = say_count(found.to_pay), say_count(found.blocked)
        self.everything = say_count(found.everything)
        listed = Listed(found.view, found.page, found.count, found.everything)
        await self._show_list(listed, (row.id for row in found.page.rows))


loaded_by(PATH, InvoicesState.load)
