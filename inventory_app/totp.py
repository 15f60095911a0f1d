"""Authenticator apps: six digits that change every half minute (RFC 6238)."""

import hmac
import time

import segno
from pyotp import random_base32
from pyotp.totp import TOTP

STEP_SECONDS = 30
#: So many steps before and after the present one: clocks differ, people are slow.
_WINDOW = 1
_DIGITS = 6


def new_seed() -> str:
    """Return the secret of a new authenticator app, in base32: 160 bits."""
    return random_base32()


def uri(seed: str, *, username: str, company: str) -> str:
    """Return the address that an authenticator app reads from its QR code."""
    return TOTP(seed).provisioning_uri(name=username, issuer_name=company)


def qr_path(text: str) -> tuple[str, int]:
    """Draw the QR code of a text as the path of an SVG and the width of its square, border included."""
    border = 4
    matrix = segno.make(text, error="m").matrix
    path = "".join(
        f"M{x + border} {y + border}h1v1h-1z" for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark
    )
    return path, len(matrix) + 2 * border


def matching_step(seed: str, code: str, *, after: int, at: float | None = None) -> int | None:
    """Return the time step whose code this is, None when it is wrong or not later than step `after`."""
    digits = "".join(code.split())
    if len(digits) != _DIGITS or not (digits.isascii() and digits.isdecimal()):
        return None
    totp = TOTP(seed, interval=STEP_SECONDS)
    now = int(time.time() if at is None else at) // STEP_SECONDS
    # All of them are compared, so that the time taken tells nothing.
    steps = [
        step
        for step in range(now - _WINDOW, now + _WINDOW + 1)
        if hmac.compare_digest(totp.at(step * STEP_SECONDS), digits)
    ]
    return next((step for step in steps if step > after), None)


def spread(seed: str) -> str:
    """Return the secret in groups of four, to be typed."""
    return " ".join(seed[i : i + 4] for i in range(0, len(seed), 4))
