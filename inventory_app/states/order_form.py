"""Writing an order: what stands above the lines, and as many lines as it takes."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import reflex as rx
from pydantic import Field

from inventory_app.errors import Invalid
from inventory_app.operations import orders
from inventory_app.operations._numbers import typed
from inventory_app.operations._order_forms import OrderForm
from inventory_app.operations._order_lines import MOST_LINES, LineInput
from inventory_app.operations.orders import Head
from inventory_app.permissions import Permission
from inventory_app.states import _toast, _view
from inventory_app.states._action import Line, LongFormState, Note, action
from inventory_app.states.auth import AuthState
from inventory_app.states.orders import PATH
from inventory_app.unit_of_work import fetch, in_transaction

_FIELDS = ("sku", "description", "quantity", "unit_cost", "tax_percent", "expected_on")
_AT_FIRST = 3
_Key = Annotated[str, Field(max_length=10)]


@dataclass(frozen=True, slots=True)
class EditLine:
    """A line of the form: `key` names its fields, `line_id` is the line of the order it stands for."""

    key: str
    line_id: str = ""
    sku: str = ""
    description: str = ""
    quantity: str = ""
    unit_cost: str = ""
    tax_percent: str = ""
    expected_on: str = ""


class OrderFormState(LongFormState, rx.State):
    """The form of a new order, or of a draft."""

    found: OrderForm | None = None
    lines: list[EditLine] = []
    #: What is said about the product of a line, by its key.
    hints: dict[str, str] = {}
    supplier_id: str = ""

    _next: int = 0

    @rx.event
    @action(Permission.ORDERS_CREATE)
    async def load(self) -> None:
        """Begin with what the address names, or with nothing."""
        parts = self.router.url.path.strip("/").split("/")
        query = self.router.url.query_parameters
        asked = _view.number({"id": parts[1]}, "id") if parts[-1] == "edit" else None
        await self._read(asked, _view.number(query, "supplier"), missing=parts[-1] == "edit" and asked is None)
        self.loading = False
        # Somebody else may have written it anew.
        if not self._begin(f"{asked} {query.get('supplier')} {self.found.version if self.found else 0}"):
            return
        self._next = 0
        known = self.found.lines if self.found else []
        self.lines = [
            EditLine(
                self._new_key(),
                str(one.id),
                one.sku,
                one.described,
                one.typed_quantity,
                one.typed_cost,
                "" if one.typed_tax == "0" else one.typed_tax,
                one.typed_day,
            )
            for one in known
        ] or [EditLine(self._new_key()) for _ in range(_AT_FIRST)]
        # A SKU alone tells nobody what stands there.
        self.hints = {line.key: one.product for line, one in zip(self.lines, known, strict=False) if one.sku}
        self.supplier_id = self.found.head.get("supplier_id", "") if self.found else ""

    async def _read(self, order_id: int | None, supplier_id: int | None, *, missing: bool = False) -> None:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.found = None if missing else await fetch(orders.order_form, order_id=order_id, supplier_id=supplier_id)

    def _new_key(self) -> str:
        self._next += 1
        return str(self._next)

    @rx.event
    @action(Permission.ORDERS_CREATE)
    async def choose_supplier(self, supplier_id: Annotated[str, Field(max_length=19)]) -> None:
        """Offer what the supplier sells, and its terms."""
        self.supplier_id = supplier_id
        known = self.found
        await self._read(known.order_id or None if known else None, _view.number({"id": supplier_id}, "id"))

    @rx.event
    @action(Permission.ORDERS_CREATE)
    async def add_line(self) -> Any:
        """Put an empty line below the others, and the cursor into it."""
        if len(self.lines) >= MOST_LINES:
            raise Invalid(f"Use at most {MOST_LINES} lines on one order.")
        key = self._new_key()
        self.lines = [*self.lines, EditLine(key)]
        return rx.call_script(f"setTimeout(() => document.getElementById('f-sku:{key}')?.focus(), 60)")

    @rx.event
    @action(Permission.ORDERS_CREATE)
    async def remove_line(self, key: _Key) -> None:
        """Take a line out of the form."""
        self.lines = [line for line in self.lines if line.key != key]

    @rx.event
    @action(Permission.ORDERS_CREATE)
    async def look_up(self, key: _Key, text: Line) -> None:
        """Say what was typed stands for."""
        told = ""
        if text:
            auth_state = await self.get_state(AuthState)
            supplier = _view.number({"id": self.supplier_id}, "id")
            with auth_state.audit_context():
                told = await fetch(orders.look_up_product, supplier_id=supplier, text=text)
        self.hints = {**self.hints, key: told}

    @rx.event
    @action(Permission.ORDERS_CREATE)
    async def save_order(self, form: dict[str, Note]) -> Any:
        """Write the draft, and show it."""
        wrong: dict[str, str] = {}
        keys = [line.key for line in self.lines if _is_filled(form, line.key)]
        ids = {line.key: line.line_id for line in self.lines}
        head = _head(form, wrong)
        given = [_line(form, key, ids[key], wrong) for key in keys]
        if wrong:
            raise Invalid(fields=wrong)
        order_id = self.found.order_id if self.found else 0
        arguments: dict[str, Any] = {
            "head": head,
            "lines": given,
            "idempotency_key": form.get("idempotency_key") or None,
        }
        auth_state = await self.get_state(AuthState)
        try:
            with auth_state.audit_context():
                if order_id and self.found:
                    known = {"order_id": order_id, "version": self.found.version}
                    made = await in_transaction(orders.update_order, **known, **arguments)
                else:
                    made = await in_transaction(orders.create_order, **arguments)
        except Invalid as error:
            raise Invalid(
                None if error.fields else str(error),
                fields={_by_key(name, keys): said for name, said in error.fields.items()},
            ) from error
        self._saved()
        return [rx.redirect(f"{PATH}/{made.order_id}"), _toast.success(f"Draft for {made.supplier} saved")]


def _by_key(name: str, keys: list[str]) -> str:
    """Name a field of a line by the line's key in the form, not by its number in the order."""
    field, _, number = name.partition(":")
    return f"{field}:{keys[int(number) - 1]}" if number else name


def _is_filled(form: dict[str, str], key: str) -> bool:
    return any(form.get(f"{name}:{key}", "").strip() for name in _FIELDS if name != "tax_percent")


def _head(form: dict[str, str], wrong: dict[str, str]) -> Head:
    supplier = _view.number(form, "supplier_id")
    if supplier is None:
        wrong["supplier"] = "Choose a supplier."
    place = _view.number(form, "location_id")
    if place is None:
        wrong["location_id"] = "Choose a location that is in use."
    days = form.get("payment_days", "").strip()
    if days and not (days.isascii() and days.isdigit() and len(days) < 6):  # noqa: PLR2004  # fits an integer
        wrong["payment_days"] = "Enter a whole number."
    return Head(
        supplier_id=supplier or 0,
        location_id=place or 0,
        currency=form.get("currency", ""),
        rate=_number(form, "rate", "rate", wrong),
        expected_on=_day(form, "expected_on", wrong),
        payment_days=int(days) if days and "payment_days" not in wrong else None,
        note=form.get("note", ""),
        message=form.get("message", ""),
    )


def _line(form: dict[str, str], key: str, line_id: str, wrong: dict[str, str]) -> LineInput:
    quantity = _number(form, f"quantity:{key}", f"quantity:{key}", wrong)
    if quantity is None:
        wrong.setdefault(f"quantity:{key}", "Please fill this in.")
    return LineInput(
        quantity=quantity or Decimal(0),
        sku=form.get(f"sku:{key}", ""),
        description=form.get(f"description:{key}", ""),
        unit_cost=_number(form, f"unit_cost:{key}", f"unit_cost:{key}", wrong),
        tax_percent=_number(form, f"tax_percent:{key}", f"tax_percent:{key}", wrong) or Decimal(0),
        expected_on=_day(form, f"expected_on:{key}", wrong),
        line_id=int(line_id) if line_id else None,
    )


def _number(form: dict[str, str], name: str, field: str, wrong: dict[str, str]) -> Decimal | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    try:
        return typed(text)
    except ValueError as error:
        wrong[field] = str(error)
        return None


def _day(form: dict[str, str], name: str, wrong: dict[str, str]) -> date | None:
    text = form.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        wrong[name] = "Enter a day such as 2026-11-30."
        return None
