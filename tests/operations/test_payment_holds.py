"""Payments to a supplier that was suspended: with a reason and somebody's agreement only, whatever was on its way."""

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import Conflict, Invalid, InvalidRows
from inventory_app.models.payments import PaymentBatch, SupplierBankAccount
from inventory_app.operations import (
    approvals,
    due_views,
    explain,
    invoices,
    orders,
    payment_views,
    payments,
    supplier_standing,
    suppliers,
)
from inventory_app.operations._lists import View
from inventory_app.unit_of_work import read, transact
from tests.factories import arrange, person, role, supplier
from tests.fixtures.database import forget_cached
from tests.fixtures.seeing import Side, before_commit, wait_until_blocked
from tests.operations.papers import Want
from tests.operations.papers import order as placed_order
from tests.operations.payables import (
    account,
    agree,
    batch,
    books_agree,
    found,
    invoice,
    open_request,
    paid,
    pay,
    pay_parts,
    payables,
    payment_of,
    refused,
    reject,
    said,
)

WHY = "Ann suspended Acme: Glass in a jar."


@pytest.fixture
def acme(database):
    return payables()


@pytest.fixture
def ann(database):
    return person("ann", "manager")


def suspend(ann, supplier_id):
    with acting_as(ann):
        transact(supplier_standing.suspend_supplier, supplier_id=supplier_id, reason="Glass in a jar")


def reinstate(supplier_id):
    with acting_as(person("nora", "manager")):
        transact(supplier_standing.reinstate_supplier, supplier_id=supplier_id, reason="New filling line")


def test_it_is_paid_with_a_reason_once_somebody_else_has_agreed_with_one(acme, ann, trail):
    suspend(ann, acme.supplier_id)
    error = refused(pay, acme.paula, acme.invoice_id, 10)
    assert isinstance(error, Invalid)
    assert error.fields == {"held_reason": f"{WHY} Say why it is paid all the same; somebody else must agree."}
    assert "most" in refused(pay, acme.paula, acme.invoice_id, held_reason="x" * 2_000).fields["held_reason"]
    made = pay(acme.paula, acme.invoice_id, 10, held_reason="The court says so")
    assert (made.waits, paid(acme.invoice_id), payment_of(made).held_reason) == (True, 0, "The court says so")
    with acting_as(acme.quinn):
        asked = read(approvals.approval_detail, approval_id=open_request().id)
        assert asked.details[-2:] == [("Supplier", WHY), ("Paid because", "The court says so")]
    assert refused(agree, acme.quinn).fields == {
        "reason": "Its supplier is suspended. Say why it is paid all the same."
    }
    agree(acme.quinn, "I read the verdict")
    assert paid(acme.invoice_id) == 10
    detail = seen(acme.quinn, payment_views.payment_detail, payment_id=made.payment_id)
    assert detail.in_spite == "The court says so"
    books_agree()


def seen(actor, query, **arguments):
    with acting_as(actor):
        return read(query, **arguments)


def test_rejecting_one_needs_a_reason_as_ever_and_it_comes_to_nothing(acme, ann):
    suspend(ann, acme.supplier_id)
    made = pay(acme.paula, acme.invoice_id, held_reason="x")
    assert set(refused(reject, acme.quinn, "").fields) == {"reason"}
    reject(acme.quinn, "No")
    assert (payment_of(made).status, paid(acme.invoice_id)) == ("rejected", 0)


def test_a_rejected_supplier_is_held_as_well_and_one_that_waits_is_not(acme):
    bare = supplier("Beta", status="rejected").id or 0
    account(bare)
    owed = invoice(bare, 7, "B-1").id
    assert "The system rejected Beta." in refused(pay, acme.paula, owed).fields["held_reason"]
    waits = supplier("Gamma", status="pending").id or 0
    account(waits)
    assert pay(acme.paula, invoice(waits, 7, "G-1").id).waits is False


def test_a_reason_that_nothing_asks_for_is_not_kept(acme):
    assert payment_of(pay(acme.paula, acme.invoice_id, 10, held_reason="because")).held_reason is None


def test_setting_off_moves_no_money_and_is_not_held(acme, ann):
    suspend(ann, acme.supplier_id)
    credit = invoice(acme.supplier_id, -100, "C-1")
    made = pay_parts(acme.paula, (acme.invoice_id, None), (credit.id, None), bank_account_id=acme.account_id)
    assert (made.waits, paid(acme.invoice_id), payment_of(made).bank_account_id) == (False, 100, None)


def test_a_batch_has_no_supplier_that_is_held(acme, ann):
    beta = supplier("Beta", status="approved").id or 0
    account(beta)
    other = invoice(beta, 7, "B-1").id
    suspend(ann, acme.supplier_id)
    error = refused(batch, acme.paula, acme.invoice_id, other)
    assert isinstance(error, InvalidRows)
    held = f"{WHY} Its payments are held: pay it by itself, with a reason."
    assert [(name, sentence) for _, name, sentence in error.rows] == [("Acme", held)]
    preview = seen(acme.paula, due_views.preview_batch, invoice_ids=[acme.invoice_id, other])
    assert {row.supplier: row.fault for row in preview.rows} == {"Acme": held, "Beta": ""}


def test_what_waited_when_it_was_suspended_is_not_agreed_to(acme, ann, monkeypatch):
    monkeypatch.setenv("INVENTORY_PAYMENT_APPROVAL_AMOUNT", "0")
    forget_cached()
    made = pay(acme.paula, acme.invoice_id)
    suspend(ann, acme.supplier_id)
    error = refused(agree, acme.quinn)
    assert isinstance(error, Conflict)
    assert said(error).startswith(f"{WHY} {made.number} was made before that. Reject it, and pay anew with a reason.")
    assert paid(acme.invoice_id) == 0
    reinstate(acme.supplier_id)
    agree(acme.quinn)
    assert paid(acme.invoice_id) == 100


def test_no_file_for_the_bank_names_it_until_it_is_reinstated(acme, ann):
    made = batch(acme.paula, acme.invoice_id)
    suspend(ann, acme.supplier_id)

    def take():
        with acting_as(acme.paula):
            return transact(payments.take_payment_file, batch_id=made.batch_id, kind="csv")

    assert "Take it back before the file goes." in said(refused(take))
    assert found(PaymentBatch, made.batch_id).file_sha256 is None
    reinstate(acme.supplier_id)
    assert take().sha256


def test_of_a_payment_and_a_suspension_at_once_the_second_sees_the_first(acme, ann, observer):
    """The payer holds the supplier's row shared; whoever suspends it waits, and then every payment is held."""
    with Side(lambda: pay(acme.paula, acme.invoice_id, 10), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(lambda: suspend(ann, acme.supplier_id)) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            other.result()
    assert paid(acme.invoice_id) == 10
    assert "held_reason" in refused(pay, acme.paula, acme.invoice_id, 10).fields


def test_lists_and_pages_say_that_it_is_held(acme, ann):
    suspend(ann, acme.supplier_id)
    other = invoice(supplier("Beta", status="approved").id or 0, 7, "B-1").id
    ada = person("ada", "admin")
    due = seen(ada, due_views.list_due, view=View())
    assert {row.number: row.held for row in due.page.rows} == {"R-1": WHY, "B-1": ""}
    for asked, number in (("yes", "R-1"), ("no", "B-1")):
        rows = seen(ada, due_views.list_due, view=View(filters={"held": asked})).page.rows
        assert [row.number for row in rows] == [number]
    listed = seen(ada, invoices.list_invoices, view=View(filters={"held": "yes"})).page.rows
    assert [(row.number, row.held) for row in listed] == [("R-1", True)]
    shown = {id_: seen(ada, invoices.invoice_detail, invoice_id=id_).supplier_held for id_ in (acme.invoice_id, other)}
    assert shown == {acme.invoice_id: WHY, other: ""}
    assert seen(acme.quinn, due_views.invoice_to_pay, invoice_id=acme.invoice_id).held == WHY
    placed = placed_order(acme.supplier_id, Want(4))
    assert seen(ada, orders.order_detail, order_id=placed.id).supplier_held == WHY
    answer = seen(
        ada, explain.why_not, user_id=acme.paula.id, permission="payments:process", invoice_id=acme.invoice_id
    )
    assert answer.can
    assert answer.needs == f"{WHY} It is paid with a reason only, and once somebody else has agreed."
    fine = seen(ada, explain.why_not, user_id=acme.paula.id, permission="payments:process", invoice_id=other)
    assert fine.needs == ""


def test_a_paid_invoice_is_not_held(acme, ann):
    pay(acme.paula, acme.invoice_id)
    suspend(ann, acme.supplier_id)
    ada = person("ada", "admin")
    assert seen(ada, invoices.invoice_detail, invoice_id=acme.invoice_id).supplier_held == ""
    assert [row.held for row in seen(ada, invoices.list_invoices, view=View()).page.rows] == [False]


def test_before_it_is_suspended_or_asked_about_again_one_reads_what_stops(acme, ann):
    placed_order(acme.supplier_id, Want(1), status="draft")
    placed_order(acme.supplier_id, Want(1))
    placed_order(acme.supplier_id, Want(1))

    with acting_as(person("ada", "admin")):
        page = read(suppliers.supplier_detail, supplier_id=acme.supplier_id)
    assert page.stops == "1 order not sent yet waits until then. 2 orders under way are still received."
    assert page.holds == "1 open invoice of it is held then."
    role("watcher", "suppliers:view")
    with acting_as(person("will", "watcher")):
        page = read(suppliers.supplier_detail, supplier_id=acme.supplier_id)
    assert (page.stops, page.holds) == ("", "")
    suspend(ann, acme.supplier_id)
    with acting_as(ann):
        assert read(suppliers.supplier_detail, supplier_id=acme.supplier_id).stops == ""


def test_where_nothing_is_open_that_is_said(acme, ann):
    pay(acme.paula, acme.invoice_id)
    with acting_as(person("ada", "admin")):
        page = read(suppliers.supplier_detail, supplier_id=acme.supplier_id)
    assert (page.stops, page.holds) == ("No order of it is open.", "")


# To which account


def test_the_payer_chooses_among_the_released_accounts(acme):
    older = acme.account_id
    newer = account(acme.supplier_id, "FR1420041010050500013M02606", holder="Acme SA", bank="Banque").id
    account(acme.supplier_id, "NO9386011117947", status="pending", released_by=None, released_at=None)
    account(acme.supplier_id, "GB82WEST12345698765432", currency="EUR")
    one = seen(acme.quinn, due_views.invoice_to_pay, invoice_id=acme.invoice_id)
    assert one.accounts == [
        (str(newer), "Acme SA, FR14 2004 1010 0505 0001 3M02 606, Banque"),
        (str(older), "Acme GmbH, DE89 3704 0044 0532 0130 00"),
    ]
    assert one.account_id == str(newer)
    made = pay(acme.quinn, acme.invoice_id, 10, bank_account_id=older)
    assert payment_of(made).bank_account_id == older
    assert payment_of(pay(acme.quinn, acme.invoice_id, 10)).bank_account_id == newer


def test_who_released_an_account_is_offered_another_and_can_pay_to_that(acme):
    newer = account(acme.supplier_id, "FR1420041010050500013M02606", released_by=acme.quinn.id).id
    one = seen(acme.quinn, due_views.invoice_to_pay, invoice_id=acme.invoice_id)
    assert (one.account_id, one.why_not) == (str(acme.account_id), "")
    assert one.accounts[0] == (str(newer), "Acme GmbH, FR14 2004 1010 0505 0001 3M02 606, released by you")
    assert "You released the bank account" in said(refused(pay, acme.quinn, acme.invoice_id, bank_account_id=newer))
    assert pay(acme.quinn, acme.invoice_id, bank_account_id=acme.account_id).waits is False


def test_who_released_all_of_them_reads_why_not(acme):
    account(acme.supplier_id, "FR1420041010050500013M02606", released_by=acme.quinn.id)
    ada = person("ada", "admin")

    def mine(session):
        session.get_one(SupplierBankAccount, acme.account_id).released_by = acme.quinn.id

    arrange(mine)
    one = seen(acme.quinn, due_views.invoice_to_pay, invoice_id=acme.invoice_id)
    assert one.why_not.startswith("You released the bank account")
    answer = seen(
        ada, explain.why_not, user_id=acme.quinn.id, permission="payments:process", invoice_id=acme.invoice_id
    )
    assert not answer.can
