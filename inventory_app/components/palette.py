"""Ctrl+K: go to a page, a product or a supplier without the mouse; assets/app.js has the keys."""

import reflex as rx
from reflex_base.components.memo import memo

from inventory_app.components.basics import icon, key, link
from inventory_app.components.places import GROUPS, HOME, OWN, WAITING, Place, open_to
from inventory_app.states.auth import AuthState
from inventory_app.states.palette import Hit, PaletteState

S = PaletteState
ID = "palette"


def opener() -> rx.Component:
    """Open the palette: looks like the field one will type into."""
    return rx.el.button(
        icon("search", 14),
        rx.el.span("Search or jump to…", class_name="grow"),
        rx.el.span(key("Ctrl"), " ", key("K"), aria_hidden=True),
        type="button",
        class_name="jump",
        custom_attrs={"popoverTarget": ID, "aria-keyshortcuts": "Control+K Meta+K"},
    )


def palette() -> rx.Component:
    """Ask where to go: pages by their names, products and suppliers as the server finds them; once for all pages.

    Beside the page rather than in it: the next page replaces the one before a moment after its address, and keys
    that were pressed in between would be lost with it.
    """
    return rx.cond(AuthState.signed_in & ~AuthState.must_change_password, _box(), rx.fragment())


def overlay(stateful: bool) -> rx.Component | None:  # noqa: FBT001  # how Reflex calls it
    """Wrap the palette the way Reflex wants what stands beside every page (`rx.App(app_wraps=...)`)."""
    return rx.fragment(memo(palette)()) if stateful else None


def _box() -> rx.Component:
    field = rx.el.input(
        type="search",
        placeholder="A page, product or supplier",
        aria_label="A page, product or supplier",
        on_change=S.find.debounce(200),
        auto_complete="off",
        spell_check=False,
        class_name="jump-field",
        custom_attrs={"data-jump": "", "enterKeyHint": "go"},
    )
    pages = [HOME, WAITING, *[place for _, places in GROUPS for place in places], *OWN]
    return rx.el.div(
        rx.el.div(icon("search", 16), field, class_name="jump-head"),
        rx.el.div(
            *[open_to(place, _page(place)) for place in pages],
            rx.foreach(S.hits, _hit),
            class_name="jump-list",
            custom_attrs={"data-jump-list": ""},
        ),
        rx.el.p("No page, product or supplier is called so.", class_name="jump-none", role="status"),
        id=ID,
        class_name="menu jump-box",
        custom_attrs={"popover": "auto"},
        role="dialog",
        aria_label="Search or jump to",
    )


def _page(place: Place) -> rx.Component:
    return link(
        icon(place.icon),
        rx.el.span(place.label, class_name="grow"),
        rx.el.span("Page", class_name="meta"),
        href=place.href,
        plain=True,
        class_name="menu-item",
        custom_attrs={"data-words": place.label.casefold()},
    )


def _hit(hit: rx.Var[Hit]) -> rx.Component:
    mark = rx.cond(hit.kind == "product", icon("package"), icon("truck"))
    return link(
        mark,
        rx.el.span(rx.el.bdi(hit.label), class_name="grow clip"),
        rx.el.span(rx.el.bdi(hit.meta), class_name="meta clip"),
        href=hit.href,
        plain=True,
        class_name="menu-item",
        key=hit.href,
    )
