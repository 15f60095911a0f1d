"""Importing: choose a file, see what it would do, bring it in as a whole."""

from typing import Any

import reflex as rx

from inventory_app.components import feedback, forms, gates, layout, tables
from inventory_app.components.basics import button, icon, ident, link, row_of, stack, when
from inventory_app.operations.imports import DESCRIBED, LARGEST_FILE, PERMISSIONS, REQUIRED, Kind
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.auth import AuthState
from inventory_app.states.imports import PATH, ImportState

#: What State holds and rows are in the browser: Vars, whose attributes no type checker knows.
Shown = Any
S: Shown = ImportState
P: Shown = S.preview
A: Shown = AuthState

_WORDS: dict[Kind, tuple[str, str]] = {
    "suppliers": ("Suppliers", "Each waits until somebody else approves it."),
    "categories": ("Categories", "New ones, or names for those that came with products as numbers."),
    "products": ("Products", "With prices and the stock on hand. Import their suppliers first."),
}
#: Where what came in is to be seen, the newest first.
_SHOWN_AT: dict[Kind, tuple[str, str, Permission]] = {
    "suppliers": (
        "Show the suppliers",
        "/suppliers?status=pending&sort=changed&dir=desc",
        Permission.SUPPLIERS_VIEW,
    ),
    "categories": ("Show the stock", "/inventory", Permission.INVENTORY_VIEW),
    "products": ("Show the stock", "/inventory?sort=changed&dir=desc", Permission.INVENTORY_VIEW),
}
_HANDLERS = {
    "suppliers": S.import_suppliers,
    "categories": S.import_categories,
    "products": S.import_products,
}


@page(PATH, "Imports", on_load=[S.load])
def imports() -> rx.Component:
    """Show the file that was chosen, or ask for one; below, what came in before."""
    may_any = gates.may(Permission.INVENTORY_IMPORT) | gates.may(Permission.SUPPLIERS_CREATE)
    return rx.cond(may_any, _content(), feedback.not_allowed(Permission.INVENTORY_IMPORT))


def _content() -> rx.Component:
    return rx.fragment(
        layout.page_head(
            "Imports",
            sub="CSV files of suppliers, categories and products. Nothing is written before you have seen it.",
        ),
        stack(
            rx.cond(S.trouble, feedback.callout(S.trouble, tone="warn"), rx.fragment()),
            rx.cond(S.imported, _imported(), rx.fragment()),
            rx.cond(S.loading, layout.page_skeleton(), rx.cond(S.file, _preview(), _choose())),
            _history(),
        ),
    )


def _imported() -> rx.Component:
    """Say that the file is in, and lead to what came of it."""
    return feedback.callout(
        S.imported.rows.to_string(),
        " rows of ",
        rx.el.bdi(S.imported.file_name),
        " are in.",
        title=S.imported.what + " imported.",
        tone="ok",
        action=_shown_at(S.imported.kind),
    )


def _shown_at(kind: Shown) -> rx.Component:
    ways = [(name, gates.can(may, button(label, href=href))) for name, (label, href, may) in _SHOWN_AT.items()]
    return rx.match(kind, *ways, rx.fragment())


def _way_to(kind: Shown) -> rx.Component:
    ways = [(name, gates.can(may, link("Show", href=href))) for name, (_, href, may) in _SHOWN_AT.items()]
    return rx.match(kind, *ways, rx.fragment())


def _choose() -> rx.Component:
    return layout.even(*[gates.can(PERMISSIONS[kind], _upload(kind)) for kind in _WORDS])


def _upload(kind: Kind) -> rx.Component:
    """Ask for a file of one kind; the browser itself posts it."""
    title, words = _WORDS[kind]
    return layout.card(
        forms.native_form(
            rx.el.p(words, class_name="muted"),
            forms.field(
                "CSV file",
                rx.el.input(
                    type="file",
                    name="file",
                    accept=".csv,.txt,.tsv,text/csv",
                    required=True,
                    class_name="ctl",
                    custom_attrs={"id": f"f-{kind}", "data-most": str(LARGEST_FILE)},
                ),
                error=forms.problem(A.form_errors, kind),
                hint=_needed(kind),
            ),
            forms.form_footer(forms.submit(f"Check the {kind}", tone="plain")),
            action=f"/import/{kind}",
            custom_attrs={"encType": "multipart/form-data"},
        ),
        _columns(kind),
        title=title,
        end=rx.el.a(
            icon("download", 14),
            "Example file",
            href=f"/examples/{kind}.csv",
            download=f"{kind}.csv",
            aria_label=f"Example file of {kind}",
            class_name="link row-x",
            # Otherwise the router takes it for one of its pages.
            custom_attrs={"reloadDocument": True},
        ),
    )


def _needed(kind: Kind) -> rx.Component:
    """Name the columns that must be there."""
    columns = DESCRIBED[kind]
    needed = [
        first + "".join(f" (or {other})" for other in others)
        for first, *others in ([columns[field].names[0] for field in group] for group in REQUIRED[kind])
    ]
    return rx.fragment(
        "Needs the columns " if len(needed) > 1 else "Needs the column ", rx.el.strong(" and ".join(needed)), "."
    )


def _columns(kind: Kind) -> rx.Component:
    """Describe every column that is read: its name, what it means, whether it is needed, its other names."""
    columns = DESCRIBED[kind]
    groups = {field: len(group) for group in REQUIRED[kind] for field in group}
    first = sorted(columns, key=lambda field: field not in groups)
    lines: list[rx.Component] = []
    for field in first:
        name, *others = columns[field].names
        mark = "needed" if groups.get(field) == 1 else "one of these is needed" if field in groups else ""
        lines += [
            rx.el.dt(rx.el.strong(name), *([rx.el.span(mark, class_name="text-warn")] if mark else [])),
            rx.el.dd(
                columns[field].meaning,
                *([rx.el.span("or ", ", ".join(others), class_name="meta")] if others else []),
            ),
        ]
    return rx.el.details(
        rx.el.summary(icon("chevron-right", 14, class_name="chev"), f"All {len(columns)} columns that are read"),
        rx.el.p(
            "In any order; capitals, blanks and underscores do not matter. Others are left out.", class_name="meta"
        ),
        rx.el.dl(*lines, class_name="file-columns"),
        class_name="fold",
    )


def _preview() -> rx.Component:
    ready = rx.fragment(_figures(), rx.foreach(P.warnings, _look_at))
    return layout.card(
        rx.el.div(
            rx.cond(P.ready, ready, _refusal()),
            rx.cond(P.notices.length() > 0, _notices(), rx.fragment()),
            class_name="card-body stack",
        ),
        rx.cond(P.faults.length() > 0, _faults(), _first_rows()),
        title=rx.fragment(P.file_name, ": ", P.counted),
        end=rx.cond(P.ready, feedback.badge("Can be imported", tone="ok"), feedback.badge("Refused", tone="bad")),
        foot=_decide(),
        flush=True,
    )


def _figures() -> rx.Component:
    return rx.el.div(
        rx.foreach(
            P.figures,
            lambda each: rx.el.dl(
                rx.el.dt(each.label),
                rx.el.dd(each.figure, " ", rx.el.span(each.unit, class_name="unit"), class_name="fig"),
                rx.el.dd(each.meaning, class_name="meta"),
                class_name="stat",
            ),
        ),
        class_name="stat-row",
    )


def _look_at(said: Shown) -> rx.Component:
    return feedback.callout(said, tone="warn")


def _notices() -> rx.Component:
    """List what is assumed or left out: a person should know it, and need not act."""
    return rx.el.ul(rx.foreach(P.notices, _notice), class_name="rules")


def _notice(said: Shown) -> rx.Component:
    return rx.el.li(said)


def _refusal() -> rx.Component:
    mend = rx.cond(P.faults.length() > 0, " Mend these rows in the file and choose it again.", "")
    return feedback.callout(P.refusal, mend, tone="bad")


def _faults() -> rx.Component:
    return rx.fragment(
        tables.table(
            tables.head(
                tables.column("Row", numeric=True, width="64"), tables.column("Column"), tables.column("What is wrong")
            ),
            rx.el.tbody(
                rx.foreach(
                    P.faults,
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
        rx.cond(
            S.more_faults > 0,
            rx.el.p("… and ", S.more_faults.to_string(), " more.", class_name="card-body muted"),
            rx.fragment(),
        ),
    )


def _first_rows() -> rx.Component:
    is_products = P.kind == "products"
    return tables.table(
        tables.head(
            tables.column("Row", numeric=True, width="64"),
            tables.column(rx.cond(is_products, "SKU", "Number")),
            tables.column("Name"),
            tables.column(rx.cond(is_products, "Supplier", "Place"), hide="sm"),
            tables.column(rx.cond(is_products, "On hand", ""), numeric=True),
            tables.column(rx.cond(is_products, "Unit price", "Phone"), numeric=True, hide="sm"),
        ),
        rx.el.tbody(rx.foreach(P.first_rows, _first_row), role="rowgroup"),
        label="The first rows of the file",
    )


def _first_row(row: Shown) -> rx.Component:
    state = rx.cond(row.state, rx.fragment(" ", feedback.badge(row.state)), rx.fragment())
    return tables.row(
        tables.cell(row.row, numeric=True),
        tables.cell(ident(row.key), card="foot", phone=rx.fragment(ident(row.key), " ", row.where)),
        tables.cell(tables.two_line(rx.fragment(row.name, state), row.detail), card="title"),
        tables.cell(row.where, hide="sm"),
        tables.cell(row.quantity, rx.el.span(row.unit, class_name="unit"), numeric=True, card="figure"),
        tables.cell(row.price, numeric=True, hide="sm"),
        key=row.row,
    )


def _decide() -> rx.Component:
    """Offer the import when nothing is in the way, and the way back."""
    key = forms.hidden_input("file", S.file)
    go = rx.match(
        P.kind,
        *[
            (kind, forms.form(key, forms.submit(rx.fragment("Import ", P.counted)), on_submit=handler, turn=S.turn))
            for kind, handler in _HANDLERS.items()
        ],
        rx.fragment(),
    )
    back = forms.form(key, button("Choose another file", submit=True), on_submit=S.discard, turn=S.turn)
    return row_of(rx.cond(P.ready, go, rx.fragment()), back)


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
            tables.column(rx.el.span("What came of it", class_name="sr")),
        ),
        tables.body(S.batches, _batch, columns=6, loading=S.loading, empty=rx.fragment()),
        label="Imported files",
    )
    # A head over nothing would only promise columns.
    return layout.card(
        rx.cond(S.loading | (S.batches.length() > 0), listed, nothing), title="Imported files", flush=True
    )


def _batch(row: Shown) -> rx.Component:
    return tables.row(
        tables.cell(row.file_name, strong=True, card="title"),
        tables.cell(row.what, card="foot", phone=rx.fragment(row.what, ", ", when(row.at_iso, row.at_text))),
        tables.cell(row.rows, numeric=True, card="figure"),
        tables.cell(rx.el.bdi(row.by, title=row.username)),
        tables.cell(when(row.at_iso, row.at_text)),
        tables.cell(rx.el.span(_way_to(row.kind), class_name="nowrap"), numeric=True, card="end"),
        key=row.id,
    )
