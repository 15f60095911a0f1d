"""Which lists can be exported, and what stands in the file where it is not what the list sorts by."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from inventory_app.audit.tables import audit_change, audit_operation
from inventory_app.models.approvals import Approval
from inventory_app.models.catalog import (
    Category,
    Location,
    Lot,
    PriceStatus,
    Product,
    ProductPrice,
    SupplierProduct,
    Unit,
)
from inventory_app.models.lists import ChangeSet
from inventory_app.models.payments import Payment
from inventory_app.models.purchasing import GoodsReceipt, GoodsReceiptLine, PurchaseOrder, SupplierInvoice
from inventory_app.models.stock import InventoryItem, ProductStock, ReasonCode, Shipment, StockMovement
from inventory_app.models.suppliers import Supplier
from inventory_app.models.users import LocalUser, Role, UserInfo, UserRole
from inventory_app.operations import (
    _approval_list,
    _change_list,
    _invoice_list,
    _item_list,
    _movement_list,
    _order_list,
    _payment_list,
    _people_list,
    _price_list,
    _product_list,
    _receipt_list,
    _settings_lists,
    _shipment_list,
    _supplier_list,
    _trail_list,
    _tree_lists,
    lots,
    reorder,
)
from inventory_app.operations._approvals import KINDS as KINDS_OF_REQUESTS
from inventory_app.operations._change_fields import KINDS
from inventory_app.operations._export_cells import Cell, Export, words
from inventory_app.operations._lists import Join
from inventory_app.operations._order_rules import STATUSES
from inventory_app.operations.catalog import LOCATION_KINDS
from inventory_app.operations.reorder import ISSUED, RESERVED, USAGE_DAYS
from inventory_app.permissions import Permission

_AT_AVERAGE = sa.func.round(col(InventoryItem.quantity) * col(Product.unit_cost), 2)
_UNIT = Cell(col(Product.unit_code), "Unit", ("product",))
_SKU = Cell(col(Product.sku), "SKU", ("product",))

# Movements

_LEDGER = aliased(StockMovement, name="ledger")
#: What was there is counted from the nearer end of the item's movements: from none, or back from what is there now.
_BALANCE = sa.case(
    (
        col(StockMovement.sequence) * 2 > col(InventoryItem.sequence),
        col(InventoryItem.quantity)
        - sa.select(sa.func.coalesce(sa.func.sum(col(_LEDGER.quantity)), 0))
        .where(col(_LEDGER.item_id) == col(StockMovement.item_id), col(_LEDGER.sequence) > col(StockMovement.sequence))
        .correlate(StockMovement)
        .scalar_subquery(),
    ),
    else_=sa.select(sa.func.sum(col(_LEDGER.quantity)))
    .where(col(_LEDGER.item_id) == col(StockMovement.item_id), col(_LEDGER.sequence) <= col(StockMovement.sequence))
    .correlate(StockMovement)
    .scalar_subquery(),
)
_WHAT = sa.case(
    (col(StockMovement.reason_code) == "opening", "Opening balance"),
    else_=words(col(StockMovement.kind), _movement_list.KIND_WORDS),
)
_MOVED = audit_operation.alias("moved")
_MOVER = aliased(UserInfo, name="mover")
_MOVEMENT_JOINS = {
    "moved": Join(_MOVED, _MOVED.c.id == col(StockMovement.operation_id), outer=True),
    "mover": Join(_MOVER, col(_MOVER.user_id) == _MOVED.c.actor_id, outer=True, needs=("moved",)),
    "reason": Join(ReasonCode, col(ReasonCode.code) == col(StockMovement.reason_code), outer=True),
    "booked": Join(GoodsReceiptLine, col(GoodsReceiptLine.movement_id) == col(StockMovement.id), outer=True),
    "receipt": Join(
        GoodsReceipt, col(GoodsReceipt.id) == col(GoodsReceiptLine.receipt_id), outer=True, needs=("booked",)
    ),
}

# Products: who changed one last is in the trail alone

_NEWEST = (
    sa.select(audit_change.c.operation_id, audit_change.c.recorded_at)
    .where(audit_change.c.table_name == "product", audit_change.c.pk == sa.cast(col(Product.id), sa.Text))
    .order_by(audit_change.c.id.desc())
    .limit(1)
    .correlate(Product)
    .lateral("newest")
)
_CHANGED = audit_operation.alias("changed")
_PRODUCT_JOINS = {
    "newest": Join(_NEWEST, sa.true(), outer=True),
    "changed": Join(
        _CHANGED,
        sa.and_(_CHANGED.c.id == _NEWEST.c.operation_id, _CHANGED.c.recorded_at == _NEWEST.c.recorded_at),
        outer=True,
        needs=("newest",),
    ),
}

# What to reorder: as `reorder.suggest` says it

_USAGE, _KEPT_BACK = ISSUED.lateral("usage"), RESERVED.lateral("kept_back")
_REORDER_JOINS = {
    "usage": Join(_USAGE, sa.true(), needs=("product",)),
    "kept_back": Join(_KEPT_BACK, sa.true(), needs=("product",)),
    "unit": Join(Unit, col(Unit.code) == col(Product.unit_code), needs=("product",)),
    "terms": Join(
        SupplierProduct,
        sa.and_(
            col(SupplierProduct.product_id) == col(Product.id),
            col(SupplierProduct.supplier_id) == col(Product.supplier_id),
            col(SupplierProduct.active),
        ),
        outer=True,
        needs=("product",),
    ),
}
_AVAILABLE = col(ProductStock.quantity) - _KEPT_BACK.c.reserved
_WANTED = sa.func.greatest(
    _USAGE.c.issued * sa.func.coalesce(col(SupplierProduct.lead_time_days), 0) / USAGE_DAYS
    + col(ProductStock.reorder_at)
    - _AVAILABLE,
    sa.literal_column("0"),
    col(Product.reorder_quantity),
    sa.func.coalesce(col(SupplierProduct.minimum_quantity), 0),
)
_FINENESS = sa.func.power(sa.literal_column("10::numeric"), col(Unit.decimals))
_PACK = sa.func.coalesce(col(SupplierProduct.pack_size), 1 / _FINENESS)
_SUGGESTED = sa.cast(sa.func.ceil(sa.func.ceil(_WANTED / _PACK) * _PACK * _FINENESS) / _FINENESS, sa.Numeric(20, 3))
_DAYS = sa.cast(
    sa.func.floor(sa.func.greatest(_AVAILABLE, 0) * USAGE_DAYS / sa.func.nullif(_USAGE.c.issued, 0)), sa.BigInteger
)

# Prices

_OF_PRODUCT = col(ProductPrice.product_id) == col(Product.id)


def _price(what: Any, status: PriceStatus, *order: Any) -> Any:
    found = sa.select(what).where(_OF_PRODUCT, col(ProductPrice.status) == status).order_by(*order).limit(1)
    return found.correlate(Product).scalar_subquery()


_NEXT = (col(ProductPrice.valid_from), col(ProductPrice.id))
_MARGIN = sa.func.round(
    (col(Product.unit_price) - col(Product.unit_cost)) / sa.func.nullif(col(Product.unit_price), 0) * 100, 1
)

# Others

_ROLES = (
    sa.select(sa.func.string_agg(col(Role.name), sa.literal_column("', ' ORDER BY role.name")))
    .join(UserRole, col(UserRole.role_id) == col(Role.id))
    .where(col(UserRole.user_id) == col(UserInfo.id))
    .correlate(UserInfo)
    .scalar_subquery()
)
_IN_LOT = (
    sa.select(sa.func.coalesce(sa.func.sum(col(InventoryItem.quantity)), 0))
    .where(col(InventoryItem.lot_id) == col(Lot.id))
    .correlate(Lot)
    .scalar_subquery()
)
_PROPOSER = (
    sa.select(col(UserInfo.full_name))
    .where(col(UserInfo.user_id) == col(ChangeSet.created_by))
    .correlate(ChangeSet)
    .scalar_subquery()
)
_CHANGE_STATUS = words(col(ChangeSet.status), {status: said for status, (said, _) in _change_list.STATUSES.items()})

#: By the name in the address of the file. A list whose columns all sort is one line.
EXPORTS: Mapping[str, Export] = {
    "inventory": Export(
        _item_list.LIST,
        shows={"location": col(Location.code), "value": Cell(_AT_AVERAGE, needs=("product",))},
        also=(_UNIT,),
    ),
    "invoices": Export(
        _invoice_list.LIST,
        shows={
            "recorded": col(SupplierInvoice.recorded_at),
            "kind": words(col(SupplierInvoice.kind), _invoice_list.KINDS),
            "status": words(col(SupplierInvoice.status), _invoice_list.STATUSES),
        },
        also=(
            Cell(col(SupplierInvoice.net), "Net", permission=Permission.PRICES_VIEW),
            Cell(col(SupplierInvoice.tax), "Tax", permission=Permission.PRICES_VIEW),
            Cell(col(SupplierInvoice.paid), "Paid", permission=Permission.PRICES_VIEW),
            Cell(col(SupplierInvoice.currency), "Currency", permission=Permission.PRICES_VIEW),
        ),
    ),
    "suppliers": Export(
        _supplier_list.LIST,
        also=(
            Cell(col(Supplier.email), "Email"),
            Cell(col(Supplier.phone), "Phone"),
            Cell(col(Supplier.city), "City"),
            Cell(col(Supplier.country), "Country"),
        ),
    ),
    "products": Export(
        _product_list.LIST,
        shows={"changed": Cell(sa.func.coalesce(_CHANGED.c.recorded_at, col(Product.created_at)), needs=("changed",))},
        also=(
            Cell(_CHANGED.c.actor_name, "Changed by", ("changed",)),
            Cell(col(Product.barcode), "Barcode"),
            Cell(col(Product.active), "In use"),
        ),
        joins=_PRODUCT_JOINS,
    ),
    "movements": Export(
        _movement_list.LIST,
        shows={
            "what": _WHAT,
            "balance": Cell(_BALANCE, needs=("item",)),
            "reason": Cell(sa.func.coalesce(col(ReasonCode.label), col(StockMovement.reason_code)), needs=("reason",)),
            "record": Cell(sa.cast(col(StockMovement.operation_id), sa.Text), permission=Permission.AUDIT_VIEW),
            "who": Cell(sa.func.coalesce(col(_MOVER.full_name), _MOVED.c.actor_name), needs=("mover",)),
        },
        also=(
            _SKU,
            _UNIT,
            Cell(col(StockMovement.note), "Note"),
            Cell(col(StockMovement.reference), "Reference"),
            Cell(col(GoodsReceipt.number), "Receipt", ("receipt",)),
        ),
        joins=_MOVEMENT_JOINS,
    ),
    "lots": Export(
        lots.LIST, shows={"code": col(Lot.code), "on_hand": _IN_LOT, "note": col(Lot.note)}, also=(_SKU, _UNIT)
    ),
    "shipments": Export(
        _shipment_list.LIST,
        shows={"number": col(Shipment.id), "lot": col(Lot.code)},
        also=(_UNIT, Cell(col(Shipment.accepted_by), "Accepted by"), Cell(col(Shipment.note), "Note")),
    ),
    "orders": Export(
        _order_list.LIST,
        shows={
            "status": words(col(PurchaseOrder.status), {status: said for status, (said, _) in STATUSES.items()}),
            "total": Cell(col(PurchaseOrder.total), "Net"),
            "written": col(PurchaseOrder.created_at),
        },
        also=(
            Cell(col(PurchaseOrder.currency), "Currency"),
            Cell(col(PurchaseOrder.rate), "Rate", permission=Permission.PRICES_VIEW),
            Cell(col(PurchaseOrder.override_reason), "Although the supplier is not approved"),
        ),
    ),
    "receipts": Export(
        _receipt_list.LIST,
        shows={
            "kind": words(col(GoodsReceipt.kind), {kind.value: said for kind, said in _receipt_list.WORDS.items()}),
            "booked": col(GoodsReceipt.recorded_at),
        },
        also=(Cell(col(GoodsReceipt.note), "Note"),),
    ),
    "reorder": Export(
        reorder.LIST,
        shows={
            "left": col(ProductStock.quantity),
            "available": Cell(_AVAILABLE, needs=("kept_back",)),
            "days": Cell(_DAYS, "Lasts (days)", needs=("usage", "kept_back")),
            "suggested": Cell(_SUGGESTED, needs=("usage", "kept_back", "unit", "terms")),
        },
        also=(_UNIT,),
        joins=_REORDER_JOINS,
    ),
    "prices": Export(
        _price_list.LIST,
        shows={
            "margin": Cell(_MARGIN, "Margin (%)"),
            "changed": _price(sa.func.max(col(ProductPrice.valid_from)), PriceStatus.APPLIED),
        },
        also=(
            Cell(_price(col(ProductPrice.valid_from), PriceStatus.PLANNED, *_NEXT), "New price from"),
            Cell(
                _price(col(ProductPrice.new_price), PriceStatus.PLANNED, *_NEXT),
                "New price",
                permission=Permission.PRICES_VIEW,
            ),
            Cell(col(Product.currency), "Currency"),
        ),
    ),
    "planned": Export(_tree_lists.PLANNED),
    "changes": Export(
        _change_list.LIST,
        shows={
            "title": col(ChangeSet.title),
            "kind": words(col(ChangeSet.kind), KINDS),
            "status": _CHANGE_STATUS,
            "created": col(ChangeSet.created_at),
        },
        also=(Cell(_PROPOSER, "By"), Cell(col(ChangeSet.reason), "Why")),
    ),
    "payments": Export(
        _payment_list.LIST,
        shows={
            "number": col(Payment.number),
            "method": words(col(Payment.method), _payment_list.METHODS),
            "status": words(col(Payment.status), _payment_list.STATUSES),
        },
        also=(Cell(col(Payment.currency), "Currency"),),
    ),
    "due": Export(_payment_list.DUE, also=(Cell(col(SupplierInvoice.currency), "Currency"),)),
    "approvals": Export(
        _approval_list.LIST,
        shows={
            "kind": words(col(Approval.kind), {name: kind.label for name, kind in KINDS_OF_REQUESTS.items()}),
            "status": words(_approval_list.LIST.columns["status"].by, _approval_list.STATUSES),
        },
        also=(Cell(_approval_list.DECIDED_BY, "Decided by"), Cell(_approval_list.WHY, "Reasons of decisions")),
    ),
    "units": Export(_settings_lists.UNITS, shows={"name": col(Unit.name)}),
    "reasons": Export(
        _settings_lists.REASONS,
        shows={"uses": sa.func.array_to_string(col(ReasonCode.uses), sa.literal_column("', '"))},
    ),
    "categories": Export(_tree_lists.CATEGORIES, shows={"name": col(Category.name)}),
    "locations": Export(
        _tree_lists.LOCATIONS, shows={"name": col(Location.name), "kind": words(col(Location.kind), LOCATION_KINDS)}
    ),
    "people": Export(
        _people_list.LIST,
        shows={"roles": _ROLES},
        also=(Cell(col(LocalUser.username), "Username"), Cell(col(UserInfo.email), "Email")),
    ),
    "trail": Export(
        _trail_list.LIST,
        Permission.AUDIT_EXPORT,
        shows={
            "reason": Cell(_trail_list.REASON, needs=("reason",)),
            "refused": sa.func.nullif(
                sa.func.concat_ws(": ", audit_operation.c.error_class, audit_operation.c.detail), sa.literal("")
            ),
            "changes": _trail_list.CHANGES,
            "id": sa.cast(audit_operation.c.id, sa.Text),
        },
    ),
}
