"""People whom a sign-in provider vouches for: signing in, connecting and disconnecting, and roles that follow groups.

Whoever comes is known by (issuer, subject), never by an e-mail address (docs/decisions/0010-single-sign-on.md).
The provider's answer was verified before (`inventory_app/oidc.py`), at the doors of `http/single_sign_on.py`.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.context import current_actor
from inventory_app.database.locks import ROLES_AND_PERMISSIONS, lock_rule
from inventory_app.errors import Conflict, Invalid, NotAllowed
from inventory_app.models._base import now
from inventory_app.models.access import ExternalIdentity
from inventory_app.models.users import AuthSession, LocalUser, UserInfo
from inventory_app.operations._attempts import count_attempt, keep_pace
from inventory_app.operations._connections import (
    attach,
    connection,
    connections_of,
    detach,
    live,
    must_be_by_factor,
    own_connection,
    still_connected,
    why_not_disconnect,
)
from inventory_app.operations._fields import checked_reason
from inventory_app.operations._group_roles import Difference, difference_of
from inventory_app.operations._operation import current_viewer, operation, query
from inventory_app.operations._people_rules import held_permissions, may_use, why_not
from inventory_app.operations._session_life import (
    admitted,
    begin_session,
    end_session_before,
    has_factor,
    must_be_fresh,
    own_session,
    renew,
    revoke_sessions,
)
from inventory_app.operations.accounts import use_link
from inventory_app.operations.sessions import hash_token
from inventory_app.operations.users import check_details, create_user, person_to_change, replace_roles
from inventory_app.passwords import NO_PASSWORD
from inventory_app.permissions import EMPLOYEE, Permission
from inventory_app.settings import get_settings

METHOD = "single_sign_on"
#: What wrong answers are counted by, besides the address.
_COUNTED_AS = "single sign-on"

#: What somebody is told whom nobody here is connected with.
UNKNOWN = (
    "Nobody here is connected with that account. Sign in with your password and connect it under "
    "“Sign-in and security”, or ask an administrator."
)


@dataclass(frozen=True, slots=True)
class Known:
    """The person behind an identity; `groups` of theirs were not looked at yet."""

    user_id: int
    username: str
    password_hash: str
    has_factor: bool
    enabled: bool


def hash_of(provider_session: str) -> str | None:
    """Return what is kept of what the provider calls a session; None when it does not say."""
    return hash_token(provider_session) if provider_session else None


@query(public=True)
def person_of(session: Session, *, issuer: str, subject: str) -> Known | None:
    """Return who is connected with an identity that was just proved."""
    user = session.exec(
        select(LocalUser)
        .join(ExternalIdentity, col(ExternalIdentity.user_id) == col(LocalUser.id))
        .where(*live(issuer, subject))
    ).first()
    if user is None or user.id is None:
        return None
    return Known(user.id, user.username, user.password_hash, has_factor(session, user.id), user.enabled)


@query(public=True)
def may_come(session: Session) -> None:
    """Raise `TooManyAttempts` while the address is slowed down."""
    keep_pace(session, _COUNTED_AS)


@operation(public=True, outcome="denied", reason="why")
def refuse(session: Session, *, why: str) -> None:
    """Count an answer that proved nothing and put it on record: a result, so it commits."""
    del why  # the reason in the trail
    count_attempt(session, _COUNTED_AS, succeeded=False)


@operation(public=True, log=("user_id",))
def sign_in(
    session: Session,
    *,
    user_id: int,
    issuer: str,
    subject: str,
    strong: bool,
    token_hash: str,
    instead_of: str | None = None,
    provider_session: str = "",
) -> None:
    """Start a session for the person behind an identity that was just proved; `strong`: by more than a password.

    `provider_session` is what the provider calls its own session with them.
    """
    user = admitted(session, user_id, None)
    identity = still_connected(session, user_id, issuer, subject)
    if not strong and has_factor(session, user_id):
        raise Conflict("A second factor was set up a moment ago. Sign in with it.")
    end_session_before(session, instead_of)
    begun = begin_session(session, user, method=METHOD, strong=strong, token_hash=token_hash, remember=False)
    begun.identity_id, begun.provider_session = identity.id, hash_of(provider_session)


@operation(public=True, log=("user_id",))
def ask_factor(session: Session, *, user_id: int, issuer: str, subject: str, waits_as: str) -> int:
    """Put on record that the provider recognised somebody, and that they are asked for their second factor.

    Returns the id of the connection they came by.

    `waits_as` is the id of the sign-in that waits: one answer of the provider lets one wait.
    """
    del waits_as  # told apart by its idempotency record
    admitted(session, user_id, None)
    return still_connected(session, user_id, issuer, subject).id or 0


@operation(machine=True)
def make_account(
    session: Session, *, issuer: str, subject: str, username: str, full_name: str, email: str, roles_follow: bool
) -> Known:
    """Make an account for somebody the provider knows and we do not, as `INVENTORY_OIDC_CREATE` says.

    `roles_follow`: the roles come from groups alone. An account that has the name or the address stays whose it is.
    """
    mode = get_settings().oidc_create
    if mode == "no":
        raise NotAllowed(UNKNOWN)
    try:
        username, full_name, email = check_details(username or email.partition("@")[0], full_name, email)
    except Invalid as error:
        raise Invalid(
            "Your account there lacks a name, an address or a username that we can use. Ask an administrator."
        ) from error
    taken = session.scalar(
        sa.select(
            sa.or_(
                sa.exists().where(sa.func.lower(col(LocalUser.username)) == username.lower()),
                sa.exists().where(sa.func.lower(col(UserInfo.email)) == email.lower()),
            )
        )
    )
    if taken:
        raise Conflict(
            "Somebody here has this name or address already. If it is you: sign in with your password and connect "
            "the two under “Sign-in and security”. Otherwise ask an administrator."
        )
    made = create_user(
        session,
        username=username,
        full_name=full_name,
        email=email,
        password_hash=NO_PASSWORD,
        roles=[] if roles_follow else [EMPLOYEE],
        enabled=mode == "yes",
    )
    session.add(ExternalIdentity(user_id=made.user_id, issuer=issuer, subject=subject))
    return Known(made.user_id, username, NO_PASSWORD, has_factor=False, enabled=made.enabled)


@query(Permission.USERS_VIEW)
def difference(session: Session, *, user_id: int, groups: list[str]) -> Difference:
    """Return the roles a person shall have by their groups: those the mapping does not name stay as they are."""
    return difference_of(session, user_id, groups)


@operation(machine=True, log=("user_id",), reason="reason")
def match_roles(session: Session, *, user_id: int, groups: list[str], reason: str) -> list[str]:
    """Make the roles that the mapping names follow the groups, under every rule about roles; returns those held now.

    A role that needs somebody's agreement is asked for. `reason` names the groups.
    """
    del reason  # the reason in the trail
    lock_rule(session, ROLES_AND_PERMISSIONS)
    wanted = difference_of(session, user_id, groups)
    if wanted.changes:
        replace_roles(session, user_id, wanted.roles, None)
    info = session.exec(select(UserInfo).where(UserInfo.user_id == user_id)).one()
    return info.get_roles()


# One's own connection


@dataclass(frozen=True, slots=True)
class Connection:
    """An identity one is connected with; `why_not` says why it cannot be taken away."""

    id: int
    issuer: str
    since: str
    why_not: str


@query(without_factor=True)
def my_connections(session: Session) -> list[Connection]:
    """Return what one is connected with."""
    user_id = current_viewer(session).user_id or 0
    why_not_any = why_not_disconnect(session, user_id)
    return [
        Connection(row.id or 0, row.issuer, row.created_at.isoformat(), why_not_any)
        for row in connections_of(session, user_id)
    ]


@query(everybody=True)
def connecting(session: Session) -> None:
    """Raise what stands in the way of connecting now, before somebody is sent to the provider."""
    mine = session.get_one(AuthSession, current_viewer(session).session_id)
    must_be_fresh(mine)
    must_be_by_factor(session, mine)


@operation(fresh=True, everybody=True)
def connect(session: Session, *, issuer: str, subject: str) -> None:
    """Connect one's own account with an identity that was just proved."""
    mine = own_session(session)
    session.get_one(LocalUser, mine.user_id, with_for_update=True)
    must_be_by_factor(session, mine)
    attach(session, mine.user_id, issuer, subject)


@operation(public=True)
def redeem_link(session: Session, *, token_hash: str, issuer: str, subject: str) -> str:
    """Connect the account of a live one-time link, instead of choosing a password for it; returns the username.

    Whoever made the link let the person in; whoever has it shows by the provider who they are from now on.
    """
    user = use_link(session, token_hash)
    attach(session, user.id or 0, issuer, subject)
    return user.username


@operation(fresh=True, log=("connection_id",), everybody=True)
def disconnect(session: Session, *, connection_id: int) -> None:
    """Take one's own connection away, and end what was signed in by it elsewhere; never the only way in."""
    mine = own_session(session)
    session.get_one(LocalUser, mine.user_id, with_for_update=True)
    must_be_by_factor(session, mine)
    found = own_connection(session, mine.user_id, connection_id)
    if refusal := why_not_disconnect(session, mine.user_id):
        raise NotAllowed(refusal)
    detach(found)
    session.execute(
        sa.update(AuthSession)
        .where(
            col(AuthSession.user_id) == mine.user_id,
            col(AuthSession.id) != mine.id,
            col(AuthSession.revoked_at).is_(None),
            col(AuthSession.method).contains(METHOD),
        )
        .values(revoked_at=now())
    )


@operation(Permission.USERS_MANAGE, fresh=True, log=("user_id",), reason="reason")
def disconnect_person(session: Session, *, user_id: int, reason: str) -> str:
    """Take somebody else's connections away and end their sessions; returns the username."""
    checked_reason(reason, missing="Say why: the reason is kept with the change.")
    if user_id == current_actor().id:
        raise NotAllowed("Disconnect your own account on your security page.")
    lock_rule(session, ROLES_AND_PERMISSIONS)
    user, info = person_to_change(session, user_id)
    if forbidden := why_not(user_id, may_use(session, info), held_permissions(session)):
        raise NotAllowed(forbidden)
    rows = connections_of(session, user_id)
    if not rows:
        raise Conflict(f"{user.username} is not connected.")
    for row in rows:
        detach(row)
    revoke_sessions(session, user_id)
    return user.username


@operation(without_factor=True)
def confirm(
    session: Session, *, issuer: str, subject: str, strong: bool, token_hash: str, provider_session: str = ""
) -> bool:
    """Let one's own session go on under a new token, freshly proved at the provider; see `renew`."""
    mine = own_session(session)
    admitted(session, mine.user_id, None)
    found = connection(session, mine.user_id, issuer, subject)
    if found is None:
        raise Conflict("You signed in there as somebody else. Use the account you are connected with.")
    if mine.identity_id == found.id and provider_session:
        # Proving oneself anew may begin a new session there.
        mine.provider_session = hash_of(provider_session)
    return renew(mine, token_hash, strong=strong, method=METHOD)
