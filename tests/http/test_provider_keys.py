"""A provider that exchanges its keys: they are looked up at once, and not for everybody who names one."""

from collections.abc import Iterator

import pytest

from inventory_app.database.embedded import Server
from tests.fixtures.provider import CLIENT_SECRET, Provider, connected, start_provider, trip
from tests.fixtures.server import Site, start_site
from tests.http.answers import cookies


@pytest.fixture(scope="module")
def running_provider() -> Iterator[Provider]:
    with start_provider() as running:
        yield running


@pytest.fixture(scope="module")
def running_site(
    server: Server, template: str, tmp_path_factory: pytest.TempPathFactory, running_provider: Provider
) -> Iterator[Site]:
    """A server of this module's own, which has asked the provider nothing yet."""
    running = start_site(server, template, tmp_path_factory.mktemp("keys"), **running_provider.settings)
    running.secrets.add(CLIENT_SECRET)
    running_provider.clients.add(f"{running.origin}/auth/oidc/callback")
    try:
        yield running
    finally:
        running.stop()
        server.drop_database(running.database.name)


def test_a_new_key_of_the_provider_is_looked_up_at_once_and_no_made_up_one_often(
    site: Site, running_provider: Provider
):
    provider, cleo = running_provider, site.person("cleo")
    connected(cleo, provider, "cleo")
    provider.recognises("cleo")

    def comes_in() -> bool:
        return bool(cookies(trip(site).back()).get("session"))

    def times_asked() -> int:
        return [asked for asked, _ in provider.asked].count("/keys")

    assert comes_in()
    assert times_asked() == 1
    # Under another name, and then another key under the same name.
    for kid in ("the next one", "the next one"):
        provider.exchange_key(kid)
        assert comes_in()
    assert times_asked() == 3
    provider.signature = "another key"
    assert not any(comes_in() for _ in range(3))
    assert times_asked() == 3
    provider.signature = "right"
    assert comes_in()
