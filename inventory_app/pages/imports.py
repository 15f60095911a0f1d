"""Importing: choose a file, say which column is which, see what it would do, bring it in as a whole, take it back."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, layout, tables
from inventory_app.components.basics import button, link, stack, when
from inventory_app.pages._import_file import file_so_far
from inventory_app.pages._import_upload import choose_file
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.imports import PATH, ImportState

#: What State holds and rows are in the browser: Vars, whose attributes no type checker knows.
Shown = Any
S: Shown = ImportState


@page(PATH, "Imports", on_load=[S.load])
def imports() -> rx.Component:
    """Show the file that was chosen, or ask for one; below, what came in before."""
    may_any = gates.may(Permission.INVENTORY_IMPORT) | gates.may(Permission.SUPPLIERS_CREATE)
    return rx.cond(may_any, _content(), feedback.not_allowed(Permission.INVENTORY_IMPORT))


def _content() -> rx.Component:
    return rx.fragment(
        layout.page_head(
            "Imports",
            sub="CSV files and Excel workbooks. Nothing is written before you have seen what it would do.",
        ),
        stack(
            rx.cond(S.loading, layout.page_skeleton(), rx.cond(S.run, file_so_far(), choose_file())),
            _history(),
        ),
        _undo_dialog(),
    )


def _history() -> rx.Component:
    nothing = feedback.empty_state(
        "No file has been imported yet",
        "What comes in from a file is listed here, so that the same file is not taken twice.",
        icon_name="file-input",
    )
    listed = tables.table(
        tables.head(
            tables.column("File"),
            tables.column("What"),
            tables.column("Rows", numeric=True),
            tables.column("By"),
            tables.column("When"),
            tables.column("What became of it"),
            tables.column(rx.el.span("What can be done", class_name="sr")),
        ),
        tables.body(S.batches, _batch, columns=7, loading=S.loading, empty=rx.fragment()),
        label="Imported files",
    )
    # A head over nothing would only promise columns.
    return layout.card(
        rx.cond(S.loading | (S.batches.length() > 0), listed, nothing), title="Imported files", flush=True
    )


def _state(row: Shown) -> rx.Component:
    return rx.match(
        row.status,
        ("applied", feedback.badge("Imported", tone="ok")),
        ("undone", feedback.badge("Taken back")),
        ("failed", feedback.badge("Not imported", tone="warn")),
        ("reading", feedback.badge("Being read", tone="accent")),
        ("applying", feedback.badge("Being imported", tone="accent")),
        feedback.badge("Waits for you", tone="accent"),
    )


def _batch(row: Shown) -> rx.Component:
    go_on = link("Open", href=PATH + "?run=" + row.run_id.to_string())
    undo = button("Take back", on_click=S.open_undo(row.run_id))
    return tables.row(
        tables.cell(row.file_name, strong=True, card="title"),
        tables.cell(row.what, card="foot", phone=rx.fragment(row.what, ", ", when(row.at_iso, row.at_text))),
        tables.cell(row.rows, numeric=True, card="figure"),
        tables.cell(row.by),
        tables.cell(when(row.at_iso, row.at_text)),
        tables.cell(_state(row)),
        tables.cell(
            rx.el.span(rx.cond(row.undoable, undo, rx.cond(row.own, go_on, rx.fragment())), class_name="nowrap"),
            numeric=True,
            card="end",
        ),
        key=row.run_id,
    )


def _undo_dialog() -> rx.Component:
    one: Shown = S.undoing
    return rx.cond(
        one,
        dialogs.dialog(
            rx.el.p(
                "What it added is archived, its movements are reversed, and what it changed becomes what it was. "
                "It is refused if any of that has changed since."
            ),
            forms.hidden_input("run", one.run_id.to_string()),
            forms.field("Why", forms.text_input("reason"), optional=True),
            open=True,
            on_open_change=S.close_undo,
            title=rx.fragment("Take back ", one.file_name, "?"),
            primary=forms.submit("Take it back", tone="destroy"),
            on_submit=S.undo_file,
            turn=S.turn,
        ),
        rx.fragment(),
    )
