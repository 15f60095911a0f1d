"""Recording an invoice or a credit note: by keyboard line after line, or on a phone."""

from typing import Any

import reflex as rx

from inventory_app.components import feedback, forms, gates, layout, matching
from inventory_app.components.basics import button, icon_button, row_of, stack
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.invoice_form import InvoiceFormState, PaperLine
from inventory_app.states.invoices import PATH

S = InvoiceFormState
F = InvoiceFormState.draft


@page(
    PATH + "/new",
    "Record invoice",
    Permission.INVOICES_RECORD,
    on_load=[S.load],
    crumbs=("Purchasing", ("Invoices", PATH)),
    heading=rx.cond(S.credit, "Record a credit note", "Record an invoice"),
    back=PATH,
)
def new_invoice() -> rx.Component:
    """Copy a paper: what is left to be invoiced is filled in."""
    title = rx.cond(S.credit, "Record a credit note", "Record an invoice")
    about = rx.cond(
        F.is_not_none(),
        rx.fragment("From ", rx.el.bdi(F.supplier), rx.cond(S.credit, " about ", " for "), F.title),
        "From a supplier, without an order: somebody else has to release it",
    )
    hidden = feedback.empty_state(
        "This takes who sees prices", "Ask somebody who may see costs and prices to record it.", page=True
    )
    form = rx.fragment(layout.page_head(title, sub=about), _form())
    return rx.fragment(
        matching.styles(),
        rx.cond(S.loading, layout.page_skeleton(), gates.can(Permission.PRICES_VIEW, form, otherwise=hidden)),
    )


def _fault(name: Any) -> rx.Var[str]:
    return S.errors.get(name, "").to(str)


def _form() -> rx.Component:
    return forms.form(
        stack(
            layout.card(_head(), title=rx.cond(S.credit, "Credit note", "Invoice"), note="as it stands on the paper"),
            layout.card(
                rx.el.ol(rx.foreach(S.lines, _line), class_name="paper-lines", aria_label="Lines"),
                title="Lines",
                note=rx.cond(
                    S.credit,
                    "amounts above 0, as on the paper; they are taken off what is owed",
                    "change what differs on the paper: the difference is shown, not hidden",
                ),
                foot=rx.fragment(
                    button("Add a line", icon_name="plus", on_click=S.add_line),
                    rx.el.div(
                        rx.el.span("Net ", S.net, class_name="muted"),
                        rx.el.span("Tax ", S.tax, class_name="muted"),
                        rx.el.span("The lines come to ", rx.el.strong(S.gross)),
                        class_name="paper-totals",
                        aria_live="polite",
                    ),
                ),
                flush=True,
            ),
            row_of(
                forms.submit("Record it"),
                button("Discard", href=rx.cond(F.is_not_none(), F.href, PATH)),
            ),
        ),
        on_submit=S.record,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
        key=S.begun,
    )


def _head() -> rx.Component:
    supplier = forms.field(
        "Supplier",
        forms.select("supplier_id", S.suppliers, placeholder="Choose one"),
        error=_fault("supplier_id"),
    )
    number = forms.field(
        "Number",
        forms.text_input("number", required=True, max_length=60, auto_complete="off", auto_focus=True),
        error=_fault("number"),
        hint="As the supplier numbers it",
    )
    dated = forms.field(
        "Date", forms.text_input("invoice_date", type="date", required=True), error=_fault("invoice_date")
    )
    due = forms.field(
        "Due on",
        forms.text_input("due_on", type="date"),
        error=_fault("due_on"),
        optional=True,
        hint=rx.cond(F.is_not_none(), rx.fragment("Empty: after ", F.days.to_string(), " days"), "Empty: by its terms"),
    )
    gross = forms.field(
        "Total with tax",
        forms.number_input("gross", required=True),
        error=_fault("gross"),
        hint="Compared with what the lines come to",
    )
    money = forms.fields_row(
        gross,
        forms.field(
            "Currency",
            forms.text_input(
                "currency", value=rx.cond(F.is_not_none(), F.currency, ""), max_length=3, auto_complete="off"
            ),
            error=_fault("currency"),
            optional=True,
        ),
        forms.field(
            "Rate",
            forms.number_input("rate", value=rx.cond(F.is_not_none(), F.rate, "")),
            error=_fault("rate"),
            optional=True,
            hint="What 1 of it is worth in the currency of the books",
        ),
    )
    known = rx.fragment(
        forms.hidden_input("supplier_id", F.supplier_id.to_string()),
        forms.hidden_input("order_id", F.order_id.to_string()),
        forms.hidden_input("invoice_id", F.invoice_id.to_string()),
    )
    return stack(
        forms.hidden_input("kind", rx.cond(S.credit, "credit_note", "invoice")),
        rx.cond(F.is_not_none(), known, supplier),
        forms.fields_row(number, dated, rx.cond(S.credit, rx.fragment(), due)),
        money,
        forms.field("Note", forms.textarea("note", rows=2, max_length=2_000), error=_fault("note"), optional=True),
        rx.cond(_fault("order_id"), feedback.callout(_fault("order_id"), tone="bad"), rx.fragment()),
    )


def _line(line: rx.Var[PaperLine]) -> rx.Component:
    def number(label: str, name: str, value: rx.Var[str], **props: Any) -> rx.Component:
        named = name + ":" + line.key
        control = forms.number_input(
            named, value=value, on_blur=lambda text: S.type_number(line.key, name, text), **props
        )
        return forms.field(label, control, error=_fault(named))

    words = forms.field(
        "What it is",
        forms.text_input("description:" + line.key, value=line.description, max_length=500, auto_complete="off"),
        error=_fault("description:" + line.key),
    )
    product = rx.el.div(
        rx.el.div(line.product, class_name="strong"),
        rx.el.div(line.hint, class_name="meta"),
        class_name="paper-product",
    )
    return rx.el.li(
        forms.hidden_input("order_line_id:" + line.key, line.order_line_id.to_string()),
        rx.el.div(rx.cond(line.order_line_id > 0, product, words), class_name="paper-what"),
        number("Quantity", "quantity", line.quantity),
        number("Unit cost", "unit_cost", line.unit_cost),
        number("Tax %", "tax_percent", line.tax_percent, placeholder="0"),
        rx.el.div(line.amount, class_name="paper-amount", role="group", aria_label="Amount with tax"),
        icon_button("trash-2", "Take this line out", on_click=S.remove_line(line.key)),
        key=line.key,
    )
