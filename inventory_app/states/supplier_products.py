"""The terms of suppliers, on the page of a product and on that of a supplier."""

from decimal import Decimal
from typing import Annotated, Any

import reflex as rx
from pydantic import BeforeValidator

from inventory_app.operations import products, supplier_products
from inventory_app.operations.supplier_products import TermsRow
from inventory_app.permissions import Permission
from inventory_app.states import _toast, _view
from inventory_app.states._action import FormState, Id, Line, Payload, action
from inventory_app.states._product_forms import MaybeId, MaybeQuantity, Tick
from inventory_app.states._stock_forms import Money, Quantity
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch, in_transaction


def _maybe(value: object) -> object:
    """Read a number that was left empty as none."""
    return None if isinstance(value, str) and not value.strip() else value


def _nothing(value: object) -> object:
    """Read a whole number that was left empty as 0."""
    return "0" if isinstance(value, str) and not value.strip() else value


def _one(value: object) -> object:
    """Read a pack that was left empty as one of our units."""
    return "1" if isinstance(value, str) and not value.strip() else value


class _Terms(Payload):
    """What is agreed."""

    supplier_sku: Line = ""
    cost: Annotated[Money | None, BeforeValidator(_maybe)] = None
    purchase_unit: Line = ""
    pack_size: Annotated[Quantity, BeforeValidator(_one)] = Decimal(1)
    minimum_quantity: MaybeQuantity = Decimal(0)
    lead_time_days: Annotated[int, BeforeValidator(_nothing)] = 0


class NewTermsForm(_Terms):
    """Terms to be: product and supplier by key where the page is theirs, else by what they are called."""

    product_id: MaybeId = None
    sku: Line = ""
    supplier_id: MaybeId = None
    supplier: Line = ""


class TermsForm(_Terms):
    """Terms as somebody corrects them, in the version that was read."""

    terms_id: Id
    version: int
    active: Tick = False


class SupplierProductsState(FormState, rx.State):
    """The terms of the product or supplier the address names, and the dialog over them."""

    rows: list[TermsRow] = []
    product_id: str = ""
    supplier_id: str = ""
    dialog: str = ""
    terms: TermsRow | None = None
    suppliers: list[str] = []

    @rx.event
    @action()
    async def load(self) -> None:
        """Show the terms of the record the address names, to who may see the catalogue."""
        path, _, last = self.router.url.path.rstrip("/").rpartition("/")
        asked = _view.number({"id": last}, "id")
        self.rows, self.dialog = [], ""
        self.product_id = str(asked or "") if path == "/products" else ""
        self.supplier_id = str(asked or "") if path == "/suppliers" else ""
        auth_state = await self.get_state(AuthState)
        if not (self.product_id or self.supplier_id) or not auth_state._may(Permission.PRODUCTS_VIEW):  # noqa: SLF001  # ours
            return
        with auth_state.audit_context():
            self.rows = await fetch(
                supplier_products.terms,
                product_id=int(self.product_id) if self.product_id else None,
                supplier_id=int(self.supplier_id) if self.supplier_id else None,
            )

    @rx.event
    @action(supplier_products.create_supplier_product)
    async def open_create(self) -> None:
        """Ask for new terms."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.suppliers = (await fetch(products.product_choices)).suppliers
        self._new_form()
        self.terms, self.dialog = None, "create"

    @rx.event
    @action(supplier_products.update_supplier_product)
    async def open_edit(self, terms_id: Id) -> None:
        """Ask what is to be corrected about terms."""
        self.terms = next((row for row in self.rows if row.id == terms_id), None)
        self._new_form()
        self.dialog = "edit" if self.terms else ""

    @rx.event
    @action(Permission.PRODUCTS_VIEW)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog."""
        if not is_open:
            self.dialog = ""

    @rx.event
    @action(supplier_products.create_supplier_product)
    async def create_terms(self, form: NewTermsForm) -> Any:
        """Enter terms."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(supplier_products.create_supplier_product, **form.arguments())
        return self._done(f"Entered {done.supplier}'s terms for {done.product}")

    @rx.event
    @action(supplier_products.update_supplier_product)
    async def update_terms(self, form: TermsForm) -> Any:
        """Correct terms."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            done = await in_transaction(supplier_products.update_supplier_product, **form.arguments())
        return self._done(f"Corrected {done.supplier}'s terms for {done.product}")

    def _done(self, message: str) -> Any:
        self.dialog = ""
        self._new_form()
        return [SupplierProductsState.load, _toast.success(message)]
