"""The dialogs of the stock list: transfer, adjust, count, a new item."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, tables
from inventory_app.components.basics import ident
from inventory_app.operations.items import ItemRow
from inventory_app.permissions import Permission
from inventory_app.states._stock_forms import Preview
from inventory_app.states.inventory import InventoryState

S = InventoryState


def stock_dialogs() -> rx.Component:
    """Return every dialog that changes stock; at most one is open."""
    return rx.fragment(
        _transfer_dialog(),
        _adjust_dialog(),
        _create_dialog(),
        _bulk_dialog(),
    )


def lot_of(row: rx.Var[ItemRow]) -> rx.Component:
    """Name the lot where lots are kept."""
    return rx.cond(row.lot, rx.fragment(" · lot ", row.lot), rx.fragment())


def _about_item() -> rx.Component:
    return rx.fragment(rx.el.strong(S.item.product), " · ", ident(S.item.sku), lot_of(S.item), " · ", S.item.location)


def _quantity_field(label: str, hint: rx.Component | None = None) -> rx.Component:
    return forms.field(
        label,
        forms.number_input(
            "quantity", suffix=S.item.unit, required=True, on_change=S.preview.debounce(150), auto_focus=True
        ),
        error=forms.problem(S.errors, "quantity"),
        hint=hint,
    )


def _reason(use: str) -> rx.Component:
    return forms.field(
        "Reason",
        forms.select("reason_code", S.reasons.get(use, []).to(list[tuple[str, str]]), placeholder="Choose a reason"),
        error=forms.problem(S.errors, "reason_code"),
    )


def _note() -> rx.Component:
    return forms.field("Note", forms.textarea("note", rows=2, max_length=2000), optional=True)


def _transfer_dialog() -> rx.Component:
    here = rx.fragment(S.available, " ", S.item.unit, " available")
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
        _reason("transfer"),
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
        _reason("adjust"),
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


def _bulk_dialog() -> rx.Component:
    refused = rx.cond(
        S.errors.get("counts", ""), feedback.callout(S.errors["counts"].to(str), tone="bad"), rx.fragment()
    )
    return dialogs.dialog(
        refused,
        rx.el.ul(rx.foreach(S.picked, _count_line), class_name="counts"),
        _reason("count"),
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
