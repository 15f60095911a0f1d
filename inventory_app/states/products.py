"""The list of products as its address says, and adding one."""

from dataclasses import replace
from typing import Any, ClassVar

import reflex as rx

from inventory_app.operations import products
from inventory_app.operations._barcodes import as_scanned, is_gtin
from inventory_app.operations._lists import Listing
from inventory_app.operations._product_list import LIST, ProductRow, product_href
from inventory_app.operations._product_views import ProductChoices
from inventory_app.permissions import Permission
from inventory_app.states import _live, _toast
from inventory_app.states._action import Line, action
from inventory_app.states._list import Listed, ListState
from inventory_app.states._product_forms import NewProductForm
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction

PATH = "/products"


class ProductsState(ListState, rx.State):
    """The products the address asks for, and the dialog that adds one."""

    columns: list[str] = LIST.everybodys()
    rows: list[ProductRow] = []
    #: Who changed which row while this page was open, by `Product.id`.
    changed: dict[int, str] = {}
    everything: int = 0
    active: int = 0
    archived: int = 0
    to_reorder: int = 0

    dialog: str = ""
    choices: ProductChoices = ProductChoices([], [], [])

    _listing: ClassVar[Listing] = LIST
    _path: ClassVar[str] = PATH

    @rx.event
    @action(Permission.PRODUCTS_VIEW)
    async def load(self) -> None:
        """Show what the address asks for."""
        # Before it is read, so that nothing is missed that follows.
        _live.watch(self, "product", ProductsState.changed_elsewhere)
        await self._load()
        self.changed = {}

    @rx.event
    @action(Permission.PRODUCTS_VIEW)
    async def changed_elsewhere(self) -> None:
        """Show the list anew and mark what somebody else has changed; an open dialog stays as it is."""
        changed = _live.changed(self)
        # Of many products few are on this page.
        if changed.keys() & set(self.present):
            await self._load()
            self.changed = {id_: who for id_, who in (self.changed | changed).items() if id_ in self.present}

    async def _load(self) -> None:
        view = await self._asked()
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(products.list_products, view=view)
        self.rows = found.page.rows
        counts = found.counts
        self.everything, self.active, self.archived = counts.everything, counts.active, counts.archived
        self.to_reorder = counts.to_reorder
        listed = Listed(found.view, found.page, found.count, counts.everything)
        await self._show_list(listed, (row.id for row in found.page.rows), {"category": found.categories})

    @rx.event
    @action(Permission.PRODUCTS_VIEW)
    async def search(self, text: Line) -> Any:
        """Search as one types; what is scanned goes to its product."""
        if is_gtin(as_scanned(text)):
            auth_state = await self.get_state(AuthState)
            with auth_state.audit_context():
                found = await fetch(products.find_by_barcode, text=text)
            if found:
                return rx.redirect(product_href(found.product_id))
        view = replace(await self._asked(), search=text)
        return rx.redirect(self._href(view), replace=True)

    @rx.event
    @action(products.create_product)
    async def open_create(self) -> None:
        """Ask for a new product."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.choices = await fetch(products.product_choices)
        self._new_form()
        self.dialog = "create"

    @rx.event
    @action(Permission.PRODUCTS_VIEW)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(products.create_product)
    async def create_product(self, form: NewProductForm) -> Any:
        """Add a product and go to it."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(products.create_product, **form.arguments())
        self._new_form()
        self.dialog = ""
        return [rx.redirect(product_href(done.product_id)), _toast.success(f"Added {done.name} ({done.sku})")]
