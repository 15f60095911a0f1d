"""Roles in a real browser at both widths: pressing cells, by mouse and by keys, and what others did meanwhile."""

import secrets
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from inventory_app.context import acting_as
from inventory_app.operations import approvals, roles
from inventory_app.operations.roles import Change
from inventory_app.unit_of_work import read, transact
from tests import factories
from tests.fixtures.browser import Window
from tests.fixtures.server import Site

pytestmark = pytest.mark.browser

Open = Callable[..., Window]


@pytest.fixture
def name() -> str:
    """Name a role that no other test has."""
    return f"night {secrets.token_hex(3)}"


def cell(window: Window, permission: str) -> Locator:
    return window.page.locator(f'tr[data-row="{permission}"] td').first


def contents(site: Site, role_id: int) -> set[str]:
    with site.database.as_app() as connection:
        rows = connection.execute(
            "SELECT p.name FROM permission p JOIN role_permission l ON l.permission_id = p.id WHERE l.role_id = %s",
            [role_id],
        ).fetchall()
    return {row[0] for row in rows}


def test_cells_are_pressed_previewed_and_saved(site: Site, open_window: Open, name: str, axe: str, size: str):
    made, holder = factories.role(name, "inventory:view"), site.person("hal", name)
    window = open_window(size)
    window.enter(site.person("ada", "admin"))
    window.goto(f"/admin/roles?role={name.replace(' ', '+')}")
    if window.is_phone:
        window.page.get_by_role("link", name=name).click()
        window.at(f"/admin/roles/{made}")
    cell(window, "prices:view").click()
    expect(cell(window, "prices:view")).to_have_attribute("data-c", "+")
    expect(cell(window, "prices:view")).to_have_attribute("aria-label", "will be added")
    cell(window, "inventory:view").click()
    panel = window.page.get_by_role("complementary", name="Before you save")
    expect(panel.get_by_text(holder.name)).to_have_count(2)
    expect(panel.get_by_text("1 person loses it")).to_be_visible()
    window.page.evaluate(axe)
    window.fill(reason="Audit finding 11")
    window.button("Save 2 changes").click()
    window.toast(f"Saved 2 changes to {name}")
    expect(panel).to_have_count(0)
    expect(cell(window, "prices:view")).to_have_attribute("data-c", "1")
    assert contents(site, made) == {"prices:view"}


def test_the_keyboard_goes_from_cell_to_cell_and_presses(site: Site, open_window: Open, name: str):
    made = factories.role(name)
    window = open_window()
    window.enter(site.person("ada", "admin"))
    window.goto(f"/admin/roles?role={name.replace(' ', '+')}")
    cell(window, "users:view").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", " "):
        window.page.keyboard.press(key)
    expect(cell(window, "users:manage")).to_have_attribute("data-c", "+")
    assert cell(window, "users:manage").evaluate("td => td === document.activeElement")
    window.page.keyboard.press("Enter")
    expect(cell(window, "users:manage")).to_have_attribute("data-c", "0")
    assert contents(site, made) == set()


def test_what_somebody_else_saved_meanwhile_is_shown_on_top_of_ones_own(site: Site, open_window: Open, name: str):
    made, axel = factories.role(name, "inventory:view"), site.person("axel", "admin")
    window = open_window()
    window.enter(site.person("ada", "admin"))
    window.goto(f"/admin/roles/{made}")
    cell(window, "prices:view").click()
    expect(window.page.locator(".effect-sum")).to_be_visible()
    with acting_as(axel.actor):
        transact(roles.change_permissions, changes=[Change(made, 1, ["audit:view"], [])])
    window.button("Save 1 change").click()
    window.toast("Somebody else changed the role")
    expect(window.page.get_by_text(f"{axel.name} changed {name}: added audit:view.")).to_be_visible()
    expect(cell(window, "audit:view")).to_have_attribute("data-c", "1")
    expect(cell(window, "prices:view")).to_have_attribute("data-c", "+")
    window.button("Save 1 change").click()
    window.toast(f"Saved 1 change to {name}")
    assert contents(site, made) == {"inventory:view", "prices:view", "audit:view"}


def test_a_role_is_made_filled_copied_and_switched_off(site: Site, open_window: Open, name: str, size: str):
    window = open_window(size)
    window.enter(site.person("ada", "admin"))
    window.goto("/admin/roles")
    window.button("New role").click()
    window.fill(window.dialog(), name=name, description="After six")
    window.button("Make the role").click()
    window.toast(f"Made the role {name}")
    expect(window.button(f"What can be done with {name}")).to_be_visible()
    cell(window, "inventory:view").click()
    window.button("Save 1 change").click()
    window.toast("Saved 1 change")
    window.button(f"What can be done with {name}").click()
    window.page.get_by_role("menuitem", name="Deactivate…").click()
    window.button("Deactivate the role").click()
    window.toast(f"{name} counts for nothing now")
    expect(window.page.get_by_text("Deactivated", exact=True).first).to_be_visible()


def test_a_person_says_through_what_they_may_and_why_they_may_not(site: Site, open_window: Open, axe: str, size: str):
    ann, ada = site.person("ann", "manager"), site.person("ada", "admin")
    wanted = factories.supplier(f"{secrets.token_hex(4)} Ltd", source="staff", entered_by=ann.id)
    window = open_window(size)
    window.enter(ada)
    window.goto(f"/admin/users?q={ann.username}")
    window.page.get_by_role("link", name=ann.name).click()
    window.at(f"/admin/users/{ann.id}")
    line = window.page.locator(".held-list li").filter(has_text="suppliers:approve")
    expect(line.get_by_role("link", name="manager")).to_be_visible()
    may_not = window.page.locator(".held-list li").filter(has_text="users:manage")
    may_not.get_by_role("button", name="may not: why?").click()
    expect(window.page.get_by_text(f"{ann.name} does not hold the permission")).to_be_in_viewport()
    window.goto(f"/suppliers/approvals?id={wanted.id}")
    window.page.get_by_role("link", name="Why can’t somebody approve it?").click()
    window.at("/admin/explain")
    window.page.get_by_role("textbox", name="Who").fill(ann.username)
    expect(window.page.get_by_text("You entered this supplier, so somebody else must approve it.")).to_be_visible()


def test_a_way_around_agreement_is_refused_in_words_and_taking_it_off_waits(site: Site, open_window: Open, name: str):
    """Of the default roles only `admin` gives `roles:manage`, and that one counts for nothing here."""
    made = factories.role(name, "inventory:view")
    keeper = factories.role(f"{name} keeper", "roles:manage")
    window = open_window()
    window.enter(site.person("ada", "admin"))
    window.goto(f"/admin/roles/{keeper}")
    window.button("Edit…").click()
    window.page.get_by_label("Somebody else must agree before anybody gets it").check()
    window.button("Save the role").click()
    window.toast(f"Saved {name} keeper")
    window.goto(f"/admin/roles/{made}")
    expect(window.page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    cell(window, "roles:manage").click()
    panel = window.page.get_by_role("complementary", name="Before you save")
    expect(panel.get_by_text(f"{name} must ask for the same")).to_be_visible()
    expect(window.button("Save 1 change")).to_be_disabled()
    window.button("Discard").click()
    window.goto(f"/admin/roles/{keeper}")
    expect(window.page.get_by_role("heading", level=1, name=f"{name} keeper")).to_be_visible()
    window.button("Edit…").click()
    window.page.get_by_label("Somebody else must agree before anybody gets it").uncheck()
    window.button("Save the role").click()
    window.toast("waits for somebody else's agreement")
    expect(window.page.get_by_text("Somebody asked that it shall be given without agreement")).to_be_visible()
    axel = site.person("axel", "admin")
    with acting_as(axel.actor):
        (waiting,) = [
            one for one in read(approvals.waiting_for_me, kind="role_safeguard").rows if f"{name} keeper" in one.title
        ]
        transact(approvals.approve, approval_id=waiting.id)
    window.goto(f"/admin/roles/{keeper}")
    expect(window.page.get_by_text("Giving it needs approval")).to_have_count(0)
    # Nothing is left behind that the roles of other tests would run into.
    with acting_as(axel.actor):
        transact(roles.change_permissions, changes=[Change(keeper, 3 + 1, [], ["roles:manage"])])


def test_of_admin_the_second_factor_can_be_chosen_and_nothing_else(site: Site, open_window: Open, size: str):
    window = open_window(size)
    window.enter(site.person("ada", "admin"))
    window.goto("/admin/roles/1")
    window.button("Edit…").click()
    dialog = window.dialog()
    expect(dialog.get_by_label("Whoever holds it signs in with a second factor")).to_be_enabled()
    expect(dialog.get_by_label("Somebody else must agree before anybody gets it")).to_have_count(0)
    for field in ("name", "description"):
        expect(dialog.locator(f"[name={field}]")).to_have_attribute("readonly", "")


def test_between_two_roles_nothing_of_the_first_can_be_pressed(site: Site, open_window: Open, name: str):
    first, second = factories.role(name, "inventory:view"), factories.role(name + " two")
    window = open_window()
    window.enter(site.person("ada", "admin"))
    window.goto(f"/admin/roles/{first}")
    expect(cell(window, "inventory:view")).to_have_attribute("data-c", "1")
    # The way that a link goes: the address changes at once, the server answers later.
    seen = window.page.evaluate(
        """([path, name]) => new Promise((done) => {
          const seen = [];
          new MutationObserver((_, watching) => {
            const now = document.querySelector("[data-grid] th a")?.textContent ?? "";
            if (seen.at(-1) !== now) seen.push(now);
            if (now === name) { watching.disconnect(); done(seen); }
          }).observe(document, { subtree: true, childList: true, characterData: true });
          history.pushState(null, "", path);
          dispatchEvent(new PopStateEvent("popstate", { state: null }));
        })""",
        [f"/admin/roles/{second}", name + " two"],
    )
    assert seen[-2:] == ["", name + " two"]
    cell(window, "inventory:view").click()
    expect(cell(window, "inventory:view")).to_have_attribute("data-c", "+")
    expect(window.page.get_by_role("heading", name=name + " two")).to_be_visible()
