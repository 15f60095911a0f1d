"""Units of measure: adding one, renaming it, and how finely it counts."""

from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.errors import Conflict, Invalid, NotFound, Stale
from inventory_app.models.catalog import Product, SupplierProduct, Unit
from inventory_app.models.stock import InventoryItem, StockMovement
from inventory_app.operations._fields import Fields
from inventory_app.operations._operation import operation, query
from inventory_app.operations._product_list import MANY
from inventory_app.operations._remembered import Remembered
from inventory_app.permissions import Permission

FINEST = 3
_LONGEST_CODE = 10


@operation(Permission.SETTINGS_MANAGE, log=("code",))
def create_unit(session: Session, *, code: str, name: str, decimals: int = 0) -> str:
    """Add a unit; its code stands behind every quantity and never changes."""
    fields = Fields()
    tidy = fields.line("code", code, most=_LONGEST_CODE, required=True)
    named = fields.line("name", name, most=60, required=True)
    if not 0 <= decimals <= FINEST:
        fields.faults["decimals"] = "Choose one of the list."
    if tidy and session.scalar(sa.select(sa.exists().where(sa.func.lower(col(Unit.code)) == tidy.lower()))):
        fields.faults["code"] = "A unit of this code exists."
    fields.check()
    session.add(Unit(code=tidy or "", name=named or "", decimals=decimals))
    return named or ""


@operation(Permission.SETTINGS_MANAGE, log=("code",))
def update_unit(session: Session, *, code: str, name: str, decimals: int, was: str) -> str:
    """Rename a unit, or let it count more finely; never more coarsely than what is booked in it.

    `was` is its name and decimals as they were read, `name/decimals`.
    """
    fields = Fields()
    named = fields.line("name", name, most=60, required=True)
    if not 0 <= decimals <= FINEST:
        fields.faults["decimals"] = "Choose one of the list."
    fields.check()
    unit = session.get(Unit, code, with_for_update=True, populate_existing=True)
    if unit is None:
        raise NotFound
    if was != _as_read(unit):
        raise Stale(f"{unit.name} was changed after you opened it. Reload the page and read it again.")
    if (named, decimals) == (unit.name, unit.decimals):
        message = "Nothing was changed: everything is already as entered."
        raise Invalid(message)
    if decimals < unit.decimals and (finest := _finest_in_use(session, code)) > decimals:
        decimals_of = "1 decimal" if finest == 1 else f"{finest} decimals"
        said = f"Quantities with {decimals_of} are on record in {code}, so it needs at least {finest}."
        raise Conflict(said, fields={"decimals": said})
    unit.name, unit.decimals = named or "", decimals
    return unit.name


def _as_read(unit: Unit) -> str:
    return f"{unit.name}/{unit.decimals}"


def _finest_in_use(session: Session, code: str) -> int:
    """Return the decimals of the finest quantity in this unit: booked, held, asked for."""
    mine = sa.select(col(Product.id)).where(col(Product.unit_code) == code)
    items = sa.select(col(InventoryItem.id)).where(col(InventoryItem.product_id).in_(mine))
    amounts = (
        (col(StockMovement.quantity), col(StockMovement.item_id).in_(items)),
        (col(Product.reorder_point), col(Product.unit_code) == code),
        (col(Product.reorder_quantity), col(Product.unit_code) == code),
        (col(SupplierProduct.pack_size), col(SupplierProduct.product_id).in_(mine)),
        (col(SupplierProduct.minimum_quantity), col(SupplierProduct.product_id).in_(mine)),
    )
    return max(
        session.scalar(sa.select(sa.func.coalesce(sa.func.max(sa.func.min_scale(amount)), 0)).where(where)) or 0
        for amount, where in amounts
    )


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit, an amount of it, and how many products are counted in it; `was` is what `update_unit` asks for."""

    code: str
    name: str
    decimals: int
    example: str
    products: int
    was: str


@partial(Remembered, dear=lambda numbers: sum(numbers.values()) > MANY)
def _numbers(session: Session) -> dict[str, int]:
    rows = session.execute(sa.select(col(Product.unit_code), sa.func.count()).group_by(col(Product.unit_code)))
    return dict(rows.all())


@query(Permission.SETTINGS_MANAGE)
def list_units(session: Session) -> list[UnitRow]:
    """Return every unit, by name."""
    numbers = _numbers(session)
    found = session.scalars(sa.select(Unit).order_by(sa.func.lower(col(Unit.name)), col(Unit.code)))
    return [
        UnitRow(
            unit.code,
            unit.name,
            unit.decimals,
            f"{Decimal('12.345'):.{unit.decimals}f} {unit.code}",
            numbers.get(unit.code, 0),
            _as_read(unit),
        )
        for unit in found
    ]
