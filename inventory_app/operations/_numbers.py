"""Numbers as people type them and files write them: plain digits, a point or a comma, and never a guess."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

_POINT = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")
_COMMA = re.compile(r"-?[0-9]{1,20}(?:,[0-9]{1,20})?")
#: A comma that cannot separate thousands, and one that can.
_SURELY_DECIMAL = re.compile(r"-?(?:[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})|0,[0-9]+)")
_EITHER = re.compile(r"[+-]?[0-9]{1,3},[0-9]{3}")
#: What somebody types into a field, with a sign where a difference is asked for.
_TYPED = re.compile(r"[+-]?[0-9]{1,20}(?:[.,][0-9]{1,20})?")
#: Groups of three digits: the separators say nothing, and one country's thousands are another's decimals.
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:[.,'’ \u00a0\u202f]?[0-9]{3})+(?:[.,][0-9]*)?")
_PLAIN = "Enter a number such as 12 or 12.5."
_LONGEST = 40


def typed(text: str) -> Decimal:
    """Return the number somebody typed; raises `ValueError` with the sentence for the person."""
    if len(text) > _LONGEST:
        message = "This number is too large."
        raise ValueError(message)
    if _EITHER.fullmatch(text) and not _SURELY_DECIMAL.fullmatch(text.lstrip("+")):
        raise ValueError(_two_numbers(text))
    if _TYPED.fullmatch(text):
        return Decimal(text.replace(",", ".")) + 0
    if _GROUPED.fullmatch(text):
        message = "Leave out what separates the thousands: write 1234 or 1234.5."
        raise ValueError(message)
    raise ValueError(_PLAIN)


def _two_numbers(text: str) -> str:
    return f"{text} can mean two numbers. Write {text.replace(',', '')} or {text.replace(',', '.')}."


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """How one file writes its decimals."""

    decimal_comma: bool

    def number(self, text: str) -> Decimal | None:
        """Return the number, None for an empty cell; raises `ValueError` with the sentence for the person."""
        if not text:
            return None
        if (_COMMA if self.decimal_comma else _POINT).fullmatch(text):
            # Adding 0 makes -0 a 0.
            return Decimal(text.replace(",", ".")) + 0
        raise ValueError(self._sentence(text))

    def _sentence(self, text: str) -> str:
        if self.decimal_comma:
            return "Enter a number such as 12 or 12,5: this file writes decimals with a comma."
        if _EITHER.fullmatch(text):
            return _two_numbers(text)
        return _PLAIN


def style_of(texts: Iterable[str]) -> NumberStyle:
    """Tell how a file writes decimals from all its numbers: with a comma if one of them must be meant so."""
    return NumberStyle(any("," in text and _SURELY_DECIMAL.fullmatch(text) is not None for text in texts))
