"""The start page: what waits for you."""

from typing import Any

import reflex as rx

from inventory_app.components import gates, layout
from inventory_app.components.basics import link
from inventory_app.components.navigation import APPROVALS, AUDIT, IMPORTS, INVENTORY, PEOPLE, WAITING, Place, open_to
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.auth import AuthState

_WORDS = {
    WAITING: "Everything that needs your agreement, and what you asked for",
    INVENTORY: "What is where, and how much of it",
    IMPORTS: "Bring in suppliers, categories and products as files",
    APPROVALS: "Look at suppliers and decide",
    AUDIT: "Who changed what, when, from where, before and after",
    PEOPLE: "Who may sign in, and what they may do",
}


@page("/", "Home")
def home() -> rx.Component:
    """Greet, list what waits, and lead to the pages the person may see."""
    waits = AuthState.waiting_approvals + AuthState.waiting_people + AuthState.low_stock
    return rx.fragment(
        layout.page_head(
            rx.fragment("Good day, ", AuthState.name.split(" ")[0]),
            sub=rx.cond(waits > 0, "These things wait for you.", "Nothing waits for you."),
        ),
        layout.columns(
            layout.card(
                rx.cond(waits > 0, _waiting(), rx.el.p("You are up to date.", class_name="card-body muted")),
                title="Waiting for you",
                flush=True,
            ),
            layout.card(layout.rows(*[_place(place) for place in _WORDS]), title="Go to", flush=True),
        ),
    )


def _waiting() -> rx.Component:
    return layout.rows(
        _wait(
            AuthState.waiting_suppliers,
            Permission.SUPPLIERS_VIEW,
            "circle-check",
            "supplier",
            "suppliers",
            "to approve",
            "Entered or changed by somebody else",
            "/suppliers/approvals",
        ),
        _wait(
            AuthState.waiting_others,
            None,
            "inbox",
            "request",
            "requests",
            "to decide",
            "Needs the agreement of a second person",
            "/approvals",
        ),
        _wait(
            AuthState.waiting_people,
            Permission.USERS_VIEW,
            "users",
            "person",
            "people",
            "to let in",
            "Asked for an account",
            "/admin/users",
        ),
        _wait(
            AuthState.low_stock,
            Permission.INVENTORY_VIEW,
            "boxes",
            "product",
            "products",
            "to reorder",
            "At or below the reorder point, everywhere together",
            "/inventory?view=reorder",
        ),
    )


def _wait(
    number: Any, permission: Permission | None, icon_name: str, one: str, many: str, words: str, meta: str, href: str
) -> rx.Component:
    line = layout.row_item(
        link(number, " ", rx.cond(number == 1, one, many), " ", words, href=href, plain=True, class_name="rowlink"),
        meta,
        icon_name=icon_name,
        end=link("Review", href=href, plain=True, class_name="btn"),
    )
    shown = rx.cond(number > 0, line, rx.fragment())
    return shown if permission is None else gates.can(permission, shown)


def _place(place: Place) -> rx.Component:
    line = layout.row_item(
        link(place.label, href=place.href, plain=True, class_name="rowlink"), _WORDS[place], icon_name=place.icon
    )
    return open_to(place, line)
