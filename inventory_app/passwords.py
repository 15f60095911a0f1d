"""Passwords: argon2id through the passlib API, and the rules a new one must meet."""

import secrets
from functools import lru_cache

from passlib.context import CryptContext

from inventory_app.errors import Invalid

MINIMUM_LENGTH = 10
MAXIMUM_LENGTH = 200  # argon2 reads all of it; a megabyte is an attack on our processor

#: Stored instead of a hash while nobody has chosen a password: none is right.
NO_PASSWORD = "!"  # noqa: S105  # the absence of one

_context = CryptContext(schemes=["argon2"], argon2__type="ID")


def hash_password(password: str) -> str:
    """Return the argon2id hash of `password`; slow on purpose, never on the event loop."""
    return _context.hash(password)


@lru_cache(maxsize=1)
def _nobody() -> str:
    return hash_password(secrets.token_urlsafe())


def verify_password(password: str, stored: str | None) -> tuple[bool, str | None]:
    """Tell whether `password` is right, and give a new hash when the stored one has aged.

    No account (`stored=None`) and no password yet take the same time and are never right.
    """
    password = password[: MAXIMUM_LENGTH + 1]
    is_hash = stored not in (None, NO_PASSWORD)
    right, renewed = _context.verify_and_update(password, stored if is_hash else _nobody())
    return (right and is_hash), renewed


def check_new_password(password: str, *, field: str = "password") -> None:
    """Refuse a password that is too short or too long, beside its field."""
    if len(password) < MINIMUM_LENGTH:
        sentence = f"Use at least {MINIMUM_LENGTH} characters; a few words are good."
    elif len(password) > MAXIMUM_LENGTH:
        sentence = f"Use at most {MAXIMUM_LENGTH} characters."
    else:
        return
    raise Invalid(fields={field: sentence})


def generate_password() -> str:
    """Return a random password that can be read out and typed."""
    return "-".join(secrets.token_hex(2) for _ in range(5))
