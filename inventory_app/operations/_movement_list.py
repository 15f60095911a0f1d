"""The list of movements: what it can be sorted and narrowed down by."""

import sqlalchemy as sa
from sqlmodel import col

from inventory_app.models.catalog import Location, Product
from inventory_app.models.stock import InventoryItem, MovementKind, StockMovement
from inventory_app.operations._item_list import product_words, word_of_product
from inventory_app.operations._list_filters import AnyOf, Condition, OneOf, Range, Words
from inventory_app.operations._lists import Column, Group, Join, Listing
from inventory_app.operations._movement_lines import LATE
from inventory_app.permissions import Permission

_ITEM = ("item",)
_RECORDED = col(StockMovement.recorded_at)

KIND_WORDS = {
    MovementKind.RECEIPT: "Received",
    MovementKind.ISSUE: "Issued",
    MovementKind.ADJUSTMENT: "Adjusted",
    MovementKind.TRANSFER: "Moved",
    MovementKind.COUNT: "Counted",
    MovementKind.REVERSAL: "Taken back",
    MovementKind.REVALUATION: "Value corrected",
}


def _since(interval: str) -> Condition:
    return sa.func.now() - sa.cast(interval, sa.Interval) <= _RECORDED


#: The list of movements, by when they were recorded.
LIST = Listing(
    permission=Permission.INVENTORY_VIEW,
    table=StockMovement,
    ident=col(StockMovement.id),
    sort="recorded",
    columns=(
        Column(key="recorded", label="Recorded", by=_RECORDED, fixed=True),
        Column(key="what", label="What happened", fixed=True),
        Column(key="product", label="Product", by=col(Product.sort_key), needs=("product",)),
        Column(
            key="location",
            label="Location",
            by=col(Location.sort_key),
            needs=("location",),
            group=Group(key=col(Location.id), reference=col(InventoryItem.location_id), needs=_ITEM, indexed=True),
            # The items of a place and the movements of an item are each in order in an index.
            then=(col(InventoryItem.id), col(StockMovement.sequence)),
        ),
        Column(key="change", label="Change", by=col(StockMovement.quantity), numeric=True),
        Column(key="balance", label="Balance", numeric=True),
        Column(
            key="value",
            label="Value",
            by=col(StockMovement.value),
            numeric=True,
            permission=Permission.PRICES_VIEW,
        ),
        Column(key="reason", label="Reason", extra=True),
        Column(key="occurred", label="Happened", by=col(StockMovement.occurred_at), extra=True),
        Column(key="record", label="Record"),
        # Carries what can be done with the row.
        Column(key="who", label="By", fixed=True),
    ),
    search=Words(key="q", label="Search", needs=("product",), word=word_of_product, finds=product_words),
    filters=(
        AnyOf(key="item", label="Item", matches=lambda ids: col(StockMovement.item_id) == sa.any_(ids)),
        AnyOf(key="kind", label="Kind", type_=str, matches=lambda kinds: col(StockMovement.kind) == sa.any_(kinds)),
        AnyOf(
            key="reason",
            label="Reason",
            type_=str,
            matches=lambda codes: col(StockMovement.reason_code) == sa.any_(codes),
        ),
        AnyOf(
            key="location",
            label="Location",
            needs=_ITEM,
            matches=lambda ids: col(InventoryItem.location_id) == sa.any_(ids),
        ),
        Range(key="change", label="Change", column=col(StockMovement.quantity)),
        Range(key="value", label="Value", column=col(StockMovement.value), permission=Permission.PRICES_VIEW),
        OneOf(
            key="recorded",
            label="Recorded",
            options={"day": _since("1 day"), "week": _since("7 days"), "month": _since("30 days")},
            words={"day": "in the last 24 hours", "week": "in the last 7 days", "month": "in the last 30 days"},
        ),
        OneOf(
            key="late",
            label="Back-dated",
            options={"yes": col(StockMovement.occurred_at) + LATE < _RECORDED},
            words={"yes": "yes"},
        ),
    ),
    joins={
        "item": Join(InventoryItem, col(InventoryItem.id) == col(StockMovement.item_id)),
        "product": Join(Product, col(Product.id) == col(InventoryItem.product_id), needs=_ITEM),
        "location": Join(Location, col(Location.id) == col(InventoryItem.location_id), needs=_ITEM),
    },
)
