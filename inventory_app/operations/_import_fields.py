"""What can be imported, field by field: what a column means, the names it may have, how a cell is read."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from inventory_app.models._base import sort_key
from inventory_app.operations._csv import plain
from inventory_app.operations._fields import Fields
from inventory_app.operations._ledger import LARGEST
from inventory_app.operations._numbers import NumberStyle
from inventory_app.operations._supplier_fields import _CURRENCY, _EMAIL, _PHONE, _TAX_ID, _WEBSITE
from inventory_app.permissions import Permission

Kind = Literal["suppliers", "categories", "locations", "products", "stock"]

#: What a cell becomes; raises `ValueError` with the sentence for the person.
Reader = Callable[[str, NumberStyle], object]

_YES = frozenset({"1", "true", "t", "yes", "y", "x"})
_NO = frozenset({"0", "false", "f", "no", "n"})
_LONGEST_SKU = 40
_LONGEST_BARCODE = 60
_LONGEST_WAIT = 3_650
_GTIN = frozenset({8, 13, 14})
_UPC = 12
_PLACES = ("storage", "transit", "loss", "supplier", "customer")
#: Microsoft Access writes a link as `words#address#`.
_ACCESS_LINK = re.compile(r"[^#]*#(?P<address>[^#]+)#")
_DAY = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?: 00:00:00)?")


def _line(
    most: int = 200, pattern: re.Pattern[str] | None = None, sentence: str = "", *, upper: bool = False
) -> Reader:
    def read(text: str, _: NumberStyle) -> str | None:
        # Nearly every cell of a large file is plain: looking at each character takes longer than everything else.
        plainly = len(text) <= most and text.isascii() and text.isprintable() and "  " not in text
        if not plainly or pattern is not None:
            fields = Fields()
            taken = fields.line("it", text.upper() if upper else text, most=most, pattern=pattern, sentence=sentence)
            if fields.faults:
                raise ValueError(fields.faults["it"])
            return taken
        return text.upper() if upper else text

    return read


def _lines(most: int = 2_000) -> Reader:
    def read(text: str, _: NumberStyle) -> str | None:
        if len(text) <= most and text.isascii() and text.isprintable():
            return text
        fields = Fields()
        taken = fields.text("it", text, most=most)
        if fields.faults:
            raise ValueError(fields.faults["it"])
        return taken

    return read


def _number(decimals: int, most: Decimal = LARGEST / 10) -> Reader:
    def read(text: str, style: NumberStyle) -> str:
        value = style.number(text) or Decimal(0)
        if value < 0:
            raise ValueError("Enter 0 or more.")
        if value > most:
            raise ValueError("This number is too large.")
        if value != round(value, decimals):
            raise ValueError(f"Use at most {decimals} decimals.")
        return str(value)

    return read


def _days(text: str, style: NumberStyle) -> int:
    value = style.number(text) or Decimal(0)
    if value != int(value) or not 0 <= value <= _LONGEST_WAIT:
        raise ValueError("Enter a number of days, such as 14.")
    return int(value)


def _flag(text: str, _: NumberStyle) -> bool:
    word = text.casefold()
    if word not in _YES | _NO:
        raise ValueError("Enter 1 or 0 (or yes or no).")
    return word in _YES


def _not_flag(text: str, style: NumberStyle) -> bool:
    return not _flag(text, style)


def _sku(text: str, _: NumberStyle, prefix: str = "") -> str:
    taken = _line(_LONGEST_SKU - len(prefix))(text, _)
    sku = f"{prefix}{taken}".upper()
    if not sku.isprintable() or len(sku) > _LONGEST_SKU:
        raise ValueError(f"Enter an SKU of at most {_LONGEST_SKU} characters.")
    return sku


def _old_number(text: str, style: NumberStyle) -> str:
    return _sku(text, style, "NW-")


def _barcode(text: str, style: NumberStyle) -> str | None:
    taken = str(_line(_LONGEST_BARCODE)(text, style) or "")
    digits = taken.replace(" ", "").replace("-", "")
    if not (digits.isascii() and digits.isdecimal()):
        return taken or None
    if len(digits) == _UPC:
        digits = f"0{digits}"
    if len(digits) not in _GTIN:
        return taken
    weighted = sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(reversed(digits)))
    if weighted % 10:
        wanted = (int(digits[-1]) - weighted) % 10
        raise ValueError(f"One digit is wrong: a barcode that begins so ends in {wanted}, not in {digits[-1]}.")
    return digits


def _day(text: str, _: NumberStyle) -> str:
    found = _DAY.fullmatch(text)
    try:
        return date.fromisoformat(
            f"{found['year']}-{found['month']:0>2}-{found['day']:0>2}" if found else ""
        ).isoformat()
    except ValueError:
        raise ValueError("Enter a day as 2027-03-31.") from None


def _place_kind(text: str, _: NumberStyle) -> str:
    word = text.casefold()
    if word not in _PLACES:
        raise ValueError(f"Use one of {', '.join(_PLACES)}.")
    return word


def _website(text: str, style: NumberStyle) -> str | None:
    found = _ACCESS_LINK.fullmatch(text)
    read = _line(300, _WEBSITE, "Enter an address such as https://example.com.")
    return read(found["address"] if found else text, style)  # pyright: ignore[reportReturnType]  # a line is a text


def _currency(text: str, style: NumberStyle) -> object:
    return _line(3, _CURRENCY, "Enter the three letters of the currency, such as EUR.", upper=True)(text, style)


@dataclass(frozen=True, slots=True)
class FileField:
    """One of our fields: its label, what it means, how a cell is read, and the names a column may have."""

    label: str
    meaning: str
    read: Reader
    names: tuple[str, ...]
    numeric: bool = False
    #: Which field it is written to, when another column may say the same.
    to: str = ""
    permission: Permission | None = None


_MONEY, _QUANTITY = _number(4), _number(3)


def _text(label: str, meaning: str, read: Reader, *names: str, to: str = "") -> FileField:
    return FileField(label, meaning, read, (label, *names), to=to)


def _figure(label: str, meaning: str, read: Reader, *names: str, permission: Permission | None = None) -> FileField:
    return FileField(label, meaning, read, (label, *names), numeric=True, permission=permission)


FIELDS: Mapping[Kind, Mapping[str, FileField]] = {
    "suppliers": {
        "external_id": _text(
            "Number",
            "Your number for it; products may name it",
            _line(40),
            "SupplierID",
            "supplier number",
            "no",
            "nummer",
            "lieferantennummer",
            "numéro",
            "número",
        ),
        "name": _text(
            "Name",
            "The company's name; each is there once",
            _line(200),
            "CompanyName",
            "supplier",
            "supplier name",
            "company",
            "firma",
            "lieferant",
            "fournisseur",
            "nom",
            "proveedor",
            "nombre",
        ),
        "tax_id": _text(
            "Tax id",
            "As on its invoices",
            _line(40, _TAX_ID, "Use the digits and letters of the tax id, as on an invoice."),
            "vat",
            "vat id",
            "vat number",
            "ust id",
            "ustidnr",
            "tva",
            "nif",
        ),
        "contact_name": _text(
            "Contact", "Whom to talk to", _line(200), "ContactName", "contact name", "ansprechpartner", "contacto"
        ),
        "contact_title": _text("Contact title", "What they do there", _line(100), "title", "position"),
        "address": _text("Address", "Street and number", _lines(500), "street", "adresse", "strasse", "dirección"),
        "city": _text("City", "Town", _line(100), "town", "ort", "stadt", "ville", "ciudad"),
        "region": _text("Region", "State or region", _line(100), "state", "province"),
        "postal_code": _text(
            "Postal code", "Postal code", _line(20), "zip", "zip code", "postcode", "plz", "code postal"
        ),
        "country": _text("Country", "Country, as you write it", _line(100), "land", "pays", "país"),
        "phone": _text(
            "Phone",
            "Phone number",
            _line(40, _PHONE, "Enter a phone number such as +45 43 84 41 08."),
            "telephone",
            "tel",
            "telefon",
            "téléphone",
            "teléfono",
        ),
        "fax": _text("Fax", "Fax number", _line(40), "telefax"),
        "email": _text(
            "Email",
            "E-mail address",
            _line(254, _EMAIL, "Enter an e-mail address such as ann@example.com."),
            "e-mail address",
            "mail",
            "courriel",
            "correo",
        ),
        "website": _text("Website", "Web address", _website, "HomePage", "url", "web"),
        "payment_terms": _text("Payment terms", "Such as 30 days", _line(100), "terms", "zahlungsbedingungen"),
        "currency": _text("Currency", "Three letters, such as EUR", _currency, "währung", "devise", "moneda"),
        "message": _text("Message", "A note for whoever decides", _lines(), "note", "notes", "remark"),
    },
    "categories": {
        "code": _text("Code", "A short code; each is there once", _line(40), "CategoryID", "category code", "number"),
        "name": _text(
            "Name",
            "What people read",
            _line(100),
            "CategoryName",
            "category",
            "kategorie",
            "catégorie",
            "bezeichnung",
            "nom",
            "nombre",
        ),
        "parent": _text(
            "Parent",
            "The code of the category it is part of",
            _line(40),
            "parent code",
            "part of",
            "parent category",
            "obergruppe",
        ),
        "active": _text("Active", "1 or yes: in use. 0 or no: not any more", _flag, "in use", "aktiv", "actif"),
    },
    "locations": {
        "code": _text("Code", "A short code; each is there once", _line(20, upper=True), "location code", "number"),
        "name": _text(
            "Name",
            "What people read",
            _line(100),
            "location",
            "location name",
            "warehouse",
            "lager",
            "lagerort",
            "emplacement",
            "almacén",
            "bezeichnung",
        ),
        "kind": _text(
            "Kind", "storage, transit, loss, supplier or customer; storage if left out", _place_kind, "type", "art"
        ),
        "parent": _text(
            "Parent", "The code of the location it is part of", _line(20, upper=True), "parent code", "part of"
        ),
        "active": _text("Active", "1 or yes: in use. 0 or no: closed", _flag, "in use", "aktiv", "actif", "open"),
    },
    "products": {
        "sku": _text(
            "SKU",
            "The item's number, never used twice",
            _sku,
            "item number",
            "article number",
            "artikelnummer",
            "artikelnr",
            "référence",
            "referencia",
            "item",
            "article",
        ),
        "number": _text(
            "Product number", "A number, if there is no SKU: 7 becomes NW-7", _old_number, "ProductID", to="sku"
        ),
        "name": _text(
            "Name",
            "What people read",
            _line(200),
            "product",
            "ProductName",
            "product name",
            "bezeichnung",
            "artikel",
            "désignation",
            "nombre",
            "nom",
        ),
        "description": _text(
            "Description",
            "More about it, such as the packing",
            _lines(),
            "QuantityPerUnit",
            "beschreibung",
            "descripción",
        ),
        "category": _text(
            "Category",
            "By name or code; new ones are added",
            _line(100),
            "CategoryID",
            "category code",
            "kategorie",
            "warengruppe",
            "catégorie",
            "categoría",
        ),
        "supplier_number": _text(
            "Supplier number",
            "Its supplier, by the number it was imported with",
            _line(40),
            "SupplierID",
            "lieferantennummer",
        ),
        "supplier_name": _text(
            "Supplier", "Its supplier, by name", _line(200), "supplier name", "lieferant", "fournisseur", "proveedor"
        ),
        "unit": _text(
            "Unit",
            "How it is counted: pcs, cs, box, pkg, kg, l or m; pcs if left out",
            _line(20),
            "unit code",
            "einheit",
            "unité",
            "unidad",
        ),
        "barcode": _text(
            "Barcode",
            "Its barcode; the check digit of an EAN or UPC is looked at",
            _barcode,
            "ean",
            "gtin",
            "upc",
            "strichcode",
            "code barres",
            "código de barras",
        ),
        "unit_cost": _figure(
            "Unit cost",
            "What one unit costs you, when it is new; the price if left out",
            _MONEY,
            "cost",
            "einstandspreis",
            "coût",
            permission=Permission.PRICES_VIEW,
        ),
        "unit_price": _figure(
            "Unit price",
            "What one unit sells for",
            _MONEY,
            "price",
            "preis",
            "verkaufspreis",
            "prix",
            "precio",
            permission=Permission.PRICES_VIEW,
        ),
        "currency": _text("Currency", "Three letters; only the currency of this company", _currency, "währung"),
        "quantity": _figure(
            "Quantity",
            "Opening stock of a new product",
            _QUANTITY,
            "UnitsInStock",
            "on hand",
            "stock",
            "bestand",
            "menge",
            "quantité",
            "cantidad",
        ),
        "location": _text(
            "Location",
            "Where the opening stock is, by code or name; the main location if left out",
            _line(100),
            "location code",
            "warehouse",
            "lagerort",
        ),
        "reorder_point": _figure(
            "Reorder point",
            "Reorder at this quantity; 0 is never",
            _QUANTITY,
            "ReorderLevel",
            "minimum stock",
            "meldebestand",
            "mindestbestand",
        ),
        "reorder_quantity": _figure("Reorder quantity", "How much to reorder", _QUANTITY, "bestellmenge"),
        "active": _text("Active", "1 or yes: in use. 0 or no: not any more", _flag, "in use", "aktiv", "actif"),
        "discontinued": _text(
            "Discontinued", "The other way round: 1 or yes is not any more", _not_flag, "ausgelaufen", to="active"
        ),
        "supplier_sku": _text(
            "Supplier's SKU",
            "What the supplier calls it",
            _line(60),
            "supplier sku",
            "supplier item number",
            "bestellnummer",
        ),
        "supplier_cost": _figure(
            "Supplier's cost",
            "What the supplier asks for one of our units",
            _MONEY,
            "supplier cost",
            "purchase price",
            "einkaufspreis",
            permission=Permission.PRICES_VIEW,
        ),
        "pack_size": _figure(
            "Pack size",
            "How many of our units are in one that is ordered",
            _QUANTITY,
            "units per pack",
            "verpackungseinheit",
        ),
        "purchase_unit": _text("Purchase unit", "What is ordered, such as a case", _line(20), "pack unit"),
        "minimum_quantity": _figure(
            "Minimum quantity",
            "The least that can be ordered",
            _QUANTITY,
            "minimum order quantity",
            "moq",
            "mindestbestellmenge",
        ),
        "lead_time_days": _figure(
            "Lead time", "Days from the order to the delivery", _days, "lead time days", "lieferzeit"
        ),
    },
    "stock": {
        "sku": _text("SKU", "The product", _sku, "item number", "article number", "artikelnummer", "item", "référence"),
        "location": _text(
            "Location",
            "Where it is, by code or name; the main location if left out",
            _line(100),
            "location code",
            "warehouse",
            "lager",
            "lagerort",
            "emplacement",
            "almacén",
        ),
        "lot": _text("Lot", "Of which lot, where lots are kept", _line(60), "batch", "charge", "lot number"),
        "expires_on": _text(
            "Expires",
            "Until when a new lot is good, as 2027-03-31",
            _day,
            "expires on",
            "expiry",
            "best before",
            "mhd",
            "ablaufdatum",
        ),
        "quantity": _figure(
            "Quantity",
            "How much is there now",
            _QUANTITY,
            "on hand",
            "counted",
            "count",
            "stock",
            "units in stock",
            "bestand",
            "menge",
            "quantité",
            "cantidad",
        ),
        "unit_cost": _figure(
            "Unit cost",
            "What one unit cost, of what has never been in stock",
            _MONEY,
            "cost",
            "einstandspreis",
            permission=Permission.PRICES_VIEW,
        ),
    },
}
#: What there must be: one column of each group.
REQUIRED: Mapping[Kind, tuple[tuple[str, ...], ...]] = {
    "suppliers": (("name",),),
    "categories": (("code",), ("name",)),
    "locations": (("code",), ("name",)),
    "products": (("sku", "number"), ("name",)),
    "stock": (("sku",), ("quantity",)),
}
KINDS: tuple[Kind, ...] = tuple(FIELDS)


def folded(name: str) -> str:
    """Return a column's name without case, accents, blanks and punctuation."""
    return plain(sort_key(name))


def known_names(kind: Kind) -> set[str]:
    """Return every name a column of this kind may have."""
    return {folded(name) for field in FIELDS[kind].values() for name in field.names}


def guessed(kind: Kind, header: Sequence[str]) -> dict[str, int]:
    """Return which of our fields probably stands in which column; of two alike, the first."""
    fields = {}
    for field, about in FIELDS[kind].items():
        for name in about.names:
            fields.setdefault(folded(name), field)
    mapping: dict[str, int] = {}
    for position, name in enumerate(header):
        field = fields.get(folded(name))
        if field is not None:
            mapping.setdefault(field, position)
    return mapping


def signature(header: Sequence[str]) -> str:
    """Return what a remembered choice of columns is found by."""
    return "|".join(folded(name) for name in header)


def missing(kind: Kind, mapping: Iterable[str]) -> list[str]:
    """Name what has no column and needs one."""
    present = set(mapping)
    return [
        " or ".join(FIELDS[kind][field].label for field in group)
        for group in REQUIRED[kind]
        if not present & set(group)
    ]


#: Texts that are searched or sorted by, and where their folded form goes.
_FOLDED = {"name": "_name", "sku": "_sku", "barcode": "_barcode"}


def reader(
    kind: Kind, mapping: Mapping[str, int], style: NumberStyle
) -> Callable[[Sequence[str], dict[str, str]], dict[str, object]]:
    """Return what reads a row: values by our fields; what is wrong goes into the dict that is handed over.

    Empty cells say nothing, except where something is needed.
    """
    columns = [(field, position, FIELDS[kind][field]) for field, position in mapping.items()]
    groups = [[field for field in group if field in mapping] for group in REQUIRED[kind]]

    def read(values: Sequence[str], faults: dict[str, str]) -> dict[str, object]:
        data: dict[str, object] = {}
        for field, position, about in columns:
            if not values[position]:
                continue
            try:
                value = about.read(values[position], style)
            except ValueError as error:
                faults[field] = str(error)
                continue
            to = about.to or field
            if value is None or (to != "active" and to in data):
                continue
            # Two columns may say whether it is in use: both must agree.
            data[to] = data[to] and value if to in data else value
            if to in _FOLDED:
                text = str(value)
                data[_FOLDED[to]] = text.lower() if text.isascii() else sort_key(text)
        for group in groups:
            if not any((FIELDS[kind][field].to or field) in data or field in faults for field in group):
                faults[group[0]] = "Please fill this in."
        return data

    return read
