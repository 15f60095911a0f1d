"""One invoice: whether it agrees and why not, side by side, and what can be done about it."""

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, layout
from inventory_app.components.basics import button, icon, link, stack, when
from inventory_app.components.documents import documents
from inventory_app.components.matching import three_way_match
from inventory_app.components.trail import history_href
from inventory_app.operations._match_views import Link
from inventory_app.pages._page import page
from inventory_app.pages._payment_dialogs import pay_button, pay_dialog
from inventory_app.permissions import Permission
from inventory_app.states.documents import DocumentsState
from inventory_app.states.invoice_page import InvoicePageState
from inventory_app.states.invoices import PATH

S = InvoicePageState
D = InvoicePageState.detail


@page(
    PATH + "/[invoice]",
    "Invoice",
    Permission.INVOICES_VIEW,
    on_load=[S.load, DocumentsState.load],
    crumbs=("Purchasing", ("Invoices", PATH)),
    heading=rx.cond(D.is_not_none(), D.number, ""),
    back=PATH,
)
def invoice() -> rx.Component:
    """Show the invoice, or that there is none at this address."""
    return rx.fragment(
        rx.cond(S.loading, layout.page_skeleton(), rx.cond(D.is_not_none(), _found(), _missing())),
        gates.can(Permission.PAYMENTS_VIEW, pay_dialog()),
        _release_dialog(),
        _void_dialog(),
    )


def _missing() -> rx.Component:
    return feedback.missing("invoice", "All invoices", PATH, icon_name="receipt-text")


def _found() -> rx.Component:
    kind = rx.cond(D.kind == "credit_note", "Credit note", "Invoice")
    supplier = rx.cond(D.supplier_href, link(D.supplier, href=D.supplier_href), rx.el.bdi(D.supplier))
    amount = rx.cond(D.gross, rx.fragment(" · ", rx.el.strong(D.gross, " ", D.currency)), rx.fragment())
    due = rx.cond(D.kind == "credit_note", rx.fragment(), rx.fragment(" · due ", when(D.due_on, D.due_on)))
    return rx.fragment(
        layout.page_head(
            rx.el.bdi(D.number),
            badge=rx.fragment(
                feedback.badge(D.said, tone=D.tone),
                rx.cond(D.due_state == "overdue", feedback.badge("Overdue", tone="bad"), rx.fragment()),
            ),
            sub=rx.fragment(kind, " from ", supplier, due, amount),
            actions=(_more(), _credit(), _pay(), rx.el.div(_release(), class_name="step")),
        ),
        stack(
            _held(),
            three_way_match(
                D.sides,
                S.rows,
                all_href=S.all_href,
                differences_href=S.differences_href,
                only_differences=S.only_differences,
            ),
            layout.columns(
                layout.column(documents("The paper itself, and what belongs to it")),
                layout.column(_amounts(), _papers(), _steps()),
            ),
        ),
    )


def _held() -> rx.Component:
    """Say why it cannot be paid, in the words of the rules."""
    several = feedback.callout(
        rx.cond(
            D.reasons.length() > 0,
            feedback.reasons(D.reasons),
            "It agrees now.",
        ),
        rx.cond(D.why_not_release, rx.el.p(D.why_not_release, class_name="meta"), rx.fragment()),
        title=D.number + " cannot be paid yet.",
        tone="bad",
    )
    void = feedback.callout(D.void_reason, title="It is void.", icon_name="ban")
    released = feedback.callout(
        D.release_reason, " ", rx.el.span(D.released_by, class_name="muted"), title="Released.", tone="accent"
    )
    suspended = rx.cond(
        D.supplier_held,
        feedback.callout(
            D.supplier_held,
            " It is still matched; it is paid only with a reason, and once somebody else has agreed.",
            title="Payments to this supplier are held.",
            tone="warn",
            icon_name="pause",
        ),
        rx.fragment(),
    )
    about = rx.cond(D.held, several, rx.match(D.status, ("void", void), ("released", released), rx.fragment()))
    return rx.fragment(suspended, about)


def _release() -> rx.Component:
    asked = button("Release…", icon_name="lock-open", tone="solid", on_click=S.open_release)
    return rx.cond(D.held & (D.why_not_release == ""), gates.can(Permission.INVOICES_RELEASE, asked), rx.fragment())


def _pay() -> rx.Component:
    possible = (D.kind == "invoice") & ((D.status == "matched") | (D.status == "released")) & (D.paid != D.gross)
    return rx.cond(possible, pay_button(D.id, "Pay"), rx.fragment())


def _credit() -> rx.Component:
    asked = button("Record credit note", icon_name="file-minus", href=S.credit_href)
    possible = (D.kind == "invoice") & (D.status != "void")
    return rx.cond(possible, gates.can(Permission.INVOICES_RECORD, asked), rx.fragment())


def _more() -> rx.Component:
    void = button("Void…", icon_name="ban", tone="quiet", on_click=S.open_void)
    return rx.cond(D.why_not_void == "", gates.can(Permission.INVOICES_RECORD, void), rx.fragment())


def _amounts() -> rx.Component:
    shown = feedback.facts(
        [
            ("Net", D.net),
            ("Tax", D.tax),
            ("Gross", rx.el.strong(D.gross, " ", D.currency)),
            ("Paid", D.paid),
            ("Open", rx.el.strong(D.open)),
        ]
    )
    rate = rx.cond(D.rate, rx.el.p(D.rate, class_name="meta"), rx.fragment())
    hidden = rx.el.p("Amounts are for who may see prices.", class_name="muted")
    return layout.card(rx.cond(D.gross, stack(shown, rate, tight=True, class_name="figures"), hidden), title="Amounts")


def _papers() -> rx.Component:
    def line(one: rx.Var[Link], symbol: str) -> rx.Component:
        return layout.row_item(link(one.text, href=one.href), one.note, lead=icon(symbol, 16), key=one.href)

    nothing = (D.credit_notes.length() + D.payments.length() == 0) & D.credits.is_none()
    return layout.card(
        rx.cond(nothing, rx.el.p("Nothing is paid or credited yet.", class_name="card-body muted"), rx.fragment()),
        layout.rows(
            rx.cond(
                D.credits.is_not_none(),
                layout.row_item(
                    link(D.credits.text, href=D.credits.href), "is what it credits", lead=icon("receipt-text", 16)
                ),
                rx.fragment(),
            ),
            rx.foreach(D.credit_notes, lambda one: line(one, "file-minus")),
            rx.foreach(D.payments, lambda one: line(one, "credit-card")),
        ),
        title="Payments and credit notes",
        flush=True,
    )


def _steps() -> rx.Component:
    def step(verb: str, who: rx.Var[str], at: rx.Var[str], why: rx.Var[str] | None = None) -> rx.Component:
        note = rx.fragment(
            who, ", ", when(at, at), rx.cond(why, rx.fragment(": ", why), rx.fragment()) if why is not None else ""
        )
        return rx.cond(at, layout.row_item(verb, note), rx.fragment())

    whole = link("All of it in the audit trail", href=history_href(("supplier_invoice", D.id)))
    return layout.card(
        layout.rows(
            step("Recorded", D.recorded_by, D.recorded_at, D.note),
            step("Released", D.released_by, D.released_at, D.release_reason),
            step("Voided", D.voided_by, D.voided_at, D.void_reason),
            gates.can(Permission.AUDIT_VIEW, layout.row_item(whole)),
        ),
        title="What happened",
        flush=True,
    )


def _release_dialog() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("invoice_id", D.id.to_string()),
        forms.hidden_input("version", S.version.to_string()),
        forms.hidden_input("differences", S.read),
        feedback.callout(feedback.reasons(D.reasons), title="What does not agree:", tone="warn"),
        forms.field(
            "Why it may be paid all the same",
            forms.textarea("reason", rows=3, max_length=1_000, auto_focus=True),
            error=forms.problem(S.errors, "reason"),
            hint="Kept in the history with your name.",
        ),
        open=S.dialog == "release",
        on_open_change=S.close,
        title="Release the invoice",
        sub=rx.fragment(rx.el.bdi(D.number), " · ", rx.el.bdi(D.supplier)),
        status="It stays blocked.",
        primary=forms.submit("Release it"),
        on_submit=S.release_invoice,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _void_dialog() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("invoice_id", D.id.to_string()),
        forms.hidden_input("version", S.version.to_string()),
        forms.field(
            "Why it does not count",
            forms.textarea("reason", rows=3, max_length=1_000, auto_focus=True),
            error=forms.problem(S.errors, "reason"),
            hint="It stays in the list as void, and its number can be recorded anew.",
        ),
        open=S.dialog == "void",
        on_open_change=S.close,
        title="Void the paper",
        sub=rx.fragment(rx.el.bdi(D.number), " · ", rx.el.bdi(D.supplier)),
        status="It still counts.",
        primary=forms.submit("Void it", tone="destroy"),
        on_submit=S.void_invoice,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )
