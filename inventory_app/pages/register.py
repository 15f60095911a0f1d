"""Asking for an account."""

import reflex as rx

from inventory_app.components import feedback, forms, layout
from inventory_app.components.basics import Text, link
from inventory_app.pages._page import page
from inventory_app.states.auth import AuthState

PASSWORD_RULES = (
    "At least 12 characters; a sentence works well",
    "Not your name, your username or your mail address",
    "Not one of the passwords everybody uses",
)


@page("/register", "Ask for an account", public=True)
def register() -> rx.Component:
    """Take name, address and password; an administrator lets the person in."""
    return layout.door(
        rx.el.h1("Ask for an account", class_name="h1"),
        rx.el.p("An administrator sees your request and lets you in.", class_name="sub"),
        feedback.flash(),
        forms.native_form(
            _line("Full name", "full_name", auto_complete="name", required=True),
            _line(
                "Username",
                "username",
                hint="What you sign in with, such as ann.miller",
                auto_complete="username",
                auto_capitalize="none",
                required=True,
            ),
            _line("Email", "email", type="email", auto_complete="email", required=True),
            forms.password_field(
                "Password",
                "password",
                new=True,
                required=True,
                min_length=12,
                error=forms.problem(AuthState.form_errors, "password"),
                hint=rx.el.ul(*[rx.el.li(rule) for rule in PASSWORD_RULES], class_name="rules"),
            ),
            forms.submit("Ask for an account", wide=True, size="l"),
            action="/auth/register",
        ),
        below=rx.el.div(rx.el.span("You have one? ", link("Sign in", href="/login")), class_name="door-links"),
    )


def _line(label: str, name: str, *, hint: Text | None = None, **props: object) -> rx.Component:
    return forms.field(
        label,
        forms.text_input(name, value=AuthState.form_values.get(name, ""), **props),
        error=forms.problem(AuthState.form_errors, name),
        hint=hint,
    )
