"""The numbers of our own papers: PO-2026-0409, one after the other within a year, none twice and none left out."""

from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Session, col

from inventory_app.models.purchasing import NumberSeries

ORDER, RECEIPT, PAYMENT, BATCH = "PO", "GR", "PAY", "BAT"


def draw(session: Session, kind: str, on: date) -> str:
    """Return the next number of a kind for a day; holds the series until the end, so it is the last lock taken."""
    (number,) = draw_many(session, kind, on, 1)
    return number


def draw_many(session: Session, kind: str, on: date, count: int) -> list[str]:
    """Return the next numbers of a kind for a day, which follow each other."""
    session.flush()
    last = session.execute(_ADVANCE, asked(kind, on, count)).one().last
    return [f"{kind}-{on.year}-{number:04d}" for number in range(last - count + 1, last + 1)]


def asked(kind: str, on: date, count: int = 1) -> dict[str, object]:
    """Return the parameters with which numbers are drawn."""
    return {"series_kind": kind, "series_year": on.year, "series_count": count}


_COUNT = sa.bindparam("series_count", type_=sa.Integer)
_FIRST = postgresql.insert(NumberSeries).values(
    kind=sa.bindparam("series_kind", type_=sa.Text), year=sa.bindparam("series_year", type_=sa.Integer), last=_COUNT
)
_ADVANCE = _FIRST.on_conflict_do_update(
    index_elements=[col(NumberSeries.kind), col(NumberSeries.year)], set_={"last": NumberSeries.last + _COUNT}
).returning(col(NumberSeries.kind), col(NumberSeries.year), col(NumberSeries.last))
#: Drawing as a part of the statement that writes the paper, and its number there. From then on everybody else waits, so
#: what is written in that very statement holds them up the least.
DRAWN = _ADVANCE.cte("drawn")
_LAST = sa.cast(DRAWN.c.last, sa.Text)
NUMBER = sa.func.concat_ws(
    "-", DRAWN.c.kind, DRAWN.c.year, sa.func.lpad(_LAST, sa.func.greatest(4, sa.func.length(_LAST)), "0")
)
