"""Prices: all of them, what is planned, and what the stock is worth."""

from typing import Any

import reflex as rx

from inventory_app.components import charts, dialogs, feedback, forms, gates, layout, listing, prices, tables
from inventory_app.components.basics import button, icon_button, ident, link, when
from inventory_app.operations._price_list import LIST
from inventory_app.operations.price_files import LARGEST_FILE
from inventory_app.operations.pricing import PlannedRow, PriceRow, Share
from inventory_app.pages._change_dialogs import bulk_change_dialogs
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.pricing import (
    PATH,
    PLANNED_PATH,
    VALUE_PATH,
    PlannedPriceState,
    PricingState,
    StockValueState,
)

S = PricingState
P = PlannedPriceState
V = StockValueState
#: What State holds is a Var in the browser, whose attributes no type checker knows.
H: Any = S.history


@page(PATH, "Prices", Permission.PRICES_VIEW, on_load=[S.load])
def pricing() -> rx.Component:
    """Show the list of prices and the dialogs that change them."""
    return rx.fragment(
        tables.list_page(
            _table(),
            title="Prices",
            sub=rx.fragment(S.products.to_string(), rx.cond(S.products == 1, " product", " products")),
            actions=_actions(),
            tabs=_tabs("prices"),
            filters=listing.toolbar(S, search="Search prices", placeholder="SKU, name, category"),
            footer=_footer(),
        ),
        _price_dialog(),
        _file_dialog(),
        _history_dialog(),
        bulk_change_dialogs(),
    )


def _actions() -> list[rx.Component]:
    from_file = button("From a file", icon_name="upload", on_click=S.open_file)
    return [
        listing.export("prices"),
        button("Sets of changes", icon_name="list-checks", href="/changes?kind=prices"),
        gates.can(Permission.PRICES_UPDATE, from_file),
    ]


def _tabs(active: str) -> rx.Component:
    def view(label: str, option: str) -> rx.Component:
        shown = active == "prices"
        href = PATH + (f"?view={option}" if option else "")
        return tables.tab(label, href, active=(S.filters.get("view", "") == option) if shown else False)

    return tables.tabs(
        view("All prices", ""),
        view("Without a price", "none"),
        view("Below cost", "below"),
        tables.tab("Planned", PLANNED_PATH, active=active == "planned"),
        tables.tab("Stock value", VALUE_PATH, active=active == "value"),
    )


def _table() -> rx.Component:
    return listing.table(
        S,
        LIST,
        _cells,
        label="Prices",
        named=lambda row: row.product,
        empty=_empty(),
        shape=("16px", "64px", "60%", "50%", "64pxr", "64pxr", "48pxr", "70%"),
        hide={"category": "md", "unit_cost": "md", "margin": "sm", "value": "lg"},
        selects=Permission.PRICES_UPDATE,
    )


def _cells(row: rx.Var[PriceRow]) -> dict[str, rx.Component]:
    gone = rx.cond(row.active, "", "Archived")
    planned = rx.cond(row.planned, rx.fragment("New price from ", row.planned), rx.fragment())
    since = rx.cond(row.since, when(row.since, row.since), "no change on record")
    change = icon_button("pencil", "Change the price", on_click=S.open_price(row.id))
    return {
        "sku": tables.cell(ident(row.sku)),
        "product": tables.cell(
            tables.two_line(
                row.product,
                gone,
                href="/products/" + row.id.to_string(),
                phone=rx.fragment(row.sku, " · cost ", row.unit_cost),
            ),
            card="title",
        ),
        "category": tables.cell(tables.quantity(row.category), hide="md"),
        "unit_cost": tables.cell(row.unit_cost, numeric=True, hide="md"),
        "unit_price": tables.cell(row.unit_price, numeric=True, strong=True, card="figure"),
        "margin": tables.cell(tables.quantity(row.margin), numeric=True, hide="sm"),
        "value": tables.cell(tables.quantity(row.value), numeric=True, hide="lg"),
        "changed": tables.cell(
            tables.with_actions(
                tables.two_line(since, planned, strong=False),
                icon_button("chart-no-axes-column", "Price history", on_click=S.open_history(row.id)),
                gates.can(Permission.PRICES_UPDATE, change),
                _menu(row),
            ),
            card="foot",
        ),
    }


def _menu(row: rx.Var[PriceRow]) -> rx.Component:
    """Offer on the phone, where a card has room for one button, everything the row offers elsewhere."""
    change = dialogs.menu_item("Change the price", icon_name="pencil", on_select=S.open_price(row.id))
    menu = dialogs.menu(
        icon_button("ellipsis", "What can be done with " + row.product),
        rx.cond(gates.may(Permission.PRICES_UPDATE), change, rx.fragment()),
        dialogs.menu_item("Price history", icon_name="chart-no-axes-column", on_select=S.open_history(row.id)),
    )
    return rx.el.span(menu, class_name="only-phone")


def _empty() -> rx.Component:
    searched = listing.nothing_matches(S)
    lesson = feedback.empty_state(
        "No products yet", "A product has a price from the moment it is added or imported.", icon_name="tag"
    )
    return rx.cond(S.products > 0, searched, lesson)


def _footer() -> rx.Component:
    some = S.rows.length() > 0
    return listing.footer(
        S,
        gates.can(Permission.PRICES_UPDATE, button("Change prices", icon_name="percent", on_click=S.open_prices)),
        gates.can(
            Permission.PRODUCTS_MANAGE, button("Change the products", icon_name="pencil", on_click=S.open_products)
        ),
        first=rx.cond(some, S.rows[0].sku, ""),
        last=rx.cond(some, S.rows[S.rows.length() - 1].sku, ""),
    )


def _about() -> rx.Component:
    return rx.cond(H, rx.fragment(rx.el.strong(H.product), " · ", ident(H.sku), " · ", H.price, " now"), rx.fragment())


def _price_dialog() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("product_id", rx.cond(H, H.product_id.to_string(), "")),
        forms.hidden_input("read_price", rx.cond(H, H.read_price, "")),
        forms.fields_row(
            forms.field(
                "New price",
                forms.number_input("new_price", required=True, auto_focus=True),
                error=forms.problem(S.errors, "new_price"),
            ),
            forms.field(
                "Valid from",
                forms.text_input("valid_from", type="date"),
                error=forms.problem(S.errors, "valid_from"),
                hint="Empty: now.",
            ),
        ),
        forms.field(
            "Why",
            forms.textarea("reason", id="f-price-reason", rows=2, max_length=1000),
            error=forms.problem(S.errors, "reason"),
            optional=True,
        ),
        open=S.dialog == "price",
        on_open_change=S.close,
        title="Change the price",
        sub=_about(),
        status="Nothing has changed yet.",
        primary=forms.submit("Change the price"),
        on_submit=S.save_price,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _file_dialog() -> rx.Component:
    """Ask for a file, which the browser itself posts."""
    return dialogs.dialog(
        forms.native_form(
            forms.field(
                "CSV file",
                rx.el.input(
                    type="file",
                    name="file",
                    accept=".csv,.txt,.tsv,text/csv",
                    required=True,
                    class_name="ctl",
                    custom_attrs={"id": "f-prices-file", "data-most": str(LARGEST_FILE)},
                ),
                hint="With a header, and the columns sku and price.",
            ),
            forms.field(
                "Valid from",
                forms.text_input("effective_on", id="f-file-day", type="date"),
                hint="Empty: as soon as it is applied.",
            ),
            forms.field("Why", forms.text_input("reason", id="f-file-reason", max_length=1000), optional=True),
            forms.form_footer(forms.submit("Show the difference")),
            action="/prices/file",
            custom_attrs={"encType": "multipart/form-data"},
        ),
        open=S.dialog == "file",
        on_open_change=S.close,
        title="Prices from a file",
        sub="You see every price before anything changes. A file with a fault is refused as a whole.",
    )


def _history_dialog() -> rx.Component:
    return dialogs.dialog(
        rx.cond(H, prices.price_history(H), rx.fragment()),
        open=S.dialog == "history",
        on_open_change=S.close,
        title="Price history",
        sub=_about(),
        cancel="Close",
        size="l",
    )


@page(
    PLANNED_PATH,
    "Planned prices",
    Permission.PRICES_VIEW,
    on_load=[P.load],
    crumbs=("Stock", ("Prices", PATH)),
    back=PATH,
)
def planned() -> rx.Component:
    """List what waits for its day."""
    return rx.fragment(
        tables.list_page(
            tables.table(
                tables.head(
                    tables.column("From"),
                    tables.column("Product"),
                    tables.column("Now", numeric=True),
                    tables.column("New price", numeric=True),
                    tables.column("Why", hide="md"),
                    tables.column(rx.el.span("What can be done", class_name="sr")),
                ),
                tables.body(
                    P.rows,
                    _planned_row,
                    columns=6,
                    loading=P.loading,
                    empty=feedback.empty_state(
                        "No price is planned",
                        "Give a new price a later day: it counts from the beginning of that day (UTC).",
                        icon_name="calendar",
                    ),
                ),
                label="Planned prices",
            ),
            title="Planned prices",
            sub="Each counts from the beginning of its day (UTC), and can be cancelled until then.",
            actions=(listing.export("planned"),),
            tabs=_tabs("planned"),
            footer=tables.footer(
                pager=tables.pager(
                    range=P.rows.length().to_string(), previous_href=P.previous_href, next_href=P.next_href
                )
            ),
        ),
        dialogs.confirm(
            open=P.asking,
            on_open_change=P.close,
            title="Cancel the planned price?",
            text=rx.cond(P.asked, rx.fragment(P.asked.product, " keeps its price on ", P.asked.day, "."), ""),
            action="Cancel it",
            on_confirm=P.cancel_planned(rx.cond(P.asked, P.asked.id, 0)),
            turn=P.turn,
        ),
    )


def _planned_row(row: rx.Var[PlannedRow]) -> rx.Component:
    in_set = rx.cond(row.change_set, rx.fragment(" ", link("Set of changes", href=row.change_set)), rx.fragment())
    cancel = button("Cancel", on_click=P.open_cancel(row.id), aria_label="Cancel the planned price of " + row.product)
    return tables.row(
        tables.cell(row.day, card="foot", phone=rx.fragment("from ", row.day)),
        tables.cell(tables.two_line(row.product, row.sku), card="title"),
        tables.cell(row.now, numeric=True),
        tables.cell(row.price, numeric=True, strong=True, card="figure"),
        tables.cell(rx.el.bdi(row.reason), in_set, hide="md"),
        tables.cell(gates.can(Permission.PRICES_UPDATE, cancel), card="end"),
        key=row.id,
    )


@page(
    VALUE_PATH, "Stock value", Permission.PRICES_VIEW, on_load=[V.load], crumbs=("Stock", ("Prices", PATH)), back=PATH
)
def value() -> rx.Component:
    """Show what the stock is worth now, as a chart and as a table."""
    table = tables.table(
        tables.head(
            tables.column("Category"),
            tables.column("Products", numeric=True),
            tables.column("Value", numeric=True),
            tables.column("Share", numeric=True),
        ),
        tables.body(
            V.shares,
            _share,
            columns=4,
            loading=V.loading,
            empty=feedback.empty_state("Nothing is in stock", "What is received has a value at its cost."),
        ),
        label="Stock value by category",
    )
    return rx.fragment(
        rx.el.link(rel="stylesheet", href="/home.css", custom_attrs={"precedence": "page"}),
        tables.list_page(
            rx.el.div(
                layout.even(
                    layout.card(
                        charts.bars(
                            rx.foreach(V.shares, lambda one: charts.bar(one.name, one.value, one.percent, key=one.name))
                        ),
                        title="By category",
                    ),
                    layout.card(table, title="The same as a table", flush=True),
                ),
                class_name="list-inset",
            ),
            title="Stock value",
            sub=rx.fragment(rx.el.strong(V.total), " in ", V.products, " products, at the moving average cost"),
            tabs=_tabs("value"),
        ),
    )


def _share(row: rx.Var[Share]) -> rx.Component:
    return tables.row(
        tables.cell(row.name, card="title"),
        tables.cell(row.products, numeric=True),
        tables.cell(row.value, numeric=True, card="figure"),
        tables.cell(row.share, numeric=True, card="foot"),
        key=row.name,
    )
