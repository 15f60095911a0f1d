"""One person: their roles, everything they may do and through what, and why they may not do something."""

import reflex as rx

from inventory_app.components import feedback, forms, gates, layout, tables
from inventory_app.components.basics import button, link, row_of, stack, when
from inventory_app.operations.explain import HeldRole
from inventory_app.pages import _people, _people_dialogs
from inventory_app.pages._page import page
from inventory_app.pages._sessions import sessions_of
from inventory_app.permissions import Permission
from inventory_app.states.accounts import AccountsState
from inventory_app.states.explain import CHOICES, PEOPLE, HoldingLine, PersonState, SourceLine
from inventory_app.states.users import UserMgmtState

S = PersonState
P = PersonState.person
#: The same person as a line of the list: how the account stands, and what may be done with it.
U = UserMgmtState.one


@page(
    PEOPLE + "/[person]",
    "Person",
    Permission.USERS_VIEW,
    on_load=[S.load, UserMgmtState.load_one],
    crumbs=("Control", ("People", PEOPLE)),
    heading=S.name,
    back=PEOPLE,
)
def person() -> rx.Component:
    """Show the person that the address names."""
    return rx.fragment(
        rx.el.link(rel="stylesheet", href="/roles.css", custom_attrs={"precedence": "page"}),
        rx.cond(S.loading, layout.page_skeleton(), rx.cond(P.is_not_none(), _found(), _missing())),
        _people_dialogs.about_one(),
    )


def _found() -> rx.Component:
    return rx.fragment(
        layout.page_head(
            rx.el.bdi(P.name),
            badge=_people.status_badge(U),
            sub=row_of(
                feedback.avatar(S.initials, picture=U.picture, size="m"),
                rx.el.span(P.username, " · ", P.email),
                rx.el.span(tables.changed_by(UserMgmtState.changed.get(U.id, "")), aria_live="polite"),
            ),
            actions=_actions(),
        ),
        layout.columns(
            layout.column(gates.can(Permission.ROLES_VIEW, _holdings())),
            layout.column(_roles(), sessions_of(U), gates.can(Permission.ROLES_VIEW, _why()), _about()),
        ),
    )


def _actions() -> list[rx.Component]:
    """Offer what the list offers in its row: the usual as buttons, all of it in the menu."""
    manages = gates.may(Permission.USERS_MANAGE) & ~U.own & (U.status != "erased")
    edit = button("Edit…", icon_name="pencil", disabled=U.why_not != "", on_click=AccountsState.open_edit(U.id))
    let_in = rx.el.span(
        button(
            "Let in",
            icon_name="user-check",
            tone="solid",
            once=True,
            on_click=UserMgmtState.enable_user(U.id, _people.key_of(U)),
        ),
        custom_attrs={"data-turn": UserMgmtState.turn},
    )
    menu = rx.cond(
        gates.may(Permission.USERS_MANAGE) | gates.may(Permission.USERS_ASSIGN_ROLES), _people.menu(U), rx.fragment()
    )
    return [
        rx.cond(manages & (U.status == "waiting") & (U.why_not == ""), let_in, rx.fragment()),
        rx.cond(manages, edit, rx.fragment()),
        menu,
    ]


def _holdings() -> rx.Component:
    def source(line: rx.Var[SourceLine]) -> rx.Component:
        return link(line.text, href=line.href, key=line.text)

    def row(line: rx.Var[HoldingLine]) -> rx.Component:
        held = rx.el.span(rx.foreach(line.sources, source), class_name="held-by")
        # The answer stands in a card of its own, which may be far from here.
        ask = [S.ask(line.permission), rx.scroll_to("why-not")]
        may_not = rx.el.button("may not: why?", type="button", class_name="link", on_click=ask)
        return rx.fragment(
            rx.cond(line.heading, rx.el.li(line.heading, class_name="held-group"), rx.fragment()),
            rx.el.li(
                rx.el.span(
                    rx.el.span(line.label, class_name=rx.cond(line.held, "medium", "dim")),
                    " ",
                    rx.el.span(line.permission, class_name="meta"),
                ),
                rx.cond(line.held, held, rx.el.span(may_not, class_name="held-by")),
            ),
            key=line.permission,
        )

    return layout.card(
        rx.el.ul(rx.foreach(S.holdings, row), class_name="held-list"),
        title="What they may do",
        note="and through what",
        end=rx.fragment(S.held.to_string(), " of ", S.permissions.to_string()),
        flush=True,
    )


def _roles() -> rx.Component:
    def row(role: rx.Var[HeldRole]) -> rx.Component:
        off = rx.cond(role.active, rx.fragment(), feedback.badge("Deactivated", tone="warn"))
        named = rx.el.bdi(role.name)
        return layout.row_item(
            gates.can(
                Permission.ROLES_VIEW,
                link(named, href="/admin/roles/" + role.id.to_string(), plain=True),
                otherwise=named,
            ),
            rx.cond(role.needs_factor, "needs a second factor", ""),
            icon_name="key-round",
            end=off,
            key=role.id,
        )

    nobody = feedback.empty_state("No role", "They can sign in, and do nothing.", icon_name="key-round")
    return layout.card(
        rx.cond(P.roles.length() > 0, layout.rows(rx.foreach(P.roles, row)), nobody), title="Roles", flush=True
    )


def _why() -> rx.Component:
    answer = rx.cond(
        S.answer.can,
        feedback.callout(S.answer.name, " may do this now.", tone="ok"),
        feedback.reasons(S.answer.why),
    )
    return layout.card(
        stack(
            forms.field(
                "What?",
                forms.select("why", CHOICES, placeholder="Choose", value_now=S.asked, on_change=S.ask),
            ),
            rx.el.div(rx.cond(S.answer.is_not_none(), answer, rx.fragment()), aria_live="polite"),
        ),
        title=rx.fragment("Why can’t ", rx.el.bdi(P.name), " …?"),
        id="why-not",
    )


def _about() -> rx.Component:
    history = gates.can(Permission.AUDIT_VIEW, link("Everything that happened to them", href=S.history_href))
    return layout.card(
        feedback.facts([("Account since", when(P.created, P.created, style="full"))]),
        title="About this account",
        foot=history,
    )


def _missing() -> rx.Component:
    return feedback.missing("person", "All people", PEOPLE, icon_name="users")
