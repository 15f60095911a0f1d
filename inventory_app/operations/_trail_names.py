"""What people call a record of the trail: one statement for each kind of record on the page.

Names are today's, not those of the moment; the fields of the change hold what it was then.
"""

import json
from collections.abc import Iterable

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models.access import AccountLink, ExternalIdentity, RecoveryCode, SecondFactor
from inventory_app.models.approvals import Approval, ApprovalDecision, Delegation
from inventory_app.models.catalog import Category, Location, Lot, Product, ProductPrice, SupplierProduct, Unit
from inventory_app.models.documents import Document, DocumentContent
from inventory_app.models.lists import ChangeSet, SavedView
from inventory_app.models.payments import Payment, PaymentBatch, SupplierBankAccount
from inventory_app.models.purchasing import (
    GoodsReceipt,
    GoodsReceiptLine,
    NumberSeries,
    PurchaseOrder,
    PurchaseOrderLine,
    SupplierInvoice,
    SupplierInvoiceLine,
)
from inventory_app.models.stock import InventoryItem, PeriodClose, ReasonCode, Reservation, Shipment, StockMovement
from inventory_app.models.suppliers import ImportBatch, Supplier, SupplierContact, SupplierCorrection
from inventory_app.models.users import AuthSession, LocalUser, Permission, Role, UserInfo

Record = tuple[str, str]


def record_names(session: Session, records: Iterable[Record]) -> dict[Record, str]:
    """Return what each (table, primary key) of `records` is called; nameless ones are left out."""
    by_table: dict[str, set[str]] = {}
    for table, pk in records:
        # Without a key it is a change of the table's form, not of a record.
        if pk:
            by_table.setdefault(table, set()).add(pk)
    found: dict[Record, str] = {}
    for table, pks in by_table.items():
        if table in _LINKS:
            statement = _LINKS[table].where(sa.tuple_(*_LINK_KEYS[table]).in_([json.loads(pk) for pk in pks]))
        elif table in _NAMED:
            statement = _NAMED[table].where(_KEYS[table].in_([int(pk) for pk in pks]))
        elif table in _CODED:
            code, label = _CODED[table]
            statement = sa.select(
                sa.cast(sa.func.json_build_array(code), sa.Text).label("pk"), label.label("label")
            ).where(code.in_([json.loads(pk)[0] for pk in pks]))
        elif table in _OF_A_PERSON:
            found.update(_called_after_a_person(session, table, pks))
            continue
        else:
            continue
        found.update({(table, row.pk): row.label for row in session.execute(statement) if row.label})
    return found


#: Tables whose key is a code: the code, and what its record is called.
_CODED: dict[str, tuple[sa.SQLColumnExpression[str], sa.SQLColumnExpression[str]]] = {
    "unit": (col(Unit.code), col(Unit.name)),
    "reason_code": (col(ReasonCode.code), col(ReasonCode.label)),
}

#: Tables without a number of their own, whose records are called after a person: where in their key that is.
_OF_A_PERSON = {"approval_party": 1, "default_view": 0, "supplier_user": 0, "user_picture": 0}


def _called_after_a_person(session: Session, table: str, pks: Iterable[str]) -> dict[Record, str]:
    people = {pk: json.loads(pk)[_OF_A_PERSON[table]] for pk in pks}
    rows = session.execute(
        sa.select(col(LocalUser.id), _person()).select_from(_ACCOUNT).where(col(LocalUser.id).in_(people.values()))
    )
    names: dict[int, str] = dict(rows.all())
    return {(table, pk): names[user_id] for pk, user_id in people.items() if user_id in names}


def _place() -> sa.ColumnElement[str]:
    return col(Product.name) + " at " + col(Location.name)


def _order() -> sa.ColumnElement[str]:
    """Call an order by its number; a draft, which has none yet, by its supplier."""
    return sa.func.coalesce(col(PurchaseOrder.number), "Draft for " + col(Supplier.name))


def _person() -> sa.ColumnElement[str]:
    return sa.func.coalesce(sa.func.nullif(col(UserInfo.full_name), ""), col(LocalUser.username))


_ACCOUNT = sa.outerjoin(LocalUser, UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
_ITEM = sa.join(InventoryItem, Product, col(Product.id) == col(InventoryItem.product_id)).join(
    Location, col(Location.id) == col(InventoryItem.location_id)
)
_KEYS: dict[str, sa.SQLColumnExpression[int | None]] = {
    "category": col(Category.id),
    "change_set": col(ChangeSet.id),
    "document": col(Document.id),
    "document_content": col(DocumentContent.document_id),
    "lot": col(Lot.id),
    "period_close": col(PeriodClose.id),
    "reservation": col(Reservation.id),
    "saved_view": col(SavedView.id),
    "shipment": col(Shipment.id),
    "supplier_product": col(SupplierProduct.id),
    "goods_receipt": col(GoodsReceipt.id),
    "goods_receipt_line": col(GoodsReceiptLine.id),
    "payment": col(Payment.id),
    "payment_batch": col(PaymentBatch.id),
    "purchase_order": col(PurchaseOrder.id),
    "purchase_order_line": col(PurchaseOrderLine.id),
    "supplier_bank_account": col(SupplierBankAccount.id),
    "supplier_contact": col(SupplierContact.id),
    "supplier_correction": col(SupplierCorrection.id),
    "supplier_invoice": col(SupplierInvoice.id),
    "supplier_invoice_line": col(SupplierInvoiceLine.id),
    "location": col(Location.id),
    "product": col(Product.id),
    "product_price": col(ProductPrice.id),
    "inventory_item": col(InventoryItem.id),
    "stock_movement": col(StockMovement.id),
    "supplier": col(Supplier.id),
    "import_batch": col(ImportBatch.id),
    "local_user": col(LocalUser.id),
    "user_info": col(UserInfo.id),
    "auth_session": col(AuthSession.id),
    "role": col(Role.id),
    "permission": col(Permission.id),
    "account_link": col(AccountLink.id),
    "second_factor": col(SecondFactor.id),
    "recovery_code": col(RecoveryCode.id),
    "external_identity": col(ExternalIdentity.id),
    "delegation": col(Delegation.id),
    "approval": col(Approval.id),
    "approval_decision": col(ApprovalDecision.id),
}


def _named(table: str, label: sa.SQLColumnExpression[str]) -> sa.Select[str, str]:
    return sa.select(sa.cast(_KEYS[table], sa.Text).label("pk"), label.label("label"))


def _named_after_whose(table: str, whose: sa.SQLColumnExpression[int]) -> sa.Select[str, str]:
    """Call records of `table` after the person (`LocalUser.id`) that `whose` names."""
    return _named(table, _person()).select_from(
        _ACCOUNT.join(_KEYS[table].table, col(LocalUser.id) == whose)  # pyright: ignore[reportAttributeAccessIssue]  # a column's
    )


def _asked_about() -> sa.ColumnElement[str]:
    """Return what a request is about: a supplier or its bank account, prices, or the person whose roles it concerns."""
    supplier = sa.select(col(Supplier.name)).where(col(Supplier.id) == col(Approval.subject_id)).scalar_subquery()
    person = sa.select(_person()).select_from(_ACCOUNT).where(col(LocalUser.id) == col(Approval.subject_id))
    prices = sa.select(col(ChangeSet.title)).where(col(ChangeSet.id) == col(Approval.subject_id)).scalar_subquery()
    account = (
        sa.select("Bank account of " + col(Supplier.name))
        .join(SupplierBankAccount, col(SupplierBankAccount.supplier_id) == col(Supplier.id))
        .where(col(SupplierBankAccount.id) == col(Approval.subject_id))
        .scalar_subquery()
    )
    return sa.case(
        (col(Approval.kind) == "supplier", supplier),
        (col(Approval.kind) == "bank_account", account),
        (col(Approval.kind) == "price_change", prices),
        else_=person.scalar_subquery(),
    )


_NAMED: dict[str, sa.Select[str, str]] = {
    "category": _named("category", col(Category.name)),
    "change_set": _named("change_set", col(ChangeSet.title)),
    "document": _named("document", col(Document.name)),
    "document_content": _named("document_content", col(Document.name)).join_from(
        DocumentContent, Document, col(Document.id) == col(DocumentContent.document_id)
    ),
    "lot": _named("lot", col(Product.sku) + " " + col(Lot.code)).join_from(
        Lot, Product, col(Product.id) == col(Lot.product_id)
    ),
    "period_close": _named("period_close", sa.func.to_char(col(PeriodClose.closed_through), "FMDD Mon YYYY")),
    "reservation": _named("reservation", _place()).select_from(
        _ITEM.join(Reservation, col(Reservation.item_id) == col(InventoryItem.id))
    ),
    "saved_view": _named("saved_view", col(SavedView.name)),
    "shipment": _named("shipment", _place()).select_from(
        _ITEM.join(Shipment, col(Shipment.from_item_id) == col(InventoryItem.id))
    ),
    "supplier_product": _named("supplier_product", col(Supplier.name) + ": " + col(Product.name))
    .join_from(SupplierProduct, Product, col(Product.id) == col(SupplierProduct.product_id))
    .join(Supplier, col(Supplier.id) == col(SupplierProduct.supplier_id)),
    "goods_receipt": _named("goods_receipt", col(GoodsReceipt.number)),
    "goods_receipt_line": _named(
        "goods_receipt_line", col(GoodsReceipt.number) + " " + col(PurchaseOrderLine.description)
    )
    .join_from(GoodsReceiptLine, GoodsReceipt, col(GoodsReceipt.id) == col(GoodsReceiptLine.receipt_id))
    .join(PurchaseOrderLine, col(PurchaseOrderLine.id) == col(GoodsReceiptLine.order_line_id)),
    "payment": _named("payment", col(Payment.number)),
    "payment_batch": _named("payment_batch", col(PaymentBatch.number)),
    "purchase_order": _named("purchase_order", _order()).join_from(
        PurchaseOrder, Supplier, col(Supplier.id) == col(PurchaseOrder.supplier_id)
    ),
    "purchase_order_line": _named("purchase_order_line", _order() + ": " + col(PurchaseOrderLine.description))
    .join_from(PurchaseOrderLine, PurchaseOrder, col(PurchaseOrder.id) == col(PurchaseOrderLine.order_id))
    .join(Supplier, col(Supplier.id) == col(PurchaseOrder.supplier_id)),
    "supplier_bank_account": _named("supplier_bank_account", col(Supplier.name)).join_from(
        SupplierBankAccount, Supplier, col(Supplier.id) == col(SupplierBankAccount.supplier_id)
    ),
    "supplier_contact": _named("supplier_contact", col(Supplier.name)).join_from(
        SupplierContact, Supplier, col(Supplier.id) == col(SupplierContact.supplier_id)
    ),
    "supplier_correction": _named("supplier_correction", col(Supplier.name)).join_from(
        SupplierCorrection, Supplier, col(Supplier.id) == col(SupplierCorrection.supplier_id)
    ),
    "supplier_invoice": _named("supplier_invoice", col(Supplier.name) + " " + col(SupplierInvoice.number)).join_from(
        SupplierInvoice, Supplier, col(Supplier.id) == col(SupplierInvoice.supplier_id)
    ),
    "supplier_invoice_line": _named(
        "supplier_invoice_line", col(SupplierInvoice.number) + ": " + col(SupplierInvoiceLine.description)
    ).join_from(SupplierInvoiceLine, SupplierInvoice, col(SupplierInvoice.id) == col(SupplierInvoiceLine.invoice_id)),
    "location": _named("location", col(Location.name)),
    "product": _named("product", col(Product.sku) + " " + col(Product.name)),
    "product_price": _named("product_price", col(Product.sku) + " " + col(Product.name)).join_from(
        ProductPrice, Product, col(Product.id) == col(ProductPrice.product_id)
    ),
    "inventory_item": _named("inventory_item", _place()).select_from(_ITEM),
    "stock_movement": _named("stock_movement", _place()).select_from(
        _ITEM.join(StockMovement, col(StockMovement.item_id) == col(InventoryItem.id))
    ),
    "supplier": _named("supplier", col(Supplier.name)),
    "import_batch": _named("import_batch", col(ImportBatch.file_name)),
    "local_user": _named("local_user", _person()).select_from(_ACCOUNT),
    "user_info": _named("user_info", col(UserInfo.full_name)),
    "auth_session": _named("auth_session", _person()).select_from(
        _ACCOUNT.join(AuthSession, col(LocalUser.id) == col(AuthSession.user_id))
    ),
    "role": _named("role", col(Role.name)),
    "permission": _named("permission", col(Permission.name)),
    "account_link": _named_after_whose("account_link", col(AccountLink.user_id)),
    "second_factor": _named_after_whose("second_factor", col(SecondFactor.user_id)),
    "recovery_code": _named_after_whose("recovery_code", col(RecoveryCode.user_id)),
    "external_identity": _named_after_whose("external_identity", col(ExternalIdentity.user_id)),
    "delegation": _named_after_whose("delegation", col(Delegation.from_user_id)),
    "approval": _named("approval", _asked_about()),
    "approval_decision": _named("approval_decision", _asked_about()).join_from(
        ApprovalDecision, Approval, col(Approval.id) == col(ApprovalDecision.approval_id)
    ),
}

# Records with a key of two parts. A link that was taken away is in no table any more: its two ends still have names.
_LINK_KEYS = {
    "user_role": (col(UserInfo.id), col(Role.id)),
    "role_permission": (col(Role.id), col(Permission.id)),
    "payment_allocation": (col(Payment.id), col(SupplierInvoice.id)),
    "number_series": (col(NumberSeries.kind), col(NumberSeries.year)),
}


def _link(table: str, label: sa.SQLColumnExpression[str]) -> sa.Select[str, str]:
    one, other = _LINK_KEYS[table]
    pk = sa.cast(sa.func.json_build_array(one, other), sa.Text)
    return sa.select(pk.label("pk"), label.label("label"))


_LINKS: dict[str, sa.Select[str, str]] = {
    "user_role": _link("user_role", col(UserInfo.full_name) + ": " + col(Role.name))
    .select_from(UserInfo)
    .join(Role, sa.true()),
    "role_permission": _link("role_permission", col(Role.name) + ": " + col(Permission.name))
    .select_from(Role)
    .join(Permission, sa.true()),
    "payment_allocation": _link(
        "payment_allocation", col(Payment.number) + ": " + col(SupplierInvoice.number)
    ).join_from(Payment, SupplierInvoice, sa.true()),
    "number_series": _link("number_series", col(NumberSeries.kind) + " " + sa.cast(col(NumberSeries.year), sa.Text)),
}


def units(session: Session, records: Iterable[Record]) -> dict[Record, str]:
    """Return the unit that quantities of these products, items and movements are counted in."""
    by_table: dict[str, set[int]] = {}
    for table, pk in records:
        # A change of a table's form is of no record.
        if table in _UNITS and pk:
            by_table.setdefault(table, set()).add(int(pk))
    found: dict[Record, str] = {}
    for table, ids in by_table.items():
        rows = session.execute(_UNITS[table].where(_KEYS[table].in_(ids)))
        found.update({(table, row.pk): row.label for row in rows})
    return found


_UNITS: dict[str, sa.Select[str, str]] = {
    "product": _named("product", col(Product.unit_code)),
    "inventory_item": _named("inventory_item", col(Product.unit_code)).select_from(_ITEM),
    "reservation": _named("reservation", col(Product.unit_code)).select_from(
        _ITEM.join(Reservation, col(Reservation.item_id) == col(InventoryItem.id))
    ),
    "shipment": _named("shipment", col(Product.unit_code)).select_from(
        _ITEM.join(Shipment, col(Shipment.from_item_id) == col(InventoryItem.id))
    ),
    "supplier_product": _named("supplier_product", col(Product.unit_code)).join_from(
        SupplierProduct, Product, col(Product.id) == col(SupplierProduct.product_id)
    ),
    "stock_movement": _named("stock_movement", col(Product.unit_code)).select_from(
        _ITEM.join(StockMovement, col(StockMovement.item_id) == col(InventoryItem.id))
    ),
}
