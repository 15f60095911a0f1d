"""The supplier portal: one's own papers, in plain words; what may be said about them, and when."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlmodel import select

from inventory_app.context import acting_as, system_actor
from inventory_app.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval
from inventory_app.models.payments import Payment
from inventory_app.models.purchasing import GoodsReceipt, PurchaseOrder, PurchaseOrderLine, SupplierInvoice
from inventory_app.models.suppliers import Supplier, SupplierUser
from inventory_app.operations import _portal_words as words
from inventory_app.operations import approvals, portal
from inventory_app.operations._portal_glance import Figure
from inventory_app.unit_of_work import read, transact
from tests.factories import add, arrange, person, supplier, supplier_person
from tests.fixtures.seeing import Side, after, wait_until_blocked
from tests.papers import OURS, order_of, papers

SOON = now().date() + timedelta(days=10)
LATER = SOON + timedelta(days=5)


@pytest.fixture
def acme(database):
    return papers("acme")


@pytest.fixture
def sue(acme):
    return supplier_person("sue", acme.supplier)


def change(model, ident, **columns):
    def build(session):
        row = session.get_one(model, ident)
        for name, value in columns.items():
            setattr(row, name, value)

    arrange(build)


def found(model, ident):
    def build(session):
        row = session.get_one(model, ident)
        session.expunge(row)
        return row

    return arrange(build)


def asked_by(actor, query, **arguments):
    with acting_as(actor):
        return read(query, **arguments)


def done_by(actor, operation, **arguments):
    with acting_as(actor):
        return transact(operation, **arguments)


def test_an_order_with_its_lines_receipts_and_invoices_is_theirs_to_read(acme, sue):
    (row,) = asked_by(sue, portal.my_orders).rows
    assert (row.number, row.total, row.ordered, row.expected) == ("PO-acme", "100.00 EUR", "2 Mar 2026", "1 Apr 2026")
    order = asked_by(sue, portal.my_order, order_id=acme.order)
    assert order is not None
    assert (order.message, order.deliver_to, order.payment) == ("acme message", "Dock", "30 days after the invoice")
    (line,) = order.lines
    assert (line.quantity, line.cost, line.sum) == ("10 pcs", "10.00 EUR", "100.00 EUR")
    assert line.delivered == "4, 1 not wanted any more"
    (receipt,) = order.receipts
    assert (receipt.title, receipt.lines) == ("Arrived · acme delivery", [portal.ReceiptLine("acme bolts", "4")])
    (invoice,) = order.invoices
    assert (invoice.number, invoice.order_number, invoice.open) == ("INV-acme", "PO-acme", "60.00 EUR")


def test_the_first_page_says_where_things_stand(acme, sue):
    papers("other")
    glance = asked_by(sue, portal.my_company).glance
    assert glance.orders == Figure("1", "1 to be confirmed by you")
    # What waits for us does not count as paid.
    assert glance.owed == Figure("160.00 EUR", "2 invoices are open, 1 being checked")
    assert glance.paid == Figure("40.00 EUR", "20 Mar 2026, PAY-acme")


def test_the_first_page_follows_what_happens(acme, sue):
    done_by(sue, portal.confirm_delivery, order_id=acme.order, on=LATER, version=1)
    change(SupplierInvoice, acme.blocked, status="void", void_reason="x")
    change(Payment, acme.payment, status="void", void_reason="x")
    glance = asked_by(sue, portal.my_company).glance
    assert glance.orders == Figure("1", f"the next by {LATER:%-d %b %Y}")
    assert glance.owed == Figure("60.00 EUR", "1 invoice is open")
    assert glance.paid == Figure("–", "nothing was paid yet")


def test_a_supplier_of_whom_nothing_was_ordered_sees_zeros(database):
    ann = supplier_person("ann", supplier("Fresh", currency="EUR").id)
    glance = asked_by(ann, portal.my_company).glance
    assert [glance.orders.meaning, glance.owed.figure, glance.paid.figure] == ["we wait for nothing", "0.00 EUR", "–"]


def test_nothing_of_ours_and_nothing_of_others_goes_out(acme, sue):
    papers("other")
    seen = [
        asked_by(sue, portal.my_company),
        asked_by(sue, portal.my_orders),
        asked_by(sue, portal.my_order, order_id=acme.order),
        asked_by(sue, portal.my_invoices),
        asked_by(sue, portal.my_payments),
    ]
    told = repr(seen)
    assert "acme" in told
    for word in (OURS, "other", "Other", "11.5", "77.77"):
        assert word not in told, word


def test_what_is_not_theirs_and_what_is_not_there_are_the_same(acme, sue):
    other = papers("other")
    for ident in (other.order, acme.draft, other.draft, 999_999):
        assert asked_by(sue, portal.my_order, order_id=ident) is None
        with pytest.raises(NotFound) as refused:
            done_by(sue, portal.confirm_delivery, order_id=ident, on=SOON, version=1)
        assert str(refused.value) == "There is no such order (any more). Reload the page."


@pytest.mark.parametrize("status", ["draft", "submitted", "approved", "cancelled"])
def test_orders_that_were_never_sent_are_not_shown(acme, sue, status):
    change(PurchaseOrder, acme.order, status=status, ordered_at=None)
    assert asked_by(sue, portal.my_orders).rows == []
    (row, _) = sorted(asked_by(sue, portal.my_invoices).rows, key=lambda one: one.number, reverse=True)
    assert (row.number, row.order_number, row.order_id) == ("INV-acme", "", 0)


def test_a_cancelled_order_that_was_sent_says_so(acme, sue):
    change(PurchaseOrder, acme.order, status="cancelled", cancel_reason=f"{OURS} why")
    order = asked_by(sue, portal.my_order, order_id=acme.order)
    assert order is not None
    assert (order.stands.word, order.why_not) == ("Cancelled", "Nothing more is to be delivered.")
    with pytest.raises(Conflict, match="Nothing more"):
        done_by(sue, portal.confirm_delivery, order_id=acme.order, on=SOON, version=1)


def test_lists_go_on_page_by_page(acme, sue):
    place = arrange(lambda s: s.get_one(PurchaseOrder, acme.order).location_id)
    for number in range(60):
        add(order_of(acme.supplier, place, f"PO-{number}"))
    first = asked_by(sue, portal.my_orders)
    second = asked_by(sue, portal.my_orders, cursor=first.after)
    assert (len(first.rows), len(second.rows), second.after) == (50, 11, "")


def test_somebody_who_works_for_no_supplier_has_no_portal(ada, database):
    for query in (portal.my_company, portal.my_orders, portal.my_invoices, portal.my_payments):
        with pytest.raises(NotAllowed, match="belongs to no supplier"):
            asked_by(ada, query)
    with pytest.raises(NotAllowed, match="belongs to no supplier"):
        done_by(system_actor("night"), portal.withdraw_correction)


def test_access_that_was_ended_shows_nothing_from_the_next_question_on(acme, sue):
    assert asked_by(sue, portal.my_orders).rows
    change(SupplierUser, sue.id, active=False)
    for query in (portal.my_company, portal.my_orders, portal.my_invoices, portal.my_payments):
        with pytest.raises(NotAllowed, match="has been ended"):
            asked_by(sue, query)
    with pytest.raises(NotAllowed, match="has been ended"):
        done_by(sue, portal.confirm_delivery, order_id=acme.order, on=SOON, version=1)


@pytest.mark.parametrize("status", ["suspended", "rejected"])
def test_a_closed_supplier_reads_everything_and_changes_nothing(acme, sue, status):
    change(Supplier, acme.supplier, status=status)
    company = asked_by(sue, portal.my_company)
    assert company.why_not == f"Acme is {status}: you can look at everything and change nothing."
    assert OURS not in repr(company)
    order = asked_by(sue, portal.my_order, order_id=acme.order)
    assert order is not None
    assert order.why_not == company.why_not
    for operation, arguments in (
        (portal.confirm_delivery, {"order_id": acme.order, "on": SOON, "version": 1}),
        (portal.propose_correction, {"email": "new@acme.com"}),
        (portal.withdraw_correction, {}),
    ):
        with pytest.raises(Conflict, match="change nothing"):
            done_by(sue, operation, **arguments)


# Promising a delivery


def test_a_promised_day_is_when_the_order_is_expected_and_on_record(acme, sue, trail):
    assert done_by(sue, portal.confirm_delivery, order_id=acme.order, on=SOON, version=1) == "PO-acme"
    kept = found(PurchaseOrder, acme.order)
    assert (kept.confirmed_on, kept.expected_on, kept.confirmed_by, kept.version) == (SOON, SOON, sue.id, 2)
    order = asked_by(sue, portal.my_order, order_id=acme.order)
    assert order is not None
    assert order.stands.word == "Confirmed"
    assert trail.last(name="portal.confirm_delivery").actor_name == "sue"
    # They may be late, and say so.
    done_by(sue, portal.confirm_delivery, order_id=acme.order, on=LATER, version=2)
    assert found(PurchaseOrder, acme.order).expected_on == LATER
    with pytest.raises(Invalid) as refused:
        done_by(sue, portal.confirm_delivery, order_id=acme.order, on=LATER, version=3)
    assert "already" in refused.value.fields["on"]


@pytest.mark.parametrize("days", [-1, 731])
def test_a_day_is_neither_over_nor_years_ahead(acme, sue, days):
    with pytest.raises(Invalid) as refused:
        done_by(sue, portal.confirm_delivery, order_id=acme.order, on=now().date() + timedelta(days=days), version=1)
    assert refused.value.fields == {"on": "Enter a day from today on, at most two years ahead."}


def test_who_read_an_older_order_looks_again(acme, sue):
    with pytest.raises(Stale):
        done_by(sue, portal.confirm_delivery, order_id=acme.order, on=SOON, version=7)


def test_a_promise_waits_for_whoever_cancels_and_comes_too_late(acme, sue, observer):
    def cancel():
        change(PurchaseOrder, acme.order, status="cancelled")

    def promise():
        return done_by(sue, portal.confirm_delivery, order_id=acme.order, on=SOON, version=1)

    with Side(cancel, until=after("UPDATE purchase_order")) as one, Side(promise) as other:
        pid = one.reaches_its_point()
        wait_until_blocked(observer, pid)
        one.go_on()
        one.result()
        assert isinstance(other.error(), Conflict)


# Correcting one's own data

NEW = {"email": "new@acme.com", "phone": "+45 43 84 41 08", "city": "Oslo"}


def test_a_correction_changes_nothing_until_somebody_of_us_agrees(acme, sue, ann):
    done_by(sue, portal.propose_correction, **NEW)
    assert found(Supplier, acme.supplier).email == "acme@example.com"
    company = asked_by(sue, portal.my_company)
    assert company.own_proposal
    assert "waits to be looked at" in company.why_not
    assert portal.Pair("E-mail", "acme@example.com", "new@acme.com") in company.waiting
    (row,) = asked_by(ann, approvals.waiting_for_me).rows
    detail = asked_by(ann, approvals.approval_detail, approval_id=row.id)
    assert detail is not None
    assert "acme@example.com → new@acme.com" in repr(detail)
    done_by(ann, approvals.approve, approval_id=row.id)
    kept = found(Supplier, acme.supplier)
    assert (kept.email, kept.city, kept.status, kept.last_edited_by) == ("new@acme.com", "Oslo", "approved", sue.id)
    assert asked_by(sue, portal.my_company).waiting == []


def test_a_rejected_correction_leaves_the_record_as_it_was(acme, sue, ann):
    done_by(sue, portal.propose_correction, **NEW)
    (row,) = asked_by(ann, approvals.waiting_for_me).rows
    done_by(ann, approvals.reject, approval_id=row.id, reason="Called them: it is not so")
    assert found(Supplier, acme.supplier).email == "acme@example.com"
    assert "Called them" not in repr(asked_by(sue, portal.my_company))


def test_one_correction_waits_at_a_time_and_who_proposed_it_takes_it_back(acme, sue):
    sam = supplier_person("sam", acme.supplier)
    done_by(sue, portal.propose_correction, **NEW)
    assert not asked_by(sam, portal.my_company).own_proposal
    with pytest.raises(Conflict, match="waits to be looked at"):
        done_by(sam, portal.propose_correction, email="sam@acme.com")
    with pytest.raises(NotAllowed, match="Only whoever asked"):
        done_by(sam, portal.withdraw_correction)
    done_by(sue, portal.withdraw_correction)
    with pytest.raises(Stale):
        done_by(sue, portal.withdraw_correction)
    done_by(sam, portal.propose_correction, email="sam@acme.com")


def test_a_correction_is_checked_and_must_change_something(acme, sue):
    with pytest.raises(Invalid) as refused:
        done_by(sue, portal.propose_correction, email="nobody", phone="x")
    assert set(refused.value.fields) == {"email", "phone"}
    with pytest.raises(Invalid, match=r"Nothing was changed\."):
        done_by(sue, portal.propose_correction, email="acme@example.com")


def test_a_correction_of_a_supplier_that_waits_is_asked_about_with_it(database, ann):
    ident = supplier("Pending", email="old@pending.com", last_edited_by=ann.id).id
    sue = supplier_person("sue", ident)
    otto = person("otto", "manager")
    before = arrange(lambda s: s.exec(select(Approval.id).where(Approval.kind == "supplier")).one())
    done_by(sue, portal.propose_correction, email="new@pending.com")
    row = next(one for one in asked_by(otto, approvals.waiting_for_me).rows if one.id != before)
    done_by(otto, approvals.approve, approval_id=row.id)
    statuses = arrange(
        lambda s: s.exec(select(Approval.status).where(Approval.kind == "supplier").order_by(Approval.id)).all()
    )
    assert statuses == ["withdrawn", "open"]


def test_a_supplier_nobody_has_edited_is_corrected_as_well(database, ann):
    ident = supplier("Pending", email="old@pending.com").id
    sue = supplier_person("sue", ident)
    done_by(sue, portal.propose_correction, email="new@pending.com")
    row = next(one for one in asked_by(ann, approvals.waiting_for_me).rows if "Contact data" in one.title)
    done_by(ann, approvals.approve, approval_id=row.id)
    assert found(Supplier, ident).email == "new@pending.com"


def test_nobody_of_a_supplier_decides_about_it(acme, sue):
    done_by(sue, portal.propose_correction, **NEW)
    ident = arrange(lambda s: s.exec(select(Approval.id).where(Approval.kind == "supplier_correction")).one())
    for decide in (approvals.approve, approvals.reject, approvals.withdraw):
        with pytest.raises(NotAllowed, match="supplier portal"):
            done_by(sue, decide, approval_id=ident)


def test_accounts_are_shown_by_their_last_signs(acme, sue):
    company = asked_by(sue, portal.my_company)
    (account,) = company.bank_accounts
    assert account.label == "We pay to"
    assert account.value.startswith("DE … ")
    assert portal.Pair("Contact", "acme contact, c@acme.com") in company.contacts


# In plain words


@pytest.mark.parametrize(
    ("columns", "word", "sentence"),
    [
        ({"status": "blocked"}, "Being checked", "compare it with the order"),
        ({"status": "matched"}, "Agreed", "due on 9 Apr 2026"),
        ({"status": "released"}, "Agreed", "due on 9 Apr 2026"),
        ({"status": "matched", "paid": Decimal(40)}, "Paid in part", "40.00 of 100.00 EUR is paid"),
        ({"status": "matched", "paid": Decimal(100)}, "Paid", "in full"),
        ({"status": "void"}, "Cancelled", "nothing is paid"),
        ({"status": "matched", "gross": Decimal(0)}, "Agreed", "nothing to be paid"),
        ({"status": "matched", "kind": "credit_note", "gross": Decimal(-5)}, "Agreed", "next invoices"),
        (
            {"status": "matched", "kind": "credit_note", "gross": Decimal(-5), "paid": Decimal(-5)},
            "Set off",
            "against your invoices",
        ),
    ],
)
def test_an_invoice_says_where_it_stands(columns, word, sentence):
    values = {"gross": Decimal(100), "paid": Decimal(0), "due_on": date(2026, 4, 9), "currency": "EUR"} | columns
    said = words.of_invoice(SupplierInvoice(**values))
    assert said.word == word
    assert sentence in said.sentence


@pytest.mark.parametrize(
    ("status", "word"),
    [("ordered", "Please confirm"), ("partially_received", "Delivered in part"), ("received", "Delivered"),
     ("closed", "Closed"), ("cancelled", "Cancelled")],
)  # fmt: skip
def test_an_order_says_where_it_stands(status, word):
    assert words.of_order(PurchaseOrder(status=status)).word == word


def test_payments_are_shown_with_their_invoices_and_taken_back_when_they_were(acme, sue):
    (row,) = asked_by(sue, portal.my_payments).rows
    assert (row.number, row.amount, row.reference) == ("PAY-acme", "40.00 EUR", "acme reference")
    assert row.parts == [portal.Pair("INV-acme", "40.00 EUR")]
    assert row.account.startswith("DE … ")
    change(Payment, acme.payment, status="void", void_reason=f"{OURS} void", bank_account_id=None)
    (again,) = asked_by(sue, portal.my_payments).rows
    assert (again.stands.word, again.account) == ("Taken back", "")


def test_a_void_invoice_has_nothing_open(acme, sue):
    change(SupplierInvoice, acme.blocked, status="void", kind="credit_note", gross=Decimal(0), net=Decimal(0))
    row = next(one for one in asked_by(sue, portal.my_invoices).rows if one.id == acme.blocked)
    assert (row.open, row.kind) == ("", "Credit note")


def test_what_went_back_is_said_so(acme, sue):
    change(GoodsReceipt, acme.receipt, kind="return", delivery_note=None)
    change(PurchaseOrder, acme.order, expected_on=None, payment_days=None, ordered_at=datetime(2026, 3, 1, tzinfo=UTC))
    change(PurchaseOrderLine, acme.line, given_up=Decimal(0), pack_size=Decimal(5))
    order = asked_by(sue, portal.my_order, order_id=acme.order)
    assert order is not None
    assert (order.receipts[0].title, order.expected, order.expected_on, order.payment) == ("Sent back", "", "", "")
    assert (order.lines[0].quantity, order.lines[0].delivered) == ("10", "4")
