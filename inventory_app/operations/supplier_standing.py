"""What becomes of an approved supplier: suspended, reinstated, approved again, and who is reminded that it ends.

Whoever may approve suppliers may suspend one, also who entered it: stopping is always safe. Reinstating is for
nobody who entered or last edited it, as approving is.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.database.locks import lock
from inventory_app.errors import Conflict
from inventory_app.models._base import now
from inventory_app.models.documents import Document
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.models.users import HOLDINGS, LocalUser, UserInfo
from inventory_app.operations._fields import checked_reason
from inventory_app.operations._operation import acting_user_id, operation, query
from inventory_app.operations._supplier_approvals import ask
from inventory_app.operations._supplier_before import edited_since
from inventory_app.operations._supplier_changes import read_as, undecided
from inventory_app.operations._supplier_rules import why_not_reinstate
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

_MOST_ENDING = 100
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Stood:
    """Where a supplier stands now."""

    supplier_id: int
    name: str
    status: str


@dataclass(frozen=True, slots=True)
class Ending:
    """Something of a supplier that ends soon, or has ended: its approval, or a document."""

    supplier_id: int
    supplier: str
    what: str
    on: str
    over: bool


@dataclass(frozen=True, slots=True)
class Reminder:
    """Suppliers whose approval ends, documents of suppliers that end, each with the day, and to whom that is said."""

    suppliers: list[tuple[str, str]]
    addresses: list[str]
    #: The document, and whose it is.
    documents: list[tuple[str, str]]


@operation(Permission.SUPPLIERS_APPROVE, log=("supplier_id",), reason="reason")
def suspend_supplier(session: Session, *, supplier_id: int, reason: str, version: int | None = None) -> Stood:
    """Stop orders to an approved supplier, with a reason, until somebody reinstates it."""
    kept = checked_reason(reason, missing="Say why it is suspended: whoever wants to order there reads it.")
    supplier = read_as(session, supplier_id, version)
    if supplier.status != SupplierStatus.APPROVED:
        message = f"{supplier.name} is {supplier.status}: only an approved supplier can be suspended."
        raise Conflict(message)
    _stands(supplier, SupplierStatus.SUSPENDED, kept)
    return Stood(supplier_id, supplier.name, supplier.status)


@operation(Permission.SUPPLIERS_APPROVE, log=("supplier_id",), reason="reason")
def reinstate_supplier(session: Session, *, supplier_id: int, reason: str, version: int | None = None) -> Stood:
    """Let orders go to a suspended supplier again; where its name, tax id or bank changed it waits for a decision."""
    kept = checked_reason(reason, missing="Say why it is reinstated: the reason is kept in the history.")
    supplier = read_as(session, supplier_id, version)
    if refusal := why_not_reinstate(session, supplier, acting_user_id()):
        raise refusal
    if supplier.approved_at is None:
        return _ask_again(session, supplier)
    _stands(supplier, SupplierStatus.APPROVED, kept)
    return Stood(supplier_id, supplier.name, supplier.status)


@operation(Permission.SUPPLIERS_EDIT, log=("supplier_id",), reason="reason")
def ask_again(session: Session, *, supplier_id: int, reason: str = "", version: int | None = None) -> Stood:
    """Ask for an approved supplier to be approved anew, as when its approval ends; somebody else decides."""
    checked_reason(reason)
    supplier = read_as(session, supplier_id, version)
    if supplier.status != SupplierStatus.APPROVED:
        message = f"{supplier.name} is {supplier.status}: only an approved supplier is approved again."
        raise Conflict(message)
    return _ask_again(session, supplier)


def _ask_again(session: Session, supplier: Supplier) -> Stood:
    undecided(supplier)
    supplier.submitted_at = now()
    session.flush()
    ask(session, [supplier], edited_by=edited_since(session, supplier))
    return Stood(supplier.id or 0, supplier.name, supplier.status)


def _stands(supplier: Supplier, status: SupplierStatus, reason: str | None) -> None:
    supplier.status = status
    supplier.decided_by, supplier.decided_at, supplier.decision_reason = acting_user_id(), now(), reason
    supplier.version += 1


@query(Permission.SUPPLIERS_VIEW)
def ending_soon(session: Session) -> list[Ending]:
    """List the approvals and the documents of approved suppliers that end within the time set, the first one first."""
    last, today = _last_day(), now().date()
    approvals = session.execute(
        sa.select(col(Supplier.id), col(Supplier.name), sa.literal("Approval"), col(Supplier.valid_until))
        .where(col(Supplier.status) == SupplierStatus.APPROVED, col(Supplier.valid_until) <= last)
        .order_by(col(Supplier.valid_until), col(Supplier.id))
        .limit(_MOST_ENDING)
    ).all()
    documents = session.execute(
        sa.select(col(Supplier.id), col(Supplier.name), col(Document.name), col(Document.expires_on))
        .join_from(Document, Supplier, col(Supplier.id) == col(Document.subject_id))
        .where(
            col(Document.subject_type) == "supplier",
            col(Document.removed_at).is_(None),
            col(Document.expires_on) <= last,
            col(Supplier.status) == SupplierStatus.APPROVED,
        )
        .order_by(col(Document.expires_on), col(Document.id))
        .limit(_MOST_ENDING)
    ).all()
    rows = sorted([*approvals, *documents], key=lambda row: (row[3], row[0]))[:_MOST_ENDING]
    return [Ending(id_, name, what, f"{on:%-d %b %Y}", on < today) for id_, name, what, on in rows]


def _last_day() -> date:
    return now().date() + timedelta(days=get_settings().supplier_reminder_days)


def _approvals_to_remind() -> sa.Select[int]:
    return (
        sa.select(sa.type_coerce(col(Supplier.id), sa.BigInteger))
        .where(
            col(Supplier.status) == SupplierStatus.APPROVED,
            col(Supplier.valid_until) <= _last_day(),
            col(Supplier.reminded_at).is_(None),
        )
        .order_by(col(Supplier.id))
        .limit(_AT_ONCE)
    )


def _documents_to_remind() -> sa.Select[int]:
    return (
        sa.select(sa.type_coerce(col(Document.id), sa.BigInteger))
        .join(Supplier, col(Supplier.id) == col(Document.subject_id))
        .where(
            col(Document.subject_type) == "supplier",
            col(Document.removed_at).is_(None),
            col(Document.expires_on) <= _last_day(),
            col(Document.reminded_at).is_(None),
            col(Supplier.status) == SupplierStatus.APPROVED,
        )
        .order_by(col(Document.id))
        .limit(_AT_ONCE)
    )


@query()
def any_to_remind(session: Session) -> bool:
    """Tell whether approvals or documents of suppliers end soon that nobody was reminded of."""
    asked = sa.or_(_approvals_to_remind().exists(), _documents_to_remind().exists())
    return session.scalar(sa.select(asked)) or False


@operation(machine=True)
def remind(session: Session) -> Reminder:
    """Put down that what ends soon was said to end, each once; returns what is to be said to whom."""
    found = lock(session, Supplier, session.scalars(_approvals_to_remind()))
    due = [one for one in found.values() if one.reminded_at is None and one.valid_until]
    papers = lock(session, Document, session.scalars(_documents_to_remind()))
    ending = [one for one in papers.values() if one.reminded_at is None and one.removed_at is None and one.expires_on]
    for row in (*due, *ending):
        row.reminded_at = now()
    ends = [(one.name, _said(one.valid_until)) for one in sorted(due, key=lambda one: str(one.valid_until))]
    names = _names(session, {one.subject_id for one in ending})
    documents = [
        (f"{one.name} of {names[one.subject_id]}", _said(one.expires_on))
        for one in sorted(ending, key=lambda one: (str(one.expires_on), one.id))
    ]
    deciders = sa.select(HOLDINGS.c.user_id).where(HOLDINGS.c.permission == Permission.SUPPLIERS_APPROVE)
    addresses = session.scalars(
        sa.select(col(UserInfo.email))
        .join(LocalUser, col(LocalUser.id) == col(UserInfo.user_id))
        .where(col(LocalUser.enabled), col(LocalUser.id).in_(deciders), col(UserInfo.email).is_not(None))
        .order_by(col(UserInfo.email))
    )
    return Reminder(ends, list(addresses), documents)


def _said(day: date | None) -> str:
    return f"{day:%-d %b %Y}" if day else ""


def _names(session: Session, supplier_ids: set[int]) -> dict[int, str]:
    named = sa.select(col(Supplier.id), col(Supplier.name)).where(col(Supplier.id).in_(supplier_ids))
    return {row.id: row.name for row in session.execute(named)}
