"""Handing out an order as a PDF: who may, what is in it, what is on record."""

import hashlib
import secrets

import httpx
import pytest
from sqlmodel import Session
from starlette.applications import Starlette

from inventory_app import people
from inventory_app.context import acting_as
from inventory_app.http import _requests as http
from inventory_app.http import orders as routes
from inventory_app.models.users import AuthSession
from inventory_app.operations import orders
from inventory_app.operations.sessions import hash_token
from tests.factories import arrange, person, signed_in_again
from tests.operations.buying import known, market, ordered, step, tea, words, write

ORIGIN = "http://localhost:3000"
DOMAIN = "localhost.local"


@pytest.fixture(autouse=True)
def _fresh(database):
    people.forget_everybody()


@pytest.fixture
def order_id(ann):
    shop = market("Żółw Ωmega Ю", message="x")
    with acting_as(ann):
        return ordered(shop, None, tea(shop), *[words("Ремонт שלום", cost="1")] * 60)


def browser(actor=None):
    """Return a browser, signed in as `actor`."""
    app = Starlette(routes=routes.ROUTES)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN)
    if actor is not None:
        another, token = signed_in_again(actor), secrets.token_urlsafe(32)

        def sign_in(session: Session) -> None:
            session.get_one(AuthSession, another.session_id).token_hash = hash_token(token)

        arrange(sign_in)
        client.cookies.set("session", token, domain=DOMAIN)
    return client


async def test_it_is_handed_out_with_its_hash_on_record_and_the_same_bytes_again(ann, order_id, trail):
    client = browser(ann)
    answer = await client.get(f"/orders/{order_id}/paper.pdf")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    number = known(order_id).number
    assert answer.headers["content-disposition"] == f'attachment; filename="{number}.pdf"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(b"%PDF-")
    # The fonts are in it: both of Inter, and the one with the other scripts.
    assert answer.content.count(b"/FontFile2") >= 3
    assert answer.content.count(b"/Type /Page\n") >= 2
    last = trail.last(name="orders.take_paper")
    sha256 = hashlib.sha256(answer.content).hexdigest()
    assert (last.actor_name, last.reason) == ("ann", f"{number} as PDF, version 3, sha256 {sha256}")
    assert (await client.get(f"/orders/{order_id}/paper.pdf")).content == answer.content


async def test_a_cancelled_order_says_so(ann):
    shop = market()
    with acting_as(ann):
        made = ordered(shop, None)
        before = await browser(ann).get(f"/orders/{made}/paper.pdf")
        step(orders.cancel_order, made, reason="x")
    after = await browser(ann).get(f"/orders/{made}/paper.pdf")
    assert after.status_code == 200
    assert len(after.content) != len(before.content)


async def test_those_who_may_not_are_told_and_strangers_led_to_sign_in(ann, order_id):
    emma = await browser(person("emma", "employee")).get(f"/orders/{order_id}/paper.pdf")
    assert (emma.status_code, emma.headers["location"]) == (303, f"/orders/{order_id}")
    assert "Costs stand on it" in http.decode_flash(emma.cookies["flash"])["text"]
    stranger = await browser().get(f"/orders/{order_id}/paper.pdf")
    assert stranger.headers["location"] == f"/login?next=/orders/{order_id}"
    waiting = await browser(person("mia", "manager", must_change_password=True)).get(f"/orders/{order_id}/paper.pdf")
    assert waiting.headers["location"] == "/password"
    assert (await browser(ann).get("/orders/999/paper.pdf")).status_code == 404


async def test_a_draft_is_not_handed_out_and_a_link_elsewhere_hands_nothing_out(ann, order_id):
    shop = market("Beta", codes="B")
    with acting_as(ann):
        draft = write(shop).order_id
    answer = await browser(ann).get(f"/orders/{draft}/paper.pdf")
    assert "is not approved" in http.decode_flash(answer.cookies["flash"])["text"]
    elsewhere = await browser(ann).get(f"/orders/{order_id}/paper.pdf", headers={"sec-fetch-site": "cross-site"})
    assert elsewhere.status_code == 403
