"""A grid of small cells, rows against columns: one handler for all of them, one letter a cell.

A thousand checkboxes with a handler each take a browser a second; here a cell is a plain `<td data-c="1">`, its mark
is drawn by `roles.css`, and `app.js` knows which cell was pressed and moves between cells by arrow keys.
"""

from typing import Any

import reflex as rx

from inventory_app.components.basics import Content, Text, _join

#: What app.js remembers of the cell that was pressed last; 0 and "" when the press was beside the cells.
PRESSED_COLUMN = rx.Var("window.inventoryCell().column", _var_type=int)
PRESSED_ROW = rx.Var("window.inventoryCell().row", _var_type=str)


def grid(head: rx.Component, body: rx.Component, *, label: Text, width: rx.Var[int], on_press: Any) -> rx.Component:
    """Show rows against columns; `on_press` takes `PRESSED_COLUMN` and `PRESSED_ROW`."""
    return rx.el.div(
        rx.el.table(
            head,
            rx.el.tbody(body, on_click=on_press),
            class_name="matrix",
            role="grid",
            aria_label=label,
            custom_attrs={"data-grid": "", "width": width},
        ),
        class_name="matrix-wrap",
    )


def column_head(*content: Content, key: Any, changed: rx.Var[bool]) -> rx.Component:
    """Head a column whose cells belong to the record `key`."""
    return rx.el.th(
        *content,
        scope="col",
        key=key,
        class_name=rx.cond(changed, "matrix-col changed", "matrix-col"),
        custom_attrs={"data-column": key, "width": 92},
    )


def corner(*content: Content) -> rx.Component:
    """Fill the corner above the names of the rows."""
    return rx.el.td(*content, class_name="matrix-corner", custom_attrs={"width": 300})


def heading(*content: Content, sums: rx.Var[list[str]], key: Any) -> rx.Component:
    """Head a group of rows; a sum stands in each column."""
    return rx.el.tr(
        rx.el.th(*content, scope="row", class_name="matrix-name"),
        rx.foreach(
            sums,
            lambda text, i: rx.el.td(text, key=i, class_name=rx.cond(text.contains("→"), "strong", "")),
        ),
        key=key,
        class_name="matrix-head",
    )


def line(*content: Content, codes: rx.Var[str], key: rx.Var[str], first: rx.Var[bool]) -> rx.Component:
    """Show one row; the keyboard comes to the first cell of the first row, and goes on by arrows."""

    def cell(code: rx.Var[str], i: rx.Var[int]) -> rx.Component:
        said = rx.match(code, ("1", "yes"), ("t", "yes"), ("+", "will be added"), ("-", "will be taken away"), "no")
        return rx.el.td(
            key=i,
            tab_index=rx.cond(first & (i == 0), 0, -1),
            aria_label=said,
            custom_attrs={"data-c": code},
        )

    return rx.el.tr(
        rx.el.th(*content, scope="row", class_name="matrix-name"),
        rx.foreach(codes.split(""), cell),
        key=key,
        custom_attrs={"data-row": key},
    )


def panel(*content: Content, shown: rx.Var[bool]) -> rx.Component:
    """Stand beside the grid while something in it is changed."""
    return rx.cond(shown, rx.el.aside(*content, class_name="matrix-panel", aria_label="Before you save"), rx.fragment())


def beside(main: Content, side: Content, *, class_name: str = "") -> rx.Component:
    """Put a grid and its panel side by side; under each other where it is tight."""
    return rx.el.div(rx.el.div(main, class_name="matrix-main"), side, class_name=_join("matrix-cols", class_name))
