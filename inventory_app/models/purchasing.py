"""What we order, what came of it, and what the suppliers want for it."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from inventory_app.audit.tables import audited
from inventory_app.models._base import MONEY, PERCENT, QUANTITY, RATE, Record, key, now, reference, says, text_field


class NumberSeries(Record, table=True):
    """The last number given to papers of one kind in one year; drawing the next locks the row, as the last lock."""

    __table_args__ = ({"info": audited()},)

    kind: str = Field(sa_type=sa.Text, primary_key=True)
    year: int = Field(primary_key=True)
    last: int = 0


class OrderStatus(StrEnum):
    """Where an order stands; only an ordered one can be received."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    ORDERED = "ordered"
    PARTIALLY_RECEIVED = "partially_received"
    RECEIVED = "received"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class PurchaseOrder(Record, table=True):
    """What we want from a supplier; its number is drawn when it is submitted and stays, even if it is cancelled."""

    __table_args__ = (
        sa.UniqueConstraint("number", name="uq_purchase_order_number"),
        sa.CheckConstraint(
            "status IN ('draft', 'submitted', 'approved', 'ordered', 'partially_received', 'received', 'closed',"
            " 'cancelled')",
            name="ck_purchase_order_status",
        ),
        sa.CheckConstraint("number IS NOT NULL OR status IN ('draft', 'cancelled')", name="ck_purchase_order_number"),
        sa.CheckConstraint("rate > 0", name="ck_purchase_order_rate", info=says("rate", "A rate is more than 0.")),
        sa.Index("ix_purchase_order_supplier_id", "supplier_id", "id"),
        sa.Index("ix_purchase_order_status", "status", "expected_on", "id"),
        sa.Index("ix_purchase_order_newest", "created_at", "id"),
        {"info": audited()},
    )

    id: int | None = key()
    number: str | None = text_field(nullable=True)
    supplier_id: int = reference("supplier.id", index=False)
    status: str = text_field(default=OrderStatus.DRAFT)
    currency: str = text_field()
    #: What one of its currency is worth in the base currency.
    rate: Decimal = Field(default=Decimal(1), sa_type=RATE)
    #: Where the goods are to come.
    location_id: int = reference("location.id")
    expected_on: date | None = None
    #: Days after the invoice's date in which it is to be paid.
    payment_days: int | None = None
    #: For us.
    note: str | None = text_field(nullable=True)
    #: For the supplier, printed on the order.
    message: str | None = text_field(nullable=True)
    #: Net, in its currency: the sum of its lines, each rounded.
    total: Decimal = Field(default=Decimal(0), sa_type=MONEY)
    copied_from: int | None = reference("purchase_order.id", nullable=True, index=False)
    #: Why it goes to a supplier that is not approved, or no longer, and who let it.
    override_reason: str | None = text_field(nullable=True)
    overridden_by: int | None = reference("local_user.id", nullable=True, index=False)
    created_by: int | None = reference("local_user.id", nullable=True)
    created_at: datetime = Field(default_factory=now)
    last_edited_by: int | None = reference("local_user.id", nullable=True, index=False)
    submitted_by: int | None = reference("local_user.id", nullable=True, index=False)
    submitted_at: datetime | None = None
    approved_at: datetime | None = None
    ordered_by: int | None = reference("local_user.id", nullable=True, index=False)
    ordered_at: datetime | None = None
    #: The day the supplier has said it will deliver, who of theirs said so and when; that day is `expected_on` then.
    confirmed_on: date | None = None
    confirmed_by: int | None = reference("local_user.id", nullable=True, index=False)
    confirmed_at: datetime | None = None
    received_at: datetime | None = None
    closed_by: int | None = reference("local_user.id", nullable=True, index=False)
    closed_at: datetime | None = None
    cancelled_by: int | None = reference("local_user.id", nullable=True, index=False)
    cancelled_at: datetime | None = None
    cancel_reason: str | None = text_field(nullable=True)
    version: int = Field(default=1)
    #: What `expected_on` was before the supplier promised a day for the first time.
    wanted_on: date | None = None


class PurchaseOrderLine(Record, table=True):
    """One thing that is ordered: a product for the stock, or something described in words that is not kept.

    Quantities are in our unit and costs for one of it, in the order's currency; `pack_size` of them make one
    `purchase_unit`. `received` is what came less what went back; more than `receivable` (what is ordered and the
    tolerance, set when it is ordered) is refused by the table itself.
    """

    __table_args__ = (
        sa.UniqueConstraint("order_id", "position", name="uq_purchase_order_line_position"),
        sa.CheckConstraint("quantity > 0", name="ck_purchase_order_line_quantity"),
        sa.CheckConstraint("unit_cost >= 0", name="ck_purchase_order_line_unit_cost"),
        sa.CheckConstraint("pack_size > 0", name="ck_purchase_order_line_pack_size"),
        sa.CheckConstraint("tax_percent BETWEEN 0 AND 100", name="ck_purchase_order_line_tax"),
        sa.CheckConstraint("given_up >= 0 AND given_up <= quantity", name="ck_purchase_order_line_given_up"),
        sa.CheckConstraint(
            "received >= 0 AND received <= receivable",
            name="ck_purchase_order_line_received",
            info=says("quantity", "More would have come than was ordered, the tolerance included."),
        ),
        {"info": audited()},
    )

    id: int | None = key()
    order_id: int = reference("purchase_order.id", index=False)
    position: int
    #: None: it is not kept in stock, so what arrives of it is noted and nothing is booked.
    product_id: int | None = reference("product.id", nullable=True)
    description: str = text_field()
    supplier_sku: str | None = text_field(nullable=True)
    quantity: Decimal = Field(sa_type=QUANTITY)
    unit_cost: Decimal = Field(sa_type=MONEY)
    tax_percent: Decimal = Field(default=Decimal(0), sa_type=PERCENT)
    purchase_unit: str = text_field(default="")
    pack_size: Decimal = Field(default=Decimal(1), sa_type=QUANTITY)
    expected_on: date | None = None
    receivable: Decimal = Field(default=Decimal(0), sa_type=QUANTITY)
    received: Decimal = Field(default=Decimal(0), sa_type=QUANTITY)
    #: What was ordered and is not waited for any more.
    given_up: Decimal = Field(default=Decimal(0), sa_type=QUANTITY)


class ReceiptKind(StrEnum):
    """Whether goods came, went back, or a receipt was taken back because it was wrong."""

    RECEIPT = "receipt"
    RETURN = "return"
    CORRECTION = "correction"


class GoodsReceipt(Record, table=True):
    """Goods that came for an order, or went back; what was wrong is taken back by a counter-entry that names it."""

    __table_args__ = (
        sa.UniqueConstraint("number", name="uq_goods_receipt_number"),
        sa.CheckConstraint("kind IN ('receipt', 'return', 'correction')", name="ck_goods_receipt_kind"),
        sa.CheckConstraint("(kind = 'correction') = (reverses IS NOT NULL)", name="ck_goods_receipt_reverses"),
        sa.Index("ix_goods_receipt_order_id", "order_id", "id"),
        sa.Index("ix_goods_receipt_newest", "occurred_at", "id"),
        sa.Index(
            "uq_goods_receipt_reverses",
            "reverses",
            unique=True,
            postgresql_where=sa.text("reverses IS NOT NULL"),
            info=says("form", "This receipt has been taken back already."),
        ),
        {"info": audited()},
    )

    id: int | None = key()
    number: str = text_field()
    order_id: int = reference("purchase_order.id", index=False)
    kind: str = text_field(default=ReceiptKind.RECEIPT)
    #: The number on the supplier's delivery note.
    delivery_note: str | None = text_field(nullable=True)
    location_id: int = reference("location.id")
    note: str | None = text_field(nullable=True)
    reverses: int | None = reference("goods_receipt.id", nullable=True, index=False)
    occurred_at: datetime = Field(default_factory=now)
    recorded_at: datetime = Field(default_factory=now)
    recorded_by: int | None = reference("local_user.id", nullable=True, index=False)


class GoodsReceiptLine(Record, table=True):
    """What came of one line of the order (less than 0: what went back), and the movement that booked it."""

    __table_args__ = (
        sa.UniqueConstraint("receipt_id", "position", name="uq_goods_receipt_line_position"),
        sa.CheckConstraint("quantity <> 0", name="ck_goods_receipt_line_quantity"),
        sa.CheckConstraint("(item_id IS NULL) = (movement_id IS NULL)", name="ck_goods_receipt_line_booked"),
        {"info": audited()},
    )

    id: int | None = key()
    receipt_id: int = reference("goods_receipt.id", index=False)
    position: int
    order_line_id: int = reference("purchase_order_line.id")
    quantity: Decimal = Field(sa_type=QUANTITY)
    #: In the base currency, at the order's rate.
    unit_cost: Decimal = Field(sa_type=MONEY)
    item_id: int | None = reference("inventory_item.id", nullable=True)
    movement_id: int | None = reference("stock_movement.id", nullable=True)


class InvoiceKind(StrEnum):
    """What a supplier sends: a credit note's amounts are below 0."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class InvoiceStatus(StrEnum):
    """Whether an invoice agrees with what was ordered and came; only a matched or released one can be paid."""

    MATCHED = "matched"
    BLOCKED = "blocked"
    RELEASED = "released"
    VOID = "void"


class SupplierInvoice(Record, table=True):
    """What a supplier wants for what came; it can always be recorded, and is paid up to what is open of it."""

    __table_args__ = (
        sa.Index(
            "uq_supplier_invoice_number",
            "supplier_id",
            sa.text("lower(number)"),
            unique=True,
            postgresql_where=sa.text("status <> 'void'"),
            info=says("number", "An invoice of this supplier with this number has been recorded already."),
        ),
        sa.CheckConstraint("kind IN ('invoice', 'credit_note')", name="ck_supplier_invoice_kind"),
        sa.CheckConstraint("status IN ('matched', 'blocked', 'released', 'void')", name="ck_supplier_invoice_status"),
        sa.CheckConstraint("rate > 0", name="ck_supplier_invoice_rate", info=says("rate", "A rate is more than 0.")),
        sa.CheckConstraint("gross = net + tax", name="ck_supplier_invoice_gross"),
        sa.CheckConstraint(
            "(kind = 'invoice' AND gross >= 0) OR (kind = 'credit_note' AND gross <= 0)",
            name="ck_supplier_invoice_sign",
        ),
        sa.CheckConstraint(
            "(paid BETWEEN 0 AND gross) OR (paid BETWEEN gross AND 0)",
            name="ck_supplier_invoice_paid",
            info=says("paid", "More would be paid than is open."),
        ),
        sa.CheckConstraint("paid = 0 OR status IN ('matched', 'released')", name="ck_supplier_invoice_payable"),
        sa.Index(
            "ix_supplier_invoice_due", "due_on", "id", postgresql_where=sa.text("paid <> gross AND status <> 'void'")
        ),
        sa.Index("ix_supplier_invoice_status", "status", "recorded_at", "id"),
        sa.Index("ix_supplier_invoice_newest", "recorded_at", "id"),
        sa.Index("ix_supplier_invoice_supplier_id", "supplier_id", "invoice_date", "id"),
        {"info": audited()},
    )

    id: int | None = key()
    supplier_id: int = reference("supplier.id", index=False)
    kind: str = text_field(default=InvoiceKind.INVOICE)
    #: As the supplier numbers it.
    number: str = text_field()
    #: The order it names; its lines say of which order they are.
    order_id: int | None = reference("purchase_order.id", nullable=True)
    #: The invoice that a credit note is about.
    credits: int | None = reference("supplier_invoice.id", nullable=True)
    invoice_date: date
    due_on: date
    currency: str = text_field()
    rate: Decimal = Field(default=Decimal(1), sa_type=RATE)
    net: Decimal = Field(sa_type=MONEY)
    tax: Decimal = Field(sa_type=MONEY)
    gross: Decimal = Field(sa_type=MONEY)
    #: The sum of the allocations of posted payments.
    paid: Decimal = Field(default=Decimal(0), sa_type=MONEY)
    status: str = text_field(default=InvoiceStatus.BLOCKED)
    note: str | None = text_field(nullable=True)
    recorded_by: int | None = reference("local_user.id", nullable=True, index=False)
    recorded_at: datetime = Field(default_factory=now)
    matched_at: datetime | None = None
    released_by: int | None = reference("local_user.id", nullable=True, index=False)
    released_at: datetime | None = None
    release_reason: str | None = text_field(nullable=True)
    voided_by: int | None = reference("local_user.id", nullable=True, index=False)
    voided_at: datetime | None = None
    void_reason: str | None = text_field(nullable=True)
    version: int = Field(default=1)


class SupplierInvoiceLine(Record, table=True):
    """One line of an invoice; below 0 on a credit note. `order_line_id` is what it is matched with."""

    __table_args__ = (
        sa.UniqueConstraint("invoice_id", "position", name="uq_supplier_invoice_line_position"),
        sa.CheckConstraint("unit_cost >= 0", name="ck_supplier_invoice_line_unit_cost"),
        sa.CheckConstraint("quantity <> 0", name="ck_supplier_invoice_line_quantity"),
        sa.CheckConstraint("tax_percent BETWEEN 0 AND 100", name="ck_supplier_invoice_line_tax"),
        {"info": audited()},
    )

    id: int | None = key()
    invoice_id: int = reference("supplier_invoice.id", index=False)
    position: int
    order_line_id: int | None = reference("purchase_order_line.id", nullable=True)
    description: str = text_field()
    quantity: Decimal = Field(sa_type=QUANTITY)
    unit_cost: Decimal = Field(sa_type=MONEY)
    #: Quantity times unit cost, rounded half up to cents.
    net: Decimal = Field(sa_type=MONEY)
    tax_percent: Decimal = Field(default=Decimal(0), sa_type=PERCENT)
    tax: Decimal = Field(sa_type=MONEY)
