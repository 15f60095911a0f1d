"""An account's life beside its roles: invited, let in by a one-time link, edited, given a new password.

Who makes a link never learns a password, and who has the link never learns more than the account's name. A link works
once, until it expires or a newer one replaces it; only the SHA-256 of its token is kept.
"""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.context import current_actor
from inventory_app.database.locks import ROLES_AND_PERMISSIONS, lock_rule
from inventory_app.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from inventory_app.models._base import now
from inventory_app.models.access import AccountLink, LinkPurpose
from inventory_app.models.users import LocalUser, UserInfo
from inventory_app.operations._operation import acting_user_id, current_viewer, operation, query
from inventory_app.operations._people_rules import (
    held_permissions,
    may_use,
    needed_to_touch,
    permissions_of,
    why_not,
)
from inventory_app.operations._session_life import revoke_sessions
from inventory_app.operations._supplier_fields import checked_reason
from inventory_app.operations.pictures import picture_addresses
from inventory_app.operations.users import (
    check_details,
    create_user,
    grantable,
    is_erased,
    person_to_change,
    revoke_links,
    was_invited,
)
from inventory_app.passwords import NO_PASSWORD
from inventory_app.permissions import EMPLOYEE, Permission
from inventory_app.settings import get_settings

_DEAD = "This link does not work (any more): it was used, replaced or is too old. Ask for a new one."


@dataclass(frozen=True, slots=True)
class LinkMade:
    """A one-time link was made for this person; whoever made its token shows it once."""

    user_id: int
    username: str
    email: str
    purpose: LinkPurpose
    expires: str


@dataclass(frozen=True, slots=True)
class LinkShown:
    """Whose account a live link opens, and what their password must not be made of."""

    username: str
    purpose: str
    about: tuple[str, ...]


@operation(Permission.USERS_MANAGE, log=("username", "roles"), fresh=True)
def invite_user(
    session: Session, *, username: str, full_name: str, email: str, roles: list[str], token_hash: str
) -> LinkMade:
    """Make an account that its person opens by a link; the roles are none the inviter could not give."""
    username, full_name, email = check_details(username, full_name, email)
    lock_rule(session, ROLES_AND_PERMISSIONS)
    given = roles or [EMPLOYEE]
    held = held_permissions(session)
    if set(given) != {EMPLOYEE} and Permission.USERS_ASSIGN_ROLES not in held:
        message = f"Without the permission “{Permission.USERS_ASSIGN_ROLES.label}” you can only invite an employee."
        raise NotAllowed(message)
    grantable(session, given, held)
    made = create_user(
        session,
        username=username,
        full_name=full_name,
        email=email,
        password_hash=NO_PASSWORD,
        roles=given,
        enabled=False,
    )
    return add_link(session, LinkPurpose.INVITE, token_hash, user_id=made.user_id, username=username, email=email)


@operation(Permission.USERS_MANAGE, log=("user_id",), reason="reason", fresh=True)
def make_reset_link(session: Session, *, user_id: int, token_hash: str, reason: str) -> LinkMade:
    """Let a person choose a new password by a link: the old one and every session end now.

    For somebody who was invited and never came, it is a new invitation.
    """
    checked_reason(reason, missing="Say why: the reason is kept with the change.")
    user, info = _other(session, user_id)
    waiting = user.enabled_at is None
    if waiting and not was_invited(session, user_id):
        message = f"{user.username} registered and waits to be let in: let them in, or leave them out."
        raise Conflict(message)
    if is_erased(session, info):
        message = "This person's data has been erased: nobody is behind the account any more. Make a new one."
        raise Conflict(message)
    if not (user.enabled or waiting):
        message = f"{user.username} is disabled. Enable the account first."
        raise Conflict(message)
    user.password_hash = NO_PASSWORD
    user.must_change_password = False
    revoke_sessions(session, user_id)
    purpose = LinkPurpose.INVITE if waiting else LinkPurpose.RESET
    return add_link(session, purpose, token_hash, user_id=user_id, username=user.username, email=info.email)


@operation(Permission.USERS_MANAGE, log=("user_id",))
def withdraw_invitation(session: Session, *, user_id: int) -> str:
    """Make the link of somebody who was invited and has not come yet stop working; returns the username."""
    user, _ = _other(session, user_id)
    if user.enabled_at is not None or not was_invited(session, user_id):
        message = f"{user.username} is not waiting with an invitation."
        raise Conflict(message)
    revoke_links(session, user_id)
    return user.username


@operation(machine=True, log=("username",))
def make_reset_link_on_site(session: Session, *, username: str, token_hash: str) -> LinkMade:
    """The same from the command line, for an administrator nobody is left to help."""
    found = session.exec(
        select(LocalUser).where(sa.func.lower(LocalUser.username) == username.strip().lower()).with_for_update()
    ).first()
    if found is None or found.id is None:
        message = f"There is no account {username}."
        raise NotFound(message)
    info = session.exec(select(UserInfo).where(UserInfo.user_id == found.id)).one()
    found.password_hash = NO_PASSWORD
    found.must_change_password = False
    revoke_sessions(session, found.id)
    purpose = LinkPurpose.INVITE if found.enabled_at is None else LinkPurpose.RESET
    return add_link(session, purpose, token_hash, user_id=found.id, username=found.username, email=info.email)


def add_link(
    session: Session, purpose: LinkPurpose, token_hash: str, *, user_id: int, username: str, email: str
) -> LinkMade:
    """Keep a new link; those the person had before stop working."""
    revoke_links(session, user_id)
    expires = now() + timedelta(hours=get_settings().link_hours)
    session.add(
        AccountLink(
            user_id=user_id,
            purpose=purpose,
            token_hash=token_hash,
            created_by=acting_user_id(),
            expires_at=expires,
        )
    )
    return LinkMade(user_id, username, email, purpose, expires.isoformat())


@query(public=True)
def show_link(session: Session, *, token_hash: str) -> LinkShown:
    """Tell the bearer of a link whose account it opens; raises `NotFound` when it does not work."""
    link, user = _live_link(session, token_hash)
    info = session.exec(select(UserInfo).where(UserInfo.user_id == user.id)).one()
    return LinkShown(user.username, link.purpose, (user.username, info.full_name, info.email))


@operation(public=True)
def redeem_link(session: Session, *, token_hash: str, new_hash: str) -> str:
    """Give the account of a live link the password whose hash is `new_hash`; returns the username.

    An invitation lets the person in. Whoever made the link must still be one who could make it.
    """
    user = use_link(session, token_hash)
    user.password_hash = new_hash
    return user.username


def use_link(session: Session, token_hash: str) -> LocalUser:
    """Use a live link up for the account it opens, whatever its person will sign in with; sessions of theirs end."""
    # The same order as everybody who changes an account: the rule, then the rows.
    lock_rule(session, ROLES_AND_PERMISSIONS)
    link, user = _live_link(session, token_hash, locked=True)
    link.used_at = now()
    user.must_change_password = False
    if link.purpose == LinkPurpose.INVITE:
        user.enabled, user.enabled_at = True, now()
        info = session.exec(select(UserInfo).where(UserInfo.user_id == user.id).with_for_update()).one()
        info.version += 1
    revoke_sessions(session, link.user_id)
    return user


def _live_link(session: Session, token_hash: str, *, locked: bool = False) -> tuple[AccountLink, LocalUser]:
    statement = select(AccountLink).where(AccountLink.token_hash == token_hash)
    link = session.exec(statement.with_for_update() if locked else statement).first()
    if link is None or link.used_at or link.revoked_at or link.expires_at <= now():
        raise NotFound(_DEAD)
    user = session.get_one(LocalUser, link.user_id, with_for_update=locked or None)
    info = session.exec(select(UserInfo).where(UserInfo.user_id == user.id)).one()
    comes_first = link.purpose == LinkPurpose.INVITE and user.enabled_at is None and not is_erased(session, info)
    if not (user.enabled or comes_first) or not _maker_still_may(session, link, info):
        raise NotFound(_DEAD)
    return link, user


def _maker_still_may(session: Session, link: AccountLink, theirs: UserInfo) -> bool:
    """Tell whether whoever made the link could make it now; on the machine itself it is always so.

    Whoever made it may have kept it: without this they would enter an account that has since been given more than
    they hold, or go on entering accounts after they were told not to.
    """
    if link.created_by is None:
        return True
    maker = session.get_one(LocalUser, link.created_by)
    info = session.exec(select(UserInfo).where(UserInfo.user_id == maker.id)).one()
    held = permissions_of(session, info)
    return maker.enabled and Permission.USERS_MANAGE in held and needed_to_touch(may_use(session, theirs)) <= held


@operation(Permission.USERS_MANAGE, log=("user_id",))
def edit_user(session: Session, *, user_id: int, full_name: str, email: str, version: int) -> str:
    """Correct the name and address of somebody else, read as `version`; returns the name."""
    _, info = _other(session, user_id)
    return _edit(session, info, full_name, email, version)


@operation(Permission.USERS_MANAGE, log=("user_id",))
def update_user_email(session: Session, *, user_id: int, new_email: str) -> str:
    """Change the e-mail address of somebody else; returns the one before."""
    _, info = _other(session, user_id)
    before = info.email
    _edit(session, info, info.full_name, new_email, info.version)
    return before


@operation(everybody=True)
def update_profile(session: Session, *, full_name: str, version: int) -> str:
    """Correct one's own name; returns it as it is kept."""
    info = _own(session)
    return _edit(session, info, full_name, info.email, version)


@operation(fresh=True, everybody=True)
def update_own_email(session: Session, *, email: str, version: int) -> str:
    """Change one's own e-mail address; returns it as it is kept."""
    info = _own(session)
    _edit(session, info, info.full_name, email, version)
    return info.email


def _own(session: Session) -> UserInfo:
    return session.exec(select(UserInfo).where(UserInfo.user_id == current_actor().id).with_for_update()).one()


def _edit(session: Session, info: UserInfo, full_name: str, email: str, version: int) -> str:
    _, full_name, email = check_details(None, full_name, email)
    if info.version != version:
        raise Stale
    if (info.full_name, info.email) == (full_name, email):
        message = "Nothing was changed."
        raise Invalid(message)
    if info.email != email:
        # Whoever reads the mail of the old address is not, or no longer, who the link is for.
        revoke_links(session, info.user_id)
    info.full_name, info.email = full_name, email
    info.version += 1
    return full_name


def _other(session: Session, user_id: int) -> tuple[LocalUser, UserInfo]:
    """Lock somebody else's account for a change of it, or raise why the acting person may not touch it."""
    lock_rule(session, ROLES_AND_PERMISSIONS)
    user, info = person_to_change(session, user_id)
    if user_id == acting_user_id():
        message = "This is your own account: change it on your profile page."
        raise NotAllowed(message)
    if reason := why_not(user_id, may_use(session, info), held_permissions(session)):
        raise NotAllowed(reason)
    return user, info


@dataclass(frozen=True, slots=True)
class MyAccount:
    """One's own account as the profile page shows it; `picture` is its address, empty when there is none."""

    username: str
    full_name: str
    email: str
    picture: str
    roles: list[str]
    since: str
    version: int


@query(everybody=True)
def my_account(session: Session) -> MyAccount:
    """Return the account of whoever asks."""
    user, info = session.exec(
        select(LocalUser, UserInfo)
        .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
        .where(LocalUser.id == current_viewer(session).user_id)
    ).one()
    return MyAccount(
        username=user.username,
        full_name=info.full_name,
        email=info.email,
        picture=picture_addresses(session, [user.id or 0]).get(user.id or 0, ""),
        roles=info.get_roles(),
        since=user.created_at.isoformat(),
        version=info.version,
    )
