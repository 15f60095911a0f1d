"""Second factors in a real browser: an authenticator app, recovery codes, and passkeys of a virtual authenticator."""

import re
import time
from collections.abc import Callable
from dataclasses import replace

import pyotp
import pytest
from playwright.sync_api import CDPSession, expect

from tests.fixtures.browser import Window
from tests.fixtures.server import Person, Site

pytestmark = pytest.mark.browser
OpenWindow = Callable[..., Window]
SECURITY = "/profile/security"


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("ann", "manager")


def at_localhost(window: Window) -> Window:
    """Passkeys are bound to a name; the tests' server is otherwise known under a number."""
    window.site = replace(window.site, origin=f"http://localhost:{window.site.port}")
    return window


def authenticator(window: Window, **options: object) -> tuple[CDPSession, str]:
    """Plug a virtual authenticator with a willing finger into the window."""
    cdp = window.context.new_cdp_session(window.page)
    cdp.send("WebAuthn.enable")
    described = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    } | options
    made = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": described})
    return cdp, made["authenticatorId"]


def set_up_app(window: Window) -> str:
    """Add an authenticator app on the security page; returns its secret."""
    window.goto(SECURITY)
    window.button("Add an authenticator app").click()
    secret = window.dialog().locator(".secret").inner_text().replace(" ", "")
    assert window.dialog().locator("svg.qr path").get_attribute("d")
    window.fill(window.dialog(), code=pyotp.TOTP(secret).now())
    window.button("Take it into use", within=window.dialog()).click()
    window.toast("The authenticator app is set up.")
    return secret


def next_code(secret: str) -> str:
    """Return a code that is right now and was not used yet: of the next step, which a clock ahead of ours shows."""
    return pyotp.TOTP(secret).at(time.time() + 30)


def test_an_app_and_recovery_codes_from_setting_up_to_signing_in(open_window: OpenWindow, ann: Person, size: str):
    window = open_window(size)
    window.enter(ann)
    secret = set_up_app(window)

    window.button("Make recovery codes").first.click()
    codes = window.dialog().locator(".codes li")
    expect(codes).to_have_count(10)
    first = codes.first.inner_text()
    window.button("I have kept them").click()
    expect(window.page.get_by_text("10 of them still work.")).to_be_visible()

    for proof, said in ((next_code(secret), None), (first, "You have 9 recovery codes left.")):
        other = open_window(size)
        other.goto(f"/login?next={SECURITY}")
        other.sign_in(ann)
        other.at("/login/factor")
        other.fill(code="000000")
        other.button("Continue").click()
        expect(other.page.get_by_text("That code is not right")).to_be_visible()
        other.fill(code=proof)
        other.button("Continue").click()
        other.at(SECURITY)
        expect(other.heading("Signed in on")).to_be_visible()
        assert not other.page.get_by_text("Please check the marked fields.").is_visible()
        if said:
            other.toast(said)


def test_a_passkey_is_a_second_factor_and_all_that_is_asked_for(open_window: OpenWindow, ann: Person):
    window = at_localhost(open_window())
    window.enter(ann)
    cdp, key = authenticator(window)
    window.goto(SECURITY)
    window.button("Add a passkey").click()
    window.fill(window.dialog(), name="Work laptop")
    window.button("Make the passkey", within=window.dialog()).click()
    window.toast("The passkey is set up.")
    expect(window.page.get_by_text("Work laptop")).to_be_visible()
    (credential,) = cdp.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"]
    assert credential["isResidentCredential"]
    assert credential["rpId"] == "localhost"

    # As second factor.
    window.page.locator("button.person").first.click()
    window.button("Sign out").first.click()
    window.at("/login")
    window.sign_in(ann)
    window.at("/login/factor")
    window.button("Use a passkey").click()
    window.at("/")

    # And without any password.
    window.page.locator("button.person").first.click()
    window.button("Sign out").first.click()
    window.at("/login")
    window.button("Sign in with a passkey").click()
    window.at("/")
    window.goto(SECURITY)
    expect(window.page.get_by_text(re.compile("with passkey"))).to_be_visible()


def test_whoever_has_no_passkey_here_is_told_so_and_signs_in_another_way(open_window: OpenWindow, ann: Person):
    window = at_localhost(open_window())
    authenticator(window)
    window.goto("/login")
    window.button("Sign in with a passkey").click()
    expect(window.page.locator("[data-proof-error]")).to_contain_text("No passkey was used")
    window.sign_in(ann)
    window.at("/")


def test_a_sensitive_change_asks_for_a_fresh_proof_and_says_to_do_it_again(
    open_window: OpenWindow, site_observer, ann: Person
):
    window = open_window()
    window.enter(ann)
    age_the_proofs(ann)
    window.goto(SECURITY)
    window.button("Add an authenticator app").click()
    window.at("/confirm")
    window.fill(password="not the right one")
    window.button("Confirm with the password").click()
    expect(window.page.get_by_text("That is not your password.")).to_be_visible()
    window.fill(password="correct horse battery")
    window.button("Confirm with the password").click()
    window.at(SECURITY)
    window.toast("Confirmed. Now do it again.")
    window.button("Add an authenticator app").click()
    expect(window.dialog().locator(".secret")).to_be_visible()


def age_the_proofs(person: Person) -> None:
    from datetime import timedelta

    import sqlalchemy as sa

    from inventory_app.models.users import AuthSession
    from tests.factories import arrange

    long_ago = sa.func.now() - timedelta(hours=1)
    arrange(
        lambda session: session.execute(
            sa.update(AuthSession).where(AuthSession.user_id == person.id).values(reauthenticated_at=long_ago)
        )
    )


def test_other_devices_are_listed_and_signed_out_at_once(open_window: OpenWindow, ann: Person):
    window, other = open_window(), open_window("phone")
    for one in (window, other):
        one.enter(ann)
        one.goto(SECURITY)
    window.goto(SECURITY)
    expect(window.page.get_by_text("This one")).to_have_count(1)
    window.button("Sign out all others").click()
    window.toast("All other devices are signed out")
    other.page.reload()
    other.at("/login")


def test_how_good_a_new_password_is_is_said_while_typing_and_never_over_the_websocket(
    open_window: OpenWindow, ann: Person
):
    window = open_window()
    window.enter(ann)
    window.goto("/password")
    sent: list[str] = []
    window.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    window.page.reload()
    window.ready()
    window.page.locator("[name=password]").press_sequentially(f"{ann.username}123")
    said = window.page.locator(".strength-text")
    expect(said).to_contain_text("made of your own name")
    window.fill(password="seven violet tractors at noon")
    expect(said).to_have_text("Very good.")
    assert sent
    assert not [frame for frame in sent if "violet" in frame]


def test_the_page_of_a_role_that_needs_a_factor_leads_to_setting_one_up_and_then_opens_everything(
    open_window: OpenWindow, site: Site
):
    from inventory_app.models.users import Role
    from tests.factories import add

    role = add(Role(name="careful", needs_factor=True))
    careful = site.person("cara", role.name)
    window = open_window()
    window.enter(careful)
    window.goto("/")
    window.at(SECURITY)
    expect(window.page.get_by_text("Your role needs a second factor.").first).to_be_visible()
    set_up_app(window)
    expect(window.page.get_by_role("button", name=re.compile("this is your last one"))).to_be_disabled()
    window.goto("/")
    window.at("/")
