"""Ctrl+K: go to a page or whatever can be found without the mouse; assets/app.js has the keys."""

import reflex as rx
from reflex_base.components.memo import memo

from inventory_app.components.basics import button, icon, key, link
from inventory_app.components.places import GROUPS, HOME, OWN, WAITING, Place, open_to
from inventory_app.operations.finding import Found
from inventory_app.states.auth import AuthState
from inventory_app.states.palette import PaletteState

S = PaletteState
ID = "palette"
_WHAT = "A page, product, place, supplier, order or person"


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


def scan() -> rx.Component:
    """Open the palette for a scanner, which types a barcode and Enter."""
    said = "Scan or type a barcode, SKU or name"
    return button("Scan", icon_name="scan-barcode", title=said, custom_attrs={"popoverTarget": ID})


def palette() -> rx.Component:
    """Ask where to go: pages by their names, everything else as the server finds it; once for all pages.

    Beside the page rather than in it: the next page replaces the one before a moment after its address, and keys
    that were pressed in between would be lost with it.
    """
    return rx.cond(
        AuthState.signed_in & ~AuthState.must_change_password & ~AuthState.of_a_supplier, _box(), rx.fragment()
    )


def overlay(stateful: bool) -> rx.Component | None:  # noqa: FBT001  # how Reflex calls it
    """Wrap the palette the way Reflex wants what stands beside every page (`rx.App(app_wraps=...)`)."""
    return rx.fragment(memo(palette)()) if stateful else None


def _box() -> rx.Component:
    field = rx.el.input(
        type="search",
        placeholder=_WHAT,
        aria_label=_WHAT,
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
        rx.el.p("Nothing that you may see is called so.", class_name="jump-none", role="status"),
        id=ID,
        class_name="menu jump-box",
        # Enter waits for the answer to what stands in the field: a scanner is faster than any server.
        custom_attrs={"popover": "auto", "data-asked": S.asked},
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


def _hit(hit: rx.Var[Found]) -> rx.Component:
    mark = rx.match(
        hit.kind,
        ("item", icon("boxes")),
        ("location", icon("map-pin")),
        ("category", icon("folder-tree")),
        ("supplier", icon("truck")),
        ("order", icon("file-text")),
        ("person", icon("user")),
        icon("package"),
    )
    return link(
        mark,
        rx.el.span(rx.el.bdi(hit.label), class_name="grow clip"),
        rx.el.span(rx.el.bdi(hit.meta), class_name="meta clip"),
        href=hit.href,
        plain=True,
        class_name="menu-item",
        key=hit.href,
    )
