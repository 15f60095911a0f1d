"""Deciding about several suppliers of the queue together, and taking back one's own entry."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, layout
from inventory_app.components.basics import button
from inventory_app.operations.supplier_bulk import PreviewRow
from inventory_app.states.suppliers import SupplierState

S = SupplierState
D = SupplierState.detail
P = SupplierState.preview


def together_dialogs() -> rx.Component:
    """Show what the decision would come to for each, and ask for the reason."""
    until = forms.field(
        "Valid until",
        forms.text_input("valid_until", id="f-until-all", type="date"),
        error=forms.problem(S.errors, "valid_until"),
        optional=True,
        hint="For all of them.",
    )
    return rx.fragment(
        _together("approved", "Approve", forms.submit("Approve all of them", disabled=P.faults > 0), until),
        _together("rejected", "Reject", forms.submit("Reject all of them", tone="destroy", disabled=P.faults > 0)),
    )


def _together(decision: str, verb: str, primary: rx.Component, *more: Any) -> rx.Component:
    # A region that scrolls is reached by the keyboard too.
    faulty = rx.cond(
        P.faults > 0,
        feedback.callout(
            "All are decided together, or none.",
            title=P.faults.to_string() + " of " + P.rows.length().to_string() + " cannot be decided by you now.",
            tone="warn",
            action=button("Leave them out", on_click=S.leave_out),
        ),
        rx.fragment(),
    )
    hint = rx.cond(P.needs_reason, "This needs a reason.", "")
    return dialogs.dialog(
        faulty,
        rx.el.div(layout.rows(rx.foreach(P.rows, _row)), class_name="bulk-lines", tab_index=0),
        forms.field(
            "Reason",
            forms.textarea("reason", id=f"f-reason-all-{decision}", rows=3, max_length=1_000),
            aside=rx.el.span("kept with each decision", class_name="aside"),
            error=forms.problem(S.errors, "reason"),
            hint=hint,
        ),
        *more,
        open=S.dialog == f"all-{decision}",
        on_open_change=S.close,
        title=f"{verb} " + P.rows.length().to_string() + " suppliers?",
        status="Nothing is decided yet.",
        primary=primary,
        on_submit=S.decide_together,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _row(row: rx.Var[PreviewRow]) -> rx.Component:
    said = rx.cond(row.fault, row.fault, rx.cond(row.needs, row.needs, "Nothing is in the way"))
    tone = rx.cond(row.fault, "bad", rx.cond(row.needs, "warn", "ok"))
    word = rx.cond(row.fault, "Not possible", rx.cond(row.needs, "Needs a reason", "Ready"))
    return layout.row_item(rx.el.bdi(row.name), said, end=feedback.badge(word, tone=tone), key=row.id)


def withdraw_dialog() -> rx.Component:
    """Ask whether one's own entry is to be taken back."""
    return dialogs.dialog(
        forms.hidden_input("approval_id", D.withdraws.to_string()),
        rx.el.p("It then counts as rejected, and can be entered again under the same name.", class_name="muted"),
        open=S.dialog == "withdraw",
        on_open_change=S.close,
        title="Withdraw " + D.name + "?",
        primary=forms.submit("Withdraw it", tone="destroy"),
        on_submit=S.withdraw,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
        size="s",
    )
