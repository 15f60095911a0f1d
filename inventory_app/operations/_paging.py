"""Keyset pages: a page is found by the values of its neighbour, never by counting rows."""

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, NoReturn, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from inventory_app.errors import Invalid

Row = TypeVar("Row")
Other = TypeVar("Other")

#: A statement, a result row and a key of columns that are not known here.
AnySelect = sa.Select[*tuple[Any, ...]]
AnyRow = sa.Row[*tuple[Any, ...]]
Key = Any  # a column, as SQLAlchemy or as SQLModel types it

PAGE_SIZE = 50
#: More than any figure of ours has.
_DIGITS = 30
#: How a cursor's texts become what is not written as itself.
_READ: dict[Any, Callable[[str], Any]] = {UUID: UUID, date: date.fromisoformat}


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows in order, and the cursors of the pages before and after (empty: there is none).

    `similar_to` is what was searched for and not found: the rows are spelt like it.
    """

    rows: list[Row]
    before: str = ""
    after: str = ""
    similar_to: str = ""

    def of(self, rows: list[Other]) -> "Page[Other]":
        """Return the page with other rows: what is shown of those that were found."""
        return Page(rows, self.before, self.after, self.similar_to)


def keyset(
    session: Session,
    statement: AnySelect,
    keys: Sequence[Key],
    *,
    descending: bool = False,
    cursor: str = "",
    size: int = PAGE_SIZE,
) -> Page[AnyRow]:
    """Run `statement` for the page at `cursor`, ordered by `keys` (the last one unique).

    The keys must not be NULL. Raises `Invalid` for a cursor that is none of ours.
    """
    backwards, values = _decode(cursor, keys)
    down = descending != backwards
    if values is not None:
        here, there = sa.tuple_(*keys), sa.tuple_(*values)
        statement = statement.where(
            here < there if down else here > there,
            # Says nothing new, but an index on the first key alone can begin there instead of at the first row.
            keys[0] <= values[0] if down else keys[0] >= values[0],
        )
    ordered = statement.add_columns(*keys).order_by(*(key.desc() if down else key.asc() for key in keys))
    found = session.execute(ordered.limit(size + 1)).all()
    more, rows = len(found) > size, list(found[:size])
    if backwards:
        rows.reverse()
    if not rows:
        return Page([])
    before = _encode(rows[0][-len(keys) :], backwards=True)
    after = _encode(rows[-1][-len(keys) :], backwards=False)
    has_before = more if backwards else values is not None
    has_after = True if backwards else more
    return Page(rows, before if has_before else "", after if has_after else "")


def _encode(values: Sequence[Any], *, backwards: bool) -> str:
    return _packed([int(backwards), *map(_plain, values)])


def _decode(cursor: str, keys: Sequence[Key]) -> tuple[bool, list[Any] | None]:
    if not cursor:
        return False, None
    with _damage_is_said():
        backwards, *values = _unpacked(cursor)
        typed = [sa.literal(_typed(value, key), key.type) for value, key in zip(values, keys, strict=True)]
    return bool(backwards), typed


def cursor_of(values: Sequence[Any], order: str, *, backwards: bool) -> str:
    """Return the cursor of the rows beyond the one with these values, in a named order."""
    return _packed([int(backwards), order, *map(_plain, values)])


def cursor_values(cursor: str, order: str, keys: Sequence[Key]) -> tuple[bool, list[Any] | None]:
    """Return whether a cursor of this order turns back, and its values (None: there is no cursor).

    The first value may be None: a row without one. Raises `Invalid` for a cursor that is none of ours.
    """
    if not cursor:
        return False, None
    with _damage_is_said():
        backwards, named, *values = _unpacked(cursor)
        if named != order:
            raise ValueError
        first, *others = zip(values, keys, strict=True)
        typed = [None if first[0] is None else _typed(*first), *(_typed(*other) for other in others)]
    return bool(backwards), typed


@contextmanager
def _damage_is_said() -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error, InvalidOperation) as error:
        damaged(error)


def damaged(error: Exception | None = None) -> NoReturn:
    """Refuse a cursor that is none of ours."""
    message = "This link to a page of the list is damaged. Start again from the first page."
    raise Invalid(message) from error


def _packed(values: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _unpacked(cursor: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, int) else str(value)


def _typed(value: Any, column: Key) -> Any:
    kind = column.type.python_type
    if kind is object and isinstance(column.type, sa.types.TypeDecorator):
        # A type that is made from another (SQLModel's times) says of itself only that it is an object.
        kind = column.type.impl_instance.python_type
    if kind is Decimal:
        value = Decimal(value)
        if not value.is_finite() or value.adjusted() > _DIGITS:
            raise ValueError
    elif kind in _READ:
        value = _READ[kind](value)
    elif kind is datetime:
        value = datetime.fromisoformat(value)
        if value.tzinfo is None:
            raise ValueError
    elif not isinstance(value, kind):
        raise TypeError
    elif kind is int and not -(2**63) <= value < 2**63:
        raise ValueError
    if isinstance(value, str) and "\0" in value:
        raise ValueError
    return value


def like_escaped(text: str) -> str:
    """Return `text` so that LIKE takes it literally; what no row can hold is looked for and not found."""
    return storable(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def storable(text: str) -> str:
    """Return `text` as the database can be asked for it; what no row can hold stands for what no row has."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
