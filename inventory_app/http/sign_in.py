"""Signing in and out and changing the password: native POSTs, because they change the cookie.

Each answers 303 to a page, with a one-time message; the full page load makes the websocket
carry the new cookie.
"""

import asyncio
import secrets
from contextlib import suppress
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inventory_app import first_password, people
from inventory_app.context import acting_as
from inventory_app.errors import Invalid, NotSignedIn
from inventory_app.hashing import slowly
from inventory_app.http import _requests as http
from inventory_app.http._posts import let_in, post, session_before, turn
from inventory_app.http._sealed import Pending, ask_for_factor, mark
from inventory_app.operations import proving, sessions
from inventory_app.passwords import check_new_password, hash_password, verify_password
from inventory_app.unit_of_work import fetch, in_transaction

WRONG = "The username or the password is not right. Check for Caps Lock and try again."
#: What fits into a cookie together with the rest.
_LONGEST_NEXT = 500


async def _sign_in(request: Request, form: FormData) -> Response:
    username, password = http.text(form, "username"), str(form.get("password") or "")
    stranger = http.visitor(request)
    with acting_as(stranger):
        async with turn(stranger.client_ip):
            known = await fetch(sessions.credentials, username=username)
            right, renewed = await slowly(verify_password, password, known.password_hash)
            if not right or known.user_id is None or known.password_hash is None:
                # What was typed stays out of the record: it may be a password in the wrong field.
                why = f"wrong password for {known.username}" if known.user_id else "unknown username"
                await in_transaction(sessions.refuse_sign_in, account=username, why=why)
                raise Invalid(WRONG)
    verified: dict[str, Any] = {
        "user_id": known.user_id,
        "verified_hash": known.password_hash,
        "renewed_hash": renewed,
    }
    remember, path = form.get("remember") is not None, http.local_path(http.text(form, "next") or "/")
    # Who proved to be somebody acts under that name, still without a session.
    with acting_as(http.visitor(request, name=known.username)):
        if known.has_factor:
            await in_transaction(sessions.ask_factor, **verified)
            fingerprint = mark(renewed or known.password_hash)
            path = path if len(path) <= _LONGEST_NEXT else "/"
            return ask_for_factor(Pending(known.user_id, known.username, "password", fingerprint, remember, path))
        token = secrets.token_urlsafe(32)
        await in_transaction(
            sessions.sign_in,
            **verified,
            token_hash=sessions.hash_token(token),
            remember=remember,
            instead_of=session_before(request),
        )
    return let_in(request, path, token, remember=remember, another_person=True)


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
            async with turn(person.client_ip):
                known = await fetch(sessions.credentials, username=me.username)
                right, _ = await slowly(verify_password, old, known.password_hash)
                if not right or known.password_hash is None:
                    await in_transaction(sessions.refuse_sign_in, account=me.username, why="wrong current password")
                    raise Invalid(fields={"current": "That is not your current password."})
        about = await fetch(proving.about_me)
        await slowly(check_new_password, new, about)
        if new == old:
            raise Invalid(fields={"password": "Choose one you have not used here."})
        token = secrets.token_urlsafe(32)
        remember = await in_transaction(
            sessions.change_password,
            verified_hash=known.password_hash,
            new_hash=await slowly(hash_password, new),
            token_hash=sessions.hash_token(token),
        )
    people.forget(person.token_hash)
    await asyncio.to_thread(first_password.remove_if_it_was, old)
    flash = {"text": "Your password is changed. Other devices are signed out.", "tone": "ok"}
    return let_in(request, "/", token, remember=remember, flash=flash)


ROUTES = [
    Route("/auth/sign-in", post("/login", _sign_in, keep=("username", "next")), methods=["POST"]),
    Route("/auth/sign-out", post("/login", _sign_out), methods=["POST"]),
    Route("/auth/password", post("/password", _change_password), methods=["POST"]),
]
