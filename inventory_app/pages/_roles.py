"""What the matrix of roles and the page of one role share: the grid, what is not saved yet, who it concerns."""

from typing import Any

import reflex as rx
from reflex_base.vars import VarData

from inventory_app.components import feedback, forms, gates, layout, matrix, trail
from inventory_app.components.basics import Content, button, icon, link, row_of, stack
from inventory_app.permissions import Permission
from inventory_app.states._permission_holders import HolderLine
from inventory_app.states._role_rows import Column, EffectCard, Line, Row
from inventory_app.states.roles import RolesState

S = RolesState


#: The path in the browser's address, which is there before the server has answered.
_PATH_NOW = rx.Var(
    "path_now",
    _var_type=str,
    _var_data=VarData(
        imports={"react-router": "useLocation"},
        hooks={r"const path_now = useLocation().pathname.replace(/\/$/, '')": None},
    ),
)


def when_loaded(content: Content) -> rx.Component:
    """Show the content once it belongs to the address: what stands there until then could be pressed, for nothing."""
    return rx.cond(S.loading | (S.shown_at != _PATH_NOW), layout.page_skeleton(), content)


def styles() -> rx.Component:
    """Load the look of these pages."""
    return rx.el.link(rel="stylesheet", href="/roles.css", custom_attrs={"precedence": "page"})


def grid(*corner: Content) -> rx.Component:
    """Show the roles that are in the state against the permissions."""
    head = rx.el.thead(rx.el.tr(matrix.corner(*corner), rx.foreach(S.columns, _head)))
    return matrix.grid(
        head,
        rx.foreach(S.rows, _row),
        label="Roles and what they may do",
        width=S.width,
        on_press=S.toggle(matrix.PRESSED_COLUMN, matrix.PRESSED_ROW),
    )


def _head(role: rx.Var[Column]) -> rx.Component:
    off = rx.cond(role.active, role.people, "deactivated")
    return matrix.column_head(
        link(rx.el.bdi(role.name), href=role.href, plain=True, title=role.name),
        rx.el.span(off, class_name="meta"),
        key=role.id,
        changed=role.changed,
    )


def _row(row: rx.Var[Row]) -> rx.Component:
    fold = rx.el.button(
        icon("chevron-right", 14),
        rx.el.span(row.label),
        rx.el.span(row.note, class_name="meta"),
        type="button",
        aria_expanded=row.open,
        on_click=S.fold(row.key).stop_propagation,
    )
    name = rx.el.button(
        rx.el.span(row.label),
        rx.el.span(row.note, class_name="meta"),
        type="button",
        aria_haspopup="dialog",
        on_click=S.open_holders(row.key).stop_propagation,
        custom_attrs={"data-tip": "Who has it"},
    )
    return rx.cond(
        row.heading,
        matrix.heading(fold, sums=row.sums, key=row.key),
        matrix.line(name, codes=row.codes, key=row.key, first=row.first),
    )


def unsaved() -> rx.Component:
    """Say who gains and who loses what by the cells that are changed, and save or forget them."""
    number = S.changed.to_string() + rx.cond(S.changed == 1, " change", " changes")
    fine = trail.checks(
        trail.check_line("ok", "Every permission keeps somebody who can pass it on", ""),
        trail.check_line("ok", "You hold everything you give or take yourself", ""),
        trail.check_line("ok", "What needs a second factor or agreement keeps needing it", ""),
    )
    wrong = rx.el.div(
        rx.foreach(S.refused, lambda said: feedback.callout(said, tone="bad", title="Cannot be saved.")),
        class_name="stack-s",
    )
    form = forms.form(
        forms.field("Reason", forms.text_input("reason", max_length=200), optional=True),
        row_of(
            forms.submit("Save " + number, disabled=S.refused.length() > 0),
            button("Discard", tone="quiet", on_click=S.discard),
        ),
        on_submit=S.save,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )
    return matrix.panel(
        rx.el.div(
            rx.el.h2("Before you save: " + number, class_name="h2"),
            rx.el.p("Nothing has changed yet. It takes effect at once, in open tabs too.", class_name="meta"),
        ),
        rx.foreach(S.effects, _effect),
        rx.cond(S.refused.length() > 0, wrong, fine),
        form,
        shown=S.changed > 0,
    )


def _effect(effect: rx.Var[EffectCard]) -> rx.Component:
    word = rx.cond(
        effect.gains, feedback.badge("+ gains", tone="ok", dot=False), feedback.badge("− loses", tone="bad", dot=False)
    )
    return rx.el.section(
        rx.el.div(
            rx.el.h3(word, effect.label, class_name="h2"),
            rx.el.span(effect.where, class_name="meta"),
            class_name="card-head",
        ),
        rx.foreach(effect.lines, _concerned),
        rx.el.div(effect.summary, rx.cond(effect.more, " · " + effect.more, ""), class_name="effect-sum"),
        class_name="card",
        key=effect.key,
    )


def _concerned(line: rx.Var[Line]) -> rx.Component:
    return rx.el.div(
        feedback.avatar(line.initials),
        link(rx.el.bdi(line.name), href=line.href, plain=True),
        rx.el.span(line.note, class_name="meta"),
        class_name="effect-line",
        key=line.href,
    )


def conflicts() -> rx.Component:
    """Say what others have saved while something here was not."""
    return rx.cond(
        S.conflicts.length() > 0,
        stack(
            rx.foreach(S.conflicts, lambda said: feedback.callout(said, tone="warn", title="Changed meanwhile.")),
            rx.el.p("Your own changes are kept on top of it. Look at them, then save again.", class_name="meta"),
            tight=True,
            class_name="refused",
        ),
        rx.fragment(),
    )


def holder(line: rx.Var[HolderLine]) -> rx.Component:
    """Show somebody who holds a role or a permission."""
    state = rx.cond(line.enabled, rx.fragment(), feedback.badge("cannot sign in", dot=False))
    return layout.row_item(
        link(rx.el.bdi(line.name), href=line.href, plain=True),
        rx.el.span(line.username, rx.cond(line.note, " · " + line.note, "")),
        lead=feedback.avatar(line.initials, size="m"),
        end=state,
        key=line.user_id,
    )


def may_manage(*content: Content) -> rx.Component:
    """Show something only to those who may change roles."""
    return gates.can(Permission.ROLES_MANAGE, *content)


def badges(role: rx.Var[Any]) -> rx.Component:
    """Name what is special about a role."""
    return rx.fragment(
        rx.cond(role.active, rx.fragment(), feedback.badge("Deactivated", tone="warn")),
        rx.cond(role.built_in, feedback.badge("Built in", dot=False), rx.fragment()),
        rx.cond(role.needs_factor, feedback.badge("Needs a second factor", dot=False), rx.fragment()),
        rx.cond(role.grant_needs_approval, feedback.badge("Giving it needs approval", dot=False), rx.fragment()),
    )
