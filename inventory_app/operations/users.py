"""Accounts and the roles people hold: registering, enabling, disabling, changing roles.

Every change of `enabled` or of roles takes one advisory lock and checks after the flush that
an enabled administrator is left; two people at once would each see the other otherwise.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.context import current_actor
from inventory_app.database.locks import ROLES_AND_PERMISSIONS, lock, lock_rule
from inventory_app.errors import Invalid, NotAllowed, NotFound, Stale
from inventory_app.models._base import now, sort_key
from inventory_app.models.users import (
    AuthSession,
    LocalUser,
    Role,
    RolePermission,
    SessionActivity,
    UserInfo,
    UserRole,
    role_names,
)
from inventory_app.models.users import Permission as PermissionRow
from inventory_app.operations._operation import current_viewer, operation, query
from inventory_app.operations._paging import Page, keyset, like_escaped
from inventory_app.operations._strangers import slow_down
from inventory_app.operations.sessions import revoke_sessions
from inventory_app.passwords import check_length, hash_password
from inventory_app.permissions import ADMIN, EMPLOYEE, Permission
from inventory_app.settings import get_settings

_USERNAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{1,38}[a-z0-9])", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True, slots=True)
class Registered:
    """A new account; `enabled` is False while it waits for an administrator."""

    user_id: int
    user_info_id: int
    enabled: bool


@dataclass(frozen=True, slots=True)
class UserRow:
    """A line of the list of people; `why_not` explains a forbidden change, empty when allowed."""

    id: int
    username: str
    full_name: str
    email: str
    roles: list[str]
    enabled: bool
    never_enabled: bool
    version: int
    last_seen: str
    created: str
    why_not: str
    why_not_roles: str


@operation(public=True, log=("username",))
def register(session: Session, *, username: str, full_name: str, email: str, password: str) -> Registered:
    """Create an account with the role employee: add, flush, validate; any failure leaves nothing.

    How good the password is was judged at the door, on the threads for slow work: not while a connection is held.
    """
    slow_down(session, "users.register")
    mode = get_settings().registration
    if mode == "closed":
        message = "Accounts are made by an administrator here. Ask one."
        raise NotAllowed(message)
    check_registration(username, full_name, email, password)
    return create_user(
        session,
        username=username,
        full_name=full_name,
        email=email,
        password_hash=hash_password(password),
        role=EMPLOYEE,
        enabled=mode == "open",
    )


def check_registration(username: str, full_name: str, email: str, password: str) -> None:
    """Refuse an account that cannot be made, naming every field that is wrong."""
    fields: dict[str, str] = {}
    if not _USERNAME.fullmatch(username.strip()):
        fields["username"] = "Use 3 to 40 letters, digits, dots or dashes."
    if not full_name.strip() or len(full_name) > 200:  # noqa: PLR2004  # said in the sentence
        fields["full_name"] = "Enter your name, at most 200 characters."
    if not _EMAIL.fullmatch(email.strip()) or len(email) > 254:  # noqa: PLR2004  # RFC 5321
        fields["email"] = "Enter an e-mail address such as ann@example.com."
    try:
        check_length(password)
    except Invalid as error:
        fields |= error.fields
    if fields:
        raise Invalid(fields=fields)


def create_user(
    session: Session,
    *,
    username: str,
    full_name: str,
    email: str,
    password_hash: str,
    role: str,
    enabled: bool,
    must_change_password: bool = False,
) -> Registered:
    """Add account, person and role in the open operation."""
    lock_rule(session, ROLES_AND_PERMISSIONS)
    user = LocalUser(
        username=username.strip(),
        password_hash=password_hash,
        enabled=enabled,
        enabled_at=now() if enabled else None,
        must_change_password=must_change_password,
    )
    session.add(user)
    session.flush()
    info = UserInfo(user_id=_id(user), email=email.strip(), full_name=full_name.strip())
    session.add(info)
    session.flush()
    info.set_roles([role], session, current_actor())
    return Registered(_id(user), _id(info), enabled)


@operation(Permission.USERS_ASSIGN_ROLES, log=("user_id", "role_name"))
def change_user_role(session: Session, *, user_id: int, role_name: str) -> list[str]:
    """Make `role_name` the person's only role; returns the roles held before."""
    return _set_roles(session, user_id, [role_name], None)


@operation(Permission.USERS_ASSIGN_ROLES, log=("user_id", "roles"))
def set_user_roles(session: Session, *, user_id: int, roles: list[str], version: int) -> list[str]:
    """Replace the roles of a person whose row was read as `version`; returns those held before."""
    return _set_roles(session, user_id, roles, version)


def _set_roles(session: Session, user_id: int, roles: list[str], version: int | None) -> list[str]:
    lock_rule(session, ROLES_AND_PERMISSIONS)
    _, info = _person(session, user_id)
    before = info.get_roles()
    held = held_permissions(session)
    if reason := why_not_change_roles(user_id, permissions_of(session, info), held):
        raise NotAllowed(reason)
    if version is not None and info.version != version:
        raise Stale
    known = set(session.exec(select(Role.name).where(col(Role.name).in_(roles))))
    if unknown := set(roles) - known:
        message = f"There is no role {', '.join(sorted(unknown))}."
        raise Invalid(message, fields={"roles": message})
    if beyond := permissions_of_roles(session, roles) - held:
        message = f"You cannot give what you do not hold yourself: {', '.join(sorted(beyond))}."
        raise NotAllowed(message)
    info.set_roles(roles, session, current_actor())
    info.version += 1
    session.flush()
    _keep_an_administrator(session)
    return before


@operation(Permission.USERS_MANAGE, log=("user_id",))
def deactivate_user(session: Session, *, user_id: int) -> None:
    """Disable an account and end its sessions; operations that start after the commit are refused."""
    _set_enabled(session, user_id, enabled=False)
    revoke_sessions(session, user_id)


@operation(Permission.USERS_MANAGE, log=("user_id",))
def enable_user(session: Session, *, user_id: int) -> None:
    """Let a person in: one who registered, or one who was disabled."""
    _set_enabled(session, user_id, enabled=True)


def _set_enabled(session: Session, user_id: int, *, enabled: bool) -> None:
    lock_rule(session, ROLES_AND_PERMISSIONS)
    user, info = _person(session, user_id)
    if reason := why_not(user_id, permissions_of(session, info), held_permissions(session)):
        raise NotAllowed(reason)
    if user.enabled == enabled:
        message = f"{user.username} is already {'enabled' if enabled else 'disabled'}."
        raise Stale(message)
    user.enabled = enabled
    if enabled and user.enabled_at is None:
        user.enabled_at = now()
    info.version += 1
    session.flush()
    _keep_an_administrator(session)


def why_not(user_id: int, theirs: Iterable[str], held: frozenset[str]) -> str:
    """Say why the person who holds `held` may not touch this account; empty when they may.

    Otherwise whoever can disable or reset accounts becomes the administrator.
    """
    beyond = set(theirs) - held
    if beyond and user_id != current_actor().id:
        return f"This account may do what you may not ({', '.join(sorted(beyond)[:3])}): ask an administrator."
    return ""


def why_not_change_roles(user_id: int, theirs: Iterable[str], held: frozenset[str]) -> str:
    """Say why the person who holds `held` may not change the roles of this account; empty when they may."""
    if user_id == current_actor().id:
        return "You cannot change your own roles. Ask another administrator."
    return why_not(user_id, theirs, held)


def _person(session: Session, user_id: int) -> tuple[LocalUser, UserInfo]:
    users = lock(session, LocalUser, [user_id])
    if user_id not in users:
        message = "There is no such person (any more). Reload the page."
        raise NotFound(message)
    info = session.exec(select(UserInfo).where(UserInfo.user_id == user_id).with_for_update()).one()
    return users[user_id], info


def _id(row: LocalUser | UserInfo) -> int:
    assert row.id is not None  # noqa: S101  # flushed
    return row.id


def held_permissions(session: Session) -> frozenset[str]:
    """Return what the acting person holds, read in this transaction; machines hold everything."""
    actor = current_actor()
    if actor.kind in ("system", "cli"):
        return frozenset(Permission)
    info = session.exec(select(UserInfo).where(UserInfo.user_id == actor.id)).first()
    return frozenset(permissions_of(session, info)) if info else frozenset()


def permissions_of(session: Session, info: UserInfo) -> set[str]:
    """Return what a person holds through active roles."""
    return info.get_permissions(session)


def permissions_of_roles(session: Session, names: Iterable[str]) -> set[str]:
    """Return everything the named roles contain."""
    return set(
        session.exec(
            select(PermissionRow.name)
            .join(RolePermission, col(RolePermission.permission_id) == col(PermissionRow.id))
            .join(Role, col(Role.id) == col(RolePermission.role_id))
            .where(col(Role.name).in_(list(names)))
        )
    )


def _keep_an_administrator(session: Session) -> None:
    """Refuse a change that leaves no enabled administrator: `admin` holds every permission."""
    left = session.scalar(
        sa.select(sa.func.count())
        .select_from(UserRole)
        .join(Role, col(Role.id) == col(UserRole.role_id))
        .join(UserInfo, col(UserInfo.id) == col(UserRole.user_id))
        .join(LocalUser, col(LocalUser.id) == col(UserInfo.user_id))
        .where(col(Role.name) == ADMIN, col(Role.active), col(LocalUser.enabled))
    )
    if not left:
        message = "This is the last administrator who can sign in. Make somebody else one first."
        raise NotAllowed(message)


@query(Permission.USERS_VIEW)
def role_choices(session: Session) -> list[str]:
    """Return the names of the active roles."""
    return list(session.exec(select(Role.name).where(col(Role.active)).order_by(col(Role.id))))


@dataclass(frozen=True, slots=True)
class PeopleCounts:
    """How many people there are in each tab."""

    everybody: int
    waiting: int
    disabled: int


@query(Permission.USERS_VIEW)
def count_users(session: Session) -> PeopleCounts:
    """Count the people by state; waiting are those who registered and were never let in."""
    total, enabled, waiting = session.exec(
        select(
            sa.func.count(),
            sa.func.count().filter(col(LocalUser.enabled)),
            sa.func.count().filter(_waiting()),
        ).select_from(LocalUser)
    ).one()
    return PeopleCounts(total, waiting, total - enabled - waiting)


def _waiting() -> sa.ColumnElement[bool]:
    return sa.and_(~col(LocalUser.enabled), col(LocalUser.enabled_at).is_(None))


_TABS = {
    "all": sa.true(),
    "waiting": _waiting(),
    "disabled": sa.and_(~col(LocalUser.enabled), col(LocalUser.enabled_at).is_not(None)),
}


@query(Permission.USERS_VIEW)
def list_users(
    session: Session, *, search: str = "", tab: str = "all", role: str = "", cursor: str = ""
) -> Page[UserRow]:
    """List people by name, each with why the viewer may not change them."""
    last_seen = (
        sa.select(sa.func.max(SessionActivity.seen_at))
        .join(AuthSession, col(AuthSession.id) == col(SessionActivity.session_id))
        .where(col(AuthSession.user_id) == col(LocalUser.id))
        .scalar_subquery()
    )
    statement = (
        sa.select(LocalUser, UserInfo, last_seen)
        .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
        .where(_TABS.get(tab, sa.true()))
    )
    if search.strip():
        pattern = f"%{like_escaped(search.strip())}%"
        statement = statement.where(
            sa.or_(
                col(UserInfo.sort_key).like(f"%{like_escaped(sort_key(search))}%"),
                col(LocalUser.username).ilike(pattern),
                col(UserInfo.email).ilike(pattern),
            )
        )
    if role:
        holders = (
            sa.select(col(UserRole.user_id))
            .join(Role, col(Role.id) == col(UserRole.role_id))
            .where(col(Role.name) == role)
        )
        statement = statement.where(col(UserInfo.id).in_(holders))
    page = keyset(session, statement, [col(UserInfo.sort_key), col(UserInfo.id)], cursor=cursor)
    names = role_names(session, [_id(row[1]) for row in page.rows])
    held = current_viewer(session).permissions
    # People share few sets of roles: one query a set, not one a person.
    theirs: dict[tuple[str, ...], set[str]] = {}
    for _, info, *_ in page.rows:
        if (held_roles := tuple(names[_id(info)])) not in theirs:
            theirs[held_roles] = permissions_of(session, info)
    rows = [
        UserRow(
            id=_id(user),
            username=user.username,
            full_name=info.full_name,
            email=info.email,
            roles=names[_id(info)],
            enabled=user.enabled,
            never_enabled=user.enabled_at is None,
            version=info.version,
            last_seen=seen.isoformat() if seen else "",
            created=user.created_at.isoformat(),
            why_not=why_not(_id(user), theirs[tuple(names[_id(info)])], held),
            why_not_roles=why_not_change_roles(_id(user), theirs[tuple(names[_id(info)])], held),
        )
        for user, info, seen, *_ in page.rows
    ]
    return Page(rows, page.before, page.after)
