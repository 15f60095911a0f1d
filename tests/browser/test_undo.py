"""What was done in passing is taken back in passing, and no dialog or dead end stays in the way."""

import re
import secrets
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from inventory_app.context import acting_as
from inventory_app.models.stock import PeriodClose
from inventory_app.operations import change_sets
from inventory_app.unit_of_work import transact
from tests import factories
from tests.browser.test_main_job import act
from tests.browser.test_pages import serious
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
def shelf(site: Site, mark: str) -> list[int]:
    """Put twelve of one product and three of another at North."""
    north = factories.location(f"N{mark}".upper(), name=f"North {mark}").id
    made = [factories.product(f"{kind}{mark}".upper(), name=f"{kind} {mark}") for kind in ("Widget", "Gadget")]
    return [factories.item(one.id, north, held).id or 0 for one, held in zip(made, (12, 3), strict=True)]


def select_both(window: Window, mark: str) -> None:
    window.goto(f"/inventory?q={mark}")
    for kind in ("WIDGET", "GADGET"):
        box = window.page.get_by_role("checkbox", name=re.compile(f"^Select {kind}{mark.upper()}"))
        box.click()
        expect(box).to_be_checked()


def test_a_count_of_many_is_undone_from_its_message(shelf: list[int], window: Window, mark: str):
    select_both(window, mark)
    window.button("Count", within=window.page.get_by_role("toolbar", name="Selected rows")).click()
    dialog = window.dialog()
    window.fill(dialog, reason_code="counted")
    for line, counted in zip(dialog.locator(".count-line").all(), ("7", "9"), strict=True):
        line.locator("input.ctl").fill(counted)
    window.button("Save the counts", within=dialog).click()
    toast = window.page.locator("[data-sonner-toast]").filter(has_text="Updated 2 of 2 items")
    toast.get_by_role("button", name="Undo").click()
    window.toast("and 1 more")
    expect(window.row(f"Widget {mark}")).to_contain_text("12")
    expect(window.row(f"Gadget {mark}")).to_contain_text("3")


def test_a_count_that_found_what_was_there_offers_no_undo(shelf: list[int], window: Window, mark: str):
    select_both(window, mark)
    window.button("Count", within=window.page.get_by_role("toolbar", name="Selected rows")).click()
    window.fill(window.dialog(), reason_code="counted")
    line = window.dialog().locator(".count-line").filter(has_text=f"Widget {mark}")
    line.locator("input.ctl").fill("12")
    window.button("Save the counts", within=window.dialog()).click()
    toast = window.page.locator("[data-sonner-toast]").filter(has_text="Updated 0 of 1 items")
    expect(toast).to_be_visible()
    expect(toast.get_by_role("button", name="Undo")).to_have_count(0)


def test_ones_last_changes_are_undone_on_the_start_page(shelf: list[int], window: Window, mark: str, axe: str):
    window.goto(f"/inventory?q=WIDGET{mark}")
    act(window, f"WIDGET{mark}".upper(), "Adjust")
    window.fill(window.dialog(), quantity="-2", reason_code="damaged")
    window.button("Adjust", within=window.dialog()).click()
    window.toast("12 pcs → 10 pcs")
    window.goto("/")
    weeks = window.page.locator(".weeks")
    expect(weeks.locator("svg rect")).to_have_count(16)
    weeks.get_by_text("As a table").click()
    expect(weeks.get_by_role("row")).to_have_count(9)
    expect(weeks.get_by_role("row").last.get_by_role("cell").last).not_to_have_text("0")
    assert serious(window, axe) == []
    undo = window.page.get_by_role("button", name=re.compile(f"^Undo: Adjusted stock, Widget {mark}"))
    expect(undo).to_have_count(1)
    undo.click()
    window.toast("Took back 2 pcs")
    expect(undo).to_have_count(0)
    expect(window.page.get_by_text("Took something back").first).to_be_visible()
    window.goto(f"/inventory?q=WIDGET{mark}")
    expect(window.row(f"Widget {mark}")).to_contain_text("12")


def test_that_a_period_is_closed_stands_beside_the_date(shelf: list[int], window: Window, mark: str):
    factories.add(PeriodClose(closed_through=date(1999, 1, 31), closed_by="ann"))
    window.goto(f"/inventory?q=WIDGET{mark}")
    row = window.row(f"Widget {mark}")
    row.hover()
    names = "^What can be done with" if window.is_phone else "^Receive, issue, send or reserve"
    row.get_by_role("button", name=re.compile(names)).click()
    window.page.get_by_role("menuitem", name="Issue", exact=True).click()
    dialog = window.dialog()
    window.fill(dialog, quantity="1", reason_code="sold", occurred_on="1999-01-15")
    window.button("Issue", within=dialog).click()
    field = dialog.locator(".field").filter(has=window.page.locator("[name=occurred_on]"))
    expect(field.locator(".field-error")).to_contain_text("The books are closed for that day.")
    expect(dialog).to_be_visible()


def open_filters(window: Window) -> None:
    window.button("Filter").click()
    expect(window.dialog()).to_be_visible()


def test_no_dialog_stands_over_the_page_one_goes_to_or_comes_back_to(shelf: list[int], window: Window, mark: str):
    window.goto("/movements")
    window.goto(f"/inventory?q={mark}")
    open_filters(window)
    window.page.evaluate("window.history.back()")
    window.at("/movements")
    expect(window.dialog()).to_have_count(0)
    window.page.evaluate("window.history.forward()")
    window.at(f"/inventory?q={mark}")
    expect(window.row(f"Widget {mark}")).to_be_visible()
    expect(window.dialog()).to_have_count(0)
    open_filters(window)
    window.page.reload()
    window.ready()
    expect(window.row(f"Widget {mark}")).to_be_visible()
    expect(window.dialog()).to_have_count(0)
    open_filters(window)


@pytest.mark.parametrize("path", ["/inventory", "/products", "/pricing", "/movements"])
def test_where_nothing_matches_a_button_clears_the_search_and_the_filters(
    shelf: list[int], window: Window, path: str, axe: str
):
    window.goto(f"{path}?q=nothing-is-called-so&dir=desc")
    clear = window.page.get_by_role("link", name="Clear search and filters")
    expect(clear).to_be_visible()
    assert serious(window, axe) == []
    clear.click()
    expect(window.page).to_have_url(re.compile(f"{path}([?]dir=desc)?$"))
    expect(clear).to_have_count(0)


def test_an_auditor_sees_and_checks_the_books(site: Site, shelf: list[int], open_window: Open, size: str):
    window = open_window(size)
    window.enter(site.person("eva", "auditor"))
    window.goto("/books")
    window.button("Check the books").click()
    expect(window.page.get_by_text(re.compile("The books (do not )?balance"))).to_be_visible()
    expect(window.button("Rebuild")).to_have_count(0)


def whole(page: Page, text: str) -> bool:
    """Tell whether a text on the page is not cut."""
    return page.get_by_text(text).first.evaluate("one => one.scrollWidth <= one.clientWidth")


def test_the_names_in_a_set_of_changes_are_whole(site: Site, ann: Person, window: Window, mark: str):
    name = f"Organic wholegrain spelt flour of the first milling, in bags {mark}"
    product = factories.product(f"LONG{mark}".upper(), name=name)
    place = factories.location(f"L{mark}".upper(), name=f"The long hall behind the loading bay {mark}")
    item = factories.item(product.id, place.id, 12).id or 0
    with acting_as(factories.signed_in_again(factories.person(f"zoe{mark}", "manager"))):
        made = transact(change_sets.propose_quantities, quantities={item: str(Decimal(7))})
    window.goto(f"/changes/{made.change_set_id}")
    row = window.row(name)
    expect(row).to_be_visible()
    assert not window.is_phone or whole(window.page, name)
    for said in ("12 pcs", "7 pcs"):
        expect(row.get_by_text(said, exact=True).first).to_be_visible()


def test_units_and_reasons_are_taken_away_as_files(site: Site, open_window: Open, size: str):
    window = open_window(size)
    window.enter(site.person("ada", "admin"))
    for name in ("units", "reasons"):
        window.goto(f"/settings/{name}")
        window.button("Export").click()
        with window.page.expect_download() as taken:
            window.page.get_by_role("menuitem", name="CSV").click()
        assert taken.value.suggested_filename.endswith(".csv")
