"""On a supplier's page: who of theirs may use the portal, inviting them, and ending it."""

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, layout
from inventory_app.components.basics import button, row_of
from inventory_app.operations.supplier_accounts import AccountRow
from inventory_app.pages import _people_dialogs
from inventory_app.permissions import Permission
from inventory_app.states.supplier_accounts import SupplierAccountsState

S = SupplierAccountsState


def portal_card() -> rx.Component:
    """Show who of the supplier has an account; the page's on_load has `SupplierAccountsState.load`."""
    invite = _may_change(button("Invite", icon_name="user-plus", size="s", on_click=S.open_invite))
    nobody = rx.el.p("Nobody of theirs has an account.", class_name="muted")
    listed = rx.el.div(layout.rows(rx.foreach(S.rows, _line)), custom_attrs={"data-turn": S.turn})
    title = "Supplier portal"
    return rx.fragment(
        rx.cond(
            S.rows.length() > 0,
            layout.card(listed, title=title, end=invite, flush=True),
            layout.card(nobody, title=title, end=invite),
        ),
        _may_change(_invite(), _end(), _people_dialogs.link_dialog()),
    )


def _may_change(*children: rx.Component) -> rx.Component:
    return gates.can(Permission.USERS_MANAGE, gates.can(Permission.SUPPLIERS_EDIT, *children))


def _line(row: rx.Var[AccountRow]) -> rx.Component:
    state = rx.match(
        row.state,
        ("active", feedback.badge("Has access", tone="ok")),
        ("invited", feedback.badge("Invited", tone="warn")),
        ("ended", feedback.badge("Ended")),
        feedback.badge("Disabled"),
    )
    change = rx.cond(
        row.state == "ended",
        button("Give it back", size="s", once=True, on_click=S.give_back(row.user_id, "")),
        button("End", size="s", aria_label="End the access of " + row.name, on_click=S.open_end(row.user_id)),
    )
    return layout.row_item(
        rx.el.bdi(row.name),
        row.username,
        icon_name="user",
        end=row_of(state, rx.cond(row.why_not, rx.fragment(), _may_change(change))),
        key=row.user_id,
    )


def _invite() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("supplier_id", S.supplier_id.to_string()),
        forms.fields_row(
            forms.field(
                "Full name",
                forms.text_input("full_name", auto_complete="off", max_length=200, auto_focus=True),
                error=forms.problem(S.errors, "full_name"),
            ),
            forms.field(
                "Username",
                forms.text_input("username", auto_complete="off", auto_capitalize="none", max_length=40),
                error=forms.problem(S.errors, "username"),
            ),
        ),
        forms.field(
            "E-mail",
            forms.text_input("email", type="email", auto_complete="off", max_length=254),
            error=forms.problem(S.errors, "email"),
        ),
        open=S.dialog == "invite",
        on_open_change=S.close,
        title="Invite somebody of this supplier",
        sub="They see this supplier's own data, orders, invoices and payments, and nothing else. "
        "They choose their password by a link that works once.",
        status="Nobody is invited yet.",
        primary=forms.submit("Invite"),
        on_submit=S.invite,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _end() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("user_id", S.chosen.to_string()),
        forms.field(
            "Why",
            forms.textarea("reason", rows=2, max_length=1_000),
            error=forms.problem(S.errors, "reason"),
            hint="Kept in the history.",
        ),
        open=S.dialog == "end",
        on_open_change=S.close,
        title="End the access of " + S.chosen_name,
        sub="They are signed out everywhere at once. It can be given back.",
        status="Nothing has changed yet.",
        primary=forms.submit("End the access"),
        on_submit=S.end_access,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )
