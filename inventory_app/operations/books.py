"""The books: whether everything that is kept beside the ledger is what the ledger says, and putting it right.

The movements are the facts and are never touched. What items hold, what the company has of a product, what lists sort
by and the sums of the past are kept beside them: a check recomputes all of it, in parts that take a moment each, and
names the first entry that disagrees; a rebuild writes what the movements say over what differs.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.context import current_actor
from inventory_app.database.locks import CHECKING_BOOKS, lock, lock_rule
from inventory_app.errors import Conflict, Invalid, NotFound
from inventory_app.models._base import now
from inventory_app.models.catalog import Location, Product
from inventory_app.models.stock import InventoryItem
from inventory_app.models.totals import BooksCheck
from inventory_app.operations import _books_parts
from inventory_app.operations._books_parts import Found
from inventory_app.operations._ledger import say
from inventory_app.operations._operation import operation, query
from inventory_app.operations._people_names import names_of
from inventory_app.permissions import Permission

#: A check that has not got on for so long belongs to nobody any more: whoever comes by goes on with it.
FORGOTTEN = timedelta(minutes=1)
#: How old a check may get before the next is due.
DUE = timedelta(hours=24)
_MOST_FAULTS = 1_000
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One thing that disagrees: of which item, product or moment, what it says and what the movements come to."""

    kind: str
    title: str
    said: str
    href: str
    sequence: str
    operation_id: str
    at: str
    says: str
    sum: str


@dataclass(frozen=True, slots=True)
class Check:
    """How far a check is and what it has found so far; `id` 0: the books were never checked."""

    id: int
    doing: str
    done: int
    total: int
    percent: int
    movements: str
    faults: int
    shown: list[FaultRow]
    note: str
    started_at: str
    started_by: str
    finished_at: str
    #: Whether it waits for somebody to go on with it.
    forgotten: bool


_NONE = Check(0, "", 0, 0, 0, "0", 0, [], "", "", "", "", forgotten=False)


@operation(Permission.AUDIT_VIEW)
def begin_check(session: Session) -> int:
    """Begin to check the books, or find the check that is under way; returns its number."""
    # Of two at once the second finds the first one's.
    lock_rule(session, CHECKING_BOOKS)
    running = session.scalars(
        sa.select(BooksCheck).where(col(BooksCheck.finished_at).is_(None)).order_by(col(BooksCheck.id).desc()).limit(1)
    ).first()
    if running is not None:
        return running.id or 0
    made = BooksCheck(
        started_at=now(), started_by=current_actor().name, plan=_books_parts.planned(session), seen_at=now()
    )
    session.add(made)
    session.flush()
    return made.id or 0


@query(Permission.AUDIT_VIEW)
def last_check(session: Session) -> Check:
    """Return the last check, finished or not."""
    found = session.scalars(sa.select(BooksCheck).order_by(col(BooksCheck.id).desc()).limit(1)).first()
    return _check(session, found) if found else _NONE


@query(Permission.AUDIT_VIEW)
def check_part(session: Session, *, check_id: int) -> tuple[int, Found]:
    """Check the next part; returns its number and what was found. Whoever asked puts it down with `note_part`."""
    found = session.get(BooksCheck, check_id)
    if found is None:
        raise NotFound
    if found.finished_at is not None or found.done >= len(found.plan):
        return found.done, Found()
    return found.done + 1, _books_parts.check(session, found.plan[found.done])


def note_part(session: Session, *, check_id: int, number: int, found: Found) -> None:
    """Put down what a part has found, once; the last one ends the check."""
    check = session.exec(select(BooksCheck).where(BooksCheck.id == check_id).with_for_update()).one()
    if check.finished_at is None and number == check.done + 1:
        check.done = number
        check.movements += found.movements
        check.faults = [*check.faults, *found.faults][:_MOST_FAULTS]
        check.notes = [*check.notes, *found.notes]
    check.seen_at = now()
    if check.finished_at is None and check.done >= len(check.plan):
        check.finished_at = now()
    session.add(check)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many items, products and closed parts were put right."""

    items: int
    products: int
    parts: int

    @property
    def said(self) -> str:
        """Say it in a sentence."""
        if not (self.items or self.products or self.parts):
            return "There was nothing to put right"
        return f"Put right: {self.items} items, {self.products} products, {self.parts} sums of the past"


@operation(Permission.INVENTORY_REBUILD, log=("check_id",), reason="reason")
def rebuild_books(session: Session, *, check_id: int, reason: str) -> Rebuilt:
    """Write what the movements say over what a check has found to disagree; no movement is touched.

    Each item is looked at again under its lock, so what was put right or booked meanwhile stays as it is.
    """
    if not reason.strip():
        raise Invalid(fields={"reason": "Say why, it stays on record."})
    check = session.get(BooksCheck, check_id)
    if check is None or check.finished_at is None:
        message = "This check is not finished. Wait for it, or check the books again."
        raise Conflict(message)
    about = {"item": "item_id", "worth": "item_id", "shipment": "item_id"}
    wrong = {fault[about[fault["kind"]]] for fault in check.faults if fault["kind"] in about}
    products = {fault["product_id"] for fault in check.faults if fault.get("product_id")}
    changed = _rebuild_items(session, sorted(wrong))
    session.flush()
    session.connection().exec_driver_sql("SELECT audit_stock_again(%(ids)s)", {"ids": sorted(products)})
    parts = [fault["at"] for fault in check.faults if fault["kind"] == "total"]
    for through in sorted(parts):
        session.connection().exec_driver_sql("SELECT audit_sum_again(%(at)s)", {"at": datetime.fromisoformat(through)})
    return Rebuilt(changed, len(products), len(parts))


def _rebuild_items(session: Session, ids: list[int]) -> int:
    items = lock(session, InventoryItem, ids)
    sums = session.connection().exec_driver_sql(
        "SELECT item.id, coalesce(sum(m.quantity), 0), coalesce(max(m.sequence), 0) FROM inventory_item item"
        " LEFT JOIN stock_movement m ON m.item_id = item.id WHERE item.id = ANY (%(ids)s) GROUP BY item.id",
        {"ids": ids},
    )
    changed = 0
    for item_id, quantity, last in sums:
        item = items[item_id]
        if (item.quantity, item.sequence) == (quantity, last):
            continue
        if quantity < 0:
            message = (
                f"The movements of item {item_id} come to {say(quantity)}, and nothing can hold less than nothing: "
                "a movement is wrong. The check names it; restore it from a backup."
            )
            raise Conflict(message)
        item.quantity, item.sequence = quantity, last
        item.changed_at, item.changed_by = now(), current_actor().name
        session.add(item)
        changed += 1
    return changed


def books_balance(session: Session) -> list[tuple[int, Decimal, Decimal]]:
    """Return every item whose quantity is not the sum of its movements, as (item, quantity, sum)."""
    result = session.execute(
        sa.text(
            "SELECT i.id, i.quantity, coalesce(sum(m.quantity), 0) FROM inventory_item i "
            "LEFT JOIN stock_movement m ON m.item_id = i.id GROUP BY i.id "
            "HAVING i.quantity <> coalesce(sum(m.quantity), 0) "
            "OR i.sequence <> count(m.id) ORDER BY i.id"
        )
    )
    return [(row[0], row[1], row[2]) for row in result]


def is_due(session: Session) -> bool:
    """Tell whether the books were not checked for a day, or a check was left in the middle."""
    found = session.scalars(sa.select(BooksCheck).order_by(col(BooksCheck.id).desc()).limit(1)).first()
    if found is None:
        return True
    return found.seen_at < now() - (FORGOTTEN if found.finished_at is None else DUE)


def _check(session: Session, found: BooksCheck) -> Check:
    faults = list(_books_parts.first_of(found.faults))
    total, done = len(found.plan), found.done
    at = found.plan[min(done, total - 1)]["what"] if total else ""
    running = found.finished_at is None
    return Check(
        id=found.id or 0,
        doing=_books_parts.WORDS.get(at, "") if running else "",
        done=done,
        total=total,
        percent=100 * done // total if total else 100,
        movements=f"{found.movements:,}",
        faults=len(faults),
        shown=_rows(session, faults[:_SHOWN]),
        note=_note(found.notes),
        started_at=found.started_at.isoformat(),
        started_by=_person(session, found.started_by),
        finished_at="" if found.finished_at is None else found.finished_at.isoformat(),
        forgotten=running and found.seen_at < now() - FORGOTTEN,
    )


def _person(session: Session, started_by: str) -> str:
    """Name who began a check; nobody where it was the daily one."""
    return "" if started_by.startswith("system:") else names_of(session, [started_by])[started_by]


def _note(notes: list[dict[str, Any]]) -> str:
    """Say how far values are from quantity times unit cost: what is booked keeps its cost, an average is rounded."""
    products = sum(note["products"] for note in notes)
    if not products:
        return ""
    of = "1 product" if products == 1 else f"{products:,} products"
    return (
        f"The value of {of} is not the quantity times today's unit cost. That is no fault: what was booked keeps its "
        "cost, and an average is rounded."
    )


def _rows(session: Session, faults: list[dict[str, Any]]) -> list[FaultRow]:
    items = {fault["item_id"] for fault in faults if fault.get("item_id")}
    products = {fault["product_id"] for fault in faults if fault.get("product_id")}
    named = {
        row[0]: f"{row[1]} at {row[2]}"
        for row in session.execute(
            sa.select(col(InventoryItem.id), col(Product.sku), col(Location.name))
            .join(Product, col(Product.id) == col(InventoryItem.product_id))
            .join(Location, col(Location.id) == col(InventoryItem.location_id))
            .where(col(InventoryItem.id).in_(items))
        )
    }
    skus = {
        row[0]: row[1]
        for row in session.execute(sa.select(col(Product.id), col(Product.sku)).where(col(Product.id).in_(products)))
    }
    return [_row(fault, named, skus) for fault in faults]


def _row(fault: dict[str, Any], named: dict[int, str], skus: dict[int, str]) -> FaultRow:
    item_id, product_id = fault.get("item_id"), fault.get("product_id")
    if item_id:
        title = named.get(item_id, f"Item {item_id}")
    else:
        title = skus.get(product_id, f"Product {product_id}") if product_id else "Sums of the past"
    return FaultRow(
        kind=fault["kind"],
        title=title,
        said=fault["said"],
        href=f"/inventory/{item_id}" if item_id else "",
        sequence=str(fault.get("sequence") or ""),
        operation_id=fault.get("operation_id", ""),
        at=fault.get("at", ""),
        says=fault.get("says", ""),
        sum=fault.get("sum", ""),
    )
