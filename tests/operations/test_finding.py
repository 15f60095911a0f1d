"""Whatever it is, it is found by a few letters: by whoever may see it, the likest first."""

from collections.abc import Iterator

import pytest

from inventory_app.context import Actor, acting_as
from inventory_app.models.catalog import Category
from inventory_app.models.purchasing import PurchaseOrder
from inventory_app.operations import finding
from inventory_app.operations.catalog import search_text
from inventory_app.operations.finding import Found
from inventory_app.unit_of_work import read
from tests import factories

BARCODE = "4006381333931"


@pytest.fixture
def ann(database: None) -> Iterator[Actor]:
    actor = factories.person("ann", "admin")
    with acting_as(actor):
        yield actor


@pytest.fixture
def things(ann: Actor) -> dict[str, int]:
    """Call one thing of each kind after the quay."""
    category = factories.add(Category(code="QUAYS", name="Quayside")).id or 0
    place = factories.location("QY", name="Quay 7").id or 0
    search = search_text("Q-1", "Quay ladder", BARCODE)
    product = factories.product("Q-1", name="Quay ladder", barcode=BARCODE, search=search, category_id=category).id or 0
    north = factories.supplier("North Quay").id or 0
    return {
        "product": product,
        "item": factories.item(product, place, quantity=3).id or 0,
        "location": place,
        "category": category,
        "supplier": north,
        "order": factories.add(PurchaseOrder(supplier_id=north, location_id=place, currency="USD")).id or 0,
        "person": factories.person("quayle").id or 0,
    }


def found(text: str) -> list[Found]:
    return read(finding.find_anything, text=text)


def test_everything_is_found_and_leads_where_it_is_shown(things: dict[str, int]):
    hrefs = {one.kind: one.href for one in found("quay")}
    assert hrefs == {
        "product": f"/products/{things['product']}",
        "item": f"/inventory/{things['item']}",
        "location": f"/inventory?location={things['location']}",
        "category": f"/products?category={things['category']}",
        "supplier": f"/suppliers/{things['supplier']}",
        "order": f"/orders/{things['order']}",
        "person": f"/admin/users/{things['person']}",
    }
    # Only the supplier, and what is ordered there, do not begin so: they stand last.
    assert [one.kind for one in found("quay")[-2:]] == ["supplier", "order"]
    (item,) = (one for one in found("quay ladder") if one.kind == "item")
    assert (item.label, item.meta) == ("Q-1 at Quay 7", "Quay ladder")


def test_a_code_finds_what_has_it(things: dict[str, int]):
    assert [one.kind for one in found("Q-1")] == ["product", "item"]
    assert [(one.kind, one.label) for one in found("qy")] == [("location", "Quay 7")]
    assert found("quays")[0].kind == "category"


@pytest.mark.parametrize("text", [BARCODE, "4006381 333931", f"0{BARCODE}"])
def test_what_was_scanned_is_the_product_first_and_once(things: dict[str, int], text: str):
    first, *others = found(text)
    assert first == Found("product", "Quay ladder", "Barcode", f"/products/{things['product']}")
    # Where it is kept may follow.
    assert {one.kind for one in others} <= {"item"}


def test_a_slip_of_the_fingers_is_forgiven(things: dict[str, int]):
    assert found("laddre xyzzyq") == []
    assert [one.kind for one in found("laddre")] == ["product", "item"]
    assert "category" in {one.kind for one in found("quaysdie")}


@pytest.mark.parametrize("text", ["", "  ", "xyzzyq", "\0", "%", "_" * 300])
def test_what_is_called_by_nothing_finds_nothing(things: dict[str, int], text: str):
    assert found(text) == []


@pytest.mark.parametrize(
    ("role", "kinds"),
    [
        ("auditor", {"product", "item", "location", "category", "supplier", "order", "person"}),
        ("employee", {"product", "item", "location", "category", "supplier", "order"}),
        ("", set()),
    ],
)
def test_only_what_one_may_see_is_found(things: dict[str, int], role: str, kinds: set[str]):
    with acting_as(factories.person("bob", *filter(None, [role]))):
        assert {one.kind for one in found("quay")} == kinds
        assert [one.kind for one in found(BARCODE)][:1] == (["product"] if kinds else [])


def test_without_the_stock_a_location_is_shown_in_its_tree(things: dict[str, int]):
    factories.role("lister", "products:view")
    with acting_as(factories.person("cat", "lister")):
        assert {one.kind: one.href for one in found("quay")}["location"] == "/locations"


def test_a_supplier_without_an_address_is_told_by_what_became_of_it(ann: Actor):
    factories.supplier("Quay A", city=None, country=None)
    factories.supplier("Quay B", city="Cork", country="Ireland")
    assert [one.meta for one in found("quay")] == ["Pending", "Cork, Ireland"]
