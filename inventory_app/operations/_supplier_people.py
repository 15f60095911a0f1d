"""Accounts of people who work for a supplier: an account is either ours or a supplier's, and never both.

Whatever gives roles (one by one, in bulk, by invitation, by groups at a sign-in provider, once somebody has agreed)
ends in `_role_grants.give`, which asks `must_fit`; whatever changes what the role holds asks `why_not_contain`.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.errors import NotAllowed
from inventory_app.models.suppliers import SupplierUser
from inventory_app.models.users import Role
from inventory_app.permissions import SUPPLIER, Permission

#: All that the role may ever hold: accounts of strangers have it.
MAY_HOLD = frozenset({Permission.PORTAL_USE})


def of_suppliers(session: Session, user_ids: Iterable[int]) -> frozenset[int]:
    """Return those of these accounts that belong to a supplier, whether they may still use the portal or not."""
    wanted = list(user_ids)
    return frozenset(session.scalars(sa.select(col(SupplierUser.user_id)).where(col(SupplierUser.user_id).in_(wanted))))


def why_not_hold(roles: Iterable[str], *, of_a_supplier: bool) -> str:
    """Say why an account, ours or a supplier's, cannot hold these roles together; empty when it can."""
    wanted = set(roles)
    if of_a_supplier and wanted - {SUPPLIER}:
        return f"This account belongs to a supplier: it can hold the role {SUPPLIER} and no other."
    if not of_a_supplier and SUPPLIER in wanted:
        return BY_INVITATION
    return ""


BY_INVITATION = (
    f"The role {SUPPLIER} is for accounts that belong to a supplier: invite their people on the supplier's page."
)


def must_fit(session: Session, user_id: int, roles: Iterable[str]) -> None:
    """Refuse roles that would make somebody of a supplier one of us, or the other way round."""
    if refusal := why_not_hold(roles, of_a_supplier=bool(of_suppliers(session, [user_id]))):
        raise NotAllowed(refusal)


def why_not_contain(role: Role, wanted: Iterable[str]) -> str:
    """Say why the role cannot hold these permissions, whoever changes it; empty when it can."""
    if role.built_in and role.name == SUPPLIER and set(wanted) - MAY_HOLD:
        return (
            f"People of suppliers hold the role {SUPPLIER}: it lets them see the papers of their company and no more."
        )
    return ""
