"""Invoices in a browser: copying one from its order, reading why it is blocked, releasing it, and a credit note."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from inventory_app.context import acting_as
from tests import factories
from tests.browser.test_pages import serious, too_wide
from tests.fixtures.browser import Window
from tests.fixtures.server import Person, Site
from tests.operations.papers import Want, came, line, order, paper, record, status

pytestmark = pytest.mark.browser

Open = Callable[..., Window]


@pytest.fixture
def cleo(site: Site) -> Person:
    return site.person("cleo", "accountant")


@pytest.fixture
def mark() -> str:
    return secrets.token_hex(4)


def shot(window: Window, name: str) -> None:
    """Leave a picture where one is asked for."""
    if folder := os.environ.get("PICTURES"):
        window.page.screenshot(path=Path(folder) / f"{name}-{window.size}.png", full_page=True)


def test_an_invoice_is_copied_from_its_order_blocked_and_released_by_somebody_else(
    site: Site, cleo: Person, open_window: Open, axe: str, size: str, mark: str
):
    acme = factories.supplier(f"Acme {mark}", status="approved").id
    placed = order(acme, Want(40, "9.20", received=40), Want(60, 10, received=30), Want(30, "12.50"))
    window = open_window(size)
    window.enter(cleo)
    window.goto(f"/invoices/new?order={placed.id}")
    expect(window.page.locator(".paper-lines li")).to_have_count(2)
    expect(window.page.locator(".paper-totals")).to_contain_text("668.00")
    quantity = window.page.locator("[name='quantity:2']")
    expect(quantity).to_have_value("30")
    window.fill(**{"number": f"SB-{mark}", "invoice_date": "2026-11-20", "gross": "700", "quantity:2": "40"})
    quantity.press("Tab")
    expect(window.page.locator(".paper-totals")).to_contain_text("768.00")
    assert too_wide(window) == []
    assert serious(window, axe) == []
    shot(window, "form")
    window.button("Record it").click()
    expect(window.page.get_by_text("With tax the lines come to 768.00; 700.00 was typed")).to_be_visible()
    window.fill(gross="768")
    window.button("Record it").click()
    window.page.wait_for_url("**/invoices/*")
    window.toast("1 difference, so it is blocked")
    kept = paper(f"SB-{mark}").id
    window.at(f"/invoices/{kept}")
    expect(window.page.get_by_text("10 too many invoiced").filter(visible=True).first).to_be_visible()
    expect(window.page.get_by_text("You recorded this, so somebody else must release it.")).to_be_visible()
    assert too_wide(window) == []
    assert serious(window, axe) == []
    shot(window, "invoice")
    window.page.get_by_role("link", name="Differences, 1").click()
    window.at(f"/invoices/{kept}?show=differences")
    expect(window.page.locator(".match tbody tr")).to_have_count(1)
    other = open_window(size)
    other.enter(site.person("mia", "accountant"))
    other.goto(f"/invoices?tab=blocked&q={mark}")
    shot(other, "list")
    other.page.get_by_role("link", name=f"SB-{mark}").click()
    other.at(f"/invoices/{kept}")
    other.button("Release…").click()
    shot(other, "release")
    assert serious(other, axe) == []
    other.button("Release it", within=other.dialog()).click()
    expect(other.page.get_by_text("Say why it may be paid")).to_be_visible()
    other.fill(other.dialog(), reason="The rest comes tomorrow")
    other.button("Release it", within=other.dialog()).click()
    other.toast(f"Released SB-{mark}")
    expect(other.page.get_by_text("The rest comes tomorrow").first).to_be_visible()
    assert status(f"SB-{mark}") == "released"


def test_what_has_changed_meanwhile_is_read_again_before_it_is_released(
    site: Site, cleo: Person, open_window: Open, mark: str
):
    placed = order(factories.supplier(f"Acme {mark}", status="approved").id, Want(40, 10, received=30))
    with acting_as(cleo.actor):
        record(f"SB-{mark}", line(placed.lines[0], 40))
    window = open_window()
    window.enter(site.person("mia", "accountant"))
    window.goto(f"/invoices/{paper(f'SB-{mark}').id}")
    window.button("Release…").click()
    came(placed, received=5)
    window.fill(window.dialog(), reason="As agreed")
    window.button("Release it", within=window.dialog()).click()
    window.toast("has changed. Read it again before you release it.")
    expect(window.page.get_by_text("35 too many invoiced").first).to_be_visible()
    assert status(f"SB-{mark}") == "blocked"


def test_a_credit_note_begins_with_what_is_too_many_and_makes_the_invoice_agree(
    site: Site, cleo: Person, open_window: Open, axe: str, size: str, mark: str
):
    placed = order(factories.supplier(f"Acme {mark}", status="approved").id, Want(40, 10, received=30))
    with acting_as(cleo.actor):
        record(f"SB-{mark}", line(placed.lines[0], 40))
    window = open_window(size)
    window.enter(cleo)
    window.goto(f"/invoices/{paper(f'SB-{mark}').id}")
    window.page.get_by_role("link", name="Record credit note").click()
    expect(window.page.get_by_text("Record a credit note").filter(visible=True).first).to_be_visible()
    expect(window.page.locator("[name='quantity:1']")).to_have_value("10")
    assert serious(window, axe) == []
    window.fill(number=f"C-{mark}", invoice_date="2026-11-21", gross="100")
    window.button("Record it").click()
    window.toast("it agrees")
    window.goto(f"/invoices/{paper(f'SB-{mark}').id}")
    expect(window.page.get_by_text("Matched", exact=True).filter(visible=True).first).to_be_visible()
    expect(window.page.get_by_role("link", name=f"C-{mark}")).to_be_visible()


def test_by_keyboard_alone_an_invoice_without_an_order_is_recorded_and_voided(
    cleo: Person, open_window: Open, mark: str
):
    factories.supplier(f"Acme {mark}", status="approved")
    window = open_window()
    window.enter(cleo)
    window.goto("/invoices/new")
    window.page.locator("[name=supplier_id]").select_option(label=f"Acme {mark}")
    window.fill(number=f"F-{mark}", invoice_date="2026-11-20", gross="119")
    window.page.locator("[name='description:1']").focus()
    keyboard = window.page.keyboard
    for text in ("Freight", "1", "100", "19"):
        keyboard.type(text)
        keyboard.press("Tab")
    expect(window.page.locator(".paper-totals")).to_contain_text("119.00")
    window.button("Add a line").press("Enter")
    expect(window.page.locator("[name='description:2']")).to_be_focused()
    window.button("Take this line out").last.press("Enter")
    expect(window.page.locator(".paper-lines li")).to_have_count(1)
    window.page.locator("[name=gross]").press("Enter")
    window.toast("so it is blocked")
    window.at(f"/invoices/{paper(f'F-{mark}').id}")
    window.button("Void…").click()
    window.fill(window.dialog(), reason="Sent twice")
    window.button("Void it", within=window.dialog()).click()
    window.toast(f"Voided F-{mark}")
    expect(window.page.get_by_text("Sent twice").first).to_be_visible()
