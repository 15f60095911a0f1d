"""The match of an order, for a page of an order whose on_load has `OrderMatchState.load`."""

import reflex as rx

from inventory_app.components import feedback, gates
from inventory_app.components.basics import button
from inventory_app.components.matching import three_way_match
from inventory_app.permissions import Permission
from inventory_app.states.order_match import OrderMatchState

S = OrderMatchState
M = OrderMatchState.match


def order_match() -> rx.Component:
    """Say which invoice cannot be paid yet, and show ordered, received and invoiced side by side, once there is one."""
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
    shown = rx.fragment(rx.cond(M.held, held, rx.fragment()), sides)
    some = rx.cond(M.is_not_none(), M.invoices.length() > 0, False)  # noqa: FBT003  # the other branch of a Var
    return rx.cond(some, shown, rx.fragment())


def match_badge() -> rx.Component:
    """Say in the head of the page that an invoice does not agree."""
    said = feedback.badge("Invoice does not match", tone="bad")
    return rx.cond(M.is_not_none(), rx.cond(M.held, said, rx.fragment()), rx.fragment())


def record_button() -> rx.Component:
    """Lead to the form of an invoice of this order, whoever may record one."""
    return gates.can(Permission.INVOICES_RECORD, button("Record invoice", icon_name="receipt-text", href=S.record_href))
