"""Which identities at a sign-in provider are whose: looking up, connecting, and what stands in the way."""

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.errors import Conflict, FreshProofRequired, NotFound
from inventory_app.models._base import now
from inventory_app.models.access import ExternalIdentity, FactorKind
from inventory_app.models.users import AuthSession, LocalUser
from inventory_app.operations._session_life import factors_of, has_factor
from inventory_app.passwords import NO_PASSWORD

_ONLY_WAY = "This is your only way in: choose a password or add a passkey first. An administrator can send you a link."
_GONE = "This connection was taken away a moment ago. Sign in another way."
_WEAK = "Confirm with your second factor, then do it again."


def live(issuer: str, subject: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions that select the connection of an identity that signs somebody in."""
    identity = ExternalIdentity
    return (col(identity.issuer) == issuer, col(identity.subject) == subject, col(identity.removed_at).is_(None))


def connections_of(session: Session, user_id: int) -> list[ExternalIdentity]:
    """Return what signs a person in, oldest first."""
    mine = select(ExternalIdentity).where(
        ExternalIdentity.user_id == user_id, col(ExternalIdentity.removed_at).is_(None)
    )
    return list(session.exec(mine.order_by(col(ExternalIdentity.id))))


def connection(session: Session, user_id: int, issuer: str, subject: str) -> ExternalIdentity | None:
    """Return what signs this person in by an identity, locked; None when nothing does."""
    found = session.exec(select(ExternalIdentity).where(*live(issuer, subject)).with_for_update()).first()
    return found if found is not None and found.user_id == user_id else None


def still_connected(session: Session, user_id: int, issuer: str, subject: str) -> ExternalIdentity:
    """Return what signs this person in; refuse an identity that was taken away while they were at the provider."""
    found = connection(session, user_id, issuer, subject)
    if found is None:
        raise Conflict(_GONE)
    return found


def attach(session: Session, user_id: int, issuer: str, subject: str) -> None:
    """Connect an account, which is locked, with an identity: one for each person at a provider, and the other way."""
    taken = session.exec(select(ExternalIdentity).where(*live(issuer, subject))).first()
    if taken is not None and taken.user_id != user_id:
        raise Conflict("Somebody else is connected with that account. Ask an administrator.")
    if taken is not None:
        raise Conflict("You are connected with that account already.")
    if any(row.issuer == issuer for row in connections_of(session, user_id)):
        raise Conflict("You are connected with another account there. Disconnect it first.")
    session.add(ExternalIdentity(user_id=user_id, issuer=issuer, subject=subject))


def detach(row: ExternalIdentity) -> None:
    """Take a connection away: the identity opens nothing any more, and may be connected anew."""
    row.removed_at = now()


def own_connection(session: Session, user_id: int, connection_id: int) -> ExternalIdentity:
    """Return one's own connection, locked; somebody else's does not exist."""
    found = lock(session, ExternalIdentity, [connection_id]).get(connection_id)
    if found is None or found.user_id != user_id or found.removed_at is not None:
        raise NotFound("There is no such connection (any more). Reload the page.")
    return found


def why_not_disconnect(session: Session, user_id: int) -> str:
    """Return why a person cannot take a connection of theirs away: the only way in stays; empty when they can."""
    only = len(connections_of(session, user_id)) == 1 and not _other_way(session, user_id)
    return _ONLY_WAY if only else ""


def _other_way(session: Session, user_id: int) -> bool:
    """Tell whether a person could sign in without any provider."""
    if session.get_one(LocalUser, user_id).password_hash != NO_PASSWORD:
        return True
    return any(factor.kind == FactorKind.PASSKEY for factor in session.scalars(factors_of(user_id)))


def must_be_by_factor(session: Session, mine: AuthSession) -> None:
    """Refuse who has a second factor and did not use it: another way in is as good as another factor."""
    if not mine.strong and has_factor(session, mine.user_id):
        raise FreshProofRequired(_WEAK)
