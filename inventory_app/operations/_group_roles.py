"""What the groups of a person at the sign-in provider say about their roles here."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.group_roles import named_roles, roles_of
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval, ApprovalStatus
from inventory_app.models.users import Role, UserInfo
from inventory_app.operations import _role_grants
from inventory_app.operations._supplier_people import of_suppliers
from inventory_app.permissions import SUPPLIER
from inventory_app.settings import get_settings


@dataclass(frozen=True, slots=True)
class Difference:
    """What the groups of a person would change about their roles; `unknown` are mapped roles that do not exist."""

    roles: list[str]
    changes: bool
    unknown: list[str]


def difference_of(session: Session, user_id: int, groups: list[str]) -> Difference:
    """Return the roles a person shall have by their groups: those the mapping does not name stay as they are."""
    mapping = get_settings().roles_of_groups
    info = session.exec(select(UserInfo).where(UserInfo.user_id == user_id)).one()
    before = set(info.get_roles())
    if of_suppliers(session, [user_id]):
        # Groups there are those of our people; what somebody of a supplier may do does not follow them.
        return Difference(sorted(before), changes=False, unknown=[])
    # Nor does any of our people become a supplier's by a group.
    wanted = roles_of(mapping, groups) - {SUPPLIER}
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
