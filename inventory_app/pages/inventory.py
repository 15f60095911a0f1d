"""Stock: what is where, and everything people do with it."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, tables
from inventory_app.components.basics import button, icon_button, ident, when
from inventory_app.components.trail import history_href
from inventory_app.models.stock import WHY_ADJUST, WHY_COUNT, WHY_TRANSFER, Reason
from inventory_app.operations.items import ItemRow
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states._stock_forms import Preview
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
            filters=_filters(),
            footer=tables.footer(bulk=_bulk(), pager=_pager()),
        ),
        _transfer_dialog(),
        _adjust_dialog(),
        _create_dialog(),
        _location_dialog(),
        _bulk_dialog(),
    )


def _sub() -> rx.Component:
    places = rx.cond(S.locations == 1, " location", " locations")
    worth = rx.cond(S.worth, rx.fragment(", worth ", rx.el.strong(S.worth)), rx.fragment())
    things = rx.cond(S.items == 1, " item at ", " items at ")
    return rx.fragment(S.items.to_string(), things, S.locations.to_string(), places, worth)


def _actions() -> list[rx.Component]:
    return [
        gates.can(Permission.INVENTORY_IMPORT, button("Import", icon_name="upload", href="/imports")),
        gates.can(
            Permission.PRODUCTS_MANAGE,
            button("New location", icon_name="map-pin", on_click=S.open_location),
        ),
        gates.can(
            Permission.INVENTORY_CREATE,
            button("New item", icon_name="plus", tone="solid", on_click=S.open_create),
        ),
    ]


def _tabs() -> rx.Component:
    return tables.tabs(
        tables.tab("All items", S.hrefs["tab_all"], count=S.items, active=S.tab == "all"),
        tables.tab("To reorder", S.hrefs["tab_reorder"], count=S.to_reorder, active=S.tab == "reorder"),
        tables.tab("None left", S.hrefs["tab_out"], count=S.out, active=S.tab == "out"),
    )


def _filters() -> rx.Component:
    by_location = rx.cond(
        S.location_name,
        tables.chip("Location", "is", S.location_name, remove_href=S.no_location_href),
        dialogs.menu(
            tables.chip_add("Location"),
            rx.foreach(S.location_hrefs, lambda pair: dialogs.menu_item(pair[0], href=pair[1])),
            align="start",
        ),
    )
    return tables.filter_bar(
        by_location,
        search=tables.search_field(
            value=S.q,
            on_change=S.search.debounce(250),
            placeholder="SKU, name, category",
            label="Search items",
        ),
        end=(rx.el.span(S.shown, class_name="muted"), tables.density()),
    )


def _table() -> rx.Component:
    prices = gates.may(Permission.PRICES_VIEW)

    def sorted_by(name: str) -> dict[str, rx.Var[str]]:
        return {"href": S.hrefs[name], "sort": rx.cond(S.sort == name, S.direction, "")}

    return tables.table(
        tables.head(
            tables.select_all(
                checked=(S.selected.length() > 0) & (S.selected.length() == S.rows.length()),
                mixed=(S.selected.length() > 0) & (S.selected.length() < S.rows.length()),
                on_change=S.select_all,
            ),
            tables.column("SKU", **sorted_by("sku")),
            tables.column("Product", **sorted_by("product")),
            tables.column("Location", **sorted_by("location")),
            tables.column("On hand", numeric=True, **sorted_by("on_hand")),
            rx.cond(prices, tables.column("Unit cost", numeric=True, hide="md"), rx.fragment()),
            rx.cond(prices, tables.column("Value", numeric=True, hide="sm", **sorted_by("value")), rx.fragment()),
            tables.column("Supplier", hide="lg"),
            tables.column("Updated", **sorted_by("changed")),
        ),
        tables.body(
            S.rows,
            _row,
            columns=9,
            loading=S.loading,
            empty=_empty(),
            shape=("16px", "64px", "60%", "50%", "64pxr", "48pxr", "56pxr", "60%", "70%"),
        ),
        label="Inventory",
    )


def _row(listed: rx.Var[ItemRow]) -> rx.Component:
    row = rx.cond(S.newer.contains(listed.id), S.newer[listed.id], listed)
    prices = gates.may(Permission.PRICES_VIEW)
    return tables.row(
        tables.check_cell(
            checked=S.selected.contains(row.id),
            on_change=lambda _: S.select(row.id),
            label="Select " + row.sku + " at " + row.location,
        ),
        tables.cell(ident(row.sku)),
        tables.cell(tables.two_line(row.product, _about(row), phone=_where(row)), card="title"),
        tables.cell(tables.two_line(row.location, rx.cond(row.in_all, row.in_all + " in all", ""), strong=False)),
        tables.cell(
            tables.level(row.on_hand, row.unit, fill=row.fill, rest=row.rest, tick=row.tick, state=row.level),
            numeric=True,
            card="figure",
        ),
        rx.cond(prices, tables.cell(tables.quantity(row.unit_cost), numeric=True, hide="md"), rx.fragment()),
        rx.cond(prices, tables.cell(tables.quantity(row.value), numeric=True, hide="sm"), rx.fragment()),
        tables.cell(tables.quantity(row.supplier), hide="lg"),
        tables.cell(
            tables.with_actions(
                tables.who(row.initials, row.changed_by, when(row.changed_at, row.changed_at)),
                gates.can(
                    Permission.INVENTORY_ADJUST,
                    icon_button("diff", "Adjust", on_click=S.open_adjust(row.id)),
                ),
                gates.can(
                    Permission.INVENTORY_TRANSFER,
                    icon_button("arrow-left-right", "Transfer", on_click=S.open_transfer(row.id)),
                ),
                gates.can(Permission.AUDIT_VIEW, icon_button("history", "History", href=_history(row))),
                _menu(row),
            ),
            card="foot",
        ),
        key=row.id,
        selected=S.selected.contains(row.id),
    )


def _about(row: rx.Var[ItemRow]) -> rx.Component:
    """Say what kind of product it is, and that it is not reordered any more."""
    gone = rx.cond(row.category, rx.fragment(row.category, ", discontinued"), "Discontinued")
    return rx.fragment(rx.cond(row.active, row.category, gone))


def _where(row: rx.Var[ItemRow]) -> rx.Component:
    in_all = rx.cond(row.in_all, rx.fragment(" · ", row.in_all, " in all"), rx.fragment())
    return rx.fragment(row.sku, " · ", row.location, in_all)


def _history(row: rx.Var[ItemRow]) -> rx.Var[str]:
    return history_href(("inventory_item", row.id))


def _menu(row: rx.Var[ItemRow]) -> rx.Component:
    """Offer on the phone, where a card has room for one button, everything the row offers elsewhere."""
    may_adjust, may_transfer = gates.may(Permission.INVENTORY_ADJUST), gates.may(Permission.INVENTORY_TRANSFER)
    may_audit = gates.may(Permission.AUDIT_VIEW)
    adjust = dialogs.menu_item("Adjust", icon_name="diff", on_select=S.open_adjust(row.id))
    transfer = dialogs.menu_item("Transfer", icon_name="arrow-left-right", on_select=S.open_transfer(row.id))
    menu = dialogs.menu(
        icon_button("ellipsis", "What can be done with " + row.product),
        rx.cond(may_adjust, adjust, rx.fragment()),
        rx.cond(may_transfer, transfer, rx.fragment()),
        rx.cond(may_audit, dialogs.menu_item("History", icon_name="history", href=_history(row)), rx.fragment()),
    )
    return rx.cond(may_adjust | may_transfer | may_audit, rx.el.span(menu, class_name="only-phone"), rx.fragment())


def _empty() -> rx.Component:
    searched = feedback.empty_state("Nothing matches", "Take off a filter, or search for something else.")
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


def _bulk() -> rx.Component:
    return tables.bulk_bar(
        S.selected.length(),
        gates.can(Permission.INVENTORY_BULK_UPDATE, button("Count", icon_name="clipboard-check", on_click=S.open_bulk)),
        on_clear=S.clear_selection,
    )


def _pager() -> rx.Component:
    return tables.pager(
        range=S.rows.length().to_string(),
        first=rx.cond(S.rows.length() > 0, S.rows[0].sku, ""),
        last=rx.cond(S.rows.length() > 0, S.rows[S.rows.length() - 1].sku, ""),
        previous_href=S.previous_href,
        next_href=S.next_href,
    )


def _about_item() -> rx.Component:
    return rx.fragment(rx.el.strong(S.item.product), " · ", ident(S.item.sku), " · ", S.item.location)


def _quantity_field(label: str, hint: rx.Component | None = None) -> rx.Component:
    return forms.field(
        label,
        forms.number_input(
            "quantity", suffix=S.item.unit, required=True, on_change=S.preview.debounce(150), auto_focus=True
        ),
        error=forms.problem(S.errors, "quantity"),
        hint=hint,
    )


def _reason(offered: tuple[Reason, ...]) -> rx.Component:
    return forms.field(
        "Reason",
        forms.select(
            "reason_code", [(reason.value, reason.label) for reason in offered], placeholder="Choose a reason"
        ),
        error=forms.problem(S.errors, "reason_code"),
    )


def _note() -> rx.Component:
    return forms.field("Note", forms.textarea("note", rows=2, max_length=2000), optional=True)


def _transfer_dialog() -> rx.Component:
    here = rx.fragment(S.item.on_hand, " ", S.item.unit, " available")
    there = rx.cond(S.there.now, rx.fragment(S.there.now, " there now"), "")
    return dialogs.dialog(
        forms.hidden_input("from_item_id", S.item.id.to_string()),
        forms.fields_row(
            forms.field("From", forms.shown("f-from", S.item.location), hint=here),
            forms.field(
                "To",
                forms.select(
                    "to_location_id",
                    S.targets,
                    placeholder="Choose where it goes",
                    required=True,
                    on_change=S.preview_target,
                ),
                error=forms.problem(S.errors, "to_location_id"),
                hint=there,
            ),
            arrow=True,
        ),
        _quantity_field("Quantity"),
        _reason(WHY_TRANSFER),
        _note(),
        dialogs.before_after(
            _then(S.here, S.item.location), _then(S.there, "Where it goes"), head="After the transfer"
        ),
        open=S.dialog == "transfer",
        on_open_change=S.close,
        title="Transfer stock",
        sub=_about_item(),
        status="Nothing has moved yet.",
        primary=forms.submit(rx.cond(S.asked, "Transfer " + S.asked, "Transfer")),
        on_submit=S.submit_transfer,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _then(side: rx.Var[Preview], otherwise: rx.Var[str] | str) -> tuple[Any, Any, Any, Any]:
    """Show one side of a change: now, by how much, then."""
    dash = rx.el.span("–", class_name="dim")
    wrong = side.then == "not possible"
    then = rx.cond(side.then, rx.el.span(side.then, class_name=rx.cond(wrong, "text-bad", "medium")), dash)
    name = rx.cond(side.place, side.place, rx.el.span(otherwise, class_name="muted"))
    return name, rx.cond(side.now, side.now, dash), rx.cond(side.change, side.change, dash), then


def _adjust_dialog() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("item_id", S.item.id.to_string()),
        _quantity_field(
            "Change by", rx.fragment("5 adds, -5 takes away; ", S.item.on_hand, " ", S.item.unit, " there now")
        ),
        _reason(WHY_ADJUST),
        _note(),
        dialogs.before_after(_then(S.here, S.item.location), head="After the change"),
        open=S.dialog == "adjust",
        on_open_change=S.close,
        title="Adjust stock",
        sub=_about_item(),
        status="Nothing has changed yet.",
        primary=forms.submit("Adjust"),
        on_submit=S.adjust_inventory,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _create_dialog() -> rx.Component:
    def line(label: str, name: str, **props: object) -> rx.Component:
        return forms.field(label, forms.text_input(name, **props), error=forms.problem(S.errors, name))

    def figure(label: str, name: str) -> rx.Component:
        return forms.field(label, forms.number_input(name, value="0"), error=forms.problem(S.errors, name))

    return dialogs.dialog(
        forms.fields_row(
            line("SKU", "sku", required=True, max_length=40, auto_focus=True),
            forms.field(
                "Unit",
                forms.select("unit_code", S.unit_choices, value="pcs"),
                error=forms.problem(S.errors, "unit_code"),
            ),
        ),
        line("Product name", "name", required=True),
        forms.fields_row(
            forms.field(
                "Location",
                forms.select("location_id", S.location_choices),
                error=forms.problem(S.errors, "location_id"),
            ),
            figure("Opening quantity", "quantity"),
        ),
        rx.cond(
            gates.may(Permission.PRICES_VIEW),
            forms.fields_row(figure("Unit cost", "unit_cost"), figure("Unit price", "unit_price")),
            rx.fragment(),
        ),
        forms.fields_row(figure("Reorder point", "reorder_point"), figure("Reorder quantity", "reorder_quantity")),
        open=S.dialog == "create",
        on_open_change=S.close,
        title="New item",
        sub="A product at a location, with what is there now",
        status="Nothing is saved yet.",
        primary=forms.submit("Add the item"),
        on_submit=S.create_inventory_item,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _location_dialog() -> rx.Component:
    return dialogs.dialog(
        forms.fields_row(
            forms.field(
                "Code", forms.text_input("code", required=True, max_length=20), error=forms.problem(S.errors, "code")
            ),
            forms.field(
                "Name",
                forms.text_input("name", id="f-location-name", required=True),
                error=forms.problem(S.errors, "name"),
            ),
        ),
        open=S.dialog == "location",
        on_open_change=S.close,
        title="New location",
        sub="A place where stock is kept",
        primary=forms.submit("Add the location"),
        on_submit=S.create_location,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _bulk_dialog() -> rx.Component:
    refused = rx.cond(
        S.errors.get("counts", ""), feedback.callout(S.errors["counts"].to(str), tone="bad"), rx.fragment()
    )
    return dialogs.dialog(
        refused,
        rx.el.ul(rx.foreach(S.picked, _count_line), class_name="counts"),
        _reason(WHY_COUNT),
        _note(),
        open=S.dialog == "bulk",
        on_open_change=S.close,
        title="Count the selected items",
        sub="Enter what is there. A row left empty was not counted. All counts are saved together, or none.",
        status="Nothing has changed yet.",
        primary=forms.submit("Save the counts"),
        on_submit=S.save_counts,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _count_line(row: rx.Var[ItemRow]) -> rx.Component:
    """Ask for the count of one item beside what the books say, with what is wrong with it below."""
    name = "q_" + row.id.to_string()
    wrong = S.errors.get(name, "").to(str)
    counted = rx.el.input(
        name=name,
        input_mode="decimal",
        auto_complete="off",
        class_name="ctl",
        aria_label="Counted: " + row.product + " at " + row.location,
        custom_attrs={
            "id": name,
            "aria-describedby": name + "-now " + name + "-error",
            "aria-invalid": rx.cond(wrong, "true", "false"),
        },
    )
    return rx.el.li(
        forms.hidden_input("r_" + row.id.to_string(), row.read_quantity),
        rx.el.div(
            tables.two_line(row.product, rx.fragment(ident(row.sku), " · ", row.location)), class_name="count-what"
        ),
        rx.el.div(
            rx.el.span("On record", class_name="meta"),
            rx.el.span(row.on_hand, rx.el.span(row.unit, class_name="unit"), class_name="strong"),
            class_name="count-now",
            custom_attrs={"id": name + "-now"},
        ),
        rx.el.div(counted, rx.el.span(row.unit, class_name="suffix"), class_name="ctl-wrap"),
        forms.fault(wrong, name + "-error"),
        class_name="field count-line",
        custom_attrs={"data-invalid": rx.cond(wrong, "true", "false")},
        key=row.id,
    )
