"""What can be imported, field by field: what a column means, the names it may have, how its cells are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from inventory_app.operations import _import_cells as cells
from inventory_app.operations._import_cells import Reader, TextReader
from inventory_app.operations._supplier_fields import ADDRESS_LENGTH
from inventory_app.permissions import Permission

Kind = Literal["suppliers", "categories", "locations", "products", "stock"]


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
    #: What else a cell says, and the field it is added to as a line of its own.
    aside: tuple[TextReader, str] | None = None


_MONEY, _QUANTITY = cells.number(4), cells.number(3)


def _text(label: str, meaning: str, read: Reader, *names: str, to: str = "") -> FileField:
    return FileField(label, meaning, read, (label, *names), to=to)


def _figure(label: str, meaning: str, read: Reader, *names: str, permission: Permission | None = None) -> FileField:
    return FileField(label, meaning, read, (label, *names), numeric=True, permission=permission)


FIELDS: Mapping[Kind, Mapping[str, FileField]] = {
    "suppliers": {
        "external_id": _text(
            "Number",
            "Your number for it; products may name it",
            cells.line(40),
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
            cells.of_supplier("name"),
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
            cells.of_supplier("tax_id"),
            "vat",
            "vat id",
            "vat number",
            "ust id",
            "ustidnr",
            "tva",
            "nif",
        ),
        "contact_name": _text(
            "Contact",
            "Whom to talk to",
            cells.of_supplier("contact_name"),
            "ContactName",
            "contact name",
            "ansprechpartner",
            "contacto",
        ),
        "contact_title": _text(
            "Contact title", "What they do there", cells.of_supplier("contact_title"), "title", "position"
        ),
        "address": _text(
            "Address", "Street and number", cells.lines(ADDRESS_LENGTH), "street", "adresse", "strasse", "dirección"
        ),
        "city": _text("City", "Town", cells.of_supplier("city"), "town", "ort", "stadt", "ville", "ciudad"),
        "region": _text("Region", "State or region", cells.line(100), "state", "province"),
        "postal_code": _text(
            "Postal code",
            "Postal code",
            cells.of_supplier("postal_code"),
            "zip",
            "zip code",
            "postcode",
            "plz",
            "code postal",
        ),
        "country": _text("Country", "Country, as you write it", cells.of_supplier("country"), "land", "pays", "país"),
        "phone": _text(
            "Phone",
            "Phone number",
            cells.of_supplier("phone"),
            "telephone",
            "tel",
            "telefon",
            "téléphone",
            "teléfono",
        ),
        "fax": _text("Fax", "Fax number", cells.line(40), "telefax"),
        "email": _text(
            "Email",
            "E-mail address",
            cells.of_supplier("email"),
            "e-mail address",
            "mail",
            "courriel",
            "correo",
        ),
        "website": FileField(
            "Website",
            "Web address",
            cells.website,
            ("Website", "HomePage", "url", "web"),
            aside=(cells.link_words, "message"),
        ),
        "payment_terms": _text(
            "Payment terms", "Such as 30 days", cells.of_supplier("payment_terms"), "terms", "zahlungsbedingungen"
        ),
        "currency": _text(
            "Currency", "Three letters, such as EUR", cells.of_supplier("currency"), "währung", "devise", "moneda"
        ),
        "message": _text("Message", "A note for whoever decides", cells.lines(), "note", "notes", "remark"),
    },
    "categories": {
        "code": _text(
            "Code", "A short code; each is there once", cells.line(40), "CategoryID", "category code", "number"
        ),
        "name": _text(
            "Name",
            "What people read",
            cells.line(100),
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
            cells.line(40),
            "parent code",
            "part of",
            "parent category",
            "obergruppe",
        ),
        "active": _text("Active", "1 or yes: in use. 0 or no: not any more", cells.flag, "in use", "aktiv", "actif"),
    },
    "locations": {
        "code": _text(
            "Code", "A short code; each is there once", cells.line(20, upper=True), "location code", "number"
        ),
        "name": _text(
            "Name",
            "What people read",
            cells.line(100),
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
            "Kind", "storage, transit, loss, supplier or customer; storage if left out", cells.place_kind, "type", "art"
        ),
        "parent": _text(
            "Parent", "The code of the location it is part of", cells.line(20, upper=True), "parent code", "part of"
        ),
        "active": _text("Active", "1 or yes: in use. 0 or no: closed", cells.flag, "in use", "aktiv", "actif", "open"),
    },
    "products": {
        "sku": _text(
            "SKU",
            "The item's number, never used twice",
            cells.sku,
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
            "Product number", "A number, if there is no SKU: 7 becomes NW-7", cells.old_number, "ProductID", to="sku"
        ),
        "name": _text(
            "Name",
            "What people read",
            cells.line(200),
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
            cells.lines(),
            "QuantityPerUnit",
            "beschreibung",
            "descripción",
        ),
        "category": _text(
            "Category",
            "By name or code; new ones are added",
            cells.line(100),
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
            cells.line(40),
            "SupplierID",
            "lieferantennummer",
        ),
        "supplier_name": _text(
            "Supplier",
            "Its supplier, by name",
            cells.line(200),
            "supplier name",
            "lieferant",
            "fournisseur",
            "proveedor",
        ),
        "unit": _text(
            "Unit",
            "How it is counted: pcs, cs, box, pkg, kg, l or m; pcs if left out",
            cells.line(20),
            "unit code",
            "einheit",
            "unité",
            "unidad",
        ),
        "barcode": _text(
            "Barcode",
            "Its barcode; the check digit of an EAN or UPC is looked at",
            cells.barcode,
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
        "currency": _text(
            "Currency", "Three letters; only the currency of this company", cells.of_supplier("currency"), "währung"
        ),
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
            cells.line(100),
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
        "active": _text("Active", "1 or yes: in use. 0 or no: not any more", cells.flag, "in use", "aktiv", "actif"),
        "discontinued": _text(
            "Discontinued", "The other way round: 1 or yes is not any more", cells.not_flag, "ausgelaufen", to="active"
        ),
        "supplier_sku": _text(
            "Supplier's SKU",
            "What the supplier calls it",
            cells.line(60),
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
        "purchase_unit": _text("Purchase unit", "What is ordered, such as a case", cells.line(20), "pack unit"),
        "minimum_quantity": _figure(
            "Minimum quantity",
            "The least that can be ordered",
            _QUANTITY,
            "minimum order quantity",
            "moq",
            "mindestbestellmenge",
        ),
        "lead_time_days": _figure(
            "Lead time", "Days from the order to the delivery", cells.days, "lead time days", "lieferzeit"
        ),
    },
    "stock": {
        "sku": _text(
            "SKU", "The product", cells.sku, "item number", "article number", "artikelnummer", "item", "référence"
        ),
        "location": _text(
            "Location",
            "Where it is, by code or name; the main location if left out",
            cells.line(100),
            "location code",
            "warehouse",
            "lager",
            "lagerort",
            "emplacement",
            "almacén",
        ),
        "lot": _text("Lot", "Of which lot, where lots are kept", cells.line(60), "batch", "charge", "lot number"),
        "expires_on": _text(
            "Expires",
            "Until when a new lot is good, as 2027-03-31",
            cells.day,
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
