"""Reading stock: the list of items, its counts and worth, and one item for a form."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from inventory_app.errors import NotFound
from inventory_app.models._base import sort_key
from inventory_app.models.catalog import Category, Location, Product, Unit
from inventory_app.models.stock import InventoryItem
from inventory_app.models.suppliers import Supplier
from inventory_app.operations._ledger import say
from inventory_app.operations._operation import current_viewer, query
from inventory_app.operations._paging import AnySelect, Key, Page, keyset, like_escaped
from inventory_app.operations.dashboard import reorder_due
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

_ITEM_ID = col(InventoryItem.id)
_WORTH = sa.type_coerce(col(InventoryItem.quantity) * col(Product.unit_cost), sa.Numeric(28, 7))

#: What the list can be sorted by.
SORTS: dict[str, Key] = {
    "sku": col(Product.sku),
    "product": col(Product.sort_key),
    "location": col(Location.sort_key),
    "on_hand": col(InventoryItem.quantity),
    "value": _WORTH,
    "changed": col(InventoryItem.changed_at),
}
#: Sorting by these says something about costs.
NEEDS_PRICES = frozenset({"value"})
TABS = ("all", "reorder", "out")


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item as the list shows it; cost and value are empty without `prices:view`.

    `read_quantity` is the plain number a change must be based on; `fill` and `tick` are percent of
    the level bar, `level` is "", "low" or "out".
    """

    id: int
    sku: str
    product: str
    category: str
    location: str
    location_id: str
    on_hand: str
    unit: str
    read_quantity: str
    level: str
    fill: int
    tick: int
    unit_cost: str
    value: str
    supplier: str
    changed_by: str
    initials: str
    changed_at: str
    active: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """The whole stock in figures; `worth` is empty without `prices:view`."""

    items: int
    locations: int
    worth: str
    to_reorder: int
    out: int


@dataclass(frozen=True, slots=True)
class Filters:
    """Which items to show."""

    search: str = ""
    tab: str = "all"
    category_id: int | None = None
    location_id: int | None = None


def _conditions(filters: Filters) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [
        col(Product.search).like(f"%{like_escaped(word)}%") for word in sort_key(filters.search).split()
    ]
    if filters.tab == "reorder":
        conditions.append(col(Product.id).in_(reorder_due()))
    if filters.tab == "out":
        conditions.append(sa.and_(col(InventoryItem.quantity) == 0, col(Product.active)))
    if filters.category_id is not None:
        conditions.append(col(Product.category_id) == filters.category_id)
    if filters.location_id is not None:
        conditions.append(col(InventoryItem.location_id) == filters.location_id)
    return conditions


def _joined(statement: AnySelect) -> AnySelect:
    return (
        statement.select_from(InventoryItem)
        .join(Product, col(Product.id) == col(InventoryItem.product_id))
        .join(Location, col(Location.id) == col(InventoryItem.location_id))
    )


def _product_total() -> sa.ScalarSelect[Decimal]:
    other = aliased(InventoryItem)
    return (
        sa.select(sa.func.sum(other.quantity))
        .where(col(other.product_id) == col(Product.id))
        .correlate(Product)
        .scalar_subquery()
    )


_LIST = (
    _joined(
        sa.select(
            _ITEM_ID,
            col(Product.sku),
            col(Product.name).label("product"),
            col(Category.name).label("category"),
            col(Location.name).label("location"),
            col(Location.id).label("location_id"),
            col(InventoryItem.quantity),
            col(Unit.code).label("unit"),
            col(Product.reorder_point),
            _product_total().label("total"),
            col(Product.unit_cost),
            col(Supplier.name).label("supplier"),
            col(InventoryItem.changed_by),
            col(InventoryItem.changed_at),
            col(Product.active),
        )
    )
    .join(Unit, col(Unit.code) == col(Product.unit_code))
    .outerjoin(Category, col(Category.id) == col(Product.category_id))
    .outerjoin(Supplier, col(Supplier.id) == col(Product.supplier_id))
)


@query(Permission.INVENTORY_VIEW)
def list_items(
    session: Session,
    *,
    filters: Filters,
    sort: str = "sku",
    descending: bool = False,
    cursor: str = "",
    size: int = 50,
) -> Page[ItemRow]:
    """Return a page of items, sorted by one of `SORTS`."""
    prices = Permission.PRICES_VIEW in current_viewer(session).permissions
    column = SORTS.get(sort, SORTS["sku"])
    if sort in NEEDS_PRICES and not prices:
        column = SORTS["sku"]
    statement = _LIST.where(*_conditions(filters))
    page = keyset(session, statement, [column, _ITEM_ID], descending=descending, cursor=cursor, size=size)
    return Page([_row(found, prices=prices) for found in page.rows], page.before, page.after)


@query(Permission.INVENTORY_VIEW)
def count_items(session: Session, *, filters: Filters) -> int:
    """Count the items a filter leaves."""
    statement = _joined(sa.select(sa.func.count())).where(*_conditions(filters))
    return session.scalar(statement) or 0


@query(Permission.INVENTORY_VIEW)
def get_items(session: Session, *, item_ids: list[int]) -> list[ItemRow]:
    """Return these items, by SKU; those that do not exist are missing."""
    prices = Permission.PRICES_VIEW in current_viewer(session).permissions
    found = session.execute(_LIST.where(_ITEM_ID.in_(item_ids)).order_by(col(Product.sku), _ITEM_ID))
    return [_row(row, prices=prices) for row in found]


@query(Permission.INVENTORY_VIEW)
def summarize(session: Session) -> Summary:
    """Return the stock in figures, worth at the moving average cost."""
    prices = Permission.PRICES_VIEW in current_viewer(session).permissions
    items, locations, worth, out = session.execute(
        _joined(
            sa.select(
                sa.func.count(),
                sa.func.count(sa.distinct(col(InventoryItem.location_id))),
                sa.func.coalesce(sa.func.sum(_WORTH), 0),
                sa.func.count().filter(col(InventoryItem.quantity) == 0, col(Product.active)),
            )
        )
    ).one()
    low = session.scalar(sa.select(sa.func.count()).where(col(InventoryItem.product_id).in_(reorder_due())))
    return Summary(
        items=items,
        locations=locations,
        worth=f"{worth:,.2f} {get_settings().currency}" if prices else "",
        to_reorder=low or 0,
        out=out,
    )


def _row(found: Any, *, prices: bool) -> ItemRow:
    quantity: Decimal = found.quantity
    point: Decimal = found.reorder_point
    low = found.active and point > 0 and (found.total or Decimal(0)) <= point
    level = "out" if quantity == 0 and found.active else "low" if low else ""
    # The longer of what is there and twice the reorder point fills most of the bar.
    scale = max(quantity / Decimal("0.88"), point * Decimal("2.2"), Decimal(1))
    who = found.changed_by
    return ItemRow(
        id=found.id,
        sku=found.sku,
        product=found.product,
        category=found.category or "",
        location=found.location,
        location_id=str(found.location_id),
        on_hand=say(quantity),
        unit=found.unit,
        read_quantity=f"{quantity.normalize():f}",
        level=level,
        fill=int(quantity / scale * 100),
        tick=int(point / scale * 100),
        unit_cost=f"{found.unit_cost:,.2f}" if prices else "",
        value=f"{quantity * found.unit_cost:,.2f}" if prices else "",
        supplier=found.supplier or "",
        changed_by=who,
        initials=who[:2].upper(),
        changed_at=found.changed_at.isoformat(),
        active=found.active,
    )


@dataclass(frozen=True, slots=True)
class Target:
    """A location stock can go to, and what is there of the same product."""

    location_id: str
    location: str
    on_hand: str


@query(Permission.INVENTORY_VIEW)
def transfer_targets(session: Session, *, item_id: int) -> list[Target]:
    """Return where an item's product can be moved, by name, with what is there already."""
    here = session.get(InventoryItem, item_id)
    if here is None:
        raise NotFound
    there = aliased(InventoryItem)
    found = session.execute(
        sa.select(col(Location.id), col(Location.name), col(there.quantity))
        .outerjoin(there, sa.and_(col(there.location_id) == col(Location.id), col(there.product_id) == here.product_id))
        .where(col(Location.active), col(Location.kind) == "storage", col(Location.id) != here.location_id)
        .order_by(col(Location.sort_key))
    )
    return [Target(str(id_), name, say(quantity or Decimal(0))) for id_, name, quantity in found]
