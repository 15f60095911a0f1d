"""What became of an approved supplier and what was agreed with it: buttons, cards and dialogs of its page."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, forms, gates, layout
from inventory_app.components.basics import button
from inventory_app.operations.scorecard import Score
from inventory_app.permissions import Permission
from inventory_app.states.supplier_page import SupplierPageState

S = SupplierPageState
D = SupplierPageState.detail


def standing_buttons() -> rx.Component:
    """Offer what can be done with an approved or a suspended supplier."""
    again = button("Approve again…", icon_name="refresh-cw", on_click=S.open_again)
    suspend = button("Suspend…", icon_name="pause", tone="danger", on_click=S.open_suspend)
    reinstate = button(
        "Reinstate…", icon_name="play", tone="solid", disabled=D.why_suspended != "", on_click=S.open_reinstate
    )
    approved = rx.fragment(
        gates.can(Permission.SUPPLIERS_EDIT, again), gates.can(Permission.SUPPLIERS_APPROVE, suspend)
    )
    return rx.match(
        D.status,
        ("approved", approved),
        ("suspended", gates.can(Permission.SUPPLIERS_APPROVE, reinstate)),
        rx.fragment(),
    )


def standing_dialogs() -> rx.Component:
    """Ask why, each in a dialog of its own."""
    return rx.fragment(
        _standing(
            "suspend",
            "Suspend " + D.name + "?",
            forms.submit("Suspend the supplier", tone="destroy"),
            S.suspend_supplier,
            rx.fragment(
                "Nothing can be ordered from it until somebody reinstates it. What was ordered can still come, and its "
                "invoices are still recorded; they are paid only with a reason, and once somebody else has agreed. ",
                D.stops,
                " ",
                D.holds,
            ),
        ),
        _standing(
            "reinstate",
            "Reinstate " + D.name + "?",
            forms.submit("Reinstate the supplier"),
            S.reinstate_supplier,
            "Orders can go to it again, and its invoices are paid as those of others.",
        ),
        _standing(
            "again",
            "Approve " + D.name + " again?",
            forms.submit("Ask for approval"),
            S.ask_again,
            rx.fragment(
                "It waits in the queue, and nothing can be ordered from it from now on until somebody else has "
                "approved it. ",
                D.stops,
            ),
            optional=True,
        ),
    )


def _standing(
    dialog: str, title: Any, primary: rx.Component, on_submit: Any, what: Any, *, optional: bool = False
) -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("supplier_id", D.id.to_string()),
        forms.hidden_input("version", S.version.to_string()),
        rx.el.p(what, class_name="muted"),
        forms.field(
            "Reason",
            forms.textarea("reason", id=f"f-reason-{dialog}", rows=3, max_length=1_000, auto_focus=True),
            aside=rx.el.span("kept in the history", class_name="aside"),
            error=forms.problem(S.errors, "reason"),
            optional=optional,
        ),
        open=S.dialog == dialog,
        on_open_change=S.close,
        title=title,
        primary=primary,
        on_submit=on_submit,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
        size="s",
    )


def agreed_card() -> rx.Component:
    """Show when we pay, how goods come and from what amount on."""
    edit = gates.can(Permission.SUPPLIERS_EDIT, button("Change", on_click=S.open_terms))
    pairs = rx.foreach(
        D.agreed_terms,
        lambda row: rx.fragment(
            rx.el.dt(row[0]),
            rx.el.dd(rx.cond(row[1], rx.el.bdi(row[1]), rx.el.span("–", class_name="dim"))),
            key=row[0],
        ),
    )
    return layout.card(rx.el.dl(pairs, class_name="facts"), title="Agreed", end=edit)


def terms_dialog() -> rx.Component:
    """Ask what was agreed."""

    def ask(label: str, name: str, **props: Any) -> rx.Component:
        made = forms.text_input if name == "delivery_terms" else forms.number_input
        control = made(name, id=f"f-agreed-{name}", value=S.agreed.get(name, "").to(str), **props)
        return forms.field(label, control, error=forms.problem(S.errors, name), optional=True)

    return dialogs.dialog(
        forms.hidden_input("supplier_id", D.id.to_string()),
        forms.hidden_input("version", S.version.to_string()),
        forms.fields_row(
            ask("Days to pay", "payment_days", placeholder="30"),
            ask("Delivery terms", "delivery_terms", placeholder="DAP Oslo", max_length=100),
        ),
        gates.can(Permission.PRICES_VIEW, ask("Smallest order", "minimum_order", placeholder="0")),
        open=S.dialog == "terms",
        on_open_change=S.close,
        title="What was agreed",
        sub=rx.el.bdi(D.name),
        status="Needs no new approval.",
        primary=forms.submit("Save"),
        on_submit=S.agree_terms,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
        size="s",
    )


def scorecard_card() -> rx.Component:
    """Show how well the supplier keeps to what was ordered, with how it is reckoned."""

    def line(score: rx.Var[Score]) -> rx.Component:
        return layout.row_item(
            score.title,
            rx.fragment(score.counted, rx.el.div(score.formula, class_name="meta")),
            end=rx.el.strong(score.shown, class_name="num"),
            key=score.title,
        )

    return rx.cond(
        S.scores.length() > 0,
        layout.card(layout.rows(rx.foreach(S.scores, line)), title="Scorecard", end="the last 365 days", flush=True),
        rx.fragment(),
    )
