"""The dialogs over the supplier approvals: entering a supplier, and the decision on a phone."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, forms
from inventory_app.states.suppliers import SupplierState

S = SupplierState
D = SupplierState.detail


def decision_dialog(decision: str, verb: str, action: str) -> rx.Component:
    """Ask for the reason of a decision where the page has no room for it."""
    approving = decision == "approved"
    return dialogs.dialog(
        forms.hidden_input("supplier_id", D.id.to_string()),
        forms.hidden_input("version", D.version.to_string()),
        forms.hidden_input("decision", decision),
        forms.field(
            "Reason",
            forms.textarea("reason", id=f"f-reason-{decision}", rows=4, max_length=1_000, auto_focus=True),
            aside=rx.el.span("kept with the decision", class_name="aside"),
            error=forms.problem(S.errors, "reason"),
        ),
        open=S.dialog == decision,
        on_open_change=S.close,
        title=f"{verb} " + D.name + "?",
        primary=forms.submit(action, tone="solid" if approving else "destroy"),
        on_submit=S.decide,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
        size="s",
    )


def enter_dialog() -> rx.Component:
    """Ask for a new supplier."""

    def line(label: str, name: str, **props: Any) -> rx.Component:
        optional = props.pop("optional", True)
        return forms.field(
            label, forms.text_input(name, **props), error=forms.problem(S.errors, name), optional=optional
        )

    return dialogs.dialog(
        forms.fields_row(
            line("Name", "name", optional=False, required=True, max_length=200, auto_focus=True),
            line("Tax id", "tax_id", max_length=40),
        ),
        forms.fields_row(line("Contact", "contact_name"), line("Position", "contact_title", max_length=100)),
        forms.fields_row(line("Email", "email", type="email"), line("Phone", "phone", type="tel")),
        forms.fields_row(line("Website", "website", placeholder="https://"), line("Address", "address")),
        forms.fields_row(line("Postal code", "postal_code"), line("City", "city"), line("Country", "country")),
        forms.fields_row(
            line("Payment terms", "payment_terms", placeholder="30 days"),
            line("Currency", "currency", placeholder="EUR", max_length=3),
        ),
        forms.field(
            "Note for whoever decides",
            forms.textarea("message", rows=2, max_length=2_000),
            error=forms.problem(S.errors, "message"),
            optional=True,
        ),
        open=S.dialog == "enter",
        on_open_change=S.close,
        title="Enter a supplier",
        sub="It waits until somebody else approves it",
        status="Nothing is saved yet.",
        primary=forms.submit("Enter the supplier"),
        on_submit=S.create_supplier,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
        size="l",
    )
