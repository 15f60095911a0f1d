"""Whether invoices agree with orders and receipts: summed over all papers, found again whenever something changes."""

from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.models.purchasing import OrderStatus
from inventory_app.operations import _matching
from tests.factories import person, supplier
from tests.operations.papers import Want, becomes, came, credit, found_of, line, order, paper, pay, record, status


@pytest.fixture(autouse=True)
def clerk(database):
    """Let somebody record who may."""
    with acting_as(person("cleo", "accountant")) as actor:
        yield actor


@pytest.fixture
def acme(database) -> int:
    return supplier("Acme", status="approved").id or 0


def said(number):
    """Return what is said about each line of a paper."""
    return [(one.word(), one.details(prices=True)) for one in found_of(number).lines]


def test_what_came_and_costs_what_was_agreed_matches(acme):
    placed = order(acme, Want(40, 10, received=40))
    done = record("SB-1", line(placed.lines[0], 40))
    assert (done.status, done.differences) == ("matched", 0)
    assert paper("SB-1").matched_at is not None
    assert said("SB-1") == [("Matches", "")]


def test_more_than_came_is_blocked_and_says_by_how_much_and_what_it_is_worth(acme):
    placed = order(acme, Want(60, 10, received=30))
    assert record("SB-1", line(placed.lines[0], 40)).status == "blocked"
    assert said("SB-1") == [("10 too many invoiced", "not received yet, 100.00 USD not covered")]
    assert found_of("SB-1").lines[0].details(prices=False) == "not received yet"


def test_what_is_not_covered_is_said_to_the_cent(acme):
    placed = order(acme, Want(30, "29.3433", received=15))
    record("SB-1", line(placed.lines[0], 30, "29.3433"))
    assert said("SB-1") == [("15 too many invoiced", "not received yet, 440.15 USD not covered")]


def test_more_than_was_ordered_says_so(acme):
    placed = order(acme, Want(60, 10, received=60))
    record("SB-1", line(placed.lines[0], 70))
    assert said("SB-1") == [("10 too many invoiced", "more than ordered, 100.00 USD not covered")]


def test_lines_are_summed_within_a_paper_and_over_papers(acme):
    placed = order(acme, Want(60, 10, received=30))
    assert record("A", line(placed.lines[0], 10), line(placed.lines[0], 10)).status == "matched"
    assert record("B", line(placed.lines[0], 20)).status == "blocked"
    # Who came first is covered first.
    assert status("A") == "matched"
    assert said("B") == [("10 too many invoiced", "not received yet, 100.00 USD not covered")]


def test_it_matches_by_itself_when_the_goods_come_and_is_blocked_again_when_they_go_back(acme):
    placed = order(acme, Want(60, 10, received=30))
    record("A", line(placed.lines[0], 40))
    version = paper("A").version
    came(placed, received=40)
    assert (status("A"), paper("A").version) == ("matched", version + 1)
    came(placed, received=41)
    assert paper("A").version == version + 1
    came(placed, received=0)
    assert status("A") == "blocked"
    assert paper("A").matched_at is None


def test_a_price_within_the_tolerance_matches_and_says_what_it_is(acme):
    placed = order(acme, Want(12, 81, received=12), Want(10, 50, received=10), Want(1, 0, received=1))
    record("A", line(placed.lines[0], 12, "82.50"), line(placed.lines[1], 10, 40), line(placed.lines[2], 1, 0))
    assert said("A") == [("Matches", "price +1.9 %, 2 % allowed"), ("Matches", "price -20 %"), ("Matches", "")]
    assert status("A") == "matched"


@pytest.mark.parametrize(("cost", "agrees"), [("10.20", True), ("10.2001", False)])
def test_the_tolerance_is_exact(acme, cost, agrees):
    placed = order(acme, Want(1, 10, received=1))
    assert record("A", line(placed.lines[0], 1, cost)).status == ("matched" if agrees else "blocked")


def test_a_price_beyond_the_tolerance_is_blocked_and_only_who_sees_prices_reads_by_how_much(acme):
    placed = order(acme, Want(1, 10, received=1), Want(1, 0, received=1))
    record("A", line(placed.lines[0], 1, 11), line(placed.lines[1], 1, 1))
    assert said("A") == [("Price too high", "price +10 %, 2 % allowed"), ("Price too high", "price, 2 % allowed")]
    assert found_of("A").lines[0].details(prices=False) == ""


def test_the_tolerance_is_a_setting(acme, configure):
    placed = order(acme, Want(1, 10, received=1))
    configure(INVENTORY_PRICE_TOLERANCE_PERCENT="10")
    assert record("A", line(placed.lines[0], 1, 11)).status == "matched"


def test_what_is_not_kept_in_stock_is_matched_with_the_order_alone(acme):
    placed = order(acme, Want(4, 100, stock=False))
    assert record("A", line(placed.lines[0], 4, 100)).status == "matched"
    assert said("A") == [("Matches", "not kept in stock")]
    assert record("B", line(placed.lines[0], 1, 100)).status == "blocked"
    assert said("B") == [("1 too many invoiced", "more than ordered, 100.00 USD not covered")]


def test_what_was_given_up_is_not_owed(acme):
    placed = order(acme, Want(4, 100, stock=False, given_up=3))
    assert record("A", line(placed.lines[0], 2, 100)).status == "blocked"


@pytest.mark.parametrize("before", [OrderStatus.DRAFT, OrderStatus.SUBMITTED, OrderStatus.APPROVED])
def test_an_order_that_is_not_with_the_supplier_is_owed_nothing(acme, before):
    placed = order(acme, Want(4, 100, stock=False), status=before)
    assert record("A", line(placed.lines[0], 1, 100)).status == "blocked"
    called = "The draft" if before == OrderStatus.DRAFT else "PO-2026-"
    assert said("A")[0][1].startswith(called)
    assert "is not ordered" in said("A")[0][1]
    becomes(placed, status=OrderStatus.ORDERED, number="PO-X")
    assert status("A") == "matched"
    becomes(placed, status=OrderStatus.CANCELLED)
    assert status("A") == "blocked"


def test_more_tax_than_was_ordered_is_blocked_and_less_is_not(acme):
    placed = order(acme, Want(2, 10, tax=7, received=2))
    assert record("A", line(placed.lines[0], 1, tax=19)).status == "blocked"
    assert said("A") == [("More tax than ordered", "19 %, 7 % ordered")]
    assert record("B", line(placed.lines[0], 1, tax=0)).status == "matched"


def test_another_currency_cannot_be_compared(acme):
    placed = order(acme, Want(2, 10, received=2))
    assert record("A", line(placed.lines[0], 1), currency="EUR", rate=Decimal("1.1")).status == "blocked"
    [(word, details)] = said("A")
    assert word == "Another currency"
    assert details.endswith("is in USD")


def test_several_things_about_one_line_are_said_together(acme):
    placed = order(acme, Want(2, 10, received=1))
    record("A", line(placed.lines[0], 2, 20, tax=5))
    assert said("A") == [
        ("1 too many invoiced", "not received yet, 20.00 USD not covered, price too high, more tax than ordered")
    ]


def test_what_is_on_no_order_is_blocked_and_a_discount_is_not(acme):
    placed = order(acme, Want(10, 10, received=10))
    assert record("A", line(placed.lines[0], 10), line(quantity=-1, cost=5, description="Rebate")).status == "matched"
    assert said("A")[1] == ("Matches", "lowers the amount")
    assert record("B", line(), supplier_id=acme).status == "blocked"
    assert said("B") == [("Not on an order", "there is nothing to compare it with")]


def test_a_credit_note_covers_what_was_too_many(acme):
    placed = order(acme, Want(60, 10, received=30))
    blocked = record("A", line(placed.lines[0], 40))
    assert credit("C", line(placed.lines[0], 10), invoice_id=blocked.invoice_id).status == "matched"
    assert (status("A"), paper("C").gross) == ("matched", -100)
    assert said("C") == [("Matches", "credited")]
    # And no more than that.
    assert record("B", line(placed.lines[0], 1)).status == "blocked"


@pytest.mark.parametrize(
    ("credited", "word"),
    [
        ({"quantity": 41}, "1 more credited than invoiced"),
        ({"quantity": 10, "cost": 0}, "Credited for less than invoiced"),
        ({"quantity": 10, "cost": "9.99"}, "Credited for less than invoiced"),
        ({"quantity": 10, "tax": 0}, "Less tax credited than invoiced"),
    ],
)
def test_a_credit_note_that_does_not_agree_covers_nothing_until_it_is_released(acme, credited, word):
    placed = order(acme, Want(60, 10, tax=7, received=30))
    record("A", line(placed.lines[0], 40, tax=7))
    assert credit("C", line(placed.lines[0], **({"tax": 7} | credited))).status == "blocked"
    assert [one[0] for one in said("C")] == [word]
    assert status("A") == "blocked"


def test_a_credit_in_another_currency_covers_nothing(acme):
    placed = order(acme, Want(60, 10, received=30))
    done = record("A", line(placed.lines[0], 40))
    note = credit("C", line(placed.lines[0], 10), invoice_id=done.invoice_id, currency="EUR", rate=Decimal(1))
    assert (note.status, note.differences, status("A")) == ("blocked", 2, "blocked")
    assert said("C") == [("Another currency", "than what it credits")]
    assert found_of("C").findings[0].word == "A is in USD"


def test_all_credit_notes_about_an_invoice_come_to_no_more_than_it(acme):
    placed = order(acme, Want(60, 10, received=40))
    done = record("A", line(placed.lines[0], 40))
    rebate = line(cost=300, description="Rebate")
    assert credit("C1", rebate, invoice_id=done.invoice_id).status == "matched"
    assert credit("C2", rebate, invoice_id=done.invoice_id).status == "blocked"
    [finding] = found_of("C2").findings
    assert (finding.word, finding.amounts) == ("More credited than A came to", "200.00 USD too much")
    assert found_of("C2").differences == 1
    assert status("C1") == "matched"


def test_a_credit_note_about_two_orders_reaches_what_hangs_on_the_other_one(acme):
    one, two = order(acme, Want(10, 10)), order(acme, Want(10, 10))
    record("A", line(one.lines[0], 10))
    record("B", line(two.lines[0], 10))
    assert (status("A"), status("B")) == ("blocked", "blocked")
    # More is credited of the first order than was invoiced, so the credit of the second counts neither.
    record("C-source", line(one.lines[0], 1))
    assert credit("C", line(one.lines[0], 12), line(two.lines[0], 10)).status == "blocked"
    assert status("B") == "blocked"
    # Another invoice of the first order makes the credit note agree, and with it the invoice of the second.
    record("D", line(one.lines[0], 1))
    assert (status("C"), status("B")) == ("matched", "matched")


def test_what_is_paid_in_part_keeps_its_status_and_cannot_be_paid_further(acme):
    placed = order(acme, Want(40, 10, received=40))
    record("A", line(placed.lines[0], 40))
    assert _matching.why_not_payable(paper("A")) == ""
    pay("A", 100)
    version = paper("A").version
    came(placed, received=30)
    now = paper("A")
    assert (now.status, now.matched_at, now.version) == ("matched", None, version + 1)
    assert _matching.contested(now)
    assert _matching.why_not_payable(now).startswith("A agrees no more")
    came(placed, received=29)
    assert paper("A").version == version + 1
    came(placed, received=40)
    assert _matching.why_not_payable(paper("A")) == ""
    came(placed, received=30)
    pay("A", 0)
    assert status("A") == "blocked"
    assert _matching.why_not_payable(paper("A")).startswith("A does not agree with what was ordered and came.")


def test_two_orders_on_one_invoice_must_both_have_come(acme):
    one, two = order(acme, Want(10, 10, received=10)), order(acme, Want(10, 10))
    assert record("A", line(one.lines[0], 10), line(two.lines[0], 10)).status == "blocked"
    came(two, received=10)
    assert status("A") == "matched"
