"""Handing out an order as a PDF: who may, what is in it, what is on record."""

import hashlib
import secrets

import httpx
import pytest
from sqlmodel import Session
from starlette.applications import Starlette

from inventory_app import people
from inventory_app.context import acting_as
from inventory_app.errors import NotFound, Stale
from inventory_app.http import _requests as http
from inventory_app.http import orders as routes
from inventory_app.models._base import now
from inventory_app.models.purchasing import PurchaseOrder
from inventory_app.models.users import AuthSession
from inventory_app.operations import orders, portal
from inventory_app.operations.sessions import hash_token
from inventory_app.unit_of_work import read, transact
from tests.factories import arrange, person, signed_in_again, supplier_person
from tests.operations.buying import known, market, ordered, step, tea, words, write
from tests.operations.test_portal import change
from tests.papers import OURS, papers

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
    return browser_of(routes.ROUTES, actor)


def browser_of(known, actor=None):
    """Return a browser before these routes, signed in as `actor`."""
    app = Starlette(routes=known)
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


# The supplier's own way to it


@pytest.fixture
def acme(database):
    return papers("acme")


async def test_the_supplier_gets_its_order_with_the_hash_on_record(acme, trail):
    sue = supplier_person("sue", acme.supplier)
    client = browser(sue)
    answer = await client.get(f"/portal/orders/{acme.order}/paper.pdf")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-disposition"] == 'attachment; filename="PO-acme.pdf"'
    assert answer.content.startswith(b"%PDF-")
    last = trail.last(name="portal.take_my_paper")
    sha256 = hashlib.sha256(answer.content).hexdigest()
    assert (last.actor_name, last.reason) == ("sue", f"PO-acme as PDF, version 1, sha256 {sha256}")
    with acting_as(sue):
        printed = repr(read(portal.my_order_paper, order_id=acme.order))
        with pytest.raises(Stale):
            transact(portal.take_my_paper, order_id=acme.order, version=9, what="x")
    assert "acme message" in printed
    assert OURS not in printed


async def test_what_is_not_theirs_and_what_does_not_exist_are_the_same(acme, trail):
    other = papers("other")
    sue = supplier_person("sue", acme.supplier)
    client = browser(sue)
    answers = [
        await client.get(f"/portal/orders/{id_}/paper.pdf") for id_ in (other.order, acme.draft, other.draft, 2**40)
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {
        (404, "There is no such order (any more). Reload the page.")
    }
    # The way of our own people stays shut, to their own order as well.
    shut = [await client.get(f"/orders/{id_}/paper.pdf") for id_ in (acme.order, other.order, 2**40)]
    assert [(one.status_code, one.headers["location"]) for one in shut] == [
        (303, f"/orders/{id_}") for id_ in (acme.order, other.order, 2**40)
    ]
    with acting_as(sue), pytest.raises(NotFound):
        transact(portal.take_my_paper, order_id=other.order, version=1, what="x")
    assert not trail.operations(name="portal.take_my_paper", outcome="succeeded")


async def test_what_was_approved_and_not_sent_is_ours_alone_and_a_cancelled_order_stays_theirs(acme):
    client = browser(supplier_person("sue", acme.supplier))
    change(PurchaseOrder, acme.order, status="approved", ordered_at=None)
    assert (await client.get(f"/portal/orders/{acme.order}/paper.pdf")).status_code == 404
    change(PurchaseOrder, acme.order, status="cancelled", ordered_at=now())
    assert (await client.get(f"/portal/orders/{acme.order}/paper.pdf")).status_code == 200


async def test_nobody_else_gets_it_by_the_way_of_suppliers(acme, ann):
    there = f"/portal/orders/{acme.order}/paper.pdf"
    ours = await browser(ann).get(there)
    assert (ours.status_code, ours.headers["location"]) == (303, f"/portal/orders/{acme.order}")
    # Who holds everything, that permission as well, works for no supplier all the same.
    boss = await browser(person("ada", "admin")).get(there)
    assert (boss.status_code, "belongs to no supplier" in http.decode_flash(boss.cookies["flash"])["text"]) == (
        303,
        True,
    )
    ended = await browser(supplier_person("sam", acme.supplier, active=False)).get(there)
    assert "has been ended" in http.decode_flash(ended.cookies["flash"])["text"]
    assert (await browser().get(there)).headers["location"] == f"/login?next=/portal/orders/{acme.order}"
    sue = browser(supplier_person("sue", acme.supplier))
    assert (await sue.get(there, headers={"sec-fetch-site": "cross-site"})).status_code == 403
