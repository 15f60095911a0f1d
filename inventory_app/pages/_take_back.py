"""Taking back, for any page that lists movements: a button beside each, one dialog, and what toasts press for Undo."""

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates
from inventory_app.components.basics import icon_button
from inventory_app.permissions import Permission
from inventory_app.states._toast import UNDO_BUTTON
from inventory_app.states.take_back import TakeBackState

S = TakeBackState


def take_back_button(movement_id: rx.Var[int], about: rx.Var[str] | str = "this movement") -> rx.Component:
    """Offer to take a movement back, to people who may; the page has `take_back_parts()` once."""
    return gates.can(
        Permission.INVENTORY_REVERSE,
        icon_button("undo-2", rx.Var.create("Take back ") + about, on_click=S.open_take_back(movement_id)),
    )


def take_back_parts() -> rx.Component:
    """Return the dialog, and the hidden button a toast presses: once on each page that posts or lists movements."""
    pressed = rx.Var(f"document.getElementById('{UNDO_BUTTON}').dataset.operation").to(str)
    undo = rx.el.button(
        "Undo",
        type="button",
        hidden=True,
        on_click=S.undo(pressed),
        custom_attrs={"id": UNDO_BUTTON},
    )
    return gates.can(Permission.INVENTORY_REVERSE, rx.fragment(undo, _dialog()))


def _dialog() -> rx.Component:
    possible = rx.fragment(
        forms.field(
            "Reason",
            forms.select("reason_code", S.reasons, value="correction", placeholder="Choose a reason"),
            error=forms.problem(S.errors, "reason_code"),
        ),
        forms.field("Note", forms.textarea("note", rows=2, max_length=2000), optional=True),
    )
    return dialogs.dialog(
        forms.hidden_input("movement_id", S.movement_id.to_string()),
        rx.cond(S.why_not, feedback.callout(S.why_not, title="It cannot be taken back.", tone="warn"), possible),
        open=S.open,
        on_open_change=S.close_take_back,
        title="Take the movement back",
        sub=S.about,
        status="A counter-entry of the same value is booked; both stay on record.",
        primary=rx.cond(S.why_not, rx.fragment(), forms.submit("Take it back")),
        on_submit=S.take_back,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )
