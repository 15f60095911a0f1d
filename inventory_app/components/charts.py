"""Figures as pictures, drawn by the page itself: no library is loaded for them."""

from typing import Any

import reflex as rx

from inventory_app.components.basics import Text, link


def bars(*lines: Any) -> rx.Component:
    """List bars under each other, inside a card; each is a `bar`."""
    return rx.el.ul(*lines, class_name="bars")


def bar(label: Text, figure: Text, percent: Any, *, key: Any = None) -> rx.Component:
    """Show what something amounts to beside the others: its name, a bar in percent of the longest, the figure."""
    drawn = rx.el.svg(
        rx.el.svg.rect(x=0, y=0, width=100, height=8, class_name="track"),
        rx.el.svg.rect(x=0, y=0, width=percent, height=8, class_name="fill"),
        view_box="0 0 100 8",
        custom_attrs={"preserveAspectRatio": "none", "aria-hidden": "true"},
    )
    return rx.el.li(
        rx.el.span(label, class_name="clip", title=label),
        drawn,
        rx.el.span(figure, class_name="fig"),
        **({} if key is None else {"key": key}),
    )


def over_time(chart: Any, *, label: Text, figure: Text) -> rx.Component:
    """Draw a `states/_charts.Chart`: the line, the moment that is marked, and the same as a table.

    Needs `charts.css`. Parts of the drawing that lead somewhere are for the pointer; the table says the same to all.
    """
    drawing = rx.el.svg(
        rx.foreach(chart.upwards, lambda tick: rx.el.svg.line(x1=0, x2=100, y1=tick.at, y2=tick.at, class_name="grid")),
        rx.el.svg.path(d=chart.area, class_name="area"),
        rx.el.svg.path(d=chart.line, class_name="line"),
        rx.cond(
            chart.mark_x,
            rx.el.svg.line(x1=chart.mark_x, x2=chart.mark_x, y1=0, y2=100, class_name="mark"),
            rx.fragment(),
        ),
        view_box="0 0 100 100",
        custom_attrs={"preserveAspectRatio": "none", "aria-hidden": "true"},
    )
    point = rx.el.span(
        class_name="chart-point", style={"left": chart.mark_x + "%", "top": chart.mark_y + "%"}, aria_hidden=True
    )
    return rx.el.figure(
        rx.el.figcaption(rx.el.span(label, ". ", class_name="sr"), rx.el.span(chart.said, class_name="sr")),
        rx.el.div(
            drawing,
            rx.cond(chart.mark_x, point, rx.fragment()),
            rx.foreach(chart.targets, _target),
            rx.foreach(
                chart.upwards,
                lambda tick: rx.el.span(tick.label, class_name="chart-up", style={"top": tick.at + "%"}),
            ),
            rx.foreach(
                chart.across,
                lambda tick: rx.el.span(tick.label, class_name="chart-across", style={"left": tick.at + "%"}),
            ),
            class_name="chart-box",
        ),
        rx.el.details(
            rx.el.summary("As a table"),
            rx.el.table(
                rx.el.thead(rx.el.tr(rx.el.th("From", scope="col"), rx.el.th(figure, scope="col", class_name="num"))),
                rx.el.tbody(
                    rx.foreach(
                        chart.cells,
                        lambda cell: rx.el.tr(rx.el.td(cell.when), rx.el.td(cell.figure, class_name="num")),
                    )
                ),
                class_name="tbl tbl-compact",
                aria_label=label,
            ),
            class_name="chart-table",
        ),
        class_name="chart",
    )


def _target(target: Any) -> rx.Component:
    # Not for the keyboard: hundreds of stops, and the picker beside the drawing asks for any moment.
    return link(
        "",
        href=target.href,
        plain=True,
        class_name="chart-target",
        title=target.label,
        style={"left": target.x + "%", "width": target.width + "%"},
        custom_attrs={"tabIndex": -1, "aria-hidden": "true"},
    )


def by_week(weeks: Any) -> rx.Component:
    """Draw a list of `states/_charts.WeekBar`: what came above the line, what went below it, and the same as a table.

    Needs `charts.css`.
    """

    def column(week: Any) -> rx.Component:
        wide = (68 / weeks.length()).to_string()
        return rx.el.svg.g(
            rx.el.svg.rect(x=week.x, y=week.top, width=wide, height=week.up, class_name="came"),
            rx.el.svg.rect(x=week.x, y="51", width=wide, height=week.down, class_name="went"),
            key=week.begins,
        )

    drawing = rx.el.svg(
        rx.foreach(weeks, column),
        rx.el.svg.line(x1="0", x2="100", y1="50.5", y2="50.5", class_name="grid"),
        view_box="0 0 100 101",
        custom_attrs={"preserveAspectRatio": "none", "aria-hidden": "true"},
    )
    names = rx.el.div(
        rx.foreach(weeks, lambda week: rx.el.span(week.label, key=week.begins)), class_name="weeks-x", aria_hidden=True
    )
    head = rx.el.tr(
        rx.el.th("Week from", scope="col"),
        rx.el.th("In", scope="col", class_name="num"),
        rx.el.th("Out", scope="col", class_name="num"),
    )
    rows = rx.foreach(
        weeks,
        lambda week: rx.el.tr(
            rx.el.td(week.begins),
            rx.el.td(week.came, class_name="num"),
            rx.el.td(week.went, class_name="num"),
            key=week.begins,
        ),
    )
    table = rx.el.table(
        rx.el.thead(head), rx.el.tbody(rows), class_name="tbl tbl-compact", aria_label="Movements by week"
    )
    return rx.el.figure(
        drawing,
        names,
        rx.el.details(rx.el.summary("As a table"), table, class_name="chart-table"),
        class_name="chart weeks",
    )


def in_and_out() -> rx.Component:
    """Say which colour of `by_week` is what came, and which what went."""
    return rx.el.span(
        rx.el.i(class_name="came", aria_hidden=True),
        "in",
        rx.el.i(class_name="went", aria_hidden=True),
        "out",
        class_name="weeks-key",
    )


def kinds(*lines: Any) -> rx.Component:
    """Put small lines under each other; each is a `kind`. Needs `charts.css`."""
    return rx.el.ul(*lines, class_name="kinds")


def kind(spark: Any) -> rx.Component:
    """Show a `states/_charts.Spark`: its name, how often, when, and the same as a table."""
    drawing = rx.el.svg(
        rx.el.svg.path(d=spark.area, class_name="area"),
        rx.el.svg.path(d=spark.line, class_name="line"),
        view_box="0 0 100 100",
        custom_attrs={"preserveAspectRatio": "none", "aria-hidden": "true"},
    )
    rows = rx.foreach(spark.cells, lambda cell: rx.el.tr(rx.el.td(cell.when), rx.el.td(cell.figure, class_name="num")))
    table = rx.el.table(
        rx.el.thead(rx.el.tr(rx.el.th("Week from", scope="col"), rx.el.th("Movements", scope="col", class_name="num"))),
        rx.el.tbody(rows),
        class_name="tbl tbl-compact",
        aria_label=spark.label,
    )
    return rx.el.li(
        rx.el.details(
            rx.el.summary(
                rx.el.span(spark.label, class_name="clip"),
                drawing,
                rx.el.span(spark.figure, class_name="fig"),
                rx.el.span(spark.said, class_name="sr"),
            ),
            table,
            class_name="chart chart-table",
        ),
        key=spark.label,
    )
