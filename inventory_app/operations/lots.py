"""Lots of products: what came together, and until when it is good."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.errors import Conflict, Invalid, NotFound, Stale
from inventory_app.models._base import now
from inventory_app.models.catalog import Lot, Product
from inventory_app.models.stock import InventoryItem
from inventory_app.operations._fields import Fields
from inventory_app.operations._ledger import say
from inventory_app.operations._list_filters import Asked, Asking, Condition, OneOf, Words
from inventory_app.operations._lists import Column, Join, Listing, View
from inventory_app.operations._operation import current_viewer, operation, query
from inventory_app.operations._paging import Page, like_escaped
from inventory_app.operations._product_list import product_href
from inventory_app.operations._zones import clock
from inventory_app.permissions import Permission

#: What expires within this time is said to expire soon.
SOON = timedelta(days=30)
_EARLIEST, _LATEST = date(1990, 1, 1), date(2199, 12, 31)
# Written out, as the index is declared.
_HELD = sa.select(col(InventoryItem.lot_id)).where(
    sa.literal_column("inventory_item.quantity > 0"), col(InventoryItem.lot_id).is_not(None)
)


@dataclass(frozen=True, slots=True)
class Changed:
    """A lot that was added or corrected."""

    lot_id: int
    code: str


@operation(Permission.PRODUCTS_MANAGE, log=("product_id", "code"))
def create_lot(
    session: Session, *, product_id: int, code: str, expires_on: date | None = None, note: str = ""
) -> Changed:
    """Add a lot of a product whose stock is kept by lot."""
    fields = _checked(code, expires_on, note)
    # Held, so that nobody stops keeping lots meanwhile.
    product = lock(session, Product, [product_id]).get(product_id)
    if product is None:
        message = "There is no such product. Reload the page."
        raise NotFound(message)
    if not product.active:
        raise Conflict(f"{product.name} is archived. Restore it first.")
    if not product.lots_kept:
        raise Conflict(f"{product.name} is not kept by lot. Correct the product first.")
    _not_taken(session, product_id, fields["code"], 0)
    lot = Lot(product_id=product_id, **fields)
    session.add(lot)
    session.flush()
    return Changed(lot.id or 0, lot.code)


@operation(Permission.PRODUCTS_MANAGE, log=("lot_id",))
def update_lot(
    session: Session, *, lot_id: int, version: int, code: str, expires_on: date | None = None, note: str = ""
) -> Changed:
    """Correct a lot's code, expiry or note in the version that was read; what is kept of it stays with it."""
    fields = _checked(code, expires_on, note)
    lot = lock(session, Lot, [lot_id]).get(lot_id)
    if lot is None:
        message = "There is no such lot. Reload the page."
        raise NotFound(message)
    if lot.version != version:
        raise Stale(f"Lot {lot.code} was changed after you opened it. Reload the page and read it again.")
    changed = {name: value for name, value in fields.items() if value != getattr(lot, name)}
    if not changed:
        message = "Nothing was changed: everything is already as entered."
        raise Invalid(message)
    _not_taken(session, lot.product_id, fields["code"], lot_id)
    for name, value in changed.items():
        setattr(lot, name, value)
    lot.version += 1
    return Changed(lot_id, lot.code)


def _checked(code: str, expires_on: date | None, note: str) -> dict[str, Any]:
    fields = Fields()
    values = {
        "code": fields.line("code", code, most=40, required=True),
        "expires_on": expires_on,
        "note": fields.text("note", note, most=500),
    }
    if expires_on is not None and not _EARLIEST <= expires_on <= _LATEST:
        fields.faults["expires_on"] = f"Choose a day from {_EARLIEST.year} to {_LATEST.year}."
    fields.check()
    return values


def _not_taken(session: Session, product_id: int, code: str, lot_id: int) -> None:
    same = sa.select(
        sa.exists().where(
            col(Lot.product_id) == product_id,
            sa.func.lower(col(Lot.code)) == sa.func.lower(code),
            col(Lot.id) != lot_id,
        )
    )
    if session.scalar(same):
        raise Invalid(fields={"code": "This product has a lot of this code."})


# The list


def _word(_: Asking, word: str) -> Asked:
    return True, {"word": f"%{like_escaped(word)}%"}


def _finds(_: Any, name: Any) -> Condition:
    """Find a lot by its code, or by its product."""
    text = sa.bindparam(name("word"), type_=sa.Text())
    # By the products that have the word, which an index finds: of two tables at once none can be asked.
    products = sa.select(col(Product.id)).where(col(Product.search).like(text))
    return sa.or_(sa.func.lower(col(Lot.code)).like(text), col(Lot.product_id).in_(products))


def today(zone: str) -> date:
    """Return the day it is where somebody is."""
    return clock(now(), zone).date()


def _days(asking: Asking, option: str) -> dict[str, Any]:
    here = today(asking.zone)
    return {"today": here} | ({"soon": here + SOON} if option == "soon" else {})


_TODAY, _SOON = sa.bindparam("today", type_=sa.Date()), sa.bindparam("soon", type_=sa.Date())
_ON_HAND = col(Lot.id).in_(_HELD)

#: The list of lots.
LIST = Listing(
    permission=Permission.PRODUCTS_VIEW,
    table=Lot,
    ident=col(Lot.id),
    sort="expires_on",
    columns=(
        Column(key="code", label="Lot", by=sa.func.lower(col(Lot.code)), fixed=True),
        Column(key="product", label="Product", by=col(Product.sort_key), needs=("product",)),
        Column(key="expires_on", label="Good until", by=col(Lot.expires_on), nullable=True),
        Column(key="on_hand", label="On hand", numeric=True, permission=Permission.INVENTORY_VIEW),
        Column(key="note", label="Note"),
    ),
    search=Words(key="q", label="Search", word=_word, finds=_finds),
    filters=(
        OneOf(
            key="view",
            label="View",
            quiet=True,
            permission=Permission.INVENTORY_VIEW,
            options={
                "soon": sa.and_(col(Lot.expires_on) >= _TODAY, col(Lot.expires_on) <= _SOON, _ON_HAND),
                "expired": sa.and_(col(Lot.expires_on) < _TODAY, _ON_HAND),
            },
            words={"soon": "Expire soon", "expired": "Expired"},
            values=_days,
        ),
        OneOf(
            key="stock",
            label="Stock",
            permission=Permission.INVENTORY_VIEW,
            options={"yes": _ON_HAND, "no": sa.not_(_ON_HAND)},
            words={"yes": "there", "no": "none left"},
        ),
    ),
    joins={"product": Join(Product, col(Product.id) == col(Lot.product_id))},
)


@dataclass(frozen=True, slots=True)
class LotRow:
    """A lot as lists show it; `state` is "", "soon" or "expired", stock is empty without `inventory:view`."""

    id: int
    version: int
    code: str
    product: str
    sku: str
    href: str
    expires_on: str
    #: The day as people write it.
    good_until: str
    state: str
    on_hand: str
    note: str


@dataclass(frozen=True, slots=True)
class LotListing:
    """A page of lots, and how many of those with stock expire soon or have expired."""

    view: View
    page: Page[LotRow]
    count: int
    everything: int
    soon: int
    expired: int


@query(Permission.PRODUCTS_VIEW)
def list_lots(session: Session, *, view: View) -> LotListing:
    """Return a page of lots as the list describes them."""
    viewer = current_viewer(session)
    allowed = LIST.allowed(view, viewer.permissions)
    everything, soon, expired = (LIST.count(session, _tab(allowed, tab)) for tab in ("", "soon", "expired"))
    if Permission.INVENTORY_VIEW not in viewer.permissions:
        soon = expired = 0
    page, count = LIST.listed(session, allowed, everything)
    by_id = {row.id: row for row in _rows(session, col(Lot.id).in_(page.rows), allowed.zone)}
    found = page.of([by_id[id_] for id_ in page.rows])
    return LotListing(allowed, found, count, everything, soon, expired)


def _tab(view: View, tab: str) -> View:
    filters: Mapping[str, str] = {"view": tab} if tab else {}
    return View(filters=filters, zone=view.zone)


@query(Permission.PRODUCTS_VIEW)
def lots_of(session: Session, *, product_id: int, zone: str) -> list[LotRow]:
    """Return the lots of a product: what expires first stands first."""
    return _rows(session, col(Lot.product_id) == product_id, zone)


def _rows(session: Session, which: Condition, zone: str) -> list[LotRow]:
    sees = Permission.INVENTORY_VIEW in current_viewer(session).permissions
    held = (
        sa.select(sa.func.coalesce(sa.func.sum(col(InventoryItem.quantity)), 0))
        .where(col(InventoryItem.lot_id) == col(Lot.id))
        .correlate(Lot)
        .scalar_subquery()
    )
    found = session.execute(
        sa.select(Lot, Product, held)
        .join(Product, col(Product.id) == col(Lot.product_id))
        .where(which)
        .order_by(col(Lot.expires_on).asc().nulls_last(), col(Lot.id))
        .limit(1_000)
    )
    here = today(zone)
    return [
        LotRow(
            id=lot.id or 0,
            version=lot.version,
            code=lot.code,
            product=product.name,
            sku=product.sku,
            href=product_href(product.id),
            expires_on=lot.expires_on.isoformat() if lot.expires_on else "",
            good_until=f"{lot.expires_on:%-d %b %Y}" if lot.expires_on else "",
            state=_state(lot.expires_on, here),
            on_hand=say(quantity, product.unit_code) if sees else "",
            note=lot.note or "",
        )
        for lot, product, quantity in found
    ]


def _state(expires_on: date | None, here: date) -> str:
    if expires_on is None or expires_on > here + SOON:
        return ""
    return "expired" if expires_on < here else "soon"


@query(Permission.PRODUCTS_MANAGE)
def lot_to_edit(session: Session, *, lot_id: int) -> LotRow | None:
    """Return a lot as its form begins; None when there is no such lot."""
    if session.exec(select(Lot.id).where(Lot.id == lot_id)).first() is None:
        return None
    return _rows(session, col(Lot.id) == lot_id, "UTC")[0]
