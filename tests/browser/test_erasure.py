"""Erasing somebody's data in a browser, at a desk and on a phone."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_an_administrator_erases_the_data_of_somebody_who_has_left(open_window, site, size, site_observer):
    ada, leaver = site.person("ada", "admin"), site.person("leaver", enabled=False)
    window = open_window(size)
    window.enter(ada)
    window.goto(f"/admin/users?q={leaver.username}")
    row = window.row(leaver.username)
    row.hover()
    row.get_by_role("button", name=f"What can be done with {leaver.name}").click()
    window.page.get_by_role("menuitem", name="Erase personal data…").click()
    dialog = window.dialog()
    expect(dialog).to_contain_text("This cannot be undone.")
    window.button("Erase for good", within=dialog).click()
    expect(dialog).to_contain_text("Please fill this in.")
    window.fill(dialog, reason="Asked for in letter 17")
    window.button("Erase for good", within=dialog).click()
    window.toast(f"Erased the personal data of {leaver.username}: 6 values of the trail")
    expect(window.row(leaver.username)).to_contain_text("Erased")
    expect(window.row(leaver.username)).to_contain_text(f"Erased person {leaver.id}")
    left = site_observer.execute("SELECT email FROM user_info WHERE user_id = %s", [leaver.id]).fetchone()
    assert left == (f"erased-{leaver.id}@erased.invalid",)
