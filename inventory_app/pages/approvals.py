"""Supplier approvals: who waits for how long, what is asked for, and the decision."""

from typing import Any

import reflex as rx

from inventory_app.components import feedback, forms, gates, layout, listing, tables, trail
from inventory_app.components.basics import button, icon, icon_button, link, row_of, stack, when
from inventory_app.operations._supplier_rules import Check
from inventory_app.operations._supplier_views import Decision, FieldRow, QueueRow
from inventory_app.operations.documents import DocumentRow
from inventory_app.operations.supplier_standing import Ending
from inventory_app.pages._page import page
from inventory_app.pages._supplier_dialogs import (
    decision_dialog,
    decision_facts,
    enter_dialog,
    found_in,
    status_badge,
    valid_until_field,
)
from inventory_app.pages._supplier_together import together_dialogs, withdraw_dialog
from inventory_app.permissions import Permission
from inventory_app.states.suppliers import PATH, SupplierState

S = SupplierState
D = SupplierState.detail
_ALL_DECISIONS = "/approvals?view=decided&kind=supplier"
_OPEN = S.chosen & D.is_not_none()


@page(
    PATH,
    "Supplier approvals",
    Permission.SUPPLIERS_VIEW,
    on_load=[S.load],
    crumbs=("Purchasing", rx.cond(_OPEN, link("Supplier approvals", href=S.list_href, plain=True), rx.fragment())),
    heading=rx.cond(_OPEN, D.name, ""),
    back=S.list_href,
)
def approvals() -> rx.Component:
    """Show the queue beside the supplier that is open, and the dialogs over them."""
    return rx.fragment(
        rx.cond(S.loading, layout.page_skeleton(), layout.split(_queue(), _detail(), chosen=S.chosen)),
        enter_dialog(),
        decision_dialog("approved", "Approve", "Approve the supplier"),
        decision_dialog("rejected", "Reject", "Reject the supplier"),
        together_dialogs(),
        withdraw_dialog(),
    )


def _queue() -> rx.Component:
    enter = gates.can(
        Permission.SUPPLIERS_CREATE, icon_button("plus", "Enter a supplier", on_click=S.open_enter, class_name="add")
    )
    nobody = rx.cond(
        S.q,
        feedback.empty_state(
            "Nobody matches",
            "Search for a part of the name, the country or the tax id.",
            button("Clear the search", icon_name="x", on_click=S.search("")),
            icon_name="search",
        ),
        rx.el.div(_nothing_waits(), class_name="only-phone"),
    )
    export = listing.export("suppliers", fixed="status=pending")
    return rx.fragment(
        layout.page_head("Supplier approvals", sub=_sub(), actions=(export, enter)),
        rx.el.div(
            tables.search_field(
                value=S.q,
                on_change=S.search.debounce(250),
                placeholder="Name, country",
                label="Search the suppliers that wait",
            ),
            button(
                rx.cond(S.order == "oldest", "Oldest first", "Newest first"),
                icon_name="arrow-up-down",
                href=S.order_href,
            ),
            class_name="split-tools",
        ),
        rx.cond(S.rows.length() > 0, rx.el.div(rx.foreach(S.rows, _pick)), nobody),
        _together(),
        rx.cond(
            S.more > 0,
            rx.el.p(S.more.to_string(), " more wait; search to find them.", class_name="meta split-note"),
            rx.fragment(),
        ),
        rx.el.div(stack(_ending(), _decided_lately()), class_name="only-phone split-note"),
    )


def _together() -> rx.Component:
    """Offer to decide about those that are chosen together, or say that one can."""
    number = S.picked.length()
    bar = rx.el.div(
        rx.el.span(number, " selected", class_name="bulk-n", aria_live="polite"),
        button("Approve…", icon_name="check", on_click=S.open_together("approved")),
        button("Reject…", icon_name="x", tone="danger", on_click=S.open_together("rejected")),
        button("Clear", on_click=S.pick_none),
        class_name="split-bulk",
        role="toolbar",
        aria_label="Selected suppliers",
    )
    hint = rx.el.p("Select several to decide together.", class_name="meta split-note")
    shown = rx.cond(number > 0, bar, rx.cond(S.rows.length() > 1, hint, rx.fragment()))
    return gates.can(Permission.SUPPLIERS_APPROVE, shown)


def _sub() -> rx.Component:
    late = rx.cond(S.late > 0, ", " + S.late.to_string() + " over 5 days", "")
    mine = rx.cond(gates.may(Permission.SUPPLIERS_APPROVE), ", " + S.yours.to_string() + " for you", "")
    waits = S.total.to_string() + " waiting" + mine + late
    return rx.el.span(rx.cond(S.total > 0, waits, "Nobody waits"))


def _pick(row: rx.Var[QueueRow]) -> rx.Component:
    age = feedback.badge(row.age, tone=rx.cond(row.late, "bad", "neutral"), dot=False)
    locked = rx.cond(row.own, icon("lock", 14, class_name="muted"), rx.fragment())
    box = rx.el.input(
        type="checkbox",
        class_name="check",
        checked=S.picked.contains(row.id),
        on_change=lambda _: S.pick(row.id),
        aria_label="Select " + row.name,
    )
    return rx.fragment(
        rx.cond(row.heading, layout.group_head(row.heading, row.group_size), rx.fragment()),
        layout.pick(
            rx.el.bdi(row.name),
            rx.el.bdi(row.place),
            rx.el.span(row.entered, class_name=rx.cond(row.own, "text-warn", "")),
            href=PATH + "?id=" + row.id.to_string() + S.rest,
            selected=D.is_not_none() & (D.id == row.id),
            lead=gates.can(Permission.SUPPLIERS_APPROVE, box),
            end=rx.el.span(row_of(locked, age)),
        ),
        key=row.id,
    )


def _nothing_waits() -> rx.Component:
    return feedback.empty_state(
        "Nobody waits for a decision",
        "Suppliers come here when they apply by themselves, or when somebody enters them. "
        "Whoever enters a supplier cannot approve it.",
        gates.can(
            Permission.SUPPLIERS_CREATE,
            button("Enter a supplier", icon_name="plus", tone="solid", on_click=S.open_enter),
        ),
        button(
            "Copy the link to apply",
            icon_name="link",
            on_click=[rx.set_clipboard(S.apply_link), rx.toast.success("Copied the link to apply")],
        ),
        icon_name="truck",
    )


def _detail() -> rx.Component:
    missing = rx.cond(
        S.chosen,
        feedback.missing("supplier", "Show the queue", PATH, page=False),
        rx.cond(S.q, rx.fragment(), _nothing_waits()),
    )
    without = layout.column(missing, _ending(), _decided_lately())
    return rx.cond(
        D.is_not_none(),
        rx.fragment(
            _head(),
            layout.columns(
                layout.column(
                    _told_on_phone(),
                    _fields(),
                    _files(),
                    rx.el.div(stack(_ending(), _decided_lately()), class_name="no-phone"),
                ),
                layout.column(_checks(), _decision(), _why_cannot_they()),
            ),
            _phone_bar(),
        ),
        without,
    )


def _head() -> rx.Component:
    agreed = rx.cond(D.agreed, feedback.badge(D.agreed, dot=False), rx.fragment())
    waiting = rx.cond(D.status == "pending", rx.fragment(agreed, feedback.badge(D.waits, dot=False)), rx.fragment())
    changed = rx.cond(D.earlier, feedback.badge("Changed since it was " + D.earlier, tone="warn"), rx.fragment())
    steps = row_of(
        rx.el.span(S.position, class_name="muted"),
        _step("chevron-up", "Previous supplier", S.previous_href),
        _step("chevron-down", "Next supplier", S.next_href),
    )
    return layout.page_head(
        rx.el.bdi(D.name),
        badge=rx.fragment(status_badge(D.status), changed, rx.el.span(row_of(waiting), class_name="only-phone end")),
        sub=rx.el.bdi(D.summary),
        actions=(
            button("Details and history", icon_name="history", href="/suppliers/" + D.id.to_string()),
            rx.cond(S.position, steps, rx.fragment()),
        ),
    )


def _step(icon_name: str, label: str, href: rx.Var[str]) -> rx.Component:
    return rx.cond(href, icon_button(icon_name, label, href=href), icon_button(icon_name, label, disabled=True))


def _fields() -> rx.Component:
    def line(field: rx.Var[FieldRow]) -> rx.Component:
        new = rx.cond(field.after, rx.el.bdi(field.after, class_name="lines"), "taken out")
        return trail.diff_row(field.label, field.before, new, changed=field.changed, key=field.label)

    came = rx.fragment(
        D.entered, ", ", when(D.submitted, D.submitted), rx.cond(D.from_address, ", from " + D.from_address, "")
    )
    empty = rx.cond(D.not_given, rx.el.span("Not given: ", D.not_given, class_name="end"), rx.fragment())
    return layout.card(
        trail.diff_table([rx.foreach(D.fields, line)], heads=("Field", "Before", "Asked for")),
        title=rx.cond(
            D.status == "pending",
            rx.cond(D.earlier, "What has changed since it was " + D.earlier, "A new supplier: every field is new"),
            "What was asked for",
        ),
        end=rx.fragment(D.fields.length().to_string(), " fields"),
        foot=rx.fragment(rx.el.span(came), empty),
        flush=True,
    )


def _files() -> rx.Component:
    """List what is kept with the supplier, with what has ended marked."""

    def line(row: rx.Var[DocumentRow]) -> rx.Component:
        until = rx.cond(row.expires_on, rx.fragment(" · good until ", row.expires_on), rx.fragment())
        return layout.row_item(
            link(rx.el.bdi(row.name), href=row.href, download=True),
            rx.fragment(row.size, until, " · ", row.added_by, ", ", when(row.added_at, row.added_at)),
            lead=icon("file-text", 18),
            key=row.id,
        )

    return rx.cond(
        S.files.length() > 0,
        layout.card(layout.rows(rx.foreach(S.files, line)), title="Documents", flush=True),
        rx.fragment(),
    )


def _ending() -> rx.Component:
    """Name approvals and documents that end soon, or have ended."""

    def line(row: rx.Var[Ending]) -> rx.Component:
        ends = rx.cond(
            row.over, feedback.badge("ended " + row.on, tone="bad"), feedback.badge("ends " + row.on, tone="warn")
        )
        return layout.row_item(
            link(
                rx.el.bdi(row.supplier),
                href="/suppliers/" + row.supplier_id.to_string(),
                plain=True,
                class_name="rowlink",
            ),
            rx.el.bdi(row.what),
            end=ends,
        )

    listed = layout.rows(rx.foreach(S.ending, line))
    return rx.cond(S.ending.length() > 0, layout.card(listed, title="Ends soon", flush=True), rx.fragment())


def _checks() -> rx.Component:
    def line(check: rx.Var[Check]) -> rx.Component:
        tone = rx.match(check.outcome, ("passed", "ok"), ("look", "warn"), "bad")
        return trail.check_line(tone, check.title, check.word, found_in(check))

    passed = rx.fragment(D.passed.to_string(), " of ", D.checks.length().to_string(), " passed")
    return layout.card(trail.checks(rx.foreach(D.checks, line)), title="Checks", end=passed)


def _told_on_phone() -> rx.Component:
    """Say first what else stands in the card to decide, which the phone has no room for."""
    failed = feedback.callout("Approving needs a reason.", tone="bad", title="A check failed.")
    told = rx.cond(D.why_not, _why_not(), rx.cond(D.failed > 0, failed, rx.fragment()))
    return rx.cond(
        (D.status == "pending") & ((D.failed > 0) | (D.why_not != "")),
        rx.el.div(told, class_name="only-phone"),
        rx.fragment(),
    )


def _why_not() -> rx.Component:
    return feedback.callout(rx.el.div(D.who_can, class_name="muted"), title=D.why_not, icon_name="lock")


def _decision() -> rx.Component:
    locked = layout.card(
        stack(
            _why_not(),
            row_of(
                button("Approve", icon_name="check", disabled=True),
                button("Reject", icon_name="x", disabled=True),
                rx.cond(D.withdraws > 0, button("Withdraw…", on_click=S.open_withdraw), rx.fragment()),
            ),
        ),
        title="Decide",
    )
    return rx.cond(
        D.status == "pending",
        rx.el.div(rx.cond(D.why_not, locked, _decide_card()), class_name="no-phone"),
        _decided_card(),
    )


def _decide_card() -> rx.Component:
    hint = rx.cond(
        D.failed > 0,
        "A check failed: say why you approve nevertheless. Rejecting needs a reason too.",
        "Rejecting needs a reason.",
    )
    agreed = rx.cond(
        D.agreed,
        rx.el.p(
            D.agreed,
            " have approved",
            rx.cond(D.agreed_by, ": " + D.agreed_by, ""),
            ". It takes effect with the last.",
            class_name="meta",
        ),
        rx.fragment(),
    )
    return layout.card(
        stack(
            agreed,
            forms.field(
                "Reason",
                forms.textarea("reason", key=D.id.to_string() + "-" + D.version.to_string(), rows=3, max_length=1_000),
                aside=rx.el.span("kept with the decision", class_name="aside"),
                error=forms.problem(S.errors, "reason"),
                hint=hint,
            ),
            valid_until_field("f-valid_until"),
            row_of(
                button("Approve", icon_name="check", tone="solid", once=True, on_click=_decide("approved")),
                button("Reject", icon_name="x", tone="danger", once=True, on_click=_decide("rejected")),
            ),
        ),
        title="Decide",
        custom_attrs={"data-turn": S.turn},
    )


def _decide(decision: str) -> Any:
    """Send the decision with the reason as it stands in its field at the moment of the press."""
    typed = rx.Var('(document.getElementById("f-reason")?.value ?? "")', _var_type=str)
    until = rx.Var('(document.getElementById("f-valid_until")?.value ?? "")', _var_type=str)
    return S.decide(
        {
            "supplier_id": D.id,
            "version": D.version,
            "decision": decision,
            "reason": typed,
            "valid_until": until,
            "idempotency_key": S.idempotency_key,
        }
    )


def _why_cannot_they() -> rx.Component:
    asked = f"/admin/explain?can={Permission.SUPPLIERS_APPROVE}&supplier="
    there = link("Why can’t somebody approve it?", href=asked + D.id.to_string())
    return rx.cond(D.status == "pending", gates.can(Permission.ROLES_VIEW, there), rx.fragment())


def _decided_card() -> rx.Component:
    return layout.card(decision_facts(D), title="Decided")


def _phone_bar() -> rx.Component:
    off = D.why_not != ""
    bar = rx.el.div(
        button("Reject…", icon_name="x", tone="danger", disabled=off, on_click=S.open_decision("rejected")),
        button("Approve…", icon_name="check", tone="solid", disabled=off, on_click=S.open_decision("approved")),
        class_name="act-bar",
    )
    return rx.cond(D.status == "pending", bar, rx.fragment())


def _decided_lately() -> rx.Component:
    def line(row: rx.Var[Decision]) -> rx.Component:
        state = rx.cond(
            row.status == "approved",
            feedback.quiet_badge("Approved", dot="ok"),
            feedback.quiet_badge(row.status.capitalize(), dot="bad"),
        )
        return layout.row_item(
            link(rx.el.bdi(row.name), href=PATH + "?id=" + row.id.to_string(), plain=True, class_name="rowlink"),
            rx.fragment(row.by, ", ", when(row.at, row.at)),
            end=state,
            key=row.id,
        )

    listed = layout.rows(rx.foreach(S.decisions, line))
    return rx.cond(
        S.decisions.length() > 0,
        layout.card(listed, title="Decided lately", end=link("All decisions", href=_ALL_DECISIONS), flush=True),
        rx.fragment(),
    )
