"""Prices: the list, changing one, what is planned, what stock is worth."""

from typing import Any, ClassVar

import reflex as rx

from inventory_app.errors import Invalid, InvalidRows
from inventory_app.operations import change_sets, pricing
from inventory_app.operations._lists import Listing, View
from inventory_app.operations._price_list import LIST
from inventory_app.operations.pricing import History, PlannedRow, PriceRow, Share
from inventory_app.permissions import Permission
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Line, Note, Payload, action
from inventory_app.states._list import Listed, ListState
from inventory_app.states._stock_forms import Money
from inventory_app.states.auth import AuthState
from inventory_app.states.bulk_changes import MOST_CHANGED, Day, propose_for
from inventory_app.unit_of_work import fetch, in_transaction

PATH = "/pricing"
PLANNED_PATH = "/pricing/planned"
VALUE_PATH = "/pricing/value"


class PriceForm(Payload):
    """A new price of one product, and the price somebody saw when they entered it."""

    product_id: Id
    new_price: Money
    read_price: Line = ""
    valid_from: Day = None
    reason: Note = ""


class PricingState(ListState, rx.State):
    """The prices the address asks for, and the dialog about one of them."""

    columns: list[str] = LIST.everybodys()
    rows: list[PriceRow] = []
    products: int = 0
    planned: int = 0
    dialog: str = ""
    history: History | None = None

    _listing: ClassVar[Listing] = LIST
    _path: ClassVar[str] = PATH

    @rx.event
    @action(Permission.PRICES_VIEW)
    async def load(self) -> None:
        """Show the prices the address asks for."""
        view = await self._asked()
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(pricing.list_prices, view=view)
        self.rows, self.products, self.planned = found.page.rows, found.everything, found.planned
        listed = Listed(found.view, found.page, found.count, found.everything)
        options = {"category": [(one.id, one.label) for one in found.categories]}
        await self._show_list(listed, (row.id for row in found.page.rows), options)

    async def _matching(self, view: View, most: int) -> list[int]:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            return await fetch(pricing.matching_products, view=view, most=most)

    @rx.event
    @action(Permission.PRICES_VIEW)
    async def close(self, is_open: bool) -> None:  # noqa: FBT001  # what a dialog sends
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(Permission.PRICES_VIEW)
    async def open_history(self, product_id: Id) -> None:
        """Show what a product cost when."""
        await self._open("history", product_id)

    @rx.event
    @action(pricing.update_pricing)
    async def open_price(self, product_id: Id) -> None:
        """Ask for a product's new price."""
        await self._open("price", product_id)

    async def _open(self, dialog: str, product_id: int) -> None:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.history = await fetch(pricing.price_history, product_id=product_id)
        if self.history is None:
            message = "This product does not exist (any more). Reload the page."
            raise Invalid(message)
        self._new_form()
        self.dialog = dialog

    @rx.event
    @action(change_sets.propose_prices)
    async def open_prices(self) -> None:
        """Ask how the prices of the selected products change."""
        await propose_for(self, "prices", await self._selected_ids(MOST_CHANGED))

    @rx.event
    @action(change_sets.propose_prices_by_sku)
    async def open_file(self) -> None:
        """Ask for a file of prices."""
        self._new_form()
        self.dialog = "file"

    @rx.event
    @action(change_sets.propose_products)
    async def open_products(self) -> None:
        """Ask what all the selected products shall have."""
        await propose_for(self, "products", await self._selected_ids(MOST_CHANGED))

    @rx.event
    @action(pricing.update_pricing)
    async def update_pricing(
        self,
        product_id: Id,
        new_price: Money,
        valid_from: Day = None,
        reason: Note = "",
        idempotency_key: Line = "",
    ) -> Any:
        """Change the price of one product, now or from a later day on."""
        update = {"product_id": product_id, "price": str(new_price)}
        return await self._update(update, valid_from, reason, idempotency_key)

    @rx.event
    @action(pricing.update_pricing)
    async def save_price(self, form: PriceForm) -> Any:
        """Change the price that the dialog is about."""
        update = {"product_id": form.product_id, "price": str(form.new_price)}
        if form.read_price:
            update["read_price"] = form.read_price
        return await self._update(update, form.valid_from, form.reason, form.idempotency_key)

    async def _update(self, update: dict[str, Any], valid_from: Any, reason: str, key: str) -> Any:
        auth_state = await self.get_state(AuthState)
        try:
            with auth_state.audit_context():
                done = await in_transaction(
                    pricing.update_pricing,
                    updates=[update],
                    valid_from=valid_from,
                    reason=reason,
                    idempotency_key=key or None,
                )
        except InvalidRows as error:
            _, field, said = error.rows[0]
            name = {"valid_from": "valid_from"}.get(field, "new_price")
            raise Invalid(fields={name: said[:1].upper() + said[1:].rstrip(".") + "."}) from error
        except Invalid as error:
            raise Invalid(
                fields={"valid_from" if n == "effective_on" else n: said for n, said in error.fields.items()}
            ) from error
        of = f" of {self.history.product}" if self.history and self.dialog == "price" else ""
        self.dialog = ""
        self._new_form()
        if done.waits_as:
            said = "This changes the price a lot: it waits for somebody else's agreement"
            return [rx.redirect(f"/changes/{done.waits_as}"), _toast.warning(said)]
        if done.valid_from:
            return [
                PricingState.load,
                _toast.success(f"Planned a new price{of} from {done.valid_from:%-d %b %Y}"),
            ]
        return [
            PricingState.load,
            _toast.success(f"Changed the price{of}" if done.changed else "It costs that already"),
        ]


class PlannedPriceState(FormState, rx.State):
    """The prices that wait for their day."""

    loading: bool = True
    rows: list[PlannedRow] = []
    previous_href: str = ""
    next_href: str = ""
    asked: PlannedRow | None = None
    asking: bool = False

    @rx.event
    @action(Permission.PRICES_VIEW)
    async def load(self) -> None:
        """Show the next ones first."""
        cursor = self.router.url.query_parameters.get("at", "")
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(pricing.planned_prices, cursor=cursor)
        self.rows = found.rows
        self.previous_href = _view.href(PLANNED_PATH, {}, at=found.before) if found.before else ""
        self.next_href = _view.href(PLANNED_PATH, {}, at=found.after) if found.after else ""
        self.loading = False

    @rx.event
    @action(pricing.cancel_planned_price)
    async def open_cancel(self, price_id: Id) -> None:
        """Ask once before a planned price is taken back."""
        self.asked = next((row for row in self.rows if row.id == price_id), None)
        self.asking = self.asked is not None

    @rx.event
    @action(Permission.PRICES_VIEW)
    async def close(self, is_open: bool) -> None:  # noqa: FBT001  # what a dialog sends
        """Close the question."""
        self.asking = is_open and self.asking

    @rx.event
    @action(pricing.cancel_planned_price)
    async def cancel_planned(self, price_id: Id) -> Any:
        """Take a planned price back."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(pricing.cancel_planned_price, price_id=price_id)
        self.asking = False
        return [PlannedPriceState.load, _toast.success(f"Cancelled the planned price of {name}")]


class StockValueState(rx.State):
    """What the stock is worth now."""

    loading: bool = True
    total: str = ""
    products: str = ""
    shares: list[Share] = []

    @rx.event
    @action(Permission.PRICES_VIEW)
    async def load(self) -> None:
        """Read it."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(pricing.stock_value)
        self.total, self.products, self.shares = found.total, found.products, found.shares
        self.loading = False
