"""A list, declared once: its columns, what it can be narrowed down by, and the page a view of it shows.

A `View` is what somebody looks at: search, filters, order, columns and the place in it. It is written as a plain dict
of texts (`Listing.written`), which is the query of the page's address and whatever else keeps views; `Listing.read`
takes such a dict back and leaves out what it does not know.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy import orm
from sqlmodel import Session

from inventory_app.operations._list_filters import Asking, Filter, How, Words
from inventory_app.operations._paging import PAGE_SIZE, AnySelect, Key, Page, cursor_of, cursor_values, damaged
from inventory_app.permissions import Permission

#: Counted no further: more rows than these are "10,000+".
MOST_COUNTED = 10_000
SIZES = (25, PAGE_SIZE, 100)
SEARCH = "q"
#: The parameters of an address that are no filter.
_SORT, _DIRECTION, _COLUMNS, _SIZE, _CURSOR, _SAVED = "sort", "dir", "columns", "size", "at", "saved"
_STATEMENTS_KEPT = 512
_LONGEST_ID = 19
#: Between the way a row was found in and its place, in a cursor.
_WAY = "."
#: So many groups are looked into one by one for a page, before it is left to the planner.
_MOST_GROUPS = 8


@dataclass(frozen=True, kw_only=True)
class Group:
    """What a column is of, where few records stand for many rows: `reference` of a row, `key` of the record.

    The rows in the order of such a column are read group by group: sorted as a whole, all rows of the first group at
    least would be, of many thousands perhaps. `indexed`: an index has the rows of a group in order.
    """

    key: Key
    reference: Key
    needs: tuple[str, ...] = ()
    indexed: bool = False


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column: `by` sorts it (None: nothing does), `needs` names the joins that takes.

    `nullable`: some rows have no value, and stand last (descending: first). `fixed` ones cannot be taken away, others
    are shown without being asked for unless `extra`.
    """

    key: str
    label: str
    by: Key | None = None
    needs: tuple[str, ...] = ()
    nullable: bool = False
    group: Group | None = None
    #: What rows of one value stand in the order of, instead of what breaks ties in the list: as an index has them.
    then: tuple[Key, ...] = ()
    numeric: bool = False
    permission: Permission | None = None
    fixed: bool = False
    extra: bool = False


@dataclass(frozen=True)
class Join:
    """A table that conditions and orders may need; `needs` come before it."""

    target: Any
    on: Any
    outer: bool = False
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """What somebody looks at in a list; `zone` is where their day begins."""

    search: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    descending: bool = False
    #: The keys of the columns, in the order of the list; none: those that are shown without being asked for.
    columns: tuple[str, ...] = ()
    cursor: str = ""
    size: int = PAGE_SIZE
    zone: str = "UTC"
    #: The kept view it was made from, by its id; "0": none, although this list begins with one.
    saved: str = ""

    @property
    def narrows(self) -> bool:
        """Whether it leaves rows out."""
        return bool(self.search or self.filters)


#: What a view asks for: the shapes of its filters, and the values of their parameters.
_Asked = tuple[tuple[tuple[str, Any], ...], dict[str, Any]]


class _Shape(NamedTuple):
    """What a statement is built from; everything else is a parameter of it."""

    asked: tuple[tuple[str, Any], ...]
    sort: str = ""
    down: bool = False
    #: Whether it reads the rows with a value or those without, and whether it begins at a cursor.
    nulls: bool = False
    begins: bool = False
    #: Whether few rows match: these are found first and then sorted, in whatever order an index has others.
    few: bool = False
    #: Whether it reads one group of the column.
    grouped: bool = False


class Listing:
    """What can be listed: `ident` is what a row is known by, `unique` what breaks ties (itself, if not given)."""

    def __init__(  # noqa: PLR0913  # as many as there are things to declare
        self,
        *,
        permission: Permission,
        table: Any,
        ident: Key,
        columns: Sequence[Column],
        sort: str,
        search: Filter,
        filters: Sequence[Filter] = (),
        joins: Mapping[str, Join] | None = None,
        always: Sequence[str] = (),
        unique: Key | None = None,
        only: Any = None,
    ) -> None:
        """Take the declaration; statements are built when they are first needed."""
        self.permission, self.table, self.ident = permission, table, ident
        self.columns = {column.key: column for column in columns}
        self.sort, self.search = sort, search
        self.filters = {one.key: one for one in filters}
        self._joins, self._always = joins or {}, tuple(always)
        self._unique = ident if unique is None else unique
        #: The condition that every row of the list meets.
        self._only = sa.true() if only is None else only
        self._pages = lru_cache(_STATEMENTS_KEPT)(self._build_page)
        self._counts = lru_cache(_STATEMENTS_KEPT)(self._build_count)
        self._groups = lru_cache(_STATEMENTS_KEPT)(self._build_groups)

    # What a view is, as a dict of texts

    def read(self, query: Mapping[str, str]) -> View:
        """Return the view that an address, or whatever else kept it, asks for; what it cannot ask for is left out."""
        filters = {key: one.tidied(query.get(key, "")) for key, one in self.filters.items()}
        sort, size, saved = (query.get(name, "") for name in (_SORT, _SIZE, _SAVED))
        wanted = query.get(_COLUMNS, "").split(",")
        return View(
            search=self.search.tidied(query.get(SEARCH, "")),
            filters={key: text for key, text in filters.items() if text},
            sort=sort if self._sorts(sort) else self.sort,
            descending=query.get(_DIRECTION) == "desc",
            columns=self._chosen(wanted) if any(key in self.columns for key in wanted) else (),
            cursor=query.get(_CURSOR, ""),
            size=next((one for one in SIZES if str(one) == size), PAGE_SIZE),
            saved=saved if saved.isascii() and saved.isdigit() and len(saved) < _LONGEST_ID else "",
        )

    def written(self, view: View) -> dict[str, str]:
        """Return the view as texts, without its place in the list; what is not said is what goes without saying."""
        said = {SEARCH: view.search} | dict(view.filters)
        said[_SORT] = "" if view.sort in ("", self.sort) else view.sort
        said[_DIRECTION] = "desc" if view.descending else ""
        said[_COLUMNS] = "" if view.columns in ((), self.usual()) else ",".join(view.columns)
        said[_SIZE] = "" if view.size == PAGE_SIZE else str(view.size)
        said[_SAVED] = view.saved
        return {key: text for key, text in said.items() if text}

    def usual(self) -> tuple[str, ...]:
        """Return the columns that are shown without being asked for."""
        return tuple(column.key for column in self.columns.values() if not column.extra)

    def everybodys(self) -> list[str]:
        """Return those of them that need no permission: what is shown before it is known who looks."""
        return [key for key in self.usual() if self.columns[key].permission is None]

    def _chosen(self, keys: Iterable[str]) -> tuple[str, ...]:
        wanted = set(keys)
        return tuple(column.key for column in self.columns.values() if column.fixed or column.key in wanted)

    def toggled(self, view: View, key: str) -> View:
        """Return the view with a column more or less."""
        shown = set(view.columns or self.usual()) ^ {key}
        return replace(view, columns=self._chosen(shown))

    def _sorts(self, key: str) -> bool:
        return key in self.columns and self.columns[key].by is not None

    def allowed(self, view: View, permissions: frozenset[str]) -> View:
        """Return the view without what this viewer may not see: a sort or a filter would tell as much as a column."""

        def may(permission: Permission | None) -> bool:
            return permission is None or permission in permissions

        sort = view.sort if self._sorts(view.sort) and may(self.columns[view.sort].permission) else self.sort
        return replace(
            view,
            sort=sort,
            # A place in one order is none in another.
            cursor=view.cursor if sort == (view.sort or self.sort) else "",
            filters={
                key: text
                for key, text in view.filters.items()
                if key in self.filters and text and may(self.filters[key].permission)
            },
            columns=tuple(
                key for key in view.columns or self.usual() if key in self.columns and may(self.columns[key].permission)
            ),
        )

    # Its rows

    def listed(self, session: Session, view: View, everything: int | None = None) -> tuple[Page[int], int]:
        """Return the page of a view that was `allowed` and how many rows it leaves, counted as `count` does.

        `everything`, if known, is how many rows there are without filters.
        """
        count = everything if everything is not None and not view.narrows else self.count(session, view)
        return self.page(session, view, count=count), count

    def page(self, session: Session, view: View, *, count: int | None = None) -> Page[int]:
        """Return the ids of the rows of a view that was `allowed`, and the cursors beside it.

        Where nobody asked for an order, what begins with the text that is searched for stands first; when nothing is
        found, what is spelt like it is. `count`, if it is known, is how many rows the view leaves. Raises `Invalid` for
        a cursor that is none of this order's.
        """
        at, _, cursor = view.cursor.rpartition(_WAY)
        ways = self._ways(view)
        few = view.narrows and (self.count(session, view) if count is None else count) <= MOST_COUNTED
        if at == How.NEAR:
            return self._read(session, view, (How.NEAR,), (at, cursor), few=few)
        page = self._read(session, view, ways, (at, cursor), few=few)
        if page.rows and isinstance(self.search, Words) and self.search.taken and view.search.strip():
            return replace(page, note=self.search.taken(session, view.search))
        if page.rows or view.cursor or not view.search:
            return page
        return self._read(session, view, (How.NEAR,), ("", ""), few=few)

    def _ways(self, view: View) -> tuple[How, ...]:
        ranks = isinstance(self.search, Words) and bool(self.search.begins or self.search.codes)
        usual = view.sort in ("", self.sort) and not view.descending
        return (How.FIRST, How.OTHERS) if view.search.strip() and ranks and usual else (How.WHOLE,)

    def _read(
        self, session: Session, view: View, ways: tuple[How, ...], at_cursor: tuple[str, str], *, few: bool
    ) -> Page[int]:
        """Read a page in ways that follow each other; `at_cursor` is one of them and the place in it."""
        (at_way, cursor), column = at_cursor, self.columns[view.sort or self.sort]
        backwards, at = cursor_values(cursor, column.key, (column.by, *self._ties(column)))
        down = view.descending != backwards
        segments = [
            (way, nulls)
            for way in (reversed(ways) if backwards else ways)
            for nulls in self._segments(column, down=down)
        ]
        place = None if at is None else (at_way, at[0] is None)
        if place is not None and place not in segments:
            damaged()
        found: list[tuple[How, Any]] = []
        for way, nulls in segments[0 if place is None else segments.index(place) :]:  # pyright: ignore[reportArgumentType]  # an enum of texts
            asked = self._asked(session, view, way)
            if asked is None:
                continue
            begins = at is not None and (way, nulls) == place
            # Few of many may stand first: whoever walks along an index would meet them late.
            few_here = few or (way == How.FIRST and self._count(session, asked) <= MOST_COUNTED)
            shape = _Shape(asked[0], column.key, down, nulls, begins, few_here)
            values = asked[1] | {"rows": view.size + 1 - len(found)}
            if begins and at:
                values |= {"at": at[0]} | {f"at_{number}": value for number, value in enumerate(at[1:])}
            rows = None if few_here or nulls or column.group is None else self._by_group(session, shape, values)
            if rows is None:
                rows = session.connection().execute(self._pages(shape), values).all()
            found += [(way, row) for row in rows]
            if len(found) > view.size:
                break
        beyond, rows = len(found) > view.size, found[: view.size]
        if backwards:
            rows.reverse()
        if not rows:
            return Page([])

        def cursor_at(one: tuple[How, Any], *, backwards: bool) -> str:
            return (one[0] + _WAY if one[0] else "") + cursor_of(one[1][1:], column.key, backwards=backwards)

        has_before, has_after = (beyond, True) if backwards else (at is not None, beyond)
        return Page(
            [row[0] for _, row in rows],
            cursor_at(rows[0], backwards=True) if has_before else "",
            cursor_at(rows[-1], backwards=False) if has_after else "",
            f"Nothing called “{view.search.strip()}” here; similar:" if How.NEAR in ways else "",
        )

    def _by_group(self, session: Session, shape: _Shape, values: dict[str, Any]) -> list[Any] | None:
        """Return the rows group by group; None if they were in none of the first groups: a filter leaves few there."""
        connection, wanted = session.connection(), values["rows"]
        groups = connection.execute(self._groups(shape), values).all()
        found: list[Any] = []
        for number, (by, members) in enumerate(groupby(groups, key=itemgetter(0))):
            if number == _MOST_GROUPS:
                return None
            # Only the group that the cursor is in begins at it.
            begins = shape.begins and by == values["at"]
            statement = self._pages(shape._replace(begins=begins, grouped=True))
            rows: list[Any] = []
            for _, key in members:
                rows += connection.execute(statement, values | {"group": key, "rows": wanted - len(found)}).all()
            # Groups of one name are one in this order.
            rows.sort(key=lambda row: tuple(row[2:]), reverse=shape.down)
            found += rows[: wanted - len(found)]
            if len(found) >= wanted:
                break
        return found

    def _ties(self, column: Column) -> tuple[Key, ...]:
        return column.then or (self._unique,)

    @staticmethod
    def _segments(column: Column, *, down: bool) -> list[bool]:
        """Return what is read one after the other: rows with a value, and those without, which stand last.

        As one statement an index could not begin at the cursor.
        """
        if not column.nullable:
            return [False]
        return [True, False] if down else [False, True]

    def count(self, session: Session, view: View) -> int:
        """Count the rows of a view that was `allowed`; `MOST_COUNTED` + 1 stands for all numbers above."""
        for way in (How.WHOLE, How.NEAR) if view.search else (How.WHOLE,):
            asked = self._asked(session, view, way)
            if asked and (count := self._count(session, asked)):
                return count
        return 0

    def _count(self, session: Session, asked: _Asked) -> int:
        rows = {"rows": MOST_COUNTED + 1}
        return session.connection().execute(self._counts(_Shape(asked[0])), asked[1] | rows).scalar_one()

    def ids(self, session: Session, view: View, most: int) -> list[int]:
        """Return the ids of at most so many rows of a view that was `allowed`, over all its pages."""
        everything = replace(view, cursor="", size=most)
        return self.page(session, everything).rows

    def everything(
        self,
        session: Session,
        view: View,
        what: Sequence[Any],
        needs: Iterable[str] = (),
        joins: Mapping[str, Join] | None = None,
    ) -> tuple[AnySelect, dict[str, Any]]:
        """Return the statement that selects `what` of all rows of a view that was `allowed`, and its values.

        Where nothing is called as it was searched, these are the rows that are spelt alike, as on the page. `joins`
        are tables that `what` needs and the list does not; what they join must not make rows more or fewer.
        """
        # In this way every text asks for something.
        whole = cast("_Asked", self._asked(session, view, How.WHOLE))
        if view.search and isinstance(self.search, Words) and not self._count(session, whole):
            whole = self._asked(session, view, How.NEAR) or whole
        asked, values = whole
        column = self.columns[view.sort or self.sort]
        by: Any = column.by
        needs = (*column.needs, *needs)
        statement = self._from(_Shape(asked, column.key), *what, needs=needs, joins={**self._joins, **(joins or {})})
        keys = (by, *self._ties(column))
        orders = (key.desc() if view.descending else key.asc() for key in keys)
        # Rows without a value stand last, descending first: as the database has it by itself.
        return statement.order_by(*orders), values

    def _asked(self, session: Session, view: View, way: How) -> _Asked | None:
        """Return what a view asks for; None when it is searched in a way in which nothing can be found."""
        asking, asked, values = Asking(session, view.zone), list[tuple[str, Any]](), dict[str, Any]()
        texts = {SEARCH: view.search, **view.filters}
        for key, one in ((SEARCH, self.search), *self.filters.items()):
            if text := one.tidied(texts.get(key, "")):
                found = one.ask_as(asking, text, way) if isinstance(one, Words) else one.ask(asking, text)
                if found is None:
                    return None
                asked.append((key, found[0]))
                values |= found[1]
        return tuple(asked), values

    # Its statements

    def _filter(self, key: str) -> Filter:
        return self.search if key == SEARCH else self.filters[key]

    def _from(
        self, shape: _Shape, *columns: Any, needs: Iterable[str] = (), joins: Mapping[str, Join] | None = None
    ) -> AnySelect:
        needed = [*self._always, *needs]
        for key, _ in shape.asked:
            needed += self._filter(key).needs
        source, joined = self.table, set[str]()
        for name in needed:
            source = _joined(joins or self._joins, source, name, joined)
        conditions = (self._filter(key).condition(own) for key, own in shape.asked)
        return sa.select(*columns).select_from(source).where(self._only, *conditions)

    def _build_count(self, shape: _Shape) -> AnySelect:
        rows = self._from(shape, sa.literal_column("1").label("one")).limit(sa.bindparam("rows", type_=sa.BigInteger()))
        return sa.select(sa.func.count()).select_from(rows.subquery("counted"))

    def _build_page(self, shape: _Shape) -> AnySelect:
        column = self.columns[shape.sort]
        by: Any = column.by
        needs = column.group.needs if column.group and (shape.nulls or shape.grouped) else column.needs
        if column.group and shape.grouped:
            needs = (*needs, *column.needs)
        ties = self._ties(column)
        statement = self._from(shape, self.ident, sa.null() if shape.nulls else by, *ties, needs=needs)
        if column.nullable:
            has = column.group.reference if column.group else by
            statement = statement.where(has.is_(None) if shape.nulls else has.is_not(None))
        if column.group and shape.grouped:
            statement = statement.where(column.group.reference == sa.bindparam("group", type_=column.group.key.type))
        apart = shape.few or (shape.grouped and not (column.group and column.group.indexed))
        if apart:
            # Found as a whole before it is sorted: nobody walks along an index in the hope that a match comes soon.
            labels = [part.label(f"found_{number}") for number, part in enumerate(statement.selected_columns)]
            found = (
                statement.with_only_columns(*labels, maintain_column_froms=True)
                .cte("found")
                .prefix_with("MATERIALIZED")
            )
            ident, by, *ties = found.c
            statement = sa.select(ident, by, *ties)
        if shape.begins:
            statement = statement.where(*self._beyond(column, by, ties, shape))
        orders = ties if shape.nulls or shape.grouped else (by, *ties)
        ordered = statement.order_by(*(key.desc() if shape.down else key.asc() for key in orders))
        return ordered.limit(sa.bindparam("rows", type_=sa.BigInteger()))

    def _build_groups(self, shape: _Shape) -> AnySelect:
        """Select the groups from the cursor on, in order: what the column says of them, and their keys."""
        column = self.columns[shape.sort]
        by: Any = column.by
        key: Any = column.group.key if column.group else None
        statement = sa.select(by, key)
        if shape.begins:
            at = sa.bindparam("at", type_=by.type)
            statement = statement.where(by <= at if shape.down else by >= at)
        return statement.order_by(*(one.desc() if shape.down else one.asc() for one in (by, key)))

    def _beyond(self, column: Column, by: Any, ties: Sequence[Any], shape: _Shape) -> list[Any]:
        kinds: list[tuple[str, Any]] = [] if shape.nulls or shape.grouped else [("at", column.by)]
        kinds += [(f"at_{number}", key) for number, key in enumerate(self._ties(column))]
        there = [sa.bindparam(name, type_=key.type) for name, key in kinds]
        here = [*ties] if shape.nulls or shape.grouped else [by, *ties]
        if len(here) == 1:
            return [here[0] < there[0] if shape.down else here[0] > there[0]]
        beyond = sa.tuple_(*here) < sa.tuple_(*there) if shape.down else sa.tuple_(*here) > sa.tuple_(*there)
        # The second says nothing new, but an index on the column alone can begin there instead of at the first row.
        return [beyond, here[0] <= there[0] if shape.down else here[0] >= there[0]]


def _joined(joins: Mapping[str, Join], source: Any, name: str, joined: set[str]) -> Any:
    if name in joined:
        return source
    join = joins[name]
    for other in join.needs:
        source = _joined(joins, source, other, joined)
    joined.add(name)
    return orm.join(source, join.target, join.on, isouter=join.outer)


#: The lists whose views can be kept, by the path of the page that shows them; each is entered where it is shown.
LISTS: dict[str, Listing] = {}


def say_count(number: int) -> str:
    """Say a number of rows that was counted no further than `MOST_COUNTED`."""
    return f"{MOST_COUNTED:,}+" if number > MOST_COUNTED else f"{number:,}"
