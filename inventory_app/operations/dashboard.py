"""What waits for a person: the counts beside the navigation."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session

from inventory_app.models.suppliers import Supplier
from inventory_app.models.users import LocalUser
from inventory_app.operations._figures import reorder_due
from inventory_app.operations._operation import Viewer, current_viewer, query
from inventory_app.operations._supplier_rules import may_be_decided_by
from inventory_app.operations.users import waits
from inventory_app.permissions import Permission

__all__ = ["Waiting", "reorder_due", "waiting"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits in each place; 0 where the person may not look."""

    suppliers: int
    people: int


@query()
def waiting(session: Session) -> Waiting:
    """Count what waits for this person."""
    return count_waiting(session, current_viewer(session))


def count_waiting(session: Session, viewer: Viewer) -> Waiting:
    """Count what waits for a viewer: the one count for the navigation and the start page."""
    may = viewer.permissions
    return Waiting(
        suppliers=_count_suppliers(session, viewer) if Permission.SUPPLIERS_APPROVE in may else 0,
        people=_count_people(session) if Permission.USERS_MANAGE in may else 0,
    )


def _count_suppliers(session: Session, viewer: Viewer) -> int:
    """Count those this person can decide about: what they entered waits for somebody else."""
    counted = sa.select(sa.func.count()).select_from(Supplier).where(may_be_decided_by(viewer.user_id))
    return session.scalar(counted) or 0


def _count_people(session: Session) -> int:
    counted = sa.select(sa.func.count()).select_from(LocalUser).where(waits())
    return session.scalar(counted) or 0
