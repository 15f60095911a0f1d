"""The lines of an order: what was typed, checked against the catalogue and the supplier's terms, all faults at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.errors import Conflict, Invalid
from inventory_app.models._base import now
from inventory_app.models.catalog import Product, SupplierProduct, Unit
from inventory_app.models.purchasing import (
    PurchaseOrder,
    PurchaseOrderLine,
    SupplierInvoice,
    SupplierInvoiceLine,
)
from inventory_app.operations._barcodes import as_scanned
from inventory_app.operations._fields import Fields
from inventory_app.operations._ledger import LARGEST, fits_unit, say
from inventory_app.operations._money import of_line, total
from inventory_app.operations._paging import storable
from inventory_app.settings import get_settings

MOST_LINES = 500
_FINEST_COST = Decimal("0.0001")
_MOST = LARGEST / 10
_NOT_STOCKED = 3
_LATEST_YEARS = 10


@dataclass(frozen=True, slots=True)
class LineInput:
    """One line as it is typed: a product by its key, SKU or barcode, or else words for what is not kept in stock.

    Without a cost it is what the supplier's terms say; without a day, what their lead time makes of today.
    """

    quantity: Decimal
    product_id: int | None = None
    sku: str = ""
    description: str = ""
    unit_cost: Decimal | None = None
    tax_percent: Decimal = Decimal(0)
    expected_on: date | None = None
    #: The line it is in the order that is edited.
    line_id: int | None = None


@dataclass(slots=True)
class Sheet:
    """What the lines of one order are checked against, read once for all of them."""

    supplier: str
    currency: str
    rate: Decimal
    expected_on: date | None
    products: Mapping[int, Product] = field(default_factory=dict)
    by_text: Mapping[str, int] = field(default_factory=dict)
    units: Mapping[str, Unit] = field(default_factory=dict)
    terms: Mapping[int, SupplierProduct] = field(default_factory=dict)
    #: Where there are no terms, the average cost is a beginning.
    from_average: bool = False
    faults: dict[str, str] = field(default_factory=dict)

    def cost(self, product_id: int | None) -> Decimal | None:
        """Return what one of a product is agreed to cost in the order's currency; None when nothing is agreed."""
        terms = self.terms.get(product_id or 0)
        if terms is not None and terms.currency == self.currency:
            return terms.cost
        base = get_settings().currency
        if terms is not None and terms.currency == base:
            return (terms.cost / self.rate).quantize(_FINEST_COST, ROUND_HALF_UP)
        product = self.products.get(product_id or 0)
        if self.from_average and product is not None:
            return (product.unit_cost / self.rate).quantize(_FINEST_COST, ROUND_HALF_UP)
        return None

    def sold(self, product_id: int | None, quantity: Decimal) -> Decimal:
        """Return as much of a product as the supplier delivers when at least so much is wanted."""
        terms = self.terms.get(product_id or 0)
        return quantity if terms is None else _sold(quantity, terms)


def sheet(
    session: Session,
    order: PurchaseOrder,
    supplier: str,
    given: Sequence[LineInput],
    *,
    from_average: bool = False,
) -> Sheet:
    """Read what the given lines are checked against, in four statements however many they are."""
    texts = {storable(line.sku).strip() for line in given if line.sku.strip()}
    typed = {text.upper() for text in texts} | {as_scanned(text).upper() for text in texts}
    wanted = {line.product_id for line in given if line.product_id}
    found = session.exec(
        select(Product).where(
            sa.or_(
                col(Product.id).in_(wanted),
                col(Product.sku).in_(typed),
                sa.func.upper(col(Product.barcode)).in_(typed),
            )
        )
    ).all()
    products = {one.id or 0: one for one in found}
    by_text = {one.barcode.upper(): one.id or 0 for one in found if one.barcode}
    by_text |= {one.sku: one.id or 0 for one in found}
    agreed = session.exec(
        select(SupplierProduct).where(
            col(SupplierProduct.supplier_id) == order.supplier_id,
            col(SupplierProduct.product_id).in_(products),
            col(SupplierProduct.active),
        )
    )
    return Sheet(
        supplier,
        order.currency,
        order.rate,
        order.expected_on,
        products,
        by_text,
        {unit.code: unit for unit in session.exec(select(Unit))},
        {terms.product_id: terms for terms in agreed},
        from_average,
    )


def checked_lines(
    known: Sheet, given: Sequence[LineInput], before: Mapping[int, PurchaseOrderLine]
) -> list[dict[str, Any]]:
    """Return the columns of each line; raises `Invalid` with every fault as `<field>:<number of the line>`."""
    if len(given) > MOST_LINES:
        raise Invalid(f"Use at most {MOST_LINES} lines on one order; these are {len(given):,}.")
    rows = [_line(known, number, line, before) for number, line in enumerate(given, 1)]
    if known.faults:
        raise Invalid(fields=known.faults)
    return rows


def _line(known: Sheet, number: int, line: LineInput, before: Mapping[int, PurchaseOrderLine]) -> dict[str, Any]:
    fields = Fields()
    description = fields.line("description", line.description, most=300)
    product = _product(known, line, fields)
    if product is None and description is None:
        fields.faults.setdefault("sku", "Choose a product, or describe what is ordered.")
    unit = known.units[product.unit_code] if product else None
    terms = known.terms.get(product.id or 0) if product else None
    _quantity(known, line.quantity, unit, terms, fields)
    cost = _cost(known, line, product, before.get(line.line_id or 0), fields)
    if not (line.tax_percent.is_finite() and 0 <= line.tax_percent <= 100):  # noqa: PLR2004  # said in the sentence
        fields.faults["tax_percent"] = "Enter 0 to 100."
    elif line.tax_percent != round(line.tax_percent, 2):
        fields.faults["tax_percent"] = "Use at most 2 decimals."
    expected_on = line.expected_on or known.expected_on
    if line.expected_on and (fault := day_fault(line.expected_on, before.get(line.line_id or 0))):
        fields.faults["expected_on"] = fault
    elif expected_on is None and terms is not None:
        expected_on = now().date() + timedelta(days=terms.lead_time_days)
    known.faults |= {f"{name}:{number}": fault for name, fault in fields.faults.items()}
    return {
        "product_id": product.id if product else None,
        "description": description or (product.name if product else ""),
        "supplier_sku": terms.supplier_sku if terms else None,
        "quantity": line.quantity,
        "unit_cost": cost,
        "tax_percent": line.tax_percent,
        "purchase_unit": terms.purchase_unit if terms else "",
        "pack_size": terms.pack_size if terms else Decimal(1),
        "expected_on": expected_on,
    }


def day_fault(day: date, before: PurchaseOrderLine | PurchaseOrder | None = None) -> str:
    """Return what is wrong with a day something is expected on; one that stood there before may be over."""
    if before is not None and before.expected_on == day:
        return ""
    today = now().date()
    if day < today:
        return "Choose today or a later day."
    return "Choose a day within the next ten years." if day.year > today.year + _LATEST_YEARS else ""


def _product(known: Sheet, line: LineInput, fields: Fields) -> Product | None:
    text = line.sku.strip().upper()
    id_ = line.product_id or known.by_text.get(text) or known.by_text.get(as_scanned(text).upper())
    product = known.products.get(id_ or 0)
    if product is None and (text or line.product_id):
        fields.faults["sku"] = "There is no product of this SKU. Leave it empty to order something else in words."
    elif product is not None and not product.active:
        fields.faults["sku"] = f"{product.name} is archived. Restore it first."
    return product


def _quantity(
    known: Sheet, quantity: Decimal, unit: Unit | None, terms: SupplierProduct | None, fields: Fields
) -> None:
    if not quantity.is_finite() or quantity > _MOST:
        fields.faults["quantity"] = "This number is too large."
        return
    if quantity <= 0:
        fields.faults["quantity"] = "Enter more than 0."
        return
    try:
        fits_unit(quantity, unit.decimals if unit else _NOT_STOCKED, unit.code if unit else "These")
    except Invalid as error:
        fields.faults |= error.fields
        return
    if terms is not None and unit is not None and (fault := _terms_fault(known.supplier, quantity, unit, terms)):
        fields.faults["quantity"] = fault


def _terms_fault(supplier: str, quantity: Decimal, unit: Unit, terms: SupplierProduct) -> str:
    """Say what the supplier sells instead, when not so few or not so broken."""
    sold = _sold(quantity, terms)
    if quantity < terms.minimum_quantity:
        return f"{supplier} delivers no less than {say(terms.minimum_quantity, unit.code)}. Order {say(sold)}."
    if quantity != sold:
        return f"{supplier} delivers packs of {say(terms.pack_size, unit.code)}. Order {say(sold)}."
    return ""


def _sold(quantity: Decimal, terms: SupplierProduct) -> Decimal:
    packs = (max(quantity, terms.minimum_quantity) / terms.pack_size).to_integral_value(ROUND_CEILING)
    return packs * terms.pack_size


def _cost(
    known: Sheet, line: LineInput, product: Product | None, before: PurchaseOrderLine | None, fields: Fields
) -> Decimal | None:
    cost = line.unit_cost
    if cost is None and before is not None and before.product_id == (product.id if product else None):
        return before.unit_cost
    if cost is None:
        cost = known.cost(product.id if product else None)
    if cost is None:
        fields.faults["unit_cost"] = "Enter what one of them costs: no cost is agreed."
        return None
    if not cost.is_finite() or not 0 <= cost <= _MOST:
        fields.faults["unit_cost"] = "Enter 0 or more."
    elif cost != cost.quantize(_FINEST_COST):
        fields.faults["unit_cost"] = "Use at most 4 decimals."
    elif line.quantity.is_finite() and cost * line.quantity > _MOST:
        fields.faults["unit_cost"] = "This amount is too large."
    return cost


def write_lines(
    session: Session, order: PurchaseOrder, rows: Sequence[dict[str, Any]], ids: Sequence[int | None]
) -> None:
    """Bring the lines of an order along: what `ids` name is changed, what they do not name is taken out."""
    before = {
        line.id: line
        for line in session.exec(select(PurchaseOrderLine).where(col(PurchaseOrderLine.order_id) == order.id))
    }
    taken_out = {id_: line for id_, line in before.items() if id_ is not None and id_ not in ids}
    _refuse_invoiced(session, taken_out)
    for line in taken_out.values():
        session.delete(line)
    position = max((line.position for line in before.values()), default=0)
    added: list[dict[str, Any]] = []
    for row, id_ in zip(rows, ids, strict=True):
        line = before.get(id_) if id_ is not None else None
        if line is None:
            position += 1
            added.append({"order_id": order.id, "position": position, **row})
        else:
            for name, value in row.items():
                if getattr(line, name) != value:
                    setattr(line, name, value)
    order.total = total(of_line(row["quantity"], row["unit_cost"]) for row in rows).net
    if order.expected_on is None:
        order.expected_on = max((row["expected_on"] for row in rows if row["expected_on"]), default=None)
    session.flush()
    if added:
        # Row by row through one prepared statement: hundreds of rows in one are read anew each time.
        session.execute(sa.insert(_LINES), added)


def _refuse_invoiced(session: Session, lines: Mapping[int, PurchaseOrderLine]) -> None:
    """Refuse to take out what a paper of the supplier is about, void or not: it would be about nothing."""
    found = session.execute(
        sa.select(col(SupplierInvoiceLine.order_line_id), col(SupplierInvoice.number))
        .join(SupplierInvoice, col(SupplierInvoice.id) == col(SupplierInvoiceLine.invoice_id))
        .where(col(SupplierInvoiceLine.order_line_id).in_(lines.keys()))
        .order_by(col(SupplierInvoiceLine.id))
        .limit(1)
    ).first()
    if found is not None:
        named = lines[found.order_line_id].description
        raise Conflict(f"Invoice {found.number} is about “{named}”, so that stays on the order. Change it instead.")


_LINES = PurchaseOrderLine.metadata.tables["purchase_order_line"]
