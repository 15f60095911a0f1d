"""Roles against permissions: what each may do, and changing it with a look at whom it concerns first."""

import reflex as rx

from inventory_app.components import dialogs, feedback, layout, matrix, tables
from inventory_app.components.basics import button, icon, link, row_of
from inventory_app.pages import _role_dialogs, _roles
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states._role_rows import PATH, Column
from inventory_app.states.roles import RolesState

S = RolesState


@page(PATH, "Roles", Permission.ROLES_VIEW, on_load=[S.load])
def roles() -> rx.Component:
    """Show the matrix, on the phone a card a role, and what is not saved yet."""
    return rx.fragment(
        _roles.styles(),
        _roles.when_loaded(_loaded()),
        _role_dialogs.every(),
    )


def _loaded() -> rx.Component:
    new = _roles.may_manage(button("New role", icon_name="plus", on_click=S.open_create))
    why = button("Why can’t they?", icon_name="circle-help", href="/admin/explain")
    found = rx.cond(S.rows.length() > 0, _roles.grid(_search()), rx.fragment(_search(), _nothing()))
    return rx.el.div(
        layout.page_head("Roles", sub=S.sub, actions=(rx.el.span(_only(), class_name="no-phone"), why, new)),
        tables.filter_bar(
            _category(),
            search=tables.search_field(
                value=S.role_q,
                on_change=S.search_roles.debounce(250),
                placeholder="Find a role",
                label="Search roles",
            ),
            end=(_window(),),
        ),
        _roles.conflicts(),
        matrix.beside(rx.fragment(found), _roles.unsaved(), class_name="matrix-page"),
        rx.el.div(rx.foreach(S.columns, _card), class_name="role-cards"),
        class_name="list",
    )


def _search() -> rx.Component:
    return rx.el.input(
        type="search",
        placeholder="Find a permission",
        aria_label="Search permissions",
        default_value=S.q,
        on_change=S.search.debounce(250),
        auto_complete="off",
        class_name="ctl",
        custom_attrs={"data-value": S.q, "data-search": ""},
    )


def _only() -> rx.Component:
    changed = "Changed" + rx.cond(S.changed > 0, ", " + S.changed.to_string(), "")
    return layout.segmented(
        ("All", S.only_hrefs["all"], S.only == "all"),
        (changed, S.only_hrefs["changed"], S.only == "changed"),
        ("Where roles differ", S.only_hrefs["differ"], S.only == "differ"),
        label="Which permissions",
    )


def _category() -> rx.Component:
    return rx.cond(
        S.category,
        tables.chip("Category", "is", S.category, remove_href=S.no_category_href),
        dialogs.menu(
            tables.chip_add("Category"),
            rx.foreach(S.categories, lambda pair: dialogs.menu_item(pair[0], href=pair[1])),
            align="start",
        ),
    )


def _window() -> rx.Component:
    """Lead through the roles, where there are more than one can compare."""
    return rx.cond(
        S.columns_note,
        row_of(
            rx.el.span(S.columns_note),
            _turn("Earlier roles", S.previous_href),
            _turn("More roles", S.next_href),
            class_name="wrap",
        ),
        rx.fragment(),
    )


def _turn(label: str, href: rx.Var[str]) -> rx.Component:
    return rx.cond(href, button(label, href=href), button(label, disabled=True))


def _nothing() -> rx.Component:
    return feedback.empty_state(
        "Nothing matches",
        "Search for another word, or show all permissions and roles.",
        button("Show everything", href=PATH),
        icon_name="key-round",
    )


def _card(role: rx.Var[Column]) -> rx.Component:
    return link(
        rx.el.span(
            rx.el.span(rx.el.bdi(role.name), class_name="strong"),
            rx.el.span(role.people, " · ", role.share, class_name="meta"),
            class_name="two",
        ),
        row_of(
            rx.cond(role.active, rx.fragment(), feedback.badge("Deactivated", tone="warn")),
            rx.cond(role.changed, feedback.badge("Not saved", tone="accent"), rx.fragment()),
        ),
        icon("chevron-right", 18),
        href=role.href,
        plain=True,
        class_name="role-card",
        key=role.id,
    )
