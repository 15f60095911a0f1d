"""The roles of many people at once: shown first, then all of it or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlmodel import Session, col, select

from inventory_app.database.locks import ROLES_AND_PERMISSIONS, lock_rule
from inventory_app.errors import AppError, Invalid, InvalidRows, NotFound
from inventory_app.models.users import LocalUser, UserInfo, role_names
from inventory_app.operations._operation import operation, query
from inventory_app.operations._people_rules import (
    held_permissions,
    may_use_each,
    permissions_of_each_role,
    why_not_change_roles,
    why_not_pass_on,
)
from inventory_app.operations._supplier_people import of_suppliers, why_not_hold
from inventory_app.operations.users import replace_roles
from inventory_app.permissions import Permission

Mode = Literal["replace", "add", "remove"]

#: As many as a page of the list can select; more is work for several steps that can be looked at.
MOST_PEOPLE = 500


@dataclass(frozen=True, slots=True)
class RoleChange:
    """What a change would do to one person; `why_not` says what forbids it, empty when allowed."""

    user_id: int
    version: int
    name: str
    before: list[str]
    after: list[str]
    why_not: str

    @property
    def changes(self) -> bool:
        """Whether anything would be different."""
        return self.before != self.after


def _after(before: Sequence[str], mode: Mode, roles: Sequence[str]) -> list[str]:
    kept = set(before)
    changed = {"replace": set(roles), "add": kept | set(roles), "remove": kept - set(roles)}[mode]
    return sorted(changed)


@query(Permission.USERS_ASSIGN_ROLES)
def preview_roles(session: Session, *, user_ids: list[int], mode: Mode, roles: list[str]) -> list[RoleChange]:
    """Show what giving, adding or removing `roles` would do to each of these people, in the order of their names."""
    _check_selection(user_ids, mode, roles)
    held = held_permissions(session)
    found = session.exec(
        select(LocalUser, UserInfo)
        .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
        .where(col(LocalUser.id).in_(user_ids))
        .order_by(col(UserInfo.sort_key), col(UserInfo.id))
    ).all()
    names = role_names(session, [info.id or 0 for _, info in found])
    theirs = may_use_each(session, [user.id or 0 for user, _ in found])
    given = permissions_of_each_role(session, roles)
    outside = of_suppliers(session, user_ids)
    changes: list[RoleChange] = []
    for user, info in found:
        before = names[info.id or 0]
        after = _after(before, mode, roles)
        changes.append(
            RoleChange(
                user.id or 0,
                info.version,
                info.full_name or user.username,
                before,
                after,
                (
                    _why_not(user.id or 0, theirs, given, set(after) - set(before), held)
                    or why_not_hold(after, of_a_supplier=user.id in outside)
                )
                if before != after
                else "",
            )
        )
    return changes


def _why_not(
    user_id: int,
    theirs: Mapping[int, set[str]],
    given: Mapping[str, set[str]],
    added: Iterable[str],
    held: frozenset[str],
) -> str:
    """Say what the operation would say, by the same rules."""
    if reason := why_not_change_roles(user_id, theirs[user_id], held):
        return reason
    return why_not_pass_on({permission for role in added for permission in given.get(role, ())}, held)


@operation(Permission.USERS_ASSIGN_ROLES, log=("mode", "roles"), reason="reason", fresh=True)
def change_roles(
    session: Session, *, people: list[tuple[int, int]], mode: Mode, roles: list[str], reason: str = ""
) -> int:
    """Change the roles of `people` (id, version as it was read), all or nothing; returns how many were changed.

    Whoever already has what is asked for stays untouched. Every fault is named, person by person.
    """
    del reason  # the reason in the trail
    ids = [user_id for user_id, _ in people]
    _check_selection(ids, mode, roles)
    lock_rule(session, ROLES_AND_PERMISSIONS)
    names = _names(session, ids)
    faults: list[tuple[int, str, str]] = []
    changed = 0
    # In the order of the ids, as everybody locks rows.
    for row, (user_id, version) in enumerate(sorted(people), start=1):
        try:
            if user_id not in names:
                raise NotFound("There is no such person (any more). Reload the page.")
            before = names[user_id][1]
            after = _after(before, mode, roles)
            if before != after:
                replace_roles(session, user_id, after, version)
                changed += 1
        except AppError as error:
            faults.append((row, names[user_id][0] if user_id in names else str(user_id), str(error)))
    if faults:
        raise InvalidRows("Nothing was changed.", faults)
    if not changed:
        message = "Everybody already has these roles: there is nothing to change."
        raise Invalid(message)
    return changed


def _names(session: Session, user_ids: list[int]) -> dict[int, tuple[str, list[str]]]:
    found = session.exec(
        select(LocalUser, UserInfo)
        .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
        .where(col(LocalUser.id).in_(user_ids))
    ).all()
    held = role_names(session, [info.id or 0 for _, info in found])
    return {user.id or 0: (info.full_name or user.username, held[info.id or 0]) for user, info in found}


def _check_selection(user_ids: list[int], mode: Mode, roles: list[str]) -> None:
    if not user_ids:
        raise Invalid("Select the people first.")
    if len(user_ids) > MOST_PEOPLE:
        raise Invalid(f"Change at most {MOST_PEOPLE} people at once.")
    if len(set(user_ids)) != len(user_ids):
        raise Invalid("The same person is selected twice.")
    if not roles and mode != "replace":
        raise Invalid(fields={"roles": "Choose at least one role."})
