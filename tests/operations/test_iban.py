"""IBANs: the registry's own examples are right, and one changed character is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_app.operations import _iban

#: Examples of the registry (ISO 13616).
EXAMPLES = [
    "AD12 0001 2030 2003 5910 0100",
    "AE07 0331 2345 6789 0123 456",
    "AT61 1904 3002 3457 3201",
    "BE68 5390 0754 7034",
    "BG80 BNBG 9661 1020 3456 78",
    "BR18 0036 0305 0000 1000 9795 493C 1",
    "CH93 0076 2011 6238 5295 7",
    "CY17 0020 0128 0000 0012 0052 7600",
    "CZ65 0800 0000 1920 0014 5399",
    "DE89 3704 0044 0532 0130 00",
    "DK50 0040 0440 1162 43",
    "EE38 2200 2210 2014 5685",
    "ES91 2100 0418 4502 0005 1332",
    "FI21 1234 5600 0007 85",
    "FR14 2004 1010 0505 0001 3M02 606",
    "GB29 NWBK 6016 1331 9268 19",
    "GR16 0110 1250 0000 0001 2300 695",
    "HU42 1177 3016 1111 1018 0000 0000",
    "IE29 AIBK 9311 5212 3456 78",
    "IT60 X054 2811 1010 0000 0123 456",
    "LU28 0019 4006 4475 0000",
    "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
    "NL91 ABNA 0417 1643 00",
    "NO93 8601 1117 947",
    "PL61 1090 1014 0000 0712 1981 2874",
    "PT50 0002 0123 1234 5678 9015 4",
    "SE45 5000 0000 0583 9825 7466",
    "SK31 1200 0000 1987 4263 7541",
    "TR33 0006 1005 1978 6457 8413 26",
]


@pytest.mark.parametrize("written", EXAMPLES)
def test_the_registrys_examples_are_right_however_they_are_written(written):
    kept = _iban.plain(written)
    assert kept == written.replace(" ", "")
    assert _iban.fault(kept) == ""
    assert _iban.plain(written.lower().replace(" ", "-")) == kept
    assert _iban.spaced(kept) == written


@pytest.mark.parametrize(
    ("iban", "sentence"),
    [
        ("", "Enter the whole IBAN"),
        ("DK5", "Enter the whole IBAN"),
        ("5000400440116243DK", "Enter the whole IBAN"),
        ("DK50004004401162É3", "Enter the whole IBAN"),
        ("US64SVBKUS6S3300958879", "No country writes its IBANs with US"),
        ("DK500040044011624", "An IBAN of DK has 18 characters; this one has 17."),
        ("DK5000400440116244", "The check digits do not fit"),
    ],
)
def test_it_says_what_is_wrong(iban, sentence):
    assert _iban.fault(iban).startswith(sentence)


@given(st.sampled_from(EXAMPLES), st.data())
def test_one_changed_digit_or_two_swapped_ones_are_found(written, data):
    kept = _iban.plain(written)
    digits = [at for at, character in enumerate(kept) if character.isdigit()]
    at = data.draw(st.sampled_from(digits))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != kept[at]]))
    changed = kept[:at] + other + kept[at + 1 :]
    # 00 and 97, 01 and 98, 02 and 99 are the same to the rule.
    assert _iban.fault(changed) != "" or at in (2, 3)
    neighbours = [at for at in range(4, len(kept) - 1) if kept[at] != kept[at + 1] and kept[at : at + 2].isdigit()]
    at = data.draw(st.sampled_from(neighbours))
    assert _iban.fault(kept[:at] + kept[at + 1] + kept[at] + kept[at + 2 :]) != ""


def test_a_masked_number_tells_two_accounts_apart_and_no_more():
    assert _iban.masked("FR1420041010050500013M02606") == "FR14 ···· 2606"
