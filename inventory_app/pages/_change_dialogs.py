"""The dialogs that propose a change of all selected products or items: on every page whose list offers them."""

import reflex as rx

from inventory_app.components import dialogs, forms
from inventory_app.operations._prices import STEPS
from inventory_app.states.bulk_changes import BulkChangeState

S = BulkChangeState


def bulk_change_dialogs() -> rx.Component:
    """Ask how prices or quantities change, or what else all the selected products shall have."""
    return rx.fragment(_prices(), _products(), _quantities())


def _number(thing: str = "product") -> rx.Component:
    said = rx.cond(S.number == 1, f" {thing} is selected", f" {thing}s are selected")
    return rx.fragment(S.number.to_string(), said)


def _words() -> list[rx.Component]:
    return [
        forms.field(
            "Why",
            forms.textarea("reason", id="f-bulk-reason", rows=2, max_length=1000),
            error=forms.problem(S.errors, "reason"),
            optional=True,
        ),
        forms.field(
            "Name of the set",
            forms.text_input("title", id="f-bulk-title", max_length=200),
            error=forms.problem(S.errors, "title"),
            hint="It is listed under this name.",
            optional=True,
        ),
    ]


def _prices() -> rx.Component:
    value = forms.field(
        rx.cond(S.how == "set", "New price", "Change by"),
        forms.number_input("value", id="f-bulk-price", suffix=rx.cond(S.how == "set", "", "%"), required=True),
        error=forms.problem(S.errors, "value"),
        hint=rx.cond(S.how == "set", "The same for all of them.", "5 raises, -2.5 lowers."),
    )
    return dialogs.dialog(
        forms.fields_row(
            forms.field(
                "How",
                forms.select(
                    "how",
                    [("percent", "Raise or lower by percent"), ("set", "Set one price")],
                    value_now=S.how,
                    on_change=S.choose_how,
                ),
                error=forms.problem(S.errors, "how"),
            ),
            value,
        ),
        forms.fields_row(
            forms.field("Rounded to", forms.select("round_to", list(STEPS)), error=forms.problem(S.errors, "round_to")),
            forms.field(
                "Valid from",
                forms.text_input("effective_on", id="f-bulk-day", type="date"),
                error=forms.problem(S.errors, "effective_on"),
                hint="Empty: as soon as it is applied.",
            ),
        ),
        *_words(),
        open=S.dialog == "prices",
        on_open_change=S.close,
        title="Change prices",
        sub=_number(),
        status="You see every price before anything changes.",
        primary=forms.submit("Show the difference"),
        on_submit=S.propose_prices,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _products() -> rx.Component:
    def chosen(options: rx.Var | list[tuple[str, str]], none: str = "") -> rx.Component:
        return forms.select("value", options, id="f-bulk-value", placeholder=none)

    control = rx.match(
        S.field,
        ("category_id", chosen(S.categories, "No category")),
        ("supplier_id", chosen(S.suppliers, "No preferred supplier")),
        ("active", chosen([("true", "In use"), ("false", "Archived")])),
        forms.number_input("value", id="f-bulk-value", required=True),
    )
    wrong = forms.problem(S.errors, "value")
    return dialogs.dialog(
        forms.fields_row(
            forms.field(
                "Change",
                forms.select("field", S.fields, id="f-bulk-field", value_now=S.field, on_change=S.choose_field),
                error=forms.problem(S.errors, "field"),
            ),
            rx.el.div(
                rx.el.div(rx.el.label("To", html_for="f-bulk-value"), class_name="field-label"),
                control,
                forms.fault(wrong, "f-bulk-value-error"),
                class_name="field",
                custom_attrs={"data-invalid": rx.cond(wrong, "true", "false")},
            ),
        ),
        *_words(),
        open=S.dialog == "products",
        on_open_change=S.close,
        title="Change the products",
        sub=_number(),
        status="You see every product before anything changes.",
        primary=forms.submit("Show the difference"),
        on_submit=S.propose_products,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _quantities() -> rx.Component:
    return dialogs.dialog(
        forms.fields_row(
            forms.field(
                "How",
                forms.select(
                    "how",
                    [("by", "More or less by"), ("set", "Set one quantity")],
                    id="f-bulk-how-many",
                    value_now=S.how,
                    on_change=S.choose_quantity,
                ),
                error=forms.problem(S.errors, "how"),
            ),
            forms.field(
                rx.cond(S.how == "set", "On hand", "Change by"),
                forms.number_input("value", id="f-bulk-quantity", required=True),
                error=forms.problem(S.errors, "value"),
                hint=rx.cond(S.how == "set", "The same for all of them.", "5 is more, -5 is less."),
            ),
        ),
        *_words(),
        open=S.dialog == "quantities",
        on_open_change=S.close,
        title="Change the quantities",
        sub=_number("item"),
        status="You see every item before anything changes; it is booked as a count.",
        primary=forms.submit("Show the difference"),
        on_submit=S.propose_quantities,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )
