"""What people do with what waits for them, at both widths: lend, decide for somebody, see why not, take back."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from inventory_app.context import acting_as
from inventory_app.operations import suppliers
from inventory_app.unit_of_work import transact
from tests.browser.test_pages import serious, too_wide
from tests.fixtures.browser import Window
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Site

pytestmark = pytest.mark.browser

Open = Callable[..., Window]


def choose(window: Window, name: str) -> None:
    """Open a request from the list."""
    window.page.get_by_role("link", name=name).first.click()
    expect(window.page.get_by_role("heading", name=name).first).to_be_visible()
    window.ready()


def test_a_deputy_decides_in_place_of_somebody_who_is_away(
    site: Site, site_trail: Trail, open_window: Open, axe: str, size: str
):
    ann, eve = site.person("ann", "manager"), site.person("eve", "employee")
    nancy = site.person("nancy", "manager")
    with acting_as(nancy.actor):
        made = transact(suppliers.create_supplier, name=f"Lyngbysild {nancy.username}")

    hers = open_window(size)
    hers.enter(ann)
    hers.goto("/profile/away")
    expect(hers.heading("Choose a deputy")).to_be_visible()
    last = datetime.now(UTC).date() + timedelta(days=5)
    hers.fill(deputy=eve.username, last_day=last.isoformat(), reason="Holidays")
    hers.button("Let them decide").click()
    hers.toast(f"{eve.name} can decide for you then: ")
    expect(hers.page.get_by_text("In force").first).to_be_visible()
    expect(hers.page.locator("[name=deputy]")).to_have_value("")
    assert too_wide(hers) == []
    assert serious(hers, axe) == []

    window = open_window(size)
    window.enter(eve)
    window.goto("/")
    window.goto("/approvals?kind=supplier")
    last_page(window)
    choose(window, made.name)
    expect(window.page.get_by_text(f"You decide for {ann.name}.")).to_be_visible()
    assert too_wide(window) == []
    assert serious(window, axe) == []
    window.button("Reject").click()
    expect(window.page.get_by_text("Say why it is rejected: the reason is kept with the decision.")).to_be_visible()
    window.page.locator("#f-reason").fill("Knows fish")
    window.button("Approve").click()
    window.toast(f"Approved: {made.name}")
    decision = site_trail.changes(site_trail.last(actor_name=eve.username).id, table="approval_decision")[0]
    assert (decision.after["user_id"], decision.after["authority_id"]) == (eve.id, ann.id)

    hers.goto("/approvals?view=decided")
    expect(hers.page.get_by_text(re.compile(f"{eve.name} for {ann.name}")).first).to_be_visible()
    hers.goto("/profile/away")
    hers.button(f"End it: {eve.name} for {ann.name}").first.click()
    hers.toast(f"{eve.name} no longer stands in")


def last_page(window: Window) -> None:
    """Turn to the end of the list: the site is shared, and what is newest stands last."""
    while (turn := window.page.get_by_role("link", name="Page after")).count():
        here = window.page.url
        turn.click()
        window.page.wait_for_function("here => location.href !== here", arg=here)
        window.ready()


def test_whoever_asked_reads_why_not_and_takes_it_back(site: Site, open_window: Open, axe: str, size: str):
    ann, nancy = site.person("ann", "manager"), site.person("nancy", "manager")
    with acting_as(ann.actor):
        made = transact(suppliers.create_supplier, name=f"Typo {ann.username}")
    window = open_window(size)
    window.enter(ann)
    window.goto("/approvals?view=asked")
    if not window.is_phone:
        expect(window.page.get_by_text("Choose a request at the left")).to_be_visible()
    choose(window, made.name)
    expect(window.page.get_by_text("You entered this supplier, so somebody else must approve it.")).to_be_visible()
    expect(window.button("Approve")).to_be_disabled()
    assert nancy
    assert serious(window, axe) == []
    window.button("Withdraw").click()
    window.toast(f"Withdrawn: {made.name}")
    expect(window.page.get_by_text("Rejected").or_(window.page.get_by_text("Withdrawn")).first).to_be_visible()
