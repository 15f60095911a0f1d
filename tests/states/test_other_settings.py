"""What depends on how the installation is set up: a mail server, and who may make accounts."""

import secrets
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default

import pytest

from inventory_app.states.accounts import AccountsState
from inventory_app.states.auth import AuthState
from tests.fixtures.database import reached_by_the_application
from tests.fixtures.mail import Inbox
from tests.fixtures.server import PASSWORD, Site
from tests.fixtures.tab import Answer, Tab


async def test_a_link_is_mailed_and_one_that_is_not_can_still_be_handed_over(
    another_site: Callable[..., Site], mail_server: tuple[Inbox, str]
):
    kept, address = mail_server
    site = another_site(SMTP_URL=address)
    with reached_by_the_application(site.database.server, site.database.name):
        ada = site.person("ada", "admin")
        async with Tab(site.signed_in(ada), "/admin/users") as tab:
            links = []
            for refuses in (False, True):
                kept.refuses = refuses
                name = f"ivy-{secrets.token_hex(3)}"
                form = {"username": name, "full_name": "Ivy", "email": f"{name}@example.com"}
                shown = (await tab.call(AccountsState.invite, form=form)).vars()
                links.append(shown["accounts_state.link"])
                if refuses:
                    assert shown["accounts_state.mailed_to"] == ""
                    assert "could not be sent. Hand the link over yourself" in shown["accounts_state.not_sent"]
                else:
                    assert shown["accounts_state.mailed_to"] == f"{name}@example.com"
                    message = message_from_bytes(kept.received[0], policy=default)
                    assert message["To"] == f"{name}@example.com"
                    assert shown["accounts_state.link"] in message.get_content()
        assert len(kept.received) == 1
        assert not [link for link in links if link.partition("#")[2] in site.log_text()]
        assert site.log_lines(event="mail_not_sent")


@pytest.mark.parametrize(("mode", "registered"), [("open", "ready"), ("closed", "")])
async def test_a_stranger_is_told_how_accounts_are_made_here(
    another_site: Callable[..., Site], mode: str, registered: str
):
    site = another_site(INVENTORY_REGISTRATION=mode)
    name = f"dora-{secrets.token_hex(3)}"
    form = {"username": name, "full_name": "Dora", "email": f"{name}@example.com", "password": PASSWORD}
    with reached_by_the_application(site.database.server, site.database.name):
        visitor = site.visitor()
        async with Tab(visitor, "/register") as tab:
            assert tab_says(tab, "registration") == mode
            answer = await tab.call(AuthState.register, form=form)
            assert tab_says(tab, "registered") == registered
            if mode == "closed":
                assert answer.said == ["Accounts are made by an administrator here. Ask one."]
        assert bool(visitor.sign_in(name).headers["location"].startswith("/login")) is (mode == "closed")


def tab_says(tab: Tab, name: str) -> str:
    """Return the newest value of a var about who is signed in."""
    return Answer(tab.messages).vars().get(f"auth_state.{name}", "")
