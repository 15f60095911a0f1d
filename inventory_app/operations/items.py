"""Reading stock: the list of items, its counts and worth, and one item for a form."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from inventory_app.errors import NotFound
from inventory_app.models.catalog import Category, Location, Lot, Product
from inventory_app.models.stock import InventoryItem
from inventory_app.models.suppliers import Supplier
from inventory_app.operations._figures import NAMED, bar, figures, held
from inventory_app.operations._item_list import LIST
from inventory_app.operations._ledger import Place, places, reserved_of_item, say
from inventory_app.operations._lists import View
from inventory_app.operations._operation import current_viewer, query
from inventory_app.operations._paging import Page
from inventory_app.operations._people_names import called
from inventory_app.operations.catalog import Choices, known_choices
from inventory_app.operations.pictures import initials_of
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

_ITEM_ID = col(InventoryItem.id)

#: Where a row stands in these changes with its quantity.
MOVES_WITH_QUANTITY = frozenset({"on_hand", "value", "changed"})
#: Whether a row is listed at all depends on quantities with these filters.
DEPENDS_ON_QUANTITY = frozenset({"view", "on_hand", "value"})


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item as the list shows it; cost and value are empty without `prices:view`.

    `read_quantity` is the plain number a change must be based on. What is low is decided about the product, all
    locations together: `in_all` is how much that is where there is more elsewhere, `fill`, `rest` and `tick` are
    percent of the level bar: what is here, what is elsewhere, the reorder point. `level` is "", "low" (to reorder),
    "out" (none anywhere) or "none" (none here).
    """

    id: int
    product_id: int
    sku: str
    product: str
    category: str
    location: str
    location_id: str
    on_hand: str
    unit: str
    read_quantity: str
    level: str
    in_all: str
    fill: int
    rest: int
    tick: int
    unit_cost: str
    value: str
    supplier: str
    #: What whoever changed it last is called, and their username.
    changed_by: str
    changed_username: str
    initials: str
    changed_at: str
    active: bool
    lot: str
    reserved: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An item as the database knows it, for one viewer: `unit_cost` is None without `prices:view`."""

    id: int
    product_id: int
    sku: str
    product: str
    category: str | None
    location: str
    location_id: int
    quantity: Decimal
    unit: str
    reorder_point: Decimal
    total: Decimal
    supplier: str | None
    changed_by: str
    changed_name: str
    changed_at: datetime
    active: bool
    unit_cost: Decimal | None
    lot: str | None = None
    reserved: Decimal = Decimal(0)

    def after(self, quantity: Decimal, changed_at: datetime, changed_by: str, name: str) -> "Kept":
        """Return it as a transfer by somebody has left it: what there is of the product altogether stays the same."""
        return replace(self, quantity=quantity, changed_at=changed_at, changed_by=changed_by, changed_name=name)

    def row(self) -> ItemRow:
        """Return it as the list shows it."""
        quantity, total, cost = self.quantity, self.total, self.unit_cost
        fill, rest, tick = bar(quantity, total, self.reorder_point)
        return ItemRow(
            id=self.id,
            product_id=self.product_id,
            sku=self.sku,
            product=self.product,
            category=self.category or "",
            location=self.location,
            location_id=str(self.location_id),
            on_hand=say(quantity),
            unit=self.unit,
            read_quantity=f"{quantity.normalize():f}",
            level=self._level() if self.active else "",
            in_all=say(total, self.unit) if total != quantity else "",
            fill=fill,
            rest=rest,
            tick=tick if self.active else 0,
            unit_cost="" if cost is None else f"{cost:,.2f}",
            value="" if cost is None else f"{quantity * cost:,.2f}",
            supplier=self.supplier or "",
            changed_by=self.changed_name,
            changed_username=self.changed_by,
            initials=initials_of(self.changed_name),
            changed_at=self.changed_at.isoformat(),
            active=self.active,
            lot=self.lot or "",
            reserved=say(self.reserved, self.unit) if self.reserved else "",
        )

    def _level(self) -> str:
        """Say the same of a product wherever it is: `_figures.reorder_due` decides so, too."""
        if self.total == 0:
            return "out"
        if 0 < self.reorder_point >= self.total:
            return "low"
        return "none" if self.quantity == 0 else ""


@dataclass(frozen=True, slots=True)
class Summary:
    """The whole stock in figures; `worth` is empty without `prices:view`, `as_of` unless it was so some time ago."""

    items: int
    locations: int
    worth: str
    to_reorder: int
    out: int
    as_of: str


#: In the order of the fields of `Kept`.
_DETAILS = (
    sa.select(
        _ITEM_ID,
        col(Product.id).label("product_id"),
        col(Product.sku),
        col(Product.name).label("product"),
        col(Category.name).label("category"),
        col(Location.name).label("location"),
        col(Location.id).label("location_id"),
        col(InventoryItem.quantity),
        col(Product.unit_code).label("unit"),
        col(Product.reorder_point),
        held().label("total"),
        col(Supplier.name).label("supplier"),
        col(InventoryItem.changed_by),
        called(col(InventoryItem.changed_by)).label("changed_name"),
        col(InventoryItem.changed_at),
        col(Product.active),
        sa.case((sa.bindparam("prices", type_=sa.Boolean), col(Product.unit_cost))).label("unit_cost"),
        col(Lot.code).label("lot"),
        reserved_of_item().label("reserved"),
    )
    .select_from(InventoryItem)
    .join(Product, col(Product.id) == col(InventoryItem.product_id))
    .join(Location, col(Location.id) == col(InventoryItem.location_id))
    .outerjoin(Category, col(Category.id) == col(Product.category_id))
    .outerjoin(Supplier, col(Supplier.id) == col(Product.supplier_id))
    .outerjoin(Lot, col(Lot.id) == col(InventoryItem.lot_id))
    .where(sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.BigInteger))) == _ITEM_ID)
)


def _kept(session: Session, item_ids: Sequence[int]) -> dict[int, Kept]:
    found = session.connection().execute(_DETAILS, {"ids": list(item_ids), "prices": _sees_prices(session)})
    return {kept.id: kept for kept in (Kept(*row) for row in found)}


def _sees_prices(session: Session) -> bool:
    return Permission.PRICES_VIEW in current_viewer(session).permissions


def _allowed(session: Session, view: View) -> View:
    return LIST.allowed(view, current_viewer(session).permissions)


def _page(session: Session, page: Page[int]) -> Page[Kept]:
    """Return everything about the rows of a page, whose keys were found first: what is not shown is not joined."""
    kept = _kept(session, page.rows) if page.rows else {}
    # An item that somebody deleted between the two statements is missing; nobody can, today.
    return page.of([kept[id_] for id_ in page.rows if id_ in kept])


@query(Permission.INVENTORY_VIEW)
def list_items(session: Session, *, view: View) -> Page[ItemRow]:
    """Return a page of items as `LIST` describes them."""
    page = _page(session, LIST.page(session, _allowed(session, view)))
    return page.of([kept.row() for kept in page.rows])


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the page of the list shows: `view` as this viewer may have it, `count` the items it leaves.

    `note` explains a tab.
    """

    view: View
    page: Page[Kept]
    count: int
    summary: Summary
    choices: Choices
    note: str = ""


@query(Permission.INVENTORY_VIEW)
def overview(session: Session, *, view: View) -> Overview:
    """Return a page of items with the figures above it and the choices of its dialogs, in one transaction."""
    allowed = _allowed(session, view)
    summary = _summary(session)
    page, count = LIST.listed(session, allowed, summary.items)
    note = _note(session, allowed.filters.get("view", ""))
    return Overview(allowed, _page(session, page), count, summary, known_choices(session), note)


@query(Permission.INVENTORY_VIEW)
def matching_items(session: Session, *, view: View, most: int) -> list[int]:
    """Return the ids of at most so many items of a view, over all its pages."""
    return LIST.ids(session, _allowed(session, view), most)


def _note(session: Session, tab: str) -> str:
    """Say what the rows of a tab have in common, and which product to reorder has no row."""
    if tab == "out":
        return "Nothing left at their location. Out: there is none anywhere. None here: other locations have some."
    if tab != "reorder":
        return ""
    found = figures(session)
    number = found.products_to_reorder
    are = "1 product is" if number == 1 else f"{number:,} products are"
    said = f"{are} at or below the reorder point, all locations together."
    named = [f"{name} ({sku})" for name, sku in found.nowhere]
    if not named:
        return said
    more = ", and more" if len(named) > NAMED else ""
    return f"{said} Kept nowhere, so without a row here: {', '.join(named[:NAMED])}{more}."


@query(Permission.INVENTORY_VIEW)
def count_items(session: Session, *, view: View) -> int:
    """Count the items of a view, over all its pages."""
    return LIST.count(session, _allowed(session, view))


@query(Permission.INVENTORY_VIEW)
def get_items(session: Session, *, item_ids: list[int]) -> list[ItemRow]:
    """Return these items, by SKU; those that do not exist are missing."""
    found = sorted(_kept(session, item_ids).values(), key=lambda kept: (kept.sku, kept.id))
    return [kept.row() for kept in found]


@query(Permission.INVENTORY_VIEW)
def summarize(session: Session) -> Summary:
    """Return the stock in figures, worth at the moving average cost."""
    return _summary(session)


def _summary(session: Session) -> Summary:
    found = figures(session)
    return Summary(
        items=found.items,
        locations=found.locations,
        worth=f"{found.worth:,.2f} {get_settings().currency}" if _sees_prices(session) else "",
        to_reorder=found.to_reorder,
        out=found.out,
        as_of=found.as_of(),
    )


@query(Permission.INVENTORY_VIEW)
def item_place(session: Session, *, item_id: int) -> Place:
    """Return product, location and unit of an item."""
    if found := places(session, [item_id]).get(item_id):
        return found
    raise NotFound


@dataclass(frozen=True, slots=True)
class Target:
    """A location stock can go to, and what is there of the same product."""

    location_id: str
    location: str
    on_hand: str
    quantity: Decimal


@query(Permission.INVENTORY_VIEW)
def transfer_targets(session: Session, *, item_id: int) -> list[Target]:
    """Return where an item's product can be moved, by name, with what is there already of its lot."""
    here = session.get(InventoryItem, item_id)
    if here is None:
        raise NotFound
    there = aliased(InventoryItem)
    found = session.execute(
        sa.select(col(Location.id), col(Location.name), col(there.quantity))
        .outerjoin(
            there,
            sa.and_(
                col(there.location_id) == col(Location.id),
                col(there.product_id) == here.product_id,
                col(there.lot_id).is_not_distinct_from(here.lot_id),
            ),
        )
        .where(col(Location.active), col(Location.kind) == "storage", col(Location.id) != here.location_id)
        .order_by(col(Location.sort_key))
    )
    return [
        Target(str(id_), name, say(quantity or Decimal(0)), quantity or Decimal(0)) for id_, name, quantity in found
    ]
