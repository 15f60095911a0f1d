"""The list of shipments: what it can be sorted and narrowed down by."""

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from inventory_app.models.catalog import Location, Lot, Product
from inventory_app.models.stock import InventoryItem, Shipment
from inventory_app.operations._item_list import product_words, word_of_product
from inventory_app.operations._list_filters import AnyOf, OneOf, Range, Words
from inventory_app.operations._lists import Column, Join, Listing
from inventory_app.permissions import Permission

#: Where a shipment comes from, and where it goes.
SOURCE, GOAL = aliased(Location, name="source"), aliased(Location, name="goal")
STATUSES = {"sent": "On their way", "accepted": "Arrived"}

_ITEM, _PRODUCT = ("item",), ("product",)


#: The list of shipments, the newest first.
LIST = Listing(
    permission=Permission.INVENTORY_VIEW,
    table=Shipment,
    ident=col(Shipment.id),
    sort="number",
    columns=(
        # Counted down, so that the newest stand first without being asked for.
        Column(key="number", label="Shipment", by=-col(Shipment.id), extra=True),
        Column(key="sku", label="SKU", by=col(Product.sku), needs=_PRODUCT),
        Column(key="product", label="Product", by=col(Product.sort_key), needs=_PRODUCT, fixed=True),
        Column(key="lot", label="Lot", by=col(Lot.code), needs=("lot",), nullable=True, extra=True),
        Column(key="from", label="From", by=col(SOURCE.sort_key), needs=("source",)),
        Column(key="to", label="To", by=col(GOAL.sort_key), needs=("goal",)),
        Column(key="quantity", label="Quantity", by=col(Shipment.quantity), numeric=True),
        Column(key="sent", label="Sent", by=col(Shipment.sent_at)),
        Column(key="by", label="Sent by", by=col(Shipment.sent_by), extra=True),
        Column(key="lost", label="Lost", by=col(Shipment.lost), nullable=True, numeric=True, extra=True),
        # Carries what can be done with the row.
        Column(key="arrived", label="Arrived", by=col(Shipment.accepted_at), nullable=True, fixed=True),
    ),
    search=Words(key="q", label="Search", needs=_PRODUCT, word=word_of_product, finds=product_words),
    filters=(
        OneOf(
            key="status",
            label="Status",
            quiet=True,
            options={status: col(Shipment.status) == status for status in STATUSES},
            words=STATUSES,
        ),
        AnyOf(
            key="from", label="From", needs=_ITEM, matches=lambda ids: col(InventoryItem.location_id) == sa.any_(ids)
        ),
        AnyOf(key="to", label="To", matches=lambda ids: col(Shipment.to_location_id) == sa.any_(ids)),
        Range(key="quantity", label="Quantity", column=col(Shipment.quantity)),
        OneOf(
            key="lost",
            label="Lost",
            options={"yes": col(Shipment.lost) > 0},
            words={"yes": "something"},
        ),
    ),
    joins={
        "item": Join(InventoryItem, col(InventoryItem.id) == col(Shipment.from_item_id)),
        "product": Join(Product, col(Product.id) == col(InventoryItem.product_id), needs=_ITEM),
        "lot": Join(Lot, col(Lot.id) == col(InventoryItem.lot_id), outer=True, needs=_ITEM),
        "source": Join(SOURCE, col(SOURCE.id) == col(InventoryItem.location_id), needs=_ITEM),
        "goal": Join(GOAL, col(GOAL.id) == col(Shipment.to_location_id)),
    },
)
