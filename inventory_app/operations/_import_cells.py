"""How a cell of an imported file is read: what it becomes, or the sentence that says what is wrong with it.

The rules are those of the forms (`_fields`, `_supplier_fields`, `_barcodes`, `_numbers`, `catalog`); what is here says
how files write things.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from inventory_app.operations._barcodes import LONGEST as LONGEST_BARCODE
from inventory_app.operations._barcodes import as_scanned, fault_of
from inventory_app.operations._fields import Fields
from inventory_app.operations._ledger import LARGEST
from inventory_app.operations._numbers import NumberStyle
from inventory_app.operations._supplier_fields import LINES
from inventory_app.operations.catalog import LOCATION_KINDS, LONGEST_SKU

#: What a cell becomes; raises `ValueError` with the sentence for the person.
Reader = Callable[[str, NumberStyle], object]
TextReader = Callable[[str, NumberStyle], str | None]

_YES = frozenset({"1", "true", "t", "yes", "y", "x"})
_NO = frozenset({"0", "false", "f", "no", "n"})
#: What Northwind's products, which have numbers only, are called here.
OLD_NUMBER = "NW-"
_LONGEST_WAIT = 3_650
#: Microsoft Access writes a link as `words#address#`.
_ACCESS_LINK = re.compile(r"(?P<words>[^#]*)#(?P<address>[^#]+)#")
_DAY = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?: 00:00:00)?")


def line(
    most: int = 200, pattern: re.Pattern[str] | None = None, sentence: str = "", *, upper: bool = False
) -> TextReader:
    """Read one line, as `Fields.line` does."""

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


def lines(most: int = 2_000) -> TextReader:
    """Read several lines, as `Fields.text` does."""

    def read(text: str, _: NumberStyle) -> str | None:
        if len(text) <= most and text.isascii() and text.isprintable():
            return text
        fields = Fields()
        taken = fields.text("it", text, most=most)
        if fields.faults:
            raise ValueError(fields.faults["it"])
        return taken

    return read


def of_supplier(name: str) -> TextReader:
    """Read a line of a supplier's as its form does; what stands in capitals may be written small."""
    rule = LINES[name]
    return line(rule.most, rule.pattern, rule.sentence, upper=rule.upper)


def number(decimals: int, most: Decimal = LARGEST / 10) -> Reader:
    """Read a number, 0 or more, with at most so many decimals."""

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


def days(text: str, style: NumberStyle) -> int:
    """Read a number of days."""
    value = style.number(text) or Decimal(0)
    if value != int(value) or not 0 <= value <= _LONGEST_WAIT:
        raise ValueError("Enter a number of days, such as 14.")
    return int(value)


def flag(text: str, _: NumberStyle) -> bool:
    """Read yes or no."""
    word = text.casefold()
    if word not in _YES | _NO:
        raise ValueError("Enter 1 or 0 (or yes or no).")
    return word in _YES


def not_flag(text: str, style: NumberStyle) -> bool:
    """Read yes or no, meant the other way round."""
    return not flag(text, style)


_SKU_LINE, _OLD_LINE = line(LONGEST_SKU), line(LONGEST_SKU - len(OLD_NUMBER))


def _as_sku(taken: str | None, prefix: str = "") -> str | None:
    if taken is None:
        return None
    capital = f"{prefix}{taken}".upper()
    # A letter can become two when it is capitalised.
    if not capital.isprintable() or len(capital) > LONGEST_SKU:
        raise ValueError(f"Enter an SKU of at most {LONGEST_SKU} characters.")
    return capital


def sku(text: str, style: NumberStyle) -> str | None:
    """Read an SKU."""
    return _as_sku(_SKU_LINE(text, style))


def old_number(text: str, style: NumberStyle) -> str | None:
    """Read a number that an SKU is made of."""
    return _as_sku(_OLD_LINE(text, style), OLD_NUMBER)


_BARCODE_LINE = line(LONGEST_BARCODE)


def barcode(text: str, style: NumberStyle) -> str | None:
    """Read a barcode, brought into the form it is kept in."""
    code = as_scanned(_BARCODE_LINE(text, style) or "")
    if wrong := fault_of(code):
        raise ValueError(wrong)
    return code or None


def day(text: str, _: NumberStyle) -> str:
    """Read a day."""
    found = _DAY.fullmatch(text)
    try:
        return date.fromisoformat(
            f"{found['year']}-{found['month']:0>2}-{found['day']:0>2}" if found else ""
        ).isoformat()
    except ValueError:
        raise ValueError("Enter a day as 2027-03-31.") from None


def place_kind(text: str, _: NumberStyle) -> str:
    """Read what a location is."""
    word = text.casefold()
    if word not in LOCATION_KINDS:
        raise ValueError(f"Use one of {', '.join(LOCATION_KINDS)}.")
    return word


_WEBSITE = of_supplier("website")


def website(text: str, style: NumberStyle) -> str | None:
    """Read a web address; of a link of Access, its address."""
    found = _ACCESS_LINK.fullmatch(text)
    return _WEBSITE(found["address"] if found else text, style)


_WORDS = line()


def link_words(text: str, style: NumberStyle) -> str | None:
    """Read what a link of Access says besides its address, as a line of a note; None when it says nothing more."""
    found = _ACCESS_LINK.fullmatch(text)
    words = _WORDS(found["words"].strip(), style) if found else None
    return f"Home page: {words}" if words else None
