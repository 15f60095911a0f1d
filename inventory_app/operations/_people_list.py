"""The list of people: in which state an account is, who was here when, and what the viewer may do to whom."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.audit.tables import audit_erasure
from inventory_app.context import current_actor
from inventory_app.models._base import now, sort_key
from inventory_app.models.access import AccountLink, LinkPurpose
from inventory_app.models.users import (
    HOLDINGS,
    AuthSession,
    LocalUser,
    Role,
    SessionActivity,
    UserInfo,
    UserRole,
    role_names,
)
from inventory_app.operations import _zones
from inventory_app.operations._operation import Viewer
from inventory_app.operations._paging import AnyRow, AnySelect, Page, keyset, like_escaped
from inventory_app.operations._people_rules import held_permissions, permissions_of, why_not, why_not_change_roles
from inventory_app.operations.pictures import picture_addresses

#: When somebody was here last, as the list can be filtered by it.
SEEN = ("", "today", "week", "month", "longer", "never")
_DAYS = {"week": 7, "month": 30, "longer": 30}


@dataclass(frozen=True, slots=True)
class UserRow:
    """A line of the list of people; `why_not` explains a forbidden change, empty when allowed.

    `status` is active, waiting, invited, disabled or erased; `invitation` what became of the last invitation of
    somebody who has not come yet: open, expired or withdrawn.
    """

    id: int
    info_id: int
    username: str
    full_name: str
    email: str
    picture: str
    roles: list[str]
    enabled: bool
    status: str
    invitation: str
    invitation_ends: str
    version: int
    last_seen: str
    created: str
    why_not: str
    why_not_roles: str
    why_not_erase: str
    #: Whether it is the viewer's own account.
    own: bool

    @property
    def erased(self) -> bool:
        """Whether nobody is behind the account any more."""
        return self.status == "erased"


@dataclass(frozen=True, slots=True)
class PeopleCounts:
    """How many people there are in each tab; every account is in exactly one besides "everybody"."""

    everybody: int
    active: int
    invited: int
    waiting: int
    disabled: int


@dataclass(frozen=True, slots=True)
class PeopleView:
    """Which people are asked for; `zone` is where the viewer's day begins."""

    search: str = ""
    tab: str = "all"
    role: str = ""
    seen: str = ""
    zone: str = _zones.UTC_NAME


def _erased() -> sa.ColumnElement[bool]:
    found = sa.exists().where(
        audit_erasure.c.table_name == "user_info",
        audit_erasure.c.pk == sa.cast(col(UserInfo.id), sa.Text),
        col(UserInfo.user_id) == col(LocalUser.id),
    )
    return found.correlate(LocalUser)


def ever_invited() -> sa.ColumnElement[bool]:
    """Whether an account was made by an invitation, whatever became of it."""
    found = sa.exists().where(
        col(AccountLink.user_id) == col(LocalUser.id), col(AccountLink.purpose) == LinkPurpose.INVITE
    )
    return found.correlate(LocalUser)


def _never_in() -> sa.ColumnElement[bool]:
    return sa.and_(~col(LocalUser.enabled), col(LocalUser.enabled_at).is_(None), ~_erased())


def invited() -> sa.ColumnElement[bool]:
    """Whether somebody was invited and has not come yet: the next step is theirs."""
    return sa.and_(_never_in(), ever_invited())


def waits() -> sa.ColumnElement[bool]:
    """Whether an account waits to be let in: never enabled, nobody invited it, and somebody is still behind it."""
    return sa.and_(_never_in(), ~ever_invited())


TABS: dict[str, sa.ColumnElement[bool]] = {
    "all": sa.true(),
    "active": col(LocalUser.enabled).is_(True),
    "invited": invited(),
    "waiting": waits(),
    "disabled": sa.and_(~col(LocalUser.enabled), sa.or_(col(LocalUser.enabled_at).is_not(None), _erased())),
}


def counts(session: Session) -> PeopleCounts:
    """Count the people in each tab."""
    each = [sa.func.count().filter(condition) for condition in TABS.values()]
    return PeopleCounts(*session.execute(sa.select(*each).select_from(LocalUser)).one())


def listing(session: Session, viewer: Viewer, view: PeopleView, cursor: str) -> Page[UserRow]:
    """Return a page of the people by name, each with why the viewer may not change them."""
    statement = _people().where(*_asked(view))
    page = keyset(session, statement, [col(UserInfo.sort_key), col(UserInfo.id)], cursor=cursor)
    return Page(_rows(session, viewer, page.rows), page.before, page.after)


def count(session: Session, view: PeopleView) -> int:
    """Count the people of a view, over all its pages."""
    statement = sa.select(sa.func.count()).select_from(LocalUser).join(UserInfo, col(UserInfo.user_id) == LocalUser.id)
    return session.scalar(statement.where(*_asked(view))) or 0


def one(session: Session, viewer: Viewer, user_id: int) -> UserRow | None:
    """Return the line of one person; None when there is none."""
    found = session.execute(_people().where(col(LocalUser.id) == user_id)).all()
    return next(iter(_rows(session, viewer, found)), None)


def _people() -> AnySelect:
    last_seen = (
        sa.select(sa.func.max(SessionActivity.seen_at))
        .join(AuthSession, col(AuthSession.id) == col(SessionActivity.session_id))
        .where(col(AuthSession.user_id) == col(LocalUser.id))
        .correlate(LocalUser)
        .scalar_subquery()
    )
    status = sa.case(
        (col(LocalUser.enabled), "active"),
        (_erased(), "erased"),
        (TABS["waiting"], "waiting"),
        (TABS["invited"], "invited"),
        else_="disabled",
    )
    return sa.select(LocalUser, UserInfo, last_seen, status).join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))


def _asked(view: PeopleView) -> list[sa.ColumnElement[bool]]:
    conditions = [TABS.get(view.tab, sa.true())]
    if view.search.strip():
        pattern = f"%{like_escaped(view.search.strip())}%"
        conditions.append(
            sa.or_(
                col(UserInfo.sort_key).like(f"%{like_escaped(sort_key(view.search))}%"),
                col(LocalUser.username).ilike(pattern),
                col(UserInfo.email).ilike(pattern),
            )
        )
    if view.role:
        holders = (
            sa.select(col(UserRole.user_id))
            .join(Role, col(Role.id) == col(UserRole.role_id))
            .where(col(Role.name) == view.role)
        )
        conditions.append(col(UserInfo.id).in_(holders))
    if view.seen in SEEN[1:]:
        conditions.append(_seen(view))
    return conditions


def _seen(view: PeopleView) -> sa.ColumnElement[bool]:
    here = sa.exists().where(
        col(AuthSession.id) == col(SessionActivity.session_id), col(AuthSession.user_id) == col(LocalUser.id)
    )
    if view.seen == "never":
        return ~here.correlate(LocalUser)
    if view.seen == "today":
        since = _zones.beginning(_zones.clock(now(), view.zone).date(), view.zone)
    else:
        since = now() - timedelta(days=_DAYS[view.seen])
    lately = here.where(col(SessionActivity.seen_at) >= since).correlate(LocalUser)
    return sa.and_(here.correlate(LocalUser), ~lately) if view.seen == "longer" else lately


def _rows(session: Session, viewer: Viewer, found: Iterable[AnyRow]) -> list[UserRow]:
    people = list(found)
    ids = [user.id for user, *_ in people]
    names = role_names(session, [info.id for _, info, *_ in people])
    pictures = picture_addresses(session, ids)
    invitations = _invitations(session, [user.id for user, _, _, status, *_ in people if status == "invited"])
    # People share few sets of roles: one query a set, not one a person.
    by_roles: dict[tuple[str, ...], set[str]] = {}
    lent, held = _lent(session, ids), held_permissions(session)
    rows: list[UserRow] = []
    for user, info, seen, status, *_ in people:
        roles = tuple(names[info.id])
        if roles not in by_roles:
            by_roles[roles] = permissions_of(session, info)
        theirs = by_roles[roles] | lent.get(user.id, set())
        state, ends = invitations.get(user.id, ("", ""))
        rows.append(
            UserRow(
                id=user.id,
                info_id=info.id,
                username=user.username,
                full_name=info.full_name,
                email=info.email,
                picture=pictures.get(user.id, ""),
                roles=list(roles),
                enabled=user.enabled,
                status=status,
                invitation=state,
                invitation_ends=ends,
                version=info.version,
                last_seen=seen.isoformat() if seen else "",
                created=user.created_at.isoformat(),
                why_not=why_not(user.id, theirs, held),
                why_not_roles=why_not_change_roles(user.id, theirs, held),
                why_not_erase=why_not_erase(user, theirs, held, erased=status == "erased"),
                own=user.id == viewer.user_id,
            )
        )
    return rows


def _lent(session: Session, user_ids: list[int]) -> dict[int, set[str]]:
    """Return what each of these people may do in somebody else's place."""
    statement = sa.select(HOLDINGS.c.user_id, HOLDINGS.c.permission).where(
        HOLDINGS.c.user_id.in_(user_ids), HOLDINGS.c.delegation_id.is_not(None)
    )
    lent: dict[int, set[str]] = {}
    for user_id, permission in session.execute(statement):
        lent.setdefault(user_id, set()).add(permission)
    return lent


def _invitations(session: Session, user_ids: list[int]) -> dict[int, tuple[str, str]]:
    """Return what became of the last invitation of each of these people, and when it ends or ended."""
    statement = (
        sa.select(AccountLink)
        .where(col(AccountLink.user_id).in_(user_ids), col(AccountLink.purpose) == LinkPurpose.INVITE)
        .order_by(col(AccountLink.id))
    )
    states: dict[int, tuple[str, str]] = {}
    for link in session.scalars(statement) if user_ids else ():
        state = "withdrawn" if link.revoked_at else "expired" if link.expires_at <= now() else "open"
        states[link.user_id] = (state, (link.revoked_at or link.expires_at).isoformat())
    return states


def why_not_erase(user: LocalUser, theirs: Iterable[str], held: frozenset[str], *, erased: bool) -> str:
    """Say why the person who holds `held` may not erase this person's data; empty when they may."""
    if user.id == current_actor().id:
        return "You cannot erase your own data. Ask another administrator."
    if erased:
        return "This person's data has been erased already."
    if user.enabled:
        return f"{user.username} can still sign in. Disable the account first."
    return why_not(user.id or 0, theirs, held)
