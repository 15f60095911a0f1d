"""Periods: days up to which the books are closed, and are opened again only with a reason."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.context import current_actor
from inventory_app.database.locks import CLOSING_A_PERIOD, lock, lock_rule
from inventory_app.errors import AlreadyDecided, Conflict, Invalid, NotFound
from inventory_app.models._base import now
from inventory_app.models.stock import PeriodClose
from inventory_app.operations._operation import operation, query
from inventory_app.operations._people_names import names_of
from inventory_app.permissions import Permission

#: What was begun before midnight is booked by then: a day that is over for so long gets no more postings of its own.
_SETTLED = timedelta(minutes=15)


def last_day(moment: datetime) -> date:
    """Return the last day that can be closed at a moment."""
    return (moment - _SETTLED).astimezone(UTC).date() - timedelta(days=1)


@operation(Permission.PERIODS_CLOSE, log=("closed_through",), reason="note")
def close_period(session: Session, *, closed_through: date, note: str = "") -> str:
    """Close the books up to and with a past day (UTC): nothing is booked with an earlier date any more."""
    # Waits for who books with an earlier date right now, and for who closes.
    lock_rule(session, CLOSING_A_PERIOD)
    if closed_through > last_day(now()):
        raise Invalid(fields={"closed_through": "Choose a day that is over (in UTC, for a quarter of an hour)."})
    latest = _closed_through(session)
    if latest and latest >= closed_through:
        raise Invalid(fields={"closed_through": f"The books are closed up to {said(latest)} already."})
    session.add(PeriodClose(closed_through=closed_through, note=note.strip() or None, closed_by=current_actor().name))
    return said(closed_through)


@operation(Permission.PERIODS_CLOSE, log=("period_id",), reason="reason")
def reopen_period(session: Session, *, period_id: int, reason: str) -> str:
    """Open the period that was closed last again, with a reason; returns up to which day it had been closed."""
    lock_rule(session, CLOSING_A_PERIOD)
    if not reason.strip():
        raise Invalid(fields={"reason": "Say why it is opened again."})
    row = lock(session, PeriodClose, [period_id]).get(period_id)
    if row is None:
        raise NotFound
    if row.reopened_at is not None:
        message = f"This period was opened again already, by {row.reopened_by}."
        raise AlreadyDecided(message)
    latest = _closed_through(session)
    if latest and latest > row.closed_through:
        message = f"The books are closed up to {said(latest)}: open that period first."
        raise Conflict(message)
    row.reopened_at, row.reopened_by, row.reopened_reason = now(), current_actor().name, reason.strip()
    return said(row.closed_through)


def _closed_through(session: Session) -> date | None:
    return session.scalar(
        sa.select(sa.func.max(col(PeriodClose.closed_through))).where(col(PeriodClose.reopened_at).is_(None))
    )


def said(day: date) -> str:
    """Write a day as people do."""
    return f"{day:%-d %b %Y}"


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """A period that was closed, and whether it was opened again."""

    id: int
    closed_through: str
    note: str
    closed_at: str
    closed_by: str
    reopened_at: str
    reopened_by: str
    reopened_reason: str
    #: The one that can be opened again now.
    last: bool


@dataclass(frozen=True, slots=True)
class Periods:
    """Every period, the newest first, and the days that can be closed next (as dates of a form)."""

    rows: list[PeriodRow]
    closed_through: str
    last_day: str


@query(Permission.PERIODS_CLOSE)
def list_periods(session: Session) -> Periods:
    """Return the periods that were closed."""
    latest = _closed_through(session)
    rows = session.scalars(
        sa.select(PeriodClose).order_by(col(PeriodClose.closed_through).desc(), col(PeriodClose.id).desc()).limit(500)
    ).all()
    names = names_of(session, (name for row in rows for name in (row.closed_by, row.reopened_by)))
    return Periods(
        [
            PeriodRow(
                row.id or 0,
                said(row.closed_through),
                row.note or "",
                row.closed_at.isoformat(),
                names[row.closed_by],
                row.reopened_at.isoformat() if row.reopened_at else "",
                names.get(row.reopened_by or "", ""),
                row.reopened_reason or "",
                row.reopened_at is None and row.closed_through == latest,
            )
            for row in rows
        ],
        said(latest) if latest else "",
        last_day(now()).isoformat(),
    )
