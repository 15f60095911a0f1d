"""The item of a product at a location and of a lot: found, or made empty, whoever else does so at the same moment."""

from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from inventory_app.context import current_actor
from inventory_app.database.locks import lock
from inventory_app.errors import Invalid, NotFound
from inventory_app.models._base import now
from inventory_app.models.catalog import Location, Lot, Product
from inventory_app.models.stock import InventoryItem
from inventory_app.operations._ledger import Place, in_use, places
from inventory_app.operations._paging import AnySelect

ITEM_GONE = "This item does not exist (any more). Reload the page."


def find_item(session: Session, product_id: int, location_id: int, lot_id: int | None) -> int | None:
    """Return the id of the item, None when there is none."""
    return session.connection().scalar(_item(product_id, location_id, lot_id))


def _item(product_id: int, location_id: int, lot_id: int | None) -> AnySelect:
    return sa.select(col(InventoryItem.id)).where(
        col(InventoryItem.product_id) == product_id,
        col(InventoryItem.location_id) == location_id,
        col(InventoryItem.lot_id) == lot_id if lot_id else col(InventoryItem.lot_id).is_(None),
    )


def item_at(session: Session, product_id: int, location_id: int, lot_id: int | None) -> int:
    """Return the id of the item, made empty when there is none."""
    if found := find_item(session, product_id, location_id, lot_id):
        return found
    session.execute(
        insert(InventoryItem)
        .values(
            product_id=product_id,
            location_id=location_id,
            lot_id=lot_id,
            quantity=0,
            sequence=0,
            changed_at=now(),
            changed_by=current_actor().name,
        )
        # Two people may be the first to bring it there.
        .on_conflict_do_nothing(constraint="uq_inventory_item_place")
    )
    return session.connection().scalars(_item(product_id, location_id, lot_id)).one()


def lot_of(session: Session, product: Product, code: str, expires_on: date | None) -> int | None:
    """Return the id of the lot something comes with, made when it is new; a lot is named exactly where lots are kept.

    A lot has one date: who names another is told.
    """
    code = code.strip()
    if not product.lots_kept:
        if code or expires_on:
            raise Invalid(fields={"lot_code": f"{product.name} is not kept by lot. Leave the lot and its date empty."})
        return None
    if not code or len(code) > 60:  # noqa: PLR2004  # said in the sentence
        raise Invalid(fields={"lot_code": f"{product.name} is kept by lot. Enter its lot, at most 60 characters."})
    session.execute(
        insert(Lot)
        .values(product_id=product.id, code=code, expires_on=expires_on, created_at=now(), version=1)
        # Two people may be the first to bring it.
        .on_conflict_do_nothing(index_elements=[Lot.__table__.c.product_id, sa.text("lower(code)")])  # pyright: ignore[reportAttributeAccessIssue]  # SQLModel hides the table
    )
    found = session.exec(
        select(Lot).where(Lot.product_id == product.id, sa.func.lower(col(Lot.code)) == sa.func.lower(code))
    ).one()
    if expires_on and found.expires_on != expires_on:
        known = f"is good until {found.expires_on:%-d %b %Y}" if found.expires_on else "has no date"
        raise Invalid(
            fields={"expires_on": f"Lot {found.code} of {product.name} {known}. Leave this empty, or correct the lot."}
        )
    return found.id


def location_in_use(session: Session, location_id: int | None, field: str = "location_id") -> Location:
    """Return an active location where people put things; refuse any other."""
    # As it is now: whoever was closing it while we waited for what is there is through.
    location = session.get(Location, location_id, populate_existing=True) if location_id else None
    if location is None or not location.active or location.kind == "transit":
        raise Invalid(fields={field: "Choose a location that is in use."})
    return location


def lock_item(session: Session, item_id: int) -> tuple[InventoryItem, Place]:
    """Lock one item that is in use, its product's cost first, and return it with what sentences need."""
    hold_costs(session, [item_id])
    items = lock(session, InventoryItem, [item_id])
    if item_id not in items:
        raise NotFound(ITEM_GONE)
    place = places(session, [item_id])[item_id]
    in_use(place, "item_id")
    return items[item_id], place


def hold_costs(session: Session, item_ids: list[int], *, alone: bool = False) -> None:
    """Keep the costs of the items' products as they are: what is booked at a cost must not pass by a new average.

    `alone` for who makes a new average.
    """
    session.execute(
        sa.select(col(Product.id))
        .where(
            col(Product.id).in_(
                sa.select(col(InventoryItem.product_id)).where(
                    sa.any_(sa.bindparam("ids", item_ids, type_=sa.ARRAY(sa.BigInteger))) == col(InventoryItem.id)
                )
            )
        )
        .order_by(col(Product.id))
        .with_for_update(read=not alone)
    )
