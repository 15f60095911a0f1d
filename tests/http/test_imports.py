"""Sending a file: who may, from which page, how large; what is kept, for whom and for how long."""

import asyncio
import os
import secrets
import time
from dataclasses import replace

import httpx
import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect

from inventory_app import importing, people, staging
from inventory_app.context import acting_as
from inventory_app.http import _requests as http
from inventory_app.http import imports
from inventory_app.models.catalog import Product
from inventory_app.models.imports import ImportRun
from inventory_app.models.users import AuthSession, LocalUser, Role
from inventory_app.operations import import_runs
from inventory_app.operations.import_runs import LARGEST_FILE
from inventory_app.operations.sessions import hash_token
from inventory_app.unit_of_work import open_session
from tests.factories import arrange
from tests.http.answers import CROSS_SITE

ORIGIN = "http://localhost:3000"
#: What the cookie jar calls a host without a dot.
DOMAIN = "localhost.local"
GOOD = b"sku,name,quantity\nA,Salt,3\n"


@pytest.fixture(autouse=True)
def data_dir(configure, tmp_path):
    """Keep what is sent in a folder of the test's own."""
    configure(INVENTORY_DATA_DIR=str(tmp_path))
    people.forget_everybody()
    return tmp_path / "imports"


def browser(actor=None):
    """Return a browser with a visit, signed in as `actor`."""
    client = httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=imports.ROUTES)), base_url=ORIGIN)
    client.cookies.set("visit", http.new_visit(), domain=DOMAIN)
    if actor is not None:
        token = secrets.token_urlsafe(32)

        def sign_in(session: Session) -> None:
            session.get_one(AuthSession, actor.session_id).token_hash = hash_token(token)

        arrange(sign_in)
        client.cookies.set("session", token, domain=DOMAIN)
    return client


def sent(run):
    with open_session() as session:
        return session.get_one(ImportRun, int(run))


async def send(client, content=GOOD, kind="products", name="stock.csv", *, origin=ORIGIN, csrf=None, **fields):
    token = http.form_token(client.cookies["visit"]) if csrf is None else csrf
    return await client.post(
        f"/import/{kind}",
        data={"csrf": token} | fields,
        files={"file": (name, content, "text/csv")},
        headers={"origin": origin} if origin else {},
    )


def flash(response):
    assert response.status_code == 303
    return http.decode_flash(response.cookies["flash"]) if "flash" in response.cookies else {}


def refused(response, words, page="/imports"):
    message = flash(response)
    assert response.headers["location"] == page
    assert words in message["text"]
    return message


def kept(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_file_is_kept_for_its_session_and_nothing_is_written(ann, data_dir):
    client = browser(ann)
    response = await send(client, name="C:\\Users\\ann\\stöck\u202e.csv")
    page, _, run = response.headers["location"].partition("?run=")
    assert (response.status_code, page, flash(response)) == (303, "/imports", {})
    found = sent(run)
    assert (found.kind, found.file_name, found.status) == ("products", "stöck.csv", "mapping")
    with open_session() as session:
        assert not session.exec(select(Product)).all()
    (path,) = kept(data_dir)
    assert oct(path.stat().st_mode)[-3:] == "600"
    assert {oct(folder.stat().st_mode)[-3:] for folder in (path.parent, data_dir)} == {"700"}
    assert path.read_bytes() == GOOD


@pytest.mark.parametrize("kind", import_runs.KINDS)
async def test_each_kind_has_its_address(ann, kind):
    content = {"suppliers": b"name\nA\n", "products": GOOD, "stock": b"sku,quantity\nA,1\n"}.get(
        kind, b"code,name\n1,A\n"
    )
    run = (await send(browser(ann), content, kind)).headers["location"].rpartition("=")[2]
    assert sent(run).kind == kind


async def test_what_cannot_be_read_is_refused_beside_its_field_and_not_kept(ann, data_dir):
    message = refused(await send(browser(ann), b"PK\x03\x04"), "This workbook cannot be read")
    assert message["errors"] == {"products": message["text"]}
    assert message["tone"] == "bad"
    assert not kept(data_dir)


async def test_a_file_without_a_name_of_its_own_gets_one(ann):
    run = (await send(browser(ann), name="\u200b")).headers["location"].rpartition("=")[2]
    assert sent(run).file_name == "products.csv"


async def test_faults_are_handed_out_as_a_file_to_whoever_sent_theirs(ann):
    client = browser(ann)
    content = b"sku,name,=cmd\nA,Salt,x\nB,,y\n"
    run = int((await send(client, content)).headers["location"].rpartition("=")[2])
    with acting_as(replace(ann, token_hash=hash_token(client.cookies["session"]))):
        importing.check(run, {"sku": 0, "name": 1, "quantity": 2}, "update").result()
    answer = await client.get(f"/import/{run}/errors.csv")
    assert answer.text.splitlines() == [
        "\ufeffRow,Column,What is wrong",
        "2,'=cmd,Enter a number such as 12 or 12.5.",
        "3,'=cmd,Enter a number such as 12 or 12.5.",
        "3,name,Please fill this in.",
    ]
    assert answer.headers["cache-control"] == "no-store"
    assert (await browser().get(f"/import/{run}/errors.csv")).headers["location"] == "/login?next=%2Fimports"
    refused(await client.get("/import/99/errors.csv"), "does not exist")


async def test_somebody_without_a_session_is_led_to_sign_in_and_back(stranger, data_dir):
    for client in (browser(), browser()):
        refused(await send(client), "Your session has ended", "/login?next=%2Fimports")
    client.cookies.set("session", "stolen", domain=DOMAIN)
    refused(await send(client), "Your session has ended", "/login?next=%2Fimports")
    assert not kept(data_dir)


async def test_somebody_who_must_change_the_password_first_is_led_there(ann):
    def force(session: Session) -> None:
        session.get_one(LocalUser, ann.id).must_change_password = True

    arrange(force)
    refused(await send(browser(ann)), "Choose your own password first", "/password?next=%2Fimports")


async def test_somebody_whose_role_needs_a_second_factor_sets_it_up_first(ann, data_dir):
    arrange(lambda s: s.execute(sa.update(Role).where(col(Role.name) == "manager").values(needs_factor=True)))
    refused(await send(browser(ann)), "", "/profile/security?next=%2Fimports")
    assert not kept(data_dir)


async def test_somebody_without_the_permission_is_refused_on_record(bob, trail, data_dir):
    refused(await send(browser(bob)), "You do not have the permission")
    assert (trail.last().name, trail.last().outcome, trail.last().actor_name) == (
        "import_runs.apply_import",
        "denied",
        "bob",
    )
    assert not kept(data_dir)


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:3000", "null", ""])
async def test_only_our_own_pages_may_send(ann, origin, data_dir):
    client = browser(ann)
    response = await send(client, origin=origin)
    assert (response.status_code, response.text) == (403, CROSS_SITE)
    assert "set-cookie" not in response.headers
    assert not kept(data_dir)


@pytest.mark.parametrize("csrf", ["", "wrong", "ünfug", http.form_token("another visit")])
async def test_only_the_form_we_gave_out_may_be_sent(ann, csrf, data_dir):
    refused(await send(browser(ann), csrf=csrf), "out of date")
    assert not kept(data_dir)


async def test_a_form_without_a_file_says_so(ann):
    client = browser(ann)
    data = {"csrf": http.form_token(client.cookies["visit"]), "file": "no file"}
    refused(await client.post("/import/products", data=data, headers={"origin": ORIGIN}), "Choose a file first")
    refused(await send(client, b"", name=""), "Choose a file first")


async def test_a_form_that_is_none_says_so(ann):
    client = browser(ann)
    broken = {"origin": ORIGIN, "content-type": "multipart/form-data; boundary=x"}
    refused(await client.post("/import/products", content=b"--y\r\nnonsense", headers=broken), "out of date")
    without = {"origin": ORIGIN, "content-type": "multipart/form-data"}
    refused(await client.post("/import/products", content=b"nonsense", headers=without), "out of date")
    plain = {"origin": ORIGIN, "content-type": "text/csv"}
    refused(await client.post("/import/products", content=GOOD, headers=plain), "out of date")


async def test_a_file_that_is_too_large_is_refused_by_its_announced_size(ann, data_dir):
    refused(await send(browser(ann), b"x" * (LARGEST_FILE + http.FORM_LIMIT)), "at most 64 MB")
    assert not kept(data_dir)


async def test_when_there_is_no_room_the_person_and_the_log_are_told(ann, data_dir, log_lines, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "open", full)
    refused(await send(browser(ann)), "no room for the file")
    assert "import_not_kept" in [line["event"] for line in log_lines]
    assert not kept(data_dir)


# A body that is not what was announced


async def asked(client, pieces, length, *, origin=ORIGIN, gone=False):
    """Send pieces of a body by hand; returns the answer's status and how many pieces were taken."""
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    headers = {"host": "localhost:3000", "origin": origin, "cookie": cookies, "content-length": str(length)}
    headers["content-type"] = "multipart/form-data; boundary=edge"
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/import/products",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("192.0.2.7", 1),
    }
    waiting, sent = list(pieces), []

    async def receive():
        if gone and len(waiting) < 2:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def answer(message):
        sent.append(message)

    await Starlette(routes=imports.ROUTES)(scope, receive, answer)
    return sent[0]["status"], dict(sent[0]["headers"]), len(pieces) - len(waiting)


HEAD = b'--edge\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'


async def test_a_body_longer_than_announced_is_cut_off_while_it_arrives(ann, data_dir):
    pieces = [HEAD, *[b"x" * 2**20] * 70]
    status, headers, taken = await asked(browser(ann), pieces, 1_000)
    assert status == 303
    assert headers[b"location"] == b"/imports"
    # The rest passes by, so that the browser shows the answer.
    assert taken == len(pieces)
    assert not kept(data_dir)


async def test_what_passes_by_has_an_end_in_bytes_and_in_time(ann, monkeypatch):
    monkeypatch.setattr(imports, "_MOST_PASSED_BY", 3)
    assert (await asked(browser(ann), [b"xx"] * 50, 10**9))[2] == 2
    monkeypatch.setattr(imports, "_PATIENCE_SECONDS", 0.01)

    async def never():
        await asyncio.Event().wait()

    await imports._Body(never).pass_by()


async def test_a_stranger_is_answered_after_the_body_too(database):
    status, headers, taken = await asked(browser(), [b"x"] * 5, 5)
    assert (status, headers[b"location"], taken) == (303, b"/login?next=%2Fimports", 5)


@pytest.mark.parametrize("length", ["", "many", "²", "9" * 5_000])
async def test_a_body_must_say_its_length(ann, length):
    client = browser(ann)
    scope_length = length.encode("latin-1").decode("latin-1")
    status, headers, _ = await asked(client, [b"x"], scope_length)
    assert (status, headers[b"location"]) == (303, b"/imports")


async def test_somebody_who_leaves_is_not_answered(ann, data_dir):
    status, _, _ = await asked(browser(ann), [HEAD, b"x", b"y"], 1_000, gone=True)
    assert status == 400
    assert not kept(data_dir)
    assert issubclass(ClientDisconnect, Exception)


# What waits


def test_what_waits_is_forgotten_after_a_while(data_dir):
    key, path = staging.new_file()
    assert staging.path_of(key) == path
    old = time.time() - staging.MINUTES * 60 - 1
    os.utime(path, (old, old))
    assert staging.path_of(key) is None
    other, _ = staging.new_file()
    assert [found.name for found in kept(data_dir)] == [other]


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "x" * 32 + "/..", "x" * 33])
def test_a_key_that_is_none_of_ours_finds_nothing(key):
    assert staging.path_of(key) is None
