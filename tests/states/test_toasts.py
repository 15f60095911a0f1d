"""A sentence in a toast is text, whatever it holds."""

import json

import pytest

from inventory_app.http import _requests as http
from inventory_app.states import _toast

# Reflex decodes this in what it is handed: without a number after the tag it never returns.
ENDLESS = "<reflex.Var>x</reflex.Var>"


@pytest.mark.parametrize("tone", ["success", "warning", "error"])
@pytest.mark.parametrize(
    "message", [ENDLESS, "<reflex.Var>5</reflex.Var>", 'a "quoted" \\ line\nand <b>more</b>', "Ende … ü 漢"]
)
def test_a_toast_shows_its_message_and_nothing_else(tone, message):
    function = _toast.toast(tone, message, duration=12_000).payload["function"]
    assert json.dumps(message) in function
    assert "12000" in function


def test_an_address_that_reflex_would_read_as_more_leads_to_the_start_page():
    assert http.local_path(f"/inventory?q={ENDLESS}") == "/"
    assert http.local_path("/inventory?q=%3Creflex.Var%3E") == "/inventory?q=%3Creflex.Var%3E"
