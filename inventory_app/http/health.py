"""Whether the application can work: GET /_health asks the database; GET /ping, Reflex's own, says that it lives."""

import asyncio
import time

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from inventory_app.errors import DatabaseUnavailable
from inventory_app.unit_of_work import answers, in_thread

_ANSWER_SECONDS = 5.0
#: Strangers may ask: the database is asked once a second at most.
_REMEMBER_SECONDS = 1.0


class _Health:
    """The newest answer of the database, and the question that is under way."""

    def __init__(self) -> None:
        self._asked, self._well = 0.0, False
        self._turn = asyncio.Lock()

    async def well(self) -> bool:
        """Tell whether the database answers, as of a second ago at most."""
        async with self._turn:
            if time.monotonic() - self._asked > _REMEMBER_SECONDS:
                try:
                    async with asyncio.timeout(_ANSWER_SECONDS):
                        self._well = await in_thread(answers)
                except TimeoutError:
                    # Every database thread is busy waiting for it.
                    self._well = False
                self._asked = time.monotonic()
            return self._well


_health = _Health()


async def health(_: Request) -> JSONResponse:
    """Answer 200 while people can work, else 503 and the sentence they read."""
    if await _health.well():
        return JSONResponse({"status": True, "db": True})
    return JSONResponse({"status": False, "db": False, "sentence": DatabaseUnavailable.sentence}, 503)


ROUTES = [Route("/_health", health, methods=["GET"])]
