"""The life of a session: whoever may enter begins one, a new proof renews it, and it ends."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from inventory_app.context import current_actor
from inventory_app.errors import AccountDisabled, AccountWaiting, Conflict, FreshProofRequired
from inventory_app.models._base import now
from inventory_app.models.access import SecondFactor
from inventory_app.models.users import AuthSession, LocalUser, SessionActivity
from inventory_app.operations._attempts import account_key, count_attempt
from inventory_app.settings import get_settings

#: How long a session lasts that shall not outlive its browser.
_A_DAYS_WORK = timedelta(hours=16)


def admitted(session: Session, user_id: int, verified_hash: str | None, renewed_hash: str | None = None) -> LocalUser:
    """Return the account, locked, if it may be entered and its password is still the verified one."""
    user = session.get_one(LocalUser, user_id, with_for_update=True)
    if verified_hash is not None and user.password_hash != verified_hash:
        message = "The password was changed a moment ago. Sign in with the new one."
        raise Conflict(message)
    if not user.enabled:
        raise AccountWaiting if user.enabled_at is None else AccountDisabled
    if renewed_hash:
        user.password_hash = renewed_hash
    return user


def begin_session(
    session: Session, user: LocalUser, *, method: str, strong: bool, token_hash: str, remember: bool
) -> AuthSession:
    """Begin a session of a person who has proved everything they must: the one way to, for every way of signing in.

    `method` is what was proved, joined by "+"; `strong` whether that was more than a password.
    """
    settings, actor = get_settings(), current_actor()
    lifetime = timedelta(days=settings.session_days) if remember else _A_DAYS_WORK
    begun = AuthSession(
        user_id=user.id or 0,
        token_hash=token_hash,
        expires_at=now() + lifetime,
        idle_minutes=int(lifetime.total_seconds() // 60) if remember else settings.session_idle_minutes,
        client_ip=actor.client_ip,
        user_agent=(actor.user_agent or "")[:400],
        method=method,
        strong=strong,
    )
    session.add(begun)
    count_attempt(session, account_key(user.username), succeeded=True)
    return begun


def end_session_before(session: Session, token_hash: str | None) -> None:
    """End the session that a browser had until now, if it had one."""
    if token_hash is not None:
        session.execute(
            sa.update(AuthSession)
            .where(col(AuthSession.token_hash) == token_hash, col(AuthSession.revoked_at).is_(None))
            .values(revoked_at=now())
        )


def own_session(session: Session) -> AuthSession:
    """Return the acting person's session, locked."""
    mine = select(AuthSession).where(AuthSession.token_hash == current_actor().token_hash)
    return session.exec(mine.with_for_update()).one()


def must_be_fresh(mine: AuthSession) -> None:
    """Refuse what `fresh=True` would refuse: the session's person has not proved lately that it is still them."""
    if mine.reauthenticated_at <= now() - timedelta(minutes=get_settings().fresh_minutes):
        raise FreshProofRequired


def renew(mine: AuthSession, token_hash: str, *, strong: bool = False, method: str = "") -> bool:
    """Let a session go on under a new token after its person has proved who they are; `strong`: by a factor.

    Returns whether its cookie shall outlive the browser, as it did before.
    """
    mine.token_hash = token_hash
    mine.reauthenticated_at = now()
    mine.strong = mine.strong or strong
    if method and method not in mine.method.split("+"):
        mine.method = f"{mine.method}+{method}"
    return mine.expires_at - mine.created_at > _A_DAYS_WORK


def revoke_sessions(session: Session, user_id: int, *, but: int | None = None) -> None:
    """End every live session of the person, except session `but`."""
    session.execute(
        sa.update(AuthSession)
        .where(
            col(AuthSession.user_id) == user_id,
            col(AuthSession.revoked_at).is_(None),
            col(AuthSession.id) != (but or 0),
        )
        .values(revoked_at=now())
    )


def touch_session(session: Session, *, session_id: int) -> None:
    """Note that the session was used; at most one write a minute."""
    statement = insert(SessionActivity).values(session_id=session_id, seen_at=now())
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["session_id"],
            set_={"seen_at": statement.excluded.seen_at},
            where=col(SessionActivity.seen_at) < now() - timedelta(minutes=1),
        )
    )


def factors_of(user_id: Any) -> sa.Select[Any]:
    """Select the second factors of a person that open something."""
    factor = SecondFactor
    return sa.select(factor).where(
        col(factor.user_id) == user_id, col(factor.confirmed_at).is_not(None), col(factor.removed_at).is_(None)
    )


def has_factor(session: Session, user_id: int) -> bool:
    """Tell whether a person has a second factor that opens something."""
    return bool(session.scalar(sa.select(factors_of(user_id).exists())))
