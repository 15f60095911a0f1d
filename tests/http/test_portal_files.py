"""The lists of the portal as files: what the page shows, of one's own company, on record, and nothing that runs."""

import csv
import io

import pytest

from inventory_app import people
from inventory_app.context import acting_as
from inventory_app.http import _requests as http
from inventory_app.http import portal_files as routes
from inventory_app.models.payments import Payment
from inventory_app.models.purchasing import PurchaseOrder, SupplierInvoice
from inventory_app.operations import portal
from inventory_app.unit_of_work import read
from tests.factories import arrange, location, person, supplier_person
from tests.http.test_orders import browser_of
from tests.operations.test_portal import change
from tests.papers import OURS, order_of, papers

KINDS = ("orders", "invoices", "payments")


@pytest.fixture(autouse=True)
def _fresh(database):
    people.forget_everybody()


@pytest.fixture
def acme(database):
    return papers("acme")


@pytest.fixture
def sue(acme):
    return supplier_person("sue", acme.supplier)


def browser(actor=None):
    return browser_of(routes.ROUTES, actor)


def rows_of(answer):
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def test_each_list_is_the_rows_of_its_page_and_nothing_of_others_or_ours(sue, trail):
    papers("zzother")
    client = browser(sue)
    known = {"orders": ("Order", portal.my_orders), "invoices": ("Number", portal.my_invoices)}
    known["payments"] = ("Payment", portal.my_payments)
    for kind in KINDS:
        answer = await client.get(f"/portal/{kind}.csv")
        rows = rows_of(answer)
        column, query = known[kind]
        with acting_as(sue):
            shown = read(query).rows
        assert [row[column] for row in rows] == [row.number for row in shown]
        assert rows
        assert answer.headers["content-disposition"] == f'attachment; filename="{kind}.csv"'
        assert "zzother" not in answer.text.casefold()
        assert OURS not in answer.text
    taken = trail.operations(name="portal.take_my_list", outcome="succeeded")
    assert [entry.actor_name for entry in taken] == ["sue"] * 3


async def test_a_search_narrows_the_page_and_its_file_in_the_same_way(acme, sue):
    place = location("DOCK-9").id
    arrange(lambda session: session.add(order_of(acme.supplier, place, "PO-2026-0777")))
    papers("zzother")
    searches = {
        portal.my_orders: {"0777": ["PO-2026-0777"], "po-ACME": ["PO-acme"], "zzother": [], "%": [], "_": []},
        portal.my_invoices: {"inv": ["INV-acme"], "po-acme": None, "draft": [], "zzother": []},
        portal.my_payments: {"acme ref": ["PAY-acme"], "zzother": [], "\0": []},
    }
    client = browser(sue)
    for query, asked in searches.items():
        kind = query.__name__.removeprefix("my_")
        for search, numbers in asked.items():
            with acting_as(sue):
                shown = [row.number for row in read(query, search=search).rows]
            if numbers is not None:
                assert shown == numbers, (kind, search)
            answer = await client.get(f"/portal/{kind}.csv", params={"q": search})
            assert [next(iter(row.values())) for row in rows_of(answer)] == shown
    with acting_as(sue):
        assert len(read(portal.my_orders, search="  po ").rows) == 2


async def test_a_cell_that_a_spreadsheet_would_run_is_a_text(acme, sue):
    change(SupplierInvoice, acme.invoice, number="=1+1")
    change(Payment, acme.payment, reference="@SUM(A1)")
    client = browser(sue)
    assert "'=1+1" in {row["Number"] for row in rows_of(await client.get("/portal/invoices.csv"))}
    assert rows_of(await client.get("/portal/payments.csv"))[0]["Reference"] == "'@SUM(A1)"


async def test_more_than_a_page_is_in_the_file(acme, sue, monkeypatch):
    monkeypatch.setattr("inventory_app.operations.portal_files._AT_ONCE", 2)
    place = location("DOCK-9").id
    arrange(lambda session: session.add_all(order_of(acme.supplier, place, f"PO-{n}") for n in range(6)))
    assert [row["Order"] for row in rows_of(await browser(sue).get("/portal/orders.csv"))] == [
        *(f"PO-{n}" for n in range(5, -1, -1)),
        "PO-acme",
    ]


async def test_nobody_else_gets_one_and_what_there_is_none_of_is_not_found(acme, sue, ann):
    change(PurchaseOrder, acme.order, status="approved", ordered_at=None)
    assert rows_of(await browser(sue).get("/portal/orders.csv")) == []
    assert (await browser(sue).get("/portal/suppliers.csv")).status_code == 404
    ours = await browser(ann).get("/portal/orders.csv")
    assert (ours.status_code, ours.headers["location"]) == (303, "/portal/orders")
    boss = await browser(person("ada", "admin")).get("/portal/orders.csv")
    assert "belongs to no supplier" in http.decode_flash(boss.cookies["flash"])["text"]
    ended = await browser(supplier_person("sam", acme.supplier, active=False)).get("/portal/orders.csv")
    assert "has been ended" in http.decode_flash(ended.cookies["flash"])["text"]
    assert (await browser().get("/portal/orders.csv")).headers["location"] == "/login?next=%2Fportal%2Forders"
    elsewhere = await browser(sue).get("/portal/orders.csv", headers={"sec-fetch-site": "cross-site"})
    assert elsewhere.status_code == 403
