"""What the stock was at a moment: as it was *known* then, or as it *effectively* was, with what is known now.

Known: every movement that was recorded by then. Effective: every movement that had happened by then, whenever it was
recorded. One item is the sum of its own movements; a place, or everything, is the sums of the parts of the ledger that
are closed (`stock_total`) and of the movements beside them, which are few and found by an index.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from inventory_app.errors import Invalid, NotFound
from inventory_app.operations._operation import current_viewer, query
from inventory_app.permissions import Permission

#: No movement is older.
BEGINNING = datetime(1, 1, 2, tzinfo=UTC)
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)


class Way(StrEnum):
    """What is asked about a moment."""

    KNOWN = "known"
    EFFECTIVE = "effective"


@dataclass(frozen=True, slots=True)
class Stock:
    """What there was: the sum of so many movements; `value` is None without `prices:view`.

    Quantities of different units are added up: of several products only the value says how much it is.
    """

    movements: int = 0
    quantity: Decimal = Decimal(0)
    value: Decimal | None = Decimal(0)


#: The column of `stock_movement` that decides.
DECIDES = {Way.KNOWN: "recorded_at", Way.EFFECTIVE: "occurred_at"}

_OF_ITEM = """
SELECT count(*), coalesce(sum(quantity), 0), coalesce(sum(value), 0)
  FROM stock_movement WHERE item_id = %(item)s AND {decides} <= %(at)s
"""
_OF_PRODUCT = """
SELECT count(*), coalesce(sum(m.quantity), 0), coalesce(sum(m.value), 0)
  FROM stock_movement m WHERE m.item_id IN (SELECT id FROM inventory_item WHERE product_id = %(product)s)
   AND m.{decides} <= %(at)s
"""
_LAST_PART = "SELECT max(through) FROM stock_total WHERE through <= %(at)s"
# What is closed, by place; then the movements beside it. Both narrow down to the places that are asked for, if any are.
_PARTS = {
    Way.KNOWN: """
SELECT location_id, movements, quantity, value FROM stock_total WHERE through <= %(last)s {here}""",
    Way.EFFECTIVE: """
SELECT location_id, movements, quantity, value FROM stock_total
 WHERE through <= %(last)s AND effective_day < %(day)s {here}""",
}
_REST = {
    Way.KNOWN: ("m.recorded_at > %(last)s AND m.recorded_at <= %(at)s",),
    Way.EFFECTIVE: (
        "m.recorded_at > %(last)s AND m.occurred_at <= %(at)s",
        "m.occurred_at >= %(midnight)s AND m.occurred_at <= %(at)s AND m.recorded_at <= %(last)s",
    ),
}
_BESIDE = """
SELECT item.location_id, 1, m.quantity, m.value
  FROM stock_movement m JOIN inventory_item item ON item.id = m.item_id WHERE {rest} {here}"""
_SUMS = """
SELECT location_id, sum(movements), sum(quantity), sum(value)
  FROM ({closed}{beside}) found(location_id, movements, quantity, value) GROUP BY location_id
"""
_PLACES_BELOW = """
WITH RECURSIVE below AS (
  SELECT id FROM location WHERE id = %(location)s
  UNION SELECT location.id FROM location JOIN below ON location.parent_id = below.id)
SELECT array_agg(id) FROM below
"""


def checked(at: datetime) -> datetime:
    """Return the moment in UTC; refuse one that no calendar of the database has."""
    moment = at if at.tzinfo else at.replace(tzinfo=UTC)
    # Compared first: at the ends of the calendar another zone's clock has no time.
    if not BEGINNING <= moment <= _LATEST:
        raise Invalid(fields={"at": "Choose a date between the years 1 and 9999."})
    return moment.astimezone(UTC)


def _one(session: Session, statement: str, values: Mapping[str, Any]) -> Stock:
    row = session.connection().exec_driver_sql(statement, dict(values)).one()
    return _stock(session, *row)


def _stock(session: Session, movements: int, quantity: Decimal, value: Decimal) -> Stock:
    sees = Permission.PRICES_VIEW in current_viewer(session).permissions
    return Stock(int(movements), quantity, value if sees else None)


@query(Permission.INVENTORY_VIEW)
def item_as_of(session: Session, *, item_id: int, at: datetime, way: Way = Way.KNOWN) -> Stock:
    """Return what an item held at a moment."""
    return _one(session, _OF_ITEM.format(decides=DECIDES[way]), {"item": item_id, "at": checked(at)})


@query(Permission.INVENTORY_VIEW)
def product_as_of(session: Session, *, product_id: int, at: datetime, way: Way = Way.KNOWN) -> Stock:
    """Return what the company had of a product at a moment, all places together."""
    return _one(session, _OF_PRODUCT.format(decides=DECIDES[way]), {"product": product_id, "at": checked(at)})


@query(Permission.INVENTORY_VIEW)
def location_as_of(session: Session, *, location_id: int, at: datetime, way: Way = Way.KNOWN) -> Stock:
    """Return what was at a place, and at the places below it, at a moment."""
    places = session.connection().exec_driver_sql(_PLACES_BELOW, {"location": location_id}).scalar_one()
    if not places:
        raise NotFound
    found = by_place(session, checked(at), way, places)
    return total(session, found)


@query(Permission.INVENTORY_VIEW)
def everything_as_of(session: Session, *, at: datetime, way: Way = Way.KNOWN) -> Stock:
    """Return what the company had at a moment."""
    return total(session, by_place(session, checked(at), way))


@query(Permission.INVENTORY_VIEW)
def places_as_of(session: Session, *, at: datetime, way: Way = Way.KNOWN) -> dict[int, Stock]:
    """Return what was at each place itself at a moment, by its id; one where nothing ever was is missing."""
    found = by_place(session, checked(at), way)
    return {place: _stock(session, *sums) for place, sums in found.items()}


def total(session: Session, found: Mapping[int, tuple[int, Decimal, Decimal]]) -> Stock:
    """Add up what was at places, for this viewer."""
    nothing = Decimal(0)
    return _stock(
        session,
        sum(sums[0] for sums in found.values()),
        sum((sums[1] for sums in found.values()), nothing),
        sum((sums[2] for sums in found.values()), nothing),
    )


def by_place(
    session: Session, at: datetime, way: Way, places: list[int] | None = None
) -> dict[int, tuple[int, Decimal, Decimal]]:
    """Return movements, quantity and value by place at a moment; who may see the value decides the caller."""
    connection = session.connection()
    # Parts never change once they are closed, so what is read after this is beside exactly these parts. As a number of
    # its own the planner knows how little is beside them.
    asked = at if way is Way.KNOWN else _LATEST
    last = connection.exec_driver_sql(_LAST_PART, {"at": asked}).scalar_one() or BEGINNING
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    here = "" if places is None else "AND location_id = ANY (%(places)s)"
    beside = "".join(f" UNION ALL {_BESIDE.format(rest=rest, here=here)}" for rest in _REST[way])
    statement = _SUMS.format(closed=_PARTS[way].format(here=here), beside=beside)
    values = {"last": last, "at": at, "day": at.date(), "midnight": midnight, "places": places}
    rows = connection.exec_driver_sql(statement, values)
    return {place: (movements, quantity, value) for place, movements, quantity, value in rows}


# How the sums come about

#: A part of the ledger has at most so many movements: no more are read beside the parts, give or take a few minutes.
PART = 100_000
_ALL_CLOSED = """
SELECT NOT EXISTS (
  SELECT 1 FROM stock_movement WHERE recorded_at > coalesce((SELECT max(through) FROM stock_total), '-infinity')
     AND recorded_at < date_trunc('day', clock_timestamp(), 'UTC'))
   AND NOT EXISTS (
  SELECT 1 FROM stock_movement WHERE recorded_at > coalesce((SELECT max(through) FROM stock_total), '-infinity')
   ORDER BY recorded_at OFFSET %(part)s LIMIT 1)
"""


def anything_to_close(session: Session, *, part: int = PART) -> bool:
    """Tell whether a day is over, or a part full, that is not summed yet."""
    return not session.connection().exec_driver_sql(_ALL_CLOSED, {"part": part - 1}).scalar_one()


def fix_horizon(session: Session) -> datetime:
    """Find out up to when every movement has arrived; the caller commits at once, because everybody waits."""
    return session.connection().exec_driver_sql("SELECT audit_fix_horizon()").scalar_one()


def close_part(session: Session, *, part: int = PART) -> int:
    """Sum the next part of the ledger; returns its number of movements, 0 when there is none to close."""
    return session.connection().exec_driver_sql("SELECT audit_sum_days(%(part)s)", {"part": part}).scalar_one()


_ALL_MOVEMENTS = """
SELECT (SELECT coalesce(sum(movements), 0) FROM stock_total)
     + (SELECT count(*) FROM stock_movement
         WHERE recorded_at > coalesce((SELECT max(through) FROM stock_total), '-infinity'))
"""


def count_movements(session: Session) -> int:
    """Return how many movements there are."""
    return int(session.connection().exec_driver_sql(_ALL_MOVEMENTS).scalar_one())
