"""The audit trail's rows: what happened, who did it, what it was before and is now."""

from collections.abc import Sequence
from typing import Any

import reflex as rx

from inventory_app.components.basics import Content, Text, icon


def history_href(*records: tuple[str, rx.Var[int]]) -> rx.Var[str]:
    """Return the address of everything that happened to a record, or to several: (table, key)."""
    terms = ["record%3A" + table + "%2F" + key.to_string() for table, key in records]
    joined = terms[0]
    for term in terms[1:]:
        joined = joined + "+" + term
    return "/audit?q=" + joined


def operations(*rows: Content, foot: Content | None = None) -> rx.Component:
    """List operations, newest first, each opening to its changes."""
    head = rx.el.div(
        *[rx.el.span(name) for name in ("Time", "Operation", "Actor", "Changes")],
        class_name="op-head",
        aria_hidden=True,
    )
    tail = [rx.el.div(foot, class_name="card-foot")] if foot is not None else []
    return rx.el.section(head, *rows, *tail, class_name="card", aria_label="Operations")


def operation(
    *detail: Content,
    time: Content,
    name: Content,
    summary: Content,
    who: Content,
    changes: Content,
    badge: Content | None = None,
    key: Any = None,
    open: bool | rx.Var[bool] | None = None,
) -> rx.Component:
    """Show one operation in a line; opening it shows the detail, without a trip to the server."""
    line = rx.el.summary(
        rx.el.span(time, class_name="op-time"),
        rx.el.span(
            rx.el.span(name, *([badge] if badge is not None else []), class_name="op-title"),
            rx.el.span(summary, class_name="meta"),
            class_name="op-what two",
        ),
        rx.el.span(who, class_name="op-who"),
        rx.el.span(changes, icon("chevron-right", 14, class_name="chev"), class_name="op-end"),
    )
    extra: dict[str, Any] = {"key": key, "open": open}
    return rx.el.details(
        line,
        rx.el.div(rx.el.div(*detail, class_name="op-box"), class_name="op-detail"),
        class_name="op-row",
        **{prop: value for prop, value in extra.items() if value is not None},
    )


def op_facts(*pairs: tuple[Text, Content], end: Content | None = None) -> rx.Component:
    """Say in one line the reason, where from, and the request."""
    return rx.el.div(
        *[rx.el.span(label, " ", rx.el.strong(value)) for label, value in pairs],
        *([rx.el.span(end, class_name="end")] if end is not None else []),
        class_name="op-facts",
    )


def op_change(table: Text, record: Content, what: Content, *fields: Content) -> rx.Component:
    """Show the fields of one record that an operation changed."""
    return rx.el.div(
        rx.el.div(rx.el.span(table, class_name="medium"), " ", record, " ", rx.el.span(what, class_name="muted")),
        *fields,
        class_name="stack-s op-change",
    )


def diff_table(rows: Sequence[Content], *, heads: tuple[Text, Text, Text]) -> rx.Component:
    """Compare field by field what was and what is asked for."""
    return rx.el.table(
        rx.el.thead(rx.el.tr(*[rx.el.th(text, scope="col") for text in heads])),
        rx.el.tbody(*rows),
        class_name="tbl tbl-compact diff-table",
    )


def diff_row(
    field: Text, old: Content, new: Content, *, changed: bool | rx.Var[bool] = True, key: Any = None
) -> rx.Component:
    """Show one field: struck red and green when changed, muted when not; a new record has a dash before."""
    plain_old = rx.cond(old, rx.el.del_(old, class_name="before"), "–") if isinstance(old, (str, rx.Var)) else old
    cells = rx.cond(
        changed,
        rx.fragment(rx.el.td(field), rx.el.td(plain_old), rx.el.td(rx.el.ins(new, class_name="after"))),
        rx.fragment(rx.el.td(field), rx.el.td(old), rx.el.td("unchanged")),
    )
    extra = {} if key is None else {"key": key}
    return rx.el.tr(cells, class_name=rx.cond(changed, "", "unchanged"), **extra)


def check_line(tone: Text, title: Content, word: Text, meta: Content = "") -> rx.Component:
    """Show one check: passed ("ok"), look at this ("warn") or failed ("bad"), with a word for it."""
    mark = rx.match(
        tone,
        ("ok", icon("check", 16, class_name="text-ok")),
        ("warn", icon("triangle-alert", 16, class_name="text-warn")),
        icon("x", 16, class_name="text-bad"),
    )
    said = rx.match(
        tone,
        ("ok", rx.el.span(word, class_name="meta text-ok")),
        ("warn", rx.el.span(word, class_name="meta text-warn")),
        rx.el.span(word, class_name="meta text-bad"),
    )
    return rx.el.li(
        mark,
        rx.el.div(rx.el.span(title, class_name="strong"), rx.el.span(meta, class_name="meta"), class_name="grow"),
        said,
    )


def checks(*lines: rx.Component) -> rx.Component:
    """List checks inside a card."""
    return rx.el.ul(*lines, class_name="checks")
