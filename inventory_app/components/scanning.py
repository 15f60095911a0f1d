"""Scanning: a field that a scanner types into, and the camera where the browser itself can read barcodes."""

from typing import Any

import reflex as rx

from inventory_app.components import forms
from inventory_app.components.basics import Text, button

#: What assets/scan.js looks for.
FIELD = "f-scan"


def scan_field(
    *, on_submit: Any, turn: rx.Var[Any], cleared: rx.Var[Any], error: Text = "", hint: str = ""
) -> rx.Component:
    """Take a barcode and Enter, from a scanner or by hand; the field is empty again when `cleared` changes."""
    control = rx.el.input(
        name="code",
        type="text",
        auto_complete="off",
        auto_focus=True,
        enter_key_hint="go",
        class_name="ctl",
        key=cleared.to_string(),
        custom_attrs={"id": FIELD, "data-scan": "", "aria-describedby": FIELD + "-error", "autoCapitalize": "off"},
    )
    camera = button("Camera", icon_name="camera", custom_attrs={"data-camera": FIELD, "hidden": True})
    return rx.fragment(
        rx.el.script(src="/scan.js", defer=True),
        forms.form(
            rx.el.div(
                rx.el.label("Barcode, SKU or order", html_for=FIELD, class_name="field-label"),
                rx.el.div(control, camera, button("Find", submit=True), class_name="scan-row"),
                forms.fault(error, FIELD + "-error"),
                rx.el.span(hint, class_name="field-hint"),
                class_name="field",
                custom_attrs={"data-invalid": rx.cond(error, "true", "false")},
            ),
            on_submit=on_submit,
            turn=turn,
        ),
    )
