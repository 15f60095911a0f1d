"""People: who may sign in, and what they may do."""

import reflex as rx

from inventory_app.components import feedback, gates, listing, tables
from inventory_app.components.basics import button, icon_button, link, row_of, when
from inventory_app.operations._people_list import LIST
from inventory_app.pages import _people, _people_dialogs
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states._people_rows import Person
from inventory_app.states.accounts import AccountsState
from inventory_app.states.bulk_roles import BulkRolesState
from inventory_app.states.users import PATH, UserMgmtState

S = UserMgmtState


@page(PATH, "People", Permission.USERS_VIEW, on_load=[S.load])
def users() -> rx.Component:
    """Show everybody with an account, and the dialogs that change what they may do."""
    return rx.fragment(
        tables.list_page(
            _table(),
            title="People",
            sub=_sub(),
            actions=_actions(),
            tabs=_tabs(),
            filters=listing.toolbar(S, search="Search people", placeholder="Name or e-mail"),
            footer=_footer(),
        ),
        _people_dialogs.about_one(),
        _people_dialogs.about_many(),
    )


def _actions() -> list[rx.Component]:
    invite = button("Invite somebody", icon_name="user-plus", tone="solid", on_click=AccountsState.open_invite)
    return [listing.export("people"), gates.can(Permission.USERS_MANAGE, invite)]


def _sub() -> rx.Component:
    waiting = rx.cond(
        S.waiting > 0, rx.fragment(", ", rx.el.strong(S.waiting.to_string()), " to let in"), rx.fragment()
    )
    accounts = rx.cond(S.everybody == 1, " account", " accounts")
    return rx.fragment(S.everybody.to_string(), accounts, waiting)


def _tabs() -> rx.Component:
    return listing.tabs(
        S,
        listing.tab(S, "tab", "", "All", S.everybody),
        listing.tab(S, "tab", "active", "Active", S.active),
        listing.tab(S, "tab", "invited", "Invited", S.invited),
        listing.tab(S, "tab", "waiting", "Waiting", S.waiting),
        listing.tab(S, "tab", "disabled", "Disabled", S.disabled),
    )


def _table() -> rx.Component:
    return listing.table(
        S,
        LIST,
        _cells,
        label="People",
        named=lambda row: row.name,
        empty=_empty(),
        shape=("16px", "60%", "40%", "64px", "50%"),
        selects=Permission.USERS_ASSIGN_ROLES,
        changed=True,
    )


def _cells(row: rx.Var[Person]) -> dict[str, rx.Component]:
    may_act = (
        gates.may(Permission.USERS_ASSIGN_ROLES) | gates.may(Permission.USERS_MANAGE) | gates.may(Permission.AUDIT_VIEW)
    )
    actions = tables.with_actions(
        _people.seen(row), gates.can(Permission.USERS_ASSIGN_ROLES, _roles_button(row)), _people.menu(row)
    )
    return {
        "person": tables.cell(
            tables.who(row.initials, _name(row), row.username + " · " + row.email, picture=row.picture),
            tables.changed_by(S.changed.get(row.id, "")),
            card="title",
        ),
        "roles": tables.cell(_roles(row), card="foot"),
        "status": tables.cell(_status(row), card="figure"),
        "since": tables.cell(when(row.since, row.since)),
        "seen": tables.cell(rx.cond(may_act, actions, _people.seen(row)), card="end"),
    }


def _name(row: rx.Var[Person]) -> rx.Component:
    return link(rx.el.bdi(row.name), href=PATH + "/" + row.id.to_string(), plain=True, class_name="rowlink")


def _roles_button(row: rx.Var[Person]) -> rx.Component:
    label = rx.cond(row.why_not_roles, row.why_not_roles, "Change roles")
    return icon_button("key-round", label, disabled=row.why_not_roles != "", on_click=S.open_roles(row.id))


def _roles(row: rx.Var[Person]) -> rx.Component:
    badges = row_of(rx.foreach(row.roles, lambda role: feedback.badge(role, dot=False)), class_name="wrap")
    return rx.cond(row.roles.length() > 0, badges, rx.el.span("no role", class_name="dim"))


def _status(row: rx.Var[Person]) -> rx.Component:
    waiting = row_of(
        _people.status_badge(row),
        gates.can(Permission.USERS_MANAGE, rx.cond(row.why_not, rx.fragment(), _let_in(row))),
    )
    return rx.cond(row.status == "waiting", waiting, _people.status_badge(row))


def _let_in(row: rx.Var[Person]) -> rx.Component:
    return rx.el.span(
        button("Let in", size="s", once=True, on_click=S.enable_user(row.id, _people.key_of(row))),
        custom_attrs={"data-turn": S.turn},
    )


def _empty() -> rx.Component:
    filtered = listing.nothing_matches(S, "Take off a filter, or search for somebody else.", title="Nobody matches")
    waiting = feedback.empty_state(
        "Nobody waits", "People who ask for an account come here, until somebody lets them in.", icon_name="user-check"
    )
    nobody_invited = feedback.empty_state(
        "Nobody is invited", "People who were sent a link come here, until they have opened it.", icon_name="user-plus"
    )
    unfiltered = (S.q == "") & (S.chips.length() == 0)
    return rx.cond(
        unfiltered,
        rx.match(S.filters.get("tab", ""), ("waiting", waiting), ("invited", nobody_invited), filtered),
        filtered,
    )


def _footer() -> rx.Component:
    change = button("Change roles…", icon_name="key-round", on_click=BulkRolesState.open_bulk)
    some = S.rows.length() > 0
    return listing.footer(
        S,
        gates.can(Permission.USERS_ASSIGN_ROLES, change),
        first=rx.cond(some, S.rows[0].name, ""),
        last=rx.cond(some, S.rows[S.rows.length() - 1].name, ""),
    )
