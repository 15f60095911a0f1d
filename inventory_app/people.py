"""Who is behind a session cookie, asked from the database and remembered for a moment.

The memory is for comfort (what to show, whom to stop at the first door); every operation and
query asks the database again in its own transaction.
"""

import time
from dataclasses import replace

from inventory_app.context import Actor, acting_as
from inventory_app.errors import AccountDisabled, NotSignedIn
from inventory_app.operations import _session_life, sessions
from inventory_app.operations.sessions import SignedIn
from inventory_app.unit_of_work import fetch, write_unaudited

_SECONDS = 3.0
_TOUCH_SECONDS = 60.0
_MOST = 10_000

_known: dict[str, tuple[float, SignedIn | None]] = {}
#: Moves whenever something is forgotten: an answer that was asked for before is not remembered after.
_forgotten = 0
#: When this process last noted the use of a session.
_touched: dict[int, float] = {}


async def who(actor: Actor) -> SignedIn | None:
    """Return the person behind the actor's session cookie, or None when it is not live."""
    if actor.token_hash is None:
        return None
    remembered = _known.get(actor.token_hash)
    now = time.monotonic()
    if remembered and remembered[0] > now:
        return remembered[1]
    asked_at = _forgotten
    with acting_as(actor):
        try:
            person = await fetch(sessions.who_is_this)
        except (NotSignedIn, AccountDisabled):
            person = None
    if person is not None and _touched.get(person.session_id, 0.0) + _TOUCH_SECONDS <= now:
        _touched[person.session_id] = now
        await write_unaudited(_session_life.touch_session, session_id=person.session_id)
    if len(_known) >= _MOST or len(_touched) >= _MOST:
        _known.clear()
        _touched.clear()
    if asked_at == _forgotten:
        _known[actor.token_hash] = (now + _SECONDS, person)
    return person


def named(actor: Actor, person: SignedIn) -> Actor:
    """Return the actor with the name and numbers of the person it has turned out to be."""
    return replace(actor, name=person.username, id=person.user_id, session_id=person.session_id)


def forget(token_hash: str) -> None:
    """Ask the database again at the next event of this session."""
    _move_on()
    _known.pop(token_hash, None)


def forget_person(user_id: int | None) -> None:
    """Ask the database again at the next event of this person's sessions; None means of everybody's."""
    _move_on()
    if user_id is None:
        _known.clear()
        return
    for token_hash, (_, person) in list(_known.items()):
        if person is not None and person.user_id == user_id:
            del _known[token_hash]


def forget_everybody() -> None:
    """Ask the database again for every session: roles or accounts have changed."""
    _move_on()
    _known.clear()


def _move_on() -> None:
    global _forgotten  # noqa: PLW0603  # one count for the process, as `_known` is
    _forgotten += 1
