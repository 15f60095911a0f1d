"""Locations: where stock is, and where it goes through."""

import reflex as rx

from inventory_app.components import feedback, forms, gates, listing, tables
from inventory_app.components.basics import button, ident
from inventory_app.operations.catalog import LOCATION_KINDS
from inventory_app.operations.locations import LocationRow
from inventory_app.pages import _trees
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.trees import LocationsState

S = LocationsState


@page("/locations", "Locations", Permission.PRODUCTS_VIEW, on_load=[S.load])
def locations() -> rx.Component:
    """Show the tree and the dialogs that change it."""
    return rx.fragment(
        tables.list_page(
            _table(),
            title="Locations",
            sub=rx.fragment(S.rows.length().to_string(), " in all, ", S.closed.to_string(), " closed"),
            actions=[listing.export("locations"), gates.can(Permission.PRODUCTS_MANAGE, _new())],
        ),
        _trees.create_dialog(
            S,
            "location",
            S.create_location,
            _kind("create"),
            parent="Stands in",
            sub="A place where stock is kept, or goes through",
        ),
        _trees.edit_dialog(S, "location", S.update_location, _kind("edit"), parent="Stands in"),
    )


def _new() -> rx.Component:
    return button("New location", icon_name="plus", tone="solid", on_click=S.open_create(None))


def _kind(which: str) -> rx.Component:
    control = forms.select(
        "kind", list(LOCATION_KINDS.items()), id=f"f-{which}-kind", value=S.values.get("kind", "storage").to(str)
    )
    return forms.field(
        "Kind",
        control,
        error=forms.problem(S.errors, "kind"),
        hint="Stock is kept in storage. The others hold what is on the way, lost, or at somebody else's.",
    )


def _table() -> rx.Component:
    return tables.table(
        tables.head(
            tables.column("Location"),
            tables.column("Code"),
            tables.column("Kind"),
            tables.column("Items there", numeric=True),
        ),
        tables.body(
            S.rows,
            _row,
            columns=4,
            loading=S.loading,
            empty=feedback.empty_state(
                "No locations yet",
                "A location is a place where stock is: a building, a room, a shelf. One can stand in another.",
                gates.can(Permission.PRODUCTS_MANAGE, _new()),
                icon_name="map-pin",
            ),
            shape=("60%", "64px", "64px", "48pxr"),
        ),
        label="Locations",
    )


def _row(row: rx.Var[LocationRow]) -> rx.Component:
    there = _trees.number_in(row.kept, row.href, "item", "items")
    return tables.row(
        tables.cell(_trees.branch(row, phone=" · " + row.kind_label), card="title"),
        tables.cell(ident(row.code)),
        tables.cell(row.kind_label),
        tables.cell(
            _trees.with_menu(S, there, row, table="location", inside="New location in it…"),
            numeric=True,
            card="figure",
        ),
        key=row.id,
    )
