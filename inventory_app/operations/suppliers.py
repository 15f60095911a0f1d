"""Suppliers: applying, entering, deciding; who entered a supplier never decides about it.

A decision goes through the one engine (`_approvals.py`) and takes the supplier's row lock first, so that of two
people at once exactly one decides.
"""

from dataclasses import dataclass

from sqlmodel import Session

from inventory_app.database.locks import lock
from inventory_app.errors import NotFound, Stale
from inventory_app.models._base import now
from inventory_app.models.approvals import Verdict
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.operations import _approvals
from inventory_app.operations import _supplier_views as views
from inventory_app.operations._operation import acting_user_id, current_viewer, operation, query
from inventory_app.operations._strangers import slow_down
from inventory_app.operations._supplier_approvals import ask, asked_about
from inventory_app.operations._supplier_fields import SupplierFields, checked
from inventory_app.operations._supplier_rules import why_not_decide
from inventory_app.permissions import Permission

_NEEDED_TO_APPLY = ("name", "tax_id", "contact_name", "email", "address")
_APPLYING = "suppliers.apply_supplier"


@dataclass(frozen=True, slots=True)
class Submitted:
    """A supplier that now waits for a decision."""

    supplier_id: int
    name: str


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


@operation(public=True, name=_APPLYING)
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
    """Take a company's own application; it waits until somebody here decides."""
    slow_down(session, _APPLYING)
    given = {"name": name, "tax_id": tax_id, "contact_name": contact_name, "email": email, "phone": phone}
    given |= {"address": address, "website": website, "message": message}
    fields = checked(given, required=_NEEDED_TO_APPLY)
    return _submit(session, fields, source="application", entered_by=None)


@operation(Permission.SUPPLIERS_CREATE, log=("name",))
def create_supplier(  # noqa: PLR0913  # as many as the form has fields
    session: Session,
    *,
    name: str,
    tax_id: str = "",
    contact_name: str = "",
    contact_title: str = "",
    email: str = "",
    phone: str = "",
    website: str = "",
    address: str = "",
    city: str = "",
    postal_code: str = "",
    country: str = "",
    payment_terms: str = "",
    currency: str = "",
    message: str = "",
) -> Submitted:
    """Enter a supplier; it waits until somebody else decides."""
    given = {"name": name, "tax_id": tax_id, "contact_name": contact_name, "contact_title": contact_title}
    given |= {"email": email, "phone": phone, "website": website, "address": address, "city": city}
    given |= {"postal_code": postal_code, "country": country, "payment_terms": payment_terms}
    given |= {"currency": currency.upper(), "message": message}
    fields = checked(given, required=("name",))
    return _submit(session, fields, source="staff", entered_by=acting_user_id())


def _submit(session: Session, fields: SupplierFields, *, source: str, entered_by: int | None) -> Submitted:
    supplier = Supplier(**fields, source=source, entered_by=entered_by, submitted_at=now())
    session.add(supplier)
    session.flush()
    ask(session, [supplier])
    return Submitted(supplier.id or 0, supplier.name)


@operation(Permission.SUPPLIERS_APPROVE, log=("supplier_id",), reason="reason")
def approve_supplier(session: Session, *, supplier_id: int, reason: str = "", version: int | None = None) -> Decided:
    """Approve a waiting supplier that somebody else entered; a failed check needs a reason."""
    return _decide(session, supplier_id, version, Verdict.APPROVE, reason)


@operation(Permission.SUPPLIERS_APPROVE, log=("supplier_id",), reason="reason")
def reject_supplier(session: Session, *, supplier_id: int, reason: str, version: int | None = None) -> Decided:
    """Reject a waiting supplier that somebody else entered; always with a reason."""
    return _decide(session, supplier_id, version, Verdict.REJECT, reason)


def _decide(session: Session, supplier_id: int, version: int | None, verdict: Verdict, reason: str) -> Decided:
    """Decide for the acting person about the supplier as they read it, or raise why they cannot."""
    supplier = lock(session, Supplier, [supplier_id]).get(supplier_id)
    if supplier is None:
        message = "There is no such supplier. Reload the page."
        raise NotFound(message)
    if refusal := why_not_decide(session, supplier, acting_user_id()):
        raise refusal
    if version is not None and supplier.version != version:
        message = f"{supplier.name} was changed after you opened it. Reload the page and read it again."
        raise Stale(message)
    done = _approvals.decide(session, asked_about(session, supplier_id), verdict, reason)
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
