"""Who is owed what since when."""

from typing import Any

import reflex as rx

from inventory_app.components import feedback, layout
from inventory_app.components.statements import owing_table
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.payments import AGEING, PATH, AgeingState

S = AgeingState
#: What State holds is a Var in the browser, whose attributes no type checker knows.
A: Any = S.ageing


@page(AGEING, "What we owe", Permission.INVOICES_VIEW, on_load=[S.load], crumbs=("Purchasing", ("Payments", PATH)))
def ageing() -> rx.Component:
    """Show by supplier what is open, by how long it is overdue."""
    hidden = feedback.empty_state(
        "Amounts are hidden from you",
        "Ask an administrator for the permission “See costs and prices”.",
        icon_name="lock",
    )
    nothing = feedback.empty_state(
        "Nothing is owed", "Every invoice that was recorded is paid or was taken back.", icon_name="scale"
    )
    table = rx.fragment(
        layout.card(
            owing_table(A.rows, named=True, totals=A.totals, total=A.total),
            title="By supplier and currency",
            note=S.more,
            flush=True,
        ),
    )
    return rx.cond(
        S.loading,
        layout.page_skeleton(),
        rx.fragment(
            layout.page_head(
                "What we owe", sub=rx.fragment("By how long it is overdue on ", A.day, ", blocked invoices included.")
            ),
            rx.cond(A.hidden, hidden, rx.cond(A.rows.length() > 0, table, nothing)),
        ),
    )
