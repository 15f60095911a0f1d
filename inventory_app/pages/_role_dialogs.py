"""The dialogs about roles: making, copying, editing, deactivating, and who has a permission."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, layout
from inventory_app.components.basics import button, stack
from inventory_app.pages import _roles
from inventory_app.states.roles import RolesState

S = RolesState


def every() -> rx.Component:
    """Put all of them over a page."""
    return rx.fragment(_create(), _clone(), _edit(), _deactivate(), _delete(), _holders())


def _words(*, name: Any = "", description: Any = "", locked: Any = None, fixed: Any = None) -> list[rx.Component]:
    keep = {} if locked is None else {"read_only": locked}
    keep_all = {} if fixed is None else {"read_only": fixed}
    return [
        forms.field(
            "Name",
            forms.text_input("name", value=name, max_length=40, auto_complete="off", **keep),
            error=forms.problem(S.errors, "name"),
            hint=None if locked is None else rx.cond(locked, "A built-in role keeps its name.", ""),
        ),
        forms.field(
            "What it is for",
            forms.text_input("description", value=description, max_length=200, **keep_all),
            error=forms.problem(S.errors, "description"),
            optional=True,
        ),
    ]


def _asks(*, factor: Any = False, approval: Any = False, fixed: Any = None) -> rx.Component:
    agreement = forms.checkbox(
        "grant_needs_approval", "Somebody else must agree before anybody gets it", checked=approval
    )
    # Of admin one thing can be chosen; what it is otherwise goes back as it came.
    kept = rx.cond(approval, forms.hidden_input("grant_needs_approval", "on"), rx.fragment())
    return stack(
        forms.checkbox("needs_factor", "Whoever holds it signs in with a second factor", checked=factor),
        agreement if fixed is None else rx.cond(fixed, kept, agreement),
        rx.el.p(
            "Whoever holds it and has no second factor reaches only their security page until they have set one up. "
            "What a role asks for is taken off again only with somebody else's agreement, once people hold it or no "
            "other role gives the same.",
            class_name="meta",
        ),
        tight=True,
    )


def _form(name: str, *fields: rx.Component, title: Any, verb: str, on_submit: Any, status: str) -> rx.Component:
    return dialogs.dialog(
        *fields,
        open=S.dialog == name,
        on_open_change=S.close,
        title=title,
        status=status,
        primary=forms.submit(verb),
        on_submit=on_submit,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _create() -> rx.Component:
    return _form(
        "create",
        *_words(),
        _asks(),
        title="New role",
        verb="Make the role",
        on_submit=S.create_role,
        status="It may do nothing until you choose what.",
    )


def _clone() -> rx.Component:
    return _form(
        "clone",
        forms.hidden_input("role_id", S.asked.id.to_string()),
        *_words(description=S.asked.description),
        _asks(factor=S.asked.needs_factor, approval=S.asked.grant_needs_approval),
        title="Copy " + S.asked.name,
        verb="Make the copy",
        on_submit=S.clone_role,
        status="Nobody holds it yet.",
    )


def _edit() -> rx.Component:
    return _form(
        "edit",
        forms.hidden_input("role_id", S.asked.id.to_string()),
        forms.hidden_input("version", S.asked.version.to_string()),
        *_words(name=S.asked.name, description=S.asked.description, locked=S.asked.built_in, fixed=S.asked.fixed),
        _asks(factor=S.asked.needs_factor, approval=S.asked.grant_needs_approval, fixed=S.asked.fixed),
        title="Edit " + S.asked.name,
        verb="Save the role",
        on_submit=S.edit_role,
        status="It takes effect at once.",
    )


def _deactivate() -> rx.Component:
    return dialogs.confirm(
        open=S.dialog == "deactivate",
        on_open_change=S.close,
        title="Deactivate " + S.asked.name + "?",
        text=rx.fragment(
            "Held by ",
            rx.el.strong(S.asked.people),
            ". Whoever holds it loses at once what no other role gives, and keeps the role itself, "
            "so that activating it gives everything back.",
        ),
        action="Deactivate the role",
        on_confirm=S.deactivate_role(S.asked.id, S.asked.version, S.idempotency_key),
        keep="Leave it active",
        turn=S.turn,
    )


def _delete() -> rx.Component:
    return dialogs.confirm(
        open=S.dialog == "delete",
        on_open_change=S.close,
        title="Delete " + S.asked.name + "?",
        text="Nobody has ever held it. What happened to it stays on record.",
        action="Delete the role",
        on_confirm=S.delete_role(S.asked.id, S.asked.version, S.idempotency_key),
        keep="Keep the role",
        turn=S.turn,
    )


def _holders() -> rx.Component:
    more = rx.cond(S.having_after, button("Show more", on_click=S.show_more_holders), rx.fragment())
    nobody = feedback.empty_state("Nobody has it", "Put it into a role that somebody holds.", icon_name="users")
    return dialogs.dialog(
        rx.cond(S.having.length() > 0, layout.rows(rx.foreach(S.having, _roles.holder)), nobody),
        more,
        open=S.dialog == "holders",
        on_open_change=S.close,
        title="Who may: " + S.asked_label,
        sub=rx.fragment(S.asked_permission, " · ", S.asked_count.to_string(), " who can sign in"),
        cancel="Close",
    )
