"""Suppliers: applying, entering, deciding; who entered a supplier never decides about it.

A decision goes through the one engine (`_approvals.py`) and takes the supplier's row lock first, so that of two
people at once exactly one decides.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.database.locks import lock
from inventory_app.errors import AppError, Invalid
from inventory_app.models._base import now
from inventory_app.models.approvals import Verdict
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.operations import _approvals
from inventory_app.operations import _supplier_list as lists
from inventory_app.operations import _supplier_views as views
from inventory_app.operations._fields import Fields, checked_reason
from inventory_app.operations._lists import View
from inventory_app.operations._money import checked_amount
from inventory_app.operations._operation import acting_user_id, current_viewer, operation, query, require
from inventory_app.operations._strangers import slow_down
from inventory_app.operations._supplier_approvals import ask
from inventory_app.operations._supplier_changes import edited, locked, not_stale, put, read_as, undecided
from inventory_app.operations._supplier_fields import EDITABLE, NOTHING_MORE, Details, SupplierFields, checked
from inventory_app.operations._supplier_rules import to_decide
from inventory_app.permissions import Permission

_LONGEST_TO_PAY = 365
_NEEDED_TO_APPLY = ("name", "tax_id", "contact_name", "email", "address")


@dataclass(frozen=True, slots=True)
class Submitted:
    """A supplier that now waits for a decision."""

    supplier_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Corrected:
    """A supplier that was corrected; `returned` tells that it now waits for a decision again."""

    supplier_id: int
    name: str
    returned: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided about which supplier."""

    supplier_id: int
    name: str
    status: str
    #: How many have agreed, of how many that must.
    given: int = 1
    required: int = 1


def said(done: Decided) -> str:
    """Say what was decided, or that somebody else must agree too."""
    if done.status == SupplierStatus.PENDING:
        return f"You approved {done.name}: {done.given} of {done.required}, so it waits for somebody else too"
    return f"{done.status.capitalize()} {done.name}"


@operation(public=True, name=views.APPLYING)
def apply_supplier(  # noqa: PLR0913  # as many as the form has fields
    session: Session,
    *,
    name: str,
    tax_id: str,
    contact_name: str,
    email: str,
    phone: str = "",
    address: str = "",
    website: str = "",
    message: str = "",
) -> Submitted:
    """Take a company's own application; it waits until somebody here decides, other than who may have entered it."""
    slow_down(session, views.APPLYING)
    given = {"name": name, "tax_id": tax_id, "contact_name": contact_name, "email": email, "phone": phone}
    given |= {"address": address, "website": website, "message": message}
    fields = checked(given, required=_NEEDED_TO_APPLY)
    by = acting_user_id()
    return _submit(session, fields, source="application" if by is None else "staff", entered_by=by)


@operation(Permission.SUPPLIERS_CREATE, log=("name",))
def create_supplier(session: Session, *, name: str, details: Details = NOTHING_MORE, message: str = "") -> Submitted:
    """Enter a supplier; it waits until somebody else decides."""
    fields = checked(details.with_name(name) | {"message": message}, required=("name",))
    return _submit(session, fields, source="staff", entered_by=acting_user_id())


def _submit(session: Session, fields: SupplierFields, *, source: str, entered_by: int | None) -> Submitted:
    """Enter a supplier; where one of this name was rejected, this application takes its place."""
    supplier = _rejected_before(session, fields.get("name", ""))
    if supplier is None:
        supplier = Supplier(**fields)
        session.add(supplier)
    else:
        put(supplier, fields)
        undecided(supplier)
    supplier.source, supplier.entered_by, supplier.last_edited_by = source, entered_by, None
    supplier.submitted_at = now()
    session.flush()
    ask(session, [supplier])
    return Submitted(supplier.id or 0, supplier.name)


def _rejected_before(session: Session, name: str) -> Supplier | None:
    """Return the rejected supplier of this name, locked: the name is unique, and a rejection is not for ever."""
    found = session.scalar(sa.select(col(Supplier.id)).where(sa.func.lower(col(Supplier.name)) == sa.func.lower(name)))
    if found is None:
        return None
    supplier = lock(session, Supplier, [found]).get(found)
    return supplier if supplier and supplier.status == SupplierStatus.REJECTED else None


@operation(Permission.SUPPLIERS_EDIT, log=("supplier_id",), reason="reason")
def update_supplier(
    session: Session, *, supplier_id: int, version: int, name: str, details: Details, reason: str = ""
) -> Corrected:
    """Correct a supplier in the version that was read; another name or tax id of an approved one needs a new decision.

    What `details` leave empty is emptied. Whoever corrected it last cannot decide about it.
    """
    values = checked(details.with_name(name), required=("name",))
    checked_reason(reason)
    supplier = read_as(session, supplier_id, version)
    wanted = {field: values[field] for field in EDITABLE if values[field] != getattr(supplier, field)}
    if not wanted:
        message = "Nothing was changed: everything is already as entered."
        raise Invalid(message)
    put(supplier, wanted)
    returned = edited(session, supplier, essential=bool(wanted.keys() & {"name", "tax_id"}))
    return Corrected(supplier_id, supplier.name, returned)


@operation(Permission.SUPPLIERS_EDIT, log=("supplier_id",))
def agree_terms(
    session: Session,
    *,
    supplier_id: int,
    version: int,
    payment_days: int | None = None,
    delivery_terms: str = "",
    minimum_order: Decimal | None = None,
) -> Corrected:
    """Put down when we pay, how goods come and from what amount on they deliver; needs no new decision.

    Without `minimum_order` that stays, 0 takes it away; it needs `prices:view`.
    """
    fields = Fields()
    delivery = fields.line("delivery_terms", delivery_terms, most=100)
    if payment_days is not None and not 0 <= payment_days <= _LONGEST_TO_PAY:
        fields.faults["payment_days"] = f"Enter 0 to {_LONGEST_TO_PAY} days."
    fields.check()
    supplier = read_as(session, supplier_id, version)
    wanted: dict[str, object] = {"payment_days": payment_days, "delivery_terms": delivery}
    if minimum_order is not None and minimum_order != (supplier.minimum_order or 0):
        require(session, Permission.PRICES_VIEW)
        wanted["minimum_order"] = checked_amount(minimum_order, "minimum_order") if minimum_order else None
    if all(getattr(supplier, name) == value for name, value in wanted.items()):
        message = "Nothing was changed: everything is already as entered."
        raise Invalid(message)
    put(supplier, wanted)
    edited(session, supplier, essential=False)
    return Corrected(supplier_id, supplier.name, returned=False)


@operation(Permission.SUPPLIERS_APPROVE, log=("supplier_id",), reason="reason")
def approve_supplier(
    session: Session,
    *,
    supplier_id: int,
    reason: str = "",
    version: int | None = None,
    valid_until: date | None = None,
) -> Decided:
    """Approve a waiting supplier that somebody else entered, until a day or for good; a failed check needs a reason."""
    if valid_until is not None and valid_until <= now().date():
        raise Invalid(fields={"valid_until": "Choose a day that is still to come, or none."})
    return _decide(session, supplier_id, version, Verdict.APPROVE, reason, valid_until)


@operation(Permission.SUPPLIERS_APPROVE, log=("supplier_id",), reason="reason")
def reject_supplier(session: Session, *, supplier_id: int, reason: str, version: int | None = None) -> Decided:
    """Reject a waiting supplier that somebody else entered; always with a reason."""
    return _decide(session, supplier_id, version, Verdict.REJECT, reason)


def _decide(  # as many as a decision has parts
    session: Session,
    supplier_id: int,
    version: int | None,
    verdict: Verdict,
    reason: str,
    valid_until: date | None = None,
) -> Decided:
    """Decide for the acting person about the supplier as they read it, or raise why they cannot."""
    supplier = locked(session, supplier_id)
    approval = to_decide(session, supplier, acting_user_id())
    if isinstance(approval, AppError):
        raise approval
    not_stale(supplier, version)
    if verdict == Verdict.APPROVE:
        # Where somebody else must agree too they find it proposed.
        supplier.valid_until = valid_until
    done = _approvals.decide(session, approval, verdict, reason)
    return Decided(supplier_id, supplier.name, supplier.status, done.given, done.required)


@query(Permission.SUPPLIERS_VIEW)
def supplier_queue(session: Session, *, search: str = "", order: str = "oldest") -> views.Queue:
    """List the suppliers that wait, grouped by how long; `order` is oldest or newest."""
    return views.queue(session, current_viewer(session), search, newest_first=order == "newest")


@query(Permission.SUPPLIERS_VIEW)
def supplier_detail(session: Session, *, supplier_id: int) -> views.SupplierDetail | None:
    """Show one supplier to decide about, or how it was decided; None when there is none."""
    supplier = session.get(Supplier, supplier_id)
    return views.detail(session, current_viewer(session), supplier) if supplier else None


@query(Permission.SUPPLIERS_VIEW)
def decided_lately(session: Session) -> list[views.Decision]:
    """List the last decisions, newest first."""
    return views.decided_lately(session)


@query(Permission.SUPPLIERS_VIEW)
def count_waiting(session: Session) -> views.WaitingCounts:
    """Count the suppliers that wait: all, those this person can decide about, those that wait long."""
    return views.count_waiting(session, current_viewer(session))


@query(Permission.SUPPLIERS_VIEW)
def list_suppliers(session: Session, *, view: View) -> lists.SupplierListing:
    """List the suppliers of every status, with how many there are of each."""
    return lists.listing(session, current_viewer(session), view)


@query(Permission.SUPPLIERS_EDIT)
def supplier_to_edit(session: Session, *, supplier_id: int) -> lists.SupplierValues | None:
    """Return what can be corrected, as it stands, and its version; None when there is no such supplier."""
    supplier = session.get(Supplier, supplier_id)
    if supplier is None:
        return None
    values = {name: getattr(supplier, name) or "" for name in EDITABLE}
    return lists.SupplierValues(supplier_id, supplier.version, supplier.status == SupplierStatus.APPROVED, values)


@query(Permission.SUPPLIERS_VIEW)
def terms_to_edit(session: Session, *, supplier_id: int) -> dict[str, str] | None:
    """Return what was agreed with a supplier as one types it; the smallest order only to who sees prices."""
    supplier = session.get(Supplier, supplier_id)
    if supplier is None:
        return None
    least = supplier.minimum_order if Permission.PRICES_VIEW in current_viewer(session).permissions else None
    return {
        "payment_days": "" if supplier.payment_days is None else str(supplier.payment_days),
        "delivery_terms": supplier.delivery_terms or "",
        "minimum_order": f"{least.normalize():f}" if least is not None else "",
    }
