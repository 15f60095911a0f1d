"""What a change of roles would do before it is made: who gains what, who loses what, and what speaks against it.

What somebody gains or loses depends on all the roles they hold. People share few sets of roles, so the answer is
worked out once a set and not once a person.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlmodel import Session, col

from inventory_app.models.users import HOLDINGS, LocalUser, Role, UserInfo, UserRole
from inventory_app.operations import _people_rules as rules
from inventory_app.operations import _role_views as views
from inventory_app.operations import _safeguards as safeguards
from inventory_app.operations._supplier_people import why_not_contain
from inventory_app.permissions import Permission

#: So many people are named for each permission that is gained or lost.
NAMED = 5


@dataclass(frozen=True, slots=True)
class Change:
    """What to add to a role that was read as `version`, and what to take from it."""

    role_id: int
    version: int
    add: list[str]
    remove: list[str]


@dataclass(frozen=True, slots=True)
class Touched:
    """A person whom a change concerns; `note` says through what they have it anyway, empty when it changes for them."""

    user_id: int
    name: str
    note: str


@dataclass(frozen=True, slots=True)
class Effect:
    """A permission that some people gain or lose: how many, how many have it anyway, and the first of them by name."""

    permission: str
    label: str
    gains: bool
    roles: list[str]
    people: int
    anyway: int
    #: Who stand in for somebody who loses it, and lose it with them.
    deputies: int
    first: list[Touched]


@dataclass(frozen=True, slots=True)
class Preview:
    """Everything a change would do; `refused` are the sentences that saving it would be refused with."""

    effects: list[Effect]
    refused: list[str]


@dataclass(slots=True)
class _Counted:
    people: int = 0
    anyway: int = 0
    #: (what they sort by, who, through what they have it anyway)
    first: list[tuple[str, int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Roles by id: what they are, and what those that count contain before and after."""

    roles: dict[int, Role]
    names: dict[int, str]
    contents: dict[int, frozenset[str]]
    #: What those that are changed will contain, whether they count or not.
    contents_after: dict[int, frozenset[str]]
    before: Mapping[int, frozenset[str]]
    after: Mapping[int, frozenset[str]]
    added: dict[str, set[int]]
    removed: dict[str, set[int]]

    def holds_after(self, roles: Iterable[int], permission: str) -> bool:
        """Tell whether somebody with these roles would hold it."""
        return any(permission in self.after.get(id_, frozenset()) for id_ in roles)


_Result = dict[tuple[str, bool], str]


def preview(session: Session, changes: Sequence[Change]) -> Preview:
    """Work out what the changes taken together would do for the people who can sign in."""
    people = _people(session)
    now = rules.standing(session, held=frozenset(people))
    plan = _plan(session, now, changes)
    counted = _count(plan, people)
    deputies = _deputies(session, plan) if plan.removed else {}
    effects = [
        _effect(plan, permission, counted.get((permission, gains), _Counted()), deputies, gains=gains)
        for touched, gains in ((plan.added, True), (plan.removed, False))
        for permission in _in_order(touched)
    ]
    _name_them(session, effects)
    return Preview(effects, _refused(session, changes, plan, now.with_contents(plan.after)))


def _plan(session: Session, now: rules.Standing, changes: Sequence[Change]) -> _Plan:
    ids = [change.role_id for change in changes]
    roles = {role.id or 0: role for role in session.scalars(sa.select(Role).where(col(Role.id).in_(ids)))}
    contents = views.contents(session, ids)
    names = {id_ or 0: name for id_, name in session.execute(sa.select(col(Role.id), col(Role.name)))}
    added: dict[str, set[int]] = defaultdict(set)
    removed: dict[str, set[int]] = defaultdict(set)
    after, will_contain = dict(now.contents), dict(contents)
    for change in changes:
        if change.role_id not in roles:
            continue
        was = contents[change.role_id]
        will = was - frozenset(change.remove) | frozenset(change.add)
        will_contain[change.role_id] = will
        for permission in will - was:
            added[permission].add(change.role_id)
        for permission in was - will:
            removed[permission].add(change.role_id)
        if change.role_id in after:
            # A role that is switched off gives nobody anything, before or after.
            after[change.role_id] = will
    return _Plan(roles, names, contents, will_contain, now.contents, after, dict(added), dict(removed))


@dataclass(frozen=True, slots=True)
class _Group:
    """How many enabled people hold one set of roles, and the first of them by name."""

    number: int
    #: (what they sort by, who)
    first: list[tuple[str, int]]


def _people(session: Session) -> dict[frozenset[int], _Group]:
    each = (
        sa.select(
            col(UserInfo.sort_key).label("key"),
            col(UserInfo.user_id),
            sa.func.array_agg(aggregate_order_by(col(UserRole.role_id), col(UserRole.role_id))).label("roles"),
        )
        .join(LocalUser, col(LocalUser.id) == col(UserInfo.user_id))
        .join(UserRole, col(UserRole.user_id) == col(UserInfo.id))
        .where(col(LocalUser.enabled))
        .group_by(col(UserInfo.id))
        .subquery()
    )
    order = (each.c.key, each.c.user_id)
    keys = sa.func.array_agg(aggregate_order_by(each.c.key, *order), type_=ARRAY(sa.Text))
    ids = sa.func.array_agg(aggregate_order_by(each.c.user_id, *order), type_=ARRAY(sa.BigInteger))
    statement = sa.select(each.c.roles, sa.func.count(), keys[1:NAMED], ids[1:NAMED]).group_by(each.c.roles)
    return {
        frozenset(roles): _Group(number, [(key or "", id_) for key, id_ in zip(sort_keys, user_ids, strict=True)])
        for roles, number, sort_keys, user_ids in session.execute(statement)
    }


def _count(plan: _Plan, people: Mapping[frozenset[int], _Group]) -> dict[tuple[str, bool], _Counted]:
    """Put together what the changes mean for each set of roles."""
    counted: dict[tuple[str, bool], _Counted] = defaultdict(_Counted)
    for roles, group in people.items():
        for effect, note in _for(plan, roles).items():
            one = counted[effect]
            if note:
                one.anyway += group.number
            else:
                one.people += group.number
            one.first += [(key, user_id, note) for key, user_id in group.first]
    for one in counted.values():
        one.first = sorted(one.first)[:NAMED]
    return counted


def _for(plan: _Plan, mine: frozenset[int]) -> _Result:
    """Say for one set of roles which of the changes count, and through what they make no difference."""
    found: _Result = {}
    for gains, touched in ((True, plan.added), (False, plan.removed)):
        # Who gains had it before through something; who loses has it afterwards through something.
        still, verb = (plan.before, "has") if gains else (plan.after, "keeps")
        for permission, changed in touched.items():
            if not any(id_ in plan.before for id_ in mine & changed):
                continue
            through = sorted(plan.names[id_] for id_ in mine if permission in still.get(id_, frozenset()))
            found[permission, gains] = f"{verb} it as {', '.join(through)}" if through else ""
    return found


def _deputies(session: Session, plan: _Plan) -> dict[str, int]:
    """Count by permission who may use it now only in the place of people who would lose it."""
    standing_in = (
        sa.select(HOLDINGS.c.permission, HOLDINGS.c.user_id, HOLDINGS.c.authority_id)
        .join(LocalUser, sa.and_(col(LocalUser.id) == HOLDINGS.c.user_id, col(LocalUser.enabled)))
        .where(HOLDINGS.c.delegation_id.is_not(None), HOLDINGS.c.permission.in_(plan.removed))
    )
    authorities: dict[tuple[str, int], set[int]] = defaultdict(set)
    for permission, user_id, authority in session.execute(standing_in):
        authorities[permission, user_id].add(authority)
    if not authorities:
        return {}
    people = {user_id for _, user_id in authorities}.union(*authorities.values())
    roles: dict[int, set[int]] = defaultdict(set)
    held = (
        sa.select(col(UserInfo.user_id), col(UserRole.role_id))
        .join(UserRole, col(UserRole.user_id) == col(UserInfo.id))
        .where(col(UserInfo.user_id).in_(people))
    )
    for user_id, role_id in session.execute(held):
        roles[user_id].add(role_id)
    found: dict[str, int] = defaultdict(int)
    for (permission, user_id), givers in authorities.items():
        if not any(plan.holds_after(roles[one], permission) for one in {user_id, *givers}):
            found[permission] += 1
    return found


def _effect(plan: _Plan, permission: str, counted: _Counted, deputies: Mapping[str, int], *, gains: bool) -> Effect:
    known = permission in set(Permission)
    touched = (plan.added if gains else plan.removed)[permission]
    return Effect(
        permission=permission,
        label=Permission(permission).label if known else permission,
        gains=gains,
        roles=sorted(plan.names.get(id_, "") for id_ in touched),
        people=counted.people,
        anyway=counted.anyway,
        deputies=0 if gains else deputies.get(permission, 0),
        first=[Touched(user_id, "", note) for _, user_id, note in counted.first],
    )


def _in_order(touched: dict[str, set[int]]) -> list[str]:
    order = {permission.value: number for number, permission in enumerate(Permission)}
    return sorted(touched, key=lambda name: (order.get(name, len(order)), name))


def _name_them(session: Session, effects: list[Effect]) -> None:
    """Put the names of the few who are shown into the effects."""
    wanted = {one.user_id for effect in effects for one in effect.first}
    if not wanted:
        return
    statement = (
        sa.select(
            col(LocalUser.id), sa.func.coalesce(sa.func.nullif(col(UserInfo.full_name), ""), col(LocalUser.username))
        )
        .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
        .where(col(LocalUser.id).in_(wanted))
    )
    names = {user_id or 0: name for user_id, name in session.execute(statement)}
    for effect in effects:
        effect.first[:] = [Touched(one.user_id, names.get(one.user_id, ""), one.note) for one in effect.first]


def _refused(session: Session, changes: Sequence[Change], plan: _Plan, then: rules.Standing) -> list[str]:
    """Return the sentences of the rules that saving would meet, in the order it meets them."""
    held, own = rules.held_permissions(session), rules.own_roles(session)
    found: list[str] = []
    for change in changes:
        role = plan.roles.get(change.role_id)
        if role is None:
            continue
        found.append(rules.why_not_change_role(role, plan.contents[change.role_id], held))
        found.append(rules.why_not_pass_on([*change.add, *change.remove], held))
        found.append(why_not_contain(role, plan.contents_after[change.role_id]))
        found.append(rules.why_not_extend(role, own) if change.add else "")
    found.append(then.fault())
    guarded = safeguards.read(session)
    found.append(guarded.fault(guarded.with_contents(plan.contents_after)))
    return list(dict.fromkeys(sentence for sentence in found if sentence))
