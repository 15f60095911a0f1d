"""Invoices: what is to pay, what is blocked, and everything."""

import reflex as rx

from inventory_app.components import feedback, gates, listing, tables
from inventory_app.components.basics import button, ident, row_of, when
from inventory_app.operations._invoice_list import LIST, InvoiceRow
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.invoices import PATH, InvoicesState

S = InvoicesState


@page(PATH, "Invoices", Permission.INVOICES_VIEW, on_load=[S.load])
def invoices() -> rx.Component:
    """Show the invoices the address asks for."""
    some = S.rows.length() > 0
    return tables.list_page(
        _table(),
        title="Invoices",
        sub="What suppliers want for what came. Only what agrees, or was released by somebody, can be paid.",
        actions=(
            listing.export("invoices"),
            gates.can(
                Permission.INVOICES_RECORD,
                button("Record invoice", icon_name="plus", tone="solid", href=PATH + "/new"),
            ),
        ),
        tabs=listing.tabs(
            S,
            listing.tab(S, "tab", "pay", "To pay", S.to_pay),
            listing.tab(S, "tab", "blocked", "Blocked", S.blocked),
            listing.tab(S, "tab", "", "All", S.everything),
        ),
        filters=listing.toolbar(S, search="Search invoices", placeholder="Number, supplier, order"),
        footer=listing.footer(
            S,
            first=rx.cond(some, S.rows[0].number, ""),
            last=rx.cond(some, S.rows[S.rows.length() - 1].number, ""),
            selectable=False,
        ),
    )


def _table() -> rx.Component:
    searched = listing.nothing_matches(S, "Take off a filter, or search for another supplier.")
    lesson = feedback.empty_state(
        "No invoice has been recorded yet",
        "Record one from its order: what came is filled in already, and every difference is said at once.",
        button("Record invoice", href=PATH + "/new"),
        icon_name="receipt-text",
    )
    return listing.table(
        S,
        LIST,
        _cells,
        label="Invoices",
        named=lambda row: row.number,
        empty=rx.cond(S.chips.length() + S.q.length() + S.filters.length() > 0, searched, lesson),
        shape=("80px", "60%", "72px", "72px", "64pxr", "64pxr", "80px"),
        hide={"order": "md", "date": "lg", "kind": "lg", "recorded": "lg", "gross": "md"},
        selectable=False,
    )


def _cells(row: rx.Var[InvoiceRow]) -> dict[str, rx.Component]:
    kind = rx.cond(row.kind == "credit_note", "Credit note", "Invoice")
    held = rx.cond(row.held, feedback.badge("Payment held", tone="warn"), rx.fragment())
    status = row_of(feedback.badge(row.status, tone=row.tone), held)
    due = rx.match(
        row.due_state,
        ("overdue", row_of(when(row.due, row.due), feedback.badge("overdue", tone="bad"))),
        when(row.due, row.due),
    )
    late = rx.cond(
        row.due_state == "overdue", rx.el.span(when(row.due, row.due), class_name="text-bad"), when(row.due, row.due)
    )
    return {
        "number": tables.cell(
            tables.two_line(row.number, kind, href=PATH + "/" + row.id.to_string(), phone=rx.el.bdi(row.supplier)),
            card="title",
        ),
        "supplier": tables.cell(rx.el.bdi(row.supplier)),
        "order": tables.cell(rx.cond(row.order, ident(row.order, href=row.order_href), "–"), hide="md"),
        "date": tables.cell(when(row.date, row.date), hide="lg"),
        "due": tables.cell(due, card="end", phone=rx.fragment("due ", late)),
        "gross": tables.cell(row.gross, rx.el.span(row.currency, class_name="unit"), numeric=True, hide="md"),
        "open": tables.cell(
            row.open, rx.el.span(row.currency, class_name="unit"), numeric=True, strong=True, card="figure"
        ),
        "kind": tables.cell(kind, hide="lg"),
        "recorded": tables.cell(when(row.recorded, row.recorded), hide="lg"),
        "status": tables.cell(status, card="foot"),
    }
