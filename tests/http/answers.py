"""What the tests of signing in and out share: reading an answer, and asking who is in."""

from http.cookies import SimpleCookie
from typing import Any

import httpx
import psycopg

from inventory_app.http._requests import decode_flash
from inventory_app.operations.sessions import hash_token
from tests.fixtures.server import PASSWORD, Person, Site, Visitor
from tests.fixtures.tab import Tab

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
    return decode_flash(cookies(answer)[cookie].value)["text"]


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
