"""What came for the lines of an order, or went back: who asks for what, and everything that is wrong with it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.errors import AppError, Invalid, InvalidRows
from inventory_app.models.catalog import Location, Product, Unit
from inventory_app.models.purchasing import PurchaseOrderLine
from inventory_app.models.stock import InventoryItem
from inventory_app.operations._ledger import Place, enough, fits_unit, in_use, more_than_nothing, say

#: (row, field, sentence), as `InvalidRows` has them.
Fault = tuple[int, str, str]
_FINEST = 3
_LONGEST_LOT = 60


@dataclass(frozen=True, slots=True)
class Came:
    """How much came of a line: where it was put (None: where the receipt says), and its lot where lots are kept."""

    line_id: int
    quantity: Decimal
    location_id: int | None = None
    lot_code: str = ""
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Back:
    """How much of a line goes back, and out of which item; None where nothing of it is kept in stock."""

    line_id: int
    quantity: Decimal
    item_id: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a locked order, with what its sentences need."""

    id: int
    position: int
    description: str
    product_id: int | None
    quantity: Decimal
    unit_cost: Decimal
    receivable: Decimal
    received: Decimal
    unit: str
    decimals: int

    @property
    def left(self) -> Decimal:
        """How much can still come of it, the tolerance included and without what is not waited for any more."""
        return max(self.receivable - self.received, Decimal(0))

    @property
    def named(self) -> str:
        """What a sentence calls it."""
        return f"line {self.position} ({self.description})"


def lines_of(session: Session, order_id: int) -> dict[int, Line]:
    """Return the lines of an order by their ids, in its order; whoever holds the order holds them."""
    unit = sa.func.coalesce(col(Unit.code), col(PurchaseOrderLine.purchase_unit))
    found = session.execute(
        sa.select(
            *(col(getattr(PurchaseOrderLine, name)) for name in Line.__dataclass_fields__ if name in _COLUMNS),
            unit.label("unit"),
            sa.func.coalesce(col(Unit.decimals), _FINEST).label("decimals"),
        )
        .outerjoin(Product, col(Product.id) == col(PurchaseOrderLine.product_id))
        .outerjoin(Unit, col(Unit.code) == col(Product.unit_code))
        .where(col(PurchaseOrderLine.order_id) == order_id)
        .order_by(col(PurchaseOrderLine.position))
    )
    return {row.id: Line(**row._mapping) for row in found}  # noqa: SLF001  # how SQLAlchemy names a row's columns


_COLUMNS = frozenset(PurchaseOrderLine.model_fields)


def products_of(lines: Mapping[int, Line], asked: Sequence[Came | Back]) -> list[int]:
    """Return the products of the lines that are asked for."""
    return [
        product_id
        for one in asked
        if (line := lines.get(one.line_id)) is not None and (product_id := line.product_id) is not None
    ]


def summed(asked: Iterable[Came | Back]) -> dict[int, Decimal]:
    """Return how much is asked of each line, all its rows together."""
    found: dict[int, Decimal] = defaultdict(Decimal)
    for one in asked:
        found[one.line_id] += one.quantity
    return dict(found)


def refuse(faults: Sequence[Fault], rows: int, what: str) -> None:
    """Raise every fault of what was asked at once."""
    if faults:
        wrong = len({row for row, _, _ in faults})
        raise InvalidRows(f"{wrong} of {rows} lines cannot be {what}, so nothing was booked:", faults)


def came_faults(
    asked: Sequence[Came], lines: Mapping[int, Line], products: Mapping[int, Product], places: Mapping[int, int]
) -> list[Fault]:
    """Return what is wrong with what came; `places` are the locations by row."""
    faults = _line_faults(asked, lines)
    for number, one in enumerate(asked, start=1):
        line = lines.get(one.line_id)
        if line is None:
            continue
        if line.product_id is None:
            if one.lot_code or one.expires_on:
                faults.append((number, "lot_code", f"{line.named} is not kept in stock: leave the lot empty"))
            continue
        if number not in places:
            faults.append((number, "location_id", f"{line.named}: choose a location that is in use"))
        if fault := _lot_fault(one, line, products[line.product_id]):
            faults.append((number, *fault))
    for line_id, quantity in summed(one for one in asked if one.quantity.is_finite()).items():
        line = lines.get(line_id)
        if line is not None and quantity > line.left:
            faults.append((_last(asked, line_id), "quantity", too_much(line, line.left, quantity)))
    return sorted(faults)


def too_much(line: Line, left: Decimal, quantity: Decimal) -> str:
    """Say that more would have come of a line than may."""
    return (
        f"{line.named}: {say(left, line.unit)} can still come ({say(line.quantity)} ordered, "
        f"{say(line.received)} came); you entered {say(quantity)}"
    )


def too_little(line: Line, quantity: Decimal) -> str:
    """Say that more of a line would go than has come."""
    return f"{line.named}: {say(line.received, line.unit)} have come and not gone back; this takes {say(quantity)}"


def _lot_fault(one: Came, line: Line, product: Product) -> tuple[str, str] | None:
    code = one.lot_code.strip()
    if not product.active:
        return "line_id", f"{line.named}: {product.name} is archived. Restore it first"
    if not product.lots_kept and (code or one.expires_on):
        return "lot_code", f"{line.named} is not kept by lot: leave the lot and its date empty"
    if product.lots_kept and not 0 < len(code) <= _LONGEST_LOT:
        return "lot_code", f"{line.named} is kept by lot: enter its lot, at most {_LONGEST_LOT} characters"
    return None


def back_faults(
    asked: Sequence[Back],
    lines: Mapping[int, Line],
    items: Mapping[int, InventoryItem],
    where: Mapping[int, Place],
) -> list[Fault]:
    """Return what is wrong with what goes back: never more than came, and only what is there."""
    faults = _line_faults(asked, lines)
    taken: dict[int, Decimal] = defaultdict(Decimal)
    for number, one in enumerate(asked, start=1):
        line = lines.get(one.line_id)
        if line is None or not one.quantity.is_finite():
            continue
        item = items.get(one.item_id or 0)
        if line.product_id is None and one.item_id is None:
            continue
        if item is None or item.product_id != line.product_id:
            faults.append((number, "item_id", f"{line.named}: choose where it is taken from"))
            continue
        taken[item.id or 0] += one.quantity
        place, quantity = where[item.id or 0], taken[item.id or 0]
        faults += _said(number, "item_id", line, lambda place=place: in_use(place, "item_id"))
        faults += _said(
            number, "quantity", line, lambda item=item, q=quantity, place=place: enough(item.quantity, q, place)
        )
    for line_id, quantity in summed(one for one in asked if one.quantity.is_finite()).items():
        line = lines.get(line_id)
        if line is not None and quantity > line.received:
            faults.append((_last(asked, line_id), "quantity", too_little(line, quantity)))
    return sorted(faults)


def _line_faults(asked: Sequence[Came | Back], lines: Mapping[int, Line]) -> list[Fault]:
    faults: list[Fault] = []
    for number, one in enumerate(asked, start=1):
        line = lines.get(one.line_id)
        if line is None:
            faults.append((number, "line_id", "is no line of this order (any more). Reload the page"))
            continue
        wrong = _said(number, "quantity", line, lambda one=one: more_than_nothing(one.quantity))
        faults += wrong or _said(
            number,
            "quantity",
            line,
            lambda one=one, line=line: fits_unit(one.quantity, line.decimals, line.unit or "They"),
        )
    return faults


def _said(number: int, field: str, line: Line, check: Callable[[], None]) -> list[Fault]:
    """Return what a rule of the ledger says about a row, beside the line's name."""
    try:
        check()
    except AppError as error:
        sentence = next(iter(error.fields.values()), str(error))
        return [(number, field, f"{line.named}: {sentence[:1].lower()}{sentence[1:].rstrip('.')}")]
    return []


def _last(asked: Sequence[Came | Back], line_id: int) -> int:
    return max(number for number, one in enumerate(asked, start=1) if one.line_id == line_id)


def in_use_of(session: Session, location_ids: Iterable[int]) -> set[int]:
    """Return which of these locations are in use, as they are now: places where people put things."""
    found = session.scalars(
        sa.select(col(Location.id)).where(
            col(Location.id).in_(set(location_ids)), col(Location.active), col(Location.kind) != "transit"
        )
    )
    return {id_ for id_ in found if id_ is not None}


def asked_for(asked: Sequence[Came | Back]) -> None:
    """Refuse to book nothing at all, or far too many rows."""
    if not asked:
        message = "Enter how much of at least one line."
        raise Invalid(message)
    if len(asked) > MOST_ROWS:
        raise Invalid(f"At most {MOST_ROWS:,} rows can be booked at once. Book them in parts.")


MOST_ROWS = 2_000
