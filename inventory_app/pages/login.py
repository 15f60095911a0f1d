"""Signing in."""

import reflex as rx

from inventory_app.components import feedback, forms, layout, proofs
from inventory_app.components.basics import button, link, stack
from inventory_app.pages._page import page
from inventory_app.states.auth import AuthState


@page("/login", "Sign in", public=True)
def login() -> rx.Component:
    """Ask for username and password and post them to /auth/sign-in."""
    return layout.door(
        rx.el.h1("Sign in", class_name="h1"),
        rx.el.p("to ", AuthState.company, "’s stock and suppliers", class_name="sub"),
        feedback.flash(),
        _password(),
        rx.el.div("or", class_name="or"),
        _other_ways(),
        below=_for_strangers(),
    )


def _password() -> rx.Component:
    username = forms.text_input(
        "username",
        value=AuthState.form_values.get("username", ""),
        auto_complete="username",
        auto_capitalize="none",
        auto_focus=True,
        required=True,
    )
    # After a refusal the name is there already: the cursor belongs into the password, in a field that is made anew.
    again = AuthState.form_values.get("username", "") != ""
    return forms.native_form(
        forms.hidden_input("next", AuthState.next_url),
        forms.field("Username", username, error=forms.problem(AuthState.form_errors, "username")),
        forms.password_field(
            "Password",
            "password",
            required=True,
            auto_focus=again,
            key=rx.cond(again, "again", "first"),
            error=forms.problem(AuthState.form_errors, "password"),
        ),
        forms.checkbox(
            "remember",
            rx.fragment("Stay signed in on this device for ", AuthState.session_days, " days"),
            value="1",
        ),
        forms.submit("Sign in", wide=True, size="l"),
        action="/auth/sign-in",
    )


def _other_ways() -> rx.Component:
    # The browser's own way of following it: it leaves the application.
    single_sign_on = button(
        rx.fragment("Sign in with ", rx.el.bdi(AuthState.single_sign_on)),
        href=AuthState.single_sign_on_url,
        reload_document=True,
        wide=True,
    )
    return stack(
        proofs.passkey_form(
            forms.hidden_input("next", AuthState.next_url),
            purpose="sign-in",
            action="/auth/passkey",
            label="Sign in with a passkey",
        ),
        rx.cond(AuthState.single_sign_on_url, single_sign_on, rx.fragment()),
    )


def _for_strangers() -> rx.Component:
    return rx.el.div(
        rx.match(
            AuthState.registration,
            ("closed", rx.el.span("New here? Ask an administrator for an account.")),
            ("open", rx.el.span("New here? ", link("Make an account", href="/register"))),
            rx.el.span("New here? ", link("Ask for an account", href="/register")),
        ),
        rx.el.span("You supply us? ", link("Apply as a supplier", href="/apply")),
        class_name="door-links",
    )
