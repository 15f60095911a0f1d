"""The card of suppliers' terms: on a product's page its suppliers, on a supplier's page its products."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, layout, tables
from inventory_app.components.basics import button, icon_button, ident
from inventory_app.operations.supplier_products import TermsRow
from inventory_app.permissions import Permission
from inventory_app.states.supplier_products import SupplierProductsState

S = SupplierProductsState


def terms_card(*, of_product: bool) -> rx.Component:
    """Show the terms of the open record, with the dialogs that enter and correct them."""
    new = gates.can(Permission.PRODUCTS_MANAGE, button("New terms", icon_name="plus", on_click=S.open_create))
    empty = (
        "Nobody's terms are known yet. With them orders know the pack, the smallest order and the time it takes."
        if of_product
        else "None of our products has terms of this supplier yet."
    )
    shown = tables.table(
        tables.head(
            tables.column("Supplier" if of_product else "Product"),
            tables.column("Ordered in"),
            tables.column("Smallest", hide="lg", numeric=True),
            tables.column("Comes in", hide="lg", numeric=True),
            tables.column(rx.cond(gates.may(Permission.PRICES_VIEW), "Cost", ""), numeric=True),
        ),
        rx.el.tbody(rx.foreach(S.rows, lambda row: _line(row, of_product=of_product))),
        label="Terms",
    )
    nothing = rx.el.div(rx.el.p(empty, class_name="muted"), class_name="card-body")
    return rx.fragment(
        layout.card(
            rx.cond(S.rows.length() > 0, shown, nothing),
            title="Suppliers' terms" if of_product else "What it sells us",
            end=new,
            flush=True,
        ),
        _create_dialog(of_product=of_product),
        _edit_dialog(),
    )


def _line(row: rx.Var[TermsRow], *, of_product: bool) -> rx.Component:
    name, href = (row.supplier, row.supplier_href) if of_product else (row.product, row.product_href)
    off = rx.cond(row.active, rx.fragment(), feedback.badge("Off"))
    below = rx.fragment(rx.cond(row.supplier_sku, rx.fragment("their ", ident(row.supplier_sku), " "), ""), off)
    edit = gates.can(
        Permission.PRODUCTS_MANAGE,
        icon_button("pencil", "Correct the terms: " + name, on_click=S.open_edit(row.id)),
    )
    cost = rx.cond(row.cost, rx.fragment(row.cost, rx.el.span(row.currency, class_name="unit")), "")
    return tables.row(
        tables.cell(
            tables.two_line(rx.el.bdi(name), below, href=href, phone=rx.fragment(row.ordered_in, " ", off)),
            card="title",
        ),
        tables.cell(row.ordered_in),
        tables.cell(tables.quantity(row.minimum), numeric=True, hide="lg"),
        tables.cell(tables.quantity(row.lead_time), numeric=True, hide="lg"),
        tables.cell(tables.with_actions(rx.fragment(cost), edit), numeric=True, card="figure"),
        key=row.id,
    )


def _create_dialog(*, of_product: bool) -> rx.Component:
    offered = rx.el.datalist(
        rx.foreach(S.suppliers, lambda name: rx.el.option(value=name, key=name)), id="terms-suppliers"
    )
    if of_product:
        control = forms.text_input("supplier", id="f-terms-supplier", required=True, list="terms-suppliers")
        other = [
            forms.hidden_input("product_id", S.product_id),
            forms.field("Supplier", control, error=forms.problem(S.errors, "supplier")),
            offered,
        ]
    else:
        control = forms.text_input("sku", id="f-terms-sku", required=True, max_length=40)
        other = [
            forms.hidden_input("supplier_id", S.supplier_id),
            forms.field("Our SKU", control, error=forms.problem(S.errors, "sku")),
        ]
    return dialogs.dialog(
        *other,
        *_fields("new", lambda _: ""),
        open=S.dialog == "create",
        on_open_change=S.close,
        title="New terms",
        sub="What a supplier calls the product, and how it can be had",
        status="Nothing is saved yet.",
        primary=forms.submit("Enter the terms"),
        on_submit=S.create_terms,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _edit_dialog() -> rx.Component:
    def value(name: str) -> Any:
        return getattr(S.terms, "typed_cost" if name == "cost" else name)

    return dialogs.dialog(
        forms.hidden_input("terms_id", S.terms.id.to_string()),
        forms.hidden_input("version", S.terms.version.to_string()),
        *_fields("old", value),
        forms.choice("active", "In use", "Terms that are off are not offered any more.", checked=S.terms.active),
        open=S.dialog == "edit",
        on_open_change=S.close,
        title="Correct the terms",
        sub=rx.fragment(S.terms.supplier, ": ", S.terms.product),
        status="Nothing is saved yet.",
        primary=forms.submit("Save"),
        on_submit=S.update_terms,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _fields(which: str, value: Any) -> list[rx.Component]:
    def ask(label: str, name: str, *, number: bool = True, **props: Any) -> rx.Component:
        hint = props.pop("hint", None)
        made = forms.number_input if number else forms.text_input
        control = made(name, id=f"f-{which}-{name}", value=value(name), **props)
        return forms.field(label, control, error=forms.problem(S.errors, name), optional=True, hint=hint)

    cost = gates.can(Permission.PRICES_VIEW, ask("Cost of one of our units", "cost", placeholder="0"))
    return [
        forms.fields_row(ask("Their SKU", "supplier_sku", number=False, max_length=60), cost),
        forms.fields_row(
            ask("Ordered in", "purchase_unit", number=False, max_length=40, placeholder="carton"),
            ask("Our units in one", "pack_size", placeholder="1"),
        ),
        forms.fields_row(
            ask("Smallest order", "minimum_quantity", placeholder="0"),
            ask("Days until it comes", "lead_time_days", placeholder="0"),
        ),
    ]
