"""How the stock went: what it was worth day by day, what moved, and what was where at a moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models._base import now
from inventory_app.models.catalog import Location
from inventory_app.operations import as_of
from inventory_app.operations._movement_lines import money
from inventory_app.operations._movement_list import KIND_WORDS
from inventory_app.operations._operation import current_viewer, query
from inventory_app.operations._remembered import Remembered
from inventory_app.operations.as_of import Stock, Way
from inventory_app.permissions import Permission

#: A year of days; what was before is the first point.
_DAYS = 365
#: Of more movements than these nobody waits for the newest on the start page.
_MANY = 50_000


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """What was at a place itself, and with the places below it; values are empty without `prices:view`."""

    id: int
    name: str
    kind: str
    movements: str
    value: str
    whole: str


@dataclass(frozen=True, slots=True)
class KindCourse:
    """How many movements of a kind there were on each day that had some."""

    kind: str
    label: str
    number: int
    days: tuple[tuple[date, int], ...]


@dataclass(frozen=True, slots=True)
class Course:
    """What was at a moment, where, and the year before today by the days things happened (UTC).

    `worth` is what the stock was worth at the end of each day, empty without `prices:view`.
    """

    stock: Stock
    value: str
    places: list[PlaceRow]
    worth: list[tuple[datetime, Decimal]]
    kinds: list[KindCourse]
    begins: datetime


# By the days things happened: the sums of closed parts, and the movements beside them.
_BY_DAY = """
SELECT greatest(effective_day, %(first)s) AS day, kind,
       sum(movements) FILTER (WHERE effective_day >= %(first)s) AS number, sum(value) AS value
  FROM (SELECT effective_day, kind, movements, value FROM stock_total
         UNION ALL
        SELECT (occurred_at AT TIME ZONE 'UTC')::date, kind, 1, value FROM stock_movement
         WHERE recorded_at > coalesce((SELECT max(through) FROM stock_total), '-infinity')) found
 GROUP BY 1, 2 ORDER BY 1
"""


@Remembered
def _by_day(session: Session) -> Sequence[Any]:
    return session.connection().exec_driver_sql(_BY_DAY, {"first": year_begins().date()}).all()


def year_begins() -> datetime:
    """Return when the year of days until today begins (UTC)."""
    return datetime.combine(now().astimezone(UTC).date() - timedelta(days=_DAYS), time(), UTC)


@dataclass(frozen=True, slots=True)
class Week:
    """How many movements brought something and how many took something out, in a week from Monday on (UTC)."""

    begins: date
    came: int
    went: int


WEEKS = 8
# What only goes from one place to another, or corrects a value, neither came nor went.
_BY_WEEK = """
SELECT date_trunc('week', occurred_at AT TIME ZONE 'UTC')::date, count(*) FILTER (WHERE quantity > 0),
       count(*) FILTER (WHERE quantity < 0)
  FROM stock_movement
 WHERE occurred_at >= %(first)s AND kind NOT IN ('transfer', 'revaluation') GROUP BY 1
"""


@partial(Remembered, dear=lambda weeks: sum(week.came + week.went for week in weeks) > _MANY)
def last_weeks(session: Session) -> list[Week]:
    """Return what came and went in each of the last weeks, this one included; of much, a little while ago."""
    today = now().astimezone(UTC).date()
    begins = [today - timedelta(days=today.weekday(), weeks=ago) for ago in reversed(range(WEEKS))]
    first = datetime.combine(begins[0], time(), UTC)
    found = {row[0]: row[1:] for row in session.connection().exec_driver_sql(_BY_WEEK, {"first": first})}
    return [Week(day, *found.get(day, (0, 0))) for day in begins]


@query(Permission.INVENTORY_VIEW)
def stock_course(session: Session, *, at: datetime | None = None, way: Way = Way.KNOWN) -> Course:
    """Return what was where at a moment (none: now), and how the stock went in the year until today."""
    sees = Permission.PRICES_VIEW in current_viewer(session).permissions
    # What is being recorded this very moment is there as well.
    moment = as_of.checked(at) if at else now() + timedelta(minutes=1)
    found = as_of.by_place(session, moment, way)
    stock = as_of.total(session, found)
    rows = _by_day(session)
    return Course(
        stock=stock,
        value="" if stock.value is None else money(stock.value),
        places=_places(session, found, sees=sees),
        worth=_worth(rows) if sees else [],
        kinds=_kinds(rows),
        begins=year_begins(),
    )


def _places(session: Session, found: dict[int, tuple[int, Decimal, Decimal]], *, sees: bool) -> list[PlaceRow]:
    """List the places where something ever was, the most valuable first, with what is below them."""
    known = session.execute(
        sa.select(col(Location.id), col(Location.name), col(Location.kind), col(Location.parent_id))
    ).all()
    above = {row.id: row.parent_id for row in known}
    whole = dict.fromkeys(above, Decimal(0))
    for id_, (_, _, value) in found.items():
        at: int | None = id_
        while at is not None:
            whole[at] += value
            at = above[at]
    nothing = (0, Decimal(0), Decimal(0))
    shown = [row for row in known if row.id in found or whole[row.id]]
    shown.sort(key=lambda row: (-whole[row.id] if sees else 0, row.name))
    return [
        PlaceRow(
            row.id,
            row.name,
            row.kind,
            f"{found.get(row.id, nothing)[0]:,}",
            money(found.get(row.id, nothing)[2]) if sees else "",
            money(whole[row.id]) if sees else "",
        )
        for row in shown
    ]


def _worth(rows: Sequence[Any]) -> list[tuple[datetime, Decimal]]:
    """Add up day by day; the first day holds everything before it as well."""
    changes: dict[date, Decimal] = {}
    for day, _, _, value in rows:
        changes[day] = changes.get(day, Decimal(0)) + value
    held, points = Decimal(0), list[tuple[datetime, Decimal]]()
    for day, change in sorted(changes.items()):
        held += change
        points.append((datetime.combine(day, time(), UTC), held))
    return points


def _kinds(rows: Sequence[Any]) -> list[KindCourse]:
    found: dict[str, list[tuple[date, int]]] = {}
    for day, kind, number, _ in rows:
        if number:
            found.setdefault(kind, []).append((day, int(number)))
    return [
        KindCourse(kind, label, sum(number for _, number in found[kind]), tuple(found[kind]))
        for kind, label in KIND_WORDS.items()
        if kind in found
    ]
