"""The rows that go over the websocket: what people do, as fast as the answers come."""

import asyncio
import itertools
import random
import secrets
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from bench.stock_data import Data
from bench.tab import INVENTORY, Tab, delta, var

#: A tab that was just emptied sends no rows, and says that it is loading.
_LISTED = '"loading_rx_state_":false'
_ROWS = '"rows_rx_state_":['
_TOAST = "'__toast'"
_SUCCESS = '[\\"success\\"]'


@dataclass
class Samples:
    """Seconds that single actions took, how long all of it took, and what went wrong."""

    seconds: list[float] = field(default_factory=list)
    elapsed: float = 0.0
    faults: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Actions a second."""
        return len(self.seconds) / self.elapsed if self.elapsed else 0.0

    def percentile(self, percent: float) -> float:
        """Milliseconds that so many percent of the actions stayed within."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1e3 if ordered else float("nan")

    def add(self, other: "Samples") -> None:
        """Take over the samples of another round."""
        self.seconds += other.seconds
        self.elapsed += other.elapsed
        self.faults += other.faults


def median(rounds: list[Samples], of: Callable[[Samples], float]) -> float:
    """Return the median over the rounds of a figure."""
    return statistics.median(of(one) for one in rounds)


async def timed(action: Callable[[], Awaitable[str]], into: Samples) -> str:
    """Run the action and note how long it took; an answer other than a success is a fault."""
    began = time.perf_counter()
    answer = await action()
    into.seconds.append(time.perf_counter() - began)
    if _SUCCESS not in answer:
        into.faults.append(answer[:300])
    return answer


def pages(data: Data, clients: int) -> list[list[tuple[int, int]]]:
    """Return the pairs each client transfers between: those of a list page of its own."""
    size = 25
    return [data.pairs[number * size : number * size + size] for number in range(clients)]


async def transfers(base: str, data: Data, clients: int, seconds: float) -> Samples:
    """Everybody moves pieces between random items of the page they look at, the list being kept up to date."""
    samples = Samples()

    async def work(tab: Tab, pairs: list[tuple[int, int]], until: float) -> None:
        while time.perf_counter() < until:
            one, other = random.choice(pairs)  # noqa: S311  # no secret
            if random.random() < 0.5:  # noqa: S311  # one way or the other
                one, other = other, one
            await timed(lambda one=one, other=other: transfer(tab, one, data.places[other]), samples)

    async with AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(Tab(base, token)) for token in data.tokens[:clients]]
        shares = pages(data, clients)
        await asyncio.gather(*(_look_at(tab, share) for tab, share in zip(tabs, shares, strict=True)))
        began = time.perf_counter()
        await asyncio.gather(*(work(tab, share, began + seconds) for tab, share in zip(tabs, shares, strict=True)))
        samples.elapsed = time.perf_counter() - began
    return samples


async def _look_at(tab: Tab, pairs: list[tuple[int, int]]) -> None:
    """Open the list where these items are on the page: the search finds the middle one's neighbours."""
    wanted = pairs[0][0]
    found = await tab.visit("/inventory", _LISTED)
    for _ in range(200):
        await tab.until(_settled)
        if any(row["id"] == wanted for row in var(found, "rows")):
            return
        found = await tab.visit(var(found, "next_href"), _LISTED)
    message = f"item {wanted} is on none of the first pages"
    raise LookupError(message)


def _settled(text: str) -> bool:
    """Whether a message ends a page's loading: what comes next is not about it."""
    return "is_hydrated" in text


async def transfer(tab: Tab, item_id: int, location_id: int) -> str:
    """Send the form of the page's dialog."""
    form = {
        "from_item_id": item_id,
        "to_location_id": location_id,
        "quantity": "1",
        "reason_code": "relocated",
        "idempotency_key": secrets.token_hex(16),
    }
    return await tab.ask(f"{INVENTORY}.submit_transfer", _TOAST, form=form)


async def two_items(base: str, data: Data, clients: int, seconds: float) -> Samples:
    """Everybody moves pieces between the same two items, half of them one way and half the other."""
    samples = Samples()
    one, other = data.pairs[0]

    async def work(tab: Tab, here: int, there: int, until: float) -> None:
        while time.perf_counter() < until:
            await timed(lambda: transfer(tab, here, data.places[there]), samples)

    async with AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(Tab(base, token)) for token in data.tokens[:clients]]
        await asyncio.gather(*(_look_at(tab, data.pairs[:1]) for tab in tabs))
        began = time.perf_counter()
        ways = itertools.cycle(((one, other), (other, one)))
        await asyncio.gather(*(work(tab, *way, began + seconds) for tab, way in zip(tabs, ways, strict=False)))
        samples.elapsed = time.perf_counter() - began
    return samples


@dataclass
class Saved:
    """What somebody waits for who saves a form: the toast, and the list that shows it, which is loaded after that."""

    toast: Samples = field(default_factory=Samples)
    listed: Samples = field(default_factory=Samples)

    async def once(self, action: Callable[[], Awaitable[str]], tab: Tab) -> None:
        """Run the action to its toast, and wait for the list: nobody fills in the next form before that."""
        began = time.perf_counter()
        await timed(action, self.toast)
        await tab.until(lambda text: _ROWS in text)
        self.listed.seconds.append(time.perf_counter() - began)


async def bulk_updates(base: str, data: Data, rounds: int, size: int = 100) -> Saved:
    """One person counts `size` items anew at once."""
    saved = Saved()
    ids = [pair[1] for pair in data.pairs[-size:]]
    quantities = itertools.cycle(("1000001", "1000002"))
    async with Tab(base, data.tokens[0]) as tab:
        for _, quantity in zip(range(rounds), quantities, strict=False):
            updates = [{"item_id": id_, "quantity": quantity} for id_ in ids]
            await saved.once(lambda updates=updates: bulk_update(tab, updates), tab)
    return saved


async def bulk_update(tab: Tab, updates: Sequence[Mapping[str, object]]) -> str:
    """Send counts as one bulk update."""
    return await tab.ask(
        f"{INVENTORY}.bulk_update_inventory",
        _TOAST,
        updates=updates,
        reason_code="counted",
        idempotency_key=secrets.token_hex(16),
    )


async def creations(base: str, data: Data, rounds: int) -> Saved:
    """One person adds products with an opening stock."""
    saved = Saved()
    async with Tab(base, data.tokens[0]) as tab:
        for _ in range(rounds):
            form = {
                "sku": f"NEW-{secrets.token_hex(6)}",
                "name": "A new product",
                "location_id": 1,
                "quantity": "10",
                "unit_cost": "2.5",
                "unit_price": "4",
                "idempotency_key": secrets.token_hex(16),
            }
            await saved.once(lambda form=form: tab.ask(f"{INVENTORY}.create_inventory_item", _TOAST, form=form), tab)
    return saved


async def lists(base: str, data: Data, rounds: int) -> dict[str, Samples]:
    """One person reads: first page, deep page, search, filter with another order; as links do it."""
    samples = {name: Samples() for name in ("first page", "deep page", "search", "filter and sort")}
    words = itertools.cycle(("bolt steel", "valve", "hose nylon indoor", "04711", "gasket marine"))
    filters = itertools.cycle(("view=reorder&sort=product", "view=out&sort=changed&dir=desc", "location=2&sort=value"))
    async with Tab(base, data.tokens[0]) as tab:
        deep = await _deep(tab)
        for _ in range(rounds):
            addresses = {
                "first page": "/inventory",
                "deep page": deep,
                "search": f"/inventory?q={next(words).replace(' ', '+')}",
                "filter and sort": f"/inventory?{next(filters)}",
            }
            for name, address in addresses.items():
                began = time.perf_counter()
                await tab.visit(address, _LISTED)
                samples[name].seconds.append(time.perf_counter() - began)
                await tab.until(_settled)
    return samples


async def _deep(tab: Tab) -> str:
    """Return the address of a page in the middle, by way of a search's neighbourhood."""
    found = await tab.visit("/inventory", _LISTED)
    for _ in range(100):
        await tab.until(_settled)
        found = await tab.visit(var(found, "next_href"), _LISTED)
    await tab.until(_settled)
    return var(found, "next_href")


__all__ = [
    "Samples",
    "Saved",
    "bulk_update",
    "bulk_updates",
    "creations",
    "delta",
    "lists",
    "median",
    "timed",
    "transfer",
    "transfers",
    "two_items",
]
