"""What somebody copies from a supplier's paper, checked: lines, totals and dates, with every fault beside its field."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from inventory_app.errors import Invalid
from inventory_app.models._base import now
from inventory_app.operations import _money
from inventory_app.operations._fields import unusable
from inventory_app.operations._ledger import LARGEST
from inventory_app.operations._money import CENT, Sum, said

MOST_LINES = 500
_LARGEST = LARGEST / 10
_LONGEST = 500
_LARGE = "This number is too large."
#: An earlier date is a slip.
_OLDEST = date(2000, 1, 1)
_LONGEST_TERM = 730


@dataclass(frozen=True, slots=True)
class LineIn:
    """One line of a paper as it is typed, amounts above 0 on credit notes too; a discount has a quantity below 0."""

    description: str
    quantity: Decimal
    unit_cost: Decimal
    tax_percent: Decimal = Decimal(0)
    order_line_id: int | None = None


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A line with what it comes to."""

    typed: LineIn
    sum: Sum


def checked_lines(lines: Sequence[LineIn]) -> list[Reckoned]:
    """Reckon the lines; faults stand beside `<field>:<number of the line, from 0>`."""
    if not lines:
        message = "Enter at least one line."
        raise Invalid(message)
    if len(lines) > MOST_LINES:
        message = f"A paper has at most {MOST_LINES} lines; this one has {len(lines):,}."
        raise Invalid(message)
    faults = {
        f"{field}:{number}": sentence for number, line in enumerate(lines) for field, sentence in _faults(line).items()
    }
    if faults:
        raise Invalid(fields=faults)
    return [_reckoned(line) for line in lines]


def _reckoned(line: LineIn) -> Reckoned:
    return Reckoned(line, _money.of_line(line.quantity, line.unit_cost, line.tax_percent))


def _faults(line: LineIn) -> dict[str, str]:
    found = {
        "description": _why_no_text(line.description, needed=line.order_line_id is None),
        "quantity": _why_not(line.quantity, 3),
        "unit_cost": _why_not(line.unit_cost, 4),
        "tax_percent": _why_not(line.tax_percent, 2),
    }
    if not found["quantity"]:
        found["quantity"] = _why_no_quantity(line)
    if not found["unit_cost"] and line.unit_cost < 0:
        found["unit_cost"] = "Enter 0 or more. For a discount enter a quantity below 0."
    if not found["tax_percent"] and not 0 <= line.tax_percent <= 100:  # noqa: PLR2004  # per cent
        found["tax_percent"] = "Enter a tax from 0 to 100 per cent."
    if not any(found.values()) and abs(line.quantity * line.unit_cost) > _LARGEST / MOST_LINES:
        found["unit_cost"] = _LARGE
    return {field: sentence for field, sentence in found.items() if sentence}


def _why_no_text(text: str, *, needed: bool) -> str:
    if len(text) > _LONGEST:
        return f"Use at most {_LONGEST} characters."
    if needed and not text.strip():
        return "Say what it is, or choose a line of an order."
    return unusable(text)


def _why_not(number: Decimal, decimals: int) -> str:
    if not number.is_finite() or abs(number) > _LARGEST:
        return _LARGE
    return "" if number == round(number, decimals) else f"Use at most {decimals} decimals."


def _why_no_quantity(line: LineIn) -> str:
    if not line.quantity:
        return "Enter a quantity, or take the line out."
    if line.quantity < 0 and line.order_line_id is not None:
        return "Enter more than 0. What is taken back of an order is on a credit note."
    return ""


def agreeing(lines: Sequence[Reckoned], *, gross: Decimal, net: Decimal | None, tax: Decimal | None) -> list[Reckoned]:
    """Return the lines so that they come to the totals of the paper, or say by how much they do not.

    Suppliers round tax in their own ways: up to a cent for each taxed line is put right in the lines' taxes.
    """
    typed = {"gross": gross, "net": net, "tax": tax}
    faults = {field: why for field, amount in typed.items() if amount is not None and (why := _why_not(amount, 2))}
    if faults:
        raise Invalid(fields=faults)
    reckoned = _money.total(line.sum for line in lines)
    if net is not None and net != reckoned.net:
        raise Invalid(fields={"net": _differs("The lines come to", reckoned.net, net)})
    wanted = gross - reckoned.net
    if tax is not None and tax != wanted:
        raise Invalid(fields={"tax": _differs("Net and gross leave a tax of", wanted, tax)})
    if gross < 0:
        raise Invalid(fields={"gross": "It comes to less than nothing: record it as a credit note."})
    taxed = [number for number, line in enumerate(lines) if line.sum.tax]
    missing = wanted - reckoned.tax
    if abs(missing) > CENT * len(taxed):
        raise Invalid(fields={"gross": _differs("With tax the lines come to", reckoned.gross, gross)})
    settled, step = list(lines), CENT if missing > 0 else -CENT
    for number in taxed[: int(abs(missing) / CENT)]:
        line = settled[number]
        settled[number] = replace(line, sum=Sum(line.sum.net, line.sum.tax + step))
    return settled


def reckoned(lines: Sequence[LineIn | None]) -> tuple[list[str], tuple[str, str, str]]:
    """Say what lines come to with tax, and net, tax and gross of all of them; what is no number yet is left out."""
    sums = [None if line is None or _faults(replace(line, description="-")) else _reckoned(line).sum for line in lines]
    total = _money.total(one for one in sums if one is not None)
    amounts = ["" if one is None else said(one.gross) for one in sums]
    return amounts, (said(total.net), said(total.tax), said(total.gross))


def _differs(what: str, reckoned: Decimal, typed: Decimal) -> str:
    by = said(abs(typed - reckoned))
    return f"{what} {said(reckoned)}; {said(typed)} was typed, {by} too {'much' if typed > reckoned else 'little'}."


def checked_dates(invoice_date: date, due_on: date | None, days: int) -> date:
    """Return the day it is due: as typed, or so many days after its date."""
    # Tomorrow already has begun somewhere.
    if not _OLDEST <= invoice_date <= now().date() + timedelta(days=1):
        raise Invalid(fields={"invoice_date": "Enter the date of the paper: none in the future, and none before 2000."})
    due = due_on or invoice_date + timedelta(days=days)
    if not invoice_date <= due <= invoice_date + timedelta(days=_LONGEST_TERM):
        raise Invalid(fields={"due_on": "Enter a day after the date of the paper, within two years."})
    return due
