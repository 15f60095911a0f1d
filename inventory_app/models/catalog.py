"""What is kept in stock, where, and at what price."""

from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Field

from inventory_app.audit.tables import audited
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
        sa.Index("ix_product_sort", "sort_key", "id"),
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
    barcode: str | None = text_field(nullable=True)
    unit_cost: Decimal = Field(default=Decimal(0), sa_type=MONEY)
    unit_price: Decimal = Field(default=Decimal(0), sa_type=MONEY)
    currency: str = text_field()
    reorder_point: Decimal = Field(default=Decimal(0), sa_type=QUANTITY)
    reorder_quantity: Decimal = Field(default=Decimal(0), sa_type=QUANTITY)
    supplier_id: int | None = reference("supplier.id", nullable=True)
    active: bool = True
    version: int = Field(default=1)
    created_at: datetime = Field(default_factory=now)


class ProductPrice(Record, table=True):
    """A change of a product's price: from when, old, new and why; prices change no other way."""

    __table_args__ = ({"info": audited()},)

    id: int | None = key()
    product_id: int = reference("product.id")
    valid_from: datetime = Field(default_factory=now)
    old_price: Decimal | None = Field(default=None, sa_type=MONEY)
    new_price: Decimal = Field(sa_type=MONEY)
    currency: str = text_field()
    reason: str = text_field(default="")
