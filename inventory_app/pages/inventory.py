"""Stock: what is where, and everything people do with it."""

import reflex as rx

from inventory_app.components import dialogs, feedback, gates, listing, tables
from inventory_app.components.basics import button, icon_button, ident, when
from inventory_app.components.trail import history_href
from inventory_app.operations._item_list import LIST
from inventory_app.operations.items import ItemRow
from inventory_app.pages._change_dialogs import bulk_change_dialogs
from inventory_app.pages._entry_dialogs import entry_dialogs, entry_items, entry_menu, may_enter, receive_button
from inventory_app.pages._page import page
from inventory_app.pages._stock_dialogs import stock_dialogs
from inventory_app.pages._take_back import take_back_parts
from inventory_app.permissions import Permission
from inventory_app.states.inventory import InventoryState

S = InventoryState


@page("/inventory", "Inventory", Permission.INVENTORY_VIEW, on_load=[S.load])
def inventory() -> rx.Component:
    """Show the list and the dialogs that change it."""
    return rx.fragment(
        tables.list_page(
            rx.cond(S.note, rx.el.p(S.note, class_name="list-note"), rx.fragment()),
            _table(),
            title="Inventory",
            sub=_sub(),
            actions=_actions(),
            tabs=_tabs(),
            filters=listing.toolbar(S, search="Search items", placeholder="SKU, name, lot, category"),
            footer=_footer(),
        ),
        stock_dialogs(),
        entry_dialogs(),
        take_back_parts(),
        bulk_change_dialogs(),
    )


def _sub() -> rx.Component:
    places = rx.cond(S.locations == 1, " location", " locations")
    worth = rx.cond(S.worth, rx.fragment(", worth ", rx.el.strong(S.worth)), rx.fragment())
    things = rx.cond(S.items == 1, " item at ", " items at ")
    as_of = rx.cond(S.as_of, rx.fragment(", as of ", when(S.as_of, S.as_of)), rx.fragment())
    whole = rx.fragment(S.items.to_string(), things, S.locations.to_string(), places, worth, as_of)
    return rx.cond(S.items == 0, "Nothing is kept anywhere yet", whole)


def _actions() -> list[rx.Component]:
    return [
        listing.export("inventory"),
        gates.can(Permission.INVENTORY_IMPORT, button("Import", icon_name="upload", href="/imports")),
        receive_button(),
        gates.can(
            Permission.PRODUCTS_MANAGE,
            button("Locations", icon_name="map-pin", href="/locations"),
        ),
        gates.can(
            Permission.INVENTORY_CREATE,
            button("New item", icon_name="plus", tone="solid", on_click=S.open_create),
        ),
    ]


def _tabs() -> rx.Component:
    return listing.tabs(
        S,
        listing.tab(S, "view", "", "All items", S.items),
        listing.tab(S, "view", "reorder", "To reorder", S.to_reorder),
        listing.tab(S, "view", "out", "None left", S.out),
    )


def _table() -> rx.Component:
    return listing.table(
        S,
        LIST,
        _cells,
        label="Inventory",
        named=lambda row: row.sku + " at " + row.location,
        empty=_empty(),
        shape=("16px", "64px", "60%", "50%", "64pxr", "60%", "70%"),
        hide={"category": "lg", "unit_cost": "md", "value": "sm", "supplier": "lg"},
        changed=True,
        shown=lambda listed: rx.cond(S.newer.contains(listed.id), S.newer[listed.id], listed),
    )


def _cells(row: rx.Var[ItemRow]) -> dict[str, rx.Component]:
    return {
        "sku": tables.cell(
            gates.can(
                Permission.PRODUCTS_VIEW,
                ident(row.sku, href="/products/" + row.product_id.to_string()),
                otherwise=ident(row.sku),
            )
        ),
        "product": tables.cell(
            tables.two_line(row.product, _about(row), phone=_where(row), href="/inventory/" + row.id.to_string()),
            tables.changed_by(S.changed.get(row.id, "")),
            card="title",
        ),
        "category": tables.cell(tables.quantity(row.category), hide="lg"),
        "location": tables.cell(
            tables.two_line(
                row.location,
                rx.fragment(
                    rx.cond(row.in_all, row.in_all + " in all", ""),
                    rx.cond(row.in_all & row.reserved, ", ", ""),
                    rx.cond(row.reserved, row.reserved + " reserved", ""),
                ),
                strong=False,
            )
        ),
        "on_hand": tables.cell(
            tables.level(row.on_hand, row.unit, fill=row.fill, rest=row.rest, tick=row.tick, state=row.level),
            numeric=True,
            card="figure",
        ),
        "unit_cost": tables.cell(tables.quantity(row.unit_cost), numeric=True, hide="md"),
        "value": tables.cell(tables.quantity(row.value), numeric=True, hide="sm"),
        "supplier": tables.cell(tables.quantity(row.supplier), hide="lg"),
        "changed": tables.cell(
            tables.with_actions(
                tables.who(
                    row.initials,
                    rx.el.bdi(row.changed_by, title=row.changed_username),
                    when(row.changed_at, row.changed_at),
                ),
                gates.can(
                    Permission.INVENTORY_ADJUST,
                    icon_button("diff", "Adjust", on_click=S.open_adjust(row.id)),
                ),
                gates.can(
                    Permission.INVENTORY_TRANSFER,
                    icon_button("arrow-left-right", "Transfer", on_click=S.open_transfer(row.id)),
                ),
                gates.can(
                    Permission.INVENTORY_BULK_UPDATE,
                    icon_button("clipboard-check", "Count", on_click=S.open_count(row.id)),
                ),
                gates.can(Permission.AUDIT_VIEW, icon_button("history", "History", href=_history(row))),
                entry_menu(row.id, row.product),
                _menu(row),
            ),
            card="foot",
        ),
    }


def _about(row: rx.Var[ItemRow]) -> rx.Component:
    """Say what kind of product it is, of which lot, and that it is not reordered any more."""
    gone = rx.cond(row.category, rx.fragment(row.category, ", archived"), "Archived")
    lot = rx.cond(row.lot, rx.fragment(rx.cond(row.category, ", ", ""), "lot ", row.lot), rx.fragment())
    return rx.fragment(rx.cond(row.active, row.category, gone), lot)


def _where(row: rx.Var[ItemRow]) -> rx.Component:
    in_all = rx.cond(row.in_all, rx.fragment(" · ", row.in_all, " in all"), rx.fragment())
    lot = rx.cond(row.lot, rx.fragment(" · lot ", row.lot), rx.fragment())
    reserved = rx.cond(row.reserved, rx.fragment(" · ", row.reserved, " reserved"), rx.fragment())
    return rx.fragment(row.sku, lot, " · ", row.location, in_all, reserved)


def _history(row: rx.Var[ItemRow]) -> rx.Var[str]:
    return history_href(("inventory_item", row.id))


def _menu(row: rx.Var[ItemRow]) -> rx.Component:
    """Offer on the phone, where a card has room for one button, everything the row offers elsewhere."""
    may_adjust, may_transfer = gates.may(Permission.INVENTORY_ADJUST), gates.may(Permission.INVENTORY_TRANSFER)
    may_audit = gates.may(Permission.AUDIT_VIEW)
    may_count = gates.may(Permission.INVENTORY_BULK_UPDATE)
    count = dialogs.menu_item("Count", icon_name="clipboard-check", on_select=S.open_count(row.id))
    adjust = dialogs.menu_item("Adjust", icon_name="diff", on_select=S.open_adjust(row.id))
    transfer = dialogs.menu_item("Transfer", icon_name="arrow-left-right", on_select=S.open_transfer(row.id))
    menu = dialogs.menu(
        icon_button("ellipsis", "What can be done with " + row.product),
        rx.cond(may_adjust, adjust, rx.fragment()),
        rx.cond(may_transfer, transfer, rx.fragment()),
        rx.cond(may_count, count, rx.fragment()),
        *entry_items(row.id),
        rx.cond(may_audit, dialogs.menu_item("History", icon_name="history", href=_history(row)), rx.fragment()),
    )
    return rx.cond(may_enter() | may_audit, rx.el.span(menu, class_name="only-phone"), rx.fragment())


def _empty() -> rx.Component:
    searched = listing.nothing_matches(S)
    lesson = feedback.empty_state(
        "No items yet",
        "An item is a product at a location. Add one, or import the list you have.",
        gates.can(
            Permission.INVENTORY_CREATE,
            button("New item", icon_name="plus", tone="solid", on_click=S.open_create),
        ),
        gates.can(Permission.INVENTORY_IMPORT, button("Import", icon_name="upload", href="/imports")),
        icon_name="boxes",
    )
    return rx.cond(S.items > 0, searched, lesson)


def _footer() -> rx.Component:
    count = button("Count", icon_name="clipboard-check", on_click=S.open_bulk)
    some = S.rows.length() > 0
    return listing.footer(
        S,
        gates.can(Permission.INVENTORY_BULK_UPDATE, count),
        gates.can(
            Permission.INVENTORY_BULK_UPDATE, button("Change quantities", icon_name="diff", on_click=S.open_quantities)
        ),
        gates.can(Permission.PRICES_UPDATE, button("Change prices", icon_name="percent", on_click=S.open_prices)),
        gates.can(
            Permission.PRODUCTS_MANAGE, button("Change the products", icon_name="pencil", on_click=S.open_products)
        ),
        first=rx.cond(some, S.rows[0].sku, ""),
        last=rx.cond(some, S.rows[S.rows.length() - 1].sku, ""),
    )
