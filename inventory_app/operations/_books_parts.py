"""The parts of a check of the books: each recomputes a share of what is kept beside the ledger, in one statement."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlmodel import Session

from inventory_app.operations._ledger import say

#: A part looks at about so many items, or at so many closed parts of the ledger.
_ITEMS = 25_000
_CLOSED = 10
#: Of a part so many faults are told; who mends them finds the others with the next check.
_TOLD = 100


@dataclass(frozen=True, slots=True)
class Found:
    """What a part has found: how many movements it read, what disagrees, what is worth knowing."""

    movements: int = 0
    faults: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)


def planned(session: Session) -> list[dict[str, Any]]:
    """Return the parts of a check, each as its arguments."""
    connection = session.connection()
    items, last = connection.exec_driver_sql(
        "SELECT (SELECT count(*) FROM inventory_item), (SELECT coalesce(max(id), 0) FROM product)"
    ).one()
    size = max(1, -(-last // max(1, -(-items // _ITEMS))))
    parts: list[dict[str, Any]] = [
        {"what": "products", "low": low, "high": low + size - 1} for low in range(1, last + 1, size)
    ]
    parts += [{"what": "transfers"}, {"what": "shipments"}]
    closed = [
        one.isoformat()
        for (one,) in connection.exec_driver_sql("SELECT DISTINCT through FROM stock_total ORDER BY through")
    ]
    begins = ["-infinity", *closed[:-1]]
    parts += [
        {"what": "totals", "begins": begins[n : n + _CLOSED], "through": closed[n : n + _CLOSED]}
        for n in range(0, len(closed), _CLOSED)
    ]
    return parts


WORDS = {
    "products": "Quantities, numbers and totals of products",
    "transfers": "Transfers come to nothing",
    "shipments": "What is under way",
    "totals": "Sums of what was",
}


def check(session: Session, part: dict[str, Any]) -> Found:
    """Check one part."""
    # Longer than anybody waits for a page; everything else keeps its own limit.
    session.connection().exec_driver_sql("SET LOCAL statement_timeout = '120s'")
    return _CHECKS[part["what"]](session, part)


_PRODUCTS = """
WITH sums AS MATERIALIZED (
  SELECT item.id, item.product_id, item.quantity AS held, item.sequence, coalesce(sum(m.quantity), 0) AS quantity,
         coalesce(sum(m.value), 0) AS value, count(m.id) AS number, coalesce(max(m.sequence), 0) AS last
    FROM inventory_item item LEFT JOIN stock_movement m ON m.item_id = item.id
   WHERE item.product_id BETWEEN %(low)s AND %(high)s GROUP BY item.id
), wholes AS (
  SELECT product.id, product.unit_cost, coalesce(stock.quantity, 0) AS held, coalesce(stock.value, 0) AS worth,
         coalesce(sum(sums.quantity), 0) AS quantity, coalesce(sum(sums.value), 0) AS value,
         coalesce(stock.reorder_at, 0) AS reorder_at,
         CASE WHEN product.active THEN product.reorder_point ELSE 0 END AS reorder_point
    FROM product LEFT JOIN product_stock stock ON stock.product_id = product.id
    LEFT JOIN sums ON sums.product_id = product.id
   WHERE product.id BETWEEN %(low)s AND %(high)s GROUP BY product.id, stock.product_id
)
(SELECT 'item' AS kind, id AS item_id, product_id, held, quantity, sequence, number, last FROM sums
  WHERE held <> quantity OR sequence <> number OR last <> number ORDER BY id LIMIT %(told)s)
UNION ALL
(SELECT 'product', NULL, id, held, quantity, NULL, NULL, NULL FROM wholes
  WHERE held <> quantity OR worth <> value OR reorder_at <> reorder_point ORDER BY id LIMIT %(told)s)
UNION ALL
(SELECT 'worth', sums.id, sums.product_id, known.quantity, sums.held, NULL, NULL, NULL
   FROM sums JOIN product ON product.id = sums.product_id LEFT JOIN item_worth known ON known.item_id = sums.id
  WHERE known.quantity IS DISTINCT FROM sums.held OR known.unit_cost IS DISTINCT FROM product.unit_cost
  ORDER BY sums.id LIMIT %(told)s)
UNION ALL
SELECT 'read', NULL, NULL, NULL, NULL, sum(number)::bigint, NULL, NULL FROM sums
UNION ALL
SELECT 'rounding', NULL, NULL, max(abs(worth - held * unit_cost)), sum(worth - held * unit_cost), count(*), NULL, NULL
  FROM wholes WHERE worth <> round(held * unit_cost, 4)
"""


def _products(session: Session, part: dict[str, Any]) -> Found:
    asked = {"low": part["low"], "high": part["high"], "told": _TOLD}
    rows = session.connection().exec_driver_sql(_PRODUCTS, asked).all()
    read = sum(row.sequence or 0 for row in rows if row.kind == "read")
    found = Found(read)
    for row in rows:
        if row.kind == "item":
            found.faults.append(_of_item(session, row))
        elif row.kind == "product":
            found.faults.append(_of_product(session, row))
        elif row.kind == "worth":
            said = "What it is worth in lists is not its quantity at the product's cost."
            found.faults.append(_fault("worth", said, item_id=row.item_id, product_id=row.product_id))
        elif row.kind == "rounding" and row.sequence:
            found.notes.append({"products": row.sequence, "most": str(row.held), "sum": str(row.quantity)})
    return found


# Each movement beside its own entry in the trail, which nobody can change.
_ENTRIES = """
SELECT m.id, m.sequence, m.operation_id, m.recorded_at, m.quantity, row_number() OVER (ORDER BY m.sequence) AS place,
       (SELECT c.after::jsonb FROM audit_change c WHERE c.table_name = 'stock_movement' AND c.pk = m.id::text
         ORDER BY c.id LIMIT 1) AS recorded
  FROM stock_movement m WHERE m.item_id = %(item)s ORDER BY m.sequence
"""


def _of_item(session: Session, row: Any) -> dict[str, Any]:
    """Name the first entry of an item that disagrees with what was recorded; if none does, the item itself."""
    entries = session.connection().exec_driver_sql(_ENTRIES, {"item": row.item_id}).all()
    known = any(entry.recorded for entry in entries)
    for entry in entries:
        said = ""
        if entry.place != entry.sequence:
            said = f"Movement {entry.place} is missing before this one."
        elif entry.recorded is None:
            said = "This movement is in no record of the trail." if known else ""
        elif Decimal(str(entry.recorded["quantity"])) != entry.quantity:
            was = Decimal(str(entry.recorded["quantity"]))
            said = f"It was recorded as {say(was)}, it now says {say(entry.quantity)}."
        elif entry.recorded["item_id"] != row.item_id:
            said = "It was recorded for another item."
        if said:
            return _entry(row, entry, said)
    last = entries[-1] if entries else None
    if row.sequence > row.number:
        said = f"It counts {row.sequence} movements and has {row.number}: the last ones are missing."
    elif row.held == row.quantity:
        said = f"It counts {row.sequence} movements and has {row.number}."
    else:
        said = (
            f"It says {say(row.held)}, its movements come to {say(row.quantity)}: "
            "the movements are as they were recorded, the item was changed beside them."
        )
    return _entry(row, last, said)


def _entry(row: Any, entry: Any, said: str) -> dict[str, Any]:
    return _fault(
        "item",
        said,
        item_id=row.item_id,
        product_id=row.product_id,
        sequence=entry.sequence if entry else 0,
        operation_id=str(entry.operation_id) if entry else "",
        at=entry.recorded_at.isoformat() if entry else "",
        says=say(row.held),
        sum=say(row.quantity),
    )


def _of_product(session: Session, row: Any) -> dict[str, Any]:
    del session
    said = "What the company has of it, its value or when to reorder it is not what its movements and its card say."
    return _fault("product", said, product_id=row.product_id, says=say(row.held), sum=say(row.quantity))


# Of each product and lot by itself: five of one that became five of another are no transfer.
_TRANSFERS = """
SELECT m.operation_id, min(m.recorded_at) AS at, min(m.item_id) AS item_id, min(m.sequence) AS sequence,
       sum(m.quantity) AS quantity
  FROM stock_movement m JOIN inventory_item item ON item.id = m.item_id WHERE m.kind = 'transfer'
 GROUP BY m.operation_id, item.product_id, item.lot_id HAVING sum(m.quantity) <> 0 OR sum(m.value) <> 0
 ORDER BY 2, 3 LIMIT %(told)s
"""
_TAKEN_BACK = """
SELECT m.operation_id, m.recorded_at AS at, m.item_id, m.sequence, m.quantity + original.quantity AS quantity
  FROM stock_movement m JOIN stock_movement original ON original.id = m.reverses
 WHERE (m.item_id, m.quantity, m.value) IS DISTINCT FROM (original.item_id, -original.quantity, -original.value)
 ORDER BY m.recorded_at, m.id LIMIT %(told)s
"""


def _transfers(session: Session, part: dict[str, Any]) -> Found:
    del part
    connection, told = session.connection(), {"told": _TOLD}
    looked = [
        (connection.exec_driver_sql(_TRANSFERS, told), "What was moved away and what arrived are not the same."),
        (connection.exec_driver_sql(_TAKEN_BACK, told), "What was taken back is not what had been booked."),
    ]
    return Found(
        faults=[
            _fault(
                "transfer",
                said,
                item_id=row.item_id,
                sequence=row.sequence,
                operation_id=str(row.operation_id),
                at=row.at.isoformat(),
                sum=say(row.quantity),
            )
            for rows, said in looked
            for row in rows
        ]
    )


_SHIPMENTS = """
SELECT item.id, item.product_id, item.quantity AS held, coalesce(sum(shipment.quantity), 0) AS quantity
  FROM inventory_item item JOIN location ON location.id = item.location_id AND location.kind = 'transit'
  LEFT JOIN shipment ON shipment.transit_item_id = item.id AND shipment.status = 'sent'
 GROUP BY item.id HAVING item.quantity <> coalesce(sum(shipment.quantity), 0) ORDER BY item.id LIMIT %(told)s
"""


def _shipments(session: Session, part: dict[str, Any]) -> Found:
    del part
    rows = session.connection().exec_driver_sql(_SHIPMENTS, {"told": _TOLD})
    said = "What is under way is not what the open shipments say."
    return Found(
        faults=[
            _fault(
                "shipment",
                said,
                item_id=row.id,
                product_id=row.product_id,
                says=say(row.held),
                sum=say(row.quantity),
            )
            for row in rows
        ]
    )


_TOTALS = """
WITH asked AS (
  SELECT * FROM unnest(%(begins)s::timestamptz[], %(through)s::timestamptz[]) AS asked(begins, through)
), counted AS (
  SELECT asked.through, (m.occurred_at AT TIME ZONE 'UTC')::date AS effective_day, item.location_id, m.kind,
         count(*) AS movements, sum(m.quantity) AS quantity, sum(m.value) AS value
    FROM asked JOIN stock_movement m ON m.recorded_at > asked.begins AND m.recorded_at <= asked.through
    JOIN inventory_item item ON item.id = m.item_id GROUP BY 1, 2, 3, 4
), known AS (SELECT * FROM stock_total WHERE through = ANY (%(through)s::timestamptz[]))
SELECT DISTINCT through FROM counted FULL JOIN known USING (through, effective_day, location_id, kind)
 WHERE (counted.movements, counted.quantity, counted.value) IS DISTINCT FROM
       (known.movements::bigint, known.quantity, known.value) ORDER BY through
"""


def _totals(session: Session, part: dict[str, Any]) -> Found:
    rows = session.connection().exec_driver_sql(_TOTALS, {"begins": part["begins"], "through": part["through"]})
    said = "The sums of what was recorded up to then are not those of the movements."
    return Found(faults=[_fault("total", said, at=through.isoformat()) for (through,) in rows])


_CHECKS = {"products": _products, "transfers": _transfers, "shipments": _shipments, "totals": _totals}


def _fault(kind: str, said: str, **about: Any) -> dict[str, Any]:
    return {"kind": kind, "said": said, **about}


def first_of(faults: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Order faults: what is wrong in the ledger comes before what is wrong beside it, the oldest first."""
    order = {"item": 0, "transfer": 0, "shipment": 1, "product": 2, "worth": 3, "total": 4}
    yield from sorted(faults, key=lambda one: (order[one["kind"]], one.get("at") or "9", one.get("item_id") or 0))
