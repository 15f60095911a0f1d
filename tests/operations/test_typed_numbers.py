"""What counts as a number in a field: plain digits with one decimal separator, and never a guess."""

from decimal import Decimal

import pytest

from inventory_app.operations._numbers import typed


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        ("12", "12"),
        ("-12", "-12"),
        ("+12", "12"),
        ("007", "7"),
        ("12.5", "12.5"),
        ("12,5", "12.5"),
        ("1.234", "1.234"),
        ("0,125", "0.125"),
        ("1234,125", "1234.125"),
        ("-0", "0"),
    ],
)
def test_plain_digits_with_one_separator_are_a_number(text, number):
    assert typed(text) == Decimal(number)
    assert not typed(text).is_signed() or typed(text) < 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1e2",
        "1E2",
        "\u0663",
        "\uff11\uff12",
        "\u0967\u0968",
        "½",
        "Infinity",
        "NaN",
        "0x10",
        "1_000",
        "--1",
        "1.",
        ".5",
        "1-",
        "12 pcs",
    ],
)
def test_what_is_no_plain_number_is_refused(text):
    with pytest.raises(ValueError, match=r"^Enter a number such as 12 or 12\.5\.$"):
        typed(text)


@pytest.mark.parametrize(
    "text", ["1 234", "1 234,5", "1'234", "1,234,567", "1.234.567", "1,234.5", "1.234,5", "-1 234"]
)
def test_separated_thousands_are_refused_with_what_to_write(text):
    with pytest.raises(ValueError, match=r"^Leave out what separates the thousands: write 1234 or 1234\.5\.$"):
        typed(text)


def test_what_can_mean_two_numbers_names_both():
    with pytest.raises(ValueError, match=r"^1,234 can mean two numbers\. Write 1234 or 1\.234\.$"):
        typed("1,234")


def test_a_megabyte_is_not_looked_at():
    with pytest.raises(ValueError, match="too large"):
        typed("1" * 1_000_000)
