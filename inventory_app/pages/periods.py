"""Closed periods: close the books up to a day, and open the last period again."""

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, layout
from inventory_app.components.basics import button, when
from inventory_app.operations.periods import PeriodRow
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.periods import PeriodsState

S = PeriodsState


@page("/settings/periods", "Closed periods", Permission.PERIODS_CLOSE, on_load=[S.load])
def periods() -> rx.Component:
    """Show the periods, and the form to close the next."""
    open_until = rx.cond(
        S.closed_through,
        rx.fragment("The books are closed up to ", rx.el.strong(S.closed_through), "."),
        rx.fragment("No period is closed."),
    )
    nothing = rx.el.p("No period was ever closed.", class_name="card-body muted")
    listed = layout.card(
        rx.cond(S.rows.length() > 0, layout.rows(rx.foreach(S.rows, _line)), nothing), title="Periods", flush=True
    )
    return rx.fragment(
        layout.page_head("Closed periods", sub=open_until),
        rx.cond(S.loading, layout.page_skeleton(), layout.columns(layout.column(listed), layout.column(_close()))),
        _reopen(),
    )


def _line(row: rx.Var[PeriodRow]) -> rx.Component:
    closed = rx.fragment("Closed by ", row.closed_by, ", ", when(row.closed_at, row.closed_at))
    why = rx.cond(row.note, rx.fragment(": ", rx.el.bdi(row.note)), "")
    again = rx.fragment(
        ". Opened again by ",
        row.reopened_by,
        ", ",
        when(row.reopened_at, row.reopened_at),
        ": ",
        rx.el.bdi(row.reopened_reason),
    )
    reopen = button(
        "Open again", size="s", aria_label="Open again: " + row.closed_through, on_click=S.open_reopen(row.id)
    )
    state = rx.cond(
        row.reopened_at,
        feedback.quiet_badge("Opened again", dot="bad"),
        rx.cond(row.last, rx.el.div(feedback.badge("Closed"), reopen, class_name="row-x"), feedback.badge("Closed")),
    )
    return layout.row_item(
        rx.fragment("Up to ", row.closed_through),
        rx.fragment(closed, why, rx.cond(row.reopened_at, again, "")),
        end=state,
        key=row.id,
    )


def _close() -> rx.Component:
    return layout.card(
        forms.form(
            forms.field(
                "Last day",
                forms.text_input("closed_through", type="date", max=S.last_day, required=True),
                error=forms.problem(S.errors, "closed_through"),
                hint="Days end at midnight UTC. Nothing is booked with that day or an earlier one any more.",
            ),
            forms.field("Note", forms.textarea("note", rows=2, max_length=1_000), optional=True),
            forms.form_footer(forms.submit("Close the period")),
            on_submit=S.close_period,
            turn=S.turn,
            idempotency_key=S.idempotency_key,
        ),
        title="Close a period",
    )


def _reopen() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("period_id", S.row.id.to_string()),
        forms.field(
            "Why",
            forms.textarea("reason", rows=2, max_length=1_000, required=True),
            error=forms.problem(S.errors, "reason"),
            hint="It stays on record beside the period.",
        ),
        open=S.reopening,
        on_open_change=S.close_reopen,
        title=rx.cond(S.row, "Open the period up to " + S.row.closed_through + " again?", ""),
        sub="Postings with a day in it are possible again until it is closed anew.",
        primary=forms.submit("Open it again", tone="destroy"),
        on_submit=S.reopen_period,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )
