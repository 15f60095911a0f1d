"""What a product cost when: steps over time, and the same as a table."""

from typing import Any

import reflex as rx

from inventory_app.components import feedback, tables
from inventory_app.components.basics import link, when
from inventory_app.operations.pricing import HistoryRow


def steps(chart: Any, *, label: str) -> rx.Component:
    """Draw values that hold until the next one; `chart` is a `pricing.Step`."""
    drawn = rx.el.svg(
        rx.el.svg.path(d=chart.path),
        view_box="0 0 640 160",
        custom_attrs={"preserveAspectRatio": "none", "aria-hidden": "true"},
    )
    ends = rx.el.div(rx.el.span(chart.first), rx.el.span(chart.last), class_name="steps-ends meta")
    highest = rx.el.span("Highest ", chart.highest, class_name="meta")
    lowest = rx.el.span("Lowest ", chart.lowest, class_name="meta")
    return rx.cond(
        chart.path,
        rx.el.figure(
            rx.el.figcaption(label, class_name="sr"),
            highest,
            drawn,
            rx.el.div(lowest),
            ends,
            class_name="steps",
        ),
        rx.fragment(),
    )


def price_history(history: Any) -> rx.Component:
    """Show every price of a product, `history` being a `pricing.History`: the chart, and below it the table."""
    return rx.fragment(
        steps(history.chart, label="The price over time; the table below says the same"),
        tables.table(
            tables.head(
                tables.column("From"),
                tables.column("Price", numeric=True),
                tables.column("Change", numeric=True),
                tables.column("Why"),
            ),
            tables.body(
                history.rows,
                _row,
                columns=4,
                empty=feedback.empty_state(
                    "No price was recorded yet", "The next change is the first one that is kept."
                ),
            ),
            label="Prices",
            density="compact",
        ),
    )


def _row(row: rx.Var[HistoryRow]) -> rx.Component:
    state = rx.cond(row.status, rx.fragment(" ", feedback.badge(row.status, tone=row.tone, dot=False)), rx.fragment())
    why = rx.cond(row.reason, row.reason, rx.el.span("–", class_name="dim"))
    in_set = rx.cond(row.change_set, rx.fragment(" ", link("Set of changes", href=row.change_set)), rx.fragment())
    return tables.row(
        tables.cell(when(row.at, row.at), state, card="title"),
        tables.cell(row.price, numeric=True, card="figure"),
        tables.cell(row.change, numeric=True),
        tables.cell(rx.el.bdi(why), in_set, card="foot"),
        key=row.id,
    )
