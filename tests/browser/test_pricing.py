"""Prices as people change them: one now, one later, many as a set that is looked at first and taken back."""

import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.fixtures.browser import SIZES, Window
from tests.fixtures.server import Site

pytestmark = pytest.mark.browser

Open = Callable[..., Window]


@pytest.fixture
def parts(site: Site) -> str:
    """Make three products of their own; returns what the search finds them by."""
    word = f"PART{secrets.token_hex(3)}".upper()
    for number in range(3):
        factories.product(f"{word}-{number}", name=f"{word} {number}", unit_price=Decimal(10))
    return word


@pytest.mark.parametrize("size", SIZES)
def test_a_price_is_changed_planned_and_cancelled(site: Site, open_window: Open, parts: str, size: str):
    window = open_window(size)
    window.enter(site.person("ann", "manager"))
    window.goto(f"/pricing?q={parts}-0")
    _open(window, "Change the price")
    window.fill(window.dialog(), new_price="-1")
    window.button("Change the price", within=window.dialog()).click()
    expect(window.dialog().locator(".field-error").first).to_be_visible()
    window.fill(window.dialog(), new_price="12.50", reason="Steel")
    window.button("Change the price", within=window.dialog()).click()
    expect(window.dialog()).to_have_count(0)
    expect(window.row(parts)).to_contain_text("12.50")
    _open(window, "Change the price")
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    window.fill(window.dialog(), new_price="14", valid_from=tomorrow.isoformat())
    window.button("Change the price", within=window.dialog()).click()
    expect(window.dialog()).to_have_count(0)
    _open(window, "Price history")
    expect(window.dialog()).to_contain_text("14.00 USD")
    expect(window.dialog()).to_contain_text("+25.0 %")
    window.page.keyboard.press("Escape")
    window.goto("/pricing/planned")
    window.button(f"Cancel the planned price of {parts} 0").click()
    window.button("Cancel it", within=window.page.get_by_role("alertdialog")).click()
    expect(window.page.get_by_text(f"{parts} 0", exact=True)).to_have_count(0)


def _open(window: Window, action: str) -> None:
    row = window.page.locator("tbody tr").first
    row.hover()
    if window.is_phone:
        row.get_by_role("button", name=re.compile("^What can be done")).click()
        window.page.get_by_role("menuitem", name=action).click()
    else:
        window.button(action, within=row).click()
    expect(window.dialog()).to_be_visible()


def test_many_prices_are_looked_at_applied_and_taken_back(site: Site, open_window: Open, parts: str):
    window = open_window("desk")
    window.enter(site.person("ann", "manager"))
    window.goto(f"/pricing?q={parts}")
    expect(window.page.locator("tbody tr")).to_have_count(3)
    window.page.locator("thead input.check").click()
    window.button("Change prices").click()
    window.fill(window.dialog(), value="5", reason="Steel")
    window.button("Show the difference", within=window.dialog()).click()
    expect(window.page).to_have_url(re.compile(r"/changes/\d+$"))
    expect(window.page.locator("tbody tr")).to_have_count(3)
    expect(window.page.locator("tbody tr").first).to_contain_text("10.50 USD")
    window.button("Apply 3 changes").click()
    expect(window.page.get_by_text("Applied", exact=True).first).to_be_visible()
    window.button("Take back…").click()
    window.button("Take it back", within=window.dialog()).click()
    expect(window.page.get_by_text("Taken back", exact=True).first).to_be_visible()
    window.goto(f"/pricing?q={parts}")
    expect(window.page.locator("tbody tr").first).to_contain_text("10.00")


def test_the_same_is_set_for_many_products_and_what_changed_meanwhile_is_shown(
    site: Site, open_window: Open, parts: str
):
    window = open_window("desk")
    window.enter(site.person("ann", "manager"))
    sets: list[str] = []
    for reorder_point in ("5", "6"):
        window.goto(f"/pricing?q={parts}")
        # What was selected stays so while the same rows are listed.
        every = window.page.locator("thead input.check")
        if not every.is_checked():
            every.click()
        expect(every).to_be_checked()
        window.button("Change the products").click()
        window.fill(window.dialog(), field="reorder_point")
        expect(window.dialog().locator("input[name=value]")).to_be_visible()
        window.fill(window.dialog(), value=reorder_point)
        window.button("Show the difference", within=window.dialog()).click()
        expect(window.page).to_have_url(re.compile(r"/changes/\d+$"))
        expect(window.page.locator("tbody tr").first).to_contain_text(f"{reorder_point} pcs")
        sets.append(window.page.url)
    window.button("Apply 3 changes").click()
    expect(window.page.get_by_text("Applied", exact=True).first).to_be_visible()
    window.page.goto(sets[0])
    expect(window.page.get_by_text("3 changes cannot be made").first).to_be_visible()
    expect(window.page.locator("tbody tr").first).to_contain_text("was changed meanwhile: it is 6 pcs now")
    window.button("Discard").click()
    expect(window.page.get_by_text("Discarded", exact=True).first).to_be_visible()
