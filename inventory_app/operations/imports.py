"""Importing suppliers, categories and products from a file: all of it or nothing, in one operation.

A preview runs the same checks against the database and writes nothing; the import runs them again
in its own transaction. A file is recognised by its SHA-256 when it comes again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, SQLModel, col

from inventory_app.context import current_actor
from inventory_app.database.locks import IMPORTING, lock_rule
from inventory_app.errors import Conflict, InvalidRows, NotAllowed
from inventory_app.models._base import now, sort_key
from inventory_app.models.catalog import Category, Product, ProductPrice
from inventory_app.models.stock import InventoryItem, MovementKind, Reason, StockMovement
from inventory_app.models.suppliers import ImportBatch, Supplier, SupplierStatus
from inventory_app.operations import _import_previews as previews
from inventory_app.operations._csv import LARGEST_FILE, Fault
from inventory_app.operations._import_checks import (
    ProductPlan,
    check_categories,
    check_products,
    check_suppliers,
)
from inventory_app.operations._import_columns import DESCRIBED, REQUIRED, Kind
from inventory_app.operations._import_previews import Preview
from inventory_app.operations._import_rows import CategoryRow, ImportFile, ProductRow, SupplierRow, read_file
from inventory_app.operations._operation import (
    Operation,
    acting_user_id,
    current_viewer,
    operation,
    operation_id,
    query,
)
from inventory_app.operations._people_names import called
from inventory_app.operations._supplier_approvals import ask_about
from inventory_app.operations.catalog import default_location, search_text
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

__all__ = ["DESCRIBED", "LARGEST_FILE", "PERMISSIONS", "REQUIRED", "ImportFile", "Kind", "Preview", "read_file"]

#: What importing each kind needs.
PERMISSIONS: dict[Kind, Permission] = {
    "suppliers": Permission.SUPPLIERS_CREATE,
    "categories": Permission.INVENTORY_IMPORT,
    "products": Permission.INVENTORY_IMPORT,
}
_KINDS: dict[str, Kind] = {kind: kind for kind in PERMISSIONS}
_CENTS = Decimal("0.0001")


class AlreadyImported(Conflict):
    """The same file was imported before."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, in words for the toast."""

    kind: Kind
    rows: int
    sentence: str
    batch_id: int


@query(Permission.SUPPLIERS_CREATE)
def preview_suppliers(session: Session, *, file: ImportFile[SupplierRow]) -> Preview:
    """Show what importing the suppliers would do, or everything that is in the way."""
    before = _imported_before(session, file)
    return previews.of_suppliers(file, [] if before else check_suppliers(session, file), before)


@query(Permission.INVENTORY_IMPORT)
def preview_categories(session: Session, *, file: ImportFile[CategoryRow]) -> Preview:
    """Show what importing the categories would do, or everything that is in the way."""
    return previews.of_categories(file, check_categories(session, file), _imported_before(session, file))


@query(Permission.INVENTORY_IMPORT)
def preview_products(session: Session, *, file: ImportFile[ProductRow]) -> Preview:
    """Show what importing the products would do, or everything that is in the way."""
    return previews.of_products(file, check_products(session, file), _imported_before(session, file))


@operation(Permission.SUPPLIERS_CREATE)
def import_suppliers(session: Session, *, file: ImportFile[SupplierRow]) -> Imported:
    """Enter every supplier of the file; they wait until somebody other than the importing person decides."""
    batch = _begin(session, file)
    _refuse(file, check_suppliers(session, file))
    shared = {"status": SupplierStatus.PENDING.value, "source": "import", "entered_by": acting_user_id()}
    made = _insert(session, Supplier, [{**row.fields, **shared, "submitted_at": now()} for row in file.rows])
    ask_about(session, made, entered_by=acting_user_id())
    return _done(file, batch, "They wait for approval.")


@operation(Permission.INVENTORY_IMPORT)
def import_categories(session: Session, *, file: ImportFile[CategoryRow]) -> Imported:
    """Add the categories of the file, and name those that have had only their number."""
    batch = _begin(session, file)
    plan = check_categories(session, file)
    _refuse(file, plan.faults)
    _insert(session, Category, [_category(row.code, row.name) for row in plan.new])
    if plan.named:
        table = _table(Category)
        rename = (
            sa.update(table)
            .where(table.c.id == sa.bindparam("row"))
            .values(name=sa.bindparam("new"), sort_key=sa.bindparam("sorted_by"))
        )
        # By id, so that two who name the same ones meet in one order.
        renamed = [{"row": id_, "new": name, "sorted_by": sort_key(name)} for id_, name in sorted(plan.named)]
        session.execute(rename, renamed)
    return _done(file, batch, f"{len(plan.new)} are new, {len(plan.named)} got their name.")


@operation(Permission.INVENTORY_IMPORT)
def import_products(session: Session, *, file: ImportFile[ProductRow]) -> Imported:
    """Add every product of the file with its first price, and its opening stock at the default location."""
    batch = _begin(session, file)
    plan = check_products(session, file)
    _refuse(file, plan.faults)
    made = _insert(session, Category, [_category(*each) for each in plan.new_categories.values()])
    category_ids = dict(zip(plan.new_categories, made, strict=True))
    product_ids = _insert(session, Product, [_product(row, plan, category_ids) for row in file.rows])
    _first_prices(session, file.rows, product_ids)
    _opening_stock(session, file.rows, product_ids)
    return _done(file, batch, f"{previews.on_hand(file.rows)} at {plan.location}, worth {previews.worth(file.rows)}.")


#: By kind: what shows, and what does it.
PREVIEWS: dict[Kind, Operation[..., Preview]] = {
    "suppliers": preview_suppliers,
    "categories": preview_categories,
    "products": preview_products,
}
IMPORTS: dict[Kind, Operation[..., Imported]] = {
    "suppliers": import_suppliers,
    "categories": import_categories,
    "products": import_products,
}


@dataclass(frozen=True, slots=True)
class Batch:
    """A file that was imported."""

    id: int
    kind: Kind
    what: str
    file_name: str
    rows: int
    by: str
    username: str
    at_iso: str
    at_text: str


@query()
def imported_files(session: Session, *, most: int = 50) -> list[Batch]:
    """List the files that were imported, newest first, of the kinds this person may import."""
    may = current_viewer(session).permissions
    kinds = [kind for kind, permission in PERMISSIONS.items() if permission in may]
    if not kinds:
        raise NotAllowed
    statement = (
        sa.select(ImportBatch, called(col(ImportBatch.imported_by)))
        .where(col(ImportBatch.kind).in_(kinds))
        .order_by(col(ImportBatch.id).desc())
        .limit(min(max(most, 1), 200))
    )
    return [_batch(row, name) for row, name in session.execute(statement)]


def _batch(row: ImportBatch, name: str) -> Batch:
    at = row.imported_at
    return Batch(
        id=row.id or 0,
        kind=_KINDS[row.kind],
        what=row.kind.capitalize(),
        file_name=row.file_name,
        rows=row.row_count,
        by=name,
        username=row.imported_by,
        at_iso=at.isoformat(),
        at_text=_clock(at),
    )


def _clock(at: datetime) -> str:
    return f"{at:%-d %b %Y, %H:%M} UTC"


def _begin(session: Session, file: ImportFile[Any]) -> int:
    """Put the file on record and return its number; of two people with the same one, the second is told."""
    # One import at a time: numbers of suppliers are unique by no constraint.
    lock_rule(session, IMPORTING)
    batch = {
        "kind": file.kind,
        "file_name": file.name,
        "file_hash": file.sha256,
        "row_count": len(file.rows),
        "imported_by": current_actor().name,
    }
    table = _table(ImportBatch)
    statement = (
        insert(table)
        .values(batch)
        .on_conflict_do_nothing(index_elements=["kind", "file_hash"], index_where=sa.text("undone_at IS NULL"))
    )
    batch_id = session.scalar(statement.returning(table.c.id))
    if batch_id is None:
        raise AlreadyImported(_imported_before(session, file))
    return batch_id


def _imported_before(session: Session, file: ImportFile[Any]) -> str:
    """Say when and by whom the file was imported; empty when it was not."""
    statement = sa.select(ImportBatch).where(
        col(ImportBatch.kind) == file.kind,
        col(ImportBatch.file_hash) == file.sha256,
        col(ImportBatch.undone_at).is_(None),
    )
    found = session.scalars(statement).first()
    return f"This file was imported on {_clock(found.imported_at)} by {found.imported_by}." if found else ""


def _refuse(file: ImportFile[Any], found: Sequence[Fault]) -> None:
    """Raise every fault of the file and of what it meets here, if there is one."""
    faults = previews.all_faults(file, found)
    if faults:
        raise InvalidRows(f"{previews.bad_rows(file, faults)}, so none was:", faults)


def _done(file: ImportFile[Any], batch_id: int, more: str) -> Imported:
    return Imported(file.kind, len(file.rows), f"Imported {previews.counted(file)}. {more}", batch_id)


def _table(model: type[SQLModel]) -> sa.Table:
    return model.__table__  # pyright: ignore[reportAttributeAccessIssue]  # set by the mapper


def _insert(session: Session, model: type[SQLModel], rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert many rows in few statements; returns their ids in order."""
    if not rows:
        return []
    table = _table(model)
    statement = sa.insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(session.execute(statement, list(rows)).scalars())


def _category(code: str, name: str) -> dict[str, Any]:
    return {"code": code, "name": name}


def _product(row: ProductRow, plan: ProductPlan, category_ids: dict[str, int]) -> dict[str, Any]:
    new = row.new
    made = plan.in_new_category.get(row.row)
    return {
        "sku": new.sku,
        "name": new.name,
        "search": search_text(new.sku, new.name, row.barcode),
        "description": new.description,
        "category_id": category_ids[made] if made else plan.category_ids.get(row.row),
        "supplier_id": plan.supplier_ids.get(row.row),
        "unit_code": new.unit_code,
        "barcode": row.barcode,
        "unit_cost": new.unit_cost,
        "unit_price": new.unit_price,
        "currency": get_settings().currency,
        "reorder_point": new.reorder_point,
        "reorder_quantity": new.reorder_quantity,
        "active": new.active,
    }


def _first_prices(session: Session, rows: Sequence[ProductRow], product_ids: Sequence[int]) -> None:
    prices = [
        {
            "product_id": product_id,
            "new_price": row.new.unit_price,
            "currency": get_settings().currency,
            "reason": "First price",
        }
        for row, product_id in zip(rows, product_ids, strict=True)
    ]
    session.execute(sa.insert(_table(ProductPrice)), prices)


def _opening_stock(session: Session, rows: Sequence[ProductRow], product_ids: Sequence[int]) -> None:
    """Put every product at the default location, with one receipt where there is something of it.

    The items are new in this transaction, so nobody else can see or change them: they are written
    with the quantity of their one movement instead of being locked, read and changed.
    """
    location, who, when = default_location(session).id, current_actor().name, now()
    stamp = {"changed_at": when, "changed_by": who}
    items = [
        {"product_id": id_, "location_id": location, "quantity": row.quantity, "sequence": int(row.quantity > 0)}
        | stamp
        for row, id_ in zip(rows, product_ids, strict=True)
    ]
    item_ids = _insert(session, InventoryItem, items)
    movements = [
        {
            "item_id": item_id,
            "sequence": 1,
            "kind": MovementKind.RECEIPT.value,
            "quantity": row.quantity,
            "unit_cost": row.new.unit_cost,
            "value": (row.quantity * row.new.unit_cost).quantize(_CENTS, ROUND_HALF_UP),
            "reason_code": Reason.OPENING.value,
            "operation_id": operation_id(session),
            "occurred_at": when,
            "recorded_at": when,
        }
        for row, item_id in zip(rows, item_ids, strict=True)
        if row.quantity
    ]
    if movements:
        session.execute(sa.insert(_table(StockMovement)), movements)
