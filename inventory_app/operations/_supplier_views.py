"""Suppliers as a viewer sees them: plain rows of text, made from the rules that decide."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.audit.tables import audit_change, audit_operation
from inventory_app.errors import AppError, NotAllowed
from inventory_app.models._base import now, sort_key
from inventory_app.models.payments import AccountStatus, SupplierBankAccount
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.models.users import UserInfo
from inventory_app.operations import _iban
from inventory_app.operations import _supplier_rules as rules
from inventory_app.operations._operation import Viewer
from inventory_app.operations._paging import like_escaped
from inventory_app.operations._supplier_approvals import agreement, to_withdraw
from inventory_app.operations._supplier_before import as_decided
from inventory_app.operations._supplier_fields import ENDS, agreed, contact, place, readable
from inventory_app.operations._supplier_rules import Check
from inventory_app.operations._supplier_stops import what_stops
from inventory_app.permissions import Permission

#: A longer queue is searched, not scrolled.
QUEUE_LENGTH = 200
DECISIONS_SHOWN = 5
#: How the trail names a supplier's own application.
APPLYING = "suppliers.apply_supplier"
LONG = timedelta(days=5)
_ACCOUNT = "Bank account"
_SIDES = (AccountStatus.RELEASED, AccountStatus.PENDING)
_SOME_DAYS = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A supplier that waits; `heading` and `group_size` are set on the first row of each group."""

    id: int
    #: In which it was read: what is decided together is what was seen.
    version: int
    name: str
    place: str
    entered: str
    #: The viewer entered or edited it, so somebody else decides.
    own: bool
    age: str
    late: bool
    submitted: str
    heading: str = ""
    group_size: int = 0


@dataclass(frozen=True, slots=True)
class Queue:
    """The suppliers that wait; `more` counts those beyond the rows."""

    rows: list[QueueRow]
    more: int


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field of a supplier when it was last decided about, if it ever was, and as asked for."""

    label: str
    before: str
    after: str
    changed: bool
    #: It was agreed with the supplier, which its page shows in a card of its own.
    agreed: bool = False


@dataclass(frozen=True, slots=True)
class SupplierDetail:
    """One supplier with all that a decision needs."""

    id: int
    version: int
    name: str
    status: str
    #: Place and contact in one line.
    summary: str
    #: What was decided before, if it waits for another decision; then the fields say what has changed since.
    earlier: str
    fields: list[FieldRow]
    #: The labels of the fields that were left empty.
    not_given: str
    entered: str
    submitted: str
    from_address: str
    waits: str
    checks: list[Check]
    passed: int
    failed: int
    #: Why the viewer cannot decide, empty when they can, and who can instead.
    why_not: str
    who_can: str
    decided: str
    decided_at: str
    reason: str
    #: "1 of 2" while more than one must agree, and who has already.
    agreed: str
    agreed_by: str
    #: The last day of the approval as typed into a form and as read, and whether it is over.
    valid_until: str
    ends: str
    over: bool
    #: The viewer's own request, which they may take back; 0 when it is not.
    withdraws: int
    #: When we pay, how goods come, from what amount on: label and value.
    agreed_terms: list[tuple[str, str]]
    #: Why the viewer cannot reinstate a suspended supplier; empty when they can.
    why_suspended: str
    #: Of an approved one: which orders wait once it does, and what is held once it is suspended.
    stops: str
    holds: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision made: about whom, which, by whom, when."""

    id: int
    name: str
    status: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class WaitingCounts:
    """How many suppliers wait: all, for this viewer to decide, for longer than five days."""

    total: int
    yours: int
    late: int


def queue(session: Session, viewer: Viewer, search: str, *, newest_first: bool) -> Queue:
    """Return the suppliers that wait, with the group they stand in."""
    order = (col(Supplier.submitted_at), col(Supplier.id))
    asked = (col(Supplier.status) == SupplierStatus.PENDING, *matching(search))
    statement = (
        sa.select(Supplier, col(UserInfo.full_name))
        .outerjoin(UserInfo, col(UserInfo.user_id) == col(Supplier.entered_by))
        .where(*asked)
        .order_by(*(key.desc() if newest_first else key.asc() for key in order))
        .limit(QUEUE_LENGTH)
    )
    found = session.execute(statement).all()
    rows = [_queue_row(viewer, supplier, name) for supplier, name in found]
    total = len(rows)
    if total == QUEUE_LENGTH:
        # By itself: counted beside them, all of every row that waits is read first.
        total = session.scalar(sa.select(sa.func.count()).select_from(Supplier).where(*asked)) or 0
    return Queue(_headed(rows, [_group(supplier) for supplier, *_ in found]), total - len(rows))


def matching(search: str) -> Sequence[sa.ColumnElement[bool]]:
    """Return the condition for suppliers whose name, place, tax id or e-mail contains `search`."""
    return (found_by(*patterns(search)),) if search.strip() else ()


def patterns(search: str) -> tuple[str, str]:
    """Return what a sort key, and what any other text of a supplier, is like that contains `search`."""
    return f"%{like_escaped(sort_key(search))}%", f"%{like_escaped(search.strip())}%"


def found_by(plain: Any, typed: Any) -> sa.ColumnElement[bool]:
    """Return the condition for suppliers that one of the `patterns` fits."""
    others = (Supplier.city, Supplier.country, Supplier.address, Supplier.tax_id, Supplier.email)
    return sa.or_(col(Supplier.sort_key).like(plain), *(col(column).ilike(typed) for column in others))


def _queue_row(viewer: Viewer, supplier: Supplier, entered_by: str | None) -> QueueRow:
    waits = now() - supplier.submitted_at
    return QueueRow(
        id=supplier.id or 0,
        version=supplier.version,
        name=supplier.name,
        place=place(supplier),
        entered=entered(supplier, entered_by, viewer),
        own=viewer.user_id is not None and viewer.user_id in (supplier.entered_by, supplier.last_edited_by),
        age=_age(waits),
        late=waits > LONG,
        submitted=supplier.submitted_at.isoformat(),
    )


def _group(supplier: Supplier) -> str:
    waits = now() - supplier.submitted_at
    if waits > LONG:
        return "Waiting more than 5 days"
    return "2 to 5 days" if waits > _SOME_DAYS else "Less than 2 days"


def _headed(rows: list[QueueRow], groups: list[str]) -> list[QueueRow]:
    sizes, seen = Counter(groups), set[str]()
    headed: list[QueueRow] = []
    for row, group in zip(rows, groups, strict=True):
        headed.append(row if group in seen else replace(row, heading=group, group_size=sizes[group]))
        seen.add(group)
    return headed


def _age(waits: timedelta) -> str:
    if waits.days:
        return f"{waits.days} d"
    minutes = int(waits.total_seconds()) // 60
    return f"{minutes // 60} h" if minutes >= 60 else f"{max(minutes, 1)} min"  # noqa: PLR2004  # an hour


def _waits(waits: timedelta) -> str:
    """Return how long it waits in words: "4 days waiting"."""
    days = "1 day" if waits.days == 1 else f"{waits.days} days"
    return f"{days if waits.days else _age(waits)} waiting"


def entered(supplier: Supplier, entered_by: str | None, viewer: Viewer) -> str:
    """Say how the supplier came here, in words for this viewer."""
    if supplier.source == "application":
        return "Applied by the supplier"
    verb = "Imported" if supplier.source == "import" else "Entered"
    if supplier.entered_by is None:
        return f"{verb} by the system"
    return f"{verb} by you" if supplier.entered_by == viewer.user_id else f"{verb} by {entered_by}"


def detail(session: Session, viewer: Viewer, supplier: Supplier) -> SupplierDetail:
    """Return the supplier with the checks, and whether this viewer can decide."""
    earlier, fields = _fields(session, viewer, supplier)
    empty = [label for label, value in readable(supplier) if not value]
    found = rules.checks(session, supplier)
    why_not, who_can = _why_not(session, viewer, supplier)
    entered_by = rules.full_name(session, supplier.entered_by)
    given, agreed_by = agreement(session, supplier.id or 0)
    stops, holds = what_stops(session, viewer, supplier)
    return SupplierDetail(
        id=supplier.id or 0,
        version=supplier.version,
        name=supplier.name,
        status=supplier.status,
        summary=" · ".join(part for part in (place(supplier), contact(supplier)) if part),
        earlier=earlier,
        fields=fields,
        not_given=", ".join(empty),
        entered=entered(supplier, entered_by, viewer),
        submitted=supplier.submitted_at.isoformat(),
        from_address=_address(session, viewer, supplier),
        waits=_waits(now() - supplier.submitted_at),
        checks=found,
        passed=sum(check.outcome == "passed" for check in found),
        failed=len(rules.failed(found)),
        why_not=str(why_not) if why_not else "",
        who_can=who_can,
        decided=rules.full_name(session, supplier.decided_by),
        decided_at=supplier.decided_at.isoformat() if supplier.decided_at else "",
        reason=supplier.decision_reason or "",
        agreed=given,
        agreed_by=agreed_by,
        valid_until=supplier.valid_until.isoformat() if supplier.valid_until else "",
        ends=f"{supplier.valid_until:%-d %b %Y}" if supplier.valid_until else "",
        over=rules.has_ended(supplier),
        withdraws=to_withdraw(session, supplier, viewer.user_id),
        agreed_terms=[
            (label, value)
            for label, value in agreed(supplier, prices=Permission.PRICES_VIEW in viewer.permissions)
            if label != ENDS
        ],
        why_suspended=_why_suspended(session, viewer, supplier),
        stops=stops,
        holds=holds,
    )


def _why_suspended(session: Session, viewer: Viewer, supplier: Supplier) -> str:
    if supplier.status != SupplierStatus.SUSPENDED:
        return ""
    return str(rules.why_not_reinstate(session, supplier, viewer.user_id) or "")


def _fields(session: Session, viewer: Viewer, supplier: Supplier) -> tuple[str, list[FieldRow]]:
    """Return the last decision and every field that says something, now or then."""
    prices = Permission.PRICES_VIEW in viewer.permissions
    terms = agreed(supplier, prices=prices)
    lines = [(label, value, False) for label, value in readable(supplier)]
    lines += [(label, value, True) for label, value in terms]
    decided = as_decided(session, supplier) if supplier.status == SupplierStatus.PENDING else None
    accounts = _accounts(session, viewer, supplier)
    if decided is None:
        rows = [FieldRow(label, "", value, changed=True, agreed=ours) for label, value, ours in lines]
        rows += [FieldRow(_ACCOUNT, "", after or before, changed=True, agreed=True) for before, after in accounts]
        return "", [row for row in rows if row.after]
    earlier, then = decided[0], dict([*readable(decided[1]), *agreed(decided[1], prices=prices)])
    rows = [FieldRow(_ACCOUNT, before, after or before, changed=after != "", agreed=True) for before, after in accounts]
    rows += [
        FieldRow(label, then[label], value, changed=value != then[label], agreed=ours) for label, value, ours in lines
    ]
    # What has changed first, where money goes before all: that is what there is to decide about.
    return earlier, sorted((row for row in rows if row.before or row.after), key=lambda row: not row.changed)


def _accounts(session: Session, viewer: Viewer, supplier: Supplier) -> list[tuple[str, str]]:
    """Return the accounts money goes to and those that wait to take their place, as the viewer may see them."""
    shown = _iban.spaced if Permission.PAYMENTS_VIEW in viewer.permissions else _iban.masked
    found = session.execute(
        sa.select(col(SupplierBankAccount.status), col(SupplierBankAccount.iban))
        .where(
            col(SupplierBankAccount.supplier_id) == supplier.id,
            col(SupplierBankAccount.status).in_((AccountStatus.RELEASED, AccountStatus.PENDING)),
        )
        .order_by(col(SupplierBankAccount.id))
    ).all()
    sides = [", ".join(shown(iban) for is_, iban in found if is_ == side) for side in _SIDES]
    return [(sides[0], sides[1])] if found else []


def _why_not(session: Session, viewer: Viewer, supplier: Supplier) -> tuple[AppError | None, str]:
    """Return what the operation would answer this viewer, and who else can decide."""
    permission = Permission.SUPPLIERS_APPROVE
    refusal = rules.why_not_decide(session, supplier, viewer.user_id)
    if supplier.status != SupplierStatus.PENDING:
        return refusal, ""
    if permission not in viewer.permissions:
        refusal = NotAllowed()
    if refusal is None:
        return None, ""
    can = rules.who_can_decide(session, supplier)
    nobody = f"Nobody else holds the permission “{permission.label}”: ask an administrator to give it to somebody."
    return refusal, f"{rules.listed(can)} can." if can else nobody


def _address(session: Session, viewer: Viewer, supplier: Supplier) -> str:
    """Return the network address an application came from, to people who may decide about it."""
    if supplier.source != "application" or Permission.SUPPLIERS_APPROVE not in viewer.permissions:
        return ""
    change, trail = audit_change.c, audit_operation.c
    statement = (
        sa.select(trail.client_ip)
        .join_from(audit_change, audit_operation, trail.id == change.operation_id)
        .where(change.table_name == "supplier", change.pk == str(supplier.id), trail.name == APPLYING)
        # Of whoever applies again, the last application is the one to decide about.
        .order_by(change.id.desc())
        .limit(1)
    )
    return session.scalar(statement) or ""


def decided_lately(session: Session) -> list[Decision]:
    """Return the last decisions, newest first."""
    statement = (
        sa.select(Supplier, col(UserInfo.full_name))
        .outerjoin(UserInfo, col(UserInfo.user_id) == col(Supplier.decided_by))
        .where(col(Supplier.decided_at).is_not(None), col(Supplier.status) != SupplierStatus.PENDING)
        .order_by(col(Supplier.decided_at).desc(), col(Supplier.id).desc())
        .limit(DECISIONS_SHOWN)
    )
    rows: Sequence[Any] = session.execute(statement).all()
    return [Decision(row.id or 0, row.name, row.status, by or "Import", row.decided_at.isoformat()) for row, by in rows]


def count_waiting(session: Session, viewer: Viewer) -> WaitingCounts:
    """Count the suppliers that wait for anybody, for this viewer, and for long."""
    total, yours, late = session.execute(
        sa.select(
            sa.func.count(),
            sa.func.count().filter(rules.may_be_decided_by(session, viewer.user_id)),
            sa.func.count().filter(col(Supplier.submitted_at) < now() - LONG),
        ).where(col(Supplier.status) == SupplierStatus.PENDING)
    ).one()
    return WaitingCounts(total, yours if Permission.SUPPLIERS_APPROVE in viewer.permissions else 0, late)
