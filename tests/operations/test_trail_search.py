"""What one may type into the search of the trail, and what it says when it cannot be read."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_app.operations._trail_search import (
    MOST_CHARACTERS,
    MOST_TERMS,
    QUALIFIERS,
    Search,
    Term,
    is_local,
    moment,
    read_search,
    spelled_key,
    stored_key,
)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("   ", ()),
        ("ann", (Term("", "ann"),)),
        ("-ann", (Term("", "ann", excluded=True),)),
        ("actor:ann", (Term("actor", "ann"),)),
        ("ACTOR:Ann", (Term("actor", "Ann"),)),
        ('actor:"Ann Étoile"', (Term("actor", "Ann Étoile"),)),
        ('actor:"system:nightly"', (Term("actor", "system:nightly"),)),
        ("actor:system:nightly", (Term("actor", "system:nightly"),)),
        ('"system:nightly"', (Term("", "system:nightly"),)),
        ("-operation:Sessions.*", (Term("operation", "sessions.*", excluded=True),)),
        ("outcome:Denied outcome:failed", (Term("outcome", "denied"), Term("outcome", "failed"))),
        ("table:product", (Term("table", "product"),)),
        ("record:product/012", (Term("record", "product/12"),)),
        ('record:"user_role/[3, 2]"', (Term("record", "user_role/3,2"),)),
        ("record:user_role/3,2", (Term("record", "user_role/3,2"),)),
        ("record:unit/pcs", (Term("record", "unit/pcs"),)),
        ("ip:10.2.0.18", (Term("ip", "10.2.0.18"),)),
        ("ip:2001:DB8::1", (Term("ip", "2001:db8::1"),)),
        ("ip:10.2.*", (Term("ip", "10.2.*"),)),
        ("after:2026-11-17 before:2026-11-17T09:30", (Term("after", "2026-11-17"), Term("before", "2026-11-17T09:30"))),
        ("ann ann", (Term("", "ann"),)),
        ("a\0b\nc", (Term("", "a"), Term("", "b"), Term("", "c"))),
        ("\ud800ann", (Term("", "ann"),)),
    ],
)
def test_it_reads(text, terms):
    assert read_search(text) == Search(terms)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("aktor:ann", "Did you mean actor:?"),
        ("xyz:ann", "Use actor:, operation:, table:, record:, outcome:, ip:, after: or before:."),
        ("system:nightly", "Text with a colon goes in quotation marks."),
        (":ann", "There is no “:” here."),
        ("actor:", "Say what after “actor:”, for example actor:ann"),
        ('actor:""', "Say what after “actor:”"),
        ('""', "There is nothing between the marks"),
        ("- ann", "stands right before what is to be left out"),
        ('actor:"ann', "A quotation mark is not closed"),
        ("outcome:refused", "There is no outcome “refused”. Use succeeded, failed or denied."),
        ("table:products", "No table “products” is in the trail. Did you mean product?"),
        ("table:xyz", "There are account_link, approval, approval_decision"),
        ("table:session_activity", "No table “session_activity” is in the trail."),
        ("record:12", "A record is a table and its number"),
        ("record:product/", "A record is a table and its number"),
        ("record:products/1", "Did you mean product?"),
        ("record:product/x", "“x” names no record of product: write record:product/id"),
        ("record:user_role/3", "write record:user_role/user_id,role_id"),
        ("record:user_role/[1e999,2]", "names no record of user_role"),
        ("ip:somewhere", "“somewhere” is no address"),
        ("after:yesterday", "“yesterday” is no date: write it as 2026-11-17"),
        ("before:9999-12-31", "is no date"),
        ("after:0001-01-01", "is no date"),
        ("-after:2026-11-17", "use before: instead of -after:"),
        ("-before:2026-11-17", "use after: instead of -before:"),
        ("after:2026-11-17 after:2026-11-18", "Say after: only once."),
        ("x" * (MOST_CHARACTERS + 1), "at most 500 characters"),
        (" ".join(f"w{n}" for n in range(MOST_TERMS + 1)), "at most 20"),
    ],
)
def test_it_says_what_is_wrong_and_how_to_write_it(text, sentence):
    found = read_search(text)
    assert sentence in found.problem
    assert found.terms == ()


@given(st.text(max_size=80))
def test_whatever_is_typed_gives_a_search_or_a_sentence(text):
    found = read_search(text)
    assert not (found.terms and found.problem)


WORDS = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters='"'), min_size=1, max_size=20
).map(lambda text: " ".join(text.split()))


@given(st.lists(st.builds(Term, st.sampled_from(["", "actor"]), WORDS.filter(bool), st.booleans()), max_size=5))
def test_what_is_spelled_reads_the_same_again(terms):
    search = Search(tuple(dict.fromkeys(terms)))
    assert read_search(str(search)) == search


def test_a_term_is_added_once_and_taken_off():
    ann, bob = Term("actor", "ann"), Term("actor", "bob", excluded=True)
    search = Search().adding(ann).adding(ann, bob)
    assert str(search) == "actor:ann -actor:bob"
    assert str(search.without(ann)) == "-actor:bob"
    assert search.values("actor") == ["ann"]
    assert search.values("actor", excluded=True) == ["bob"]


def test_a_date_takes_the_place_of_the_one_before():
    search = read_search("after:2026-11-01 ann").adding(Term("after", "2026-11-17"))
    assert str(search) == "ann after:2026-11-17"


def test_before_a_day_includes_the_day_and_before_a_time_does_not():
    assert moment("2026-11-17") == datetime(2026, 11, 17, tzinfo=UTC)
    assert moment("2026-11-17", end=True) == datetime(2026, 11, 18, tzinfo=UTC)
    assert moment("2026-11-17T09:30+02:00", end=True) == datetime(2026, 11, 17, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(("table", "pk"), [("product", "12"), ("user_role", "[3, 2]"), ("unit", '["pcs"]')])
def test_a_key_as_the_trail_holds_it_is_spelled_for_people_and_back(table, pk):
    assert stored_key(table, spelled_key(pk)) == pk


def test_every_qualifier_has_an_example_that_can_be_read():
    for name in QUALIFIERS:
        example = read_search(f"{name}:").problem.rpartition("for example ")[2].rstrip(".").split(" or ")
        assert all(read_search(text).problem == "" for text in example), example


def test_a_time_without_a_zone_is_of_the_readers_clock():
    assert moment("2026-07-01T09:30", "Europe/Berlin") == datetime(2026, 7, 1, 7, 30, tzinfo=UTC)
    assert moment("2026-07-01T09:30+00:00", "Europe/Berlin") == datetime(2026, 7, 1, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("after:2026-11-17", True),
        ("before:2026-11-17T09:30", True),
        ("after:2026-11-17T09:30Z", False),
        ("actor:2026-11-17", False),
        ("2026-11-17", False),
    ],
)
def test_only_a_day_or_a_time_without_a_zone_means_something_else_elsewhere(text, local):
    (term,) = read_search(text).terms
    assert is_local(term) is local
