"""The part of a person's page that shows where they are signed in, and takes it away."""

from typing import Any

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates, layout
from inventory_app.components.basics import Content, button, when
from inventory_app.permissions import Permission
from inventory_app.states.sessions import Device, PersonSessionsState

S = PersonSessionsState


def device_line(device: rx.Var[Device], *, end: Content) -> rx.Component:
    """Show one live session: what it runs on, from where, since when, and how it was begun."""
    here = rx.cond(device.current, feedback.quiet_badge("This one", dot="ok"), rx.fragment())
    return layout.row_item(
        rx.fragment(device.device, " ", here),
        rx.fragment(
            device.address,
            " · seen ",
            when(device.seen, device.seen),
            " · begun ",
            when(device.begun, device.begun),
            " with ",
            device.method,
        ),
        icon_name="monitor-smartphone",
        end=end,
        key=device.id,
    )


def sessions_of(person: rx.Var[Any]) -> rx.Component:
    """Show the sessions and second factors of `person` (its `id` is `LocalUser.id`) to those who may end them.

    The page loads them: `on_load=[..., PersonSessionsState.load_person(<LocalUser.id>)]`, or that event after it knows
    whom it is about; nothing is shown before.
    """

    def line(device: rx.Var[Device]) -> rx.Component:
        end = button(
            "Sign out",
            size="s",
            once=True,
            disabled=S.why_not != "",
            on_click=S.end_session(S.user_id, device.id, S.idempotency_key + "-" + device.id.to_string()),
        )
        return device_line(device, end=end)

    nobody = feedback.empty_state("Not signed in anywhere", "There is no live session.", icon_name="monitor-off")
    part = layout.card(
        rx.cond(
            S.live.length() > 0,
            layout.rows(rx.foreach(S.live, line)),
            # Who may not end them is not shown them: the note says why.
            rx.cond(S.why_not, rx.fragment(), nobody),
        ),
        title="Signed in on",
        note=rx.cond(S.why_not, S.why_not, ""),
        end=button("Sign out everywhere…", size="s", disabled=S.why_not != "", on_click=S.open_ask_end),
        foot=rx.fragment(
            rx.cond(
                S.factor_count > 0,
                rx.fragment(
                    S.factor_count.to_string(),
                    rx.cond(S.factor_count == 1, " second factor is set up. ", " second factors are set up. "),
                    button("Reset…", size="s", disabled=S.why_not != "", on_click=S.open_reset),
                ),
                "No second factor is set up.",
            ),
            rx.cond(
                S.connection_count > 0,
                rx.fragment(
                    " Single sign-on is connected. ",
                    button("Disconnect…", size="s", disabled=S.why_not != "", on_click=S.open_disconnect),
                ),
                rx.fragment(),
            ),
        ),
        flush=True,
        custom_attrs={"data-turn": S.turn},
    )
    shown = rx.cond(
        S.user_id == person.id, rx.fragment(part, _end_dialog(), _reset_dialog(), _disconnect_dialog()), rx.fragment()
    )
    return gates.can(Permission.USERS_MANAGE, shown)


def _end_dialog() -> rx.Component:
    return dialogs.confirm(
        open=S.dialog == "end",
        on_open_change=S.close,
        title="Sign " + S.username + " out everywhere?",
        text="Every session ends at once, in open tabs too. What was saved stays saved.",
        action="Sign out everywhere",
        keep="Leave them",
        on_confirm=S.end_all_sessions(S.user_id, S.idempotency_key),
        turn=S.turn,
    )


def _disconnect_dialog() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("user_id", S.user_id.to_string()),
        forms.field(
            "Why",
            forms.textarea("reason", required=True, max_length=2_000),
            error=forms.problem(S.errors, "reason"),
            hint="The reason is kept in the audit trail.",
        ),
        open=S.dialog == "disconnect",
        on_open_change=S.close,
        title="Disconnect single sign-on of " + S.username,
        sub="It lets them in no more, and every session ends. Without a password they need a link from you.",
        primary=forms.submit("Disconnect", tone="destroy"),
        on_submit=S.disconnect,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
        size="s",
    )


def _reset_dialog() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("user_id", S.user_id.to_string()),
        forms.field(
            "Why",
            forms.textarea("reason", required=True, max_length=2_000),
            error=forms.problem(S.errors, "reason"),
            hint="Make sure that it is really them who asks. The reason is kept in the audit trail.",
        ),
        open=S.dialog == "reset",
        on_open_change=S.close,
        title="Reset the second factors of " + S.username,
        sub="Authenticator apps, passkeys and recovery codes work no more, and every session ends. "
        "They sign in with the password alone and set up new ones.",
        primary=forms.submit("Reset", tone="destroy"),
        on_submit=S.reset_factors,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
        size="s",
    )
