"""Every page at both widths, light and dark: it shows, complains about nothing, fits, and everybody can use it."""

import re
import secrets
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect
from sqlmodel import select

from inventory_app.context import acting_as, system_actor
from inventory_app.models.payments import Payment
from inventory_app.models.purchasing import PurchaseOrder
from inventory_app.models.suppliers import SupplierContact
from inventory_app.operations import change_sets, pricing, stock, suppliers
from inventory_app.operations._receipt_lines import Came
from inventory_app.operations._supplier_fields import Details
from inventory_app.pages._page import PAGES, Page
from inventory_app.permissions import Permission
from inventory_app.unit_of_work import open_session, transact
from tests import factories
from tests.fixtures.browser import SIZES, Window
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Person, Site
from tests.operations import buying, papers, payables
from tests.operations.ordered import came, ordered
from tests.papers import papers as papers_of
from tests.states.handlers import make_things, registered

pytestmark = pytest.mark.browser

Open = Callable[..., Window]
#: Importing the handlers has imported every page.
ROUTES = sorted(PAGES) if registered() else []
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = "async (tags) => (await axe.run(document, {runOnly: tags})).violations"


def serious(window: Window, axe: str) -> list[str]:
    """Return what the checker finds serious or critical on what is shown."""
    window.page.evaluate(axe)
    found: list[dict[str, Any]] = window.page.evaluate(_RUN, _TAGS)
    return [
        f"{finding['id']}: {node['html'][:200]} -- {' '.join(node['failureSummary'].split())[:300]}"
        for finding in found
        if finding["impact"] in ("serious", "critical")
        for node in finding["nodes"][:3]
    ]


def too_wide(window: Window) -> list[str]:
    """Return what reaches beyond the right edge, if one has to scroll sideways."""
    return window.page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
          [...document.querySelectorAll("body *")].filter((el) => el.getBoundingClientRect().right > innerWidth + 1)
          .slice(0, 5).map((el) => el.outerHTML.slice(0, 150))"""
    )


def a_set_of_changes(person: Person) -> int:
    """Propose the price and the reorder point of a product, one of which is in the way by now."""
    product = factories.product(f"SET-{secrets.token_hex(4)}".upper(), unit_price=Decimal(10)).id or 0
    with acting_as(person.actor):
        made = transact(change_sets.propose_prices, product_ids=[product], how="percent", value="5")
        change = [{"product_id": product, "price": "11"}]
        transact(pricing.update_pricing, updates=change, reason="Steel")
    return made.change_set_id


#: Longer than there is room for anywhere.
_LONG = "Green Valley Farms Cooperative Union of South-East Kent and Sussex (Holdings) {}"


def an_order(*, draft: bool = False) -> int:
    """Write one with lines of both kinds: a draft, or one that a supplier was asked for."""
    shop = buying.market(_LONG.format(secrets.token_hex(4)), codes=secrets.token_hex(3).upper())
    what = buying.tea(shop), buying.words("Repair of the goods lift including travel, by agreement of 3 November")
    with acting_as(factories.person(f"otto-{secrets.token_hex(3)}", "manager")):
        return buying.write(shop, *what).order_id if draft else buying.ordered(shop, None, *what)


def an_invoice() -> tuple[int, int]:
    """Record an invoice of which a part agrees; returns its order and itself."""
    placed = papers.order(
        factories.supplier(_LONG.format(secrets.token_hex(4)), status="approved").id,
        papers.Want(40, 10, received=40),
        papers.Want(60, 1_000, received=30),
        papers.Want(1, 1_200, stock=False),
    )
    with acting_as(system_actor("test")):
        lines = [papers.line(line, 40, 1_000) for line in placed.lines[:2]]
        return placed.id, papers.record(f"SB-{secrets.token_hex(4)}", *lines).invoice_id


def a_batch(person: Person) -> tuple[int, int]:
    """Pay an invoice in a batch; returns the batch and its payment."""
    supplier = factories.supplier(_LONG.format(secrets.token_hex(4)), status="approved").id or 0
    payables.account(supplier)
    made = payables.batch(person.actor, payables.invoice(supplier, 1_234_567).id or 0)
    payables.invoice(supplier, 1_234_567, "OPEN-1")
    with open_session() as session:
        return made.batch_id, session.scalars(select(Payment.id).where(Payment.batch_id == made.batch_id)).one() or 0


def address_of(page: Page, trail: Trail, person: Person) -> str:
    """Return an address of the page where there is something to see."""
    named = {
        "[operation]": lambda: str(trail.last(name="stock.adjust_inventory").id),
        "[supplier]": lambda: str(a_supplier()),
        "[change]": lambda: str(a_set_of_changes(person)),
        "[invoice]": lambda: str(an_invoice()[1]),
        "[item]": lambda: str(factories.item(quantity=5).id),
        "[product]": lambda: str(factories.product(secrets.token_hex(4).upper()).id),
        "[role]": lambda: "3",
        "[order]": lambda: str(_ORDERS.get(page.route.rpartition("/")[2], lambda: an_invoice()[0])()),
        "[receipt]": lambda: str(an_order_with_a_receipt()[1]),
        "[person]": lambda: str(person.id),
        "[payment]": lambda: str(a_batch(person)[1]),
        "[batch]": lambda: str(a_batch(person)[0]),
    }
    if page.permission == Permission.PORTAL_USE:
        # The newest: `of_a_supplier` has just made it.
        named["[order]"] = lambda: str(
            factories.arrange(
                lambda s: s.scalar(sa.select(sa.func.max(PurchaseOrder.id)).where(PurchaseOrder.number.is_not(None)))
            )
        )
    route = page.route.strip("/")
    for make in _ON.get(route, ()):
        make(person)
    query = f"?order={an_invoice()[0]}" if route == "invoices/new" else ""
    return re.sub(r"\[[^]]*\]", lambda part: named[part[0]](), "/" + route) + query


def a_supplier() -> int:
    """Enter one that has something of everything its page shows: a contact, an account, terms, an open invoice."""
    shop = buying.market(_LONG.format(secrets.token_hex(4)), codes=secrets.token_hex(3).upper(), city="Oslo")
    factories.add(SupplierContact(supplier_id=shop.supplier, name="Marie-Hélène de la Rochefoucauld", position="Sales"))
    payables.account(shop.supplier, holder=_LONG.format("A/S"))
    payables.invoice(shop.supplier, 1_234_567, f"R-{secrets.token_hex(4)}")
    return shop.supplier


def a_changed_supplier(person: Person) -> None:
    """Correct an approved supplier: it waits, with what was before and what is asked for side by side."""
    seller = a_supplier()
    details = Details(tax_id=secrets.token_hex(5), city="Aarhus", currency="DKK")
    renamed = {"supplier_id": seller, "version": 1, "name": f"Renamed {secrets.token_hex(4)}", "details": details}
    with acting_as(person.actor):
        transact(suppliers.update_supplier, **renamed)


def an_order_with_a_receipt() -> tuple[int, int]:
    """Order something that is kept by lot and something that is not kept, of which a part has come."""
    milk = factories.product(secrets.token_hex(4).upper(), name="Milk", lots_kept=True).id
    order = ordered(
        {"product_id": milk, "quantity": Decimal(9), "description": "Milk"},
        {"quantity": Decimal(2), "description": "Freight"},
    )
    with acting_as(system_actor("test")):
        return order.id, came(order, Came(order.lines[0], Decimal(4), lot_code="A1"), 1).receipt_id


#: Which order a page is about that is not simply about one, by the end of its route.
_ORDERS: dict[str, Callable[[], int]] = {
    "receive": lambda: an_order_with_a_receipt()[0],
    "edit": lambda: an_order(draft=True),
}
#: What is to stand on lists, by their routes.
_ON: dict[str, tuple[Callable[[Person], object], ...]] = {
    "orders": (lambda _: an_order(), lambda _: an_order(draft=True), lambda _: an_invoice()),
    "receipts": (lambda _: an_order_with_a_receipt(),),
    "receive": (lambda _: an_order_with_a_receipt(),),
    "invoices": (lambda _: an_invoice(),),
    "payments": (a_batch,),
    "payments/due": (a_batch,),
    "payments/ageing": (a_batch,),
    "suppliers": (lambda _: a_supplier(),),
    "suppliers/approvals": (a_changed_supplier,),
}


def of_a_supplier(site: Site) -> Person:
    """Make somebody of a supplier that has papers: the portal is theirs alone."""
    name = f"sue-{secrets.token_hex(3)}"
    return site.known(
        name, factories.supplier_person(name, papers_of(f"aa{secrets.token_hex(5)}").supplier), "supplier"
    )


@pytest.fixture
def ada(site: Site) -> Person:
    """An administrator in a company that has something of everything."""
    make_things(site)
    return site.person("ada", "admin")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("route", ROUTES)
def test_a_page_shows_fits_and_can_be_used_by_everybody(
    site: Site, site_trail: Trail, ada: Person, open_window: Open, axe: str, route: str, size: str, scheme: str
):
    page = PAGES[route]
    make_an_adjustment(site)
    window = open_window(size, scheme=scheme)
    if route == "404":
        window.allowed.append("404")
    if not page.public or route in ("/password", "/confirm"):
        window.enter(ada if page.permission != Permission.PORTAL_USE else of_a_supplier(site))
    window.goto(address_of(page, site_trail, ada))
    expect(window.page).to_have_title(re.compile(re.escape(page.title)))
    assert window.page.evaluate("document.documentElement.className").count(scheme) == 1
    assert too_wide(window) == []
    assert serious(window, axe) == []


def make_an_adjustment(site: Site) -> None:
    """Put an operation with before and after into the trail."""
    item, ann = factories.item(quantity=5), site.person("ann", "manager")
    with acting_as(ann.actor):
        transact(stock.adjust_inventory, item_id=item.id or 0, quantity=Decimal(1), reason_code="found")


def _from_row(window: Window, action: str) -> None:
    row = window.page.locator("tbody tr").first
    row.hover()
    if window.is_phone:
        row.get_by_role("button", name=re.compile("^What can be done")).click()
        window.page.get_by_role("menuitem", name=action).click()
    else:
        window.button(action, within=row).click()


def _count(window: Window) -> None:
    window.page.locator("tbody input.check").first.click()
    window.button("Count", within=window.page.get_by_role("toolbar", name="Selected rows")).click()
    expect(window.dialog()).to_be_visible()
    # With everything it can say.
    window.dialog().locator("input.ctl").first.fill("many")
    window.button("Save the counts", within=window.dialog()).click()
    window.fill(window.dialog(), reason_code="counted")
    window.button("Save the counts", within=window.dialog()).click()
    expect(window.dialog().locator(".count-line .field-error").first).to_be_visible()


def _correct(window: Window) -> None:
    window.page.locator("tbody a.rowlink").first.click()
    window.button("Correct").click()


def _pay(window: Window) -> None:
    window.page.locator("tbody").get_by_role("button", name=re.compile("^Pay ")).first.click()


def _take_back(window: Window) -> None:
    window.page.locator("tbody a.rowlink").first.click()
    window.button("Take back").click()


def _archive(window: Window) -> None:
    window.page.locator("tbody a.rowlink").first.click()
    window.button("Archive").click()


def _terms(window: Window) -> None:
    window.page.locator("tbody a.rowlink").first.click()
    window.button("New terms").click()


def _from_role(window: Window, action: str) -> None:
    window.page.get_by_role("button", name=re.compile("^What can be done with")).click()
    window.page.get_by_role("menuitem", name=action).click()


def _bulk_roles(window: Window) -> None:
    window.page.locator("tbody input.check").first.click()
    window.button("Change roles…").click()


def _bulk(action: str) -> Callable[[Window], None]:
    def show(window: Window) -> None:
        window.page.locator("tbody input.check").first.click()
        window.button(action).click()

    return show


def _from_menu(window: Window, action: str, says: str = "") -> None:
    row = window.row(says)
    row.hover()
    row.get_by_role("button", name=re.compile("^What can be done")).click()
    window.page.get_by_role("menuitem", name=action).click()


DIALOGS: dict[str, tuple[str, Callable[[Window], None]]] = {
    "a new item": ("/inventory", lambda w: w.button("New item").first.click()),
    "a new product": ("/products", lambda w: w.button("New product").first.click()),
    "correcting a product": ("/products", _correct),
    "archiving a product": ("/products?view=active", _archive),
    "a new category": ("/categories", lambda w: w.button("New category").click()),
    "a branch of the locations": ("/locations", lambda w: w.button("New location").click()),
    "a new unit": ("/settings/units", lambda w: w.button("New unit").click()),
    "new terms": ("/products", _terms),
    "a transfer": ("/inventory", lambda w: _from_row(w, "Transfer")),
    "a count": ("/inventory", _count),
    "a new price": ("/pricing", lambda w: _from_row(w, "Change the price")),
    "a price history": ("/pricing", lambda w: _from_row(w, "Price history")),
    "the prices of many": ("/pricing", _bulk("Change prices")),
    "many products": ("/pricing", _bulk("Change the products")),
    "correcting a supplier": ("/suppliers", _correct),
    "a supplier": ("/suppliers/approvals", lambda w: w.button("Enter a supplier").first.click()),
    "paying an invoice": (
        "/payments/due",
        lambda w: w.page.get_by_role("button", name=re.compile("^Pay ")).first.click(),
    ),
    "a batch of payments": ("/payments/due", _bulk("Pay as a batch")),
    "taking a payment back": ("/payments?status=posted", _take_back),
    "a new role": ("/admin/roles", lambda w: w.button("New role").click()),
    "a role's properties": ("/admin/roles/3", lambda w: w.button("Edit…").click()),
    "a copy of a role": ("/admin/roles/3", lambda w: _from_role(w, "Copy…")),
    "deactivating a role": ("/admin/roles/3", lambda w: _from_role(w, "Deactivate…")),
    "who has a permission": (
        "/admin/roles/3",
        lambda w: w.page.get_by_role("button", name="See stock inventory:view").click(),
    ),
    "inviting somebody": ("/admin/users", lambda w: w.button("Invite somebody").click()),
    "correcting an account": ("/admin/users?q=colleague", lambda w: _from_menu(w, "Edit…")),
    "a new password link": ("/admin/users?q=colleague", lambda w: _from_menu(w, "New password link…")),
    "withdrawing an invitation": (
        "/admin/users?q=ivy&tab=invited",
        lambda w: _from_menu(w, "Withdraw the invitation…", "Link ends"),
    ),
    "the roles of many": ("/admin/users?q=colleague", _bulk_roles),
    "somebody's roles": ("/admin/users?q=colleague", lambda w: _from_menu(w, "Change roles…")),
    "shutting somebody out": ("/admin/users?q=colleague", lambda w: _from_menu(w, "Disable…")),
}


#: What a button that stays on the page opens.
FROM_A_BUTTON = ("a new item", "a new product", "a supplier", "a new role", "inviting somebody", "paying an invoice")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dialog", DIALOGS)
def test_a_dialog_fits_can_be_used_by_everybody_and_closes_with_escape(
    ada: Person, open_window: Open, axe: str, dialog: str, size: str
):
    path, show = DIALOGS[dialog]
    window = open_window(size)
    window.enter(ada)
    window.goto(path)
    show(window)
    expect(window.dialog()).to_be_visible()
    assert window.dialog().evaluate("dialog => dialog.contains(document.activeElement)"), "the keyboard is elsewhere"
    assert too_wide(window) == []
    assert serious(window, axe) == []
    window.page.keyboard.press("Escape")
    expect(window.dialog()).to_have_count(0)
    if dialog in FROM_A_BUTTON:
        # Whoever works by keyboard goes on where they were, not at the top of the page.
        window.page.wait_for_function("document.activeElement.matches('button')")


@pytest.mark.parametrize("size", SIZES)
def test_whoever_may_not_see_a_page_is_told_which_permission_it_needs(
    site: Site, open_window: Open, axe: str, size: str
):
    window = open_window(size)
    window.enter(site.person("bob", "employee"))
    for path, permission in (("/admin/users", "users:view"), ("/audit", "audit:view")):
        window.goto(path)
        expect(window.heading("You may not see this page")).to_be_visible()
        expect(window.page.get_by_text(permission, exact=True)).to_be_visible()
    assert serious(window, axe) == []


@pytest.mark.parametrize("size", SIZES)
def test_an_address_that_does_not_exist_says_so(site: Site, open_window: Open, size: str):
    window = open_window(size)
    window.allowed += ["404"]
    window.goto("/nothing/here")
    expect(window.heading("There is nothing at this address")).to_be_visible()
    window.page.get_by_role("link", name="Go to the start page").click()
    window.at("/login")
