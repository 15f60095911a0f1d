"""Doing what a plan says, and taking it back: statements over all records of a kind, in the open operation.

The plan was made before: whatever it would change is locked and compared with what it was then. Records are taken in
the one order of locks, by id within a kind.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from inventory_app.context import current_actor
from inventory_app.database.locks import lock
from inventory_app.errors import Conflict
from inventory_app.models._base import now
from inventory_app.models.catalog import Category, Location, Lot, Product, SupplierProduct
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.operations import _approvals
from inventory_app.operations._ledger_sets import hold_booked, nothing_kept_back, worth_follows
from inventory_app.operations._operation import acting_user_id, operation_id, require
from inventory_app.operations._supplier_approvals import ask, ask_about
from inventory_app.operations._supplier_rules import KIND
from inventory_app.permissions import Permission

#: Rows that are written before somebody can stop the work.
CHUNK = 10_000
#: In the order of the locks; suppliers before products, items at the end.
_TARGETS: dict[str, type[SQLModel]] = {
    "category": Category,
    "location": Location,
    "supplier": Supplier,
    "product": Product,
    "supplier_product": SupplierProduct,
    "lot": Lot,
}
_CHANGED_SINCE = "{what} changed since the file was checked. Check it again, and look at what it would do now."

#: Tells how many rows are done, and raises when somebody has asked to stop.
Progress = Callable[[int], None]


def _columns(model: type[SQLModel]) -> list[str]:
    table: sa.Table = model.__table__  # pyright: ignore[reportAttributeAccessIssue]  # set by the mapper
    return [column.name for column in table.columns]


def apply(session: Session, run_id: int, progress: Progress, reason: str) -> None:
    """Make every change of the plan; raises `Conflict` when something is no more what it was."""
    connection = session.connection()

    def execute(sql: str, **more: Any) -> Any:
        return connection.exec_driver_sql(sql, {"run": run_id} | more)

    for target, model in _TARGETS.items():
        _lock_and_compare(execute, target)
        if target == "supplier":
            _change_suppliers(session, execute)
        elif target == "product":
            # The price before is still there.
            _book_prices(execute, reason, "before")
            _update(execute, target, model)
        else:
            _update(execute, target, model)
        _insert(execute, target, model, progress if target == "product" else None)
        if target == "supplier":
            made = execute(
                "SELECT target_id FROM import_change WHERE run_id = %(run)s AND target = 'supplier' AND state = 'new' "
                "ORDER BY target_id"
            )
            if ids := [id_ for (id_,) in made]:
                ask_about(session, ids, entered_by=acting_user_id())
    _book_prices(execute, reason, "first")
    _post(session, execute, progress)


def _lock_and_compare(execute: Callable[..., Any], target: str) -> None:
    execute(
        f"SELECT t.id FROM {target} t JOIN import_change c ON c.target_id = t.id "  # our own names
        f"WHERE c.run_id = %(run)s AND c.target = '{target}' AND c.state = 'changed' ORDER BY t.id FOR UPDATE OF t"
    )
    other = execute(
        f"SELECT count(*) FROM {target} t JOIN import_change c ON c.target_id = t.id "  # our own names
        f"WHERE c.run_id = %(run)s AND c.target = '{target}' AND c.state = 'changed' AND NOT to_jsonb(t) @> c.before"
    ).scalar_one()
    if other:
        raise Conflict(_CHANGED_SINCE.format(what="1 record was" if other == 1 else f"{other:,} records were"))


def _update(execute: Callable[..., Any], target: str, model: type[SQLModel], values: str = "wanted") -> None:
    named = [name for name in _columns(model) if name not in ("id", "version", "created_at")]
    version = ", version = t.version + 1" if "version" in _columns(model) else ""
    execute(
        f"UPDATE {target} t SET ({', '.join(named)}) = ROW({', '.join(f'n.{name}' for name in named)}){version} "  # our own names
        f"FROM import_change c JOIN {target} o ON o.id = c.target_id "
        f"CROSS JOIN LATERAL jsonb_populate_record(o, c.{values}) n "
        f"WHERE c.run_id = %(run)s AND c.target = '{target}' AND c.state = 'changed' AND t.id = c.target_id"
    )


def _insert(execute: Callable[..., Any], target: str, model: type[SQLModel], progress: Progress | None) -> None:
    names = _columns(model)
    sql = (
        f"INSERT INTO {target} ({', '.join(names)}) SELECT {', '.join(f'n.{name}' for name in names)} "  # our own names
        f"FROM import_change c CROSS JOIN LATERAL jsonb_populate_record(NULL::{target}, "
        "c.wanted || jsonb_build_object('id', c.target_id)) n "
        f"WHERE c.run_id = %(run)s AND c.target = '{target}' AND c.state = 'new' AND c.row >= %(from)s AND c.row < %(to)s "
        "ORDER BY c.target_id"
    )
    for start, end in _chunks(execute, target):
        execute(sql, **{"from": start, "to": end})
        if progress:
            progress(end)


def _chunks(execute: Callable[..., Any], target: str) -> list[tuple[int, int]]:
    low, high = execute(
        "SELECT min(row), max(row) FROM import_change WHERE run_id = %(run)s AND target = %(target)s AND state = 'new'",
        target=target,
    ).one()
    return [] if low is None else [(start, start + CHUNK) for start in range(low, high + 1, CHUNK)]


def _change_suppliers(session: Session, execute: Callable[..., Any]) -> None:
    """Change suppliers as a correction does: another name or tax id of an approved one needs a new decision."""
    changes = execute(
        "SELECT target_id, wanted FROM import_change WHERE run_id = %(run)s AND target = 'supplier' AND state = 'changed'"
    ).all()
    if not changes:
        return
    require(session, Permission.SUPPLIERS_EDIT)
    wanted = dict(tuple(change) for change in changes)
    suppliers = lock(session, Supplier, wanted)
    for id_, supplier in suppliers.items():
        returned = supplier.status == SupplierStatus.APPROVED and bool(wanted[id_].keys() & {"name", "tax_id"})
        for field, value in wanted[id_].items():
            setattr(supplier, field, value)
        supplier.last_edited_by = acting_user_id()
        supplier.version += 1
        if returned:
            supplier.status = SupplierStatus.PENDING
            supplier.decided_by = supplier.decided_at = supplier.approved_at = supplier.decision_reason = None
            supplier.submitted_at = now()
    session.flush()
    ask(session, [supplier for supplier in suppliers.values() if supplier.status == SupplierStatus.PENDING])


_FIRST_PRICES = """
INSERT INTO product_price (product_id, valid_from, new_price, currency, reason, status)
SELECT c.target_id, now(), (c.wanted ->> 'unit_price')::numeric, c.wanted ->> 'currency', 'First price', 'applied'
  FROM import_change c WHERE c.run_id = %(run)s AND c.target = 'product' AND c.state = 'new' ORDER BY c.target_id
"""
_OTHER_PRICES = """
INSERT INTO product_price (product_id, valid_from, old_price, new_price, currency, reason, status)
SELECT t.id, now(), t.unit_price, (c.wanted ->> 'unit_price')::numeric, t.currency, %(reason)s, 'applied'
  FROM import_change c JOIN product t ON t.id = c.target_id
 WHERE c.run_id = %(run)s AND c.target = 'product' AND c.state = 'changed' AND c.wanted ? 'unit_price' ORDER BY t.id
"""


def _book_prices(execute: Callable[..., Any], reason: str, which: str) -> None:
    if which == "first":
        execute(_FIRST_PRICES)
    else:
        execute(_OTHER_PRICES, reason=reason)


_LOCK_ITEMS = """
SELECT i.id FROM inventory_item i JOIN import_change c ON c.target_id = i.id
 WHERE c.run_id = %(run)s AND c.target = 'inventory_item' AND c.state = 'changed' ORDER BY i.id FOR UPDATE OF i
"""
_LOCK_STOCKED = """
SELECT p.id FROM product p WHERE p.id IN (SELECT (c.wanted ->> 'product_id')::bigint FROM import_change c
  WHERE c.run_id = %(run)s AND c.target = 'inventory_item' AND c.state <> 'same') ORDER BY p.id FOR UPDATE
"""
_OTHER_ITEMS = """
SELECT count(*) FROM inventory_item i JOIN import_change c ON c.target_id = i.id
 WHERE c.run_id = %(run)s AND c.target = 'inventory_item' AND c.state = 'changed'
   AND (i.quantity <> (c.before ->> 'quantity')::numeric OR i.sequence <> (c.before ->> 'sequence')::bigint)
"""
#: What has never been in stock costs what the file says; the average where it says several things.
_OPENING_COSTS = """
UPDATE product p SET unit_cost = o.cost, version = p.version + 1
  FROM (SELECT (c.wanted ->> 'product_id')::bigint AS id,
               round(sum((c.wanted ->> 'quantity')::numeric * (c.wanted ->> 'cost')::numeric)
                     / sum((c.wanted ->> 'quantity')::numeric), 4) AS cost
          FROM import_change c WHERE c.run_id = %(run)s AND c.target = 'inventory_item' AND c.state <> 'same'
           AND (c.wanted ->> 'quantity')::numeric > 0
         GROUP BY 1) o
 WHERE p.id = o.id AND p.unit_cost <> o.cost
   AND NOT EXISTS (SELECT FROM product_stock t WHERE t.product_id = p.id AND t.quantity <> 0)
"""
_NEW_ITEMS = """
INSERT INTO inventory_item (id, product_id, location_id, lot_id, quantity, sequence, changed_at, changed_by)
SELECT c.target_id, w.product_id, w.location_id, w.lot_id, w.quantity, (w.quantity > 0)::int, %(now)s, %(who)s
  FROM import_change c
 CROSS JOIN LATERAL jsonb_to_record(c.wanted) AS w(product_id bigint, location_id bigint, lot_id bigint, quantity numeric)
 WHERE c.run_id = %(run)s AND c.target = 'inventory_item' AND c.state = 'new' AND c.row >= %(from)s AND c.row < %(to)s
 ORDER BY c.target_id
"""
_OPENED = """
INSERT INTO stock_movement (item_id, sequence, kind, quantity, unit_cost, value, reason_code, operation_id, occurred_at,
                            recorded_at)
SELECT c.target_id, 1, 'receipt', w.quantity, w.cost, round(w.quantity * w.cost, 4), 'opening', %(operation)s, %(now)s, %(now)s
  FROM import_change c CROSS JOIN LATERAL jsonb_to_record(c.wanted) AS w(quantity numeric, cost numeric)
 WHERE c.run_id = %(run)s AND c.target = 'inventory_item' AND c.state = 'new' AND w.quantity > 0
   AND c.row >= %(from)s AND c.row < %(to)s
 ORDER BY c.target_id
"""
_COUNTED = """
WITH given AS (
  SELECT c.target_id AS id, w.quantity, w.cost FROM import_change c
   CROSS JOIN LATERAL jsonb_to_record(c.wanted) AS w(quantity numeric, cost numeric)
   WHERE c.run_id = %(run)s AND c.target = 'inventory_item' AND c.state = 'changed'
), moved AS (
  UPDATE inventory_item i SET quantity = given.quantity, sequence = i.sequence + 1, changed_at = %(now)s, changed_by = %(who)s
    FROM given JOIN inventory_item o ON o.id = given.id WHERE i.id = given.id
  RETURNING i.id, i.product_id, i.sequence, given.quantity - o.quantity AS difference, given.cost
)
INSERT INTO stock_movement (item_id, sequence, kind, quantity, unit_cost, value, reason_code, operation_id, occurred_at,
                            recorded_at)
SELECT m.id, m.sequence, CASE WHEN m.sequence = 1 THEN 'receipt' ELSE 'count' END, m.difference, u.cost,
       round(m.difference * u.cost, 4), CASE WHEN m.sequence = 1 THEN 'opening' ELSE 'counted' END, %(operation)s, %(now)s, %(now)s
  FROM moved m JOIN product p ON p.id = m.product_id
 CROSS JOIN LATERAL (SELECT CASE WHEN m.sequence = 1 THEN m.cost ELSE p.unit_cost END AS cost) u
 ORDER BY m.id
"""
#: Where nothing is left of a product, nothing of its value is left either.
_NOTHING_LEFT = """
WITH gone AS (
  SELECT t.product_id, t.value, (SELECT min(m.item_id) FROM stock_movement m JOIN inventory_item i ON i.id = m.item_id
                                  WHERE m.operation_id = %(operation)s AND i.product_id = t.product_id) AS item_id
    FROM product_stock t WHERE t.quantity = 0 AND t.value <> 0 AND t.product_id IN (
      SELECT i.product_id FROM stock_movement m JOIN inventory_item i ON i.id = m.item_id WHERE m.operation_id = %(operation)s)
), moved AS (
  UPDATE inventory_item i SET sequence = i.sequence + 1, changed_at = %(now)s, changed_by = %(who)s
    FROM gone WHERE i.id = gone.item_id RETURNING i.id, i.sequence, gone.value
)
INSERT INTO stock_movement (item_id, sequence, kind, quantity, unit_cost, value, reference_type, operation_id, occurred_at,
                            recorded_at)
SELECT id, sequence, 'revaluation', 0, 0, -value, 'nothing left', %(operation)s, %(now)s, %(now)s FROM moved ORDER BY id
"""


def _post(session: Session, execute: Callable[..., Any], progress: Progress) -> None:
    """Bring the ledger to what the file says: opening stock as receipts, what is counted as the difference."""
    stamp = {"now": now(), "who": current_actor().name, "operation": operation_id(session)}
    execute(_LOCK_STOCKED)
    execute(_LOCK_ITEMS)
    other = execute(_OTHER_ITEMS).scalar_one()
    if other:
        raise Conflict(_CHANGED_SINCE.format(what="1 quantity was" if other == 1 else f"{other:,} quantities were"))
    execute(_OPENING_COSTS)
    for start, end in _chunks(execute, "inventory_item"):
        execute(_NEW_ITEMS, **stamp, **{"from": start, "to": end})
        execute(_OPENED, **stamp, **{"from": start, "to": end})
        progress(end)
    execute(_COUNTED, **stamp)
    execute(_NOTHING_LEFT, **stamp)


# Taking it back

_LATER = """
SELECT count(*) FROM import_change c JOIN {table} t ON t.id = c.target_id
 WHERE c.run_id = %(run)s AND c.target = '{table}' AND c.state <> 'same'
   AND NOT to_jsonb(t) @> (c.wanted - 'created_at' - 'submitted_at' - 'unit_cost'{less})
"""
_MOVED_SINCE = """
SELECT count(*) FROM inventory_item i WHERE i.id IN (SELECT item_id FROM stock_movement WHERE operation_id = %(operation)s)
   AND EXISTS (SELECT FROM stock_movement m WHERE m.item_id = i.id AND m.operation_id <> %(operation)s AND m.sequence >
               (SELECT max(o.sequence) FROM stock_movement o WHERE o.item_id = i.id AND o.operation_id = %(operation)s))
"""
_STILL_THERE = """
SELECT count(DISTINCT i.product_id) FROM inventory_item i JOIN import_change c ON c.target_id = i.product_id
 WHERE c.run_id = %(run)s AND c.target = 'product' AND c.state = 'new' AND i.sequence > 0
   AND EXISTS (SELECT FROM stock_movement m WHERE m.item_id = i.id AND m.operation_id <> %(operation)s)
"""
_REVERSE = """
WITH original AS (
  SELECT m.*, row_number() OVER (PARTITION BY m.item_id ORDER BY m.sequence DESC) AS step
    FROM stock_movement m WHERE m.operation_id = %(operation)s
), moved AS (
  UPDATE inventory_item i SET quantity = i.quantity - s.quantity, sequence = i.sequence + s.steps, changed_at = %(now)s,
         changed_by = %(who)s
    FROM (SELECT item_id, sum(quantity) AS quantity, count(*) AS steps FROM original GROUP BY item_id) s WHERE i.id = s.item_id
  RETURNING i.id, i.sequence - s.steps AS sequence
)
INSERT INTO stock_movement (item_id, sequence, kind, quantity, unit_cost, value, reason_code, operation_id, occurred_at,
                            recorded_at, reverses)
SELECT o.item_id, v.sequence + o.step, CASE WHEN o.quantity = 0 THEN 'revaluation' ELSE 'reversal' END, -o.quantity, o.unit_cost,
       -o.value, 'correction', %(own)s, %(now)s, %(now)s, o.id
  FROM original o JOIN moved v ON v.id = o.item_id ORDER BY o.item_id, o.step
"""
_PRICES_BACK = """
INSERT INTO product_price (product_id, valid_from, old_price, new_price, currency, reason, status)
SELECT t.id, now(), t.unit_price, (c.before ->> 'unit_price')::numeric, t.currency, %(reason)s, 'applied'
  FROM import_change c JOIN product t ON t.id = c.target_id
 WHERE c.run_id = %(run)s AND c.target = 'product' AND c.state = 'changed' AND c.before ? 'unit_price' ORDER BY t.id
"""
_ARCHIVE = """
UPDATE {table} t SET active = false, version = t.version + 1 FROM import_change c
 WHERE c.run_id = %(run)s AND c.target = '{table}' AND c.state = 'new' AND t.id = c.target_id AND t.active
"""


def undo(session: Session, run_id: int, original: UUID, reason: str) -> None:
    """Take back what an import did, all of it; raises `Conflict` where something has changed since."""
    connection = session.connection()

    def execute(sql: str, **more: Any) -> Any:
        return connection.exec_driver_sql(sql, {"run": run_id} | more)

    for target, model in _TARGETS.items():
        execute(
            f"SELECT t.id FROM {target} t JOIN import_change c ON c.target_id = t.id WHERE c.run_id = %(run)s "  # our own names
            f"AND c.target = '{target}' AND c.state <> 'same' ORDER BY t.id FOR UPDATE OF t"
        )
        less = " - 'status' - 'version'" if target == "supplier" else " - 'version'"
        _refuse(execute(_LATER.format(table=target, less=less)).scalar_one(), "record", "changed")
        if target == "supplier":
            _suppliers_back(session, execute, reason)
        elif target == "product":
            execute(_PRICES_BACK, reason=reason)
        if target != "supplier":
            _update(execute, target, model, "before")
    products = hold_booked(session, original)
    _refuse(execute(_MOVED_SINCE, operation=original).scalar_one(), "item", "moved")
    _refuse(execute(_STILL_THERE, operation=original).scalar_one(), "product", "moved")
    nothing_kept_back(session, original)
    stamp = {"now": now(), "who": current_actor().name, "own": operation_id(session)}
    execute(_REVERSE, operation=original, **stamp)
    worth_follows(session, products)
    for target in ("supplier_product", "product", "location", "category"):
        execute(_ARCHIVE.format(table=target))


def _refuse(number: int, what: str, how: str) -> None:
    if number:
        were = f"1 {what} was" if number == 1 else f"{number:,} {what}s were"
        raise Conflict(f"{were} {how} since this file came in, so it cannot be taken back as a whole.")


def _suppliers_back(session: Session, execute: Callable[..., Any], reason: str) -> None:
    changes = execute(
        "SELECT target_id, state, before FROM import_change "
        "WHERE run_id = %(run)s AND target = 'supplier' AND state <> 'same'"
    ).all()
    before = {id_: (state, values) for id_, state, values in changes}
    suppliers = lock(session, Supplier, before)
    decided = sum(
        before[id_][0] == "new" and supplier.status != SupplierStatus.PENDING for id_, supplier in suppliers.items()
    )
    _refuse(decided, "supplier", "decided about")
    for id_, supplier in suppliers.items():
        state, values = before[id_]
        if state == "new":
            open_ = _approvals.open_about(session, KIND, id_, for_update=True)
            if open_ is not None:
                _approvals.withdraw(session, open_, reason)
            continue
        for field, value in values.items():
            setattr(supplier, field, value)
        supplier.last_edited_by = acting_user_id()
        supplier.version += 1
    session.flush()
    ask(
        session,
        [
            supplier
            for id_, supplier in suppliers.items()
            if before[id_][0] == "changed" and supplier.status == SupplierStatus.PENDING
        ],
    )
