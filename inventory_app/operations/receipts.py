"""Reading receipts: the list, one with what it booked and what took it back, and what can be received."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from inventory_app.context import NOBODY
from inventory_app.models.catalog import Location, Lot, Product
from inventory_app.models.purchasing import (
    GoodsReceipt,
    GoodsReceiptLine,
    OrderStatus,
    PurchaseOrder,
    PurchaseOrderLine,
    ReceiptKind,
)
from inventory_app.models.stock import InventoryItem
from inventory_app.models.suppliers import Supplier
from inventory_app.models.users import LocalUser, UserInfo
from inventory_app.operations._barcodes import as_scanned
from inventory_app.operations._ledger import say
from inventory_app.operations._lists import View
from inventory_app.operations._movement_lines import MovementLine, money, movement_lines, signed
from inventory_app.operations._operation import current_viewer, query
from inventory_app.operations._paging import Page
from inventory_app.operations._receipt_books import RECEIVABLE, why_not_now
from inventory_app.operations._receipt_lines import Line, lines_of
from inventory_app.operations._receipt_list import LIST, WORDS
from inventory_app.operations.receiving import why_not_corrected
from inventory_app.permissions import Permission


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A receipt, a return or a correction as the list shows it."""

    id: int
    href: str
    number: str
    kind: str
    word: str
    order: str
    order_href: str
    supplier: str
    location: str
    delivery_note: str
    lines: str
    happened: str
    who: str
    #: The paper that took it back.
    taken_back: str


@dataclass(frozen=True, slots=True)
class ReceiptListing:
    """A page of receipts; `count` the view leaves, `kinds` how many of each kind there are."""

    view: View
    page: Page[ReceiptRow]
    count: int
    everything: int
    kinds: dict[str, int]
    suppliers: list[tuple[str, str]]
    locations: list[tuple[str, str]]


_COUNTER = aliased(GoodsReceipt, name="counter")
_DETAILS = (
    sa.select(
        GoodsReceipt.__table__,  # pyright: ignore[reportAttributeAccessIssue]  # SQLModel hides the table
        col(PurchaseOrder.number).label("order_number"),
        col(PurchaseOrder.status).label("order_status"),
        col(Supplier.name).label("supplier"),
        col(Location.name).label("location"),
        sa.func.coalesce(sa.func.nullif(col(UserInfo.full_name), ""), col(LocalUser.username), NOBODY).label("who"),
        col(_COUNTER.id).label("counter_id"),
        col(_COUNTER.number).label("counter"),
        sa.select(sa.func.count())
        .where(col(GoodsReceiptLine.receipt_id) == col(GoodsReceipt.id))
        .correlate(GoodsReceipt)
        .scalar_subquery()
        .label("lines"),
    )
    .select_from(GoodsReceipt)
    .join(PurchaseOrder, col(PurchaseOrder.id) == col(GoodsReceipt.order_id))
    .join(Supplier, col(Supplier.id) == col(PurchaseOrder.supplier_id))
    .join(Location, col(Location.id) == col(GoodsReceipt.location_id))
    .outerjoin(LocalUser, col(LocalUser.id) == col(GoodsReceipt.recorded_by))
    .outerjoin(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
    .outerjoin(_COUNTER, col(_COUNTER.reverses) == col(GoodsReceipt.id))
    .where(col(GoodsReceipt.id) == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.BigInteger))))
)


@query(Permission.ORDERS_VIEW)
def list_receipts(session: Session, *, view: View) -> ReceiptListing:
    """Return a page of receipts with what they can be narrowed down by."""
    allowed = LIST.allowed(view, current_viewer(session).permissions)
    page, count = LIST.listed(session, allowed)
    found = session.execute(_DETAILS, {"ids": page.rows}).all() if page.rows else ()
    rows = {row.id: _row(row) for row in found}
    kinds = {kind.value: LIST.count(session, View(filters={"kind": kind.value})) for kind in ReceiptKind}
    ordered_from = (
        sa.select(col(Supplier.id), col(Supplier.name))
        .where(col(Supplier.id).in_(sa.select(col(PurchaseOrder.supplier_id))))
        .order_by(col(Supplier.sort_key), col(Supplier.id))
    )
    return ReceiptListing(
        allowed,
        page.of([rows[id_] for id_ in page.rows]),
        count,
        LIST.count(session, View()),
        kinds,
        [(str(id_), name) for id_, name in session.execute(ordered_from)],
        _locations(session),
    )


def _locations(session: Session) -> list[tuple[str, str]]:
    known = (
        sa.select(col(Location.id), col(Location.name))
        .where(col(Location.active), col(Location.kind) != "transit")
        .order_by(col(Location.sort_key), col(Location.id))
    )
    return [(str(id_), name) for id_, name in session.execute(known)]


def _row(row: Any) -> ReceiptRow:
    return ReceiptRow(
        id=row.id,
        href=f"/receipts/{row.id}",
        number=row.number,
        kind=row.kind,
        word=WORDS[ReceiptKind(row.kind)],
        order=row.order_number,
        order_href=f"/orders/{row.order_id}",
        supplier=row.supplier,
        location=row.location,
        delivery_note=row.delivery_note or "",
        lines=f"{row.lines} line{'' if row.lines == 1 else 's'}",
        happened=row.occurred_at.isoformat(),
        who=row.who,
        taken_back=row.counter or "",
    )


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """What came of one line of the order, or went back; `cost` is empty without `prices:view`."""

    position: int
    description: str
    sku: str
    change: str
    unit: str
    cost: str
    location: str
    lot: str
    item_href: str


@dataclass(frozen=True, slots=True)
class ReceiptDetail:
    """One paper, with what it booked, what it took back and what took it back; `why_not` it cannot be taken back."""

    row: ReceiptRow
    order_id: int
    note: str
    lines: list[ReceiptLine]
    movements: list[MovementLine]
    takes_back: str
    takes_back_href: str
    taken_back_href: str
    why_not: str


@query(Permission.ORDERS_VIEW)
def receipt_page(session: Session, *, receipt_id: int) -> ReceiptDetail | None:
    """Return one receipt, None when there is none."""
    found = session.execute(_DETAILS, {"ids": [receipt_id]}).one_or_none()
    if found is None:
        return None
    prices = Permission.PRICES_VIEW in current_viewer(session).permissions
    lines = session.execute(
        sa.select(
            GoodsReceiptLine.__table__,  # pyright: ignore[reportAttributeAccessIssue]  # SQLModel hides the table
            col(PurchaseOrderLine.description),
            col(PurchaseOrderLine.purchase_unit),
            col(Product.sku),
            col(Product.unit_code),
            col(Location.name).label("location"),
            col(Lot.code).label("lot"),
        )
        .join(PurchaseOrderLine, col(PurchaseOrderLine.id) == col(GoodsReceiptLine.order_line_id))
        .outerjoin(Product, col(Product.id) == col(PurchaseOrderLine.product_id))
        .outerjoin(InventoryItem, col(InventoryItem.id) == col(GoodsReceiptLine.item_id))
        .outerjoin(Location, col(Location.id) == col(InventoryItem.location_id))
        .outerjoin(Lot, col(Lot.id) == col(InventoryItem.lot_id))
        .where(col(GoodsReceiptLine.receipt_id) == receipt_id)
        .order_by(col(GoodsReceiptLine.position))
    ).all()
    original = session.get(GoodsReceipt, found.reverses) if found.reverses else None
    movements = [line.movement_id for line in lines if line.movement_id is not None]
    return ReceiptDetail(
        row=_row(found),
        order_id=found.order_id,
        note=found.note or "",
        lines=[
            ReceiptLine(
                position=line.position,
                description=line.description,
                sku=line.sku or "",
                change=signed(line.quantity),
                unit=line.unit_code or line.purchase_unit,
                cost=money(line.unit_cost) if prices else "",
                location=line.location or "",
                lot=line.lot or "",
                item_href=f"/inventory/{line.item_id}" if line.item_id else "",
            )
            for line in lines
        ],
        movements=movement_lines(session, movements)
        if Permission.INVENTORY_VIEW in current_viewer(session).permissions
        else [],
        takes_back=original.number if original else "",
        takes_back_href=f"/receipts/{original.id}" if original else "",
        taken_back_href=f"/receipts/{found.counter_id}" if found.counter_id else "",
        why_not=why_not_corrected(session, receipt_id, found.kind),
    )


# What can be received


@dataclass(frozen=True, slots=True)
class Awaited:
    """A line that can be received: what it is, and how much of it is waited for and can still come."""

    line_id: int
    position: int
    product_id: int
    description: str
    sku: str
    ordered: str
    received: str
    #: What is waited for as a plain number, for the form, and as people read it.
    open: str
    open_said: str
    unit: str
    lots_kept: bool
    #: Whether it is kept in stock, and so at a location.
    stocked: bool


@dataclass(frozen=True, slots=True)
class ToReceive:
    """An order with the lines that can be received; `why_not` when none can."""

    order_id: int
    number: str
    supplier: str
    location_id: str
    lines: list[Awaited]
    locations: list[tuple[str, str]]
    why_not: str


@query(Permission.ORDERS_RECEIVE)
def order_to_receive(session: Session, *, order_id: int) -> ToReceive | None:
    """Return what of an order can be received, None when there is no such order."""
    order = session.get(PurchaseOrder, order_id)
    if order is None:
        return None
    known = lines_of(session, order_id)
    products = {
        product.id: product
        for product in session.scalars(
            sa.select(Product).where(col(Product.id).in_({line.product_id for line in known.values()} - {None}))
        )
    }
    why_not = why_not_now(order.number, OrderStatus(order.status), RECEIVABLE)
    lines = [_awaited(line, products.get(line.product_id)) for line in known.values() if line.left > 0 and not why_not]
    if not lines and not why_not:
        why_not = f"Everything of {order.number} has come."
    return ToReceive(
        order_id,
        order.number or "",
        session.get_one(Supplier, order.supplier_id).name,
        str(order.location_id),
        lines,
        _locations(session),
        why_not,
    )


def _awaited(line: Line, product: Product | None) -> Awaited:
    waited_for = max(min(line.quantity - line.received, line.left), Decimal(0))
    return Awaited(
        line_id=line.id,
        position=line.position,
        product_id=line.product_id or 0,
        description=line.description,
        sku=product.sku if product else "",
        ordered=say(line.quantity),
        received=say(line.received),
        open=f"{waited_for.normalize():f}",
        open_said=say(waited_for),
        unit=line.unit,
        lots_kept=bool(product and product.lots_kept),
        stocked=product is not None,
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that waits for a product: what is open of it, and where to receive it."""

    order_id: int
    number: str
    supplier: str
    open: str
    href: str


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a barcode, SKU or number of an order stands for, and the orders that wait for it."""

    product_id: int
    product: str
    orders: list[Waiting]


_MOST_ORDERS = 50


@query(Permission.ORDERS_RECEIVE)
def waiting_for(session: Session, *, text: str) -> Scanned:
    """Return the open orders with what was scanned or typed - a product, or an order itself - the oldest first."""
    code = as_scanned(text)
    product = session.scalar(
        sa.select(Product)
        .where(sa.or_(col(Product.barcode) == code, col(Product.sku) == code.upper()))
        # A code that is one product's barcode and another's SKU was scanned.
        .order_by((col(Product.barcode) == code).desc().nulls_last())
    )
    named = sa.func.upper(col(PurchaseOrder.number)) == code.upper()
    about = named if product is None else col(PurchaseOrderLine.product_id) == product.id
    left = sa.func.sum(col(PurchaseOrderLine.receivable) - col(PurchaseOrderLine.received))
    found = session.execute(
        sa.select(col(PurchaseOrder.id), col(PurchaseOrder.number), col(Supplier.name), left.label("left"))
        .join(PurchaseOrderLine, col(PurchaseOrderLine.order_id) == col(PurchaseOrder.id))
        .join(Supplier, col(Supplier.id) == col(PurchaseOrder.supplier_id))
        .where(
            about,
            col(PurchaseOrder.status).in_([status.value for status in RECEIVABLE]),
            col(PurchaseOrderLine.received) < col(PurchaseOrderLine.receivable),
        )
        .group_by(col(PurchaseOrder.id), col(Supplier.id))
        .order_by(col(PurchaseOrder.expected_on), col(PurchaseOrder.id))
        .limit(_MOST_ORDERS)
    )
    counts = f"?product={product.id}" if product else ""
    return Scanned(
        product.id or 0 if product else 0,
        product.name if product else "",
        [
            Waiting(
                row.id,
                row.number,
                row.name,
                f"{say(row.left)} {product.unit_code}" if product else "",
                f"/orders/{row.id}/receive{counts}",
            )
            for row in found
        ],
    )


# What can be sent back


@dataclass(frozen=True, slots=True)
class Returnable:
    """A line of a receipt that can go back: how much of it, and the items it can be taken out of."""

    line_id: int
    description: str
    most: str
    unit: str
    stocked: bool
    item_id: str
    #: The items it can be taken out of, in words.
    sources: list[tuple[str, str]]


@query(Permission.ORDERS_RECEIVE)
def to_send_back(session: Session, *, receipt_id: int) -> list[Returnable]:
    """Return what of a receipt can go back, and where it is now: what was put away elsewhere goes from there."""
    rows = session.execute(
        sa.select(col(GoodsReceipt.order_id), col(GoodsReceiptLine.order_line_id), col(GoodsReceiptLine.item_id))
        .join(GoodsReceiptLine, col(GoodsReceiptLine.receipt_id) == col(GoodsReceipt.id))
        .where(col(GoodsReceipt.id) == receipt_id, col(GoodsReceiptLine.quantity) > 0)
        .order_by(col(GoodsReceiptLine.position))
    ).all()
    if not rows:
        return []
    known = lines_of(session, rows[0].order_id)
    items = _items_of(session, {line.product_id for line in known.values() if line.product_id})
    first: dict[int, int | None] = {}
    for row in rows:
        first.setdefault(row.order_line_id, row.item_id)
    return [
        Returnable(
            line_id=line.id,
            description=line.description,
            most=say(line.received),
            unit=line.unit,
            stocked=line.product_id is not None,
            item_id=str(item_id or ""),
            sources=items.get(line.product_id or 0, []),
        )
        for line_id, item_id in first.items()
        if (line := known[line_id]).received > 0
    ]


def _items_of(session: Session, product_ids: set[int]) -> dict[int, list[tuple[str, str]]]:
    """Return the items of products of which there is something, in words: where, of which lot, how much."""
    found = session.execute(
        sa.select(
            col(InventoryItem.id),
            col(InventoryItem.product_id),
            col(InventoryItem.quantity),
            col(Location.name),
            col(Lot.code),
            col(Product.unit_code),
        )
        .join(Product, col(Product.id) == col(InventoryItem.product_id))
        .join(Location, col(Location.id) == col(InventoryItem.location_id))
        .outerjoin(Lot, col(Lot.id) == col(InventoryItem.lot_id))
        .where(
            col(InventoryItem.product_id).in_(product_ids),
            col(InventoryItem.quantity) > 0,
            col(Location.kind) != "transit",
        )
        .order_by(col(Location.sort_key), col(Lot.code), col(InventoryItem.id))
    )
    items: dict[int, list[tuple[str, str]]] = {}
    for row in found:
        lot = f", lot {row.code}" if row.code else ""
        words = f"{row.name}{lot}: {say(row.quantity, row.unit_code)}"
        items.setdefault(row.product_id, []).append((str(row.id), words))
    return items
