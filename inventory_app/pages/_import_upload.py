"""Choosing a file to import: a card for each kind, and what its columns mean."""

from typing import Any

import reflex as rx

from inventory_app.components import forms, gates, layout
from inventory_app.components.basics import icon
from inventory_app.operations.import_runs import FIELDS, LARGEST_FILE, PERMISSIONS, REQUIRED, Kind
from inventory_app.states.auth import AuthState

A: Any = AuthState

_WORDS: dict[Kind, tuple[str, str]] = {
    "suppliers": ("Suppliers", "New ones wait until somebody else approves them."),
    "categories": ("Categories", "By their code; names for those that came with products as numbers."),
    "locations": ("Locations", "By their code, and what they are part of."),
    "products": ("Products", "With prices, supplier's terms and opening stock. Import their suppliers first."),
    "stock": ("Stock", "How much is there of which product at which location, counted or for the first time."),
}


def choose_file() -> rx.Component:
    return layout.even(*[gates.can(PERMISSIONS[kind], _upload(kind)) for kind in _WORDS])


def _upload(kind: Kind) -> rx.Component:
    """Ask for a file of one kind; the browser itself posts it."""
    title, words = _WORDS[kind]
    return layout.card(
        forms.native_form(
            rx.el.p(words, class_name="muted"),
            forms.field(
                "CSV or XLSX file",
                rx.el.input(
                    type="file",
                    name="file",
                    accept=".csv,.txt,.tsv,.xlsx,text/csv",
                    required=True,
                    class_name="ctl",
                    custom_attrs={"id": f"f-{kind}", "data-most": str(LARGEST_FILE)},
                ),
                error=forms.problem(A.form_errors, kind),
                hint=_needed(kind),
            ),
            forms.form_footer(forms.submit(f"Look at the {kind}", tone="plain")),
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
    needed = [" or ".join(FIELDS[kind][field].label for field in group) for group in REQUIRED[kind]]
    return rx.fragment(
        "Needs the columns " if len(needed) > 1 else "Needs the column ", rx.el.strong(" and ".join(needed)), "."
    )


def _columns(kind: Kind) -> rx.Component:
    """Describe every column that is read: its name, what it means, whether it is needed, its other names."""
    columns = FIELDS[kind]
    groups = {field: len(group) for group in REQUIRED[kind] for field in group}
    lines: list[rx.Component] = []
    for field in sorted(columns, key=lambda field: field not in groups):
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
            "In any order; capitals, accents, blanks and underscores do not matter, and you can choose others.",
            class_name="meta",
        ),
        rx.el.dl(*lines, class_name="file-columns"),
        class_name="fold",
    )
