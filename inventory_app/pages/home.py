"""The start page: what waits for you, what runs low, what you did last, what the stock is worth."""

import reflex as rx

from inventory_app.components import charts, feedback, gates, layout, palette, tables
from inventory_app.components.basics import button, icon, link, when
from inventory_app.operations._order_rows import OrderRow
from inventory_app.operations.home import DoneRow, Share, WaitingRow
from inventory_app.operations.reorder import LowRow
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.auth import AuthState
from inventory_app.states.home import HomeState
from inventory_app.states.take_back import TakeBackState

S = HomeState


@page("/", "Home", on_load=[S.load])
def home() -> rx.Component:
    """Greet, and show a person what is theirs to see."""
    return rx.fragment(
        rx.el.link(rel="stylesheet", href="/home.css", custom_attrs={"precedence": "page"}),
        rx.el.link(rel="stylesheet", href="/charts.css", custom_attrs={"precedence": "page"}),
        rx.cond(S.loading, layout.page_skeleton(), _loaded()),
    )


def _loaded() -> rx.Component:
    return rx.fragment(
        layout.page_head(
            rx.fragment(S.greeting, ", ", rx.el.bdi(AuthState.name.split(" ")[0])),
            sub=rx.fragment(S.today, ". ", S.waits),
            actions=(
                gates.can(Permission.PRODUCTS_VIEW, palette.scan()),
                gates.can(Permission.INVENTORY_VIEW, button("Find stock", icon_name="search", href="/inventory")),
            ),
        ),
        layout.columns(
            layout.column(
                rx.cond(S.no_stock, _first_steps(), rx.fragment()),
                _waiting(),
                gates.can(Permission.INVENTORY_VIEW, _low()),
                rx.cond(S.due.length() > 0, _due(), rx.fragment()),
            ),
            layout.column(
                rx.cond(S.worth, _worth(), rx.fragment()),
                rx.cond(S.moved, _moved(), rx.fragment()),
                _done(),
            ),
        ),
    )


def _first_steps() -> rx.Component:
    """Say what there is to do in a new installation, as far as this person may."""

    def step(icon_name: str, title: str, meta: str, href: str) -> rx.Component:
        return layout.row_item(link(title, href=href, plain=True, class_name="rowlink"), meta, icon_name=icon_name)

    return layout.card(
        layout.rows(
            gates.can(
                Permission.INVENTORY_IMPORT,
                step("file-input", "Import products", "From a file, with what is on hand", "/imports"),
            ),
            gates.can(
                Permission.INVENTORY_CREATE,
                step("boxes", "Add the first item", "A product, and how much of it is where", "/inventory"),
            ),
            gates.can(
                Permission.PRODUCTS_MANAGE,
                step("map-pin", "Add a location", "Beside the main warehouse, which exists", "/locations"),
            ),
            gates.can(
                Permission.USERS_MANAGE,
                step("users", "Invite people", "They choose their password by a link", "/admin/users"),
            ),
        ),
        title="First steps",
        flush=True,
    )


def _waiting() -> rx.Component:
    nothing = feedback.empty_state(
        "You are up to date",
        "Suppliers to approve and people to let in come here, as far as you may decide about them.",
        icon_name="circle-check",
    )
    rest = rx.el.div(
        rx.cond(
            S.suppliers > 0,
            link("All suppliers to approve, ", S.suppliers, href="/suppliers/approvals"),
            rx.fragment(),
        ),
        rx.cond(S.others > 0, link("All other requests, ", S.others, href="/approvals"), rx.fragment()),
        rx.cond(S.people > 0, link("All people to let in, ", S.people, href="/admin/users?tab=waiting"), rx.fragment()),
        class_name="card-foot links",
    )
    return layout.card(
        rx.cond(S.waiting_count > 0, layout.rows(rx.foreach(S.waiting, _wait)), nothing),
        rx.cond(S.waiting_count > S.waiting.length(), rest, rx.fragment()),
        title="Waiting for you",
        note=rx.cond(S.waiting_count > 0, S.waiting_count.to_string(), ""),
        flush=True,
    )


def _wait(row: rx.Var[WaitingRow]) -> rx.Component:
    is_person = row.kind == "person"
    title = rx.fragment(
        rx.cond(is_person, "Let ", "Decide about "), rx.el.bdi(row.title), rx.cond(is_person, " in", "")
    )
    since = when(row.since, row.since)
    return layout.row_item(
        link(title, href=row.href, plain=True, class_name="rowlink"),
        rx.el.bdi(row.meta),
        lead=rx.cond(is_person, icon("users", 18), icon("circle-check", 18)),
        end=rx.cond(row.late, rx.el.span("late, ", since, class_name="text-bad"), since),
        key=row.kind + row.href + row.title,
    )


def _low() -> rx.Component:
    see_all = rx.cond(
        S.products_to_reorder > 0,
        link("See all", href="/reorder", aria_label="See all products to reorder"),
        rx.fragment(),
    )
    nothing = feedback.empty_state(
        rx.cond(S.no_stock, "Nothing is in stock yet", "Nothing runs low"),
        "Products at or below their reorder point come here.",
        icon_name="boxes",
    )
    return layout.card(
        rx.cond(
            S.low.length() > 0,
            tables.table(
                tables.head(
                    tables.column("Product"),
                    tables.column("On hand", numeric=True),
                    tables.column("Order", numeric=True),
                ),
                rx.el.tbody(rx.foreach(S.low, _low_row)),
                label="To reorder",
            ),
            nothing,
        ),
        title="To reorder",
        note=S.low_note,
        end=see_all,
        flush=True,
    )


def _low_row(row: rx.Var[LowRow]) -> rx.Component:
    to_product = link(row.product, href="/products/" + row.id.to_string(), plain=True, class_name="rowlink")
    found = gates.can(Permission.PRODUCTS_VIEW, to_product, otherwise=rx.el.span(row.product))
    suggested = rx.el.span(row.suggested, rx.el.span(row.unit, class_name="unit"), title=row.why)
    phone = rx.fragment(row.sku, " · order ", row.suggested, " ", row.unit)
    on_hand = rx.fragment(row.on_hand, rx.el.span(" of ", row.reorder_point, class_name="unit"))
    return tables.row(
        tables.cell(tables.two_line(found, row.sku, phone=phone), card="title"),
        tables.cell(
            tables.level(on_hand, row.unit, fill=row.fill, tick=row.tick, state=row.level), numeric=True, card="figure"
        ),
        tables.cell(suggested, numeric=True),
        key=row.sku,
    )


def _due() -> rx.Component:
    def line(row: rx.Var[OrderRow]) -> rx.Component:
        return layout.row_item(
            link(rx.el.bdi(row.called), href=row.href, plain=True, class_name="rowlink"),
            rx.el.bdi(row.supplier),
            icon_name="file-text",
            end=rx.cond(row.late, rx.el.span("late, ", row.expected, class_name="text-bad"), row.expected),
            key=row.href,
        )

    return layout.card(
        layout.rows(rx.foreach(S.due, line)),
        title="Orders due",
        note=S.due_note,
        end=link("See all", href="/orders?status=under_way&sort=expected", aria_label="See all orders under way"),
        flush=True,
    )


def _worth() -> rx.Component:
    def share(row: rx.Var[Share]) -> rx.Component:
        return charts.bar(row.category, row.worth, row.percent, key=row.category)

    return layout.card(
        rx.cond(
            S.shares.length() > 0,
            charts.bars(rx.foreach(S.shares, share)),
            rx.el.p("There is nothing in stock that has a cost.", class_name="muted"),
        ),
        rx.cond(S.as_of, rx.el.p("As of ", when(S.as_of, S.as_of), class_name="card-foot meta"), rx.fragment()),
        title="Stock value by category",
        end=rx.fragment(rx.el.strong(S.worth, class_name="sum"), S.currency),
    )


def _moved() -> rx.Component:
    return layout.card(
        charts.by_week(S.weeks),
        title="Movements by week",
        note=charts.in_and_out(),
        end=link("All", href="/movements", aria_label="All movements"),
    )


def _done() -> rx.Component:
    nothing = rx.el.p("What you change comes here, newest first.", class_name="card-body muted")
    everything = gates.can(
        Permission.AUDIT_VIEW, link("All", href="/audit?q=actor%3A" + AuthState.username, aria_label="All my changes")
    )
    return layout.card(
        rx.cond(S.done.length() > 0, layout.rows(rx.foreach(S.done, _did)), nothing),
        title="My last changes",
        end=rx.cond(S.done.length() > 0, everything, rx.fragment()),
        flush=True,
    )


def _did(row: rx.Var[DoneRow]) -> rx.Component:
    opened = link(row.title, href="/audit/" + row.id, plain=True, class_name="rowlink")
    undo = button(
        "Undo",
        icon_name="undo-2",
        tone="quiet",
        size="s",
        aria_label="Undo: " + row.title + ", " + row.summary,
        on_click=TakeBackState.undo(row.id),
    )
    return layout.row_item(
        gates.can(Permission.AUDIT_VIEW, opened, otherwise=rx.el.span(row.title)),
        rx.fragment(rx.el.bdi(row.summary), " · ", when(row.at, row.at)),
        end=rx.cond(row.undo, undo, rx.fragment()),
        key=row.id,
    )
