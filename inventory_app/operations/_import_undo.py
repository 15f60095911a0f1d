"""Taking back what an imported file did: statements over all records of a kind, in the open operation."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlmodel import Session

from inventory_app.context import current_actor
from inventory_app.database.locks import lock
from inventory_app.errors import Conflict
from inventory_app.models._base import now
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.operations import _approvals, _import_guards
from inventory_app.operations._import_apply import TARGETS, correct_supplier, update_records
from inventory_app.operations._ledger_sets import hold_booked, nothing_kept_back, worth_follows
from inventory_app.operations._operation import operation_id
from inventory_app.operations._supplier_approvals import ask
from inventory_app.operations._supplier_rules import KIND

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

    for target, model in TARGETS.items():
        _import_guards.hold_tree(session, execute, target)
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
            update_records(execute, target, model, "before")
    products = hold_booked(session, original)
    _refuse(execute(_MOVED_SINCE, operation=original).scalar_one(), "item", "moved")
    _refuse(execute(_STILL_THERE, operation=original).scalar_one(), "product", "moved")
    nothing_kept_back(session, original)
    stamp = {"now": now(), "who": current_actor().name, "own": operation_id(session)}
    execute(_REVERSE, operation=original, **stamp)
    worth_follows(session, products)
    for target in ("supplier_product", "product", "location", "category"):
        execute(_ARCHIVE.format(table=target))
        _import_guards.check_tree(execute, target)


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
        # Somebody may have agreed to what the file said: what it says again needs a new decision as well.
        correct_supplier(supplier, values)
    session.flush()
    ask(
        session,
        [
            supplier
            for id_, supplier in suppliers.items()
            if before[id_][0] == "changed" and supplier.status == SupplierStatus.PENDING
        ],
    )
