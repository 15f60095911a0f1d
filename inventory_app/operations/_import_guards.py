"""What an import must not get around: who may, and the rules of the trees and of stock, decided on what is locked.

A file is checked first and applied, or taken back, later: everything here is asked again in the operation itself, as
somebody may have lost a permission, closed a place or kept stock back meanwhile.
"""

from typing import Any, Protocol, cast

from sqlmodel import Session

from inventory_app.database.locks import CATEGORY_TREE, LOCATION_TREE, lock_rule
from inventory_app.errors import Conflict
from inventory_app.models.imports import ImportRun
from inventory_app.operations import _prices
from inventory_app.operations._import_fields import FIELDS, Kind
from inventory_app.operations._operation import require
from inventory_app.operations._trees import DEEPEST
from inventory_app.permissions import Permission

_TREES = {"category": CATEGORY_TREE, "location": LOCATION_TREE}


class Execute(Protocol):
    """Runs a statement about one run, which its parameter `run` names."""

    def __call__(self, sql: str, **more: Any) -> Any:
        """Return the result."""
        ...


_CHANGES = "SELECT target_id FROM import_change WHERE run_id = %(run)s AND target = '{target}' AND state {states}"
_PRICED = _CHANGES.format(target="product", states="= 'changed'") + " AND wanted ? 'unit_price' ORDER BY target_id"
_CHANGED_SUPPLIERS = _CHANGES.format(target="supplier", states="= 'changed'")


def may(session: Session, run: ImportRun) -> None:
    """Refuse what needs more than importing: costs and prices of the file, prices and suppliers that it changes."""

    def execute(sql: str) -> Any:
        return session.connection().exec_driver_sql(sql, {"run": run.id}).first()

    fields = FIELDS[cast("Kind", run.kind)]
    for name in run.mapping:
        if needed := fields[name].permission:
            require(session, needed)
    if execute(_PRICED):
        require(session, Permission.PRICES_UPDATE)
    if execute(_CHANGED_SUPPLIERS):
        require(session, Permission.SUPPLIERS_EDIT)


def hold_tree(session: Session, execute: Execute, target: str) -> None:
    """Hold the tree of these records, if any of them changes: nobody moves a branch meanwhile."""
    if target in _TREES and execute(_CHANGES.format(target=target, states="<> 'same'") + " LIMIT 1").first():
        lock_rule(session, _TREES[target])


# What came to a place before we had it is locked as well, as by whoever closes it on its page.
_ITEMS_THERE = """
SELECT i.id FROM inventory_item i WHERE i.location_id IN (
  SELECT t.id FROM location t JOIN import_change c ON c.target_id = t.id AND c.target = 'location' AND c.run_id = %(run)s
   WHERE c.state <> 'same' AND (NOT t.active OR c.wanted ? 'kind' AND c.state = 'changed')) ORDER BY i.id FOR UPDATE
"""
_CLOSED = """
SELECT count(*) FROM {table} t JOIN import_change c ON c.target_id = t.id AND c.target = '{table}' AND c.run_id = %(run)s
 WHERE c.state <> 'same' AND (
   (NOT t.active AND EXISTS (SELECT FROM {table} part WHERE part.parent_id = t.id AND part.active)){more})
"""
_STOCK_THERE = """
   OR (NOT t.active OR c.wanted ? 'kind' AND c.state = 'changed') AND (
     EXISTS (SELECT FROM inventory_item i WHERE i.location_id = t.id AND i.quantity <> 0)
     OR EXISTS (SELECT FROM shipment s WHERE s.to_location_id = t.id AND s.status = 'sent'))
"""
_OUTSIDE = """
WITH RECURSIVE down AS (
  SELECT id, 1 AS depth FROM {table} WHERE parent_id IS NULL
  UNION ALL SELECT t.id, down.depth + 1 FROM {table} t JOIN down ON t.parent_id = down.id WHERE down.depth < %(deepest)s)
SELECT count(*) FROM import_change c WHERE c.run_id = %(run)s AND c.target = '{table}' AND c.state <> 'same'
   AND NOT EXISTS (SELECT FROM down WHERE down.id = c.target_id)
"""


def check_tree(execute: Execute, target: str) -> None:
    """Refuse branches in a circle or too deep, and closed ones with parts in use, with stock, or stock on its way."""
    if target not in _TREES:
        return
    if execute(_OUTSIDE.format(table=target), deepest=DEEPEST).scalar_one():
        raise Conflict(
            f"Some would be parts of themselves, or stand deeper than {DEEPEST} levels. Check the file again."
        )
    if target == "location":
        execute(_ITEMS_THERE)
    closed = execute(_CLOSED.format(table=target, more=_STOCK_THERE if target == "location" else "")).scalar_one()
    if closed:
        what = "categories" if target == "category" else "locations"
        more = ", stock is there or is on its way there" if target == "location" else ""
        raise Conflict(
            f"{closed:,} of the {what} cannot be closed or become something else: parts of them are in use{more}."
        )


def bring_due_prices(session: Session, execute: Execute) -> None:
    """Lock the products whose price changes, and let what was planned for them count first, if its day has come."""
    if ids := [id_ for (id_,) in execute(_PRICED)]:
        _prices.apply_due(session, _prices.lock_products(session, _prices.any_of(ids)))


# Whoever closes a place locks it alone: it stays as it is until we are done.
_PLACES = """
SELECT l.id FROM location l WHERE l.id IN (SELECT (c.wanted ->> 'location_id')::bigint FROM import_change c
  WHERE c.run_id = %(run)s AND c.target = 'inventory_item' AND c.state <> 'same') ORDER BY l.id FOR KEY SHARE
"""
# Apart from each other: nothing is known yet of what has just come in, and a join of all at once was tried row by row.
_UNFIT = """
WITH given AS MATERIALIZED (
  SELECT w.*, coalesce((c.before ->> 'quantity')::numeric, 0) AS held FROM import_change c
   CROSS JOIN LATERAL jsonb_to_record(c.wanted) AS w(product_id bigint, location_id bigint, lot_id bigint, quantity numeric)
   WHERE c.run_id = %(run)s AND c.target = 'inventory_item' AND c.state <> 'same'
), made AS MATERIALIZED (
  SELECT target_id FROM import_change WHERE run_id = %(run)s AND target = 'product' AND state = 'new'
)
SELECT count(*) FROM given w
  JOIN product p ON p.id = w.product_id JOIN unit u ON u.code = p.unit_code JOIN location l ON l.id = w.location_id
 WHERE NOT l.active OR l.kind <> 'storage' OR (w.lot_id IS NULL) = p.lots_kept OR round(w.quantity, u.decimals) <> w.quantity
    OR NOT p.active AND w.quantity > w.held AND p.id NOT IN (SELECT target_id FROM made)
"""
_KEPT_BACK = """
SELECT count(*) FROM import_change c JOIN inventory_item i ON i.id = c.target_id
 WHERE c.run_id = %(run)s AND c.target = 'inventory_item' AND c.state = 'changed'
   AND (c.wanted ->> 'quantity')::numeric < i.quantity AND (c.wanted ->> 'quantity')::numeric < audit_reserved(i.id)
"""


def check_stock(execute: Execute) -> None:
    """Refuse, with the items locked, stock where none can be any more, and counts of less than is kept back."""
    execute(_PLACES)
    if unfit := execute(_UNFIT).scalar_one():
        were = "1 quantity does" if unfit == 1 else f"{unfit:,} quantities do"
        raise Conflict(
            f"{were} not fit any more to a product, unit, lot or location as it is now. Check the file again."
        )
    _refuse_kept_back(execute(_KEPT_BACK).scalar_one())


def _refuse_kept_back(number: int) -> None:
    if number:
        were = "1 item" if number == 1 else f"{number:,} items"
        raise Conflict(f"Of {were} more is reserved than would be left. Release the reservations first.")
