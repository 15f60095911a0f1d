"""Receiving, issuing, sending and taking back in a browser, on a desk and on a phone."""

import re
import secrets
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.fixtures.browser import Window
from tests.fixtures.server import Person, Site

pytestmark = pytest.mark.browser

Open = Callable[..., Window]


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("ann", "manager")


@pytest.fixture
def mark() -> str:
    return secrets.token_hex(4)


@pytest.fixture
def window(open_window: Open, size: str, ann: Person) -> Window:
    """Return Ann's window, once as wide as a desk and once as a phone."""
    window = open_window(size)
    window.enter(ann)
    return window


@pytest.fixture
def shelf(site: Site, mark: str) -> None:
    """Put twelve of a product at North; South has none."""
    made = factories.product(f"SKU{mark}".upper(), name=f"Widget {mark}")
    north = factories.location(f"N{mark}".upper(), name=f"North {mark}").id
    factories.location(f"S{mark}".upper(), name=f"South {mark}")
    factories.item(made.id, north, 12)


def act(window: Window, mark: str, action: str) -> None:
    """Choose an entry of a row's menu: on a phone it is the menu of everything the row offers."""
    window.goto(f"/inventory?q={mark}")
    row = window.row(f"SKU{mark}".upper())
    row.hover()
    names = "^What can be done with" if window.is_phone else "^Receive, issue, send or reserve"
    row.get_by_role("button", name=re.compile(names)).click()
    window.page.get_by_role("menuitem", name=action, exact=True).click()
    expect(window.dialog()).to_be_visible()


def test_a_receipt_is_shown_while_one_types_and_undone_from_its_toast(shelf: None, window: Window, mark: str):
    act(window, mark, "Receive")
    dialog = window.dialog()
    window.fill(dialog, quantity="30", unit_cost="2.5", reason_code="delivered")
    expect(dialog.locator(".mini tbody tr")).to_have_text(re.compile(rf"North {mark}\s*12 pcs\s*\+30\s*42 pcs"))
    window.button("Receive", within=dialog).click()
    toast = window.page.locator("[data-sonner-toast]").filter(has_text="12 pcs → 42 pcs")
    expect(window.row(f"SKU{mark}".upper())).to_contain_text("42")
    toast.get_by_role("button", name="Undo").click()
    window.toast(f"Took back 30 pcs Widget {mark}")
    expect(window.row(f"SKU{mark}".upper())).to_contain_text("12")


def test_what_is_reserved_is_not_there_to_issue(shelf: None, window: Window, mark: str):
    act(window, mark, "Reserve")
    window.fill(window.dialog(), quantity="8", until="2099-01-01", reference="Order 7")
    window.button("Reserve", within=window.dialog()).click()
    expect(window.dialog().locator(".field-error").filter(visible=True)).to_contain_text("next twelve months")
    window.fill(window.dialog(), until=window.page.evaluate("new Date(Date.now() + 864e5).toISOString().slice(0, 10)"))
    window.button("Reserve", within=window.dialog()).click()
    window.toast(f"Reserved 8 pcs Widget {mark}")
    act(window, mark, "Issue")
    dialog = window.dialog()
    expect(dialog).to_contain_text("12 pcs on hand, 4 pcs available")
    window.fill(dialog, quantity="5")
    expect(dialog.locator(".field-error").filter(visible=True)).to_contain_text("Only 4 pcs of")
    expect(window.page.locator("[data-sonner-toast]").filter(has_text="Only 4 pcs of")).to_have_count(0)
    window.fill(dialog, quantity="4", reason_code="sold")
    window.button("Issue", within=dialog).click()
    window.toast("12 pcs → 8 pcs")


def test_a_dialog_that_was_left_open_is_closed_on_the_next_page(shelf: None, window: Window, mark: str):
    act(window, mark, "Issue")
    window.goto("/shipments")
    expect(window.dialog()).to_have_count(0)
    window.goto(f"/inventory?q={mark}")
    expect(window.row(f"SKU{mark}".upper())).to_be_visible()
    expect(window.dialog()).to_have_count(0)


def test_a_shipment_goes_and_arrives_in_part(shelf: None, window: Window, mark: str):
    act(window, mark, "Send")
    dialog = window.dialog()
    south = dialog.locator("[name=to_location_id] option").filter(has_text=f"South {mark}")
    dialog.locator("[name=to_location_id]").select_option(south.get_attribute("value"))
    window.fill(dialog, quantity="4")
    window.button("Send", within=dialog).click()
    window.toast("on their way")
    window.goto("/shipments")
    window.page.get_by_role("button", name=f"Accept Widget {mark}").click()
    window.fill(window.dialog(), accepted="3")
    window.button("Accept", within=window.dialog()).click()
    window.toast("1 pcs were lost on the way")
    window.goto("/shipments?status=accepted")
    expect(window.row(f"Widget {mark}")).to_be_visible()


def test_many_items_are_changed_as_one_set_looked_at_applied_and_taken_back(shelf: None, window: Window, mark: str):
    window.goto(f"/inventory?q={mark}")
    row = window.row(f"SKU{mark}".upper())
    row.locator("input.check").click()
    window.button("Change quantities").click()
    window.fill(window.dialog(), value="-20", reason="Damp")
    window.button("Show the difference", within=window.dialog()).click()
    expect(window.page).to_have_url(re.compile(r"/changes/\d+$"))
    expect(window.page.get_by_text("less than nothing would be left")).to_be_visible()
    window.button("Discard").click()
    expect(window.page.get_by_text("Discarded", exact=True).first).to_be_visible()
    window.goto(f"/inventory?q={mark}")
    # What was selected stays so while the same rows are listed.
    box = window.row(f"SKU{mark}".upper()).locator("input.check")
    if not box.is_checked():
        box.click()
    expect(box).to_be_checked()
    window.button("Change quantities").click()
    window.fill(window.dialog(), value="-2", reason="Damp")
    window.button("Show the difference", within=window.dialog()).click()
    expect(window.page.locator("tbody tr").first).to_contain_text("10 pcs")
    window.button("Apply 1 change").click()
    expect(window.page.get_by_text("Applied", exact=True).first).to_be_visible()
    window.button("Take back…").click()
    window.button("Take it back", within=window.dialog()).click()
    expect(window.page.get_by_text("Taken back", exact=True).first).to_be_visible()
    window.goto(f"/inventory?q={mark}")
    expect(window.row(f"SKU{mark}".upper())).to_contain_text("12")
