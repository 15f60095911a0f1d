"""The frame of a page, and the boxes content stands in."""

from collections.abc import Sequence
from typing import Any

import reflex as rx

from inventory_app.components import feedback, navigation
from inventory_app.components.basics import Content, Text, _join, icon, icon_button, link
from inventory_app.states.auth import AuthState

#: A step of the breadcrumb: words, or words and where they lead.
Crumb = Text | tuple[Text, Text]


def shell(
    *content: Content,
    title: Text,
    crumbs: Sequence[Crumb] = (),
    actions: Content | None = None,
    back: Text | None = None,
    route: str = "",
) -> rx.Component:
    """Put content into the frame: side bar with the open place, top bar with breadcrumb; on the phone title, tabs."""
    home = [] if back is None else [_back(back)]
    here = navigation.place_of(route)
    bar = rx.el.header(
        *home,
        rx.el.nav(
            rx.el.ol(*[_crumb(crumb) for crumb in crumbs], rx.el.li(rx.el.span(title, aria_current="page"))),
            class_name="crumbs",
            aria_label="Breadcrumb",
        ),
        *([actions] if actions is not None else []),
        navigation.bar_tools(),
        class_name="topbar",
    )
    return rx.el.div(
        rx.el.a("Skip to the content", href="#content", class_name="skip"),
        navigation.side_bar(here),
        rx.el.div(
            bar,
            rx.el.main(*content, class_name="page", custom_attrs={"id": "content", "tabIndex": -1}),
            class_name="main",
        ),
        navigation.tab_bar(here),
        navigation.more_sheet(here),
        navigation.help_sheet(),
        class_name="shell",
    )


def door(*content: Content, wide: bool = False, below: Content | None = None) -> rx.Component:
    """Put content on a card in the middle: the pages of people who are not signed in."""
    company = rx.cond(AuthState.company, AuthState.company, "Inventory")
    return rx.el.div(
        rx.el.header(
            rx.el.span(navigation.logo(), rx.el.span(company, class_name="brand-name"), class_name="brand"),
            navigation.mode_button(),
            class_name="door-top",
        ),
        rx.el.main(
            rx.el.div(*content, class_name=_join("door-card", "door-card-wide" if wide else "")),
            *([below] if below is not None else []),
            class_name="door-mid",
        ),
        rx.el.footer(
            rx.el.span(class_name="dot tone-ok", aria_hidden=True), "Every change is recorded", class_name="door-foot"
        ),
        class_name="door",
    )


def page_head(
    title: Content,
    *,
    sub: Content | None = None,
    actions: Sequence[Content] = (),
    badge: Content | None = None,
    second: bool = False,
) -> rx.Component:
    """Name the page, say in one line what is on it; `second` for the detail of a split view."""
    heading = rx.el.h2 if second else rx.el.h1
    return rx.el.div(
        rx.el.div(
            heading(rx.el.span(title, class_name="h1-text"), *([badge] if badge is not None else []), class_name="h1"),
            *([rx.el.div(sub, class_name="sub")] if sub is not None else []),
            class_name="page-head-text",
        ),
        *([rx.el.div(*actions, class_name="page-head-actions")] if actions else []),
        class_name="page-head",
    )


def card(
    *content: Content,
    title: Content | None = None,
    note: Content | None = None,
    end: Content | None = None,
    foot: Content | None = None,
    flush: bool = False,
    **props: Any,
) -> rx.Component:
    """Box content that belongs together; `flush` lets tables and lists reach its edges."""
    head = []
    if title is not None:
        parts = [rx.el.h2(title, class_name="h2")]
        parts += [rx.el.span(note, class_name="note")] if note is not None else []
        parts += [rx.el.div(end, class_name="card-end")] if end is not None else []
        head = [rx.el.div(*parts, class_name="card-head")]
    return rx.el.section(
        *head,
        *(content if flush else [rx.el.div(*content, class_name="card-body")]),
        *([rx.el.div(foot, class_name="card-foot")] if foot is not None else []),
        class_name=_join("card", props.pop("class_name", "")),
        **props,
    )


def columns(main: Content, side: Content) -> rx.Component:
    """Put a wide column beside a narrow one; under each other where it is tight."""
    return rx.el.div(main, side, class_name="cols")


def column(*content: Content) -> rx.Component:
    """Put cards under each other, 24 px apart."""
    return rx.el.div(*content, class_name="col")


def even(*content: Content) -> rx.Component:
    """Put cards of one width side by side."""
    return rx.el.div(*content, class_name="cols-even")


def rows(*items: Content) -> rx.Component:
    """List things under each other with hairlines, inside a flush card."""
    return rx.el.ul(*items, class_name="rows")


def row_item(
    title: Content,
    meta: Content = "",
    *,
    icon_name: str = "",
    lead: Content | None = None,
    end: Content | None = None,
    key: Any = None,
) -> rx.Component:
    """Show one thing of `rows`: icon, two lines, something at the right."""
    mark = [icon(icon_name, 18)] if icon_name else ([lead] if lead is not None else [])
    return rx.el.li(
        *mark,
        rx.el.div(rx.el.span(title, class_name="strong"), rx.el.span(meta, class_name="meta"), class_name="grow"),
        *([rx.el.div(end, class_name="muted")] if end is not None else []),
        **({} if key is None else {"key": key}),
    )


def stats(*figures: tuple[Text, Content, Text, Content]) -> rx.Component:
    """Show figures in a row: (label, figure, unit, what it means)."""
    return rx.el.div(
        *[
            rx.el.dl(
                rx.el.dt(label),
                rx.el.dd(fig, " ", rx.el.span(unit, class_name="unit"), class_name="fig"),
                rx.el.dd(meaning, class_name="meta"),
                class_name="stat",
            )
            for label, fig, unit, meaning in figures
        ],
        class_name="stat-row",
    )


def segmented(*choices: tuple[Text, Text, Any], label: str) -> rx.Component:
    """Choose one of few by links: (label, href, is it the current one)."""
    return rx.el.div(
        *[
            link(text, href=href, plain=True, custom_attrs={"aria-current": rx.cond(now, "true", "false")})
            for text, href, now in choices
        ],
        class_name="seg",
        role="group",
        aria_label=label,
    )


def split(list_side: Content, detail: Content, *, chosen: bool | rx.Var[bool]) -> rx.Component:
    """Put a list to choose from beside the chosen record; on the phone one or the other."""
    return rx.el.div(
        rx.el.section(rx.el.div(list_side, class_name="split-list-in"), class_name="split-list"),
        rx.el.section(detail, class_name="split-detail"),
        class_name="split",
        custom_attrs={"data-chosen": rx.cond(chosen, "true", "false")},
    )


def group_head(label: Text, number: Content = "") -> rx.Component:
    """Head a group of picks: its name and how many."""
    return rx.el.div(rx.el.h2(label), rx.el.span(number), class_name="group-head")


def pick(
    title: Content,
    *meta: Content,
    href: Text,
    selected: bool | rx.Var[bool] = False,
    lead: Content | None = None,
    end: Content | None = None,
    key: Any = None,
) -> rx.Component:
    """Offer one record of a split view: name, lines of meta, something at the left and right."""
    return rx.el.div(
        *([lead] if lead is not None else []),
        rx.el.div(
            link(title, href=href, plain=True, custom_attrs={"aria-current": rx.cond(selected, "true", "false")}),
            *[rx.el.span(line, class_name="meta") for line in meta],
            class_name="pick-main",
        ),
        *([end] if end is not None else []),
        class_name="pick",
        custom_attrs={"data-state": rx.cond(selected, "selected", "")},
        **({} if key is None else {"key": key}),
    )


def page_skeleton() -> rx.Component:
    """Hold the shape of a page until the server has answered."""
    bar = feedback.skeleton
    lines = [rx.el.div(bar("72px"), bar("180px"), bar("120px"), bar("60px"), class_name="skel-line") for _ in range(8)]
    return rx.el.div(
        rx.el.div(bar("160px", "16px"), bar("240px"), class_name="skel-head"),
        *lines,
        class_name="skel-page",
        aria_busy=True,
        aria_label="Loading",
        role="status",
    )


def _crumb(crumb: Crumb) -> rx.Component:
    if isinstance(crumb, tuple):
        label, href = crumb
        return rx.el.li(link(label, href=href, plain=True))
    return rx.el.li(rx.el.span(crumb))


def _back(href: Text) -> rx.Component:
    arrow = icon_button("chevron-left", "Back", href=href, class_name="back")
    return rx.cond(href, arrow, rx.fragment()) if isinstance(href, rx.Var) else arrow
