"""The application is killed under load: what was answered is kept, what was not is whole or not there."""

import asyncio
import secrets

import psutil
import pytest
from socketio.exceptions import SocketIOError

from inventory_app.operations.stock import books_balance
from inventory_app.paths import SUPERUSER_ROLE
from inventory_app.states.inventory import InventoryState
from inventory_app.unit_of_work import open_session
from tests import factories
from tests.fixtures.database import reached_by_the_application
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Site
from tests.fixtures.tab import Tab

pytestmark = pytest.mark.long

CLIENTS = 8
OPENING = 10_000
#: The server dies when so many transfers are on record, and others are on their way.
TRANSFERS = 200
MOVE = "stock.transfer_inventory"


def kill_at(site: Site, trail: Trail, number: int) -> None:
    """Kill -9 the server and its worker as soon as so many transfers are on record."""
    site.wait_until(lambda: len(trail.operations(name=MOVE, outcome="succeeded")) >= number, f"{number} transfers")
    processes = [*psutil.Process(site.process.pid).children(), psutil.Process(site.process.pid)]
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=30)
    site.process.wait()


async def test_what_was_answered_is_on_record_and_nothing_is_half_done(another_site):
    site: Site = another_site()
    with reached_by_the_application(site.database.server, site.database.name):
        ann = site.person("ann", "manager")
        product = factories.product(f"P{secrets.token_hex(4)}".upper())
        first, second = (factories.item(product.id, quantity=OPENING).id or 0 for _ in range(2))
        visitor = site.signed_in(ann)

        async def work(number: int) -> int:
            here, there = (first, second) if number % 2 else (second, first)
            answered = 0
            try:
                async with Tab(visitor, "/inventory") as tab:
                    while True:
                        move = {"from_item_id": here, "to_item_id": there, "quantity": "3"}
                        answer = await tab.call(InventoryState.transfer_inventory, **move)
                        assert [said for said in answer.said if said.startswith("Moved")], answer.text
                        answered += 1
            except (TimeoutError, SocketIOError):  # the server is gone: this is where it ends
                return answered

        with site.database.connect(SUPERUSER_ROLE, autocommit=True) as connection:
            trail = Trail(connection)
            *answered, _ = await asyncio.gather(
                *(work(number) for number in range(CLIENTS)), asyncio.to_thread(kill_at, site, trail, TRANSFERS)
            )
            # What was on its way to the database when its connection broke has ended by now, one way or the other.
            while connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND usename = 'inventory_app'"
                " AND state <> 'idle'"  # as those of this test's own pool are
            ).fetchall():
                connection.execute("SELECT pg_sleep(0.05)")
            done = trail.operations(name=MOVE, outcome="succeeded")
            held = connection.execute("SELECT sum(quantity) FROM inventory_item").fetchone()
            movements = connection.execute(
                "SELECT operation_id, count(*), sum(quantity) FROM stock_movement WHERE kind = 'transfer' GROUP BY 1"
            ).fetchall()
            changes = connection.execute(
                "SELECT operation_id, count(*) FROM audit_change WHERE operation_id = ANY (%s) GROUP BY 1",
                [[entry.id for entry in done]],
            ).fetchall()
        assert len(done) >= TRANSFERS
        # At most the one each tab was waiting for is on record without an answer.
        assert sum(answered) <= len(done) <= sum(answered) + CLIENTS
        assert held == (2 * OPENING,)
        assert {(id_, 2, 0) for id_ in {entry.id for entry in done}} == set(movements)
        assert {(entry.id, 4) for entry in done} == set(changes)
        with open_session() as session:
            assert books_balance(session) == []
