"""Finding whatever it is by a few letters of what it is called: what the palette asks for, in one go.

Each kind is found as its own list finds it, by those who may see that list. What begins with the text stands before
what only holds it, whatever its kind; what was scanned stands before everything.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models._base import sort_key
from inventory_app.models.catalog import Category, Location, Product
from inventory_app.models.purchasing import PurchaseOrder
from inventory_app.models.stock import InventoryItem
from inventory_app.models.suppliers import Supplier
from inventory_app.models.users import LocalUser, UserInfo
from inventory_app.operations import _item_list, _order_list, _people_list, _product_list, _supplier_list
from inventory_app.operations._barcodes import as_scanned
from inventory_app.operations._list_filters import Asked, Asking, Condition, Words
from inventory_app.operations._lists import Column, Listing, View
from inventory_app.operations._operation import current_viewer, query
from inventory_app.operations._paging import like_escaped, storable
from inventory_app.operations._product_list import product_href
from inventory_app.operations._supplier_fields import place as place_of
from inventory_app.operations._trees import Branch
from inventory_app.operations.catalog import LOCATION_KINDS
from inventory_app.permissions import Permission

#: Of each kind; whoever looks for more opens the list.
MOST = 5


@dataclass(frozen=True, slots=True)
class Found:
    """Something of a `kind` (product, item, location, category, supplier, order or person), and where it is shown."""

    kind: str
    label: str
    meta: str
    href: str


def _branches(model: type[Branch]) -> Listing:
    """Declare how locations and categories are found: as everything else, by code or name."""

    def word(_: Asking, text: str) -> Asked:
        return True, {"word": f"%{like_escaped(text)}%"}

    def finds(_: object, name: Callable[[str], str]) -> Condition:
        text = sa.bindparam(name("word"), type_=sa.Text())
        return sa.or_(col(model.sort_key).like(text), sa.func.lower(col(model.code)).like(text))

    return Listing(
        permission=Permission.PRODUCTS_VIEW,
        table=model,
        ident=col(model.id),
        sort="name",
        columns=(Column(key="name", label="Name", by=col(model.sort_key), fixed=True),),
        search=Words(
            key="q",
            label="Search",
            word=word,
            finds=finds,
            begins=(col(model.sort_key), sa.func.lower(col(model.code))),
            near=col(model.sort_key),
        ),
        only=col(model.active),
    )


_LOCATIONS, _CATEGORIES = _branches(Location), _branches(Category)


def _products(session: Session, ids: list[int]) -> Iterator[tuple[int, str, str, str]]:
    for id_, name, sku in session.execute(
        sa.select(col(Product.id), col(Product.name), col(Product.sku)).where(col(Product.id).in_(ids))
    ):
        yield id_, name, sku, product_href(id_)


def _items(session: Session, ids: list[int]) -> Iterator[tuple[int, str, str, str]]:
    """Return the items as products at their places."""
    for id_, name, sku, place in session.execute(
        sa.select(col(InventoryItem.id), col(Product.name), col(Product.sku), col(Location.name))
        .join(Product, col(Product.id) == col(InventoryItem.product_id))
        .join(Location, col(Location.id) == col(InventoryItem.location_id))
        .where(col(InventoryItem.id).in_(ids))
    ):
        yield id_, f"{sku} at {place}", name, f"/inventory/{id_}"


def _locations(session: Session, ids: list[int]) -> Iterator[tuple[int, str, str, str]]:
    sees_stock = Permission.INVENTORY_VIEW in current_viewer(session).permissions
    for place in session.scalars(sa.select(Location).where(col(Location.id).in_(ids))):
        href = f"/inventory?location={place.id}" if sees_stock else "/locations"
        yield place.id or 0, place.name, f"{LOCATION_KINDS[place.kind]} {place.code}", href


def _categories(session: Session, ids: list[int]) -> Iterator[tuple[int, str, str, str]]:
    for one in session.scalars(sa.select(Category).where(col(Category.id).in_(ids))):
        yield one.id or 0, one.name, f"Category {one.code}", f"/products?category={one.id}"


def _suppliers(session: Session, ids: list[int]) -> Iterator[tuple[int, str, str, str]]:
    for one in session.scalars(sa.select(Supplier).where(col(Supplier.id).in_(ids))):
        yield one.id or 0, one.name, place_of(one) or one.status.capitalize(), f"/suppliers/{one.id}"


def _orders(session: Session, ids: list[int]) -> Iterator[tuple[int, str, str, str]]:
    for id_, number, supplier in session.execute(
        sa.select(col(PurchaseOrder.id), col(PurchaseOrder.number), col(Supplier.name))
        .join(Supplier, col(Supplier.id) == col(PurchaseOrder.supplier_id))
        .where(col(PurchaseOrder.id).in_(ids))
    ):
        yield id_, number or f"Draft for {supplier}", supplier, f"/orders/{id_}"


def _people(session: Session, ids: list[int]) -> Iterator[tuple[int, str, str, str]]:
    for id_, username, name in session.execute(
        sa.select(col(LocalUser.id), col(LocalUser.username), col(UserInfo.full_name))
        .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
        .where(col(LocalUser.id).in_(ids))
    ):
        yield id_, name or username, username, f"/admin/users/{id_}"


_KINDS = (
    ("product", _product_list.LIST, _products),
    ("item", _item_list.LIST, _items),
    ("location", _LOCATIONS, _locations),
    ("category", _CATEGORIES, _categories),
    ("supplier", _supplier_list.LIST, _suppliers),
    ("order", _order_list.LIST, _orders),
    ("person", _people_list.LIST, _people),
)


@query()
def find_anything(session: Session, *, text: str) -> list[Found]:
    """Return what is called like the text, of what this person may see, the likest first."""
    permissions, found = current_viewer(session).permissions, list[Found]()
    if not text.strip():
        return found
    for kind, listing, described in _KINDS:
        if listing.permission not in permissions:
            continue
        ids = listing.page(session, listing.allowed(View(search=text, size=MOST), permissions)).rows
        rows = {id_: Found(kind, *rest) for id_, *rest in described(session, ids)} if ids else {}
        found += [rows[id_] for id_ in ids]
    begins = sort_key(text)
    # What begins so, or has this SKU or code, before what only holds it; each as its own list has it.
    found.sort(key=lambda one: not (sort_key(one.label).startswith(begins) or sort_key(one.meta).startswith(begins)))
    scanned = _scanned(session, text, permissions)
    return [*scanned, *(one for one in found if one.href not in {known.href for known in scanned})]


def _scanned(session: Session, text: str, permissions: frozenset[str]) -> list[Found]:
    """Return the product whose barcode the text is, however grouped."""
    if Permission.PRODUCTS_VIEW not in permissions:
        return []
    kept = col(Product.barcode) == as_scanned(storable(text))
    found = session.execute(sa.select(col(Product.id), col(Product.name)).where(kept))
    return [Found("product", name, "Barcode", product_href(id_)) for id_, name in found]
