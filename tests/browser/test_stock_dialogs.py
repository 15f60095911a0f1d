"""Counting, moving and finding stock in a browser: what stands where before anything is sent."""

import re
import secrets
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from inventory_app.models.catalog import Category
from tests import factories
from tests.browser.test_main_job import act
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
    """Put twelve of one product and three of another at North; South has none of either."""
    metal = factories.add(Category(code=f"M{mark}".upper(), name=f"Metal {mark}")).id
    first = factories.product(f"SKU{mark}".upper(), name=f"Widget {mark}", category_id=metal, reorder_point=20)
    second = factories.product(f"TKU{mark}".upper(), name=f"Gadget {mark}")
    north = factories.location(f"N{mark}".upper(), name=f"North {mark}").id
    factories.location(f"S{mark}".upper(), name=f"South {mark}")
    factories.item(first.id, north, 12)
    factories.item(second.id, north, 3)


def apart(one: Locator, other: Locator) -> bool:
    """Tell whether two things on the screen do not lie over each other."""
    a, b = one.bounding_box(), other.bounding_box()
    assert a
    assert b
    beside = a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
    return beside or a["y"] + a["height"] <= b["y"] or b["y"] + b["height"] <= a["y"]


def test_a_transfer_shows_both_sides_while_one_types_and_asks_for_a_reason(shelf: None, window: Window, mark: str):
    sku = f"SKU{mark}".upper()
    window.goto(f"/inventory?q={sku}")
    act(window, sku, "Transfer")
    dialog = window.dialog()
    south = dialog.locator("[name=to_location_id] option").filter(has_text=f"South {mark}")
    dialog.locator("[name=to_location_id]").select_option(south.get_attribute("value"))
    window.fill(dialog, quantity="3")
    here, there = (dialog.locator(".mini tbody tr").nth(number) for number in (0, 1))
    expect(here).to_have_text(re.compile(rf"North {mark}\s*12 pcs\s*−3\s*9 pcs"))
    expect(there).to_have_text(re.compile(rf"South {mark}\s*0 pcs\s*\+3\s*3 pcs"))
    window.fill(dialog, quantity="13")
    expect(here).to_contain_text("not possible")
    expect(dialog.locator("#f-quantity-error")).to_contain_text("Only 12 pcs")
    window.fill(dialog, quantity="3")
    expect(dialog.locator("#f-quantity-error")).to_be_hidden()
    button = dialog.get_by_role("button", name="Transfer 3 pcs")
    button.click()
    expect(dialog.locator("#f-reason_code-error")).to_have_text("Choose a reason.")
    expect(dialog.locator("[name=reason_code]")).to_have_value("")
    window.fill(dialog, reason_code="relocated")
    button.click()
    window.toast("Moved 3 pcs")
    # What is low is said of the product, wherever it is.
    window.goto(f"/inventory?q=SKU{mark}")
    for row in (window.row(f"North {mark}"), window.row(f"South {mark}")):
        expect(row.locator(".word")).to_have_text("Low")
        expect(row.get_by_text("12 pcs in all").filter(visible=True)).to_be_visible()


def test_a_count_starts_empty_and_every_bad_row_says_what_is_wrong_with_it(shelf: None, window: Window, mark: str):
    window.goto(f"/inventory?q={mark}")
    for sku in ("SKU", "TKU"):
        box = window.page.get_by_role("checkbox", name=re.compile(f"^Select {sku}{mark.upper()}"))
        box.click()
        expect(box).to_be_checked()
    window.button("Count", within=window.page.get_by_role("toolbar", name="Selected rows")).click()
    dialog = window.dialog()
    lines = [dialog.locator(".count-line").filter(has_text=name) for name in (f"Widget {mark}", f"Gadget {mark}")]
    for line, held in zip(lines, ("12pcs", "3pcs"), strict=True):
        expect(line.locator("input.ctl")).to_have_value("")
        expect(line.locator(".count-now")).to_contain_text(held)
    save = window.button("Save the counts", within=dialog)
    save.click()
    expect(dialog.get_by_role("alert")).to_contain_text("Nothing is counted yet")
    expect(dialog.locator("#f-reason_code-error")).to_have_text("Choose a reason.")
    window.fill(dialog, reason_code="counted")
    lines[0].locator("input.ctl").fill("1e2")
    lines[1].locator("input.ctl").fill("0.5")
    save.click()
    expect(lines[0].locator(".field-error")).to_have_text(re.compile("Enter a number such as 12 or 12.5."))
    expect(lines[1].locator(".field-error")).to_have_text(re.compile("Pcs are counted with whole numbers only."))
    expect(window.page.locator("[data-sonner-toast]")).to_have_count(0)
    lines[0].locator("input.ctl").fill("11")
    lines[1].locator("input.ctl").fill("")
    save.click()
    window.toast("Updated 1 of 1 items")


def test_a_message_covers_neither_the_pager_nor_the_buttons_of_a_dialog(shelf: None, window: Window, mark: str):
    window.goto(f"/inventory?q={mark}")
    act(window, f"SKU{mark}".upper(), "Adjust")
    window.fill(window.dialog(), quantity="2", reason_code="found")
    window.button("Adjust", within=window.dialog()).click()
    toast = window.page.locator("[data-sonner-toast]").filter(has_text="12 pcs → 14 pcs")
    expect(toast).to_be_visible()
    for covered in (window.page.locator(".pager"), window.page.locator(".tabbar")):
        assert not covered.is_visible() or apart(toast, covered)
    window.button("New item").first.click()
    expect(window.dialog()).to_be_visible()
    for button in window.dialog().locator("button").all():
        assert apart(toast, button)


def test_a_product_is_found_by_the_name_of_its_category(shelf: None, window: Window, mark: str):
    window.goto("/inventory")
    window.page.get_by_role("searchbox", name="Search items").fill(f"metal {mark}")
    window.at(f"/inventory?q=metal+{mark}")
    # The category was made by another process, which the server may hear of two seconds later (`_remembered.py`).
    for _ in range(20):
        if window.row(f"Widget {mark}").is_visible():
            break
        window.goto(f"/inventory?q=metal+{mark}")
    expect(window.row(f"Widget {mark}")).to_be_visible()
    expect(window.page.locator("tbody tr")).to_have_count(1)


def test_the_icons_in_the_head_of_the_phone_have_names_and_say_them(ann: Person, open_window: Open):
    window = open_window("phone")
    window.enter(ann)
    window.goto("/inventory")
    for name in ("Import", "Locations", "New item"):
        icon = window.page.get_by_label(name, exact=True).first
        expect(icon).to_be_visible()
        icon.hover()
        expect(window.page.get_by_role("tooltip")).to_have_text(name)


def test_an_employee_is_not_asked_for_what_only_who_sees_prices_may_set(site: Site, open_window: Open):
    window = open_window()
    window.enter(site.person("eve", "employee"))
    window.goto("/inventory")
    window.button("New item").first.click()
    expect(window.dialog().locator("[name=reorder_point]")).to_be_visible()
    for name in ("unit_cost", "unit_price"):
        expect(window.dialog().locator(f"[name={name}]")).to_have_count(0)
