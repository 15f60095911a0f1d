"""A file of prices becomes a draft of a set of changes; a file with a fault becomes nothing."""

import secrets
from decimal import Decimal

import httpx
import pytest
from sqlmodel import Session
from starlette.applications import Starlette

from inventory_app import people
from inventory_app.errors import Invalid, InvalidRows
from inventory_app.http import _requests as http
from inventory_app.http import prices
from inventory_app.models.users import AuthSession
from inventory_app.operations.price_files import read_prices
from inventory_app.operations.sessions import hash_token
from tests.factories import arrange, product


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"sku,price\nBOLT,12.50\n", [(2, "BOLT", "12.50")]),
        (b"Price;SKU\n12,50;BOLT\n", [(2, "BOLT", "12.50")]),
    ],
)
def test_columns_stand_in_any_order_and_decimals_may_have_a_comma(content, rows):
    assert read_prices(content) == rows


def test_every_fault_of_a_file_is_listed():
    with pytest.raises(InvalidRows) as caught:
        read_prices(b"sku,price\nBOLT,dear\nNUT,\nPIN,3\n")
    assert [(row, field) for row, field, _ in caught.value.rows] == [(2, "price"), (3, "price")]
    with pytest.raises(Invalid, match="sku and price"):
        read_prices(b"name,cost\nBOLT,3\n")


ORIGIN = "http://localhost:3000"
#: What the cookie jar calls a host without a dot.
DOMAIN = "localhost.local"


def browser(actor=None):
    """Return a browser with a visit, signed in as `actor`."""
    client = httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=prices.ROUTES)), base_url=ORIGIN)
    client.cookies.set("visit", http.new_visit(), domain=DOMAIN)
    if actor is not None:
        token = secrets.token_urlsafe(32)

        def sign_in(session: Session) -> None:
            session.get_one(AuthSession, actor.session_id).token_hash = hash_token(token)

        arrange(sign_in)
        client.cookies.set("session", token, domain=DOMAIN)
    return client


async def send(client, content: bytes, *, origin=ORIGIN, **fields: str):
    token = http.form_token(client.cookies["visit"])
    return await client.post(
        "/prices/file",
        data={"csrf": token, **fields},
        files={"file": ("prices.csv", content, "text/csv")},
        headers={"origin": origin},
    )


def flash(response) -> str:
    assert response.status_code == 303
    return http.decode_flash(response.cookies["flash"])["text"] if "flash" in response.cookies else ""


@pytest.fixture(autouse=True)
def nobody_is_remembered():
    """Ask the database who somebody is: every test has other people."""
    people.forget_everybody()


async def test_a_file_becomes_a_draft_and_leads_to_it(ann, trail):
    product("BOLT", unit_price=Decimal(10))
    answer = await send(browser(ann), b"sku,price\nbolt,12.50\n", reason="Steel")
    assert (flash(answer), answer.headers["location"]) == ("", "/changes/1")
    done = trail.last()
    assert (done.name, done.actor_name, done.reason) == ("change_sets.propose_prices_by_sku", "ann", "Steel")


@pytest.mark.parametrize(
    ("content", "fields", "said"),
    [
        (b"sku,price\nGHOST,1\n", {}, "row 2, sku: there is no product GHOST."),
        (b"sku,price\nBOLT,dear\n", {}, "row 2, price: Enter a number such as 12 or 12.5."),
        (b"sku,price\nBOLT,1\n", {"effective_on": "soon"}, "Choose a day"),
        (b"sku,price\nBOLT,1\n", {"effective_on": "2001-01-01"}, "Choose today or a later day"),
        (b"", {}, "The file is empty."),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_kept(ann, observer, content, fields, said):
    product("BOLT", unit_price=Decimal(10))
    answer = await send(browser(ann), content, **fields)
    assert answer.headers["location"] == "/pricing"
    assert said in flash(answer)
    assert observer.execute("SELECT count(*) FROM change_set").fetchone() == (0,)


async def test_only_who_may_change_prices_can_send_one(bob, trail):
    answer = await send(browser(bob), b"sku,price\nBOLT,1\n")
    assert "permission" in flash(answer)
    assert (trail.last().name, trail.last().outcome) == ("change_sets.propose_prices_by_sku", "denied")
    assert (await send(browser(), b"sku,price\nBOLT,1\n")).headers["location"].startswith("/login")
    assert (await send(browser(bob), b"", origin="https://elsewhere.example")).status_code == 403
