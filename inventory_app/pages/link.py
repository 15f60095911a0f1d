"""Where a one-time link leads: choosing a password. The link's token stands after the #, which no server log sees."""

import reflex as rx

from inventory_app.components import feedback, forms, layout, proofs
from inventory_app.components.basics import link
from inventory_app.pages._page import page
from inventory_app.states.auth import AuthState


@page("/link", "Choose a password", public=True)
def one_time_link() -> rx.Component:
    """Take the new password and post it with the token to /auth/link."""
    # Refused as a whole: nothing that is filled in could arrive. What is wrong with a field stands beside it.
    dead = (AuthState.flash_tone == "bad") & (AuthState.flash != "")
    return layout.door(
        rx.el.h1("Choose your password", class_name="h1"),
        rx.cond(
            dead,
            rx.fragment(rx.el.p("That takes a link that still works.", class_name="sub"), feedback.flash()),
            rx.fragment(
                rx.el.p("Then sign in with it. This link works once.", class_name="sub"), feedback.flash(), _form()
            ),
        ),
        below=rx.el.div(
            rx.el.span("The link does not work? Ask for a new one, or ", link("sign in", href="/login"), "."),
            class_name="door-links",
        ),
    )


def _form() -> rx.Component:
    return rx.fragment(
        forms.native_form(
            rx.el.input(
                type="hidden",
                name="token",
                default_value="",
                custom_attrs={"data-from-hash": ""},
            ),
            proofs.new_password_field("New password", error=forms.problem(AuthState.form_errors, "password")),
            forms.submit("Set the password", wide=True, size="l"),
            action="/auth/link",
        ),
        rx.cond(
            AuthState.single_sign_on != "",
            rx.fragment(
                rx.el.div("or", class_name="or"),
                forms.native_form(
                    rx.el.input(type="hidden", name="token", default_value="", custom_attrs={"data-from-hash": ""}),
                    forms.submit(
                        rx.fragment("Sign in with ", rx.el.bdi(AuthState.single_sign_on), " from now on"),
                        wide=True,
                        tone="plain",
                    ),
                    action="/auth/oidc/link",
                ),
            ),
            rx.fragment(),
        ),
    )
