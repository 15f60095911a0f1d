"""Which identities at a sign-in provider are whose: looking up, connecting, and what stands in the way."""

from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.errors import Conflict, FreshProofRequired, NotFound
from inventory_app.models.access import ExternalIdentity, FactorKind
from inventory_app.models.users import AuthSession, LocalUser
from inventory_app.operations._session_life import factors_of, has_factor
from inventory_app.passwords import NO_PASSWORD

#: An identity that was disconnected names nobody any more; its row stays, for the application deletes no such rows.
_DISCONNECTED = ""
_ONLY_WAY = "This is your only way in: choose a password or add a passkey first. An administrator can send you a link."
_GONE = "This connection was taken away a moment ago. Sign in another way."
_WEAK = "Confirm with your second factor, then do it again."


def connections_of(session: Session, user_id: int) -> list[ExternalIdentity]:
    """Return what signs a person in, oldest first."""
    mine = select(ExternalIdentity).where(ExternalIdentity.user_id == user_id, ExternalIdentity.issuer != _DISCONNECTED)
    return list(session.exec(mine.order_by(col(ExternalIdentity.id))))


def is_connected(session: Session, user_id: int, issuer: str, subject: str) -> bool:
    """Tell whether an identity signs this person in, and keep it so until the end of the transaction."""
    identity = select(ExternalIdentity).where(ExternalIdentity.issuer == issuer, ExternalIdentity.subject == subject)
    found = session.exec(identity.with_for_update()).first()
    return found is not None and found.user_id == user_id


def still_connected(session: Session, user_id: int, issuer: str, subject: str) -> None:
    """Refuse an identity that was taken away while its person was at the provider."""
    if not is_connected(session, user_id, issuer, subject):
        raise Conflict(_GONE)


def attach(session: Session, user_id: int, issuer: str, subject: str) -> None:
    """Connect an account, which is locked, with an identity: one for each person at a provider, and the other way."""
    taken = session.exec(
        select(ExternalIdentity).where(ExternalIdentity.issuer == issuer, ExternalIdentity.subject == subject)
    ).first()
    if taken is not None and taken.user_id != user_id:
        raise Conflict("Somebody else is connected with that account. Ask an administrator.")
    if taken is not None:
        raise Conflict("You are connected with that account already.")
    if any(row.issuer == issuer for row in connections_of(session, user_id)):
        raise Conflict("You are connected with another account there. Disconnect it first.")
    session.add(ExternalIdentity(user_id=user_id, issuer=issuer, subject=subject))


def detach(row: ExternalIdentity) -> None:
    """Take a connection away: the identity opens nothing any more, and may be connected anew."""
    row.issuer, row.subject = _DISCONNECTED, str(row.id)


def own_connection(session: Session, user_id: int, connection_id: int) -> ExternalIdentity:
    """Return one's own connection, locked; somebody else's does not exist."""
    found = lock(session, ExternalIdentity, [connection_id]).get(connection_id)
    if found is None or found.user_id != user_id or found.issuer == _DISCONNECTED:
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
