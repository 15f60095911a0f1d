"""Orders in a browser: written by keyboard, submitted, agreed to by somebody else, ordered, and cancelled."""

import re
import secrets
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from inventory_app.context import acting_as
from inventory_app.operations import orders
from tests.browser.test_pages import serious, too_wide
from tests.fixtures.browser import Window
from tests.fixtures.server import Person, Site
from tests.operations.buying import Market, known, lines, market, ordered, receive, step, tea, words, write

pytestmark = pytest.mark.browser

Open = Callable[..., Window]


@pytest.fixture
def mark() -> str:
    return secrets.token_hex(3).upper()


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("ann", "manager")


@pytest.fixture
def nancy(site: Site) -> Person:
    return site.person("nancy", "manager")


@pytest.fixture
def shop(site: Site, mark: str) -> Market:
    return market(f"Biscuits {mark}", codes=mark)


def test_an_order_is_written_by_keyboard_agreed_to_and_sent(
    ann: Person, nancy: Person, shop: Market, mark: str, open_window: Open, size: str, axe: str
):
    window = open_window(size)
    window.enter(ann)
    window.goto("/orders")
    window.page.get_by_label("New order", exact=True).first.click()
    window.at("/orders/new")
    form = window.page.locator("form.form").first
    window.fill(form, supplier_id=str(shop.supplier), location_id=str(shop.place), message="Before noon, please")
    first = window.page.locator(".edit-lines li").first
    first.get_by_label("Product").fill(f"tea{mark}")
    window.page.keyboard.press("Tab")
    expect(first.locator(".line-hint")).to_contain_text("Tea · 2.50 USD per pcs · box of 12 pcs · at least 24")
    window.page.keyboard.press("Tab")
    window.page.keyboard.type("30")
    second = window.page.locator(".edit-lines li").nth(1)
    window.fill(second, **{"description:2": "Repair of the lift", "quantity:2": "1", "unit_cost:2": "1200"})
    window.button("Save the draft").click()
    expect(first).to_contain_text("delivers packs of 12 pcs. Order 36.")
    assert serious(window, axe) == []
    assert too_wide(window) == []
    first.get_by_label("Quantity").fill("36")
    window.button("Save the draft").click()
    window.toast("saved")
    window.page.wait_for_url(re.compile(r"/orders/\d+$"))
    window.ready()
    order_id = int(window.page.url.rpartition("/")[2])
    assert [line.quantity for line in lines(order_id)] == [36, 1]
    assert serious(window, axe) == []
    assert too_wide(window) == []
    window.button("Submit").click()
    window.toast("It waits until one person approves it.")
    expect(window.page.get_by_text("You created this order, so somebody else must approve it.")).to_be_visible()

    other = open_window(size)
    other.enter(nancy)
    other.goto(f"/orders/{order_id}")
    other.page.get_by_role("button", name="Approve…").click()
    other.fill(other.dialog(), reason="As agreed")
    other.button("Approve", within=other.dialog()).click()
    other.toast("agreed to. It can be sent.")
    # Ann's page has it within a second, without her doing anything.
    expect(window.page.locator(".page-head .badge").first).to_have_text("Approved")
    window.page.get_by_label("Order", exact=True).click()
    window.toast("ordered")
    expect(window.page.locator(".order-steps li[aria-current=step]")).to_contain_text("Ordered")
    assert known(order_id).status == "ordered"
    assert serious(window, axe) == []
    assert too_wide(window) == []


def test_the_rest_is_given_up_and_the_order_closed(ann: Person, shop: Market, open_window: Open, size: str):
    with acting_as(ann.actor):
        order_id = ordered(shop, None, tea(shop), words())
    receive(order_id, 12)
    window = open_window(size)
    window.enter(ann)
    window.goto(f"/orders/{order_id}")
    window.button("Other steps").click()
    window.page.get_by_role("menuitem", name="Give up the rest…").click()
    window.button("Give it up", within=window.dialog()).click()
    expect(window.dialog()).to_contain_text("Say why the rest is not waited for any more.")
    window.fill(window.dialog(), reason="Out of stock there")
    window.button("Give it up", within=window.dialog()).click()
    window.toast("Nothing is waited for any more")
    window.button("Close").first.click()
    window.toast("Nothing is to be done for it any more.")
    expect(window.page.locator(".page-head .badge").first).to_have_text("Closed")


def test_the_list_narrows_down_and_leads_to_what_is_cancelled(
    ann: Person, shop: Market, mark: str, open_window: Open, size: str, axe: str
):
    with acting_as(ann.actor):
        order_id = write(shop).order_id
        number = step(orders.submit_order, order_id).called
        write(shop)
    window = open_window(size)
    window.enter(ann)
    window.goto(f"/orders?q={mark.lower()}")
    expect(window.page.locator("tbody tr")).to_have_count(2)
    assert serious(window, axe) == []
    assert too_wide(window) == []
    window.goto(f"/orders?q={mark.lower()}&status=approved")
    expect(window.page.locator("tbody tr")).to_have_count(1)
    window.page.get_by_role("link", name=number).click()
    window.at(f"/orders/{order_id}")
    window.button("Other steps").click()
    window.page.get_by_role("menuitem", name="Cancel order…").click()
    window.fill(window.dialog(), reason="Ordered twice")
    window.button("Cancel order", within=window.dialog()).click()
    window.toast("stock stays as it is")
    expect(window.page.get_by_text("Ordered twice")).to_be_visible()


def test_who_may_not_see_costs_sees_none(shop: Market, ann: Person, site: Site, open_window: Open, size: str):
    with acting_as(ann.actor):
        order_id = ordered(shop, None)
    window = open_window(size)
    window.enter(site.person("emma", "employee"))
    window.goto(f"/orders/{order_id}")
    expect(window.page.get_by_text("Costs are hidden from you")).to_be_visible()
    expect(window.page.get_by_text("PDF")).to_have_count(0)
    assert not [frame for frame in window.frames if "2.50" in frame or "60.00" in frame]
