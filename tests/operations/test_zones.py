"""Where a day begins for whoever reads, also where clocks are put forward at midnight or a day is left out."""

from datetime import UTC, date, datetime

import pytest

from inventory_app.operations import _zones


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"),
    [
        ("UTC", date(2026, 11, 17), "2026-11-17T00:00Z", 24),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23:00Z", 23),
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-24T22:00Z", 25),
        ("Asia/Kolkata", date(2026, 1, 1), "2025-12-31T18:30Z", 24),
        # Clocks go from midnight to one: the day begins with the jump.
        ("Africa/Cairo", date(2024, 4, 26), "2024-04-25T22:00Z", 23),
        # One becomes midnight again: the day begins with the first of the two.
        ("America/Havana", date(2024, 11, 3), "2024-11-03T04:00Z", 25),
        # Midnight becomes eleven of the day before, which so has 25 hours.
        ("America/Asuncion", date(2023, 3, 25), "2023-03-25T03:00Z", 25),
        # The day on which Samoa crossed the date line never was.
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00Z", 0),
    ],
)
def test_a_day_begins_and_ends_as_clocks_there_say(zone, day, begins, hours):
    assert _zones.beginning(day, zone) == datetime.fromisoformat(begins)
    assert (_zones.end(day, zone) - _zones.beginning(day, zone)).total_seconds() == hours * 3600


@pytest.mark.parametrize(
    "name",
    ["", "Nowhere", "Europe", "../../etc/passwd", "/etc/localtime", "Europe/Berlin\0", "x" * 300, "é", "a/b/c/d"],
)
def test_what_is_no_zone_is_utc(name):
    assert _zones.zone_of(name) is None
    assert _zones.known_zone(name) == "UTC"


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("UTC", "UTC"),
        ("Europe/Berlin", "Europe/Berlin (UTC+1)"),
        ("America/New_York", "America/New York (UTC−5)"),
        ("Asia/Kolkata", "Asia/Kolkata (UTC+5:30)"),
    ],
)
def test_the_zone_is_said_with_how_far_it_is_from_utc(zone, words):
    assert _zones.zone_words(zone, datetime(2026, 11, 17, tzinfo=UTC)) == words
