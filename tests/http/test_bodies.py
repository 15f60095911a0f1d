"""A body that never ends is ended, and one address keeps only so many waiting."""

import asyncio
import socket

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from inventory_app.http import bodies
from inventory_app.http._requests import form_token
from inventory_app.http.bodies import MOST_WAITING, Bodies
from tests.fixtures.server import Site, fresh_address
from tests.http.answers import OUT_OF_DATE, message

FORM = b"username=ann&password="


async def _read(request):
    return PlainTextResponse(str(len(await request.body())))


async def _another(scope, receive, send):
    """Read the body as no Starlette route would: nothing here turns an error into an answer."""
    while (await receive()).get("more_body"):
        pass
    await PlainTextResponse("done")(scope, receive, send)


async def _talks_first(scope, receive, send):
    """Begin the answer, then read."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await receive()
    await receive()


def scope(**headers: str):
    packed = [(name.encode(), value.encode()) for name, value in headers.items()]
    known = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "client": ("192.0.2.1", 1)}
    return known | {"headers": packed}


class Client:
    """What a client sends piece by piece, and what it gets; after the last piece it says nothing any more."""

    def __init__(self, *pieces: bytes, complete: bool = False) -> None:
        last = len(pieces) - 1
        self.messages = [
            {"type": "http.request", "body": piece, "more_body": not (complete and number == last)}
            for number, piece in enumerate(pieces)
        ]
        self.got = []
        self.silent = asyncio.Event()

    async def receive(self):
        if self.messages:
            return self.messages.pop(0)
        self.silent.set()
        return await asyncio.get_running_loop().create_future()

    async def send(self, message):
        self.got.append(message)


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(bodies, "PATIENCE_SECONDS", 0.02)


@pytest.mark.parametrize("inside", [Starlette(routes=[Route("/", _read, methods=["POST"])]), _another])
async def test_a_body_that_does_not_arrive_in_time_gets_408_and_its_connection_ends(hurried, inside):
    app, client = Bodies(inside), Client(FORM)
    await app(scope(), client.receive, client.send)
    assert client.got[0]["status"] == 408
    assert (b"connection", b"close") in client.got[0]["headers"]
    assert client.got[1]["body"] == b"This took too long to arrive. Send it again."
    assert not app._waiting


async def test_an_answer_that_has_begun_is_cut_off(hurried):
    client = Client(FORM)
    with pytest.raises(bodies.SlowBody):
        await Bodies(_talks_first)(scope(), client.receive, client.send)
    assert [message["type"] for message in client.got] == ["http.response.start"]


async def test_a_body_that_is_complete_may_be_followed_by_any_silence(hurried):
    client, patience = Client(FORM, complete=True), asyncio.Event()

    async def waits_for_the_end(scope, receive, send):
        await receive()
        after = asyncio.ensure_future(receive())
        done, _ = await asyncio.wait([after], timeout=5 * bodies.PATIENCE_SECONDS)
        assert not done
        after.cancel()
        patience.set()

    await Bodies(waits_for_the_end)(scope(), client.receive, client.send)
    assert patience.is_set()


@pytest.mark.parametrize(
    ("announced", "seconds"),
    [("", 15), ("0", 15), ("many", 15), ("²", 15), ("9" * 5_000, 15), (str(2**20), 47), (str(2**40), 367)],
)
def test_what_is_announced_buys_as_much_time_as_a_slow_line_needs_and_no_more(announced, seconds):
    assert bodies._patience(announced) == seconds


async def test_whoever_goes_away_in_the_middle_is_no_error():
    client = Client(FORM)
    client.messages.append({"type": "http.disconnect"})
    await Bodies(Starlette(routes=[Route("/", _read, methods=["POST"])]))(scope(), client.receive, client.send)
    assert not [message for message in client.got if message.get("status") == 200]


async def test_one_address_keeps_only_so_many_waiting_and_others_do_not_notice():
    app = Bodies(Starlette(routes=[Route("/", _read, methods=["POST"])]))
    slow = [Client(FORM) for _ in range(MOST_WAITING)]
    waiting = [asyncio.ensure_future(app(scope(), one.receive, one.send)) for one in slow]
    for one in slow:
        await one.silent.wait()

    async def status(address: str) -> int:
        client = Client(FORM, complete=True)
        await app(scope() | {"client": (address, 1)}, client.receive, client.send)
        return client.got[0]["status"]

    assert await status("192.0.2.1") == 429
    assert await status("192.0.2.2") == 200
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await status("192.0.2.1") == 200


def slow_post(site: Site, path: str, address: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", site.port), timeout=60)
    head = [f"POST {path} HTTP/1.1", f"Host: {site.host}", f"Origin: {site.origin}", f"X-Forwarded-For: {address}"]
    head += ["Content-Type: application/x-www-form-urlencoded", "Content-Length: 1000", "", ""]
    connection.sendall("\r\n".join(head).encode() + FORM)
    return connection


def test_the_server_refuses_an_address_that_sends_many_slowly_and_forgets_when_they_are_gone(site: Site):
    visitor = site.visitor()
    log_before = len(site.log_text())
    held = [slow_post(site, "/auth/sign-in", visitor.address) for _ in range(MOST_WAITING)]
    site.wait_until(lambda: visitor.get("/ping").status_code == 429, "429")
    assert site.visitor(fresh_address()).get("/ping").status_code == 200
    for connection in held:
        connection.close()
    site.wait_until(lambda: visitor.get("/ping").status_code == 200, "let in again")
    assert "Traceback" not in site.log_text()[log_before:]


@pytest.mark.long
@pytest.mark.parametrize("path", ["/auth/sign-in", "/import/products", "/_event/?EIO=4&transport=polling"])
def test_the_server_ends_a_slow_body(site: Site, path: str):
    """As long as it really takes: fifteen seconds."""
    with slow_post(site, path, fresh_address()) as connection:
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    assert answer.split(b" ", 2)[1] in (b"408", b"303", b"400"), answer[:200]


@pytest.mark.parametrize("charset", ["punycode", "undefined", "unicode_escape", "utf-8; charset=punycode"])
def test_a_form_in_no_charset_of_a_browsers_is_refused_before_it_is_decoded(site: Site, charset: str):
    """Decoding was done by any codec of Python's that a stranger named: slow ones, and ones that made it an error."""
    visitor = site.visitor()
    visitor.get("/login/")
    kind = f"multipart/form-data; boundary=b; charset={charset}"
    fields = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="n%d"\r\n\r\n\\ud800%s\r\n' % (number, b"a" * 60_000)
        for number in range(30)
    )
    answer = visitor.post(
        "/profile/picture", content=fields + b"--b--\r\n", headers={"Origin": site.origin, "Content-Type": kind}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/profile")
    assert message(answer) == OUT_OF_DATE


def test_a_named_utf_8_is_what_a_script_may_send(site: Site):
    visitor = site.visitor()
    visitor.get("/login/")
    kind = {"Origin": site.origin, "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"}
    content = f"csrf={form_token(visitor.kept('visit'))}&password=a"
    answer = visitor.post("/auth/password/strength", content=content, headers=kind)
    assert answer.status_code == 200
