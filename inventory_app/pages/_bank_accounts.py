"""The card of a supplier's bank accounts: what waits for whose release, and where money goes."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, layout
from inventory_app.components.basics import button, icon_button, row_of, when
from inventory_app.operations.bank_accounts import AccountRow
from inventory_app.permissions import Permission
from inventory_app.states.bank_accounts import BankAccountsState

S = BankAccountsState


def bank_accounts_card() -> rx.Component:
    """Show the accounts of the open supplier, with the dialogs that enter and retire them."""
    new = gates.can(Permission.SUPPLIERS_EDIT, button("New account", icon_name="plus", on_click=S.open_add))
    nothing = rx.el.div(
        rx.el.p("None yet. Whoever enters one does not release it, and no money goes to one that is not released."),
        class_name="card-body muted",
    )
    return rx.fragment(
        layout.card(
            rx.cond(S.rows.length() > 0, layout.rows(rx.foreach(S.rows, _line)), nothing),
            title="Bank accounts",
            end=new,
            flush=True,
        ),
        _add_dialog(),
        _retire_dialog(),
    )


def _line(row: rx.Var[AccountRow]) -> rx.Component:
    state = rx.match(
        row.status,
        ("pending", feedback.badge("Waits for release", tone="accent")),
        ("released", feedback.quiet_badge("Released", dot="ok")),
        ("rejected", feedback.quiet_badge("Rejected", dot="bad")),
        feedback.badge("Retired", dot=False),
    )
    of_bank = rx.cond(row.bank, rx.fragment(" · ", rx.el.bdi(row.bank)), rx.fragment())
    entered = rx.fragment("entered by ", row.entered, ", ", when(row.entered_at, row.entered_at))
    released = rx.cond(
        row.released,
        rx.fragment(" · released by ", row.released, ", ", when(row.released_at, row.released_at)),
        rx.fragment(),
    )
    reason = rx.cond(row.reason, rx.fragment(" · ", rx.el.bdi(row.reason)), rx.fragment())
    decide = rx.cond(
        (row.approval_id > 0) & (row.why_not == ""),
        button("Release or reject", href="/approvals?id=" + row.approval_id.to_string()),
        rx.fragment(),
    )
    change = rx.cond(
        row.status == "released",
        gates.can(
            Permission.SUPPLIERS_EDIT,
            row_of(
                icon_button("replace", "Replace the account " + row.iban, on_click=S.open_replace(row.id)),
                icon_button("ban", "Retire the account " + row.iban, on_click=S.open_retire(row.id)),
            ),
        ),
        rx.fragment(),
    )
    return layout.row_item(
        rx.fragment(rx.el.span(row.iban, class_name="id"), " ", row.currency, " ", state),
        rx.fragment(rx.el.bdi(row.holder), of_bank, " · ", entered, released, reason),
        icon_name="landmark",
        end=rx.fragment(decide, change),
        key=row.id,
    )


def _add_dialog() -> rx.Component:
    def ask(label: str, name: str, value: Any = "", *, optional: bool = True, **props: Any) -> rx.Component:
        control = forms.text_input(name, id=f"f-account-{name}", value=value, **props)
        return forms.field(label, control, error=forms.problem(S.errors, name), optional=optional)

    instead = rx.cond(
        S.account.is_not_none(),
        feedback.callout(
            "It retires when somebody else has released the new one.", title="Instead of " + S.account.iban
        ),
        rx.fragment(),
    )
    again = rx.cond(
        S.approved,
        feedback.callout(
            "Another account sends the supplier back to the approvals, so that nothing can be ordered from it until "
            "somebody else has approved it, and somebody else must release the account. "
            "Call a number you knew before: letters that ask for a new account are often not the supplier's.",
            title="It is approved.",
            tone="warn",
        ),
        rx.fragment(),
    )
    return dialogs.dialog(
        forms.hidden_input("supplier_id", S.supplier_id),
        forms.hidden_input("version", S.version.to_string()),
        forms.hidden_input("replaces", rx.cond(S.account.is_not_none(), S.account.id.to_string(), "")),
        again,
        instead,
        ask("IBAN", "iban", optional=False, required=True, auto_complete="off", placeholder="DK50 0040 0440 1162 43"),
        ask("Account holder", "holder", S.holder, optional=False, required=True),
        forms.fields_row(
            ask("Bank", "bank"),
            ask("BIC", "bic", max_length=11, auto_complete="off"),
            ask("Currency", "currency", S.currency, max_length=3, placeholder="EUR"),
        ),
        open=S.dialog == "add",
        on_open_change=S.close,
        title="New bank account",
        status="Nothing is saved yet.",
        primary=forms.submit("Enter the account"),
        on_submit=S.add_bank_account,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _retire_dialog() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("account_id", S.account.id.to_string()),
        forms.hidden_input("version", S.account.version.to_string()),
        forms.field(
            "Reason",
            forms.textarea("reason", id="f-retire-reason", rows=3, max_length=1_000, auto_focus=True),
            error=forms.problem(S.errors, "reason"),
        ),
        open=S.dialog == "retire",
        on_open_change=S.close,
        title="Retire the account " + S.account.iban + "?",
        status="Payments that were made stay as they are.",
        primary=forms.submit("Retire the account", tone="destroy"),
        on_submit=S.retire_bank_account,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
        size="s",
    )
