"""Suppliers: all of them, whatever was decided."""

import reflex as rx

from inventory_app.components import feedback, gates, tables
from inventory_app.components.basics import button, ident, when
from inventory_app.operations._supplier_list import SupplierRow
from inventory_app.pages._page import page
from inventory_app.pages._supplier_dialogs import enter_dialog, status_badge
from inventory_app.permissions import Permission
from inventory_app.states.supplier_list import PATH, SupplierListState
from inventory_app.states.suppliers import SupplierState

S = SupplierListState


@page(PATH, "Suppliers", Permission.SUPPLIERS_VIEW, on_load=[S.load])
def suppliers() -> rx.Component:
    """Show the list, and the dialog that enters one more."""
    return rx.fragment(
        tables.list_page(
            _table(),
            title="Suppliers",
            sub=_sub(),
            actions=_actions(),
            tabs=_tabs(),
            filters=tables.filter_bar(
                search=tables.search_field(
                    value=S.q,
                    on_change=S.search.debounce(250),
                    placeholder="Name, place, tax id",
                    label="Search suppliers",
                ),
                end=(rx.el.span(S.shown, class_name="muted"), tables.density()),
            ),
            footer=tables.footer(pager=_pager()),
        ),
        enter_dialog(),
    )


def _sub() -> rx.Component:
    return rx.fragment(
        S.counts["approved"].to_string(), " approved, ", S.counts["pending"].to_string(), " waiting for a decision"
    )


def _actions() -> list[rx.Component]:
    return [
        gates.can(Permission.SUPPLIERS_CREATE, button("Import", icon_name="upload", href="/imports")),
        button("Approvals", icon_name="circle-check", href="/suppliers/approvals"),
        gates.can(
            Permission.SUPPLIERS_CREATE,
            button("Enter a supplier", icon_name="plus", tone="solid", on_click=SupplierState.open_enter),
        ),
    ]


def _tabs() -> rx.Component:
    def tab(label: str, status: str) -> rx.Component:
        count = S.counts[status] if status else S.everybody
        return tables.tab(label, S.hrefs[f"status_{status}"], count=count, active=S.status == status)

    suspended = rx.cond(
        (S.counts["suspended"] > 0) | (S.status == "suspended"), tab("Suspended", "suspended"), rx.fragment()
    )
    return tables.tabs(
        tab("All", ""),
        tab("Waiting", "pending"),
        tab("Approved", "approved"),
        tab("Rejected", "rejected"),
        suspended,
    )


def _table() -> rx.Component:
    def sorted_by(name: str) -> dict[str, rx.Var[str]]:
        return {"href": S.hrefs[name], "sort": rx.cond(S.sort == name, S.direction, "")}

    return tables.table(
        tables.head(
            tables.column("Supplier", **sorted_by("name")),
            tables.column("Status", **sorted_by("status")),
            tables.column("Tax id", hide="md"),
            tables.column("Contact"),
            tables.column("Terms", hide="lg"),
            tables.column("Last step", **sorted_by("changed")),
        ),
        tables.body(
            S.rows,
            _row,
            columns=6,
            loading=S.loading,
            empty=_empty(),
            shape=("60%", "64px", "96px", "70%", "48px", "70%"),
        ),
        label="Suppliers",
    )


def _row(row: rx.Var[SupplierRow]) -> rx.Component:
    href = PATH + "/" + row.id.to_string()
    by = S.changed.get(row.id, "")
    return tables.row(
        tables.cell(
            tables.two_line(rx.el.bdi(row.name), rx.el.bdi(row.place), href=href), tables.changed_by(by), card="title"
        ),
        tables.cell(status_badge(row.status), card="figure"),
        tables.cell(rx.cond(row.tax_id, ident(row.tax_id), _none()), hide="md"),
        tables.cell(_contact(row)),
        tables.cell(rx.cond(row.terms, rx.el.bdi(row.terms), _none()), hide="lg"),
        tables.cell(
            tables.two_line(row.step, when(row.at, row.at), strong=False),
            card="foot",
            phone=rx.fragment(row.step, ", ", when(row.at, row.at)),
        ),
        key=row.id,
        live=by != "",
    )


def _contact(row: rx.Var[SupplierRow]) -> rx.Component:
    reach = rx.cond(row.email, row.email, row.phone)
    named = tables.two_line(rx.el.bdi(row.contact), rx.el.bdi(reach), strong=False)
    return rx.cond(row.contact, named, rx.cond(reach, rx.el.bdi(reach), _none()))


def _none() -> rx.Component:
    return rx.el.span("–", class_name="dim")


def _empty() -> rx.Component:
    searched = feedback.empty_state("Nobody matches", "Take off a filter, or search for a part of the name.")
    lesson = feedback.empty_state(
        "No suppliers yet",
        "Companies come here when they apply by themselves, when somebody enters them, or from a file. "
        "Each waits until somebody else approves it.",
        gates.can(
            Permission.SUPPLIERS_CREATE,
            button("Enter a supplier", icon_name="plus", tone="solid", on_click=SupplierState.open_enter),
            button("Import", icon_name="upload", href="/imports"),
        ),
        icon_name="truck",
    )
    return rx.cond(S.everybody > 0, searched, lesson)


def _pager() -> rx.Component:
    some = S.rows.length() > 0
    return tables.pager(
        range=S.rows.length().to_string(),
        first=rx.cond(some, S.rows[0].name, ""),
        last=rx.cond(some, S.rows[S.rows.length() - 1].name, ""),
        previous_href=S.previous_href,
        next_href=S.next_href,
    )
