"""People at both widths: invited by a link and in, a new password by a link, the roles of many at once, a picture."""

import io
import re
import secrets
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import expect

from inventory_app.context import acting_as
from inventory_app.operations import suppliers, users
from inventory_app.unit_of_work import transact
from tests import factories
from tests.browser.test_factors import age_the_proofs
from tests.browser.test_pages import serious, too_wide
from tests.fixtures.browser import Window
from tests.fixtures.server import PASSWORD, Person, Site

pytestmark = pytest.mark.browser
Open = Callable[..., Window]
PEOPLE = "/admin/users"
NEW_PASSWORD = "seven violet tractors at noon"


@pytest.fixture
def ada(site: Site) -> Person:
    return site.person("ada", "admin")


def made_link(window: Window) -> str:
    """Return the link that the dialog shows, and close it."""
    shown = window.dialog().locator("#f-link")
    expect(shown).to_have_value(re.compile(r"/link#[\w-]{43}$"))
    expect(window.dialog().get_by_text("for 72 hours")).to_be_visible()
    expect(window.dialog().get_by_text("No mail server is set up here")).to_be_visible()
    link = shown.input_value()
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    window.button("Copy the link").click()
    window.toast("Copied the link")
    assert window.page.evaluate("navigator.clipboard.readText()") == link
    window.button("Done").click()
    expect(window.dialog()).to_have_count(0)
    return link


def come_in(window: Window, link: str, username: str) -> None:
    """Open a link, choose a password and sign in with it."""
    window.goto(link.removeprefix(window.site.origin))
    window.fill(password="password1234")
    window.button("Set the password").click()
    expect(window.page.locator("#f-password")).to_have_attribute("aria-invalid", "true")
    window.fill(password=NEW_PASSWORD)
    window.button("Set the password").click()
    window.at("/login")
    expect(window.page.get_by_text(f"Your password is set. Sign in as {username}.")).to_be_visible()
    window.sign_in(username, NEW_PASSWORD)
    window.at("/")


def do(window: Window, username: str, action: str) -> None:
    """Choose something from the menu of a row."""
    row = window.row(username)
    row.hover()
    row.get_by_role("button", name=re.compile("^What can be done")).click()
    window.page.get_by_role("menuitem", name=action).click()


def test_somebody_is_invited_chooses_a_password_and_is_in(
    site: Site, ada: Person, open_window: Open, axe: str, size: str
):
    name = f"ivy-{secrets.token_hex(3)}"
    window = open_window(size)
    window.enter(ada)
    window.goto(PEOPLE)
    window.button("Invite somebody").click()
    window.fill(window.dialog(), full_name="Ivy Marsh", username="x", email=f"{name}@example.com")
    window.button("Invite", within=window.dialog()).click()
    expect(window.dialog().get_by_text("Use 3 to 40 letters")).to_be_visible()
    assert serious(window, axe) == []
    assert too_wide(window) == []
    window.fill(window.dialog(), username=name)
    window.dialog().get_by_text("auditor", exact=True).click()
    window.button("Invite", within=window.dialog()).click()
    expect(window.dialog().get_by_text(f"Invited {name}")).to_be_visible()
    assert serious(window, axe) == []
    assert too_wide(window) == []
    link = made_link(window)
    window.goto(f"{PEOPLE}?q={name}&tab=invited")
    expect(window.row(name).get_by_text("Invited")).to_be_visible()
    come_in(open_window(size), link, name)
    window.goto(f"{PEOPLE}?q={name}&tab=active")
    expect(window.row(name).get_by_text("Active")).to_be_visible()
    expect(window.row(name).get_by_text("auditor")).to_be_visible()
    dead = open_window(size)
    dead.goto(link.removeprefix(site.origin))
    dead.fill(password=NEW_PASSWORD)
    dead.button("Set the password").click()
    expect(dead.page.get_by_text("This link does not work (any more)")).to_be_visible()
    expect(dead.page.locator("[name=password]")).to_have_count(0)


def test_a_new_password_by_a_link_from_the_page_about_the_person(
    site: Site, ada: Person, open_window: Open, axe: str, size: str
):
    carol = site.person("carol", "employee")
    window = open_window(size)
    window.enter(ada)
    window.goto(f"{PEOPLE}/{carol.id}")
    expect(window.heading("Signed in on")).to_be_visible()
    window.page.get_by_role("button", name=re.compile("^What can be done")).click()
    window.page.get_by_role("menuitem", name="New password link…").click()
    assert serious(window, axe) == []
    window.button("Make the link").click()
    expect(window.dialog().get_by_text("Say why")).to_be_visible()
    window.fill(window.dialog(), reason="Forgot it, asked by phone")
    window.button("Make the link").click()
    link = made_link(window)
    expect(window.page.get_by_text("Not signed in anywhere")).to_be_visible()
    other = open_window(size)
    other.goto("/login")
    other.sign_in(carol.username, PASSWORD)
    expect(other.page.get_by_text("is not right")).to_be_visible()
    come_in(open_window(size), link, carol.username)


def test_a_name_is_corrected_and_an_invitation_withdrawn(site: Site, ada: Person, open_window: Open, size: str):
    name = f"ivy-{secrets.token_hex(3)}"
    factories.invited(name)
    window = open_window(size)
    window.enter(ada)
    window.goto(f"{PEOPLE}?q={name}")
    do(window, name, "Edit…")
    window.fill(window.dialog(), full_name="Ivy Marsh-Jones")
    window.button("Save", within=window.dialog()).click()
    window.toast("Corrected the account of Ivy Marsh-Jones")
    expect(window.row("Ivy Marsh-Jones")).to_be_visible()
    do(window, name, "Withdraw the invitation…")
    window.button("Withdraw the invitation").click()
    window.toast(f"The invitation of {name} does not work any more")
    expect(window.row(name).get_by_text("Invitation withdrawn")).to_be_visible()


def test_the_roles_of_many_are_changed_at_once(site: Site, ada: Person, open_window: Open, axe: str, size: str):
    mark = secrets.token_hex(4)
    for person in ("bea", "cem"):
        site.person(f"{mark}{person}", "employee")
    mine = site.person(f"{mark}adm", "admin")
    window = open_window(size)
    window.enter(mine)
    window.goto(f"{PEOPLE}?q={mark}")
    for box in window.page.locator("tbody input.check").all():
        box.click()
    expect(window.page.get_by_text("3 selected")).to_be_visible()
    window.button("Change roles…").click()
    dialog = window.dialog()
    dialog.get_by_text("auditor", exact=True).click()
    expect(dialog.get_by_text("You cannot change your own roles")).to_be_visible()
    expect(window.button("Change the roles")).to_be_disabled()
    assert serious(window, axe) == []
    assert too_wide(window) == []
    window.button("Leave them out").click()
    expect(dialog.get_by_text("2 people would change.")).to_be_visible()
    expect(dialog.locator(".bulk-lines ins").first).to_have_text("auditor, employee")
    dialog.get_by_text("Leave them these roles and no others").click()
    expect(dialog.locator(".bulk-lines ins").first).to_have_text("auditor")
    window.fill(dialog, reason="Year end")
    window.button("Change the roles").click()
    window.toast("Changed the roles of 2 people")
    for person in ("bea", "cem"):
        expect(window.row(f"{mark}{person}".title()).get_by_text("auditor")).to_be_visible()
    expect(window.page.locator(".bulk")).to_have_count(0)


def test_the_page_about_a_person_follows_what_others_do_and_leaves_what_is_typed(
    site: Site, ada: Person, open_window: Open, axe: str, size: str
):
    carol, bob = site.person("carol", "employee"), site.person("bob", "admin")
    window = open_window(size)
    window.enter(ada)
    window.goto(f"{PEOPLE}/{carol.id}")
    expect(window.heading("Signed in on")).to_be_visible()
    with acting_as(bob.actor):
        transact(users.change_user_role, user_id=carol.id, role_name="manager")
    expect(window.page.get_by_text(f"Changed by {bob.name} just now")).to_be_visible()
    # By its element: a dialog hides the roles of what lies below it.
    roles = window.page.locator("section.card").filter(has=window.page.locator("h2", has_text=re.compile("^Roles$")))
    expect(roles.get_by_text("manager", exact=True)).to_be_visible()
    assert serious(window, axe) == []
    assert too_wide(window) == []
    # What is being typed stays, and is refused when it would undo what somebody else did meanwhile.
    window.page.get_by_role("button", name=re.compile("^What can be done")).click()
    window.page.get_by_role("menuitem", name="Edit…").click()
    window.fill(window.dialog(), full_name="Carol of the quay")
    with acting_as(bob.actor):
        transact(users.change_user_role, user_id=carol.id, role_name="auditor")
    expect(roles.get_by_text("auditor", exact=True)).to_be_attached()
    expect(window.dialog().locator("[name=full_name]")).to_have_value("Carol of the quay")
    window.button("Save", within=window.dialog()).click()
    expect(window.page.get_by_text("changed this in the meantime").first).to_be_visible()


def test_ones_picture_is_shown_where_one_is(site: Site, open_window: Open, size: str):
    ann = site.person("ann", "admin")
    window = open_window(size)
    window.enter(ann)
    window.goto("/profile")
    content = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(content, "PNG")
    chosen = {"name": "me.png", "mimeType": "image/png", "buffer": content.getvalue()}
    window.page.locator("[name=picture]").set_input_files(files=[chosen])
    window.button("Use this picture").click()
    window.toast("Your picture is changed.")
    picture = window.page.get_by_alt_text("Your picture")
    expect(picture).to_be_visible()
    assert picture.evaluate("img => [img.offsetWidth, img.offsetHeight]") == [96, 96]
    assert too_wide(window) == []
    if not window.is_phone:
        expect(window.page.locator(".side .person img")).to_be_visible()
    with acting_as(ann.actor):
        transact(suppliers.create_supplier, name=f"Quay of {ann.username}")
    lists = ("/approvals?view=asked", f"/audit?q=actor%3A{ann.username}")
    for path in (f"{PEOPLE}?q={ann.username}", f"{PEOPLE}/{ann.id}", *lists):
        window.goto(path)
        shown = window.page.locator("main .avatar img").first
        expect(shown).to_be_visible()
        assert shown.evaluate("img => img.complete && img.naturalWidth > 0")
    window.goto("/profile")
    window.button("Remove it").click()
    window.toast("Your picture is removed")
    expect(window.page.get_by_alt_text("Your picture")).to_have_count(0)


def test_what_was_filled_in_is_still_there_after_a_fresh_proof(ada: Person, open_window: Open):
    name = f"ida-{secrets.token_hex(3)}"
    # Of its own: what the built-in roles ask for others change.
    aide = f"aide {name}"
    factories.role(aide, "inventory:view")
    window = open_window()
    window.enter(ada)
    window.goto(PEOPLE)
    window.button("Invite somebody").click()
    window.fill(window.dialog(), full_name="Ida Holm", username=name, email=f"{name}@example.com")
    window.dialog().get_by_text(aide, exact=True).click()
    age_the_proofs(ada)
    window.button("Invite", within=window.dialog()).click()
    window.at("/confirm")
    window.fill(password=PASSWORD)
    window.button("Confirm with the password").click()
    window.at(PEOPLE)
    expect(window.dialog().locator("#f-username")).to_have_value(name)
    expect(window.dialog().locator("#f-full_name")).to_have_value("Ida Holm")
    expect(window.dialog().get_by_role("checkbox", name=re.compile(f"^{aide}"))).to_be_checked()
    window.button("Invite", within=window.dialog()).click()
    made_link(window)
    window.goto(f"{PEOPLE}?q={name}")  # among everybody whom other tests made, the row may be on another page
    expect(window.row(name)).to_contain_text(aide)
    window.button("Invite somebody").click()
    expect(window.dialog().locator("#f-username")).to_have_value("")
