"""Requests as a viewer sees them: plain rows of text, made from the rules that decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.errors import AppError
from inventory_app.models.approvals import Approval, ApprovalDecision, ApprovalParty, ApprovalStatus, Verdict
from inventory_app.operations import _approval_rules as rules
from inventory_app.operations._approvals import KINDS, Subject, kind_of
from inventory_app.operations._operation import Viewer
from inventory_app.operations._paging import AnySelect, Page, keyset
from inventory_app.operations._supplier_rules import listed
from inventory_app.operations.pictures import initials_of, picture_addresses
from inventory_app.permissions import Permission

_GONE = Subject("Something that is no longer there")


@dataclass(frozen=True, slots=True)
class Row:
    """A request in a list."""

    id: int
    kind: str
    #: What the kind is called.
    label: str
    title: str
    asked_by: str
    #: Of who asked; both empty when nobody here did.
    initials: str
    picture: str
    asked_at: str
    expires_at: str
    #: "1 of 2", empty where one is enough.
    agreed: str
    #: open, approved, rejected, expired or withdrawn.
    status: str
    #: Why the viewer cannot decide; empty when they can.
    why_not: str


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision somebody made; `for_whom` is whose authority it was, when it was not their own."""

    id: int
    approval_id: int
    label: str
    title: str
    verdict: str
    by: str
    initials: str
    picture: str
    for_whom: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Detail:
    """A request with all that a decision needs."""

    id: int
    version: int
    subject_version: int
    label: str
    title: str
    #: The page with everything about it; empty when there is none.
    href: str
    details: list[tuple[str, str]]
    asked_by: str
    initials: str
    picture: str
    asked_at: str
    reason: str
    expires_at: str
    status: str
    closed_at: str
    given: int
    required: int
    decisions: list[DecisionRow]
    #: Why the viewer cannot decide (empty when they can), who can instead, and for whom the viewer would decide.
    why_not: str
    who_can: str
    for_whom: str
    #: The viewer asked for it and may take it back.
    mine: bool


def visible_to(viewer: Viewer) -> sa.ColumnElement[bool]:
    """Return the condition for requests this viewer may see: they hold its permission, or asked for it."""
    asked = col(Approval.requested_by) == viewer.user_id if viewer.user_id is not None else sa.false()
    return sa.or_(_permitted(viewer), asked)


def _permitted(viewer: Viewer) -> sa.ColumnElement[bool]:
    return col(Approval.permission).in_(sorted(viewer.permissions))


def waiting(session: Session, viewer: Viewer, kind: str, cursor: str) -> Page[Row]:
    """Return what is open and needs a permission of the viewer, oldest first."""
    statement = sa.select(Approval).where(rules.open_now(), _permitted(viewer), *_of(kind))
    page = keyset(session, statement, [col(Approval.requested_at), col(Approval.id)], cursor=cursor)
    return Page(_rows(session, viewer, [row[0] for row in page.rows]), page.before, page.after)


def oldest_to_decide(session: Session, viewer: Viewer, *, besides: str, most: int) -> list[Row]:
    """Return the requests the viewer can decide about that have waited longest, those of kind `besides` left out."""
    decidable = rules.decidable_by(rules.standing(session, viewer.user_id))
    found = session.scalars(
        select(Approval)
        .where(decidable, col(Approval.kind) != besides)
        .order_by(col(Approval.requested_at), col(Approval.id))
        .limit(most)
    )
    return _rows(session, viewer, list(found))


def count_to_decide(session: Session, viewer: Viewer, *, besides: str, before: datetime) -> int:
    """Count the requests the viewer can decide about that were made `before`, those of kind `besides` left out."""
    decidable = rules.decidable_by(rules.standing(session, viewer.user_id))
    asked = sa.and_(decidable, col(Approval.kind) != besides, col(Approval.requested_at) < before)
    return session.scalar(sa.select(sa.func.count()).select_from(Approval).where(asked)) or 0


def asked_by(session: Session, viewer: Viewer, kind: str, cursor: str) -> Page[Row]:
    """Return what the viewer asked for, newest first."""
    statement = sa.select(Approval).where(col(Approval.requested_by) == viewer.user_id, *_of(kind))
    page = keyset(session, statement, [col(Approval.id)], descending=True, cursor=cursor)
    return Page(_rows(session, viewer, [row[0] for row in page.rows]), page.before, page.after)


def decided(session: Session, viewer: Viewer, kind: str, cursor: str) -> Page[DecisionRow]:
    """Return the decisions about what the viewer may see, newest first."""
    statement: AnySelect = (
        sa.select(ApprovalDecision, Approval)
        .join(Approval, col(Approval.id) == col(ApprovalDecision.approval_id))
        .where(visible_to(viewer), *_of(kind))
    )
    page = keyset(session, statement, [col(ApprovalDecision.id)], descending=True, cursor=cursor)
    approvals = [approval for _, approval, *_ in page.rows]
    people = {id_ for one, *_ in page.rows for id_ in (one.user_id, one.authority_id)}
    titles, names = _subjects(session, approvals), rules.full_names(session, people)
    faces = picture_addresses(session, {one.user_id for one, *_ in page.rows})
    rows = [_decision(one, approval, titles, names, faces) for one, approval, *_ in page.rows]
    return Page(rows, page.before, page.after)


def _decision(
    one: ApprovalDecision,
    approval: Approval,
    titles: dict[int, Subject],
    names: dict[int, str],
    faces: dict[int, str],
) -> DecisionRow:
    return DecisionRow(
        id=one.id or 0,
        approval_id=approval.id or 0,
        label=kind_of(approval).label,
        title=titles.get(approval.id or 0, _GONE).title,
        verdict=one.verdict,
        by=names[one.user_id],
        initials=initials_of(names[one.user_id]),
        picture=faces.get(one.user_id, ""),
        for_whom="" if one.authority_id == one.user_id else names[one.authority_id],
        at=one.decided_at.isoformat(),
        reason=one.reason or "",
    )


def _of(kind: str) -> Sequence[sa.ColumnElement[bool]]:
    return (col(Approval.kind) == kind if kind else col(Approval.kind).in_(KINDS),)


def _subjects(session: Session, approvals: Sequence[Approval]) -> dict[int, Subject]:
    """Return what each request is about: one description a kind, however many rows."""
    by_kind: dict[str, dict[int, Approval]] = {}
    for approval in approvals:
        by_kind.setdefault(approval.kind, {})[approval.id or 0] = approval
    found: dict[int, Subject] = {}
    for kind, some in by_kind.items():
        found |= KINDS[kind].describe(session, list(some.values()))
    return found


def _rows(session: Session, viewer: Viewer, approvals: Sequence[Approval]) -> list[Row]:
    subjects = _subjects(session, approvals)
    who = rules.standing(session, viewer.user_id)
    known = rules.facts(session, approvals, who.stands_in_for if who else ())
    faces = picture_addresses(session, _askers(approvals))
    rows: list[Row] = []
    for approval in approvals:
        answer = rules.judge(session, approval, known, who) if approval.status == ApprovalStatus.OPEN else 0
        many = approval.required > 1
        rows.append(
            Row(
                id=approval.id or 0,
                kind=approval.kind,
                label=kind_of(approval).label,
                title=subjects.get(approval.id or 0, _GONE).title,
                asked_by=_asked_by(approval, known, viewer),
                initials=_initials(approval, known),
                picture=faces.get(approval.requested_by or 0, ""),
                asked_at=approval.requested_at.isoformat(),
                expires_at=approval.expires_at.isoformat() if approval.expires_at else "",
                agreed=f"{known.given(approval)} of {approval.required}" if many else "",
                status=_status(approval),
                why_not=str(answer) if isinstance(answer, AppError) else "",
            )
        )
    return rows


def _status(approval: Approval) -> str:
    gone = approval.status == ApprovalStatus.OPEN and rules.has_expired(approval)
    return ApprovalStatus.EXPIRED.value if gone else ApprovalStatus(approval.status).value


def _asked_by(approval: Approval, known: rules.Facts, viewer: Viewer) -> str:
    if approval.requested_by is None:
        return "the applicant"
    return "you" if approval.requested_by == viewer.user_id else known.name(approval.requested_by)


def _askers(approvals: Sequence[Approval]) -> set[int]:
    return {approval.requested_by for approval in approvals if approval.requested_by is not None}


def _initials(approval: Approval, known: rules.Facts) -> str:
    return "" if approval.requested_by is None else initials_of(known.name(approval.requested_by))


def detail(session: Session, viewer: Viewer, approval_id: int) -> Detail | None:
    """Return one request to decide about, or how it was decided; None when the viewer may not see it."""
    concerned = sa.exists().where(
        col(ApprovalParty.approval_id) == col(Approval.id), col(ApprovalParty.user_id) == viewer.user_id
    )
    statement = sa.select(Approval).where(col(Approval.id) == approval_id, sa.or_(visible_to(viewer), concerned))
    approval = session.scalars(statement).first()
    if approval is None or approval.kind not in KINDS:
        return None
    subject = _subjects(session, [approval]).get(approval_id, _GONE)
    who = rules.standing(session, viewer.user_id)
    known = rules.facts(session, [approval], who.named_in_refusals(approval.permission) if who else ())
    answer = rules.judge(session, approval, known, who)
    faces = picture_addresses(
        session, {one.user_id for one in known.decisions.get(approval_id, ())} | _askers([approval])
    )
    refused = isinstance(answer, AppError)
    is_open = _status(approval) == ApprovalStatus.OPEN
    return Detail(
        id=approval_id,
        version=approval.version,
        subject_version=subject.version,
        label=kind_of(approval).label,
        title=subject.title,
        href=subject.href if subject.needs in viewer.permissions else "",
        details=[*subject.details, *(subject.amounts if Permission.PRICES_VIEW in viewer.permissions else ())],
        asked_by=_asked_by(approval, known, viewer),
        initials=_initials(approval, known),
        picture=faces.get(approval.requested_by or 0, ""),
        asked_at=approval.requested_at.isoformat(),
        reason=approval.reason or "",
        expires_at=approval.expires_at.isoformat() if approval.expires_at else "",
        status=_status(approval),
        closed_at=approval.closed_at.isoformat() if approval.closed_at else "",
        given=known.given(approval),
        required=approval.required,
        decisions=_decisions(approval, subject, known, faces),
        why_not=str(answer) if refused and is_open else "",
        who_can=_who_can(session, approval) if refused and is_open else "",
        for_whom="" if refused or answer == viewer.user_id else known.name(answer),
        mine=is_open
        and approval.requested_by is not None
        and approval.requested_by == viewer.user_id
        and kind_of(approval).may_be_withdrawn(session, approval),
    )


def _decisions(approval: Approval, subject: Subject, known: rules.Facts, faces: dict[int, str]) -> list[DecisionRow]:
    return [
        DecisionRow(
            id=number,
            approval_id=approval.id or 0,
            label=kind_of(approval).label,
            title=subject.title,
            verdict=Verdict(one.verdict).value,
            by=known.name(one.user_id),
            initials=initials_of(known.name(one.user_id)),
            picture=faces.get(one.user_id, ""),
            for_whom="" if one.authority_id == one.user_id else known.name(one.authority_id),
            at=one.at.isoformat(),
            reason=one.reason or "",
        )
        for number, one in enumerate(known.decisions.get(approval.id or 0, []))
    ]


def _who_can(session: Session, approval: Approval) -> str:
    names = [who.name for who in rules.who_can_decide(session, approval)]
    if names:
        return f"{listed(names)} can."
    label = Permission(approval.permission).label
    return f"Nobody else can: an administrator may give the permission “{label}” to somebody."


#: The permissions that what is open asks for.
_ASKED_FOR = sa.select(col(Approval.permission)).distinct().where(rules.open_now())


def counts(session: Session, viewer: Viewer) -> dict[str, int]:
    """Return how many requests of each kind wait for this viewer's own decision."""
    # Asked for at every page: only where something waits that they hold the permission for is it found out what they
    # may decide.
    if viewer.permissions.isdisjoint(session.scalars(_ASKED_FOR)):
        return {}
    who = rules.standing(session, viewer.user_id)
    statement = sa.select(col(Approval.kind), sa.func.count()).where(rules.decidable_by(who), *_of(""))
    return dict(session.execute(statement.group_by(col(Approval.kind))).all())
