"""A list, declared once: its columns, what it can be narrowed down by, and the page a view of it shows.

A `View` is what somebody looks at: search, filters, order, columns and the place in it. It is written as a plain dict
of texts (`Listing.written`), which is the query of the page's address and whatever else keeps views; `Listing.read`
takes such a dict back and leaves out what it does not know.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from inventory_app.operations._list_filters import Asking, Filter
from inventory_app.operations._paging import PAGE_SIZE, AnySelect, Key, Page, cursor_of, cursor_values
from inventory_app.permissions import Permission

#: Counted no further: more rows than these are "10,000+".
MOST_COUNTED = 10_000
SIZES = (25, PAGE_SIZE, 100)
SEARCH = "q"
#: The parameters of an address that are no filter.
_SORT, _DIRECTION, _COLUMNS, _SIZE, _CURSOR = "sort", "dir", "columns", "size", "at"
_STATEMENTS_KEPT = 512


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

    @property
    def narrows(self) -> bool:
        """Whether it leaves rows out."""
        return bool(self.search or self.filters)


class _Shape(NamedTuple):
    """What a statement is built from; everything else is a parameter of it."""

    asked: tuple[tuple[str, Any], ...]
    sort: str = ""
    down: bool = False
    #: Whether it reads the rows with a value or those without, and whether it begins at a cursor.
    nulls: bool = False
    begins: bool = False


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
    ) -> None:
        """Take the declaration; statements are built when they are first needed."""
        self.permission, self.table, self.ident = permission, table, ident
        self.columns = {column.key: column for column in columns}
        self.sort, self.search = sort, search
        self.filters = {one.key: one for one in filters}
        self._joins, self._always = joins or {}, tuple(always)
        self._unique = ident if unique is None else unique
        self._pages = lru_cache(_STATEMENTS_KEPT)(self._build_page)
        self._counts = lru_cache(_STATEMENTS_KEPT)(self._build_count)

    # What a view is, as a dict of texts

    def read(self, query: Mapping[str, str]) -> View:
        """Return the view that an address, or whatever else kept it, asks for; what it cannot ask for is left out."""
        filters = {key: one.tidied(query.get(key, "")) for key, one in self.filters.items()}
        sort, size = query.get(_SORT, ""), query.get(_SIZE, "")
        wanted = query.get(_COLUMNS, "").split(",")
        return View(
            search=self.search.tidied(query.get(SEARCH, "")),
            filters={key: text for key, text in filters.items() if text},
            sort=sort if self._sorts(sort) else self.sort,
            descending=query.get(_DIRECTION) == "desc",
            columns=self._chosen(wanted) if any(key in self.columns for key in wanted) else (),
            cursor=query.get(_CURSOR, ""),
            size=next((one for one in SIZES if str(one) == size), PAGE_SIZE),
        )

    def written(self, view: View) -> dict[str, str]:
        """Return the view as texts, without its place in the list; what is not said is what goes without saying."""
        said = {SEARCH: view.search} | dict(view.filters)
        said[_SORT] = "" if view.sort in ("", self.sort) else view.sort
        said[_DIRECTION] = "desc" if view.descending else ""
        said[_COLUMNS] = "" if view.columns in ((), self.usual()) else ",".join(view.columns)
        said[_SIZE] = "" if view.size == PAGE_SIZE else str(view.size)
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
            columns=tuple(key for key in view.columns or self.usual() if may(self.columns[key].permission)),
        )

    # Its rows

    def page(self, session: Session, view: View) -> Page[int]:
        """Return the ids of the rows of a view that was `allowed`, and the cursors beside it.

        Raises `Invalid` for a cursor that is none of this order's.
        """
        asked, values = self._asked(session, view)
        column = self.columns[view.sort or self.sort]
        backwards, at = cursor_values(view.cursor, column.key, (column.by, self._unique))
        down = view.descending != backwards
        found: list[Any] = []
        for nulls in self._segments(column, down=down, at=at):
            begins = at is not None and (at[0] is None) == nulls
            shape = _Shape(asked, column.key, down, nulls, begins)
            more = {"rows": view.size + 1 - len(found)} | ({"at": at[0], "at_id": at[1]} if begins and at else {})
            found += session.connection().execute(self._pages(shape), values | more).all()
            if len(found) > view.size:
                break
        beyond, rows = len(found) > view.size, found[: view.size]
        if backwards:
            rows.reverse()
        if not rows:
            return Page([])
        has_before, has_after = (beyond, True) if backwards else (at is not None, beyond)
        return Page(
            [row[0] for row in rows],
            cursor_of(rows[0][1:], column.key, backwards=True) if has_before else "",
            cursor_of(rows[-1][1:], column.key, backwards=False) if has_after else "",
        )

    @staticmethod
    def _segments(column: Column, *, down: bool, at: Sequence[Any] | None) -> list[bool]:
        """Return what is read one after the other: rows with a value, and those without, which stand last.

        As one statement an index could not begin at the cursor.
        """
        if not column.nullable:
            return [False]
        segments = [True, False] if down else [False, True]
        return segments[1:] if at is not None and (at[0] is None) != segments[0] else segments

    def count(self, session: Session, view: View) -> int:
        """Count the rows of a view that was `allowed`; `MOST_COUNTED` + 1 stands for all numbers above."""
        asked, values = self._asked(session, view)
        found = session.connection().execute(self._counts(_Shape(asked)), values | {"rows": MOST_COUNTED + 1})
        return found.scalar_one()

    def ids(self, session: Session, view: View, most: int) -> list[int]:
        """Return the ids of at most so many rows of a view that was `allowed`, over all its pages."""
        everything = replace(view, cursor="", size=most)
        return self.page(session, everything).rows

    def _asked(self, session: Session, view: View) -> tuple[tuple[tuple[str, Any], ...], dict[str, Any]]:
        asking, asked, values = Asking(session, view.zone), list[tuple[str, Any]](), dict[str, Any]()
        texts = {SEARCH: view.search, **view.filters}
        for key, one in ((SEARCH, self.search), *self.filters.items()):
            if text := one.tidied(texts.get(key, "")):
                shape, own = one.ask(asking, text)
                asked.append((key, shape))
                values |= own
        return tuple(asked), values

    # Its statements

    def _filter(self, key: str) -> Filter:
        return self.search if key == SEARCH else self.filters[key]

    def _from(self, shape: _Shape, *columns: Any, needs: Iterable[str] = ()) -> AnySelect:
        statement = sa.select(*columns).select_from(self.table)
        needed = [*self._always, *needs]
        for key, _ in shape.asked:
            needed += self._filter(key).needs
        joined = set[str]()
        for name in needed:
            statement = self._joined(statement, name, joined)
        return statement.where(*(self._filter(key).condition(own) for key, own in shape.asked))

    def _joined(self, statement: AnySelect, name: str, joined: set[str]) -> AnySelect:
        if name in joined:
            return statement
        join = self._joins[name]
        for other in join.needs:
            statement = self._joined(statement, other, joined)
        joined.add(name)
        return statement.join(join.target, join.on, isouter=join.outer)

    def _build_count(self, shape: _Shape) -> AnySelect:
        rows = self._from(shape, sa.literal_column("1").label("one")).limit(sa.bindparam("rows", type_=sa.BigInteger()))
        return sa.select(sa.func.count()).select_from(rows.subquery("counted"))

    def _build_page(self, shape: _Shape) -> AnySelect:
        column, unique = self.columns[shape.sort], self._unique
        by: Any = column.by
        statement = self._from(shape, self.ident, sa.null() if shape.nulls else by, unique, needs=column.needs)
        if column.nullable:
            statement = statement.where(by.is_(None) if shape.nulls else by.is_not(None))
        if shape.begins:
            statement = statement.where(*self._beyond(by, shape))
        orders = (unique,) if shape.nulls else (by, unique)
        ordered = statement.order_by(*(key.desc() if shape.down else key.asc() for key in orders))
        return ordered.limit(sa.bindparam("rows", type_=sa.BigInteger()))

    def _beyond(self, by: Any, shape: _Shape) -> list[Any]:
        at_id = sa.bindparam("at_id", type_=self._unique.type)
        if shape.nulls:
            return [self._unique < at_id if shape.down else self._unique > at_id]
        at = sa.bindparam("at", type_=by.type)
        here, there = sa.tuple_(by, self._unique), sa.tuple_(at, at_id)
        # The second says nothing new, but an index on the column alone can begin there instead of at the first row.
        return [here < there, by <= at] if shape.down else [here > there, by >= at]


def say_count(number: int) -> str:
    """Say a number of rows that was counted no further than `MOST_COUNTED`."""
    return f"{MOST_COUNTED:,}+" if number > MOST_COUNTED else f"{number:,}"
