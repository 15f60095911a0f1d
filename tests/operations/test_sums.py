"""What the database keeps beside stock for the lists: what is low, and what an item is worth."""

import threading
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlmodel import col

from inventory_app.context import acting_as
from inventory_app.models.catalog import Product
from inventory_app.models.stock import InventoryItem, ItemWorth, ProductStock
from inventory_app.operations._figures import reorder_due
from inventory_app.unit_of_work import open_session
from tests.factories import arrange, begin_as, item, location, product
from tests.fixtures.seeing import wait_until_blocked
from tests.operations.shelf import adjust


@pytest.fixture
def as_ann(ann):
    with acting_as(ann):
        yield ann


def low() -> set[int]:
    with open_session() as session:
        return set(session.scalars(reorder_due()))


def worth(item_id: int | None) -> Decimal:
    with open_session() as session:
        return session.scalars(sa.select(col(ItemWorth.worth)).where(col(ItemWorth.item_id) == item_id)).one()


def change(product_id: int | None, **values: object) -> None:
    arrange(lambda session: session.execute(sa.update(Product).where(col(Product.id) == product_id).values(**values)))


def test_a_product_is_low_from_its_first_moment_without_any_stock(as_ann):
    bolt = product("BOLT", reorder_point=Decimal(5))
    product("NUT")
    assert low() == {bolt.id}


def test_what_is_low_follows_stock_reorder_point_and_discontinuation(as_ann):
    bolt = product("BOLT", reorder_point=Decimal(5))
    held = item(bolt.id, quantity=6)
    assert low() == set()
    adjust(held.id, -1)
    assert low() == {bolt.id}, "at the reorder point is low"
    change(bolt.id, active=False)
    assert low() == set()
    change(bolt.id, active=True, reorder_point=Decimal(4))
    assert low() == set()
    change(bolt.id, reorder_point=Decimal(7))
    assert low() == {bolt.id}
    change(bolt.id, reorder_point=Decimal(0))
    adjust(held.id, -5)
    assert low() == set(), "a reorder point of 0 means never"


def test_what_an_item_is_worth_follows_its_quantity_and_the_cost_of_its_product(as_ann):
    bolt, nut = product("BOLT", unit_cost=Decimal("2.5")), product("NUT", unit_cost=Decimal(1))
    held, other = item(bolt.id, quantity=4), item(nut.id, quantity=7)
    assert (worth(held.id), worth(other.id)) == (10, 7)
    adjust(held.id, 2)
    assert worth(held.id) == 15
    change(bolt.id, unit_cost=Decimal(3))
    assert (worth(held.id), worth(other.id)) == (18, 7)


def test_what_is_derived_agrees_with_what_it_is_from_after_many_changes(as_ann):
    for number in range(5):
        made = product(f"P{number}", unit_cost=Decimal(number), reorder_point=Decimal(number * 2))
        places = [item(made.id, quantity=number * 3) for _ in range(2)]
        change(made.id, unit_cost=Decimal("1.25") * number, reorder_point=Decimal(number * 6))
        for place in places[: number % 2]:
            adjust(place.id, -1)
    with open_session() as session:
        wrong = session.execute(
            sa.select(col(InventoryItem.id))
            .join(Product, col(Product.id) == col(InventoryItem.product_id))
            .outerjoin(ItemWorth, col(ItemWorth.item_id) == col(InventoryItem.id))
            .where(col(ItemWorth.worth).is_distinct_from(col(InventoryItem.quantity) * col(Product.unit_cost)))
        ).all()
        stale = session.execute(
            sa.select(col(Product.id))
            .outerjoin(ProductStock, col(ProductStock.product_id) == col(Product.id))
            .where(col(ProductStock.reorder_at).is_distinct_from(col(Product.reorder_point)))
        ).all()
    assert (wrong, stale) == ([], [])


def test_an_item_made_while_its_cost_is_changed_has_the_new_cost(as_ann, database, observer):
    bolt, shelf = product("BOLT", unit_cost=Decimal(1)), location("WEST")
    with database.as_app() as costs, database.as_app() as makes:
        for connection in (costs, makes):
            begin_as(connection)
        costs.execute("UPDATE product SET unit_cost = 5 WHERE id = %s", [bolt.id])
        insert = (
            "INSERT INTO inventory_item (product_id, location_id, quantity, sequence, changed_at, changed_by)"
            " VALUES (%s, %s, 3, 0, now(), '')"
        )
        making = threading.Thread(target=makes.execute, args=(insert, [bolt.id, shelf.id]))
        making.start()
        wait_until_blocked(observer, costs.info.backend_pid)
        costs.commit()
        making.join()
        makes.commit()
        found = makes.execute("SELECT worth FROM item_worth").fetchall()
    assert found == [(15,)]


@pytest.mark.parametrize("statement", ["UPDATE item_worth SET quantity = 1", "UPDATE product_stock SET reorder_at = 1"])
def test_the_application_cannot_write_what_the_database_keeps(as_ann, database, statement):
    with database.as_app() as connection, pytest.raises(Exception, match="permission denied"):
        connection.execute(statement)
