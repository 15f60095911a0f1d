"""What every model shares: key, money, quantity, time and sort-key columns, and constraint sentences."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapper, declared_attr
from sqlalchemy.orm.attributes import flag_modified
from sqlmodel import Field, SQLModel

#: Amounts of money, 4 decimals, in the ISO currency that stands beside them.
MONEY = sa.Numeric(14, 4)
#: Quantities in the product's unit, 3 decimals.
QUANTITY = sa.Numeric(14, 3)
#: What one of a currency is worth in the base currency.
RATE = sa.Numeric(18, 8)
#: Per cent, such as a rate of tax.
PERCENT = sa.Numeric(5, 2)


_WORD = re.compile(r"(?<!^)(?=[A-Z])")


class Record(SQLModel):
    """A table named after its class: `StockMovement` is `stock_movement`."""

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805  # pyright: ignore[reportIncompatibleVariableOverride]  # as SQLModel documents
        return _WORD.sub("_", cls.__name__).lower()


def now() -> datetime:
    """Return the current time, UTC-aware."""
    return datetime.now(UTC)


def sort_key(text: str) -> str:
    """Return `text` casefolded and without accents, so that it sorts the same on every server."""
    # Twice: a mathematical capital becomes a plain one only when decomposed, a ligature letters only when folded.
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).strip()


def key() -> Any:
    """Declare the integer primary key, given by the database."""
    return Field(
        default=None,
        sa_column=sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    )


def reference(target: str, *, nullable: bool = False, index: bool = True) -> Any:
    """Declare a foreign key to `target` ("table.column"), indexed unless another index serves."""
    extra: dict[str, Any] = {"default": None} if nullable else {}
    return Field(
        **extra,
        sa_type=sa.BigInteger,
        foreign_key=target,
        nullable=nullable,
        index=index,
    )


def text_field(*, nullable: bool = False, default: str | None = None) -> Any:
    """Declare a text column without an arbitrary length."""
    extra: dict[str, Any] = {}
    if nullable or default is not None:
        extra["default"] = default
    return Field(**extra, sa_type=sa.Text, nullable=nullable)


def sort_key_of(source: str) -> Any:
    """Declare the stored sort key of column `source`, filled on every insert by ORM or Core."""

    def derive(context: DefaultExecutionContext) -> str:
        return sort_key(str(context.get_current_parameters()[source]))

    return Field(
        default=None,
        sa_type=sa.Text(collation="C"),
        nullable=False,
        sa_column_kwargs={"default": derive, "info": {"sort_key_of": source}},
    )


@event.listens_for(Mapper, "before_update")
def _refresh_sort_keys(mapper: Mapper[Any], _: sa.Connection, target: object) -> None:
    for column in mapper.local_table.columns:
        source = column.info.get("sort_key_of")
        if source and sa.inspect(target).attrs[source].history.has_changes():
            setattr(target, column.name, sort_key(getattr(target, source)))
            # Sent along also where it stays the same (Ann, ANN), so that every statement can be held to the rule below.
            flag_modified(target, column.name)


@event.listens_for(sa.Engine, "before_execute")
def _refuse_stale_sort_keys(
    _: sa.Connection,
    statement: object,
    multiparams: Sequence[Mapping[str, object]],
    params: Mapping[str, object],
    __: Any,
) -> None:
    """Refuse a bulk statement that changes a text and leaves its sort key behind: only an object refreshes its own."""
    if not isinstance(statement, (sa.Update, postgresql.Insert)):
        return
    changed = set(_columns_set(statement))
    if isinstance(statement, sa.Update):
        changed.update(*multiparams, params)
    for column in statement.table.columns:
        source = column.info.get("sort_key_of")
        if source in changed and column.name not in changed:
            message = f"{statement.table} changes {source} without {column.name}: change the objects, or set both"
            raise ValueError(message)


def _columns_set(statement: Any) -> Iterator[str]:
    """Name the columns a statement sets; SQLAlchemy keeps them in private places only."""
    if isinstance(statement, sa.Update):
        found: Any = statement._values or ()  # noqa: SLF001  # as said
    else:
        found = getattr(statement._post_values_clause, "update_values_to_set", ())  # noqa: SLF001  # as said
    for column in found:
        first = column[0] if isinstance(column, tuple) else column
        yield str(getattr(first, "name", first))


def says(field: str, sentence: str) -> dict[str, object]:
    """Give a constraint the form field and the sentence a person reads when it refuses."""
    return {"conflict": (field, sentence)}


def unique_lower(name: str, column: str, info: dict[str, object]) -> sa.Index:
    """Make `column` unique whatever its case."""
    return sa.Index(name, sa.text(f"lower({column})"), unique=True, info=info)
