"""Receiving, issuing, sending, reserving and revaluing: the dialogs, and the ways to them from any list of items."""

import functools
import operator
from typing import Any

import reflex as rx

from inventory_app.components import dialogs, forms, gates, layout
from inventory_app.components.basics import button, icon_button, ident, when
from inventory_app.operations.reservations import ReservationRow
from inventory_app.permissions import Permission
from inventory_app.states.stock_entries import StockEntryState

S = StockEntryState


def entry_items(item_id: rx.Var[int]) -> list[rx.Component]:
    """Return the entries of a menu about an item; each is there for people who may."""

    def entry(permission: Permission, label: str, icon_name: str, handler: Any) -> rx.Component:
        item = dialogs.menu_item(label, icon_name=icon_name, on_select=handler(item_id))
        return rx.cond(gates.may(permission), item, rx.fragment())

    return [
        entry(Permission.INVENTORY_ADJUST, "Receive", "package-plus", S.open_receive),
        entry(Permission.INVENTORY_ADJUST, "Issue", "package-minus", S.open_issue),
        entry(Permission.INVENTORY_TRANSFER, "Send", "truck", S.open_send),
        entry(Permission.INVENTORY_ADJUST, "Reserve", "bookmark", S.open_reserve),
        entry(Permission.PRICES_UPDATE, "Revalue", "scale", S.open_revalue),
    ]


def entry_menu(item_id: rx.Var[int], product: rx.Var[str]) -> rx.Component:
    """Offer them beside the buttons of a row; on the phone the row's own menu has them."""
    menu = dialogs.menu(icon_button("ellipsis", "Receive, issue, send or reserve " + product), *entry_items(item_id))
    return rx.cond(may_enter(), rx.el.span(menu, class_name="no-phone"), rx.fragment())


def may_enter() -> rx.Var[bool]:
    """Whether any of the entries is there for the person."""
    needs = (Permission.INVENTORY_ADJUST, Permission.INVENTORY_TRANSFER, Permission.PRICES_UPDATE)
    first, *others = (gates.may(permission) for permission in needs)
    return functools.reduce(operator.or_, others, first)


def receive_button(sku: rx.Var[str] | str = "") -> rx.Component:
    """Offer to receive a product anywhere; `sku` when the page is about one."""
    asked = button("Receive", icon_name="package-plus", on_click=S.open_receive_product(sku))
    return gates.can(Permission.INVENTORY_ADJUST, asked)


def entry_dialogs() -> rx.Component:
    """Return the dialogs: once on each page that offers them; at most one is open."""
    return rx.fragment(_receive(), _receive_product(), _issue(), _send(), _reserve(), _revalue())


def _about() -> rx.Component:
    lot = rx.cond(S.item.lot, rx.fragment(" · lot ", S.item.lot), rx.fragment())
    return rx.fragment(rx.el.strong(S.item.product), " · ", ident(S.item.sku), lot, " · ", S.item.location)


def _held() -> rx.Component:
    on_hand = rx.fragment(S.item.on_hand, " ", S.item.unit, " on hand")
    return rx.fragment(on_hand, rx.cond(S.item.reserved, rx.fragment(", ", S.available, " available"), ""))


def _quantity(label: str = "Quantity", hint: rx.Component | None = None) -> rx.Component:
    return forms.field(
        label,
        forms.number_input(
            "quantity",
            id="f-entry-quantity",
            suffix=S.item.unit,
            required=True,
            on_change=S.preview.debounce(150),
            auto_focus=True,
        ),
        error=forms.problem(S.errors, "quantity"),
        hint=_held() if hint is None else hint,
    )


def _reason(use: str) -> rx.Component:
    return forms.field(
        "Reason",
        forms.select(
            "reason_code",
            S.reasons.get(use, []).to(list[tuple[str, str]]),
            id="f-entry-reason",
            placeholder="Choose a reason",
        ),
        error=forms.problem(S.errors, "reason_code"),
    )


def _happened() -> rx.Component:
    return forms.field(
        "Happened on",
        forms.text_input("occurred_on", type="date", value=S.today, max=S.today),
        error=rx.cond(
            forms.problem(S.errors, "occurred_on"),
            forms.problem(S.errors, "occurred_on"),
            forms.problem(S.errors, "occurred_at"),
        ),
        hint="An earlier day is booked at today's average cost and shows as such.",
    )


def _note() -> rx.Component:
    return forms.field("Note", forms.textarea("note", id="f-entry-note", rows=2, max_length=2000), optional=True)


def _then(head: str, name: rx.Var[str] | None = None) -> rx.Component:
    dash = rx.el.span("–", class_name="dim")
    wrong = S.here.then == "not possible"
    then = rx.cond(S.here.then, rx.el.span(S.here.then, class_name=rx.cond(wrong, "text-bad", "medium")), dash)
    return dialogs.before_after(
        (S.here.place if name is None else name, S.here.now, rx.cond(S.here.change, S.here.change, dash), then),
        head=head,
    )


def _dialog(kind: str, *body: rx.Component, title: str, primary: str, on_submit: Any, status: str) -> rx.Component:
    return dialogs.dialog(
        *body,
        open=S.dialog == kind,
        on_open_change=S.close,
        title=title,
        sub=_about(),
        status=status,
        primary=forms.submit(primary),
        on_submit=on_submit,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _lot(hint: str) -> rx.Component:
    return forms.fields_row(
        forms.field(
            "Lot",
            forms.text_input("lot_code", value=rx.cond(S.item, S.item.lot, ""), max_length=60),
            error=forms.problem(S.errors, "lot_code"),
            hint=hint,
        ),
        forms.field(
            "Good until",
            forms.text_input("expires_on", type="date"),
            error=forms.problem(S.errors, "expires_on"),
            optional=True,
        ),
    )


def _cost() -> rx.Component:
    field = forms.field(
        "Unit cost",
        forms.number_input("unit_cost"),
        error=forms.problem(S.errors, "unit_cost"),
        hint="Makes the new average. Left empty, it comes at the average there is.",
        optional=True,
    )
    return gates.can(Permission.PRICES_VIEW, field)


def _receive() -> rx.Component:
    return _dialog(
        "receive",
        forms.hidden_input("item_id", S.item.id.to_string()),
        _quantity(),
        rx.cond(S.item.lot, _lot("Another lot gets an item of its own here."), rx.fragment()),
        _cost(),
        forms.fields_row(_reason("receive"), _happened()),
        _note(),
        _then("After the receipt"),
        title="Receive stock",
        primary="Receive",
        on_submit=S.receive_inventory,
        status="Nothing has come in yet.",
    )


def _receive_product() -> rx.Component:
    return dialogs.dialog(
        forms.fields_row(
            forms.field(
                "SKU",
                forms.text_input("sku", id="f-entry-sku", value=S.sku, required=True, max_length=40, auto_focus=True),
                error=forms.problem(S.errors, "sku"),
            ),
            forms.field(
                "Location",
                forms.select("location_id", S.locations, id="f-entry-location", placeholder="Choose where it is"),
                error=forms.problem(S.errors, "location_id"),
            ),
        ),
        forms.field(
            "Quantity",
            forms.number_input("quantity", id="f-entry-quantity", required=True),
            error=forms.problem(S.errors, "quantity"),
        ),
        _lot("Only where the product is kept by lot."),
        _cost(),
        forms.fields_row(_reason("receive"), _happened()),
        _note(),
        open=S.dialog == "receive_product",
        on_open_change=S.close,
        title="Receive a product",
        sub="Into the location where it is now; it may be new there.",
        status="Nothing has come in yet.",
        primary=forms.submit("Receive"),
        on_submit=S.receive_product,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _issue() -> rx.Component:
    return _dialog(
        "issue",
        forms.hidden_input("item_id", S.item.id.to_string()),
        _quantity(),
        forms.fields_row(_reason("issue"), _happened()),
        forms.field("For", forms.text_input("reference", max_length=200), hint="An order, a person.", optional=True),
        _note(),
        _then("After the issue"),
        title="Issue stock",
        primary="Issue",
        on_submit=S.issue_inventory,
        status="Nothing has gone out yet.",
    )


def _send() -> rx.Component:
    return _dialog(
        "send",
        forms.hidden_input("from_item_id", S.item.id.to_string()),
        forms.field(
            "To",
            forms.select(
                "to_location_id", S.targets, id="f-entry-to", placeholder="Choose where it goes", required=True
            ),
            error=forms.problem(S.errors, "to_location_id"),
            hint="It is in transit until somebody there accepts it.",
        ),
        _quantity(),
        _note(),
        _then("Once it is sent"),
        title="Send stock",
        primary="Send",
        on_submit=S.send_shipment,
        status="Nothing is on its way yet.",
    )


def _reserve() -> rx.Component:
    kept = layout.card(
        layout.rows(rx.foreach(S.kept_back, _reservation)),
        title="Reserved already",
        flush=True,
        custom_attrs={"data-turn": S.turn},
    )
    return _dialog(
        "reserve",
        forms.hidden_input("item_id", S.item.id.to_string()),
        rx.cond(S.kept_back.length() > 0, kept, rx.fragment()),
        forms.fields_row(
            _quantity(),
            forms.field(
                "Until the end of",
                forms.text_input("until", type="date", min=S.today, required=True),
                error=rx.cond(
                    forms.problem(S.errors, "until"),
                    forms.problem(S.errors, "until"),
                    forms.problem(S.errors, "expires_at"),
                ),
            ),
        ),
        forms.field(
            "For",
            forms.text_input("reference", id="f-entry-for", max_length=200),
            hint="An order, a person.",
            optional=True,
        ),
        _note(),
        _then("Available afterwards"),
        title="Reserve stock",
        primary="Reserve",
        on_submit=S.reserve,
        status="Nothing is reserved yet.",
    )


def _revalue() -> rx.Component:
    stock = rx.fragment(S.worth.in_stock, " in all, worth ", S.worth.value)
    return _dialog(
        "revalue",
        forms.hidden_input("product_id", S.worth.product_id.to_string()),
        forms.field(
            "Unit cost",
            forms.number_input("unit_cost", id="f-entry-cost", value=S.worth.unit_cost, required=True, auto_focus=True),
            error=forms.problem(S.errors, "unit_cost"),
            hint=stock,
        ),
        forms.field(
            "Why",
            forms.textarea("note", id="f-entry-why", rows=2, max_length=2000, required=True),
            error=forms.problem(S.errors, "note"),
        ),
        title="Revalue the product",
        primary="Revalue",
        on_submit=S.revalue_product,
        status="The difference is booked where the stock is.",
    )


def _reservation(row: rx.Var[ReservationRow]) -> rx.Component:
    key = S.idempotency_key + "-" + row.id.to_string()
    free = button("Release", size="s", once=True, aria_label="Release " + row.quantity, on_click=S.release(row.id, key))
    return layout.row_item(
        rx.fragment(row.quantity, rx.cond(row.reference, rx.fragment(" for ", rx.el.bdi(row.reference)), "")),
        rx.fragment("by ", row.created_by, ", until ", when(row.expires_at, row.expires_at, style="full")),
        end=free,
        key=row.id,
    )
