"""The one engine behind everything that needs other people's agreement.

    request(session, kind="supplier", subject_id=7, permission=..., required=2, parties=[(ann, "entered")])
    decide(session, approval, Verdict.APPROVE, reason)

A kind says what it is called, how its subject reads, and what happens once it is approved or rejected. Every change
of a request takes the locks of its subject first and then the row lock of the request itself, so that of two people
at once exactly one decides what there was to decide.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.errors import AlreadyDecided, AppError, NotAllowed, NotFound, Stale
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval, ApprovalDecision, ApprovalParty, ApprovalStatus, Verdict
from inventory_app.operations import _approval_rules as rules
from inventory_app.operations._approval_rules import who_can_decide, why_not_decide
from inventory_app.operations._fields import checked_reason
from inventory_app.operations._operation import acting_user_id
from inventory_app.operations._session_life import must_be_fresh, own_session

__all__ = ["KINDS", "Kind", "Subject", "decide", "expire", "request", "who_can_decide", "why_not_decide", "withdraw"]

#: Who has a part in a request and which; None (a stranger, the system) is left out.
Parties = Iterable[tuple[int | None, str]]
Effect = Callable[[Session, Approval, str | None], None]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a request is about, in words: `version` is that of the record, so that what is decided is what was read."""

    title: str
    #: The page with everything about it, and the permission which that needs.
    href: str = ""
    needs: str = ""
    details: list[tuple[str, str]] = field(default_factory=list)
    version: int = 0
    #: Details for those alone who see costs and prices.
    amounts: list[tuple[str, str]] = field(default_factory=list)


def _nothing(session: Session, approval: Approval, reason: str | None) -> None:
    """Leave the subject as it is: nothing was asked for but the decision."""
    del session, approval, reason


def _no_locks(session: Session, subject_id: int) -> None:
    """Take no lock beyond that of the request."""
    del session, subject_id


def rejecting_needs_a_reason(session: Session, approval: Approval, verdict: Verdict, reason: str) -> str | None:
    """Return the reason as it is kept; `Invalid` when there must be one."""
    del session, approval
    missing = "Say why it is rejected: the reason is kept with the decision." if verdict == Verdict.REJECT else ""
    return checked_reason(reason, missing=missing)


def _always(session: Session, approval: Approval) -> bool:
    """Let whoever asked take it back as long as nobody has decided."""
    del session, approval
    return True


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request: everything the engine and the pages need to know about it."""

    name: str
    label: str
    permission: str
    #: The subjects of many requests, by the id of the request.
    describe: Callable[[Session, Sequence[Approval]], dict[int, Subject]]
    approved: Effect
    rejected: Effect = _nothing
    withdrawn: Effect = _nothing
    #: Whether whoever asked may take it back: where that would be a decision, it is not theirs.
    may_be_withdrawn: Callable[[Session, Approval], bool] = _always
    #: Take every lock that the effects need, in the order of `database/locks.py`.
    lock: Callable[[Session, int], None] = _no_locks
    #: Agreeing asks for a fresh proof, as the operation does that would do the same alone; rejecting does not.
    fresh: bool = False
    #: Check the reason of a decision; returns what is kept.
    reason: Callable[[Session, Approval, Verdict, str], str | None] = rejecting_needs_a_reason
    #: What somebody with a part is told, where `PARTS` does not say it well enough.
    parts: Mapping[str, str] = field(default_factory=dict)
    #: What is said of a request that is closed; None: the usual words.
    closed: Callable[[Session, Approval], AppError | None] | None = None


#: Every kind by name: `operations/__init__.py` says which there are, whatever is imported first.
KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Let the engine and its rules know a kind."""
    KINDS[kind.name] = kind
    rules.SENTENCES[kind.name] = kind.parts
    if kind.closed:
        rules.CLOSED[kind.name] = kind.closed


@dataclass(frozen=True, slots=True)
class Result:
    """Where a request stands after a decision."""

    status: str
    given: int
    required: int
    reason: str | None


def request(  # noqa: PLR0913  # as many as a request has columns
    session: Session,
    *,
    kind: str,
    subject_id: int,
    permission: str,
    required: int = 1,
    parties: Parties = (),
    reason: str | None = None,
    expires_at: datetime | None = None,
    asked: str | None = None,
) -> Approval:
    """Ask for a decision about one record; a second open request about it is a `Conflict`."""
    before = open_about(session, kind, subject_id)
    if before is not None and rules.has_expired(before):
        # It stands in the way until the job that marks it comes by.
        expire(session, [before.id or 0])
    (id_,) = request_each(
        session,
        kind=kind,
        about=[(subject_id, parties)],
        permission=permission,
        required=required,
        reason=reason,
        expires_at=expires_at,
        asked=asked,
    )
    return session.get_one(Approval, id_)


def request_each(
    session: Session,
    *,
    kind: str,
    about: Sequence[tuple[int, Parties]],
    permission: str,
    required: int = 1,
    reason: str | None = None,
    expires_at: datetime | None = None,
    asked: str | None = None,
) -> list[int]:
    """Ask for a decision about each of many records, one at least, at once; returns the ids of the requests."""
    asking = acting_user_id()
    shared = {
        "kind": kind,
        "permission": permission,
        "required": required,
        "requested_by": asking,
        "requested_at": now(),
        "reason": reason,
        "expires_at": expires_at,
        "asked": asked,
        "status": ApprovalStatus.OPEN.value,
        "version": 1,
    }
    insert = sa.insert(_table(Approval)).returning(_table(Approval).c.id, sort_by_parameter_order=True)
    session.flush()
    ids = list(session.scalars(insert, [{**shared, "subject_id": subject_id} for subject_id, _ in about]))
    rows: list[dict[str, Any]] = []
    for id_, (_, parties) in zip(ids, about, strict=True):
        parts = {(user_id, part) for user_id, part in parties if user_id is not None}
        if asking is not None and asking not in {user_id for user_id, _ in parts}:
            parts.add((asking, "requested"))
        rows += [{"approval_id": id_, "user_id": user_id, "part": part} for user_id, part in sorted(parts)]
    if rows:
        session.execute(sa.insert(_table(ApprovalParty)), rows)
    return ids


def renew(session: Session, *, kind: str, subject_id: int, permission: str, required: int, parties: Parties) -> None:
    """Ask anew about a record that has changed: decisions about what it was do not count, parts in it stay parts."""
    before = open_about(session, kind, subject_id, for_update=True)
    kept = list(parties)
    if before is not None:
        known = rules.facts(session, [before])
        kept += known.parties.get(before.id or 0, [])
        _close(before, ApprovalStatus.WITHDRAWN)
        session.flush()
    request(
        session, kind=kind, subject_id=subject_id, permission=permission, required=required, parties=dict.fromkeys(kept)
    )


def dismiss(session: Session, *, kind: str, subject_id: int) -> None:
    """Close the open request about a record, if there is one: what was asked for is not wanted any more."""
    before = open_about(session, kind, subject_id, for_update=True)
    if before is not None:
        _close(before, ApprovalStatus.WITHDRAWN)
        session.flush()


def open_about(session: Session, kind: str, subject_id: int, *, for_update: bool = False) -> Approval | None:
    """Return the open request about a record, if there is one."""
    statement = select(Approval).where(
        Approval.kind == kind, Approval.subject_id == subject_id, Approval.status == ApprovalStatus.OPEN
    )
    found = session.exec(statement).first()
    if found is None or not for_update:
        return found
    locked = _locked(session, found)
    return locked if locked.status == ApprovalStatus.OPEN else None


def find(session: Session, approval_id: int) -> Approval:
    """Return a request by its id, not locked yet."""
    found = session.get(Approval, approval_id)
    if found is None:
        raise NotFound("There is no such request (any more). Reload the page.")
    return found


def kind_of(approval: Approval) -> Kind:
    """Return the kind of a request."""
    return KINDS[approval.kind]


def decide(
    session: Session,
    approval: Approval,
    verdict: Verdict,
    reason: str = "",
    *,
    version: int | None = None,
    subject_version: int | None = None,
) -> Result:
    """Decide for the acting person; the last approval needed, or one rejection, takes effect at once.

    `version` and `subject_version` are what the person read; `Stale` when either has changed since.
    """
    kind = kind_of(approval)
    kind.lock(session, approval.subject_id)
    approval = _locked(session, approval)
    who = rules.standing(session, acting_user_id())
    if who is None:
        raise NotAllowed(rules.NEEDS_A_PERSON)
    known = rules.facts(session, [approval], who.named_in_refusals(approval.permission))
    authority = rules.judge(session, approval, known, who)
    if isinstance(authority, AppError):
        raise authority
    if kind.fresh and verdict == Verdict.APPROVE:
        must_be_fresh(own_session(session))
    _must_be_what_was_read(session, approval, version, subject_version)
    kept = kind.reason(session, approval, verdict, reason)
    decision = ApprovalDecision(
        approval_id=approval.id or 0, user_id=who.user_id, authority_id=authority, verdict=verdict, reason=kept
    )
    session.add(decision)
    session.flush()
    given = known.given(approval) + (verdict == Verdict.APPROVE)
    if verdict == Verdict.REJECT:
        _close(approval, ApprovalStatus.REJECTED)
        kind.rejected(session, approval, kept)
    elif given >= approval.required:
        _close(approval, ApprovalStatus.APPROVED)
        kind.approved(session, approval, kept)
    session.flush()
    return Result(approval.status, given, approval.required, kept)


def _must_be_what_was_read(
    session: Session, approval: Approval, version: int | None, subject_version: int | None
) -> None:
    changed = version is not None and approval.version != version
    if subject_version is not None and not changed:
        subject = kind_of(approval).describe(session, [approval]).get(approval.id or 0)
        changed = subject is None or subject.version != subject_version
    if changed:
        raise Stale("This was changed after you opened it. Reload the page and read it again.")


def withdraw(session: Session, approval: Approval, reason: str | None = None) -> None:
    """Take back what the acting person has asked for."""
    kind = kind_of(approval)
    kind.lock(session, approval.subject_id)
    approval = _locked(session, approval)
    if approval.requested_by is None or approval.requested_by != acting_user_id():
        raise NotAllowed("Only whoever asked for this can withdraw it.")
    if approval.status != ApprovalStatus.OPEN:
        refusal = rules.judge(session, approval, rules.facts(session, [approval]), None)
        raise refusal if isinstance(refusal, AppError) else AlreadyDecided
    if not kind.may_be_withdrawn(session, approval):
        raise NotAllowed("It was there before you asked, so taking this back would decide it: somebody else must.")
    _close(approval, ApprovalStatus.WITHDRAWN)
    kind.withdrawn(session, approval, reason)
    session.flush()


def due(session: Session) -> list[int]:
    """Return the requests whose time is over and that are not marked so yet."""
    statement = select(Approval.id).where(
        Approval.status == ApprovalStatus.OPEN, col(Approval.expires_at) <= sa.func.now()
    )
    return [id_ for id_ in session.exec(statement.order_by(col(Approval.id)).limit(_AT_ONCE)) if id_ is not None]


_AT_ONCE = 500


def expire(session: Session, approval_ids: Iterable[int]) -> int:
    """Mark the requests among these whose time is over; those being decided right now are left for the next time."""
    statement = (
        select(Approval)
        .where(col(Approval.id).in_(list(approval_ids)), Approval.status == ApprovalStatus.OPEN)
        .where(col(Approval.expires_at) <= sa.func.now())
        .order_by(col(Approval.id))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    found = session.exec(statement).all()
    for approval in found:
        _close(approval, ApprovalStatus.EXPIRED)
    session.flush()
    return len(found)


def _close(approval: Approval, status: ApprovalStatus) -> None:
    approval.status = status
    approval.closed_at = now()
    approval.version += 1


def _locked(session: Session, approval: Approval) -> Approval:
    id_ = approval.id or 0
    return lock(session, Approval, [id_])[id_]  # no request is ever deleted


def _table(model: type[Approval] | type[ApprovalParty]) -> sa.Table:
    return model.__table__  # pyright: ignore[reportAttributeAccessIssue]  # set by the mapper
