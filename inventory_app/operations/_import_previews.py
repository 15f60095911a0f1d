"""What a person reads before a file is imported: counts, totals, what will be assumed, the first rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from inventory_app.operations._csv import Fault
from inventory_app.operations._import_checks import CategoryPlan, ProductPlan
from inventory_app.operations._import_columns import Kind
from inventory_app.operations._import_rows import CategoryRow, ImportFile, ProductRow, SupplierRow
from inventory_app.operations._ledger import say
from inventory_app.settings import get_settings

#: How many rows a preview shows.
FIRST = 8
_SINGULAR: dict[Kind, str] = {"suppliers": "supplier", "categories": "category", "products": "product"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a preview: what it is, the number, its unit, what it means."""

    label: str
    figure: str
    unit: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class FirstRow:
    """One of the first rows: what identifies it, its name, and the rest in ready-made words."""

    row: int
    key: str
    name: str
    detail: str = ""
    where: str = ""
    quantity: str = ""
    unit: str = ""
    price: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with one value of the file."""

    row: int
    column: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Everything about a file before it is imported; it can be imported when `ready`."""

    kind: Kind
    file_name: str
    rows: int
    #: "77 products", for the button.
    counted: str
    figures: list[Figure]
    #: What is assumed or left out.
    notices: list[str]
    #: What a person should look at, and can do after the import.
    warnings: list[str]
    first_rows: list[FirstRow]
    faults: list[RowFault]
    #: "3 of 77 rows cannot be imported, so none will be." or when the file was imported before.
    refusal: str
    ready: bool


def counted(file: ImportFile[Any]) -> str:
    """Say how many of what are in the file."""
    number = _total(file, file.faults)
    return f"{number:,} {_SINGULAR[file.kind] if number == 1 else file.kind}"


def all_faults(file: ImportFile[Any], found: Sequence[Fault]) -> list[Fault]:
    """Return the faults of the reading and of the checks, by row."""
    return sorted({*file.faults, *found})


def bad_rows(file: ImportFile[Any], faults: Sequence[Fault]) -> str:
    """Say how many rows are in the way."""
    bad = len({row for row, _, _ in faults})
    total = _total(file, faults)
    return f"{bad:,} of {total:,} {'row' if total == 1 else 'rows'} cannot be imported"


def _total(file: ImportFile[Any], faults: Sequence[Fault]) -> int:
    """Count the rows of the file, those that could not be read too."""
    return len({*(row.row for row in file.rows), *(row for row, _, _ in faults)})


def on_hand(rows: Sequence[ProductRow]) -> str:
    """Say how much there is, by unit."""
    return ", ".join(say(total, unit) for unit, total in _by_unit(rows).items())


def worth(rows: Sequence[ProductRow]) -> str:
    """Say what the opening stock is worth, in the base currency."""
    return f"{_value(rows):,.2f} {get_settings().currency}"


def of_suppliers(file: ImportFile[SupplierRow], found: Sequence[Fault], before: str) -> Preview:
    """Preview suppliers."""
    countries = {row.fields.get("country") for row in file.rows} - {None}
    without = sum(not row.fields.get("tax_id") for row in file.rows)
    figures = [Figure("Suppliers", f"{len(file.rows):,}", "", "will wait for approval")]
    if countries:
        figures.append(Figure("Countries", f"{len(countries):,}"))
    notices = ["They come in as pending: somebody else than the person who imports them approves each one."]
    warnings = [f"{_of(without, file.rows)} have no tax id."] if without else []
    first = [
        FirstRow(
            row=row.row,
            key=row.external_id,
            name=row.name,
            detail=", ".join(filter(None, (row.fields.get("contact_name"), row.fields.get("contact_title")))),
            where=", ".join(filter(None, (row.fields.get("city"), row.fields.get("country")))),
            price=row.fields.get("phone") or "",
        )
        for row in file.rows[:FIRST]
    ]
    return _preview(file, found, before, figures=figures, notices=notices, warnings=warnings, first=first)


def of_categories(file: ImportFile[CategoryRow], plan: CategoryPlan, before: str) -> Preview:
    """Preview categories."""
    figures = [
        Figure("Categories", f"{len(file.rows):,}"),
        Figure("New", f"{len(plan.new):,}"),
        Figure("Get their name", f"{len(plan.named):,}", "", "had only their number"),
    ]
    first = [FirstRow(row=row.row, key=row.code, name=row.name) for row in file.rows[:FIRST]]
    return _preview(file, plan.faults, before, figures=figures, notices=[], warnings=[], first=first)


def of_products(file: ImportFile[ProductRow], plan: ProductPlan, before: str) -> Preview:
    """Preview products with their opening stock."""
    rows = file.rows
    inactive = sum(not row.new.active for row in rows)
    due = sum(will_be_due(row) for row in rows)
    totals = [Figure("On hand", say(total), unit, f"at {plan.location}") for unit, total in _by_unit(rows).items()]
    costs = "at unit cost" if all(row.has_cost for row in rows) else "at unit price"
    figures = [
        Figure("Products", f"{len(rows):,}", "", f"{inactive:,} discontinued" if inactive else "all in use"),
        *totals,
        Figure("Worth", f"{_value(rows):,.2f}", "", f"{get_settings().currency} {costs}"),
        Figure("To reorder", f"{due:,}", "", "after the import"),
    ]
    return _preview(
        file,
        plan.faults,
        before,
        figures=figures,
        notices=_product_notices(rows, plan),
        warnings=_product_warnings(rows, due),
        first=[_first_product(row, plan.supplier_names.get(row.row, "")) for row in rows[:FIRST]],
    )


def will_be_due(row: ProductRow) -> bool:
    """Tell whether the product will be on the reorder list: `dashboard.reorder_due` before there is a row of it."""
    return row.new.active and row.new.reorder_point > 0 and row.quantity <= row.new.reorder_point


def _product_notices(rows: Sequence[ProductRow], plan: ProductPlan) -> list[str]:
    notices: list[str] = []
    without_cost = sum(not row.has_cost for row in rows)
    if without_cost:
        which = "The file has no cost" if without_cost == len(rows) else f"{_of(without_cost, rows)} have no cost"
        notices.append(f"{which}: the opening stock is valued at the unit price, which becomes the unit cost.")
    if plan.new_categories:
        made = sorted(name for _, name in plan.new_categories.values())
        named = ", ".join(made[:8]) + (f" and {len(made) - 8} more" if len(made) > 8 else "")  # noqa: PLR2004  # as shown
        word = "category is" if len(made) == 1 else "categories are"
        # Only those that came as numbers lack a name.
        hint = " A file of categories gives them their names." if any(n.startswith("Category ") for n in made) else ""
        notices.append(f"{len(made):,} {word} made: {named}.{hint}")
    if any(not row.new.active for row in rows):
        notices.append("Discontinued products stay visible with their stock and are not reordered.")
    return notices


def _product_warnings(rows: Sequence[ProductRow], due: int) -> list[str]:
    warnings: list[str] = []
    at_or_below = sum(row.quantity <= row.new.reorder_point for row in rows)
    if at_or_below:
        why = "" if due == at_or_below else " (discontinued products and a level of 0 are not reordered)"
        warnings.append(
            f"{_of(at_or_below, rows)} are at or below their reorder level in the file, "
            f"{due:,} will be on the reorder list{why}."
        )
    free = sum(not row.new.unit_price for row in rows)
    if free:
        warnings.append(f"{_of(free, rows)} have no price or a price of 0.")
    return warnings


def _first_product(row: ProductRow, supplier: str) -> FirstRow:
    return FirstRow(
        row=row.row,
        key=row.new.sku,
        name=row.new.name,
        detail=row.new.description,
        where=supplier,
        quantity=say(row.quantity),
        unit=row.new.unit_code,
        price=f"{row.new.unit_price:,.2f}",
        state="" if row.new.active else "Discontinued",
    )


def _by_unit(rows: Sequence[ProductRow]) -> dict[str, Decimal]:
    totals: Counter[str] = Counter()
    for row in rows:
        totals[row.new.unit_code] += row.quantity  # pyright: ignore[reportArgumentType]  # counts are quantities here
    return {unit: Decimal(total) for unit, total in totals.most_common()}


def _value(rows: Sequence[ProductRow]) -> Decimal:
    return sum((row.quantity * row.new.unit_cost for row in rows), Decimal(0))


def _of(number: int, rows: Sequence[object]) -> str:
    return f"{number:,} of {len(rows):,} rows"


def _preview(
    file: ImportFile[Any],
    found: Sequence[Fault],
    before: str,
    *,
    figures: list[Figure],
    notices: list[str],
    warnings: list[str],
    first: list[FirstRow],
) -> Preview:
    # Of a file that was imported before, every row is in use already: that is no news.
    faults = [] if before else all_faults(file, found)
    return Preview(
        kind=file.kind,
        file_name=file.name,
        rows=len(file.rows),
        counted=counted(file),
        figures=figures,
        notices=[*file.notices, *notices],
        warnings=warnings,
        first_rows=first,
        faults=[RowFault(*fault) for fault in faults],
        refusal=before or (f"{bad_rows(file, faults)}, so none will be." if faults else ""),
        ready=not (before or faults),
    )
