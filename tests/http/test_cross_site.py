"""Every HTTP route of the application: which methods it has, and that nothing but our own pages makes it do anything.

The routes are those of the application itself, so that a new one fails here until somebody has said what it is.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest

from inventory_app.http._requests import form_token
from inventory_app.paths import PROJECT
from tests.fixtures.authenticator import give_app
from tests.fixtures.seeing import Trail
from tests.fixtures.server import PASSWORD, Person, Site, Visitor
from tests.http.answers import CROSS_SITE, OUT_OF_DATE, cookies, count, is_signed_in, message

FILE = {"file": ("stock.csv", b"sku,name,quantity\nA,Salt,3\n", "text/csv")}
NEW_PASSWORD = {"current": PASSWORD, "password": "seven green bottles on a wall"}

#: What is read, by GET alone: it changes nothing, so that any page may lead to it.
READ = {
    "/_health",
    "/pictures/{user_id:key}/{sha256:str}",
    "/documents/{document_id:key}/{sha256:str}",
    "/documents/{document_id:key}/{sha256:str}/small",
    "/export/{name}.csv",
    "/export/{name}.xlsx",
    "/import/{run:key}/errors.csv",
    "/portal/orders/{order_id:key}/paper.pdf",
    "/portal/{kind:str}.csv",
    "/orders/{order_id:key}/paper.pdf",
    "/payments/batches/{batch_id:key}/file.{kind:str}",
}
#: To the sign-in provider and back, by GET: what a page of somebody else can do with it is in `test_single_sign_on.py`.
TO_AND_FRO = {"/auth/oidc", "/auth/oidc/callback"}
#: Posted by the sign-in provider itself, who signs it: `test_back_channel.py`.
BY_THE_PROVIDER = {"/auth/oidc/backchannel-logout"}
#: What is posted to the address of a record: `test_documents.py`.
TO_A_RECORD = {"/documents/{subject_type:str}/{subject_id:key}"}
#: What is posted: the fields and files of an honest request.
POSTED: dict[str, dict[str, Any]] = {
    "/auth/sign-in": {"data": {"username": "{ann}", "password": PASSWORD}},
    "/auth/sign-out": {},
    "/auth/password": {"data": NEW_PASSWORD},
    "/auth/factor": {"data": {"code": "{code}"}},
    "/auth/passkey": {"data": {"credential": "{}"}},
    "/auth/confirm": {"data": {"password": PASSWORD}},
    "/auth/factors/app": {"data": {"factor_id": "1", "name": "Phone", "code": "{code}"}},
    "/auth/factors/passkey": {"data": {"credential": "{}", "name": "Key"}},
    "/auth/passkey/options": {"data": {"purpose": "confirm"}},
    "/auth/password/strength": {"data": NEW_PASSWORD},
    "/auth/oidc/connect": {},
    "/auth/oidc/confirm": {"data": {"next": "/"}},
    "/auth/oidc/link": {"data": {"token": "made up"}},
    "/auth/link": {"data": {"token": "made up", "password": NEW_PASSWORD["password"]}},
    "/profile/picture": {"files": {"picture": ("me.png", b"no picture", "image/png")}},
    "/apply/documents": {"data": {"application": "made up"}, "files": FILE},
    "/import/suppliers": {"files": FILE},
    "/import/categories": {"files": FILE},
    "/import/products": {"files": FILE},
    "/import/locations": {"files": FILE},
    "/import/stock": {"files": FILE},
    "/prices/file": {"files": FILE},
}
#: Reflex's own, which the application closes, or which `test_security.py` looks at one by one.
OF_REFLEX = {"/ping", "/_upload", "/_upload/{path}", "/_health", "/_event", "/_all_routes", "/", ""}

#: How a request differs from one of our own pages: its Origin, its token, its visit.
FORGERIES: dict[str, Callable[[Visitor, dict[str, str], dict[str, str]], object]] = {
    "no Origin": lambda v, data, headers: headers.update(Origin=""),
    "a foreign Origin": lambda v, data, headers: headers.update(Origin="https://evil.example"),
    "the Origin null": lambda v, data, headers: headers.update(Origin="null"),
    "our host on another port": lambda v, data, headers: headers.update(Origin="http://127.0.0.1:1"),
    "our other name": lambda v, data, headers: headers.update(Origin=f"http://localhost:{v.site.port}"),
    "no form token": lambda v, data, headers: data.pop("csrf"),
    "an empty form token": lambda v, data, headers: data.update(csrf=""),
    "somebody else's form token": lambda v, data, headers: data.update(csrf=form_token("another-visit")),
    "the visit as form token": lambda v, data, headers: data.update(csrf=v.kept("visit")),
}


@pytest.fixture(scope="module")
def routes() -> dict[str, set[str]]:
    """Return the methods of every route that the running application has, ours and Reflex's."""
    script = (
        "import json; from inventory_app.inventory_app import app;"
        "ours = app.api_transformer[0].routes; theirs = app._api.routes;"
        "print(json.dumps([[r.path, sorted(getattr(r, 'methods', None) or [])] for r in [*ours, *theirs]]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, env=environment, capture_output=True, text=True, check=True
    )
    found: dict[str, set[str]] = {}
    for path, methods in json.loads(answer.stdout.splitlines()[-1]):
        found.setdefault(path, set()).update(methods)
    return found


def test_every_route_is_one_that_is_tested_here(routes: dict[str, set[str]]):
    posted = {*POSTED, *BY_THE_PROVIDER, *TO_A_RECORD}
    assert set(routes) >= READ | TO_AND_FRO | posted
    assert not set(routes) - READ - TO_AND_FRO - posted - OF_REFLEX, "say what it is: in READ or in POSTED"
    assert {path: routes[path] for path in posted} == {key: {"POST"} for key in posted}
    assert {path: routes[path] for path in READ | TO_AND_FRO} == {key: {"GET", "HEAD"} for key in READ | TO_AND_FRO}


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("ann", "manager")


def honest(path: str, visitor: Visitor, ann: Person) -> dict[str, Any]:
    """Return what one of our own pages would post."""
    given = POSTED[path]
    fill = {"{ann}": ann.username, "{code}": "123456"}
    data = {name: fill.get(value, value) for name, value in given.get("data", {}).items()}
    return {**given, "data": {"csrf": form_token(visitor.kept("visit")), **data}}


def said(answer: httpx.Response) -> str:
    """Return what an answer says: a one-time message, an error for a script, or its text."""
    if answer.headers.get("content-type", "").startswith("application/json"):
        return str(answer.json().get("error", ""))
    return message(answer) if "flash" in cookies(answer) else answer.text


@pytest.fixture
def visitor(site: Site, ann: Person) -> Visitor:
    """Somebody with a live session and a visit."""
    visitor = site.signed_in(ann)
    visitor.get("/login/")
    return visitor


@pytest.mark.parametrize("path", POSTED)
def test_a_form_of_our_own_page_passes(visitor: Visitor, ann: Person, path: str):
    answer = visitor.post(path, **honest(path, visitor, ann))
    assert answer.status_code in (200, 303, 400)
    assert said(answer) not in (OUT_OF_DATE, CROSS_SITE)


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
@pytest.mark.parametrize("path", POSTED)
async def test_what_does_not_come_from_our_own_page_does_nothing(
    site: Site,
    site_trail: Trail,
    site_observer: psycopg.Connection,
    visitor: Visitor,
    ann: Person,
    path: str,
    forge: Callable[..., object],
):
    give_app(ann.id)
    before = visitor.cookie_header
    request = honest(path, visitor, ann)
    headers: dict[str, str] = {}
    forge(visitor, request["data"], headers)
    built = visitor.build_request("POST", path, headers=headers, **request)
    if not built.headers["Origin"]:
        del built.headers["Origin"]
    answer = visitor.send(built)
    if built.headers.get("Origin") == site.origin:
        assert said(answer) == OUT_OF_DATE
        assert set(cookies(answer)) <= {"flash"}
    else:
        assert (answer.status_code, answer.text) == (403, CROSS_SITE)
        assert answer.headers["content-type"].startswith("text/plain")
        assert not cookies(answer), "nobody else's page changes so much as a cookie"
    assert await is_signed_in(visitor, before)
    assert site_trail.operations(actor_name=ann.username) == []
    assert count(site_observer, "SELECT count(*) FROM sign_in_attempt WHERE account = %s", ann.username) == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", POSTED)
async def test_no_link_and_no_picture_makes_a_route_do_anything(
    site: Site, site_trail: Trail, visitor: Visitor, ann: Person, path: str, method: str
):
    answer = visitor.request(method, path)
    assert answer.status_code in (404, 405)
    assert not cookies(answer)
    assert await is_signed_in(visitor)
    assert site_trail.operations(actor_name=ann.username) == []


@pytest.mark.parametrize("path", ["/_health", "/pictures/1/{0}"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_what_is_read_is_only_read(visitor: Visitor, path: str, method: str):
    assert visitor.request(method, path.format("0" * 64)).status_code in (404, 405)
    assert visitor.request(method, path.format("0" * 64), headers={"Origin": "https://evil.example"}).status_code >= 400


#: What nobody's picture is called; none of it may be more than "not here".
NO_PICTURES = ["0/x", "1/%00", "1/%ED%A0%80", "1/%ff%fe", f"{10**40}/x", "1/..%2f..%2fsecret.key", f"1/{'x' * 5_000}"]


@pytest.mark.parametrize("which", NO_PICTURES)
def test_an_address_of_no_picture_is_not_found_and_breaks_nothing(site: Site, visitor: Visitor, which: str):
    before = len(site.log_lines(event="unexpected_error"))
    stranger = site.visitor()
    stranger.cookies.set("session", "made up", domain="127.0.0.1")
    for one in (visitor, stranger, site.visitor()):
        assert one.get(f"/pictures/{which}").status_code in (400, 404)
    assert len(site.log_lines(event="unexpected_error")) == before
    assert "Traceback" not in site.log_text()[-20_000:]
