"""Choosing the moment that is asked about, on every page that can go back."""

from typing import Any

import reflex as rx

from inventory_app.components import forms
from inventory_app.components.basics import button


def picker(state: Any, then: rx.Component, hint: rx.Component | str = "") -> rx.Component:
    """Choose the moment and the question; what was there `then` stands below, once a moment is chosen."""
    asked = rx.el.input(
        type="datetime-local",
        name="at",
        default_value=state.at,
        key=state.at,
        class_name="ctl",
        aria_label="As of",
        custom_attrs={
            "id": "f-at",
            "aria-describedby": "f-at-error",
            "aria-invalid": rx.cond(state.errors.get("at", ""), "true", "false"),
        },
    )
    ways = rx.el.select(
        rx.el.option("as known then", value="known"),
        rx.el.option("as it really was", value="effective"),
        name="way",
        default_value=state.way,
        key=state.way,
        class_name="ctl select",
        aria_label="Which question",
    )
    return rx.fragment(
        forms.form(
            asked, ways, button("Go", submit=True), on_submit=state.travel, turn=state.turn, class_name="travel"
        ),
        forms.fault(state.errors.get("at", "").to(str), "f-at-error"),
        rx.cond(
            state.at_words,
            then,
            rx.el.p("Times are those of ", state.zone, ". ", hint, class_name="meta"),
        ),
    )
