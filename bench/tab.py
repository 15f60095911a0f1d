"""One browser tab: the application's websocket, spoken with as little work on our side as possible.

Socket.IO's framing is a few characters before the JSON; a full client would cost as much as the server.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import aiohttp

ROOT = "reflex___state____state"
INVENTORY = f"{ROOT}.inventory_app___states___inventory____inventory_state"
AUTH = f"{ROOT}.inventory_app___states___auth____auth_state"
ON_LOAD = f"{ROOT}.reflex___state____on_load_internal_state.on_load_internal"
_NAMESPACE = "/_event"
_EVENT = f"42{_NAMESPACE},"
_PATIENCE_SECONDS = 30

Message = Mapping[str, Any]


class Tab:
    """A connected tab of the person behind `token`; send events, await what the server answers."""

    def __init__(self, base: str, token: str, path: str = "/inventory") -> None:
        self._base, self._token = base, token
        self._id = str(uuid4())
        self.path = path

    async def __aenter__(self) -> Self:
        """Connect as a page does."""
        origin = self._base
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(
            f"{self._base}/_event/?token={self._id}&EIO=4&transport=websocket",
            headers={"Cookie": f"session={self._token}", "Origin": origin},
            max_msg_size=0,
        )
        await self._text()
        await self._socket.send_str(f"40{_NAMESPACE},")
        await self._text()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave."""
        await self._socket.close()
        await self._http.close()

    async def _text(self) -> str:
        while True:
            message = await self._socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                text = f"the connection ended: {message.type.name} {message.data!r}"
                raise ConnectionError(text)
            if message.data == "2":
                await self._socket.send_str("3")
                continue
            return message.data

    async def send(self, name: str, **payload: Any) -> None:
        """Send an event of this page."""
        parts = urlsplit(self.path)
        event = {
            "name": name,
            "payload": payload,
            "router_data": {"pathname": parts.path, "asPath": self.path, "query": dict(parse_qsl(parts.query))},
        }
        await self._socket.send_str(f"{_EVENT}{json.dumps(['event', event])}")

    async def until(self, wanted: Callable[[str], bool]) -> str:
        """Return the first message, as its text, that is wanted; the others are read and dropped."""
        seen = ""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not wanted(seen):
                    seen = await self._text()
        except TimeoutError as error:
            message = f"no such answer within {_PATIENCE_SECONDS} s; the last was {seen[:400]}"
            raise TimeoutError(message) from error
        return seen

    async def ask(self, name: str, answer: str, **payload: Any) -> str:
        """Send an event and return the text of the first message that contains `answer`."""
        await self.send(name, **payload)
        return await self.until(lambda text: answer in text)

    async def visit(self, path: str, answer: str) -> Message:
        """Go to an address as a link does, and return the delta that contains `answer`."""
        self.path = path
        return delta(await self.ask(ON_LOAD, answer))


def delta(text: str) -> Message:
    """Return the changed vars in a message, by State."""
    return json.loads(text[text.index("[") :])[1].get("delta") or {}


def var(found: Message, name: str, state: str = INVENTORY) -> Any:
    """Return a var of a delta."""
    return found[state][f"{name}_rx_state_"]
