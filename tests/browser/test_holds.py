"""What is held or promised later in a browser, and the lists of the portal: searched, and taken as files."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from inventory_app.models._base import now
from inventory_app.models.suppliers import Supplier
from tests import factories
from tests.browser.test_pages import serious, too_wide
from tests.fixtures.browser import Window
from tests.fixtures.server import Person, Site
from tests.operations import ordered, payables
from tests.papers import Papers, papers

pytestmark = pytest.mark.browser

Open = Callable[..., Window]


@dataclass
class Held:
    """A suspended supplier with two accounts, an invoice of 100, and an order that it has promised for later."""

    mark: str
    supplier: int
    accounts: tuple[int, int]
    invoice: int
    order: int


@pytest.fixture
def held(site: Site) -> Held:
    mark = secrets.token_hex(4)
    supplier = factories.supplier(f"Quay {mark}", status="approved").id or 0
    accounts = tuple(
        payables.account(supplier, iban, holder=f"Quay {mark}").id or 0
        for iban in ("DE89370400440532013000", "FR1420041010050500013M02606")
    )
    invoice = payables.invoice(supplier, 100, f"R-{mark}").id or 0
    day = now().date()
    placed = ordered.ordered(
        {"quantity": 4},
        supplier_id=supplier,
        expected_on=day + timedelta(days=9),
        wanted_on=day + timedelta(days=2),
        confirmed_on=day + timedelta(days=9),
        confirmed_at=now(),
    )

    def suspend(session) -> None:
        row = session.get_one(Supplier, supplier)
        row.status, row.decision_reason = "suspended", "Glass in a jar"

    factories.arrange(suspend)
    return Held(mark, supplier, (accounts[0], accounts[1]), invoice, placed.id)


def usable(window: Window, axe: str) -> None:
    assert too_wide(window) == []
    assert serious(window, axe) == []


def current(window: Window) -> list[str]:
    """Return the entries of the navigation that are shown as open."""
    return window.page.locator("nav[aria-label=Main] [aria-current=page], .menu-item[aria-current=page]").evaluate_all(
        "links => [...new Set(links.map(link => new URL(link.href).pathname))]"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_held_invoice_is_paid_with_a_reason_to_the_account_that_is_chosen(
    site: Site, open_window: Open, size: str, scheme: str, held: Held, axe: str
):
    window = open_window(size, scheme=scheme)
    window.enter(site.person("paula", "accountant"))
    window.goto(f"/payments/due?q=R-{held.mark}")
    expect(window.page.get_by_text("Held", exact=True).locator("visible=true").first).to_be_visible()
    usable(window, axe)
    assert current(window) == ["/payments/due"]
    window.goto(f"/invoices/{held.invoice}")
    expect(window.page.get_by_text("Payments to this supplier are held.")).to_be_visible()
    usable(window, axe)
    assert current(window) == ["/invoices"]
    window.button("Pay").click()
    dialog = window.dialog()
    expect(dialog.get_by_text("Payments to it are held.")).to_be_visible()
    expect(dialog.locator("#f-pay-account option")).to_have_count(2)
    usable(window, axe)
    dialog.locator("#f-pay-account").select_option(str(held.accounts[0]))
    window.fill(dialog, held_reason="The court says so")
    window.button("Pay", within=dialog).click()
    expect(window.heading(re.compile("PAY-"))).to_be_visible()
    expect(window.page.get_by_text("DE89 3704 0044 0532 0130 00")).to_be_visible()
    expect(window.page.get_by_text("The court says so")).to_be_visible()
    assert current(window) == ["/payments"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_order_says_that_it_is_promised_for_later_and_its_supplier_held(
    site: Site, open_window: Open, size: str, scheme: str, held: Held, axe: str
):
    window = open_window(size, scheme=scheme)
    window.enter(site.person("ada", "admin"))
    window.goto(f"/orders/{held.order}")
    expect(window.page.get_by_text("It is promised 7 days later than wanted.")).to_be_visible()
    expect(window.page.get_by_text("Payments to this supplier are held.")).to_be_visible()
    usable(window, axe)
    window.goto(f"/orders?promise=later&q={held.mark}")
    expect(window.page.get_by_text("promised 7 days later than wanted").locator("visible=true").first).to_be_visible()
    usable(window, axe)
    assert current(window) == ["/orders"]


@pytest.fixture
def mine(site: Site) -> Papers:
    return papers(f"aa{secrets.token_hex(5)}")


@pytest.fixture
def sue(site: Site, mine: Papers) -> Person:
    name = f"sue-{secrets.token_hex(3)}"
    return site.known(name, factories.supplier_person(name, mine.supplier), "supplier")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_somebody_of_a_supplier_searches_and_takes_files(
    open_window: Open, size: str, scheme: str, mine: Papers, sue: Person, axe: str
):
    window = open_window(size, scheme=scheme)
    window.enter(sue)
    window.goto("/portal/invoices")
    usable(window, axe)
    window.page.get_by_role("searchbox").fill(f"BLK-{mine.mark}")
    expect(window.page.get_by_text(f"INV-{mine.mark}")).to_have_count(0)
    window.at(f"/portal/invoices?q=BLK-{mine.mark}")
    with window.page.expect_download() as taken:
        window.page.get_by_role("link", name="CSV of this list").click()
    assert f"BLK-{mine.mark}" in taken.value.path().read_text(encoding="utf-8-sig")
    window.goto(f"/portal/orders/{mine.order}")
    usable(window, axe)
    with window.page.expect_download() as paper:
        window.page.get_by_role("link", name="PDF of the order").click()
    assert paper.value.path().read_bytes().startswith(b"%PDF-")
