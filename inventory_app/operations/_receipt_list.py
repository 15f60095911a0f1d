"""The list of receipts: what it can be sorted and narrowed down by."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from inventory_app.models.catalog import Location
from inventory_app.models.purchasing import GoodsReceipt, PurchaseOrder, ReceiptKind
from inventory_app.models.suppliers import Supplier
from inventory_app.operations._list_filters import AnyOf, Asked, Asking, Condition, OneOf, Words
from inventory_app.operations._lists import Column, Join, Listing
from inventory_app.operations._paging import like_escaped
from inventory_app.permissions import Permission

#: What a paper is called in the list, by its kind, and what is said of it in one word.
KINDS = {ReceiptKind.RECEIPT: "Receipts", ReceiptKind.RETURN: "Returns", ReceiptKind.CORRECTION: "Corrections"}
WORDS = {ReceiptKind.RECEIPT: "Came", ReceiptKind.RETURN: "Sent back", ReceiptKind.CORRECTION: "Correction"}

_ORDER, _SUPPLIER = ("order",), ("supplier",)


def _word(_: Asking, word: str) -> Asked:
    return True, {"word": f"%{like_escaped(word)}%"}


def _finds(_: Any, name: Callable[[str], str]) -> Condition:
    text = sa.bindparam(name("word"), type_=sa.Text())
    return sa.or_(
        sa.func.lower(col(GoodsReceipt.number)).like(text),
        sa.func.lower(col(GoodsReceipt.delivery_note)).like(text),
        sa.func.lower(col(PurchaseOrder.number)).like(text),
        col(Supplier.sort_key).like(text),
    )


#: The list of receipts, returns and corrections, the newest first.
LIST = Listing(
    permission=Permission.ORDERS_VIEW,
    table=GoodsReceipt,
    ident=col(GoodsReceipt.id),
    sort="booked",
    columns=(
        Column(key="number", label="Receipt", by=col(GoodsReceipt.number), fixed=True),
        Column(key="kind", label="Kind", by=col(GoodsReceipt.kind)),
        Column(key="order", label="Order", by=col(PurchaseOrder.number), needs=_ORDER, nullable=True, fixed=True),
        Column(key="supplier", label="Supplier", by=col(Supplier.sort_key), needs=_SUPPLIER),
        Column(key="location", label="Location", by=col(Location.sort_key), needs=("location",)),
        Column(key="note", label="Delivery note", by=col(GoodsReceipt.delivery_note), nullable=True, extra=True),
        Column(key="happened", label="Happened", by=col(GoodsReceipt.occurred_at)),
        # Counted down, so that the newest stand first without being asked for.
        Column(key="booked", label="Booked", by=-col(GoodsReceipt.id), extra=True),
    ),
    search=Words(key="q", label="Search", needs=_SUPPLIER, word=_word, finds=_finds),
    filters=(
        OneOf(
            key="kind",
            label="Kind",
            quiet=True,
            options={kind.value: col(GoodsReceipt.kind) == kind.value for kind in KINDS},
            words={kind.value: label for kind, label in KINDS.items()},
        ),
        AnyOf(
            key="supplier",
            label="Supplier",
            needs=_ORDER,
            matches=lambda ids: col(PurchaseOrder.supplier_id) == sa.any_(ids),
        ),
        AnyOf(key="location", label="Location", matches=lambda ids: col(GoodsReceipt.location_id) == sa.any_(ids)),
        AnyOf(key="order", label="Order", matches=lambda ids: col(GoodsReceipt.order_id) == sa.any_(ids)),
    ),
    joins={
        "order": Join(PurchaseOrder, col(PurchaseOrder.id) == col(GoodsReceipt.order_id)),
        "supplier": Join(Supplier, col(Supplier.id) == col(PurchaseOrder.supplier_id), needs=_ORDER),
        "location": Join(Location, col(Location.id) == col(GoodsReceipt.location_id)),
    },
)
