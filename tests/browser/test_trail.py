"""The trail as people read it: by their own clock, technical things folded away, and from a record to its history."""

import re
import secrets
from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from inventory_app.context import acting_as
from inventory_app.models.users import Role
from inventory_app.operations import stock
from inventory_app.unit_of_work import transact
from tests import factories
from tests.fixtures.browser import Window
from tests.fixtures.server import Person, Site

pytestmark = pytest.mark.browser

Open = Callable[..., Window]


@pytest.fixture
def olga(site: Site) -> Person:
    return site.person("olga", "admin")


@pytest.fixture
def mark(site: Site, olga: Person) -> str:
    """Return a word that only the one item has in its name of which Olga found three more."""
    mark = secrets.token_hex(4)
    product = factories.product(f"SKU{mark}".upper(), name=f"Widget {mark}")
    item = factories.item(product.id, factories.location(f"N{mark}".upper(), name=f"North {mark}").id, quantity=20)
    with acting_as(olga.actor):
        transact(stock.adjust_inventory, item_id=item.id or 0, quantity=Decimal(3), reason_code="found")
    return mark


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_an_item_leads_to_its_history_in_words_with_technical_fields_folded_away(
    open_window: Open, olga: Person, mark: str, size: str
):
    window = open_window(size)
    window.enter(olga)
    window.goto(f"/inventory?q={mark}")
    row = window.row(f"Widget {mark}")
    if window.is_phone:
        row.get_by_role("button", name=re.compile("^What can be done with")).click()
        window.page.get_by_role("menuitem", name="History").click()
    else:
        row.hover()
        row.get_by_role("link", name="History").click()
    window.page.wait_for_url(re.compile(r"/audit/?\?q=record%3Ainventory_item%2F\d+"))
    window.ready()
    page = window.page
    expect(page.get_by_text("Everything that happened to")).to_contain_text(f"Widget {mark} at North {mark}")
    expect(page.locator(".found-count")).to_contain_text("2 operations")
    line = page.locator(".op-row").filter(has_text="stock.adjust_inventory")
    line.locator("summary").first.click()
    change = line.locator(".op-change").filter(has_text="Stock item").first
    expect(change).to_contain_text("On hand")
    expect(change).to_contain_text("23 pcs")
    expect(change.get_by_text("sequence", exact=True)).to_be_hidden()
    change.get_by_text("Show 3 technical fields").click()
    expect(change.get_by_text("sequence", exact=True)).to_be_visible()
    assert line.locator(":scope").evaluate("line => line.open"), "unfolding closed the operation"


def test_days_are_those_of_the_browser(open_window: Open, olga: Person):
    window = open_window()
    window.enter(olga)
    window.goto("/audit")
    zone = window.page.evaluate("new Intl.DateTimeFormat().resolvedOptions().timeZone")
    expect(window.page.locator(".facets .facet-note")).to_contain_text(zone.replace("_", " "))
    assert f"zone={zone}" in window.page.evaluate("document.cookie")


def test_a_role_that_cannot_be_given_is_greyed_out_with_the_reason(site: Site, open_window: Open):
    name = f"clerk-{secrets.token_hex(3)}"

    def build(session):
        role = Role(name=name, description="Looks after accounts")
        session.add(role)
        session.flush()
        role.set_permissions(["users:assign_roles"], session)

    factories.arrange(build)
    clare, colleague = site.person("clare", name, "auditor"), site.person("colleague")
    window = open_window()
    window.enter(clare)
    window.goto(f"/admin/users?q={colleague.username}")
    window.row(colleague.username).hover()
    window.button("Change roles", within=window.row(colleague.username)).click()
    dialog = window.dialog()
    expect(dialog.get_by_role("checkbox", name=re.compile("^admin"))).to_be_disabled()
    expect(dialog.get_by_text("You do not hold what is in it").first).to_be_visible()
    own = dialog.get_by_role("checkbox", name=re.compile(f"^{name}"))
    expect(dialog.get_by_text("Looks after accounts · 1 permission")).to_be_visible()
    own.check()
    window.button("Save the roles", within=dialog).click()
    window.toast(f"is now {name}")
