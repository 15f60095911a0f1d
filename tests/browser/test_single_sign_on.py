"""Single sign-on in a real browser: to a provider on another site and back, connecting, confirming, disconnecting."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from inventory_app.database.embedded import Server
from inventory_app.models._base import now
from inventory_app.models.users import LocalUser
from inventory_app.passwords import NO_PASSWORD
from tests.factories import arrange
from tests.fixtures.authenticator import change_sessions
from tests.fixtures.browser import Window
from tests.fixtures.provider import CLIENT_SECRET, Provider, connected, start_provider
from tests.fixtures.server import Person, Site, start_site

pytestmark = pytest.mark.browser
OpenWindow = Callable[..., Window]
SECURITY = "/profile/security"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with start_provider() as running:
        yield running


@pytest.fixture(scope="module")
def running_site(
    server: Server, template: str, tmp_path_factory: pytest.TempPathFactory, provider: Provider
) -> Iterator[Site]:
    """A server of this module's own that knows the provider."""
    folder = tmp_path_factory.mktemp("single-sign-on")
    running = start_site(server, template, folder, **provider.settings, INVENTORY_OIDC_NAME="Acme")
    running.secrets.add(CLIENT_SECRET)
    provider.clients.add(f"{running.origin}/auth/oidc/callback")
    try:
        yield running
    finally:
        running.stop()
        server.drop_database(running.database.name)


def opened(window: Window, provider: Provider) -> Window:
    """Let the window go to the provider, which it is there for."""
    window.allowed.append(f"asked for {provider.issuer}")
    window.allowed.append(f"404 {provider.issuer}/favicon.ico")
    window.allowed.append("Failed to load resource")
    return window


def through(window: Window, provider: Provider) -> None:
    """Say at the provider who one is, by hand: from another site's page the cookie must still come along."""
    window.page.wait_for_url(f"{provider.issuer}/**")
    window.page.get_by_role("link", name="That is me").click()


def test_somebody_connects_signs_in_and_disconnects(open_window: OpenWindow, site: Site, provider: Provider, size: str):
    ann = site.person("ann", "manager")
    provider.recognises(f"subject of {ann.username}")
    provider.shows_page = True

    window = opened(open_window(size), provider)
    window.enter(ann)
    window.goto(SECURITY)
    window.button("Connect Acme").click()
    through(window, provider)
    window.at(SECURITY)
    window.toast("Single sign-on is connected.")
    expect(window.page.get_by_text(provider.issuer)).to_be_visible()

    other = opened(open_window(size), provider)
    other.goto(f"/login?next={SECURITY}")
    other.page.get_by_role("link", name="Sign in with Acme").click()
    through(other, provider)
    other.at(SECURITY)
    expect(other.page.get_by_text("with single sign-on")).to_be_visible()

    window.button("Disconnect single sign-on").click()
    window.button("Disconnect", within=window.page.get_by_role("alertdialog")).click()
    window.toast("Single sign-on is disconnected")
    expect(window.button("Connect Acme")).to_be_visible()
    other.page.reload()
    other.at("/login")
    other.page.get_by_role("link", name="Sign in with Acme").click()
    through(other, provider)
    other.at("/login")
    expect(other.page.get_by_text("Nobody here is connected with that account.")).to_be_visible()


def test_who_has_no_password_confirms_at_the_provider(open_window: OpenWindow, site: Site, provider: Provider):
    ann = site.person("ann", "manager")
    connected(ann, provider, f"subject of {ann.username}")
    without_password(ann)
    provider.recognises(f"subject of {ann.username}")
    provider.shows_page = True
    window = opened(open_window(), provider)
    window.enter(ann)
    change_sessions(ann.id, reauthenticated_at=now() - timedelta(hours=1))
    window.goto(SECURITY)
    window.button("Add an authenticator app").click()
    window.at("/confirm")
    expect(window.page.locator("[name=password]")).to_have_count(0)
    window.button("Confirm with Acme").click()
    through(window, provider)
    window.at(SECURITY)
    window.toast("Confirmed. Now do it again.")
    window.button("Add an authenticator app").click()
    expect(window.dialog().locator(".secret")).to_be_visible()


def test_while_the_provider_is_away_the_page_says_so_and_the_password_works(
    open_window: OpenWindow, site: Site, provider: Provider
):
    ann = site.person("ann", "manager")
    provider.recognises(f"subject of {ann.username}")
    provider.shows_page = True
    window = opened(open_window(), provider)
    window.goto("/login?next=/inventory")
    window.page.get_by_role("link", name="Sign in with Acme").click()
    window.page.wait_for_url(f"{provider.issuer}/**")
    link = window.page.get_by_role("link", name="That is me")
    expect(link).to_be_visible()
    # It sends the person back, and then has nothing to say to us.
    provider.tokens_away = True
    link.click()
    window.at("/login?next=%2Finventory")
    expect(window.page.get_by_text("Single sign-on does not answer right now.")).to_be_visible()
    window.sign_in(ann)
    window.at("/inventory")


def without_password(person: Person) -> None:
    def build(session: Any) -> None:
        session.get_one(LocalUser, person.id).password_hash = NO_PASSWORD

    arrange(build)
