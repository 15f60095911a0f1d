"""Orders as they are listed, shown, written in the form and printed; amounts only for who may see them."""

from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from inventory_app.context import acting_as
from inventory_app.errors import Conflict, NotAllowed, NotFound, Stale
from inventory_app.models._base import now
from inventory_app.models.purchasing import GoodsReceipt, GoodsReceiptLine, SupplierInvoice
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import orders, portal
from inventory_app.operations._lists import View
from inventory_app.operations._order_list import LIST
from inventory_app.operations.home import home
from inventory_app.unit_of_work import read, transact
from tests.factories import add, arrange, person, role, supplier, supplier_person
from tests.operations.buying import (
    change,
    known,
    lines,
    market,
    ordered,
    receive,
    shown,
    step,
    tea,
    terms,
    words,
    write,
)


@pytest.fixture
def shop(database):
    return market(city="Leeds", postal_code="LS1", contact_name="Carol", delivery_terms="DAP Leeds", address="Quay 1")


@pytest.fixture(autouse=True)
def as_ann(ann):
    """Let Ann do it."""
    with acting_as(ann):
        yield ann


def listed(**how):
    return read(orders.list_orders, view=View(**how))


def today(days=0):
    return now().date() + timedelta(days=days)


# The list


def test_the_list_has_its_tabs_filters_and_orders(shop):
    first = write(shop).order_id
    second = ordered(shop, None, tea(shop, 48))
    third = ordered(shop, None, words())
    receive(second, 12)
    change(second, expected_on=today(-1))
    change(third, expected_on=today(3), override_reason="sample")
    found = listed()
    assert [row.id for row in found.page.rows] == [third, second, first]
    assert (found.everything, found.count) == (3, 3)
    assert found.counts == {
        "draft": 1,
        "submitted": 0,
        "approved": 0,
        "under_way": 2,
        "received": 0,
        "closed": 0,
        "cancelled": 0,
    }
    assert found.suppliers == [(str(shop.supplier), "Acme")]
    assert (str(shop.place), "Dry hall") in found.locations
    newest, late, draft = found.page.rows
    assert (late.status, late.late, late.total, late.override) == ("Partly received", True, "120.00 USD", False)
    assert (newest.late, newest.override, newest.called) == (False, True, known(third).number)
    assert (draft.called, draft.supplier, draft.by, draft.href) == ("Draft", "Acme", "Ann", f"/orders/{first}")

    def ids(**filters):
        return [row.id for row in listed(filters=filters).page.rows]

    assert ids(status="under_way") == [third, second]
    assert ids(due="late") == [second]
    assert ids(due="week") == [third]
    assert ids(override="yes") == [third]
    assert ids(supplier=str(shop.supplier), location=str(shop.place), total="100..") == [second]
    assert [row.id for row in listed(search="acm").page.rows] == [third, second, first]
    assert [row.id for row in listed(search=(known(third).number or "").lower()).page.rows] == [third]
    assert listed(search="nothing").page.rows == []
    for key, column in LIST.columns.items():
        if column.by is not None:
            for down in (False, True):
                assert {row.id for row in listed(sort=key, descending=down).page.rows} == {first, second, third}


def promise(order_id, by, on):
    with acting_as(by):
        transact(portal.confirm_delivery, order_id=order_id, on=on, version=known(order_id).version)


def test_what_the_supplier_promised_is_shown_and_said_when_it_is_later_than_wanted(shop):
    sue = supplier_person("sue", shop.supplier)
    made = {name: ordered(shop, None) for name in ("later", "in time", "nothing")}
    promise(made["later"], sue, today(4))
    promise(made["later"], sue, today(8))
    promise(made["in time"], sue, today(5))
    late, kept, silent = (shown(made[name]) for name in ("later", "in time", "nothing"))
    assert (late.promised, late.promised_later) == ("3 days later than wanted", True)
    assert (known(made["later"]).wanted_on, known(made["later"]).expected_on) == (today(5), today(8))
    assert f"{today(8):%a %-d %b}" in late.promise
    assert late.promise.endswith(f"{today(5):%a %-d %b} was wanted.")
    assert late.promise.startswith("Sue")
    assert (kept.promised, kept.promised_later, kept.promise.endswith(f"{today():%Y}.")) == ("as wanted", False, True)
    assert (silent.promised, silent.promised_later, silent.promise) == ("", False, "")
    rows = {row.id: (row.promised, row.promised_later) for row in listed().page.rows}
    assert rows[made["later"]] == ("3 days later than wanted", True)
    for asked, name in (("later", "later"), ("kept", "in time"), ("none", "nothing")):
        assert [row.id for row in listed(filters={"promise": asked}).page.rows] == [made[name]], asked


def test_a_promise_where_no_day_was_wanted_is_in_time(shop):
    made = ordered(shop, None)
    change(made, expected_on=None)
    promise(made, supplier_person("sue", shop.supplier), today(9))
    assert (shown(made).promised, known(made).wanted_on) == ("as wanted", None)
    promise(made, supplier_person("sam", shop.supplier), today(10))
    assert shown(made).promised == "as wanted"


def test_a_day_of_another_year_names_it(shop):
    order_id = ordered(shop, None)
    change(order_id, expected_on=today().replace(month=1, day=1) - timedelta(days=1))
    assert listed().page.rows[0].expected.endswith(str(today().year - 1))


def test_amounts_are_listed_only_for_who_may_see_them(shop):
    write(shop)
    with acting_as(person("emma", "employee")):
        found = listed(sort="total", filters={"total": "1000.."})
        assert [row.total for row in found.page.rows] == [""]
        assert "total" not in found.view.columns


def test_the_start_page_says_what_is_due(shop, bob):
    assert (read(home).due, read(home).orders_due) == ([], 0)
    late, soon, later = (ordered(shop, None) for _ in range(3))
    for order_id, days in ((late, -2), (soon, 7), (later, 8)):
        change(order_id, expected_on=today(days))
    found = read(home)
    assert ([row.id for row in found.due], found.orders_due) == ([late, soon], 2)
    with acting_as(bob):
        assert read(home).due == []


# One order


def test_it_shows_its_lines_its_papers_and_what_is_still_to_come(shop, ann):
    order_id = ordered(shop, None, tea(shop, 48, tax_percent=Decimal(20)), words(quantity=2))
    receive(order_id, 12)
    change(order_id, expected_on=today(-1), note="for us", message="for them")
    arrange(lambda s: s.execute(sa.text("UPDATE purchase_order_line SET expected_on = current_date - 1")))
    receipt = add(
        GoodsReceipt(number="GR-1", order_id=order_id, location_id=shop.place, recorded_by=ann.id, kind="receipt")
    )
    add(
        GoodsReceiptLine(
            receipt_id=receipt.id,
            position=1,
            order_line_id=lines(order_id)[0].id,
            quantity=Decimal(12),
            unit_cost=Decimal("2.5"),
        )
    )
    add(GoodsReceipt(number="GR-2", order_id=order_id, location_id=shop.place, kind="return"))
    money = {"net": Decimal(30), "tax": Decimal(6), "gross": Decimal(36)}
    days = {"invoice_date": today(), "due_on": today(30)}
    add(SupplierInvoice(supplier_id=shop.supplier, number="R-7", order_id=order_id, currency="USD", **money, **days))
    found = shown(order_id)
    assert (found.late, found.note, found.message, found.supplier_href) == (
        True,
        "for us",
        "for them",
        f"/suppliers/{shop.supplier}",
    )
    assert (found.total, found.tax, found.gross) == ("280.00 USD", "24.00 USD", "304.00 USD")
    assert (found.rule, found.still_to_come) == ("nobody has to agree to this amount", "2 lines")
    first, second = found.lines
    assert (first.quantity, first.unit, first.packs, first.received, first.waiting) == (
        "48",
        "pcs",
        "4 box of 12 pcs",
        "12",
        "36",
    )
    assert (first.unit_cost, first.amount, first.tax, first.late, first.described) == (
        "2.50",
        "120.00",
        "20 %",
        True,
        "",
    )
    assert (second.sku, second.href, second.packs, second.tax, second.described) == ("", "", "", "", "Repair")
    assert [(one.number, one.what, one.end) for one in found.receipts] == [
        ("GR-1", "Ann", "1 line came"),
        ("GR-2", "", "0 lines went back"),
    ]
    assert [(one.number, one.end) for one in found.invoices] == [("R-7", "36.00 USD, blocked")]
    assert [(one.label, one.state, one.note) for one in found.steps][3:] == [
        ("Ordered", "done", ""),
        ("Partly received", "now", "0 of 2 lines complete"),
        ("Closed", "next", ""),
    ]
    role("clerk", "orders:view", "invoices:view")
    with acting_as(person("cara", "clerk")):
        assert [one.end for one in shown(order_id).invoices] == ["blocked"]


def test_the_steps_to_come_say_when_it_is_due(shop):
    found = shown(write(shop).order_id)
    assert [one.state for one in found.steps] == ["now", *["next"] * 5]
    assert found.steps[4].note == f"due {found.expected}"
    assert shown(write(shop, words()).order_id).steps[4].note == ""


def test_it_says_who_has_to_agree_and_who_did(shop):
    order_id = write(shop, words(cost="2000")).order_id
    assert shown(order_id).rule == "1 person has to agree to this amount"
    assert shown(write(shop, words(cost="20000")).order_id).rule == "2 people have to agree to this amount"
    step(orders.submit_order, order_id)
    found = shown(order_id)
    assert (found.rule, found.can_agree) == ("0 of 1 needed", "")
    assert found.doing.approve == "You created this order, so somebody else must approve it."
    with acting_as(person("nancy", "manager")):
        step(orders.approve_order, order_id, reason="fine")
    found = shown(order_id)
    assert [(one.name, one.did, one.reason) for one in found.agreed] == [
        ("Ann", "created it", ""),
        ("Nancy", "approved", "fine"),
    ]
    assert (found.rule, found.steps[2].by, found.steps[2].note) == ("1 of 1 needed", "", "Nancy")
    step(orders.revise_order, order_id)
    step(orders.submit_order, order_id)
    with acting_as(person("otto", "manager")):
        step(orders.reject_order, order_id, reason="too dear")
    assert shown(order_id).agreed[-1].did == "rejected"


def test_an_order_that_is_none_shows_nothing(shop):
    assert read(orders.order_detail, order_id=999) is None
    assert read(orders.order_form, order_id=999) is None


def test_a_foreign_order_says_its_rate_and_whom_it_was_let_to(shop):
    made = write(shop, currency="EUR", rate=Decimal("1.25"))
    found = shown(made.order_id)
    assert (found.rate, found.currency, found.base) == ("1.25", "EUR", "USD")
    assert found.supplier_fault == ""
    arrange(lambda s: setattr(s.get_one(Supplier, shop.supplier), "status", "suspended"))
    assert "suspended" in shown(made.order_id).supplier_fault


def test_nothing_is_waited_for_when_all_of_it_was_given_up_or_came(shop):
    order_id = ordered(shop, None)
    receive(order_id, 24)
    assert shown(order_id).still_to_come == ""


# The form


def test_the_form_offers_suppliers_places_and_what_the_supplier_sells(shop):
    other = supplier("Beta").id or 0
    supplier("Gone", status="rejected")
    found = read(orders.order_form)
    assert found.suppliers == [(str(shop.supplier), "Acme"), (str(other), "Beta (pending)")]
    assert (str(shop.place), "Dry hall") in found.locations
    assert (found.products, found.payment_days) == ([], "")
    found = read(orders.order_form, supplier_id=shop.supplier)
    assert (found.products, found.payment_days, found.currency) == ([("TEA", "Tea")], "30", "USD")
    assert found.supplier_fault == ""
    assert "waits for a decision" in read(orders.order_form, supplier_id=other).supplier_fault


def test_the_form_of_a_draft_begins_with_what_stands_on_it(shop):
    made = write(shop, tea(shop), currency="EUR", rate=Decimal(2), note="n", message="m", expected_on=today(4))
    found = read(orders.order_form, order_id=made.order_id)
    assert found.head == {
        "supplier_id": str(shop.supplier),
        "location_id": str(shop.place),
        "currency": "EUR",
        "rate": "2",
        "expected_on": today(4).isoformat(),
        "payment_days": "30",
        "note": "n",
        "message": "m",
    }
    (line,) = found.lines
    assert (line.sku, line.typed_quantity, line.typed_cost, line.typed_tax) == ("TEA", "24", "1.25", "0")
    assert (found.version, found.why_not) == (1, "")
    step(orders.submit_order, made.order_id)
    assert "has been submitted" in read(orders.order_form, order_id=made.order_id).why_not
    plain = write(shop)
    arrange(lambda s: s.execute(sa.text("UPDATE purchase_order SET payment_days = NULL, expected_on = NULL")))
    head = read(orders.order_form, order_id=plain.order_id).head
    assert (head["rate"], head["payment_days"], head["expected_on"]) == ("", "", "")


def test_what_is_typed_is_told_with_its_terms(shop):
    def told(text):
        return read(orders.look_up_product, supplier_id=shop.supplier, text=text)

    assert told("tea") == "Tea · 2.50 USD per pcs · box of 12 pcs · at least 24"
    assert told("4006381-333931") == "Nuts, in pcs; no terms are agreed"
    assert told("nothing\0") == ""
    terms(shop.supplier, shop.nuts, purchase_unit="", minimum_quantity=Decimal(0))
    role("buyer", "orders:create")
    with acting_as(person("bea", "buyer")):
        assert told("nuts") == "Nuts · packs of 12 pcs"


# The paper


def test_an_approved_order_is_printed_with_everything_the_supplier_needs(shop):
    made = write(shop, tea(shop, 36, tax_percent=Decimal(20)), words(), message="Before noon")
    with pytest.raises(Conflict, match="is not approved, so there is nothing to send yet"):
        read(orders.order_paper, order_id=made.order_id)
    step(orders.submit_order, made.order_id)
    found = read(orders.order_paper, order_id=made.order_id)
    assert found.supplier == ("Acme", "Carol", "Quay 1", "LS1 Leeds")
    told = dict(found.facts)
    assert (told["Order"], told["Deliver to"], told["Payment"], told["Delivery terms"]) == (
        known(made.order_id).number,
        "Dry hall",
        "30 days after the invoice",
        "DAP Leeds",
    )
    assert (found.message, found.cancelled) == ("Before noon", False)
    first, second = found.lines
    assert (first.quantity, first.packs, first.theirs, first.amount) == ("36 pcs", "3 box", "T-1", "90.00")
    assert (second.quantity, second.packs, second.expected) == ("1", "", "")
    assert found.sums == (("Net", "170.00 USD"), ("Tax", "18.00 USD"), ("Total", "188.00 USD"))
    step(orders.cancel_order, made.order_id, reason="not needed")
    assert read(orders.order_paper, order_id=made.order_id).cancelled


def test_an_order_without_tax_days_or_terms_prints_none_of_them(shop):
    order_id = ordered(shop, None, words())
    arrange(lambda s: s.execute(sa.text("UPDATE supplier SET delivery_terms = NULL")))
    change(order_id, payment_days=None)
    found = read(orders.order_paper, order_id=order_id)
    assert [label for label, _ in found.facts] == ["Order", "Date", "Deliver to"]
    assert found.sums == (("Total", "80.00 USD"),)


def test_only_who_sees_costs_takes_the_paper_and_only_of_what_it_is_now(shop, trail):
    order_id = ordered(shop, None)
    version = known(order_id).version
    with acting_as(person("emma", "employee")):
        with pytest.raises(NotAllowed, match="Costs stand on it"):
            read(orders.order_paper, order_id=order_id)
        with pytest.raises(NotAllowed):
            transact(orders.take_paper, order_id=order_id, version=version, what="x")
    with pytest.raises(NotFound):
        read(orders.order_paper, order_id=999)
    for wrong in ({"order_id": 999, "version": 1}, {"order_id": order_id, "version": version + 1}):
        with pytest.raises(Stale):
            transact(orders.take_paper, **wrong, what="x")
    transact(orders.take_paper, order_id=order_id, version=version, what="PO as PDF, sha256 0")
    assert trail.last().reason == "PO as PDF, sha256 0"
