"""What people do in a company of any size, and asking what there was: transfers, counting many items, days that are past."""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bench.load import Samples, bulk_update, timed, transfer
from bench.tab import Tab
from inventory_app.context import Actor, acting_as
from inventory_app.operations import as_of
from inventory_app.operations.as_of import Way
from inventory_app.operations.sessions import hash_token
from inventory_app.unit_of_work import open_session, read

#: Two items of one product, both with something in them: what is moved between them comes back.
_PAIRS = """
SELECT first.id, other.id, first.location_id, other.location_id
  FROM inventory_item first JOIN inventory_item other ON other.product_id = first.product_id AND other.id > first.id
  JOIN product ON product.id = first.product_id
 WHERE first.id = ANY (:some) AND product.active AND product.unit_code = 'pcs'
   AND first.lot_id IS NULL AND other.lot_id IS NULL
   AND first.quantity BETWEEN 30 AND 100000 AND other.quantity BETWEEN 30 AND 100000
   AND NOT EXISTS (SELECT 1 FROM reservation WHERE item_id IN (first.id, other.id))
"""
_COUNTED = """
SELECT item.id, item.quantity FROM inventory_item item JOIN product ON product.id = item.product_id
 WHERE item.id = ANY (:some) AND product.unit_code = 'pcs' AND item.quantity > 1
   AND NOT EXISTS (SELECT 1 FROM reservation WHERE item_id = item.id) LIMIT :most
"""
Pair = tuple[int, int, int, int]


def _rows(statement: str, **values: Any) -> list[Any]:
    with open_session() as session:
        engine = session.connection().engine
        rows = list(session.execute(sa.text(statement), values))
    engine.dispose()
    return rows


def _some(items: int, number: int) -> list[int]:
    return random.Random(items + number).sample(range(1, items + 1), number)  # noqa: S311  # no secret


def pairs(items: int) -> list[Pair]:
    """Return pairs of items all over the company."""
    return [tuple(row) for row in _rows(_PAIRS, some=_some(items, 2_000))]


async def transfers(base: str, tokens: list[str], known: list[Pair], seconds: float) -> Samples:
    """Everybody moves single pieces between random items, the first page of the list being open."""
    samples = Samples()

    async def work(tab: Tab, own: list[Pair], until: float) -> None:
        while time.perf_counter() < until:
            one, other, here, there = random.choice(own)  # noqa: S311  # no secret
            if random.random() < 0.5:  # noqa: S311  # one way or the other
                one, there = other, here
            await timed(lambda one=one, there=there: transfer(tab, one, there), samples)

    async with AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(Tab(base, token)) for token in tokens]
        for tab in tabs:
            await tab.visit("/inventory", '"loading_rx_state_":false')
            await tab.until(lambda text: "is_hydrated" in text)
        warm = time.perf_counter() + min(1.0, seconds / 4)
        await asyncio.gather(*(work(tab, known[n :: len(tabs)], warm) for n, tab in enumerate(tabs)))
        samples = Samples()
        began = time.perf_counter()
        await asyncio.gather(*(work(tab, known[n :: len(tabs)], began + seconds) for n, tab in enumerate(tabs)))
        samples.elapsed = time.perf_counter() - began
    return samples


async def counts(base: str, token: str, items: int, size: int, rounds: int) -> Samples:
    """One person counts `size` items all over the company anew: one more of each, then one less."""
    samples = Samples()
    held = _rows(_COUNTED, some=_some(items, min(items, size * 4)), most=size)
    async with Tab(base, token) as tab:
        await tab.visit("/inventory", '"loading_rx_state_":false')
        for turn in range(rounds):
            updates = [{"item_id": id_, "quantity": f"{held + 1 - turn % 2:f}"} for id_, held in held]
            await timed(lambda updates=updates: bulk_update(tab, updates), samples)
            await tab.until(lambda text: '"rows_rx_state_":[' in text)
    return samples


def moments(token: str, items: int, today: datetime, seconds: float) -> dict[str, Samples]:
    """Ask what there was at moments of the last two years, one after another, as the pages do inside."""
    choose = random.Random(items)  # noqa: S311  # no secret
    actor = Actor(kind="user", name="bench1", token_hash=hash_token(token), client_ip="127.0.0.1")

    def moment() -> datetime:
        return today.astimezone(UTC) - timedelta(minutes=choose.randrange(730 * 24 * 60))

    def item() -> Any:
        return read(as_of.item_as_of, item_id=choose.randint(1, items), at=moment(), way=Way.EFFECTIVE)

    def busy() -> Any:
        return read(as_of.item_as_of, item_id=items + 1, at=moment(), way=Way.EFFECTIVE)

    def place() -> Any:
        return read(as_of.location_as_of, location_id=choose.randint(2, 200), at=moment(), way=Way.EFFECTIVE)

    def everything() -> Any:
        return read(as_of.everything_as_of, at=moment(), way=Way.EFFECTIVE)

    def known() -> Any:
        return read(as_of.everything_as_of, at=today, way=Way.KNOWN)

    asked: dict[str, Callable[[], Any]] = {
        "as of any moment: an item": item,
        "as of any moment: the item with 10,000 movements": busy,
        "as of any moment: a place": place,
        "as of any moment: everything": everything,
        "as known now: everything": known,
    }
    with acting_as(actor):
        return {name: _repeated(ask, seconds) for name, ask in asked.items()}


def _repeated(ask: Callable[[], Any], seconds: float) -> Samples:
    samples = Samples()
    for _ in range(3):
        ask()
    began = time.perf_counter()
    while (now := time.perf_counter()) < began + seconds:
        ask()
        samples.seconds.append(time.perf_counter() - now)
    samples.elapsed = time.perf_counter() - began
    return samples
