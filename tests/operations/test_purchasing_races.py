"""Two people whose steps meet between order, goods, invoice and payment: the second waits, and decides on what is."""

from datetime import datetime, time, timedelta
from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import AlreadyDecided, AppError, Conflict, PeriodClosed, Stale
from inventory_app.models._base import now
from inventory_app.models.payments import AccountStatus, SupplierBankAccount
from inventory_app.models.purchasing import PurchaseOrder
from inventory_app.operations import bank_accounts, invoices, orders, periods, receiving
from inventory_app.operations._invoice_fields import LineIn
from inventory_app.operations._receipt_lines import Back
from inventory_app.unit_of_work import read, transact
from tests.factories import person
from tests.fixtures.database import forget_cached
from tests.fixtures.seeing import Side, before_commit, locks_waited_for, wait_until_blocked
from tests.operations import buying, ordered, papers
from tests.operations.payables import (
    account,
    agree,
    books_agree,
    found,
    invoice,
    open_request,
    paid,
    pay,
    pay_parts,
    payables,
    payment_of,
    void,
)

D = Decimal
ROW = [("transactionid", "ShareLock")]


@pytest.fixture
def acme(database):
    """Return a supplier with an account and an invoice of 100, and look at the sums afterwards."""
    made = payables()
    yield made
    books_agree()


@pytest.fixture
def mona(database):
    """Return somebody who may do everything."""
    return person("mona", "admin")


def one_then_other(observer, first, second):
    """Let the second wait for the first, which is done but for its commit; returns what came of both."""
    with Side(first, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(second) as other:
            waits = locks_waited_for(observer, wait_until_blocked(observer, by=holder))
            one.go_on()
            return one.result(), other.error() or other.result(), waits


def by(actor, operation, **arguments):
    """Do it as somebody."""

    def act():
        with acting_as(actor):
            return transact(operation, **arguments)

    return act


def raises(outcome, kind: type[AppError], words: str):
    """See that it was refused so."""
    assert isinstance(outcome, kind), outcome
    assert words in f"{outcome} {outcome.detail}"


# Goods


@pytest.mark.parametrize("goods_first", [True, False])
def test_an_order_is_received_or_cancelled_and_never_both(observer, mona, ann, goods_first):
    with acting_as(mona):
        order = ordered.bolts(10)
    came = by(ann, receiving.receive_goods, order_id=order.id, lines=ordered.rows(order, [4]))
    cancel = by(mona, orders.cancel_order, order_id=order.id, version=1, reason="Not needed")
    if goods_first:
        done, refused, waits = one_then_other(observer, came, cancel)
        raises(refused, Stale, "was changed after you opened it")
    else:
        done, refused, waits = one_then_other(observer, cancel, came)
        raises(refused, Conflict, "was cancelled")
    assert waits == ROW
    status = found(PurchaseOrder, order.id).status
    assert (status, buying.lines(order.id)[0].received) == (
        ("partially_received", 4) if goods_first else ("cancelled", 0)
    )
    assert done.status == status


@pytest.mark.parametrize("goods_first", [True, False])
def test_goods_of_an_earlier_day_and_the_close_of_its_period_wait_for_each_other(observer, mona, ann, goods_first):
    with acting_as(mona):
        order = ordered.bolts(10)
    day = now().date() - timedelta(days=3)
    then = datetime.combine(day, time(12), tzinfo=now().tzinfo)
    came = by(ann, receiving.receive_goods, order_id=order.id, lines=ordered.rows(order, [4]), occurred_at=then)
    close = by(mona, periods.close_period, closed_through=day)
    if goods_first:
        _, closed, waits = one_then_other(observer, came, close)
        assert isinstance(closed, str)
    else:
        _, refused, waits = one_then_other(observer, close, came)
        assert isinstance(refused, PeriodClosed)
    assert waits[0][0] == "advisory"
    assert buying.lines(order.id)[0].received == (4 if goods_first else 0)


@pytest.mark.parametrize("goods_first", [True, False])
def test_a_release_and_goods_that_go_back_meet_at_the_order(observer, acme, mona, goods_first):
    with acting_as(mona):
        order = ordered.bolts(10, supplier_id=acme.supplier_id)
        ordered.came(order, 8)
    with acting_as(acme.quinn):
        papers.record("R-5", papers.line(order.lines[0], 10, D("2.5")))
        seen = read(invoices.invoice_detail, invoice_id=papers.paper("R-5").id)
    arguments = {"invoice_id": seen.id, "version": 1, "differences": seen.read, "reason": "Agreed by phone"}
    release = by(acme.paula, invoices.release_invoice, **arguments)
    item = item_of(observer, order.products[0])
    back = by(mona, receiving.return_goods, order_id=order.id, lines=[Back(order.lines[0], D(3), item)], note="Broken")
    if goods_first:
        _, refused, waits = one_then_other(observer, back, release)
        # What does not agree is more than was read.
        raises(refused, Stale, "What does not agree about R-5 has changed")
    else:
        _, done, waits = one_then_other(observer, release, back)
        assert done.number
    assert waits == ROW
    assert papers.status("R-5") == ("blocked" if goods_first else "released")


def item_of(observer, product_id):
    return observer.execute("SELECT id FROM inventory_item WHERE product_id = %s", [product_id]).fetchone()[0]


# Orders


def test_a_draft_that_is_edited_meanwhile_is_not_submitted(observer, ann, mona):
    with acting_as(ann):
        shop = buying.market()
        made = buying.write(shop)
    edit = by(
        mona,
        orders.update_order,
        order_id=made.order_id,
        version=1,
        head=buying.head(shop),
        lines=[buying.tea(shop, 48)],
    )
    _, refused, waits = one_then_other(
        observer, edit, by(ann, orders.submit_order, order_id=made.order_id, version=made.version)
    )
    raises(refused, Stale, "was changed after you opened it")
    assert waits == ROW
    assert (buying.known(made.order_id).status, buying.known(made.order_id).number) == ("draft", None)


def test_a_draft_that_is_submitted_meanwhile_is_not_edited(observer, ann, mona):
    with acting_as(ann):
        shop = buying.market()
        made = buying.write(shop)
    edit = by(
        mona,
        orders.update_order,
        order_id=made.order_id,
        version=1,
        head=buying.head(shop),
        lines=[buying.tea(shop, 480)],
    )
    _, refused, waits = one_then_other(
        observer, by(ann, orders.submit_order, order_id=made.order_id, version=made.version), edit
    )
    raises(refused, Stale, "was changed after you opened it")
    assert waits == ROW
    assert buying.lines(made.order_id)[0].quantity == 24


# Invoices and payments


@pytest.mark.parametrize("paid_first", [True, False])
def test_an_invoice_is_paid_or_void_and_never_both(observer, acme, paid_first):
    erase = by(acme.quinn, invoices.void_invoice, invoice_id=acme.invoice_id, version=1, reason="Typed wrongly")

    def settle():
        return pay(acme.paula, acme.invoice_id)

    if paid_first:
        _, refused, waits = one_then_other(observer, settle, erase)
        raises(refused, Stale, "was changed after you opened it")
    else:
        _, refused, waits = one_then_other(observer, erase, settle)
        raises(refused, AlreadyDecided, "R-1 was taken back, so there is nothing to pay.")
    assert waits == ROW
    assert (papers.status("R-1"), paid(acme.invoice_id)) == (("matched", 100) if paid_first else ("void", 0))


@pytest.mark.parametrize("paid_first", [True, False])
def test_a_credit_note_counts_once_whoever_comes_first(observer, acme, mona, paid_first):
    placed = papers.order(acme.supplier_id, papers.Want(10, 10, received=8))
    with acting_as(acme.quinn):
        papers.record("R-6", papers.line(placed.lines[0], 10, 10))
    about = papers.paper("R-6").id
    note = {"number": "C-6", "invoice_date": papers.DAY, "lines": [LineIn("", D(2), D(10), D(0), placed.lines[0])]}
    credit = by(mona, invoices.record_credit_note, **note, gross=D(20), invoice_id=about)

    def settle():
        return pay(acme.paula, about)

    if paid_first:
        # Blocked: whoever pays first is refused, and waits for nobody.
        with Side(credit, until=before_commit()) as one:
            one.reaches_its_point()
            one.go_on()
            one.result()
        assert settle().amount == "100.00"
    else:
        _, done, waits = one_then_other(observer, credit, settle)
        assert (waits, done.amount) == (ROW, "100.00")
    assert paid(about) == 100


def test_a_credit_note_is_not_set_off_by_two(observer, acme):
    note = invoice(acme.supplier_id, -40, "C-1").id
    other = invoice(acme.supplier_id, 60, "R-2").id
    done, refused, waits = one_then_other(
        observer,
        lambda: pay_parts(acme.paula, (acme.invoice_id, None), (note, None)),
        lambda: pay_parts(acme.quinn, (other, None), (note, None)),
    )
    raises(refused, AlreadyDecided, "C-1 is paid in full already")
    assert (done.amount, waits, paid(note), paid(other)) == ("60.00", ROW, -40, 0)


def test_what_is_taken_back_is_not_agreed_to_as_well(observer, acme, monkeypatch):
    first = pay(acme.paula, acme.invoice_id, 40)
    monkeypatch.setenv("INVENTORY_PAYMENT_APPROVAL_AMOUNT", "0")
    forget_cached()
    waiting = pay(acme.paula, acme.invoice_id, 60)
    olga = person("olga", "accountant")
    # Both touch the same invoice: the one that is agreed to counts, the one that is taken back does not.
    _, done, waits = one_then_other(observer, lambda: void(olga, first.payment_id), lambda: agree(acme.quinn))
    assert (done.status, waits) == ("approved", ROW)
    assert (paid(acme.invoice_id), payment_of(first).status, payment_of(waiting).status) == (60, "void", "posted")


def test_a_payment_that_is_agreed_to_meanwhile_is_taken_back_by_a_counter_entry(observer, acme, monkeypatch):
    monkeypatch.setenv("INVENTORY_PAYMENT_APPROVAL_AMOUNT", "0")
    forget_cached()
    waiting = pay(acme.paula, acme.invoice_id)
    assert open_request().subject_id == waiting.payment_id
    olga = person("olga", "accountant")
    _, done, waits = one_then_other(observer, lambda: agree(acme.quinn), lambda: void(olga, waiting.payment_id))
    assert waits == ROW
    assert (done.number, paid(acme.invoice_id), payment_of(waiting).status) == (waiting.number, 0, "void")


@pytest.mark.parametrize("paid_first", [True, False])
def test_no_money_goes_to_an_account_that_retires_meanwhile(observer, acme, mona, paid_first):
    retire = by(mona, bank_accounts.retire_bank_account, account_id=acme.account_id, version=1, reason="Closed")

    def settle():
        return pay(acme.paula, acme.invoice_id, bank_account_id=acme.account_id)

    if paid_first:
        done, _, waits = one_then_other(observer, settle, retire)
        assert done.amount == "100.00"
    else:
        _, refused, waits = one_then_other(observer, retire, settle)
        raises(refused, Conflict, "is not used any more")
    assert waits[0][0] in ("transactionid", "tuple")
    assert paid(acme.invoice_id) == (100 if paid_first else 0)
    assert found(SupplierBankAccount, acme.account_id).status == AccountStatus.RETIRED


def test_the_usual_account_that_retires_meanwhile_gives_way_to_the_other(observer, acme, mona):
    newest = account(acme.supplier_id, "NO9386011117947").id
    retire = by(mona, bank_accounts.retire_bank_account, account_id=newest, version=1, reason="Closed")
    _, done, _ = one_then_other(observer, retire, lambda: pay(acme.paula, acme.invoice_id))
    assert payment_of(done).bank_account_id == acme.account_id
