"""Movements as people read them: what happened, by how much, what was there then, whose operation it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlmodel import Session

from inventory_app.context import NOBODY
from inventory_app.operations._ledger import say
from inventory_app.operations._operation import current_viewer
from inventory_app.operations.pictures import initials_of
from inventory_app.permissions import Permission

#: A fact that was recorded so much later than it happened is back-dated.
LATE = timedelta(minutes=5)
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class MovementLine:
    """One movement; `value` is empty without `prices:view`, `operation_id` without `audit:view`.

    `late` says when it happened if that was recorded later. `taken_back`: another movement reverses it. `receipt` and
    `order` are the papers by which it came or went back; they are links for who may see orders.
    """

    id: int
    item_id: int
    sku: str
    product: str
    location: str
    unit: str
    sequence: str
    kind: str
    what: str
    change: str
    balance: str
    value: str
    reason: str
    note: str
    reference: str
    receipt: str
    receipt_href: str
    order: str
    order_href: str
    who: str
    initials: str
    recorded_at: str
    occurred_at: str
    late: bool
    taken_back: bool
    operation_id: str


# What was there is counted from the nearer end of the item's movements: from none, or back from what is there now.
_LINES = """
SELECT m.id, m.item_id, product.sku, product.name AS product, location.name AS location, product.unit_code AS unit,
       m.sequence, m.kind, m.quantity, m.value, m.reason_code, reason.label, m.note, m.reference, m.operation_id,
       m.occurred_at, m.recorded_at, op.actor_name, person.full_name, other.name AS other,
       CASE WHEN m.sequence * 2 > item.sequence
            THEN item.quantity - (SELECT coalesce(sum(l.quantity), 0) FROM stock_movement l
                                   WHERE l.item_id = m.item_id AND l.sequence > m.sequence)
            ELSE (SELECT sum(e.quantity) FROM stock_movement e WHERE e.item_id = m.item_id AND e.sequence <= m.sequence)
       END AS balance,
       EXISTS (SELECT 1 FROM stock_movement back WHERE back.reverses = m.id) AS taken_back,
       paper.receipt, paper.receipt_id, paper."order", paper.order_id
  FROM stock_movement m
  JOIN inventory_item item ON item.id = m.item_id
  JOIN product ON product.id = item.product_id
  JOIN location ON location.id = item.location_id
  LEFT JOIN reason_code reason ON reason.code = m.reason_code
  LEFT JOIN audit_operation op ON op.id = m.operation_id
  LEFT JOIN user_info person ON person.user_id = op.actor_id
  LEFT JOIN LATERAL (
    SELECT place.name FROM stock_movement side
      JOIN inventory_item its ON its.id = side.item_id JOIN location place ON place.id = its.location_id
     WHERE m.kind = 'transfer' AND side.operation_id = m.operation_id AND side.kind = 'transfer'
       AND its.product_id = item.product_id AND side.quantity + m.quantity = 0
     ORDER BY abs(side.id - m.id) LIMIT 1) other ON true
  LEFT JOIN LATERAL (
    SELECT receipt.number AS receipt, receipt.id AS receipt_id, ordered.number AS "order", ordered.id AS order_id
      FROM goods_receipt_line booked
      JOIN goods_receipt receipt ON receipt.id = booked.receipt_id
      JOIN purchase_order ordered ON ordered.id = receipt.order_id
     WHERE booked.movement_id = m.id LIMIT 1) paper ON true
 WHERE m.id = ANY (%(ids)s)
"""


def movement_lines(session: Session, ids: Sequence[int]) -> list[MovementLine]:
    """Return these movements in this order; those that do not exist are missing."""
    rows = session.connection().exec_driver_sql(_LINES, {"ids": list(ids)})
    held = current_viewer(session).permissions
    found = {row.id: _line(row, held) for row in rows}
    return [found[id_] for id_ in ids if id_ in found]


def _line(row: Any, held: frozenset[str]) -> MovementLine:
    who = row.full_name or row.actor_name or NOBODY
    leads = row.receipt is not None and Permission.ORDERS_VIEW in held
    return MovementLine(
        id=row.id,
        item_id=row.item_id,
        sku=row.sku,
        product=row.product,
        location=row.location,
        unit=row.unit,
        sequence=str(row.sequence),
        kind=row.kind,
        what=_what(row),
        change=signed(row.quantity),
        balance=say(row.balance),
        value=money(row.value) if Permission.PRICES_VIEW in held else "",
        reason=row.label or row.reason_code or "",
        note=row.note or "",
        # What is one of our papers is named as that.
        reference="" if row.receipt else row.reference or "",
        receipt=row.receipt or "",
        receipt_href=f"/receipts/{row.receipt_id}" if leads else "",
        order=row.order or "",
        order_href=f"/orders/{row.order_id}" if leads else "",
        who=who,
        initials=initials_of(who),
        recorded_at=row.recorded_at.isoformat(),
        occurred_at=row.occurred_at.isoformat(),
        late=is_late(row.occurred_at, row.recorded_at),
        taken_back=row.taken_back,
        operation_id=str(row.operation_id) if Permission.AUDIT_VIEW in held else "",
    )


def is_late(occurred_at: datetime, recorded_at: datetime) -> bool:
    """Tell whether a fact was recorded later than it happened."""
    return recorded_at - occurred_at > LATE


def signed(quantity: Decimal) -> str:
    """Write a change with its sign; nothing has none."""
    if not quantity:
        return "0"
    return f"{'+' if quantity > 0 else MINUS}{say(abs(quantity))}"


def money(value: Decimal) -> str:
    """Write an amount with two decimals, and with a minus that is one."""
    return f"{MINUS if value < 0 else ''}{abs(value):,.2f}"


def _what(row: Any) -> str:
    """Say in the trade's words what happened."""
    reason = f": {row.label.lower()}" if row.label else ""
    if row.reason_code == "opening":
        return "Opening balance"
    if row.kind == "transfer":
        there = row.other or "another place"
        return f"Moved here from {there}" if row.quantity > 0 else f"Moved to {there}"
    if row.kind == "count":
        return f"Counted {say(row.balance)}, expected {say(row.balance - row.quantity)}"
    words: dict[str, str] = {
        "receipt": "Received" if row.reason_code in (None, "delivered") else f"Received{reason}",
        "issue": f"Issued{reason}",
        "adjustment": f"Adjusted{reason}",
        "reversal": "Taken back",
        "revaluation": "Value corrected",
    }
    return words.get(row.kind, str(row.kind))
