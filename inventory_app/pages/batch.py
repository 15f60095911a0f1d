"""A batch of payments, and its file for the bank."""

from typing import Any

import reflex as rx

from inventory_app.components import feedback, gates, layout, tables
from inventory_app.components.basics import button, stack, when
from inventory_app.operations.payment_views import PaymentRow
from inventory_app.pages._page import page
from inventory_app.pages._payment_dialogs import status_badge
from inventory_app.permissions import Permission
from inventory_app.states.payments import BATCHES, PATH, BatchState

S = BatchState
#: What State holds is a Var in the browser, whose attributes no type checker knows.
D: Any = S.detail


@page(
    BATCHES + "/[batch]",
    "Batch of payments",
    Permission.PAYMENTS_VIEW,
    on_load=[S.load],
    crumbs=("Purchasing", ("Payments", PATH)),
    heading=rx.cond(S.detail.is_not_none(), D.number, ""),
    back=PATH,
)
def batch() -> rx.Component:
    """Show the batch, or that there is none at this address."""
    missing = feedback.missing(
        "batch",
        "All payments",
        PATH,
        text="The link may be old. Look for its payments in the list.",
        icon_name="banknote",
    )
    return rx.cond(S.loading, layout.page_skeleton(), rx.cond(S.detail.is_not_none(), _found(), missing))


def _found() -> rx.Component:
    waits = feedback.callout(
        "There is no file for the bank before somebody agrees who had no part in it.",
        title="It waits for somebody else.",
        tone="warn",
        action=rx.cond(
            D.approval_id > 0,
            button("Look at the request", href="/approvals?id=" + D.approval_id.to_string()),
            rx.fragment(),
        ),
    )
    return rx.fragment(
        layout.page_head(
            D.number,
            badge=status_badge(D.status, D.word),
            sub=rx.fragment(D.total, ", to be carried out on ", D.day),
        ),
        rx.cond(D.status == "waiting", waits, rx.fragment()),
        layout.columns(layout.column(_payments()), layout.column(_file(), _facts())),
    )


def _payments() -> rx.Component:
    def line(row: rx.Var[PaymentRow]) -> rx.Component:
        return tables.row(
            tables.cell(
                tables.two_line(row.number, rx.el.bdi(row.supplier), href=PATH + "/" + row.id.to_string()), card="title"
            ),
            tables.cell(rx.el.bdi(row.reference), hide="md"),
            tables.cell(status_badge(row.status, row.word), card="foot"),
            tables.cell(row.amount, numeric=True, card="figure"),
            key=row.id,
        )

    table = tables.table(
        tables.head(
            tables.column("Payment"),
            tables.column("Reference", hide="md"),
            tables.column("Status"),
            tables.column("Amount", numeric=True),
        ),
        rx.el.tbody(rx.foreach(D.rows, line)),
        label="Payments of the batch",
    )
    return layout.card(table, title="Payments", flush=True)


def _file() -> rx.Component:
    def way(label: str, href: rx.Var[str]) -> rx.Component:
        # The browser itself fetches the file: it is none of our pages.
        return rx.el.a(label, href=href, class_name="btn", custom_attrs={"download": "", "reloadDocument": True})

    files = rx.el.div(
        rx.cond(D.has_sepa, way("SEPA (pain.001)", S.xml_href), rx.fragment()),
        way("CSV", S.csv_href),
        class_name="row-x",
    )
    none = rx.el.p("There is nothing for the bank to carry out.", class_name="muted")
    fetched = rx.cond(
        D.fetched,
        feedback.facts(
            [
                ("Fetched", when(D.fetched, D.fetched, style="full")),
                ("SHA-256", rx.el.code(D.sha256, class_name="lines")),
            ]
        ),
        rx.el.p("Nobody has fetched it yet.", class_name="muted"),
    )
    offered = gates.can(
        Permission.PAYMENTS_PROCESS, gates.can(Permission.PRICES_VIEW, rx.cond(D.has_file, files, none))
    )
    return layout.card(stack(offered, fetched), title="File for the bank")


def _facts() -> rx.Component:
    return layout.card(
        feedback.facts([("By", rx.el.bdi(D.by)), ("Made", when(D.recorded, D.recorded, style="full"))]),
        title="The batch",
    )
