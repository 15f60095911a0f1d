"""Kept views, searching that forgives, and the keys of a list, in a browser at both widths."""

import re
import secrets
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests import factories
from tests.browser.test_pages import serious
from tests.fixtures.browser import Window
from tests.fixtures.server import Person, Site

pytestmark = pytest.mark.browser

Open = Callable[..., Window]


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("ann", "manager")


@pytest.fixture
def stock() -> str:
    """Put three products on the shelf; returns what the search finds them by."""
    mark = f"W{secrets.token_hex(4)}".upper()
    for number in range(3):
        factories.item(factories.product(f"{mark}-{number}", name=f"Washer {mark}").id, quantity=number)
    return mark


def rows(window: Window) -> Locator:
    return window.page.locator("tbody tr[data-state]")


def tab(window: Window, name: str) -> Locator:
    return window.page.get_by_role("navigation", name="Views").get_by_role("link", name=name)


def choose(window: Window, item: str) -> None:
    window.button("Views").click()
    window.page.get_by_role("menuitem", name=item).click()


def test_a_view_is_kept_chosen_changed_shared_and_removed(
    site: Site, ann: Person, stock: str, open_window: Open, axe: str, size: str
):
    name = f"Mine {stock}"
    window = open_window(size)
    window.enter(ann)
    window.goto(f"/inventory?q={stock}&on_hand=1..")
    expect(rows(window)).to_have_count(2)
    choose(window, "Save as a new view…")
    dialog = window.dialog()
    window.button("Save view", within=dialog).click()
    expect(dialog.get_by_text("Please fill this in.")).to_be_visible()
    assert serious(window, axe) == []
    dialog.get_by_label("Name").fill(name)
    window.button("Save view", within=dialog).click()
    expect(dialog).to_be_hidden()
    expect(tab(window, "All items")).to_have_attribute("href", "/inventory")
    expect(tab(window, name)).to_have_attribute("aria-current", "page")
    tab(window, "All items").click()
    expect(window.page).to_have_url(re.compile(r"/inventory$"))
    tab(window, name).click()
    expect(rows(window)).to_have_count(2)
    expect(tab(window, name)).to_have_attribute("aria-current", "page")
    window.page.locator(".chip").get_by_label("Remove filter").click()
    expect(rows(window)).to_have_count(3)
    choose(window, "Save changes")
    expect(window.page.get_by_text(f"Saved the changes to “{name}”")).to_be_visible()
    choose(window, "Share with everybody")
    expect(window.page.get_by_text(f"“{name}” is shared with everybody now")).to_be_visible()
    other = open_window(size)
    other.enter(site.person("bob", "manager"))
    other.goto("/inventory")
    other.button("Views").click()
    assert serious(other, axe) == []
    other.page.get_by_role("menuitemcheckbox", name=name).click()
    expect(rows(other)).to_have_count(3)
    other.button("Views").click()
    expect(other.page.get_by_role("menuitem", name="Begin this list with this view")).to_be_visible()
    expect(other.page.get_by_role("menuitem", name="Remove…")).to_have_count(0)
    other.page.keyboard.press("Escape")
    choose(window, "Remove…")
    window.button("Remove view", within=window.page.get_by_role("alertdialog")).click()
    expect(tab(window, name)).to_have_count(0)
    expect(rows(window)).to_have_count(3)


def test_a_search_that_finds_nothing_shows_what_is_spelt_alike(ann: Person, stock: str, open_window: Open, size: str):
    # Of letters only: a code is like nothing but itself.
    word = "".join(secrets.choice("bdfgklmnprst") + secrets.choice("aeiou") for _ in range(5))
    factories.item(factories.product(f"{stock}-W", name=f"Washer {word}").id, quantity=1)
    window = open_window(size)
    window.enter(ann)
    turned = word[:4] + word[5] + word[4] + word[6:]
    window.goto("/inventory")
    window.page.get_by_role("searchbox", name="Search items").fill(turned)
    said = window.page.get_by_text(f"Nothing is called “{turned}”: this is “{word}”.")
    expect(said).to_be_visible()
    expect(rows(window)).to_have_count(1)
    window.page.get_by_role("searchbox", name="Search items").fill(word)
    expect(said).to_have_count(0)
    expect(rows(window)).to_have_count(1)


def test_a_list_is_gone_through_with_keys(ann: Person, stock: str, open_window: Open, axe: str):
    window = open_window("desk")
    window.enter(ann)
    window.goto(f"/inventory?q={stock}")
    expect(rows(window)).to_have_count(3)
    keys = window.page.keyboard
    keys.press("j")
    expect(rows(window).nth(0)).to_be_focused()
    keys.press("ArrowDown")
    expect(rows(window).nth(1)).to_be_focused()
    keys.press("x")
    expect(window.page.get_by_role("toolbar", name="Selected rows")).to_contain_text("1 selected")
    keys.press("j")
    keys.press("j")
    expect(rows(window).nth(2)).to_be_focused()
    keys.press("k")
    expect(rows(window).nth(1)).to_be_focused()
    assert serious(window, axe) == []
    keys.press("/")
    search = window.page.get_by_role("searchbox", name="Search items")
    expect(search).to_be_focused()
    keys.type("jkx")
    expect(search).to_have_value("jkx")
    keys.press("?")
    expect(search).to_have_value("jkx?")
    search.fill(stock)
    expect(rows(window)).to_have_count(3)
    keys.press("ArrowDown")
    expect(rows(window).nth(0)).to_be_focused()
    keys.press("?")
    expect(window.page.get_by_text("Go through the rows of a list")).to_be_visible()


def test_enter_opens_the_row(site: Site, ann: Person, open_window: Open):
    name = f"{secrets.token_hex(5)} Ltd"
    made = factories.supplier(name, source="staff")
    window = open_window("desk")
    window.enter(ann)
    window.goto(f"/suppliers?q={name.split(maxsplit=1)[0]}")
    expect(rows(window)).to_have_count(1)
    window.page.keyboard.press("j")
    window.page.keyboard.press("Enter")
    window.at(f"/suppliers/{made.id}")
