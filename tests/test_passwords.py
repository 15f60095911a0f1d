"""New passwords: what is refused, and the words it is refused with."""

import pytest

from inventory_app.errors import Invalid
from inventory_app.passwords import check_new_password, strength, verify_password

ANN = ("ann.miller", "Ann Miller", "ann.miller@northwind.example")


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "at least 10 characters"),
        ("x" * 201, "at most 200 characters"),
        ("password123", "passwords that are tried first"),
        ("dragonmonkey", "too close to a common word"),
        ("qwertyuiop", "passwords that are tried first"),
        ("aaaaaaaaaaaa", "repeats itself"),
        ("abcdefghijkl", "Rows such as abc"),
        ("annmiller1234", "your own name"),
        ("AnnMiller-2026", "your own name"),
        ("ann.miller@northwind.example", "your own name"),
        ("inventory12", "your own name, address or company"),
    ],
)
def test_what_is_guessed_first_is_refused_in_words(password, words):
    with pytest.raises(Invalid) as refused:
        check_new_password(password, ANN)
    assert words in refused.value.fields["password"]


@pytest.mark.parametrize(
    "password", ["correct horse battery", "seven violet tractors", "dkfjgh4589tyu", "ж" * 5 + "фывапролд!7"]
)
def test_length_and_words_of_any_kind_are_enough(password):
    check_new_password(password, ANN)


def test_judging_the_longest_takes_no_longer_than_we_can_wait():
    assert strength("aB3" * 66, ANN).score < 3
    assert strength("\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16") * 30).score >= 0


def test_a_hash_with_older_parameters_is_renewed_when_it_was_right():
    from passlib.hash import argon2

    old = argon2.using(type="ID", rounds=1, memory_cost=1024, parallelism=1).hash("a long password")
    right, renewed = verify_password("a long password", old)
    assert right
    assert renewed
    assert verify_password("a long password", renewed) == (True, None)
    assert verify_password("wrong", old) == (False, None)
