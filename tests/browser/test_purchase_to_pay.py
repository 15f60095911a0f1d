"""From a supplier's application to the last cent, in a real browser at both widths.

Application, approval, invitation and what the supplier sees run through the pages; the order, receipt, invoice and
payment in between are put there by `papers` until their own pages are in this walk.
"""

import re
import secrets
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect
from sqlmodel import col

from inventory_app.models._base import now
from inventory_app.models.suppliers import Supplier
from tests import factories
from tests.browser.test_main_job import apply, approve
from tests.browser.test_pages import serious, too_wide
from tests.browser.test_people import come_in, made_link
from tests.fixtures.browser import Window
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Person, Site
from tests.papers import Papers, papers

pytestmark = pytest.mark.browser

Open = Callable[..., Window]


def supplier_called(name: str) -> int:
    """Return the key of a supplier that came in by the pages."""
    return factories.arrange(lambda s: s.scalar(sa.select(col(Supplier.id)).where(col(Supplier.name) == name))) or 0


def invite(window: Window, supplier_id: int, username: str) -> str:
    """Invite somebody of a supplier on its page; returns the link."""
    window.goto(f"/suppliers/{supplier_id}")
    window.button("Invite").click()
    window.fill(window.dialog(), full_name="Ivy", username=username, email=f"{username}@example.com")
    window.button("Invite", within=window.dialog()).click()
    expect(window.heading(f"Invited {username}")).to_be_visible()
    return made_link(window)


def promise(window: Window, found: Papers) -> None:
    """Promise as the supplier when the order comes."""
    window.goto("/portal/orders")
    window.page.get_by_role("link", name=f"PO-{found.mark}").click()
    expect(window.heading(f"PO-{found.mark}")).to_be_visible()
    window.ready()
    window.fill(on=(now().date() + timedelta(days=9)).isoformat())
    window.button("Promise this day").click()
    window.toast(re.compile("is promised for"))


def sees_receipt_invoice_and_payment(window: Window, found: Papers) -> None:
    """Find as the supplier what came of the order."""
    expect(window.page.get_by_text(f"GR-{found.mark}")).to_be_visible()
    window.goto("/portal/invoices")
    expect(window.page.get_by_text(f"Invoice INV-{found.mark}")).to_be_visible()
    expect(window.page.get_by_text("Paid in part")).to_be_visible()
    window.goto("/portal/payments")
    expect(window.page.get_by_text(f"PAY-{found.mark}", exact=True)).to_be_visible()


def test_from_the_application_to_the_payment(site: Site, site_trail: Trail, open_window: Open, axe: str, size: str):
    mark = f"aa{secrets.token_hex(5)}"
    company, username = f"{mark.title()} Ltd", f"ivy-{mark}"

    apply(open_window(size), company)
    ann: Person = site.person("ann", "manager")
    buyer = open_window(size)
    buyer.enter(ann)
    approve(buyer, company)

    supplier_id = supplier_called(company)
    boss = open_window(size)
    boss.enter(site.person("ada", "admin"))
    site.people[username] = ("supplier",)
    link = invite(boss, supplier_id, username)

    found = papers(mark, supplier_id=supplier_id)

    theirs = open_window(size)
    come_in(theirs, link, username)
    theirs.at("/portal")
    expect(theirs.heading(company)).to_be_visible()
    promise(theirs, found)
    sees_receipt_invoice_and_payment(theirs, found)
    assert too_wide(theirs) == []
    assert serious(theirs, axe) == []
    names = [entry.name for entry in site_trail.operations(actor_name=username, outcome="succeeded")]
    assert "portal.confirm_delivery" in names
