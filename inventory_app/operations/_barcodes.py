"""Barcodes as they are kept: one way to write each, so that scanning and typing find the same product.

A code of 8, 12, 13 or 14 digits is a GTIN and must end in its check digit; 12 digits (UPC) are kept as the 13 they are
elsewhere, with a leading 0, and so are 14 with one. Everything else is a code of our own.
"""

import re

from inventory_app.operations._fields import unusable

LONGEST = 60
_UPC, _GTIN_14 = 12, 14
_GTIN_LENGTHS = (8, _UPC, 13, _GTIN_14)
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[ -](?=\d)")


def check_digit(digits: str) -> int:
    """Return the digit that ends a GTIN which begins with `digits`."""
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -weighted % 10


def as_scanned(text: str) -> str:
    """Return what was scanned or typed the way it would be kept, whether or not it is right."""
    tidy = text.strip()
    digits = _BETWEEN_DIGITS.sub("", tidy)
    if not is_gtin(digits):
        return tidy
    if len(digits) == _UPC:
        return f"0{digits}"
    return digits[1:] if len(digits) == _GTIN_14 and digits.startswith("0") else digits


def is_gtin(code: str) -> bool:
    """Tell whether a code is one that must end in a check digit."""
    return code.isascii() and code.isdecimal() and len(code) in _GTIN_LENGTHS


def fault_of(barcode: str) -> str:
    """Say what is wrong with a barcode that was brought into its form by `as_scanned`; empty when nothing is."""
    if len(barcode) > LONGEST:
        return f"Use at most {LONGEST} characters."
    if wrong := unusable(barcode):
        return wrong
    if not barcode.isprintable():
        return "There is a character in it that no scanner sends. Type it anew instead of pasting it."
    if is_gtin(barcode):
        wanted = check_digit(barcode[:-1])
        if int(barcode[-1]) != wanted:
            return (
                f"One digit is wrong: a barcode that begins so ends in {wanted}, not in {barcode[-1]}. "
                "Scan it, or compare it digit by digit."
            )
    return ""
