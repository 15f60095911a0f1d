"""The supplier portal: one's own company, orders, invoices and payments; made for the phone first."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, layout, tables
from inventory_app.components.basics import button, icon, ident, link, stack
from inventory_app.operations._portal_glance import Figure
from inventory_app.operations._portal_words import Words
from inventory_app.operations.portal import InvoiceRow, OrderLine, OrderRow, Pair, PaymentRow, Receipt, ReceiptLine
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.auth import PORTAL
from inventory_app.states.portal import (
    INVOICES,
    ORDERS,
    PAYMENTS,
    PortalCompanyState,
    PortalInvoicesState,
    PortalOrdersState,
    PortalOrderState,
    PortalPaymentsState,
)

C, L, O, I, P = PortalCompanyState, PortalOrdersState, PortalOrderState, PortalInvoicesState, PortalPaymentsState  # noqa: E741
COMPANY = PortalCompanyState.company
ORDER = PortalOrderState.order


def _framed(state: Any, content: rx.Component) -> rx.Component:
    """Show what there is, or why there is nothing here for whoever looks."""
    nothing = feedback.empty_state("You may not see this page", state.refused, icon_name="lock", page=True)
    return rx.cond(state.loading, layout.page_skeleton(), rx.cond(state.refused, nothing, content))


def _stands(words: rx.Var[Words]) -> rx.Component:
    return rx.match(
        words.tone,
        ("ok", feedback.badge(words.word, tone="ok")),
        ("warn", feedback.badge(words.word, tone="warn")),
        ("bad", feedback.badge(words.word, tone="bad")),
        ("accent", feedback.badge(words.word, tone="accent")),
        feedback.badge(words.word),
    )


def _turn(state: Any) -> rx.Component:
    return rx.el.nav(
        rx.cond(state.later_href, button("Newer", href=state.later_href), rx.fragment()),
        rx.cond(state.earlier_href, button("Older", href=state.earlier_href), rx.fragment()),
        class_name="row-x",
        aria_label="Pages",
    )


def _tools(state: Any, placeholder: str) -> dict[str, Any]:
    """Offer to search a list of the portal, and to take what it shows as a file."""
    to_file = rx.el.a(
        icon("file-down"),
        rx.el.span("CSV"),
        href=state.file_href,
        class_name="btn",
        custom_attrs={"download": "", "reloadDocument": True},
        aria_label="CSV of this list",
    )
    search = tables.search_field(
        value=state.q, on_change=state.search.debounce(250), placeholder=placeholder, label="Search this list"
    )
    return {
        "actions": (rx.cond(state.rows.length() > 0, to_file, rx.fragment()),),
        "filters": rx.cond(
            (state.rows.length() > 0) | (state.q != ""), tables.filter_bar(search=search), rx.fragment()
        ),
    }


def _nothing(state: Any, title: str, text: str, icon_name: str) -> rx.Component:
    """Say that there is nothing, or nothing that is called so."""
    return rx.cond(
        state.q,
        feedback.empty_state("Nothing matches", "Look for a part of its number."),
        feedback.empty_state(title, text, icon_name=icon_name),
    )


def _pair(pair: rx.Var[Pair]) -> rx.Component:
    return rx.fragment(rx.el.dt(pair.label), rx.el.dd(rx.el.bdi(pair.value, class_name="lines")))


def _facts(pairs: rx.Var[list[Pair]]) -> rx.Component:
    return rx.el.dl(rx.foreach(pairs, _pair), class_name="facts")


@page(PORTAL, "Your company", Permission.PORTAL_USE, on_load=[C.load], crumbs=())
def company() -> rx.Component:
    """Show one's own company as it is known here."""
    correct = rx.cond(
        COMPANY.why_not == "",
        button("Propose a correction", icon_name="pencil", on_click=C.open_correction),
        rx.fragment(),
    )
    shown = rx.fragment(
        layout.page_head(
            rx.el.bdi(COMPANY.name), badge=_stands(COMPANY.stands), sub=COMPANY.stands.sentence, actions=(correct,)
        ),
        _glance(),
        layout.columns(
            layout.column(
                _waiting(),
                layout.card(_facts(COMPANY.fields), title="What we know of you"),
            ),
            layout.column(
                rx.cond(
                    COMPANY.contacts.length() > 0,
                    layout.card(_facts(COMPANY.contacts), title="Your people"),
                    rx.fragment(),
                ),
                layout.card(
                    rx.cond(
                        COMPANY.bank_accounts.length() > 0,
                        _facts(COMPANY.bank_accounts),
                        rx.el.p("We know no account of yours.", class_name="muted"),
                    ),
                    rx.el.p(
                        "Name, tax id and bank account are changed by us only: write to whoever buys from you.",
                        class_name="meta",
                    ),
                    title="Bank account",
                ),
            ),
        ),
    )
    return rx.fragment(_framed(C, rx.cond(COMPANY.is_not_none(), shown, rx.fragment())), _correction())


def _glance() -> rx.Component:
    def figure(label: str, figure: rx.Var[Figure], href: str) -> tuple[str, rx.Var[str], str, rx.Component]:
        return label, figure.figure, "", link(figure.meaning, href=href)

    glance = COMPANY.glance
    return layout.stats(
        figure("Orders to deliver", glance.orders, ORDERS),
        figure("Open of your invoices", glance.owed, INVOICES),
        figure("Paid last", glance.paid, PAYMENTS),
    )


def _waiting() -> rx.Component:
    def line(pair: rx.Var[Pair]) -> rx.Component:
        before = rx.cond(pair.value, pair.value, "nothing")
        return rx.fragment(
            rx.el.dt(pair.label), rx.el.dd(feedback.diff_pair(before, rx.cond(pair.wanted, pair.wanted, "nothing")))
        )

    back = rx.cond(
        COMPANY.own_proposal, button("Take it back", once=True, on_click=C.withdraw(C.idempotency_key)), rx.fragment()
    )
    card = layout.card(
        stack(rx.el.dl(rx.foreach(COMPANY.waiting, line), class_name="facts"), back),
        title="Waits to be looked at",
        custom_attrs={"data-turn": C.turn},
    )
    said = rx.cond(COMPANY.why_not, feedback.callout(COMPANY.why_not, icon_name="info"), rx.fragment())
    return rx.fragment(said, rx.cond(COMPANY.waiting.length() > 0, card, rx.fragment()))


_CORRECTED = (
    ("contact_name", "Contact", "name", 200),
    ("contact_title", "Title", "organization-title", 100),
    ("email", "E-mail", "email", 254),
    ("phone", "Phone", "tel", 40),
    ("website", "Website", "url", 300),
    ("city", "City", "address-level2", 100),
    ("postal_code", "Postal code", "postal-code", 20),
    ("country", "Country", "country-name", 100),
)


def _correction() -> rx.Component:
    def one(name: str, label: str, complete: str, most: int) -> rx.Component:
        return forms.field(
            label,
            forms.text_input(name, value=COMPANY.known.get(name, "").to(str), auto_complete=complete, max_length=most),
            error=forms.problem(C.errors, name),
            optional=name != "email",
        )

    parts = [one(*each) for each in _CORRECTED]
    return dialogs.dialog(
        forms.fields_row(*parts[:2]),
        forms.fields_row(*parts[2:4]),
        parts[4],
        forms.field(
            "Address",
            forms.textarea("address", value=COMPANY.known.get("address", "").to(str), rows=2, max_length=500),
            error=forms.problem(C.errors, "address"),
            optional=True,
        ),
        forms.fields_row(*parts[5:7]),
        parts[7],
        open=C.correcting,
        on_open_change=C.close,
        title="Propose a correction",
        sub="It counts once somebody of us has looked at it. Until then nothing changes.",
        status="Nothing is sent yet.",
        primary=forms.submit("Send"),
        on_submit=C.propose,
        turn=C.turn,
        idempotency_key=C.idempotency_key,
        size="l",
    )


@page(ORDERS, "Orders", Permission.PORTAL_USE, on_load=[L.load], crumbs=())
def orders() -> rx.Component:
    """List the orders one's own company was sent."""

    def line(row: rx.Var[OrderRow]) -> rx.Component:
        return tables.row(
            tables.cell(link(row.number, href=f"{ORDERS}/" + row.id.to_string()), card="title"),
            tables.cell(_stands(row.stands), card="end"),
            tables.cell(row.ordered),
            tables.cell(row.expected, phone=rx.cond(row.expected, "Expected " + row.expected, ""), card="foot"),
            tables.cell(row.total, numeric=True, card="figure"),
            key=row.id,
        )

    nothing = _nothing(L, "No orders yet", "What we order from you is listed here.", "shopping-cart")
    return _framed(
        L,
        tables.list_page(
            tables.table(
                tables.head(
                    tables.column("Order"),
                    tables.column("Where it stands"),
                    tables.column("Ordered"),
                    tables.column("Expected"),
                    tables.column("Total", numeric=True),
                ),
                tables.body(L.rows, line, columns=5, empty=nothing),
                label="Orders",
            ),
            title="Orders",
            sub="What we have ordered from you.",
            footer=_turn(L),
            **_tools(L, "Number"),
        ),
    )


@page(
    ORDERS + "/[order]",
    "Order",
    Permission.PORTAL_USE,
    on_load=[O.load],
    crumbs=(("Orders", ORDERS),),
    heading=rx.cond(ORDER.is_not_none(), ORDER.number, ""),
    back=ORDERS,
)
def order() -> rx.Component:
    """Show one order with what came of it, and take the day it is promised for."""
    missing = feedback.missing("order", "Your orders", ORDERS, text="Look for it among your orders.")
    shown = rx.fragment(
        layout.page_head(
            ORDER.number,
            badge=_stands(ORDER.stands),
            sub=ORDER.stands.sentence,
            actions=(_paper(),),
        ),
        layout.columns(
            # The one thing to be done here comes first on the phone.
            layout.column(_promise(), _lines(), _receipts(), _order_invoices()),
            layout.column(_about()),
        ),
    )
    return _framed(O, rx.cond(ORDER.is_not_none(), shown, missing))


def _paper() -> rx.Component:
    """Offer the order as it was sent."""
    return rx.el.a(
        icon("file-down"),
        rx.el.span("PDF"),
        href=f"{ORDERS}/" + ORDER.id.to_string() + "/paper.pdf",
        class_name="btn",
        # By the browser itself: as a link inside the app it would look for a page of this name.
        custom_attrs={"download": "", "reloadDocument": True},
        aria_label="PDF of the order",
    )


def _lines() -> rx.Component:
    def line(row: rx.Var[OrderLine]) -> rx.Component:
        sku = rx.cond(row.sku, rx.fragment("Your number ", ident(row.sku)), rx.fragment())
        return tables.row(
            tables.cell(tables.two_line(row.description, sku, wraps=True), card="title"),
            tables.cell(row.quantity, numeric=True, card="figure"),
            tables.cell(row.cost, numeric=True),
            tables.cell(row.sum, numeric=True, card="end"),
            tables.cell(row.delivered, numeric=True, phone="Arrived: " + row.delivered, card="foot"),
            key=row.id,
        )

    return layout.card(
        tables.table(
            tables.head(
                tables.column("What"),
                tables.column("Quantity", numeric=True),
                tables.column("Each", numeric=True),
                tables.column("Sum", numeric=True),
                tables.column("Arrived", numeric=True),
            ),
            tables.body(ORDER.lines, line, columns=5),
            label="Lines of the order",
        ),
        title="Ordered",
        end=ORDER.total,
        flush=True,
    )


def _receipts() -> rx.Component:
    def part(row: rx.Var[ReceiptLine]) -> rx.Component:
        return rx.el.span(row.quantity, " × ", row.description, class_name="meta")

    def line(row: rx.Var[Receipt]) -> rx.Component:
        return layout.row_item(
            rx.fragment(row.number, " · ", row.title), rx.foreach(row.lines, part), end=row.on, key=row.id
        )

    return rx.cond(
        ORDER.receipts.length() > 0,
        layout.card(layout.rows(rx.foreach(ORDER.receipts, line)), title="What arrived", flush=True),
        rx.fragment(),
    )


def _order_invoices() -> rx.Component:
    def line(row: rx.Var[InvoiceRow]) -> rx.Component:
        return layout.row_item(
            rx.fragment(row.kind, " ", row.number, " · ", row.gross),
            row.stands.sentence,
            end=_stands(row.stands),
            key=row.id,
        )

    return rx.cond(
        ORDER.invoices.length() > 0,
        layout.card(layout.rows(rx.foreach(ORDER.invoices, line)), title="Your invoices", flush=True),
        rx.fragment(),
    )


def _promise() -> rx.Component:
    form = forms.form(
        forms.hidden_input("order_id", ORDER.id.to_string()),
        forms.hidden_input("version", ORDER.version.to_string()),
        forms.field(
            "You deliver on",
            forms.text_input("on", type="date", value=ORDER.expected_on, required=True),
            error=forms.problem(O.errors, "on"),
            hint="We expect it on this day then. You can promise another one later.",
        ),
        forms.form_footer(forms.submit("Promise this day")),
        key=ORDER.version.to_string(),
        on_submit=O.confirm,
        turn=O.turn,
        idempotency_key=O.idempotency_key,
    )
    return layout.card(rx.cond(ORDER.why_not == "", form, rx.el.p(ORDER.why_not, class_name="muted")), title="Delivery")


def _about() -> rx.Component:
    message = rx.cond(ORDER.message, rx.el.p(rx.el.bdi(ORDER.message), class_name="lines"), rx.fragment())
    return layout.card(
        stack(
            feedback.facts(
                [
                    ("Ordered", ORDER.ordered),
                    ("Expected", rx.cond(ORDER.expected, ORDER.expected, "not said")),
                    ("Deliver to", rx.el.bdi(ORDER.deliver_to)),
                    ("To be paid", rx.cond(ORDER.payment, ORDER.payment, "as agreed")),
                ]
            ),
            message,
        ),
        title="About the order",
    )


@page(INVOICES, "Invoices", Permission.PORTAL_USE, on_load=[I.load], crumbs=())
def invoices() -> rx.Component:
    """List the invoices of one's own company and where they stand."""

    def line(row: rx.Var[InvoiceRow]) -> rx.Component:
        of = rx.cond(
            row.order_number,
            rx.fragment("for ", link(row.order_number, href=f"{ORDERS}/" + row.order_id.to_string())),
            rx.fragment(),
        )
        return tables.row(
            tables.cell(tables.two_line(row.kind + " " + row.number, of), card="title"),
            tables.cell(_stands(row.stands), card="end"),
            tables.cell(row.stands.sentence, card="foot"),
            tables.cell(row.due),
            tables.cell(row.open, numeric=True),
            tables.cell(row.gross, numeric=True, card="figure"),
            key=row.id,
        )

    nothing = _nothing(I, "No invoices yet", "What we have recorded of yours is listed here.", "receipt")
    return _framed(
        I,
        tables.list_page(
            tables.table(
                tables.head(
                    tables.column("Invoice"),
                    tables.column("Where it stands"),
                    tables.column("What that means"),
                    tables.column("Due"),
                    tables.column("Open", numeric=True),
                    tables.column("Total", numeric=True),
                ),
                tables.body(I.rows, line, columns=6, empty=nothing),
                label="Invoices",
            ),
            title="Invoices",
            sub="Yours, as we have recorded them.",
            footer=_turn(I),
            **_tools(I, "Number, order"),
        ),
    )


@page(PAYMENTS, "Payments", Permission.PORTAL_USE, on_load=[P.load], crumbs=())
def payments() -> rx.Component:
    """List what was paid to one's own company."""

    def part(pair: rx.Var[Pair]) -> rx.Component:
        return rx.el.span(pair.label, ": ", pair.value, class_name="meta")

    def line(row: rx.Var[PaymentRow]) -> rx.Component:
        how = rx.fragment(row.method, rx.cond(row.account, " to " + row.account, ""))
        return tables.row(
            tables.cell(tables.two_line(row.number, how), card="title"),
            tables.cell(_stands(row.stands), card="end"),
            tables.cell(rx.foreach(row.parts, part), card="foot"),
            tables.cell(row.reference),
            tables.cell(row.paid),
            tables.cell(row.amount, numeric=True, card="figure"),
            key=row.id,
        )

    nothing = _nothing(P, "No payments yet", "What we pay you is listed here.", "banknote")
    return _framed(
        P,
        tables.list_page(
            tables.table(
                tables.head(
                    tables.column("Payment"),
                    tables.column("Where it stands"),
                    tables.column("For"),
                    tables.column("Reference"),
                    tables.column("On"),
                    tables.column("Amount", numeric=True),
                ),
                tables.body(P.rows, line, columns=6, empty=nothing),
                label="Payments",
            ),
            title="Payments",
            sub="What we have paid you, and for which invoices.",
            footer=_turn(P),
            **_tools(P, "Number, reference"),
        ),
    )
