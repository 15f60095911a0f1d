"""What may arrive on a websocket at all: text that begins as the messages of our pages do, before anybody reads it."""

import re
from collections import Counter

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inventory_app.http._requests import client_address
from inventory_app.operations._attempts import address_key

#: Engine.IO's close, ping and pong; Socket.IO's connect, disconnect and event. Answers to us and binary parts we never
#: ask for: of one message any number of parts would be kept until the last has come.
_KNOWN = re.compile(r"[123]|4[012]")
_UNSUPPORTED_DATA, _TRY_AGAIN_LATER = 1003, 1013
#: Of one address: a whole company behind one has room, and a stranger does not fill the memory by opening them.
MOST_OPEN = 1_000


class Frames:
    """ASGI wrapper: a websocket that sends what no client of ours does is ended, which costs no line of the log."""

    def __init__(self, app: ASGIApp) -> None:
        """Guard the websockets of `app`."""
        self._app = app
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in as many websockets of one address as may be open, and of each what is known."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        address = address_key(client_address(scope["client"], Headers(scope=scope).get("x-forwarded-for", "")))
        if self._open[address] >= MOST_OPEN:
            await receive()
            await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER})
            return
        self._open[address] += 1
        try:
            await self._pass_on(scope, receive, send)
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is known; anything else is the end of this connection, for the application too."""
        ended = False

        async def known() -> Message:
            nonlocal ended
            message = await receive()
            if message["type"] == "websocket.receive" and not _KNOWN.match(message.get("text") or ""):
                ended = True
                await send({"type": "websocket.close", "code": _UNSUPPORTED_DATA})
                return {"type": "websocket.disconnect", "code": _UNSUPPORTED_DATA}
            return message

        async def unless_ended(message: Message) -> None:
            if not ended:
                await send(message)

        await self._app(scope, known, unless_ended)
