"""One item: what is there and why, how it came to be, and what can be done with it."""

from typing import Any

import reflex as rx

from inventory_app.components import charts, dialogs, feedback, gates, layout, tables
from inventory_app.components.basics import Content, Text, button, icon, icon_button, ident, link, when
from inventory_app.components.trail import history_href
from inventory_app.operations._movement_lines import MovementLine
from inventory_app.operations.item_page import Promise
from inventory_app.pages import _trail
from inventory_app.pages._entry_dialogs import entry_dialogs, entry_items
from inventory_app.pages._moment import picker
from inventory_app.pages._movement_cells import aside, record, what
from inventory_app.pages._page import page
from inventory_app.pages._stock_dialogs import stock_dialogs
from inventory_app.pages._take_back import take_back_parts
from inventory_app.permissions import Permission
from inventory_app.states.inventory import InventoryState
from inventory_app.states.item import ITEMS, ItemState

S = ItemState
D = ItemState.item
W = ItemState.why


@page(
    ITEMS + "/[item]",
    "Item",
    Permission.INVENTORY_VIEW,
    on_load=[S.load],
    crumbs=("Stock", ("Inventory", ITEMS)),
    heading=rx.cond(D.is_not_none(), D.sku + " at " + D.location, ""),
    back=ITEMS,
)
def item() -> rx.Component:
    """Show the item, or that there is none at this address, and the dialogs that change it."""
    return rx.fragment(
        rx.el.link(rel="stylesheet", href="/charts.css", custom_attrs={"precedence": "page"}),
        rx.cond(S.loading, layout.page_skeleton(), rx.cond(D.is_not_none(), _found(), _missing())),
        stock_dialogs(),
        entry_dialogs(),
        take_back_parts(),
    )


def _missing() -> rx.Component:
    return feedback.missing("item", "All items", ITEMS, icon_name="boxes")


def _found() -> rx.Component:
    return rx.fragment(
        layout.page_head(rx.el.bdi(D.product), badge=_level(), sub=_about(), actions=_actions()),
        _figures(),
        layout.columns(
            layout.column(_why()),
            layout.column(_course(), rx.cond(S.promises.length() > 0, _promised(), rx.fragment())),
        ),
        gates.can(Permission.AUDIT_VIEW, rx.el.div(_history(), class_name="below")),
    )


def _level() -> rx.Component:
    return rx.match(
        D.level,
        ("low", feedback.badge("Below reorder point", tone="warn")),
        ("out", feedback.badge("None left anywhere", tone="bad")),
        ("none", feedback.badge("None here")),
        rx.cond(D.active, rx.fragment(), feedback.badge("Archived")),
    )


def _about() -> rx.Component:
    def part(text: Any, shown: Any = None) -> rx.Component:
        return rx.cond(text, rx.fragment(" · ", text if shown is None else shown), rx.fragment())

    supplier = link(D.supplier, href="/suppliers/" + D.supplier_id.to_string())
    to_product = ident(D.sku, href="/products/" + D.product_id.to_string())
    return rx.fragment(
        # The bar of the phone says what and where, not what it is called.
        rx.el.strong(D.product, class_name="only-phone"),
        gates.can(Permission.PRODUCTS_VIEW, to_product, otherwise=ident(D.sku)),
        part(D.category),
        part(D.location),
        part(D.lot, rx.fragment("lot ", D.lot)),
        part(D.unit),
        part(D.supplier, gates.can(Permission.SUPPLIERS_VIEW, supplier, otherwise=rx.el.span(D.supplier))),
    )


def _actions() -> tuple[rx.Component, ...]:
    I = InventoryState  # noqa: E741, N806  # the State of the dialogs
    history = history_href(("inventory_item", D.id), ("product", D.product_id))
    more = dialogs.menu(
        icon_button("ellipsis", "More about this item"),
        dialogs.menu_item("All movements", icon_name="list", href=S.movements_href),
        *entry_items(D.id),
        rx.cond(
            gates.may(Permission.AUDIT_VIEW),
            dialogs.menu_item("Everything in the audit trail", icon_name="history", href=history),
            rx.fragment(),
        ),
    )
    return (
        more,
        gates.can(
            Permission.INVENTORY_BULK_UPDATE,
            button("Count", icon_name="clipboard-check", on_click=I.open_count(D.id)),
        ),
        gates.can(
            Permission.INVENTORY_TRANSFER,
            button("Transfer", icon_name="arrow-left-right", on_click=I.open_transfer(D.id)),
        ),
        gates.can(
            Permission.INVENTORY_ADJUST,
            button("Adjust", icon_name="plus", tone="solid", on_click=I.open_adjust(D.id)),
        ),
    )


def _figures() -> rx.Component:
    changed = rx.fragment("changed ", when(D.changed_at, D.changed_at))
    plain: list[tuple[Text, Content, Text, Content]] = [
        ("On hand", D.on_hand, D.unit, changed),
        ("Reserved", D.reserved, D.unit, D.reserved_meta),
        ("Available", D.available, D.unit, "on hand less reserved"),
        ("Elsewhere", D.elsewhere, D.unit, "of this product"),
        ("Reorder point", D.reorder_point, rx.cond(D.reorder_point == "–", "", D.unit), D.reorder_meta),
    ]
    worth: list[tuple[Text, Content, Text, Content]] = [
        ("Unit cost", D.unit_cost, D.currency, "moving average"),
        ("Value", D.value, D.currency, D.value_meta),
    ]
    return rx.cond(D.unit_cost, layout.stats(*plain, *worth), layout.stats(*plain))


# Why it is that much


def _why() -> rx.Component:
    was = rx.cond(S.at_words, "Why was it ", "Why is it ")
    many = rx.fragment(W.lines.length().to_string(), " of ", (W.earlier + W.lines.length()).to_string(), " movements")
    everything = rx.fragment((W.lines.length()).to_string(), rx.cond(W.lines.length() == 1, " movement", " movements"))
    return layout.card(
        tables.table(
            tables.head(
                tables.column("When"),
                tables.column("What happened"),
                tables.column("Record", hide="md"),
                tables.column("Change", numeric=True),
                tables.column("Balance", numeric=True),
                _value_head(),
                tables.column("By", hide="sm"),
            ),
            rx.el.tbody(
                rx.cond(W.earlier > 0, _earlier(), rx.fragment()),
                rx.foreach(W.lines, _line),
                role="rowgroup",
            ),
            label="Movements",
            density="compact",
        ),
        title=rx.fragment(was, W.quantity, "?"),
        note=rx.cond(W.earlier > 0, many, everything),
        end=link("All movements", href=S.movements_href),
        foot=_sum(),
        flush=True,
        class_name="why",
    )


def _value_head() -> rx.Component:
    return rx.cond(D.unit_cost, tables.column("Value", numeric=True, hide="lg"), rx.fragment())


def _earlier() -> rx.Component:
    said = rx.fragment(W.earlier.to_string(), rx.cond(W.earlier == 1, " movement before", " movements before"))
    return rx.el.tr(
        tables.cell("", hide="sm"),
        tables.cell(said, card="title"),
        tables.cell("", hide="md"),
        tables.cell("", hide="sm"),
        tables.cell(W.before, numeric=True, card="figure"),
        rx.cond(D.unit_cost, tables.cell("", hide="lg"), rx.fragment()),
        tables.cell("", hide="sm"),
        class_name="earlier",
        role="row",
    )


def _line(row: rx.Var[MovementLine]) -> rx.Component:
    who = rx.el.span(row.who, class_name="clip")
    return tables.row(
        tables.cell(when(row.recorded_at, row.recorded_at, style="full")),
        tables.cell(
            tables.two_line(
                what(row),
                aside(row),
                strong=False,
                phone=aside(row, when(row.recorded_at, row.recorded_at, style="full"), " · ", row.who),
            ),
            card="title",
            class_name="why-what",
        ),
        tables.cell(record(row), hide="md"),
        tables.cell(row.change, numeric=True, card="end"),
        tables.cell(rx.el.strong(row.balance), numeric=True, card="figure"),
        rx.cond(D.unit_cost, tables.cell(row.value, numeric=True, hide="lg"), rx.fragment()),
        tables.cell(who, hide="sm"),
        key=row.id,
    )


def _sum() -> rx.Component:
    balanced = rx.el.div(
        icon("check", 16, class_name="text-ok"),
        rx.el.div(
            rx.el.span(rx.el.strong(W.sum), " ", W.said, rx.cond(S.at_words, "", " The books balance.")),
            _parts(),
            class_name="grow",
        ),
        class_name="why-sum",
    )
    wrong = rx.el.div(
        icon("triangle-alert", 16, class_name="text-bad"),
        rx.el.div(
            rx.el.strong(W.sum),
            rx.el.span(
                " The item says ",
                D.on_hand,
                ": it does not hold what its movements come to. ",
                gates.can(
                    Permission.INVENTORY_REBUILD,
                    link("Check the books", href="/books"),
                    otherwise=rx.el.span("Tell whoever looks after the books."),
                ),
            ),
            class_name="grow",
        ),
        class_name="why-sum",
    )
    return rx.cond(W.balanced, balanced, wrong)


def _parts() -> rx.Component:
    return rx.el.span(
        rx.foreach(
            W.parts,
            lambda part, n: rx.fragment(
                rx.cond(n > 0, " · ", ""),
                part.label,
                " ",
                part.change,
                rx.cond(part.number > 1, " (" + part.number.to_string() + ")", ""),
            ),
        ),
        class_name="meta",
    )


# How much there was


def _course() -> rx.Component:
    seg = rx.el.div(
        rx.foreach(
            S.ranges,
            lambda one: link(
                one[0], href=one[1], plain=True, custom_attrs={"aria-current": rx.cond(one[2], "true", "false")}
            ),
        ),
        class_name="seg",
        role="group",
        aria_label="How far back",
    )
    return layout.card(
        picker(S, _then(), "Press the drawing to see a moment."),
        charts.over_time(S.chart, label="Quantity over time", figure="Quantity"),
        title="Quantity over time",
        end=seg,
    )


def _then() -> rx.Component:
    """Say what was there at the moment that is asked about."""
    return rx.el.p(
        rx.el.strong(S.then),
        " on ",
        S.at_words,
        rx.cond(S.then_value, rx.fragment(", worth ", S.then_value, " ", D.currency), rx.fragment()),
        rx.cond(S.way == "effective", ", with all that is known now. ", ", as far as was known then. "),
        link("Now", href=S.now_href),
        class_name="travel-then",
    )


def _promised() -> rx.Component:
    def line(row: rx.Var[Promise]) -> rx.Component:
        meta = rx.fragment(row.meta, " ", when(row.at, row.at))
        return layout.row_item(row.label, meta, end=rx.el.span(row.change, class_name="promise"), key=row.at)

    return layout.card(layout.rows(rx.foreach(S.promises, line)), title="Promised and expected", flush=True)


# What happened to it


def _history() -> rx.Component:
    turn = rx.el.nav(
        rx.cond(S.later_href, button("Later changes", href=S.later_href), rx.fragment()),
        rx.cond(S.earlier_href, button("Earlier changes", href=S.earlier_href), rx.fragment()),
        link("All of it in the audit trail", href=S.trail_href),
        class_name="row-x",
        aria_label="Pages of the history",
    )
    return layout.card(
        _trail.history(S.history),
        title="History",
        end=layout.segmented(
            ("Item", S.history_hrefs["item"], S.history_of == "item"),
            ("Product", S.history_hrefs["product"], S.history_of == "product"),
            label="History of",
        ),
        foot=turn,
        flush=True,
    )
