"""What may arrive on a websocket at all: text that begins as the messages of our pages do, before anybody reads it."""

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Engine.IO's close, ping and pong; Socket.IO's connect, disconnect and event. Answers to us and binary parts we never
#: ask for: of one message any number of parts would be kept until the last has come.
_KNOWN = re.compile(r"[123]|4[012]")
_UNSUPPORTED_DATA = 1003


class Frames:
    """ASGI wrapper: a websocket that sends what no client of ours does is ended, which costs no line of the log."""

    def __init__(self, app: ASGIApp) -> None:
        """Guard the websockets of `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is known; anything else is the end of this connection, for the application too."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
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
