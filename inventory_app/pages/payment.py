"""One payment: what it paid, where it went, and taking it back."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, layout, tables, trail
from inventory_app.components.basics import button, link, when
from inventory_app.operations.payment_views import PaidPart
from inventory_app.pages._page import page
from inventory_app.pages._payment_dialogs import status_badge
from inventory_app.permissions import Permission
from inventory_app.states.payments import BATCHES, PATH, PaymentState

S = PaymentState
#: What State holds is a Var in the browser, whose attributes no type checker knows.
D: Any = S.detail


@page(
    PATH + "/[payment]",
    "Payment",
    Permission.PAYMENTS_VIEW,
    on_load=[S.load],
    crumbs=("Purchasing", ("Payments", PATH)),
    heading=rx.cond(S.detail.is_not_none(), D.row.number, ""),
    back=PATH,
)
def payment() -> rx.Component:
    """Show the payment, or that there is none at this address."""
    missing = feedback.missing("payment", "All payments", PATH, icon_name="banknote")
    return rx.fragment(
        rx.cond(S.loading, layout.page_skeleton(), rx.cond(S.detail.is_not_none(), _found(), missing)),
        _void(),
    )


def _found() -> rx.Component:
    take_back = gates.can(Permission.PAYMENTS_APPROVE, button("Take back", icon_name="undo-2", on_click=S.open_void))
    history = gates.can(
        Permission.AUDIT_VIEW, button("History", href=trail.history_href(("payment", D.row.id.to_string())))
    )
    return rx.fragment(
        layout.page_head(
            D.row.number,
            badge=status_badge(D.row.status, D.row.word),
            sub=rx.fragment(D.row.amount, " to ", rx.el.bdi(D.row.supplier)),
            actions=(history, rx.cond(D.can_void, take_back, rx.fragment())),
        ),
        _stands(),
        layout.columns(layout.column(_parts()), layout.column(_facts(), _account())),
    )


def _stands() -> rx.Component:
    waits = feedback.callout(
        "It counts for nothing until somebody agrees who had no part in the invoice, the order or the bank account.",
        title="It waits for somebody else.",
        tone="warn",
        action=rx.cond(
            D.approval_id > 0,
            button("Look at the request", href="/approvals?id=" + D.approval_id.to_string()),
            rx.fragment(),
        ),
    )
    other = link(D.other, href=PATH + "/" + D.other_id.to_string())
    taken = feedback.callout(rx.el.bdi(D.reason), " ", other, title="It was taken back.")
    rejected = feedback.callout(rx.el.bdi(D.reason), title="It never counted.")
    return rx.match(D.row.status, ("waiting", waits), ("void", taken), ("rejected", rejected), rx.fragment())


def _parts() -> rx.Component:
    def line(part: rx.Var[PaidPart]) -> rx.Component:
        words = rx.cond(part.kind == "credit_note", "Credit note, set off", "Invoice")
        return tables.row(
            tables.cell(
                tables.two_line(rx.el.bdi(part.number), words, href="/invoices/" + part.invoice_id.to_string()),
                card="title",
            ),
            tables.cell(part.of, numeric=True, hide="md"),
            tables.cell(part.difference, numeric=True, hide="md"),
            tables.cell(part.amount, numeric=True, card="figure"),
            key=part.invoice_id,
        )

    table = tables.table(
        tables.head(
            tables.column("Invoice"),
            tables.column("Of", numeric=True, hide="md"),
            tables.column("By the rate", numeric=True, hide="md"),
            tables.column("Paid", numeric=True),
        ),
        rx.el.tbody(rx.foreach(D.parts, line)),
        label="What it paid",
    )
    return layout.card(table, title="What it paid", flush=True)


def _facts() -> rx.Component:
    def fact(label: str, value: Any) -> rx.Component:
        return rx.cond(value, rx.fragment(rx.el.dt(label), rx.el.dd(rx.el.bdi(value))), rx.fragment())

    batch = rx.cond(
        D.row.batch,
        rx.fragment(rx.el.dt("Batch"), rx.el.dd(link(D.row.batch, href=BATCHES + "/" + D.row.batch_id.to_string()))),
        rx.fragment(),
    )
    return layout.card(
        rx.el.dl(
            fact("Day", D.row.day),
            fact("How", D.row.method),
            fact("Reference", D.row.reference),
            fact("Note", D.note),
            fact("Paid although the supplier was suspended", D.in_spite),
            fact("Rate", D.rate),
            fact("In the base currency", D.in_base),
            fact("By the rate", D.difference),
            batch,
            fact("By", D.row.by),
            rx.el.dt("Recorded"),
            rx.el.dd(when(D.recorded, D.recorded, style="full")),
            class_name="facts",
        ),
        title="The payment",
    )


def _account() -> rx.Component:
    card = layout.card(
        feedback.facts([("Holder", rx.el.bdi(D.holder)), ("IBAN", rx.el.span(D.iban, class_name="id"))]),
        title="Where it went",
    )
    return rx.cond(D.iban, card, rx.fragment())


def _void() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("payment_id", D.row.id.to_string()),
        forms.hidden_input("version", D.version.to_string()),
        forms.field(
            "Why",
            forms.textarea("reason", rows=3, max_length=1_000, required=True),
            error=forms.problem(S.errors, "reason"),
            hint="Kept with the payment. Money that has left comes back only from the bank or the supplier.",
        ),
        open=S.dialog == "void",
        on_open_change=S.close,
        title=rx.fragment("Take ", D.row.number, " back"),
        sub=rx.fragment(D.row.amount, " to ", rx.el.bdi(D.row.supplier)),
        status="What it paid is open again then.",
        primary=forms.submit("Take it back", tone="destroy"),
        on_submit=S.void_payment,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )
