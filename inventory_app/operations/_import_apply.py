"""Doing what a plan says: statements over all records of a kind, in the open operation.

The plan was made before: whatever it would change is locked and compared with what it was then. Records are taken in
the one order of locks, by id within a kind.
"""

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from inventory_app.context import current_actor
from inventory_app.database.locks import lock
from inventory_app.errors import Conflict
from inventory_app.models._base import now
from inventory_app.models.catalog import Category, Location, Lot, Product, SupplierProduct
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.operations import _import_guards
from inventory_app.operations._import_staging import Progress
from inventory_app.operations._ledger_sets import settle
from inventory_app.operations._operation import acting_user_id, operation_id, require
from inventory_app.operations._supplier_approvals import ask, ask_about
from inventory_app.permissions import Permission

#: Rows that are written before somebody can stop the work.
CHUNK = 10_000
#: In the order of the locks; suppliers before products, items at the end.
TARGETS: dict[str, type[SQLModel]] = {
    "category": Category,
    "location": Location,
    "supplier": Supplier,
    "product": Product,
    "supplier_product": SupplierProduct,
    "lot": Lot,
}
_CHANGED_SINCE = "{what} changed since the file was checked. Check it again, and look at what it would do now."


def _columns(model: type[SQLModel]) -> list[str]:
    table: sa.Table = model.__table__  # pyright: ignore[reportAttributeAccessIssue]  # set by the mapper
    return [column.name for column in table.columns]


def apply(session: Session, run_id: int, progress: Progress, reason: str) -> None:
    """Make every change of the plan; raises `Conflict` when something is no more what it was."""
    connection = session.connection()

    def execute(sql: str, **more: Any) -> Any:
        return connection.exec_driver_sql(sql, {"run": run_id} | more)

    for target, model in TARGETS.items():
        _import_guards.hold_tree(session, execute, target)
        if target == "product":
            _import_guards.bring_due_prices(session, execute)
        _lock_and_compare(execute, target)
        if target == "supplier":
            _change_suppliers(session, execute)
        elif target == "product":
            # The price before is still there.
            _book_prices(execute, reason, "before")
            update_records(execute, target, model)
        else:
            update_records(execute, target, model)
        _insert(execute, target, model, progress if target == "product" else None)
        _import_guards.check_tree(execute, target)
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


def update_records(execute: Callable[..., Any], target: str, model: type[SQLModel], values: str = "wanted") -> None:
    named = [name for name in _columns(model) if name not in ("id", "version", "created_at")]
    version = ", version = t.version + 1" if "version" in _columns(model) else ""
    execute(
        f"UPDATE {target} t SET ({', '.join(named)}) = ROW({', '.join(f'n.{name}' for name in named)}){version} "  # our own names
        f"FROM import_change c JOIN {target} o ON o.id = c.target_id "
        f"CROSS JOIN LATERAL jsonb_populate_record(o, c.{values}) n "
        f"WHERE c.run_id = %(run)s AND c.target = '{target}' AND c.state = 'changed' AND t.id = c.target_id"
    )


def _insert(execute: Callable[..., Any], target: str, model: type[SQLModel], progress: Progress | None) -> None:
    names = [name for name in _columns(model) if name != "id"]
    sql = (
        f"INSERT INTO {target} (id, {', '.join(names)}) SELECT c.target_id, {', '.join(f'n.{name}' for name in names)} "  # our own names
        f"FROM import_change c CROSS JOIN LATERAL jsonb_populate_record(NULL::{target}, c.wanted) n "
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
        correct_supplier(supplier, wanted[id_])
    session.flush()
    ask(session, [supplier for supplier in suppliers.values() if supplier.status == SupplierStatus.PENDING])


def correct_supplier(supplier: Supplier, values: Mapping[str, Any]) -> None:
    """Change one supplier; an approved one of another name or tax id waits for a decision again."""
    returned = supplier.status == SupplierStatus.APPROVED and bool(values.keys() & {"name", "tax_id"})
    for field, value in values.items():
        setattr(supplier, field, value)
    supplier.last_edited_by = acting_user_id()
    supplier.version += 1
    if returned:
        supplier.status = SupplierStatus.PENDING
        supplier.decided_by = supplier.decided_at = supplier.approved_at = supplier.decision_reason = None
        supplier.submitted_at = now()


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
WITH held AS MATERIALIZED (
  SELECT p.id FROM product p WHERE p.id IN (SELECT (c.wanted ->> 'product_id')::bigint FROM import_change c
    WHERE c.run_id = %(run)s AND c.target = 'inventory_item' AND c.state <> 'same') ORDER BY p.id FOR UPDATE)
SELECT count(*) FROM held
"""
# Only of what is counted there may be nothing left: what is new adds to it.
_RECOUNTED = """
SELECT DISTINCT (wanted ->> 'product_id')::bigint FROM import_change
 WHERE run_id = %(run)s AND target = 'inventory_item' AND state = 'changed'
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


def _post(session: Session, execute: Callable[..., Any], progress: Progress) -> None:
    """Bring the ledger to what the file says: opening stock as receipts, what is counted as the difference."""
    stamp = {"now": now(), "who": current_actor().name, "operation": operation_id(session)}
    execute(_LOCK_STOCKED)
    execute(_LOCK_ITEMS)
    other = execute(_OTHER_ITEMS).scalar_one()
    if other:
        raise Conflict(_CHANGED_SINCE.format(what="1 quantity was" if other == 1 else f"{other:,} quantities were"))
    _import_guards.check_stock(execute)
    execute(_OPENING_COSTS)
    for start, end in _chunks(execute, "inventory_item"):
        execute(_NEW_ITEMS, **stamp, **{"from": start, "to": end})
        execute(_OPENED, **stamp, **{"from": start, "to": end})
        progress(end)
    execute(_COUNTED, **stamp)
    settle(session, list(execute(_RECOUNTED).scalars()))
