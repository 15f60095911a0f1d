"""Passkeys (WebAuthn): what a browser is asked, and whether its answer may be believed. No database here."""

import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from inventory_app.errors import Invalid
from inventory_app.settings import get_settings, is_loopback

_REFUSED = "That passkey was not accepted. Try again, or use another way."
_LONGEST_ANSWER = 16 * 1024
#: What the library raises on an answer that no browser sends, its parsers of CBOR and DER included.
_MALFORMED = (WebAuthnException, ValueError, KeyError, TypeError, IndexError, AttributeError)


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey whose possession was just proved, as it is stored: base64url."""

    credential_id: str
    public_key: str
    counter: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a browser says a passkey has signed; nothing of it is checked yet."""

    credential_id: str
    user_handle: bytes | None
    raw: dict[str, Any]


def host() -> str:
    """Return the name passkeys are bound to; empty where browsers allow none: at a number, and unencrypted."""
    settings = get_settings()
    name = settings.public_host
    if is_loopback(name):
        # Both names of this machine are ours, and only one of them is a name.
        return "localhost"
    named = not name.replace(".", "").isdecimal() and ":" not in name
    return name if named and settings.is_secure else ""


def _origin() -> list[str]:
    return [origin for origin in get_settings().origins if urlsplit(origin).hostname == host()]


def new_challenge() -> str:
    """Return what a passkey shall sign, base64url."""
    return bytes_to_base64url(secrets.token_bytes(32))


def user_handle(user_id: int) -> bytes:
    """Return how a passkey names its person: by number, so that it tells nothing about them."""
    return user_id.to_bytes(8)


def to_register(challenge: str, *, user_id: int, username: str, name: str, known: list[str]) -> dict[str, Any]:
    """Return what a browser is asked to make a new passkey; `known` are those that are registered already."""
    options = generate_registration_options(
        rp_id=host(),
        rp_name=get_settings().company,
        user_name=username,
        user_id=user_handle(user_id),
        user_display_name=name,
        challenge=base64url_to_bytes(challenge),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known],
    )
    return json.loads(options_to_json(options))


def to_prove(challenge: str, *, known: list[str]) -> dict[str, Any]:
    """Return what a browser is asked to sign with one of the `known` passkeys, with any of its own when empty."""
    options = generate_authentication_options(
        rp_id=host(),
        challenge=base64url_to_bytes(challenge),
        allow_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return json.loads(options_to_json(options))


def registered(answer: str, challenge: str) -> NewPasskey:
    """Return the passkey that a browser has just made; raises `Invalid` unless it is a proof of it."""
    try:
        verified = verify_registration_response(
            credential=_object(answer),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=host(),
            expected_origin=_origin(),
            require_user_verification=True,
        )
    except _MALFORMED as error:
        raise Invalid(_REFUSED) from error
    return NewPasskey(
        bytes_to_base64url(verified.credential_id),
        bytes_to_base64url(verified.credential_public_key),
        verified.sign_count,
    )


def read(answer: str) -> Answer:
    """Read which passkey a browser says it has used; raises `Invalid` when it says nothing of the kind."""
    try:
        raw = _object(answer)
        parsed = parse_authentication_credential_json(raw)
        return Answer(bytes_to_base64url(parsed.raw_id), parsed.response.user_handle, raw)
    except _MALFORMED as error:
        raise Invalid(_REFUSED) from error


def proved(answer: Answer, challenge: str, *, public_key: str, counter: int) -> int | None:
    """Return the passkey's new counter when it has signed the challenge for this site, else None."""
    try:
        verified = verify_authentication_response(
            credential=answer.raw,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=host(),
            expected_origin=_origin(),
            credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=counter,
            require_user_verification=True,
        )
    except _MALFORMED:
        return None
    return verified.new_sign_count


def _object(answer: str) -> dict[str, Any]:
    found = json.loads(answer) if len(answer) <= _LONGEST_ANSWER else None
    if not isinstance(found, dict):
        raise TypeError
    return found
