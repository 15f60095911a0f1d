"""Shipments: what is on its way between locations, and taking it in."""

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, listing, tables
from inventory_app.components.basics import button, ident, when
from inventory_app.operations._shipment_list import LIST
from inventory_app.operations.shipments import ShipmentRow
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.shipments import PATH, ShipmentsState

S = ShipmentsState


@page(PATH, "Shipments", Permission.INVENTORY_VIEW, on_load=[S.load])
def shipments() -> rx.Component:
    """Show what is on its way, and what has arrived."""
    some = S.rows.length() > 0
    return rx.fragment(
        tables.list_page(
            _table(),
            title="Shipments",
            sub="Stock on its way between two locations. Send it from the inventory.",
            actions=(listing.export("shipments"),),
            tabs=listing.tabs(
                S,
                listing.tab(S, "status", "", "All", S.everything),
                listing.tab(S, "status", "sent", "On their way", S.under_way),
                listing.tab(S, "status", "accepted", "Arrived", ""),
            ),
            filters=listing.toolbar(S, search="Search shipments", placeholder="SKU, name, category"),
            footer=listing.footer(
                S,
                first=rx.cond(some, S.rows[0].product, ""),
                last=rx.cond(some, S.rows[S.rows.length() - 1].product, ""),
                selectable=False,
            ),
        ),
        _accept(),
    )


def _table() -> rx.Component:
    searched = listing.nothing_matches(S, "Take off a filter, or search for another product.")
    lesson = feedback.empty_state(
        "Nothing is on its way",
        "Send a part of an item from the inventory: it is in transit until somebody accepts it.",
        button("Inventory", href="/inventory"),
        icon_name="truck",
    )
    return listing.table(
        S,
        LIST,
        _cells,
        label="Shipments",
        named=lambda row: row.product,
        empty=rx.cond(S.chips.length() + S.q.length() > 0, searched, lesson),
        shape=("64px", "60%", "50%", "50%", "48pxr", "60%", "70%"),
        hide={"sent": "md", "by": "lg", "lost": "lg", "number": "lg", "lot": "lg"},
        selectable=False,
    )


def _cells(row: rx.Var[ShipmentRow]) -> dict[str, rx.Component]:
    lot = rx.cond(row.lot, rx.fragment("Lot ", row.lot), rx.fragment())
    way = rx.fragment(row.from_location, " → ", row.to_location)
    return {
        "number": tables.cell(ident(row.id.to_string()), hide="lg"),
        "sku": tables.cell(ident(row.sku)),
        "product": tables.cell(tables.two_line(row.product, lot, phone=way), card="title"),
        "lot": tables.cell(tables.quantity(row.lot), hide="lg"),
        "from": tables.cell(row.from_location),
        "to": tables.cell(row.to_location),
        "quantity": tables.cell(tables.quantity(row.quantity + " " + row.unit), numeric=True, card="figure"),
        "sent": tables.cell(rx.fragment(row.sent_by, ", ", when(row.sent_at, row.sent_at)), hide="md"),
        "by": tables.cell(row.sent_by, hide="lg"),
        "lost": tables.cell(tables.quantity(row.lost), numeric=True, hide="lg"),
        "arrived": tables.cell(rx.cond(row.status == "sent", _to_accept(row), _arrived(row)), card="foot"),
    }


def _to_accept(row: rx.Var[ShipmentRow]) -> rx.Component:
    return gates.can(
        Permission.INVENTORY_TRANSFER,
        button("Accept", size="s", aria_label="Accept " + row.product, on_click=S.open_accept(row.id)),
        otherwise=feedback.badge("On its way"),
    )


def _arrived(row: rx.Var[ShipmentRow]) -> rx.Component:
    lost = rx.cond(row.lost, feedback.badge(row.lost + " lost", tone="warn"), rx.fragment())
    return rx.fragment(
        row.arrived, " ", row.unit, ", ", row.accepted_by, ", ", when(row.accepted_at, row.accepted_at), " ", lost
    )


def _accept() -> rx.Component:
    way = rx.fragment(rx.el.strong(S.row.product), " · ", S.row.from_location, " → ", S.row.to_location)
    return dialogs.dialog(
        forms.hidden_input("shipment_id", S.row.id.to_string()),
        forms.field(
            "Arrived",
            forms.number_input("accepted", value=S.row.asked, suffix=S.row.unit, required=True, auto_focus=True),
            error=forms.problem(S.errors, "accepted"),
            hint=rx.fragment(S.row.quantity, " ", S.row.unit, " were sent. What is missing goes to a loss location."),
        ),
        forms.field("Note", forms.textarea("note", rows=2, max_length=2000), optional=True),
        open=S.accepting,
        on_open_change=S.close_accept,
        title="Accept the shipment",
        sub=way,
        status="Nothing has arrived yet.",
        primary=forms.submit("Accept"),
        on_submit=S.accept_shipment,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )
