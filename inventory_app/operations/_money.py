"""Amounts on papers: each line rounded half up to cents, tax per line, totals as sums of what was rounded."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from inventory_app.errors import Invalid
from inventory_app.operations._ledger import LARGEST
from inventory_app.settings import get_settings

CENT = Decimal("0.01")
_HUNDRED = Decimal(100)
_LARGEST = LARGEST / 10
_CURRENCY = re.compile(r"[A-Z]{3}")
_FINEST_RATE = Decimal("0.00000001")


def cents(amount: Decimal) -> Decimal:
    """Round half up, away from zero: a credit note comes to exactly what its invoice did."""
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Sum:
    """Net, tax and gross of a line, or of many."""

    net: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)

    @property
    def gross(self) -> Decimal:
        """What is to be paid."""
        return self.net + self.tax

    def __add__(self, other: "Sum") -> "Sum":
        """Add what was rounded already."""
        return Sum(self.net + other.net, self.tax + other.tax)


def of_line(quantity: Decimal, unit_cost: Decimal, tax_percent: Decimal = Decimal(0)) -> Sum:
    """Return net and tax of one line."""
    net = cents(quantity * unit_cost)
    return Sum(net, cents(net * tax_percent / _HUNDRED))


def total(lines: Iterable[Sum]) -> Sum:
    """Return the sum of lines."""
    return sum(lines, Sum())


def in_base(amount: Decimal, rate: Decimal) -> Decimal:
    """Return an amount in the base currency, to the four decimals that costs are kept with."""
    return (amount * rate).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def checked_amount(amount: Decimal, field: str = "amount") -> Decimal:
    """Return an amount in whole cents that is more than nothing, or say what is wrong with it."""
    if not amount.is_finite() or amount > _LARGEST:
        raise Invalid(fields={field: "This number is too large."})
    if amount <= 0:
        raise Invalid(fields={field: "Enter more than 0."})
    if amount != amount.quantize(CENT):
        raise Invalid(fields={field: "Use at most 2 decimals."})
    return amount


def checked_currency(currency: str, field: str = "currency") -> str:
    """Return an ISO currency code, upper-case; empty is the base currency."""
    code = currency.strip().upper() or get_settings().currency
    if not _CURRENCY.fullmatch(code):
        raise Invalid(fields={field: "Enter a currency by its three letters, such as EUR."})
    return code


def checked_rate(currency: str, rate: Decimal | None, field: str = "rate") -> Decimal:
    """Return what one of the currency is worth in the base currency; that itself is worth 1 and nothing else."""
    base = get_settings().currency
    if rate is not None and not rate.is_finite():
        raise Invalid(fields={field: "Enter more than 0."})
    if currency == base:
        if rate not in (None, Decimal(1)):
            raise Invalid(fields={field: f"{base} is the currency of the books: its rate is 1."})
        return Decimal(1)
    if rate is None:
        raise Invalid(fields={field: f"Enter what 1 {currency} is worth in {base}."})
    if rate <= 0 or rate > _LARGEST / 10**3:
        raise Invalid(fields={field: "Enter more than 0."})
    if rate != rate.quantize(_FINEST_RATE):
        raise Invalid(fields={field: "Use at most 8 decimals."})
    return rate


def said(amount: Decimal, currency: str = "") -> str:
    """Write an amount as people do: thousands separated, two decimals, and more only where there are more."""
    shown = cents(amount)
    text = f"{shown if amount == shown else amount.normalize():,f}"
    return f"{text} {currency}".strip()
