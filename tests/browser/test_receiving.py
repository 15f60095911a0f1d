"""Receiving in a browser, at a desk and with a phone at the dock: scan, count, book; take back and send back."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from inventory_app.operations._barcodes import check_digit
from tests import factories
from tests.fixtures.browser import Window
from tests.fixtures.server import Person, Site
from tests.operations.ordered import Ordered, ordered

pytestmark = pytest.mark.browser

Open = Callable[..., Window]


@dataclass(frozen=True)
class Delivery:
    """Two orders that wait for bolts; the first also for milk, by lot."""

    first: Ordered
    second: Ordered
    bolt: str
    milk: str


def barcode() -> str:
    digits = f"400{secrets.randbelow(10**9):09d}"
    return f"{digits}{check_digit(digits)}"


@pytest.fixture
def clerk(site: Site) -> Person:
    """Return who receives goods, and sees no prices."""
    return site.person("clerk", "employee")


@pytest.fixture
def window(open_window: Open, size: str, clerk: Person) -> Window:
    """Return the clerk's window, once as wide as a desk and once as a phone."""
    window = open_window(size)
    window.enter(clerk)
    return window


@pytest.fixture
def delivery(site: Site) -> Delivery:
    mark = secrets.token_hex(3).upper()
    bolt, milk = barcode(), barcode()
    bolts = factories.product(f"BOLT{mark}", name=f"Bolt {mark}", barcode=bolt).id
    milks = factories.product(f"MILK{mark}", name=f"Milk {mark}", barcode=milk, lots_kept=True).id
    line = {"product_id": bolts, "quantity": Decimal(6), "description": "Bolt M4"}
    first = ordered(
        line, {"product_id": milks, "quantity": Decimal(5), "description": "Milk"}, {"quantity": Decimal(1)}
    )
    return Delivery(first, ordered(line), bolt, milk)


def scan(window: Window, code: str) -> None:
    """Do as a scanner does: type quickly, and press Enter."""
    field = window.page.locator("[data-scan]")
    field.fill(code)
    field.press("Enter")


def small_targets(window: Window) -> list[str]:
    """Return what is too small for a thumb."""
    return window.page.evaluate(
        """() => [...document.querySelectorAll("main .btn, main .ctl, main .icon-btn")]
          .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44)
          .map((one) => one.outerHTML.slice(0, 120))"""
    )


def test_a_delivery_is_scanned_counted_and_booked(window: Window, delivery: Delivery):
    window.goto("/receive")
    scan(window, "4006381333931x")
    expect(window.page.get_by_role("status").filter(has_text="No product has this barcode")).to_be_visible()
    scan(window, delivery.bolt)
    expect(window.page.get_by_text("2 open orders wait for Bolt")).to_be_visible()
    window.page.get_by_role("link", name=re.compile(delivery.first.number)).click()
    expect(window.page).to_have_url(re.compile(rf"/orders/{delivery.first.id}/receive"))
    bolts = window.page.get_by_label("Came of Bolt M4")
    # What was scanned to find the order is the first one of it.
    expect(bolts).to_have_value("1")
    scan(window, delivery.bolt)
    expect(bolts).to_have_value("2")
    expect(window.page.get_by_text("Bolt M4: 2 of 6 pcs")).to_be_visible()
    bolts.fill("5")
    scan(window, delivery.bolt)
    expect(bolts).to_have_value("6")
    if window.is_phone:
        assert small_targets(window) == []
    scan(window, delivery.milk)
    milk = window.page.get_by_label("Came of Milk")
    expect(milk).to_have_value("1")
    window.page.get_by_label("Delivery note").fill("DN-77")
    window.button("Book what came").click()
    expect(window.page.locator(".field-error").filter(visible=True)).to_contain_text("kept by lot: enter its lot")
    # What was typed stays.
    expect(bolts).to_have_value("6")
    window.page.get_by_label("Lot", exact=True).fill("A1")
    window.button("Book what came").click()
    expect(window.page).to_have_url(re.compile(r"/receipts/\d+$"))
    window.toast(f"2 lines received for {delivery.first.number}")
    expect(window.page.get_by_text("DN-77")).to_be_visible()
    expect(window.page.get_by_text(re.compile("lot A1"))).to_be_visible()


def test_several_lots_of_a_line_come_to_another_place(window: Window, delivery: Delivery):
    west = factories.location(f"W{secrets.token_hex(3)}".upper(), name="West").id
    window.goto(f"/orders/{delivery.first.id}/receive")
    window.button("Another lot").click()
    milk = window.page.get_by_label("Came of Milk")
    expect(milk).to_have_count(2)
    milk.nth(0).fill("2")
    milk.nth(1).fill("3")
    lots = window.page.get_by_label("Lot", exact=True)
    lots.nth(0).fill("A1")
    lots.nth(1).fill("B2")
    window.page.get_by_label("Where").nth(1).select_option(str(west))
    window.button("Book what came").click()
    expect(window.page).to_have_url(re.compile(r"/receipts/\d+$"))
    expect(window.page.get_by_text("West, lot A1")).to_be_visible()
    expect(window.page.get_by_text(re.compile("Dock .*, lot B2"))).to_be_visible()


def test_more_than_was_ordered_is_refused_beside_its_line(window: Window, delivery: Delivery):
    window.goto(f"/orders/{delivery.second.id}/receive")
    window.button("All of it").click()
    bolts = window.page.get_by_label("Came of Bolt M4")
    expect(bolts).to_have_value("6")
    bolts.fill("7")
    window.button("Book what came").click()
    expect(window.page.locator(".field-error").filter(visible=True)).to_contain_text(
        "Line 1 (Bolt M4): 6 pcs can still come (6 ordered, 0 came); you entered 7."
    )


def test_a_receipt_is_sent_back_in_part_and_a_wrong_one_taken_back(window: Window, delivery: Delivery):
    window.goto(f"/orders/{delivery.second.id}/receive")
    window.button("All of it").click()
    expect(window.page.get_by_label("Came of Bolt M4")).to_have_value("6")
    window.button("Book what came").click()
    expect(window.page).to_have_url(re.compile(r"/receipts/\d+$"))
    window.button("Send back").click()
    dialog = window.dialog()
    dialog.get_by_label("Send back of Bolt M4").fill("9")
    window.fill(dialog, note="wrong thread")
    window.button("Send back", within=dialog).click()
    expect(dialog.locator(".field-error").filter(visible=True)).to_contain_text("only 6 pcs of Bolt")
    dialog.get_by_label("Send back of Bolt M4").fill("2")
    window.button("Send back", within=dialog).click()
    window.toast("Sent back with GR-")
    window.goto("/receipts?kind=return")
    window.page.get_by_role("link", name=re.compile("^GR-")).first.click()
    expect(window.page.get_by_text("wrong thread").first).to_be_visible()
    window.button("Take back").click()
    window.fill(window.dialog(), note="it was right after all")
    window.button("Take back", within=window.dialog()).click()
    window.toast("Taken back by GR-")
    expect(window.page.get_by_text("It does not count any more.")).to_be_visible()
    # Prices are not for who receives.
    expect(window.page.get_by_role("columnheader", name="Cost")).to_have_count(0)


def test_an_order_of_which_everything_has_come_says_so(window: Window, delivery: Delivery):
    window.goto(f"/orders/{delivery.second.id}/receive")
    window.button("All of it").click()
    window.button("Book what came").click()
    expect(window.page).to_have_url(re.compile(r"/receipts/\d+$"))
    window.goto(f"/orders/{delivery.second.id}/receive")
    expect(window.page.get_by_text(f"Everything of {delivery.second.number} has come.")).to_be_visible()
    window.goto("/orders/999999/receive")
    expect(window.page.get_by_text("There is no such order")).to_be_visible()
