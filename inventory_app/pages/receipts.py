"""Receipts: the list of what came, went back and was corrected; and one of them with what it booked."""

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, layout, listing, tables
from inventory_app.components.basics import button, ident, link, stack, when
from inventory_app.operations._movement_lines import MovementLine
from inventory_app.operations._receipt_list import LIST
from inventory_app.operations.receipts import ReceiptLine, ReceiptRow, Returnable
from inventory_app.pages._movement_cells import record, what
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.receipts import PATH, ReceiptsState, ReceiptState

S = ReceiptsState
R = ReceiptState
D = ReceiptState.detail
_RECEIVE = Permission.ORDERS_RECEIVE


@page(PATH, "Receipts", Permission.ORDERS_VIEW, on_load=[S.load])
def receipts() -> rx.Component:
    """Show the list."""
    some = S.rows.length() > 0
    return tables.list_page(
        _table(),
        title="Receipts",
        sub="What came for our orders, what went back, and what was corrected",
        actions=(
            listing.export("receipts"),
            gates.can(_RECEIVE, button("Receive goods", icon_name="scan-barcode", tone="solid", href="/receive")),
        ),
        tabs=listing.tabs(
            S,
            listing.tab(S, "kind", "", "All", S.everything),
            listing.tab(S, "kind", "receipt", "Came", S.kinds["receipt"]),
            listing.tab(S, "kind", "return", "Sent back", S.kinds["return"]),
            listing.tab(S, "kind", "correction", "Corrections", S.kinds["correction"]),
        ),
        filters=listing.toolbar(S, search="Search receipts", placeholder="Receipt, order, supplier, delivery note"),
        footer=listing.footer(
            S,
            first=rx.cond(some, S.rows[0].number, ""),
            last=rx.cond(some, S.rows[S.rows.length() - 1].number, ""),
            selectable=False,
        ),
    )


def _table() -> rx.Component:
    searched = listing.nothing_matches(S)
    lesson = feedback.empty_state(
        "Nothing has come yet",
        "What comes for an order is received here: scan it, count it, book it.",
        gates.can(_RECEIVE, button("Receive goods", href="/receive")),
        icon_name="inbox",
    )
    return listing.table(
        S,
        LIST,
        _cells,
        label="Receipts",
        named=lambda row: row.number,
        empty=rx.cond(S.chips.length() + S.q.length() > 0, searched, lesson),
        shape=("96px", "64px", "96px", "60%", "50%", "60%"),
        hide={"kind": "md", "location": "lg", "note": "lg", "booked": "lg"},
        selectable=False,
    )


def _cells(row: rx.Var[ReceiptRow]) -> dict[str, rx.Component]:
    gone = rx.cond(row.taken_back, rx.fragment(" ", feedback.badge("taken back")), rx.fragment())
    about = rx.fragment(row.order, " · ", rx.el.bdi(row.supplier))
    return {
        "number": tables.cell(
            tables.two_line(rx.fragment(row.number, gone), row.lines, href=row.href, phone=about), card="title"
        ),
        "kind": tables.cell(_kind(row), card="figure"),
        "order": tables.cell(ident(row.order, href=row.order_href)),
        "supplier": tables.cell(rx.el.bdi(row.supplier)),
        "location": tables.cell(rx.el.bdi(row.location), hide="lg"),
        "note": tables.cell(rx.el.bdi(row.delivery_note), hide="lg"),
        "happened": tables.cell(rx.fragment(rx.el.bdi(row.who), ", ", when(row.happened, row.happened)), card="foot"),
        "booked": tables.cell(ident("#" + row.id.to_string()), hide="lg"),
    }


def _kind(row: rx.Var[ReceiptRow]) -> rx.Component:
    return rx.match(
        row.kind,
        ("receipt", feedback.badge(row.word, tone="ok")),
        ("return", feedback.badge(row.word, tone="warn")),
        feedback.badge(row.word),
    )


@page(
    PATH + "/[receipt]",
    "Receipt",
    Permission.ORDERS_VIEW,
    on_load=[R.load],
    crumbs=("Purchasing", ("Receipts", PATH)),
    heading=rx.cond(D.is_not_none(), D.row.number, ""),
    back=PATH,
)
def receipt() -> rx.Component:
    """Show the receipt, or that there is none at this address."""
    missing = feedback.missing("receipt", "All receipts", PATH, icon_name="inbox")
    return rx.fragment(
        rx.el.link(rel="stylesheet", href="/receiving.css", custom_attrs={"precedence": "page"}),
        rx.cond(R.loading, layout.page_skeleton(), rx.cond(D.is_not_none(), _found(), missing)),
        _correct(),
        _send_back(),
    )


def _found() -> rx.Component:
    send_back = rx.cond(
        (D.row.kind == "receipt") & (D.why_not == ""),
        button("Send back", icon_name="undo-2", on_click=R.open_return),
        rx.fragment(),
    )
    correct = rx.cond(D.why_not == "", button("Take back", tone="danger", on_click=R.open_correct), rx.fragment())
    return rx.fragment(
        layout.page_head(
            D.row.number,
            badge=_kind(D.row),
            sub=rx.fragment(
                link(D.row.order, href=D.row.order_href),
                " · ",
                rx.el.bdi(D.row.supplier),
                " · ",
                rx.el.bdi(D.row.location),
            ),
            actions=(gates.can(_RECEIVE, rx.fragment(send_back, correct)),),
        ),
        layout.columns(
            layout.column(_linked(), _lines(), rx.cond(D.movements.length() > 0, _movements(), rx.fragment())),
            layout.column(_about()),
        ),
    )


def _linked() -> rx.Component:
    taken = feedback.callout(
        "What it booked was taken back by ",
        link(D.row.taken_back, href=D.taken_back_href),
        ".",
        title="It does not count any more.",
        tone="warn",
    )
    takes = feedback.callout(
        "It takes back exactly what ", link(D.takes_back, href=D.takes_back_href), " booked.", title="A correction."
    )
    return rx.cond(D.row.taken_back, taken, rx.cond(D.takes_back, takes, rx.fragment()))


def _about() -> rx.Component:
    return layout.card(
        feedback.facts(
            [
                ("Happened", when(D.row.happened, D.row.happened, style="full")),
                ("Booked by", rx.el.bdi(D.row.who)),
                ("Delivery note", rx.cond(D.row.delivery_note, rx.el.bdi(D.row.delivery_note), "–")),
                ("Note", rx.cond(D.note, rx.el.bdi(D.note, class_name="lines"), "–")),
            ]
        ),
        title="About it",
    )


def _lines() -> rx.Component:
    head = tables.head(
        tables.column("What"),
        tables.column("Quantity", numeric=True),
        gates.can(Permission.PRICES_VIEW, tables.column("Cost", numeric=True)),
        tables.column("Where"),
    )

    def line(row: rx.Var[ReceiptLine]) -> rx.Component:
        lot = rx.cond(row.lot, rx.fragment(", lot ", row.lot), "")
        place = rx.fragment(rx.el.bdi(row.location), lot)
        where = rx.cond(
            row.item_href,
            gates.can(Permission.INVENTORY_VIEW, link(place, href=row.item_href), otherwise=rx.el.span(place)),
            rx.el.span("not kept in stock", class_name="muted"),
        )
        return tables.row(
            tables.cell(tables.two_line(rx.el.bdi(row.description), row.sku), card="title"),
            tables.cell(
                rx.fragment(row.change, " ", rx.el.span(row.unit, class_name="unit")), numeric=True, card="figure"
            ),
            gates.can(Permission.PRICES_VIEW, tables.cell(row.cost, numeric=True)),
            tables.cell(where, card="foot"),
            key=row.position,
        )

    body = tables.body(D.lines, line, columns=4, empty=rx.fragment())
    return layout.card(tables.table(head, body, label="Lines"), title="Lines", flush=True)


def _movements() -> rx.Component:
    head = tables.head(
        tables.column("Movement"),
        tables.column("Change", numeric=True),
        tables.column("After", numeric=True),
        gates.can(Permission.PRICES_VIEW, tables.column("Value", numeric=True)),
        tables.column("Record"),
    )

    def line(row: rx.Var[MovementLine]) -> rx.Component:
        return tables.row(
            tables.cell(tables.two_line(what(row), rx.fragment(row.product, " · ", row.location)), card="title"),
            tables.cell(
                rx.fragment(row.change, " ", rx.el.span(row.unit, class_name="unit")), numeric=True, card="figure"
            ),
            tables.cell(row.balance, numeric=True),
            gates.can(Permission.PRICES_VIEW, tables.cell(row.value, numeric=True)),
            tables.cell(record(row), card="foot"),
            key=row.id,
        )

    body = tables.body(D.movements, line, columns=5, empty=rx.fragment())
    return layout.card(tables.table(head, body, label="Movements"), title="Movements", flush=True)


def _correct() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("receipt_id", D.row.id.to_string()),
        rx.el.p("A counter-entry takes back exactly what it booked. Then book what is right."),
        forms.field(
            "Why",
            forms.textarea("note", rows=3, max_length=1000, required=True, auto_focus=True),
            error=forms.problem(R.errors, "note"),
        ),
        open=R.dialog == "correct",
        on_open_change=R.close,
        title="Take this back?",
        sub=rx.fragment(rx.el.strong(D.row.number), " · ", D.row.order),
        status="Nothing has changed yet.",
        primary=forms.submit("Take back"),
        on_submit=R.correct_receipt,
        turn=R.turn,
        idempotency_key=R.idempotency_key,
    )


def _send_back() -> rx.Component:
    nothing = rx.el.p("Everything of it has gone back already.", class_name="muted")
    return dialogs.dialog(
        forms.hidden_input("order_id", R.order_id.to_string()),
        rx.cond(
            R.returnable.length() > 0,
            rx.el.ul(rx.foreach(R.returnable, _returnable), class_name="counts"),
            nothing,
        ),
        forms.field(
            "Why",
            forms.textarea("note", rows=2, max_length=1000, required=True),
            error=forms.problem(R.errors, "note"),
        ),
        open=R.dialog == "return",
        on_open_change=R.close,
        title="Send goods back",
        sub="They leave the stock at what was paid for them. A row left empty stays here.",
        status="Nothing has gone yet.",
        primary=forms.submit("Send back"),
        on_submit=R.return_goods,
        turn=R.turn,
        idempotency_key=R.idempotency_key,
        size="l",
    )


def _returnable(row: rx.Var[Returnable]) -> rx.Component:
    line = row.line_id.to_string()
    name = "quantity:" + line
    wrong = R.errors.get(name, "").to(str)
    elsewhere = R.errors.get("item:" + line, "").to(str)
    quantity = rx.el.input(
        name=name,
        input_mode="decimal",
        auto_complete="off",
        class_name="ctl",
        aria_label="Send back of " + row.description,
        custom_attrs={
            "id": "f-" + name,
            "aria-describedby": "f-" + name + "-error",
            "aria-invalid": rx.cond(wrong, "true", "false"),
        },
    )
    place = rx.el.select(
        rx.foreach(row.sources, lambda pair: rx.el.option(pair[1], value=pair[0], key=pair[0])),
        name="item:" + line,
        default_value=row.item_id,
        aria_label="Out of where: " + row.description,
        class_name="ctl select",
    )
    return rx.el.li(
        stack(
            tables.two_line(rx.el.bdi(row.description), rx.fragment("up to ", row.most, " ", row.unit)),
            rx.cond(row.stocked, place, rx.fragment()),
            tight=True,
        ),
        rx.el.div(quantity, rx.el.span(row.unit, class_name="suffix"), class_name="ctl-wrap"),
        forms.fault(rx.cond(wrong, wrong, elsewhere), "f-" + name + "-error"),
        class_name="field came-line",
        custom_attrs={"data-invalid": rx.cond((wrong != "") | (elsewhere != ""), "true", "false")},
        key=line,
    )
