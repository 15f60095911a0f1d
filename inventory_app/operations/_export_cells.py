"""What an exported list is made of, and what a cell of it may hold: the value, and nothing a spreadsheet would run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from inventory_app.operations._lists import Column, Join, Listing
from inventory_app.permissions import Permission

#: What a spreadsheet takes for the beginning of a formula, in whichever width it is typed.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BEGINS = f"^[{''.join(one for one in _FORMULA if one != '-')}-]"


@dataclass(frozen=True)
class Cell:
    """What stands in a file: `shows` says it (in which joins), under a label of its own where the list has none."""

    shows: Any
    label: str = ""
    needs: tuple[str, ...] = ()
    permission: Permission | None = None


@dataclass(frozen=True)
class Export:
    """A list that can be exported: what stands in the file where that is not what the list sorts by.

    `also` are columns of the file that the list does not have: a unit beside a quantity, say. `joins` are tables that
    only the file needs.
    """

    listing: Listing
    permission: Permission = Permission.INVENTORY_EXPORT
    shows: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[Cell, ...] = ()
    joins: Mapping[str, Join] = field(default_factory=dict)

    def cell(self, column: Column) -> Cell:
        """Return what the file holds of a column of the list: the text itself where the list sorts by its key."""
        shown = self.shows.get(column.key)
        if isinstance(shown, Cell):
            needs = (*column.needs, *shown.needs)
            return Cell(shown.shows, shown.label or column.label, needs, shown.permission or column.permission)
        return Cell(_text_of(column.by) if shown is None else shown, column.label, column.needs, column.permission)


def _text_of(by: Any) -> Any:
    source = getattr(by, "info", {}).get("sort_key_of")
    return by if source is None else getattr(by.class_, source)


def is_number(expression: Any) -> bool:
    """Tell whether a column of a file holds numbers."""
    return isinstance(expression.type, (sa.Numeric, sa.Integer))


def written(expression: Any) -> Any:
    """Select a column as a file has it: texts that a spreadsheet would run are kept from that, moments in UTC."""
    kind = expression.type
    if isinstance(kind, sa.types.TypeDecorator):
        kind = kind.impl_instance
    if isinstance(kind, sa.DateTime):
        return sa.func.to_char(sa.func.timezone("UTC", expression), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    if isinstance(kind, sa.Boolean):
        return sa.case((expression, "yes"), else_="no")
    if not isinstance(kind, sa.String):
        return expression
    runs = expression.regexp_match(sa.literal(_BEGINS))
    return sa.case((runs, sa.func.concat("'", expression)), else_=expression)


def words(expression: Any, said: Mapping[Any, str]) -> Any:
    """Select for a code what people read for it."""
    return sa.case({str(code): text for code, text in said.items()}, value=expression, else_=expression)


def safe_cell(text: str) -> str:
    """Return a text that a spreadsheet shows and does not run; numbers stay numbers."""
    if not text.startswith(_FORMULA):
        return text
    return text if _reads_as_number(text) else f"'{text}"


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
