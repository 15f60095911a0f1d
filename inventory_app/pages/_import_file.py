"""One file on its way in, stage by stage: which column is which, how far it is, what it would do, what came of it."""

from typing import Any

import reflex as rx

from inventory_app.components import feedback, forms, gates, layout, tables
from inventory_app.components.basics import button, icon, ident, row_of
from inventory_app.operations.import_runs import Kind
from inventory_app.permissions import Permission
from inventory_app.states.imports import ImportState

#: What State holds and rows are in the browser: Vars, whose attributes no type checker knows.
Shown = Any
S: Shown = ImportState
R: Shown = S.run

#: Where what came in is to be seen, the newest first.
_SHOWN_AT: dict[Kind, tuple[str, str, Permission]] = {
    "suppliers": (
        "Show the suppliers",
        "/suppliers?status=pending&sort=changed&dir=desc",
        Permission.SUPPLIERS_VIEW,
    ),
    "categories": ("Show the stock", "/inventory", Permission.INVENTORY_VIEW),
    "locations": ("Show the stock", "/inventory", Permission.INVENTORY_VIEW),
    "products": ("Show the stock", "/inventory?sort=changed&dir=desc", Permission.INVENTORY_VIEW),
    "stock": ("Show the stock", "/inventory?sort=changed&dir=desc", Permission.INVENTORY_VIEW),
}


def file_so_far() -> rx.Component:
    """Show the file as far as it has come."""
    return rx.cond(
        S.choosing,
        _mapping(),
        rx.match(
            R.status,
            ("mapping", _mapping()),
            ("reading", _progress("Reading and checking")),
            ("applying", _progress("Importing")),
            ("checked", _checked()),
            ("applied", _applied()),
            ("undone", feedback.callout("Everything it changed is as it was before.", title="Taken back.")),
            _ended(),
        ),
    )


def _ended() -> rx.Component:
    again = button("Choose columns", on_click=S.choose_columns)
    return feedback.callout(R.problem, title="Not imported.", tone="warn", action=again)


def _applied() -> rx.Component:
    """Say that the file is in, and lead to what came of it."""
    return feedback.callout(
        R.said,
        title=R.kind.to(str).capitalize() + " imported.",
        tone="ok",
        action=_shown_at(R.kind),
    )


def _shown_at(kind: Shown) -> rx.Component:
    ways = [(name, gates.can(may, button(label, href=href))) for name, (label, href, may) in _SHOWN_AT.items()]
    return rx.match(kind, *ways, rx.fragment())


def _progress(what: str) -> rx.Component:
    """Show how far it is."""
    bar = rx.el.progress(value=R.done_rows.to_string(), max=R.all_rows.to_string(), aria_label=what)
    known = rx.cond(R.all_rows > 0, bar, rx.el.progress(aria_label=what))
    return layout.card(
        rx.el.div(
            rx.el.p(
                rx.el.strong(what),
                " ",
                rx.el.bdi(R.file_name),
                ": ",
                R.done_rows.to_string(),
                " rows so far. You can leave this page and come back.",
                role="status",
            ),
            known,
            class_name="card-body stack",
        ),
        title=rx.fragment(what),
        foot=row_of(_cancel("Cancel")),
        flush=True,
    )


def _cancel(label: str) -> rx.Component:
    key = forms.hidden_input("run", R.id.to_string())
    return forms.form(key, button(label, submit=True), on_submit=S.cancel_file, turn=S.turn)


def _mapping() -> rx.Component:
    """Ask which column is which, and what happens with what is there already."""
    fields = rx.el.div(rx.foreach(R.choices, _field_choice), class_name="import-columns")
    rules = forms.field(
        "What is there already",
        forms.select(
            "rule",
            [("update", "Add what is new and update what differs"), ("add", "Only add: what is known is a fault")],
            value=R.rule,
        ),
        hint="An empty cell never changes anything.",
    )
    return layout.card(
        forms.form(
            _notices(),
            rx.cond(
                S.errors.contains("columns"),
                feedback.callout(S.errors["columns"].to(str), tone="bad"),
                rx.fragment(),
            ),
            fields,
            rules,
            forms.form_footer(forms.submit("Check the file")),
            on_submit=S.check_file,
            turn=S.turn,
            class_name="form card-body",
        ),
        _first_rows(),
        title=rx.fragment(R.file_name, ": which column is which"),
        foot=_cancel("Choose another file"),
        flush=True,
    )


def _field_choice(one: Shown) -> rx.Component:
    name = "c_" + one.field
    control = rx.el.select(
        rx.el.option("Not imported", value=""),
        rx.foreach(S.columns, lambda pair: rx.el.option(pair[1], value=pair[0], key=pair[0])),
        name=name,
        default_value=rx.cond(one.column >= 0, one.column.to_string(), ""),
        class_name="ctl select",
        custom_attrs={"id": "f-" + name, "aria-describedby": "h-" + name},
    )
    mark = rx.cond(one.needed, rx.el.span(" needed", class_name="text-warn"), rx.fragment())
    wrong = S.errors.get(one.field, "").to(str)
    return rx.el.div(
        rx.el.label(one.label, mark, html_for="f-" + name, class_name="field-label"),
        control,
        rx.el.span(one.meaning, class_name="meta", id="h-" + name),
        forms.fault(wrong, name + "-error"),
        class_name="field",
        key=one.field,
    )


def _first_rows() -> rx.Component:
    # On the phone the fields alone are enough to read.
    rows = tables.table(
        tables.head(rx.foreach(R.header, lambda name: rx.el.th(name, scope="col", role="columnheader"))),
        rx.el.tbody(
            rx.foreach(
                R.first,
                lambda row, at: tables.row(rx.foreach(row, _first_cell), key=at),
            ),
            role="rowgroup",
        ),
        label="The first rows of the file",
        density="compact",
    )
    return rx.el.div(rows, class_name="no-phone")


def _notice(said: Shown) -> rx.Component:
    return rx.el.li(said)


def _first_cell(text: Shown) -> rx.Component:
    return tables.cell(text)


def _checked() -> rx.Component:
    """Show what importing would do, or everything that is in the way."""
    ready = (R.faulty_rows == 0) & (R.problem == "")
    refusal = rx.cond(
        R.problem,
        feedback.callout(R.problem, tone="warn"),
        feedback.callout(
            R.faulty_rows.to_string(),
            " of ",
            R.all_rows.to_string(),
            " rows cannot be imported, so none will be. Mend these rows in the file and choose it again.",
            tone="bad",
        ),
    )
    key = forms.hidden_input("run", R.id.to_string())
    go = forms.form(
        key,
        forms.submit(rx.fragment("Import ", R.all_rows.to_string(), rx.cond(R.all_rows == 1, " row", " rows"))),
        on_submit=S.import_file,
        turn=S.turn,
    )
    return layout.card(
        rx.el.div(_figures(), rx.cond(ready, rx.fragment(), refusal), _notices(), class_name="card-body stack"),
        rx.cond(S.faults.length() > 0, _faults(), rx.cond(S.differences.length() > 0, _differences(), rx.fragment())),
        title=rx.fragment(R.file_name, ": ", R.kind),
        end=rx.cond(ready, feedback.badge("Can be imported", tone="ok"), feedback.badge("Refused", tone="bad")),
        foot=row_of(
            rx.cond(ready, go, rx.fragment()),
            button("Choose columns", on_click=S.choose_columns),
            _cancel("Choose another file"),
        ),
        flush=True,
    )


def _figures() -> rx.Component:
    figures = (
        ("New", R.new_rows, "will be added"),
        ("Changed", R.changed_rows, "will be updated"),
        ("Unchanged", R.same_rows, "are as in the file"),
        ("Faulty", R.faulty_rows, "cannot be imported"),
    )
    return rx.el.div(
        *[
            rx.el.dl(
                rx.el.dt(label),
                rx.el.dd(figure.to_string(), class_name="fig"),
                rx.el.dd(meaning, class_name="meta"),
                class_name="stat",
            )
            for label, figure, meaning in figures
        ],
        rx.foreach(R.totals, _total),
        class_name="stat-row",
    )


def _total(one: Shown, at: Shown) -> rx.Component:
    return rx.el.dl(
        rx.el.dt(one.label),
        rx.el.dd(one.figure, class_name="fig"),
        rx.el.dd(one.meaning, class_name="meta"),
        class_name="stat",
        key=at,
    )


def _notices() -> rx.Component:
    """List what is assumed or left out: a person should know it, and need not act."""
    lines = rx.el.ul(rx.foreach(R.notices, _notice), class_name="rules")
    return rx.cond(R.notices.length() > 0, lines, rx.fragment())


def _differences() -> rx.Component:
    return tables.table(
        tables.head(
            tables.column("Row", numeric=True, width="64"), tables.column("What"), tables.column("What happens")
        ),
        rx.el.tbody(
            rx.foreach(
                S.differences,
                lambda one, at: tables.row(
                    tables.cell(one.row, numeric=True),
                    tables.cell(ident(one.key), card="title"),
                    tables.cell(
                        rx.cond(one.state == "new", "Added", one.fields.join("; ")), card="foot", class_name="wrap"
                    ),
                    key=at,
                ),
            ),
            role="rowgroup",
        ),
        label="The first changes",
        density="compact",
    )


def _faults() -> rx.Component:
    address = "/import/" + R.id.to_string() + "/errors.csv"
    return rx.fragment(
        tables.table(
            tables.head(
                tables.column("Row", numeric=True, width="64"), tables.column("Column"), tables.column("What is wrong")
            ),
            rx.el.tbody(
                rx.foreach(
                    S.faults,
                    lambda fault, at: tables.row(
                        tables.cell(fault.row, numeric=True, card="figure", phone=rx.fragment("Row ", fault.row)),
                        tables.cell(ident(fault.column), card="title"),
                        tables.cell(fault.sentence, card="foot"),
                        key=at,
                    ),
                ),
                role="rowgroup",
            ),
            label="What is wrong with the file",
            density="compact",
        ),
        rx.el.div(
            row_of(
                rx.el.span(S.faults.length().to_string(), " of ", R.faults.to_string(), " shown", class_name="muted"),
                rx.cond(
                    S.faults.length() < R.faults, button("Show more", on_click=S.more_faults, once=True), rx.fragment()
                ),
                rx.el.a(
                    icon("download", 14),
                    "Download all as CSV",
                    href=address,
                    class_name="link row-x",
                    custom_attrs={"reloadDocument": True, "download": ""},
                ),
            ),
            class_name="card-body",
        ),
    )
