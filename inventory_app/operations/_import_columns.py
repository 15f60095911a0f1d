"""Which column of a file is which of our fields: the names we know, and what to say about the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from inventory_app.errors import Invalid
from inventory_app.operations._csv import Line, Sheet, plain

Kind = Literal["suppliers", "categories", "products"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: what it says, and the names it may have, the plainest first."""

    meaning: str
    names: tuple[str, ...]


def _column(meaning: str, *names: str) -> Column:
    return Column(meaning, names)


#: Of each kind, our fields and the columns they come from; case, blanks and `_` of the names do not matter.
DESCRIBED: Mapping[Kind, Mapping[str, Column]] = {
    "suppliers": {
        "external_id": _column("Your number for it; products may name it", "number", "SupplierID", "supplier number"),
        "name": _column("The company's name; each is there once", "name", "CompanyName", "supplier", "supplier name"),
        "tax_id": _column("As on its invoices", "tax id", "vat", "vat id"),
        "contact_name": _column("Whom to talk to", "contact", "ContactName"),
        "contact_title": _column("What they do there", "contact title"),
        "address": _column("Street and number", "address", "street"),
        "city": _column("Town", "city", "town"),
        "region": _column("State or region", "region", "state"),
        "postal_code": _column("Postal code", "postal code", "zip", "zip code"),
        "country": _column("Country, as you write it", "country"),
        "phone": _column("Phone number", "phone", "telephone"),
        "fax": _column("Fax number", "fax"),
        "email": _column("E-mail address", "email", "e-mail address", "mail"),
        "website": _column("Web address", "website", "HomePage", "url"),
        "payment_terms": _column("Such as 30 days", "payment terms", "terms"),
        "currency": _column("Three letters, such as EUR", "currency"),
        "message": _column("A note for whoever decides", "message", "note", "notes"),
    },
    "categories": {
        "code": _column("A short code; each is there once", "code", "CategoryID", "category code"),
        "name": _column("What people read", "name", "CategoryName", "category"),
    },
    "products": {
        "sku": _column("The item's number, never used twice", "sku", "item number", "article number"),
        "number": _column("A number, if there is no SKU: 7 becomes NW-7", "product number", "ProductID"),
        "name": _column("What people read", "name", "product", "ProductName"),
        "description": _column("More about it, such as the packing", "description", "QuantityPerUnit"),
        "category": _column("By name or code; new ones are added", "category", "CategoryID", "category code"),
        "supplier_number": _column("Its supplier, by the number it was imported with", "supplier number", "SupplierID"),
        "supplier_name": _column("Its supplier, by name", "supplier", "supplier name"),
        "unit": _column("How it is counted: pcs, cs, box, pkg, kg, l or m; pcs if left out", "unit", "unit code"),
        "barcode": _column("Its barcode", "barcode", "ean", "gtin"),
        "unit_cost": _column("What one unit costs you; the price if left out", "unit cost", "cost"),
        "unit_price": _column("What one unit sells for", "unit price", "price"),
        "currency": _column("Three letters; only the currency of this company", "currency"),
        "quantity": _column("How much is there, at the main location", "quantity", "UnitsInStock", "on hand", "stock"),
        "reorder_point": _column("Reorder at this quantity; 0 is never", "reorder point", "ReorderLevel"),
        "reorder_quantity": _column("How much to reorder", "reorder quantity"),
        "active": _column("1 or yes: in use. 0 or no: not any more", "active"),
        "discontinued": _column("The other way round: 1 or yes is not any more", "discontinued"),
    },
}
#: Of each kind, our field and the names a file may give its column.
COLUMNS: Mapping[Kind, Mapping[str, tuple[str, ...]]] = {
    kind: {field: column.names for field, column in columns.items()} for kind, columns in DESCRIBED.items()
}
#: Of each kind, what there must be: one column of each group.
REQUIRED: Mapping[Kind, tuple[tuple[str, ...], ...]] = {
    "suppliers": (("name",),),
    "categories": (("code",), ("name",)),
    "products": (("sku", "number"), ("name",)),
}


class Columns:
    """Which of our fields stands in which column of a sheet."""

    def __init__(self, kind: Kind, sheet: Sheet) -> None:
        fields = {plain(name): field for field, names in COLUMNS[kind].items() for name in names}
        self._at: dict[str, int] = {}
        self.unknown: list[int] = []
        self._sheet = sheet
        for position, name in enumerate(sheet.header):
            field = fields.get(plain(name))
            if field is None:
                self.unknown.append(position)
            elif field in self._at:
                raise Invalid(
                    f"The columns {sheet.header[self._at[field]]} and {name} mean the same. Keep one of them."
                )
            else:
                self._at[field] = position
        for group in REQUIRED[kind]:
            if not self._at.keys() & set(group):
                raise Invalid(_missing(kind, group, sheet))

    def names(self) -> dict[str, str]:
        """Return the file's own name of every field it has."""
        return {field: self._sheet.header[position] for field, position in self._at.items()}

    def cells(self, line: Line) -> dict[str, str]:
        """Return the values of a row by field."""
        return {field: line.values[position] for field, position in self._at.items()}


def _missing(kind: Kind, group: tuple[str, ...], sheet: Sheet) -> str:
    """Say which column is missing, what the file has instead, and what it looks like."""
    wanted = " or ".join(name for field in group for name in COLUMNS[kind][field][:2])
    found = ", ".join(sheet.header[:12]) + (", …" if len(sheet.header) > 12 else "")  # noqa: PLR2004  # as shown
    names = {plain(name) for name in sheet.header}
    fits = [other for other in COLUMNS if other != kind and _fits(other, names)]
    hint = f" It looks like a file of {fits[0]}." if fits else ""
    return f"A file of {kind} needs a column {wanted}. This one has: {found}.{hint}"


def _fits(kind: Kind, names: set[str]) -> bool:
    return all(names & {plain(name) for field in group for name in COLUMNS[kind][field]} for group in REQUIRED[kind])


def left_out(sheet: Sheet, columns: Columns) -> list[str]:
    """Name the columns with values that have no place here, so that nothing is dropped silently."""
    held = [sheet.header[at] for at in columns.unknown if any(line.values[at] for line in sheet.lines)]
    if not held:
        return []
    named = ", ".join(held[:8]) + (f" and {len(held) - 8} more" if len(held) > 8 else "")  # noqa: PLR2004  # as shown
    return [f"Not imported, because there is no place for it here: {named}."]
