"""The whole stock at a moment: what was where, what it was worth, and how it went."""

import reflex as rx

from inventory_app.components import charts, feedback, layout, tables
from inventory_app.components.basics import link
from inventory_app.operations.course import PlaceRow
from inventory_app.pages._moment import picker
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.as_of import PATH, AsOfState

S = AsOfState


@page(PATH, "Stock at a moment", Permission.INVENTORY_VIEW, on_load=[S.load])
def as_of() -> rx.Component:
    """Show the moment, the places and the year."""
    return rx.fragment(
        rx.el.link(rel="stylesheet", href="/charts.css", custom_attrs={"precedence": "page"}),
        layout.page_head(
            "Stock at a moment", sub="What was where, as it was known then or as it really was, and how it went."
        ),
        rx.cond(S.loading, layout.page_skeleton(), _found()),
    )


def _found() -> rx.Component:
    return layout.columns(
        layout.column(rx.cond(S.value, _worth(), rx.fragment()), _places()),
        layout.column(_moment(), _kinds()),
    )


def _moment() -> rx.Component:
    then = rx.el.p(
        rx.el.strong(S.movements, " movements"),
        " until ",
        S.at_words,
        rx.cond(S.value, rx.fragment(", stock worth ", rx.el.strong(S.value), " ", S.currency), rx.fragment()),
        rx.cond(S.way == "effective", ", with all that is known now. ", ", as far as was known then. "),
        link("Now", href=S.now_href),
        class_name="travel-then",
    )
    return layout.card(picker(S, then, rx.cond(S.value, "Press the drawing to see a day.", "")), title="The moment")


def _worth() -> rx.Component:
    return layout.card(
        charts.over_time(S.chart, label="Stock value over time", figure="Value"),
        title="Stock value over time",
        note="at cost, at the end of each day things happened",
        end=rx.fragment(rx.el.strong(S.value, class_name="sum"), S.currency),
        class_name="chart-wide",
    )


def _kinds() -> rx.Component:
    nothing = rx.el.p("Nothing has moved in this year.", class_name="muted")
    return layout.card(
        rx.cond(S.kinds.length() > 0, charts.kinds(rx.foreach(S.kinds, charts.kind)), nothing),
        title="Movements by kind",
        note="in the last year",
    )


def _places() -> rx.Component:
    heads = tables.head(
        tables.column("Place"),
        tables.column("Movements", numeric=True),
        rx.cond(S.value, tables.column("Value here", numeric=True, hide="sm"), rx.fragment()),
        rx.cond(S.value, tables.column("With what is below", numeric=True), rx.fragment()),
    )
    table = tables.table(
        heads,
        rx.el.tbody(rx.foreach(S.places, _place), role="rowgroup"),
        label="Places",
        density="compact",
    )
    nothing = rx.el.div(
        feedback.empty_state("Nothing was there", "No movement was recorded until then.", icon_name="boxes")
    )
    return layout.card(rx.cond(S.places.length() > 0, table, nothing), title="What was where", flush=True)


def _place(row: rx.Var[PlaceRow]) -> rx.Component:
    moved = rx.fragment(row.movements, rx.cond(row.movements == "1", " movement", " movements"))
    name = link(row.name, href="/inventory?location=" + row.id.to_string(), plain=True, class_name="rowlink")
    return tables.row(
        tables.cell(tables.two_line(name, "", strong=False, phone=moved), card="title"),
        tables.cell(row.movements, numeric=True),
        rx.cond(S.value, tables.cell(row.value, numeric=True, hide="sm"), rx.fragment()),
        rx.cond(S.value, tables.cell(row.whole, numeric=True, card="figure"), rx.fragment()),
        key=row.id,
    )
