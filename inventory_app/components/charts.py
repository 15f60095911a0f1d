"""Figures as pictures, drawn by the page itself: no library is loaded for them."""

from typing import Any

import reflex as rx

from inventory_app.components.basics import Text


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
