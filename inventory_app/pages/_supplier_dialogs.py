"""What the pages of suppliers share: entering one, the decision on a phone, its fields and its status."""

from collections.abc import Callable
from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms
from inventory_app.components.basics import link, when
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
        *([valid_until_field("f-until-phone")] if approving else []),
        open=S.dialog == decision,
        on_open_change=S.close,
        title=f"{verb} " + D.name + "?",
        primary=forms.submit(action, tone="solid" if approving else "destroy"),
        on_submit=S.decide,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
        size="s",
    )


def valid_until_field(ident: str) -> rx.Component:
    """Ask for the last day of an approval."""
    control = forms.text_input(
        "valid_until", id=ident, type="date", value=D.valid_until, key=D.id.to_string() + "-" + D.version.to_string()
    )
    return forms.field(
        "Valid until",
        control,
        error=forms.problem(S.errors, "valid_until"),
        optional=True,
        hint="People are reminded before; nothing is ordered after.",
    )


def status_badge(status: rx.Var[str]) -> rx.Component:
    """Name what was decided about a supplier; only what needs somebody has a colour."""
    return rx.match(
        status,
        ("pending", feedback.badge("Waiting", tone="accent")),
        ("approved", feedback.quiet_badge("Approved", dot="ok")),
        ("rejected", feedback.quiet_badge("Rejected", dot="bad")),
        feedback.badge("Suspended", tone="warn"),
    )


def found_in(check: Any) -> rx.Component:
    """Say what a check found, and lead to the other supplier it is about."""
    return rx.cond(check.href, link(check.found, href=check.href), rx.fragment(check.found))


def decision_facts(detail: Any) -> rx.Component:
    """Say what was decided, by whom, when and why."""
    said = rx.cond(detail.reason, rx.el.bdi(detail.reason, class_name="lines"), rx.el.span("–", class_name="dim"))
    at = rx.cond(detail.decided_at, when(detail.decided_at, detail.decided_at, style="full"), "–")
    return feedback.facts(
        [
            ("Decision", detail.status.capitalize()),
            ("By", rx.cond(detail.decided, detail.decided, "An import")),
            ("When", at),
            ("Reason", said),
            ("Valid until", rx.cond(detail.ends, detail.ends, "no end")),
        ]
    )


def fields_of_supplier(errors: rx.Var[dict[str, str]], value: Callable[[str], Any]) -> list[rx.Component]:
    """Ask for what one enters and corrects about a supplier; `value` is what a field starts with."""

    def line(label: str, name: str, **props: Any) -> rx.Component:
        optional = props.pop("optional", True)
        control = forms.text_input(name, value=value(name), **props)
        return forms.field(label, control, error=forms.problem(errors, name), optional=optional)

    return [
        forms.fields_row(
            line("Name", "name", optional=False, required=True, max_length=200, auto_focus=True),
            line("Tax id", "tax_id", max_length=40),
        ),
        forms.fields_row(line("Contact", "contact_name"), line("Position", "contact_title", max_length=100)),
        forms.fields_row(line("Email", "email", type="email"), line("Phone", "phone", type="tel")),
        forms.fields_row(line("Website", "website", placeholder="https://"), _address(errors, value)),
        forms.fields_row(line("Postal code", "postal_code"), line("City", "city"), line("Country", "country")),
        forms.fields_row(
            line("Payment terms", "payment_terms", placeholder="30 days"),
            line("Currency", "currency", placeholder="EUR", max_length=3),
        ),
    ]


def _address(errors: rx.Var[dict[str, str]], value: Callable[[str], Any]) -> rx.Component:
    # Several lines: one that was applied with must not lose its line breaks when something else is corrected.
    control = forms.textarea("address", value=value("address"), rows=1, max_length=500)
    return forms.field("Address", control, error=forms.problem(errors, "address"), optional=True)


def enter_dialog() -> rx.Component:
    """Ask for a new supplier."""
    return dialogs.dialog(
        *fields_of_supplier(S.errors, lambda _: ""),
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
