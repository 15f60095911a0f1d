"""What the columns of an imported file mean: from a sheet to suppliers, categories and products.

Nothing here asks the database. Every fault of every row is collected under the name the file
itself gives the column.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, TypeVar, cast

from inventory_app.errors import Invalid
from inventory_app.operations import _csv
from inventory_app.operations._csv import Fault, plain
from inventory_app.operations._fields import Fields
from inventory_app.operations._import_columns import COLUMNS, Columns, Kind, left_out
from inventory_app.operations._ledger import LARGEST
from inventory_app.operations._numbers import NumberStyle, style_of
from inventory_app.operations._supplier_fields import checked
from inventory_app.operations.catalog import NewProduct, _wrong_figures

Row = TypeVar("Row")
Read = TypeVar("Read")

_NUMBERS = ("unit_cost", "unit_price", "quantity", "reorder_point", "reorder_quantity")
_YES = frozenset({"1", "true", "t", "yes", "y", "x"})
_NO = frozenset({"0", "false", "f", "no", "n", ""})
_LONGEST_SKU = 40
#: Microsoft Access writes a link as `words#address#`.
_ACCESS_LINK = re.compile(r"(?P<words>[^#]*)#(?P<address>[^#]+)#")


@dataclass(frozen=True, slots=True)
class ImportFile(Generic[Row]):
    """A file as it was read: rows, what is wrong with them, and what a person should know about the reading."""

    kind: Kind
    name: str
    sha256: str
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]
    notices: tuple[str, ...]
    #: Our field -> the file's own name for the column.
    columns: Mapping[str, str]

    def fault(self, row: int, field: str, sentence: str) -> Fault:
        """Say what is wrong in the words of the file."""
        return row, self.columns.get(field, field), sentence


@dataclass(frozen=True, slots=True)
class SupplierRow:
    """A supplier to be: the columns of `Supplier` that the file fills."""

    row: int
    fields: Mapping[str, str | None]

    @property
    def name(self) -> str:
        """The supplier's name; empty when it is faulty."""
        return self.fields.get("name") or ""

    @property
    def external_id(self) -> str:
        """The supplier's number in the file, if there is one."""
        return self.fields.get("external_id") or ""


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """A category to be, or the name of one that a file of products has made."""

    row: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product to be, and what is on hand; the names of category, supplier and unit as the file has them."""

    row: int
    new: NewProduct
    quantity: Decimal
    barcode: str | None
    category: str
    supplier_number: str
    supplier_name: str
    currency: str
    has_cost: bool
    #: Fields that are faulty already: their values say nothing.
    faulty: frozenset[str]


def read_file(kind: Kind, content: bytes, name: str) -> ImportFile[Any]:
    """Read a file of `kind`; raises `Invalid` when it is none, and collects what is wrong with its rows."""
    if kind == "suppliers":
        return read_suppliers(content, name)
    return read_categories(content, name) if kind == "categories" else read_products(content, name)


def read_suppliers(content: bytes, name: str) -> ImportFile[SupplierRow]:
    """Read a file of suppliers."""
    return _read("suppliers", content, name, lambda _: _supplier)


def read_categories(content: bytes, name: str) -> ImportFile[CategoryRow]:
    """Read a file of categories."""
    return _read("categories", content, name, lambda _: _category)


def read_products(content: bytes, name: str) -> ImportFile[ProductRow]:
    """Read a file of products."""

    def reader(rows: list[dict[str, str]]) -> Callable[[int, dict[str, str], Fields], ProductRow]:
        style = style_of(row[field] for row in rows for field in _NUMBERS if field in row)
        return lambda number, cells, fields: _product(number, cells, fields, style)

    return _read("products", content, name, reader)


def _read(
    kind: Kind,
    content: bytes,
    name: str,
    reader_of: Callable[[list[dict[str, str]]], Callable[[int, dict[str, str], Fields], Read]],
) -> ImportFile[Read]:
    sheet = _csv.read(content, {plain(known) for names in COLUMNS[kind].values() for known in names})
    columns = Columns(kind, sheet)
    names = columns.names()
    cells = [columns.cells(line) for line in sheet.lines]
    reader = reader_of(cells)
    rows: list[Read] = []
    faults = list(sheet.faults)
    for line, values in zip(sheet.lines, cells, strict=True):
        fields = Fields()
        rows.append(reader(line.number, values, fields))
        faults += [(line.number, names.get(field, field), said) for field, said in fields.faults.items()]
    notices = [*sheet.notices, *left_out(sheet, columns)]
    digest = hashlib.sha256(content).hexdigest()
    return ImportFile(kind, name, digest, tuple(rows), tuple(sorted(faults)), tuple(notices), names)


def _supplier(number: int, cells: dict[str, str], fields: Fields) -> SupplierRow:
    website, words = _link(cells.get("website", ""))
    message = "\n".join(filter(None, (cells.get("message", ""), words and f"Home page: {words}")))
    given = cells | {"website": website, "message": message, "currency": cells.get("currency", "").upper()}
    own: dict[str, str | None] = {
        "external_id": fields.line("external_id", given.get("external_id", ""), most=_LONGEST_SKU),
        "fax": fields.line("fax", given.get("fax", ""), most=40),
        "region": fields.line("region", given.get("region", ""), most=100),
    }
    try:
        shared = checked(given, required=("name",))
    except Invalid as error:
        fields.faults |= error.fields
        shared = checked({field: value for field, value in given.items() if field not in error.fields}, required=())
    taken = own | cast("dict[str, str | None]", shared)
    return SupplierRow(number, {field: None if field in fields.faults else value for field, value in taken.items()})


def _category(number: int, cells: dict[str, str], fields: Fields) -> CategoryRow:
    code = fields.line("code", cells["code"], most=_LONGEST_SKU, required=True)
    name = fields.line("name", cells["name"], most=100, required=True)
    return CategoryRow(
        number, "" if "code" in fields.faults else code or "", "" if "name" in fields.faults else name or ""
    )


def _product(number: int, cells: dict[str, str], fields: Fields, style: NumberStyle) -> ProductRow:
    def line(name: str, most: int, *, required: bool = False) -> str:
        taken = fields.line(name, cells.get(name, ""), most=most, required=required)
        return "" if name in fields.faults else taken or ""

    figures: dict[str, Decimal | None] = {}
    for name in _NUMBERS:
        try:
            figures[name] = style.number(cells.get(name, ""))
        except ValueError as error:
            fields.faults[name] = str(error)
        if (figures.get(name) or 0) > LARGEST / 10:
            fields.faults[name] = "This number is too large."
    price, cost = figures.get("unit_price") or Decimal(0), figures.get("unit_cost")
    new = NewProduct(
        sku=_sku(cells, fields),
        name=line("name", 200, required=True),
        unit_code=line("unit", 20).lower() or "pcs",
        description=fields.text("description", cells.get("description", "")) or "",
        unit_cost=price if cost is None else cost,
        unit_price=price,
        reorder_point=figures.get("reorder_point") or Decimal(0),
        reorder_quantity=figures.get("reorder_quantity") or Decimal(0),
        active=_flag(cells, fields, "active", empty=True) and not _flag(cells, fields, "discontinued", empty=False),
    )
    quantity = figures.get("quantity") or Decimal(0)
    if quantity < 0:
        fields.faults["quantity"] = "Enter 0 or more."
    for name, sentence in _wrong_figures(new).items():
        if name != "unit_cost" or cost is not None:
            fields.faults.setdefault(name, sentence)
    return ProductRow(
        row=number,
        new=new,
        quantity=quantity,
        barcode=line("barcode", 60) or None,
        category=line("category", 100),
        supplier_number=line("supplier_number", _LONGEST_SKU),
        supplier_name=line("supplier_name", 200),
        currency=line("currency", 3).upper(),
        has_cost=cost is not None,
        faulty=frozenset(fields.faults),
    )


def _sku(cells: dict[str, str], fields: Fields) -> str:
    """Return the SKU, or the one made from Northwind's product number; empty when it is faulty."""
    name, prefix = ("sku", "") if "sku" in cells else ("number", "NW-")
    typed = fields.line(name, cells[name], most=_LONGEST_SKU - len(prefix), required=True)
    sku = f"{prefix}{typed}".upper()
    if name not in fields.faults and not (sku.isprintable() and len(sku) <= _LONGEST_SKU):
        fields.faults[name] = f"Enter an SKU of at most {_LONGEST_SKU} characters."
    return "" if name in fields.faults else sku


def _flag(cells: dict[str, str], fields: Fields, name: str, *, empty: bool) -> bool:
    value = cells.get(name, "").casefold()
    if value not in _YES | _NO:
        fields.faults[name] = "Enter 1 or 0 (or yes or no)."
    return value in _YES if value else empty


def _link(value: str) -> tuple[str, str]:
    """Split an Access link into address and words; anything else is an address."""
    found = _ACCESS_LINK.fullmatch(value)
    return (found["address"], found["words"].strip()) if found else (value, "")
