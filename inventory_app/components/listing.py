"""A list over a `ListState`: toolbar, table, cards on the phone, and pager, from what its `Listing` declares."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, kept_views, tables
from inventory_app.components.basics import Content, Text, button, icon
from inventory_app.operations._export_lists import EXPORTS
from inventory_app.operations._lists import Listing
from inventory_app.permissions import Permission
from inventory_app.states._list import Choosable, Field, Option

#: A State class made from `ListState`.
State = Any


def toolbar(state: State, *, search: str, placeholder: str) -> rx.Component:
    """Search and narrow down, and choose columns; at the right how many rows there are."""
    chips = rx.foreach(
        state.chips, lambda chip: tables.chip(chip.label, chip.operator, chip.value, remove_href=chip.off)
    )
    return rx.fragment(
        tables.filter_bar(
            chips,
            tables.chip_add("Filter", on_click=state.open_filters),
            search=tables.search_field(
                value=state.q, on_change=state.search.debounce(250), placeholder=placeholder, label=search
            ),
            end=(
                rx.el.span(state.shown, class_name="muted"),
                tables.density(),
                _order(state),
                kept_views.menu(state),
                _columns(state),
            ),
        ),
        rx.el.p(state.similar, class_name="list-note", role="status"),
        _filters(state),
        kept_views.view_dialogs(state),
    )


def _order(state: State) -> rx.Component:
    """Choose the order on the phone, where no head of a column does it."""
    arrow = rx.cond(state.direction == "desc", icon("arrow-down", 14), icon("arrow-up", 14))
    trigger = rx.el.button(
        state.sort_label, arrow, type="button", class_name="btn btn-quiet", aria_label="Order by " + state.sort_label
    )

    def line(one: rx.Var[Choosable]) -> rx.Component:
        return dialogs.menu_item(one.label, href=state.hrefs["sort_" + one.key], ticked=one.chosen)

    return rx.el.span(dialogs.menu(trigger, rx.foreach(state.sort_lines, line)), class_name="only-phone")


def _columns(state: State) -> rx.Component:
    def column(one: rx.Var[Choosable]) -> rx.Component:
        return dialogs.menu_item(one.label, on_select=state.toggle_column(one.key), ticked=one.chosen)

    def size(one: rx.Var[Choosable]) -> rx.Component:
        return dialogs.menu_item(one.label, on_select=state.resize(one.key), ticked=one.chosen)

    trigger = rx.el.button(
        icon("columns-3"),
        rx.el.span("Columns", class_name="no-phone"),
        type="button",
        class_name="btn btn-views",
        aria_label="Columns",
    )
    return dialogs.menu(
        trigger,
        rx.foreach(state.column_lines, column),
        dialogs.menu_line(),
        rx.foreach(state.size_lines, size),
    )


def _filters(state: State) -> rx.Component:
    """Ask in one form for everything the list can be narrowed down by."""
    return dialogs.dialog(
        rx.foreach(state.filter_fields, lambda field: _field(state, field)),
        open=state.filtering,
        on_open_change=state.close_filters,
        title="Filter",
        sub="Rows that meet all of these are listed.",
        primary=forms.submit("Show them"),
        on_submit=state.filter_list,
        turn=state.turn,
    )


def _field(state: State, field: rx.Var[Field]) -> rx.Component:
    return rx.match(
        field.kind,
        ("many", _many(field)),
        ("one", _labelled(field, _one(field))),
        ("range", _range(state, field)),
        _labelled(field, _text(field.key, field.low)),
    )


def _labelled(field: rx.Var[Field], control: rx.Component) -> rx.Component:
    label = rx.el.label(field.label, html_for="f-" + field.key, class_name="field-label")
    return rx.el.div(label, control, class_name="field")


def _text(name: rx.Var[str], value: rx.Var[str], **props: Any) -> rx.Component:
    return rx.el.input(
        name=name,
        default_value=value,
        auto_complete="off",
        class_name="ctl",
        custom_attrs={"id": "f-" + name} | props.pop("custom_attrs", {}),
        **props,
    )


def _one(field: rx.Var[Field]) -> rx.Component:
    return rx.el.select(
        rx.el.option("Any", value=""),
        rx.foreach(field.options, lambda one: rx.el.option(one.label, value=one.name, key=one.name)),
        name=field.key,
        default_value=field.low,
        class_name="ctl select",
        custom_attrs={"id": "f-" + field.key},
    )


def _many(field: rx.Var[Field]) -> rx.Component:
    negation = rx.el.select(
        rx.el.option("is any of", value=""),
        rx.el.option("is none of", value="1"),
        name=field.key + ":not",
        default_value=rx.cond(field.negated, "1", ""),
        class_name="ctl select",
        aria_label=field.label + " is",
    )
    return rx.el.fieldset(
        rx.el.legend(field.label, class_name="field-label"),
        negation,
        rx.el.div(rx.foreach(field.options, _tick), class_name="filter-ticks"),
        class_name="field",
    )


def _tick(one: rx.Var[Option]) -> rx.Component:
    box = rx.el.input(type="checkbox", name=one.name, default_checked=one.ticked, class_name="check")
    return rx.el.label(box, rx.el.span(one.label), class_name="check-line", key=one.name)


def _range(state: State, field: rx.Var[Field]) -> rx.Component:
    def end(part: str, label: str, value: rx.Var[str]) -> rx.Component:
        name = field.key + ":" + part
        wrong = state.errors.get(name, "").to(str)
        attrs = {"aria-describedby": name + "-error", "aria-invalid": rx.cond(wrong, "true", "false")}
        control = _text(name, value, input_mode="decimal", aria_label=field.label + " " + label, custom_attrs=attrs)
        return rx.el.div(
            rx.el.span(label, class_name="meta", aria_hidden=True),
            control,
            forms.fault(wrong, name + "-error"),
            class_name="field",
            custom_attrs={"data-invalid": rx.cond(wrong, "true", "false")},
        )

    both = rx.el.div(end("from", "from", field.low), end("to", "to", field.high), class_name="filter-range")
    return rx.el.fieldset(rx.el.legend(field.label, class_name="field-label"), both, class_name="field")


def table(
    state: State,
    listing: Listing,
    cells: Callable[[Any], Mapping[str, rx.Component]],
    *,
    label: str,
    named: Callable[[Any], Text],
    empty: rx.Component,
    shape: Sequence[str],
    hide: Mapping[str, tables.Hide] | None = None,
    selects: Permission | None = None,
    selectable: bool = True,
    shown: Callable[[Any], Any] | None = None,
    changed: bool = False,
) -> rx.Component:
    """Show the rows of a list: `cells` makes a row's cells by column, `named` what a row is called.

    `selects` is the permission without which nothing can be done with selected rows. `shown` returns what stands
    for a row, `changed` marks what others have changed meanwhile.
    """

    def row(listed: Any) -> rx.Component:
        one = shown(listed) if shown else listed
        made = cells(one)
        kept = [_if_shown(state, listing, key, made[key]) for key in listing.columns]
        ticked = state.all_selected | state.selected.contains(one.id)
        box = tables.check_cell(checked=ticked, on_change=lambda _: state.select(one.id), label="Select " + named(one))
        return tables.row(
            *_when_selectable(box, selects, selectable=selectable),
            *kept,
            key=one.id,
            selected=ticked,
            live=(state.changed.get(one.id, "") != "") if changed else False,
        )

    heads = [
        _if_shown(state, listing, key, _head(state, listing, key, (hide or {}).get(key, ""))) for key in listing.columns
    ]
    return tables.table(
        tables.head(*_when_selectable(_select_all(state), selects, selectable=selectable), *heads),
        tables.body(
            state.rows,
            row,
            columns=len(listing.columns) + int(selectable),
            loading=state.loading,
            empty=empty,
            shape=shape,
        ),
        label=label,
    )


def _if_shown(state: State, listing: Listing, key: str, part: rx.Component) -> rx.Component:
    return part if listing.columns[key].fixed else rx.cond(state.columns.contains(key), part, rx.fragment())


def _when_selectable(part: rx.Component, selects: Permission | None, *, selectable: bool) -> list[rx.Component]:
    if not selectable:
        return []
    return [part if selects is None else gates.can(selects, part)]


def _head(state: State, listing: Listing, key: str, hide: tables.Hide) -> rx.Component:
    column = listing.columns[key]
    if column.by is None:
        return tables.column(column.label, numeric=column.numeric, hide=hide)
    return tables.column(
        column.label,
        href=state.hrefs[f"sort_{key}"],
        sort=rx.cond(state.sort == key, state.direction, ""),
        numeric=column.numeric,
        hide=hide,
    )


def _select_all(state: State) -> rx.Component:
    here = state.present.length() > 0
    whole = state.all_selected | (here & state.whole_page)
    return tables.select_all(checked=whole, mixed=~whole & (state.selected.length() > 0), on_change=state.select_all)


def nothing_matches(
    state: State, text: str = "Take off a filter, or search for something else.", *, title: str = "Nothing matches"
) -> rx.Component:
    """Say that no row is as was asked for, and offer to clear the search and the filters."""
    clear = button("Clear search and filters", icon_name="x", href=state.hrefs["plain"])
    return feedback.empty_state(title, text, clear, icon_name="search")


def footer(
    state: State, *actions: rx.Component, first: Text = "", last: Text = "", selectable: bool = True
) -> rx.Component:
    """Close a list: what can be done with the selected rows, on whichever page, and the pages."""
    everything = rx.Var.create("All ") + state.matching + " that match"
    number = rx.cond(state.all_selected, everything, state.selected.length().to_string())
    rest = rx.cond(
        state.whole_page & state.more_match & ~state.all_selected,
        button("Select all " + state.matching + " that match", on_click=state.select_matching),
        rx.fragment(),
    )
    bulk = tables.bulk_bar(
        number, rest, *actions, on_clear=state.clear_selection, shown=state.all_selected | (state.selected.length() > 0)
    )
    pager = tables.pager(
        range=state.present.length().to_string(),
        first=first,
        last=last,
        previous_href=state.previous_href,
        next_href=state.next_href,
    )
    anything = (
        (state.present.length() > 0) | state.all_selected | (state.selected.length() > 0) | (state.previous_href != "")
    )
    return rx.cond(anything, tables.footer(bulk=bulk if selectable else None, pager=pager), rx.fragment())


def tabs(state: State, *items: rx.Component) -> rx.Component:
    """Offer the views of a list as tabs: first its own, made with `tab`, and then those that people keep."""
    return kept_views.tabs(state, *items)


def tab(state: State, key: str, option: str, label: str, count: Content) -> rx.Component:
    """Offer one option of a quiet filter as a tab; the empty one shows everything."""
    active = (state.view_id == 0) & (state.filters.get(key, "") == option)
    return tables.tab(label, state.hrefs[f"{key}={option}"], count=count, active=active)


def export(name: str, *, fixed: str = "") -> rx.Component:
    """Offer the list as it is seen as a file, for who may: `name` is that in `operations/_export_lists.py`.

    `fixed` is what the file asks for whatever the address of the page says ("dir=desc").
    """

    def way(suffix: str, label: str) -> rx.Component:
        address = f"/export/{name}.{suffix}" + (f"?{fixed}" if fixed else "")
        # The browser itself fetches the file, with the view that the address has then (app.js).
        attrs = {"data-export": address, "download": "", "reloadDocument": True}
        return dialogs.menu_item(label, icon_name="download", away=address, custom_attrs=attrs)

    menu = dialogs.menu(button("Export", icon_name="download"), way("csv", "CSV"), way("xlsx", "Excel (XLSX)"))
    return gates.can(EXPORTS[name].permission, menu)
