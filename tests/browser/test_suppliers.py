"""Suppliers and imports in a browser: the list, one supplier, correcting it, and what a file may hold."""

import re
import secrets
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from inventory_app.context import acting_as
from inventory_app.operations import suppliers
from inventory_app.operations._supplier_fields import Details
from inventory_app.unit_of_work import transact
from tests import factories
from tests.browser.test_pages import serious
from tests.fixtures.browser import Window
from tests.fixtures.server import PASSWORD, Person, Site

pytestmark = pytest.mark.browser

Open = Callable[..., Window]


@pytest.fixture
def mark() -> str:
    return secrets.token_hex(4)


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("ann", "manager")


def test_a_decided_supplier_stays_in_view_and_a_new_tax_id_needs_a_new_decision(
    site: Site, ann: Person, open_window: Open, size: str, mark: str
):
    found = factories.supplier(f"Quay {mark}", city="Oslo", tax_id="GB 1").id or 0
    with acting_as(site.person("nancy", "manager").actor):
        transact(suppliers.approve_supplier, supplier_id=found, reason="Known for years")
    window = open_window(size)
    window.enter(ann)
    window.goto("/suppliers?status=approved")
    window.page.get_by_role("searchbox", name="Search suppliers").fill(mark)
    window.at(f"/suppliers?q={mark}&status=approved")
    expect(window.row(f"Quay {mark}")).to_contain_text("Approved")
    window.page.get_by_role("link", name=f"Quay {mark}").click()
    window.at(f"/suppliers/{found}")
    expect(window.page.get_by_text("Known for years").first).to_be_visible()
    window.page.get_by_label("Correct", exact=True).click()
    dialog = window.dialog()
    expect(dialog.locator("[name=city]")).to_have_value("Oslo")
    window.button("Save the corrections", within=dialog).click()
    window.toast("Nothing was changed")
    window.fill(dialog, tax_id="GB 2", reason="New papers")
    window.button("Save the corrections", within=dialog).click()
    window.toast("It waits for approval again")
    expect(window.page.get_by_text("You last edited this supplier").filter(visible=True).first).to_be_visible()
    history = window.page.locator(".history li").first
    expect(history).to_contain_text("New papers")
    expect(history.locator("del", has_text="GB 1")).to_be_visible()
    expect(history.locator("ins", has_text="GB 2")).to_be_visible()
    window.goto(f"/suppliers/approvals?id={found}")
    expect(window.page.get_by_text("What has changed since it was approved")).to_be_visible()


def test_on_the_phone_a_long_name_leaves_the_buttons_beside_it_free(ann: Person, open_window: Open, mark: str):
    found = factories.supplier(f"Orchard Cooperative Society of the Lower Valleys {mark}").id or 0
    window = open_window("phone")
    window.enter(ann)
    window.goto(f"/suppliers/approvals?id={found}")
    at = window.page.locator(".split-detail .page-head-actions").bounding_box()
    assert at is not None
    assert at["x"] >= window.page.evaluate("innerWidth") / 2, "half of the bar is the name's"
    window.button("Reject…").click()
    title, close = window.dialog().locator(".dialog-title"), window.button("Close", within=window.dialog())
    ends = title.evaluate(
        "el => { const all = document.createRange(); all.selectNodeContents(el); "
        "return all.getBoundingClientRect().right }"
    )
    begins = close.bounding_box()
    assert begins is not None
    assert ends <= begins["x"]


def test_a_correction_that_somebody_else_made_meanwhile_is_not_written_over(
    site: Site, ann: Person, open_window: Open, mark: str
):
    found = factories.supplier(f"Quay {mark}", city="Oslo").id or 0
    window = open_window()
    window.enter(ann)
    window.goto(f"/suppliers/{found}")
    window.button("Correct").click()
    with acting_as(site.person("nancy", "manager").actor):
        changed = {"name": f"Quay {mark}", "details": Details(city="Bergen")}
        transact(suppliers.update_supplier, supplier_id=found, version=1, **changed)
    window.fill(window.dialog(), city="Bodø")
    save = window.button("Save the corrections", within=window.dialog())
    for _ in range(2):
        save.click()
        window.toast("was changed after you opened it")
        expect(window.dialog().locator("[name=city]")).to_have_value("Bodø")
    window.page.keyboard.press("Escape")
    expect(window.page.locator(".facts").first).to_contain_text("Bergen")


def test_who_may_not_see_the_trail_sees_the_supplier_without_its_history(site: Site, open_window: Open, mark: str):
    found = factories.supplier(f"Quay {mark}", status="rejected", decision_reason="No papers").id
    window = open_window()
    window.enter(site.person("eve", "employee"))
    window.goto(f"/suppliers/{found}")
    expect(window.page.get_by_text("It may apply again.")).to_be_visible()
    expect(window.page.get_by_text("No papers")).to_be_visible()
    expect(window.page.locator(".history")).to_have_count(0)
    expect(window.button("Correct")).to_have_count(0)


def test_an_import_describes_its_columns_offers_an_example_and_leads_to_what_came_in(
    ann: Person, open_window: Open, mark: str, size: str, axe: str
):
    window = open_window(size)
    window.enter(ann)
    window.goto("/imports")
    window.page.get_by_text("All 17 columns that are read").first.click()
    expect(window.page.get_by_text("As on its invoices")).to_be_visible()
    with window.page.expect_download() as download:
        window.page.get_by_label("Example file of suppliers").click()
    assert download.value.path().read_text().startswith("number,name,tax id,")
    content = f"name,country\nQuay {mark},Norway\n".encode()
    window.page.locator("#f-suppliers").set_input_files(
        {"name": f"{mark}.csv", "mimeType": "text/csv", "buffer": content}
    )
    window.button("Look at the suppliers").click()
    expect(window.page.get_by_label("Country")).to_have_value("1")
    assert serious(window, axe) == []
    window.button("Check the file").click()
    window.button("Import 1 row").click()
    expect(window.page.get_by_text("Suppliers imported.")).to_be_visible()
    window.page.get_by_role("link", name="Show the suppliers").click()
    window.at("/suppliers?status=pending&sort=changed&dir=desc")
    expect(window.row(f"Quay {mark}")).to_be_visible()


def test_a_page_that_one_may_not_see_says_so_once(site: Site, open_window: Open, size: str):
    window = open_window(size)
    window.enter(site.person("bob", "accountant"))
    window.goto("/audit")
    expect(window.heading("You may not see this page")).to_be_visible()
    # Messages stay from page to page: what was refused has been answered when the next page is there.
    window.page.get_by_role("link", name="Go to the start page").click()
    window.at("/")
    expect(window.page.locator("[data-sonner-toast]")).to_have_count(0)


def test_a_waiting_account_is_told_so_without_alarm(site: Site, open_window: Open):
    waiting = site.person("carl", "employee", enabled=False)
    window = open_window()
    window.goto("/login")
    window.sign_in(waiting, PASSWORD)
    told = window.page.locator(".callout").filter(has_text=re.compile("waits for an administrator"))
    expect(told).to_be_visible()
    expect(told).not_to_have_class(re.compile("tone-(bad|warn)"))
    expect(told).to_have_attribute("role", "note")
