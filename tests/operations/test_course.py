"""How the stock went: what was where at a moment, what it was worth by day, and what moved."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.models.catalog import Location
from inventory_app.operations.as_of import Way
from inventory_app.operations.course import stock_course
from inventory_app.unit_of_work import read
from tests.factories import add, arrange, person
from tests.operations.shelf import adjust, issue, shelf, transfer


@pytest.fixture
def found(ann):
    """Return a product at two places of which one is in the other, worth 2.50 a piece."""
    made = shelf(here="10", there="5")
    hall = add(Location(code="HALL", name="Hall")).id

    def put_below(session):
        session.get_one(Location, made.here_location).parent_id = hall
        session.get_one(Location, made.there_location).parent_id = made.here_location

    arrange(put_below)
    with acting_as(ann):
        adjust(made.here, 8)
        transfer(made.here, made.there, 4)
        issue(made.there, 2)
    return made


def course_for(actor, **asked):
    with acting_as(actor):
        return read(stock_course, **asked)


def test_places_have_what_is_below_them(found, ann):
    rows = {row.name: row for row in course_for(ann).places}
    assert rows["Bolt north"].value == "35.00"
    assert rows["Bolt south"].value == "17.50"
    assert [rows[name].whole for name in ("Hall", "Bolt north", "Bolt south")] == ["52.50", "52.50", "17.50"]
    assert rows["Hall"].movements == "0"


def test_the_last_day_is_worth_what_there_is(found, ann):
    seen = course_for(ann)
    assert seen.worth[-1][1] == seen.stock.value == Decimal("52.5")
    assert seen.value == "52.50"


def test_movements_are_counted_by_kind_on_the_days_they_happened(database, found, ann):
    with database.as_superuser() as connection:
        connection.execute("ALTER TABLE stock_movement DISABLE TRIGGER USER")
        connection.execute("UPDATE stock_movement SET occurred_at = now() - interval '9 days' WHERE kind = 'issue'")
        connection.execute("UPDATE stock_movement SET occurred_at = now() - interval '3 years' WHERE quantity = 8")
    kinds = {one.kind: one for one in course_for(ann).kinds}
    today = datetime.now(UTC).date()
    assert kinds["transfer"].days == ((today, 2),)
    assert kinds["issue"].days == ((today - timedelta(days=9), 1),)
    assert kinds["adjustment"].number == 2, "what is older than a year counts no more, only its value"
    assert course_for(ann).worth[0][1] == Decimal(20)
    assert course_for(ann).worth[-1][1] == Decimal("52.5")


def test_before_anything_was_there_is_nothing(found, ann):
    long_ago = datetime(2001, 1, 1, tzinfo=UTC)
    for way in Way:
        seen = course_for(ann, at=long_ago, way=way)
        assert (seen.stock.movements, seen.value, seen.places) == (0, "0.00", [])


def test_who_may_not_see_costs_is_told_how_much_moved_and_no_value(found, database):
    seen = course_for(person("eve", "employee"))
    assert (seen.stock.value, seen.value, seen.worth) == (None, "", [])
    assert {(row.value, row.whole) for row in seen.places} == {("", "")}
    assert sum(one.number for one in seen.kinds) == 6
