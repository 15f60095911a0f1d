"""What the list of people and the page about one of them share: how an account stands, and what can be done with it."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, gates, trail
from inventory_app.components.basics import icon_button, when
from inventory_app.permissions import Permission
from inventory_app.states.accounts import AccountsState
from inventory_app.states.users import UserMgmtState

S = UserMgmtState
A = AccountsState


def status_badge(row: rx.Var[Any]) -> rx.Component:
    """Say how an account stands."""
    invited = rx.match(
        row.invitation,
        ("expired", feedback.badge("Invitation too old", tone="warn")),
        ("withdrawn", feedback.quiet_badge("Invitation withdrawn", dot="bad")),
        feedback.quiet_badge("Invited", dot="accent"),
    )
    return rx.match(
        row.status,
        ("active", feedback.quiet_badge("Active", dot="ok")),
        ("waiting", feedback.badge("Waiting", tone="warn")),
        ("invited", invited),
        ("erased", feedback.badge("Erased", dot=False)),
        feedback.quiet_badge("Disabled", dot="bad"),
    )


def seen(row: rx.Var[Any]) -> rx.Component:
    """Say when somebody was here last, or what is waited for."""
    invitation = rx.match(
        row.invitation,
        ("expired", rx.el.span("Link ended ", when(row.invitation_ends, row.invitation_ends))),
        ("withdrawn", rx.el.span("Withdrawn ", when(row.invitation_ends, row.invitation_ends))),
        rx.el.span("Link ends ", when(row.invitation_ends, row.invitation_ends)),
    )
    never = rx.match(
        row.status,
        ("waiting", rx.el.span("Asked ", when(row.since, row.since))),
        ("invited", invitation),
        rx.el.span("never", class_name="dim"),
    )
    return rx.cond(row.last_seen, when(row.last_seen, row.last_seen), never)


def key_of(row: rx.Var[Any]) -> rx.Var[str]:
    """Give each row's button a key of its own, so that two rows never share one."""
    return S.idempotency_key + "-" + row.id.to_string()


def menu(row: rx.Var[Any]) -> rx.Component:
    """Offer everything that can be done with one person; what a rule forbids says why at the top."""
    may_roles, may_manage = gates.may(Permission.USERS_ASSIGN_ROLES), gates.may(Permission.USERS_MANAGE)
    note = rx.cond(row.why_not_roles, row.why_not_roles, row.why_not)
    return dialogs.menu(
        icon_button("ellipsis", "What can be done with " + row.name),
        rx.cond(note, rx.el.div(note, class_name="menu-note"), rx.fragment()),
        rx.cond(
            may_roles,
            dialogs.menu_item(
                "Change roles…",
                icon_name="key-round",
                disabled=row.why_not_roles != "",
                on_select=S.open_roles(row.id),
            ),
            rx.fragment(),
        ),
        rx.cond(may_manage, _account(row), rx.fragment()),
        gates.can(
            Permission.AUDIT_VIEW,
            dialogs.menu_item(
                "History",
                icon_name="history",
                href=trail.history_href(("local_user", row.id), ("user_info", row.info_id)),
            ),
        ),
        rx.cond(
            may_manage & ~row.own & (row.status != "erased") & (row.status != "invited"), _on_off(row), rx.fragment()
        ),
        rx.cond(may_manage & (row.status != "active"), _erase(row), rx.fragment()),
    )


def _account(row: rx.Var[Any]) -> rx.Component:
    """Offer what is done with an account besides its roles; one's own is changed on one's own page."""
    off = row.why_not != ""
    edit = dialogs.menu_item("Edit…", icon_name="pencil", disabled=off, on_select=A.open_edit(row.id))
    link = dialogs.menu_item("New password link…", icon_name="link", disabled=off, on_select=A.open_link(row.id))
    again = dialogs.menu_item(
        "Send the invitation again…", icon_name="send", disabled=off, on_select=A.open_link(row.id)
    )
    withdraw = dialogs.menu_item(
        "Withdraw the invitation…",
        icon_name="ban",
        danger=True,
        disabled=off,
        on_select=A.open_withdraw(row.id),
    )
    own = dialogs.menu_item("Your account", icon_name="user", href="/profile")
    others = rx.fragment(
        rx.cond(row.status != "erased", edit, rx.fragment()),
        rx.cond(row.status == "active", link, rx.fragment()),
        rx.cond(row.status == "invited", again, rx.fragment()),
        rx.cond((row.status == "invited") & (row.invitation == "open"), withdraw, rx.fragment()),
    )
    return rx.cond(row.own, own, others)


def _on_off(row: rx.Var[Any]) -> rx.Component:
    return rx.cond(
        row.status == "active",
        dialogs.menu_item(
            "Disable…", icon_name="user-x", danger=True, disabled=row.why_not != "", on_select=S.open_disable(row.id)
        ),
        dialogs.menu_item(
            rx.cond(row.status == "waiting", "Let in", "Enable again"),
            icon_name="user-check",
            disabled=row.why_not != "",
            on_select=S.enable_user(row.id, key_of(row)),
        ),
    )


def _erase(row: rx.Var[Any]) -> rx.Component:
    return dialogs.menu_item(
        "Erase personal data…",
        icon_name="eraser",
        danger=True,
        disabled=row.why_not_erase != "",
        on_select=S.open_erase(row.id),
    )
