"""What a set of changes can change: each field says who may, how it is read, what may not be, and how it is written.

    Field(name="reorder_point", kind="products", label="Reorder point", permission=..., parse=..., faults=...)

Values are kept as the database writes them (`before`, `after`), so that one comparison of texts serves every field.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session

from inventory_app.errors import Invalid, NotFound
from inventory_app.models.catalog import Category, Location, Product, Unit
from inventory_app.models.lists import ChangeSetRow
from inventory_app.models.stock import InventoryItem, MovementKind, Reason
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import _prices
from inventory_app.operations._ledger import LARGEST, Posting, post, reserved_of_item
from inventory_app.operations._numbers import typed
from inventory_app.operations._prices import any_of, table_of
from inventory_app.operations.units import FINEST
from inventory_app.permissions import Permission

PRODUCT, ITEM, UNIT, PLACE = (table_of(model) for model in (Product, InventoryItem, Unit, Location))
ROW = table_of(ChangeSetRow)
#: A condition under which a row cannot be written, and the sentence about it.
Rule = tuple[sa.ColumnElement[bool], str]
#: What `write` gets: of each row the record, what it holds and what it shall hold.
Rows = Sequence[tuple[int, str | None, str | None]]


@dataclass(frozen=True, slots=True)
class Writing:
    """On whose behalf rows are written: the set, why, and from which day on it counts."""

    change_set_id: int
    reason: str = ""
    effective_on: date | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """The records of a field with everything that rules and sentences need."""

    table: Any
    joined: Any
    sku: Any
    name: Any
    place: Any


PRODUCTS = Source(PRODUCT, PRODUCT.join(UNIT, UNIT.c.code == PRODUCT.c.unit_code), PRODUCT.c.sku, PRODUCT.c.name, "")
ITEMS = Source(
    ITEM,
    ITEM.join(PRODUCT, PRODUCT.c.id == ITEM.c.product_id)
    .join(UNIT, UNIT.c.code == PRODUCT.c.unit_code)
    .join(PLACE, PLACE.c.id == ITEM.c.location_id),
    PRODUCT.c.sku,
    PRODUCT.c.name,
    PLACE.c.name,
)


@dataclass(frozen=True, kw_only=True)
class Field:
    """One thing that can be changed of many records at once."""

    name: str
    kind: str
    label: str
    permission: Permission
    sees: Permission
    source: Source
    #: What somebody typed or chose, as a value of the column; raises `Invalid`.
    parse: Callable[[Session, str], Any]
    #: What may not be of the value (a column expression), whatever was proposed.
    rules: Callable[[Any], Sequence[Rule]] = field(default=lambda _: ())
    #: Bring locked records from what they hold to what they shall hold.
    write: Callable[[Session, "Field", Writing, Rows], None]

    @property
    def column(self) -> Any:
        """The column that holds it."""
        return self.source.table.c[self.name]

    def text(self, value: Any) -> sa.ColumnElement[str]:
        """Return a value as the database writes it."""
        return sa.cast(sa.cast(value, self.column.type), sa.Text)

    def each(self, values: Mapping[int, Decimal]) -> sa.ColumnElement[Any]:
        """Return each record's own value, looked up in one object that comes with the statement."""
        given = sa.literal({str(id_): str(value) for id_, value in values.items()}, JSONB)
        return sa.cast(given[sa.cast(self.source.table.c.id, sa.Text)].astext, self.column.type)

    def value(self, text: Any) -> sa.ColumnElement[Any]:
        """Return a written value as the column's own."""
        return sa.cast(text, self.column.type)


def number(text: str, what: str, *, most: Decimal = LARGEST) -> Decimal:
    """Return the number that was typed for `what`; raises `Invalid` beside the field `value`."""
    try:
        found = typed(text.strip())
    except ValueError as error:
        raise Invalid(fields={"value": str(error)}) from error
    if found < 0:
        raise Invalid(fields={"value": f"A {what} cannot be negative."})
    if found > most:
        raise Invalid(fields={"value": "This number is too large."})
    return found


def _record(model: Any, sentence: str) -> Callable[[Session, str], int | None]:
    def parse(session: Session, text: str) -> int | None:
        if not text.strip():
            return None
        found = session.get(model, int(text)) if text.isascii() and text.isdigit() and len(text) < 19 else None  # noqa: PLR2004  # fits bigint
        # Nothing is put into a category that was closed, neither here nor on the product's page.
        if found is None or getattr(found, "active", True) is False:
            raise Invalid(fields={"value": sentence})
        return found.id

    return parse


def _yes_or_no(session: Session, text: str) -> bool:
    del session
    if text not in ("true", "false"):
        raise Invalid(fields={"value": "Choose one of the list."})
    return text == "true"


def _quantity(what: str) -> Callable[[Session, str], Decimal]:
    def parse(session: Session, text: str) -> Decimal:
        del session
        found = number(text, what)
        # The column would round it, and nobody would be told.
        if found != round(found, FINEST):
            raise Invalid(fields={"value": f"Use at most {FINEST} decimals."})
        return found

    return parse


def _price(session: Session, text: str) -> Decimal:
    del session
    found = number(text, "price", most=_prices.LARGEST_PRICE)
    if wrong := _prices.why_no_price(found):
        raise Invalid(fields={"value": wrong})
    return found


def _fits_unit(value: Any) -> Rule:
    return sa.func.round(value, UNIT.c.decimals) != value, "its unit is not counted that finely"


def _write_column(session: Session, one: Field, writing: Writing, rows: Rows) -> None:
    del writing
    given = _prices.given([(id_, after) for id_, _, after in rows], sa.Text)
    session.execute(
        sa.update(PRODUCT)
        .where(PRODUCT.c.id == given.c.id)
        .values({one.name: one.value(given.c.value), "version": PRODUCT.c.version + 1})
    )
    session.expire_all()


def _write_prices(session: Session, one: Field, writing: Writing, rows: Rows) -> None:
    del one
    day = writing.effective_on
    later = day if day and day > _prices.today() else None
    _prices.write(
        session,
        [(id_, Decimal(after or 0)) for id_, _, after in rows],
        reason=writing.reason,
        valid_from=_prices.beginning(later) if later else None,
        change_set_id=writing.change_set_id,
    )


def _write_quantities(session: Session, one: Field, writing: Writing, rows: Rows) -> None:
    del one
    found = session.scalars(sa.select(InventoryItem).where(ITEM.c.id == any_of(id_ for id_, *_ in rows)))
    items = {item.id: item for item in found.all()}
    post(
        session,
        [
            Posting(
                items[id_],
                Decimal(after or 0) - Decimal(before or 0),
                MovementKind.COUNT,
                Reason.COUNTED,
                writing.reason or None,
            )
            for id_, before, after in rows
        ],
    )


def _of_products(name: str, label: str, parse: Callable[[Session, str], Any], **more: Any) -> Field:
    return Field(
        name=name,
        kind="products",
        label=label,
        permission=Permission.PRODUCTS_MANAGE,
        sees=Permission.PRODUCTS_VIEW,
        source=PRODUCTS,
        parse=parse,
        write=_write_column,
        **more,
    )


CATEGORY = _of_products("category_id", "Category", _record(Category, "Choose a category of the list."))
SUPPLIER = _of_products("supplier_id", "Preferred supplier", _record(Supplier, "Choose a supplier of the list."))
ACTIVE = _of_products("active", "In use", _yes_or_no)
REORDER_POINT = _of_products(
    "reorder_point", "Reorder point", _quantity("reorder point"), rules=lambda value: (_fits_unit(value),)
)
REORDER_QUANTITY = _of_products(
    "reorder_quantity", "Reorder quantity", _quantity("reorder quantity"), rules=lambda value: (_fits_unit(value),)
)
PRICE = Field(
    name="unit_price",
    kind="prices",
    label="Price",
    permission=Permission.PRICES_UPDATE,
    sees=Permission.PRICES_VIEW,
    source=PRODUCTS,
    parse=_price,
    rules=lambda value: ((sa.or_(value < 0, value > _prices.LARGEST_PRICE), "that is no price it can have"),),
    write=_write_prices,
)
QUANTITY = Field(
    name="quantity",
    kind="quantities",
    label="On hand",
    permission=Permission.INVENTORY_BULK_UPDATE,
    sees=Permission.INVENTORY_VIEW,
    source=ITEMS,
    parse=_quantity("quantity"),
    rules=lambda value: (
        (value < 0, "less than nothing would be left"),
        (value > LARGEST, "that is more than can be kept"),
        _fits_unit(value),
        (~PLACE.c.active, "its location is closed"),
        (PLACE.c.kind == "transit", "it is on its way: accept its shipment instead"),
        (value < reserved_of_item(), "more of it is reserved"),
    ),
    write=_write_quantities,
)

FIELDS: dict[str, Field] = {
    one.name: one for one in (CATEGORY, SUPPLIER, REORDER_POINT, REORDER_QUANTITY, ACTIVE, PRICE, QUANTITY)
}
#: What each kind of set is called, in the order in which they are offered.
KINDS = {"products": "Products", "prices": "Prices", "quantities": "Quantities"}


def field_of(name: str) -> Field:
    """Return a field by its name."""
    if name not in FIELDS:
        raise NotFound
    return FIELDS[name]
