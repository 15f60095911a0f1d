"""List pages: frame, tabs, filters, table (cards on the phone), pager, bulk bar."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import reflex as rx

from inventory_app.components import feedback
from inventory_app.components.basics import Content, Flag, Text, _join, button, icon, link
from inventory_app.components.filters import chip, chip_add, density, filter_bar, search_field, tab, tabs
from inventory_app.components.layout import page_head

__all__ = [
    "body",
    "bulk_bar",
    "cell",
    "check_cell",
    "chip",
    "chip_add",
    "column",
    "density",
    "filter_bar",
    "footer",
    "head",
    "level",
    "list_page",
    "pager",
    "quantity",
    "row",
    "search_field",
    "select_all",
    "skeleton_rows",
    "tab",
    "table",
    "tabs",
    "two_line",
    "who",
    "with_actions",
]

#: Below which width a column goes: 1280, 1080 or 880 px.
Hide = Literal["", "lg", "md", "sm"]
#: Where a cell goes on the phone's card; cells without one are hidden there.
Card = Literal["", "check", "title", "figure", "foot", "end"]

_CARDS = {
    "": "",
    "check": "card-check",
    "title": "card-title",
    "figure": "card-figure",
    "foot": "card-foot-l",
    "end": "card-end",
}


def list_page(
    *table: Content,
    title: Content,
    sub: Content | None = None,
    actions: Sequence[Content] = (),
    tabs: Content | None = None,
    filters: Content | None = None,
    footer: Content | None = None,
    badge: Content | None = None,
) -> rx.Component:
    """Frame a list: header, tabs with counts, filter bar, table, footer; flush to the page's edges."""
    parts = [page_head(title, sub=sub, actions=actions, badge=badge), tabs, filters, *table, footer]
    return rx.el.div(*[part for part in parts if part is not None], class_name="list")


def table(
    head: rx.Component, *body: Content, label: Text, density: Literal["", "compact", "dense"] = "", cards: bool = True
) -> rx.Component:
    """Show rows in columns; with `cards` each row is a card on the phone (cells say where they go)."""
    names = _join("tbl", f"tbl-{density}" if density else "", "tbl-cards" if cards else "")
    return rx.el.table(head, *body, class_name=names, aria_label=label, role="table")


def head(*columns: rx.Component) -> rx.Component:
    """Head a table with its columns."""
    return rx.el.thead(rx.el.tr(*columns, role="row"), role="rowgroup")


def column(
    label: Content,
    *,
    href: Text | None = None,
    sort: Text = "",
    numeric: bool = False,
    hide: Hide = "",
    width: str = "",
) -> rx.Component:
    """Head a column; with `href` it sorts. `sort` is "asc", "desc" or "" and may be a Var."""
    names = _join("num" if numeric else "", f"hide-{hide}" if hide else "")
    inside: Content = label
    attrs: dict[str, Any] = {}
    if href is not None:
        inside = link(label, icon("arrow-up", 12, class_name="arrow"), href=href, plain=True)
        attrs["aria-sort"] = rx.match(sort, ("asc", "ascending"), ("desc", "descending"), "none")
    if width:
        attrs["width"] = width
    return rx.el.th(inside, scope="col", role="columnheader", class_name=names, custom_attrs=attrs)


def select_all(
    *, checked: Flag, mixed: Flag, on_change: Any, label: str = "Select all rows on this page"
) -> rx.Component:
    """Head the column of checkboxes; mixed when some rows are selected."""
    box = rx.el.input(
        type="checkbox",
        class_name="check",
        checked=checked,
        on_change=on_change,
        aria_label=label,
        custom_attrs={"data-mixed": rx.cond(mixed, "true", "false")},
    )
    return rx.el.th(box, scope="col", role="columnheader", class_name="c-check")


def body(
    rows: rx.Var[Any],
    render: Callable[[Any], rx.Component],
    *,
    columns: int,
    loading: Flag = False,
    empty: rx.Component | None = None,
    shape: Sequence[str] = (),
) -> rx.Component:
    """Render one row each; skeleton rows of the same shape while loading; the lesson when there are none."""
    nothing = rx.el.tbody(
        rx.el.tr(
            rx.el.td(
                empty or feedback.empty_state("Nothing here", "No row matches."),
                col_span=columns,
                class_name="empty-cell",
            )
        ),
        class_name="no-rows",
    )
    filled = rx.el.tbody(rx.foreach(rows, render), role="rowgroup")
    return rx.cond(loading, skeleton_rows(columns, shape=shape), rx.cond(rows.length() > 0, filled, nothing))


def skeleton_rows(columns: int, *, shape: Sequence[str] = (), count: int = 8) -> rx.Component:
    """Hold the place of rows: one bar a cell, fading downwards; a width ending in "r" stands right."""
    widths = list(shape) or ["16px", *["60%"] * (columns - 1)]
    cells = [
        rx.el.td(
            feedback.skeleton(w.removesuffix("r")),
            class_name=_join("num" if w.endswith("r") else "", _skeleton_card(i)),
        )
        for i, w in enumerate(widths[:columns])
    ]
    return rx.el.tbody(*[rx.el.tr(*cells) for _ in range(count)], class_name="skel-rows", aria_hidden=True)


def row(*cells: rx.Component, key: Any, selected: Flag = False, live: Flag = False) -> rx.Component:
    """Show one record; `selected` wins over `live` (somebody else just changed it)."""
    return rx.el.tr(
        *cells,
        key=key,
        role="row",
        custom_attrs={"data-state": rx.cond(selected, "selected", "rest"), "data-live": rx.cond(live, "true", "false")},
    )


def changed_by(name: rx.Var[str]) -> rx.Component:
    """Say in a row who has changed it while it was being looked at; nothing when nobody has."""
    return rx.cond(
        name != "", rx.el.span("Changed by ", rx.el.bdi(name), " just now", class_name="live-note"), rx.fragment()
    )


def cell(
    *content: Content,
    numeric: bool = False,
    strong: bool = False,
    hide: Hide = "",
    card: Card = "",
    phone: Content | None = None,
    class_name: str = "",
) -> rx.Component:
    """Show one value; `card` says where it goes on the phone, `phone` what it says there instead."""
    names = _join(
        "num" if numeric else "", "strong" if strong else "", f"hide-{hide}" if hide else "", _CARDS[card], class_name
    )
    inside = list(content)
    if phone is not None:
        inside = [rx.el.span(*content, class_name="no-phone"), rx.el.span(phone, class_name="only-phone")]
    return rx.el.td(*inside, role="cell", class_name=names)


def check_cell(*, checked: Flag, on_change: Any, label: Text, disabled: Flag = False) -> rx.Component:
    """Let a row be selected; the label names the row."""
    box = rx.el.input(
        type="checkbox", class_name="check", checked=checked, on_change=on_change, aria_label=label, disabled=disabled
    )
    return rx.el.td(box, role="cell", class_name="c-check card-check")


def two_line(
    first: Content,
    second: Content,
    *,
    href: Text | None = None,
    phone: Content | None = None,
    strong: bool = True,
    wraps: bool = False,
) -> rx.Component:
    """Show a value and below it its 12 px meta line; on the phone `phone` takes the meta's place.

    What `wraps` takes more lines where there is no room, instead of ending in three dots: names.
    """
    names = "two two-wrap" if wraps else "two"
    top = (
        link(first, href=href, plain=True, class_name="rowlink")
        if href is not None
        else rx.el.span(first, class_name="strong" if strong else "")
    )
    if phone is None:
        return rx.el.span(top, rx.el.span(second, class_name="meta"), class_name=names)
    return rx.el.span(
        top,
        rx.el.span(second, class_name="meta no-phone"),
        rx.el.span(phone, class_name="meta only-phone"),
        class_name=names,
    )


def quantity(value: Text, unit: Content = "") -> rx.Component:
    """Show a number with its unit muted; zero and missing are a muted dash."""
    shown = rx.fragment(value, rx.el.span(unit, class_name="unit") if unit != "" else "")
    if isinstance(value, rx.Var):
        return rx.cond((value == "") | (value == "0"), rx.el.span("–", class_name="dim"), shown)
    return rx.el.span("–", class_name="dim") if value in ("", "0") else shown


def level(value: Text, unit: Text, *, fill: Any, tick: Any, state: Text, rest: Any = 0) -> rx.Component:
    """Show stock against its reorder point: bar, what more there is elsewhere, and tick in percent.

    `state` "low", "out" or "none" (here, while there is some elsewhere) is also said as a word.
    """
    bar = rx.el.svg(
        rx.el.svg.rect(x=0, y=2, width=100, height=4, rx=2, class_name="track"),
        rx.el.svg.rect(
            x=0,
            y=2,
            width=fill,
            height=4,
            rx=2,
            class_name=rx.match(state, ("low", "fill-low"), ("out", "fill-out"), "fill"),
        ),
        rx.el.svg.rect(x=fill, y=2, width=rest, height=4, rx=2, class_name=rx.cond(state == "low", "rest-low", "rest")),
        rx.cond(tick > 0, rx.el.svg.line(x1=tick, x2=tick, y1=0, y2=8, class_name="tick"), rx.fragment()),
        view_box="0 0 100 8",
        custom_attrs={"preserveAspectRatio": "none", "aria-hidden": "true"},
    )
    word = rx.match(
        state,
        ("low", rx.el.span("Low", class_name="word word-low")),
        ("out", rx.el.span("Out", class_name="word word-out")),
        ("none", rx.el.span("None here", class_name="word muted")),
        rx.fragment(),
    )
    return rx.el.span(
        rx.el.span(word, value, rx.el.span(unit, class_name="unit"), class_name="fig"), bar, class_name="level"
    )


def who(initials: Text, name: Content, meta: Content = "", *, picture: Text = "", system: bool = False) -> rx.Component:
    """Show who did it and when: picture or initials, name, second line."""
    face = feedback.avatar(initials, picture=picture, system=system)
    return rx.el.span(face, two_line(name, meta), class_name="who")


def with_actions(content: Content, *actions: rx.Component) -> rx.Component:
    """Fill the last cell: content at rest, the row's actions on hover and focus (last one stays on the phone)."""
    return rx.fragment(rx.el.div(content, class_name="under-actions"), rx.el.div(*actions, class_name="row-actions"))


def footer(*, bulk: Content | None = None, pager: Content | None = None) -> rx.Component:
    """Close a list: bulk bar at the left when rows are selected, pager at the right."""
    return rx.el.div(*[part for part in (bulk, pager) if part is not None], class_name="list-foot")


def bulk_bar(number: Any, *actions: rx.Component, on_clear: Any, shown: rx.Var[bool] | None = None) -> rx.Component:
    """Offer what can be done with the selected rows; nothing when none are, or while not `shown`."""
    return rx.cond(
        number > 0 if shown is None else shown,
        rx.el.div(
            rx.el.span(number, " selected", class_name="bulk-n", aria_live="polite"),
            *actions,
            button("Clear", key_hint="Esc", on_click=on_clear, class_name="bulk-clear", custom_attrs={"data-esc": ""}),
            class_name="bulk",
            role="toolbar",
            aria_label="Selected rows",
        ),
        rx.fragment(),
    )


def pager(
    *,
    previous_href: Text,
    next_href: Text,
    range: Content = "",
    first: Text = "",
    last: Text = "",
    words: tuple[str, str] = ("Previous", "Next"),
) -> rx.Component:
    """Page by keys: "Rows 1-50 · A to B"; an empty href means there is no such page."""
    span = rx.cond(
        first,
        rx.el.span(" · ", rx.el.span(first, class_name="id"), " to ", rx.el.span(last, class_name="id")),
        rx.fragment(),
    )
    return rx.el.nav(
        rx.el.span("Rows ", rx.el.strong(range), span, class_name="range"),
        _page_link(words[0], previous_href, "chevron-left"),
        _page_link(words[1], next_href, ""),
        class_name="pager",
        aria_label="Pages",
    )


def _page_link(label: str, href: Text, icon_name: str) -> rx.Component:
    off = button(label, icon_name=icon_name, disabled=True)
    on = button(label, icon_name=icon_name, href=href)
    if isinstance(href, rx.Var):
        return rx.cond(href, on, off)
    return on if href else off


def _skeleton_card(index: int) -> str:
    return {0: "card-check c-check", 2: "card-title", 4: "card-figure"}.get(index, "")
