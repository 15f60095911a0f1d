"""What an address leads to that nothing has."""

import reflex as rx

from inventory_app.components import layout
from inventory_app.components.basics import button
from inventory_app.pages._page import page


@page("404", "Page not found", public=True)
def not_found() -> rx.Component:
    """Say so, and lead back."""
    return layout.door(
        rx.el.h1("There is nothing at this address", class_name="h1"),
        rx.el.p("It may be mistyped, or what was here has another address now.", class_name="sub"),
        button("Go to the start page", href="/", tone="solid", wide=True, size="l"),
    )
