"""Shipments: what is on its way, and taking it in."""

from decimal import Decimal
from typing import Annotated, Any, ClassVar

import reflex as rx
from pydantic import BeforeValidator, Field

from inventory_app.operations import shipments
from inventory_app.operations._lists import Listing, say_count
from inventory_app.operations._numbers import typed
from inventory_app.operations._shipment_list import LIST
from inventory_app.operations.shipments import ShipmentRow
from inventory_app.permissions import Permission
from inventory_app.states import _toast
from inventory_app.states._action import Id, Note, Payload, action
from inventory_app.states._list import Listed, ListState
from inventory_app.states._reload import loaded_by
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction

PATH = "/shipments"


def _arrived(value: object) -> object:
    return typed(value.strip()) if isinstance(value, str) and value.strip() else None if value == "" else value


class AcceptForm(Payload):
    """How much of a shipment arrived; empty: all of it."""

    shipment_id: Id
    accepted: Annotated[
        Decimal | None, Field(max_digits=14, decimal_places=3, allow_inf_nan=False), BeforeValidator(_arrived)
    ] = None
    note: Note = ""


class ShipmentsState(ListState, rx.State):
    """The shipments the address asks for, and the one that is taken in."""

    columns: list[str] = LIST.everybodys()
    rows: list[ShipmentRow] = []
    under_way: str = ""
    everything: str = ""
    accepting: bool = False
    row: ShipmentRow | None = None

    _listing: ClassVar[Listing] = LIST
    _path: ClassVar[str] = PATH

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def load(self) -> None:
        """Show what the address asks for."""
        view = await self._asked()
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(shipments.list_shipments, view=view)
        self.rows = found.page.rows
        self.under_way, self.everything = say_count(found.under_way), say_count(found.everything)
        listed = Listed(found.view, found.page, found.count, found.everything)
        choices = {"from": found.locations, "to": found.locations}
        await self._show_list(listed, (row.id for row in found.page.rows), choices)

    @rx.event
    @action(shipments.accept_shipment)
    async def open_accept(self, shipment_id: Id) -> None:
        """Ask how much of a shipment arrived."""
        self.row = next((row for row in self.rows if row.id == shipment_id), None)
        self._new_form()
        self.accepting = self.row is not None

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def close_accept(self, is_open: bool) -> None:  # noqa: FBT001  # what a dialog sends
        """Close the dialog."""
        self.accepting = is_open and self.accepting

    @rx.event
    @action(shipments.accept_shipment)
    async def accept_shipment(self, form: AcceptForm) -> Any:
        """Take in what arrived."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(shipments.accept_shipment, **form.arguments())
        self.accepting = False
        self._new_form()
        lost = f"; {done.lost} were lost on the way" if done.lost else ""
        return [
            ShipmentsState.load,
            _toast.success(f"{done.accepted} {done.product} arrived at {done.location}{lost}"),
        ]


loaded_by(PATH, ShipmentsState.load)
