"""One product: what is known, where it is kept, what it cost and what happened to it; correcting and archiving it."""

from typing import Any

import reflex as rx

from inventory_app.operations import pricing, products
from inventory_app.operations._product_views import ProductChoices, ProductDetail
from inventory_app.operations.pricing import History
from inventory_app.operations.trail import HistoryRow
from inventory_app.permissions import Permission
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, action
from inventory_app.states._history import history_of
from inventory_app.states._product_forms import ProductForm, VersionForm
from inventory_app.states._reload import loaded_by
from inventory_app.states.auth import AuthState
from inventory_app.states.products import PATH
from inventory_app.unit_of_work import fetch, in_transaction


class ProductPageState(FormState, rx.State):
    """The product the address names."""

    loading: bool = True
    detail: ProductDetail | None = None
    #: What it cost when, for who may see that.
    prices: History | None = None
    changes: list[HistoryRow] = []
    earlier_href: str = ""
    later_href: str = ""
    trail_href: str = ""

    dialog: str = ""
    choices: ProductChoices = ProductChoices([], [], [])
    #: What the form of the dialog began with: what others change meanwhile must not get into it.
    values: dict[str, str] = {}
    version: int = 0
    lots_kept: bool = False
    unit_fixed: bool = False

    @rx.event
    @action(Permission.PRODUCTS_VIEW)
    async def load(self) -> None:
        """Show the product the address names."""
        path, cursor = self.router.url.path.rstrip("/"), self.router.url.query_parameters.get("page", "")
        asked = _view.number({"id": path.rpartition("/")[2]}, "id")
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(products.product_detail, product_id=asked) if asked else None
            self.prices, self.changes, self.earlier_href, self.later_href = None, [], "", ""
            if found and auth_state._may(Permission.PRICES_VIEW):  # noqa: SLF001  # ours
                self.prices = await fetch(pricing.price_history, product_id=found.id)
            if found and auth_state._may(Permission.AUDIT_VIEW):  # noqa: SLF001  # ours
                told = await history_of("product", found.id, cursor)
                self.changes, self.trail_href = told.rows, _view.href("/audit", {"q": told.search})
                self.later_href = _view.href(path, {"page": told.later}) if told.later else ""
                self.earlier_href = _view.href(path, {"page": told.earlier}) if told.earlier else ""
        if found is None or self.detail is None or found.id != self.detail.id:
            self.dialog = ""
            self._new_form()
        self.detail = found
        self.loading = False

    @rx.event
    @action(products.update_product)
    async def open_edit(self) -> None:
        """Ask what is to be corrected."""
        if self.detail is None:
            return
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            found = await fetch(products.product_to_edit, product_id=self.detail.id)
            self.choices = await fetch(products.product_choices)
        if found is None:
            return
        chosen = found.values["category_id"]
        if chosen and chosen not in dict(self.choices.categories):
            # Closed meanwhile, and still this product's.
            self.choices.categories.append((chosen, self.detail.category))
        self._new_form()
        self.values, self.version = found.values, found.version
        self.lots_kept, self.unit_fixed = found.lots_kept, found.unit_fixed
        self.dialog = "edit"

    @rx.event
    @action(products.archive_product)
    async def open_archive(self) -> None:
        """Ask whether the product is to be archived, and why."""
        self._new_form()
        self.dialog = "archive"

    @rx.event
    @action(Permission.PRODUCTS_VIEW)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(products.update_product)
    async def update_product(self, form: ProductForm) -> Any:
        """Correct the product."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(products.update_product, **form.arguments())
        return self._done(f"Corrected {done.name}")

    @rx.event
    @action(products.archive_product)
    async def archive_product(self, form: VersionForm) -> Any:
        """Take the product out of use."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(products.archive_product, **form.arguments())
        return self._done(f"Archived {done.name}")

    @rx.event
    @action(products.restore_product)
    async def restore_product(self, product_id: Id, version: int, idempotency_key: str = "") -> Any:
        """Take the product into use again."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(
                products.restore_product,
                product_id=product_id,
                version=version,
                idempotency_key=idempotency_key or None,
            )
        return self._done(f"{done.name} is in use again")

    def _done(self, message: str) -> Any:
        self.dialog = ""
        self._new_form()
        return [ProductPageState.load, _toast.success(message)]


loaded_by(PATH, ProductPageState.load)
