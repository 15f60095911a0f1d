"""Why can't Bob approve this? Answered by what decides, for a permission and perhaps one record."""

import reflex as rx

from inventory_app.components import feedback, forms, layout
from inventory_app.components.basics import button, link, row_of
from inventory_app.operations.explain import Answer
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.explain import CHOICES, PATH, ExplainState

S = ExplainState


@page(PATH, "Why can’t they?", Permission.ROLES_VIEW, on_load=[S.load], crumbs=("Control", ("Roles", "/admin/roles")))
def explain() -> rx.Component:
    """Show for the people one looks for what stands in their way."""
    about = rx.fragment(S.label, ": ", link(rx.el.bdi(S.subject), href=S.subject_href))
    nobody = feedback.empty_state(
        "Nobody matches",
        "Search for a part of a name.",
        button("Clear the search", icon_name="x", on_click=S.search("")),
        icon_name="users",
    )
    answers = rx.el.div(rx.foreach(S.answers, _answer))
    return rx.fragment(
        rx.el.link(rel="stylesheet", href="/roles.css", custom_attrs={"precedence": "page"}),
        rx.cond(
            S.loading,
            layout.page_skeleton(),
            rx.fragment(
                layout.page_head("Why can’t they?", sub=rx.cond(S.subject, about, S.label)),
                rx.el.div(
                    layout.columns(
                        layout.column(
                            layout.card(
                                rx.cond(S.answers.length() > 0, answers, nobody),
                                title="Who could do it now",
                                note=rx.cond(
                                    S.answers.length() < S.most, "", "the first " + S.most.to_string() + " by name"
                                ),
                                flush=True,
                            )
                        ),
                        layout.column(layout.card(_asked(), title="What, and who")),
                    ),
                    class_name="asked-first",
                ),
            ),
        ),
    )


def _asked() -> rx.Component:
    return rx.el.div(
        forms.field("Who", _who()),
        forms.field("What", forms.select("can", CHOICES, value_now=S.permission, on_change=S.choose)),
        class_name="form",
    )


def _who() -> rx.Component:
    return forms.text_input(
        "q", value=S.q, on_change=S.search.debounce(250), placeholder="Name", auto_complete="off", max_length=100
    )


def _answer(one: rx.Var[Answer]) -> rx.Component:
    state = rx.cond(one.can, feedback.quiet_badge("Can", dot="ok"), feedback.quiet_badge("Cannot", dot="bad"))
    return rx.el.div(
        row_of(
            link(rx.el.bdi(one.name), href="/admin/users/" + one.user_id.to_string(), plain=True, class_name="medium"),
            rx.el.span(one.username, class_name="meta"),
            rx.el.span(state, class_name="end"),
        ),
        rx.cond(
            one.can,
            rx.fragment(),
            feedback.reasons(one.why),
        ),
        rx.cond(one.needs, rx.el.p(one.needs, class_name="meta"), rx.fragment()),
        class_name="answer",
        key=one.user_id,
    )
