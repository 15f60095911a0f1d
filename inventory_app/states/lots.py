"""Lots: the list of all, those of one product, and adding and correcting them."""

from datetime import date
from typing import Annotated, Any, ClassVar

import reflex as rx
from pydantic import BeforeValidator

from inventory_app.operations import lots
from inventory_app.operations._lists import Listing
from inventory_app.operations.lots import LIST, LotRow
from inventory_app.permissions import Permission
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Line, Note, Payload, action
from inventory_app.states._list import Listed, ListState
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction

PATH = "/lots"


def _day(value: object) -> object:
    """Read a day as a date field sends it; empty is none."""
    if value in ("", None):
        return None
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            message = "Choose a day such as 2027-03-31."
            raise ValueError(message) from None
    return value


Day = Annotated[date | None, BeforeValidator(_day)]


class NewLotForm(Payload):
    """A lot to be."""

    product_id: Id
    code: Line
    expires_on: Day = None
    note: Note = ""


class LotForm(Payload):
    """A lot as somebody corrects it, in the version that was read."""

    lot_id: Id
    version: int
    code: Line
    expires_on: Day = None
    note: Note = ""


class LotsState(ListState, rx.State):
    """The lots the address asks for."""

    columns: list[str] = LIST.everybodys()
    rows: list[LotRow] = []
    everything: int = 0
    soon: int = 0
    expired: int = 0

    _listing: ClassVar[Listing] = LIST
    _path: ClassVar[str] = PATH

    @rx.event
    @action(Permission.PRODUCTS_VIEW)
    async def load(self) -> None:
        """Show what the address asks for."""
        view = await self._asked()
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(lots.list_lots, view=view)
        self.rows = found.page.rows
        self.everything, self.soon, self.expired = found.everything, found.soon, found.expired
        await self._show_list(
            Listed(found.view, found.page, found.count, found.everything), (row.id for row in found.page.rows)
        )


class ProductLotsState(FormState, rx.State):
    """The lots of the product the address names, and the dialog over them."""

    rows: list[LotRow] = []
    product_id: int = 0
    dialog: str = ""
    lot: LotRow | None = None

    @rx.event
    @action(Permission.PRODUCTS_VIEW)
    async def load(self) -> None:
        """Show the lots of the product."""
        asked = _view.number({"id": self.router.url.path.rstrip("/").rpartition("/")[2]}, "id")
        if asked != self.product_id:
            self.dialog = ""
        self.product_id = asked or 0
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            zone = auth_state._time_zone()  # noqa: SLF001  # ours
            self.rows = await fetch(lots.lots_of, product_id=asked, zone=zone) if asked else []

    @rx.event
    @action(lots.create_lot)
    async def open_create(self) -> None:
        """Ask for a new lot."""
        self._new_form()
        self.lot, self.dialog = None, "create"

    @rx.event
    @action(lots.update_lot)
    async def open_edit(self, lot_id: Id) -> None:
        """Ask what is to be corrected about a lot."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.lot = await fetch(lots.lot_to_edit, lot_id=lot_id)
        self._new_form()
        self.dialog = "edit" if self.lot else ""

    @rx.event
    @action(Permission.PRODUCTS_VIEW)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(lots.create_lot)
    async def create_lot(self, form: NewLotForm) -> Any:
        """Add a lot."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(lots.create_lot, **form.arguments())
        return self._done(f"Added lot {done.code}")

    @rx.event
    @action(lots.update_lot)
    async def update_lot(self, form: LotForm) -> Any:
        """Correct a lot."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(lots.update_lot, **form.arguments())
        return self._done(f"Corrected lot {done.code}")

    def _done(self, message: str) -> Any:
        self.dialog = ""
        self._new_form()
        return [ProductLotsState.load, _toast.success(message)]
