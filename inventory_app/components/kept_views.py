"""The kept views of a list: as tabs, in a menu, and the dialogs about them."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, forms, tables
from inventory_app.components.basics import button, icon
from inventory_app.states._list_views import ViewLink

#: A State class made from `ListState`.
State = Any
_YES, _NO = rx.Var.create(True), rx.Var.create(False)  # noqa: FBT003  # what a handler is sent


def tabs(state: State, *items: rx.Component) -> rx.Component:
    """Offer the list's own views as tabs, and after them those that are kept."""
    return tables.tabs(*items, rx.foreach(state.view_links, _tab), end=_keep(state))


def _tab(view: rx.Var[ViewLink]) -> rx.Component:
    name = rx.fragment(rx.cond(view.by, icon("users", 14, class_name="dim"), rx.fragment()), rx.el.bdi(view.name))
    return rx.cond(view.tabbed, tables.tab(name, view.href, active=view.active), rx.fragment())


def _keep(state: State) -> rx.Component:
    """Offer to keep what is shown, where there is something to keep."""
    changes = button("Save changes", icon_name="bookmark", tone="quiet", on_click=state.overwrite_view, once=True)
    new = button("Save view", icon_name="bookmark", tone="quiet", on_click=state.open_save_view)
    kept = rx.cond(state.view_edited & state.view_mine, changes, new)
    return rx.cond(state.view_new, rx.el.span(kept, custom_attrs={"data-turn": state.turn}), rx.fragment())


def menu(state: State) -> rx.Component:
    """Choose among the kept views, and keep, rename, share or remove the one that is shown."""
    trigger = rx.el.button(
        icon("bookmark"),
        rx.el.span("Views", class_name="no-phone"),
        type="button",
        class_name="btn btn-views",
        aria_label="Views",
    )
    shown = state.view_id > 0
    return dialogs.menu(
        trigger,
        rx.foreach(state.view_links, _line),
        rx.cond(state.view_links.length() > 0, dialogs.menu_line(), rx.fragment()),
        rx.cond(
            state.view_new,
            dialogs.menu_item("Save as a new view…", icon_name="bookmark-plus", on_select=state.open_save_view),
            rx.fragment(),
        ),
        rx.cond(
            state.view_new | shown,
            rx.fragment(),
            dialogs.menu_item("Search, filter, sort or choose columns, then save that here", disabled=True),
        ),
        rx.cond(shown & state.view_mine, _own(state), rx.fragment()),
        rx.cond(
            shown,
            rx.cond(
                state.view_default,
                dialogs.menu_item(
                    "Begin with everything again", icon_name="house", on_select=state.begin_with_view(_NO)
                ),
                dialogs.menu_item(
                    "Begin this list with this view", icon_name="house", on_select=state.begin_with_view(_YES)
                ),
            ),
            rx.fragment(),
        ),
        rx.cond(
            shown & state.view_mine,
            dialogs.menu_item("Remove…", icon_name="trash-2", danger=True, on_select=state.open_remove_view),
            rx.fragment(),
        ),
    )


def _line(view: rx.Var[ViewLink]) -> rx.Component:
    by = rx.cond(view.by, rx.el.span(view.by, class_name="menu-end"), rx.fragment())
    return dialogs.menu_item(
        rx.fragment(rx.el.bdi(view.name), by), href=view.href, ticked=view.active, closes=True, key=view.id
    )


def _own(state: State) -> rx.Component:
    """Change a view that is one's own."""
    return rx.fragment(
        rx.cond(
            state.view_edited,
            dialogs.menu_item("Save changes", icon_name="save", on_select=state.overwrite_view),
            rx.fragment(),
        ),
        dialogs.menu_item("Rename…", icon_name="pencil", on_select=state.open_rename_view),
        rx.cond(
            state.view_shared,
            dialogs.menu_item("Stop sharing", icon_name="user", on_select=state.share_view(_NO)),
            dialogs.menu_item("Share with everybody", icon_name="users", on_select=state.share_view(_YES)),
        ),
    )


def view_dialogs(state: State) -> rx.Component:
    """Ask for a name, or whether a view is to go."""
    name = forms.problem(state.errors, "name")
    return rx.fragment(
        dialogs.dialog(
            forms.field("Name", forms.text_input("name", auto_focus=True, max_length=60), error=name),
            forms.checkbox("shared", "Share it with everybody who may see this list"),
            forms.checkbox("default", "Begin this list with it"),
            open=state.view_dialog == "save",
            on_open_change=state.close_view_dialog,
            title="Save this view",
            sub="Search, filters, order and columns are kept under a name.",
            primary=forms.submit("Save view"),
            on_submit=state.save_view,
            turn=state.turn,
            idempotency_key=state.idempotency_key,
            size="s",
        ),
        dialogs.dialog(
            forms.field(
                "Name", forms.text_input("name", value=state.view_name, auto_focus=True, max_length=60), error=name
            ),
            open=state.view_dialog == "rename",
            on_open_change=state.close_view_dialog,
            title="Rename the view",
            primary=forms.submit("Rename"),
            on_submit=state.rename_view,
            turn=state.turn,
            size="s",
        ),
        dialogs.confirm(
            open=state.view_dialog == "remove",
            on_open_change=state.close_view_dialog,
            title=rx.Var.create("Remove the view “") + state.view_name + "”?",
            text=rx.cond(
                state.view_shared,
                "It goes for everybody it is shared with. What it lists stays as it is.",
                "What it lists stays as it is.",
            ),
            action="Remove view",
            on_confirm=state.remove_view,
            turn=state.turn,
        ),
    )
