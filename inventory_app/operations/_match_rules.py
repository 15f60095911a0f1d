"""Whether what a supplier wants agrees with what was ordered and what came: the decision and its words, from one place.

Quantities are summed over all papers of a line of an order, in the order in which they were recorded: who came first is
covered first, so a second invoice never takes back what was found of the first. What is credited counts for all of
them, as soon as the credit note itself agrees or was released.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from inventory_app.operations._ledger import say
from inventory_app.operations._money import of_line, said

_HUNDRED = Decimal(100)
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Ordered:
    """A line of an order as the match needs it."""

    id: int
    order_id: int
    #: What people call the order.
    order: str
    product: str
    sku: str
    unit: str
    currency: str
    quantity: Decimal
    given_up: Decimal
    received: Decimal
    unit_cost: Decimal
    tax_percent: Decimal
    #: Kept in stock, so that only what was received may be invoiced.
    stock: bool
    #: It went to the supplier: before that nothing is owed for it, afterwards it may have been cancelled.
    placed: bool
    expected: str = ""

    @property
    def wanted(self) -> Decimal:
        """What was ordered and not given up since."""
        return max(self.quantity - self.given_up, self.received) if self.placed else self.received

    @property
    def owed(self) -> Decimal:
        """How much of it may be invoiced: what came, and of what is not kept in stock all that was ordered."""
        return self.received if self.stock else self.wanted


@dataclass(frozen=True, slots=True)
class PaperLine:
    """A line of an invoice or credit note; below 0 it takes back."""

    id: int
    invoice_id: int
    position: int
    order_line_id: int | None
    quantity: Decimal
    unit_cost: Decimal
    net: Decimal
    tax_percent: Decimal


@dataclass(frozen=True, slots=True)
class Paper:
    """An invoice or credit note that is not void; `counts` says whether what it credits helps the others."""

    id: int
    number: str
    currency: str
    gross: Decimal
    credits: int | None = None
    counts: bool = False
    released: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not agree; `amounts` is for those who may see prices only."""

    code: str
    word: str
    note: str = ""
    amounts: str = ""


@dataclass(frozen=True, slots=True)
class LineMatch:
    """What was found about one line; it agrees when nothing speaks against it."""

    line_id: int
    findings: tuple[Finding, ...] = ()
    #: What is said of a line that agrees.
    note: str = ""
    amounts: str = ""
    #: How many of it are not covered.
    over: Decimal = _NOTHING
    #: What those of an invoice come to, in its currency.
    worth: Decimal = _NOTHING

    @property
    def agrees(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.findings

    @property
    def codes(self) -> frozenset[str]:
        """Name what speaks against it."""
        return frozenset(finding.code for finding in self.findings)

    def word(self) -> str:
        """Say it in a few words."""
        return self.findings[0].word if self.findings else "Matches"

    def details(self, *, prices: bool) -> str:
        """Say what stands behind it, to who may see prices or may not."""
        if self.agrees:
            return _joined((self.note, self.amounts if prices else ""))
        first, *others = self.findings
        return _joined((first.note, first.amounts if prices else "", *(one.word.lower() for one in others)))


@dataclass(frozen=True, slots=True)
class Match:
    """What was found about a paper: line by line, and about all of it."""

    lines: tuple[LineMatch, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether it may be paid without anybody's release."""
        return not self.findings and all(line.agrees for line in self.lines)

    @property
    def differences(self) -> int:
        """How many things do not agree."""
        return len(self.findings) + sum(not line.agrees for line in self.lines)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a line of an order stands, all papers taken together."""

    #: ok, wait or bad.
    tone: str
    word: str
    note: str = ""
    amounts: str = ""
    #: What does not agree, by its name.
    codes: frozenset[str] = frozenset()


@dataclass(slots=True)
class Book:
    """Everything the match of some papers depends on."""

    ordered: Mapping[int, Ordered]
    papers: dict[int, Paper]
    #: All lines of all papers that are about these lines of orders, in the order in which they were recorded.
    lines: Sequence[PaperLine]
    tolerance: Decimal
    _of_line: dict[int, list[PaperLine]] = field(default_factory=dict)
    _of_paper: dict[int, list[PaperLine]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Sort the lines by what they are about."""
        for line in sorted(self.lines, key=_recorded):
            self._of_paper.setdefault(line.invoice_id, []).append(line)
            if line.order_line_id is not None:
                self._of_line.setdefault(line.order_line_id, []).append(line)

    def lines_of(self, invoice_id: int) -> list[PaperLine]:
        """Return the lines of a paper."""
        return self._of_paper.get(invoice_id, [])

    def about(self, order_line_id: int) -> list[PaperLine]:
        """Return what is invoiced and credited of a line of an order."""
        return self._of_line.get(order_line_id, [])

    def billed(self, order_line_id: int) -> Decimal:
        """Return how much of a line of an order was invoiced, less what was credited and counts."""
        lines = self.about(order_line_id)
        return _sum(line.quantity for line in lines if line.quantity > 0) - self._credited(lines)

    def match(self, invoice_id: int) -> Match:
        """Compare a paper with the orders, what came, and the other papers."""
        paper = self.papers[invoice_id]
        return Match(tuple(self._line(paper, line) for line in self.lines_of(invoice_id)), self._whole(paper))

    def standing(self, ordered: Ordered) -> Standing:
        """Say how a line of an order stands: what does not agree first, then what is still to come."""
        found = [
            (self.papers[one.invoice_id], self._line(self.papers[one.invoice_id], one))
            for one in self.about(ordered.id)
        ]
        bad = next((line for paper, line in found if not line.agrees and not paper.released), None)
        if bad is not None:
            return Standing("bad", bad.word(), bad.details(prices=False), bad.details(prices=True), bad.codes)
        arrives = self.coming(ordered)
        if arrives.word:
            return arrives
        billed = self.billed(ordered.id)
        if billed < ordered.owed:
            return Standing("wait", f"{say(ordered.owed - billed)} not invoiced yet")
        if any(not line.agrees for _, line in found):
            return Standing("ok", "Released")
        if not found:
            return Standing("wait", "Nothing is owed")
        # Each said once, in the order of the papers.
        notes, amounts = (dict.fromkeys(line.details(prices=prices) for _, line in found) for prices in (False, True))
        return Standing("ok", "Matches", _joined(notes), _joined(amounts))

    def coming(self, ordered: Ordered) -> Standing:
        """Say what of a line is still to come; empty when nothing is waited for."""
        missing = ordered.wanted - ordered.received
        if not ordered.stock or missing <= 0:
            return Standing("ok", "")
        return Standing("wait", f"Waiting for {say(missing)}")

    def _credited(self, lines: Iterable[PaperLine]) -> Decimal:
        return -_sum(line.quantity for line in lines if line.quantity < 0 and self.papers[line.invoice_id].counts)

    def _line(self, paper: Paper, line: PaperLine) -> LineMatch:
        ordered = self.ordered.get(line.order_line_id or 0)
        if ordered is None:
            return _free(line)
        upto = [one for one in self.about(ordered.id) if _recorded(one) <= _recorded(line)]
        return self._credit(paper, line, ordered, upto) if line.quantity < 0 else self._bill(paper, line, ordered, upto)

    def _bill(self, paper: Paper, line: PaperLine, ordered: Ordered, upto: Sequence[PaperLine]) -> LineMatch:
        billed = _sum(one.quantity for one in upto if one.quantity > 0) - self._credited(self.about(ordered.id))
        over = min(max(billed - ordered.owed, _NOTHING), line.quantity)
        worth = of_line(over, line.unit_cost).net
        findings: list[Finding] = []
        if over:
            amount = f"{said(worth, paper.currency)} not covered"
            findings.append(Finding("quantity", f"{say(over)} too many invoiced", _why_over(ordered, billed), amount))
        above = _percent_above(line.unit_cost, ordered.unit_cost)
        by = "" if above is None or not above else f"price {above:+f} %"
        if paper.currency != ordered.currency:
            findings.append(Finding("currency", "Another currency", f"{ordered.order} is in {ordered.currency}"))
        elif line.unit_cost * _HUNDRED > ordered.unit_cost * (_HUNDRED + self.tolerance):
            allowed = f"{by or 'price'}, {say(self.tolerance)} % allowed"
            findings.append(Finding("price", "Price too high", amounts=allowed))
        if line.tax_percent > ordered.tax_percent:
            taxes = f"{say(line.tax_percent)} %, {say(ordered.tax_percent)} % ordered"
            findings.append(Finding("tax", "More tax than ordered", taxes))
        note = f"{by}, {say(self.tolerance)} % allowed" if by and above is not None and above > 0 else by
        return LineMatch(line.id, tuple(findings), "" if ordered.stock else "not kept in stock", note, over, worth)

    def _credit(self, paper: Paper, line: PaperLine, ordered: Ordered, upto: Sequence[PaperLine]) -> LineMatch:
        """Hold a credit against what was invoiced: what is credited too cheaply must not stand for goods."""
        there = [one for one in self.about(ordered.id) if one.quantity > 0]
        taken = -_sum(one.quantity for one in upto if one.quantity < 0)
        over = min(max(taken - _sum(one.quantity for one in there), _NOTHING), -line.quantity)
        about = [one for one in there if one.invoice_id == paper.credits] or there
        findings: list[Finding] = []
        if over:
            findings.append(Finding("quantity", f"{say(over)} more credited than invoiced", f"of {ordered.order}"))
        if any(self.papers[one.invoice_id].currency != paper.currency for one in about):
            findings.append(Finding("currency", "Another currency", "than what it credits"))
        cost = max((one.unit_cost for one in about), default=_NOTHING)
        if line.unit_cost < cost:
            prices = f"{said(line.unit_cost)}, {said(cost)} invoiced"
            findings.append(Finding("price", "Credited for less than invoiced", amounts=prices))
        tax = max((one.tax_percent for one in about), default=_NOTHING)
        if line.tax_percent < tax:
            taxes = f"{say(line.tax_percent)} %, {say(tax)} % invoiced"
            findings.append(Finding("tax", "Less tax credited than invoiced", taxes))
        return LineMatch(line.id, tuple(findings), "credited", over=over)

    def _whole(self, paper: Paper) -> tuple[Finding, ...]:
        """Hold all credit notes about an invoice against it."""
        credited = self.papers.get(paper.credits or 0)
        if credited is None:
            return ()
        findings: list[Finding] = []
        if credited.currency != paper.currency:
            word = f"{credited.number} is in {credited.currency}"
            findings.append(Finding("currency", word, "a credit note is in the currency of its invoice"))
        before = (one for one in self.papers.values() if one.credits == credited.id and one.id <= paper.id)
        over = -_sum(one.gross for one in before) - credited.gross
        if over > 0:
            word = f"More credited than {credited.number} came to"
            findings.append(Finding("amount", word, amounts=f"{said(over, paper.currency)} too much"))
        return tuple(findings)


def _free(line: PaperLine) -> LineMatch:
    if line.net <= 0:
        return LineMatch(line.id, note="lowers the amount")
    return LineMatch(line.id, (Finding("free", "Not on an order", "there is nothing to compare it with"),))


def _why_over(ordered: Ordered, billed: Decimal) -> str:
    if not ordered.placed:
        return f"{ordered.order} is not ordered"
    return "not received yet" if billed <= ordered.wanted else "more than ordered"


def _percent_above(cost: Decimal, ordered: Decimal) -> Decimal | None:
    """Return by how much per cent a price differs, to one decimal; None where there is nothing to measure it by."""
    if not ordered:
        return None
    return ((cost - ordered) * _HUNDRED / ordered).quantize(Decimal("0.1"), ROUND_HALF_UP).normalize()


def _recorded(line: PaperLine) -> tuple[int, int]:
    return line.invoice_id, line.position


def _sum(numbers: Iterable[Decimal]) -> Decimal:
    return sum(numbers, _NOTHING)


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(part for part in parts if part)
