"""The ways to the places: the side bar, the tab bar of the phone, the menus of the person."""

import reflex as rx

from inventory_app.components import feedback, forms, palette
from inventory_app.components.basics import icon, key, link
from inventory_app.components.places import (
    APPROVALS,
    AUDIT,
    GROUPS,
    HOME,
    IMPORTS,
    INVENTORY,
    OWN,
    PEOPLE,
    PORTAL,
    WAITING,
    Place,
    group_of,
    open_to,
    place_of,
)
from inventory_app.states.auth import AuthState

__all__ = ["APPROVALS", "AUDIT", "IMPORTS", "INVENTORY", "PEOPLE", "Place", "group_of", "open_to", "place_of"]


#: What has a tab of its own on the phone.
_TABS = (("Home", HOME), ("Stock", INVENTORY), ("Approve", WAITING), ("Audit", AUDIT))
#: What the phone shows under More: every other place, so that none is missing there.
_WITHOUT_A_TAB = tuple(place for _, places in GROUPS for place in places if place not in {tab for _, tab in _TABS})


def logo() -> rx.Component:
    """Draw the mark of the app."""
    return rx.el.span(icon("boxes", 14, stroke_width=2), class_name="logo", aria_hidden=True)


def side_bar(here: Place | None) -> rx.Component:
    """Show the groups of pages, that every change is recorded, and who is signed in."""
    rail = rx.el.button(
        icon("panel-left"),
        type="button",
        aria_label="Fold the side bar",
        class_name="icon-btn rail-btn",
        custom_attrs={"data-rail": "", "data-tip": "Fold the side bar"},
    )
    return rx.el.aside(
        rx.el.div(
            link(
                logo(),
                rx.el.span(AuthState.company, class_name="brand-name clip"),
                rx.el.span(" start page", class_name="sr"),
                href="/",
                plain=True,
                class_name="brand",
            ),
            rail,
            class_name="side-head",
        ),
        rx.el.nav(
            rx.el.ul(*[_entry(place, here) for place in (HOME, WAITING, *PORTAL)]),
            *[_group(name, places, here) for name, places in GROUPS],
            class_name="nav",
            aria_label="Main",
        ),
        rx.el.div(_recorded(), _person_button("person-menu"), _person_menu(here), class_name="side-foot"),
        class_name="side",
    )


def tab_bar(here: Place | None) -> rx.Component:
    """Show the five places of the phone at its lower edge."""
    more = rx.el.button(
        icon("menu", 22), rx.el.span("More"), type="button", custom_attrs={"popoverTarget": "more-sheet"}
    )
    return rx.el.nav(
        *[_tab(label, place, here) for label, place in _TABS],
        *[_tab(place.label.removeprefix("Your ").capitalize(), place, here) for place in PORTAL],
        more,
        class_name="tabbar",
        aria_label="Main, phone",
    )


def more_sheet(here: Place | None) -> rx.Component:
    """Show on the phone what has no tab: other pages, light or dark, signing out."""
    return rx.el.div(
        rx.el.div(
            feedback.avatar(AuthState.initials, picture=AuthState.picture, size="l"),
            rx.el.span(
                rx.el.span(AuthState.name, class_name="person-name"),
                rx.el.span(AuthState.role_label, class_name="person-role"),
            ),
            class_name="person",
        ),
        rx.el.div(class_name="menu-line"),
        _ours(
            rx.el.button(
                icon("search", 20),
                "Search or jump to…",
                type="button",
                class_name="menu-item",
                custom_attrs={"popoverTarget": palette.ID},
            )
        ),
        *[_sheet_entry(place, here) for place in _WITHOUT_A_TAB],
        rx.el.button(
            icon("sun-moon", 20), "Light or dark", type="button", class_name="menu-item", on_click=rx.toggle_color_mode
        ),
        rx.el.div(class_name="menu-line"),
        _own_account(here),
        _sign_out(),
        id="more-sheet",
        class_name="more-sheet",
        custom_attrs={"popover": "auto"},
        role="dialog",
        aria_label="More",
    )


def _ours(*children: rx.Component) -> rx.Component:
    """Show something to our own people only: those of suppliers have the portal."""
    return rx.cond(AuthState.of_a_supplier, rx.fragment(), rx.fragment(*children))


def bar_tools() -> rx.Component:
    """Show help and the switch between light and dark at the right of the top bar."""
    return rx.el.div(
        _ours(
            palette.opener(),
            rx.el.button(
                icon("circle-help"),
                type="button",
                aria_label="Help and keys",
                class_name="icon-btn",
                custom_attrs={"popoverTarget": "help", "data-help": ""},
            ),
        ),
        mode_button(),
        class_name="row-x bar-tools",
    )


def mode_button() -> rx.Component:
    """Switch between light and dark; the icon follows the page without waiting for React."""
    return rx.el.button(
        icon("moon", class_name="mode-light"),
        icon("sun", class_name="mode-dark"),
        type="button",
        aria_label="Switch between light and dark",
        class_name="icon-btn",
        custom_attrs={"data-tip": "Light or dark"},
        on_click=rx.toggle_color_mode,
    )


def help_sheet() -> rx.Component:
    """List the keys that work everywhere, and those of lists."""
    rows = (
        ("Ctrl K", "Go to a page, a product or a supplier"),
        ("/", "Search this list"),
        ("↓ ↑", "Go through the rows of a list, as j and k do"),
        ("Enter", "Open the row, or send the form"),
        ("x", "Select the row"),
        ("Esc", "Clear the search, the selection, or close"),
        ("?", "This help"),
    )
    return rx.el.div(
        rx.el.h2("Keys", class_name="h2"),
        rx.el.dl(*[part for k, text in rows for part in (rx.el.dt(key(k)), rx.el.dd(text))], class_name="facts"),
        rx.el.p(
            "Every change is recorded with who, when, from where and why. "
            "The audit trail shows it to those who may see it.",
            class_name="meta",
        ),
        id="help",
        class_name="menu help-sheet",
        custom_attrs={"popover": "auto"},
        role="dialog",
        aria_label="Help",
    )


def _way(place: Place, here: Place | None, *children: rx.Component, class_name: str = "", **attrs: str) -> rx.Component:
    """Link to a place; it says by `aria-current` when the page that is open is one of its pages."""
    current = {"aria-current": "page"} if place is here else {}
    return link(*children, href=place.href, plain=True, class_name=class_name, custom_attrs=attrs | current)


def _entry(place: Place, here: Place | None) -> rx.Component:
    waiting = [] if place.waiting is None else [feedback.count(place.waiting)]
    tip = {"data-rail-tip": place.label}
    anchor = _way(place, here, icon(place.icon), rx.el.span(place.label), *waiting, **tip)
    entry = rx.el.li(anchor)
    return open_to(place, entry)


def _group(name: str, places: tuple[Place, ...], here: Place | None) -> rx.Component:
    return rx.el.details(
        rx.el.summary(name, icon("chevron-down", 12)),
        rx.el.ul(*[_entry(place, here) for place in places]),
        open=True,
        class_name="nav-group",
    )


def _tab(label: str, place: Place, here: Place | None) -> rx.Component:
    ping = (
        []
        if place.waiting is None
        else [
            rx.cond(
                place.waiting > 0, rx.el.span(rx.el.span("waiting", class_name="sr"), class_name="ping"), rx.fragment()
            )
        ]
    )
    return open_to(place, _way(place, here, icon(place.icon, 22), rx.el.span(label), *ping))


def _sheet_entry(place: Place, here: Place | None) -> rx.Component:
    count = [] if place.waiting is None else [feedback.count(place.waiting)]
    item = _way(place, here, icon(place.icon, 20), rx.el.span(place.label), *count, class_name="menu-item")
    return open_to(place, item)


def _recorded() -> rx.Component:
    return rx.el.div(
        rx.el.span(class_name="dot tone-ok", aria_hidden=True),
        rx.el.span("Every change is recorded"),
        class_name="recorded",
    )


def _person_button(target: str) -> rx.Component:
    return rx.el.button(
        feedback.avatar(AuthState.initials, picture=AuthState.picture, size="m"),
        rx.el.span(
            rx.el.span(AuthState.name, class_name="person-name clip"),
            rx.el.span(AuthState.role_label, class_name="person-role clip"),
            class_name="grow",
        ),
        icon("chevrons-up-down", 14, class_name="muted"),
        type="button",
        class_name="person",
        custom_attrs={"popoverTarget": target},
    )


def _person_menu(here: Place | None) -> rx.Component:
    return rx.el.div(
        rx.el.div(AuthState.username, class_name="menu-note"),
        rx.el.div(class_name="menu-line"),
        _own_account(here),
        _sign_out(),
        id="person-menu",
        class_name="menu person-menu",
        custom_attrs={"popover": "auto"},
    )


def _own_account(here: Place | None) -> rx.Component:
    profile, security, away = OWN
    ways = [
        _way(place, here, icon(place.icon), rx.el.span(label), class_name="menu-item")
        for place, label in ((profile, "Your account"), (away, "While I am away"), (security, security.label))
    ]
    return rx.fragment(ways[0], _ours(ways[1]), ways[2])


def _sign_out() -> rx.Component:
    return forms.native_form(
        rx.el.button(icon("log-out"), "Sign out", type="submit", class_name="menu-item"),
        action="/auth/sign-out",
        class_name="",
    )
