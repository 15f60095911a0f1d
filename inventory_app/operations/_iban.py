"""Numbers of bank accounts (ISO 13616): read as people write them, checked by length and check digits, shown masked."""

import re

_SHAPE = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_MODULUS = 97
_VISIBLE = 4
#: How long the number is in each country of the registry.
LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "FK", "FO", "GL", "NL", "SD"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "MN", "XK"), 20),
    **dict.fromkeys(("CH", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "CR", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "OM", "SO", "TL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("LY", "PT", "ST"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("BI", "DJ", "FR", "GR", "IT", "MC", "MR", "SM"), 27),
    **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "GT", "HN", "HU", "LB", "NI", "PL", "SV"), 28),
    **dict.fromkeys(("BR", "EG", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU", "YE"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
    **dict.fromkeys(("LC",), 32),
    **dict.fromkeys(("RU",), 33),
}


def plain(typed: str) -> str:
    """Return the number as it is kept: in capitals, without the blanks and hyphens people write between."""
    return re.sub(r"[\s\-.\u00a0]", "", typed).upper()


def fault(iban: str) -> str:
    """Say what is wrong with a number as it is kept; empty when nothing is."""
    if not _SHAPE.fullmatch(iban):
        return "Enter the whole IBAN, such as DK50 0040 0440 1162 43."
    country = iban[:2]
    if country not in LENGTHS:
        return f"No country writes its IBANs with {country}. Check the first two letters."
    if len(iban) != LENGTHS[country]:
        return f"An IBAN of {country} has {LENGTHS[country]} characters; this one has {len(iban)}."
    digits = "".join(str(int(character, 36)) for character in iban[4:] + iban[:4])
    return "" if int(digits) % _MODULUS == 1 else "The check digits do not fit. Compare it with the invoice."


def spaced(iban: str) -> str:
    """Write a number as people read it: in groups of four."""
    return " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))


def masked(iban: str) -> str:
    """Write as much of a number as tells two accounts apart, and no more."""
    return f"{iban[:_VISIBLE]} ···· {iban[-_VISIBLE:]}"
