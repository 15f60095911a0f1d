"""How a movement reads, on the page of its item and in the list of all."""

from typing import Any

import reflex as rx

from inventory_app.components import feedback, tables
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
        came_by = rx.cond(row.receipt, rx.fragment(" · ", papers(row)), rx.fragment())
        return rx.fragment(*before, came_by, rx.cond(row.late, rx.fragment(" ·", happened), rx.fragment()))
    return rx.fragment(row.note, late)


def papers(row: rx.Var[MovementLine]) -> rx.Component:
    """Name the receipt and the order that it came by; they lead there who may see them."""

    def one(number: rx.Var[str], href: rx.Var[str]) -> rx.Component:
        return rx.cond(href, ident(number, href=href), ident(number))

    return rx.fragment(one(row.receipt, row.receipt_href), " for ", one(row.order, row.order_href))


def record(row: rx.Var[MovementLine]) -> rx.Component:
    """Show the paper it belongs to, and lead to the operation who may see the trail."""
    paper = rx.cond(row.reference, row.reference, "record")
    plain = rx.cond(row.reference, ident(row.reference), rx.el.span("–", class_name="dim"))
    shown = rx.cond(row.operation_id, ident(paper, href="/audit/" + row.operation_id), plain)
    record_of = rx.cond(row.operation_id, ident("record", href="/audit/" + row.operation_id), rx.fragment())
    return rx.cond(row.receipt, tables.two_line(papers(row), record_of, strong=False), shown)
