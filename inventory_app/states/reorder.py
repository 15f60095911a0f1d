"""The list of products to reorder."""

from typing import Any, ClassVar

import reflex as rx

from inventory_app.operations._lists import Listing
from inventory_app.operations.reorder import LIST, LowRow, list_low
from inventory_app.permissions import Permission
from inventory_app.states._action import action
from inventory_app.states._list import Listed, ListState
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch

PATH = "/reorder"


class ReorderState(ListState, rx.State):
    """What is low, as the address says."""

    columns: list[str] = LIST.everybodys()
    rows: list[LowRow] = []
    products: int = 0

    _listing: ClassVar[Listing] = LIST
    _path: ClassVar[str] = PATH

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def load(self) -> Any:
        """Show what the address asks for."""
        view, auth_state = await self._asked(), await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(list_low, view=view)
        self.rows, self.products = found.page.rows, found.everything
        options = {"category": [(one.id, one.label) for one in found.choices.categories]}
        listed = Listed(found.view, found.page, found.count, found.everything)
        await self._show_list(listed, (row.id for row in found.page.rows), options)
