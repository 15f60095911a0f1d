"""What the stock was at a moment: the sums of closed parts and what is beside them are the sum of the movements."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import product as every

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory_app import jobs
from inventory_app.context import acting_as, system_actor
from inventory_app.errors import Invalid, NotFound
from inventory_app.models.catalog import Location
from inventory_app.operations import as_of
from inventory_app.operations.as_of import Stock, Way
from inventory_app.unit_of_work import open_session, read
from tests.factories import add, begin_as, location, person, product
from tests.operations.shelf import adjust, shelf, transfer

DAY = datetime(2026, 3, 2, tzinfo=UTC)


def close(part: int = as_of.PART) -> list[int]:
    """Close what can be closed; returns the number of movements of each part."""
    closed = []
    with open_session() as session:
        as_of.fix_horizon(session)
        session.commit()
    while True:
        with open_session() as session:
            closed.append(as_of.close_part(session, part=part))
            session.commit()
        if not closed[-1]:
            return closed[:-1]


class Past:
    """A ledger whose movements were recorded when the test says: written by the owner, with the triggers off."""

    def __init__(self, connection: psycopg.Connection, items: list[int]) -> None:
        self._connection, self._items = connection, items
        self._sequences = dict.fromkeys(items, 0)

    def book(self, item: int, quantity: int, recorded: datetime, occurred: datetime) -> None:
        item_id = self._items[item % len(self._items)]
        self._sequences[item_id] += 1
        self._connection.execute("ALTER TABLE stock_movement DISABLE TRIGGER USER")
        self._connection.execute(
            "INSERT INTO stock_movement (item_id, sequence, kind, quantity, unit_cost, value, operation_id,"
            " occurred_at, recorded_at) VALUES (%s, %s, %s, %s, 2, %s, gen_random_uuid(), %s, %s)",
            [
                item_id,
                self._sequences[item_id],
                "receipt" if quantity > 0 else "issue",
                quantity,
                2 * quantity,
                occurred,
                recorded,
            ],
        )
        self._connection.commit()

    def counted(self, way: Way, at: datetime, where: str = "true", *values: object) -> Stock:
        """Add up the movements one by one, without any sums."""
        column = {Way.KNOWN: "recorded_at", Way.EFFECTIVE: "occurred_at"}[way]
        row = self._connection.execute(
            "SELECT count(*), coalesce(sum(m.quantity), 0), coalesce(sum(m.value), 0) FROM stock_movement m"
            f" JOIN inventory_item item ON item.id = m.item_id WHERE m.{column} <= %s AND {where}",
            [at, *values],
        ).fetchone()
        assert row
        return Stock(*row)


def days(most: int) -> st.SearchStrategy[timedelta]:
    """A time of whole hours, so that it often is the very moment of a movement, or midnight."""
    return st.integers(0, most * 24).map(lambda hours: timedelta(hours=hours))


booked = st.tuples(
    st.integers(0, 3), st.integers(-9, 9).filter(bool), days(4), st.one_of(st.just(timedelta()), days(3))
)


@pytest.fixture
def places(database):
    """Return a hall with two shelves in it, and a yard: (all four, the items on shelf, shelf and yard)."""
    hall = add(Location(code="HALL", name="Hall"))
    one, two = (add(Location(code=f"S{n}", name=f"Shelf {n}", parent_id=hall.id)) for n in (1, 2))
    yard = add(Location(code="YARD", name="Yard"))
    with database.as_owner() as connection:
        begin_as(connection)
        made = [
            connection.execute(
                "INSERT INTO inventory_item (product_id, location_id, quantity, sequence, changed_at, changed_by)"
                " VALUES (%s, %s, 0, 0, now(), 'test') RETURNING id",
                [product_id, place.id],
            ).fetchone()
            for product_id, place in every([product("BOLT").id, product("NUT").id], [one, two, yard])
        ]
    return [hall.id, one.id, two.id, yard.id], [row[0] for row in made if row]


@given(
    batches=st.lists(st.lists(booked, max_size=6), min_size=1, max_size=4),
    part=st.integers(1, 4),
    asked=st.lists(days(5), min_size=1, max_size=3),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_moment_is_the_sum_of_its_movements_however_many_parts_are_closed(database, places, batches, part, asked):
    (hall, *_), items = places
    with database.as_superuser() as connection, acting_as(system_actor("test")):
        for table in ("stock_movement", "stock_total", "stock_horizon"):
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            connection.execute(f"DELETE FROM {table}")
        connection.commit()
        past, number = Past(connection, items), 0
        for batch in batches:
            # Recorded one after the other, batch by batch: nothing arrives before a horizon that was fixed.
            for item, quantity, after, earlier in sorted(batch, key=lambda one: one[2]):
                recorded = DAY + timedelta(days=5 * number) + after
                past.book(item, quantity, recorded, recorded - earlier)
            number += 1
            close(part)
        for way, moment in every(Way, [DAY + timedelta(days=5 * n) + one for one in asked for n in range(number)]):
            everything = past.counted(way, moment)
            assert read(as_of.everything_as_of, at=moment, way=way) == everything
            here = past.counted(way, moment, "item.location_id IN (SELECT id FROM location WHERE parent_id = %s)", hall)
            assert read(as_of.location_as_of, location_id=hall, at=moment, way=way) == here
            by_place = read(as_of.places_as_of, at=moment, way=way)
            assert sum(one.movements for one in by_place.values()) == everything.movements
            one = past.counted(way, moment, "m.item_id = %s", items[0])
            assert read(as_of.item_as_of, item_id=items[0], at=moment, way=way) == one


def test_a_fact_of_yesterday_that_is_recorded_today_was_there_yesterday_but_not_known(database, places):
    _, items = places
    with database.as_superuser() as connection, acting_as(system_actor("test")):
        past = Past(connection, items)
        past.book(0, 7, DAY, DAY)
        past.book(0, 5, DAY + timedelta(days=2), DAY - timedelta(days=1))
        asked = {"item_id": items[0], "at": DAY + timedelta(hours=1)}
        assert read(as_of.item_as_of, way=Way.KNOWN, **asked).quantity == Decimal(7)
        assert read(as_of.item_as_of, way=Way.EFFECTIVE, **asked).quantity == Decimal(12)


def test_a_day_that_is_over_is_closed_and_what_came_since_is_not(database, places):
    _, items = places
    with database.as_superuser() as connection:
        past = Past(connection, items)
        for hour in (1, 2, 30):
            past.book(0, 1, DAY + timedelta(hours=hour), DAY + timedelta(hours=hour))
        past.book(0, 1, datetime.now(UTC), datetime.now(UTC))
        assert close() == [2, 1], "one part a day, and today is not over"
        assert close() == []
        assert close(part=1) == [1], "a part that is full is closed at once"


def test_the_job_closes_what_is_over_and_waits_for_nobody_who_books(database, places):
    _, items = places
    with database.as_superuser() as connection:
        Past(connection, items).book(0, 3, DAY, DAY)
        with database.as_app() as other:
            begin_as(other)
            other.execute("LOCK TABLE stock_movement IN ROW EXCLUSIVE MODE")
            jobs.sum_days()
            assert connection.execute("SELECT count(*) FROM stock_total").fetchone() == (0,)
            connection.commit()
        jobs.sum_days()
        assert connection.execute("SELECT movements, quantity, value FROM stock_total").fetchall() == [(1, 3, 6)]
        horizon = connection.execute("SELECT fixed_at FROM stock_horizon").fetchone()
        connection.commit()
        jobs.sum_days()
        assert connection.execute("SELECT fixed_at FROM stock_horizon").fetchone() == horizon, (
            "nothing to do: nothing done"
        )


def test_transfers_leave_everything_as_it_was_and_move_what_is_at_the_places(ann):
    found = shelf(here="10", there="5")
    with acting_as(ann):
        transfer(found.here, found.there, 4)
        adjust(found.here, -1)
        moment = datetime.now(UTC)
        assert read(as_of.everything_as_of, at=moment).quantity == Decimal(14)
        assert read(as_of.product_as_of, product_id=found.product_id, at=moment).quantity == Decimal(14)
        assert read(as_of.location_as_of, location_id=found.there_location, at=moment).quantity == Decimal(9)


def test_who_may_not_see_costs_is_told_no_value(database):
    found = shelf()
    moment = datetime.now(UTC)
    with acting_as(person("eve", "employee")):
        for name, what in (
            ("item", {"item_id": found.here}),
            ("product", {"product_id": found.product_id}),
            ("location", {"location_id": found.here_location}),
            ("everything", {}),
        ):
            answer = read(getattr(as_of, f"{name}_as_of"), at=moment, **what)
            assert (answer.movements > 0, answer.value) == (True, None)
        assert {one.value for one in read(as_of.places_as_of, at=moment).values()} == {None}


def test_a_moment_no_calendar_has_and_a_place_there_is_not_are_refused(ann):
    with acting_as(ann):
        with pytest.raises(Invalid):
            read(as_of.everything_as_of, at=datetime.max.replace(tzinfo=UTC))
        east = timezone(timedelta(hours=14))
        for begins in (datetime.min, datetime.min.replace(tzinfo=east)):  # noqa: DTZ901  # of no zone is asked, too
            with pytest.raises(Invalid):
                read(as_of.everything_as_of, at=begins)
        with pytest.raises(NotFound):
            read(as_of.location_as_of, location_id=location("GONE").id + 1, at=DAY)


def test_the_application_cannot_write_what_the_sums_say(database):
    with database.as_app() as connection:
        for statement in ("DELETE FROM stock_total", "UPDATE stock_horizon SET fixed_at = 'infinity'"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
            connection.rollback()
