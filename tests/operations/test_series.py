"""The numbers of our own papers follow each other, also for two people at once, and a failure leaves no gap."""

from datetime import date

import pytest

from inventory_app.context import acting_as, system_actor
from inventory_app.operations import _series
from tests.factories import arrange
from tests.fixtures.seeing import Side, before_commit, wait_until_blocked

DAY = date(2026, 11, 23)


def drawn(kind=_series.ORDER, on=DAY):
    return arrange(lambda session: _series.draw(session, kind, on))


@pytest.mark.usefixtures("database")
def test_numbers_follow_each_other_by_kind_and_year():
    assert [drawn(), drawn(), drawn(_series.RECEIPT), drawn(on=date(2027, 1, 1)), drawn()] == [
        "PO-2026-0001",
        "PO-2026-0002",
        "GR-2026-0001",
        "PO-2027-0001",
        "PO-2026-0003",
    ]


@pytest.mark.usefixtures("database")
def test_what_fails_leaves_no_gap():
    def fail(session):
        _series.draw(session, _series.ORDER, DAY)
        raise ArithmeticError

    drawn()
    with pytest.raises(ArithmeticError):
        arrange(fail)
    assert drawn() == "PO-2026-0002"


def test_two_at_once_wait_for_each_other(observer):
    with acting_as(system_actor("test")), Side(drawn, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(drawn) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            assert (one.result(), other.result()) == ("PO-2026-0001", "PO-2026-0002")
