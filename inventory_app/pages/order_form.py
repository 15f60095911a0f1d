"""Writing an order: by keyboard line after line, or on a phone."""

from typing import Any

import reflex as rx

from inventory_app.components import feedback, forms, gates, layout
from inventory_app.components.basics import button, icon_button, row_of, stack
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.order_form import EditLine, OrderFormState
from inventory_app.states.orders import PATH

S = OrderFormState
F = OrderFormState.found
_CRUMBS = ("Purchasing", ("Orders", PATH))
_MAY = Permission.ORDERS_CREATE


@page(PATH + "/new", "New order", _MAY, on_load=[S.load], crumbs=_CRUMBS, back=PATH)
def new_order() -> rx.Component:
    """Write a new order."""
    return _page("New order", "A draft goes nowhere before it is submitted.")


@page(PATH + "/[order]/edit", "Edit order", _MAY, on_load=[S.load], crumbs=_CRUMBS, back=PATH)
def edit_order() -> rx.Component:
    """Write a draft anew."""
    return _page(
        rx.cond(F.called == "The draft", "Edit the draft", rx.fragment("Edit ", F.called)),
        "Lines you take out are kept in the history.",
    )


def _page(title: Any, sub: str) -> rx.Component:
    missing = feedback.missing("order", "All orders", PATH)
    fixed = feedback.empty_state(
        "This order cannot be edited",
        F.why_not,
        button("Back to it", href=PATH + "/" + F.order_id.to_string()),
        page=True,
    )
    shown = rx.cond(F.why_not, fixed, rx.fragment(layout.page_head(title, sub=sub), _form()))
    return rx.fragment(
        rx.el.link(rel="stylesheet", href="/orders.css", custom_attrs={"precedence": "page"}),
        rx.cond(S.loading, layout.page_skeleton(), rx.cond(F.is_not_none(), shown, missing)),
    )


def _form() -> rx.Component:
    return forms.form(
        stack(
            rx.cond(
                F.supplier_fault,
                feedback.callout(
                    F.supplier_fault, title="You can write this order, but not submit it yet.", tone="warn"
                ),
                rx.fragment(),
            ),
            layout.card(_head(), title="Order"),
            layout.card(
                rx.el.ol(rx.foreach(S.lines, _line), class_name="edit-lines", aria_label="Lines"),
                title="Lines",
                note="A product by SKU or barcode, or a description of what is not kept in stock",
                foot=button("Add a line", icon_name="plus", on_click=S.add_line),
                flush=True,
            ),
            row_of(
                forms.submit("Save the draft"),
                button("Discard", href=rx.cond(F.order_id > 0, PATH + "/" + F.order_id.to_string(), PATH)),
            ),
        ),
        rx.el.datalist(
            rx.foreach(F.products, lambda one: rx.el.option(one[1], value=one[0], key=one[0])), id="order-products"
        ),
        on_submit=S.save_order,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
        key=S.begun,
    )


def _value(name: str) -> Any:
    return F.head.get(name, "").to(str)


def _fault(name: Any) -> rx.Var[str]:
    return S.errors.get(name, "").to(str)


def _head() -> rx.Component:
    return stack(
        forms.fields_row(
            forms.field(
                "Supplier",
                forms.select(
                    "supplier_id",
                    F.suppliers,
                    value_now=S.supplier_id,
                    placeholder="Choose one",
                    on_change=S.choose_supplier,
                ),
                error=_fault("supplier"),
            ),
            forms.field(
                "Deliver to",
                forms.select("location_id", F.locations, value=_value("location_id")),
                error=_fault("location_id"),
            ),
            forms.field(
                "Expected on",
                forms.text_input("expected_on", value=_value("expected_on"), type="date"),
                error=_fault("expected_on"),
                optional=True,
                hint="Empty: by the lead times of the products",
            ),
        ),
        forms.fields_row(
            forms.field(
                "Currency",
                forms.text_input(
                    "currency", value=_value("currency"), placeholder=F.currency, max_length=3, auto_complete="off"
                ),
                error=_fault("currency"),
                optional=True,
            ),
            forms.field(
                "Rate",
                forms.number_input("rate", value=_value("rate"), placeholder="1"),
                error=_fault("rate"),
                optional=True,
                hint=rx.fragment("What one of the currency is worth in ", F.base),
            ),
            forms.field(
                "Days to pay",
                forms.number_input("payment_days", value=_value("payment_days"), placeholder=F.payment_days),
                error=_fault("payment_days"),
                optional=True,
            ),
        ),
        forms.fields_row(
            forms.field(
                "Message to the supplier",
                forms.textarea("message", value=_value("message"), rows=2, max_length=2000),
                error=_fault("message"),
                optional=True,
                hint="Printed on the order",
            ),
            forms.field(
                "Note for us",
                forms.textarea("note", value=_value("note"), rows=2, max_length=2000),
                error=_fault("note"),
                optional=True,
            ),
        ),
    )


def _line(line: rx.Var[EditLine]) -> rx.Component:
    def part(label: str, name: str, width: str, control: Any, **props: Any) -> rx.Component:
        named = name + ":" + line.key
        return rx.el.div(
            forms.field(label, control(named, **props), error=_fault(named)),
            class_name=width,
        )

    return rx.el.li(
        part(
            "Product",
            "sku",
            "f-wide",
            forms.text_input,
            value=line.sku,
            placeholder="SKU or barcode",
            auto_complete="off",
            max_length=100,
            list="order-products",
            on_blur=lambda text: S.look_up(line.key, text),
        ),
        part(
            "Description",
            "description",
            "f-wide",
            forms.text_input,
            value=line.description,
            placeholder="Where there is no product",
            max_length=300,
            auto_complete="off",
        ),
        part("Quantity", "quantity", "f-slim", forms.number_input, value=line.quantity),
        gates.can(
            Permission.PRICES_VIEW,
            part("Unit cost", "unit_cost", "f-slim", forms.number_input, value=line.unit_cost, placeholder="as agreed"),
            otherwise=rx.el.span(),
        ),
        part("Tax %", "tax_percent", "f-slim", forms.number_input, value=line.tax_percent, placeholder="0"),
        part("Expected", "expected_on", "f-day", forms.text_input, value=line.expected_on, type="date"),
        icon_button("trash-2", "Take this line out", on_click=S.remove_line(line.key)),
        rx.el.p(S.hints.get(line.key, "").to(str), class_name="meta line-hint", aria_live="polite"),
        key=line.key,
    )
