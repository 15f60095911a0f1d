"""Orders as lists show them: all of them, and those that should come soon."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models._base import now
from inventory_app.models.catalog import Location
from inventory_app.models.purchasing import PurchaseOrder
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import _approval_rules as approval_rules
from inventory_app.operations._lists import View
from inventory_app.operations._money import said
from inventory_app.operations._operation import Viewer
from inventory_app.operations._order_list import LIST, TABS
from inventory_app.operations._order_rules import STATUSES, UNDER_WAY
from inventory_app.operations._paging import Page
from inventory_app.permissions import Permission


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as the list shows it; `total` is empty without `prices:view`."""

    id: int
    href: str
    called: str
    supplier: str
    status: str
    tone: str
    override: bool
    expected: str
    late: bool
    #: "" where the supplier has promised nothing, "as wanted", or how much later than wanted.
    promised: str
    promised_later: bool
    location: str
    total: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class OrderListing:
    """A page of orders; `count` the view leaves, `counts` are of the tabs, all of them as well."""

    view: View
    page: Page[OrderRow]
    count: int
    everything: int
    counts: dict[str, int]
    suppliers: list[tuple[str, str]]
    locations: list[tuple[str, str]]


_DETAILS = (
    sa.select(PurchaseOrder, col(Supplier.name), col(Location.name))
    .join(Supplier, col(Supplier.id) == col(PurchaseOrder.supplier_id))
    .join(Location, col(Location.id) == col(PurchaseOrder.location_id))
    .where(col(PurchaseOrder.id) == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.BigInteger))))
)
_BY_STATUS = sa.select(col(PurchaseOrder.status), sa.func.count()).group_by(col(PurchaseOrder.status))


def listing(session: Session, viewer: Viewer, view: View) -> OrderListing:
    """Return a page of the orders with the counts beside it."""
    by_status = {status: number for status, number in session.execute(_BY_STATUS)}  # noqa: C416  # rows are no pairs
    under_way = sum(by_status.get(status, 0) for status in UNDER_WAY)
    counts = {tab: under_way if tab == "under_way" else by_status.get(tab, 0) for tab in TABS}
    everything = sum(by_status.values())
    allowed = LIST.allowed(view, viewer.permissions)
    page, count = LIST.listed(session, allowed, everything)
    rows = order_rows(session, viewer, page.rows)
    ordered_from = sa.select(col(PurchaseOrder.supplier_id))
    suppliers = session.execute(
        sa.select(col(Supplier.id), col(Supplier.name))
        .where(col(Supplier.id).in_(ordered_from))
        .order_by(col(Supplier.sort_key), col(Supplier.id))
    )
    places = session.execute(
        sa.select(col(Location.id), col(Location.name)).order_by(col(Location.sort_key), col(Location.id))
    )
    return OrderListing(
        allowed,
        page.of(rows),
        count,
        everything,
        counts,
        [(str(id_), name) for id_, name in suppliers],
        [(str(id_), name) for id_, name in places],
    )


def order_rows(session: Session, viewer: Viewer, ids: Sequence[int]) -> list[OrderRow]:
    """Return these orders as a list shows them, in this order."""
    found = session.execute(_DETAILS, {"ids": list(ids)}).all() if ids else []
    names = approval_rules.full_names(session, {order.created_by for order, *_ in found if order.created_by})
    rows = {order.id: _row(viewer, order, supplier, place, names) for order, supplier, place in found}
    return [rows[id_] for id_ in ids if id_ in rows]


#: So many days ahead is what is due shown.
DUE_DAYS, DUE_SHOWN = 7, 5
_IS_DUE = sa.and_(
    col(PurchaseOrder.status).in_([status.value for status in UNDER_WAY]),
    col(PurchaseOrder.expected_on) <= sa.func.current_date() + DUE_DAYS,
)


def due(session: Session, viewer: Viewer) -> tuple[list[OrderRow], int]:
    """Return what should come soon or should have come, the longest awaited first, and how many there are."""
    number = session.scalar(sa.select(sa.func.count()).select_from(PurchaseOrder).where(_IS_DUE)) or 0
    if not number:
        return [], 0
    first = sa.select(col(PurchaseOrder.id)).where(_IS_DUE)
    ids = session.scalars(first.order_by(col(PurchaseOrder.expected_on), col(PurchaseOrder.id)).limit(DUE_SHOWN))
    return order_rows(session, viewer, [id_ for id_ in ids if id_]), number


def _row(viewer: Viewer, order: PurchaseOrder, supplier: str, place: str, names: Mapping[int, str]) -> OrderRow:
    word, tone = STATUSES[order.status]
    return OrderRow(
        id=order.id or 0,
        href=f"/orders/{order.id}",
        called=order.number or "Draft",
        supplier=supplier,
        status=word,
        tone=tone,
        override=order.override_reason is not None,
        expected=day_of(order.expected_on),
        late=is_late(order, order.expected_on),
        promised=promised(order),
        promised_later=days_later(order) > 0,
        location=place,
        total=said(order.total, order.currency) if Permission.PRICES_VIEW in viewer.permissions else "",
        by=names.get(order.created_by or 0, ""),
        at=order.created_at.isoformat(),
    )


def day_of(day: date | None) -> str:
    """Write a day as people read it; the year only where it is another one."""
    if day is None:
        return ""
    return f"{day:%a %-d %b}" if day.year == now().year else f"{day:%-d %b %Y}"


def is_late(order: PurchaseOrder, day: date | None) -> bool:
    """Tell whether what was expected of an order on a day has not come."""
    return order.status in UNDER_WAY and day is not None and day < now().date()


def days_later(order: PurchaseOrder) -> int:
    """Return by how many days the supplier has promised a later day than was wanted; 0 or less: in time."""
    if order.confirmed_on is None or order.wanted_on is None:
        return 0
    return (order.confirmed_on - order.wanted_on).days


def promised(order: PurchaseOrder) -> str:
    """Say how the day that the supplier promised stands to the one that was wanted."""
    if order.confirmed_on is None:
        return ""
    days = days_later(order)
    return "as wanted" if days <= 0 else f"{days:,} {'day' if days == 1 else 'days'} later than wanted"
