"""What people take for granted: links, the back button, one press is one press, nothing typed is lost."""

import re
import secrets
from collections.abc import Callable

import psycopg
import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser.test_pages import serious
from tests.fixtures.browser import Window
from tests.fixtures.seeing import Trail
from tests.fixtures.server import PASSWORD, Person, Site

pytestmark = pytest.mark.browser

Open = Callable[..., Window]


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("ann", "manager")


@pytest.fixture
def mark() -> str:
    """Return a word that only the things of this test have in their names."""
    return secrets.token_hex(4)


@pytest.fixture
def window(open_window: Open, size: str) -> Window:
    """Return a window, once as wide as a desk and once as a phone."""
    return open_window(size)


@pytest.fixture
def item_id(site: Site, mark: str) -> int:
    """Return an item of which there are ten, at one of two places."""
    product = factories.product(f"SKU{mark}".upper(), name=f"Widget {mark}")
    here, there = (factories.location(f"{side}{mark}".upper(), name=f"{side} {mark}") for side in ("North", "South"))
    factories.item(product.id, there.id, quantity=1)
    return factories.item(product.id, here.id, quantity=10).id or 0


def open_action(window: Window, mark: str, action: str) -> None:
    window.goto(f"/inventory?q={mark}")
    row = window.row(f"North {mark}")
    if window.is_phone:
        row.get_by_role("button", name=re.compile("^What can be done with")).click()
        window.page.get_by_role("menuitem", name=action).click()
    else:
        row.hover()
        window.button(action, within=row).click()
    expect(window.dialog()).to_be_visible()


@pytest.mark.parametrize(
    "wanted", ["/inventory?q=a+b&sort=product&dir=desc", "/suppliers/approvals", "/audit?q=table%3Aproduct"]
)
def test_a_stranger_signs_in_and_comes_back_to_where_they_wanted_to_go(ann: Person, window: Window, wanted: str):
    window.page.goto(window.site.origin + wanted)
    window.at("/login")
    window.sign_in(ann)
    window.page.wait_for_url(lambda url: _same(url.removeprefix(window.site.origin), wanted))
    window.ready()
    expect(window.page.get_by_role("main")).to_be_visible()


def _same(address: str, wanted: str) -> bool:
    path, _, query = address.partition("?")
    wanted_path, _, wanted_query = wanted.partition("?")
    return path.rstrip("/") == wanted_path and query == wanted_query


def test_a_wrong_password_is_said_once_and_the_name_stays(ann: Person, window: Window):
    window.goto("/login?next=%2Finventory")
    window.sign_in(ann, "not the password")
    expect(window.page.get_by_text("The username or the password is not right")).to_be_visible()
    expect(window.page.locator("[name=username]")).to_have_value(ann.username)
    expect(window.page.locator("[name=password]")).to_have_value("")
    expect(window.page.locator("[name=password]")).to_be_focused()
    window.page.reload()
    window.ready()
    window.fill(username=ann.username, password=PASSWORD)
    window.button("Sign in").click()
    window.at("/inventory")


_NOTE_TOASTS = """() => { const MARK = "[data-sonner-toast]"; new MutationObserver((changes) => {
    for (const node of changes.flatMap((change) => [...change.addedNodes]))
      if (node.nodeType === 1 && (node.matches(MARK) || node.querySelector(MARK))) window.__toasted = true; })
  .observe(document.body, { subtree: true, childList: true }); }"""


def test_what_is_said_beside_a_field_is_not_said_by_a_toast_too(ann: Person, window: Window):
    code = secrets.token_hex(4).upper()
    factories.location(code, name="North")
    window.enter(ann)
    window.goto("/locations")
    window.page.evaluate(_NOTE_TOASTS)
    window.button("New location").click()
    window.fill(window.dialog(), code=code, name="Another")
    window.button("Add the location", within=window.dialog()).click()
    expect(window.dialog().locator(".field-error").filter(visible=True)).to_contain_text(
        "A location of this code exists."
    )
    window.page.wait_for_function("window.__toasted")
    expect(window.page.locator("[data-sonner-toast]")).to_have_count(0)


def test_nothing_of_a_session_is_readable_by_a_script(ann: Person, open_window: Open):
    window = open_window()
    window.goto("/login")
    window.sign_in(ann)
    window.at("/")
    assert window.page.evaluate("document.cookie").split("=")[0] == "zone"
    kept = window.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    cookies = {cookie["name"]: cookie for cookie in window.context.cookies()}
    assert cookies["session"]["httpOnly"]
    assert cookies["session"]["value"] not in kept


def test_signing_out_leads_to_the_sign_in_page_and_the_back_button_shows_nothing_more(
    ann: Person, window: Window, mark: str, item_id: int
):
    window.enter(ann)
    window.goto(f"/inventory?q={mark}")
    if window.is_phone:
        window.button("More").click()
    else:
        window.page.get_by_role(
            "button", name=re.compile(f"^{re.escape(ann.name)}|Account|menu", re.IGNORECASE)
        ).last.click()
    window.page.get_by_role("button", name="Sign out").filter(visible=True).first.click()
    window.at("/login")
    expect(window.page.get_by_text("You are signed out.")).to_be_visible()
    window.page.go_back()
    window.at("/login")
    assert f"Widget {mark}" not in window.page.content()


def test_the_back_button_keeps_the_view_of_a_list(ann: Person, window: Window, mark: str, item_id: int):
    window.enter(ann)
    window.goto("/inventory")
    window.page.get_by_role("searchbox", name="Search items").fill(mark)
    window.at(f"/inventory?q={mark}")
    expect(window.page.locator("tbody tr")).to_have_count(2)
    window.page.get_by_role("link", name=re.compile("^None left")).click()
    expect(window.page.get_by_text("Nothing matches")).to_be_visible()
    window.page.get_by_role("link", name=re.compile("Audit")).filter(visible=True).first.click()
    window.at("/audit")
    window.page.go_back()
    expect(window.page.get_by_text("Nothing matches")).to_be_visible()
    window.page.go_back()
    expect(window.page.locator("tbody tr")).to_have_count(2)
    expect(window.page.get_by_role("searchbox", name="Search items")).to_have_value(mark)


def fill_adjustment(window: Window, mark: str) -> None:
    open_action(window, mark, "Adjust")
    window.fill(window.dialog(), quantity="-1", reason_code="lost")


def fill_count(window: Window, mark: str) -> None:
    window.goto(f"/inventory?q={mark}")
    box = window.page.get_by_role("checkbox", name=f"Select SKU{mark.upper()} at North {mark}")
    box.click()
    expect(box).to_be_checked()
    window.button("Count", within=window.page.get_by_role("toolbar", name="Selected rows")).click()
    window.dialog().locator("input.ctl").first.fill("9")
    window.fill(window.dialog(), reason_code="counted")


FORMS = {
    "adjust_inventory": (fill_adjustment, "Adjust", "→"),
    "bulk_update_inventory": (fill_count, "Save the counts", "Updated 1 of 1"),
}


@pytest.mark.parametrize("operation", FORMS)
def test_one_press_is_one_event_however_often_and_however_one_presses(
    site_observer: psycopg.Connection,
    site_trail: Trail,
    ann: Person,
    window: Window,
    mark: str,
    item_id: int,
    operation: str,
):
    fill, label, done = FORMS[operation]
    sent: list[str] = []
    window.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    window.enter(ann)
    fill(window, mark)
    button = window.button(label, within=window.dialog())
    with window.site.database.as_superuser() as holding:
        # The server cannot answer as long as the test holds the row.
        holding.execute("SELECT 1 FROM inventory_item WHERE id = %s FOR UPDATE", [item_id])
        before = len(sent)
        button.dblclick()
        window.site.wait_until(lambda: waiting(site_observer), "the operation waits for the row")
        expect(button).to_have_attribute("aria-busy", "true")
        button.click(force=True)
        button.press("Enter")
    window.toast(done)
    expect(window.dialog()).to_have_count(0)
    submitted = [frame for frame in sent[before:] if "idempotency_key" in frame]
    assert len(submitted) == 1
    deeds = site_trail.operations(actor_name=ann.username, name=f"stock.{operation}")
    assert [entry.outcome for entry in deeds] == ["succeeded"]


def waiting(observer: psycopg.Connection) -> bool:
    """Tell whether somebody waits for a row in the database."""
    return bool(
        observer.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    )


def test_a_refusal_leaves_the_form_filled_with_the_sentence_beside_the_field(
    ann: Person, window: Window, mark: str, item_id: int
):
    window.enter(ann)
    open_action(window, mark, "Transfer")
    dialog = window.dialog()
    to = dialog.locator("[name=to_location_id] option").filter(has_text=f"South {mark}").first
    dialog.locator("[name=to_location_id]").select_option(to.get_attribute("value"))
    window.fill(dialog, quantity="99", note="For the spring", reason_code="relocated")
    button = dialog.get_by_role("button", name=re.compile("^Transfer"))
    button.click()
    field = dialog.locator(".field").filter(has=window.page.locator("[name=quantity]"))
    expect(field.locator(".field-error")).to_contain_text("10 pcs")
    expect(dialog.locator("[name=quantity]")).to_have_attribute("aria-invalid", "true")
    for name, value in (("quantity", "99"), ("note", "For the spring")):
        expect(dialog.locator(f"[name={name}]")).to_have_value(value)
    expect(button).not_to_have_attribute("aria-busy", "true")
    window.fill(dialog, quantity="4")
    button.click()
    window.toast("Moved 4")


def test_a_dialog_keeps_hands_off_the_list_without_giving_it_a_new_style(
    ann: Person, window: Window, mark: str, item_id: int
):
    window.enter(ann)
    open_action(window, mark, "Transfer")
    styled = """() => [document.body, document.querySelector('.shell')].map(one => {
      const style = getComputedStyle(one);
      return [style.pointerEvents, style.getPropertyValue('--removed-body-scroll-bar-size')];
    })"""
    (body, _), (shell, inherited) = window.page.evaluate(styled)
    # What a dialog sets on the body ends at the shell: every cell of the list would inherit it, and lose it again.
    assert (body, shell, inherited) == ("none", "auto", "0px")
    within_reach = "() => document.elementFromPoint(4, innerHeight / 2).closest('.shell') !== null"
    assert window.page.evaluate(within_reach) is False


def test_a_registration_that_cannot_be_keeps_what_was_typed_and_says_what_is_wrong_where(
    site: Site, ann: Person, window: Window
):
    window.goto("/register")
    window.fill(username=ann.username.upper(), full_name="Another Ann", email="ann@example.org", password=PASSWORD)
    window.button("Ask for an account").click()
    field = window.page.locator(".field").filter(has=window.page.locator("[name=username]"))
    expect(field.locator(".field-error")).to_be_visible()
    expect(window.page.locator("[name=full_name]")).to_have_value("Another Ann")
    expect(window.page.locator("[name=username]")).to_have_value(ann.username.upper())


def test_a_session_that_ends_while_the_page_is_open_leads_to_signing_in_and_back(
    site: Site, ann: Person, open_window: Open, mark: str, item_id: int
):
    window = open_window()
    window.enter(ann)
    window.goto(f"/inventory?q={mark}")
    factories.arrange(
        lambda session: (
            session.connection()
            .exec_driver_sql("UPDATE auth_session SET revoked_at = now() WHERE user_id = %s", (ann.id,))
            .rowcount
        )
    )
    # The tab is told at once, and shows nothing of before.
    expect(window.heading("Please sign in")).to_be_visible()
    expect(window.page.get_by_text(f"SKU{mark.upper()}")).to_have_count(0)
    window.page.get_by_role("link", name="Sign in", exact=True).click()
    window.at("/login")
    window.sign_in(ann)
    window.at(f"/inventory?q={mark}")


def test_whoever_must_choose_a_password_is_led_to_it_and_then_in(site: Site, open_window: Open, size: str):
    newcomer = site.person("newcomer", "employee", must_change_password=True)
    window = open_window(size)
    window.goto("/login")
    window.sign_in(newcomer)
    window.at("/password")
    window.fill(current=PASSWORD, password="too short")
    window.page.locator("[name=password]").evaluate("input => input.removeAttribute('minlength')")
    window.button("Change the password").click()
    field = window.page.locator(".field").filter(has=window.page.locator("[name=password]"))
    expect(field.locator(".field-error")).to_contain_text("at least 10")
    window.fill(current=PASSWORD, password="a password of my own")
    window.button("Change the password").click()
    window.at("/")
    site.secrets.add("a password of my own")


def test_the_keys_do_what_the_help_says(ann: Person, open_window: Open, mark: str, item_id: int):
    window = open_window()
    window.enter(ann)
    window.goto("/inventory")
    window.page.keyboard.press("/")
    window.page.keyboard.type(mark)
    window.at(f"/inventory?q={mark}")
    window.page.keyboard.press("Escape")
    window.at("/inventory")
    window.page.locator("body").click(position={"x": 700, "y": 5})
    window.page.keyboard.press("?")
    expect(window.page.get_by_role("dialog", name="Help")).to_be_visible()


def test_light_and_dark_stay_as_they_were_chosen(ann: Person, open_window: Open):
    window = open_window(scheme="light")
    window.enter(ann)
    window.goto("/")
    window.button("Switch between light and dark").first.click()
    expect(window.page.locator("html")).to_have_class(re.compile("dark"))
    window.page.reload()
    window.ready()
    expect(window.page.locator("html")).to_have_class(re.compile("dark"))


def test_a_wrong_current_password_is_said_beside_its_field_once(ann: Person, window: Window):
    window.enter(ann)
    window.goto("/password")
    window.fill(current="not mine at all", password="a password of my own")
    window.button("Change the password").click()
    field = window.page.locator(".field").filter(has=window.page.locator("[name=current]"))
    expect(field.locator(".field-error")).to_contain_text("not your current password")
    window.page.reload()
    window.ready()
    expect(field.locator(".field-error")).to_have_text("")


def test_whoever_is_signed_in_already_is_led_on_from_the_sign_in_page(ann: Person, open_window: Open):
    window = open_window()
    window.enter(ann)
    window.page.goto(f"{window.site.origin}/login?next=%2Finventory%3Fq%3Da")
    window.at("/inventory?q=a")


def test_the_palette_leads_to_pages_products_and_suppliers_without_a_mouse(
    ann: Person, open_window: Open, axe: str, mark: str, item_id: int
):
    supplier = factories.supplier(f"Quay {mark}").id
    window = open_window()
    window.enter(ann)
    window.goto("/")
    keys, box = window.page.keyboard, window.page.get_by_role("dialog", name="Search or jump to")
    keys.press("Control+k")
    keys.type("impor")
    expect(box.get_by_role("link")).to_have_count(1)
    keys.press("Enter")
    window.at("/imports")
    expect(box).to_be_hidden()
    window.page.get_by_role("button", name="Search or jump to").click()
    keys.type(f"Quay {mark}")
    expect(box.get_by_role("link", name=f"Quay {mark}")).to_be_visible()
    assert serious(window, axe) == []
    keys.press("ArrowDown")
    keys.press("Enter")
    window.at(f"/suppliers/{supplier}")
    # The palette does not go with the page before: its keys work as soon as the address has changed.
    keys.press("Control+k")
    keys.type(f"widget {mark}")
    # The product first, and then where it is.
    expect(box.get_by_role("link").first).to_contain_text(f"Widget {mark}")
    expect(box.get_by_role("link", name=f"SKU{mark.upper()} at")).not_to_have_count(0)
    keys.press("Enter")
    window.page.wait_for_url(re.compile(r"/products/\d+$"))
    keys.press("Control+k")
    keys.type("nothing is called so")
    expect(box.get_by_text("Nothing that you may see is called so.")).to_be_visible()
    keys.press("Escape")
    expect(box).to_be_hidden()


def test_a_dialog_about_one_record_does_not_stand_over_another(ann: Person, open_window: Open, mark: str):
    first, second = (factories.product(f"{name}{mark}".upper(), name=f"{name} {mark}") for name in ("Cog", "Wheel"))
    window = open_window()
    window.enter(ann)
    window.goto(f"/products/{first.id}")
    window.page.keyboard.press("Control+k")
    window.page.keyboard.type(f"Wheel {mark}")
    box = window.page.get_by_role("dialog", name="Search or jump to")
    expect(box.get_by_role("link").first).to_contain_text(f"Wheel {mark}")
    window.page.keyboard.press("Enter")
    window.at(f"/products/{second.id}")
    window.button("Correct").click()
    expect(window.dialog()).to_be_visible()
    window.page.go_back()
    window.at(f"/products/{first.id}")
    expect(window.heading(f"Cog {mark}")).to_be_visible()
    expect(window.dialog()).to_have_count(0)


def test_the_palette_finds_only_what_one_may_see(site: Site, open_window: Open, mark: str, item_id: int):
    factories.supplier(f"Widget {mark} Ltd")
    window = open_window()
    window.enter(site.person("rob"))
    window.goto("/")
    box = window.page.get_by_role("dialog", name="Search or jump to")
    window.page.keyboard.press("Control+k")
    # The start page, what waits and one's own pages.
    expect(box.get_by_role("link")).to_have_count(5)
    window.page.keyboard.type(f"Widget {mark}")
    expect(box.get_by_text("Nothing that you may see is called so.")).to_be_visible()


def test_a_tooltip_goes_with_its_button(site: Site, open_window: Open):
    window = open_window()
    window.enter(site.person("ada", "admin"))
    window.goto("/admin/users")
    window.page.locator("tbody tr").first.hover()
    window.page.locator("tbody tr").first.get_by_role("button", name="What can be done").hover()
    expect(window.page.locator("#tip")).to_be_visible()
    search = window.page.get_by_role("searchbox", name="Search people")
    # As if it were typed, but without the focus, which takes a tooltip away too.
    search.evaluate(
        """(field) => {
          Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, "nobody is called so");
          field.dispatchEvent(new Event("input", { bubbles: true }));
        }"""
    )
    expect(window.page.get_by_text("Nobody matches")).to_be_visible()
    expect(window.page.locator("#tip")).to_be_hidden()


def test_strangers_have_no_palette(ann: Person, open_window: Open):
    window = open_window()
    window.goto("/login")
    assert window.page.locator("#palette").count() == 0
    window.page.keyboard.press("Control+k")
    expect(window.page.get_by_role("dialog")).to_have_count(0)
    window.sign_in(ann)
    window.at("/")
    # From here on it is there, whichever page comes.
    window.page.keyboard.press("Control+k")
    expect(window.page.get_by_role("dialog", name="Search or jump to")).to_be_visible()


def test_rows_stand_closer_and_stay_so(ann: Person, open_window: Open, mark: str, item_id: int):
    window = open_window()
    window.enter(ann)
    window.goto(f"/inventory?q={mark}")
    before = window.row(f"North {mark}").bounding_box()
    window.button("Compact rows").click()
    for _ in range(2):
        expect(window.button("Compact rows")).to_have_attribute("aria-pressed", "true")
        now = window.row(f"North {mark}").bounding_box()
        assert before
        assert now
        assert now["height"] < before["height"]
        window.goto("/inventory?q=" + mark)
    window.goto("/suppliers")
    expect(window.button("Compact rows")).to_have_attribute("aria-pressed", "true")
