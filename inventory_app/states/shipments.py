"""Shipments: what is on its way, and taking it in."""

from decimal import Decimal
from typing import Annotated, Any

import reflex as rx
from pydantic import BeforeValidator, Field

from inventory_app.operations import shipments
from inventory_app.operations._numbers import typed
from inventory_app.operations.shipments import ShipmentRow
from inventory_app.permissions import Permission
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Note, Payload, action
from inventory_app.states._reload import loaded_by
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction

PATH = "/shipments"
_TABS = ("open", "all")


def _arrived(value: object) -> object:
    return typed(value.strip()) if isinstance(value, str) and value.strip() else None if value == "" else value


class AcceptForm(Payload):
    """How much of a shipment arrived; empty: all of it."""

    shipment_id: Id
    accepted: Annotated[
        Decimal | None, Field(max_digits=14, decimal_places=3, allow_inf_nan=False), BeforeValidator(_arrived)
    ] = None
    note: Note = ""


class ShipmentsState(FormState, rx.State):
    """The shipments that are open, or all."""

    loading: bool = True
    rows: list[ShipmentRow] = []
    tab: str = "open"
    hrefs: dict[str, str] = {}
    previous_href: str = ""
    next_href: str = ""
    accepting: bool = False
    row: ShipmentRow | None = None

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def load(self) -> None:
        """Show what the address asks for."""
        query = self.router.url.query_parameters
        self.tab = _view.chosen(query, "view", _TABS)
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            page = await fetch(shipments.list_shipments, only_open=self.tab == "open", cursor=query.get("at", ""))
        self.rows = page.rows
        address = {"view": "" if self.tab == "open" else self.tab}
        self.hrefs = {tab: _view.href(PATH, {}, view="" if tab == "open" else tab) for tab in _TABS}
        self.previous_href = _view.href(PATH, address, at=page.before) if page.before else ""
        self.next_href = _view.href(PATH, address, at=page.after) if page.after else ""
        self.loading = False

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
