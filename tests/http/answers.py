"""What the tests of signing in and out share: reading an answer, and asking who is in."""

from http.cookies import SimpleCookie
from typing import Any

import httpx
import psycopg
from itsdangerous import URLSafeTimedSerializer

from inventory_app.operations.sessions import hash_token
from tests.fixtures.server import PASSWORD, Person, Site, Visitor
from tests.fixtures.tab import Tab

CROSS_SITE = "This request was not sent by one of our own pages. Nothing was changed."
OUT_OF_DATE = "This form is out of date. Reload the page and try again."
SIGNED_IN = '"signed_in_rx_state_": true'


def cookies(answer: httpx.Response) -> dict[str, Any]:
    """Return the cookies an answer sets, with their flags."""
    jar: SimpleCookie = SimpleCookie()
    for header in answer.headers.get_list("set-cookie"):
        jar.load(header)
    return dict(jar)


def message(answer: httpx.Response, cookie: str = "flash") -> str:
    """Return the one-time message an answer carries."""
    return flash_of(answer, cookie)["text"]


def flash_of(answer: httpx.Response, cookie: str = "flash") -> dict[str, Any]:
    """Return what the flash cookie holds; the server's key is its own secret, so that nobody else can check it."""
    return URLSafeTimedSerializer("any", salt="flash").loads_unsafe(cookies(answer)[cookie].value)[1]


def count(observer: psycopg.Connection, statement: str, *values: object) -> int:
    """Return the one number a query gives."""
    found = observer.execute(statement, values).fetchone()
    assert found
    return found[0]


def live_sessions(observer: psycopg.Connection, person: Person, token: str = "") -> int:
    """Count the live sessions of a person, or of the one a token stands for."""
    return count(
        observer,
        "SELECT count(*) FROM auth_session WHERE user_id = %s AND revoked_at IS NULL AND %s IN ('', token_hash)",
        person.id,
        hash_token(token) if token else "",
    )


def enters(site: Site, person: Person, password: str = PASSWORD, address: str = "", typed: str = "") -> bool:
    """Tell whether somebody at an address gets in with a password."""
    answer = site.visitor(address).sign_in(typed or person.username, password)
    return answer.headers["location"] == "/" and "session" in cookies(answer)


async def is_signed_in(visitor: Visitor, cookie: str | None = None) -> bool:
    """Ask over the websocket whether what this browser sends, or `cookie`, is a live session."""
    async with Tab(visitor, cookie=cookie) as tab:
        return SIGNED_IN in tab.text
