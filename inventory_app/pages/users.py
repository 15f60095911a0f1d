"""People: who may sign in, and what they may do."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, gates, tables
from inventory_app.components.basics import button, icon_button, link, row_of
from inventory_app.pages import _people, _people_dialogs
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.accounts import AccountsState
from inventory_app.states.bulk_roles import BulkRolesState
from inventory_app.states.users import PATH, Person, UserMgmtState

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
            filters=_filters(),
            footer=tables.footer(bulk=_bulk(), pager=_pager()),
        ),
        _people_dialogs.about_one(),
        _people_dialogs.about_many(),
    )


def _actions() -> list[rx.Component]:
    invite = button("Invite somebody", icon_name="user-plus", tone="solid", on_click=AccountsState.open_invite)
    return [gates.can(Permission.USERS_MANAGE, invite)]


def _sub() -> rx.Component:
    waiting = rx.cond(
        S.waiting > 0, rx.fragment(", ", rx.el.strong(S.waiting.to_string()), " to let in"), rx.fragment()
    )
    accounts = rx.cond(S.everybody == 1, " account", " accounts")
    return rx.fragment(S.everybody.to_string(), accounts, waiting)


def _tabs() -> rx.Component:
    def tab(label: str, name: str, count: rx.Var[int]) -> rx.Component:
        return tables.tab(label, S.hrefs[name], count=count, active=S.tab == name)

    return tables.tabs(
        tab("All", "all", S.everybody),
        tab("Active", "active", S.active),
        tab("Invited", "invited", S.invited),
        tab("Waiting", "waiting", S.waiting),
        tab("Disabled", "disabled", S.disabled),
    )


def _filters() -> rx.Component:
    def chosen(label: str, operator: str, value: rx.Var[str], off: rx.Var[str], hrefs: rx.Var[Any]) -> rx.Component:
        return rx.cond(
            value,
            tables.chip(label, operator, value, remove_href=off),
            dialogs.menu(
                tables.chip_add(label),
                rx.foreach(hrefs, lambda pair: dialogs.menu_item(pair[0], href=pair[1])),
                align="start",
            ),
        )

    return tables.filter_bar(
        chosen("Role", "is", S.role, S.no_role_href, S.role_hrefs),
        chosen("Last seen", "", S.seen_words, S.no_seen_href, S.seen_hrefs),
        search=tables.search_field(
            value=S.q, on_change=S.search.debounce(250), placeholder="Name or e-mail", label="Search people"
        ),
        end=(rx.el.span(S.shown, class_name="muted"), tables.density()),
    )


def _table() -> rx.Component:
    return tables.table(
        tables.head(
            gates.can(
                Permission.USERS_ASSIGN_ROLES,
                tables.select_all(
                    checked=(S.selected.length() > 0) & (S.selected.length() == S.rows.length()),
                    mixed=(S.selected.length() > 0) & (S.selected.length() < S.rows.length()),
                    on_change=S.select_all,
                ),
            ),
            tables.column("Person"),
            tables.column("Roles"),
            tables.column("Status"),
            tables.column("Last seen"),
        ),
        tables.body(
            S.rows,
            _row,
            columns=5,
            loading=S.loading,
            empty=_empty(),
            shape=("16px", "60%", "40%", "64px", "50%"),
        ),
        label="People",
    )


def _row(row: rx.Var[Person]) -> rx.Component:
    by = S.changed.get(row.id, "")
    return tables.row(
        gates.can(
            Permission.USERS_ASSIGN_ROLES,
            tables.check_cell(
                checked=S.selected.contains(row.id),
                on_change=lambda _: S.select(row.id),
                label="Select " + row.name,
            ),
        ),
        tables.cell(
            tables.who(row.initials, _name(row), row.username + " · " + row.email, picture=row.picture),
            tables.changed_by(by),
            card="title",
        ),
        tables.cell(_roles(row), card="foot"),
        tables.cell(_status(row), card="figure"),
        tables.cell(
            rx.cond(
                gates.may(Permission.USERS_ASSIGN_ROLES)
                | gates.may(Permission.USERS_MANAGE)
                | gates.may(Permission.AUDIT_VIEW),
                tables.with_actions(
                    _people.seen(row), gates.can(Permission.USERS_ASSIGN_ROLES, _roles_button(row)), _people.menu(row)
                ),
                _people.seen(row),
            ),
            card="end",
        ),
        key=row.id,
        selected=S.selected.contains(row.id),
        live=by != "",
    )


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
    filtered = feedback.empty_state("Nobody matches", "Take off a filter, or search for somebody else.")
    waiting = feedback.empty_state(
        "Nobody waits", "People who ask for an account come here, until somebody lets them in.", icon_name="user-check"
    )
    nobody_invited = feedback.empty_state(
        "Nobody is invited", "People who were sent a link come here, until they have opened it.", icon_name="user-plus"
    )
    unfiltered = (S.q == "") & (S.role == "") & (S.seen == "")
    return rx.cond(unfiltered, rx.match(S.tab, ("waiting", waiting), ("invited", nobody_invited), filtered), filtered)


def _bulk() -> rx.Component:
    return tables.bulk_bar(
        S.selected.length(),
        gates.can(
            Permission.USERS_ASSIGN_ROLES,
            button("Change roles…", icon_name="key-round", on_click=BulkRolesState.open_bulk),
        ),
        on_clear=S.clear_selection,
    )


def _pager() -> rx.Component:
    return tables.pager(
        range=S.rows.length().to_string(),
        first=rx.cond(S.rows.length() > 0, S.rows[0].name, ""),
        last=rx.cond(S.rows.length() > 0, S.rows[S.rows.length() - 1].name, ""),
        previous_href=S.previous_href,
        next_href=S.next_href,
    )
