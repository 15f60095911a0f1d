"""The list of all suppliers, whatever was decided about them: found by keys, a page at a time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.models.users import UserInfo
from inventory_app.operations._list_filters import Asked, Asking, Condition, Contains, OneOf, Words
from inventory_app.operations._lists import Column, Listing, View
from inventory_app.operations._operation import Viewer
from inventory_app.operations._paging import Page
from inventory_app.operations._supplier_fields import contact, place
from inventory_app.operations._supplier_views import entered, found_by, patterns
from inventory_app.permissions import Permission

STATUSES = tuple(status.value for status in SupplierStatus)


def _phrase(_: Asking, text: str) -> Asked:
    plain, typed = patterns(text)
    return True, {"plain": plain, "typed": typed}


def _finds(_: Any, name: Callable[[str], str]) -> Condition:
    return found_by(*(sa.bindparam(name(part), type_=sa.Text()) for part in ("plain", "typed")))


#: The list of suppliers; the last step is the decision, or else the entry.
LIST = Listing(
    permission=Permission.SUPPLIERS_VIEW,
    table=Supplier,
    ident=col(Supplier.id),
    sort="name",
    columns=(
        Column(key="name", label="Supplier", by=col(Supplier.sort_key), fixed=True),
        Column(key="status", label="Status", by=col(Supplier.status)),
        Column(key="tax_id", label="Tax id", by=col(Supplier.tax_id), nullable=True),
        Column(key="contact", label="Contact", by=col(Supplier.contact_name), nullable=True),
        Column(key="terms", label="Terms", by=col(Supplier.payment_terms), nullable=True),
        Column(
            key="changed",
            label="Last step",
            by=sa.func.coalesce(col(Supplier.decided_at), col(Supplier.submitted_at)),
        ),
    ),
    search=Words(
        key="q",
        label="Search",
        word=_phrase,
        finds=_finds,
        phrase=True,
        begins=(col(Supplier.sort_key),),
        codes=(col(Supplier.tax_id),),
        near=col(Supplier.sort_key),
    ),
    filters=(
        OneOf(
            key="status",
            label="Status",
            quiet=True,
            options={status: col(Supplier.status) == status for status in STATUSES},
            words={status: status.capitalize() for status in STATUSES},
        ),
        Contains(key="city", label="City", column=col(Supplier.city), folded=False),
        Contains(key="country", label="Country", column=col(Supplier.country), folded=False),
        Contains(key="terms", label="Terms", column=col(Supplier.payment_terms), folded=False),
    ),
)


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
class SupplierListing:
    """A page of suppliers; `count` are left by the view as it is allowed, `counts` are all, by status."""

    view: View
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


def listing(session: Session, viewer: Viewer, view: View) -> SupplierListing:
    """Return a page of the suppliers with the counts beside it."""
    by_status = sa.select(col(Supplier.status), sa.func.count()).group_by(col(Supplier.status))
    counts = {row[0]: row[1] for row in session.execute(by_status)}
    allowed = LIST.allowed(view, viewer.permissions)
    page = LIST.page(session, allowed)
    count = LIST.count(session, allowed) if allowed.narrows else sum(counts.values())
    return SupplierListing(allowed, page.of(_rows(session, viewer, page.rows)), count, counts)


_DECIDER, _ENTERER = aliased(UserInfo), aliased(UserInfo)
_DETAILS = (
    sa.select(Supplier, col(_DECIDER.full_name), col(_ENTERER.full_name))
    .outerjoin(_DECIDER, col(_DECIDER.user_id) == col(Supplier.decided_by))
    .outerjoin(_ENTERER, col(_ENTERER.user_id) == col(Supplier.entered_by))
    .where(col(Supplier.id) == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.BigInteger))))
)


def _rows(session: Session, viewer: Viewer, ids: list[int]) -> list[SupplierRow]:
    found = session.execute(_DETAILS, {"ids": ids}) if ids else ()
    rows = {row.id: row for row in (_row(viewer, *known) for known in found)}
    return [rows[id_] for id_ in ids if id_ in rows]


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
