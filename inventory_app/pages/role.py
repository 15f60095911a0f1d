"""One role: what it may do, who holds it, and what can be done with it."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, gates, layout, matrix
from inventory_app.components.basics import button, icon_button, link, when
from inventory_app.pages import _role_dialogs, _roles
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states._role_rows import PATH
from inventory_app.states.roles import RolesState

S = RolesState
R = RolesState.role


@page(
    PATH + "/[role]",
    "Role",
    Permission.ROLES_VIEW,
    on_load=[S.load],
    crumbs=("Control", ("Roles", PATH)),
    heading=S.role_name,
    back=PATH,
)
def role() -> rx.Component:
    """Show the role that the address names."""
    return rx.fragment(
        _roles.styles(),
        _roles.when_loaded(rx.cond(R.is_not_none(), _found(), _missing())),
        _role_dialogs.every(),
    )


def _found() -> rx.Component:
    return rx.fragment(
        layout.page_head(rx.el.bdi(R.name), badge=_roles.badges(R), sub=R.description, actions=(_actions(),)),
        rx.cond(
            R.why_not, rx.el.div(feedback.callout(R.why_not, icon_name="lock"), class_name="refused"), rx.fragment()
        ),
        rx.cond(
            S.waits,
            rx.el.div(
                feedback.callout(
                    S.waits, " ", link("What waits", href="/approvals?kind=role_safeguard"), icon_name="hourglass"
                ),
                class_name="refused",
            ),
            rx.fragment(),
        ),
        _roles.conflicts(),
        rx.el.div(
            layout.columns(
                matrix.beside(_roles.grid(rx.el.span(R.share, class_name="meta")), rx.fragment()),
                layout.column(_roles.unsaved(), _holders(), _about()),
            ),
            class_name="one-role",
        ),
    )


def _actions() -> rx.Component:
    locked = R.why_not != ""
    off = dialogs.menu_item(
        "Deactivate…", icon_name="circle-pause", danger=True, disabled=locked, on_select=S.open_deactivate(R.id)
    )
    on = dialogs.menu_item(
        "Activate",
        icon_name="circle-play",
        disabled=locked,
        on_select=S.activate_role(R.id, R.version, S.idempotency_key),
    )
    delete = dialogs.menu_item(
        "Delete…", icon_name="trash-2", danger=True, disabled=locked, on_select=S.open_delete(R.id)
    )
    return _roles.may_manage(
        rx.el.div(
            button("Edit…", icon_name="pencil", disabled=R.why_not_edit != "", on_click=S.open_edit(R.id)),
            dialogs.menu(
                icon_button("ellipsis", "What can be done with " + R.name),
                dialogs.menu_item("Copy…", icon_name="copy", on_select=S.open_clone(R.id)),
                rx.cond(R.active, off, on),
                rx.cond(S.why_not_delete, rx.fragment(), delete),
            ),
            class_name="row-x",
        )
    )


def _holders() -> rx.Component:
    disabled = rx.cond(S.disabled_holders > 0, ", " + S.disabled_holders.to_string() + " cannot sign in", "")
    pages = rx.el.nav(
        _turn("Previous", S.holders_before), _turn("Next", S.holders_after), class_name="pager", aria_label="Pages"
    )
    nobody = feedback.empty_state(
        "Nobody holds it",
        "Give it to somebody on the list of people.",
        gates.can(Permission.USERS_ASSIGN_ROLES, button("People", href="/admin/users")),
        icon_name="users",
    )
    return layout.card(
        rx.cond(S.holders.length() > 0, layout.rows(rx.foreach(S.holders, _roles.holder)), nobody),
        rx.cond(
            (S.holders_before != "") | (S.holders_after != ""), rx.el.div(pages, class_name="card-foot"), rx.fragment()
        ),
        title="Who holds it",
        end=rx.fragment(R.people, disabled),
        flush=True,
    )


def _turn(label: str, href: Any) -> rx.Component:
    return rx.cond(href, button(label, href=href, size="s"), button(label, disabled=True, size="s"))


def _about() -> rx.Component:
    changed = rx.fragment(rx.el.bdi(S.changed_by), ", ", when(S.changed_at, S.changed_at))
    history = gates.can(Permission.AUDIT_VIEW, link("Everything that happened to it", href=S.history_href))
    return layout.card(
        feedback.facts([("Changed last", rx.cond(S.changed_by, changed, "–")), ("Version", R.version.to_string())]),
        title="About",
        foot=history,
    )


def _missing() -> rx.Component:
    return feedback.missing("role", "All roles", PATH, icon_name="key-round")
