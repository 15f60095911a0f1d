"""The table of a run: medians over its rounds, ratios to the floors of the same run, goals reached or not."""

import os
import platform
import statistics
from collections import defaultdict
from collections.abc import Callable
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
        cpu = next(
            (line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), ""
        )
        machine = (
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores{cpu.replace('model name', '').strip(' :') and ' of '}"
            f"{cpu.partition(':')[2].strip()}, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
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


def books(conserved: bool, unbalanced: int) -> str:  # noqa: FBT001  # a fact, said in words
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


def _lines(head: str, rows: list[list[str]]) -> str:
    columns = head.count("|") - 1
    return "\n".join([head, "|" + "---|" * columns, *(f"| {' | '.join(row)} |" for row in rows)])


def _transfers(results: Results) -> str:
    floor, single = results.floor, results.rate("ORM/1")
    rows = []
    for name in ("pgbench, 8 statements", "pgbench, one statement"):
        one, many = results.rate(f"{name}/1"), results.rate(f"{name}/16")
        rows.append([f"{name} (1 / 16 clients)", f"{one:,.0f}", f"{many:,.0f}", "-", f"{many / floor:.1f}"])
    for name in ("psycopg", "SQLAlchemy Core", "ORM"):
        threads = max((n for n in (4, 8)), key=lambda n, name=name: results.rate(f"{name}/{n}"))
        label = f"{name}, unaudited, in process (1 / {threads} threads)"
        one, many = results.rate(f"{name}/1"), results.rate(f"{name}/{threads}")
        rows.append(
            [label, f"{one:,.0f}", f"{many:,.0f}", f"{results.ms(f'{name}/{threads}', 95):.0f}", f"{many / floor:.1f}"]
        )
    for name, label in (
        ("transfers", "**whole stack, audited, random items**"),
        ("two items", "whole stack, the same two items, both directions"),
    ):
        for clients in (1, 8, 16):
            key = f"{name}/{clients}"
            if key not in results.samples:
                continue
            rate, p50, p95 = results.rate(key), results.ms(key, 50), results.ms(key, 95)
            rates = (f"{rate:,.0f}", "") if clients == 1 else ("", f"{rate:,.0f}")
            ratio = rate / (single if clients == 1 else floor)
            rows.append(
                [
                    f"{label}, {clients} client{'s' * (clients > 1)}",
                    *rates,
                    f"p50 {p50:.1f}, p95 {p95:.1f}",
                    f"{ratio:.2f}",
                ]
            )
    return _lines("| transfers/s | 1 | many | ms | to the ORM floor |", rows)


def _others(results: Results) -> str:
    rows = [
        [label, f"{results.ms(key, 50):.1f}", f"{results.ms(key, 95):.1f}"]
        for label, key in (
            ("bulk update of 100 items", "bulk"),
            ("create product and opening stock", "create"),
            *(
                (f"list of 50 at {results.products:,} products: {key[6:]}", key)
                for key in results.samples
                if key[:5] == "list,"
            ),
        )
    ]
    for page, samples in results.paints.items():
        rows.append(
            [
                f"first contentful paint of {page}, empty cache",
                f"{samples.percentile(50):.0f}",
                f"{samples.percentile(95):.0f}",
            ]
        )
    if results.click:
        rows.append(
            [
                "transfer in Chromium, click to toast",
                f"{results.click.percentile(50):.0f}",
                f"{results.click.percentile(95):.0f}",
            ]
        )
    found = _lines("| one person, ms | p50 | p95 |", rows)
    plain = []
    for label, memory in (("idle", results.memory_idle), ("50 people have the list open", results.memory_open)):
        if memory:
            plain.append([f"memory, {label}: RSS / PSS", f"{memory.rss:.0f} / {memory.pss:.0f} MiB"])
    if results.second_starts:
        plain.append(["second start to first page", f"{statistics.median(results.second_starts):.1f} s"])
    plain.append(
        ["cold `make run`, packages downloaded", f"{results.cold_run:.0f} s" if results.cold_run else "not measured"]
    )
    if results.weights:
        plain += [
            [f"JavaScript of the first visit of {page}, gzip", f"{size / 1e3:.0f} KB"]
            for page, size in results.weights.gzipped.items()
        ]
    return found + "\n\n" + _lines("| else | |", plain)


def _capture(results: Results) -> str:
    if not results.capture:
        return ""
    medians = {name: statistics.median(values) for name, values in results.capture.items()}
    whole, plain = medians["everything"], list(medians.values())[-1]
    rows = [
        [name, f"{value:.2f}", f"{value - whole:+.2f}" if value != whole else "", f"{value / plain:.2f}"]
        for name, value in medians.items()
    ]
    return _lines("| one-row transaction (psycopg, 1 client), p50 ms | | to everything | ratio to nothing |", rows)


def _goals(results: Results) -> str:
    rows: list[tuple[str, str, str, bool]] = []

    def goal(name: str, aim: str, found: float, reached: Callable[[float], bool], unit: str) -> None:
        rows.append((name, aim, f"{found:.{0 if found >= 100 else 1}f} {unit}".strip(), reached(found)))

    floor = results.floor
    goal(
        "audited transfers/s, random items, 16 clients",
        f">= the ORM floor ({floor:.0f}/s)",
        results.rate("transfers/16"),
        lambda x: x >= floor,
        "/s",
    )
    goal("its p95", "<= 60 ms", results.ms("transfers/16", 95), lambda x: x <= 60, "ms")
    goal("the same two items, 16 clients", ">= 200/s", results.rate("two items/16"), lambda x: x >= 200, "/s")
    goal("errors in all of these", "0", len(results.faults("t")), lambda x: x == 0, "")
    goal("bulk update of 100 items, p95", "<= 40 ms", results.ms("bulk", 95), lambda x: x <= 40, "ms")
    goal("create product and opening stock, p95", "<= 15 ms", results.ms("create", 95), lambda x: x <= 15, "ms")
    for name, aim in (("first page", 15), ("deep page", 15), ("search", 25)):
        goal(f"list, {name}, p95", f"<= {aim} ms", results.ms(f"list, {name}", 95), lambda x, aim=aim: x <= aim, "ms")
    if results.memory_idle:
        goal("memory idle (RSS)", "<= 250 MiB", results.memory_idle.rss, lambda x: x <= 250, "MiB")
    if results.second_starts:
        goal("second start", "<= 8 s, aim 4", statistics.median(results.second_starts), lambda x: x <= 4, "s")
    if results.weights:
        heaviest = max(results.weights.gzipped[page] for page in _LIST_PAGES)
        goal("JavaScript of list pages", "<= 260 KB", heaviest / 1e3, lambda x: x <= 260, "KB")
    if results.paints:
        worst = max(samples.percentile(95) for samples in results.paints.values())
        goal("first contentful paint, p95", "<= 500 ms", worst, lambda x: x <= 500, "ms")
    if results.click:
        goal("click to toast, p95", "<= 100 ms", results.click.percentile(95), lambda x: x <= 100, "ms")
    if results.capture:
        medians = [statistics.median(values) for values in results.capture.values()]
        cost = medians[0] - medians[-1]
        goal("cost of the record, one row, p50", "<= 0.5 ms", cost, lambda x: x <= 0.5, "ms")
        goal("the same, relative", "<= 30 %", cost / medians[-1] * 100, lambda x: x <= 30, "%")
    return _lines(
        "| goal | aim | found | |",
        [[name, aim, found, "reached" if ok else "**missed**"] for name, aim, found, ok in rows],
    )


def write(file: Path, figures: str) -> None:
    """Put the figures between the marks of the document; what people wrote around them stays."""
    text = file.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    file.write_text(f"{before}{_BEGIN}\n\n{figures}\n\n{_END}{after}", encoding="utf-8")
