"""What people keep about lists: views under a name, and sets of changes to many records at once."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from inventory_app.audit.tables import audited
from inventory_app.models._base import Record, key, now, reference, says, text_field


class SavedView(Record, table=True):
    """A list as somebody likes to see it: search, filters, order and columns, under a name."""

    __table_args__ = (
        sa.Index(
            "uq_saved_view_name",
            "owner_id",
            "page",
            sa.text("lower(name)"),
            unique=True,
            postgresql_where=sa.text("removed_at IS NULL"),
            info=says("name", "You have a view of this name here."),
        ),
        sa.Index("ix_saved_view_shared", "page", postgresql_where=sa.text("shared AND removed_at IS NULL")),
        {"info": audited()},
    )

    id: int | None = key()
    page: str = text_field()
    name: str = text_field()
    owner_id: int = reference("local_user.id", index=False)
    shared: bool = False
    view: dict[str, Any] = Field(sa_type=JSONB)
    created_at: datetime = Field(default_factory=now)
    removed_at: datetime | None = None
    version: int = Field(default=1)


class DefaultView(Record, table=True):
    """With which view a list begins for somebody; without one it begins with everything."""

    __table_args__ = (sa.Index("ix_default_view_view_id", "view_id"), {"info": audited()})

    user_id: int = Field(sa_type=sa.BigInteger, foreign_key="local_user.id", primary_key=True)
    page: str = Field(sa_type=sa.Text, primary_key=True)
    view_id: int | None = reference("saved_view.id", nullable=True, index=False)


class ChangeSetStatus(StrEnum):
    """Where a set of changes stands."""

    DRAFT = "draft"
    APPLIED = "applied"
    REVERTED = "reverted"
    DISCARDED = "discarded"


class ChangeSet(Record, table=True):
    """Changes to many records that are looked at first, applied together and can be taken back together."""

    __table_args__ = (
        sa.CheckConstraint("status IN ('draft', 'applied', 'reverted', 'discarded')", name="ck_change_set_status"),
        sa.Index("ix_change_set_newest", "created_at", "id"),
        {"info": audited()},
    )

    id: int | None = key()
    #: What is changed: products, prices, quantities.
    kind: str = text_field()
    title: str = text_field()
    reason: str = text_field(default="")
    status: str = text_field(default=ChangeSetStatus.DRAFT)
    row_count: int
    #: From which day on it counts, where that is not the moment it is applied (prices).
    effective_on: date | None = None
    created_by: int = reference("local_user.id")
    created_at: datetime = Field(default_factory=now)
    applied_at: datetime | None = None
    reverted_at: datetime | None = None
    version: int = Field(default=1)


class ChangeSetRow(Record, table=True):
    """One field of one record in a set of changes, as the trail writes values: before and after."""

    __table_args__ = ({"info": audited()},)

    change_set_id: int = Field(sa_type=sa.BigInteger, foreign_key="change_set.id", primary_key=True)
    subject_id: int = Field(sa_type=sa.BigInteger, primary_key=True)
    field: str = Field(sa_type=sa.Text, primary_key=True)
    before: str | None = text_field(nullable=True)
    after: str | None = text_field(nullable=True)
    #: The record's version when the change was proposed.
    version: int | None = None
