"""kill -9 while goods are received or a batch is paid, everything written but for the number: nothing is left of it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from reflex.model import get_engine

from inventory_app.context import acting_as
from inventory_app.models.purchasing import SupplierInvoice
from inventory_app.operations.books import books_balance
from inventory_app.paths import SUPERUSER_ROLE
from inventory_app.states.due import DueState
from inventory_app.states.receiving import ReceiveState
from inventory_app.unit_of_work import open_session
from tests.factories import supplier
from tests.faults.installation import kill_application
from tests.fixtures.database import reached_by_the_application
from tests.fixtures.seeing import wait_until_blocked
from tests.fixtures.tab import Tab
from tests.operations import buying, ordered
from tests.operations.payables import account, batch, books_agree, found, invoice

#: What an operation of purchasing writes, beside the trail.
WRITTEN = ("goods_receipt", "goods_receipt_line", "stock_movement", "payment_batch", "payment", "payment_allocation")


@pytest.fixture
def site(another_site):
    """Return an application that a test may kill; the test's own operations reach its database."""
    running = another_site()
    with reached_by_the_application(running.database.server, running.database.name):
        yield running


@pytest.fixture
def watching(site) -> Iterator[psycopg.Connection]:
    """Return a superuser's connection to its database, each statement on its own."""
    with site.database.connect(SUPERUSER_ROLE, autocommit=True) as connection:
        yield connection


def written(watching: psycopg.Connection) -> dict[str, int]:
    """Count what there is, the last numbers and the operations on record with it."""
    counted = {table: watching.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in WRITTEN}
    numbers = dict(watching.execute("SELECT kind || year, last FROM number_series").fetchall())
    done = watching.execute("SELECT count(*) FROM audit_operation WHERE name ~ '^(receiving|payments)'").fetchone()[0]
    return counted | numbers | {"operations": done}


@contextmanager
def held(site, kind: str) -> Iterator[psycopg.Connection]:
    """Hold the series of papers of a kind, the last lock of whoever writes one."""
    with site.database.connect(SUPERUSER_ROLE) as connection:
        taken = connection.execute("SELECT last FROM number_series WHERE kind = %s FOR UPDATE", [kind]).fetchone()
        assert taken, "one has to be there, or nobody waits"
        yield connection
        connection.rollback()


async def killed_while_it_waits(site, watching, actor, kind: str, handler, **payload) -> None:
    """Send an event as somebody and kill the application once everything is written but for the number."""
    async with Tab(site.signed_in(actor), "/") as tab:
        with held(site, kind) as holder:
            await tab.send(handler, **payload)
            # On a thread: what was sent leaves with this one.
            cut_off = await asyncio.to_thread(wait_until_blocked, watching, by=holder.info.backend_pid)
            await asyncio.to_thread(kill_application, site)
        gone = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
        for _ in range(1_000):
            if watching.execute(gone, [cut_off]).fetchone() == (0,):
                break
            watching.execute("SELECT pg_sleep(0.01)")
        assert watching.execute(gone, [cut_off]).fetchone() == (0,)
    get_engine().dispose()


async def test_goods_that_were_being_received_have_not_come(site, watching):
    ann = site.person("ann", "manager")
    with acting_as(ann.actor):
        ordered.came(ordered.bolts(1), 1)
        order = ordered.bolts(10)
    before = written(watching)
    form = {"order_id": str(order.id), f"quantity:{order.lines[0]}": "4", "idempotency_key": "once"}
    await killed_while_it_waits(site, watching, ann, "GR", ReceiveState.receive_goods, form=form)
    assert written(watching) == before
    assert buying.lines(order.id)[0].received == 0
    with open_session() as session:
        assert books_balance(session) == []
    # The number that was waited for is the next one's, and so is the key.
    with acting_as(ann.actor):
        done = ordered.came(order, 4, idempotency_key="once")
    assert done.number.endswith("-0002")
    assert buying.lines(order.id)[0].received == 4


async def test_a_batch_that_was_being_paid_is_not_paid(site, watching):
    paula = site.person("paula", "accountant")
    suppliers = [supplier(f"Supplier {name}", status="approved").id or 0 for name in "ABC"]
    for one in suppliers:
        account(one)
    first, *rest = (invoice(one, 100, f"R-{one}").id or 0 for one in suppliers)
    batch(paula.actor, first)
    before = written(watching)
    form = {"invoice_ids": rest, "idempotency_key": "once"}
    await killed_while_it_waits(site, watching, paula, "PAY", DueState.process_batch, form=form)
    assert written(watching) == before
    assert [found(SupplierInvoice, one).paid for one in rest] == [0, 0]
    books_agree()
    done = batch(paula.actor, *rest, idempotency_key="once")
    assert (done.number[-4:], done.payments) == ("0002", 2)
    books_agree()
