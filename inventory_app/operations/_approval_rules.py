"""Who may decide about a request, and why not: used to decide, to count, to list and to explain, the same rules.

Nobody decides who has a part in it, nor whoever stands in for somebody with a part. A deputy's decision counts as the
authority of whom they stand in for, and a person counts once: as whoever decides or as whoever's authority it was.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.context import current_actor
from inventory_app.errors import AccountDisabled, AlreadyDecided, AppError, Conflict, NotAllowed, SecondFactorRequired
from inventory_app.models._base import now
from inventory_app.models.access import SecondFactor
from inventory_app.models.approvals import (
    Approval,
    ApprovalDecision,
    ApprovalParty,
    ApprovalStatus,
    Delegation,
    Verdict,
)
from inventory_app.models.users import HOLDINGS, AuthSession, LocalUser, UserInfo

#: What somebody with a part is told; a kind may say it in its own words.
PARTS: Mapping[str, str] = {
    "entered": "You entered this, so somebody else must decide.",
    "edited": "You edited this, so somebody else must decide.",
    "requested": "You asked for this, so somebody else must decide.",
    "concerned": "This is about you, so somebody else must decide.",
}
#: What the system and strangers are told.
NEEDS_A_PERSON = "This needs a person."
#: In which order the parts of one person are told.
_TOLD_FIRST = tuple(PARTS)


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision: who, with whose authority, what, why, when."""

    user_id: int
    authority_id: int
    verdict: Verdict
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules read about some requests: their parties, their decisions, and what people are called."""

    parties: dict[int, list[tuple[int, str]]]
    decisions: dict[int, list[Decided]]
    names: dict[int, str]

    def given(self, approval: Approval) -> int:
        """Count the distinct authorities that have agreed."""
        return sum(one.verdict == Verdict.APPROVE for one in self.decisions.get(approval.id or 0, ()))

    def name(self, user_id: int | None) -> str:
        """Return what a person is called."""
        return self.names.get(user_id or 0, "Somebody")


@dataclass(frozen=True, slots=True)
class Authority:
    """A permission somebody may use: whose it is, and with whose part in a request it cannot be used."""

    user_id: int
    conflicts: frozenset[int]
    #: A role of theirs needs a second factor, so whoever decides for them needs one as well.
    needs_factor: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person may decide with now: by permission, their own authority first."""

    user_id: int
    name: str
    enabled: bool
    stands_in_for: frozenset[int]
    #: By a second factor: the acting person in this session, others whenever they sign in.
    proves: bool = False
    authorities: dict[str, list[Authority]] = field(default_factory=dict)

    @property
    def conflicts(self) -> frozenset[int]:
        """Return whose part in a request keeps this person from deciding: their own, and of whom they stand in for."""
        return self.stands_in_for | {self.user_id}

    def lets_use(self, each: Authority) -> bool:
        """Tell whether this person proves as much as the one whose authority it is would have to."""
        return self.proves or each.user_id == self.user_id or not each.needs_factor

    def named_in_refusals(self, permission: str) -> frozenset[int]:
        """Return everybody a refusal may name besides those with a part in the request."""
        return self.stands_in_for | {each.user_id for each in self.authorities.get(permission, [])}


#: The sentences of each kind for its own parts, and what its closed requests say; filled by `_approvals.register`.
SENTENCES: dict[str, Mapping[str, str]] = {}
CLOSED: dict[str, Callable[[Session, Approval], AppError | None]] = {}


def facts(session: Session, approvals: Sequence[Approval], people: Iterable[int] = ()) -> Facts:
    """Read what the rules need about these requests, in three statements however many they are."""
    ids = [approval.id or 0 for approval in approvals]
    parties: dict[int, list[tuple[int, str]]] = {}
    for party in session.scalars(select(ApprovalParty).where(col(ApprovalParty.approval_id).in_(ids))):
        parties.setdefault(party.approval_id, []).append((party.user_id, party.part))
    decisions: dict[int, list[Decided]] = {}
    statement = select(ApprovalDecision).where(col(ApprovalDecision.approval_id).in_(ids))
    for one in session.scalars(statement.order_by(col(ApprovalDecision.id))):
        decided = Decided(one.user_id, one.authority_id, Verdict(one.verdict), one.reason, one.decided_at)
        decisions.setdefault(one.approval_id, []).append(decided)
    wanted = {user_id for listed in parties.values() for user_id, _ in listed} | set(people)
    wanted |= {id_ for listed in decisions.values() for one in listed for id_ in (one.user_id, one.authority_id)}
    wanted |= {approval.requested_by for approval in approvals if approval.requested_by is not None}
    return Facts(parties, decisions, full_names(session, wanted))


_NAMED = sa.select(col(UserInfo.user_id), col(UserInfo.full_name), col(LocalUser.username)).join(
    LocalUser, col(LocalUser.id) == col(UserInfo.user_id)
)


def full_names(session: Session, user_ids: Iterable[int]) -> dict[int, str]:
    """Return what the people with these accounts are called."""
    statement = _NAMED.where(col(UserInfo.user_id).in_(set(user_ids)))
    return {user_id: name or username for user_id, name, username in session.execute(statement)}


def standing(session: Session, user_id: int | None) -> Standing | None:
    """Return what a person may decide with now; None for nobody (the system, a stranger)."""
    return None if user_id is None else _standings(session, HOLDINGS.c.user_id == user_id, [user_id]).get(user_id)


def _standings(session: Session, which: sa.ColumnElement[bool], people: Iterable[int] = ()) -> dict[int, Standing]:
    held = session.execute(
        sa.select(HOLDINGS.c.user_id, HOLDINGS.c.permission, HOLDINGS.c.authority_id).distinct().where(which)
    ).all()
    authorities = {authority for *_, authority in held}
    users = {user for user, *_ in held} | set(people)
    stand_ins = represented(session, users | authorities)
    # Who uses their own authority needs no more than they have proved to be here.
    others = {authority for user, _, authority in held if authority != user}
    proving, strict = (_proving(session, users), _strict(session, others)) if others else (set[int](), set[int]())
    asked = _NAMED.add_columns(col(LocalUser.enabled)).where(col(UserInfo.user_id).in_(users))
    found = {
        user: Standing(user, name or username, enabled, stand_ins.get(user, frozenset()), user in proving)
        for user, name, username, enabled in session.execute(asked.order_by(col(UserInfo.user_id)))
    }
    for user, permission, authority in sorted(held, key=lambda row: (row[0], row[2] != row[0], row[2])):
        conflicts = stand_ins.get(authority, frozenset()) | {authority}
        found[user].authorities.setdefault(permission, []).append(Authority(authority, conflicts, authority in strict))
    return found


def _strict(session: Session, people: Iterable[int]) -> set[int]:
    """Return who of these people may use their roles only with a second factor."""
    asked = select(LocalUser.id).where(col(LocalUser.id).in_(set(people)), sa.func.audit_needs_factor(LocalUser.id))
    return {user for user in session.scalars(asked) if user is not None}


def _proving(session: Session, people: Iterable[int]) -> set[int]:
    """Return who of these people proves more than a password: in this session, or by a factor they have set up."""
    actor = current_actor()
    others = set(people) - {actor.id}
    factors = sa.select(col(SecondFactor.user_id)).where(
        col(SecondFactor.user_id).in_(others),
        col(SecondFactor.confirmed_at).is_not(None),
        col(SecondFactor.removed_at).is_(None),
    )
    here = sa.select(col(AuthSession.user_id)).where(
        col(AuthSession.token_hash) == actor.token_hash, col(AuthSession.strong)
    )
    return set(session.scalars(factors.union(here)))


def represented(session: Session, deputies: Iterable[int]) -> dict[int, frozenset[int]]:
    """Return for whom each of these people stands in now, with whatever permission."""
    statement = select(Delegation.to_user_id, Delegation.from_user_id).where(
        col(Delegation.to_user_id).in_(set(deputies)), in_force()
    )
    found: dict[int, frozenset[int]] = {}
    for deputy, absent in session.execute(statement):
        found[deputy] = found.get(deputy, frozenset()) | {absent}
    return found


def in_force() -> sa.ColumnElement[bool]:
    """Return the condition for delegations that count at this moment, as `audit_holdings` has it."""
    return sa.and_(
        col(Delegation.revoked_at).is_(None),
        col(Delegation.starts_at) <= sa.func.now(),
        col(Delegation.ends_at) > sa.func.now(),
    )


def why_not_decide(session: Session, approval: Approval, user_id: int | None) -> AppError | None:
    """Return why this person cannot decide about the request now, in words for them; None when they can."""
    who = standing(session, user_id)
    known = facts(session, [approval], who.named_in_refusals(approval.permission) if who else ())
    answer = judge(session, approval, known, who)
    return answer if isinstance(answer, AppError) else None


def who_can_decide(session: Session, approval: Approval) -> list[Standing]:
    """Return everybody who could decide about the request now, by name."""
    holders = _standings(session, HOLDINGS.c.permission == approval.permission)
    known = facts(session, [approval], holders)
    able = [who for who in holders.values() if not isinstance(judge(session, approval, known, who), AppError)]
    return sorted(able, key=lambda who: (who.name.casefold(), who.user_id))


def judge(session: Session, approval: Approval, known: Facts, who: Standing | None) -> AppError | int:  # noqa: PLR0911  # one return for each rule, in the order they are told
    """Return whose authority the person would decide with (`LocalUser.id`), or why they cannot."""
    parties = known.parties.get(approval.id or 0, [])
    if who is not None and approval.permission not in who.authorities and who.user_id not in dict(parties):
        # How it ended, by whom and about what is for those who may see it.
        return NotAllowed() if who.enabled else AccountDisabled()
    if approval.status != ApprovalStatus.OPEN:
        return _closed(session, approval, known)
    if has_expired(approval):
        return Conflict(f"This expired on {_day(approval.expires_at)}. It has to be asked for again.")
    if who is None:
        return NotAllowed(NEEDS_A_PERSON)
    if not who.enabled:
        return AccountDisabled()
    usable = who.authorities.get(approval.permission, [])
    if not usable:
        return NotAllowed()
    if refusal := _part(approval, known, who, parties):
        return refusal
    return _authority(
        known, who, usable, {user_id for user_id, _ in parties}, known.decisions.get(approval.id or 0, [])
    )


def _authority(
    known: Facts, who: Standing, usable: list[Authority], involved: set[int], decisions: list[Decided]
) -> AppError | int:
    """Return whose authority is left for this person: nobody counts twice, in person or through a deputy."""
    if any(one.user_id == who.user_id for one in decisions):
        return AlreadyDecided("You have decided about this already. Somebody else must decide too.")
    for one in decisions:
        if one.authority_id == who.user_id:
            return AlreadyDecided(f"{known.name(one.user_id)} has decided this for you already.")
    taken = {user_id for one in decisions for user_id in (one.user_id, one.authority_id)}
    free = [each for each in usable if each.user_id not in taken and not involved & each.conflicts]
    if free:
        return _proved(known.name, who, free)
    absent = known.name(usable[0].user_id)
    if usable[0].user_id in taken:
        return AlreadyDecided(f"{absent}, for whom you stand in, counts in this already. Somebody else must decide.")
    return NotAllowed(f"{absent}, for whom you stand in, cannot decide about this, so neither can you.")


def _proved(name: Callable[[int], str], who: Standing, free: list[Authority]) -> SecondFactorRequired | int:
    """Return the first authority that the person proves enough for."""
    enough = [each.user_id for each in free if who.lets_use(each)]
    if enough:
        return enough[0]
    return SecondFactorRequired(
        f"A role of {name(free[0].user_id)}, for whom you stand in, needs a second factor. Sign in with one."
    )


def why_not_use(session: Session, user_id: int, permission: str) -> AppError | None:
    """Return why a person cannot use what they hold only in the place of others; None when they can."""
    who = standing(session, user_id)
    usable = who.authorities.get(permission, []) if who else []
    if who is None or not usable:
        return None
    names = full_names(session, [each.user_id for each in usable])
    answer = _proved(lambda one: names[one], who, usable)
    return answer if isinstance(answer, AppError) else None


def _part(approval: Approval, known: Facts, who: Standing, parties: list[tuple[int, str]]) -> AppError | None:
    mine = sorted((part for user_id, part in parties if user_id == who.user_id), key=_place)
    if mine:
        said = SENTENCES.get(approval.kind, {}).get(mine[0]) or PARTS.get(mine[0])
        return NotAllowed(said or "You have a part in this, so somebody else must decide.")
    for user_id, _ in parties:
        if user_id in who.stands_in_for:
            name = known.name(user_id)
            return NotAllowed(f"You stand in for {name}, who has a part in this, so somebody else must decide.")
    return None


def _place(part: str) -> int:
    return _TOLD_FIRST.index(part) if part in _TOLD_FIRST else len(_TOLD_FIRST)


def _closed(session: Session, approval: Approval, known: Facts) -> AppError:
    if (own := CLOSED.get(approval.kind)) and (said := own(session, approval)):
        return said
    at = _day(approval.closed_at)
    if approval.status == ApprovalStatus.EXPIRED:
        return AlreadyDecided(f"This expired on {at}. It has to be asked for again.")
    if approval.status == ApprovalStatus.WITHDRAWN:
        return AlreadyDecided(f"This was withdrawn, or asked for anew, on {at}.")
    decisions = known.decisions.get(approval.id or 0, [])
    by = known.name(decisions[-1].user_id) if decisions else "Somebody"
    return AlreadyDecided(f"{by} {approval.status} this on {at}.")


def _day(at: datetime | None) -> str:
    return f"{at:%-d %b %Y, %H:%M} UTC" if at else "an unknown day"


def has_expired(approval: Approval) -> bool:
    """Tell whether the time to decide is over, marked as such or not."""
    return approval.expires_at is not None and approval.expires_at <= now()


def open_now() -> sa.ColumnElement[bool]:
    """Return the condition for requests that can still be decided by somebody."""
    unexpired = sa.or_(col(Approval.expires_at).is_(None), col(Approval.expires_at) > sa.func.now())
    return sa.and_(col(Approval.status) == ApprovalStatus.OPEN, unexpired)


def decidable_by(who: Standing | None) -> sa.ColumnElement[bool]:
    """Return the rules of `judge` as a condition, for counting."""
    if who is None or not who.enabled or not who.authorities:
        return sa.false()
    approval_id = col(Approval.id)

    def no_party(people: Iterable[int]) -> sa.ColumnElement[bool]:
        return ~sa.exists().where(
            col(ApprovalParty.approval_id) == approval_id, col(ApprovalParty.user_id).in_(sorted(people))
        )

    def not_counted(user_id: int) -> sa.ColumnElement[bool]:
        decided = sa.or_(col(ApprovalDecision.user_id) == user_id, col(ApprovalDecision.authority_id) == user_id)
        return ~sa.exists().where(col(ApprovalDecision.approval_id) == approval_id, decided)

    def usable(each: Authority) -> sa.ColumnElement[bool]:
        return sa.and_(not_counted(each.user_id), no_party(each.conflicts - who.conflicts))

    own = [permission for permission, held in who.authorities.items() if held[0].user_id == who.user_id]
    others = [
        sa.and_(col(Approval.permission) == permission, sa.or_(sa.false(), *map(usable, filter(who.lets_use, held))))
        for permission, held in who.authorities.items()
        if permission not in own
    ]
    return sa.and_(
        open_now(),
        sa.or_(col(Approval.permission).in_(own), *others),
        no_party(who.conflicts),
        not_counted(who.user_id),
    )
