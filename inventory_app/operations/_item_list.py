"""The list of items: what it can be sorted and narrowed down by."""

from collections.abc import Callable
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models._base import sort_key
from inventory_app.models.catalog import Category, Location, Product, SearchWord
from inventory_app.models.stock import InventoryItem, ItemWorth
from inventory_app.models.suppliers import Supplier
from inventory_app.operations._figures import reorder_due
from inventory_app.operations._list_filters import AnyOf, Asked, Asking, Condition, Contains, OneOf, Range, Words
from inventory_app.operations._lists import Column, Group, Join, Listing
from inventory_app.operations._paging import like_escaped
from inventory_app.operations._remembered import Remembered
from inventory_app.operations.catalog import catalogue_mark
from inventory_app.permissions import Permission

_WORTH = col(ItemWorth.worth)
#: Shorter words than these hold nothing that the index of the search knows: they are looked for where words begin.
_TRIGRAM = 3


@partial(Remembered, mark=catalogue_mark)
def _categories(session: Session) -> list[tuple[int, str]]:
    found = session.execute(sa.select(col(Category.id), col(Category.sort_key)))
    return [(id_, name) for id_, name in found]


#: Words as long as these are compared with those of the products, and so many that are like one are taken for it.
_COMPARED, _MOST_SIMILAR, _SIMILAR = 4, 3, 0.4
_LIKE = sa.bindparam("like", type_=sa.Text())
_TYPED = sa.bindparam("typed", type_=sa.Text())
_HAS, _LIKENESS = col(SearchWord.word).like(_LIKE), sa.func.similarity(col(SearchWord.word), _TYPED)
_SIMILAR_WORDS = (
    sa.select(col(SearchWord.word), _HAS, _LIKENESS)
    .where(sa.or_(_HAS, col(SearchWord.word).bool_op("%")(_TYPED)))
    .order_by(_HAS.desc(), _LIKENESS.desc(), col(SearchWord.word))
    .limit(_MOST_SIMILAR)
)


def _similar(session: Session, word: str) -> list[str]:
    """Return the words of products that a mistyped word may be; none for a word that products have in theirs."""
    if len(word) < _COMPARED or not word.isalpha():
        return []
    found = session.connection().execute(_SIMILAR_WORDS, {"like": f"%{word}%", "typed": word}).all()
    return [] if any(has for _, has, _ in found) else [like for like, _, likeness in found if likeness >= _SIMILAR]


def taken_for(session: Session, search: str) -> dict[str, list[str]]:
    """Return which words of a search no product has, and those that were looked for instead."""
    words = dict.fromkeys(sort_key(search).split())
    return {
        word: similar
        for word in words
        if not any(word in name for _, name in _categories(session)) and (similar := _similar(session, word))
    }


def word_of_product(asking: Asking, word: str) -> Asked:
    """Ask for one word of the search for products."""
    # Categories by their numbers, which are few: a condition on another table would leave the index of the search
    # unused.
    categories = [id_ for id_, name in _categories(asking.session) if word in name]
    short, similar = len(word) < _TRIGRAM, [] if categories else _similar(asking.session, word)
    if short:
        patterns = [f"% {like_escaped(word)}%", f"{like_escaped(word)}%"]
    else:
        patterns = [f"%{like_escaped(one)}%" for one in similar or [word]]
    values: dict[str, Any] = {f"word{number}": pattern for number, pattern in enumerate(patterns)}
    return (bool(categories), len(patterns)), values | ({"word_in": categories} if categories else {})


def product_words(shape: Any, name: Callable[[str], str]) -> Condition:
    """Tell of a product whether it, or its category, has a word in its name."""
    by_category, patterns = shape
    names = [sa.bindparam(name(f"word{number}"), type_=sa.Text()) for number in range(patterns)]
    by_itself = sa.or_(*(col(Product.search).like(one) for one in names))
    if not by_category:
        return by_itself
    categories = sa.bindparam(name("word_in"), type_=sa.ARRAY(sa.BigInteger()))
    return sa.or_(by_itself, col(Product.category_id) == sa.any_(categories))


_PRODUCT = ("product",)
_WORTHS = ("worth",)

#: Finds products, of whatever list that joins them as "product".
SEARCH = Words(
    key="q",
    label="Search",
    needs=_PRODUCT,
    word=word_of_product,
    finds=product_words,
    begins=(col(Product.search), col(Product.sort_key)),
    codes=(col(Product.barcode),),
    near=col(Product.search),
    lexicon=col(SearchWord.word),
)

#: The list of items.
LIST = Listing(
    permission=Permission.INVENTORY_VIEW,
    table=InventoryItem,
    ident=col(InventoryItem.id),
    sort="sku",
    columns=(
        Column(key="sku", label="SKU", by=col(Product.sku), needs=_PRODUCT),
        Column(key="product", label="Product", by=col(Product.sort_key), needs=_PRODUCT, fixed=True),
        Column(
            key="category",
            label="Category",
            by=col(Category.sort_key),
            needs=("category",),
            nullable=True,
            group=Group(key=col(Category.id), reference=col(Product.category_id), needs=_PRODUCT),
            extra=True,
        ),
        Column(
            key="location",
            label="Location",
            by=col(Location.sort_key),
            needs=("location",),
            group=Group(key=col(Location.id), reference=col(InventoryItem.location_id), indexed=True),
        ),
        Column(key="on_hand", label="On hand", by=col(InventoryItem.quantity), numeric=True),
        Column(
            key="unit_cost",
            label="Unit cost",
            by=col(Product.unit_cost),
            needs=_PRODUCT,
            numeric=True,
            permission=Permission.PRICES_VIEW,
        ),
        Column(key="value", label="Value", by=_WORTH, needs=_WORTHS, numeric=True, permission=Permission.PRICES_VIEW),
        Column(
            key="supplier",
            label="Supplier",
            by=col(Supplier.sort_key),
            needs=("supplier",),
            nullable=True,
            group=Group(key=col(Supplier.id), reference=col(Product.supplier_id), needs=_PRODUCT),
        ),
        # Carries what can be done with the row.
        Column(key="changed", label="Updated", by=col(InventoryItem.changed_at), fixed=True),
    ),
    search=SEARCH,
    filters=(
        OneOf(
            key="view",
            label="View",
            quiet=True,
            needs=_PRODUCT,
            options={
                "reorder": col(Product.id).in_(reorder_due()),
                "out": sa.and_(col(InventoryItem.quantity) == 0, col(Product.active)),
            },
            words={"reorder": "To reorder", "out": "None left"},
        ),
        AnyOf(
            key="category",
            label="Category",
            needs=_PRODUCT,
            matches=lambda ids: col(Product.category_id) == sa.any_(ids),
        ),
        AnyOf(key="location", label="Location", matches=lambda ids: col(InventoryItem.location_id) == sa.any_(ids)),
        Range(key="on_hand", label="On hand", column=col(InventoryItem.quantity)),
        Range(key="value", label="Value", column=_WORTH, needs=_WORTHS, permission=Permission.PRICES_VIEW),
        Contains(key="supplier", label="Supplier", column=col(Supplier.sort_key), needs=("supplier",)),
        OneOf(
            key="active",
            label="Product",
            needs=_PRODUCT,
            options={"yes": col(Product.active).is_(True), "no": col(Product.active).is_(False)},
            words={"yes": "in use", "no": "archived"},
        ),
    ),
    joins={
        "product": Join(Product, col(Product.id) == col(InventoryItem.product_id)),
        "worth": Join(ItemWorth, col(ItemWorth.item_id) == col(InventoryItem.id)),
        "location": Join(Location, col(Location.id) == col(InventoryItem.location_id)),
        "category": Join(Category, col(Category.id) == col(Product.category_id), outer=True, needs=_PRODUCT),
        "supplier": Join(Supplier, col(Supplier.id) == col(Product.supplier_id), outer=True, needs=_PRODUCT),
    },
)
