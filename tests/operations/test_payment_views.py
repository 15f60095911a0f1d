"""What is shown of payments: lists, one payment, a batch, what is due, what is about to be paid; amounts to whom."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import NotAllowed, NotFound
from inventory_app.models._base import now
from inventory_app.operations import _chain, delegations, due_views, explain, payment_views
from inventory_app.operations._lists import View
from inventory_app.operations._payment_list import DUE, LIST
from inventory_app.unit_of_work import open_session, read, transact
from tests.factories import person, role, supplier
from tests.fixtures.database import forget_cached
from tests.operations.payables import (
    account,
    agree,
    batch,
    day,
    invoice,
    order,
    pay,
    pay_parts,
    payables,
    refused,
    void,
)

D = Decimal


@pytest.fixture
def acme(database):
    return payables()


@pytest.fixture
def boris(database):
    """Return somebody who sees payments, and no amounts."""
    role("blind", "payments:view", "payments:process", "invoices:view")
    return person("boris", "blind")


def seen(by, query, **arguments):
    with acting_as(by):
        return read(query, **arguments)


def listed(by, **filters):
    return seen(by, payment_views.list_payments, view=LIST.read(filters))


def due(by, **filters):
    return seen(by, due_views.list_due, view=DUE.read(filters))


# The list


def test_payments_are_listed_the_newest_first(acme):
    first = pay(acme.paula, acme.invoice_id, 10, reference="by hand", method="card")
    second = pay(acme.quinn, acme.invoice_id, 20)
    void(acme.paula, first.payment_id)
    found = listed(acme.quinn)
    assert [row.number for row in found.page.rows] == ["PAY-2026-0003", second.number, first.number]
    assert [row.word for row in found.page.rows] == ["Counter-entry", "Paid", "Taken back"]
    last = found.page.rows[-1]
    assert (last.supplier, last.method, last.reference, last.by, last.amount) == (
        "Acme",
        "Card",
        "by hand",
        "Paula",
        "10.00 USD",
    )
    assert (found.everything, found.counts) == (3, {"waiting": 0, "posted": 1})
    assert found.suppliers == [(str(acme.supplier_id), "Acme")]
    assert found.currencies == [("USD", "USD")]


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"q": "acm"}, 2),
        ({"q": "0001"}, 1),
        ({"q": "HAND"}, 1),
        ({"q": "nothing"}, 0),
        ({"status": "posted"}, 2),
        ({"status": "void"}, 0),
        ({"method": "card"}, 1),
        ({"supplier": "1"}, 2),
        ({"currency": "EUR"}, 0),
        ({"amount": "15.."}, 1),
    ],
)
def test_payments_are_narrowed_down(acme, asked, count):
    pay(acme.paula, acme.invoice_id, 10, reference="by hand", method="card")
    pay(acme.quinn, acme.invoice_id, 20)
    found = listed(acme.quinn, **asked)
    assert (found.count, len(found.page.rows)) == (count, count)


@pytest.mark.parametrize("column", [key for key, column in LIST.columns.items() if column.by is not None])
@pytest.mark.parametrize("way", ["", "desc"])
def test_payments_are_walked_through_in_every_order(acme, column, way):
    for amount in range(1, 8):
        pay(acme.paula, acme.invoice_id, amount, method="cash" if amount % 2 else "card")
    walked, cursor = [], ""
    for _ in range(10):
        view = replace(LIST.read({"sort": column, "dir": way}), size=3, cursor=cursor)
        page = seen(acme.quinn, payment_views.list_payments, view=view).page
        walked += [row.id for row in page.rows]
        cursor = page.after
        if not cursor:
            break
    assert sorted(walked) == list(range(1, 8))


@pytest.mark.parametrize("column", [key for key, column in DUE.columns.items() if column.by is not None])
def test_what_is_due_is_walked_through_in_every_order(acme, column):
    for number in range(2, 8):
        invoice(acme.supplier_id, number, f"R-{number}", due_on=day(number))
    walked, cursor = [], ""
    for _ in range(10):
        view = replace(DUE.read({"sort": column}), size=3, cursor=cursor)
        page = seen(acme.quinn, due_views.list_due, view=view).page
        walked += [row.id for row in page.rows]
        cursor = page.after
        if not cursor:
            break
    assert sorted(walked) == list(range(1, 8))


def test_amounts_are_for_who_may_see_them(acme, boris):
    made = pay(acme.paula, acme.invoice_id, 10)
    invoice(acme.supplier_id, 5, "R-2")
    found = listed(boris, sort="amount")
    assert (found.page.rows[0].amount, found.view.sort) == ("hidden", "number")
    assert "amount" not in found.view.columns
    one = seen(boris, payment_views.payment_detail, payment_id=made.payment_id)
    assert (one.row.amount, one.parts[0].amount, one.parts[0].of) == ("hidden", "hidden", "hidden")
    assert due(boris).page.rows[0].open == "hidden"
    assert seen(boris, due_views.invoice_to_pay, invoice_id=acme.invoice_id) is None
    assert "may not see" in seen(boris, due_views.preview_batch, invoice_ids=[acme.invoice_id]).fault


# One payment


def test_a_payment_shows_what_it_paid_and_where_it_went(acme):
    credit = invoice(acme.supplier_id, -30, "C-1")
    made = pay_parts(acme.paula, (acme.invoice_id, None), (credit.id, None), note="by phone")
    one = seen(acme.quinn, payment_views.payment_detail, payment_id=made.payment_id)
    assert (one.holder, one.iban, one.note) == ("Acme GmbH", "DE89 3704 0044 0532 0130 00", "by phone")
    assert [(part.number, part.kind, part.amount, part.of) for part in one.parts] == [
        ("R-1", "invoice", "100.00 USD", "100.00 USD"),
        ("C-1", "credit_note", "-30.00 USD", "-30.00 USD"),
    ]
    assert (one.rate, one.in_base, one.difference, one.can_void, one.approval_id) == ("", "", "", True, 0)
    done = void(acme.quinn, made.payment_id)
    one = seen(acme.quinn, payment_views.payment_detail, payment_id=made.payment_id)
    assert (one.other_id, one.other, one.reason, one.can_void) == (
        done.counter_id,
        done.counter_number,
        "Paid twice",
        False,
    )
    counter = seen(acme.quinn, payment_views.payment_detail, payment_id=done.counter_id)
    assert (counter.other, counter.row.word) == (made.number, "Counter-entry")
    assert seen(acme.quinn, payment_views.payment_detail, payment_id=999_999) is None


@pytest.mark.parametrize(("rate", "words"), [("1.2", "5.00 USD lost"), ("1", "5.00 USD gained"), ("1.1", "")])
def test_a_rate_that_has_changed_brings_or_takes_something(acme, rate, words):
    account(acme.supplier_id, "NO9386011117947", currency="EUR")
    euros = invoice(acme.supplier_id, 50, "R-2", currency="EUR", rate=D("1.1"))
    made = pay(acme.paula, euros.id, rate=D(rate))
    one = seen(acme.quinn, payment_views.payment_detail, payment_id=made.payment_id)
    assert (one.difference, one.parts[0].difference) == (words, words)
    assert one.rate == f"1 EUR = {rate} USD"
    assert one.in_base == f"{50 * D(rate):.2f} USD"


def test_what_waits_names_its_request(acme, monkeypatch):
    monkeypatch.setenv("INVENTORY_PAYMENT_APPROVAL_AMOUNT", "0")
    forget_cached()
    made = pay(acme.paula, acme.invoice_id, method="cash")
    one = seen(acme.quinn, payment_views.payment_detail, payment_id=made.payment_id)
    assert (one.approval_id > 0, one.posted, one.iban, one.row.word) == (True, "", "", "Waiting")
    assert due(acme.quinn).page.rows[0].waits
    agree(acme.quinn)
    assert seen(acme.quinn, payment_views.payment_detail, payment_id=made.payment_id).posted


# A batch


def test_a_batch_shows_its_payments_and_whether_there_is_a_file(acme, monkeypatch):
    made = batch(acme.paula, acme.invoice_id)
    one = seen(acme.quinn, payment_views.batch_detail, batch_id=made.batch_id)
    assert (one.number, one.word, one.total, one.by, one.sha256, one.fetched) == (
        made.number, "Paid", "100.00 USD", "Paula", "", "",
    )  # fmt: skip
    assert [(row.supplier, row.batch) for row in one.rows] == [("Acme", made.number)]
    assert (one.has_file, one.has_sepa) == (True, False)
    void(acme.quinn, one.rows[0].id)
    assert not seen(acme.quinn, payment_views.batch_detail, batch_id=made.batch_id).has_file
    assert seen(acme.quinn, payment_views.batch_detail, batch_id=999_999) is None


# What is due


def test_what_is_due_is_listed_by_day(acme):
    late = invoice(acme.supplier_id, 5, "R-2", due_on=day(-12))
    invoice(acme.supplier_id, 5, "R-3", due_on=day(-1))
    invoice(acme.supplier_id, 5, "R-4", due_on=day(20))
    invoice(acme.supplier_id, 5, "R-5", due_on=day(50))
    invoice(acme.supplier_id, 5, "R-6", status="blocked")
    invoice(acme.supplier_id, 5, "R-7", paid=5)
    found = due(acme.quinn)
    assert [row.number for row in found.page.rows] == ["R-2", "R-3", "R-1", "R-4", "R-5"]
    assert [row.late for row in found.page.rows[:3]] == ["12 days late", "1 day late", ""]
    assert (found.everything, found.counts) == (5, {"overdue": 2, "week": 3, "month": 4})
    pay(acme.paula, late.id, 2)
    assert due(acme.quinn, when="overdue").page.rows[0].open == "3.00 USD"
    assert due(acme.quinn, q="r-4").count == due(acme.quinn, open="50..").count == 1
    assert due(acme.quinn, supplier="999", currency="USD").count == 0


# What is about to be paid


def test_the_form_begins_with_what_is_open(acme):
    invoice(acme.supplier_id, -30, "C-1")
    invoice(acme.supplier_id, -30, "C-2", paid=-10)
    invoice(acme.supplier_id, -30, "C-3", status="blocked")
    pay(acme.paula, acme.invoice_id, 10)
    one = seen(acme.quinn, due_views.invoice_to_pay, invoice_id=acme.invoice_id)
    assert (one.open, one.amount, one.currency, one.rate) == ("90.00 USD", "90.00", "USD", "")
    assert one.accounts == [(str(acme.account_id), "Acme GmbH, DE89 3704 0044 0532 0130 00")]
    assert [(number, left) for _, number, left in one.credits] == [("C-1", "30.00 USD"), ("C-2", "20.00 USD")]
    assert (one.why_not, one.who_can) == ("", "")
    euros = invoice(supplier("Beta").id, 5, currency="EUR", rate=D("1.1"))
    other = seen(acme.quinn, due_views.invoice_to_pay, invoice_id=euros.id)
    assert (other.accounts, other.account_id, other.rate, other.base) == ([], "", "1.1", "USD")
    assert seen(acme.quinn, due_views.invoice_to_pay, invoice_id=999_999) is None


def test_a_credit_note_that_waits_is_not_offered(acme, monkeypatch):
    monkeypatch.setenv("INVENTORY_PAYMENT_APPROVAL_AMOUNT", "0")
    forget_cached()
    credit = invoice(acme.supplier_id, -30, "C-1")
    pay_parts(acme.paula, (acme.invoice_id, 50), (credit.id, None))
    assert seen(acme.quinn, due_views.invoice_to_pay, invoice_id=acme.invoice_id).credits == []


def test_who_may_not_pay_reads_why_and_who_can(acme):
    mine = invoice(acme.supplier_id, 5, "R-2", recorded_by=acme.paula.id)
    one = seen(acme.paula, due_views.invoice_to_pay, invoice_id=mine.id)
    assert (one.why_not, one.who_can) == ("You recorded the invoice R-2, so somebody else must pay.", "Quinn can.")


def test_nobody_else_may_be_left(acme):
    mine = invoice(acme.supplier_id, 5, "R-2", recorded_by=acme.paula.id)
    with acting_as(acme.paula):
        away = {"starts_at": now(), "ends_at": now() + timedelta(days=1)}
        transact(delegations.delegate, deputy="quinn", permissions=["payments:approve"], **away)
    one = seen(acme.paula, due_views.invoice_to_pay, invoice_id=mine.id)
    assert one.who_can == "Nobody else may pay it now."
    stands_in = "You stand in for Paula, who recorded the invoice R-2, so somebody else must pay."
    assert str(refused(pay, acme.quinn, mine.id)) == stands_in
    assert pay(acme.quinn, acme.invoice_id).amount == "100.00"


def test_a_batch_is_shown_before_it_is_made(acme):
    beta, gamma = supplier("Beta").id or 0, supplier("Gamma").id or 0
    account(beta)
    bare, even = invoice(gamma, 5, "G-1"), invoice(beta, 5, "B-1")
    credit, settled = invoice(beta, -5, "B-2"), invoice(beta, 5, "B-3", paid=5)
    own = invoice(acme.supplier_id, 7, "R-2", recorded_by=acme.quinn.id)

    def preview(*ids):
        return seen(acme.quinn, due_views.preview_batch, invoice_ids=list(ids))

    fine = preview(acme.invoice_id, even.id)
    assert [(row.supplier, row.invoices, row.amount, row.fault) for row in fine.rows] == [
        ("Acme", "R-1", "100.00 USD", ""),
        ("Beta", "B-1", "5.00 USD", ""),
    ]
    assert (fine.total, fine.rate, fine.waits, fine.fault) == ("105.00 USD", "", False, "")
    assert "no released bank account" in preview(bare.id).rows[0].fault
    assert "Settle them by themselves" in preview(even.id, credit.id).rows[0].fault
    assert "paid or waits already" in preview(settled.id).rows[0].fault
    assert "You recorded the invoice R-2" in preview(own.id).rows[0].fault
    assert preview().fault == "Choose an invoice to pay."
    euros = invoice(beta, 20_000, "B-4", currency="EUR", rate=D("1.1"))
    assert "EUR and USD" in preview(acme.invoice_id, euros.id).fault
    assert (preview(euros.id).rate, preview(euros.id).waits) == ("1.1", True)


# Why can't they pay this?


def test_it_is_explained_why_somebody_cannot_pay_an_invoice(acme, ada, boris):
    ben = person("ben", "admin")
    mine = invoice(acme.supplier_id, 5, "R-2", order_id=order(acme.supplier_id, ben).id)
    asked = {"permission": "payments:process", "invoice_id": mine.id}
    answer = seen(ada, explain.why_not, user_id=ben.id, **asked)
    assert answer.why == ["Ben would read: “You created the order PO-2026-0001, so somebody else must pay.”"]
    assert seen(ada, explain.why_not, user_id=acme.paula.id, **asked).can
    assert "There is no such supplier" in str(
        refused(seen, ada, explain.why_nobody, permission="suppliers:approve", supplier_id=999_999)
    )
    bare = invoice(supplier("Gamma").id, 5, "G-1")
    assert seen(ada, explain.why_not, user_id=acme.paula.id, permission="payments:process", invoice_id=bare.id).can
    other = seen(ada, explain.why_not, user_id=ben.id, permission="payments:view", invoice_id=mine.id)
    assert other.can
    names = {one.name: one.can for one in seen(ada, explain.why_nobody, **asked)}
    assert (names["Ben"], names["Quinn"]) == (False, True)
    assert seen(boris, explain.invoice_name, invoice_id=mine.id) == "R-2"
    assert seen(boris, explain.invoice_name, invoice_id=999_999) == ""
    assert isinstance(refused(seen, ada, explain.why_nobody, **(asked | {"invoice_id": 999_999})), NotFound)
    role("asker", "roles:view")
    assert isinstance(refused(seen, person("asger", "asker"), explain.why_nobody, **asked), NotAllowed)


def test_what_needs_a_person_is_told_to_whoever_is_none(acme):
    with open_session() as session:
        assert "needs a person" in str(_chain.why_not_pay(session, [acme.invoice_id], None))


def test_an_empty_list_is_a_list(acme):
    assert seen(acme.quinn, payment_views.list_payments, view=View()).page.rows == []


def test_all_that_match_are_found_over_every_page(acme):
    second = invoice(acme.supplier_id, 5, "R-2", due_on=day(-3))
    ids = seen(acme.quinn, due_views.matching_due, view=View(), most=10)
    assert sorted(ids) == [acme.invoice_id, second.id]
    overdue = View(filters={"when": "overdue"})
    assert seen(acme.quinn, due_views.matching_due, view=overdue, most=10) == [second.id]
