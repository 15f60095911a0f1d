"""Short-lived sealed cookies between two posts: a sign-in that waits for its second factor, a passkey's challenge.

They are encrypted and signed with the installation's secret, bound to what they belong to, and used up in the
database: whatever succeeds with one runs under its id as idempotency key, and so succeeds once.
"""

import hashlib
import secrets
from dataclasses import asdict, dataclass, field
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from inventory_app import sealing
from inventory_app.errors import Denied
from inventory_app.http import _requests as http
from inventory_app.models._base import now

SECONDS = 300

_PENDING, _CHALLENGE = "pending", "challenge"


class TookTooLong(Denied):
    """What the browser was in the middle of is over."""

    sentence = "That took too long. Start again."


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in whose first proof was right; `mark` is the fingerprint of the password's hash at that moment."""

    user_id: int
    username: str
    first: str
    mark: str
    remember: bool
    next: str
    #: Of single sign-on: the connection it was proved by, and what is kept of the session there.
    identity: int | None = None
    provider_session: str | None = None
    id: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    begun: str = field(default_factory=lambda: now().isoformat())

    @property
    def since(self) -> datetime:
        """When the first proof was given."""
        return datetime.fromisoformat(self.begun)

    def still(self, password_hash: str | None) -> bool:
        """Whether the password is the one that was right."""
        return self.mark == mark(password_hash)


def mark(password_hash: str | None) -> str:
    """Return the fingerprint of a password's hash."""
    return hashlib.sha256((password_hash or "").encode()).hexdigest()


def ask_for_factor(pending: Pending) -> Response:
    """Answer a right first proof: on to the page that asks for the second one, still without a session."""
    response = http.see_other("/login/factor")
    http.set_cookie(response, _PENDING, sealing.seal(_PENDING, asdict(pending)), seconds=SECONDS)
    return response


def pending(cookie_header: str) -> Pending | None:
    """Return the sign-in that waits in this browser, if it still does."""
    try:
        return Pending(**sealing.unseal(_PENDING, http.cookie(cookie_header, _PENDING), seconds=SECONDS))
    except (sealing.Unreadable, TypeError):
        return None


def challenge_for(response: Response, purpose: str, bound_to: str, challenge: str) -> None:
    """Remember in the browser what a passkey is asked to sign, for `purpose` and whom it is `bound_to`."""
    sealed = sealing.seal(_CHALLENGE, [purpose, bound_to, challenge])
    http.set_cookie(response, _CHALLENGE, sealed, seconds=SECONDS)


def challenge_of(request: Request, purpose: str, bound_to: str) -> str:
    """Return what the passkey was asked to sign; raises `TookTooLong` when it was for something else or is over."""
    value = http.cookie(request.headers.get("cookie", ""), _CHALLENGE)
    try:
        found = sealing.unseal(_CHALLENGE, value, seconds=SECONDS)
    except sealing.Unreadable as error:
        raise TookTooLong from error
    if found[:2] != [purpose, bound_to]:
        raise TookTooLong
    return found[2]


def forget(response: Response) -> Response:
    """Take the sealed cookies out of the browser: they are used up."""
    for name in (_PENDING, _CHALLENGE):
        http.set_cookie(response, name, "", seconds=0)
    return response
