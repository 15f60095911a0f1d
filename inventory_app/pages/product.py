"""One product: what is known, where it is kept, what it cost, what happened to it, and what can be done with it."""

import reflex as rx

from inventory_app.components import feedback, gates, layout, tables
from inventory_app.components.basics import button, ident, link, stack, when
from inventory_app.components.documents import documents
from inventory_app.components.prices import price_history
from inventory_app.components.trail import history_href
from inventory_app.operations._product_views import KeptAt, KeptBack
from inventory_app.pages import _trail
from inventory_app.pages._entry_dialogs import entry_dialogs, receive_button
from inventory_app.pages._page import page
from inventory_app.pages._product_dialogs import archive_dialog, edit_dialog
from inventory_app.pages._supplier_products import terms_card
from inventory_app.pages._take_back import take_back_parts
from inventory_app.pages.lots import lots_card
from inventory_app.permissions import Permission
from inventory_app.states.documents import DocumentsState
from inventory_app.states.lots import ProductLotsState
from inventory_app.states.product_page import ProductPageState
from inventory_app.states.products import PATH
from inventory_app.states.supplier_products import SupplierProductsState

S = ProductPageState
D = ProductPageState.detail


@page(
    PATH + "/[product]",
    "Product",
    Permission.PRODUCTS_VIEW,
    on_load=[S.load, ProductLotsState.load, SupplierProductsState.load, DocumentsState.load],
    crumbs=("Catalogue", ("Products", PATH)),
    heading=rx.cond(D.is_not_none(), D.name, ""),
    back=PATH,
)
def product() -> rx.Component:
    """Show the product, or that there is none at this address."""
    return rx.fragment(
        rx.cond(S.loading, layout.page_skeleton(), rx.cond(D.is_not_none(), _found(), _missing())),
        edit_dialog(),
        entry_dialogs(),
        take_back_parts(),
        archive_dialog(),
    )


def _missing() -> rx.Component:
    return feedback.missing("product", "All products", PATH, icon_name="package")


def _found() -> rx.Component:
    return rx.fragment(
        layout.page_head(
            rx.el.bdi(D.name),
            badge=_badge(),
            sub=rx.fragment(ident(D.sku), rx.cond(D.category, " · " + D.category, "")),
            actions=_actions(),
        ),
        layout.columns(
            layout.column(
                gates.can(Permission.INVENTORY_VIEW, _kept()),
                rx.cond(D.kept_back.length() > 0, _kept_back(), rx.fragment()),
                rx.cond(D.lots_kept, lots_card(), rx.fragment()),
                terms_card(of_product=True),
                rx.cond(S.prices.is_not_none(), _prices(), rx.fragment()),
                documents(),
                rx.cond(S.changes.length() > 0, _history(), rx.fragment()),
            ),
            layout.column(_facts(), gates.can(Permission.PRICES_VIEW, _money()), _changed()),
        ),
    )


def _badge() -> rx.Component:
    level = rx.match(
        D.level,
        ("low", feedback.badge("To reorder", tone="warn")),
        ("out", feedback.badge("None left", tone="bad")),
        rx.fragment(),
    )
    return rx.cond(D.active, level, feedback.badge("Archived"))


def _actions() -> list[rx.Component]:
    archive = button("Archive", icon_name="archive", on_click=S.open_archive)
    restore = rx.el.span(
        button(
            "Restore",
            icon_name="archive-restore",
            once=True,
            on_click=S.restore_product(D.id, D.version, S.idempotency_key),
        ),
        custom_attrs={"data-turn": S.turn},
    )
    return [
        gates.can(Permission.AUDIT_VIEW, button("History", icon_name="history", href=history_href(("product", D.id)))),
        gates.can(Permission.PRODUCTS_MANAGE, rx.cond(D.active, archive, restore)),
        rx.cond(D.active, receive_button(D.sku), rx.fragment()),
        gates.can(Permission.PRODUCTS_MANAGE, button("Correct", icon_name="pencil", on_click=S.open_edit)),
    ]


def _dash() -> rx.Component:
    return rx.el.span("–", class_name="dim")


def _facts() -> rx.Component:
    def said(value: rx.Var[str]) -> rx.Component:
        return rx.cond(value, rx.el.bdi(value, class_name="lines"), _dash())

    def linked(value: rx.Var[str], href: rx.Var[str]) -> rx.Component:
        return rx.cond(value, link(rx.el.bdi(value), href=href), _dash())

    reorder = rx.cond(
        D.reorder_point,
        rx.fragment("at ", D.reorder_point, rx.cond(D.reorder_quantity, ", " + D.reorder_quantity + " at a time", "")),
        "not reordered",
    )
    supplier = gates.can(Permission.SUPPLIERS_VIEW, linked(D.supplier, D.supplier_href), otherwise=said(D.supplier))
    return layout.card(
        feedback.facts(
            [
                ("SKU", ident(D.sku)),
                ("Barcode", rx.cond(D.barcode, ident(D.barcode), _dash())),
                ("Category", linked(D.category, D.category_href)),
                ("Unit", D.unit),
                ("Stock by lot", rx.cond(D.lots_kept, "yes", "no")),
                ("Reorder", reorder),
                ("Supplier", supplier),
                ("Description", said(D.description)),
            ]
        ),
        title="What we know",
    )


def _money() -> rx.Component:
    return layout.card(
        feedback.facts(
            [
                ("Unit price", rx.fragment(D.unit_price, rx.el.span(D.currency, class_name="unit"))),
                ("Unit cost", rx.fragment(D.unit_cost, rx.el.span(D.currency, class_name="unit"))),
                (
                    "Stock value",
                    rx.cond(D.value, rx.fragment(D.value, rx.el.span(D.currency, class_name="unit")), _dash()),
                ),
            ]
        ),
        title="Price and cost",
    )


def _kept() -> rx.Component:
    more = rx.cond(
        D.more_places > 0,
        rx.el.span("and at ", D.more_places.to_string(), " more places", class_name="muted"),
        rx.fragment(),
    )
    shown = tables.table(
        tables.head(
            tables.column("Location"),
            _if_by_lot(tables.column("Lot")),
            _if_by_lot(tables.column("Good until")),
            tables.column("On hand", numeric=True),
        ),
        rx.el.tbody(rx.foreach(D.kept_at, _place)),
        label="Where it is kept",
    )
    nothing = feedback.empty_state(
        "Nothing on hand", "Stock appears here when it is received or moved in.", icon_name="boxes"
    )
    return layout.card(
        rx.cond(D.kept_at.length() > 0, shown, nothing),
        title="Where it is kept",
        end=rx.el.strong(D.on_hand),
        foot=rx.el.div(link("Its stock in the inventory", href=D.stock_href), more, class_name="row-x"),
        flush=True,
    )


def _if_by_lot(part: rx.Component) -> rx.Component:
    return rx.cond(D.lots_kept, part, rx.fragment())


def _place(row: rx.Var[KeptAt]) -> rx.Component:
    lot = rx.cond(row.lot, ident(row.lot), _dash())
    phone = rx.cond(row.lot, rx.fragment("Lot ", row.lot, rx.cond(row.expires_on, " until " + row.expires_on, "")), "")
    return tables.row(
        tables.cell(tables.two_line(rx.el.bdi(row.location), "", phone=phone, href=row.href), card="title"),
        _if_by_lot(tables.cell(lot)),
        _if_by_lot(tables.cell(tables.quantity(row.expires_on))),
        tables.cell(row.quantity, numeric=True, card="figure"),
        key=row.id,
    )


def _kept_back() -> rx.Component:
    def line(row: rx.Var[KeptBack]) -> rx.Component:
        meta = rx.fragment(
            rx.cond(row.reference, rx.fragment(rx.el.bdi(row.reference), " · "), ""),
            rx.el.bdi(row.by),
            ", until ",
            when(row.until, row.until, style="full"),
        )
        at = link(rx.el.bdi(row.location), href=row.href, plain=True, class_name="rowlink")
        return layout.row_item(at, meta, icon_name="bookmark", end=rx.el.strong(row.quantity), key=row.id)

    return layout.card(layout.rows(rx.foreach(D.kept_back, line)), title="Kept back", flush=True)


def _prices() -> rx.Component:
    return layout.card(
        price_history(S.prices),
        title="Price over time",
        end=link("In the list of prices", href="/pricing?q=" + D.sku),
        flush=True,
    )


def _history() -> rx.Component:
    turn = rx.el.nav(
        rx.cond(S.later_href, button("Later changes", href=S.later_href), rx.fragment()),
        rx.cond(S.earlier_href, button("Earlier changes", href=S.earlier_href), rx.fragment()),
        link("All of it in the audit trail", href=S.trail_href),
        class_name="row-x",
        aria_label="Pages of the history",
    )
    return layout.card(_trail.history(S.changes), title="History", foot=turn, flush=True)


def _changed() -> rx.Component:
    at = when(D.changed_at, D.changed_at, style="full")
    said = rx.cond(D.changed_by, rx.fragment("Last changed by ", rx.el.strong(D.changed_by), ", ", at), at)
    return layout.card(stack(rx.el.p(said, class_name="meta"), tight=True), title="Last change")
