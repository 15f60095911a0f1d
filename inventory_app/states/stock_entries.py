"""Receiving, issuing, sending, reserving and revaluing, from wherever an item is listed."""

from decimal import Decimal
from typing import Any

import reflex as rx
from reflex_base.event import Event

from inventory_app.errors import Invalid
from inventory_app.models._base import now
from inventory_app.operations import catalog, items, reasons, reservations, shipments, stock, valuation
from inventory_app.operations._ledger import Place, say
from inventory_app.operations.items import ItemRow
from inventory_app.operations.reservations import ReservationRow
from inventory_app.operations.valuation import Worth
from inventory_app.permissions import Permission
from inventory_app.states import _toast
from inventory_app.states._action import FormState, Id, Line, action
from inventory_app.states._reload import reload_of
from inventory_app.states._stock_forms import (
    IssueForm,
    Preview,
    ReceiveForm,
    ReceiveProductForm,
    ReserveForm,
    RevalueForm,
    SendForm,
    asked,
    preview_of,
)
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction

#: What is typed into these is added to what is there; the others take away.
_ADDS = frozenset({"receive"})


class StockEntryState(FormState, rx.State):
    """The dialog that is open, and the item it is about."""

    dialog: str = ""
    item: ItemRow | None = None
    available: str = ""
    today: str = ""
    reasons: dict[str, list[tuple[str, str]]] = {}
    targets: list[tuple[str, str]] = []
    locations: list[tuple[str, str]] = []
    sku: str = ""
    kept_back: list[ReservationRow] = []
    worth: Worth | None = None
    #: What is there before and after; for a reservation, what is available.
    here: Preview = Preview()

    _place: Place | None = None

    @rx.event
    @action(stock.receive_inventory)
    async def open_receive(self, item_id: Id) -> None:
        """Ask what has come in."""
        await self._open("receive", item_id)

    @rx.event
    @action(stock.receive_inventory)
    async def open_receive_product(self, sku: Line = "") -> None:
        """Ask what has come in of which product, where; `sku` when the page knows it."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.reasons = await fetch(reasons.offered)
            found = await fetch(catalog.choices)
        self.locations = [(choice.id, choice.label) for choice in found.locations]
        self.sku, self.item, self._place = sku, None, None
        self.today = now().date().isoformat()
        self._new_form()
        self.dialog = "receive_product"

    @rx.event
    @action(stock.issue_inventory)
    async def open_issue(self, item_id: Id) -> None:
        """Ask what goes out, and for what."""
        await self._open("issue", item_id)

    @rx.event
    @action(shipments.send_shipment)
    async def open_send(self, item_id: Id) -> None:
        """Ask what is sent where."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            targets = await fetch(items.transfer_targets, item_id=item_id)
        self.targets = [(target.location_id, target.location) for target in targets]
        await self._open("send", item_id)

    @rx.event
    @action(reservations.reserve)
    async def open_reserve(self, item_id: Id) -> None:
        """Ask what is kept back until when, and show what is kept back already."""
        await self._open("reserve", item_id)

    @rx.event
    @action(valuation.revalue_product)
    async def open_revalue(self, item_id: Id) -> None:
        """Ask what one of the product costs from now on."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.worth = await fetch(valuation.worth_of, item_id=item_id)
        await self._open("revalue", item_id)

    async def _open(self, dialog: str, item_id: int) -> None:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(items.get_items, item_ids=[item_id])
            if not found:
                message = "This item does not exist (any more). Reload the page."
                raise Invalid(message)
            self._place = await fetch(items.item_place, item_id=item_id)
            self.reasons = await fetch(reasons.offered)
            self.kept_back = await fetch(reservations.reservations_of, item_id=item_id)
        self.item = found[0]
        self.available = say(self._free(), self._place.unit)
        self.today = now().date().isoformat()
        self._new_form()
        self.dialog = dialog
        self._look("")

    def _free(self) -> Decimal:
        assert self.item  # noqa: S101  # only asked with a dialog open
        assert self._place  # noqa: S101  # as above
        return max(Decimal(self.item.read_quantity) - self._place.reserved, Decimal(0))

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def preview(self, text: Line) -> None:
        """Show what would be there, while the quantity is typed; what is not possible is said beside it."""
        self._look(text.strip())

    def _look(self, text: str) -> None:
        if self.item is None or self._place is None:
            return
        adds, place = self.dialog in _ADDS, self._place
        held = self._free() if self.dialog == "reserve" else Decimal(self.item.read_quantity)
        # What comes in needs nothing to be there.
        enough_of = Decimal("Infinity") if adds else Decimal(self.item.read_quantity)
        quantity, wrong = asked(text, enough_of, place, moves=True)
        rest = {name: said for name, said in self.errors.items() if name != "quantity"}
        self.errors = rest | ({"quantity": wrong} if wrong else {})
        change = quantity if adds or quantity is None else -quantity
        self.here = preview_of(place.location, held, change, place.unit, possible=not wrong)

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def close(self, is_open: bool) -> None:  # noqa: FBT001  # what a dialog sends
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(stock.receive_inventory)
    async def receive_inventory(self, form: ReceiveForm) -> Any:
        """Take in what has come."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(stock.receive_inventory, **form.arguments())
        said = f"{done.product} at {done.location}: {done.before} → {done.after}"
        return self._done(_toast.booked(said, done.operation_id, auth_state.permissions))

    @rx.event
    @action(stock.receive_inventory)
    async def receive_product(self, form: ReceiveProductForm) -> Any:
        """Take in what has come of a product."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(stock.receive_inventory, **form.arguments())
        said = f"{done.product} at {done.location}: {done.before} → {done.after}"
        return self._done(_toast.booked(said, done.operation_id, auth_state.permissions))

    @rx.event
    @action(stock.issue_inventory)
    async def issue_inventory(self, form: IssueForm) -> Any:
        """Give out what is asked for."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(stock.issue_inventory, **form.arguments())
        said = f"{done.product} at {done.location}: {done.before} → {done.after}"
        return self._done(_toast.booked(said, done.operation_id, auth_state.permissions))

    @rx.event
    @action(shipments.send_shipment)
    async def send_shipment(self, form: SendForm) -> Any:
        """Send it on its way."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(shipments.send_shipment, **form.arguments())
        return self._done(f"{done.quantity} {done.product} are on their way to {done.to_location}")

    @rx.event
    @action(reservations.reserve)
    async def reserve(self, form: ReserveForm) -> Any:
        """Keep it back."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(reservations.reserve, **form.arguments())
        return self._done(f"Reserved {done.quantity} {done.product} at {done.location}")

    @rx.event
    @action(valuation.revalue_product)
    async def revalue_product(self, form: RevalueForm) -> Any:
        """Set the cost of the product anew."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(valuation.revalue_product, **form.arguments())
        said = f"{done.product} is worth {done.after}, was {done.before}"
        return self._done(_toast.booked(said, done.operation_id, auth_state.permissions))

    @rx.event
    @action(reservations.release_reservation)
    async def release(self, reservation_id: Id, idempotency_key: Line = "") -> Any:
        """Give back what was kept back."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            said = await in_transaction(
                reservations.release_reservation,
                reservation_id=reservation_id,
                idempotency_key=idempotency_key or None,
            )
        return self._done(f"Released {said}")

    def _done(self, said: str | Event) -> Any:
        self.dialog = ""
        self._new_form()
        toast = _toast.success(said) if isinstance(said, str) else said
        return [*reload_of(self.router.url.path), toast]
