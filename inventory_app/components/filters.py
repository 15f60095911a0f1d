"""What narrows a list down: its views as tabs, search, filters as chips; pages use them through `tables`."""

from collections.abc import Sequence
from typing import Any

import reflex as rx

from inventory_app.components.basics import Content, Flag, Text, _join, icon, link


def tabs(*items: rx.Component, end: Content | None = None, label: str = "Views") -> rx.Component:
    """Offer the views of a list as tabs."""
    extra = [rx.el.div(end, class_name="tabs-end")] if end is not None else []
    return rx.el.nav(*items, *extra, class_name="tabs", aria_label=label)


def tab(label: Text, href: Text, *, active: Flag, count: Content | None = None) -> rx.Component:
    """Offer one view: its name, how many, and the link that shows it."""
    number = [rx.el.span(count, class_name="n")] if count is not None else []
    current = rx.cond(active, "page", rx.Var("undefined"))
    return link(label, *number, href=href, plain=True, custom_attrs={"aria-current": current})


def filter_bar(*chips: Content, search: Content | None = None, end: Sequence[Content] = ()) -> rx.Component:
    """Put search and filters in one line, at the right how many rows they leave."""
    start = [search] if search is not None else []
    tail = [rx.el.div(*end, class_name="filters-end")] if end else []
    middle = [rx.el.div(*chips, class_name="chips")] if chips else []
    return rx.el.div(*start, *middle, *tail, class_name="filters", role="search")


def search_field(
    *, value: Text, on_change: Any, placeholder: str = "Search", label: str = "Search this list", wide: bool = False
) -> rx.Component:
    """Search as one types; "/" comes here, Esc clears. Pass `State.search.debounce(300)` as on_change."""
    box = rx.el.input(
        type="search",
        placeholder=placeholder,
        aria_label=label,
        default_value=value,
        on_change=on_change,
        auto_complete="off",
        spell_check=False,
        custom_attrs={"data-search": "", "data-value": value, "enterKeyHint": "search"},
    )
    return rx.el.div(
        icon("search", 14),
        box,
        rx.el.kbd("/", aria_hidden=True),
        class_name=_join("search", "search-wide" if wide else ""),
    )


def density() -> rx.Component:
    """Let people choose how close together the rows stand; the browser remembers it for every list."""
    return rx.el.button(
        icon("rows-4", 16),
        type="button",
        aria_label="Compact rows",
        class_name="icon-btn density",
        custom_attrs={"data-density": "", "data-tip": "Compact rows"},
    )


def chip(
    field: Text, operator: Text, value: Text, *, remove_href: Text | None = None, on_remove: Any = None
) -> rx.Component:
    """Show one filter as a sentence, with a × that takes it off."""
    off = []
    if remove_href is not None:
        off = [link(icon("x", 12), href=remove_href, plain=True, class_name="chip-x", aria_label="Remove filter")]
    elif on_remove is not None:
        off = [
            rx.el.button(
                icon("x", 12), type="button", on_click=on_remove, class_name="chip-x", aria_label="Remove filter"
            )
        ]
    return rx.el.span(
        rx.el.span(field, class_name="chip-field"),
        # On the phone there is room for the value, and for an operator that does not go without saying.
        rx.el.span(operator, class_name="chip-op", custom_attrs={"data-op": operator}),
        rx.el.span(value, class_name="chip-value"),
        *off,
        class_name="chip",
    )


def chip_add(label: Text = "Filter", **props: Any) -> rx.Component:
    """Offer another filter; as the trigger of a `dialogs.menu`, or with on_click."""
    return rx.el.button(icon("plus", 14), label, type="button", class_name="chip-add", **props)
