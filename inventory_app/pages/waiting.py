"""Waiting for me: everything that needs one's agreement, what was decided lately, and what one has asked for."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, layout, listing, tables
from inventory_app.components.basics import button, icon, icon_button, link, row_of, stack, when
from inventory_app.operations._approval_views import DecisionRow, Row
from inventory_app.pages._page import page
from inventory_app.states.approvals import PATH, ApprovalState

S = ApprovalState
D = ApprovalState.detail
_OPEN = S.chosen & D.is_not_none()


@page(
    PATH,
    "Waiting for me",
    on_load=[S.load],
    crumbs=(rx.cond(_OPEN, link("Waiting for me", href=S.list_href, plain=True), rx.fragment()),),
    heading=rx.cond(_OPEN, D.title, ""),
    back=S.list_href,
)
def waiting() -> rx.Component:
    """Show the list beside the request that is open."""
    return rx.cond(S.loading, layout.page_skeleton(), layout.split(_list(), _detail(), chosen=S.chosen))


def _list() -> rx.Component:
    by_kind = rx.cond(
        S.kind,
        tables.chip("Kind", "is", S.kind_label, remove_href=S.no_kind_href),
        dialogs.menu(
            tables.chip_add("Kind"),
            rx.foreach(S.kind_hrefs, lambda pair: dialogs.menu_item(pair[0], href=pair[1])),
            align="start",
        ),
    )
    views = layout.segmented(
        ("Waiting", S.hrefs["waiting"], S.view == "waiting"),
        ("Decided", S.hrefs["decided"], S.view == "decided"),
        ("I asked for", S.hrefs["asked"], S.view == "asked"),
        label="What is listed",
    )
    listed = rx.cond(
        S.view == "decided",
        rx.cond(S.decisions.length() > 0, rx.el.div(rx.foreach(S.decisions, _decision_pick)), _nothing_decided()),
        rx.cond(
            S.rows.length() > 0, rx.el.div(rx.foreach(S.rows, _pick)), rx.el.div(_nothing(), class_name="only-phone")
        ),
    )
    return rx.fragment(
        layout.page_head("Waiting for me", sub=_sub(), actions=(listing.export("approvals"),)),
        rx.el.div(views, by_kind, class_name="split-tools"),
        listed,
        rx.cond((S.previous_href != "") | (S.next_href != ""), _pager(), rx.fragment()),
    )


def _sub() -> rx.Component:
    words = rx.cond(S.mine == 1, " waits for your decision", " wait for your decision")
    return rx.cond(S.mine > 0, rx.el.span(S.mine.to_string(), words), rx.el.span("Nothing waits for your decision"))


def _pager() -> rx.Component:
    def turn(icon_name: str, label: str, href: rx.Var[str]) -> rx.Component:
        return rx.cond(href, icon_button(icon_name, label, href=href), icon_button(icon_name, label, disabled=True))

    return row_of(
        turn("chevron-left", "Page before", S.previous_href),
        turn("chevron-right", "Page after", S.next_href),
        class_name="split-note",
    )


def _pick(row: rx.Var[Row]) -> rx.Component:
    locked = rx.cond(row.why_not & (row.status == "open"), icon("lock", 14, class_name="muted"), rx.fragment())
    agreed = rx.cond(row.agreed, feedback.badge(row.agreed, dot=False), rx.fragment())
    expires = rx.cond(row.expires_at, rx.fragment(" · ends ", when(row.expires_at, row.expires_at)), rx.fragment())
    return layout.pick(
        rx.el.bdi(row.title),
        rx.fragment(row.label, ", asked for by ", rx.el.bdi(row.asked_by)),
        rx.fragment(when(row.asked_at, row.asked_at), expires),
        href=PATH + "?id=" + row.id.to_string() + S.rest,
        selected=D.is_not_none() & (D.id == row.id),
        lead=_face(row.initials, row.picture),
        end=rx.el.span(row_of(locked, agreed, rx.cond(row.status == "open", rx.fragment(), _state(row.status)))),
        key=row.id,
    )


def _decision_pick(row: rx.Var[DecisionRow]) -> rx.Component:
    state = rx.cond(
        row.verdict == "approve",
        feedback.quiet_badge("Approved", dot="ok"),
        feedback.quiet_badge("Rejected", dot="bad"),
    )
    return layout.pick(
        rx.el.bdi(row.title),
        rx.fragment(row.label, ", ", _by(row), ", ", when(row.at, row.at)),
        href=PATH + "?id=" + row.approval_id.to_string() + S.rest,
        selected=D.is_not_none() & (D.id == row.approval_id),
        lead=_face(row.initials, row.picture),
        end=state,
        key=row.id,
    )


def _face(initials: rx.Var[str], picture: rx.Var[str]) -> rx.Component:
    """Show who asked or decided; a square when nobody here did."""
    return rx.cond(
        initials, feedback.avatar(initials, picture=picture, size="m"), feedback.avatar("–", size="m", system=True)
    )


def _by(row: rx.Var[DecisionRow]) -> rx.Component:
    return rx.fragment(rx.el.bdi(row.by), rx.cond(row.for_whom, rx.fragment(" for ", rx.el.bdi(row.for_whom)), ""))


def _state(status: rx.Var[str]) -> rx.Component:
    return rx.match(
        status,
        ("open", feedback.badge("Waiting", tone="accent")),
        ("approved", feedback.quiet_badge("Approved", dot="ok")),
        ("rejected", feedback.quiet_badge("Rejected", dot="bad")),
        ("expired", feedback.quiet_badge("Expired", dot="warn")),
        feedback.quiet_badge("Withdrawn", dot="warn"),
    )


def _nothing() -> rx.Component:
    nothing = feedback.empty_state(
        "Nothing waits for you",
        "What needs a second person comes here: suppliers to approve, roles somebody shall get, and more. "
        "Nobody decides about what they have a part in.",
        button("While I am away", icon_name="calendar-off", href="/profile/away"),
    )
    asked = feedback.empty_state(
        "You have not asked for anything",
        "Suppliers you enter and roles you give that need a second person are listed here until they are decided.",
    )
    return rx.cond(S.view == "asked", asked, nothing)


def _nothing_decided() -> rx.Component:
    return feedback.empty_state("Nothing was decided yet", "Decisions are listed here with who made them and why.")


def _detail() -> rx.Component:
    missing = rx.cond(
        S.chosen,
        feedback.missing(
            "request", "Show the list", PATH, text="Or it is not yours to see. The link may be old.", page=False
        ),
        rx.cond(
            rx.cond(S.view == "decided", S.decisions.length() > 0, S.rows.length() > 0),
            feedback.empty_state("Nothing is open", "Choose a request at the left to see what was asked, and by whom."),
            rx.cond(S.view == "decided", rx.fragment(), _nothing()),
        ),
    )
    return rx.cond(
        D.is_not_none(),
        rx.fragment(_head(), layout.columns(layout.column(_facts(), _decisions()), layout.column(_decide(), _mine()))),
        layout.column(missing),
    )


def _head() -> rx.Component:
    agreed = rx.cond(
        D.required > 1,
        feedback.badge(D.given.to_string() + " of " + D.required.to_string(), dot=False),
        rx.fragment(),
    )
    return layout.page_head(
        rx.el.bdi(D.title),
        badge=rx.fragment(_state(D.status), agreed),
        sub=row_of(
            _face(D.initials, D.picture),
            rx.el.span(D.label, ", asked for by ", rx.el.bdi(D.asked_by), ", ", when(D.asked_at, D.asked_at)),
        ),
        actions=(rx.cond(D.href, button("Everything about it", href=D.href), rx.fragment()),),
        second=True,
    )


def _facts() -> rx.Component:
    def line(pair: Any) -> rx.Component:
        return rx.fragment(rx.el.dt(pair[0]), rx.el.dd(rx.el.bdi(pair[1], class_name="lines")), key=pair[0])

    reason = rx.cond(
        D.reason, rx.fragment(rx.el.dt("Why"), rx.el.dd(rx.el.bdi(D.reason, class_name="lines"))), rx.fragment()
    )
    expires = rx.cond(
        D.expires_at,
        rx.fragment(rx.el.dt("To be decided until"), rx.el.dd(when(D.expires_at, D.expires_at, style="full"))),
        rx.fragment(),
    )
    return layout.card(
        rx.el.dl(rx.foreach(D.details, line), reason, expires, class_name="facts"), title="What is asked for"
    )


def _decisions() -> rx.Component:
    def line(row: rx.Var[DecisionRow]) -> rx.Component:
        said = rx.cond(row.verdict == "approve", "Approved", "Rejected")
        return layout.row_item(
            rx.fragment(_by(row)),
            rx.fragment(when(row.at, row.at), rx.cond(row.reason, rx.fragment(": ", rx.el.bdi(row.reason)), "")),
            lead=_face(row.initials, row.picture),
            end=rx.cond(
                row.verdict == "approve", feedback.quiet_badge(said, dot="ok"), feedback.quiet_badge(said, dot="bad")
            ),
            key=row.id,
        )

    listed = layout.card(layout.rows(rx.foreach(D.decisions, line)), title="Decided so far", flush=True)
    return rx.cond(D.decisions.length() > 0, listed, rx.fragment())


def _decide() -> rx.Component:
    why_not = feedback.callout(rx.el.div(D.who_can, class_name="muted"), title=D.why_not, icon_name="lock")
    locked = layout.card(
        stack(
            why_not,
            row_of(button("Approve", icon_name="check", disabled=True), button("Reject", icon_name="x", disabled=True)),
        ),
        title="Decide",
    )
    return rx.cond(D.status == "open", rx.cond(D.why_not, locked, _decide_card()), rx.fragment())


def _decide_card() -> rx.Component:
    for_whom = rx.cond(
        D.for_whom,
        feedback.callout(
            "It counts as theirs, and is on record as yours for them.",
            title="You decide for " + D.for_whom + ".",
            icon_name="users",
        ),
        rx.fragment(),
    )
    more = rx.cond(
        D.required - D.given > 1,
        rx.el.p("It takes effect with the last of ", D.required.to_string(), " agreements.", class_name="meta"),
        rx.fragment(),
    )
    return layout.card(
        stack(
            for_whom,
            more,
            forms.field(
                "Reason",
                forms.textarea("reason", key=D.id.to_string() + "-" + D.version.to_string(), rows=3, max_length=1_000),
                aside=rx.el.span("kept with the decision", class_name="aside"),
                error=forms.problem(S.errors, "reason"),
                hint="Rejecting needs a reason.",
            ),
            row_of(
                button("Approve", icon_name="check", tone="solid", once=True, on_click=_send("approve")),
                button("Reject", icon_name="x", tone="danger", once=True, on_click=_send("reject")),
            ),
        ),
        title="Decide",
        custom_attrs={"data-turn": S.turn},
    )


def _send(decision: str) -> Any:
    """Send the decision with the reason as it stands in its field at the moment of the press."""
    typed = rx.Var('(document.getElementById("f-reason")?.value ?? "")', _var_type=str)
    return S.decide(
        {
            "approval_id": D.id,
            "version": D.version,
            "subject_version": D.subject_version,
            "decision": decision,
            "reason": typed,
            "idempotency_key": S.idempotency_key,
        }
    )


def _mine() -> rx.Component:
    take_back = layout.card(
        stack(
            rx.el.p("You asked for this. As long as nobody has decided it, you can take it back.", class_name="meta"),
            row_of(
                button(
                    "Withdraw",
                    icon_name="undo-2",
                    once=True,
                    on_click=S.withdraw({"approval_id": D.id, "idempotency_key": S.idempotency_key}),
                )
            ),
        ),
        title="Withdraw",
        custom_attrs={"data-turn": S.turn},
    )
    return rx.cond(D.mine, take_back, rx.fragment())
