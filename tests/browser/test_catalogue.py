"""The catalogue in a browser: a product from its first entry to the archive, trees, lots, terms and files."""

import io
import re
import secrets
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import expect

from inventory_app.operations._barcodes import check_digit
from tests import factories
from tests.fixtures.browser import Window
from tests.fixtures.server import Person, Site

pytestmark = pytest.mark.browser

Open = Callable[..., Window]
_PRODUCT = re.compile(r"/products/\d+/?$")


@pytest.fixture
def mark() -> str:
    return f"C{secrets.token_hex(4)}".upper()


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("ann", "manager")


def barcode() -> str:
    digits = "29" + "".join(str(secrets.randbelow(10)) for _ in range(10))
    return f"{digits}{check_digit(digits)}"


def enter(window: Window, ann: Person, address: str) -> None:
    window.enter(ann)
    window.goto(address)


def test_a_product_is_added_scanned_corrected_archived_and_restored(
    ann: Person, mark: str, open_window: Open, size: str
):
    window, code = open_window(size), barcode()
    enter(window, ann, "/products")
    window.button("New product").first.click()
    dialog = window.dialog()
    window.fill(dialog, sku=mark, name=f"Hammer {mark}", barcode=code[:-1] + str((int(code[-1]) + 1) % 10))
    window.button("Add the product", within=dialog).click()
    expect(dialog.get_by_text("One digit is wrong")).to_be_visible()
    window.fill(dialog, barcode=code, reorder_point="20")
    window.button("Add the product", within=dialog).click()
    window.page.wait_for_url(_PRODUCT)
    window.ready()
    expect(window.page.get_by_role("heading", level=1)).to_contain_text(f"Hammer {mark}")
    address = window.page.url
    # Scanned into the search, and into the palette.
    window.goto("/products")
    window.page.get_by_role("searchbox", name="Search products").fill(code)
    window.page.wait_for_url(_PRODUCT)
    window.ready()
    assert window.page.url == address
    window.goto("/")
    # As a scanner types: Enter comes before any answer can.
    window.button("Scan").click()
    window.page.get_by_label("A page, product, place, supplier, order or person").fill(code)
    window.page.keyboard.press("Enter")
    window.page.wait_for_url(_PRODUCT)
    window.ready()
    window.button("Correct").first.click()
    window.fill(window.dialog(), name=f"Claw hammer {mark}")
    window.button("Save the corrections", within=window.dialog()).click()
    expect(window.page.get_by_role("heading", level=1)).to_contain_text(f"Claw hammer {mark}")
    window.button("Archive").click()
    window.button("Archive it", within=window.dialog()).click()
    expect(window.page.locator(".page-head").get_by_text("Archived")).to_be_visible()
    window.button("Restore").click()
    expect(window.button("Archive")).to_be_visible()


def test_a_location_is_put_into_another_and_closed_when_it_is_empty(
    site: Site, ann: Person, mark: str, open_window: Open, size: str
):
    hall = factories.location(f"{mark}-H", name=f"Hall {mark}").id
    factories.item(None, hall, 3)
    window = open_window(size)
    enter(window, ann, "/locations")

    def menu(name: str, action: str) -> None:
        window.goto("/locations")
        row = window.row(name)
        row.hover()
        row.get_by_role("button", name=re.compile("^What can be done")).click()
        item = window.page.get_by_role("menuitem", name=action)
        item.click()
        expect(item).to_have_count(0)

    menu(f"Hall {mark}", "New location in it…")
    dialog = window.dialog()
    dialog.locator("[name=code]").fill(f"{mark}-R")
    dialog.locator("[name=name]").fill(f"Row {mark}")
    window.button("Add the location", within=dialog).click()
    expect(window.row(f"Row {mark}").locator(".depth-1")).to_be_visible()
    menu(f"Hall {mark}", "Close")
    window.toast(f"Row {mark} stands in it and is in use")
    menu(f"Row {mark}", "Close")
    expect(window.row(f"Row {mark}").get_by_text("Closed")).to_be_visible()
    menu(f"Hall {mark}", "Close")
    window.toast("Move it out first.")


def test_lots_terms_and_files_of_a_product(site: Site, ann: Person, mark: str, open_window: Open, size: str):
    made = factories.product(mark, name=f"Milk {mark}", lots_kept=True).id
    factories.supplier(f"Dairy {mark}")
    window = open_window(size)
    enter(window, ann, f"/products/{made}")
    window.button("New lot").click()
    dialog = window.dialog()
    dialog.locator("[name=code]").fill(f"L-{mark}")
    dialog.locator("[name=expires_on]").fill("2020-01-31")
    window.button("Add the lot", within=dialog).click()
    expect(window.row(f"L-{mark}").get_by_text("Expired").locator("visible=true")).to_be_visible()
    window.button("New terms").click()
    dialog = window.dialog()
    dialog.locator("[name=supplier]").fill(f"Dairy {mark}")
    dialog.locator("[name=pack_size]").fill("12")
    window.button("Enter the terms", within=dialog).click()
    expect(window.row(f"Dairy {mark}").get_by_text("12 pcs").locator("visible=true")).to_be_visible()
    window.page.get_by_text("Add a picture or document").click()
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(out, "PNG")
    sent = {"name": "milk.png", "mimeType": "image/png", "buffer": out.getvalue()}
    window.page.locator("#f-file").set_input_files(files=[sent])
    window.button("Add it").click()
    shown = window.page.get_by_role("img", name="milk.webp")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 60
    window.button("Remove milk.webp").click()
    window.button("Remove it").click()
    expect(shown).to_have_count(0)
    window.goto(f"/lots?q={mark}")
    expect(window.row(f"L-{mark}")).to_contain_text("31 Jan 2020")
