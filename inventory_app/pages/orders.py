"""Orders: what was ordered from whom, where it stands and when it is expected."""

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, listing, tables
from inventory_app.components.basics import button, ident, when
from inventory_app.operations._order_list import LIST, TABS
from inventory_app.operations._order_rows import OrderRow
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.orders import PATH, OrdersState

S = OrdersState


@page(PATH, "Orders", Permission.ORDERS_VIEW, on_load=[S.load])
def orders() -> rx.Component:
    """Show the orders, the newest first."""
    some = S.rows.length() > 0
    return rx.fragment(
        tables.list_page(
            _table(),
            title="Orders",
            sub="What was ordered, from the draft to the last box.",
            actions=(
                listing.export("orders"),
                gates.can(
                    Permission.ORDERS_CREATE,
                    gates.can(
                        Permission.INVENTORY_VIEW,
                        button("From low stock…", icon_name="shopping-cart", on_click=S.open_low),
                    ),
                ),
                gates.can(
                    Permission.ORDERS_CREATE,
                    button("New order", icon_name="plus", tone="solid", href=f"{PATH}/new"),
                ),
            ),
            tabs=listing.tabs(
                S,
                listing.tab(S, "status", "", "All", S.everything),
                *(listing.tab(S, "status", tab, label, S.counts.get(tab, "")) for tab, (label, _) in TABS.items()),
            ),
            filters=listing.toolbar(S, search="Search orders", placeholder="Number, supplier"),
            footer=listing.footer(
                S,
                first=rx.cond(some, S.rows[0].called, ""),
                last=rx.cond(some, S.rows[S.rows.length() - 1].called, ""),
                selectable=False,
            ),
        ),
        _low(),
    )


def _table() -> rx.Component:
    searched = listing.nothing_matches(S)
    lesson = feedback.empty_state(
        "Nothing has been ordered",
        "Write an order by hand, or let what is low become drafts, one for each supplier.",
        gates.can(Permission.ORDERS_CREATE, button("New order", href=f"{PATH}/new")),
        icon_name="file-text",
    )
    return listing.table(
        S,
        LIST,
        _cells,
        label="Orders",
        named=lambda row: row.called,
        empty=rx.cond(S.any_orders, searched, lesson),
        shape=("88px", "60%", "88pxr", "60%", "64px", "60%"),
        hide={"written": "lg", "location": "lg", "expected": "md"},
        selectable=False,
        changed=True,
    )


def _cells(row: rx.Var[OrderRow]) -> dict[str, rx.Component]:
    day = rx.cond(row.late, rx.el.span(row.expected, ", late", class_name="text-bad"), row.expected)
    promised = rx.cond(row.promised_later, rx.el.span("promised ", row.promised, class_name="text-warn"), "promised")
    expected = tables.two_line(day, rx.cond(row.promised, promised, ""), strong=False)
    override = rx.cond(row.override, feedback.badge("Supplier not approved", tone="warn"), rx.fragment())
    return {
        "number": tables.cell(ident(row.called, href=row.href), card="title"),
        "supplier": tables.cell(
            rx.el.bdi(row.supplier),
            phone=rx.fragment(
                rx.el.bdi(row.supplier),
                rx.cond(row.promised_later, rx.el.span(" · promised ", row.promised, class_name="text-warn"), ""),
            ),
            card="foot",
        ),
        "status": tables.cell(rx.fragment(feedback.badge(row.status, tone=row.tone), " ", override), card="end"),
        "expected": tables.cell(expected, hide="md"),
        "location": tables.cell(row.location, hide="lg"),
        "total": tables.cell(row.total, numeric=True, card="figure"),
        "written": tables.cell(rx.fragment(row.by, rx.cond(row.by, ", ", ""), when(row.at, row.at)), hide="lg"),
    }


def _low() -> rx.Component:
    return dialogs.dialog(
        forms.field(
            "Deliver to",
            forms.select("location_id", S.places, id="f-low-location"),
            error=forms.problem(S.errors, "location_id"),
        ),
        open=S.asking,
        on_open_change=S.close_low,
        title="Order what is low",
        sub="One draft for each preferred supplier, with the suggested quantities. You look at each before it goes.",
        status="Nothing is written yet.",
        primary=forms.submit("Write the drafts"),
        on_submit=S.order_low_stock,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )
