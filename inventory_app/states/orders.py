"""The list of orders, and one order with what can be done with it."""

from typing import Annotated, Any, ClassVar

import reflex as rx
from pydantic import Field

from inventory_app.operations import orders
from inventory_app.operations._lists import Listing, View, say_count
from inventory_app.operations._order_list import LIST, TABS
from inventory_app.operations._order_rows import OrderRow
from inventory_app.operations._order_views import OrderDetail
from inventory_app.operations.catalog import choices
from inventory_app.operations.reorder import list_low
from inventory_app.permissions import Permission
from inventory_app.states import _live, _toast, _view
from inventory_app.states._action import FormState, Id, Note, Payload, action
from inventory_app.states._list import Listed, ListState
from inventory_app.states._reload import loaded_by
from inventory_app.states.auth import AuthState
from inventory_app.states.order_match import OrderMatchState
from inventory_app.unit_of_work import fetch, in_transaction

PATH = "/orders"
#: So many low products become orders at once; the rest is there for the next time.
_MOST_LOW = 100


class LowForm(Payload):
    """Where what is low shall be delivered."""

    location_id: Id


class OrdersState(ListState, rx.State):
    """The orders the address asks for."""

    columns: list[str] = LIST.everybodys()
    rows: list[OrderRow] = []
    #: Who changed which row while this page was open, by `PurchaseOrder.id`.
    changed: dict[int, str] = {}
    everything: str = ""
    counts: dict[str, str] = {}
    any_orders: bool = False

    asking: bool = False
    places: list[tuple[str, str]] = []

    _listing: ClassVar[Listing] = LIST
    _path: ClassVar[str] = PATH

    @rx.event
    @action(Permission.ORDERS_VIEW)
    async def load(self) -> None:
        """Show the orders the address asks for."""
        await self._show()
        self.changed = {}
        _live.watch(self, "order", OrdersState.changed_elsewhere)

    async def _show(self) -> None:
        view = await self._asked()
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(orders.list_orders, view=view)
        self.rows = found.page.rows
        self.everything, self.any_orders = say_count(found.everything), found.everything > 0
        self.counts = {tab: say_count(found.counts[tab]) for tab in TABS}
        listed = Listed(found.view, found.page, found.count, found.everything)
        options = {"supplier": found.suppliers, "location": found.locations}
        await self._show_list(listed, (row.id for row in found.page.rows), options)

    @rx.event
    @action(Permission.ORDERS_VIEW)
    async def changed_elsewhere(self) -> None:
        """Show the list anew and mark what somebody else has changed."""
        if changed := _live.changed(self):
            await self._show()
            self.changed = {id_: who for id_, who in (self.changed | changed).items() if id_ in self.present}

    @rx.event
    @action(orders.order_low_stock)
    async def open_low(self) -> None:
        """Ask where what is low shall be delivered."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(choices)
        self.places = [(one.id, one.label) for one in found.locations]
        self._new_form()
        self.asking = True

    @rx.event
    @action(Permission.ORDERS_VIEW)
    async def close_low(self, is_open: bool) -> None:  # noqa: FBT001  # what a dialog sends
        """Close the dialog."""
        self.asking = is_open and self.asking

    @rx.event
    @action(orders.order_low_stock)
    async def order_low_stock(self, form: LowForm) -> Any:
        """Write a draft for each supplier of what is low."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            low = await fetch(list_low, view=View(size=_MOST_LOW))
            made = await in_transaction(
                orders.order_low_stock, product_ids=[row.id for row in low.page.rows], **form.arguments()
            )
        self.asking = False
        self._new_form()
        names = ", ".join(one.supplier for one in made)
        said = f"{len(made)} draft{'' if len(made) == 1 else 's'} written: {names}."
        left_out = [sentence for one in made for sentence in one.left_out]
        more = f" {' '.join(left_out[:3])}" if left_out else ""
        return [rx.redirect(f"{PATH}?status=draft"), OrdersState.load, _toast.success(said + more)]


class StepForm(Payload):
    """A step that is taken with an order, in the version that was read."""

    order_id: Id
    version: Annotated[int, Field(ge=1)]


class ReasonForm(StepForm):
    """A step that is taken for a reason."""

    reason: Note = ""


class OrderState(FormState, rx.State):
    """The order the address names."""

    loading: bool = True
    detail: OrderDetail | None = None
    dialog: str = ""

    @rx.event
    @action(Permission.ORDERS_VIEW)
    async def load(self) -> None:
        """Show the order the address names."""
        await self._show()
        _live.watch(self, "order", OrderState.changed_elsewhere)

    async def _show(self) -> None:
        asked = _view.number({"id": self.router.url.path.rstrip("/").rpartition("/")[2]}, "id")
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(orders.order_detail, order_id=asked) if asked else None
        if found is None or self.detail is None or found.id != self.detail.id:
            self.dialog = ""
            self._new_form()
        self.detail = found
        self.loading = False

    @rx.event
    @action(Permission.ORDERS_VIEW)
    async def changed_elsewhere(self) -> Any:
        """Show the order anew when somebody else has changed it; an open dialog keeps the version that was read."""
        if self.detail is not None and self.detail.id in _live.changed(self) and not self.dialog:
            await self._show()
            return OrderMatchState.load
        return None

    @rx.event
    @action(Permission.ORDERS_VIEW)
    async def ask(self, what: Annotated[str, Field(max_length=20)]) -> None:
        """Ask for the reason of a step."""
        self._new_form()
        self.dialog = what

    @rx.event
    @action(Permission.ORDERS_VIEW)
    async def close(self, is_open: bool) -> None:  # noqa: FBT001  # what a dialog sends
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(orders.submit_order)
    async def submit_order(self, form: StepForm) -> Any:
        """Submit the draft."""
        return await self._step(orders.submit_order, form, "submitted")

    @rx.event
    @action(orders.override_supplier)
    async def override_supplier(self, form: ReasonForm) -> Any:
        """Let the order go to its supplier all the same."""
        return await self._step(orders.override_supplier, form, "may go to its supplier")

    @rx.event
    @action(orders.revise_order)
    async def revise_order(self, form: ReasonForm) -> Any:
        """Take it back to a draft."""
        return await self._step(orders.revise_order, form, "taken back")

    @rx.event
    @action(orders.approve_order)
    async def approve_order(self, form: ReasonForm) -> Any:
        """Agree to it."""
        return await self._step(orders.approve_order, form, "agreed to")

    @rx.event
    @action(orders.reject_order)
    async def reject_order(self, form: ReasonForm) -> Any:
        """Reject it."""
        return await self._step(orders.reject_order, form, "rejected")

    @rx.event
    @action(orders.place_order)
    async def place_order(self, form: StepForm) -> Any:
        """Order from the supplier."""
        return await self._step(orders.place_order, form, "ordered")

    @rx.event
    @action(orders.give_up_rest)
    async def give_up_rest(self, form: ReasonForm) -> Any:
        """Wait no longer for the rest."""
        return await self._step(orders.give_up_rest, form, "not waited for any more")

    @rx.event
    @action(orders.cancel_order)
    async def cancel_order(self, form: ReasonForm) -> Any:
        """Cancel it."""
        return await self._step(orders.cancel_order, form, "cancelled")

    @rx.event
    @action(orders.close_order)
    async def close_order(self, form: StepForm) -> Any:
        """Close it."""
        return await self._step(orders.close_order, form, "closed")

    async def _step(self, operation: Any, form: StepForm, done: str) -> Any:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            moved = await in_transaction(operation, **form.arguments())
        self.dialog = ""
        self._new_form()
        return [OrderState.load, OrderMatchState.load, _toast.success(f"{moved.called} {done}. {moved.said}")]

    @rx.event
    @action(orders.copy_order)
    async def copy_order(self, order_id: Id, idempotency_key: Annotated[str, Field(max_length=64)] = "") -> Any:
        """Write a draft with the same lines, and go there."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            made = await in_transaction(orders.copy_order, order_id=order_id, idempotency_key=idempotency_key or None)
        self._new_form()
        said = " ".join(["A draft with the same lines.", *made.left_out])
        return [rx.redirect(f"{PATH}/{made.order_id}/edit"), _toast.success(said)]


loaded_by(PATH, OrdersState.load)
