"""One order: its steps, its lines, who agreed, its papers, and what can be done with it now."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, layout, tables
from inventory_app.components.basics import button, icon, icon_button, ident, link, row_of, stack, when
from inventory_app.components.order_match import match_badge, order_match, record_button
from inventory_app.operations._order_line_rows import LineRow
from inventory_app.operations._order_views import Agreed, Paper, Step
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.order_match import OrderMatchState
from inventory_app.states.orders import PATH, OrderState

S = OrderState
D = OrderState.detail
_CREATE = Permission.ORDERS_CREATE


@page(
    PATH + "/[order]",
    "Order",
    Permission.ORDERS_VIEW,
    on_load=[S.load, OrderMatchState.load],
    crumbs=("Purchasing", ("Orders", PATH)),
    heading=rx.cond(D.is_not_none(), D.called, ""),
    back=PATH,
)
def order() -> rx.Component:
    """Show the order, or that there is none at this address."""
    missing = feedback.missing("order", "All orders", PATH, icon_name="file-text")
    return rx.fragment(
        rx.el.link(rel="stylesheet", href="/orders.css", custom_attrs={"precedence": "page"}),
        rx.cond(S.loading, layout.page_skeleton(), rx.cond(D.is_not_none(), _found(), missing)),
        *_dialogs(),
    )


def _found() -> rx.Component:
    to_supplier = rx.cond(D.supplier_href, link(rx.el.bdi(D.supplier), href=D.supplier_href), rx.el.bdi(D.supplier))
    due = rx.cond(
        D.expected,
        rx.fragment(
            " · due ",
            rx.cond(D.late, rx.el.span(D.expected, class_name="text-bad"), D.expected),
            rx.cond(D.promised, ", promised", ""),
        ),
        "",
    )
    days = rx.cond(D.payment_days, rx.fragment(" · ", D.payment_days, " days net"), "")
    total = rx.cond(D.total, rx.fragment(" · ", rx.el.span(D.total, class_name="medium")), "")
    let = rx.cond(D.override, feedback.badge("Supplier not approved", tone="warn"), rx.fragment())
    return rx.fragment(
        layout.page_head(
            D.called,
            badge=rx.fragment(feedback.badge(D.word, tone=D.tone), " ", let, " ", match_badge()),
            sub=rx.fragment(to_supplier, " · deliver to ", D.location, due, days, total),
            actions=_actions(),
        ),
        stack(
            layout.card(rx.el.ol(rx.foreach(D.steps, _step), class_name="order-steps"), flush=True),
            _notes(),
            order_match(),
            _lines(),
            rx.el.div(_approval(), _receipts(), _invoices(), class_name="order-cards"),
        ),
    )


def _step(step: rx.Var[Step]) -> rx.Component:
    return rx.el.li(
        rx.el.span(rx.cond(step.state == "done", icon("check", 12), rx.fragment()), class_name="mark"),
        rx.el.strong(step.label),
        rx.cond(step.by, rx.el.span(rx.el.bdi(step.by), class_name="meta"), rx.fragment()),
        rx.cond(step.note, rx.el.span(step.note, class_name="meta"), rx.fragment()),
        rx.cond(step.at, rx.el.span(when(step.at, step.at), class_name="meta"), rx.fragment()),
        key=step.label,
        custom_attrs={"data-state": step.state, "aria-current": rx.cond(step.state == "now", "step", "false")},
    )


# What can be done


def _form(*content: Any, on_submit: Any) -> rx.Component:
    return forms.form(
        forms.hidden_input("order_id", D.id.to_string()),
        forms.hidden_input("version", D.version.to_string()),
        *content,
        on_submit=on_submit,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
        class_name="form-inline",
    )


def _actions() -> tuple[rx.Component, ...]:
    doing, here = D.doing, PATH + "/" + D.id.to_string()
    approve = rx.cond(
        doing.approve == "",
        gates.can(
            Permission.ORDERS_APPROVE,
            row_of(
                button("Reject…", on_click=S.ask("reject")),
                button("Approve…", icon_name="circle-check", tone="solid", on_click=S.ask("approve")),
            ),
        ),
        rx.fragment(),
    )
    by_status = rx.match(
        D.status,
        (
            "draft",
            gates.can(
                _CREATE,
                row_of(
                    button("Edit", icon_name="pencil", href=here + "/edit"),
                    _form(
                        button("Submit", tone="solid", submit=True, disabled=doing.submit != ""),
                        on_submit=S.submit_order,
                    ),
                ),
            ),
        ),
        ("submitted", approve),
        (
            "approved",
            gates.can(
                _CREATE,
                _form(
                    button("Order", icon_name="send", tone="solid", submit=True, disabled=doing.place != ""),
                    on_submit=S.place_order,
                ),
            ),
        ),
        ("ordered", "partially_received", _to_receive(here)),
        (
            "received",
            row_of(record_button(), gates.can(_CREATE, _form(forms.submit("Close"), on_submit=S.close_order))),
        ),
        ("closed", record_button()),
        rx.fragment(),
    )
    return (gates.can(_CREATE, _more()), _paper(), rx.el.div(by_status, class_name="step"))


def _to_receive(here: rx.Var[str]) -> rx.Component:
    receive = button("Receive goods", icon_name="inbox", tone="solid", href=here + "/receive")
    return row_of(record_button(), gates.can(Permission.ORDERS_RECEIVE, receive))


def _paper() -> rx.Component:
    """Offer the order as it is sent, to who sees what it costs."""
    to_file = rx.el.a(
        icon("file-down"),
        rx.el.span("PDF"),
        href="/orders/" + D.id.to_string() + "/paper.pdf",
        class_name="btn",
        # By the browser itself: as a link inside the app it would look for a page of this name.
        custom_attrs={"download": "", "reloadDocument": True},
        aria_label="PDF to send",
    )
    sent = (D.status != "draft") & (D.status != "submitted") & (D.status != "cancelled")
    return rx.cond(sent & D.sees_prices, to_file, rx.fragment())


def _more() -> rx.Component:
    doing = D.doing

    def offer(label: str, name: str, what: str, why: Any) -> rx.Component:
        return rx.cond(why == "", dialogs.menu_item(label, icon_name=name, on_select=S.ask(what)), rx.fragment())

    return dialogs.menu(
        icon_button("ellipsis", "Other steps"),
        dialogs.menu_item("Copy", icon_name="copy", on_select=S.copy_order(D.id, S.idempotency_key)),
        offer("Take back to a draft…", "undo-2", "revise", doing.revise),
        offer("Give up the rest…", "package-x", "give_up", doing.give_up),
        offer("Cancel order…", "ban", "cancel", doing.cancel),
    )


def _notes() -> rx.Component:
    doing = D.doing
    let = gates.can(
        Permission.SUPPLIERS_OVERRIDE,
        rx.cond(doing.override == "", button("Order all the same…", on_click=S.ask("override")), rx.fragment()),
    )
    refused = rx.cond(
        (D.supplier_fault != "") & (D.override == ""),
        feedback.callout(D.supplier_fault, title="This supplier cannot be ordered from.", tone="bad", action=let),
        rx.fragment(),
    )
    allowed = rx.cond(
        D.override,
        feedback.callout(
            rx.el.bdi(D.override), title=rx.fragment(D.override_by, " let it go to this supplier."), tone="warn"
        ),
        rx.fragment(),
    )
    why_not = rx.cond(
        (D.status == "submitted") & (doing.approve != ""),
        feedback.callout(
            rx.cond(D.can_agree, rx.fragment(doing.approve, " ", D.can_agree, " can decide."), doing.approve),
            title="It waits for approval.",
            tone="accent",
        ),
        rx.fragment(),
    )
    held = rx.cond(
        D.supplier_held,
        feedback.callout(
            D.supplier_held,
            " What was ordered can still come, and its invoices wait to be paid. Cancel the order, or give up the rest "
            "of it, if nothing shall come.",
            title="Payments to this supplier are held.",
            tone="warn",
            icon_name="pause",
        ),
        rx.fragment(),
    )
    # Until it has come: what was late then is in the supplier's scorecard.
    later = rx.cond(
        D.promised_later & ((D.status == "ordered") | (D.status == "partially_received")),
        feedback.callout(
            D.promise,
            title=rx.fragment("It is promised ", D.promised, "."),
            tone="warn",
            icon_name="calendar-clock",
        ),
        rx.fragment(),
    )
    cancelled = rx.cond(
        (D.status == "cancelled") & (D.cancelled != ""),
        feedback.callout(rx.el.bdi(D.cancelled), title="It was cancelled."),
        rx.fragment(),
    )
    return rx.fragment(refused, allowed, why_not, held, later, cancelled)


# What stands on it


def _lines() -> rx.Component:
    prices = D.sees_prices
    sums = rx.cond(
        prices,
        rx.el.div(
            rx.el.span("Net ", rx.el.strong(D.total)),
            rx.cond(D.tax, rx.el.span("Tax ", rx.el.strong(D.tax)), rx.fragment()),
            rx.cond(D.gross, rx.el.span("Gross ", rx.el.strong(D.gross)), rx.fragment()),
            class_name="order-foot",
        ),
        rx.el.span("Costs are hidden from you: you lack the permission to see them.", class_name="meta"),
    )
    said = rx.fragment(
        rx.cond(D.message, rx.el.p("To the supplier: ", rx.el.bdi(D.message), class_name="lines"), rx.fragment()),
        rx.cond(D.note, rx.el.p("For us: ", rx.el.bdi(D.note), class_name="lines muted"), rx.fragment()),
        rx.cond(
            (D.promise != "") & ~D.promised_later, rx.el.p(rx.el.bdi(D.promise), class_name="muted"), rx.fragment()
        ),
        rx.cond(
            D.copied_from,
            rx.el.p("Copied from ", link(D.copied_from, href=D.copied_href), class_name="muted"),
            rx.fragment(),
        ),
    )
    return layout.card(
        tables.table(
            tables.head(
                tables.column("Product"),
                tables.column("Ordered", numeric=True),
                tables.column("Unit cost", numeric=True),
                tables.column("Amount", numeric=True),
                tables.column("Expected"),
                tables.column("Received", numeric=True),
                tables.column("Waiting for", numeric=True),
            ),
            tables.body(
                D.lines,
                _line,
                columns=7,
                empty=feedback.empty_state("Nothing stands on it yet", "Edit the draft and add what is needed."),
            ),
            label="Lines",
        ),
        rx.cond(
            (D.message != "") | (D.note != "") | ((D.promise != "") & ~D.promised_later) | (D.copied_from != ""),
            rx.el.div(said, class_name="card-body"),
            rx.fragment(),
        ),
        title="Lines",
        note=rx.cond(D.rate, rx.fragment("1 ", D.currency, " is ", D.rate, " ", D.base), ""),
        foot=sums,
        flush=True,
    )


def _line(row: rx.Var[LineRow]) -> rx.Component:
    name = rx.cond(row.href, link(rx.el.bdi(row.product), href=row.href, plain=True), rx.el.bdi(row.product))
    meta = rx.fragment(row.sku, rx.cond(row.supplier_sku, rx.fragment(" · theirs ", row.supplier_sku), ""))
    came = rx.cond(row.received, rx.fragment(rx.cond(row.sku, " · ", ""), row.received, " came"), "")
    waiting = rx.cond(
        row.given_up,
        rx.fragment(row.waiting, " ", rx.el.span(row.given_up, " given up", class_name="meta")),
        row.waiting,
    )
    expected = rx.cond(row.late, rx.el.span(row.expected, ", late", class_name="text-bad"), row.expected)
    ordered = tables.two_line(rx.fragment(row.quantity, " ", row.unit), row.packs, strong=False)
    tax = rx.cond(row.tax, "+ " + row.tax + " tax", "")
    amount = tables.two_line(row.amount, tax, strong=False)
    return tables.row(
        tables.cell(tables.two_line(name, meta, phone=rx.fragment(meta, came), wraps=True), card="title"),
        tables.cell(ordered, numeric=True, card="figure"),
        tables.cell(row.unit_cost, numeric=True),
        tables.cell(amount, numeric=True, card="end", phone=rx.fragment(row.amount, " ", tax)),
        tables.cell(expected),
        tables.cell(row.received, numeric=True),
        tables.cell(waiting, numeric=True),
        key=row.id,
    )


# Beside it


def _approval() -> rx.Component:
    def line(row: rx.Var[Agreed]) -> rx.Component:
        return layout.row_item(
            rx.fragment(rx.el.bdi(row.name), " ", row.did),
            rx.el.bdi(row.reason),
            icon_name="user",
            end=rx.cond(row.at, when(row.at, row.at, class_name="meta"), rx.fragment()),
            key=row.name + row.did + row.at,
        )

    return layout.card(
        layout.rows(rx.foreach(D.agreed, line)),
        title="Approval",
        end=D.rule,
        foot="Whoever created, edited or submitted an order cannot approve it.",
        flush=True,
    )


def _papers(rows: Any, icon_name: str, nothing: str, came: str = "") -> rx.Component:
    def line(row: rx.Var[Paper]) -> rx.Component:
        return layout.row_item(
            ident(row.number, href=row.href),
            rx.fragment(row.what, rx.cond(row.what, ", ", ""), came, when(row.at, row.at)),
            icon_name=icon_name,
            end=row.end,
            key=row.href,
        )

    return rx.cond(
        rows.length() > 0, layout.rows(rx.foreach(rows, line)), rx.el.p(nothing, class_name="card-body muted")
    )


def _receipts() -> rx.Component:
    still = rx.cond(
        D.still_to_come,
        rx.fragment("Still to come: ", rx.el.bdi(D.still_to_come)),
        rx.cond(D.receipts.length() > 0, "Nothing is waited for.", "What comes is waited for once it is ordered."),
    )
    return layout.card(_papers(D.receipts, "inbox", "Nothing has come yet."), title="Receipts", foot=still, flush=True)


def _invoices() -> rx.Component:
    return gates.can(
        Permission.INVOICES_VIEW,
        layout.card(
            _papers(D.invoices, "receipt-text", "No invoice has been recorded.", "recorded "),
            title="Invoices and payments",
            flush=True,
        ),
    )


# Steps that are taken for a reason

_ASKED = {
    "approve": ("Approve the order", "Approve", S.approve_order, True, "What you agree to is what you read here."),
    "reject": ("Reject the order", "Reject", S.reject_order, False, "It becomes a draft again and keeps its number."),
    "override": (
        "Order from this supplier all the same",
        "Let it go",
        S.override_supplier,
        False,
        "The reason stands on the order, for whoever approves it and in the trail.",
    ),
    "revise": (
        "Take it back to a draft",
        "Take it back",
        S.revise_order,
        True,
        "Agreements so far do not count any more.",
    ),
    "give_up": (
        "Give up the rest",
        "Give it up",
        S.give_up_rest,
        False,
        "What has come stays in stock. What comes later for this order is refused.",
    ),
    "cancel": (
        "Cancel the order",
        "Cancel order",
        S.cancel_order,
        False,
        "Nothing of it has come, so stock stays as it is. It keeps its number.",
    ),
}


def _dialogs() -> list[rx.Component]:
    return [_asking(what, *said) for what, said in _ASKED.items()]


def _asking(what: str, title: str, action: str, on_submit: Any, optional: bool, means: str) -> rx.Component:  # noqa: FBT001  # a row of the table above
    id_, version = (rx.cond(D.is_not_none(), one.to_string(), "") for one in (D.id, D.version))
    return dialogs.dialog(
        forms.hidden_input("order_id", id_),
        forms.hidden_input("version", version),
        forms.field(
            "Why",
            forms.textarea("reason", id=f"f-{what}-reason", rows=3, max_length=1000, auto_focus=True),
            error=forms.problem(S.errors, "reason"),
            optional=optional,
        ),
        open=S.dialog == what,
        on_open_change=S.close,
        title=title,
        sub=means,
        status="Nothing has changed yet.",
        primary=forms.submit(action, tone="destroy" if what in ("cancel", "reject") else "solid"),
        on_submit=on_submit,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )
