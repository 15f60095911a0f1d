"""Lists in general: whatever the order, its direction and what has no value, walking the pages meets every row once."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory_app.context import acting_as
from inventory_app.errors import Invalid
from inventory_app.operations import _lists, items, shipments
from inventory_app.operations._item_list import LIST
from inventory_app.operations._list_filters import AnyOf, OneOf, Range, Words
from inventory_app.operations._lists import Column, Group, Join, Listing, View, say_count
from inventory_app.permissions import Permission
from inventory_app.unit_of_work import open_session, read

_TYPES: dict[str, tuple[Any, Any]] = {
    "word": (sa.Text(collation="C"), st.text("abÄ%_\\'", max_size=2)),
    "number": (sa.Numeric(28, 7), st.decimals(-3, 3, places=1)),
    "whole": (sa.BigInteger(), st.integers(-2, 2)),
    "time": (
        sa.DateTime(timezone=True),
        st.integers(0, 3).map(lambda days: datetime(2026, 11, 23, tzinfo=UTC) + timedelta(days=days)),
    ),
}
#: Where rows are: places by number; two have one name.
_PLACES = {1: "b", 2: "a", 3: "b", 4: "c"}
_SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def listing_of(rows: list[dict[str, Any]]) -> Listing:
    """List rows that are nowhere but in the statement."""
    named = [sa.column("id", sa.BigInteger()), *(sa.column(name, kind) for name, (kind, _) in _TYPES.items())]
    named.append(sa.column("place_id", sa.BigInteger()))
    data = [tuple(row.get(column.name) for column in named) for row in rows]
    given = sa.values(*named, name="given").data(data)
    # A column of nothing but NULL would be text.
    table = sa.select(*(sa.cast(given.c[one.name], one.type).label(one.name) for one in named)).subquery("listed")
    names = sa.values(sa.column("id", sa.BigInteger()), sa.column("name", sa.Text(collation="C")), name="place")
    place = sa.select(names.data(list(_PLACES.items()))).subquery("place")
    grouped = Column(
        key="place",
        label="place",
        by=place.c.name,
        needs=("place",),
        nullable=True,
        group=Group(key=place.c.id, reference=table.c.place_id),
    )
    return Listing(
        permission=Permission.INVENTORY_VIEW,
        table=table,
        ident=table.c.id,
        sort="whole",
        columns=[*(Column(key=name, label=name, by=table.c[name], nullable=True) for name in _TYPES), grouped],
        joins={"place": Join(place, place.c.id == table.c.place_id, outer=True)},
        search=Words(key="q", label="Search", word=lambda _, word: (True, {"w": word}), finds=lambda *_: sa.true()),
        filters=[Range(key="number", label="Number", column=table.c.number)],
    )


ROWS = st.lists(
    st.fixed_dictionaries(
        {name: st.none() | values for name, (_, values) in _TYPES.items()}
        | {"place_id": st.sampled_from([None, *_PLACES])}
    ),
    min_size=1,
    max_size=12,
).map(lambda rows: [row | {"id": number, "place": _PLACES.get(row["place_id"])} for number, row in enumerate(rows, 1)])


def in_order(rows: list[dict[str, Any]], sort: str, *, descending: bool) -> list[int]:
    known = sorted((row for row in rows if row[sort] is not None), key=lambda row: (row[sort], row["id"]))
    unknown = sorted((row for row in rows if row[sort] is None), key=lambda row: row["id"])
    ordered = [row["id"] for row in known + unknown]
    return ordered[::-1] if descending else ordered


@_SETTINGS
@given(
    ROWS,
    st.sampled_from([*sorted(_TYPES), "place"]),
    st.booleans(),
    st.integers(1, 5),
    st.sampled_from(["", "0..", "-1..1"]),
    st.sampled_from([1, 1_000_000]),
)
def test_forwards_and_backwards_every_row_is_met_once(database, rows, sort, descending, size, number, many):
    listing = listing_of(rows)
    view = View(sort=sort, descending=descending, size=size, filters={"number": number} if number else {})
    low, _, high = number.partition("..")
    left = [
        row
        for row in rows
        if not number
        or (row["number"] is not None and Decimal(low) <= row["number"] <= (Decimal(high) if high else 99))
    ]
    expected = in_order(left, sort, descending=descending)
    with open_session() as session:
        page = listing.page(session, view, count=many)
        forth, pages = list(page.rows), [page.rows]
        while page.after:
            page = listing.page(session, replace(view, cursor=page.after), count=many)
            forth += page.rows
            pages.append(page.rows)
        assert forth == expected
        back = list(page.rows)
        while page.before:
            page = listing.page(session, replace(view, cursor=page.before), count=many)
            back = page.rows + back
        assert back == expected
        assert listing.count(session, view) == len(expected)
        assert listing.ids(session, view, 3) == expected[:3]
    assert [len(one) for one in pages[:-1]] == [size] * (len(pages) - 1)


@pytest.mark.parametrize("descending", [False, True])
def test_rows_of_the_first_groups_only_or_of_the_last_are_found_all_the_same(database, monkeypatch, descending):
    monkeypatch.setattr(_lists, "_MOST_GROUPS", 1)
    rows = [dict.fromkeys(_TYPES) | {"id": number, "place_id": number % 4 + 1} for number in range(1, 9)]
    rows = [row | {"place": _PLACES[row["place_id"]]} for row in rows]
    with open_session() as session:
        page = listing_of(rows).page(session, View(sort="place", descending=descending, size=7), count=1_000_000)
    assert page.rows == in_order(rows, "place", descending=descending)[:7]


def test_a_list_counts_once_for_its_page_and_what_it_says(database):
    rows = [dict.fromkeys(_TYPES) | {"id": number, "number": Decimal(number)} for number in range(9)]
    listing, view = listing_of(rows), View(sort="number", filters={"number": "5.."}, size=2)
    with open_session() as session:
        page, count = listing.listed(session, view, everything=9)
        assert (page.rows, count) == ([5, 6], 4)
        assert listing.listed(session, View(size=2), everything=9)[1] == 9


def test_a_count_stops_where_it_is_no_longer_cheap(database, monkeypatch):
    monkeypatch.setattr(_lists, "MOST_COUNTED", 3)
    rows = [dict.fromkeys(_TYPES) | {"id": number} for number in range(9)]
    with open_session() as session:
        assert listing_of(rows).count(session, View()) == 4
    assert (say_count(3), say_count(4)) == ("3", "3+")


def test_a_shape_is_built_once_whatever_is_asked_for(database):
    listing = listing_of([dict.fromkeys(_TYPES, None) | {"id": 1, "number": Decimal(1)}])
    with open_session() as session:
        for low in range(5):
            listing.page(session, View(filters={"number": f"{low}.."}))
        listing.page(session, View(filters={"number": "..7"}))
    built = listing._pages.cache_info()
    # Rows with a value and rows without, of two shapes.
    assert (built.misses, built.hits) == (4, 8)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "q": st.text(max_size=9),
            "view": st.sampled_from(["out", "reorder", "other"]),
            "location": st.text("0123456789,!x", max_size=9),
            "on_hand": st.text("0123456789.e-", max_size=9),
            "supplier": st.text(max_size=5),
            "sort": st.sampled_from(["sku", "value", "supplier", "nonsense"]),
            "dir": st.sampled_from(["asc", "desc", "up"]),
            "columns": st.text("abc,", max_size=5) | st.just("sku,on_hand,nonsense"),
            "size": st.sampled_from(["25", "100", "1000000", "x"]),
            "unknown": st.text(max_size=5),
        },
    )
)
def test_a_view_comes_back_from_its_address_as_it_was(query):
    view = LIST.read(query)
    assert LIST.read(LIST.written(view)) == replace(view, cursor="")
    assert "unknown" not in LIST.written(view)
    assert view.size in {25, 50, 100}
    assert LIST.columns[view.sort].by is not None


@given(st.lists(st.text(min_size=1, max_size=5).filter(lambda text: "\0" not in text), max_size=4), st.booleans())
def test_chosen_texts_may_hold_anything(chosen, negated):
    one = AnyOf(key="role", label="Role", matches=lambda names: sa.true(), type_=str)
    form = {f"role:={value}": "on" for value in chosen} | ({"role:not": "1"} if negated else {})
    text = one.gathered(form)
    assert one.tidied(text) == text
    assert one.parts(text) == (form if chosen else {})


def test_what_a_viewer_may_not_see_neither_sorts_nor_narrows_down():
    asked = View(sort="value", filters={"value": "5..", "on_hand": "5.."}, cursor="x", columns=("sku", "value"))
    seen = LIST.allowed(asked, frozenset({"inventory:view"}))
    assert (seen.sort, dict(seen.filters), seen.columns, seen.cursor) == ("sku", {"on_hand": "5.."}, ("sku",), "")
    assert LIST.allowed(asked, frozenset({"inventory:view", "prices:view"})) == asked
    assert LIST.allowed(View(columns=("sku", "password_hash")), frozenset(Permission)).columns == ("sku",)


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ({"on_hand:from": "five"}, {"on_hand:from"}),
        ({"on_hand:from": "7", "on_hand:to": "5"}, {"on_hand:to"}),
        ({"on_hand:to": "1e99"}, {"on_hand:to"}),
    ],
)
def test_a_range_that_is_none_is_refused_beside_its_field(form, fields):
    with pytest.raises(Invalid) as refused:
        LIST.filters["on_hand"].gathered(form)
    assert refused.value.fields.keys() == fields


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("location", "3", ("is", "Bond store")),
        ("location", "!3", ("is not", "Bond store")),
        ("location", "4,3", ("is any of", "Bond store, 4")),
        ("location", "!3,4", ("is none of", "Bond store, 4")),
        ("on_hand", "5..", ("at least", "5")),
        ("on_hand", "..5", ("at most", "5")),
        ("on_hand", "5..7", ("is", "5 to 7")),
        ("on_hand", "5..5", ("is", "5")),
        ("supplier", "acme", ("contains", "acme")),
        ("active", "no", ("is", "archived")),
    ],
)
def test_a_chip_is_a_sentence(key, text, said):
    one = LIST.filters[key]
    assert one.said(one.tidied(text), {"3": "Bond store"}) == said


@pytest.mark.parametrize(
    ("key", "text"), [("view", "out"), ("active", "no"), ("supplier", "acme"), ("on_hand", "5..7")]
)
def test_a_form_says_what_the_address_said(key, text):
    one = LIST.filters[key]
    assert one.gathered(one.parts(one.tidied(text))) == one.tidied(text) != ""
    assert one.gathered(one.parts("")) == ""


def test_words_are_said_as_they_were_typed():
    assert LIST.search.said("bond 12", {}) == ("is", "bond 12")


def test_a_column_more_or_less_is_in_the_address_only_when_it_is_not_the_usual():
    view = LIST.toggled(View(), "category")
    assert LIST.written(view)["columns"].split(",")[2] == "category"
    assert LIST.written(LIST.toggled(view, "category")) == {}
    # A list without these would be no list.
    assert set(LIST.read({"columns": "sku"}).columns) == {"sku", "product", "changed"}
    assert isinstance(LIST.filters["view"], OneOf)


@pytest.mark.parametrize(
    "inside", ["[" * 100_000, '{"a":' * 50_000, "[0,1e999,1]", '[0,"sku",NaN,1]', f"[0,1,{'9' * 5_000}]"]
)
def test_a_cursor_that_is_damaged_however_deep_is_refused_in_words(ann, inside):
    cursor = base64.urlsafe_b64encode(inside.encode()).decode().rstrip("=")
    with acting_as(ann):
        for way in ("", "first."):
            with pytest.raises(Invalid, match="damaged"):
                read(items.list_items, view=View(cursor=f"{way}{cursor}"))
        with pytest.raises(Invalid, match="damaged"):
            read(shipments.list_shipments, view=View(cursor=cursor))
