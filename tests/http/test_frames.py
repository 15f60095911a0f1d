"""What may arrive on a websocket, and how many one address may open."""

from starlette.types import Receive, Scope, Send

from inventory_app.http import frames
from inventory_app.http.frames import Frames


class Wire:
    """A websocket of one address: what the client sends, and what it gets."""

    def __init__(self, *texts: str | bytes, address: str = "192.0.2.1") -> None:
        self.scope: Scope = {"type": "websocket", "client": (address, 1), "headers": []}
        kinds = {str: "text", bytes: "bytes"}
        sent = [{"type": "websocket.receive", kinds[type(text)]: text} for text in texts]
        self.messages = [{"type": "websocket.connect"}, *sent, {"type": "websocket.disconnect", "code": 1000}]
        self.got: list[object] = []

    async def receive(self):
        return self.messages.pop(0)

    async def send(self, message):
        self.got.append(message)


class Heard:
    """An application that reads until the end, and may do something once it has been connected."""

    def __init__(self, meanwhile=None) -> None:
        self.texts: list[object] = []
        self.meanwhile = meanwhile

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.meanwhile:
            await self.meanwhile()
        while (message := await receive())["type"] != "websocket.disconnect":
            if message["type"] == "websocket.receive":
                self.texts.append(message["text"])
        await send({"type": "websocket.close"})


async def opened(app: Frames, wire: Wire) -> list[object]:
    await app(wire.scope, wire.receive, wire.send)
    return wire.got


async def test_what_our_pages_send_is_passed_on():
    said = ["2", "3", "40/_event,", '42/_event,["event",{}]', "41/_event,", "1"]
    heard = Heard()
    assert await opened(Frames(heard), Wire(*said)) == [{"type": "websocket.close"}]
    assert heard.texts == said


async def test_after_anything_else_nothing_is_heard_nor_said():
    heard = Heard()
    assert await opened(Frames(heard), Wire("3", '451-/_event,["event",{}]', "3")) == [
        {"type": "websocket.close", "code": 1003}
    ]
    assert heard.texts == ["3"]


async def test_one_address_opens_only_so_many_and_others_are_let_in(monkeypatch):
    monkeypatch.setattr(frames, "MOST_OPEN", 1)
    seen: list[list[object]] = []

    async def others() -> None:
        app._app = Heard()
        seen.extend([await opened(app, Wire("3")), await opened(app, Wire("3", address="192.0.2.2"))])

    app = Frames(Heard(others))
    await opened(app, Wire("3"))
    assert seen == [[{"type": "websocket.close", "code": 1013}], [{"type": "websocket.close"}]]
    assert await opened(app, Wire("3")) == [{"type": "websocket.close"}]
    assert not app._open
