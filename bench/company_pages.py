"""What people look at in a company: the addresses of its lists and pages, by kind, and going from one to the next."""

import asyncio
import itertools
import random
import time
from typing import Any

import sqlalchemy as sa

from bench.load import Samples
from bench.tab import ROOT, Tab
from inventory_app.operations._paging import cursor_of
from inventory_app.unit_of_work import open_session

_LISTED = '"loading_rx_state_":false'
_FIND = f"{ROOT}.inventory_app___states___palette____palette_state.find"
_WORDS = ("bolt", "stainless m8 rossi", "cable", "0000471", "marquez valve", "m12", "he-000", "glove nylon xl")
#: Mistyped: no product has these in its name.
_MISTYPED = ("stainles bolt", "valev", "hydralic")


def asked(statement: str) -> Any:
    """Return the first row of what the database answers."""
    with open_session() as session:
        engine = session.connection().engine
        value = session.execute(sa.text(statement)).one()
    engine.dispose()
    return value


def addresses() -> dict[str, list[str]]:
    """Return what people ask for: every kind of page, with several addresses each."""
    sku, item, product = asked(
        "SELECT p.sku, i.id, p.id FROM product p JOIN inventory_item i ON i.product_id = p.id"
        " ORDER BY p.sku, i.id OFFSET (SELECT count(*) / 2 FROM inventory_item) LIMIT 1"
    )
    (category,) = asked("SELECT category_id FROM product GROUP BY 1 ORDER BY count(*) DESC OFFSET 3 LIMIT 1")
    (place,) = asked("SELECT location_id FROM inventory_item GROUP BY 1 ORDER BY count(*) DESC OFFSET 20 LIMIT 1")
    recorded, movement = asked(
        "SELECT recorded_at, id FROM stock_movement WHERE id >= (SELECT max(id) / 2 FROM stock_movement)"
        " ORDER BY id LIMIT 1"
    )
    return {
        "stock list, first page": ["/inventory"],
        "stock list, deep page": [f"/inventory?at={cursor_of((sku, item), 'sku', backwards=False)}"],
        "stock list, search": _searches("/inventory"),
        "stock list, mistyped": _searches("/inventory", _MISTYPED),
        "stock list, any order": _orders(
            "/inventory", ("product", "location", "on_hand", "value", "changed", "supplier", "unit_cost", "category")
        ),
        "stock list, filter and sort": [
            "/inventory?view=reorder&sort=product",
            "/inventory?view=out&sort=changed&dir=desc",
            f"/inventory?location={place}&sort=value&dir=desc",
            f"/inventory?category={category}&sort=on_hand",
            f"/inventory?category={category}&location={place}",
            f"/inventory?q=steel&location={place}&sort=location",
            "/inventory?on_hand=..5&sort=supplier",
            "/inventory?active=no&sort=value&dir=desc",
        ],
        "products, first and deep page": [
            "/products",
            f"/products?at={cursor_of((sku, product), 'sku', backwards=False)}",
        ],
        "products, search": _searches("/products"),
        "products, any order": _orders(
            "/products", ("name", "category", "unit", "on_hand", "reorder_point", "unit_cost", "unit_price", "supplier")
        ),
        "products, filter and sort": [
            "/products?view=reorder&sort=supplier",
            "/products?view=archived&sort=unit_cost&dir=desc",
            f"/products?category={category}&sort=on_hand",
            "/products?lots=yes&sort=name",
            "/products?barcode=no&sort=reorder_point&dir=desc",
            "/products?supplier=rossi&sort=category",
        ],
        "movements, first and deep page": [
            "/movements",
            f"/movements?sort=recorded&at={cursor_of((recorded, movement), 'recorded', backwards=False)}",
        ],
        "movements, search": _searches("/movements"),
        "movements, any order": _orders("/movements", ("product", "location", "change", "value", "occurred")),
        "movements, filter and sort": [
            f"/movements?item={item}",
            "/movements?kind=revaluation&sort=occurred",
            f"/movements?location={place}&kind=issue",
            "/movements?reason=damaged&sort=change",
            "/movements?value=5000..&sort=product",
            "/movements?late=yes&kind=reversal&sort=value&dir=desc",
        ],
        "lots": [*_orders("/lots", ("code", "product", "expires_on")), "/lots?view=soon", "/lots?q=bolt"],
        "to reorder": [
            *_orders("/reorder", ("left", "product", "point", "supplier", "category")),
            "/reorder?q=bolt",
            f"/reorder?category={category}",
        ],
        "home": ["/"],
        "an item": [f"/inventory/{one}" for one in _items(item)],
        "an item with 10,000 movements": [f"/inventory/{busy}" for busy in asked("SELECT max(id) FROM inventory_item")],
        "all stock as of a day": ["/as-of", "/as-of?at=2025-06-30T12:00&as=effective", "/as-of?at=2026-02-01T12:00"],
    }


def _searches(path: str, words: tuple[str, ...] = _WORDS) -> list[str]:
    return [f"{path}?q={word.replace(' ', '+')}" for word in words]


def _orders(path: str, keys: tuple[str, ...]) -> list[str]:
    return [f"{path}?sort={key}{way}" for key in keys for way in ("", "&dir=desc")]


def _items(last: int) -> list[int]:
    return random.Random(last).sample(range(1, last + 1), 20)  # noqa: S311  # no secret


async def visits(base: str, tokens: list[str], some: list[str], seconds: float) -> Samples:
    """Everybody goes from address to address, as links do, after a first round that is not counted."""

    async def visit(tab: Tab, address: str) -> float:
        began = time.perf_counter()
        await tab.visit(address, _LISTED)
        took = time.perf_counter() - began
        await tab.until(lambda text: "is_hydrated" in text)
        return took

    return await _everybody(base, tokens, some, seconds, visit)


async def finds(base: str, tokens: list[str], seconds: float) -> Samples:
    """Everybody types into the palette, a whole word at a time."""

    async def find(tab: Tab, words: str) -> float:
        began = time.perf_counter()
        await tab.ask(_FIND, '"hits_rx_state_"', text=words)
        return time.perf_counter() - began

    return await _everybody(base, tokens, list(_WORDS), seconds, find)


async def _everybody(base: str, tokens: list[str], turns: list[str], seconds: float, once: Any) -> Samples:
    samples = Samples()

    async def work(number: int, token: str) -> None:
        async with Tab(base, token) as tab:
            turn = itertools.islice(itertools.cycle(turns), number, None)
            for _ in turns:
                await once(tab, next(turn))
            until = time.perf_counter() + seconds
            while time.perf_counter() < until:
                samples.seconds.append(await once(tab, next(turn)))

    began = time.perf_counter()
    await asyncio.gather(*(work(number, token) for number, token in enumerate(tokens)))
    samples.elapsed = time.perf_counter() - began
    return samples
