"""What the list of operations and the page of one operation show alike: badge, facts, changes."""

import reflex as rx

from inventory_app.components import feedback, trail
from inventory_app.components.basics import Content, icon, ident, link, when
from inventory_app.operations.trail import ChangeRow, FieldRow, HistoryRow, OperationDetail


def outcome(value: rx.Var[str]) -> rx.Component:
    """Mark what did not succeed."""
    return rx.match(
        value,
        ("failed", feedback.badge("Failed", tone="warn")),
        ("denied", feedback.badge("Denied", tone="bad")),
        rx.fragment(),
    )


def facts(detail: rx.Var[OperationDetail], *, end: Content | None = None) -> rx.Component:
    """Say why, from where, and under which numbers the operation was done."""
    return trail.op_facts(
        ("Reason", or_dash(detail.reason)),
        ("From", or_dash(detail.client_ip, ident(detail.client_ip))),
        ("Request", or_dash(detail.request_id, ident(detail.request_id))),
        ("Operation", ident(detail.row.id)),
        end=end,
    )


def change(row: rx.Var[ChangeRow]) -> rx.Component:
    """Show what happened to one record, field by field."""
    return trail.op_change(
        row.noun,
        ident(row.record, href="/audit?q=" + row.search),
        rx.fragment(row.label, rx.cond(row.label & row.what, ", ", ""), row.what),
        rx.cond(row.fields.length() > 0, fields(row.fields, row.kind), rx.fragment()),
        rx.cond(row.technical.length() > 0, _technical(row), rx.fragment()),
    )


def _technical(row: rx.Var[ChangeRow]) -> rx.Component:
    """Fold away what only matters to who looks after the system."""
    number = row.technical.length()
    said = rx.cond(number == 1, "Show 1 technical field", "Show " + number.to_string() + " technical fields")
    return rx.el.details(
        rx.el.summary(icon("chevron-right", 12, class_name="chev"), said),
        fields(row.technical, row.kind),
        class_name="technical",
    )


def fields(rows: rx.Var[list[FieldRow]], kind: rx.Var[str]) -> rx.Component:
    """Show fields of a change before and after."""
    return rx.el.dl(rx.foreach(rows, _field), class_name=rx.cond(kind == "update", "diff", "diff diff-whole"))


def _field(row: rx.Var[FieldRow]) -> rx.Component:
    nothing = rx.el.span("–", class_name="dim")
    return rx.fragment(
        rx.el.dt(row.label, title=row.name),
        rx.el.dd(
            rx.el.span(
                rx.cond(row.before, feedback.before(row.before), nothing),
                rx.el.span("→", class_name="muted"),
                rx.cond(row.after, feedback.after(row.after), nothing),
                class_name="diff-pair",
            )
        ),
    )


def history(rows: rx.Var[list[HistoryRow]], entered: str = "") -> rx.Component:
    """List what happened to a record field by field, the newest first; with `entered`, its first entry is folded."""
    return rx.el.ol(rx.foreach(rows, lambda row: _happened(row, entered)), class_name="history")


def _happened(row: rx.Var[HistoryRow], entered: str) -> rx.Component:
    deed = row.operation
    changed = fields(row.change.fields, row.change.kind)
    if entered:
        first = rx.el.details(
            rx.el.summary(icon("chevron-right", 14, class_name="chev"), entered),
            changed,
            class_name="fold fold-plain",
        )
        changed = rx.cond(row.change.kind == "insert", first, changed)
    return rx.el.li(
        feedback.avatar(deed.initials),
        rx.el.div(
            rx.el.div(
                rx.el.strong(deed.person),
                " ",
                link(deed.words, href="/audit/" + deed.id, title=deed.name),
                rx.el.span(when(deed.at, deed.at_text), class_name="meta end"),
                class_name="history-head",
            ),
            rx.cond(deed.summary, rx.el.div(deed.summary, class_name="meta"), rx.fragment()),
            changed,
            class_name="grow",
        ),
        key=row.change.id,
    )


def or_dash(value: rx.Var[str], content: Content | None = None) -> rx.Component:
    """Show a value, or a muted dash when there is none."""
    return rx.cond(value, value if content is None else content, rx.el.span("–", class_name="dim"))
