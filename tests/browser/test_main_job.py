"""The product's main job from the first visit to the trail, in a real browser at both widths."""

import re
import secrets
from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from tests.fixtures.browser import Window
from tests.fixtures.seeing import Trail
from tests.fixtures.server import PASSWORD, Site

pytestmark = pytest.mark.browser

Open = Callable[..., Window]
OWN = "You entered this supplier, so somebody else must approve it."


def register(window: Window, username: str, full_name: str) -> None:
    window.goto("/register")
    window.fill(username=username, full_name=full_name, email=f"{username}@example.com", password=PASSWORD)
    window.button("Ask for an account").click()
    expect(window.page.get_by_text("waits for an administrator")).to_be_visible()


def let_in(window: Window, name: str, role: str) -> None:
    """Let somebody in who waits, and make the role their only one."""
    window.goto(f"/admin/users?tab=waiting&q={name}")
    window.button("Let in", within=window.row(name)).click()
    window.toast(f"Let {name} in")
    window.goto(f"/admin/users?q={name}")
    window.row(name).hover()
    window.button(f"What can be done with {name}", within=window.row(name)).click()
    window.page.get_by_role("menuitem", name="Change roles…").click()
    window.dialog().get_by_role("checkbox", name=role).check()
    for box in window.dialog().get_by_role("checkbox").all():
        box.set_checked(box.get_attribute("name") == f"role:{role}")
    window.button("Save the roles").click()
    window.toast(re.compile(rf"{name} is now {role}"))


def roles_of(site: Site, username: str) -> list[str]:
    with site.database.as_app() as connection:
        rows = connection.execute(
            "SELECT r.name FROM role r JOIN user_role ur ON ur.role_id = r.id JOIN user_info i ON i.id = ur.user_id"
            " JOIN local_user u ON u.id = i.user_id WHERE u.username = %s ORDER BY r.name",
            [username],
        ).fetchall()
    return [row[0] for row in rows]


def apply(window: Window, company: str) -> None:
    window.goto("/apply")
    window.fill(
        name=company,
        tax_id=f"GB{secrets.token_hex(4)}",
        contact_name="Carol Keys",
        email=f"carol@{secrets.token_hex(4)}.example",
        address="1 Quay Street",
        message="Bolts & nuts",
    )
    window.button("Send the application").click()
    expect(window.page.get_by_text("Your application has arrived")).to_be_visible()


def open_supplier(window: Window, company: str) -> None:
    window.goto(f"/suppliers/approvals?q={company.replace(' ', '+')}")
    window.page.get_by_role("link", name=company).first.click()
    expect(window.heading(company)).to_be_visible()
    window.ready()


def enter_supplier(window: Window, company: str) -> None:
    """Enter a supplier, and find that oneself cannot approve it."""
    window.goto("/suppliers/approvals")
    window.button("Enter a supplier").first.click()
    window.fill(window.dialog(), name=company, country="Norway")
    window.button("Enter the supplier", within=window.dialog()).click()
    window.toast(f"Entered {company}")
    window.ready()
    expect(window.page.get_by_text(OWN).filter(visible=True).first).to_be_visible()
    buttons = [window.page.get_by_role("button", name=re.compile(f"^{word}")) for word in ("Approve", "Reject")]
    for button in buttons:
        for shown in [one for one in button.all() if one.is_visible()]:
            expect(shown).to_be_disabled()


def approve(window: Window, company: str) -> None:
    open_supplier(window, company)
    if window.is_phone:
        window.button("Approve…").click()
        window.fill(window.dialog(), reason="Known for years")
        window.button("Approve the supplier").click()
    else:
        window.fill(reason="Known for years")
        window.button("Approve").click()
    window.toast(f"Approved {company}")


def new_location(window: Window, code: str, name: str) -> None:
    window.button("New location").click()
    window.fill(window.dialog(), code=code, name=name)
    window.button("Add the location").click()
    window.toast(name)


def new_item(window: Window, sku: str, name: str, location: str, quantity: str) -> None:
    window.button("New item").first.click()
    window.fill(window.dialog(), sku=sku, name=name, quantity=quantity)
    window.dialog().locator("[name=location_id]").select_option(label=location)
    window.button("Add the item").click()
    window.toast(f"Added {name}")
    expect(window.row(sku)).to_be_visible()


def act(window: Window, sku: str, action: str) -> None:
    """Choose an action of a row: beside it on a desk, in its menu on a phone."""
    row = window.row(sku)
    if window.is_phone:
        row.get_by_role("button", name=re.compile("^What can be done with")).click()
        window.page.get_by_role("menuitem", name=action).click()
    else:
        row.hover()
        window.button(action, within=row).click()
    expect(window.dialog()).to_be_visible()


def adjust(window: Window, sku: str, by: str, reason: str) -> None:
    act(window, sku, "Adjust")
    window.fill(window.dialog(), quantity=by, reason_code=reason, note="Fell off the shelf")
    window.button("Adjust", within=window.dialog()).click()
    window.toast("→")


def transfer(window: Window, sku: str, quantity: str, to: str) -> None:
    act(window, sku, "Transfer")
    options = window.dialog().locator("[name=to_location_id] option")
    label = options.filter(has_text=to).first.inner_text()
    window.dialog().locator("[name=to_location_id]").select_option(label=label)
    window.fill(window.dialog(), quantity=quantity, reason_code="relocated")
    window.dialog().get_by_role("button", name=re.compile("^Transfer")).click()
    window.toast(f"Moved {quantity}")


def count(window: Window, mark: str, counted: dict[str, str]) -> None:
    """Select the rows that the search shows and enter what is really there."""
    window.goto(f"/inventory?q={mark}")
    for place in counted:
        box = window.page.get_by_role("checkbox", name=re.compile(f"^Select .*{place}"))
        box.click()
        expect(box).to_be_checked()  # which is for the server to say
    window.button("Count", within=window.page.get_by_role("toolbar", name="Selected rows")).click()
    for place, quantity in counted.items():
        line = window.dialog().locator(".field").filter(has_text=place)
        line.locator("input.ctl").fill(quantity)
    window.fill(window.dialog(), reason_code="counted")
    window.button("Save the counts").click()
    window.toast(f"Updated {len(counted)} of {len(counted)} items")


def test_the_main_job_from_the_first_visit_to_the_trail(site: Site, site_trail: Trail, open_window: Open, size: str):
    mark = secrets.token_hex(3)
    bob, name = f"bob-{mark}", f"Bob {mark.upper()}"
    ada = site.person("ada", "admin")
    site.people[bob] = ("manager",)

    register(open_window(size), bob, name)

    hers = open_window(size)
    hers.goto("/login")
    hers.sign_in(ada)
    hers.at("/")
    let_in(hers, name, "manager")
    assert roles_of(site, bob) == ["manager"]

    company, own = f"Quay Metals {mark}", f"Bob's Own {mark}"
    apply(open_window(size), company)

    his = open_window(size)
    his.goto("/login")
    his.sign_in(bob)
    his.at("/")
    enter_supplier(his, own)
    approve(his, company)
    approve(hers, own)

    sku, first, second = f"SKU{mark}".upper(), f"North {mark}", f"South {mark}"
    his.goto("/locations")
    new_location(his, f"N{mark}", first)
    new_location(his, f"S{mark}", second)
    his.goto(f"/inventory?q={mark}")
    new_item(his, sku, f"Widget {mark}", first, "17")
    adjust(his, sku, "-2", "damaged")
    transfer(his, sku, "5", second)
    count(his, mark, {first: "9", second: "6"})

    with site.database.as_app() as connection:
        rows = connection.execute(
            "SELECT l.name, i.quantity FROM inventory_item i JOIN location l ON l.id = i.location_id"
            " JOIN product p ON p.id = i.product_id WHERE p.sku = %s",
            [sku],
        ).fetchall()
    assert dict(rows) == {first: Decimal(9), second: Decimal(6)}
    by_bob = {entry.name for entry in site_trail.operations(actor_name=bob, outcome="succeeded")}
    assert by_bob >= {
        "suppliers.create_supplier",
        "suppliers.approve_supplier",
        "catalog.create_location",
        "stock.create_inventory_item",
        "stock.adjust_inventory",
        "stock.transfer_inventory",
        "stock.bulk_update_inventory",
    }

    see_in_the_trail(hers, bob)


def see_in_the_trail(window: Window, username: str) -> None:
    """Find the count in the trail, with what every field was before and is now."""
    window.goto(f"/audit?q=actor:{username}")
    line = window.page.locator("details.op-row").filter(has_text=re.compile("count|bulk", re.IGNORECASE)).first
    line.locator("summary").click()
    expect(line.locator("del", has_text=re.compile(r"^10")).first).to_be_visible()
    expect(line.locator("ins", has_text=re.compile(r"^9")).first).to_be_visible()
