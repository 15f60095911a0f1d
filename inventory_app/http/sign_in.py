"""Signing in and out and changing the password: native POSTs, because they change the cookie.

Each answers 303 to a page, with a one-time message; the full page load makes the websocket
carry the new cookie.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import quote
from weakref import WeakValueDictionary

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inventory_app import first_password, people
from inventory_app.context import acting_as
from inventory_app.errors import AccountWaiting, AppError, Invalid, NotSignedIn
from inventory_app.http import _requests as http
from inventory_app.operations import sessions
from inventory_app.passwords import check_new_password, hash_password, verify_password
from inventory_app.settings import get_settings
from inventory_app.unit_of_work import fetch, in_transaction

WRONG = "The username or the password is not right. Check for Caps Lock and try again."

Answer = Callable[[Request, FormData], Awaitable[Response]]


@lru_cache(maxsize=1)
def _hashing() -> ThreadPoolExecutor:
    """Return the threads passwords are hashed on: slow work that must not hold a connection."""
    return ThreadPoolExecutor(2, thread_name_prefix="hashing")


_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


def _turn(client_ip: str | None) -> asyncio.Lock:
    """Let the guesses of one address wait for each other: sent all at once, none would see the others' failure.

    A lock that nobody holds or waits for is forgotten.
    """
    return _turns.setdefault(sessions.address_key(client_ip), asyncio.Lock())


async def slowly(function: Callable[..., Any], *args: Any) -> Any:
    """Run slow work (hashing, pictures) on threads of its own, which hold no connection."""
    return await asyncio.get_running_loop().run_in_executor(_hashing(), function, *args)


def post(
    page: str, answer: Answer, *, keep: tuple[str, ...] = (), limit: int = http.FORM_LIMIT
) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a route: read and check the form, and turn a refusal into a message on `page`."""

    async def route(request: Request) -> Response:
        values: dict[str, str] = {}
        try:
            form = await http.read_form(request, limit=limit)
            values = {name: http.text(form, name) for name in keep}
            return await answer(request, form)
        except http.CrossSite as error:
            return http.refuse_cross_site(error)
        except AppError as error:
            back = values.pop("next", "")
            query = f"?next={quote(back, safe='')}" if back else ""
            tone = "neutral" if isinstance(error, AccountWaiting) else "bad"
            flash = {"text": str(error), "tone": tone, "errors": error.fields, "values": values}
            return http.see_other(page + query, flash=flash)

    return route


async def _sign_in(request: Request, form: FormData) -> Response:
    username, password = http.text(form, "username"), str(form.get("password") or "")
    stranger = http.visitor(request)
    with acting_as(stranger):
        async with _turn(stranger.client_ip):
            known = await fetch(sessions.credentials, username=username)
            right, renewed = await slowly(verify_password, password, known.password_hash)
            if not right or known.user_id is None or known.password_hash is None:
                # What was typed stays out of the record: it may be a password in the wrong field.
                why = f"wrong password for {known.username}" if known.user_id else "unknown username"
                await in_transaction(sessions.refuse_sign_in, account=username, why=why)
                raise Invalid(WRONG)
    token = secrets.token_urlsafe(32)
    before = http.signed_in(request)
    # Who proved to be somebody acts under that name, still without a session.
    with acting_as(http.visitor(request, name=known.username)):
        remember = form.get("remember") is not None
        await in_transaction(
            sessions.sign_in,
            user_id=known.user_id,
            verified_hash=known.password_hash,
            renewed_hash=renewed,
            token_hash=sessions.hash_token(token),
            remember=remember,
            instead_of=before.token_hash if before else None,
        )
    if before and before.token_hash:
        people.forget(before.token_hash)
    response = http.see_other(http.text(form, "next") or "/", another_person=True)
    days = get_settings().session_days if remember else None
    http.set_cookie(response, "session", token, seconds=None if days is None else days * 86_400)
    return response


async def _sign_out(request: Request, _: FormData) -> Response:
    actor = http.signed_in(request)
    person = await people.who(actor) if actor else None
    if actor and actor.token_hash and person:
        # Ended meanwhile: being signed out is what was asked for.
        with acting_as(people.named(actor, person)), suppress(NotSignedIn):
            await in_transaction(sessions.sign_out)
        people.forget(actor.token_hash)
    flash = {"text": "You are signed out.", "tone": "ok"}
    response = http.see_other("/login", flash=flash, another_person=True)
    http.set_cookie(response, "session", "", seconds=0)
    return response


async def _change_password(request: Request, form: FormData) -> Response:
    person = http.signed_in(request)
    if person is None or not person.token_hash:
        raise NotSignedIn
    old, new = str(form.get("current") or ""), str(form.get("password") or "")
    with acting_as(person):
        me = await fetch(sessions.who_is_this)
    with acting_as(people.named(person, me)):
        with acting_as(http.visitor(request)):
            async with _turn(person.client_ip):
                known = await fetch(sessions.credentials, username=me.username)
                right, _ = await slowly(verify_password, old, known.password_hash)
                if not right or known.password_hash is None:
                    await in_transaction(sessions.refuse_sign_in, account=me.username, why="wrong current password")
                    raise Invalid(fields={"current": "That is not your current password."})
        check_new_password(new)
        if new == old:
            raise Invalid(fields={"password": "Choose one you have not used here."})
        token = secrets.token_urlsafe(32)
        await in_transaction(
            sessions.change_password,
            verified_hash=known.password_hash,
            new_hash=await slowly(hash_password, new),
            token_hash=sessions.hash_token(token),
        )
    people.forget(person.token_hash)
    await asyncio.to_thread(first_password.remove_if_it_was, old)
    flash = {"text": "Your password is changed. Other devices are signed out.", "tone": "ok"}
    response = http.see_other("/", flash=flash)
    http.set_cookie(response, "session", token, seconds=get_settings().session_days * 86_400)
    return response


ROUTES = [
    Route("/auth/sign-in", post("/login", _sign_in, keep=("username", "next")), methods=["POST"]),
    Route("/auth/sign-out", post("/login", _sign_out), methods=["POST"]),
    Route("/auth/password", post("/password", _change_password), methods=["POST"]),
]
