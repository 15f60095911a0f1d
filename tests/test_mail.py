"""Mail: what a real server on loopback receives, and what is said when it takes nothing."""

from email import message_from_bytes
from email.policy import default

import pytest

from inventory_app import mail, one_time_links
from inventory_app.models.access import LinkPurpose
from inventory_app.settings import get_settings


def test_a_link_is_sent_with_who_it_is_for_and_how_long_it_works(inbox):
    assert mail.is_configured()
    one_time_links.send("ann@example.com", "ann", LinkPurpose.RESET, "abc")
    message = message_from_bytes(inbox.received[0], policy=default)
    assert (message["To"], message["Subject"]) == ("ann@example.com", "Choose a new password for Müller & Söhne")
    text = message.get_content()
    assert "/link#abc" in text
    assert "within 72 hours" in text
    assert "Your username is ann." in text


def test_a_server_that_refuses_is_said_without_its_words(inbox):
    inbox.refuses = True
    with pytest.raises(mail.NotSent, match="could not be sent"):
        mail.send("ann@example.com", "x", "y")


def test_a_server_that_is_not_there_is_said(monkeypatch):
    monkeypatch.setenv("SMTP_URL", "smtp://127.0.0.1:9")
    get_settings.cache_clear()
    with pytest.raises(mail.NotSent):
        mail.send("ann@example.com", "x", "y")
    get_settings.cache_clear()


def test_a_password_is_never_sent_in_the_clear(inbox, monkeypatch):
    """The server offers no encryption: better no mail than the password for everybody to read."""
    url = get_settings().smtp_url.replace("//", "//user:secret@")
    monkeypatch.setenv("SMTP_URL", url)
    get_settings.cache_clear()
    with pytest.raises(mail.NotSent):
        mail.send("ann@example.com", "x", "y")
    assert inbox.received == []


@pytest.mark.parametrize("address", ["ann@example.com\nBcc: all@example.com", "ann@example.com\r\nX: y"])
def test_an_address_cannot_add_headers(inbox, address):
    with pytest.raises(ValueError, match="linefeed"):
        mail.send(address, "x", "y")
    assert inbox.received == []


def test_without_a_server_nothing_is_configured():
    assert not mail.is_configured()
