"""Several at once, over the real websocket: the total is conserved, exactly one decides, nothing is posted twice."""

import asyncio
import re
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from inventory_app.database.locks import ROLES_AND_PERMISSIONS
from inventory_app.operations.books import books_balance
from inventory_app.states.inventory import InventoryState
from inventory_app.states.suppliers import SupplierState
from inventory_app.states.trees import LocationsState
from inventory_app.states.users import UserMgmtState
from inventory_app.unit_of_work import open_session
from tests import factories
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Person, Site
from tests.fixtures.tab import Answer, Tab

CLIENTS = 16
TRANSFERS_EACH = 20
OPENING = 20


@asynccontextmanager
async def held(observer: psycopg.Connection, statement: str, *values: Any) -> AsyncIterator[None]:
    """Hold a lock in a transaction of the test's own for the length of the block."""
    with observer.transaction():
        observer.execute(statement, values)
        yield


async def until_waiting(site: Site, number: int) -> None:
    """Wait until so many of the server's transactions wait for a lock in the database."""
    with site.database.as_superuser() as connection:
        connection.autocommit = True
        for _ in range(2_000):
            found = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'",
                [site.database.name],
            ).fetchone()
            if found and found[0] >= number:
                return
            connection.execute("SELECT pg_sleep(0.005)")
            await asyncio.sleep(0)
    pytest.fail(f"fewer than {number} ever waited")


async def at_once(site: Site, observer: psycopg.Connection, lock: tuple[Any, ...], *calls: Any) -> list[Answer]:
    """Start calls that all need `lock`, see all of them wait for it, let go, and return their answers."""
    async with held(observer, *lock):
        running = [asyncio.ensure_future(call) for call in calls]
        await until_waiting(site, len(calls))
    return await asyncio.gather(*running)


async def test_sixteen_people_moving_stock_both_ways_lose_and_invent_nothing(site: Site, site_trail: Trail):
    ann = site.person("ann", "manager")
    product = factories.product(f"P{secrets.token_hex(4)}".upper())
    first, second = (factories.item(product.id, quantity=OPENING).id or 0 for _ in range(2))
    log_before = len(site.log_lines(operation="stock.transfer_inventory", event="operation_succeeded"))
    visitor = site.signed_in(ann)

    async def work(number: int) -> list[Answer]:
        here, there = (first, second) if number % 2 else (second, first)
        async with Tab(visitor, "/inventory") as tab:
            move = {"from_item_id": here, "to_item_id": there, "quantity": "3"}
            return [await tab.call(InventoryState.transfer_inventory, **move) for _ in range(TRANSFERS_EACH)]

    answers = [answer for each in await asyncio.gather(*(work(n) for n in range(CLIENTS))) for answer in each]
    said = Counter(
        re.sub(r"\d+", "N", said) for answer in answers for said in (answer.said or answer.errors().values())
    )
    assert len(answers) == CLIENTS * TRANSFERS_EACH == sum(said.values())
    moved = sum(count for sentence, count in said.items() if sentence.startswith("Moved"))
    refused = sum(count for sentence, count in said.items() if sentence.startswith("Only"))
    assert moved > 0
    assert moved + refused == len(answers), f"somebody was told something else: {said}"

    with site.database.as_app() as connection:
        rows = connection.execute(
            "SELECT quantity FROM inventory_item WHERE id = ANY(%s)", [[first, second]]
        ).fetchall()
    assert sum(row[0] for row in rows) == Decimal(2 * OPENING)
    with open_session() as session:
        assert books_balance(session) == []

    succeeded = site_trail.operations(actor_name=ann.username, name="stock.transfer_inventory", outcome="succeeded")
    failed = site_trail.operations(actor_name=ann.username, name="stock.transfer_inventory", outcome="failed")
    assert (len(succeeded), len(failed)) == (moved, refused)
    assert {entry.error_class for entry in failed} <= {"InsufficientStock"}
    lines = site.log_lines(operation="stock.transfer_inventory", event="operation_succeeded")[log_before:]
    assert Counter(line["operation_id"] for line in lines) == Counter(str(entry.id) for entry in succeeded)


async def test_there_is_a_line_about_success_for_every_commit_of_the_server_and_none_without(
    site: Site, site_trail: Trail
):
    """Over everything this server has done so far, whoever asked for it."""
    visitor = site.signed_in(site.person("ann", "manager"))
    site.visitor().sign_in("nobody-of-this-name")
    async with Tab(visitor, "/inventory") as tab:
        form = {"code": secrets.token_hex(4), "name": "Yard"}
        await tab.call(LocationsState.create_location, form=form)
        await tab.call(LocationsState.create_location, form=form)
    # What the factories do, in this process and another log, has no request of the server behind it.
    asked = [entry for entry in site_trail.operations() if len(entry.request_id or "") == len(secrets.token_hex(8))]
    lines = [line for line in site.log_lines(event="operation_succeeded") if line.get("request_id")]
    assert {entry.outcome for entry in asked} == {"succeeded", "failed", "denied"}
    committed = Counter(str(entry.id) for entry in asked if entry.outcome == "succeeded")
    assert Counter(line["operation_id"] for line in lines) == committed
    of_line = {line["operation_id"]: (line["operation"], line["actor"]) for line in lines}
    assert of_line == {str(e.id): (e.name, e.actor_name) for e in asked if e.outcome == "succeeded"}


async def test_of_two_people_who_approve_one_supplier_at_once_exactly_one_does(
    site: Site, site_observer: psycopg.Connection, site_trail: Trail
):
    ann, carol = site.person("ann", "manager"), site.person("carol", "manager")
    supplier = factories.supplier(f"{secrets.token_hex(5)} Ltd", source="staff")
    form = {"supplier_id": supplier.id, "version": supplier.version, "decision": "approved", "reason": "Good prices"}
    lock = ("SELECT 1 FROM supplier WHERE id = %s FOR UPDATE", supplier.id)
    async with Tab(site.signed_in(ann)) as hers, Tab(site.signed_in(carol)) as carols:
        answers = await at_once(
            site,
            site_observer,
            lock,
            hers.call(SupplierState.decide, form=form),
            carols.call(SupplierState.decide, form=form),
        )
    said = sorted(sentence for answer in answers for sentence in answer.said)
    assert [sentence.split(" ", 1)[0] for sentence in said].count("Approved") == 1
    assert any(re.search(r"approved this supplier", sentence) for sentence in said)
    deeds = site_trail.operations(name="suppliers.approve_supplier")
    mine = [entry for entry in deeds if entry.actor_name in (ann.username, carol.username)]
    assert sorted(entry.outcome for entry in mine) == ["failed", "succeeded"]


@pytest.fixture
def only_administrators(site: Site) -> Any:
    """Ada and Anton, with every other administrator disabled for the length of the test."""
    ada, anton = site.person("ada", "admin"), site.person("anton", "admin")
    others = (
        "SELECT u.id FROM local_user u JOIN user_info i ON i.user_id = u.id JOIN user_role ur ON ur.user_id = i.id"
        " JOIN role r ON r.id = ur.role_id WHERE r.name = 'admin' AND u.enabled AND u.id <> ALL (:mine)"
    )
    disabled = factories.arrange(
        lambda session: [
            row[0]
            for row in session.connection().exec_driver_sql(
                f"UPDATE local_user SET enabled = false WHERE id IN ({others.replace(':mine', '%s')}) RETURNING id",
                ([ada.id, anton.id],),
            )
        ]
    )
    yield ada, anton
    everybody = [*disabled, ada.id, anton.id]
    factories.arrange(
        lambda session: (
            session.connection()
            .exec_driver_sql("UPDATE local_user SET enabled = true WHERE id = ANY (%s)", (everybody,))
            .rowcount
        )
    )


async def test_of_two_last_administrators_who_disable_themselves_at_once_exactly_one_does(
    site: Site, site_observer: psycopg.Connection, only_administrators: tuple[Person, Person]
):
    ada, anton = only_administrators
    lock = ("SELECT pg_advisory_xact_lock(%s)", ROLES_AND_PERMISSIONS)
    async with Tab(site.signed_in(ada)) as hers, Tab(site.signed_in(anton)) as his:
        answers = await at_once(
            site,
            site_observer,
            lock,
            hers.call(UserMgmtState.deactivate_user, user_id=ada.id),
            his.call(UserMgmtState.deactivate_user, user_id=anton.id),
        )
    assert sum("last administrator" in answer.text for answer in answers) == 1
    left = site_observer.execute(
        "SELECT username FROM local_user WHERE enabled AND id = ANY (%s)", [[ada.id, anton.id]]
    ).fetchall()
    assert len(left) == 1


async def test_of_two_last_administrators_who_demote_each_other_at_once_exactly_one_does(
    site: Site, site_observer: psycopg.Connection, only_administrators: tuple[Person, Person]
):
    ada, anton = only_administrators
    lock = ("SELECT pg_advisory_xact_lock(%s)", ROLES_AND_PERMISSIONS)
    async with Tab(site.signed_in(ada)) as hers, Tab(site.signed_in(anton)) as his:
        await at_once(
            site,
            site_observer,
            lock,
            hers.call(UserMgmtState.set_roles, form={"user_id": anton.id, "version": 1}),
            his.call(UserMgmtState.set_roles, form={"user_id": ada.id, "version": 1}),
        )
    left = site_observer.execute(
        "SELECT count(*) FROM user_role ur JOIN user_info i ON i.id = ur.user_id JOIN role r ON r.id = ur.role_id"
        " WHERE r.name = 'admin' AND i.user_id = ANY (%s)",
        [[ada.id, anton.id]],
    ).fetchone()
    assert left == (1,)


def quantity(site: Site, item_id: int) -> Decimal:
    with site.database.as_app() as connection:
        found = connection.execute("SELECT quantity FROM inventory_item WHERE id = %s", [item_id]).fetchone()
    assert found
    return found[0]


async def test_a_double_click_posts_once_and_says_so_twice(site: Site):
    item = factories.item(quantity=10).id or 0
    form = {"item_id": item, "quantity": "-1", "reason_code": "sold", "idempotency_key": secrets.token_hex(16)}
    async with Tab(site.signed_in(site.person("ann", "manager")), "/inventory") as tab:
        event = tab.event(InventoryState.adjust_inventory, {"form": form})
        answer = await tab.answer_to(event, event)
    assert [sentence.endswith("→ 9 pcs") for sentence in answer.said] == [True, True]
    assert quantity(site, item) == 9


async def test_the_same_form_sent_from_two_tabs_at_once_posts_once(site: Site, site_observer: psycopg.Connection):
    item = factories.item(quantity=10).id or 0
    form = {"item_id": item, "quantity": "-1", "reason_code": "sold", "idempotency_key": secrets.token_hex(16)}
    visitor = site.signed_in(site.person("ann", "manager"))
    lock = ("SELECT 1 FROM inventory_item WHERE id = %s FOR UPDATE", item)
    async with Tab(visitor) as one, Tab(visitor) as two:
        answers = await at_once(
            site,
            site_observer,
            lock,
            one.call(InventoryState.adjust_inventory, form=form),
            two.call(InventoryState.adjust_inventory, form=form),
        )
    assert [sentence.endswith("→ 9 pcs") for answer in answers for sentence in answer.said] == [True, True]
    assert quantity(site, item) == 9


@pytest.mark.parametrize("change", [{"quantity": "-2"}, {"reason_code": "lost"}, {"note": "other"}], ids=str)
async def test_the_same_key_with_other_data_is_refused(site: Site, change: dict[str, str]):
    item = factories.item(quantity=10).id or 0
    form = {"item_id": item, "quantity": "-1", "reason_code": "sold", "idempotency_key": secrets.token_hex(16)}
    async with Tab(site.signed_in(site.person("ann", "manager")), "/inventory") as tab:
        await tab.call(InventoryState.adjust_inventory, form=form)
        answer = await tab.call(InventoryState.adjust_inventory, form=form | change)
    assert "This form was already sent with other values" in answer.text
    assert quantity(site, item) == 9


async def test_a_key_of_somebody_else_is_nobodys(site: Site):
    item = factories.item(quantity=10).id or 0
    form = {"item_id": item, "quantity": "-1", "reason_code": "sold", "idempotency_key": secrets.token_hex(16)}
    for name in ("ann", "carol"):
        async with Tab(site.signed_in(site.person(name, "manager")), "/inventory") as tab:
            await tab.call(InventoryState.adjust_inventory, form=form)
    assert quantity(site, item) == 8
