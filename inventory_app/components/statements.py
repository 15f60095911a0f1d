"""What is owed to a supplier, by how long it is overdue, and what it comes of."""

from typing import Any

import reflex as rx

from inventory_app.components import feedback, gates, layout, tables
from inventory_app.components.basics import button
from inventory_app.operations.statements import STEPS, Owing, StatementLine
from inventory_app.permissions import Permission
from inventory_app.states.payments import StatementState

S = StatementState
#: What State holds is a Var in the browser, whose attributes no type checker knows.
_SHOWN: Any = S.statement


def owing_table(rows: Any, *, named: bool, totals: Any = None, total: Any = None) -> rx.Component:
    """Show what is owed in columns by age: `named` with the supplier of each row, `totals` below in one currency."""

    def line(row: rx.Var[Owing]) -> rx.Component:
        lead = tables.two_line(
            rx.el.bdi(row.supplier), row.currency, href="/suppliers/" + row.supplier_id.to_string(), wraps=True
        )
        return tables.row(
            tables.cell(lead, card="title")
            if named
            else tables.cell(row.currency, card="title", phone=rx.fragment("Owed in ", row.currency)),
            *[tables.cell(row.steps[at], numeric=True, hide="md") for at in range(len(STEPS))],
            tables.cell(row.total, numeric=True, card="figure"),
            tables.cell(row.in_base, numeric=True, hide="lg"),
            key=row.supplier_id.to_string() + row.currency,
        )

    foot = ()
    if totals is not None:
        foot = (
            tables.row(
                tables.cell(rx.el.strong("All, in the base currency"), card="title"),
                *[tables.cell(rx.el.strong(totals[at]), numeric=True, hide="md") for at in range(len(STEPS))],
                tables.cell(rx.el.strong(total), numeric=True, card="figure"),
                tables.cell("", hide="lg"),
                key="total",
            ),
        )
    return tables.table(
        tables.head(
            tables.column("Supplier" if named else "Currency"),
            *[tables.column(name, numeric=True, hide="md") for _, name in STEPS],
            tables.column("Open", numeric=True),
            tables.column("In the base currency", numeric=True, hide="lg"),
        ),
        rx.el.tbody(rx.foreach(rows, line), *foot),
        label="What is owed",
    )


def statement_card() -> rx.Component:
    """Show the statement of the supplier whose page this is, to who may see invoices and amounts."""
    nothing = rx.el.div(
        rx.el.p("No invoice of this supplier has been recorded.", class_name="muted"), class_name="card-body"
    )
    lines = tables.table(
        tables.head(
            tables.column("Day"),
            tables.column("What"),
            tables.column("Amount", numeric=True),
            tables.column("Owed then", numeric=True),
        ),
        rx.el.tbody(rx.foreach(_SHOWN.lines, _line)),
        label="Statement",
    )
    more = rx.cond(_SHOWN.more, rx.el.p("Older ones are left out here.", class_name="muted card-body"), rx.fragment())
    owed = rx.cond(_SHOWN.owing.length() > 0, owing_table(_SHOWN.owing, named=False), _even())
    pay = gates.can(
        Permission.PAYMENTS_VIEW,
        button("To pay", icon_name="hand-coins", href="/payments/due"),
    )
    card = layout.card(
        rx.cond(_SHOWN.lines.length() > 0, rx.fragment(owed, lines, more), nothing),
        title="Statement",
        end=pay,
        flush=True,
    )
    return rx.cond(S.statement.is_not_none(), card, rx.fragment())


def _even() -> rx.Component:
    return rx.el.div(feedback.quiet_badge("Nothing is owed", dot="ok"), class_name="card-body")


def _line(row: rx.Var[StatementLine]) -> rx.Component:
    return tables.row(
        tables.cell(row.day, card="foot"),
        tables.cell(tables.two_line(rx.el.bdi(row.number), row.kind, href=row.href), card="title"),
        tables.cell(row.amount, numeric=True, card="figure"),
        tables.cell(row.balance, numeric=True, hide="md"),
        key=row.key,
    )
