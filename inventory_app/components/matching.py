"""Ordered, received and invoiced side by side, with what was found: for an invoice and for an order."""

from typing import Any

import reflex as rx

from inventory_app.components import feedback, layout, tables
from inventory_app.components.basics import Text, icon, link
from inventory_app.operations._match_views import Link, MatchRow


def styles() -> rx.Component:
    """Bring the sheet that every page with a match needs."""
    return rx.el.link(rel="stylesheet", href="/matching.css", custom_attrs={"precedence": "page"})


def three_way_match(
    sides: Any,
    rows: rx.Var[list[MatchRow]],
    *,
    all_href: Text,
    differences_href: Text,
    only_differences: rx.Var[bool],
) -> rx.Component:
    """Show `Sides` as a card: `rows` are all of its rows, or those that differ."""
    number = sides.differences.to_string()
    choice = layout.segmented(
        ("Side by side", all_href, ~only_differences),
        (rx.Var.create("Differences, ") + number, differences_href, only_differences),
        label="Lines",
    )
    empty = feedback.empty_state("Everything agrees", "No line differs from what was ordered and came.")
    return layout.card(
        styles(),
        rx.cond(rows.length() > 0, _table(sides, rows, only_differences), empty),
        title="Three-way match",
        note=rx.fragment("invoiced ≤ received ≤ ordered, summed over all papers; price within ", sides.tolerance, " %"),
        end=choice,
        flush=True,
        class_name="match-card",
    )


def _table(sides: Any, rows: rx.Var[list[MatchRow]], only_differences: rx.Var[bool]) -> rx.Component:
    priced = sides.currency != ""

    def over(label: str, links: rx.Var[list[Link]], span: Any, edge: str = "match-edge") -> rx.Component:
        named = rx.foreach(links, lambda one: rx.fragment(" ", _named(one)))
        return rx.el.th(label, named, scope="colgroup", col_span=span, class_name=edge)

    def column(label: str, edge: str = "") -> rx.Component:
        return rx.el.th(label, scope="col", class_name=f"num {edge}".strip())

    def costs(*labels: str) -> rx.Component:
        return rx.cond(priced, rx.fragment(*[column(label) for label in labels]), rx.fragment())

    three: Any = rx.cond(priced, 3, 1)
    head = rx.el.thead(
        rx.el.tr(
            rx.el.td(),
            over("Ordered", sides.orders, three),
            over("Received", sides.receipts, 1),
            over("Invoiced", sides.invoices, three),
            rx.el.td(class_name="match-edge"),
            class_name="match-papers",
        ),
        rx.el.tr(
            rx.el.th("Product", scope="col"),
            column("Quantity", "match-edge"),
            costs("Unit cost", "Amount"),
            column("Quantity", "match-edge"),
            column("Quantity", "match-edge"),
            costs("Unit cost", "Amount"),
            rx.el.th("Match", scope="col", class_name="match-edge"),
        ),
    )
    table = rx.el.table(
        head,
        rx.el.tbody(rx.foreach(rows, lambda row: _row(row, priced))),
        rx.cond(only_differences, rx.fragment(), _foot(sides, priced)),
        class_name="tbl tbl-cards match",
        aria_label="Three-way match",
    )
    return rx.el.div(table, class_name="match-wrap", role="region", aria_label="Three-way match", tab_index=0)


def _named(one: rx.Var[Link]) -> rx.Component:
    return rx.cond(
        one.href, link(one.text, href=one.href, class_name="id"), rx.el.span(one.text, class_name="id muted")
    )


def _row(row: rx.Var[MatchRow], priced: Any) -> rx.Component:
    phone = rx.fragment("ordered ", row.ordered, " · received ", row.received, " · invoiced ", row.invoiced)
    quantity = rx.cond(row.bad_quantity, "num match-edge match-bad", "num match-edge")
    return rx.el.tr(
        tables.cell(tables.two_line(row.product, row.sku, phone=phone), card="title"),
        _cell(row.ordered, "num match-edge"),
        rx.cond(priced, rx.fragment(_cell(row.ordered_cost), _cell(row.ordered_amount)), rx.fragment()),
        _cell(row.received, "num match-edge"),
        rx.el.td(row.invoiced, rx.cond(row.others, _below(row.others), rx.fragment()), class_name=quantity),
        rx.cond(
            priced,
            rx.fragment(
                _cell(row.invoiced_cost, rx.cond(row.bad_price, "num match-bad", "num")), _cell(row.invoiced_amount)
            ),
            rx.fragment(),
        ),
        rx.el.td(_verdict(row), class_name="match-edge card-foot-l"),
        key=row.id,
    )


def _cell(text: Any, names: Any = "num") -> rx.Component:
    return rx.el.td(text, class_name=names)


def _below(text: rx.Var[str]) -> rx.Component:
    return rx.el.span(text, class_name="meta match-others")


def _verdict(row: rx.Var[MatchRow]) -> rx.Component:
    """Say what was found: never by colour alone."""
    sign = rx.match(row.tone, ("ok", icon("check", 16)), ("bad", icon("triangle-alert", 16)), icon("clock", 16))
    return rx.el.div(
        sign,
        rx.el.div(
            rx.el.span(row.word, class_name="match-word"),
            rx.cond(row.note, rx.el.span(row.note, class_name="meta"), rx.fragment()),
        ),
        class_name="match-verdict",
        custom_attrs={"data-tone": row.tone},
    )


def _foot(sides: Any, priced: Any) -> rx.Component:
    return rx.el.tfoot(
        rx.el.tr(
            rx.el.td(rx.cond(priced, "Total, " + sides.currency, "Total"), class_name="card-title"),
            _cell(sides.ordered, "num match-edge"),
            rx.cond(priced, rx.fragment(_cell(""), _cell(sides.ordered_amount, "num strong")), rx.fragment()),
            _cell(sides.received, "num match-edge"),
            _cell(sides.invoiced, "num match-edge"),
            rx.cond(priced, rx.fragment(_cell(""), _cell(sides.invoiced_amount, "num strong")), rx.fragment()),
            rx.el.td(sides.above, class_name="match-edge muted card-foot-l"),
        )
    )
