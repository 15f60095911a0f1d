"""The lists of the portal as files: what its pages show to somebody of a supplier, found by the same functions."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from inventory_app.errors import NotFound
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import portal
from inventory_app.operations._export_cells import safe_cell
from inventory_app.operations._operation import operation
from inventory_app.operations._paging import Page
from inventory_app.operations._portal_scope import own_supplier
from inventory_app.permissions import Permission

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class PortalFile:
    """A list as a file."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class _List:
    """What a file of a list holds: how a page of it is found, its header, and the cells of a row."""

    find: Callable[[Session, Supplier, str, str, int], Page[Any]]
    header: tuple[str, ...]
    cells: Callable[[Any], tuple[str, ...]]


_LISTS = {
    "orders": _List(
        portal.orders_of,
        ("Order", "Where it stands", "Ordered", "Expected", "Total"),
        lambda row: (row.number, row.stands.word, row.ordered, row.expected, row.total),
    ),
    "invoices": _List(
        portal.invoices_of,
        ("Number", "Kind", "Order", "Where it stands", "What that means", "Date", "Due", "Open", "Total"),
        lambda row: (
            row.number,
            row.kind,
            row.order_number,
            row.stands.word,
            row.stands.sentence,
            row.dated,
            row.due,
            row.open,
            row.gross,
        ),
    ),
    "payments": _List(
        portal.payments_of,
        ("Payment", "Where it stands", "For", "How", "Reference", "On", "Amount"),
        lambda row: (
            row.number,
            row.stands.word,
            "; ".join(f"{part.label}: {part.value}" for part in row.parts),
            row.method,
            row.reference,
            row.paid,
            row.amount,
        ),
    ),
}


@operation(Permission.PORTAL_USE, name="portal.take_my_list", log=("kind",))
def take_my_list(session: Session, *, kind: str, search: str = "") -> PortalFile:
    """Hand out a list of one's own company as a file, narrowed down as on its page; on record as taken."""
    supplier = own_supplier(session)
    if kind not in _LISTS:
        raise NotFound("There is no such file.")
    known, cursor = _LISTS[kind], ""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(known.header)
    while True:
        page = known.find(session, supplier, search, cursor, _AT_ONCE)
        writer.writerows([safe_cell(cell) for cell in known.cells(row)] for row in page.rows)
        if not page.after:
            return PortalFile(f"{kind}.csv", out.getvalue())
        cursor = page.after
