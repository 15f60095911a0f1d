"""What waits for a person's decision, over all kinds; deciding in place, and taking back what one asked for.

Which permission a decision needs is written on the request: the engine checks it, with every other rule.
"""

from dataclasses import dataclass

from sqlmodel import Session

from inventory_app.models.approvals import Verdict
from inventory_app.operations import _approval_views as views
from inventory_app.operations import _approvals, _role_grants
from inventory_app.operations._fields import checked_reason
from inventory_app.operations._operation import current_viewer, operation, query
from inventory_app.operations._paging import Page
from inventory_app.permissions import Permission


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision made: about what, and where that stands now."""

    approval_id: int
    title: str
    #: open (others must agree too), approved or rejected.
    status: str
    given: int
    required: int


@operation(log=("approval_id",), reason="reason")
def approve(
    session: Session,
    *,
    approval_id: int,
    reason: str = "",
    version: int | None = None,
    subject_version: int | None = None,
) -> Decided:
    """Agree to a request one has no part in; with the last agreement needed it takes effect."""
    return _decide(session, approval_id, Verdict.APPROVE, reason, (version, subject_version))


@operation(log=("approval_id",), reason="reason")
def reject(
    session: Session,
    *,
    approval_id: int,
    reason: str,
    version: int | None = None,
    subject_version: int | None = None,
) -> Decided:
    """Reject a request one has no part in, which ends it; always with a reason."""
    return _decide(session, approval_id, Verdict.REJECT, reason, (version, subject_version))


def _decide(
    session: Session, approval_id: int, verdict: Verdict, reason: str, read: tuple[int | None, int | None]
) -> Decided:
    approval = _approvals.find(session, approval_id)
    done = _approvals.decide(session, approval, verdict, reason, version=read[0], subject_version=read[1])
    return Decided(approval_id, _title(session, approval_id), done.status, done.given, done.required)


@operation(log=("approval_id",), reason="reason")
def withdraw(session: Session, *, approval_id: int, reason: str = "") -> str:
    """Take back what one has asked for; returns what it was about."""
    _approvals.withdraw(session, _approvals.find(session, approval_id), checked_reason(reason))
    return _title(session, approval_id)


def _title(session: Session, approval_id: int) -> str:
    approval = _approvals.find(session, approval_id)
    subject = _approvals.kind_of(approval).describe(session, [approval]).get(approval_id)
    return subject.title if subject else "It"


@query()
def waiting_for_me(session: Session, *, kind: str = "", cursor: str = "") -> Page[views.Row]:
    """List what is open and needs a permission of the viewer, oldest first, with why they cannot decide if so."""
    return views.waiting(session, current_viewer(session), kind, cursor)


@query()
def decided_lately(session: Session, *, kind: str = "", cursor: str = "") -> Page[views.DecisionRow]:
    """List the decisions about what the viewer may see, newest first, with whose authority each was."""
    return views.decided(session, current_viewer(session), kind, cursor)


@query()
def asked_by_me(session: Session, *, kind: str = "", cursor: str = "") -> Page[views.Row]:
    """List what the viewer asked for, newest first."""
    return views.asked_by(session, current_viewer(session), kind, cursor)


@query()
def approval_detail(session: Session, *, approval_id: int) -> views.Detail | None:
    """Show one request; None when there is none that the viewer may see."""
    return views.detail(session, current_viewer(session), approval_id)


@query()
def count_mine(session: Session) -> dict[str, int]:
    """Count by kind what this person can decide."""
    return views.counts(session, current_viewer(session))


@query(Permission.USERS_ASSIGN_ROLES)
def roles_waiting(session: Session, *, user_id: int) -> list[str]:
    """Return the roles that wait for somebody's agreement before the person gets them."""
    return _role_grants.waiting_roles(session, user_id)


@query()
def any_expired(session: Session) -> bool:
    """Tell whether there are requests whose time is over and that are not marked so."""
    return bool(_approvals.due(session))


@operation(machine=True)
def expire_approvals(session: Session) -> int:
    """Mark every request whose time is over; returns how many."""
    return _approvals.expire(session, _approvals.due(session))
