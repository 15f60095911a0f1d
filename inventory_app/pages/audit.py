"""The audit trail: what happened, who did it, what it was before and is now."""

import reflex as rx

from inventory_app.components import feedback, layout, listing, tables, trail
from inventory_app.components.basics import button, icon, link, when
from inventory_app.operations.trail import OperationRow
from inventory_app.pages import _trail, audit_operation
from inventory_app.pages._page import page
from inventory_app.permissions import Permission
from inventory_app.states.trail import Choice, Choices, Part, TrailState

__all__ = ["audit", "audit_operation"]  # the page of one operation comes with the list

S = TrailState
_HINT = "actor: operation: table: record: outcome: ip: after: before:"


@page("/audit", "Audit trail", Permission.AUDIT_VIEW, on_load=[S.load])
def audit() -> rx.Component:
    """Show the search, what narrows it down, and the operations it finds."""
    return rx.fragment(
        rx.el.link(rel="stylesheet", href="/audit.css", custom_attrs={"precedence": "page"}),
        layout.page_head(
            "Audit trail",
            sub=rx.cond(
                S.about,
                rx.fragment("Everything that happened to ", rx.el.strong(S.about)),
                "Every change: who, when, from where, why, before and after",
            ),
            actions=(listing.export("trail", fixed="dir=desc"),),
        ),
        _search(),
        _quick(),
        rx.el.div(
            rx.el.aside(_narrow(), class_name="facets", aria_label="Narrow down"),
            rx.el.div(_count(), rx.cond(S.loading, _skeleton(), _operations()), class_name="found"),
            class_name="trail",
        ),
    )


def _search() -> rx.Component:
    box = rx.el.input(
        id="trail-search",
        name="add",
        default_value=S.typed,
        type="search",
        placeholder=_HINT,
        aria_label="Search the trail",
        auto_complete="off",
        spell_check=False,
        custom_attrs={"data-search": "", "data-value": S.typed, "enterKeyHint": "search", "list": "trail-words"},
    )
    words = rx.el.datalist(rx.foreach(S.suggestions, lambda word: rx.el.option(value=word, key=word)), id="trail-words")
    return rx.el.form(
        rx.el.div(
            icon("search", 16),
            rx.foreach(S.parts, _part),
            box,
            rx.el.kbd("/", aria_hidden=True),
            class_name="terms",
        ),
        words,
        rx.cond(
            S.problem,
            rx.el.p(icon("triangle-alert", 13), rx.el.span(S.problem), class_name="trail-problem", role="alert"),
            rx.fragment(),
        ),
        on_submit=S.search,
        reset_on_submit=False,
        role="search",
    )


def _part(part: rx.Var[Part]) -> rx.Component:
    return rx.el.span(
        rx.el.span(part.name, class_name="term-name"),
        rx.el.span(part.value, class_name="term-value"),
        link(
            icon("x", 12),
            href=part.href,
            plain=True,
            class_name="term-x",
            aria_label="Take off " + part.name + part.value,
        ),
        class_name="term",
        key=part.href,
    )


def _quick() -> rx.Component:
    """Offer where it is narrow the refusals at once, and everything else in a sheet."""
    return rx.el.div(
        rx.el.button(
            icon("list-filter", 16), "Filter", type="button", class_name="btn", custom_attrs={"popoverTarget": "narrow"}
        ),
        rx.foreach(S.outcomes, _quick_choice),
        rx.el.div(
            _narrow(),
            id="narrow",
            class_name="more-sheet facets-sheet",
            custom_attrs={"popover": "auto"},
            role="dialog",
            aria_label="Narrow down",
        ),
        class_name="quick",
    )


def _quick_choice(choice: rx.Var[Choice]) -> rx.Component:
    return link(
        rx.el.span(choice.label, class_name="quick-label"),
        rx.el.span(choice.count, class_name="quick-count"),
        href=choice.href,
        plain=True,
        class_name="quick-choice",
        custom_attrs={"aria-current": rx.cond(choice.chosen, "true", "false")},
        key=choice.label,
    )


def _narrow() -> rx.Component:
    return rx.fragment(
        _box(
            "Time",
            rx.foreach(S.periods, _choice),
            _day("after", "From", S.after),
            _day("before", "To", S.before),
            rx.el.p("Whole days, ", S.zone, class_name="meta facet-note"),
        ),
        rx.foreach(S.facets, _facet),
        rx.cond(
            S.capped, rx.el.p("Counted in the newest ", S.total.replace("+", ""), " operations.", class_name="meta"), ""
        ),
    )


def _facet(facet: rx.Var[Choices]) -> rx.Component:
    return rx.cond(facet.choices.length() > 0, _box(facet.title, rx.foreach(facet.choices, _choice)), rx.fragment())


def _box(title: str | rx.Var[str], *content: rx.Component) -> rx.Component:
    return rx.el.section(rx.el.h2(title), *content, class_name="facet")


def _choice(choice: rx.Var[Choice]) -> rx.Component:
    return link(
        rx.el.span(class_name="facet-check", aria_hidden=True),
        rx.el.span(choice.label, class_name="facet-label clip", title=choice.label),
        rx.el.span(choice.count, class_name="facet-count"),
        href=choice.href,
        plain=True,
        class_name="facet-choice",
        custom_attrs={"aria-current": rx.cond(choice.chosen, "true", "false")},
        key=choice.label,
    )


def _day(side: str, label: str, value: rx.Var[str]) -> rx.Component:
    return rx.el.label(
        label,
        rx.el.input(
            type="date",
            default_value=value,
            key=value,
            on_change=lambda day: S.search_dates(side, day),
            class_name="ctl",
        ),
        class_name="facet-day",
    )


def _count() -> rx.Component:
    return rx.el.p(
        rx.cond(
            S.total,
            rx.fragment(rx.el.strong(S.total), rx.cond(S.total == "1", " operation", " operations")),
            rx.fragment("Operations"),
        ),
        rx.el.span("newest first", class_name="end"),
        class_name="found-count",
        aria_live="polite",
    )


def _operations() -> rx.Component:
    return rx.cond(
        S.rows.length() > 0,
        trail.operations(rx.foreach(S.rows, _operation), foot=_pager()),
        layout.card(
            feedback.empty_state(
                rx.cond(S.problem, "This search cannot be read", "No operation matches"),
                rx.cond(
                    S.problem,
                    "The line below the search says why.",
                    "Whatever people, the system and strangers do or try is recorded here. Take a part off the search.",
                ),
                button("Show everything", href="/audit"),
                icon_name="shield-check",
            )
        ),
    )


def _operation(row: rx.Var[OperationRow]) -> rx.Component:
    line = trail.operation(
        rx.cond(S.opened.contains(row.id), _detail(row), feedback.skeleton("60%")),
        time=rx.fragment(when(row.at, row.at_text, style="clock"), when(row.at, row.at_text, class_name="meta")),
        name=row.name,
        badge=_trail.outcome(row.outcome),
        summary=row.summary,
        who=rx.el.span(
            rx.cond(
                row.machine,
                feedback.avatar(row.initials, system=True),
                feedback.avatar(row.initials, picture=row.picture),
            ),
            rx.el.span(row.person, class_name="clip", title=row.actor),
            class_name="who",
        ),
        changes=rx.cond(row.changes, row.changes, rx.el.span("–", class_name="dim")),
    )
    # <details> itself has no event here: opening it, by key or by pointer, is a click that bubbles.
    return rx.el.div(line, on_click=S.open_operation(row.id), class_name="op-line-wrap", key=row.id)


def _detail(row: rx.Var[OperationRow]) -> rx.Component:
    detail = S.opened[row.id]
    return rx.fragment(
        _trail.facts(detail, end=link("Open", href="/audit/" + row.id)),
        rx.foreach(detail.changes, _trail.change),
        rx.cond(
            detail.after,
            rx.el.p(link("All ", row.changes, " changes", href="/audit/" + row.id)),
            rx.fragment(),
        ),
    )


def _pager() -> rx.Component:
    return rx.el.nav(
        rx.el.span(S.rows.length().to_string(), " on this page", class_name="range"),
        _page_link("Newer", S.newer_href, "chevron-left"),
        _page_link("Older", S.older_href, ""),
        class_name="pager",
        aria_label="Pages",
    )


def _page_link(label: str, href: rx.Var[str], icon_name: str) -> rx.Component:
    return rx.cond(
        href, button(label, icon_name=icon_name, href=href), button(label, icon_name=icon_name, disabled=True)
    )


def _skeleton() -> rx.Component:
    return layout.card(tables.table(rx.el.thead(), tables.skeleton_rows(4), label="Loading", cards=False), flush=True)
