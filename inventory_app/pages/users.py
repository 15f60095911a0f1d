"""People: who may sign in, and what they may do."""

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, tables, trail
from inventory_app.components.basics import button, icon_button, link, row_of, when
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.users import PATH, Person, RoleBox, UserMgmtState

S = UserMgmtState


@page(PATH, "People", Permission.USERS_VIEW, on_load=[S.load])
def users() -> rx.Component:
    """Show everybody with an account, and the dialogs that change what they may do."""
    return rx.fragment(
        tables.list_page(
            _table(),
            title="People",
            sub=_sub(),
            tabs=_tabs(),
            filters=_filters(),
            footer=tables.footer(pager=_pager()),
        ),
        _roles_dialog(),
        _disable_dialog(),
        _erase_dialog(),
    )


def _sub() -> rx.Component:
    waiting = rx.cond(
        S.waiting > 0, rx.fragment(", ", rx.el.strong(S.waiting.to_string()), " to let in"), rx.fragment()
    )
    accounts = rx.cond(S.everybody == 1, " account", " accounts")
    return rx.fragment(S.everybody.to_string(), accounts, waiting)


def _tabs() -> rx.Component:
    return tables.tabs(
        tables.tab("All", S.hrefs["all"], count=S.everybody, active=S.tab == "all"),
        tables.tab("Waiting", S.hrefs["waiting"], count=S.waiting, active=S.tab == "waiting"),
        tables.tab("Disabled", S.hrefs["disabled"], count=S.disabled, active=S.tab == "disabled"),
    )


def _filters() -> rx.Component:
    by_role = rx.cond(
        S.role,
        tables.chip("Role", "is", S.role, remove_href=S.no_role_href),
        dialogs.menu(
            tables.chip_add("Role"),
            rx.foreach(S.role_hrefs, lambda pair: dialogs.menu_item(pair[0], href=pair[1])),
            align="start",
        ),
    )
    return tables.filter_bar(
        by_role,
        search=tables.search_field(
            value=S.q, on_change=S.search.debounce(250), placeholder="Name or e-mail", label="Search people"
        ),
    )


def _table() -> rx.Component:
    return tables.table(
        tables.head(
            tables.column("Person"),
            tables.column("Roles"),
            tables.column("Status"),
            tables.column("Last seen"),
        ),
        tables.body(
            S.rows,
            _row,
            columns=4,
            loading=S.loading,
            empty=_empty(),
            shape=("60%", "40%", "64px", "50%"),
        ),
        label="People",
    )


def _row(row: rx.Var[Person]) -> rx.Component:
    by = S.changed.get(row.id, "")
    return tables.row(
        tables.cell(
            tables.who(row.initials, _name(row), row.username + " · " + row.email),
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
                    _seen(row), gates.can(Permission.USERS_ASSIGN_ROLES, _roles_button(row)), _menu(row)
                ),
                _seen(row),
            ),
            card="end",
        ),
        key=row.id,
        live=by != "",
    )


def _name(row: rx.Var[Person]) -> rx.Component:
    return link(rx.el.bdi(row.name), href=PATH + "/" + row.id.to_string(), plain=True, class_name="rowlink")


def _roles_button(row: rx.Var[Person]) -> rx.Component:
    label = rx.cond(row.why_not_roles, row.why_not_roles, "Change roles")
    return icon_button("key-round", label, disabled=row.why_not_roles != "", on_click=S.open_roles(row.id))


def _seen(row: rx.Var[Person]) -> rx.Component:
    never = rx.cond(
        row.status == "waiting",
        rx.el.span("Asked ", when(row.since, row.since)),
        rx.el.span("never", class_name="dim"),
    )
    return rx.cond(row.last_seen, when(row.last_seen, row.last_seen), never)


def _roles(row: rx.Var[Person]) -> rx.Component:
    badges = row_of(rx.foreach(row.roles, lambda role: feedback.badge(role, dot=False)), class_name="wrap")
    return rx.cond(row.roles.length() > 0, badges, rx.el.span("no role", class_name="dim"))


def _status(row: rx.Var[Person]) -> rx.Component:
    waiting = row_of(
        feedback.badge("Waiting", tone="warn"),
        gates.can(
            Permission.USERS_MANAGE,
            rx.cond(row.why_not, rx.fragment(), _let_in(row)),
        ),
    )
    return rx.match(
        row.status,
        ("active", feedback.quiet_badge("Active", dot="ok")),
        ("waiting", waiting),
        ("erased", feedback.badge("Erased", dot=False)),
        feedback.quiet_badge("Disabled", dot="bad"),
    )


def _let_in(row: rx.Var[Person]) -> rx.Component:
    return rx.el.span(
        button("Let in", size="s", once=True, on_click=S.enable_user(row.id, _key(row))),
        custom_attrs={"data-turn": S.turn},
    )


def _key(row: rx.Var[Person]) -> rx.Var[str]:
    """Give each row's button a key of its own, so that two rows never share one."""
    return S.idempotency_key + "-" + row.id.to_string()


def _menu(row: rx.Var[Person]) -> rx.Component:
    may_roles, may_manage = gates.may(Permission.USERS_ASSIGN_ROLES), gates.may(Permission.USERS_MANAGE)
    note = rx.cond(row.why_not_roles, row.why_not_roles, row.why_not)
    on_off = rx.cond(
        row.status == "active",
        dialogs.menu_item(
            "Disable…", icon_name="user-x", danger=True, disabled=row.why_not != "", on_select=S.open_disable(row.id)
        ),
        dialogs.menu_item(
            rx.cond(row.status == "waiting", "Let in", "Enable again"),
            icon_name="user-check",
            disabled=row.why_not != "",
            on_select=S.enable_user(row.id, _key(row)),
        ),
    )
    erase = dialogs.menu_item(
        "Erase personal data…",
        icon_name="eraser",
        danger=True,
        disabled=row.why_not_erase != "",
        on_select=S.open_erase(row.id),
    )
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
        gates.can(
            Permission.AUDIT_VIEW,
            dialogs.menu_item(
                "History",
                icon_name="history",
                href=trail.history_href(("local_user", row.id), ("user_info", row.info_id)),
            ),
        ),
        rx.cond(may_manage & (row.status != "erased"), on_off, rx.fragment()),
        rx.cond(may_manage & (row.status != "active"), erase, rx.fragment()),
    )


def _empty() -> rx.Component:
    filtered = feedback.empty_state("Nobody matches", "Take off a filter, or search for somebody else.")
    waiting = feedback.empty_state(
        "Nobody waits", "People who ask for an account come here, until somebody lets them in.", icon_name="user-check"
    )
    return rx.cond((S.tab == "waiting") & (S.q == "") & (S.role == ""), waiting, filtered)


def _pager() -> rx.Component:
    return tables.pager(
        range=S.rows.length().to_string(),
        first=rx.cond(S.rows.length() > 0, S.rows[0].name, ""),
        last=rx.cond(S.rows.length() > 0, S.rows[S.rows.length() - 1].name, ""),
        previous_href=S.previous_href,
        next_href=S.next_href,
    )


def _roles_dialog() -> rx.Component:
    def box(role: rx.Var[RoleBox]) -> rx.Component:
        return rx.el.li(
            forms.choice(
                role.field,
                role.name,
                rx.cond(role.description, role.description + " · " + role.size, role.size),
                checked=role.held,
                why_not=role.why_not,
            ),
            key=role.field,
        )

    return dialogs.dialog(
        forms.hidden_input("user_id", S.person.id.to_string()),
        forms.hidden_input("version", S.person.version.to_string()),
        rx.el.fieldset(
            rx.el.legend("Roles", class_name="sr"), rx.el.ul(rx.foreach(S.boxes, box), class_name="choices")
        ),
        rx.cond(
            S.errors.get("roles", ""),
            feedback.callout(S.errors.get("roles", ""), tone="bad"),
            rx.fragment(),
        ),
        open=S.dialog == "roles",
        on_open_change=S.close,
        title="Change roles",
        sub=rx.fragment(rx.el.strong(S.person.name), " · ", S.person.username),
        status="What they may do changes at once.",
        primary=forms.submit("Save the roles"),
        on_submit=S.set_roles,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _disable_dialog() -> rx.Component:
    return dialogs.confirm(
        open=S.dialog == "disable",
        on_open_change=S.close,
        title="Disable " + S.person.name + "?",
        text=(
            "They are signed out everywhere at once and cannot sign in until somebody lets them in again. "
            "What they have done stays on record."
        ),
        action="Disable the account",
        on_confirm=S.deactivate_user(S.person.id, S.idempotency_key),
        keep="Keep the account",
        turn=S.turn,
    )


def _erase_dialog() -> rx.Component:
    """Ask for the reason: it is what stays on record in place of the data."""
    return dialogs.dialog(
        forms.hidden_input("user_id", S.person.id.to_string()),
        feedback.callout(
            "Name and e-mail go, here and in the audit trail, and cannot be brought back. What they did stays on "
            "record under their username, as does that you erased this and why. Older backups still hold the data.",
            title="This cannot be undone.",
            tone="warn",
        ),
        forms.field(
            "Reason",
            forms.textarea("reason", key=S.person.id.to_string(), rows=3, max_length=500),
            aside=rx.el.span("kept on record: name nobody", class_name="aside"),
            error=forms.problem(S.errors, "reason"),
        ),
        open=S.dialog == "erase",
        on_open_change=S.close,
        title="Erase personal data?",
        sub=rx.fragment(rx.el.strong(S.person.name), " · ", S.person.username),
        status="Nothing is erased yet.",
        primary=forms.submit("Erase for good", tone="destroy"),
        on_submit=S.erase_personal_data,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )
