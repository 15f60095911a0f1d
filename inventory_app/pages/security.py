"""One's own security page: password, second factors, recovery codes, and where one is signed in."""

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, layout, proofs
from inventory_app.components.basics import button, icon, icon_button, row_of, stack, when
from inventory_app.http._posts import SECURITY_PAGE
from inventory_app.pages._page import page
from inventory_app.pages._sessions import device_line
from inventory_app.states.auth import AuthState
from inventory_app.states.security import Connection, Factor, SecurityState
from inventory_app.states.sessions import Device

S = SecurityState


@page(SECURITY_PAGE, "Sign-in and security", on_load=[S.load], everybody=True, crumbs=("You",))
def security() -> rx.Component:
    """Show what one proves oneself by and where one is signed in, and change it."""
    return rx.fragment(
        layout.page_head("Sign-in and security", sub="How you prove that it is you, and where you are signed in."),
        stack(
            _what_is_missing(),
            layout.columns(
                layout.column(_factors(), _devices()),
                layout.column(_password(), _single_sign_on(), _codes()),
            ),
        ),
        _app_dialog(),
        _passkey_dialog(),
        _codes_dialog(),
        _new_codes_dialog(),
        _rename_dialog(),
        _remove_dialog(),
        _disconnect_dialog(),
    )


def _what_is_missing() -> rx.Component:
    set_up = feedback.callout(
        "Add an authenticator app or a passkey here; until then nothing else is open to you.",
        title="Your role needs a second factor.",
        tone="warn",
    )
    weak = feedback.callout(
        "This session was begun before your second factor was set up.",
        title="Confirm with your second factor.",
        tone="warn",
        action=button("Confirm", href=f"/confirm?next={SECURITY_PAGE}"),
    )
    no_codes = feedback.callout(
        "Make recovery codes for the day you lose your phone or your key.",
        title="You have no recovery code.",
        tone="warn",
        action=button("Make recovery codes", on_click=S.make_codes),
    )
    missing = rx.cond(
        S.weak,
        weak,
        rx.cond(
            (S.rows.length() > 0) & (S.codes_left == 0),
            no_codes,
            rx.cond(S.role_needs_one & (S.rows.length() == 0), set_up, rx.fragment()),
        ),
    )
    return rx.cond(S.loading, rx.fragment(), missing)


def _factors() -> rx.Component:
    none = feedback.empty_state(
        "Only your password",
        "Add an authenticator app or a passkey: then a stolen password opens nothing.",
        icon_name="shield-check",
    )
    return layout.card(
        rx.cond(S.rows.length() > 0, layout.rows(rx.foreach(S.rows, _factor)), rx.cond(S.loading, rx.fragment(), none)),
        title="Second factors",
        foot=row_of(
            button("Add an authenticator app", icon_name="smartphone", on_click=S.add_app),
            rx.cond(
                S.passkeys_possible,
                button("Add a passkey", icon_name="fingerprint", on_click=S.add_passkey),
                rx.el.span("Passkeys need https and a name in the address of this site.", class_name="meta"),
            ),
            class_name="wrap",
        ),
        flush=True,
    )


def _factor(factor: rx.Var[Factor]) -> rx.Component:
    kind = rx.cond(factor.kind == "totp", "Authenticator app", "Passkey")
    used = rx.cond(
        factor.last_used, rx.fragment(" · used ", when(factor.last_used, factor.last_used)), " · not used yet"
    )
    unreadable = rx.cond(
        factor.unreadable, rx.fragment(" ", feedback.badge("Set it up again", tone="bad")), rx.fragment()
    )
    remove = rx.cond(factor.why_not, factor.why_not, "Remove " + factor.name)
    return layout.row_item(
        rx.fragment(rx.el.bdi(factor.name), unreadable),
        rx.fragment(kind, " · since ", when(factor.created, factor.created), used),
        lead=rx.cond(factor.kind == "totp", icon("smartphone", 18), icon("fingerprint", 18)),
        end=row_of(
            icon_button("pencil", "Rename " + factor.name, on_click=S.open_rename(factor.id)),
            icon_button("trash-2", remove, disabled=factor.why_not != "", on_click=S.open_remove(factor.id)),
        ),
        key=factor.id,
    )


def _password() -> rx.Component:
    return layout.card(
        rx.el.p("Changing it signs your other devices out.", class_name="meta"),
        title="Password",
        foot=button("Change the password", href="/password"),
    )


def _single_sign_on() -> rx.Component:
    """Show what one is connected with; nothing where single sign-on is not set up and nobody ever connected."""
    connect = forms.native_form(
        forms.submit(rx.fragment("Connect ", rx.el.bdi(AuthState.single_sign_on)), tone="plain"),
        action="/auth/oidc/connect",
        class_name="",
    )
    none = rx.el.p("Connect it to sign in with one click.", class_name="meta")
    return rx.cond(
        S.connections.length() > 0,
        layout.card(layout.rows(rx.foreach(S.connections, _connection)), title="Single sign-on", flush=True),
        rx.cond(AuthState.single_sign_on != "", layout.card(none, title="Single sign-on", foot=connect), rx.fragment()),
    )


def _connection(row: rx.Var[Connection]) -> rx.Component:
    return layout.row_item(
        rx.el.bdi(row.issuer),
        rx.fragment("Connected since ", when(row.since, row.since)),
        end=icon_button(
            "unplug",
            rx.cond(row.why_not, row.why_not, "Disconnect single sign-on"),
            disabled=row.why_not != "",
            on_click=S.open_disconnect(row.id),
        ),
        key=row.id,
    )


def _codes() -> rx.Component:
    left = rx.fragment(
        rx.el.strong(S.codes_left.to_string()), " of them still work. Each opens your account once, instead of a code."
    )
    make = rx.cond(
        S.codes_left > 0,
        button("Make new ones…", on_click=S.open_codes),
        button("Make recovery codes", on_click=S.make_codes, disabled=S.rows.length() == 0),
    )
    return layout.card(
        rx.el.p(
            rx.cond(
                S.codes_left > 0,
                left,
                rx.cond(
                    S.rows.length() > 0,
                    "You have none. They are for the day your phone or key is lost.",
                    "They are for the day your phone or key is lost. Add a second factor first.",
                ),
            ),
            class_name="meta",
        ),
        title="Recovery codes",
        foot=make,
    )


def _devices() -> rx.Component:
    def line(device: rx.Var[Device]) -> rx.Component:
        end = button(
            "Sign out",
            size="s",
            once=True,
            on_click=S.end_session(device.id, S.idempotency_key + "-" + device.id.to_string()),
        )
        return device_line(device, end=rx.cond(device.current, rx.fragment(), end))

    others = button(
        "Sign out all others",
        size="s",
        once=True,
        disabled=S.live.length() < 2,  # noqa: PLR2004  # this one and another
        on_click=S.end_other_sessions(S.idempotency_key),
    )
    return layout.card(
        layout.rows(rx.foreach(S.live, line)),
        title="Signed in on",
        end=others,
        flush=True,
        custom_attrs={"data-turn": S.turn},
    )


def _app_dialog() -> rx.Component:
    square = rx.el.svg(
        rx.el.svg.path(d=S.qr),
        view_box=S.qr_box,
        fill="currentColor",
        class_name="qr",
        role="img",
        aria_label="QR code for the authenticator app; the secret below says the same",
        custom_attrs={"shapeRendering": "crispEdges"},
    )
    return dialogs.dialog(
        rx.el.p("Scan this with the app on your phone, or type the secret into it."),
        square,
        rx.el.div(S.secret, class_name="secret"),
        forms.native_form(
            forms.hidden_input("factor_id", S.app_id.to_string()),
            forms.field("Name", forms.text_input("name", value="Authenticator app", max_length=60)),
            proofs.code_field("Code that the app shows now"),
            forms.submit("Take it into use", wide=True),
            action="/auth/factors/app",
        ),
        open=S.dialog == "app",
        on_open_change=S.close,
        title="Add an authenticator app",
        sub="Any app that makes six-digit codes will do.",
        status="Shown only now.",
    )


def _passkey_dialog() -> rx.Component:
    return dialogs.dialog(
        proofs.passkey_form(
            forms.field(
                "Name",
                forms.text_input("name", max_length=60, placeholder="Work laptop", auto_focus=True),
                hint="So that you know it again in your list",
                optional=True,
            ),
            purpose="register",
            action="/auth/factors/passkey",
            label="Make the passkey",
            tone="solid",
        ),
        open=S.dialog == "passkey",
        on_open_change=S.close,
        title="Add a passkey",
        sub="Your device, phone or security key proves that it is you. It also signs you in without a password.",
        size="s",
    )


def _codes_dialog() -> rx.Component:
    return dialogs.dialog(
        rx.el.p("Each works once. Keep them where you find them without this computer and without your phone."),
        rx.el.ul(rx.foreach(S.codes, lambda code: rx.el.li(code, key=code)), class_name="codes"),
        row_of(
            button("Copy", icon_name="copy", custom_attrs={"data-codes": "copy"}),
            button("Download", icon_name="download", custom_attrs={"data-codes": "save"}),
            button("Print", icon_name="printer", custom_attrs={"data-codes": "print"}),
            rx.el.span(class_name="meta", role="status", custom_attrs={"data-codes-said": ""}),
            class_name="wrap",
        ),
        open=S.dialog == "codes",
        on_open_change=S.close,
        title="Your recovery codes",
        sub="They are shown only now. Codes made before work no more.",
        cancel="I have kept them",
    )


def _new_codes_dialog() -> rx.Component:
    return dialogs.confirm(
        open=S.dialog == "new codes",
        on_open_change=S.close,
        title="Make new recovery codes?",
        text="The ones you have kept work no more.",
        action="Make new ones",
        on_confirm=S.make_codes,
        keep="Keep the old ones",
        tone="solid",
        turn=S.turn,
    )


def _rename_dialog() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("factor_id", S.chosen.id.to_string()),
        forms.field(
            "Name",
            forms.text_input("name", value=S.chosen.name, max_length=60, required=True),
            error=forms.problem(S.errors, "name"),
        ),
        open=S.dialog == "rename",
        on_open_change=S.close,
        title="Rename " + S.chosen.name,
        primary=forms.submit("Rename"),
        on_submit=S.rename,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
        size="s",
    )


def _disconnect_dialog() -> rx.Component:
    return dialogs.confirm(
        open=S.dialog == "disconnect",
        on_open_change=S.close,
        title="Disconnect single sign-on?",
        text="It signs you in no more. Devices that were signed in with it are signed out.",
        action="Disconnect",
        on_confirm=S.disconnect(S.connection_id, S.idempotency_key),
        turn=S.turn,
    )


def _remove_dialog() -> rx.Component:
    last = rx.cond(S.rows.length() == 1, " It is your last one: your recovery codes go with it.", "")
    return dialogs.confirm(
        open=S.dialog == "remove",
        on_open_change=S.close,
        title="Remove " + S.chosen.name + "?",
        text=rx.fragment("It proves nothing any more from now on.", last),
        action="Remove",
        on_confirm=S.remove(S.chosen.id, S.idempotency_key),
        turn=S.turn,
    )
