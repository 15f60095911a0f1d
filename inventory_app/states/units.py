"""The units of measure: adding and correcting them."""

from typing import Any

import reflex as rx

from inventory_app.operations import units
from inventory_app.operations.units import UnitRow
from inventory_app.permissions import Permission
from inventory_app.states import _toast
from inventory_app.states._action import FormState, Line, Payload, action
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction


class NewUnitForm(Payload):
    """A unit to be."""

    code: Line
    name: Line
    decimals: int = 0


class UnitForm(NewUnitForm):
    """A unit as somebody corrects it; `was` is what was read."""

    was: Line


class UnitsState(FormState, rx.State):
    """Every unit, and the dialog over them."""

    loading: bool = True
    rows: list[UnitRow] = []
    dialog: str = ""
    values: dict[str, str] = {}

    @rx.event
    @action(Permission.SETTINGS_MANAGE)
    async def load(self) -> None:
        """Show the units."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.rows = await fetch(units.list_units)
        self.loading = False

    @rx.event
    @action(units.create_unit)
    async def open_create(self) -> None:
        """Ask for a new unit."""
        self._new_form()
        self.values, self.dialog = {"decimals": "0"}, "create"

    @rx.event
    @action(units.update_unit)
    async def open_edit(self, code: Line) -> None:
        """Ask what is to be corrected about a unit."""
        row = next((one for one in self.rows if one.code == code), None)
        if row is not None:
            self._new_form()
            self.values = {"code": row.code, "name": row.name, "decimals": str(row.decimals), "was": row.was}
            self.dialog = "edit"

    @rx.event
    @action(Permission.SETTINGS_MANAGE)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(units.create_unit)
    async def create_unit(self, form: NewUnitForm) -> Any:
        """Add a unit."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(units.create_unit, **form.arguments())
        return self._done(f"Added the unit {name}")

    @rx.event
    @action(units.update_unit)
    async def update_unit(self, form: UnitForm) -> Any:
        """Correct a unit."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(units.update_unit, **form.arguments())
        return self._done(f"Corrected {name}")

    def _done(self, message: str) -> Any:
        self.dialog = ""
        self._new_form()
        return [UnitsState.load, _toast.success(message)]
