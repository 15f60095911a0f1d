"""Proving again that it is still oneself, before something sensitive."""

import reflex as rx

from inventory_app.components import feedback, forms, layout, proofs
from inventory_app.components.basics import link
from inventory_app.pages._page import page
from inventory_app.states.auth import AuthState
from inventory_app.states.proving import ProvingState

S = ProvingState


@page("/confirm", "Confirm that it is you", public=True, on_load=[AuthState.guard_page, S.load_confirm])
def confirm() -> rx.Component:
    """Ask for the password, a code or a passkey, and lead back to where the person came from."""
    back = forms.hidden_input("next", AuthState.next_url)
    return layout.door(
        rx.el.h1("Confirm that it is you", class_name="h1"),
        rx.el.p("What you were about to do is sensitive. Afterwards you come back, and do it again.", class_name="sub"),
        feedback.flash(),
        rx.cond(
            S.passkey,
            rx.fragment(
                proofs.passkey_form(back, purpose="confirm", action="/auth/confirm", label="Use a passkey", size="l"),
                _or(),
            ),
            rx.fragment(),
        ),
        rx.cond(
            S.app | S.passkey,
            rx.fragment(
                forms.native_form(
                    back,
                    proofs.code_field(hint="From your authenticator app, or a recovery code", focus=False),
                    forms.submit("Confirm with the code", wide=True, tone="plain"),
                    action="/auth/confirm",
                    class_name="form form-s",
                ),
                _or(),
            ),
            rx.fragment(),
        ),
        rx.cond(
            S.password,
            forms.native_form(
                back,
                forms.password_field(
                    "Password", "password", required=True, error=forms.problem(AuthState.form_errors, "password")
                ),
                forms.submit("Confirm with the password", wide=True),
                action="/auth/confirm",
                class_name="form form-s",
            ),
            rx.fragment(),
        ),
        rx.cond(
            S.single_sign_on,
            rx.fragment(
                rx.cond(S.password, _or(), rx.fragment()),
                forms.native_form(
                    back,
                    forms.submit(
                        rx.fragment("Confirm with ", rx.el.bdi(AuthState.single_sign_on)), wide=True, tone="plain"
                    ),
                    action="/auth/oidc/confirm",
                    class_name="form form-s",
                ),
            ),
            rx.fragment(),
        ),
        below=rx.el.div(link("Not now", href=AuthState.next_url), class_name="door-links"),
    )


def _or() -> rx.Component:
    return rx.el.div("or", class_name="or")
