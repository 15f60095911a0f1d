"""Products: the catalogue as a list."""

import reflex as rx

from inventory_app.components import feedback, gates, listing, tables
from inventory_app.components.basics import button, ident, link, when
from inventory_app.operations._product_list import LIST, ProductRow
from inventory_app.pages._page import page
from inventory_app.pages._product_dialogs import create_dialog
from inventory_app.permissions import Permission
from inventory_app.states.products import PATH, ProductsState

S = ProductsState


@page(PATH, "Products", Permission.PRODUCTS_VIEW, on_load=[S.load])
def products() -> rx.Component:
    """Show the list and the dialog that adds one."""
    return rx.fragment(
        tables.list_page(
            _table(),
            title="Products",
            sub=rx.fragment(S.active.to_string(), " in use, ", S.archived.to_string(), " archived"),
            actions=_actions(),
            tabs=tables.tabs(
                listing.tab(S, "view", "", "All", S.everything),
                listing.tab(S, "view", "active", "In use", S.active),
                listing.tab(S, "view", "reorder", "To reorder", S.to_reorder),
                listing.tab(S, "view", "archived", "Archived", S.archived),
            ),
            filters=listing.toolbar(S, search="Search products", placeholder="SKU, name, barcode"),
            footer=_footer(),
        ),
        create_dialog(),
    )


def _actions() -> list[rx.Component]:
    return [
        listing.export("products"),
        gates.can(Permission.INVENTORY_IMPORT, button("Import", icon_name="upload", href="/imports")),
        gates.can(Permission.PRODUCTS_MANAGE, _new()),
    ]


def _new() -> rx.Component:
    return button("New product", icon_name="plus", tone="solid", on_click=S.open_create)


def _table() -> rx.Component:
    return listing.table(
        S,
        LIST,
        _cells,
        label="Products",
        named=lambda row: row.name,
        empty=_empty(),
        shape=("64px", "60%", "50%", "64pxr", "60%", "70%"),
        hide={"unit_cost": "md", "unit_price": "md", "supplier": "lg", "category": "md"},
        selectable=False,
        changed=True,
    )


def _cells(row: rx.Var[ProductRow]) -> dict[str, rx.Component]:
    archived = rx.cond(row.active, rx.fragment(), feedback.badge("Archived"))
    on_the_phone = rx.fragment(row.sku, rx.cond(row.category, " · " + row.category, ""))
    named = tables.two_line(
        rx.el.bdi(row.name), archived, href=row.href, phone=rx.fragment(on_the_phone, " ", archived)
    )
    picture = rx.el.img(src=row.picture, alt="", width="32", height="32", loading="lazy", class_name="thumb")
    shown = rx.el.span(rx.cond(row.picture, picture, rx.fragment()), named, class_name="who")
    return {
        "sku": tables.cell(ident(row.sku)),
        "name": tables.cell(shown, tables.changed_by(S.changed.get(row.id, "")), card="title"),
        "category": tables.cell(tables.quantity(row.category), hide="md"),
        "unit": tables.cell(row.unit),
        "on_hand": tables.cell(
            tables.level(row.on_hand, row.unit, fill=row.fill, tick=row.tick, state=row.level),
            numeric=True,
            card="figure",
        ),
        "reorder_point": tables.cell(tables.quantity(row.reorder_point), numeric=True),
        "unit_cost": tables.cell(tables.quantity(row.unit_cost), numeric=True, hide="md"),
        "unit_price": tables.cell(tables.quantity(row.unit_price), numeric=True, hide="md"),
        "supplier": tables.cell(
            rx.cond(
                row.supplier_href,
                link(rx.el.bdi(row.supplier), href=row.supplier_href, plain=True),
                tables.quantity(row.supplier),
            ),
            hide="lg",
        ),
        "changed": tables.cell(
            tables.who(row.initials, row.changed_by, when(row.changed_at, row.changed_at)), card="foot"
        ),
    }


def _empty() -> rx.Component:
    searched = listing.nothing_matches(S)
    lesson = feedback.empty_state(
        "No products yet",
        "A product is something you keep, buy or sell. Add one, or import the list you have.",
        gates.can(Permission.PRODUCTS_MANAGE, _new()),
        gates.can(Permission.INVENTORY_IMPORT, button("Import", icon_name="upload", href="/imports")),
        icon_name="package",
    )
    return rx.cond(S.everything > 0, searched, lesson)


def _footer() -> rx.Component:
    some = S.rows.length() > 0
    return listing.footer(
        S,
        first=rx.cond(some, S.rows[0].sku, ""),
        last=rx.cond(some, S.rows[S.rows.length() - 1].sku, ""),
        selectable=False,
    )
