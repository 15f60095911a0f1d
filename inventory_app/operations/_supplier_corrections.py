"""Corrections that people of a supplier propose: the record stays as it is until somebody of us has agreed.

A proposal changes nothing and sends nobody back to pending: name, tax id and bank account are not among its fields.
Otherwise whoever got into the mailbox of a supplier could lead our orders and questions elsewhere.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.models.approvals import Approval, ApprovalStatus
from inventory_app.models.suppliers import Supplier, SupplierCorrection, SupplierStatus
from inventory_app.operations import _approvals
from inventory_app.operations._approvals import Kind, Subject
from inventory_app.operations._supplier_approvals import ask
from inventory_app.permissions import Permission

KIND = "supplier_correction"
#: Column -> its label.
FIELDS = {
    "contact_name": "Contact",
    "contact_title": "Contact's title",
    "email": "E-mail",
    "phone": "Phone",
    "website": "Website",
    "address": "Address",
    "city": "City",
    "postal_code": "Postal code",
    "country": "Country",
}


def differences(supplier: Supplier, correction: SupplierCorrection) -> list[tuple[str, str, str]]:
    """Return (label, as it is, as it shall be) of what the correction would change now."""
    pairs = [(label, getattr(supplier, name) or "", getattr(correction, name) or "") for name, label in FIELDS.items()]
    return [(label, before, after) for label, before, after in pairs if before != after]


def waiting(session: Session, supplier_id: int) -> tuple[Approval, SupplierCorrection] | None:
    """Return the correction of the supplier's data that waits, with its request."""
    return session.exec(
        select(Approval, SupplierCorrection)
        .join(SupplierCorrection, col(SupplierCorrection.id) == col(Approval.subject_id))
        .where(
            Approval.kind == KIND,
            Approval.status == ApprovalStatus.OPEN,
            SupplierCorrection.supplier_id == supplier_id,
        )
    ).first()


def ask_for(session: Session, correction: SupplierCorrection) -> None:
    """Ask for a decision about a new correction, under the supplier's lock."""
    _approvals.request(session, kind=KIND, subject_id=correction.id or 0, permission=Permission.SUPPLIERS_APPROVE)


def _lock(session: Session, correction_id: int) -> None:
    lock(session, Supplier, [session.get_one(SupplierCorrection, correction_id).supplier_id])


def _approved(session: Session, approval: Approval, reason: str | None) -> None:
    del reason
    correction = session.get_one(SupplierCorrection, approval.subject_id)
    supplier = session.get_one(Supplier, correction.supplier_id)
    editors = [supplier.last_edited_by] if supplier.last_edited_by else []
    for name in FIELDS:
        setattr(supplier, name, getattr(correction, name))
    supplier.last_edited_by = correction.proposed_by
    supplier.version += 1
    if supplier.status == SupplierStatus.PENDING:
        # Who decides about the supplier itself shall have read this.
        ask(session, [supplier], edited_by=editors)


def _describe(session: Session, approvals: Sequence[Approval]) -> dict[int, Subject]:
    ids = [approval.subject_id for approval in approvals]
    found = {
        correction.id: (correction, supplier)
        for correction, supplier in session.execute(
            sa.select(SupplierCorrection, Supplier)
            .join(Supplier, col(Supplier.id) == col(SupplierCorrection.supplier_id))
            .where(col(SupplierCorrection.id).in_(ids))
        )
    }
    return {approval.id or 0: _subject(*found[approval.subject_id]) for approval in approvals}


def _subject(correction: SupplierCorrection, supplier: Supplier) -> Subject:
    details = [
        (label, f"{before or 'nothing'} → {after or 'nothing'}")
        for label, before, after in differences(supplier, correction)
    ]
    return Subject(
        f"Contact data of {supplier.name}",
        f"/suppliers/{supplier.id}",
        Permission.SUPPLIERS_VIEW,
        [("Proposed by", "the supplier, in the portal"), *details],
        supplier.version,
    )


SUPPLIER_CORRECTION = Kind(
    name=KIND,
    label="Supplier's data",
    permission=Permission.SUPPLIERS_APPROVE,
    describe=_describe,
    approved=_approved,
    lock=_lock,
    parts={"requested": "You proposed this, so somebody of the company that buys from you decides."},
)
