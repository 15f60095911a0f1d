"""The scorecard: reckoned from orders and receipts, with what was corrected, sent back, given up and never due."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session

from inventory_app.context import acting_as
from inventory_app.models._base import now
from inventory_app.models.purchasing import GoodsReceipt, GoodsReceiptLine, PurchaseOrder, PurchaseOrderLine
from inventory_app.operations.scorecard import DAYS, scorecard
from inventory_app.permissions import Permission
from inventory_app.unit_of_work import read
from tests.factories import arrange, location, person, product, role, supplier

TODAY = now().date()
UTC = ZoneInfo("UTC")


def day(days: int):
    return TODAY + timedelta(days=days)


def at(days: int):
    return datetime.combine(day(days), time(12), UTC)


class Papers:
    """Writes orders and receipts of one supplier as rows."""

    def __init__(self) -> None:
        self.supplier_id = supplier(status="approved").id or 0
        self.location_id = location().id or 0
        self.number = 0

    def ordered(self, quantity=10, cost="5", *, expected=None, status="ordered", ordered=-30, **line):
        """Order one line; returns its id."""
        self.number += 1
        order_values = {"currency": line.pop("currency", "USD")}

        def build(session: Session) -> int:
            order = PurchaseOrder(
                number=f"PO-{self.number}",
                supplier_id=self.supplier_id,
                status=status,
                location_id=self.location_id,
                expected_on=expected,
                ordered_at=at(ordered),
                **order_values,
            )
            session.add(order)
            session.flush()
            row = PurchaseOrderLine(
                order_id=order.id or 0,
                position=1,
                description="Herring",
                quantity=Decimal(quantity),
                unit_cost=Decimal(cost),
                receivable=Decimal(quantity),
                **line,
            )
            session.add(row)
            session.flush()
            return row.id or 0

        return arrange(build)

    def came(self, line_id, quantity, days, *, kind="receipt", reverses=None):
        """Receive so much of a line; returns the receipt's id."""
        self.number += 1

        def build(session: Session) -> int:
            line = session.get_one(PurchaseOrderLine, line_id)
            receipt = GoodsReceipt(
                number=f"GR-{self.number}",
                order_id=line.order_id,
                kind=kind,
                location_id=self.location_id,
                occurred_at=at(days),
                reverses=reverses,
            )
            session.add(receipt)
            session.flush()
            session.add(
                GoodsReceiptLine(
                    receipt_id=receipt.id or 0,
                    position=1,
                    order_line_id=line_id,
                    quantity=Decimal(quantity),
                    unit_cost=line.unit_cost,
                )
            )
            line.received += Decimal(quantity)
            return receipt.id or 0

        return arrange(build)

    def scores(self):
        """Return the figures by their title, as shown and what they stand on."""
        return {one.title: (one.shown, one.counted) for one in read(scorecard, supplier_id=self.supplier_id)}


@pytest.fixture
def papers(ann):
    with acting_as(ann):
        yield Papers()


def test_nothing_counts_before_anything_was_due(papers):
    papers.ordered(expected=day(3))
    papers.ordered(expected=day(-3), status="draft")
    papers.ordered(expected=day(-3), status="cancelled")
    papers.ordered(expected=day(-3), ordered=-DAYS - 1)
    assert papers.scores() == {
        "On time": ("–", "No line counts yet"),
        "In full": ("–", "No line counts yet"),
        "Price drift": ("–", "Nothing was ordered twice yet"),
    }


def test_a_line_is_on_time_when_its_last_part_came_by_the_expected_day(papers):
    in_time = papers.ordered(expected=day(-5))
    papers.came(in_time, 6, -9)
    papers.came(in_time, 4, -5)
    late = papers.ordered(expected=day(-5))
    papers.came(late, 9, -9)
    papers.came(late, 1, -4)
    papers.ordered(expected=day(-1))
    papers.ordered(expected=day(1), expected_on=day(-1))
    early = papers.ordered(expected=day(9))
    papers.came(early, 10, -1)
    without_a_day = papers.ordered()
    papers.came(without_a_day, 10, -1)
    assert papers.scores()["On time"] == ("40 %", "2 of 5 lines")
    assert papers.scores()["In full"] == ("100 %", "4 of 4 lines")


def test_a_line_that_was_given_up_or_closed_short_is_not_in_full(papers):
    given_up = papers.ordered(given_up=Decimal(4))
    papers.came(given_up, 6, -9)
    papers.ordered(status="closed")
    open_still = papers.ordered()
    papers.came(open_still, 6, -9)
    whole = papers.ordered(status="received")
    papers.came(whole, 10, -9)
    assert papers.scores()["In full"] == ("33.3 %", "1 of 3 lines")


def test_a_receipt_that_was_wrong_does_not_count_and_what_was_sent_back_had_come(papers):
    wrong = papers.ordered(expected=day(-5))
    receipt = papers.came(wrong, 10, -6)
    papers.came(wrong, -10, -6, kind="correction", reverses=receipt)
    assert papers.scores()["On time"] == ("0 %", "0 of 1 line")
    returned = papers.ordered(expected=day(-5))
    papers.came(returned, 10, -6)
    papers.came(returned, -2, -1, kind="return")
    assert papers.scores()["On time"] == ("50 %", "1 of 2 lines")


def test_price_drift_compares_the_last_cost_with_the_first_for_what_was_ordered_last(papers):
    herring, cod = product("HERRING").id, product("COD").id
    papers.ordered(5, "10", product_id=herring, ordered=-300)
    papers.ordered(5, "99", product_id=herring, ordered=-200)
    papers.ordered(20, "11", product_id=herring, ordered=-10)
    assert papers.scores()["Price drift"] == ("+10 %", "1 product ordered again")
    papers.ordered(1, "100", product_id=cod, ordered=-300)
    papers.ordered(1, "50", product_id=cod, ordered=-10)
    papers.ordered(1, "7", product_id=cod, ordered=-5, currency="EUR")
    papers.ordered(1, "0", product_id=cod, ordered=-4)
    papers.ordered(1, "7", ordered=-3)
    # (20 x 11 + 1 x 50) / (20 x 10 + 1 x 100) - 1
    assert papers.scores()["Price drift"] == ("−10 %", "2 products ordered again")


def test_an_unchanged_price_has_no_sign(papers):
    herring = product("HERRING").id
    papers.ordered(5, "10", product_id=herring, ordered=-300)
    papers.ordered(5, "10", product_id=herring, ordered=-10)
    assert papers.scores()["Price drift"] == ("0 %", "1 product ordered again")


def test_figures_are_for_who_sees_orders_and_the_drift_for_who_sees_prices(papers):
    role("buyers", Permission.SUPPLIERS_VIEW, Permission.ORDERS_VIEW)
    role("clerks", Permission.SUPPLIERS_VIEW)
    with acting_as(person("bea", "buyers")):
        assert set(papers.scores()) == {"On time", "In full"}
    with acting_as(person("carla", "clerks")):
        assert papers.scores() == {}


def test_only_the_suppliers_own_orders_count(papers):
    theirs = papers.ordered(expected=day(-5))
    papers.came(theirs, 10, -9)
    papers.supplier_id = supplier("Other", status="approved").id or 0
    assert papers.scores()["On time"] == ("–", "No line counts yet")
