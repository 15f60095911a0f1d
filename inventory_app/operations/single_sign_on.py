"""People whom a sign-in provider vouches for: signing in, connecting and disconnecting, and roles that follow groups.

Whoever comes is known by (issuer, subject), never by an e-mail address (docs/decisions/0010-single-sign-on.md).
The provider's answer was verified before (`inventory_app/oidc.py`), at the doors of `http/single_sign_on.py`.
"""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.context import current_actor
from inventory_app.database.locks import ROLES_AND_PERMISSIONS, lock, lock_rule
from inventory_app.errors import Conflict, FreshProofRequired, Invalid, NotAllowed, NotFound
from inventory_app.group_roles import named_roles, roles_of
from inventory_app.models._base import now
from inventory_app.models.access import ExternalIdentity, FactorKind
from inventory_app.models.approvals import Approval, ApprovalStatus
from inventory_app.models.users import AuthSession, LocalUser, Role, UserInfo
from inventory_app.operations import _role_grants
from inventory_app.operations._fields import checked_reason
from inventory_app.operations._operation import current_viewer, operation, query
from inventory_app.operations._people_rules import held_permissions, may_use, why_not
from inventory_app.operations.accounts import use_link
from inventory_app.operations.sessions import (
    admitted,
    begin_session,
    count_attempt,
    end_session_before,
    factors_of,
    has_factor,
    keep_pace,
    own_session,
    renew,
    revoke_sessions,
)
from inventory_app.operations.users import check_details, create_user, person_to_change, replace_roles
from inventory_app.passwords import NO_PASSWORD
from inventory_app.permissions import EMPLOYEE, Permission
from inventory_app.settings import get_settings

METHOD = "single_sign_on"
#: What wrong answers are counted by, besides the address.
_COUNTED_AS = "single sign-on"
#: An identity that was disconnected names nobody any more; its row stays, for the application deletes no such rows.
_DISCONNECTED = ""

#: What somebody is told whom nobody here is connected with.
UNKNOWN = (
    "Nobody here is connected with that account. Sign in with your password and connect it under "
    "“Sign-in and security”, or ask an administrator."
)
_GONE = "This connection was taken away a moment ago. Sign in another way."
_ONLY_WAY = "This is your only way in: choose a password or add a passkey first. An administrator can send you a link."
_WEAK = "Confirm with your second factor, then do it again."


@dataclass(frozen=True, slots=True)
class Known:
    """The person behind an identity; `groups` of theirs were not looked at yet."""

    user_id: int
    username: str
    password_hash: str
    has_factor: bool
    enabled: bool


@query(public=True)
def person_of(session: Session, *, issuer: str, subject: str) -> Known | None:
    """Return who is connected with an identity that was just proved."""
    user = session.exec(
        select(LocalUser)
        .join(ExternalIdentity, col(ExternalIdentity.user_id) == col(LocalUser.id))
        .where(ExternalIdentity.issuer == issuer, ExternalIdentity.subject == subject)
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
) -> None:
    """Start a session for the person behind an identity that was just proved; `strong`: by more than a password."""
    user = admitted(session, user_id, None)
    _stillconnections_of(session, user_id, issuer, subject)
    if not strong and has_factor(session, user_id):
        raise Conflict("A second factor was set up a moment ago. Sign in with it.")
    end_session_before(session, instead_of)
    begin_session(session, user, method=METHOD, strong=strong, token_hash=token_hash, remember=False)


@operation(public=True, log=("user_id",))
def ask_factor(session: Session, *, user_id: int, issuer: str, subject: str, waits_as: str) -> None:
    """Put on record that the provider recognised somebody, and that they are asked for their second factor.

    `waits_as` is the id of the sign-in that waits: one answer of the provider lets one wait.
    """
    del waits_as  # told apart by its idempotency record
    admitted(session, user_id, None)
    _stillconnections_of(session, user_id, issuer, subject)


def _stillconnections_of(session: Session, user_id: int, issuer: str, subject: str) -> ExternalIdentity:
    found = session.exec(
        select(ExternalIdentity)
        .where(ExternalIdentity.issuer == issuer, ExternalIdentity.subject == subject)
        .with_for_update()
    ).first()
    if found is None or found.user_id != user_id:
        raise Conflict(_GONE)
    return found


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


@dataclass(frozen=True, slots=True)
class Difference:
    """What the groups of a person would change about their roles; `unknown` are mapped roles that do not exist."""

    roles: list[str]
    changes: bool
    unknown: list[str]


@query(Permission.USERS_VIEW)
def difference(session: Session, *, user_id: int, groups: list[str]) -> Difference:
    """Return the roles a person shall have by their groups: those the mapping does not name stay as they are."""
    return _difference(session, user_id, groups)


def _difference(session: Session, user_id: int, groups: list[str]) -> Difference:
    mapping = get_settings().roles_of_groups
    info = session.exec(select(UserInfo).where(UserInfo.user_id == user_id)).one()
    before = set(info.get_roles())
    wanted = roles_of(mapping, groups)
    active = session.exec(select(Role).where(col(Role.name).in_(named_roles(mapping)), col(Role.active))).all()
    known = {role.name for role in active}
    new = (wanted & known) - before - _asked_lately(session, user_id)
    if _role_grants.waiting_roles(session, user_id):
        # One request a person: what also needs agreement is asked for at a later sign-in.
        new -= {role.name for role in active if role.grant_needs_approval}
    gone = (before & named_roles(mapping)) - wanted
    return Difference(sorted((before | new) - gone), bool(new | gone), sorted(wanted - known))


def _asked_lately(session: Session, user_id: int) -> set[str]:
    """Return the roles that wait for an agreement, or were refused it lately: not asked for at every sign-in."""
    since = now() - _role_grants.WAITS_FOR
    found = session.exec(
        select(Approval).where(
            Approval.kind == _role_grants.KIND,
            Approval.subject_id == user_id,
            sa.or_(
                col(Approval.status) == ApprovalStatus.OPEN,
                sa.and_(col(Approval.status) == ApprovalStatus.REJECTED, col(Approval.closed_at) > since),
            ),
        )
    ).all()
    return {role.name for approval in found for role in _role_grants.asked_roles(session, approval)}


@operation(machine=True, log=("user_id",), reason="reason")
def match_roles(session: Session, *, user_id: int, groups: list[str], reason: str) -> list[str]:
    """Make the roles that the mapping names follow the groups, under every rule about roles; returns those held now.

    A role that needs somebody's agreement is asked for. `reason` names the groups.
    """
    del reason  # the reason in the trail
    lock_rule(session, ROLES_AND_PERMISSIONS)
    wanted = _difference(session, user_id, groups)
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
    rows = connections_of(session, user_id)
    only = _ONLY_WAY if len(rows) == 1 and not _other_way(session, user_id) else ""
    return [Connection(row.id or 0, row.issuer, row.created_at.isoformat(), only) for row in rows]


def connections_of(session: Session, user_id: int) -> list[ExternalIdentity]:
    """Return what signs a person in, oldest first."""
    mine = select(ExternalIdentity).where(ExternalIdentity.user_id == user_id, ExternalIdentity.issuer != _DISCONNECTED)
    return list(session.exec(mine.order_by(col(ExternalIdentity.id))))


def _other_way(session: Session, user_id: int) -> bool:
    """Tell whether a person could sign in without any provider."""
    if session.get_one(LocalUser, user_id).password_hash != NO_PASSWORD:
        return True
    return any(factor.kind == FactorKind.PASSKEY for factor in session.scalars(factors_of(user_id)))


@query()
def connecting(session: Session) -> None:
    """Raise what stands in the way of connecting now, before somebody is sent to the provider."""
    mine = session.get_one(AuthSession, current_viewer(session).session_id)
    if mine.reauthenticated_at <= now() - timedelta(minutes=get_settings().fresh_minutes):
        raise FreshProofRequired
    _by_factor(session, mine)


def _by_factor(session: Session, mine: AuthSession) -> None:
    """Refuse who has a second factor and did not use it: another way in is as good as another factor."""
    if not mine.strong and has_factor(session, mine.user_id):
        raise FreshProofRequired(_WEAK)


@operation(fresh=True)
def connect(session: Session, *, issuer: str, subject: str) -> None:
    """Connect one's own account with an identity that was just proved."""
    mine = own_session(session)
    session.get_one(LocalUser, mine.user_id, with_for_update=True)
    _by_factor(session, mine)
    attach(session, mine.user_id, issuer, subject)


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


@operation(public=True)
def redeem_link(session: Session, *, token_hash: str, issuer: str, subject: str) -> str:
    """Connect the account of a live one-time link, instead of choosing a password for it; returns the username.

    Whoever made the link let the person in; whoever has it shows by the provider who they are from now on.
    """
    user = use_link(session, token_hash)
    attach(session, user.id or 0, issuer, subject)
    return user.username


@operation(fresh=True, log=("connection_id",))
def disconnect(session: Session, *, connection_id: int) -> None:
    """Take one's own connection away, and end what was signed in by it elsewhere; never the only way in."""
    mine = own_session(session)
    session.get_one(LocalUser, mine.user_id, with_for_update=True)
    _by_factor(session, mine)
    found = lock(session, ExternalIdentity, [connection_id]).get(connection_id)
    if found is None or found.user_id != mine.user_id or found.issuer == _DISCONNECTED:
        raise NotFound("There is no such connection (any more). Reload the page.")
    if len(connections_of(session, mine.user_id)) == 1 and not _other_way(session, mine.user_id):
        raise NotAllowed(_ONLY_WAY)
    _blank(found)
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
        _blank(row)
    revoke_sessions(session, user_id)
    return user.username


def _blank(row: ExternalIdentity) -> None:
    row.issuer, row.subject = _DISCONNECTED, str(row.id)


@operation(without_factor=True)
def confirm(session: Session, *, issuer: str, subject: str, strong: bool, token_hash: str) -> bool:
    """Let one's own session go on under a new token, freshly proved at the provider; see `renew`."""
    mine = own_session(session)
    admitted(session, mine.user_id, None)
    found = session.exec(
        select(ExternalIdentity)
        .where(ExternalIdentity.issuer == issuer, ExternalIdentity.subject == subject)
        .with_for_update()
    ).first()
    if found is None or found.user_id != mine.user_id:
        raise Conflict("You signed in there as somebody else. Use the account you are connected with.")
    return renew(mine, token_hash, strong=strong, method=METHOD)
