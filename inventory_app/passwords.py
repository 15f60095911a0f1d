"""Passwords: argon2id through the passlib API, and what a new one must withstand.

Everything here takes its time and belongs on the threads of `hashing.slowly`.
"""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from passlib.context import CryptContext
from zxcvbn import zxcvbn

from inventory_app.errors import Invalid
from inventory_app.settings import get_settings

MINIMUM_LENGTH = 10
MAXIMUM_LENGTH = 200  # argon2 reads all of it; a megabyte is an attack on our processor
#: Of 0 to 4: from here on a password withstands some 10^8 guesses.
ENOUGH = 3
#: As much as is judged: the time to judge grows with the square, and nobody guesses that far.
_JUDGED = 100
#: What has to be left of a password when everything that is known about the person is taken out.
_LEFT = 8
_SHORTEST_WORD = 3

#: Stored instead of a hash while nobody has chosen a password: none is right.
NO_PASSWORD = "!"  # noqa: S105  # the absence of one

_context = CryptContext(schemes=["argon2"], argon2__type="ID")

_COMMON = "This is one of the passwords that are tried first. Use a few words that do not belong together."
_REASONS = {
    "repeat": "It repeats itself. Add words that have nothing to do with the rest.",
    "sequence": "Rows such as abc or 1234 are guessed first. Use a few words that do not belong together.",
    "spatial": "Neighbouring keys are guessed first. Use a few words that do not belong together.",
    "date": "Dates and years are guessed first. Use a few words that do not belong together.",
    "regex": "Dates and years are guessed first. Use a few words that do not belong together.",
    "dictionary": "It is too close to a common word or password. Add another word or two.",
}
_PERSONAL = "It is made of your own name, address or company. Choose words that have nothing to do with you."
_GUESSABLE = "It can be guessed too fast. Add another word or two."


@dataclass(frozen=True, slots=True)
class Strength:
    """How well a new password would do: zxcvbn's 0 to 4, and what is wrong with it, if anything."""

    score: int
    why_not: str = ""


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


def strength(password: str, about: Iterable[str] = ()) -> Strength:
    """Judge a new password; `about` is what is known of the person: names, addresses."""
    if wrong := _wrong_length(password):
        return Strength(0, wrong)
    words = _words([*about, get_settings().company, "inventory"])
    judged = password[:_JUDGED]
    found: Any = zxcvbn(judged, user_inputs=words, max_length=_JUDGED)
    score = found["score"]
    if _mostly_personal(judged, words):
        return Strength(min(score, ENOUGH - 1), _PERSONAL)
    return Strength(score, "" if score >= ENOUGH else _reason(found["sequence"]))


def check_new_password(password: str, about: Iterable[str] = (), *, field: str = "password") -> None:
    """Refuse a password that is too short, too long or too easy to guess, and say why beside its field."""
    if why_not := strength(password, about).why_not:
        raise Invalid(fields={field: why_not})


def check_length(password: str, *, field: str = "password") -> None:
    """Refuse a password that is too short or too long: what an operation checks again, without judging it anew."""
    if wrong := _wrong_length(password):
        raise Invalid(fields={field: wrong})


def _wrong_length(password: str) -> str:
    if len(password) < MINIMUM_LENGTH:
        return f"Use at least {MINIMUM_LENGTH} characters; a few words are good."
    return f"Use at most {MAXIMUM_LENGTH} characters." if len(password) > MAXIMUM_LENGTH else ""


def _words(about: Iterable[str]) -> list[str]:
    """Split what is known of the person into the words a password could be made of."""
    found = {part for text in about for part in re.split(r"[\W_]+", text.casefold()[:_JUDGED])}
    whole = {text.casefold()[:_JUDGED] for text in about}
    return sorted(word for word in found | whole if len(word) >= _SHORTEST_WORD)


def _mostly_personal(password: str, words: list[str]) -> bool:
    left = password.casefold()
    for word in sorted(words, key=len, reverse=True):
        left = left.replace(word, "")
    return left != password.casefold() and len(left) < _LEFT


def _reason(sequence: list[dict[str, Any]]) -> str:
    """Say in our words what makes a password easy: what its longest part is."""
    if not sequence:
        return _GUESSABLE
    longest = max(sequence, key=lambda match: len(match["token"]))
    if longest.get("dictionary_name") == "user_inputs":
        return _PERSONAL
    if longest.get("dictionary_name") == "passwords" and len(sequence) == 1:
        return _COMMON
    return _REASONS.get(longest["pattern"], _GUESSABLE)


def generate_password() -> str:
    """Return a random password that can be read out and typed."""
    return "-".join(secrets.token_hex(2) for _ in range(5))
