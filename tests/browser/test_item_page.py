"""The page of an item in a browser: why it holds what it holds, a moment that is past, and changing it from there."""

import re
import secrets
from collections.abc import Callable
from decimal import Decimal

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect
from sqlmodel import col

from inventory_app.context import acting_as
from inventory_app.models.stock import InventoryItem
from inventory_app.operations import stock
from inventory_app.unit_of_work import transact
from tests import factories
from tests.fixtures.browser import Window
from tests.fixtures.server import Person, Site

pytestmark = pytest.mark.browser

Open = Callable[..., Window]


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("ann", "manager")


@pytest.fixture
def item_id(site: Site, ann: Person) -> int:
    """Put 22 pieces somewhere and take 12 of them."""
    made = factories.product(f"W{secrets.token_hex(4)}".upper(), name="Queso Cabrales", unit_cost=Decimal(21))
    id_ = factories.item(made.id, quantity=22).id or 0
    with acting_as(ann.actor):
        transact(stock.issue_inventory, item_id=id_, quantity=Decimal(12))
    return id_


def test_it_says_why_and_goes_on_saying_it_after_a_change(ann: Person, item_id: int, open_window: Open, size: str):
    window = open_window(size)
    window.enter(ann)
    window.goto(f"/inventory/{item_id}")
    expect(window.page.get_by_role("heading", name="Why is it 10?")).to_be_visible()
    expect(window.page.get_by_text("22 + 0 − 12 = 10")).to_be_visible()
    expect(window.page.get_by_text("The books balance.")).to_be_visible()
    window.button("Adjust").click()
    window.fill(window.dialog(), quantity="5", reason_code="found")
    window.button("Adjust", within=window.dialog()).click()
    expect(window.page.get_by_role("heading", name="Why is it 15?")).to_be_visible()
    expect(window.page.get_by_text("22 + 5 − 12 = 15")).to_be_visible()


def test_a_moment_is_in_the_address_and_now_leads_back(ann: Person, item_id: int, open_window: Open, size: str):
    window = open_window(size)
    window.enter(ann)
    window.goto(f"/inventory/{item_id}")
    window.page.get_by_label("As of", exact=True).fill("2020-05-04T09:30")
    window.page.get_by_label("Which question").select_option("effective")
    window.button("Go").click()
    expect(window.page.get_by_role("heading", name="Why was it 0?")).to_be_visible()
    assert re.search(r"at=2020-05-04T09%3A30%3A59", window.page.url)
    assert "as=effective" in window.page.url
    expect(window.page.get_by_text("on 4 May 2020, 09:30")).to_be_visible()
    window.page.get_by_role("link", name="Now", exact=True).click()
    expect(window.page.get_by_role("heading", name="Why is it 10?")).to_be_visible()


def test_what_the_drawing_shows_is_in_a_table_too(ann: Person, item_id: int, open_window: Open, size: str):
    window = open_window(size)
    window.enter(ann)
    window.goto(f"/inventory/{item_id}")
    window.page.get_by_text("As a table").click()
    expect(window.page.get_by_role("table", name="Quantity over time").get_by_text("10 pcs").first).to_be_visible()


def test_all_movements_of_the_item_are_a_list(ann: Person, item_id: int, open_window: Open, size: str):
    window = open_window(size)
    window.enter(ann)
    window.goto(f"/inventory/{item_id}")
    window.page.get_by_role("link", name="All movements").click()
    window.at(f"/movements?item={item_id}")
    expect(window.page.locator("tbody tr[data-state]")).to_have_count(2)


def test_who_may_not_see_costs_finds_none_on_the_page(site: Site, item_id: int, open_window: Open, size: str):
    window = open_window(size)
    window.enter(site.person("eve", "employee"))
    window.goto(f"/inventory/{item_id}")
    expect(window.page.get_by_role("heading", name="Why is it 10?")).to_be_visible()
    assert "21.00" not in window.page.inner_text("main")
    assert "252.00" not in window.page.inner_text("main")


def test_books_that_somebody_was_at_are_named_and_rebuilt(ann: Person, item_id: int, open_window: Open, size: str):
    beside = sa.update(InventoryItem).where(col(InventoryItem.id) == item_id).values(quantity=77)
    factories.arrange(lambda session: session.execute(beside).rowcount)
    window = open_window(size)
    window.enter(ann)
    window.goto(f"/inventory/{item_id}")
    expect(window.page.get_by_text("it does not hold what its movements come to")).to_be_visible()
    window.page.get_by_role("link", name="Check the books").click()
    window.button("Check the books").click()
    expect(window.page.get_by_text("The books do not balance.")).to_be_visible()
    expect(window.page.get_by_text("77 instead of 10")).to_be_visible()
    window.button("Rebuild").click()
    window.fill(window.dialog(), reason="Somebody was at the tables")
    window.button("Rebuild", within=window.dialog()).click()
    expect(window.page.get_by_text("77 instead of 10")).to_be_hidden()
    window.goto(f"/inventory/{item_id}")
    expect(window.page.get_by_role("heading", name="Why is it 10?")).to_be_visible()
    expect(window.page.get_by_text("The books balance.")).to_be_visible()
