"""From a supplier's application to the last cent, in a real browser at both widths and through the pages alone.

Only what is bought and where it is put away are there before. Everybody has a window of their own, as in a company:
who buys, who agrees, who receives (always with a phone), who records, who releases, who pays, and the supplier.
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
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
from tests.browser.test_supplier_life import PDF
from tests.fixtures.browser import Window
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Person, Site

pytestmark = pytest.mark.browser

Open = Callable[..., Window]
IBAN = "DK50 0040 0440 1162 43"


@dataclass
class Deal:
    """What is bought of whom, and the papers that come of it, as the pages name them."""

    mark: str
    sku: str
    place: int
    supplier: int = 0
    order: int = 0
    number: str = ""
    receipts: list[str] = field(default_factory=list)
    invoice: str = ""
    payment: str = ""

    @property
    def company(self) -> str:
        """What the supplier is called."""
        return f"{self.mark.title()} Ltd"

    @property
    def paper(self) -> str:
        """The number that the supplier gives its invoice."""
        return f"INV-{self.mark}"


@dataclass
class Company:
    """Opens a window for somebody with a role, the first time they are needed."""

    site: Site
    open_window: Open
    size: str
    known: dict[str, tuple[Person, Window]] = field(default_factory=dict)

    def window(self, name: str, role: str, size: str = "") -> Window:
        """Return somebody's window."""
        if name not in self.known:
            person, window = self.site.person(name, role), self.open_window(size or self.size)
            window.enter(person)
            self.known[name] = person, window
        return self.known[name][1]

    def did(self, trail: Trail, name: str) -> set[str]:
        """Return what somebody has done, by the trail."""
        username = self.known[name][0].username
        return {entry.name for entry in trail.operations(actor_name=username, outcome="succeeded")}


def usable(window: Window, axe: str) -> None:
    """See that it fits, that everybody can use it, and that nothing has failed."""
    assert too_wide(window) == []
    assert serious(window, axe) == []
    expect(window.page.locator("[data-sonner-toast][data-type=error]")).to_have_count(0)


def number_in(window: Window) -> int:
    """Return the key at the end of the address."""
    return int(window.page.url.partition("?")[0].rstrip("/").rpartition("/")[2])


def titled(window: Window) -> str:
    """Return what the page calls what it shows: beside it stand badges."""
    return window.page.locator("h1 .h1-text").inner_text().strip()


def applies(window: Window, deal: Deal) -> None:
    """Apply as a company does, with a document."""
    apply(window, deal.company)
    window.ready()
    window.page.locator("#f-file").set_input_files({"name": "Kbis.pdf", "mimeType": "application/pdf", "buffer": PDF})
    window.button("Send the document").click()
    expect(window.page.get_by_text("Kbis.pdf has arrived.")).to_be_visible()
    statement = sa.select(col(Supplier.id)).where(col(Supplier.name) == deal.company)
    deal.supplier = factories.arrange(lambda session: session.scalar(statement)) or 0


def enters_an_account(window: Window, deal: Deal) -> None:
    """Enter where money is to go: somebody else must release it, and look at the supplier again."""
    window.goto(f"/suppliers/{deal.supplier}")
    expect(window.page.get_by_role("link", name="Kbis.pdf")).to_be_visible()
    window.button("New account").click()
    window.fill(window.dialog(), iban=IBAN, currency="usd")
    window.button("Enter the account", within=window.dialog()).click()
    window.toast("waits for approval again")
    expect(window.page.get_by_text("Waits for release").first).to_be_visible()
    expect(window.page.get_by_role("link", name="Release or reject")).to_have_count(0)


def releases_the_account(window: Window, deal: Deal) -> None:
    """Release the account somebody else has entered."""
    window.goto(f"/suppliers/{deal.supplier}")
    window.page.get_by_role("link", name="Release or reject").click()
    window.page.wait_for_url("**/approvals?id=*")
    expect(window.heading(f"Bank account of {deal.company}")).to_be_visible()
    decides(window, "Rang them at the old number")
    window.toast("Approved: Bank account of")


def decides(window: Window, reason: str) -> None:
    """Agree to the request that is open."""
    expect(window.button("Approve").and_(window.page.locator(":enabled"))).to_be_visible()
    window.ready()
    window.page.locator("#f-reason").fill(reason)
    window.button("Approve").click()


def invites(window: Window, deal: Deal, username: str) -> str:
    """Invite somebody of the supplier on its page; returns the link."""
    window.goto(f"/suppliers/{deal.supplier}")
    window.button("Invite").click()
    window.fill(window.dialog(), full_name="Ivy", username=username, email=f"{username}@example.com")
    window.button("Invite", within=window.dialog()).click()
    expect(window.heading(f"Invited {username}")).to_be_visible()
    return made_link(window)


def writes_an_order(window: Window, deal: Deal, axe: str) -> None:
    """Write an order of 100 things of 110, and of something that is not kept in stock, and submit it."""
    window.goto("/orders/new")
    form = window.page.locator("form.form").first
    window.fill(form, supplier_id=str(deal.supplier), location_id=str(deal.place))
    lines = window.page.locator(".edit-lines li")
    lines.first.get_by_label("Product").fill(deal.sku)
    window.page.keyboard.press("Tab")
    expect(lines.first.locator(".line-hint")).to_contain_text(f"Press {deal.mark}")
    window.fill(lines.first, **{"quantity:1": "100", "unit_cost:1": "110"})
    window.fill(lines.nth(1), **{"description:2": "Setting up", "quantity:2": "1", "unit_cost:2": "1200"})
    usable(window, axe)
    window.button("Save the draft").click()
    window.toast("saved")
    window.page.wait_for_url(re.compile(r"/orders/\d+$"))
    window.ready()
    deal.order = number_in(window)
    window.button("Submit").click()
    window.toast("It waits until 2 people approve it.")
    expect(window.page.get_by_text("You created this order, so somebody else must approve it.")).to_be_visible()
    deal.number = titled(window)
    assert re.fullmatch(r"PO-\d{4}-\d{4,}", deal.number)


def approves_the_order(window: Window, deal: Deal, said: str) -> None:
    """Agree to the order on its page."""
    window.goto(f"/orders/{deal.order}")
    window.page.get_by_role("button", name="Approve…").click()
    window.fill(window.dialog(), reason="As budgeted")
    window.button("Approve", within=window.dialog()).click()
    window.toast(said)


def places_the_order(window: Window, deal: Deal, axe: str) -> None:
    """Send it; who buys has the page open all the time."""
    expect(window.page.locator(".page-head .badge").first).to_have_text("Approved")
    window.page.get_by_label("Order", exact=True).click()
    window.toast("ordered")
    expect(window.page.locator(".order-steps li[aria-current=step]")).to_contain_text("Ordered")
    usable(window, axe)


def promises(window: Window, deal: Deal) -> None:
    """Promise as the supplier when the order comes."""
    window.goto("/portal/orders")
    window.page.get_by_role("link", name=deal.number).click()
    expect(window.heading(deal.number)).to_be_visible()
    window.ready()
    window.fill(on=(now().date() + timedelta(days=9)).isoformat())
    window.button("Promise this day").click()
    window.toast(re.compile("is promised for"))


def receives(window: Window, deal: Deal, axe: str, *, came: dict[str, str], note: str) -> None:
    """Find the order as at the dock, and book what came of its lines."""
    window.goto("/receive")
    window.page.locator("[data-scan]").fill(deal.number)
    window.page.locator("[data-scan]").press("Enter")
    window.page.wait_for_url(re.compile(rf"/orders/{deal.order}/receive"))
    window.ready()
    for what, quantity in came.items():
        window.page.get_by_label(f"Came of {what}").fill(quantity)
    window.page.get_by_label("Delivery note").fill(note)
    usable(window, axe)
    window.button("Book what came").click()
    window.page.wait_for_url(re.compile(r"/receipts/\d+$"))
    window.toast(f"received for {deal.number}")
    expect(window.heading("GR-")).to_be_visible()
    deal.receipts.append(titled(window))
    expect(window.page.get_by_text(note)).to_be_visible()
    usable(window, axe)


def records_the_invoice(window: Window, deal: Deal, axe: str) -> None:
    """Copy an invoice over ten more than came: it is blocked, and the page shows why, side by side."""
    window.goto(f"/orders/{deal.order}")
    window.page.get_by_role("link", name="Record invoice").first.click()
    window.at(f"/invoices/new?order={deal.order}")
    quantity = window.page.locator("[name='quantity:1']")
    expect(quantity).to_have_value("100")
    window.fill(number=deal.paper, invoice_date=now().date().isoformat(), gross="13300")
    quantity.fill("110")
    quantity.press("Tab")
    expect(window.page.locator(".paper-totals")).to_contain_text("13,300.00")
    window.button("Record it").click()
    window.toast("so it is blocked")
    window.page.wait_for_url(re.compile(r"/invoices/\d+$"))
    window.ready()
    deal.invoice = f"/invoices/{number_in(window)}"
    expect(window.page.get_by_text("10 too many invoiced").filter(visible=True).first).to_be_visible()
    match = window.page.get_by_role("table", name="Three-way match")
    expect(match).to_contain_text(deal.sku)
    line = match.locator("tbody tr").filter(has_text=deal.sku)
    # On a phone in one sentence, at a desk in columns of their own.
    for quantity_there in ("ordered 100", "received 100", "invoiced 110") if window.is_phone else ("100", "110"):
        expect(line.get_by_text(quantity_there).filter(visible=True).first).to_be_visible()
    expect(window.page.get_by_text("You recorded this, so somebody else must release it.")).to_be_visible()
    expect(window.page.get_by_role("button", name="Pay", exact=True)).to_have_count(0)
    usable(window, axe)


def records_the_credit_note(window: Window, deal: Deal) -> None:
    """Take off what was too many; then the invoice agrees."""
    window.goto(deal.invoice)
    window.page.get_by_role("link", name="Record credit note").click()
    expect(window.page.locator("[name='quantity:1']")).to_have_value("10")
    window.fill(number=f"C-{deal.mark}", invoice_date=now().date().isoformat(), gross="1100")
    window.button("Record it").click()
    window.toast("it agrees")
    window.goto(deal.invoice)
    expect(window.page.locator(".page-head .badge").first).to_have_text("Matched")


def releases_the_invoice(window: Window, deal: Deal, axe: str) -> None:
    """Let it be paid all the same, as somebody who did not record it."""
    window.goto("/invoices?tab=blocked&q=" + deal.mark)
    window.page.get_by_role("link", name=deal.paper).click()
    window.at(deal.invoice)
    window.button("Release…").click()
    window.fill(window.dialog(), reason="The ten are on their way")
    usable(window, axe)
    window.button("Release it", within=window.dialog()).click()
    window.toast(f"Released {deal.paper}")
    expect(window.page.locator(".page-head .badge").first).to_have_text("Released")


def cannot_pay(window: Window, deal: Deal) -> None:
    """Read as who has recorded the invoice that somebody else must pay it."""
    window.goto(deal.invoice)
    window.page.get_by_role("button", name="Pay", exact=True).first.click()
    expect(window.dialog()).to_contain_text(f"You recorded the invoice {deal.paper}, so somebody else must pay.")
    window.page.keyboard.press("Escape")
    expect(window.dialog()).to_have_count(0)


def pays(window: Window, deal: Deal, axe: str, *, credit: bool) -> None:
    """Pay all that is open, the credit note set off: above the limit it waits for somebody else."""
    window.goto(f"/payments/due?q={deal.mark}")
    window.button(f"Pay {deal.paper}").click()
    dialog = window.dialog()
    expect(dialog.locator("[name=amount]")).to_have_value("13300.00")
    expect(dialog.locator("#f-pay-account option:checked")).to_have_text(re.compile("DK50 0040"))
    if credit:
        dialog.get_by_label(re.compile(f"C-{deal.mark}")).check()
    usable(window, axe)
    window.button("Pay", within=dialog).click()
    window.toast("waits for somebody else to agree")
    window.goto(f"/payments?q={deal.mark}")
    link = window.page.locator("tbody a.rowlink").first
    deal.payment = link.inner_text().strip()
    link.click()
    expect(window.page.get_by_text("It waits for somebody else.")).to_be_visible()
    usable(window, axe)


def agrees_to_the_payment(window: Window, deal: Deal, amount: str) -> None:
    """Agree to the payment from its own page."""
    window.goto(f"/payments?q={deal.mark}")
    window.page.get_by_role("link", name=deal.payment).click()
    window.page.get_by_role("link", name="Look at the request").click()
    window.page.wait_for_url("**/approvals?id=*")
    expect(window.page.get_by_text(amount).filter(visible=True).first).to_be_visible()
    decides(window, "As invoiced")
    window.toast("Approved:")


def owes_nothing(window: Window, deal: Deal, axe: str) -> None:
    """Find the statement even to the cent, and the invoice paid."""
    window.goto(f"/suppliers/{deal.supplier}")
    expect(window.page.get_by_role("table", name="Statement")).to_contain_text(deal.paper)
    expect(window.page.get_by_text("Nothing is owed", exact=True)).to_be_visible()
    usable(window, axe)
    window.goto(deal.invoice)
    expect(window.page.locator(".page-head .badge").first).to_have_text("Paid")


def sees_its_papers(window: Window, deal: Deal, axe: str) -> None:
    """Find as the supplier what came of the order."""
    window.goto(f"/portal/orders/{deal.order}")
    for receipt in deal.receipts:
        expect(window.page.get_by_text(receipt).first).to_be_visible()
    window.goto("/portal/invoices")
    expect(window.page.get_by_text(deal.paper).first).to_be_visible()
    window.goto("/portal/payments")
    expect(window.page.get_by_text(deal.payment, exact=True).filter(visible=True).first).to_be_visible()
    usable(window, axe)


def sees_every_step(window: Window, deal: Deal) -> None:
    """Read in the trail what became of the order, and who did it."""
    window.goto(f"/audit?q=record%3Apurchase_order%2F{deal.order}")
    for step in ("create_order", "submit_order", "approve_order", "place_order"):
        expect(window.page.locator("details.op-row").filter(has_text=f"orders.{step}").first).to_be_visible()
    expect(window.page.locator("details.op-row").filter(has_text="receiving.receive_goods")).to_have_count(2)


def test_from_the_application_to_the_last_cent(site: Site, site_trail: Trail, open_window: Open, axe: str, size: str):
    mark = f"aa{secrets.token_hex(5)}"
    product = factories.product(f"PRESS{mark}".upper(), name=f"Press {mark}")
    deal = Deal(mark, product.sku, factories.location(f"HALL{mark}".upper(), name=f"Hall {mark}").id or 0)
    people = Company(site, open_window, size)
    username = f"ivy-{mark}"

    applies(open_window(size), deal)
    ann = people.window("ann", "manager")
    approve(ann, deal.company)
    bo = people.window("bo", "manager")
    enters_an_account(bo, deal)
    releases_the_account(people.window("mia", "accountant"), deal)
    approve(ann, deal.company)
    site.people[username] = ("supplier",)
    ada = people.window("ada", "admin")
    link = invites(ada, deal, username)

    writes_an_order(bo, deal, axe)
    approves_the_order(ann, deal, "1 of 2")
    nancy = people.window("nancy", "manager")
    approves_the_order(nancy, deal, "agreed to. It can be sent.")
    places_the_order(bo, deal, axe)
    theirs = open_window(size)
    come_in(theirs, link, username)
    theirs.at("/portal")
    promises(theirs, deal)

    rosa = people.window("rosa", "employee", "phone")
    receives(rosa, deal, axe, came={f"Press {mark}": "60", "Setting up": "1"}, note=f"DN-1-{mark}")
    receives(rosa, deal, axe, came={f"Press {mark}": "40"}, note=f"DN-2-{mark}")

    cleo = people.window("cleo", "accountant")
    records_the_invoice(cleo, deal, axe)
    # One way out at each width.
    by_credit_note = size == "desk"
    if by_credit_note:
        records_the_credit_note(cleo, deal)
    else:
        releases_the_invoice(nancy, deal, axe)
    cannot_pay(cleo, deal)
    paula = people.window("paula", "accountant")
    pays(paula, deal, axe, credit=by_credit_note)
    agrees_to_the_payment(people.window("quinn", "accountant"), deal, "12,200.00" if by_credit_note else "13,300.00")
    owes_nothing(paula, deal, axe)
    sees_its_papers(theirs, deal, axe)
    sees_every_step(ada, deal)

    way_out = ("cleo", {"invoices.record_credit_note"}) if by_credit_note else ("nancy", {"invoices.release_invoice"})
    steps = (
        ("ann", {"suppliers.approve_supplier", "orders.approve_order"}),
        ("bo", {"bank_accounts.add_bank_account", "orders.create_order", "orders.submit_order", "orders.place_order"}),
        ("mia", {"approvals.approve"}),
        ("nancy", {"orders.approve_order"}),
        ("rosa", {"receiving.receive_goods"}),
        ("cleo", {"invoices.record_invoice"}),
        way_out,
        ("paula", {"payments.process_payment"}),
        ("quinn", {"approvals.approve"}),
    )
    for name, did in steps:
        assert people.did(site_trail, name) >= did, name
    names = [entry.name for entry in site_trail.operations(actor_name=username, outcome="succeeded")]
    assert "portal.confirm_delivery" in names
