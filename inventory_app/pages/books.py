"""Whether the books balance: how the last check went, the first entry that disagrees, and putting it right."""

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, layout
from inventory_app.components.basics import button, ident, link, when
from inventory_app.operations.books import FaultRow
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.books import PATH, BooksState

S = BooksState
C = BooksState.check


@page(PATH, "Books", Permission.AUDIT_VIEW, on_load=[S.load])
def books() -> rx.Component:
    """Show the last check and what it found."""
    return rx.fragment(
        rx.el.link(rel="stylesheet", href="/charts.css", custom_attrs={"precedence": "page"}),
        layout.page_head(
            "Books",
            sub="Everything is recomputed from the movements, which nobody can change.",
            actions=(
                rx.cond(
                    S.running,
                    rx.fragment(),
                    rx.el.div(
                        button(
                            "Check the books",
                            icon_name="circle-check",
                            tone="solid",
                            once=True,
                            on_click=S.begin_check,
                        ),
                        custom_attrs={"data-turn": S.turn},
                    ),
                ),
            ),
        ),
        rx.cond(S.loading, layout.page_skeleton(), rx.cond(C.id > 0, _checked(), _never())),
        _rebuild(),
    )


def _never() -> rx.Component:
    return feedback.empty_state(
        "The books were not checked yet",
        "What items hold, what the company has and what it was worth are sums of movements. A check adds everything up "
        "again and names the first entry that disagrees. It runs by itself every day.",
        icon_name="circle-check",
        page=True,
    )


def _checked() -> rx.Component:
    return rx.el.div(
        rx.cond(C.finished_at, _verdict(), _progress()),
        rx.cond(S.shown.length() > 0, _faults(), rx.fragment()),
        rx.cond(C.note, rx.el.p(C.note, class_name="meta"), rx.fragment()),
        class_name="col",
    )


def _progress() -> rx.Component:
    bar = rx.el.progress(value=C.done.to_string(), max=C.total.to_string(), aria_label="How far the check is")
    return layout.card(
        bar,
        rx.el.p(
            C.done.to_string(),
            " of ",
            C.total.to_string(),
            " parts, ",
            C.movements,
            " movements. Now: ",
            C.doing,
            ".",
            custom_attrs={"aria-live": "polite"},
        ),
        rx.el.p("You can leave this page: the check goes on by itself within a few minutes.", class_name="meta"),
        title="The check is under way",
        note=rx.cond(C.started_by, rx.fragment("begun by ", C.started_by), "the daily one"),
        class_name="progress",
    )


def _verdict() -> rx.Component:
    checked = rx.fragment(
        "Checked ",
        when(C.finished_at, C.finished_at),
        rx.cond(C.started_by, " for " + C.started_by, " by itself"),
        ": ",
        C.movements,
    )
    good = feedback.callout(
        rx.fragment(checked, " movements, and everything that is kept beside them says the same."),
        title="The books balance.",
        tone="ok",
        icon_name="circle-check",
    )
    things = rx.cond(C.faults == 1, "1 thing does not say", C.faults.to_string() + " things do not say")
    bad = feedback.callout(
        rx.fragment(checked, " movements. ", things, " what the movements say. The first is at the top."),
        title="The books do not balance.",
        tone="bad",
        icon_name="triangle-alert",
        action=gates.can(Permission.INVENTORY_REBUILD, button("Rebuild", on_click=S.open_rebuild)),
    )
    return rx.cond(C.faults > 0, bad, good)


def _faults() -> rx.Component:
    return layout.card(
        layout.rows(rx.foreach(S.shown, _fault)),
        title="What disagrees",
        note=rx.cond(
            S.shown.length() < C.faults,
            rx.fragment("the first ", S.shown.length().to_string(), " of ", C.faults.to_string()),
            "",
        ),
        flush=True,
    )


def _fault(row: rx.Var[FaultRow], n: rx.Var[int]) -> rx.Component:
    name = rx.cond(row.href, link(row.title, href=row.href), row.title)
    number = rx.cond(row.sequence, rx.fragment(", movement ", row.sequence), rx.fragment())
    first = rx.cond(n == 0, rx.fragment(" ", feedback.badge("First", tone="bad")), rx.fragment())
    at = rx.cond(row.at, rx.fragment(when(row.at, row.at, style="full"), ". "), rx.fragment())
    deed = rx.cond(
        row.operation_id,
        gates.can(
            Permission.AUDIT_VIEW,
            rx.fragment(" Operation ", ident(row.operation_id, href="/audit/" + row.operation_id), "."),
            otherwise=rx.fragment(" Operation ", ident(row.operation_id), "."),
        ),
        rx.fragment(),
    )
    figures = rx.cond(row.sum, rx.fragment(rx.cond(row.says, row.says, "–"), " instead of ", row.sum), "")
    return layout.row_item(
        rx.fragment(name, number, first), rx.fragment(at, row.said, deed), end=figures, key=n.to_string()
    )


def _rebuild() -> rx.Component:
    return dialogs.dialog(
        feedback.callout(
            "What items hold, what the company has of a product and the sums of the past are written anew from the "
            "movements. No movement is touched: what is wrong or missing in the ledger itself stays named here.",
            title="Only what is kept beside the ledger.",
        ),
        forms.field(
            "Why",
            forms.textarea("reason", rows=2, max_length=1_000, required=True),
            error=forms.problem(S.errors, "reason"),
            aside=rx.el.span("kept in the audit trail", class_name="aside"),
        ),
        open=S.asking,
        on_open_change=S.close,
        title="Rebuild from the movements",
        sub=rx.fragment(C.faults.to_string(), " to look at, each again under its lock"),
        status="Nothing has changed yet.",
        primary=forms.submit("Rebuild"),
        on_submit=S.rebuild_books,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )
