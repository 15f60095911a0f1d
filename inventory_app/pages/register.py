"""Asking for an account."""

from typing import Any

import reflex as rx

from inventory_app.components import feedback, forms, layout, proofs
from inventory_app.components.basics import Text, link
from inventory_app.pages._page import page
from inventory_app.states.auth import AuthState

S = AuthState


@page("/register", "Ask for an account", public=True)
def register() -> rx.Component:
    """Take name, address and password; an administrator lets the person in."""
    done = rx.match(
        S.registered,
        (
            "ready",
            feedback.callout("Sign in with it now.", title="Your account is ready.", tone="ok"),
        ),
        feedback.callout(
            "You can sign in as soon as somebody has let you in.",
            title="Your account is complete and waits for an administrator.",
            tone="ok",
        ),
    )
    closed = feedback.callout(
        "Ask one: they send you a link.", title="Accounts are made by an administrator here.", icon_name="lock"
    )
    sub = rx.match(
        S.registration,
        ("open", rx.el.p("It is yours at once; you start as an employee.", class_name="sub")),
        ("closed", rx.el.p(class_name="sub")),
        rx.el.p("An administrator sees your request and lets you in.", class_name="sub"),
    )
    return layout.door(
        rx.el.h1(rx.cond(S.registration == "open", "Make an account", "Ask for an account"), class_name="h1"),
        rx.cond(S.registered, rx.el.p(class_name="sub"), sub),
        rx.cond(S.registered, done, rx.cond(S.registration == "closed", closed, _asking())),
        below=rx.el.div(rx.el.span("You have one? ", link("Sign in", href="/login")), class_name="door-links"),
    )


def _asking() -> rx.Component:
    # Beside the form, which goes over the websocket: asking how good a password is needs the token of the visit.
    return rx.fragment(_form(), forms.hidden_input("csrf", S.csrf))


def _form() -> rx.Component:
    return forms.form(
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
        proofs.new_password_field("Password", error=forms.problem(S.errors, "password")),
        forms.submit(rx.cond(S.registration == "open", "Make the account", "Ask for an account"), wide=True, size="l"),
        on_submit=S.register,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _line(label: str, name: str, *, hint: Text | None = None, **props: Any) -> rx.Component:
    return forms.field(label, forms.text_input(name, **props), error=forms.problem(S.errors, name), hint=hint)
