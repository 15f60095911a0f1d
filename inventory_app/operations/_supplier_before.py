"""What a supplier was like when somebody last decided about it, put together from the trail."""

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from inventory_app.audit.tables import audit_change, audit_operation, audit_personal
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.operations._operation import operation_id

#: Somebody who corrects a waiting supplier more often than this is compared with what it was then.
_MOST_CHANGES = 200


def as_decided(session: Session, supplier: Supplier) -> tuple[str, Supplier] | None:
    """Return the last decision and the supplier as it was then; None of one that waits for its first."""
    change = audit_change.c
    found = session.execute(
        sa.select(change.id, change.before, change.after)
        .where(change.table_name == "supplier", change.pk == str(supplier.id), change.kind == "update")
        .order_by(change.id.desc())
        .limit(_MOST_CHANGES)
    ).all()
    values: dict[str, Any] = {}
    changed: dict[int, Mapping[str, Any]] = {}
    decision = ""
    for row in found:
        before = _payload(row.before)
        if decision and "status" in before:
            break  # the decision itself: what follows is older
        if "status" in before and _payload(row.after).get("status") == SupplierStatus.PENDING:
            decision = str(before["status"])
        # From the newest back: what stood there before the oldest of them stays.
        values |= before
        changed[row.id] = before
    if not decision:
        return None
    values |= _personal(session, changed)
    columns = {name: values.get(name, getattr(supplier, name)) for name in Supplier.model_fields}
    return decision, Supplier.model_construct(None, **columns)


def edited_since(session: Session, supplier: Supplier) -> set[int]:
    """Return who corrected the supplier since somebody last decided about it; the open operation is not looked at."""
    change, by = audit_change.c, audit_operation.c
    found = session.execute(
        sa.select(change.before, by.actor_id)
        .join(audit_operation, sa.and_(by.id == change.operation_id, by.recorded_at == change.recorded_at))
        .where(
            change.table_name == "supplier",
            change.pk == str(supplier.id),
            change.kind == "update",
            change.operation_id != operation_id(session),
        )
        .order_by(change.id.desc())
        .limit(_MOST_CHANGES)
    )
    people: set[int] = set()
    for before, person in found:
        status = _payload(before).get("status")
        if status == SupplierStatus.PENDING:
            break  # the decision
        # Who suspended or reinstated it has not edited it.
        people |= {person} if person and status is None else set()
    return people


def _personal(session: Session, changed: Mapping[int, Mapping[str, Any]]) -> dict[str, str | None]:
    """Return contact, e-mail and phone as they were before the oldest of the changes; the trail has only their hash."""
    kept = audit_personal.c
    rows = session.execute(
        sa.select(kept.change_id, kept.field, kept.before)
        .where(kept.change_id.in_(changed))
        .order_by(kept.change_id.desc())
    )
    return {row.field: row.before for row in rows if row.field in changed[row.change_id]}


def _payload(value: Any) -> Mapping[str, Any]:
    return json.loads(value) if isinstance(value, str) else value or {}
