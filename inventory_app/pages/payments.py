"""Payments: what went to whom, what waits for somebody's agreement, and what was taken back."""

import reflex as rx

from inventory_app.components import feedback, gates, listing, tables
from inventory_app.components.basics import button, ident
from inventory_app.operations._payment_list import LIST
from inventory_app.operations.payment_views import PaymentRow
from inventory_app.pages._page import page
from inventory_app.pages._payment_dialogs import status_badge
from inventory_app.permissions import Permission
from inventory_app.states.due import PATH as DUE
from inventory_app.states.payments import BATCHES, PATH, PaymentsState

S = PaymentsState


@page(PATH, "Payments", Permission.PAYMENTS_VIEW, on_load=[S.load])
def payments() -> rx.Component:
    """List the payments, the newest first."""
    return tables.list_page(
        _table(),
        title="Payments",
        sub="What went to whom. A payment is taken back by a counter-entry, never changed.",
        actions=(
            listing.export("payments"),
            gates.can(Permission.PAYMENTS_PROCESS, button("To pay", icon_name="hand-coins", tone="solid", href=DUE)),
        ),
        tabs=listing.tabs(
            S,
            listing.tab(S, "status", "", "All", S.everything),
            listing.tab(S, "status", "waiting", "Waiting", S.waiting),
            listing.tab(S, "status", "posted", "Paid", S.posted),
        ),
        filters=listing.toolbar(S, search="Search payments", placeholder="Number, supplier, reference"),
        footer=listing.footer(S, selectable=False),
    )


def _table() -> rx.Component:
    searched = listing.nothing_matches(S, "Take off a filter, or search for another payment.")
    lesson = feedback.empty_state(
        "Nothing has been paid yet",
        "What is due stands in the list of what is to be paid, as soon as an invoice matches or is released.",
        button("To pay", href=DUE),
        icon_name="banknote",
    )
    return listing.table(
        S,
        LIST,
        _cells,
        label="Payments",
        named=lambda row: row.number,
        empty=rx.cond(S.chips.length() + S.q.length() > 0, searched, lesson),
        shape=("88px", "60%", "64px", "64px", "50%", "72pxr", "64px"),
        hide={"method": "lg", "by": "lg", "day": "md", "reference": "lg", "batch": "lg"},
        selectable=False,
    )


def _cells(row: rx.Var[PaymentRow]) -> dict[str, rx.Component]:
    href = PATH + "/" + row.id.to_string()
    to = rx.el.bdi(row.supplier)
    batch = rx.cond(row.batch, ident(row.batch, href=BATCHES + "/" + row.batch_id.to_string()), rx.fragment())
    return {
        "number": tables.cell(tables.two_line(row.number, "", href=href, phone=to), card="title"),
        "supplier": tables.cell(to),
        "day": tables.cell(row.day, hide="md"),
        "method": tables.cell(row.method, hide="lg"),
        "reference": tables.cell(rx.el.bdi(row.reference), hide="lg"),
        "batch": tables.cell(batch, hide="lg"),
        "by": tables.cell(rx.el.bdi(row.by), hide="lg"),
        "amount": tables.cell(tables.quantity(row.amount), numeric=True, card="figure"),
        "status": tables.cell(
            status_badge(row.status, row.word),
            card="foot",
            phone=rx.fragment(status_badge(row.status, row.word), " ", row.day),
        ),
    }
