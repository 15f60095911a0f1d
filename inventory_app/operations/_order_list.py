"""The list of orders: what it can be sorted and narrowed down by."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from inventory_app.models.catalog import Location
from inventory_app.models.purchasing import OrderStatus, PurchaseOrder
from inventory_app.models.suppliers import Supplier
from inventory_app.operations._list_filters import AnyOf, Asked, Asking, Condition, OneOf, Range, Words
from inventory_app.operations._lists import Column, Group, Join, Listing
from inventory_app.operations._order_rules import UNDER_WAY
from inventory_app.operations._paging import like_escaped
from inventory_app.permissions import Permission

_SUPPLIER = ("supplier",)
_STATUS: Any = col(PurchaseOrder.status)
_UNDER_WAY = _STATUS.in_([status.value for status in UNDER_WAY])
#: What has been ordered, has not come, and should have.
IS_LATE = sa.and_(_UNDER_WAY, col(PurchaseOrder.expected_on) < sa.func.current_date())
#: The supplier has promised a later day than was wanted of it.
IS_PROMISED_LATER = col(PurchaseOrder.confirmed_on) > col(PurchaseOrder.wanted_on)
#: The tabs: every status, those in which something is on its way as one.
TABS: dict[str, tuple[str, Any]] = {
    "draft": ("Drafts", OrderStatus.DRAFT.value == _STATUS),
    "submitted": ("To approve", OrderStatus.SUBMITTED.value == _STATUS),
    "approved": ("To order", OrderStatus.APPROVED.value == _STATUS),
    "under_way": ("Under way", _UNDER_WAY),
    "received": ("Received", OrderStatus.RECEIVED.value == _STATUS),
    "closed": ("Closed", OrderStatus.CLOSED.value == _STATUS),
    "cancelled": ("Cancelled", OrderStatus.CANCELLED.value == _STATUS),
}
IN_BASE = col(PurchaseOrder.total) * col(PurchaseOrder.rate)


def _word(_: Asking, word: str) -> Asked:
    return True, {"word": f"%{like_escaped(word)}%"}


def _finds(_: Any, name: Callable[[str], str]) -> Condition:
    text = sa.bindparam(name("word"), type_=sa.Text())
    return sa.or_(sa.func.lower(col(PurchaseOrder.number)).like(text), col(Supplier.sort_key).like(text))


#: The list of orders, the newest first.
LIST = Listing(
    permission=Permission.ORDERS_VIEW,
    table=PurchaseOrder,
    ident=col(PurchaseOrder.id),
    sort="written",
    columns=(
        Column(key="number", label="Order", by=col(PurchaseOrder.number), nullable=True, fixed=True),
        Column(
            key="supplier",
            label="Supplier",
            by=col(Supplier.sort_key),
            needs=_SUPPLIER,
            group=Group(key=col(Supplier.id), reference=col(PurchaseOrder.supplier_id)),
            fixed=True,
        ),
        Column(key="status", label="Status", by=_STATUS, fixed=True),
        Column(key="expected", label="Expected", by=col(PurchaseOrder.expected_on), nullable=True),
        Column(key="location", label="Deliver to", by=col(Location.sort_key), needs=("location",), extra=True),
        Column(key="total", label="Total", by=IN_BASE, numeric=True, permission=Permission.PRICES_VIEW),
        # Counted down, so that the newest stand first without being asked for.
        Column(key="written", label="Written", by=-col(PurchaseOrder.id)),
    ),
    search=Words(
        key="q",
        label="Search",
        needs=_SUPPLIER,
        word=_word,
        finds=_finds,
        begins=(col(Supplier.sort_key),),
        codes=(col(PurchaseOrder.number),),
        near=col(Supplier.sort_key),
    ),
    filters=(
        OneOf(
            key="status",
            label="Status",
            quiet=True,
            options={key: condition for key, (_, condition) in TABS.items()},
            words={key: label for key, (label, _) in TABS.items()},
        ),
        AnyOf(key="supplier", label="Supplier", matches=lambda ids: col(PurchaseOrder.supplier_id) == sa.any_(ids)),
        AnyOf(key="location", label="Deliver to", matches=lambda ids: col(PurchaseOrder.location_id) == sa.any_(ids)),
        OneOf(
            key="due",
            label="Expected",
            options={
                "late": IS_LATE,
                "week": sa.and_(
                    _UNDER_WAY,
                    col(PurchaseOrder.expected_on).between(sa.func.current_date(), sa.func.current_date() + 7),
                ),
            },
            words={"late": "before today", "week": "within 7 days"},
        ),
        OneOf(
            key="promise",
            label="Promised",
            options={
                "later": IS_PROMISED_LATER,
                "kept": sa.and_(
                    col(PurchaseOrder.confirmed_on).is_not(None),
                    sa.not_(sa.func.coalesce(IS_PROMISED_LATER, sa.false())),
                ),
                "none": sa.and_(_UNDER_WAY, col(PurchaseOrder.confirmed_on).is_(None)),
            },
            words={"later": "later than wanted", "kept": "as wanted", "none": "nothing yet"},
        ),
        OneOf(
            key="override",
            label="Supplier not approved",
            options={"yes": col(PurchaseOrder.override_reason).is_not(None)},
            words={"yes": "let with a reason"},
        ),
        Range(key="total", label="Total", column=IN_BASE, permission=Permission.PRICES_VIEW),
    ),
    joins={
        "supplier": Join(Supplier, col(Supplier.id) == col(PurchaseOrder.supplier_id)),
        "location": Join(Location, col(Location.id) == col(PurchaseOrder.location_id)),
    },
)
