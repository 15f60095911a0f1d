"""The one way by which people get roles, and what nobody gets without somebody else's agreement: held back, asked for.

Whatever gives roles to people (one by one, in bulk, by invitation, by groups) passes them through `give`.
"""

import json
from collections.abc import Iterable
from datetime import timedelta

from sqlmodel import Session, col, select

from inventory_app.context import current_actor
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval
from inventory_app.models.users import Role, UserInfo
from inventory_app.operations import _approvals
from inventory_app.operations._supplier_people import must_fit
from inventory_app.permissions import Permission

KIND = "role_grant"
#: Nobody's agreement may come as a surprise long after it was asked for.
WAITS_FOR = timedelta(days=14)


def give(
    session: Session, info: UserInfo, before: Iterable[str], roles: Iterable[str], *, agreed: bool = False
) -> None:
    """Let the person hold `roles` and no others; what needs somebody's agreement waits for it, unless `agreed`.

    To be called under the role-and-permission lock, after the rules of granting have been checked.
    """
    wanted = list(roles)
    must_fit(session, info.user_id, wanted)
    info.set_roles(wanted if agreed else _hold_back(session, info.user_id, before, wanted), session, current_actor())


def _hold_back(session: Session, user_id: int, before: Iterable[str], roles: Iterable[str]) -> list[str]:
    """Return those of `roles` that the person gets now; the others are asked for and wait."""
    wanted = list(dict.fromkeys(roles))
    new = set(wanted) - set(before)
    held_back = session.exec(
        select(Role).where(col(Role.name).in_(new), col(Role.grant_needs_approval)).order_by(col(Role.id))
    ).all()
    if held_back:
        _approvals.request(
            session,
            kind=KIND,
            subject_id=user_id,
            permission=Permission.USERS_ASSIGN_ROLES,
            parties=[(user_id, "concerned")],
            expires_at=now() + WAITS_FOR,
            asked=json.dumps(
                {"roles": [role.id for role in held_back], "versions": [role.version for role in held_back]}
            ),
        )
    waiting = {role.name for role in held_back}
    return [name for name in wanted if name not in waiting]


def asked_roles(session: Session, approval: Approval) -> list[Role]:
    """Return the roles a request asks for; one that was deleted since is left out."""
    ids = role_ids(approval)
    return list(session.exec(select(Role).where(col(Role.id).in_(ids)).order_by(col(Role.id))))


def role_ids(approval: Approval) -> list[int]:
    """Return the keys of the roles a request asks for."""
    return json.loads(approval.asked or "{}").get("roles", [])


def changed_since(approval: Approval, roles: Iterable[Role]) -> bool:
    """Tell whether one of the roles was changed after it was asked for; what older requests read is not known."""
    asked = json.loads(approval.asked or "{}")
    versions = dict(zip(asked.get("roles", []), asked.get("versions", []), strict=False))
    return any(role.version != versions.get(role.id, role.version) for role in roles)


def waiting_roles(session: Session, user_id: int) -> list[str]:
    """Return the roles that wait for somebody's agreement before the person gets them."""
    found = _approvals.open_about(session, KIND, user_id)
    return [role.name for role in asked_roles(session, found)] if found else []
