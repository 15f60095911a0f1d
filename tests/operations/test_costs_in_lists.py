"""No list sorts, narrows down or exports by a cost or price for who may not see them, whatever is declared next."""

import importlib
import pkgutil
import re

import pytest
import sqlalchemy as sa

from inventory_app import operations
from inventory_app.context import acting_as
from inventory_app.models.catalog import ProductPrice, SupplierProduct
from inventory_app.operations import change_sets, exports, supplier_products, trail, valuation
from inventory_app.operations._list_filters import AnyOf, OneOf
from inventory_app.operations._lists import Listing
from inventory_app.operations._trail_values import PRICE_FIELDS
from inventory_app.permissions import Permission
from inventory_app.unit_of_work import read, transact
from tests.factories import add, item, person, product, role, supplier
from tests.operations.test_costs_stay import COST, PRICE, tells

#: Every list that is declared, by the name of its module.
LISTS = {
    module.name: found.LIST
    for module in pkgutil.iter_modules(operations.__path__)
    if isinstance(
        getattr(found := importlib.import_module(f"{operations.__name__}.{module.name}"), "LIST", None), Listing
    )
}

_PRICED = re.compile(rf"\.({'|'.join(sorted(PRICE_FIELDS | {'worth'}))})\b")

#: That something is open of an invoice is its status, and tells no amount.
_WHETHER_OPEN = "supplier_invoice.paid != supplier_invoice.gross"


def is_priced(*expressions):
    return any(_PRICED.search(str(one).replace(_WHETHER_OPEN, "")) for one in expressions if one is not None)


def conditions(one):
    if isinstance(one, OneOf):
        return list(one.options.values())
    if isinstance(one, AnyOf):
        return [one.matches(sa.bindparam("any"))]
    return [getattr(one, "column", None)]


def unguarded(listing):
    """Return what tells a cost without asking for the permission."""
    if listing.permission == Permission.PRICES_VIEW:
        return []
    columns = [(one.key, one.permission, is_priced(one.by)) for one in listing.columns.values()]
    filters = [(one.key, one.permission, is_priced(*conditions(one))) for one in listing.filters.values()]
    return [key for key, permission, priced in columns + filters if priced and permission != Permission.PRICES_VIEW]


@pytest.mark.parametrize("name", sorted(LISTS))
def test_what_is_made_of_costs_asks_for_the_permission_to_see_them(name):
    assert unguarded(LISTS[name]) == []


def test_lists_that_show_costs_are_recognized():
    """The search above finds something: the list of prices is nothing but priced columns."""
    priced = [one.key for one in LISTS["pricing"].columns.values() if is_priced(one.by)]
    assert {"unit_cost", "unit_price", "value"} <= {*priced}
    assert is_priced(*conditions(LISTS["items"].filters["value"]))


@pytest.mark.parametrize("name", sorted(exports.EXPORTS))
def test_what_a_file_holds_beside_its_columns_asks_for_it_too(name):
    export = exports.EXPORTS[name]
    for key, shown in export.shows.items():
        assert not is_priced(shown) or export.listing.columns[key].permission == Permission.PRICES_VIEW, key
    for one in export.also:
        assert not is_priced(one.shows) or one.permission == Permission.PRICES_VIEW, one.label


def test_terms_sets_plans_and_revaluations_show_no_cost_to_who_may_not_see_them(ada, observer):
    """What came after the list of planted costs in `test_costs_stay` was made, and the trail of all of it."""
    acme = supplier("Acme", status="approved")
    bolt = product("BOLT", unit_price=1, unit_cost=1)
    item(bolt.id, quantity=1)
    add(SupplierProduct(supplier_id=acme.id, product_id=bolt.id, cost=COST, currency="USD"))
    with acting_as(ada):
        transact(valuation.revalue_product, product_id=bolt.id, unit_cost=COST, note="Dearer")
        found = transact(change_sets.propose_prices, product_ids=[bolt.id], how="set", value=str(PRICE)).change_set_id
        transact(change_sets.apply_changes, change_set_id=found)
    add(ProductPrice(product_id=bolt.id, new_price=COST, currency="USD", reason="Plan", status="planned"))
    ids = [str(row[0]) for row in observer.execute("SELECT id FROM audit_operation")]

    def seen():
        return tells(
            [
                read(supplier_products.terms, product_id=bolt.id),
                read(supplier_products.terms, supplier_id=acme.id),
                read(change_sets.change_set_detail, change_set_id=found),
                *[read(trail.operation_detail, operation_id=id_) for id_ in ids],
            ]
        )

    with acting_as(ada):
        assert len(seen()) >= 2
    role("without", *(set(Permission) - {Permission.PRICES_VIEW}))
    with acting_as(person("wanda", "without")):
        assert seen() == []
