"""Sets of changes: proposed as rows of before and after, checked and written under locks, taken back as a whole.

The one mechanism for every field of `_change_fields.py`. Locks: the set first, then its records in id order. A row is
stale when its record no longer holds what it held when the change was proposed; to be taken back, what it was given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.audit.tables import audit_change
from inventory_app.database.locks import lock
from inventory_app.errors import AlreadyDecided, Conflict, Invalid, InvalidRows, NotFound, Stale
from inventory_app.models._base import now
from inventory_app.models.catalog import PriceStatus
from inventory_app.models.lists import ChangeSet, ChangeSetStatus
from inventory_app.models.stock import StockMovement
from inventory_app.operations import _approvals, _prices
from inventory_app.operations._change_fields import FIELDS, ITEM, PRICE, PRODUCT, QUANTITY, ROW, Field, Writing
from inventory_app.operations._counter_entries import take_back
from inventory_app.operations._fields import Fields
from inventory_app.operations._item_at import hold_costs
from inventory_app.operations._operation import acting_user_id, require
from inventory_app.operations._prices import any_of
from inventory_app.permissions import Permission

#: The name of the kind of request that a set with large changes of prices waits for.
APPROVAL = "price_change"
#: More records than these are changed in several sets: everybody else waits for their locks.
MOST_ROWS = 20_000
STALE = "stale"
_CLOSED = {
    ChangeSetStatus.APPLIED: "This set of changes was applied already.",
    ChangeSetStatus.REVERTED: "This set of changes was taken back.",
    ChangeSetStatus.DISCARDED: "This set of changes was discarded.",
}


def propose(  # as many as a set has columns
    session: Session,
    one: Field,
    *,
    ids: Sequence[int],
    after: Any,
    title: str,
    reason: str,
    effective_on: date | None = None,
) -> ChangeSet:
    """Keep what shall change as a draft: `after` is the new value, as an expression over the field's records.

    Records that hold it already are left out; `Invalid` when that are all of them.
    """
    # Whether a value is there already, and how many rows have another, tells what they hold.
    require(session, one.sees)
    if not ids:
        raise Invalid("Select some rows first.")
    if len(set(ids)) > MOST_ROWS:
        raise Invalid(f"At most {MOST_ROWS:,} can be changed at once. Narrow the list down, or select fewer.")
    fields = Fields()
    named = fields.line("title", title, required=True) or ""
    why = fields.text("reason", reason, most=1_000) or ""
    fields.check()
    change_set = ChangeSet(
        kind=one.kind,
        title=named,
        reason=why,
        row_count=0,
        effective_on=effective_on,
        created_by=acting_user_id() or 0,
    )
    session.add(change_set)
    session.flush()
    table = one.source.table
    before, then = one.text(table.c[one.name]), one.text(after)
    version = table.c.version if "version" in table.c else sa.null()
    rows = (
        sa.select(sa.literal(change_set.id), table.c.id, sa.literal(one.name), before, then, version)
        .where(table.c.id == any_of(set(ids)), before.is_distinct_from(then))
        .order_by(table.c.id)
    )
    names = ("change_set_id", "subject_id", "field", "before", "after", "version")
    done = session.execute(sa.insert(ROW).from_select(names, rows, include_defaults=False).returning(ROW.c.subject_id))
    change_set.row_count = len(done.all())
    if not change_set.row_count:
        raise Invalid("Nothing would change: all of them are like that already.")
    return change_set


def locked(session: Session, change_set_id: int, *, version: int | None = None) -> ChangeSet:
    """Lock a set; `Stale` when it is not as it was read."""
    found = lock(session, ChangeSet, [change_set_id]).get(change_set_id)
    if found is None:
        raise NotFound("There is no such set of changes. Reload the page.")
    if version is not None and found.version != version:
        raise Stale
    return found


def must_be(change_set: ChangeSet, status: ChangeSetStatus) -> None:
    """Refuse what a set is not ready for."""
    if change_set.status == status:
        return
    sentence = _CLOSED.get(ChangeSetStatus(change_set.status), "This set of changes was never applied.")
    raise AlreadyDecided(sentence)


def fields_in(session: Session, change_set_id: int) -> list[Field]:
    """Return which fields a set changes."""
    names = set(session.scalars(sa.select(ROW.c.field).where(ROW.c.change_set_id == change_set_id).distinct()))
    return [one for name, one in FIELDS.items() if name in names]


@dataclass(frozen=True, slots=True)
class Looked:
    """A row of a set beside its record as it is now; `fault` is empty where nothing is in the way."""

    subject_id: int
    field: str
    before: str | None
    after: str | None
    now: str | None
    sku: str
    name: str
    place: str
    unit: str
    currency: str
    fault: str


def looked_at(one: Field, change_set: ChangeSet, *, undo: bool) -> Any:
    """Select the rows of a field with what their records hold, as `Looked`; `undo` asks about taking them back."""
    source = one.source
    holds = one.text(one.column)
    if undo and one is PRICE and waits_for_its_day(change_set):
        holds = one.text(_prices.planned_of(change_set.id or 0))
    expected, wanted = (ROW.c.after, ROW.c.before) if undo else (ROW.c.before, ROW.c.after)
    cases: list[tuple[Any, Any]] = [(holds.is_distinct_from(expected), STALE)]
    # Also on the way back: what was reserved or closed meanwhile has changed no value of the record.
    cases += [(condition, sentence) for condition, sentence in one.rules(one.value(wanted))]
    if not undo and one is PRICE and change_set.effective_on and change_set.effective_on > _prices.today():
        cases.append((_planned_on(_prices.beginning(change_set.effective_on)), "another price is planned for that day"))
    unit = PRODUCT.c.unit_code
    return (
        sa.select(
            ROW.c.subject_id,
            ROW.c.field,
            ROW.c.before,
            ROW.c.after,
            holds.label("now"),
            sa.func.coalesce(source.sku, "").label("sku"),
            sa.func.coalesce(source.name, "").label("name"),
            sa.func.coalesce(source.place, "").label("place"),
            sa.func.coalesce(unit, "").label("unit"),
            sa.func.coalesce(PRODUCT.c.currency, "").label("currency"),
            sa.case(*cases, else_="").label("fault"),
        )
        .select_from(ROW.join(source.joined, source.table.c.id == ROW.c.subject_id))
        .where(ROW.c.change_set_id == change_set.id, ROW.c.field == one.name)
    )


def _planned_on(when: datetime) -> sa.ColumnElement[bool]:
    price = _prices.PRICES
    return sa.exists().where(
        price.c.product_id == PRODUCT.c.id,
        price.c.status == PriceStatus.PLANNED,
        price.c.valid_from == when,
    )


def waits_for_its_day(change_set: ChangeSet) -> bool:
    """Tell whether what a set changes is planned and its day has not come."""
    applied = change_set.status == ChangeSetStatus.APPLIED
    return applied and change_set.effective_on is not None and change_set.effective_on > _prices.today()


def sentence(fault: str, now_said: str) -> str:
    """Say what is in the way of a row."""
    return f"was changed meanwhile: it is {now_said or 'empty'} now" if fault == STALE else fault


def apply(session: Session, change_set: ChangeSet) -> None:
    """Write every row of a locked draft, or none: `InvalidRows` lists all that cannot be."""
    must_be(change_set, ChangeSetStatus.DRAFT)
    for one in fields_in(session, change_set.id or 0):
        rows = _checked(session, one, change_set, undo=False)
        writing = Writing(change_set.id or 0, change_set.reason or change_set.title, change_set.effective_on)
        one.write(session, one, writing, [(row.subject_id, row.before, row.after) for row in rows])
    change_set.status, change_set.applied_at = ChangeSetStatus.APPLIED, now()
    change_set.version += 1
    session.flush()


def revert(session: Session, change_set: ChangeSet) -> None:
    """Write back what the records of a locked, applied set held before, or nothing at all."""
    must_be(change_set, ChangeSetStatus.APPLIED)
    for one in fields_in(session, change_set.id or 0):
        planned = waits_for_its_day(change_set)
        rows = _checked(session, one, change_set, undo=True)
        if one is PRICE and planned:
            _prices.cancel_set(session, change_set.id or 0)
            continue
        back = Writing(change_set.id or 0, f"Taken back: {change_set.title}")
        if one is QUANTITY:
            # With the value each was booked with, as every posting is taken back.
            take_back(session, _booked(session, change_set.id or 0), note=back.reason)
            continue
        one.write(session, one, back, [(row.subject_id, row.after, row.before) for row in rows])
    change_set.status, change_set.reverted_at = ChangeSetStatus.REVERTED, now()
    change_set.version += 1
    session.flush()


def _booked(session: Session, change_set_id: int) -> Sequence[StockMovement]:
    """Return what applying a set has booked: its operation is the one of those about the set that booked anything."""
    about = sa.select(audit_change.c.operation_id).where(
        audit_change.c.table_name == "change_set", audit_change.c.pk == str(change_set_id)
    )
    booked = sa.select(StockMovement).where(col(StockMovement.operation_id).in_(about))
    return session.scalars(booked.order_by(col(StockMovement.id))).all()


def _checked(session: Session, one: Field, change_set: ChangeSet, *, undo: bool) -> list[Looked]:
    """Lock the records of a field in id order and return its rows, none of which has a fault."""
    # The ids are those of the rows, which nobody changes: what is read under the locks is what was committed last.
    ids = list(
        session.scalars(
            sa.select(ROW.c.subject_id).where(ROW.c.change_set_id == change_set.id, ROW.c.field == one.name)
        )
    )
    if one is QUANTITY:
        # What is taken back makes a new average.
        hold_costs(session, ids, alone=undo)
        session.execute(sa.select(ITEM.c.id).where(ITEM.c.id == any_of(ids)).order_by(ITEM.c.id).with_for_update())
        session.expire_all()
    else:
        _prices.lock_products(session, any_of(ids))
    if one is PRICE:
        _prices.apply_due(session, ids)
    rows = [Looked(*row) for row in session.execute(looked_at(one, change_set, undo=undo).order_by(ROW.c.subject_id))]
    faults = [
        (number, row.sku or str(row.subject_id), sentence(row.fault, _plain(one, row.now)))
        for number, row in enumerate(rows, start=1)
        if row.fault
    ]
    if faults:
        what = "taken back" if undo else "changed"
        message = f"{len(faults):,} of {len(rows):,} cannot be {what}, so none was:"
        raise InvalidRows(message, faults)
    return rows


def _plain(one: Field, text: str | None) -> str:
    """Say a value where nobody knows who reads it: a price is not said."""
    return "something else" if one.sees == Permission.PRICES_VIEW else text or ""


def discard(session: Session, change_set: ChangeSet) -> None:
    """Close a locked draft that shall not be applied."""
    must_be(change_set, ChangeSetStatus.DRAFT)
    if _approvals.open_about(session, APPROVAL, change_set.id or 0):
        raise Conflict("This waits for somebody's agreement. Whoever asked for that takes the request back first.")
    close(session, change_set)


def close(session: Session, change_set: ChangeSet) -> None:
    """Mark a locked draft as discarded."""
    change_set.status = ChangeSetStatus.DISCARDED
    change_set.version += 1
    session.flush()


def large_rows(change_set_id: int) -> Any:
    """Return the condition for rows of a set whose prices change by more than is allowed without agreement."""
    before, after = PRICE.value(ROW.c.before), PRICE.value(ROW.c.after)
    return sa.and_(
        ROW.c.change_set_id == change_set_id, ROW.c.field == PRICE.name, _prices.is_large_in_sql(before, after)
    )


def needs_agreement(session: Session, change_set: ChangeSet) -> bool:
    """Tell whether somebody else must agree before a set is applied."""
    return bool(session.scalar(sa.select(sa.select(ROW.c.subject_id).where(large_rows(change_set.id or 0)).exists())))


def ask_for_agreement(session: Session, change_set: ChangeSet) -> None:
    """Ask for somebody else's agreement: whoever proposed it, or wants to apply it, cannot give it."""
    _approvals.request(
        session,
        kind=APPROVAL,
        subject_id=change_set.id or 0,
        permission=Permission.PRICES_UPDATE,
        parties=[(change_set.created_by, "entered"), (acting_user_id(), "requested")],
        reason=change_set.reason or None,
    )
