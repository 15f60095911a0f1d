"""Paying in a browser, at a desk and on a phone: one invoice, a batch with its file, taking back, and who may not."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser.test_pages import serious
from tests.fixtures.browser import Window
from tests.fixtures.server import Person, Site
from tests.operations import payables

pytestmark = pytest.mark.browser

Open = Callable[..., Window]


@dataclass
class Bills:
    """An invoice of 100 and a credit note of 30 of one supplier, both with names nobody else has."""

    mark: str
    supplier: int
    invoice: int
    credit: str


@pytest.fixture
def bills(site: Site) -> Bills:
    mark = secrets.token_hex(4)
    supplier = factories.supplier(f"Quay {mark}", status="approved").id or 0
    payables.account(supplier, holder=f"Quay {mark}")
    invoice = payables.invoice(supplier, 100, f"R-{mark}").id or 0
    payables.invoice(supplier, -30, f"C-{mark}")
    return Bills(mark, supplier, invoice, f"C-{mark}")


@pytest.fixture
def paula(site: Site) -> Person:
    return site.person("paula", "accountant")


def test_an_invoice_is_paid_with_a_credit_note_set_off_and_the_payment_taken_back(
    paula: Person, open_window: Open, size: str, bills: Bills, axe: str
):
    window = open_window(size)
    window.enter(paula)
    window.goto(f"/payments/due?q=R-{bills.mark}")
    window.button(f"Pay R-{bills.mark}").click()
    dialog = window.dialog()
    expect(dialog.locator("[name=amount]")).to_have_value("100.00")
    expect(dialog.locator("#f-pay-account option:checked")).to_have_text(re.compile(f"Quay {bills.mark}, DE89 3704"))
    window.fill(dialog, amount="100.01")
    window.button("Pay", within=dialog).click()
    expect(dialog.get_by_text("Only 100.00 USD")).to_be_visible()
    dialog.get_by_label(re.compile(bills.credit)).check()
    window.fill(dialog, amount="100")
    window.button("Pay", within=dialog).click()
    window.toast(f"70.00 USD to Quay {bills.mark}")
    expect(window.page.get_by_text("Credit note, set off")).to_be_visible()
    assert serious(window, axe) == []
    window.button("Take back").click()
    window.fill(window.dialog(), reason="Paid to the wrong one")
    window.button("Take it back", within=window.dialog()).click()
    window.toast("back: PAY-")
    expect(window.page.get_by_text("Paid to the wrong one").first).to_be_visible()
    assert payables.paid(bills.invoice) == 0


def test_what_is_selected_is_paid_as_a_batch_and_its_file_is_fetched(
    paula: Person, open_window: Open, size: str, bills: Bills, tmp_path: Path
):
    window = open_window(size)
    window.enter(paula)
    window.goto(f"/payments/due?q={bills.mark}")
    for box in window.page.locator("tbody input.check").all():
        box.click()
        # The server says what is selected.
        expect(box).to_be_checked()
    window.button("Pay as a batch").click()
    dialog = window.dialog()
    expect(dialog.get_by_text("70.00 USD").first).to_be_visible()
    window.button("Pay them", within=dialog).click()
    expect(window.page).to_have_url(re.compile(r"/payments/batches/\d+$"))
    expect(window.page.get_by_text("Nobody has fetched it yet.")).to_be_visible()
    with window.page.expect_download() as fetched:
        window.page.get_by_role("link", name="CSV").click()
    kept = tmp_path / "batch.csv"
    fetched.value.save_as(kept)
    assert "70.00,USD" in kept.read_text(encoding="utf-8")
    window.page.reload()
    expect(window.page.get_by_text("SHA-256")).to_be_visible()


def test_who_recorded_the_invoice_reads_why_they_cannot_pay_it(
    site: Site, paula: Person, open_window: Open, bills: Bills
):
    mine = f"M-{bills.mark}"
    payables.invoice(bills.supplier, 10, mine, recorded_by=paula.id)
    window = open_window("desk")
    window.enter(paula)
    window.goto(f"/payments/due?q={mine}")
    window.button(f"Pay {mine}").click()
    expect(window.dialog().get_by_text(f"You recorded the invoice {mine}, so somebody else must pay.")).to_be_visible()
    window.button("Pay", within=window.dialog()).click()
    window.toast("so somebody else must pay")
    ada = open_window("desk")
    ada.enter(site.person("ada", "admin"))
    ada.goto(f"/admin/explain?can=payments:process&q={paula.username}&invoice={bills.invoice}")
    expect(ada.page.get_by_text("Can", exact=True).first).to_be_visible()
    expect(ada.page.get_by_text(f"R-{bills.mark}").first).to_be_visible()


def test_a_statement_and_what_is_owed_are_shown(paula: Person, open_window: Open, size: str, bills: Bills, axe: str):
    window = open_window(size)
    window.enter(paula)
    window.goto(f"/suppliers/{bills.supplier}")
    expect(window.page.get_by_role("table", name="Statement")).to_contain_text(f"R-{bills.mark}")
    expect(window.page.get_by_role("table", name="What is owed")).to_contain_text("70.00 USD")
    window.goto("/payments/ageing")
    expect(window.page.get_by_role("table", name="What is owed")).to_be_visible()
    assert serious(window, axe) == []
