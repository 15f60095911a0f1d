"""Lists in a browser: the address holds the view, whatever is done, and the back button knows it."""

import re
import secrets
from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import Locator, expect

from tests import factories
from tests.fixtures.browser import Window
from tests.fixtures.server import Person, Site

pytestmark = pytest.mark.browser

Open = Callable[..., Window]


@pytest.fixture
def mark() -> str:
    return f"L{secrets.token_hex(4)}".upper()


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("ann", "manager")


@pytest.fixture
def stock(site: Site, mark: str) -> str:
    """Put thirty products at two places; returns what the search finds them by."""
    north, south = (factories.location(f"{mark}-{side}", name=f"{side} {mark}").id for side in ("North", "South"))
    for number in range(30):
        made = factories.product(f"{mark}-{number:02}", unit_cost=Decimal(number))
        factories.item(made.id, south if number % 3 else north, quantity=number)
    return mark


def skus(window: Window) -> list[str]:
    return re.findall(r"L[0-9A-F]{8}-(\d\d)", " ".join(window.page.locator("tbody tr .id").all_inner_texts()))


def rows(window: Window) -> Locator:
    return window.page.locator("tbody tr[data-state]")


def head(window: Window, name: str) -> Locator:
    return window.page.get_by_role("columnheader", name=name, exact=True)


def narrow_down(window: Window, **fields: str) -> Locator:
    """Fill the form of filters."""
    window.button("Filter").click()
    dialog = window.dialog()
    for name, value in fields.items():
        dialog.locator(f"[name='{name.replace('_from', ':from').replace('_to', ':to')}']").fill(value)
    return dialog


def test_what_is_narrowed_down_is_in_the_address_and_comes_back(
    site: Site, ann: Person, stock: str, open_window: Open, size: str
):
    window = open_window(size)
    window.enter(ann)
    window.goto("/inventory")
    window.page.get_by_role("searchbox", name="Search items").fill(stock)
    window.at(f"/inventory?q={stock}")
    expect(rows(window)).to_have_count(30)
    dialog = narrow_down(window, on_hand_from="10", on_hand_to="9")
    window.button("Show them", within=dialog).click()
    expect(dialog.get_by_text("Enter 10 or more, or leave it empty.")).to_be_visible()
    dialog.locator("[name='on_hand:to']").fill("20")
    dialog.get_by_text(f"North {stock}").click()
    window.button("Show them", within=dialog).click()
    expect(rows(window)).to_have_count(3)
    expect(dialog).to_be_hidden()
    narrowed = window.page.url
    assert "on_hand=10..20" in narrowed
    expect(window.page.locator(".chip")).to_have_count(2)
    expect(window.page.locator(".chip").filter(has_text="10 to 20")).to_be_visible()
    window.page.go_back()
    expect(rows(window)).to_have_count(30)
    expect(window.page.locator(".chip")).to_have_count(0)
    window.page.go_forward()
    expect(rows(window)).to_have_count(3)
    # A bookmark, in another window.
    other = open_window(size)
    other.enter(ann)
    other.goto(narrowed.removeprefix(site.origin))
    expect(rows(other)).to_have_count(3)
    other.page.locator(".chip", has_text="10 to 20").get_by_label("Remove filter").click()
    expect(rows(other)).to_have_count(10)


def test_the_order_and_the_pages_are_in_the_address(ann: Person, stock: str, open_window: Open, size: str):
    window = open_window(size)
    window.enter(ann)
    window.goto(f"/inventory?q={stock}&size=25&sort=on_hand&dir=desc")
    expect(rows(window)).to_have_count(25)
    assert skus(window)[:2] == ["29", "28"]
    window.page.get_by_role("link", name="Next").click()
    expect(rows(window)).to_have_count(5)
    assert skus(window)[-1] == "00"
    if window.is_phone:
        window.button("Order by On hand").click()
        window.page.get_by_role("menuitemcheckbox", name="SKU").click()
        window.page.keyboard.press("Escape")
    else:
        head(window, "SKU").get_by_role("link").click()
    expect(head(window, "SKU")).to_have_attribute("aria-sort", "ascending")
    expect(rows(window)).to_have_count(25)
    assert skus(window)[0] == "00"
    window.page.go_back()
    window.page.get_by_role("link", name="Previous").click()
    expect(rows(window)).to_have_count(25)
    assert skus(window)[0] == "29"


def test_columns_are_chosen_and_stay_chosen(ann: Person, stock: str, open_window: Open):
    window = open_window("desk")
    window.enter(ann)
    window.goto(f"/inventory?q={stock}")
    expect(head(window, "Supplier")).to_be_visible()
    expect(head(window, "Category")).to_have_count(0)
    window.button("Columns").click()
    window.page.get_by_role("menuitemcheckbox", name="Category").click()
    expect(head(window, "Category")).to_be_visible()
    # The menu stays for the next one.
    window.page.get_by_role("menuitemcheckbox", name="Supplier").click()
    expect(head(window, "Supplier")).to_have_count(0)
    window.page.keyboard.press("Escape")
    window.page.reload()
    window.ready()
    expect(head(window, "Category")).to_be_visible()
    expect(head(window, "Supplier")).to_have_count(0)


def test_a_selection_reaches_over_the_pages_and_ends_with_another_search(
    ann: Person, stock: str, open_window: Open, size: str
):
    window = open_window(size)
    window.enter(ann)
    window.goto(f"/inventory?q={stock}&size=25")
    expect(rows(window)).to_have_count(25)
    bar = window.page.get_by_role("toolbar", name="Selected rows")
    rows(window).nth(1).get_by_role("checkbox").click()
    window.page.get_by_role("link", name="Next").click()
    expect(rows(window)).to_have_count(5)
    rows(window).nth(0).get_by_role("checkbox").click()
    expect(bar).to_contain_text("2 selected")
    if not window.is_phone:
        window.page.get_by_label("Select all rows on this page").click()
        expect(bar).to_contain_text("6 selected")
        window.button("Select all 30 that match", within=bar).click()
        expect(bar).to_contain_text("All 30 that match selected")
        window.button("Count", within=bar).click()
        expect(window.dialog().locator(".count-line")).to_have_count(30)
        window.page.keyboard.press("Escape")
    window.page.get_by_role("searchbox", name="Search items").fill(f"{stock}-1")
    expect(rows(window)).to_have_count(10)
    expect(bar).to_have_count(0)
