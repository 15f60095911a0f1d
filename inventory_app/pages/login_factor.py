"""The second half of signing in: a code or a passkey."""

import reflex as rx

from inventory_app.components import feedback, forms, layout, proofs
from inventory_app.components.basics import button, link
from inventory_app.pages._page import page
from inventory_app.states.proving import ProvingState

S = ProvingState


@page("/login/factor", "Second factor", public=True, on_load=[S.load_factor])
def login_factor() -> rx.Component:
    """Ask for what only the person has, after the password was right."""
    return layout.door(
        rx.el.h1("One more step", class_name="h1"),
        rx.el.p("The first one is done. Now prove that it is you.", class_name="sub"),
        feedback.flash(),
        rx.cond(S.waiting, _ways(), button("Sign in from the start", href="/login", wide=True)),
        below=rx.el.div(link("Start again", href="/login"), class_name="door-links"),
    )


def _ways() -> rx.Component:
    return rx.fragment(
        rx.cond(
            S.passkey,
            rx.fragment(
                proofs.passkey_form(purpose="factor", action="/auth/factor", label="Use a passkey", size="l"),
                rx.el.div("or", class_name="or"),
            ),
            rx.fragment(),
        ),
        forms.native_form(
            proofs.code_field(hint="From your authenticator app, or one of your recovery codes"),
            forms.submit("Continue", wide=True, size="l"),
            action="/auth/factor",
        ),
    )
