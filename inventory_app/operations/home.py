"""What a person finds on the start page: what waits for them, what runs low, what they did last, what it is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from inventory_app.audit.tables import audit_operation
from inventory_app.models._base import now
from inventory_app.models.stock import ProductStock, StockMovement
from inventory_app.models.suppliers import Supplier
from inventory_app.models.users import LocalUser, UserInfo
from inventory_app.operations import stock, valuation
from inventory_app.operations._approval_views import count_to_decide, oldest_to_decide
from inventory_app.operations._figures import SHARE_LEFT, figures, is_due
from inventory_app.operations._operation import Viewer, current_viewer, query
from inventory_app.operations._order_rows import OrderRow
from inventory_app.operations._order_rows import due as orders_that_are_due
from inventory_app.operations._people_list import waits
from inventory_app.operations._supplier_fields import place
from inventory_app.operations._supplier_rules import KIND as SUPPLIER
from inventory_app.operations._supplier_rules import may_be_decided_by
from inventory_app.operations._trail_rows import operation_rows
from inventory_app.operations.course import Week, last_weeks
from inventory_app.operations.dashboard import Waiting, count_waiting
from inventory_app.operations.reorder import LowRow, low_rows
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

WAITING_SHOWN = 6
LOW_SHOWN = 5
CHANGES_SHOWN = 5
CATEGORIES_SHOWN = 8
LATE = timedelta(days=5)
_PEOPLE_WAITING = "/admin/users?tab=waiting"
_NO_CATEGORY, _OTHERS = "No category", "Others"


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One thing that waits for the viewer; `kind` is supplier, request or person, `since` when it began to wait."""

    kind: str
    title: str
    meta: str
    since: str
    late: bool
    href: str


@dataclass(frozen=True, slots=True)
class DoneRow:
    """Something the viewer did; `undo` tells that it can be taken back as it was, and that they may."""

    id: str
    title: str
    summary: str
    at: str
    undo: bool


@dataclass(frozen=True, slots=True)
class Share:
    """What a category is worth; `percent` of the one that is worth most."""

    category: str
    worth: str
    percent: int


@dataclass(frozen=True, slots=True)
class Home:
    """The start page for one viewer: what they may not see is empty, `worth` too.

    `products_to_reorder` are the products of `low` and those beyond; `as_of` is when the figures were so, if long ago.
    """

    waiting: list[WaitingRow]
    suppliers: int
    others: int
    people: int
    late: int
    low: list[LowRow]
    products_to_reorder: int
    done: list[DoneRow]
    as_of: str
    #: What came and went in the last weeks.
    weeks: list[Week]
    worth: str
    currency: str
    shares: list[Share]
    #: Nothing is kept anywhere yet, and the viewer may see that.
    no_stock: bool
    #: What should come soon or should have come, and how many orders there are of it.
    due: list[OrderRow]
    orders_due: int


@query()
def home(session: Session) -> Home:
    """Return everything the start page shows to this person."""
    viewer = current_viewer(session)
    may = viewer.permissions
    counts = count_waiting(session, viewer)
    waiting = [
        *(_suppliers(session, viewer) if counts.suppliers else ()),
        *(_others(session, viewer) if counts.others else ()),
        *(_people(session) if counts.people else ()),
    ]
    due, orders_due = orders_that_are_due(session, viewer) if Permission.ORDERS_VIEW in may else ([], 0)
    kept = figures(session) if Permission.INVENTORY_VIEW in may else None
    worth = kept is not None and Permission.PRICES_VIEW in may
    return Home(
        waiting=sorted(waiting, key=lambda row: row.since)[:WAITING_SHOWN],
        suppliers=counts.suppliers,
        others=counts.others,
        people=counts.people,
        late=_late(session, viewer, counts),
        low=_low(session) if kept and kept.products_to_reorder else [],
        products_to_reorder=kept.products_to_reorder if kept else 0,
        done=_done(session, viewer),
        as_of=kept.as_of() if kept else "",
        weeks=last_weeks(session) if kept else [],
        worth=f"{kept.worth:,.2f}" if kept and worth else "",
        currency=get_settings().currency,
        shares=_shares(kept.by_category) if kept and worth else [],
        no_stock=kept is not None and not kept.items,
        due=due,
        orders_due=orders_due,
    )


def _waiting_row(kind: str, title: str, meta: str, since: datetime, href: str) -> WaitingRow:
    return WaitingRow(kind, title, meta, since.isoformat(), now() - since > LATE, href)


def _suppliers(session: Session, viewer: Viewer) -> list[WaitingRow]:
    rows = session.exec(
        select(Supplier)
        .where(may_be_decided_by(session, viewer.user_id))
        .order_by(col(Supplier.submitted_at), col(Supplier.id))
        .limit(WAITING_SHOWN)
    )
    came = {"application": "Applied by itself", "import": "Came with an import"}
    return [
        _waiting_row(
            "supplier",
            supplier.name,
            " · ".join(filter(None, (came.get(supplier.source, "Entered by a colleague"), place(supplier)))),
            supplier.submitted_at,
            f"/suppliers/approvals?id={supplier.id}",
        )
        for supplier in rows
    ]


def _others(session: Session, viewer: Viewer) -> list[WaitingRow]:
    """Return the other requests this viewer can decide about."""
    rows = oldest_to_decide(session, viewer, besides=SUPPLIER, most=WAITING_SHOWN)
    return [
        _waiting_row(
            "request",
            row.title,
            f"{row.label} · {row.asked_by}",
            datetime.fromisoformat(row.asked_at),
            f"/approvals?id={row.id}",
        )
        for row in rows
    ]


def _people(session: Session) -> list[WaitingRow]:
    rows = session.exec(
        select(LocalUser, UserInfo.full_name)
        .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
        .where(waits())
        .order_by(col(LocalUser.created_at), col(LocalUser.id))
        .limit(WAITING_SHOWN)
    )
    return [
        _waiting_row("person", name or user.username, "Asked for an account", user.created_at, _PEOPLE_WAITING)
        for user, name in rows
    ]


def _late(session: Session, viewer: Viewer, counts: Waiting) -> int:
    """Count what has waited for this viewer for too long, of what waits at all."""
    before, late = now() - LATE, 0
    if counts.suppliers:
        old = sa.and_(may_be_decided_by(session, viewer.user_id), col(Supplier.submitted_at) < before)
        late += session.scalar(sa.select(sa.func.count()).select_from(Supplier).where(old)) or 0
    if counts.others:
        late += count_to_decide(session, viewer, besides=SUPPLIER, before=before)
    if counts.people:
        old = sa.and_(waits(), col(LocalUser.created_at) < before)
        late += session.scalar(sa.select(sa.func.count()).select_from(LocalUser).where(old)) or 0
    return late


#: The products to reorder of which there is least, measured by their reorder points.
_LOW = (
    sa.select(col(ProductStock.product_id))
    .where(is_due())
    .order_by(SHARE_LEFT, col(ProductStock.product_id))
    .limit(LOW_SHOWN)
)


def _low(session: Session) -> list[LowRow]:
    return low_rows(session, session.scalars(_LOW).all())


def _done(session: Session, viewer: Viewer) -> list[DoneRow]:
    """Return what the viewer last changed; signing in and looking at the trail are no changes."""
    op = audit_operation.c
    name = session.scalar(select(LocalUser.username).where(col(LocalUser.id) == viewer.user_id))
    rows = session.execute(
        sa.select(audit_operation)
        .where(
            op.actor_name == name,
            op.actor_id == viewer.user_id,
            op.outcome == "succeeded",
            ~op.name.like("sessions.%"),
            ~op.name.like("trail.%"),
        )
        .order_by(op.recorded_at.desc(), op.id.desc())
        .limit(CHANGES_SHOWN)
    ).all()
    undone = _undone(session, [row.id for row in rows if row.name in _CAN_BE_UNDONE], viewer)
    return [DoneRow(row.id, row.words, row.summary, row.at, row.id in undone) for row in operation_rows(session, rows)]


#: What a toast offers to undo; sets of changes, imports, receipts and shipments are taken back where they are listed.
_CAN_BE_UNDONE = frozenset(
    one.spec.name
    for one in (
        stock.receive_inventory,
        stock.issue_inventory,
        stock.adjust_inventory,
        stock.transfer_inventory,
        stock.bulk_update_inventory,
        valuation.revalue_product,
    )
)


def _undone(session: Session, ids: Sequence[UUID], viewer: Viewer) -> set[str]:
    """Return which of these operations booked something of which nothing was taken back yet, if the viewer may."""
    if Permission.INVENTORY_REVERSE not in viewer.permissions or not ids:
        return set()
    back = aliased(StockMovement)
    found = session.scalars(
        sa.select(col(StockMovement.operation_id))
        .outerjoin(back, col(back.reverses) == col(StockMovement.id))
        .where(col(StockMovement.operation_id).in_(ids))
        .group_by(col(StockMovement.operation_id))
        .having(sa.func.count(col(back.id)) == 0)
    )
    return {str(id_) for id_ in found}


def _shares(worths: Sequence[tuple[str | None, Decimal]]) -> list[Share]:
    shown = [(name or _NO_CATEGORY, worth) for name, worth in worths]
    if len(shown) > CATEGORIES_SHOWN:
        rest = shown[CATEGORIES_SHOWN - 1 :]
        shown = [*shown[: CATEGORIES_SHOWN - 1], (_OTHERS, sum((worth for _, worth in rest), Decimal(0)))]
    most = max((worth for _, worth in shown), default=Decimal(1))
    return [Share(name, f"{worth:,.2f}", max(1, round(worth / most * 100))) for name, worth in shown]
