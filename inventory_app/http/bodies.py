"""Slow request bodies: each has a time to arrive in, and one address may keep only so many waiting."""

import asyncio
from collections import Counter

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inventory_app.http._requests import client_address
from inventory_app.operations._attempts import address_key

#: For every body, and on top of it the time a slow line needs for what is announced.
PATIENCE_SECONDS = 15.0
SLOWEST_BYTES_PER_SECOND = 32 * 1024
MOST_WAITING = 16
#: Announcing more than anything we take buys no more time.
_LARGEST = 11 * 2**20
_LONGEST_LENGTH = 15


class SlowBody(HTTPException):
    """The body did not arrive in time; it leaves through whoever reads it."""

    def __init__(self) -> None:
        """Be a 408 that ends the connection."""
        super().__init__(408, "This took too long to arrive. Send it again.", {"connection": "close"})


class Bodies:
    """ASGI wrapper: what reads the body of a request waits for it in bounds."""

    def __init__(self, app: ASGIApp) -> None:
        """Guard the requests to `app`."""
        self._app = app
        self._waiting: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; one address that keeps too many waiting is refused."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        address = address_key(client_address(scope["client"], headers.get("x-forwarded-for", "")))
        if self._waiting[address] >= MOST_WAITING:
            answer = PlainTextResponse("Too many requests at once from your address. Wait a moment.", 429)
            await answer(scope, receive, send)
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, self._in_time(receive, address, headers.get("content-length", "")), noted)
        except SlowBody as slow:
            if started:
                raise
            await PlainTextResponse(slow.detail, slow.status_code, slow.headers)(scope, receive, send)
        except ClientDisconnect:
            # Whoever went away before they had said everything gets no answer, and is no fault of ours.
            return

    def _in_time(self, receive: Receive, address: str, length: str) -> Receive:
        """Return `receive` with a deadline until the body is complete; waiting afterwards is for the end."""
        deadline: float | None = None
        complete = False

        async def timed() -> Message:
            nonlocal deadline, complete
            if complete:
                return await receive()
            clock = asyncio.get_running_loop()
            deadline = deadline or clock.time() + _patience(length)
            self._waiting[address] += 1
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError as error:
                complete = True
                raise SlowBody from error
            finally:
                self._waiting[address] -= 1
                if not self._waiting[address]:
                    del self._waiting[address]
            complete = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        return timed


def _patience(length: str) -> float:
    announced = int(length) if length.isascii() and length.isdecimal() and len(length) <= _LONGEST_LENGTH else 0
    return PATIENCE_SECONDS + min(announced, _LARGEST) / SLOWEST_BYTES_PER_SECOND
