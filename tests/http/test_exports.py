"""Handing out lists as files: who may, what is in them, what is on record."""

import secrets

import httpx
import pytest
from sqlmodel import Session
from starlette.applications import Starlette

from inventory_app import people
from inventory_app.http import _requests as http
from inventory_app.http import exports
from inventory_app.models.users import AuthSession
from inventory_app.operations.sessions import hash_token
from tests.factories import arrange, person, supplier

ORIGIN = "http://localhost:3000"
DOMAIN = "localhost.local"


@pytest.fixture(autouse=True)
def _fresh(database):
    people.forget_everybody()


def browser(actor=None):
    """Return a browser, signed in as `actor`."""
    client = httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=exports.ROUTES)), base_url=ORIGIN)
    if actor is not None:
        token = secrets.token_urlsafe(32)

        def sign_in(session: Session) -> None:
            session.get_one(AuthSession, actor.session_id).token_hash = hash_token(token)

        arrange(sign_in)
        client.cookies.set("session", token, domain=DOMAIN)
    return client


async def test_a_list_is_handed_out_as_the_address_says_and_on_record(ann, trail):
    supplier("Acme")
    supplier("=Quay")
    answer = await browser(ann).get("/export/suppliers.csv?sort=name&dir=desc&columns=name,status&q=a")
    assert answer.status_code == 200
    assert answer.text.splitlines()[0] == "\ufeffSupplier,Status,Email,Phone,City,Country"
    assert [line.split(",")[0] for line in answer.text.splitlines()[1:]] == ["Acme", "'=Quay"]
    assert answer.headers["content-disposition"].startswith('attachment; filename="suppliers-')
    assert answer.headers["cache-control"] == "no-store"
    last = trail.last()
    assert (last.name, last.actor_name) == ("exports.export_list", "ann")
    assert last.reason.startswith("Suppliers as CSV, narrowed down: sort=name")


async def test_a_workbook_is_handed_out_too(ann):
    supplier("Acme")
    answer = await browser(ann).get("/export/suppliers.xlsx")
    assert answer.content.startswith(b"PK")


async def test_those_who_may_not_are_told_and_strangers_led_to_sign_in(ann):
    client = browser(person("emma", "employee"))
    answer = await client.get("/export/inventory.csv")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "permission" in http.decode_flash(answer.cookies["flash"])["text"]
    assert (await browser().get("/export/inventory.csv")).headers["location"].startswith("/login")
    unknown = await browser(ann).get("/export/secrets.csv")
    assert (unknown.status_code, "does not exist" in unknown.text) == (404, True)


async def test_only_so_many_are_handed_out_at_the_same_time(ann, monkeypatch):
    monkeypatch.setattr(exports, "_at_once", exports.BoundedSemaphore(1))
    client = browser(ann)
    with exports._at_once:
        busy = await client.get("/export/inventory.csv")
        assert "Others are exporting" in http.decode_flash(busy.cookies["flash"])["text"]
    for _ in range(3):
        assert (await client.get("/export/inventory.csv")).status_code == 200
