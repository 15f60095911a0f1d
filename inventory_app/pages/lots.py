"""Lots: all of them, what expires first first; and those of one product, as a card of its page."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, layout, listing, tables
from inventory_app.components.basics import button, icon_button, ident
from inventory_app.operations.lots import LIST, LotRow
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.lots import PATH, LotsState, ProductLotsState

S = LotsState
P = ProductLotsState


@page(PATH, "Lots", Permission.PRODUCTS_VIEW, on_load=[S.load])
def lots() -> rx.Component:
    """Show the list."""
    some = S.rows.length() > 0
    return tables.list_page(
        _table(),
        title="Lots",
        sub="What came together, and until when it is good",
        actions=(listing.export("lots"),),
        tabs=tables.tabs(
            listing.tab(S, "view", "", "All", S.everything),
            gates.can(Permission.INVENTORY_VIEW, listing.tab(S, "view", "soon", "Expire soon", S.soon)),
            gates.can(Permission.INVENTORY_VIEW, listing.tab(S, "view", "expired", "Expired", S.expired)),
        ),
        filters=listing.toolbar(S, search="Search lots", placeholder="Lot, SKU, product"),
        footer=listing.footer(
            S,
            first=rx.cond(some, S.rows[0].code, ""),
            last=rx.cond(some, S.rows[S.rows.length() - 1].code, ""),
            selectable=False,
        ),
    )


def _table() -> rx.Component:
    searched = listing.nothing_matches(S)
    lesson = feedback.empty_state(
        "No lots yet",
        "They are added on the page of a product whose stock is kept by lot.",
        button("Products", href="/products"),
        icon_name="calendar-clock",
    )
    return listing.table(
        S,
        LIST,
        _cells,
        label="Lots",
        named=lambda row: row.code,
        empty=rx.cond(S.everything > 0, searched, lesson),
        shape=("64px", "60%", "64px", "48pxr", "50%"),
        hide={"note": "lg"},
        selectable=False,
    )


def _cells(row: rx.Var[LotRow]) -> dict[str, rx.Component]:
    return {
        "code": tables.cell(tables.two_line(rx.el.bdi(row.code), "", href=row.href, phone=row.product), card="title"),
        "product": tables.cell(tables.two_line(rx.el.bdi(row.product), row.sku, strong=False)),
        "expires_on": tables.cell(expiry(row), card="foot"),
        "on_hand": tables.cell(tables.quantity(row.on_hand), numeric=True, card="figure"),
        "note": tables.cell(tables.quantity(row.note), hide="lg"),
    }


def expiry(row: rx.Var[LotRow]) -> rx.Component:
    """Say until when a lot is good, and whether that is over or soon."""
    word = rx.match(
        row.state,
        ("expired", feedback.badge("Expired", tone="bad")),
        ("soon", feedback.badge("Soon", tone="warn")),
        rx.fragment(),
    )
    return rx.cond(row.expires_on, rx.el.span(row.good_until, " ", word), rx.el.span("no date", class_name="dim"))


def lots_card() -> rx.Component:
    """Show the lots of the open product, with the dialogs that add and correct them."""
    new = gates.can(Permission.PRODUCTS_MANAGE, button("New lot", icon_name="plus", on_click=P.open_create))
    shown = tables.table(
        tables.head(
            tables.column("Lot"),
            tables.column("Good until"),
            tables.column("Note", hide="lg"),
            tables.column("On hand", numeric=True),
        ),
        rx.el.tbody(rx.foreach(P.rows, _line)),
        label="Lots",
    )
    nothing = feedback.empty_state(
        "No lots yet", "Add one before its first stock is received.", icon_name="calendar-clock"
    )
    return rx.fragment(
        layout.card(rx.cond(P.rows.length() > 0, shown, nothing), title="Lots", end=new, flush=True),
        _create_dialog(),
        _edit_dialog(),
    )


def _line(row: rx.Var[LotRow]) -> rx.Component:
    edit = gates.can(
        Permission.PRODUCTS_MANAGE,
        icon_button("pencil", "Correct lot " + row.code, on_click=P.open_edit(row.id)),
    )
    return tables.row(
        tables.cell(tables.two_line(ident(row.code), "", phone=expiry(row)), card="title"),
        tables.cell(expiry(row)),
        tables.cell(tables.quantity(row.note), hide="lg"),
        tables.cell(
            tables.with_actions(tables.quantity(row.on_hand), edit),
            numeric=True,
            card="figure",
        ),
        key=row.id,
    )


def _create_dialog() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("product_id", P.product_id.to_string()),
        *_fields("new", "", "", ""),
        open=P.dialog == "create",
        on_open_change=P.close,
        title="New lot",
        status="Nothing is saved yet.",
        primary=forms.submit("Add the lot"),
        on_submit=P.create_lot,
        turn=P.turn,
        idempotency_key=P.idempotency_key,
    )


def _edit_dialog() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("lot_id", P.lot.id.to_string()),
        forms.hidden_input("version", P.lot.version.to_string()),
        *_fields("old", P.lot.code, P.lot.expires_on, P.lot.note),
        open=P.dialog == "edit",
        on_open_change=P.close,
        title="Correct the lot",
        sub=P.lot.code,
        status="Nothing is saved yet.",
        primary=forms.submit("Save"),
        on_submit=P.update_lot,
        turn=P.turn,
        idempotency_key=P.idempotency_key,
    )


def _fields(which: str, code: Any, expires_on: Any, note: Any) -> list[rx.Component]:
    return [
        forms.fields_row(
            forms.field(
                "Lot",
                forms.text_input(
                    "code", id=f"f-{which}-lot", value=code, required=True, max_length=40, auto_focus=True
                ),
                error=forms.problem(P.errors, "code"),
                hint="As it stands on the goods.",
            ),
            forms.field(
                "Good until",
                forms.text_input("expires_on", id=f"f-{which}-expires", value=expires_on, type="date"),
                error=forms.problem(P.errors, "expires_on"),
                optional=True,
            ),
        ),
        forms.field(
            "Note",
            forms.textarea("note", id=f"f-{which}-lot-note", value=note, rows=2, max_length=500),
            error=forms.problem(P.errors, "note"),
            optional=True,
        ),
    ]
