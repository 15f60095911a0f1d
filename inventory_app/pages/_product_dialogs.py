"""Asking for a product: what is known of a new one, and correcting one."""

from collections.abc import Callable
from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates
from inventory_app.permissions import Permission
from inventory_app.states.product_page import ProductPageState
from inventory_app.states.products import ProductsState


def create_dialog() -> rx.Component:
    """Ask for a new product, of which there is no stock yet."""
    state = ProductsState
    money = forms.fields_row(
        _figure(state, "Unit cost", "unit_cost", _empty), _figure(state, "Unit price", "unit_price", _empty)
    )
    return dialogs.dialog(
        forms.fields_row(
            _line(state, "SKU", "sku", _empty, optional=False, required=True, max_length=40, auto_focus=True),
            _unit(state, "pcs"),
        ),
        *_fields(state, _empty),
        rx.cond(gates.may(Permission.PRICES_VIEW), money, rx.fragment()),
        _lots(state, checked=False),
        open=state.dialog == "create",
        on_open_change=state.close,
        title="New product",
        sub="Something to be kept, bought or sold. Its stock comes when it is received.",
        status="Nothing is saved yet.",
        primary=forms.submit("Add the product"),
        on_submit=state.create_product,
        turn=state.turn,
        idempotency_key=state.idempotency_key,
        size="l",
    )


def edit_dialog() -> rx.Component:
    """Ask what is to be corrected about a product."""
    state = ProductPageState

    def value(name: str) -> Any:
        return state.values.get(name, "").to(str)

    fixed = forms.field(
        "Unit",
        rx.fragment(
            forms.hidden_input("unit_code", value("unit_code")), forms.shown("f-unit-shown", value("unit_code"))
        ),
        hint="Stock was booked in it, so it stays.",
    )
    unit = rx.cond(state.unit_fixed, fixed, _unit(state, value("unit_code")))
    return dialogs.dialog(
        forms.hidden_input("product_id", state.detail.id.to_string()),
        forms.hidden_input("version", state.version.to_string()),
        forms.fields_row(forms.field("SKU", forms.shown("f-sku-shown", value("sku")), hint="Stays for good."), unit),
        *_fields(state, value),
        _lots(state, checked=state.lots_kept),
        _why(state),
        open=state.dialog == "edit",
        on_open_change=state.close,
        title="Correct the product",
        sub=rx.el.bdi(state.detail.name),
        status="Nothing is saved yet.",
        primary=forms.submit("Save the corrections"),
        on_submit=state.update_product,
        turn=state.turn,
        idempotency_key=state.idempotency_key,
        size="l",
    )


def archive_dialog() -> rx.Component:
    """Ask whether a product is to be archived, and why."""
    state = ProductPageState
    return dialogs.dialog(
        forms.hidden_input("product_id", state.detail.id.to_string()),
        forms.hidden_input("version", state.detail.version.to_string()),
        rx.el.p(
            "It is not offered any more and cannot be received. Its history stays, its SKU is never used again, "
            "and it can be restored."
        ),
        _why(state, "f-archive-reason"),
        open=state.dialog == "archive",
        on_open_change=state.close,
        title="Archive " + state.detail.name + "?",
        primary=forms.submit("Archive it", tone="destroy"),
        on_submit=state.archive_product,
        turn=state.turn,
        idempotency_key=state.idempotency_key,
        size="s",
    )


def _empty(_: str) -> str:
    return ""


def _line(state: Any, label: str, name: str, value: Callable[[str], Any], **props: Any) -> rx.Component:
    optional, hint = props.pop("optional", True), props.pop("hint", None)
    control = forms.text_input(name, value=value(name), **props)
    return forms.field(label, control, error=forms.problem(state.errors, name), optional=optional, hint=hint)


def _figure(state: Any, label: str, name: str, value: Callable[[str], Any]) -> rx.Component:
    control = forms.number_input(name, value=value(name), placeholder="0")
    return forms.field(label, control, error=forms.problem(state.errors, name), optional=True)


def _unit(state: Any, value: Any) -> rx.Component:
    return forms.field(
        "Unit",
        forms.select("unit_code", state.choices.units, value=value),
        error=forms.problem(state.errors, "unit_code"),
    )


def _fields(state: Any, value: Callable[[str], Any]) -> list[rx.Component]:
    """Ask for what can be said of a product at any time."""
    offered = rx.el.datalist(
        rx.foreach(state.choices.suppliers, lambda name: rx.el.option(value=name, key=name)), id="product-suppliers"
    )
    category = forms.field(
        "Category",
        forms.select("category_id", state.choices.categories, value=value("category_id"), placeholder="None"),
        error=forms.problem(state.errors, "category_id"),
        optional=True,
    )
    supplier = _line(
        state, "Preferred supplier", "supplier", value, list="product-suppliers", auto_complete="off", max_length=200
    )
    return [
        _line(state, "Name", "name", value, optional=False, required=True, max_length=200),
        forms.fields_row(
            category,
            _line(
                state,
                "Barcode",
                "barcode",
                value,
                auto_complete="off",
                max_length=80,
                hint="Scan it, or type its digits.",
            ),
        ),
        forms.fields_row(supplier, offered),
        forms.fields_row(
            _figure(state, "Reorder at", "reorder_point", value),
            _figure(state, "Reorder quantity", "reorder_quantity", value),
        ),
        forms.field(
            "Description",
            forms.textarea("description", value=value("description"), rows=3, max_length=2_000),
            error=forms.problem(state.errors, "description"),
            optional=True,
        ),
    ]


def _lots(state: Any, *, checked: Any) -> rx.Component:
    wrong = forms.problem(state.errors, "lots_kept")
    return rx.el.div(
        forms.choice(
            "lots_kept",
            "Keep its stock by lot",
            "Every quantity then belongs to a lot with its code and, if it has one, its expiry date.",
            checked=checked,
        ),
        rx.cond(wrong, feedback.callout(wrong, tone="bad"), rx.fragment()),
    )


def _why(state: Any, field_id: str = "") -> rx.Component:
    return forms.field(
        "Why",
        forms.textarea("reason", id=field_id, rows=2, max_length=1_000),
        error=forms.problem(state.errors, "reason"),
        optional=True,
        aside=rx.el.span("kept in the history", class_name="aside"),
    )
