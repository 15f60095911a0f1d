"""Paying a supplier: never more than is open, never by who had a part, never twice; taken back by a counter-entry."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import col, update

from inventory_app.context import acting_as
from inventory_app.errors import (
    AlreadyDecided,
    FreshProofRequired,
    Invalid,
    KeyReused,
    NotAllowed,
    NotFound,
    Stale,
)
from inventory_app.models._base import now
from inventory_app.models.payments import Payment, PaymentBatch
from inventory_app.models.purchasing import InvoiceStatus, SupplierInvoice
from inventory_app.models.users import AuthSession
from inventory_app.operations import approvals
from inventory_app.unit_of_work import read, transact
from tests.factories import arrange, person, role, supplier
from tests.fixtures.database import forget_cached
from tests.operations.papers import Want, came, line, paper, record
from tests.operations.papers import order as placed_order
from tests.operations.payables import (
    account,
    agree,
    batch,
    books_agree,
    day,
    found,
    invoice,
    open_request,
    order,
    paid,
    pay,
    pay_parts,
    payables,
    payment_of,
    refused,
    reject,
    said,
    void,
)

D = Decimal


@pytest.fixture
def acme(database):
    """Return a supplier with an account and an invoice of 100, and look at the sums afterwards."""
    made = payables()
    yield made
    books_agree()


@pytest.fixture
def every_one_waits(monkeypatch):
    """Let every payment wait for somebody's agreement."""
    monkeypatch.setenv("INVENTORY_PAYMENT_APPROVAL_AMOUNT", "0")
    forget_cached()


def asked(who):
    with acting_as(who):
        return read(approvals.approval_detail, approval_id=open_request().id or 0)


def details(who):
    return dict(asked(who).details)


def test_all_that_is_open_is_paid_unless_an_amount_is_given(acme):
    first = pay(acme.paula, acme.invoice_id, "39.50", reference=" R-1 \n first part ", note="by phone")
    assert (first.number[:4], first.supplier, first.amount, first.currency, first.waits) == (
        "PAY-",
        "Acme",
        "39.50",
        "USD",
        False,
    )
    row = payment_of(first)
    assert (row.reference, row.note, row.bank_account_id, row.paid_on) == (
        "R-1 first part",
        "by phone",
        acme.account_id,
        now().date(),
    )
    assert paid(acme.invoice_id) == D("39.50")
    assert pay(acme.paula, acme.invoice_id).amount == "60.50"
    assert paid(acme.invoice_id) == 100


def test_more_than_is_open_is_refused_in_words(acme):
    pay(acme.paula, acme.invoice_id, 60)
    error = refused(pay, acme.paula, acme.invoice_id, "40.01")
    assert error.fields["amount"] == "Only 40.00 USD of R-1 are open; you asked for 40.01."
    # Who reads the trail may not see amounts.
    assert error.detail == "More was asked than is open of R-1."
    pay(acme.paula, acme.invoice_id, 40)
    error = refused(pay, acme.quinn, acme.invoice_id, 1)
    assert isinstance(error, AlreadyDecided)
    assert "R-1 is paid in full already: PAY-" in str(error)
    assert "by Paula on" in str(error)


@pytest.mark.parametrize("amount", ["0", "-5", "0.001", "NaN"])
def test_an_amount_that_is_none_is_refused(acme, amount):
    assert refused(pay, acme.paula, acme.invoice_id, amount).fields["amount"]


@pytest.mark.parametrize(
    ("status", "words"), [(InvoiceStatus.BLOCKED, "does not agree"), (InvoiceStatus.VOID, "was taken back")]
)
def test_only_a_matched_or_released_invoice_is_paid(acme, status, words):
    blocked = invoice(acme.supplier_id, 10, "R-2", status=status)
    assert words in said(refused(pay, acme.paula, blocked.id))
    released = invoice(acme.supplier_id, 10, "R-3", status=InvoiceStatus.RELEASED)
    assert pay(acme.paula, released.id).amount == "10.00"


def _invoiced(acme):
    """Let 40 pieces come, and somebody who does not pay record their invoice."""
    placed = placed_order(acme.supplier_id, Want(40, 10, received=40))
    with acting_as(person("rita", "accountant")):
        record("A", line(placed.lines[0], 40))
    return placed


def _partly_paid(acme):
    """Pay a part of an invoice whose goods then go back."""
    placed = _invoiced(acme)
    done = pay(acme.paula, paper("A").id, 100)
    came(placed, received=30)
    return placed, done


def test_what_agrees_no_more_after_a_part_was_paid_is_paid_no_further_until_it_does(acme):
    placed, _ = _partly_paid(acme)
    for by in (acme.paula, acme.quinn):
        assert "agrees no more" in said(refused(pay, by, paper("A").id, 1))
    assert "agrees no more" in said(refused(batch, acme.paula, paper("A").id))
    came(placed, received=40)
    pay(acme.paula, paper("A").id)
    assert paper("A").paid == 400
    books_agree()


def test_what_agrees_no_more_is_blocked_once_its_payment_is_taken_back(acme):
    placed, done = _partly_paid(acme)
    void(acme.quinn, done.payment_id)
    assert (paper("A").status, paper("A").paid) == (InvoiceStatus.BLOCKED, 0)
    assert "does not agree" in said(refused(pay, acme.paula, paper("A").id, 1))
    came(placed, received=40)
    pay(acme.paula, paper("A").id)
    books_agree()


def test_a_payment_that_waits_is_not_agreed_to_once_its_invoice_agrees_no_more(acme, monkeypatch):
    monkeypatch.setenv("INVENTORY_PAYMENT_APPROVAL_AMOUNT", "50")
    forget_cached()
    placed = _invoiced(acme)
    pay(acme.paula, paper("A").id, 100)
    came(placed, received=30)
    error = refused(agree, acme.quinn)
    assert "A has changed since PAY-" in said(error)
    assert "A does not agree" in said(error)
    assert paper("A").paid == 0


def test_an_invoice_that_was_settled_without_a_payment_says_no_more_than_that(acme):
    settled = invoice(acme.supplier_id, 0, "R-2")
    assert str(refused(pay, acme.paula, settled.id)) == "R-2 is paid in full already."


def test_an_invoice_is_named_once_and_in_one_way(acme):
    assert isinstance(refused(pay, acme.paula, 999_999), NotFound)
    assert "Choose an invoice" in said(refused(pay, acme.paula))
    assert "named twice" in said(refused(pay_parts, acme.paula, (acme.invoice_id, 1), (acme.invoice_id, 2)))
    assert "not both" in said(refused(pay_parts, acme.paula, (acme.invoice_id, 1), invoice_id=acme.invoice_id))
    assert "At most 500" in said(refused(pay_parts, acme.paula, *[(id_, 1) for id_ in range(1, 502)]))


def test_several_invoices_of_one_supplier_are_paid_at_once(acme):
    second = invoice(acme.supplier_id, 50, "R-2")
    error = refused(pay_parts, acme.paula, (acme.invoice_id, None), (second.id, 20), amount=D(100))
    assert "The parts come to 120" in error.fields["amount"]
    made = pay_parts(acme.paula, (acme.invoice_id, None), (second.id, 20), amount=D(120))
    assert made.amount == "120.00"
    assert (paid(acme.invoice_id), paid(second.id)) == (100, 20)


def test_one_payment_is_of_one_supplier_and_one_currency(acme):
    other = invoice(supplier("Beta").id, 5)
    assert "several suppliers" in said(refused(pay_parts, acme.paula, (acme.invoice_id, 1), (other.id, 1)))
    euros = invoice(acme.supplier_id, 5, "R-2", currency="EUR", rate=D("1.1"))
    assert "EUR and USD" in said(refused(pay_parts, acme.paula, (acme.invoice_id, 1), (euros.id, 1)))


# Credit notes


def test_a_credit_note_is_set_off(acme):
    credit = invoice(acme.supplier_id, "-30", "C-1")
    made = pay_parts(acme.paula, (credit.id, None), (acme.invoice_id, None))
    assert made.amount == "70.00"
    assert (paid(acme.invoice_id), paid(credit.id)) == (100, -30)


def test_as_much_of_a_credit_note_is_set_off_as_there_is_to_pay(acme):
    credit = invoice(acme.supplier_id, "-130", "C-1")
    made = pay_parts(acme.paula, (acme.invoice_id, None), (credit.id, None), method="transfer")
    row = payment_of(made)
    assert (row.amount, row.method, row.bank_account_id) == (0, "settlement", None)
    assert paid(credit.id) == -100
    second = invoice(acme.supplier_id, 40, "R-2")
    error = refused(pay_parts, acme.paula, (second.id, None), (credit.id, -31))
    assert "Only 30.00 USD of C-1 can be set off; you asked for 31.00." in said(error)
    assert pay_parts(acme.paula, (second.id, None), (credit.id, -30)).amount == "10.00"


def test_more_credit_than_there_is_to_pay_is_refused(acme):
    credit = invoice(acme.supplier_id, "-130", "C-1")
    assert "come to more" in said(refused(pay_parts, acme.paula, (acme.invoice_id, 20), (credit.id, -21)))
    assert "choose one as well" in said(refused(pay, acme.paula, credit.id))
    assert isinstance(refused(pay, acme.paula, credit.id, 5), Invalid)


def test_a_settlement_pays_nothing(acme):
    assert "say how the money goes" in said(refused(pay, acme.paula, acme.invoice_id, method="settlement"))


# Where the money goes


def test_cash_goes_to_no_account(acme):
    made = pay(acme.paula, acme.invoice_id, 1, method="cash")
    assert payment_of(made).bank_account_id is None
    error = refused(pay, acme.paula, acme.invoice_id, 1, method="cash", bank_account_id=acme.account_id)
    assert error.fields["bank_account_id"] == "Only a transfer goes to a bank account."


@pytest.mark.parametrize(
    ("status", "words"),
    [("pending", "waits to be released"), ("rejected", "was rejected"), ("retired", "is not used any more")],
)
def test_a_transfer_goes_to_a_released_account(acme, status, words):
    other = account(acme.supplier_id, "NO9386011117947", status=status)
    error = refused(pay, acme.paula, acme.invoice_id, 1, bank_account_id=other.id)
    assert error.fields["bank_account_id"] == f"The bank account that ends in 7947 {words}."


def test_a_transfer_goes_to_an_account_of_the_supplier_in_its_currency(acme):
    theirs = account(supplier("Beta").id or 0)
    assert "no bank account of Acme" in said(refused(pay, acme.paula, acme.invoice_id, 1, bank_account_id=theirs.id))
    assert "no bank account of Acme" in said(refused(pay, acme.paula, acme.invoice_id, 1, bank_account_id=999_999))
    euros = account(acme.supplier_id, "NO9386011117947", currency="EUR")
    assert "in EUR, not in USD" in said(refused(pay, acme.paula, acme.invoice_id, 1, bank_account_id=euros.id))
    without = invoice(supplier("Gamma").id, 5)
    assert "Gamma has no released bank account in USD" in said(refused(pay, acme.paula, without.id))


def test_the_account_that_was_released_last_is_the_usual_one(acme):
    newer = account(acme.supplier_id, "NO9386011117947")
    assert payment_of(pay(acme.paula, acme.invoice_id, 1)).bank_account_id == newer.id


# Details


def test_the_day_is_no_more_than_a_year_away(acme):
    assert payment_of(pay(acme.paula, acme.invoice_id, 1, paid_on=day(-3))).paid_on == day(-3)
    assert refused(pay, acme.paula, acme.invoice_id, 1, paid_on=day(-367)).fields["paid_on"]


def test_how_it_goes_and_what_is_said_are_checked(acme):
    assert refused(pay, acme.paula, acme.invoice_id, 1, method="gold").fields["method"]
    assert "140" in refused(pay, acme.paula, acme.invoice_id, 1, reference="x" * 141).fields["reference"]
    assert "invisible" in refused(pay, acme.paula, acme.invoice_id, 1, reference="x\u202e").fields["reference"]
    assert "2,000" in refused(pay, acme.paula, acme.invoice_id, 1, note="x" * 2_001).fields["note"]


def test_another_currency_has_a_rate(acme):
    account(acme.supplier_id, "NO9386011117947", currency="EUR")
    euros = invoice(acme.supplier_id, 50, "R-2", currency="EUR", rate=D("1.1"))
    assert "what 1 EUR is worth" in refused(pay, acme.paula, euros.id).fields["rate"]
    assert payment_of(pay(acme.paula, euros.id, rate=D("1.2"))).rate == D("1.2")
    assert "its rate is 1" in refused(pay, acme.paula, acme.invoice_id, rate=D("1.2")).fields["rate"]


# Twice


def test_the_same_key_twice_is_one_payment(acme):
    first = pay(acme.paula, acme.invoice_id, 10, idempotency_key="form-1")
    assert pay(acme.paula, acme.invoice_id, 10, idempotency_key="form-1") == first
    assert paid(acme.invoice_id) == 10
    assert isinstance(refused(pay, acme.paula, acme.invoice_id, 11, idempotency_key="form-1"), KeyReused)
    assert str(refused(pay, acme.quinn, acme.invoice_id, 10, idempotency_key="form-1")) == (
        "This payment has been made already."
    )
    assert paid(acme.invoice_id) == 10


# Who


def test_the_payer_is_nobody_with_a_part_in_the_chain(acme):
    vera, ben = person("vera", "accountant"), person("ben", "admin")
    bought = order(acme.supplier_id, ben)
    theirs = account(acme.supplier_id, "NO9386011117947", released_by=vera.id, entered_by=ben.id)
    mine = invoice(acme.supplier_id, 50, "R-2", recorded_by=acme.paula.id, order_id=bought.id)
    assert str(refused(pay, acme.paula, mine.id)) == "You recorded the invoice R-2, so somebody else must pay."
    assert "You created the order PO-2026-0001" in str(refused(pay, ben, mine.id))
    assert "You released the bank account" in str(refused(pay, vera, mine.id, bank_account_id=theirs.id))
    assert pay(acme.quinn, mine.id, 1).amount == "1.00"


def test_paying_takes_a_fresh_proof_and_seeing_amounts(acme, database):
    role("blind", "payments:process", "payments:view")
    assert "See costs and prices" in str(refused(pay, person("boris", "blind"), acme.invoice_id))
    arrange(
        lambda session: session.execute(
            update(AuthSession)
            .where(col(AuthSession.id) == acme.paula.session_id)
            .values(reauthenticated_at=now() - timedelta(hours=1))
        )
    )
    assert isinstance(refused(pay, acme.paula, acme.invoice_id), FreshProofRequired)
    assert isinstance(refused(pay, person("ann", "manager"), acme.invoice_id), NotAllowed)


# Somebody else's agreement


def test_from_an_amount_on_somebody_else_must_agree(acme):
    big = invoice(acme.supplier_id, 12_000, "R-2")
    made = pay(acme.paula, big.id, 10_000)
    assert (made.waits, payment_of(made).status, paid(big.id)) == (True, "waiting", 0)
    error = refused(pay, acme.quinn, big.id, 3_000)
    assert "Only 2,000.00 USD of R-2 are open, 10,000.00 USD more wait" in said(error)
    assert str(refused(agree, acme.paula)) == "You made this payment, so somebody else must agree."
    assert agree(acme.quinn).status == "approved"
    row = payment_of(made)
    assert (row.status, row.posted_at is not None, paid(big.id)) == ("posted", True, 10_000)


def test_dividing_a_payment_does_not_go_around_it(acme):
    big = invoice(acme.supplier_id, 12_000, "R-2")
    assert not pay(acme.paula, big.id, 9_999).waits
    assert pay(acme.paula, big.id, 1).waits


def test_who_had_a_part_cannot_agree_either(acme, every_one_waits):
    ben, vera = person("ben", "admin"), person("vera", "accountant")
    theirs = account(acme.supplier_id, "NO9386011117947", released_by=vera.id, entered_by=ben.id)
    mine = invoice(acme.supplier_id, 50, "R-2", recorded_by=acme.quinn.id, order_id=order(acme.supplier_id, ben).id)
    made = pay(acme.paula, mine.id, bank_account_id=theirs.id)
    assert "recorded an invoice" in str(refused(agree, acme.quinn))
    assert "created an order" in str(refused(agree, ben))
    assert "released the bank account" in str(refused(agree, vera))
    agree(person("olga", "accountant"))
    assert payment_of(made).status == "posted"


def test_all_that_is_open_can_wait(acme, every_one_waits):
    made = pay(acme.paula, acme.invoice_id)
    error = refused(pay, acme.quinn, acme.invoice_id)
    assert str(error).startswith(
        f"All that is open of R-1 waits for somebody's agreement already: {made.number} by Paula"
    )
    assert "withdraw or reject it" in str(refused(void, acme.quinn, made.payment_id))


def test_rejecting_and_withdrawing_leave_it_open(acme, every_one_waits):
    made = pay(acme.paula, acme.invoice_id)
    reject(acme.quinn)
    row = payment_of(made)
    assert (row.status, row.void_reason) == ("rejected", "Not ours")
    assert "never counted" in str(refused(void, acme.quinn, made.payment_id))
    again = pay(acme.paula, acme.invoice_id)
    with acting_as(acme.paula):
        transact(approvals.withdraw, approval_id=open_request().id or 0)
    row = payment_of(again)
    assert (row.status, row.void_reason) == ("rejected", "Withdrawn by whoever asked for it")
    assert paid(acme.invoice_id) == 0


def test_agreeing_is_to_what_still_can_be_paid(acme, every_one_waits):
    made = pay(acme.paula, acme.invoice_id)
    block = update(SupplierInvoice).where(col(SupplierInvoice.id) == acme.invoice_id)
    arrange(lambda session: session.execute(block.values(status="blocked")))
    assert f"R-1 has changed since {made.number} was made" in str(refused(agree, acme.quinn))
    arrange(lambda session: session.execute(block.values(status="matched", paid=1)))
    assert f"R-1 has changed since {made.number} was made: less of it is open." in said(refused(agree, acme.quinn))
    arrange(lambda session: session.execute(block.values(paid=0)))
    retire = "UPDATE supplier_bank_account SET status = 'retired'"
    arrange(lambda session: session.connection().exec_driver_sql(retire))
    assert "is not used any more" in str(refused(agree, acme.quinn))
    assert payment_of(made).status == "waiting"


def test_what_nobody_can_see_is_not_told_in_a_request(acme, every_one_waits):
    pay(acme.paula, acme.invoice_id)
    role("blind", "payments:approve", "payments:view")
    boris = person("boris", "blind")

    assert details(acme.quinn)["Amount"] == "100.00 USD"
    assert "Amount" not in details(boris)


def test_a_settlement_waits_for_nobody(acme, every_one_waits):
    credit = invoice(acme.supplier_id, "-100", "C-1")
    assert not pay_parts(acme.paula, (acme.invoice_id, None), (credit.id, None)).waits


# Taking back


def test_a_payment_is_taken_back_by_a_counter_entry(acme, trail):
    credit = invoice(acme.supplier_id, "-30", "C-1")
    made = pay_parts(acme.paula, (acme.invoice_id, None), (credit.id, None))
    assert isinstance(refused(void, acme.quinn, made.payment_id, version=7), Stale)
    done = void(acme.quinn, made.payment_id, version=1)
    row, counter = found(Payment, made.payment_id), found(Payment, done.counter_id)
    assert (row.status, row.void_reason, done.number) == ("void", "Paid twice", made.number)
    assert (counter.amount, counter.voids, counter.status, counter.void_reason) == (-70, row.id, "void", "Paid twice")
    assert (paid(acme.invoice_id), paid(credit.id)) == (0, 0)
    assert trail.last(name="payments.void_payment").reason == "Paid twice"
    assert "taken back already" in str(refused(void, acme.quinn, made.payment_id))
    assert "takes another payment back" in str(refused(void, acme.quinn, done.counter_id))
    assert pay(acme.paula, acme.invoice_id).amount == "100.00"


def test_taking_back_needs_a_reason_and_a_payment(acme):
    assert "Say why" in said(refused(void, acme.quinn, 1, ""))
    assert isinstance(refused(void, acme.quinn, 999_999), NotFound)
    role("payer", "payments:process", "payments:view", "prices:view")
    made = pay(acme.paula, acme.invoice_id)
    assert isinstance(refused(void, person("piet", "payer"), made.payment_id), NotAllowed)


# A batch


def test_a_batch_is_one_payment_for_each_supplier(acme):
    beta = supplier("Beta").id or 0
    account(beta, holder="Beta AS")
    second, credit = invoice(acme.supplier_id, 50, "R-2"), invoice(acme.supplier_id, "-20", "C-1")
    theirs = invoice(beta, 7, "B-1")
    made = batch(acme.paula, acme.invoice_id, second.id, credit.id, theirs.id, execute_on=day(2))
    assert (made.number[:4], made.payments, made.amount, made.currency, made.waits) == (
        "BAT-",
        2,
        "137.00",
        "USD",
        False,
    )
    row = found(PaymentBatch, made.batch_id)
    assert (row.status, row.total, row.payment_count, row.execute_on) == ("posted", 137, 2, day(2))
    assert [paid(id_) for id_ in (acme.invoice_id, second.id, credit.id, theirs.id)] == [100, 50, -20, 7]


def test_a_long_list_of_numbers_is_cut_to_what_banks_take(acme):
    ids = [invoice(acme.supplier_id, 1, f"INVOICE-{number:010}").id or 0 for number in range(12)]
    batch(acme.paula, *ids)
    reference = found(Payment, 1).reference or ""
    assert (len(reference), reference[-1]) == (140, "…")


def test_a_batch_is_all_or_nothing(acme):
    gamma, beta = supplier("Gamma").id or 0, supplier("Beta").id or 0
    bare, even, credit = invoice(gamma, 5, "G-1"), invoice(beta, 5, "B-1"), invoice(beta, -5, "B-2")
    error = refused(batch, acme.paula, acme.invoice_id, bare.id, even.id, credit.id)
    assert "Gamma has no released bank account" in said(error)
    assert "Settle them by themselves" in said(error)
    assert paid(acme.invoice_id) == 0
    euros = invoice(gamma, 5, "G-2", currency="EUR", rate=D("1.1"))
    assert "A batch is in one currency" in said(refused(batch, acme.paula, acme.invoice_id, euros.id))
    mine = invoice(acme.supplier_id, 5, "R-2", recorded_by=acme.paula.id)
    assert "You recorded the invoice R-2" in said(refused(batch, acme.paula, acme.invoice_id, mine.id))


def test_a_batch_waits_as_a_whole(acme):
    beta = supplier("Beta").id or 0
    account(beta)
    one, other = invoice(acme.supplier_id, 6_000, "R-2"), invoice(beta, 6_000, "B-1")
    made = batch(acme.paula, one.id, other.id)
    assert made.waits
    assert "You made this payment" in str(refused(agree, acme.paula))
    agree(acme.quinn)
    assert found(PaymentBatch, made.batch_id).status == "posted"
    assert (paid(one.id), paid(other.id)) == (6_000, 6_000)


@pytest.mark.parametrize("ends", ["rejected", "withdrawn"])
def test_a_batch_that_comes_to_nothing_leaves_everything_open(acme, every_one_waits, ends):
    made = batch(acme.paula, acme.invoice_id)
    if ends == "rejected":
        reject(acme.quinn)
    else:
        with acting_as(acme.paula):
            transact(approvals.withdraw, approval_id=open_request().id or 0)
    assert found(PaymentBatch, made.batch_id).status == "rejected"
    assert found(Payment, 1).status == "rejected"
    assert pay(acme.quinn, acme.invoice_id).waits


def test_a_request_for_a_batch_says_what_it_is(acme, every_one_waits):
    made = batch(acme.paula, acme.invoice_id)
    assert asked(acme.quinn).title == f"Batch {made.number}"
    assert details(acme.quinn)["Amount"] == "100.00 USD"
    role("blind", "payments:approve", "payments:view")
    assert "Amount" not in details(person("boris", "blind"))
