"""Paying an invoice: the dialog, for every page that names one, and why somebody cannot."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates
from inventory_app.components.basics import button, link, row_of
from inventory_app.operations._payment_list import METHODS
from inventory_app.permissions import Permission
from inventory_app.states.due import PayState

S = PayState
#: What State holds is a Var in the browser, whose attributes no type checker knows.
P: Any = S.paying
_METHODS = [(method, word) for method, word in METHODS.items() if method != "settlement"]


def pay_button(invoice_id: rx.Var[int], label: Any, **props: Any) -> rx.Component:
    """Offer to pay an invoice to who may pay."""
    return gates.can(
        Permission.PAYMENTS_PROCESS,
        button("Pay", size="s", aria_label=label, on_click=S.open_pay(invoice_id), **props),
    )


def status_badge(status: rx.Var[str], word: rx.Var[str]) -> rx.Component:
    """Say where a payment stands."""
    return rx.match(
        status,
        ("waiting", feedback.badge(word, tone="warn")),
        ("posted", feedback.badge(word, tone="ok")),
        ("rejected", feedback.badge(word, tone="bad")),
        feedback.badge(word),
    )


def pay_dialog() -> rx.Component:
    """Ask how much of an invoice is paid, how and when."""
    why = rx.cond(
        P.why_not,
        feedback.callout(
            P.who_can,
            " ",
            gates.can(
                Permission.ROLES_VIEW,
                link(
                    "Why, and who could",
                    href="/admin/explain?can=payments:process&invoice=" + P.invoice_id.to_string(),
                ),
            ),
            title=P.why_not,
            tone="warn",
            icon_name="lock",
        ),
        rx.fragment(),
    )
    held = rx.cond(
        P.held,
        rx.fragment(
            feedback.callout(
                P.held, " The payment waits until somebody else agrees.", title="Payments to it are held.", tone="warn"
            ),
            forms.field(
                "Why it is paid all the same",
                forms.textarea("held_reason", rows=2, max_length=1000, id="f-pay-held", required=True),
                error=forms.problem(S.errors, "held_reason"),
                hint="Kept with the payment, and read by whoever agrees.",
            ),
        ),
        rx.fragment(),
    )
    to = rx.cond(
        P.accounts.length() > 0,
        forms.select("bank_account_id", P.accounts, value=P.account_id, id="f-pay-account"),
        forms.shown("f-pay-account", "No released bank account in this currency"),
    )
    rate = forms.field(
        rx.fragment("What 1 ", P.currency, " is worth in ", P.base),
        forms.number_input("rate", value=P.rate, id="f-pay-rate"),
        error=forms.problem(S.errors, "rate"),
        hint="On the day it is paid; what has changed since the invoice is shown with the payment.",
    )
    return dialogs.dialog(
        forms.hidden_input("invoice_id", P.invoice_id.to_string()),
        why,
        held,
        forms.fields_row(
            forms.field(
                "Amount",
                forms.number_input("amount", value=P.amount, suffix=P.currency, required=True, id="f-pay-amount"),
                error=forms.problem(S.errors, "amount"),
                hint=rx.fragment(P.open, " are open."),
            ),
            forms.field(
                "Day",
                forms.text_input("paid_on", type="date", value=S.today, id="f-pay-day"),
                error=forms.problem(S.errors, "paid_on"),
            ),
        ),
        rx.cond(P.credits.length() > 0, _credits(), rx.fragment()),
        forms.field(
            "How",
            forms.select("method", _METHODS, value="transfer", id="f-pay-method"),
            error=forms.problem(S.errors, "method"),
        ),
        forms.field(
            "Bank account",
            to,
            error=forms.problem(S.errors, "bank_account_id"),
            hint="Where a transfer goes: one of the supplier's released accounts in this currency.",
        ),
        rx.cond(P.rate, rate, rx.fragment()),
        forms.field(
            "Reference",
            forms.text_input("reference", value=P.number, max_length=140, id="f-pay-reference"),
            error=forms.problem(S.errors, "reference"),
            hint="What the supplier reads on its statement.",
        ),
        forms.field("Note", forms.textarea("note", rows=2, max_length=2000, id="f-pay-note"), optional=True),
        open=S.open & S.paying.is_not_none(),
        on_open_change=S.close,
        title=rx.fragment("Pay ", rx.el.bdi(P.number)),
        sub=rx.el.bdi(P.supplier),
        status="Nothing is paid yet.",
        primary=forms.submit("Pay"),
        on_submit=S.process_payment,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _credits() -> rx.Component:
    def line(one: rx.Var[Any]) -> rx.Component:
        box = rx.el.input(
            type="checkbox",
            # Left to the browser, which answers at once: the dialog begins with none chosen.
            default_checked=False,
            on_change=lambda _: S.toggle_credit(one[0].to(int)),
            class_name="check",
        )
        return rx.el.label(box, row_of(rx.el.bdi(one[1]), one[2]), class_name="check-line", key=one[0].to_string())

    return rx.el.fieldset(
        rx.el.legend("Set off credit notes", class_name="field-label"),
        rx.foreach(P.credits, line),
        class_name="field",
    )
