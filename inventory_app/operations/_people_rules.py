"""Who may do what to whom, and what no change of people or roles may break: the rules, once.

Operations decide by them, lists and previews show what they say. Every change of `enabled`, of roles, of what a role
contains or of its activity takes the advisory lock `ROLES_AND_PERMISSIONS` and ends, after its flush, with
`keeps_every_permission_held`; two people at once would each see the other otherwise.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.context import current_actor
from inventory_app.errors import NotAllowed
from inventory_app.models.users import HOLDINGS, LocalUser, Role, RolePermission, UserInfo, UserRole
from inventory_app.models.users import Permission as PermissionRow
from inventory_app.permissions import ADMIN, Permission, works_for_a_supplier

#: Whoever holds one of these can pass on what else they hold: by giving a role of theirs, or by putting it into one.
PASSES_ON = frozenset({Permission.USERS_ASSIGN_ROLES, Permission.ROLES_MANAGE})

_SHOWN = 3


def why_not(user_id: int, theirs: Iterable[str], held: frozenset[str]) -> str:
    """Say why the person who holds `held` may not touch this account; empty when they may.

    Otherwise whoever can disable or reset accounts becomes the administrator.
    """
    beyond = needed_to_touch(theirs) - held
    if beyond and user_id != current_actor().id:
        return f"This account may do what you may not ({', '.join(sorted(beyond)[:_SHOWN])}): ask an administrator."
    return ""


def needed_to_touch(theirs: Iterable[str]) -> set[str]:
    """Return what whoever changes an account that may do `theirs`, or enters it, must hold.

    All of that; for the account of somebody who works for a supplier what inviting them takes: nobody of us has to
    hold the portal for that.
    """
    return {Permission.SUPPLIERS_EDIT} if works_for_a_supplier(theirs) else set(theirs)


def why_not_change_roles(user_id: int, theirs: Iterable[str], held: frozenset[str]) -> str:
    """Say why the person who holds `held` may not change the roles of this account; empty when they may."""
    if user_id == current_actor().id:
        return "You cannot change your own roles. Ask another administrator."
    return why_not(user_id, theirs, held)


def why_not_pass_on(wanted: Iterable[str], held: frozenset[str]) -> str:
    """Say why the person who holds `held` may not give `wanted` to anybody, by whatever way; empty when they may."""
    if beyond := set(wanted) - held:
        return f"You cannot give what you do not hold yourself: {', '.join(sorted(beyond))}."
    return ""


def why_not_change_role(role: Role, contains: Iterable[str], held: frozenset[str]) -> str:
    """Say why the person who holds `held` may not change what the role contains or whether it counts; empty if so."""
    if is_admin(role):
        return "The role admin always holds everything and cannot be changed."
    return why_not_edit_role(role, contains, held)


def is_admin(role: Role) -> bool:
    """Tell whether this is the one built-in role that always equals the list of permissions."""
    return role.built_in and role.name == ADMIN


def why_not_edit_admin(role: Role, name: str, description: str, *, grant_needs_approval: bool) -> str:
    """Say why `admin` cannot become this; empty for every other role, and where only the second factor differs."""
    kept = (role.name, role.description, role.grant_needs_approval)
    if is_admin(role) and kept != (name, description, grant_needs_approval):
        return "The role admin always holds everything and cannot be changed, but for the second factor it may need."
    return ""


def why_not_edit_role(_: Role, contains: Iterable[str], held: frozenset[str]) -> str:
    """Say why the person who holds `held` may not change what the role is called and asks for; empty when they may."""
    if beyond := set(contains) - held:
        listed = ", ".join(sorted(beyond)[:_SHOWN])
        return f"This role may do what you may not ({listed}): ask an administrator."
    return ""


def why_not_extend(role: Role, own: Iterable[int]) -> str:
    """Say why somebody who holds the roles `own` may not make this one worth more; empty when they may.

    Whoever may change `admin` holds it: of that role nobody else could ever take anything back.
    """
    if role.id in set(own) and not is_admin(role):
        return f"You hold the role {role.name} yourself, so somebody else must extend it."
    return ""


def held_permissions(session: Session) -> frozenset[str]:
    """Return what the acting person holds through roles, read in this transaction; machines hold everything."""
    actor = current_actor()
    if actor.kind in ("system", "cli"):
        return frozenset(Permission)
    info = session.exec(select(UserInfo).where(UserInfo.user_id == actor.id)).first()
    return frozenset(permissions_of(session, info)) if info else frozenset()


def own_roles(session: Session) -> frozenset[int]:
    """Return the ids of the roles that the acting person holds, active or not."""
    statement = (
        sa.select(col(UserRole.role_id))
        .join(UserInfo, col(UserInfo.id) == col(UserRole.user_id))
        .where(col(UserInfo.user_id) == current_actor().id)
    )
    return frozenset(session.scalars(statement))


def permissions_of(session: Session, info: UserInfo) -> set[str]:
    """Return what a person holds through active roles."""
    return info.get_permissions(session)


def may_use_each(session: Session, user_ids: Sequence[int]) -> dict[int, set[str]]:
    """Return what `may_use` does for many people, in one statement."""
    held: dict[int, set[str]] = {user_id: set() for user_id in user_ids}
    statement = sa.select(HOLDINGS.c.user_id, HOLDINGS.c.permission).where(HOLDINGS.c.user_id.in_(user_ids))
    for user_id, permission in session.execute(statement):
        held[user_id].add(permission)
    return held


def may_use(session: Session, info: UserInfo) -> set[str]:
    """Return all that a person may do now, through roles or lent to them: what whoever enters their account may do."""
    held = sa.select(HOLDINGS.c.permission).distinct().where(HOLDINGS.c.user_id == info.user_id)
    return set(session.scalars(held))


def why_not_still(session: Session, user_id: int | None, needed: Iterable[str]) -> str:
    """Say why whoever asked for something may no longer do it; empty when they may, or when no person asked.

    A request is no way to keep what was lost. Whatever changes who may do what waits for the lock that is held here.
    """
    if user_id is None:
        return ""
    asking = session.exec(
        select(UserInfo).where(UserInfo.user_id == user_id).execution_options(populate_existing=True)
    ).one()
    lost = sorted(set(needed) - permissions_of(session, asking))
    if not lost and session.get_one(LocalUser, user_id).enabled:
        return ""
    who = asking.full_name or "Whoever asked"
    what = f" ({lost[0]})" if lost else ""
    return f"{who}, who asked for this, may no longer give it{what}. Reject it, and ask anew."


def permissions_of_roles(session: Session, names: Iterable[str]) -> set[str]:
    """Return everything the named roles contain, active or not."""
    return {permission for held in permissions_of_each_role(session, names).values() for permission in held}


def permissions_of_each_role(session: Session, names: Iterable[str]) -> dict[str, set[str]]:
    """Return what each of the named roles contains, active or not; what is in none of them is not in it."""
    contents: dict[str, set[str]] = {}
    found = session.exec(
        select(Role.name, PermissionRow.name)
        .join(RolePermission, col(RolePermission.role_id) == col(Role.id))
        .join(PermissionRow, col(PermissionRow.id) == col(RolePermission.permission_id))
        .where(col(Role.name).in_(list(names)))
    )
    for role, permission in found:
        contents.setdefault(role, set()).add(permission)
    return contents


@dataclass(frozen=True, slots=True)
class Standing:
    """What active roles contain, and which sets of roles the enabled people hold: all that the rule below reads."""

    contents: Mapping[int, frozenset[str]]
    held: frozenset[frozenset[int]]
    admin: int

    def with_contents(self, changed: Mapping[int, frozenset[str]]) -> "Standing":
        """Return how it would stand if these roles contained something else."""
        return replace(self, contents={**self.contents, **changed})

    def fault(self) -> str:
        """Say what nobody could pass on any more; empty when everything has a holder who can.

        Such a holder is enabled, holds the permission through an active role of their own (what is only delegated
        to them they cannot give), and holds `users:assign_roles` or `roles:manage` in the same way. One enabled
        holder of `admin` must always be left besides.
        """
        if not any(self.admin in roles and self.admin in self.contents for roles in self.held):
            return "This is the last administrator who can sign in. Make somebody else one first."
        safe: set[str] = set()
        for roles in self.held:
            holds = frozenset[str]().union(*(self.contents.get(role, frozenset()) for role in roles))
            if holds & PASSES_ON:
                safe |= holds
        lost = [permission for permission in Permission if permission not in safe]
        if lost:
            named = ", ".join(f"“{permission.label}” ({permission})" for permission in lost[:_SHOWN])
            return f"Nobody would be left who can pass on {named}. Give it to somebody who can first."
        return ""


def standing(session: Session, held: frozenset[frozenset[int]] | None = None) -> Standing:
    """Read how permissions are held in this transaction; `held` are the sets of roles, where they are known already."""
    contents: dict[int, set[str]] = {}
    rows = session.execute(
        sa.select(col(Role.id), col(PermissionRow.name))
        .outerjoin(RolePermission, col(RolePermission.role_id) == col(Role.id))
        .outerjoin(PermissionRow, col(PermissionRow.id) == col(RolePermission.permission_id))
        .where(col(Role.active))
    )
    for role_id, name in rows:
        contents.setdefault(role_id or 0, set()).update([name] if name else [])
    if held is None:
        held = _sets_of_roles(session)
    admin = session.scalar(sa.select(col(Role.id)).where(col(Role.name) == ADMIN)) or 0
    return Standing({id_: frozenset(names) for id_, names in contents.items()}, held, admin)


def _sets_of_roles(session: Session) -> frozenset[frozenset[int]]:
    """Return the sets of roles that enabled people hold: people share few, and those are counted, not the people."""
    each = (
        sa.select(sa.func.array_agg(sa.distinct(col(UserRole.role_id))).label("roles"))
        .join(UserInfo, col(UserInfo.id) == col(UserRole.user_id))
        .join(LocalUser, col(LocalUser.id) == col(UserInfo.user_id))
        .where(col(LocalUser.enabled))
        .group_by(col(UserRole.user_id))
        .subquery()
    )
    return frozenset(frozenset(roles) for roles in session.scalars(sa.select(each.c.roles).distinct()))


def keeps_every_permission_held(session: Session) -> None:
    """Refuse a change, after its flush, that leaves a permission without an enabled holder who can pass it on."""
    if fault := standing(session).fault():
        raise NotAllowed(fault)
