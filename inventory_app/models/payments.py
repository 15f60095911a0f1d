"""What we pay our suppliers, for which invoices, and the accounts it goes to."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from inventory_app.audit.tables import audited
from inventory_app.models._base import MONEY, RATE, Record, key, now, reference, says, text_field


class AccountStatus(StrEnum):
    """Whether money may go to a bank account."""

    PENDING = "pending"
    RELEASED = "released"
    REJECTED = "rejected"
    RETIRED = "retired"


class SupplierBankAccount(Record, table=True):
    """Where a supplier's money goes: entered by one person, released by another; never edited, only replaced."""

    __table_args__ = (
        sa.Index(
            "uq_supplier_bank_account_iban",
            "supplier_id",
            "iban",
            unique=True,
            postgresql_where=sa.text("status IN ('pending', 'released')"),
            info=says("iban", "This account of the supplier is there already."),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'released', 'rejected', 'retired')", name="ck_supplier_bank_account_status"
        ),
        sa.CheckConstraint(
            "status <> 'released' OR released_by IS DISTINCT FROM entered_by",
            name="ck_supplier_bank_account_released",
            info=says("form", "Whoever entered an account cannot release it."),
        ),
        {"info": audited()},
    )

    id: int | None = key()
    supplier_id: int = reference("supplier.id", index=False)
    holder: str = text_field()
    #: Without spaces, upper-case, with its check digits.
    iban: str = text_field()
    bic: str | None = text_field(nullable=True)
    bank: str | None = text_field(nullable=True)
    currency: str = text_field()
    status: str = text_field(default=AccountStatus.PENDING)
    entered_by: int | None = reference("local_user.id", nullable=True, index=False)
    entered_at: datetime = Field(default_factory=now)
    released_by: int | None = reference("local_user.id", nullable=True, index=False)
    released_at: datetime | None = None
    retired_at: datetime | None = None
    reason: str | None = text_field(nullable=True)
    version: int = Field(default=1)


class PaymentStatus(StrEnum):
    """Whether a payment waits for somebody's agreement, counts, or was taken back."""

    WAITING = "waiting"
    POSTED = "posted"
    REJECTED = "rejected"
    VOID = "void"


class PaymentMethod(StrEnum):
    """How the money goes."""

    TRANSFER = "transfer"
    CARD = "card"
    CASH = "cash"
    CHECK = "check"
    SETTLEMENT = "settlement"


class PaymentBatch(Record, table=True):
    """Payments that go to the bank in one file."""

    __table_args__ = (
        sa.UniqueConstraint("number", name="uq_payment_batch_number"),
        sa.CheckConstraint("status IN ('waiting', 'posted', 'rejected', 'void')", name="ck_payment_batch_status"),
        sa.Index("ix_payment_batch_newest", "created_at", "id"),
        {"info": audited()},
    )

    id: int | None = key()
    number: str = text_field()
    status: str = text_field(default=PaymentStatus.WAITING)
    currency: str = text_field()
    execute_on: date
    total: Decimal = Field(sa_type=MONEY)
    payment_count: int
    created_by: int | None = reference("local_user.id", nullable=True, index=False)
    created_at: datetime = Field(default_factory=now)
    posted_at: datetime | None = None
    #: Of the file as it was fetched last: what the bank got can be compared.
    file_sha256: str | None = text_field(nullable=True)
    file_fetched_at: datetime | None = None
    version: int = Field(default=1)


class Payment(Record, table=True):
    """Money that went to a supplier; taking it back is a counter-entry below 0 that names it."""

    __table_args__ = (
        sa.UniqueConstraint("number", name="uq_payment_number"),
        sa.UniqueConstraint("key", name="uq_payment_key", info=says("form", "This payment has been made already.")),
        sa.CheckConstraint("status IN ('waiting', 'posted', 'rejected', 'void')", name="ck_payment_status"),
        sa.CheckConstraint("method IN ('transfer', 'card', 'cash', 'check', 'settlement')", name="ck_payment_method"),
        sa.CheckConstraint(
            "(voids IS NULL AND amount >= 0) OR (voids IS NOT NULL AND amount <= 0)", name="ck_payment_amount"
        ),
        sa.CheckConstraint("rate > 0", name="ck_payment_rate", info=says("rate", "A rate is more than 0.")),
        sa.Index("ix_payment_supplier_id", "supplier_id", "id"),
        sa.Index("ix_payment_newest", "created_at", "id"),
        sa.Index("ix_payment_status", "status", "id"),
        sa.Index(
            "uq_payment_voids",
            "voids",
            unique=True,
            postgresql_where=sa.text("voids IS NOT NULL"),
            info=says("form", "This payment has been taken back already."),
        ),
        {"info": audited()},
    )

    id: int | None = key()
    number: str = text_field()
    supplier_id: int = reference("supplier.id", index=False)
    bank_account_id: int | None = reference("supplier_bank_account.id", nullable=True)
    batch_id: int | None = reference("payment_batch.id", nullable=True)
    #: In its currency: what goes to the supplier, which is the sum of its allocations.
    amount: Decimal = Field(sa_type=MONEY)
    currency: str = text_field()
    rate: Decimal = Field(default=Decimal(1), sa_type=RATE)
    method: str = text_field(default=PaymentMethod.TRANSFER)
    note: str | None = text_field(nullable=True)
    paid_on: date
    status: str = text_field(default=PaymentStatus.POSTED)
    #: Given by whoever pays: the same key twice is one payment.
    key: str = text_field()
    created_by: int | None = reference("local_user.id", nullable=True, index=False)
    created_at: datetime = Field(default_factory=now)
    posted_at: datetime | None = None
    voids: int | None = reference("payment.id", nullable=True, index=False)
    void_reason: str | None = text_field(nullable=True)
    version: int = Field(default=1)
    #: What the supplier reads on its statement. The last one: it is called as what declares keys to other tables.
    reference: str | None = text_field(nullable=True)
    #: Why it is made although its supplier is suspended or rejected, so that its payments are held.
    held_reason: str | None = text_field(nullable=True)


class PaymentAllocation(Record, table=True):
    """How much of a payment is for which invoice; below 0 for a credit note that is set off, or one taken back."""

    __table_args__ = (
        sa.CheckConstraint("amount <> 0", name="ck_payment_allocation_amount"),
        sa.Index("ix_payment_allocation_invoice_id", "invoice_id"),
        {"info": audited()},
    )

    payment_id: int = Field(sa_type=sa.BigInteger, foreign_key="payment.id", primary_key=True)
    invoice_id: int = Field(sa_type=sa.BigInteger, foreign_key="supplier_invoice.id", primary_key=True)
    amount: Decimal = Field(sa_type=MONEY)
