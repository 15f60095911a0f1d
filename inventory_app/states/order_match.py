"""The match of an order on its own page: what of it is invoiced, and what cannot be paid yet."""

import reflex as rx

from inventory_app.operations import invoices
from inventory_app.operations._match_views import MatchRow, OrderMatch
from inventory_app.permissions import Permission
from inventory_app.states import _view
from inventory_app.states._action import action
from inventory_app.states.auth import AuthState
from inventory_app.states.invoices import PATH
from inventory_app.unit_of_work import fetch


class OrderMatchState(rx.State):
    """What was ordered, received and invoiced of the order the address names."""

    loading: bool = True
    match: OrderMatch | None = None
    rows: list[MatchRow] = []
    only_differences: bool = False
    all_href: str = ""
    differences_href: str = ""
    record_href: str = ""

    @rx.event
    @action(Permission.ORDERS_VIEW)
    async def load(self) -> None:
        """Show how the order the address names is matched."""
        path = self.router.url.path.rstrip("/")
        asked = _view.number({"id": path.rpartition("/")[2]}, "id")
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.match = await fetch(invoices.match_of_order, order_id=asked) if asked else None
        self.loading = False
        self.all_href, self.differences_href = path, _view.href(path, {}, show="differences")
        self.record_href = _view.href(f"{PATH}/new", {}, order=str(asked or ""))
        self.only_differences = self.router.url.query_parameters.get("show") == "differences"
        found = self.match.sides.rows if self.match else []
        self.rows = [row for row in found if row.differs or not self.only_differences]
