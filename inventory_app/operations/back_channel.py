"""Sessions that end because their person has signed out at the provider (OpenID Connect Back-Channel Logout)."""

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models._base import now
from inventory_app.models.access import ExternalIdentity
from inventory_app.models.users import AuthSession
from inventory_app.operations._operation import operation, query
from inventory_app.operations.sessions import count_attempt, keep_pace
from inventory_app.operations.single_sign_on import hash_of

#: What wrong messages are counted by, besides the address.
_COUNTED_AS = "back-channel logout"


@query(public=True)
def may_come(session: Session) -> None:
    """Raise `TooManyAttempts` while the address is slowed down."""
    keep_pace(session, _COUNTED_AS)


@operation(public=True, outcome="denied", reason="why")
def refuse(session: Session, *, why: str) -> None:
    """Count a message that proved nothing and put it on record: a result, so it commits."""
    del why  # the reason in the trail
    count_attempt(session, _COUNTED_AS, succeeded=False)


@operation(machine=True)
def end_sessions(session: Session, *, issuer: str, subject: str, provider_session: str) -> list[int]:
    """End what was signed in by an identity; returns whose sessions these were, once for each.

    Either `subject` or `provider_session` may be empty. With both, sessions of which the provider did not say
    what it calls them end too: rather one too many.
    """
    identity, mine = ExternalIdentity, AuthSession
    theirs = sa.select(col(identity.id)).where(col(identity.issuer) == issuer)
    conditions: list[sa.ColumnElement[bool]] = [col(mine.revoked_at).is_(None)]
    if subject:
        theirs = theirs.where(col(identity.subject) == subject)
    if provider_session:
        named = col(mine.provider_session) == hash_of(provider_session)
        conditions.append(sa.or_(named, col(mine.provider_session).is_(None)) if subject else named)
    # In the order of the ids, as everybody locks rows.
    found = sa.select(col(mine.id), col(mine.user_id)).where(col(mine.identity_id).in_(theirs), *conditions)
    ended = dict(session.execute(found.order_by(col(mine.id)).with_for_update()).all())
    session.execute(sa.update(mine).where(col(mine.id).in_(ended)).values(revoked_at=now()))
    return list(ended.values())
