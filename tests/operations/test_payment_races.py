"""Two people who pay the same invoice at once: exactly one does, and the other reads why not."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

from inventory_app.context import acting_as
from inventory_app.errors import AlreadyDecided, AppError
from tests.factories import person
from tests.fixtures.database import forget_cached
from tests.fixtures.seeing import Side, before_commit, locks_waited_for, wait_until_blocked
from tests.operations.payables import (
    agree,
    batch,
    books_agree,
    invoice,
    paid,
    pay,
    pay_parts,
    payables,
    payment_of,
    said,
    void,
)

PAYERS = 8


@pytest.fixture
def acme(database):
    """Return a supplier with an account and an invoice of 100, and look at the sums afterwards."""
    made = payables()
    yield made
    books_agree()


@pytest.mark.parametrize("second", ["payment", "batch"])
def test_the_second_waits_and_reads_that_it_is_paid(acme, observer, second):
    ways = {"payment": lambda: pay(acme.quinn, acme.invoice_id), "batch": lambda: batch(acme.quinn, acme.invoice_id)}
    with Side(lambda: pay(acme.paula, acme.invoice_id), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(ways[second]) as other:
            waiter = wait_until_blocked(observer, by=holder)
            # The row lock of the invoice is waited for as the transaction that holds it.
            assert locks_waited_for(observer, waiter) == [("transactionid", "ShareLock")]
            one.go_on()
            one.result()
            error = other.error()
    assert isinstance(error, AlreadyDecided)
    assert "R-1 is paid in full already: PAY-" in str(error)
    assert paid(acme.invoice_id) == 100


def test_the_second_of_two_parts_reads_what_is_left(acme, observer):
    with Side(lambda: pay(acme.paula, acme.invoice_id, 60), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(lambda: pay(acme.quinn, acme.invoice_id, 60)) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            error = other.error()
    assert isinstance(error, AppError)
    assert "Only 40.00 USD of R-1 are open; you asked for 60.00." in said(error)


def test_who_was_undone_leaves_it_to_the_other(acme, observer):
    with Side(lambda: pay(acme.paula, acme.invoice_id), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(lambda: pay(acme.quinn, acme.invoice_id)) as other:
            wait_until_blocked(observer, by=holder)
            observer.execute("SELECT pg_terminate_backend(%s)", [holder])
            other.result()
            one.go_on()
            one.error()
    assert paid(acme.invoice_id) == 100


def test_two_with_the_same_key_are_one_payment(acme, observer):
    def once_more():
        return pay(acme.paula, acme.invoice_id, 10, idempotency_key="form")

    with Side(once_more, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(once_more) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            assert one.result() == other.result()
    assert paid(acme.invoice_id) == 10


def test_two_agree_at_once_and_it_counts_once(acme, observer, monkeypatch):
    monkeypatch.setenv("INVENTORY_PAYMENT_APPROVAL_AMOUNT", "0")
    forget_cached()
    made, olga = pay(acme.paula, acme.invoice_id), person("olga", "accountant")
    with Side(lambda: agree(acme.quinn), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(lambda: agree(olga)) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            assert isinstance(other.error(), AlreadyDecided)
    assert (payment_of(made).status, paid(acme.invoice_id)) == ("posted", 100)


def test_two_take_it_back_at_once_and_it_is_open_once(acme, observer):
    made = pay(acme.paula, acme.invoice_id)
    with Side(lambda: void(acme.paula, made.payment_id), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(lambda: void(acme.quinn, made.payment_id)) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            assert "taken back already" in str(other.error())
    assert paid(acme.invoice_id) == 0


def test_many_who_pay_the_same_invoices_in_any_order_pay_them_once(acme, monkeypatch):
    # As many connections as people, so that the database decides who waits and not the pool.
    monkeypatch.setenv("SQLALCHEMY_POOL_SIZE", str(PAYERS))
    forget_cached()
    second = invoice(acme.supplier_id, 100, "R-2")
    payers = [person(f"payer{number}", "accountant") for number in range(PAYERS)]
    together = threading.Barrier(PAYERS)

    def work(number: int) -> bool:
        together.wait()
        both = [(acme.invoice_id, None), (second.id, None)]
        try:
            pay_parts(payers[number], *(both if number % 2 else reversed(both)))
        except AlreadyDecided:
            return False
        return True

    with ThreadPoolExecutor(PAYERS) as pool:
        done = [pool.submit(copy_context().run, work, number) for number in range(PAYERS)]
    assert sum(one.result() for one in done) == 1
    assert (paid(acme.invoice_id), paid(second.id)) == (100, 100)


def test_numbers_follow_each_other(acme):
    with acting_as(acme.paula):
        numbers = [pay(acme.paula, acme.invoice_id, 1).number for _ in range(3)]
    assert [number.rpartition("-")[2] for number in numbers] == ["0001", "0002", "0003"]
