"""How a movement reads, on the page of its item and in the list of all."""

from typing import Any

import reflex as rx

from inventory_app.components import feedback
from inventory_app.components.basics import ident, when
from inventory_app.operations._movement_lines import MovementLine


def what(row: rx.Var[MovementLine]) -> rx.Component:
    """Say what happened; struck when it was taken back, marked when it was recorded later than it happened."""
    said = rx.cond(row.taken_back, rx.el.del_(row.what, class_name="taken-back"), rx.el.span(row.what))
    late = rx.fragment(" ", feedback.badge("back-dated"))
    return rx.fragment(
        said,
        rx.cond(row.taken_back, rx.fragment(" ", feedback.badge("taken back")), rx.fragment()),
        rx.cond(row.late, late, rx.fragment()),
    )


def aside(row: rx.Var[MovementLine], *before: Any) -> rx.Component:
    """Say below it what was noted, and when it happened if that was earlier; `before` it what a card has to say."""
    happened = rx.fragment(" happened ", when(row.occurred_at, row.occurred_at, style="full"))
    late = rx.cond(row.late, rx.fragment(rx.cond(row.note, ",", ""), happened), rx.fragment())
    if before:
        return rx.fragment(*before, rx.cond(row.late, rx.fragment(" ·", happened), rx.fragment()))
    return rx.fragment(row.note, late)


def record(row: rx.Var[MovementLine]) -> rx.Component:
    """Show the paper it belongs to, and lead to the operation who may see the trail."""
    paper = rx.cond(row.reference, row.reference, "record")
    plain = rx.cond(row.reference, ident(row.reference), rx.el.span("–", class_name="dim"))
    return rx.cond(row.operation_id, ident(paper, href="/audit/" + row.operation_id), plain)
