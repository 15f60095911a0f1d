"""The reasons people can give for a change of stock: added, renamed, put in order, switched off."""

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, layout, listing
from inventory_app.components.basics import button, icon_button
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.reasons import ReasonLine, ReasonsState, Use

S = ReasonsState


@page("/settings/reasons", "Reasons", Permission.SETTINGS_MANAGE, on_load=[S.load])
def reasons() -> rx.Component:
    """Show the reasons in their order."""
    listed = layout.card(
        layout.rows(rx.foreach(S.rows, _line)),
        title="In the order they are offered",
        flush=True,
        custom_attrs={"data-turn": S.turn},
    )
    return rx.fragment(
        layout.page_head(
            "Reasons",
            sub="What people can give as the reason for a change of stock. What was booked keeps its reason.",
            actions=(
                listing.export("reasons"),
                button("New reason", icon_name="plus", tone="solid", on_click=S.open_add),
            ),
        ),
        rx.cond(S.loading, layout.page_skeleton(), listed),
        _form(),
    )


def _line(row: rx.Var[ReasonLine]) -> rx.Component:
    state = rx.cond(row.active, rx.fragment(), feedback.quiet_badge("Off", dot="bad"))
    higher = dialogs.menu_item("Higher", icon_name="arrow-up", on_select=_move(row, up=True))
    lower = dialogs.menu_item("Lower", icon_name="arrow-down", on_select=_move(row, up=False))
    on = rx.cond(
        row.active,
        dialogs.menu_item("Switch off", icon_name="eye-off", on_select=_switch(row)),
        dialogs.menu_item("Offer again", icon_name="eye", on_select=_switch(row)),
    )
    menu = dialogs.menu(
        icon_button("ellipsis", "What can be done with " + row.label),
        rx.cond(row.first, rx.fragment(), higher),
        rx.cond(row.last, rx.fragment(), lower),
        rx.cond(row.built_in, rx.fragment(), on),
    )
    return layout.row_item(
        row.label,
        rx.fragment(row.given_for, rx.cond(row.built_in, " · comes with the application", "")),
        end=rx.el.div(
            state,
            icon_button("pencil", "Change " + row.label, on_click=S.open_change(row.code)),
            menu,
            class_name="row-x",
        ),
        key=row.code,
    )


def _move(row: rx.Var[ReasonLine], *, up: bool) -> rx.event.EventSpec:
    return S.move_reason(row.code, up, "")


def _switch(row: rx.Var[ReasonLine]) -> rx.event.EventSpec:
    return S.switch_reason(row.code, ~row.active, S.idempotency_key + "-" + row.code + "-" + row.version.to_string())


def _form() -> rx.Component:
    def tick(use: rx.Var[Use]) -> rx.Component:
        line = rx.el.label(
            rx.el.input(type="checkbox", name=use.field, default_checked=use.ticked, class_name="check"),
            rx.el.span(use.label),
            class_name="check-line",
        )
        return rx.el.li(line, key=use.field)

    wrong = forms.problem(S.errors, "uses")
    fields = (
        forms.field(
            "What people read",
            forms.text_input("label", value=S.label, max_length=60, required=True, auto_focus=True),
            error=forms.problem(S.errors, "label"),
        ),
        rx.el.fieldset(
            rx.el.legend("Given for", class_name="field-label"),
            rx.el.ul(rx.foreach(S.uses, tick), class_name="stack-s"),
        ),
        rx.cond(wrong, feedback.callout(wrong, tone="bad"), rx.fragment()),
    )
    return rx.fragment(
        dialogs.dialog(
            *fields,
            open=S.editing & (S.code == ""),
            on_open_change=S.close_form,
            title="New reason",
            sub="It is offered at the end of each list.",
            primary=forms.submit("Add the reason"),
            on_submit=S.add_reason,
            turn=S.turn,
            idempotency_key=S.idempotency_key,
        ),
        dialogs.dialog(
            forms.hidden_input("code", S.code),
            forms.hidden_input("version", S.version.to_string()),
            *fields,
            open=S.editing & (S.code != ""),
            on_open_change=S.close_form,
            title="Change the reason",
            sub="What was booked with it is called by its new name, too.",
            primary=forms.submit("Save"),
            on_submit=S.change_reason,
            turn=S.turn,
            idempotency_key=S.idempotency_key,
        ),
    )
