"""The categories as a tree: adding, renaming, moving, closing and opening a branch."""

from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.database.locks import CATEGORY_TREE, lock_rule
from inventory_app.errors import Conflict, Invalid
from inventory_app.models.catalog import Category, Product
from inventory_app.operations import _trees
from inventory_app.operations._operation import operation, query
from inventory_app.operations._product_list import MANY
from inventory_app.operations._remembered import Remembered
from inventory_app.permissions import Permission


@dataclass(frozen=True, slots=True)
class Changed:
    """A branch that was added or changed."""

    id: int
    name: str


@operation(Permission.PRODUCTS_MANAGE, log=("code", "name"))
def create_category(session: Session, *, code: str, name: str, parent_id: int | None = None) -> Changed:
    """Add a category, by itself or in another; its code is unique whatever the case."""
    code, name = _trees.checked_names(code, name, "category")
    lock_rule(session, CATEGORY_TREE)
    _trees.may_stand_in(session, Category, None, parent_id)
    category = Category(code=code, name=name, parent_id=parent_id)
    session.add(category)
    session.flush()
    return Changed(category.id or 0, name)


@operation(Permission.PRODUCTS_MANAGE, log=("category_id",))
def update_category(
    session: Session, *, category_id: int, version: int, code: str, name: str, parent_id: int | None = None
) -> Changed:
    """Rename a category or put it elsewhere, with everything in it, in the version that was read."""
    code, name = _trees.checked_names(code, name, "category")
    lock_rule(session, CATEGORY_TREE)
    category = _trees.read_as(session, Category, category_id, version, "category")
    if (code, name, parent_id) == (category.code, category.name, category.parent_id):
        message = "Nothing was changed: everything is already as entered."
        raise Invalid(message)
    if parent_id != category.parent_id:
        _trees.may_stand_in(session, Category, category, parent_id)
    category.code, category.name, category.parent_id = code, name, parent_id
    category.version += 1
    return Changed(category_id, name)


@operation(Permission.PRODUCTS_MANAGE, log=("category_id", "active"))
def set_category_active(session: Session, *, category_id: int, version: int, active: bool) -> Changed:
    """Close a category nothing else in use stands in, or open it again; its products stay in it."""
    lock_rule(session, CATEGORY_TREE)
    category = _trees.read_as(session, Category, category_id, version, "category")
    if category.active == active:
        raise Conflict(f"{category.name} is {'in use' if active else 'closed'} already.")
    (_trees.open_above if active else _trees.no_open_parts)(session, Category, category)
    category.active = active
    category.version += 1
    return Changed(category_id, category.name)


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """A category in its place of the tree, and how many products are in it."""

    id: int
    code: str
    name: str
    path: str
    depth: int
    parent_id: str
    active: bool
    version: int
    products: int
    href: str


@partial(Remembered, dear=lambda numbers: sum(numbers.values()) > MANY)
def _numbers(session: Session) -> dict[int, int]:
    """Return how many products in use each category has."""
    rows = session.execute(
        sa.select(col(Product.category_id), sa.func.count())
        .where(col(Product.category_id).is_not(None), col(Product.active))
        .group_by(col(Product.category_id))
    )
    return {id_ or 0: number for id_, number in rows}


@query(Permission.PRODUCTS_VIEW)
def category_tree(session: Session) -> list[CategoryRow]:
    """Return every category, each below what it stands in."""
    numbers = _numbers(session)
    return [
        CategoryRow(
            id=node.id,
            code=node.code,
            name=node.name,
            path=node.path,
            depth=node.depth,
            parent_id=str(node.parent_id or ""),
            active=node.active,
            version=node.version,
            products=numbers.get(node.id, 0),
            href=f"/products?category={node.id}",
        )
        for node in _trees.nodes(session, Category)
    ]
