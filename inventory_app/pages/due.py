"""What is due: paying one invoice, or selecting many and paying them as a batch."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, listing, tables
from inventory_app.components.basics import button, link, row_of
from inventory_app.operations._payment_list import DUE
from inventory_app.operations.due_views import DueRow, PreviewRow
from inventory_app.pages._page import page
from inventory_app.pages._payment_dialogs import pay_button, pay_dialog
from inventory_app.permissions import Permission
from inventory_app.states.due import PATH, DueState
from inventory_app.states.payments import AGEING
from inventory_app.states.payments import PATH as PAYMENTS

S = DueState
#: What State holds is a Var in the browser, whose attributes no type checker knows.
P: Any = S.preview


@page(PATH, "To pay", Permission.PAYMENTS_VIEW, on_load=[S.load], crumbs=("Purchasing", ("Payments", PAYMENTS)))
def due() -> rx.Component:
    """List what can be paid and is not, by the day it is due."""
    return rx.fragment(
        tables.list_page(
            _table(),
            title="To pay",
            sub="Invoices that match what was ordered and came, or were released, and what is open of them.",
            actions=(
                gates.can(Permission.INVOICES_VIEW, button("What we owe", href=AGEING)),
                listing.export("due"),
            ),
            tabs=listing.tabs(
                S,
                listing.tab(S, "when", "", "All", S.everything),
                listing.tab(S, "when", "overdue", "Overdue", S.overdue),
                listing.tab(S, "when", "week", "Within 7 days", S.week),
                listing.tab(S, "when", "month", "Within 30 days", S.month),
            ),
            filters=listing.toolbar(S, search="Search invoices to pay", placeholder="Number, supplier"),
            footer=listing.footer(
                S,
                gates.can(
                    Permission.PAYMENTS_PROCESS,
                    button("Pay as a batch", icon_name="hand-coins", on_click=S.open_batch),
                ),
            ),
        ),
        pay_dialog(),
        _batch(),
    )


def _table() -> rx.Component:
    searched = listing.nothing_matches(S, "Take off a filter, or look at another day.")
    lesson = feedback.empty_state(
        "Nothing is to be paid",
        "An invoice stands here once it matches what was ordered and came, or somebody has released it.",
        button("Payments", href=PAYMENTS),
        icon_name="hand-coins",
    )
    narrowed = S.chips.length() + S.q.length() + S.filters.length() > 0
    return listing.table(
        S,
        DUE,
        _cells,
        label="Invoices to pay",
        named=lambda row: row.number,
        empty=rx.cond(narrowed, searched, lesson),
        shape=("88px", "60%", "64px", "72pxr", "64px"),
        hide={"date": "lg", "gross": "lg", "due": "md"},
        selects=Permission.PAYMENTS_PROCESS,
    )


def _cells(row: rx.Var[DueRow]) -> dict[str, rx.Component]:
    to = rx.el.bdi(row.supplier)
    late = rx.cond(row.late, feedback.badge(row.late, tone="bad"), rx.fragment())
    pay = pay_button(row.id, rx.Var.create("Pay ") + row.number)
    held = rx.cond(row.held, rx.el.span(feedback.badge("Held", tone="warn"), title=row.held), rx.fragment())
    what = rx.cond(
        row.waits,
        feedback.badge("Waits", tone="warn"),
        rx.cond(row.kind == "credit_note", feedback.badge("Credit note"), pay),
    )
    what = row_of(held, what)
    return {
        "number": tables.cell(
            tables.two_line(rx.el.bdi(row.number), "", href="/invoices/" + row.id.to_string(), phone=to), card="title"
        ),
        "supplier": tables.cell(link(to, href="/suppliers/" + row.supplier_id.to_string(), plain=True)),
        "date": tables.cell(row.date, hide="lg"),
        "due": tables.cell(row_of(row.due, late), hide="md", card="foot"),
        "gross": tables.cell(tables.quantity(row.gross), numeric=True, hide="lg"),
        "open": tables.cell(tables.quantity(row.open), numeric=True, card="figure"),
        "kind": tables.cell(what, card="end"),
    }


def _batch() -> rx.Component:
    rate = forms.field(
        rx.fragment("What 1 ", P.currency, " is worth in ", P.base),
        forms.number_input("rate", value=P.rate, id="f-batch-rate"),
        error=forms.problem(S.errors, "rate"),
    )
    waits = feedback.callout(
        "From this amount on somebody else must agree before there is a file for the bank.",
        title="It will wait.",
        icon_name="lock",
    )
    return dialogs.dialog(
        rx.cond(P.fault, feedback.callout(P.fault, title="This cannot be a batch.", tone="warn"), _preview()),
        rx.cond(P.waits & S.ready, waits, rx.fragment()),
        forms.field(
            "Carried out on",
            forms.text_input("execute_on", type="date", value=S.today, id="f-batch-day"),
            error=forms.problem(S.errors, "execute_on"),
        ),
        rx.cond(P.rate, rate, rx.fragment()),
        open=S.batching,
        on_open_change=S.close_batch,
        title="Pay as a batch",
        sub="One payment for each supplier, credit notes set off, all of them or none.",
        status=rx.cond(P.total, P.total, ""),
        primary=rx.cond(S.ready, forms.submit("Pay them"), forms.submit("Pay them", disabled=True)),
        on_submit=S.process_batch,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
        size="l",
    )


def _preview() -> rx.Component:
    def line(row: rx.Var[PreviewRow]) -> rx.Component:
        below = rx.cond(
            row.fault, rx.el.span(row.fault, class_name="field-error"), rx.el.bdi(row.invoices, class_name="meta")
        )
        return tables.row(
            tables.cell(tables.two_line(rx.el.bdi(row.supplier), below), card="title"),
            tables.cell(rx.el.bdi(row.account), hide="md"),
            tables.cell(row.amount, numeric=True, card="figure"),
            key=row.supplier_id,
        )

    return tables.table(
        tables.head(tables.column("Supplier"), tables.column("To", hide="md"), tables.column("Amount", numeric=True)),
        rx.el.tbody(rx.foreach(P.rows, line)),
        label="What would be paid",
    )
