"""What is kept in stock, where, from whom, and at what price."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from inventory_app.audit.tables import audited, unaudited
from inventory_app.models._base import (
    MONEY,
    QUANTITY,
    Record,
    key,
    now,
    reference,
    says,
    sort_key_of,
    text_field,
    unique_lower,
)


class Unit(Record, table=True):
    """A unit of measure and how finely it is counted (pieces: 0 decimals)."""

    __table_args__ = (
        sa.CheckConstraint("decimals BETWEEN 0 AND 3", name="ck_unit_decimals"),
        {"info": audited()},
    )

    code: str = Field(sa_type=sa.Text, primary_key=True)
    name: str = text_field()
    decimals: int = Field(default=0, sa_type=sa.SmallInteger)


class Category(Record, table=True):
    """A branch of the catalogue."""

    __table_args__ = (
        unique_lower("uq_category_code", "code", says("code", "A category of this code exists.")),
        {"info": audited()},
    )

    id: int | None = key()
    code: str = text_field()
    name: str = text_field()
    sort_key: str | None = sort_key_of("name")
    parent_id: int | None = reference("category.id", nullable=True)
    active: bool = True
    version: int = Field(default=1)


class Location(Record, table=True):
    """A place where stock is; `kind` is storage, transit, loss, supplier or customer."""

    __table_args__ = (
        unique_lower("uq_location_code", "code", says("code", "A location of this code exists.")),
        sa.CheckConstraint(
            "kind IN ('storage', 'transit', 'loss', 'supplier', 'customer')",
            name="ck_location_kind",
        ),
        {"info": audited()},
    )

    id: int | None = key()
    code: str = text_field()
    name: str = text_field()
    sort_key: str | None = sort_key_of("name")
    kind: str = text_field(default="storage")
    parent_id: int | None = reference("location.id", nullable=True)
    active: bool = True
    version: int = Field(default=1)


class Product(Record, table=True):
    """A thing we buy, keep and sell; `unit_cost` is the moving average in the base currency."""

    __table_args__ = (
        sa.UniqueConstraint("sku", name="uq_product_sku", info=says("sku", "This SKU is in use.")),
        sa.CheckConstraint("sku = upper(sku) AND sku <> ''", name="ck_product_sku"),
        sa.CheckConstraint(
            "unit_cost >= 0",
            name="ck_product_unit_cost",
            info=says("unit_cost", "A cost cannot be negative."),
        ),
        sa.CheckConstraint(
            "unit_price >= 0",
            name="ck_product_unit_price",
            info=says("unit_price", "A price cannot be negative."),
        ),
        sa.CheckConstraint(
            "reorder_point >= 0 AND reorder_quantity >= 0",
            name="ck_product_reorder",
            info=says("reorder_point", "A reorder point cannot be negative."),
        ),
        sa.Index(
            "uq_product_barcode",
            "barcode",
            unique=True,
            postgresql_where=sa.text("barcode IS NOT NULL"),
            info=says("barcode", "Another product has this barcode."),
        ),
        sa.Index("ix_product_sort", "sort_key", "id"),
        # They are few: whoever asks for these need not look at all the others.
        sa.Index("ix_product_inactive", "id", postgresql_where=sa.text("active IS FALSE")),
        sa.Index("ix_product_unit_cost", "unit_cost", "id"),
        sa.Index("ix_product_unit_price", "unit_price", "id"),
        sa.Index("ix_product_reorder_point", "reorder_point", "id"),
        sa.Index("ix_product_unit_code", "unit_code", "id"),
        sa.Index("ix_product_search", "search", postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"}),
        {"info": audited()},
    )

    id: int | None = key()
    sku: str = Field(sa_type=sa.Text(collation="C"))
    name: str = text_field()
    sort_key: str | None = sort_key_of("name")
    #: SKU, name and barcode, casefolded and without accents: what the search box looks in.
    search: str = text_field(default="")
    description: str = text_field(default="")
    category_id: int | None = reference("category.id", nullable=True)
    unit_code: str = Field(default="pcs", sa_type=sa.Text, foreign_key="unit.code")
    #: A GTIN as 8, 13 or 14 digits with its check digit (a UPC has a 0 before it), or a code of our own.
    barcode: str | None = text_field(nullable=True)
    #: Whether its stock is kept apart by lot; decided before there is any.
    lots_kept: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    unit_cost: Decimal = Field(default=Decimal(0), sa_type=MONEY)
    unit_price: Decimal = Field(default=Decimal(0), sa_type=MONEY)
    currency: str = text_field()
    reorder_point: Decimal = Field(default=Decimal(0), sa_type=QUANTITY)
    reorder_quantity: Decimal = Field(default=Decimal(0), sa_type=QUANTITY)
    supplier_id: int | None = reference("supplier.id", nullable=True)
    active: bool = True
    version: int = Field(default=1)
    created_at: datetime = Field(default_factory=now)


class SearchWord(Record, table=True):
    """A word that some product is or was called by, to find what was meant by one that was mistyped.

    Kept by the database itself (`audit_search_words`); the application cannot write it.
    """

    __table_args__ = (
        sa.Index("ix_search_word_similar", "word", postgresql_using="gin", postgresql_ops={"word": "gin_trgm_ops"}),
        {"info": unaudited("words out of the names of products, which are in the trail")},
    )

    word: str = Field(sa_type=sa.Text(collation="C"), primary_key=True)


class PriceStatus(StrEnum):
    """Whether a change of price waits for its day, is in force or was taken back before it came."""

    PLANNED = "planned"
    APPLIED = "applied"
    CANCELLED = "cancelled"


class ProductPrice(Record, table=True):
    """A change of a product's price: from when, old, new and why; prices change no other way.

    A planned one has no old price yet: that is what it finds on its day.
    """

    __table_args__ = (
        sa.CheckConstraint("status IN ('planned', 'applied', 'cancelled')", name="ck_product_price_status"),
        sa.CheckConstraint("new_price >= 0", name="ck_product_price_new_price"),
        sa.Index("ix_product_price_product_id", "product_id", "valid_from"),
        sa.Index("ix_product_price_planned", "valid_from", "id", postgresql_where=sa.text("status = 'planned'")),
        sa.Index(
            "uq_product_price_planned",
            "product_id",
            "valid_from",
            unique=True,
            postgresql_where=sa.text("status = 'planned'"),
            info=says("valid_from", "A price of this product is planned for that day already."),
        ),
        {"info": audited()},
    )

    id: int | None = key()
    product_id: int = reference("product.id", index=False)
    valid_from: datetime = Field(default_factory=now)
    old_price: Decimal | None = Field(default=None, sa_type=MONEY)
    new_price: Decimal = Field(sa_type=MONEY)
    currency: str = text_field()
    reason: str = text_field(default="")
    status: str = Field(
        default=PriceStatus.APPLIED, sa_type=sa.Text, sa_column_kwargs={"server_default": PriceStatus.APPLIED.value}
    )
    #: The set of changes it is part of, when many prices changed at once.
    change_set_id: int | None = reference("change_set.id", nullable=True)


class Lot(Record, table=True):
    """What was made or came together, and until when it is good."""

    __table_args__ = (
        sa.Index(
            "uq_lot_code",
            "product_id",
            sa.text("lower(code)"),
            unique=True,
            info=says("code", "This product has a lot of this code."),
        ),
        sa.Index("ix_lot_expires_on", "expires_on", "id"),
        sa.Index("ix_lot_code", sa.text("lower(code)"), "id"),
        {"info": audited()},
    )

    id: int | None = key()
    product_id: int = reference("product.id", index=False)
    code: str = text_field()
    expires_on: date | None = None
    note: str | None = text_field(nullable=True)
    created_at: datetime = Field(default_factory=now)
    version: int = Field(default=1)


class SupplierProduct(Record, table=True):
    """What a supplier calls one of our products, and on what terms it can be had.

    `cost` is for one of our units; `pack_size` of them make one `purchase_unit`, which is what is ordered.
    """

    __table_args__ = (
        sa.UniqueConstraint(
            "supplier_id",
            "product_id",
            name="uq_supplier_product",
            info=says("supplier_id", "This supplier's terms for the product are there already."),
        ),
        sa.CheckConstraint("cost >= 0", name="ck_supplier_product_cost"),
        sa.CheckConstraint("pack_size > 0", name="ck_supplier_product_pack_size"),
        sa.CheckConstraint("minimum_quantity >= 0", name="ck_supplier_product_minimum"),
        sa.CheckConstraint("lead_time_days >= 0", name="ck_supplier_product_lead_time"),
        {"info": audited()},
    )

    id: int | None = key()
    supplier_id: int = reference("supplier.id", index=False)
    product_id: int = reference("product.id")
    supplier_sku: str | None = text_field(nullable=True)
    cost: Decimal = Field(sa_type=MONEY)
    currency: str = text_field()
    purchase_unit: str = text_field(default="")
    pack_size: Decimal = Field(default=Decimal(1), sa_type=QUANTITY)
    minimum_quantity: Decimal = Field(default=Decimal(0), sa_type=QUANTITY)
    lead_time_days: int = 0
    active: bool = True
    version: int = Field(default=1)
    created_at: datetime = Field(default_factory=now)
