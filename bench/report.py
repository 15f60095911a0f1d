"""The table of a run: medians over its rounds, ratios to the floors of the same run, goals reached or not."""

import os
import platform
import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from bench.browser import Weights
from bench.load import Samples, median
from bench.starts import Memory

_BEGIN, _END = "<!-- figures: begin (written by python -m bench.run) -->", "<!-- figures: end -->"
_LIST_PAGES = ("/inventory", "/suppliers/approvals", "/admin/users", "/audit")


@dataclass
class Results:
    """Everything one run has found."""

    rounds: int
    seconds: float
    products: int
    machine: str
    loads: list[float]
    samples: dict[str, list[Samples]] = field(default_factory=lambda: defaultdict(list))
    capture: dict[str, list[float]] = field(default_factory=dict)
    memory_idle: Memory | None = None
    memory_open: Memory | None = None
    weights: Weights | None = None
    paints: dict[str, Samples] = field(default_factory=dict)
    click: Samples | None = None
    second_starts: list[float] = field(default_factory=list)
    cold_run: float | None = None
    books: str = ""

    @classmethod
    def begin(cls, rounds: int, seconds: float, products: int) -> Self:
        """Note where and when."""
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
        machine = (
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores ({model or platform.processor()}), "
            f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
        )
        return cls(rounds, seconds, products, machine, [os.getloadavg()[0]])

    def add(self, name: str, samples: Samples) -> None:
        """Keep what a slice has found."""
        self.samples[name].append(samples)

    def end(self) -> None:
        """Note how busy the machine was."""
        self.loads.append(os.getloadavg()[0])

    def rate(self, name: str) -> float:
        """Return the median rate."""
        return median(self.samples[name], lambda one: one.rate)

    def ms(self, name: str, percent: float) -> float:
        """Return the median of the rounds' percentiles, in milliseconds."""
        return median(self.samples[name], lambda one: one.percentile(percent))

    def faults(self, prefix: str) -> list[str]:
        """Return what went wrong in slices of that name."""
        return [
            text
            for name, rounds in self.samples.items()
            if name.startswith(prefix)
            for s in rounds
            for text in s.faults
        ]

    @property
    def floor(self) -> float:
        """The unaudited ORM with the number of threads that suits it best."""
        return max(self.rate(name) for name in self.samples if name.startswith("ORM/") and name != "ORM/1")


def books(unbalanced: int, *, conserved: bool) -> str:
    """Say whether the ledger is right after all that."""
    total = "the totals of what was only moved are what they were" if conserved else "PIECES WERE LOST OR MADE"
    return f"{total}; {unbalanced} items whose quantity is not the sum of their movements"


def table(results: Results) -> str:
    """Return the figures as Markdown."""
    parts = [_head(results), _transfers(results), _others(results), _capture(results), _goals(results)]
    return "\n\n".join(part for part in parts if part)


def _head(results: Results) -> str:
    loads = " to ".join(f"{load:.1f}" for load in results.loads)
    return (
        f"{results.machine}; load average {loads}. {results.rounds} rounds of {results.seconds:.0f} s a slice, "
        f"{results.products:,} products. Afterwards: {results.books}."
    )


def lines(head: str, rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    columns = head.count("|") - 1
    return "\n".join([head, "|" + "---|" * columns, *(f"| {' | '.join(row)} |" for row in rows)])


def _transfers(results: Results) -> str:
    floor, single = results.floor, results.rate("ORM/1")
    rows = []
    for name in ("pgbench, 8 statements", "pgbench, one statement"):
        one, many = results.rate(f"{name}/1"), results.rate(f"{name}/16")
        rows.append([f"{name} (1 / 16 clients)", f"{one:,.0f}", f"{many:,.0f}", "", f"{many / floor:.1f}"])
    for name in ("psycopg", "SQLAlchemy Core", "ORM"):
        best = max((4, 8), key=lambda threads, name=name: results.rate(f"{name}/{threads}"))
        one, many = results.rate(f"{name}/1"), results.rate(f"{name}/{best}")
        label = f"{name}, unaudited, in process (1 / {best} threads)"
        rows.append([label, f"{one:,.0f}", f"{many:,.0f}", _spread(results, f"{name}/{best}"), f"{many / floor:.2f}"])
    one = results.rate("transfers/1")
    label = "**whole stack, audited, random items**, 1 client"
    rows.append([label, f"**{one:,.0f}**", "", _spread(results, "transfers/1"), f"{one / single:.2f}"])
    whole = "**whole stack, audited, random items**"
    two = "whole stack, audited, the same two items in both directions"
    for label, key in ((whole, "transfers/8"), (whole, "transfers/16"), (two, "two items/16")):
        rate, clients = results.rate(key), key.partition("/")[2]
        rows.append(
            [f"{label}, {clients} clients", "", f"**{rate:,.0f}**", _spread(results, key), f"{rate / floor:.2f}"]
        )
    return lines("| transfers/s | 1 | many | p50 / p95 ms | to the ORM floor |", rows)


def _spread(results: Results, key: str) -> str:
    return f"{results.ms(key, 50):.1f} / {results.ms(key, 95):.1f}"


def _others(results: Results) -> str:
    named = {"bulk": "bulk update of 100 items", "create": "create product and opening stock"}
    named = {
        f"{key}{more}": f"{label}: {until}"
        for key, label in named.items()
        for more, until in (("", "to the toast"), (", listed", "until the list shows it"))
    }
    named |= {
        key: f"list of 50 at {results.products:,} products: {key[6:]}"
        for key in results.samples
        if key.startswith("list,")
    }
    rows = [[label, f"{results.ms(key, 50):.1f}", f"{results.ms(key, 95):.1f}"] for key, label in named.items()]
    shown = {f"first contentful paint of {page}, empty cache": samples for page, samples in results.paints.items()}
    if results.click:
        shown["transfer in Chromium, click to toast"] = results.click
    rows += [[label, f"{one.percentile(50):.0f}", f"{one.percentile(95):.0f}"] for label, one in shown.items()]
    return lines("| one person, ms | p50 | p95 |", rows) + "\n\n" + lines("| else | |", _standing(results))


def _standing(results: Results) -> list[list[str]]:
    memories = (("idle", results.memory_idle), ("50 people have the list open", results.memory_open))
    rows = [
        [f"memory without the database, {label}: RSS / PSS", f"{memory.rss:.0f} / {memory.pss:.0f} MiB"]
        for label, memory in memories
        if memory
    ]
    if results.second_starts:
        rows.append(["second start to first page", f"{statistics.median(results.second_starts):.1f} s"])
    cold = "not measured" if results.cold_run is None else f"{results.cold_run:.0f} s"
    rows.append(["cold `make run` to first page, packages downloaded", cold])
    weights = results.weights.gzipped if results.weights else {}
    rows += [
        [f"JavaScript of the first visit of {page}, gzip", f"{size / 1e3:.0f} KB"] for page, size in weights.items()
    ]
    return rows


def _capture(results: Results) -> str:
    if not results.capture:
        return ""
    medians = {name: statistics.median(values) for name, values in results.capture.items()}
    whole, plain = medians["everything"], list(medians.values())[-1]
    rows = [
        [name, f"{value:.2f}", f"{value - whole:+.2f}" if value != whole else "", f"{value / plain:.2f}"]
        for name, value in medians.items()
    ]
    return lines("| one-row transaction (psycopg, 1 client), p50 ms | | to everything | ratio to nothing |", rows)


@dataclass(frozen=True)
class Goal:
    """What is aimed at: at least (`floor`) or at most (`limit`) so much."""

    name: str
    unit: str = "ms"
    limit: float | None = None
    floor: float | None = None

    def line(self, found: float) -> list[str]:
        """Say what was found, and whether it is enough."""
        aim = f"<= {self.limit:,.4g}" if self.limit is not None else f">= {self.floor:,.0f}"
        reached = found <= self.limit if self.limit is not None else found >= (self.floor or 0)
        shown = f"{found:,.{0 if abs(found) >= 100 else 1}f}"  # three digits are enough
        return [self.name, f"{aim} {self.unit}", f"{shown} {self.unit}", "reached" if reached else "**missed**"]


def _goals(results: Results) -> str:
    rows = [
        Goal("audited transfers, random items, 16 clients: the ORM floor", "/s", floor=results.floor).line(
            results.rate("transfers/16")
        ),
        Goal("its p95", limit=60).line(results.ms("transfers/16", 95)),
        Goal("the same two items in both directions, 16 clients", "/s", floor=200).line(results.rate("two items/16")),
        Goal("errors in all of these", "", limit=0).line(len(results.faults(""))),
        Goal("bulk update of 100 items, to the toast, p50", limit=40).line(results.ms("bulk", 50)),
        Goal("create product and opening stock, to the toast, p50", limit=15).line(results.ms("create", 50)),
        Goal("list, first page, p95", limit=15).line(results.ms("list, first page", 95)),
        Goal("list, deep page, p95", limit=15).line(results.ms("list, deep page", 95)),
        Goal("list, search, p95", limit=25).line(results.ms("list, search", 95)),
        *_standing_goals(results),
    ]
    return lines("| goal | aim | found | |", rows)


def _standing_goals(results: Results) -> list[list[str]]:
    rows = []
    if results.memory_idle:
        rows.append(Goal("memory idle, without database (RSS)", "MiB", limit=250).line(results.memory_idle.rss))
    if results.second_starts:
        rows.append(Goal("second start to first page", "s", limit=4).line(statistics.median(results.second_starts)))
    if results.weights:
        heaviest = max(results.weights.gzipped[page] for page in _LIST_PAGES)
        rows.append(Goal("JavaScript of the first load of a list page", "KB", limit=260).line(heaviest / 1e3))
    if results.paints:
        worst = max(samples.percentile(95) for samples in results.paints.values())
        rows.append(Goal("first contentful paint, p95", limit=500).line(worst))
    if results.click:
        rows.append(Goal("transfer in Chromium, click to toast, p95", limit=100).line(results.click.percentile(95)))
    if results.capture:
        medians = [statistics.median(values) for values in results.capture.values()]
        cost = medians[0] - medians[-1]
        rows.append(Goal("cost of the record in a one-row transaction, p50", limit=0.5).line(cost))
        rows.append(Goal("the same, relative to the bare transaction", "%", limit=30).line(cost / medians[-1] * 100))
    return rows


def write(file: Path, figures: str) -> None:
    """Put the figures of `bench.run` into the document."""
    write_between(file, figures, _BEGIN, _END)


def write_between(file: Path, figures: str, begin: str, end: str) -> None:
    """Put figures between two marks of the document; what people wrote around them stays."""
    text = file.read_text(encoding="utf-8")
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        message = f"{file.name} needs the two marks, once each, between which figures go: {begin} {end}"
        raise ValueError(message)
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    file.write_text(f"{before}{begin}\n\n{figures}\n\n{end}{after}", encoding="utf-8")
