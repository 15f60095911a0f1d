"""What waits for a person: the counts beside the navigation."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session

from inventory_app.models.users import LocalUser
from inventory_app.operations._approval_views import counts
from inventory_app.operations._figures import reorder_due
from inventory_app.operations._operation import Viewer, current_viewer, query
from inventory_app.operations._people_list import waits
from inventory_app.operations._supplier_rules import KIND as SUPPLIER
from inventory_app.permissions import Permission

__all__ = ["Waiting", "reorder_due", "waiting"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits in each place; 0 where the person may not look."""

    #: Suppliers this person can decide about, on the page they may see; all other requests they can decide.
    suppliers: int
    others: int
    people: int


@query()
def waiting(session: Session) -> Waiting:
    """Count what waits for this person."""
    return count_waiting(session, current_viewer(session))


def count_waiting(session: Session, viewer: Viewer) -> Waiting:
    """Count what waits for a viewer: the one count for the navigation and the start page."""
    may = viewer.permissions
    requests = counts(session, viewer)
    suppliers = requests.get(SUPPLIER, 0) if Permission.SUPPLIERS_VIEW in may else 0
    return Waiting(
        suppliers=suppliers,
        others=sum(requests.values()) - suppliers,
        people=_count_people(session) if Permission.USERS_MANAGE in may else 0,
    )


def _count_people(session: Session) -> int:
    counted = sa.select(sa.func.count()).select_from(LocalUser).where(waits())
    return session.scalar(counted) or 0
