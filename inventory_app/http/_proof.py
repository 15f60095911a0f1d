"""Checking a code or a passkey that a form carries: the guesses wait in line, wrong ones are counted and on record."""

import secrets

from starlette.datastructures import FormData
from starlette.requests import Request

from inventory_app import passkeys, totp
from inventory_app.context import acting_as
from inventory_app.errors import Invalid
from inventory_app.hashing import slowly
from inventory_app.http import _requests as http
from inventory_app.http._posts import turn, turn_at
from inventory_app.http._sealed import Pending, challenge_of
from inventory_app.operations import proving
from inventory_app.operations.proving import Factors, Passkey, Proof
from inventory_app.unit_of_work import fetch, in_transaction

WRONG_CODE = "That code is not right, or was used already. Type the one your app shows now."
WRONG_PASSKEY = "That passkey was not accepted. Try again, or use another way."
_UNREADABLE = (
    "This server cannot read your authenticator app any more. Use a passkey or a recovery code, "
    "or ask an administrator to reset your second factors."
)


async def proof_in(
    request: Request, form: FormData, *, user_id: int, username: str, purpose: str, bound_to: str, waits: Pending | None
) -> Proof:
    """Return the proof a form carries, checked and still to be used up; raises `Invalid` for a wrong one."""
    code, answer = http.text(form, "code"), http.text(form, "credential")
    if not code and not answer:
        raise Invalid(fields={"code": "Type the code, or use a passkey."})
    stranger = http.visitor(request, name=username)
    with acting_as(stranger):
        async with turn(stranger.client_ip), turn_at(user_id):
            known = await fetch(proving.factors_to_check, user_id=user_id, since=waits.since if waits else None)
            if answer:
                found = await _by_passkey(known, answer, challenge_of(request, purpose, bound_to))
            else:
                found = _by_code(known, code)
            if found is None:
                why = f"wrong {'passkey' if answer else 'code'} for {username}"
                await in_transaction(proving.refuse_proof, user_id=user_id, why=why)
                raise Invalid(WRONG_PASSKEY) if answer else Invalid(fields={"code": _sentence(known)})
    return found


def _sentence(known: Factors) -> str:
    return _UNREADABLE if known.apps and not any(app.seed for app in known.apps) else WRONG_CODE


def _by_code(known: Factors, code: str) -> Proof | None:
    for app in known.apps:
        step = totp.matching_step(app.seed, code, after=app.last_step) if app.seed else None
        if step is not None:
            return Proof("totp", app.factor_id, step)
    hashed = proving.hash_code(code)
    if any(secrets.compare_digest(hashed, one) for one in known.recovery_hashes):
        return Proof("recovery_code", code_hash=hashed)
    return None


async def _by_passkey(known: Factors, answer: str, challenge: str) -> Proof | None:
    read = passkeys.read(answer)
    mine = next((one for one in known.passkeys if one.credential_id == read.credential_id), None)
    return await signed_by(mine, read, challenge) if mine else None


async def signed_by(mine: Passkey, answer: passkeys.Answer, challenge: str) -> Proof | None:
    """Return the proof that this passkey has signed the challenge, None when it has not."""
    if answer.user_handle is not None and answer.user_handle != passkeys.user_handle(mine.user_id):
        return None
    counter = await slowly(passkeys.proved, answer, challenge, public_key=mine.public_key, counter=mine.counter)
    return None if counter is None else Proof("passkey", mine.factor_id, counter)
