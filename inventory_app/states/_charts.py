"""Figures over time as the page draws them: lines in percent of the drawing, the words at its edges, and its table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from inventory_app.operations._zones import clock

_TICKS = 4
#: A table nobody reads to its end is no alternative.
_MOST_ROWS = 100
_LINES_OF_THE_SCALE = (Decimal(1), Decimal(2), Decimal(4), Decimal(5), Decimal(10))


@dataclass(frozen=True, slots=True)
class Tick:
    """A word at the edge, and where: percent from the left, or from the top."""

    label: str
    at: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A line of the table: when, and how much."""

    when: str
    figure: str


@dataclass(frozen=True, slots=True)
class Target:
    """A part of the drawing that can be pressed: from, how wide, where it leads, and what it says."""

    x: str
    width: str
    href: str
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A line over time in a drawing of 100 by 100; `mark_x` and `mark_y` (percent) are where the moment is, if any."""

    line: str = ""
    area: str = ""
    across: list[Tick] = field(default_factory=list)
    upwards: list[Tick] = field(default_factory=list)
    mark_x: str = ""
    mark_y: str = ""
    targets: list[Target] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    said: str = ""


@dataclass(frozen=True, slots=True)
class Spark:
    """A small line of one kind: what it is called, how many in all, the line, and its table."""

    label: str
    figure: str
    line: str
    area: str
    said: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class WeekBar:
    """What came and went in a week: where its column begins, how high and deep it is (in percent), and the figures."""

    x: str
    up: str
    top: str
    down: str
    label: str
    begins: str
    came: str
    went: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What is drawn: from when to when, in whose zone, the moment that is marked, and how a figure is written."""

    begins: datetime
    ends: datetime
    zone: str
    mark: datetime | None = None
    write: Callable[[Decimal], str] = str

    def x(self, moment: datetime) -> float:
        """Return how far to the right a moment is, in percent."""
        whole = max((self.ends - self.begins).total_seconds(), 1.0)
        return min(max((moment - self.begins).total_seconds() / whole * 100, 0.0), 100.0)

    def day(self, moment: datetime) -> str:
        """Name a moment at the lower edge: the hour of a day, the day of a year, the month of many years."""
        local, span = clock(moment, self.zone), self.ends - self.begins
        if span <= timedelta(days=2):
            return f"{local:%H:%M}"
        return f"{local.day} {local:%b}" if span <= timedelta(days=370) else f"{local:%b %Y}"


def steps(
    points: Sequence[tuple[datetime, Decimal]],
    frame: Frame,
    *,
    unit: str = "",
    leads: Callable[[datetime], str] | None = None,
) -> Chart:
    """Draw what holds from each moment until the next; `leads` makes each of these times a link.

    The first point is what there was when the drawing begins.
    """
    if not points:
        return Chart()
    low, high = scale([figure for _, figure in points])
    span = float(high - low) or 1.0

    def y(figure: Decimal) -> float:
        return 100 - float(figure - low) / span * 100

    def written(figure: Decimal) -> str:
        return f"{frame.write(figure)} {unit}".strip()

    line, shown = "", 0.0
    for moment, figure in points:
        x, shown = frame.x(moment), y(figure)
        line += f"H{x:.2f}V{shown:.2f}" if line else f"M{x:.2f} {shown:.2f}"
    line += "H100"
    area = f"{line}V{y(max(low, Decimal(0))):.2f}H{frame.x(points[0][0]):.2f}Z"
    marked = next((figure for moment, figure in reversed(points) if frame.mark and moment <= frame.mark), None)
    cells = [Cell(_moment(moment, frame.zone), written(figure)) for moment, figure in reversed(points[-_MOST_ROWS:])]
    lowest, highest = min(figure for _, figure in points), max(figure for _, figure in points)
    return Chart(
        line=line,
        area=area,
        across=_across(frame),
        upwards=[Tick(frame.write(low + (high - low) * n / _TICKS), f"{100 - 25 * n}") for n in range(_TICKS + 1)],
        mark_x=f"{frame.x(frame.mark):.2f}" if frame.mark and marked is not None else "",
        mark_y=f"{y(marked):.2f}" if marked is not None else "",
        targets=_targets(points, frame, written, leads) if leads else [],
        cells=cells,
        said=f"From {written(points[0][1])} to {written(points[-1][1])}; "
        f"at least {written(lowest)}, at most {written(highest)}.",
    )


def scale(figures: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """Return the ends of a scale from zero, or from below it, whose four steps are round numbers."""
    low, high = min(*figures, Decimal(0)), max(*figures, Decimal(0))
    if low == high:
        return low, low + _TICKS
    step = _round_up((high - low) / _TICKS)
    bottom = -step * (-low / step).to_integral_value(ROUND_CEILING)
    while bottom + step * _TICKS < high:
        step = _round_up(step * Decimal("1.01"))
        bottom = -step * (-low / step).to_integral_value(ROUND_CEILING)
    return bottom, bottom + step * _TICKS


def _round_up(step: Decimal) -> Decimal:
    power = Decimal(10) ** step.adjusted()
    return next(power * one for one in _LINES_OF_THE_SCALE if power * one >= step)


def _across(frame: Frame) -> list[Tick]:
    moments = [frame.begins + (frame.ends - frame.begins) * n / _TICKS for n in range(_TICKS)]
    ticks = [Tick(frame.day(moment), f"{frame.x(moment):.2f}") for moment in moments]
    # Two of the same name say nothing about where they are.
    return [tick for n, tick in enumerate(ticks) if n == 0 or tick.label != ticks[n - 1].label]


def _targets(
    points: Sequence[tuple[datetime, Decimal]],
    frame: Frame,
    written: Callable[[Decimal], str],
    leads: Callable[[datetime], str],
) -> list[Target]:
    ends = [frame.x(moment) for moment, _ in points[1:]] + [100.0]
    return [
        Target(
            f"{frame.x(moment):.2f}",
            f"{end - frame.x(moment):.2f}",
            leads(moment),
            f"{_moment(moment, frame.zone)}: {written(figure)}",
        )
        for (moment, figure), end in zip(points, ends, strict=True)
    ]


def _moment(moment: datetime, zone: str) -> str:
    local = clock(moment, zone)
    return f"{local.day} {local:%b %Y, %H:%M}"


#: So many columns show a year.
_COLUMNS = 52


def spark(label: str, numbers: Sequence[tuple[datetime, int]], frame: Frame) -> Spark:
    """Draw how often something happened, in columns of equal time, each as high as the busiest allows."""
    columns = [0] * _COLUMNS
    for moment, number in numbers:
        columns[min(int(frame.x(moment) / 100 * _COLUMNS), _COLUMNS - 1)] += number
    most, wide = max(*columns, 1), 100 / _COLUMNS
    line = "M0 100" + "".join(
        f"V{100 - column / most * 100:.1f}H{(n + 1) * wide:.2f}" for n, column in enumerate(columns)
    )
    weeks = [
        Cell(frame.day(frame.begins + (frame.ends - frame.begins) * n / _COLUMNS), f"{column:,}")
        for n, column in enumerate(columns)
        if column
    ]
    whole = sum(columns)
    return Spark(label, f"{whole:,}", line, f"{line}V100Z", f"{whole:,} in all, at most {most:,} a week.", weeks[::-1])


def week_bars(weeks: Sequence[tuple[date, int, int]]) -> list[WeekBar]:
    """Draw what came above and what went below one line, both measured by the most of either in a week."""
    most, wide = max((max(came, went) for _, came, went in weeks), default=0) or 1, 100 / max(len(weeks), 1)

    def high(number: int) -> float:
        return number / most * 49

    return [
        WeekBar(
            f"{n * wide + wide * 0.16:.2f}",
            f"{high(came):.2f}",
            f"{50 - high(came):.2f}",
            f"{high(went):.2f}",
            f"w{begins.isocalendar().week}",
            f"{begins.day} {begins:%b}",
            f"{came:,}",
            f"{went:,}",
        )
        for n, (begins, came, went) in enumerate(weeks)
    ]
