"""Suppliers: all of them, whatever was decided."""

import reflex as rx

from inventory_app.components import feedback, gates, listing, tables
from inventory_app.components.basics import button, ident, when
from inventory_app.operations._supplier_list import LIST, SupplierRow
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
            filters=listing.toolbar(S, search="Search suppliers", placeholder="Name, place, tax id"),
            footer=_footer(),
        ),
        enter_dialog(),
    )


def _sub() -> rx.Component:
    return rx.fragment(
        S.counts["approved"].to_string(), " approved, ", S.counts["pending"].to_string(), " waiting for a decision"
    )


def _actions() -> list[rx.Component]:
    return [
        listing.export("suppliers"),
        gates.can(Permission.SUPPLIERS_CREATE, button("Import", icon_name="upload", href="/imports")),
        button("Approvals", icon_name="circle-check", href="/suppliers/approvals"),
        gates.can(
            Permission.SUPPLIERS_CREATE,
            button("Enter a supplier", icon_name="plus", tone="solid", on_click=SupplierState.open_enter),
        ),
    ]


def _tabs() -> rx.Component:
    def tab(label: str, status: str) -> rx.Component:
        return listing.tab(S, "status", status, label, S.counts[status] if status else S.everybody)

    some = (S.counts["suspended"] > 0) | (S.filters.get("status", "") == "suspended")
    suspended = rx.cond(some, tab("Suspended", "suspended"), rx.fragment())
    return listing.tabs(
        S,
        tab("All", ""),
        tab("Waiting", "pending"),
        tab("Approved", "approved"),
        tab("Rejected", "rejected"),
        suspended,
    )


def _table() -> rx.Component:
    return listing.table(
        S,
        LIST,
        _cells,
        label="Suppliers",
        named=lambda row: row.name,
        empty=_empty(),
        shape=("60%", "64px", "96px", "70%", "48px", "70%"),
        hide={"tax_id": "md", "terms": "lg"},
        selectable=False,
        changed=True,
    )


def _cells(row: rx.Var[SupplierRow]) -> dict[str, rx.Component]:
    href = PATH + "/" + row.id.to_string()
    return {
        "name": tables.cell(
            tables.two_line(rx.el.bdi(row.name), rx.el.bdi(row.place), href=href, wraps=True),
            tables.changed_by(S.changed.get(row.id, "")),
            card="title",
        ),
        "status": tables.cell(status_badge(row.status), card="figure"),
        "tax_id": tables.cell(rx.cond(row.tax_id, ident(row.tax_id), _none()), hide="md"),
        "contact": tables.cell(_contact(row)),
        "terms": tables.cell(rx.cond(row.terms, rx.el.bdi(row.terms), _none()), hide="lg"),
        "changed": tables.cell(
            tables.two_line(row.step, when(row.at, row.at), strong=False, wraps=True),
            card="foot",
            phone=rx.fragment(row.step, ", ", when(row.at, row.at)),
        ),
    }


def _contact(row: rx.Var[SupplierRow]) -> rx.Component:
    reach = rx.cond(row.email, row.email, row.phone)
    named = tables.two_line(rx.el.bdi(row.contact), rx.el.bdi(reach), strong=False, wraps=True)
    return rx.cond(row.contact, named, rx.cond(reach, rx.el.bdi(reach), _none()))


def _none() -> rx.Component:
    return rx.el.span("–", class_name="dim")


def _empty() -> rx.Component:
    searched = listing.nothing_matches(
        S, "Take off a filter, or search for a part of the name.", title="Nobody matches"
    )
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


def _footer() -> rx.Component:
    some = S.rows.length() > 0
    return listing.footer(
        S,
        first=rx.cond(some, S.rows[0].name, ""),
        last=rx.cond(some, S.rows[S.rows.length() - 1].name, ""),
        selectable=False,
    )
