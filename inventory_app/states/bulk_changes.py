"""The dialogs that propose the same change for all selected products or items, whichever list they were selected in.

A list offers them with two lines of its own State, and puts `bulk_change_dialogs()` on its page:

    @rx.event
    @action(change_sets.propose_prices)
    async def open_prices(self) -> None:
        await propose_for(self, "prices", await self._selected_ids(MOST_CHANGED))
"""

from datetime import date
from typing import Annotated, Any, Literal

import reflex as rx
from pydantic import BeforeValidator

from inventory_app.operations import change_sets
from inventory_app.operations.change_sets import Proposed
from inventory_app.permissions import Permission
from inventory_app.states import _toast
from inventory_app.states._action import FormState, Id, Line, Note, Payload, action
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction

#: More selected rows than these are a file, not a selection.
MOST_CHANGED = 10_000
_NO_DAY = "Choose a day."


def _day(value: object) -> object:
    """Read what a date field sends; empty is no day."""
    if value == "":
        return None
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(_NO_DAY) from None
    return value


Day = Annotated[date | None, BeforeValidator(_day)]


class BulkPriceForm(Payload):
    """How the prices of the selected products change; `product_ids` where no dialog has kept them."""

    how: Literal["set", "percent"]
    value: Line
    round_to: Line = "0.01"
    effective_on: Day = None
    title: Line = ""
    reason: Note = ""
    product_ids: list[Id] = []


class BulkProductForm(Payload):
    """What all the selected products shall have; `product_ids` where no dialog has kept them."""

    field: Line
    value: Line = ""
    title: Line = ""
    reason: Note = ""
    product_ids: list[Id] = []


class BulkQuantityForm(Payload):
    """What there is of the selected items, or how much more or less; `item_ids` where no dialog has kept them."""

    how: Literal["set", "by"]
    value: Line
    title: Line = ""
    reason: Note = ""
    item_ids: list[Id] = []


class BulkChangeState(FormState, rx.State):
    """The products or items somebody selected, and the dialog that asks what shall change."""

    dialog: str = ""
    number: int = 0
    how: str = "percent"
    field: str = "category_id"
    fields: list[tuple[str, str]] = []
    categories: list[tuple[str, str]] = []
    suppliers: list[tuple[str, str]] = []

    _ids: tuple[int, ...] = ()

    async def _begin(self, dialog: str, ids: list[int]) -> None:
        self._ids, self.number = tuple(ids), len(ids)
        if dialog == "products" and not self.fields:
            auth_state = await self.get_state(AuthState)
            with auth_state.audit_context():
                found = await fetch(change_sets.field_choices)
            self.fields, self.categories, self.suppliers = found.fields, found.categories, found.suppliers
        self._new_form()
        self.how = "by" if dialog == "quantities" else "percent"
        self.field, self.dialog = "category_id", dialog

    @rx.event
    @action(Permission.PRODUCTS_VIEW)
    async def close(self, is_open: bool) -> None:  # noqa: FBT001  # what a dialog sends
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(Permission.PRICES_UPDATE)
    async def choose_how(self, how: Line) -> None:
        """Ask for a price, or for percent."""
        self.how = "set" if how == "set" else "percent"

    @rx.event
    @action(Permission.PRODUCTS_MANAGE)
    async def choose_field(self, field: Line) -> None:
        """Ask for what the chosen field can be."""
        self.field = field

    @rx.event
    @action(change_sets.propose_prices)
    async def propose_prices(self, form: BulkPriceForm) -> Any:
        """Propose prices for the selected products, and show the difference."""
        given = form.arguments()
        given["product_ids"] = form.product_ids or list(self._ids)
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(change_sets.propose_prices, **given)
        return self._show(done)

    @rx.event
    @action(change_sets.propose_products)
    async def propose_products(self, form: BulkProductForm) -> Any:
        """Propose one change of the selected products, and show the difference."""
        given = form.arguments()
        given["product_ids"] = form.product_ids or list(self._ids)
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(change_sets.propose_products, **given)
        return self._show(done)

    @rx.event
    @action(Permission.INVENTORY_BULK_UPDATE)
    async def choose_quantity(self, how: Line) -> None:
        """Ask for a quantity, or for a difference."""
        self.how = "set" if how == "set" else "by"

    @rx.event
    @action(change_sets.propose_quantities)
    async def propose_quantities(self, form: BulkQuantityForm) -> Any:
        """Propose quantities for the selected items, and show the difference."""
        given = form.arguments()
        given["item_ids"] = form.item_ids or list(self._ids)
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(change_sets.propose_quantities, **given)
        return self._show(done)

    def _show(self, done: Proposed) -> Any:
        self.dialog = ""
        self._new_form()
        said = "Nothing has changed yet: look at it, then apply it."
        return [rx.redirect(f"/changes/{done.change_set_id}"), _toast.success(said)]


async def propose_for(state: rx.State, dialog: Literal["prices", "products", "quantities"], ids: list[int]) -> None:
    """Ask what shall change of these products; of these items, where it is about quantities."""
    bulk = await state.get_state(BulkChangeState)
    await bulk._begin(dialog, ids)  # noqa: SLF001  # ours
