"""Signing in and out, and who is behind a session."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.context import current_actor
from inventory_app.errors import Conflict
from inventory_app.models._base import now
from inventory_app.models.access import UserPicture
from inventory_app.models.users import AuthSession, Idempotency, LocalUser, SignInAttempt, UserInfo, role_names
from inventory_app.operations._attempts import TRUSTED_FOR, account_key, count_attempt, keep_pace
from inventory_app.operations._operation import current_viewer, operation, query
from inventory_app.operations._session_life import (
    admitted,
    begin_session,
    end_session_before,
    factors_of,
    has_factor,
    own_session,
    renew,
    revoke_sessions,
)
from inventory_app.operations.pictures import picture_address

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


@operation(public=True, name="sessions.sign_in", outcome="denied", reason="why")
def refuse_sign_in(session: Session, *, account: str, why: str) -> None:
    """Count a refused sign-in and put it on record: a result, so it commits."""
    del why  # the reason in the trail
    count_attempt(session, account_key(account), succeeded=False)


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


@operation(machine=True, log=("username",))
def unlock(session: Session, *, username: str) -> int:
    """Forget the failed sign-ins of an account, so that nobody is slowed down on it; returns how many."""
    forgotten = session.execute(
        sa.delete(SignInAttempt)
        .where(col(SignInAttempt.account) == account_key(username), ~col(SignInAttempt.succeeded))
        .returning(col(SignInAttempt.id))
    )
    return len(forgotten.all())


def forget_old_attempts(session: Session) -> None:
    """Drop counters and remembered answers that can no longer matter."""
    session.execute(sa.delete(SignInAttempt).where(col(SignInAttempt.at) < now() - TRUSTED_FOR))
    session.execute(sa.delete(Idempotency).where(col(Idempotency.created_at) < now() - ANSWERS_KEPT_FOR))
