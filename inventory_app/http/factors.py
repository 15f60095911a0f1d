"""Second factors over HTTP: signing in with one, setting one up, and proving again that it is still oneself.

Native posts, because each of them begins a session or lets one go on under a new token.
"""

import secrets
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inventory_app import passkeys, people
from inventory_app.context import Actor, acting_as
from inventory_app.errors import Conflict, Invalid, NotSignedIn
from inventory_app.hashing import judge, slowly
from inventory_app.http import _requests as http
from inventory_app.http._posts import SECURITY_PAGE, ask, let_in, post, session_before, turn
from inventory_app.http._proof import WRONG_PASSKEY, proof_in, signed_by
from inventory_app.http._sealed import TookTooLong, challenge_for, challenge_of, forget, pending
from inventory_app.operations import factors, proving, sessions
from inventory_app.operations._attempts import address_key
from inventory_app.operations.sessions import SignedIn
from inventory_app.passwords import MAXIMUM_LENGTH, verify_password
from inventory_app.unit_of_work import fetch, in_transaction


def _waiting(request: Request) -> Any:
    waits = pending(request.headers.get("cookie", ""))
    if waits is None:
        raise TookTooLong("That took too long. Sign in again.")
    return waits


async def _with_factor(request: Request, form: FormData) -> Response:
    """The second half of signing in: a code or a passkey for the sign-in that waits."""
    waits = _waiting(request)
    with acting_as(http.visitor(request, name=waits.username)):
        known = await fetch(proving.password_of, user_id=waits.user_id)
        if not waits.still(known.password_hash):
            raise Conflict("The password was changed a moment ago. Sign in with the new one.")
    proof = await proof_in(
        request,
        form,
        user_id=waits.user_id,
        username=waits.username,
        purpose="factor",
        bound_to=waits.id,
        waits=waits,
    )
    token = secrets.token_urlsafe(32)
    with acting_as(http.visitor(request, name=waits.username)):
        left = await in_transaction(
            proving.sign_in_with_factor,
            idempotency_key=waits.id,
            user_id=waits.user_id,
            verified_hash=known.password_hash,
            first=waits.first,
            proof=proof,
            token_hash=sessions.hash_token(token),
            remember=waits.remember,
            instead_of=session_before(request),
            identity_id=waits.identity,
            provider_session=waits.provider_session,
        )
    said = {"text": f"You have {left} recovery codes left.", "tone": "warn"}
    flash = said if proof.method == "recovery_code" else None
    return forget(let_in(request, waits.next, token, remember=waits.remember, flash=flash, another_person=True))


async def _with_passkey(request: Request, form: FormData) -> Response:
    """The whole of signing in: a passkey that has checked its person."""
    stranger = http.visitor(request)
    challenge = challenge_of(request, "sign-in", _visit(request))
    answer = passkeys.read(http.text(form, "credential"))
    with acting_as(stranger):
        async with turn(stranger.client_ip):
            owner = await fetch(proving.owner_of_passkey, credential_id=answer.credential_id)
            proof = await signed_by(owner.passkey, answer, challenge) if owner.passkey else None
            if owner.passkey is None or proof is None:
                why = f"wrong passkey for {owner.username}" if owner.passkey else "unknown passkey"
                await in_transaction(proving.refuse_proof, user_id=None, why=why)
                raise Invalid(WRONG_PASSKEY)
    token = secrets.token_urlsafe(32)
    with acting_as(http.visitor(request, name=owner.username)):
        await in_transaction(
            proving.sign_in_with_passkey,
            idempotency_key=challenge,
            user_id=owner.passkey.user_id,
            proof=proof,
            token_hash=sessions.hash_token(token),
            remember=False,
            instead_of=session_before(request),
        )
    path = http.local_path(http.text(form, "next") or "/")
    return forget(let_in(request, path, token, remember=False, another_person=True))


async def _signed_in(request: Request) -> tuple[Actor, SignedIn]:
    actor = http.signed_in(request)
    person = await people.who(actor) if actor else None
    if actor is None or person is None:
        raise NotSignedIn
    return people.named(actor, person), person


def _goes_on(request: Request, actor: Actor, path: str, token: str, text: str, *, remember: bool) -> Response:
    """Answer with the session's new token."""
    people.forget(actor.token_hash or "")
    return forget(let_in(request, path, token, remember=remember, flash={"text": text, "tone": "ok"}))


async def _confirm(request: Request, form: FormData) -> Response:
    """Prove that it is still oneself: password, code or passkey."""
    actor, person = await _signed_in(request)
    password = str(form.get("password") or "")
    verified_hash, proof, key = None, None, None
    if password:
        verified_hash = await _password(request, person.username, password)
    else:
        proof = await proof_in(
            request,
            form,
            user_id=person.user_id,
            username=person.username,
            purpose="confirm",
            bound_to=actor.token_hash or "",
            waits=None,
        )
    if proof and proof.method == "passkey":
        key = challenge_of(request, "confirm", actor.token_hash or "")
    token = secrets.token_urlsafe(32)
    with acting_as(actor):
        remember = await in_transaction(
            proving.confirm_identity,
            idempotency_key=key,
            verified_hash=verified_hash,
            proof=proof,
            token_hash=sessions.hash_token(token),
        )
    return _goes_on(
        request, actor, http.text(form, "next") or "/", token, "Confirmed. Now do it again.", remember=remember
    )


async def _password(request: Request, username: str, password: str) -> str:
    stranger = http.visitor(request)
    with acting_as(stranger):
        async with turn(stranger.client_ip):
            known = await fetch(sessions.credentials, username=username)
            right, _ = await slowly(verify_password, password, known.password_hash)
            if not right or known.password_hash is None:
                await in_transaction(sessions.refuse_sign_in, account=username, why="wrong current password")
                raise Invalid(fields={"password": "That is not your password."})
    return known.password_hash


async def _confirm_app(request: Request, form: FormData) -> Response:
    """Take an authenticator app into use by its first code."""
    actor, _ = await _signed_in(request)
    token = secrets.token_urlsafe(32)
    with acting_as(actor):
        remember = await in_transaction(
            factors.confirm_totp,
            factor_id=http.number(form, "factor_id"),
            name=http.text(form, "name"),
            code=http.text(form, "code"),
            token_hash=sessions.hash_token(token),
        )
    return _goes_on(request, actor, SECURITY_PAGE, token, "The authenticator app is set up.", remember=remember)


async def _register_passkey(request: Request, form: FormData) -> Response:
    """Keep the passkey that the browser has just made."""
    actor, _ = await _signed_in(request)
    challenge = challenge_of(request, "register", actor.token_hash or "")
    made = await slowly(passkeys.registered, http.text(form, "credential"), challenge)
    token = secrets.token_urlsafe(32)
    with acting_as(actor):
        remember = await in_transaction(
            factors.register_passkey,
            idempotency_key=challenge,
            credential_id=made.credential_id,
            public_key=made.public_key,
            counter=made.counter,
            name=http.text(form, "name"),
            token_hash=sessions.hash_token(token),
        )
    return _goes_on(request, actor, SECURITY_PAGE, token, "The passkey is set up.", remember=remember)


async def _options(request: Request, form: FormData) -> Any:
    """Say what the browser shall ask a passkey for, and remember the challenge in a cookie of its own."""
    if not passkeys.host():
        raise Invalid("Passkeys need https and a name in the address of this site. Ask an administrator.")
    purpose, challenge = http.text(form, "purpose"), passkeys.new_challenge()
    if purpose == "sign-in":
        bound_to, options = _visit(request), passkeys.to_prove(challenge, known=[])
    elif purpose == "factor":
        waits = _waiting(request)
        with acting_as(http.visitor(request, name=waits.username)):
            known = await fetch(proving.factors_to_check, user_id=waits.user_id, since=waits.since)
        bound_to = waits.id
        options = passkeys.to_prove(challenge, known=[one.credential_id for one in known.passkeys])
    else:
        actor, person = await _signed_in(request)
        bound_to = actor.token_hash or ""
        with acting_as(actor):
            me = await fetch(factors.registering if purpose == "register" else factors.passkeys_of_mine)
        if purpose == "register":
            options = passkeys.to_register(
                challenge, user_id=person.user_id, username=person.username, name=person.full_name, known=me
            )
        else:
            purpose, options = "confirm", passkeys.to_prove(challenge, known=me)
    response = JSONResponse(options)
    challenge_for(response, purpose, bound_to, challenge)
    return response


async def _strength(request: Request, form: FormData) -> Any:
    """Say how good a new password would be; it is neither kept nor logged anywhere."""
    password = str(form.get("password") or "")[: MAXIMUM_LENGTH + 1]
    about = [http.text(form, name)[:200] for name in ("username", "full_name", "email")]
    actor = http.signed_in(request)
    if actor is not None and await people.who(actor) is not None:
        with acting_as(actor):
            about += await fetch(proving.about_me)
    found = await judge(address_key(http.visitor(request).client_ip), password, about)
    return {"score": found.score, "why_not": found.why_not}


def _visit(request: Request) -> str:
    return http.form_token(http.cookie(request.headers.get("cookie", ""), "visit"))


ROUTES = [
    Route("/auth/factor", post("/login/factor", _with_factor), methods=["POST"]),
    Route("/auth/passkey", post("/login", _with_passkey, keep=("next",)), methods=["POST"]),
    Route("/auth/confirm", post("/confirm", _confirm, keep=("next",)), methods=["POST"]),
    Route("/auth/factors/app", post(SECURITY_PAGE, _confirm_app), methods=["POST"]),
    Route("/auth/factors/passkey", post(SECURITY_PAGE, _register_passkey), methods=["POST"]),
    Route("/auth/passkey/options", ask(_options, page=SECURITY_PAGE), methods=["POST"]),
    Route("/auth/password/strength", ask(_strength, page="/"), methods=["POST"]),
]
