"""The list of all suppliers, whatever was decided about them: found by keys, a page at a time."""

from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.models.users import UserInfo
from inventory_app.operations._operation import Viewer
from inventory_app.operations._paging import PAGE_SIZE, Key, Page, keyset
from inventory_app.operations._supplier_fields import contact, place
from inventory_app.operations._supplier_views import entered, matching

STATUSES = tuple(status.value for status in SupplierStatus)
#: What the list can be sorted by; the last step is the decision, or else the entry.
SORTS: dict[str, Key] = {
    "name": col(Supplier.sort_key),
    "status": col(Supplier.status),
    "changed": sa.func.coalesce(col(Supplier.decided_at), col(Supplier.submitted_at)),
}


@dataclass(frozen=True, slots=True)
class SupplierRow:
    """A supplier as the list shows it; `step` is what happened last, by whom, and `at` when."""

    id: int
    name: str
    place: str
    status: str
    tax_id: str
    contact: str
    email: str
    phone: str
    terms: str
    step: str
    at: str


@dataclass(frozen=True, slots=True)
class SupplierView:
    """Which page of the list: what is looked for, the order, and the cursor of the page."""

    search: str = ""
    status: str = ""
    sort: str = "name"
    descending: bool = False
    cursor: str = ""
    size: int = PAGE_SIZE


@dataclass(frozen=True, slots=True)
class SupplierListing:
    """A page of suppliers; `count` are left by the filter, `counts` are all, by status."""

    page: Page[SupplierRow]
    count: int
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class SupplierValues:
    """What can be corrected about a supplier, in which version."""

    id: int
    version: int
    approved: bool
    values: dict[str, str] = field(default_factory=dict)


def listing(session: Session, viewer: Viewer, view: SupplierView) -> SupplierListing:
    """Return a page of the suppliers with the counts beside it."""
    by_status = sa.select(col(Supplier.status), sa.func.count()).group_by(col(Supplier.status))
    counts = {row[0]: row[1] for row in session.execute(by_status)}
    found = list(matching(view.search))
    if view.status in STATUSES:
        found.append(col(Supplier.status) == view.status)
    count = session.scalar(sa.select(sa.func.count()).select_from(Supplier).where(*found)) or 0
    return SupplierListing(_page(session, viewer, view, found), count, counts)


def _page(
    session: Session, viewer: Viewer, view: SupplierView, found: list[sa.ColumnElement[bool]]
) -> Page[SupplierRow]:
    decider, enterer = aliased(UserInfo), aliased(UserInfo)
    statement = (
        sa.select(Supplier, col(decider.full_name), col(enterer.full_name))
        .outerjoin(decider, col(decider.user_id) == col(Supplier.decided_by))
        .outerjoin(enterer, col(enterer.user_id) == col(Supplier.entered_by))
        .where(*found)
    )
    keys = [SORTS.get(view.sort, SORTS["name"]), col(Supplier.id)]
    page = keyset(session, statement, keys, descending=view.descending, cursor=view.cursor, size=view.size)
    rows = [_row(viewer, row[0], row[1], row[2]) for row in page.rows]
    return Page(rows, page.before, page.after)


def _row(viewer: Viewer, supplier: Supplier, decided_by: str | None, entered_by: str | None) -> SupplierRow:
    if supplier.decided_at:
        step = f"{supplier.status.capitalize()} by {decided_by or 'an import'}"
    else:
        step = entered(supplier, entered_by, viewer)
    return SupplierRow(
        id=supplier.id or 0,
        name=supplier.name,
        place=place(supplier),
        status=supplier.status,
        tax_id=supplier.tax_id or "",
        contact=contact(supplier),
        email=supplier.email or "",
        phone=supplier.phone or "",
        terms=supplier.payment_terms or "",
        step=step,
        at=(supplier.decided_at or supplier.submitted_at).isoformat(),
    )
