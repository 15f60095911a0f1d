"""A batch of payments as a file for the bank: SEPA credit transfers (ISO 20022, pain.001.001.09) and CSV.

The same payments give the same bytes, so that what the bank got can be compared with what was handed out.
"""

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from xml.etree import ElementTree as ET

from inventory_app.operations._export_cells import safe_cell
from inventory_app.operations._money import CENT

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_LONGEST_NAME = 70
_LONGEST_TEXT = 140
#: What every bank of the area must take; anything else becomes a point.
_SEPA = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")
_SLASHES = re.compile("/{2,}")
_GREEK = "αβγδεζηθικλμνξοπρσςτυφχψω"  # letters of people's names
_GREEK_AS = "a v g d e z i th i k l m n x o p r s s t y f ch ps o"
_CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґ"  # as above
_CYRILLIC_AS = "a b v g d e zh z i y k l m n o p r s t u f h ts ch sh sht a y y e yu ya i yi ye g"
#: How letters are spelled that are no other letter with an accent, as EPC217-08 has it, in small letters.
_SPELLED = (
    {"ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "\u0131": "i"}
    | {"ŧ": "t", "&": "+", "_": "-", "\u2013": "-", "\u2014": "-"}
    | dict(zip(_GREEK, _GREEK_AS.split(), strict=True))
    | dict(zip(_CYRILLIC, _CYRILLIC_AS.split(), strict=True))
)


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment as the bank carries it out."""

    number: str
    amount: Decimal
    holder: str
    iban: str
    bic: str
    reference: str


@dataclass(frozen=True, slots=True)
class OurAccount:
    """The account that pays."""

    company: str
    iban: str
    bic: str


@dataclass(frozen=True, slots=True)
class Made:
    """A file and its SHA-256."""

    content: str
    media_type: str
    sha256: str


def _made(content: str, media_type: str) -> Made:
    return Made(content, media_type, hashlib.sha256(content.encode()).hexdigest())


def plain(text: str, most: int) -> str:
    """Write a text in the letters that every bank takes, no longer than it may be."""
    folded = (letter for letter in unicodedata.normalize("NFKD", _spelled(text)) if not unicodedata.combining(letter))
    written = " ".join("".join(letter if letter in _SEPA else "." for letter in folded).split())[:most]
    # A slash at either end, or two in a row, mean something else to banks.
    return _SLASHES.sub("/", written).strip("/ ") or "."


def _spelled(text: str) -> str:
    """Spell out what has no form without an accent."""
    # Composed: some letters with a sign above them are spelled as letters of their own.
    return "".join(_letter(letter) for letter in unicodedata.normalize("NFC", text))


def _letter(letter: str) -> str:
    # A letter with an accent is spelled as the same letter without.
    small = letter.lower()
    found = _SPELLED.get(small) or _SPELLED.get(unicodedata.normalize("NFD", small)[:1])
    if found is None:
        return letter
    return found if small == letter else found.upper()


def _amount(amount: Decimal) -> str:
    return f"{amount.quantize(CENT):f}"


def as_pain(transfers: Sequence[Transfer], number: str, created: datetime, execute_on: date, ours: OurAccount) -> Made:
    """Write SEPA credit transfers in euros."""
    ET.register_namespace("", NAMESPACE)
    document = ET.Element(f"{{{NAMESPACE}}}Document")
    initiation = _below(document, "CstmrCdtTrfInitn")
    total = _amount(sum((one.amount for one in transfers), Decimal(0)))
    company = plain(ours.company, _LONGEST_NAME)

    header = _below(initiation, "GrpHdr")
    _below(header, "MsgId", number)
    _below(header, "CreDtTm", f"{created.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    _below(header, "NbOfTxs", str(len(transfers)))
    _below(header, "CtrlSum", total)
    _below(_below(header, "InitgPty"), "Nm", company)

    payment = _below(initiation, "PmtInf")
    _below(payment, "PmtInfId", number)
    _below(payment, "PmtMtd", "TRF")
    _below(payment, "NbOfTxs", str(len(transfers)))
    _below(payment, "CtrlSum", total)
    _below(_below(_below(payment, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA")
    _below(_below(payment, "ReqdExctnDt"), "Dt", execute_on.isoformat())
    _below(_below(payment, "Dbtr"), "Nm", company)
    _below(_below(_below(payment, "DbtrAcct"), "Id"), "IBAN", ours.iban)
    agent = _below(_below(payment, "DbtrAgt"), "FinInstnId")
    if ours.bic:
        _below(agent, "BICFI", ours.bic)
    else:
        _below(_below(agent, "Othr"), "Id", "NOTPROVIDED")
    _below(payment, "ChrgBr", "SLEV")
    for one in transfers:
        _transfer(payment, one)
    text = ET.tostring(document, encoding="unicode", short_empty_elements=False)
    return _made(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n', "application/xml; charset=utf-8")


def _transfer(payment: ET.Element, one: Transfer) -> None:
    info = _below(payment, "CdtTrfTxInf")
    ids = _below(info, "PmtId")
    _below(ids, "InstrId", one.number)
    _below(ids, "EndToEndId", one.number)
    _below(_below(info, "Amt"), "InstdAmt", _amount(one.amount), Ccy="EUR")
    if one.bic:
        _below(_below(_below(info, "CdtrAgt"), "FinInstnId"), "BICFI", one.bic)
    _below(_below(info, "Cdtr"), "Nm", plain(one.holder, _LONGEST_NAME))
    _below(_below(_below(info, "CdtrAcct"), "Id"), "IBAN", one.iban)
    _below(_below(info, "RmtInf"), "Ustrd", plain(one.reference, _LONGEST_TEXT))


def _below(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    made = ET.SubElement(parent, f"{{{NAMESPACE}}}{name}", attributes)
    made.text = text
    return made


def as_csv(transfers: Sequence[Transfer], currency: str, execute_on: date) -> Made:
    """Write the payments as a table that a spreadsheet shows and does not run."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["Payment", "Day", "Amount", "Currency", "Account holder", "IBAN", "BIC", "Reference"])
    for one in transfers:
        texts = map(safe_cell, (one.holder, one.iban, one.bic, one.reference))
        writer.writerow([one.number, execute_on.isoformat(), _amount(one.amount), currency, *texts])
    return _made(out.getvalue(), "text/csv; charset=utf-8")
