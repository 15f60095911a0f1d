"""The list of all suppliers as its address says it."""

from typing import Any

import reflex as rx

from inventory_app.operations import suppliers
from inventory_app.operations._supplier_list import SORTS, STATUSES, SupplierRow, SupplierView
from inventory_app.permissions import Permission
from inventory_app.states import _live, _view
from inventory_app.states._action import Line, action
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch

PATH = "/suppliers"
_SORTS = tuple(SORTS)


class SupplierListState(rx.State):
    """The suppliers the address asks for, and the links to other views of them."""

    rows: list[SupplierRow] = []
    #: Who changed which row while this page was open, by `Supplier.id`.
    changed: dict[int, str] = {}
    loading: bool = True
    q: str = ""
    status: str = ""
    sort: str = "name"
    direction: str = "asc"
    shown: str = ""
    everybody: int = 0
    counts: dict[str, int] = {}
    hrefs: dict[str, str] = {}
    previous_href: str = ""
    next_href: str = ""

    def _address(self) -> dict[str, str]:
        return {
            "q": self.q,
            "status": self.status,
            "sort": "" if self.sort == "name" else self.sort,
            "dir": "desc" if self.direction == "desc" else "",
        }

    @rx.event
    @action(Permission.SUPPLIERS_VIEW)
    async def load(self) -> None:
        """Show the suppliers the address asks for."""
        await self._show()
        self.changed = {}
        _live.watch(self, "supplier", SupplierListState.changed_elsewhere)

    async def _show(self) -> None:
        query = self.router.url.query_parameters
        self.q = query.get("q", "")[:100]
        self.status = _view.chosen(query, "status", ("", *STATUSES))
        self.sort = _view.chosen(query, "sort", _SORTS)
        self.direction = _view.chosen(query, "dir", ("asc", "desc"))
        view = SupplierView(self.q, self.status, self.sort, self.direction == "desc", query.get("at", ""))
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(suppliers.list_suppliers, view=view)
        self.rows = found.page.rows
        self.everybody = sum(found.counts.values())
        self.counts = {status: found.counts.get(status, 0) for status in STATUSES}
        filtered = self.q or self.status
        self.shown = f"{found.count:,} of {self.everybody:,}" if filtered else f"{found.count:,}"
        address = self._address()
        self.hrefs = _view.sort_hrefs(PATH, address | {"sort": self.sort}, _SORTS)
        self.hrefs |= {f"status_{status}": _view.href(PATH, address, status=status) for status in ("", *STATUSES)}
        self.previous_href = _view.href(PATH, address, at=found.page.before) if found.page.before else ""
        self.next_href = _view.href(PATH, address, at=found.page.after) if found.page.after else ""
        self.loading = False

    @rx.event
    @action(Permission.SUPPLIERS_VIEW)
    async def changed_elsewhere(self) -> None:
        """Show the list anew and mark what somebody else has changed; an open dialog stays as it is."""
        if changed := _live.changed(self):
            await self._show()
            shown = {row.id for row in self.rows}
            self.changed = {id_: who for id_, who in (self.changed | changed).items() if id_ in shown}

    @rx.event
    @action(Permission.SUPPLIERS_VIEW)
    async def search(self, text: Line) -> Any:
        """Search as one types: the address changes, and with it the list."""
        return rx.redirect(_view.href(PATH, self._address(), q=text), replace=True)
