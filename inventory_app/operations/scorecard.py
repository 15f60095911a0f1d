"""How well a supplier keeps to what was ordered: on time, in full, at the price, reckoned from orders and receipts.

A receipt that was taken back because it was wrong does not count; goods that were sent back had come.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from inventory_app.models._base import now
from inventory_app.models.purchasing import (
    GoodsReceipt,
    GoodsReceiptLine,
    OrderStatus,
    PurchaseOrder,
    PurchaseOrderLine,
    ReceiptKind,
)
from inventory_app.operations._operation import current_viewer, query
from inventory_app.permissions import Permission

#: Orders that were placed in so many days count.
DAYS = 365
_PLACED = (OrderStatus.ORDERED, OrderStatus.PARTIALLY_RECEIVED, OrderStatus.RECEIVED, OrderStatus.CLOSED)
_OVER = (OrderStatus.RECEIVED, OrderStatus.CLOSED)
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Score:
    """One figure of a supplier: `percent` is None where nothing counts yet, `counted` says what it stands on."""

    title: str
    percent: Decimal | None
    shown: str
    counted: str
    formula: str


@query(Permission.SUPPLIERS_VIEW)
def scorecard(session: Session, *, supplier_id: int) -> list[Score]:
    """Return the figures of a supplier's last year for who sees orders; the price drift needs `prices:view`."""
    held = current_viewer(session).permissions
    if Permission.ORDERS_VIEW not in held:
        return []
    scores = _kept(session, supplier_id)
    return [*scores, _drift(session, supplier_id)] if Permission.PRICES_VIEW in held else scores


def _placed(supplier_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(
        col(PurchaseOrder.supplier_id) == supplier_id,
        col(PurchaseOrder.status).in_(_PLACED),
        col(PurchaseOrder.ordered_at) >= now() - timedelta(days=DAYS),
    )


def _kept(session: Session, supplier_id: int) -> list[Score]:
    """Count the lines that came in time, and those that came whole."""
    corrected = aliased(GoodsReceipt)
    came = (
        sa.select(
            col(GoodsReceiptLine.order_line_id).label("line_id"),
            col(GoodsReceipt.occurred_at).label("at"),
            sa.func.sum(col(GoodsReceiptLine.quantity))
            .over(
                partition_by=col(GoodsReceiptLine.order_line_id),
                order_by=(col(GoodsReceipt.occurred_at), col(GoodsReceiptLine.id)),
            )
            .label("so_far"),
        )
        .join(GoodsReceipt, col(GoodsReceipt.id) == col(GoodsReceiptLine.receipt_id))
        .join(PurchaseOrder, col(PurchaseOrder.id) == col(GoodsReceipt.order_id))
        .where(
            _placed(supplier_id),
            col(GoodsReceipt.kind) == ReceiptKind.RECEIPT,
            ~sa.exists().where(col(corrected.reverses) == col(GoodsReceipt.id)),
        )
        .subquery()
    )
    line = PurchaseOrderLine
    whole_at = (
        sa.select(sa.func.min(came.c.at))
        .where(came.c.line_id == col(line.id), came.c.so_far >= col(line.quantity))
        .scalar_subquery()
    )
    lines = (
        sa.select(
            sa.func.coalesce(col(line.expected_on), col(PurchaseOrder.expected_on)).label("expected"),
            sa.cast(sa.func.timezone("UTC", whole_at), sa.Date).label("whole_on"),
            sa.or_(
                col(PurchaseOrder.status).in_(_OVER),
                col(line.received) + col(line.given_up) >= col(line.quantity),
            ).label("over"),
        )
        .join(PurchaseOrder, col(PurchaseOrder.id) == col(line.order_id))
        .where(_placed(supplier_id))
        .subquery()
    ).c
    whole = lines.whole_on.is_not(None)
    due = sa.and_(lines.expected.is_not(None), sa.or_(whole, lines.expected < now().date()))
    finished = sa.or_(whole, lines.over)
    count = sa.func.count()
    in_time, are_due, in_full, are_finished = session.execute(
        sa.select(
            count.filter(due, lines.whole_on <= lines.expected),
            count.filter(due),
            count.filter(finished, whole),
            count.filter(finished),
        )
    ).one()
    return [
        _share(
            "On time",
            in_time,
            are_due,
            "Lines whose whole quantity had come by the expected day / lines that came, or whose day is over",
        ),
        _share(
            "In full",
            in_full,
            are_finished,
            "Lines whose whole quantity came / lines that came, were given up or whose order is closed",
        ),
    ]


def _share(title: str, part: int, of: int, formula: str) -> Score:
    lines = "1 line" if of == 1 else f"{of:,} lines"
    if not of:
        return Score(title, None, "–", "No line counts yet", formula)
    percent = _rounded(Decimal(part) / of)
    return Score(title, percent, f"{percent.normalize():f} %", f"{part:,} of {lines}", formula)


def _rounded(ratio: Decimal) -> Decimal:
    return (ratio * _HUNDRED).quantize(Decimal("0.1"), ROUND_HALF_UP)


def _drift(session: Session, supplier_id: int) -> Score:
    """Compare what products cost when they were ordered last with what they cost first, as much as was ordered last."""
    line, order = PurchaseOrderLine, PurchaseOrder
    same = (col(line.product_id), col(order.currency))
    at = (col(order.ordered_at), col(line.id))
    known = (
        sa.select(
            col(line.quantity).label("quantity"),
            col(line.unit_cost).label("cost"),
            sa.func.first_value(col(line.unit_cost)).over(partition_by=same, order_by=at).label("first"),
            sa.func.row_number().over(partition_by=same, order_by=[key.desc() for key in at]).label("from_last"),
            sa.func.count().over(partition_by=same).label("times"),
        )
        .join(order, col(order.id) == col(line.order_id))
        .where(_placed(supplier_id), col(line.product_id).is_not(None), col(line.unit_cost) > 0)
        .subquery()
    ).c
    products, last, first = session.execute(
        sa.select(
            sa.func.count(), sa.func.sum(known.quantity * known.cost), sa.func.sum(known.quantity * known.first)
        ).where(known.from_last == 1, known.times > 1)
    ).one()
    title = "Price drift"
    formula = "Last quantities at their last cost / the same quantities at the first cost of the year − 1, by currency"
    if not products:
        return Score(title, None, "–", "Nothing was ordered twice yet", formula)
    percent = _rounded(last / first - 1)
    sign = "+" if percent > 0 else "−" if percent < 0 else ""
    counted = "1 product ordered again" if products == 1 else f"{products:,} products ordered again"
    return Score(title, percent, f"{sign}{abs(percent).normalize():f} %", counted, formula)
