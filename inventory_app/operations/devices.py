"""Where a person is signed in: their sessions, and ending them at once."""

import re
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.errors import NotAllowed, NotFound
from inventory_app.models._base import now
from inventory_app.models.users import AuthSession, LocalUser, SessionActivity, UserInfo
from inventory_app.operations._connections import connections_of
from inventory_app.operations._operation import current_viewer, operation, query
from inventory_app.operations._session_life import factors_of, own_session, revoke_sessions
from inventory_app.operations.users import held_permissions, may_use, why_not
from inventory_app.permissions import Permission

_GONE = "That session has ended already. Reload the page."

#: The first that is found in a user agent names it: the later ones are what the earlier pretend to be.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A live session: what it runs on and how it was begun."""

    id: int
    device: str
    address: str
    begun: str
    seen: str
    method: str
    strong: bool
    current: bool


@dataclass(frozen=True, slots=True)
class SessionsOf:
    """The live sessions of somebody else, how many second factors they have, and why nothing may be done to them."""

    username: str
    sessions: list[SessionRow]
    factors: int
    #: Identities at a sign-in provider that sign the person in.
    connections: int
    why_not: str


def device_of(user_agent: str | None) -> str:
    """Name the browser and the system a user agent speaks of, in words."""
    text = user_agent or ""
    browser = next((name for mark, name in _BROWSERS if mark in text), "")
    system = next((name for mark, name in _SYSTEMS if mark in text), "")
    if browser or system:
        return " on ".join(part for part in (browser or "A browser", system) if part)
    return re.sub(r"[^\x20-\x7e]", "", text)[:40] or "Unknown device"


def _live(session: Session, user_id: int, this: int | None) -> list[SessionRow]:
    seen = sa.func.coalesce(col(SessionActivity.seen_at), col(AuthSession.created_at))
    found = session.execute(
        sa.select(AuthSession, seen)
        .outerjoin(SessionActivity, col(SessionActivity.session_id) == col(AuthSession.id))
        .where(
            col(AuthSession.user_id) == user_id,
            col(AuthSession.revoked_at).is_(None),
            col(AuthSession.expires_at) > sa.func.now(),
            seen > sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, col(AuthSession.idle_minutes)),
        )
        .order_by((col(AuthSession.id) == (this or 0)).desc(), seen.desc(), col(AuthSession.id))
        .limit(200)
    ).all()
    return [_row(row, at, this) for row, at in found]


def _row(row: AuthSession, seen: datetime, this: int | None) -> SessionRow:
    return SessionRow(
        id=row.id or 0,
        device=device_of(row.user_agent),
        address=row.client_ip or "",
        begun=row.created_at.isoformat(),
        seen=seen.isoformat(),
        method=row.method,
        strong=row.strong,
        current=row.id == this,
    )


@query(without_factor=True)
def my_sessions(session: Session) -> list[SessionRow]:
    """Return where one is signed in, this session first."""
    viewer = current_viewer(session)
    return _live(session, viewer.user_id or 0, viewer.session_id)


@operation(without_factor=True, log=("session_id",))
def end_my_session(session: Session, *, session_id: int) -> None:
    """End one of one's own sessions, on another device."""
    mine = own_session(session)
    if mine.id == session_id:
        message = "This is the session you are in: sign out instead."
        raise NotAllowed(message)
    _end(session, session_id, mine.user_id)


@operation(without_factor=True)
def end_my_other_sessions(session: Session) -> None:
    """End every session of one's own but this one."""
    mine = own_session(session)
    revoke_sessions(session, mine.user_id, but=mine.id)


@query(Permission.USERS_MANAGE)
def sessions_of(session: Session, *, user_id: int) -> SessionsOf:
    """Return where somebody is signed in, to those who may end it; to others only why they may not."""
    user, info = _person(session, user_id)
    viewer = current_viewer(session)
    reason = why_not(user_id, may_use(session, info), held_permissions(session))
    if reason:
        return SessionsOf(user.username, [], 0, 0, reason)
    factors = session.scalar(sa.select(sa.func.count()).select_from(factors_of(user_id).subquery())) or 0
    connections = len(connections_of(session, user_id))
    return SessionsOf(user.username, _live(session, user_id, viewer.session_id), factors, connections, "")


@query(Permission.USERS_MANAGE)
def number_of(session: Session, *, username: str) -> int:
    """Return the `LocalUser.id` behind a username."""
    found = session.exec(
        select(LocalUser.id).where(sa.func.lower(LocalUser.username) == username.strip().lower())
    ).first()
    if found is None:
        message = f"There is no account {username}."
        raise NotFound(message)
    return found


@operation(Permission.USERS_MANAGE, log=("user_id", "session_id"))
def end_sessions_of(session: Session, *, user_id: int, session_id: int | None = None) -> str:
    """End one session of somebody, or all of them; returns the username."""
    user, info = _person(session, user_id)
    if forbidden := why_not(user_id, may_use(session, info), held_permissions(session)):
        raise NotAllowed(forbidden)
    if session_id is None:
        revoke_sessions(session, user_id)
    else:
        _end(session, session_id, user_id)
    return user.username


def _person(session: Session, user_id: int) -> tuple[LocalUser, UserInfo]:
    found = session.exec(
        select(LocalUser, UserInfo)
        .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
        .where(LocalUser.id == user_id)
    ).first()
    if found is None:
        message = "There is no such person (any more). Reload the page."
        raise NotFound(message)
    return found


def _end(session: Session, session_id: int, user_id: int) -> None:
    """End a session of this person; somebody else's does not exist."""
    found = lock(session, AuthSession, [session_id]).get(session_id)
    if found is None or found.user_id != user_id or found.revoked_at is not None:
        raise NotFound(_GONE)
    found.revoked_at = now()
