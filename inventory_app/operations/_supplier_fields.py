"""What is asked of a supplier, field by field, and how the fields read on screen."""

import re
from dataclasses import asdict, dataclass
from typing import TypedDict

from inventory_app.models.suppliers import Supplier
from inventory_app.operations._fields import Fields, checked_reason
from inventory_app.operations._money import said
from inventory_app.settings import get_settings

__all__ = [
    "ENDS",
    "NOTHING_MORE",
    "Details",
    "SupplierFields",
    "agreed",
    "checked",
    "checked_reason",
    "contact",
    "place",
    "readable",
]

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_PHONE = re.compile(r"(?=(?:\D*\d){4})[\d+()./ x-]+")
_TAX_ID = re.compile(r"(?=.*[0-9])[\w ./-]+")
_WEBSITE = re.compile(r"(?:https?://)?[^\s:/?#@]+\.[^\s:/?#@]+(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE)
_CURRENCY = re.compile(r"[A-Z]{3}")

_LONGEST_EMAIL = 254  # RFC 5321


class SupplierFields(TypedDict, total=False):
    """The columns of `Supplier` that people fill in."""

    name: str
    tax_id: str | None
    contact_name: str | None
    contact_title: str | None
    email: str | None
    phone: str | None
    website: str | None
    address: str | None
    city: str | None
    postal_code: str | None
    country: str | None
    payment_terms: str | None
    currency: str | None
    message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What staff know of a supplier besides its name, as it was typed."""

    tax_id: str = ""
    contact_name: str = ""
    contact_title: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    address: str = ""
    city: str = ""
    postal_code: str = ""
    country: str = ""
    payment_terms: str = ""
    currency: str = ""

    def with_name(self, name: str) -> dict[str, str]:
        """Return the fields to be checked; a currency may be typed in small letters."""
        return asdict(self) | {"name": name, "currency": self.currency.upper()}


NOTHING_MORE = Details()


@dataclass(frozen=True, slots=True)
class Line:
    """What a field of one line must be: at most so long, and like the pattern, or the sentence is said."""

    most: int
    pattern: re.Pattern[str] | None = None
    sentence: str = ""
    #: Written in capitals, however it was typed.
    upper: bool = False


#: What is one line, by field; forms and imported files read it by the same rule.
LINES = {
    "name": Line(200),
    "tax_id": Line(40, _TAX_ID, "Use the digits and letters of the tax id, as on an invoice."),
    "contact_name": Line(200),
    "contact_title": Line(100),
    "email": Line(_LONGEST_EMAIL, _EMAIL, "Enter an e-mail address such as ann@example.com."),
    "phone": Line(40, _PHONE, "Enter a phone number such as +45 43 84 41 08."),
    "website": Line(300, _WEBSITE, "Enter an address such as https://example.com."),
    "city": Line(100),
    "postal_code": Line(20),
    "country": Line(100),
    "payment_terms": Line(100),
    "currency": Line(3, _CURRENCY, "Enter the three letters of the currency, such as EUR.", upper=True),
}
ADDRESS_LENGTH = 500
#: What the last day of an approval is called.
ENDS = "Valid until"


def checked(given: dict[str, str], *, required: tuple[str, ...]) -> SupplierFields:
    """Return the columns from what was typed; raises `Invalid` with a sentence for every faulty field."""
    fields = Fields()

    def line(name: str) -> str | None:
        rule, value = LINES[name], given.get(name, "")
        return fields.line(
            name, value, most=rule.most, required=name in required, pattern=rule.pattern, sentence=rule.sentence
        )

    taken: SupplierFields = {
        "name": line("name") or "",
        "tax_id": line("tax_id"),
        "contact_name": line("contact_name"),
        "contact_title": line("contact_title"),
        "email": line("email"),
        "phone": line("phone"),
        "website": line("website"),
        "address": fields.text(
            "address", given.get("address", ""), most=ADDRESS_LENGTH, required="address" in required
        ),
        "city": line("city"),
        "postal_code": line("postal_code"),
        "country": line("country"),
        "payment_terms": line("payment_terms"),
        "currency": line("currency"),
        "message": fields.text("message", given.get("message", "")),
    }
    fields.check()
    return taken


#: What staff correct; the message is the applicant's own.
EDITABLE = tuple(name for name in SupplierFields.__annotations__ if name != "message")


def place(supplier: Supplier) -> str:
    """Return where the supplier is, in a few words."""
    known = ", ".join(part for part in (supplier.city, supplier.country) if part)
    return known or (supplier.address or "").replace("\n", ", ")


def contact(supplier: Supplier) -> str:
    """Return whom to talk to there."""
    return ", ".join(part for part in (supplier.contact_name, supplier.contact_title) if part)


def readable(supplier: Supplier) -> list[tuple[str, str]]:
    """Return every field as (label, value), empty values included."""
    town = " ".join(part for part in (supplier.postal_code, supplier.city) if part)
    address = (supplier.address or "").replace("\n", ", ")
    return [
        ("Name", supplier.name),
        ("Tax id", supplier.tax_id or ""),
        ("Contact", contact(supplier)),
        ("Email", supplier.email or ""),
        ("Phone", supplier.phone or ""),
        ("Fax", supplier.fax or ""),
        ("Website", supplier.website or ""),
        ("Address", ", ".join(part for part in (address, town, supplier.region, supplier.country) if part)),
        ("Payment terms", supplier.payment_terms or ""),
        ("Currency", supplier.currency or ""),
        ("Message", supplier.message or ""),
    ]


def agreed(supplier: Supplier, *, prices: bool = False) -> list[tuple[str, str]]:
    """Return what staff agreed with the supplier as (label, value), empty values included; amounts with `prices`."""
    days = supplier.payment_days
    lines = [
        ("Days to pay", "" if days is None else "1 day" if days == 1 else f"{days} days"),
        ("Delivery terms", supplier.delivery_terms or ""),
        (ENDS, f"{supplier.valid_until:%-d %b %Y}" if supplier.valid_until else ""),
    ]
    if prices:
        least = supplier.minimum_order
        lines.append(("Smallest order", said(least, supplier.currency or get_settings().currency) if least else ""))
    return lines
