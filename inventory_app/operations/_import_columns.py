"""Which column of a file is which of our fields: the names we know, and what to say about the others."""

from collections.abc import Mapping
from typing import Literal

from inventory_app.errors import Invalid
from inventory_app.operations._csv import Line, Sheet, plain

Kind = Literal["suppliers", "categories", "products"]

#: Of each kind, our field and the names a file may give its column; case, blanks and `_` do not matter.
COLUMNS: Mapping[Kind, Mapping[str, tuple[str, ...]]] = {
    "suppliers": {
        "external_id": ("SupplierID", "supplier number"),
        "name": ("CompanyName", "name", "supplier", "supplier name"),
        "tax_id": ("tax_id", "vat", "vat id"),
        "contact_name": ("ContactName", "contact"),
        "contact_title": ("ContactTitle",),
        "address": ("Address", "street"),
        "city": ("City", "town"),
        "region": ("Region", "state"),
        "postal_code": ("PostalCode", "zip", "zip code"),
        "country": ("Country",),
        "phone": ("Phone", "telephone"),
        "fax": ("Fax",),
        "email": ("email", "e-mail address", "mail"),
        "website": ("HomePage", "website", "url"),
        "payment_terms": ("payment_terms", "terms"),
        "currency": ("currency",),
        "message": ("message", "note", "notes"),
    },
    "categories": {
        "code": ("CategoryID", "code", "category code"),
        "name": ("CategoryName", "name", "category"),
    },
    "products": {
        "number": ("ProductID", "product number"),
        "sku": ("sku", "item number", "article number"),
        "name": ("ProductName", "name", "product"),
        "description": ("QuantityPerUnit", "description"),
        "category": ("CategoryID", "category", "category code"),
        "supplier_number": ("SupplierID", "supplier number"),
        "supplier_name": ("supplier", "supplier name"),
        "unit": ("unit", "unit code"),
        "barcode": ("barcode", "ean", "gtin"),
        "unit_cost": ("unit_cost", "cost"),
        "unit_price": ("UnitPrice", "price"),
        "currency": ("currency",),
        "quantity": ("UnitsInStock", "quantity", "on hand", "stock"),
        "reorder_point": ("ReorderLevel", "reorder_point"),
        "reorder_quantity": ("reorder_quantity",),
        "active": ("active",),
        "discontinued": ("Discontinued",),
    },
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
