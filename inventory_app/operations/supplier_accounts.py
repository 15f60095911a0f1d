"""Accounts of people who work for a supplier: invited from the supplier's page, ended there, and let in again."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.database.locks import ROLES_AND_PERMISSIONS, lock, lock_rule
from inventory_app.errors import Conflict, NotFound, Stale
from inventory_app.models.access import LinkPurpose
from inventory_app.models.suppliers import Supplier, SupplierStatus, SupplierUser
from inventory_app.models.users import LocalUser, UserInfo
from inventory_app.operations._operation import current_viewer, operation, query, require
from inventory_app.operations._people_rules import may_use_each, why_not
from inventory_app.operations._session_life import revoke_sessions
from inventory_app.operations._supplier_fields import checked_reason
from inventory_app.operations.accounts import LinkMade, add_link
from inventory_app.operations.users import check_details, create_user, person_to_change, revoke_links
from inventory_app.passwords import NO_PASSWORD
from inventory_app.permissions import SUPPLIER, Permission

_CLOSED = (SupplierStatus.REJECTED, SupplierStatus.SUSPENDED)


@dataclass(frozen=True, slots=True)
class AccountRow:
    """Somebody of the supplier who has an account; `why_not` says why the viewer may not change it."""

    user_id: int
    name: str
    username: str
    #: invited, active, ended or disabled.
    state: str
    since: str
    why_not: str


@operation(Permission.USERS_MANAGE, log=("supplier_id", "username"), fresh=True)
def invite_to_portal(
    session: Session, *, supplier_id: int, username: str, full_name: str, email: str, token_hash: str
) -> LinkMade:
    """Make an account for somebody of the supplier, opened by a one-time link; it sees that supplier's papers only."""
    require(session, Permission.SUPPLIERS_EDIT)
    username, full_name, email = check_details(username, full_name, email)
    lock_rule(session, ROLES_AND_PERMISSIONS)
    supplier = lock(session, Supplier, [supplier_id], share=True).get(supplier_id)
    if supplier is None:
        raise NotFound("There is no such supplier (any more). Reload the page.")
    if supplier.status in _CLOSED:
        raise Conflict(f"{supplier.name} is {supplier.status}: nobody of theirs is invited meanwhile.")
    made = create_user(
        session,
        username=username,
        full_name=full_name,
        email=email,
        password_hash=NO_PASSWORD,
        roles=[SUPPLIER],
        enabled=False,
        supplier_id=supplier_id,
    )
    return add_link(session, LinkPurpose.INVITE, token_hash, user_id=made.user_id, username=username, email=email)


@operation(Permission.USERS_MANAGE, log=("user_id",), reason="reason")
def end_portal_access(session: Session, *, user_id: int, reason: str) -> str:
    """Close the portal to somebody of a supplier: sessions and links of theirs end at once; returns the username."""
    checked_reason(reason, missing="Say why: the reason is kept with the change.")
    user, link = _to_change(session, user_id)
    if not link.active:
        raise Stale(f"{user.username} has no access any more.")
    link.active = False
    revoke_sessions(session, user_id)
    revoke_links(session, user_id)
    return user.username


@operation(Permission.USERS_MANAGE, log=("user_id",), fresh=True)
def give_portal_access_back(session: Session, *, user_id: int) -> str:
    """Open the portal again to somebody of a supplier whose access was ended; returns the username."""
    user, link = _to_change(session, user_id)
    if link.active:
        raise Stale(f"{user.username} has access already.")
    link.active = True
    return user.username


def _to_change(session: Session, user_id: int) -> tuple[LocalUser, SupplierUser]:
    """Lock the account of somebody of a supplier, or raise why the acting person may not touch it."""
    require(session, Permission.SUPPLIERS_EDIT)
    lock_rule(session, ROLES_AND_PERMISSIONS)
    user, _ = person_to_change(session, user_id)
    link = session.get(SupplierUser, user_id, with_for_update=True)
    if link is None:
        raise Conflict(f"{user.username} is no account of a supplier.")
    return user, link


@query(Permission.SUPPLIERS_VIEW)
def accounts_of(session: Session, *, supplier_id: int) -> list[AccountRow]:
    """List who of the supplier has an account, in the order they were invited."""
    found = session.execute(
        sa.select(SupplierUser, LocalUser, col(UserInfo.full_name))
        .join(LocalUser, col(LocalUser.id) == col(SupplierUser.user_id))
        .join(UserInfo, col(UserInfo.user_id) == col(SupplierUser.user_id))
        .where(col(SupplierUser.supplier_id) == supplier_id)
        .order_by(col(SupplierUser.user_id))
    ).all()
    held = current_viewer(session).permissions
    theirs = may_use_each(session, [link.user_id for link, _, _ in found])
    return [
        AccountRow(
            link.user_id,
            name or user.username,
            user.username,
            _state(link, user),
            link.created_at.isoformat(),
            why_not(link.user_id, theirs[link.user_id], held),
        )
        for link, user, name in found
    ]


def _state(link: SupplierUser, user: LocalUser) -> str:
    if not link.active:
        return "ended"
    if user.enabled:
        return "active"
    return "invited" if user.enabled_at is None else "disabled"
