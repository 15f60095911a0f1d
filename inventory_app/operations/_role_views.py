"""Roles as a viewer sees them: the matrix of roles and permissions, one role, who holds it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.audit.tables import audit_change, audit_operation
from inventory_app.models.users import LocalUser, Role, RolePermission, UserInfo, UserRole
from inventory_app.models.users import Permission as PermissionRow
from inventory_app.operations import _people_rules as rules
from inventory_app.operations._paging import Page, keyset
from inventory_app.permissions import Permission

_OTHER = "Other"


@dataclass(frozen=True, slots=True)
class RoleColumn:
    """A role of the matrix; `why_not` says why the viewer cannot change it, `own` that they hold it themselves."""

    id: int
    name: str
    description: str
    built_in: bool
    active: bool
    needs_factor: bool
    grant_needs_approval: bool
    version: int
    #: How many people hold it who can sign in.
    people: int
    holds: frozenset[str]
    why_not: str
    #: The same for what it is called and asks for.
    why_not_edit: str
    own: bool


@dataclass(frozen=True, slots=True)
class PermissionLine:
    """A permission of the matrix; `why_not` says why the viewer cannot give or take it."""

    name: str
    label: str
    category: str
    why_not: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """Every role and every permission."""

    roles: list[RoleColumn]
    permissions: list[PermissionLine]
    #: How many people can sign in.
    people: int


@dataclass(frozen=True, slots=True)
class RoleDetail:
    """What else there is to know about one role."""

    id: int
    holders: int
    disabled_holders: int
    changed_by: str
    changed_at: str
    #: Why it cannot be deleted; empty when it can.
    why_not_delete: str
    #: What somebody asked for about it and waits for an agreement; empty when nothing does.
    waits: str = ""


@dataclass(frozen=True, slots=True)
class HolderRow:
    """Somebody who holds a role."""

    user_id: int
    name: str
    username: str
    enabled: bool
    #: The other roles they hold.
    others: list[str]


def matrix(session: Session) -> Matrix:
    """Read every role with what it contains in four statements, whatever there is of them."""
    held, own = rules.held_permissions(session), rules.own_roles(session)
    contains: dict[int, set[str]] = {}
    linked = sa.select(col(RolePermission.role_id), col(PermissionRow.name)).join(
        PermissionRow, col(PermissionRow.id) == col(RolePermission.permission_id)
    )
    for role_id, name in session.execute(linked):
        contains.setdefault(role_id, set()).add(name)
    counted = (
        sa.select(col(UserRole.role_id), sa.func.count())
        .join(UserInfo, col(UserInfo.id) == col(UserRole.user_id))
        .join(LocalUser, col(LocalUser.id) == col(UserInfo.user_id))
        .where(col(LocalUser.enabled))
        .group_by(col(UserRole.role_id))
    )
    people = {role_id: number for role_id, number in session.execute(counted).all()}  # noqa: C416  # rows, not pairs
    found = session.scalars(sa.select(Role).order_by(col(Role.built_in).desc(), col(Role.id)))
    roles = [_column(role, frozenset(contains.get(role.id or 0, ())), people, held, own) for role in found]
    can_sign_in = session.scalar(sa.select(sa.func.count()).where(col(LocalUser.enabled))) or 0
    return Matrix(roles, _lines(session, held), can_sign_in)


def _column(
    role: Role, holds: frozenset[str], people: dict[int, int], held: frozenset[str], own: frozenset[int]
) -> RoleColumn:
    id_ = role.id or 0
    return RoleColumn(
        id=id_,
        name=role.name,
        description=role.description,
        built_in=role.built_in,
        active=role.active,
        needs_factor=role.needs_factor,
        grant_needs_approval=role.grant_needs_approval,
        version=role.version,
        people=people.get(id_, 0),
        holds=holds,
        why_not=rules.why_not_change_role(role, holds, held),
        why_not_edit=rules.why_not_edit_role(role, holds, held),
        own=id_ in own,
    )


def _lines(session: Session, held: frozenset[str]) -> list[PermissionLine]:
    """Return the permissions in the order of the enum; what an older version left behind comes last."""
    order = {permission.value: number for number, permission in enumerate(Permission)}
    names = sorted(session.scalars(sa.select(col(PermissionRow.name))), key=lambda n: (order.get(n, len(order)), n))
    lines = []
    for name in names:
        known = Permission(name) if name in order else None
        label, category = (known.label, known.category) if known else (name, _OTHER)
        lines.append(PermissionLine(name, label, category, rules.why_not_pass_on([name], held)))
    return lines


def contents_of(session: Session, role_id: int) -> frozenset[str]:
    """Return the names of what a role contains, active or not."""
    return contents(session, [role_id])[role_id]


def contents(session: Session, role_ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """Return the same for many roles at once."""
    found: dict[int, set[str]] = {role_id: set() for role_id in role_ids}
    statement = (
        sa.select(col(RolePermission.role_id), col(PermissionRow.name))
        .join(PermissionRow, col(PermissionRow.id) == col(RolePermission.permission_id))
        .where(col(RolePermission.role_id).in_(found))
    )
    for role_id, name in session.execute(statement):
        found[role_id].add(name)
    return {role_id: frozenset(names) for role_id, names in found.items()}


def detail(session: Session, role_id: int) -> RoleDetail | None:
    """Return how many hold a role, and who changed it last."""
    enabled, disabled = session.execute(
        sa.select(sa.func.count().filter(col(LocalUser.enabled)), sa.func.count().filter(~col(LocalUser.enabled)))
        .select_from(UserRole)
        .join(UserInfo, col(UserInfo.id) == col(UserRole.user_id))
        .join(LocalUser, col(LocalUser.id) == col(UserInfo.user_id))
        .where(col(UserRole.role_id) == role_id)
    ).one()
    role = session.get(Role, role_id)
    if role is None:
        return None
    by, at = last_change(session, role_id)
    return RoleDetail(role_id, enabled, disabled, by, at.isoformat() if at else "", why_not_delete(session, role))


def is_held(session: Session, role_id: int) -> bool:
    """Tell whether anybody holds the role, whether they can sign in or not."""
    return bool(session.scalar(sa.select(sa.exists().where(col(UserRole.role_id) == role_id))))


def why_not_delete(session: Session, role: Role) -> str:
    """Say why a role cannot be deleted; empty when nobody has ever held it, by the trail's own account."""
    if role.built_in:
        return f"{role.name} is a built-in role. Deactivate it instead."
    change = audit_change.c
    ever = sa.exists().where(
        change.table_name == "user_role", change.kind == "insert", change.pk.like(f"%, {role.id}]")
    )
    if session.scalar(sa.select(ever)):
        return f"Somebody holds or has held {role.name}, so it stays on record. Deactivate it instead."
    return ""


def last_change(session: Session, role_id: int) -> tuple[str, datetime | None]:
    """Return who changed a role last, and when: every change of a role moves its version."""
    change, trail = audit_change.c, audit_operation.c
    statement = (
        sa.select(trail.actor_name, col(UserInfo.full_name), trail.recorded_at)
        .join_from(audit_change, audit_operation, trail.id == change.operation_id)
        .outerjoin(UserInfo, col(UserInfo.user_id) == trail.actor_id)
        .where(change.table_name == "role", change.pk == str(role_id))
        .order_by(change.id.desc())
        .limit(1)
    )
    found = session.execute(statement).first()
    return (found.full_name or found.actor_name, found.recorded_at) if found else ("", None)


def holders(session: Session, role_id: int, cursor: str) -> Page[HolderRow]:
    """Return a page of those who hold a role."""
    others = (
        sa.select(sa.func.array_agg(sa.distinct(col(Role.name))))
        .join(UserRole, col(UserRole.role_id) == col(Role.id))
        .where(col(UserRole.user_id) == col(UserInfo.id), col(Role.id) != role_id)
        .correlate(UserInfo)
        .scalar_subquery()
    )
    statement = (
        sa.select(col(LocalUser.id), col(UserInfo.full_name), col(LocalUser.username), col(LocalUser.enabled), others)
        .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
        .join(UserRole, col(UserRole.user_id) == col(UserInfo.id))
        .where(col(UserRole.role_id) == role_id)
    )
    page = keyset(session, statement, [col(UserInfo.sort_key), col(UserInfo.id)], cursor=cursor)
    rows = [
        HolderRow(id_, name or login, login, on, sorted(more or [])) for id_, name, login, on, more, *_ in page.rows
    ]
    return Page(rows, page.before, page.after)
