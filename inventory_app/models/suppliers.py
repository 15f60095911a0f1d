"""The companies we order from, and what became of their application."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from inventory_app.audit.tables import audited
from inventory_app.models._base import (
    MONEY,
    Record,
    key,
    now,
    reference,
    says,
    sort_key_of,
    text_field,
    unique_lower,
)


class SupplierStatus(StrEnum):
    """Where a supplier stands; orders go only to an approved one."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUSPENDED = "suspended"


class Supplier(Record, table=True):
    """A company we may order from; who entered or last edited it cannot approve it."""

    __table_args__ = (
        unique_lower("uq_supplier_name", "name", says("name", "A supplier of this name exists.")),
        sa.CheckConstraint("status IN ('pending', 'approved', 'rejected', 'suspended')", name="ck_supplier_status"),
        sa.CheckConstraint("payment_days BETWEEN 0 AND 365", name="ck_supplier_payment_days"),
        sa.CheckConstraint("minimum_order >= 0", name="ck_supplier_minimum_order"),
        sa.Index("ix_supplier_valid_until", "valid_until", postgresql_where=sa.text("status = 'approved'")),
        sa.Index("ix_supplier_sort", "sort_key", "id"),
        sa.Index("ix_supplier_queue", "status", "submitted_at", "id"),
        {"info": audited(personal=("contact_name", "email", "phone"))},
    )

    id: int | None = key()
    #: The supplier's number in the file it came from, if it was imported.
    external_id: str | None = text_field(nullable=True)
    name: str = text_field()
    sort_key: str | None = sort_key_of("name")
    tax_id: str | None = text_field(nullable=True)
    contact_name: str | None = text_field(nullable=True)
    contact_title: str | None = text_field(nullable=True)
    email: str | None = text_field(nullable=True)
    phone: str | None = text_field(nullable=True)
    fax: str | None = text_field(nullable=True)
    website: str | None = text_field(nullable=True)
    address: str | None = text_field(nullable=True)
    city: str | None = text_field(nullable=True)
    region: str | None = text_field(nullable=True)
    postal_code: str | None = text_field(nullable=True)
    country: str | None = text_field(nullable=True)
    payment_terms: str | None = text_field(nullable=True)
    currency: str | None = text_field(nullable=True)
    #: Days after the invoice's date in which it is to be paid.
    payment_days: int | None = None
    #: Who carries cost and risk until where, such as "DAP Oslo".
    delivery_terms: str | None = text_field(nullable=True)
    #: Below this an order is not worth it to them, in their currency.
    minimum_order: Decimal | None = Field(default=None, sa_type=MONEY)
    message: str | None = text_field(nullable=True)
    status: str = text_field(default=SupplierStatus.PENDING)
    #: application (by the supplier itself), staff or import.
    source: str = text_field(default="staff")
    submitted_at: datetime = Field(default_factory=now)
    entered_by: int | None = reference("local_user.id", nullable=True, index=False)
    last_edited_by: int | None = reference("local_user.id", nullable=True, index=False)
    decided_by: int | None = reference("local_user.id", nullable=True, index=False)
    decided_at: datetime | None = Field(default=None, index=True)
    approved_at: datetime | None = None
    decision_reason: str | None = text_field(nullable=True)
    valid_until: date | None = None
    #: When somebody was last reminded that the approval ends.
    reminded_at: datetime | None = None
    version: int = Field(default=1)


class SupplierContact(Record, table=True):
    """Somebody at a supplier, and what to speak to them about."""

    __table_args__ = (
        sa.Index("ix_supplier_contact_supplier_id", "supplier_id", "id"),
        {"info": audited(personal=("name", "email", "phone"))},
    )

    id: int | None = key()
    supplier_id: int = reference("supplier.id", index=False)
    name: str = text_field()
    #: What they do there: orders, invoices, quality.
    position: str | None = text_field(nullable=True)
    email: str | None = text_field(nullable=True)
    phone: str | None = text_field(nullable=True)
    note: str | None = text_field(nullable=True)
    active: bool = True
    created_at: datetime = Field(default_factory=now)
    version: int = Field(default=1)


class SupplierUser(Record, table=True):
    """An account of somebody who works for a supplier: it sees that supplier's own papers and nothing else."""

    __table_args__ = ({"info": audited()},)

    user_id: int = Field(sa_type=sa.BigInteger, foreign_key="local_user.id", primary_key=True)
    supplier_id: int = reference("supplier.id")
    active: bool = True
    created_at: datetime = Field(default_factory=now)
    created_by: int | None = reference("local_user.id", nullable=True, index=False)


class SupplierCorrection(Record, table=True):
    """What somebody of a supplier says is right about how it is reached; counts once somebody of us has agreed."""

    __table_args__ = (
        sa.Index("ix_supplier_correction_supplier_id", "supplier_id", "id"),
        {"info": audited(personal=("contact_name", "email", "phone"))},
    )

    id: int | None = key()
    supplier_id: int = reference("supplier.id", index=False)
    contact_name: str | None = text_field(nullable=True)
    contact_title: str | None = text_field(nullable=True)
    email: str | None = text_field(nullable=True)
    phone: str | None = text_field(nullable=True)
    website: str | None = text_field(nullable=True)
    address: str | None = text_field(nullable=True)
    city: str | None = text_field(nullable=True)
    postal_code: str | None = text_field(nullable=True)
    country: str | None = text_field(nullable=True)
    proposed_by: int = reference("local_user.id", index=False)
    proposed_at: datetime = Field(default_factory=now)


class ImportBatch(Record, table=True):
    """A file that was imported, recognised by its SHA-256 when it comes again."""

    __table_args__ = (
        sa.Index(
            "uq_import_batch_file",
            "kind",
            "file_hash",
            unique=True,
            postgresql_where=sa.text("undone_at IS NULL"),
            info=says("file", "This file has been imported before."),
        ),
        {"info": audited()},
    )

    id: int | None = key()
    kind: str = text_field()
    file_name: str = text_field()
    file_hash: str = text_field()
    row_count: int
    imported_at: datetime = Field(default_factory=now)
    imported_by: str = text_field()
    #: When all of it was taken back; the file may come again then.
    undone_at: datetime | None = None
    undone_by: str | None = text_field(nullable=True)
