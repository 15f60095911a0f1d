"""Choosing a new password: the first time, or whenever one likes."""

import reflex as rx

from inventory_app.components import feedback, forms, layout, proofs
from inventory_app.components.basics import link
from inventory_app.pages._page import page
from inventory_app.states.auth import AuthState


@page("/password", "Password", public=True, on_load=[AuthState.guard_page])
def password() -> rx.Component:
    """Take the current and the new password and post them to /auth/password."""
    return layout.door(
        rx.el.h1("Choose a password", class_name="h1"),
        rx.el.p(
            rx.cond(
                AuthState.must_change_password,
                "The one you signed in with was made for you: replace it with your own.",
                "Your other devices will be signed out.",
            ),
            class_name="sub",
        ),
        feedback.flash(),
        forms.native_form(
            forms.password_field(
                "Current password", "current", required=True, error=forms.problem(AuthState.form_errors, "current")
            ),
            proofs.new_password_field("New password", error=forms.problem(AuthState.form_errors, "password")),
            forms.submit("Change the password", wide=True, size="l"),
            action="/auth/password",
        ),
        below=rx.cond(
            AuthState.must_change_password,
            rx.fragment(),
            rx.el.div(link("Back to the start page", href="/"), class_name="door-links"),
        ),
    )
