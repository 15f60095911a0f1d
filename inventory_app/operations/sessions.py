"""Signing in and out, and who is behind a session."""

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from inventory_app.context import Actor, current_actor
from inventory_app.errors import AccountDisabled, AccountWaiting, Conflict, TooManyAttempts
from inventory_app.models._base import now
from inventory_app.models.access import SecondFactor, UserPicture
from inventory_app.models.users import (
    AuthSession,
    Idempotency,
    LocalUser,
    SessionActivity,
    SignInAttempt,
    UserInfo,
    role_names,
)
from inventory_app.operations._operation import current_viewer, operation, query
from inventory_app.operations.pictures import picture_address
from inventory_app.settings import get_settings

#: Failures of one account from one address that cost nothing, and the longest wait after more.
FREE_FAILURES = 5
FREE_FAILURES_OF_AN_ADDRESS = 30
LONGEST_WAIT = timedelta(minutes=15)
FREE_FAILURES_OF_AN_ACCOUNT = 10
#: An address that signed in to the account within this time is not slowed by others' failures.
TRUSTED_FOR = timedelta(days=30)
#: How long a session lasts that shall not outlive its browser.
_A_DAYS_WORK = timedelta(hours=16)
#: A form that was left open for longer is sent as a new one.
ANSWERS_KEPT_FOR = timedelta(days=30)


def hash_token(token: str) -> str:
    """Return what is stored of a cookie's token: its SHA-256, as hex."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The person behind a live session, with what the pages need."""

    user_id: int
    session_id: int
    username: str
    full_name: str
    roles: tuple[str, ...]
    permissions: frozenset[str]
    must_change_password: bool
    #: A role asks for a second factor, and this session was begun without one.
    needs_factor: bool
    #: Where their picture is; empty when they have none.
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is needed to check a password; `user_id` is None for an unknown account."""

    user_id: int | None
    password_hash: str | None
    username: str = ""
    #: A second factor is set up: the password alone opens nothing.
    has_factor: bool = False


@query(stale_password=True)
def who_is_this(session: Session) -> SignedIn:
    """Return the person behind the current actor's session; `NotSignedIn` when it is not live."""
    viewer = current_viewer(session)
    needed = sa.and_(~col(AuthSession.strong), sa.func.audit_needs_factor(LocalUser.id))
    user, info, needs_factor, sha256 = session.exec(
        select(LocalUser, UserInfo, needed, UserPicture.sha256)
        .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
        .outerjoin(UserPicture, col(UserPicture.user_id) == col(LocalUser.id))
        .join(AuthSession, col(AuthSession.user_id) == col(LocalUser.id))
        .where(LocalUser.id == viewer.user_id, AuthSession.id == viewer.session_id)
    ).one()
    return SignedIn(
        user_id=user.id or 0,
        session_id=viewer.session_id or 0,
        username=user.username,
        full_name=info.full_name or user.username,
        roles=tuple(role_names(session, [info.id or 0])[info.id or 0]),
        permissions=viewer.permissions,
        must_change_password=user.must_change_password,
        needs_factor=needs_factor,
        picture=picture_address(user.id, sha256),
    )


@query(public=True)
def why_ended(session: Session, *, token_hash: str | None) -> str:
    """Say why the session of a cookie, known by its hash, is over."""
    found = session.exec(
        select(LocalUser.enabled, AuthSession.revoked_at)
        .join(AuthSession, col(AuthSession.user_id) == col(LocalUser.id))
        .where(AuthSession.token_hash == token_hash)
    ).first()
    if found is None:
        # Rotated: a password change or a new proof goes on under another token.
        return "You were signed in anew in another tab. Reload this page."
    enabled, revoked_at = found
    if not enabled:
        return "Your account has been disabled. Ask an administrator."
    if revoked_at is not None:
        return "You were signed out: in another tab, from another device, or by an administrator. Sign in again."
    return "Your session has ended. Sign in again."


def address_key(address: str | None) -> str:
    """Return the address failures are counted by: an IPv6 customer owns a whole /64."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if parsed.version == 6 and not parsed.ipv4_mapped:  # noqa: PLR2004  # the version is its name
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address) + "/64"
    # One and the same address, written as IPv4 or inside IPv6.
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def counted_as(actor: Actor) -> str:
    """Return whom refusals are counted by: the person, once the database has said who it is, else the address."""
    return address_key(actor.client_ip) if actor.id is None else f"person {actor.id}"


def account_key(username: str) -> str:
    """Return what failures are counted by: a hash, for people type passwords into the wrong field."""
    return hashlib.sha256(username.strip().casefold().encode(errors="replace")).hexdigest()


def _wait_left(failures: int, free: int, last: datetime | None) -> timedelta:
    if failures < free or last is None:
        return timedelta(0)
    wait = min(timedelta(seconds=2 ** min(failures - free, 12)), LONGEST_WAIT)
    return max(last + wait - now(), timedelta(0))


@query(public=True)
def credentials(session: Session, *, username: str) -> Credentials:
    """Return what to check a password against; raises `TooManyAttempts` while slowed down.

    The pair (account, address) is slowed after a few failures, and the address after many;
    nobody is ever locked out of an address where they signed in lately.
    """
    keep_pace(session, account_key(username))
    found = session.exec(
        select(LocalUser, factors_of(col(LocalUser.id)).exists()).where(
            sa.func.lower(LocalUser.username) == username.strip().lower()
        )
    ).first()
    if found is None:
        return Credentials(None, None)
    user, has_factor = found
    return Credentials(user.id, user.password_hash, user.username, has_factor)


def keep_pace(session: Session, account: str, *, everywhere: bool = False) -> None:
    """Raise `TooManyAttempts` while what is counted under `account` has to wait, or the whole address has.

    `everywhere`: failures from all addresses together are slowed too, but for an address that succeeded lately.
    """
    address, attempt = address_key(current_actor().client_ip), SignInAttempt
    since = now() - LONGEST_WAIT
    pair = session.exec(
        select(attempt.succeeded, attempt.at)
        .where(attempt.account == account, attempt.address == address)
        .order_by(col(attempt.at).desc())
        .limit(50)
    ).all()
    failed = []
    for succeeded, at in pair:
        if succeeded:
            break
        if at > since:
            failed.append(at)
    wait = _wait_left(len(failed), FREE_FAILURES, failed[0] if failed else None)
    trusted = session.scalar(
        sa.select(
            sa.exists().where(
                col(attempt.account) == account,
                col(attempt.address) == address,
                col(attempt.succeeded),
                col(attempt.at) > now() - TRUSTED_FOR,
            )
        )
    )
    if not trusted:
        wait = max(
            wait, _wait_of(session, FREE_FAILURES_OF_AN_ADDRESS, attempt.address == address, col(attempt.at) > since)
        )
    if everywhere and not trusted:
        day = now() - timedelta(days=1)
        wait = max(
            wait, _wait_of(session, FREE_FAILURES_OF_AN_ACCOUNT, attempt.account == account, col(attempt.at) > day)
        )
    if wait:
        seconds = int(wait.total_seconds()) + 1
        message = f"Too many attempts from your address. Wait {seconds} seconds and try again."
        raise TooManyAttempts(message)


def _wait_of(session: Session, free: int, *which: sa.ColumnElement[bool] | bool) -> timedelta:
    attempt = SignInAttempt
    count, last = session.exec(
        select(sa.func.count(), sa.func.max(attempt.at)).where(*which, ~col(attempt.succeeded))
    ).one()
    return _wait_left(count, free, last)


def factors_of(user_id: Any) -> sa.Select[Any]:
    """Select the second factors of a person that open something."""
    factor = SecondFactor
    return sa.select(factor).where(
        col(factor.user_id) == user_id, col(factor.confirmed_at).is_not(None), col(factor.removed_at).is_(None)
    )


def has_factor(session: Session, user_id: int) -> bool:
    """Tell whether a person has a second factor that opens something."""
    return bool(session.scalar(sa.select(factors_of(user_id).exists())))


@operation(public=True, log=("user_id",))
def sign_in(
    session: Session,
    *,
    user_id: int,
    verified_hash: str,
    renewed_hash: str | None,
    token_hash: str,
    remember: bool,
    instead_of: str | None = None,
) -> None:
    """Start a session for a person whose password was just verified against `verified_hash`.

    The session of token hash `instead_of`, whoever's it is, ends: the browser that sent it forgets its cookie now.
    """
    user = admitted(session, user_id, verified_hash, renewed_hash)
    if has_factor(session, user_id):
        message = "A second factor was set up a moment ago. Sign in with it."
        raise Conflict(message)
    end_session_before(session, instead_of)
    begin_session(session, user, method="password", strong=False, token_hash=token_hash, remember=remember)


@operation(public=True, log=("user_id",))
def ask_factor(session: Session, *, user_id: int, verified_hash: str, renewed_hash: str | None) -> None:
    """Put on record that somebody gave the right password, and is asked for the second factor."""
    admitted(session, user_id, verified_hash, renewed_hash)


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


def end_session_before(session: Session, token_hash: str | None) -> None:
    """End the session that a browser had until now, if it had one."""
    if token_hash is not None:
        session.execute(
            sa.update(AuthSession)
            .where(col(AuthSession.token_hash) == token_hash, col(AuthSession.revoked_at).is_(None))
            .values(revoked_at=now())
        )


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


@operation(public=True, name="sessions.sign_in", outcome="denied", reason="why")
def refuse_sign_in(session: Session, *, account: str, why: str) -> None:
    """Count a refused sign-in and put it on record: a result, so it commits."""
    del why  # the reason in the trail
    count_attempt(session, account_key(account), succeeded=False)


def count_attempt(session: Session, account: str, *, succeeded: bool) -> None:
    """Count an attempt under `account` (an `account_key` or `proving.factor_key`) from the actor's address."""
    session.add(
        SignInAttempt(
            account=account,
            address=address_key(current_actor().client_ip),
            succeeded=succeeded,
        )
    )


@operation(stale_password=True)
def sign_out(session: Session) -> None:
    """End the session the request came with."""
    found = session.exec(
        select(AuthSession).where(AuthSession.token_hash == current_actor().token_hash).with_for_update()
    ).one()
    found.revoked_at = now()


@operation(stale_password=True)
def change_password(session: Session, *, verified_hash: str, new_hash: str, token_hash: str) -> bool:
    """Replace one's own password: this session goes on under a new token, all others end; see `renew`."""
    mine = own_session(session)
    user = session.get_one(LocalUser, mine.user_id, with_for_update=True)
    if user.password_hash != verified_hash:
        message = "The password was changed a moment ago. Sign in with the new one."
        raise Conflict(message)
    user.password_hash = new_hash
    user.must_change_password = False
    revoke_sessions(session, mine.user_id, but=mine.id)
    return renew(mine, token_hash)


def own_session(session: Session) -> AuthSession:
    """Return the acting person's session, locked."""
    mine = select(AuthSession).where(AuthSession.token_hash == current_actor().token_hash)
    return session.exec(mine.with_for_update()).one()


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


@operation(machine=True, log=("username",))
def unlock(session: Session, *, username: str) -> int:
    """Forget the failed sign-ins of an account, so that nobody is slowed down on it; returns how many."""
    forgotten = session.execute(
        sa.delete(SignInAttempt)
        .where(col(SignInAttempt.account) == account_key(username), ~col(SignInAttempt.succeeded))
        .returning(col(SignInAttempt.id))
    )
    return len(forgotten.all())


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


def forget_old_attempts(session: Session) -> None:
    """Drop counters and remembered answers that can no longer matter."""
    session.execute(sa.delete(SignInAttempt).where(col(SignInAttempt.at) < now() - TRUSTED_FOR))
    session.execute(sa.delete(Idempotency).where(col(Idempotency.created_at) < now() - ANSWERS_KEPT_FOR))
