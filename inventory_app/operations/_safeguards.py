"""What roles ask for stays with what they contain, so that second factor and agreement are not gone around.

A safeguard keeps a permission when a role that asks for it contains the permission, and no role that counts gives it
without. What is kept stays kept, and nobody comes to hold what is given only with agreement because a role changed
(docs/decisions/0011-safeguards-stay.md). Every operation about roles reads `Safeguards` before its change and ends,
after its flush, with `refuse_weakening`, under the lock of `_people_rules.py`; the preview asks what would be.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.errors import NotAllowed
from inventory_app.models.users import Permission as PermissionRow
from inventory_app.models.users import Role, RolePermission, UserRole
from inventory_app.permissions import ADMIN, Permission

FACTOR = "needs_factor"
AGREEMENT = "grant_needs_approval"
#: The column of `Role` -> what is said of the roles that ask for it.
ASKS: Mapping[str, str] = {
    FACTOR: "that need a second factor",
    AGREEMENT: "that nobody gets without somebody else's agreement",
}
_LABELS = {str(permission): f"“{permission.label}” ({permission})" for permission in Permission}
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """A role as this rule sees it."""

    name: str
    active: bool
    asks: frozenset[str]
    contains: frozenset[str]
    is_admin: bool


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What every role asks for and contains, and which sets of roles people hold, whether they can sign in or not."""

    roles: Mapping[int, RoleFacts]
    held: frozenset[frozenset[int]]

    def with_role(self, role_id: int, **changes: Any) -> "Safeguards":
        """Return how it would stand if this role were different."""
        return replace(self, roles={**self.roles, role_id: replace(self.roles[role_id], **changes)})

    def with_contents(self, contents: Mapping[int, frozenset[str]]) -> "Safeguards":
        """Return how it would stand if these roles contained something else."""
        changed = {id_: replace(self.roles[id_], contains=now) for id_, now in contents.items() if id_ in self.roles}
        return replace(self, roles={**self.roles, **changed})

    def kept_by(self, flag: str) -> frozenset[str]:
        """Return the permissions that one gets only through roles that ask for it.

        A role that is switched off still keeps what it contains, and gives nothing; `admin` contains everything, so
        that it says nothing about what shall be kept unless it asks itself.
        """
        kept = self._contents(lambda role: flag in role.asks)
        return kept - self._contents(lambda role: role.active and not role.is_admin and flag not in role.asks)

    def _contents(self, which: Callable[[RoleFacts], bool]) -> frozenset[str]:
        return frozenset[str]().union(*(role.contains for role in self.roles.values() if which(role)))

    def weakened_by(self, then: "Safeguards") -> str:
        """Say which safeguard a change to `then` would take from a permission; empty when none."""
        for flag, words in ASKS.items():
            lost = sorted(self.kept_by(flag) - then.kept_by(flag))
            if not lost:
                continue
            without = [
                role.name
                for role in then.roles.values()
                if role.active and not role.is_admin and flag not in role.asks and role.contains & set(lost)
            ]
            said = f"Only roles {words} give {_listed(lost)}"
            if without:
                return f"{said}: {', '.join(sorted(without)[:_SHOWN])} must ask for the same."
            return (
                f"{said}, and the last of them would be gone. Deactivate it instead, or first have what it asks for "
                "taken off: somebody else must agree to that."
            )
        return ""

    def given_by(self, then: "Safeguards") -> list[str]:
        """Return what is given only with agreement and somebody would come to hold by a change to `then`."""
        kept, gained = self.kept_by(AGREEMENT), set[str]()
        changed = {id_ for id_, role in then.roles.items() if role != self.roles.get(id_)}
        for roles in self.held if kept else ():
            if roles & changed:
                gained |= kept & (then.through(roles) - self.through(roles))
        return sorted(gained)

    def through(self, roles: frozenset[int]) -> frozenset[str]:
        """Return what somebody with these roles holds."""
        mine = (self.roles[id_] for id_ in roles if id_ in self.roles)
        return frozenset[str]().union(*(role.contains for role in mine if role.active))

    def fault(self, then: "Safeguards") -> str:
        """Say why a change to `then` is refused; empty when it is not."""
        if weakened := self.weakened_by(then):
            return weakened
        if given := self.given_by(then):
            return (
                f"{_listed(given)} is given only with somebody else's agreement, and somebody who holds the role does "
                "not have it yet. Put it into a role that nobody holds, and give them that one."
            )
        return ""


def _listed(permissions: list[str]) -> str:
    more = len(permissions) - _SHOWN
    named = ", ".join(_LABELS.get(name, name) for name in permissions[:_SHOWN])
    return f"{named} and {more} more" if more > 0 else named


def read(session: Session) -> Safeguards:
    """Read what roles ask for and contain in this transaction, and who holds what where that matters."""
    roles = _roles(session)
    if not any(AGREEMENT in role.asks for role in roles.values()):
        return Safeguards(roles, frozenset())
    # People share few sets of roles: those are looked at, not the people.
    each = (
        sa.select(sa.func.array_agg(sa.distinct(col(UserRole.role_id))).label("roles"))
        .group_by(col(UserRole.user_id))
        .subquery()
    )
    held = frozenset(frozenset(mine) for mine in session.scalars(sa.select(each.c.roles).distinct()))
    return Safeguards(roles, held)


def _roles(session: Session) -> dict[int, RoleFacts]:
    linked = sa.select(col(RolePermission.role_id), col(PermissionRow.name)).join(
        PermissionRow, col(PermissionRow.id) == col(RolePermission.permission_id)
    )
    contents: dict[int, set[str]] = {}
    for role_id, name in session.execute(linked):
        contents.setdefault(role_id, set()).add(name)
    columns = (col(Role.id), col(Role.name), col(Role.active), col(Role.built_in), *(getattr(Role, f) for f in ASKS))
    return {
        id_: RoleFacts(
            name,
            active,
            frozenset(flag for flag, asked in zip(ASKS, asks, strict=True) if asked),
            frozenset(contents.get(id_, ())),
            built_in and name == ADMIN,
        )
        for id_, name, active, built_in, *asks in session.execute(sa.select(*columns))
    }


def refuse_weakening(session: Session, before: Safeguards) -> None:
    """Refuse a change of roles, after its flush, that takes a safeguard away or goes around one."""
    if fault := before.fault(replace(before, roles=_roles(session))):
        raise NotAllowed(fault)
