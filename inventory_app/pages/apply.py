"""Applying as a supplier: open to anyone."""

from typing import Any

import reflex as rx

from inventory_app.components import feedback, forms, layout
from inventory_app.components.basics import button, link, stack
from inventory_app.pages._page import page
from inventory_app.states.apply import ApplyState

S = ApplyState
_TAKEN = ".pdf,.png,.jpg,.jpeg,.csv,.xlsx,.txt"


@page("/apply", "Apply as a supplier", public=True, on_load=[S.load])
def apply() -> rx.Component:
    """Take a company's details, or thank for them."""
    return layout.door(
        rx.el.h1("Apply as a supplier", class_name="h1"),
        rx.el.p(rx.cond(S.sent, "", "Tell us about your company. Somebody here looks at it."), class_name="sub"),
        rx.cond(
            S.sent,
            _thanks(),
            _form(),
        ),
        wide=True,
        below=rx.el.div(rx.el.span("You work here? ", link("Sign in", href="/login")), class_name="door-links"),
    )


def _thanks() -> rx.Component:
    """Thank, and take the documents that belong to the application."""
    return stack(
        feedback.callout(
            "Somebody here looks at it and answers by mail.",
            title="Thank you. Your application has arrived.",
            tone="ok",
        ),
        feedback.flash(),
        rx.cond(S.application, _documents(), rx.fragment()),
    )


def _documents() -> rx.Component:
    chosen = rx.el.input(
        type="file", name="file", accept=_TAKEN, required=True, class_name="ctl", custom_attrs={"id": "f-file"}
    )
    return forms.native_form(
        forms.hidden_input("application", S.application),
        forms.field(
            "Documents",
            chosen,
            hint="A register extract, insurance, certificates: up to 5 files of at most 5 MB, within an hour. "
            "PDF, PNG, JPEG, CSV, XLSX or TXT.",
            optional=True,
        ),
        button("Send the document", icon_name="upload", submit=True),
        action="/apply/documents",
        custom_attrs={"encType": "multipart/form-data"},
    )


def _form() -> rx.Component:
    return forms.form(
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
            _line("Website", "website", optional=True, auto_complete="url", placeholder="https://"),
        ),
        _line("Address", "address", auto_complete="street-address", required=True),
        forms.field(
            "What would you supply?",
            forms.textarea("message", max_length=2000),
            error=forms.problem(S.errors, "message"),
            optional=True,
        ),
        forms.honeypot(),
        forms.submit("Send the application", wide=True, size="l"),
        on_submit=S.apply_supplier,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _line(label: str, name: str, *, hint: str | None = None, optional: bool = False, **props: Any) -> rx.Component:
    return forms.field(
        label, forms.text_input(name, **props), error=forms.problem(S.errors, name), hint=hint, optional=optional
    )
