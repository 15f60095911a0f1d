"""One-time messages: only what this server has signed just now is shown."""

import base64
import json

import pytest
from itsdangerous import URLSafeTimedSerializer

from inventory_app.http import _requests as http
from tests.fixtures.tab import Tab

MESSAGE = {"text": "You are signed out.", "tone": "ok"}


def test_a_message_of_ours_comes_back_with_its_values_shortened():
    found = http.decode_flash(http.encode_flash(MESSAGE | {"values": {"username": "x" * 500}}))
    assert (found["text"], found["tone"], found["values"]) == ("You are signed out.", "ok", {"username": "x" * 200})


def planted() -> dict[str, str]:
    ours = http.encode_flash(MESSAGE)
    payload, _, rest = ours.partition(".")
    forged = base64.urlsafe_b64encode(json.dumps(MESSAGE | {"text": "Call 555"}).encode()).decode().rstrip("=")
    return {
        "the form it had before it was signed": forged,
        "another text under our signature": f"{forged}.{rest}",
        "no signature": payload,
        "another key": str(URLSafeTimedSerializer("guessed", salt="flash").dumps(MESSAGE)),
        "cut short": ours[:-3],
        "nothing": "",
        "no text at all": "\udcff\x00é",
    }


@pytest.mark.parametrize("name", planted())
def test_whatever_we_have_not_signed_is_no_message(name):
    assert http.decode_flash(planted()[name]) == {}


def test_an_old_message_is_none(monkeypatch):
    ours = http.encode_flash(MESSAGE)
    monkeypatch.setattr(http, "FLASH_SECONDS", -1)
    assert http.decode_flash(ours) == {}


async def test_nobody_can_plant_words_on_our_pages(site):
    visitor = site.visitor()
    visitor.get("/login/")
    forged = base64.urlsafe_b64encode(json.dumps({"text": "Call 555 now", "tone": "bad", "id": "1"}).encode()).decode()
    async with Tab(visitor, "/login", cookie=f"{visitor.cookie_header}; flash={forged}") as tab:
        assert "Call 555" not in tab.text
    visitor.sign_in("nobody-at-all", "wrong password words")
    async with Tab(visitor, "/login") as tab:
        assert "The username or the password is not right" in tab.text
