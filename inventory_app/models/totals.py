"""Sums of the ledger by recorded part, day, place and kind: what the stock was at any moment is read from them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from inventory_app.audit.tables import unaudited
from inventory_app.models._base import Record, key, text_field


class StockTotal(Record, table=True):
    """What the movements of one closed part of the ledger come to, on a day, at a place, of a kind.

    A part holds every movement recorded after the part before it and up to `through`; nothing can still arrive in it.
    `effective_day` is the day (UTC) they happened. Kept by `audit_sum_days`; the application cannot write it.
    """

    __table_args__ = (
        sa.Index("ix_stock_total_location", "location_id", "effective_day"),
        {"info": unaudited("sums of the movements, which are in the trail; recomputed by `inventory books`")},
    )

    through: datetime = Field(primary_key=True)
    effective_day: date = Field(primary_key=True)
    location_id: int = Field(sa_type=sa.BigInteger, foreign_key="location.id", primary_key=True)
    kind: str = Field(sa_type=sa.Text, primary_key=True)
    movements: int
    quantity: Decimal = Field(sa_type=sa.Numeric(20, 3))
    value: Decimal = Field(sa_type=sa.Numeric(20, 4))


class StockHorizon(Record, table=True):
    """The moment up to which every movement had arrived when it was last asked (one row)."""

    __table_args__ = (
        sa.CheckConstraint("id = 1", name="ck_stock_horizon_id"),
        {"info": unaudited("tells how far the ledger can be summed, and nothing about stock")},
    )

    id: int = Field(sa_type=sa.SmallInteger, primary_key=True)
    fixed_at: datetime


class BooksCheck(Record, table=True):
    """One time the books were checked: how far it is, and what disagrees with the ledger."""

    __table_args__ = (
        sa.Index("ix_books_check_started", "started_at", "id"),
        {"info": unaudited("what was found by reading; whoever mends what it names does so in the trail")},
    )

    id: int | None = key()
    started_at: datetime
    started_by: str = text_field()
    #: The parts it consists of, and how many of them are done.
    plan: list[dict[str, Any]] = Field(sa_type=JSONB)
    done: int = 0
    movements: int = Field(default=0, sa_type=sa.BigInteger)
    faults: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    notes: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    #: When it last got on: a check whose process died does not.
    seen_at: datetime
    finished_at: datetime | None = None
