"""Numbers as files write them: a point or a comma for the decimals, and never a guess."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

_POINT = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")
_COMMA = re.compile(r"-?[0-9]{1,20}(?:,[0-9]{1,20})?")
#: A comma that cannot separate thousands, and one that can.
_SURELY_DECIMAL = re.compile(r"-?(?:[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})|0,[0-9]+)")
_EITHER = re.compile(r"-?[0-9]{1,3},[0-9]{3}")


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
            plain = text.replace(",", "")
            return f"{text} can mean two numbers. Write {plain} or {text.replace(',', '.')}."
        return "Enter a number such as 12 or 12.5."


def style_of(texts: Iterable[str]) -> NumberStyle:
    """Tell how a file writes decimals from all its numbers: with a comma if one of them must be meant so."""
    return NumberStyle(any("," in text and _SURELY_DECIMAL.fullmatch(text) is not None for text in texts))
