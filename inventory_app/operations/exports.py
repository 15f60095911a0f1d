"""Lists as files: what a list exports of each of its columns, the statement that selects it, and the record of it.

A list is offered by one line in `EXPORTS`; its view is that of the page's address, and what the viewer may not see is
left out as it is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from psycopg import ClientCursor
from sqlalchemy.dialects.postgresql import psycopg as dialect
from sqlmodel import Session, col

from inventory_app.errors import NotFound
from inventory_app.models.catalog import Category, Location, Product
from inventory_app.models.stock import InventoryItem
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import _item_list, _supplier_list
from inventory_app.operations._lists import Listing, View
from inventory_app.operations._operation import current_viewer, operation, query, require
from inventory_app.permissions import Permission

_PATIENCE = "SET LOCAL statement_timeout = '10min'; SET LOCAL idle_in_transaction_session_timeout = '2min'"
#: What a spreadsheet would take for the beginning of a formula.
_FORMULA = "^[=+@\t\r-]"


@dataclass(frozen=True)
class Also:
    """A column of the file that the list does not have: a unit beside a quantity, say."""

    label: str
    shows: Any
    needs: tuple[str, ...] = ()
    permission: Permission | None = None


@dataclass(frozen=True)
class Export:
    """A list that can be exported: what stands in the file where that is not what the list sorts by."""

    listing: Listing
    permission: Permission = Permission.INVENTORY_EXPORT
    shows: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[Also, ...] = ()


#: By the name in the address of the file.
EXPORTS: Mapping[str, Export] = {
    "inventory": Export(
        _item_list.LIST,
        shows={
            "product": col(Product.name),
            "category": col(Category.name),
            "location": col(Location.code),
            "supplier": col(Supplier.name),
            "value": sa.func.round(col(InventoryItem.quantity) * col(Product.unit_cost), 2),
        },
        also=(Also("Unit", col(Product.unit_code), ("product",)),),
    ),
    "suppliers": Export(
        _supplier_list.LIST,
        shows={"name": col(Supplier.name)},
        also=(
            Also("Email", col(Supplier.email)),
            Also("Phone", col(Supplier.phone)),
            Also("City", col(Supplier.city)),
            Also("Country", col(Supplier.country)),
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a file will hold: its header, which columns are numbers, and the statement that copies the rows as CSV."""

    header: tuple[str, ...]
    numeric: tuple[bool, ...]
    copy: str


def found(name: str) -> Export:
    """Return the list of this name."""
    export = EXPORTS.get(name)
    if export is None:
        raise NotFound
    return export


@operation(reason="what")
def export_list(session: Session, *, name: str, what: str) -> None:
    """Put on record that somebody takes a list away as a file; `what` says which and how it was narrowed down."""
    del what  # in the trail as the reason
    export = found(name)
    require(session, export.listing.permission)
    require(session, export.permission)


@query()
def prepare_export(session: Session, *, name: str, view: View) -> Prepared:
    """Return what a file of a view holds for this viewer; the session it is asked in streams it."""
    export, listing = found(name), found(name).listing
    permissions = current_viewer(session).permissions
    allowed = listing.allowed(view, permissions)
    parts: list[tuple[str, Any, tuple[str, ...]]] = [
        (listing.columns[key].label, export.shows.get(key, listing.columns[key].by), listing.columns[key].needs)
        for key in allowed.columns
    ]
    parts += [
        (one.label, one.shows, one.needs)
        for one in export.also
        if one.permission is None or one.permission in permissions
    ]
    shown = [expression for _, expression, _ in parts]
    statement, values = listing.everything(
        session, allowed, [_cell(one) for one in shown], [name for _, _, needs in parts for name in needs]
    )
    session.connection().exec_driver_sql(_PATIENCE)
    return Prepared(
        tuple(label for label, _, _ in parts),
        tuple(_is_number(one) for one in shown),
        f"COPY ({_as_text(session, statement, values)}) TO STDOUT (FORMAT csv)",
    )


def _is_number(expression: Any) -> bool:
    return isinstance(expression.type, (sa.Numeric, sa.Integer))


def _cell(expression: Any) -> Any:
    """Select a column as a file has it: texts that a spreadsheet would run are kept from that, moments in UTC."""
    kind = expression.type
    if isinstance(kind, sa.DateTime):
        return sa.func.to_char(expression, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    if not isinstance(kind, sa.String):
        return expression
    runs = expression.regexp_match(sa.literal(_FORMULA))
    return sa.case((runs, sa.func.concat("'", expression)), else_=expression)


def _as_text(session: Session, statement: Any, values: Mapping[str, Any]) -> str:
    """Write the values into the statement, as the driver quotes them: COPY takes no parameters."""
    compiled = statement.compile(dialect=dialect.dialect(paramstyle="pyformat"))
    driver: Any = session.connection().connection.driver_connection
    return ClientCursor(driver).mogrify(str(compiled).encode(), compiled.construct_params(dict(values)))
