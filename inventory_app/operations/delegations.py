"""While somebody is away another person decides with their permissions, for a time, and everybody concerned sees it.

Only permissions held through a role can be lent, so nobody passes on what was lent to them. A deputy never decides
about what the absent person has a part in (`_approval_rules.py`), and their decisions count as the absent person's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from inventory_app.models._base import now, sort_key
from inventory_app.models.approvals import Delegation
from inventory_app.models.suppliers import SupplierUser
from inventory_app.models.users import HOLDINGS, LocalUser, UserInfo
from inventory_app.models.users import Permission as PermissionRow
from inventory_app.operations import users
from inventory_app.operations._approval_rules import full_names
from inventory_app.operations._fields import checked_reason
from inventory_app.operations._operation import acting_user_id, current_viewer, operation, query
from inventory_app.operations._paging import like_escaped
from inventory_app.operations._supplier_people import of_suppliers
from inventory_app.permissions import NEEDS_A_PERSON, Permission

LONGEST = timedelta(days=90)
#: A day is longer where clocks are put back in it.
_CLOCKS = timedelta(hours=2)
#: How far ahead an absence may be entered.
_AHEAD = timedelta(days=365)
_SUGGESTIONS = 20
_ENDED_SHOWN = timedelta(days=90)
_MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Lent:
    """What was lent to whom, in words for the toast."""

    to: str
    permissions: list[str]


@dataclass(frozen=True, slots=True)
class DelegationRow:
    """A permission that is, was or will be lent, as a viewer sees it."""

    id: int
    absent: str
    deputy: str
    permission: str
    starts_at: str
    ends_at: str
    reason: str
    #: coming, in force, ended or revoked.
    state: str
    #: The viewer may end it.
    revocable: bool


@dataclass(frozen=True, slots=True)
class Lendable:
    """A permission the viewer may lend."""

    name: str
    label: str


@operation(log=("deputy", "permissions"), reason="reason", fresh=True)
def delegate(  # as many as the form has fields
    session: Session,
    *,
    deputy: str,
    permissions: list[str],
    starts_at: datetime,
    ends_at: datetime,
    reason: str = "",
) -> Lent:
    """Let another person decide with one's permissions for at most 90 days."""
    me = acting_user_id()
    if me is None:
        raise NotAllowed("This needs a person.")
    _check_times(starts_at, ends_at)
    kept = checked_reason(reason)
    # One at a time for each person: two forms at once must not lend the same twice.
    lock(session, LocalUser, [me])
    to = _deputy(session, deputy, me)
    wanted = _wanted(session, permissions, me)
    taken = session.exec(
        select(PermissionRow.name)
        .join(Delegation, col(Delegation.permission_id) == col(PermissionRow.id))
        .where(
            Delegation.from_user_id == me,
            Delegation.to_user_id == to.id,
            col(PermissionRow.name).in_(wanted),
            col(Delegation.revoked_at).is_(None),
            col(Delegation.starts_at) < ends_at,
            col(Delegation.ends_at) > starts_at,
        )
    ).first()
    name = full_names(session, [to.id or 0])[to.id or 0]
    if taken:
        raise Conflict(f"{name} stands in for you in these days already ({Permission(taken).label}). End that first.")
    rows = session.exec(select(PermissionRow).where(col(PermissionRow.name).in_(wanted))).all()
    ids = {row.name: row.id or 0 for row in rows}
    for permission in wanted:
        session.add(
            Delegation(
                from_user_id=me,
                to_user_id=to.id or 0,
                permission_id=ids[permission],
                starts_at=starts_at,
                ends_at=ends_at,
                reason=kept,
            )
        )
    return Lent(name, [Permission(permission).label for permission in wanted])


def _check_times(starts_at: datetime, ends_at: datetime) -> None:
    fields: dict[str, str] = {}
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise Invalid(fields={"starts_at": "Enter a day."})
    if ends_at <= now():
        fields["ends_at"] = "That day is over. Choose a later one."
    elif ends_at <= starts_at:
        fields["ends_at"] = "It ends before it begins."
    elif ends_at - starts_at > LONGEST + _CLOCKS:
        fields["ends_at"] = f"At most {LONGEST.days} days at a time; enter it anew if you stay away longer."
    if starts_at > now() + _AHEAD:
        fields["starts_at"] = "At most a year ahead."
    if fields:
        raise Invalid(fields=fields)


def _deputy(session: Session, username: str, me: int) -> LocalUser:
    found = session.exec(
        select(LocalUser).where(sa.func.lower(LocalUser.username) == username.strip().lower(), col(LocalUser.enabled))
    ).first()
    if found is None or of_suppliers(session, [found.id or 0]):
        raise Invalid(fields={"deputy": "There is nobody of this user name who can sign in."})
    if found.id == me:
        raise Invalid(fields={"deputy": "Choose somebody else: you cannot stand in for yourself."})
    return found


def _wanted(session: Session, permissions: Sequence[str], me: int) -> list[str]:
    wanted = sorted(set(permissions))
    if not wanted:
        raise Invalid(fields={"permissions": "Choose what they may decide."})
    if beyond := set(wanted) - {one.name for one in _lendable(session, me)}:
        raise NotAllowed(
            f"You cannot let others decide with {', '.join(sorted(beyond))}: only with what a role of yours lets you "
            "decide, and not with what was lent to you."
        )
    return wanted


def _lendable(session: Session, user_id: int | None) -> list[Lendable]:
    """Return what a person may lend: what needs a person, and is theirs through a role."""
    held = set(
        session.scalars(
            sa.select(HOLDINGS.c.permission).where(HOLDINGS.c.user_id == user_id, HOLDINGS.c.role_id.is_not(None))
        )
    )
    return [Lendable(one.value, one.label) for one in Permission if one in NEEDS_A_PERSON and one in held]


@operation(log=("delegation_id",), reason="reason")
def revoke_delegation(session: Session, *, delegation_id: int, reason: str = "") -> str:
    """End a delegation at once: the absent person, their deputy, or an administrator; returns the deputy's name."""
    checked_reason(reason)
    found = lock(session, Delegation, [delegation_id]).get(delegation_id)
    if found is None:
        raise NotFound
    me = acting_user_id()
    if me not in (found.from_user_id, found.to_user_id) and not _administers(session, found):
        raise NotAllowed("Only the two people concerned and an administrator can end this.")
    if found.revoked_at is not None or found.ends_at <= now():
        raise Stale("This has ended already.")
    found.revoked_at = now()
    return full_names(session, [found.to_user_id])[found.to_user_id]


def _administers(session: Session, found: Delegation) -> bool:
    """Tell whether the acting person looks after people, and may touch the account whose permission was lent."""
    held = users.held_permissions(session)
    info = session.exec(select(UserInfo).where(UserInfo.user_id == found.from_user_id)).one()
    return Permission.USERS_MANAGE in held and not users.why_not(found.from_user_id, users.may_use(session, info), held)


@query()
def lendable(session: Session) -> list[Lendable]:
    """List what the viewer may let others decide."""
    return _lendable(session, current_viewer(session).user_id)


@query()
def deputies(session: Session, *, search: str = "") -> list[tuple[str, str]]:
    """Suggest colleagues as (user name, name) to whoever has something to lend; nothing to anybody else."""
    viewer = current_viewer(session)
    if not _lendable(session, viewer.user_id):
        return []
    typed = like_escaped(search.strip())
    statement = (
        select(LocalUser.username, UserInfo.full_name)
        .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
        .where(
            col(LocalUser.enabled),
            col(LocalUser.id) != viewer.user_id,
            col(LocalUser.id).not_in(sa.select(col(SupplierUser.user_id))),
            sa.or_(
                col(UserInfo.sort_key).like(f"%{like_escaped(sort_key(search))}%"),
                col(LocalUser.username).ilike(f"%{typed}%"),
            ),
        )
        .order_by(col(UserInfo.sort_key), col(UserInfo.id))
        .limit(_SUGGESTIONS)
    )
    return [(username, name or username) for username, name in session.execute(statement)]


@query()
def my_delegations(session: Session) -> list[DelegationRow]:
    """List what the viewer lent and what was lent to them, newest first; long ended ones are left out."""
    me = current_viewer(session).user_id
    mine = sa.or_(col(Delegation.from_user_id) == me, col(Delegation.to_user_id) == me)
    return _rows(session, mine, revocable=True)


@query(Permission.USERS_MANAGE)
def everybodys_delegations(session: Session) -> list[DelegationRow]:
    """List what is lent in the whole company, for those who look after people."""
    return _rows(session, col(Delegation.revoked_at).is_(None), revocable=True)


def _rows(session: Session, which: sa.ColumnElement[bool], *, revocable: bool) -> list[DelegationRow]:
    absent, deputy = aliased(UserInfo), aliased(UserInfo)
    statement = (
        sa.select(Delegation, col(PermissionRow.name), col(absent.full_name), col(deputy.full_name))
        .join(PermissionRow, col(PermissionRow.id) == col(Delegation.permission_id))
        .join(absent, col(absent.user_id) == col(Delegation.from_user_id))
        .join(deputy, col(deputy.user_id) == col(Delegation.to_user_id))
        .where(which, col(Delegation.ends_at) > now() - _ENDED_SHOWN)
        .order_by(col(Delegation.id).desc())
        .limit(_MOST_SHOWN)
    )
    return [
        _row(delegation, Permission(permission).label, names, revocable=revocable)
        for delegation, permission, *names in session.execute(statement)
    ]


def _row(delegation: Delegation, permission: str, names: Sequence[str], *, revocable: bool) -> DelegationRow:
    state = _state(delegation)
    return DelegationRow(
        id=delegation.id or 0,
        absent=names[0],
        deputy=names[1],
        permission=permission,
        starts_at=delegation.starts_at.isoformat(),
        ends_at=delegation.ends_at.isoformat(),
        reason=delegation.reason or "",
        state=state,
        revocable=revocable and state in ("coming", "in force"),
    )


def _state(delegation: Delegation) -> str:
    if delegation.revoked_at is not None:
        return "ended" if delegation.revoked_at >= delegation.ends_at else "revoked"
    if delegation.ends_at <= now():
        return "ended"
    return "in force" if delegation.starts_at <= now() else "coming"


@query()
def any_ended(session: Session) -> bool:
    """Tell whether a delegation is over and not marked so."""
    return bool(session.scalar(sa.select(sa.exists().where(_over()))))


@operation(machine=True)
def end_delegations(session: Session) -> int:
    """Put on record that the delegations whose time is over have ended; returns how many."""
    ended = session.execute(
        sa.update(Delegation).where(_over()).values(revoked_at=Delegation.ends_at).returning(col(Delegation.id))
    )
    return len(ended.all())


def _over() -> sa.ColumnElement[bool]:
    return sa.and_(col(Delegation.revoked_at).is_(None), col(Delegation.ends_at) <= sa.func.now())
