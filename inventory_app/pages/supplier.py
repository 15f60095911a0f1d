"""One supplier: the data, the decision, the history, and correcting it."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, layout, trail
from inventory_app.components.basics import button, link, stack, when
from inventory_app.components.documents import documents
from inventory_app.components.statements import statement_card
from inventory_app.operations._supplier_rules import Check
from inventory_app.operations._supplier_views import FieldRow
from inventory_app.pages import _trail
from inventory_app.pages._bank_accounts import bank_accounts_card
from inventory_app.pages._page import page
from inventory_app.pages._supplier_contacts import contacts_card
from inventory_app.pages._supplier_dialogs import decision_facts, fields_of_supplier, found_in, status_badge
from inventory_app.pages._supplier_people import portal_card
from inventory_app.pages._supplier_products import terms_card
from inventory_app.pages._supplier_standing import (
    agreed_card,
    scorecard_card,
    standing_buttons,
    standing_dialogs,
    terms_dialog,
)
from inventory_app.permissions import Permission
from inventory_app.states.bank_accounts import BankAccountsState
from inventory_app.states.documents import DocumentsState
from inventory_app.states.payments import StatementState
from inventory_app.states.supplier_accounts import SupplierAccountsState
from inventory_app.states.supplier_contacts import SupplierContactsState
from inventory_app.states.supplier_list import PATH
from inventory_app.states.supplier_page import SupplierPageState
from inventory_app.states.supplier_products import SupplierProductsState

S = SupplierPageState
D = SupplierPageState.detail


@page(
    PATH + "/[supplier]",
    "Supplier",
    Permission.SUPPLIERS_VIEW,
    on_load=[
        S.load,
        SupplierProductsState.load,
        SupplierContactsState.load,
        BankAccountsState.load,
        DocumentsState.load,
        StatementState.load,
        SupplierAccountsState.load,
    ],
    crumbs=("Purchasing", ("Suppliers", PATH)),
    heading=rx.cond(D.is_not_none(), D.name, ""),
    back=PATH,
)
def supplier() -> rx.Component:
    """Show the supplier, or that there is none at this address."""
    return rx.fragment(
        rx.cond(S.loading, layout.page_skeleton(), rx.cond(D.is_not_none(), _found(), _missing())),
        _edit_dialog(),
        terms_dialog(),
        standing_dialogs(),
    )


def _missing() -> rx.Component:
    return feedback.missing("supplier", "All suppliers", PATH, icon_name="truck")


def _found() -> rx.Component:
    decide = button(
        "Decide", icon_name="circle-check", tone="solid", href="/suppliers/approvals?id=" + D.id.to_string()
    )
    order = button("New order", icon_name="file-text", href="/orders/new?supplier=" + D.id.to_string())
    return rx.fragment(
        layout.page_head(
            rx.el.bdi(D.name),
            badge=status_badge(D.status),
            sub=rx.el.bdi(D.summary),
            actions=(
                rx.cond(D.status == "approved", gates.can(Permission.ORDERS_CREATE, order), rx.fragment()),
                gates.can(Permission.SUPPLIERS_EDIT, button("Correct", icon_name="pencil", on_click=S.open_edit)),
                standing_buttons(),
                rx.cond(
                    (D.status == "pending") & (D.why_not == ""),
                    gates.can(Permission.SUPPLIERS_APPROVE, decide),
                    rx.fragment(),
                ),
            ),
        ),
        layout.columns(
            layout.column(
                _stands(),
                _fields(),
                gates.can(Permission.PRODUCTS_VIEW, terms_card(of_product=False)),
                contacts_card(),
                bank_accounts_card(),
                statement_card(),
                documents(),
                portal_card(),
                gates.can(Permission.AUDIT_VIEW, _history()),
            ),
            layout.column(_decision(), agreed_card(), scorecard_card(), _entry(), _checks()),
        ),
    )


def _stands() -> rx.Component:
    """Say what the status means for everybody, where that is not plain."""
    waits = feedback.callout(
        rx.cond(D.why_not, rx.fragment(D.why_not, " ", D.who_can), "Nothing can be ordered from it before."),
        title="It waits for a decision.",
        tone="accent",
    )
    rejected = feedback.callout(
        "Its next application under this name, or somebody here who enters it again, puts it back into the queue with "
        "what it says then. This decision stays in the history.",
        title="It may apply again.",
    )
    suspended = feedback.callout(
        rx.el.div(D.decided, ": ", rx.el.bdi(D.reason)),
        rx.cond(D.why_suspended, rx.el.div(D.why_suspended, class_name="muted"), rx.fragment()),
        title="It is suspended: nothing can be ordered from it.",
        tone="warn",
    )
    over = feedback.callout(
        "Nothing can be ordered from it until somebody approves it again.",
        title="Its approval ended on " + D.ends + ".",
        tone="bad",
    )
    return rx.match(
        D.status,
        ("pending", waits),
        ("rejected", rejected),
        ("suspended", suspended),
        rx.cond(D.over, over, rx.fragment()),
    )


def _fields() -> rx.Component:
    def pair(row: rx.Var[FieldRow]) -> rx.Component:
        said = rx.fragment(rx.el.dt(row.label), rx.el.dd(rx.el.bdi(row.after, class_name="lines")))
        return rx.cond(row.after & ~row.agreed, said, rx.fragment())

    empty = rx.cond(D.not_given, rx.el.p("Not given: ", D.not_given, ".", class_name="meta"), rx.fragment())
    return layout.card(stack(rx.el.dl(rx.foreach(D.fields, pair), class_name="facts"), empty), title="What we know")


def _entry() -> rx.Component:
    return layout.card(
        feedback.facts([("How", D.entered), ("When", when(D.submitted, D.submitted, style="full"))]),
        title="How it came here",
    )


def _decision() -> rx.Component:
    nobody = rx.el.p("Nobody has decided yet.", class_name="muted")
    return layout.card(rx.cond(D.status == "pending", nobody, decision_facts(D)), title="Decision")


def _checks() -> rx.Component:
    def line(check: rx.Var[Check]) -> rx.Component:
        tone = rx.match(check.outcome, ("passed", "ok"), ("look", "warn"), "bad")
        return trail.check_line(tone, check.title, check.word, found_in(check))

    return layout.card(trail.checks(rx.foreach(D.checks, line)), title="Checks")


def _history() -> rx.Component:
    turn = rx.el.nav(
        rx.cond(S.later_href, button("Later changes", href=S.later_href), rx.fragment()),
        rx.cond(S.earlier_href, button("Earlier changes", href=S.earlier_href), rx.fragment()),
        link("All of it in the audit trail", href=S.trail_href),
        class_name="row-x",
        aria_label="Pages of the history",
    )
    return layout.card(
        # What the first entry said still stands above, most of it.
        _trail.history(S.history, entered="As it was entered"),
        title="History",
        foot=turn,
        flush=True,
    )


def _edit_dialog() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("supplier_id", D.id.to_string()),
        forms.hidden_input("version", S.version.to_string()),
        rx.cond(
            S.was_approved,
            feedback.callout(
                "Another name or tax id sends it back to the approvals: nothing can be ordered from it until somebody "
                "else than whoever corrects it has approved it. Anything else stops nothing. ",
                D.stops,
                title="It is approved.",
                tone="warn",
            ),
            rx.fragment(),
        ),
        *fields_of_supplier(S.errors, _value),
        forms.field(
            "Why",
            forms.textarea("reason", rows=2, max_length=1_000),
            error=forms.problem(S.errors, "reason"),
            optional=True,
            aside=rx.el.span("kept in the history", class_name="aside"),
        ),
        open=S.dialog == "edit",
        on_open_change=S.close,
        title="Correct the supplier",
        sub=rx.el.bdi(D.name),
        status="Nothing is saved yet.",
        primary=forms.submit("Save the corrections"),
        on_submit=S.update_supplier,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
        size="l",
    )


def _value(name: str) -> Any:
    return S.values.get(name, "").to(str)
