"""What every native form of ours shares: refusals become messages, guesses wait in line, a session becomes a cookie."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote
from weakref import WeakValueDictionary

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from inventory_app import people
from inventory_app.errors import (
    AccountWaiting,
    AppError,
    FreshProofRequired,
    PasswordChangeRequired,
    SecondFactorRequired,
)
from inventory_app.http import _requests as http
from inventory_app.operations._attempts import address_key
from inventory_app.settings import get_settings

#: Where people see and set up how they sign in.
SECURITY_PAGE = "/profile/security"

Answer = Callable[[Request, FormData], Awaitable[Response]]
Found = Callable[[Request, FormData], Awaitable[Any]]

_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


def turn(client_ip: str | None) -> asyncio.Lock:
    """Let the guesses of one address wait for each other: sent all at once, none would see the others' failure.

    A lock that nobody holds or waits for is forgotten.
    """
    return _turns.setdefault(address_key(client_ip), asyncio.Lock())


def turn_at(user_id: int) -> asyncio.Lock:
    """Let the guesses at one account's codes wait for each other, from whatever addresses; inside `turn`."""
    return _turns.setdefault(f"account {user_id}", asyncio.Lock())


def post(
    page: str, answer: Answer, *, keep: tuple[str, ...] = (), behind_hash: str = "", limit: int = http.FORM_LIMIT
) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a route: read and check the form, and turn a refusal into a message on `page`, with what is to be kept.

    `behind_hash` names a field whose value goes back behind the #, which no log sees, where a field is to be mended.
    """

    async def route(request: Request) -> Response:
        values: dict[str, str] = {}
        behind = ""
        try:
            form = await http.read_form(request, limit=limit)
            behind = "#" + quote(http.text(form, behind_hash), safe="") if behind_hash else ""
            values = {name: http.text(form, name) for name in keep}
            return await answer(request, form)
        except http.CrossSite as error:
            return http.refuse_cross_site(error)
        except AppError as error:
            back = values.pop("next", "")
            query = f"?next={quote(back, safe='')}" if back else ""
            tone = "neutral" if isinstance(error, AccountWaiting) else "bad"
            flash = {"text": str(error), "tone": tone, "errors": error.fields, "values": values}
            again = page + query + (behind if error.fields else "")
            return http.see_other(way_out(error, page) or again, flash=flash)

    return route


def way_out(error: AppError, page: str) -> str:
    """Return where somebody who was refused on `page` can do what is missing; empty when nowhere."""
    if isinstance(error, FreshProofRequired):
        return "/confirm?next=" + quote(page, safe="")
    if isinstance(error, PasswordChangeRequired):
        return "/password"
    return SECURITY_PAGE if isinstance(error, SecondFactorRequired) else ""


def ask(find: Found, *, page: str) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a route that scripts of our pages ask: JSON, a refusal as `error` with the `go` that helps."""

    async def route(request: Request) -> Response:
        try:
            found = await find(request, await http.read_form(request))
        except http.CrossSite as error:
            return http.refuse_cross_site(error)
        except AppError as error:
            return JSONResponse({"error": str(error), "go": way_out(error, page)}, 400)
        return found if isinstance(found, Response) else Response(json.dumps(found), media_type="application/json")

    return route


def session_before(request: Request) -> str | None:
    """Return the token hash of the session the browser has now: signing in over it ends it, whoever's it is."""
    before = http.signed_in(request)
    return before.token_hash if before else None


def let_in(
    request: Request,
    path: str,
    token: str,
    *,
    remember: bool,
    flash: dict[str, Any] | None = None,
    another_person: bool = False,
) -> Response:
    """Answer a sign-in: the cookie of the new session, and on to `path`, which shows no refusal from before.

    `another_person`: the browser may have been somebody else's until now, so that its form token is a new one.
    """
    if before := session_before(request):
        people.forget(before)
    response = http.see_other(path or "/", flash=flash, another_person=another_person)
    if flash is None and http.cookie(request.headers.get("cookie", ""), "flash"):
        http.set_cookie(response, "flash", "", seconds=0)
    days = get_settings().session_days if remember else None
    http.set_cookie(response, "session", token, seconds=None if days is None else days * 86_400)
    return response
