"""The list of people: in which state an account is, who was here when, and what the viewer may do to whom."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

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
from inventory_app.operations._list_filters import AnyOf, Asked, Asking, Condition, OneOf, Words
from inventory_app.operations._lists import Column, Join, Listing, View
from inventory_app.operations._operation import Viewer
from inventory_app.operations._paging import AnyRow, Page, like_escaped
from inventory_app.operations._people_rules import held_permissions, permissions_of, why_not, why_not_change_roles
from inventory_app.operations.pictures import picture_addresses
from inventory_app.permissions import Permission

#: When somebody was here last, as the list can be filtered by it.
SEEN = {
    "today": "today",
    "week": "in the last 7 days",
    "month": "in the last 30 days",
    "longer": "more than 30 days ago",
    "never": "never",
}
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
class PeopleListing:
    """A page of people; `count` are left by the view as it is allowed, `roles` is what they can be filtered by."""

    view: View
    page: Page[UserRow]
    count: int
    counts: PeopleCounts
    roles: list[str]


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


_STATUS = sa.case(
    (col(LocalUser.enabled), "active"),
    (_erased(), "erased"),
    (TABS["waiting"], "waiting"),
    (TABS["invited"], "invited"),
    else_="disabled",
)
_LAST_SEEN = (
    sa.select(sa.func.max(col(SessionActivity.seen_at)))
    .join(AuthSession, col(AuthSession.id) == col(SessionActivity.session_id))
    .where(col(AuthSession.user_id) == col(LocalUser.id))
    .correlate(LocalUser)
    .scalar_subquery()
)


def _seen() -> dict[str, Condition]:
    here = sa.exists().where(
        col(AuthSession.id) == col(SessionActivity.session_id), col(AuthSession.user_id) == col(LocalUser.id)
    )
    since = sa.bindparam("since", type_=sa.DateTime(timezone=True))
    ever, lately = here.correlate(LocalUser), here.where(col(SessionActivity.seen_at) >= since).correlate(LocalUser)
    return dict.fromkeys(("today", "week", "month"), lately) | {"longer": sa.and_(ever, ~lately), "never": ~ever}


def _since(asking: Asking, seen: str) -> dict[str, Any]:
    if seen == "never":
        return {}
    if seen == "today":
        return {"since": _zones.beginning(_zones.clock(now(), asking.zone).date(), asking.zone)}
    return {"since": now() - timedelta(days=_DAYS[seen])}


def _phrase(_: Asking, text: str) -> Asked:
    return True, {"plain": f"%{like_escaped(sort_key(text))}%", "typed": f"%{like_escaped(text)}%"}


def _finds(_: Any, name: Callable[[str], str]) -> Condition:
    plain, typed = (sa.bindparam(name(part), type_=sa.Text()) for part in ("plain", "typed"))
    return sa.or_(
        col(UserInfo.sort_key).like(plain), col(LocalUser.username).ilike(typed), col(UserInfo.email).ilike(typed)
    )


def _holding(roles: Any) -> Condition:
    holders = sa.select(col(UserRole.user_id)).join(Role, col(Role.id) == col(UserRole.role_id))
    return col(UserInfo.id).in_(holders.where(col(Role.name) == sa.any_(roles)))


#: The list of people.
LIST = Listing(
    permission=Permission.USERS_VIEW,
    table=LocalUser,
    ident=col(LocalUser.id),
    sort="person",
    columns=(
        Column(key="person", label="Person", by=col(UserInfo.sort_key), fixed=True),
        Column(key="roles", label="Roles"),
        Column(key="status", label="Status", by=_STATUS),
        Column(key="since", label="Account since", by=col(LocalUser.created_at), extra=True),
        # Carries what can be done with the person.
        Column(key="seen", label="Last seen", by=_LAST_SEEN, nullable=True, fixed=True),
    ),
    search=Words(
        key="q",
        label="Search",
        word=_phrase,
        finds=_finds,
        phrase=True,
        begins=(col(UserInfo.sort_key), col(LocalUser.username)),
        near=col(UserInfo.sort_key),
    ),
    filters=(
        OneOf(
            key="tab",
            label="Status",
            quiet=True,
            options={name: condition for name, condition in TABS.items() if name != "all"},
            words={name: name.capitalize() for name in TABS},
        ),
        AnyOf(key="role", label="Role", matches=_holding, type_=str),
        OneOf(key="seen", label="Last seen", operator="", options=_seen(), words=SEEN, values=_since),
    ),
    joins={"info": Join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))},
    always=("info",),
)


def counts(session: Session) -> PeopleCounts:
    """Count the people in each tab."""
    each = [sa.func.count().filter(condition) for condition in TABS.values()]
    return PeopleCounts(*session.execute(sa.select(*each).select_from(LocalUser)).one())


def listing(session: Session, viewer: Viewer, view: View) -> PeopleListing:
    """Return a page of the people, each with why the viewer may not change them, and the counts beside it."""
    allowed = LIST.allowed(view, viewer.permissions)
    found, everybody = LIST.page(session, allowed), counts(session)
    rows = {row.id: row for row in _rows(session, viewer, _details(session, found.rows))}
    page = found.of([rows[id_] for id_ in found.rows if id_ in rows])
    count = LIST.count(session, allowed) if allowed.narrows else everybody.everybody
    roles = list(session.scalars(sa.select(col(Role.name)).where(col(Role.active)).order_by(col(Role.id))))
    return PeopleListing(allowed, page, count, everybody, roles)


def matching(session: Session, viewer: Viewer, view: View, most: int) -> list[int]:
    """Return the ids of at most so many people of a view, over all its pages."""
    return LIST.ids(session, LIST.allowed(view, viewer.permissions), most)


def one(session: Session, viewer: Viewer, user_id: int) -> UserRow | None:
    """Return the line of one person; None when there is none."""
    return next(iter(_rows(session, viewer, _details(session, [user_id]))), None)


_DETAILS = (
    sa.select(LocalUser, UserInfo, _LAST_SEEN, _STATUS)
    .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
    .where(col(LocalUser.id) == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.BigInteger))))
)


def _details(session: Session, user_ids: list[int]) -> Sequence[AnyRow]:
    return session.execute(_DETAILS, {"ids": user_ids}).all() if user_ids else ()


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
