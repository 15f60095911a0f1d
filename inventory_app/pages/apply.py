"""Applying as a supplier: open to anyone."""

import reflex as rx

from inventory_app.components import feedback, forms, layout
from inventory_app.components.basics import link
from inventory_app.pages._page import page
from inventory_app.states.auth import AuthState


@page("/apply", "Apply as a supplier", public=True)
def apply() -> rx.Component:
    """Take a company's details and post them to /apply/submit."""
    return layout.door(
        rx.el.h1("Apply as a supplier", class_name="h1"),
        rx.el.p("Tell us about your company. Somebody here looks at it and answers by mail.", class_name="sub"),
        feedback.flash(),
        forms.native_form(
            forms.fields_row(
                _line("Company name", "name", auto_complete="organization", required=True),
                _line("Tax id", "tax_id", hint="As on your invoices", auto_complete="off", required=True),
            ),
            forms.fields_row(
                _line("Contact person", "contact_name", auto_complete="name", required=True),
                _line("Email", "email", type="email", auto_complete="email", required=True),
            ),
            forms.fields_row(
                _line("Phone", "phone", optional=True, type="tel", auto_complete="tel"),
                _line("Website", "website", optional=True, type="url", auto_complete="url", placeholder="https://"),
            ),
            _line("Address", "address", auto_complete="street-address", required=True),
            forms.field(
                "What would you supply?",
                forms.textarea("message", value=AuthState.form_values.get("message", ""), max_length=2000),
                error=forms.problem(AuthState.form_errors, "message"),
                optional=True,
            ),
            forms.honeypot(),
            forms.submit("Send the application", wide=True, size="l"),
            action="/apply/submit",
        ),
        wide=True,
        below=rx.el.div(rx.el.span("You work here? ", link("Sign in", href="/login")), class_name="door-links"),
    )


def _line(label: str, name: str, *, hint: str | None = None, optional: bool = False, **props: object) -> rx.Component:
    return forms.field(
        label,
        forms.text_input(name, value=AuthState.form_values.get(name, ""), **props),
        error=forms.problem(AuthState.form_errors, name),
        hint=hint,
        optional=optional,
    )
