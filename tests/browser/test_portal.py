"""The supplier portal as people of a supplier use it, on the phone and at a desk: invited, promised, corrected."""

import re
import secrets
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from inventory_app.models._base import now
from tests import factories
from tests.browser.test_pages import serious, too_wide
from tests.browser.test_people import come_in, made_link
from tests.fixtures.browser import Window
from tests.fixtures.server import Person, Site
from tests.papers import OURS, Papers, papers

pytestmark = pytest.mark.browser

Open = Callable[..., Window]


@pytest.fixture
def mine(site: Site) -> Papers:
    return papers(f"aa{secrets.token_hex(5)}")


@pytest.fixture
def sue(site: Site, mine: Papers) -> Person:
    name = f"sue-{secrets.token_hex(3)}"
    return site.known(name, factories.supplier_person(name, mine.supplier), "supplier")


def usable(window: Window, axe: str) -> None:
    assert too_wide(window) == []
    assert serious(window, axe) == []


def test_somebody_is_invited_from_the_suppliers_page_and_finds_the_portal(
    site: Site, open_window: Open, axe: str, size: str, mine: Papers
):
    name = f"ivy-{secrets.token_hex(3)}"
    hers = open_window(size)
    hers.enter(site.person("ada", "admin"))
    hers.goto(f"/suppliers/{mine.supplier}")
    hers.button("Invite").click()
    hers.fill(hers.dialog(), full_name="Ivy", username=name, email=f"{name}@example.com")
    hers.button("Invite", within=hers.dialog()).click()
    expect(hers.heading(f"Invited {name}")).to_be_visible()
    usable(hers, axe)
    link = made_link(hers)
    expect(hers.page.get_by_text("Invited", exact=True)).to_be_visible()

    site.people[name] = ("supplier",)
    window = open_window(size)
    come_in(window, link, name)
    window.at("/portal")
    expect(window.heading(mine.mark.title())).to_be_visible()
    usable(window, axe)


def test_an_order_is_promised_and_a_correction_proposed(
    open_window: Open, axe: str, size: str, mine: Papers, sue: Person
):
    day = now().date() + timedelta(days=9)
    window = open_window(size)
    window.enter(sue)
    window.goto("/")
    window.at("/portal")
    usable(window, axe)
    ways = window.page.get_by_role("navigation", name="Main, phone" if window.is_phone else "Main", exact=True)
    expect(ways.get_by_role("link")).to_have_text(
        ["Company" if window.is_phone else "Your company", "Orders", "Invoices", "Payments"]
    )
    ways.get_by_role("link", name="Orders").click()
    window.page.get_by_role("link", name=f"PO-{mine.mark}").click()
    expect(window.heading(f"PO-{mine.mark}")).to_be_visible()
    usable(window, axe)
    window.fill(on=day.isoformat())
    window.button("Promise this day").click()
    window.toast(re.compile("is promised for"))
    expect(window.page.get_by_text("Confirmed", exact=True)).to_be_visible()
    ways.get_by_role("link", name="Company").click()
    window.button("Propose a correction").click()
    window.fill(window.dialog(), email=f"new@{mine.mark}.com")
    usable(window, axe)
    window.button("Send", within=window.dialog()).click()
    window.toast("Sent. It counts once somebody has looked at it")
    expect(window.heading("Waits to be looked at")).to_be_visible()
    usable(window, axe)
    window.button("Take it back").click()
    window.toast("Taken back")


@pytest.mark.parametrize("path", ["/inventory", "/suppliers", "/approvals", "/profile/away", "/audit"])
def test_pages_of_ours_say_that_they_are_not_for_them(
    open_window: Open, axe: str, path: str, mine: Papers, sue: Person
):
    window = open_window("phone")
    window.enter(sue)
    window.goto(path)
    expect(window.heading("You may not see this page")).to_be_visible()
    assert window.page.get_by_text(OURS).count() == 0
    expect(window.page.get_by_role("button", name=re.compile("Search or jump"))).to_have_count(0)
    usable(window, axe)
