"""One operation of the trail and everything it changed: the link one can send to somebody."""

import reflex as rx

from inventory_app.components import feedback, layout
from inventory_app.components.basics import button, ident, row_of, when
from inventory_app.operations.trail import OperationDetail
from inventory_app.pages import _trail
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.trail import OperationState

S = OperationState


@page(
    "/audit/[operation]",
    "Operation",
    Permission.AUDIT_VIEW,
    on_load=[S.load],
    crumbs=("Control", ("Audit trail", "/audit")),
    heading=S.name,
    back="/audit",
)
def operation() -> rx.Component:
    """Show who did what, why and from where, and every field of it."""
    return rx.fragment(
        rx.el.link(rel="stylesheet", href="/audit.css", custom_attrs={"precedence": "page"}),
        rx.cond(S.loading, layout.page_skeleton(), rx.cond(S.detail, _found(S.detail), _missing())),
    )


def _found(detail: rx.Var[OperationDetail]) -> rx.Component:
    row = detail.row
    return rx.fragment(
        layout.page_head(row.name, sub=row.summary, badge=_trail.outcome(row.outcome)),
        rx.cond(row.outcome == "succeeded", rx.fragment(), _refused(detail)),
        layout.columns(
            layout.column(rx.cond(detail.changes.length() > 0, _changes(detail), _nothing(detail))),
            layout.column(_who(detail), _where(detail)),
        ),
    )


def _refused(detail: rx.Var[OperationDetail]) -> rx.Component:
    return rx.el.div(
        feedback.callout(
            rx.cond(detail.detail, detail.detail, detail.reason),
            title=rx.cond(detail.error_class, detail.error_class + ":", ""),
            tone="warn",
        ),
        class_name="refused",
    )


def _who(detail: rx.Var[OperationDetail]) -> rx.Component:
    row = detail.row
    return layout.card(
        feedback.facts(
            [
                (
                    "Who",
                    row_of(
                        rx.cond(
                            row.machine,
                            feedback.avatar(row.initials, system=True),
                            feedback.avatar(row.initials, picture=row.picture),
                        ),
                        rx.el.span(row.person, rx.cond(row.person != row.actor, " (" + row.actor + ")", "")),
                    ),
                ),
                ("When", when(row.at, row.at_text, style="full")),
                ("Reason", _trail.or_dash(detail.reason)),
            ]
        ),
        title="Who and why",
    )


def _where(detail: rx.Var[OperationDetail]) -> rx.Component:
    return layout.card(
        feedback.facts(
            [
                ("Address", _trail.or_dash(detail.client_ip, ident(detail.client_ip))),
                ("Browser", _trail.or_dash(detail.user_agent)),
                ("Session", _trail.or_dash(detail.session_id, ident(detail.session_id))),
                ("Request", _trail.or_dash(detail.request_id, ident(detail.request_id))),
                ("Operation", ident(detail.row.id)),
            ]
        ),
        title="From where",
    )


def _changes(detail: rx.Var[OperationDetail]) -> rx.Component:
    turn = rx.el.nav(
        rx.cond(S.before_href, button("Earlier changes", href=S.before_href), rx.fragment()),
        rx.cond(S.after_href, button("More changes", href=S.after_href), rx.fragment()),
        class_name="pager",
        aria_label="Pages of changes",
    )
    return layout.card(
        rx.el.div(rx.foreach(detail.changes, _trail.change), class_name="op-changes"),
        title="What it changed",
        end=rx.fragment(detail.row.changes, rx.cond(detail.row.changes == "1", " record", " records")),
        foot=rx.cond(S.before_href | S.after_href, turn, "That is all it changed."),
        flush=True,
    )


def _nothing(detail: rx.Var[OperationDetail]) -> rx.Component:
    return layout.card(
        feedback.empty_state(
            "Nothing was changed",
            rx.cond(
                detail.row.outcome == "succeeded",
                "It only read, or everything already was as asked.",
                "It was refused, and whatever it had begun was taken back.",
            ),
            icon_name="shield-check",
        )
    )


def _missing() -> rx.Component:
    return feedback.missing(
        "operation",
        "All operations",
        "/audit",
        text="The link names an operation that is not in this trail. Look for it in the list.",
        icon_name="shield-check",
    )
