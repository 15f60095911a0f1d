"""One item: what is there, why it is that much, and how it came to be, now or as of a moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlmodel import Session

from inventory_app.errors import NotFound
from inventory_app.models._base import now
from inventory_app.operations._ledger import say
from inventory_app.operations._movement_lines import MINUS, MovementLine, movement_lines, signed
from inventory_app.operations._operation import current_viewer, query
from inventory_app.operations._people_names import names_of
from inventory_app.operations.as_of import BEGINNING, DECIDES, Way, checked
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

#: So many movements are told one by one, the newest.
SHOWN = 12
#: A line is drawn through no more points.
_POINTS = 240


@dataclass(frozen=True, slots=True)
class Part:
    """Movements of one kind, taken together: what they are called, how many, and what they come to."""

    label: str
    number: int
    change: str


@dataclass(frozen=True, slots=True)
class Why:
    """Why the quantity is what it is: the newest movements, oldest first, what was before them, and the sum.

    `sum` is the equation ("22 + 36 − 51 = 7"), `said` the same in words. `balanced` tells whether the item holds what
    its movements come to; of a moment that is past there is nothing to compare with.
    """

    quantity: str
    lines: list[MovementLine]
    earlier: int
    before: str
    parts: list[Part]
    sum: str
    said: str
    balanced: bool


@dataclass(frozen=True, slots=True)
class Promise:
    """What is kept back of an item, or on its way to or from it."""

    label: str
    meta: str
    at: str
    change: str


@dataclass(frozen=True, slots=True)
class Step:
    """From a moment on there was this much."""

    at: datetime
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class ItemDetail:
    """An item as its page shows it; costs and values are empty without `prices:view`.

    `level` is "", "low" (the product is to be reordered), "out" (there is none anywhere) or "none" (none here).
    """

    id: int
    product_id: int
    location_id: int
    sku: str
    product: str
    category: str
    location: str
    lot: str
    unit: str
    supplier: str
    supplier_id: int
    active: bool
    level: str
    on_hand: str
    on_hand_meta: str
    reserved: str
    reserved_meta: str
    available: str
    elsewhere: str
    reorder_point: str
    reorder_meta: str
    unit_cost: str
    value: str
    value_meta: str
    currency: str
    changed_at: str
    changed_by: str
    movements: int


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Everything the page shows; `then` is what was there at the moment that is asked about, in words."""

    item: ItemDetail
    why: Why
    promises: list[Promise]
    steps: list[Step]
    begins: datetime
    ends: datetime
    at: datetime | None
    then: str
    then_value: str


_DETAIL = """
SELECT item.id, item.product_id, item.location_id, product.sku, product.name AS product, category.name AS category,
       location.name AS location, lot.code AS lot, product.unit_code AS unit, supplier.name AS supplier,
       supplier.id AS supplier_id, product.active, item.quantity, item.sequence, item.changed_at, item.changed_by,
       product.reorder_point, product.reorder_quantity, product.unit_cost, product.currency,
       coalesce(stock.quantity, 0) AS total,
       (SELECT coalesce(sum(quantity), 0) FROM reservation
         WHERE item_id = item.id AND released_at IS NULL AND expires_at > clock_timestamp()) AS reserved
  FROM inventory_item item
  JOIN product ON product.id = item.product_id
  JOIN location ON location.id = item.location_id
  LEFT JOIN category ON category.id = product.category_id
  LEFT JOIN supplier ON supplier.id = product.supplier_id
  LEFT JOIN lot ON lot.id = item.lot_id
  LEFT JOIN product_stock stock ON stock.product_id = item.product_id
 WHERE item.id = %(item)s
"""
_PARTS = """
SELECT CASE WHEN reason_code = 'opening' THEN 'opening' ELSE kind END AS kind, quantity > 0 AS added,
       count(*) AS number, sum(quantity) AS quantity, sum(value) AS value, min({decides}) AS first
  FROM stock_movement WHERE item_id = %(item)s AND {decides} <= %(at)s GROUP BY 1, 2
"""
_NEWEST = """
SELECT id, quantity FROM stock_movement WHERE item_id = %(item)s AND {decides} <= %(at)s
 ORDER BY {decides} DESC, sequence DESC LIMIT %(most)s
"""
_STEPS = """
SELECT max({decides}), sum(quantity) FROM stock_movement
 WHERE item_id = %(item)s AND {decides} > %(begins)s AND {decides} <= %(ends)s
 GROUP BY width_bucket(extract(epoch FROM {decides}), %(low)s, %(high)s, %(points)s) ORDER BY 1
"""
_BEFORE = "SELECT coalesce(sum(quantity), 0) FROM stock_movement WHERE item_id = %(item)s AND {decides} <= %(begins)s"
_PROMISES = """
SELECT 'reserved' AS what, reservation.reference AS about, reservation.created_by AS who, reservation.expires_at AS at,
       reservation.quantity, NULL AS place
  FROM reservation WHERE item_id = %(item)s AND released_at IS NULL AND expires_at > clock_timestamp()
UNION ALL
SELECT CASE WHEN shipment.transit_item_id = %(item)s THEN 'under way' ELSE 'sent' END, NULL, shipment.sent_by,
       shipment.sent_at, shipment.quantity, target.name
  FROM shipment JOIN location target ON target.id = shipment.to_location_id
 WHERE shipment.status = 'sent' AND %(item)s IN (shipment.from_item_id, shipment.transit_item_id)
UNION ALL
SELECT 'coming', NULL, shipment.sent_by, shipment.sent_at, shipment.quantity, source.name
  FROM shipment JOIN inventory_item origin ON origin.id = shipment.from_item_id
  JOIN location source ON source.id = origin.location_id
 WHERE shipment.status = 'sent' AND shipment.to_location_id = %(location)s AND origin.product_id = %(product)s
 ORDER BY 4 LIMIT 20
"""


@query(Permission.INVENTORY_VIEW)
def item_page(
    session: Session, *, item_id: int, at: datetime | None = None, way: Way = Way.KNOWN, days: int = 30
) -> ItemPage:
    """Return an item with why it is that much and the course of so many days, as of a moment if one is given."""
    connection = session.connection()
    row = connection.exec_driver_sql(_DETAIL, {"item": item_id}).one_or_none()
    if row is None:
        raise NotFound
    present = now()
    # What is being recorded this very moment is there as well.
    moment = checked(at) if at else present + timedelta(minutes=1)
    asked = {"item": item_id, "at": moment}
    decides = DECIDES[way]
    parts = connection.exec_driver_sql(_PARTS.format(decides=decides), asked).all()
    why = _why(session, row, parts, asked, decides, is_past=at is not None)
    begins, ends = present - timedelta(days=days), present
    if at:
        begins = min(begins, moment - (present - moment) / 10)
    begins = max(begins, BEGINNING)
    if parts:
        # What is younger than the drawing begins a little after its edge.
        first = min(part.first for part in parts)
        begins = max(begins, first - max((present - first) / 20, timedelta(minutes=5)))
    sees = Permission.PRICES_VIEW in current_viewer(session).permissions
    value = sum((part.value for part in parts), Decimal(0))
    promised = connection.exec_driver_sql(
        _PROMISES, {"item": item_id, "location": row.location_id, "product": row.product_id}
    ).all()
    names = names_of(session, (one.who for one in promised))
    return ItemPage(
        item=_detail(row, sees=sees),
        why=why,
        promises=[_promise(one, names[one.who], row.unit) for one in promised],
        steps=_steps(connection, item_id, begins, ends, decides),
        begins=begins,
        ends=ends,
        at=checked(at) if at else None,
        then=f"{why.quantity} {row.unit}",
        then_value=f"{value:,.2f}" if sees else "",
    )


def _why(
    session: Session, row: Any, parts: Sequence[Any], asked: dict[str, Any], decides: str, *, is_past: bool
) -> Why:
    quantity = sum((part.quantity for part in parts), Decimal(0))
    number = sum(part.number for part in parts)
    newest = session.connection().exec_driver_sql(_NEWEST.format(decides=decides), asked | {"most": SHOWN}).all()
    lines = movement_lines(session, [one.id for one in reversed(newest)])
    before = quantity - sum((one.quantity for one in newest), Decimal(0))
    told = sorted((_part(one) for one in parts), key=lambda one: one[0])
    equation, said = _equation(parts, quantity)
    return Why(
        quantity=say(quantity),
        lines=lines,
        earlier=number - len(lines),
        before=say(before),
        parts=[part for _, part in told],
        sum=equation,
        said=said,
        balanced=is_past or (quantity == row.quantity and number == row.sequence),
    )


#: Kinds of movements in the order they are told, by (what adds, what takes away).
_KINDS = {
    "opening": ("Opening balance", "Opening balance"),
    "receipt": ("Received", "Receipts corrected"),
    "issue": ("Issues corrected", "Issued"),
    "transfer": ("Moved here", "Moved away"),
    "adjustment": ("Adjusted up", "Adjusted down"),
    "count": ("Found when counting", "Missing when counting"),
    "reversal": ("Taken back", "Taken back"),
    "revaluation": ("Value corrected", "Value corrected"),
}
_ORDER = {kind: number for number, kind in enumerate(_KINDS)}


def _part(found: Any) -> tuple[tuple[int, bool], Part]:
    label = _KINDS.get(found.kind, (found.kind, found.kind))[0 if found.added else 1]
    order = (_ORDER.get(found.kind, len(_ORDER)), not found.added)
    return order, Part(label, found.number, signed(found.quantity))


def _equation(parts: Sequence[Any], quantity: Decimal) -> tuple[str, str]:
    """Write the sum as an equation and in words: what it began with, what came in, what went out."""
    if not parts:
        return "0", "There was no movement."
    nothing = Decimal(0)
    opening = sum((part.quantity for part in parts if part.kind == "opening"), nothing)
    into = [part for part in parts if part.kind != "opening" and part.quantity > 0]
    out = [part for part in parts if part.kind != "opening" and part.quantity < 0]
    came = sum((part.quantity for part in into), nothing)
    went = -sum((part.quantity for part in out), nothing)
    equation = f"{say(opening)} + {say(came)} {MINUS} {say(went)} = {say(quantity)}"
    said = f"{say(opening)} at the start, {say(came)} in, {say(went)} out."
    return equation, said


def _steps(connection: Any, item_id: int, begins: datetime, ends: datetime, decides: str) -> list[Step]:
    asked = {
        "item": item_id,
        "begins": begins,
        "ends": ends,
        "low": begins.timestamp(),
        "high": max(ends.timestamp(), begins.timestamp() + 1),
        "points": _POINTS,
    }
    held = connection.exec_driver_sql(_BEFORE.format(decides=decides), asked).scalar_one()
    steps = [Step(begins, held)]
    for at, change in connection.exec_driver_sql(_STEPS.format(decides=decides), asked):
        held += change
        steps.append(Step(at, held))
    return steps


def _promise(row: Any, who: str, unit: str) -> Promise:
    labels = {
        "reserved": (f"Reserved for {row.about}" if row.about else "Reserved", MINUS),
        "sent": (f"Sent to {row.place}, already taken from here", ""),
        "under way": (f"Under way to {row.place}", MINUS),
        "coming": (f"Coming from {row.place}", "+"),
    }
    label, sign = labels[row.what]
    ends = "until" if row.what == "reserved" else "since"
    return Promise(label, f"{who}, {ends}", row.at.isoformat(), f"{sign}{say(row.quantity, unit)}")


def _detail(row: Any, *, sees: bool) -> ItemDetail:
    available = max(row.quantity - row.reserved, Decimal(0))
    return ItemDetail(
        id=row.id,
        product_id=row.product_id,
        location_id=row.location_id,
        sku=row.sku,
        product=row.product,
        category=row.category or "",
        location=row.location,
        lot=row.lot or "",
        unit=row.unit,
        supplier=row.supplier or "",
        supplier_id=row.supplier_id or 0,
        active=row.active,
        level=_level(row) if row.active else "",
        on_hand=say(row.quantity),
        on_hand_meta=row.changed_by,
        reserved=say(row.reserved),
        reserved_meta="kept back of it" if row.reserved else "nothing kept back",
        available=say(available),
        elsewhere=say(row.total - row.quantity),
        reorder_point=say(row.reorder_point) if row.reorder_point else "–",
        reorder_meta=f"usually order {say(row.reorder_quantity)}" if row.reorder_point else "not reordered",
        unit_cost=f"{row.unit_cost:,.2f}" if sees else "",
        value=f"{row.quantity * row.unit_cost:,.2f}" if sees else "",
        value_meta=f"{say(row.quantity)} × {row.unit_cost:,.2f}" if sees else "",
        currency=get_settings().currency,
        changed_at=row.changed_at.isoformat(),
        changed_by=row.changed_by,
        movements=row.sequence,
    )


def _level(row: Any) -> str:
    if row.total == 0:
        return "out"
    if 0 < row.reorder_point >= row.total:
        return "low"
    return "none" if row.quantity == 0 else ""
