"""The list of all suppliers as its address says it."""

from typing import ClassVar

import reflex as rx

from inventory_app.operations import suppliers
from inventory_app.operations._lists import Listing
from inventory_app.operations._supplier_list import LIST, STATUSES, SupplierRow
from inventory_app.permissions import Permission
from inventory_app.states import _live
from inventory_app.states._action import action
from inventory_app.states._list import Listed, ListState
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch

PATH = "/suppliers"


class SupplierListState(ListState, rx.State):
    """The suppliers the address asks for."""

    columns: list[str] = LIST.everybodys()
    rows: list[SupplierRow] = []
    #: Who changed which row while this page was open, by `Supplier.id`.
    changed: dict[int, str] = {}
    everybody: int = 0
    counts: dict[str, int] = {}

    _listing: ClassVar[Listing] = LIST
    _path: ClassVar[str] = PATH

    @rx.event
    @action(Permission.SUPPLIERS_VIEW)
    async def load(self) -> None:
        """Show the suppliers the address asks for."""
        await self._show()
        self.changed = {}
        _live.watch(self, "supplier", SupplierListState.changed_elsewhere)

    async def _show(self) -> None:
        view = await self._asked()
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(suppliers.list_suppliers, view=view)
        self.rows = found.page.rows
        self.everybody = sum(found.counts.values())
        self.counts = {status: found.counts.get(status, 0) for status in STATUSES}
        listed = Listed(found.view, found.page, found.count, self.everybody)
        await self._show_list(listed, (row.id for row in found.page.rows))

    @rx.event
    @action(Permission.SUPPLIERS_VIEW)
    async def changed_elsewhere(self) -> None:
        """Show the list anew and mark what somebody else has changed; an open dialog stays as it is."""
        if changed := _live.changed(self):
            await self._show()
            self.changed = {id_: who for id_, who in (self.changed | changed).items() if id_ in self.present}
