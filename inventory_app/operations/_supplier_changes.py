"""What every change of a supplier shares: its lock, the version that was read, and whether it needs a new decision."""

from collections.abc import Mapping

from sqlmodel import Session, SQLModel

from inventory_app.database.locks import lock
from inventory_app.errors import NotFound, Stale
from inventory_app.models._base import now
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.operations._operation import acting_user_id
from inventory_app.operations._supplier_approvals import ask
from inventory_app.operations._supplier_before import edited_since


def read_as(session: Session, supplier_id: int, version: int | None) -> Supplier:
    """Lock the supplier, if it still is what the person has read."""
    supplier = locked(session, supplier_id)
    not_stale(supplier, version)
    return supplier


def locked(session: Session, supplier_id: int) -> Supplier:
    """Lock the supplier, or say that there is none."""
    supplier = lock(session, Supplier, [supplier_id]).get(supplier_id)
    if supplier is None:
        message = "There is no such supplier. Reload the page."
        raise NotFound(message)
    return supplier


def not_stale(supplier: Supplier, version: int | None) -> None:
    """Refuse what was decided on an earlier version than the supplier is in."""
    if version is not None and supplier.version != version:
        message = f"{supplier.name} was changed after you opened it. Reload the page and read it again."
        raise Stale(message)


def put(row: SQLModel, values: Mapping[str, object]) -> None:
    """Set columns of a row."""
    for name, value in values.items():
        setattr(row, name, value)


def undecided(supplier: Supplier) -> None:
    """Let it wait for a decision; the one before is in the trail."""
    supplier.status = SupplierStatus.PENDING
    supplier.decided_by = supplier.decided_at = supplier.approved_at = supplier.decision_reason = None
    supplier.version += 1


def edited(session: Session, supplier: Supplier, *, essential: bool) -> bool:
    """Put down who edited the locked supplier; tells whether an approved one waits again, since it is `essential`.

    Name, tax id and bank account are essential: they say who is paid. Of a suspended supplier the approval no longer
    stands then, so that reinstating it asks for a new one.
    """
    supplier.last_edited_by = acting_user_id()
    returned = essential and supplier.status == SupplierStatus.APPROVED
    if returned:
        undecided(supplier)
        supplier.submitted_at = now()
    else:
        if essential and supplier.status == SupplierStatus.SUSPENDED:
            supplier.approved_at = None
        supplier.version += 1
    if supplier.status == SupplierStatus.PENDING:
        # What was decided so far was decided about other data.
        session.flush()
        ask(session, [supplier], edited_by=edited_since(session, supplier) if returned else ())
    return returned
