"""The ledger: every movement, whatever it moved."""

import reflex as rx

from inventory_app.components import feedback, listing, tables
from inventory_app.components.basics import button, ident, row_of, when
from inventory_app.operations._movement_lines import MovementLine
from inventory_app.operations._movement_list import LIST
from inventory_app.pages._movement_cells import aside, record, what
from inventory_app.pages._page import page
from inventory_app.pages._take_back import take_back_button, take_back_parts
from inventory_app.permissions import Permission
from inventory_app.states.movements import PATH, MovementsState

S = MovementsState


@page(PATH, "Movements", Permission.INVENTORY_VIEW, on_load=[S.load])
def movements() -> rx.Component:
    """Show the list."""
    return rx.fragment(
        rx.el.link(rel="stylesheet", href="/charts.css", custom_attrs={"precedence": "page"}),
        tables.list_page(
            _table(),
            title="Movements",
            sub="Every change of stock, as it was recorded. Nothing here can be changed; it can be taken back.",
            actions=(listing.export("movements"),),
            filters=listing.toolbar(S, search="Search movements by product", placeholder="SKU, name"),
            footer=_footer(),
        ),
        take_back_parts(),
    )


def _table() -> rx.Component:
    return listing.table(
        S,
        LIST,
        _cells,
        label="Movements",
        named=lambda row: row.what,
        empty=_empty(),
        shape=("96px", "60%", "60%", "50%", "48pxr", "48pxr", "60%"),
        hide={"value": "lg", "record": "md", "reason": "lg", "occurred": "lg", "balance": "sm"},
        selectable=False,
    )


def _cells(row: rx.Var[MovementLine]) -> dict[str, rx.Component]:
    recorded = when(row.recorded_at, row.recorded_at, style="full")
    href = "/inventory/" + row.item_id.to_string()
    return {
        "recorded": tables.cell(recorded, class_name="nowrap"),
        "what": tables.cell(
            tables.two_line(what(row), aside(row), strong=False, phone=aside(row, row.product, " · ", row.location)),
            card="title",
            class_name="wrap",
        ),
        "product": tables.cell(tables.two_line(row.product, ident(row.sku), href=href)),
        "location": tables.cell(row.location),
        "change": tables.cell(row.change, rx.el.span(row.unit, class_name="unit"), numeric=True, card="figure"),
        "balance": tables.cell(row.balance, numeric=True, hide="sm"),
        "value": tables.cell(row.value, numeric=True, hide="lg"),
        "reason": tables.cell(tables.quantity(row.reason), hide="lg"),
        "occurred": tables.cell(when(row.occurred_at, row.occurred_at, style="full"), hide="lg"),
        "record": tables.cell(record(row), hide="md"),
        "who": tables.cell(
            tables.with_actions(
                row_of(rx.el.span(recorded, " ·", class_name="only-phone"), tables.who(row.initials, row.who, "")),
                rx.cond(row.taken_back, rx.fragment(), take_back_button(row.id, row.what)),
            ),
            card="foot",
        ),
    }


def _empty() -> rx.Component:
    searched = listing.nothing_matches(S, "Take off a filter, or search for another product.")
    lesson = feedback.empty_state(
        "Nothing has moved yet",
        "What is received, issued, counted, moved or corrected comes here, the newest first.",
        button("Inventory", href="/inventory"),
        icon_name="activity",
    )
    return rx.cond(S.everything > 0, searched, lesson)


def _footer() -> rx.Component:
    return listing.footer(S, selectable=False)
