"""Categories: the catalogue's branches."""

import reflex as rx

from inventory_app.components import feedback, gates, listing, tables
from inventory_app.components.basics import button, ident
from inventory_app.operations.categories import CategoryRow
from inventory_app.pages import _trees
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.trees import CategoriesState

S = CategoriesState


@page("/categories", "Categories", Permission.PRODUCTS_VIEW, on_load=[S.load])
def categories() -> rx.Component:
    """Show the tree and the dialogs that change it."""
    return rx.fragment(
        tables.list_page(
            _table(),
            title="Categories",
            sub=rx.fragment(S.rows.length().to_string(), " in all, ", S.closed.to_string(), " closed"),
            actions=[listing.export("categories"), gates.can(Permission.PRODUCTS_MANAGE, _new())],
        ),
        _trees.create_dialog(
            S,
            "category",
            S.create_category,
            parent="Part of",
            sub="A group of products, by itself or in another",
        ),
        _trees.edit_dialog(S, "category", S.update_category, parent="Part of"),
    )


def _new() -> rx.Component:
    return button("New category", icon_name="plus", tone="solid", on_click=S.open_create(None))


def _table() -> rx.Component:
    return tables.table(
        tables.head(tables.column("Category"), tables.column("Code"), tables.column("Products", numeric=True)),
        tables.body(
            S.rows,
            _row,
            columns=3,
            loading=S.loading,
            empty=feedback.empty_state(
                "No categories yet",
                "They group products, in lists and in figures. One can stand in another.",
                gates.can(Permission.PRODUCTS_MANAGE, _new()),
                icon_name="folder-tree",
            ),
            shape=("60%", "64px", "48pxr"),
        ),
        label="Categories",
    )


def _row(row: rx.Var[CategoryRow]) -> rx.Component:
    inside = _trees.number_in(row.products, row.href, "product", "products")
    return tables.row(
        tables.cell(_trees.branch(row, phone=""), card="title"),
        tables.cell(ident(row.code)),
        tables.cell(
            _trees.with_menu(S, inside, row, table="category", inside="New category in it…"),
            numeric=True,
            card="figure",
        ),
        key=row.id,
    )
