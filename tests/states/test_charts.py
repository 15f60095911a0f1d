"""Drawings of figures over time: where the line goes, round numbers at the edge, and the same as a table."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_app.states._charts import Chart, Frame, scale, spark, steps, week_bars
from inventory_app.states._moments import read_moment

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FRAME = Frame(NOON, NOON + timedelta(days=10), "UTC", NOON + timedelta(days=6))


def test_the_line_holds_each_figure_until_the_next():
    points = [(NOON, Decimal(0)), (NOON + timedelta(days=5), Decimal(40)), (NOON + timedelta(days=8), Decimal(20))]
    drawn = steps(points, FRAME, unit="pcs", leads=lambda moment: f"/{moment:%d}")
    assert drawn.line == "M0.00 100.00H50.00V0.00H80.00V50.00H100"
    assert [tick.label for tick in drawn.upwards] == ["0", "10", "20", "30", "40"]
    assert (drawn.mark_x, drawn.mark_y) == ("60.00", "0.00")
    assert (drawn.cells[0].when, drawn.cells[0].figure) == ("10 Mar 2026, 12:00", "20 pcs")
    assert [(target.x, target.width, target.href) for target in drawn.targets] == [
        ("0.00", "50.00", "/02"),
        ("50.00", "30.00", "/07"),
        ("80.00", "20.00", "/10"),
    ]
    assert drawn.said == "From 0 pcs to 20 pcs; at least 0 pcs, at most 40 pcs."
    assert steps([], FRAME) == Chart()


figures = st.decimals(min_value=-10_000_000, max_value=10_000_000, places=3)


@given(st.lists(figures, min_size=1, max_size=8))
def test_a_scale_holds_every_figure_and_zero_and_is_not_much_longer(drawn):
    low, high = scale(drawn)
    assert low <= min(*drawn, Decimal(0))
    assert high >= max(*drawn, Decimal(0))
    span = max(*drawn, Decimal(0)) - min(*drawn, Decimal(0))
    assert high - low <= max(span * 4, Decimal(4))


def test_columns_of_a_year_count_what_happened_in_each():
    drawn = spark("Issued", [(NOON, 2), (NOON + timedelta(days=10), 1)], FRAME)
    assert (drawn.figure, len(drawn.cells)) == ("3", 2)
    assert drawn.line.startswith("M0 100V0.0H1.92V100.0")
    assert drawn.line.endswith("V50.0H100.00")


def test_a_week_goes_up_by_what_came_and_down_by_what_went_measured_by_the_most():
    first, second = week_bars([(date(2026, 11, 9), 600, 300), (date(2026, 11, 16), 0, 1_200)])
    assert (second.label, second.begins, second.came, second.went) == ("w47", "16 Nov", "0", "1,200")
    assert (second.x, second.up, second.top, second.down) == ("58.00", "0.00", "50.00", "49.00")
    assert float(first.top) + float(first.up) == 50
    assert float(first.up) == 2 * float(first.down) > 0
    assert week_bars([(date(2026, 11, 9), 0, 0)])[0].up == "0.00"
    assert week_bars([]) == []


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01", "2026-03-02T10:00+01:00", "9" * 50])
def test_what_names_no_moment_is_none(text):
    assert read_moment(text, "Europe/Berlin") is None


def test_a_moment_is_by_the_readers_clock():
    assert read_moment("2026-03-02T13:00", "Europe/Berlin") == NOON
