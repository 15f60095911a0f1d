"""Sets of changes: the list, and one with the difference it makes."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, layout, listing, tables
from inventory_app.components.basics import button, ident, row_of, stack, when
from inventory_app.operations._change_list import LIST
from inventory_app.operations.change_sets import DiffRow, SetRow
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.changes import PATH, ChangeListState, ChangeSetState

S = ChangeListState
D = ChangeSetState
#: What State holds is a Var in the browser, whose attributes no type checker knows.
C: Any = D.detail


@page(PATH, "Sets of changes", Permission.PRODUCTS_VIEW, on_load=[S.load])
def changes() -> rx.Component:
    """List the sets of changes, the newest first."""
    return tables.list_page(
        listing.table(
            S,
            LIST,
            _cells,
            label="Sets of changes",
            named=lambda row: row.title,
            empty=_empty(),
            shape=("60%", "64px", "72px", "48pxr", "70%"),
            hide={"kind": "md"},
            selectable=False,
        ),
        title="Sets of changes",
        sub="Many records changed together: looked at first, applied as a whole, taken back as a whole.",
        actions=(listing.export("changes"),),
        tabs=tables.tabs(
            listing.tab(S, "status", "", "All", S.everything),
            listing.tab(S, "status", "draft", "Drafts", ""),
            listing.tab(S, "status", "applied", "Applied", ""),
            listing.tab(S, "status", "reverted", "Taken back", ""),
        ),
        filters=listing.toolbar(S, search="Search sets of changes", placeholder="What for"),
        footer=listing.footer(S, selectable=False),
    )


def _cells(row: rx.Var[SetRow]) -> dict[str, rx.Component]:
    return {
        "title": tables.cell(tables.two_line(rx.el.bdi(row.title), rx.el.bdi(row.reason), href=row.href), card="title"),
        "kind": tables.cell(row.kind, hide="md"),
        "status": tables.cell(feedback.badge(row.status, tone=row.tone), card="figure"),
        "rows": tables.cell(row.rows, numeric=True),
        "created": tables.cell(
            tables.two_line(row.by, when(row.at, row.at), strong=False),
            card="foot",
            phone=rx.fragment(row.by, ", ", when(row.at, row.at)),
        ),
    }


def _empty() -> rx.Component:
    searched = listing.nothing_matches(S)
    lesson = feedback.empty_state(
        "No sets of changes yet",
        "Select products in the list of prices and choose what shall change: you see the difference before it counts.",
        button("Prices", href="/pricing"),
        icon_name="list-checks",
    )
    return rx.cond(S.everything > 0, searched, lesson)


@page(
    PATH + "/[change]",
    "Set of changes",
    Permission.PRODUCTS_VIEW,
    on_load=[D.load],
    crumbs=("Stock", ("Sets of changes", PATH)),
    heading=rx.cond(D.detail.is_not_none(), C.title, ""),
    back=PATH,
)
def change() -> rx.Component:
    """Show the difference a set makes, and what can be done with it."""
    missing = feedback.missing("set of changes", "All sets of changes", PATH, icon_name="list-checks")
    return rx.fragment(
        rx.cond(D.loading, layout.page_skeleton(), rx.cond(D.detail.is_not_none(), _detail(), missing)),
        _revert_dialog(),
    )


def _detail() -> rx.Component:
    day = rx.cond(C.effective_on, rx.fragment(" · counts from ", C.effective_on), rx.fragment())
    return rx.fragment(
        layout.page_head(
            C.title,
            sub=rx.fragment(C.kind, " · ", C.rows, " changes · ", C.by, ", ", when(C.at, C.at), day),
            badge=feedback.badge(C.status, tone=C.tone),
            actions=_actions(),
        ),
        stack(
            rx.cond(C.reason, rx.el.p(rx.el.bdi(C.reason), class_name="muted"), rx.fragment()),
            _notes(),
            layout.card(_table(), title="Before and after", end=_which(), foot=_pages(), flush=True),
        ),
    )


def _set_form(*content: Any, on_submit: Any) -> rx.Component:
    return forms.form(
        forms.hidden_input("change_set_id", C.id.to_string()),
        forms.hidden_input("version", C.version.to_string()),
        *content,
        on_submit=on_submit,
        turn=D.turn,
        idempotency_key=D.idempotency_key,
        class_name="form-inline",
    )


def _actions() -> list[rx.Component]:
    label = rx.cond(
        C.needs_agreement,
        "Ask for agreement",
        rx.cond(
            C.effective_on, "Plan " + C.rows, rx.cond(C.rows == "1", "Apply 1 change", "Apply " + C.rows + " changes")
        ),
    )
    draft = row_of(
        rx.cond(C.waiting, rx.fragment(), _set_form(button("Discard", submit=True), on_submit=D.discard_set)),
        rx.cond(C.waiting | (C.faults > 0), rx.fragment(), _set_form(forms.submit(label), on_submit=D.apply_set)),
    )
    back = button("Take back…", icon_name="undo-2", on_click=D.open_revert)
    offered = rx.match(C.state, ("draft", draft), ("applied", back), rx.fragment())
    return [rx.cond(C.may_change, offered, rx.fragment())]


def _notes() -> rx.Component:
    faulty = rx.fragment(
        C.faults.to_string(),
        rx.cond(C.faults == 1, " change cannot be made", " changes cannot be made"),
        ": see below.",
    )
    draft = rx.fragment(
        rx.cond(
            C.faults > 0,
            feedback.callout(
                faulty, " All are applied together, or none. Discard this set and propose it anew.", tone="bad"
            ),
            rx.cond(
                C.waiting,
                feedback.callout(
                    "Somebody else must agree, because prices change a lot. Then all of it is applied.",
                    title="Waits for agreement.",
                    tone="warn",
                    action=button("Requests", href="/approvals?view=asked"),
                ),
                feedback.callout("Nothing has changed yet.", tone="accent"),
            ),
        )
    )
    applied = rx.cond(
        C.faults > 0,
        feedback.callout(
            C.faults.to_string(), " of these were changed since: the set cannot be taken back as a whole.", tone="warn"
        ),
        rx.fragment(),
    )
    hidden = rx.cond(
        C.hidden, feedback.callout("Prices are hidden from you: you lack the permission to see them."), rx.fragment()
    )
    return rx.fragment(hidden, rx.match(C.state, ("draft", draft), ("applied", applied), rx.fragment()))


def _which() -> rx.Component:
    return rx.cond(
        C.faults > 0,
        layout.segmented(
            ("All", D.all_href, ~D.only_faults), ("In the way", D.faults_href, D.only_faults), label="Which changes"
        ),
        rx.fragment(),
    )


def _pages() -> rx.Component:
    return tables.pager(range=D.rows.length().to_string(), previous_href=D.previous_href, next_href=D.next_href)


def _table() -> rx.Component:
    return tables.table(
        tables.head(
            tables.column("SKU"),
            tables.column("What"),
            tables.column("Field"),
            tables.column("Before and after"),
            tables.column("In the way"),
        ),
        tables.body(
            D.rows,
            _row,
            columns=5,
            empty=feedback.empty_state("Nothing is in the way", "Show all changes instead."),
        ),
        label="Before and after",
    )


def _row(row: rx.Var[DiffRow]) -> rx.Component:
    fault = rx.cond(row.fault, feedback.badge(row.fault, tone="bad"), rx.fragment())
    return tables.row(
        tables.cell(ident(row.sku)),
        tables.cell(tables.two_line(row.name, row.place, phone=rx.fragment(row.sku, " ", row.place)), card="title"),
        tables.cell(row.label),
        tables.cell(feedback.diff_pair(row.before, row.after), card="foot"),
        tables.cell(fault, card="end"),
        key=row.id,
    )


def _revert_dialog() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("change_set_id", rx.cond(D.detail.is_not_none(), C.id.to_string(), "")),
        forms.hidden_input("version", rx.cond(D.detail.is_not_none(), C.version.to_string(), "")),
        forms.field(
            "Why",
            forms.textarea("reason", id="f-revert-reason", rows=2, max_length=1000),
            error=forms.problem(D.errors, "reason"),
            optional=True,
        ),
        open=D.dialog == "revert",
        on_open_change=D.close,
        title="Take the whole set back",
        sub="Every record gets what it held before; that is on record too.",
        status="Nothing has changed yet.",
        primary=forms.submit("Take it back"),
        on_submit=D.revert_set,
        turn=D.turn,
        idempotency_key=D.idempotency_key,
    )
