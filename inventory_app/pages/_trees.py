"""What the pages of categories and locations share: a tree as a table, and the form of a branch."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, tables
from inventory_app.components.basics import icon, icon_button, link
from inventory_app.components.trail import history_href
from inventory_app.permissions import Permission


def branch(row: Any, *, phone: Any) -> rx.Component:
    """Show a branch as far to the right as it is deep, and that it is closed."""
    step = rx.cond(row.depth > 0, icon("corner-down-right", 14, class_name="dim"), rx.fragment())
    closed = rx.cond(row.active, rx.fragment(), feedback.badge("Closed"))
    return rx.el.span(
        step,
        rx.el.span(
            rx.el.span(rx.el.bdi(row.name), " ", closed, class_name=rx.cond(row.active, "strong", "muted")),
            rx.el.span(row.code, phone, class_name="meta only-phone"),
            class_name="two",
        ),
        class_name="branch depth-" + row.depth.to_string(),
    )


def with_menu(state: Any, content: rx.Component, row: Any, *, table: str, inside: str) -> rx.Component:
    """Offer what can be done with a branch."""
    edit = dialogs.menu_item("Rename or move…", icon_name="pencil", on_select=state.open_edit(row.id))
    add = dialogs.menu_item(inside, icon_name="plus", on_select=state.open_create(row.id))
    close = dialogs.menu_item(
        "Close",
        icon_name="archive",
        danger=True,
        on_select=state.set_active(row.id, row.version, False, ""),  # noqa: FBT003  # sent as it is
    )
    reopen = dialogs.menu_item(
        "Open again",
        icon_name="archive-restore",
        on_select=state.set_active(row.id, row.version, True, ""),  # noqa: FBT003  # sent as it is
    )
    may_change, may_audit = gates.may(Permission.PRODUCTS_MANAGE), gates.may(Permission.AUDIT_VIEW)
    history = dialogs.menu_item("History", icon_name="history", href=history_href((table, row.id)))
    menu = dialogs.menu(
        icon_button("ellipsis", "What can be done with " + row.name),
        rx.cond(
            may_change,
            rx.fragment(edit, rx.cond(row.active, rx.fragment(add, close), reopen)),
            rx.fragment(),
        ),
        rx.cond(may_audit, history, rx.fragment()),
    )
    return tables.with_actions(content, rx.cond(may_change | may_audit, menu, rx.fragment()))


def number_in(number: Any, href: Any, one: str, many: str) -> rx.Component:
    """Say how much is in a branch, and lead there."""
    words = rx.cond(number == 1, one, many)
    return rx.cond(number > 0, link(number.to_string(), " ", words, href=href), rx.el.span("–", class_name="dim"))


def create_dialog(state: Any, what: str, on_submit: Any, *more: rx.Component, parent: str, sub: str) -> rx.Component:
    """Ask for a new branch."""
    return dialogs.dialog(
        *_fields(state, parent, "create"),
        *more,
        open=state.dialog == "create",
        on_open_change=state.close,
        title=f"New {what}",
        sub=sub,
        status="Nothing is saved yet.",
        primary=forms.submit(f"Add the {what}"),
        on_submit=on_submit,
        turn=state.turn,
        idempotency_key=state.idempotency_key,
    )


def edit_dialog(state: Any, what: str, on_submit: Any, *more: rx.Component, parent: str) -> rx.Component:
    """Ask what is to be corrected about a branch."""
    return dialogs.dialog(
        forms.hidden_input(f"{what}_id", state.record.to_string()),
        forms.hidden_input("version", state.version.to_string()),
        *_fields(state, parent, "edit"),
        *more,
        open=state.dialog == "edit",
        on_open_change=state.close,
        title=f"Rename or move the {what}",
        sub=rx.el.bdi(state.values.get("name", "").to(str)),
        status="Nothing is saved yet.",
        primary=forms.submit("Save"),
        on_submit=on_submit,
        turn=state.turn,
        idempotency_key=state.idempotency_key,
    )


def _fields(state: Any, parent: str, which: str) -> list[rx.Component]:
    def value(name: str) -> Any:
        return state.values.get(name, "").to(str)

    def line(label: str, name: str, **props: Any) -> rx.Component:
        control = forms.text_input(name, id=f"f-{which}-{name}", value=value(name), required=True, **props)
        return forms.field(label, control, error=forms.problem(state.errors, name))

    stands = forms.select(
        "parent_id", state.parents, id=f"f-{which}-parent", value=value("parent_id"), placeholder="Nothing: at the top"
    )
    return [
        forms.fields_row(
            line("Code", "code", max_length=20, auto_focus=True, auto_complete="off"),
            line("Name", "name", max_length=200, auto_complete="off"),
        ),
        forms.field(parent, stands, error=forms.problem(state.errors, "parent_id")),
    ]
