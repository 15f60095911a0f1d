"""Stock as a ledger: movements are the facts, an item's quantity is their sum."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from inventory_app.audit.tables import audited, unaudited
from inventory_app.models._base import MONEY, QUANTITY, Record, key, now, reference, says, text_field


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
    """The codes the application itself books with; what people can give, and read, is in the table `reason_code`."""

    OPENING = "opening"
    DELIVERED = "delivered"
    COUNTED = "counted"
    SOLD = "sold"
    CORRECTION = "correction"
    EXPIRED = "expired"
    DAMAGED = "damaged"


class ReasonUse(StrEnum):
    """What a reason can be given for."""

    ADJUST = "adjust"
    ISSUE = "issue"
    RECEIVE = "receive"
    TRANSFER = "transfer"
    COUNT = "count"
    REVERSE = "reverse"


class ReasonCode(Record, table=True):
    """A reason that people can give for a change of stock, and for what they can give it."""

    __table_args__ = (
        sa.CheckConstraint(
            "uses <@ ARRAY['adjust', 'issue', 'receive', 'transfer', 'count', 'reverse']",
            name="ck_reason_code_uses",
        ),
        {"info": audited()},
    )

    code: str = Field(sa_type=sa.Text, primary_key=True)
    label: str = text_field()
    uses: list[str] = Field(sa_type=sa.ARRAY(sa.Text))
    position: int = 0
    #: The system books with it: it can be renamed, not switched off.
    built_in: bool = False
    active: bool = True
    version: int = Field(default=1)


class InventoryItem(Record, table=True):
    """A product at a location, of one lot where lots are kept; `quantity` changes only together with a movement.

    `sequence` is the number of the item's last movement, so the ledger has no gaps.
    """

    __table_args__ = (
        sa.UniqueConstraint(
            "product_id",
            "location_id",
            "lot_id",
            name="uq_inventory_item_place",
            postgresql_nulls_not_distinct=True,
        ),
        sa.CheckConstraint("quantity >= 0", name="ck_inventory_item_quantity"),
        sa.Index("ix_inventory_item_location_id", "location_id", "id"),
        sa.Index("ix_inventory_item_quantity", "quantity", "id"),
        sa.Index("ix_inventory_item_changed", "changed_at", "id"),
        # Lots of which there is some.
        sa.Index(
            "ix_inventory_item_lot_held",
            "lot_id",
            postgresql_where=sa.text("quantity > 0 AND lot_id IS NOT NULL"),
        ),
        {"info": audited()},
    )

    id: int | None = key()
    product_id: int = reference("product.id", index=False)
    location_id: int = reference("location.id", index=False)
    lot_id: int | None = reference("lot.id", nullable=True)
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
        sa.Index("ix_stock_movement_occurred", "occurred_at"),
        sa.Index("ix_stock_movement_quantity", "quantity", "id"),
        sa.Index("ix_stock_movement_value", "value", "id"),
        # Few kinds and reasons: they are small, and whoever asks for a rare one need not read the whole ledger.
        sa.Index("ix_stock_movement_kind", "kind"),
        sa.Index("ix_stock_movement_reason", "reason_code"),
        # What was issued of an item lately, without a look at anything else it went through.
        sa.Index(
            "ix_stock_movement_issued",
            "item_id",
            "occurred_at",
            postgresql_include=["quantity"],
            postgresql_where=sa.text("kind = 'issue'"),
        ),
        sa.Index(
            "uq_stock_movement_reverses",
            "reverses",
            unique=True,
            postgresql_where=sa.text("reverses IS NOT NULL"),
            info=says("reverses", "This movement has been reversed already."),
        ),
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


class ProductStock(Record, table=True):
    """How much of a product the company has and what that is worth: the sum of all its movements.

    Kept by the database itself with every movement (`audit_sum_stock`); every product has a row, from the start
    (`audit_reorder_at`). The application cannot write it.
    """

    __table_args__ = (
        sa.Index("ix_product_stock_quantity", "quantity", "product_id"),
        sa.Index("ix_product_stock_value", "value", "product_id"),
        # The least first, measured by what there should be.
        sa.Index(
            "ix_product_stock_low",
            sa.text("(quantity / nullif(reorder_at, 0))"),
            "product_id",
            postgresql_where=sa.text("reorder_at > 0 AND quantity <= reorder_at"),
        ),
        {"info": unaudited("the sum of the movements, which are in the trail; recomputed by `books balance`")},
    )

    product_id: int = Field(sa_type=sa.BigInteger, foreign_key="product.id", primary_key=True)
    # Wider than one item's: a product is at many places.
    quantity: Decimal = Field(sa_type=sa.Numeric(20, 3))
    value: Decimal = Field(sa_type=sa.Numeric(20, 4))
    #: The product's reorder point while it is active, else 0: never.
    reorder_at: Decimal = Field(default=Decimal(0), sa_type=QUANTITY, sa_column_kwargs={"server_default": "0"})


class ItemWorth(Record, table=True):
    """What an item is worth at the moving average cost, to sort and filter by.

    Kept by the database itself (`audit_item_worth`, `audit_item_cost`); the application cannot write it.
    """

    __table_args__ = (
        sa.Index("ix_item_worth_worth", "worth", "item_id"),
        {"info": unaudited("an item's quantity times its product's cost, which are both in the trail")},
    )

    item_id: int = Field(sa_type=sa.BigInteger, foreign_key="inventory_item.id", primary_key=True)
    quantity: Decimal = Field(sa_type=QUANTITY)
    unit_cost: Decimal = Field(sa_type=MONEY)
    worth: Decimal = Field(
        sa_column=sa.Column(sa.Numeric(28, 7), sa.Computed("quantity * unit_cost", persisted=True), nullable=False)
    )


class Reservation(Record, table=True):
    """A part of an item that is kept back until a time: what is left is available."""

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="ck_reservation_quantity"),
        sa.Index("ix_reservation_item_id", "item_id", postgresql_where=sa.text("released_at IS NULL")),
        {"info": audited()},
    )

    id: int | None = key()
    item_id: int = reference("inventory_item.id", index=False)
    quantity: Decimal = Field(sa_type=QUANTITY)
    expires_at: datetime
    reference: str | None = text_field(nullable=True)
    note: str | None = text_field(nullable=True)
    created_at: datetime = Field(default_factory=now)
    created_by: str = text_field()
    released_at: datetime | None = None


class Shipment(Record, table=True):
    """Stock on its way between two of our locations: sent into a transit location, accepted out of it.

    What did not arrive went to a loss location.
    """

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="ck_shipment_quantity"),
        sa.CheckConstraint("status IN ('sent', 'accepted')", name="ck_shipment_status"),
        sa.CheckConstraint(
            "(status = 'sent' AND accepted IS NULL) OR (accepted >= 0 AND lost >= 0 AND accepted + lost = quantity)",
            name="ck_shipment_accepted",
        ),
        sa.Index("ix_shipment_open", "sent_at", "id", postgresql_where=sa.text("status = 'sent'")),
        {"info": audited()},
    )

    id: int | None = key()
    from_item_id: int = reference("inventory_item.id")
    transit_item_id: int = reference("inventory_item.id")
    to_location_id: int = reference("location.id")
    quantity: Decimal = Field(sa_type=QUANTITY)
    accepted: Decimal | None = Field(default=None, sa_type=QUANTITY)
    lost: Decimal | None = Field(default=None, sa_type=QUANTITY)
    status: str = text_field(default="sent")
    note: str | None = text_field(nullable=True)
    sent_at: datetime = Field(default_factory=now)
    sent_by: str = text_field()
    accepted_at: datetime | None = None
    accepted_by: str | None = text_field(nullable=True)


class PeriodClose(Record, table=True):
    """A day up to which the books are closed (UTC): nothing more is posted with an earlier date."""

    __table_args__ = (
        sa.Index("ix_period_close_through", "closed_through", postgresql_where=sa.text("reopened_at IS NULL")),
        {"info": audited()},
    )

    id: int | None = key()
    closed_through: date
    note: str | None = text_field(nullable=True)
    closed_at: datetime = Field(default_factory=now)
    closed_by: str = text_field()
    reopened_at: datetime | None = None
    reopened_by: str | None = text_field(nullable=True)
    reopened_reason: str | None = text_field(nullable=True)
