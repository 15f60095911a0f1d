"""The list of items: what it can be sorted and narrowed down by."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.models._base import sort_key
from inventory_app.models.catalog import Category, Location, Lot, Product, SearchWord
from inventory_app.models.stock import InventoryItem, ItemWorth
from inventory_app.models.suppliers import Supplier
from inventory_app.operations._figures import none_left, reorder_due
from inventory_app.operations._list_filters import (
    AnyOf,
    Asked,
    Asking,
    Condition,
    Contains,
    OneOf,
    Range,
    Words,
    turned_round,
)
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
_TURNED = col(SearchWord.word) == sa.any_(sa.bindparam("turned", type_=sa.ARRAY(sa.Text())))
_HAS = col(SearchWord.word).like(_LIKE)
# Two letters turned round leave the fewest trigrams, and are the commonest slip: as good as the word itself.
_LIKENESS = sa.case((_TURNED, sa.literal(1.0)), else_=sa.func.similarity(col(SearchWord.word), _TYPED))
_SIMILAR_WORDS = (
    sa.select(col(SearchWord.word), _HAS, _LIKENESS)
    .where(sa.or_(_HAS, _TURNED, col(SearchWord.word).bool_op("%")(_TYPED)))
    .order_by(_HAS.desc(), _LIKENESS.desc(), col(SearchWord.word))
    .limit(_MOST_SIMILAR)
)


def _similar(session: Session, word: str) -> list[str]:
    """Return the words of products that a mistyped word may be; none for a word that products have in theirs."""
    if len(word) < _COMPARED or not word.isalpha():
        return []
    asked = {"like": f"%{word}%", "typed": word, "turned": turned_round(word)}
    found = session.connection().execute(_SIMILAR_WORDS, asked).all()
    return [] if any(has for _, has, _ in found) else [like for like, _, likeness in found if likeness >= _SIMILAR]


def taken_for(session: Session, search: str) -> str:
    """Say which words of a search no product has, and what was looked for instead; empty when all are known."""
    found = {
        word: similar
        for word in dict.fromkeys(sort_key(search).split())
        if not any(word in name for _, name in _categories(session)) and (similar := _similar(session, word))
    }
    return " ".join(f"Nothing is called “{word}”: this is {_either(similar)}." for word, similar in found.items())


def _either(words: Sequence[str]) -> str:
    return " or ".join(f"“{word}”" for word in words)


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


_LOT_CODE = sa.func.lower(col(Lot.code))
_ANY_LOT = sa.select(sa.exists().where(_LOT_CODE.like(sa.bindparam("lot", type_=sa.Text()))))


def _begins_lots(session: Session, word: str) -> str:
    """Return the pattern of the lots whose code begins with a word; empty where there is none."""
    pattern = f"{like_escaped(word)}%"
    known = len(word) >= _TRIGRAM and session.connection().scalar(_ANY_LOT, {"lot": pattern})
    return pattern if known else ""


def _word_of_item(asking: Asking, word: str) -> Asked:
    """Ask for one word of the search for items: of the product, or of the lot."""
    shape, values = word_of_product(asking, word)
    lots = _begins_lots(asking.session, word)
    return (bool(lots), shape), values | ({"lot": lots} if lots else {})


def _item_words(shape: Any, name: Callable[[str], str]) -> Condition:
    by_lot, words = shape
    found = product_words(words, name)
    if not by_lot:
        return found
    # Each by its own index: a condition that is either of the product or of the item would have none.
    of_product = (
        sa.select(col(InventoryItem.id))
        .join(Product, col(Product.id) == col(InventoryItem.product_id))
        .where(found)
        .correlate(None)
    )
    of_lot = (
        sa.select(col(InventoryItem.id))
        # By the product as well, which the index of the items begins with.
        .join(
            Lot, sa.and_(col(Lot.id) == col(InventoryItem.lot_id), col(Lot.product_id) == col(InventoryItem.product_id))
        )
        .where(_LOT_CODE.like(sa.bindparam(name("lot"), type_=sa.Text())))
        .correlate(None)
    )
    return col(InventoryItem.id).in_(sa.union(of_product, of_lot))


def _taken_for(session: Session, search: str) -> str:
    """Say which words were taken for others; what lots begin with was not."""
    return taken_for(session, " ".join(word for word in sort_key(search).split() if not _begins_lots(session, word)))


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
    taken=taken_for,
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
    search=replace(SEARCH, word=_word_of_item, finds=_item_words, taken=_taken_for),
    filters=(
        OneOf(
            key="view",
            label="View",
            quiet=True,
            needs=_PRODUCT,
            options={
                "reorder": col(Product.id).in_(reorder_due()),
                "out": none_left(),
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
