"""Accounts and the roles people hold: registering, enabling, disabling, changing roles.

What may be done to whom, and what must be left after every change, is in `_people_rules.py`.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.audit.tables import audit_change, audit_erasure, audit_personal
from inventory_app.context import NOBODY
from inventory_app.database.locks import ROLES_AND_PERMISSIONS, lock, lock_rule
from inventory_app.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from inventory_app.models._base import now
from inventory_app.models.access import AccountLink
from inventory_app.models.suppliers import SupplierUser
from inventory_app.models.users import Idempotency, LocalUser, Role, RolePermission, UserInfo
from inventory_app.models.users import Permission as PermissionRow
from inventory_app.operations import _people_list
from inventory_app.operations._fields import Fields
from inventory_app.operations._lists import View
from inventory_app.operations._operation import acting_user_id, current_viewer, operation, query
from inventory_app.operations._people_list import PeopleCounts, PeopleListing, UserRow, ever_invited, why_not_erase
from inventory_app.operations._people_rules import (
    held_permissions,
    keeps_every_permission_held,
    may_use,
    permissions_of_roles,
    why_not,
    why_not_change_roles,
    why_not_pass_on,
)
from inventory_app.operations._role_grants import give
from inventory_app.operations._session_life import revoke_sessions
from inventory_app.operations._strangers import slow_down
from inventory_app.operations._supplier_people import BY_INVITATION
from inventory_app.passwords import check_length, hash_password
from inventory_app.permissions import EMPLOYEE, SUPPLIER, Permission
from inventory_app.settings import get_settings

_USERNAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{1,38}[a-z0-9])", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True, slots=True)
class Registered:
    """A new account; `enabled` is False while it waits for an administrator."""

    user_id: int
    user_info_id: int
    enabled: bool


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
        roles=[EMPLOYEE],
        enabled=mode == "open",
    )


def check_registration(username: str, full_name: str, email: str, password: str) -> None:
    """Refuse an account that cannot be made, naming every field that is wrong."""
    fields = _faults_of_details(username, full_name, email)
    try:
        check_length(password)
    except Invalid as error:
        fields |= error.fields
    if fields:
        raise Invalid(fields=fields)


def check_details(username: str | None, full_name: str, email: str) -> tuple[str, str, str]:
    """Return the details of an account as they are kept, or name every one that is wrong; None is not looked at."""
    if fields := _faults_of_details(username, full_name, email):
        raise Invalid(fields=fields)
    return (username or "").strip(), full_name.strip(), email.strip()


def _faults_of_details(username: str | None, full_name: str, email: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    if username is not None and not _USERNAME.fullmatch(username.strip()):
        fields["username"] = "Use 3 to 40 letters, digits, dots or dashes."
    elif username is not None and username.strip().casefold() == NOBODY:
        fields["username"] = "In the audit trail this name stands for nobody. Choose another one."
    if not full_name.strip() or len(full_name) > 200:  # noqa: PLR2004  # said in the sentence
        fields["full_name"] = "Enter a name, at most 200 characters."
    if not _EMAIL.fullmatch(email.strip()) or len(email) > 254:  # noqa: PLR2004  # RFC 5321
        fields["email"] = "Enter an e-mail address such as ann@example.com."
    return fields


def create_user(  # noqa: PLR0913  # as many as an account has properties
    session: Session,
    *,
    username: str,
    full_name: str,
    email: str,
    password_hash: str,
    roles: list[str],
    enabled: bool,
    must_change_password: bool = False,
    supplier_id: int | None = None,
) -> Registered:
    """Add account, person and role in the open operation; a role that needs somebody else's agreement waits for it.

    `supplier_id` makes it an account of somebody who works for that supplier, from its beginning and for good.
    """
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
    if supplier_id is not None:
        session.add(SupplierUser(user_id=_id(user), supplier_id=supplier_id, created_by=acting_user_id()))
    session.flush()
    give(session, info, [], roles)
    return Registered(_id(user), _id(info), enabled)


@operation(Permission.USERS_ASSIGN_ROLES, log=("user_id", "role_name"), fresh=True)
def change_user_role(session: Session, *, user_id: int, role_name: str) -> list[str]:
    """Make `role_name` the person's only role; returns the roles held before. Some roles wait for an approval."""
    return replace_roles(session, user_id, [role_name], None)


@operation(Permission.USERS_ASSIGN_ROLES, log=("user_id", "roles"), fresh=True)
def set_user_roles(session: Session, *, user_id: int, roles: list[str], version: int) -> list[str]:
    """Replace the roles of a person whose row was read as `version`; returns those held before.

    A role that needs somebody else's agreement is asked for and waits; what is taken away is gone at once.
    """
    return replace_roles(session, user_id, roles, version)


def replace_roles(session: Session, user_id: int, roles: list[str], version: int | None) -> list[str]:
    """Replace a person's roles under every rule about it, in the open operation; returns those held before."""
    lock_rule(session, ROLES_AND_PERMISSIONS)
    _, info = person_to_change(session, user_id)
    before = info.get_roles()
    held = held_permissions(session)
    if reason := why_not_change_roles(user_id, may_use(session, info), held):
        raise NotAllowed(reason)
    if version is not None and info.version != version:
        raise Stale
    grantable(session, roles, held)
    give(session, info, before, roles)
    info.version += 1
    session.flush()
    keeps_every_permission_held(session)
    return before


def grantable(session: Session, roles: Iterable[str], held: frozenset[str]) -> None:
    """Refuse roles that do not exist, or that hold more than who gives them."""
    known = set(session.exec(select(Role.name).where(col(Role.name).in_(list(roles)))))
    if unknown := set(roles) - known:
        message = f"There is no role {', '.join(sorted(unknown))}."
        raise Invalid(message, fields={"roles": message})
    if reason := why_not_pass_on(permissions_of_roles(session, roles), held):
        raise NotAllowed(reason)


@operation(Permission.USERS_MANAGE, log=("user_id",))
def deactivate_user(session: Session, *, user_id: int) -> None:
    """Disable an account, end its sessions and its links; operations that start after the commit are refused."""
    _set_enabled(session, user_id, enabled=False)
    revoke_sessions(session, user_id)
    revoke_links(session, user_id)


def revoke_links(session: Session, user_id: int) -> None:
    """Make every one-time link of a person stop working."""
    session.execute(
        sa.update(AccountLink)
        .where(
            col(AccountLink.user_id) == user_id,
            col(AccountLink.used_at).is_(None),
            col(AccountLink.revoked_at).is_(None),
        )
        .values(revoked_at=now())
    )


@operation(Permission.USERS_MANAGE, log=("user_id",))
def enable_user(session: Session, *, user_id: int) -> None:
    """Let a person in: one who registered, or one who was disabled."""
    _set_enabled(session, user_id, enabled=True)


@operation(Permission.USERS_MANAGE, log=("user_id",), reason="reason")
def erase_personal_data(session: Session, *, user_id: int, reason: str) -> int:
    """Erase name, e-mail and picture of a disabled account, from the trail too; returns how many values that held.

    The account keeps its username, which is who did what in the trail, and cannot be enabled again.
    """
    lock_rule(session, ROLES_AND_PERMISSIONS)
    fields = Fields()
    fields.text("reason", reason, most=500, required=True)
    fields.check()
    user, info = person_to_change(session, user_id)
    theirs, held = may_use(session, info), held_permissions(session)
    if refusal := why_not_erase(user, theirs, held, erased=is_erased(session, info)):
        raise NotAllowed(refusal)
    revoke_sessions(session, user_id)
    _forget_answers(session, user_id, info)
    session.flush()
    # What the database did to the row is not what this session has read.
    session.expire(info)
    return session.connection().exec_driver_sql("SELECT audit_erase_person(%s)", (user_id,)).scalar_one()


def _forget_answers(session: Session, user_id: int, info: UserInfo) -> None:
    """Drop the remembered answers to the person, and those to others that hold a name or address of theirs."""
    personal, change = audit_personal.c, audit_change.c
    known = session.execute(
        sa.select(personal.before, personal.after)
        .join(audit_change, change.id == personal.change_id)
        .where(
            change.table_name == UserInfo.__tablename__,
            change.pk == str(_id(info)),
            personal.field.in_(("email", "full_name")),
        )
    ).all()
    written = {json.dumps(value, ensure_ascii=False)[1:-1] for row in known for value in row if value}
    named = [sa.func.strpos(col(Idempotency.result), value) > 0 for value in sorted(written)]
    session.execute(sa.delete(Idempotency).where(sa.or_(col(Idempotency.actor_key) == f"user:{user_id}", *named)))


def is_erased(session: Session, info: UserInfo) -> bool:
    """Tell whether the person's data has been erased."""
    table = audit_erasure.c
    found = sa.exists().where(table.table_name == "user_info", table.pk == str(_id(info)))
    return bool(session.scalar(sa.select(found)))


def was_invited(session: Session, user_id: int) -> bool:
    """Tell whether the account was made by an invitation, whatever became of it."""
    return bool(session.scalar(sa.select(col(LocalUser.id)).where(col(LocalUser.id) == user_id, ever_invited())))


def _set_enabled(session: Session, user_id: int, *, enabled: bool) -> None:
    lock_rule(session, ROLES_AND_PERMISSIONS)
    user, info = person_to_change(session, user_id)
    if reason := why_not(user_id, may_use(session, info), held_permissions(session)):
        raise NotAllowed(reason)
    if user.enabled == enabled:
        message = f"{user.username} is already {'enabled' if enabled else 'disabled'}."
        raise Stale(message)
    if enabled and is_erased(session, info):
        message = "This person's data has been erased: nobody is behind the account any more. Make a new one."
        raise NotAllowed(message)
    if enabled and user.enabled_at is None and was_invited(session, user_id):
        # Without a password: letting them in would open nothing, and count as somebody who can.
        message = f"{user.username} was invited and comes in by the link. Send the invitation again instead."
        raise Conflict(message)
    user.enabled = enabled
    if enabled and user.enabled_at is None:
        user.enabled_at = now()
    info.version += 1
    session.flush()
    keeps_every_permission_held(session)


def _beyond(contained: Iterable[str], held: frozenset[str]) -> list[str]:
    """Return what is among these permissions that the person who holds `held` may not give away."""
    return sorted(set(contained) - held)


def person_to_change(session: Session, user_id: int) -> tuple[LocalUser, UserInfo]:
    """Lock and return an account and the person behind it; raises `NotFound`."""
    users = lock(session, LocalUser, [user_id])
    if user_id not in users:
        message = "There is no such person (any more). Reload the page."
        raise NotFound(message)
    info = session.exec(select(UserInfo).where(UserInfo.user_id == user_id).with_for_update()).one()
    return users[user_id], info


def _id(row: LocalUser | UserInfo) -> int:
    assert row.id is not None  # noqa: S101  # flushed
    return row.id


@dataclass(frozen=True, slots=True)
class RoleToGive:
    """A role as the one who gives roles sees it; `why_not` says why they may not give it, empty when they may."""

    name: str
    description: str
    permissions: int
    why_not: str
    #: Whoever gets it has it only once somebody else has agreed.
    needs_agreement: bool


@query(Permission.USERS_ASSIGN_ROLES)
def roles_to_give(session: Session) -> list[RoleToGive]:
    """Return the active roles with what is in them, and which of them the viewer may not give."""
    held = held_permissions(session)
    contained: dict[int | None, set[str]] = {}
    links = select(RolePermission.role_id, PermissionRow.name).join(
        PermissionRow, col(PermissionRow.id) == col(RolePermission.permission_id)
    )
    for role_id, name in session.exec(links):
        contained.setdefault(role_id, set()).add(name)
    roles = session.exec(select(Role).where(col(Role.active)).order_by(col(Role.id))).all()
    return [
        RoleToGive(
            role.name,
            role.description,
            len(found),
            BY_INVITATION if role.name == SUPPLIER else _why_not_give(_beyond(found, held)),
            role.grant_needs_approval,
        )
        for role in roles
        for found in [contained.get(role.id, set())]
    ]


def _why_not_give(beyond: list[str]) -> str:
    if not beyond:
        return ""
    labels = [_LABELS.get(name, name) for name in beyond[:3]]
    more = [f"{len(beyond) - len(labels)} more"] if len(beyond) > len(labels) else []
    return f"You do not hold what is in it: {', '.join([*labels, *more])}."


_LABELS = {str(permission): permission.label for permission in Permission}


@query(Permission.USERS_VIEW)
def count_users(session: Session) -> PeopleCounts:
    """Count the people by state; waiting are those who registered and were never let in."""
    return _people_list.counts(session)


@query(Permission.USERS_VIEW)
def list_users(session: Session, *, view: View = View()) -> PeopleListing:  # noqa: B008  # nothing can change it
    """List people, each with why the viewer may not change them, and the counts beside the list."""
    return _people_list.listing(session, current_viewer(session), view)


@query(Permission.USERS_VIEW)
def matching_users(session: Session, *, view: View, most: int) -> list[int]:
    """Return the ids of at most so many people of a view, over all its pages."""
    return _people_list.matching(session, current_viewer(session), view, most)


@query(Permission.USERS_VIEW)
def one_user(session: Session, *, user_id: int) -> UserRow | None:
    """Return the line of one person, as the list has it; None when there is none."""
    return _people_list.one(session, current_viewer(session), user_id)
