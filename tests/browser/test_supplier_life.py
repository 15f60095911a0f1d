"""A supplier's life in a browser: applying with documents, deciding together, its accounts, suspended and back."""

import secrets
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from inventory_app.models._base import now
from tests import factories
from tests.browser.test_pages import serious
from tests.fixtures.browser import Window
from tests.fixtures.server import Person, Site

pytestmark = pytest.mark.browser

Open = Callable[..., Window]
PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\n%%EOF\n"


@pytest.fixture
def mark() -> str:
    return secrets.token_hex(4)


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("ann", "manager")


def test_a_company_applies_with_documents_and_somebody_reads_them(
    ann: Person, open_window: Open, size: str, mark: str, axe: str
):
    window = open_window(size)
    window.goto("/apply")
    window.fill(
        window.page.locator("main"),
        name=f"Gai {mark}",
        tax_id=f"FR {mark}1",
        contact_name="Eliane Noz",
        email=f"{mark}@gai.example",
        address="Bat. B, Annecy",
    )
    window.button("Send the application").click()
    expect(window.page.get_by_text("Your application has arrived")).to_be_visible()
    window.ready()
    window.page.locator("#f-file").set_input_files({"name": "Kbis.pdf", "mimeType": "application/pdf", "buffer": PDF})
    window.button("Send the document").click()
    expect(window.page.get_by_text("Kbis.pdf has arrived.")).to_be_visible()
    expect(window.page.get_by_text("Your application has arrived")).to_be_visible()
    assert serious(window, axe) == []
    inside = open_window(size)
    inside.enter(ann)
    inside.goto("/suppliers/approvals?order=newest")
    inside.page.get_by_role("link", name=f"Gai {mark}").click()
    expect(inside.page.get_by_role("link", name="Kbis.pdf")).to_be_visible()


def test_several_are_decided_together_after_a_look(
    site: Site, ann: Person, open_window: Open, size: str, mark: str, axe: str
):
    names = [f"Quay {letter} {mark}" for letter in "ABC"]
    for name in names[:2]:
        factories.supplier(name)
    factories.supplier(names[2], entered_by=ann.actor.id)
    window = open_window(size)
    window.enter(ann)
    window.goto(f"/suppliers/approvals?q={mark}")
    for name in names:
        box = window.page.get_by_label(f"Select {name}")
        box.click()
        expect(box).to_be_checked()
    bar = window.page.get_by_role("toolbar", name="Selected suppliers")
    expect(bar).to_contain_text("3 selected")
    window.button("Approve…", within=bar).click()
    dialog = window.dialog()
    expect(dialog).to_contain_text("1 of 3 cannot be decided by you now.")
    expect(dialog).to_contain_text("You entered this supplier")
    expect(window.button("Approve all of them", within=dialog)).to_be_disabled()
    assert serious(window, axe) == []
    window.button("Leave them out", within=dialog).click()
    window.fill(dialog, reason="Known for years")
    window.button("Approve all of them", within=dialog).click()
    window.toast("Approved 2 suppliers")
    expect(window.page.get_by_label(f"Select {names[0]}")).to_have_count(0)
    expect(window.page.get_by_label(f"Select {names[2]}")).not_to_be_checked()


def test_an_account_is_entered_released_and_shown_whole_only_to_who_may(
    site: Site, ann: Person, open_window: Open, size: str, mark: str, axe: str
):
    found = factories.supplier(f"Quay {mark}", status="approved", approved_at=now()).id or 0
    window = open_window(size)
    window.enter(ann)
    window.goto(f"/suppliers/{found}")
    window.button("New account").click()
    dialog = window.dialog()
    expect(dialog.locator("[name=holder]")).to_have_value(f"Quay {mark}")
    window.fill(dialog, iban="DK50 0040 0440 1162 44", currency="dkk")
    window.button("Enter the account", within=dialog).click()
    expect(dialog).to_contain_text("The check digits do not fit.")
    window.fill(dialog, iban="DK50 0040 0440 1162 43")
    window.button("Enter the account", within=dialog).click()
    window.toast("waits for approval again")
    expect(window.page.get_by_text("DK50 ···· 6243").first).to_be_visible()
    expect(window.page.get_by_text("It waits for a decision.")).to_be_visible()
    assert serious(window, axe) == []
    other = open_window(size)
    other.enter(site.person("mia", "accountant"))
    other.goto(f"/suppliers/{found}")
    expect(other.page.get_by_text("DK50 0040 0440 1162 43").first).to_be_visible()
    other.page.get_by_role("link", name="Release or reject").click()
    other.page.wait_for_url("**/approvals?id=*")
    expect(other.page.get_by_text(f"Bank account of Quay {mark}").filter(visible=True).first).to_be_visible()


def test_a_supplier_is_suspended_and_reinstated_and_has_contacts_and_terms(
    site: Site, ann: Person, open_window: Open, size: str, mark: str, axe: str
):
    until = (now() + timedelta(days=10)).date()
    found = factories.supplier(f"Quay {mark}", status="approved", approved_at=now(), valid_until=until).id or 0
    window = open_window(size)
    window.enter(ann)
    window.goto(f"/suppliers/{found}")
    window.button("New contact").click()
    window.fill(window.dialog(), name="Marie Delamare", position="Invoices", email="marie@quay.example")
    window.button("Enter the contact", within=window.dialog()).click()
    window.toast("Entered Marie Delamare")
    expect(window.page.get_by_role("link", name="marie@quay.example")).to_be_visible()
    window.button("Change").click()
    window.fill(window.dialog(), payment_days="30", delivery_terms="DAP Oslo", minimum_order="250")
    window.button("Save", within=window.dialog()).click()
    window.toast("Saved the terms")
    expect(window.page.get_by_text("DAP Oslo").first).to_be_visible()
    window.button("Suspend…").click()
    window.fill(window.dialog(), reason="Glass in a jar")
    window.button("Suspend the supplier", within=window.dialog()).click()
    window.toast(f"Suspended Quay {mark}")
    expect(window.page.get_by_text("nothing can be ordered from it").first).to_be_visible()
    assert serious(window, axe) == []
    other = open_window(size)
    other.enter(site.person("nancy", "manager"))
    other.goto(f"/suppliers/{found}")
    other.button("Reinstate…").click()
    other.fill(other.dialog(), reason="New filling line")
    other.button("Reinstate the supplier", within=other.dialog()).click()
    other.toast(f"Reinstated Quay {mark}")
    other.goto("/suppliers/approvals")
    expect(other.page.get_by_text(f"ends {until:%-d %b %Y}").filter(visible=True).first).to_be_visible()
