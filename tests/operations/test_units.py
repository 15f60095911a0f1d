"""Units: their code stays, their name changes, and they never count more coarsely than what is on record."""

from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import Conflict, Invalid, NotFound, Stale
from inventory_app.models.catalog import SupplierProduct, Unit
from inventory_app.operations import units
from inventory_app.unit_of_work import read, transact
from tests.factories import add, item, product, supplier
from tests.operations.shelf import refusal


@pytest.fixture(autouse=True)
def as_ada(ada):
    """Let the administrator do it."""
    with acting_as(ada):
        yield


@pytest.fixture
def crate() -> str:
    return add(Unit(code="crate", name="Crate", decimals=3)).code


def update(code: str, name: str, decimals: int, was: str):
    return transact(units.update_unit, code=code, name=name, decimals=decimals, was=was)


def unit(code: str):
    return next(row for row in read(units.list_units) if row.code == code)


def test_a_unit_is_added_and_counts_its_products(trail):
    assert transact(units.create_unit, code=" crt ", name=" Box ", decimals=1) == "Box"
    product("A", unit_code="crt")
    found = unit("crt")
    assert (found.name, found.decimals, found.example, found.products) == ("Box", 1, "12.3 crt", 1)
    (change,) = trail.changes(trail.last(name="units.create_unit").id)
    assert (change.table, change.pk) == ("unit", '["crt"]')


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": "x" * 11}, "code"),
        ({"code": "PCS"}, "code"),
        ({"name": " "}, "name"),
        ({"decimals": 4}, "decimals"),
        ({"decimals": -1}, "decimals"),
    ],
)
def test_what_cannot_be_a_unit_is_said_beside_its_field(wrong, field):
    given = {"code": "crt", "name": "Box", "decimals": 0} | wrong
    assert set(refusal(Invalid, lambda: transact(units.create_unit, **given)).fields) == {field}


def test_a_unit_is_renamed_and_counts_more_finely_at_any_time(crate):
    item(product("A", unit_code=crate).id, quantity=Decimal("1.5"))
    update(crate, "Big crate", 3, "Crate/3")
    update(crate, "Big crate", 1, "Big crate/3")
    update(crate, "Big crate", 2, "Big crate/1")
    assert (unit(crate).name, unit(crate).decimals) == ("Big crate", 2)


@pytest.mark.parametrize("what", ["movement", "reorder_point", "reorder_quantity", "pack_size", "minimum_quantity"])
def test_it_never_counts_more_coarsely_than_what_is_on_record(crate, what):
    if what == "movement":
        item(product("A", unit_code=crate).id, quantity=Decimal("1.25"))
    elif what.startswith("reorder"):
        product("A", unit_code=crate, **{what: Decimal("1.25")})
    else:
        terms = {"cost": Decimal(1), "currency": "USD", what: Decimal("1.25")}
        made, firm = product("A", unit_code=crate).id or 0, supplier("Acme").id or 0
        add(SupplierProduct(product_id=made, supplier_id=firm, **terms))
    error = refusal(Conflict, update, crate, "Crate", 1, "Crate/3")
    assert error.fields == {"decimals": "Quantities with 2 decimals are on record in crate, so it needs at least 2."}
    update(crate, "Crate", 2, "Crate/3")


def test_whoever_comes_second_reads_it_again(crate):
    update(crate, "Box", 3, "Crate/3")
    assert str(refusal(Stale, update, crate, "Bin", 3, "Crate/3")) == (
        "Box was changed after you opened it. Reload the page and read it again."
    )
    assert "Nothing was changed" in str(refusal(Invalid, update, crate, "Box", 3, "Box/3"))
    assert set(refusal(Invalid, update, crate, "", 9, "Box/3").fields) == {"name", "decimals"}
    refusal(NotFound, update, "furlong", "Furlong", 0, "Furlong/0")
