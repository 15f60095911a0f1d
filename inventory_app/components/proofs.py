"""Proving who one is: the button of a passkey, the field for a code, how good a new password would be."""

from typing import Any, Literal

import reflex as rx

from inventory_app.components import forms
from inventory_app.components.basics import ButtonTone, Content, Text
from inventory_app.passwords import MINIMUM_LENGTH
from inventory_app.states.auth import AuthState

Purpose = Literal["sign-in", "factor", "confirm", "register"]


def passkey_form(
    *fields: Content,
    purpose: Purpose,
    action: str,
    label: Text,
    tone: ButtonTone = "plain",
    **props: Any,
) -> rx.Component:
    """Ask the browser for a passkey (assets/proofs.js) and post what it has signed to `action`."""
    return forms.native_form(
        forms.hidden_input("purpose", purpose),
        # The script fills it; a controlled one would be emptied again.
        rx.el.input(type="hidden", name="credential", default_value=""),
        *fields,
        forms.submit(label, icon_name="fingerprint", tone=tone, wide=True, **props),
        rx.el.div(class_name="proof-error", role="alert", custom_attrs={"data-proof-error": ""}),
        action=action,
        custom_attrs={"data-passkey": ""},
        class_name="form form-s",
    )


def code_field(label: Text = "Code", *, hint: Content | None = None, focus: bool = True) -> rx.Component:
    """Take the six digits an app shows, or a recovery code."""
    return forms.field(
        label,
        forms.text_input(
            "code",
            auto_complete="one-time-code",
            auto_capitalize="none",
            spell_check=False,
            auto_focus=focus,
            max_length=40,
            class_name="code-input",
        ),
        error=forms.problem(AuthState.form_errors, "code"),
        hint=hint,
    )


def new_password_field(label: Text, *, error: rx.Var[str]) -> rx.Component:
    """Take a new password and say while it is typed how good it would be: asked over HTTP, kept nowhere."""
    made = forms.password_field(
        label,
        "password",
        new=True,
        required=True,
        min_length=MINIMUM_LENGTH,
        error=error,
        hint=f"At least {MINIMUM_LENGTH} characters; a few words are good.",
    )
    made.children.append(
        rx.el.div(
            rx.el.div(class_name="strength-bar", aria_hidden=True),
            rx.el.div(class_name="strength-text", custom_attrs={"aria-live": "polite"}),
            class_name="strength",
            custom_attrs={"data-strength": ""},
        )
    )
    return made
