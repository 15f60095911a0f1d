"""People who move stock over the websocket while something is killed, and what must be true afterwards."""

import asyncio
import itertools
import secrets
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal

from reflex.model import get_engine
from socketio.exceptions import SocketIOError

from inventory_app.operations.books import books_balance
from inventory_app.states.inventory import InventoryState
from inventory_app.unit_of_work import open_session
from tests import factories
from tests.fixtures.server import Person, Site
from tests.fixtures.tab import Answer, Tab

OPENING = 10_000
_PATIENCE_SECONDS = 60


@dataclass
class Load:
    """Transfers between two items, each under a key of its own; `acknowledged` are those a toast said are done."""

    site: Site
    person: Person
    items: tuple[int, int]
    acknowledged: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    sent: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, site: Site) -> "Load":
        """Make the person and two items of one product."""
        product = factories.product(f"P{secrets.token_hex(4)}".upper())
        first, second = (factories.item(product.id, quantity=OPENING).id or 0 for _ in range(2))
        return cls(site, site.person("ann", "manager"), (first, second))

    async def until_cut(self, clients: int, kill: Callable[[], None], *, after: int) -> None:
        """Let `clients` work, kill once `after` more transfers are done, and wait until all have ended."""
        enough = len(self.acknowledged) + after
        visitor = self.site.signed_in(self.person)
        tabs = [Tab(visitor, "/inventory") for _ in range(clients)]
        for tab in tabs:
            await tab.connect()
        reached, stop = asyncio.Event(), asyncio.Event()
        running = [asyncio.ensure_future(self._work(n, tab, enough, reached, stop)) for n, tab in enumerate(tabs)]
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await reached.wait()
            await asyncio.to_thread(kill)
            stop.set()
            await asyncio.gather(*running)
        for tab in tabs:
            with suppress(SocketIOError):
                await tab.close()

    async def _work(self, number: int, tab: Tab, enough: int, reached: asyncio.Event, stop: asyncio.Event) -> None:
        for turn in itertools.count(number):
            if stop.is_set():
                return
            here, there = self.items if turn % 2 else self.items[::-1]
            key, seen = secrets.token_hex(16), len(tab.messages)
            self.sent.add(key)
            move = {"from_item_id": here, "to_item_id": there, "quantity": "1", "idempotency_key": key}
            try:
                await tab.send(InventoryState.transfer_inventory, **move)
                async with asyncio.timeout(20):
                    while not Answer(tab.messages[seen:]).said:
                        if not tab.is_open:
                            return
                        tab._arrived.clear()
                        with suppress(TimeoutError):
                            async with asyncio.timeout(0.05):
                                await tab._arrived.wait()
            except SocketIOError:
                return
            (said, *_) = Answer(tab.messages[seen:]).said
            if said.startswith("Moved 1 "):
                self.acknowledged.add(key)
            else:
                self.refused[said] += 1
            if len(self.acknowledged) >= enough:
                reached.set()

    def check(self) -> int:
        """Everything acknowledged is in the database exactly once, nothing is half done; returns how many there are."""
        with self.site.database.as_superuser() as connection:
            done = connection.execute(
                "SELECT i.key, o.id, o.outcome, (SELECT count(*) FROM audit_change c WHERE c.operation_id = o.id"
                " AND c.table_name = 'inventory_item'), (SELECT count(*) FROM stock_movement m"
                " WHERE m.operation_id = o.id), (SELECT coalesce(sum(m.quantity), 0) FROM stock_movement m"
                " WHERE m.operation_id = o.id)"
                " FROM idempotency i JOIN audit_operation o ON o.id = i.operation_id WHERE i.key = ANY(%s)",
                [list(self.sent)],
            ).fetchall()
            booked = connection.execute(
                "SELECT count(DISTINCT operation_id) FROM stock_movement WHERE item_id = ANY(%s) AND kind = 'transfer'",
                [list(self.items)],
            ).fetchone()
            quantities = connection.execute(
                "SELECT sum(quantity) FROM inventory_item WHERE id = ANY(%s)", [list(self.items)]
            ).fetchone()
            orphans = connection.execute(
                "SELECT count(*) FROM stock_movement m WHERE NOT EXISTS (SELECT 1 FROM audit_operation o"
                " WHERE o.id = m.operation_id AND o.outcome = 'succeeded')"
            ).fetchone()
        keys = Counter(row[0] for row in done)
        lost = self.acknowledged - keys.keys()
        assert not lost, f"{len(lost)} of {len(self.acknowledged)} acknowledged transfers are lost"
        assert set(keys.values()) == {1}
        # Each is whole: two sides, which cancel out, and both items' changes on record under it.
        assert {row[2:] for row in done} == {("succeeded", 2, 2, Decimal(0))}
        assert booked == (len(done),)
        assert quantities == (2 * OPENING,)
        assert orphans == (0,)
        # This process's own connections may be among the dead.
        get_engine().dispose()
        with open_session() as session:
            assert books_balance(session) == []
        return len(done)
