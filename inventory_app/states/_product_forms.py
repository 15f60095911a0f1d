"""What the forms of products send."""

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator

from inventory_app.states._action import Id, Line, Name, Note, Payload
from inventory_app.states._stock_forms import Money, Quantity


def _chosen(value: object) -> object:
    """Read a select whose first choice is none."""
    return None if value == "" else value


def _nothing(value: object) -> object:
    """Read a number that was left empty as 0."""
    return "0" if isinstance(value, str) and not value.strip() else value


def _ticked(value: object) -> object:
    """Read a checkbox: ticked it sends a word, not ticked nothing; anything else is for nobody to guess."""
    return {"on": True, "": False}.get(value, value) if isinstance(value, str) else value


MaybeId = Annotated[Id | None, BeforeValidator(_chosen)]
MaybeWhole = Annotated[int | None, BeforeValidator(_chosen)]
MaybeQuantity = Annotated[Quantity, BeforeValidator(_nothing)]
MaybeMoney = Annotated[Money, BeforeValidator(_nothing)]
Tick = Annotated[bool, BeforeValidator(_ticked)]


class NewProductForm(Payload):
    """A product to be."""

    sku: Name
    name: Name
    unit_code: Line = "pcs"
    category_id: MaybeId = None
    supplier: Line = ""
    description: Note = ""
    barcode: Line = ""
    lots_kept: Tick = False
    unit_cost: MaybeMoney = Decimal(0)
    unit_price: MaybeMoney = Decimal(0)
    reorder_point: MaybeQuantity = Decimal(0)
    reorder_quantity: MaybeQuantity = Decimal(0)


class ProductForm(Payload):
    """A product as somebody corrects it, in the version that was read."""

    product_id: Id
    version: int
    name: Name
    unit_code: Line
    category_id: MaybeId = None
    supplier: Line = ""
    description: Note = ""
    barcode: Line = ""
    lots_kept: Tick = False
    reorder_point: MaybeQuantity = Decimal(0)
    reorder_quantity: MaybeQuantity = Decimal(0)
    reason: Note = ""


class VersionForm(Payload):
    """Which record, in the version that was read, and why."""

    product_id: Id
    version: int
    reason: Note = ""
