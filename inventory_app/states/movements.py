"""The list of movements as its address says."""

from dataclasses import replace
from typing import Any, ClassVar

import reflex as rx

from inventory_app.operations import movements
from inventory_app.operations._lists import Listing, View
from inventory_app.operations._movement_lines import MovementLine
from inventory_app.operations._movement_list import LIST
from inventory_app.permissions import Permission
from inventory_app.states._action import action
from inventory_app.states._list import Listed, ListState
from inventory_app.states._reload import loaded_by
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch

PATH = "/movements"


class MovementsState(ListState, rx.State):
    """The movements of the ledger, the newest first unless another order is asked for."""

    columns: list[str] = LIST.everybodys()
    rows: list[MovementLine] = []
    everything: int = 0

    _listing: ClassVar[Listing] = LIST
    _path: ClassVar[str] = PATH

    async def _asked(self) -> View:
        view = await super()._asked()
        # A ledger is read from its end.
        chosen = "sort" in self.router.url.query_parameters
        return view if chosen else replace(view, descending=True)

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def load(self) -> Any:
        """Show what the address asks for."""
        view = await self._asked()
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(movements.list_movements, view=view)
        self.rows, self.everything = found.page.rows, found.everything
        listed = Listed(found.view, found.page, found.count, found.everything)
        await self._show_list(listed, (line.id for line in found.page.rows), found.choices)


loaded_by(PATH, MovementsState.load)
