"""The locations as a tree: renaming, moving, closing and opening one (`catalog.create_location` adds them).

Whoever closes a location holds its items and itself, so that nobody brings anything there meanwhile: what waited finds
it closed.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.database.locks import LOCATION_TREE, lock, lock_rule
from inventory_app.errors import Conflict, Invalid
from inventory_app.models.catalog import Location, Product
from inventory_app.models.stock import InventoryItem, Shipment
from inventory_app.operations import _trees
from inventory_app.operations._ledger import say
from inventory_app.operations._operation import current_viewer, operation, query
from inventory_app.operations._product_list import MANY
from inventory_app.operations._remembered import Remembered
from inventory_app.operations.catalog import LOCATION_KINDS
from inventory_app.operations.categories import Changed
from inventory_app.permissions import Permission

_MOST_NAMED = 3


@operation(Permission.PRODUCTS_MANAGE, log=("location_id",))
def update_location(
    session: Session,
    *,
    location_id: int,
    version: int,
    code: str,
    name: str,
    kind: str = "storage",
    parent_id: int | None = None,
) -> Changed:
    """Rename a location or put it elsewhere, with everything in it; its kind stays while there is stock."""
    code, name = _trees.checked_names(code, name, "location")
    if kind not in LOCATION_KINDS:
        raise Invalid(fields={"kind": "Choose one of the list."})
    lock_rule(session, LOCATION_TREE)
    items = _locked_items(session, location_id)
    location = _trees.read_as(session, Location, location_id, version, "location")
    if (code, name, kind, parent_id) == (location.code, location.name, location.kind, location.parent_id):
        message = "Nothing was changed: everything is already as entered."
        raise Invalid(message)
    if parent_id != location.parent_id:
        _trees.may_stand_in(session, Location, location, parent_id)
    if kind != location.kind and (held := _held(session, location_id, items)):
        raise Conflict(fields={"kind": f"What it is stays while stock is there: {held}"})
    location.code, location.name, location.kind, location.parent_id = code, name, kind, parent_id
    location.version += 1
    return Changed(location_id, name)


@operation(Permission.PRODUCTS_MANAGE, log=("location_id", "active"))
def set_location_active(session: Session, *, location_id: int, version: int, active: bool) -> Changed:
    """Close a location where nothing is and nothing is on its way to, or open it again."""
    lock_rule(session, LOCATION_TREE)
    items = [] if active else _locked_items(session, location_id)
    location = _trees.read_as(session, Location, location_id, version, "location")
    if location.active == active:
        raise Conflict(f"{location.name} is {'in use' if active else 'closed'} already.")
    if active:
        _trees.open_above(session, Location, location)
    else:
        _trees.no_open_parts(session, Location, location)
        if held := _held(session, location_id, items):
            raise Conflict(f"{location.name} cannot be closed: {held} Move it out first.")
        if coming := _coming(session, location_id):
            raise Conflict(f"{location.name} cannot be closed: {coming} Accept it first.")
    location.active = active
    location.version += 1
    return Changed(location_id, location.name)


def _locked_items(session: Session, location_id: int) -> list[int]:
    """Lock what is at a location, before the location itself: the order of who moves stock."""
    return list(lock(session, InventoryItem, _ids(session, location_id)))


def _held(session: Session, location_id: int, locked: list[int]) -> str:
    """Say what is at a locked location; what came there before we had it is locked as well."""
    lock(session, InventoryItem, set(_ids(session, location_id)) - set(locked))
    rows = session.execute(
        sa.select(col(Product.name), col(Product.unit_code), col(InventoryItem.quantity), sa.func.count().over())
        .join(Product, col(Product.id) == col(InventoryItem.product_id))
        .where(col(InventoryItem.location_id) == location_id, col(InventoryItem.quantity) != 0)
        .order_by(col(Product.sort_key))
        .limit(_MOST_NAMED)
    ).all()
    if not rows:
        return ""
    return f"{_listed([(quantity, unit, name) for name, unit, quantity, _ in rows], rows[0][3])} there."


def _ids(session: Session, location_id: int) -> list[int]:
    ids = session.scalars(sa.select(col(InventoryItem.id)).where(col(InventoryItem.location_id) == location_id))
    return [id_ or 0 for id_ in ids]


def _coming(session: Session, location_id: int) -> str:
    rows = session.execute(
        sa.select(col(Product.name), col(Product.unit_code), col(Shipment.quantity), sa.func.count().over())
        .join(InventoryItem, col(InventoryItem.id) == col(Shipment.transit_item_id))
        .join(Product, col(Product.id) == col(InventoryItem.product_id))
        .where(col(Shipment.to_location_id) == location_id, col(Shipment.status) == "sent")
        .order_by(col(Shipment.id))
        .limit(_MOST_NAMED)
    ).all()
    if not rows:
        return ""
    return f"{_listed([(quantity, unit, name) for name, unit, quantity, _ in rows], rows[0][3])} on the way to it."


def _listed(rows: list[tuple[Decimal, str, str]], number: int) -> str:
    """Say what there is: "12 pcs of Bolt, 3 pcs of Nut and 5 more are"."""
    named = [f"{say(quantity, unit)} of {name}" for quantity, unit, name in rows]
    more = f" and {number - len(rows):,} more" if number > len(rows) else ""
    return f"{', '.join(named)}{more} {'is' if number == 1 else 'are'}"


@dataclass(frozen=True, slots=True)
class LocationRow:
    """A location in its place of the tree, and how many kinds of things are there; 0 without `inventory:view`."""

    id: int
    code: str
    name: str
    path: str
    depth: int
    parent_id: str
    kind: str
    kind_label: str
    active: bool
    version: int
    kept: int
    href: str


@partial(Remembered, dear=lambda numbers: sum(numbers.values()) > MANY)
def _numbers(session: Session) -> dict[int, int]:
    """Return at how many items each location has something."""
    rows = session.execute(
        sa.select(col(InventoryItem.location_id), sa.func.count())
        .where(col(InventoryItem.quantity) != 0)
        .group_by(col(InventoryItem.location_id))
    )
    return dict(rows.all())


@query(Permission.PRODUCTS_VIEW)
def location_tree(session: Session) -> list[LocationRow]:
    """Return every location, each below what it stands in."""
    numbers = _numbers(session) if Permission.INVENTORY_VIEW in current_viewer(session).permissions else {}
    return [
        LocationRow(
            id=node.id,
            code=node.code,
            name=node.name,
            path=node.path,
            depth=node.depth,
            parent_id=str(node.parent_id or ""),
            kind=node.kind,
            kind_label=LOCATION_KINDS[node.kind],
            active=node.active,
            version=node.version,
            kept=numbers.get(node.id, 0),
            href=f"/inventory?location={node.id}",
        )
        for node in _trees.nodes(session, Location)
    ]
