"""Stock as a ledger: movements are the facts, an item's quantity is their sum."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Self
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from inventory_app.audit.tables import audited
from inventory_app.models._base import MONEY, QUANTITY, Record, key, now, reference, text_field


class MovementKind(StrEnum):
    """What kind of fact a movement is."""

    RECEIPT = "receipt"
    ISSUE = "issue"
    ADJUSTMENT = "adjustment"
    TRANSFER = "transfer"
    COUNT = "count"
    REVERSAL = "reversal"
    REVALUATION = "revaluation"


class Reason(StrEnum):
    """Why a quantity was changed by hand; `label` is what people read."""

    label: str

    def __new__(cls, value: str, label: str) -> Self:
        """Make the member a plain string that also carries its label."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member

    OPENING = "opening", "Opening balance"
    COUNTED = "counted", "Counted"
    DAMAGED = "damaged", "Damaged"
    EXPIRED = "expired", "Expired"
    LOST = "lost", "Lost"
    FOUND = "found", "Found"
    SOLD = "sold", "Sold"
    USED = "used", "Used by ourselves"
    RETURNED = "returned", "Returned"
    REPLENISH = "replenish", "Replenish picking face"
    CORRECTION = "correction", "Correct a mistake"
    RELOCATED = "relocated", "Kept elsewhere from now on"


#: What the dialogs offer; the operations take every reason.
WHY_ADJUST = (
    Reason.COUNTED,
    Reason.DAMAGED,
    Reason.EXPIRED,
    Reason.LOST,
    Reason.FOUND,
    Reason.SOLD,
    Reason.USED,
    Reason.RETURNED,
    Reason.CORRECTION,
)
WHY_TRANSFER = (Reason.REPLENISH, Reason.RELOCATED, Reason.RETURNED, Reason.CORRECTION)
WHY_COUNT = (Reason.COUNTED, Reason.DAMAGED, Reason.LOST, Reason.FOUND, Reason.CORRECTION)


class InventoryItem(Record, table=True):
    """A product at a location; `quantity` changes only together with a movement.

    `sequence` is the number of the item's last movement, so the ledger has no gaps.
    """

    __table_args__ = (
        sa.UniqueConstraint("product_id", "location_id", name="uq_inventory_item_place"),
        sa.CheckConstraint("quantity >= 0", name="ck_inventory_item_quantity"),
        {"info": audited()},
    )

    id: int | None = key()
    product_id: int = reference("product.id", index=False)
    location_id: int = reference("location.id")
    quantity: Decimal = Field(default=Decimal(0), sa_type=QUANTITY)
    sequence: int = Field(default=0, sa_type=sa.BigInteger)
    changed_at: datetime = Field(default_factory=now)
    changed_by: str = text_field(default="")


class StockMovement(Record, table=True):
    """One signed, append-only fact about one item; `value` is in the base currency.

    `occurred_at` is when it happened, `recorded_at` when we learned of it.
    """

    __table_args__ = (
        sa.UniqueConstraint("item_id", "sequence", name="uq_stock_movement_item_sequence"),
        sa.CheckConstraint(
            "kind IN ('receipt', 'issue', 'adjustment', 'transfer', 'count', 'reversal', 'revaluation')",
            name="ck_stock_movement_kind",
        ),
        sa.CheckConstraint("quantity <> 0 OR kind = 'revaluation'", name="ck_stock_movement_quantity"),
        sa.Index("ix_stock_movement_recorded", "recorded_at", "id"),
        sa.Index("ix_stock_movement_operation", "operation_id"),
        {"info": audited()},
    )

    id: int | None = key()
    item_id: int = reference("inventory_item.id", index=False)
    sequence: int = Field(sa_type=sa.BigInteger)
    kind: str = text_field()
    quantity: Decimal = Field(sa_type=QUANTITY)
    unit_cost: Decimal = Field(sa_type=MONEY)
    value: Decimal = Field(sa_type=MONEY)
    reason_code: str | None = text_field(nullable=True)
    note: str | None = text_field(nullable=True)
    reference_type: str | None = text_field(nullable=True)
    reference: str | None = text_field(nullable=True)
    operation_id: UUID
    occurred_at: datetime = Field(default_factory=now, sa_column_kwargs={"server_default": sa.func.now()})
    recorded_at: datetime = Field(default_factory=now, sa_column_kwargs={"server_default": sa.func.now()})
    reverses: int | None = Field(default=None, sa_type=sa.BigInteger, foreign_key="stock_movement.id")
