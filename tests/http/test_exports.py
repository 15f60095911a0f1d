"""Handing out lists as files: who may, what is in them, what is on record."""

import secrets
from decimal import Decimal

import httpx
import pytest
import sqlalchemy as sa
from sqlmodel import Session, col
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect

from inventory_app import people
from inventory_app.context import acting_as
from inventory_app.errors import Busy, NotAllowed, NotSignedIn
from inventory_app.http import _requests as http
from inventory_app.http import exports
from inventory_app.models._base import now
from inventory_app.models.users import AuthSession, Role
from inventory_app.operations.sessions import hash_token
from tests.factories import arrange, item, person, product, role, supplier

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


@pytest.fixture
def piece_by_piece(monkeypatch):
    """Hand files out in small pieces, and ask before each whether it may go."""
    monkeypatch.setattr(exports, "_PIECE", 1)
    monkeypatch.setattr(exports, "_LOOK_SECONDS", 0)


def sign_out(actor):
    arrange(lambda session: setattr(session.get_one(AuthSession, actor.session_id), "revoked_at", now()))


def take_away(permission):
    """Take a permission from the role of a clerk."""

    def change(session: Session) -> None:
        role_ = session.execute(sa.select(Role).where(col(Role.name) == "clerk")).scalar_one()
        role_.set_permissions({"inventory:view", "inventory:export", "prices:view"} - {permission}, session)

    arrange(change)


@pytest.fixture
def clerk(database):
    role("clerk", "inventory:view", "inventory:export", "prices:view")
    for number in range(5):
        item(product(f"P{number}", unit_cost=Decimal(7)).id, quantity=3)
    return person("clara", "clerk")


def streamed(actor, **asked):
    """Begin a file; returns what hands out its pieces."""
    with acting_as(actor):
        return exports._answer("inventory", "csv", asked, "UTC").body_iterator


@pytest.mark.parametrize("lost", ["inventory:view", "inventory:export", "prices:view", "session"])
async def test_who_loses_what_it_needs_does_not_get_the_rest_of_a_file(clerk, piece_by_piece, lost):
    pieces = streamed(clerk, columns="product,value")
    got = await anext(pieces)
    assert b"Product" in got
    if lost == "session":
        sign_out(clerk)
    else:
        take_away(lost)
    with pytest.raises((NotAllowed, NotSignedIn)):
        await anext(pieces)
    assert got.count(b"\n") < 1 + 5, "the file is broken off"
    with acting_as(person("ann", "admin")):
        # What was held is given back: as many can export as before.
        for _ in range(8):
            exports._answer("inventory", "xlsx", {}, "UTC")._stream.close()


async def test_what_a_file_does_not_hold_is_not_needed_for_it(clerk, piece_by_piece):
    pieces = streamed(clerk, columns="product")
    got = await anext(pieces)
    take_away("prices:view")
    async for piece in pieces:
        got += piece
    assert got.count(b"\n") == 1 + 5


async def test_who_loses_it_before_a_workbook_is_done_gets_none(clerk, piece_by_piece, monkeypatch):
    written = exports._pieces

    def interrupted(*args, **more):
        for number, piece in enumerate(written(*args, **more)):
            if number == 2:
                take_away("inventory:export")
            yield piece

    monkeypatch.setattr(exports, "_pieces", interrupted)
    answer = await browser(clerk).get("/export/inventory.xlsx")
    assert answer.status_code == 303
    assert "permission" in http.decode_flash(answer.cookies["flash"])["text"]


async def test_a_browser_that_goes_gives_its_place_back(clerk, monkeypatch):
    monkeypatch.setattr(exports, "_PIECE", 1)
    monkeypatch.setattr(exports, "_at_once", exports.BoundedSemaphore(1))

    async def gone(message):
        if message["type"] == "http.response.body":
            raise OSError

    with acting_as(clerk):
        answer = exports._answer("inventory", "csv", {}, "UTC")
        with pytest.raises(Busy):
            exports._answer("inventory", "csv", {}, "UTC")
        with pytest.raises(ClientDisconnect):
            await answer({"type": "http", "asgi": {"spec_version": "2.4"}}, None, gone)
        exports._answer("inventory", "xlsx", {}, "UTC")._stream.close()


async def test_a_list_that_cannot_be_read_says_why_and_gives_its_place_back(ann, monkeypatch):
    monkeypatch.setattr(exports, "_at_once", exports.BoundedSemaphore(1))
    client = browser(person("olga", "auditor"))
    for _ in range(2):
        answer = await client.get("/export/trail.csv?q=actr:ann")
        assert "There is no “actr:” here" in http.decode_flash(answer.cookies["flash"])["text"]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_link_on_somebody_elses_page_hands_nothing_out(ann, site, trail):
    client = browser(ann)
    before = trail.last().id
    answer = await client.get("/export/suppliers.csv", headers={"Sec-Fetch-Site": site})
    assert (answer.status_code, trail.last().id) == (403, before)
    assert "set-cookie" not in answer.headers
    assert (await client.post("/export/suppliers.csv")).status_code == 405


async def test_the_zone_of_the_browser_says_what_a_day_is(ann, monkeypatch):
    client, seen = browser(ann), []
    prepare = exports.exports.prepare_export
    monkeypatch.setattr(
        exports.exports,
        "prepare_export",
        lambda session, *, name, view: (seen.append(view.zone), prepare(session, name=name, view=view))[1],
    )
    for cookie, zone in (("Europe/Berlin", "Europe/Berlin"), ("../etc", "UTC")):
        client.cookies.set("zone", cookie, domain=DOMAIN)
        assert (await client.get("/export/suppliers.csv")).status_code == 200
        assert seen.pop() == zone


async def test_no_more_rows_than_a_sheet_holds_are_put_into_one(clerk, monkeypatch):
    monkeypatch.setattr(exports, "_MOST_ROWS", 4)
    answer = await browser(clerk).get("/export/inventory.xlsx")
    assert "A sheet holds no more rows" in http.decode_flash(answer.cookies["flash"])["text"]
    assert (await browser(clerk).get("/export/inventory.csv")).text.count("\n") == 1 + 5
