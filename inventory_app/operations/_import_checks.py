"""What an imported file meets in the database: the same checks for the preview and for the import.

Each takes a few statements whatever the number of rows, and collects every fault.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.errors import Invalid
from inventory_app.models.catalog import Location, Product, Unit
from inventory_app.models.suppliers import Supplier
from inventory_app.operations._csv import Fault
from inventory_app.operations._import_rows import CategoryRow, ImportFile, ProductRow, SupplierRow
from inventory_app.operations._ledger import LARGEST, fits_unit
from inventory_app.operations.catalog import DEFAULT_LOCATION
from inventory_app.settings import get_settings

# The database folds case for its unique indexes, so it folds ours too.
_SUPPLIERS_BY_NAME = sa.text(
    "SELECT n.name, lower(n.name) AS folded, s.id FROM unnest(CAST(:names AS text[])) AS n(name) "
    "LEFT JOIN supplier s ON lower(s.name) = lower(n.name)"
)
_CATEGORIES = sa.text(
    "SELECT n.name, lower(n.name) AS folded, c.id, c.name AS present, lower(c.code) = lower(n.name) AS by_code "
    "FROM unnest(CAST(:names AS text[])) AS n(name) "
    "LEFT JOIN category c ON lower(c.code) = lower(n.name) OR (:by_name AND lower(c.name) = lower(n.name))"
)


def placeholder(code: str) -> str:
    """Return the name of a category of which only the number is known."""
    return f"Category {code}"


class _Seen:
    """Finds what stands in a file twice."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}

    def before(self, key: str, row: int) -> int:
        """Return the earlier row of `key`, 0 for the first time."""
        earlier = self._rows.get(key, 0)
        if not earlier:
            self._rows[key] = row
        return earlier


def check_suppliers(session: Session, file: ImportFile[SupplierRow]) -> list[Fault]:
    """Return what is wrong: a name or a number that is there twice, in the file or already here."""
    names = {row.name for row in file.rows if row.name}
    found = {each.name: each for each in session.execute(_SUPPLIERS_BY_NAME, {"names": list(names)})}
    numbers = _suppliers_by_number(session, (row.external_id for row in file.rows))
    faults: list[Fault] = []
    seen_names, seen_numbers = _Seen(), _Seen()
    for row in file.rows:
        if row.name:
            if earlier := seen_names.before(found[row.name].folded, row.row):
                faults.append(file.fault(row.row, "name", f"{row.name} is already in row {earlier}."))
            if found[row.name].id is not None:
                faults.append(file.fault(row.row, "name", f"A supplier named {row.name} exists already."))
        if row.external_id:
            if earlier := seen_numbers.before(row.external_id, row.row):
                faults.append(file.fault(row.row, "external_id", f"{row.external_id} is already in row {earlier}."))
            for _, present in numbers.get(row.external_id, []):
                sentence = f"The number {row.external_id} belongs to {present}, who was imported before."
                faults.append(file.fault(row.row, "external_id", sentence))
    return faults


def _suppliers_by_number(session: Session, numbers: Iterable[str]) -> dict[str, list[tuple[int, str]]]:
    """Return (id, name) of suppliers by the number they had in the file they came from."""
    found: dict[str, list[tuple[int, str]]] = {}
    statement = sa.select(col(Supplier.external_id), col(Supplier.id), col(Supplier.name)).where(
        col(Supplier.external_id) == sa.any_(sa.bindparam("numbers", type_=sa.ARRAY(sa.Text)))
    )
    for number, id_, name in session.execute(statement, {"numbers": sorted({n for n in numbers if n})}):
        found.setdefault(number or "", []).append((id_ or 0, name))
    return found


@dataclass(frozen=True, slots=True)
class CategoryPlan:
    """What importing categories would do."""

    faults: list[Fault]
    new: list[CategoryRow]
    #: (id, name) of categories that have had only their number.
    named: list[tuple[int, str]]


def check_categories(session: Session, file: ImportFile[CategoryRow]) -> CategoryPlan:
    """Return which categories are new, which get their name, and what is wrong."""
    given = {"names": sorted({row.code for row in file.rows if row.code}), "by_name": False}
    found = {each.name: each for each in session.execute(_CATEGORIES, given)}
    plan = CategoryPlan([], [], [])
    seen = _Seen()
    for row in file.rows:
        here = found.get(row.code)
        if here is None:
            continue
        if earlier := seen.before(here.folded, row.row):
            plan.faults.append(file.fault(row.row, "code", f"{row.code} is already in row {earlier}."))
        elif here.id is None:
            plan.new.append(row)
        elif here.present == placeholder(row.code):
            plan.named.append((here.id, row.name))
        elif here.present != row.name:
            sentence = f"The category {row.code} exists already and is called {here.present}."
            plan.faults.append(file.fault(row.row, "code", sentence))
    return plan


@dataclass(frozen=True, slots=True)
class ProductPlan:
    """What importing products would do; category and supplier by row."""

    faults: list[Fault]
    location: str
    supplier_ids: dict[int, int]
    supplier_names: dict[int, str]
    category_ids: dict[int, int]
    #: Folded name -> (code, name) of categories to be made, and which rows are in them.
    new_categories: dict[str, tuple[str, str]]
    in_new_category: dict[int, str]


def check_products(session: Session, file: ImportFile[ProductRow]) -> ProductPlan:
    """Return where products belong, and everything that is wrong with them."""
    location = session.execute(
        sa.select(col(Location.name), col(Location.active)).where(col(Location.code) == DEFAULT_LOCATION[0])
    ).first()
    name, active = location or (DEFAULT_LOCATION[1], True)
    if not active:
        raise Invalid(f"{name} is closed, and imported stock is put there. Open it first.")
    plan = ProductPlan([], name, {}, {}, {}, {}, {})
    _check_skus(session, file, plan)
    _check_units(session, file, plan)
    _find_suppliers(session, file, plan)
    _find_categories(session, file, plan)
    currency = get_settings().currency
    for row in file.rows:
        if row.currency not in ("", currency):
            plan.faults.append(
                file.fault(row.row, "currency", f"Prices here are in {currency}, not in {row.currency}.")
            )
    return plan


def _check_skus(session: Session, file: ImportFile[ProductRow], plan: ProductPlan) -> None:
    skus = sorted({row.new.sku for row in file.rows if row.new.sku})
    statement = sa.select(col(Product.sku)).where(
        col(Product.sku) == sa.any_(sa.bindparam("skus", type_=sa.ARRAY(sa.Text)))
    )
    present = set(session.scalars(statement, {"skus": skus}))
    field = "sku" if "sku" in file.columns else "number"
    seen = _Seen()
    for row in file.rows:
        sku = row.new.sku
        if not sku:
            continue
        if earlier := seen.before(sku, row.row):
            plan.faults.append(file.fault(row.row, field, f"{sku} is already in row {earlier}."))
        if sku in present:
            plan.faults.append(file.fault(row.row, field, f"{sku} is in use already. SKUs are never used twice."))


def _check_units(session: Session, file: ImportFile[ProductRow], plan: ProductPlan) -> None:
    """Check that units are known, quantities no finer than they allow, and values not beyond what can be kept."""
    decimals = {unit.code: unit.decimals for unit in session.scalars(sa.select(Unit))}
    for row in file.rows:
        unit = row.new.unit_code
        if unit not in decimals:
            known = ", ".join(sorted(decimals))
            plan.faults.append(file.fault(row.row, "unit", f"{unit} is no unit here. Use one of {known}."))
            continue
        figures = {
            "quantity": row.quantity,
            "reorder_point": row.new.reorder_point,
            "reorder_quantity": row.new.reorder_quantity,
        }
        for field, figure in figures.items():
            if field in row.faulty:
                continue
            try:
                fits_unit(figure, decimals[unit], unit, field=field)
            except Invalid as error:
                plan.faults.append(file.fault(row.row, field, error.fields[field]))
        if not row.faulty & {"quantity", "unit_cost", "unit_price"} and row.quantity * row.new.unit_cost > LARGEST / 10:
            plan.faults.append(file.fault(row.row, "quantity", "This much stock at this price is too large a value."))


def _find_suppliers(session: Session, file: ImportFile[ProductRow], plan: ProductPlan) -> None:
    """Find suppliers by the number they were imported with, or by name."""
    by_number = _suppliers_by_number(session, (row.supplier_number for row in file.rows))
    names = sorted({row.supplier_name for row in file.rows if row.supplier_name})
    by_name = {each.name: each.id for each in session.execute(_SUPPLIERS_BY_NAME, {"names": names})}
    for row in file.rows:
        found = by_number.get(row.supplier_number, [])
        if row.supplier_number and len(found) != 1:
            sentence = (
                f"There is no supplier with the number {row.supplier_number}. Import the suppliers first."
                if not found
                else f"{len(found)} suppliers have the number {row.supplier_number}."
            )
            plan.faults.append(file.fault(row.row, "supplier_number", sentence))
        elif row.supplier_number:
            plan.supplier_ids[row.row], plan.supplier_names[row.row] = found[0]
        if row.supplier_name and by_name[row.supplier_name] is None:
            sentence = f"There is no supplier named {row.supplier_name}. Import or enter it first."
            plan.faults.append(file.fault(row.row, "supplier_name", sentence))
        elif row.supplier_name:
            plan.supplier_ids.setdefault(row.row, by_name[row.supplier_name])
            plan.supplier_names.setdefault(row.row, row.supplier_name)


def _find_categories(session: Session, file: ImportFile[ProductRow], plan: ProductPlan) -> None:
    """Find categories by code, then by name; the others are to be made, and lose nothing."""
    names = sorted({row.category for row in file.rows if row.category})
    found: dict[str, list[sa.Row[tuple[str, str, int, str, bool]]]] = {}
    for each in session.execute(_CATEGORIES, {"names": names, "by_name": True}):
        found.setdefault(each.name, []).append(each)
    for row in file.rows:
        if not row.category:
            continue
        here = found[row.category]
        chosen = [each for each in here if each.by_code] or here
        if len(chosen) > 1:
            sentence = f"{len(chosen)} categories are called {row.category}. Use the code of one of them."
            plan.faults.append(file.fault(row.row, "category", sentence))
        elif chosen[0].id is not None:
            plan.category_ids[row.row] = chosen[0].id
        else:
            name = placeholder(row.category) if row.category.isdecimal() else row.category
            plan.new_categories.setdefault(chosen[0].folded, (row.category, name))
            plan.in_new_category[row.row] = chosen[0].folded
