"""What to reorder: what is low, how long it lasts, and how much to order, with the reasons."""

import reflex as rx

from inventory_app.components import feedback, gates, listing, tables
from inventory_app.components.basics import link
from inventory_app.operations.reorder import LIST, USAGE_DAYS, LowRow
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.reorder import ReorderState

S = ReorderState


@page("/reorder", "To reorder", Permission.INVENTORY_VIEW, on_load=[S.load])
def reorder() -> rx.Component:
    """Show the products at or below their reorder point, the most urgent first."""
    return rx.fragment(
        rx.el.link(rel="stylesheet", href="/reorder.css", custom_attrs={"precedence": "page"}),
        tables.list_page(
            _table(),
            title="To reorder",
            sub=f"At or below the reorder point, all locations together. Usage: what was issued in {USAGE_DAYS} days.",
            actions=(listing.export("reorder"),),
            filters=listing.toolbar(S, search="Search products", placeholder="SKU, name, category"),
            footer=_footer(),
        ),
    )


def _table() -> rx.Component:
    return listing.table(
        S,
        LIST,
        _cells,
        label="To reorder",
        named=lambda row: row.product,
        empty=_empty(),
        shape=("60%", "64px", "40px", "40px", "50%", "60%"),
        hide={"category": "lg", "supplier": "md", "available": "md", "point": "lg"},
        selectable=False,
    )


def _cells(row: rx.Var[LowRow]) -> dict[str, rx.Component]:
    to_product = link(row.product, href="/products/" + row.id.to_string(), plain=True, class_name="rowlink")
    found = gates.can(Permission.PRODUCTS_VIEW, to_product, otherwise=rx.el.span(row.product))
    on_hand = rx.fragment(row.on_hand, rx.el.span(" of ", row.reorder_point, class_name="unit of"))
    held = rx.cond(row.reserved, row.reserved + " reserved", "")
    order = rx.fragment(
        rx.el.span("Order ", class_name="only-phone"), row.suggested, " ", rx.el.span(row.unit, class_name="unit")
    )
    return {
        "product": tables.cell(tables.two_line(found, row.sku), card="title"),
        "sku": tables.cell(row.sku),
        "left": tables.cell(
            tables.level(on_hand, row.unit, fill=row.fill, tick=row.tick, state=row.level), numeric=True, card="figure"
        ),
        "available": tables.cell(tables.two_line(row.available, held, strong=False), numeric=True, hide="md"),
        "days": tables.cell(row.days, numeric=True),
        "point": tables.cell(tables.quantity(row.reorder_point), numeric=True, hide="lg"),
        "category": tables.cell(tables.quantity(row.category), hide="lg"),
        "supplier": tables.cell(tables.quantity(row.supplier), hide="md"),
        "suggested": tables.cell(
            rx.el.div(rx.el.strong(order), rx.el.small(row.why, class_name="why"), class_name="order-of"), card="foot"
        ),
    }


def _empty() -> rx.Component:
    searched = listing.nothing_matches(S)
    nothing = feedback.empty_state(
        "Nothing runs low", "Products at or below their reorder point come here.", icon_name="boxes"
    )
    return rx.cond(S.products > 0, searched, nothing)


def _footer() -> rx.Component:
    some = S.rows.length() > 0
    return listing.footer(
        S,
        first=rx.cond(some, S.rows[0].sku, ""),
        last=rx.cond(some, S.rows[S.rows.length() - 1].sku, ""),
    )
