"""The match and the invoices of an order: for a page of an order whose on_load has `OrderMatchState.load`."""

import reflex as rx

from inventory_app.components import feedback, gates, layout
from inventory_app.components.basics import button, icon, link
from inventory_app.components.matching import three_way_match
from inventory_app.operations._invoice_views import Link
from inventory_app.permissions import Permission
from inventory_app.states.order_match import OrderMatchState

S = OrderMatchState
M = OrderMatchState.match


def order_match() -> rx.Component:
    """Say which invoice cannot be paid yet, and show ordered, received and invoiced side by side."""
    held = feedback.callout(
        M.held_why,
        title=rx.Var.create("Invoice ") + M.held + " cannot be paid yet.",
        tone="bad",
        action=button("Look at it", href=M.held_href),
    )
    sides = three_way_match(
        M.sides,
        S.rows,
        all_href=S.all_href,
        differences_href=S.differences_href,
        only_differences=S.only_differences,
    )
    return rx.cond(M.is_not_none(), rx.fragment(rx.cond(M.held, held, rx.fragment()), sides), rx.fragment())


def record_button() -> rx.Component:
    """Lead to the form of an invoice of this order, whoever may record one."""
    return gates.can(Permission.INVOICES_RECORD, button("Record invoice", icon_name="receipt-text", href=S.record_href))


def invoices_card() -> rx.Component:
    """List the invoices and credit notes about the order, for who may see invoices."""

    def line(one: rx.Var[Link]) -> rx.Component:
        return layout.row_item(link(one.text, href=one.href), one.note, lead=icon("receipt-text", 16), key=one.href)

    some = rx.cond(M.is_not_none(), M.invoices.length() > 0, False)  # noqa: FBT003  # the other branch of a Var
    nothing = rx.el.p("No invoice has been recorded yet.", class_name="card-body muted")
    listed = rx.cond(some, layout.rows(rx.foreach(M.invoices, line)), nothing)
    return gates.can(Permission.INVOICES_VIEW, layout.card(listed, title="Invoices", flush=True))
