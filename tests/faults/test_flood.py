"""Somebody who sends far too much: nobody else waits for it, nothing is changed by it, and the server goes on."""

import asyncio
import secrets
import sys
import time
from collections.abc import Sequence
from statistics import quantiles
from typing import Any

import pytest

from inventory_app.operations.books import books_balance
from inventory_app.states.inventory import InventoryState
from inventory_app.states.users import UserMgmtState
from inventory_app.unit_of_work import open_session
from tests import factories
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Site
from tests.fixtures.tab import HYDRATE, Answer, Tab

OPENING = 10_000
#: A bystander waits at most so long for the slowest of twenty transfers, whatever somebody else sends;
#: where the machine is busy with other things, at most so many times as long as without the flood.
P95_SECONDS, TIMES = 1.0, 4


def p95(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=20)[-1]


async def transfer(tab: Tab, first: int, second: int) -> float:
    """Move one piece and return how long the answer took."""
    seen, begun = len(tab.messages), time.perf_counter()
    await tab.send(InventoryState.transfer_inventory, from_item_id=first, to_item_id=second, quantity="1")
    await tab.until(lambda: bool(Answer(tab.messages[seen:]).said))
    assert Answer(tab.messages[seen:]).said[0].startswith("Moved 1 ")
    return time.perf_counter() - begun


async def transfers(tab: Tab, first: int, second: int, times: int) -> list[float]:
    return [await transfer(tab, *((first, second) if n % 2 else (second, first))) for n in range(times)]


def flood_of(tab: Tab, victim: int, number: int) -> list[dict[str, Any]]:
    """Return what somebody without a role sends: reads, forbidden changes, framework events, names nobody knows."""
    kinds = (
        tab.event(InventoryState.load, {}),
        tab.event(UserMgmtState.deactivate_user, {"user_id": victim}),
        tab.event(InventoryState.adjust_inventory, {"form": {"item_id": 1, "quantity": "1", "reason_code": "found"}}),
        tab.event(HYDRATE, {"vars": {}, "hashes": None}),
        {"name": secrets.token_hex(20), "payload": {"a": "x" * 2_000}, "router_data": {}},
    )
    return [kinds[n % len(kinds)] for n in range(number)]


async def under_flood(site: Site, trail: Trail, *, events: int, attackers: int, moves: int) -> tuple[float, float]:
    """Return the 95th percentile of a bystander's transfers before a flood and during it."""
    product = factories.product(f"P{secrets.token_hex(4)}".upper())
    first, second = (factories.item(product.id, quantity=OPENING).id or 0 for _ in range(2))
    ann, mallory = site.person("ann", "manager"), site.person("mallory")
    tabs = [Tab(site.signed_in(mallory), "/inventory") for _ in range(attackers)]
    async with Tab(site.signed_in(ann), "/inventory") as hers:
        await transfers(hers, first, second, 4)
        before = p95(await transfers(hers, first, second, moves))
        for tab in tabs:
            await tab.connect()
        floods = [asyncio.ensure_future(send_all(tab, flood_of(tab, ann.id, events // attackers))) for tab in tabs]
        during = p95(await transfers(hers, first, second, moves))
        await asyncio.gather(*floods)
        await transfer(hers, first, second)
    for tab in tabs:
        await tab.close()
    assert {entry.outcome for entry in trail.operations(actor_name=mallory.username)} == {"denied"}
    assert len(trail.operations(actor_name=mallory.username)) < 40 * attackers, "the record is not filled"
    assert not site.log_lines(event="unexpected_error")
    with open_session() as session:
        assert books_balance(session) == []
    return before, during


async def send_all(tab: Tab, messages: list[dict[str, Any]]) -> None:
    for message in messages:
        await tab.emit(message)


async def nobody_waits(site: Site, trail: Trail, **how: int) -> None:
    before, during = await under_flood(site, trail, **how)
    # `pytest -s` shows it.
    sys.stdout.write(f"p95 of a bystander: {before * 1000:.0f} ms before, {during * 1000:.0f} ms during the flood\n")
    assert during < max(P95_SECONDS, TIMES * before)


async def test_nobody_waits_for_somebody_who_sends_hundreds_of_events_at_once(site: Site, site_trail: Trail):
    await nobody_waits(site, site_trail, events=600, attackers=1, moves=20)


@pytest.mark.long
async def test_nobody_waits_for_thousands_of_events_from_three_tabs(site: Site, site_trail: Trail):
    await nobody_waits(site, site_trail, events=3_000, attackers=3, moves=60)


async def test_ten_megabytes_end_their_own_connection_and_nobody_elses(site: Site):
    ann = site.signed_in(site.person("ann", "manager"))
    senders = [Tab(site.visitor()), Tab(site.signed_in(site.person("bob", "employee")), "/inventory")]
    async with Tab(ann, "/inventory") as hers:
        for sender in senders:
            await sender.connect()
            await sender.emit(sender.event(InventoryState.load, {"text": "x" * 10_000_000}))
            await sender._socket.eio.wait()
            assert not sender.is_open
        assert not (await hers.call(InventoryState.load)).is_refused
    assert not site.log_lines(event="unexpected_error")
