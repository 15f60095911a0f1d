"""The lots and items that what came is booked into: found or made, all of a receipt's in a few statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from inventory_app.context import current_actor
from inventory_app.errors import InvalidRows
from inventory_app.models._base import now

_NEW_LOTS = """
INSERT INTO lot (product_id, code, expires_on, created_at, version)
SELECT DISTINCT ON (product_id, lower(code)) product_id, code, expires_on, %(now)s, 1
  FROM unnest(%(products)s::bigint[], %(codes)s::text[], %(days)s::date[]) AS given(product_id, code, expires_on)
 WHERE NOT EXISTS (SELECT FROM lot WHERE lot.product_id = given.product_id AND lower(lot.code) = lower(given.code))
 ORDER BY product_id, lower(code), expires_on
    ON CONFLICT DO NOTHING
"""
_LOTS = """
SELECT given.number, lot.id, lot.code, lot.expires_on
  FROM unnest(%(products)s::bigint[], %(codes)s::text[]) WITH ORDINALITY AS given(product_id, code, number)
  JOIN lot ON lot.product_id = given.product_id AND lower(lot.code) = lower(given.code)
 ORDER BY given.number
"""
_NEW_ITEMS = """
INSERT INTO inventory_item (product_id, location_id, lot_id, quantity, sequence, changed_at, changed_by)
SELECT DISTINCT product_id, location_id, lot_id, 0, 0, %(now)s::timestamptz, %(who)s
  FROM unnest(%(products)s::bigint[], %(locations)s::bigint[], %(lots)s::bigint[])
       AS given(product_id, location_id, lot_id)
 WHERE NOT EXISTS (SELECT FROM inventory_item item WHERE item.product_id = given.product_id
                      AND item.location_id = given.location_id AND item.lot_id IS NOT DISTINCT FROM given.lot_id)
 ORDER BY 1, 2, 3
    ON CONFLICT ON CONSTRAINT uq_inventory_item_place DO NOTHING
"""
_ITEMS = """
SELECT item.id
  FROM unnest(%(products)s::bigint[], %(locations)s::bigint[], %(lots)s::bigint[])
       WITH ORDINALITY AS given(product_id, location_id, lot_id, number)
  JOIN inventory_item item ON item.product_id = given.product_id AND item.location_id = given.location_id
       AND item.lot_id IS NOT DISTINCT FROM given.lot_id
 ORDER BY given.number
"""


@dataclass(frozen=True, slots=True)
class Goes:
    """What one row of a receipt goes into: a product at a location, of a lot where lots are kept."""

    row: int
    named: str
    product_id: int
    location_id: int
    lot_code: str
    expires_on: date | None


def items_for(session: Session, going: Sequence[Goes]) -> list[int]:
    """Return the items that rows go into, in their order; lots and items that are new are made.

    A lot has one date: who names another is told.
    """
    lots = _lots_for(session, [one for one in going if one.lot_code])
    values = {
        "products": [one.product_id for one in going],
        "locations": [one.location_id for one in going],
        "lots": [lots.get(one.row) for one in going],
    }
    connection = session.connection()
    connection.exec_driver_sql(_NEW_ITEMS, values | {"now": now(), "who": current_actor().name})
    return list(connection.exec_driver_sql(_ITEMS, values).scalars())


def _lots_for(session: Session, of_lots: Sequence[Goes]) -> dict[int, int]:
    if not of_lots:
        return {}
    values = {"products": [one.product_id for one in of_lots], "codes": [one.lot_code for one in of_lots]}
    days = [one.expires_on for one in of_lots]
    connection = session.connection()
    connection.exec_driver_sql(_NEW_LOTS, values | {"days": days, "now": now()})
    found = connection.exec_driver_sql(_LOTS, values).all()
    other: list[tuple[int, str, str]] = []
    for one, lot in zip(of_lots, found, strict=True):
        if one.expires_on and lot.expires_on != one.expires_on:
            known = f"is good until {lot.expires_on:%-d %b %Y}" if lot.expires_on else "has no date"
            sentence = f"{one.named}: lot {lot.code} {known}. Leave the date empty, or correct the lot"
            other.append((one.row, "expires_on", sentence))
    if other:
        raise InvalidRows("A lot has one date, so nothing was booked:", other)
    return {one.row: lot.id for one, lot in zip(of_lots, found, strict=True)}
