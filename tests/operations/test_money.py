"""Amounts on papers are rounded line by line, half up, the same way on either side of zero."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_app.errors import Invalid
from inventory_app.operations import _money
from inventory_app.operations._money import Sum

D = Decimal
quantities = st.decimals("0.001", "9999999.999", places=3)
costs = st.decimals("0", "99999.9999", places=4)
percents = st.decimals("0", "100", places=2)


def test_a_line_is_rounded_half_up_before_its_tax_is():
    assert _money.of_line(D("3"), D("0.335"), D("25")) == Sum(D("1.01"), D("0.25"))
    assert _money.of_line(D("1"), D("0.005")).gross == D("0.01")
    assert _money.total([Sum(D("1.01"), D("0.25")), Sum(D("-0.01"), D(0))]) == Sum(D("1.00"), D("0.25"))
    assert _money.total([]) == Sum()


@given(quantities, costs, percents)
def test_a_credit_takes_back_exactly_what_was_invoiced(quantity, cost, percent):
    there, back = _money.of_line(quantity, cost, percent), _money.of_line(-quantity, cost, percent)
    assert there + back == Sum()


@given(quantities, costs, percents)
def test_no_line_is_rounded_by_more_than_half_a_cent(quantity, cost, percent):
    line = _money.of_line(quantity, cost, percent)
    assert abs(line.net - quantity * cost) <= D("0.005")
    assert abs(line.tax - line.net * percent / 100) <= D("0.005")


def test_the_base_currency_keeps_four_decimals():
    assert _money.in_base(D("10.01"), D("1.08345678")) == D("10.8454")


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "NaN", "Infinity", "1e20"])
def test_an_amount_is_more_than_nothing_in_whole_cents(amount):
    with pytest.raises(Invalid) as refused:
        _money.checked_amount(D(amount))
    assert refused.value.fields["amount"]
    assert _money.checked_amount(D("0.01")) == D("0.01")


def test_a_currency_has_three_letters():
    assert (_money.checked_currency(" eur "), _money.checked_currency("")) == ("EUR", "USD")
    with pytest.raises(Invalid) as refused:
        _money.checked_currency("euro")
    assert "three letters" in refused.value.fields["currency"]


def test_the_currency_of_the_books_is_worth_one():
    assert _money.checked_rate("USD", None) == _money.checked_rate("USD", D(1)) == 1
    with pytest.raises(Invalid) as refused:
        _money.checked_rate("USD", D("1.1"))
    assert "its rate is 1" in refused.value.fields["rate"]


@pytest.mark.parametrize("rate", [None, D(0), D(-1), D("NaN"), D("1e12"), D("0.123456789")])
def test_another_currency_needs_a_rate(rate):
    with pytest.raises(Invalid):
        _money.checked_rate("EUR", rate)
    assert _money.checked_rate("EUR", D("1.0834")) == D("1.0834")


def test_amounts_are_written_as_people_do():
    assert [_money.said(D("1234.5"), "EUR"), _money.said(D("0.1250")), _money.said(D("-3"))] == [
        "1,234.50 EUR",
        "0.125",
        "-3.00",
    ]
