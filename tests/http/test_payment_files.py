"""Handing out a batch for the bank: to whom, what is on record, and where everybody else is led."""

import hashlib
import secrets

import httpx
import pytest
from sqlmodel import Session
from starlette.applications import Starlette

from inventory_app import people
from inventory_app.http import _requests as http
from inventory_app.http import payment_files
from inventory_app.models.payments import PaymentBatch
from inventory_app.models.users import AuthSession
from inventory_app.operations.sessions import hash_token
from tests.factories import arrange, person
from tests.operations.payables import batch, found, payables

ORIGIN = "http://localhost:3000"
DOMAIN = "localhost.local"


@pytest.fixture
def acme(database):
    people.forget_everybody()
    return payables()


def browser(actor=None):
    """Return a browser, signed in as `actor`."""
    app = Starlette(routes=payment_files.ROUTES)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN)
    if actor is not None:
        token = secrets.token_urlsafe(32)

        def sign_in(session: Session) -> None:
            session.get_one(AuthSession, actor.session_id).token_hash = hash_token(token)

        arrange(sign_in)
        client.cookies.set("session", token, domain=DOMAIN)
    return client


def address(made, kind="csv"):
    return f"/payments/batches/{made.batch_id}/file.{kind}"


async def test_a_file_is_handed_out_and_its_sha256_is_kept(acme, trail):
    made = batch(acme.paula, acme.invoice_id)
    answer = await browser(acme.quinn).get(address(made))
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="{made.number}.csv"'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert found(PaymentBatch, made.batch_id).file_sha256 == hashlib.sha256(answer.content).hexdigest()
    last = trail.last()
    assert (last.name, last.actor_name, last.outcome) == ("payments.take_payment_file", "quinn", "succeeded")


async def test_who_may_not_is_led_to_the_batch_and_strangers_to_sign_in(acme, trail):
    made = batch(acme.paula, acme.invoice_id)
    answer = await browser(person("ann", "manager")).get(address(made))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/payments/batches/{made.batch_id}")
    assert "permission" in http.decode_flash(answer.cookies["flash"])["text"]
    assert trail.last(name="payments.take_payment_file").outcome == "denied"
    answer = await browser().get(address(made))
    assert answer.headers["location"] == f"/login?next=%2Fpayments%2Fbatches%2F{made.batch_id}"
    assert found(PaymentBatch, made.batch_id).file_sha256 is None


async def test_what_cannot_be_a_file_says_why(acme):
    made = batch(acme.paula, acme.invoice_id)
    client = browser(acme.quinn)
    answer = await client.get(address(made, "xml"))
    assert "A SEPA file is in EUR" in http.decode_flash(answer.cookies["flash"])["text"]
    for path in (address(made, "pdf"), "/payments/batches/999999/file.csv", f"/payments/batches/{'9' * 40}/file.csv"):
        assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_page_of_somebody_else_takes_no_file(acme, site, trail):
    made = batch(acme.paula, acme.invoice_id)
    answer = await browser(acme.quinn).get(address(made), headers={"sec-fetch-site": site})
    assert answer.status_code == 403
    assert not trail.operations(name="payments.take_payment_file")
