"""The stock list in a tab: after a transfer only the changed rows are sent, and they are what a load would show."""

import secrets
from decimal import Decimal
from typing import Any

import pytest

from inventory_app.operations import stock
from inventory_app.states.inventory import InventoryState
from inventory_app.unit_of_work import transact
from tests import factories
from tests.fixtures.server import Site
from tests.fixtures.tab import Answer, Tab

ROWS, NEWER, OUT = (f"inventory_state.{name}" for name in ("rows", "newer", "out"))


@pytest.fixture
def kept(site: Site) -> tuple[str, int, int]:
    """Put a product of its own at two places; returns what the search finds it by, and the items."""
    sku = f"LIST-{secrets.token_hex(5)}".upper()
    made = factories.product(sku)
    first, second = (factories.item(made.id, quantity=10).id or 0 for _ in range(2))
    return sku, first, second


async def calm(tab: Tab, site: Site, sku: str) -> None:
    """Wait until the tab has been told what was made before: it is told in order, a moment later."""
    item, marked = factories.item(factories.product(f"{sku}-Z").id, quantity=10).id or 0, "inventory_state.changed"
    zoe = site.person("zoe", "manager")
    await tab.call(InventoryState.load)
    with zoe.actor.audit_context():
        transact(stock.adjust_inventory, item_id=item, quantity=Decimal(1), reason_code="found")
    await tab.until(lambda: Answer(tab.messages).vars().get(marked, {}).get(str(item)) == zoe.name)


async def transfer(tab: Tab, one: int, other: int, quantity: int = 1, **more: Any) -> Answer:
    return await tab.call(
        InventoryState.transfer_inventory, from_item_id=one, to_item_id=other, quantity=str(quantity), **more
    )


def shown(answers: list[Answer]) -> dict[int, Any]:
    """Put together what the browser shows: the rows, and instead of them what is newer."""
    rows: dict[int, Any] = {}
    newer: dict[int, Any] = {}
    for answer in answers:
        changed = answer.vars()
        rows = {row["id"]: row for row in changed[ROWS]} if ROWS in changed else rows
        newer = {int(id_): row for id_, row in changed[NEWER].items()} if NEWER in changed else newer
    return rows | {id_: row for id_, row in newer.items() if id_ in rows}


async def test_only_the_rows_that_changed_are_sent_and_they_are_what_a_load_shows(site: Site, kept):
    sku, one, other = kept
    async with Tab(site.signed_in(site.person("ann", "manager")), f"/inventory?q={sku}") as tab:
        await calm(tab, site, sku)
        loaded = await tab.call(InventoryState.load)
        moved = await transfer(tab, one, other, 3)
        assert ROWS not in moved.vars()
        assert moved.vars()[NEWER].keys() == {str(one), str(other)}
        told = shown([loaded, moved])
        assert [told[id_]["on_hand"] for id_ in (one, other)] == ["7", "13"]
        again = await tab.call(InventoryState.load)
        assert again.vars()[NEWER] == {}
        assert told == shown([again])


async def test_a_double_click_does_not_bring_back_what_was_then(site: Site, kept):
    sku, one, other = kept
    async with Tab(site.signed_in(site.person("ann", "manager")), f"/inventory?q={sku}") as tab:
        loaded = await tab.call(InventoryState.load)
        first = await transfer(tab, one, other, 3, idempotency_key="k1")
        second = await transfer(tab, one, other, 2, idempotency_key="k2")
        again = await transfer(tab, one, other, 3, idempotency_key="k1")
        assert [shown([loaded, first, second, again])[id_]["on_hand"] for id_ in (one, other)] == ["5", "15"]


@pytest.mark.parametrize(("quantity", "view"), [(10, ""), (3, "&sort=on_hand"), (3, "&view=out")])
async def test_the_page_is_loaded_when_more_than_two_rows_may_have_changed(site: Site, kept, quantity, view):
    sku, one, other = kept
    async with Tab(site.signed_in(site.person("ann", "manager")), f"/inventory?q={sku}{view}") as tab:
        before = await tab.call(InventoryState.load)
        moved = await transfer(tab, one, other, quantity)
        assert ROWS in moved.vars()
        if not view:
            assert moved.vars()[OUT] == before.vars()[OUT] + 1
        assert shown([before, moved]) == shown([await tab.call(InventoryState.load)])


async def test_many_changed_rows_are_put_back_into_the_list(site: Site):
    sku = f"MANY-{secrets.token_hex(5)}".upper()
    pairs = []
    for number in range(8):
        made = factories.product(f"{sku}-{number}")
        pairs.append([factories.item(made.id, quantity=10).id or 0 for _ in range(2)])
    async with Tab(site.signed_in(site.person("ann", "manager")), f"/inventory?q={sku}") as tab:
        answers = [await tab.call(InventoryState.load)]
        answers += [await transfer(tab, *pair) for pair in pairs]
        assert any(ROWS in answer.vars() for answer in answers[1:])
        assert shown(answers) == shown([await tab.call(InventoryState.load)])


async def test_a_person_without_prices_is_sent_none(site: Site, kept):
    sku, one, other = kept
    async with Tab(site.signed_in(site.person("eve", "employee")), f"/inventory?q={sku}") as tab:
        answers = [await tab.call(InventoryState.load), await transfer(tab, one, other)]
        assert {(row["unit_cost"], row["value"]) for row in shown(answers).values()} == {("", "")}
